"""The workshops: who does a job, how long the machine stands, what it takes, and the paid hours of the fitters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from analysis.periods import Month
from analysis.sample.heavy import company, fleet
from analysis.sample.heavy.company import (
    BREAKDOWN,
    COMPONENT_SHOP,
    COMPONENTS,
    CONTRACT,
    EXCHANGE,
    REPEAT,
    SITES,
    TEAMS,
)
from analysis.sample.heavy.fleet import Events, Fleet
from analysis.sample.heavy.truths import USUAL_FOUND_EARLY, USUAL_REPEATS, USUAL_UNUSED
from analysis.sample.service import normal
from analysis.sample.streams import Flags, Floats, Identities, Ints, child, mark
from analysis.sample.work import grid

HOURS_A_MONTH = 170.0  # paid hours of a fitter
WORKED_TO_HANDLED = 1.18  # travel to the pit, permits, handover
UNUSED_NOISE = 0.012
SPREAD, REPAIR_SPREAD, FEE_SPREAD = 0.30, 0.45, 0.12
REPEATED_WORK = 0.6  # hours of a repeated repair, against the first
DAY_BEGINS, DAY_ENDS = 6, 18
MODEL_SIZE = np.array([model.size for model in company.MODELS])


@dataclass(frozen=True, kw_only=True, eq=False)
class Jobs:
    """One entry a job, by time. Times in days; ``parent`` is the position of the repair that did not hold, else -1; ``fee`` in cents."""

    identity: Identities
    machine: Ints
    kind: Ints
    component: Ints
    opened: Floats
    answered: Floats
    resolved: Floats
    team: Ints
    hours: Floats
    fee: Ints
    parent: Ints

    @property
    def size(self) -> int:
        return int(self.kind.size)

    def by_time(self, end: float) -> Self:
        """The jobs that were opened before the end, in order; what a repeat points at moves with it."""
        rows = np.lexsort((self.identity, self.opened))
        rows = rows[self.opened[rows] < end]
        position = np.full(self.size, -1)
        position[rows] = np.arange(rows.size)
        taken = {each.name: getattr(self, each.name)[rows] for each in fields(self)}
        parent = np.where(taken["parent"] >= 0, position[taken["parent"]], -1)
        return type(self)(**(taken | {"parent": parent}))


def hour_of(every: Fleet, machine: Ints, identity: Identities) -> Floats:
    """The time of day, in days: any at a site that works around the clock, else within the day shift."""
    nights = np.array([site.nights for site in SITES])[every.machines.site[machine]]
    shift = DAY_BEGINS + (DAY_ENDS - DAY_BEGINS) * mark(identity, "hour")
    return np.where(nights, 24 * mark(identity, "hour"), shift) / 24


def is_night(opened: Floats) -> Flags:
    hour = (opened % 1) * 24
    return np.asarray((hour < DAY_BEGINS) | (hour >= DAY_ENDS))


def home(every: Fleet, machine: Ints) -> Ints:
    """The workshop that serves the machine's site."""
    return np.array([site.workshop for site in SITES])[every.machines.site[machine]]


def done(every: Fleet) -> Jobs:
    """Services, breakdowns, exchanges before the breakdown, and repairs that come back."""
    first = _together([_services(every, fleet.services(every)), _failures(every, fleet.failures(every))])
    return _together([first, _repeats(every, first)]).by_time(every.timeline.end)


def _together(parts: list[Jobs]) -> Jobs:
    return Jobs(
        **{each.name: np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Jobs)}
    )


def _spread(identity: Identities, name: str, sigma: float) -> Floats:
    """Log-normal factors with mean one."""
    return np.asarray(np.exp(sigma * normal(mark(identity, name)) - sigma**2 / 2))


def _services(every: Fleet, due: Events) -> Jobs:
    """By appointment in the day shift: the machine stands from the beginning to the end."""
    opened = np.floor(due.time) + (DAY_BEGINS + 6 * mark(due.identity, "hour")) / 24
    stands = np.array(company.SERVICE_STANDS)[due.service] * _spread(due.identity, "repair", 0.2)
    hours = np.array(company.SERVICE_HOURS)[due.service] * _spread(due.identity, "hours", 0.2)
    nothing = np.full(opened.size, -1)
    return Jobs(
        identity=due.identity,
        machine=due.machine,
        kind=due.service,
        component=nothing,
        opened=opened,
        answered=opened,
        resolved=opened + stands / 24,
        team=home(every, due.machine),
        hours=np.round(hours, 2),
        fee=np.zeros(opened.size, dtype=np.int64),
        parent=nothing,
    )


