"""The cost study: where the after-sales cost comes from, what it ties to, and why it moved.

Reads monthly aggregates from the engine and returns facts; the arithmetic stands in the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from analysis.costs.alarms import price_findings, rise_findings, surge_findings
from analysis.costs.capacity import Capacity, capacity_of, idle_findings
from analysis.costs.figures import amount_of, amounts_by, change_facts, facts_by_month, rows_of, size
from analysis.costs.hindsight import hindsight_checks
from analysis.costs.keys import Allocated, allocated_of, allocation_check
from analysis.costs.make_or_buy import Sourcing, sourcing_of
from analysis.costs.measures import Measure, measure_findings, measures_of
from analysis.costs.movement import (
    Bridge,
    Comparison,
    bridge_against,
    bridge_check,
    comparison_facts,
    movement_findings,
)
from analysis.costs.outlook import Outlook, outlook_findings, outlook_of
from analysis.costs.reserve import Provision, provision_checks, provision_findings, provision_of
from analysis.costs.tie_out import (
    ProfitAndLoss,
    TieOut,
    currency_check,
    profit_and_loss,
    profit_and_loss_check,
    tie_out,
    tie_out_check,
    tie_out_findings,
)
from analysis.costs.yields import (
    BudgetLine,
    FlexedBudget,
    Profit,
    budget_lines,
    budget_rows,
    flexed_budget,
    profitability_of,
    unit_costs_of,
)
from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.metrics.lineage import traced
from analysis.params.cost_tree import UNALLOCATED
from analysis.periods import Month
from analysis.results import Check, Fact, Finding, Sentence, Value
from analysis.summaries import Summarised

CENT = Decimal("0.01")
HISTORY_MONTHS = 25
AGAINST = {"previous_month": 1, "year_before": 12}


@dataclass(frozen=True, kw_only=True, eq=False)
class Slice(Summarised):
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
class CostStudy(Summarised):
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
    budget_lines: tuple[BudgetLine, ...]
    flexed: FlexedBudget | None
    expense: ProfitAndLoss | MissingData
    unit_costs_by: tuple[Fact, ...]
    profitability: tuple[Profit, ...]
    allocated: Allocated | MissingData
    capacity: Capacity | MissingData
    outlook: Outlook | MissingData
    measures: tuple[Measure, ...]
    sourcing: Sourcing | MissingData
    provision: Provision | MissingData
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]


@traced
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
    history = tuple(facts_by_month(inputs, "after_sales_cost", months))
    total = history[-1]
    comparisons = tuple(comparison_facts(inputs, total, against, back) for against, back in AGAINST.items())
    composition = {
        dimension: _composition(inputs, dimension, total)
        for dimension in ("category", "product_line", "region", "channel", "team", "ticket_type", "tracing")
    }
    tied = tie_out(inputs, months[-13:])
    budget = _budget(inputs, total)
    against_budget = budget_lines(inputs) if budget else ()
    bridges = tuple(
        bridge
        for against, back in AGAINST.items()
        if (bridge := bridge_against(inputs, against, back)) is not None
    )
    labour_shares = tuple(facts_by_month(inputs, "labour_share", months))
    expense, allocated, capacity = profit_and_loss(inputs), allocated_of(inputs), capacity_of(inputs)
    outlook, measures, provision = outlook_of(inputs), measures_of(inputs), provision_of(inputs)
    return CostStudy(
        month=inputs.month,
        total=total,
        comparisons=comparisons,
        history=history,
        unit_costs=tuple(facts_by_month(inputs, "service_unit_cost", months)),
        cost_rates=tuple(facts_by_month(inputs, "after_sales_cost_rate", months)),
        labour_shares=labour_shares,
        ratios=tuple(inputs.engine.fact(metric, period=inputs.month) for metric in _RATIOS),
        composition=composition,
        category_history=_category_history(inputs, months),
        tie_out=tied,
        bridges=bridges,
        budget=budget,
        budget_lines=against_budget,
        flexed=flexed_budget(inputs, against_budget) if budget else None,
        expense=expense,
        unit_costs_by=unit_costs_of(inputs),
        profitability=profitability_of(inputs),
        allocated=allocated,
        capacity=capacity,
        outlook=outlook,
        measures=measures,
        sourcing=sourcing_of(inputs),
        provision=provision,
        findings=(
            *tie_out_findings(inputs, tied),
            *movement_findings(comparisons, bridges),
            *_labour_findings(inputs, labour_shares[-1]),
            *_budget_findings(inputs, budget, against_budget),
            *idle_findings(inputs),
            *price_findings(inputs),
            *surge_findings(inputs),
            *rise_findings(inputs),
            *provision_findings(provision),
            *outlook_findings(outlook),
            *measure_findings(measures),
            *_unallocated_findings(inputs, composition["category"]),
        ),
        checks=(
            tie_out_check(inputs, tied),
            currency_check(inputs),
            _unallocated_check(inputs, composition["category"]),
            bridge_check(bridges),
            *profit_and_loss_check(expense),
            *allocation_check(allocated),
            *provision_checks(provision),
            *(hindsight_checks(outlook.hindsight) if isinstance(outlook, Outlook) else ()),
        ),
    )


_RATIOS = (
    "after_sales_cost_rate",
    "service_unit_cost",
    "labour_share",
    "automation_rate",
    "compensation_share",
    "direct_cost_share",
    "complaint_cost_total",
    "rework_cost_total",
)


# -- totals and comparisons ------------------------------------------------------------------------------------------


@traced
def _composition(inputs: StudyInputs, dimension: str, total: Fact) -> tuple[Slice, ...]:
    """Slices of the month's cost along one dimension, largest first. They add up to the total to the cent."""
    engine, month = inputs.engine, inputs.month
    frames = {back: amounts_by(inputs, dimension, month - back) for back in (0, 1, 12)}
    values = sorted(frames[0], key=lambda value: (-frames[0][value], value))
    values += sorted(value for value in frames[1] if value not in frames[0])
    slices = []
    for value in values:
        place = {dimension: value}
        cost, previous, before = (
            engine.ratio(
                "after_sales_cost",
                frames[back].get(value, Decimal(0) if frames[back] else None),
                None,
                period=month - back,
                dimensions=place,
            )
            for back in (0, 1, 12)
        )
        share = engine.stated(
            "category_cost_share",
            period=month,
            value=amount_of(cost) / amount_of(total) if cost.value is not None and total.value else None,
            numerator=cost.value,
            denominator=total.value,
            dimensions=place,
            reason=None if total.value else Text(en="not computed: no cost", zh="未计算：无成本"),
        )
        change, _ = change_facts(inputs, cost, previous, {**place, "against": "previous_month"})
        year_change, _ = change_facts(inputs, cost, before, {**place, "against": "year_before"})
        slices.append(
            Slice(
                dimension=dimension,
                value=value,
                label=engine.registry.value_label(dimension, value),
                cost=cost,
                share=share,
                previous=previous,
                change=change,
                year_before=before,
                year_change=year_change,
            )
        )
    return tuple(slices)


