"""Warranty triangles: cumulative failures by age, for machines of one quarter of production or of start of service, and what they develop to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.errors import MissingData
from analysis.failures.field import Field
from analysis.failures.limits import interval_of
from analysis.failures.reporting import Delay, share_by_month
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.metrics.lineage import traced
from analysis.metrics.views import month_index
from analysis.results import Fact, Interval, Sentence
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

AGES = (3, 6, 9, 12, 18, 24, 30)
MATURE_SHARE = 0.9
NO_MONTHS = Text.of("no failure on a machine whose month of production is known")
Sums = dict[tuple[int, int], float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Triangle(Summarised):
    """Cumulative failures per 1,000 machines by quarter and age; immature cells are absent.

    ``ultimate`` is what each quarter is expected to reach at the last age: its oldest mature cell times the development of all quarters together;
    a quarter without a failure yet is not developed from nothing.
    ``by`` is ``service`` (start of service) or ``production``; ``produced`` is the same by production; not done where that is not recorded.
    """

    by: str
    rows: tuple[tuple[str, Text], ...]
    columns: tuple[tuple[str, Text], ...]
    cells: Mapping[tuple[str, str], Fact]
    ultimate: Mapping[str, Fact]
    produced: Triangle | NotDone | None = None


@traced
def triangle(field: Field, delay: Delay) -> Triangle:
    """A machine's age is its months in service; a cell is shown when the youngest machines of the quarter have lived that long."""
    share = dict(
        zip(
            (month_index(m) for m in field.months),
            share_by_month(delay, field.months, field.horizon),
            strict=True,
        )
    )
    held = field.by_age.assign(started_no=field.by_age["month_no"] - field.by_age["age_months"])
    counts: pd.DataFrame = field.failure_counts.groupby(["month_no", "age_months"], as_index=False)[
        ["failures"]
    ].sum()
    counts = counts.assign(started_no=counts["month_no"] - counts["age_months"])
    return _made(
        field,
        "service",
        held.assign(cohort=held["started_no"]),
        counts.assign(cohort=counts["started_no"]),
        share,
        produced=_by_production(field, share),
    )


@traced
def _by_production(field: Field, share: Mapping[int, float]) -> Triangle | NotDone:
    try:
        field.inputs.engine.require("units.produced_on")
    except MissingData as absent:
        return NotDone.because(absent)
    held = field.query(
        field.machines,
        field.exposure("produced_month"),
        select="SELECT * FROM grid WHERE produced_month <> 'not_stated' ORDER BY ALL",
    )
    counts = field.query(
        field.failures,
        select="SELECT month_no, age_months, produced_month, count(*) AS failures FROM failed WHERE produced_month <> 'not_stated' GROUP BY ALL ORDER BY ALL",
    )
    if held.empty or counts.empty:
        return NotDone(reason=NO_MONTHS)
    held, counts = (
        frame.assign(
            cohort=_number(frame["produced_month"]), started_no=frame["month_no"] - frame["age_months"]
        )
        for frame in (held, counts)
    )
    return _made(field, "production", held, counts, share)


@traced
def _number(names: pd.Series) -> pd.Series:
    return names.str[:4].astype(int) * 12 + names.str[5:7].astype(int) - 1


