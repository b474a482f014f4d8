"""The cost study: where the after-sales cost comes from, what it ties to, and why it moved.

Reads monthly aggregates from the engine and returns facts; the arithmetic stands in the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.params.cost_tree import UNALLOCATED
from analysis.periods import Month
from analysis.results import Check, Fact, Finding, Sentence

if TYPE_CHECKING:
    import pandas as pd

CENT = Decimal("0.01")
HISTORY_MONTHS = 25
AGAINST = {"previous_month": 1, "year_before": 12}
NOT_TRACED = "not_traced"


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """A cost beside the one it is compared with: ``cost``, ``base``, ``change`` and ``rate`` (None where base is absent)."""

    against: str
    cost: Fact
    base: Fact
    change: Fact
    rate: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class TieOut:
    """The ledger beside the general ledger, month by month and, where the control totals name accounts, account by account."""

    ledger: tuple[Fact, ...]
    control: tuple[Fact, ...]
    difference: tuple[Fact, ...]
    accounts: tuple[tuple[Fact, Fact, Fact], ...]
    status: str  # tied_out | within_tolerance | refused | no_control_totals


@dataclass(frozen=True, kw_only=True, eq=False)
class Slice:
    """One slice of the month's cost and what it is compared with."""

    dimension: str
    value: str
    label: Text
    cost: Fact
    share: Fact
    previous: Fact
    change: Fact
    year_before: Fact
    year_change: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Bridge:
    """Effects on the change of cost against another month; they add up to ``change`` to the cent."""

    against: str
    base: Fact
    cost: Fact
    change: Fact
    effects: tuple[tuple[Text, Fact], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class CostStudy:
    """What the cost notebook shows. Totals are accounting figures: exact, without an interval."""

    month: Month
    total: Fact
    comparisons: tuple[Comparison, ...]
    history: tuple[Fact, ...]
    unit_costs: tuple[Fact, ...]
    cost_rates: tuple[Fact, ...]
    labour_shares: tuple[Fact, ...]
    ratios: tuple[Fact, ...]
    composition: Mapping[str, tuple[Slice, ...]]
    category_history: Mapping[str, tuple[Fact, ...]]
    tie_out: TieOut
    bridges: tuple[Bridge, ...]
    budget: tuple[Fact, Fact] | None
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]


def study(inputs: StudyInputs) -> CostStudy:
    """The cost decomposition of one month.

    Raises
    ------
    MissingData
        Without a ledger there is no cost to decompose. Everything else that is absent (orders, control totals, budget)
        is said where it is missed.
    """
    inputs.engine.require("ledger.amount")
    months = [inputs.month - back for back in range(HISTORY_MONTHS - 1, -1, -1)]
    history = tuple(_facts_by_month(inputs, "after_sales_cost", months))
    total = history[-1]
    comparisons = tuple(_comparison(inputs, total, against, back) for against, back in AGAINST.items())
    composition = {dimension: _composition(inputs, dimension, total) for dimension in ("category", "product_line", "region", "ticket_type", "tracing")}
    tied = tie_out(inputs, months[-13:])
    budget = _budget(inputs, total)
    bridges = tuple(bridge for against, back in AGAINST.items() if (bridge := _bridge(inputs, against, back)) is not None)
    labour_shares = tuple(_facts_by_month(inputs, "labour_share", months))
    return CostStudy(
        month=inputs.month,
        total=total,
        comparisons=comparisons,
        history=history,
        unit_costs=tuple(_facts_by_month(inputs, "service_unit_cost", months)),
        cost_rates=tuple(_facts_by_month(inputs, "after_sales_cost_rate", months)),
        labour_shares=labour_shares,
        ratios=tuple(inputs.engine.fact(metric, period=inputs.month) for metric in _RATIOS),
        composition=composition,
        category_history=_category_history(inputs, months),
        tie_out=tied,
        bridges=bridges,
        budget=budget,
        findings=(
            *_tie_out_findings(inputs, tied),
            *_movement_findings(comparisons, bridges),
            *_labour_findings(inputs, labour_shares[-1]),
            *_budget_findings(inputs, budget),
            *_unallocated_findings(inputs, composition["category"]),
        ),
        checks=(_tie_out_check(inputs, tied), _unallocated_check(inputs, composition["category"]), _bridge_check(bridges)),
    )


