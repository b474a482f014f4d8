"""How far the rows of each table reach: the last day that has one, months that have none, and rows dated in months that have not come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.metrics import Period, Stating, StudyInputs
from analysis.metrics.backend import literal
from analysis.metrics.known import PLANS
from analysis.metrics.views.selection import Selection, study_view
from analysis.metrics.whole_month import Reach, daily_tables, days_with_rows, reach
from analysis.periods import Month, months_between
from analysis.quality import views
from analysis.results import Fact
from analysis.summaries import Summarised
from analysis.tables import contract


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
    """One dated table. ``silent``: whole days of the report month after its last row; ``usual``: its longest gap before (None: it has none).

    ``reach`` is what both are read from, ``limit`` the days of silence that are too many where the past is too short or too sparse to tell.
    """

    table: str
    silent: Fact
    usual: Fact | None
    limit: Fact
    reach: Reach

    @property
    def stopped(self) -> bool:
        return self.reach.ends_early(float(self.limit.value or 0))


def freshness(inputs: StudyInputs) -> tuple[Freshness, ...]:
    """Every table kept by day that has rows up to the end of the report month."""
    found = (_freshness(inputs, name) for name in daily_tables(inputs.engine))
    return tuple(one for one in found if one is not None)


def _freshness(inputs: StudyInputs, name: str) -> Freshness | None:
    month = inputs.month
    known = reach(inputs.engine, month, name)
    if known is None:
        return None
    days = days_with_rows(inputs.engine, name, month - 12, month)
    # the last day that has some and the first of the next month
    last = f"SELECT max(day) AS day FROM ({days}) AS days"
    after = days_between(f"{last} UNION ALL SELECT CAST({literal(month.end)} AS DATE)")
    return Freshness(
        table=name,
        reach=known,
        silent=_days(inputs, name, after, month, "month_end"),
        usual=_usual(inputs, name, days, known),
        limit=Stating(inputs=inputs).assumed("silent_days_limit"),
    )


def _usual(inputs: StudyInputs, name: str, days: str, known: Reach) -> Fact | None:
    """The longest gap between one day with rows and the next: of the year before, or of all days there are where that year has few."""
    if known.daily:
        before = days_between(f"SELECT day FROM ({days}) AS days WHERE day < {literal(inputs.month.start)}")
        return _days(inputs, name, before, Period(inputs.month - 12, inputs.month - 1), "longest_gap")
    if not known.gap:
        return None
    return _days(inputs, name, days_between(days), Period(inputs.month - 12, inputs.month), "longest_gap")


@study_view
def days_between(days: str) -> str:
    """Days that have rows, each with the number of days since the one before that have none (``gap``)."""
    return f"SELECT day, date_diff('day', lag(day) OVER (ORDER BY day), day) - 1 AS gap FROM ({days}) AS days"


def _days(inputs: StudyInputs, name: str, rows: Selection, period: Month | Period, basis: str) -> Fact:
    return Stating(inputs=inputs, period=period).measured("days_without_rows", rows, table=name, basis=basis)
