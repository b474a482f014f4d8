"""Exhibits of the cost section: result in, block out, no arithmetic beyond layout."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from analysis.costs.decomposition import CostStudy
from analysis.costs.figures import size
from analysis.costs.hindsight import REMAINING, TOTAL, NoHindsight
from analysis.costs.keys import Allocated
from analysis.costs.movement import Comparison as CostComparison
from analysis.costs.reserve import Provision
from analysis.errors import MissingData
from analysis.exhibits.figures import figure
from analysis.exhibits.key_figures import tiles
from analysis.exhibits.record import Block
from analysis.exhibits.statements import callout, facts_block
from analysis.exhibits.tables import table
from analysis.exhibits.vocabulary import Cell, Column, Comparison, Role, Row, Tile, Tone
from analysis.locale import Text
from analysis.periods import Month
from analysis.results import Fact, Sentence, Value

AMOUNT = Text(en="Amount", zh="金额")
TIED_MONTHS = 6  # and every earlier month that is off
_DIMENSION = {
    "category": Text(en="Category", zh="成本类别"),
    "product_line": Text(en="Product line", zh="产品线"),
    "region": Text(en="Region", zh="区域"),
    "ticket_type": Text(en="Ticket type", zh="工单类型"),
    "channel": Text(en="Channel", zh="渠道"),
    "team": Text(en="Team", zh="团队"),
    "tracing": Text(en="Tracing", zh="归集方式"),
    "customer_type": Text(en="Customer type", zh="客户类型"),
}
_TITLES = {
    "category": "Largest category: {largest:lower}, {share} of after-sales cost",
    "product_line": "Cost by product line, where the posting or its ticket names one",
    "region": "Cost by region, where the posting or its ticket names one",
    "ticket_type": "Cost by ticket type, where the posting carries a ticket",
    "channel": "Cost by channel, where the posting or its ticket names one",
    "team": "Cost by team, where the posting or its ticket names one",
    "tracing": "How the cost can be traced: to tickets, to pools, or neither",
}


def _source(study: CostStudy) -> Sentence:
    return Sentence("Source: after-sales ledger, incurred basis; {month}.", {"month": study.month})


def cost_tiles(study: CostStudy) -> Block:
    """Total, cost rate, unit cost and labour share with their last months."""
    by_against = {comparison.against: comparison for comparison in study.comparisons}
    total = Tile(
        label=Text(en="After-sales cost", zh="售后成本"),
        fact=study.total,
        history=_known(study.history[-13:]),
        comparisons=[
            _line(by_against["previous_month"], "Previous month", "上月"),
            _line(by_against["year_before"], "Year before", "上年同月"),
        ],
    )
    names = {
        "after_sales_cost_rate": ("Cost to revenue", "售后成本率"),
        "service_unit_cost": ("Cost per ticket", "单张工单成本"),
        "labour_share": ("Labour share", "人工占比"),
    }
    histories = {
        "after_sales_cost_rate": study.cost_rates,
        "service_unit_cost": study.unit_costs,
        "labour_share": study.labour_shares,
    }
    others = [
        Tile(
            label=Text(en=en, zh=zh),
            fact=histories[metric][-1],
            history=_known(histories[metric][-13:]),
            comparisons=[
                Comparison(
                    label=Text(en="Previous month", zh="上月"), value=histories[metric][-2], signed=False
                ),
                Comparison(
                    label=Text(en="Year before", zh="上年同月"), value=histories[metric][-13], signed=False
                ),
            ],
        )
        for metric, (en, zh) in names.items()
    ]
    return tiles("costs.headlines", [total, *others])


def _rows(lines: Iterable[object], keys: str, **other: str) -> list[Row]:
    """A row a line, its cells by the names of the line's attributes; ``other`` shows an attribute under another key."""
    named = {key: key for key in keys.split()} | other
    return [Row(cells={key: getattr(line, name) for key, name in named.items()}) for line in lines]


def _known(facts: tuple[Fact, ...]) -> list[Fact]:
    return [fact for fact in facts if fact.value is not None]


def _line(comparison: CostComparison, en: str, zh: str) -> Comparison:
    value = comparison.rate.value
    tone: Tone | None = None if not value else "bad" if value > 0 else "good"
    return Comparison(label=Text(en=en, zh=zh), value=comparison.rate, tone=tone)


def tie_out_table(study: CostStudy) -> Block:
    """Ledger, control total and difference by month; by account below where they differ."""
    tied = study.tie_out
    if tied.status == "no_control_totals":
        return callout(
            "costs.tie_out",
            tone="watch",
            title=Sentence("Not tied out"),
            body=Sentence(
                "There is no control total of the general ledger for {month}: table gl_totals, measure after_sales_cost.",
                {"month": study.month},
            ),
        )
    columns = [
        Column(key="period", label=Text(en="Month", zh="月份")),
        Column(key="ledger", label=Text(en="After-sales ledger", zh="售后台账"), scale="exact"),
        Column(key="control", label=Text(en="General ledger", zh="总账"), scale="exact"),
        Column(key="difference", label=Text(en="Difference", zh="差异"), scale="exact"),
    ]
    known = [
        line
        for line in zip(tied.ledger, tied.control, tied.difference, strict=True)
        if line[0].value is not None
    ]
    lines = [line for line in known[:-TIED_MONTHS] if line[2].value] + known[-TIED_MONTHS:]
    rows = [
        Row(
            cells={"period": Month.parse(ours.period), "ledger": ours, "control": theirs, "difference": gap},
            tone="bad" if gap.value else None,
        )
        for ours, theirs, gap in lines
    ]
    off = [line for line in tied.accounts if line[2].value]
    for ours, theirs, gap in off:
        account = Text(en=f"Account {gap.dimensions['account']}", zh=f"科目 {gap.dimensions['account']}")
        rows.append(
            Row(cells={"period": account, "ledger": ours, "control": theirs, "difference": gap}, tone="bad")
        )
    title = (
        "The ledger ties out to the general ledger to the cent"
        if tied.status == "tied_out"
        else "The ledger differs from the general ledger by {difference:exact}"
    )
    return table(
        "costs.tie_out",
        title=Sentence(title, {"difference": tied.difference[-1]}),
        subtitle=Sentence("After-sales cost on the incurred basis, by month"),
        columns=columns,
        rows=rows,
        note=_source(study),
    )


