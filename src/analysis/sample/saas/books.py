"""The books of the software vendor, to the cent: contracts, revenue in two currencies, invoices, the ledger of support cost and its control totals."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from analysis.sample import columns, plans
from analysis.sample.saas import company
from analysis.sample.saas.company import (
    ACCOUNTS,
    LINES,
    NIGHT,
    OUTSOURCED,
    PLANS,
    POOLS,
    SALARIES,
    SOCIAL,
    TEAMS,
)
from analysis.sample.saas.desk import BOT, HOURS_A_MONTH, Crew, Work, hourly_cents, product_of, ticket_ids
from analysis.sample.saas.life import CLOSED, REASONS, Life
from analysis.sample.service import normal
from analysis.sample.streams import Floats, Identities, Ints, Rows, child, mark
from analysis.sample.work import grid

ORDER_TYPES = ("product", "upgrade", "other_service")
SUBSCRIPTION, ADD_ON, SERVICE = range(3)
ADD_ON_CHANCE, SERVICE_CHANCE = 0.03, 0.30  # a month of a plan above Starter; of a new account above Starter
CURRENCIES = (company.CURRENCY, company.FOREIGN)
SOCIAL_PERCENT = 18  # of what a team costs
STAGES = ("lead", "qualified", "trial", "offer", "won", "lost")
MARKETING = (14_000.0, 9_000.0, 22_000.0, 5_000.0)  # euros a month and channel
CATEGORIES = tuple(dict.fromkeys(account.category for account in ACCOUNTS))


def product_ids() -> list[str]:
    return [f"{line}-{plan}".upper() for line in LINES for plan in PLANS]


def products_table() -> pa.Table:
    plan = np.tile(np.arange(len(PLANS)), len(LINES))
    line = np.repeat(np.arange(len(LINES)), len(PLANS))
    price = np.round(np.asarray(company.PRICES) * 100).astype(np.int64)[plan]
    cost = np.round(price * (1 - np.asarray(company.MARGINS)[plan])).astype(np.int64)
    return columns.table(
        {
            "product_id": pa.array(product_ids()),
            "product_line": columns.words(LINES, line),
            "model": columns.words(PLANS, plan),
            "category": columns.constant("subscription", plan.size),
            "unit_cost": columns.money(cost),
            "list_price": columns.money(price),
        }
    )


# ---------------------------------------------------------------- accounts and contracts


def customers_table(life: Life, ids: pa.Array) -> pa.Table:
    accounts, timeline = life.accounts, life.timeline
    gone = np.isfinite(life.left)
    began = timeline.day_in(accounts.month, accounts.day)
    return columns.table(
        {
            "customer_id": ids,
            "customer_name": columns.join("Account ", columns.labels("", np.arange(1, began.size + 1), 5)),
            "customer_type": columns.constant("b2b", began.size),
            "segment": columns.words(company.SEGMENTS, accounts.plan),
            "region": columns.words(company.REGIONS, accounts.region),
            "channel": columns.words(company.CHANNELS, accounts.channel),
            "acquired_on": columns.date_column(timeline.dates(began)),
            "churned_on": columns.date_column(timeline.dates(np.where(gone, life.left, np.nan))),
            "churn_reason": columns.words(REASONS, np.where(gone, life.reason, -1)),
            "churn_avoidable": columns.flags(life.reason != CLOSED, gone),
        }
    )


def customer_history_table(life: Life, ids: pa.Array) -> pa.Table:
    """Segment and region from the first day, the plan from each change on, the usage band from the first day of each quarter in which it changed."""
    accounts, timeline, terms = life.accounts, life.timeline, life.terms
    began = timeline.day_in(accounts.month, accounts.day)
    everyone = np.arange(began.size)
    changed = np.r_[True, (terms.account[1:] != terms.account[:-1]) | (terms.plan[1:] != terms.plan[:-1])]
    quarters = timeline.edges[timeline.window + 3 * np.arange(life.bands.shape[1])]
    who, quarter = np.divmod(np.arange(life.bands.size), life.bands.shape[1])
    band = life.bands.ravel()
    new = (quarter == 0) | (band != np.roll(band, 1))
    # the first band of an account that begins later holds from its beginning on
    first = np.searchsorted(quarters, began, side="right") - 1
    there = (quarter >= first[who]) & (quarters[quarter] < life.left[who])
    told = there & (new | (quarter == first[who]))
    since = np.maximum(quarters[quarter], began[who])
    parts = [
        (everyone, "segment", began, company.SEGMENTS, accounts.plan),
        (everyone, "region", began, company.REGIONS, accounts.region),
        (terms.account[changed], "plan", terms.starts[changed], PLANS, terms.plan[changed]),
        (who[told], "usage_band", since[told], company.BANDS, band[told]),
    ]
    frame = columns.table(
        {
            "customer_id": columns.take(ids, np.concatenate([part[0] for part in parts])),
            "attribute": pa.array(np.repeat([part[1] for part in parts], [part[0].size for part in parts])),
            "valid_from": columns.date_column(timeline.dates(np.concatenate([part[2] for part in parts]))),
            "value": pa.concat_arrays([columns.words(part[3], part[4]) for part in parts]),
        }
    )
    return columns.in_order(frame, "customer_id", "attribute", "valid_from")


def contracts_table(life: Life, ids: pa.Array) -> pa.Table:
    """One row a term that began by the end of the window; what was cancelled or renewed after it is not known."""
    terms, timeline = life.terms, life.timeline
    known = terms.starts < timeline.end
    terms = terms.kept(known)
    same = np.r_[terms.account[1:] == terms.account[:-1], False]
    cancelled = np.where(np.isnan(terms.replaced), terms.cancelled, terms.replaced)
    cancelled = np.where(cancelled < timeline.end, cancelled, np.nan)
    over = np.where(np.isnan(terms.replaced), terms.ends + 1, cancelled) < timeline.end
    first = np.r_[0, np.flatnonzero(~same[:-1]) + 1]
    number = np.arange(terms.account.size) - np.repeat(first, np.diff(np.r_[first, terms.account.size])) + 1
    dollars = life.accounts.dollars[terms.account].astype(np.int64)
    return columns.table(
        {
            "contract_id": columns.labels("CT-", terms.account + 1, 5),
            "term_no": columns.counts(number),
            "customer_id": columns.take(ids, terms.account),
            "kind": columns.constant("subscription", number.size),
            "starts_on": columns.date_column(timeline.dates(terms.starts)),
            "ends_on": columns.date_column(timeline.dates(terms.ends)),
            "renewed": columns.flags(same, over | same),
            "cancelled_on": columns.date_column(timeline.dates(cancelled)),
            "amount": columns.money(terms.cents),
            "currency": columns.words(CURRENCIES, dollars),
        }
    )


# ---------------------------------------------------------------- revenue


@dataclass(frozen=True, kw_only=True, eq=False)
class Sales(Rows):
    """One entry an order line; ``cents`` in the account's own currency, ``time`` in days."""

    account: Ints
    time: Floats
    kind: Ints
    plan: Ints
    cents: Ints


