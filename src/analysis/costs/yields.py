"""What a unit of service costs and what it earns: unit costs per base, service profitability, budget by category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd

from analysis.costs.figures import added, amount_of, amounts_by, size
from analysis.errors import MissingData, ParameterError
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.metrics.registry import NOT_STATED
from analysis.metrics.views import at
from analysis.results import Fact
from analysis.summaries import Summarised

SERVICE_ORDERS = ("extended_warranty", "premium_service", "paid_repair", "other_service")


@traced
def unit_costs_of(inputs: StudyInputs) -> tuple[Fact, ...]:
    """After-sales cost per ticket, order, thousand orders, agent hour and unit in the field."""
    engine, month = inputs.engine, inputs.month
    bases = {
        "cost_per_order": ("SELECT count(DISTINCT order_id) FROM sales WHERE {inside}", "orders.order_id", 1),
        "cost_per_thousand_orders": (
            "SELECT count(DISTINCT order_id) FROM sales WHERE {inside}",
            "orders.order_id",
            1000,
        ),
        "cost_per_agent_hour": (
            f"SELECT {added('hours_worked')} FROM workforce WHERE {{inside}}",
            "staff.hours_worked",
            1,
        ),
        "cost_per_unit_in_field": (
            f"SELECT count(*) FROM {at('machines', month.end)} WHERE still_there",
            "units.shipped_on",
            1,
        ),
    }
    cost = engine.fact("after_sales_cost", period=month)
    facts = [engine.fact("service_unit_cost", period=month)]
    for metric, (sql, needs, per) in bases.items():
        try:
            base: Any = engine.query(sql.format(inside=Period.of(month).condition()), needs=(needs,)).iloc[
                0, 0
            ]
        except MissingData as missing:
            names = ", ".join(missing.needs)
            facts.append(
                engine.stated(
                    metric,
                    period=month,
                    value=None,
                    reason=Text(en=f"not computed: needs {names}", zh=f"未计算：缺少 {names}"),
                )
            )
            continue
        if cost.value is None or not base or pd.isna(base):
            facts.append(
                engine.stated(
                    metric,
                    period=month,
                    value=None,
                    reason=Text(en="not computed: nothing to divide by", zh="未计算：无分母"),
                )
            )
            continue
        count = Decimal(str(base))
        facts.append(
            engine.stated(
                metric,
                period=month,
                value=Decimal(cost.value) * per / count,
                numerator=cost.value,
                denominator=count,
            )
        )
    return tuple(facts)


@dataclass(frozen=True, kw_only=True, eq=False)
class Profit(Summarised):
    """What service earns in one slice: revenue, the cost that names the slice, and what is left."""

    name: Text
    revenue: Fact
    cost: Fact
    profit: Fact
    margin: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class BudgetLine(Summarised):
    """A category against its budget."""

    name: Text
    cost: Fact
    budget: Fact
    variance: Fact


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
def profitability_of(inputs: StudyInputs) -> tuple[Profit, ...]:
    """Service revenue − service cost by product line, customer type and region, each with what names no slice, and the whole last.

    The slices of a dimension add up to the whole to the cent; nothing without orders.
    """
    lines: list[Profit] = []
    revenue, cost = Decimal("0.00"), Decimal("0.00")
    for dimension in ("product_line", "customer_type", "region"):
        try:
            earned = _earned(inputs, dimension)
        except MissingData:
            return ()
        spent = amounts_by(inputs, dimension, inputs.month)
        names = sorted(earned.keys() | spent.keys(), key=lambda name: (name == NOT_STATED, name))
        amounts = [
            (name, earned.get(name, Decimal("0.00")), spent.get(name, Decimal("0.00"))) for name in names
        ]
        lines += [_profit(inputs, {dimension: name}, *parts) for name, *parts in amounts]
        revenue, cost = sum(earned.values(), Decimal("0.00")), sum(spent.values(), Decimal("0.00"))
    return (*lines, _profit(inputs, {}, revenue, cost)) if any(size(line.revenue) for line in lines) else ()


@traced
def _earned(inputs: StudyInputs, dimension: str) -> dict[str, Decimal]:
    kinds = ", ".join(literal(kind) for kind in SERVICE_ORDERS)
    frame = inputs.engine.query(
        f"SELECT coalesce({dimension}, {literal(NOT_STATED)}) AS name, sum(revenue) AS amount FROM sales "
        f"WHERE {Period.of(inputs.month).condition()} AND order_type IN ({kinds}) GROUP BY 1 ORDER BY 1",
        needs=("orders.revenue", "orders.order_type"),
    )
    return dict(zip(frame["name"], frame["amount"], strict=True))


def _profit(inputs: StudyInputs, place: dict[str, str], revenue: Decimal, cost: Decimal) -> Profit:
    """One slice; an empty place is the whole."""
    engine, month = inputs.engine, inputs.month
    names = [engine.registry.value_label(dimension, name) for dimension, name in place.items()]
    nothing = Text(en="not computed: no service revenue", zh="未计算：无服务收入")
    return Profit(
        name=names[0] if names else Text(en="Total of each group", zh="各组合计"),
        revenue=engine.stated("service_revenue", period=month, value=revenue, dimensions=place),
        cost=engine.ratio("after_sales_cost", cost, None, period=month, dimensions=place),
        profit=engine.stated("service_profit", period=month, value=revenue - cost, dimensions=place),
        margin=engine.stated(
            "service_margin",
            period=month,
            value=(revenue - cost) / revenue if revenue > 0 else None,
            dimensions=place,
            reason=None if revenue > 0 else nothing,
        ),
    )


@traced
def budget_lines(inputs: StudyInputs) -> tuple[BudgetLine, ...]:
    """Cost, budget and variance by category, the largest variance first; a category without budget has a budget of nothing."""
    engine, month = inputs.engine, inputs.month
    frame = engine.aggregate("budgeted_cost", by=("category",), period=month)
    planned: dict[str, Decimal] = dict(zip(frame["category"], frame["budgeted_cost"], strict=True))
    spent, nothing = amounts_by(inputs, "category", month), Decimal("0.00")
    variances = {
        name: spent.get(name, nothing) - planned.get(name, nothing) for name in planned.keys() | spent.keys()
    }
    return tuple(
        BudgetLine(
            name=engine.registry.value_label("category", name),
            cost=engine.ratio(
                "after_sales_cost",
                spent.get(name, nothing),
                None,
                period=month,
                dimensions={"category": name},
            ),
            budget=engine.stated(
                "budget_cost", period=month, value=planned.get(name, nothing), dimensions={"category": name}
            ),
            variance=engine.stated(
                "budget_variance", period=month, value=variance, dimensions={"category": name}
            ),
        )
        for name, variance in sorted(variances.items(), key=lambda line: (-abs(line[1]), line[0]))
    )


@traced
def budget_rows(lines: Sequence[BudgetLine]) -> pd.DataFrame:
    """The lines as rows: ``category``, ``cost``, ``budget``, ``variance``."""
    return pd.DataFrame(
        [
            (line.budget.dimensions["category"], line.cost.value, line.budget.value, line.variance.value)
            for line in lines
        ],
        columns=["category", "cost", "budget", "variance"],
    )


BUDGET_TICKETS = (
    "budget_tickets"  # an assumption finance may state: tickets a month, by the month from which it holds
)


@traced
def flexed_budget(inputs: StudyInputs, lines: Sequence[BudgetLine]) -> FlexedBudget | None:
    """Volume against the rest of the variance; None where the planned tickets of the month's year are not stated.

    Categories whose behaviour is variable in the cost tree move with tickets: budget × (tickets ÷ planned tickets − 1), rounded to a cent.
    Mix, automation and price are not told apart, because a budget states none of them.
    """
    planned = planned_tickets(inputs)
    actual = inputs.engine.value("service_orders", period=inputs.month) if planned else None
    if planned is None or not actual:
        return None

    def fact(metric: str, value: Decimal, **place: str) -> Fact:
        return inputs.engine.stated(metric, period=inputs.month, value=value, dimensions=place)

    growth = Decimal(actual) / planned - 1
    moved, rest = Decimal("0.00"), []
    for line in lines:
        category = str(line.budget.dimensions["category"])
        known = inputs.cost_tree.categories.get(category)
        part = amount_of(line.budget) * growth if known and known.behaviour == "variable" else Decimal(0)
        part = part.quantize(Decimal("0.01"))
        moved += part
        left = fact("budget_spending_variance", amount_of(line.variance) - part, category=category)
        rest.append((line.name, left))
    return FlexedBudget(
        planned=fact("budget_tickets", planned),
        actual=inputs.engine.fact("service_order_count", period=inputs.month),
        volume=fact("budget_volume_variance", moved),
        rest=tuple(rest),
    )


def planned_tickets(inputs: StudyInputs) -> Decimal | None:
    """Tickets planned for the month; None where none are stated for its year. A plan does not hold beyond its year."""
    entry = inputs.assumptions.entries.get(BUDGET_TICKETS)
    held = (
        [
            start
            for start in entry.values
            if start <= inputs.month.last_day and start.year == inputs.month.year
        ]
        if entry
        else []
    )
    if entry is None or not held:
        return None
    planned = entry.values[max(held)].value
    if planned <= 0:
        raise ParameterError(
            f"assumption '{BUDGET_TICKETS}': {planned} tickets planned from {max(held)}; a plan has more than none."
        )
    return planned
