"""Demand that is often nothing: Croston's method and its two repairs, and a level that keeps each month's share of the season.

An ordinary smoother reads a month without an event as a fall of the level. Croston smooths the size of what happens and the time between
happenings apart; Syntetos and Boylan take off the bias of that ratio; Teunter, Syntetos and Babai smooth the chance of a happening instead,
so that the forecast dies away when nothing happens any more.

Our own: statsmodels has none of them.

Sources: Croston (1972), *Operational Research Quarterly* 23, 289-303; Syntetos and Boylan (2005), *Int. J. Forecasting* 21, 303-314; Teunter,
Syntetos and Babai (2011), *European J. Operational Research* 214, 606-615.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import FitError, ParameterError, suggestion
from analysis.stats.arguments import in_words
from analysis.stats.seasonal_models import Array, SeasonalFit
from analysis.summaries import Summarised

IntermittentMethod = Literal["croston", "sba", "tsb"]
_METHODS = ("croston", "sba", "tsb")
_WEIGHTS = (0.05, 0.1, 0.2, 0.3)
_ALWAYS_POSSIBLE = 0.05  # part of the average month's variance that a month always at zero keeps


@dataclass(frozen=True, kw_only=True, eq=False)
class IntermittentFit(Summarised):
    """Expected demand per period.

    Attributes
    ----------
    expected : of every coming period: these methods know neither trend nor season.
    fitted : (n,) what each period was expected to bring before it was seen; NaN up to the first happening.
    size, gap : smoothed size of a happening, smoothed periods from one to the next (``tsb``: one over the chance of one).
    method, size_weight, time_weight : as asked for.

    Examples
    --------
    >>> from analysis import stats
    >>> fit = stats.intermittent_demand([0, 6, 0, 6, 0, 6], method="croston")
    >>> fit.size, fit.gap, fit.expected
    (6.0, 2.0, 3.0)
    """

    expected: float
    fitted: Array
    size: float
    gap: float
    method: str
    size_weight: float
    time_weight: float


@in_words(rows="values")
def intermittent_demand(
    values: ArrayLike,
    *,
    method: IntermittentMethod = "sba",
    size_weight: float = 0.1,
    time_weight: float | None = None,
) -> IntermittentFit:
    """Demand per period by Croston's method or one of its repairs.

    Parameters
    ----------
    values : (periods,) numbers, in any unit
        One amount per consecutive period, oldest first; zero where nothing happened, never negative.
    method : str
        ``croston`` (size ÷ gap), ``sba`` (that times 1 - time_weight / 2), ``tsb`` (size times the chance of a happening).
    size_weight, time_weight : float, share above 0 to 1
        Smoothing weights of size, and of gap or chance; one value serves both where the second is not given.

    Returns
    -------
    IntermittentFit

    Raises
    ------
    FitError
        For negative or missing values, and where nothing ever happened.
    ParameterError
        For an unknown method, or a weight outside 0 to 1.

    Notes
    -----
    Starts at the first happening, with its size and the periods up to it (``tsb``: one over them).

    Source
    ------
    Croston (1972), *Operational Research Quarterly* 23, 289-303; Syntetos and Boylan (2005), *Int. J. Forecasting* 21, 303-314; Teunter, Syntetos and
    Babai (2011), *European J. Operational Research* 214, 606-615.

    Examples
    --------
    Six every second month are three per month; ``sba`` takes off a twentieth.

    >>> from analysis import stats
    >>> stats.intermittent_demand([0, 6, 0, 6, 0, 6], method="croston").expected
    3.0
    >>> round(stats.intermittent_demand([0, 6, 0, 6, 0, 6], method="sba").expected, 6)
    2.85
    """
    if method not in _METHODS:
        raise ParameterError(f"intermittent: unknown method {method!r}.{suggestion(method, _METHODS)}")
    weight = size_weight if time_weight is None else time_weight
    for name, one in (("size_weight", size_weight), ("time_weight", weight)):
        if not 0 < one <= 1:
            raise ParameterError(f"intermittent: {name} must lie above 0 and at most 1; got {one:g}.")
    demand = np.asarray(values, dtype=float)
    wrong = ~((demand >= 0) & (demand < np.inf))
    if wrong.any():
        raise FitError(
            f"intermittent: {int(wrong.sum())} values are negative, missing or infinite; demand is zero or more."
        )
    happened = np.flatnonzero(demand > 0)
    if not len(happened):
        raise FitError("intermittent: nothing ever happened; there is no size to forecast.")
    first = int(happened[0])
    size, gap, chance, since = float(demand[first]), float(first + 1), 1.0 / (first + 1), 1
    bias = 1 - weight / 2 if method == "sba" else 1.0
    fitted = np.full(len(demand), np.nan)

    def expected() -> float:
        return chance * size if method == "tsb" else bias * size / gap

    for period in range(first + 1, len(demand)):
        fitted[period] = expected()
        happens = demand[period] > 0
        if method == "tsb":
            chance += weight * (float(happens) - chance)
        if happens:
            size += size_weight * (float(demand[period]) - size)
            gap += weight * (since - gap)
            since = 0
        since += 1
    return IntermittentFit(
        expected=expected(),
        fitted=fitted,
        size=size,
        gap=1 / chance if method == "tsb" else gap,
        method=method,
        size_weight=size_weight,
        time_weight=weight,
    )


def fit_intermittent(values: Array, *, horizon: int) -> SeasonalFit:
    """`intermittent_demand` by ``tsb`` in the shape of the other models; the weight is that of the smallest squared one-step error.

    Raises
    ------
    FitError for a history that never leaves zero, is negative somewhere, or has fewer than three values after the first that is not zero.
    """
    tried = [intermittent_demand(values, method="tsb", size_weight=weight) for weight in _WEIGHTS]
    errors = [values - one.fitted for one in tried]
    usable = np.isfinite(errors[0])
    if usable.sum() < 3:
        raise FitError(f"intermittent: {int(usable.sum())} values after the first happening; add history.")
    squares = [float(np.sum(error[usable] ** 2)) for error in errors]
    best = int(np.argmin(squares))
    sigma = float(np.sqrt(squares[best] / (usable.sum() - 1)))
    # a smoothed level has an error of its own, which all coming periods share: weight / (2 - weight) of one period's variance
    shared = _WEIGHTS[best] / (2 - _WEIGHTS[best])
    return SeasonalFit(
        point=np.full(horizon, tried[best].expected),
        spread=sigma * np.linalg.cholesky(np.eye(horizon) + shared).astype(np.float64),
        sigma=sigma,
        residuals=errors[best],
        log_likelihood=float("nan"),
        parameters={"weight": _WEIGHTS[best]},
        degrees=2,
    )


def fit_seasonal_shares(values: Array, *, season: int, horizon: int) -> SeasonalFit:
    """A level that moves, times a share for each month of the season; a month that is always zero stays near zero.

    The multiplicative season that logarithms give to positive series, for series with zeros. Shares are those of the whole seasons at the end of
    the history; an error moves the level in proportion to the month's share (least mean squares), by the weight of the smallest squared error;
    its variance is in proportion to the share, and a little for a month that was always zero.

    Raises
    ------
    FitError for a history of less than two seasons, negative somewhere, or zero throughout its whole seasons.
    """
    seasons = len(values) // season
    if seasons < 2 or np.any(values < 0):
        raise FitError(
            f"seasonal shares: {len(values)} values; needs two seasons of {season}, none negative."
        )
    whole = values[len(values) - seasons * season :].reshape(seasons, season)
    if not whole.sum() > 0:
        raise FitError("seasonal shares: nothing happened in the whole seasons; there is no season to share.")
    place = (np.arange(len(values) + horizon) - len(values)) % season
    # each season counts alike, however large it was, save one in which nothing happened
    sums = whole.sum(axis=1, keepdims=True)
    shares = season * np.mean((whole / np.where(sums > 0, sums, 1.0))[sums[:, 0] > 0], axis=0)
    share, ahead = shares[place[: len(values)]], shares[place[len(values) :]]
    size = np.sqrt(share + _ALWAYS_POSSIBLE)
    gain = float(np.mean(shares**2))
    start = float(values[:season].mean())
    best: tuple[float, float, float, Array] | None = None
    for weight in (0.02, *_WEIGHTS, 0.5):
        level, residuals = start, np.empty(len(values))
        for step, (value, part) in enumerate(zip(values, share, strict=True)):
            residuals[step] = value - level * part
            level = max(level + weight * part / gain * residuals[step], 0.0)
        squares = float(np.sum((residuals[season:] / size[season:]) ** 2))
        if best is None or squares < best[0]:
            best = (squares, weight, level, residuals)
    assert best is not None
    squares, weight, level, residuals = best
    sigma = float(np.sqrt(squares / (len(values) - season - 1)))
    sizes = sigma * np.sqrt(ahead + _ALWAYS_POSSIBLE)
    carried = np.tril(np.outer(ahead, weight * ahead / gain * sizes), -1)
    return SeasonalFit(
        point=level * ahead,
        spread=carried + np.diag(sizes),
        sigma=sigma,
        residuals=residuals,
        log_likelihood=float("nan"),
        parameters={"weight": weight},
        degrees=season + 2,
    )
