"""Is the report month out of line with its own past? Rows of every table and the mean of every numeric column, each against its own months.

A series is compared with the same month a year before, on a logarithmic scale where all its values are positive, so that season and steady
growth drop out. What is judged is the newest yearly change against the median and the median absolute deviation of the earlier ones. How far
is too far is not taken from a table: it is the distance that series of independent normal noise, treated in the same way, exceed with
the chance asked for; that chance (``history_chance``, of a whole run) is shared equally among all series looked at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.locale import Text
from analysis.metrics import NotDone, Stating, StudyInputs, traced
from analysis.metrics.backend import quoted
from analysis.metrics.known import PLANS
from analysis.metrics.steady import exact_sum
from analysis.periods import Month, months_between
from analysis.quality import views
from analysis.quality.coverage import ripens
from analysis.results import Fact, Interval
from analysis.summaries import Summarised
from analysis.tables import ColumnContract, TableContract, contract

YEAR = 12
#: Yearly changes the newest one is compared with, at least and at most; fewer months of history and a series is not judged.
LEAST_CHANGES, MOST_CHANGES = 10, 23
#: Rows with a value that every month must have for its mean or its count to be nearly normal.
LEAST_ROWS = 30
TOO_SHORT = "needs two years of months with enough rows"
_DRAWS, _SEED = 160_000, 20_261_110
_NORMAL_MAD = 1.4826

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class OwnHistory(Summarised):
    """One series with its newest month judged. ``score``: distance from the expected value in units of what chance allows (beyond 1: a finding)."""

    table: str
    column: str
    value: Fact
    expected: Fact
    score: float
    series: Mapping[Month, float]

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}" if self.column else self.table

    @property
    def out_of_line(self) -> bool:
        return self.score > 1


@dataclass(frozen=True, kw_only=True)
class _Series:
    table: TableContract
    column: ColumnContract | None
    values: Mapping[Month, float]


def histories(inputs: StudyInputs) -> tuple[OwnHistory, ...] | NotDone:
    """Every series with enough months, the farthest from its own past first; a month that is not whole is held against none."""
    inputs.require_whole_month()
    series = [one for name in inputs.engine.tables.tables for one in _table_series(inputs, name)]
    judged = [one for one in series if _changes(one.values, inputs.month) is not None]
    if not judged:
        return NotDone(reason=Text.of(TOO_SHORT))
    chance = float(inputs.assumptions.value("history_chance", on=inputs.month.last_day))
    found = [_judged(inputs, one, family_chance=chance, series_judged=len(judged)) for one in judged]
    return tuple(sorted(found, key=lambda history: (-history.score, history.name)))


def score(changes: Values, newest: float, *, chance: float) -> tuple[float, float, float]:
    """(distance as a multiple of what is allowed, expected change, allowed distance) of ``newest`` against earlier ``changes``."""
    middle = float(np.median(changes))
    spread = _NORMAL_MAD * float(np.median(np.abs(changes - middle)))
    allowed = spread * critical_distance(len(changes), chance)
    return (abs(newest - middle) / allowed if allowed else 0.0), middle, allowed


def critical_distance(changes: int, chance: float) -> float:
    """Distance from the median, in robust standard deviations, that normal noise exceeds with this chance (both sides together)."""
    distances = _null_distances(changes)
    return float(distances[min(math.ceil((1 - chance) * len(distances)), len(distances) - 1)])


@cache
def _null_distances(changes: int) -> Values:
    """Simulated once for each number of changes: noise of its own each month, differenced over a year like the series themselves."""
    generator = np.random.default_rng([_SEED, changes])
    found = []
    for _ in range(8):
        noise = generator.standard_normal((_DRAWS // 8, changes + 1 + YEAR))
        yearly = noise[:, YEAR:] - noise[:, :-YEAR]
        earlier, newest = yearly[:, :-1], yearly[:, -1]
        middle = np.median(earlier, axis=1)
        spread = _NORMAL_MAD * np.median(np.abs(earlier - middle[:, None]), axis=1)
        found.append(np.abs(newest - middle) / spread)
    return np.sort(np.concatenate(found))


@traced
def _table_series(inputs: StudyInputs, name: str) -> list[_Series]:
    """Rows of a table by month and the monthly means of its numeric columns, where every month has enough of them."""
    info, table = inputs.engine.tables.tables[name], contract().tables[name]
    if not info.rows or table.time is None or name in PLANS or inputs.month not in info.months:
        return []
    numeric = [
        column
        for column in table.columns.values()
        if column.type in ("decimal", "float", "integer", "boolean")
        and column.name in info.columns_present
        and column.name not in table.key
        and not ripens(table, column.name)
    ]
    means = "".join(
        f", {_sum(column)} / count({quoted(column.name)}) AS m{index}, count({quoted(column.name)}) AS n{index}"
        for index, column in enumerate(numeric)
    )
    first = inputs.month - (MOST_CHANGES + YEAR)
    frame = inputs.engine.query(
        f"SELECT month, count(*) AS n{means} FROM {quoted(name)} WHERE {views.in_months(first, inputs.month)} "
        "GROUP BY month ORDER BY month"
    )
    rows = {Month.parse(line["month"]): line for line in frame.to_dict(orient="records")}
    found = [
        _Series(
            table=table,
            column=None,
            values={month: float(line["n"]) for month, line in rows.items() if line["n"] >= LEAST_ROWS},
        )
    ]
    for index, column in enumerate(numeric):
        values = {
            month: float(line[f"m{index}"])
            for month, line in rows.items()
            if _enough(column, float(line[f"m{index}"] or 0), line[f"n{index}"])
        }
        found.append(_Series(table=table, column=column, values=values))
    return found


def _sum(column: ColumnContract) -> str:
    """SQL of a column's sum as a float, exact in any order of the rows."""
    if column.type == "float":
        return exact_sum(quoted(column.name))
    value = f"CAST({quoted(column.name)} AS INTEGER)" if column.type == "boolean" else quoted(column.name)
    return f"CAST(sum({value}) AS DOUBLE)"


