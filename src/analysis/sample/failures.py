"""When units fail: independent Weibull processes by component, plus what a bad batch or a bad supplier adds.

Given its age, a unit fails with intensity ``sum over components of h(age)``, times a season that is the same for everyone; a failed
component is repaired, not renewed (minimal repair), so the next failure depends on age only and a record that starts late is
left-truncated and nothing worse. A bad lot adds its own process with intensity ``(ratio - 1)`` times the total, so the ratio of
all failures is exact at every age, while the excess names one component.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.sample import company
from analysis.sample.installed_base import Units
from analysis.sample.streams import Floats, Ints, Streams
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
)  # of failures, by calendar month
NO_FAULT_RATE = 0.0007  # repair calls without a fault, a unit and month
LEAD_DAYS = 365  # failures before the window that may still be reported inside it
USUAL, FROM_BATCH, FROM_SUPPLIER, NO_FAULT = range(4)
MARKS = 44


@dataclass(frozen=True, kw_only=True, eq=False)
class Failures:
    """One entry a failure (or a call without one: component -1). ``marks`` decide everything that later happens to its service order."""

    unit: Ints
    time: Floats
    component: Ints
    cause: Ints
    marks: Floats


def shapes_and_scales(planted: Planted) -> tuple[Floats, Floats]:
    """Weibull shape and scale (months) by component. A shape that is switched off becomes 1 with the same mean rate over 60 months."""
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
    """Every failure from a year before the window to its end, by cause then time drawn; unsorted."""
    begin = np.maximum(units.in_service, timeline.start - LEAD_DAYS)
    finish = np.minimum(units.retired, timeline.end)
    seen = finish > begin
    age_from = np.where(seen, begin - units.in_service, 0.0) / DAYS_PER_MONTH
    age_to = np.where(seen, finish - units.in_service, 0.0) / DAYS_PER_MONTH
    shapes, scales = shapes_and_scales(planted)
    everyone = np.arange(units.size)
    parts = [
        _process(
            streams, timeline, units, everyone, age_from, age_to, shapes, scales, "usual", 1.0, USUAL, None
        )
    ]
    for name, cause, members, ratio, blamed in (
        ("bad_batch", FROM_BATCH, np.flatnonzero(units.bad_batch), 3.0, company.CONTROL_BOARD),
        (
            "bad_supplier",
            FROM_SUPPLIER,
            np.flatnonzero(units.supplier == planted.bad_supplier_index),
            1.4,
            company.FAN_MOTOR,
        ),
    ):
        if planted.on(name):
            parts.append(
                _process(
                    streams,
                    timeline,
                    units,
                    members,
                    age_from,
                    age_to,
                    shapes,
                    scales,
                    name,
                    ratio - 1.0,
                    cause,
                    blamed,
                )
            )
    parts.append(
        _process(
            streams,
            timeline,
            units,
            everyone,
            age_from,
            age_to,
            np.ones(1),
            np.array([1 / NO_FAULT_RATE]),
            "no_fault",
            1.0,
            NO_FAULT,
            -1,
        )
    )
    return Failures(
        unit=np.concatenate([part.unit for part in parts]),
        time=np.concatenate([part.time for part in parts]),
        component=np.concatenate([part.component for part in parts]),
        cause=np.concatenate([part.cause for part in parts]),
        marks=np.concatenate([part.marks for part in parts]),
    )


def _process(
    streams: Streams, timeline: Timeline, units: Units, members: Ints, age_from: Floats, age_to: Floats,
    shapes: Floats, scales: Floats, name: str, ratio: float, cause: int, blamed: int | None,
) -> Failures:  # fmt: skip
    """A non-homogeneous Poisson process a unit and component by inversion, thinned to the season."""
    unit_parts, time_parts, component_parts = [], [], []
    peak = max(SEASON)
    for component, (shape, scale) in enumerate(zip(shapes, scales, strict=True)):
        generator = streams.named(f"failures/{name}/{component}")
        low, high = (age_from[members] / scale) ** shape, (age_to[members] / scale) ** shape
        number = generator.poisson(ratio * peak * (high - low))
        who = np.repeat(np.arange(members.size), number)
        hazard = low[who] + generator.random(who.size) * (high - low)[who]
        time = units.in_service[members[who]] + scale * hazard ** (1 / shape) * DAYS_PER_MONTH
        month = np.array([m.number - 1 for m in timeline.months])[
            np.clip(timeline.month_of(time), 0, len(timeline.months) - 1)
        ]
        kept = generator.random(who.size) * peak < np.asarray(SEASON)[month]
        unit_parts.append(members[who[kept]])
        time_parts.append(time[kept])
        component_parts.append(np.full(int(kept.sum()), component if blamed is None else blamed))
    unit = np.concatenate(unit_parts)
    return Failures(
        unit=unit,
        time=np.concatenate(time_parts),
        component=np.concatenate(component_parts).astype(np.int64),
        cause=np.full(unit.size, cause, dtype=np.int64),
        marks=streams.uniform(f"failures/{name}/marks", (unit.size, MARKS)),
    )
