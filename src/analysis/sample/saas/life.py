"""The lives of accounts: how they come, what they ask, which terms they hold, when they leave.

Everything that may happen to an account is drawn beforehand by marks; the walk through the months then says what of it does happen.
Time is in days of the business zone since the first day of the history, as in :mod:`analysis.sample.timeline`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.sample.saas import company
from analysis.sample.saas.company import (
    BILLING,
    COMPLAINT,
    FEATURE,
    FLOW,
    HOW_TO,
    INCIDENT,
    TRAINING,
    BerlinTimeline,
)
from analysis.sample.saas.truths import USUAL_DOLLAR_SHARE, Plan
from analysis.sample.service import normal
from analysis.sample.streams import Flags, Floats, Identities, Ints, Rows, Streams, child, mark, pick

ACCOUNTS_AT_SCALE_ONE = 3_040
GROWTH = 1.2  # accounts won in the last month against the first, minus one
TRAINED_SHARE = 0.55
TRAINING_DAYS = 90
LAST_DAY = 28  # accounts begin on the 1st to 28th, so that every month has their day
MOST_TICKETS = 1.5  # a month and account: what is drawn beforehand, of which a plan's share happens
UPGRADE = 0.006  # a month
PRICE_INDEX = 0.03  # a year, at each new term
ANNUAL_DISCOUNT = 0.9
REASONS = ("price", "competitor", "service", "missing features", "no longer needed", "closed business")
REASON_SHARES = (0.22, 0.22, 0.10, 0.18, 0.20, 0.08)
SERVICE_REASON, PRICE_REASON, CLOSED = 2, 0, 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Accounts(Rows):
    """One entry an account. ``month`` on the month axis and ``day`` of the month: when it began, and when its terms begin."""

    identity: Identities
    month: Ints
    day: Ints
    plan: Ints
    line: Ints
    region: Ints
    channel: Ints
    size: Floats
    trained: Flags

    @property
    def dollars(self) -> Flags:
        return np.asarray(self.region == company.AMERICA)


@dataclass(frozen=True, kw_only=True, eq=False)
class Tickets(Rows):
    """One entry a ticket; ``month`` on the month axis, ``response`` and ``work`` in hours (to the answer, and from it to the resolution)."""

    identity: Identities
    account: Ints
    month: Ints
    opened: Floats
    kind: Ints
    severity: Ints
    response: Floats
    work: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Terms(Rows):
    """One entry a contract term; ``cents`` in the account's own currency; ``cancelled`` and ``replaced`` (by a dearer term) are not-a-number where it ran on."""

    account: Ints
    starts: Ints
    ends: Ints
    months: Ints
    plan: Ints
    cents: Ints
    cancelled: Floats
    replaced: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Life:
    """What happened: ``left`` is infinite for accounts that stayed; ``plans[account, month]`` is -1 while there is no account."""

    timeline: BerlinTimeline
    planted: Plan
    streams: Streams
    scale: float
    accounts: Accounts
    tickets: Tickets
    terms: Terms
    left: Floats
    reason: Ints
    plans: Ints
    bands: Ints


def won(streams: Streams, timeline: BerlinTimeline, planted: Plan, scale: float) -> Accounts:
    """Accounts in the order of their beginning."""
    size = max(round(ACCOUNTS_AT_SCALE_ONE * scale), 60)
    identity = streams.identities("saas/accounts", size)
    months = len(timeline.months)
    month = pick(mark(identity, "month"), 1 + GROWTH * np.arange(months) / months)
    day = 1 + np.floor(LAST_DAY * mark(identity, "day")).astype(np.int64)
    order = np.lexsort((day, month))
    identity, month, day = identity[order], month[order], day[order]
    since = np.clip((month - timeline.window) / max(months - timeline.window - 1, 1), 0, 1)
    dollars = USUAL_DOLLAR_SHARE + (planted.strength.dollar_last_share - USUAL_DOLLAR_SHARE) * since
    region = pick(mark(identity, "region"), company.REGION_SHARES)
    plan = pick(mark(identity, "plan"), company.PLAN_SHARES)
    return Accounts(
        identity=identity,
        month=month,
        day=day,
        plan=plan,
        line=pick(mark(identity, "line"), company.LINE_SHARES),
        region=np.where(mark(identity, "dollars") < dollars, company.AMERICA, region),
        channel=pick(mark(identity, "channel"), company.CHANNEL_SHARES),
        size=np.where(plan == company.STARTER, 1.0, np.exp(0.35 * normal(mark(identity, "seats")))),
        trained=mark(identity, "trained") < TRAINED_SHARE,
    )


