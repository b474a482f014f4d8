"""Seasonal time-series models whose forecasts are linear in their shocks, fitted by maximum likelihood.

Three families, one shape of answer (`SeasonalFit`): the seasonal naive, exponential smoothing with additive
errors, and the seasonal moving average after differencing (the airline model, with regressors). In all of them

    y[n+h] = point[h] + sigma * sum over j <= h of response[h, j] * z[j],      z independent standard normal,

so sums over months, sums over series and their intervals follow by arithmetic.

The likelihoods are exact and have the linear part (starting level, starting seasons, regression coefficients)
concentrated out by least squares, which leaves two to four numbers to search for: a fit takes milliseconds, and a
rolling backtest of many candidates stays affordable. ``statsmodels`` is the oracle in the tests.

Sources: Hyndman, Koehler, Ord and Snyder (2008), *Forecasting with Exponential Smoothing*, ch. 2, 5 and 6;
Box, Jenkins and Reinsel (1994), *Time Series Analysis*, ch. 7 and 9.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky_banded
from scipy.linalg.lapack import dtbtrs
from scipy.optimize import minimize
from scipy.signal import lfilter

from analysis.errors import FitError

Array = NDArray[np.float64]

# Smoothing weights and moving-average roots stop short of the edge of their region, as in R's `ets` and `arima`.
_EDGE = 1e-4


@dataclass(frozen=True, kw_only=True, eq=False)
class SeasonalFit:
    """A fitted series and its next `h` steps.

    Attributes
    ----------
    point : (h,) expected value of each step, on the scale the model was fitted on.
    response : (h, h) lower triangular; row h, column j: what a unit shock in step j does to step h.
    sigma : standard deviation of one shock, with degrees of freedom taken off for every fitted number.
    residuals : (n,) one-step errors within the sample; nan where the model has no prediction yet.
    log_likelihood : maximised Gaussian log-likelihood (nan for the naive, which is not fitted).
    parameters : fitted numbers by name; regression coefficients as ``x0``, ``x1`` ...
    degrees : how many numbers were fitted, sigma included.
    """

    point: Array
    response: Array
    sigma: float
    residuals: Array
    log_likelihood: float
    parameters: dict[str, float]
    degrees: int

    @property
    def step_sd(self) -> Array:
        """(h,) standard deviation of each step's error."""
        sd: Array = self.sigma * np.sqrt((self.response**2).sum(axis=1))
        return sd

    @property
    def aic(self) -> float:
        """Akaike's criterion with sigma counted as a parameter."""
        return -2.0 * self.log_likelihood + 2.0 * self.degrees


def fit_seasonal_naive(values: Array, *, season: int, horizon: int) -> SeasonalFit:
    """Each month repeats the same month a year earlier; shocks add up from year to year."""
    count = len(values)
    if count <= season:
        raise FitError(f"seasonal naive: {count} values do not exceed one season of {season}; add history.")
    residuals = np.full(count, np.nan)
    residuals[season:] = values[season:] - values[:-season]
    steps = np.arange(horizon)
    lag = steps[:, None] - steps[None, :]
    return SeasonalFit(
        point=values[count - season + steps % season],
        response=((lag >= 0) & (lag % season == 0)).astype(float),
        sigma=float(np.sqrt(np.mean(residuals[season:] ** 2))),
        residuals=residuals,
        log_likelihood=float("nan"),
        parameters={},
        degrees=1,
    )


@dataclass(frozen=True, kw_only=True)
class _Smoothing:
    """Which parts an exponential smoothing has. Error and every part are additive."""

    damped_trend: bool
    season: int  # 1: no season

    def bounds(self) -> list[tuple[float, float]]:
        unit = (_EDGE, 1 - _EDGE)
        trend = [unit, (0.8, 0.98)] if self.damped_trend else []
        return [unit, *trend] + ([unit] if self.season > 1 else [])

    def start(self) -> list[float]:
        trend = [0.1, 0.95] if self.damped_trend else []
        return [0.3, *trend] + ([0.1] if self.season > 1 else [])

    def weights(self, free: Array) -> dict[str, float]:
        """alpha, beta, phi, gamma from numbers that are free in (0, 1): 0 < beta < alpha, 0 < gamma < 1 - alpha."""
        named = {"alpha": float(free[0])}
        if self.damped_trend:
            named |= {"beta": float(free[0] * free[1]), "phi": float(free[2])}
        if self.season > 1:
            named["gamma"] = float((1 - free[0]) * free[-1])
        return named

    def polynomials(self, weights: dict[str, float]) -> tuple[Array, Array]:
        """Reduced form: ar(B) y = ma(B) e. Dividing by ma and multiplying by ar turns values into shocks."""
        alpha, beta = weights["alpha"], weights.get("beta", 0.0)
        phi, gamma = weights.get("phi", 0.0), weights.get("gamma", 0.0)
        damping = np.array([1.0, -phi])
        rounds = np.ones(self.season)  # (1 - B^m) / (1 - B)
        differences = np.zeros(self.season + 1)
        differences[0], differences[-1] = 1.0, -1.0
        lagged_rounds = np.concatenate([[0.0], rounds])
        ar = np.convolve(damping, differences)
        ma = ar + alpha * np.convolve(damping, lagged_rounds)
        ma += beta * phi * np.concatenate([lagged_rounds, [0.0]])
        if self.season > 1:
            last_season = np.zeros(self.season + 1)
            last_season[-1] = gamma
            ma += np.convolve(damping, last_season)
        return ar, ma

    def start_columns(self, steps: Array) -> Array:
        """What the starting level, trend and seasons contribute at each step (counted from 1); the trend is filled
        in by `damp`, for it depends on the damping."""
        trend = [np.zeros_like(steps)] if self.damped_trend else []
        months = ((steps[:, None] - 1) % self.season == np.arange(self.season - 1)).astype(float)
        return np.column_stack([np.ones_like(steps), *trend, months])

    def damp(self, columns: Array, steps: Array, weights: dict[str, float]) -> Array:
        if self.damped_trend:
            phi = weights["phi"]
            columns[:, 1] = phi * (1 - phi**steps) / (1 - phi)
        return columns


