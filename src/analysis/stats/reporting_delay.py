"""Events that have happened and are not yet known: the delay distribution under right truncation, and nowcasts.

Only events reported by today are seen, so short delays are over-represented among recent ones. The delay
distribution is estimated backwards in time, where that truncation becomes delayed entry. Our own: no library of the
environment corrects counts for events that are not yet reported.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from analysis.errors import FitError, ParameterError
from analysis.stats.arguments import in_words
from analysis.stats.life import LifeFit
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportingDelay(Summarised):
    """How long events take to be reported, given that they are reported within `longest`.

    Attributes
    ----------
    table : one row per delay 0 … `longest`
        `delay`, `reported` (events with it), `at_risk` (events with at most this delay among those old enough to show it), `completeness` (share
        reported within the delay), `standard_error` (of its logarithm).
    longest : largest delay considered, in periods.
    dispersion : variance of the counts over their mean, from the triangle of cohorts and delays; at least one.

    Examples
    --------
    >>> from analysis import stats
    >>> delay = stats.fit_reporting_delay([0, 0, 0, 1, 0, 0], [1, 1, 1, 1, 0, 0])
    >>> delay.completeness([-1, 0, 1, 5]).tolist()
    [0.0, 0.75, 1.0, 1.0]
    """

    table: pd.DataFrame
    longest: int
    dispersion: float
    triangle: Floats = field(
        repr=False
    )  # cohorts by window 0 … , columns by delay; NaN where not yet visible

    @in_words(together="window")
    def completeness(self, window: ArrayLike) -> Floats:
        """Share of events reported by the time `window` has passed.

        Parameters
        ----------
        window : (n,) numbers, in periods; or one
            Time passed since the event.

        Returns
        -------
        array of the shape of `window`
            0 to 1: one beyond `longest`, zero before any time passed.

        Raises
        ------
        ParameterError
            For a missing window.
        """
        share = np.r_[0.0, self.table["completeness"].to_numpy()]
        passed = np.asarray(window, dtype=float)
        if np.isnan(passed).any():
            raise ParameterError(f"completeness: {int(np.isnan(passed).sum())} windows are missing.")
        position = np.clip(np.floor(passed) + 1, 0, self.longest + 1).astype(int)
        return np.asarray(share[position])


@in_words(rows="delays windows weights")
def fit_reporting_delay(
    delays: ArrayLike,
    windows: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    longest: int | None = None,
    count_dispersion: bool = True,
) -> ReportingDelay:
    """Delay distribution of right-truncated delays, by the product of reverse-time hazards.

    Parameters
    ----------
    delays : (rows,) whole numbers, in periods (days, months)
        From event to report, not negative.
    windows : (rows,) whole numbers, in periods
        From the event to the end of the data: the longest delay that row could have shown.
    weights : (rows,) numbers, optional
        Events a row stands for.
    longest : int, in periods; optional
        Largest delay considered; the largest observed without it. What is reported later still is not estimated, so the result is conditional on it.
    count_dispersion : bool
        Counts are at least Poisson; False for amounts, whose variance may be any multiple of the mean.

    Returns
    -------
    ReportingDelay

    Raises
    ------
    FitError
        Without an event, where all were reported at once, where the development goes negative, or where short delays stand only in young cohorts.
    ParameterError
        For delays or windows that are no whole periods, reports after the end of the data, or a triangle of too many cells.

    Notes
    -----
    Assumes the delay distribution is the same for all cohorts. On a full triangle the completeness is the product of the inverse chain-ladder factors.

    Source
    ------
    Lagakos, Barraj and De Gruttola (1988), *Biometrika* 75, 515-523; Kalbfleisch and Lawless (1991), *Statistica Sinica* 1, 19-32; Renshaw and Verrall
    (1998), *British Actuarial Journal* 4, 903-923.

    Examples
    --------
    Only the four of the older cohort could show a delay of one; three of them came at once.

    >>> from analysis import stats
    >>> delay = stats.fit_reporting_delay(delays=[0, 0, 0, 1, 0, 0], windows=[1, 1, 1, 1, 0, 0])
    >>> delay.table["completeness"].tolist()
    [0.75, 1.0]
    """
    delay, window, weight = _checked(delays, windows, weights)
    top = int(delay.max()) if longest is None else longest
    if top < 1:
        raise FitError(
            "all events were reported in the period they happened in; there is no delay to estimate."
        )
    kept = delay <= top
    triangle = _triangle(delay[kept], window[kept], weight[kept], top)
    _refuse_negative_development(triangle)
    share, at_risk, reported, variance = _reverse_product(triangle)
    if not share[0] > 0 and reported[0] > 0:
        raise FitError(
            "the shortest delays are only seen in cohorts too young to compare; use a smaller `longest`."
        )
    spread = _dispersion(triangle, share)
    table = pd.DataFrame(
        {
            "delay": np.arange(top + 1),
            "reported": reported,
            "at_risk": at_risk,
            "completeness": share,
            "standard_error": np.sqrt(variance * (max(1.0, spread) if count_dispersion else spread)),
        }
    )
    return ReportingDelay(
        table=table,
        longest=top,
        dispersion=max(1.0, spread) if count_dispersion else spread,
        triangle=triangle,
    )


@in_words(rows="durations events weights")
def life_rows_by_report(
    delay: ReportingDelay,
    durations: ArrayLike,
    events: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    life: LifeFit | None = None,
) -> pd.DataFrame:
    """Rows for any estimator of a life, when a failure is known only once it is reported.

    A unit without a report has not lived to its age: it lived to its age less the delay that a report would have had. Each such unit becomes a row for each
    possible delay with the chance of that delay as its weight, so that units at risk are those whose failure would be known.

    Parameters
    ----------
    delay : ReportingDelay
        Of failures, in periods of the unit of the durations.
    durations : (rows,) numbers, in periods of the delay
        Age at a reported failure, or age today of a unit without one.
    events : (rows,) 1 or 0
        1 where the failure was reported.
    weights : (rows,) numbers, optional
        Units a row stands for.
    life : LifeFit, optional
        A first fit, by which delays of units without a report are weighed once more: the longer a unit's last periods are likely to have brought a failure,
        the likelier it is that one is on its way. Fitting and weighing in turn, until nothing moves, ends at the maximum of the likelihood.

    Returns
    -------
    DataFrame
        `duration`, `event`, `weight`: ``fit_weibull(rows["duration"], rows["event"], weights=rows["weight"])``, `kaplan_meier` and the others.

    Raises
    ------
    FitError
        Where no unit was old enough for its failure to be known.
    ParameterError
        For what is no number, events that are neither 0 nor 1, or a life in another unit of age, by which nobody would still be there.

    Notes
    -----
    Assumes that a delay does not depend on the age at failure, and that the longest delay seen is the longest there is. Where few fail within a
    delay's length the first weights are near the maximum already (error of the order of that share squared).

    Source
    ------
    Kalbfleisch, Lawless and Robinson (1991), "Methods for the analysis and prediction of warranty claims", *Technometrics* 33, 273-285 (units at risk
    by the chance that a claim would be known); Dempster, Laird and Rubin (1977), *JRSS B* 39, 1-38 (weighing and fitting in turn).

    Examples
    --------
    Half of the failures are reported at once, half a month later. A machine 8 months old without a report has lived to 8 or to 7.

    >>> from analysis import stats
    >>> delay = stats.fit_reporting_delay([0, 1], [1, 1])
    >>> rows = stats.life_rows_by_report(delay, [3.0, 8.0], [1, 0])
    >>> rows.values.tolist()
    [[3.0, 1.0, 1.0], [8.0, 0.0, 0.5], [7.0, 0.0, 0.5]]
    >>> fit = stats.fit_exponential(rows["duration"], rows["event"], weights=rows["weight"])
    >>> round(fit.scale, 6)  # 3 + 7.5 months of life, one failure
    10.5
    """
    age, failed = np.asarray(durations, dtype=float), np.asarray(events, dtype=float)
    weight = np.ones(len(age)) if weights is None else np.asarray(weights, dtype=float)
    if not all(((column >= 0) & (column < np.inf)).all() for column in (age, weight)):
        raise ParameterError("life_rows_by_report: durations and weights are zero or more, none missing.")
    if not np.isin(failed, (0.0, 1.0)).all():
        raise ParameterError(
            "life_rows_by_report: events are 1 where a failure was reported and 0 elsewhere."
        )
    chance = np.diff(np.r_[0.0, delay.table["completeness"].to_numpy()])
    waiting = np.flatnonzero(failed == 0)
    reach = np.maximum(age[waiting, None] - np.arange(delay.longest + 1), 0.0)
    shares = np.broadcast_to(chance, reach.shape)
    if life is not None:
        alive = shares * life.survival(reach.ravel()).reshape(reach.shape)
        if not (alive.sum(axis=1) > 0).all():
            raise ParameterError(
                "life_rows_by_report: by this life no unit would still be there; give one in the unit of the durations."
            )
        shares = alive / alive.sum(axis=1, keepdims=True)
    rows = pd.DataFrame(
        {
            "duration": np.r_[age[failed == 1], reach.ravel()],
            "event": np.r_[np.ones(int(failed.sum())), np.zeros(reach.size)],
            "weight": np.r_[weight[failed == 1], (weight[waiting, None] * shares).ravel()],
        }
    )
    known = (rows["weight"] > 0) & (rows["duration"] > 0)
    if not known.any():
        raise FitError("life: no unit is old enough for a failure of it to be known.")
    return rows[known].reset_index(drop=True)


@in_words(rows="windows reported exposure")
def nowcast(
    delay: ReportingDelay,
    windows: ArrayLike,
    reported: ArrayLike,
    *,
    draws: int,
    seed: int,
    exposure: ArrayLike | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """What each cohort will have had once everything is reported.

    Parameters
    ----------
    delay : ReportingDelay
        As estimated.
    windows : (cohorts,) whole numbers, in periods
        Passed since the cohort's events happened (as in `fit_reporting_delay`).
    reported : (cohorts,) numbers, events
        Of the cohort so far; zero is an observation.
    draws, seed : int
        Of the simulation behind the interval.
    exposure : (cohorts,) numbers, in units or unit-months; optional
        How large each cohort is; equal without it. Read only where a cohort borrows from the others.
    level : float, share 0 to 1
        Coverage of each interval.

    Returns
    -------
    DataFrame, one row per cohort in the order given
        `window`, `reported`, `completeness`, `expected_total`, `unreported`, `low`, `high` (of the total), `basis`. Without any passed time nothing is
        known: the total is missing and its upper bound infinite.

    Raises
    ------
    ParameterError
        For columns of different lengths, and counts or exposure that are negative or missing.

    Notes
    -----
    The interval holds the uncertainty of the delay distribution (a parametric bootstrap of the whole triangle), of the cohort's own level, and of the
    events still to come. A cohort without a report, and not yet complete, is not forecast from itself alone: zero over any share is zero. What it has
    still to report is that of all cohorts per exposure (`basis` says so); one that reported is forecast from itself.

    Source
    ------
    Kalbfleisch and Lawless (1991), *Statistica Sinica* 1, 19-32; Stanard (1985), the "Cape Cod" method (cohorts without a report); own derivation of the
    interval, tested by simulated coverage.

    Examples
    --------
    Three quarters are reported at once, so two seen are 2 ÷ 0.75 in the end.

    >>> from analysis import stats
    >>> delay = stats.fit_reporting_delay(delays=[0, 0, 0, 1, 0, 0], windows=[1, 1, 1, 1, 0, 0])
    >>> stats.nowcast(delay, [1, 0], [4, 2], draws=50, seed=1)["expected_total"].round(3).tolist()
    [4.0, 2.667]
    """
    window, seen = np.asarray(windows, dtype=float), np.asarray(reported, dtype=float)
    if window.shape != seen.shape or (seen < 0).any() or not np.isfinite(seen).all():
        raise ParameterError("nowcast: one count, zero or more, for each window.")
    rng = np.random.default_rng(seed)
    share = delay.completeness(window)
    simulated = _bootstrap(delay, draws, rng)  # draws x delays
    position = np.clip(np.floor(window).astype(int), -1, delay.longest)
    drawn = np.where(position >= 0, simulated[:, np.maximum(position, 0)], 0.0)
    low, high = _total_bounds(seen, share, drawn, delay.dispersion, level, rng)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = np.where(share > 0, seen / share, np.nan)
    size = np.ones(len(seen)) if exposure is None else np.asarray(exposure, dtype=float)
    if size.shape != seen.shape or not np.all((size >= 0) & np.isfinite(size)):
        raise ParameterError("nowcast: exposure is one number, zero or more, for each window.")
    silent = (seen == 0) & (share > 0) & (share < 1) & (seen.sum() > 0)
    rate = seen.sum() / (size @ share) if size @ share > 0 else 0.0
    total = np.where(silent, (1 - share) * rate * size, total)
    high = np.where(silent, np.maximum(high, total), high)
    return pd.DataFrame(
        {
            "window": window,
            "reported": seen,
            "completeness": share,
            "expected_total": total,
            "unreported": total - seen,
            "low": np.where(share > 0, low, seen),
            "high": np.where(share > 0, high, np.inf),
            "basis": np.where(silent, "all cohorts", "own"),
        }
    )


@in_words(rows="delays windows weights", together="back")
def backtest_nowcast(
    delays: ArrayLike,
    windows: ArrayLike,
    *,
    back: ArrayLike,
    draws: int,
    seed: int,
    weights: ArrayLike | None = None,
    longest: int | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """The nowcast repeated as it would have been made some periods ago, against what is known today.

    Parameters
    ----------
    delays : (rows,) whole numbers, in periods
        As in `fit_reporting_delay`, like `windows`, `weights` and `longest`.
    windows : (rows,) whole numbers, in periods
        From the event to the end of the data.
    back : (n,) whole numbers, in periods; or one
        How long ago each past nowcast was made.
    draws, seed : int
        Of the simulation behind the intervals.
    weights : (rows,) numbers, optional
        Events a row stands for.
    longest : int, in periods; optional
        Largest delay considered.
    level : float, share 0 to 1
        Coverage of each interval.

    Returns
    -------
    DataFrame, one row per past date and cohort
        `back`, `window` (then), `reported` (then), `predicted`, `low`, `high`, `actual` (reported within `longest` by today), `covered`. Only cohorts
        that can show the whole delay distribution by now are judged.

    Raises
    ------
    FitError
        Where no past date has cohorts that were incomplete then and are complete now.
    ParameterError
        As in `fit_reporting_delay`.

    Source
    ------
    Own derivation: the nowcast, rolled back; tested by simulated coverage.

    Examples
    --------
    One period ago the cohort that is now two periods old had shown its reports at once only: 6 of 8.

    >>> from analysis import stats
    >>> past = stats.backtest_nowcast(
    ...     delays=[0, 1, 0, 1], windows=[3, 3, 1, 1], weights=[6, 2, 6, 2], back=1, draws=50, seed=1
    ... )
    >>> past[["reported", "predicted", "actual"]].values.tolist()
    [[6.0, 8.0, 8.0]]
    """
    delay, window, weight = _checked(delays, windows, weights)
    ago = np.atleast_1d(np.asarray(back, dtype=float))
    if ago.ndim > 1 or not np.all((ago >= 1) & (ago == np.round(ago)) & (ago < np.inf)):
        raise ParameterError("backtest: back is one or several whole numbers of periods, each at least 1.")
    rows = []
    for steps in ago.astype(int):
        known = delay <= window - steps
        if not known.any():
            continue
        past = fit_reporting_delay(
            delay[known], window[known] - steps, weights=weight[known], longest=longest
        )
        cohorts = np.unique(
            window[(window >= past.longest) & (window - steps >= 0) & (window - steps < past.longest)]
        )
        if not len(cohorts):
            continue
        then = [float(weight[known & (window == one)].sum()) for one in cohorts]
        now = [float(weight[(window == one) & (delay <= past.longest)].sum()) for one in cohorts]
        made = nowcast(past, cohorts - steps, then, draws=draws, seed=seed, level=level)
        made = made.rename(columns={"expected_total": "predicted"})
        rows.append(made.assign(back=int(steps), actual=now)[_BACKTEST])
    if not rows:
        raise FitError(
            "no past date has cohorts that were incomplete then and are complete now; the data are too short."
        )
    table = pd.concat(rows, ignore_index=True)
    return table.assign(covered=(table["low"] <= table["actual"]) & (table["actual"] <= table["high"]))


_BACKTEST = ["back", "window", "reported", "predicted", "low", "high", "actual"]


def _checked(
    delays: ArrayLike, windows: ArrayLike, weights: ArrayLike | None
) -> tuple[Counts, Counts, Floats]:
    delay, window = np.asarray(delays, dtype=float), np.asarray(windows, dtype=float)
    weight = np.ones(len(delay)) if weights is None else np.asarray(weights, dtype=float)
    if not len(delay) == len(window) == len(weight):
        raise ParameterError("delays, windows and weights need one value a row.")
    if not len(delay):
        raise FitError("no reported events; there is no delay distribution to estimate.")
    problems = (
        (
            ~np.isfinite(delay) | (delay < 0) | (delay != np.floor(delay)),
            "have a delay that is not a whole number of periods",
        ),
        (
            ~np.isfinite(window) | (window != np.floor(window)),
            "have a window that is not a whole number of periods",
        ),
        (delay > window, "were reported after the end of the data"),
        (~np.isfinite(weight), "have no weight"),
    )
    for wrong, sentence in problems:
        if wrong.any():
            first = int(np.argmax(wrong))
            raise ParameterError(
                f"{int(wrong.sum())} of {len(delay)} rows {sentence}; e.g. delay {delay[first]:g} in a window of {window[first]:g}."
            )
    return delay.astype(np.int64), window.astype(np.int64), weight


def _triangle(delay: Counts, window: Counts, weight: Floats, longest: int) -> Floats:
    """Events by cohort (one row a distinct window) and delay; NaN where the cohort is too young to show it."""
    cohorts, row = np.unique(window, return_inverse=True)
    if len(cohorts) * (longest + 1) > 1_000_000:
        raise ParameterError(
            f"{len(cohorts)} cohorts with {longest + 1} delays are too many cells; use longer periods or a smaller longest."
        )
    cells = np.bincount(row * (longest + 1) + delay, weights=weight, minlength=len(cohorts) * (longest + 1))
    triangle = cells.reshape(len(cohorts), longest + 1)
    return np.where(np.arange(longest + 1) <= cohorts[:, None], triangle, np.nan)


def _reverse_product(triangle: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Completeness by delay, numbers at risk, events, and the variance of log completeness (Greenwood, backwards)."""
    visible = ~np.isnan(triangle)
    cells = np.nan_to_num(triangle)
    reported = cells.sum(axis=-2)
    so_far = np.cumsum(cells, axis=-1)
    at_risk = np.where(visible, so_far, 0.0).sum(axis=-2)
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(at_risk > 0, 1 - reported / at_risk, 1.0)
        term = np.where(at_risk > reported, reported / (at_risk * (at_risk - reported)), 0.0)
    later = np.cumprod(kept[..., ::-1], axis=-1)[..., ::-1]
    share = np.concatenate([later[..., 1:], np.ones((*later.shape[:-1], 1))], axis=-1)
    after = np.cumsum(term[..., ::-1], axis=-1)[..., ::-1]
    variance = np.concatenate([after[..., 1:], np.zeros((*after.shape[:-1], 1))], axis=-1)
    return share, at_risk, reported, variance


