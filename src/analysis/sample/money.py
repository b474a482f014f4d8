"""Money, to the cent: parts, claims, the after-sales ledger, the provision and the general-ledger control totals.

Everything is whole cents until a column is written. The ledger is built once; every total (general ledger, provision,
staff cost, parts, claims) is a sum over the same arrays, so that each tie-out holds exactly by construction.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from analysis.sample.installed_base import Units
from analysis.sample.service import (
    M_CLAIM,
    M_CLAIM_DAYS,
    M_CLAIM_SHARE,
    M_CLAIM_SIZE,
    M_FREIGHT,
    M_KIT,
    M_LEAK,
    M_PART_PRICE,
    M_PART_QTY,
    M_POST_LAG,
    M_RECOVER,
    Orders,
    normal,
)  # fmt: skip
from analysis.sample.streams import Flags, Floats, Ints, Streams
from analysis.sample.timeline import CLOSE_DAYS, Timeline
from analysis.sample.truths import Planted
from analysis.sample.work import Staff, Work

ACCOUNT_CODES: tuple[str, ...] = (*(entry.account for entry in ACCOUNTS), UNMAPPED_ACCOUNT)
ACCOUNT_AT = {code: index for index, code in enumerate(ACCOUNT_CODES)}
CATEGORIES: tuple[str | None, ...] = tuple(CATEGORY_OF.get(code) for code in ACCOUNT_CODES)
BASES: tuple[str, ...] = ("incurred", "accrual", "utilisation", "adjustment", "recovery")
INCURRED, ACCRUAL, UTILISATION, ADJUSTMENT, RECOVERY = range(5)
PART_NUMBERS: tuple[str, ...] = (*(component.part_no for component in COMPONENTS), CONSUMABLE_PART[0])
KIT = len(COMPONENTS)
CATEGORY_FILLED_SHARE = 0.93
ACCRUAL_RATE = 0.0065
OPENING_PROVISION = 10_500_000.0
LINE_SHARE = (0.42, 0.33, 0.25)
GENERAL_COST_CENTER = "CC-7900"
COST_CENTERS: tuple[str, ...] = (*(team.cost_center for team in TEAMS), GENERAL_COST_CENTER)
GENERAL = len(TEAMS)


def warranty_end(timeline: Timeline, units: Units) -> Floats:
    """First day without warranty, as a day of the sample's axis."""
    months = np.array([product.warranty_months for product in company.PRODUCTS])[units.product]
    return np.floor(units.in_service + months * 30.4375)


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """One entry a part used on a resolved order."""

    order: Ints
    part: Ints
    quantity: Ints
    price: Ints  # cents
    supplier: Ints

    @property
    def cents(self) -> Ints:
        return self.quantity * self.price


def parts_used(timeline: Timeline, planted: Planted, units: Units, orders: Orders) -> Parts:
    """The failed component's part on each confirmed repair, and often a kit of consumables."""
    done = orders.resolved < timeline.end
    fixed = np.flatnonzero((orders.kind == REPAIR) & (orders.component >= 0) & done)
    component = orders.component[fixed]
    base = np.array([entry.part_price for entry in COMPONENTS])[component]
    risen = np.isin(np.array(PART_NUMBERS)[component], planted.price_rise_parts) & (
        np.floor(orders.resolved[fixed]) >= timeline.month_start(planted.price_rise_month)
    )
    price = (
        base
        * (1 + 0.02 * normal(orders.marks[fixed, M_PART_PRICE]))
        * np.where(risen, planted.price_rise_ratio, 1.0)
    )
    quantity = 1 + (orders.marks[fixed, M_PART_QTY] < 0.08).astype(np.int64)
    kits = np.flatnonzero(
        np.isin(orders.kind, (REPAIR, MAINTENANCE)) & done & (orders.marks[:, M_KIT] < 0.45)
    )
    kit_price = CONSUMABLE_PART[1] * (1 + 0.02 * normal(orders.marks[kits, M_PART_PRICE]))
    order = np.concatenate([fixed, kits])
    by_order = np.lexsort((np.arange(order.size), order))
    return Parts(
        order=order[by_order],
        part=np.concatenate([component, np.full(kits.size, KIT)])[by_order],
        quantity=np.concatenate([quantity, np.ones(kits.size, dtype=np.int64)])[by_order],
        price=np.round(np.concatenate([price, kit_price]) * 100).astype(np.int64)[by_order],
        supplier=np.concatenate([units.supplier[orders.unit[fixed]], np.full(kits.size, -1)])[by_order],
    )


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


