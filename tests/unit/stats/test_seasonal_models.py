"""The own likelihoods against statsmodels, and the laws of their forecasts."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.statespace.sarimax import SARIMAX

from analysis.errors import FitError
from analysis.stats.seasonal_models import fit_seasonal_moving_average, fit_seasonal_naive, fit_smoothing


def seasonal_series(seed: int, count: int = 72) -> np.ndarray:
    random = np.random.default_rng(seed)
    season = 8 * np.sin(2 * np.pi * np.arange(count) / 12)
    return 100 + season + np.cumsum(random.normal(0.1, 1, count)) + random.normal(0, 1.5, count)


@pytest.mark.parametrize("seed", range(3))
def test_seasonal_moving_average_agrees_with_statsmodels(seed):
    values = seasonal_series(seed)
    fit = fit_seasonal_moving_average(values, season=12, horizon=12)
    model = SARIMAX(values, order=(0, 1, 1), seasonal_order=(0, 1, 1, 12))
    at = [fit.parameters["theta"], fit.parameters["seasonal_theta"], fit.parameters["sigma2"]]
    oracle = model.smooth(at)
    ahead = oracle.get_forecast(12)
    assert fit.point == pytest.approx(ahead.predicted_mean, rel=1e-4)
    ours = fit.step_sd / fit.sigma * np.sqrt(fit.parameters["sigma2"])
    assert ours == pytest.approx(ahead.se_mean, rel=1e-3)
    exact = SARIMAX(values, order=(0, 1, 1), seasonal_order=(0, 1, 1, 12), simple_differencing=True)
    assert fit.log_likelihood == pytest.approx(exact.loglike(at), abs=1e-6)


def test_regressor_is_recovered_and_used_ahead():
    values = seasonal_series(5, 84)
    days = np.random.default_rng(6).integers(18, 24, size=(96, 1)).astype(float)
    loaded = values + 3 * days[:84, 0]
    fit = fit_seasonal_moving_average(
        loaded, season=12, horizon=12, regressors=days[:84], future_regressors=days[84:]
    )
    model = SARIMAX(loaded, exog=days[:84], order=(0, 1, 1), seasonal_order=(0, 1, 1, 12))
    oracle = model.fit(disp=0)
    assert fit.parameters["x0"] == pytest.approx(oracle.params[0], abs=0.02)
    assert fit.point == pytest.approx(oracle.get_forecast(12, exog=days[84:]).predicted_mean, rel=2e-3)


@pytest.mark.parametrize("damped_trend", [False, True])
@pytest.mark.parametrize("season", [1, 12])
def test_smoothing_agrees_with_statsmodels(damped_trend, season):
    values = seasonal_series(2)
    fit = fit_smoothing(values, damped_trend=damped_trend, season=season, horizon=12)
    model = ETSModel(
        values,
        error="add",
        trend="add" if damped_trend else None,
        damped_trend=damped_trend,
        seasonal="add" if season > 1 else None,
        seasonal_periods=season if season > 1 else None,
    )
    oracle = model.fit(disp=False, maxiter=2000)
    # The oracle searches over all starting states; at best it comes as far as the exact least squares do.
    assert oracle.llf <= fit.log_likelihood + 1e-6
    assert fit.log_likelihood == pytest.approx(oracle.llf, abs=6.0)


def test_smoothing_forecast_follows_from_its_recursion():
    values = seasonal_series(4, 48)
    fit = fit_smoothing(values, damped_trend=True, season=12, horizon=24)
    alpha, beta, phi, gamma = (fit.parameters[name] for name in ("alpha", "beta", "phi", "gamma"))

    # Run the textbook recursion from the least-squares states (one season is redundant).
    def run(state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        level, trend, seasons = state[0], state[1], list(state[2:])
        errors = []
        for value in values:
            error = value - (level + phi * trend + seasons[0])
            errors.append(error)
            level, trend = level + phi * trend + alpha * error, phi * trend + beta * error
            seasons = [*seasons[1:], seasons[0] + gamma * error]
        ahead = []
        for step in range(24):
            trend *= phi
            level += trend
            ahead.append(level + seasons[step % 12])
        return np.array(errors), np.array(ahead)

    zero = run(np.zeros(14))[0]
    effects = np.column_stack([run(unit)[0] - zero for unit in np.eye(14)])
    state = np.linalg.lstsq(effects, -zero, rcond=1e-9)[0]
    errors, ahead = run(state)
    # The library searches for the starting states, so they lie near the least-squares ones, not on them.
    assert errors == pytest.approx(fit.residuals, abs=1e-3)
    assert ahead == pytest.approx(fit.point, abs=1e-3)


def test_seasonal_naive_repeats_the_year_and_its_error_steps_up_yearly():
    values = seasonal_series(1, 36)
    fit = fit_seasonal_naive(values, season=12, horizon=24)
    assert fit.point == pytest.approx(np.tile(values[24:], 2))
    assert fit.step_sd[12:] == pytest.approx(np.sqrt(2) * fit.step_sd[:12])


def test_too_short_a_history_is_refused():
    with pytest.raises(FitError, match=r"10 values cannot fit 15 numbers; add history"):
        fit_smoothing(np.arange(10.0), damped_trend=False, season=12, horizon=3)
    with pytest.raises(FitError, match=r"14 values leave 1 after differencing"):
        fit_seasonal_moving_average(np.arange(14.0), season=12, horizon=3)
    with pytest.raises(FitError, match=r"12 values do not exceed one season of 12"):
        fit_seasonal_naive(np.arange(12.0), season=12, horizon=3)
