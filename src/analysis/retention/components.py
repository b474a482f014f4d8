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

    Present at start: ``retained`` or ``lost``. Not present at start and present at end: ``new`` (never seen before) or ``reactivated``.
    ``won_and_lost`` came and went within the period: in neither start nor end.
    """

    start: int
    lost: int
    new: int
    reactivated: int
    won_and_lost: int

    @property
    def retained(self) -> int:
        return self.start - self.lost

    @property
    def end(self) -> int:
        return self.retained + self.new + self.reactivated

    @property
    def gross_churn_rate(self) -> float | None:
        """Lost during the period among those present at its start; None where nobody was present."""
        return self.lost / self.start if self.start else None

    @property
    def retention_rate(self) -> float | None:
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
        return (self.end - self.start) / self.start if self.start else None


def churn_components(
    *, start: int, lost: int, new: int, reactivated: int = 0, won_and_lost: int = 0
) -> ChurnComponents:
    """The components from counts.

    Raises
    ------
    ParameterError for a negative count, or more customers lost than were present.
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
    """The components of the half-open period from ``start`` to ``end``.

    Parameters
    ----------
    spells : one row per customer and uninterrupted time as a customer
        ``customer_id``, ``begins`` (first day), ``ends`` (day of the loss; missing while still a customer). A customer lost on a day
        was present when that day began.
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
