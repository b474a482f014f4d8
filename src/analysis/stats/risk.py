"""A score for what is about to happen, judged on months it has not seen.

`fit_risk` compares a regularised logistic regression with gradient-boosted trees, and both with the plain base rate, by
walking forward in time: a model is fitted on periods whose outcomes were known, and judged on later ones. The last
periods are kept for one final look. A score that does not beat the base rate there is not used, and says so.

Sources: Hastie, Tibshirani and Friedman (2009), *The Elements of Statistical Learning*, 2nd ed., section 7.10 (what may be learnt
inside validation only); Cox (1958), *Biometrika* 45, 562-565 (calibration intercept and slope); Brier (1950),
*Monthly Weather Review* 78, 1-3; Hanley and McNeil (1982), *Radiology* 143, 29-36 (area under the curve).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from analysis.errors import FitError, ParameterError, suggestion
from analysis.stats.arguments import in_words
from analysis.stats.ridge import Array, as_labels, encode, fit_ridge_logistic
from analysis.summaries import Summarised

CANDIDATES = ("base_rate", "logistic", "boosting")
_PENALTIES = (1.0, 10.0, 100.0)
_NEAREST_TO_CERTAIN = 1e-4
_MOST_SPLITS = 4

# A predictor of event chances from a design.
_Predictor = Callable[[Array], Array]


@dataclass(frozen=True, kw_only=True, eq=False)
class RiskModel(Summarised):
    """A risk score with its record.

    Attributes
    ----------
    candidate : base_rate, logistic or boosting: the one with the smallest log loss when walking forward; a candidate replaces a simpler
        one only where it is better by more than the noise of the comparison.
    candidates : one row per candidate: `log_loss`, `brier`, `auc` over all validation periods, `gain` over the base rate (share of
        its log loss), `chosen`, `note`.
    holdout : the final look, one row: `rows`, `events`, `log_loss`, `base_log_loss`, `brier`, `auc`, `auc_low`, `auc_high`,
        `calibration_intercept` (0 is right), `calibration_slope` (1 is right; below: too sure of itself).
    calibration : one row per tenth of the score on the holdout: `rows`, `predicted`, `observed`, `low`, `high`.
    lift : one row per capacity on the holdout: `capacity` (subjects per period that can be approached), `share`, `precision`, `recall`, `lift`.
    stability : one row per validation and holdout period: `period`, `rows`, `events`, `predicted`, `auc`.
    drift : one row per feature: `stability_index` of the newest period against the training periods (above 0.25 is a
        different population).
    useful : the chosen model beats the base rate on the holdout.
    notes : doubts in words.
    """

    candidate: str
    candidates: pd.DataFrame
    holdout: pd.DataFrame
    calibration: pd.DataFrame
    lift: pd.DataFrame
    stability: pd.DataFrame
    drift: pd.DataFrame
    useful: bool
    notes: tuple[str, ...]
    _predictor: _Predictor = field(repr=False)
    _levels: dict[str, list[str]] = field(repr=False)
    _typical: pd.Series = field(repr=False)

    def predict(self, features: pd.DataFrame) -> Array:
        """Chance of the event for each row, by the chosen candidate fitted on all periods with known outcomes."""
        return self._predictor(self._design(features))

    def reasons(self, features: pd.DataFrame, *, top: int) -> pd.DataFrame:
        """What raises each row's score most: `row`, `rank`, `feature`, `value`, `log_odds`.

        The score with a feature is compared to the score with that feature at its typical value (median or commonest label), one feature
        at a time. It describes the score, not a cause.
        """
        base = logit(np.clip(self.predict(features), _NEAREST_TO_CERTAIN, 1 - _NEAREST_TO_CERTAIN))
        parts = {}
        for name in self._typical.index:
            with_typical = features.assign(**{name: self._typical[name]})
            without = logit(np.clip(self.predict(with_typical), _NEAREST_TO_CERTAIN, 1 - _NEAREST_TO_CERTAIN))
            parts[name] = base - without
        matrix = np.column_stack(list(parts.values()))
        order = np.argsort(-matrix, axis=1, kind="stable")[:, :top]
        names = np.array(list(parts))
        rows = np.repeat(np.arange(len(features)), order.shape[1])
        chosen = order.ravel()
        table = pd.DataFrame(
            {
                "row": features.index[rows],
                "rank": np.tile(np.arange(1, order.shape[1] + 1), len(features)),
                "feature": names[chosen],
                "value": [features.iloc[row][names[one]] for row, one in zip(rows, chosen, strict=True)],
                "log_odds": matrix[rows, chosen],
            }
        )
        return table[table["log_odds"] > 1e-9].reset_index(drop=True)

    def _design(self, features: pd.DataFrame) -> Array:
        missing = [name for name in self._typical.index if name not in features.columns]
        if missing:
            raise FitError(f"risk: feature {missing[0]!r} is absent; the score was fitted with it.")
        return encode(features[list(self._typical.index)], levels=self._levels)[0]


@in_words(rows="event period", labels="clusters", tables="features")
def fit_risk(
    features: pd.DataFrame,
    event: ArrayLike,
    period: ArrayLike,
    *,
    outcome_periods: int,
    holdout_periods: int = 2,
    clusters: ArrayLike | None = None,
    capacities: Sequence[int] = (50, 100, 200),
    candidates: Sequence[str] = CANDIDATES,
    seed: int = 0,
) -> RiskModel:
    """Fit and judge a risk score.

    Parameters
    ----------
    features : one row per subject and snapshot, with what was known at the snapshot and nothing later. Numbers or labels.
    event : true where the event happened within `outcome_periods` after the snapshot. Only snapshots whose window has closed.
    period : whole number of the snapshot's period (e.g. months counted from any start).
    outcome_periods : length of the window in periods. A model for period t is fitted on snapshots up to ``t - outcome_periods`` only:
        the outcomes of later ones were not known at t.
    holdout_periods : latest periods kept for the final look.
    clusters : label of each row's subject, who has a row in many periods; the noise of a comparison is then that of subjects.
    capacities : how many subjects can be approached per period; precision and lift are reported there.
    seed : of the boosting.

    Raises
    ------
    FitError for too few events or periods, and for missing numbers.
    """
    for name in candidates:
        if name not in CANDIDATES:
            raise ParameterError(f"risk: unknown candidate {name!r}.{suggestion(name, CANDIDATES)}")
    y, when = _checked(
        features, event, period, outcome_periods=outcome_periods, holdout_periods=holdout_periods
    )
    levels = {
        str(name): sorted(set(as_labels(features[name])))
        for name in features.columns
        if not (pd.api.types.is_numeric_dtype(features[name]) or pd.api.types.is_bool_dtype(features[name]))
    }
    design, _, _ = encode(features, levels=levels)
    names = ["base_rate", *[name for name in CANDIDATES[1:] if name in candidates]]
    validation, holdout = _splits(y, when, outcome_periods=outcome_periods, holdout_periods=holdout_periods)
    walked = {name: _walk(name, design, y, when, validation, seed=seed) for name in names}
    judged = np.isin(when, [test for _, test in validation])
    losses = {name: _losses(y[judged], chance[judged]) for name, chance in walked.items()}
    chosen = _choose(losses, _places(clusters, len(y))[judged])
    table = pd.DataFrame(
        [
            _measures(y[judged], chance[judged], base=losses["base_rate"])
            | {"candidate": name, "chosen": name == chosen}
            for name, chance in walked.items()
        ]
    )
    final = _walk(
        chosen, design, y, when, holdout, seed=seed, recalibrate=(y[judged], walked[chosen][judged])
    )
    last = np.isin(when, [test for _, test in holdout])
    base = _walk("base_rate", design, y, when, holdout, seed=seed)
    report = _holdout_report(y[last], final[last], base[last])
    scored = np.where(last, final, walked[chosen])
    predictor = _recalibrated(_fit(chosen, design, y, seed=seed), y[judged], walked[chosen][judged], chosen)
    useful = chosen != "base_rate" and bool(report["log_loss"].iloc[0] < report["base_log_loss"].iloc[0])
    drift = _drift(features, when)
    return RiskModel(
        candidate=chosen,
        candidates=table[["candidate", "chosen", "log_loss", "brier", "auc", "gain"]],
        holdout=report,
        calibration=_calibration(y[last], final[last]),
        lift=_lift(y[last], final[last], when[last], capacities),
        stability=_stability(y, scored, when, judged | last),
        drift=drift,
        useful=useful,
        notes=_notes(chosen, useful, report, drift),
        _predictor=predictor,
        _levels=levels,
        _typical=_typical(features),
    )


# ----------------------------------------------------------------------------------------------- walking forward


def _splits(
    y: Array, when: NDArray[np.int64], *, outcome_periods: int, holdout_periods: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Pairs (last period that may be learnt from, period judged), for validation and for the final look."""
    periods = np.unique(when)

    def pair(test: int) -> tuple[int, int] | None:
        known = when <= test - outcome_periods
        enough = known.any() and 10 <= y[known].sum() <= known.sum() - 10
        return (int(test - outcome_periods), int(test)) if enough else None

    final = [found for found in map(pair, periods[-holdout_periods:]) if found]
    # Nothing that is judged in the final look may choose or calibrate the model: a validation outcome must have been known then.
    first_final = periods[-holdout_periods]
    earlier = [found for found in map(pair, periods[periods <= first_final - outcome_periods]) if found]
    if not final or not earlier:
        raise FitError(
            f"risk: {len(periods)} periods with an outcome window of {outcome_periods} leave nothing to validate on; "
            "add history, or shorten the window."
        )
    return earlier[-_MOST_SPLITS:], final


