"""Exhibits of the cost section: result in, block out, no arithmetic beyond layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.costs.allocation_facts import Allocated
from analysis.costs.bridge_facts import Bridge
from analysis.costs.cost_study import CostStudy
from analysis.costs.figures import size
from analysis.costs.hindsight import REMAINING, TOTAL, NoHindsight
from analysis.costs.outlook import Outlook
from analysis.costs.provision_facts import Provision
from analysis.costs.savings_facts import RegisteredMeasure
from analysis.costs.shops_facts import (
    DIFFERENCES,
    IN_TIME,
    NAMES,
    RATE,
    SATISFIED,
    ShopLine,
    ShopTable,
    names_of,
)
from analysis.costs.yields import Profit
from analysis.exhibits.cost_comebacks import comebacks_month_table as comebacks_month_table
from analysis.exhibits.cost_comebacks import comebacks_table as comebacks_table
from analysis.exhibits.cost_demand import case_amounts_table as case_amounts_table
from analysis.exhibits.cost_demand import demand_table as demand_table
from analysis.exhibits.cost_demand import shop_shifts_table as shop_shifts_table
from analysis.exhibits.cost_demand import yearly_table as yearly_table
from analysis.exhibits.figures import figure
from analysis.exhibits.key_figures import tiles
from analysis.exhibits.record import Absent, Block
from analysis.exhibits.specification import (
    Field,
    beside,
    change,
    change_line,
    count,
    entry,
    estimate,
    group,
    indented,
    interval,
    label,
    level_head,
    level_line,
    metric,
    registry,
    right_of,
    row_of,
    statement,
    table_of,
    tile,
    words,
)
from analysis.exhibits.statements import callout, facts_block, not_computed
from analysis.exhibits.tables import with_content
from analysis.exhibits.vocabulary import Row, phrase
from analysis.formats import short_period
from analysis.locale import Text
from analysis.locale.lengths import of_length
from analysis.metrics import NotDone
from analysis.periods import AGAINST, Month, Period
from analysis.results import Fact, Sentence, Value

COST = "after_sales_cost"
TIED_MONTHS = 6  # and every earlier month that is off
_TITLES = {
    "category": "Largest category: {largest:lower}, {share} of after-sales cost",
    "product_line": "Cost by product line, where the posting or its ticket names one",
    "region": "Cost by region, where the posting or its ticket names one",
    "ticket_type": "Cost by ticket type, where the posting carries a ticket",
    "channel": "Cost by sales channel, where the posting names one",
    "team": "Cost by team, where the posting or its ticket names one",
    "tracing": "How the cost can be traced: to tickets, to pools, or neither",
}


def _source(study: CostStudy, *, window: bool = False) -> Sentence:
    """Where the figures come from, and of which period; those of a window of their own end with its last month."""
    period = study.month if window else study.period
    return Sentence("Source: after-sales ledger, incurred basis; {month}.", {"month": period})


def _absent(id: str, what: NotDone, name: str) -> Block:
    return not_computed(what, id=id, what=Text.of(name))


def _short(period: Period) -> Text:
    return Text(en=short_period(period, "en"), zh=short_period(period, "zh"))


def _said(message: str, study: CostStudy) -> str:
    """A message as it is said of the period that is reported."""
    return of_length(message, study.period.months)


def _known(facts: tuple[Fact, ...]) -> list[Fact]:
    return [fact for fact in facts if fact.value is not None]


# ---------------------------------------------------------------- what it cost


def cost_tiles(study: CostStudy) -> Block:
    """Total, cost rate, unit cost and labour share with their last months."""
    changes = [
        change_line("cost_change_rate", comparison.rate, against=comparison.against)
        for comparison in study.comparisons
    ]
    total = tile(COST, study.total, history=study.history[-13:], comparisons=changes)
    others: tuple[tuple[str, tuple[Fact, ...]], ...] = (
        ("after_sales_cost_rate", study.cost_rates),
        ("service_unit_cost", study.unit_costs),
        ("labour_share", study.labour_shares),
    )
    return tiles(
        "costs.headlines", [total, *(_level_tile(study.period, id, history) for id, history in others)]
    )


def _level_tile(period: Period, id: str, history: tuple[Fact, ...]) -> Any:
    levels = [
        level_line(id, history[-1 - back // period.months], against=against)
        for against, back in AGAINST[period.months].items()
    ]
    return tile(id, history[-1], history=history[-13:], comparisons=levels)


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
                {"month": tied.told[0]},
            ),
        )
    accounts = [line for line in tied.accounts if line[2].value]
    title = (
        "The ledger ties out to the general ledger to the cent"
        if tied.status == "tied_out"
        else "The ledger differs from the general ledger by {difference:exact}"
    )
    columns = [
        words("period", "Month"),
        metric(COST, of="ledger", head="After-sales ledger", scale="exact"),
        metric(
            "gl_after_sales_cost",
            "gl_account_after_sales_cost",
            of="control",
            head="General ledger",
            scale="exact",
        ),
        metric("ledger_gl_difference", of="difference", head="Difference", scale="exact"),
    ]
    return table_of(
        "costs.tie_out",
        title=Sentence(title, {"difference": tied.told[3]}),
        subtitle=Sentence("After-sales cost on the incurred basis, by month"),
        columns=columns,
        rows=[_tied(line, columns) for line in _tied_months(study)]
        + ([_tied(tied.whole, columns, whole=study.period)] if tied.whole else [])
        + [_tied(line, columns, by=("account",)) for line in accounts],
        note=_source(study),
    )


def _tied_months(study: CostStudy) -> list[tuple[Fact, Fact, Fact]]:
    tied = study.tie_out
    known = [
        line
        for line in zip(tied.ledger, tied.control, tied.difference, strict=True)
        if line[0].value is not None
    ]
    # above a sum stand the months that it is of
    shown = TIED_MONTHS if study.period.months == 1 else study.period.months
    return [line for line in known[:-shown] if line[2].value] + known[-shown:]


def _tied(
    line: tuple[Fact, Fact, Fact], columns: list[Field], by: tuple[str, ...] = (), whole: Period | None = None
) -> Row:
    """One month, the sum of a period of several, or one account of it."""
    ours, theirs, gap = line
    account = phrase("Account {account}", account=gap.dimensions.get("account", ""))
    period: Text | Month = account if by else _short(whole) if whole else Month.parse(ours.period)
    cells = {"period": period, "ledger": ours, "control": theirs, "difference": gap}
    return row_of(
        cells, columns, by=by, tone="bad" if gap.value else None, role="subtotal" if whole else "body"
    )


def composition_table(study: CostStudy, dimension: str) -> Block:
    """The period's cost by slice, its share, and its change on the period before and on the year before, of a year once; totals ruled."""
    slices = study.composition[dimension]
    # the year before, which of a year is the period before
    earlier = list(
        zip(("previous", "year_before"), ("change", "year_change"), study.comparisons, strict=False)
    )
    largest = slices[0] if slices and dimension == "category" else None
    values: dict[str, Value] = {"largest": largest.label, "share": largest.share} if largest else {}
    return table_of(
        f"costs.by_{dimension}",
        title=Sentence(_TITLES[dimension], values),
        subtitle=Sentence("After-sales cost of {month} on the incurred basis", {"month": study.period}),
        rows=slices,
        by=(dimension,),
        columns=[
            label(dimension, key="slice"),
            metric(COST, of="cost", head=_said("This month", study), period=str(study.period)),
            metric("category_cost_share", of="share", head="Share"),
            *(
                field
                for level, moved, one in earlier
                for field in (
                    metric(COST, of=level, head=level_head(one.against), period=one.base.period),
                    change("cost_change", of=moved, against=one.against),
                )
            ),
        ],
        total={"cost": study.total}
        | {level: one.base for level, _, one in earlier}
        | {moved: one.change for _, moved, one in earlier},
        note=_source(study),
    )