def composition_table(study: CostStudy, dimension: str) -> Block:
    """The month's cost by slice, its share, and its change on last month and on the year before; totals ruled."""
    slices = study.composition[dimension]
    columns = [
        Column(key="slice", label=_DIMENSION[dimension], wide=True),
        Column(key="cost", label=Text(en="This month", zh="本月")),
        Column(key="share", label=Text(en="Share", zh="占比")),
        Column(key="previous", label=Text(en="Previous month", zh="上月")),
        Column(key="change", label=Text(en="Change", zh="环比变动"), signed=True, better="lower"),
        Column(key="year_before", label=Text(en="Year before", zh="上年同月")),
        Column(
            key="year_change", label=Text(en="Change on year", zh="同比变动"), signed=True, better="lower"
        ),
    ]
    rows = _rows(slices, "cost share previous change year_before year_change", slice="label")
    previous, before = study.comparisons
    rows.append(
        Row(
            cells={
                "slice": Text(en="Total", zh="合计"),
                "cost": study.total,
                "previous": previous.base,
                "change": previous.change,
                "year_before": before.base,
                "year_change": before.change,
            },
            role="total",
        )
    )
    largest = slices[0] if slices else None
    values: dict[str, Value] = (
        {"largest": largest.label, "share": largest.share} if largest and dimension == "category" else {}
    )
    return table(
        f"costs.by_{dimension}",
        title=Sentence(_TITLES[dimension], values),
        subtitle=Sentence("After-sales cost of {month} on the incurred basis", {"month": study.month}),
        columns=columns,
        rows=rows,
        note=_source(study),
    )


_SIDES = (("product_line", "region", "ticket_type"), ("team", "channel", "tracing"))