def _walk(
    name: str,
    design: Array,
    y: Array,
    when: NDArray[np.int64],
    splits: list[tuple[int, int]],
    *,
    seed: int,
    recalibrate: tuple[Array, Array] | None = None,
) -> Array:
    """Chances for the judged periods, each from a model of what was known by then; nan elsewhere."""
    chance = np.full(len(y), np.nan)
    for last_known, test in splits:
        train, rows = when <= last_known, when == test
        predictor = _fit(name, design[train], y[train], seed=seed)
        if recalibrate is not None:
            predictor = _recalibrated(predictor, *recalibrate, name)
        chance[rows] = predictor(design[rows])
    return chance


def _fit(name: str, design: Array, y: Array, *, seed: int) -> _Predictor:
    share = float(y.mean())
    if name == "base_rate" or design.shape[1] == 0:
        return lambda rows: np.full(len(rows), share)
    if name == "logistic":
        return fit_ridge_logistic(design, y, penalty=_penalty(design, y)).predict
    # Imported here: the package takes longer to import than a logistic regression to fit.
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(
        max_iter=100,
        learning_rate=0.05,
        max_leaf_nodes=12,
        min_samples_leaf=max(20, len(y) // 100),
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    ).fit(design, y)
    return lambda rows: np.asarray(trees.predict_proba(rows)[:, 1])


def _penalty(design: Array, y: Array) -> float:
    """The penalty with the smallest loss on the later fifth of the training rows (they come in order of time)."""
    cut = int(0.8 * len(y))
    early, late = slice(0, cut), slice(cut, None)
    if not 0 < y[early].sum() < cut:
        return _PENALTIES[-1]
    loss = [
        float(
            _losses(
                y[late], fit_ridge_logistic(design[early], y[early], penalty=one).predict(design[late])
            ).mean()
        )
        for one in _PENALTIES
    ]
    return _PENALTIES[int(np.argmin(loss))]


def _recalibrated(predictor: _Predictor, y: Array, chance: Array, name: str) -> _Predictor:
    """The predictor with intercept and slope of its log-odds set on validation periods, where there are events enough."""
    if name == "base_rate" or min(y.sum(), len(y) - y.sum()) < 30:
        return predictor
    score = logit(np.clip(chance, _NEAREST_TO_CERTAIN, 1 - _NEAREST_TO_CERTAIN))
    line = fit_ridge_logistic(score[:, None], y, penalty=1.0)
    if (
        line.coefficients[0] <= 0
    ):  # a score that ranks backwards is no better for being turned round by chance
        return predictor

    def adjusted(rows: Array) -> Array:
        odds = logit(np.clip(predictor(rows), _NEAREST_TO_CERTAIN, 1 - _NEAREST_TO_CERTAIN))
        return np.asarray(expit(line.score(odds[:, None])))

    return adjusted


def _choose(losses: dict[str, Array], subject: NDArray[np.int64]) -> str:
    """From simple to complex: take the next where its loss is smaller by more than one standard error of the difference."""
    best = "base_rate"
    for name in losses:
        if name == best:
            continue
        gain = losses[best] - losses[name]
        off = np.bincount(subject, gain - gain.mean())
        error = float(np.sqrt(np.sum(off**2))) / len(gain)
        # Against the base rate the bar is higher: a useless score is worse than none.
        bar = 2.0 if best == "base_rate" else 1.0
        if gain.mean() > bar * error:
            best = name
    return best


def _places(clusters: ArrayLike | None, count: int) -> NDArray[np.int64]:
    if clusters is None:
        return np.arange(count)
    labels = np.asarray(clusters)
    if len(labels) != count:
        raise FitError(f"risk: {len(labels)} cluster labels for {count} rows; give one per row.")
    return np.unique(labels, return_inverse=True)[1]


# ----------------------------------------------------------------------------------------------- measures


@in_words(rows="event score")
def area_under_curve(
    event: ArrayLike, score: ArrayLike, *, level: float = 0.95
) -> tuple[float, float, float]:
    """Chance that a subject with the event scores above one without, ties counting half, with the interval of Hanley and McNeil."""
    y, value = np.asarray(event, dtype=float), np.asarray(score, dtype=float)
    positives, negatives = float(y.sum()), float(len(y) - y.sum())
    if positives == 0 or negatives == 0:
        return float("nan"), float("nan"), float("nan")
    ranks = rankdata(value)
    area = float((ranks[y == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))
    of_positives, of_negatives = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area)
        + (positives - 1) * (of_positives - area**2)
        + (negatives - 1) * (of_negatives - area**2)
    )
    reach = float(norm.ppf(0.5 + level / 2) * np.sqrt(variance / (positives * negatives)))
    return area, max(area - reach, 0.0), min(area + reach, 1.0)


