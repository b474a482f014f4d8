"""The seller's books, in whole cents: one list of postings, of which every control total is a sum. No posting names a ticket."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from analysis.sample.ecommerce import shops
from analysis.sample.ecommerce.buyers import Orders
from analysis.sample.ecommerce.desk import Staff, Tickets
from analysis.sample.streams import Flags, Floats, Ints, Streams
from analysis.sample.timeline import Timeline

DECIDED_AFTER_DAYS = 1.0
SETTLED = (7, 14, 21)  # platforms settle on these days of the month and on its last
WAGES_PERCENT, INSURANCE_PERCENT = 78, 17
MARKETING_SHARE = (0.07, 0.05, 0.08, 0.10)  # of a shop's revenue
OVERHEAD_SHARE = 0.11


@dataclass(frozen=True, kw_only=True, eq=False)
class Postings:
    """One entry a posting; -1 where a field does not apply. ``day`` counts as on the timeline."""

    day: Ints
    account: Ints
    cents: Ints
    shop: Ints
    line: Ints
    team: Ints
    pool: Ints

    @property
    def size(self) -> int:
        return int(self.day.size)


@dataclass(eq=False)
class Journal:
    """Collects postings block by block."""

    blocks: list[dict[str, np.ndarray]] = field(default_factory=list)

    def post(self, account: str, day: Ints, cents: Ints, **given: Ints | int) -> None:
        block = {"day": day, "account": np.full(day.size, shops.ACCOUNT_AT[account]), "cents": cents}
        self.blocks.append(
            {
                f.name: block.get(f.name, np.broadcast_to(np.asarray(given.get(f.name, -1)), day.shape))
                for f in fields(Postings)
            }
        )

    def closed(self) -> Postings:
        """All postings by day; postings of nothing are left out."""
        joined = {
            f.name: np.concatenate([block[f.name] for block in self.blocks]).astype(np.int64)
            for f in fields(Postings)
        }
        order = np.argsort(joined["day"], kind="stable")
        order = order[joined["cents"][order] != 0]
        return Postings(**{name: values[order] for name, values in joined.items()})


def decided(desk: Tickets) -> Floats:
    """The day on which a compensation is decided."""
    return np.floor(desk.resolved + DECIDED_AFTER_DAYS)


def ledger(
    streams: Streams, timeline: Timeline, orders: Orders, desk: Tickets, crew: Staff, *, scale: float
) -> Postings:
    """Every cost of the window, by day of posting."""
    journal = Journal()
    shop, line = orders.shop[desk.order], orders.line[desk.order]
    for kind, account in shops.FREIGHT_ACCOUNT.items():
        rows = (desk.kind == kind) & (desk.resolved < timeline.end)
        _settle(journal, timeline, account, desk.resolved, desk.freight, shop, line, rows)
    for account in dict.fromkeys(shops.COMPENSATION_ACCOUNT.values()):
        kinds = [kind for kind, other in shops.COMPENSATION_ACCOUNT.items() if other == account]
        rows = np.isin(desk.kind, kinds) & (decided(desk) < timeline.end)
        _settle(journal, timeline, account, decided(desk), desk.granted, shop, line, rows)
    _labour(journal, timeline, crew)
    _partner(journal, timeline, desk, shop, line)
    _pools(journal, streams, timeline, scale=scale)
    return journal.closed()


def _settle(
    journal: Journal,
    timeline: Timeline,
    account: str,
    day: Floats,
    cents: Ints,
    shop: Ints,
    line: Ints,
    rows: Flags,
) -> None:
    """One posting a settlement, shop and product line."""
    edges = timeline.edges
    month = timeline.month_of(day[rows])
    part = np.searchsorted(SETTLED, np.floor(day[rows]) - edges[month] + 1, side="left")
    lines, parts = len(shops.LINES), len(SETTLED) + 1
    key = ((month * parts + part) * len(shops.SHOPS) + shop[rows]) * lines + line[rows]
    cells, at = np.unique(key, return_inverse=True)
    total = np.zeros(cells.size, dtype=np.int64)
    np.add.at(total, at, cents[rows])
    rest, of_line = np.divmod(cells, lines)
    rest, of_shop = np.divmod(rest, len(shops.SHOPS))
    of_month, of_part = np.divmod(rest, parts)
    last = edges[of_month + 1] - 1
    settled = np.where(of_part < len(SETTLED), edges[of_month] + np.array([*SETTLED, 0])[of_part] - 1, last)
    journal.post(account, settled, total, shop=of_shop, line=of_line)


def month_ends(timeline: Timeline) -> Ints:
    return timeline.edges[timeline.window + 1 :] - 1


def shop_of_team(team: Ints) -> Ints:
    """The seasonal crew serves the flagship; the night partner serves every shop."""
    return np.array([*range(len(shops.SHOPS)), shops.FLAGSHIP, -1])[team]


def _labour(journal: Journal, timeline: Timeline, crew: Staff) -> None:
    """In-house staff cost by team and month on three accounts, which sum to the staff table to the cent."""
    months = len(timeline.window_months)
    own = crew.team < shops.NIGHT_PARTNER
    total = np.zeros(shops.NIGHT_PARTNER * months, dtype=np.int64)
    np.add.at(total, crew.team[own] * months + crew.month[own], crew.cents[own])
    team, month = np.divmod(np.arange(total.size), months)
    wages, insurance = total * WAGES_PERCENT // 100, total * INSURANCE_PERCENT // 100
    for account, cents in (
        ("6601.01.01", wages),
        ("6601.01.02", insurance),
        ("6601.01.03", total - wages - insurance),
    ):
        journal.post(account, month_ends(timeline)[month], cents, team=team, shop=shop_of_team(team))


def _partner(journal: Journal, timeline: Timeline, desk: Tickets, shop: Ints, line: Ints) -> None:
    """The night partner's invoice, by shop, product line and month of the case."""
    months, lines = len(timeline.window_months), len(shops.LINES)
    mine = desk.team == shops.NIGHT_PARTNER
    total = np.zeros(len(shops.SHOPS) * lines * months, dtype=np.int64)
    month = timeline.window_month_of(desk.opened[mine])
    np.add.at(total, (shop[mine] * lines + line[mine]) * months + month, desk.fee[mine])
    of_shop, rest = np.divmod(np.arange(total.size), lines * months)
    of_line, of_month = np.divmod(rest, months)
    ends = month_ends(timeline)[of_month]
    journal.post("6601.05.01", ends, total, shop=of_shop, line=of_line, team=shops.NIGHT_PARTNER)


def _pools(journal: Journal, streams: Streams, timeline: Timeline, *, scale: float) -> None:
    months = len(timeline.window_months)
    noise = streams.named("ecommerce/pools").standard_normal((len(shops.POOLS), months))
    for index, pool in enumerate(shops.POOLS):
        cents = np.round(pool.monthly * scale * (1 + 0.02 * noise[index]) * 100).astype(np.int64)
        journal.post(pool.account, timeline.edges[timeline.window : -1] + 14, cents, pool=index)
