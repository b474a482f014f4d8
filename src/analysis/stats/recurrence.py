"""Repeated events on the same unit: the mean cumulative function, with an interval that needs no process model.

Our own: statsmodels and scipy have no estimator for repeated events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from analysis.errors import ParameterError
from analysis.stats.arguments import confidence_level, in_words
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
IntervalKind = Literal["log", "normal"]


@dataclass(frozen=True, kw_only=True, eq=False)
class MeanCumulativeFunction(Summarised):
    """Mean number (or cost) of events a unit has had by each age.

    Attributes
    ----------
    table : one row per distinct event age
        `age`, `at_risk` (units under observation then), `events` (number or cost at that age), `mcf`, `standard_error`, `low`, `high`; a step
        function that holds until the next row.
    units, events : weighted counts (events: the cost, where costs were given).
    last_age : end of the longest observation.
    level : coverage of each pointwise interval.
    method : of the variance and the interval, in words.

    Examples
    --------
    >>> from analysis import stats
    >>> mean = stats.mean_cumulative_function([0, 0, 1], [3.0, 7.0, 7.0], ends=[10.0, 10.0])
    >>> mean.at([5.0, 8.0])["mcf"].tolist()
    [0.5, 1.5]
    """

    table: pd.DataFrame
    units: float
    events: float
    last_age: float
    level: float
    method: str

    @in_words(rows="age")
    def at(self, age: ArrayLike) -> pd.DataFrame:
        """The function at each age; zero before the first event, missing beyond the last observation.

        Parameters
        ----------
        age : (n,) numbers, in the unit of the event ages
            In any order.

        Returns
        -------
        DataFrame, one row per age
            `mcf`, `standard_error`, `low`, `high`, `age`.

        Raises
        ------
        ParameterError
            For a missing age.
        """
        ages = np.atleast_1d(np.asarray(age, dtype=float))
        if np.isnan(ages).any():
            raise ParameterError(f"recurrence: {int(np.isnan(ages).sum())} of {len(ages)} ages are missing.")
        row = np.searchsorted(self.table["age"].to_numpy(), ages, side="right") - 1
        # zero before the first event, and throughout where there was none
        shown = np.vstack([np.zeros(4), self.table[["mcf", "standard_error", "low", "high"]].to_numpy(float)])
        values = shown[row + 1]
        values[ages > self.last_age] = np.nan
        return pd.DataFrame(values, columns=["mcf", "standard_error", "low", "high"]).assign(age=ages)


@in_words(rows="event_ages costs", labels="event_units", units="ends starts unit_weights")
def mean_cumulative_function(
    event_units: ArrayLike,
    event_ages: ArrayLike,
    *,
    ends: ArrayLike,
    starts: ArrayLike | None = None,
    units: ArrayLike | None = None,
    costs: ArrayLike | None = None,
    unit_weights: ArrayLike | None = None,
    level: float = 0.95,
    interval: IntervalKind = "log",
) -> MeanCumulativeFunction:
    """Nelson's nonparametric mean cumulative function of recurrent events.

    Parameters
    ----------
    event_units : (events,) labels or positions
        The unit of each event: an entry of `units`, else a position in `ends`.
    event_ages : (events,) numbers, in any unit of age
        The unit's age then. Two events of one unit at one age both count.
    ends : (units,) numbers, in the unit of the ages
        Age at the end of observation; a unit is at risk up to and including it.
    starts : (units,) numbers, in the unit of the ages; optional
        Age after which it was observed (delayed entry); zero without it.
    units : (units,) labels, optional
        Names of the rows of `ends`.
    costs : (events,) numbers, in any unit; optional
        What each event adds (1 without it): the mean cumulative cost.
    unit_weights : (units,) numbers, optional
        Equal units a row of `ends` stands for, with equal histories; millions of units without an event are one row for each distinct window.
    level : float, share 0 to 1
        Coverage of each pointwise interval.
    interval : str
        ``log`` keeps the lower bound above zero; ``normal`` is symmetric.

    Returns
    -------
    MeanCumulativeFunction

    Raises
    ------
    ParameterError
        For events of unknown units or outside their unit's window, impossible windows, no event at all, or an unknown interval.

    Notes
    -----
    Assumes that the end of observation has nothing to do with the events; nothing about the process. The variance is the robust one of Lawless and
    Nadeau, never negative.

    Source
    ------
    Nelson (1995), *Technometrics* 37, 147-157; Lawless and Nadeau (1995), *Technometrics* 37, 158-168; Meeker and Escobar (1998), section 16.2.

    Examples
    --------
    Two machines, one event at 3 (1/2), two at 7 (2/2 more).

    >>> from analysis import stats
    >>> mean = stats.mean_cumulative_function([0, 0, 1], [3.0, 7.0, 7.0], ends=[10.0, 10.0])
    >>> mean.table["mcf"].tolist()
    [0.5, 1.5]
    """
    end = np.asarray(ends, dtype=float)
    start = np.zeros(len(end)) if starts is None else np.asarray(starts, dtype=float)
    weight = np.ones(len(end)) if unit_weights is None else np.asarray(unit_weights, dtype=float)
    unit = _positions(event_units, units, len(end))
    age = np.asarray(event_ages, dtype=float)
    cost = np.ones(len(age)) if costs is None else np.asarray(costs, dtype=float)
    _check(unit, age, start, end, weight, cost)
    if not len(age):
        raise ParameterError(
            f"no events among {weight.sum():g} units; the mean cumulative function is zero and has no interval "
            "(poisson_interval bounds the rate)."
        )
    table = _estimate(unit, age, cost, start, end, weight)
    return MeanCumulativeFunction(
        table=with_interval(table, level, interval),
        units=float(weight.sum()),
        events=float((cost * weight[unit]).sum()),
        level=level,
        method=f"Lawless-Nadeau variance, {interval} interval",
        last_age=float(end.max()),
    )


@in_words()
def mean_cumulative_difference(
    first: MeanCumulativeFunction, second: MeanCumulativeFunction, *, level: float = 0.95
) -> pd.DataFrame:
    """First minus second at every age where either steps, while both are observed.

    Parameters
    ----------
    first, second : MeanCumulativeFunction
        Of two groups without a unit in common, in one unit of age.
    level : float, share 0 to 1
        Coverage of each pointwise interval.

    Returns
    -------
    DataFrame, one row per age
        `age`, `difference`, `low`, `high`.

    Raises
    ------
    ParameterError
        For a level outside 0 to 1.

    Source
    ------
    Doganaksoy and Nelson (1998), *Lifetime Data Analysis* 4, 383-403.

    Examples
    --------
    >>> from analysis import stats
    >>> one = stats.mean_cumulative_function([0, 0, 1], [3.0, 7.0, 7.0], ends=[10.0, 10.0])
    >>> other = stats.mean_cumulative_function([0], [5.0], ends=[10.0, 10.0])
    >>> stats.mean_cumulative_difference(one, other)[["age", "difference"]].values.tolist()
    [[3.0, 0.5], [5.0, 0.0], [7.0, 1.0]]
    """
    confidence_level(level)
    last = min(first.last_age, second.last_age)
    ages = np.union1d(first.table["age"], second.table["age"])
    ages = ages[ages <= last]
    one, other = first.at(ages), second.at(ages)
    difference = one["mcf"] - other["mcf"]
    half = norm.ppf(0.5 + level / 2) * np.hypot(one["standard_error"], other["standard_error"])
    return pd.DataFrame(
        {"age": ages, "difference": difference, "low": difference - half, "high": difference + half}
    )


def _positions(event_units: ArrayLike, units: ArrayLike | None, count: int) -> NDArray[np.int64]:
    if units is None:
        given = np.asarray(event_units)
        if given.dtype.kind not in "iuf":
            raise ParameterError(
                f"event_units: {given.flat[0]!r} is no position; give 0, 1, 2 … or name the units with `units`."
            )
        position = given.astype(np.int64)
        unknown = (position < 0) | (position >= count)
        known = f"positions 0 to {count - 1}"
    else:
        if np.ndim(units) != 1:
            raise ParameterError("units: give the name of each row of `ends`.")
        names = pd.Index(np.asarray(units))
        if names.has_duplicates:
            raise ParameterError(
                f"units: {int(names.duplicated().sum())} repeat, e.g. {names[names.duplicated()][0]}."
            )
        position = names.get_indexer(pd.Index(np.asarray(event_units)))
        unknown = position < 0
        known = "the units under observation"
    if unknown.any():
        example = np.asarray(event_units)[unknown][0]
        raise ParameterError(f"{int(unknown.sum())} events belong to none of {known}, e.g. {example}.")
    return np.asarray(position, dtype=np.int64)


def _check(
    unit: NDArray[np.int64], age: Floats, start: Floats, end: Floats, weight: Floats, cost: Floats
) -> None:
    if not (len(unit) == len(age) == len(cost)):
        raise ParameterError("event_units, event_ages and costs need one value an event.")
    if not (len(start) == len(end) == len(weight)):
        raise ParameterError("starts, ends and unit_weights need one value a unit.")
    if not np.isfinite(cost).all():
        raise ParameterError(
            f"costs: {int((~np.isfinite(cost)).sum())} of {len(cost)} are missing or infinite."
        )
    backwards = ~(end >= start) | (start < 0) | ~(weight >= 0)
    if backwards.any():
        raise ParameterError(
            f"{int(backwards.sum())} of {len(end)} units have no valid window or weight, e.g. from "
            f"{start[backwards][0]:g} to {end[backwards][0]:g}."
        )
    outside = ~((age > start[unit]) & (age <= end[unit]))
    if outside.any():
        first = int(np.argmax(outside))
        raise ParameterError(
            f"{int(outside.sum())} of {len(age)} events lie outside their unit's window, e.g. age {age[first]:g} "
            f"with a window from {start[unit[first]]:g} to {end[unit[first]]:g}."
        )


def _estimate(
    unit: NDArray[np.int64], age: Floats, cost: Floats, start: Floats, end: Floats, weight: Floats
) -> pd.DataFrame:
    """The estimate and its variance, the sum over units of (A - B) squared.

    A is what the unit's own events added, each over the number at risk; B what the mean adds while the unit is
    at risk. Squares and products are accumulated step by step, so no units-by-ages table is ever made.
    """
    at, step = np.unique(age, return_inverse=True)
    at_risk = _total_below(start, weight, at) - _total_below(end, weight, at)
    total = np.bincount(step, weights=cost * weight[unit], minlength=len(at))
    mean = total / at_risk
    pull = mean / at_risk  # what each unit at risk is expected to add at this age
    pulled = np.cumsum(pull)
    before = pulled - pull
    pulled_at_start = np.r_[0.0, pulled][np.searchsorted(at, start, side="right")]

    # one row a unit and age: what it added, and what it had added before
    own = pd.DataFrame({"unit": unit, "step": step, "added": cost / at_risk[step]})
    own = own.groupby(["unit", "step"])["added"].sum().reset_index()
    held = own.groupby("unit")["added"].cumsum() - own["added"]
    who, when, added = own["unit"].to_numpy(), own["step"].to_numpy(), own["added"].to_numpy()
    replicate = weight[who]

    own_squared = np.bincount(when, weights=replicate * (2 * held * added + added**2), minlength=len(at))
    started = _total_below(start, weight * pulled_at_start, at) - _total_below(
        end, weight * pulled_at_start, at
    )
    mean_squared = 2 * pull * (before * at_risk - started) + pull**2 * at_risk
    so_far = np.cumsum(np.bincount(when, weights=replicate * added, minlength=len(at)))
    had = np.bincount(who, weights=added, minlength=len(end))
    had_at_risk = np.r_[0.0, so_far[:-1]] - _total_below(end, weight * had, at)
    product = np.bincount(
        when,
        weights=replicate * added * (before[when] - pulled_at_start[who] + pull[when]),
        minlength=len(at),
    )
    product += pull * had_at_risk
    variance = np.cumsum(own_squared - 2 * product + mean_squared)
    return pd.DataFrame(
        {
            "age": at,
            "at_risk": at_risk,
            "events": total,
            "mcf": np.cumsum(mean),
            "standard_error": np.sqrt(np.maximum(variance, 0.0)),
        }
    )


def _total_below(ages: Floats, weight: Floats, at: Floats) -> Floats:
    """Total weight of the entries whose age is strictly below each of `at`."""
    order = np.argsort(ages, kind="stable")
    running = np.r_[0.0, np.cumsum(weight[order])]
    return np.asarray(running[np.searchsorted(ages[order], at, side="left")])


def with_interval(table: pd.DataFrame, level: float, interval: IntervalKind) -> pd.DataFrame:
    """``low`` and ``high`` beside ``mcf`` and ``standard_error``."""
    confidence_level(level)
    z = norm.ppf(0.5 + level / 2)
    mcf, error = table["mcf"], table["standard_error"]
    if interval == "normal":
        return table.assign(low=mcf - z * error, high=mcf + z * error)
    if interval != "log":
        raise ParameterError(f"unknown interval {interval!r}; known: log, normal.")
    if (mcf <= 0).any():
        raise ParameterError(
            "a log interval needs a mean above zero at every age; costs below zero take interval='normal'."
        )
    factor = np.exp(z * error / mcf)
    return table.assign(low=mcf / factor, high=mcf * factor)