@traced
def _category_history(inputs: StudyInputs, months: Sequence[Month]) -> dict[str, tuple[Fact, ...]]:
    """Cost by category over the months, the categories of the largest sum first."""
    frame = inputs.engine.aggregate("incurred_cost", by=("category",), period=Period(months[0], months[-1]))
    cells: dict[tuple[str, str], Decimal] = {
        (row["category"], row["month"]): row["incurred_cost"]
        for row in rows_of(frame)
        if row["incurred_cost"] is not None
    }
    covered = set(frame["month"])
    sums: dict[str, Decimal] = {}
    for (category, _), amount in cells.items():
        sums[category] = sums.get(category, Decimal(0)) + amount
    return {
        category: tuple(
            inputs.engine.ratio(
                "after_sales_cost",
                cells.get((category, str(month)), Decimal(0)),
                None,
                period=month,
                dimensions={"category": category},
            )
            for month in months
            if str(month) in covered
        )
        for category in sorted(sums, key=lambda name: (-sums[name], name))
    }


# -- tie-out ---------------------------------------------------------------------------------------------------------


# -- bridge and budget -----------------------------------------------------------------------------------------------


def _budget(inputs: StudyInputs, total: Fact) -> tuple[Fact, Fact] | None:
    """Budget and variance of the month; None where there is no budget for it."""
    budget = inputs.engine.fact("budget_cost", period=inputs.month)
    if budget.value is None or total.value is None:
        return None
    variance = inputs.engine.stated(
        "budget_variance", period=inputs.month, value=amount_of(total) - amount_of(budget)
    )
    return budget, variance


