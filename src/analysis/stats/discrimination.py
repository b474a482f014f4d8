"""How well a score tells cases apart, when one customer may be several of them.

scikit-learn has the area under the curve; no library of the environment has its interval, and none at all for rows that come in clusters.

Sources: DeLong, DeLong and Clarke-Pearson (1988), *Biometrics* 44, 837-845 (independent rows); Obuchowski (1997), "Nonparametric analysis of clustered ROC
curve data", *Biometrics* 53, 567-578.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import norm, rankdata

from analysis.errors import FitError
from analysis.stats.arguments import confidence_level, in_words
from analysis.stats.intervals import Interval


@in_words(rows="scores outcomes", labels="clusters")
def area_under_curve(
    scores: ArrayLike, outcomes: ArrayLike, clusters: ArrayLike | None = None, *, level: float = 0.95
) -> Interval:
    """Chance that a row with the outcome has a higher score than one without, ties counting half.

    Parameters
    ----------
    scores : (rows,) numbers, any unit
    outcomes : (rows,) 0 or 1
    clusters : (rows,) labels, optional
        Rows of one customer or machine, which are not independent; without, every row is.
    level : float, share 0 to 1
        Coverage of the limits.

    Returns
    -------
    Interval
        Kept within zero and one.

    Raises
    ------
    FitError
        Where a score is missing, an outcome is neither 0 nor 1, or fewer than two rows (or clusters) have the outcome, or lack it.
    ParameterError
        For an impossible level.

    Source
    ------
    Obuchowski (1997), *Biometrics* 53, 567-578; with one row per cluster it is DeLong, DeLong and Clarke-Pearson (1988).

    Examples
    --------
    Of the four pairs of one with and one without, three are in the right order.

    >>> from analysis import stats
    >>> float(stats.area_under_curve([0.9, 0.4, 0.6, 0.1], [1, 1, 0, 0]).value)
    0.75
    """
    level = confidence_level(level)
    score, had = np.asarray(scores, dtype=float), np.asarray(outcomes, dtype=float)
    if not np.isfinite(score).all() or not np.isin(had, (0, 1)).all():
        raise FitError("area_under_curve: scores are finite numbers and outcomes 0 or 1, none missing.")
    own = np.arange(len(score)) if clusters is None else pd.factorize(np.asarray(clusters))[0]
    positive = had == 1
    if min(len(np.unique(own[positive])), len(np.unique(own[~positive]))) < 2:
        raise FitError(
            "area_under_curve: at least two rows (or clusters) with the outcome and two without are needed."
        )
    area, variance = _area(score, positive, own)
    reach = float(norm.ppf(0.5 + level / 2)) * float(np.sqrt(max(variance, 0.0)))
    limits = (np.asarray(max(0.0, area - reach)), np.asarray(min(1.0, area + reach)))
    alone = len(np.unique(own)) == len(own)
    method = "DeLong" if alone else "Obuchowski, by cluster"
    return Interval(value=np.asarray(area), low=limits[0], high=limits[1], level=level, method=method)


def _area(score: np.ndarray, positive: np.ndarray, own: np.ndarray) -> tuple[float, float]:
    """The area and its variance from the placement of each row among those of the other outcome."""
    m, n = int(positive.sum()), int((~positive).sum())
    everywhere = rankdata(score)
    among = np.empty(len(score))
    among[positive], among[~positive] = rankdata(score[positive]), rankdata(score[~positive])
    placement = np.where(positive, (everywhere - among) / n, 1 - (everywhere - among) / m)
    area = float(placement[positive].mean())
    apart = placement - area
    size = own.max() + 1
    of_positive = np.bincount(own, np.where(positive, apart, 0.0), size)
    of_negative = np.bincount(own, np.where(positive, 0.0, apart), size)
    with_positive, with_negative = len(np.unique(own[positive])), len(np.unique(own[~positive]))
    variance = (
        with_positive / (with_positive - 1) * (of_positive @ of_positive) / m**2
        + with_negative / (with_negative - 1) * (of_negative @ of_negative) / n**2
        + 2 * size / (size - 1) * (of_positive @ of_negative) / (m * n)
    )
    return area, float(variance)