def _failures(every: Fleet, failed: Events) -> Jobs:
    """A failure that is found before it happens is exchanged by the Component Shop; the others stop the machine where it works."""
    strength, own = every.planted.strength, home(every, failed.machine)
    watched = (own == company.GOLDFIELDS) & every.since("oil_analysis", failed.time)
    wetted = np.isin(failed.component, company.OIL_WETTED)
    share = np.where(watched & wetted, strength.found_early, USUAL_FOUND_EARLY)
    early = mark(failed.identity, "found early") < share
    day_shift = (DAY_BEGINS + 6 * mark(failed.identity, "hour")) / 24
    opened = np.floor(failed.time) + np.where(
        early, day_shift, hour_of(every, failed.machine, failed.identity)
    )
    contracted = ~early & (mark(failed.identity, "contracted") < company.CONTRACTED_SHARE)
    team = np.where(early, COMPONENT_SHOP, np.where(contracted, CONTRACT, own))
    kind = np.where(early, EXCHANGE, BREAKDOWN)
    return _repaired(
        every, failed.identity, failed.machine, failed.component, kind, opened, team, np.full(opened.size, -1)
    )


def _repeats(every: Fleet, first: Jobs) -> Jobs:
    """Repairs that did not hold come back within a month, to the site's own workshop."""
    chance = np.where(first.team == CONTRACT, every.planted.strength.contract_repeats, USUAL_REPEATS)
    again = np.flatnonzero((first.kind == BREAKDOWN) & (mark(first.identity, "comes back") < chance))
    identity, machine = child(first.identity[again], "repeat"), first.machine[again]
    day = np.floor(first.resolved[again] + 1 + 24 * mark(identity, "after"))
    opened = day + hour_of(every, machine, identity)
    still = opened < every.timeline.edges[every.timeline.window :][_last_month(every, machine)]
    return _repaired(
        every,
        identity[still],
        machine[still],
        first.component[again][still],
        np.full(int(still.sum()), REPEAT),
        opened[still],
        home(every, machine[still]),
        again[still],
    )


def _last_month(every: Fleet, machine: Ints) -> Ints:
    """The edge of the window at which a machine leaves, the last one for those that stay."""
    return np.minimum(every.machines.ends[machine], len(every.timeline.window_months))


def _repaired(
    every: Fleet,
    identity: Identities,
    machine: Ints,
    component: Ints,
    kind: Ints,
    opened: Floats,
    team: Ints,
    parent: Ints,
) -> Jobs:
    """How long the machine stands and what the work takes. Waiting and the night lengthen the one and leave the other."""
    strength = every.planted.strength
    entries, planned = np.array([(entry.hours, entry.repair) for entry in COMPONENTS]), kind == EXCHANGE
    waiting = (component == company.DRIVE) & ~planned & every.since("parts_wait", opened)
    stands = entries[component, 1] * _spread(identity, "repair", REPAIR_SPREAD)
    stands = stands * np.where(planned, company.EXCHANGE_REPAIR, 1.0)
    stands = stands * np.where(waiting, strength.parts_wait, 1.0)
    stands = stands * np.where(is_night(opened) & ~planned, strength.night_repair, 1.0)
    answered = opened + np.where(planned, 0.0, 0.4 + 2.2 * mark(identity, "answer")) / 24
    size = np.sqrt(MODEL_SIZE)[every.machines.model[machine]]
    hours = entries[component, 0] * size * _spread(identity, "hours", SPREAD)
    hours = hours * np.where(planned, company.EXCHANGE_WORK, np.where(kind == REPEAT, REPEATED_WORK, 1.0))
    eased = (team == company.GOLDFIELDS) & every.since("oil_analysis", opened)
    hours = hours * np.where(eased, strength.oil_hours, 1.0)
    told = (team == company.DARLING) & every.since("telematics", opened)
    hours = hours * np.where(told, strength.telematics_hours, 1.0)
    contracted = team == CONTRACT
    # what the site's own workshop would cost, its unused hours and travel with it, and what the partner asks of that
    rate = np.array([entry.hourly for entry in TEAMS])[home(every, machine)]
    usual = entries[component, 0] * size * rate * WORKED_TO_HANDLED / (1 - USUAL_UNUSED)
    fee = usual * strength.contract_fee * _spread(identity, "fee", FEE_SPREAD)
    return Jobs(
        identity=identity,
        machine=machine,
        kind=kind,
        component=component,
        opened=opened,
        answered=answered,
        resolved=answered + stands / 24,
        team=team,
        hours=np.maximum(np.round(hours, 2), 0.25),
        fee=np.where(contracted, np.round(fee * 100), 0).astype(np.int64),
        parent=parent,
    )


