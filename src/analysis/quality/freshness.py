"""How far the rows of each table reach: the last day that has one, months that have none, and rows dated in months that have not come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.metrics import StudyInputs
from analysis.metrics.lineage import traced
from analysis.metrics.views import PLANS, business_day
from analysis.periods import Month, months_between
from analysis.results import Fact, Finding, Sentence
from analysis.sources.sql import literal, quoted
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
        months = set(info.months)
        if not months or name in PLANS:
            continue
        empty = tuple(month for month in months_between(min(months), inputs.month) if month not in months)
        ahead = sum(
            partition.rows
            for partition in info.partitions
            if partition.month is not None and partition.month > now
        )
        if empty or ahead:
            stated = inputs.engine.stated
            found.append(
                MonthGaps(
                    table=name,
                    empty=empty,
                    months=stated(
                        "months_without_rows",
                        period=inputs.month,
                        value=len(empty),
                        dimensions={"table": name},
                    ),
                    ahead=stated(
                        "faulty_rows",
                        period=inputs.month,
                        value=ahead,
                        dimensions={"place": f"{name}.{contract().tables[name].time}", "fault": "ahead"},
                    ),
                )
            )
    return tuple(found)


def months_missing(gaps: Sequence[MonthGaps]) -> list[Finding]:
    """One finding for each table that lacks whole months."""
    return [
        Finding(
            id=f"quality.gap.{gap.table}",
            section="quality",
            severity="watch",
            statement=Sentence(
                "{table} has no row in {month}; of the months since its first one {months} {months:plural|is|are} empty.",
                {"table": gap.table, "month": gap.empty[-1], "months": gap.months},
            ),
            subject={"table": gap.table},
            method="Months between the first with a row and the report month; exact",
            evidence=pd.DataFrame({"month": [str(month) for month in gap.empty]}),
            rank=len(gap.empty) / 100,
        )
        for gap in gaps
        if gap.empty
    ]


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


@traced
def freshness(inputs: StudyInputs) -> tuple[Freshness, ...]:
    """Every table kept by day that has rows up to the end of the report month."""
    found = []
    for name, info in inputs.engine.tables.tables.items():
        table = contract().tables[name]
        if info.rows and table.time not in (None, "month") and name not in PLANS:
            fresh = _freshness(
                inputs, name, str(table.time), clocked=table.columns[str(table.time)].type == "timestamp"
            )
            found += [fresh] if fresh else []
    return tuple(found)


def stopped_early(inputs: StudyInputs, tables: Sequence[Freshness]) -> list[Finding]:
    """Tables that fell silent before the month ended, longer than they ever did in the year before."""
    return [
        Finding(
            id=f"quality.stopped.{fresh.table}",
            section="quality",
            severity="alert",
            statement=Sentence(
                "{table} stops {silent} before the end of {month}; the longest gap of the year before was {usual}. The extract may have been made too early.",
                {"table": fresh.table, "silent": fresh.silent, "month": inputs.month, "usual": fresh.usual},
            ),
            subject={"table": fresh.table},
            method="Last day with a row against the longest run of days without one in twelve earlier months; exact",
            rank=float(fresh.silent.value or 0) / 31,
        )
        for fresh in tables
        if fresh.stopped and fresh.usual is not None
    ]


@traced
def _freshness(inputs: StudyInputs, name: str, time: str, *, clocked: bool) -> Freshness | None:
    moment = quoted(time)
    day = business_day(moment, literal(inputs.params.time_zone)) if clocked else moment
    since = inputs.month - 12
    days = inputs.engine.query(
        f"SELECT DISTINCT {day} AS day FROM {quoted(name)} WHERE month >= DATE '{since.start}' AND month <= DATE '{inputs.month.start}' AND {moment} IS NOT NULL ORDER BY 1"
    )["day"]
    known = pd.to_datetime(days)
    if known.empty:
        return None
    before = known[known < pd.Timestamp(inputs.month.start)]
    silent = (pd.Timestamp(inputs.month.end) - known.iloc[-1]).days - 1
    usual = int(before.diff().dt.days.max()) - 1 if len(before) >= LEAST_DAYS else None
    stated, place = inputs.engine.stated, {"table": name}
    return Freshness(
        table=name,
        last_day=known.iloc[-1],
        silent=stated(
            "days_without_rows", period=inputs.month, value=silent, dimensions={**place, "basis": "month_end"}
        ),
        usual=None
        if usual is None
        else stated(
            "days_without_rows",
            period=f"{since}/{inputs.month}",
            value=usual,
            dimensions={**place, "basis": "longest_gap"},
        ),
    )
