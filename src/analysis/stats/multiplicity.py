"""When many things are judged at once: adjusted p-values, by statsmodels' `multipletests`.

What is added: hypotheses that could not be tested, those that were looked at and left out, and refusals in words.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import ParameterError, suggestion
from analysis.stats.arguments import in_words

AdjustMethod = Literal[
    "bonferroni", "holm", "hochberg", "hommel", "benjamini_hochberg", "benjamini_yekutieli"
]

# The library's name of each method.
_METHODS: dict[str, str] = {
    "bonferroni": "bonferroni",
    "holm": "holm",
    "hochberg": "simes-hochberg",
    "hommel": "hommel",
    "benjamini_hochberg": "fdr_bh",
    "benjamini_yekutieli": "fdr_by",
}


@in_words(together="p_values")
def adjust_p_values(
    p_values: ArrayLike, *, method: AdjustMethod, tests: int | None = None
) -> NDArray[np.float64]:
    """Adjusted p-values in the order given: compare each with the level that shall hold overall.

    Parameters
    ----------
    p_values : (tests,) numbers 0 to 1
        One per hypothesis; NaN (not testable) stays NaN and is not counted.
    method : str
        Familywise error (``bonferroni``, ``holm`` under any dependence; ``hochberg``, ``hommel`` under positive dependence) or false discovery rate
        (``benjamini_hochberg`` under positive dependence, ``benjamini_yekutieli`` under any); an adjusted value of the latter two is a q-value.
    tests : int, optional
        How many hypotheses were looked at, when only the smallest p-values are passed; those left out count as p = 1.

    Returns
    -------
    (tests,) array
        0 to 1.

    Raises
    ------
    ParameterError
        For an unknown method, p-values outside 0 to 1, or `tests` below the number passed.

    Source
    ------
    Holm (1979), *Scand. J. Stat.* 6, 65-70; Hochberg (1988), *Biometrika* 75, 800-802; Hommel (1988), *Biometrika* 75, 383-386; Benjamini and
    Hochberg (1995), *JRSS B* 57, 289-300; Benjamini and Yekutieli (2001), *Ann. Stat.* 29, 1165-1188.

    Examples
    --------
    >>> from analysis import stats
    >>> stats.adjust_p_values([0.01, 0.04, 0.03], method="holm").round(3).tolist()  # times 3, 2 and 1, never falling
    [0.03, 0.06, 0.06]
    """
    if method not in _METHODS:
        raise ParameterError(
            f"unknown adjustment {method!r}; known: {', '.join(_METHODS)}."
            + suggestion(str(method), _METHODS)
        )
    given = np.asarray(p_values, dtype=float)
    tested = ~np.isnan(given)
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
    if method == "holm":
        adjusted[tested] = _holm(padded)[:count]
        return adjusted
    from statsmodels.stats.multitest import multipletests

    adjusted[tested] = multipletests(padded, method=_METHODS[method])[1][:count]
    return adjusted


def _holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """As statsmodels, which collects all garbage of the process at every call: up to half a second in a full session."""
    order = np.argsort(p_values)
    raised = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(raised)
    adjusted[order] = np.minimum(raised, 1)
    return adjusted