_RATIOS = (
    "after_sales_cost_rate", "service_unit_cost", "labour_share", "automation_rate", "compensation_share", "direct_cost_share",
    "complaint_cost_total", "rework_cost_total",
)


# -- totals and comparisons ------------------------------------------------------------------------------------------


def _facts_by_month(inputs: StudyInputs, metric: str, months: Sequence[Month]) -> list[Fact]:
    return [inputs.engine.fact(metric, period=month) for month in months]


def _comparison(inputs: StudyInputs, cost: Fact, against: str, back: int) -> Comparison:
    base = inputs.engine.fact("after_sales_cost", period=inputs.month - back, dimensions=cost.dimensions)
    change, rate = _change(inputs, cost, base, {**cost.dimensions, "against": against})
    return Comparison(against=against, cost=cost, base=base, change=change, rate=rate)


def _change(inputs: StudyInputs, cost: Fact, base: Fact, dimensions: Mapping[str, str]) -> tuple[Fact, Fact]:
    """Change and relative change as facts; a base that is not there is said, not taken for zero."""
    engine, month = inputs.engine, inputs.month
    if cost.value is None or base.value is None:
        reason = Text(en=f"not computed: no cost to compare with in {base.period}", zh=f"未计算：{base.period} 无可比成本")
        missing = [engine.stated(metric, period=month, value=None, reason=reason, dimensions=dimensions) for metric in ("cost_change", "cost_change_rate")]
        return missing[0], missing[1]
    difference = cost.value - base.value  # type: ignore[operator]
    change = engine.stated("cost_change", period=month, value=difference, dimensions=dimensions, sources=("ledger",))
    if base.value <= 0:
        reason = Text(en="not computed: the base is not positive", zh="未计算：基数非正")
        return change, engine.stated("cost_change_rate", period=month, value=None, reason=reason, dimensions=dimensions)
    rate = engine.stated(
        "cost_change_rate", period=month, value=difference / base.value, numerator=difference, denominator=base.value,
        dimensions=dimensions, sources=("ledger",),
    )
    return change, rate


def _composition(inputs: StudyInputs, dimension: str, total: Fact) -> tuple[Slice, ...]:
    """Slices of the month's cost along one dimension, largest first. They add up to the total to the cent."""
    engine, month = inputs.engine, inputs.month
    frames = {back: _amounts(inputs, dimension, month - back) for back in (0, 1, 12)}
    values = sorted(frames[0], key=lambda value: (-frames[0][value], value))
    values += sorted(value for value in frames[1] if value not in frames[0])
    slices = []
    for value in values:
        place = {dimension: value}
        cost, previous, before = (
            engine.ratio("after_sales_cost", frames[back].get(value, Decimal(0) if frames[back] else None), None, period=month - back, dimensions=place)
            for back in (0, 1, 12)
        )
        share = engine.stated(
            "category_cost_share", period=month, value=cost.value / total.value if cost.value is not None and total.value else None,  # type: ignore[operator]
            numerator=cost.value, denominator=total.value, dimensions=place, sources=("ledger",),
            reason=None if total.value else Text(en="not computed: no cost", zh="未计算：无成本"),
        )
        change, _ = _change(inputs, cost, previous, {**place, "against": "previous_month"})
        year_change, _ = _change(inputs, cost, before, {**place, "against": "year_before"})
        slices.append(
            Slice(
                dimension=dimension, value=value, label=engine.registry.value_label(dimension, value), cost=cost, share=share,
                previous=previous, change=change, year_before=before, year_change=year_change,
            )
        )
    return tuple(slices)


