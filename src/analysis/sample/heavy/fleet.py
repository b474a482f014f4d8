"""The machines, their hour meters, and what falls due by the hour: services and breakdowns.

Breakdowns are a Poisson process in operating hours (minimal repair: the rate depends on the machine's hours, not on what was repaired before),
drawn at the most that any truth allows and thinned by marks: a truth that is switched off leaves every other breakdown where it was.
Within a month a meter runs evenly: the stops of a machine are in its hours of the month, not shown in its readings one by one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.sample.heavy import company
from analysis.sample.heavy.company import COMPONENTS, MODELS, SITES
from analysis.sample.heavy.truths import Plan, Strengths
from analysis.sample.service import normal
from analysis.sample.streams import Flags, Floats, Identities, Ints, Streams, child, mark, pick
from analysis.sample.timeline import Timeline

MACHINES = 200  # in the field at scale 1
LIFE_MONTHS = 96  # after which a machine is sold and another takes its place
SERVICE_SPREAD = 0.06  # of the interval: services come a little early or late


@dataclass(frozen=True, kw_only=True, eq=False)
class Machines:
    """One entry a machine in the field in the window. ``begins`` and ``ends`` are months counted from the window's first; ends lies beyond it for those still there."""

    identity: Identities
    site: Ints
    model: Ints
    supplier: Ints
    begins: Ints
    ends: Ints
    lead: Ints

    @property
    def line(self) -> Ints:
        return np.array([model.line for model in MODELS])[self.model]

    def made(self, timeline: Timeline) -> np.ndarray:
        """First day of the month of manufacture, some months before a machine went into service."""
        first = np.datetime64(timeline.first.start, "M")
        days: np.ndarray = (first + (self.begins - self.lead)).astype("datetime64[D]")
        return days


@dataclass(frozen=True, kw_only=True, eq=False)
class Fleet:
    """Machines and their meters: ``hours[machine, month]`` is the reading when a month of the window begins, the last column when it ends."""

    timeline: Timeline
    planted: Plan
    streams: Streams
    machines: Machines
    hours: Floats

    @property
    def size(self) -> int:
        return int(self.machines.identity.size)

    def reading(self, machine: Ints, time: Floats) -> Floats:
        """Operating hours at an instant of the window, in days."""
        edges = self.timeline.edges[self.timeline.window :]
        month = np.clip(self.timeline.window_month_of(time), 0, edges.size - 2)
        share = (time - edges[month]) / np.diff(edges)[month]
        low, high = self.hours[machine, month], self.hours[machine, month + 1]
        return np.asarray(low + np.clip(share, 0, 1) * (high - low))

    def when(self, machine: Ints, hours: Floats) -> Floats:
        """The instant at which the meter reads so, in days; not-a-number outside the window."""
        edges = self.timeline.edges[self.timeline.window :]
        month = (self.hours[machine] <= hours[:, None]).sum(axis=1) - 1
        inside = (month >= 0) & (month < edges.size - 1)
        at = np.clip(month, 0, edges.size - 2)
        low, high = self.hours[machine, at], self.hours[machine, at + 1]
        share = (hours - low) / np.maximum(high - low, 1e-9)
        return np.where(inside, edges[at] + share * np.diff(edges)[at], np.nan)

    def since(self, name: str, time: Floats) -> Flags:
        """Whether a truth has begun."""
        begun: Flags = time >= self.timeline.month_start(self.planted.begins(name))
        return begun

    def skips(self, machine: Ints, number: Ints) -> Flags:
        """Whether the service at ``number`` times the interval is left out."""
        if not self.planted.strength.skips_services:
            return np.zeros(machine.size, dtype=bool)
        due = self.when(machine, (number * company.SERVICE_EVERY).astype(np.float64))
        there = np.isin(self.machines.site[machine], company.STRETCHED) & (number % 2 == 1)
        skipped: Flags = there & self.since("stretched_interval", np.nan_to_num(due, nan=-np.inf))
        return skipped


def bought(streams: Streams, timeline: Timeline, *, scale: float) -> Machines:
    """Machines whose ages spread evenly over eight years; one that is replaced within the window had the same site and model."""
    size, months = max(round(MACHINES * scale), len(SITES)), len(timeline.window_months)
    place = streams.identities("heavy/places", size)
    # by quota: a site has its share of a small fleet too, and at least one machine
    share = np.cumsum([site.weight for site in SITES]) / sum(site.weight for site in SITES)
    more = size - len(SITES)
    site = np.concatenate([np.arange(len(SITES)), np.searchsorted(share, (np.arange(more) + 0.5) / more)])
    turn = np.argsort(np.argsort(mark(place, "age")))
    begins = months - 1 - np.floor((turn + mark(place, "within")) / size * LIFE_MONTHS).astype(np.int64)
    generations = np.concatenate([np.arange(size), np.flatnonzero(begins > 0)])
    older = np.arange(generations.size) >= size
    identity = child(place[generations], "machine", older.astype(np.int64))
    began = begins[generations] - LIFE_MONTHS * older
    model = pick(mark(place, "model"), tuple(entry.share for entry in MODELS))[generations]
    order = np.lexsort((identity, began))
    return Machines(
        identity=identity[order],
        site=site[generations][order],
        model=model[order],
        supplier=pick(mark(identity, "supplier"), company.SUPPLIER_SHARES)[order],
        begins=began[order],
        ends=(began + LIFE_MONTHS)[order],
        lead=(2 + np.floor(5 * mark(identity, "lead")).astype(np.int64))[order],
    )


