"""Intervals for counts, rates and shares that hold at small numbers.

A count of zero is an observation: it gets an upper bound, never "0 %". Every function takes arrays
or scalars and returns an `Interval` of the broadcast shape.

Shares and single rates are statsmodels' (`proportion_confint`, `confint_poisson`), with the edges that it leaves open: no
trials, no exposure, a share of exactly 0 or 1. Our own are the ratio of two rates, for which the library has no
interval that is exact given the total, and its p-value, which must agree with that interval and take weighted counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, expit
from scipy.stats import t as student

from analysis.errors import ParameterError, suggestion
from analysis.stats.arguments import confidence_level, in_words
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
ProportionMethod = Literal["wilson", "jeffreys", "clopper_pearson", "agresti_coull", "wald"]

# The library's name of each method, and ours for a reader.
_METHODS: dict[str, tuple[str, str]] = {
    "wilson": ("wilson", "Wilson score"),
    "jeffreys": ("jeffreys", "Jeffreys"),
    "clopper_pearson": ("beta", "exact (Clopper-Pearson)"),
    "agresti_coull": ("agresti_coull", "Agresti-Coull"),
    "wald": ("normal", "Wald"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Interval(Summarised):
    """An estimate with its bounds, each a number or an array of one shape. Unpacks as ``low, high``.

    Attributes
    ----------
    value, low, high : number, or array of one shape; in the unit of the estimate
        The estimate and its bounds.
    level : float, share 0 to 1
        Coverage of each interval, not of all of them together.
    method : str
        The construction in words, so that a fact can state it.

    Examples
    --------
    >>> from analysis import stats
    >>> rate = stats.poisson_interval(4, 200.0).scaled(1000)  # per 1,000 unit-months
    >>> low, high = rate
    >>> print(f"{rate.value:g} ({low:.2f} to {high:.2f}), {rate.method}")
    20 (5.45 to 51.21), exact Poisson (Garwood)
    """

    value: Any
    low: Any
    high: Any
    level: float
    method: str

    def __iter__(self) -> Any:
        """Unpacks as ``low, high``."""
        return iter((self.low, self.high))

    @in_words()
    def scaled(self, factor: float) -> Interval:
        """The same interval in another unit.

        Parameters
        ----------
        factor : float, new unit per old unit, above zero
            1,000 turns events per unit-month into events per 1,000 unit-months.

        Returns
        -------
        Interval

        Raises
        ------
        ParameterError
            For a factor that is not positive.
        """
        if not factor > 0:
            raise ParameterError(f"an interval can be scaled by a positive factor only; got {factor}.")
        return Interval(
            value=self.value * factor,
            low=self.low * factor,
            high=self.high * factor,
            level=self.level,
            method=self.method,
        )


@in_words(together="events exposure")
def poisson_interval(events: ArrayLike, exposure: ArrayLike = 1.0, *, level: float = 0.95) -> Interval:
    """Events per unit of exposure, with the exact (central) interval of Garwood.

    Parameters
    ----------
    events : (n,) numbers, or one
        Counts, whole or weighted; zero is an observation.
    exposure : (n,) numbers, or one; in the unit the rate shall have
        Unit-months, say; or an expected number: then the result is observed ÷ expected.
    level : float, share 0 to 1
        Coverage of each interval.

    Returns
    -------
    Interval
        Of the broadcast shape, in events per unit of `exposure`. With no exposure nothing is known: the value is NaN, the bounds are 0 and infinity.

    Raises
    ------
    ParameterError
        For a count or an exposure that is negative, missing or infinite, and for events without exposure.

    Notes
    -----
    Assumes events are Poisson given the exposure.

    Source
    ------
    Garwood (1936), *Biometrika* 28, 437-442.

    Examples
    --------
    No failure in 100 unit-months is no proof of none: the upper bound is -ln(0.025) ÷ 100.

    >>> from analysis import stats
    >>> none = stats.poisson_interval(0, 100)
    >>> none.value, none.low, round(none.high, 4)
    (0.0, 0.0, 0.0369)
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