def _refuse_negative_development(triangle: Floats) -> None:
    """A delay in which more is taken back than reported makes a share above one of what went before."""
    cells = np.nan_to_num(triangle)
    reported = cells.sum(axis=0)
    at_risk = np.where(~np.isnan(triangle), np.cumsum(cells, axis=1), 0.0).sum(axis=0)
    wrong = np.flatnonzero((reported < 0) | (at_risk < 0) | (reported > at_risk * (1 + 1e-12)))
    if len(wrong):
        one = int(wrong[0])
        raise FitError(
            f"the development goes negative: at delay {one} {reported[one]:g} was reported on top of {at_risk[one] - reported[one]:g}. Net what was taken "
            "back against what it takes back, at that delay, or leave both out."
        )


def _means(triangle: Floats, share: Floats) -> Floats:
    """Fitted events of each visible cell: the cohort's total so far spread over its visible delays."""
    visible = ~np.isnan(triangle)
    part = np.diff(share, prepend=0.0)
    due = np.where(visible, part, 0.0)
    seen = np.nansum(triangle, axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(visible, seen * due / due.sum(axis=1, keepdims=True), np.nan)


def _dispersion(triangle: Floats, share: Floats) -> float:
    """Pearson chi-square over its degrees of freedom, over cells with a positive fit."""
    mean = _means(triangle, share)
    used = ~np.isnan(mean) & (mean > 0)
    freedom = int(used.sum()) - int(used.any(axis=1).sum()) - int(used.any(axis=0).sum()) + 1
    if freedom < 1:
        return 1.0
    return float(((triangle[used] - mean[used]) ** 2 / mean[used]).sum() / freedom)


def _bootstrap(delay: ReportingDelay, draws: int, rng: np.random.Generator) -> Floats:
    """Completeness curves refitted to triangles drawn from the fitted one (overdispersed Poisson)."""
    share = delay.table["completeness"].to_numpy()
    mean = _means(delay.triangle, share)
    cells = np.nan_to_num(np.maximum(mean, 0.0)) / delay.dispersion
    curves = np.empty((draws, len(share)))
    at_once = max(1, 4_000_000 // cells.size)
    for start in range(0, draws, at_once):
        some = min(at_once, draws - start)
        drawn: Floats = delay.dispersion * rng.poisson(cells, size=(some, *cells.shape)).astype(np.float64)
        drawn[:, np.isnan(mean)] = np.nan
        curves[start : start + some] = _reverse_product(drawn)[0]
    return curves


def _total_bounds(
    seen: Floats, share: Floats, drawn: Floats, dispersion: float, level: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Quantiles of reported plus still to come: level of the cohort from Jeffreys' gamma, then Poisson around it."""
    size = drawn.shape
    usable = np.maximum(drawn, 1e-9)
    rate = dispersion * rng.gamma(np.broadcast_to(seen / dispersion + 0.5, size)) / usable
    to_come = dispersion * rng.poisson(np.minimum(rate * (1 - drawn) / dispersion, 1e12))
    low, high = np.quantile(seen + to_come, [(1 - level) / 2, (1 + level) / 2], axis=0)
    complete = share >= 1
    return np.where(complete, seen, low), np.where(complete, seen, high)
