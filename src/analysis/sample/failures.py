"""When units fail: independent Weibull processes by component, plus what a bad batch or a bad supplier adds.

Given its age, a unit fails with intensity ``sum over components of h(age)``, times a season that is the same for everyone; a failed
component is repaired, not renewed (minimal repair), so the next failure depends on age only and a record that starts late is
left-truncated and nothing worse. A bad lot adds its own process with intensity ``(ratio - 1)`` times the total, so the ratio of
all failures is exact at every age, while the excess names one component.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from analysis.sample import company
from analysis.sample.installed_base import Units
from analysis.sample.streams import Floats, Identities, Ints, Streams
from analysis.sample.timeline import DAYS_PER_MONTH, Timeline
from analysis.sample.truths import Planted

SEASON = (
    1.02,
    0.96,
    0.94,
    0.93,
    0.97,
    1.08,
    1.14,
    1.12,
    1.00,
    0.94,
    0.93,
    0.97,
)  # by calendar month, mean one
NO_FAULT_RATE = 0.0007  # repair calls without a fault, a unit and month
LEAD_DAYS = 365  # failures before the window that may still be reported inside it
USUAL, FROM_BATCH, FROM_SUPPLIER, NO_FAULT = range(4)
NO_COMPONENT = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Failures:
    """One entry a failure (or a call without one: component -1); ``cause`` names the process it came from."""

    identity: Identities
    unit: Ints
    time: Floats
    component: Ints
    cause: Ints


@dataclass(frozen=True, kw_only=True, eq=False)
class Exposure:
    """Age of every unit, in months in service, when its record begins and ends."""

    begin: Floats
    end: Floats

    @classmethod
    def of(cls, units: Units, first_day: float, end_day: float) -> Exposure:
        begin = np.maximum(units.in_service, first_day)
        end = np.maximum(np.minimum(units.retired, end_day), begin)
        return cls(
            begin=(begin - units.in_service) / DAYS_PER_MONTH, end=(end - units.in_service) / DAYS_PER_MONTH
        )

    @property
    def months(self) -> Floats:
        return self.end - self.begin


def shapes_and_scales(planted: Planted) -> tuple[Floats, Floats]:
    """Weibull shape and scale (months) by component. A shape that is off becomes 1 with the same mean rate over 60 months."""
    shapes = np.array([component.shape for component in company.COMPONENTS])
    scales = np.array([component.scale_months for component in company.COMPONENTS])
    for index, shape in (
        (company.COMPRESSOR, planted.wear_out_shape),
        (company.CONTROL_BOARD, planted.infant_shape),
    ):
        if shape == 1.0:
            scales[index] = 60.0 / (60.0 / scales[index]) ** shapes[index]
            shapes[index] = 1.0
    return shapes, scales


def failures(streams: Streams, timeline: Timeline, planted: Planted, units: Units) -> Failures:
    """Every failure from a year before the window to its end, process by process; unsorted."""
    exposure = Exposure.of(units, timeline.start - LEAD_DAYS, timeline.end)
    lives = tuple(zip(*shapes_and_scales(planted), strict=True))
    everyone = np.arange(units.size)
    batch = np.flatnonzero(units.bad_batch)
    supplier = np.flatnonzero(units.supplier == planted.bad_supplier_index)
    processes = [Process("usual", USUAL, everyone, 1.0, lives, None)]
    if planted.on("bad_batch"):
        extra = planted.bad_batch_ratio - 1
        processes.append(Process("bad_batch", FROM_BATCH, batch, extra, lives, company.CONTROL_BOARD))
    if planted.on("bad_supplier"):
        extra = planted.bad_supplier_ratio - 1
        processes.append(Process("bad_supplier", FROM_SUPPLIER, supplier, extra, lives, company.FAN_MOTOR))
    steady = ((1.0, 1 / NO_FAULT_RATE),)
    processes.append(Process("no_fault", NO_FAULT, everyone, 1.0, steady, NO_COMPONENT))
    parts = [process.run(streams, timeline, units, exposure) for process in processes]
    return Failures(
        **{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Failures)}
    )


@dataclass(frozen=True, eq=False)
class Process:
    """A cause of failures: ``intensity`` times the hazards ``lives`` (shape, scale) of the ``members``; all its failures name
    the ``blamed`` component, or each its own where that is none."""

    name: str
    cause: int
    members: Ints
    intensity: float
    lives: tuple[tuple[float, float], ...]
    blamed: int | None

    def run(self, streams: Streams, timeline: Timeline, units: Units, exposure: Exposure) -> Failures:
        """A non-homogeneous Poisson process a unit and component by inversion, thinned to the season."""
        peak = max(SEASON)
        calendar = np.array([month.number - 1 for month in timeline.months])
        who, time, component = [], [], []
        begin, end = exposure.begin[self.members], exposure.end[self.members]
        for index, (shape, scale) in enumerate(self.lives):
            generator = streams.named(f"failures/{self.name}/{index}")
            low, high = (begin / scale) ** shape, (end / scale) ** shape
            number = generator.poisson(self.intensity * peak * (high - low))
            member = np.repeat(np.arange(self.members.size), number)
            hazard = low[member] + generator.random(member.size) * (high - low)[member]
            unit = self.members[member]
            when = units.in_service[unit] + scale * hazard ** (1 / shape) * DAYS_PER_MONTH
            month = calendar[np.clip(timeline.month_of(when), 0, calendar.size - 1)]
            kept = generator.random(member.size) * peak < np.asarray(SEASON)[month]
            who.append(unit[kept])
            time.append(when[kept])
            component.append(np.full(int(kept.sum()), index if self.blamed is None else self.blamed))
        units_hit = np.concatenate(who)
        return Failures(
            identity=streams.identities(f"failures/{self.name}/identity", units_hit.size),
            unit=units_hit,
            time=np.concatenate(time),
            component=np.concatenate(component).astype(np.int64),
            cause=np.full(units_hit.size, self.cause, dtype=np.int64),
        )
