"""Twelve months ahead, with intervals that a backtest has checked.

`forecast` tries several models on the past of the series itself (rolling origin), takes the one with the smallest
scaled error, and widens its intervals where they covered less of the past than they promised. `forecast_parts` does so for the parts
and their total and reconciles them, so that the parts add up to the total in every month and in every simulated future.

A quantity that was never negative is forecast with a floor at zero (`_Floor`): an expected value, a limit or a simulated future below it
describes nothing that can happen, and a sum over months of such futures is no sum.

Nothing here reads a clock or draws without a seed: the same history gives the same forecast.

Sources: Hyndman and Koehler (2006), *Int. J. Forecasting* 22, 679-688 (MASE); Gneiting and Raftery (2007), *JASA* 102,
359-378, section 6.2 (interval score); Wickramasuriya, Athanasopoulos and Hyndman (2019), *JASA* 114, 804-819 (minimum
trace reconciliation); Panagiotelis et al. (2023), *EJOR* 306, 693-706 (reconciling draws); Di Fonzo and Girolimetto (2023), *Solar
Energy* 251, 13-29 (negative parts set to zero, the total from the parts); Schäfer and Strimmer (2005), *Stat. Appl. Genet. Mol. Biol.* 4, 32
(shrinkage).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

from analysis.errors import FitError, ParameterError, suggestion
from analysis.stats.arguments import confidence_level, in_words
from analysis.stats.intermittent import fit_intermittent, fit_seasonal_shares
from analysis.stats.seasonal_models import (
    Array,
    SeasonalFit,
    fit_seasonal_moving_average,
    fit_seasonal_naive,
    fit_smoothing,
)
from analysis.stats.threads import one_thread
from analysis.summaries import Summarised

# In the order in which they win a tie: the simplest first.
CANDIDATES = (
    "seasonal_naive",
    "level",
    "ets",
    "ets_trend",
    "sarimax",
    "average",
    "log_ets",
    "log_ets_trend",
    "log_sarimax",
    "log_average",
    "intermittent",
    "seasonal_shares",
)
_WITH_ZEROS = ("intermittent", "seasonal_shares")
_AVERAGED = ("ets", "ets_trend", "sarimax")
_DRAWS = 4000
_MOST_ORIGINS = 8
_FEWEST_ORIGINS = 4
_LEAST_EXPECTED = (
    0.05  # of an error's standard deviation: what may happen is never expected to be nothing at all
)
_LOWEST_PLACE = -0.9  # of the centre of an error cut off at zero, in its standard deviations
_FAR_FROM_FLOOR = 5.0  # standard deviations above the floor from which it changes no printed digit


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecast(Summarised):
    """What the next months are expected to be, how far off they may be, and how well that worked in the past.

    Attributes
    ----------
    table : one row per step ahead, indexed by month (or by position where the history has no months)
        `step`, `point` (expected value), `low`, `high` at `level`.
    level : coverage promised for each single month.
    candidate : the model that was chosen.
    backtest : one row per candidate
        `mase` (mean absolute error ÷ mean absolute error of the seasonal naive within the training window; below 1
        is better), `rmse`, `coverage` (share of actuals inside the interval before widening),
        `interval_score` (width plus misses, smaller is better), `origins`, `errors_scored`, `chosen`, `note`.
    backtest_errors : one row per candidate x origin x step: `actual`, `point`, `low`, `high`.
    parameters, log_likelihood : of the chosen model on the whole history (on its own scale).
    widening : factor (>= 1) put on the model's standard deviations because the backtest asked for it.
    draws : (draws, steps) simulated futures; the source of every statement about sums.
    notes : doubts in words, e.g. a history too short to backtest.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import stats
    >>> past = pd.Series([10.0, 20.0] * 18, index=pd.period_range("2023-11", periods=36, freq="M"))
    >>> ahead = stats.forecast(past, horizon=2, candidates=["seasonal_naive"])
    >>> ahead.table["point"].to_dict()
    {Period('2026-11', 'M'): 10.0, Period('2026-12', 'M'): 20.0}
    >>> ahead.total(), ahead.probability_above(25.0)  # (expected, low, high) of the sum
    ((30.0, 30.0, 30.0), 1.0)
    """

    table: pd.DataFrame
    level: float
    candidate: str
    backtest: pd.DataFrame
    backtest_errors: pd.DataFrame
    parameters: dict[str, float]
    log_likelihood: float
    widening: float
    draws: Array
    notes: tuple[str, ...] = ()

    @in_words()
    def interval(self, level: float) -> pd.DataFrame:
        """Limits of each step at another level, from the draws.

        Parameters
        ----------
        level : float, share 0 to 1
            Coverage of each interval.

        Returns
        -------
        DataFrame, one row per step
            `low`, `high`.

        Raises
        ------
        ParameterError
            For a level outside 0 to 1.
        """
        confidence_level(level)
        return _interval_of(self.draws, level=level, index=self.table.index)

    @in_words()
    def total(self, steps: slice = slice(None), *, already: float = 0.0) -> tuple[float, float, float]:
        """Sum over the steps, plus what is booked already.

        Parameters
        ----------
        steps : slice
            Positions of the steps; all without it.
        already : float, in the unit of the history
            Booked so far.

        Returns
        -------
        tuple of three numbers
            Expected, low, high.

        Raises
        ------
        ParameterError
            For what is no number.
        """
        return _total_of(self.table["point"].to_numpy(), self.draws, steps, already=already, level=self.level)

    @in_words()
    def probability_above(
        self, threshold: float, steps: slice = slice(None), *, already: float = 0.0
    ) -> float:
        """Share of futures in which the sum exceeds a threshold, e.g. the rest of a year's budget.

        Parameters
        ----------
        threshold : float, in the unit of the history
            To be exceeded.
        steps : slice
            Positions of the steps; all without it.
        already : float, in the unit of the history
            Booked so far.

        Returns
        -------
        float
            0 to 1.

        Raises
        ------
        ParameterError
            For what is no number.
        """
        return float(np.mean(already + self.draws[:, steps].sum(axis=1) > threshold))


@dataclass(frozen=True, kw_only=True, eq=False)
class ReconciledForecast(Summarised):
    """Forecasts of the parts and of their total that add up.

    Attributes
    ----------
    table : one row per part x step, the total under `total_name`
        `part`, `month` (or position), `step`, `base_point` (before reconciliation), `point`, `low`, `high`.
        Points and every draw add up over the parts; interval limits do not and must not.
    level : coverage promised for each single month.
    total_name : the total's name among the parts.
    base : the forecast of each series by itself, with its backtest.
    draws : simulated futures by part, (draws, steps); the total is the sum of the parts, draw by draw.
    notes : doubts in words.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import stats
    >>> months = pd.period_range("2023-11", periods=36, freq="M")
    >>> parts = pd.DataFrame({"labour": [10.0, 20.0] * 18, "material": [5.0, 1.0] * 18}, index=months)
    >>> ahead = stats.forecast_parts(parts, horizon=2, candidates=["seasonal_naive"])
    >>> [round(ahead.total(part)[0], 6) for part in ("labour", "material", None)]
    [30.0, 6.0, 36.0]
    """

    table: pd.DataFrame
    level: float
    total_name: str
    base: dict[str, Forecast]
    draws: dict[str, Array]
    notes: tuple[str, ...] = ()

    @in_words()
    def total(
        self, part: str | None = None, steps: slice = slice(None), *, already: float = 0.0
    ) -> tuple[float, float, float]:
        """Sum over the steps for a part, or for the total.

        Parameters
        ----------
        part : str, optional
            Name of the part; the total without it.
        steps : slice
            Positions of the steps; all without it.
        already : float, in the unit of the parts
            Booked so far.

        Returns
        -------
        tuple of three numbers
            Expected, low, high.

        Raises
        ------
        ParameterError
            For a part that is not there.
        """
        name = self._known(part)
        point = self.table.loc[self.table["part"] == name, "point"].to_numpy()
        return _total_of(point, self.draws[name], steps, already=already, level=self.level)

    @in_words()
    def probability_above(
        self, threshold: float, part: str | None = None, steps: slice = slice(None), *, already: float = 0.0
    ) -> float:
        """Chance that the sum over the steps exceeds a threshold.

        Parameters
        ----------
        threshold : float, in the unit of the parts
            To be exceeded.
        part : str, optional
            Name of the part; the total without it.
        steps : slice
            Positions of the steps; all without it.
        already : float, in the unit of the parts
            Booked so far.

        Returns
        -------
        float
            0 to 1.

        Raises
        ------
        ParameterError
            For a part that is not there.
        """
        draws = self.draws[self._known(part)]
        return float(np.mean(already + draws[:, steps].sum(axis=1) > threshold))

    def _known(self, part: str | None) -> str:
        name = self.total_name if part is None else part
        if name not in self.draws:
            raise ParameterError(f"forecast: no part {name!r}.{suggestion(name, self.draws)}")
        return name


@one_thread
@in_words(series="history")
def forecast(
    history: pd.Series,
    *,
    horizon: int = 12,
    season: int = 12,
    level: float = 0.95,
    candidates: Sequence[str] = CANDIDATES,
    regressors: pd.DataFrame | None = None,
    seed: int = 0,
    refits: int = 0,
    non_negative: bool | None = None,
) -> Forecast:
    """Forecast a monthly series with the candidate that did best on the series' own past.

    Parameters
    ----------
    history : (months,) Series of numbers, in any unit
        One value per consecutive month, oldest first, indexed by months (PeriodIndex or dates) or positions. Gaps and missing values are refused.
    horizon, season : int, months
        Ahead; in a season.
    level : float, share 0 to 1
        Coverage of each month's interval.
    candidates : names
        Out of `CANDIDATES`. Those in ``log_`` need positive values and are left out otherwise; ``intermittent`` and ``seasonal_shares`` are for series
        that are zero in some months, and are left out elsewhere.
    regressors : (months and horizon, columns) DataFrame of numbers, optional
        Known columns (e.g. working days) for the history and the horizon, same index; used by the SARIMAX candidates.
    seed : int
        Of the simulated futures.
    refits : int
        Histories resampled from the chosen model, on which it is fitted anew; the futures then hold the uncertainty of its parameters too. 0 leaves that
        to the widening.
    non_negative : bool, optional
        The quantity cannot be negative (a count, an amount of cost); None: it is taken so where the history never was.

    Returns
    -------
    Forecast

    Raises
    ------
    FitError
        For gaps, missing values, or too short a history.
    ParameterError
        For an unknown candidate, an impossible option, or what is no number.

    Notes
    -----
    Rolling origin: the first origin has at least two seasons behind it, up to eight origins, every step up to the
    horizon (or as many as the history allows) is scored, and parameters are fitted anew at each origin. The winner has
    the smallest MASE, so its own backtest flatters it a little: expect somewhat more in earnest. Intervals are Gaussian
    on the model's scale, and are widened by the root mean square of the backtest's standardised errors where that exceeds
    one. With ``refits``, residuals are drawn with replacement onto the fitted values (Efron and Tibshirani 1993, *An
    Introduction to the Bootstrap*, section 9.4), the model is fitted to each such history, and the differences of its
    forecasts are added to the simulated futures; so is the spread between the candidates, each weighed by the inverse of its mean squared error
    in the backtest (Bates and Granger 1969, *Operational Research Quarterly* 20, 451-468), which choosing one of them would leave out (Draper
    1995, *JRSS B* 57, 45-97). A history too short to backtest gets Student's quantile for the few errors behind it.

    With a floor, a month's value is a normal cut off at zero (all below it at zero) with the model's expected value and standard deviation; where
    the expected value is not above zero, it is a twentieth of the standard deviation. Five standard deviations above zero nothing changes.

    Source
    ------
    Hyndman and Koehler (2006), *Int. J. Forecasting* 22, 679-688 (MASE); Gneiting and Raftery (2007), *JASA* 102, 359-378, section 6.2 (interval score);
    the models are those of statsmodels (ETS, SARIMAX) and of `intermittent_demand`.

    Examples
    --------
    A season of twelve that repeats itself is repeated.

    >>> import pandas as pd
    >>> from analysis import stats
    >>> past = pd.Series(list(range(1, 13)) * 3, index=pd.period_range("2023-11", periods=36, freq="M"), dtype=float)
    >>> stats.forecast(past, horizon=3, candidates=["seasonal_naive"]).table["point"].tolist()
    [1.0, 2.0, 3.0]
    """
    return _select(
        history,
        horizon=horizon,
        season=season,
        level=level,
        candidates=candidates,
        regressors=regressors,
        seed=seed,
        refits=refits,
        non_negative=non_negative,
    )[0]


@one_thread
@in_words(tables="parts", numbers="parts")
def forecast_parts(
    parts: pd.DataFrame,
    *,
    total_name: str = "total",
    horizon: int = 12,
    season: int = 12,
    level: float = 0.95,
    candidates: Sequence[str] = CANDIDATES,
    regressors: pd.DataFrame | None = None,
    seed: int = 0,
    refits: int = 0,
    non_negative: bool | None = None,
) -> ReconciledForecast:
    """Forecast the columns of a frame and their sum, reconciled by minimum trace so that they add up.

    Parameters
    ----------
    parts : (months, parts) DataFrame of numbers, all in one unit
        One row per consecutive month, one column per part; no missing values. A part without a posting is zero.
    total_name : str
        The total's name; no part may bear it.
    horizon, season : int, months
        As in `forecast`, like those not named here.
    level : float, share 0 to 1
        Coverage of each month's interval.
    candidates : names
        Out of `CANDIDATES`.
    regressors : (months and horizon, columns) DataFrame of numbers, optional
        Known columns for history and horizon.
    seed : int
        Of the simulated futures.
    refits : int
        Of the total only.
    non_negative : bool, optional
        Of every part; None: of those that never were negative, and of the total where it never was.

    Returns
    -------
    ReconciledForecast

    Raises
    ------
    FitError
        For gaps, missing values, too short a history, or no part.
    ParameterError
        For a part named like the total, an unknown candidate, an impossible option, or what is no number.

    Notes
    -----
    Each series is forecast by itself first. The one-step errors give a covariance (shrunk towards its diagonal), and
    the projection that minimises the total variance of the reconciled errors makes them coherent. Simulated futures are
    drawn jointly with that correlation and projected one by one, so an interval of a sum needs no further assumption. With ``refits`` each
    future of the total is moved by the uncertainty of its own model (see `forecast`), and its parts by the same factor. A part that cannot be
    negative is set to zero in the futures in which the projection would take it below, and the total is the sum of its parts.

    Source
    ------
    Wickramasuriya, Athanasopoulos and Hyndman (2019), *JASA* 114, 804-819 (minimum trace); Panagiotelis et al. (2023), *EJOR* 306, 693-706 (reconciling
    draws); Di Fonzo and Girolimetto (2023), *Solar Energy* 251, 13-29 (negative parts); Schäfer and Strimmer (2005), *Stat. Appl. Genet. Mol. Biol.* 4,
    32 (shrinkage).

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import stats
    >>> months = pd.period_range("2023-11", periods=36, freq="M")
    >>> parts = pd.DataFrame({"labour": [10.0, 20.0] * 18, "material": [5.0, 1.0] * 18}, index=months)
    >>> table = stats.forecast_parts(parts, horizon=2, candidates=["seasonal_naive"]).table
    >>> table.pivot(index="step", columns="part", values="point").round(6).to_dict("list")
    {'labour': [10.0, 20.0], 'material': [5.0, 1.0], 'total': [15.0, 21.0]}
    """
    if total_name in parts.columns:
        raise ParameterError(f"forecast: a part is named {total_name!r} like the total; rename one of them.")
    if parts.shape[1] == 0:
        raise FitError("forecast: there are no parts; give at least one column.")
    series = {str(name): parts[name] for name in parts.columns} | {total_name: parts.sum(axis=1)}
    selected = {
        name: _select(
            values,
            horizon=horizon,
            season=season,
            level=level,
            candidates=candidates,
            regressors=regressors,
            seed=seed,
            refits=refits if name == total_name else 0,
            non_negative=non_negative,
        )
        for name, values in series.items()
    }
    base = {name: one for name, (one, _, _) in selected.items()}
    fits = {name: fit for name, (_, fit, _) in selected.items()}
    covariance = _shrunk_covariance(np.column_stack([fit.residuals for fit in fits.values()]))
    project = _minimum_trace(covariance)
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)
    shocks = np.random.default_rng(seed).standard_normal((_DRAWS, horizon, len(series)))
    shocks = shocks @ np.linalg.cholesky(correlation).T
    simulated = np.stack(
        [
            _draw(fit, shocks[:, :, column], widening=base[name].widening)
            for column, (name, fit) in enumerate(fits.items())
        ],
        axis=2,
    )
    base_points = np.column_stack([base[name].table["point"].to_numpy() for name in series])
    floored = np.array([fit.floored for fit in fits.values()])
    draws, points = _above_floor(simulated @ project.T, base_points @ project.T, floored, weight=scale)
    draws = _moved(draws, points, selected[total_name][2])
    tables = []
    for column, name in enumerate(series):
        interval = _interval_of(draws[:, :, column], level=level, index=base[name].table.index)
        tables.append(
            pd.DataFrame({"part": name, "month": interval.index, "step": np.arange(1, horizon + 1)}).assign(
                base_point=base_points[:, column],
                point=points[:, column],
                low=interval["low"].to_numpy(),
                high=interval["high"].to_numpy(),
            )
        )
    return ReconciledForecast(
        table=pd.concat(tables, ignore_index=True),
        level=level,
        total_name=total_name,
        base=base,
        draws={name: draws[:, :, column] for column, name in enumerate(series)},
        notes=tuple(dict.fromkeys(note for one in base.values() for note in one.notes)),
    )


def _moved(draws: Array, points: Array, shifts: Array) -> Array:
    """Futures whose total moved by ``shifts`` (draws, steps): all parts by one factor, so they still add up; none below zero.

    A total that is not above zero has no factor and stays as it is.
    """
    total = points[:, -1]
    factor = 1 + np.divide(shifts, total, out=np.zeros(shifts.shape), where=total > 0)
    moved: Array = draws * np.maximum(factor, 0.0)[:, :, None]
    return moved


# ----------------------------------------------------------------------------------------------- candidates


def _select(
    history: pd.Series,
    *,
    horizon: int,
    season: int,
    level: float,
    candidates: Sequence[str],
    regressors: pd.DataFrame | None,
    seed: int,
    refits: int = 0,
    non_negative: bool | None = None,
) -> tuple[Forecast, _Fit, Array]:
    """The forecast of one series, and for whoever reconciles the fit behind it and what parameters and choice of the model add to its futures."""
    values, known, ahead = _checked(history, regressors, horizon=horizon, season=season)
    floored = _has_floor(values, non_negative)
    names, left_out = _usable(candidates, values, floored=floored)
    past = _Past(values=values, known=known, season=season, floored=floored)
    scored, notes = _rolling_origin(past, names, horizon=horizon, level=level)
    chosen = _best(scored, names, values, season=season)
    fit = _fits([chosen], past, ahead, horizon=horizon)[chosen]
    if fit is None:
        raise FitError(
            f"forecast: {len(values)} months of history cannot fit {chosen!r}; add history or candidates."
        )
    widening = _widening(scored.get(chosen), fit, level)
    if not fit.model.step_sd.max() > 0:
        notes += (
            "the history never departed from its pattern, so the interval has no width: it says how far the past varied, not that "
            "the future cannot.",
        )
    shocks = np.random.default_rng(seed).standard_normal((_DRAWS, horizon))
    draws = _draw(fit, shocks, widening=widening)
    shifts: Array = np.zeros((_DRAWS, horizon))
    table = _interval_table(fit, widening=widening, level=level, index=_months_ahead(history, horizon))
    if refits:
        refitted = _refitted(chosen, fit, past, ahead, horizon=horizon, refits=refits, seed=seed)
        rng = np.random.default_rng(seed + 1)
        shifts = refitted[rng.integers(0, len(refitted), size=len(draws))]
        shifts = shifts + _chosen_otherwise(scored, past, ahead, horizon=horizon, rng=rng)
        moved = draws + shifts
        draws = np.maximum(moved, 0.0) if floored else moved
        edges = _interval_of(draws, level=level, index=table.index)
        table = table.assign(
            point=table["point"] + (draws - moved).mean(axis=0), low=edges["low"], high=edges["high"]
        )
    result = Forecast(
        table=table,
        level=level,
        candidate=chosen,
        backtest=_backtest_table(scored, names, left_out, chosen, level=level),
        backtest_errors=_backtest_errors(scored),
        parameters=fit.model.parameters,
        log_likelihood=fit.model.log_likelihood,
        widening=widening,
        draws=draws,
        notes=notes,
    )
    return result, fit, shifts


def _chosen_otherwise(
    scored: dict[str, pd.DataFrame], past: _Past, ahead: Array, *, horizon: int, rng: np.random.Generator
) -> Array:
    """How the forecast would have differed had another candidate been chosen: (draws, steps), zero on average.

    Candidates weigh by the inverse of their mean squared error in the backtest (Bates and Granger 1969); the spread between them is what
    choosing one of them leaves out (Draper 1995).
    """
    errors = {name: float(np.mean((table["actual"] - table["point"]) ** 2)) for name, table in scored.items()}
    known = {name: error for name, error in errors.items() if error > 0 and np.isfinite(error)}
    fits = _fits(list(known), past, ahead, horizon=horizon)
    points = {
        name: _interval_table(fit, widening=1.0, level=0.5, index=pd.RangeIndex(horizon))["point"].to_numpy()
        for name, fit in fits.items()
        if fit is not None
    }
    if len(points) < 2:
        return np.zeros((_DRAWS, horizon))
    weights = np.array([1 / known[name] for name in points])
    weights = weights / weights.sum()
    table = np.array(list(points.values()))
    shifts: Array = (table - weights @ table)[rng.choice(len(table), size=_DRAWS, p=weights)]
    return shifts


def _refitted(
    name: str, fit: _Fit, past: _Past, ahead: Array, *, horizon: int, refits: int, seed: int
) -> Array:
    """How the forecast would have differed on histories that could as well have happened: (refits, steps), on the series' scale."""
    rng = np.random.default_rng(seed + 2)
    values = past.values
    usable = np.isfinite(fit.residuals)
    fitted, errors = (
        values - np.where(usable, fit.residuals, 0.0),
        fit.residuals[usable] - fit.residuals[usable].mean(),
    )
    points = []
    for _ in range(refits):
        resampled = fitted + np.where(usable, rng.choice(errors, size=len(values)), 0.0)
        if fit.log and not np.all(resampled > 0):
            continue
        resampled = np.maximum(resampled, 0.0) if fit.floored else resampled
        again = _fits([name], replace(past, values=resampled), ahead, horizon=horizon)[name]
        if again is not None:
            points.append(
                _interval_table(again, widening=1.0, level=0.5, index=pd.RangeIndex(horizon))[
                    "point"
                ].to_numpy()
            )
    if len(points) < 2:
        return np.zeros((1, horizon))
    shifts: Array = np.array(points) - np.mean(points, axis=0)
    return shifts