def _losses(y: Array, chance: Array) -> Array:
    safe = np.clip(chance, _NEAREST_TO_CERTAIN, 1 - _NEAREST_TO_CERTAIN)
    loss: Array = -(y * np.log(safe) + (1 - y) * np.log1p(-safe))
    return loss


def _measures(y: Array, chance: Array, *, base: Array) -> dict[str, object]:
    loss = float(_losses(y, chance).mean())
    return {
        "log_loss": loss,
        "brier": float(np.mean((chance - y) ** 2)),
        "auc": area_under_curve(y, chance)[0],
        "gain": 1 - loss / float(base.mean()),
    }


def _holdout_report(y: Array, chance: Array, base: Array) -> pd.DataFrame:
    area, low, high = area_under_curve(y, chance)
    intercept, slope = calibration_line(y, chance)
    return pd.DataFrame(
        [
            {
                "rows": len(y),
                "events": int(y.sum()),
                "log_loss": float(_losses(y, chance).mean()),
                "base_log_loss": float(_losses(y, base).mean()),
                "brier": float(np.mean((chance - y) ** 2)),
                "auc": area,
                "auc_low": low,
                "auc_high": high,
                "calibration_intercept": intercept,
                "calibration_slope": slope,
            }
        ]
    )


@in_words(rows="event chance")
def calibration_line(event: ArrayLike, chance: ArrayLike) -> tuple[float, float]:
    """Intercept (at slope one) and slope of the log-odds: 0 and 1 for a calibrated score; nan where the score never varies."""
    y, given = np.asarray(event, dtype=float), np.asarray(chance, dtype=float)
    score = logit(np.clip(given, _NEAREST_TO_CERTAIN, 1 - _NEAREST_TO_CERTAIN))
    if not 0 < y.sum() < len(y):
        return float("nan"), float("nan")
    slope = float("nan")
    if np.ptp(score) > 1e-9:
        slope = float(fit_ridge_logistic(score[:, None], y, penalty=1e-6).coefficients[0])
    shift = 0.0
    for _ in range(50):  # Newton for the intercept with the slope held at one
        expected = expit(score + shift)
        step = float((y - expected).sum() / (expected * (1 - expected)).sum())
        shift += step
        if abs(step) < 1e-10:
            break
    return shift, slope


