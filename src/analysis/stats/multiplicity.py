"""When many things are judged at once: adjusted p-values."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import ParameterError, suggestion
from analysis.stats.arguments import in_words

AdjustMethod = Literal[
    "bonferroni", "holm", "hochberg", "hommel", "benjamini_hochberg", "benjamini_yekutieli"
]

_METHODS = get_args(AdjustMethod)


@in_words(together="p_values")
def adjust_p_values(
    p_values: ArrayLike, *, method: AdjustMethod, tests: int | None = None
) -> NDArray[np.float64]:
    """Adjusted p-values in the order given: compare each with the level that shall hold overall.

    Parameters
    ----------
    p_values : one p-value a hypothesis; NaN (not testable) stays NaN and is not counted
    method : familywise error (``bonferroni``, ``holm`` under any dependence; ``hochberg``, ``hommel`` under
        positive dependence) or false discovery rate (``benjamini_hochberg`` under positive dependence,
        ``benjamini_yekutieli`` under any); an adjusted value of the latter two is a q-value
    tests : how many hypotheses were looked at, when only the smallest p-values are passed;
        those left out count as p = 1

    Notes
    -----
    Hommel is delegated to statsmodels, whose other methods take a tenth of a second a call. Sources: Holm (1979), Scand. J. Stat. 6, 65-70;
    Hochberg (1988), Biometrika 75, 800-802; Hommel (1988), Biometrika 75, 383-386;
    Benjamini and Hochberg (1995), JRSS B 57, 289-300; Benjamini and Yekutieli (2001), Ann. Stat. 29, 1165-1188.
    """
    if method not in _METHODS:
        raise ParameterError(
            f"unknown adjustment {method!r}; known: {', '.join(_METHODS)}."
            + suggestion(str(method), _METHODS)
        )
    given = np.asarray(p_values, dtype=float)
    tested = np.isfinite(given)
    if np.any((given[tested] < 0) | (given[tested] > 1)):
        raise ParameterError(
            f"p-values lie between 0 and 1; got {given[tested].min():g} to {given[tested].max():g}."
        )
    adjusted = np.full(given.shape, np.nan)
    count = int(tested.sum())
    if tests is not None and tests < count:
        raise ParameterError(
            f"{count} p-values were passed but tests={tests}; tests counts every hypothesis looked at."
        )
    if count == 0:
        return adjusted
    padded = np.concatenate([given[tested], np.ones((tests or count) - count)])
    adjusted[tested] = _adjusted(padded, method)[:count]
    return adjusted


def _adjusted(p_values: NDArray[np.float64], method: AdjustMethod) -> NDArray[np.float64]:
    n = len(p_values)
    if method == "bonferroni":
        return np.minimum(1.0, n * p_values)
    if method == "hommel":
        from statsmodels.stats.multitest import multipletests

        return np.asarray(multipletests(p_values, method="hommel")[1])
    order = np.argsort(p_values, kind="stable")
    rank = np.arange(1, n + 1)
    factor = {
        "holm": n - rank + 1.0,
        "hochberg": n - rank + 1.0,
        "benjamini_hochberg": n / rank,
        "benjamini_yekutieli": n / rank * (1 / rank).sum(),
    }[method]
    stepped = factor * p_values[order]
    if method == "holm":  # a step down stops at the first that fails
        stepped = np.maximum.accumulate(stepped)
    else:  # a step up starts from the largest
        stepped = np.minimum.accumulate(stepped[::-1])[::-1]
    result = np.empty(n)
    result[order] = np.minimum(1.0, stepped)
    return result
