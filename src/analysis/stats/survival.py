"""Time to an event: curves, tests and regression, for subjects that may enter late and leave unobserved.

Times that differ by rounding alone are one time (`settled_times`). All functions take arrays of one row per subject (or per subject and spell), or of one row per distinct combination with
`weights` that say how many subjects it stands for. A subject is at risk at time t when ``entry < t <= duration``.
A study of ten million subjects therefore passes a few thousand rows.

Our own for that reason: statsmodels' `survdiff` has no weights, so every subject is a row, and the restricted mean and its
differences are missing.

Sources: Klein and Moeschberger (2003), *Survival Analysis*, 2nd ed., ch. 4 and 7; Therneau and Grambsch (2000),
*Modeling Survival Data*, ch. 2, 3, 6 and 7; Marubini and Valsecchi (1995), *Analysing Survival Data*, section 10.3
(variance of a cumulative incidence). R's ``survival`` package supplies the published answers in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, norm

from analysis.errors import FitError, ParameterError, suggestion
from analysis.stats.arguments import WrongArgument, confidence_level, in_words, missing_labels
from analysis.summaries import Summarised

Array = NDArray[np.float64]
Scale = Literal["log-log", "log", "plain"]

_SCALES = ("log-log", "log", "plain")


@dataclass(frozen=True, kw_only=True)
class Estimate(Summarised):
    """A number with its standard error and interval; NaN where it was not reached.

    Attributes
    ----------
    value, std_error, low, high : float, in the unit of what is estimated
        The estimate, its standard error, the bounds of its interval.
    level : float, share 0 to 1
        Coverage of the interval.

    Examples
    --------
    >>> from analysis import stats
    >>> curve = stats.kaplan_meier([1, 2, 3, 4], [1, 1, 1, 1])
    >>> curve.median.value
    2.0
    """

    value: float
    std_error: float
    low: float
    high: float
    level: float


@dataclass(frozen=True, kw_only=True, eq=False)
class SurvivalCurve(Summarised):
    """A Kaplan-Meier curve.

    Attributes
    ----------
    table : one row per distinct time at which a subject had the event or was censored, in order
        `time`, `at_risk`, `events`, `censored`, `survival` (share beyond this time), `std_error`, `low`, `high`
        (pointwise), `cumulative_hazard` (Nelson-Aalen).
    subjects, events : weighted counts.
    level : coverage of each pointwise interval.
    last_time : longest duration seen; the curve says nothing beyond it.
    notes : doubts, e.g. a risk set that was emptied early by late entry.

    Examples
    --------
    >>> from analysis import stats
    >>> curve = stats.kaplan_meier([2, 3, 5, 8], [1, 1, 0, 1])
    >>> curve.at([4])["survival"].tolist(), curve.median.value, curve.restricted_mean(4).value  # area: 2 + 0.75 + 0.5
    ([0.5], 3.0, 3.25)
    """

    table: pd.DataFrame
    subjects: float
    events: float
    level: float
    last_time: float
    notes: tuple[str, ...] = ()

    @in_words(rows="times")
    def at(self, times: ArrayLike) -> pd.DataFrame:
        """Survival with its interval and the number at risk just before each of `times`; NaN beyond the last time.

        Parameters
        ----------
        times : (n,) numbers, in the unit of the durations
            In any order.

        Returns
        -------
        DataFrame, one row per time
            `time`, `survival`, `std_error`, `low`, `high`, `at_risk`.

        Raises
        ------
        ParameterError
            For a negative or missing time.
        """
        wanted = _asked_times(times)
        out = pd.DataFrame({"time": wanted})
        starts = {"survival": 1.0, "std_error": 0.0, "low": 1.0, "high": 1.0}
        for column, values in _steps_at(wanted, self.table, starts, last=self.last_time).items():
            out[column] = values
        return out.assign(at_risk=_ahead_of(wanted, self.table))

    @in_words()
    def quantile(self, share: float) -> Estimate:
        """Earliest time by which `share` had the event; NaN ("not reached") where the curve stays above.

        The interval inverts the pointwise interval (Brookmeyer and Crowley 1982, *Biometrics* 38, 29-41).

        Parameters
        ----------
        share : float, share 0 to 1
            0.5 for the median.

        Returns
        -------
        Estimate
            In the unit of the durations; its standard error is NaN.

        Raises
        ------
        ParameterError
            For a share that does not lie between 0 and 1.
        """
        if not 0 < share < 1:
            raise ParameterError(
                f"survival: share {share} must lie between 0 and 1, e.g. 0.5 for the median."
            )
        times = self.table["time"].to_numpy()

        def crossing(column: str) -> float:
            reached = np.flatnonzero(self.table[column].to_numpy() <= 1 - share + 1e-12)
            return float(times[reached[0]]) if len(reached) else float("nan")

        return Estimate(
            value=crossing("survival"),
            std_error=float("nan"),
            low=crossing("low"),
            high=crossing("high"),
            level=self.level,
        )

    @property
    def median(self) -> Estimate:
        """Time by which half had the event: ``quantile(0.5)``."""
        return self.quantile(0.5)

    @in_words()
    def restricted_mean(self, limit: float) -> Estimate:
        """Mean time to the event within the first `limit`: the area under the curve up to there.

        Parameters
        ----------
        limit : float, in the unit of the durations
            Above zero.

        Returns
        -------
        Estimate
            In the unit of the durations.

        Raises
        ------
        ParameterError
            For a limit that is not positive.
        FitError
            Where the curve is not known up to the limit, unless it has already fallen to zero.
        """
        if limit <= 0:
            raise ParameterError(f"survival: the limit of a restricted mean must be positive, not {limit:g}.")
        survival = self.table["survival"].to_numpy()
        if limit > self.last_time and survival[-1] > 0:
            raise FitError(
                "survival: a restricted mean up to {limit} needs follow-up that long; the longest is {last}. "
                "Choose a shorter limit.",
                limit=f"{limit:g}",
                last=f"{self.last_time:g}",
            )
        inside = self.table["time"].to_numpy() < limit
        starts = np.concatenate([[0.0], self.table["time"].to_numpy()[inside]])
        heights = np.concatenate([[1.0], survival[inside]])
        areas = heights * np.diff(np.append(starts, limit))
        to_the_right = np.cumsum(areas[::-1])[::-1][1:]
        at_risk, events = (self.table[name].to_numpy()[inside] for name in ("at_risk", "events"))
        alive = at_risk - events
        terms = np.divide(events, at_risk * alive, out=np.zeros(events.shape), where=alive > 0)
        error = float(np.sqrt(np.sum(to_the_right**2 * terms)))
        value, reach = float(areas.sum()), float(norm.ppf(0.5 + self.level / 2)) * error
        return Estimate(value=value, std_error=error, low=value - reach, high=value + reach, level=self.level)


def _asked_times(times: ArrayLike) -> Array:
    wanted = np.atleast_1d(np.asarray(times, dtype=float))
    if not np.all(wanted >= 0):
        raise ParameterError(
            f"survival: {int(np.sum(~(wanted >= 0)))} of {len(wanted)} times are negative or missing."
        )
    return wanted


def _steps_at(
    wanted: Array, table: pd.DataFrame, starts: dict[str, float], *, last: float
) -> dict[str, Array]:
    """Columns of a step function at the times wanted: `starts` before its first time, unknown after the last that was seen."""
    row = np.searchsorted(table["time"].to_numpy(), wanted, side="right") - 1
    return {
        column: np.where(
            wanted > last, np.nan, np.where(row >= 0, table[column].to_numpy()[np.maximum(row, 0)], before)
        )
        for column, before in starts.items()
    }


def _ahead_of(wanted: Array, risk: pd.DataFrame) -> Array:
    """Subjects at risk at the first time of the table that is not before each one wanted; none after the last."""
    ahead = np.searchsorted(risk["time"].to_numpy(), wanted, side="left")
    at_risk: Array = np.append(risk["at_risk"].to_numpy(), 0.0)[ahead]
    return at_risk


@in_words(rows="durations events entry weights")
def kaplan_meier(
    durations: ArrayLike,
    events: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    level: float = 0.95,
    scale: Scale = "log-log",
) -> SurvivalCurve:
    """Share of subjects still without the event, by time.

    Parameters
    ----------
    durations : (rows,) numbers, in any unit of time
        Time of the event or of the end of observation, not negative.
    events : (rows,) true or false, or 1 and 0
        True where the event happened, false where observation ended first.
    entry : (rows,) numbers, in the unit of the durations; optional
        Time from which the subject was observed (delayed entry); a subject who could only be seen because it had already lasted must have one.
        Without it all are seen from time zero.
    weights : (rows,) numbers, optional
        How many subjects a row stands for.
    level : float, share 0 to 1
        Coverage of each pointwise interval.
    scale : str
        On which the pointwise interval is symmetric: ``log-log`` keeps it inside 0 to 1 and near its level at small counts; ``log`` is R's default;
        ``plain``.

    Returns
    -------
    SurvivalCurve

    Raises
    ------
    FitError
        For rows without a valid duration, event, entry or weight.
    ParameterError
        For what is no number, an unknown scale, or a level outside 0 to 1.

    Notes
    -----
    Assumes that the time of censoring says nothing about the time of the event. Variance: Greenwood, with rows of weight w counted as w subjects.

    Source
    ------
    Klein and Moeschberger (2003), *Survival Analysis*, 2nd ed., ch. 4.

    Examples
    --------
    Of four, one fails at 2 (3/4 are left), one of three at 3 (1/2), one is lost from sight at 5, the last fails at 8.

    >>> from analysis import stats
    >>> curve = stats.kaplan_meier(durations=[2, 3, 5, 8], events=[1, 1, 0, 1])
    >>> curve.table["survival"].tolist()
    [0.75, 0.5, 0.5, 0.0]
    """
    counts = _risk_table(durations, events, entry=entry, weights=weights, level=level)
    at_risk, happened = counts["at_risk"].to_numpy(), counts["events"].to_numpy()
    survival = np.cumprod(1 - happened / at_risk)
    alive = at_risk - happened
    terms = np.divide(happened, at_risk * alive, out=np.zeros(happened.shape), where=alive > 0)
    greenwood = np.cumsum(terms)  # variance of log survival
    low, high = _survival_limits(survival, np.sqrt(greenwood), level=level, scale=scale)
    table = counts.assign(
        survival=survival,
        std_error=survival * np.sqrt(greenwood),
        low=low,
        high=high,
        cumulative_hazard=np.cumsum(happened / at_risk),
    )
    emptied = np.flatnonzero((alive <= 0) & (np.arange(len(alive)) < len(alive) - 1))
    notes: tuple[str, ...] = ()
    if len(emptied):
        when = table["time"].iloc[int(emptied[0])]
        notes = (
            f"all subjects then at risk had the event at {when:g}, so the curve is zero from there although others "
            "entered later; start the clock where enough are at risk.",
        )
    return SurvivalCurve(
        table=table,
        subjects=float(np.sum(_weights(weights, len(np.atleast_1d(np.asarray(durations)))))),
        events=float(happened.sum()),
        level=level,
        last_time=float(table["time"].iloc[-1]),
        notes=notes,
    )


@in_words(rows="durations events entry weights")
def nelson_aalen(
    durations: ArrayLike,
    events: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Cumulative hazard, by time.

    Parameters
    ----------
    durations : (rows,) numbers, in any unit of time
        As in `kaplan_meier`, like the four that follow.
    events : (rows,) true or false, or 1 and 0
        Whether the event happened.
    entry : (rows,) numbers, in the unit of the durations; optional
        Delayed entry.
    weights : (rows,) numbers, optional
        How many subjects a row stands for.
    level : float, share 0 to 1
        Coverage of each pointwise interval.

    Returns
    -------
    DataFrame, one row per distinct time
        `time`, `at_risk`, `events`, `censored`, `cumulative_hazard`, `std_error`, `low`, `high`.

    Raises
    ------
    FitError
        For rows without a valid duration, event, entry or weight.
    ParameterError
        For what is no number, or a level outside 0 to 1.

    Notes
    -----
    The interval is symmetric in logs, so it stays positive.

    Source
    ------
    Klein and Moeschberger (2003), *Survival Analysis*, 2nd ed., equation 4.2.4 (variance) and the family of 4.3.4 (interval).

    Examples
    --------
    One of four, then one of three: 1/4 + 1/3.

    >>> from analysis import stats
    >>> hazard = stats.nelson_aalen([2, 3, 5, 8], [1, 1, 0, 1])
    >>> hazard["cumulative_hazard"].round(4).tolist()
    [0.25, 0.5833, 0.5833, 1.5833]
    """
    counts = _risk_table(durations, events, entry=entry, weights=weights, level=level)
    at_risk, happened = counts["at_risk"].to_numpy(), counts["events"].to_numpy()
    hazard = np.cumsum(happened / at_risk)
    error = np.sqrt(np.cumsum(happened / at_risk**2))
    ratio = np.divide(error, hazard, out=np.zeros(error.shape), where=hazard > 0)
    reach = np.exp(norm.ppf(0.5 + level / 2) * ratio)
    return counts.assign(cumulative_hazard=hazard, std_error=error, low=hazard / reach, high=hazard * reach)


