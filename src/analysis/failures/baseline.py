"""What would have failed anyway: rates by months in service and component, times a factor of the calendar month.

The factor holds the season and everything else that is the same for all machines of a month, also failures that are not reported yet. So a
machine is compared with machines of its age in the same months, and a young batch is not taken for a good one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.failures import views
from analysis.failures.field import Field
from analysis.metrics.lineage import traced
from analysis.metrics.steady import exact_sum
from analysis.metrics.views import month_index
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
BAND_STARTS = (0, 1, 2, 3, 6, 9, 12, 18, 24, 36, 48, 60, 84, 120)


@dataclass(frozen=True, kw_only=True, eq=False)
class Baseline(Summarised):
    """Expected failures of a cell: unit-months × ``rate`` (by band of months in service and component) × ``factor`` (by month).

    rate : bands × components, failures per unit-month
    factor : one per month of the window, exposure-weighted mean near one
    """

    components: tuple[str, ...]
    bands: tuple[int, ...]
    months: tuple[int, ...]
    rate: Floats
    factor: Floats

    @classmethod
    def of(cls, field: Field) -> Baseline:
        exposure, counts = field.by_age, field.failure_counts
        components = tuple(sorted(counts["component"].unique()))
        months = tuple(range(month_index(field.first), month_index(field.last) + 1))
        oldest = int(exposure["age_months"].max())
        bands = tuple(start for start in BAND_STARTS if start <= oldest)
        held = _grid(exposure, "unit_months", bands, months)
        failed = np.stack(
            [_grid(counts[counts["component"] == one], "failures", bands, months) for one in components],
            axis=2,
        )
        rate, factor = _fitted(held, failed)
        return cls(components=components, bands=bands, months=months, rate=rate, factor=factor)

    def tables(self, *, by_component: bool = True) -> str:
        """CTEs ``age_rates`` (one row per month in service, one column ``r0``, ``r1`` … per component) and ``month_factors``."""
        ages = range(max(self.bands[-1], 240) + 1)
        band = self.band_of(np.array(list(ages)))
        rates = self.rate if by_component else self.rate.sum(axis=1, keepdims=True)
        names = [f"r{k}" for k in range(rates.shape[1])]
        first = [(age, *(float(one) for one in rates[b])) for age, b in zip(ages, band, strict=True)]
        second = [(month, float(one)) for month, one in zip(self.months, self.factor, strict=True)]
        return ",\n".join(
            (
                views.values_table("age_rates", ["age_months", *names], first),
                views.values_table("month_factors", ["month_no", "factor"], second),
            )
        )

    def band_of(self, ages: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray(np.searchsorted(np.array(self.bands), ages, side="right") - 1)

    def rate_of(self, components: Sequence[str]) -> str:
        """SQL of the rate of these components together, over ``age_rates a``."""
        return " + ".join(f"a.r{self.components.index(name)}" for name in components)

    def by_month(self, field: Field, where: str, components: Sequence[str]) -> pd.Series:
        """Expected failures of components on the machines that meet a condition, by ``month_no``."""
        due = exact_sum(f"g.unit_months * ({self.rate_of(components)}) * f.factor")
        return field.query(
            field.machines,
            field.exposure(where=where),
            self.tables(),
            select=f"SELECT month_no, {due} AS expected FROM grid g JOIN age_rates a USING (age_months) "
            "JOIN month_factors f USING (month_no) GROUP BY ALL ORDER BY ALL",
        ).set_index("month_no")["expected"]

    def expected(self, frame: pd.DataFrame) -> Floats:
        """Expected failures of all components for rows of ``month_no``, ``age_months``, ``unit_months``."""
        rate = self.rate.sum(axis=1)[self.band_of(frame["age_months"].to_numpy())]
        factor = self.factor[frame["month_no"].to_numpy() - self.months[0]]
        return np.asarray(frame["unit_months"].to_numpy() * rate * factor)


@traced
def _grid(frame: pd.DataFrame, value: str, bands: tuple[int, ...], months: tuple[int, ...]) -> Floats:
    band = np.searchsorted(np.array(bands), frame["age_months"].to_numpy(), side="right") - 1
    grid = np.zeros((len(bands), len(months)))
    np.add.at(grid, (band, frame["month_no"].to_numpy() - months[0]), frame[value].to_numpy(dtype=float))
    return grid


@traced
def _fitted(held: Floats, failed: Floats) -> tuple[Floats, Floats]:
    """Poisson maximum likelihood of rate × factor by turns; both margins of the counts are reproduced."""
    all_parts = failed.sum(axis=2)
    factor = np.ones(held.shape[1])
    for _ in range(200):
        below = held @ factor
        rate = np.divide(all_parts.sum(axis=1), below, out=np.zeros(len(below)), where=below > 0)
        expected = rate @ held
        fresh = np.divide(all_parts.sum(axis=0), expected, out=np.ones(len(expected)), where=expected > 0)
        moved = float(np.abs(fresh - factor).max())
        factor = fresh
        if moved < 1e-10:
            break
    below = held @ factor
    shares = np.divide(
        failed.sum(axis=1),
        below[:, None],
        out=np.zeros((len(below), failed.shape[2])),
        where=below[:, None] > 0,
    )
    scale = float((held.sum(axis=0) * factor).sum() / held.sum()) if held.sum() > 0 else 1.0
    return shares * scale, factor / scale
