"""Small linear learners with a little shrinkage: the workhorses of nuisance models and risk scores.

Columns are standardised inside, so one penalty means the same for every column; the intercept is never shrunk. Equal
inputs give equal bytes, and a fit on a few thousand rows takes milliseconds.

Our own Newton steps, not scikit-learn's: the answer is the same to 1e-12, but at the few hundred rows of a fold the library's
checks of its inputs take eight times the fit, and the simulations behind the error levels make many thousands of fits.

Source: Hastie, Tibshirani and Friedman (2009), *The Elements of Statistical Learning*, 2nd ed., sections 3.4.1 and 4.4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from analysis.errors import FitError
from analysis.summaries import Summarised

Array = NDArray[np.float64]

_MOST_STEPS = 60


@dataclass(frozen=True, kw_only=True, eq=False)
class RidgeFit(Summarised):
    """`coefficients` are per unit of each column, as given; `logistic` says whether they are of log-odds."""

    intercept: float
    coefficients: Array
    logistic: bool

    def score(self, design: Array) -> Array:
        """Linear score: the mean, or the log-odds."""
        return self.intercept + design @ self.coefficients

    def predict(self, design: Array) -> Array:
        score = self.score(design)
        return np.asarray(expit(score)) if self.logistic else score


def fit_ridge(design: Array, outcome: Array, *, penalty: float, weights: Array | None = None) -> RidgeFit:
    """Least squares with ``penalty / 2 * sum(coefficient^2)`` on standardised columns."""
    weight = np.ones(len(outcome)) if weights is None else weights
    scaled, centre, scale = _standardised(design, weight)
    mean = float(weight @ outcome / weight.sum())
    gram = scaled.T @ (weight[:, None] * scaled) + penalty * np.eye(scaled.shape[1])
    coefficients = np.linalg.solve(gram, scaled.T @ (weight * (outcome - mean))) / scale
    return RidgeFit(intercept=mean - float(centre @ coefficients), coefficients=coefficients, logistic=False)


def fit_ridge_logistic(
    design: Array,
    event: Array,
    *,
    penalty: float,
    weights: Array | None = None,
    start: RidgeFit | None = None,
) -> RidgeFit:
    """Logistic regression with ``penalty / 2 * sum(coefficient^2)`` on standardised columns, by Newton steps.

    ``start`` is a fit to begin from (of another fold, say); it saves steps and does not change the answer.
    """
    weight = np.ones(len(event)) if weights is None else weights
    scaled, centre, scale = _standardised(design, weight)
    columns = np.column_stack([np.ones(len(event)), scaled])
    shrink = np.full(columns.shape[1], penalty)
    share = float(weight @ event / weight.sum())
    if not 0 < share < 1:
        raise FitError("logistic: every outcome is {value}; both kinds are needed.", value=f"{event[0]:g}")
    shrink[0] = 1e-8  # keeps the step defined where the columns separate the outcomes
    beta = np.zeros(columns.shape[1])
    beta[0] = np.log(share / (1 - share))
    if start is not None and start.logistic and len(start.coefficients) == len(scale):
        beta = np.append(start.intercept + centre @ start.coefficients, start.coefficients * scale)
    value = _penalised(columns, event, weight, shrink, beta)
    for _ in range(_MOST_STEPS):
        chance = expit(columns @ beta)
        slope = columns.T @ (weight * (event - chance)) - shrink * beta
        bend = columns.T @ ((weight * chance * (1 - chance))[:, None] * columns) + np.diag(shrink)
        step = np.linalg.solve(bend, slope)
        for _ in range(30):
            there = _penalised(columns, event, weight, shrink, beta + step)
            if there >= value - 1e-12 * abs(value):
                break
            step = step / 2
        beta, value = beta + step, there
        if float(slope @ step) < 1e-10 * len(event):
            break
    else:
        raise FitError("logistic: no convergence after {steps} steps; raise the penalty.", steps=_MOST_STEPS)
    coefficients = beta[1:] / scale
    return RidgeFit(
        intercept=float(beta[0] - centre @ coefficients), coefficients=coefficients, logistic=True
    )


def encode(
    features: pd.DataFrame, *, levels: dict[str, list[str]] | None = None
) -> tuple[Array, list[str], list[str]]:
    """Numbers out of a table: numeric columns as they are, others as one column per level but the first.

    Returns the design, the name of each of its columns, and the feature each came from. A missing label is a level of its own
    (``missing``); a missing number is refused, for any number put in its place is an assumption that the caller must make.
    `levels` fixes the labels (of a training set); an unseen label counts as the first.
    """
    columns: list[Array] = []
    names: list[str] = []
    origins: list[str] = []
    for feature in features.columns:
        values = features[feature]
        if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            number = values.to_numpy(dtype=float, na_value=np.nan)
            missing = int((~np.isfinite(number)).sum())
            if missing:
                raise FitError(
                    "covariate {name} is missing in {missing} of {rows} rows; fill it with a stated value and add a "
                    "column that says where, or drop the rows.",
                    name=repr(str(feature)),
                    missing=missing,
                    rows=len(number),
                )
            columns.append(number)
            names.append(str(feature))
            origins.append(str(feature))
            continue
        labels = as_labels(values)
        for label in (levels or {}).get(str(feature), sorted(set(labels)))[1:]:
            columns.append((labels == label).astype(float))
            names.append(f"{feature}={label}")
            origins.append(str(feature))
    design = np.column_stack(columns) if columns else np.empty((len(features), 0))
    return design, names, origins


def as_labels(values: pd.Series) -> NDArray[np.str_]:
    """Labels as text, missing ones as ``missing``."""
    codes, kinds = pd.factorize(values, use_na_sentinel=True)
    texts = np.array([*(str(kind) for kind in kinds), "missing"])
    return np.asarray(texts[codes])  # a missing label has code -1: the last text


def fold_of(groups: NDArray[np.int64], *, folds: int, seed: int) -> NDArray[np.int64]:
    """A fold for each row, such that rows of one group share it; groups are dealt out at random in nearly equal numbers."""
    count = int(groups.max()) + 1
    dealt = np.arange(count) % folds
    return np.random.default_rng(seed).permutation(dealt)[groups]


def _standardised(design: Array, weight: Array) -> tuple[Array, Array, Array]:
    centre = weight @ design / weight.sum()
    scale = np.sqrt(weight @ (design - centre) ** 2 / weight.sum())
    scale = np.where(
        scale > 1e-12 * (1 + np.abs(centre)), scale, 1.0
    )  # a constant column keeps a coefficient of zero
    return (design - centre) / scale, centre, scale


def _penalised(columns: Array, event: Array, weight: Array, shrink: Array, beta: Array) -> float:
    score = columns @ beta
    return float(weight @ (event * score - np.logaddexp(0.0, score)) - 0.5 * shrink @ beta**2)