_SIDES = (("product_line", "region", "ticket_type"), ("team", "channel", "tracing"))


def slices_table(study: CostStudy) -> Block:
    """The month's cost by slice of several dimensions, side by side; the slices of each dimension add up to the total."""
    (left, lacking_left), (right, lacking_right) = (
        with_content([row for dimension in side for row in _slice_rows(study, dimension)]) for side in _SIDES
    )
    columns = _slice_columns(study, None)
    whole = {"cost": study.total, "year_change": study.comparisons[-1].change}
    total = row_of(
        {"slice": Text.of("Total of each group"), **whole},
        columns,
        by=(*_SIDES[0], *_SIDES[1]),
        role="total",
        over_all=True,
    )
    return table_of(
        "costs.slices",
        title=Sentence("Where the cost arises, dimension by dimension"),
        subtitle=Sentence(
            "After-sales cost of {month} on the incurred basis, where the posting or its ticket names one",
            {"month": study.period},
        ),
        columns=[*columns, *right_of(columns)],
        rows=[*beside(left, right), total],
        note=_source(study),
        without=[*lacking_left, *lacking_right],
    )


def _slice_columns(study: CostStudy, dimension: str | None) -> list[Field]:
    return [
        label(dimension, key="slice") if dimension else words("slice", "Slice", wide=True),
        metric(COST, of="cost", head=_said("This month", study)),
        metric("category_cost_share", of="share", head="Share"),
        change("cost_change", of="year_change", against=study.comparisons[-1].against),
    ]


def _slice_rows(study: CostStudy, dimension: str) -> list[Row]:
    """The name of a dimension, then its slices."""
    columns = _slice_columns(study, dimension)
    rows = [row_of(line, columns, by=(dimension,), indent=1) for line in study.composition[dimension]]
    return [group(_SERVES.get(dimension, registry().dimension_name(dimension)), columns), *rows]


# Two channels are no one dimension: postings name the one that is served, orders the one by which the customer came.
_SERVES = {"channel": Text.of("Sales channel")}
_CAME_BY = {"channel": Text.of("Contact channel")}


_RATIOS = (
    "labour_share",
    "automation_rate",
    "compensation_share",
    "direct_cost_share",
    "complaint_cost_total",
    "rework_cost_total",
)


def ratio_table(study: CostStudy) -> Block:
    """The month's cost on every base, and its ratios."""
    bases = [fact.metric for fact in study.unit_costs_by]
    left = [
        words("name", "After-sales cost", key="base", wide=True),
        metric(*bases, of="fact", key="cost", head="Value"),
        metric(*bases, of="fact", key="number", head="Base", show="denominator", places=0),
    ]
    right = [
        words("name", "Ratio or amount", key="metric", wide=True),
        metric(*_RATIOS, of="fact", key="value", head="Value"),
        interval(*_RATIOS, of="doubt"),
    ]
    (bases_known, no_base), (ratios, no_ratio) = (
        with_content([row_of(_named(fact), columns) for fact in facts])
        for facts, columns in (
            (study.unit_costs_by, left),
            ([fact for fact in study.ratios if fact.metric in _RATIOS], right),
        )
    )
    return table_of(
        "costs.ratios",
        title=Sentence("Unit costs and ratios of {month}", {"month": study.period}),
        subtitle=Sentence(
            _said(
                "Base: what the cost of the month is divided by. Ratios of accounting totals are exact; rates of tickets have an interval",
                study,
            )
        ),
        columns=[*left, *right],
        rows=beside(bases_known, ratios, suffix=""),
        note=_source(study),
        without=[*no_base, *no_ratio],
    )


def _named(fact: Fact) -> dict[str, Any]:
    """A metric as a line: its name in the registry, its fact, and the fact again where it has an interval."""
    return {"name": registry()[fact.metric].name, "fact": fact, "doubt": fact if fact.interval else None}


# ---------------------------------------------------------------- why it moved


def bridge_figures(study: CostStudy) -> list[Block]:
    """A waterfall for each period that the cost is held against."""
    return [bridge_figure(study, against) for against in study.bridges]


def bridge_figure(study: CostStudy, against: str) -> Block:
    """The change in cost as a waterfall whose steps add up exactly."""
    from analysis.exhibits.charts import Item, waterfall

    bridge = study.bridges[against]
    if isinstance(bridge, NotDone):
        return callout(
            f"costs.bridge_{against}",
            tone="info",
            title=Sentence(_said("No cost bridge: the month to compare with has no cost.", study)),
        )
    base, month = bridge.before, study.period
    if not bridge.effects:
        same = Sentence(
            "No cost bridge: every driver of cost was in {month} what it was in {base}.",
            {"month": month, "base": base},
        )
        return callout(f"costs.bridge_{against}", tone="info", title=same)
    (largest, effect), (along, most) = bridge.largest, bridge.along
    values: dict[str, Value] = {
        "change": bridge.change,
        "base": base,
        "month": month,
        "largest": largest,
        "effect": effect,
    }
    contrary = most is not effect
    return figure(
        f"costs.bridge_{against}",
        title=Sentence(
            "Cost {change:word|rose|fell|did not change} by {change:abs} from {base} to {month}: {along:lower} {most:signed}, against it {largest:lower} {effect:signed}"
            if contrary
            else "Cost {change:word|rose|fell|did not change} by {change:abs} from {base} to {month}; largest effect: {largest:lower}",
            values | ({"along": along, "most": most} if contrary else {}),
        ),
        subtitle=Sentence("Effects on after-sales cost; they add up to the change to the cent"),
        foot=_source(study),
        alt=Sentence(
            "Waterfall from the cost of {base} to the cost of {month}; the largest step is {largest:lower} with {effect:signed}.",
            values,
        ),
        draw=waterfall(
            Item(name=_short(base), fact=bridge.base),
            [Item(name=name, fact=fact) for name, fact in bridge.effects],
            Item(name=_short(month), fact=bridge.cost),
            measure=registry()[COST].name,
            by=registry().dimension_name("driver"),
        ),
    )


