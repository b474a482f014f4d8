"""A surge of counts: the run of periods whose count lies furthest above what the other periods lead one to expect.

Every window of a few periods is held against the rest of its own series, and the largest of all statistics is judged by the largest that
chance makes: the search is paid for. Counts that vary more than chance throughout (seasons, mixed groups) are no surge: a window's
statistic is divided by how much the periods outside it vary beyond chance.

Source: Naus (1965), *JASA* 60, 532-538, and Kulldorff (1997), "A spatial scan statistic", *Communications in Statistics: Theory and Methods* 26,
1481-1496 (likelihood ratio of a window, judged by Monte Carlo given the total); Mosimann (1962), *Biometrika* 49, 65-82 (Dirichlet-multinomial); McCullagh and Nelder (1989), *Generalized Linear Models*, section 4.5, for
the dispersion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from analysis.errors import FitError, ParameterError
from analysis.stats.arguments import in_words
from analysis.stats.intervals import rate_ratio_interval
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
_LEAST_OUTSIDE = 6  # periods outside a window, from which its dispersion can be judged


@dataclass(frozen=True, kw_only=True, eq=False)
class CountSurge(Summarised):
    """The window of a series that stands out most.

    Attributes
    ----------
    start, stop : positions of its first period and of the one after its last.
    count, expected : events in it, and those that the rate of the other periods leads one to expect there.
    ratio, low, high : its rate against the rate of the other periods, with the interval of two rates given their total; chosen for its size, so a little too large.
    dispersion : variance of the other periods over that of chance, at least 1.
    statistic : log-likelihood ratio over the dispersion; 0 where no window lies above the others.
    p_value : chance that any window of a series without a surge stands out as much.

    Examples
    --------
    >>> from analysis import stats
    >>> found = stats.count_surge([5, 4, 6, 5, 15, 17, 5, 4, 6, 5, 5, 4], [1.0] * 12, seed=1)
    >>> found.start, found.stop, found.count
    (4, 6, 32)
    """

    start: int
    stop: int
    count: int
    expected: float
    ratio: float
    low: float
    high: float
    dispersion: float
    statistic: float
    p_value: float


@in_words(together="counts expected")
def count_surge(
    counts: ArrayLike,
    expected: ArrayLike,
    *,
    windows: Sequence[int] = (1, 2, 3),
    since: int = 0,
    level: float = 0.95,
    draws: int = 9_999,
    seed: int,
) -> CountSurge:
    """The window that stands out most, and the chance that any does as much where nothing surges.

    Parameters
    ----------
    counts : (periods,) whole numbers in order of time
        Events of each period.
    expected : (periods,) numbers above zero, in any one unit
        Exposure of each period, or the events that its exposure leads one to expect: only their proportions count.
    windows : whole numbers of periods
        Lengths of the windows that are tried.
    since : int
        Position from which a window may begin; earlier periods are only held against.
    level : float, share 0 to 1
        Coverage of the interval of the ratio.
    draws : int
        Simulated series; the p-value is a multiple of 1 / (draws + 1).
    seed : int
        Of the simulated series.

    Returns
    -------
    CountSurge

    Raises
    ------
    FitError
        For a series without events, or with fewer than six periods beside its shortest window.
    ParameterError
        For counts that are not whole, expected events that are not above zero, and windows that are not whole periods.

    Notes
    -----
    Given their total, counts without a surge are multinomial, or Dirichlet-multinomial with the dispersion outside the window that stands out most. A
    window that leaves fewer than six periods outside is not tried.

    Source
    ------
    Kulldorff (1997), *Communications in Statistics: Theory and Methods* 26, 1481-1496; Naus (1965), *JASA* 60, 532-538.

    Examples
    --------
    >>> from analysis import stats
    >>> found = stats.count_surge([5, 4, 6, 5, 15, 17, 5, 4, 6, 5, 5, 4], [1.0] * 12, seed=1)
    >>> round(found.ratio, 2), found.p_value < 0.001
    (3.27, True)
    """
    events, share = _checked(counts, expected, windows, draws)
    tried = _windows(len(events), windows, since)
    statistics, dispersion = _statistics(events[None, :], share, tried)
    best = int(statistics[0].argmax())
    drawn = _drawn(events.sum(), share, float(dispersion[0, best]), draws, np.random.default_rng(seed))
    largest = _statistics(drawn, share, tried)[0].max(axis=1)
    start, stop = tried[best]
    inside, within = float(events[start:stop].sum()), float(share[start:stop].sum())
    outside, spread = float(events.sum() - inside), float(dispersion[0, best])
    found = rate_ratio_interval(inside / spread, within, outside / spread, 1 - within, level=level)
    return CountSurge(
        start=start,
        stop=stop,
        count=int(inside),
        expected=outside * within / (1 - within),
        ratio=float(found.value),
        low=float(found.low),
        high=float(found.high),
        dispersion=spread,
        statistic=float(statistics[0, best]),
        p_value=(1 + int((largest >= statistics[0, best] * (1 - 1e-12)).sum())) / (1 + draws),
    )


def _checked(
    counts: ArrayLike, expected: ArrayLike, windows: Sequence[int], draws: int
) -> tuple[Floats, Floats]:
    """Counts, and the share of all events that is expected in each period."""
    events, exposure = (np.atleast_1d(np.asarray(each, dtype=float)) for each in (counts, expected))
    if events.shape != exposure.shape or events.ndim != 1:
        raise ParameterError("count_surge: counts and expected events should be two lists of one length.")
    if not np.isfinite(events).all() or (events < 0).any() or (events != np.round(events)).any():
        raise ParameterError("count_surge: counts should be whole numbers from 0 on.")
    if not np.isfinite(exposure).all() or (exposure <= 0).any():
        raise ParameterError("count_surge: expected events should be above zero; leave other periods out.")
    whole = isinstance(windows, Sequence) and all(isinstance(one, (int, np.integer)) for one in windows)
    if not whole or not len(windows) or min(windows) < 1 or draws < 1:
        raise ParameterError("count_surge: windows and draws should be whole numbers from 1 on.")
    if not events.sum():
        raise FitError("count_surge: there are no events.")
    return events, exposure / exposure.sum()


def _windows(periods: int, lengths: Sequence[int], since: int) -> list[tuple[int, int]]:
    """Every window that is tried, as the positions of its first period and of the one after its last."""
    found = [
        (start, start + length)
        for length in sorted(set(lengths))
        if periods - length >= _LEAST_OUTSIDE
        for start in range(max(since, 0), periods - length + 1)
    ]
    if not found:
        raise FitError(
            "count_surge: {periods} periods; at least {least} are needed beside a window.",
            periods=periods,
            least=_LEAST_OUTSIDE,
        )
    return found


def _drawn(total: float, share: Floats, dispersion: float, draws: int, random: np.random.Generator) -> Floats:
    """Series without a surge, of the same total and dispersion: multinomial, and Dirichlet-multinomial where counts vary more than that."""
    chances = share
    if dispersion > 1 and total > dispersion:
        weights = random.gamma((total - dispersion) / (dispersion - 1) * share, size=(draws, len(share)))
        chances = weights / weights.sum(axis=1, keepdims=True)
    return random.multinomial(int(total), chances, size=draws).astype(float)


def _statistics(events: Floats, share: Floats, tried: list[tuple[int, int]]) -> tuple[Floats, Floats]:
    """(series, windows): log-likelihood ratio of each window over the dispersion outside it, and that dispersion."""
    first, last = (np.array(ends) for ends in zip(*tried, strict=True))

    def inside(values: Floats) -> Floats:
        sums = np.concatenate([np.zeros((len(values), 1)), values.cumsum(axis=1)], axis=1)
        within: Floats = sums[:, last] - sums[:, first]
        return within

    total = events.sum(axis=1, keepdims=True)
    count, part = inside(events), inside(share[None, :])
    rest = total - count
    gain = xlogy(count, count / (total * part)) + xlogy(rest, rest / (total * (1 - part)))
    squares = events**2 / share
    around = squares.sum(axis=1, keepdims=True) - inside(squares)
    # Pearson's statistic of the periods outside, whose own total is what is expected of them
    scatter = around * (1 - part) / np.maximum(rest, 1) - rest
    freedom = len(share) - (last - first) - 1
    dispersion = np.maximum(scatter / freedom, 1.0)
    return np.where(count > total * part, gain, 0.0) / dispersion, dispersion
