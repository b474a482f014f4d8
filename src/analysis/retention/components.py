"""Churn and its components: lost, new and reactivated customers apart, so that winning cannot hide losing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.errors import ContractError, ParameterError
from analysis.metrics.lineage import traced
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class ChurnComponents(Summarised):
    """Customers of one period, each in exactly one place.

    Attributes
    ----------
    start, lost : present at the start; of them lost during the period.
    new, reactivated : not present at the start and present at the end: never seen before, or seen.
    won_and_lost : came and went within the period: in neither start nor end.

    Examples
    --------
    >>> from analysis import retention
    >>> counts = retention.churn_components(start=100, lost=8, new=12, reactivated=3)
    >>> counts.end, counts.gross_churn_rate, counts.net_customer_loss_rate  # new customers hide losses
    (107, 0.08, -0.07)
    """

    start: int
    lost: int
    new: int
    reactivated: int
    won_and_lost: int

    @property
    def retained(self) -> int:
        """Present at the start and at the end."""
        return self.start - self.lost

    @property
    def end(self) -> int:
        """Present at the end: retained, new and reactivated."""
        return self.retained + self.new + self.reactivated

    @property
    def gross_churn_rate(self) -> float | None:
        """Lost during the period among those present at its start; None where nobody was present."""
        return self.lost / self.start if self.start else None

    @property
    def retention_rate(self) -> float | None:
        """Retained ÷ start; None where nobody was present."""
        return self.retained / self.start if self.start else None

    @property
    def net_customer_loss_rate(self) -> float | None:
        """(start − end) ÷ start: the common formula, in which new customers hide losses."""
        return (self.start - self.end) / self.start if self.start else None

    @property
    def popular_retention_rate(self) -> float | None:
        """(end − new) ÷ start: counts reactivated customers as if they had never left."""
        return (self.end - self.new) / self.start if self.start else None

    @property
    def popular_retention_gap(self) -> float | None:
        """Popular retention minus retention: reactivated ÷ start."""
        return self.reactivated / self.start if self.start else None

    @property
    def net_change_rate(self) -> float | None:
        """(end - start) ÷ start; None where nobody was present."""
        return (self.end - self.start) / self.start if self.start else None


def churn_components(
    *, start: int, lost: int, new: int, reactivated: int = 0, won_and_lost: int = 0
) -> ChurnComponents:
    """The components from counts.

    Parameters
    ----------
    start, lost, new, reactivated, won_and_lost : int, customers
        As in `ChurnComponents`.

    Returns
    -------
    ChurnComponents

    Raises
    ------
    ParameterError
        For a negative count, or more customers lost than were present.

    Examples
    --------
    >>> from analysis import retention
    >>> retention.churn_components(start=100, lost=8, new=12).retention_rate
    0.92
    """
    counts = {
        "start": start,
        "lost": lost,
        "new": new,
        "reactivated": reactivated,
        "won_and_lost": won_and_lost,
    }
    for name, count in counts.items():
        if count < 0 or count != int(count):
            raise ParameterError(
                f"churn components: {name} is {count}; it counts customers, so it is a whole number from zero."
            )
    if lost > start:
        raise ParameterError(
            f"churn components: {lost} lost of {start} present at the start. Customers won and lost within the period are not lost "
            "from the start; give them as won_and_lost."
        )
    return ChurnComponents(**{name: int(count) for name, count in counts.items()})


@traced
def components_of_spells(spells: pd.DataFrame, *, start: dt.date, end: dt.date) -> ChurnComponents:
    """The components of a half-open period, from the times at which customers were there.

    Parameters
    ----------
    spells : (spells, columns) DataFrame
        One row per customer and uninterrupted time as a customer: ``customer_id``, ``begins`` (first day), ``ends`` (day of the loss; missing while still
        a customer). A customer lost on a day was present when that day began.
    start, end : date
        The first day of the period, and the day after it.

    Returns
    -------
    ChurnComponents

    Raises
    ------
    ContractError
        For columns that are missing, and spells that end before they begin or overlap.
    ParameterError
        For a period that ends before it begins.

    Examples
    --------
    >>> import datetime as dt, pandas as pd
    >>> from analysis import retention
    >>> spells = pd.DataFrame(
    ...     {
    ...         "customer_id": ["a", "b", "c"],
    ...         "begins": pd.to_datetime(["2026-01-01", "2026-01-01", "2026-10-05"]),
    ...         "ends": pd.to_datetime(["2026-10-20", None, None]),
    ...     }
    ... )
    >>> found = retention.components_of_spells(spells, start=dt.date(2026, 10, 1), end=dt.date(2026, 11, 1))
    >>> found.start, found.lost, found.new
    (2, 1, 1)
    """
    import pandas as pd

    if not start < end:
        raise ParameterError(
            f"churn components: the period from {start} to {end} is empty; end is the day after its last."
        )
    begins, ends = pd.to_datetime(spells["begins"]), pd.to_datetime(spells["ends"])
    backwards = (ends < begins).sum()
    if backwards:
        raise ContractError(
            f"spells: {backwards} rows end before they begin, e.g. customer {spells.loc[ends < begins, 'customer_id'].iloc[0]}; mend the dates."
        )
    first, after = pd.Timestamp(start), pd.Timestamp(end)
    marks = pd.DataFrame(
        {
            "at_start": (begins < first) & (ends.isna() | (ends >= first)),
            "at_end": (begins < after) & (ends.isna() | (ends >= after)),
            "before": begins < first,
            "touched": begins < after,
        }
    )
    by = marks.groupby(spells["customer_id"].to_numpy()).any()
    absent = ~by["at_start"]
    return churn_components(
        start=int(by["at_start"].sum()),
        lost=int((by["at_start"] & ~by["at_end"]).sum()),
        new=int((absent & by["at_end"] & ~by["before"]).sum()),
        reactivated=int((absent & by["at_end"] & by["before"]).sum()),
        won_and_lost=_won_and_lost(spells["customer_id"], begins, ends, by, first, after),
    )


def _won_and_lost(
    customer: pd.Series,
    begins: pd.Series,
    ends: pd.Series,
    by: pd.DataFrame,
    first: pd.Timestamp,
    after: pd.Timestamp,
) -> int:
    """Customers in neither start nor end who had a spell begin inside the period."""
    inside = set(customer[(begins >= first) & (begins < after) & (ends < after)])
    neither = set(by.index[~by["at_start"] & ~by["at_end"]])
    return len(inside & neither)
