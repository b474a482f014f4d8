"""Days and months of the sample: one time axis for every table.

Time is counted in days (as floats where the hour matters) of business-local time since the first day of the history.
The *history* (units, orders, customers) begins ``HISTORY_MONTHS`` before the *window* of service orders and postings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from analysis.periods import Month, months_between
from analysis.sample.company import UTC_OFFSET_HOURS
from analysis.sample.streams import Floats, Ints

HISTORY_MONTHS = 36
CLOSE_DAYS = 8  # the books of a month close on the eighth of the next; nothing is recorded later than that
DAYS_PER_MONTH = 30.4375
ROUNDING_DAYS = 1e-9  # well under a second: a day, a month and a timestamp of one time always agree


@dataclass(frozen=True, kw_only=True, eq=False)
class Timeline:
    """``months[i]`` covers days ``edges[i] <= day < edges[i + 1]``; the window is ``months[window:]``."""

    first: Month
    last: Month
    months: tuple[Month, ...] = field(init=False)
    edges: Ints = field(init=False)

    def __post_init__(self) -> None:
        months = tuple(months_between(self.first - HISTORY_MONTHS, self.last))
        starts = np.array([month.start for month in (*months, self.last + 1)], dtype="datetime64[D]")
        object.__setattr__(self, "months", months)
        object.__setattr__(self, "edges", (starts - starts[0]).astype(np.int64))

    @property
    def origin(self) -> np.datetime64:
        return np.datetime64(self.months[0].start, "D")

    @property
    def window(self) -> int:
        """Position of the window's first month on the month axis."""
        return HISTORY_MONTHS

    @property
    def window_months(self) -> tuple[Month, ...]:
        return self.months[self.window :]

    @property
    def start(self) -> int:
        return int(self.edges[self.window])

    @property
    def end(self) -> int:
        return int(self.edges[-1])

    def month_of(self, time: Floats | Ints) -> Ints:
        """Position on the month axis; -1 before the history."""
        day = np.floor(np.asarray(time, dtype=float) + ROUNDING_DAYS)
        return (np.searchsorted(self.edges, day, side="right") - 1).astype(np.int64)

    def window_month_of(self, time: Floats | Ints) -> Ints:
        """Position in the window; negative before it."""
        return self.month_of(time) - self.window

    def dates(self, time: Floats | Ints) -> np.ndarray:
        """Business-local calendar days as datetime64[D]; not-a-number becomes not-a-time."""
        return _to_datetime(self.origin, time, "D", 1)

    def timestamps(self, time: Floats | Ints) -> np.ndarray:
        """Instants in UTC as datetime64[us], whole seconds."""
        seconds = _to_datetime(self.origin, time, "s", 86_400)
        return (seconds - np.timedelta64(UTC_OFFSET_HOURS * 3_600, "s")).astype("datetime64[us]")

    def day(self, text: str) -> int:
        return int((np.datetime64(text, "D") - self.origin).astype(np.int64))

    def month_start(self, month: Month) -> int:
        return self.day(str(month.start))


class SummerTimeline(Timeline):
    """A time axis in a zone with summer time.

    ``winter``: hours that its winter time is ahead of UTC. ``changes`` of a year: when its clocks change, as (month, which Sunday: 0 the first, -1
    the last, hour of the clock before the change), in spring and in autumn.
    """

    winter: ClassVar[int]
    changes: ClassVar[tuple[tuple[int, int, int], tuple[int, int, int]]]

    def timestamps(self, time: Floats | Ints) -> np.ndarray:
        """Instants in UTC as datetime64[us], whole seconds; in the hour that a year has twice, the first."""
        local = np.asarray(time, dtype=float)
        missing = np.isnan(local)
        seconds = np.round(np.where(missing, 0.0, local) * 86_400).astype(np.int64)
        years = range(self.months[0].start.year, self.months[-1].start.year + 2)
        edges = np.sort([self._change(year, *change) for year in years for change in self.changes])
        summer = np.searchsorted(edges, np.where(missing, 0.0, local), side="right") % 2 == 1
        ahead = (self.winter + summer) * 3_600
        moments = self.origin.astype("datetime64[s]") + (seconds - ahead).astype("timedelta64[s]")
        moments[missing] = np.datetime64("NaT")
        result: np.ndarray = moments.astype("datetime64[us]")
        return result

    def after(self, opened: Floats, time: Floats) -> np.ndarray:
        """An instant so long after the opening as ``time`` is in days: clocks that change in between do not turn the order round."""
        passed = np.floor((time - opened) * 86_400 + 0.5)
        missing = np.isnan(passed)
        moments = self.timestamps(opened) + np.where(missing, 0, passed).astype(np.int64).astype(
            "timedelta64[s]"
        )
        moments[missing] = np.datetime64("NaT")
        return np.asarray(moments)

    def day_in(self, month: Ints, day: Ints) -> Ints:
        """Days of the axis from a position on the month axis, which may lie beyond its end, and a day of the month up to 28."""
        first = self.origin.astype("datetime64[M]") + np.asarray(month, dtype=np.int64)
        days: Ints = (first.astype("datetime64[D]") - self.origin).astype(np.int64) + np.asarray(day) - 1
        return days

    def _change(self, year: int, month: int, place: int, hour: int) -> float:
        """When the clocks change, in local days before the change."""
        from calendar import SUNDAY, monthcalendar

        sundays = [week[SUNDAY] for week in monthcalendar(year, month) if week[SUNDAY]]
        day = np.datetime64(f"{year}-{month:02d}-{sundays[place]:02d}", "D")
        return float((day - self.origin).astype(np.int64)) + hour / 24


def _to_datetime(origin: np.datetime64, time: Floats | Ints, unit: str, per_day: int) -> np.ndarray:
    values = np.asarray(time, dtype=float)
    missing = np.isnan(values)
    steps = np.floor((np.where(missing, 0.0, values) + ROUNDING_DAYS) * per_day).astype(np.int64)
    moments: np.ndarray = origin.astype(f"datetime64[{unit}]") + steps.astype(f"timedelta64[{unit}]")
    moments[missing] = np.datetime64("NaT")
    return moments
