"""What a unit of service costs and what it earns: unit costs per base, service profitability, budget by category."""

from __future__ import annotations

from decimal import Decimal

from analysis.costs.figures import amounts_by
from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.results import Fact

SERVICE_ORDERS = ("extended_warranty", "premium_service", "paid_repair", "other_service")


def unit_costs_of(inputs: StudyInputs) -> tuple[Fact, ...]:
    """After-sales cost per ticket, order, thousand orders, agent hour and unit in the field."""
    engine, month = inputs.engine, inputs.month
    bases = {
        "cost_per_order": ("SELECT count(DISTINCT order_id) FROM sales WHERE {inside}", "orders.order_id", 1),
        "cost_per_thousand_orders": ("SELECT count(DISTINCT order_id) FROM sales WHERE {inside}", "orders.order_id", 1000),
        "cost_per_agent_hour": ("SELECT sum(hours_worked) FROM workforce WHERE {inside}", "staff.hours_worked", 1),
        "cost_per_unit_in_field": (
            "SELECT count(*) FROM units WHERE coalesce(in_service_on, shipped_on) < {end} AND (retired_on IS NULL OR retired_on >= {end})", "units.shipped_on", 1),
    }
    cost = engine.fact("after_sales_cost", period=month)
    facts = [engine.fact("service_unit_cost", period=month)]
    for metric, (sql, needs, per) in bases.items():
        try:
            base = engine.query(sql.format(inside=Period.of(month).condition(), end=f"DATE '{month.end}'"), needs=(needs,)).iloc[0, 0]
        except MissingData as missing:
            names = ", ".join(missing.needs)
            facts.append(engine.stated(metric, period=month, value=None, reason=Text(en=f"not computed: needs {names}", zh=f"未计算：缺少 {names}")))
            continue
        if cost.value is None or not base or base != base:
            facts.append(engine.stated(metric, period=month, value=None, reason=Text(en="not computed: nothing to divide by", zh="未计算：无分母")))
            continue
        count = Decimal(str(base))
        facts.append(engine.stated(metric, period=month, value=Decimal(cost.value) * per / count, numerator=cost.value, denominator=count, sources=("ledger", needs.split(".")[0])))
    return tuple(facts)


def profitability_of(inputs: StudyInputs) -> tuple[tuple[Text, Fact, Fact, Fact, Fact], ...]:
    """Service revenue − service cost by product line, customer type and region, where both name one; nothing without orders."""
    engine, month = inputs.engine, inputs.month
    kinds = ", ".join(f"'{kind}'" for kind in SERVICE_ORDERS)
    lines = []
    for dimension in ("product_line", "customer_type", "region"):
        try:
            earned = engine.query(
                f"SELECT {dimension} AS name, sum(revenue) AS amount FROM sales WHERE {Period.of(month).condition()} AND order_type IN ({kinds}) AND {dimension} IS NOT NULL GROUP BY 1 ORDER BY 1",
                needs=("orders.revenue", "orders.order_type"),
            )
        except MissingData:
            return ()
        spent = amounts_by(inputs, dimension, month)
        for name, revenue in zip(earned["name"], earned["amount"], strict=True):
            cost = spent.get(name, Decimal("0.00"))
            place = {dimension: name}
            fact = [
                engine.stated("service_revenue", period=month, value=revenue, dimensions=place, sources=("orders",)),
                engine.ratio("after_sales_cost", cost, None, period=month, dimensions=place),
                engine.stated("service_profit", period=month, value=revenue - cost, dimensions=place, sources=("orders", "ledger")),
                engine.stated(
                    "service_margin", period=month, value=(revenue - cost) / revenue if revenue > 0 else None, dimensions=place, sources=("orders", "ledger"),
                    reason=None if revenue > 0 else Text(en="not computed: no service revenue", zh="未计算：无服务收入"),
                ),
            ]
            lines.append((engine.registry.value_label(dimension, name), *fact))
    return tuple(lines)  # type: ignore[arg-type]


def budget_lines(inputs: StudyInputs) -> tuple[tuple[Text, Fact, Fact, Fact], ...]:
    """Cost, budget and variance by category, the largest variance first; a category without budget has a budget of nothing."""
    engine, month = inputs.engine, inputs.month
    frame = engine.aggregate("budgeted_cost", by=("category",), period=month)
    planned = dict(zip(frame["category"], frame["budgeted_cost"], strict=True))
    spent = amounts_by(inputs, "category", month)
    lines = []
    for category in sorted(planned.keys() | spent.keys(), key=lambda name: (-abs(spent.get(name, Decimal(0)) - planned.get(name, Decimal(0))), name)):
        place = {"category": category}
        cost, budget = spent.get(category, Decimal("0.00")), planned.get(category, Decimal("0.00"))
        lines.append((
            engine.registry.value_label("category", category), engine.ratio("after_sales_cost", cost, None, period=month, dimensions=place),
            engine.stated("budget_cost", period=month, value=budget, dimensions=place), engine.stated("budget_variance", period=month, value=cost - budget, dimensions=place, sources=("ledger", "budget")),
        ))
    return tuple(lines)