def category_history_figure(study: CostStudy, *, top: int = 6) -> Block:
    """Cost by category over the last months; small categories together would hide what they are, so only the largest are drawn."""
    from analysis.exhibits.charts import Series, composition

    series = [
        Series(
            name=registry().value_label("category", category),
            points=[(Month.parse(fact.period), fact) for fact in facts],
        )
        for category, facts in list(study.category_history.items())[:top]
    ]
    largest = study.composition["category"][0]
    values: dict[str, Value] = {"largest": largest.label, "cost": largest.cost, "month": study.period}
    return figure(
        "costs.category_history",
        title=Sentence("{largest} is the largest category: {cost} in {month}", values),
        subtitle=Sentence(
            _said(
                "After-sales cost by category and month: the largest categories; the table by category has all of them for this month",
                study,
            )
        ),
        foot=_source(study),
        alt=Sentence(
            "Cost by category over the last months; the largest in {month} is {largest:lower} with {cost}.",
            values,
        ),
        draw=composition(series, measure=registry()[COST].name),
    )


def drill_table(study: CostStudy) -> Block | None:
    """Both bridges opened by category: the largest parts of their effects, and below each its largest effect opened level by level."""
    bridges = [bridge for bridge in study.bridges.values() if isinstance(bridge, Bridge)]
    if not bridges:
        return None
    columns = [
        words("category", "Category", wide=True),
        words("driver", "Effect, or level opened"),
        change("cost_bridge_effect", of="effect", head="Change in cost", places=0),
    ]
    rows: list[Row] = []
    opened = False
    for bridge in bridges:
        rows.append(group(Text.of(_AGAINST[bridge.against]), columns))
        lines: list[Any] = []
        for line in sorted(bridge.by_category, key=lambda line: -size(line.effect))[:4]:
            lines.append(line)
            if bridge.drill and line.effect.dimensions == bridge.drill[0].effect.dimensions:
                # the first level is the category itself
                opened = opened or len(bridge.drill) > 1
                lines += [
                    {
                        "category": indented(step.value, depth),
                        "driver": registry().dimension_name(_LEVELS.get(step.level, step.level)),
                        "effect": step.effect,
                    }
                    for depth, step in enumerate(bridge.drill[1:], start=1)
                ]
        rows += [row_of(line, columns, by=("against", "category")) for line in lines]
    return table_of(
        "costs.drill",
        title=Sentence("Which category moved, and by what"),
        subtitle=Sentence(
            "Largest parts of the change; the largest of a comparison is opened level by level, and each level is named beside it"
            if opened
            else "Largest parts of the change"
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
    )


_AGAINST = {
    "previous_month": "Against the previous month",
    "year_before": "Against the year before",
    "previous_quarter": "Against the previous quarter",
    "quarter_year_before": "Against the same quarter a year before",
    "previous_year": "Against the previous year",
}
_LEVELS = {"resource": "team"}  # what the bridge calls a resource is a team on the page


# ---------------------------------------------------------------- budget, expense, profit


def expense_table(study: CostStudy) -> Block:
    """From incurred cost to the expense of the profit and loss."""
    lines = study.expense
    if isinstance(lines, NotDone):
        return _absent("costs.expense", lines, "Expense of the profit and loss")
    return table_of(
        "costs.expense",
        title=Sentence(
            "From incurred cost to the expense of {month}: {expense}",
            {"month": study.period, "expense": lines.expense},
        ),
        subtitle=Sentence("Every posting stands in one line only, by its basis"),
        columns=statement(scale="exact"),
        rows=[
            entry(COST, lines.incurred, "Incurred, recoveries deducted"),
            entry("provision_posted_utilised", lines.utilised, "Provision utilised"),
            entry("provision_posted_accrued", lines.accrued, "Provision accrued"),
            entry("provision_posted_adjusted", lines.adjusted, "Provision adjusted"),
            entry("after_sales_expense", lines.expense, "After-sales expense", role="total"),
            entry("operating_cost_outside", lines.outside, "Other operating cost"),
            entry("operating_cost_total", lines.operating_cost, role="total"),
        ],
        note=_source(study),
    )


def budget_figure(study: CostStudy) -> Block | None:
    """Budget to actual by category, as a waterfall."""
    from analysis.exhibits.charts import Item, waterfall

    if isinstance(study.budget, NotDone):
        return callout(
            "costs.budget",
            tone="info",
            title=Sentence("No budget for {month}: table budget.", {"month": study.period}),
            instead_of=Absent(Text.of("Budget"), study.budget.reason),
        )
    budget, variance = study.budget.budget, study.budget.variance
    values: dict[str, Value] = {"variance": variance, "budget": budget, "month": study.period}
    steps = [Item(name=line.name, fact=line.variance) for line in study.budget.lines if line.variance.value]
    subtitle = "Variance by category; planned tickets are not stated, so volume is not told apart"
    if not isinstance(study.flexed, NotDone):
        subtitle = "First what {actual} instead of the {planned} planned change on categories that move with tickets; then the variance left, by category"
        values |= {"actual": study.flexed.actual, "planned": study.flexed.planned}
        steps = [Item(name=registry().value_label("driver", "volume"), fact=study.flexed.volume)]
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
            Item(name=Text.of("Budget"), fact=budget),
            steps,
            Item(name=_short(study.period), fact=study.total),
            measure=registry()[COST].name,
            by=registry().dimension_name("category"),
        ),
    )


def profitability_table(study: CostStudy) -> Block | None:
    """Service revenue, cost, result and margin."""
    if isinstance(study.profitability, NotDone):
        return _absent("costs.profitability", study.profitability, "Service profitability")
    if not study.profitability:
        return _absent("costs.profitability", NO_SERVICE_SOLD, "Service profitability")
    return table_of(
        "costs.profitability",
        title=Sentence("What service earns on what it costs"),
        subtitle=Sentence(
            "Service revenue of {month} minus the after-sales cost that names the slice; what names none stands as not stated, so no slice bears its part of it",
            {"month": study.period},
        ),
        columns=_profit_columns(None),
        rows=_profit_rows(study.profitability),
        note=_source(study),
    )


NO_SERVICE_SOLD = NotDone(reason=Text.of("no order of the period is for a service (orders.order_type)"))


def _profit_columns(dimension: str | None) -> list[Field]:
    return [
        label(dimension, key="slice") if dimension else words("name", "Slice", key="slice", wide=True),
        metric("service_revenue", of="revenue"),
        metric(COST, of="cost"),
        metric("service_profit", of="profit", signed=True),
        metric("service_margin", of="margin"),
    ]


def _profit_rows(profits: Sequence[Profit]) -> list[Row]:
    """Slices under the name of their dimension, the whole last."""
    rows: list[Row] = []
    shown: list[str] = []
    for line in profits:
        dimension = next(iter(line.revenue.dimensions), "")
        if not dimension:
            rows.append(row_of(line, _profit_columns(None), by=shown, role="total", over_all=True))
            continue
        columns = _profit_columns(dimension)
        if dimension not in shown:
            rows.append(group(registry().dimension_name(dimension), columns))
            shown.append(dimension)
        rows.append(row_of(line, columns, by=(dimension,)))
    return rows


# ---------------------------------------------------------------- keys and capacity


