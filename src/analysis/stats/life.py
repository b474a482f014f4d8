"""Life distributions from censored, truncated and weighted ages: Weibull, lognormal, exponential and mixtures.

All fits are maximum likelihood on sufficient statistics (see `life_likelihood`); intervals are those of the
likelihood ratio, which stay honest with few failures. A fit that has not converged raises `FitError`.

Our own, not a library's: scipy's `fit` takes censored units one by one, without weights or late entry; here a row stands
for many units that may enter late or be seen only if they failed early, and ten million units are fitted from their
distinct ages hundreds of times faster (`make bench`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.special import gamma as gamma_function
from scipy.stats import beta, chi2, norm

from analysis.errors import FitError, ParameterError, suggestion
from analysis.stats.arguments import confidence_level, in_words
from analysis.stats.intervals import Interval
from analysis.stats.life_likelihood import (
    EXPONENTIAL,
    FAMILIES,
    LOGNORMAL,
    WEIBULL,
    Family,
    Maximum,
    Terms,
    as_column,
    check_rows,
    log_likelihood,
    maximise,
    profile,
    read_terms,
    row_bounds,
)
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
NOT_FITTED = "none: parameters stated, not fitted"
_ROUNDED_AWAY = -25.0  # standardised log age below which the difference of two shares has lost its digits


@dataclass(frozen=True, kw_only=True, eq=False)
class LifeFit(Summarised):
    """A fitted life distribution of one population.

    Attributes
    ----------
    family : ``weibull``, ``exponential`` or ``lognormal``.
    location, spread : of the log age (for Weibull log scale and 1 / shape).
    log_likelihood : of the ages themselves (densities per unit of age), comparable between families.
    failures, units : weighted counts behind the fit.
    covariance : of (location, log spread).
    iterations, parameters : of the search; how many were estimated.
    fitted : False at stated parameters (`WeibullFit.from_parameters` and its like): likelihood, counts and every limit of an interval are then NaN.

    Examples
    --------
    >>> from analysis import stats
    >>> fit = stats.fit_exponential([2.0, 4.0, 6.0], [1, 1, 0])
    >>> fit.survival([0.0, 6.0]).round(4).tolist()  # two failures in 12 units of age: exp(-6/6) at 6
    [1.0, 0.3679]
    """

    family: str
    location: float
    spread: float
    log_likelihood: float
    failures: float
    units: float
    covariance: Floats
    iterations: int
    parameters: int
    terms: Terms | None = field(repr=False)

    @property
    def fitted(self) -> bool:
        """Whether the parameters were estimated, not stated."""
        return self.terms is not None

    @property
    def aic(self) -> float:
        """Akaike's criterion of the fit; smaller is better."""
        return 2 * self.parameters - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz criterion with the failures as sample size (Volinsky and Raftery 2000, Biometrics 56, 256-262)."""
        return _bic(self.parameters, self.failures, self.log_likelihood)

    @in_words(rows="age")
    def survival(self, age: ArrayLike) -> Floats:
        """Share still alive at each age.

        Parameters
        ----------
        age : (n,) numbers, or one; in the unit of the fitted ages
            Zero or more.

        Returns
        -------
        array of the shape of `age`
            0 to 1.

        Raises
        ------
        ParameterError
            For a negative or missing age.
        """
        return np.asarray(np.exp(self._family.survival(self._standardised(age))[0]))

    @in_words(rows="age")
    def cumulative_hazard(self, age: ArrayLike) -> Floats:
        """Minus the logarithm of the share still alive at each age.

        Parameters
        ----------
        age : (n,) numbers, or one; in the unit of the fitted ages
            Zero or more.

        Returns
        -------
        array of the shape of `age`

        Raises
        ------
        ParameterError
            For a negative or missing age.
        """
        return np.asarray(-self._family.survival(self._standardised(age))[0])

    @in_words(rows="age")
    def hazard(self, age: ArrayLike) -> Floats:
        """Failures per survivor and unit of age.

        Parameters
        ----------
        age : (n,) numbers, or one; in the unit of the fitted ages
            Above zero.

        Returns
        -------
        array of the shape of `age`

        Raises
        ------
        ParameterError
            For a negative or missing age.
        """
        z = self._standardised(age)
        density = np.exp(self._family.density(z)[0] - self._family.survival(z)[0])
        return np.asarray(density / (self.spread * np.asarray(age, dtype=float)))

    @in_words(together="age later")
    def conditional_failure_share(self, age: ArrayLike, later: ArrayLike) -> Floats:
        """Share of the units alive at `age` that fail before `later`.

        Parameters
        ----------
        age, later : (n,) numbers, or one; in the unit of the fitted ages
            `later` not before `age`.

        Returns
        -------
        array of the broadcast shape
            0 to 1.

        Raises
        ------
        ParameterError
            Where `later` lies before `age`.
        """
        if np.any(np.asarray(later, dtype=float) < np.asarray(age, dtype=float)):
            raise ParameterError("conditional_failure_share: 'later' lies before 'age'; time runs forward.")
        more = self.cumulative_hazard(later) - self.cumulative_hazard(age)
        return np.asarray(-np.expm1(-more))

    @in_words()
    def b_life(self, share: float, *, level: float = 0.95) -> Interval:
        """Age by which `share` of the units have failed (0.1: B10), with its likelihood-ratio interval.

        Parameters
        ----------
        share : float, share 0 to 1
            0.1 for B10.
        level : float, share 0 to 1
            Coverage of the interval.

        Returns
        -------
        Interval
            In the unit of the fitted ages. Where the likelihood levels off there is no bound: 0 or infinity, and `method` says so.

        Raises
        ------
        ParameterError
            For a share or level that does not lie between 0 and 1.
        """
        if not 0 < share < 1:
            raise ParameterError(f"b_life takes a share between 0 and 1, e.g. 0.1 for B10; got {share}.")
        slope = self._family.quantile(share)
        log_age = self.location + slope * self.spread
        deviation = float(np.sqrt(self._variance(np.array([1.0, slope * self.spread]))))
        low, high = self._likelihood_bounds(
            lambda value: self._profile(fixed=value, slope=slope), log_age, deviation, level
        )
        return _interval(np.exp([log_age, low, high]), level)

    @in_words()
    def failure_share(self, age: float, *, level: float = 0.95) -> Interval:
        """Share failed by `age`, with its likelihood-ratio interval.

        Parameters
        ----------
        age : float, in the unit of the fitted ages
            Above zero.
        level : float, share 0 to 1
            Coverage of the interval.

        Returns
        -------
        Interval
            A share; no bound is 0 or 1, and `method` says so.

        Raises
        ------
        ParameterError
            For an age that is not above zero, or a level outside 0 to 1.
        """
        if not 0 < age < np.inf:
            raise ParameterError(f"failure_share takes an age above zero; got {age}.")
        fixed = float(np.log(age))
        z = (fixed - self.location) / self.spread
        deviation = float(np.sqrt(self._variance(np.array([-1.0 / self.spread, -z]))))
        low, high = self._likelihood_bounds(
            lambda value: self._profile(fixed=fixed, slope=value), z, deviation, level
        )
        shares = -np.expm1(self._family.survival(np.clip([z, low, high], -300.0, 300.0))[0])
        shares = np.where(np.isinf([z, low, high]), [np.nan, 0.0, 1.0], shares)
        return _interval(shares, level, least=0.0, most=1.0)

    @in_words()
    def spread_interval(self, *, level: float = 0.95) -> Interval:
        """Spread of the log age, with its likelihood-ratio interval.

        Parameters
        ----------
        level : float, share 0 to 1
            Coverage of the interval.

        Returns
        -------
        Interval

        Raises
        ------
        ParameterError
            For the exponential distribution, whose spread is fixed, or a level outside 0 to 1.
        """
        if self._family.fixed_spread is not None:
            raise ParameterError(f"the {self.family} distribution has no shape to estimate.")
        log_spread = float(np.log(self.spread))
        low, high = self._likelihood_bounds(
            self._profile_spread, log_spread, float(np.sqrt(self.covariance[1, 1])), level
        )
        return _interval(np.exp([log_spread, low, high]), level)

    @property
    def _family(self) -> Family:
        return FAMILIES[self.family]

    def _standardised(self, age: ArrayLike) -> Floats:
        with np.errstate(divide="ignore"):
            standardised: Floats = (np.log(_ages(age)) - self.location) / self.spread
            return np.clip(standardised, -300.0, 300.0)

    def _variance(self, direction: Floats) -> float:
        return float(direction @ self.covariance @ direction)

    def _known_terms(self) -> Terms:
        assert self.terms is not None, "stated parameters have no likelihood to profile"
        return self.terms

    def _profile(self, *, fixed: float, slope: float) -> float:
        terms = self._known_terms()
        return profile(terms, self._family, fixed=fixed, slope=slope, start=float(np.log(self.spread)))[0]

    def _profile_spread(self, log_spread: float) -> float:
        """Largest log-likelihood with the spread held."""
        location, terms = self.location, self._known_terms()
        value, gradient, hessian = log_likelihood(terms, self._family, location, log_spread)
        for _ in range(100):
            step = float(np.clip(gradient[0] / max(abs(hessian[0, 0]), 1e-8), -1.0, 1.0))
            if abs(step * gradient[0]) < 1e-10:
                return value
            while abs(step) > 1e-12:
                there = log_likelihood(terms, self._family, location + step, log_spread)
                if np.isfinite(there[0]) and there[0] >= value:
                    break
                step /= 2
            else:
                break
            location += step
            value, gradient, hessian = there

        def lost(at: float) -> float:
            with np.errstate(all="ignore"):
                there = log_likelihood(terms, self._family, at, log_spread)[0]
            return -there if np.isfinite(there) else 1e300

        # a wide spread moves the best location by many of the old spreads, over ground that is not concave
        found = minimize_scalar(
            lost, bracket=(location, location + float(np.exp(log_spread))), options={"maxiter": 200}
        )
        latest = max(float(ages.max()) for ages in (terms.density[0], terms.between[0]) if len(ages))
        if (latest - float(found.x)) / float(np.exp(log_spread)) < _ROUNDED_AWAY:
            return np.inf  # every failure lies where shares are rounding: the likelihood is not known here
        return max(value, -float(found.fun))

    def _likelihood_bounds(
        self, best_at: Callable[[float], float], estimate: float, deviation: float, level: float
    ) -> tuple[float, float]:
        """Where twice the drop of the profile reaches the chi-square quantile; infinite where it never does.

        The drop may level off below it: early failures alone do not tell how long the rest lives. A step outward that no longer adds a
        hundredth of what is allowed ends the search, for far out the likelihood is rounding. Stated parameters have no bounds: NaN.
        """
        confidence_level(level)
        if not self.fitted:
            return float("nan"), float("nan")
        allowed = float(chi2.ppf(level, 1))

        def excess(value: float) -> float:
            drop = 2 * (self.log_likelihood - best_at(value))
            # a likelihood of zero rejects; one above the maximum is rounding far out, where nothing is known any more
            return (1e6 if drop == np.inf else drop) - allowed

        bounds = []
        for side in (-1.0, 1.0):
            near, reach, before = estimate, deviation * float(np.sqrt(allowed)), -allowed
            for _ in range(12):
                far = near + side * reach
                found = excess(far)
                if found > 0:
                    bounds.append(float(brentq(excess, near, far, xtol=1e-9, rtol=1e-10)))
                    break
                if not found - before >= 0.01 * allowed:
                    bounds.append(side * np.inf)
                    break
                near, reach, before = far, 1.7 * reach, found
            else:
                bounds.append(side * np.inf)
        return bounds[0], bounds[1]


@dataclass(frozen=True, kw_only=True, eq=False)
class WeibullFit(LifeFit):
    """Survival to age t is exp(-(t / scale) ** shape).

    Attributes
    ----------
    shape, scale, mean : below 1 early failures, above 1 wear-out; age by which 63 % have failed; mean age at failure.
    family, location, spread, log_likelihood, failures, units, covariance, iterations, parameters, fitted : as in `LifeFit`.

    Examples
    --------
    >>> from analysis import stats
    >>> fit = stats.fit_weibull([5, 8, 9, 12, 14, 20, 20, 20], [1, 1, 1, 1, 1, 0, 0, 0])
    >>> round(float(fit.survival(fit.scale)), 4)  # exp(-1)
    0.3679
    >>> fit.hazard_direction()  # five failures do not tell early failures from wear-out
    'unclear'
    """

    @classmethod
    @in_words()
    def from_parameters(cls, *, shape: float, scale: float) -> WeibullFit:
        """The distribution at stated parameters, such as published ones: it predicts, and has no intervals or likelihood.

        Parameters
        ----------
        shape : float, pure number
            Below 1 early failures, above 1 wear-out.
        scale : float, in the unit of the ages
            Age by which 63.2 % have failed.

        Returns
        -------
        WeibullFit
            Limits of its intervals are NaN, and their `method` says why.

        Raises
        ------
        ParameterError
            For a parameter that is not above zero.

        Source
        ------
        NIST/SEMATECH e-Handbook of Statistical Methods (2012), section 8.1.6.2.

        Examples
        --------
        The handbook's distribution function of shape 1.5 and scale 5,000 is 0.08556 at 1,000 hours.

        >>> from analysis import stats
        >>> life = stats.WeibullFit.from_parameters(shape=1.5, scale=5000.0)
        >>> round(life.failure_share(1000.0).value, 5), life.failure_share(1000.0).method
        (0.08556, 'none: parameters stated, not fitted')
        """
        return cls(**_stated(WEIBULL, "scale", scale, 1 / _above_zero("shape", shape)))

    @property
    def shape(self) -> float:
        """Below 1 the failure rate falls with age, above 1 it rises."""
        return 1 / self.spread

    @property
    def scale(self) -> float:
        """Age by which 63.2 % have failed, whatever the shape."""
        return float(np.exp(self.location))

    @property
    def mean(self) -> float:
        """Mean age at failure."""
        return self.scale * float(gamma_function(1 + self.spread))

    def shape_interval(self, *, level: float = 0.95) -> Interval:
        """Shape, with its likelihood-ratio interval.

        Parameters
        ----------
        level : float, share 0 to 1
            Coverage of the interval.

        Returns
        -------
        Interval
        """
        spread = self.spread_interval(level=level)
        return _interval(np.array([1 / spread.value, 1 / spread.high, 1 / spread.low]), level)

    def scale_interval(self, *, level: float = 0.95) -> Interval:
        """Scale, with its likelihood-ratio interval.

        Parameters
        ----------
        level : float, share 0 to 1
            Coverage of the interval.

        Returns
        -------
        Interval
            In the unit of the fitted ages.
        """
        return self.b_life(-float(np.expm1(-1.0)), level=level)

    def hazard_direction(self, *, level: float = 0.95) -> Literal["falling", "rising", "unclear"]:
        """The bathtub reading: early failures, wear-out, or an interval of the shape that holds one. A stated shape is read as it stands.

        Parameters
        ----------
        level : float, share 0 to 1
            Coverage of the interval of the shape.

        Returns
        -------
        str
            ``falling``, ``rising`` or ``unclear``.
        """
        interval = self.shape_interval(level=level)
        low, high = interval if self.fitted else (self.shape, self.shape)
        if high < 1:
            return "falling"
        return "rising" if low > 1 else "unclear"


@dataclass(frozen=True, kw_only=True, eq=False)
class ExponentialFit(LifeFit):
    """A constant failure rate.

    Attributes
    ----------
    scale, rate : mean age at failure; failures per unit of age, one over it.
    family, location, spread, log_likelihood, failures, units, covariance, iterations, parameters : as in `LifeFit`.

    Examples
    --------
    >>> from analysis import stats
    >>> fit = stats.fit_exponential([2.0, 4.0, 6.0], [1, 1, 0])
    >>> round(fit.scale, 6), round(fit.rate, 6)  # 12 units of age, 2 failures
    (6.0, 0.166667)
    """

    @classmethod
    @in_words()
    def from_parameters(cls, *, scale: float) -> ExponentialFit:
        """The distribution at stated parameters, such as published ones: it predicts, and has no intervals or likelihood.

        Parameters
        ----------
        scale : float, in the unit of the ages
            Mean age at failure.

        Returns
        -------
        ExponentialFit
            Limits of its intervals are NaN, and their `method` says why.

        Raises
        ------
        ParameterError
            For a parameter that is not above zero.

        Source
        ------
        NIST/SEMATECH e-Handbook of Statistical Methods (2012), section 8.1.6.1.

        Examples
        --------
        >>> from analysis import stats
        >>> stats.ExponentialFit.from_parameters(scale=500.0).rate
        0.002
        """
        return cls(**_stated(EXPONENTIAL, "scale", scale, 1.0))

    @property
    def scale(self) -> float:
        """Mean age at failure."""
        return float(np.exp(self.location))

    @property
    def rate(self) -> float:
        """Failures per unit of age."""
        return 1 / self.scale


@dataclass(frozen=True, kw_only=True, eq=False)
class LognormalFit(LifeFit):
    """The log age is normal with mean `location` and standard deviation `spread`.

    Attributes
    ----------
    median : age by which half have failed.
    family, location, spread, log_likelihood, failures, units, covariance, iterations, parameters : as in `LifeFit`.

    Examples
    --------
    >>> from analysis import stats
    >>> fit = stats.fit_lognormal([1.0, 10.0, 100.0])
    >>> round(fit.median, 6)  # the geometric mean
    10.0
    """

    @classmethod
    @in_words()
    def from_parameters(cls, *, median: float, spread: float) -> LognormalFit:
        """The distribution at stated parameters, such as published ones: it predicts, and has no intervals or likelihood.

        Parameters
        ----------
        median : float, in the unit of the ages
            Age by which half have failed.
        spread : float, pure number
            Standard deviation of the log age.

        Returns
        -------
        LognormalFit
            Limits of its intervals are NaN, and their `method` says why.

        Raises
        ------
        ParameterError
            For a parameter that is not above zero.

        Source
        ------
        NIST/SEMATECH e-Handbook of Statistical Methods (2012), section 8.1.6.4.

        Examples
        --------
        The handbook's distribution function of median 20,000 and spread 0.5 is 0.00278 at 5,000 hours.

        >>> from analysis import stats
        >>> life = stats.LognormalFit.from_parameters(median=20000.0, spread=0.5)
        >>> round(1 - float(life.survival(5000.0)), 5)
        0.00278
        """
        return cls(**_stated(LOGNORMAL, "median", median, _above_zero("spread", spread)))

    @property
    def median(self) -> float:
        """Age by which half have failed."""
        return float(np.exp(self.location))


@in_words(rows="durations events entry weights lower upper seen_below")
def fit_weibull(
    durations: ArrayLike | None,
    events: ArrayLike | None = None,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    seen_below: ArrayLike | None = None,
) -> WeibullFit:
    """Two-parameter Weibull by maximum likelihood.

    Parameters
    ----------
    durations : (rows,) numbers above zero, in any unit of age; or None
        Age at failure or at the end of observation, one per row (a unit or a group of equal units).
    events : (rows,) 1 or 0, optional
        1 failed exactly at the duration, 0 alive then; without it every row failed.
    entry : (rows,) numbers, in the unit of the durations; optional
        Age from which the unit was under observation (left truncation).
    weights : (rows,) numbers, optional
        Units a row stands for.
    lower, upper : (rows,) numbers, in the unit of the durations; optional
        Where either is given, the row's failure is only known to lie above `lower` and at or below `upper`, and its duration is ignored: no lower (or
        0) is left censoring, an infinite or missing upper is right censoring, both is an inspection interval. With ``durations=None`` every row is
        read this way.
    seen_below : (rows,) numbers, in the unit of the durations; optional
        Age above which a failure could not have been seen (right truncation: only failures that were early enough are in the data).

    Returns
    -------
    WeibullFit

    Raises
    ------
    FitError
        For impossible rows, and where failures are too few or too much alike for a maximum.
    ParameterError
        For what is no number.

    Notes
    -----
    Assumes units independent and censoring unrelated to the risk of failing. Newton on sufficient statistics: rows of equal age are added up first.

    Source
    ------
    Meeker and Escobar (1998), *Statistical Methods for Reliability Data*, ch. 8 and 11.

    Examples
    --------
    At the maximum, the failures equal the sum of (age / scale) ** shape over all units.

    >>> import numpy as np
    >>> from analysis import stats
    >>> ages, failed = np.array([5, 8, 9, 12, 14, 20, 20, 20]), [1, 1, 1, 1, 1, 0, 0, 0]
    >>> fit = stats.fit_weibull(ages, failed)
    >>> round(float(np.sum((ages / fit.scale) ** fit.shape)), 4)
    5.0
    """
    terms = read_terms(
        durations, events, entry=entry, weights=weights, lower=lower, upper=upper, seen_below=seen_below
    )
    return WeibullFit(**_fitted(terms, WEIBULL))


@in_words(rows="durations events entry weights lower upper seen_below")
def fit_exponential(
    durations: ArrayLike | None,
    events: ArrayLike | None = None,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    seen_below: ArrayLike | None = None,
) -> ExponentialFit:
    """Constant failure rate by maximum likelihood.

    Parameters
    ----------
    durations : (rows,) numbers above zero, in any unit of age; or None
        As in `fit_weibull`, like all others.
    events : (rows,) 1 or 0, optional
        Whether it failed.
    entry : (rows,) numbers, in the unit of the durations; optional
        Delayed entry.
    weights : (rows,) numbers, optional
        Units a row stands for.
    lower, upper : (rows,) numbers, in the unit of the durations; optional
        Between which the failure lies.
    seen_below : (rows,) numbers, in the unit of the durations; optional
        Right truncation.

    Returns
    -------
    ExponentialFit

    Raises
    ------
    FitError
        For impossible rows, and where there is no failure.
    ParameterError
        For what is no number.

    Source
    ------
    Meeker and Escobar (1998), *Statistical Methods for Reliability Data*, ch. 7 and 11.

    Examples
    --------
    Two failures in 2 + 4 + 6 months.

    >>> from analysis import stats
    >>> round(stats.fit_exponential([2.0, 4.0, 6.0], [1, 1, 0]).rate, 6)
    0.166667
    """
    terms = read_terms(
        durations, events, entry=entry, weights=weights, lower=lower, upper=upper, seen_below=seen_below
    )
    return ExponentialFit(**_fitted(terms, EXPONENTIAL))


@in_words(rows="durations events entry weights lower upper seen_below")
def fit_lognormal(
    durations: ArrayLike | None,
    events: ArrayLike | None = None,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    seen_below: ArrayLike | None = None,
) -> LognormalFit:
    """Lognormal life by maximum likelihood.

    Parameters
    ----------
    durations : (rows,) numbers above zero, in any unit of age; or None
        As in `fit_weibull`, like all others.
    events : (rows,) 1 or 0, optional
        Whether it failed.
    entry : (rows,) numbers, in the unit of the durations; optional
        Delayed entry.
    weights : (rows,) numbers, optional
        Units a row stands for.
    lower, upper : (rows,) numbers, in the unit of the durations; optional
        Between which the failure lies.
    seen_below : (rows,) numbers, in the unit of the durations; optional
        Right truncation.

    Returns
    -------
    LognormalFit

    Raises
    ------
    FitError
        For impossible rows, and where failures are too few or too much alike for a maximum.
    ParameterError
        For what is no number.

    Source
    ------
    Meeker and Escobar (1998), *Statistical Methods for Reliability Data*, ch. 8 and 11.

    Examples
    --------
    Without censoring it is the mean and the standard deviation of the logarithms.

    >>> from analysis import stats
    >>> fit = stats.fit_lognormal([1.0, 10.0, 100.0])
    >>> round(fit.median, 4), round(fit.spread, 4)  # 10 and ln(10) √(2/3)
    (10.0, 1.8801)
    """
    terms = read_terms(
        durations, events, entry=entry, weights=weights, lower=lower, upper=upper, seen_below=seen_below
    )
    return LognormalFit(**_fitted(terms, LOGNORMAL))


def _fitted(terms: Terms, family: Family, *, start: tuple[float, float] | None = None) -> dict[str, Any]:
    best: Maximum = maximise(terms, family, start=start)
    return {
        "family": family.name,
        "location": best.location,
        "spread": float(np.exp(best.log_spread)),
        "log_likelihood": best.log_likelihood,
        "failures": terms.failures,
        "units": terms.units,
        "covariance": best.covariance,
        "iterations": best.iterations,
        "parameters": 1 if family.fixed_spread is not None else 2,
        "terms": terms,
    }


def _above_zero(name: str, value: float) -> float:
    if not 0 < value < np.inf:
        raise ParameterError(f"life: {name} lies above zero; got {value:g}.")
    return value


def _stated(family: Family, name: str, middle: float, spread: float) -> dict[str, Any]:
    """What a distribution is made of whose parameters somebody stated; `middle` is on the scale of the ages."""
    nothing = float("nan")
    return {
        "family": family.name,
        "location": float(np.log(_above_zero(name, middle))),
        "spread": float(spread),
        "log_likelihood": nothing,
        "failures": nothing,
        "units": nothing,
        "covariance": np.full((2, 2), nothing),
        "iterations": 0,
        "parameters": 0,
        "terms": None,
    }


def _bic(parameters: int, failures: float, likelihood: float) -> float:
    return parameters * float(np.log(failures)) - 2 * likelihood


def _ages(age: ArrayLike) -> Floats:
    ages = np.asarray(age, dtype=float)
    wrong = ~((ages >= 0) & (ages < np.inf))
    if wrong.any():
        raise ParameterError(f"{int(wrong.sum())} of {ages.size} ages are negative, missing or infinite.")
    return ages


def _interval(parts: Floats, level: float, *, least: float = 0.0, most: float = np.inf) -> Interval:
    """An interval that says where it has no bound: ``low`` is then the least and ``high`` the most there can be."""
    value, low, high = (float(part) for part in parts)
    if np.isnan(low) and np.isnan(high):
        return Interval(value=value, low=low, high=high, level=level, method=NOT_FITTED)
    open_ends = {(True, False): "lower", (False, True): "upper", (True, True): "lower and upper"}
    end = open_ends.get((low <= least, high >= most))
    said = f"; no {end} bound, the likelihood levels off" if end else ""
    return Interval(value=value, low=low, high=high, level=level, method=f"likelihood ratio{said}")


# -- three parameters -----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class ThresholdWeibullFit(Summarised):
    """Weibull of the age beyond a threshold before which nothing fails.

    Attributes
    ----------
    threshold, threshold_interval : in the unit of the ages.
    after_threshold : the two-parameter fit of age minus threshold, threshold held.
    log_likelihood : grouped.
    profile : `threshold`, `log_likelihood` over the searched range.
    at_bound : the best threshold lies on the edge of the range; it is then not estimated but imposed.

    Examples
    --------
    >>> from analysis import stats
    >>> fit = stats.fit_weibull_threshold([52, 55, 57, 60, 61, 66, 70], resolution=1)
    >>> bool(fit.survival(fit.threshold) == 1), 0 <= fit.threshold < 52.5
    (True, True)
    """

    threshold: float
    threshold_interval: Interval
    after_threshold: WeibullFit
    log_likelihood: float
    profile: pd.DataFrame
    at_bound: bool
    terms: Terms | None = field(repr=False)

    @classmethod
    @in_words()
    def from_parameters(cls, *, threshold: float, shape: float, scale: float) -> ThresholdWeibullFit:
        """The distribution at stated parameters, such as published ones: it predicts, and has no intervals or likelihood.

        Parameters
        ----------
        threshold, scale : float, in the unit of the ages
            Age before which nothing fails; age beyond it by which 63.2 % have failed.
        shape : float, pure number
            Of the age beyond the threshold.

        Returns
        -------
        ThresholdWeibullFit
            Limits of its intervals are NaN, and their `method` says why.

        Raises
        ------
        ParameterError
            For a parameter that is not above zero.

        Source
        ------
        Meeker and Escobar (1998), *Statistical Methods for Reliability Data*, section 5.10.

        Examples
        --------
        >>> from analysis import stats
        >>> life = stats.ThresholdWeibullFit.from_parameters(threshold=50.0, shape=2.0, scale=10.0)
        >>> life.survival([50.0, 60.0]).round(4).tolist()  # exp(-1) ten beyond the threshold
        [1.0, 0.3679]
        """
        nothing = np.array([_above_zero("threshold", threshold), np.nan, np.nan])
        return cls(
            threshold=threshold,
            threshold_interval=_interval(nothing, 0.95),
            after_threshold=WeibullFit.from_parameters(shape=shape, scale=scale),
            log_likelihood=float("nan"),
            profile=pd.DataFrame({"threshold": [], "log_likelihood": []}, dtype=float),
            at_bound=False,
            terms=None,
        )

    @property
    def aic(self) -> float:
        """Akaike's criterion with three parameters; smaller is better."""
        return 6 - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz criterion with three parameters and the failures as sample size."""
        return _bic(3, self.after_threshold.failures, self.log_likelihood)

    @in_words()
    def b_life(self, share: float, *, level: float = 0.95, thresholds: int = 9) -> Interval:
        """Age by which `share` have failed, with its profile-likelihood interval.

        At each of a grid of thresholds the ages that the likelihood ratio (against the best threshold) does not reject are taken; their union is the
        interval.

        Parameters
        ----------
        share : float, share 0 to 1
            0.1 for B10.
        level : float, share 0 to 1
            Coverage of the interval.
        thresholds : int
            Size of the grid.

        Returns
        -------
        Interval
            In the unit of the fitted ages.

        Raises
        ------
        FitError
            Where no threshold gives an interval.
        ParameterError
            For a share or level that does not lie between 0 and 1.
        """
        value = self.threshold + self.after_threshold.b_life(share, level=level).value
        if self.terms is None:
            return _interval(np.array([value, np.nan, np.nan]), level)
        grid = np.unique(
            np.r_[
                np.linspace(self.threshold_interval.low, self.threshold_interval.high, thresholds),
                self.threshold,
            ]
        )
        lows, highs = [], []
        # the edges themselves allow one age only, which a search for a bracket does not find
        for threshold in grid[1:-1] if len(grid) > 2 else grid:
            terms = self.terms.shifted(float(threshold))
            try:
                there = WeibullFit(**_fitted(terms, WEIBULL))
            except FitError:
                continue
            found = replace(there, log_likelihood=max(self.log_likelihood, there.log_likelihood)).b_life(
                share, level=level
            )
            lows.append(threshold + found.low)
            highs.append(threshold + found.high)
        if not lows:
            raise FitError(
                "weibull with threshold: no threshold in its interval gives an interval of the life."
            )
        return Interval(
            value=value,
            low=min(value, *lows),
            high=max(value, *highs),
            level=level,
            method="profile likelihood over thresholds",
        )

    @property
    def shape(self) -> float:
        """Shape of the age beyond the threshold."""
        return self.after_threshold.shape

    @property
    def scale(self) -> float:
        """Scale of the age beyond the threshold."""
        return self.after_threshold.scale

    @in_words(rows="age")
    def survival(self, age: ArrayLike) -> Floats:
        """Share still alive at each age.

        Parameters
        ----------
        age : (n,) numbers, or one; in the unit of the fitted ages
            Zero or more.

        Returns
        -------
        array of the shape of `age`
            0 to 1.

        Raises
        ------
        ParameterError
            For a negative or missing age.
        """
        beyond = np.maximum(_ages(age) - self.threshold, 0.0)
        return self.after_threshold.survival(beyond)


@in_words(rows="durations events entry weights")
def fit_weibull_threshold(
    durations: ArrayLike,
    events: ArrayLike | None = None,
    *,
    resolution: float,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    threshold_low: float = 0.0,
    threshold_high: float | None = None,
    level: float = 0.95,
) -> ThresholdWeibullFit:
    """Three-parameter Weibull by grouped likelihood over a bounded threshold.

    Parameters
    ----------
    durations : (rows,) numbers, in any unit of age
        As in `fit_weibull`, like `events`, `entry` and `weights`.
    events : (rows,) 1 or 0, optional
        Whether it failed.
    resolution : float, in the unit of the durations
        Width within which an age is known (a day, a month); a failure at t contributes the probability of t plus or minus half of it. With densities
        instead, the likelihood has no maximum: it grows without bound as the threshold nears the first failure.
    entry : (rows,) numbers, in the unit of the durations; optional
        Delayed entry.
    weights : (rows,) numbers, optional
        Units a row stands for.
    threshold_low, threshold_high : float, in the unit of the durations
        Range searched; above it the first failure's group ends anyway.
    level : float, share 0 to 1
        Coverage of the interval of the threshold.

    Returns
    -------
    ThresholdWeibullFit

    Raises
    ------
    FitError
        Without a failure, or where no threshold in the range gives a fit.
    ParameterError
        For what is no number, a resolution that is not positive, or an empty range.

    Notes
    -----
    Profile over the threshold: a grid, then a local search; the interval is the set of thresholds that the likelihood ratio does not reject, cut at the
    range.

    Source
    ------
    Giesbrecht and Kempthorne (1976), *JRSS B* 38, 257-264; Meeker and Escobar (1998), section 11.7; Cheng and Iles (1987), *Applied Statistics* 36,
    380-386.

    Examples
    --------
    Nothing failed before 52: the threshold lies below, not at zero.

    >>> from analysis import stats
    >>> fit = stats.fit_weibull_threshold([52, 55, 57, 60, 61, 66, 70], resolution=1)
    >>> 30 < fit.threshold < 52.5
    True
    """
    if not resolution > 0:
        raise ParameterError(
            f"resolution is the width within which ages are known, above zero; got {resolution}."
        )
    row_bounds(durations, events, None, None)  # refuses events that are neither 1 nor 0
    age = np.asarray(durations, dtype=float)
    failed = np.ones(len(age), dtype=bool) if events is None else np.asarray(events) == 1
    lower = np.where(failed, np.maximum(age - resolution / 2, 0.0), age)
    upper = np.where(failed, age + resolution / 2, np.inf)
    if entry is not None:
        lower = np.maximum(lower, np.where(failed, np.asarray(entry, dtype=float), lower))
    terms = read_terms(None, None, entry=entry, weights=weights, lower=lower, upper=upper)
    if not failed.any():
        raise FitError("weibull with threshold: no failures, so no first failure to bound the threshold.")
    # a failure must be able to happen after the threshold: stay clear of the first group's end
    last = float(upper[failed].min()) - 0.05 * resolution
    high = last if threshold_high is None else min(threshold_high, last)
    if not threshold_low < high:
        raise ParameterError(
            f"the threshold must lie between {threshold_low:g} and {high:g} (first failure at {age[failed].min():g})."
        )
    return _search_threshold(terms, threshold_low, high, level)


def _search_threshold(terms: Terms, low: float, high: float, level: float) -> ThresholdWeibullFit:
    start: tuple[float, float] | None = None
    grid = np.unique(np.r_[np.linspace(low, high, 40), high - (high - low) * np.geomspace(1e-4, 0.3, 20)])
    values = np.full(len(grid), -np.inf)
    for i, threshold in enumerate(grid):
        best = _at_threshold(terms, float(threshold), start)
        if best is not None:
            values[i], start = best.log_likelihood, (best.location, best.log_spread)
    if not np.isfinite(values).any():
        raise FitError("weibull with threshold: no threshold in the range gives a fit.")
    at = int(np.argmax(values))
    left, right = grid[max(0, at - 1)], grid[min(len(grid) - 1, at + 1)]

    def negative(threshold: float) -> float:
        best = _at_threshold(terms, threshold, None)
        return 1e12 if best is None else -best.log_likelihood

    found = minimize_scalar(
        negative, bounds=(left, right), method="bounded", options={"xatol": 1e-7 * (high - low)}
    )
    threshold, top = (
        (float(found.x), -float(found.fun)) if -found.fun > values[at] else (float(grid[at]), values[at])
    )
    edge = 1e-5 * (high - low)
    curve = pd.DataFrame({"threshold": grid, "log_likelihood": values})
    return ThresholdWeibullFit(
        threshold=threshold,
        threshold_interval=_threshold_interval(curve, negative, threshold, float(top), level),
        after_threshold=WeibullFit(**_fitted(terms.shifted(threshold), WEIBULL)),
        log_likelihood=float(top),
        profile=curve,
        at_bound=threshold - low < edge or high - threshold < edge,
        terms=terms,
    )


def _at_threshold(terms: Terms, threshold: float, start: tuple[float, float] | None) -> Maximum | None:
    for guess in (start, None):
        try:
            return maximise(terms.shifted(threshold), WEIBULL, start=guess)
        except FitError:
            continue
    return None


def _threshold_interval(
    curve: pd.DataFrame, negative: Callable[[float], float], threshold: float, top: float, level: float
) -> Interval:
    floor = top - float(chi2.ppf(level, 1)) / 2
    grid, values = curve["threshold"].to_numpy(), curve["log_likelihood"].to_numpy()

    def short_of_floor(value: float) -> float:
        return -negative(value) - floor

    bounds = []
    for outward in (grid[grid < threshold][::-1], grid[grid > threshold]):
        inside = threshold
        for value in outward:
            if values[grid == value][0] < floor:
                inside = float(brentq(short_of_floor, inside, value, xtol=1e-8 * (grid[-1] - grid[0])))
                break
            inside = float(value)
        bounds.append(inside)
    return Interval(
        value=threshold,
        low=bounds[0],
        high=bounds[1],
        level=level,
        method="profile likelihood within the searched range",
    )


# -- several populations --------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class MixtureFit(Summarised):
    """A population made of several, each Weibull.

    Attributes
    ----------
    components : one row per population, by scale
        `share`, `shape`, `scale` and their `_low`, `_high` (Wald on logit and log scales).
    log_likelihood : of the ages.
    failures, units : weighted counts.
    level : coverage of the intervals in `components`.

    Examples
    --------
    >>> from analysis import stats
    >>> early, late = [1, 2, 3, 3, 4, 5, 6, 8], [90, 95, 98, 100, 101, 104, 107, 110]
    >>> fit = stats.fit_weibull_mixture(early + late)
    >>> fit.components["share"].round(2).tolist()
    [0.5, 0.5]
    """

    components: pd.DataFrame
    log_likelihood: float
    failures: float
    units: float
    level: float
    point: Floats = field(repr=False)
    covariance: Floats = field(repr=False)

    @classmethod
    @in_words(units="shares shapes scales")
    def from_parameters(cls, *, shares: ArrayLike, shapes: ArrayLike, scales: ArrayLike) -> MixtureFit:
        """The mixture at stated parameters, such as published ones: it predicts, and has no intervals or likelihood.

        Parameters
        ----------
        shares : (populations,) numbers above zero, shares of the units
            Summing to one.
        shapes : (populations,) numbers above zero, pure
            Of each population's Weibull.
        scales : (populations,) numbers above zero, in the unit of the ages
            Of each population's Weibull.

        Returns
        -------
        MixtureFit
            Limits of its intervals are NaN.

        Raises
        ------
        ParameterError
            For parameters that are not above zero, shares that do not sum to one, or columns of different lengths.

        Source
        ------
        Meeker and Escobar (1998), *Statistical Methods for Reliability Data*, section 5.12.

        Examples
        --------
        >>> import numpy as np
        >>> from analysis import stats
        >>> mixture = stats.MixtureFit.from_parameters(shares=[0.1, 0.9], shapes=[1.0, 3.0], scales=[10.0, 100.0])
        >>> bool(np.isclose(mixture.survival(10.0), 0.1 * np.exp(-1) + 0.9 * np.exp(-0.001)))
        True
        """
        part, shape, scale = (np.asarray(column, dtype=float) for column in (shares, shapes, scales))
        if not part.shape == shape.shape == scale.shape or part.ndim != 1 or len(part) < 2:
            raise ParameterError(
                "mixture: give a share, a shape and a scale of each of two populations or more."
            )
        for name, column in (("shares", part), ("shapes", shape), ("scales", scale)):
            if not ((column > 0) & (column < np.inf)).all():
                raise ParameterError(f"mixture: {name} lie above zero.")
        if not np.isclose(part.sum(), 1.0, atol=1e-6):
            raise ParameterError(f"mixture: shares sum to {part.sum():g}, not to 1.")
        point = np.r_[np.log(part[:-1] / part[-1]), np.log(scale), -np.log(shape)]
        unknown, nothing = np.full((len(point), len(point)), np.nan), float("nan")
        return cls(
            components=_mixture_table(point, unknown, len(part), 0.95),
            point=point,
            covariance=unknown,
            log_likelihood=nothing,
            failures=nothing,
            units=nothing,
            level=0.95,
        )

    @property
    def aic(self) -> float:
        """Akaike's criterion; smaller is better."""
        return 2 * (3 * len(self.components) - 1) - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz criterion with the failures as sample size."""
        return _bic(3 * len(self.components) - 1, self.failures, self.log_likelihood)

    @in_words()
    def b_life(self, share: float, *, level: float = 0.95) -> Interval:
        """Age by which `share` have failed; the interval is Wald's on the log age (delta method), looser than a likelihood ratio where few failed.

        Parameters
        ----------
        share : float, share 0 to 1
            0.1 for B10.
        level : float, share 0 to 1
            Coverage of the interval.

        Returns
        -------
        Interval
            In the unit of the fitted ages.

        Raises
        ------
        ParameterError
            For a share or level that does not lie between 0 and 1.
        """
        if not 0 < share < 1:
            raise ParameterError(f"b_life takes a share between 0 and 1, e.g. 0.1 for B10; got {share}.")
        confidence_level(level)
        value = _mixture_quantile(self.point, share)
        step = 1e-4
        slope = np.array(
            [
                (
                    _mixture_quantile(self.point + step * unit, share)
                    - _mixture_quantile(self.point - step * unit, share)
                )
                / (2 * step)
                for unit in np.eye(len(self.point))
            ]
        )
        variance = float(slope @ self.covariance @ slope)
        # a curvature that is none, where the populations are hardly told apart, leaves the interval open
        half = float(norm.ppf(0.5 + level / 2)) * (np.inf if variance < 0 else float(np.sqrt(variance)))
        low, high = np.exp([value - half, value + half])
        return Interval(
            value=float(np.exp(value)),
            low=float(low),
            high=float(high),
            level=level,
            method="Wald on the log age" if np.isfinite(half) else NOT_FITTED,
        )

    @in_words(rows="age")
    def survival(self, age: ArrayLike) -> Floats:
        """Share still alive at each age.

        Parameters
        ----------
        age : (n,) numbers, or one; in the unit of the fitted ages
            Zero or more.

        Returns
        -------
        array of the shape of `age`
            0 to 1.

        Raises
        ------
        ParameterError
            For a negative or missing age.
        """
        at = _ages(age)[..., None]
        parts = self.components
        alive = np.exp(-((at / parts["scale"].to_numpy()) ** parts["shape"].to_numpy()))
        return np.asarray(alive @ parts["share"].to_numpy())


@in_words(rows="durations events entry weights lower upper")
def fit_weibull_mixture(
    durations: ArrayLike | None,
    events: ArrayLike | None = None,
    *,
    populations: int = 2,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    level: float = 0.95,
) -> MixtureFit:
    """Mixture of Weibull populations by maximum likelihood.

    Parameters
    ----------
    durations : (rows,) numbers above zero, in any unit of age; or None
        As in `fit_weibull`, like those not named here.
    events : (rows,) 1 or 0, optional
        Whether it failed.
    populations : int
        How many.
    entry : (rows,) numbers, in the unit of the durations; optional
        Such a row contributes its probability among the units alive at entry.
    weights : (rows,) numbers, optional
        Units a row stands for.
    lower, upper : (rows,) numbers, in the unit of the durations; optional
        Between which the failure lies.
    level : float, share 0 to 1
        Coverage of the intervals of the components.

    Returns
    -------
    MixtureFit

    Raises
    ------
    FitError
        For impossible rows, and where no start leads to separate populations; components that shrink to a single age (a spike) are refused.
    ParameterError
        For what is no number.

    Notes
    -----
    Quasi-Newton from several starts that split the failures by age; the best is returned. Whether more than one population is there at all is for `aic`
    or a bootstrap: the usual likelihood-ratio test does not hold.

    Source
    ------
    Own derivation of the likelihood, gradient and starts; tested on simulated populations.

    Examples
    --------
    >>> from analysis import stats
    >>> early, late = [1, 2, 3, 3, 4, 5, 6, 8], [90, 95, 98, 100, 101, 104, 107, 110]
    >>> fit = stats.fit_weibull_mixture(early + late)
    >>> fit.components["scale"].round(0).tolist()
    [5.0, 103.0]
    """
    low, high, start, weight = _mixture_rows(durations, events, entry, weights, lower, upper)
    single = fit_weibull(None, None, entry=start, weights=weight, lower=low, upper=high)
    objective = partial(_mixture_objective, rows=(low, high, start, weight), populations=populations)
    best = None
    starts = _mixture_starts(low, high, weight, single, populations)
    if len(low) > MANY_ROWS:
        starts = _best_starts(objective, starts)
    for guess in starts:
        with np.errstate(all="ignore"):
            found = minimize(
                objective, guess, jac=True, method="BFGS", options={"gtol": 1e-5 * weight.sum() ** 0.5}
            )
        usable = np.isfinite(found.fun) and (found.x[2 * populations - 1 :] > np.log(0.01)).all()
        settled = float(np.abs(found.jac).max()) < 1e-3 * max(1.0, weight.sum() ** 0.5)
        if usable and settled and (best is None or found.fun < best.fun):
            best = found
    if best is None:
        raise FitError(
            "mixture of {populations} Weibull populations: no start converged to separate populations "
            "({failures} failures); fewer populations may fit.",
            populations=populations,
            failures=f"{single.failures:g}",
        )
    covariance = _mixture_covariance(best.x, objective)
    return MixtureFit(
        components=_mixture_table(best.x, covariance, populations, level),
        point=best.x,
        covariance=covariance,
        log_likelihood=-float(best.fun),
        failures=single.failures,
        units=single.units,
        level=level,
    )


MANY_ROWS, SCREENED_STEPS, KEPT_STARTS = 150, 10, 2


def _best_starts(objective: Callable[[Floats], tuple[float, Floats]], starts: list[Floats]) -> list[Floats]:
    """The starts that lead after a few steps each: with many rows, following every start to its end costs seconds."""
    walked = []
    for guess in starts:
        with np.errstate(all="ignore"):
            found = minimize(objective, guess, jac=True, method="BFGS", options={"maxiter": SCREENED_STEPS})
        walked.append((float(found.fun) if np.isfinite(found.fun) else np.inf, found.x))
    order = sorted(range(len(walked)), key=lambda k: walked[k][0])
    return [walked[k][1] for k in order[:KEPT_STARTS]]


def _mixture_quantile(point: Floats, share: float) -> float:
    """Log age by which `share` of a mixture have failed."""
    populations = (len(point) + 1) // 3
    logits = np.r_[point[: populations - 1], 0.0]
    parts = np.exp(logits - logits.max())
    parts /= parts.sum()
    location, spread = point[populations - 1 : 2 * populations - 1], np.exp(point[2 * populations - 1 :])

    def over(log_age: float) -> float:
        return (
            float(parts @ -np.expm1(-np.exp(np.clip((log_age - location) / spread, -300.0, 300.0)))) - share
        )

    alone = location + spread * np.log(-np.log1p(-share))
    return float(brentq(over, alone.min() - 1e-6, alone.max() + 1e-6, xtol=1e-12))


def _mixture_rows(
    durations: ArrayLike | None,
    events: ArrayLike | None,
    entry: ArrayLike | None,
    weights: ArrayLike | None,
    lower: ArrayLike | None,
    upper: ArrayLike | None,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Distinct rows: survived to, failed by, entered at, weight."""
    low, high = row_bounds(durations, events, lower, upper)
    n = len(low)
    start, weight = as_column(entry, n, 0.0, "entry"), as_column(weights, n, 1.0, "weights")
    check_rows(low, high, start, np.full(n, np.inf), weight)
    rows = pd.DataFrame({"low": low, "high": high, "start": start, "weight": weight})
    rows = rows[(rows["weight"] > 0) & ~((rows["high"] == np.inf) & (rows["low"] <= rows["start"]))]
    added = rows.groupby(["low", "high", "start"], as_index=False)["weight"].sum()
    low, high, start, weight = (
        added[name].to_numpy(dtype=float) for name in ("low", "high", "start", "weight")
    )
    return low, high, start, weight


