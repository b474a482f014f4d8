"""What cannot be negative is never forecast below zero: points, limits, futures, sums; with zeros, shrinking, short, in parts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.costs.outlook import CANDIDATES
from analysis.errors import FitError, ParameterError
from analysis.stats import forecast, forecast_parts

QUICK = ("seasonal_naive", "level", "intermittent", "seasonal_shares")


def months(values: np.ndarray, first: str = "2022-11") -> pd.Series:
    return pd.Series(values, index=pd.period_range(first, periods=len(values), freq="M"))


def half_of_the_year(count: int = 48) -> np.ndarray:
    step = np.arange(count)
    return np.maximum(0, np.sin(step * np.pi / 6)) * np.linspace(40_000, 6_000, count)


def now_and_then(seed: int, count: int = 60, *, share: float = 0.3) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.where(random.random(count) < share, random.gamma(2.0, 500.0, count), 0.0)


def shrinking(count: int = 40) -> np.ndarray:
    return np.maximum(1000.0 - 26.0 * np.arange(count) + np.random.default_rng(3).normal(0, 20, count), 1.0)


@pytest.mark.parametrize(
    "values",
    [
        half_of_the_year(),
        now_and_then(1),
        now_and_then(2, share=0.08),
        shrinking(),
        np.array([100, 80, 60, 40, 30, 15, 8, 3, 0.0]),
        np.r_[shrinking(20), 0.0, 0.0],
        np.r_[np.zeros(30), 5.0, np.zeros(9)],
        np.zeros(30),
    ],
    ids=["half_year", "rare", "very_rare", "shrinking", "nine_months", "short", "once", "never"],
)
@pytest.mark.parametrize("refits", [0, 3])
def test_nothing_of_a_non_negative_quantity_is_forecast_below_zero(values, refits):
    made = forecast(months(values), candidates=QUICK, refits=refits)
    table = made.table
    assert (table[["point", "low", "high"]].to_numpy() >= 0).all()
    assert (table["low"] <= table["high"]).all()
    assert (made.draws >= 0).all()
    point, low, high = made.total()
    assert 0 <= low <= high and point >= 0
    # the expected value stays the mean of its futures, so that months add up to the year
    assert point == pytest.approx(made.draws.sum(axis=1).mean(), rel=0.06, abs=1e-9)
    assert made.probability_above(-1e-9) == 1.0
    assert (made.backtest_errors[["point", "low"]].to_numpy(dtype=float) >= 0).all()
    if values.any():
        assert (table["high"] > 0).all()  # what the past did not rule out is not ruled out


def test_parts_of_a_cost_that_is_zero_half_of_the_year_add_up_above_zero():
    step = np.arange(48)
    labour = 100_000 + 5_000 * np.sin(step * np.pi / 6) + np.random.default_rng(1).normal(0, 2_000, 48)
    parts = pd.DataFrame({"labour": labour, "logistics": half_of_the_year()}, index=months(labour).index)
    made = forecast_parts(parts, candidates=[name for name in CANDIDATES if name not in ("sarimax", "ets")])
    assert (made.table[["point", "low", "high"]].to_numpy() >= 0).all()
    wide = made.table.pivot(index="month", columns="part", values="point")
    assert np.allclose(wide["total"], wide["labour"] + wide["logistics"], rtol=1e-9)
    assert np.allclose(made.draws["total"], made.draws["labour"] + made.draws["logistics"])
    assert all(low >= 0 for low in (made.total("logistics")[1], made.total()[1]))
    quiet = made.table.query("part == 'logistics'").set_index("step").loc[[7, 8, 9, 10, 11], "point"]
    assert (quiet < 1_000).all()


def test_credits_may_be_negative_while_their_total_is_not():
    random = np.random.default_rng(1)
    credit = -np.abs(random.normal(90, 30, 40))
    parts = pd.DataFrame({"cost": -credit + random.uniform(0, 20, 40), "credit": credit})
    made = forecast_parts(parts, candidates=QUICK)
    assert (made.draws["credit"] < 0).any() and (made.draws["total"] >= 0).all()
    assert np.allclose(made.draws["total"], made.draws["cost"] + made.draws["credit"])


def test_a_quantity_that_was_negative_has_no_floor_and_none_may_be_claimed():
    values = months(np.random.default_rng(5).normal(0, 10, 40))
    assert (forecast(values, candidates=QUICK).table["low"] < 0).all()
    with pytest.raises(ParameterError, match="values are negative, and the quantity is said not to be"):
        forecast(values, candidates=QUICK, non_negative=True)


def test_a_quantity_that_may_become_negative_can_be_said_to():
    made = forecast(months(shrinking()), candidates=("level",), non_negative=False, horizon=24)
    assert (made.table["low"] < 0).any()


def test_far_from_zero_the_floor_changes_nothing():
    values = months(1000 + np.random.default_rng(2).normal(0, 20, 48))
    with_floor, without = (
        forecast(values, candidates=("level", "seasonal_naive"), non_negative=each) for each in (True, False)
    )
    pd.testing.assert_frame_equal(with_floor.table, without.table, check_exact=True)
    assert np.array_equal(with_floor.draws, without.draws)


def test_candidates_for_zeros_stay_out_where_there_are_none():
    made = forecast(months(1000 + np.random.default_rng(2).normal(0, 20, 48)), candidates=QUICK)
    notes = made.backtest.set_index("candidate")["note"]
    assert notes["intermittent"] == notes["seasonal_shares"] == "needs months at zero and none below"
    with pytest.raises(FitError, match="no candidate can be used"):
        forecast(months(np.arange(40.0) + 1), candidates=("intermittent",))


def test_a_constant_history_says_why_its_interval_has_no_width():
    made = forecast(months(np.full(40, 7.0)), candidates=QUICK)
    assert (made.table[["point", "low", "high"]] == 7.0).all(axis=None)
    assert any("no width" in note for note in made.notes)


def test_few_errors_behind_an_unchecked_interval_widen_it():
    random = np.random.default_rng(4)
    short = forecast(months(1000 + random.normal(0, 20, 14)), candidates=("seasonal_naive",))
    assert short.widening == pytest.approx(4.303 / 1.960, rel=1e-3)  # two errors: Student's t with 2 degrees


@pytest.mark.slow
def test_months_and_sums_of_intermittent_demand_are_covered_as_promised():
    inside, sums, sizes = [], [], []
    for seed in range(40):
        values = now_and_then(100 + seed)
        made = forecast(months(values[:48]), candidates=("level", "intermittent", "seasonal_shares"))
        after = values[48:]
        inside.append(((made.table["low"] <= after) & (after <= made.table["high"])).mean())
        point, low, high = made.total()
        sums.append(low <= after.sum() <= high)
        sizes.append(point / (12 * 300))
    assert 0.90 <= np.mean(inside) <= 0.99
    assert np.mean(sums) >= 0.85
    assert np.mean(sizes) == pytest.approx(1.0, abs=0.12)