# ---------------------------------------------------------------- fitters


@dataclass(frozen=True, kw_only=True, eq=False)
class Crew:
    """One entry a fitter and month, by team, month and place; ``cents`` of cost."""

    agent: Ints
    month: Ints
    team: Ints
    paid: Floats
    worked: Floats
    cents: Ints


def agent_of(team: Ints, place: Ints) -> Ints:
    return (team + 1) * 1_000 + place + 1


def months_of(every: Fleet, jobs: Jobs) -> Ints:
    return every.timeline.window_month_of(jobs.opened)


def handled(every: Fleet, jobs: Jobs) -> Floats:
    """Hours on jobs by team and window month."""
    return grid(jobs.team, months_of(every, jobs), len(TEAMS), len(every.timeline.window_months), jobs.hours)


def heads(worked: Floats) -> Ints:
    """Fitters on the roster of each team and month, as the last six months' work needed; none where there was no work."""
    sums = np.cumsum(np.pad(worked, ((0, 0), (6, 0))), axis=1)
    months = np.minimum(np.arange(1, worked.shape[1] + 1), 6)
    usual = (sums[:, 6:] - sums[:, :-6]) / months * WORKED_TO_HANDLED / (1 - USUAL_UNUSED)
    least = np.maximum(np.round(usual / HOURS_A_MONTH), 1)
    return np.where(worked > 0, least, 0).astype(np.int64)


def fitters(every: Fleet, jobs: Jobs) -> Ints:
    """Who did each job."""
    present = heads(handled(every, jobs))[jobs.team, months_of(every, jobs)]
    return agent_of(jobs.team, np.floor(mark(jobs.identity, "fitter") * present).astype(np.int64))


def raised(months: Sequence[Month]) -> Floats:
    """Wages and prices against those of the first month: three per cent more each July, when the financial year begins."""
    years = np.array([(month - 6).start.year for month in months])
    return np.asarray(1.03 ** (years - years[0]))


def hourly_cents(every: Fleet, team: Ints, month: Ints) -> Floats:
    """Cents for an hour of a team in a window month."""
    cost: Floats = np.array([entry.hourly for entry in TEAMS])[team] * 100
    return cost * raised(every.timeline.window_months)[month]


def staffed(every: Fleet, jobs: Jobs) -> Crew:
    """Paid and worked hours. The unused share of a team and month is the usual one with a little noise, or the idle team's.

    The idle team hires: the same work is spread over more people. The contract workshop is paid by the job: its rows carry the fees and no
    unused hours.
    """
    size = len(every.timeline.window_months)
    work = handled(every, jobs)
    noise = UNUSED_NOISE * every.streams.named("heavy/unused").standard_normal((len(TEAMS), size))
    unused = np.clip(USUAL_UNUSED + noise, 0.02, None)
    idle = np.arange(size) >= every.planted.begins("idle_team").months_since(every.timeline.first)
    unused[COMPONENT_SHOP, idle] += every.planted.strength.idle_unused - USUAL_UNUSED
    unused[CONTRACT] = 0.0
    crowded = (1 - USUAL_UNUSED) / (1 - unused)  # paid hours against what the work would need
    present = np.round(heads(work) * np.where(crowded > 1.15, crowded, 1.0)).astype(np.int64).ravel()
    cell = np.repeat(np.arange(present.size), present)
    place = np.arange(cell.size) - np.repeat(np.cumsum(present) - present, present)
    team, month = np.divmod(cell, size)
    agent = agent_of(team, place)
    rows = {key: row for row, key in enumerate((agent * size + month).tolist())}
    row = np.array([rows[key] for key in (fitters(every, jobs) * size + months_of(every, jobs)).tolist()])
    busy = np.bincount(row, jobs.hours, cell.size) * WORKED_TO_HANDLED
    fees = np.bincount(row, jobs.fee.astype(float), cell.size)
    spare = (work * WORKED_TO_HANDLED * unused / (1 - unused)).ravel()[cell] / present[cell]
    paid = np.round(busy + spare, 2)
    cents = np.where(team == CONTRACT, fees, np.round(paid * hourly_cents(every, team, month)))
    return Crew(
        agent=agent,
        month=month,
        team=team,
        paid=paid,
        worked=np.minimum(np.round(busy, 2), paid),
        cents=cents.astype(np.int64),
    )
