"""Changes of a plain series: against the period before, and against the same period a season earlier.

Our own only for its rules: pandas' ``pct_change`` skips over missing periods, and divides by bases of zero or below.

Source: Hyndman and Athanasopoulos (2021), *Forecasting: Principles and Practice*, 3rd ed., section 3.1; the published answers are those of the U.S. Bureau of Labor Statistics.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.errors import FitError, ParameterError
from analysis.stats.arguments import in_words


@in_words(series="values")
def series_changes(values: pd.Series, *, season: int = 12) -> pd.DataFrame:
    """Month and year changes of a series, in its unit and as shares.

    Parameters
    ----------
    values : (periods,) Series of numbers in order of time, any unit
        Consecutive periods; a period without value is a missing one among them, never left out. With an index of dates or periods, gaps are refused.
    season : int
        Periods in a season: 12 for months, 4 for quarters.

    Returns
    -------
    DataFrame, one row per period, with the index of the series
        `value`, `change` (on the period before), `change_share` (÷ the value before), `season_change` (on the same period a season earlier) and
        `season_change_share`. Missing where either value is; a share also where the earlier value is not above zero: from a loss or from nothing there is no
        percentage.

    Raises
    ------
    FitError
        For an empty series and for periods that do not follow each other.
    ParameterError
        For a season below two, or what is no number.

    Source
    ------
    Hyndman and Athanasopoulos (2021), *Forecasting: Principles and Practice*, 3rd ed., section 3.1.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import stats
    >>> quarters = pd.Series([100.0, 110.0, 99.0, 120.0, 105.0], index=pd.period_range("2025Q1", periods=5, freq="Q"))
    >>> stats.series_changes(quarters, season=4).iloc[-1].round(3).tolist()
    [105.0, -15.0, -0.125, 5.0, 0.05]
    """
    if season < 2:
        raise ParameterError(f"series_changes: a season has two periods or more; got {season}.")
    series = values.astype(float)
    if series.empty:
        raise FitError("series_changes: the series is empty.")
    if not np.isfinite(series.dropna()).all():
        raise FitError("series_changes: a value is infinite; leave it missing.")
    _refuse_gaps(series.index)
    table = pd.DataFrame({"value": series})
    for name, back in (("change", 1), ("season_change", season)):
        before = series.shift(back)
        table[name] = series - before
        table[f"{name}_share"] = (series / before.where(before > 0)) - 1
    return table


def _refuse_gaps(index: pd.Index) -> None:
    """Periods in order, none left out or told twice; of dates a step is one and a half times the usual one where a period is missing."""
    if not isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex)) or len(index) < 2:
        return
    steps = np.diff(index.asi8)
    longest = 1.5 * float(np.median(steps)) if isinstance(index, pd.DatetimeIndex) else 1.0
    regular = bool(steps.min() > 0 and steps.max() <= longest)
    if not regular:
        raise FitError(
            "series_changes: periods are missing, told twice or out of order; give every period, with a missing value where there is none."
        )
