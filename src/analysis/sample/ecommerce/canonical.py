"""The canonical tables of the seller, and its answer sheet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from analysis.periods import Month, months_between
from analysis.sample import columns
from analysis.sample.ecommerce import books, buyers, desk, shops
from analysis.sample.ecommerce.truths import TRUTHS, Planted, sheet
from analysis.sample.holidays import departures
from analysis.sample.streams import Floats, Ints, Streams, mark
from analysis.sample.timeline import Timeline
from analysis.sample.truths import SampleTruth, refuse_sizes

CURRENCY = "CNY"
SURVEYED, ANSWERED = 0.30, 0.06
SCORE_SHARES = (0.05, 0.06, 0.14, 0.33, 0.42)
LATE_SCORE_SHARES = (0.28, 0.22, 0.22, 0.18, 0.10)
REWORK = 0.035  # the same case asked about again
FIXED = ("training_management", "tools_systems")


@dataclass(frozen=True, kw_only=True, eq=False)
class Seller:
    """The seller's life within the window, before it is written into tables."""

    streams: Streams
    timeline: Timeline
    planted: Planted
    scale: float
    people: buyers.Buyers
    orders: buyers.Orders
    tickets: desk.Tickets
    crew: desk.Staff
    postings: books.Postings


def seller(
    *, seed: int, null: bool, off: frozenset[str], last_month: str, months: int, scale: float
) -> Seller:
    refuse_sizes(months, scale, "100,000 orders a year")
    last = Month.parse(last_month)
    planted = Planted(last=last, months=months, off=frozenset(TRUTHS) if null else frozenset(off))
    timeline, streams = Timeline(first=last - (months - 1), last=last), Streams(seed)
    people, orders = buyers.buyers_and_orders(streams, timeline, planted, scale=scale)
    asked = desk.tickets(timeline, planted, orders)
    crew = desk.staff(streams, timeline, planted, asked)
    postings = books.ledger(streams, timeline, orders, asked, crew, scale=scale)
    return Seller(
        streams=streams,
        timeline=timeline,
        planted=planted,
        scale=scale,
        people=people,
        orders=orders,
        tickets=asked,
        crew=crew,
        postings=postings,
    )


def built(
    *, seed: int, null: bool, off: frozenset[str], last_month: str, months: int, scale: float
) -> tuple[dict[str, pa.Table], SampleTruth]:
    life = seller(seed=seed, null=null, off=off, last_month=last_month, months=months, scale=scale)
    made = tables_of(life)
    truth = SampleTruth(
        seed=seed,
        first_month=str(life.timeline.first),
        last_month=str(life.timeline.last),
        months=months,
        scale=scale,
        off=tuple(sorted(life.planted.off)),
        truths=sheet(life.planted),
        company={
            "shops": dict(zip(shops.SHOPS, shops.PLATFORMS, strict=True)),
            "accounts": {entry.account: entry.category for entry in shops.ACCOUNTS},
            "teams": list(shops.TEAMS),
        },
        totals={"rows": {name: frame.num_rows for name, frame in made.items()}},
    )
    return made, truth


def tables_of(life: Seller) -> dict[str, pa.Table]:
    customer_ids = columns.labels("B-", np.arange(1, life.people.identity.size + 1), 7)
    ticket_ids = columns.labels("S-", np.arange(1, life.tickets.size + 1), 7)
    lines, amounts = order_lines(life, customer_ids)
    return {
        "customers": _customers(life, customer_ids),
        "products": _products(),
        "orders": lines,
        "tickets": _tickets(life, ticket_ids, customer_ids),
        "claims": _claims(life, ticket_ids),
        "surveys": _surveys(life, ticket_ids, customer_ids),
        "ledger": _ledger(life),
        "drivers": _drivers(life),
        "staff": _staff(life),
        "gl_totals": _gl_totals(life, amounts),
        "budget": _budget(life),
        "marketing_spend": _marketing(life, amounts),
        "calendar": _calendar(life.timeline),
    }


def product_ids() -> list[str | None]:
    return [f"Q{number:03d}" for number in range(1, len(shops.PRODUCTS) + 1)]