# ---------------------------------------------------------------- tickets that may come


def possible_tickets(timeline: BerlinTimeline, planted: Plan, accounts: Accounts) -> Tickets:
    """Everything that could be asked in the window, before it is known who stays and who holds which plan."""
    first, months = timeline.window, len(timeline.months)
    who = np.repeat(np.arange(accounts.identity.size), months - first)
    when = np.tile(np.arange(first, months), accounts.identity.size)
    there = when >= accounts.month[who]
    who, when = who[there], when[there]
    release = planted.begins("release_surge").months_since(timeline.months[0])
    surge = (accounts.line[who] == FLOW) & np.isin(when, (release, release + 1))
    more = np.where(surge, (planted.strength.release_surge - 1) * company.KIND_SHARES[INCIDENT], 0.0)
    parts = [
        _drawn(timeline, accounts, who, when, np.full(who.size, MOST_TICKETS), "tickets", None),
        _drawn(timeline, accounts, who, when, more * MOST_TICKETS, "release", INCIDENT),
        _trainings(timeline, accounts),
    ]
    whole = Tickets.together(parts)
    return whole.kept(np.lexsort((whole.identity, whole.opened)))


def _drawn(
    timeline: BerlinTimeline,
    accounts: Accounts,
    who: Ints,
    when: Ints,
    mean: Floats,
    name: str,
    kind: int | None,
) -> Tickets:
    month = child(accounts.identity[who], name, when)
    number = _poisson(mark(month, "how many"), mean)
    row = np.repeat(np.arange(who.size), number)
    place = np.arange(row.size) - np.repeat(np.cumsum(number) - number, number)
    identity = child(month[row], "ticket", place)
    start, end = timeline.edges[when[row]], timeline.edges[when[row] + 1]
    day = start + np.floor((end - start) * mark(identity, "day"))
    weekday = (day.astype(np.int64) + int(timeline.origin.astype(np.int64)) + 3) % 7  # 0 is Monday
    quiet = (weekday >= 5) & (mark(identity, "weekend") < 0.7)
    day = np.where(quiet & (day - weekday + 4 >= start), day - weekday + 4, day)
    night = mark(identity, "night") < 0.22
    hour = np.where(night, (20 + 10 * mark(identity, "hour")) % 24, 7 + 13 * mark(identity, "hour"))
    kinds = pick(mark(identity, "kind"), company.KIND_SHARES) if kind is None else np.full(row.size, kind)
    return _tickets(timeline, identity, who[row], day + hour / 24, kinds)


def _trainings(timeline: BerlinTimeline, accounts: Accounts) -> Tickets:
    """One admin training within the first 90 days of trained accounts, of which only those in the window are on record."""
    who = np.flatnonzero(accounts.trained)
    identity = child(accounts.identity[who], "training")
    start = timeline.day_in(accounts.month[who], accounts.day[who])
    opened = (
        start
        + 3
        + np.floor((TRAINING_DAYS - 8) * mark(identity, "day"))
        + (9 + 7 * mark(identity, "hour")) / 24
    )
    seen = (opened >= timeline.start) & (opened < timeline.end)
    return _tickets(timeline, identity[seen], who[seen], opened[seen], np.full(int(seen.sum()), TRAINING))