def _calibration(y: Array, chance: Array, *, bins: int = 10, level: float = 0.95) -> pd.DataFrame:
    """Tenths of the rows by score, equal scores kept together; Wilson interval of the observed share."""
    place = np.minimum((rankdata(chance, method="average") - 1) / len(y) * bins, bins - 1e-9).astype(int)
    reach = float(norm.ppf(0.5 + level / 2))
    rows = []
    for one in np.unique(place):
        inside = place == one
        count, share = int(inside.sum()), float(y[inside].mean())
        centre = (share + reach**2 / (2 * count)) / (1 + reach**2 / count)
        half = (
            reach / (1 + reach**2 / count) * np.sqrt(share * (1 - share) / count + reach**2 / (4 * count**2))
        )
        rows.append(
            {
                "rows": count,
                "predicted": float(chance[inside].mean()),
                "observed": share,
                "low": centre - half,
                "high": centre + half,
            }
        )
    return pd.DataFrame(rows)


def _lift(y: Array, chance: Array, when: NDArray[np.int64], capacities: Sequence[int]) -> pd.DataFrame:
    """Approaching the top scores of each period, up to the capacity; ties in the order of the rows."""
    periods = np.unique(when)
    rows = []
    for capacity in capacities:
        chosen = np.zeros(len(y), dtype=bool)
        for one in periods:
            inside = np.flatnonzero(when == one)
            chosen[inside[np.argsort(-chance[inside], kind="stable")[:capacity]]] = True
        precision, share = float(y[chosen].mean()), float(y.mean())
        rows.append(
            {
                "capacity": capacity,
                "share": float(chosen.mean()),
                "precision": precision,
                "recall": float(y[chosen].sum() / y.sum()) if y.sum() else float("nan"),
                "lift": precision / share if share > 0 else float("nan"),
            }
        )
    return pd.DataFrame(rows)


