"""Units in the field: what each product order bought, from which batch, plant and supplier, and how long it lives."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from analysis.sample import company
from analysis.sample.customers import Customers, Purchases
from analysis.sample.streams import Flags, Floats, Identities, Ints, child, mark, pick
from analysis.sample.timeline import DAYS_PER_MONTH, Timeline
from analysis.sample.truths import Planted

RETIRED_A_MONTH = 0.0012
RETURNED_SHARE, EXCHANGED_SHARE = 0.014, 0.011
ACCESSORIES_BELOW = 14_000.0  # yuan; a smaller order buys accessories: no model, no serial number
MAX_QUANTITY = 40


@dataclass(frozen=True, kw_only=True, eq=False)
class Units:
    """One entry a serial number, in order of shipment. ``purchase`` points at the product order.

    ``given_back`` is the day on which a machine is returned or exchanged (infinite: never); it leaves the field within days.
    """

    identity: Identities
    purchase: Ints
    customer: Ints
    product: Ints
    plant: Ints
    supplier: Ints
    region: Ints
    produced: Floats
    shipped: Floats
    in_service: Floats
    service_recorded: Flags
    given_back: Floats
    retired: Floats
    bad_batch: Flags

    @property
    def size(self) -> int:
        return int(self.purchase.size)

    @property
    def line(self) -> Ints:
        return np.asarray(company.LINE_OF_PRODUCT)[self.product]

    @property
    def warranty_end(self) -> Floats:
        """First day without warranty."""
        months = np.array([product.warranty_months for product in company.PRODUCTS])[self.product]
        return np.floor(self.in_service + months * DAYS_PER_MONTH)

    def mark(self, name: str) -> Floats:
        return mark(self.identity, name)

    def kept(self, keep: Flags, purchase: Ints) -> Units:
        """The units that stay, their orders renumbered by ``purchase[old]``."""
        chosen = {field.name: getattr(self, field.name)[keep] for field in fields(self)}
        return Units(**(chosen | {"purchase": purchase[self.purchase[keep]]}))


def baskets(customers: Customers, purchases: Purchases) -> tuple[Ints, Ints]:
    """Model (-1: accessories) and quantity that explain what an order cost, near list price."""
    prices = np.array([product.list_price for product in company.PRODUCTS], dtype=float)
    quantity = np.clip(np.round(purchases.spend[:, None] / prices), 1, MAX_QUANTITY)
    discount = np.log(purchases.spend[:, None] / (quantity * prices)) + 0.04
    liking = np.array([[entry.share_b2c, entry.share_b2b] for entry in company.PRODUCTS]).T + 1e-4
    fit = -0.5 * (discount / 0.09) ** 2 - 0.5 * np.log(quantity)
    fit += np.log(liking)[customers.business[purchases.customer].astype(np.int64)]
    weights = np.exp(fit - fit.max(axis=1, keepdims=True))
    product = pick(mark(purchases.identity, "model"), weights)
    accessories = purchases.spend < ACCESSORIES_BELOW
    chosen = quantity[np.arange(product.size), product].astype(np.int64)
    return np.where(accessories, -1, product), np.where(accessories, 1, chosen)


def ship(
    timeline: Timeline,
    planted: Planted,
    customers: Customers,
    purchases: Purchases,
    product: Ints,
    quantity: Ints,
) -> Units:
    """A serial number for every machine ordered and shipped before the end of the window."""
    number = np.where(product >= 0, quantity, 0)
    purchase = np.repeat(np.arange(product.size), number)
    nth = np.arange(purchase.size) - np.repeat(np.cumsum(number) - number, number)
    identity = child(purchases.identity[purchase], "unit", nth)
    model = product[purchase]
    order_mark = mark(purchases.identity, "shipping")[purchase]  # one order is shipped on one day
    shipped = np.floor(purchases.time[purchase] + 1 + 12 * order_mark)
    produced = np.floor(shipped - 8 - 60 * mark(identity, "stock"))
    home = customers.region[purchases.customer[purchase]]
    elsewhere = pick(mark(identity, "site"), company.REGION_SHARE)
    region = np.where(mark(identity, "stray") < 0.04, elsewhere, home)
    in_main = mark(identity, "plant") < company.MAIN_PLANT_SHARE
    plant = np.where(in_main, np.asarray(company.MAIN_PLANT)[model], np.asarray(company.SECOND_PLANT)[model])
    steering = mark(identity, "steering")
    produced, plant, bad = _steer(timeline, planted, model, plant, region, produced, shipped, steering)
    recorded = mark(identity, "service recorded") > 0.10
    wait = np.floor(2 + 26 * mark(identity, "wait") ** 2)
    in_service = np.where(recorded, shipped + wait, shipped)
    life = -np.log1p(-mark(identity, "life")) / RETIRED_A_MONTH * DAYS_PER_MONTH
    given_back = _given_back(identity, shipped)
    retired = np.minimum(np.floor(in_service + 180 + life), np.maximum(given_back + 10, in_service + 1))
    units = Units(
        identity=identity,
        purchase=purchase,
        customer=purchases.customer[purchase],
        product=model,
        plant=plant,
        supplier=pick(mark(identity, "supplier"), np.asarray(company.SUPPLIER_SHARE)[model]),
        region=region,
        produced=produced,
        shipped=shipped,
        in_service=in_service,
        service_recorded=recorded,
        given_back=given_back,
        retired=retired,
        bad_batch=bad,
    )
    order = np.argsort(shipped, kind="stable")
    order = order[shipped[order] < timeline.end]
    return Units(**{field.name: getattr(units, field.name)[order] for field in fields(units)})


def returned(identity: Identities) -> Flags:
    return mark(identity, "given back") < RETURNED_SHARE


def exchanged(identity: Identities) -> Flags:
    return mark(identity, "given back") > 1 - EXCHANGED_SHARE


def _given_back(identity: Identities, shipped: Floats) -> Floats:
    after = shipped + 3 + np.floor(30 * mark(identity, "given back after"))
    return np.where(returned(identity) | exchanged(identity), after, np.inf)


def _steer(
    timeline: Timeline,
    planted: Planted,
    model: Ints,
    plant: Ints,
    region: Ints,
    produced: Floats,
    shipped: Floats,
    marks: Floats,
) -> tuple[Floats, Ints, Flags]:
    """Send one production lot mostly, not only, to one region.

    Machines of that region made up to two months before or after move into the lot; most of the lot's machines for other regions move to
    the second plant. This happens whether or not the lot is bad, so that switching the truth off changes failures only.
    """
    month = timeline.months.index(planted.bad_batch_month)
    first, end = timeline.edges[month], timeline.edges[month + 1]
    main = company.MAIN_PLANT[planted.bad_batch_product]
    of_model = (model == planted.bad_batch_product) & (plant == main)
    inside = of_model & (produced >= first) & (produced < end)
    near = of_model & (produced >= first - 61) & (produced < end + 61) & ~inside
    focus = region == planted.bad_batch_region
    pulled = near & focus & (marks < 0.75) & (shipped > first + 8)
    pushed = inside & ~focus & (marks > 0.36)
    produced = np.where(pulled, np.clip(produced, first, np.minimum(end - 1, shipped - 3)), produced)
    plant = np.where(pushed, company.SECOND_PLANT[planted.bad_batch_product], plant)
    return produced, plant, (inside & ~pushed) | pulled
