"""Sales: order lines with their business day, and purchase days (what a customer bought on one day is one purchase)."""

from __future__ import annotations

from analysis.locale import Text
from analysis.metrics.views.days import business_day
from analysis.metrics.views.view import Column, View

_LINE = (
    Column("order_id", "order"),
    Column("line_no", "line of the order"),
    Column("month", "first day of the business month of the order"),
    Column("ordered_at", "when it was ordered", "UTC instant"),
    Column("ordered_on", "business day of the order", "day"),
    Column("customer_id", "who ordered"),
    Column("product_id", "product"),
    Column("order_type", "product where the source has no types"),
    Column("quantity", "quantity"),
    Column("revenue", "net of discount and tax; negative for a refund", "currency"),
    Column("gross_margin", "gross margin", "currency"),
    Column("shop", "shop through which it came"),
    Column("platform", "platform of the shop"),
)

_OWN = ", ".join(f"o.{column.name}" for column in _LINE)

order_lines = View(
    name="order_lines",
    sql=f"""
SELECT o.order_id, o.line_no, o.month, o.ordered_at, {business_day("o.ordered_at")} AS ordered_on, o.customer_id, o.product_id,
       -- a source without types of order sells products
       coalesce(o.order_type, 'product') AS order_type, o.quantity, o.revenue, o.gross_margin, o.shop, o.platform, o.region, o.channel
FROM orders o
""",
    table="orders",
    stands_for=("orders",),
    grain=Text.of("one row per order line"),
    columns=(
        *_LINE,
        Column("region", "region as the order says"),
        Column("channel", "channel as the order says"),
    ),
)

sales = View(
    name="sales",
    sql=f"""
SELECT {_OWN}, p.product_line, p.model, coalesce(o.region, c.region) AS region, coalesce(o.channel, c.channel) AS channel,
       c.customer_type, c.segment
FROM order_lines o
LEFT JOIN products p ON p.product_id = o.product_id
LEFT JOIN customers c ON c.customer_id = o.customer_id
""",
    table="orders",
    stands_for=("orders",),
    whole=("products", "customers"),
    grain=Text.of("one row per order line"),
    columns=(
        *_LINE,
        Column("product_line", "product line"),
        Column("model", "model"),
        Column("region", "region of the order, else of the customer"),
        Column("channel", "channel of the order, else of the customer"),
        Column("customer_type", "b2b or b2c"),
        Column("segment", "segment of today"),
    ),
)

purchase_days = View(
    name="purchase_days",
    sql="""
SELECT customer_id, ordered_on AS bought_on, order_type, sum(revenue) AS spend, count(DISTINCT order_id) AS orders
FROM order_lines
-- refunds and free lines are no decision to buy
WHERE revenue > 0 AND customer_id IS NOT NULL
GROUP BY 1, 2, 3
""",
    table="orders",
    stands_for=("orders",),
    kept=True,
    grain=Text.of("one row per customer, business day and type of order with a paid line"),
    columns=(
        Column("customer_id", "who bought"),
        Column("bought_on", "business day; the orders of a day carry no time between them", "day"),
        Column("order_type", "product where the source has no types"),
        Column("spend", "sum of the paid lines", "currency"),
        Column("orders", "orders; one with paid lines of two types counts in each", "count"),
    ),
)
