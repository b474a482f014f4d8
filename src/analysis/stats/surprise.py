"""Which dimension explains a change best, by explanatory power, succinctness and surprise.

A quick first look where counts are expected and seen by the values of several dimensions: within each dimension the few values that explain most of the change,
and of the dimensions the one whose shares moved most. It looks at one dimension at a time and tests nothing: what it ranks is to be judged by
`localise`, which searches combinations and pays for the search.

Source: Bhagwan et al. (2014), "Adtributor: revenue debugging in advertising systems", *NSDI '14*, 43-55.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.errors import FitError, ParameterError
from analysis.stats.arguments import in_words

_COLUMNS = ["dimension", "values", "explained", "surprise"]


@in_words()
def surprise_by_dimension(
    tables: Mapping[str, pd.DataFrame], *, explained: float = 0.67, least: float = 0.1
) -> pd.DataFrame:
    """Candidate explanations of a change, the most surprising dimension first.

    Parameters
    ----------
    tables : mapping from a dimension's name to its (values, columns) DataFrame, both columns in one unit
        Indexed by the value, with the columns `expected` and `actual` (same unit, zero or more); every table has the same totals.
    explained : float, share 0 to 1
        Share of the change that the values of a dimension must explain together.
    least : float, share 0 to 1
        Share of the change that each value must explain to be taken.

    Returns
    -------
    DataFrame, one row per dimension that explains enough
        `dimension`, `values` (tuple, the most surprising first), `explained` (share of the change), `surprise` (sum of the values' terms of the
        Jensen-Shannon divergence, natural logarithm).

    Raises
    ------
    FitError
        Where a table is empty, has negative numbers or other totals than the first, or nothing changed.
    ParameterError
        For shares outside zero to one.

    Source
    ------
    Bhagwan et al. (2014), *NSDI '14*, section 4.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import stats
    >>> centre = pd.DataFrame({"expected": [94, 6], "actual": [47, 3]}, index=["X", "Y"])
    >>> device = pd.DataFrame({"expected": [50, 25, 25], "actual": [49, 1, 0]}, index=["PC", "Mobile", "Tablet"])
    >>> stats.surprise_by_dimension({"centre": centre, "device": device})["values"].tolist()
    [('Tablet', 'Mobile'), ('X',)]
    """
    for name, share in (("explained", explained), ("least", least)):
        if not 0 <= share <= 1:
            raise ParameterError(f"surprise: {name} is a share between 0 and 1, not {share}.")
    totals = _same_totals(tables)
    rows = [
        row for name, table in tables.items() if (row := _explained_by(name, table, totals, explained, least))
    ]
    found = pd.DataFrame(rows, columns=_COLUMNS)
    return found.sort_values("surprise", ascending=False, kind="stable", ignore_index=True)


def _same_totals(tables: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
    totals: tuple[float, float] | None = None
    for name, table in tables.items():
        missing = [column for column in ("expected", "actual") if column not in table]
        if table.empty or missing:
            raise FitError(f"surprise: dimension {name!r} needs rows with the columns expected and actual.")
        numbers = table[["expected", "actual"]].to_numpy(dtype=float)
        if not (np.isfinite(numbers) & (numbers >= 0)).all():
            raise FitError(f"surprise: dimension {name!r} has numbers that are negative or missing.")
        own = (float(numbers[:, 0].sum()), float(numbers[:, 1].sum()))
        totals = totals or own
        if not np.allclose(own, totals):
            raise FitError(
                f"surprise: dimension {name!r} sums to {own[0]:g} and {own[1]:g}, the first to {totals[0]:g} and {totals[1]:g}; all split the same totals."
            )
    if totals is None or np.isclose(totals[0], totals[1]) or min(totals) <= 0:
        raise FitError("surprise: no change of a total above zero to explain.")
    return totals


def _explained_by(
    name: str, table: pd.DataFrame, totals: tuple[float, float], explained: float, least: float
) -> tuple[str, tuple[object, ...], float, float] | None:
    expected, actual = (table[column].to_numpy(dtype=float) for column in ("expected", "actual"))
    power = (actual - expected) / (totals[1] - totals[0])
    surprise = _surprise(expected / totals[0], actual / totals[1])
    taken: list[int] = []
    for place in np.argsort(-surprise, kind="stable"):
        if power[place] > least:
            taken.append(int(place))
        if power[taken].sum() > explained:
            values = tuple(table.index[taken])
            return name, values, float(power[taken].sum()), float(surprise[taken].sum())
    return None


def _surprise(expected: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Terms of the Jensen-Shannon divergence of two distributions."""
    middle = (expected + actual) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [np.where(share > 0, share * np.log(share / middle), 0.0) for share in (expected, actual)]
    return np.asarray((parts[0] + parts[1]) / 2)
