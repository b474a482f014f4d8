"""How fresh the data are: how late rows are recorded, and how much of the report month is still to come."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.locale import Text
from analysis.metrics import NotDone, Stating, StudyInputs, traced
from analysis.metrics.backend import literal, quoted
from analysis.metrics.views.selection import Selection, study_view
from analysis.periods import Month, day_end_utc
from analysis.quality import views
from analysis.results import Fact, Rows
from analysis.summaries import Summarised
from analysis.tables import TableContract, contract

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

#: Months that by now are complete: from this many months before the report month to that many.
OLDEST, YOUNGEST = 8, 3
#: Rows of those months without which no share can be told.
LEAST_ROWS = 100
ONE_MONTH = Text.of("no interval: one earlier month only")
NOTHING_TO_LEARN = "needs recorded_at and enough earlier months in tickets or ledger"


@dataclass(frozen=True, kw_only=True)
class Arrival(Summarised):
    """One table with ``recorded_at``. ``arrived``: share of the rows of earlier months that were known this many days after their close.

    ``lowest`` is the slowest of those months. ``to_come`` assumes the report month arrives as they did, on average.
    """

    table: str
    seen: Fact
    median_lag: Fact
    late_lag: Fact
    arrived: Fact
    lowest: Fact
    to_come: Fact

    @property
    def late(self) -> bool:
        """Whether a row of any earlier month was still to come, or one of this month is expected."""
        return bool(self.to_come.value) or any(
            share.value is None or float(share.value) < 1 for share in (self.arrived, self.lowest)
        )


def arrivals(inputs: StudyInputs) -> tuple[Arrival, ...] | NotDone:
    """Tables whose rows say when they were recorded and have enough complete months to learn from."""
    found = []
    for name, info in inputs.engine.tables.tables.items():
        table = contract().tables[name]
        if info.rows and table.time is not None and "recorded_at" in info.columns_present:
            arrival = _arrival(inputs, table)
            if arrival is not None:
                found.append(arrival)
    return tuple(found) or NotDone(reason=Text.of(NOTHING_TO_LEARN))


def by_month(inputs: StudyInputs, table: str) -> pd.DataFrame:
    """Rows of each earlier month that were recorded in time and that are known today: what the share arrived is made of."""
    import pandas as pd

    counts = _counts(inputs, contract().tables[table], _months(inputs))
    return pd.DataFrame(
        [(str(month), early, known) for month, (early, known) in counts.items()],
        columns=["month", "recorded_in_time", "known_today"],
    )


def _months(inputs: StudyInputs) -> list[Month]:
    return [inputs.month - age for age in range(OLDEST, YOUNGEST - 1, -1)]


def _arrival(inputs: StudyInputs, table: TableContract) -> Arrival | None:
    months = _months(inputs)
    counts = _counts(inputs, table, months)
    early, known = (sum(count[index] for count in counts.values()) for index in (0, 1))
    if known < LEAST_ROWS or not early:
        return None
    slowest = min(counts, key=lambda month: counts[month][0] / counts[month][1])
    stated, name = Stating(inputs=inputs), quoted(table.name)
    seen = Rows(numerator=views.rows_where(name, views.in_months(inputs.month, inputs.month)))
    late = lags(inputs, table, months)
    now = stated.exact(
        "source_rows", int(views.total(inputs, seen)), lineage=seen, table=table.name, basis="known"
    )
    arrived = _arrived(inputs, table, counts)
    return Arrival(
        table=table.name,
        seen=now,
        median_lag=_lag(inputs, table, late, 0.5, "median"),
        late_lag=_lag(inputs, table, late, 0.95, "late"),
        arrived=arrived,
        lowest=_arrived(inputs, table, {slowest: counts[slowest]}, basis="slowest_month"),
        to_come=_to_come(inputs, table.name, now, arrived, counts),
    )


def _recorded_by(inputs: StudyInputs, month: Month) -> str:
    """The condition that a row of the month was recorded as soon after its end as this report is made after the report month's."""
    since = inputs.as_of - inputs.month.end
    return f"recorded_at < {literal(str(day_end_utc(month.end + since, inputs.params.time_zone)))}"


