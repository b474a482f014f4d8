"""Hospitals and their machines: who holds which contract until when, what fails, which visits are made or skipped.

What may happen to a machine is drawn by marks for the whole window, as if every contract ran on; losses of contracts then cut it.
Time is in days of the business zone since the first day of the history, as in :mod:`analysis.sample.timeline`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analysis.sample.hospital import company
from analysis.sample.hospital.company import (
    CALIBRATION,
    COMPLAINT,
    COMPONENTS,
    INCIDENT,
    INQUIRY,
    INSTALLATION,
    LINES,
    MODELS,
    VISIT,
    NewYorkTimeline,
)
from analysis.sample.hospital.truths import USUAL_AGAIN, USUAL_LATE, USUAL_REMOTE, Plan
from analysis.sample.service import normal
from analysis.sample.streams import Flags, Floats, Identities, Ints, Rows, Streams, child, mark, pick
from analysis.sample.timeline import DAYS_PER_MONTH

HOSPITALS_AT_SCALE_ONE = 124
MACHINES_A_HOSPITAL = 7.6
LAST_DAY = 28  # contracts begin on the 1st to 28th, so that every month has their day
LOSS = 0.055  # of a contract at a renewal
HALF_YEAR = 182
SKIPPED_SHARE = 0.25
RETIRED_A_MONTH = 0.0015
INQUIRIES = 0.035  # a machine and month
MOST_TERMS = 8
NOWHERE = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Hospitals(Rows):
    """One entry a hospital, which holds one contract. ``month`` on the month axis and ``day`` of it: when its terms begin."""

    identity: Identities
    month: Ints
    day: Ints
    level: Ints
    region: Ints
    channel: Ints


@dataclass(frozen=True, kw_only=True, eq=False)
class Machines(Rows):
    """One entry a serial number, in order of shipment; ``lot`` counts years back from the end, of the Brisa V3 firmwares."""

    identity: Identities
    hospital: Ints
    model: Ints
    produced: Floats
    shipped: Floats
    in_service: Floats
    retired: Floats
    lot: Ints
    supplier: Ints

    @property
    def line(self) -> Ints:
        return np.array([model.line for model in MODELS])[self.model]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tickets(Rows):
    """One entry a ticket. ``response`` and ``work`` in hours; ``component`` and ``parent`` -1 where there is none; ``silent``: the alarm did not sound."""

    identity: Identities
    machine: Ints
    kind: Ints
    opened: Floats
    component: Ints
    silent: Flags
    severity: Ints
    remote: Flags
    late: Flags
    response: Floats
    work: Floats
    part_supplier: Ints
    parent: Identities

    @property
    def answered(self) -> Floats:
        return self.opened + self.response / 24

    @property
    def resolved(self) -> Floats:
        return self.answered + self.work / 24


@dataclass(frozen=True, kw_only=True, eq=False)
class Life:
    """What happened: ``left`` is the day on which a hospital's contract was not renewed, infinite for those that stayed."""

    timeline: NewYorkTimeline
    planted: Plan
    streams: Streams
    scale: float
    hospitals: Hospitals
    machines: Machines
    tickets: Tickets
    left: Floats
    reason: Ints

    @property
    def hospital(self) -> Ints:
        """Of each ticket."""
        return self.machines.hospital[self.tickets.machine]

    @property
    def region(self) -> Ints:
        """Of each ticket."""
        return self.hospitals.region[self.hospital]

    @property
    def began(self) -> Ints:
        """First day of each hospital's first term."""
        return self.timeline.day_in(self.hospitals.month, self.hospitals.day)


def lived(*, seed: int, planted: Plan, timeline: NewYorkTimeline, scale: float) -> Life:
    """The company from its first hospital to the last day of the window."""
    streams = Streams(seed)
    hospitals = _won(streams, timeline, scale)
    machines = _shipped(timeline, hospitals)
    world = _World(timeline=timeline, planted=planted, hospitals=hospitals, machines=machines)
    tickets = world.tickets()
    left, reason = world.lost(tickets)
    machines, tickets = _under_contract(machines, tickets, left)
    gone = left < timeline.end
    return Life(
        timeline=timeline,
        planted=planted,
        streams=streams,
        scale=scale,
        hospitals=hospitals,
        machines=machines,
        tickets=tickets,
        left=np.where(gone, left, np.inf),
        reason=np.where(gone, reason, NOWHERE),
    )