def metered(streams: Streams, timeline: Timeline, machines: Machines) -> Floats:
    """Readings at the edges of the window's months: hours of the site, of the machine's own habit, of the month and of the season."""
    months = len(timeline.window_months)
    usual = np.array([site.monthly for site in SITES])[machines.site]
    habit = usual * np.exp(0.12 * normal(mark(machines.identity, "habit")))
    month = np.arange(months)
    noise = np.exp(
        0.07 * normal(mark(np.repeat(machines.identity, months), "month").reshape(-1, months))
    ) * np.exp(0.03 * streams.named("heavy/months").standard_normal(months))
    wet = np.isin([entry.number for entry in timeline.window_months], company.WET_MONTHS)
    pilbara = np.array([site.workshop for site in SITES])[machines.site] == company.PILBARA
    season = np.where(pilbara[:, None] & wet[None, :], company.WET_HOURS, 1.0)
    there = (month >= machines.begins[:, None]) & (month < machines.ends[:, None])
    before = habit * np.maximum(-machines.begins, 0)
    run = np.cumsum(habit[:, None] * noise * season * there, axis=1)
    readings: Floats = np.round(before[:, None] + np.column_stack([np.zeros(before.size), run]), 1)
    return readings


def fleet(*, seed: int, planted: Plan, timeline: Timeline, scale: float) -> Fleet:
    streams = Streams(seed)
    machines = bought(streams, timeline, scale=scale)
    hours = metered(streams, timeline, machines)
    return Fleet(timeline=timeline, planted=planted, streams=streams, machines=machines, hours=hours)


@dataclass(frozen=True, kw_only=True, eq=False)
class Events:
    """One entry a service (``component`` -1) or a failure that comes (``service`` -1); ``time`` in days."""

    identity: Identities
    machine: Ints
    time: Floats
    component: Ints
    service: Ints


def services(every: Fleet) -> Events:
    """What the meter calls for in the window: every second service is a larger one, every fourth the largest."""
    interval = float(company.SERVICE_EVERY)
    first = np.floor(every.hours[:, 0] / interval).astype(np.int64) + 1
    number = np.floor(every.hours[:, -1] / interval).astype(np.int64) - first + 1
    machine = np.repeat(np.arange(every.size), number)
    place = np.arange(machine.size) - np.repeat(np.cumsum(number) - number, number)
    count = first[machine] + place
    identity = child(every.machines.identity[machine], "service", count)
    due = interval * (count + SERVICE_SPREAD * np.clip(normal(mark(identity, "early or late")), -2, 2))
    time = every.when(machine, due)
    kept = ~every.skips(machine, count) & ~np.isnan(time)
    service = np.where(count % 4 == 0, 2, np.where(count % 2 == 0, 1, 0))
    return Events(
        identity=identity[kept],
        machine=machine[kept],
        time=time[kept],
        component=np.full(int(kept.sum()), -1),
        service=service[kept],
    )


def failures(every: Fleet) -> Events:
    """Every failure of the window, found early or not."""
    parts = [_of_component(every, component) for component in range(len(COMPONENTS))]
    names = ("identity", "machine", "time", "component", "service")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Events(**joined)


def _of_component(every: Fleet, component: int) -> Events:
    machines, entry = every.machines, COMPONENTS[component]
    most = _most(component)
    rate = np.array(entry.rates)[machines.line] / 1_000
    first, last = every.hours[:, 0], every.hours[:, -1]
    generator = every.streams.named(f"heavy/{entry.component}")
    machine = np.repeat(np.arange(every.size), generator.poisson(most * rate * (last - first)))
    hours = first[machine] + generator.random(machine.size) * (last - first)[machine]
    identity = every.streams.identities(f"heavy/{entry.component}/identity", machine.size)
    time = every.when(machine, hours)
    kept = ~np.isnan(time)
    kept &= mark(identity, "happens") * most < relative_rate(every, machine, hours, component)
    return Events(
        identity=identity[kept],
        machine=machine[kept],
        time=time[kept],
        component=np.full(int(kept.sum()), component),
        service=np.full(int(kept.sum()), -1),
    )


def _most(component: int) -> float:
    """The highest relative rate that is drawn for; the same whether truths are on or off."""
    planted = Strengths()
    own = {
        company.TRACK: planted.abrasive_rate,
        company.PUMP: planted.early_pump_rate,
        company.INJECTOR: planted.batch_rate,
        company.BEARING: float((company.MOST_HOURS / company.WEAR_HOURS) ** planted.wear_power),
    }
    return planted.skipped_service_rate * own.get(component, 1.0)


def relative_rate(every: Fleet, machine: Ints, hours: Floats, component: int) -> Floats:
    """The rate of a component at a machine's reading against the usual one."""
    machines, strength = every.machines, every.planted.strength
    number = np.floor(hours / company.SERVICE_EVERY).astype(np.int64)
    rate = np.where(every.skips(machine, number), strength.skipped_service_rate, 1.0)
    if component == company.BEARING:
        rate = rate * (np.minimum(hours, company.MOST_HOURS) / company.WEAR_HOURS) ** strength.wear_power
    if component == company.TRACK:
        rate = np.where(machines.site[machine] == company.ABRASIVE, rate * strength.abrasive_rate, rate)
    if component == company.PUMP:
        early = (machines.supplier[machine] == company.KESTREL) & (hours < company.EARLY_HOURS)
        rate = np.where(early, rate * strength.early_pump_rate, rate)
    if component == company.INJECTOR:
        made = machines.made(every.timeline).astype("datetime64[Y]").astype(np.int64) + 1970
        bad = (machines.model == company.EX36) & (made == every.planted.batch_year)
        rate = np.where(bad[machine], rate * strength.batch_rate, rate)
    return np.asarray(rate, dtype=float)