def sensitivity_table(study: CostStudy) -> Block:
    """Unit cost of a product line under the rules and under each key alone."""
    shared = study.allocated
    if isinstance(shared, NotDone):
        return _absent("costs.keys", shared, "Allocation keys")
    keys = [
        metric(
            "unit_cost_under_key",
            of=f"by_key.{key}",
            head=registry().value_label("key", key),
            slice={"key": key},
            places=0,
        )
        for key in shared.keys
    ]
    return table_of(
        "costs.keys",
        title=Sentence("What the choice of key decides: cost per ticket by product line"),
        subtitle=Sentence(
            "Rules: each pool by its own driver (params/cost_tree.yml). Then every shared cost by one key alone; keys move cost between lines, never the total"
        ),
        rows=shared.lines,
        by=("product_line",),
        columns=[
            label("product_line", key="line"),
            metric("after_sales_cost", of="direct", head="Direct"),
            metric("line_allocated_cost", of="allocated", head="Allocated"),
            metric("line_unit_cost", of="unit_cost", key="rules", head="Rules", places=0),
            *keys,
        ],
        note=_unallocated_note(shared),
    )


def _unallocated_note(shared: Allocated) -> Sentence:
    """What is left, with its reason where it is a single pool; several have a table of their own."""
    if not shared.unallocated.value:
        return Sentence("All shared cost is spread over product lines.")
    if len(shared.left) != 1:
        return Sentence(
            "{left:exact} of shared cost has no rule or driver and is spread to no product line.",
            {"left": shared.unallocated},
        )
    line = shared.left[0]
    return Sentence(
        "{left:exact} of shared cost is spread to no product line: {pool:lower} ({reason}).",
        {"left": shared.unallocated, "pool": line.pool, "reason": line.reason},
    )


def unallocated_table(study: CostStudy) -> Block | None:
    """Pools that no rule or driver reaches, whole, with the reason."""
    shared = study.allocated
    if isinstance(shared, NotDone) or len(shared.left) < 2:
        return None
    return table_of(
        "costs.unallocated_pools",
        title=Sentence("What is spread to no product line: {left:exact}", {"left": shared.unallocated}),
        subtitle=Sentence(
            "Shared cost without a rule or a driver in {month}; it is not spread", {"month": study.period}
        ),
        rows=shared.left,
        columns=[
            words("pool", "Pool", wide=True),
            words("reason", "Why", wide=True),
            metric("shared_cost_unallocated", of="amount", head="Amount", scale="exact"),
        ],
        note=_source(study),
    )


def capacity_table(study: CostStudy) -> Block:
    """Teams with their capacity, use and unused cost."""
    capacity = study.capacity
    if isinstance(capacity, NotDone):
        return _absent("costs.capacity", capacity, "Capacity")
    return table_of(
        "costs.capacity",
        title=Sentence(
            "{unused} of {cost} of capacity was not used",
            {"unused": capacity.unused_cost, "cost": capacity.cost},
        ),
        subtitle=Sentence(
            "In-house teams in {month}; practical capacity is {share} of paid hours. Work beyond it shows as negative unused cost",
            {"month": study.period, "share": capacity.practical_share},
        ),
        rows=capacity.teams,
        by=("team",),
        columns=[
            label("team"),
            metric("capacity_cost", of="cost", head="Cost"),
            metric("capacity_cost_rate", of="rate", head="Cost per hour", places=2),
            metric(
                "practical_hours", of="practical_hours", key="practical", head="Practical hours", places=0
            ),
            metric("used_hours", of="used_hours", key="used", places=0),
            metric("capacity_utilisation", of="utilisation", key="use", head="Used", context="capacity"),
            metric("unused_capacity_cost", of="unused_cost", key="unused", head="Unused cost"),
        ],
        total={
            "cost": capacity.cost,
            "practical_hours": capacity.practical_hours,
            "used_hours": capacity.used_hours,
            "unused_cost": capacity.unused_cost,
        },
        note=Sentence(
            "Blank: teams are costed each at its own rate, and their hours cannot stand in for each other's. Source: staff and tickets; {month}.",
            {"month": study.period},
        ),
    )


def activity_table(study: CostStudy) -> Block | None:
    """Time cost by ticket type, product line, region, channel and segment; unused capacity below."""
    capacity = study.capacity
    if isinstance(capacity, NotDone):
        return None
    columns = [
        words("name", "Cost object", key="object", wide=True),
        metric(
            "activity_cost", "used_capacity_cost", "unused_capacity_cost", "capacity_cost", of="fact",
            key="cost", head="Cost",
        ),
    ]  # fmt: skip
    sides: tuple[list[Row], list[Row]] = ([], [])
    for dimension, lines in capacity.by_object.items():
        side = sides[0 if dimension in ("ticket_type", "region") else 1]
        side.append(group(_CAME_BY.get(dimension, registry().dimension_name(dimension)), columns))
        named = [label(dimension, key="object"), columns[1]]
        side += [row_of({"fact": fact}, named, by=(dimension,), indent=1) for _, fact in lines]
    (left, lacking_left), (right, lacking_right) = (with_content(side) for side in sides)
    used = {"name": Text.of("Used time, each grouping"), "fact": capacity.used_cost}
    unused = {"name": Text.of("Cost of unused capacity"), "fact": capacity.unused_cost}
    supplied = {"name": Text.of("Capacity supplied"), "fact": capacity.cost}
    return table_of(
        "costs.activities",
        title=Sentence("What the used time cost, by what it was used for"),
        subtitle=Sentence(
            "Time at the cost rate of the team; unused capacity is its own line and is never spread. Time: {times}",
            {"times": capacity.times},
        ),
        columns=[*columns, *right_of(columns)],
        rows=[
            *beside(left, right),
            row_of(used, columns, role="subtotal"),
            row_of(unused, columns),
            row_of(supplied, columns, role="total"),
        ],
        note=Sentence("Source: staff and tickets; {month}.", {"month": study.period}),
        without=[*lacking_left, *lacking_right],
    )


# ---------------------------------------------------------------- outlook


def forecast_figure(study: CostStudy) -> Block:
    """The ledger and twelve months ahead."""
    from analysis.exhibits.charts import Series, fan

    outlook = study.outlook
    if isinstance(outlook, NotDone):
        return _absent("costs.forecast", outlook, "Forecast")
    values: dict[str, Value] = {"sum": outlook.sums["total"]}
    actual = [(Month.parse(fact.period), fact) for fact in _known(study.monthly)]
    return figure(
        "costs.forecast",
        title=Sentence("The next twelve months are expected to cost {sum} ({sum:interval})", values),
        subtitle=Sentence("After-sales cost by month; band: interval of each single month"),
        foot=_source(study, window=True),
        alt=Sentence(
            "History of the monthly cost and its forecast for twelve months; the sum is {sum}.", values
        ),
        draw=fan(
            Series(name=Text.of("Actual"), points=actual),
            Series(name=Text.of("Forecast"), points=list(outlook.total), role="expected"),
            measure=registry()[COST].name,
        ),
    )


