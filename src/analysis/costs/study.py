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
    from analysis.costs.bridge import cost_bridge

    cost = inputs.engine.fact("after_sales_cost", period=inputs.month)
    base = inputs.engine.fact("after_sales_cost", period=inputs.month - back)
    if cost.value is None or base.value is None:
        return None
    after, before = _bridge_cells(inputs, inputs.month), _bridge_cells(inputs, inputs.month - back)
    result = cost_bridge(before, after)
    effects = []
    for row in result.groupby("effect", sort=False)["amount"].sum().items():
        effect, amount = str(row[0]), row[1]
        place = {"effect": effect, "against": against}
        fact = inputs.engine.stated("cost_bridge_effect", period=inputs.month, value=amount, dimensions=place, sources=("ledger", "tickets"))
        effects.append((inputs.engine.registry.value_label("effect", effect), fact))
    change, _ = _change(inputs, cost, base, {"against": against})
    return Bridge(against=against, base=base, cost=cost, change=change, effects=tuple(effects))


def _bridge_cells(inputs: StudyInputs, month: Month) -> pd.DataFrame:
    raise NotImplementedError


def _budget(inputs: StudyInputs, total: Fact) -> tuple[Fact, Fact] | None:
    """Budget and variance of the month; None where there is no budget for it."""
    budget = inputs.engine.fact("budget_cost", period=inputs.month)
    if budget.value is None or total.value is None:
        return None
    variance = inputs.engine.stated("budget_variance", period=inputs.month, value=total.value - budget.value, sources=("ledger", "budget"))  # type: ignore[operator]
    return budget, variance