def _mixture_starts(
    low: Floats, high: Floats, weight: Floats, single: WeibullFit, populations: int
) -> list[Floats]:
    """Scales spread over the failure ages, equal or lopsided shares, the single fit's shape and steeper ones."""
    failed = np.isfinite(high)
    ages = np.repeat(
        (low + high)[failed] / 2,
        np.maximum(1, np.round(200 * weight[failed] / weight[failed].sum())).astype(int),
    )
    starts = []
    for first, last in ((0.1, 0.9), (0.25, 0.75), (0.05, 0.6), (0.4, 0.98)):
        inside = np.quantile(ages, np.linspace(first, last, populations))
        for scales in (inside, np.r_[inside[:-1], single.scale]):
            for steeper in (1.0, 2.0):
                shares = np.zeros(populations - 1)
                spread = np.full(populations, np.log(single.spread / steeper))
                starts.append(np.r_[shares, np.log(np.maximum(scales, 1e-12)), spread])
    return starts


def _mixture_objective(
    point: Floats, *, rows: tuple[Floats, Floats, Floats, Floats], populations: int
) -> tuple[float, Floats]:
    """Negative log-likelihood and gradient in (logits, log scales, log spreads)."""
    low, high, start, weight = rows
    logits = np.r_[point[: populations - 1], 0.0]
    share = np.exp(logits - logits.max())
    share /= share.sum()
    location, log_spread = point[populations - 1 : 2 * populations - 1], point[2 * populations - 1 :]
    value = 0.0
    gradient = np.zeros((3, populations))
    for sign, (first, last) in ((1.0, (low, high)), (-1.0, (start, np.full(len(start), np.inf)))):
        parts = [_weibull_rows(first, last, location[k], log_spread[k]) for k in range(populations)]
        logs = np.array([part[0] for part in parts]) + np.log(share)[:, None]
        top = logs.max(axis=0)
        total = top + np.log(np.exp(logs - top).sum(axis=0))
        value += sign * float(weight @ total)
        belongs = np.exp(logs - total) * (sign * weight)
        gradient[0] += belongs.sum(axis=1) - share * belongs.sum()
        gradient[1] += [float(belongs[k] @ parts[k][1]) for k in range(populations)]
        gradient[2] += [float(belongs[k] @ parts[k][2]) for k in range(populations)]
    if not np.isfinite(value):
        return 1e300, np.zeros(len(point))
    return -value, -np.r_[gradient[0][:-1], gradient[1], gradient[2]]