# -- findings --------------------------------------------------------------------------------------------------------


@traced
def _labour_findings(inputs: StudyInputs, share: Fact) -> list[Finding]:
    """Labour share above (not at) the limit; read with the automation rate."""
    limit = inputs.assumptions.value("labour_share_limit", on=inputs.month.last_day)
    if share.value is None or share.value <= limit:
        return []
    line = inputs.engine.stated("labour_share_limit", period=inputs.month, value=limit)
    automation = inputs.engine.fact("automation_rate", period=inputs.month)
    return [
        Finding(
            id="costs.labour_share",
            section="costs",
            severity="alert",
            statement=Sentence(
                "Labour is {share} of after-sales cost, above the limit of {limit}; the automation rate is {automation}.",
                {"share": share, "limit": line, "automation": automation},
            ),
            method="Exact comparison of an accounting ratio with the limit",
            evidence=inputs.engine.aggregate("incurred_cost", by=("category",), period=inputs.month),
            rank=float(share.value),
        )
    ]


@traced
def _budget_findings(
    inputs: StudyInputs, budget: tuple[Fact, Fact] | None, lines: Sequence[BudgetLine]
) -> list[Finding]:
    if budget is None or not budget[1].value or budget[1].value <= 0:
        return []
    driver = _budget_driver(inputs)
    template = "After-sales cost was {variance} over the budget of {budget}."
    values: dict[str, Value] = {"variance": budget[1], "budget": budget[0]}
    if driver is not None:
        template = "After-sales cost was {variance} over the budget of {budget}; {category:lower} contributed most ({part:signed})."
        values |= {"category": driver[0], "part": driver[1]}
    return [
        Finding(
            id="costs.over_budget",
            section="costs",
            severity="watch",
            statement=Sentence(template, values),
            method="Cost minus budget of the month",
            evidence=budget_rows(lines),
            rank=float(budget[1].value),
        )
    ]


@traced
def _budget_driver(inputs: StudyInputs) -> tuple[Text, Fact] | None:
    """The category with the largest overrun; None where the budget has no categories of ours."""
    frame = inputs.engine.aggregate("budgeted_cost", by=("category",), period=inputs.month)
    planned = dict(zip(frame["category"], frame["budgeted_cost"], strict=True))
    spent = amounts_by(inputs, "category", inputs.month)
    overruns = {
        category: amount - planned[category]
        for category, amount in spent.items()
        if planned.get(category) is not None
    }
    if not overruns or max(overruns.values()) <= 0:
        return None
    category = max(overruns, key=lambda name: (overruns[name], name))
    place = {"category": category}
    fact = inputs.engine.stated(
        "budget_variance", period=inputs.month, value=overruns[category], dimensions=place
    )
    return inputs.engine.registry.value_label("category", category), fact


@traced
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
            id="costs.unallocated",
            section="costs",
            severity="watch",
            statement=Sentence(
                "{cost} of after-sales cost ({share}) is on accounts that the account map does not know; it is shown as unallocated.",
                {"cost": line.cost, "share": line.share},
            ),
            method="Postings without a category and without a rule in params/cost_tree.yml",
            evidence=rows,
            rank=size(line.cost),
        )
    ]


@traced
def _unallocated(categories: Sequence[Slice]) -> Slice | None:
    return next((line for line in categories if line.value == UNALLOCATED), None)


# -- checks ----------------------------------------------------------------------------------------------------------


def _unallocated_check(inputs: StudyInputs, categories: Sequence[Slice]) -> Check:
    line = _unallocated(categories)
    if line is None or not line.cost.value:
        return Check(
            id="cost_categories",
            outcome="passed",
            sentence=Sentence("Every posting of {month} has a cost category.", {"month": inputs.month}),
        )
    return Check(
        id="cost_categories",
        outcome="info",
        sentence=Sentence(
            "{cost:exact} of {month} is unallocated ({share}).",
            {"cost": line.cost, "share": line.share, "month": inputs.month},
        ),
    )