def _of_shop(shop: Ints) -> dict[str, pa.Array]:
    return {"shop": columns.words(shops.SHOPS, shop), "platform": columns.words(_platforms(), shop)}


def _platforms() -> list[str | None]:
    return list(shops.PLATFORMS)


def _first_days(timeline: Timeline, month: Ints) -> pa.Array:
    return columns.date_column(timeline.dates(timeline.edges[timeline.window + month]))


def _customers(life: Seller, customer_ids: pa.Array) -> pa.Table:
    people, size = life.people, life.people.identity.size
    return columns.table(
        {
            "customer_id": customer_ids,
            "customer_type": columns.constant("b2c", size),
            "region": columns.words(shops.REGIONS, people.region),
            "channel": columns.words(shops.SHOPS, people.shop),
            "acquired_on": columns.date_column(life.timeline.dates(np.floor(people.acquired))),
        }
    )


def _products() -> pa.Table:
    entries = shops.PRODUCTS
    return columns.table(
        {
            "product_id": pa.array(product_ids()),
            "product_line": columns.words(shops.LINES, np.array([entry.line for entry in entries])),
            "model": pa.array([entry.model for entry in entries]),
            "unit_cost": columns.money(np.array([entry.unit_cost for entry in entries]) * 100),
            "list_price": columns.money(np.array([entry.list_price for entry in entries]) * 100),
        }
    )


def order_lines(life: Seller, customer_ids: pa.Array) -> tuple[pa.Table, tuple[Ints, Ints, Ints]]:
    """Orders, and a second, negative line on each that was refunded within the window; and month, shop and cents of every line."""
    orders, timeline = life.orders, life.timeline
    back = np.flatnonzero(orders.refunded < timeline.end)
    row = np.concatenate([np.arange(orders.size), back])
    refund = np.arange(row.size) >= orders.size
    time = np.where(refund, orders.refunded[row], orders.time[row])
    by_time = np.argsort(time, kind="stable")
    row, refund, time = row[by_time], refund[by_time], time[by_time]
    sign = np.where(refund, -1, 1)
    cents = sign * orders.cents[row]
    frame = columns.table(
        {
            "order_id": columns.labels("O-", row + 1, 7),
            "line_no": columns.counts(1 + refund),
            "customer_id": columns.take(customer_ids, orders.buyer[row]),
            "product_id": columns.words(product_ids(), orders.product[row]),
            "ordered_at": columns.time_column(timeline.timestamps(time)),
            "order_type": columns.constant("product", row.size),
            "quantity": columns.numbers(sign * orders.quantity[row].astype(float), 0),
            "revenue": columns.money(cents),
            "gross_margin": columns.money(sign * (orders.cents[row] - orders.cost[row])),
            "currency": columns.constant(CURRENCY, row.size),
            "channel": columns.words(shops.SHOPS, orders.shop[row]),
            "region": columns.words(shops.REGIONS, life.people.region[orders.buyer[row]]),
            **_of_shop(orders.shop[row]),
        }
    )
    return frame, (timeline.window_month_of(time), orders.shop[row], cents)


def _agent(team: Ints, place: Ints) -> pa.Array:
    return columns.labels("A", (team + 1) * 1_000 + place + 1, 5, team >= 0)


