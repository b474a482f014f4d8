"""Customers and when they buy: tiers, and a buy-till-you-die purchase process with known parameters.

Purchases follow the BG/NBD model (Fader, Hardie and Lee, 2005) in weeks, spend per purchase the Gamma-Gamma model (Fader and Hardie,
2013), each with one parameter set for business customers and one for consumers. The tier is read off a customer's own purchase
rate and spend (with noise), so that within a customer type the population keeps exactly these mixing distributions.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from analysis.sample import company
from analysis.sample.names import customer_names
from analysis.sample.streams import Flags, Floats, Identities, Ints, Streams, pick
from analysis.sample.timeline import Timeline

CUSTOMERS = 40_000
BUSINESS_SHARE = 0.30
DAYS_PER_WEEK = 7.0


class BuyTillYouDie(NamedTuple):
    """BG/NBD (r, alpha, a, b), time in weeks; Gamma-Gamma (p, q, v), money in yuan an order."""

    r: float
    alpha: float
    a: float
    b: float
    p: float
    q: float
    v: float


BTYD: dict[str, BuyTillYouDie] = {
    "b2c": BuyTillYouDie(r=0.50, alpha=85.0, a=0.9, b=3.5, p=6.0, q=4.0, v=20_000.0),
    "b2b": BuyTillYouDie(r=0.90, alpha=60.0, a=0.8, b=4.0, p=4.0, q=3.6, v=68_000.0),
}
NO_CONTRACT, SUBSCRIPTION, MAINTENANCE_CONTRACT, EXTENDED_WARRANTY = range(4)
CONTRACT_KINDS: tuple[str | None, ...] = (None, "subscription", "maintenance", "extended_warranty")
CONTRACT_SHARE_B2C = (0.45, 0.45, 0.02, 0.08)
CONTRACT_SHARE_B2B = (0.28, 0.35, 0.35, 0.02)
TIER_SHARE_B2C = (0.03, 0.17, 0.80)
TIER_SHARE_B2B = (0.15, 0.35, 0.50)
ACQUISITION_SEASON = (0.92, 0.62, 1.02, 1.00, 1.04, 1.18, 0.96, 0.94, 0.98, 0.96, 1.26, 1.12)


@dataclass(frozen=True, kw_only=True, eq=False)
class Customers:
    """One entry a customer; times in days of the sample's time axis. ``later_tier`` holds from ``tier_changed`` (nan: never)."""

    identity: Identities
    names: pa.Array
    english: Flags
    business: Flags
    region: Ints
    channel: Ints
    acquired: Floats
    first_tier: Ints
    later_tier: Ints
    tier_changed: Floats
    moved: Floats
    region_before: Ints
    contract_kind: Ints

    @property
    def size(self) -> int:
        return int(self.business.size)

    def tier_at(self, customer: Ints, time: Floats) -> Ints:
        changed = time >= self.tier_changed[customer]  # nan compares as false: never changed
        return np.where(changed, self.later_tier[customer], self.first_tier[customer])


@dataclass(frozen=True, kw_only=True, eq=False)
class Purchases:
    """One entry a product order, by customer and time; ``spend`` in yuan."""

    identity: Identities
    customer: Ints
    time: Floats
    spend: Floats

    @property
    def size(self) -> int:
        return int(self.customer.size)

    def kept(self, keep: Flags) -> Purchases:
        return Purchases(**{field.name: getattr(self, field.name)[keep] for field in fields(self)})


def acquire(streams: Streams, timeline: Timeline, *, scale: float) -> tuple[Customers, Purchases]:
    """The customers and every product order they would place if service never disappointed them."""
    size = max(50, round(CUSTOMERS * scale * len(timeline.months) / 72))
    business = streams.uniform("customers/business", size) < BUSINESS_SHARE
    acquired = _acquisition_times(streams, timeline, size)
    parameters = np.array([BTYD["b2c"], BTYD["b2b"]])[business.astype(np.int64)]
    behaviour = dict(zip(BuyTillYouDie._fields, parameters.T, strict=True))
    rate = streams.named("customers/rate").standard_gamma(behaviour["r"]) / behaviour["alpha"]
    dropout = streams.named("customers/dropout").beta(behaviour["a"], behaviour["b"])
    spend_scale = streams.named("customers/spend").standard_gamma(behaviour["q"]) / behaviour["v"]
    worth = np.log(rate + 1e-9) + np.log(behaviour["p"] / spend_scale)
    first_tier = _tiers(worth + streams.named("customers/tier").normal(0.0, 0.8, size), business)
    later_tier, tier_changed = _tier_changes(streams, first_tier, acquired, timeline)
    region = pick(streams.uniform("customers/region", size), company.REGION_SHARE)
    moves = streams.uniform("customers/moves", (size, 3))
    moved = np.where(
        moves[:, 0] < 0.02, acquired + 30 + moves[:, 1] * np.maximum(timeline.end - acquired - 30, 0), np.nan
    )
    names, english = customer_names(streams, business)
    kind = np.where(
        business,
        pick(streams.uniform("customers/contract", size), CONTRACT_SHARE_B2B),
        pick(streams.uniform("customers/contract", size), CONTRACT_SHARE_B2C),
    )
    channel = np.where(
        business,
        pick(streams.uniform("customers/channel", size), (0.5, 0.38, 0.10, 0.02)),
        pick(streams.uniform("customers/channel", size), (0.05, 0.25, 0.45, 0.25)),
    )
    customers = Customers(
        identity=streams.identities("customers/identity", size),
        names=names,
        english=english,
        business=business,
        region=region,
        channel=channel,
        acquired=acquired,
        first_tier=first_tier,
        later_tier=later_tier,
        tier_changed=tier_changed,
        moved=np.where(moved < timeline.end - 1, moved, np.nan),
        region_before=pick(moves[:, 2], company.REGION_SHARE),
        contract_kind=kind,
    )
    return customers, _purchases(streams, timeline, acquired, rate, dropout, spend_scale, behaviour["p"])