def _stability(y: Array, chance: Array, when: NDArray[np.int64], judged: NDArray[np.bool_]) -> pd.DataFrame:
    rows = []
    for one in np.unique(when[judged]):
        inside = judged & (when == one)
        rows.append(
            {
                "period": int(one),
                "rows": int(inside.sum()),
                "events": int(y[inside].sum()),
                "predicted": float(chance[inside].sum()),
                "auc": area_under_curve(y[inside], chance[inside])[0],
            }
        )
    return pd.DataFrame(rows)


def _drift(features: pd.DataFrame, when: NDArray[np.int64]) -> pd.DataFrame:
    """Population stability index: sum over bins of (new - old) log(new / old), tenths of the old values or labels."""
    newest = when == when.max()
    rows = []
    for name in features.columns:
        values = features[name]
        if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            number = values.to_numpy(dtype=float)
            edges = np.unique(np.quantile(number[~newest], np.arange(1, 10) / 10))
            place = np.searchsorted(edges, number, side="left")
        else:
            place = np.unique(as_labels(values), return_inverse=True)[1]
        size = int(place.max()) + 1
        old, new = (
            (np.bincount(place[part], minlength=size) + 0.5) / (part.sum() + 0.5 * size)
            for part in (~newest, newest)
        )
        rows.append({"feature": str(name), "stability_index": float(np.sum((new - old) * np.log(new / old)))})
    return pd.DataFrame(rows)


def _typical(features: pd.DataFrame) -> pd.Series:
    typical = {}
    for name in features.columns:
        values = features[name]
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            typical[str(name)] = float(np.median(values.to_numpy(dtype=float)))
        else:
            typical[str(name)] = values.mode(dropna=False).iloc[0]
    return pd.Series(typical, dtype=object)


def _notes(chosen: str, useful: bool, report: pd.DataFrame, drift: pd.DataFrame) -> tuple[str, ...]:
    row, notes = report.iloc[0], []
    if chosen == "base_rate":
        notes.append("No score beat the base rate when walking forward; all subjects get the same chance.")
    elif not useful:
        notes.append(
            "The score did not beat the base rate in the last periods; do not use it to rank anyone."
        )
    if chosen != "base_rate" and not 0.7 <= row["calibration_slope"] <= 1.4:
        notes.append(
            f"The chances are not calibrated (slope {row['calibration_slope']:.2f}); use the ranking only."
        )
    for moved in drift[drift["stability_index"] > 0.25]["feature"]:
        notes.append(f"Feature {moved} looks different in the newest period than before.")
    return tuple(notes)


def _checked(
    features: pd.DataFrame, event: ArrayLike, period: ArrayLike, *, outcome_periods: int, holdout_periods: int
) -> tuple[Array, NDArray[np.int64]]:
    y, when = np.asarray(event, dtype=float), np.asarray(period)
    if not len(features) == len(y) == len(when):
        raise FitError(
            f"risk: {len(features)} rows of features, {len(y)} events, {len(when)} periods; give one of each."
        )
    if not np.isin(y, (0.0, 1.0)).all():
        raise FitError("risk: events must be true or false; leave out snapshots whose window has not closed.")
    if not np.issubdtype(when.dtype, np.integer):
        raise FitError(
            f"risk: periods must be whole numbers, found {when.dtype}; count months from any start."
        )
    if outcome_periods < 1 or holdout_periods < 1:
        raise ParameterError("risk: outcome_periods and holdout_periods must be at least 1.")
    if min(y.sum(), len(y) - y.sum()) < 50:
        raise FitError(
            f"risk: {int(y.sum())} events in {len(y)} rows; at least 50 of either kind are needed for a score."
        )
    if np.any(np.diff(when) < 0):
        raise FitError("risk: rows must be in order of their period.")
    return y, when.astype(np.int64)