def fit_smoothing(
    values: Array,
    *,
    damped_trend: bool,
    season: int,
    horizon: int,
    regressors: Array | None = None,
    future_regressors: Array | None = None,
) -> SeasonalFit:
    """Exponential smoothing with additive error, ETS(A,N,N), (A,N,A), (A,Ad,N) or (A,Ad,A), by maximum likelihood.

    Parameters
    ----------
    values : (n,) consecutive months.
    season : months in a season; 1 for none.
    regressors, future_regressors : (n, k) and (horizon, k) known columns, e.g. working days.

    Notes
    -----
    Weights lie in the usual region (Hyndman et al. 2008, table 2.1 and section 2.5). Starting states are estimated
    by least squares at each weight, which is their maximum likelihood value given the weight.
    """
    count = len(values)
    form = _Smoothing(damped_trend=damped_trend, season=season)
    extra = np.empty((count, 0)) if regressors is None else regressors
    extra_future = np.empty((horizon, 0)) if future_regressors is None else future_regressors
    steps = np.arange(1.0, count + horizon + 1)
    linear_numbers = season + int(damped_trend) + extra.shape[1]
    degrees = linear_numbers + len(form.bounds()) + 1
    if count <= degrees:
        raise FitError(f"exponential smoothing: {count} values cannot fit {degrees} numbers; add history.")

    columns = np.column_stack([form.start_columns(steps), np.concatenate([extra, extra_future])])

    def solve(free: Array) -> tuple[float, Array, Array]:
        weights = form.weights(free)
        ar, ma = form.polynomials(weights)
        inside = form.damp(columns, steps, weights)[:count]
        filtered = lfilter(ar, ma, np.column_stack([values, inside]), axis=0)
        coefficients = np.linalg.lstsq(filtered[:, 1:], filtered[:, 0], rcond=None)[0]
        shocks = filtered[:, 0] - filtered[:, 1:] @ coefficients
        return float(shocks @ shocks), coefficients, shocks

    free = _minimise(lambda point: _gaussian_deviance(solve(point)[0], count), form.start(), form.bounds())
    squares, coefficients, shocks = solve(free)
    weights = form.weights(free)
    ar, ma = form.polynomials(weights)
    without_shocks = form.damp(columns, steps, weights)[count:] @ coefficients
    effects = coefficients[linear_numbers - extra.shape[1] :]
    carried = lfilter(ma, ar, np.concatenate([shocks, np.zeros(horizon)]))[count:]
    impulse = lfilter(ma, ar, np.concatenate([[1.0], np.zeros(horizon - 1)]))
    return SeasonalFit(
        point=without_shocks + carried,
        response=_lower_toeplitz(impulse),
        sigma=float(np.sqrt(squares / (count - degrees + 1))),
        residuals=shocks,
        log_likelihood=-0.5 * _gaussian_deviance(squares, count),
        parameters=weights | {f"x{column}": float(effect) for column, effect in enumerate(effects)},
        degrees=degrees,
    )