def _enough(column: ColumnContract, mean: float, rows: int) -> bool:
    """Whether the mean of so many rows is nearly normal; of a yes or no, when both answers are given often enough."""
    return rows * (min(mean, 1 - mean) if column.type == "boolean" else 1) >= LEAST_ROWS


def _scaled(values: Mapping[Month, float]) -> Mapping[Month, float]:
    """Logarithms where every value is positive."""
    return (
        {month: math.log(value) for month, value in values.items()}
        if min(values.values(), default=0) > 0
        else values
    )


def _changes(values: Mapping[Month, float], month: Month) -> tuple[Values, float] | None:
    """Earlier yearly changes and the newest; None where they are too few or where the series hardly moves by itself."""
    scaled = _scaled(values)
    if month not in scaled or month - YEAR not in scaled:
        return None
    past = [
        one
        for one in months_between(month - MOST_CHANGES, month - 1)
        if one in scaled and one - YEAR in scaled
    ]
    changes = np.array([scaled[one] - scaled[one - YEAR] for one in past])
    if len(changes) < LEAST_CHANGES or len(np.unique(changes)) < LEAST_CHANGES * 0.8:
        return None
    return changes, scaled[month] - scaled[month - YEAR]


def _level(series: _Series, base: float, change: float) -> float:
    """The level a year after ``base`` at a yearly change; a share is the whole at most."""
    level = base * math.exp(change) if min(series.values.values()) > 0 else base + change
    return min(level, 1.0) if series.column is not None and series.column.type == "boolean" else level


@traced
def _judged(inputs: StudyInputs, series: _Series, *, family_chance: float, series_judged: int) -> OwnHistory:
    found = _changes(series.values, inputs.month)
    assert found is not None  # the caller kept only series that have changes
    changes, newest = found
    distance, middle, allowed = score(changes, newest, chance=family_chance / series_judged)
    base = series.values[inputs.month - YEAR]
    expected, low, high = (
        _level(series, base, change) for change in (middle, middle - allowed, middle + allowed)
    )
    if series.column is None:  # rows are whole; the range is rounded outwards
        expected, low, high = round(expected), math.floor(low), math.ceil(high)
    interval = Interval(
        low=low,
        high=high,
        level=1 - family_chance,
        method="yearly changes, median and MAD, shared among all series",
    )
    name = series.column.name if series.column else ""
    place: dict[str, Any] = {"table": series.table.name} | ({"column": name} if name else {})
    stated, unit = Stating(inputs=inputs), _unit(inputs, series)
    rows = views.level_rows(series.table.name, name).where(views.in_months(inputs.month, inputs.month))
    value = stated.measured("monthly_level", rows, **place)
    before = stated.exact(
        "expected_level", expected, parts={"interval": interval, "n": len(changes)}, **place
    )
    return OwnHistory(
        table=series.table.name,
        column=name,
        score=distance,
        series=series.values,
        value=replace(value, unit=unit),
        expected=replace(before, unit=unit),
    )


def _unit(inputs: StudyInputs, series: _Series) -> str:
    if series.column is None:
        return "rows"
    if series.column.type == "boolean":
        return "share"
    return inputs.currency if (series.column.unit or "").startswith("currency") else "score"
