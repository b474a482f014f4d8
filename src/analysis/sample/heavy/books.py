"""The hirer's tables, its books to the cent: hire by the hour, parts, the ledger of maintenance and its control totals."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from analysis.periods import months_between
from analysis.sample import columns
from analysis.sample.heavy import company
from analysis.sample.heavy.company import (
    ACCOUNTS,
    ACTIVITIES,
    BREAKDOWN,
    COMPONENTS,
    CONTRACT,
    CUSTOMERS,
    EXCHANGE,
    MODELS,
    POOLS,
    REPEAT,
    SITE_NAMES,
    SITES,
    TEAMS,
)
from analysis.sample.heavy.fleet import MACHINES, Fleet
from analysis.sample.heavy.work import (
    HOURS_A_MONTH,
    MODEL_SIZE,
    Crew,
    Jobs,
    fitters,
    hourly_cents,
    months_of,
    raised,
)
from analysis.sample.saas.books import easter_sunday
from analysis.sample.service import normal
from analysis.sample.streams import Floats, Ints, child, mark
from analysis.sample.work import grid

PRICE_NOISE, FREIGHT_SPREAD = 0.03, 0.25
ON_COSTS_PERCENT = 16  # superannuation and payroll tax, of what a team costs
TYPES = ("maintenance", "maintenance", "maintenance", "maintenance", "repair", "repair")  # by kind of job
FIXED = ("tools_systems", "premises_equipment", "training_management", "indirect")
CATEGORIES = tuple(dict.fromkeys(account.category for account in ACCOUNTS))
CUSTOMER_OF_SITE = np.array([site.customer for site in SITES])
FIRST_HIRE_MONTHS = 100  # before the window: the customers hired their first machines
CONTACTS = ("Phone", "App", "Meter")


def customer_ids() -> list[str]:
    return [f"C-{number:02d}" for number in range(1, len(CUSTOMERS) + 1)]


def serials(every: Fleet) -> pa.Array:
    models = columns.words([model.model for model in MODELS], every.machines.model)
    return columns.join(models, "-", columns.labels("", 1_000 + np.arange(1, every.size + 1), 5))


def ticket_ids(jobs: Jobs) -> pa.Array:
    return columns.labels("W-", np.arange(1, jobs.size + 1), 6)


def first_days(every: Fleet, month: Ints) -> pa.Array:
    timeline = every.timeline
    return columns.date_column(timeline.dates(timeline.edges[timeline.window + month]))


# ---------------------------------------------------------------- customers, machines, hire


def customers_table(every: Fleet) -> pa.Table:
    began = np.datetime64(every.timeline.first.start, "M") - FIRST_HIRE_MONTHS + np.arange(len(CUSTOMERS))
    return columns.table(
        {
            "customer_id": pa.array(customer_ids()),
            "customer_name": pa.array(CUSTOMERS),
            "customer_type": columns.constant("b2b", len(CUSTOMERS)),
            "acquired_on": columns.date_column(began.astype("datetime64[D]")),
        }
    )


def products_table() -> pa.Table:
    return columns.table(
        {
            "product_id": pa.array([model.product_id for model in MODELS]),
            "product_line": pa.array([company.LINES[model.line] for model in MODELS]),
            "model": pa.array([model.model for model in MODELS]),
            "unit_cost": columns.money(np.array([model.price * 100 for model in MODELS])),
        }
    )


def units_table(every: Fleet, names: pa.Array) -> pa.Table:
    """One row a machine; ``usage`` is what its meter reads at the end of the window, or read when it left."""
    machines, timeline = every.machines, every.timeline
    months = len(timeline.window_months)
    made, first = machines.made(timeline), np.datetime64(timeline.first.start, "M")
    start = (first + machines.begins).astype("datetime64[D]")
    last = (first + np.minimum(machines.ends, months)).astype("datetime64[D]") - 1
    gone = machines.ends <= months
    years = (made.astype("datetime64[Y]").astype(np.int64) + 1970).astype(str)
    models = columns.words([model.model for model in MODELS], machines.model)
    return columns.table(
        {
            "serial_no": names,
            "product_id": columns.words([model.product_id for model in MODELS], machines.model),
            "customer_id": columns.words(customer_ids(), CUSTOMER_OF_SITE[machines.site]),
            "batch": columns.join(models, "-", pa.array(years)),
            "supplier": columns.words(company.SUPPLIERS, machines.supplier),
            "produced_on": columns.date_column(made),
            "shipped_on": columns.date_column(start),
            "in_service_on": columns.date_column(start),
            "retired_on": columns.date_column(np.where(gone, last, np.datetime64("NaT"))),
            "usage": columns.numbers(every.hours[:, -1], 0),
            "usage_as_of": columns.date_column(last),
            "region": columns.words(SITE_NAMES, machines.site),
        }
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Hire:
    """One entry an invoice line, by month: operating hours, and cents at the model's price of an hour."""

    month: Ints
    site: Ints
    model: Ints
    hours: Floats
    cents: Ints


