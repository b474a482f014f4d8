"""Cox regression: what goes with a higher or lower hazard, for rows of one subject, one spell, or one pattern.

The partial likelihood needs, at each distinct event time, a few sums over the subjects at risk. They are gathered by
counting, so a row may stand for many subjects (`weights`), and ties at one time, however many, cost one closed formula.
Ten million subjects on weekly durations are as quick as their distinct patterns.

Our own, not statsmodels' `PHReg`: that has no weights, so every subject is a row, about a
hundred times slower at ten million (`make bench`).

Sources: Therneau and Grambsch (2000), *Modeling Survival Data*, ch. 3 (Efron ties, section 3.3), 6 (proportional
hazards) and 7 (robust variance, section 7.2); Efron (1977), *JASA* 72, 557-565; Grambsch and Therneau (1994),
*Biometrika* 81, 515-526; Breslow (1974), *Biometrics* 30, 89-99.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import qr
from scipy.special import gammaln, polygamma, psi
from scipy.stats import chi2, norm

from analysis.errors import FitError, ParameterError, suggestion
from analysis.stats.arguments import in_words
from analysis.stats.survival import Array, Estimate, survival_rows, weighted_counts
from analysis.summaries import Summarised

Indices = NDArray[np.int64]

_TIES = ("efron", "breslow")
_CLOSED_FORM_FROM = 32  # tied events from which the sums over ties use digamma functions
_MOST_STEPS = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class CoxFit(Summarised):
    """A Cox model.

    Attributes
    ----------
    coefficients : one row per covariate
        `coefficient`, `std_error` (clustered where clusters were given), `model_std_error`, `z`, `p_value`,
        `hazard_ratio`, `low`, `high` (of the hazard ratio, at `level`).
    covariance : of the coefficients, clustered where clusters were given.
    log_likelihood, null_log_likelihood : partial, at the estimate and at zero.
    rows, subjects, events, clusters : counts; subjects and events by weight.
    level : coverage of each interval.
    ties : as asked for.
    baseline : one row per stratum x event time: `stratum`, `time`, `at_risk`, `events`, `hazard`,
        `cumulative_hazard` for covariates at zero (which may lie far from every row: `survival` and tests do not use it).

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import stats
    >>> fit = stats.cox(pd.DataFrame({"old": [1, 1, 1, 0, 0, 0]}), [2, 4, 9, 3, 7, 8], [1, 1, 1, 1, 1, 0])
    >>> fit.rows, fit.events, fit.likelihood_ratio[1]
    (6, 5.0, 1)
    >>> fit.survival(pd.DataFrame({"old": [0, 1]}), [0.0]).tolist()  # nobody has had the event at time zero
    [[1.0], [1.0]]
    """

    coefficients: pd.DataFrame
    covariance: pd.DataFrame
    log_likelihood: float
    null_log_likelihood: float
    rows: int
    subjects: float
    events: float
    clusters: int | None
    level: float
    ties: str
    baseline: pd.DataFrame
    _data: _RiskSets = field(repr=False)

    @property
    def likelihood_ratio(self) -> tuple[float, int, float]:
        """Statistic, degrees of freedom and p-value of the model against none; refused for clustered rows, which are not independent.

        Raises
        ------
        FitError
            For a model with clusters.
        """
        self._refuse_clusters("likelihood ratio")
        return _chi_square(2 * (self.log_likelihood - self.null_log_likelihood), len(self.coefficients))

    @property
    def score_test(self) -> tuple[float, int, float]:
        """As `likelihood_ratio`, from the slope at zero: with one 0/1 covariate and no ties, the log-rank test.

        Raises
        ------
        FitError
            For a model with clusters.
        """
        self._refuse_clusters("score test")
        null = _likelihood(self._data, np.zeros(len(self.coefficients)))
        return _chi_square(
            float(null.score @ np.linalg.solve(null.information, null.score)), len(self.coefficients)
        )

    @property
    def wald(self) -> tuple[float, int, float]:
        """Statistic, degrees of freedom and p-value of all coefficients at zero, from their covariance; also for clustered rows."""
        return _chi_square(
            float(self._beta @ np.linalg.solve(self.covariance.to_numpy(), self._beta)),
            len(self.coefficients),
        )

    def concordance(self) -> float:
        """Share of comparable pairs in which the one with the event first had the higher hazard (Harrell's C), within strata; ties count half.

        A pair is comparable where one has the event while the other is at risk and outlasts it. Weighted rows count as their subjects.
        Harrell, Lee and Mark (1996), *Statistics in Medicine* 15, 361-387.

        Returns
        -------
        float
            0 to 1; 0.5 is no better than chance.

        Raises
        ------
        FitError
            Where nobody outlasts an event.
        """
        return _concordance(self._data, self._beta)

    def _refuse_clusters(self, what: str) -> None:
        if self.clusters is not None:
            raise FitError(
                f"cox: the {what} takes rows as independent and these are clustered; use `wald`, which does not."
            )

    @in_words(rows="times", tables="covariates")
    def survival(self, covariates: pd.DataFrame, times: ArrayLike, *, stratum: object = None) -> Array:
        """Expected share without the event, for covariates that stay as they are.

        For covariates that change with time, the curve of fixed values describes nobody unless one says whom it means.

        Parameters
        ----------
        covariates : (rows, covariates) DataFrame
            The fitted columns, by name.
        times : (n,) numbers, in the unit of the durations
            Zero or more.
        stratum : object, optional
            Which baseline, for a model with several strata.

        Returns
        -------
        (rows, n) array
            0 to 1; NaN beyond the stratum's longest duration.

        Raises
        ------
        ParameterError
            For a negative or missing time, a missing covariate, and an unknown stratum.
        """
        label, wanted = self._stratum(stratum), np.atleast_1d(np.asarray(times, dtype=float))
        if not np.all(wanted >= 0):
            raise ParameterError(
                "cox: survival is asked for times from zero on; some are negative or missing."
            )
        score = self._score(covariates)
        with np.errstate(divide="ignore", over="ignore"):
            hazard = np.log(_hazard_at(self._data, self._beta, wanted, label))
            kept = np.exp(-np.exp(score[:, None] + hazard[None, :]))
        return np.where(wanted > self._data.longest[label], np.nan, kept)

    def _score(self, covariates: pd.DataFrame) -> Array:
        """Linear score of each row, counted from the centre of the fitted rows."""
        rows = _columns_of(self, covariates).to_numpy()
        if not np.isfinite(rows).all():
            raise ParameterError(
                f"cox: {int((~np.isfinite(rows)).any(axis=1).sum())} of {len(rows)} rows of covariates are missing a number."
            )
        score: Array = (rows - self._data.centre) @ self._beta
        return score

    @property
    def _beta(self) -> Array:
        return self.coefficients["coefficient"].to_numpy()

    def _stratum(self, stratum: object) -> object:
        known = list(dict.fromkeys(self.baseline["stratum"]))
        if stratum is None and len(known) == 1:
            return known[0]
        if stratum not in known:
            raise ParameterError(
                f"cox: choose a stratum out of {known}, not {stratum!r}; each has its own baseline."
            )
        return stratum


@in_words(
    rows="durations events entry weights", labels="strata clusters", tables="covariates", numbers="covariates"
)
def cox(
    covariates: pd.DataFrame,
    durations: ArrayLike,
    events: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    apart: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    ties: Literal["efron", "breslow"] = "efron",
    level: float = 0.95,
) -> CoxFit:
    """Proportional hazards regression.

    Parameters
    ----------
    covariates : (rows, covariates) DataFrame of numbers, each in its own unit
        One row per subject, spell or pattern; not missing, not constant, not collinear.
    durations : (rows,) numbers, in any unit of time
        As in `kaplan_meier`. A subject whose covariates change has one row per spell ``(entry, duration]``; what happened after a spell must not be in
        its covariates.
    events : (rows,) true or false, or 1 and 0
        Whether the event happened.
    entry : (rows,) numbers, in the unit of the durations; optional
        Where the spell begins.
    strata : (rows,) labels, optional
        Each stratum has a baseline of its own.
    clusters : (rows,) labels, optional
        Such as the subject of several spells or events; standard errors then allow for dependence within it.
    apart : (rows,) true or false, optional
        True for rows whose subjects are clusters of their own, each of them, whatever the row's label: patterns of subjects with one spell beside the
        rows of those with several.
    weights : (rows,) whole numbers, optional
        How many subjects a row stands for; the answer is that of the expanded rows.
    ties : str
        Events at the same time: ``efron`` is near the exact answer, ``breslow`` shrinks towards zero.
    level : float, share 0 to 1
        Coverage of each interval.

    Returns
    -------
    CoxFit

    Raises
    ------
    FitError
        When a covariate is constant, collinear or missing, when the likelihood has no maximum (no event at one side of a covariate), or when the search
        does not converge.
    ParameterError
        For what is no number, an unknown `ties`, or weights that Efron's ties cannot have.

    Source
    ------
    Therneau and Grambsch (2000), *Modeling Survival Data*, section 3.3 (Efron ties) and 7.2 (robust variance); Efron (1977), *JASA* 72, 557-565;
    Breslow (1974), *Biometrics* 30, 89-99.

    Examples
    --------
    With h the hazard ratio the likelihood is h/(2h + 2) x 1/(h + 2) x h/(h + 1), largest at h = (1 + √17) / 2.

    >>> import pandas as pd
    >>> from analysis import stats
    >>> fit = stats.cox(pd.DataFrame({"x": [1, 0, 1, 0]}), [1, 2, 3, 4], [1, 1, 1, 1])
    >>> fit.coefficients["hazard_ratio"].round(4).to_dict()
    {'x': 2.5616}
    """
    if ties not in _TIES:
        raise ParameterError(f"cox: unknown ties {ties!r}.{suggestion(ties, _TIES)}")
    design = _design(covariates)
    data = _risk_sets(design, durations, events, entry=entry, strata=strata, weights=weights, ties=ties)
    beta, here, information = _newton(data, names=list(covariates.columns))
    null = _likelihood(data, np.zeros(design.shape[1]))
    covariance, count = information, None
    if clusters is not None:
        alone = np.zeros(len(data.design), dtype=bool) if apart is None else np.asarray(apart, dtype=bool)
        covariance, count = _clustered(data, beta, information, np.asarray(clusters), alone)
    names = [str(name) for name in covariates.columns]
    return CoxFit(
        coefficients=_coefficient_table(names, beta, covariance, information, level=level),
        covariance=pd.DataFrame(covariance, index=names, columns=names),
        log_likelihood=here.log_likelihood,
        null_log_likelihood=null.log_likelihood,
        rows=len(data.design),
        subjects=float(data.weight.sum()),
        events=float(data.deaths.sum()),
        clusters=count,
        level=level,
        ties=ties,
        baseline=_baseline(data, beta),
        _data=data,
    )


@in_words(tables="covariates", numbers="covariates")
def absolute_difference(
    fit: CoxFit,
    covariates: pd.DataFrame,
    name: str,
    *,
    values: tuple[float, float],
    time: float,
    stratum: object = None,
) -> Estimate:
    """Share with the event by `time` if `name` were the second of `values` for everyone, minus if it were the first.

    A hazard ratio says how many times; this says how many of a hundred. Averaged over the rows of `covariates` (standardisation), with all else as it is.

    Parameters
    ----------
    fit : CoxFit
        The model.
    covariates : (rows, covariates) DataFrame of numbers
        Whom the answer is about, with the fitted columns.
    name : str
        The covariate that is set.
    values : tuple of two numbers, in the covariate's unit
        From the first to the second.
    time : float, in the unit of the durations
        Not beyond the last event.
    stratum : object or mapping, optional
        One stratum, or each with its weight, and the answer is averaged over them; a stratum without an event counts as one without risk.

    Returns
    -------
    Estimate
        A difference of shares, -1 to 1.

    Raises
    ------
    ParameterError
        For an unknown covariate or stratum, a time beyond the last event, or what is no number.

    Source
    ------
    Own derivation: standardisation over the rows; interval by the delta method over the coefficients, which strata share, and, given them, the
    baselines. Tested by simulated coverage.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import stats
    >>> x = pd.DataFrame({"x": [1, 0, 1, 0, 1, 0]})
    >>> fit = stats.cox(x, [2, 5, 3, 9, 8, 7], [1, 1, 1, 0, 1, 1])
    >>> gap = stats.absolute_difference(fit, x, "x", values=(0, 1), time=5)
    >>> shares = 1 - fit.survival(pd.DataFrame({"x": [0, 1]}), [5.0])[:, 0]
    >>> bool(abs(gap.value - (shares[1] - shares[0])) < 1e-9)
    True
    """
    if name not in fit.coefficients.index:
        raise ParameterError(
            f"cox: no covariate {name!r}.{suggestion(name, map(str, fit.coefficients.index))}"
        )
    if time < 0 or time > fit.baseline["time"].max():
        raise ParameterError(
            f"cox: {time:g} lies beyond the last event time {fit.baseline['time'].max():g}, or before zero."
        )
    if isinstance(stratum, Mapping):
        share = np.array([float(weight) for weight in stratum.values()])
        share = share / share.sum()
        labels: list[object] = list(stratum)
    else:
        share, labels = np.ones(1), [fit._stratum(stratum)]
    early = (fit.baseline["time"] <= time).to_numpy()
    counted = np.array([(fit.baseline["stratum"] == label).to_numpy() & early for label in labels])
    frame = _columns_of(fit, covariates).assign(**{name: 0.0})
    if not len(frame) or not np.isfinite(frame.to_numpy()).all():
        raise ParameterError(
            "cox: covariates hold no row, or a missing number; the answer is an average over whole rows."
        )
    first, second = (frame.assign(**{name: value}).to_numpy() - fit._data.centre for value in values)

    def by_stratum(beta: Array, hazards: Array) -> Array:
        kept = (np.exp(-np.outer(hazards, np.exp(rows @ beta))).mean(axis=1) for rows in (first, second))
        difference: Array = share * (next(kept) - next(kept))
        return difference

    def hazards(beta: Array) -> tuple[Array, Array]:
        increments, variance = _baseline_hazard(fit._data, beta)
        return counted @ increments, counted @ variance

    beta = fit._beta
    base, base_variance = hazards(beta)
    value = float(by_stratum(beta, base).sum())
    steps = 1e-4 * np.sqrt(np.diag(fit.covariance.to_numpy()))
    slope = np.array(
        [
            float(
                (
                    by_stratum(beta + shift, hazards(beta + shift)[0])
                    - by_stratum(beta - shift, hazards(beta - shift)[0])
                ).sum()
            )
            / (2 * step)
            for step, shift in zip(steps, np.diag(steps), strict=True)
        ]
    )
    by_base = (by_stratum(beta, base * 1.0001) - by_stratum(beta, base * 0.9999)) / np.where(
        base > 0, 0.0002 * base, 1.0
    )
    error = float(np.sqrt(slope @ fit.covariance.to_numpy() @ slope + by_base**2 @ base_variance))
    reach = float(norm.ppf(0.5 + fit.level / 2)) * error
    return Estimate(value=value, std_error=error, low=value - reach, high=value + reach, level=fit.level)


def _columns_of(fit: CoxFit, covariates: pd.DataFrame) -> pd.DataFrame:
    """The fitted columns, as numbers."""
    absent = [name for name in fit.coefficients.index if name not in covariates.columns]
    if absent:
        raise ParameterError(
            f"cox: covariates lack {', '.join(absent)}.{suggestion(absent[0], map(str, covariates.columns))}"
        )
    try:
        return covariates[list(fit.coefficients.index)].astype(float)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"cox: covariates hold what is no number ({error}).") from error


@in_words()
def proportional_hazards(
    fit: CoxFit, *, transform: Literal["km", "log", "identity", "rank"] = "km"
) -> pd.DataFrame:
    """Does a coefficient change with time? Score tests of adding each covariate times a function of time.

    Parameters
    ----------
    fit : CoxFit
        The model.
    transform : str
        Of time. ``km`` (one minus the survival just before) spreads events evenly, so that a few late ones do not decide; ``rank`` is the rank of the
        time among the durations of all subjects, with or without the event; ``log``; ``identity``.

    Returns
    -------
    DataFrame, one row per covariate and one for all (``GLOBAL``)
        `statistic`, `degrees`, `p_value`. A small p-value says that one hazard ratio for all times is a summary at best.

    Raises
    ------
    ParameterError
        For an unknown transform.

    Source
    ------
    Grambsch and Therneau (1994), *Biometrika* 81, 515-526; tested against ``cox.zph`` of R's ``survival`` 3.

    Examples
    --------
    With a single covariate its test is that of all.

    >>> import pandas as pd
    >>> from analysis import stats
    >>> fit = stats.cox(pd.DataFrame({"x": [1, 0, 1, 0, 1, 0]}), [2, 5, 3, 9, 8, 7], [1, 1, 1, 0, 1, 1])
    >>> test = stats.proportional_hazards(fit)
    >>> test.index.tolist(), test["statistic"].nunique()
    (['x', 'GLOBAL'], 1)
    """
    data, beta = fit._data, fit._beta
    clock = _clock(data, transform)
    sums = _sums(data, beta)
    residual, variance = _schoenfeld(data, sums)
    count = data.deaths
    clock = clock - float(clock @ count / count.sum())
    score = clock @ residual
    plain = variance.sum(axis=0)
    crossed = np.einsum("t,tij->ij", clock, variance)
    squared = np.einsum("t,tij->ij", clock**2, variance)
    left = squared - crossed @ np.linalg.solve(plain, crossed)

    def test(which: list[int]) -> tuple[float, int, float]:
        picked = squared[np.ix_(which, which)] - crossed[which] @ np.linalg.solve(plain, crossed[:, which])
        statistic = float(score[which] @ np.linalg.solve(picked, score[which]))
        return statistic, len(which), float(chi2.sf(statistic, len(which)))

    size = len(left)
    rows = [test([one]) for one in range(size)] + [test(list(range(size)))]
    names = [*fit.coefficients.index, "GLOBAL"]
    return pd.DataFrame(rows, index=names, columns=["statistic", "degrees", "p_value"])


# ----------------------------------------------------------------------------------------------- risk sets


@dataclass(frozen=True, kw_only=True, eq=False)
class _RiskSets:
    """Rows placed on the grid of distinct event times (one grid after another, by stratum); `design` is counted from `centre`.

    A row is at risk at grid places ``first <= place < last``; a row with an event has it at place ``last - 1``.
    """

    design: Array
    weight: Array
    event: NDArray[np.bool_]
    first: Indices
    last: Indices
    times: Array
    stratum_of_time: NDArray[np.object_]
    deaths: Array
    start: Array
    duration: Array
    efron: bool
    centre: Array
    longest: dict[object, float]  # by stratum: the last time at which anyone was seen

    @property
    def places(self) -> int:
        return len(self.times)

    def at_risk(self, values: Array) -> Array:
        """Sum of `values` over the rows at risk, at each place (and column)."""
        return self._tail(self.last, values) - self._tail(self.first, values)

    def dying(self, values: Array) -> Array:
        """Sum of `values` over the rows with an event, at each place (and column)."""
        place = self.last[self.event] - 1
        picked = values[self.event]
        if picked.ndim == 1:
            return weighted_counts(place, picked, minlength=self.places)
        return np.column_stack([weighted_counts(place, column, minlength=self.places) for column in picked.T])

    def _tail(self, edge: Indices, values: Array) -> Array:
        """At each place, the sum over rows whose edge lies beyond it."""
        if values.ndim == 1:
            counted = weighted_counts(edge, values, minlength=self.places + 1)
        else:
            counted = np.column_stack(
                [weighted_counts(edge, column, minlength=self.places + 1) for column in values.T]
            )
        tail: Array = np.cumsum(counted[::-1], axis=0)[::-1][1:]
        return tail

    def over_time(self, by_place: Array) -> Array:
        """For each row, the sum of `by_place` over the places at which it was at risk."""
        running = np.concatenate([np.zeros((1, *by_place.shape[1:])), np.cumsum(by_place, axis=0)])
        at_risk: Array = running[self.last] - running[self.first]
        return at_risk


def _risk_sets(
    design: Array,
    durations: ArrayLike,
    events: ArrayLike,
    *,
    entry: ArrayLike | None,
    strata: ArrayLike | None,
    weights: ArrayLike | None,
    ties: str,
) -> _RiskSets:
    duration, event, start, weight = survival_rows(durations, events, entry, weights)
    if len(design) != len(duration):
        raise FitError(
            f"cox: {len(design)} rows of covariates for {len(duration)} durations; give one per row."
        )
    if ties == "efron" and np.any(weight != np.round(weight)):
        raise ParameterError(
            "cox: weights that are not whole numbers have no Efron ties; use ties='breslow', or counts of subjects."
        )
    labels, stratum = np.array([0], dtype=object), np.zeros(len(duration), dtype=np.int64)
    if strata is not None:
        found, stratum = np.unique(np.asarray(strata), return_inverse=True)
        labels = found.astype(object)
    first, last = np.zeros(len(duration), dtype=np.int64), np.zeros(len(duration), dtype=np.int64)
    grids, owners, offset = [], [], 0
    for one, label in enumerate(labels):
        rows = stratum == one
        grid = np.unique(duration[rows & event & (weight > 0)])
        first[rows] = offset + np.searchsorted(grid, start[rows], side="right")
        last[rows] = offset + np.searchsorted(grid, duration[rows], side="right")
        grids.append(grid)
        owners.append(np.full(len(grid), label, dtype=object))
        offset += len(grid)
    if offset == 0:
        raise FitError("cox: no row has the event; a hazard cannot be compared.")
    event = event & (weight > 0)
    centre = np.average(design, axis=0, weights=weight)
    return _RiskSets(
        design=design - centre,
        centre=centre,
        longest={
            label: float(duration[(stratum == one) & (weight > 0)].max(initial=0.0))
            for one, label in enumerate(labels)
        },
        weight=weight,
        event=event,
        first=first,
        last=last,
        times=np.concatenate(grids),
        stratum_of_time=np.concatenate(owners),
        deaths=weighted_counts(last[event] - 1, weight[event], minlength=offset),
        start=start,
        duration=duration,
        efron=ties == "efron",
    )


def _design(covariates: pd.DataFrame) -> Array:
    """Checked numbers: nothing missing, nothing constant, nothing that the others already say."""
    design = covariates.to_numpy(dtype=float)
    names = [str(name) for name in covariates.columns]
    if design.size == 0:
        raise FitError("cox: there are no covariates or no rows; for no covariates use kaplan_meier.")
    for name, column in zip(names, design.T, strict=True):
        missing = int((~np.isfinite(column)).sum())
        if missing:
            raise FitError(
                f"cox: covariate {name!r} is missing in {missing} of {len(column)} rows; fill or drop them."
            )
        if column.min() == column.max():
            raise FitError(
                "cox: covariate {name} is {value} in every row; a constant explains nothing, drop it.",
                name=repr(name),
                value=f"{column[0]:g}",
            )
    scaled = (design - design.mean(axis=0)) / design.std(axis=0)
    diagonal, order = qr(scaled.T @ scaled / len(scaled), pivoting=True, mode="r")
    strength = np.abs(np.diag(diagonal))
    weak = order[strength < 1e-9 * strength[0]]
    if len(weak):
        sum_of_others = repr(names[int(weak[0])])
        raise FitError("cox: covariate {name} is a sum of the others; drop one of them.", name=sum_of_others)
    return design


# ----------------------------------------------------------------------------------------------- likelihood


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sums:
    """At each event time: sums over those at risk and those dying, and sums over the order of tied deaths.

    With ``risk_k = risk - k/deaths * dying`` for k = 0 .. deaths - 1: `log` = sum log risk_k, ``a[j]`` = sum (k/deaths)^j /
    risk_k, ``b[j]`` = sum (k/deaths)^j / risk_k^2.
    """

    hazard: Array  # weight x exp(score), by row
    risk1: Array  # (times, covariates)
    dying1: Array
    log: Array
    a: tuple[Array, Array]
    b: tuple[Array, Array, Array]
    shift: float  # taken off the scores, so that exp does not overflow


@dataclass(frozen=True, kw_only=True, eq=False)
class _Likelihood:
    log_likelihood: float
    score: Array
    information: Array


def _sums(data: _RiskSets, beta: Array) -> _Sums:
    score = data.design @ beta
    shift = float(score.max())
    hazard = data.weight * np.exp(score - shift)
    weighted = hazard[:, None] * data.design
    risk, dying = data.at_risk(hazard), data.dying(hazard)
    log, a, b = _tied(risk, dying, data.deaths, efron=data.efron)
    return _Sums(
        hazard=hazard,
        risk1=data.at_risk(weighted),
        dying1=data.dying(weighted),
        log=log,
        a=a,
        b=b,
        shift=shift,
    )


def _tied(
    risk: Array, dying: Array, deaths: Array, *, efron: bool
) -> tuple[Array, tuple[Array, Array], tuple[Array, Array, Array]]:
    if not efron:
        zero = np.zeros_like(risk)
        return deaths * np.log(risk), (deaths / risk, zero), (deaths / risk**2, zero, zero)
    log, a0, a1, b0, b1, b2 = (np.zeros_like(risk) for _ in range(6))
    few = deaths <= _CLOSED_FORM_FROM
    for order in range(int(deaths[few].max()) if few.any() else 0):
        now = few & (deaths > order)
        share = order / deaths[now]
        left = risk[now] - share * dying[now]
        log[now] += np.log(left)
        a0[now] += 1 / left
        a1[now] += share / left
        b0[now] += 1 / left**2
        b1[now] += share / left**2
        b2[now] += share**2 / left**2
    many = ~few
    if many.any():
        step = dying[many] / deaths[many]
        top = risk[many] / step
        bottom = top - deaths[many]
        log[many] = deaths[many] * np.log(step) + gammaln(top + 1) - gammaln(bottom + 1)
        a0[many] = (psi(top + 1) - psi(bottom + 1)) / step
        b0[many] = (polygamma(1, bottom + 1) - polygamma(1, top + 1)) / step**2
        a1[many] = (risk[many] * a0[many] - deaths[many]) / dying[many]
        b1[many] = (risk[many] * b0[many] - a0[many]) / dying[many]
        b2[many] = (risk[many] * b1[many] - a1[many]) / dying[many]
    return log, (a0, a1), (b0, b1, b2)


def _likelihood(data: _RiskSets, beta: Array) -> _Likelihood:
    sums = _sums(data, beta)
    observed = data.weight[data.event] @ data.design[data.event]
    log_likelihood = float(observed @ beta - sums.log.sum() - sums.shift * data.deaths.sum())
    risk1, dying1 = sums.risk1, sums.dying1
    score = observed - (sums.a[0] @ risk1 - sums.a[1] @ dying1)
    exposure = sums.hazard * data.over_time(sums.a[0])
    place = data.last[data.event] - 1
    exposure[data.event] -= sums.hazard[data.event] * sums.a[1][place]
    second = data.design.T @ (exposure[:, None] * data.design)
    crossed = risk1.T @ (sums.b[1][:, None] * dying1)
    outer = (
        risk1.T @ (sums.b[0][:, None] * risk1)
        - crossed
        - crossed.T
        + dying1.T @ (sums.b[2][:, None] * dying1)
    )
    return _Likelihood(log_likelihood=log_likelihood, score=score, information=second - outer)


def _newton(data: _RiskSets, *, names: list[str]) -> tuple[Array, _Likelihood, Array]:
    """Newton steps on standardised covariates, halved until the likelihood rises: estimate, likelihood there, covariance.

    The covariance is inverted on that scale too, where neither an offset (a year, a date) nor a unit costs it digits.
    """
    scale = np.sqrt(np.average(data.design**2, axis=0, weights=data.weight))
    scaled = replace(data, design=data.design / scale)
    beta = np.zeros(len(scale))
    here = _likelihood(scaled, beta)
    for _ in range(_MOST_STEPS):
        step = np.linalg.lstsq(here.information, here.score, rcond=None)[0]
        step *= min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-300))
        gain = float(here.score @ step)
        there = _likelihood(scaled, beta + step)
        halvings = 0
        while (
            not there.log_likelihood >= here.log_likelihood - 1e-9 * abs(here.log_likelihood)
            and halvings < 30
        ):
            step, halvings = step / 2, halvings + 1
            there = _likelihood(scaled, beta + step)
        beta, here = beta + step, there
        if gain < 1e-9:
            break
    else:
        raise FitError(
            "cox: no convergence after {steps} steps; look for covariates that separate the events.",
            steps=_MOST_STEPS,
        )
    error = np.sqrt(np.maximum(np.diag(np.linalg.pinv(here.information)), 0))
    lost = (error > 100) | (error == 0)
    if lost.any():
        worst = names[int(np.argmax(lost))]
        raise FitError(
            "cox: the likelihood has no maximum in {name}: at one of its ends there is no event at all. "
            "Merge levels or leave it out.",
            name=repr(worst),
        )
    covariance: Array = np.linalg.inv(here.information) / np.outer(scale, scale)
    return beta / scale, here, covariance


def _clustered(
    data: _RiskSets, beta: Array, information: Array, clusters: NDArray[np.generic], apart: NDArray[np.bool_]
) -> tuple[Array, int]:
    """Sandwich variance with score residuals summed by cluster (Therneau and Grambsch 2000, section 7.2.1), and the number of clusters."""
    for labels, what in ((clusters, "cluster labels"), (apart, "marks of rows apart")):
        if len(labels) != len(data.design):
            raise FitError(f"cox: {len(labels)} {what} for {len(data.design)} rows; give one per row.")
    sums = _sums(data, beta)
    mean0 = sums.b[0][:, None] * sums.risk1 - sums.b[1][:, None] * sums.dying1  # sum over ties of mean / risk
    mean1 = sums.b[1][:, None] * sums.risk1 - sums.b[2][:, None] * sums.dying1
    relative = sums.hazard / np.where(data.weight > 0, data.weight, 1.0)
    residual = -relative[:, None] * (data.design * data.over_time(sums.a[0])[:, None] - data.over_time(mean0))
    place, rows = data.last[data.event] - 1, data.event
    dying_mean = (sums.a[0][:, None] * sums.risk1 - sums.a[1][:, None] * sums.dying1) / data.deaths[:, None]
    residual[rows] += data.design[rows] - dying_mean[place]
    residual[rows] += relative[rows, None] * (data.design[rows] * sums.a[1][place][:, None] - mean1[place])
    labels, group = np.unique(clusters[~apart], return_inverse=True)
    summed = np.zeros((len(labels), data.design.shape[1]))
    np.add.at(summed, group, data.weight[~apart, None] * residual[~apart])
    # so many subjects with this residual each, none of which depends on another
    summed = np.vstack([summed, np.sqrt(data.weight[apart, None]) * residual[apart]])
    influence = summed @ information
    return influence.T @ influence, len(labels) + round(float(data.weight[apart].sum()))


def _coefficient_table(
    names: list[str], beta: Array, covariance: Array, information: Array, *, level: float
) -> pd.DataFrame:
    error = np.sqrt(np.diag(covariance))
    reach = norm.ppf(0.5 + level / 2) * error
    return pd.DataFrame(
        {
            "coefficient": beta,
            "std_error": error,
            "model_std_error": np.sqrt(np.diag(information)),
            "z": beta / error,
            "p_value": 2 * norm.sf(np.abs(beta / error)),
            "hazard_ratio": np.exp(beta),
            "low": np.exp(beta - reach),
            "high": np.exp(beta + reach),
        },
        index=names,
    )


# ----------------------------------------------------------------------------------------------- baseline and residuals


def _baseline(data: _RiskSets, beta: Array) -> pd.DataFrame:
    with np.errstate(over="ignore", under="ignore"):
        hazard = _baseline_hazard(data, beta)[0] * np.exp(-data.centre @ beta)
    table = pd.DataFrame(
        {
            "stratum": data.stratum_of_time,
            "time": data.times,
            "at_risk": data.at_risk(data.weight),
            "events": data.deaths,
            "hazard": hazard,
        }
    )
    return table.assign(cumulative_hazard=table.groupby("stratum", sort=False)["hazard"].cumsum())


def _baseline_hazard(data: _RiskSets, beta: Array) -> tuple[Array, Array]:
    """Increments of the cumulative hazard at each event time for covariates at the centre, and their variance given beta."""
    sums = _sums(data, beta)
    scale = np.exp(-sums.shift)
    return sums.a[0] * scale, sums.b[0] * scale**2


def _hazard_at(data: _RiskSets, beta: Array, wanted: Array, stratum: object) -> Array:
    """Cumulative hazard at each of the times, for covariates at the centre."""
    rows = np.array([label == stratum for label in data.stratum_of_time], dtype=bool)
    place = np.searchsorted(data.times[rows], wanted, side="right")
    running: Array = np.concatenate([[0.0], np.cumsum(_baseline_hazard(data, beta)[0][rows])])
    return running[place]


def _chi_square(statistic: float, degrees: int) -> tuple[float, int, float]:
    return statistic, degrees, float(chi2.sf(statistic, degrees))


def _concordance(data: _RiskSets, beta: Array) -> float:
    """Pairs counted at each event time, against the sorted scores of those who outlast it."""
    score = np.round(data.design @ beta, 12)
    order = np.argsort(score, kind="stable")
    agreed = tied = pairs = 0.0
    last = data.last - data.event  # a row with an event at this place does not outlast it
    for place in np.flatnonzero(data.deaths):
        dying = data.event & (data.last - 1 == place)
        outlast = order[((data.first <= place) & (place < last))[order]]
        running = np.concatenate([[0.0], np.cumsum(data.weight[outlast])])
        below = running[np.searchsorted(score[outlast], score[dying], side="left")]
        upto = running[np.searchsorted(score[outlast], score[dying], side="right")]
        mass = data.weight[dying]
        agreed += float(mass @ below)
        tied += float(mass @ (upto - below))
        pairs += float(mass.sum() * running[-1])
    if pairs == 0:
        raise FitError("cox: no pair can be compared; nobody outlasts an event.")
    return (agreed + tied / 2) / pairs


def _schoenfeld(data: _RiskSets, sums: _Sums) -> tuple[Array, Array]:
    """At each event time: summed covariates of the dying minus their expectation, and the variance of that sum."""
    size = data.design.shape[1]
    observed = data.dying(data.weight[:, None] * data.design)
    residual = observed - (sums.a[0][:, None] * sums.risk1 - sums.a[1][:, None] * sums.dying1)
    variance = np.zeros((data.places, size, size))
    for row in range(size):
        products = sums.hazard[:, None] * data.design[:, [row]] * data.design
        second = sums.a[0][:, None] * data.at_risk(products) - sums.a[1][:, None] * data.dying(products)
        outer = (
            sums.b[0][:, None] * sums.risk1[:, [row]] * sums.risk1
            - sums.b[1][:, None] * (sums.risk1[:, [row]] * sums.dying1 + sums.dying1[:, [row]] * sums.risk1)
            + sums.b[2][:, None] * sums.dying1[:, [row]] * sums.dying1
        )
        variance[:, row] = second - outer
    return residual, variance


def _clock(data: _RiskSets, transform: str) -> Array:
    if transform == "identity":
        return data.times
    if transform == "log":
        return np.log(data.times)
    if transform not in ("km", "rank"):
        raise ParameterError(
            f"cox: unknown transform {transform!r}.{suggestion(transform, ('km', 'log', 'identity', 'rank'))}"
        )
    # One clock for all strata: events and risk sets of the same time are pooled.
    times, place = np.unique(data.times, return_inverse=True)
    deaths = weighted_counts(place, data.deaths)
    if transform == "rank":
        # among all durations, as R ranks them: those before, and half of those that share it (and one half)
        order = np.argsort(data.duration, kind="stable")
        ended, running = data.duration[order], np.concatenate([[0.0], np.cumsum(data.weight[order])])
        before, upto = (running[np.searchsorted(ended, times, side=side)] for side in ("left", "right"))
        rank: Array = (before + upto + 1) / 2
        return rank[place]
    at_risk = np.zeros(len(times))
    for edge, sign in ((data.duration, 1.0), (data.start, -1.0)):
        counted = weighted_counts(
            np.searchsorted(times, edge, side="right"), data.weight, minlength=len(times) + 1
        )
        at_risk += sign * np.cumsum(counted[::-1])[::-1][1:]
    survival = np.cumprod(1 - deaths / at_risk)
    clock: Array = (1 - np.concatenate([[1.0], survival[:-1]]))[place]
    return clock
