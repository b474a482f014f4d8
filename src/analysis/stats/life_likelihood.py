"""Likelihood of lifetimes whose logarithm is a location-scale variable, with two derivatives.

Observations are reduced to weighted terms: a density at an age, a survival to an age, a probability
between two ages, and the negative of the same for truncation. Terms at equal ages are added up before
anything is fitted, so the cost depends on distinct ages, not on units. That is why it is our own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr, ndtri

from analysis.errors import FitError, ParameterError
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
Derivatives = tuple[Floats, Floats, Floats]

_FAR = 300.0
"""Standardised log age beyond which a Weibull term is 0 or 1 in double precision."""


# -- families: log density and log survival of the standardised log age, with two derivatives -----


def _weibull_density(z: Floats) -> Derivatives:
    hazard = np.exp(z)
    return z - hazard, 1 - hazard, -hazard


def _weibull_survival(z: Floats) -> Derivatives:
    hazard = np.exp(z)
    return -hazard, -hazard, -hazard


def _normal_density(z: Floats) -> Derivatives:
    return -0.5 * z**2 - 0.5 * np.log(2 * np.pi), -z, np.full_like(z, -1.0)


def _normal_survival(z: Floats) -> Derivatives:
    log_survival = log_ndtr(-z)
    hazard = np.exp(-0.5 * z**2 - 0.5 * np.log(2 * np.pi) - log_survival)
    return log_survival, -hazard, -hazard * (hazard - z)


@dataclass(frozen=True, kw_only=True)
class Family(Summarised):
    """A distribution of the standardised log age; `fixed_spread` where the shape is known."""

    name: str
    density: Callable[[Floats], Derivatives]
    survival: Callable[[Floats], Derivatives]
    quantile: Callable[[float], float]
    fixed_spread: float | None = None


WEIBULL = Family(
    name="weibull",
    density=_weibull_density,
    survival=_weibull_survival,
    quantile=lambda share: float(np.log(-np.log1p(-share))),
)
EXPONENTIAL = replace(WEIBULL, name="exponential", fixed_spread=1.0)
LOGNORMAL = Family(
    name="lognormal",
    density=_normal_density,
    survival=_normal_survival,
    quantile=lambda share: float(ndtri(share)),
)
FAMILIES = {family.name: family for family in (WEIBULL, EXPONENTIAL, LOGNORMAL)}


# -- observations as weighted terms ---------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Terms(Summarised):
    """Log ages with weights; a negative weight divides (truncation).

    density : `at`, `weight` of exactly known failures
    survival : survival to `at`; weight +1 for censored units, -1 for entries
    between : failure between `low` and `high` (either may be infinite in log age); weight -1 for a
        window outside which a unit would not have been seen
    """

    density: tuple[Floats, Floats]
    survival: tuple[Floats, Floats]
    between: tuple[Floats, Floats, Floats]
    failures: float
    units: float

    def shifted(self, threshold: float) -> Terms:
        """The same observations with ages counted from `threshold`; certain terms vanish."""

        def log_after(log_age: Floats) -> Floats:
            with np.errstate(divide="ignore"):
                return np.log(np.maximum(np.exp(log_age) - threshold, 0.0))

        at, weight = self.survival
        later = log_after(at)
        kept = np.isfinite(later)
        low, high, between = self.between
        return replace(
            self,
            density=(log_after(self.density[0]), self.density[1]),
            survival=(later[kept], weight[kept]),
            between=(log_after(low), log_after(high), between),
        )


def read_terms(
    durations: ArrayLike | None,
    events: ArrayLike | None,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    seen_below: ArrayLike | None = None,
) -> Terms:
    """Checked observations as terms; see `fit_weibull` for what the arguments mean."""
    low, high = row_bounds(durations, events, lower, upper)
    n = len(low)
    weight = as_column(weights, n, 1.0, "weights")
    start = as_column(entry, n, 0.0, "entry")
    end = as_column(seen_below, n, np.inf, "seen_below")
    check_rows(low, high, start, end, weight)
    kept = (weight > 0) & ~((high == np.inf) & (low <= start))  # a unit never observed says nothing
    low, high, weight, start, end = (part[kept] for part in (low, high, weight, start, end))
    exact, right = low == high, high == np.inf
    interval = ~exact & ~right
    windowed = end < np.inf
    right_windowed = right & windowed
    interval, right = interval | right_windowed, right & ~windowed
    high = np.where(right_windowed, end, high)
    with np.errstate(divide="ignore"):
        density = _added_up(low[exact], weight[exact])
        opened = ~windowed & (start > 0)
        survival = _added_up(np.r_[low[right], start[opened]], np.r_[weight[right], -weight[opened]])
        between = _added_up_pairs(
            np.r_[low[interval], start[windowed]],
            np.r_[high[interval], end[windowed]],
            np.r_[weight[interval], -weight[windowed]],
        )
        return Terms(
            density=(np.log(density[0]), density[1]),
            survival=(np.log(survival[0]), survival[1]),
            between=(np.log(between[0]), np.log(between[1]), between[2]),
            failures=float(weight[exact | (interval & ~right_windowed)].sum()),
            units=float(weight.sum()),
        )


def row_bounds(
    durations: ArrayLike | None, events: ArrayLike | None, lower: ArrayLike | None, upper: ArrayLike | None
) -> tuple[Floats, Floats]:
    """Age known to be survived and age known to have failed by, one pair a row."""
    if durations is None:
        if lower is None or upper is None:
            raise ParameterError("give durations with events, or lower and upper bounds of each failure age.")
        low, high = np.array(lower, dtype=float), np.array(upper, dtype=float)
        return np.where(np.isnan(low), 0.0, low), np.where(np.isnan(high), np.inf, high)
    age = np.asarray(durations, dtype=float)
    failed = np.ones(len(age)) if events is None else np.asarray(events, dtype=float)
    if len(failed) != len(age):
        raise ParameterError(f"events: {len(failed)} values for {len(age)} durations.")
    if not np.isin(failed, (0.0, 1.0)).all():
        raise ParameterError("events must be 1 (failed at the duration) or 0 (still alive then).")
    low, high = age.copy(), np.where(failed == 1, age, np.inf)
    if lower is not None or upper is not None:
        floor = as_column(lower, len(age), np.nan, "lower")
        ceiling = as_column(upper, len(age), np.nan, "upper")
        given = ~np.isnan(floor) | ~np.isnan(ceiling)
        low = np.where(given, np.where(np.isnan(floor), 0.0, floor), low)
        high = np.where(given, np.where(np.isnan(ceiling), np.inf, ceiling), high)
    return low, high


def as_column(values: ArrayLike | None, n: int, default: float, name: str) -> Floats:
    if values is None:
        return np.full(n, default)
    column = np.asarray(values, dtype=float)
    if column.ndim == 0:
        return np.full(n, float(column))
    if len(column) != n:
        raise ParameterError(f"{name}: {len(column)} values for {n} rows.")
    return column


def check_rows(low: Floats, high: Floats, start: Floats, end: Floats, weight: Floats) -> None:
    missing = np.isnan(low) | np.isnan(high)
    if missing.any() and np.isinf(high[missing]).all():
        raise ParameterError(
            f"{int(missing.sum())} of {len(low)} rows have no duration, all of them survivors (first: row {int(np.argmax(missing))}). Dropping "
            "them would keep the failed and make life look short; give the age or mileage at which each was last seen working, or bounds of it."
        )
    problems = (
        (
            np.isnan(low) | np.isnan(high),
            "have no duration; leaving them out would bias the fit, so they need one",
        ),
        (~(weight >= 0) | np.isinf(weight), "have a weight that is negative, missing or infinite"),
        (~(start >= 0), "have a negative or missing entry age"),
        ((low < 0) | (high < low), "have a negative duration or an upper bound below the lower"),
        ((low == high) & (low == 0), "failed at age zero; give such failures as lower=0, upper=resolution"),
        (
            (high < np.inf) & (high <= start),
            "failed at or before their entry; they cannot have been observed",
        ),
        ((low < start) & (high < np.inf), "may have failed before their entry; raise lower to the entry age"),
        ((high > end) & (high < np.inf), "failed after the age at which they could still be seen"),
        ((low > end), "were alive after the age at which they could still be seen"),
    )
    for wrong, sentence in problems:
        if wrong.any():
            first = int(np.argmax(wrong))
            raise ParameterError(
                f"{int(wrong.sum())} of {len(low)} rows {sentence}; e.g. row {first}: age {low[first]:g} to "
                f"{high[first]:g}, entry {start[first]:g}, weight {weight[first]:g}."
            )


def _added_up(ages: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weights added up over equal ages, where ages repeat."""
    if len(ages) < 256:
        return ages, weights
    if len(np.unique(ages[:: max(1, len(ages) // 2000)])) > 1500:  # measured to the second: nothing to gain
        return ages, weights
    whole = ages.astype(np.int64)
    if ages.max() < 1e6 and (whole == ages).all():
        total = np.bincount(whole, weights=weights)
        return np.flatnonzero(total).astype(float), total[total != 0]
    code, distinct = pd.factorize(ages, sort=True)
    total = np.bincount(code, weights=weights, minlength=len(distinct))
    return np.asarray(distinct)[total != 0], total[total != 0]


def _added_up_pairs(low: Floats, high: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    if len(low) < 256:
        return low, high, weights
    first, lows = pd.factorize(low, sort=True)
    second, highs = pd.factorize(high, sort=True)
    code, distinct = pd.factorize(first.astype(np.int64) * len(highs) + second, sort=True)
    total = np.bincount(code, weights=weights, minlength=len(distinct))
    one, other = np.divmod(np.asarray(distinct), len(highs))
    return np.asarray(lows)[one], np.asarray(highs)[other], total.astype(np.float64)


# -- likelihood and its maximum -------------------------------------------------------------------


def log_likelihood(
    terms: Terms, family: Family, location: float, log_spread: float
) -> tuple[float, Floats, Floats]:
    """Log-likelihood with gradient and Hessian in (location, log spread) of the log age."""
    spread = np.exp(log_spread)
    value, gradient, hessian = 0.0, np.zeros(2), np.zeros((2, 2))
    at, weight = terms.density
    if len(at):
        z = _standardised(at, location, spread)
        density, slope, curve = family.density(z)
        value += float(weight @ (density - log_spread - at))
        gradient += _chain_first(z, weight * slope, spread)
        gradient[1] -= weight.sum()
        hessian += _chain_second(z, weight * slope, weight * curve, spread)
    at, weight = terms.survival
    if len(at):
        z = _standardised(at, location, spread)
        survival, slope, curve = family.survival(z)
        value += float(weight @ survival)
        gradient += _chain_first(z, weight * slope, spread)
        hessian += _chain_second(z, weight * slope, weight * curve, spread)
    low, high, weight = terms.between
    if len(low):
        more = _between(low, high, weight, family, location, spread)
        value, gradient, hessian = value + more[0], gradient + more[1], hessian + more[2]
    return value, gradient, hessian


def _standardised(log_age: Floats, location: float, spread: float) -> Floats:
    return np.clip((log_age - location) / spread, -_FAR, _FAR)


def _chain_first(z: Floats, slope: Floats, spread: float) -> Floats:
    return np.array([-slope.sum() / spread, -(z @ slope)])


def _chain_second(z: Floats, slope: Floats, curve: Floats, spread: float) -> Floats:
    mixed = (z @ curve + slope.sum()) / spread
    return np.array([[curve.sum() / spread**2, mixed], [mixed, (z * z) @ curve + z @ slope]])


def _between(
    low: Floats, high: Floats, weight: Floats, family: Family, location: float, spread: float
) -> tuple[float, Floats, Floats]:
    """Terms log(S(a) - S(b)); all ratios are taken in logs, so both tails keep their digits."""
    a, b = _standardised(low, location, spread), _standardised(high, location, spread)
    survive_a, survive_b = family.survival(a)[0], family.survival(b)[0]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        chance = survive_a + np.log(-np.expm1(survive_b - survive_a))
        density_a, slope_a, _ = family.density(a)
        density_b, slope_b, _ = family.density(b)
        # no mass outside the support: an age of zero or infinity does not move with the parameters
        ratio_a = np.where(a <= -_FAR, 0.0, np.exp(density_a - chance))
        ratio_b = np.where(b >= _FAR, 0.0, np.exp(density_b - chance))
        bend_a = np.where(ratio_a == 0, 0.0, -ratio_a * slope_a) - ratio_a**2
        bend_b = np.where(ratio_b == 0, 0.0, ratio_b * slope_b) - ratio_b**2
    gradient = _chain_first(a, -weight * ratio_a, spread) + _chain_first(b, weight * ratio_b, spread)
    hessian = _chain_second(a, -weight * ratio_a, weight * bend_a, spread)
    hessian += _chain_second(b, weight * ratio_b, weight * bend_b, spread)
    cross = weight * ratio_a * ratio_b
    mixed = (a + b) @ cross / spread
    hessian += np.array([[2 * cross.sum() / spread**2, mixed], [mixed, 2 * ((a * b) @ cross)]])
    return float(weight @ chance), gradient, hessian


@dataclass(frozen=True, kw_only=True, eq=False)
class Maximum(Summarised):
    location: float
    log_spread: float
    log_likelihood: float
    covariance: Floats
    iterations: int


def maximise(terms: Terms, family: Family, *, start: tuple[float, float] | None = None) -> Maximum:
    """Damped Newton; raises `FitError` when there is no finite maximum or it is not reached."""
    if terms.failures <= 0:
        raise FitError(
            "{model}: no failures among {units} units; a rate has an upper bound "
            "(poisson_interval), a life distribution has no estimate.",
            model=family.name,
            units=f"{terms.units:g}",
        )
    point = np.array(start or _first_guess(terms))
    free = np.array([True, family.fixed_spread is None])
    if family.fixed_spread is not None:
        point[1] = np.log(family.fixed_spread)
    value, gradient, hessian = log_likelihood(terms, family, *point)
    for iteration in range(1, 201):
        step, decrement = _newton_step(gradient, hessian, free)
        if decrement < 1e-12 * max(1.0, abs(value)) and decrement < 1e-7:
            return Maximum(
                location=float(point[0]),
                log_spread=float(point[1]),
                log_likelihood=value,
                covariance=_covariance(hessian, free, family),
                iterations=iteration,
            )
        point, value, gradient, hessian = _line_search(terms, family, point, value, gradient, step)
        if abs(point[1]) > 12 or abs(point[0]) > 200:
            break
    raise FitError(
        "{model}: the likelihood has no maximum within bounds (location {location}, spread of the log age "
        "{spread} after {steps} steps; {failures} failures among {units} units). "
        "Typical causes: all failures at one age, or at ages no other unit reached.",
        model=family.name,
        location=f"{point[0]:.3g}",
        spread=f"{np.exp(point[1]):.3g}",
        steps=iteration,
        failures=f"{terms.failures:g}",
        units=f"{terms.units:g}",
    )


def _first_guess(terms: Terms) -> tuple[float, float]:
    """Exponential: total age over failures; starts Newton from a shape of one."""
    low, high, weight = terms.between
    seen = weight > 0
    with np.errstate(over="ignore"):
        bottom, top = np.exp(low[seen]), np.exp(high[seen])
    middle = np.where(np.isfinite(top), (bottom + top) / 2, bottom)
    total = float(np.exp(terms.density[0]) @ terms.density[1] + np.exp(terms.survival[0]) @ terms.survival[1])
    total += float(middle @ weight[seen])
    return float(np.log(max(total, 1e-300) / terms.failures)), 0.0


def _newton_step(gradient: Floats, hessian: Floats, free: NDArray[np.bool_]) -> tuple[Floats, float]:
    """Ascent step; where the surface is not concave the eigenvalues are turned."""
    information = -hessian[np.ix_(free, free)]
    values, vectors = np.linalg.eigh(information)
    floor = 1e-10 * max(1.0, float(np.abs(values).max()))
    turned = np.maximum(np.abs(values), floor)
    step = np.zeros(2)
    step[free] = vectors @ ((vectors.T @ gradient[free]) / turned)
    return step, float(gradient @ step)


def _line_search(
    terms: Terms, family: Family, point: Floats, value: float, gradient: Floats, step: Floats
) -> tuple[Floats, float, Floats, Floats]:
    step = step * min(1.0, 2.0 / max(1e-300, float(np.abs(step).max())))
    slope = float(gradient @ step)
    size = 1.0
    for _ in range(60):
        there = point + size * step
        with np.errstate(all="ignore"):
            found = log_likelihood(terms, family, *there)
        if (
            np.isfinite(found[0])
            and np.isfinite(found[2]).all()
            and found[0] >= value + 1e-4 * size * slope - 1e-13 * abs(value)
        ):
            return there, *found
        size /= 2
    raise FitError(
        "{model}: the fit cannot be improved and has not converged (spread of the log age {spread}).",
        model=family.name,
        spread=f"{np.exp(point[1]):.3g}",
    )


def _covariance(hessian: Floats, free: NDArray[np.bool_], family: Family) -> Floats:
    covariance = np.zeros((2, 2))
    information = -hessian[np.ix_(free, free)]
    # a standard error of 30 in the log of an age is no knowledge of it: the surface is flat there
    if np.linalg.eigvalsh(information).min() <= 1 / 30**2:
        raise FitError(
            "{model}: the likelihood is flat at its maximum; the parameters are not identified.",
            model=family.name,
        )
    covariance[np.ix_(free, free)] = np.linalg.inv(information)
    return covariance


def profile(terms: Terms, family: Family, *, fixed: float, slope: float, start: float) -> tuple[float, float]:
    """Largest log-likelihood on the line location = fixed - slope * spread, and the log spread there.

    `fixed` is a log age and `slope` a standardised quantile: the line holds all distributions whose
    `slope` quantile is that age.
    """
    log_spread = start

    def along(log_spread: float) -> tuple[float, float, float]:
        spread = float(np.exp(log_spread))
        with np.errstate(all="ignore"):
            value, gradient, hessian = log_likelihood(terms, family, fixed - slope * spread, log_spread)
            turn = np.array([-slope * spread, 1.0])
            first, second = gradient @ turn, turn @ hessian @ turn - slope * spread * gradient[0]
        return value, float(first), float(second)

    if family.fixed_spread is not None:
        return along(float(np.log(family.fixed_spread)))[0], 0.0
    value, first, second = along(log_spread)
    for _ in range(100):
        step = first / max(abs(second), 1e-8)
        if abs(step * first) < 1e-10:
            break
        step = float(np.clip(step, -1.0, 1.0))
        while abs(step) > 1e-12:
            there = along(log_spread + step)
            if np.isfinite(there[0]) and there[0] >= value:
                break
            step /= 2
        else:
            break
        log_spread += step
        value, first, second = there
    return value, log_spread
