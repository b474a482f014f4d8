"""Seasonal time-series models whose forecasts are linear in their shocks: statsmodels' ETS and SARIMAX in one shape.

Three families, one shape of answer (`SeasonalFit`): the seasonal naive, exponential smoothing with additive errors
(`ETSModel`), and the airline model with regressors (`SARIMAX`). In all of them

    y[n+h] = point[h] + sum over j <= h of spread[h, j] * z[j],      z independent standard normal,

so sums over months, sums over series and their intervals follow by arithmetic. `spread` holds the coming shocks only:
that the fitted numbers are uncertain themselves is left to the backtest, whose errors hold it (see `forecasting`).

Values are standardised before a fit, because the optimisers search in units of one, and starting states in units of
money beside weights between 0 and 1 stop them early.

Sources: Hyndman, Koehler, Ord and Snyder (2008), *Forecasting with Exponential Smoothing*, ch. 2, 5 and 6;
Box, Jenkins and Reinsel (1994), *Time Series Analysis*, ch. 7 and 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import toeplitz

from analysis.errors import FitError, ParameterError, suggestion
from analysis.stats.arguments import in_words
from analysis.summaries import Summarised

Array = NDArray[np.float64]

# A series that its model reproduces up to this part of its standard deviation has no likelihood to maximise.
_EXACT = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class SeasonalFit(Summarised):
    """A fitted series and its next `h` steps.

    Attributes
    ----------
    point : (h,) expected value of each step, on the scale the model was fitted on.
    spread : (h, h) lower triangular factor of the covariance of the h errors.
    sigma : standard deviation of one shock, with degrees of freedom taken off for every fitted number.
    residuals : (n,) one-step errors within the sample; nan where the model has no prediction yet.
    log_likelihood : maximised Gaussian log-likelihood (nan for the naive, which is not fitted).
    parameters : fitted numbers by name; regression coefficients as ``x0``, ``x1`` ...
    degrees : how many numbers were fitted, sigma included.

    Examples
    --------
    >>> from analysis import stats
    >>> fit = stats.seasonal_model([3, 5, 4, 6, 3, 5, 4, 6], model="seasonal_naive", season=4, horizon=2)
    >>> fit.point.tolist(), fit.step_sd.tolist()  # each quarter has repeated itself exactly
    ([3.0, 5.0], [0.0, 0.0])
    """

    point: Array
    spread: Array
    sigma: float
    residuals: Array
    log_likelihood: float
    parameters: dict[str, float]
    degrees: int

    @property
    def step_sd(self) -> Array:
        """(h,) standard deviation of each step's error."""
        sd: Array = np.sqrt((self.spread**2).sum(axis=1))
        return sd

    @property
    def aic(self) -> float:
        """Akaike's criterion with sigma counted as a parameter."""
        return -2.0 * self.log_likelihood + 2.0 * self.degrees


Named = Literal["seasonal_naive", "smoothing", "smoothing_trend", "airline"]
_NAMED = ("seasonal_naive", "smoothing", "smoothing_trend", "airline")


@in_words(rows="values")
def seasonal_model(values: ArrayLike, *, model: Named, season: int = 12, horizon: int = 12) -> SeasonalFit:
    """One named model of a series, with its parameters: what `forecast` chooses among.

    Parameters
    ----------
    values : (periods,) numbers in order of time, any unit
        Take logs first for a model of the logs.
    model : str
        ``seasonal_naive``; ``smoothing``, ETS(A,N,A), and ``smoothing_trend``, ETS(A,Ad,A) (without a season where `season` is 1); ``airline``,
        SARIMA(0,1,1)(0,1,1).
    season : int
        Periods in a season; 1 for none.
    horizon : int
        Periods ahead.

    Returns
    -------
    SeasonalFit

    Raises
    ------
    FitError
        For a history too short for the model, with missing values, or without noise.
    ParameterError
        For an unknown model, or a season or horizon below one.

    Source
    ------
    Box, Jenkins and Reinsel (1994), *Time Series Analysis*, ch. 9 (airline model); Hyndman, Koehler, Ord and Snyder (2008), *Forecasting with
    Exponential Smoothing*, ch. 2 and 5.

    Examples
    --------
    >>> from analysis import stats
    >>> fit = stats.seasonal_model([3, 5, 4, 6, 3, 5, 4, 7], model="seasonal_naive", season=4, horizon=4)
    >>> fit.point.tolist()
    [3.0, 5.0, 4.0, 7.0]
    """
    if model not in _NAMED:
        raise ParameterError(f"seasonal_model: unknown model {model!r}.{suggestion(model, _NAMED)}")
    if season < 1 or horizon < 1:
        raise ParameterError(f"seasonal_model: season {season} and horizon {horizon} are one period or more.")
    series = np.asarray(values, dtype=float)
    if not np.isfinite(series).all():
        raise FitError("seasonal_model: values are missing; a period without value breaks the series.")
    if model == "seasonal_naive":
        return fit_seasonal_naive(series, season=season, horizon=horizon)
    if model == "airline":
        return fit_seasonal_moving_average(series, season=season, horizon=horizon)
    return fit_smoothing(series, damped_trend=model == "smoothing_trend", season=season, horizon=horizon)


