"""Exponential smoothing chosen by the corrected information criterion, multiplicative error and season included.

`forecast` chooses by what its candidates would have missed by in the past; this is the textbook's automatic choice among all ETS models, for
a series whose season grows with its level. statsmodels fits each; we only choose.

Source: Hyndman, Koehler, Ord and Snyder (2008), *Forecasting with Exponential Smoothing*, chapters 2 and 7; Hyndman and Athanasopoulos (2018),
*Forecasting: Principles and Practice*, 2nd ed., section 7.6.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import FitError, ParameterError, suggestion
from analysis.stats.arguments import confidence_level, in_words
from analysis.summaries import Summarised

_ERRORS = {"A": "add", "M": "mul"}
_TRENDS = {"N": (None, False), "A": ("add", False), "Ad": ("add", True)}
_SEASONS = {"N": None, "A": "add", "M": "mul"}
_DRAWS = 5_000


@dataclass(frozen=True, kw_only=True, eq=False)
class ChosenSmoothing(Summarised):
    """The model of lowest AICc, its forecast, and how the others fared.

    Attributes
    ----------
    model : str
        Such as `ETS(M,A,M)`: error, trend, season; N none, A additive, Ad additive and damped, M multiplicative.
    forecast : DataFrame, one row per step ahead
        `point` (without shocks), `low`, `high`, in the unit of the series.
    compared : DataFrame, one row per model that could be fitted, the best first
        `model`, `aicc`, `log_likelihood`, `parameters` (their number).
    parameters : dict of the smoothing parameters
    level : float

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import stats
    >>> values = pd.Series([10.2, 9.8, 10.1, 9.9, 10.0, 10.3, 9.7, 10.1, 9.9, 10.2, 9.8, 10.0])
    >>> found = stats.exponential_smoothing(values, season=1, horizon=2)
    >>> found.compared["model"].iloc[0] == found.model
    True
    """

    model: str
    forecast: pd.DataFrame
    compared: pd.DataFrame
    parameters: dict[str, float]
    level: float


@in_words(rows="values")
def exponential_smoothing(
    values: pd.Series,
    *,
    model: str | None = None,
    season: int = 12,
    horizon: int = 12,
    level: float = 0.95,
    seed: int = 0,
) -> ChosenSmoothing:
    """Choose an ETS model by AICc, or take the one that is named, and forecast with it.

    Parameters
    ----------
    values : (periods,) Series of numbers in order of time, any unit
        Models with multiplicative parts are tried where every value is above zero.
    model : str, optional
        Such as ``ETS(M,A,M)``: this one alone.
    season : int
        Periods in a season; 1 for none. A season is tried where at least two are there.
    horizon : int
        Periods ahead.
    level : float, share 0 to 1
        Coverage of the limits.
    seed : int
        Of the simulated futures that make the limits.

    Returns
    -------
    ChosenSmoothing

    Raises
    ------
    FitError
        For missing values, or a series too short or too constant for any of the models.
    ParameterError
        For an impossible level, or a model that is none of those that can be fitted to the series.

    Source
    ------
    Hyndman and Athanasopoulos (2018), section 7.6; combinations that are numerically unstable (additive error with multiplicative season) are left out
    as there.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import stats
    >>> level = pd.Series([10.2, 9.8, 10.1, 9.9, 10.0, 10.3, 9.7, 10.1, 9.9, 10.2, 9.8, 10.0])
    >>> found = stats.exponential_smoothing(level, season=1, horizon=2)
    >>> found.model in ("ETS(A,N,N)", "ETS(M,N,N)"), len(found.forecast)
    (True, 2)
    """
    level = confidence_level(level)
    series = np.asarray(values, dtype=float)
    if not np.isfinite(series).all():
        raise FitError("exponential_smoothing: values are missing; a period without value breaks the series.")
    found = {name: fit for name, fit in _fitted(series, season).items() if np.isfinite(fit.aicc)}
    if not found:
        raise FitError(
            f"exponential_smoothing: {len(series)} values are too few, or too constant, for any of the models; add history."
        )
    if model is not None:
        if model not in found:
            raise ParameterError(
                f"exponential_smoothing: {model!r} is none of the models for this series: {', '.join(found)}.{suggestion(model, found)}"
            )
        found = {model: found[model]}
    compared = pd.DataFrame(
        [
            {"model": name, "aicc": fit.aicc, "log_likelihood": fit.llf, "parameters": len(fit.params)}
            for name, fit in found.items()
        ]
    ).sort_values("aicc", kind="stable", ignore_index=True)
    best = str(compared["model"][0])
    fit = found[best]
    return ChosenSmoothing(
        model=best,
        forecast=_ahead(fit, horizon, level, seed),
        compared=compared,
        parameters={
            name: float(value)
            for name, value in zip(fit.model.param_names, fit.params, strict=True)
            if name.startswith(("smoothing", "damping"))
        },
        level=level,
    )


def _fitted(series: np.ndarray, season: int) -> dict[str, Any]:
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    positive = bool((series > 0).all())
    seasonal = season > 1 and len(series) >= 2 * season
    found = {}
    for error, trend, period in (
        (error, trend, period) for error in _ERRORS for trend in _TRENDS for period in _SEASONS
    ):
        multiplied = "M" in (error, period)
        if (multiplied and not positive) or (period != "N" and not seasonal) or (error, period) == ("A", "M"):
            continue
        kind, damped = _TRENDS[trend]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = ETSModel(
                    series,
                    error=_ERRORS[error],
                    trend=kind,
                    damped_trend=damped,
                    seasonal=_SEASONS[period],
                    seasonal_periods=season if period != "N" else None,
                )
                found[f"ETS({error},{trend},{period})"] = model.fit(disp=False)
        except (ValueError, np.linalg.LinAlgError, NotImplementedError, ZeroDivisionError):
            continue  # too short or too constant for this one; the others are compared
    return found


def _ahead(fit: Any, horizon: int, level: float, seed: int) -> pd.DataFrame:
    """The forecast without shocks, and limits from simulated futures, which hold for every model."""
    point = np.asarray(fit.forecast(horizon))
    draws = np.asarray(
        fit.simulate(horizon, anchor="end", repetitions=_DRAWS, rng=np.random.default_rng(seed))
    )
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=1)
    return pd.DataFrame(
        {"point": point, "low": low, "high": high}, index=pd.RangeIndex(1, horizon + 1, name="step")
    )
