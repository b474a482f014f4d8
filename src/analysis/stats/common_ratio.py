"""One ratio of two rates over many strata: like is compared with like, and the strata are read together.

Source: Breslow and Day (1987), *Statistical Methods in Cancer Research II*, sections 3.6 and 4.3 (conditional inference on a rate ratio); Agresti (2013), *Categorical
Data Analysis*, 3rd ed., section 7.3, for the exact distribution of a sum over strata.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.stats import binom, norm

from analysis.errors import FitError, ParameterError
from analysis.stats.arguments import confidence_level, in_words
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
_MOST_EXACT = 400  # events, above which the sum over strata is taken to be normal
_REACH = 30.0  # of the logarithm of a ratio: beyond it the limit is zero or infinite


@dataclass(frozen=True, kw_only=True, eq=False)
class CommonRatio(Summarised):
    """The ratio of two rates, the same in every stratum.

    Attributes
    ----------
    value, low, high : the conditional estimate with its interval; 0 or infinite where one side has no events.
    events, expected : events of the group, and those it would have at a ratio of one.
    p_value : two-sided, of a ratio of one; below 1 - level exactly where the interval leaves out one.
    level, method : coverage of the interval, and how it was made.

    Examples
    --------
    >>> from analysis import stats
    >>> round(stats.stratified_rate_ratio([5, 5], [10, 100], [5, 5], [10, 100]).value, 6)
    1.0
    """

    value: float
    low: float
    high: float
    events: int
    expected: float
    p_value: float
    level: float
    method: str


@in_words(together="events exposure base_events base_exposure")
def stratified_rate_ratio(
    events: ArrayLike,
    exposure: ArrayLike,
    base_events: ArrayLike,
    base_exposure: ArrayLike,
    *,
    level: float = 0.95,
) -> CommonRatio:
    """Ratio of two rates within strata, by the distribution of the group's events given the events of each stratum.

    Parameters
    ----------
    events, base_events : (strata,) whole numbers
        Events of the group and of all others.
    exposure, base_exposure : (strata,) numbers from zero on, in one unit
        Time at risk. A stratum where one side has none says nothing and is left out.
    level : float, share 0 to 1
        Coverage of the interval.

    Returns
    -------
    CommonRatio

    Raises
    ------
    FitError
        For strata without any events where both sides were at risk.
    ParameterError
        For counts that are not whole and exposures below zero.

    Notes
    -----
    Given the events of a stratum, those of the group are binomial; their sum over strata is convolved up to 400 events (exact, Clopper and Pearson's
    limits) and normal with the same mean and variance above (score limits).

    Source
    ------
    Breslow and Day (1987), *Statistical Methods in Cancer Research II*, IARC, sections 3.6 and 4.3.

    Examples
    --------
    In both strata the group has twice the rate of the others; their sizes are what differs:

    >>> from analysis import stats
    >>> found = stats.stratified_rate_ratio([20, 4], [100, 200], [10, 8], [100, 800])
    >>> round(found.value, 2), found.events, round(found.expected, 1)
    (2.0, 24, 17.4)
    """
    hits, time, others, base = _checked(events, exposure, base_events, base_exposure)
    confidence_level(level)
    totals, observed = hits + others, float(hits.sum())
    sums = _Sums(totals=totals, odds=np.log(time / base))
    tail = (1 - level) / 2
    exact = totals.sum() <= _MOST_EXACT
    above, below = (sums.above, sums.below) if exact else (sums.score_above, sums.score_below)
    p_value = min(1.0, 2 * min(above(observed, 0.0), below(observed, 0.0)))
    return CommonRatio(
        value=_solved(lambda log: sums.mean(log) - observed, observed, totals.sum()),
        low=0.0 if not observed else _root(lambda log: above(observed, log) - tail),
        high=np.inf if observed == totals.sum() else _root(lambda log: tail - below(observed, log)),
        events=int(observed),
        expected=sums.mean(0.0),
        p_value=p_value,
        level=level,
        method="exact conditional over strata" if exact else "conditional score over strata",
    )


@dataclass(frozen=True, kw_only=True)
class _Sums:
    """The group's events over all strata, given the events (``totals``) of each; ``odds`` are logarithms of time at risk over that of the others."""

    totals: Floats
    odds: Floats

    def _chance(self, log: float) -> Floats:
        """Of one event to be the group's, at a ratio of ``exp(log)``."""
        chance: Floats = 1 / (1 + np.exp(-(self.odds + log)))
        return chance

    def mean(self, log: float) -> float:
        return float((self.totals * self._chance(log)).sum())

    def _normal(self, observed: float, log: float) -> float:
        chance = self._chance(log)
        spread = float(np.sqrt((self.totals * chance * (1 - chance)).sum()))
        return (observed - self.mean(log)) / max(spread, 1e-12)

    def score_above(self, observed: float, log: float) -> float:
        return float(norm.sf(self._normal(observed, log)))

    def score_below(self, observed: float, log: float) -> float:
        return float(norm.cdf(self._normal(observed, log)))

    def _distribution(self, log: float) -> Floats:
        sums = np.ones(1)
        for total, chance in zip(self.totals, self._chance(log), strict=True):
            sums = np.convolve(sums, binom.pmf(np.arange(int(total) + 1), int(total), chance))
        return sums

    def above(self, observed: float, log: float) -> float:
        return float(self._distribution(log)[int(observed) :].sum())

    def below(self, observed: float, log: float) -> float:
        return float(self._distribution(log)[: int(observed) + 1].sum())


def _checked(*given: ArrayLike) -> tuple[Floats, Floats, Floats, Floats]:
    """The strata that say something: where there were events, and both sides at risk."""
    hits, time, others, base = (np.atleast_1d(np.asarray(each, dtype=float)) for each in given)
    if len({each.shape for each in (hits, time, others, base)}) > 1 or hits.ndim != 1:
        raise ParameterError("stratified_rate_ratio: events and exposures should be lists of one length.")
    for counts in (hits, others):
        if not np.isfinite(counts).all() or (counts < 0).any() or (counts != np.round(counts)).any():
            raise ParameterError("stratified_rate_ratio: events should be whole numbers from 0 on.")
    for times in (time, base):
        if not np.isfinite(times).all() or (times < 0).any():
            raise ParameterError("stratified_rate_ratio: exposure should not lie below zero.")
    told = (hits + others > 0) & (time > 0) & (base > 0)
    if not told.any():
        raise FitError("stratified_rate_ratio: no events where both sides were at risk.")
    return hits[told], time[told], others[told], base[told]


def _solved(excess: Callable[[float], float], observed: float, total: float) -> float:
    """The ratio at which as many are expected as were seen."""
    if not observed:
        return 0.0
    return np.inf if observed == total else _root(excess)


def _root(rising: Callable[[float], float]) -> float:
    """The ratio at which a function that rises with its logarithm is zero."""
    return float(np.exp(cast(float, brentq(rising, -_REACH, _REACH, xtol=1e-7))))