def slices_table(study: CostStudy) -> Block:
    """The month's cost by slice of several dimensions, side by side; the slices of each dimension add up to the total."""
    sides = [
        _side(study, dimensions, suffix) for dimensions, suffix in zip(_SIDES, ("", "_right"), strict=True)
    ]
    rows = [Row(cells=left | right) for left, right in zip_longest(*sides, fillvalue={})]
    before = study.comparisons[1]
    whole = Text(en="Total of each group", zh="各组合计")
    rows.append(Row(cells={"slice": whole, "cost": study.total, "year_change": before.change}, role="total"))
    columns = [
        Column(
            key=f"{key}{suffix}",
            label=label,
            wide=key == "slice",
            signed=key == "year_change",
            better="lower" if key == "year_change" else None,
        )
        for suffix in ("", "_right")
        for key, label in (
            ("slice", Text(en="Slice", zh="分类")),
            ("cost", Text(en="This month", zh="本月")),
            ("share", Text(en="Share", zh="占比")),
            ("year_change", Text(en="Change on year", zh="同比变动")),
        )
    ]
    return table(
        "costs.slices",
        title=Sentence("Cost by product line, region, ticket type, team, channel and tracing"),
        subtitle=Sentence(
            "After-sales cost of {month} on the incurred basis, where the posting or its ticket names one",
            {"month": study.month},
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
    )


def _side(study: CostStudy, dimensions: tuple[str, ...], suffix: str) -> list[dict[str, Cell]]:
    """Cells of one half of the table: the name of a dimension, then its slices."""
    cells: list[dict[str, Cell]] = []
    for dimension in dimensions:
        cells.append({f"slice{suffix}": _DIMENSION[dimension]})
        cells += [
            {
                f"slice{suffix}": Text(en=f"· {line.label.en}", zh=f"· {line.label.zh}"),
                f"cost{suffix}": line.cost,
                f"share{suffix}": line.share,
                f"year_change{suffix}": line.year_change,
            }
            for line in study.composition[dimension]
        ]
    return cells


def ratio_table(study: CostStudy) -> Block:
    """The month's cost on every base, and its ratios."""
    bases = {
        "service_unit_cost": Text(en="Cost per ticket", zh="每张工单成本"),
        "cost_per_order": Text(en="Cost per order", zh="每笔订单成本"),
        "cost_per_thousand_orders": Text(en="Cost per 1,000 orders", zh="每千笔订单成本"),
        "cost_per_agent_hour": Text(en="Cost per agent hour", zh="每工时成本"),
        "cost_per_unit_in_field": Text(en="Cost per unit in the field", zh="每台在用机器成本"),
    }
    names = {
        "labour_share": Text(en="Labour share", zh="人工占比"),
        "automation_rate": Text(en="Automation rate", zh="自动化率"),
        "compensation_share": Text(en="Compensation share", zh="赔偿占比"),
        "direct_cost_share": Text(en="Traced to tickets", zh="直接归集占比"),
        "complaint_cost_total": Text(en="Complaint cost", zh="投诉成本"),
        "rework_cost_total": Text(en="Rework cost", zh="返工成本"),
    }
    left: list[dict[str, Cell]] = [
        {"base": bases[fact.metric], "cost": fact, "number": fact} for fact in study.unit_costs_by
    ]
    right: list[dict[str, Cell]] = [
        {"metric": names[fact.metric], "value": fact, "interval": fact if fact.interval else None}
        for fact in study.ratios
        if fact.metric in names
    ]
    return table(
        "costs.ratios",
        title=Sentence("Unit costs and ratios of {month}", {"month": study.month}),
        subtitle=Sentence("Ratios of accounting totals are exact; rates of tickets have an interval"),
        columns=[
            _column("base", "After-sales cost", "售后成本", wide=True),
            _column("cost", "Value", "数值"),
            _column("number", "Number of", "基数", show="denominator", places=0),
            _column("metric", "Ratio or amount", "比率或金额", wide=True),
            _column("value", "Value", "数值"),
            _column("interval", "Interval", "区间", show="interval"),
        ],
        rows=_side_by_side(left, right),
        note=_source(study),
    )


def _side_by_side(left: list[dict[str, Cell]], right: list[dict[str, Cell]]) -> list[Row]:
    nothing: dict[str, Cell] = {}
    return [Row(cells=one | other) for one, other in zip_longest(left, right, fillvalue=nothing)]


def bridge_figure(study: CostStudy, against: str) -> Block:
    """The change in cost as a waterfall whose steps add up exactly."""
    from analysis.exhibits.charts import Item, waterfall

    bridge = next((bridge for bridge in study.bridges if bridge.against == against), None)
    if bridge is None:
        return callout(
            f"costs.bridge_{against}",
            tone="info",
            title=Sentence("No cost bridge: the month to compare with has no cost."),
        )
    base, month = Month.parse(bridge.base.period), study.month
    steps = [Item(name=label, fact=fact) for label, fact in bridge.effects]
    largest, effect = max(bridge.effects, key=lambda entry: size(entry[1]))
    values: dict[str, Value] = {
        "change": bridge.change,
        "base": base,
        "month": month,
        "largest": largest,
        "effect": effect,
    }
    return figure(
        f"costs.bridge_{against}",
        title=Sentence(
            "Cost {change:word|rose|fell|did not change} by {change:abs} from {base} to {month}; largest effect: {largest:lower}",
            values,
        ),
        subtitle=Sentence("Effects on after-sales cost; they add up to the change to the cent"),
        foot=_source(study),
        alt=Sentence(
            "Waterfall from the cost of {base} to the cost of {month}; the largest step is {largest:lower} with {effect:signed}.",
            values,
        ),
        draw=waterfall(
            Item(name=_month_name(base), fact=bridge.base),
            steps,
            Item(name=_month_name(month), fact=bridge.cost),
            measure=Text(en="After-sales cost", zh="售后成本"),
            by=Text(en="Effect", zh="因素"),
        ),
    )


def _month_name(month: Month) -> Text:
    from analysis.formats import month_text

    return Text(en=month_text(month, "en"), zh=month_text(month, "zh"))


def category_history_figure(study: CostStudy, *, top: int = 6) -> Block:
    """Cost by category over the last months; small categories together would hide what they are, so only the largest are drawn."""
    from analysis.exhibits.charts import Series, composition

    labels = {line.value: line.label for line in study.composition["category"]}
    series = [
        Series(
            name=labels.get(category, Text.same(category)),
            points=[(Month.parse(fact.period), fact) for fact in facts],
        )
        for category, facts in list(study.category_history.items())[:top]
    ]
    largest = study.composition["category"][0]
    return figure(
        "costs.category_history",
        title=Sentence(
            "{largest} is the largest category: {cost} in {month}",
            {"largest": largest.label, "cost": largest.cost, "month": study.month},
        ),
        subtitle=Sentence("After-sales cost by category and month, the largest categories"),
        foot=_source(study),
        alt=Sentence(
            "Cost by category over the last months; the largest in {month} is {largest:lower} with {cost}.",
            {"largest": largest.label, "cost": largest.cost, "month": study.month},
        ),
        draw=composition(series, measure=Text(en="After-sales cost", zh="售后成本")),
    )


def _column(key: str, en: str, zh: str, **options: Any) -> Column:
    return Column(key=key, label=Text(en=en, zh=zh), **options)


def _absent(id: str, what: MissingData, name: Text) -> Block:
    from analysis.exhibits.statements import not_computed

    return not_computed(what, id=id, what=name)


def expense_table(study: CostStudy) -> Block:
    """From incurred cost to the expense of the profit and loss."""
    lines = study.expense
    if isinstance(lines, MissingData):
        return _absent("costs.expense", lines, Text(en="Expense of the profit and loss", zh="利润表费用"))
    named: list[tuple[str, str, Fact, Role]] = [
        ("Incurred, recoveries deducted", "发生额（扣除追偿）", lines.incurred, "body"),
        ("Provision utilised", "质保金使用", lines.utilised, "body"),
        ("Provision accrued", "质保金计提", lines.accrued, "body"),
        ("Provision adjusted", "质保金调整", lines.adjusted, "body"),
        ("After-sales expense", "售后费用", lines.expense, "total"),
        ("Other operating cost", "其他营业费用", lines.outside, "body"),
        ("Operating cost by the general ledger", "总账营业费用", lines.operating_cost, "total"),
    ]
    rows = [
        Row(cells={"line": Text(en=en, zh=zh), "amount": fact}, role=role) for en, zh, fact, role in named
    ]
    return table(
        "costs.expense",
        title=Sentence(
            "From incurred cost to the expense of {month}: {expense}",
            {"month": study.month, "expense": lines.expense},
        ),
        subtitle=Sentence("Every posting stands in one line only, by its basis"),
        columns=[
            _column("line", "Line", "项目", wide=True),
            _column("amount", "Amount", "金额", scale="exact"),
        ],
        rows=rows,
        note=_source(study),
    )


def budget_figure(study: CostStudy) -> Block | None:
    """Budget to actual by category, as a waterfall."""
    from analysis.exhibits.charts import Item, waterfall

    if study.budget is None:
        return callout(
            "costs.budget",
            tone="info",
            title=Sentence("No budget for {month}: table budget.", {"month": study.month}),
        )
    budget, variance = study.budget
    values: dict[str, Value] = {"variance": variance, "budget": budget, "month": study.month}
    steps = [Item(name=line.name, fact=line.variance) for line in study.budget_lines if line.variance.value]
    subtitle = "Variance by category; planned tickets are not stated (assumption budget_tickets), so volume is not told apart"
    if study.flexed is not None:
        subtitle = "First what {actual} instead of the {planned} planned change on categories that move with tickets; then the variance left, by category"
        values |= {"actual": study.flexed.actual, "planned": study.flexed.planned}
        steps = [Item(name=Text(en="Volume", zh="业务量"), fact=study.flexed.volume)]
        steps += [Item(name=name, fact=fact) for name, fact in study.flexed.rest if fact.value]
    return figure(
        "costs.budget",
        title=Sentence(
            "Cost of {month} is {variance:abs} {variance:word|over|under|at} the budget of {budget}", values
        ),
        subtitle=Sentence(subtitle, values),
        foot=_source(study),
        alt=Sentence("Waterfall from the budget of {budget} to the cost of {month} by category.", values),
        draw=waterfall(
            Item(name=Text(en="Budget", zh="预算"), fact=budget),
            steps,
            Item(name=_month_name(study.month), fact=study.total),
            measure=Text(en="After-sales cost", zh="售后成本"),
            by=Text(en="Category", zh="类别"),
        ),
    )


def drill_table(study: CostStudy) -> Block | None:
    """Both bridges opened by category: the largest parts of their effects, and below each its largest effect opened level by level."""
    if not study.bridges:
        return None
    rows: list[Row] = []
    for bridge in study.bridges:
        rows.append(Row(cells={"category": _AGAINST[bridge.against]}, role="group"))
        largest = sorted(bridge.by_category, key=lambda line: -size(line.effect))[:4]
        opened = bridge.drill[1:]  # the first level is the category itself
        for line in largest:
            rows.append(Row(cells={"category": line.category, "driver": line.driver, "effect": line.effect}))
            if bridge.drill and line.effect.dimensions == bridge.drill[0].effect.dimensions:
                rows += [
                    _opened(step.value, step.level, step.effect, depth)
                    for depth, step in enumerate(opened, start=1)
                ]
    return table(
        "costs.drill",
        title=Sentence("Which category moved, and by what"),
        subtitle=Sentence(
            "Largest parts of the change; the largest is opened from category to product line and ticket type"
        ),
        columns=[
            _column("category", "Category", "类别", wide=True),
            _column("driver", "Effect, or level opened", "因素或展开层级"),
            _column("effect", "Change in cost", "成本变动", places=0, signed=True, better="lower"),
        ],
        rows=rows,
        note=_source(study),
    )


def _opened(name: Text, level: str, effect: Fact, depth: int) -> Row:
    dots = "· " * depth
    return Row(
        cells={
            "category": Text(en=f"{dots}{name.en}", zh=f"{dots}{name.zh}"),
            "driver": _LEVEL.get(level, Text.same(level)),
            "effect": effect,
        }
    )


_AGAINST = {
    "previous_month": Text(en="Against the previous month", zh="与上月相比"),
    "year_before": Text(en="Against the year before", zh="与上年同月相比"),
}
_LEVEL = {
    "resource": Text(en="Team", zh="团队"),
    "product_line": Text(en="Product line", zh="产品线"),
    "ticket_type": Text(en="Ticket type", zh="工单类型"),
    "category": Text(en="Category", zh="类别"),
}


def profitability_table(study: CostStudy) -> Block | None:
    """Service revenue, cost, result and margin."""
    if not study.profitability:
        return callout(
            "costs.profitability",
            tone="info",
            title=Sentence("Service profitability is not computed: needs orders with an order type."),
        )
    return table(
        "costs.profitability",
        title=Sentence("What service earns on what it costs"),
        subtitle=Sentence(
            "Service revenue of {month} minus the after-sales cost that names the slice; what names none stands as not stated, so no slice bears its part of it",
            {"month": study.month},
        ),
        columns=[
            _column("slice", "Slice", "分类", wide=True),
            _column("revenue", "Service revenue", "服务收入"),
            _column("cost", "Traced cost", "归集成本"),
            _column("profit", "Result", "损益", signed=True, better="higher"),
            _column("margin", "Margin", "利润率"),
        ],
        rows=_profit_rows(study),
        note=_source(study),
    )


def _profit_rows(study: CostStudy) -> list[Row]:
    """Slices under the name of their dimension, the whole last."""
    rows: list[Row] = []
    named = ""
    for line in study.profitability:
        dimension = next(iter(line.revenue.dimensions), "")
        if dimension and dimension != named:
            rows.append(Row(cells={"slice": _DIMENSION[dimension]}, role="group"))
        named = dimension
        (row,) = _rows([line], "revenue cost profit margin", slice="name")
        rows.append(row if dimension else replace(row, role="total"))
    return rows


def sensitivity_table(study: CostStudy) -> Block:
    """Unit cost of a product line under the rules and under each key alone."""
    shared = study.allocated
    if isinstance(shared, MissingData):
        return _absent("costs.keys", shared, Text(en="Allocation keys", zh="分摊键"))
    names = {
        "seats": ("Seats", "席位"),
        "area": ("Area", "面积"),
        "hours": ("Hours", "工时"),
        "tickets": ("Tickets", "工单"),
        "headcount": ("Headcount", "人数"),
    }
    rows = [
        Row(
            cells={
                "line": line.line,
                "direct": line.direct,
                "allocated": line.allocated,
                "rules": line.unit_cost,
                **line.by_key,
            }
        )
        for line in shared.lines
    ]
    return table(
        "costs.keys",
        title=Sentence("What the choice of key decides: cost per ticket by product line"),
        subtitle=Sentence(
            "Rules: each pool by its own driver (params/cost_tree.yml). Then every shared cost by one key alone; keys move cost between lines, never the total"
        ),
        columns=[
            _column("line", "Product line", "产品线", wide=True),
            _column("direct", "Direct", "直接"),
            _column("allocated", "Allocated", "分摊"),
            _column("rules", "Rules", "现行规则", places=0),
            *(_column(key, *names[key], places=0) for key in shared.keys),
        ],
        rows=rows,
        note=_unallocated_note(shared),
    )


def _unallocated_note(shared: Allocated) -> Sentence:
    """What is left, with its reason where it is a single pool; several have a table of their own."""
    if len(shared.left) != 1:
        return Sentence(
            "{left:exact} of shared cost has no rule or driver and stays unallocated.",
            {"left": shared.unallocated},
        )
    line = shared.left[0]
    return Sentence(
        "{left:exact} of shared cost stays unallocated: {pool:lower}, {reason}.",
        {"left": shared.unallocated, "pool": line.pool, "reason": line.reason},
    )


def unallocated_table(study: CostStudy) -> Block | None:
    """Pools that no rule or driver reaches, whole, with the reason."""
    shared = study.allocated
    if isinstance(shared, MissingData) or len(shared.left) < 2:
        return None
    return table(
        "costs.unallocated_pools",
        title=Sentence("What stays unallocated: {left:exact}", {"left": shared.unallocated}),
        subtitle=Sentence(
            "Shared cost without a rule or a driver in {month}; it is not spread", {"month": study.month}
        ),
        columns=[
            _column("pool", "Pool", "成本池", wide=True),
            _column("reason", "Why", "原因", wide=True),
            _column("amount", "Amount", "金额", scale="exact"),
        ],
        rows=_rows(shared.left, "pool reason amount"),
        note=_source(study),
    )


def capacity_table(study: CostStudy) -> Block:
    """Teams with their capacity, use and unused cost."""
    capacity = study.capacity
    if isinstance(capacity, MissingData):
        return _absent("costs.capacity", capacity, Text(en="Capacity", zh="产能"))
    rows = _rows(
        capacity.teams,
        "team cost rate",
        practical="practical_hours",
        used="used_hours",
        use="utilisation",
        unused="unused_cost",
    )
    rows.append(
        Row(
            cells={
                "team": Text(en="Total", zh="合计"),
                "cost": capacity.cost,
                "unused": capacity.unused_cost,
            },
            role="total",
        )
    )
    return table(
        "costs.capacity",
        title=Sentence(
            "{unused} of {cost} of capacity was not used",
            {"unused": capacity.unused_cost, "cost": capacity.cost},
        ),
        subtitle=Sentence(
            "In-house teams in {month}; practical capacity is {share} of paid hours. Work beyond it shows as negative unused cost",
            {"month": study.month, "share": capacity.practical_share},
        ),
        columns=[
            _column("team", "Team", "团队", wide=True),
            _column("cost", "Cost", "成本"),
            _column("rate", "Cost an hour", "每小时成本", places=2),
            _column("practical", "Practical hours", "实际产能", places=0),
            _column("used", "Handling hours", "处理工时", places=0),
            _column("use", "Used", "利用率"),
            _column("unused", "Unused cost", "未用成本"),
        ],
        rows=rows,
        note=Sentence("Source: staff and tickets; {month}.", {"month": study.month}),
    )


def activity_table(study: CostStudy) -> Block | None:
    """Time cost by ticket type, product line, region, channel and segment; unused capacity below."""
    capacity = study.capacity
    if isinstance(capacity, MissingData):
        return None
    names = {
        "ticket_type": ("Ticket type", "工单类型"),
        "product_line": ("Product line", "产品线"),
        "region": ("Region", "区域"),
        "channel": ("Channel", "渠道"),
        "segment": ("Customer segment", "客户分层"),
    }
    sides: list[list[dict[str, Cell]]] = [[], []]
    for dimension, lines in capacity.by_object.items():
        side = sides[0 if dimension in ("ticket_type", "region") else 1]
        side.append({"object": Text(en=names[dimension][0], zh=names[dimension][1])})
        side += [{"object": Text(en=f"· {name.en}", zh=f"· {name.zh}"), "cost": fact} for name, fact in lines]
    rows = [
        Row(cells=left | {f"{key}_right": cell for key, cell in right.items()})
        for left, right in zip_longest(*sides, fillvalue={})
    ]
    rows += [
        Row(
            cells={
                "object": Text(en="Used time, each grouping", zh="已用时间（每种分组）"),
                "cost": capacity.used_cost,
            },
            role="subtotal",
        ),
        Row(cells={"object": Text(en="Unused capacity", zh="未用产能"), "cost": capacity.unused_cost}),
        Row(
            cells={"object": Text(en="Capacity supplied", zh="产能供给"), "cost": capacity.cost}, role="total"
        ),
    ]
    return table(
        "costs.activities",
        title=Sentence("What the used time cost, by what it was used for"),
        subtitle=Sentence(
            "Time at the cost rate of the team; unused capacity is its own line and is never spread. Time: {times}",
            {"times": capacity.times},
        ),
        columns=[
            _column("object", "Cost object", "成本对象", wide=True),
            _column("cost", "Cost", "成本"),
            _column("object_right", "Cost object", "成本对象", wide=True),
            _column("cost_right", "Cost", "成本"),
        ],
        rows=rows,
        note=Sentence("Source: staff and tickets; {month}.", {"month": study.month}),
    )


def forecast_figure(study: CostStudy) -> Block:
    """The ledger and twelve months ahead."""
    from analysis.exhibits.charts import Series, fan

    outlook = study.outlook
    if isinstance(outlook, MissingData):
        return _absent("costs.forecast", outlook, Text(en="Forecast", zh="预测"))
    values: dict[str, Value] = {"sum": outlook.sums["total"]}
    return figure(
        "costs.forecast",
        title=Sentence("The next twelve months are expected to cost {sum} ({sum:interval})", values),
        subtitle=Sentence("After-sales cost by month; band: interval of each single month"),
        foot=_source(study),
        alt=Sentence(
            "History of the monthly cost and its forecast for twelve months; the sum is {sum}.", values
        ),
        draw=fan(
            Series(
                name=Text(en="Actual", zh="实际"),
                points=[(Month.parse(fact.period), fact) for fact in _known(study.history)],
            ),
            Series(name=Text(en="Forecast", zh="预测"), points=list(outlook.total), role="expected"),
            measure=Text(en="After-sales cost", zh="售后成本"),
        ),
    )


def forecast_table(study: CostStudy) -> Block | None:
    """The year against its budget, last month's forecast against the actual, categories, and the backtest."""
    outlook = study.outlook
    if isinstance(outlook, MissingData):
        return None
    rows = []
    if outlook.year is not None:
        year = outlook.year
        rows += [
            Row(cells={"line": Text(en="This year", zh="本年")}, role="group"),
            Row(cells={"line": Text(en="Booked so far", zh="已入账"), "value": year.booked}),
            Row(
                cells={
                    "line": Text(en="Expected for the year", zh="全年预计"),
                    "value": year.expected,
                    "interval": year.expected,
                }
            ),
            Row(cells={"line": Text(en="Budget of the year", zh="全年预算"), "value": year.budget}),
        ]
    rows.append(
        Row(
            cells={"line": Text(en="Next twelve months by category", zh="未来十二个月（按类别）")},
            role="group",
        )
    )
    rows += [
        Row(
            cells={"line": _part_name(study, name), "value": fact, "interval": fact},
            role="total" if name == TOTAL else "body",
        )
        for name, fact in outlook.sums.items()
    ]
    subtitle = "Categories are reconciled so that they add up to the total; an unusual month of a category (below) enters at what was expected of it."
    if outlook.again is not None and isinstance(outlook.hindsight, NoHindsight):
        forecast, actual = outlook.again
        again = Text(
            en="This month: what this method would have said a month ago",
            zh="本月：本方法一个月前会作出的预测",
        )
        rows += [
            Row(cells={"line": again}, role="group"),
            Row(cells={"line": Text(en="Forecast", zh="预测"), "value": forecast, "interval": forecast}),
            Row(cells={"line": Text(en="Actual", zh="实际"), "value": actual}),
        ]
    return table(
        "costs.outlook",
        title=Sentence("The year and the categories")
        if outlook.year is None
        else Sentence(
            "The year heads for {expected} against a budget of {budget}; chance of exceeding it: {chance}",
            {
                "expected": outlook.year.expected,
                "budget": outlook.year.budget,
                "chance": outlook.year.chance_over,
            },
        ),
        subtitle=Sentence(subtitle),
        columns=[
            _column("line", "Line", "项目", wide=True),
            _column("value", "Amount", "数值"),
            _column("interval", "Interval", "区间", show="interval"),
        ],
        rows=rows,
        note=_source(study),
    )


def _part_name(study: CostStudy, name: str) -> Text:
    labels = {line.value: line.label for line in study.composition["category"]} | {
        REMAINING: Text(en="All other categories", zh="其余类别"),
        TOTAL: Text(en="Total", zh="合计"),
    }
    return labels.get(name, Text.same(name))


def hindsight_table(study: CostStudy) -> Block | None:
    """The last edition's forecast against the actual; in words where there is none to hold against it."""
    outlook = study.outlook
    if isinstance(outlook, MissingData):
        return None
    found = outlook.hindsight
    if isinstance(found, NoHindsight):
        return callout(
            "costs.hindsight",
            tone="watch" if found.doubt else "info",
            title=Sentence("The last edition’s forecast against the actual: not shown"),
            body=found.reason,
        )
    verdicts = {True: Text(en="inside", zh="区间内"), False: Text(en="outside", zh="区间外")}
    return table(
        "costs.hindsight",
        title=Sentence(
            "Of {covered:denominator} forecasts in the edition of {issued}, {covered:numerator} held the actual inside their interval",
            {"covered": found.covered, "issued": found.issued},
        ),
        subtitle=Sentence(
            "Forecast as issued against cost as booked today; error: forecast − actual, of the actual"
        ),
        columns=[
            _column("month", "Month", "月份"),
            _column("part", "Cost", "成本", wide=True),
            _column("forecast", "Forecast", "预测"),
            _column("interval", "Interval", "区间", show="interval"),
            _column("actual", "Actual", "实际"),
            _column("error", "Error", "误差", signed=True),
            _column("verdict", "Actual lies", "实际落于"),
        ],
        rows=[
            Row(
                cells={
                    "month": line.month,
                    "part": _part_name(study, line.part),
                    "forecast": line.forecast,
                    "interval": line.forecast,
                    "actual": line.actual,
                    "error": line.error,
                    "verdict": verdicts[line.inside],
                },
                role="subtotal" if line.part == TOTAL else "body",
            )
            for line in found.promises
        ],
        note=_source(study),
    )


def forecast_facts(study: CostStudy) -> Block | None:
    """The forecast of each category and month, kept for the next edition to be held against; nothing is shown."""
    return (
        None
        if isinstance(study.outlook, MissingData)
        else facts_block("costs.forecast_parts", study.outlook.parts)
    )


def backtest_table(study: CostStudy) -> Block | None:
    """How the candidates did on the past."""
    outlook = study.outlook
    if isinstance(outlook, MissingData):
        return None
    names = {
        "sarimax": Text(en="Seasonal ARIMA", zh="季节 ARIMA"),
        "ets": Text(en="Exponential smoothing", zh="指数平滑"),
        "log_ets": Text(en="Exponential smoothing of logs", zh="对数指数平滑"),
        "level": Text(en="Level only", zh="仅水平"),
        "seasonal_naive": Text(en="Same month a year before", zh="上年同月"),
    }
    chosen = next((line for line in outlook.backtest if line.chosen), None)
    name = names.get(chosen.candidate, Text.same(chosen.candidate)) if chosen else Text(en="None", zh="无")
    return table(
        "costs.backtest",
        title=Sentence("Chosen on its own past: {name:lower}", {"name": name}),
        subtitle=Sentence(
            "Rolling origin on the total; scaled error below one beats repeating last year. Intervals that covered too little are widened"
        ),
        columns=[
            _column("candidate", "Candidate", "候选模型", wide=True),
            _column("mase", "Scaled error", "标准化误差", places=2),
            _column("coverage", "Coverage", "覆盖率"),
            _column("n", "Months scored", "评分月数", show="n"),
        ],
        rows=[
            Row(
                cells={
                    "candidate": names.get(line.candidate, Text.same(line.candidate)),
                    "mase": line.mase,
                    "coverage": line.coverage,
                    "n": line.mase,
                }
            )
            for line in outlook.backtest
        ],
        note=_source(study),
    )


def unusual_table(study: CostStudy) -> Block | None:
    """Months outside trend and season, with the category that drove them."""
    outlook = study.outlook
    if isinstance(outlook, MissingData) or not outlook.unusual:
        return None
    return table(
        "costs.unusual",
        title=Sentence("Months outside what tickets, trend and season explain"),
        subtitle=Sentence(
            "Individuals chart of each series, last two years; limits never come from the months under suspicion. Where nothing happens, about one report in twenty names a month"
        ),
        columns=[
            _column("month", "Month", "月份"),
            _column("series", "Cost", "成本"),
            _column("gap", "Beyond expected", "超出预期", signed=True),
            _column("low", "Lower limit", "下限"),
            _column("high", "Upper limit", "上限"),
            _column("driver", "Driven by", "主要来源", wide=True),
            _column("part", "Its part", "其中", signed=True),
        ],
        rows=_rows(outlook.unusual, "month series gap low high driver part"),
        note=_source(study),
    )


def measures_table(study: CostStudy) -> Block:
    """The action log: registered measures, expected against realised."""
    judged = [measure for measure in study.measures if measure.result is not None]
    if not judged:
        return callout(
            "costs.measures",
            tone="info",
            title=Sentence("No registered measure can be judged yet: params/interventions.yml."),
        )
    rows = [
        Row(
            cells={
                "name": measure.entry.name,
                "owner": measure.entry.owner,
                "start": Month(measure.entry.starts.year, measure.entry.starts.month),
                "verdict": measure.verdict,
                "expected": measure.facts["expected"],
                "saving": measure.facts["saving"],
                "interval": measure.facts["saving"],
            }
        )
        for measure in judged
    ]
    return table(
        "costs.measures",
        title=Sentence("What measures promised and what came"),
        subtitle=Sentence(
            "Savings at constant volume and mix, against regions without the measure; from its start to {month}",
            {"month": study.month},
        ),
        columns=[
            _column("name", "Measure", "措施", wide=True),
            _column("owner", "Owner", "负责人"),
            _column("start", "Since", "开始"),
            _column("verdict", "Verdict", "结论"),
            _column("expected", "Expected", "预期节约", places=0),
            _column("saving", "Realised", "实际节约", places=0),
            _column("interval", "Interval", "区间", show="interval", places=0),
        ],
        rows=rows,
        note=Sentence("Source: tickets, staff, ledger and params/interventions.yml."),
    )


def measures_worth_table(study: CostStudy) -> Block | None:
    """What each measure was worth, and the plausibility line: money saved ÷ tickets avoided."""
    judged = [measure for measure in study.measures if measure.result is not None]
    if not judged:
        return None
    keys = ("cost", "rate", "residual", "npv", "payback", "avoided", "per_event", "unit_before")
    return table(
        "costs.measures_worth",
        title=Sentence("What the measures were worth, and whether that is plausible"),
        subtitle=Sentence(
            "Saving a ticket avoided above what a ticket cost before would mean that something else fell too; the last three columns are counts and averages without a test"
        ),
        columns=[
            _column("name", "Measure", "措施", wide=True),
            _column("cost", "Outlay", "投入", places=0),
            _column("rate", "Saving rate", "节约率"),
            _column("residual", "After ÷ before", "之后÷之前", places=3),
            _column("npv", "Net present value", "净现值", places=0),
            _column("payback", "Payback", "回收期", places=1),
            _column("avoided", "Tickets avoided", "减少工单", places=0),
            _column("per_event", "Saved per ticket avoided", "每减少一单节约", places=0),
            _column("unit_before", "Cost per ticket before", "此前单张成本", places=0),
        ],
        rows=[
            Row(cells={"name": measure.entry.name, **{key: measure.facts[key] for key in keys}})
            for measure in judged
        ],
        note=Sentence("Source: tickets, staff, ledger and params/interventions.yml."),
    )


def measures_doubt(study: CostStudy) -> list[Block]:
    """Measures that began after a peak."""
    peaks = [
        measure
        for measure in study.measures
        if measure.result is not None
        and measure.result.regression is not None
        and measure.result.regression.warning
    ]
    return [
        callout(
            f"costs.peak_{measure.entry.id}",
            tone="watch",
            title=Sentence(
                "“{name}” began after a peak: part of the fall would have come by itself.",
                {"name": measure.entry.name},
            ),
        )
        for measure in peaks
    ]


def sourcing_table(study: CostStudy) -> Block:
    """Full cost of both options and the break-even volume."""
    sourcing = study.sourcing
    if isinstance(sourcing, MissingData):
        return _absent("costs.sourcing", sourcing, Text(en="In-house against outsourced", zh="自有与外包"))
    rows = [
        Row(
            cells={
                "line": line.name,
                "own": line.own,
                "own_each": line.own_each,
                "out": line.out,
                "out_each": line.out_each,
            },
            role="total" if line.role == "total" else "body",
        )
        for line in sourcing.components
    ]
    evens = {
        name: fact
        for name, fact in zip(("even", "next"), sourcing.break_evens, strict=False)
        if fact.value is not None
    }
    minimum = {"minimum": sourcing.minimum} if sourcing.minimum.value is not None else {}
    return table(
        "costs.sourcing",
        title=Sentence(_BREAK_EVEN[len(evens)], evens),
        subtitle=Sentence(_MINIMUM[bool(minimum)], minimum),
        columns=[
            _column("line", "Line", "项目", wide=True),
            _column("own", "In-house", "自有"),
            _column("own_each", "Per ticket", "单张", places=0),
            _column("out", "Outsourced", "外包"),
            _column("out_each", "Per ticket", "单张", places=0),
        ],
        rows=rows,
        note=Sentence(
            "Source: staff, ledger, tickets; training shared by heads, leavers replaced at the assumptions replacement_cost and ramp_up_months."
        ),
    )


_BREAK_EVEN = (
    "No break-even: at any volume one option is cheaper",
    "In-house and outsourced cost the same at {even} a month",
    "In-house and outsourced cost the same at {even} and at {next} a month",
)
_MINIMUM = {
    True: "Field teams and service partners, last twelve months; the two do not get the same work, so not all of the gap can be saved. The contract bills at least {minimum} a month",
    False: "Field teams and service partners, last twelve months; the two do not get the same work, so not all of the gap can be saved. A minimum of the contract is not stated (assumption outsourcing_minimum_tickets), so none is assumed",
}


def swing_table(study: CostStudy) -> Block | None:
    """Cost of both options when volume swings."""
    if isinstance(study.sourcing, MissingData):
        return None
    return table(
        "costs.swings",
        title=Sentence("What a swing of volume does to each option"),
        subtitle=Sentence(
            "Monthly cost at the volume of {usual}, by the cost lines of the last two years",
            {"usual": study.sourcing.usual},
        ),
        columns=[
            _column("swing", "Swing", "业务量变动", signed=True),
            _column("own", "In-house", "自有"),
            _column("out", "Outsourced", "外包"),
            _column("gap", "Outsourced − in-house", "外包−自有", signed=True),
            _column("interval", "Interval", "区间", show="interval"),
        ],
        rows=_rows(study.sourcing.swings, "swing own out gap", interval="gap"),
        note=_source(study),
    )


def staffing_table(study: CostStudy) -> Block | None:
    """Permanent teams of three sizes over last year's months of work."""
    if isinstance(study.sourcing, MissingData) or not study.sourcing.staffing:
        return None
    return table(
        "costs.staffing",
        title=Sentence(
            "How many people for the peak? Last year's field work, done again by teams of other sizes"
        ),
        subtitle=Sentence(
            "Hours beyond the team's practical capacity go to partners month by month at their cost an hour; last year's months, without an interval"
        ),
        columns=[
            _column("name", "Permanent team", "固定团队", wide=True),
            _column("heads", "People", "人数"),
            _column("own", "Own cost", "自有成本"),
            _column("out", "Partners", "外包成本"),
            _column("cost", "Together", "合计"),
            _column("unused", "Unused hours", "未用工时", places=0),
        ],
        rows=_rows(study.sourcing.staffing, "name heads own out cost unused"),
        note=Sentence("Source: staff, ledger, tickets."),
    )


def provision_table(study: CostStudy) -> Block:
    """The roll-forward by product line with the claims expected."""
    provision = study.provision
    if isinstance(provision, MissingData):
        return _absent("costs.provision", provision, Text(en="Warranty provision", zh="质保金"))
    keys = ("opening", "accrued", "utilised", "adjusted", "closing", "accrual_rate", "claims_rate")
    rows = [
        Row(cells={"line": line.line, **{key: line.amounts[key] for key in keys}}) for line in provision.lines
    ]
    rows.append(
        Row(
            cells={"line": provision.total.line, **{key: provision.total.amounts[key] for key in keys}},
            role="total",
        )
    )
    return table(
        "costs.provision",
        title=Sentence("The warranty provision over twelve months"),
        subtitle=Sentence("Opening + accrued − utilised ± adjusted = closing; rates on product sales"),
        columns=[
            _column("line", "Product line", "产品线", wide=True),
            _column("opening", "Opening", "期初"),
            _column("accrued", "Accrued", "计提"),
            _column("utilised", "Utilised", "使用"),
            _column("adjusted", "Adjusted", "调整"),
            _column("closing", "Closing", "期末"),
            _column("accrual_rate", "Accrual rate", "计提率", places=2),
            _column("claims_rate", "Claims rate", "索赔率", places=2),
        ],
        rows=rows,
        note=Sentence(
            "Source: provision table and orders; twelve months to {month}.", {"month": study.month}
        ),
    )


def coverage_table(study: CostStudy) -> Block | None:
    """Closing balance against the claims expected."""
    provision = study.provision
    if isinstance(provision, MissingData):
        return None
    lines = (*provision.lines, provision.total)
    return table(
        "costs.coverage",
        title=Sentence("Does the balance cover the claims of machines still under warranty?"),
        subtitle=Sentence(_CLAIMS_BASIS[provision.bridge is not None]),
        columns=[
            _column("line", "Product line", "产品线", wide=True),
            _column("closing", "Closing balance", "期末余额"),
            _column("expected", "Claims expected", "预计索赔"),
            _column("limits", "Interval", "区间", show="interval"),
            _column("coverage", "Covered", "覆盖率"),
            _column("range", "Interval", "区间", show="interval"),
        ],
        rows=[
            Row(
                cells={
                    "line": line.line,
                    "closing": line.amounts["closing"],
                    "expected": line.expected,
                    "limits": line.expected,
                    "coverage": line.coverage,
                    "range": line.coverage,
                },
                role="total" if line is provision.total else "body",
            )
            for line in lines
        ],
        note=_coverage_note(provision),
    )


_CLAIMS_BASIS = {
    True: "Failures expected until the warranties end, each at the claims booked a warranty failure in the last twelve months",
    False: "Claims expected at the cost a unit-month of the last two years, for the warranty that is left",
}


def _coverage_note(provision: Provision) -> Sentence:
    """How the claims expected relate to the failure section's figure, or why they are not its forecast."""
    bridge = provision.bridge
    if bridge is None:
        return Sentence(
            "From claims experience, held constant over the warranty; where machines wear out the claims are higher than shown. The forecast of failures: {reason}.",
            {"reason": provision.no_forecast or Text(en="absent", zh="缺失")},
        )
    values: dict[str, Value] = {
        "failures": bridge.failures,
        "direct": bridge.direct,
        "each": bridge.per_failure,
    }
    template = "The failure section states the direct cost of the same {failures}: {direct}. The provision pays more, {each}, because returns, exchanges and visits without a fault are claims too."
    if bridge.at_past_rate.value is None:
        return Sentence(template, values)
    return Sentence(
        template
        + " At the claims a unit-month of the last two years, as if machines did not age, it would be {past}.",
        values | {"past": bridge.at_past_rate},
    )
