"""Money, to the cent: parts, claims, the after-sales ledger and the warranty provision.

Everything is whole cents until a column is written. The ledger is built once; every total (general ledger, provision,
staff cost, parts, claims) is a sum over the same arrays, so that each tie-out holds exactly by construction.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from analysis.sample import company
from analysis.sample.accounts import ACCOUNTS, CATEGORY_OF, POOLS, UNMAPPED_ACCOUNT
from analysis.sample.company import (
    COMPLAINT,
    COMPONENTS,
    CONSUMABLE_PART,
    MAINTENANCE,
    PRODUCT_LINES,
    REPAIR,
    RETURN,
    TEAMS,
)
from analysis.sample.service import Orders, normal
from analysis.sample.streams import Flags, Floats, Identities, Ints, Streams, child, mark
from analysis.sample.timeline import CLOSE_DAYS, Timeline
from analysis.sample.work import Desk, Staff

ACCOUNT_CODES: tuple[str, ...] = (*(entry.account for entry in ACCOUNTS), UNMAPPED_ACCOUNT)
ACCOUNT_AT = {code: index for index, code in enumerate(ACCOUNT_CODES)}
CATEGORIES: tuple[str | None, ...] = tuple(CATEGORY_OF.get(code) for code in ACCOUNT_CODES)
BASES: tuple[str, ...] = ("incurred", "accrual", "utilisation", "adjustment", "recovery")
INCURRED, ACCRUAL, UTILISATION, ADJUSTMENT, RECOVERY = range(5)
PART_NUMBERS: tuple[str, ...] = (*(component.part_no for component in COMPONENTS), CONSUMABLE_PART[0])
KIT = len(COMPONENTS)
KIT_SHARE = 0.45  # of repairs and maintenance visits
PRICE_NOISE = 0.02
FREIGHT_SPREAD = 0.22
CATEGORY_FILLED_SHARE = 0.93
WAGES_PERCENT, INSURANCE_PERCENT = 78, 17  # of labour cost; the rest is overtime and allowances
ACCRUAL_RATE = 0.0065  # of product revenue
OPENING_PROVISION = 10_500_000.0
LINE_SHARE = (0.42, 0.33, 0.25)
GENERAL_COST_CENTER = "CC-7900"
COST_CENTERS: tuple[str, ...] = (*(team.cost_center for team in TEAMS), GENERAL_COST_CENTER)
GENERAL = len(TEAMS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """One entry a part used on a resolved order; ``price`` in cents."""

    order: Ints
    part: Ints
    quantity: Ints
    price: Ints
    supplier: Ints

    @property
    def cents(self) -> Ints:
        return self.quantity * self.price


def parts_used(desk: Desk) -> Parts:
    """The failed component's part on each repair with a fault, and often a kit of consumables."""
    orders, planted = desk.orders, desk.planted
    noise = 1 + PRICE_NOISE * normal(orders.mark("part price"))
    fixed = np.flatnonzero((orders.kind == REPAIR) & (orders.component >= 0) & desk.done)
    component = orders.component[fixed]
    dearer = np.isin(np.array(PART_NUMBERS)[component], planted.price_rise_parts)
    dearer &= orders.resolved[fixed] >= desk.timeline.month_start(planted.price_rise_month)
    list_price = np.array([entry.part_price for entry in COMPONENTS])[component]
    price = list_price * noise[fixed] * np.where(dearer, planted.price_rise_ratio, 1.0)
    quantity = 1 + (orders.mark("part quantity")[fixed] < 0.08)
    visits = np.isin(orders.kind, (REPAIR, MAINTENANCE)) & desk.done
    kits = np.flatnonzero(visits & (orders.mark("kit") < KIT_SHARE))
    order = np.concatenate([fixed, kits])
    by_order = np.argsort(order, kind="stable")
    built = {
        "order": order,
        "part": np.concatenate([component, np.full(kits.size, KIT)]),
        "quantity": np.concatenate([quantity, np.ones(kits.size)]).astype(np.int64),
        "price": np.round(np.concatenate([price, CONSUMABLE_PART[1] * noise[kits]]) * 100).astype(np.int64),
        "supplier": np.concatenate([desk.units.supplier[orders.unit[fixed]], np.full(kits.size, -1)]),
    }
    return Parts(**{name: values[by_order] for name, values in built.items()})


@dataclass(frozen=True, kw_only=True, eq=False)
class Claims:
    """One entry a compensation claim. ``decided`` and ``recovered_on`` are not-a-number while pending; money in cents."""

    order: Ints
    claimed: Floats
    decided: Floats
    amount: Ints
    approved: Ints
    recovered: Ints
    recovered_on: Floats
    duplicate: Flags
    out_of_warranty: Flags