@in_words()
def restricted_mean_difference(first: SurvivalCurve, second: SurvivalCurve, *, limit: float) -> Estimate:
    """Restricted mean of `first` minus that of `second`, of independent groups.

    Parameters
    ----------
    first, second : SurvivalCurve
        Of two groups without a subject in common, in one unit of time; the interval has the first one's level.
    limit : float, in the unit of the durations
        Up to where the means are taken, above zero.

    Returns
    -------
    Estimate
        In the unit of the durations.

    Raises
    ------
    ParameterError
        For a limit that is not a positive number.
    FitError
        Where a curve is not known up to the limit.

    Source
    ------
    Klein and Moeschberger (2003), *Survival Analysis*, 2nd ed., ch. 4 (restricted mean); own derivation of the difference of two independent ones,
    tested by simulated coverage.

    Examples
    --------
    Areas up to 4: three lives of 2, 4 and 4 against three of 1, 2 and 3.

    >>> from analysis import stats
    >>> one = stats.kaplan_meier([2, 4, 4], [1, 1, 1])
    >>> other = stats.kaplan_meier([1, 2, 3], [1, 1, 1])
    >>> round(stats.restricted_mean_difference(one, other, limit=4).value, 4)  # 10/3 - 2
    1.3333
    """
    one, other = first.restricted_mean(limit), second.restricted_mean(limit)
    error = float(np.hypot(one.std_error, other.std_error))
    value, reach = one.value - other.value, float(norm.ppf(0.5 + first.level / 2)) * error
    return Estimate(value=value, std_error=error, low=value - reach, high=value + reach, level=first.level)