@dataclass(frozen=True, kw_only=True, eq=False)
class _Past:
    """A stretch of history with its known columns; `floored` where the series cannot be negative."""

    values: Array
    known: Array
    season: int
    floored: bool

    def until(self, origin: int) -> _Past:
        return replace(self, values=self.values[:origin], known=self.known[:origin])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Fit:
    """A candidate fitted to a series; `model` is on the scale it was fitted on, `residuals` on that of the series."""

    model: SeasonalFit
    log: bool
    residuals: Array
    floored: bool


def _has_floor(values: Array, non_negative: bool | None) -> bool:
    below = int((values < 0).sum())
    if non_negative and below:
        raise ParameterError(
            f"forecast: {below} of {len(values)} values are negative, and the quantity is said not to be; leave non_negative out."
        )
    return below == 0 if non_negative is None else non_negative


def _fits(names: Sequence[str], past: _Past, ahead: Array, *, horizon: int) -> dict[str, _Fit | None]:
    """Every named candidate on one stretch of history, None where the stretch is too short for it."""
    values, known, season = past.values, past.known, past.season
    models: dict[str, SeasonalFit | None] = {}

    def model(name: str) -> SeasonalFit | None:
        if name not in models:
            prefix, plain = ("log_", name.removeprefix("log_")) if name.startswith("log_") else ("", name)
            try:
                if plain == "average":
                    parts = [model(prefix + part) for part in _AVERAGED]
                    whole = [part for part in parts if part is not None]
                    models[name] = _average(whole) if len(whole) == len(parts) else None
                else:
                    scaled = np.log(values) if prefix else values
                    models[name] = _fit_one(plain, scaled, known, ahead, horizon=horizon, season=season)
            except FitError:
                models[name] = None
        return models[name]

    def on_series_scale(name: str) -> _Fit | None:
        fitted = model(name)
        if fitted is None:
            return None
        log = name.startswith("log_")
        residuals = values - np.exp(np.log(values) - fitted.residuals) if log else fitted.residuals
        return _Fit(model=fitted, log=log, residuals=residuals, floored=past.floored and not log)

    return {name: on_series_scale(name) for name in names}