def _amounts(inputs: StudyInputs, dimension: str, month: Month) -> dict[str, Decimal]:
    frame = inputs.engine.aggregate("incurred_cost", by=(dimension,), period=month)
    return {value: amount for value, amount in zip(frame[dimension], frame["incurred_cost"], strict=True) if amount is not None}


def _category_history(inputs: StudyInputs, months: Sequence[Month]) -> dict[str, tuple[Fact, ...]]:
    """Cost by category over the months, the categories of the largest sum first."""
    frame = inputs.engine.aggregate("incurred_cost", by=("category",), period=Period(months[0], months[-1]))
    cells = {(row.category, row.month): row.incurred_cost for row in frame.itertuples() if row.incurred_cost is not None}
    covered = set(frame["month"])
    sums: dict[str, Decimal] = {}
    for (category, _), amount in cells.items():
        sums[category] = sums.get(category, Decimal(0)) + amount
    return {
        category: tuple(
            inputs.engine.ratio("after_sales_cost", cells.get((category, str(month)), Decimal(0)), None, period=month, dimensions={"category": category})
            for month in months
            if str(month) in covered
        )
        for category in sorted(sums, key=lambda name: (-sums[name], name))
    }


# -- tie-out ---------------------------------------------------------------------------------------------------------


def tie_out(inputs: StudyInputs, months: Sequence[Month]) -> TieOut:
    """Ledger minus control total for each month and, for the report month, each account.

    Zero to the cent is tied out. A difference within ``tie_out_tolerance`` is a failed check; beyond it the pack is refused.
    """
    engine, month = inputs.engine, inputs.month
    ledger = tuple(engine.fact("after_sales_cost", period=each) for each in months)
    control = tuple(engine.fact("gl_after_sales_cost", period=each) for each in months)
    if control[-1].value is None and _account_totals(inputs):
        control = (*control[:-1], _sum_of_accounts(inputs, month))
    difference = tuple(_difference(inputs, ours, theirs) for ours, theirs in zip(ledger, control, strict=True))
    gap = difference[-1].value
    if gap is None:
        status = "no_control_totals"
    elif gap == 0:
        status = "tied_out"
    else:
        status = "within_tolerance" if abs(gap) <= inputs.params.tie_out_tolerance else "refused"
    return TieOut(ledger=ledger, control=control, difference=difference, accounts=_accounts(inputs), status=status)


def _sum_of_accounts(inputs: StudyInputs, month: Month) -> Fact:
    """The control total where the general ledger gives accounts only: their sum."""
    return inputs.engine.stated(
        "gl_after_sales_cost", period=month, value=sum(_account_totals(inputs).values(), Decimal(0)), sources=("gl_totals",)
    )


def _difference(inputs: StudyInputs, ours: Fact, theirs: Fact) -> Fact:
    engine, dimensions = inputs.engine, ours.dimensions
    if ours.value is None or theirs.value is None:
        reason = (theirs if theirs.value is None else ours).reason
        return engine.stated("ledger_gl_difference", period=ours.period, value=None, reason=reason, dimensions=dimensions)
    return engine.stated(
        "ledger_gl_difference", period=ours.period, value=ours.value - theirs.value, dimensions=dimensions, sources=("ledger", "gl_totals")  # type: ignore[operator]
    )


def _account_totals(inputs: StudyInputs) -> dict[str, Decimal]:
    try:
        frame = inputs.engine.aggregate("gl_account_cost", by=("account",), period=inputs.month)
    except MissingData:
        return {}
    return {account: amount for account, amount in zip(frame["account"], frame["gl_account_cost"], strict=True) if amount is not None}


def _accounts(inputs: StudyInputs) -> tuple[tuple[Fact, Fact, Fact], ...]:
    """(ledger, control, difference) by account for the report month; empty where the control totals name no account."""
    control = _account_totals(inputs)
    if not control:
        return ()
    ledger = _amounts(inputs, "account", inputs.month)
    lines = []
    for account in sorted(control.keys() | ledger.keys()):
        place = {"account": account}
        ours = inputs.engine.ratio("after_sales_cost", ledger.get(account, Decimal(0)), None, period=inputs.month, dimensions=place)
        theirs = inputs.engine.ratio("gl_account_after_sales_cost", control.get(account, Decimal(0)), None, period=inputs.month, dimensions=place)
        lines.append((ours, theirs, _difference(inputs, ours, theirs)))
    return tuple(lines)


