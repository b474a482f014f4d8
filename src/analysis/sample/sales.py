"""What customers pay: product orders, refunds, contracts, paid repairs and upgrades; then invoices, opportunities and marketing."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pyarrow as pa

from analysis.sample import columns, company
from analysis.sample.company import PRODUCTS, REPAIR, RETURN
from analysis.sample.customers import (
    EXTENDED_WARRANTY,
    MAINTENANCE_CONTRACT,
    SUBSCRIPTION,
    Customers,
    Purchases,
)
from analysis.sample.loyalty import Terms
from analysis.sample.money import Parts
from analysis.sample.service import normal
from analysis.sample.streams import Floats, Identities, Ints, Streams, child, mark
from analysis.sample.timeline import Timeline
from analysis.sample.work import Desk

ORDER_TYPES: tuple[str, ...] = (
    "product",
    "extended_warranty",
    "upgrade",
    "premium_service",
    "paid_repair",
    "other_service",
)
PRODUCT, WARRANTY, UPGRADE, PREMIUM, PAID_REPAIR, OTHER_SERVICE = range(6)
SERVICE_TYPES = (WARRANTY, PREMIUM, PAID_REPAIR, OTHER_SERVICE)
TYPE_OF_CONTRACT = {SUBSCRIPTION: PREMIUM, MAINTENANCE_CONTRACT: OTHER_SERVICE, EXTENDED_WARRANTY: WARRANTY}
MARGIN = (0.38, 0.58, 0.40, 0.52, 0.30, 0.45)  # of revenue, by order type; for products of accessories only
CALL_OUT_CENTS, PARTS_MARKUP_PERCENT = 38_000, 135
UPGRADED_SHARE = 0.015


@dataclass(frozen=True, kw_only=True, eq=False)
class Sales:
    """One entry an order line, by time; money in cents. ``number`` is the order, shared by an order and its refund."""

    identity: Identities
    number: Ints
    line_no: Ints
    customer: Ints
    product: Ints
    time: Floats
    kind: Ints
    quantity: Floats
    cents: Ints
    margin: Ints

    @property
    def size(self) -> int:
        return int(self.number.size)

    def at(self, rows: Ints) -> Sales:
        return Sales(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def together(*parts: Sales) -> Sales:
    return Sales(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Sales)})


def sales(
    desk: Desk,
    purchases: Purchases,
    product: Ints,
    quantity: Ints,
    used: Parts,
    held: Terms,
    contract_kind: Ints,
) -> Sales:
    """Every order line of the history, numbered in the order in which the orders came."""
    bought = _product_orders(purchases, product, quantity)
    paid = _numbered(
        together(bought, _contract_orders(held, contract_kind), _paid_repairs(desk, used), _upgrades(desk))
    )
    refunds = _refunds(desk, purchases, quantity, bought)
    number_of_purchase = paid.number[: bought.size]
    refunds = replace(refunds, number=number_of_purchase[refunds.number])
    lines = together(paid, refunds)
    return lines.at(np.lexsort((lines.line_no, lines.number, lines.time)))


def _numbered(paid: Sales) -> Sales:
    number = np.empty(paid.size, dtype=np.int64)
    number[np.argsort(paid.time, kind="stable")] = np.arange(1, paid.size + 1)
    return replace(paid, number=number)


def _product_orders(purchases: Purchases, product: Ints, quantity: Ints) -> Sales:
    cents = np.round(purchases.spend * 100).astype(np.int64)
    unit_cost = np.array([*(entry.unit_cost for entry in PRODUCTS), 0])[product]
    cost = unit_cost * quantity * 100 * (1 + 0.02 * normal(mark(purchases.identity, "cost")))
    cost = np.where(product < 0, cents * (1 - MARGIN[PRODUCT]), cost)
    return Sales(
        identity=purchases.identity,
        number=np.arange(product.size),
        line_no=np.ones(product.size, dtype=np.int64),
        customer=purchases.customer,
        product=product,
        time=purchases.time,
        kind=np.full(product.size, PRODUCT),
        quantity=quantity.astype(float),
        cents=cents,
        margin=cents - np.round(cost).astype(np.int64),
    )


def _refunds(desk: Desk, purchases: Purchases, quantity: Ints, bought: Sales) -> Sales:
    """A second line, negative, on the order that is returned; one machine of it. ``number`` is the position of that order."""
    units, orders = desk.units, desk.orders
    back = np.flatnonzero((orders.kind == RETURN) & desk.done)
    _, once = np.unique(units.purchase[orders.unit[back]], return_index=True)
    back = back[np.sort(once)]
    purchase = units.purchase[orders.unit[back]]
    return Sales(
        identity=child(orders.identity[back], "refund"),
        number=purchase,
        line_no=np.full(back.size, 2),
        customer=purchases.customer[purchase],
        product=units.product[orders.unit[back]],
        time=orders.resolved[back],
        kind=np.full(back.size, PRODUCT),
        quantity=np.full(back.size, -1.0),
        cents=-(bought.cents[purchase] // quantity[purchase]),
        margin=-(bought.margin[purchase] // quantity[purchase]),
    )


def _contract_orders(held: Terms, contract_kind: Ints) -> Sales:
    """Each term is paid on its first morning."""
    type_of = np.array([PRODUCT, *(TYPE_OF_CONTRACT[kind] for kind in sorted(TYPE_OF_CONTRACT))])
    kind = type_of[contract_kind[held.customer]]
    nothing = np.full(held.customer.size, -1)
    return _single(held.identity, held.customer, held.starts + 0.4, kind, held.cents, nothing)


def _paid_repairs(desk: Desk, used: Parts) -> Sales:
    """Repairs out of warranty: a call-out charge and the parts with a mark-up."""
    orders = desk.orders
    parts = np.zeros(orders.size, dtype=np.int64)
    np.add.at(parts, used.order, used.cents)
    paid = np.flatnonzero(
        (orders.kind == REPAIR) & ~desk.covered & (orders.component >= 0) & ~orders.rework & desk.done
    )
    charge = CALL_OUT_CENTS + parts[paid] * PARTS_MARKUP_PERCENT // 100
    product = desk.units.product[orders.unit[paid]]
    kind = np.full(paid.size, PAID_REPAIR)
    identity = child(orders.identity[paid], "paid repair")
    return _single(identity, orders.customer[paid], orders.resolved[paid], kind, charge, product)


def _upgrades(desk: Desk) -> Sales:
    units = desk.units
    time = units.in_service + 200 + 900 * units.mark("upgrade time")
    in_field = time < np.minimum(desk.timeline.end, units.retired)
    chosen = np.flatnonzero((units.mark("upgrade") < UPGRADED_SHARE) & in_field)
    cents = np.round(600 + 2_400 * units.mark("upgrade price")[chosen]).astype(np.int64) * 100
    kind = np.full(chosen.size, UPGRADE)
    identity = child(units.identity[chosen], "upgrade")
    return _single(identity, units.customer[chosen], time[chosen], kind, cents, units.product[chosen])


def _single(
    identity: Identities, customer: Ints, time: Floats, kind: Ints, cents: Ints, product: Ints
) -> Sales:
    """Orders of one line and quantity one."""
    return Sales(
        identity=identity,
        number=np.zeros(customer.size, dtype=np.int64),
        line_no=np.ones(customer.size, dtype=np.int64),
        customer=customer,
        product=product,
        time=time,
        kind=kind,
        quantity=np.ones(customer.size),
        cents=cents,
        margin=np.round(cents * np.asarray(MARGIN)[kind]).astype(np.int64),
    )


def orders_table(timeline: Timeline, customers: Customers, customer_ids: pa.Array, sold: Sales) -> pa.Table:
    channel = np.where(np.isin(sold.kind, SERVICE_TYPES), 0, customers.channel[sold.customer])
    return columns.table(
        {
            "order_id": columns.labels("SO-", sold.number, 7),
            "line_no": columns.counts(sold.line_no),
            "customer_id": columns.take(customer_ids, sold.customer),
            "product_id": columns.words([entry.product_id for entry in PRODUCTS], sold.product),
            "ordered_at": columns.time_column(timeline.timestamps(sold.time)),
            "order_type": columns.words(ORDER_TYPES, sold.kind),
            "quantity": columns.numbers(sold.quantity),
            "revenue": columns.money(sold.cents),
            "gross_margin": columns.money(sold.margin),
            "currency": columns.constant(company.CURRENCY, sold.size),
            "channel": columns.words(company.CHANNELS, channel),
            "region": columns.words(company.REGIONS, customers.region[sold.customer]),
        }
    )


def invoices_table(timeline: Timeline, customers: Customers, customer_ids: pa.Array, sold: Sales) -> pa.Table:
    """One invoice for each order of a business customer in the window, a few days after it."""
    in_window = (sold.time >= timeline.start) & (sold.line_no == 1)
    billed = sold.at(np.flatnonzero(customers.business[sold.customer] & in_window))
    issued = np.floor(billed.time + 1 + 6 * mark(billed.identity, "invoiced after"))
    due = issued + np.where(customers.first_tier[billed.customer] == 0, 60, 30)
    late = due + 1 + np.floor(-18 * np.log1p(-mark(billed.identity, "overdue")))
    prompt = np.maximum(due - np.floor(14 * mark(billed.identity, "early")), issued)
    paid = np.where(mark(billed.identity, "pays late") < 0.22, late, prompt)
    paid = np.where(paid < timeline.end, paid, np.nan)
    order = np.argsort(issued, kind="stable")
    order = order[issued[order] < timeline.end]
    return columns.table(
        {
            "invoice_id": columns.labels("INV-", np.arange(1, order.size + 1), 6),
            "customer_id": columns.take(customer_ids, billed.customer[order]),
            "issued_on": columns.date_column(timeline.dates(issued[order])),
            "due_on": columns.date_column(timeline.dates(due[order])),
            "paid_on": columns.date_column(timeline.dates(paid[order])),
            "amount": columns.money(billed.cents[order]),
            "currency": columns.constant(company.CURRENCY, order.size),
        }
    )


STAGES: tuple[str, ...] = ("lead", "qualified", "quoted", "negotiation", "won", "lost")
OPPORTUNITIES_A_MONTH, WON_SHARE = 250, 0.30


def opportunities_table(
    streams: Streams, timeline: Timeline, customers: Customers, customer_ids: pa.Array, *, scale: float
) -> pa.Table:
    """Offers to business customers who are already there, won three times in ten."""
    size = max(20, round(OPPORTUNITIES_A_MONTH * scale * len(timeline.window_months)))
    marks = streams.uniform("opportunities/marks", (size, 6))
    business = np.flatnonzero(customers.business)
    customer = business[np.minimum((marks[:, 0] * business.size).astype(np.int64), business.size - 1)]
    begin = np.maximum(customers.acquired[customer], timeline.start)
    created = np.floor(begin + marks[:, 1] * (timeline.end - begin))
    closed = created + 6 + np.floor(-45 * np.log1p(-marks[:, 2]))
    still_open = closed >= timeline.end
    won = marks[:, 3] < WON_SHARE
    stage = np.where(still_open, (marks[:, 4] * 4).astype(np.int64), np.where(won, 4, 5))
    order = np.argsort(created, kind="stable")
    cents = np.round(60_000 * np.exp(2.7 * marks[:, 5] - 1.35)).astype(np.int64) * 100
    return columns.table(
        {
            "opportunity_id": columns.labels("OP-", np.arange(1, size + 1), 5),
            "customer_id": columns.take(customer_ids, customer[order]),
            "channel": columns.words(company.CHANNELS, customers.channel[customer[order]]),
            "created_on": columns.date_column(timeline.dates(created[order])),
            "stage": columns.words(STAGES, stage[order]),
            "closed_on": columns.date_column(timeline.dates(np.where(still_open, np.nan, closed)[order])),
            "won": columns.flags(won[order], ~still_open[order]),
            "amount": columns.money(cents[order]),
        }
    )


MARKETING_BY_CHANNEL = (260_000.0, 330_000.0, 520_000.0, 410_000.0)  # yuan a month


def marketing_table(streams: Streams, timeline: Timeline, *, scale: float) -> pa.Table:
    months, channels = len(timeline.window_months), len(MARKETING_BY_CHANNEL)
    noise = streams.named("marketing/noise").standard_normal((months, channels))
    festival = np.array([1.3 if month.number in (6, 11) else 1.0 for month in timeline.window_months])
    yuan = np.asarray(MARKETING_BY_CHANNEL) * scale * festival[:, None] * np.exp(0.06 * noise)
    month, channel = np.divmod(np.arange(months * channels), channels)
    return columns.table(
        {
            "month": columns.date_column(timeline.dates(timeline.edges[timeline.window + month])),
            "channel": columns.words(company.CHANNELS, channel),
            "amount": columns.money(np.round(yuan).astype(np.int64).ravel() * 100),
        }
    )