def sold(life: Life) -> Sales:
    """Subscriptions by the month as they are earned, add-ons, and services at the beginning; by time."""
    parts = [_earned(life), _add_ons(life), _services(life)]
    whole = Sales.together(parts)
    whole = whole.kept((whole.time < life.timeline.end) & (whole.time < life.left[whole.account]))
    return whole.kept(np.lexsort((whole.account, whole.kind, whole.time)))


def _earned(life: Life) -> Sales:
    """A month of a term at a time; the month in which a dearer term takes over is earned up to that day."""
    terms, timeline = life.terms, life.timeline
    row = np.repeat(np.arange(terms.account.size), terms.months)
    place = np.arange(row.size) - np.repeat(np.cumsum(terms.months) - terms.months, terms.months)
    start = timeline.dates(terms.starts.astype(float))
    month = (start.astype("datetime64[M]") - timeline.origin.astype("datetime64[M]")).astype(np.int64)
    day = (start - start.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
    begins = timeline.day_in(month[row] + place, day[row])
    share = np.clip((terms.replaced[row] - begins) / 30.0, 0.0, 1.0)
    share = np.where(np.isnan(share), 1.0, share)
    cents = np.round(terms.cents[row] // terms.months[row] * share).astype(np.int64)
    rows = Sales(
        account=terms.account[row],
        time=(begins + 9 / 24).astype(np.float64),
        kind=np.full(row.size, SUBSCRIPTION),
        plan=terms.plan[row],
        cents=cents,
    )
    return rows.kept(cents > 0)


def _add_ons(life: Life) -> Sales:
    account, month = np.divmod(np.arange(life.plans.size), life.plans.shape[1])
    plan = life.plans.ravel()
    identity = child(life.accounts.identity[account], "add-on", month)
    days = life.timeline.edges[month] + np.floor(28 * mark(identity, "day")) + 11 / 24
    began = life.timeline.day_in(life.accounts.month, life.accounts.day)
    keen = np.exp(1.0 * normal(mark(life.accounts.identity, "keen")) - 0.5)[
        account
    ]  # some buy often, most seldom
    bought = (
        (plan > company.STARTER) & (mark(identity, "buys") < ADD_ON_CHANCE * keen) & (days > began[account])
    )
    price = (60 + 340 * mark(identity, "price")) * np.asarray((0.0, 1.0, 2.2, 5.0))[plan]
    rows = Sales(
        account=account,
        time=days.astype(np.float64),
        kind=np.full(account.size, ADD_ON),
        plan=plan,
        cents=np.round(price).astype(np.int64) * 100,
    )
    return rows.kept(bought)


def _services(life: Life) -> Sales:
    accounts = life.accounts
    identity = child(accounts.identity, "services")
    bought = (accounts.plan > company.STARTER) & (mark(identity, "buys") < SERVICE_CHANCE)
    began = life.timeline.day_in(accounts.month, accounts.day)
    rows = Sales(
        account=np.arange(began.size),
        time=(began + 5 + 10 / 24).astype(np.float64),
        kind=np.full(began.size, SERVICE),
        plan=accounts.plan,
        cents=np.asarray((0, 90_000, 240_000, 700_000))[accounts.plan],
    )
    return rows.kept(bought)


def orders_table(life: Life, sales: Sales, ids: pa.Array) -> pa.Table:
    accounts = life.accounts
    margin = np.asarray(company.MARGINS)[sales.plan] - np.where(sales.kind == SERVICE, 0.4, 0.0)
    return columns.table(
        {
            "order_id": columns.labels("SO-", np.arange(1, sales.time.size + 1), 7),
            "line_no": columns.counts(np.ones(sales.time.size, dtype=np.int64)),
            "customer_id": columns.take(ids, sales.account),
            "product_id": columns.words(
                product_ids(), accounts.line[sales.account] * len(PLANS) + sales.plan
            ),
            "ordered_at": columns.time_column(life.timeline.timestamps(sales.time)),
            "order_type": columns.words(ORDER_TYPES, sales.kind),
            "quantity": columns.numbers(np.ones(sales.time.size)),
            "revenue": columns.money(sales.cents),
            "gross_margin": columns.money(np.round(sales.cents * margin).astype(np.int64)),
            "currency": columns.words(CURRENCIES, accounts.dollars[sales.account].astype(np.int64)),
            "channel": columns.words(company.CHANNELS, accounts.channel[sales.account]),
            "region": columns.words(company.REGIONS, accounts.region[sales.account]),
        }
    )


def invoices_table(life: Life, ids: pa.Array) -> pa.Table:
    """One invoice a term of the window, on its first day, due in thirty days; dollars in sixty."""
    timeline, terms = life.timeline, life.terms
    terms = terms.kept((terms.starts >= timeline.start) & (terms.starts < timeline.end))
    terms = terms.kept(np.lexsort((terms.account, terms.starts)))
    identity = child(life.accounts.identity[terms.account], "invoice", terms.starts)
    dollars = life.accounts.dollars[terms.account]
    due = terms.starts + np.where(dollars, 60, 30)
    late = due + 1 + np.floor(-14 * np.log1p(-mark(identity, "overdue")))
    prompt = np.maximum(due - np.floor(20 * mark(identity, "early")), terms.starts)
    paid = np.where(mark(identity, "pays late") < 0.18, late, prompt)
    return columns.table(
        {
            "invoice_id": columns.labels("INV-", np.arange(1, due.size + 1), 6),
            "customer_id": columns.take(ids, terms.account),
            "issued_on": columns.date_column(timeline.dates(terms.starts)),
            "due_on": columns.date_column(timeline.dates(due)),
            "paid_on": columns.date_column(timeline.dates(np.where(paid < timeline.end, paid, np.nan))),
            "amount": columns.money(terms.cents),
            "currency": columns.words(CURRENCIES, dollars.astype(np.int64)),
        }
    )


# ---------------------------------------------------------------- support cost


@dataclass(frozen=True, kw_only=True, eq=False)
class Postings(Rows):
    """One entry a posting, in euro cents; positions of ticket, team and pool are -1 where there is none."""

    day: Ints
    account: Ints
    cents: Ints
    ticket: Ints
    team: Ints
    pool: Ints


def posted(life: Life, work: Work, crew: Crew) -> Postings:
    """Direct time and partners' fees on tickets, the rest of what teams cost, and pools; by day.

    Each team's postings of a month sum to what its staff rows cost.
    """
    month = life.timeline.window_month_of(life.tickets.opened)
    direct = np.where(
        work.team == NIGHT,
        work.fee,
        np.round(work.hours * hourly_cents(life, np.maximum(work.team, 0), month)),
    )
    direct = direct.astype(np.int64)
    ticket = np.flatnonzero((work.team != BOT) & (direct > 0))
    salaries, outsourced = ACCOUNTS.index(SALARIES), ACCOUNTS.index(OUTSOURCED)
    parts = [
        _postings(
            np.floor(life.tickets.opened[ticket]).astype(np.int64),
            np.where(work.team[ticket] == NIGHT, outsourced, salaries),
            direct[ticket],
            ticket=ticket,
            team=work.team[ticket],
        ),
        *_rest_of_teams(life, work, crew, direct, month),
        _pools(life),
    ]
    whole = Postings.together(parts)
    return whole.kept(np.lexsort((whole.ticket, whole.team, whole.account, whole.day)))


def _postings(day: Ints, account: Ints, cents: Ints, **given: Ints) -> Postings:
    none = np.full(day.size, -1)
    return Postings(
        day=day, account=account, cents=cents, **({"ticket": none, "team": none, "pool": none} | given)
    )


def _rest_of_teams(life: Life, work: Work, crew: Crew, direct: Ints, month: Ints) -> list[Postings]:
    """Social contributions, and salaries of hours that no ticket carries, on the last day of each month."""
    size = len(life.timeline.window_months)
    own = [team for team in range(len(TEAMS)) if team != NIGHT]
    total, traced = np.zeros((2, len(TEAMS), size), dtype=np.int64)
    np.add.at(total, (crew.team, crew.month), crew.cents)
    human = work.team != BOT
    np.add.at(traced, (work.team[human], month[human]), direct[human])
    social = np.minimum(total * SOCIAL_PERCENT // 100, np.maximum(total - traced, 0))
    last = np.tile(life.timeline.edges[life.timeline.window + 1 :] - 1, len(own))
    team = np.repeat(own, size)
    parts = []
    for account, cents in ((SOCIAL, social), (SALARIES, total - traced - social)):
        chosen = np.flatnonzero(cents[own].ravel())
        code = np.full(chosen.size, ACCOUNTS.index(account))
        parts.append(_postings(last[chosen], code, cents[own].ravel()[chosen], team=team[chosen]))
    return parts


def _pools(life: Life) -> Postings:
    size = len(life.timeline.window_months)
    noise = life.streams.named("saas/pools").standard_normal((len(POOLS), size))
    pool, month = np.divmod(np.arange(noise.size), size)
    euros = np.array([entry.monthly for entry in POOLS])[pool] * life.scale * 1.02 ** (month // 12)
    cents = np.round(euros * (1 + 0.015 * noise.ravel()) * 100).astype(np.int64)
    account = np.array([ACCOUNTS.index(entry.account) for entry in POOLS])[pool]
    return _postings(life.timeline.edges[life.timeline.window + month] + 11, account, cents, pool=pool)


def ledger_table(life: Life, postings: Postings) -> pa.Table:
    size, line = postings.day.size, life.accounts.line[life.tickets.account]
    at = np.maximum(postings.ticket, 0)
    traced = postings.ticket >= 0
    names = [account.account for account in ACCOUNTS]
    centers = [*(team.cost_center for team in TEAMS), "4000"]
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
            "region": columns.words(company.REGIONS, life.accounts.region[life.tickets.account][at], traced),
            "account": columns.words(names, postings.account),
            "product_id": columns.words(product_ids(), product_of(life)[at], traced),
            "product_line": columns.words(LINES, line[at], traced),
            "recorded_at": columns.time_column(life.timeline.timestamps(_recorded(life, postings))),
        }
    )


def _recorded(life: Life, postings: Postings) -> Floats:
    """Within a day and a half; one invoice in twenty by the books' closing day of the next month."""
    month = life.timeline.month_of(postings.day)
    close = life.timeline.edges[month + 1] + 7.0
    row = (postings.day * 10_000 + postings.account * 100 + postings.team * 10 + postings.pool + 50).astype(
        np.uint64
    )
    own = np.maximum(postings.ticket, 0)
    identity = np.where(postings.ticket >= 0, life.tickets.identity[own], row)
    lag = mark(child(identity ^ life.streams.identities("saas/recorded", 1), "lag"), "days")
    return np.where(
        (postings.ticket < 0) & (lag < 0.05), close, np.minimum(postings.day + 0.3 + 1.2 * lag, close)
    )


def gl_totals_table(life: Life, sales: Sales, postings: Postings) -> pa.Table:
    """Control totals in euros: dollars at the rate of the day of each order, rounded row by row as the load does."""
    timeline = life.timeline
    size, start = len(timeline.window_months), timeline.window
    seen = sales.kept(sales.time >= timeline.start)
    euros = company.in_euros(seen.cents, life.accounts.dollars[seen.account], timeline.dates(seen.time))
    month = timeline.window_month_of(seen.time)
    revenue, service = np.zeros((2, size), dtype=np.int64)
    np.add.at(revenue, month, euros)
    np.add.at(service, month, np.where(seen.kind == SERVICE, euros, 0))
    cost = np.zeros((size, len(ACCOUNTS)), dtype=np.int64)
    np.add.at(cost, (timeline.window_month_of(postings.day), postings.account), postings.cents)
    names, codes = [], [account.account for account in ACCOUNTS]
    noise = life.streams.named("saas/overhead").standard_normal(size)
    overhead = np.round(revenue * (0.52 + 0.01 * noise)).astype(np.int64)
    for at in range(size):
        total = int(cost[at].sum())
        names += [(at, "revenue", "all", int(revenue[at])), (at, "service_revenue", "all", int(service[at]))]
        names += [
            (at, "after_sales_cost", "all", total),
            (at, "operating_cost", "all", total + int(overhead[at])),
        ]
        names += [
            (at, "after_sales_cost", code, int(cents))
            for code, cents in zip(codes, cost[at], strict=True)
            if cents
        ]
    months, measures, accounts, cents = zip(*names, strict=True)
    return columns.table(
        {
            "month": columns.date_column(timeline.dates(timeline.edges[start + np.array(months)])),
            "measure": pa.array(measures),
            "account": pa.array(accounts),
            "amount": columns.money(np.array(cents)),
            "currency": columns.constant(company.CURRENCY, len(names)),
        }
    )


def budget_table(life: Life, postings: Postings) -> pa.Table:
    """The first year's cost, nine tenths of labour."""
    category = np.array([CATEGORIES.index(account.category) for account in ACCOUNTS])[postings.account]
    base = plans.first_year(life.timeline, CATEGORIES, postings.day, category, postings.cents)
    labour, partner = CATEGORIES.index("labour"), CATEGORIES.index("outsourcing")
    if not base[partner]:  # the partner came later: planned with a share of labour
        base[partner] = 0.15 * base[labour]
    base[labour] *= 0.9
    noise = life.streams.named("saas/budget").standard_normal(plans.planned_months(life.timeline).size)
    return plans.budget_table(life.timeline, CATEGORIES, base, life.tickets.opened, 0.02 * noise)


def drivers_table(life: Life, work: Work, crew: Crew) -> pa.Table:
    """Hours, tickets, heads and seats by team, product line, region and activity, and the square metres of each team's desks."""
    timeline, accounts, tickets = life.timeline, life.accounts, life.tickets
    size = len(timeline.window_months)
    month = timeline.window_month_of(tickets.opened)
    heads = grid(crew.team, crew.month, len(TEAMS), size)
    teams = tuple(team.team for team in TEAMS)
    blocks: list[tuple[str, tuple[str, ...], str, Floats]] = [
        ("team", teams, "headcount", heads),
        ("team", teams, "seats", heads),
        ("team", teams, "area", heads * 9),
        ("team", teams, "hours", grid(crew.team, crew.month, len(TEAMS), size, crew.worked)),
        ("team", teams, "tickets", grid(work.team, month, len(TEAMS), size)),
    ]
    for kind, names, index in (
        ("product_line", LINES, accounts.line[tickets.account]),
        ("region", company.REGIONS, accounts.region[tickets.account]),
        ("activity", company.ACTIVITIES, tickets.kind),
    ):
        hours = grid(index, month, len(names), size, work.hours)
        people = np.round(hours / HOURS_A_MONTH, 1)
        blocks += [
            (kind, names, "tickets", grid(index, month, len(names), size)),
            (kind, names, "hours", hours),
            (kind, names, "headcount", people),
            (kind, names, "seats", people),
            (kind, names, "area", people * 9),
        ]
    cells = [quantity.size for *_, quantity in blocks]
    when = np.concatenate([np.tile(np.arange(size), len(names)) for _, names, _, _ in blocks])
    objects = [columns.words(names, np.repeat(np.arange(len(names)), size)) for _, names, _, _ in blocks]
    frame = columns.table(
        {
            "month": columns.date_column(timeline.dates(timeline.edges[timeline.window + when])),
            "cost_object_type": pa.array(np.repeat([kind for kind, *_ in blocks], cells)),
            "cost_object": pa.concat_arrays(objects),
            "driver": pa.array(np.repeat([driver for _, _, driver, _ in blocks], cells)),
            "quantity": columns.numbers(np.concatenate([quantity.ravel() for *_, quantity in blocks])),
        }
    )
    return columns.in_order(frame, "month", "cost_object_type", "cost_object", "driver")


# ---------------------------------------------------------------- sales and the calendar


def opportunities_table(life: Life, ids: pa.Array) -> pa.Table:
    """Offers of add-ons and larger plans to accounts, won three times in ten, never after the account left."""
    accounts, timeline = life.accounts, life.timeline
    size = max(20, round(45 * life.scale * len(timeline.window_months)))
    identity: Identities = life.streams.identities("saas/opportunities", size)
    account = np.floor(mark(identity, "account") * accounts.identity.size).astype(np.int64)
    return plans.opportunities_table(
        timeline,
        identity,
        ids,
        customer=account,
        began=timeline.day_in(accounts.month, accounts.day)[account],
        left=life.left[account],
        channel=columns.words(company.CHANNELS, accounts.channel[account]),
        stages=STAGES,
        days=(5, 38),
        won_share=0.30,
        amount=(3_500, 0.9),
        width=5,
    )


def marketing_table(life: Life) -> pa.Table:
    monthly = [euros * life.scale for euros in MARKETING]
    return plans.marketing_table(
        life.timeline, company.CHANNELS, monthly, life.streams.named("saas/marketing")
    )


def calendar_table(life: Life) -> pa.Table:
    """Public holidays of the Land of Berlin (Sonn- und Feiertagsgesetz Berlin) that fall on a weekday."""
    rows: list[tuple[dt.date, str]] = []
    for year in range(life.timeline.months[0].start.year, life.timeline.last.start.year + 2):
        easter = easter_sunday(year)
        fixed: tuple[tuple[int, int, str], ...] = (
            (1, 1, "Neujahr"),
            (3, 8, "Internationaler Frauentag"),
            (5, 1, "Tag der Arbeit"),
            (10, 3, "Tag der Deutschen Einheit"),
            (12, 25, "1. Weihnachtstag"),
            (12, 26, "2. Weihnachtstag"),
        )
        moving = ((-2, "Karfreitag"), (1, "Ostermontag"), (39, "Christi Himmelfahrt"), (50, "Pfingstmontag"))
        rows += [(dt.date(year, month, day), name) for month, day, name in fixed]
        rows += [(easter + dt.timedelta(days=shift), name) for shift, name in moving]
    once = sorted((day, name) for day, name in dict(rows).items() if day.weekday() < 5)
    whole: dict[str, Any] = {
        "day": pa.array([day for day, _ in once], pa.date32()),
        "working": pa.array([False] * len(once)),
        "name": pa.array([name for _, name in once]),
    }
    return columns.table(whole)


def easter_sunday(year: int) -> dt.date:
    """Easter of the Gregorian calendar (Meeus, Astronomical Algorithms, 1991, chapter 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    h = (19 * a + b - d - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return dt.date(year, month, day + 1)