def _won(streams: Streams, timeline: NewYorkTimeline, scale: float) -> Hospitals:
    """Hospitals in the order of their beginning, more of them in the first year."""
    size = max(round(HOSPITALS_AT_SCALE_ONE * scale), 12)
    identity = streams.identities("hospital/hospitals", size)
    months = np.arange(len(timeline.months))
    month = pick(
        mark(identity, "month"), np.where(months < 12, 5.0, np.where(months < months.size - 2, 1.0, 0.0))
    )
    day = 1 + np.floor(LAST_DAY * mark(identity, "day")).astype(np.int64)
    hospitals = Hospitals(
        identity=identity,
        month=month,
        day=day,
        level=pick(mark(identity, "level"), company.LEVEL_SHARES),
        region=pick(mark(identity, "region"), company.REGION_SHARES),
        channel=pick(mark(identity, "channel"), company.CHANNEL_SHARES),
    )
    return hospitals.kept(np.lexsort((day, month)))


def _shipped(timeline: NewYorkTimeline, hospitals: Hospitals) -> Machines:
    """Three in ten machines come when the contract begins, the others later on."""
    spread = np.exp(0.55 * normal(mark(hospitals.identity, "size")) - 0.15)
    number = np.clip(np.round(MACHINES_A_HOSPITAL * spread), 2, 40).astype(np.int64)
    hospital = np.repeat(np.arange(number.size), number)
    place = np.arange(hospital.size) - np.repeat(np.cumsum(number) - number, number)
    identity = child(hospitals.identity[hospital], "machine", place)
    began = timeline.day_in(hospitals.month, hospitals.day)[hospital]
    later = (place > 0) & (mark(identity, "later") > 0.3)
    in_service = np.where(later, began + mark(identity, "when") * (timeline.end - began), began)
    in_service = np.floor(in_service)
    shipped = in_service - 4 - np.floor(18 * mark(identity, "wait") ** 2)
    produced = shipped - 6 - np.floor(80 * mark(identity, "stock"))
    model, lot = _made(identity, (timeline.end - produced) / DAYS_PER_MONTH)
    life = -np.log1p(-mark(identity, "life")) / RETIRED_A_MONTH * DAYS_PER_MONTH
    machines = Machines(
        identity=identity,
        hospital=hospital,
        model=model,
        produced=produced,
        shipped=shipped,
        in_service=in_service,
        retired=np.floor(in_service + 360 + life),
        lot=lot,
        supplier=pick(mark(identity, "supplier"), (0.45, 0.35, 0.20)),
    )
    machines = machines.kept(in_service < timeline.end)
    return machines.kept(np.lexsort((machines.identity, machines.shipped)))


def _made(identity: Identities, months_left: Floats) -> tuple[Ints, Ints]:
    """Model and lot of a machine made so many months before the end of the window."""
    line = pick(mark(identity, "line"), company.LINE_SHARES)
    first = np.asarray(company.FIRST_OF_LINE)[line]
    newer = np.minimum(first + 1, len(MODELS) - 1)
    there = months_left < np.array([entry.since for entry in MODELS])[newer]
    model = np.where(
        there & (mark(identity, "model") < np.asarray(company.SECOND_SHARES)[line]), newer, first
    )
    firmware = np.searchsorted(-np.asarray(company.FIRMWARE_SINCE), -months_left, side="right") - 1
    lot = np.where(model == company.V3, np.maximum(firmware, 0), np.floor(months_left / 12))
    return model, lot.astype(np.int64)


def visit_made(identity: Identities, number: Ints) -> Flags:
    """Whether the planned visit of this number was made, counted from the start of service."""
    return np.asarray(mark(child(identity, "visit", number), "made") >= SKIPPED_SHARE)


def _under_contract(machines: Machines, tickets: Tickets, left: Floats) -> tuple[Machines, Tickets]:
    """Without what would have happened after a contract was lost: its machines leave our field, later ones are not bought."""
    retired = np.minimum(machines.retired, left[machines.hospital])
    bought = machines.in_service < left[machines.hospital]
    position = np.where(bought, np.cumsum(bought) - 1, NOWHERE)
    there = bought[tickets.machine] & (tickets.opened < retired[tickets.machine])
    tickets = tickets.kept(there)
    kept = replace(machines, retired=retired).kept(bought)
    return kept, replace(tickets, machine=position[tickets.machine])