def fit_seasonal_moving_average(
    values: Array,
    *,
    season: int,
    horizon: int,
    regressors: Array | None = None,
    future_regressors: Array | None = None,
) -> SeasonalFit:
    """SARIMAX (0,1,1)(0,1,1) with regressors: the airline model, by exact maximum likelihood.

    The likelihood is that of the differenced series, as in Box and Jenkins and in R's ``arima``; the banded
    covariance of a moving average makes it cheap and exact. With `season` 1 it is ARIMA(0,1,1).
    """
    plain = np.array([1.0, -1.0])
    seasonal = np.zeros(season + 1)
    seasonal[0], seasonal[-1] = 1.0, -1.0
    differencing = np.convolve(plain, seasonal) if season > 1 else plain
    lost = len(differencing) - 1
    kept = len(values) - lost
    extra = np.empty((len(values), 0)) if regressors is None else regressors
    extra_future = np.empty((horizon, 0)) if future_regressors is None else future_regressors
    names = ["theta", "seasonal_theta"] if season > 1 else ["theta"]
    degrees = len(names) + extra.shape[1] + 1
    if kept <= degrees + 1:
        raise FitError(f"seasonal moving average: {len(values)} values leave {max(kept, 0)} after differencing; add history.")
    stacked = np.column_stack([values, extra])
    differenced = np.column_stack([np.convolve(column, differencing, mode="valid") for column in stacked.T])

    def moving_average(free: Array) -> Array:
        polynomial = np.array([1.0, free[0]])
        if season > 1:
            last = np.zeros(season + 1)
            last[0], last[-1] = 1.0, free[1]
            polynomial = np.convolve(polynomial, last)
        return polynomial

    def solve(free: Array) -> tuple[float, Array, Array]:
        factor = _moving_average_factor(moving_average(free), kept)
        whitened = dtbtrs(factor, differenced, uplo="L")[0]
        coefficients = np.linalg.lstsq(whitened[:, 1:], whitened[:, 0], rcond=None)[0]
        shocks = whitened[:, 0] - whitened[:, 1:] @ coefficients
        squares = float(shocks @ shocks)
        return _gaussian_deviance(squares, kept) + 2 * float(np.log(factor[0]).sum()), coefficients, shocks

    bounds = [(-1 + _EDGE, 1 - _EDGE)] * len(names)
    free = _minimise(lambda point: solve(point)[0], [-0.4] * len(names), bounds)
    deviance, coefficients, shocks = solve(free)
    polynomial = moving_average(free)

    # Rows of the extended factor give the conditional mean and covariance of the months ahead, exactly.
    factor = _moving_average_factor(polynomial, kept + horizon)
    ahead = np.zeros((horizon, kept + horizon))
    for offset in range(len(polynomial)):
        rows = np.arange(horizon)
        columns = kept + rows - offset
        inside = columns >= 0
        ahead[rows[inside], columns[inside]] = factor[offset, columns[inside]]
    undo = _lower_toeplitz(lfilter([1.0], differencing, np.concatenate([[1.0], np.zeros(horizon - 1)])))
    past = (values - extra @ coefficients)[len(values) - lost :]
    no_shock = np.concatenate([past, np.zeros(horizon)])
    for step in range(horizon):
        no_shock[lost + step] = -differencing[1:] @ no_shock[step : lost + step][::-1]
    squares = float(shocks @ shocks)
    return SeasonalFit(
        point=no_shock[lost:] + undo @ (ahead[:, :kept] @ shocks) + extra_future @ coefficients,
        response=undo @ ahead[:, kept:],
        sigma=float(np.sqrt(squares / (kept - degrees + 1))),
        residuals=np.concatenate([np.full(lost, np.nan), shocks * factor[0, :kept]]),
        log_likelihood=-0.5 * deviance,
        parameters=dict(zip(names, map(float, free), strict=True))
        | {"sigma2": squares / kept}
        | {f"x{column}": float(effect) for column, effect in enumerate(coefficients)},
        degrees=degrees,
    )


def _moving_average_factor(polynomial: Array, size: int) -> Array:
    """Banded lower Cholesky factor of the covariance of a unit-variance moving average, (order + 1, size)."""
    order = len(polynomial) - 1
    covariance = np.zeros((order + 1, size))
    for lag in range(min(order, size - 1) + 1):
        covariance[lag, : size - lag] = polynomial[: order + 1 - lag] @ polynomial[lag:]
    factor: Array = cholesky_banded(covariance, lower=True, check_finite=False)
    return factor


def _lower_toeplitz(first_column: Array) -> Array:
    size = len(first_column)
    lag = np.arange(size)[:, None] - np.arange(size)[None, :]
    return np.where(lag >= 0, first_column[np.abs(lag)], 0.0)


def _gaussian_deviance(squares: float, count: int) -> float:
    """Minus twice the log-likelihood with the variance at its maximum."""
    # A series that the model reproduces exactly has no finite likelihood; the floor keeps the search defined.
    return float(count * (np.log(2 * np.pi * max(squares, 1e-300) / count) + 1))


def _minimise(
    deviance: Callable[[Array], float], start: list[float], bounds: list[tuple[float, float]]
) -> Array:
    result = minimize(deviance, np.array(start), method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-10})
    if not np.all(np.isfinite(result.x)) or not np.isfinite(result.fun):
        raise FitError(f"seasonal model: the likelihood is not finite at {result.x}; check the series for gaps.")
    point: Array = result.x
    return point