def claims(timeline: Timeline, planted: Planted, units: Units, orders: Orders, covered: Flags) -> Claims:
    """Compensation asked for after complaints, returns and long repairs; part is recovered from the supplier.

    Leakage, when planted: claims out of warranty that were approved, and claims paid twice under another number.
    """
    chance = np.select(
        [orders.kind == COMPLAINT, orders.kind == RETURN, orders.kind == REPAIR], [0.30, 0.20, 0.06], 0.0
    )
    marks = orders.marks
    order = np.flatnonzero((marks[:, M_CLAIM] < chance) & (orders.resolved < timeline.end))
    amount = np.round(1_250 * np.exp(0.6 * normal(marks[order, M_CLAIM_SIZE]))) * 100
    leaked = ~covered[order] & (marks[order, M_LEAK] < planted.leakage_share * 8)
    granted = np.where(
        covered[order] | leaked, np.round(amount * (0.45 + 0.55 * marks[order, M_CLAIM_SHARE])), 0.0
    )
    claimed = np.floor(orders.resolved[order])
    decided = claimed + 2 + np.floor(-10 * np.log1p(-marks[order, M_CLAIM_DAYS]))
    back = covered[order] & (orders.unit[order] >= 0) & (marks[order, M_RECOVER] < 0.40)
    recovered = np.where(back, np.round(granted * (0.25 + 0.8 * marks[order, M_RECOVER])), 0.0)
    recovered_on = decided + 15 + np.floor(40 * marks[order, M_LEAK])
    twice = np.flatnonzero((marks[order, M_LEAK] > 1 - planted.leakage_share) & (granted > 0))
    again = np.concatenate([np.arange(order.size), twice])
    duplicate = np.concatenate([np.zeros(order.size, dtype=bool), np.ones(twice.size, dtype=bool)])
    claimed, decided = claimed[again] + 3 * duplicate, decided[again] + 3 * duplicate
    pending = decided >= timeline.end
    arrived = (recovered_on[again] < timeline.end) & ~duplicate & ~pending & (recovered[again] > 0)
    seen = claimed < timeline.end
    by_day = np.lexsort((np.arange(again.size), claimed))
    by_day = by_day[seen[by_day]]
    built = Claims(
        order=order[again],
        claimed=claimed,
        decided=np.where(pending, np.nan, decided),
        amount=amount[again].astype(np.int64),
        approved=np.where(pending, 0, granted[again]).astype(np.int64),
        recovered=np.where(arrived, recovered[again], 0).astype(np.int64),
        recovered_on=np.where(arrived, recovered_on[again], np.nan),
        duplicate=duplicate,
        out_of_warranty=leaked[again],
    )
    return Claims(**{entry.name: getattr(built, entry.name)[by_day] for entry in fields(Claims)})


@dataclass(frozen=True, kw_only=True, eq=False)
class Postings:
    """One entry a ledger posting; -1 (or not-a-number) where a field does not apply. ``cents`` is negative for a credit."""

    posted: Floats
    account: Ints
    cents: Ints
    order: Ints
    cost_center: Ints
    pool: Ints
    team: Ints
    region: Ints
    line: Ints
    unit: Ints
    supplier: Ints
    basis: Ints
    incurred: Floats

    @property
    def size(self) -> int:
        return int(self.posted.size)


@dataclass(eq=False)
class Journal:
    """Collects postings block by block."""

    blocks: list[dict[str, np.ndarray]] = field(default_factory=list)

    def post(
        self, posted: Floats, account: str | Sequence[str], cents: Ints, **columns: np.ndarray | float
    ) -> None:
        size = np.asarray(posted).size
        accounts = (
            np.full(size, ACCOUNT_AT[account])
            if isinstance(account, str)
            else np.array([ACCOUNT_AT[code] for code in account], dtype=np.int64)
        )
        block: dict[str, np.ndarray] = {
            "posted": np.asarray(posted, dtype=float),
            "account": accounts,
            "cents": np.asarray(cents, dtype=np.int64),
        }
        for entry in fields(Postings):
            if entry.name not in block:
                absent = np.nan if entry.name == "incurred" else (INCURRED if entry.name == "basis" else -1)
                value = np.asarray(columns.get(entry.name, absent))
                block[entry.name] = np.broadcast_to(value, (size,)).astype(
                    float if entry.name == "incurred" else np.int64
                )
        self.blocks.append(block)

    def closed(self) -> Postings:
        """All postings by day; postings of nothing are left out."""
        joined = {
            entry.name: np.concatenate([block[entry.name] for block in self.blocks])
            for entry in fields(Postings)
        }
        order = np.lexsort((np.arange(joined["posted"].size), joined["posted"]))
        order = order[joined["cents"][order] != 0]
        return Postings(**{name: values[order] for name, values in joined.items()})