def claims(desk: Desk) -> Claims:
    """Compensation asked for after complaints, returns and long repairs; part is recovered from the supplier.

    Leakage, when planted: claims out of warranty that were approved, and claims paid a second time under another number.
    """
    orders, end = desk.orders, desk.timeline.end
    chance = np.select(
        [orders.kind == COMPLAINT, orders.kind == RETURN, orders.kind == REPAIR], [0.30, 0.20, 0.06]
    )
    order = np.flatnonzero((orders.mark("claim") < chance) & desk.done)
    identity, covered = child(orders.identity[order], "claim"), desk.covered[order]
    leakage = desk.planted.leakage_share
    leaked = ~covered & (mark(identity, "waved through") < 8 * leakage)
    amount = np.round(1_250 * np.exp(0.6 * normal(mark(identity, "size")))) * 100
    granted = np.where(covered | leaked, np.round(amount * (0.45 + 0.55 * mark(identity, "granted"))), 0.0)
    claimed = np.floor(orders.resolved[order])
    decided = claimed + 2 + np.floor(-10 * np.log1p(-mark(identity, "days to decide")))
    charged_back = covered & (mark(identity, "charged back") < 0.40)
    recovered = np.where(charged_back, np.round(granted * (0.25 + 0.35 * mark(identity, "share"))), 0.0)
    twice = np.flatnonzero((mark(identity, "paid twice") < leakage) & (granted > 0))
    again = np.concatenate([np.arange(order.size), twice])
    duplicate = np.arange(again.size) >= order.size
    claimed, decided = claimed[again] + 3 * duplicate, decided[again] + 3 * duplicate
    pending = decided >= end
    recovered_on = decided + 15 + np.floor(40 * mark(identity, "days to recover"))[again]
    arrived = (recovered_on < end) & ~duplicate & (recovered[again] > 0)
    built = {
        "order": order[again],
        "claimed": claimed,
        "decided": np.where(pending, np.nan, decided),
        "amount": amount[again].astype(np.int64),
        "approved": np.where(pending, 0, granted[again]).astype(np.int64),
        "recovered": np.where(arrived, recovered[again], 0).astype(np.int64),
        "recovered_on": np.where(arrived, recovered_on, np.nan),
        "duplicate": duplicate,
        "out_of_warranty": leaked[again],
    }
    by_day = np.argsort(claimed, kind="stable")
    by_day = by_day[claimed[by_day] < end]
    return Claims(**{name: values[by_day] for name, values in built.items()})


@dataclass(frozen=True, kw_only=True, eq=False)
class Postings:
    """One entry a ledger posting; -1 (or not-a-number) where a field does not apply. ``cents`` is negative for a credit."""

    identity: Identities
    posted: Floats
    account: Ints
    cents: Ints
    order: Ints
    cost_center: Ints
    pool: Ints
    team: Ints
    region: Ints
    channel: Ints
    product: Ints
    line: Ints
    unit: Ints
    supplier: Ints
    basis: Ints
    incurred: Floats

    @property
    def size(self) -> int:
        return int(self.posted.size)

    @property
    def counted(self) -> Flags:
        """Postings that make up the after-sales cost: incurred basis and recoveries."""
        return np.isin(self.basis, (INCURRED, RECOVERY))


@dataclass(eq=False)
class Journal:
    """Collects postings block by block."""

    seed: int
    blocks: list[dict[str, np.ndarray]] = field(default_factory=list)

    def post(self, account: str, posted: Floats, cents: Ints, key: Ints, **given: np.ndarray | float) -> None:
        """A block on one account. ``key`` tells its postings apart, whatever else is in the ledger."""
        size = np.asarray(posted).size
        root = np.full(size, self.seed, dtype=np.uint64)
        block: dict[str, np.ndarray] = {
            "identity": child(root, account, key),
            "posted": np.asarray(posted, dtype=float),
            "account": np.full(size, ACCOUNT_AT[account]),
            "cents": np.asarray(cents, dtype=np.int64),
        }
        for entry in fields(Postings):
            if entry.name not in block:
                absent = {"incurred": np.nan, "basis": INCURRED}.get(entry.name, -1)
                kind = float if entry.name == "incurred" else np.int64
                block[entry.name] = np.broadcast_to(
                    np.asarray(given.get(entry.name, absent)), (size,)
                ).astype(kind)
        self.blocks.append(block)

    def closed(self) -> Postings:
        """All postings by day; postings of nothing are left out."""
        joined = {f.name: np.concatenate([block[f.name] for block in self.blocks]) for f in fields(Postings)}
        order = np.argsort(joined["posted"], kind="stable")
        order = order[joined["cents"][order] != 0]
        return Postings(**{name: values[order] for name, values in joined.items()})