def forecast_table(study: CostStudy) -> Block | None:
    """The year against its budget, last month's forecast against the actual, categories, and the backtest."""
    outlook = study.outlook
    if isinstance(outlook, NotDone):
        return None
    columns = statement(interval=True)
    year = outlook.year
    title = Sentence("The year and the categories")
    if year is not None:
        title = Sentence(
            "The year heads for {expected} ({expected:interval}) against a budget of {budget}; chance of exceeding it, in {chance:n} simulated years: {chance}{chance:doubt}",
            {"expected": year.expected, "budget": year.budget, "chance": year.chance_over},
        )
    return table_of(
        "costs.outlook",
        title=title,
        subtitle=Sentence(
            "Categories are reconciled so that they add up to the total; an unusual month of a category enters at what was expected of it."
        ),
        columns=columns,
        rows=[*_year_rows(outlook, columns), *_ahead_rows(outlook, columns), *_again_rows(outlook, columns)],
        note=_source(study, window=True),
    )


def _year_rows(outlook: Outlook, columns: list[Field]) -> list[Row]:
    year = outlook.year
    if year is None:
        return []
    return [
        group(Text.of("This year"), columns),
        entry(COST, year.booked, "Booked so far"),
        entry("year_cost_expected", year.expected, "Expected for the year", interval=True),
        entry("budget_cost", year.budget, "Budget of the year"),
    ]


def _ahead_rows(outlook: Outlook, columns: list[Field]) -> list[Row]:
    rows = [
        entry(
            "forecast_cost",
            fact,
            _part_name(part),
            interval=True,
            role="total" if part == TOTAL else "body",
            slice={"category": part},
        )
        for part, fact in outlook.sums.items()
    ]
    return [group(Text.of("Next twelve months by category"), columns), *rows]


def _again_rows(outlook: Outlook, columns: list[Field]) -> list[Row]:
    """This month as it would have been forecast, where no edition's forecast can be held against it."""
    if outlook.again is None or not isinstance(outlook.hindsight, NoHindsight):
        return []
    forecast, actual = outlook.again
    return [
        group(Text.of("This month: what this method would have said a month ago"), columns),
        entry("last_forecast_cost", forecast, "Forecast", interval=True),
        entry(COST, actual, "Actual"),
    ]


def _part_name(part: str) -> Text:
    names = {REMAINING: "All other categories", TOTAL: "Total"}
    return Text.of(names[part]) if part in names else registry().value_label("category", part)


def hindsight_table(study: CostStudy) -> Block | None:
    """The last edition's forecast against the actual; in words where there is none to hold against it."""
    outlook = study.outlook
    if isinstance(outlook, NotDone):
        return None
    found = outlook.hindsight
    if isinstance(found, NoHindsight):
        return callout(
            "costs.hindsight",
            tone="watch" if found.doubt else "info",
            title=Sentence("The last edition’s forecast against the actual: not shown"),
            body=found.reason,
        )
    columns = [
        words("month", "Month"),
        words("name", "Cost", key="part", wide=True),
        metric("issued_forecast_cost", of="line.forecast", head="Forecast"),
        interval("issued_forecast_cost", of="line.forecast"),
        metric("issued_forecast_actual", of="line.actual", head="Actual"),
        change("issued_forecast_error", of="line.error", head="Error"),
        words("verdict", "Actual lies"),
    ]
    rows = [
        row_of(
            {
                "line": line,
                "month": line.month,
                "name": _part_name(line.part),
                "verdict": Text.of("inside") if line.inside else Text.of("outside"),
            },
            columns,
            by=() if line.part == TOTAL else ("category",),
            role="subtotal" if line.part == TOTAL else "body",
        )
        for line in found.promises
    ]
    return table_of(
        "costs.hindsight",
        title=Sentence(
            "Of {covered:denominator} forecasts in the edition of {issued}, {covered:numerator} held the actual inside their interval",
            {"covered": found.covered, "issued": found.issued},
        ),
        subtitle=Sentence(
            "Forecast as issued against cost as booked today; error: forecast − actual, of the actual"
        ),
        columns=columns,
        rows=rows,
        note=_source(study, window=True),
    )


def forecast_facts(study: CostStudy) -> Block | None:
    """The forecast of each category and month, kept for the next edition to be held against; nothing is shown."""
    if isinstance(study.outlook, NotDone):
        return None
    return facts_block("costs.forecast_parts", study.outlook.parts)


def backtest_table(study: CostStudy) -> Block | None:
    """How the candidates did on the past."""
    outlook = study.outlook
    if isinstance(outlook, NotDone) or not outlook.backtest:
        return None
    chosen = next((line.candidate for line in outlook.backtest if line.chosen), None)
    name = registry().value_label("candidate", chosen) if chosen else Text.of("None")
    return table_of(
        "costs.backtest",
        title=Sentence("Chosen on its own past: {name:lower}", {"name": name}),
        subtitle=Sentence(
            "Forecast anew from each starting point of the past and held against what came; errors of neighbouring ones overlap. Scaled error below one beats repeating last year. Coverage: months inside the {coverage:level} interval of their forecast before it was widened",
            {"coverage": outlook.backtest[0].coverage},
        ),
        rows=outlook.backtest,
        by=("candidate",),
        columns=[
            label("candidate"),
            metric("backtest_mase", of="mase", head="Scaled error", places=2),
            interval("backtest_mase", of="mase", key="mase_interval", places=2),
            metric("backtest_coverage", of="coverage", head="Coverage"),
            interval("backtest_coverage", of="coverage", key="coverage_interval"),
            count("backtest_mase", of="mase", head="Starting points"),
        ],
        note=_source(study, window=True),
    )


def unusual_table(study: CostStudy) -> Block | None:
    """Months outside trend and season, with the category that drove them."""
    outlook = study.outlook
    if isinstance(outlook, NotDone) or not outlook.unusual:
        return None
    return table_of(
        "costs.unusual",
        title=Sentence("Months outside what tickets, trend and season explain"),
        subtitle=Sentence(
            "Individuals chart of each series, last two years; limits never come from the months under suspicion. Where nothing happens, about one report in twenty names a month. Expected with the season: a finding on a surge knows tickets and trend alone, so its sum differs a little"
        ),
        rows=outlook.unusual,
        columns=[
            words("month", "Month"),
            words("series", "Cost"),
            metric(COST, of="cost", key="booked", head="Actual"),
            change("unusual_cost", of="gap", head="Beyond expected"),
            interval("unusual_cost", of="gap", key="gap_interval"),
            metric("unusual_limit", of="low", head="Lower limit", slice={"limit": "low"}),
            metric("unusual_limit", of="high", head="Upper limit", slice={"limit": "high"}),
            words("driver", "Mostly in", wide=True),
            change("unusual_cost", of="part", head="Of which"),
            interval("unusual_cost", of="part", key="part_interval"),
        ],
        note=_source(study, window=True),
    )


# ---------------------------------------------------------------- measures


def _judged(study: CostStudy) -> list[RegisteredMeasure]:
    return [measure for measure in study.measures if not isinstance(measure.result, NotDone)]


def _measures_table(
    study: CostStudy, id: str, *, title: Sentence, subtitle: Sentence, columns: list[Field]
) -> Block:
    return table_of(
        id,
        title=title,
        subtitle=subtitle,
        rows=_judged(study),
        by=("measure",),
        columns=[words("entry.name", "Measure", wide=True), *columns],
        note=Sentence("Source: tickets, staff, ledger and params/interventions.yml."),
    )