# ----------------------------------------------------------------------------------------------- tests


@dataclass(frozen=True, kw_only=True, eq=False)
class LogRank(Summarised):
    """A (weighted) log-rank test of equal hazards.

    Attributes
    ----------
    statistic, degrees : chi-square, and its degrees of freedom.
    p_value : upper tail, 0 to 1.
    table : one row per group
        `group`, `subjects`, `observed` and `expected` events (weighted by the test's weights where these are not one).
    weighting : as asked for.

    Examples
    --------
    >>> from analysis import stats
    >>> test = stats.log_rank([1, 2, 3, 4], [1, 1, 1, 1], ["a", "a", "b", "b"])
    >>> test.degrees, test.table["observed"].tolist()
    (1, [2.0, 2.0])
    """

    statistic: float
    degrees: int
    p_value: float
    table: pd.DataFrame
    weighting: str


Weighting = Literal["log_rank", "gehan", "tarone_ware", "peto_peto", "fleming_harrington"]
_WEIGHTINGS = ("log_rank", "gehan", "tarone_ware", "peto_peto", "fleming_harrington")


@in_words(rows="durations events entry weights", labels="groups strata")
def log_rank(
    durations: ArrayLike,
    events: ArrayLike,
    groups: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    weighting: Weighting = "log_rank",
    rho: float = 0.0,
    gamma: float = 0.0,
) -> LogRank:
    """Do the groups have the same hazard at every time?

    Parameters
    ----------
    durations : (rows,) numbers, in any unit of time
        As in `kaplan_meier`, like `events`, `entry` and `weights`.
    events : (rows,) true or false, or 1 and 0
        Whether the event happened.
    groups : (rows,) labels
        The row's group; at least two.
    entry : (rows,) numbers, in the unit of the durations; optional
        Delayed entry.
    weights : (rows,) numbers, optional
        How many subjects a row stands for.
    strata : (rows,) labels, optional
        The row's stratum; groups are compared within strata only.
    weighting : str
        Weight of each event time. ``log_rank`` 1 (most power under proportional hazards), ``gehan`` the number at risk, ``tarone_ware`` its root,
        ``peto_peto`` the pooled survival just before (R's ``rho=1``), ``fleming_harrington`` survival^rho (1 - survival)^gamma just before.
    rho, gamma : float, powers
        Of ``fleming_harrington``; rho 0, gamma 1 looks at late differences.

    Returns
    -------
    LogRank

    Raises
    ------
    FitError
        For rows without a valid duration, event, entry or weight, and for a single group.
    ParameterError
        For an unknown weighting, or what is no number.

    Source
    ------
    Klein and Moeschberger (2003), *Survival Analysis*, 2nd ed., ch. 7; tested against R's ``survival``.

    Examples
    --------
    Group a dies first. At the two deaths of a, 2/4 and 1/3 of one death are expected in it; it has none left then.

    >>> from analysis import stats
    >>> test = stats.log_rank([1, 2, 3, 4], [1, 1, 1, 1], ["a", "a", "b", "b"])
    >>> test.table["expected"].round(4).tolist()
    [0.8333, 3.1667]
    """
    if weighting not in _WEIGHTINGS:
        raise ParameterError(
            f"log_rank: unknown weighting {weighting!r}.{suggestion(weighting, _WEIGHTINGS)}"
        )
    if rho < 0 or gamma < 0:
        raise ParameterError(f"log_rank: rho and gamma are zero or more; got {rho:g} and {gamma:g}.")
    duration, event, start, weight = survival_rows(durations, events, entry, weights)
    labels, group = np.unique(np.asarray(groups), return_inverse=True)
    if len(labels) < 2:
        raise FitError(
            "log_rank: only one group ({group}); a comparison needs two.", group=repr(str(labels[0]))
        )
    stratum = np.zeros(len(duration), dtype=int)
    if strata is not None:
        stratum = np.unique(np.asarray(strata), return_inverse=True)[1]
    observed, expected = np.zeros(len(labels)), np.zeros(len(labels))
    variance = np.zeros((len(labels), len(labels)))
    for one in range(int(stratum.max()) + 1):
        rows = stratum == one
        if not np.any(event[rows] & (weight[rows] > 0)):
            continue
        at_risk, happened = _grouped_counts(
            duration[rows], event[rows], start[rows], weight[rows], group[rows], len(labels)
        )
        total, deaths = at_risk.sum(axis=1), happened.sum(axis=1)
        time_weight = _time_weights(total, deaths, weighting=weighting, rho=rho, gamma=gamma)
        share = at_risk / total[:, None]
        observed += time_weight @ happened
        expected += time_weight @ (share * deaths[:, None])
        spread = np.divide(total - deaths, total - 1, out=np.zeros(total.shape), where=total > 1)
        factor = time_weight**2 * deaths * spread
        variance += np.diag(factor @ share) - (share * factor[:, None]).T @ share
    gap = (observed - expected)[:-1]
    statistic = float(gap @ np.linalg.pinv(variance[:-1, :-1]) @ gap)
    degrees = len(labels) - 1
    return LogRank(
        statistic=statistic,
        degrees=degrees,
        p_value=float(chi2.sf(statistic, degrees)),
        table=pd.DataFrame(
            {
                "group": labels,
                "subjects": weighted_counts(group, weight),
                "observed": observed,
                "expected": expected,
            }
        ),
        weighting=weighting,
    )


