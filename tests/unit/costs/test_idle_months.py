"""Months in which a team stands idle each year: numbers worked out by hand, a step that is no season, and quiet where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from analysis import costs
from analysis.costs.signals import season_of

MONTHS = pd.period_range("2023-11", periods=36, freq="M")


def table_of(unused: np.ndarray, team: str = "A", months: pd.PeriodIndex = MONTHS) -> pd.DataFrame:
    return pd.DataFrame(
        {"month": months.astype(str), "team": team, "hours_paid": 200.0, "hours_worked": 200.0 * (1 - unused)}
    )


def named(table: pd.DataFrame) -> list[tuple[str, int]]:
    found = costs.idle_months(table, least_difference=0.1, level=0.01).found
    return [(str(team), int(number)) for team, number in found[["team", "calendar_month"]].to_numpy()]


def test_the_difference_and_its_limits_by_hand() -> None:
    # June 0.1 and 0.2, July 0.8 and 0.9, August 0.1 and 0.1: means 0.15, 0.85 and 0.1; spread (4 × 0.05² + 0) ÷ 3
    shares, numbers = np.array([0.1, 0.2, 0.8, 0.9, 0.1, 0.1]), np.array([6, 6, 7, 7, 8, 8])
    found = season_of(shares, numbers, [7], confidence=0.95)
    error = np.sqrt(0.01 / 3 * (1 / 2 + 1 / 8 + 1 / 8))
    assert found["excess_share"] == pytest.approx(0.85 - 0.125)
    assert found["high"] - found["excess_share"] == pytest.approx(student.ppf(0.975, 3) * error)
    assert found["p_value"] == pytest.approx(student.sf(0.725 / error, 3))


def test_a_seasonal_crew_that_is_kept_a_month_too_long_is_named_though_it_is_absent_most_of_the_year() -> (
    None
):
    kept = MONTHS[MONTHS.month.isin([6, 7, 11, 12])]
    idle = np.where(kept.month.isin([7, 12]), 0.9, 0.2) + 0.01 * np.cos(np.arange(len(kept)) * 2)
    others = table_of(0.2 + 0.01 * np.sin(np.arange(36) * 3), "B")
    assert sorted(named(pd.concat([table_of(idle, "Crew", kept), others]))) == [("Crew", 7), ("Crew", 12)]


def test_a_team_that_stands_idle_since_some_months_has_no_season() -> None:
    since = np.where(np.arange(36) >= 30, 0.6, 0.12) + 0.01 * np.cos(np.arange(36) * 2)
    assert named(table_of(since)) == []


def test_a_season_below_what_matters_is_not_named() -> None:
    small = np.where(MONTHS.month == 7, 0.2, 0.12) + 0.002 * np.cos(np.arange(36) * 2)
    found = costs.idle_months(table_of(small), least_difference=0.1, level=0.01)
    assert float(found.by_subject["p_value"].min()) < 1e-6 and found.found.empty


def test_a_team_seen_in_one_year_only_is_said_not_to_be_tested() -> None:
    one_year = table_of(np.full(12, 0.2), "New", MONTHS[-12:])
    found = costs.idle_months(
        pd.concat([one_year, table_of(np.full(36, 0.2), "B")]), least_difference=0.1, level=0.01
    )
    assert found.not_tested["team"].tolist() == ["New"]


def test_errors_that_last_from_month_to_month_name_nobody() -> None:
    rng, alarms = np.random.default_rng(5), 0
    for _ in range(100):
        tables = []
        for team in "ABCDE":
            errors = rng.standard_normal(36)
            for month in range(1, 36):
                errors[month] += 0.6 * errors[month - 1]
            tables.append(table_of(np.clip(0.3 + 0.15 * errors, 0, 1), team))
        alarms += bool(named(pd.concat(tables)))
    assert alarms <= 5
