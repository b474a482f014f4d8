"""A saving is what is left when volume, mix, everybody's trend and luck are taken out."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from analysis.costs.savings import (
    at_constant_mix,
    cost_residual_ratio,
    cost_saving_rate,
    difference_in_differences,
    expected_against_realised,
    interrupted_series,
    net_present_value,
    payback_period,
    plausibility,
    regression_to_mean,
    unit_cost_at_constant_mix,
)
from analysis.errors import ContractError, MissingData, ParameterError


def money(*amounts):
    return [Decimal(str(amount)).quantize(Decimal("0.01")) for amount in amounts]


def test_the_two_rates_are_not_the_same_thing():
    assert cost_saving_rate(Decimal(200), Decimal(150)) == 0.25
    assert cost_residual_ratio(Decimal(200), Decimal(150)) == 0.75
    assert np.isnan(cost_saving_rate(0, 10))


BEFORE = pd.DataFrame({"line": ["A", "B", "old"], "tickets": [100, 100, 10], "cost": money(1000, 4000, 70)})
AFTER = pd.DataFrame({"line": ["A", "B", "new"], "tickets": [180, 20, 5], "cost": money(1800, 800, 60)})


def test_a_better_mix_is_no_saving():
    # Total cost fell from 5,000 to 2,600 on 200 tickets each; cost a ticket of A (10) and of B (40) did not
    # move.
    same = at_constant_mix(BEFORE, AFTER, by=["line"], weights="after")
    assert same.saving == 0 and same.cost_saving_rate == 0.0
    assert same.left_out["line"].tolist() == ["new", "old"]
    assert same.left_out["cost_after"].tolist() == money(60, 0)


def test_hand_worked_saving_at_either_mix():
    cheaper = AFTER.assign(cost=money(1620, 800, 60))  # A now costs 9 a ticket
    now = at_constant_mix(BEFORE, cheaper, by=["line"], weights="after")
    assert (now.before, now.after, now.saving) == (Decimal("2600.00"), Decimal("2420.00"), Decimal("180.00"))
    then = at_constant_mix(BEFORE, cheaper, by=["line"], weights="before")
    assert (then.before, then.saving) == (Decimal("5000.00"), Decimal("100.00"))
    assert then.cost_saving_rate == pytest.approx(0.02) and then.cost_residual_ratio == pytest.approx(0.98)


def test_unit_cost_at_constant_mix_does_not_follow_the_mix():
    cells = pd.concat([BEFORE.head(2).assign(month=1), AFTER.head(2).assign(month=2)])
    # Shares of all tickets: A 280 of 400, B 120 of 400; 0.7 × 10 + 0.3 × 40.
    assert unit_cost_at_constant_mix(cells, by=["line"]).tolist() == pytest.approx([19.0, 19.0])
    gone = pd.concat([cells, AFTER.head(1).assign(month=3)])
    shares = np.array([460, 120]) / 580
    assert unit_cost_at_constant_mix(gone, by=["line"]).tolist() == pytest.approx([shares @ [10, 40]] * 3)


def test_difference_in_differences_takes_out_what_happened_to_everybody():
    rng = np.random.default_rng(1)
    months = range(30)
    shared = np.cumsum(rng.normal(0, 1, 30)) + 5 * np.sin(np.arange(30) / 2)
    comparison = pd.Series(50 + shared + rng.normal(0, 0.5, 30), index=months)
    treated = pd.Series(80 + shared + rng.normal(0, 0.5, 30) - 4.0 * (np.arange(30) >= 18), index=months)
    found = difference_in_differences(treated, comparison, start=18, confidence=0.95)
    assert found.interval.low < -4.0 < found.interval.high and found.interval.high < -3
    assert (found.months_before, found.months_after) == (18, 12)
    later = found.series[found.series["after"]]
    assert (later["expected"] - later["actual"]).to_numpy() == pytest.approx(np.full(12, -found.effect))


def test_card_and_krueger_arithmetic():
    # Card and Krueger (1994), AER 84, Table 3: 23.33 → 21.17 in Pennsylvania, 20.44 → 21.03 in New Jersey:
    # 2.76 (2.75 from the rounded means). Each mean is given as months that vary around it.
    wobble = np.array([0.4, -0.4, 0.1, -0.1, 0.3, -0.3])
    pennsylvania = pd.Series(np.r_[23.33 + wobble, 21.17 - wobble])
    new_jersey = pd.Series(np.r_[20.44 - wobble, 21.03 + wobble])
    found = difference_in_differences(new_jersey, pennsylvania, start=6, confidence=0.95)
    assert found.effect == pytest.approx(2.75, abs=0.0101)


@pytest.mark.parametrize("shape", ["level", "level and slope"])
def test_interrupted_series_recovers_a_step_beside_trend_and_season(shape):
    inside, estimates = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        time = np.arange(42)
        values = (
            100 + 0.3 * time + 6 * np.cos(2 * np.pi * time / 12) - 8.0 * (time >= 26) + rng.normal(0, 2, 42)
        )
        found = interrupted_series(
            pd.Series(values, index=time), start=26, shape=shape, harmonics=1, confidence=0.95
        )
        estimates.append(found.effect)
        inside.append(found.interval.low <= -8.0 <= found.interval.high)
    assert np.mean(estimates) == pytest.approx(-8.0, abs=0.6)
    assert np.mean(inside) >= 0.88


def test_a_slope_is_averaged_over_the_months_after():
    time = np.arange(24)
    values = 10 + time * 0.5 + np.where(time >= 12, -2 - 0.1 * (time - 12), 0.0)
    found = interrupted_series(
        pd.Series(values, index=time), start=12, shape="level and slope", harmonics=0, confidence=0.95
    )
    assert found.effect == pytest.approx(-2 - 0.1 * 5.5)


def test_too_few_months_are_not_computed():
    series = pd.Series(np.arange(20.0))
    with pytest.raises(
        MissingData, match="not computed: 16 months before and 4 after the start; an effect needs 6"
    ):
        interrupted_series(series, start=16, shape="level", harmonics=0, confidence=0.95)
    with pytest.raises(ContractError, match="do not cover the same months"):
        difference_in_differences(series, series[1:], start=10, confidence=0.95)


def test_net_present_value_and_payback_by_hand():
    # 121 in two years at 10 % is worth 100 today; monthly flows use the twelfth root.
    assert net_present_value([-100, 0, 121], annual_rate=0.1, periods_per_year=1) == Decimal("0.00")
    monthly = [Decimal(-100)] + [Decimal(0)] * 11 + [Decimal(110)]
    assert net_present_value(monthly, annual_rate=0.1) == Decimal("0.00")
    assert payback_period([-100, 40, 40, 40]) == 2.5
    assert payback_period([-100, 10]) is None and payback_period([5, 1]) == 0.0
    with pytest.raises(ParameterError, match="write 8 % as 0.08"):
        net_present_value([1], annual_rate=-2.0)


def test_an_avoided_event_cannot_save_more_than_it_costs():
    fine = plausibility(Decimal("9000.00"), events_avoided=100, unit_cost_before=120.0)
    assert fine.saved_per_event == 90.0 and fine.plausible is True
    assert plausibility(Decimal("15000.00"), events_avoided=100, unit_cost_before=120.0).plausible is False
    assert plausibility(Decimal("15000.00"), events_avoided=0, unit_cost_before=120.0).plausible is None


def test_a_start_after_a_peak_is_warned_of_and_the_fall_foretold():
    falls, foretold, warned = [], [], []
    rng = np.random.default_rng(2)
    for _ in range(3000):
        values = rng.normal(100, 10, 39)
        if values[30:33].mean() < 112:  # a measure is started because three months were bad
            continue
        found = regression_to_mean(pd.Series(values[:33]), start=33)
        falls.append(values[30:33].mean() - values[33:].mean())
        foretold.append(found.expected_fall)
        warned.append(found.warning)
    assert np.mean(warned) > 0.6
    assert np.mean(foretold) == pytest.approx(np.mean(falls), rel=0.15)


def test_without_a_peak_it_rarely_warns():
    rng = np.random.default_rng(3)
    warned = [regression_to_mean(pd.Series(rng.normal(100, 10, 30)), start=30).warning for _ in range(800)]
    assert np.mean(warned) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 800)
    with pytest.raises(MissingData, match="10 months before the start; needs 15"):
        regression_to_mean(pd.Series(np.arange(10.0)), start=10)


def measure(step, seed, *, expected):
    rng = np.random.default_rng(seed)
    time = np.arange(36)
    comparison = pd.Series(50 + rng.normal(0, 1, 36), index=time)
    treated = pd.Series(60 + rng.normal(0, 1, 36) + step * (time >= 24), index=time)
    found = difference_in_differences(treated, comparison, start=24, confidence=0.95)
    return expected_against_realised(
        found,
        pd.Series(1000.0, index=time),
        cost=Decimal("20000.00"),
        expected_monthly_saving=expected,
        annual_rate=0.08,
        horizon_months=36,
    )


def test_expected_against_realised():
    good = measure(-5.0, 1, expected=Decimal("4500.00"))
    assert good.verdict == "delivered" and good.expected == Decimal("54000.00")
    assert float(good.saving) == pytest.approx(-good.measured.effect * 12_000, abs=0.01)
    assert good.payback_months == pytest.approx(20_000 / (-good.measured.effect * 1000), abs=1e-9)
    assert (
        good.net_present_value_interval.low
        < float(good.net_present_value)
        < good.net_present_value_interval.high
    )
    assert measure(0.0, 2, expected=Decimal("5000.00")).verdict == "not delivered"
    assert measure(-2.5, 3, expected=Decimal("6000.00")).verdict == "partly delivered"
    assert measure(-0.3, 4, expected=Decimal("300.00")).verdict == "could be noise"


def test_a_measure_that_delivers_is_seldom_called_short():
    p_values = np.array(
        [measure(-5.0, seed, expected=Decimal("5000.00")).p_value_short for seed in range(400)]
    )
    assert np.mean(p_values < 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    failed = np.array([measure(0.0, seed, expected=Decimal("5000.00")).p_value_short for seed in range(40)])
    assert (failed < 0.001).all()