def measures_table(study: CostStudy) -> Block:
    """The action log: registered measures, expected against realised."""
    if not _judged(study):
        return callout(
            "costs.measures",
            tone="info",
            title=Sentence("No registered measure can be judged yet: params/interventions.yml."),
            instead_of=Absent(
                Text.of("Measures"),
                Text.of("a registered measure that can be judged: params/interventions.yml"),
            ),
        )
    return _measures_table(
        study,
        "costs.measures",
        title=Sentence("What measures promised and what came"),
        subtitle=Sentence(
            "Savings at constant volume and mix, against a comparison group without the measure; from its start to {month}",
            {"month": study.month},
        ),
        columns=[
            words(_owner, "Owner", key="owner"),
            words(_since, "Since", key="start"),
            words("verdict", "Verdict", wide=True),
            words("kind", "Kind", wide=True),
            estimate("saving_expected", of="facts.expected", places=1),
            estimate("saving_realised", "capacity_freed", of="facts.saving", head="Realised", places=1),
        ],
    )


def _owner(measure: RegisteredMeasure) -> Text:
    return registry().value_label("owner", measure.entry.owner)


def _since(measure: RegisteredMeasure) -> Month:
    return Month(measure.entry.starts.year, measure.entry.starts.month)


def measures_worth_table(study: CostStudy) -> Block | None:
    """What each measure was worth, and the plausibility line: money saved ÷ tickets avoided."""
    if not _judged(study):
        return None
    return _measures_table(
        study,
        "costs.measures_worth",
        title=Sentence("What the measures were worth"),
        subtitle=_worth(study),
        columns=[
            words("kind", "Kind", wide=True),
            metric("measure_cost", of="facts.cost", head="Outlay", places=1),
            estimate("cost_saving_rate", of="facts.rate", head="Saving rate, whole slice"),
            estimate("cost_residual_ratio", of="facts.residual", places=1),
            estimate("measure_net_present_value", of="facts.npv", head="Net present value", places=1),
            estimate("measure_payback", of="facts.payback", head="Payback", places=1),
        ],
    )


def _worth(study: CostStudy) -> Sentence:
    """What the rates are of, and over how long and at what rate the value is counted."""
    judged = _judged(study)
    horizons = {m.result.horizon_months for m in judged if not isinstance(m.result, NotDone)}
    span = sorted({min(horizons), max(horizons)})
    months = phrase("{number} months", number="–".join(str(months) for months in span))
    template = _WORTH_IN_PART if any(measure.reached for measure in judged) else _WORTH
    return Sentence(template, {"months": months, "rate": judged[0].facts["discount"]})


_VALUED = "Net present value and payback over {months} from the start, discounted at {rate} per year"
_WORTH = (
    f"The value of capacity freed is notional, too. Rates are of the whole slice as registered. {_VALUED}"
)
_WORTH_IN_PART = f"The value of capacity freed is notional, too. Rates are of the whole slice as registered; a finding may speak of the part that a measure could reach, whose rate is another. {_VALUED}"


def measures_plausible_table(study: CostStudy) -> Block | None:
    """The plausibility line of each measure: money saved ÷ tickets avoided, beside what a ticket cost before."""
    if not _judged(study):
        return None
    return _measures_table(
        study,
        "costs.measures_plausible",
        title=Sentence("Whether that is plausible: saving per ticket avoided"),
        subtitle=Sentence(
            "Tickets avoided since the start; below zero, more came than were to be expected. The cost without the measure is that of what the measure is judged on: {bases}. A saving per ticket avoided above it would mean that something else fell too",
            {"bases": _bases(study)},
        ),
        columns=[
            estimate("events_avoided", of="facts.avoided", places=0),
            estimate("saving_per_event_avoided", of="facts.per_event", places=0),
            estimate("measure_unit_cost", of="facts.unit_before", places=0),
        ],
    )


def _bases(study: CostStudy) -> Text:
    """What the cost per ticket of each measure is the cost of: postings of a category, or hours at the wage."""
    judged = dict.fromkeys((m.entry.where.get("category", ""), m.entry.ticket_type) for m in _judged(study))
    return Text.joined(_basis(category, kind) for category, kind in sorted(judged))


def _basis(category: str, ticket_type: str) -> Text:
    """Hours or a category's postings, per ticket of the type judged on; of any type where none is named."""
    what = {"category": registry().value_label("category", category)} if category else {}
    if not ticket_type:
        return (
            phrase("{category:lower} posted per ticket", **what)
            if what
            else Text.of("hours at the wage per ticket")
        )
    kind = registry().value_label("ticket_type", ticket_type)
    if what:
        return phrase("{category:lower} posted per ticket ({kind:lower})", kind=kind, **what)
    return phrase("hours at the wage per ticket ({kind:lower})", kind=kind)


def measures_doubt(study: CostStudy) -> list[Block]:
    """Measures that began after a peak."""
    return [
        callout(
            f"costs.peak_{measure.entry.id}",
            tone="watch",
            title=Sentence(
                "“{name}” began after a peak: part of the fall would have come by itself.",
                {"name": measure.entry.name},
            ),
        )
        for measure in study.measures
        if not isinstance(measure.peak, NotDone) and measure.peak.warning
    ]


# ---------------------------------------------------------------- in-house or outsourced


def sourcing_table(study: CostStudy) -> Block:
    """Full cost of both options and the break-even volume."""
    sourcing = study.sourcing
    if isinstance(sourcing, NotDone):
        return _absent("costs.sourcing", sourcing, "In-house against outsourced")
    whole = sourcing.components[-1]
    known = [fact for fact in sourcing.break_evens if fact.value is not None]
    evens = dict(zip(("even", "next"), known, strict=False))
    minimum = {"minimum": sourcing.minimum} if sourcing.minimum.value is not None else {}
    own, out = {"sourcing": "in_house"}, {"sourcing": "outsourced"}
    columns = [
        words("name", "Line", key="line", wide=True),
        metric("sourcing_cost", of="own", head="In-house", slice=own),
        metric("sourcing_cost_per_ticket", of="own_each", head="Per ticket", slice=own, places=0),
        metric("sourcing_cost", of="out", head="Outsourced", slice=out),
        metric("sourcing_cost_per_ticket", of="out_each", head="Per ticket", slice=out, places=0),
    ]
    return table_of(
        "costs.sourcing",
        title=Sentence(
            "Work costs {own} in-house and {out} outsourced", {"own": whole.own_each, "out": whole.out_each}
        ),
        subtitle=Sentence(
            _MINIMUM[bool(minimum)],
            minimum
            | {
                "own": sourcing.own_repairs,
                "out": sourcing.out_repairs,
                "repair": registry().value_label("ticket_type", "repair"),
            },
        ),
        columns=columns,
        rows=[
            row_of(line, columns, by=("component",), role="total" if line.role == "total" else "body")
            for line in sourcing.components
        ],
        note=Sentence(f"{_BREAK_EVEN[len(evens)]} {_SOURCED}", evens or {"even": sourcing.break_evens[0]}),
    )