@in_words(rows="above below")
def ratio_interval(
    above: ArrayLike, below: ArrayLike, *, level: float = 0.95, correlation: float = 0.0
) -> Interval:
    """Ratio of two sums over periods or units, with Student's t limits.

    Parameters
    ----------
    above, below : (parts,) numbers, each in its own unit
        The parts of the two sums, two or more of them, in order of time where they hang together.
    level : float, share 0 to 1
        Coverage of the interval.
    correlation : float, correlation 0 to below 1
        What neighbours' departures from the ratio are taken to hang together at least; the larger of it and of what they show widens the limits as a
        first-order process would.

    Returns
    -------
    Interval
        In the unit of `above` per unit of `below`.

    Raises
    ------
    ParameterError
        For fewer than two parts, numbers that are missing or not paired, or a sum below that is not positive.

    Source
    ------
    Cochran (1977), *Sampling Techniques*, 3rd ed., section 6.3, without the finite population correction.

    Examples
    --------
    >>> from analysis import stats
    >>> ratio = stats.ratio_interval([10, 20, 31], [1, 2, 3])
    >>> round(ratio.value, 4), ratio.low < 10.1667 < ratio.high  # 61 ÷ 6
    (10.1667, True)
    """
    top, base = np.asarray(above, dtype=float), np.asarray(below, dtype=float)
    if top.ndim != 1 or top.shape != base.shape or not np.isfinite([top, base]).all():
        raise ParameterError("ratio_interval: give one finite number above and one below for each part.")
    count, whole = len(top), float(base.sum())
    if count < 2 or not whole > 0:
        raise ParameterError(
            f"ratio_interval: {count} parts that sum to {whole:g} below; needs two and a positive sum."
        )
    ratio = float(top.sum()) / whole
    rest = top - ratio * base
    squares = float(rest @ rest)
    seen = float(rest[1:] @ rest[:-1]) / squares if correlation > 0 and squares > 0 else 0.0
    together = min(max(seen, correlation), 0.9)
    error = np.sqrt(count / (count - 1) * squares * (1 + together) / (1 - together)) / whole
    reach = float(student.ppf(0.5 + level / 2, count - 1) * error)
    return Interval(
        value=ratio, low=ratio - reach, high=ratio + reach, level=level, method="ratio of sums, t"
    )


@in_words(together="events exposure base_events base_exposure")
def rate_ratio_interval(
    events: ArrayLike,
    exposure: ArrayLike,
    base_events: ArrayLike,
    base_exposure: ArrayLike,
    *,
    level: float = 0.95,
) -> Interval:
    """Ratio of two Poisson rates, with the exact interval conditional on the total count.

    Parameters
    ----------
    events, base_events : (n,) numbers, or one
        Counts of the two groups, which must be disjoint; whole or weighted.
    exposure, base_exposure : (n,) numbers, or one; both in one unit
        What the counts are divided by, above zero.
    level : float, share 0 to 1
        Coverage of each interval.

    Returns
    -------
    Interval
        First rate ÷ base rate. Without base events the upper bound is infinite; without any events the ratio is NaN, the bounds are 0 and infinity.

    Raises
    ------
    ParameterError
        For negative, missing or infinite counts, and an exposure that is not above zero.

    Notes
    -----
    Given the total, the first count is binomial; its Clopper-Pearson bounds turn into bounds of the ratio.

    Source
    ------
    Przyborowski and Wilenski (1940), *Biometrika* 31, 313-323; R's ``poisson.test``.

    Examples
    --------
    >>> from analysis import stats
    >>> ratio = stats.rate_ratio_interval(20, 100, 10, 100)
    >>> ratio.value, round(ratio.low, 2), round(ratio.high, 2)
    (2.0, 0.89, 4.78)
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

    It agrees with `rate_ratio_interval`: the p-value is below 1 - level exactly when the interval leaves out one. (R's ``poisson.test`` adds up the
    less likely outcomes instead, and can be smaller.)

    Parameters
    ----------
    events, base_events : (n,) numbers, or one
        Counts of two disjoint groups; whole or weighted.
    exposure, base_exposure : (n,) numbers, or one; both in one unit
        What the counts are divided by, above zero.

    Returns
    -------
    float or array
        0 to 1, of the broadcast shape.

    Raises
    ------
    ParameterError
        For negative, missing or infinite counts, and an exposure that is not above zero.

    Source
    ------
    Przyborowski and Wilenski (1940), *Biometrika* 31, 313-323 (the conditional test).

    Examples
    --------
    Five events against none, with equal exposure: two tails of one half to the power of five.

    >>> from analysis import stats
    >>> stats.rate_ratio_p_value(5, 1.0, 0, 1.0)
    0.0625
    """
    first, first_base, second, second_base = np.broadcast_arrays(
        _counts(events, "events"),
        _positive(exposure, "exposure"),
        _counts(base_events, "base events"),
        _positive(base_exposure, "base exposure"),
    )
    share = first_base / (first_base + second_base)
    # binomial tails given the total, as incomplete beta functions: weighted counts are allowed
    # (the lower tail by its own function: one minus the upper is 0 where fewer than sixteen digits are left)
    below = np.where(second > 0, betainc(np.maximum(second, 1e-300), first + 1, 1 - share), 1.0)
    above = np.where(first > 0, betainc(np.maximum(first, 1e-300), second + 1, share), 1.0)
    p_value = np.minimum(1.0, 2 * np.minimum(below, above))
    return float(p_value) if p_value.ndim == 0 else p_value


