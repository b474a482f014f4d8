"""Whole cents: the exact arithmetic under allocations, bridges and roll-forwards.

Money is compared and conserved in integers of a cent and shown as Decimal. A float is taken only where its
shortest text is already whole cents, so that 0.1 + 0.2 is refused and not quietly rounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import ParameterError
from analysis.metrics import traced

Cents = NDArray[np.int64]


def to_cents(amount: Any, *, what: str = "amount") -> int:
    """``Decimal("12.30")`` → 1230. Refuses what is no number and what is finer than a cent."""
    try:
        value = amount if isinstance(amount, Decimal) else Decimal(str(amount))
        scaled = value.scaleb(2)
        whole = int(scaled)
    except (ArithmeticError, ValueError, TypeError):
        raise ParameterError(
            f"{what}: {amount!r} is not an amount of money; give a Decimal, e.g. 12.30."
        ) from None
    if whole != scaled:
        raise ParameterError(
            f"{what}: {amount} is finer than a cent; round it first, e.g. {round(value, 2)}."
        )
    return whole


def from_cents(cents: int) -> Decimal:
    """1230 → ``Decimal("12.30")``."""
    return Decimal(int(cents)).scaleb(-2)


def cents_of(amounts: Iterable[Any], *, what: str = "amount") -> Cents:
    """Each amount in cents, in the order given."""
    return np.array([to_cents(amount, what=what) for amount in amounts], dtype=np.int64)


@traced
def decimals(cents: Iterable[int], *, index: pd.Index | None = None, name: str | None = None) -> pd.Series:
    """Cents as a Series of Decimal with two places."""
    return pd.Series([from_cents(value) for value in cents], index=index, name=name, dtype=object)


def total(amounts: Iterable[Any], *, what: str = "amount") -> Decimal:
    """Exact sum; of nothing, 0.00."""
    return from_cents(sum(to_cents(amount, what=what) for amount in amounts))


@traced
def settle(amounts: NDArray[np.float64], totals: Cents) -> Cents:
    """Round each row to whole cents so that it sums to its total: largest remainder, earlier column at a tie; what is exactly zero stays.

    Rows are rounded on the side of their total's sign, so that a row and its negative round alike.
    """
    sign = np.where(totals < 0, -1, 1)[:, None]
    faced = amounts * sign
    floors = np.floor(faced)
    whole = floors.astype(np.int64)
    left = totals * sign[:, 0] - whole.sum(axis=1)
    rest = faced - floors
    order = np.argsort(-rest, axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    # a column without a remainder gets no cent: it may be a driver that does not apply
    extra = np.clip(left, 0, (rest > 0).sum(axis=1))
    settled = whole + (rank < extra[:, None])
    beyond = left - extra  # only amounts beyond the 15 digits of a float come here
    rows = np.flatnonzero(beyond)
    settled[rows, np.abs(amounts[rows]).argmax(axis=1)] += beyond[rows]
    return np.asarray(settled * sign, dtype=np.int64)
