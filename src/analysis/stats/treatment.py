"""Three plain ways to compare treated and untreated as if their covariates were alike: weights, outcome models, both.

`doubly_robust` (cross-fitted, clustered, with its sensitivity analysis) is what the studies use; these are what a reviewer recomputes it with: inverse
probability weighting, regression adjustment (the g-formula for one point in time) and their augmented combination, by statsmodels, with standard errors
that hold the estimation of both models.

Source: Wooldridge (2010), *Econometric Analysis of Cross Section and Panel Data*, 2nd ed., chapter 21; statsmodels' ``TreatmentEffect``, which is held against Stata's ``teffects``.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import norm

from analysis.errors import FitError, ParameterError, suggestion
from analysis.stats.arguments import confidence_level, in_words

Method = Literal["weighting", "g_formula", "augmented"]
Link = Literal["logit", "probit"]
_METHODS = {"weighting": "ipw", "g_formula": "ra", "augmented": "aipw"}
_LINKS = {"logit": "Logit", "probit": "Probit"}
_LEAST_ARM = 5


@in_words(rows="outcome treated", tables="covariates", numbers="covariates")
def standardised_effect(
    outcome: ArrayLike,
    treated: ArrayLike,
    covariates: pd.DataFrame,
    *,
    method: Method = "weighting",
    link: Link = "logit",
    level: float = 0.95,
) -> pd.DataFrame:
    """Mean outcome with all treated, with none, and the difference.

    Parameters
    ----------
    outcome : (rows,) numbers, any unit
    treated : (rows,) 0 or 1
    covariates : (rows, covariates) DataFrame of numbers
        Used as they stand in the model of treatment (not asked by the g-formula) and in that of the outcome (linear, one per arm; not asked by weighting).
    method : {"weighting", "g_formula", "augmented"}
    link : {"logit", "probit"}
        Of the model of treatment.
    level : float, share 0 to 1
        Coverage of the limits.

    Returns
    -------
    DataFrame with the rows `effect`, `untreated`, `treated`
        `value`, `error`, `low`, `high`, in the unit of the outcome.

    Raises
    ------
    ParameterError
        For an unknown method or link, or an impossible level.
    FitError
        Where an arm has fewer than five rows, covariates repeat each other, or they tell the arms apart altogether.

    Source
    ------
    Wooldridge (2010), chapter 21.

    Examples
    --------
    In each half the treated have 2 more; the halves differ by 10, and most of the treated are in the second.

    >>> import pandas as pd
    >>> from analysis import stats
    >>> half = [0] * 10 + [1] * 10
    >>> treated = [1] * 2 + [0] * 8 + [1] * 8 + [0] * 2
    >>> outcome = [10 * h + 2 * t for h, t in zip(half, treated)]
    >>> table = stats.standardised_effect(outcome, treated, pd.DataFrame({"half": half}))
    >>> round(float(table.at["effect", "value"]), 6)
    2.0
    """
    if method not in _METHODS:
        raise ParameterError(f"standardised_effect: unknown method {method!r}.{suggestion(method, _METHODS)}")
    if link not in _LINKS:
        raise ParameterError(f"standardised_effect: unknown link {link!r}.{suggestion(link, _LINKS)}")
    level = confidence_level(level)
    y, d = np.asarray(outcome, dtype=float), np.asarray(treated, dtype=float)
    design = np.column_stack([np.ones(len(y)), covariates.to_numpy(dtype=float)])
    _refuse(y, d, design)
    found = _fitted(y, d, design, method, link)
    # the first two are the effect and the mean of the untreated; the mean of the treated is their sum
    means = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    value = means @ np.asarray(found.params)[:2]
    variance = np.diag(means @ np.asarray(found.cov_params())[:2, :2] @ means.T)
    error = np.sqrt(np.maximum(variance, 0.0))  # rounding where the outcome has no scatter
    reach = float(norm.ppf(0.5 + level / 2))
    return pd.DataFrame(
        {"value": value, "error": error, "low": value - reach * error, "high": value + reach * error},
        index=pd.Index(["effect", "untreated", "treated"], name="mean"),
    )


def _refuse(y: np.ndarray, d: np.ndarray, design: np.ndarray) -> None:
    if not np.isin(d, (0, 1)).all():
        raise FitError("standardised_effect: treated is 0 or 1.")
    if not (np.isfinite(y).all() and np.isfinite(design).all()):
        raise FitError(
            "standardised_effect: outcomes and covariates are finite numbers; leave the other rows out."
        )
    if min(d.sum(), len(d) - d.sum()) < _LEAST_ARM:
        raise FitError(f"standardised_effect: an arm has fewer than {_LEAST_ARM} rows.")
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise FitError(
            "standardised_effect: a covariate is constant or follows from the others; leave one out."
        )


def _fitted(y: np.ndarray, d: np.ndarray, design: np.ndarray, method: Method, link: Link) -> Any:
    """statsmodels' GMM result: the moments of both models at once, so that the errors hold their estimation."""
    from statsmodels.discrete import discrete_model
    from statsmodels.regression.linear_model import OLS
    from statsmodels.tools.sm_exceptions import (
        ConvergenceWarning,
        PerfectSeparationError,
        PerfectSeparationWarning,
    )
    from statsmodels.treatment.treatment_effects import TreatmentEffect

    apart = FitError(
        "standardised_effect: the covariates tell treated and untreated apart; there is nobody to compare with."
    )
    treated = d.astype(int)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # judged by the chances below
            warnings.simplefilter("error", PerfectSeparationWarning)
            propensity = getattr(discrete_model, _LINKS[link])(treated, design).fit(disp=False)
    except (PerfectSeparationError, PerfectSeparationWarning, np.linalg.LinAlgError) as error:
        raise apart from error
    if (
        method != "g_formula"
        and not 1e-6 < propensity.predict().min() <= propensity.predict().max() < 1 - 1e-6
    ):
        raise apart
    effects = TreatmentEffect(OLS(y, design), treated, results_select=propensity)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return getattr(effects, _METHODS[method])(return_results=True).results_gmm
