"""Intervals of the cost study by hand, and by how often they hold."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.costs.outlook import coverage_limits, mase_limits, origins_apart
from analysis.costs.savings import difference_in_differences, expected_against_realised, payback_period
from analysis.costs.savings_facts import _no_price_of_a_ticket, events_avoided, per_event_limits
from analysis.costs.unusual import UnusualMonth
from analysis.results import Interval

MONTHS = [f"{year}-{month:02d}" for year in (2024, 2025, 2026) for month in range(1, 13)]


def test_what_an_unusual_month_would_have_cost_has_the_limits_of_its_regression():
    found = UnusualMonth(
        series="labour", place=30, actual=150.0, expected=100.0, low=80.0, high=125.0, error=0.1, freedom=30.0
    )
    reach = np.exp(2.042272 * 0.1)  # Student's t with thirty degrees of freedom
    assert found.expected_limits(0.95) == pytest.approx((100 / reach, 100 * reach), rel=1e-6)


def backtested(*origins: int, steps: int = 12) -> pd.DataFrame:
    return pd.DataFrame(
        [(origin, step) for origin in origins for step in range(1, steps + 1)], columns=["origin", "step"]
    )


@pytest.mark.parametrize(
    ("errors", "apart"),
    [
        (backtested(24, 27, 30, 33), 1),
        (backtested(24, 36), 2),
        (backtested(24, 30, 36, 42, 48), 3),
        (backtested(24, 25, 26, steps=1), 3),
    ],
)
def test_origins_count_once_where_they_forecast_the_same_months(errors: pd.DataFrame, apart: int):
    assert origins_apart(errors) == apart


def test_a_backtest_of_three_origins_says_little():
    # Wilson: two of three, 0.2077 to 0.9385
    found = coverage_limits(2 / 3, 3, 0.95)
    assert (found.low, found.high) == pytest.approx((0.2077, 0.9385), abs=1e-4)
    assert "3" in found.method


def test_a_mean_of_absolute_errors_lies_within_its_limits_as_often_as_promised():
    rng, held = np.random.default_rng(5), 0
    for _ in range(2000):
        found = mase_limits(float(np.abs(rng.normal(size=4)).mean()), 4, 0.95)
        held += found.low <= np.sqrt(2 / np.pi) <= found.high
    assert held / 2000 == pytest.approx(0.95, abs=0.03)


def series(values: np.ndarray) -> pd.Series:
    return pd.Series(values, index=MONTHS)


def test_tickets_avoided_are_those_of_before_grown_as_elsewhere_less_those_that_came():
    after = np.array([month >= "2026-01" for month in MONTHS])
    tickets, untouched = series(np.where(after, 80.0, 100.0)), series(np.where(after, 220.0, 200.0))
    found, limits = events_avoided(tickets, untouched, start="2026-01", confidence=0.95)
    # a tenth more elsewhere: 110 a month would have come, 80 did
    assert found == pytest.approx(12 * 30)
    assert (limits.low, limits.high) == pytest.approx((found, found), abs=1e-6)  # nothing scattered


@pytest.mark.parametrize("seed", [1, 2])
def test_tickets_avoided_lie_within_their_limits_as_often_as_promised(seed: int):
    rng, held = np.random.default_rng(seed), 0
    season = 1 + 0.3 * np.sin(2 * np.pi * np.arange(36) / 12)
    for _ in range(300):
        tickets, untouched = series(rng.poisson(100 * season)), series(rng.poisson(400 * season))
        _, limits = events_avoided(tickets, untouched, start="2025-09", confidence=0.95)
        held += limits.low <= 0 <= limits.high
    assert held / 300 >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300)


def test_a_payback_has_those_of_the_ends_of_the_saving_or_none():
    rng = np.random.default_rng(4)
    after = np.array([month >= "2026-01" for month in MONTHS])
    treated = series(100 - 20 * after + rng.normal(0, 2, 36))
    comparison = series(100 + rng.normal(0, 2, 36))
    measured = difference_in_differences(treated, comparison, start="2026-01", confidence=0.95)
    tickets = series(np.full(36, 50.0))

    def result(cost: str):
        return expected_against_realised(
            measured,
            tickets,
            cost=Decimal(cost),
            expected_monthly_saving=Decimal("900.00"),
            annual_rate=0.0,
            horizon_months=24,
        )

    found = result("5000.00")
    ends = [
        payback_period([-5000.0, *[-50 * limit] * 24])
        for limit in (measured.interval.low, measured.interval.high)
    ]
    assert found.payback_interval is not None
    assert (found.payback_interval.low, found.payback_interval.high) == pytest.approx(ends)
    assert found.payback_interval.low < float(found.payback_months or 0) < found.payback_interval.high
    # at the lower end of the saving two years do not bring the cost back
    lower = 24 * 50 * -measured.interval.high
    assert result(f"{lower + 1:.2f}").payback_interval is None

    # saved per ticket avoided: both errors count, and where none may have been avoided there are no limits
    around = Interval(low=50.0, high=200.0, level=0.95, method="t")
    each = per_event_limits(found, 100.0, around)
    saved, limits = float(found.saving), found.saving_interval
    assert each is not None
    assert each.low == pytest.approx(saved / 100 * (1 - np.hypot(limits.low / saved - 1, 0.5)))
    assert each.high == pytest.approx(saved / 100 * (1 + np.hypot(limits.high / saved - 1, 1.0)))
    assert per_event_limits(found, 100.0, Interval(low=-1.0, high=200.0, level=0.95, method="t")) is None


@pytest.mark.parametrize(
    ("low", "high", "why"),
    [
        (-10.0, 40.0, "not shown that any ticket"),
        (-40.0, -10.0, "none was avoided"),
        (10.0, 40.0, "nothing was saved"),
    ],
)
def test_no_money_per_ticket_is_printed_that_has_no_limits(low: float, high: float, why: str) -> None:
    """Where the quotient has no limits its reason stands in its place."""
    lost = SimpleNamespace(
        saving=Decimal("-5.00"), saving_interval=Interval(low=-9.0, high=-1.0, level=0.95, method="t")
    )
    around = Interval(low=low, high=high, level=0.95, method="t")
    assert per_event_limits(lost, 20.0, around) is None  # type: ignore[arg-type]
    assert why in _no_price_of_a_ticket(lost, around).en  # type: ignore[arg-type]