@in_words(together="successes trials")
def proportion_interval(
    successes: ArrayLike, trials: ArrayLike, *, method: ProportionMethod, level: float = 0.95
) -> Interval:
    """A share of independent trials, with an interval that stays within 0 and 1.

    Parameters
    ----------
    successes, trials : (n,) numbers, or one
        Counts; no more successes than trials.
    method : str
        ``wilson`` (score; covers about as promised on average: for showing), ``jeffreys`` (equal-tailed Bayes, bound 0 or 1 at the edge),
        ``clopper_pearson`` (never covers less than promised: for deciding), ``agresti_coull`` (Wilson's centre, a simple width), ``wald`` (the
        textbook's; too narrow near 0 and 1: to reproduce what others state).
    level : float, share 0 to 1
        Coverage of each interval.

    Returns
    -------
    Interval
        A share, 0 to 1. With no trials the value is NaN and the bounds are 0 and 1.

    Raises
    ------
    ParameterError
        For impossible counts, more successes than trials, or an unknown method.

    Source
    ------
    Wilson (1927), *JASA* 22, 209-212; Clopper and Pearson (1934), *Biometrika* 26, 404-413; Brown, Cai and DasGupta (2001), *Stat. Sci.* 16,
    101-133; Agresti and Coull (1998), *The American Statistician* 52, 119-126.

    Examples
    --------
    >>> from analysis import stats
    >>> share = stats.proportion_interval(8, 10, method="wilson")
    >>> share.value, round(share.low, 3), round(share.high, 3)
    (0.8, 0.49, 0.943)
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


@in_words(together="successes trials base_successes base_trials")
def proportion_difference_interval(
    successes: ArrayLike,
    trials: ArrayLike,
    base_successes: ArrayLike,
    base_trials: ArrayLike,
    *,
    level: float = 0.95,
) -> Interval:
    """First share minus second share of two independent samples.

    Parameters
    ----------
    successes, trials : (n,) numbers, or one
        Counts of the first sample.
    base_successes, base_trials : (n,) numbers, or one
        Counts of the second.
    level : float, share 0 to 1
        Coverage of each interval.

    Returns
    -------
    Interval
        The difference in the unit of a share, -1 to 1 (times 100: percentage points).

    Raises
    ------
    ParameterError
        For impossible counts or more successes than trials.

    Source
    ------
    Newcombe (1998), *Statistics in Medicine* 17, 873-890, method 10 (hybrid of two Wilson intervals).

    Examples
    --------
    >>> from analysis import stats
    >>> gap = stats.proportion_difference_interval(56, 70, 48, 80)
    >>> round(gap.value, 2), round(gap.low, 4), round(gap.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    first = proportion_interval(successes, trials, method="wilson", level=level)
    second = proportion_interval(base_successes, base_trials, method="wilson", level=level)
    difference = first.value - second.value
    low = difference - np.hypot(first.value - first.low, second.high - second.value)
    high = difference + np.hypot(first.high - first.value, second.value - second.low)
    return _interval(difference, low, high, level=level, method="Newcombe hybrid score")


@in_words(labels="clusters", rows="successes weights")
def clustered_proportion_interval(
    successes: ArrayLike, clusters: ArrayLike, *, weights: ArrayLike | None = None, level: float = 0.95
) -> Interval:
    """A share of rows that hang together in clusters (calls of a customer, machines of a site).

    Parameters
    ----------
    successes : (rows,) numbers 0 to 1
        0 or 1, or a share.
    clusters : (rows,) labels
        The row's cluster.
    weights : (rows,) numbers above zero, optional
        Answers a row stands for, or sampling weights; one without.
    level : float, share 0 to 1
        Coverage of the interval.

    Returns
    -------
    Interval
        A share, 0 to 1.

    Raises
    ------
    ParameterError
        For columns of different lengths, successes outside 0 to 1, weights that are not positive, or a single cluster.

    Notes
    -----
    The share is a ratio of two sums over clusters; its variance that of the ratio estimator, its interval Student's with one degree less than there
    are clusters on the logit scale, so that it stays within 0 and 1. Where all or none succeed the clusters are the trials of a Wilson interval.

    Source
    ------
    Cochran (1977), *Sampling Techniques*, 3rd ed., section 3.12; Korn and Graubard (1999), *Analysis of Health Surveys*, section 2.3.

    Examples
    --------
    Six answers of three customers who each said the same twice are three answers, not six.

    >>> from analysis import stats
    >>> share = stats.clustered_proportion_interval([1, 1, 1, 1, 1, 1], ["a", "a", "b", "b", "c", "c"])
    >>> share.low == stats.proportion_interval(3, 3, method="wilson").low
    True
    """
    hit = np.asarray(successes, dtype=float)
    weight = np.ones(len(hit)) if weights is None else np.asarray(weights, dtype=float)
    if not len(hit) or len(np.asarray(clusters)) != len(hit) or len(weight) != len(hit):
        raise ParameterError(
            f"share by cluster: {len(hit)} rows, {len(np.asarray(clusters))} clusters, {len(weight)} weights; give one each per row."
        )
    if not (np.all((hit >= 0) & (hit <= 1)) and np.all(weight > 0)):
        raise ParameterError(
            "share by cluster: successes lie between 0 and 1 and weights above 0; some do not."
        )
    place = np.unique(np.asarray(clusters), return_inverse=True)[1]
    count = int(place.max()) + 1
    value = float(weight @ hit / weight.sum())
    if count < 2:
        raise ParameterError("share by cluster: there is one cluster; its share has no known error.")
    if value in (0.0, 1.0):
        edge = proportion_interval(value * count, count, method="wilson", level=level)
        return Interval(value=value, low=edge.low, high=edge.high, level=level, method="Wilson over clusters")
    error = _ratio_error(weight * (hit - value), place, count) / float(weight.sum())
    reach = float(student.ppf(0.5 + level / 2, count - 1)) * error / (value * (1 - value))
    logit = np.log(value / (1 - value))
    return Interval(
        value=value,
        low=float(expit(logit - reach)),
        high=float(expit(logit + reach)),
        level=level,
        method="clusters, Student on the logit",
    )


def _ratio_error(residuals: Floats, place: NDArray[np.int64], count: int) -> float:
    summed = np.bincount(place, residuals, minlength=count)
    return float(np.sqrt(count / (count - 1) * np.sum(summed**2)))


@in_words(labels="clusters", rows="scores")
def net_promoter_interval(
    scores: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95
) -> Interval:
    """Net promoter score: the share of 9 and 10 less the share of 0 to 6, with an interval.

    Parameters
    ----------
    scores : (rows,) whole numbers 0 to 10
        One answer each.
    clusters : (rows,) labels, optional
        Who answered, where one may answer several times.
    level : float, share 0 to 1
        Coverage of the interval.

    Returns
    -------
    Interval
        In points, -100 to 100.

    Raises
    ------
    ParameterError
        For answers that are no whole number from 0 to 10, fewer than two of them, or a single cluster.

    Notes
    -----
    A difference of two shares of the same answers: variance (p + d - (p - d)²) / n, here from the sums by cluster, with Student's quantile. Where all
    answers are of one kind, the far side is that of a Wilson interval of the share of that kind. The adjustment of Agresti and Min (2005) is not made.

    Source
    ------
    Own derivation from the variance of a difference of two shares of one sample; tested on a case worked by hand and by simulated coverage.

    Examples
    --------
    Six promoters and two detractors among ten answers are 40 points.

    >>> from analysis import stats
    >>> score = stats.net_promoter_interval([10, 10, 10, 9, 9, 9, 8, 7, 3, 0])
    >>> score.value, round(score.low, 1), round(score.high, 1)
    (40.0, -20.3, 100.0)
    """
    answer = np.asarray(scores, dtype=float)
    wrong = ~np.isin(answer, np.arange(11.0))
    if wrong.any() or len(answer) < 2:
        raise ParameterError(
            f"net promoter: {int(wrong.sum())} of {len(answer)} answers are no whole number from 0 to 10; at least two are needed."
        )
    kind = (answer >= 9).astype(float) - (answer <= 6)
    place = (
        np.arange(len(answer))
        if clusters is None
        else np.unique(np.asarray(clusters), return_inverse=True)[1]
    )
    count, value = int(place.max()) + 1, float(kind.mean())
    if count < 2:
        raise ParameterError("net promoter: there is one cluster; its score has no known error.")
    if len(np.unique(kind)) == 1:
        low, _ = proportion_interval(count, count, method="wilson", level=level)
        ends = {1.0: (2 * low - 1, 1.0), 0.0: (low - 1, 1 - low), -1.0: (-1.0, 1 - 2 * low)}[value]
        return Interval(value=value, low=ends[0], high=ends[1], level=level, method="Wilson").scaled(100.0)
    error = _ratio_error(kind - value, place, count) / len(answer)
    reach = float(student.ppf(0.5 + level / 2, count - 1)) * error
    return Interval(
        value=value,
        low=max(value - reach, -1.0),
        high=min(value + reach, 1.0),
        level=level,
        method="difference of shares, Student over clusters",
    ).scaled(100.0)


@in_words(rows="values", labels="strata")
def post_stratified_mean(
    values: ArrayLike, strata: ArrayLike, *, population: Mapping[Any, float], level: float = 0.95
) -> Interval:
    """Mean of a population whose strata answered unequally: the strata's means weighted by their known sizes.

    Parameters
    ----------
    values : (rows,) numbers, in any unit
        0 or 1 for a share.
    strata : (rows,) labels
        The row's stratum.
    population : mapping of label to number
        Size of every stratum in the population; a stratum that nobody answered from must be merged into another, by name.
    level : float, share 0 to 1
        Coverage of the interval.

    Returns
    -------
    Interval
        In the unit of `values`.

    Raises
    ------
    ParameterError
        For missing values, a stratum without a size, a stratum with fewer than two answers, or values that vary in no stratum.

    Notes
    -----
    Variance conditional on how many answered in each stratum: sum of W² s² / n. Degrees of freedom by Satterthwaite. No correction for a finite
    population.

    Source
    ------
    Holt and Smith (1979), *JRSS A* 142, 33-46; Cochran (1977), *Sampling Techniques*, 3rd ed., section 5A.9.

    Examples
    --------
    The North is three quarters of the customers: 0.75 x 4 + 0.25 x 2.

    >>> from analysis import stats
    >>> mean = stats.post_stratified_mean(
    ...     [3, 5, 4, 1, 3], ["North", "North", "North", "South", "South"], population={"North": 300, "South": 100}
    ... )
    >>> mean.value
    3.5
    """
    value, label = np.asarray(values, dtype=float), np.asarray(strata)
    if not np.isfinite(value).all():
        raise ParameterError(f"post-stratification: {int((~np.isfinite(value)).sum())} values are missing.")
    unknown = [one for one in np.unique(label) if one not in population]
    if unknown:
        raise ParameterError(f"post-stratification: stratum '{unknown[0]}' has no size in the population.")
    sizes = {one: float(size) for one, size in population.items()}
    if any(not 0 <= size < np.inf for size in sizes.values()) or not sum(sizes.values()) > 0:
        raise ParameterError("post-stratification: sizes of strata are zero or more, and not all zero.")
    whole, mean, parts, freedoms = sum(sizes.values()), 0.0, [], []
    for one, size in sizes.items():
        if size == 0:
            continue
        rows = value[label == one]
        if len(rows) < 2:
            raise ParameterError(
                f"post-stratification: stratum '{one}' has {len(rows)} answers; merge it with another, two are needed."
            )
        mean += size / whole * float(rows.mean())
        parts.append((size / whole) ** 2 * float(rows.var(ddof=1)) / len(rows))
        freedoms.append(len(rows) - 1)
    variance = float(sum(parts))
    if variance == 0:
        raise ParameterError(
            "post-stratification: no stratum varies, so nothing says how far the mean may be off."
        )
    freedom = variance**2 / sum(part**2 / free for part, free in zip(parts, freedoms, strict=True))
    reach = float(student.ppf(0.5 + level / 2, freedom)) * float(np.sqrt(variance))
    return Interval(
        value=mean, low=mean - reach, high=mean + reach, level=level, method="post-stratified, Satterthwaite"
    )


def _share_bounds(hit: Floats, n: Floats, method: ProportionMethod, level: float) -> tuple[Floats, Floats]:
    """The library's bounds, 0 and 1 where nothing was tried and, against rounding, where all or none hit."""
    from statsmodels.stats.proportion import proportion_confint

    trials = np.atleast_1d(np.where(n > 0, n, 1.0))
    bounds = proportion_confint(np.atleast_1d(hit), trials, alpha=_alpha(level), method=_METHODS[method][0])
    low, high = (np.clip(np.reshape(bound, hit.shape), 0.0, 1.0) for bound in bounds)
    low, high = np.where(hit == 0, 0.0, low), np.where(hit == n, 1.0, high)
    return np.where(n == 0, 0.0, low), np.where(n == 0, 1.0, high)


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
