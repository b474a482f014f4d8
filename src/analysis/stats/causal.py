"""What a treatment does, from observation: doubly robust, cross-fitted, and with its doubts attached.

`doubly_robust` compares what happened to the treated with what would have happened to them untreated, by a model of the
outcome and a model of who gets treated. It is right if either model is. Both are fitted on other rows than those they are used on,
so that their flexibility does not leak into the answer. It cannot know a common cause that is not among the covariates:
`Sensitivity` says how strong such a cause would have to be.

The estimator is our own: statsmodels' `TreatmentEffect` fits and judges on the same rows, and knows neither weights nor
errors that sum by customer.

Sources: Robins, Rotnitzky and Zhao (1994), *JASA* 89, 846-866; Chernozhukov et al. (2018), *Econometrics Journal* 21,
C1-C68; Crump, Hotz, Imbens and Mitnik (2009), *Biometrika* 96, 187-199 (trimming); Austin (2009), *Statistics in
Medicine* 28, 3083-3107 (balance); Dehejia and Wahba (1999), *JASA* 94, 1053-1062 (treated beyond the untreated); VanderWeele and Ding (2017), *Annals of Internal Medicine* 167, 268-274 (E-value); Cinelli and
Hazlett (2020), *JRSS B* 82, 39-67 (robustness value and benchmarks).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm
from scipy.stats import t as student
from threadpoolctl import threadpool_limits

from analysis.errors import FitError, ParameterError, suggestion
from analysis.stats.arguments import in_words, missing_labels
from analysis.stats.ridge import Array, RidgeFit, encode, fit_ridge, fit_ridge_logistic, fold_of
from analysis.stats.survival import Estimate
from analysis.stats.threads import one_thread
from analysis.summaries import Summarised

Learner = Literal["linear", "boosting"]

_LEARNERS = ("linear", "boosting")
_TREE_BINS = 64
_ESTIMANDS = ("ATE", "ATT")
_PENALTY = 1.0
_NEAREST_TO_CERTAIN = 0.005  # scores are kept this far from 0 and 1, so that no row has an unbounded weight

# Limits beyond which the overlap is called inadequate.
MOST_TRIMMED = 0.10
_LEAST_EFFECTIVE = 0.25
WORST_BALANCE = 0.25
# Below this share of rows with a like in the other arm there is nothing to estimate.
_LEAST_COMMON = 0.05
_MOST_OF_ONE = 1 / 3  # of an arm's weight in one row or cluster: more is a comparison with one case


@dataclass(frozen=True, kw_only=True, eq=False)
class Overlap(Summarised):
    """Were treated and untreated alike enough to be compared?

    Attributes
    ----------
    table : one row per tenth of the propensity (chance of treatment): `low`, `high`, `treated`, `untreated` rows.
    rule : the trimming rule in words.
    cut_low, cut_high : the propensities kept.
    trimmed, trimmed_share : rows outside, left out of the effect.
    effective_treated, effective_untreated : rows that the weighted ones are worth (Kish), as a share of the kept rows of that arm.
    balance : one row per covariate column: standardised mean difference `before` and `after` weighting.
    adequate : false where more than a tenth was trimmed, an arm is worth less than a quarter of its rows (ATT: the untreated less than a
        quarter of the smaller arm), or a covariate stays more than a quarter of a standard deviation apart.
    problems : which of these, in words.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from analysis import stats
    >>> treated, x = np.tile([0, 1], 60), np.repeat([0, 1], 60)  # half of either kind is treated
    >>> overlap = stats.doubly_robust(treated + x, treated, pd.DataFrame({"x": x})).overlap
    >>> overlap.adequate, overlap.trimmed, overlap.problems
    (True, 0, ())
    """

    table: pd.DataFrame
    rule: str
    cut_low: float
    cut_high: float
    trimmed: int
    trimmed_share: float
    effective_treated: float
    effective_untreated: float
    balance: pd.DataFrame
    adequate: bool
    problems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sensitivity(Summarised):
    """How strong a hidden common cause would explain the effect away.

    Attributes
    ----------
    e_value, e_value_limit : risk ratio by which it would have to raise both treatment and outcome, beyond the covariates,
        to move the estimate, or the nearer end of its interval, to nothing. 1 means: nothing is needed.
    robustness_value, robustness_value_limit : share of the remaining variance of both treatment and outcome that it would have to explain.
    benchmarks : one row per covariate (all its columns together): a hidden cause as strong as it: `r2_treatment`, `r2_outcome` (partial),
        `effect_if_as_strong`, `explains_away` (true where that has crossed zero).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from analysis import stats
    >>> treated, x = np.tile([0, 1], 60), np.repeat([0, 1], 60)
    >>> noise = np.tile([-1, -1, 1, 1], 30)
    >>> sensitivity = stats.doubly_robust(2 * treated + x + noise, treated, pd.DataFrame({"x": x})).sensitivity
    >>> sensitivity.e_value > sensitivity.e_value_limit > 1, sensitivity.benchmarks["covariate"].tolist()
    (True, ['x'])
    """

    e_value: float
    e_value_limit: float
    robustness_value: float
    robustness_value_limit: float
    benchmarks: pd.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class DoublyRobust(Summarised):
    """An effect with its interval and its doubts.

    Attributes
    ----------
    effect, std_error, low, high, p_value, level : of the difference in mean outcome, in the outcome's unit.
    mean_treated, mean_untreated : mean outcome if all (ATT: if the treated) had been treated, and if not.
    estimand : ``ATE`` of all kept rows, ``ATT`` of the kept treated.
    naive : difference of plain means, for comparison only.
    rows, treated, clusters : that entered; the effect is of the rows that were not trimmed.
    overlap, sensitivity : see there.
    propensity : (rows,) chance of treatment given the covariates; NaN nowhere, also for trimmed rows.
    notes : doubts in words.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from analysis import stats
    >>> treated, x = np.tile([0, 1], 60), np.repeat([0, 1], 60)
    >>> found = stats.doubly_robust(2 * treated + 5 * x, treated, pd.DataFrame({"x": x}))
    >>> found.rows, found.treated, round(found.naive.value, 6)
    (120, 60, 2.0)
    >>> found.effect_by(x)[["group", "rows"]].values.tolist()
    [[0, 60], [1, 60]]
    """

    effect: float
    std_error: float
    low: float
    high: float
    p_value: float
    level: float
    mean_treated: float
    mean_untreated: float
    estimand: str
    naive: Estimate
    rows: int
    treated: int
    clusters: int | None
    overlap: Overlap
    sensitivity: Sensitivity
    propensity: Array
    notes: tuple[str, ...]
    _score: Array = field(repr=False)  # per row: numerator of the effect; nan where trimmed
    _base: Array = field(repr=False)  # per row: denominator
    _weight: Array = field(repr=False)
    _cluster: NDArray[np.int64] = field(repr=False)
    _treatment: Array = field(repr=False)

    @in_words(texts="groups")
    def effect_by(self, groups: ArrayLike) -> pd.DataFrame:
        """The effect within each group.

        Many groups are many chances of a false alarm: adjust the p-values before any of them is worth a sentence.

        Parameters
        ----------
        groups : (rows,) labels
            The group of each fitted row.

        Returns
        -------
        DataFrame, one row per group
            `group`, `rows`, `effect`, `std_error`, `low`, `high`, `p_value`.

        Raises
        ------
        FitError
            For labels that are missing, or not one per row.
        ParameterError
            For what is no column.
        """
        if (missing := missing_labels(groups)).any():
            raise FitError(f"effect: {int(missing.sum())} group labels are missing; name a group for them.")
        labels = np.asarray(groups)
        if len(labels) != len(self._score):
            raise FitError(
                f"effect: {len(labels)} group labels for {len(self._score)} rows; give one per row."
            )
        kept = np.isfinite(self._score)
        out = []
        for label in np.unique(labels[kept]):
            rows = kept & (labels == label)
            effect, error = _ratio(
                self._score[rows], self._base[rows], self._weight[rows], self._cluster[rows]
            )
            freedom = _freedom(self._cluster[rows], self._treatment[rows], self.clusters)
            out.append(
                {"group": label, "rows": int(rows.sum())} | _interval(effect, error, self.level, freedom)
            )
        return pd.DataFrame(out)


@one_thread
@in_words(rows="outcome treatment weights", labels="clusters", tables="covariates")
def doubly_robust(
    outcome: ArrayLike,
    treatment: ArrayLike,
    covariates: pd.DataFrame,
    *,
    clusters: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    estimand: Literal["ATE", "ATT"] = "ATE",
    learner: Learner = "linear",
    trim: float | Literal["crump"] = "crump",
    folds: int = 5,
    repeats: int = 3,
    level: float = 0.95,
    seed: int = 0,
) -> DoublyRobust:
    """Effect of a treatment on an outcome, given covariates measured before it.

    Parameters
    ----------
    outcome : (rows,) numbers, in any unit
        0/1 outcomes get logistic outcome models.
    treatment : (rows,) 0 or 1
        Whether it was treated.
    covariates : (rows, covariates) DataFrame of numbers or labels
        All that drives both treatment and outcome, and nothing that the treatment may have changed.
    clusters : (rows,) labels, optional
        Such as the customer of several events; rows of a cluster share a fold, and errors allow for their dependence.
    weights : (rows,) numbers above zero, optional
        Sampling weights: of how many of the population a row speaks. A weight of three is no three rows, and the standard error does not take it for
        them; rows that stand for several equal subjects are repeated, or named once each in `clusters`.
    estimand : str
        ``ATE`` for all, ``ATT`` for those who were treated.
    learner : str
        ``linear`` (ridge, with squares of numbers that are not 0/1) or ``boosting`` (gradient-boosted trees).
    trim : float, share 0 to 0.5, or ``crump``
        Propensities kept, ``trim`` to ``1 - trim``; ``crump`` takes the cut that makes the variance of the ATE smallest; the ATT, which that rule is not
        about, then leaves out the treated above every untreated only. A stated number cuts its upper end. Trimming changes whom the effect is about.
    folds, repeats : int
        Cross-fitting; the median over `repeats` random splits is reported, so no single split decides.
    level : float, share 0 to 1
        Coverage of the interval.
    seed : int
        Of the splits.

    Returns
    -------
    DoublyRobust

    Raises
    ------
    FitError
        Where an arm is too small, a covariate is missing, trimming leaves too little, or a single row or cluster carries more than a third of an arm's
        weight: that is one comparison, not an estimate.
    ParameterError
        For unknown options, or what is no number.

    Notes
    -----
    ATT weighs each untreated row by the odds of its propensity, in proportion: the weights add up to the treated (Hájek), so that the mean untreated
    lies among what was observed and expected. With clusters, intervals and p-values are Student's with one degree less than there are clusters
    in the smaller arm (Cameron and Miller 2015, *J. Human Resources* 50, 317-372, section VI: few treated clusters are few clusters), without them normal.

    Source
    ------
    Robins, Rotnitzky and Zhao (1994), *JASA* 89, 846-866; Chernozhukov et al. (2018), *Econometrics Journal* 21, C1-C68; Crump, Hotz, Imbens and Mitnik
    (2009), *Biometrika* 96, 187-199 (trimming).

    Examples
    --------
    Whoever has x = 1 is treated more often, and gains 5 anyway: plain means say 4.5, the effect is 2.

    >>> import numpy as np, pandas as pd
    >>> from analysis import stats
    >>> x = np.repeat([0, 1], 80)
    >>> treated = np.r_[np.tile([1, 0, 0, 0], 20), np.tile([1, 1, 1, 0], 20)]
    >>> found = stats.doubly_robust(2.0 * treated + 5 * x, treated, pd.DataFrame({"x": x}))
    >>> round(found.naive.value, 2), round(found.effect, 1)
    (4.5, 2.0)
    """
    _known(estimand, _ESTIMANDS, "estimand")
    _known(learner, _LEARNERS, "learner")
    y, d, weight, cluster, count = _checked(
        outcome, treatment, clusters, weights, rows=len(covariates), folds=folds
    )
    design, columns, origins = encode(covariates)
    if design.shape[1] == 0:
        raise FitError(
            "effect: no covariates; without any, compare means in an experiment or give what drove the treatment."
        )
    splits = [
        _cross_fit(y, d, design, weight, cluster, learner=learner, folds=folds, seed=seed + repeat)
        for repeat in range(repeats)
    ]
    propensity = np.median([split.propensity for split in splits], axis=0)
    cut_low, cut_high, rule = _cut(propensity, d, weight, trim, estimand)
    kept = (propensity >= cut_low) & (propensity <= cut_high)
    common = _common_share(propensity, d)
    if common < _LEAST_COMMON:
        raise FitError(
            "effect: only {share} of the rows have a propensity that occurs among treated and untreated alike; the groups do not "
            "overlap. No effect can be estimated from them.",
            share=f"{common:.0%}",
        )
    for arm, name in ((1.0, "treated"), (0.0, "untreated")):
        if (d[kept] == arm).sum() < 2 * folds:
            raise FitError(
                _TRIMMED[name], rows=int((d[kept] == arm).sum()), low=f"{cut_low:.2f}", high=f"{cut_high:.2f}"
            )
    _refuse_lone_weight(propensity, d, weight, cluster, kept, estimand)
    parts = [_scores(split, y, d, estimand, weight=weight * kept) for split in splits]
    found = [_ratio(part.effect[kept], part.base[kept], weight[kept], cluster[kept]) for part in parts]
    effect = float(np.median([value for value, _ in found]))
    error = float(np.sqrt(np.median([spread**2 + (value - effect) ** 2 for value, spread in found])))
    score = np.where(kept, np.mean([part.effect for part in parts], axis=0), np.nan)
    base = parts[0].base
    means = [
        float(np.median([weight[kept] @ arm[kept] / (weight[kept] @ base[kept]) for arm in arms]))
        for arms in ([part.treated for part in parts], [part.untreated for part in parts])
    ]
    overlap = _overlap(
        propensity, d, design, columns, weight, kept, cut_low, cut_high, rule=rule, estimand=estimand
    )
    freedom = _freedom(cluster[kept], d[kept], count)
    numbers = _interval(effect, error, level, freedom)
    ratio = _log_ratio(parts, weight, cluster, kept) if set(np.unique(y)) <= {0.0, 1.0} else None
    sensitivity = _sensitivity(splits, y, d, design, origins, weight, kept, numbers, ratio=ratio)
    return DoublyRobust(
        **numbers,
        level=level,
        mean_treated=means[0],
        mean_untreated=means[1],
        estimand=estimand,
        naive=_naive(y, d, weight, cluster, level, _freedom(cluster, d, count)),
        rows=len(y),
        treated=int(d.sum()),
        clusters=count,
        overlap=overlap,
        sensitivity=sensitivity,
        propensity=propensity,
        notes=_notes(overlap, estimand),
        _score=score,
        _base=base,
        _weight=weight,
        _cluster=cluster,
        _treatment=d,
    )


# ----------------------------------------------------------------------------------------------- sensitivity, by itself


@in_words()
def e_value(risk_ratio: float, limit: float | None = None) -> tuple[float, float]:
    """E-value: how strong a hidden common cause would have to be, as a risk ratio with both treatment and outcome.

    Parameters
    ----------
    risk_ratio : float, ratio above zero
        The estimate.
    limit : float, ratio above zero; optional
        The end of its interval that is nearer to one.

    Returns
    -------
    tuple of two numbers
        For the estimate and for the limit: 1 where that has crossed one, NaN where no limit was given.

    Raises
    ------
    ParameterError
        For a ratio that is not positive.

    Source
    ------
    VanderWeele and Ding (2017), *Annals of Internal Medicine* 167, 268-274.

    Examples
    --------
    2 + √(2 x 1).

    >>> from analysis import stats
    >>> round(stats.e_value(2.0)[0], 4), stats.e_value(2.0, limit=0.9)[1]
    (3.4142, 1.0)
    """
    if risk_ratio <= 0 or (limit is not None and limit <= 0):
        raise ParameterError(f"e_value: a risk ratio is positive, not {risk_ratio:g}.")

    def needed(ratio: float) -> float:
        ratio = max(ratio, 1 / ratio)
        return float(ratio + np.sqrt(ratio * (ratio - 1)))

    if limit is None:
        return needed(risk_ratio), float("nan")
    return needed(risk_ratio), 1.0 if (risk_ratio - 1) * (limit - 1) <= 0 else needed(limit)


@in_words()
def robustness_value(t: float, degrees: float, *, share: float = 1.0, level: float | None = None) -> float:
    """Partial R² that a hidden cause needs with treatment and outcome to reduce an estimate by a share.

    Parameters
    ----------
    t : float, t value
        Of the estimate.
    degrees : float, degrees of freedom
        Of the regression, above zero.
    share : float, share of the estimate
        1 takes all of it away.
    level : float, share 0 to 1; optional
        Instead of the estimate, move that end of its interval to zero.

    Returns
    -------
    float
        A partial R², 0 to 1.

    Raises
    ------
    ParameterError
        For degrees or a share that are not above zero, or what is no number.

    Source
    ------
    Cinelli and Hazlett (2020), *JRSS B* 82, 39-67, equation 13.

    Examples
    --------
    Where t² is half the degrees of freedom: f² = 1/2, and (√(1/4 + 2) - 1/2) / 2.

    >>> from analysis import stats
    >>> round(stats.robustness_value(10.0, 200.0), 6)
    0.5
    """
    _within(degrees, 0.0, np.inf, "robustness_value: degrees")
    _within(share, 0.0, np.inf, "robustness_value: share")
    if level is not None and degrees <= 1:
        raise ParameterError(
            f"robustness_value: an interval needs more than one degree of freedom; got {degrees:g}."
        )
    f = share * abs(t) / np.sqrt(degrees)
    if level is not None:
        f -= float(student.ppf(0.5 + level / 2, degrees - 1)) / np.sqrt(degrees - 1)
    if f <= 0:
        return 0.0
    return float((np.sqrt(f**4 + 4 * f**2) - f**2) / 2)


@in_words()
def confounded_estimate(
    estimate: float, std_error: float, degrees: float, *, r2_treatment: float, r2_outcome: float
) -> float:
    """The estimate drawn towards zero by a hidden cause of the stated partial R².

    Parameters
    ----------
    estimate, std_error : float, in the outcome's unit
        Of the regression.
    degrees : float, degrees of freedom
        Above zero.
    r2_treatment : float, share 0 to below 1
        Partial R² of the hidden cause with the treatment.
    r2_outcome : float, share 0 to 1
        Partial R² of the hidden cause with the outcome.

    Returns
    -------
    float
        In the outcome's unit; beyond zero where the cause is stronger than the effect.

    Raises
    ------
    ParameterError
        For numbers outside the ranges above.

    Source
    ------
    Cinelli and Hazlett (2020), *JRSS B* 82, 39-67, equation 11.

    Examples
    --------
    The bias is 0.1 x √(100 x 0.5 x 0.5 ÷ 0.5).

    >>> from analysis import stats
    >>> round(stats.confounded_estimate(1.0, 0.1, 100.0, r2_treatment=0.5, r2_outcome=0.5), 4)
    0.2929
    """
    _within(std_error, 0.0, np.inf, "confounded_estimate: std_error", least_too=True)
    _within(degrees, 0.0, np.inf, "confounded_estimate: degrees")
    _within(r2_treatment, 0.0, 1.0, "confounded_estimate: r2_treatment", least_too=True)
    _within(r2_outcome, 0.0, 1.0, "confounded_estimate: r2_outcome", least_too=True, most_too=True)
    bias = std_error * np.sqrt(degrees * r2_outcome * r2_treatment / (1 - r2_treatment))
    return float(np.sign(estimate) * (abs(estimate) - bias))


@in_words()
def partial_r2(t: float, degrees: float) -> float:
    """Share of the variance that the others leave, which a regressor with this t value explains.

    Parameters
    ----------
    t : float, t value
        Of the regressor.
    degrees : float, degrees of freedom
        Above zero.

    Returns
    -------
    float
        t² ÷ (t² + degrees), 0 to 1.

    Raises
    ------
    ParameterError
        For degrees that are not above zero, or what is no number.

    Source
    ------
    Cinelli and Hazlett (2020), *JRSS B* 82, 39-67, section 4.

    Examples
    --------
    >>> from analysis import stats
    >>> stats.partial_r2(2.0, 12.0)
    0.25
    """
    _within(degrees, 0.0, np.inf, "partial_r2: degrees")
    return float(t**2 / (t**2 + degrees))


def _within(
    value: float, least: float, most: float, what: str, *, least_too: bool = False, most_too: bool = False
) -> None:
    if not (least < value or (least_too and value == least)) or not (
        value < most or (most_too and value == most)
    ):
        said = f"above {least:g}" if most == np.inf else f"in {least:g} to {most:g}"
        raise ParameterError(f"{what} must lie {said}; got {value:g}.")


# ----------------------------------------------------------------------------------------------- cross-fitting


@dataclass(frozen=True, kw_only=True, eq=False)
class _Split:
    """Predictions for each row from models that did not see it."""

    propensity: Array
    if_treated: Array
    if_untreated: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scores:
    effect: Array
    treated: Array
    untreated: Array
    base: Array


def _cross_fit(
    y: Array,
    d: Array,
    design: Array,
    weight: Array,
    cluster: NDArray[np.int64],
    *,
    learner: str,
    folds: int,
    seed: int,
) -> _Split:
    fold = fold_of(cluster, folds=folds, seed=seed)
    propensity, treated, untreated = (np.full(len(y), np.nan) for _ in range(3))
    features = _with_squares(design) if learner == "linear" else _binned(design)
    last: dict[
        float, RidgeFit | None
    ] = {}  # folds share most rows: each fit begins where the one before it ended
    for one in range(folds):
        test, train = fold == one, fold != one
        propensity[test], last[-1.0] = _predicted(
            features, d, weight, train, test, learner=learner, binary=True, seed=seed, start=last.get(-1.0)
        )
        for arm, store in ((1.0, treated), (0.0, untreated)):
            rows = train & (d == arm)
            binary = set(np.unique(y[rows])) == {0.0, 1.0}
            store[test], last[arm] = _predicted(
                features,
                y,
                weight,
                rows,
                test,
                learner=learner,
                binary=binary,
                seed=seed,
                start=last.get(arm),
            )
    propensity = np.clip(propensity, _NEAREST_TO_CERTAIN, 1 - _NEAREST_TO_CERTAIN)
    return _Split(propensity=propensity, if_treated=treated, if_untreated=untreated)


def _predicted(
    features: Array,
    target: Array,
    weight: Array,
    train: NDArray[np.bool_],
    test: NDArray[np.bool_],
    *,
    learner: str,
    binary: bool,
    seed: int,
    start: RidgeFit | None = None,
) -> tuple[Array, RidgeFit | None]:
    """Predictions for the test rows from the training rows, and the fit where it can serve as the next one's start."""
    if len(np.unique(target[train])) == 1:
        return np.full(int(test.sum()), target[train][0]), None
    if learner == "linear":
        if not binary:
            plain = fit_ridge(features[train], target[train], penalty=_PENALTY, weights=weight[train])
            return plain.predict(features[test]), None
        fit = fit_ridge_logistic(
            features[train], target[train], penalty=_PENALTY, weights=weight[train], start=start
        )
        return fit.predict(features[test]), fit
    # Imported here: the package takes longer to import than a linear fit to run.
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    options = {
        "max_iter": 80,
        "learning_rate": 0.06,
        "max_leaf_nodes": 12,
        "early_stopping": False,
        "random_state": seed,
    }
    smallest = max(20, int(train.sum()) // 50)
    # The limit on threads of the whole call was set before this library loaded its own: its threads wait for each other, minutes on a busy machine.
    with threadpool_limits(limits=1):
        if binary:
            trees = HistGradientBoostingClassifier(min_samples_leaf=smallest, **options)
            trees.fit(features[train], target[train], sample_weight=weight[train])
            return np.asarray(trees.predict_proba(features[test])[:, 1]), None
        trees = HistGradientBoostingRegressor(min_samples_leaf=smallest, **options)
        trees.fit(features[train], target[train], sample_weight=weight[train])
        return np.asarray(trees.predict(features[test])), None


def _with_squares(design: Array) -> Array:
    """The columns, and the squares of those that take more than two values."""
    several = [column for column in range(design.shape[1]) if len(np.unique(design[:, column])) > 2]
    chosen = design[:, several]
    spread = np.where(chosen.std(axis=0) > 0, chosen.std(axis=0), 1.0)
    return np.column_stack([design, ((chosen - chosen.mean(axis=0)) / spread) ** 2])


def _binned(design: Array) -> Array:
    """Each column by its place among so many quantiles of its own, which is all that trees on histograms see of it.

    Left to the library the weighted quantiles of each of dozens of fits cost more than the trees.
    """
    shares = np.linspace(0, 1, _TREE_BINS + 1)[1:-1]
    return np.column_stack(
        [np.searchsorted(np.unique(np.quantile(column, shares)), column) for column in design.T]
    ).astype(float)


def _scores(split: _Split, y: Array, d: Array, estimand: str, *, weight: Array) -> _Scores:
    e, if_treated, if_untreated = split.propensity, split.if_treated, split.if_untreated
    if estimand == "ATE":
        treated = if_treated + d * (y - if_treated) / e
        untreated = if_untreated + (1 - d) * (y - if_untreated) / (1 - e)
        return _Scores(effect=treated - untreated, treated=treated, untreated=untreated, base=np.ones(len(y)))
    odds = (1 - d) * e / (1 - e)
    odds = odds * float(weight @ d) / float(weight @ odds)
    untreated = d * if_untreated + odds * (y - if_untreated)
    return _Scores(effect=d * y - untreated, treated=d * y, untreated=untreated, base=d)


def _ratio(score: Array, base: Array, weight: Array, cluster: NDArray[np.int64]) -> tuple[float, float]:
    """Weighted sum of scores ÷ weighted sum of the base, with a standard error that sums influences by cluster."""
    total = float(weight @ base)
    if total == 0:
        return float("nan"), float("nan")
    value = float(weight @ score) / total
    influence = weight * (score - value * base) / total
    return value, _clustered_error(influence, cluster)


def _clustered_error(influence: Array, cluster: NDArray[np.int64]) -> float:
    _, place = np.unique(cluster, return_inverse=True)
    summed = np.bincount(place, influence)
    groups = len(summed)
    if groups < 2:
        return float("nan")
    return float(np.sqrt(np.sum(summed**2) * groups / (groups - 1)))


def _freedom(cluster: NDArray[np.int64], treatment: Array, count: int | None) -> float:
    """Degrees of freedom of a standard error that sums by cluster; infinite where every row stands for itself.

    The error of a contrast is that of its smaller arm: twenty treated customers beside a thousand others are twenty.
    """
    if count is None:
        return float("inf")
    arms = (len(np.unique(cluster[treatment == arm])) for arm in (0.0, 1.0))
    return float(max(min(arms) - 1, 1))


def _interval(effect: float, error: float, level: float, freedom: float) -> dict[str, float]:
    law = norm() if np.isinf(freedom) else student(freedom)
    reach = float(law.ppf(0.5 + level / 2)) * error
    p_value = float(2 * law.sf(abs(effect) / error)) if error > 0 else float("nan")
    return {
        "effect": effect,
        "std_error": error,
        "low": effect - reach,
        "high": effect + reach,
        "p_value": p_value,
    }


def _naive(
    y: Array, d: Array, weight: Array, cluster: NDArray[np.int64], level: float, freedom: float
) -> Estimate:
    influence, means = np.zeros(len(y)), []
    for arm, sign in ((1.0, 1.0), (0.0, -1.0)):
        mass = weight * (d == arm)
        mean = float(mass @ y / mass.sum())
        influence += sign * mass * (y - mean) / mass.sum()
        means.append(mean)
    error = _clustered_error(influence, cluster)
    numbers = _interval(means[0] - means[1], error, level, freedom)
    return Estimate(
        value=numbers["effect"], std_error=error, low=numbers["low"], high=numbers["high"], level=level
    )


# ----------------------------------------------------------------------------------------------- overlap


def _cut(
    propensity: Array, d: Array, weight: Array, trim: float | str, estimand: str
) -> tuple[float, float, str]:
    if isinstance(trim, str):
        _known(trim, ("crump",), "trim")
        if estimand == "ATT":
            top = float(propensity[d == 0].max())
            return (
                0.0,
                top,
                f"propensity up to {top:.3f}, the highest of any untreated (Dehejia and Wahba 1999)",
            )
        at = _crump(propensity, weight)
        rule = f"propensity {at:.3f} to {1 - at:.3f}, the cut with the smallest variance (Crump et al. 2009)"
    else:
        if not 0 <= trim < 0.5:
            raise ParameterError(f"effect: trim {trim:g} must lie in 0 to 0.5, e.g. 0.05.")
        at, rule = trim, f"propensity {trim:g} to {1 - trim:g}, as stated"
    if estimand == "ATT":
        return 0.0, 1 - at, f"propensity up to {1 - at:.3f}"
    return at, 1 - at, rule


def _common_share(propensity: Array, d: Array) -> float:
    """Share of rows between the extremes that both arms reach."""
    low = max(propensity[d == arm].min() for arm in (0.0, 1.0))
    high = min(propensity[d == arm].max() for arm in (0.0, 1.0))
    return float(np.mean((propensity >= low) & (propensity <= high)))


def _crump(propensity: Array, weight: Array) -> float:
    """Smallest a with 1/(a(1-a)) <= 2 E[1/(e(1-e)) | 1/(e(1-e)) <= 1/(a(1-a))]; 0 where nothing need go."""
    cost = 1 / (propensity * (1 - propensity))
    order = np.argsort(cost, kind="stable")
    cost, mass = cost[order], weight[order]
    mean = np.cumsum(mass * cost) / np.cumsum(mass)
    if cost[-1] <= 2 * mean[-1]:
        return 0.0
    fits = np.flatnonzero(cost <= 2 * mean)
    bound = 2 * mean[fits[-1]]
    return float(0.5 - np.sqrt(max(0.25 - 1 / bound, 0.0)))


def _refuse_lone_weight(
    propensity: Array,
    d: Array,
    weight: Array,
    cluster: NDArray[np.int64],
    kept: NDArray[np.bool_],
    estimand: str,
) -> None:
    """One row, or one cluster, that stands for more than a third of an arm."""
    for arm, name in ((1.0, "treated"), (0.0, "untreated")):
        mass = _balancing(propensity, d, weight, estimand) * (kept & (d == arm))
        largest = float(np.bincount(cluster, mass).max() / mass.sum())
        if largest > _MOST_OF_ONE:
            raise FitError(
                f"effect: one of the {name} carries {largest:.0%} of their weight; the others are unlike those they are compared with. "
                "No effect can be estimated from them."
            )


def _balancing(propensity: Array, d: Array, weight: Array, estimand: str) -> Array:
    """Weight with which each row enters its arm's mean."""
    if estimand == "ATE":
        balancing: Array = weight * np.where(d == 1, 1 / propensity, 1 / (1 - propensity))
    else:
        balancing = weight * np.where(d == 1, 1.0, propensity / (1 - propensity))
    return balancing


def _overlap(
    propensity: Array,
    d: Array,
    design: Array,
    columns: list[str],
    weight: Array,
    kept: NDArray[np.bool_],
    cut_low: float,
    cut_high: float,
    *,
    rule: str,
    estimand: str,
) -> Overlap:
    tenths = np.minimum((10 * propensity).astype(int), 9)
    table = pd.DataFrame(
        {
            "low": np.arange(10) / 10,
            "high": np.arange(1, 11) / 10,
            "treated": np.bincount(tenths, d, minlength=10).astype(int),
            "untreated": np.bincount(tenths, 1 - d, minlength=10).astype(int),
        }
    )
    balancing = _balancing(propensity, d, weight, estimand)
    effective = []
    for arm in (1.0, 0.0):
        mass = balancing[kept & (d == arm)]
        effective.append(float(mass.sum() ** 2 / (mass**2).sum() / len(mass)))
    balance = pd.DataFrame(
        {
            "covariate": columns,
            "before": _standardised_difference(design, d, weight, np.ones(len(d), dtype=bool)),
            "after": _standardised_difference(design, d, balancing, kept),
        }
    )
    # For the treated the share that matters is that of the treated.
    concerned = weight * d if estimand == "ATT" else weight
    trimmed_share = float(concerned[~kept].sum() / concerned.sum())
    problems = []
    if trimmed_share > MOST_TRIMMED:
        problems.append(f"{trimmed_share:.0%} lie outside the common range and were left out")
    for share, name, arm in zip(effective, ("treated", "untreated"), (1.0, 0.0), strict=True):
        # Comparisons for a few treated need not be worth all of a large other arm, only enough beside the treated.
        rows, other = int((kept & (d == arm)).sum()), int((kept & (d != arm)).sum())
        asked = min(rows, other) if estimand == "ATT" and arm == 0.0 else rows
        if share * rows < _LEAST_EFFECTIVE * asked:
            problems.append(
                f"the {name} are worth only {share:.0%} of their number: a few of them stand for many"
            )
    worst = balance.iloc[int(balance["after"].abs().to_numpy().argmax())]
    if abs(worst["after"]) > WORST_BALANCE:
        problems.append(f"{worst['covariate']} stays {abs(worst['after']):.2f} standard deviations apart")
    return Overlap(
        table=table,
        rule=rule,
        cut_low=cut_low,
        cut_high=cut_high,
        trimmed=int((~kept).sum()),
        trimmed_share=trimmed_share,
        effective_treated=effective[0],
        effective_untreated=effective[1],
        balance=balance,
        adequate=not problems,
        problems=tuple(problems),
    )


def _standardised_difference(design: Array, d: Array, weight: Array, rows: NDArray[np.bool_]) -> Array:
    """Weighted mean difference ÷ pooled standard deviation before weighting."""
    plain = (design[d == 1].var(axis=0) + design[d == 0].var(axis=0)) / 2
    means = []
    for arm in (1.0, 0.0):
        mass = weight * rows * (d == arm)
        means.append(mass @ design / mass.sum())
    gap: Array = (means[0] - means[1]) / np.sqrt(np.where(plain > 0, plain, 1.0))
    return gap


def _notes(overlap: Overlap, estimand: str) -> tuple[str, ...]:
    notes = []
    if overlap.trimmed:
        whom = "treated rows" if estimand == "ATT" else "rows"
        notes.append(f"{overlap.trimmed} {whom} were left out ({overlap.rule}); the effect is of the others.")
    if not overlap.adequate:
        notes.append(
            f"Overlap is inadequate: {'; '.join(overlap.problems)}. Read this as an association only."
        )
    return tuple(notes)


# ----------------------------------------------------------------------------------------------- sensitivity, in the fit


def _log_ratio(
    parts: list[_Scores], weight: Array, cluster: NDArray[np.int64], kept: NDArray[np.bool_]
) -> tuple[float, float] | None:
    """Logarithm of the ratio of the mean outcomes, with its standard error; None where a mean is not positive."""
    found = []
    for part in parts:
        treated, _ = _ratio(part.treated[kept], part.base[kept], weight[kept], cluster[kept])
        untreated, _ = _ratio(part.untreated[kept], part.base[kept], weight[kept], cluster[kept])
        if treated <= 0 or untreated <= 0:
            return None
        total = float(weight[kept] @ part.base[kept])
        influence = (part.treated[kept] - treated * part.base[kept]) / treated
        influence -= (part.untreated[kept] - untreated * part.base[kept]) / untreated
        found.append(
            (np.log(treated / untreated), _clustered_error(weight[kept] * influence / total, cluster[kept]))
        )
    return float(np.median([value for value, _ in found])), float(np.median([error for _, error in found]))


def _sensitivity(
    splits: list[_Split],
    y: Array,
    d: Array,
    design: Array,
    origins: list[str],
    weight: Array,
    kept: NDArray[np.bool_],
    numbers: dict[str, float],
    *,
    ratio: tuple[float, float] | None,
) -> Sensitivity:
    effect, error = numbers["effect"], numbers["std_error"]
    reach = (numbers["high"] - numbers["low"]) / 2
    if ratio is not None:
        log_ratio, log_error = ratio
        log_reach = log_error * reach / error if error > 0 else 0.0
    else:
        # A difference of d standard deviations is like a risk ratio of exp(0.91 d): VanderWeele and Ding (2017), table 2.
        spread = float(np.sqrt(np.cov(y[kept], aweights=weight[kept])))
        log_ratio = 0.91 * effect / spread if spread > 0 else 0.0
        log_reach = 0.91 * reach / spread if spread > 0 else 0.0
    near = log_ratio - np.sign(log_ratio) * log_reach
    evalue, evalue_limit = e_value(float(np.exp(log_ratio)), float(np.exp(near)))
    partial = []
    for split in splits:
        expected = split.propensity * split.if_treated + (1 - split.propensity) * split.if_untreated
        partial.append(_correlation(y[kept] - expected[kept], d[kept] - split.propensity[kept], weight[kept]))
    squared = min(float(np.median(partial)) ** 2, 0.999)
    strength = float(np.sqrt(squared / (1 - squared)))
    certain = max(0.0, 1 - reach / abs(effect)) if effect != 0 else 0.0
    return Sensitivity(
        e_value=evalue,
        e_value_limit=evalue_limit,
        robustness_value=robustness_value(strength, 1.0),
        robustness_value_limit=robustness_value(strength * certain, 1.0),
        benchmarks=_benchmarks(y[kept], d[kept], design[kept], origins, weight[kept], effect),
    )


def _benchmarks(
    y: Array, d: Array, design: Array, origins: list[str], weight: Array, effect: float
) -> pd.DataFrame:
    """The effect if a hidden cause were as strong as each covariate (Cinelli and Hazlett 2020, section 4.4, by least squares)."""
    own = np.array(origins)
    count = len(own)
    # One matrix of products serves every regression; columns are scaled first, so that it stays well conditioned.
    table = np.column_stack([np.ones(len(y)), design, d, y])
    table = table / np.sqrt(np.maximum(np.average(table**2, axis=0, weights=weight), 1e-300))
    products = table.T @ (weight[:, None] * table)
    at_d, at_y = count + 1, count + 2
    scale_d, scale_y = (
        float(weight @ d**2) / products[at_d, at_d],
        float(weight @ y**2) / products[at_y, at_y],
    )

    def unexplained(target: int, columns: list[int]) -> float:
        inner, outer = products[np.ix_(columns, columns)], products[columns, target]
        left = products[target, target] - outer @ np.linalg.lstsq(inner, outer, rcond=1e-12)[0]
        return float(max(float(left), 1e-300) * (scale_d if target == at_d else scale_y))

    everything = list(range(count + 1))
    left_d, left_y = unexplained(at_d, everything), unexplained(at_y, [*everything, at_d])
    degrees = len(y) - count - 2
    std_error = float(np.sqrt(left_y / degrees / left_d)) if left_d > 0 else float("nan")
    rows = []
    for name in dict.fromkeys(origins):
        rest = [0, *(1 + np.flatnonzero(own != name))]
        of_d = 1 - left_d / unexplained(at_d, rest)
        of_y = 1 - left_y / unexplained(at_y, [*rest, at_d])
        r2_treatment, r2_outcome = _as_strong(min(max(of_d, 0.0), 0.49), min(max(of_y, 0.0), 0.99))
        value = confounded_estimate(
            effect, std_error, degrees, r2_treatment=r2_treatment, r2_outcome=r2_outcome
        )
        rows.append(
            {
                "covariate": name,
                "r2_treatment": r2_treatment,
                "r2_outcome": r2_outcome,
                "effect_if_as_strong": value,
                "explains_away": value * effect <= 0,
            }
        )
    return pd.DataFrame(rows)


def _as_strong(of_treatment: float, of_outcome: float) -> tuple[float, float]:
    """Partial R² of a hidden cause as strong as a covariate that explains so much (their equations 18 and 19, k = 1)."""
    r2_treatment = of_treatment / (1 - of_treatment)
    shared = of_treatment**2 / ((1 - of_treatment) * (1 - of_treatment))
    factor = (1 + np.sqrt(shared)) / np.sqrt(1 - shared)
    return r2_treatment, float(min(factor**2 * of_outcome / (1 - of_outcome), 1.0))


def _correlation(first: Array, second: Array, weight: Array) -> float:
    matrix = np.cov(first, second, aweights=weight)
    spread = float(np.sqrt(matrix[0, 0] * matrix[1, 1]))
    return float(matrix[0, 1]) / spread if spread > 0 else 0.0


# ----------------------------------------------------------------------------------------------- input


def _known(value: str, allowed: tuple[str, ...], name: str) -> None:
    if value not in allowed:
        raise ParameterError(
            f"effect: unknown {name} {value!r}; use {' or '.join(allowed)}.{suggestion(value, allowed)}"
        )


_TRIMMED = {
    "treated": "effect: trimming leaves {rows} treated rows with a propensity in {low} to {high}; the groups do not overlap. No effect can be estimated from them.",
    "untreated": "effect: trimming leaves {rows} untreated rows with a propensity in {low} to {high}; the groups do not overlap. No effect can be estimated from them.",
}
_FEW = {
    "treated": "effect: {rows} treated rows; at least {needed} are needed for {folds} folds.",
    "untreated": "effect: {rows} untreated rows; at least {needed} are needed for {folds} folds.",
}


def _checked(
    outcome: ArrayLike,
    treatment: ArrayLike,
    clusters: ArrayLike | None,
    weights: ArrayLike | None,
    *,
    rows: int,
    folds: int,
) -> tuple[Array, Array, Array, NDArray[np.int64], int | None]:
    y, d = np.asarray(outcome, dtype=float), np.asarray(treatment, dtype=float)
    weight = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=float)
    if not len(y) == len(d) == len(weight) == rows:
        raise FitError(
            f"effect: {len(y)} outcomes, {len(d)} treatments, {len(weight)} weights, {rows} rows of covariates."
        )
    if not np.all(np.isfinite(y)):
        raise FitError(
            f"effect: {int((~np.isfinite(y)).sum())} outcomes are missing. Whoever was not followed to the end of the window is "
            "censored: choose a window that has closed, or weight for it."
        )
    if not np.isin(d, (0.0, 1.0)).all():
        raise FitError(f"effect: treatment must be 0 or 1, found {d[~np.isin(d, (0.0, 1.0))][0]:g}.")
    if not np.all(weight > 0):
        raise FitError(f"effect: {int((~(weight > 0)).sum())} weights are not positive; drop those rows.")
    if folds < 2:
        raise ParameterError(
            f"effect: folds {folds} must be at least 2, so that no model judges its own rows."
        )
    cluster, count = np.arange(len(y)), None
    if clusters is not None:
        labels = np.asarray(clusters)
        if len(labels) != len(y):
            raise FitError(f"effect: {len(labels)} cluster labels for {len(y)} rows; give one per row.")
        cluster = np.unique(labels, return_inverse=True)[1]
        count = int(cluster.max()) + 1
    for arm, name in ((1.0, "treated"), (0.0, "untreated")):
        if (d == arm).sum() < 10 * folds:
            raise FitError(_FEW[name], rows=int((d == arm).sum()), needed=10 * folds, folds=folds)
    return y, d, weight, cluster, count
