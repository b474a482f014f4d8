"""The Cox model for grouped time: when many events share a month, the exact partial likelihood.

Breslow's and Efron's treatments of ties (`cox`) are approximations for time that is really continuous and pull effects to zero where most events are tied.
The exact likelihood asks, at each time, which of the rows at risk the ones with the event would be: a conditional logistic regression per time, which
statsmodels has.

Source: Cox (1972), *J. Royal Statistical Society* B 34, 187-220, section 6; Kalbfleisch and Prentice (2002), section 4.2.3.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.errors import FitError
from analysis.stats.arguments import confidence_level, in_words

_MOST_ROWS = 5_000_000


@in_words(rows="durations events entry", labels="strata", tables="covariates", numbers="covariates")
def cox_exact(
    covariates: pd.DataFrame,
    durations: ArrayLike,
    events: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Hazard ratios (odds ratios per time) by the exact partial likelihood.

    Parameters
    ----------
    covariates : (rows, covariates) DataFrame of numbers, each in its own unit
        As in `cox`, like all others.
    durations : (rows,) numbers, in any unit of time
        With few distinct values.
    events : (rows,) 0 or 1
        Whether the event happened.
    entry : (rows,) numbers, in the unit of the durations, optional
        Time from which a row was under observation.
    strata : (rows,) labels, optional
        Rows are compared within a stratum only.
    level : float, share 0 to 1
        Coverage of the limits.

    Returns
    -------
    DataFrame, one row per covariate
        `coefficient`, `error`, `ratio`, `low`, `high`, `p_value`.

    Raises
    ------
    FitError
        Where no time has both a row with the event and one without, a covariate tells them apart altogether, or the rows at risk at all
        event times are too many to list (use `cox` with Efron's ties).
    ParameterError
        For an impossible level.

    Source
    ------
    Cox (1972), *J. Royal Statistical Society* B 34, 187-220, section 6.

    Examples
    --------
    With h the ratio the likelihood is h/(h² + 4h + 1) x h/(h + 1), largest where h³ = 5h + 2, at 1 + √2.

    >>> import pandas as pd
    >>> from analysis import stats
    >>> table = stats.cox_exact(pd.DataFrame({"late": [1, 0, 1, 0]}), [1, 1, 2, 2], [1, 1, 1, 0])
    >>> round(float(table.at["late", "ratio"]), 4)
    2.4142
    """
    from statsmodels.discrete.conditional_models import ConditionalLogit

    level = confidence_level(level)
    at_risk, had_event, group = _risk_sets(durations, events, entry, strata, len(covariates))
    design = covariates.to_numpy(dtype=float)[at_risk]
    if len(at_risk) == 0:
        raise FitError(
            "cox: at no time is there a row with the event beside one without; nothing can be compared."
        )
    no_estimate = FitError(
        "cox: a covariate is constant among the rows at risk, follows from the others, or tells rows with the event from those without; its effect has no finite estimate."
    )
    try:
        fitted = ConditionalLogit(had_event, design, groups=group).fit(disp=False, method="newton")
    except (np.linalg.LinAlgError, ValueError) as error:
        raise no_estimate from error
    coefficient, error_ = np.asarray(fitted.params), np.asarray(fitted.bse)
    if not (np.isfinite(error_).all() and np.abs(coefficient * design.std(axis=0)).max() < 15):
        raise no_estimate
    limits = np.asarray(fitted.conf_int(alpha=1 - level))
    return pd.DataFrame(
        {
            "coefficient": coefficient,
            "error": error_,
            "ratio": np.exp(coefficient),
            "low": np.exp(limits[:, 0]),
            "high": np.exp(limits[:, 1]),
            "p_value": np.asarray(fitted.pvalues),
        },
        index=pd.Index(map(str, covariates.columns), name="covariate"),
    )


def _risk_sets(
    durations: ArrayLike, events: ArrayLike, entry: ArrayLike | None, strata: ArrayLike | None, rows: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows at risk at each event time that has rows with and without the event: place, event then, number of the set."""
    time, ended = np.asarray(durations, dtype=float), np.asarray(events, dtype=float)
    if not np.isin(ended, (0, 1)).all():
        raise FitError("cox: events are 0 or 1.")
    if not ((time >= 0) & (time < np.inf)).all() or len(time) != rows:
        raise FitError("cox: durations are finite numbers, zero or more, one for each row of covariates.")
    start = np.full(rows, -np.inf) if entry is None else np.asarray(entry, dtype=float)
    stratum = np.zeros(rows, dtype=int) if strata is None else pd.factorize(np.asarray(strata))[0]
    places, happened, groups, listed = [], [], [], 0
    for number, (one, when) in enumerate(
        sorted(set(zip(stratum[ended == 1], time[ended == 1], strict=True)))
    ):
        inside = np.flatnonzero((stratum == one) & (start < when) & (time >= when))
        event = (ended[inside] == 1) & (time[inside] == when)
        if event.all():
            continue
        listed += len(inside)
        if listed > _MOST_ROWS:
            raise FitError(
                f"cox: more than {_MOST_ROWS:,} rows at risk over all event times; with so many distinct times Efron's ties are as good."
            )
        places.append(inside)
        happened.append(event.astype(int))
        groups.append(np.full(len(inside), number))
    if not places:
        empty = np.empty(0, dtype=int)
        return empty, empty, empty
    return np.concatenate(places), np.concatenate(happened), np.concatenate(groups)
