"""Service orders: the ones that count, with their business days; and the same beside machine, product and customer."""

from __future__ import annotations

from analysis.locale import Text
from analysis.metrics.backend import literal
from analysis.metrics.views.days import business_day
from analysis.metrics.views.view import Column, View

# what the company plans by itself; everything else is asked for or breaks
PLANNED_WORK = ("maintenance", "installation")
NO_FAULT_CODES = ("NFF", "NTF", "NO_FAULT", "NO-FAULT-FOUND", "NO FAULT FOUND")
_CODES = ", ".join(literal(code) for code in NO_FAULT_CODES)

_ORDERS = f"""
SELECT t.ticket_id, t.month, t.ticket_type, t.opened_at, t.first_response_at, t.resolved_at, t.reopened_at,
       {business_day("t.opened_at")} AS opened_on, {business_day("t.resolved_at")} AS resolved_on,
       t.failed_on, t.response_due_at, t.customer_id, t.serial_no, t.product_id, t.region, t.channel, t.shop, t.platform, t.team, t.agent_id,
       t.severity, t.priority, t.fault_code, t.component, t.in_warranty, t.automated, t.proactive,
       t.contacts, t.reopened, t.resolved, t.confirmed_failure, t.handling_hours, t.status, t.activity, t.time_order_fault,
       -- work that did not hold is rework whether the desk ticked a box or only named the order before
       coalesce(t.rework, FALSE) OR t.parent_ticket_id IS NOT NULL AS is_rework,
       -- what the technician found counts; without it a fault code does, unless it says that there was no fault
       coalesce(t.confirmed_failure, t.fault_code IS NOT NULL AND upper(t.fault_code) NOT IN ({_CODES})) AS fault_found,
       t.text
FROM tickets t
-- a cancelled order was no service: nothing was done and nothing can be judged
WHERE t.status IS NULL OR t.status <> 'cancelled'
"""

_COLUMNS = (
    Column("ticket_id", "service order"),
    Column("month", "first day of the business month it was opened in"),
    Column("ticket_type", "repair, complaint, return, exchange, inquiry, installation, maintenance, other"),
    Column("opened_at", "when the customer asked", "UTC instant"),
    Column("first_response_at", "first answer; empty while there is none", "UTC instant"),
    Column("resolved_at", "when it was resolved; empty while open", "UTC instant"),
    Column("reopened_at", "first re-opening", "UTC instant"),
    Column("opened_on", "business day of the request", "day"),
    Column("resolved_on", "business day of the resolution", "day"),
    Column("failed_on", "day of the failure, where known apart from the request", "day"),
    Column("response_due_at", "target of the first response", "UTC instant"),
    Column("customer_id", "who asked"),
    Column("serial_no", "the machine"),
    Column("channel", "contact channel"),
    Column("shop", "shop through which it came"),
    Column("platform", "platform of the shop"),
    Column("team", "team that did the work"),
    Column("agent_id", "who did the work"),
    Column("severity", "severity"),
    Column("priority", "priority as it was when the target was set"),
    Column("fault_code", "fault code"),
    Column("component", "component at fault"),
    Column("in_warranty", "as the desk recorded it"),
    Column("automated", "resolved by self service or a bot"),
    Column("proactive", "opened by the company before the customer asked"),
    Column("contacts", "contacts until resolution", "count"),
    Column("reopened", "re-openings", "count"),
    Column("resolved", "resolved; empty while open"),
    Column("confirmed_failure", "as the technician recorded it"),
    Column("handling_hours", "work", "agent hours"),
    Column("status", "status"),
    Column("activity", "activity for activity-based costing"),
    Column("time_order_fault", "its times run backwards; kept, never averaged"),
    Column("is_rework", "repeats work that did not hold: ticked, or with an order before"),
    Column(
        "fault_found", "a technical fault was found: recorded, else a fault code that is not no-fault-found"
    ),
)

_OWN = ", ".join(f"t.{column.name}" for column in _COLUMNS)

_SERVICE = f"""
SELECT {_OWN}, coalesce(t.product_id, u.product_id) AS product_id,
       p.product_line, p.model, coalesce(t.region, c.region) AS region, c.customer_type, c.segment, u.warranty_end,
       -- the desk's word first; else a machine is covered until the day its warranty ends
       coalesce(t.in_warranty, t.opened_on < u.warranty_end, FALSE) AS under_warranty
FROM service_orders t
LEFT JOIN units u ON u.serial_no = t.serial_no
LEFT JOIN products p ON p.product_id = coalesce(t.product_id, u.product_id)
LEFT JOIN customers c ON c.customer_id = t.customer_id
"""

service_orders = View(
    name="service_orders",
    sql=_ORDERS,
    table="tickets",
    stands_for=("tickets",),
    grain=Text.of("one row per service order that was not cancelled"),
    columns=(
        *_COLUMNS,
        Column("product_id", "product as the order says"),
        Column("region", "region as the order says"),
        Column("text", "the customer's words"),
    ),
)

service = View(
    name="service",
    sql=_SERVICE,
    table="tickets",
    stands_for=("tickets",),
    whole=("units", "products", "customers"),
    grain=Text.of("one row per service order that was not cancelled"),
    columns=(
        *_COLUMNS,
        Column("product_id", "product of the order, else of its machine"),
        Column("product_line", "product line"),
        Column("model", "model"),
        Column("region", "region of the order, else of the customer"),
        Column("customer_type", "b2b or b2c"),
        Column("segment", "segment of today"),
        Column("warranty_end", "first day without warranty of the machine", "day"),
        Column("under_warranty", "covered: as recorded, else opened before the warranty ended"),
    ),
)