def posted_days(timeline: Timeline, rendered: Floats, marks: Floats) -> Floats:
    """Most work is posted in its own month within three days; some of it early in the next, never after the window."""
    month = np.clip(timeline.month_of(rendered), 0, len(timeline.months) - 1)
    last_day = timeline.edges[month + 1] - 1
    prompt = np.minimum(np.floor(rendered) + np.floor(3 * marks), last_day)
    late = last_day + 1 + np.floor(marks * 100) % 5
    return np.where((marks > 0.96) & (late < timeline.end), late, prompt)


def ledger(
    streams: Streams, timeline: Timeline, planted: Planted, units: Units, orders: Orders, work: Work, crew: Staff,
    used: Parts, asked: Claims, covered: Flags, line_revenue: Ints, *, scale: float,
) -> tuple[Postings, Provision]:  # fmt: skip
    """Every after-sales posting of the window, and the provision that its accrual, use and adjustment belong to."""
    journal = Journal()
    _direct(journal, timeline, units, orders, work, used, asked)
    _labour(journal, timeline, crew)
    _pools(journal, streams, timeline, scale=scale)
    incurred = journal.closed()
    held = provision(streams, timeline, orders, covered, incurred, line_revenue, scale=scale)
    last_days = timeline.edges[timeline.window + 1 :] - 1.0
    for line in range(len(PRODUCT_LINES)):
        for account, basis, cents in (
            ("2241.05.01", ACCRUAL, held.accrued[:, line]),
            ("2241.05.02", UTILISATION, -held.utilised[:, line]),
            ("2241.05.03", ADJUSTMENT, held.adjusted[:, line]),
        ):
            journal.post(last_days, account, cents, line=line, basis=basis, cost_center=GENERAL)
    return journal.closed(), held