_BREAK_EVEN = (
    "Break-even volume: {even}.",
    "In-house and outsourced cost the same at {even} per month ({even:interval}).",
    "In-house and outsourced cost the same at {even} and at {next} per month.",
)
_SOURCED = "Source: staff, ledger, tickets; training shared by heads, leavers replaced at the assumed cost of replacement and months until a new one is up to speed. Poor quality is charged to whoever did the work that did not hold, and so is the work of repeating it where the other does it, at the pay or fee of whoever does it."
_MINIMUM = {
    True: "Own teams whose tickets are mostly of the kind “{repair:lower}”, and service partners; sums of the last twelve months. The two do not get the same work ({own} of the tickets in-house are of that kind, {out} outsourced), so not all of the gap can be saved. The contract bills at least {minimum} per month",
    False: "Own teams whose tickets are mostly of the kind “{repair:lower}”, and service partners; sums of the last twelve months. The two do not get the same work ({own} of the tickets in-house are of that kind, {out} outsourced), so not all of the gap can be saved. A minimum of the contract is not stated, so none is assumed",
}


def swing_table(study: CostStudy) -> Block | None:
    """Cost of both options when volume swings."""
    if isinstance(study.sourcing, NotDone):
        return None
    own, out = {"sourcing": "in_house"}, {"sourcing": "outsourced"}
    return table_of(
        "costs.swings",
        title=Sentence("What a swing of volume does to each option"),
        subtitle=Sentence(
            "Cost per month, each around its own usual volume ({usual} per month in-house), by its cost line of the last two years (pay or fee and poor quality; training and turnover stand in the full cost alone); the two were not given the same work",
            {"usual": study.sourcing.usual},
        ),
        rows=study.sourcing.swings,
        by=("swing",),
        columns=[
            change("volume_swing", of="swing", head="Swing"),
            metric("sourcing_month_cost", of="own", head="In-house", slice=own),
            interval("sourcing_month_cost", of="own", key="own_cost_range", slice=own),
            metric("sourcing_month_cost_per_ticket", of="own_each", head="Per ticket", slice=own, places=0),
            interval("sourcing_month_cost_per_ticket", of="own_each", key="own_range", slice=own, places=0),
            metric("sourcing_month_cost", of="out", head="Outsourced", slice=out),
            interval("sourcing_month_cost", of="out", key="out_cost_range", slice=out),
            metric("sourcing_month_cost_per_ticket", of="out_each", head="Per ticket", slice=out, places=0),
            interval("sourcing_month_cost_per_ticket", of="out_each", key="out_range", slice=out, places=0),
        ],
        note=_source(study, window=True),
    )


def staffing_table(study: CostStudy) -> Block | None:
    """Permanent teams of several sizes over the last twelve months of work."""
    if isinstance(study.sourcing, NotDone) or not study.sourcing.staffing:
        return None
    parts = {"own": "in_house_cost", "out": "outsourced_cost", "cost": "cost"}
    heads = {"own": "Own cost", "out": "Partners", "cost": "Together"}
    return table_of(
        "costs.staffing",
        title=Sentence(
            "How many people for the peak? The work of the last twelve months, done again by teams of other sizes"
        ),
        subtitle=Sentence(
            "Sums of twelve months. Supposes that all own hours can serve any order: what is left beyond the practical capacity of a month goes to partners at their cost per hour. Unused capacity lies within the practical capacity; hours paid and not worked are more. The first line is what was booked. The others have no interval: they are arithmetic on the hours and costs booked in this one year, and say nothing of another"
        ),
        rows=study.sourcing.staffing,
        by=("team_size",),
        columns=[
            words("name", "Permanent team", wide=True),
            metric("staffing_heads", of="heads", head="People"),
            *(
                metric("staffing_cost", of=of, head=heads[of], slice={"component": part})
                for of, part in parts.items()
            ),
            metric("staffing_unused_hours", of="unused", head="Unused capacity", places=0),
        ],
        note=Sentence(
            "In {month} {people} people of these own teams were paid. Source: staff, ledger, tickets.",
            {"month": Month.parse(study.sourcing.people.period), "people": study.sourcing.people},
        ),
    )


# ---------------------------------------------------------------- warranty provision


def provision_table(study: CostStudy) -> Block:
    """The roll-forward by product line with the claims expected."""
    provision = study.provision
    if isinstance(provision, NotDone):
        return _absent("costs.provision", provision, "Warranty provision")
    return table_of(
        "costs.provision",
        title=Sentence(_said("The warranty provision over twelve months", study)),
        subtitle=Sentence(
            "Opening + accrued + utilised (below zero) ± adjusted = closing; rates on the sales of product orders that name a product line"
        ),
        rows=provision.lines,
        by=("product_line",),
        columns=[
            label("product_line", key="line"),
            metric("provision_opening", of="amounts.opening", head="Opening"),
            metric("provision_accrued", of="amounts.accrued", head="Accrued"),
            metric("provision_utilised", of="amounts.utilised", head="Utilised"),
            metric(
                "provision_adjusted", of="amounts.adjusted", head="Adjusted", context="provision", signed=True
            ),
            metric("provision_closing", of="amounts.closing", head="Closing"),
            metric("provision_accrual_rate", of="amounts.accrual_rate", places=2),
            metric("provision_claims_rate", of="amounts.claims_rate", places=2),
        ],
        total=provision.total,
        total_head="All product lines",
        note=_provision_note(study, provision.unnamed_sales),
    )


def _provision_note(study: CostStudy, unnamed: Fact | None) -> Sentence:
    """The source; where product orders name no line, how much the rates leave out."""
    source = "Source: provision table and orders; twelve months to {month}."
    if unnamed is None or not unnamed.value:
        return Sentence(_said(source, study), {"month": study.month})
    left_out = f"Product orders of {{unnamed}} name no product line and are in no rate. {source}"
    return Sentence(_said(left_out, study), {"unnamed": unnamed, "month": study.month})


def coverage_table(study: CostStudy) -> Block | None:
    """Closing balance against the claims expected."""
    provision = study.provision
    if isinstance(provision, NotDone):
        return None
    return table_of(
        "costs.coverage",
        title=Sentence("Does the balance cover the claims of machines still under warranty?"),
        subtitle=Sentence(_CLAIMS_BASIS[provision.bridge is not None]),
        rows=provision.lines,
        by=("product_line",),
        columns=[
            label("product_line", key="line"),
            metric("provision_closing", of="amounts.closing", head="Closing balance"),
            metric("provision_expected_claims", of="expected"),
            interval("provision_expected_claims", of="expected", key="limits"),
            metric("provision_coverage", of="coverage", head="Covered"),
            interval("provision_coverage", of="coverage", key="range"),
        ],
        total=provision.total,
        total_head="All product lines",
        note=_coverage_note(provision),
    )


_CLAIMS_BASIS = {
    True: "Failures expected until the warranties end, each at the claims booked per warranty failure in the last twelve months",
    False: "Claims expected at the cost per unit-month of the last two years, for the warranty that is left",
}