def _weibull_rows(
    low: Floats, high: Floats, location: float, log_spread: float
) -> tuple[Floats, Floats, Floats]:
    """Log-likelihood a row of one Weibull, with derivatives in location and log spread."""
    spread = float(np.exp(log_spread))
    with np.errstate(divide="ignore"):
        a = np.clip((np.log(low) - location) / spread, -300.0, 300.0)
        b = np.clip((np.log(high) - location) / spread, -300.0, 300.0)
    exact = low == high
    hazard_a, hazard_b = np.exp(a), np.exp(b)
    with np.errstate(all="ignore"):
        log_chance = -hazard_a + np.log(-np.expm1(hazard_a - hazard_b))
        value = np.where(exact, a - hazard_a - log_spread - np.log(np.where(exact, low, 1.0)), log_chance)
        ratio_a = np.where(a <= -300.0, 0.0, np.exp(a - hazard_a - log_chance))
        ratio_b = np.where(b >= 300.0, 0.0, np.exp(b - hazard_b - log_chance))
        by_location = np.where(exact, -(1 - hazard_a), ratio_a - ratio_b) / spread
        by_spread = np.where(exact, -a * (1 - hazard_a) - 1, a * ratio_a - b * ratio_b)
    return value, by_location, by_spread


def _mixture_covariance(point: Floats, objective: Callable[[Floats], tuple[float, Floats]]) -> Floats:
    step = 1e-4
    size = len(point)
    curvature = np.array(
        [
            (objective(point + step * np.eye(size)[i])[1] - objective(point - step * np.eye(size)[i])[1])
            / (2 * step)
            for i in range(size)
        ]
    )
    return np.asarray(np.linalg.pinv((curvature + curvature.T) / 2))