def _direct(
    journal: Journal, timeline: Timeline, units: Units, orders: Orders, work: Work, used: Parts, asked: Claims
) -> None:
    """Postings that carry a service order: parts, freight, partners, compensation and what suppliers paid back."""

    def trace(order: Ints) -> dict[str, np.ndarray]:
        unit = orders.unit[order]
        center = np.where(work.team[order] >= 0, work.team[order], GENERAL)
        return {
            "order": order,
            "unit": unit,
            "line": units.line[unit],
            "region": orders.region[order],
            "team": work.team[order],
            "cost_center": center,
            "incurred": np.floor(orders.resolved[order]),
        }

    lag = orders.marks[:, M_POST_LAG]
    posted = posted_days(timeline, orders.resolved, lag)
    journal.post(posted[used.order], "6601.02.01", used.cents, supplier=used.supplier, **trace(used.order))
    back = np.flatnonzero((lag[used.order] < 0.02) & (used.part != KIT))
    journal.post(
        posted[used.order[back]], "6601.02.02", -(used.price[back] * 9 // 10), **trace(used.order[back])
    )
    freight = np.round(
        np.asarray(company.FREIGHT)[orders.kind] * np.exp(0.22 * normal(orders.marks[:, M_FREIGHT])) * 100
    ).astype(np.int64)
    done = orders.resolved < timeline.end
    for account, chosen in (
        ("6601.03.01", done & (orders.kind != RETURN)),
        ("6601.03.02", done & (orders.kind == RETURN)),
    ):
        moved = np.flatnonzero(chosen & (freight > 0))
        journal.post(posted[moved], account, freight[moved], **trace(moved))
    partner = np.flatnonzero((work.fee > 0) & done)
    journal.post(posted[partner], "6601.05.01", work.fee[partner], **trace(partner))
    paid = np.flatnonzero(asked.approved > 0)
    journal.post(
        asked.decided[paid],
        "6601.04.01",
        asked.approved[paid],
        **(trace(asked.order[paid]) | {"incurred": asked.decided[paid]}),
    )
    returned = np.flatnonzero(asked.recovered > 0)
    journal.post(
        asked.recovered_on[returned], "6601.02.09", -asked.recovered[returned], basis=RECOVERY,
        **(trace(asked.order[returned]) | {"supplier": units.supplier[orders.unit[asked.order[returned]]], "incurred": asked.recovered_on[returned]}),
    )  # fmt: skip


def _labour(journal: Journal, timeline: Timeline, crew: Staff) -> None:
    """In-house staff cost by team and month on three accounts, which sum to the staff table to the cent."""
    size = len(timeline.window_months)
    in_house = crew.team < company.PARTNER_RUIAN
    cell = crew.team[in_house] * size + crew.month[in_house]
    total = np.zeros(len(TEAMS) * size, dtype=np.int64)
    np.add.at(total, cell, crew.cents[in_house])
    team, month = np.divmod(np.arange(total.size), size)
    wages, insurance = total * 78 // 100, total * 17 // 100
    last_day = timeline.edges[timeline.window + 1 + month] - 1.0
    regions = np.array([company.REGIONS.index(entry.region) if entry.region else -1 for entry in TEAMS])
    for account, cents in (
        ("6601.01.01", wages),
        ("6601.01.02", insurance),
        ("6601.01.03", total - wages - insurance),
    ):
        journal.post(last_day, account, cents, team=team, cost_center=team, region=regions[team])


def _pools(journal: Journal, streams: Streams, timeline: Timeline, *, scale: float) -> None:
    """Period costs by pool, small other expense, and a few postings on an account no map knows."""
    size = len(timeline.window_months)
    starts = timeline.edges[timeline.window : -1].astype(float)
    noise = streams.named("ledger/pools").standard_normal((len(POOLS) + 1, size, 2))
    for index, pool in enumerate(POOLS):
        for half, share in enumerate((0.6, 0.4)):
            cents = np.round(pool.monthly * share * scale * (1 + 0.015 * noise[index, :, half]) * 100).astype(
                np.int64
            )
            journal.post(starts + (4, 19)[half], pool.account, cents, pool=index, cost_center=GENERAL)
    other = np.round(9_000 * scale * (1 + 0.08 * noise[-1, :, 0]) * 100).astype(np.int64)
    journal.post(starts + 24, "6601.11.01", other, cost_center=GENERAL)
    marks = streams.uniform("ledger/unmapped", (size, 3))
    lost = np.flatnonzero(marks[:, 0] < 0.4)
    cents = np.round((400 + 6_000 * marks[lost, 1]) * max(scale, 0.05) * 100).astype(np.int64)
    journal.post(starts[lost] + np.floor(27 * marks[lost, 2]), UNMAPPED_ACCOUNT, cents, cost_center=GENERAL)


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
    streams: Streams,
    timeline: Timeline,
    orders: Orders,
    covered: Flags,
    incurred: Postings,
    line_revenue: Ints,
    *,
    scale: float,
) -> Provision:
    """Accrued on product revenue; used by what in-warranty orders cost directly; adjusted at the year's end."""
    size, lines = len(timeline.window_months), len(PRODUCT_LINES)
    accrued = np.round(line_revenue * ACCRUAL_RATE).astype(np.int64)
    used = (incurred.order >= 0) & (incurred.basis == INCURRED)
    used &= covered[np.maximum(incurred.order, 0)]
    utilised = np.zeros((size, lines), dtype=np.int64)
    np.add.at(
        utilised, (timeline.window_month_of(incurred.posted[used]), incurred.line[used]), incurred.cents[used]
    )
    adjusted = np.zeros((size, lines), dtype=np.int64)
    marks = streams.uniform("provision/adjusted", (size, lines))
    for position, month in enumerate(timeline.window_months):
        if month.number == 12:
            adjusted[position] = np.round((marks[position] - 0.4) * 300_000 * scale).astype(np.int64) * 100
    opening = np.zeros((size, lines), dtype=np.int64)
    balance = np.round(np.asarray(LINE_SHARE) * OPENING_PROVISION * scale).astype(np.int64) * 100
    for position in range(size):
        opening[position] = balance
        balance = balance + accrued[position] - utilised[position] + adjusted[position]
    return Provision(opening=opening, accrued=accrued, utilised=utilised, adjusted=adjusted)


def recorded_at(streams: Streams, timeline: Timeline, postings: Postings) -> Floats:
    """Most postings are known within a day; a few invoices arrive later, but before the books of their month close."""
    marks = streams.uniform("ledger/recorded", (postings.size, 2))
    month = timeline.month_of(postings.posted)
    close = timeline.edges[month + 1] + CLOSE_DAYS - 0.5
    late = postings.posted + np.where(marks[:, 0] < 0.02, 3 + 25 * marks[:, 1], 0.4 + 0.5 * marks[:, 1])
    return np.minimum(late, close)