def hire(every: Fleet) -> Hire:
    """What the meters ran is what is billed; the price of an hour rises by three per cent each July."""
    machines, ran = every.machines, np.diff(every.hours, axis=1)
    sites, models, months = len(SITES), len(MODELS), ran.shape[1]
    hours = np.zeros((months, sites, models))
    for at in range(months):
        np.add.at(hours[at], (machines.site, machines.model), ran[:, at])
    month, site, model = (index.astype(np.int64) for index in np.nonzero(hours))
    billed: Floats = np.round(hours[month, site, model], 1)
    price = np.array([entry.hire for entry in MODELS])[model] * raised(every.timeline.window_months)[month]
    return Hire(
        month=month,
        site=site,
        model=model,
        hours=billed,
        cents=np.round(billed * price * 100).astype(np.int64),
    )


def orders_table(every: Fleet) -> pa.Table:
    """The hire of a site and month, a line a model: ``quantity`` is operating hours."""
    billed, timeline = hire(every), every.timeline
    month, site, model = billed.month, billed.site, billed.model
    at: Floats = (timeline.edges[timeline.window + 1 + month] - 1 + 17 / 24).astype(np.float64)
    return columns.table(
        {
            "order_id": columns.labels("H-", month * len(SITES) + site + 1, 5),
            "line_no": columns.counts(model + 1),
            "customer_id": columns.words(customer_ids(), CUSTOMER_OF_SITE[site]),
            "product_id": columns.words([entry.product_id for entry in MODELS], model),
            "ordered_at": columns.time_column(timeline.timestamps(at)),
            "order_type": columns.constant("product", month.size),
            "quantity": columns.numbers(billed.hours, 1),
            "revenue": columns.money(billed.cents),
            "currency": columns.constant(company.CURRENCY, month.size),
            "region": columns.words(SITE_NAMES, site),
        }
    )


# ---------------------------------------------------------------- jobs


