"""Exhibits of the cost section: result in, block out, no arithmetic beyond layout."""

from __future__ import annotations

from analysis.costs.decomposition import Comparison as CostComparison
from analysis.costs.decomposition import CostStudy, Slice
from analysis.exhibits.blocks import (
    Block,
    Column,
    Comparison,
    Row,
    Tile,
    Tone,
    callout,
    figure,
    table,
    tiles,
)
from analysis.locale import Text
from analysis.periods import Month
from analysis.results import Fact, Sentence

AMOUNT = Text(en="Amount", zh="金额")
_DIMENSION = {
    "category": Text(en="Category", zh="成本类别"),
    "product_line": Text(en="Product line", zh="产品线"),
    "region": Text(en="Region", zh="区域"),
    "ticket_type": Text(en="Ticket type", zh="工单类型"),
    "tracing": Text(en="Tracing", zh="归集方式"),
}
_TITLES = {
    "category": "Largest category: {largest:lower}, {share} of after-sales cost",
    "product_line": "Cost by product line, where the posting or its ticket names one",
    "region": "Cost by region, where the posting or its ticket names one",
    "ticket_type": "Cost by ticket type, where the posting carries a ticket",
    "tracing": "How the cost can be traced: to tickets, to pools, or neither",
}


def _source(study: CostStudy) -> Sentence:
    return Sentence("Source: after-sales ledger, incurred basis; {month}.", {"month": study.month})


def cost_tiles(study: CostStudy) -> Block:
    """Total, cost rate, unit cost and labour share with their last months."""
    by_against = {comparison.against: comparison for comparison in study.comparisons}
    total = Tile(
        label=Text(en="After-sales cost", zh="售后成本"), fact=study.total, history=_known(study.history[-13:]),
        comparisons=[_line(by_against["previous_month"], "Previous month", "上月"), _line(by_against["year_before"], "Year before", "上年同月")],
    )
    names = {"after_sales_cost_rate": ("Cost to revenue", "售后成本率"), "service_unit_cost": ("Cost per ticket", "单张工单成本"), "labour_share": ("Labour share", "人工占比")}
    histories = {"after_sales_cost_rate": study.cost_rates, "service_unit_cost": study.unit_costs, "labour_share": study.labour_shares}
    others = [
        Tile(
            label=Text(en=en, zh=zh), fact=histories[metric][-1], history=_known(histories[metric][-13:]),
            comparisons=[
                Comparison(label=Text(en="Previous month", zh="上月"), value=histories[metric][-2], signed=False),
                Comparison(label=Text(en="Year before", zh="上年同月"), value=histories[metric][-13], signed=False),
            ],
        )
        for metric, (en, zh) in names.items()
    ]
    return tiles("costs.headlines", [total, *others])


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
            "costs.tie_out", tone="watch", title=Sentence("Not tied out"),
            body=Sentence("There is no control total of the general ledger for {month}: table gl_totals, measure after_sales_cost.", {"month": study.month}),
        )
    columns = [
        Column(key="period", label=Text(en="Month", zh="月份")),
        Column(key="ledger", label=Text(en="After-sales ledger", zh="售后台账"), scale="exact"),
        Column(key="control", label=Text(en="General ledger", zh="总账"), scale="exact"),
        Column(key="difference", label=Text(en="Difference", zh="差异"), scale="exact"),
    ]
    lines = [line for line in zip(tied.ledger, tied.control, tied.difference, strict=True) if line[0].value is not None]
    rows = [
        Row(cells={"period": Month.parse(ours.period), "ledger": ours, "control": theirs, "difference": gap}, tone="bad" if gap.value else None)
        for ours, theirs, gap in lines
    ]
    off = [line for line in tied.accounts if line[2].value]
    for ours, theirs, gap in off:
        account = Text(en=f"Account {gap.dimensions['account']}", zh=f"科目 {gap.dimensions['account']}")
        rows.append(Row(cells={"period": account, "ledger": ours, "control": theirs, "difference": gap}, tone="bad"))
    title = "The ledger ties out to the general ledger to the cent" if tied.status == "tied_out" else "The ledger differs from the general ledger by {difference:exact}"
    return table(
        "costs.tie_out", title=Sentence(title, {"difference": tied.difference[-1]}), subtitle=Sentence("After-sales cost on the incurred basis, by month"),
        columns=columns, rows=rows, note=_source(study),
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
        Column(key="year_change", label=Text(en="Change on year", zh="同比变动"), signed=True, better="lower"),
    ]
    rows = [_slice_row(line) for line in slices]
    previous, before = study.comparisons
    rows.append(
        Row(
            cells={"slice": Text(en="Total", zh="合计"), "cost": study.total, "previous": previous.base, "change": previous.change, "year_before": before.base, "year_change": before.change},
            role="total",
        )
    )
    largest = slices[0] if slices else None
    values = {"largest": largest.label, "share": largest.share} if largest and dimension == "category" else {}
    return table(
        f"costs.by_{dimension}", title=Sentence(_TITLES[dimension], values), subtitle=Sentence("After-sales cost of {month} on the incurred basis", {"month": study.month}),
        columns=columns, rows=rows, note=_source(study),
    )


