"""Runs about the centre of a series: too long a run, or too few crossings, is more than chance.

The two rules need neither limits nor a distribution, only a centre (by default the median), and their limits follow the length of the series, so that the
chance of a false alarm stays near 5 % for short series and long ones. They find a shift that stays; a single wild point they do not see.

Source: Anhøj and Olesen (2014), "Run charts revisited", *PLOS ONE* 9(11): e113825; Chen (2010), "A note on the number of runs" for the crossings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom

from analysis.errors import FitError
from analysis.stats.arguments import in_words
from analysis.summaries import Summarised

_LEAST_POINTS = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class RunsTest(Summarised):
    """The two rules over one series.

    Attributes
    ----------
    useful : points beside the centre; points on it neither make nor break a run.
    longest_run, longest_run_limit : the limit is the longest run that chance explains.
    crossings, crossings_limit : the limit is the fewest crossings that chance explains.
    centre : in the unit of the values.
    shifted : whether a rule is broken.

    Examples
    --------
    >>> from analysis import stats
    >>> stats.runs_test([1, 9] * 6, centre=5).crossings
    11
    """

    useful: int
    longest_run: int
    longest_run_limit: int
    crossings: int
    crossings_limit: int
    centre: float

    @property
    def shifted(self) -> bool:
        """Whether a rule is broken."""
        return self.longest_run > self.longest_run_limit or self.crossings < self.crossings_limit


@in_words(rows="values")
def runs_test(values: ArrayLike, *, centre: float | None = None) -> RunsTest:
    """Longest run and crossings about the centre, against Anhøj's limits.

    Parameters
    ----------
    values : (points,) numbers in order of time, in any unit
        None missing.
    centre : float, in the unit of the values; optional
        A level decided or known from an earlier period; the median of the values otherwise.

    Returns
    -------
    RunsTest

    Raises
    ------
    FitError
        For values that are missing, or fewer than ten points beside the centre: nothing could be found in them.
    ParameterError
        For what is no number.

    Source
    ------
    Anhøj and Olesen (2014), *PLOS ONE* 9(11): e113825: a run is too long above round(log2(n)) + 3, crossings too few below the 5 %
    quantile of a binomial of n - 1 halves.

    Examples
    --------
    >>> from analysis import stats
    >>> found = stats.runs_test([1, 2, 1, 2, 1, 2, 9, 8, 9, 8, 9, 8], centre=5)
    >>> found.longest_run, found.crossings, found.crossings_limit, found.shifted
    (6, 1, 3, True)
    """
    series = np.asarray(values, dtype=float)
    if not np.isfinite(series).all():
        raise FitError("runs_test: values are missing; a run has no gaps. Leave the points out.")
    middle = float(np.median(series)) if centre is None else float(centre)
    above = (series > middle)[series != middle]
    if len(above) < _LEAST_POINTS:
        raise FitError(
            f"runs_test: {len(above)} points beside the centre; at least {_LEAST_POINTS} are needed."
        )
    changes = np.flatnonzero(above[1:] != above[:-1]) + 1
    runs = np.diff(np.concatenate([[0], changes, [len(above)]]))
    return RunsTest(
        useful=len(above),
        longest_run=int(runs.max()),
        longest_run_limit=round(np.log2(len(above))) + 3,
        crossings=len(changes),
        crossings_limit=int(binom.ppf(0.05, len(above) - 1, 0.5)),
        centre=middle,
    )