@traced
def _made(
    field: Field,
    by: str,
    held: pd.DataFrame,
    counts: pd.DataFrame,
    share: Mapping[int, float],
    *,
    produced: Triangle | NotDone | None = None,
) -> Triangle:
    first, last = month_index(field.first), month_index(field.last)
    # machines that went into service before the window may have failed before it
    held, counts = (
        frame[(frame["started_no"] >= first) & (frame["cohort"] >= first)] for frame in (held, counts)
    )
    counts = counts.assign(completed=counts["failures"] / counts["month_no"].map(share))
    starts = held[held["age_months"] == 0].groupby(["cohort", "started_no"])["unit_months"].sum()
    exposure, raw, completed = (
        _sums(frame, value)
        for frame, value in ((held, "unit_months"), (counts, "failures"), (counts, "completed"))
    )
    rows, cells = [], {}
    for quarter in range(first + (-first) % 3, last + 1, 3):
        parts = {"year": str(quarter // 12), "quarter": str(quarter % 12 // 3 + 1)}
        name = "{year} Q{quarter}".format(**parts)
        rows.append((name, Sentence("Q{quarter} {year}", parts).text()))
        oldest = _mature_until(starts, range(quarter, quarter + 3), last)
        for age in (age for age in AGES if age <= oldest):
            fact = _cumulative(field, by, name, range(quarter, quarter + 3), age, exposure, raw, completed)
            if fact is not None:
                cells[name, str(age)] = fact
    rows = [row for row in rows if any(key[0] == row[0] for key in cells)]
    ages = [age for age in AGES if any(key[1] == str(age) for key in cells)]
    columns = [(str(age), Sentence("{months} mo", {"months": str(age)}).text()) for age in ages]
    pooled = {age: _pooled(age, exposure, raw, completed) for age in ages}
    return Triangle(
        by=by,
        rows=tuple(rows),
        columns=tuple(columns),
        cells=cells,
        ultimate=_ultimate(field, by, cells, [name for name, _ in rows], pooled),
        produced=produced,
    )


def _mature_until(starts: pd.Series, cohorts: range, last: int) -> int:
    """The age that nine in ten machines of the quarter could have reached whole by the end of the window; a late straggler does not blank it."""
    own = starts[starts.index.get_level_values(0).isin(list(cohorts))]
    if own.empty or max(cohorts) > last:
        return 0
    by_start = own.groupby(level=1).sum().sort_index()
    reached = (by_start.cumsum() >= MATURE_SHARE * by_start.sum()).to_numpy()
    return last + 1 - int(by_start.index.to_numpy(dtype=int)[int(reached.argmax())])


@traced
def _sums(frame: pd.DataFrame, value: str) -> Sums:
    """Sums by cohort and age."""
    sums = frame.groupby(["cohort", "age_months"], as_index=False)[value].sum()
    return {
        (int(s), int(a)): float(v)
        for s, a, v in zip(
            sums["cohort"].tolist(), sums["age_months"].tolist(), sums[value].tolist(), strict=True
        )
    }


@dataclass(frozen=True, kw_only=True)
class _Pooled:
    """Cumulative failures per machine of all quarters together up to an age, and the variance that their count gives it."""

    failures: float
    variance: float

    def developing_to(self, end: _Pooled) -> tuple[float, float]:
        """Factor from this age to a later one, and the standard error of its logarithm: what comes between rests on few quarters."""
        factor = end.failures / self.failures
        between = end.failures - self.failures
        if between <= 0:
            return factor, 0.0
        relative = self.variance / self.failures**2 + (end.variance - self.variance) / between**2
        return factor, (1 - 1 / factor) * math.sqrt(relative)


@traced
def _pooled(age: int, exposure: Sums, raw: Sums, completed: Sums) -> _Pooled:
    """The sum over months in service, each a count of failures (Poisson) over the machines then present."""
    total = variance = 0.0
    for a in range(age):
        held, count, ended = (
            sum(value for (_, at), value in sums.items() if at == a) for sums in (exposure, raw, completed)
        )
        if held and count:
            step = (0.5 if a == 0 else 1.0) * ended / held
            total, variance = total + step, variance + step**2 / count
    return _Pooled(failures=total, variance=variance)


@traced
def _ultimate(
    field: Field,
    by: str,
    cells: Mapping[tuple[str, str], Fact],
    names: list[str],
    pooled: Mapping[int, _Pooled],
) -> dict[str, Fact]:
    found: dict[str, Fact] = {}
    if not pooled:
        return found
    end = max(pooled)
    for name in names:
        age = max(int(key[1]) for key in cells if key[0] == name)
        cell = cells[name, str(age)]
        if not pooled[age].failures or not cell.value:
            continue
        factor, spread = pooled[age].developing_to(pooled[end])
        found[name] = field.inputs.engine.stated(
            "developed_failures",
            period=field.window,
            value=float(cell.value) * factor,
            dimensions={f"{by}_quarter": name, "by_month": str(end)},
            n=cell.n,
            interval=cell.interval and _developed(float(cell.value), cell.interval, factor, spread),
        )
    return found


def _developed(count: float, known: Interval, factor: float, spread: float) -> Interval:
    """On the logarithmic scale, the distance of each limit of the count and that of the factor, as independent."""
    from scipy.stats import norm

    reach = float(norm.ppf(0.5 + known.level / 2)) * spread
    below, above = (
        math.hypot(math.log(count / known.low), reach) if known.low > 0 else math.inf,
        math.hypot(math.log(known.high / count), reach),
    )
    return Interval(
        low=count * factor * math.exp(-below),
        high=count * factor * math.exp(above),
        level=known.level,
        method="exact Poisson count and Poisson error of the development of all quarters, log scale",
    )


@traced
def _cumulative(
    field: Field, by: str, name: str, cohorts: range, age: int, held: Sums, raw: Sums, completed: Sums
) -> Fact | None:
    """Sum over months in service of failures over machines then present; the first half-month counts by its exposure."""
    from analysis.stats import poisson_interval

    total, reported = 0.0, 0.0
    for a in range(age):
        exposure = sum(held.get((s, a), 0.0) for s in cohorts)
        if exposure <= 0:
            return None
        total += (0.5 if a == 0 else 1.0) * sum(completed.get((s, a), 0.0) for s in cohorts) / exposure
        reported += sum(raw.get((s, a), 0.0) for s in cohorts)
    relative = poisson_interval(reported, max(reported, 1.0), level=field.inputs.confidence)
    value = 1000 * total
    interval = (
        interval_of(
            value * relative.low,
            value * relative.high,
            field.inputs.confidence,
            "exact Poisson count, shape of ages held",
        )
        if reported
        else None
    )
    quarter = "in_service_quarter" if by == "service" else "production_quarter"
    return field.inputs.engine.stated(
        "cumulative_failures",
        period=field.window,
        value=value,
        dimensions={quarter: name, "by_month": str(age)},
        n=int(reported),
        interval=interval,
    )