@dataclass(frozen=True, kw_only=True, eq=False)
class _World:
    """What can happen while every contract runs on."""

    timeline: NewYorkTimeline
    planted: Plan
    hospitals: Hospitals
    machines: Machines

    def tickets(self) -> Tickets:
        """By time of opening."""
        machine, day, component, silent, identity = self._failures()
        first = self._incidents(identity, machine, day, component, silent)
        again = self._again(first)
        parts = [
            first,
            again,
            self._complaints(Tickets.together([first, again])),
            *self._planned(),
            self._asked(),
        ]
        whole = Tickets.together(parts)
        seen = (whole.opened >= self.timeline.start) & (whole.opened < self.timeline.end)
        whole = whole.kept(seen & (whole.opened >= self.machines.in_service[whole.machine] - 8))
        return whole.kept(np.lexsort((whole.identity, whole.opened)))

    def _since(self, name: str, time: Floats) -> Flags:
        return np.asarray(time >= self.timeline.month_start(self.planted.begins(name)))

    def _months_in_service(self) -> tuple[Ints, Floats, Floats]:
        """Machine, first day and end of each stay in a month of the window."""
        edges = self.timeline.edges[self.timeline.window :].astype(float)
        size, months = self.machines.identity.size, edges.size - 1
        machine = np.repeat(np.arange(size), months)
        month = np.tile(np.arange(months), size)
        begin = np.maximum(edges[month], self.machines.in_service[machine] + 1)
        end = np.minimum(edges[month + 1], self.machines.retired[machine])
        there = end > begin
        return machine[there], begin[there], end[there]

    def _failures(self) -> tuple[Ints, Floats, Ints, Flags, Identities]:
        """At most one failure a machine, month and component; the last two columns are calls without a fault and silent alarms."""
        machine, begin, end = self._months_in_service()
        columns, line = len(COMPONENTS) + 2, self.machines.line[machine]
        month = child(self.machines.identity[machine], "month", begin.astype(np.int64))
        cell = np.arange(machine.size * columns)
        row, column = np.divmod(cell, columns)
        identity = child(month[row], "failure", column)
        time = begin[row] + mark(identity, "time") * (end - begin)[row]
        shares = np.array(
            [
                [*(entry.shares[at] for entry in COMPONENTS), company.NO_FAULT_SHARE]
                for at in range(len(LINES))
            ]
        )
        rates = shares * np.asarray(company.FAILURES)[:, None]
        silent = np.where(np.arange(len(LINES)) == company.VENTILATION, company.ALARM_RATE, 0.0)
        rate = np.column_stack([rates, silent])[line[row], column] * self._ratio(machine[row], column, time)
        expected = rate * (end - begin)[row] / DAYS_PER_MONTH
        happens = np.flatnonzero(mark(identity, "happens") < -np.expm1(-expected))
        alarm = column[happens] == columns - 1
        component = np.where(column[happens] < len(COMPONENTS), column[happens], NOWHERE)
        component = np.where(alarm, company.CONTROL_BOARD, component)
        return machine[row[happens]], time[happens], component, alarm, identity[happens]

    def _ratio(self, machine: Ints, column: Ints, time: Floats) -> Floats:
        """How many times its usual rate a component fails at, given what is planted."""
        strength, machines = self.planted.strength, self.machines
        model, lot = machines.model[machine], machines.lot[machine]
        age = np.clip((time - machines.in_service[machine]) / DAYS_PER_MONTH, 0.01, 48)
        worn = (column == company.TUBE) & (model == company.XR) & (lot == company.WORN_LOT)
        wear = strength.worn_ratio * (age / 24) ** (strength.worn_shape - 1)
        ratio = np.where(worn, wear, 1.0)
        alarm = column == len(COMPONENTS) + 1
        bad = alarm & (model == company.V3) & (lot == company.BAD_FIRMWARE)
        ratio = np.where(bad, strength.alarm_ratio, ratio)
        newer = machines.produced >= self.timeline.month_start(self.planted.begins("battery_fix"))
        mended = (column == company.BATTERY) & (machines.line == company.MONITORING)[machine] & newer[machine]
        ratio = np.where(mended, strength.battery_ratio, ratio)
        number = np.floor((time - machines.in_service[machine]) / HALF_YEAR).astype(np.int64)
        skipped = (number > 0) & ~visit_made(machines.identity[machine], number) & (column < len(COMPONENTS))
        return np.where(skipped, ratio * strength.skipped_ratio, ratio)

    def _incidents(
        self, identity: Identities, machine: Ints, opened: Floats, component: Ints, silent: Flags
    ) -> Tickets:
        """Incidents with their answer and recovery: late or in time by their own mark, remote or on site."""
        strength, hospital = self.planted.strength, self.machines.hospital[machine]
        level, region = self.hospitals.level[hospital], self.hospitals.region[hospital]
        slipped = (level == company.SILVER) & self._since("slipped_silver", opened)
        late = mark(identity, "late") < np.where(slipped, strength.slipped_late_share, USUAL_LATE)
        spread = mark(identity, "response")
        response = np.asarray(company.RESPONSE_HOURS)[level] * np.where(
            late, 1.15 + 2.5 * spread, 0.08 + 0.84 * spread
        )
        piloted = (region == company.MID_ATLANTIC) & self._since("remote_fix", opened)
        remote = mark(identity, "remote") < np.where(piloted, strength.remote_share, USUAL_REMOTE)
        slow = (region == company.GREAT_LAKES) & ~remote
        work = np.where(remote, 3.0, 11.0) * np.where(slow, strength.lakes_ratio, 1.0)
        work = np.where(component < 0, 0.6, 1.0) * work * np.exp(0.75 * normal(mark(identity, "work")))
        severity = pick(mark(identity, "severity"), company.SEVERITY_SHARES)
        fitted = (component >= 0) & ~remote
        supplier = np.where(mark(identity, "part supplier") < company.NORLEC_SHARE, company.NORLEC, 0)
        return self._made(
            INCIDENT,
            identity,
            machine,
            opened,
            component=component,
            silent=silent,
            severity=np.where(silent, company.CRITICAL, severity),
            remote=remote,
            late=late,
            response=response,
            work=work,
            part_supplier=np.where(fitted, supplier, NOWHERE),
        )

    def _again(self, first: Tickets) -> Tickets:
        """Repairs whose part failed again within four weeks: more often with parts of the weak supplier."""
        weak = first.part_supplier == company.NORLEC
        share = np.where(weak, self.planted.strength.again_share, USUAL_AGAIN)
        which = np.flatnonzero((first.part_supplier >= 0) & (mark(first.identity, "again") < share))
        identity = child(first.identity[which], "again")
        opened = first.resolved[which] + 0.2 + 27 * mark(identity, "lag") ** 1.3
        none = np.zeros(which.size, dtype=bool)
        second = self._incidents(identity, first.machine[which], opened, first.component[which], none)
        return replace(second, parent=first.identity[which])

    def _complaints(self, incidents: Tickets) -> Tickets:
        """Complaints about incidents, more often about slow ones."""
        slow = incidents.late | (incidents.work > 36)
        which = np.flatnonzero(mark(incidents.identity, "complains") < np.where(slow, 0.16, 0.03))
        identity = child(incidents.identity[which], "complaint")
        opened = incidents.resolved[which] + 0.1 + 8 * mark(identity, "lag") ** 2
        late, spread = mark(identity, "late") < 0.25, mark(identity, "response")
        return self._made(
            COMPLAINT,
            identity,
            incidents.machine[which],
            opened,
            response=np.where(late, 24.5 + 40 * spread, 0.5 + 22 * spread),
            late=late,
            work=30 * np.exp(0.6 * normal(mark(identity, "work"))),
            parent=incidents.identity[which],
        )

    def _planned(self) -> list[Tickets]:
        """Visits every half year unless skipped, calibrations every year, and installations: agreed days, answered on arrival."""
        machines = self.machines
        parts = []
        for kind, days, first in ((VISIT, HALF_YEAR, 0), (CALIBRATION, 365, 40)):
            number = np.arange(1, self.timeline.end // days + 2)
            who, count = (
                np.repeat(np.arange(machines.identity.size), number.size),
                np.tile(number, machines.identity.size),
            )
            due = machines.in_service[who] + count * days + first
            made = (
                visit_made(machines.identity[who], count)
                if kind == VISIT
                else np.isin(machines.line[who], (1, 2, 3))
            )
            seen = (
                made
                & (due < np.minimum(machines.retired[who], self.timeline.end))
                & (due >= self.timeline.start - 30)
            )
            parts.append(
                self._agreed(
                    kind, child(machines.identity[who], f"kind {kind}", count)[seen], who[seen], due[seen]
                )
            )
        fresh = np.arange(machines.identity.size)
        parts.append(
            self._agreed(INSTALLATION, child(machines.identity, "installed"), fresh, machines.in_service - 3)
        )
        return parts

    def _agreed(self, kind: int, identity: Identities, machine: Ints, due: Floats) -> Tickets:
        span = 2 if kind == INSTALLATION else 12
        opened = due + np.floor(span * mark(identity, "day")) + (8 + 8 * mark(identity, "hour")) / 24
        work = {VISIT: 3.0, CALIBRATION: 2.0, INSTALLATION: 10.0}[kind] * np.exp(
            0.3 * normal(mark(identity, "work"))
        )
        return self._made(
            kind, identity, machine, opened, response=0.2 + 0.6 * mark(identity, "response"), work=work
        )

    def _asked(self) -> Tickets:
        """Questions, answered by the desk."""
        machine, begin, end = self._months_in_service()
        identity = child(child(self.machines.identity[machine], "month", begin.astype(np.int64)), "inquiry")
        asks = np.flatnonzero(mark(identity, "asks") < INQUIRIES * (end - begin) / DAYS_PER_MONTH)
        identity, machine = identity[asks], machine[asks]
        day = np.floor(begin[asks] + mark(identity, "day") * (end - begin)[asks])
        opened = day + (7 + 11 * mark(identity, "hour")) / 24
        response = 1.6 * np.exp(0.8 * normal(mark(identity, "response")))
        return self._made(
            INQUIRY,
            identity,
            machine,
            opened,
            response=response,
            work=5 * np.exp(0.7 * normal(mark(identity, "work"))),
        )

    def _made(
        self, kind: int, identity: Identities, machine: Ints, opened: Floats, **given: np.ndarray
    ) -> Tickets:
        size = identity.size
        none = np.zeros(size, dtype=bool)
        usual: dict[str, np.ndarray] = {
            "component": np.full(size, NOWHERE),
            "silent": none,
            "severity": np.full(size, company.MINOR),
            "remote": none,
            "late": none,
            "part_supplier": np.full(size, NOWHERE),
            "parent": np.zeros(size, dtype=np.uint64),
        }
        return Tickets(
            identity=identity, machine=machine, kind=np.full(size, kind), opened=opened, **{**usual, **given}
        )

    def lost(self, tickets: Tickets) -> tuple[Floats, Ints]:
        """When each hospital's contract was not renewed (infinite: never), and why: more often after a late answer to a critical incident."""
        hospitals, timeline = self.hospitals, self.timeline
        size = hospitals.identity.size
        left, reason = np.full(size, np.inf), np.full(size, NOWHERE)
        bad = (tickets.kind == INCIDENT) & (tickets.severity == company.CRITICAL) & tickets.late
        who, when = self.machines.hospital[tickets.machine[bad]], tickets.opened[bad]
        for term in range(1, MOST_TERMS):
            renewal = timeline.day_in(hospitals.month + 12 * term, hospitals.day)
            hurt = np.zeros(size, dtype=bool)
            hurt[who[(when >= renewal[who] - 365) & (when < renewal[who])]] = True
            identity = child(hospitals.identity, "renewal", term)
            chance = np.where(hurt, LOSS * self.planted.strength.late_loss_ratio, LOSS)
            goes = np.isinf(left) & (mark(identity, "goes") < chance)
            left[goes] = renewal[goes]
            shares = np.tile(np.asarray(company.REASON_SHARES), (size, 1))
            shares[hurt, company.SERVICE_REASON] += 0.6 if self.planted.strength.late_loss_ratio > 1 else 0.0
            reason = np.where(goes, pick(mark(identity, "reason"), shares), reason)
        return left, reason
