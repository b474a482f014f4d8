"""Customers after service beside customers of the same stratum without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.metrics.lineage import traced
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True, eq=False)
class Matched(Summarised):
    """Served customers against controls of the same strata, weighted by the served.

    served, bought : served customers with a match, and those of them with the outcome
    controls, rate : customers they are compared with, and their rate of the outcome so weighted
    difference, error : of the two rates, and its standard error
    rate_error : standard error of the controls' rate
    unmatched : served customers without a match, left out
    cells : one row per stratum with ``customers``, ``bought``, ``customers_control``, ``bought_control``
    """

    served: int
    bought: int
    controls: int
    rate: float
    difference: float
    error: float
    rate_error: float
    unmatched: int
    cells: pd.DataFrame


@traced
def matched(
    served: pd.DataFrame,
    controls: pd.DataFrame,
    *,
    stratum: Sequence[str],
    repeats: int = 1,
    served_repeats: int = 1,
) -> Matched:
    """Served customers against controls of the same stratum, strata weighted by the served.

    Parameters
    ----------
    served, controls : counts by stratum: the columns of ``stratum``, ``customers`` and ``bought`` (the customers with the outcome).
    repeats, served_repeats : how often one control, or one served customer, may be counted with overlapping windows (a window of twelve months at quarterly landmarks: four times).

    Returns
    -------
    Without a match no rate (nan) and no error. A control may stand in for several landmarks, so its part of the error is enlarged ``repeats``
    times, at most by the number of landmarks.
    """
    import numpy as np

    names = list(stratum)
    one = served.groupby(names, as_index=False)[["customers", "bought"]].sum()
    other = controls.groupby(names, as_index=False)[["customers", "bought"]].sum()
    both = one.merge(other, on=names, suffixes=("", "_control"), how="left", validate="one_to_one")
    found = both[both["customers_control"] > 0]
    n, bought = float(found["customers"].sum()), float(found["bought"].sum())
    base, difference, rate_error, error = float("nan"), float("nan"), 0.0, 0.0
    if n:
        weight, controls_n = found["customers"] / n, found["customers_control"]
        base = float((weight * (found["bought_control"] / controls_n)).sum())
        # within a stratum by its smoothed rate, so that an empty or full cell does not claim certainty
        smooth = (found["bought_control"] + base) / (controls_n + 1)
        own = (found["bought"] + smooth) / (found["customers"] + 1)
        again = min(controls["landmark"].nunique(), repeats) if "landmark" in names else 1
        rate_error = float(np.sqrt((weight**2 * smooth * (1 - smooth) / controls_n).sum() * again))
        own_error = float(np.sqrt((weight**2 * own * (1 - own) / found["customers"]).sum() * served_repeats))
        difference, error = bought / n - base, float(np.hypot(rate_error, own_error))
    return Matched(
        served=int(n),
        bought=int(bought),
        controls=int(found["customers_control"].sum()),
        rate=base,
        difference=difference,
        error=error,
        rate_error=rate_error,
        unmatched=int(both["customers"].sum()) - int(n),
        cells=found.reset_index(drop=True),
    )
