"""What the calendar does to a month: its working days, and the lunar new year that moves between two months.

The lunar new year falls between 21 January and 20 February, so it takes days from January in one year and
from February in the next; a comparison with the same month of last year is then wrong by a holiday. Its
window is a regressor: the share of the window's days that fall into the month (Bell and Hillmer 1983).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import FitError, ParameterError
from analysis.metrics import traced
from analysis.periods import Month
from analysis.results import Interval
from analysis.summaries import Summarised

MONDAY_TO_FRIDAY = (0, 1, 2, 3, 4)

# First day of the first lunar month, China Standard Time. Hong Kong Observatory, Gregorian-Lunar Calendar
# Conversion Table (hko.gov.hk/en/gts/time/conversion.htm). 2030 is 3 February there and in the almanac of the
# Purple Mountain Observatory; some folk calendars give 2 February (Hong Kong Observatory, blog of 3 May
# 2013).
LUNAR_NEW_YEAR: Mapping[int, dt.date] = {
    day.year: day
    for day in (
        dt.date(2015, 2, 19),
        dt.date(2016, 2, 8),
        dt.date(2017, 1, 28),
        dt.date(2018, 2, 16),
        dt.date(2019, 2, 5),
        dt.date(2020, 1, 25),
        dt.date(2021, 2, 12),
        dt.date(2022, 2, 1),
        dt.date(2023, 1, 22),
        dt.date(2024, 2, 10),
        dt.date(2025, 1, 29),
        dt.date(2026, 2, 17),
        dt.date(2027, 2, 6),
        dt.date(2028, 1, 26),
        dt.date(2029, 2, 13),
        dt.date(2030, 2, 3),
        dt.date(2031, 1, 23),
        dt.date(2032, 2, 11),
        dt.date(2033, 1, 31),
        dt.date(2034, 2, 19),
        dt.date(2035, 2, 8),
    )
}


def lunar_new_year(year: int) -> dt.date:
    """First day of the lunar year that begins in ``year``."""
    if year not in LUNAR_NEW_YEAR:
        known = f"{min(LUNAR_NEW_YEAR)} to {max(LUNAR_NEW_YEAR)}"
        raise ParameterError(f"lunar new year {year}: the table holds {known}; add the year from an almanac.")
    return LUNAR_NEW_YEAR[year]


@traced
def working_days(
    months: Iterable[Month],
    *,
    weekdays: tuple[int, ...] = MONDAY_TO_FRIDAY,
    exceptions: pd.DataFrame | None = None,
) -> pd.Series:
    """Working days of each month: the rule by weekday, corrected by named days.

    Parameters
    ----------
    weekdays : days of the week on which the service works, Monday 0 … Sunday 6
    exceptions : one row per day that breaks the rule: ``day`` (date) and ``working`` (False: a holiday; True:
        a make-up day, such as the Saturdays worked around a Chinese holiday)
    """
    exceptional = _exceptions(exceptions)
    if not weekdays or not set(weekdays) <= set(range(7)):
        raise ParameterError(f"working_days: weekdays {weekdays}: name days from 0 (Monday) to 6 (Sunday).")
    counts = {
        month: sum(exceptional.get(day, day.weekday() in weekdays) for day in _days(month.start, month.end))
        for month in months
    }
    return pd.Series(counts, dtype="int64", name="working_days")


def festival_share(months: Iterable[Month], *, days_before: int = 7, days_after: int = 8) -> pd.Series:
    """Share of the lunar new year window that falls into each month; the shares of one festival sum to one.

    The window starts ``days_before`` days before new year's day and ends, exclusive, ``days_after`` days
    after it (new year's day counts among the latter; the holiday lasts eight days since 2025).
    """
    if days_before < 0 or days_after < 1:
        raise ParameterError(
            f"festival_share: window of {days_before} days before and {days_after} after is empty."
        )
    shares = {}
    for month in months:
        start = lunar_new_year(month.year) - dt.timedelta(days=days_before)
        inside = [
            day
            for day in _days(start, start + dt.timedelta(days=days_before + days_after))
            if month.start <= day < month.end
        ]
        shares[month] = len(inside) / (days_before + days_after)
    return pd.Series(shares, dtype=float, name="festival_share")


@dataclass(frozen=True, eq=False, kw_only=True)
class CalendarEffect(Summarised):
    """What one whole festival window does to the load of a working day, estimated from history.

    ``log_effect`` is the coefficient of the window's share, so a month that holds the whole window has
    exp(log_effect) times the usual load a working day; ``interval`` is of ``log_effect``.
    """

    log_effect: float
    interval: Interval
    months: int

    def factor(self, share: float) -> float:
        """Load a working day relative to a month without the festival."""
        return float(np.exp(self.log_effect * share))

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out no effect."""
        return not self.interval.holds(0)


@traced
def calendar_effect(
    load: pd.Series, days: pd.Series, share: pd.Series, *, harmonics: int = 1, confidence: float = 0.95
) -> CalendarEffect:
    """Regress log load a working day on the festival's share, a trend and the season.

    Parameters
    ----------
    load : tickets (or hours) by `Month`, in order and without gaps, all positive
    days, share : `working_days` and `festival_share` of the same months
    harmonics : pairs of sine and cosine of the year that stand for the season beside the festival

    Notes
    -----
    Least squares with Newey–West standard errors (four lags) and a t interval. Needs at least 24 months and
    two festivals in different places, else the festival cannot be told from the season. Source: Bell and
    Hillmer (1983), Modeling Time Series with Calendar Variation, JASA 78, 526-534.
    """
    if len(load) < 24 or not (load.index.equals(days.index) and load.index.equals(share.index)):
        raise FitError(
            f"calendar effect: {len(load)} months; needs 24 or more, the same for load, days and share."
        )
    if share.groupby([month.number for month in share.index]).std(ddof=0).max() < 1e-9:
        raise FitError(
            "calendar effect: the festival falls on the same days every year; it is part of the season."
        )
    values = load.to_numpy(float)
    if (values <= 0).any():
        raise FitError(
            f"calendar effect: {int((values <= 0).sum())} months have no load; a logarithm needs some."
        )
    import statsmodels.api as sm

    design = _design(share, harmonics)
    fit = sm.OLS(np.log(values / days.to_numpy(float)), design).fit(
        cov_type="HAC", cov_kwds={"maxlags": 4, "use_correction": True}, use_t=True
    )
    low, high = fit.conf_int(alpha=1 - confidence)[1]
    limits = Interval(
        low=float(low), high=float(high), level=confidence, method="least squares, Newey-West (4 lags)"
    )
    return CalendarEffect(log_effect=float(fit.params[1]), interval=limits, months=len(load))


@traced
def _design(share: pd.Series, harmonics: int) -> NDArray[np.float64]:
    time = np.arange(len(share), dtype=float)
    angle = 2 * np.pi * np.array([month.number for month in share.index], dtype=float) / 12
    season = [wave(order * angle) for order in range(1, harmonics + 1) for wave in (np.sin, np.cos)]
    return np.column_stack([np.ones_like(time), share.to_numpy(float), time - time.mean(), *season])


def _days(start: dt.date, end: dt.date) -> list[dt.date]:
    return [start + dt.timedelta(days=offset) for offset in range((end - start).days)]


@traced
def _exceptions(exceptions: pd.DataFrame | None) -> dict[dt.date, bool]:
    if exceptions is None:
        return {}
    days = [value.date() if isinstance(value, dt.datetime) else value for value in exceptions["day"]]
    if len(set(days)) < len(days):
        raise ParameterError(
            f"working_days: {len(days) - len(set(days))} days are listed twice in the exceptions."
        )
    return dict(zip(days, exceptions["working"].astype(bool), strict=True))