def _fit_one(
    name: str, values: Array, known: Array, ahead: Array, *, horizon: int, season: int
) -> SeasonalFit:
    if name == "seasonal_naive":
        return fit_seasonal_naive(values, season=season, horizon=horizon)
    if name == "sarimax":
        return fit_seasonal_moving_average(
            values, season=season, horizon=horizon, regressors=known, future_regressors=ahead
        )
    if name == "intermittent":
        return fit_intermittent(values, horizon=horizon)
    if name == "seasonal_shares":
        return fit_seasonal_shares(values, season=season, horizon=horizon)
    return fit_smoothing(
        values, damped_trend=name == "ets_trend", season=1 if name == "level" else season, horizon=horizon
    )


def _average(models: list[SeasonalFit]) -> SeasonalFit:
    """The mean of several models. Their errors are taken as wholly dependent, which cannot understate the interval."""
    return SeasonalFit(
        point=np.mean([model.point for model in models], axis=0),
        spread=np.mean([model.spread for model in models], axis=0),
        sigma=float(np.mean([model.sigma for model in models])),
        residuals=np.mean([model.residuals for model in models], axis=0),
        log_likelihood=float("nan"),
        parameters={},
        degrees=0,
    )


def _usable(candidates: Sequence[str], values: Array, *, floored: bool) -> tuple[list[str], dict[str, str]]:
    for name in candidates:
        if name not in CANDIDATES:
            raise ParameterError(f"forecast: unknown candidate {name!r}.{suggestion(name, CANDIDATES)}")
    if not candidates:
        raise ParameterError(f"forecast: no candidate given; choose out of {', '.join(CANDIDATES)}.")
    ordered = [name for name in CANDIDATES if name in candidates]
    left_out = {}
    if not np.all(values > 0):
        left_out = {name: "needs positive values" for name in ordered if name.startswith("log_")}
    if not floored or np.all(values > 0):
        left_out |= {name: "needs months at zero and none below" for name in ordered if name in _WITH_ZEROS}
    if len(left_out) == len(ordered):
        raise FitError(
            f"forecast: no candidate can be used: {'; '.join(f'{name} {why}' for name, why in left_out.items())}."
        )
    return [name for name in ordered if name not in left_out], left_out


