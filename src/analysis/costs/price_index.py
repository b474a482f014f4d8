"""The price of a part at equal suppliers: a part bought more from the dearer of two did not become dearer."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.metrics import traced


@traced
def at_equal_suppliers(bought: pd.DataFrame, *, least_difference: float) -> pd.DataFrame:
    """Prices of parts by month as if each had come from the same suppliers in every month.

    Parameters
    ----------
    bought : one row per part, month and supplier
        ``part_no``, ``month``, ``supplier`` (text; empty where none is named), ``spend`` and ``quantity``, both above zero.
    least_difference : float, share of the price
        Below which suppliers of a part are at one price; then its mean price of a unit is the price.

    Returns
    -------
    DataFrame, one row per part and month
        ``part_no``, ``month``, ``price`` (money per unit), ``quantity`` and ``spend``.

    Notes
    -----
    The time-product dummy index: logarithms of unit prices regressed on the supplier and the month, weighted by the supplier's share of the month's spend
    (Rao 2005, *Review of Income and Wealth* 51, 571-580; Consumer Price Index Manual: Concepts and Methods, IMF and others 2020, chapter 10, on multilateral methods). It
    does not drift as a chain of months does. The mean of spend over quantity is the level, so a part from one supplier keeps its unit prices. A month
    whose suppliers are seen in no other month is compared directly, as the manual does with a replacement that is the same item.

    Examples
    --------
    Two suppliers at 10 and 20, half and half in one month and all from the dearer in the next: no price moved.

    >>> import pandas as pd
    >>> from analysis.costs.price_index import at_equal_suppliers
    >>> rows = [("P", "2026-09", "A", 10.0, 1.0), ("P", "2026-09", "B", 20.0, 1.0), ("P", "2026-10", "B", 40.0, 2.0)]
    >>> found = at_equal_suppliers(pd.DataFrame(rows, columns=["part_no", "month", "supplier", "spend", "quantity"]), least_difference=0.01)
    >>> bool(abs(found["price"].iloc[1] / found["price"].iloc[0] - 1) < 1e-9)
    True
    """
    whole = bought.groupby(["part_no", "month"], as_index=False, sort=True)[["spend", "quantity"]].sum()
    unit = (whole["spend"] / whole["quantity"]).astype(float)
    whole = whole.assign(price=unit)
    for part, rows in bought.groupby("part_no", sort=True):
        if rows["supplier"].nunique() > 1:
            own = (whole["part_no"] == part).to_numpy()
            whole.loc[own, "price"] = _levels(rows, whole.loc[own], least_difference)
    return whole[["month", "part_no", "price", "quantity", "spend"]]


def _levels(rows: pd.DataFrame, whole: pd.DataFrame, least_difference: float) -> NDArray[np.float64]:
    """The price of each month, by least squares over suppliers and months; the mean of a unit where suppliers are at one price."""
    month = pd.Categorical(rows["month"], categories=whole["month"]).codes
    supplier, names = rows["supplier"].factorize(sort=True)
    share = rows["spend"].to_numpy(float) / whole["spend"].to_numpy(float)[month]
    design = np.zeros((len(rows), len(whole) + len(names)))
    design[np.arange(len(rows)), month] = 1
    design[np.arange(len(rows)), len(whole) + supplier] = 1
    root = np.sqrt(share)
    logs = np.log(rows["spend"].to_numpy(float) / rows["quantity"].to_numpy(float))
    # months and suppliers are told apart up to a constant: the shortest solution splits it evenly, and the level is set below
    found = np.linalg.lstsq(design * root[:, None], logs * root, rcond=None)[0]
    effects, apart = found[: len(whole)], np.ptp(found[len(whole) :])
    unit = np.log(whole["price"].to_numpy(float))
    if apart < np.log1p(least_difference):
        return np.asarray(np.exp(unit))
    return np.asarray(np.exp(effects - effects.mean() + unit.mean()))