def ledger(
    streams: Streams,
    desk: Desk,
    crew: Staff,
    used: Parts,
    asked: Claims,
    *,
    channel: Ints,
    line_revenue: Ints,
    scale: float,
) -> tuple[Postings, Provision]:
    """Every after-sales posting of the window, and the provision that its accrual, use and adjustment belong to.

    ``channel``: sales channel of each service order's customer; ``line_revenue``: cents by window month and product line.
    """
    timeline = desk.timeline
    journal = Journal(streams.seed)
    _direct(journal, desk, used, asked, channel)
    _labour(journal, timeline, crew)
    _pools(journal, streams, timeline, scale=scale)
    held = provision(streams, desk, journal.closed(), line_revenue, scale=scale)
    last_days = (timeline.edges[timeline.window + 1 :] - 1).astype(float)
    for account, basis, amounts in (
        ("2241.05.01", ACCRUAL, held.accrued),
        ("2241.05.02", UTILISATION, -held.utilised),
        ("2241.05.03", ADJUSTMENT, held.adjusted),
    ):
        month, line = np.divmod(np.arange(amounts.size), len(PRODUCT_LINES))
        key = np.arange(amounts.size)
        journal.post(
            account, last_days[month], amounts.ravel(), key, line=line, basis=basis, cost_center=GENERAL
        )
    return journal.closed(), held


def posted_days(timeline: Timeline, orders: Orders) -> Floats:
    """Most work is posted in its own month within three days; some of it early in the next, never after the window."""
    day = np.floor(orders.resolved)
    month = np.clip(timeline.month_of(day), 0, len(timeline.months) - 1)
    last_day = timeline.edges[month + 1] - 1
    prompt = np.minimum(day + np.floor(3 * orders.mark("posting days")), last_day)
    late = last_day + 1 + np.floor(5 * orders.mark("posting days"))
    return np.where((orders.mark("posted late") < 0.04) & (late < timeline.end), late, prompt)


