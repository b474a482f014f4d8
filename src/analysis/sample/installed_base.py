"""Units in the field: what each product order bought, from which batch, plant and supplier, and how long it lives."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from analysis.sample import company
from analysis.sample.customers import Customers, Purchases
from analysis.sample.streams import Flags, Floats, Ints, Streams, pick
from analysis.sample.timeline import DAYS_PER_MONTH, Timeline
from analysis.sample.truths import Planted

RETIRED_A_MONTH = 0.0012
ACCESSORIES_BELOW = (
    14_000.0  # an order smaller than this buys accessories and consumables: no model, no serial number
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Units:
    """One entry a serial number, in order of shipment. ``purchase`` points at the product order."""

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
    retired: Floats
    bad_batch: Flags
    marks: Floats

    @property
    def size(self) -> int:
        return int(self.purchase.size)

    @property
    def line(self) -> Ints:
        return np.asarray(company.LINE_OF_PRODUCT)[self.product]

    def kept(self, keep: Flags, purchase: Ints) -> Units:
        """The units that stay, their orders renumbered by ``purchase[old]``."""
        chosen = {field.name: getattr(self, field.name)[keep] for field in fields(self)}
        return Units(**(chosen | {"purchase": purchase[self.purchase[keep]]}))


def baskets(streams: Streams, customers: Customers, purchases: Purchases) -> tuple[Ints, Ints]:
    """Model (-1: accessories) and quantity that explain what an order cost, near list price."""
    prices = np.array([product.list_price for product in company.PRODUCTS], dtype=float)
    quantity = np.clip(np.round(purchases.spend[:, None] / prices), 1, 40)
    discount = np.log(purchases.spend[:, None] / (quantity * prices)) + 0.04
    liking = np.where(
        customers.business[purchases.customer][:, None],
        [product.share_b2b for product in company.PRODUCTS],
        [product.share_b2c for product in company.PRODUCTS],
    )
    fit = -0.5 * (discount / 0.09) ** 2 + np.log(liking + 1e-4) - 0.5 * np.log(quantity)
    weights = np.exp(fit - fit.max(axis=1, keepdims=True))
    product = pick(streams.uniform("orders/model", purchases.time.size), weights)
    accessories = purchases.spend < ACCESSORIES_BELOW
    chosen = quantity[np.arange(product.size), product].astype(np.int64)
    return np.where(accessories, -1, product), np.where(accessories, 1, chosen)


def ship(
    streams: Streams,
    timeline: Timeline,
    planted: Planted,
    customers: Customers,
    purchases: Purchases,
    product: Ints,
    quantity: Ints,
) -> Units:
    """A serial number for every machine ordered and shipped before the end of the window."""
    purchase = np.repeat(np.arange(product.size), np.where(product >= 0, quantity, 0))
    model = product[purchase]
    marks = streams.uniform("units/marks", (purchase.size, 12))
    shipped = np.floor(purchases.time[purchase] + 1 + marks[:, 0] * 12)
    produced = np.floor(shipped - 8 - 60 * marks[:, 1])
    region = customers.region[purchases.customer[purchase]]
    strays = marks[:, 2] < 0.04
    region = np.where(strays, pick(marks[:, 3], company.REGION_SHARE), region)
    plant = np.where(
        marks[:, 4] < company.MAIN_PLANT_SHARE,
        np.asarray(company.MAIN_PLANT)[model],
        np.asarray(company.SECOND_PLANT)[model],
    )
    produced, plant, bad = _bad_batch(timeline, planted, model, plant, region, produced, shipped, marks[:, 5])
    supplier = pick(marks[:, 6], np.asarray(company.SUPPLIER_SHARE)[model])
    recorded = marks[:, 7] > 0.10
    in_service = np.where(recorded, shipped + np.floor(2 + 26 * marks[:, 8] ** 2), shipped)
    life = -np.log1p(-marks[:, 9]) / RETIRED_A_MONTH * DAYS_PER_MONTH
    retired = np.floor(in_service + 180 + life)
    units = Units(
        purchase=purchase,
        customer=purchases.customer[purchase],
        product=model,
        plant=plant,
        supplier=supplier,
        region=region,
        produced=produced,
        shipped=shipped,
        in_service=in_service,
        service_recorded=recorded,
        retired=retired,
        bad_batch=bad,
        marks=marks[:, 10:],
    )
    order = np.lexsort((np.arange(purchase.size), shipped))
    order = order[shipped[order] < timeline.end]
    return Units(**{field.name: getattr(units, field.name)[order] for field in fields(units)})


def _bad_batch(
    timeline: Timeline,
    planted: Planted,
    model: Ints,
    plant: Ints,
    region: Ints,
    produced: Floats,
    shipped: Floats,
    mark: Floats,
) -> tuple[Floats, Ints, Flags]:
    """Steer one production lot mostly, not only, to one region by trading places with the lots made a month before and after.

    The steering happens whether or not the batch is bad, so that switching the truth off changes failures only.
    """
    month = timeline.months.index(planted.bad_batch_month)
    first, end = timeline.edges[month], timeline.edges[month + 1]
    main = company.MAIN_PLANT[planted.bad_batch_product]
    of_model = (model == planted.bad_batch_product) & (plant == main)
    near = of_model & (produced >= first - 31) & (produced < end + 31)
    inside = of_model & (produced >= first) & (produced < end)
    focus = region == planted.bad_batch_region
    pulled = near & ~inside & focus & (mark < 0.75) & (shipped > first + 8)
    pushed = inside & ~focus & (mark > 0.32)
    # a pulled unit was made in the bad month; a pushed one in the second plant the same month
    produced = np.where(pulled, np.clip(produced, first, np.minimum(end - 1, shipped - 3)), produced)
    plant = np.where(pushed, company.SECOND_PLANT[planted.bad_batch_product], plant)
    return produced, plant, (inside & ~pushed) | pulled