def _grouped_counts(
    duration: Array,
    event: NDArray[np.bool_],
    start: Array,
    weight: Array,
    group: NDArray[np.int64],
    groups: int,
) -> tuple[Array, Array]:
    """(event times, groups) subjects at risk and events."""
    times = np.unique(duration[event])
    first, last = np.searchsorted(times, start, side="right"), np.searchsorted(times, duration, side="right")
    at_risk, happened = np.zeros((len(times), groups)), np.zeros((len(times), groups))
    for one in range(groups):
        rows = group == one
        change = weighted_counts(first[rows], weight[rows], minlength=len(times) + 1)
        change -= weighted_counts(np.maximum(last[rows], first[rows]), weight[rows], minlength=len(times) + 1)
        at_risk[:, one] = np.cumsum(change)[:-1]
        dead = rows & event
        happened[:, one] = weighted_counts(last[dead] - 1, weight[dead], minlength=len(times))
    return at_risk, happened


def _time_weights(total: Array, deaths: Array, *, weighting: str, rho: float, gamma: float) -> Array:
    before = np.concatenate([[1.0], np.cumprod(1 - deaths / total)[:-1]])
    return {
        "log_rank": np.ones_like(total),
        "gehan": total,
        "tarone_ware": np.sqrt(total),
        "peto_peto": before,
        "fleming_harrington": before**rho * (1 - before) ** gamma,
    }[weighting]


