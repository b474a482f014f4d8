"""What a unit of service costs and what it earns: unit costs per base, service profitability, budget by category."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd

from analysis.costs.figures import amounts_by
from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.metrics.backend import literal
from analysis.results import Fact

SERVICE_ORDERS = ("extended_warranty", "premium_service", "paid_repair", "other_service")


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
            "SELECT sum(hours_worked) FROM workforce WHERE {inside}",
            "staff.hours_worked",
            1,
        ),
        "cost_per_unit_in_field": (
            "SELECT count(*) FROM units WHERE coalesce(in_service_on, shipped_on) < {end} AND (retired_on IS NULL OR retired_on >= {end})",
            "units.shipped_on",
            1,
        ),
    }
    cost = engine.fact("after_sales_cost", period=month)
    facts = [engine.fact("service_unit_cost", period=month)]
    for metric, (sql, needs, per) in bases.items():
        try:
            base: Any = engine.query(
                sql.format(inside=Period.of(month).condition(), end=f"DATE '{month.end}'"), needs=(needs,)
            ).iloc[0, 0]
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
                sources=("ledger", needs.split(".")[0]),
            )
        )
    return tuple(facts)


@dataclass(frozen=True, kw_only=True, eq=False)
class Profit:
    """What service earns in one slice: revenue, the cost that names the slice, and what is left."""

    name: Text
    revenue: Fact
    cost: Fact
    profit: Fact
    margin: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class BudgetLine:
    """A category against its budget."""

    name: Text
    cost: Fact
    budget: Fact
    variance: Fact


def profitability_of(inputs: StudyInputs) -> tuple[Profit, ...]:
    """Service revenue − service cost by product line, customer type and region, where both name one; nothing without orders."""
    lines: list[Profit] = []
    for dimension in ("product_line", "customer_type", "region"):
        try:
            earned = _earned(inputs, dimension)
        except MissingData:
            return ()
        spent = amounts_by(inputs, dimension, inputs.month)
        lines += [
            _profit(inputs, dimension, name, revenue, spent.get(name, Decimal("0.00")))
            for name, revenue in sorted(earned.items())
        ]
    return tuple(lines)


def _earned(inputs: StudyInputs, dimension: str) -> dict[str, Decimal]:
    kinds = ", ".join(literal(kind) for kind in SERVICE_ORDERS)
    frame = inputs.engine.query(
        f"SELECT {dimension} AS name, sum(revenue) AS amount FROM sales WHERE {Period.of(inputs.month).condition()} "
        f"AND order_type IN ({kinds}) AND {dimension} IS NOT NULL GROUP BY 1 ORDER BY 1",
        needs=("orders.revenue", "orders.order_type"),
    )
    return dict(zip(frame["name"], frame["amount"], strict=True))


def _profit(inputs: StudyInputs, dimension: str, name: str, revenue: Decimal, cost: Decimal) -> Profit:
    engine, month, place = inputs.engine, inputs.month, {dimension: name}
    nothing = Text(en="not computed: no service revenue", zh="未计算：无服务收入")
    return Profit(
        name=engine.registry.value_label(dimension, name),
        revenue=engine.stated(
            "service_revenue", period=month, value=revenue, dimensions=place, sources=("orders",)
        ),
        cost=engine.ratio("after_sales_cost", cost, None, period=month, dimensions=place),
        profit=engine.stated(
            "service_profit",
            period=month,
            value=revenue - cost,
            dimensions=place,
            sources=("orders", "ledger"),
        ),
        margin=engine.stated(
            "service_margin",
            period=month,
            value=(revenue - cost) / revenue if revenue > 0 else None,
            dimensions=place,
            sources=("orders", "ledger"),
            reason=None if revenue > 0 else nothing,
        ),
    )


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
                "budget_variance",
                period=month,
                value=variance,
                dimensions={"category": name},
                sources=("ledger", "budget"),
            ),
        )
        for name, variance in sorted(variances.items(), key=lambda line: (-abs(line[1]), line[0]))
    )
