"""Cost: postings with their category, and the service order that they belong to."""

from __future__ import annotations

from analysis.locale import Text
from analysis.metrics.views.view import Column, View

DIRECT = "ticket_id IS NOT NULL AND posting_basis IN ('incurred', 'recovery') AND category <> 'labour'"
"""The condition that a posting is direct cost of its service order. Labour is counted by hours and what an hour costs, whether or not the ledger also posts it to orders: never twice."""

cost = View(
    name="cost",
    sql="""
SELECT l.posting_id, l.month, l.posted_on, l.amount, l.ticket_id, l.cost_center, l.cost_pool, l.account, l.supplier,
       l.posting_basis,
       -- the source's own word first; else the rule for the account in this cost center, else the rule for the account anywhere
       coalesce(l.category, exact_rule.category, any_rule.category, 'unallocated') AS category,
       CASE WHEN l.ticket_id IS NOT NULL THEN 'direct' WHEN l.cost_pool IS NOT NULL THEN 'pool' ELSE 'held' END AS tracing,
       coalesce(l.team, t.team) AS team, coalesce(l.region, t.region) AS region, l.channel,
       -- what the order says of its shop holds unless the posting names another platform, and the other way round
       coalesce(l.shop, CASE WHEN coalesce(l.platform = t.platform, TRUE) THEN t.shop END) AS shop,
       coalesce(l.platform, CASE WHEN coalesce(l.shop = t.shop, TRUE) THEN t.platform END) AS platform,
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
""",
    table="ledger",
    stands_for=("ledger",),
    monthly=("tickets",),
    whole=("units", "products", "customers"),
    grain=Text.of("one row per posting"),
    columns=(
        Column("posting_id", "posting"),
        Column("month", "first day of the business month"),
        Column("posted_on", "day of the posting", "day"),
        Column("amount", "amount", "currency"),
        Column("ticket_id", "service order it is traced to"),
        Column("cost_center", "cost center"),
        Column("cost_pool", "pool of cost that is allocated"),
        Column("account", "account"),
        Column("supplier", "supplier"),
        Column("posting_basis", "incurred, recovery, accrual, utilisation or adjustment"),
        Column("category", "category of the source, else of its account; unallocated without either"),
        Column("tracing", "direct (to a service order), pool, or held capacity"),
        Column("team", "team of the posting, else of the order"),
        Column("region", "region of the posting, else of the order"),
        Column(
            "channel",
            "sales channel that the posting names; the one by which a customer got in touch is another",
        ),
        Column("shop", "shop of the posting, else of the order"),
        Column("platform", "platform of the posting, else of the order"),
        Column("product_line", "product line of the posting, of its product, else of the order"),
        Column("ticket_type", "type of the order"),
        Column("ticket_product_line", "product line of the order"),
        Column("customer_type", "b2b or b2c"),
        Column("segment", "segment of today"),
        Column("is_rework", "the order repeats work that did not hold"),
        Column("customer_id", "customer of the order"),
    ),
)