def _tickets(life: Seller, ticket_ids: pa.Array, customer_ids: pa.Array) -> pa.Table:
    timeline, found, orders = life.timeline, life.tickets, life.orders
    month = timeline.window_month_of(found.opened)
    present = desk.heads(desk.worked_hours(timeline, found))[np.maximum(found.team, 0), month]
    place = np.floor(mark(found.identity, "agent") * present).astype(np.int64)
    answered, done = found.responded < timeline.end, found.resolved < timeline.end
    due = found.opened + np.array(shops.TARGET_HOURS)[found.kind] / 24.0
    more = mark(found.identity, "contacts")
    return columns.table(
        {
            "ticket_id": ticket_ids,
            "customer_id": columns.take(customer_ids, orders.buyer[found.order]),
            "product_id": columns.words(product_ids(), orders.product[found.order]),
            "ticket_type": columns.words(shops.KINDS, found.kind),
            "opened_at": columns.time_column(timeline.timestamps(found.opened)),
            "first_response_at": columns.time_column(
                timeline.timestamps(np.where(answered, found.responded, np.nan))
            ),
            "resolved_at": columns.time_column(timeline.timestamps(np.where(done, found.resolved, np.nan))),
            "contacts": columns.counts(np.where(found.automated, 1, 1 + (more < 0.24) + (more < 0.07))),
            "resolved": columns.flags(np.ones(found.size, dtype=bool), done),
            "automated": columns.flags(found.automated),
            "channel": columns.words(
                shops.CONTACT_CHANNELS,
                (mark(found.identity, "by phone") < 0.04).astype(np.int64) * ~found.automated,
            ),
            **_of_shop(orders.shop[found.order]),
            "team": columns.words(shops.TEAMS, found.team),
            "agent_id": _agent(found.team, place),
            "handling_hours": columns.numbers(found.hours),
            "status": columns.words(("resolved", "open"), (~done).astype(np.int64)),
            "rework": columns.flags(
                (found.kind != shops.COMPLAINT) & (mark(found.identity, "asked again") < REWORK)
            ),
            "response_due_at": columns.time_column(timeline.timestamps(due)),
        }
    )


def _claims(life: Seller, ticket_ids: pa.Array) -> pa.Table:
    timeline, found = life.timeline, life.tickets
    rows = np.flatnonzero((found.granted > 0) & (found.resolved < timeline.end))
    rows = rows[np.argsort(found.resolved[rows], kind="stable")]
    day = books.decided(found)[rows]
    known = day < timeline.end
    return columns.table(
        {
            "claim_id": columns.labels("K-", np.arange(1, rows.size + 1), 6),
            "ticket_id": columns.take(ticket_ids, rows),
            "claimed_on": columns.date_column(timeline.dates(np.floor(found.resolved[rows]))),
            "decided_on": columns.date_column(timeline.dates(np.where(known, day, np.nan))),
            "amount": columns.money(found.granted[rows]),
            "approved": columns.money(found.granted[rows], known),
            "currency": columns.constant(CURRENCY, rows.size),
        }
    )


def _surveys(life: Seller, ticket_ids: pa.Array, customer_ids: pa.Array) -> pa.Table:
    timeline, found = life.timeline, life.tickets
    asked = (mark(found.identity, "surveyed") < SURVEYED) & (found.resolved + 0.1 < timeline.end)
    rows = np.flatnonzero(asked)
    rows = rows[np.argsort(found.resolved[rows], kind="stable")]
    identity = found.identity[rows]
    sent = found.resolved[rows] + 0.05
    answered = sent + 0.02 + 2.0 * mark(identity, "answers on")
    came = (mark(identity, "answers") < ANSWERED) & (answered < timeline.end)
    late = (found.kind[rows] == shops.COMPLAINT) | (found.resolved - found.opened > buyers.LATE_DAYS)[rows]
    edges = np.where(late[:, None], np.cumsum(LATE_SCORE_SHARES), np.cumsum(SCORE_SHARES))
    score = 1.0 + (mark(identity, "score")[:, None] >= edges[:, :-1]).sum(axis=1)
    return columns.table(
        {
            "survey_id": columns.labels("V-", np.arange(1, rows.size + 1), 6),
            "kind": columns.constant("csat", rows.size),
            "customer_id": columns.take(customer_ids, life.orders.buyer[found.order[rows]]),
            "ticket_id": columns.take(ticket_ids, rows),
            "sent_at": columns.time_column(timeline.timestamps(sent)),
            "answered_at": columns.time_column(timeline.timestamps(np.where(came, answered, np.nan))),
            "score": columns.numbers(score, 0, came),
        }
    )