def hour_of_day(marks: Floats) -> Floats:
    """Hour at which people write or call: rare at night, two humps by day."""
    hours = np.array([0, 7, 9, 12, 14, 18, 22, 24.0])
    spoken: Floats = np.interp(marks, np.array([0, 0.03, 0.16, 0.46, 0.58, 0.83, 0.98, 1.0]), hours)
    return spoken


def _acquisition_times(streams: Streams, timeline: Timeline, size: int) -> Floats:
    months = len(timeline.months)
    trend = np.linspace(1.35, 0.80, months)
    season = np.array([ACQUISITION_SEASON[month.number - 1] for month in timeline.months])
    month = pick(streams.uniform("customers/month", size), tuple(trend * season))
    days = timeline.edges[month + 1] - timeline.edges[month]
    day = timeline.edges[month] + np.floor(streams.uniform("customers/day", size) * days)
    acquired = day + hour_of_day(streams.uniform("customers/hour", size)) / 24
    return np.sort(acquired, kind="stable")  # numbered in the order in which they came


def _tiers(worth: Floats, business: Flags) -> Ints:
    tier = np.full(worth.size, 2, dtype=np.int64)
    for kind, shares in ((True, TIER_SHARE_B2B), (False, TIER_SHARE_B2C)):
        members = np.flatnonzero(business == kind)
        if members.size:
            rank = np.argsort(np.argsort(-worth[members], kind="stable"), kind="stable") / members.size
            tier[members] = np.searchsorted(np.cumsum(shares)[:-1], rank, side="right")
    return tier


def _tier_changes(streams: Streams, tier: Ints, acquired: Floats, timeline: Timeline) -> tuple[Ints, Floats]:
    marks = streams.uniform("customers/tier_change", (tier.size, 3))
    up = marks[:, 1] < 0.55
    later = np.clip(np.where(up, tier - 1, tier + 1), 0, 2)
    changed = acquired + 90 + marks[:, 2] * 1_200
    real = (marks[:, 0] < 0.07) & (later != tier) & (changed < timeline.end - 1)
    return np.where(real, later, tier), np.where(real, np.floor(changed), np.nan)


def _purchases(
    streams: Streams,
    timeline: Timeline,
    acquired: Floats,
    rate: Floats,
    dropout: Floats,
    spend_scale: Floats,
    shape: Floats,
) -> Purchases:
    """First purchase at acquisition; repeats are Poisson until a geometric number of repeats has been made (BG/NBD: no dropout at the first)."""
    size = acquired.size
    lived_weeks = (timeline.end - acquired) / DAYS_PER_WEEK
    generator = streams.named("purchases/times")
    repeats = generator.poisson(rate * lived_weeks)
    owner = np.repeat(np.arange(size), repeats)
    time = acquired[owner] + generator.random(owner.size) * (timeline.end - acquired[owner])
    order = np.lexsort((time, owner))
    owner, time = owner[order], time[order]
    first = np.concatenate([[0], np.cumsum(repeats)])[:-1]
    nth = np.arange(owner.size) - first[owner] + 1
    last = streams.named("purchases/dropout").geometric(np.clip(dropout, 1e-9, 1.0))
    alive = nth <= last[owner]
    customer = np.concatenate([np.arange(size), owner[alive]])
    time = np.concatenate([acquired, time[alive]])
    order = np.lexsort((time, customer))
    customer, time = customer[order], time[order]
    spend = streams.named("purchases/spend").standard_gamma(shape[customer]) / spend_scale[customer]
    return Purchases(
        identity=streams.identities("purchases/identity", customer.size),
        customer=customer,
        time=time,
        spend=np.maximum(np.round(spend, 2), 99.0),
    )