# ----------------------------------------------------------------------------------------------- backtest


def _origins(count: int, *, horizon: int, season: int) -> tuple[list[int], int]:
    """Where the past is cut, and how many steps are scored from each cut."""
    first = 2 * season
    steps = min(horizon, count - first - (_FEWEST_ORIGINS - 1))
    if steps < 1:
        return [], 0
    last = count - steps
    spread = np.linspace(max(first, last - 2 * season), last, _MOST_ORIGINS)
    return sorted({round(float(origin)) for origin in spread}), steps


def _rolling_origin(
    whole: _Past, names: list[str], *, horizon: int, level: float
) -> tuple[dict[str, pd.DataFrame], tuple[str, ...]]:
    """Errors of each candidate at each origin and step; a candidate that cannot be fitted somewhere is not scored."""
    values, known, season = whole.values, whole.known, whole.season
    origins, steps = _origins(len(values), horizon=horizon, season=season)
    if not origins:
        note = (
            f"{len(values)} months of history are too few to backtest (needs {2 * season + _FEWEST_ORIGINS}); "
            "the simplest candidate is used unchecked."
        )
        return {}, (note,)
    rows: dict[str, list[pd.DataFrame]] = {name: [] for name in names}
    for origin in origins:
        past, after = values[:origin], values[origin : origin + steps]
        fits = _fits(list(rows), whole.until(origin), known[origin : origin + steps], horizon=steps)
        for name, fit in fits.items():
            if fit is None:
                del rows[name]
            else:
                rows[name].append(
                    _scored_origin(fit, past, after, season=season, level=level).assign(origin=origin)
                )
    return {name: pd.concat(tables, ignore_index=True) for name, tables in rows.items()}, ()


