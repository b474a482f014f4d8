"""What a unit of service costs and what it earns: unit costs per base, service profitability, budget by category."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd

from analysis.costs.figures import amount_of, amounts_by, reported, size
from analysis.errors import MissingData, NothingToCount, ParameterError
from analysis.locale import Text
from analysis.metrics import Stating, StudyInputs, cents, traced
from analysis.metrics.registry import NOT_STATED
from analysis.metrics.views import at
from analysis.metrics.views.selection import selected
from analysis.periods import Month, Period
from analysis.results import Fact
from analysis.summaries import Summarised

NOTHING = Decimal("0.00")
THOUSAND = 1000
PER_BASE = ("service_unit_cost", "cost_per_order", "cost_per_thousand_orders", "cost_per_agent_hour")


@traced
def unit_costs_of(inputs: StudyInputs) -> tuple[Fact, ...]:
    """After-sales cost per ticket, order, thousand orders, agent hour and machine in the field."""
    state = reported(inputs)
    field = state.measured("field_machines", selected(at("machines", inputs.month.end)))
    cost = inputs.fact("after_sales_cost")
    bases = [inputs.fact(metric) for metric in PER_BASE]
    return (
        *(fact for fact in bases if not _beyond_its_base(fact)),
        state.derived("cost_per_unit_in_field", cost, field),
    )


def _beyond_its_base(fact: Fact) -> bool:
    """Whether it is stated per thousand of what there were fewer of: a company of twenty orders has no cost of a thousand."""
    few = fact.denominator is not None and fact.denominator < THOUSAND
    return fact.metric == "cost_per_thousand_orders" and few


@dataclass(frozen=True, kw_only=True, eq=False)
class Profit(Summarised):
    """What service earns in one slice: revenue, the cost that names the slice, and what is left."""

    name: Text
    revenue: Fact
    cost: Fact
    profit: Fact
    margin: Fact


@traced
def profitability_of(inputs: StudyInputs) -> tuple[Profit, ...]:
    """Service revenue − service cost by product line, customer type and region, each with what names no slice, and the whole last.

    The slices of a dimension add up to the whole to the cent; empty where no service was sold. A dimension that no service revenue names is left out:
    its slices would show cost alone, which reads as a loss.

    Raises
    ------
    MissingData
        Without orders.
    """
    lines: list[Profit] = []
    revenue = cost = NOTHING
    for dimension in ("product_line", "customer_type", "region"):
        earned = amounts_by(inputs, dimension, inputs.period, measure="service_sales")
        spent = amounts_by(inputs, dimension, inputs.period)
        revenue, cost = sum(earned.values(), NOTHING), sum(spent.values(), NOTHING)
        if not any(amount for name, amount in earned.items() if name != NOT_STATED):
            continue
        for name in sorted(earned.keys() | spent.keys(), key=lambda name: (name == NOT_STATED, name)):
            lines.append(
                _profit(inputs, earned.get(name, NOTHING), spent.get(name, NOTHING), **{dimension: name})
            )
    return (*lines, _profit(inputs, revenue, cost)) if lines or revenue else ()


def _profit(inputs: StudyInputs, earned: Decimal, spent: Decimal, **place: Any) -> Profit:
    """One slice; without a place the whole."""
    state = reported(inputs)
    names = [inputs.engine.registry.value_label(dimension, name) for dimension, name in place.items()]
    revenue = state.counted("service_revenue", earned, **place)
    cost = state.counted("after_sales_cost", spent, **place)
    profit = state.derived("service_profit", revenue, cost, **place)
    return Profit(
        name=names[0] if names else Text.of("Total of each group"),
        revenue=revenue,
        cost=cost,
        profit=profit,
        margin=state.derived("service_margin", profit, revenue, **place),
    )


# -- budget ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class CategoryBudget(Summarised):
    """A category against its budget; ``planned`` where the budget names it at all."""

    name: Text
    cost: Fact
    budget: Fact
    variance: Fact
    planned: bool

    @property
    def category(self) -> str:
        return str(self.budget.dimensions["category"])


@dataclass(frozen=True, kw_only=True, eq=False)
class Budget(Summarised):
    """The period's budget, what the cost was beyond it, and its categories, the largest variance first."""

    budget: Fact
    variance: Fact
    lines: tuple[CategoryBudget, ...]

    def rows(self) -> pd.DataFrame:
        """The lines as rows: ``category``, ``cost``, ``budget``, ``variance`` in money."""
        return pd.DataFrame(
            [(line.category, line.cost.value, line.budget.value, line.variance.value) for line in self.lines],
            columns=["category", "cost", "budget", "variance"],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class FlexedBudget(Summarised):
    """The budget brought to the tickets that came, where finance states how many it planned.

    ``volume``: what more or fewer tickets cost on the categories that move with them; ``rest``: the variance of each category left after
    that. Together they are the variance to the cent.
    """

    planned: Fact
    actual: Fact
    volume: Fact
    rest: tuple[tuple[Text, Fact], ...]


@traced
def budget_of(inputs: StudyInputs, total: Fact) -> Budget:
    """The period's cost against its budget, in all and by category.

    Raises
    ------
    MissingData
        Where a month of the period has no budget, or no cost.
    """
    inputs.require_whole_month()
    budget = inputs.fact("budget_cost")
    if budget.value is None or total.value is None:
        inputs.engine.require("budget.amount")
        raise NothingToCount("budget.amount" if budget.value is None else "ledger.amount")
    planned = set(inputs.engine.aggregate("budgeted_cost", period=inputs.period)["month"])
    for month in inputs.period.each():
        if str(month) not in planned:
            raise MissingData("budget.amount", message="no budget in {month}", month=month)
    return Budget(
        budget=budget,
        variance=reported(inputs).derived("budget_variance", total, budget),
        lines=budget_lines(inputs),
    )


@traced
def budget_lines(inputs: StudyInputs) -> tuple[CategoryBudget, ...]:
    """Cost, budget and variance by category, the largest variance first; a category without budget has a budget of nothing."""
    state = reported(inputs)
    planned = amounts_by(inputs, "category", inputs.period, measure="budgeted_cost")
    spent = amounts_by(inputs, "category", inputs.period)
    lines = []
    for category in planned.keys() | spent.keys():
        cost = state.counted("after_sales_cost", spent.get(category, NOTHING), category=category)
        budget = state.counted("budget_cost", planned.get(category, NOTHING), category=category)
        lines.append(
            CategoryBudget(
                name=inputs.engine.registry.value_label("category", category),
                cost=cost,
                budget=budget,
                variance=state.derived("budget_variance", cost, budget, category=category),
                planned=category in planned,
            )
        )
    return tuple(sorted(lines, key=lambda line: (-size(line.variance), line.category)))


BUDGET_TICKETS = (
    "budget_tickets"  # an assumption finance may state: tickets per month, by the month from which it holds
)


@traced
def flexed_budget(inputs: StudyInputs, budget: Budget) -> FlexedBudget:
    """Volume against the rest of the variance.

    Categories whose behaviour is variable in the cost tree move with tickets: budget × (tickets ÷ planned tickets − 1), rounded to a cent.
    Mix, automation and price are not told apart, because a budget states none of them.

    Raises
    ------
    MissingData
        Where the planned tickets of a month's year are not stated, or no ticket came.
    """
    state = reported(inputs)
    planned = planned_tickets(inputs)
    actual = inputs.fact("service_order_count")
    if planned is None or not actual.value:
        raise MissingData("tickets" if planned is not None else f"params/assumptions.yml {BUDGET_TICKETS}")
    growth = Decimal(actual.value) / planned - 1
    moved = {line.category: _moved(inputs, line, growth) for line in budget.lines}
    return FlexedBudget(
        planned=_planned(inputs),
        actual=actual,
        volume=state.total("budget_volume_variance", *moved.values()),
        rest=tuple(
            (
                line.name,
                state.derived(
                    "budget_spending_variance", line.variance, moved[line.category], category=line.category
                ),
            )
            for line in budget.lines
        ),
    )


@traced
def _moved(inputs: StudyInputs, line: CategoryBudget, growth: Decimal) -> Fact:
    """What the tickets beyond plan cost in one category; nothing where the category does not move with tickets."""
    known = inputs.cost_tree.categories.get(line.category)
    variable = known is not None and known.behaviour == "variable"
    part = cents(amount_of(line.budget) * growth) if variable else NOTHING
    return reported(inputs).exact("budget_volume_variance", part, category=line.category)


def _planned(inputs: StudyInputs) -> Fact:
    """The tickets planned, as finance states them; of several months their sum."""
    state = Stating(inputs=inputs)
    if inputs.period.months == 1:
        return state.assumed("budget_tickets")
    months = [state.assumed("budget_tickets", on=month, period=month) for month in inputs.period.each()]
    return state.total("budget_tickets", *months, period=inputs.period)


def planned_tickets(inputs: StudyInputs) -> Decimal | None:
    """Tickets planned for the period; None where a month of it has none stated for its year. A plan does not hold beyond its year."""
    planned = [_planned_in(inputs, month) for month in inputs.period.each()]
    known = [tickets for tickets in planned if tickets is not None]
    return sum(known, Decimal(0)) if len(known) == len(planned) else None


def _planned_in(inputs: StudyInputs, month: Month) -> Decimal | None:
    entry = inputs.assumptions.entries.get(BUDGET_TICKETS)
    first = Period.year_of(month, year_begins=inputs.params.year_begins).first.start
    held = [start for start in entry.values if first <= start <= month.last_day] if entry else []
    if entry is None or not held:
        return None
    planned = entry.values[max(held)].value
    if planned <= 0:
        raise ParameterError(
            f"assumption '{BUDGET_TICKETS}': {planned} tickets planned from {max(held)}; a plan has more than none."
        )
    return planned
