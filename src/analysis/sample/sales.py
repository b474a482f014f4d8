"""What customers pay: product orders, refunds, contracts, paid repairs and upgrades; then invoices, opportunities and marketing."""

from __future__ import annotations

from dataclasses import dataclass, fields

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
from analysis.sample.installed_base import Units
from analysis.sample.loyalty import Terms
from analysis.sample.money import Parts
from analysis.sample.service import Orders
from analysis.sample.streams import Flags, Floats, Ints, Streams
from analysis.sample.timeline import Timeline

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
SERVICE_MARGIN = (0.35, 0.58, 0.40, 0.52, 0.30, 0.45)


@dataclass(frozen=True, kw_only=True, eq=False)
class Sales:
    """One entry an order line, by time. ``number`` is the order, shared by an order and its refund."""

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


def sales(
    streams: Streams, timeline: Timeline, purchases: Purchases, product: Ints, quantity: Ints, units: Units,
    orders: Orders, covered: Flags, used: Parts, held: Terms, contract_kind: Ints,
) -> Sales:  # fmt: skip
    bought = _product_orders(streams, purchases, product, quantity)
    refunds = _refunds(timeline, purchases, quantity, units, orders, bought)
    begun = np.flatnonzero(held.starts < timeline.end)
    kind = np.array([PRODUCT, PREMIUM, OTHER_SERVICE, WARRANTY])[contract_kind[held.customer[begun]]]
    service = _service_orders(
        held.customer[begun], held.starts[begun] + 0.4, kind, held.cents[begun], np.full(begun.size, -1)
    )
    parts_cents = np.zeros(orders.size, dtype=np.int64)
    np.add.at(parts_cents, used.order, used.cents)
    paid = np.flatnonzero(
        (orders.kind == REPAIR) & ~covered & (orders.component >= 0) & (orders.resolved < timeline.end)
    )
    charge = 38_000 + parts_cents[paid] * 135 // 100
    repairs = _service_orders(
        orders.customer[paid],
        orders.resolved[paid],
        np.full(paid.size, PAID_REPAIR),
        charge,
        units.product[orders.unit[paid]],
    )
    upgrades = _upgrades(streams, timeline, units)
    bought = Sales(
        **{
            f.name: np.concatenate([getattr(part, f.name) for part in (bought, service, repairs, upgrades)])
            for f in fields(Sales)
        }
    )
    first = np.lexsort((np.arange(bought.size), bought.time))
    number = np.empty(bought.size, dtype=np.int64)
    number[first] = np.arange(1, bought.size + 1)
    lines = Sales(
        **{
            f.name: np.concatenate(
                [
                    number if f.name == "number" else getattr(bought, f.name),
                    number[refunds.number] if f.name == "number" else getattr(refunds, f.name),
                ]
            )
            for f in fields(Sales)
        }
    )
    by_time = np.lexsort((lines.line_no, lines.number, lines.time))
    return Sales(**{f.name: getattr(lines, f.name)[by_time] for f in fields(Sales)})


