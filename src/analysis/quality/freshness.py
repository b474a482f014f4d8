"""How far the rows of each table reach: the last day that has one, months that have none, and rows dated in months that have not come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.metrics import Period, Stating, StudyInputs
from analysis.metrics.backend import literal, quoted
from analysis.metrics.known import PLANS
from analysis.metrics.views import business_day
from analysis.metrics.views.selection import Selection, study_view
from analysis.periods import Month, months_between
from analysis.quality import views
from analysis.results import Fact
from analysis.summaries import Summarised
from analysis.tables import contract

#: A table with rows on fewer days of the year before is not daily; its gaps say nothing.
LEAST_DAYS = 150


@dataclass(frozen=True, kw_only=True)
class MonthGaps(Summarised):
    """One table kept by month: ``empty`` months between its first month and the report month, and ``ahead``: rows in months after the as-of day."""

    table: str
    empty: tuple[Month, ...]
    months: Fact
    ahead: Fact


def month_gaps(inputs: StudyInputs) -> tuple[MonthGaps, ...]:
    """Tables with a month without rows, or with rows in a month that has not come; plans may lie ahead."""
    found = []
    now = Month.parse(inputs.as_of)
    for name, info in inputs.engine.tables.tables.items():
        if not info.months or name in PLANS:
            continue
        span = tuple(months_between(min(info.months), inputs.month))
        empty = tuple(month for month in span if month not in info.months)
        ahead = sum(
            partition.rows
            for partition in info.partitions
            if partition.month is not None and partition.month > now
        )
        if empty or ahead:
            found.append(
                MonthGaps(
                    table=name,
                    empty=empty,
                    months=_empty_months(inputs, name, span),
                    ahead=_rows_ahead(inputs, name, now),
                )
            )
    return tuple(found)


def _empty_months(inputs: StudyInputs, name: str, span: Sequence[Month]) -> Fact:
    calendar = ", ".join(f"({literal(month.start)})" for month in span)
    present = f"(SELECT month FROM {inputs.engine.accepted(name)})"
    # a table whose first month lies after the report month has no span
    rows = months_missing(present, calendar)
    return Stating(inputs=inputs).measured("months_without_rows", rows, table=name)


@study_view
def months_missing(present: str, calendar: str) -> str:
    """The months of a calendar that are not present."""
    if not calendar:
        return f"SELECT month FROM {present} AS present WHERE FALSE"
    return f"SELECT month FROM (VALUES {calendar}) AS calendar(month) WHERE month NOT IN {present}"


def _rows_ahead(inputs: StudyInputs, name: str, now: Month) -> Fact:
    # not the table as of today, which does not see them
    later = views.rows_where(inputs.engine.accepted(name), f"month > {literal(now.start)}")
    place = f"{name}.{contract().tables[name].time}"
    return Stating(inputs=inputs).measured("faulty_rows", views.faulty(later), place=place, fault="ahead")


@dataclass(frozen=True, kw_only=True)
class Freshness(Summarised):
    """One dated table. ``silent``: whole days of the report month after its last row; ``usual``: its longest gap in the year before (None: not daily)."""

    table: str
    silent: Fact
    usual: Fact | None
    last_day: pd.Timestamp

    @property
    def stopped(self) -> bool:
        return self.usual is not None and float(self.silent.value or 0) > float(self.usual.value or 0)


def freshness(inputs: StudyInputs) -> tuple[Freshness, ...]:
    """Every table kept by day that has rows up to the end of the report month."""
    found = []
    for name, info in inputs.engine.tables.tables.items():
        table = contract().tables[name]
        if info.rows and table.time not in (None, "month") and name not in PLANS:
            clocked = table.columns[str(table.time)].type == "timestamp"
            fresh = _freshness(inputs, name, str(table.time), clocked=clocked)
            found += [fresh] if fresh else []
    return tuple(found)


def _freshness(inputs: StudyInputs, name: str, time: str, *, clocked: bool) -> Freshness | None:
    moment, since = quoted(time), inputs.month - 12
    day = business_day(moment, literal(inputs.params.time_zone)) if clocked else moment
    days = (
        f"SELECT DISTINCT CAST({day} AS DATE) AS day FROM {quoted(name)} "
        f"WHERE {views.in_months(since, inputs.month)} AND {views.filled(time)}"
    )
    before = f"SELECT day FROM ({days}) AS days WHERE day < {literal(inputs.month.start)}"
    told = inputs.engine.query(
        f"SELECT max(day) AS last_day, count(*) FILTER (day < {literal(inputs.month.start)}) AS before FROM ({days}) AS days"
    ).iloc[0]
    if pd.isna(told["last_day"]):
        return None
    # days without a row between one day that has some and the next
    gaps = days_between(before)
    # the last day that has some and the first of the next month
    last = f"SELECT max(day) AS day FROM ({days}) AS days"
    after = days_between(f"{last} UNION ALL SELECT CAST({literal(inputs.month.end)} AS DATE)")
    return Freshness(
        table=name,
        last_day=pd.Timestamp(told["last_day"]),
        silent=_days(inputs, name, after, inputs.month, "month_end"),
        usual=_days(inputs, name, gaps, Period(since, inputs.month - 1), "longest_gap")
        if told["before"] >= LEAST_DAYS
        else None,
    )


@study_view
def days_between(days: str) -> str:
    """Days that have rows, each with the number of days since the one before that have none (``gap``)."""
    return f"SELECT day, date_diff('day', lag(day) OVER (ORDER BY day), day) - 1 AS gap FROM ({days}) AS days"


def _days(inputs: StudyInputs, name: str, rows: Selection, period: Month | Period, basis: str) -> Fact:
    return Stating(inputs=inputs, period=period).measured("days_without_rows", rows, table=name, basis=basis)