# -- bridge and budget -----------------------------------------------------------------------------------------------


def _bridge(inputs: StudyInputs, against: str, back: int) -> Bridge | None:
    """Volume, mix and cost a ticket for what is traced to tickets; capacity and period costs beside them."""
    from analysis.costs.bridge import bridge_by, cost_bridge

    cost = inputs.engine.fact("after_sales_cost", period=inputs.month)
    base = inputs.engine.fact("after_sales_cost", period=inputs.month - back)
    if cost.value is None or base.value is None:
        return None
    table = bridge_by(cost_bridge(_bridge_cells(inputs, inputs.month - back), _bridge_cells(inputs, inputs.month)))
    effects = tuple(
        (
            inputs.engine.registry.value_label("driver", driver),
            inputs.engine.stated(
                "cost_bridge_effect", period=inputs.month, value=effect, dimensions={"driver": driver, "against": against}, sources=("ledger", "tickets")
            ),
        )
        for driver, effect in zip(table["driver"], table["effect"], strict=True)
    )
    change, _ = _change(inputs, cost, base, {"against": against})
    return Bridge(against=against, base=base, cost=cost, change=change, effects=effects)


def _bridge_cells(inputs: StudyInputs, month: Month) -> pd.DataFrame:
    """One row per category, product line and ticket type: cost traced to tickets with their number; the rest without a driver."""
    import pandas as pd

    engine, cell = inputs.engine, ["product_line", "ticket_type"]
    cost = engine.aggregate("incurred_cost", by=("category", "tracing", *cell), period=month)
    traced = cost["tracing"] == "direct"
    direct = cost[traced].groupby(["category", *cell], as_index=False)["incurred_cost"].sum()
    held = cost[~traced].groupby("category", as_index=False)["incurred_cost"].sum().assign(product_line=NOT_TRACED, ticket_type=NOT_TRACED)
    tickets = engine.aggregate("service_orders", by=tuple(cell), period=month)[[*cell, "service_orders"]]
    # a ticket cell that cost nothing this month still counts in volume and mix
    silent = tickets.merge(direct[cell].drop_duplicates(), on=cell, how="left", indicator=True, validate="one_to_one")
    silent = silent.loc[silent["_merge"] == "left_only", cell].assign(category=UNALLOCATED, incurred_cost=Decimal("0.00"))
    driven = pd.concat([direct, silent], ignore_index=True).merge(tickets, on=cell, how="left", validate="many_to_one")
    driven = driven.assign(behaviour="variable", tickets=driven["service_orders"].astype(float).fillna(0.0))
    held = held.assign(behaviour="period", tickets=float("nan"))
    columns = ["category", *cell, "incurred_cost", "tickets", "behaviour"]
    return pd.concat([driven[columns], held[columns]], ignore_index=True).rename(columns={"incurred_cost": "cost"})


def _budget(inputs: StudyInputs, total: Fact) -> tuple[Fact, Fact] | None:
    """Budget and variance of the month; None where there is no budget for it."""
    budget = inputs.engine.fact("budget_cost", period=inputs.month)
    if budget.value is None or total.value is None:
        return None
    variance = inputs.engine.stated("budget_variance", period=inputs.month, value=total.value - budget.value, sources=("ledger", "budget"))  # type: ignore[operator]
    return budget, variance


# -- findings --------------------------------------------------------------------------------------------------------