def _product_orders(streams: Streams, purchases: Purchases, product: Ints, quantity: Ints) -> Sales:
    cents = np.round(purchases.spend * 100).astype(np.int64)
    cost = np.array([entry.unit_cost for entry in PRODUCTS] + [0])[product] * quantity * 100
    cost = cost * (1 + 0.02 * streams.named("orders/cost").standard_normal(cost.size))
    cost = np.where(product < 0, cents * 0.62, cost)
    return Sales(
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


def _refunds(
    timeline: Timeline, purchases: Purchases, quantity: Ints, units: Units, orders: Orders, bought: Sales
) -> Sales:
    """A second line, negative, on the order that is returned; one machine of it. ``number`` is the position of that order."""
    back = np.flatnonzero((orders.kind == RETURN) & (orders.resolved < timeline.end))
    _, once = np.unique(units.purchase[orders.unit[back]], return_index=True)
    back = back[np.sort(once)]
    purchase = units.purchase[orders.unit[back]]
    return Sales(
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


def _service_orders(customer: Ints, time: Floats, kind: Ints, cents: Ints, product: Ints) -> Sales:
    return Sales(
        number=np.zeros(customer.size, dtype=np.int64),
        line_no=np.ones(customer.size, dtype=np.int64),
        customer=customer,
        product=product,
        time=time,
        kind=kind,
        quantity=np.ones(customer.size),
        cents=cents,
        margin=np.round(cents * np.asarray(SERVICE_MARGIN)[kind]).astype(np.int64),
    )


def _upgrades(streams: Streams, timeline: Timeline, units: Units) -> Sales:
    marks = streams.uniform("orders/upgrades", (units.size, 3))
    time = units.in_service + 200 + 900 * marks[:, 1]
    chosen = np.flatnonzero((marks[:, 0] < 0.015) & (time < np.minimum(timeline.end, units.retired)))
    cents = np.round(600 + 2_400 * marks[chosen, 2]).astype(np.int64) * 100
    return _service_orders(
        units.customer[chosen], time[chosen], np.full(chosen.size, UPGRADE), cents, units.product[chosen]
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


def invoices_table(
    streams: Streams, timeline: Timeline, customers: Customers, customer_ids: pa.Array, sold: Sales
) -> pa.Table:
    """One invoice for each order of a business customer in the window, a few days after it."""
    chosen = np.flatnonzero(
        customers.business[sold.customer] & (sold.time >= timeline.start) & (sold.line_no == 1)
    )
    marks = streams.uniform("invoices/marks", (chosen.size, 4))
    issued = np.floor(sold.time[chosen] + 1 + 6 * marks[:, 0])
    due = issued + np.where(customers.first_tier[sold.customer[chosen]] == 0, 60, 30)
    late = marks[:, 1] < 0.22
    paid = np.where(late, due + np.floor(-18 * np.log1p(-marks[:, 2])) + 1, due - np.floor(14 * marks[:, 3]))
    paid = np.where(paid < timeline.end, np.maximum(paid, issued), np.nan)
    keep = issued < timeline.end
    chosen, issued, due, paid = chosen[keep], issued[keep], due[keep], paid[keep]
    order = np.lexsort((np.arange(chosen.size), issued))
    chosen = chosen[order]
    return columns.table(
        {
            "invoice_id": columns.labels("INV-", np.arange(1, chosen.size + 1), 6),
            "customer_id": columns.take(customer_ids, sold.customer[chosen]),
            "issued_on": columns.date_column(timeline.dates(issued[order])),
            "due_on": columns.date_column(timeline.dates(due[order])),
            "paid_on": columns.date_column(timeline.dates(paid[order])),
            "amount": columns.money(sold.cents[chosen]),
            "currency": columns.constant(company.CURRENCY, chosen.size),
        }
    )


STAGES: tuple[str, ...] = ("lead", "qualified", "quoted", "negotiation", "won", "lost")


def opportunities_table(
    streams: Streams, timeline: Timeline, customers: Customers, customer_ids: pa.Array, *, scale: float
) -> pa.Table:
    """Offers to customers who are already there, won three times in ten."""
    size = max(20, round(9_000 * scale * len(timeline.window_months) / 36))
    marks = streams.uniform("opportunities/marks", (size, 7))
    business = np.flatnonzero(customers.business)
    customer = business[np.minimum((marks[:, 0] * business.size).astype(np.int64), business.size - 1)]
    begin = np.maximum(customers.acquired[customer], timeline.start)
    created = np.floor(begin + marks[:, 1] * (timeline.end - begin))
    closed = created + 6 + np.floor(-45 * np.log1p(-marks[:, 2]))
    still_open = closed >= timeline.end
    won = marks[:, 3] < 0.30
    stage = np.where(still_open, (marks[:, 4] * 4).astype(np.int64), np.where(won, 4, 5))
    order = np.lexsort((np.arange(size), created))
    cents = np.round(60_000 * np.exp(0.9 * (marks[:, 5] * 3 - 1.5))).astype(np.int64) * 100
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


def marketing_table(streams: Streams, timeline: Timeline, *, scale: float) -> pa.Table:
    months = len(timeline.window_months)
    base = np.array([260_000.0, 330_000.0, 520_000.0, 410_000.0]) * scale
    noise = streams.named("marketing/noise").standard_normal((months, base.size))
    season = np.array([1.3 if month.number in (6, 11) else 1.0 for month in timeline.window_months])
    cents = np.round(base * season[:, None] * np.exp(0.06 * noise)).astype(np.int64) * 100
    month = np.repeat(np.arange(months), base.size)
    return columns.table(
        {
            "month": columns.date_column(timeline.dates(timeline.edges[timeline.window + month])),
            "channel": columns.words(company.CHANNELS, np.tile(np.arange(base.size), months)),
            "amount": columns.money(cents.ravel()),
        }
    )