def tickets_table(every: Fleet, jobs: Jobs, names: pa.Array) -> pa.Table:
    """What is known when the window ends: a later arrival or end of a job is not."""
    timeline, machines, end = every.timeline, every.machines, float(every.timeline.end)
    finished = jobs.resolved < end
    broken = jobs.kind >= BREAKDOWN
    model = machines.model[jobs.machine]
    codes = [entry.fault_code for entry in COMPONENTS]
    planned = jobs.kind <= EXCHANGE
    contact = np.where(planned, 2, (mark(jobs.identity, "contact") < 0.35).astype(np.int64))
    return columns.table(
        {
            "ticket_id": ticket_ids(jobs),
            "customer_id": columns.words(customer_ids(), CUSTOMER_OF_SITE[machines.site[jobs.machine]]),
            "serial_no": columns.take(names, jobs.machine),
            "product_id": columns.words([entry.product_id for entry in MODELS], model),
            "ticket_type": columns.words(TYPES, jobs.kind),
            "opened_at": columns.time_column(timeline.timestamps(jobs.opened)),
            "first_response_at": columns.time_column(
                timeline.timestamps(np.where(jobs.answered < end, jobs.answered, np.nan))
            ),
            "resolved_at": columns.time_column(
                timeline.timestamps(np.where(finished, jobs.resolved, np.nan))
            ),
            "resolved": columns.flags(finished, finished),
            "fault_code": columns.words(codes, np.where(broken, jobs.component, -1)),
            "component": columns.words([entry.component for entry in COMPONENTS], jobs.component),
            "region": columns.words(SITE_NAMES, machines.site[jobs.machine]),
            "channel": columns.words(CONTACTS, contact),
            "team": columns.words([team.team for team in TEAMS], jobs.team),
            "agent_id": columns.labels("F-", fitters(every, jobs), 4),
            "handling_hours": columns.numbers(jobs.hours),
            "status": columns.words(
                ("resolved", "pending", "open"), np.select([finished, jobs.answered < end], [0, 1], 2)
            ),
            "failed_on": columns.date_column(timeline.dates(np.where(broken, jobs.opened, np.nan))),
            "confirmed_failure": columns.flags(broken, broken),
            "rework": columns.flags(jobs.kind == REPEAT, broken),
            "parent_ticket_id": columns.take(ticket_ids(jobs), jobs.parent),
            "proactive": columns.flags(planned),
            "activity": columns.words(ACTIVITIES, jobs.kind),
            "usage": columns.numbers(every.reading(jobs.machine, jobs.opened), 0),
        }
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """One entry a part of a finished job: the failed component's, or a service kit (counted after the components). ``cents`` a piece."""

    job: Ints
    part: Ints
    cents: Ints


def parts_of(every: Fleet, jobs: Jobs) -> Parts:
    """Dearer by the size of the machine; a repeated repair uses the part it has."""
    strength, timeline = every.planted.strength, every.timeline
    job = np.flatnonzero((jobs.kind != REPEAT) & (jobs.resolved < timeline.end))
    component, kind = jobs.component[job], jobs.kind[job]
    serviced = component < 0
    model = every.machines.model[jobs.machine[job]]
    price = np.where(
        serviced,
        np.array(company.KIT_PRICE)[np.minimum(kind, 2)],
        np.array([entry.price for entry in COMPONENTS])[component],
    )
    dear = serviced & (model == company.WL40)
    price = price * np.where(dear, strength.dear_kit, 1.0)
    step = np.isin(component, company.DEARER_PARTS) & every.since("parts_price", jobs.resolved[job])
    price = price * np.where(step, strength.parts_price, 1.0)
    noise = 1 + PRICE_NOISE * normal(mark(jobs.identity[job], "price"))
    cents = np.round(price * MODEL_SIZE[model] * noise * 100).astype(np.int64)
    return Parts(job=job, part=np.where(serviced, len(COMPONENTS) + kind, component), cents=cents)


def part_numbers() -> list[str]:
    return [*(entry.part_no for entry in COMPONENTS), *company.KITS]


def parts_table(every: Fleet, jobs: Jobs, used: Parts) -> pa.Table:
    """The supplier is known of pumps, the key component of the machine."""
    supplier = every.machines.supplier[jobs.machine[used.job]]
    return columns.table(
        {
            "ticket_id": columns.take(ticket_ids(jobs), used.job),
            "part_no": columns.words(part_numbers(), used.part),
            "quantity": columns.numbers(np.ones(used.job.size), 0),
            "unit_price": columns.money(used.cents),
            "supplier": columns.words(company.SUPPLIERS, np.where(used.part == company.PUMP, supplier, -1)),
        }
    )


# ---------------------------------------------------------------- the ledger


@dataclass(frozen=True, kw_only=True, eq=False)
class Postings:
    """One entry a posting; positions of job, team and pool are -1 where there is none."""

    day: Ints
    account: Ints
    cents: Ints
    job: Ints
    team: Ints
    pool: Ints


def posted(every: Fleet, jobs: Jobs, crew: Crew, used: Parts) -> Postings:
    """Hours and fees of jobs as they begin, parts and freight as they end, the rest of what teams cost, pools; by day.

    Each team's labour and fees of a month sum to what its staff rows cost.
    """
    month = months_of(every, jobs)
    fee = jobs.team == CONTRACT
    direct = np.where(fee, jobs.fee, np.round(jobs.hours * hourly_cents(every, jobs.team, month)))
    direct = direct.astype(np.int64)
    freight = company.FREIGHT * np.exp(FREIGHT_SPREAD * normal(mark(jobs.identity[used.job], "freight")))
    ended = np.floor(jobs.resolved[used.job]).astype(np.int64)
    stock = np.where(used.part < len(COMPONENTS), _at(company.PARTS), _at(company.KITS_AND_OIL))
    parts = [
        _block(
            np.floor(jobs.opened).astype(np.int64),
            np.where(fee, _at(company.CONTRACTED), _at(company.WAGES)),
            direct,
            job=np.arange(jobs.size),
            team=jobs.team,
        ),
        _block(ended, stock, used.cents, job=used.job),
        _block(
            ended,
            np.full(used.job.size, _at(company.PARTS_FREIGHT)),
            np.round(freight * 100).astype(np.int64),
            job=used.job,
        ),
        _rest_of_teams(every, jobs, crew, direct, month),
        _pools(every),
    ]
    whole = {
        each.name: np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Postings)
    }
    order = np.lexsort((whole["job"], whole["team"], whole["account"], whole["day"]))
    order = order[whole["cents"][order] != 0]
    return Postings(**{name: values[order] for name, values in whole.items()})