def _scored_origin(fit: _Fit, past: Array, after: Array, *, season: int, level: float) -> pd.DataFrame:
    table = _interval_table(fit, widening=1.0, level=level, index=pd.RangeIndex(1, len(after) + 1))
    on_scale = np.log(after) if fit.log else after
    # an origin before which nothing ever varied has no scale to measure its errors by
    spread = np.where(fit.model.step_sd > 0, fit.model.step_sd, np.nan)
    return table.assign(
        actual=after,
        standardised=(on_scale - fit.model.point) / spread,
        scale=float(np.mean(np.abs(past[season:] - past[:-season]))),
    )


def _backtest_errors(scored: dict[str, pd.DataFrame]) -> pd.DataFrame:
    columns = ["candidate", "origin", "step", "actual", "point", "low", "high"]
    if not scored:
        return pd.DataFrame(columns=columns)
    tables = [errors.assign(candidate=name)[columns] for name, errors in scored.items()]
    return pd.concat(tables, ignore_index=True)


def _backtest_table(
    scored: dict[str, pd.DataFrame], names: list[str], left_out: dict[str, str], chosen: str, *, level: float
) -> pd.DataFrame:
    rows = []
    for name in [*names, *left_out]:
        if name in scored:
            measures = _accuracy(scored[name], level=level) | {"note": ""}
        else:
            measures = {"note": left_out.get(name, "not scored: history too short")}
        rows.append({"candidate": name, "chosen": name == chosen} | measures)
    columns = [
        "candidate",
        "chosen",
        "mase",
        "rmse",
        "coverage",
        "interval_score",
        "origins",
        "errors_scored",
        "note",
    ]
    return pd.DataFrame(rows, columns=columns)


