"""Working days by rule and exception, and a festival that moves between two months."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from analysis.costs.calendar_effect import (
    LUNAR_NEW_YEAR,
    calendar_effect,
    festival_share,
    lunar_new_year,
    working_days,
)
from analysis.errors import FitError, ParameterError
from analysis.periods import Month, months_between

MONTHS = list(months_between(Month(2021, 1), Month(2026, 12)))


def test_working_days_by_weekday_and_exception():
    february = Month(2026, 2)
    assert working_days([february])[february] == 20
    assert working_days([february], weekdays=(0, 1, 2, 3, 4, 5, 6))[february] == 28
    exceptions = pd.DataFrame(
        {
            "day": [dt.date(2026, 2, day) for day in (14, 16, 17, 18, 19, 20, 23, 28)],
            "working": [True, False, False, False, False, False, False, True],
        }
    )
    assert working_days([february], exceptions=exceptions)[february] == 16


def test_a_day_listed_twice_is_refused():
    twice = pd.DataFrame({"day": [dt.date(2026, 1, 1)] * 2, "working": [False, False]})
    with pytest.raises(ParameterError, match="1 days are listed twice"):
        working_days([Month(2026, 1)], exceptions=twice)


def test_lunar_years_are_354_or_384_days_and_start_in_the_window():
    years = sorted(LUNAR_NEW_YEAR)
    assert years == list(range(2015, 2036))
    for year in years:
        assert dt.date(year, 1, 21) <= LUNAR_NEW_YEAR[year] <= dt.date(year, 2, 20)
    lengths = {(LUNAR_NEW_YEAR[year + 1] - LUNAR_NEW_YEAR[year]).days for year in years[:-1]}
    assert lengths <= {353, 354, 355, 383, 384, 385}  # twelve or thirteen lunations
    with pytest.raises(ParameterError, match="the table holds 2015 to 2035"):
        lunar_new_year(2036)


def test_every_new_year_is_a_new_moon():
    # Mean lunation 29.530588853 days from the new moon of 2000-01-06 18:14 UT (Meeus, Astronomical
    # Algorithms, 2nd ed., ch. 49); the true new moon lies within 0.6 days of the mean one; days are of UT+8.
    epoch = dt.datetime(2000, 1, 6, 18, 14)
    for day in LUNAR_NEW_YEAR.values():
        noon = dt.datetime(day.year, day.month, day.day, 4)
        phase = ((noon - epoch).total_seconds() / 86400 / 29.530588853) % 1
        assert min(phase, 1 - phase) * 29.53 < 0.6 + 0.5


def test_the_festival_moves_between_january_and_february():
    share = festival_share(MONTHS)
    assert share[Month(2023, 1)] == 1.0 and share[Month(2026, 2)] == 1.0
    assert share[Month(2022, 1)] == pytest.approx(7 / 15) and share[Month(2022, 2)] == pytest.approx(8 / 15)
    assert share.groupby([month.year for month in MONTHS]).sum().to_numpy() == pytest.approx(np.ones(6))


def simulated(seed, effect):
    rng = np.random.default_rng(seed)
    days, share = working_days(MONTHS), festival_share(MONTHS)
    time = np.arange(len(MONTHS))
    season = 0.08 * np.sin(2 * np.pi * (time + 2) / 12)
    rate = np.exp(3 + 0.004 * time + season + effect * share.to_numpy() + rng.normal(0, 0.03, len(time)))
    return pd.Series(rate * days.to_numpy(), index=days.index), days, share


def test_recovers_a_planted_festival_effect():
    estimates = [calendar_effect(*simulated(seed, -0.3)) for seed in range(30)]
    covered = np.mean([fit.interval.low <= -0.3 <= fit.interval.high for fit in estimates])
    assert np.mean([fit.log_effect for fit in estimates]) == pytest.approx(-0.3, abs=0.01)
    assert covered >= 0.8 and all(fit.clear for fit in estimates)


def test_refuses_what_cannot_be_told_apart():
    load, days, share = simulated(1, 0.0)
    with pytest.raises(FitError, match="12 months; needs 24"):
        calendar_effect(load[:12], days[:12], share[:12])
    with pytest.raises(FitError, match="1 months have no load"):
        calendar_effect(load.where(load.index != Month(2022, 3), 0.0), days, share)
    fixed = pd.Series([1.0 if month.number == 2 else 0.0 for month in MONTHS], index=share.index)
    with pytest.raises(FitError, match="same days every year"):
        calendar_effect(load, days, fixed)