def _tie_out_findings(inputs: StudyInputs, tied: TieOut) -> list[Finding]:
    if tied.status != "within_tolerance" and tied.status != "refused":
        return []
    off = [(ours, theirs, gap) for ours, theirs, gap in tied.accounts if gap.value]
    template = "The after-sales ledger and the general ledger differ by {difference:exact} in {month}."
    values: dict[str, Fact | Month | str] = {"difference": tied.difference[-1], "month": inputs.month}
    if off:
        template = "The after-sales ledger and the general ledger differ by {difference:exact} in {month}; account {account} differs by {gap:exact}."
        largest = max(off, key=lambda line: abs(line[2].value or 0))
        values |= {"account": largest[2].dimensions["account"], "gap": largest[2]}
    return [
        Finding(
            id="costs.tie_out", section="costs", severity="alert", statement=Sentence(template, values),
            method="Ledger minus control total, to the cent", evidence=_account_evidence(off), rank=1e12,
        )
    ]


def _account_evidence(lines: Sequence[tuple[Fact, Fact, Fact]]) -> pd.DataFrame | None:
    if not lines:
        return None
    import pandas as pd

    return pd.DataFrame(
        [{"account": gap.dimensions["account"], "ledger": ours.value, "general_ledger": theirs.value, "difference": gap.value} for ours, theirs, gap in lines]
    )


def _movement_findings(comparisons: Sequence[Comparison], bridges: Sequence[Bridge]) -> list[Finding]:
    """What moved and by which effect most; a plain statement of accounting totals, so no test is needed."""
    findings = []
    for comparison in comparisons:
        bridge = next((b for b in bridges if b.against == comparison.against), None)
        if comparison.change.value is None or comparison.rate.value is None or bridge is None or not bridge.effects:
            continue
        label, effect = max(bridge.effects, key=lambda entry: abs(entry[1].value or 0))
        findings.append(
            Finding(
                id=f"costs.moved_{comparison.against}", section="costs", severity="info",
                statement=Sentence(_MOVED[comparison.against], {"cost": comparison.cost, "rate": comparison.rate, "change": comparison.change, "effect": effect, "name": label}),
                method="Shapley effects of the cost bridge; they add up to the change", rank=float(abs(comparison.change.value)),
            )
        )
    return findings


_MOVED = {
    "previous_month": "After-sales cost was {cost}, {change:word|up|down|unchanged} {rate:abs} ({change:signed}) on the previous month. The largest effect was {name:lower} ({effect:signed}).",
    "year_before": "Against the same month a year before, after-sales cost {change:word|rose|fell|did not change} by {rate:abs} ({change:signed}). The largest effect was {name:lower} ({effect:signed}).",
}


def _labour_findings(inputs: StudyInputs, share: Fact) -> list[Finding]:
    """Labour share above (not at) the limit; read with the automation rate."""
    limit = inputs.assumptions.value("labour_share_limit", on=inputs.month.last_day)
    if share.value is None or share.value <= limit:
        return []
    line = inputs.engine.stated("labour_share_limit", period=inputs.month, value=limit)
    automation = inputs.engine.fact("automation_rate", period=inputs.month)
    return [
        Finding(
            id="costs.labour_share", section="costs", severity="alert",
            statement=Sentence("Labour is {share} of after-sales cost, above the limit of {limit}; the automation rate is {automation}.", {"share": share, "limit": line, "automation": automation}),
            method="Exact comparison of an accounting ratio with the limit", rank=float(share.value),
        )
    ]


def _budget_findings(inputs: StudyInputs, budget: tuple[Fact, Fact] | None) -> list[Finding]:
    if budget is None or not budget[1].value or budget[1].value <= 0:
        return []
    driver = _budget_driver(inputs)
    template, values = "After-sales cost was {variance} over the budget of {budget}.", {"variance": budget[1], "budget": budget[0]}
    if driver is not None:
        template = "After-sales cost was {variance} over the budget of {budget}; {category:lower} contributed most ({part:signed})."
        values |= {"category": driver[0], "part": driver[1]}  # type: ignore[dict-item]
    return [
        Finding(
            id="costs.over_budget", section="costs", severity="watch", statement=Sentence(template, values),
            method="Cost minus budget of the month", rank=float(budget[1].value),
        )
    ]