# ----------------------------------------------------------------------------------------------- competing events


@dataclass(frozen=True, kw_only=True, eq=False)
class CumulativeIncidence(Summarised):
    """Shares of subjects who had each kind of event, by time (Aalen-Johansen).

    Attributes
    ----------
    table : one row per cause x distinct event time
        `cause`, `time`, `at_risk`, `events` (of this cause), `incidence`, `std_error`, `low`, `high`. The incidences of all causes and the overall
        survival add up to one at each time.
    subjects : weighted count.
    level : coverage of each pointwise interval.
    last_time : longest duration seen; the shares are unknown beyond it.

    Examples
    --------
    >>> from analysis import stats
    >>> shares = stats.aalen_johansen([1, 2, 3, 4], ["moved", "switched", "moved", "none"], censored="none")
    >>> shares.at([2.5, 9])[["cause", "time", "incidence", "at_risk"]]
          cause  time  incidence  at_risk
    0     moved   2.5       0.25      2.0
    1     moved   9.0        NaN      0.0
    2  switched   2.5       0.25      2.0
    3  switched   9.0        NaN      0.0
    """

    table: pd.DataFrame
    subjects: float
    level: float
    last_time: float
    risk: pd.DataFrame = field(repr=False)

    @in_words(rows="times")
    def at(self, times: ArrayLike) -> pd.DataFrame:
        """Incidence of each cause with its interval and the number at risk just before each of `times`; NaN beyond the last time.

        Parameters
        ----------
        times : (n,) numbers, in the unit of the durations
            In any order.

        Returns
        -------
        DataFrame, one row per cause x time
            `cause`, `time`, `incidence`, `std_error`, `low`, `high`, `at_risk`.

        Raises
        ------
        ParameterError
            For a negative or missing time.
        """
        wanted = _asked_times(times)
        starts = {"incidence": 0.0, "std_error": 0.0, "low": 0.0, "high": 0.0}
        at_risk = _ahead_of(wanted, self.risk)
        parts = [
            pd.DataFrame(
                {"cause": cause, "time": wanted} | _steps_at(wanted, part, starts, last=self.last_time)
            ).assign(at_risk=at_risk)
            for cause, part in self.table.groupby("cause", sort=False)
        ]
        return pd.concat(parts, ignore_index=True)