def _tickets(
    timeline: BerlinTimeline, identity: Identities, who: Ints, opened: Floats, kind: Ints
) -> Tickets:
    severity = np.where(kind == INCIDENT, pick(mark(identity, "severity"), company.SEVERITY_SHARES), 2)
    return Tickets(
        identity=identity,
        account=who,
        month=timeline.month_of(opened),
        opened=opened,
        kind=kind,
        severity=severity,
        response=_response(identity, kind, severity),
        work=_work(identity, kind, severity),
    )


def _poisson(marks: Floats, mean: Floats) -> Ints:
    """The inverse of the distribution function, up to 12."""
    chance = np.exp(-mean)
    reached, number = chance.copy(), np.zeros(marks.size, dtype=np.int64)
    for count in range(1, 13):
        number += marks >= reached
        chance = chance * mean / count
        reached = reached + chance
    return number


def _response(identity: Identities, kind: Ints, severity: Ints) -> Floats:
    """Hours to the first answer; what is late or quick is decided by its own mark, whoever asks."""
    usual = np.exp(np.log(3.5) + 0.8 * normal(mark(identity, "response")))
    late, spread = mark(identity, "late"), mark(identity, "response spread")
    return np.select(
        [(kind == INCIDENT) & (severity == 0), kind == FEATURE, kind == COMPLAINT],
        [
            np.where(late < 0.35, 1.1 + 7 * spread, 0.15 + 0.8 * spread),
            np.where(late < 0.5, 0.8 + 6.7 * spread, 9 + 60 * spread),
            np.where(late < 0.2, 25 + 50 * spread, 1 + 20 * spread),
        ],
        usual,
    )


def _work(identity: Identities, kind: Ints, severity: Ints) -> Floats:
    """Hours from the first answer to the resolution."""
    middle = np.select(
        [(kind == INCIDENT) & (severity == 0), kind == INCIDENT, kind == FEATURE, kind == TRAINING],
        [3.5, 18.0, 40.0, 48.0],
        6.0,
    )
    hours: Floats = middle * np.exp(0.7 * normal(mark(identity, "work")))
    return hours


# ---------------------------------------------------------------- the walk through the months


