"""Why a rate changed: because each group's own rate did, or because the groups' shares did.

Source: Kitagawa (1955), "Components of a difference between two rates", *J. American Statistical Association* 50, 1168-1194.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import norm

from analysis.errors import FitError
from analysis.stats.arguments import confidence_level, in_words


@in_words(rows="events_before size_before events_after size_after", labels="groups")
def rate_change(
    groups: ArrayLike,
    events_before: ArrayLike,
    size_before: ArrayLike,
    events_after: ArrayLike,
    size_after: ArrayLike,
    *,
    level: float = 0.95,
) -> pd.DataFrame:
    """The change of a rate split into change within groups and change of their mix, each at the mean of before and after.

    Parameters
    ----------
    groups : (groups,) labels
        Each once.
    events_before, events_after : (groups,) numbers, events
        Counts, independent of each other (Poisson).
    size_before, size_after : (groups,) numbers, exposure in one unit
        Zero where a group was not there; it has then the other period's rate, and all of it is mix.
    level : float, share 0 to 1
        Coverage of the limits.

    Returns
    -------
    DataFrame, one row per group and `all`
        `within`, `mix` and their sum `change`, in events per unit of exposure; `within_low`, `within_high`, limits for the counts' chance, the shares taken as known.

    Raises
    ------
    FitError
        For negative numbers, events without exposure, a group named twice, or a period without exposure.
    ParameterError
        For an impossible level.

    Source
    ------
    Kitagawa (1955), *JASA* 50, 1168-1194.

    Examples
    --------
    Nobody's rate moved, but the group that fails more often grew from half to three quarters.

    >>> from analysis import stats
    >>> table = stats.rate_change(["old", "new"], [20, 10], [100, 100], [30, 5], [150, 50])
    >>> table["mix"].round(6).to_dict()
    {'old': 0.009375, 'new': 0.015625, 'all': 0.025}
    """
    level = confidence_level(level)
    names = pd.Index(np.asarray(groups), name="group")
    before, size, after, size_now = (
        np.asarray(values, dtype=float) for values in (events_before, size_before, events_after, size_after)
    )
    _refuse(names, before, size, after, size_now)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, rate_now = before / size, after / size_now
    rate, rate_now = np.where(size > 0, rate, rate_now), np.where(size_now > 0, rate_now, rate)
    share, share_now = size / size.sum(), size_now / size_now.sum()
    weight = (share + share_now) / 2
    # a group that is there in one period only has no change of its own
    there = (size > 0) & (size_now > 0)
    within = np.where(there, weight * (rate_now - rate), 0.0)
    level_of = (rate + rate_now) / 2
    mix = (level_of - weight @ level_of) * (
        share_now - share
    )  # growing where the rate is below the mean lowers it
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(there, weight**2 * (before / size**2 + after / size_now**2), 0.0)
    table = pd.DataFrame({"within": within, "mix": mix, "change": within + mix}, index=names)
    table.loc["all"] = table.sum()
    reach = float(norm.ppf(0.5 + level / 2)) * np.sqrt(np.append(variance, variance.sum()))
    return table.assign(within_low=table["within"] - reach, within_high=table["within"] + reach)


def _refuse(names: pd.Index, *numbers: np.ndarray) -> None:
    before, size, after, size_now = numbers
    if any(one.shape != names.shape for one in numbers):
        raise FitError(f"rate_change: give events and exposure for each of the {len(names)} groups.")
    if names.has_duplicates:
        raise FitError(f"rate_change: group {names[names.duplicated()][0]!r} is named twice; sum it first.")
    if not all((np.isfinite(one) & (one >= 0)).all() for one in numbers):
        raise FitError("rate_change: events and exposure are zero or more, and none is missing.")
    if ((size == 0) & (before > 0)).any() or ((size_now == 0) & (after > 0)).any():
        raise FitError("rate_change: a group has events without exposure.")
    if not (size.sum() > 0 and size_now.sum() > 0):
        raise FitError("rate_change: a period has no exposure at all.")
    if ((size == 0) & (size_now == 0)).any():
        raise FitError("rate_change: a group has no exposure in either period; leave it out.")