def _accuracy(errors: pd.DataFrame, *, level: float) -> dict[str, float | int | str]:
    below, above = errors["low"] - errors["actual"], errors["actual"] - errors["high"]
    missed_by = below.clip(lower=0) + above.clip(lower=0)
    return {
        "mase": _mase(errors),
        "rmse": float(np.sqrt(np.mean((errors["actual"] - errors["point"]) ** 2))),
        "coverage": float(np.mean(missed_by == 0)),
        "interval_score": float(np.mean(errors["high"] - errors["low"] + 2 / (1 - level) * missed_by)),
        "origins": int(errors["origin"].nunique()),
        "errors_scored": len(errors),
    }


def _mase(errors: pd.DataFrame) -> float:
    """Mean over all scored steps of |error| ÷ that origin's seasonal-naive error; nan where the past never varied."""
    if (errors["scale"] == 0).any():
        return float("nan")
    return float(np.mean(np.abs(errors["actual"] - errors["point"]) / errors["scale"]))


def _best(scored: dict[str, pd.DataFrame], names: list[str], values: Array, *, season: int) -> str:
    ranked = {name: _mase(scored[name]) for name in names if name in scored}
    ranked = {name: value for name, value in ranked.items() if np.isfinite(value)}
    if ranked:
        return min(ranked, key=lambda name: ranked[name])  # the first, i.e. simplest, of equals
    fallback = "seasonal_naive" if len(values) > season else "level"
    return fallback if fallback in names else names[0]


