"""Money per case of one shop or team against the others, all else that is known held equal.

Logarithms of the amount per case add up over shop, team and product line (a log-linear mean, fitted by quasi-likelihood, so that amounts of
nothing count as they are). The reference of a unit is the median of the others, so that one dear or cheap unit does not move all the rest.
Errors come from leaving out one month at a time (jackknife over months: Efron and Stein 1981, *Annals of Statistics* 9, 586-596; t with a
degree of freedom less than months), so they hold whatever the spread of amounts within a month.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from analysis.costs.scan import Floats
from analysis.metrics import traced
from analysis.summaries import Summarised

LEAST_CASES = 30
LEAST_MONTHS = 6
LEAST_SHARED = 10  # cases that a second unit must have of a value that is held equal
LEAST_SHARE = 0.05  # of the cases of the largest unit; a smaller one is no part of the median


@dataclass(frozen=True, kw_only=True)
class UnitRatio(Summarised):
    """A unit's money per case over the median of the others, with its limits and the one-sided chance of one as high.

    ``amount`` and ``cases`` are its own; ``months`` were left out one by one.
    """

    unit: str
    amount: float
    cases: float
    ratio: float
    low: float
    high: float
    p_value: float
    months: int

    @property
    def excess(self) -> tuple[float, float, float]:
        """Money beyond that at the others' median, with the limits of the ratio."""
        more, least, most = (self.amount * (1 - 1 / each) for each in (self.ratio, self.low, self.high))
        return more, least, most


@traced
def unit_ratios(
    cells: pd.DataFrame, *, unit: str, beside: Sequence[str], confidence: float
) -> list[UnitRatio]:
    """Every unit against the median of the others.

    Parameters
    ----------
    cells : one row per month, unit and what stands beside it: ``month``, ``amount`` (money, not negative) and ``cases``
    unit : the column that is judged
    beside : columns that are held equal
    confidence : coverage of each interval

    Returns
    -------
    list of UnitRatio
        Empty where fewer than two units or six months can be judged.
    """
    cells = _comparable(cells[cells["cases"] > 0], unit, beside)
    kept = cells.groupby(unit)[["amount", "cases"]].sum()
    months = sorted(cells["month"].unique())
    if len(kept) < 2 or len(months) < LEAST_MONTHS:
        return []
    names = [str(name) for name in kept.index]
    whole = _levels(cells, unit, names, beside)
    left = [_levels(cells[cells["month"] != month], unit, names, beside) for month in months]
    if whole is None or any(one is None for one in left):
        return []
    large = kept["cases"].to_numpy(float) >= LEAST_SHARE * float(kept["cases"].max())
    found = []
    for at, name in enumerate(names):
        others = large & (np.arange(len(names)) != at)
        if not others.any():
            continue
        log_ratio = float(whole[at] - np.median(whole[others]))
        again = np.array([one[at] - np.median(one[others]) for one in left if one is not None])
        count = len(months)
        error = float(np.sqrt((count - 1) / count * ((again - again.mean()) ** 2).sum()))
        if not np.isfinite(log_ratio) or error <= 0:
            continue
        reach = float(stdtrit(count - 1, (1 + confidence) / 2)) * error
        found.append(
            UnitRatio(
                unit=name,
                amount=float(kept["amount"].iloc[at]),
                cases=float(kept["cases"].iloc[at]),
                ratio=float(np.exp(log_ratio)),
                low=float(np.exp(log_ratio - reach)),
                high=float(np.exp(log_ratio + reach)),
                p_value=float(stdtr(count - 1, -log_ratio / error)),
                months=count,
            )
        )
    return found


def _comparable(cells: pd.DataFrame, unit: str, beside: Sequence[str]) -> pd.DataFrame:
    """Units large enough, in what a second unit has the like of: where a shop has one team alone, nothing tells the team from the shop."""
    before = -1
    while len(cells) != before:
        before = len(cells)
        sizes = cells.groupby(unit)[["amount", "cases"]].sum()
        large = sizes.index[(sizes["cases"] >= LEAST_CASES) & (sizes["amount"] > 0)]
        cells = cells[cells[unit].isin(large)]
        for name in beside:
            held = cells.groupby([name, unit])["cases"].sum() >= LEAST_SHARED
            units = held.groupby(level=0).sum()
            cells = cells[cells[name].isin(units.index[units > 1])]
    return cells


def _levels(cells: pd.DataFrame, unit: str, names: Sequence[str], beside: Sequence[str]) -> Floats | None:
    """Logarithm of each unit's amount per case, the rest held equal; None where it cannot be fitted."""
    sums = cells.groupby([unit, *beside], as_index=False)[["amount", "cases"]].sum()
    columns = [(sums[unit] == name).to_numpy(float) for name in names]
    for name in beside:
        values = sums.groupby(name)["cases"].sum().sort_values(ascending=False, kind="stable").index
        columns += [(sums[name] == value).to_numpy(float) for value in values[1:]]
    design = np.column_stack(columns)
    amount, offset = sums["amount"].to_numpy(float), np.log(sums["cases"].to_numpy(float))
    if amount.sum() <= 0:
        return None
    beta = np.zeros(design.shape[1])
    beta[: len(names)] = np.log(amount.sum()) - np.log(sums["cases"].sum())
    ridge = 1e-8 * np.eye(design.shape[1])  # only so that every step can be solved
    for _ in range(60):
        mean = np.exp(np.clip(design @ beta + offset, -40, 40))
        step = np.linalg.solve(
            design.T @ (design * mean[:, None]) + ridge * amount.sum(), design.T @ (amount - mean)
        )
        beta = beta + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            return np.asarray(beta[: len(names)], dtype=np.float64)
    return None