def _mixture_table(point: Floats, covariance: Floats, populations: int, level: float) -> pd.DataFrame:
    deviation = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    z = float(norm.ppf(0.5 + level / 2))
    logits = np.r_[point[: populations - 1], 0.0]
    share = np.exp(logits) / np.exp(logits).sum()
    # delta method on the logit of each share
    turn = (np.eye(populations) - share[None, :])[:, :-1] / (1 - share)[:, None]
    variance = np.einsum("ij,jk,ik->i", turn, covariance[: populations - 1, : populations - 1], turn)
    # where the data hardly tell the populations apart the curvature gives no variance: the share may be anything
    share_deviation = np.sqrt(np.where(variance < 0, np.inf, variance))
    logit = np.log(share / (1 - share))
    location, log_spread = point[populations - 1 : 2 * populations - 1], point[2 * populations - 1 :]
    location_deviation = deviation[populations - 1 : 2 * populations - 1]
    spread_deviation = deviation[2 * populations - 1 :]
    # a parameter that the data hardly see has no upper limit: infinite, not a number too large to print
    with np.errstate(over="ignore"):
        table = pd.DataFrame(
            {
                "share": share,
                "share_low": 1 / (1 + np.exp(-(logit - z * share_deviation))),
                "share_high": 1 / (1 + np.exp(-(logit + z * share_deviation))),
                "shape": np.exp(-log_spread),
                "shape_low": np.exp(-log_spread - z * spread_deviation),
                "shape_high": np.exp(-log_spread + z * spread_deviation),
                "scale": np.exp(location),
                "scale_low": np.exp(location - z * location_deviation),
                "scale_high": np.exp(location + z * location_deviation),
            }
        )
    return table.sort_values("scale", kind="stable", ignore_index=True)


