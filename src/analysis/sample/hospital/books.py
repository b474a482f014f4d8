"""The books of the maker of hospital equipment, to the cent: contracts, sales, the ledger of service cost and its control totals."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from analysis.sample import columns, plans
from analysis.sample.hospital import company
from analysis.sample.hospital.company import (
    ACCOUNTS,
    BENEFITS,
    CATEGORIES,
    INBOUND,
    LINES,
    MODELS,
    PARTS,
    PENALTIES,
    POOLS,
    TEAMS,
    WAGES,
)
from analysis.sample.hospital.desk import (
    HOURS_A_MONTH,
    Crew,
    Parts,
    Penalties,
    Work,
    hourly_cents,
    product_ids,
    serial_numbers,
    ticket_ids,
)
from analysis.sample.hospital.life import MOST_TERMS, Life
from analysis.sample.service import normal
from analysis.sample.streams import Floats, Identities, Ints, Rows, child, mark
from analysis.sample.work import grid

ORDER_TYPES = ("product", "premium_service", "upgrade", "other_service")
MACHINE, SERVICE, ACCESSORY, COURSE = range(4)
CONTRACT_MARGIN, ACCESSORY_MARGIN, COURSE_MARGIN = (
    0.96,
    0.45,
    0.55,
)  # service cost is in the ledger, not in the margin
ACCESSORY_CHANCE, COURSE_CHANCE = 0.22, 0.02  # a hospital and month
ORDERED_DAYS = 30  # from the first order to the first day of the contract
PRICE_INDEX = 0.03  # a year, of contract fees
BENEFITS_PERCENT = 24  # of what a team costs
STAGES = ("lead", "qualified", "demonstration", "offer", "won", "lost")
MARKETING = (16_000.0, 6_000.0, 4_000.0)  # dollars a month and channel
PRICES = np.array([model.price for model in MODELS])


def products_table() -> pa.Table:
    price = np.round(PRICES * 100).astype(np.int64)
    cost = np.round(PRICES * np.array([model.cost_share for model in MODELS]) * 100).astype(np.int64)
    return columns.table(
        {
            "product_id": pa.array(product_ids()),
            "product_line": columns.words(LINES, np.array([model.line for model in MODELS])),
            "model": pa.array([model.model for model in MODELS]),
            "category": columns.constant("hospital equipment", price.size),
            "unit_cost": columns.money(cost),
            "list_price": columns.money(price),
        }
    )


def batches(life: Life) -> pa.Array:
    """Production lots by the month they begin with (a year each); of the Brisa V3, the firmware it was made with."""
    years = np.arange(12)
    first = [life.timeline.last - int(12 * (year + 1) - 1) for year in years]
    names = [f"{model.code}-{month.start:%y%m}" for model in MODELS for month in first]
    names += [f"V3-FW{firmware}" for firmware in company.FIRMWARES]
    lot = np.clip(life.machines.lot, 0, years.size - 1)
    place = life.machines.model * years.size + lot
    return columns.words(
        names,
        np.where(life.machines.model == company.V3, len(MODELS) * years.size + life.machines.lot, place),
    )


def units_table(life: Life, ids: pa.Array) -> pa.Table:
    machines, timeline = life.machines, life.timeline
    gone = np.where(machines.retired < timeline.end, machines.retired, np.nan)
    return columns.table(
        {
            "serial_no": serial_numbers(life),
            "product_id": columns.words(product_ids(), machines.model),
            "customer_id": columns.take(ids, machines.hospital),
            "batch": batches(life),
            "supplier": columns.words(company.SUPPLIERS, machines.supplier),
            "plant": columns.words([model.plant for model in MODELS], machines.model),
            "produced_on": columns.date_column(timeline.dates(machines.produced)),
            "shipped_on": columns.date_column(timeline.dates(machines.shipped)),
            "in_service_on": columns.date_column(timeline.dates(machines.in_service)),
            "retired_on": columns.date_column(timeline.dates(gone)),
            "region": columns.words(company.REGIONS, life.hospitals.region[machines.hospital]),
        }
    )


# ---------------------------------------------------------------- hospitals and contracts


def customers_table(life: Life, ids: pa.Array) -> pa.Table:
    hospitals, timeline, gone = life.hospitals, life.timeline, np.isfinite(life.left)
    number = columns.labels("", np.arange(1, gone.size + 1), 3)
    return columns.table(
        {
            "customer_id": ids,
            "customer_name": columns.join("Hospital ", number),
            "customer_type": columns.constant("b2b", gone.size),
            "segment": columns.words(company.LEVELS, hospitals.level),
            "region": columns.words(company.REGIONS, hospitals.region),
            "channel": columns.words(company.CHANNELS, hospitals.channel),
            "acquired_on": columns.date_column(timeline.dates(life.began - ORDERED_DAYS)),
            "churned_on": columns.date_column(timeline.dates(np.where(gone, life.left, np.nan))),
            "churn_reason": columns.words(company.REASONS, np.where(gone, life.reason, -1)),
            "churn_avoidable": columns.flags(life.reason != company.CLOSED, gone),
        }
    )


def customer_history_table(life: Life, ids: pa.Array) -> pa.Table:
    """Segment (the contract level) and region, from the first day."""
    everyone = np.tile(np.arange(life.began.size), 2)
    values = [(company.LEVELS, life.hospitals.level), (company.REGIONS, life.hospitals.region)]
    frame = columns.table(
        {
            "customer_id": columns.take(ids, everyone),
            "attribute": pa.array(np.repeat(["segment", "region"], life.began.size)),
            "valid_from": columns.date_column(life.timeline.dates(life.began[everyone])),
            "value": pa.concat_arrays([columns.words(*each) for each in values]),
        }
    )
    return columns.in_order(frame, "customer_id", "attribute", "valid_from")


@dataclass(frozen=True, kw_only=True, eq=False)
class Terms(Rows):
    """One entry a term of twelve months that began by the end of the window; ``monthly`` fee in cents."""

    hospital: Ints
    number: Ints
    starts: Ints
    following: Ints
    monthly: Ints


def terms(life: Life) -> Terms:
    """The fee is a share of the list price of the machines that are there when a term begins, by contract level."""
    size = life.began.size
    hospital, term = np.divmod(np.arange(size * MOST_TERMS), MOST_TERMS)
    month, day = life.hospitals.month[hospital], life.hospitals.day[hospital]
    starts, following = (life.timeline.day_in(month + 12 * (term + ahead), day) for ahead in (0, 1))
    machines = life.machines
    value = np.zeros(hospital.size)
    for at in range(MOST_TERMS):
        begins = starts[at::MOST_TERMS][machines.hospital]
        there = (machines.in_service <= begins) & (machines.retired > begins)
        value[at::MOST_TERMS] = np.bincount(machines.hospital, PRICES[machines.model] * there, size)
    fee = (
        np.asarray(company.FEES)[life.hospitals.level[hospital]]
        * value
        * (1 + PRICE_INDEX) ** (month // 12 + term)
    )
    whole = Terms(
        hospital=hospital,
        number=term + 1,
        starts=starts,
        following=following,
        monthly=np.maximum(np.round(fee / 12), 150).astype(np.int64) * 100,
    )
    return whole.kept((starts < life.timeline.end) & (starts < life.left[hospital]))


def contracts_table(life: Life, held: Terms, ids: pa.Array) -> pa.Table:
    """What was renewed after the end of the window is not known."""
    timeline, over = life.timeline, held.following < life.timeline.end
    return columns.table(
        {
            "contract_id": columns.labels("CT-", held.hospital + 1, 4),
            "term_no": columns.counts(held.number),
            "customer_id": columns.take(ids, held.hospital),
            "kind": columns.constant("maintenance", held.number.size),
            "starts_on": columns.date_column(timeline.dates(held.starts)),
            "ends_on": columns.date_column(timeline.dates(held.following - 1)),
            "renewed": columns.flags(held.following < life.left[held.hospital], over),
            "amount": columns.money(held.monthly * 12),
            "currency": columns.constant(company.CURRENCY, held.number.size),
        }
    )


def invoices_table(life: Life, held: Terms, ids: pa.Array) -> pa.Table:
    """One invoice a term of the window, on its first day, due in 45 days."""
    timeline = life.timeline
    seen = held.kept(held.starts >= timeline.start)
    seen = seen.kept(np.lexsort((seen.hospital, seen.starts)))
    identity = child(life.hospitals.identity[seen.hospital], "invoice", seen.number)
    due = seen.starts + 45
    late = due + 1 + np.floor(-18 * np.log1p(-mark(identity, "overdue")))
    paid = np.where(mark(identity, "pays late") < 0.25, late, due - np.floor(20 * mark(identity, "early")))
    return columns.table(
        {
            "invoice_id": columns.labels("INV-", np.arange(1, due.size + 1), 5),
            "customer_id": columns.take(ids, seen.hospital),
            "issued_on": columns.date_column(timeline.dates(seen.starts)),
            "due_on": columns.date_column(timeline.dates(due)),
            "paid_on": columns.date_column(timeline.dates(np.where(paid < timeline.end, paid, np.nan))),
            "amount": columns.money(seen.monthly * 12),
            "currency": columns.constant(company.CURRENCY, due.size),
        }
    )


# ---------------------------------------------------------------- revenue


@dataclass(frozen=True, kw_only=True, eq=False)
class Sales(Rows):
    """One entry an order line; money in cents, ``model`` -1 where it is of no machine."""

    hospital: Ints
    time: Floats
    kind: Ints
    model: Ints
    cents: Ints
    margin: Ints


def sold(life: Life, held: Terms) -> Sales:
    """Machines when they are shipped, contracts as they are earned (a month at a time), accessories and courses; by time."""
    machines, timeline = life.machines, life.timeline
    discount = 1 - 0.12 * mark(machines.identity, "discount")
    price = np.round(PRICES[machines.model] * discount).astype(np.int64) * 100
    cost = np.round(PRICES * np.array([model.cost_share for model in MODELS]) * 100).astype(np.int64)
    row, place = np.divmod(np.arange(held.number.size * 12), 12)
    earned = timeline.day_in(
        life.hospitals.month[held.hospital[row]] + 12 * (held.number[row] - 1) + place,
        life.hospitals.day[held.hospital[row]],
    )
    parts = [
        _sales(
            machines.hospital,
            machines.shipped + 10 / 24,
            MACHINE,
            price,
            price - cost[machines.model],
            machines.model,
        ),
        _sales(held.hospital[row], earned + 9 / 24, SERVICE, held.monthly[row], CONTRACT_MARGIN),
        _bought(life, ACCESSORY, ACCESSORY_CHANCE, 380.0, ACCESSORY_MARGIN),
        _bought(life, COURSE, COURSE_CHANCE, 2_600.0, COURSE_MARGIN),
    ]
    whole = Sales.together(parts)
    whole = whole.kept(
        (whole.time < timeline.end) & (whole.time < life.left[whole.hospital]) & (whole.time >= 0)
    )
    return whole.kept(np.lexsort((whole.cents, whole.hospital, whole.kind, whole.time)))


def _sales(
    hospital: Ints, time: np.ndarray, kind: int, cents: Ints, margin: Ints | float, model: Ints | None = None
) -> Sales:
    share = np.round(cents * margin).astype(np.int64) if isinstance(margin, float) else margin
    return Sales(
        hospital=hospital,
        time=time.astype(np.float64),
        kind=np.full(hospital.size, kind),
        model=np.full(hospital.size, -1) if model is None else model,
        cents=cents,
        margin=share,
    )


def _bought(life: Life, kind: int, chance: float, price: float, margin: float) -> Sales:
    """What a hospital orders now and then, some of them often."""
    months = len(life.timeline.months)
    hospital, month = np.divmod(np.arange(life.began.size * months), months)
    identity = child(life.hospitals.identity[hospital], ORDER_TYPES[kind], month)
    keen = np.exp(0.8 * normal(mark(life.hospitals.identity, "keen")) - 0.32)[hospital]
    day = life.timeline.edges[month] + np.floor(28 * mark(identity, "day")) + 11 / 24
    bought = (mark(identity, "buys") < chance * keen) & (day > life.began[hospital])
    spent = price * np.exp(0.7 * normal(mark(identity, "price")))
    cents = np.maximum(np.round(spent), 20).astype(np.int64) * 100
    return _sales(hospital[bought], day[bought], kind, cents[bought], margin)


def orders_table(life: Life, sales: Sales, ids: pa.Array) -> pa.Table:
    size = sales.time.size
    return columns.table(
        {
            "order_id": columns.labels("SO-", np.arange(1, size + 1), 6),
            "line_no": columns.counts(np.ones(size, dtype=np.int64)),
            "customer_id": columns.take(ids, sales.hospital),
            "product_id": columns.words(product_ids(), sales.model),
            "ordered_at": columns.time_column(life.timeline.timestamps(sales.time)),
            "order_type": columns.words(ORDER_TYPES, sales.kind),
            "quantity": columns.numbers(np.ones(size)),
            "revenue": columns.money(sales.cents),
            "gross_margin": columns.money(sales.margin),
            "currency": columns.constant(company.CURRENCY, size),
            "channel": columns.words(company.CHANNELS, life.hospitals.channel[sales.hospital]),
            "region": columns.words(company.REGIONS, life.hospitals.region[sales.hospital]),
        }
    )


# ---------------------------------------------------------------- service cost


@dataclass(frozen=True, kw_only=True, eq=False)
class Postings(Rows):
    """One entry a posting in cents; positions of ticket, team, pool and part supplier are -1 where there is none."""

    day: Ints
    account: Ints
    cents: Ints
    ticket: Ints
    team: Ints
    pool: Ints
    supplier: Ints


def posted(life: Life, work: Work, crew: Crew, parts: Parts, due: Penalties) -> Postings:
    """Direct time, parts with their freight, and penalties on tickets; the rest of what teams cost; pools; by day.

    Each team's wages and benefits of a month sum to what its staff rows cost.
    """
    tickets, timeline = life.tickets, life.timeline
    month = timeline.window_month_of(tickets.opened)
    direct = np.round(work.hours * hourly_cents(life, work.team, month)).astype(np.int64)
    everything = np.arange(direct.size)
    line = life.machines.line[tickets.machine[parts.ticket]]
    freight = np.asarray(company.FREIGHT)[line] * np.exp(
        0.25 * normal(mark(tickets.identity[parts.ticket], "freight"))
    )
    fitted_on = np.floor(tickets.resolved[parts.ticket]).astype(np.int64)
    paid = due.kept(due.approved > 0)
    blocks = [
        _postings(
            np.floor(tickets.opened).astype(np.int64), WAGES, direct, ticket=everything, team=work.team
        ),
        _postings(fitted_on, PARTS, parts.price, ticket=parts.ticket, supplier=parts.supplier),
        _postings(fitted_on, INBOUND, np.round(freight * 100).astype(np.int64), ticket=parts.ticket),
        _postings(paid.decided.astype(np.int64), PENALTIES, paid.approved, ticket=paid.ticket),
        *_rest_of_teams(life, work, crew, direct, month),
        *_pools(life),
    ]
    whole = Postings.together(blocks)
    return whole.kept(np.lexsort((whole.ticket, whole.team, whole.pool, whole.account, whole.day)))


def _postings(day: Ints, account: company.Account, cents: Ints, **given: Ints) -> Postings:
    none = np.full(day.size, -1)
    usual = {"ticket": none, "team": none, "pool": none, "supplier": none}
    return Postings(
        day=day, account=np.full(day.size, ACCOUNTS.index(account)), cents=cents, **(usual | given)
    )


def _rest_of_teams(life: Life, work: Work, crew: Crew, direct: Ints, month: Ints) -> list[Postings]:
    """Taxes and benefits, and wages of hours that no ticket carries, on the last day of each month."""
    size = len(life.timeline.window_months)
    total, traced = np.zeros((2, len(TEAMS), size), dtype=np.int64)
    np.add.at(total, (crew.team, crew.month), crew.cents)
    np.add.at(traced, (work.team, month), direct)
    benefits = np.minimum(total * BENEFITS_PERCENT // 100, np.maximum(total - traced, 0))
    last = np.tile(life.timeline.edges[life.timeline.window + 1 :] - 1, len(TEAMS))
    team = np.repeat(np.arange(len(TEAMS)), size)
    found = []
    for account, cents in ((BENEFITS, benefits.ravel()), (WAGES, (total - traced - benefits).ravel())):
        chosen = np.flatnonzero(cents)
        found.append(_postings(last[chosen], account, cents[chosen], team=team[chosen]))
    return found


def _pools(life: Life) -> list[Postings]:
    size = len(life.timeline.window_months)
    noise = life.streams.named("hospital/pools").standard_normal((len(POOLS), size))
    day = life.timeline.edges[life.timeline.window : -1] + 11
    found = []
    for at, pool in enumerate(POOLS):
        dollars = pool.monthly * life.scale * 1.02 ** (np.arange(size) // 12) * (1 + 0.015 * noise[at])
        found.append(
            _postings(day, pool.account, np.round(dollars * 100).astype(np.int64), pool=np.full(size, at))
        )
    return found


def ledger_table(life: Life, postings: Postings) -> pa.Table:
    size, at, traced = postings.day.size, np.maximum(postings.ticket, 0), postings.ticket >= 0
    machine = life.tickets.machine[at]
    centers = [*(team.cost_center for team in TEAMS), company.GENERAL_COST_CENTER]
    return columns.table(
        {
            "posting_id": columns.labels("GL-", np.arange(1, size + 1), 6),
            "posted_on": columns.date_column(life.timeline.dates(postings.day)),
            "category": columns.words([account.category for account in ACCOUNTS], postings.account),
            "amount": columns.money(postings.cents),
            "currency": columns.constant(company.CURRENCY, size),
            "ticket_id": columns.take(ticket_ids(life), postings.ticket),
            "cost_center": columns.words(centers, np.where(postings.team >= 0, postings.team, len(TEAMS))),
            "cost_pool": columns.words([pool.pool for pool in POOLS], postings.pool),
            "team": columns.words([team.team for team in TEAMS], postings.team),
            "region": columns.words(company.REGIONS, life.region[at], traced),
            "account": columns.words([account.account for account in ACCOUNTS], postings.account),
            "product_id": columns.words(product_ids(), life.machines.model[machine], traced),
            "product_line": columns.words(LINES, life.machines.line[machine], traced),
            "serial_no": columns.take(serial_numbers(life), np.where(traced, machine, -1)),
            "supplier": columns.words(company.PART_SUPPLIERS, postings.supplier),
            "recorded_at": columns.time_column(life.timeline.timestamps(_recorded(life, postings))),
        }
    )


def _recorded(life: Life, postings: Postings) -> Floats:
    """Within a day and a half, before the books of the month close."""
    row = postings.day * 10_000 + postings.account * 100 + postings.team * 10 + postings.pool + 50
    identity = life.tickets.identity[np.maximum(postings.ticket, 0)] ^ row.astype(np.uint64)
    close = life.timeline.edges[life.timeline.month_of(postings.day) + 1] + 7.0
    known: Floats = np.minimum(postings.day + 0.3 + 1.2 * mark(identity, "recorded"), close)
    return known


def gl_totals_table(life: Life, sales: Sales, postings: Postings) -> pa.Table:
    """Control totals: revenue and service revenue of the orders, service cost by account, and all operating cost."""
    timeline = life.timeline
    size = len(timeline.window_months)
    seen = sales.kept(sales.time >= timeline.start)
    revenue, service = np.zeros((2, size), dtype=np.int64)
    month = timeline.window_month_of(seen.time)
    np.add.at(revenue, month, seen.cents)
    np.add.at(service, month, np.where(seen.kind == MACHINE, 0, seen.cents))
    cost = np.zeros((size, len(ACCOUNTS)), dtype=np.int64)
    np.add.at(cost, (timeline.window_month_of(postings.day), postings.account), postings.cents)
    noise = life.streams.named("hospital/overhead").standard_normal(size)
    other = np.round(revenue * (0.58 + 0.01 * noise)).astype(np.int64)
    total = cost.sum(axis=1)
    lines = [
        ("revenue", "all", revenue),
        ("service_revenue", "all", service),
        ("after_sales_cost", "all", total),
        ("operating_cost", "all", total + other),
        *(("after_sales_cost", account.account, cost[:, at]) for at, account in enumerate(ACCOUNTS)),
    ]
    first_days = timeline.dates(timeline.edges[timeline.window : -1])
    frame = columns.table(
        {
            "month": columns.date_column(np.tile(first_days, len(lines))),
            "measure": pa.array(np.repeat([measure for measure, _, _ in lines], size)),
            "account": pa.array(np.repeat([account for _, account, _ in lines], size)),
            "amount": columns.money(np.concatenate([cents for _, _, cents in lines])),
            "currency": columns.constant(company.CURRENCY, size * len(lines)),
        }
    )
    return columns.in_order(frame, "month", "measure", "account")


def budget_table(life: Life, postings: Postings) -> pa.Table:
    category = np.array([CATEGORIES.index(account.category) for account in ACCOUNTS])[postings.account]
    base = plans.first_year(life.timeline, CATEGORIES, postings.day, category, postings.cents)
    noise = life.streams.named("hospital/budget").standard_normal(plans.planned_months(life.timeline).size)
    return plans.budget_table(life.timeline, CATEGORIES, base, life.tickets.opened, 0.03 * noise)


def drivers_table(life: Life, work: Work, crew: Crew) -> pa.Table:
    """Hours, tickets, heads, seats and square metres by team, product line, region and activity."""
    timeline, tickets = life.timeline, life.tickets
    size = len(timeline.window_months)
    month = timeline.window_month_of(tickets.opened)
    blocks: list[tuple[str, tuple[str, ...], dict[str, Floats]]] = []
    for kind, names, index in (
        ("team", tuple(team.team for team in TEAMS), work.team),
        ("product_line", LINES, life.machines.line[tickets.machine]),
        ("region", company.REGIONS, life.region),
        ("activity", company.ACTIVITIES[:6], tickets.kind),
    ):
        hours = grid(index, month, len(names), size, work.hours)
        people = np.round(hours / HOURS_A_MONTH, 1)
        if kind == "team":
            people = grid(crew.team, crew.month, len(TEAMS), size)
            hours = grid(crew.team, crew.month, len(TEAMS), size, crew.worked)
        held = grid(index, month, len(names), size)
        blocks.append(
            (
                kind,
                names,
                {"tickets": held, "hours": hours, "headcount": people, "seats": people, "area": people * 12},
            )
        )
    rows = [
        (kind, name, driver, quantity[at])
        for kind, names, drivers in blocks
        for at, name in enumerate(names)
        for driver, quantity in drivers.items()
    ]
    first_days = timeline.dates(timeline.edges[timeline.window : -1])
    frame = columns.table(
        {
            "month": columns.date_column(np.tile(first_days, len(rows))),
            "cost_object_type": pa.array(np.repeat([kind for kind, *_ in rows], size)),
            "cost_object": pa.array(np.repeat([name for _, name, *_ in rows], size)),
            "driver": pa.array(np.repeat([driver for _, _, driver, _ in rows], size)),
            "quantity": columns.numbers(np.concatenate([quantity for *_, quantity in rows])),
        }
    )
    return columns.in_order(frame, "month", "cost_object_type", "cost_object", "driver")


# ---------------------------------------------------------------- sales ahead and the calendar


def opportunities_table(life: Life, ids: pa.Array) -> pa.Table:
    """Offers of machines to hospitals under contract, won one time in three."""
    size = max(20, round(9 * life.scale * len(life.timeline.window_months)))
    identity: Identities = life.streams.identities("hospital/opportunities", size)
    hospital = np.floor(mark(identity, "hospital") * life.began.size).astype(np.int64)
    return plans.opportunities_table(
        life.timeline,
        identity,
        ids,
        customer=hospital,
        began=life.began[hospital],
        left=life.left[hospital],
        channel=columns.words(company.CHANNELS, life.hospitals.channel[hospital]),
        stages=STAGES,
        days=(20, 110),
        won_share=0.33,
        amount=(48_000, 1.1),
        width=4,
    )


def marketing_table(life: Life) -> pa.Table:
    monthly = [dollars * life.scale for dollars in MARKETING]
    return plans.marketing_table(
        life.timeline, company.CHANNELS, monthly, life.streams.named("hospital/marketing")
    )


def shipment_plan_table(life: Life) -> pa.Table:
    """What is planned to be shipped in the twelve months to come: as many machines of each model as in the last twelve."""
    shipped = life.machines.kept(life.machines.shipped >= life.timeline.end - 365)
    ahead = [life.timeline.last + step for step in range(1, 13)]
    models = np.unique(shipped.model)
    monthly = np.bincount(shipped.model, minlength=len(MODELS))[models] / 12
    months = np.array([str(each.start) for each in ahead], dtype="datetime64[D]")
    return columns.table(
        {
            "month": columns.date_column(np.repeat(months, models.size)),
            "product_id": columns.words(product_ids(), np.tile(models, 12)),
            "quantity": columns.numbers(np.tile(monthly, 12)),
        }
    )


def calendar_table(life: Life) -> pa.Table:
    """Federal holidays of the United States (5 U.S.C. 6103) on the weekday that is kept: the Friday before a Saturday, the Monday after a Sunday."""
    first, last = life.timeline.months[0].start.year, life.timeline.last.start.year + 1
    days = sorted(day for year in range(first, last + 1) for day in federal_holidays(year))
    kept = {day + dt.timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0)): name for day, name in days}
    return columns.table(
        {
            "day": pa.array(sorted(kept), pa.date32()),
            "working": pa.array([False] * len(kept)),
            "name": pa.array([kept[day] for day in sorted(kept)]),
        }
    )


def federal_holidays(year: int) -> list[tuple[dt.date, str]]:
    """Legal public holidays of a year by name, on their own day."""

    def monday(month: int, place: int, weekday: int = 0) -> dt.date:
        """The weekday of this place in a month; -1 is the last."""
        first = dt.date(year, month, 1)
        days = [first + dt.timedelta(days=k) for k in range(31)]
        return [day for day in days if day.month == month and day.weekday() == weekday][place]

    return [
        (dt.date(year, 1, 1), "New Year's Day"),
        (monday(1, 2), "Birthday of Martin Luther King, Jr."),
        (monday(2, 2), "Washington's Birthday"),
        (monday(5, -1), "Memorial Day"),
        *([(dt.date(year, 6, 19), "Juneteenth National Independence Day")] if year >= 2021 else []),
        (dt.date(year, 7, 4), "Independence Day"),
        (monday(9, 0), "Labor Day"),
        (monday(10, 1), "Columbus Day"),
        (dt.date(year, 11, 11), "Veterans Day"),
        (monday(11, 3, 3), "Thanksgiving Day"),
        (dt.date(year, 12, 25), "Christmas Day"),
    ]