def _direct(journal: Journal, desk: Desk, used: Parts, asked: Claims, channel: Ints) -> None:
    """Postings that carry a service order: parts, freight, partners, compensation and what suppliers paid back."""
    orders, units, work = desk.orders, desk.units, desk.work

    def post(
        account: str, order: Ints, cents: Ints, day: Floats | None = None, **given: np.ndarray | float
    ) -> None:
        unit = orders.unit[order]
        traced: dict[str, np.ndarray | float] = {
            "order": order,
            "unit": unit,
            "product": units.product[unit],
            "line": units.line[unit],
            "region": orders.region[order],
            "channel": channel[order],
            "team": work.team[order],
            "cost_center": np.where(work.team[order] >= 0, work.team[order], GENERAL),
            "incurred": np.floor(orders.resolved[order]) if day is None else day,
        }
        key = orders.identity[order].view(np.int64)
        journal.post(account, posted[order] if day is None else day, cents, key, **(traced | given))

    posted = posted_days(desk.timeline, orders)
    post("6601.02.01", used.order, used.cents, supplier=used.supplier)
    sent_back = np.flatnonzero((orders.mark("part sent back")[used.order] < 0.02) & (used.part != KIT))
    post(
        "6601.02.02",
        used.order[sent_back],
        -(used.price[sent_back] * 9 // 10),
        supplier=used.supplier[sent_back],
    )
    rate = np.asarray(company.FREIGHT)[orders.kind] * np.exp(FREIGHT_SPREAD * normal(orders.mark("freight")))
    freight = np.round(rate * 100).astype(np.int64)
    moved = desk.done & (freight > 0)
    for account, chosen in (("6601.03.01", orders.kind != RETURN), ("6601.03.02", orders.kind == RETURN)):
        order = np.flatnonzero(moved & chosen)
        post(account, order, freight[order])
    order = np.flatnonzero(desk.done & (work.fee > 0))
    post("6601.05.01", order, work.fee[order])
    paid = np.flatnonzero(asked.approved > 0)
    post("6601.04.01", asked.order[paid], asked.approved[paid], day=asked.decided[paid])
    back = np.flatnonzero(asked.recovered > 0)
    supplier = units.supplier[orders.unit[asked.order[back]]]
    post(
        "6601.02.09",
        asked.order[back],
        -asked.recovered[back],
        day=asked.recovered_on[back],
        basis=RECOVERY,
        supplier=supplier,
    )


def _labour(journal: Journal, timeline: Timeline, crew: Staff) -> None:
    """In-house staff cost by team and month on three accounts, which sum to the staff table to the cent."""
    size = len(timeline.window_months)
    in_house = crew.team < company.PARTNER_RUIAN
    total = np.zeros(len(TEAMS) * size, dtype=np.int64)
    np.add.at(total, crew.team[in_house] * size + crew.month[in_house], crew.cents[in_house])
    team, month = np.divmod(np.arange(total.size), size)
    wages, insurance = total * WAGES_PERCENT // 100, total * INSURANCE_PERCENT // 100
    last_day = timeline.edges[timeline.window + 1 + month] - 1.0
    region = np.array([company.REGIONS.index(entry.region) if entry.region else -1 for entry in TEAMS])[team]
    for account, cents in (
        ("6601.01.01", wages),
        ("6601.01.02", insurance),
        ("6601.01.03", total - wages - insurance),
    ):
        journal.post(
            account, last_day, cents, np.arange(total.size), team=team, cost_center=team, region=region
        )


def _pools(journal: Journal, streams: Streams, timeline: Timeline, *, scale: float) -> None:
    """Period costs by pool, small other expense, and a few postings on an account no map knows."""
    size = len(timeline.window_months)
    starts = timeline.edges[timeline.window : -1].astype(float)
    noise = streams.named("ledger/pools").standard_normal((len(POOLS) + 1, size, 2))
    for index, pool in enumerate(POOLS):
        for half, (share, day) in enumerate(((0.6, 4), (0.4, 19))):
            cents = np.round(pool.monthly * share * scale * (1 + 0.015 * noise[index, :, half]) * 100)
            key = np.arange(size) * 2 + half
            journal.post(
                pool.account, starts + day, cents.astype(np.int64), key, pool=index, cost_center=GENERAL
            )
    other = np.round(9_000 * scale * (1 + 0.08 * noise[-1, :, 0]) * 100).astype(np.int64)
    journal.post("6601.11.01", starts + 24, other, np.arange(size), cost_center=GENERAL)
    marks = streams.uniform("ledger/unmapped", (size, 3))
    lost = np.flatnonzero(marks[:, 0] < 0.4)
    cents = np.round((400 + 6_000 * marks[lost, 1]) * max(scale, 0.05) * 100).astype(np.int64)
    journal.post(
        UNMAPPED_ACCOUNT, starts[lost] + np.floor(27 * marks[lost, 2]), cents, lost, cost_center=GENERAL
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Provision:
    """Window months x product lines, in cents: ``closing = opening + accrued - utilised + adjusted``."""

    opening: Ints
    accrued: Ints
    utilised: Ints
    adjusted: Ints

    @property
    def closing(self) -> Ints:
        return self.opening + self.accrued - self.utilised + self.adjusted


def provision(
    streams: Streams, desk: Desk, incurred: Postings, line_revenue: Ints, *, scale: float
) -> Provision:
    """Accrued on product revenue; used by what in-warranty orders cost directly; adjusted at the year's end."""
    timeline = desk.timeline
    size, lines = len(timeline.window_months), len(PRODUCT_LINES)
    accrued = np.round(line_revenue * ACCRUAL_RATE).astype(np.int64)
    used = (incurred.order >= 0) & (incurred.basis == INCURRED) & desk.covered[np.maximum(incurred.order, 0)]
    utilised = np.zeros((size, lines), dtype=np.int64)
    month = timeline.window_month_of(incurred.posted[used])
    np.add.at(utilised, (month, incurred.line[used]), incurred.cents[used])
    adjusted = np.zeros((size, lines), dtype=np.int64)
    marks = streams.uniform("provision/adjusted", (size, lines))
    december = np.array([entry.number == 12 for entry in timeline.window_months])
    adjusted[december] = np.round((marks[december] - 0.4) * 300_000 * scale).astype(np.int64) * 100
    opening_day = np.round(np.asarray(LINE_SHARE) * OPENING_PROVISION * scale).astype(np.int64) * 100
    change = np.cumsum(accrued - utilised + adjusted, axis=0)
    opening = opening_day + np.vstack([np.zeros((1, lines), dtype=np.int64), change[:-1]])
    return Provision(opening=opening, accrued=accrued, utilised=utilised, adjusted=adjusted)


def recorded_at(timeline: Timeline, postings: Postings) -> Floats:
    """Most postings are known within a day; a few invoices arrive later, but before the books of their month close."""
    month = timeline.month_of(postings.posted)
    close = timeline.edges[month + 1] + CLOSE_DAYS - 0.5
    lag, late = mark(postings.identity, "recorded after"), mark(postings.identity, "recorded late") < 0.02
    known: Floats = np.minimum(postings.posted + np.where(late, 3 + 25 * lag, 0.4 + 0.5 * lag), close)
    return known