def _ledger(life: Seller) -> pa.Table:
    posted = life.postings
    names = [entry.account for entry in shops.ACCOUNTS]
    account = posted.account
    return columns.table(
        {
            "posting_id": columns.labels("L-", np.arange(1, posted.size + 1), 6),
            "posted_on": columns.date_column(life.timeline.dates(posted.day)),
            "category": columns.words([entry.category for entry in shops.ACCOUNTS], account),
            "amount": columns.money(posted.cents),
            "currency": columns.constant(CURRENCY, posted.size),
            "cost_center": columns.words(
                [*(f"CC-{number}" for number in range(61, 61 + len(shops.SHOPS))), "CC-60"],
                np.where(posted.shop < 0, len(shops.SHOPS), posted.shop),
            ),
            "cost_pool": columns.words([pool.pool for pool in shops.POOLS], posted.pool),
            "team": columns.words(shops.TEAMS, posted.team),
            "channel": columns.words(shops.SHOPS, posted.shop),
            **_of_shop(posted.shop),
            "account": columns.words(names, account),
            "product_line": columns.words(shops.LINES, posted.line),
            "posting_basis": columns.constant("incurred", posted.size),
        }
    )


def _staff(life: Seller) -> pa.Table:
    crew = life.crew
    frame = columns.table(
        {
            "agent_id": _agent(crew.team, crew.place),
            "month": _first_days(life.timeline, crew.month),
            "team": columns.words(shops.TEAMS, crew.team),
            "shop": columns.words(shops.SHOPS, books.shop_of_team(crew.team)),
            "sourcing": columns.words(
                ("in_house", "outsourced"), (crew.team == shops.NIGHT_PARTNER).astype(np.int64)
            ),
            "hours_paid": columns.numbers(crew.paid),
            "hours_worked": columns.numbers(crew.worked),
            "cost": columns.money(crew.cents),
            "currency": columns.constant(CURRENCY, crew.team.size),
        }
    )
    return columns.in_order(frame, "month", "agent_id")


def month_sums(life: Seller, month: Ints, cents: Ints, row: Ints, rows: int) -> Ints:
    """Cents by row and window month; what lies outside the window is left out."""
    months = len(life.timeline.window_months)
    inside = (month >= 0) & (month < months) & (row >= 0)
    total = np.zeros((rows, months), dtype=np.int64)
    np.add.at(total, (row[inside], month[inside]), cents[inside])
    return total


def _gl_totals(life: Seller, amounts: tuple[Ints, Ints, Ints]) -> pa.Table:
    month, shop, cents = amounts
    revenue = month_sums(life, month, cents, shop, len(shops.SHOPS)).sum(axis=0)
    posted = life.postings
    by_account = month_sums(
        life, life.timeline.window_month_of(posted.day), posted.cents, posted.account, len(shops.ACCOUNTS)
    )
    after_sales = by_account.sum(axis=0)
    noise = life.streams.named("ecommerce/overhead").standard_normal(revenue.size)
    overhead = np.round(revenue * (books.OVERHEAD_SHARE + 0.003 * noise)).astype(np.int64)
    rows: list[tuple[int, str, str, int]] = []
    for at in range(revenue.size):
        rows.append((at, "revenue", "all", int(revenue[at])))
        rows.append((at, "after_sales_cost", "all", int(after_sales[at])))
        rows.extend(
            (at, "after_sales_cost", entry.account, int(by_account[index, at]))
            for index, entry in enumerate(shops.ACCOUNTS)
            if by_account[index, at]
        )
        rows.append((at, "operating_cost", "all", int(after_sales[at] + overhead[at])))
    months, measures, accounts, sums = zip(*rows, strict=True)
    return columns.table(
        {
            "month": _first_days(life.timeline, np.array(months)),
            "measure": pa.array(measures),
            "account": pa.array(accounts),
            "amount": columns.money(np.array(sums)),
            "currency": columns.constant(CURRENCY, len(rows)),
        }
    )