@in_words(rows="durations entry weights", texts="causes")
def aalen_johansen(
    durations: ArrayLike,
    causes: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    level: float = 0.95,
    censored: object = 0,
) -> CumulativeIncidence:
    """Share of subjects who had each kind of event by each time, when one kind forestalls the others.

    One minus Kaplan-Meier of one cause, with the others taken as censored, overstates that share.

    Parameters
    ----------
    durations : (rows,) numbers, in any unit of time
        As in `kaplan_meier`, like `entry` and `weights`.
    causes : (rows,) labels
        The event that ended the row, or `censored`. A missing one is refused, unless `censored` itself is missing (None, NaN): whether it is an event
        nobody named or none at all makes another answer.
    entry : (rows,) numbers, in the unit of the durations; optional
        Delayed entry.
    weights : (rows,) numbers, optional
        How many subjects a row stands for.
    level : float, share 0 to 1
        Coverage of each pointwise interval.
    censored : object
        The label of a row whose observation ended without an event.

    Returns
    -------
    CumulativeIncidence

    Raises
    ------
    FitError
        For rows without a valid duration, entry or weight, and where every row is censored.
    ParameterError
        For a missing cause, what is no number, or a level outside 0 to 1.

    Notes
    -----
    Interval log-log in the incidence.

    Source
    ------
    Klein and Moeschberger (2003), *Survival Analysis*, 2nd ed., ch. 4; Marubini and Valsecchi (1995), *Analysing Survival Data*, equation 10.12
    (variance by the delta method).

    Examples
    --------
    >>> from analysis import stats
    >>> shares = stats.aalen_johansen([1, 2, 3, 4], ["moved", "switched", "moved", "none"], censored="none")
    >>> shares.table[["cause", "time", "incidence"]]
          cause  time  incidence
    0     moved   1.0       0.25
    1     moved   2.0       0.25
    2     moved   3.0       0.50
    3  switched   1.0       0.00
    4  switched   2.0       0.25
    5  switched   3.0       0.25
    """
    cause, ended = _ended_by(causes, censored)
    duration, event, start, weight = survival_rows(durations, ended, entry, weights)
    counted = weight > 0
    duration, event, start, weight = duration[counted], event[counted], start[counted], weight[counted]
    cause = cause[counted]
    labels = np.unique(cause[event])
    if len(labels) == 0:
        raise FitError(
            "aalen_johansen: every row is censored ({label}); there is no event to describe.",
            label=repr(censored),
        )
    times = np.unique(duration[event])
    at_risk, _ = _grouped_counts(duration, event, start, weight, np.zeros(len(duration), dtype=np.int64), 1)
    total = at_risk[:, 0]
    place = np.searchsorted(times, duration)
    happened = np.column_stack(
        [
            weighted_counts(place[cause == label], weight[cause == label], minlength=len(times))
            for label in labels
        ]
    )
    deaths = happened.sum(axis=1)
    before = np.concatenate([[1.0], np.cumprod(1 - deaths / total)[:-1]])
    alive = total - deaths
    all_causes = np.divide(deaths, total * alive, out=np.zeros(deaths.shape), where=alive > 0)
    tables = []
    for column, label in enumerate(labels):
        own = happened[:, column]
        incidence = np.cumsum(before * own / total)
        error = np.sqrt(np.maximum(_incidence_variance(incidence, before, own, total, all_causes), 0.0))
        low, high = _incidence_limits(incidence, error, level=level)
        tables.append(
            pd.DataFrame(
                {"cause": label, "time": times, "at_risk": total, "events": own, "incidence": incidence}
            ).assign(std_error=error, low=low, high=high)
        )
    risk = _risk_table(duration, event, entry=None if entry is None else start, weights=weight, level=level)
    return CumulativeIncidence(
        table=pd.concat(tables, ignore_index=True),
        subjects=float(weight.sum()),
        level=level,
        last_time=float(risk["time"].iloc[-1]),
        risk=risk[["time", "at_risk"]],
    )


