"""Whether the rows of the report month reach its end, and those of a table's first month its beginning. A half month is no month to hold against a whole one.

What is judged is how many days the month lacks, against the longest run of days without a row that the table (or the company) knows; one that
is too young to know its runs is judged by a number of days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.metrics.backend import literal, quoted
from analysis.metrics.engine import Engine
from analysis.metrics.known import PLANS
from analysis.metrics.views import business_day
from analysis.periods import Month
from analysis.tables import contract

#: Days with rows in the year before from which on its longest gap is known; one silent day more than that is still chance.
LEAST_DAYS, LEAST_SILENT = 150, 2
#: With fewer days, so many times the longest gap there was may be chance.
SPARSE_FACTOR = 2
PARTIAL = "the report month is not whole: no table has a row after {day}"
BEGUN = "{month} is not whole: {table} has no row before {day}"
#: So many months before the report month a comparison reaches: a year, and the year before that.
COMPARED_MONTHS = 24


@dataclass(frozen=True, kw_only=True)
class Reach:
    """The days with rows of one table, or of all: the outermost one, whole days of the month beyond it, and the longest gap inside.

    ``days`` are those with rows in the twelve months inside; ``gap`` is the longest run of days without a row between two that have some.
    """

    last_day: dt.date
    silent: int
    days: int
    gap: int

    @property
    def daily(self) -> bool:
        """Whether the past is long and dense enough to judge a silence by."""
        return self.days >= LEAST_DAYS

    def ends_early(self, limit: float) -> bool:
        """Whether the silence is longer than any before; of a short or sparse past, beyond ``limit`` days and twice any before."""
        if self.daily:
            return self.silent > self.gap and self.silent >= LEAST_SILENT
        return self.silent > max(limit, SPARSE_FACTOR * self.gap)


def daily_tables(engine: Engine) -> tuple[str, ...]:
    """Tables with rows that are kept by day and made as things happen, not as a plan."""
    return tuple(
        name
        for name, info in engine.tables.tables.items()
        if info.rows and contract().tables[name].time not in (None, "month") and name not in PLANS
    )


def days_with_rows(engine: Engine, name: str, first: Month, last: Month) -> str:
    """SELECT of the business days with a row of a table in these months (``day``)."""
    table = contract().tables[name]
    moment = quoted(str(table.time))
    clocked = table.columns[str(table.time)].type == "timestamp"
    day = business_day(moment, literal(engine.rules.time_zone)) if clocked else moment
    return (
        f"SELECT DISTINCT CAST({day} AS DATE) AS day FROM {quoted(name)} "
        f"WHERE month BETWEEN {literal(first.start)} AND {literal(last.start)} AND {moment} IS NOT NULL"
    )


def reach(engine: Engine, month: Month, *names: str) -> Reach | None:
    """How far the rows of some tables reach together; None where they have no row in these months."""
    if not names:
        return None
    days = " UNION ".join(days_with_rows(engine, name, month - 12, month) for name in names)
    told = engine.query(
        "SELECT max(day) AS last_day, count(*) FILTER (day < "
        f"{literal(month.start)}) AS days, max(gap) AS gap FROM (SELECT day, date_diff('day', lag(day) OVER (ORDER BY day), day) - 1 AS gap FROM ({days}) AS days) AS gaps"
    ).iloc[0]
    if pd.isna(told["last_day"]):
        return None
    last_day = pd.Timestamp(told["last_day"]).date()
    return Reach(
        last_day=last_day,
        silent=max((month.last_day - last_day).days, 0),
        days=int(told["days"]),
        gap=0 if pd.isna(told["gap"]) else int(told["gap"]),
    )


def rows_end(engine: Engine, month: Month, *, limit: float) -> dt.date | None:
    """The last day with a row of any table, where the rows of the month end before it does; None for a whole month."""
    found = reach(engine, month, *daily_tables(engine))
    # without a row in the month there is nothing that could be taken for a whole month
    if found is None or found.last_day < month.start or not found.ends_early(limit):
        return None
    return found.last_day


def rows_begin(engine: Engine, month: Month, *, limit: float) -> Mapping[str, dt.date]:
    """By table, the first day with a row, where it lies so far within the table's first month that this month is no whole one.

    Only of tables that begin within the months that a comparison reaches.
    """
    found = {}
    for name in daily_tables(engine):
        first = engine.tables.tables[name].months[0]
        if not month - COMPARED_MONTHS < first <= month:
            continue
        begun = _begun(engine, name, first)
        if begun.ends_early(limit):
            found[name] = begun.last_day
    return found


def _begun(engine: Engine, name: str, first: Month) -> Reach:
    """As :func:`reach`, looking back: the first day, the days of its month before it, and days with rows and gaps in the year that follows."""
    told = engine.query(
        "SELECT min(day) AS day, count(*) AS days, max(gap) AS gap FROM (SELECT day, "
        f"date_diff('day', lag(day) OVER (ORDER BY day), day) - 1 AS gap FROM ({days_with_rows(engine, name, first, first + 12)}) AS days) AS gaps"
    ).iloc[0]
    day = pd.Timestamp(told["day"]).date()
    return Reach(
        last_day=day,
        silent=(day - first.start).days,
        days=int(told["days"]),
        gap=0 if pd.isna(told["gap"]) else int(told["gap"]),
    )