def usage_bands(timeline: BerlinTimeline, accounts: Accounts) -> Ints:
    """Account x quarter of the window: steady, growing or declining; half of the bands last into the next quarter."""
    quarters = -(-(len(timeline.months) - timeline.window) // 3)
    bands = np.empty((accounts.identity.size, quarters), dtype=np.int64)
    for quarter in range(quarters):
        drawn = pick(mark(child(accounts.identity, "usage", quarter), "band"), (0.55, 0.30, 0.15))
        lasts = mark(child(accounts.identity, "usage", quarter), "lasts") < 0.5
        bands[:, quarter] = np.where(lasts, bands[:, quarter - 1], drawn) if quarter else drawn
    return bands


@dataclass(kw_only=True, eq=False)
class _Walk:
    """The state of every account while the months go by."""

    timeline: BerlinTimeline
    planted: Plan
    accounts: Accounts
    bands: Ints

    def __post_init__(self) -> None:
        size, months = self.accounts.identity.size, len(self.timeline.months)
        self.plan, self.day = self.accounts.plan.copy(), self.accounts.day.copy()
        self.anniversary = self.accounts.month.copy()
        monthly = np.asarray(company.MONTHLY_SHARES)[self.plan]
        self.monthly = mark(self.accounts.identity, "monthly") < monthly
        self.left, self.reason = np.full(size, np.inf), np.full(size, -1)
        self.intends = np.zeros(size, dtype=bool)
        self.hurt_until = self.quick_until = np.full(size, -1)
        self.hurt_until, self.quick_until = self.hurt_until.copy(), self.quick_until.copy()
        self.plans = np.full((size, months), -1)
        self.current = np.full(size, -1)
        self.terms: list[Terms] = []
        self.term_count = 0
        self.cancelled: list[tuple[Ints, Ints]] = []
        self.replaced: list[tuple[Ints, Ints]] = []
        self.rise = self.planted.begins("price_rise").months_since(self.timeline.months[0])

    def begin_terms(self, who: Ints, month: int, day: Ints) -> None:
        """A term of each of these accounts begins in this month, on their day of it."""
        length = np.where(self.monthly[who], 1, 12)
        starts = self.timeline.day_in(np.full(who.size, month), day)
        plan = self.plan[who]
        price = np.asarray(company.PRICES)[plan] * self.accounts.size[who]
        price = price * np.where(self.accounts.dollars[who], 1.1, 1.0) * (1 + PRICE_INDEX) ** (month // 12)
        risen = (plan == company.STARTER) & (month >= self.rise)
        price = price * np.where(risen, self.planted.strength.price_rise, 1.0)
        price = price * np.where(self.monthly[who], 1.0, ANNUAL_DISCOUNT)
        self.terms.append(
            Terms(
                account=who,
                starts=starts,
                ends=self.timeline.day_in(month + length, day) - 1,
                months=length,
                plan=plan,
                cents=np.round(price * 100).astype(np.int64) * length,
                cancelled=np.full(who.size, np.nan),
                replaced=np.full(who.size, np.nan),
            )
        )
        self.current[who] = self.term_count + np.arange(who.size)
        self.term_count += who.size
        self.anniversary[who], self.day[who] = month, day

    def renew(self, month: int) -> None:
        """Terms that end in this month: those who mean to leave do, the others begin another."""
        there = np.isinf(self.left) & (self.accounts.month < month)
        due = there & (self.monthly | ((month - self.anniversary) % 12 == 0))
        leaves = due & self.intends & ~self.monthly
        self.left[leaves] = self.timeline.day_in(np.full(int(leaves.sum()), month), self.day[leaves])
        stays = np.flatnonzero(due & ~leaves)
        self.begin_terms(stays, month, self.day[stays])

    def hazard(self, month: int) -> Floats:
        strength, age = self.planted.strength, month - self.accounts.month
        hazard = np.asarray(company.HAZARDS)[self.plan]
        hazard = np.where(month <= self.hurt_until, hazard * strength.slow_severity_1, hazard)
        known = self.accounts.month >= self.timeline.window  # of older accounts no ticket tells
        untrained = known & ~self.accounts.trained & (age >= 3) & (age < 12)
        hazard = np.where(untrained, hazard * strength.untrained_start, hazard)
        if month >= self.timeline.window:
            declines = self.bands[:, (month - self.timeline.window) // 3] == company.DECLINING
            hazard = np.where(declines, hazard * strength.declining_usage, hazard)
        risen = self.monthly & (self.plan == company.STARTER) & (month in (self.rise, self.rise + 1))
        return np.where(risen, hazard * strength.price_hazard, hazard)

    def decide(self, month: int) -> None:
        """Who means to leave: at once on monthly terms (on a day of the month), at the anniversary on yearly ones."""
        identity = child(self.accounts.identity, "month", month)
        there = np.isinf(self.left) & (self.accounts.month < month)
        wants = there & ~self.intends & (mark(identity, "leaves") < self.hazard(month))
        self.intends |= wants
        self._remember_why(identity, wants, month)
        goes = np.flatnonzero(wants & self.monthly)
        days = self.day[goes] + np.floor((LAST_DAY + 1 - self.day[goes]) * mark(identity, "day")[goes])
        when = self.timeline.day_in(np.full(goes.size, month), days.astype(np.int64))
        self.left[goes] = when
        self.cancelled.append((self.current[goes], when))
        self._upgrade(identity, month)

    def _remember_why(self, identity: Identities, wants: Flags, month: int) -> None:
        shares = np.tile(np.asarray(REASON_SHARES), (wants.size, 1))
        if self.planted.strength.slow_severity_1 > 1:
            shares[month <= self.hurt_until, SERVICE_REASON] += 0.8
        if self.planted.strength.price_hazard > 1 and month in (self.rise, self.rise + 1):
            shares[self.monthly & (self.plan == company.STARTER), PRICE_REASON] += 1.0
        self.reason = np.where(wants, pick(mark(identity, "reason"), shares), self.reason)

    def _upgrade(self, identity: Identities, month: int) -> None:
        """A dearer plan from a day within the month on: the running term is cancelled that day and replaced by one of twelve months or one."""
        chance = np.where(month <= self.quick_until, UPGRADE * self.planted.strength.quick_feature, UPGRADE)
        able = np.isinf(self.left) & ~self.intends & (self.accounts.month < month)
        able &= (self.plan < len(company.PLANS) - 1) & (self.day < LAST_DAY)
        who = np.flatnonzero(able & (mark(identity, "upgrades") < chance))
        span = LAST_DAY - self.day[who]
        day = self.day[who] + 1 + np.floor(span * mark(identity, "upgrade day")[who]).astype(np.int64)
        self.replaced.append((self.current[who], self.timeline.day_in(np.full(who.size, month), day)))
        self.plan[who] += 1
        self.monthly[who] &= self.plan[who] == 1
        self.begin_terms(who, month, day)

    def feel(self, tickets: Tickets, month: int) -> None:
        """What tickets of this month do to the months after it."""
        strength = self.planted.strength
        slow = tickets.account[(tickets.kind == INCIDENT) & (tickets.severity == 0) & (tickets.response > 1)]
        self.hurt_until[slow] = month + strength.slow_months
        quick = tickets.account[(tickets.kind == FEATURE) & (tickets.response <= 8)]
        self.quick_until[quick] = month + strength.quick_months

    def ended(self) -> Terms:
        whole = Terms.together(self.terms)
        for kept, pairs in ((whole.cancelled, self.cancelled), (whole.replaced, self.replaced)):
            for which, when in pairs:
                kept[which] = when
        return whole.kept(np.lexsort((whole.starts, whole.account)))


def lived(*, seed: int, planted: Plan, timeline: BerlinTimeline, scale: float) -> Life:
    """The company from its first account to the last day of the window."""
    streams = Streams(seed)
    accounts = won(streams, timeline, planted, scale)
    possible = possible_tickets(timeline, planted, accounts)
    bands = usage_bands(timeline, accounts)
    walk = _Walk(timeline=timeline, planted=planted, accounts=accounts, bands=bands)
    rates = np.asarray((planted.strength.starter_tickets, *company.TICKETS[1:])) / MOST_TICKETS
    starts = np.searchsorted(possible.month, np.arange(len(timeline.months) + 1))
    asks = mark(possible.identity, "asks")
    happened = np.zeros(possible.identity.size, dtype=bool)
    began = timeline.day_in(accounts.month, accounts.day)
    for month in range(len(timeline.months)):
        new = np.flatnonzero(accounts.month == month)
        walk.begin_terms(new, month, accounts.day[new])
        walk.renew(month)
        there = np.isinf(walk.left) & (accounts.month <= month)
        walk.plans[there, month] = walk.plan[there]
        rows = np.arange(starts[month], starts[month + 1])
        who = possible.account[rows]
        asked = (asks[rows] < rates[walk.plan[who]]) | (possible.kind[rows] == TRAINING)
        happened[rows] = asked & there[who] & (possible.opened[rows] > began[who] + 0.5)
        walk.decide(month)
        walk.feel(possible.kept(rows[happened[rows]]), month)
    tickets = possible.kept(happened & (possible.opened < np.floor(walk.left[possible.account])))
    return Life(
        timeline=timeline,
        planted=planted,
        streams=streams,
        scale=scale,
        accounts=accounts,
        tickets=tickets,
        terms=walk.ended(),
        left=np.where(walk.left < timeline.end, walk.left, np.inf),
        reason=np.where(walk.left < timeline.end, walk.reason, -1),
        plans=walk.plans,
        bands=bands,
    )


QUESTIONS = (HOW_TO, BILLING)
