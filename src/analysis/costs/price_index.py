"""The price of a part like for like: bought more from the dearer of two suppliers, or for the larger of two models, it did not become dearer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import fdtri

from analysis.metrics import traced

SURE = 0.001  # chance of taking models at one price for several goods


@traced
def like_for_like(bought: pd.DataFrame, *, least_difference: float) -> pd.DataFrame:
    """Prices of parts by month as if each had come from the same suppliers, and for the same models, in every month.

    Parameters
    ----------
    bought : one row per part, month, supplier and model
        ``part_no``, ``month``, ``supplier`` and ``model`` of the machine that it went into (text; empty where none is named), ``spend`` and
        ``quantity``, both above zero.
    least_difference : float, share of the price
        Below which suppliers, or models, of a part are at one price; then its mean price of a unit is the price.

    Returns
    -------
    DataFrame, one row per part and month
        ``part_no``, ``month``, ``price`` (money per unit), ``quantity`` and ``spend``.

    Notes
    -----
    The time-product dummy index: logarithms of unit prices regressed on what was bought (the supplier; supplier and model where models are at prices
    of their own) and the month, weighted by its share of the month's spend
    (Rao 2005, *Review of Income and Wealth* 51, 571-580; Consumer Price Index Manual: Concepts and Methods, IMF and others 2020, chapter 10, on multilateral methods). It
    does not drift as a chain of months does. The mean of spend over quantity is the level, so a part from one supplier keeps its unit prices. A month
    whose suppliers are seen in no other month is compared directly, as the manual does with a replacement that is the same item. One part number for
    several sizes of machine is several goods; models are taken to be so where the F test of their prices beside month and supplier, units as weights, says
    so at `SURE`: what only scatters is no good of its own.

    Examples
    --------
    Two suppliers at 10 and 20, half and half in one month and all from the dearer in the next: no price moved.

    >>> import pandas as pd
    >>> from analysis.costs.price_index import like_for_like
    >>> rows = [("P", "2026-09", "A", "", 10.0, 1.0), ("P", "2026-09", "B", "", 20.0, 1.0), ("P", "2026-10", "B", "", 40.0, 2.0)]
    >>> found = like_for_like(pd.DataFrame(rows, columns=["part_no", "month", "supplier", "model", "spend", "quantity"]), least_difference=0.01)
    >>> bool(abs(found["price"].iloc[1] / found["price"].iloc[0] - 1) < 1e-9)
    True
    """
    whole = bought.groupby(["part_no", "month"], as_index=False, sort=True)[["spend", "quantity"]].sum()
    unit = (whole["spend"] / whole["quantity"]).astype(float)
    whole = whole.assign(price=unit)
    for part, rows in bought.groupby("part_no", sort=True):
        goods = _goods(rows, least_difference)
        if goods["good"].nunique() > 1:
            own = (whole["part_no"] == part).to_numpy()
            whole.loc[own, "price"] = _levels(goods, whole.loc[own], least_difference)
    return whole[["month", "part_no", "price", "quantity", "spend"]]


def _goods(rows: pd.DataFrame, least_difference: float) -> pd.DataFrame:
    """The purchases of a part by month and ``good``: its supplier, with the model where models are at prices of their own."""
    apart = ["supplier", "model"] if _models_differ(rows, least_difference) else ["supplier"]
    good = rows.groupby(apart, sort=True).ngroup()
    return rows.assign(good=good).groupby(["month", "good"], as_index=False)[["spend", "quantity"]].sum()


def _models_differ(rows: pd.DataFrame, least_difference: float) -> bool:
    """Whether the models that a part goes into pay different prices for it in the same month, from the same supplier."""
    if rows["model"].nunique() < 2:
        return False
    quantity = rows["quantity"].to_numpy(float)
    root = np.sqrt(quantity)
    logs = root * np.log(rows["spend"].to_numpy(float) / quantity)
    month, supplier, model = (root[:, None] * _marks(rows[name]) for name in ("month", "supplier", "model"))
    plain, full = np.hstack([month, supplier]), np.hstack([month, supplier, model])
    (_, before), (found, after) = _fitted(plain, logs), _fitted(full, logs)
    terms, freedom = int(after.rank - before.rank), int(len(logs) - after.rank)
    if terms < 1 or freedom < 1 or np.ptp(found[-model.shape[1] :]) < np.log1p(least_difference):
        return False
    gained, left = (before.squares - after.squares) / terms, after.squares / freedom
    return bool(gained > left * fdtri(terms, freedom, 1 - SURE))


class _Fit(NamedTuple):
    rank: int
    squares: float


def _marks(names: pd.Series) -> NDArray[np.float64]:
    """A column of ones and zeros for each name."""
    codes, known = names.factorize(sort=True)
    return np.asarray(codes[:, None] == np.arange(len(known)), dtype=float)


def _fitted(design: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[NDArray[np.float64], _Fit]:
    """The shortest least-squares solution, its rank, and the squares that are left."""
    found, _, rank, _ = np.linalg.lstsq(design, values, rcond=None)
    return np.asarray(found, dtype=float), _Fit(int(rank), float(np.square(values - design @ found).sum()))


def _levels(goods: pd.DataFrame, whole: pd.DataFrame, least_difference: float) -> NDArray[np.float64]:
    """The price of each month, by least squares over goods and months; the mean of a unit where the goods are at one price."""
    month = pd.Categorical(goods["month"], categories=whole["month"]).codes
    share = goods["spend"].to_numpy(float) / whole["spend"].to_numpy(float)[month]
    design = np.hstack([np.eye(len(whole))[month], _marks(goods["good"])])
    root = np.sqrt(share)
    logs = np.log(goods["spend"].to_numpy(float) / goods["quantity"].to_numpy(float))
    # months and goods are told apart up to a constant: the shortest solution splits it evenly, and the level is set below
    found, _ = _fitted(design * root[:, None], logs * root)
    effects, apart = found[: len(whole)], np.ptp(found[len(whole) :])
    unit = np.log(whole["price"].to_numpy(float))
    if apart < np.log1p(least_difference):
        return np.asarray(np.exp(unit))
    return np.asarray(np.exp(effects - effects.mean() + unit.mean()))
