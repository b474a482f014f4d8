"""Failures and their cost in the months ahead: machines in the field × intensity at their age × season × cost per failure.

The field ages, machines leave it, new ones come in under the shipment plan, and a warranty ends for each machine on its own day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.failures import money
from analysis.failures.baseline import Baseline
from analysis.failures.field import Field
from analysis.failures.lives import ComponentLife, component_lives
from analysis.failures.reporting import Delay, delay_of, share_by_month
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.metrics.lineage import traced
from analysis.metrics.steady import exact_sum
from analysis.metrics.views import month_index, month_number
from analysis.periods import Month
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
AHEAD = 12
FOREVER = 10**6
TOO_SHORT = Text.of("less than two and a half years of history")


@dataclass(frozen=True, kw_only=True, eq=False)
class Intensity(Summarised):
    """Failures per machine and month: fitted by age, from ``failures`` in all, with a season by calendar month and what the fit cannot know (``spread``, relative)."""

    lives: tuple[ComponentLife, ...]
    rest_rate: float
    season: Floats
    month_spread: float
    level_spread: float
    failures: int

    def by_age(self, age_months: NDArray[np.int64]) -> dict[str, Floats]:
        """Expected failures in the month in service ``age_months``, by component; machines start in the middle of their first month."""
        low, high = np.maximum(age_months - 0.5, 0.0), np.maximum(age_months + 0.5, 0.0)
        parts = {
            life.component: life.fit.cumulative_hazard(high) - life.fit.cumulative_hazard(low)
            for life in self.lives
        }
        return parts | {"other": self.rest_rate * (high - low)} if self.rest_rate else parts

    def factor(self, month: Month) -> float:
        return float(self.season[month.number - 1])


@traced
def intensity_of(field: Field, baseline: Baseline, delay: Delay, lives: list[ComponentLife]) -> Intensity:
    """Season and scatter from the month factors of the baseline, corrected for what is not reported yet."""
    share = share_by_month(delay, field.months, field.horizon)
    factor = baseline.factor / share
    number = np.array([month.number for month in field.months])
    season = np.array([factor[number == k].mean() if (number == k).any() else 1.0 for k in range(1, 13)])
    season = season / season.mean()
    # a month of the year in which nothing ever failed says nothing of the scatter about its season
    seen = season[number - 1] > 0
    residual = np.log(np.maximum(factor[seen], 1e-9) / season[number - 1][seen])
    counts = field.failure_counts.groupby("month_no")["failures"].sum().mean()
    years = max(len(field.months) / 12, 1.0)
    # residuals are taken from seasons fitted on the same years: what a new month adds is wider
    variance = max(0.0, float(residual.var()) * years / max(years - 1, 0.5) - 1 / float(counts))
    total = float(field.failure_counts["failures"].sum())
    held = sum(life.failures for life in lives)
    # a month before the first machine was in the field weighs nothing
    held_in = field.by_age.groupby("month_no")["unit_months"].sum()
    weights = held_in.reindex([month_index(month) for month in field.months], fill_value=0.0)
    level = float(np.average(factor, weights=weights.to_numpy(dtype=float)))
    rest = (total - held) / float(field.by_age["unit_months"].sum())
    return Intensity(
        lives=tuple(lives),
        rest_rate=rest,
        season=season * level,
        month_spread=float(np.sqrt(variance)),
        level_spread=float(np.sqrt(1 / max(total, 1.0) + variance / 12)),
        failures=round(total),
    )


@traced
def in_field(field: Field) -> pd.DataFrame:
    """Machines in the field after the last month: ``product_line``, ``model``, ``started_no``, ``warranty_no`` (last month under warranty), ``machines``."""
    return field.query(
        field.machines,
        select=f"SELECT product_line, model, {month_number('started')} AS started_no, "
        f"coalesce({month_number('warranty_end')}, -1) AS warranty_no, count(*) AS machines FROM machines WHERE still_there "
        "GROUP BY ALL ORDER BY 1, 2, 3, 4",
    )


@traced
def planned(field: Field) -> pd.DataFrame:
    """Shipments to come as machines that start in their month.

    Raises
    ------
    MissingData
        There is no shipment plan.
    """
    return field.inputs.engine.query(
        "SELECT coalesce(p.product_line, 'not_stated') AS product_line, coalesce(p.model, s.product_id, 'not_stated') AS model, year(s.month) * 12 + month(s.month) - 1 AS started_no, "
        f"year(s.month) * 12 + month(s.month) - 1 + coalesce(p.warranty_months, 0) AS warranty_no, {exact_sum('s.quantity')} AS machines "
        f"FROM shipment_plan s LEFT JOIN products p ON p.product_id = s.product_id WHERE s.month >= DATE '{field.last.end}' GROUP BY ALL ORDER BY 1, 2, 3, 4",
        needs=("shipment_plan.quantity", "products.warranty_months"),
    )


def nobody() -> pd.DataFrame:
    """No machines to come: what a provision has to cover."""
    import pandas as pd

    return pd.DataFrame(
        {"product_line": [], "model": [], "started_no": [], "warranty_no": [], "machines": []}
    )


@traced
def retirement_rate(field: Field) -> float:
    """Machines that left the field per unit-month."""
    left = field.query(
        field.machines,
        select=f"SELECT count(*) AS machines FROM machines WHERE retired_on >= DATE '{field.first.start}' AND retired_on < DATE '{field.last.end}'",
    )
    return float(left["machines"].iloc[0]) / float(field.by_age["unit_months"].sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecast(Summarised):
    """Expected failures by month ahead, component, product line and warranty.

    frame : one row per month, product line, component and ``warranty`` (true: inside): ``failures``
    months : the months ahead; spread_of : relative standard deviation beyond counting noise
    """

    frame: pd.DataFrame
    months: tuple[Month, ...]
    intensity: Intensity
    with_plan: bool

    def total(self, *, warranty: bool | None = None) -> float:
        """Failures expected in all months together; of machines inside or outside warranty where that is asked."""
        frame = self.frame if warranty is None else self.frame[self.frame["warranty"] == warranty]
        return float(frame["failures"].sum())

    def quantile(self, expected: float, share: float, *, months: int) -> int:
        """The count that is enough with this chance; counts whose mean is itself uncertain are negative binomial."""
        from scipy.stats import nbinom

        over = self.intensity.level_spread**2 + self.intensity.month_spread**2 / months
        return int(nbinom.ppf(share, 1 / over, 1 / (1 + expected * over))) if over > 0 else int(expected)

    def interval(self, expected: float, *, months: int, level: float) -> tuple[float, float]:
        """Limits of a count with this expectation over so many months: counting noise, month-to-month scatter and level."""
        from scipy.stats import norm

        variance = expected + expected**2 * (
            self.intensity.level_spread**2 + self.intensity.month_spread**2 / months
        )
        # log-normal with that mean and variance: never below zero
        spread = float(np.sqrt(np.log1p(variance / expected**2))) if expected > 0 else 0.0
        z = float(norm.ppf(0.5 + level / 2))
        centre = np.log(expected) - spread**2 / 2 if expected > 0 else -np.inf
        return float(np.exp(centre - z * spread)), float(np.exp(centre + z * spread))


@traced
def forecast(
    field: Field, intensity: Intensity, *, ahead: int = AHEAD, arrivals: pd.DataFrame | NotDone
) -> Forecast:
    """Failures expected in each of the next months.

    Parameters
    ----------
    arrivals : machines that start later, such as :func:`planned`; not done: machines in the field only, and the forecast says so
    """
    import pandas as pd

    stock = in_field(field)
    if not isinstance(arrivals, NotDone):
        stock = pd.concat([stock, arrivals], ignore_index=True)
    months = tuple(field.last + k for k in range(1, ahead + 1))
    leaving, rows = retirement_rate(field), []
    started, warranty = (
        stock["started_no"].to_numpy(dtype=np.int64),
        stock["warranty_no"].to_numpy(dtype=np.int64),
    )
    machines = stock["machines"].to_numpy(dtype=float)
    line_of, lines = pd.factorize(stock["product_line"], sort=True)
    carried = _carried(field, stock, intensity)
    last = month_index(field.last)
    for step, month in enumerate(months, start=1):
        age = last + step - started
        present = (
            machines
            * np.exp(-leaving * np.minimum(step, np.maximum(age, 0)))
            * (age >= 0)
            * intensity.factor(month)
        )
        cell = line_of * 2 + (warranty >= last + step)
        for component, hazard in intensity.by_age(np.arange(age.max(initial=0) + 1)).items():
            failing = present * carried[component] * hazard[np.maximum(age, 0)]
            sums = np.bincount(cell, weights=failing, minlength=2 * len(lines))
            rows += [
                (str(lines[k // 2]), bool(k % 2), float(value), str(month), component)
                for k, value in enumerate(sums)
                if value > 0
            ]
    frame = pd.DataFrame(rows, columns=["product_line", "warranty", "failures", "month", "component"])
    frame = frame.astype({"warranty": bool, "failures": float})  # also where no machine is left to fail
    return Forecast(
        frame=frame, months=months, intensity=intensity, with_plan=not isinstance(arrivals, NotDone)
    )


@traced
def _carried(field: Field, stock: pd.DataFrame, intensity: Intensity) -> dict[str, Floats]:
    """By component, one for machines that carry it and zero for the others; the failures of no named component are those of all machines."""
    machines = list(zip(stock["product_line"].astype(str), stock["model"].astype(str), strict=True))
    kinds = sorted(set(machines))
    place = {kind: k for k, kind in enumerate(kinds)}
    at = np.array([place[machine] for machine in machines], dtype=np.int64)
    return {
        component: np.array([float(field.carriers.carries(component, *kind)) for kind in kinds])[at]
        for component in intensity.by_age(np.arange(1))
    }


@dataclass(frozen=True, kw_only=True, eq=False)
class ForecastTest(Summarised):
    """The forecast made a year ago with what was known then, beside what happened: one row per month."""

    origin: Month
    rows: pd.DataFrame
    forecast: Forecast

    @property
    def error(self) -> float:
        """Relative error of the twelve months together."""
        return float(self.rows["expected"].sum() / self.rows["actual"].sum() - 1)

    @property
    def absolute_error(self) -> float:
        """Mean absolute error of the months, relative to their mean."""
        return float((self.rows["expected"] - self.rows["actual"]).abs().sum() / self.rows["actual"].sum())


@traced
def backtest(field: Field, delay: Delay) -> ForecastTest | NotDone:
    """Fit on what was known twelve months ago, forecast the months since; the shipments since are given, as a plan would be.

    What happened is the count of today, corrected for failures not reported yet. Not done with less than two and a half years of history.
    """
    import pandas as pd

    if len(field.months) < 24 + AHEAD // 2:
        return NotDone(reason=TOO_SHORT)
    then = field.as_known_at_the_end_of(field.last - AHEAD)
    lives, _ = component_lives(then)
    intensity = intensity_of(then, Baseline.of(then), delay_of(then.delays, then.horizon), lives)
    origin = month_index(then.last)
    later = field.shipped[field.shipped["started_no"] > origin]
    arrivals = later.assign(warranty_no=FOREVER)
    made = forecast(then, intensity, arrivals=arrivals)
    expected = made.frame.groupby("month", sort=True)["failures"].sum()
    counts = field.failure_counts.groupby("month_no")["failures"].sum()
    share = share_by_month(delay, list(made.months), field.horizon)
    actual = [
        float(counts.get(month_index(month), 0)) / part
        for month, part in zip(made.months, share, strict=True)
    ]
    rows = pd.DataFrame(
        {
            "month": [str(month) for month in made.months],
            "expected": [float(expected.get(str(month), 0.0)) for month in made.months],
            "actual": actual,
        }
    )
    return ForecastTest(origin=then.last, rows=rows, forecast=made)


@traced
def part_demand(field: Field, made: Forecast, *, months: int) -> dict[str, dict[str, float]]:
    """Pieces of each part expected to be used in the next months, by component: failures to come × pieces per failure of the last twelve."""
    near = {str(month) for month in made.months[:months]}
    due = made.frame[made.frame["month"].isin(near)].groupby("component")["failures"].sum()
    found = {
        str(part): {
            str(row.component): float(due.get(row.component, 0.0) * row.quantity / row.failures)
            for row in rows.itertuples()
        }
        for part, rows in money.parts_per_failure(field).groupby("part_no", sort=True)
    }
    return {part: pieces for part, pieces in found.items() if sum(pieces.values()) > 0}
