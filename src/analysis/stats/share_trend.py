"""Whether a share moves from one period to the next: the trend test of Cochran and Armitage, within strata and no surer than the parts of a period agree.

Source: Armitage (1955), *Biometrics* 11, 375-386; Mantel (1963), *JASA* 58, 690-700, for strata; McCullagh and Nelder (1989), *Generalized Linear Models*, 2nd ed.,
section 4.5, for dispersion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm
from scipy.stats import t as student

from analysis.errors import FitError, ParameterError
from analysis.stats.arguments import in_words
from analysis.summaries import Summarised

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ShareTrend(Summarised):
    """The trend of a share over scores.

    Attributes
    ----------
    statistic : standard deviations by which successes lie later (above zero) or earlier than a share that stays.
    p_value : two-sided, of a share that stays.
    dispersion : variance of the cells of one score over that of independent trials; 1 where it is no larger.
    freedom : degrees of freedom of the dispersion; 0 where no score has two cells.

    Examples
    --------
    >>> from analysis import stats
    >>> round(stats.share_trend([1, 5, 9], [10, 10, 10], [0, 1, 2]).statistic, 2)
    3.52
    """

    statistic: float
    p_value: float
    dispersion: float
    freedom: int


@in_words(rows="successes trials scores", labels="strata")
def share_trend(
    successes: ArrayLike,
    trials: ArrayLike,
    scores: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    dispersion: float | None = None,
) -> ShareTrend:
    """Trend of a share over scores.

    Parameters
    ----------
    successes, trials : (cells,) whole numbers
        Counts of each cell, such as a month; a cell without trials says nothing.
    scores : (cells,) numbers
        What the share may move with, such as the year of a month: cells of one score should agree but for chance.
    strata : (cells,) labels, optional
        Successes are held against the share of their own stratum.
    dispersion : float from 1 on, optional
        Of cells that were judged before; by default from the cells of one score.

    Returns
    -------
    ShareTrend

    Raises
    ------
    FitError
        Where no stratum has successes, failures and two scores.
    ParameterError
        For counts that are not whole, or more successes than trials.

    Notes
    -----
    Given its successes, a stratum's sum of scores over them has the mean and the variance of a sample without replacement; both are summed over strata. Where cells of one
    score differ more than chance lets them (customers come in clumps, by season, with a campaign) the variance is taken as many times as large, and the
    distribution is Student's.

    Source
    ------
    Armitage (1955), *Biometrics* 11, 375-386; Mantel (1963), *JASA* 58, 690-700; McCullagh and Nelder (1989), *Generalized Linear Models*, section 4.5.

    Examples
    --------
    >>> from analysis import stats
    >>> found = stats.share_trend([10, 10, 20, 20], [100, 100, 100, 100], [0, 0, 1, 1])
    >>> round(found.statistic, 2), found.dispersion, found.freedom
    (2.8, 1.0, 2)
    """
    hits, of, at, groups = _checked(successes, trials, scores, strata)
    moved, variance = 0.0, 0.0
    for group in np.unique(groups):
        inside = groups == group
        more, spread = _beyond_the_same(hits[inside], of[inside], at[inside])
        moved, variance = moved + more, variance + spread
    if variance <= 0:
        raise FitError("share_trend: every share is none or all, or there is only one score.")
    times, freedom = _dispersion(hits, of, at, groups) if dispersion is None else (max(dispersion, 1.0), 0)
    statistic = float(moved / np.sqrt(variance * times))
    tail = student.sf(abs(statistic), freedom) if times > 1 and freedom else norm.sf(abs(statistic))
    return ShareTrend(
        statistic=statistic, p_value=min(1.0, 2 * float(tail)), dispersion=times, freedom=freedom
    )


def _beyond_the_same(hits: Floats, of: Floats, at: Floats) -> tuple[float, float]:
    """The sum of scores over successes beyond that of a share that stays, and its variance."""
    total, share = of.sum(), hits.sum() / of.sum()
    if total < 2:
        return 0.0, 0.0
    middle = (of * at).sum() / total
    spread = (of * (at - middle) ** 2).sum() * share * (1 - share) * total / (total - 1)
    return float((hits * (at - middle)).sum()), float(spread)


def _dispersion(hits: Floats, of: Floats, at: Floats, groups: NDArray[np.int64]) -> tuple[float, int]:
    """Pearson's statistic over its degrees of freedom, of cells within their score and stratum."""
    squares, freedom = 0.0, 0
    for group, score in set(zip(groups.tolist(), at.tolist(), strict=True)):
        inside = (groups == group) & (at == score)
        expected = of[inside] * hits[inside].sum() / of[inside].sum()
        free = expected * (1 - expected / of[inside])
        if (free > 0).all():
            squares += float(((hits[inside] - expected) ** 2 / free).sum())
            freedom += int(inside.sum()) - 1
    return (max(1.0, squares / freedom) if freedom else 1.0), freedom


def _checked(
    successes: ArrayLike, trials: ArrayLike, scores: ArrayLike, strata: ArrayLike | None
) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """The cells that have trials."""
    hits, of, at = (np.atleast_1d(np.asarray(each, dtype=float)) for each in (successes, trials, scores))
    labels = np.zeros(hits.shape) if strata is None else np.atleast_1d(np.asarray(strata))
    if len({each.shape for each in (hits, of, at, labels)}) > 1 or hits.ndim != 1:
        raise ParameterError(
            "share_trend: successes, trials, scores and strata should be lists of one length."
        )
    for counts in (hits, of):
        if not np.isfinite(counts).all() or (counts < 0).any() or (counts != np.round(counts)).any():
            raise ParameterError("share_trend: successes and trials should be whole numbers from 0 on.")
    if (hits > of).any() or not np.isfinite(at).all():
        raise ParameterError("share_trend: no more successes than trials, and scores that are finite.")
    _, groups = np.unique(labels, return_inverse=True)
    told = of > 0
    return hits[told], of[told], at[told], groups[told]
