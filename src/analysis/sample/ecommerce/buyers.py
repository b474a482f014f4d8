"""Buyers and their orders: who comes, who comes again, what is sent back.

A clock that runs faster at 618 and Double Eleven turns constant rates into a seasonal business. Every later order belongs to its buyer by number,
so an order that a truth takes away leaves all others as they were.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from analysis.sample.ecommerce import shops
from analysis.sample.ecommerce.truths import Planted
from analysis.sample.streams import Flags, Floats, Identities, Ints, Streams, child, mark, pick
from analysis.sample.timeline import Timeline

HISTORY_MONTHS = 12  # the shops opened so long before the window
NEW_BUYERS_A_DAY = 76.0  # at scale 1
RATE_SHAPE, RATE_A_DAY = 0.9, 1.9 / 365  # later orders of a buyer who stays: gamma
LEAVES = (1.3, 5.5)  # chance of leaving after an order: beta, by buyer
MOST_ORDERS = 60
SEASON = (0.85, 0.65, 0.95, 0.90, 1.00, 1.60, 0.85, 0.85, 0.95, 1.00, 1.95, 1.10)
LATE_SHARE, LATE_DAYS = 0.25, 7.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Buyers:
    identity: Identities
    acquired: Floats
    shop: Ints
    region: Ints


@dataclass(frozen=True, kw_only=True, eq=False)
class Orders:
    """One entry an order, by time. ``sent_back`` and ``refunded`` are not-a-number where nothing was returned; money in cents."""

    identity: Identities
    buyer: Ints
    time: Floats
    shop: Ints
    product: Ints
    quantity: Ints
    cents: Ints
    cost: Ints
    returned: Flags
    exchanged: Flags
    sent_back: Floats
    refunded: Floats

    @property
    def size(self) -> int:
        return int(self.time.size)

    @property
    def line(self) -> Ints:
        return np.array([product.line for product in shops.PRODUCTS])[self.product]

    def at(self, rows: np.ndarray) -> Orders:
        return Orders(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def clock(timeline: Timeline) -> tuple[Floats, Floats]:
    """Days of the business and the season's clock at each: equal steps of the clock bring equally many buyers."""
    first = timeline.window - HISTORY_MONTHS
    days = np.arange(timeline.edges[first], timeline.end + 1, dtype=float)
    pace = np.array([SEASON[month.number - 1] for month in timeline.months])[timeline.month_of(days[:-1])]
    return days, np.concatenate([[0.0], np.cumsum(pace)])


def buyers_and_orders(
    streams: Streams, timeline: Timeline, planted: Planted, *, scale: float
) -> tuple[Buyers, Orders]:
    """Everybody who bought up to the end of the window, and what they bought."""
    days, ticks = clock(timeline)
    size = max(50, round(NEW_BUYERS_A_DAY * scale * ticks[-1]))
    tick = np.sort(streams.uniform("buyers/acquired", size)) * ticks[-1]
    identity = streams.identities("buyers/identity", size)
    rate = streams.named("buyers/rate").gamma(RATE_SHAPE, RATE_A_DAY / RATE_SHAPE, size)
    leaves = streams.named("buyers/leaves").beta(*LEAVES, size)
    people = Buyers(
        identity=identity,
        acquired=np.interp(tick, ticks, days),
        shop=pick(mark(identity, "shop"), shops.SHOP_SHARE),
        region=pick(mark(identity, "region"), shops.REGION_SHARE),
    )
    soured = np.full(size, np.inf)  # from when a late first refund is known
    asked_back = np.zeros(size, dtype=bool)
    made: list[Orders] = []
    who = np.arange(size)
    for number in range(MOST_ORDERS):
        orders = _orders(timeline, planted, people, who, np.interp(tick[who], ticks, days), number)
        bad = (orders.time > soured[who]) & (
            mark(orders.identity, "still buys") >= planted.strength("late_refund", 0.6)
        )
        made.append(orders.at(~bad))
        first = orders.returned & ~asked_back[who] & ~bad
        late = first & (orders.refunded - orders.sent_back > LATE_DAYS)
        asked_back[who[first]] = True
        soured[who[late]] = orders.refunded[late]
        gap = -np.log1p(-mark(orders.identity, "gap")) / np.maximum(rate[who], 1e-9)
        tick[who] += gap
        who = who[(mark(orders.identity, "leaves") >= leaves[who]) & (tick[who] < ticks[-1])]
    joined = Orders(
        **{f.name: np.concatenate([getattr(part, f.name) for part in made]) for f in fields(Orders)}
    )
    return people, joined.at(np.argsort(joined.time, kind="stable"))


def _orders(
    timeline: Timeline, planted: Planted, people: Buyers, who: Ints, time: Floats, number: int
) -> Orders:
    identity = child(people.identity[who], "order", number)
    elsewhere = (mark(identity, "elsewhere") >= shops.FAITHFUL) & (number > 0)
    shop = np.where(elsewhere, pick(mark(identity, "shop"), shops.SHOP_SHARE), people.shop[who])
    line = pick(mark(identity, "line"), shops.LINE_SHARE)
    lines = np.array([product.line for product in shops.PRODUCTS])
    first, many = np.searchsorted(lines, np.arange(len(shops.LINES))), np.bincount(lines)
    product = first[line] + np.floor(mark(identity, "product") * many[line]).astype(np.int64)
    quantity = 1 + (mark(identity, "quantity") < 0.14) + (mark(identity, "quantity") < 0.03)
    price = np.array([entry.list_price for entry in shops.PRODUCTS])[product]
    level = np.array(shops.PRICE_LEVEL)[shop] * (0.82 + 0.18 * mark(identity, "coupon"))
    unit_cost = np.array([entry.unit_cost for entry in shops.PRODUCTS])[product]
    returned = mark(identity, "return") < return_rate(timeline, planted, time, shop, line)
    exchanged = ~returned & (mark(identity, "exchange") < np.array(shops.EXCHANGE_RATE)[line])
    sent_back = time + 2.0 + np.minimum(-4.0 * np.log1p(-mark(identity, "sent back")), 25.0)
    late = mark(identity, "late refund") < LATE_SHARE
    lasts = np.where(late, 8.0, 1.5) + np.where(late, 8.0, 5.0) * mark(identity, "refund days")
    return Orders(
        identity=identity,
        buyer=who,
        time=time,
        shop=shop,
        product=product,
        quantity=quantity.astype(np.int64),
        cents=np.round(price * level * quantity * 100).astype(np.int64),
        cost=np.round(unit_cost * quantity * 100.0).astype(np.int64),
        returned=returned,
        exchanged=exchanged,
        sent_back=np.where(returned | exchanged, sent_back, np.nan),
        refunded=np.where(returned, sent_back + lasts, np.nan),
    )


def return_rate(timeline: Timeline, planted: Planted, time: Floats, shop: Ints, line: Ints) -> Floats:
    """Chance that an order comes back: by line, with the line that declines and the shop with the wrong size chart."""
    usual = np.array(shops.RETURN_RATE)[line]
    through = np.clip((time - timeline.start) / (timeline.end - timeline.start), 0.0, 1.0)
    begin, end = planted.decline
    rate = np.where(line == shops.KITCHEN, begin + (end - begin) * through, usual)
    wrong = (shop == shops.OUTLET) & (line == shops.SHOES)
    wrong &= time >= timeline.month_start(planted.size_chart_from)
    changed: Floats = np.where(wrong, rate * planted.strength("size_chart", 2.0), rate)
    return changed
