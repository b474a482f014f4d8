"""Control totals, the provision's roll-forward, budget, cost drivers and the shipment plan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from analysis.periods import months_between
from analysis.sample import columns, company, money
from analysis.sample.company import PRODUCT_LINES, PRODUCTS, TEAMS
from analysis.sample.desk_tables import ACTIVITIES, contact_channel
from analysis.sample.installed_base import Units
from analysis.sample.sales import PRODUCT, SERVICE_TYPES, Sales
from analysis.sample.service import Orders
from analysis.sample.streams import Floats, Ints, Streams
from analysis.sample.timeline import Timeline
from analysis.sample.work import HOURS_A_MONTH, Desk, Staff, grid

Rows = list[tuple[int, str, str, int]]
CATEGORIES: tuple[str, ...] = tuple(dict.fromkeys(category for category in money.CATEGORIES if category))


def month_sums(timeline: Timeline, month: Ints, cents: Ints) -> Ints:
    """Cents by window month; entries outside the window are left out."""
    size = len(timeline.window_months)
    inside = (month >= 0) & (month < size)
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, month[inside], cents[inside])
    return total


def line_revenue(timeline: Timeline, sold: Sales) -> Ints:
    """Product revenue in cents by window month and product line (accessories carry no warranty)."""
    month = timeline.window_month_of(sold.time)
    line = np.array([*company.LINE_OF_PRODUCT, -1])[sold.product]
    total = np.zeros((len(timeline.window_months), len(PRODUCT_LINES)), dtype=np.int64)
    chosen = (month >= 0) & (line >= 0) & (sold.kind == PRODUCT)
    np.add.at(total, (month[chosen], line[chosen]), sold.cents[chosen])
    return total


def gl_totals_table(
    streams: Streams, timeline: Timeline, sold: Sales, postings: money.Postings, held: money.Provision
) -> pa.Table:
    size = len(timeline.window_months)
    sold_in = timeline.window_month_of(sold.time)
    revenue = month_sums(timeline, sold_in, sold.cents)
    service = month_sums(timeline, sold_in, np.where(np.isin(sold.kind, SERVICE_TYPES), sold.cents, 0))
    counted = np.isin(postings.basis, (money.INCURRED, money.RECOVERY))
    posted_in = timeline.window_month_of(postings.posted)
    by_account = np.zeros((size, len(money.ACCOUNT_CODES)), dtype=np.int64)
    np.add.at(by_account, (posted_in[counted], postings.account[counted]), postings.cents[counted])
    after_sales = by_account.sum(axis=1)
    overhead = np.round(
        revenue * (0.145 + 0.004 * streams.named("gl/overhead").standard_normal(size))
    ).astype(np.int64)
    rows: Rows = []
    for month in range(size):
        rows.append((month, "revenue", "all", int(revenue[month])))
        rows.append((month, "service_revenue", "all", int(service[month])))
        rows.append((month, "after_sales_cost", "all", int(after_sales[month])))
        rows.extend(
            (month, "after_sales_cost", code, int(by_account[month, index]))
            for index, code in enumerate(money.ACCOUNT_CODES)
            if by_account[month, index]
        )
        rows.append((month, "operating_cost", "all", int(after_sales[month] + overhead[month])))
        rows.append((month, "warranty_provision_closing", "all", int(held.closing[month].sum())))
    months, measures, accounts, cents = zip(*rows, strict=True)
    return columns.table(
        {
            "month": columns.date_column(timeline.dates(timeline.edges[timeline.window + np.array(months)])),
            "measure": pa.array(measures),
            "account": pa.array(accounts),
            "amount": columns.money(np.array(cents)),
            "currency": columns.constant(company.CURRENCY, len(rows)),
        }
    )


def provision_table(timeline: Timeline, held: money.Provision) -> pa.Table:
    size, lines = held.opening.shape
    return columns.table(
        {
            "month": columns.date_column(
                timeline.dates(np.repeat(timeline.edges[timeline.window : -1], lines))
            ),
            "product_line": columns.words(PRODUCT_LINES, np.tile(np.arange(lines), size)),
            "opening": columns.money(held.opening.ravel()),
            "accrued": columns.money(held.accrued.ravel()),
            "utilised": columns.money(held.utilised.ravel()),
            "adjusted": columns.money(held.adjusted.ravel()),
            "closing": columns.money(held.closing.ravel()),
        }
    )


def budget_table(streams: Streams, timeline: Timeline, orders: Orders, postings: money.Postings) -> pa.Table:
    """Planned cost by category: unit cost of the first year times planned volume, to the end of the last calendar year."""
    size = len(timeline.window_months)
    last_december = timeline.last.year_start + 11
    planned = list(months_between(timeline.first, last_december))
    volume = np.bincount(timeline.window_month_of(orders.opened), minlength=size).astype(float)
    expected = np.array(
        [
            volume[i] if i < size else volume[i - 12] * 1.08 if i >= 12 else volume[-1]
            for i in range(len(planned))
        ]
    )
    noise = streams.named("budget/volume").standard_normal(len(planned))
    expected = expected * (1.01 + 0.02 * noise)
    counted = np.isin(postings.basis, (money.INCURRED, money.RECOVERY))
    category = np.array([CATEGORIES.index(name) if name else -1 for name in money.CATEGORIES])[
        postings.account
    ]
    first_year = timeline.window_month_of(postings.posted) < min(12, size)
    base = np.zeros(len(CATEGORIES))
    chosen = counted & first_year & (category >= 0)
    np.add.at(base, category[chosen], postings.cents[chosen].astype(float))
    months = min(12, size)
    fixed = np.isin(
        CATEGORIES,
        ("premises_equipment", "tools_systems", "telecom", "training_management", "indirect", "other"),
    )
    per_month = np.where(fixed, base / months, 0.0)
    per_ticket = np.where(fixed, 0.0, base / max(volume[:months].sum(), 1.0))
    cents = np.round((per_month + expected[:, None] * per_ticket) / 10_000).astype(np.int64) * 10_000
    names = np.array([str(month.start) for month in planned], dtype="datetime64[D]")
    return columns.table(
        {
            "month": columns.date_column(np.repeat(names, len(CATEGORIES))),
            "category": columns.words(CATEGORIES, np.tile(np.arange(len(CATEGORIES)), len(planned))),
            "cost_center": columns.constant("all", len(planned) * len(CATEGORIES)),
            "amount": columns.money(cents.ravel()),
        }
    )


SEATS_A_HEAD = 0.9
LINE_AREA = (900.0, 1_900.0, 1_200.0)  # square metres of depot, by product line


def _every_month(values: Sequence[float], months: int) -> Floats:
    return np.repeat(np.asarray(values, dtype=float)[:, None], months, axis=1)


def drivers_table(desk: Desk, crew: Staff) -> pa.Table:
    """Seats, area, hours, tickets and headcount by team, product line, region, contact channel and activity."""
    timeline, orders, work = desk.timeline, desk.orders, desk.work
    size = len(timeline.window_months)
    month = timeline.window_month_of(orders.opened)
    heads = grid(crew.team, crew.month, len(TEAMS), size)
    names = tuple(team.team for team in TEAMS)
    blocks: list[tuple[str, tuple[str, ...], str, Floats]] = [
        ("team", names, "seats", np.ceil(heads * SEATS_A_HEAD)),
        ("team", names, "headcount", heads),
        ("team", names, "hours", grid(crew.team, crew.month, len(TEAMS), size, crew.worked)),
        ("team", names, "area", _every_month([team.area for team in TEAMS], size)),
        ("team", names, "tickets", grid(work.team, month, len(TEAMS), size)),
    ]
    for kind, names, index, space in (
        ("product_line", PRODUCT_LINES, desk.units.line[orders.unit], LINE_AREA),
        ("region", company.REGIONS, orders.region, tuple(team.area for team in TEAMS if team.region)),
        ("channel", company.CONTACT_CHANNELS, contact_channel(orders), ()),
        ("activity", ACTIVITIES, orders.kind, ()),
    ):
        hours = grid(index, month, len(names), size, work.hours)
        blocks.append((kind, names, "tickets", grid(index, month, len(names), size)))
        blocks.append((kind, names, "hours", hours))
        if space:
            blocks.append((kind, names, "headcount", np.round(hours / HOURS_A_MONTH, 1)))
            blocks.append((kind, names, "seats", np.ceil(hours / HOURS_A_MONTH * SEATS_A_HEAD)))
            blocks.append((kind, names, "area", _every_month(space, size)))
    cells = [quantity.size for _, _, _, quantity in blocks]
    when = np.concatenate([np.tile(np.arange(size), len(names)) for _, names, _, _ in blocks])
    objects = [columns.words(names, np.repeat(np.arange(len(names)), size)) for _, names, _, _ in blocks]
    frame = columns.table(
        {
            "month": columns.date_column(timeline.dates(timeline.edges[timeline.window + when])),
            "cost_object_type": pa.array(np.repeat([kind for kind, _, _, _ in blocks], cells)),
            "cost_object": pa.concat_arrays(objects),
            "driver": pa.array(np.repeat([driver for _, _, driver, _ in blocks], cells)),
            "quantity": columns.numbers(np.concatenate([quantity.ravel() for _, _, _, quantity in blocks])),
        }
    )
    return columns.in_order(frame, "month", "cost_object_type", "cost_object", "driver")


def shipment_plan_table(timeline: Timeline, units: Units) -> pa.Table:
    """The next twelve months: what was shipped in the same month of the last year, five per cent more."""
    future = [timeline.last + 1 + i for i in range(12)]
    shipped = timeline.month_of(units.shipped)
    last = len(timeline.months)
    past = np.array(
        [
            [int(((shipped == last - 12 + i) & (units.product == p)).sum()) for p in range(len(PRODUCTS))]
            for i in range(12)
        ]
    )
    names = np.array([str(month.start) for month in future], dtype="datetime64[D]")
    return columns.table(
        {
            "month": columns.date_column(np.repeat(names, len(PRODUCTS))),
            "product_id": columns.words(
                [entry.product_id for entry in PRODUCTS], np.tile(np.arange(len(PRODUCTS)), 12)
            ),
            "quantity": columns.numbers(np.round(past.ravel() * 1.05), 0),
        }
    )