def _widening(errors: pd.DataFrame | None, fit: _Fit, level: float) -> float:
    """Root mean square of the backtest's standardised errors, at least one; unchecked, what a few errors behind sigma ask for."""
    if errors is None:
        freedom = max(int(np.isfinite(fit.model.residuals).sum()) - fit.model.degrees + 1, 1)
        return float(stdtrit(freedom, 0.5 + level / 2) / ndtri(0.5 + level / 2))
    squares = errors["standardised"].dropna() ** 2
    return float(max(1.0, np.sqrt(squares.mean()))) if len(squares) else 1.0


# ----------------------------------------------------------------------------------------------- intervals and draws


def _interval_table(fit: _Fit, *, widening: float, level: float, index: pd.Index) -> pd.DataFrame:
    """Point and limits per step. On a log scale the point is the mean, not the median: means add up over months."""
    sd = widening * fit.model.step_sd
    reach = float(ndtri(0.5 + level / 2)) * sd
    if fit.log:
        centre = fit.model.point
        point, low, high = (
            np.exp(centre + fit.model.step_sd**2 / 2),
            np.exp(centre - reach),
            np.exp(centre + reach),
        )
    elif fit.floored:
        point, centre, cut_sd = _cut_off(fit.model.point, sd)
        reach = float(ndtri(0.5 + level / 2)) * cut_sd
        low, high = np.maximum(centre - reach, 0.0), np.maximum(centre + reach, 0.0)
    else:
        point = fit.model.point
        low, high = point - reach, point + reach
    return pd.DataFrame(
        {"step": np.arange(1, len(point) + 1), "point": point, "low": low, "high": high}, index=index
    )


def _draw(fit: _Fit, shocks: Array, *, widening: float) -> Array:
    errors: Array = widening * shocks @ fit.model.spread.T
    if fit.floored:
        sd = widening * fit.model.step_sd
        _, centre, cut_sd = _cut_off(fit.model.point, sd)
        return np.maximum(centre + errors * (cut_sd / np.where(sd > 0, sd, 1.0)), 0.0)
    paths: Array = fit.model.point + errors
    return np.exp(paths) if fit.log else paths


def _cut_off(point: Array, sd: Array) -> tuple[Array, Array, Array]:
    """Expected value, and centre and standard deviation of the normal that has it, and ``sd``, once all below zero is set to zero.

    Cut off at zero, a normal of standard deviation one around ``a`` has the mean ``a Phi(a) + phi(a)``. The most skewed one taken lies above zero
    in one of five cases or so (`_LOWEST_PLACE`); a smaller expected value keeps that shape and shrinks.
    """
    place = np.linspace(_LOWEST_PLACE, _FAR_FROM_FLOOR, 4001)
    density, below = np.exp(-(place**2) / 2) / np.sqrt(2 * np.pi), ndtr(place)
    mean = place * below + density
    spread = np.sqrt((place**2 + 1) * below + place * density - mean**2)
    ratio = point / np.where(sd > 0, sd, 1.0)
    wanted = np.maximum(ratio, _LEAST_EXPECTED)
    at = np.interp(wanted, mean / spread, place)
    scale = wanted / np.interp(at, place, mean)
    near = (ratio < _FAR_FROM_FLOOR) & (sd > 0)
    far = np.maximum(point, 0.0)
    return (
        np.where(near, wanted * sd, far),
        np.where(near, at * scale * sd, far),
        np.where(near, scale * sd, sd),
    )


