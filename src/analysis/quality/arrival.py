"""How fresh the data are: how late rows are recorded, and how much of the report month is still to come."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.metrics import StudyInputs
from analysis.metrics.lineage import traced
from analysis.periods import day_end_utc
from analysis.results import Fact, Finding, Sentence
from analysis.sources.sql import literal, quoted
from analysis.summaries import Summarised
from analysis.tables import TableContract, contract

#: Months that by now are complete: from this many months before the report month to that many.
OLDEST, YOUNGEST = 8, 3
LEAST_ROWS = 100
#: Beyond this expected share of the report month the late rows are a finding.
NOTABLE = 0.01


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


@traced
def arrivals(inputs: StudyInputs) -> tuple[Arrival, ...]:
    """Tables whose rows say when they were recorded and have enough complete months to learn from."""
    found = []
    for name, info in inputs.engine.tables.tables.items():
        table = contract().tables[name]
        if info.rows and table.time is not None and "recorded_at" in info.columns_present:
            arrival = _arrival(inputs, table)
            if arrival is not None:
                found.append(arrival)
    return tuple(found)


def late_rows(inputs: StudyInputs, arrivals: tuple[Arrival, ...]) -> list[Finding]:
    """Tables of which more than a hundredth of the report month is expected to arrive later."""
    return [
        Finding(
            id=f"quality.late.{arrival.table}",
            section="quality",
            severity="watch",
            statement=Sentence(
                "About {rows} of {table} for {month} are still to come: of earlier months {share} had arrived this many days after their end.",
                {
                    "rows": arrival.to_come,
                    "table": arrival.table,
                    "month": inputs.month,
                    "share": arrival.arrived,
                },
            ),
            subject={"table": arrival.table},
            method="Rows of six earlier months by the day they were recorded; the report month is taken to arrive as they did",
            rank=1 - float(arrival.arrived.value or 0),
        )
        for arrival in arrivals
        if arrival.arrived.value is not None and 1 - float(arrival.arrived.value) > NOTABLE
    ]


@traced
def _arrival(inputs: StudyInputs, table: TableContract) -> Arrival | None:
    until_now = inputs.as_of - inputs.month.end
    zone, name = inputs.params.time_zone, quoted(table.name)
    counts: list[tuple[int, int]] = []
    for age in range(OLDEST, YOUNGEST - 1, -1):
        month = inputs.month - age
        cut = literal(str(day_end_utc(month.end + until_now, zone)))
        line = inputs.engine.query(
            f"SELECT count(*) AS total, count(*) FILTER (recorded_at < {cut}) AS early FROM {name} "
            f"WHERE month = DATE '{month.start}' AND recorded_at IS NOT NULL"
        ).iloc[0]
        if line.total:
            counts.append((int(line.early), int(line.total)))
    early, total = (sum(count[index] for count in counts) for index in (0, 1))
    if total < LEAST_ROWS or not early:
        return None
    time = quoted(str(table.time))
    since = (
        "recorded_at"
        if table.columns[str(table.time)].type == "timestamp"
        else f"timezone({literal(zone)}, timezone('UTC', recorded_at))"
    )
    lags = inputs.engine.query(
        f"SELECT quantile_cont(lag, 0.5) AS median_lag, quantile_cont(lag, 0.95) AS late_lag FROM (SELECT epoch({since} - CAST({time} AS TIMESTAMP)) / 86400 AS lag "
        f"FROM {name} WHERE recorded_at IS NOT NULL AND month BETWEEN DATE '{(inputs.month - OLDEST).start}' AND DATE '{(inputs.month - YOUNGEST).start}')"
    ).iloc[0]
    seen = int(
        inputs.engine.query(f"SELECT count(*) AS n FROM {name} WHERE month = DATE '{inputs.month.start}'")
        .iloc[0]
        .n
    )
    share, slowest = early / total, min(counts, key=lambda count: count[0] / count[1])

    def fact(metric: str, value: float, basis: str = "", **parts: int) -> Fact:
        dimensions = {"table": table.name} | ({"basis": basis} if basis else {})
        return inputs.engine.stated(metric, period=inputs.month, value=value, dimensions=dimensions, **parts)

    return Arrival(
        table=table.name,
        seen=fact("source_rows", seen, "known"),
        median_lag=fact("recording_lag", float(lags.median_lag), "median"),
        late_lag=fact("recording_lag", float(lags.late_lag), "late"),
        arrived=fact("arrived_share", share, numerator=early, denominator=total),
        lowest=fact(
            "arrived_share",
            slowest[0] / slowest[1],
            "slowest_month",
            numerator=slowest[0],
            denominator=slowest[1],
        ),
        to_come=fact("rows_to_come", round(seen * (1 / share - 1))),
    )
