"""How long a failure takes to be reported, and what recent months therefore lack.

Only failures reported by the horizon are in the data, so short delays are over-represented among recent failures. The distribution is
estimated in reverse time (Lynden-Bell 1971; Kalbfleisch and Lawless 1989, JASA 84, 360-372), which allows for that truncation.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.failures.field import Field
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.metrics.lineage import traced
from analysis.periods import Month, months_between
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
LONGEST_DAYS = 365
BACKTEST_MONTHS = 12
SETTLED_MONTHS = 3
TOO_SHORT = Text.of("less than a year before the last settled month")
TOO_FEW = Text.of("too few failures in the settled months")


@dataclass(frozen=True, kw_only=True, eq=False)
class Delay(Summarised):
    """``reported[d]`` is the share of failures reported within d days; one from ``LONGEST_DAYS`` on, which is an assumption.

    ``eligible[d]`` are the failures that say what part of the delays of at most d days are shorter than d.
    """

    reported: Floats
    failures: int
    eligible: Floats

    def share(self, days: NDArray[np.int64]) -> Floats:
        return np.asarray(self.reported[np.clip(days, 0, len(self.reported) - 1)])


@traced
def delay_of(delays: pd.DataFrame, horizon: dt.date) -> Delay:
    """The delay distribution from rows of ``event_on``, ``delay_days``, ``failures`` known by ``horizon``."""
    age = _days_to(delays["event_on"], horizon)
    lag = np.minimum(delays["delay_days"].to_numpy(dtype=np.int64), LONGEST_DAYS)
    weight = delays["failures"].to_numpy(dtype=float)
    known = delays["delay_days"].to_numpy(dtype=np.int64) <= age
    lag, age, weight = lag[known], np.minimum(age[known], LONGEST_DAYS), weight[known]
    at = np.bincount(lag, weights=weight, minlength=LONGEST_DAYS + 1)
    too_young = np.r_[0.0, np.cumsum(np.bincount(age, weights=weight, minlength=LONGEST_DAYS + 1))[:-1]]
    eligible = np.cumsum(at) - too_young
    keep = np.where(
        eligible > 0, 1 - np.divide(at, eligible, out=np.zeros(at.shape), where=eligible > 0), 1.0
    )
    # reported within d: not one of the longer delays, each given that the delay was at most that long
    reported = np.r_[np.cumprod(keep[::-1])[::-1][1:], 1.0]
    return Delay(reported=reported, failures=int(weight.sum()), eligible=eligible)


@traced
def _days_to(days: pd.Series, horizon: dt.date) -> NDArray[np.int64]:
    return (
        np.asarray(np.datetime64(horizon) - days.to_numpy(dtype="datetime64[D]"))
        .astype("timedelta64[D]")
        .astype(np.int64)
    )


@traced
def share_by_month(delay: Delay, months: list[Month], horizon: dt.date) -> Floats:
    """Expected share of a month's failures that is reported by the horizon, days weighing alike."""
    ages = [_ages(month, horizon) for month in months]
    return np.array([float(np.where(days >= 0, delay.share(days), 0.0).mean()) for days in ages])


def _ages(month: Month, horizon: dt.date) -> NDArray[np.int64]:
    """Days from each day of a month to the horizon."""
    return np.array([(horizon - month.start).days - k for k in range((month.end - month.start).days)])


@traced
def share_variance(delay: Delay, months: list[Month], horizon: dt.date, weights: Floats) -> float:
    """Variance of a weighted sum of the months' shares.

    The share within d days is a product of independent parts, one per longer delay; each has the variance of a share of its eligible
    failures (as Greenwood's for a survival curve), carried to the sum by its derivative.
    """
    held = np.r_[delay.reported[0], delay.reported]
    keep = np.divide(held[:-1], held[1:], out=np.ones(len(held) - 1), where=held[1:] > 0)
    own = (keep > 0) & (delay.eligible > 0)
    spread = np.where(own, (1 - keep) / np.where(own, keep * delay.eligible, 1.0), 0.0)
    slope = np.zeros(len(keep))
    for month, weight in zip(months, weights, strict=True):
        days = _ages(month, horizon)
        inside = np.clip(days[days >= 0], 0, len(keep) - 1)
        by_day = np.bincount(inside, weights=delay.share(inside), minlength=len(keep)) / len(days)
        # a delay longer than d days bears on every share within d
        slope += weight * np.r_[0.0, np.cumsum(by_day)[:-1]]
    return float((slope**2 * spread).sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class Backtest(Summarised):
    """Months as they were known at their end, corrected then, and as they are known now: one row per month."""

    rows: pd.DataFrame

    @property
    def error_raw(self) -> float:
        return float(
            (self.rows["known_then"] - self.rows["known_now"]).abs().sum() / self.rows["known_now"].sum()
        )

    @property
    def error_corrected(self) -> float:
        return float(
            (self.rows["corrected_then"] - self.rows["known_now"]).abs().sum() / self.rows["known_now"].sum()
        )


@traced
def backtest(field: Field) -> Backtest | NotDone:
    """Corrects each of the last settled months with what was known at its end; not done where there are too few months."""
    import pandas as pd

    last = field.last - SETTLED_MONTHS
    first = max(field.first + 12, last - (BACKTEST_MONTHS - 1))
    if first > last:
        return NotDone(reason=TOO_SHORT)
    delays, rows = field.delays, []
    for month in months_between(first, last):
        cut = month.last_day
        known = delays[_days_to(delays["event_on"], cut) >= delays["delay_days"].to_numpy()]
        share = share_by_month(delay_of(known, cut), [month], cut)[0]
        inside = (known["event_on"] >= pd.Timestamp(month.start).date()) & (known["event_on"] < month.end)
        now = delays[(delays["event_on"] >= month.start) & (delays["event_on"] < month.end)]["failures"].sum()
        then = float(known.loc[inside, "failures"].sum())
        rows.append(
            {
                "month": str(month),
                "known_then": then,
                "corrected_then": then / share if share > 0 else np.nan,
                "known_now": float(now),
            }
        )
    table = pd.DataFrame(rows)
    if not table["known_now"].any() or not np.isfinite(table["corrected_then"]).all():
        return NotDone(reason=TOO_FEW)
    return Backtest(rows=table)