def _ended_by(causes: ArrayLike, censored: object) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """The causes, and which rows ended by one."""
    missing = missing_labels(causes)
    cause = np.asarray(causes)
    if len(cause) != len(missing):
        raise WrongArgument("aalen_johansen: causes are no column; give one label per row.")
    if bool(missing_labels([censored])[0]):
        return np.asarray(causes, dtype=object), ~missing
    if missing.any():
        raise WrongArgument(
            f"aalen_johansen: causes are missing in {int(missing.sum())} rows, the first of them row {int(np.argmax(missing))}; "
            f"name the cause, or give {censored!r} where observation ended without an event."
        )
    return cause, np.asarray(cause != censored)


def _incidence_variance(
    incidence: Array, before: Array, own: Array, total: Array, all_causes: Array
) -> Array:
    """Sums of (I(t) - I(u))^2 a(u) + b(u) - 2 (I(t) - I(u)) c(u) over u <= t, from running sums."""
    b = before**2 * own * (total - own) / total**3
    c = before * own / total**2
    a0, a1, a2 = (
        np.cumsum(all_causes),
        np.cumsum(all_causes * incidence),
        np.cumsum(all_causes * incidence**2),
    )
    c0, c1 = np.cumsum(c), np.cumsum(c * incidence)
    variance: Array = incidence**2 * a0 - 2 * incidence * a1 + a2 + np.cumsum(b) - 2 * (incidence * c0 - c1)
    return variance


def _incidence_limits(incidence: Array, error: Array, *, level: float) -> tuple[Array, Array]:
    inside = (incidence > 0) & (incidence < 1)
    log_left = np.log1p(-np.where(inside, incidence, 0.5))
    reach = norm.ppf(0.5 + level / 2) * error / ((1 - incidence) * -log_left + (~inside))
    low = np.where(inside, 1 - np.exp(log_left * np.exp(-reach)), incidence)
    high = np.where(inside, 1 - np.exp(log_left * np.exp(reach)), incidence)
    return low, high


# ----------------------------------------------------------------------------------------------- rows and limits


def _weights(weights: ArrayLike | None, count: int) -> Array:
    weight = np.ones(count) if weights is None else np.asarray(weights, dtype=float)
    if len(weight) != count:
        raise FitError(f"survival: {len(weight)} weights for {count} rows; give one per row.")
    if np.any(~(weight >= 0)):
        raise FitError(
            f"survival: {int(np.sum(~(weight >= 0)))} weights are negative or missing; a weight counts subjects."
        )
    return weight


def _distinct(durations: Array) -> tuple[Array, NDArray[np.int64]]:
    """Distinct values in order and the place of each; whole days, weeks or months are counted instead of sorted."""
    whole = durations.astype(np.int64)
    if durations.max() < 1e6 and np.array_equal(whole, durations):
        present = np.bincount(whole) > 0
        return np.flatnonzero(present).astype(float), (np.cumsum(present) - 1)[whole]
    return np.unique(durations, return_inverse=True)


def weighted_counts(place: NDArray[np.int64], weight: Array, minlength: int = 0) -> Array:
    """Sum of `weight` at each place from 0 to `minlength` - 1."""
    return np.bincount(place, weight, minlength=minlength).astype(float, copy=False)


_SAME_TIME = float(np.sqrt(np.finfo(float).eps))


def settled_times(*columns: Array) -> tuple[Array, ...]:
    """The columns with times that differ by rounding alone made one: 0.1 + 0.2 and 0.3 are a tie, not one event after another.

    As R's ``survival::aeqSurv``: neighbours among the distinct times closer than the root of the machine's precision, relative to their mean size,
    take the first one's value. Whole numbers are left as they are.
    """
    known = [column[np.isfinite(column)] for column in columns]
    if all(np.array_equal(column, np.trunc(column)) for column in known):
        return columns
    distinct = np.unique(np.concatenate(known))
    near = np.diff(distinct) <= _SAME_TIME * float(np.mean(np.abs(distinct)))
    if not near.any():
        return columns
    first = distinct[np.r_[True, ~near]]
    group = np.cumsum(np.r_[True, ~near]) - 1
    return tuple(
        np.where(
            np.isfinite(column),
            first[group[np.minimum(np.searchsorted(distinct, column), len(distinct) - 1)]],
            column,
        )
        for column in columns
    )


