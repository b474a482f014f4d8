"""Intervals for counts, rates and shares that hold at small numbers.

A count of zero is an observation: it gets an upper bound, never "0 %". Every function takes arrays
or scalars and returns an `Interval` of the broadcast shape.

Shares and single rates are statsmodels' (`proportion_confint`, `confint_poisson`), with the edges that it leaves open: no
trials, no exposure, a share of exactly 0 or 1. Our own are the ratio of two rates, for which the library has no
interval that is exact given the total, and its p-value, which must agree with that interval and take weighted counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc

from analysis.errors import ParameterError, suggestion
from analysis.stats.arguments import confidence_level, in_words
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
ProportionMethod = Literal["wilson", "jeffreys", "clopper_pearson"]

# The library's name of each method, and ours for a reader.
_METHODS: dict[str, tuple[str, str]] = {
    "wilson": ("wilson", "Wilson score"),
    "jeffreys": ("jeffreys", "Jeffreys"),
    "clopper_pearson": ("beta", "exact (Clopper-Pearson)"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Interval(Summarised):
    """An estimate with its bounds, each a float or an array of one shape.

    `level` is the coverage of each interval, not of all of them together. `method` names the
    construction, so that a fact can state it.
    """

    value: Any
    low: Any
    high: Any
    level: float
    method: str

    def __iter__(self) -> Any:
        """Unpacks as ``low, high``."""
        return iter((self.low, self.high))

    def scaled(self, factor: float) -> Interval:
        """The same interval in another unit, e.g. per 1,000: `factor` must be positive."""
        if not factor > 0:
            raise ParameterError(f"an interval can be scaled by a positive factor only; got {factor}.")
        return Interval(
            value=self.value * factor,
            low=self.low * factor,
            high=self.high * factor,
            level=self.level,
            method=self.method,
        )


@in_words(together="events exposure", scalars="level")
def poisson_interval(events: ArrayLike, exposure: ArrayLike = 1.0, *, level: float = 0.95) -> Interval:
    """Events per unit of exposure, with the exact (central) interval of Garwood.

    Parameters
    ----------
    events : counts, whole or weighted, zero allowed
    exposure : what the events are divided by, in the unit the rate shall have (unit-months, or an
        expected number: then the result is a ratio of observed to expected)

    Notes
    -----
    Assumes events are Poisson given the exposure. With no exposure nothing is known: the value is NaN
    and the bounds are 0 and infinity. Source: Garwood (1936), Biometrika 28, 437-442.
    """
    count, base = np.broadcast_arrays(_counts(events, "events"), _counts(exposure, "exposure"))
    if np.any((base == 0) & (count > 0)):
        raise ParameterError(
            f"{int(np.sum((base == 0) & (count > 0)))} rates have events but no exposure; a rate needs both."
        )
    from statsmodels.stats.rates import confint_poisson

    with np.errstate(divide="ignore", invalid="ignore"):
        bounds = confint_poisson(
            np.atleast_1d(count), np.atleast_1d(base), method="exact-c", alpha=_alpha(level)
        )
        low, high = (np.reshape(bound, count.shape) for bound in bounds)
        value = count / base
    low, high = np.where(base == 0, 0.0, low), np.where(base == 0, np.inf, high)
    return _interval(value, low, high, level=level, method="exact Poisson (Garwood)")


@in_words(together="events exposure base_events base_exposure", scalars="level")
def rate_ratio_interval(
    events: ArrayLike,
    exposure: ArrayLike,
    base_events: ArrayLike,
    base_exposure: ArrayLike,
    *,
    level: float = 0.95,
) -> Interval:
    """Ratio of two Poisson rates, with the exact interval conditional on the total count.

    Notes
    -----
    Given the total, the first count is binomial; its Clopper-Pearson bounds turn into bounds of the
    ratio. The two groups must be disjoint. With zero base events the upper bound is infinite; with
    zero events on both sides the ratio is NaN and the bounds are 0 and infinity.
    Source: Przyborowski and Wilenski (1940), Biometrika 31, 313-323; R's ``poisson.test``.
    """
    first, first_base, second, second_base = np.broadcast_arrays(
        _counts(events, "events"),
        _positive(exposure, "exposure"),
        _counts(base_events, "base events"),
        _positive(base_exposure, "base exposure"),
    )
    share = _share_bounds(first, first + second, "clopper_pearson", level)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_exposure = second_base / first_base
        value = first / second * per_exposure
        low = share[0] / (1 - share[0]) * per_exposure
        high = np.where(share[1] < 1, share[1] / (1 - share[1]) * per_exposure, np.inf)
    return _interval(value, low, high, level=level, method="exact conditional (two Poisson rates)")


@in_words(together="events exposure base_events base_exposure")
def rate_ratio_p_value(
    events: ArrayLike, exposure: ArrayLike, base_events: ArrayLike, base_exposure: ArrayLike
) -> Any:
    """Two-sided p-value that two Poisson rates are equal: twice the smaller exact tail, at most one.

    It agrees with `rate_ratio_interval`: the p-value is below 1 - level exactly when the interval
    leaves out one. (R's ``poisson.test`` adds up the less likely outcomes instead, and can be smaller.)
    """
    first, first_base, second, second_base = np.broadcast_arrays(
        _counts(events, "events"),
        _positive(exposure, "exposure"),
        _counts(base_events, "base events"),
        _positive(base_exposure, "base exposure"),
    )
    share = first_base / (first_base + second_base)
    # binomial tails given the total, as incomplete beta functions: weighted counts are allowed
    below = 1 - betainc(first + 1, np.maximum(second, 1e-300), share)
    below = np.where(second > 0, below, 1.0)
    above = np.where(first > 0, betainc(np.maximum(first, 1e-300), second + 1, share), 1.0)
    p_value = np.minimum(1.0, 2 * np.minimum(below, above))
    return float(p_value) if p_value.ndim == 0 else p_value


@in_words(together="successes trials", scalars="level")
def proportion_interval(
    successes: ArrayLike, trials: ArrayLike, *, method: ProportionMethod, level: float = 0.95
) -> Interval:
    """A share of independent trials, with an interval that stays within 0 and 1.

    Parameters
    ----------
    method : ``"wilson"`` (score; covers about as promised on average: for showing),
        ``"jeffreys"`` (equal-tailed Bayes, bound 0 or 1 at the edge),
        ``"clopper_pearson"`` (never covers less than promised: for deciding)

    Notes
    -----
    With no trials the value is NaN and the bounds are 0 and 1. Sources: Wilson (1927), JASA 22, 209-212;
    Clopper and Pearson (1934), Biometrika 26, 404-413; Brown, Cai and DasGupta (2001), Stat. Sci. 16, 101-133.
    """
    hit, n = np.broadcast_arrays(_counts(successes, "successes"), _counts(trials, "trials"))
    if np.any(hit > n):
        worst = int(np.argmax(hit - n))
        raise ParameterError(
            f"{int(np.sum(hit > n))} shares have more successes than trials, "
            f"e.g. {hit.flat[worst]:g} of {n.flat[worst]:g}."
        )
    if method not in _METHODS:
        raise ParameterError(
            f"unknown proportion interval {method!r}; known: {', '.join(_METHODS)}."
            + suggestion(str(method), _METHODS)
        )
    low, high = _share_bounds(hit, n, method, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = hit / n
    return _interval(value, low, high, level=level, method=_METHODS[method][1])


@in_words(together="successes trials base_successes base_trials", scalars="level")
def proportion_difference_interval(
    successes: ArrayLike,
    trials: ArrayLike,
    base_successes: ArrayLike,
    base_trials: ArrayLike,
    *,
    level: float = 0.95,
) -> Interval:
    """First share minus second share of two independent samples, in the unit of a share (0-1).

    Source: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10 (hybrid of two Wilson intervals).
    """
    first = proportion_interval(successes, trials, method="wilson", level=level)
    second = proportion_interval(base_successes, base_trials, method="wilson", level=level)
    difference = first.value - second.value
    low = difference - np.hypot(first.value - first.low, second.high - second.value)
    high = difference + np.hypot(first.high - first.value, second.value - second.low)
    return _interval(difference, low, high, level=level, method="Newcombe hybrid score")


def _share_bounds(hit: Floats, n: Floats, method: ProportionMethod, level: float) -> tuple[Floats, Floats]:
    """The library's bounds, 0 and 1 where nothing was tried and, against rounding, where all or none hit."""
    from statsmodels.stats.proportion import proportion_confint

    trials = np.atleast_1d(np.where(n > 0, n, 1.0))
    bounds = proportion_confint(np.atleast_1d(hit), trials, alpha=_alpha(level), method=_METHODS[method][0])
    low, high = (np.reshape(bound, hit.shape) for bound in bounds)
    return np.where(hit == 0, 0.0, low), np.where(hit == n, 1.0, high)


def _interval(value: Floats, low: Floats, high: Floats, *, level: float, method: str) -> Interval:
    """Scalars in, scalars out."""
    parts = [np.asarray(part, dtype=float) for part in (value, low, high)]
    shown: list[Any] = [part.item() if part.ndim == 0 else part for part in parts]
    return Interval(value=shown[0], low=shown[1], high=shown[2], level=level, method=method)


def _alpha(level: float) -> float:
    return 1 - confidence_level(level)


def _counts(values: ArrayLike, name: str) -> Floats:
    numbers = np.asarray(values, dtype=float)
    wrong = ~(numbers >= 0) | np.isinf(numbers)
    if np.any(wrong):
        raise ParameterError(
            f"{name}: {int(wrong.sum())} of {numbers.size} values are negative, missing or infinite, "
            f"e.g. {numbers[wrong].flat[0] if numbers.ndim else float(numbers)}."
        )
    return numbers


def _positive(values: ArrayLike, name: str) -> Floats:
    numbers = _counts(values, name)
    if np.any(numbers == 0):
        raise ParameterError(
            f"{name}: {int((numbers == 0).sum())} of {numbers.size} values are zero; a rate needs exposure."
        )
    return numbers