def _at(account: company.Account) -> int:
    return ACCOUNTS.index(account)


def _block(day: Ints, account: Ints, cents: Ints, **given: Ints) -> Postings:
    none = np.full(day.size, -1)
    return Postings(
        day=day, account=account, cents=cents, **({"job": none, "team": none, "pool": none} | given)
    )


def _rest_of_teams(every: Fleet, jobs: Jobs, crew: Crew, direct: Ints, month: Ints) -> Postings:
    """On-costs, and wages of hours that no job carries, on the last day of each month."""
    size, own = len(every.timeline.window_months), np.flatnonzero(np.arange(len(TEAMS)) != CONTRACT)
    total, traced = np.zeros((2, len(TEAMS), size), dtype=np.int64)
    np.add.at(total, (crew.team, crew.month), crew.cents)
    np.add.at(traced, (jobs.team, month), direct)
    on_costs = np.minimum(total * ON_COSTS_PERCENT // 100, np.maximum(total - traced, 0))
    cents = np.stack([on_costs, total - traced - on_costs])[:, own]
    account, team, at = np.unravel_index(np.arange(cents.size), cents.shape)
    return _block(
        every.timeline.edges[every.timeline.window + 1 + at] - 1,
        np.array([_at(company.ON_COSTS), _at(company.WAGES)])[account],
        cents.ravel(),
        team=own[team],
    )


def _pools(every: Fleet) -> Postings:
    size = len(every.timeline.window_months)
    noise = every.streams.named("heavy/pools").standard_normal((len(POOLS), size)).ravel()
    pool, month = np.divmod(np.arange(noise.size), size)
    scale = (every.machines.ends > size).sum() / MACHINES
    dollars = np.array([entry.monthly for entry in POOLS])[pool] * scale * 1.025 ** (month // 12)
    return _block(
        every.timeline.edges[every.timeline.window + month] + 11,
        np.array([_at(entry.account) for entry in POOLS])[pool],
        np.round(dollars * (1 + 0.015 * noise) * 100).astype(np.int64),
        pool=pool,
    )


def ledger_table(every: Fleet, jobs: Jobs, postings: Postings, names: pa.Array) -> pa.Table:
    size, machines = postings.day.size, every.machines
    traced = postings.job >= 0
    machine = jobs.machine[np.maximum(postings.job, 0)]
    centers = [*(team.cost_center for team in TEAMS), "WS-00"]
    model = np.where(traced, machines.model[machine], -1)
    pump = (jobs.component[np.maximum(postings.job, 0)] == company.PUMP) & (
        postings.account == _at(company.PARTS)
    )
    return columns.table(
        {
            "posting_id": columns.labels("GL-", np.arange(1, size + 1), 6),
            "posted_on": columns.date_column(every.timeline.dates(postings.day)),
            "category": columns.words([entry.category for entry in ACCOUNTS], postings.account),
            "amount": columns.money(postings.cents),
            "currency": columns.constant(company.CURRENCY, size),
            "ticket_id": columns.take(ticket_ids(jobs), postings.job),
            "cost_center": columns.words(centers, np.where(postings.team >= 0, postings.team, len(TEAMS))),
            "cost_pool": columns.words([pool.pool for pool in POOLS], postings.pool),
            "team": columns.words([team.team for team in TEAMS], postings.team),
            "region": columns.words(SITE_NAMES, machines.site[machine], traced),
            "account": columns.words([entry.account for entry in ACCOUNTS], postings.account),
            "product_id": columns.words([entry.product_id for entry in MODELS], model),
            "product_line": columns.words(company.LINES, np.where(traced, machines.line[machine], -1)),
            "serial_no": columns.take(names, machine, traced),
            "supplier": columns.words(company.SUPPLIERS, machines.supplier[machine], traced & pump),
            "recorded_at": columns.time_column(every.timeline.timestamps(_recorded(every, postings))),
        }
    )


def _recorded(every: Fleet, postings: Postings) -> Floats:
    """Within a day and a half; one posting of parts and freight in fifty by the closing day of the next month."""
    close = every.timeline.edges[every.timeline.month_of(postings.day) + 1] + 7.0
    row = (postings.account * 1_000 + postings.team * 10 + postings.pool + 20) * 10_000_000 + postings.job + 1
    root = every.streams.identities("heavy/recorded", 1)
    lag = mark(child(row.astype(np.uint64) ^ root, "lag", postings.day), "days")
    late = (lag < 0.02) & np.isin(postings.account, (_at(company.PARTS), _at(company.PARTS_FREIGHT)))
    return np.where(late, close, np.minimum(postings.day + 0.3 + 1.2 * lag, close))


def by_month(every: Fleet, postings: Postings, row: Ints, rows: int) -> Ints:
    """Cents by row and window month."""
    total = np.zeros((rows, len(every.timeline.window_months)), dtype=np.int64)
    np.add.at(total, (row, every.timeline.window_month_of(postings.day)), postings.cents)
    return total


def gl_totals_table(every: Fleet, postings: Postings) -> pa.Table:
    billed, size = hire(every), len(every.timeline.window_months)
    revenue = np.bincount(billed.month, billed.cents, size).astype(np.int64)
    cost = by_month(every, postings, postings.account, len(ACCOUNTS))
    noise = every.streams.named("heavy/overhead").standard_normal(size)
    other = np.round(revenue * (0.46 + 0.01 * noise)).astype(np.int64)  # depreciation, fuel, administration
    rows: list[tuple[int, str, str, int]] = []
    for at in range(size):
        total = int(cost[:, at].sum())
        rows += [(at, "revenue", "all", int(revenue[at])), (at, "after_sales_cost", "all", total)]
        rows.append((at, "operating_cost", "all", total + int(other[at])))
        rows += [
            (at, "after_sales_cost", entry.account, int(cents))
            for entry, cents in zip(ACCOUNTS, cost[:, at], strict=True)
            if cents
        ]
    months, measures, accounts, amounts = zip(*rows, strict=True)
    return columns.table(
        {
            "month": first_days(every, np.array(months)),
            "measure": pa.array(measures),
            "account": pa.array(accounts),
            "amount": columns.money(np.array(amounts)),
            "currency": columns.constant(company.CURRENCY, len(rows)),
        }
    )


def budget_table(every: Fleet, postings: Postings) -> pa.Table:
    """The first year's cost by category, three per cent more each July, moved by operating hours where it varies with them; to the end of the financial year."""
    timeline = every.timeline
    size, year = len(timeline.window_months), min(12, len(timeline.window_months))
    last_june = (timeline.last - 6).year_start + 17
    planned = list(months_between(timeline.first, last_june))
    category = np.array([CATEGORIES.index(entry.category) for entry in ACCOUNTS])[postings.account]
    base = by_month(every, postings, category, len(CATEGORIES))[:, :year].sum(axis=1) / year
    ran = np.diff(every.hours, axis=1).sum(axis=0)
    share = np.array([ran[i] if i < size else ran[max(i - 12, 0)] for i in range(len(planned))])
    moved = np.where(np.isin(CATEGORIES, FIXED), 1.0, share[:, None] / ran[:year].mean())
    cents = np.round(base * moved * raised(planned)[:, None] / 10_000).astype(np.int64) * 10_000
    starts = np.array([str(month.start) for month in planned], dtype="datetime64[D]")
    return columns.table(
        {
            "month": columns.date_column(np.repeat(starts, len(CATEGORIES))),
            "category": columns.words(CATEGORIES, np.tile(np.arange(len(CATEGORIES)), len(planned))),
            "cost_center": columns.constant("all", cents.size),
            "amount": columns.money(cents.ravel()),
        }
    )


def drivers_table(every: Fleet, jobs: Jobs, crew: Crew) -> pa.Table:
    """Hours of work, jobs, heads and square metres by workshop, product line, site and activity. Operating hours are in ``orders.quantity``."""
    size, month, machines = len(every.timeline.window_months), months_of(every, jobs), every.machines
    teams = tuple(team.team for team in TEAMS)
    heads = grid(crew.team, crew.month, len(TEAMS), size)
    space = np.repeat(np.array([[team.area] for team in TEAMS]), size, axis=1)
    blocks: list[tuple[str, tuple[str, ...], str, Floats]] = [
        ("team", teams, "headcount", heads),
        ("team", teams, "area", space),
        ("team", teams, "hours", grid(crew.team, crew.month, len(TEAMS), size, crew.worked)),
        ("team", teams, "tickets", grid(jobs.team, month, len(TEAMS), size)),
    ]
    for kind, names, index in (
        ("product_line", company.LINES, machines.line[jobs.machine]),
        ("region", SITE_NAMES, machines.site[jobs.machine]),
        ("activity", ACTIVITIES, jobs.kind),
    ):
        hours = grid(index, month, len(names), size, jobs.hours)
        blocks += [
            (kind, names, "tickets", grid(index, month, len(names), size)),
            (kind, names, "hours", hours),
            (kind, names, "headcount", np.round(hours / HOURS_A_MONTH, 2)),
            (kind, names, "area", np.round(hours / HOURS_A_MONTH * 60, 1)),
        ]
    cells = [quantity.size for *_, quantity in blocks]
    frame = columns.table(
        {
            "month": first_days(
                every, np.concatenate([np.tile(np.arange(size), len(names)) for _, names, *_ in blocks])
            ),
            "cost_object_type": pa.array(np.repeat([kind for kind, *_ in blocks], cells)),
            "cost_object": pa.array(np.concatenate([np.repeat(names, size) for _, names, *_ in blocks])),
            "driver": pa.array(np.repeat([driver for _, _, driver, _ in blocks], cells)),
            "quantity": columns.numbers(np.concatenate([quantity.ravel() for *_, quantity in blocks])),
        }
    )
    return columns.in_order(frame, "month", "cost_object_type", "cost_object", "driver")


def staff_table(every: Fleet, crew: Crew) -> pa.Table:
    frame = columns.table(
        {
            "agent_id": columns.labels("F-", crew.agent, 4),
            "month": first_days(every, crew.month),
            "team": columns.words([team.team for team in TEAMS], crew.team),
            "sourcing": columns.words([team.sourcing for team in TEAMS], crew.team),
            "hours_paid": columns.numbers(crew.paid),
            "hours_worked": columns.numbers(crew.worked),
            "cost": columns.money(crew.cents),
            "currency": columns.constant(company.CURRENCY, crew.team.size),
        }
    )
    return columns.in_order(frame, "month", "agent_id")


def calendar_table(every: Fleet) -> pa.Table:
    """Public holidays of Western Australia (Public and Bank Holidays Act 1972, second schedule) that fall on a weekday.

    The King's Birthday is proclaimed each year; it is put on the last Monday of September, where it often lies.
    """
    rows: dict[dt.date, str] = {}
    for year in range(every.timeline.months[0].start.year, every.timeline.last.start.year + 2):
        easter = easter_sunday(year)
        rows |= {
            _or_monday(dt.date(year, 1, 1)): "New Year's Day",
            _or_monday(dt.date(year, 1, 26)): "Australia Day",
            _monday(dt.date(year, 3, 1)): "Labour Day",
            easter - dt.timedelta(days=2): "Good Friday",
            easter + dt.timedelta(days=1): "Easter Monday",
            _or_monday(dt.date(year, 4, 25)): "Anzac Day",
            _monday(dt.date(year, 6, 1)): "Western Australia Day",
            _monday(dt.date(year, 9, 24)): "King's Birthday",
        }
        christmas = _or_monday(dt.date(year, 12, 25))
        boxing = _or_monday(dt.date(year, 12, 26))
        rows |= {christmas: "Christmas Day"}
        rows |= {boxing + dt.timedelta(days=int(boxing == christmas)): "Boxing Day"}
    days = sorted(rows)
    return columns.table(
        {
            "day": pa.array(days, pa.date32()),
            "working": pa.array([False] * len(days)),
            "name": pa.array([rows[day] for day in days]),
        }
    )


def _monday(day: dt.date) -> dt.date:
    """The first Monday from a day on."""
    return day + dt.timedelta(days=(7 - day.weekday()) % 7)


def _or_monday(day: dt.date) -> dt.date:
    """The day, or the Monday after it where it falls on a weekend."""
    return _monday(day) if day.weekday() >= 5 else day