@in_words(rows="durations entry weights", texts="modes")
def fit_competing_modes(
    durations: ArrayLike,
    modes: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> dict[str, WeibullFit]:
    """One Weibull per failure mode, the other modes counting as the end of observation.

    Parameters
    ----------
    durations : (rows,) numbers above zero, in any unit of age
        As in `fit_weibull`, like `entry` and `weights`.
    modes : (rows,) labels
        The mode that ended each row; missing (None, NaN, "") where the unit was still alive.
    entry : (rows,) numbers, in the unit of the durations; optional
        Delayed entry.
    weights : (rows,) numbers, optional
        Units a row stands for.

    Returns
    -------
    dict of mode to WeibullFit

    Raises
    ------
    FitError
        For impossible rows, and a mode whose failures are too few or too much alike.
    ParameterError
        For what is no number.

    Notes
    -----
    Assumes independent modes: survival of the unit is the product of the modes' survivals. What would happen if one mode were designed out rests on
    that assumption, which such data cannot test.

    Source
    ------
    Meeker and Escobar (1998), *Statistical Methods for Reliability Data*, ch. 15.

    Examples
    --------
    >>> from analysis import stats
    >>> fits = stats.fit_competing_modes([3, 5, 8, 9, 12, 12], ["leak", "wear", "leak", "wear", None, "wear"])
    >>> {mode: fit.failures for mode, fit in fits.items()}
    {'leak': 2.0, 'wear': 3.0}
    """
    labels = pd.Series(np.asarray(modes, dtype=object))
    labels = labels.where(labels.notna() & (labels != ""))
    if len(labels) != np.size(durations):
        raise FitError(
            f"competing modes: {len(labels)} modes for {np.size(durations)} durations; give one per row."
        )
    if not labels.notna().any():
        raise FitError("competing modes: no row ended by a mode; there is no life to fit.")
    return {
        str(mode): fit_weibull(
            durations, (labels == mode).to_numpy(dtype=float), entry=entry, weights=weights
        )
        for mode in sorted(labels.dropna().unique(), key=str)
    }


# -- the probability plot -------------------------------------------------------------------------


@in_words(rows="durations events entry weights")
def probability_plot(
    durations: ArrayLike,
    events: ArrayLike | None = None,
    *,
    family: str,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> pd.DataFrame:
    """Plotting positions: on the axes of `family` a good fit is a straight line of slope 1 / spread.

    Parameters
    ----------
    durations : (rows,) numbers above zero, in any unit of age
        As in `fit_weibull`, like `events`, `entry` and `weights`.
    events : (rows,) 1 or 0, optional
        Whether it failed.
    family : str
        ``weibull``, ``exponential`` or ``lognormal``.
    entry : (rows,) numbers, in the unit of the durations; optional
        Delayed entry.
    weights : (rows,) numbers, optional
        Units a row stands for.

    Returns
    -------
    DataFrame, one row per distinct failure age
        `age`, `failures`, `at_risk`, `share` (half way up the step of the product-limit estimate), `log_age`, `quantile` (of the family, at the share).
        A last failure with no unit left alive keeps its half step.

    Raises
    ------
    FitError
        Without a failure.
    ParameterError
        For what is no number, or an unknown family.

    Source
    ------
    Meeker and Escobar (1998), *Statistical Methods for Reliability Data*, section 6.4.1.

    Examples
    --------
    Of four, the first failure takes the share from 0 to 1/4: it is plotted at 1/8.

    >>> from analysis import stats
    >>> stats.probability_plot([2, 3, 5, 8], [1, 1, 0, 1], family="weibull")["share"].tolist()
    [0.125, 0.375, 0.75]
    """
    if family not in FAMILIES:
        raise ParameterError(f"unknown family {family!r}; known: {', '.join(FAMILIES)}.")
    age = np.asarray(durations, dtype=float)
    failed = np.ones(len(age)) if events is None else np.asarray(events, dtype=float)
    weight = np.ones(len(age)) if weights is None else np.asarray(weights, dtype=float)
    start = np.zeros(len(age)) if entry is None else np.asarray(entry, dtype=float)
    check_rows(*row_bounds(age, failed, None, None), start, np.full(len(age), np.inf), weight)
    at = np.unique(age[(failed == 1) & (weight > 0)])
    if not len(at):
        raise FitError("probability plot: no failures to plot.")
    deaths = np.bincount(
        np.searchsorted(at, age[failed == 1]), weights=weight[failed == 1], minlength=len(at)
    )
    at_risk = _weight_from(age, weight, at) - _weight_from(start, weight, at)
    alive = np.cumprod(1 - deaths / at_risk)
    before = np.r_[1.0, alive[:-1]]
    share = 1 - (alive + before) / 2
    quantile = [FAMILIES[family].quantile(float(one)) for one in share]
    return pd.DataFrame(
        {
            "age": at,
            "failures": deaths,
            "at_risk": at_risk,
            "share": share,
            "log_age": np.log(at),
            "quantile": quantile,
        }
    )


@dataclass(frozen=True, kw_only=True)
class RankRegression(Summarised):
    """A line through median ranks.

    Attributes
    ----------
    family : ``weibull``, ``exponential`` or ``lognormal``.
    location, spread : of the log age, for any family.
    shape, scale : for Weibull, 1 / spread and exp(location).
    correlation : of the plotted points: how straight they are, not how good the model is.
    failures : plotted points.

    Examples
    --------
    >>> from analysis import stats
    >>> line = stats.rank_regression([10, 20, 40, 80], family="lognormal", on="rank")
    >>> round(line.scale, 2), line.failures  # the geometric mean, by symmetry
    (28.28, 4)
    """

    family: str
    location: float
    spread: float
    correlation: float
    failures: int

    @property
    def shape(self) -> float:
        """1 / spread: the shape of a Weibull line."""
        return 1 / self.spread

    @property
    def scale(self) -> float:
        """exp(location): the scale of a Weibull line, the median of a lognormal one."""
        return float(np.exp(self.location))

    @in_words()
    def b_life(self, share: float) -> float:
        """Age by which `share` of the units have failed, on the line.

        Parameters
        ----------
        share : float, share 0 to 1
            0.1 for B10.

        Returns
        -------
        float
            In the unit of the fitted ages.

        Raises
        ------
        ParameterError
            For a share that does not lie between 0 and 1.
        """
        if not 0 < share < 1:
            raise ParameterError(f"b_life takes a share between 0 and 1, e.g. 0.1 for B10; got {share}.")
        return float(np.exp(self.location + self.spread * FAMILIES[self.family].quantile(share)))

    @in_words(rows="age")
    def survival(self, age: ArrayLike) -> Floats:
        """Share still alive at each age, on the line.

        Parameters
        ----------
        age : (n,) numbers, or one; in the unit of the fitted ages
            Zero or more.

        Returns
        -------
        array of the shape of `age`
            0 to 1.

        Raises
        ------
        ParameterError
            For a negative or missing age.
        """
        with np.errstate(divide="ignore"):
            z = np.clip((np.log(_ages(age)) - self.location) / self.spread, -300.0, 300.0)
        return np.asarray(np.exp(FAMILIES[self.family].survival(z)[0]))


@in_words(rows="durations events")
def rank_regression(
    durations: ArrayLike, events: ArrayLike | None = None, *, family: str, on: Literal["age", "rank"]
) -> RankRegression:
    """A life distribution by least squares on the probability plot, as many reliability departments report it.

    Parameters
    ----------
    durations : (rows,) numbers above zero, in any unit of age
        One unit per row.
    events : (rows,) 1 or 0, optional
        Whether it failed; units still alive move the ranks of later failures (Johnson).
    family : str
        ``weibull``, ``exponential`` or ``lognormal``.
    on : str
        ``rank`` regresses the quantile of the median rank on the log age ("on Y"), ``age`` the other way round ("on X").

    Returns
    -------
    RankRegression

    Raises
    ------
    FitError
        For ages that are not above zero, and fewer than two distinct failure ages.
    ParameterError
        For what is no number, an unknown family, or an unknown `on`.

    Notes
    -----
    Median ranks are exact (beta distribution). Maximum likelihood uses the data better, above all with many units alive; this is for comparison with
    answers made so.

    Source
    ------
    Johnson (1964), *The Statistical Treatment of Fatigue Experiments*, ch. 8; Abernethy (2006), *The New Weibull Handbook*, 5th ed., ch. 2 and 5.

    Examples
    --------
    >>> from analysis import stats
    >>> line = stats.rank_regression([16, 34, 53, 75, 93, 120], family="weibull", on="rank")
    >>> round(line.shape, 2), round(line.scale, 1)
    (1.43, 76.3)
    """
    if family not in FAMILIES:
        raise ParameterError(
            f"unknown family {family!r}; known: {', '.join(FAMILIES)}.{suggestion(family, FAMILIES)}"
        )
    if on not in ("age", "rank"):
        raise ParameterError(f"rank regression is on 'age' or on 'rank'; got {on!r}.")
    row_bounds(durations, events, None, None)  # refuses events that are neither 1 nor 0
    age = np.asarray(durations, dtype=float)
    failed = np.ones(len(age), dtype=bool) if events is None else np.asarray(events, dtype=float) == 1
    if not np.all((age > 0) & np.isfinite(age)):
        raise FitError(
            f"rank regression: {int(np.sum(~((age > 0) & np.isfinite(age))))} ages are not above zero."
        )
    if len(np.unique(age[failed])) < 2:
        raise FitError("rank regression: a line needs failures at two ages.")
    order = np.lexsort((~failed, age))
    rank, count, adjusted = 0.0, len(age), []
    for place, one in enumerate(order):
        if failed[one]:
            rank += (count + 1 - rank) / (count - place + 1)
            adjusted.append((float(np.log(age[one])), rank))
    logs, ranks = np.array(adjusted).T
    share = beta.ppf(0.5, ranks, count + 1 - ranks)
    quantile = np.array([FAMILIES[family].quantile(float(part)) for part in share])
    covariance = np.cov(logs, quantile)
    spread = covariance[0, 1] / covariance[1, 1] if on == "age" else covariance[0, 0] / covariance[0, 1]
    return RankRegression(
        family=family,
        location=float(logs.mean() - spread * quantile.mean()),
        spread=float(spread),
        correlation=float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])),
        failures=int(failed.sum()),
    )


def _weight_from(ages: Floats, weight: Floats, at: Floats) -> Floats:
    """Total weight of the rows whose age is at least each of `at`."""
    order = np.argsort(ages, kind="stable")
    below = np.r_[0.0, np.cumsum(weight[order])]
    return np.asarray(below[-1] - below[np.searchsorted(ages[order], at, side="left")])