def survival_rows(
    durations: ArrayLike, events: ArrayLike, entry: ArrayLike | None, weights: ArrayLike | None
) -> tuple[Array, NDArray[np.bool_], Array, Array]:
    """Checked arrays. A row without entry has minus infinity, so that time zero counts."""
    duration = np.asarray(durations, dtype=float)
    event = np.asarray(events)
    if duration.ndim != 1 or len(duration) == 0:
        raise FitError("survival: durations are empty or not one-dimensional; give one per row.")
    if event.shape != duration.shape:
        raise FitError(f"survival: {event.size} events for {duration.size} durations; give one per row.")
    if event.dtype != bool:
        as_number = event.astype(float)
        if not np.isin(as_number, (0.0, 1.0)).all():
            wrong = as_number[~np.isin(as_number, (0.0, 1.0))][0]
            raise FitError(f"survival: events must be true or false (1 or 0), found {wrong:g}.")
        event = as_number == 1
    bad = ~(np.isfinite(duration) & (duration >= 0))
    if bad.any() and np.isnan(duration[bad]).all() and not event[bad].any():
        raise FitError(
            f"survival: {int(bad.sum())} of {len(bad)} rows have no duration, all of them survivors. Dropping them would keep the failed and make life "
            "look short; give the age or mileage at which each was last seen working."
        )
    if bad.any():
        raise FitError(
            f"survival: {int(bad.sum())} durations are negative or missing, e.g. {duration[bad][0]:g}."
        )
    start = np.full(len(duration), -np.inf) if entry is None else np.asarray(entry, dtype=float)
    if start.shape != duration.shape:
        raise FitError(f"survival: {start.size} entries for {duration.size} durations; give one per row.")
    duration, start = settled_times(duration, start)
    late = ~(start < duration)
    if late.any():
        raise FitError(
            f"survival: {int(late.sum())} rows enter at or after they end, e.g. from {start[late][0]:g} to "
            f"{duration[late][0]:g}; such a row is never at risk. Drop it or mend its dates."
        )
    return duration, event, start, _weights(weights, len(duration))


def _risk_table(
    durations: ArrayLike,
    events: ArrayLike,
    *,
    entry: ArrayLike | None,
    weights: ArrayLike | None,
    level: float,
) -> pd.DataFrame:
    """One row per distinct duration: `time`, `at_risk` just before, `events`, `censored`."""
    confidence_level(level)
    duration, event, start, weight = survival_rows(durations, events, entry, weights)
    counted = weight > 0
    duration, event, start, weight = duration[counted], event[counted], start[counted], weight[counted]
    if len(duration) == 0:
        raise FitError("survival: all weights are zero; there is no subject.")
    times, place = _distinct(duration)
    left = weighted_counts(place, weight)
    happened = weighted_counts(place[event], weight[event], minlength=len(times))
    if entry is None:
        entered = np.full(len(times), weight.sum())
    else:
        entered = np.cumsum(
            weighted_counts(np.searchsorted(times, start, side="right"), weight, minlength=len(times))
        )
    at_risk = entered - np.concatenate([[0.0], np.cumsum(left)[:-1]])
    return pd.DataFrame({"time": times, "at_risk": at_risk, "events": happened, "censored": left - happened})


def _survival_limits(survival: Array, log_error: Array, *, level: float, scale: Scale) -> tuple[Array, Array]:
    """Pointwise limits; without an event before, or with nobody left, the interval is the point itself."""
    if scale not in _SCALES:
        raise ParameterError(f"survival: unknown scale {scale!r}.{suggestion(scale, _SCALES)}")
    reach = norm.ppf(0.5 + level / 2) * log_error
    open_ = (survival > 0) & (survival < 1)
    if scale == "plain":
        low, high = survival * (1 - reach), survival * (1 + reach)
    elif scale == "log":
        low, high = survival * np.exp(-reach), survival * np.exp(reach)
    else:
        log_survival = np.log(np.where(open_, survival, 0.5))
        factor = np.exp(reach / -log_survival)
        low, high = np.exp(log_survival * factor), np.exp(log_survival / factor)
    return np.where(open_, np.clip(low, 0, 1), survival), np.where(open_, np.clip(high, 0, 1), survival)
