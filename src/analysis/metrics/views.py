"""The views metrics are defined on: canonical tables joined once, with the words of the report.

Each view is one SELECT in the engine's dialect over the canonical tables (already cut to what was known on the as-of date). Metrics,
studies and ``make trace`` all read these, so a number and the rows behind it cannot drift apart. ``month`` is the business month.
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.locale import Text


@dataclass(frozen=True, kw_only=True)
class View:
    """One view: its SQL, the table whose months it follows, and the tables it looks things up in.

    ``monthly`` lookups hold rows of the same and earlier months only; ``whole`` lookups (customers, products) may change as a whole.
    """

    name: str
    sql: str
    table: str
    monthly: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    grain: Text


_SERVICE = """
SELECT t.ticket_id, t.month, t.ticket_type, t.opened_at, t.first_response_at, t.resolved_at, t.reopened_at,
       t.customer_id, t.serial_no, coalesce(t.product_id, u.product_id) AS product_id,
       p.product_line, p.model, coalesce(t.region, c.region) AS region, t.channel, t.team, t.agent_id,
       c.customer_type, c.segment, t.severity, t.fault_code, t.component, t.in_warranty, t.automated,
       t.contacts, t.reopened, t.resolved, t.confirmed_failure, t.handling_hours, t.status, t.activity, t.time_order_fault,
       coalesce(t.rework, FALSE) OR t.parent_ticket_id IS NOT NULL AS is_rework
FROM tickets t
LEFT JOIN units u ON u.serial_no = t.serial_no
LEFT JOIN products p ON p.product_id = coalesce(t.product_id, u.product_id)
LEFT JOIN customers c ON c.customer_id = t.customer_id
WHERE t.status IS NULL OR t.status <> 'cancelled'
"""

_COST = """
SELECT l.posting_id, l.month, l.posted_on, l.amount, l.ticket_id, l.cost_center, l.cost_pool, l.account, l.supplier,
       l.posting_basis,
       coalesce(l.category, exact_rule.category, any_rule.category, 'unallocated') AS category,
       CASE WHEN l.ticket_id IS NOT NULL THEN 'direct' WHEN l.cost_pool IS NOT NULL THEN 'pool' ELSE 'held' END AS tracing,
       coalesce(l.team, t.team) AS team, coalesce(l.region, t.region) AS region, coalesce(l.channel, t.channel) AS channel,
       coalesce(l.product_line, direct_product.product_line, t.product_line) AS product_line,
       t.ticket_type, t.product_line AS ticket_product_line, t.customer_type, t.segment, t.is_rework, t.customer_id
FROM ledger l
LEFT JOIN account_map exact_rule
       ON exact_rule.account = l.account AND exact_rule.cost_center = l.cost_center
      AND l.posted_on >= exact_rule.valid_from AND l.posted_on < exact_rule.valid_until
LEFT JOIN account_map any_rule
       ON any_rule.account = l.account AND any_rule.cost_center = '*'
      AND l.posted_on >= any_rule.valid_from AND l.posted_on < any_rule.valid_until
LEFT JOIN products direct_product ON direct_product.product_id = l.product_id
LEFT JOIN service t ON t.ticket_id = l.ticket_id
"""

_SALES = """
SELECT o.order_id, o.line_no, o.month, o.ordered_at, o.customer_id, o.product_id, o.order_type, o.quantity, o.revenue,
       o.gross_margin, p.product_line, p.model, coalesce(o.region, c.region) AS region, coalesce(o.channel, c.channel) AS channel,
       c.customer_type, c.segment
FROM orders o
LEFT JOIN products p ON p.product_id = o.product_id
LEFT JOIN customers c ON c.customer_id = o.customer_id
"""

VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        View(
            name="service",
            sql=_SERVICE,
            table="tickets",
            whole=("units", "products", "customers"),
            grain=Text(en="one row per service order that was not cancelled", zh="每行一张未取消的服务工单"),
        ),
        View(
            name="cost",
            sql=_COST,
            table="ledger",
            monthly=("tickets",),
            whole=("units", "products", "customers"),
            grain=Text(en="one row per posting", zh="每行一笔过账"),
        ),
        View(
            name="sales",
            sql=_SALES,
            table="orders",
            whole=("products", "customers"),
            grain=Text(en="one row per order line", zh="每行一条订单明细"),
        ),
        View(
            name="workforce",
            sql="SELECT * FROM staff",
            table="staff",
            grain=Text(en="one row per agent and month", zh="每行一名客服每月"),
        ),
        View(
            name="control_totals",
            sql="SELECT * FROM gl_totals",
            table="gl_totals",
            grain=Text(en="one row per control total", zh="每行一个总账控制数"),
        ),
        View(
            name="budgets",
            sql="SELECT * FROM budget",
            table="budget",
            grain=Text(en="one row per budget line", zh="每行一条预算"),
        ),
    )
}

# Plans are made for months to come: they are known although their month lies after the as-of date.
PLANS = frozenset({"budget", "shipment_plan", "calendar", "contracts"})