def fit_seasonal_naive(values: Array, *, season: int, horizon: int) -> SeasonalFit:
    """Each month repeats the same month a year earlier; shocks add up from year to year.

    Parameters
    ----------
    values : (n,) consecutive months.
    season, horizon : months in a season; months ahead.

    Raises
    ------
    FitError for a history of one season or less.
    """
    count = len(values)
    if count <= season:
        raise FitError(f"seasonal naive: {count} values do not exceed one season of {season}; add history.")
    residuals = np.full(count, np.nan)
    residuals[season:] = values[season:] - values[:-season]
    steps = np.arange(horizon)
    sigma = float(np.sqrt(np.mean(residuals[season:] ** 2)))
    return SeasonalFit(
        point=values[count - season + steps % season],
        spread=sigma * _lower_toeplitz((steps % season == 0).astype(float)),
        sigma=sigma,
        residuals=residuals,
        log_likelihood=float("nan"),
        parameters={},
        degrees=1,
    )


def fit_smoothing(values: Array, *, damped_trend: bool, season: int, horizon: int) -> SeasonalFit:
    """Exponential smoothing with additive error, ETS(A,N,N), (A,N,A), (A,Ad,N) or (A,Ad,A), by maximum likelihood.

    Parameters
    ----------
    values : (n,) consecutive months.
    damped_trend : whether a trend that dies away is part of it.
    season : months in a season; 1 for none.
    horizon : months ahead.

    Notes
    -----
    statsmodels' `ETSModel`: weights in the usual region (Hyndman et al. 2008, table 2.1 and section 2.5), starting
    states estimated with them.

    Raises
    ------
    FitError for a history too short for its numbers or two seasons, and for one without noise.
    """
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    count = len(values)
    searched = 2 * int(damped_trend) + int(season > 1) + 1
    degrees = searched + season + int(damped_trend) + 1  # one starting season follows from the others
    if count <= degrees:
        raise FitError(f"exponential smoothing: {count} values cannot fit {degrees} numbers; add history.")
    if season > 1 and count < 2 * season:
        raise FitError(f"exponential smoothing: {count} values are not two seasons of {season}; add history.")
    scaled, centre, scale = _standardised(values)
    result = ETSModel(
        scaled,
        error="add",
        trend="add" if damped_trend else None,
        damped_trend=damped_trend,
        seasonal="add" if season > 1 else None,
        seasonal_periods=season if season > 1 else None,
    ).fit(disp=False)
    residuals = np.asarray(result.resid, dtype=float)
    sigma = _sigma(float(residuals @ residuals), count - degrees + 1)
    # Column 0 of the simulation has no shock: it is the forecast. The others have a unit shock in one step each.
    paths = np.asarray(
        result.simulate(
            horizon,
            anchor="end",
            repetitions=horizon + 1,
            random_errors=np.column_stack([np.zeros(horizon), np.eye(horizon)]),
        )
    )
    names = {
        "smoothing_level": "alpha",
        "smoothing_trend": "beta",
        "damping_trend": "phi",
        "smoothing_seasonal": "gamma",
    }
    fitted = dict(zip(result.param_names, map(float, result.params), strict=True))
    return SeasonalFit(
        point=centre + scale * paths[:, 0],
        spread=scale * sigma * np.tril(paths[:, 1:] - paths[:, :1]),
        sigma=scale * sigma,
        residuals=scale * residuals,
        log_likelihood=float(result.llf) - count * float(np.log(scale)),
        parameters={ours: fitted[theirs] for theirs, ours in names.items() if theirs in fitted},
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

    Parameters
    ----------
    values : (n,) consecutive months.
    season, horizon : months in a season (1: ARIMA(0,1,1)); months ahead.
    regressors, future_regressors : (n, k) and (horizon, k) known columns, e.g. working days.

    Notes
    -----
    The likelihood is that of the differenced series, as in Box and Jenkins and in R's ``arima``; the forecast comes
    from the undifferenced state space at the same numbers.

    Raises
    ------
    FitError for a history too short after differencing, and for one without noise.
    """
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    seasonal = season > 1
    extra = np.empty((len(values), 0)) if regressors is None else regressors
    lost = 1 + season * int(seasonal)
    kept = len(values) - lost
    degrees = 2 + int(seasonal) + extra.shape[1]
    if kept <= degrees + 1:
        raise FitError(
            f"seasonal moving average: {len(values)} values leave {max(kept, 0)} after differencing; add history."
        )
    scaled, centre, scale = _standardised(values)
    options = {
        "exog": extra if extra.shape[1] else None,
        "order": (0, 1, 1),
        "seasonal_order": (0, 1, 1, season) if seasonal else (0, 0, 0, 0),
        "concentrate_scale": True,
    }
    start = [*np.zeros(extra.shape[1]), *[-0.4] * (1 + int(seasonal))]
    fitted = SARIMAX(scaled, simple_differencing=True, **options).fit(
        start_params=start, disp=False, cov_type="none"
    )
    result = SARIMAX(scaled, **options).filter(fitted.params, cov_type="none")
    future = future_regressors if extra.shape[1] else None
    ahead = result.get_forecast(horizon, exog=future)
    residuals = np.concatenate([np.full(lost, np.nan), np.asarray(fitted.resid, dtype=float)])
    sigma = _sigma(float(fitted.scale) * kept, kept - degrees + 1)
    covariance = _covariance_ahead(result, horizon) / float(result.scale)
    effects, weights = np.split(np.asarray(fitted.params, dtype=float), [extra.shape[1]])
    return SeasonalFit(
        point=centre + scale * np.asarray(ahead.predicted_mean),
        spread=scale * sigma * np.linalg.cholesky(covariance).astype(np.float64),
        sigma=scale * sigma,
        residuals=scale * residuals,
        log_likelihood=float(fitted.llf) - kept * float(np.log(scale)),
        parameters=dict(zip(["theta", "seasonal_theta"], map(float, weights), strict=False))
        | {"sigma2": float(fitted.scale) * scale**2}
        | {f"x{column}": scale * float(effect) for column, effect in enumerate(effects)},
        degrees=degrees,
    )


def _covariance_ahead(result: Any, horizon: int) -> Array:
    """(horizon, horizon) covariance of the forecast errors of a state space: statsmodels gives its diagonal only.

    The state one step ahead has the filter's covariance, and each later step adds its own shock.
    """
    states = result.filter_results
    design, transition = states.design[:, :, -1], states.transition[:, :, -1]
    selection = states.selection[:, :, -1]
    shock = selection @ states.state_cov[:, :, -1] @ selection.T
    powers = [design]
    for _ in range(horizon - 1):
        powers.append(powers[-1] @ transition)
    loading = np.concatenate(powers)
    covariance = loading @ states.predicted_state_cov[:, :, -1] @ loading.T
    for step in range(1, horizon):
        later = np.concatenate([np.zeros((step, loading.shape[1])), loading[: horizon - step]])
        covariance += later @ shock @ later.T
    return np.asarray(covariance, dtype=float)


def _standardised(values: Array) -> tuple[Array, float, float]:
    """The values with mean zero and standard deviation one, the mean, and the standard deviation."""
    centre, scale = float(values.mean()), float(values.std())
    if scale <= _EXACT * max(abs(centre), 1e-300):
        raise FitError("seasonal model: the series never varies; a model has nothing to fit.")
    return (values - centre) / scale, centre, scale


def _sigma(squares: float, freedom: int) -> float:
    """Standard deviation of a shock from the sum of their squares; refused where nothing is left to chance."""
    sigma = float(np.sqrt(squares / freedom))
    if not sigma > _EXACT:
        raise FitError("seasonal model: the model reproduces the series exactly; it has no noise to fit.")
    return sigma


def _lower_toeplitz(first_column: Array) -> Array:
    matrix: Array = np.tril(toeplitz(first_column))
    return matrix