def _counts(
    inputs: StudyInputs, table: TableContract, months: Sequence[Month]
) -> dict[Month, tuple[int, int]]:
    """By month: rows recorded in time, and rows known today; months without rows left out."""
    counts = {}
    for month in months:
        line = inputs.engine.query(
            f"SELECT count(*) AS known, count(*) FILTER ({_recorded_by(inputs, month)}) AS early "
            f"FROM {quoted(table.name)} WHERE {views.in_months(month, month)} AND recorded_at IS NOT NULL"
        ).iloc[0]
        if line.known:
            counts[month] = (int(line.early), int(line.known))
    return counts


def _arrived(
    inputs: StudyInputs, table: TableContract, counts: dict[Month, tuple[int, int]], **basis: str
) -> Fact:
    # each month has a moment of its own up to which its rows count as arrived in time
    in_time = " OR ".join(
        f"({views.in_months(month, month)} AND {_recorded_by(inputs, month)})" for month in counts
    )
    of = " OR ".join(views.in_months(month, month) for month in counts)
    place: dict[str, Any] = {"table": table.name, **basis}
    return Stating(inputs=inputs).measured("arrived_share", rows_known(table.name, in_time, of), **place)


@study_view
def rows_known(table: str, in_time: str, of: str) -> str:
    """The rows of some months (``of``) that say when they were recorded, and which of them were recorded in time."""
    return f"SELECT *, {in_time} AS recorded_in_time FROM {quoted(table)} WHERE ({of}) AND recorded_at IS NOT NULL"


@study_view
def lags(inputs: StudyInputs, table: TableContract, months: Sequence[Month]) -> str:
    """The rows of the months with ``lag``: days from the event to its record."""
    zone, time = literal(inputs.params.time_zone), quoted(str(table.time))
    clocked = table.columns[str(table.time)].type == "timestamp"
    # a date is a business day: its record is taken in business time too
    since = "recorded_at" if clocked else f"timezone({zone}, timezone('UTC', recorded_at))"
    return (
        f"SELECT *, epoch({since} - CAST({time} AS TIMESTAMP)) / 86400 AS lag FROM {quoted(table.name)} "
        f"WHERE recorded_at IS NOT NULL AND {views.in_months(months[0], months[-1])}"
    )


def _lag(inputs: StudyInputs, table: TableContract, rows: Selection, quantile: float, basis: str) -> Fact:
    return Stating(inputs=inputs).measured(
        "recording_lag", rows.given(quantile=quantile), table=table.name, basis=basis
    )


@traced
def _to_come(
    inputs: StudyInputs, table: str, seen: Fact, arrived: Fact, counts: Mapping[Month, tuple[int, int]]
) -> Fact:
    """Rows known now are the share that has arrived; what is missing to the whole is still to come, in an interval that a single month keeps to."""
    missing = round(int(seen.value or 0) * (1 / float(arrived.value or 1) - 1))
    state = Stating(inputs=inputs)
    if len(counts) < 2:
        return state.exact("rows_to_come", missing, parts={"reason": ONE_MONTH}, table=table)
    early, known = (np.array([count[index] for count in counts.values()]) for index in (0, 1))
    low, high = late_limits(known - early, early, int(seen.value or 0), level=inputs.confidence)
    return state.between(
        "rows_to_come",
        missing,
        min(low, missing),
        max(high, missing),
        n=len(counts),
        method="negative binomial prediction of one month, at the dispersion of the earlier ones",
        table=table,
    )


def late_limits(
    late: NDArray[np.int64], in_time: NDArray[np.int64], known: int, *, level: float
) -> tuple[int, int]:
    """Limits of one month's late rows, of which ``known`` came in time, after months with so many ``late`` and ``in_time``.

    The rate of late rows has a gamma distribution after the earlier months (Jeffreys' prior), a month's count is Poisson at it; where the
    months differ by more than that, both are widened by their Pearson dispersion (never narrowed).
    """
    from scipy.stats import nbinom

    total, exposure = int(late.sum()), float(in_time.sum())
    expected = in_time * (total / exposure)
    pearson = float(((late - expected) ** 2 / expected).sum()) if total else 0.0
    over = max(1.0, pearson / (len(late) - 1))
    shape, chance = total / over + 0.5, exposure / (exposure + known)
    low, high = (
        over * float(nbinom.ppf(share, shape, chance)) for share in ((1 - level) / 2, (1 + level) / 2)
    )
    return math.floor(low), math.ceil(high)