def _budget(life: Seller) -> pa.Table:
    """Cost of the first year a ticket times the tickets of the same month a year before, six per cent more; to the end of the last year."""
    timeline, posted = life.timeline, life.postings
    months = len(timeline.window_months)
    category = np.array([shops.CATEGORIES.index(entry.category) for entry in shops.ACCOUNTS])[posted.account]
    cost = month_sums(
        life, timeline.window_month_of(posted.day), posted.cents, category, len(shops.CATEGORIES)
    )
    volume = np.bincount(timeline.window_month_of(life.tickets.opened), minlength=months).astype(float)
    planned = list(months_between(timeline.first, timeline.last.year_start + 11))
    expected = np.array(
        [1.06 * volume[i - 12] if i >= 12 else volume[min(i, months - 1)] for i in range(len(planned))]
    )
    year = min(12, months)
    base = cost[:, :year].sum(axis=1).astype(float)
    fixed = np.isin(shops.CATEGORIES, FIXED)
    amount = np.where(fixed, base / year, expected[:, None] * base / max(volume[:year].sum(), 1.0))
    starts = np.array([str(month.start) for month in planned], dtype="datetime64[D]")
    size = len(planned) * len(shops.CATEGORIES)
    return columns.table(
        {
            "month": columns.date_column(np.repeat(starts, len(shops.CATEGORIES))),
            "category": columns.words(
                shops.CATEGORIES, np.tile(np.arange(len(shops.CATEGORIES)), len(planned))
            ),
            "cost_center": columns.constant("all", size),
            "amount": columns.money((np.round(amount / 10_000) * 10_000).astype(np.int64).ravel()),
        }
    )


def _drivers(life: Seller) -> pa.Table:
    """Tickets and hours by product line, shop (as channel), team and activity."""
    timeline, found, orders = life.timeline, life.tickets, life.orders
    months, month = len(timeline.window_months), timeline.window_month_of(found.opened)
    blocks: list[tuple[str, tuple[str, ...], str, Floats]] = []
    for kind, names, index in (
        ("product_line", shops.LINES, orders.line[found.order]),
        ("channel", shops.SHOPS, orders.shop[found.order]),
        ("team", shops.TEAMS, found.team),
        ("activity", shops.KINDS, found.kind),
    ):
        blocks.append((kind, names, "tickets", desk.grid(index, month, len(names), months)))
        blocks.append((kind, names, "hours", desk.grid(index, month, len(names), months, found.hours)))
    cells = [quantity.size for *_, quantity in blocks]
    frame = columns.table(
        {
            "month": _first_days(
                timeline, np.concatenate([np.tile(np.arange(months), len(names)) for _, names, *_ in blocks])
            ),
            "cost_object_type": pa.array(np.repeat([kind for kind, *_ in blocks], cells)),
            "cost_object": pa.array(np.concatenate([np.repeat(names, months) for _, names, *_ in blocks])),
            "driver": pa.array(np.repeat([driver for _, _, driver, _ in blocks], cells)),
            "quantity": columns.numbers(np.concatenate([quantity.ravel() for *_, quantity in blocks])),
        }
    )
    return columns.in_order(frame, "month", "cost_object_type", "cost_object", "driver")


def _marketing(life: Seller, amounts: tuple[Ints, Ints, Ints]) -> pa.Table:
    month, shop, cents = amounts
    sold = month_sums(life, month, np.maximum(cents, 0), shop, len(shops.SHOPS))
    spent = np.round(sold * np.array(books.MARKETING_SHARE)[:, None] / 100).astype(np.int64) * 100
    channel, at = np.divmod(np.arange(spent.size), spent.shape[1])
    frame = columns.table(
        {
            "month": _first_days(life.timeline, at),
            "channel": columns.words(shops.SHOPS, channel),
            "amount": columns.money(spent.ravel()),
        }
    )
    return columns.in_order(frame, "month", "channel")


def _calendar(timeline: Timeline) -> pa.Table:
    first, end = timeline.first.start, timeline.last.end
    days = [entry for entry in departures() if first <= entry[0] < end]
    day, working, name = zip(*days, strict=True) if days else ((), (), ())
    return pa.table(
        {
            "day": pa.array(day, pa.date32()),
            "working": pa.array(working, pa.bool_()),
            "name": pa.array(name, pa.string()),
        }
    )
