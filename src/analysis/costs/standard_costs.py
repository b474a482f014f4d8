"""Price, quantity and mix: the variances that a controller reckons from standards, beside the Shapley bridge.

Conventions of the trade: price at the actual quantity, mix and quantity at the standard price. An item that is new or gone has no standard, or no
actual, price: it has a bar of its own instead of a price variance against zero.

Source: Horngren, Datar and Rajan (2012), Cost Accounting, 14th ed., chapters 7 and 14.
"""

from __future__ import annotations

import pandas as pd

from analysis.errors import ContractError
from analysis.metrics import traced

_COLUMNS = ("standard_quantity", "standard_price", "actual_quantity", "actual_price")


@traced
def standard_cost_variances(items: pd.DataFrame) -> pd.DataFrame:
    """Actual less standard cost of each item, split; positive is dearer.

    Parameters
    ----------
    items : (items, columns) DataFrame
        Indexed by item: `standard_quantity`, `standard_price`, `actual_quantity`, `actual_price`; quantities in one unit (else a mix has no meaning),
        zero where the item was not planned or not used; a price may be missing only where its quantity is zero.

    Returns
    -------
    DataFrame, one row per item
        `standard_cost`, `actual_cost`, `price`, `mix`, `quantity`, `new`, `discontinued`; money. The last five add up to actual less standard, in each
        row. Mix and quantity are among the items in both: quantity is what the changed total would cost in the standard mix.

    Raises
    ------
    ContractError
        For columns that are missing, repeated items, and quantities that are negative or lack a price.

    Examples
    --------
    Twelve at 11 instead of ten at 10: 12 x 1 is price, 2 x 10 is quantity.

    >>> import pandas as pd
    >>> from analysis import costs
    >>> items = pd.DataFrame(
    ...     {"standard_quantity": [10], "standard_price": [10], "actual_quantity": [12], "actual_price": [11]}, index=["pump"]
    ... )
    >>> costs.standard_cost_variances(items).loc["pump", ["price", "mix", "quantity"]].tolist()
    [12.0, 0.0, 20.0]
    """
    absent = [name for name in _COLUMNS if name not in items.columns]
    if absent:
        raise ContractError(f"standard costs: column {', '.join(absent)} is missing.")
    if items.index.has_duplicates:
        raise ContractError(
            f"standard costs: {int(items.index.duplicated().sum())} items stand twice, e.g. {items.index[items.index.duplicated()][0]}."
        )
    numbers = items[list(_COLUMNS)].astype(float)
    for when in ("standard", "actual"):
        quantity, price = numbers[f"{when}_quantity"], numbers[f"{when}_price"]
        wrong = ~(quantity >= 0) | ((quantity > 0) & ~(price >= 0))
        if wrong.any():
            raise ContractError(
                f"standard costs: {int(wrong.sum())} items have no {when} quantity, or a quantity without a price, or one below zero, e.g. {items.index[wrong][0]}."
            )
    planned, used = numbers["standard_quantity"], numbers["actual_quantity"]
    standard, paid = numbers["standard_price"].fillna(0.0), numbers["actual_price"].fillna(0.0)
    both = (planned > 0) & (used > 0)
    share = planned.where(both, 0.0) / max(float(planned[both].sum()), 1e-300)
    in_mix = share * float(used[both].sum())
    return pd.DataFrame(
        {
            "standard_cost": planned * standard,
            "actual_cost": used * paid,
            "price": ((paid - standard) * used).where(both, 0.0),
            "mix": ((used - in_mix) * standard).where(both, 0.0),
            "quantity": ((in_mix - planned) * standard).where(both, 0.0),
            "new": (used * paid).where(planned == 0, 0.0),
            "discontinued": (-planned * standard).where((used == 0) & (planned > 0), 0.0),
        }
    )