def _above_floor(
    draws: Array, points: Array, floored: NDArray[np.bool_], *, weight: Array
) -> tuple[Array, Array]:
    """Futures (draws, steps, parts and total last) and points in which nothing floored is negative and the parts add up to the total.

    Where the total is floored and some part is not, what the total lacks is given to those parts by their ``weight``. A point moves by what its
    futures moved on average, so that it stays their mean.
    """
    parts = np.where(floored[:-1], np.maximum(draws[..., :-1], 0.0), draws[..., :-1])
    free = np.where(floored[:-1], 0.0, weight[:-1])
    if floored[-1] and free.sum() > 0:
        lacking = np.maximum(-parts.sum(axis=-1), 0.0)
        parts = parts + lacking[..., None] * free / free.sum()
    total = parts.sum(axis=-1, keepdims=True)
    moved = np.concatenate([parts, np.maximum(total, 0.0) if floored[-1] else total], axis=-1)
    if not floored.any():
        return draws, points
    shift = np.where(
        np.abs(moved - draws).max(axis=0) > 1e-9 * weight.max(), (moved - draws).mean(axis=0), 0.0
    )
    shifted = points + shift
    held = np.where(floored[:-1], np.maximum(shifted[:, :-1], 0.0), shifted[:, :-1])
    sums = np.where(np.any(held != points[:, :-1], axis=1), held.sum(axis=1), points[:, -1])
    return moved, np.column_stack([held, sums])


def _interval_of(draws: Array, *, level: float, index: pd.Index) -> pd.DataFrame:
    low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return pd.DataFrame({"low": low, "high": high}, index=index)


def _total_of(
    point: Array, draws: Array, steps: slice, *, already: float, level: float
) -> tuple[float, float, float]:
    low, high = np.quantile(draws[:, steps].sum(axis=1), [0.5 - level / 2, 0.5 + level / 2])
    return already + float(point[steps].sum()), already + float(low), already + float(high)


# ----------------------------------------------------------------------------------------------- reconciliation


def _shrunk_covariance(residuals: Array) -> Array:
    """Covariance of one-step errors with correlations shrunk towards zero (Schäfer and Strimmer 2005, equation 8)."""
    complete = residuals[np.all(np.isfinite(residuals), axis=1)]
    count, size = complete.shape
    variance = np.maximum(np.mean(complete**2, axis=0), np.finfo(float).tiny)
    if not np.any(complete):
        variance = np.ones(
            size
        )  # no series ever departed from its pattern: there is nothing to reconcile, and any weights do
    largest = variance.max()
    # A part that never varies would make the matrix singular; it keeps a variance too small to attract any correction.
    variance = np.maximum(variance, 1e-12 * largest)
    scaled = complete / np.sqrt(variance)
    correlation = scaled.T @ scaled / count
    spread = (scaled[:, :, None] * scaled[:, None, :] - correlation) ** 2
    noise = spread.sum(axis=0) / (count * (count - 1))
    off = ~np.eye(size, dtype=bool)
    signal = float((correlation[off] ** 2).sum())
    shrink = min(1.0, max(0.0, float(noise[off].sum()) / signal)) if signal > 0 else 1.0
    # The total is nearly the sum of its parts, so some shrinkage is always needed for a stable inverse.
    shrunk = (1 - max(shrink, 0.01)) * correlation
    np.fill_diagonal(shrunk, 1.0)
    covariance: Array = shrunk * np.sqrt(np.outer(variance, variance))
    return covariance


def _minimum_trace(covariance: Array) -> Array:
    """Projection onto "the last series is the sum of the others" that minimises the trace of the error covariance."""
    size = len(covariance)
    gap = np.append(np.ones(size - 1), -1.0)  # parts minus total
    weight = covariance @ gap
    projection: Array = np.eye(size) - np.outer(weight, gap) / float(gap @ weight)
    return projection


# ----------------------------------------------------------------------------------------------- input


def _checked(
    history: pd.Series, regressors: pd.DataFrame | None, *, horizon: int, season: int
) -> tuple[Array, Array, Array]:
    if horizon < 1 or season < 2:
        raise ParameterError(f"forecast: horizon {horizon} and season {season} must be at least 1 and 2.")
    months = _months(history)
    if months is not None:
        expected = pd.period_range(months[0], periods=len(months), freq="M")
        if not months.equals(expected):
            wrong = expected[np.flatnonzero(months != expected)[0]]
            raise FitError(
                f"forecast: the history is not one value per consecutive month; {wrong} is missing or out of order. "
                "Sort it and fill months without activity with zero."
            )
    values = history.to_numpy(dtype=float)
    if not np.all(np.isfinite(values)):
        where = history.index[int(np.flatnonzero(~np.isfinite(values))[0])]
        raise FitError(
            f"forecast: {int((~np.isfinite(values)).sum())} values are missing, e.g. {where}; fill or cut them."
        )
    if len(values) < 8:
        raise FitError(f"forecast: {len(values)} months of history; at least 8 are needed.")
    if regressors is None:
        return values, np.empty((len(values), 0)), np.empty((horizon, 0))
    known = regressors.to_numpy(dtype=float)
    if len(known) < len(values) + horizon or not np.all(np.isfinite(known)):
        raise FitError(
            f"forecast: regressors have {len(known)} usable rows; history and horizon need {len(values) + horizon}."
        )
    return values, known[: len(values)], known[len(values) : len(values) + horizon]


def _months(history: pd.Series) -> pd.PeriodIndex | None:
    if isinstance(history.index, pd.PeriodIndex):
        return history.index
    if isinstance(history.index, pd.DatetimeIndex):
        return history.index.to_period("M")
    return None


def _months_ahead(history: pd.Series, horizon: int) -> pd.Index:
    months = _months(history)
    if months is None:
        return pd.RangeIndex(len(history), len(history) + horizon)
    return pd.period_range(months[-1] + 1, periods=horizon, freq="M")