_SAME_FAILURES = "The failure section states the direct cost of the same {failures}{failures:doubt}: {direct}{direct:doubt}. The provision pays more, {each}{each:doubt} over all product lines in the last twelve months, because returns, exchanges and visits without a fault are claims too."
_ALL_FAILURES = "The failure section states the direct cost of {failures}{failures:doubt} of all product lines, with those that have no provision: {direct}{direct:doubt}. The provision pays {each}{each:doubt} over all product lines in the last twelve months; returns, exchanges and visits without a fault are claims too."


def _coverage_note(provision: Provision) -> Sentence:
    """How the claims expected relate to the failure section's figure, or why they are not its forecast."""
    bridge = provision.bridge
    if isinstance(bridge, NotDone):
        return Sentence(
            "From claims experience, held constant over the warranty; where machines wear out the claims are higher than shown. The forecast of failures: {reason}.",
            {"reason": bridge.reason},
        )
    values: dict[str, Value] = {
        "failures": bridge.failures,
        "direct": bridge.direct,
        "each": bridge.per_failure,
    }
    template = _SAME_FAILURES if bridge.same else _ALL_FAILURES
    if bridge.at_past_rate.value is None:
        return Sentence(template, values)
    return Sentence(
        template
        + " At the claims per unit-month of the last two years, as if machines did not age, it would be {past}{past:doubt}.",
        values | {"past": bridge.at_past_rate},
    )


# ---------------------------------------------------------------- shops and platforms


def shops_table(study: CostStudy) -> Block:
    """Shops by platform over twelve months: volume, unit cost, response and satisfaction, each rate against all others together."""
    shops = study.shops
    if isinstance(shops, NotDone):
        return not_computed(shops, id="costs.shops", what=Text.of("Shops compared"), told=False)
    return _shop_table(
        "costs.shops", shops.year, title=_shops_title(shops.year), subtitle=_shops_subtitle(shops.year)
    )


def _shops_subtitle(table: ShopTable) -> Sentence:
    """The span, and how noise is told apart where any rate has some."""
    values: dict[str, Value] = {"first": table.period.first, "month": table.period.last}
    noisy = [fact for metric in NAMES if (fact := table.total.facts.get(metric)) and fact.interval]
    if not noisy:
        return Sentence("From {first} to {month}", values)
    return Sentence(_NOISE, values | {"rate": noisy[0]})


_NOISE = "From {first} to {month}. In brackets {rate:level} intervals, wider where customers or days hang together; differences are to all other shops (of a platform: platforms) together. Better or worse is said only of what chance does not explain over all comparisons together; all else could be noise. Shops do not sell the same, and nothing is adjusted for it"


def shops_month_table(study: CostStudy) -> Block | None:
    """The same of the reported period, without comparisons: a month of one shop is mostly chance. Of a year the first table says it."""
    shops = study.shops
    if isinstance(shops, NotDone) or study.period.months > 3:
        return None
    return _shop_table(
        "costs.shops_month",
        shops.reported,
        title=Sentence("The same shops in {month}", {"month": study.period}),
        subtitle=Sentence(_said("One month is short: read the intervals before the numbers", study)),
    )


def _shops_title(table: ShopTable) -> Sentence:
    """Who stands out beyond chance, or that nobody does."""
    if table.apart:
        return Sentence("Different from the others beyond chance: {names}", {"names": names_of(table.apart)})
    if any(line.gaps for line in table.lines):
        return Sentence("No shop or platform differs from the others beyond chance")
    return Sentence("Shops and platforms side by side")


def _shop_table(id: str, table: ShopTable, *, title: Sentence, subtitle: Sentence) -> Block:
    columns = _shop_columns(table)
    rows: list[Row] = []
    for one in table.groups:
        if one.line is not None:
            rows.append(_shop_row(one.line, columns, role="subtotal"))
        elif one.name is not None:
            rows.append(group(one.name, columns))
        rows += [_shop_row(line, columns, indent=1 if one.name else 0) for line in one.shops]
    rows += [_shop_row(line, columns) for line in (table.smaller, table.unnamed) if line is not None]
    total = _shop_row(table.total, columns, role="total", over=table.by)
    return table_of(
        id,
        title=title,
        subtitle=subtitle,
        columns=columns,
        rows=[*rows, total],
        note=Sentence(_SHARED if table.unnamed else _SHOPS_SOURCE),
    )


_SHOPS_SOURCE = "Source: orders, tickets, surveys and the after-sales ledger, incurred basis."
_SHARED = "The total holds the cost of no shop too, so its unit cost and labour share are no mean of the shops'. Source: orders, tickets, surveys and the after-sales ledger, incurred basis."


def _shop_columns(table: ShopTable) -> list[Field]:
    """The columns of which any line has a fact."""
    every = [*table.lines, table.total]
    known = {metric for line in every for metric in line.facts}
    compared = {metric for line in every for metric in line.gaps}

    def of(metric_id: str, head: str | None = None, **options: Any) -> list[Field]:
        found = [metric(metric_id, of=f"facts.{metric_id}", head=head, **options)]
        return found if metric_id in known else []

    def rate(metric_id: str, head: str, places: int) -> list[Field]:
        shown = of(metric_id, head, show="estimate", places=places)
        difference = DIFFERENCES[metric_id]
        # no colour of its own: what could be noise after all comparisons shall not look like a verdict
        gap = metric(
            difference,
            of=f"gaps.{metric_id}.difference",
            key=difference,
            head="Against other shops",
            show="estimate",
            places=places,
            signed=True,
            better=None,
        )
        return [*shown, *([gap] if metric_id in compared else [])]

    answers = [count(SATISFIED, of=f"facts.{SATISFIED}", head="Answers")] if SATISFIED in known else []
    return [
        words("name", "Shop", key="shop", wide=True),
        *of("customer_orders", "Orders"),
        *of("service_order_count"),
        *rate(RATE, "Ticket rate", 0),
        *of(COST, "Cost"),
        *of("cost_per_thousand_orders", "Unit cost", places=0),
        *of("labour_share", "Labour share", places=0),
        *rate(IN_TIME, "First answers not late", 1),
        *rate(SATISFIED, "Satisfied", 0),
        *answers,
        *([words("verdict", "Beyond chance", wide=True)] if compared else []),
    ]


def _shop_row(
    line: ShopLine, columns: list[Field], *, indent: int = 0, over: Sequence[str] = (), **options: Any
) -> Row:
    cells = {
        "name": indented(line.name, indent),
        "facts": line.facts,
        "gaps": line.gaps,
        "verdict": _verdict(line),
    }
    return row_of(cells, columns, by=over or tuple(line.place), over_all=bool(over), **options)


def _verdict(line: ShopLine) -> Text | None:
    """In what the line is better or worse beyond chance; blank where nothing was compared."""
    if not line.gaps:
        return None
    said = [
        phrase(template, what=Text.joined(NAMES[name] for name in rates))
        for template, rates in (("better: {what}", line.of("better")), ("worse: {what}", line.of("worse")))
        if rates
    ]
    return Text.joined(said, en="; ", zh="；") if said else Text.of("could be noise")