def _slice_row(line: Slice) -> Row:
    return Row(
        cells={
            "slice": line.label, "cost": line.cost, "share": line.share, "previous": line.previous, "change": line.change,
            "year_before": line.year_before, "year_change": line.year_change,
        }
    )


def ratio_table(study: CostStudy) -> Block:
    """The month's ratios with numerator and denominator."""
    names = {
        "after_sales_cost_rate": Text(en="Cost to revenue", zh="售后成本率"),
        "service_unit_cost": Text(en="Cost per ticket", zh="单张工单成本"),
        "labour_share": Text(en="Labour share", zh="人工占比"),
        "automation_rate": Text(en="Automation rate", zh="自动化率"),
        "compensation_share": Text(en="Compensation share", zh="赔偿占比"),
        "direct_cost_share": Text(en="Traced to tickets", zh="直接归集占比"),
        "complaint_cost_total": Text(en="Complaint cost", zh="投诉成本"),
        "rework_cost_total": Text(en="Rework cost", zh="返工成本"),
    }
    columns = [
        Column(key="metric", label=Text(en="Metric", zh="指标"), wide=True),
        Column(key="value", label=Text(en="Value", zh="数值")),
        Column(key="interval", label=Text(en="Interval", zh="区间"), show="interval"),
    ]
    rows = [Row(cells={"metric": names[fact.metric], "value": fact, "interval": fact if fact.interval else None}) for fact in study.ratios]
    return table(
        "costs.ratios", title=Sentence("Ratios of {month}", {"month": study.month}),
        subtitle=Sentence("Ratios of accounting totals are exact; rates of tickets have an interval"), columns=columns, rows=rows, note=_source(study),
    )


def bridge_figure(study: CostStudy, against: str) -> Block:
    """The change in cost as a waterfall whose steps add up exactly."""
    from analysis.exhibits.charts import Item, waterfall

    bridge = next((bridge for bridge in study.bridges if bridge.against == against), None)
    if bridge is None:
        return callout(f"costs.bridge_{against}", tone="info", title=Sentence("No cost bridge: the month to compare with has no cost."))
    base, month = Month.parse(bridge.base.period), study.month
    steps = [Item(name=label, fact=fact) for label, fact in bridge.effects]
    largest, effect = max(bridge.effects, key=lambda entry: abs(entry[1].value or 0))
    values = {"change": bridge.change, "base": base, "month": month, "largest": largest, "effect": effect}
    return figure(
        f"costs.bridge_{against}",
        title=Sentence("Cost {change:word|rose|fell|did not change} by {change:abs} from {base} to {month}; largest effect: {largest:lower}", values),
        subtitle=Sentence("Effects on after-sales cost; they add up to the change to the cent"),
        foot=_source(study),
        alt=Sentence("Waterfall from the cost of {base} to the cost of {month}; the largest step is {largest:lower} with {effect:signed}.", values),
        draw=waterfall(
            Item(name=_month_name(base), fact=bridge.base), steps, Item(name=_month_name(month), fact=bridge.cost),
            measure=Text(en="After-sales cost", zh="售后成本"), by=Text(en="Effect", zh="因素"),
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
        Series(name=labels.get(category, Text.same(category)), points=[(Month.parse(fact.period), fact) for fact in facts])
        for category, facts in list(study.category_history.items())[:top]
    ]
    largest = study.composition["category"][0]
    return figure(
        "costs.category_history",
        title=Sentence("{largest} is the largest category: {cost} in {month}", {"largest": largest.label, "cost": largest.cost, "month": study.month}),
        subtitle=Sentence("After-sales cost by category and month, the largest categories"),
        foot=_source(study),
        alt=Sentence("Cost by category over the last months; the largest in {month} is {largest:lower} with {cost}.", {"largest": largest.label, "cost": largest.cost, "month": study.month}),
        draw=composition(series, measure=Text(en="After-sales cost", zh="售后成本")),
    )


def unit_cost_figure(study: CostStudy) -> Block:
    """Cost per ticket over the last months."""
    from analysis.exhibits.charts import Series, lines

    facts = [fact for fact in study.unit_costs if fact.value is not None]
    if not facts:
        return callout("costs.unit_cost", tone="info", title=Sentence("No cost per ticket: there are no service orders to divide by."))
    first, last = facts[0], facts[-1]
    values = {"last": last, "first": first, "from": Month.parse(first.period), "to": Month.parse(last.period)}
    return figure(
        "costs.unit_cost",
        title=Sentence("A ticket cost {last:exact} in {to}, against {first:exact} in {from}", values),
        subtitle=Sentence("After-sales cost divided by service orders opened in the month"),
        foot=_source(study),
        alt=Sentence("Line of the cost per ticket from {from} to {to}; it ends at {last:exact}.", values),
        draw=lines(
            [Series(name=Text(en="Cost per ticket", zh="单张工单成本"), points=[(Month.parse(fact.period), fact) for fact in facts], role="focus")],
            measure=Text(en="Cost per ticket", zh="单张工单成本"),
        ),
    )