def _budget_driver(inputs: StudyInputs) -> tuple[Text, Fact] | None:
    """The category with the largest overrun; None where the budget has no categories of ours."""
    frame = inputs.engine.aggregate("budgeted_cost", by=("category",), period=inputs.month)
    planned = dict(zip(frame["category"], frame["budgeted_cost"], strict=True))
    spent = _amounts(inputs, "category", inputs.month)
    overruns = {category: amount - planned[category] for category, amount in spent.items() if planned.get(category) is not None}
    if not overruns or max(overruns.values()) <= 0:
        return None
    category = max(overruns, key=lambda name: (overruns[name], name))
    place = {"category": category}
    fact = inputs.engine.stated("budget_variance", period=inputs.month, value=overruns[category], dimensions=place, sources=("ledger", "budget"))
    return inputs.engine.registry.value_label("category", category), fact


def _unallocated_findings(inputs: StudyInputs, categories: Sequence[Slice]) -> list[Finding]:
    line = _unallocated(categories)
    if line is None or not line.cost.value:
        return []
    rows = inputs.engine.query(
        f"SELECT account, cost_center, count(*) AS postings, sum(amount) AS amount FROM cost WHERE category = '{UNALLOCATED}' "
        f"AND {Period.of(inputs.month).condition()} GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return [
        Finding(
            id="costs.unallocated", section="costs", severity="watch",
            statement=Sentence("{cost} of after-sales cost ({share}) is on accounts that the account map does not know; it is shown as unallocated.", {"cost": line.cost, "share": line.share}),
            method="Postings without a category and without a rule in params/cost_tree.yml", evidence=rows, rank=float(abs(line.cost.value)),
        )
    ]


def _unallocated(categories: Sequence[Slice]) -> Slice | None:
    return next((line for line in categories if line.value == UNALLOCATED), None)


# -- checks ----------------------------------------------------------------------------------------------------------


def _tie_out_check(inputs: StudyInputs, tied: TieOut) -> Check:
    """``ledger_tied_out``: passed at zero, failed otherwise, blocking beyond the tolerance; information without control totals."""
    values = {"ledger": tied.ledger[-1], "control": tied.control[-1], "difference": tied.difference[-1], "month": inputs.month}
    match tied.status:
        case "tied_out":
            return Check(
                id="ledger_tied_out", outcome="passed",
                sentence=Sentence("The ledger of {month} ties out to the general ledger to the cent: {ledger:exact}.", values),
            )
        case "no_control_totals":
            return Check(
                id="ledger_tied_out", outcome="info",
                sentence=Sentence("Not tied out: there is no control total of the general ledger for {month} (gl_totals, measure after_sales_cost).", values),
            )
    return Check(
        id="ledger_tied_out", outcome="failed", blocking=tied.status == "refused",
        sentence=Sentence("The ledger of {month} does not tie out: ledger {ledger:exact}, general ledger {control:exact}, difference {difference:exact}.", values),
    )


def _unallocated_check(inputs: StudyInputs, categories: Sequence[Slice]) -> Check:
    line = _unallocated(categories)
    if line is None or not line.cost.value:
        return Check(id="cost_categories", outcome="passed", sentence=Sentence("Every posting of {month} has a cost category.", {"month": inputs.month}))
    return Check(
        id="cost_categories", outcome="info",
        sentence=Sentence("{cost:exact} of {month} is unallocated ({share}).", {"cost": line.cost, "share": line.share, "month": inputs.month}),
    )


def _bridge_check(bridges: Sequence[Bridge]) -> Check:
    """The law of the bridge, checked on the numbers that are printed."""
    for bridge in bridges:
        if sum((fact.value for _, fact in bridge.effects), Decimal(0)) != bridge.change.value:  # type: ignore[misc]
            return Check(id="bridge_adds_up", outcome="failed", blocking=True, sentence=Sentence("The effects of the cost bridge do not add up to the change."))
    return Check(id="bridge_adds_up", outcome="passed", sentence=Sentence("The effects of the cost bridge add up to the change to the cent."))
