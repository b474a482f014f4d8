"""Intermittent demand: the recursions by hand, their laws, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import FitError, ParameterError
from analysis.stats import intermittent_demand
from analysis.stats.intermittent import fit_intermittent, fit_seasonal_shares

DEMAND = [0, 0, 4, 0, 2, 0, 0, 0, 6, 0]


def test_croston_worked_by_hand():
    """First demand 4 after 3 periods; then 2 after 2, 6 after 4, weights 0.5: size 4, 3, 4.5; gap 3, 2.5, 3.25."""
    fit = intermittent_demand(DEMAND, method="croston", size_weight=0.5)
    assert (fit.size, fit.gap) == (4.5, 3.25)
    assert fit.expected == pytest.approx(4.5 / 3.25)
    assert np.isnan(fit.fitted[:3]).all()
    assert fit.fitted[3:] == pytest.approx([4 / 3, 4 / 3, 3 / 2.5, 3 / 2.5, 3 / 2.5, 3 / 2.5, 4.5 / 3.25])


def test_the_bias_taken_off_by_syntetos_and_boylan_is_half_the_weight_of_the_gap():
    plain = intermittent_demand(DEMAND, method="croston", size_weight=0.3, time_weight=0.2)
    repaired = intermittent_demand(DEMAND, method="sba", size_weight=0.3, time_weight=0.2)
    assert repaired.expected == pytest.approx(0.9 * plain.expected)


def test_tsb_worked_by_hand_and_dies_away():
    """Chance 1/3, then halved by each period without a demand; 2 in the fifth period: chance (1/6 + 1) / 2, size 3."""
    fit = intermittent_demand(DEMAND[:5], method="tsb", size_weight=0.5)
    assert fit.expected == pytest.approx(3 * (1 / 6 + 1) / 2)
    later = [
        intermittent_demand([*DEMAND, *[0] * more], method="tsb", size_weight=0.5).expected
        for more in range(4)
    ]
    assert np.allclose(np.diff(np.log(later)), np.log(0.5))
    # Croston's own never learns of the silence: the flaw that the repair mends
    assert (
        intermittent_demand([*DEMAND, *[0] * 40], method="croston").expected
        == intermittent_demand(DEMAND, method="croston").expected
    )


@pytest.mark.parametrize("method", ["croston", "tsb"])
def test_demand_in_every_period_is_simple_smoothing(method):
    values = np.random.default_rng(1).uniform(5, 15, 30)
    level = values[0]
    for value in values[1:]:
        level += 0.2 * (value - level)
    assert intermittent_demand(values, method=method, size_weight=0.2).expected == pytest.approx(level)


@pytest.mark.parametrize("method", ["sba", "tsb"])
def test_the_mean_of_a_long_history_is_recovered_without_croston_s_bias(method):
    random = np.random.default_rng(2)
    values = np.where(random.random((200, 300)) < 0.25, random.gamma(4, 2.0, (200, 300)), 0.0)
    found = [intermittent_demand(row, method=method, size_weight=0.2).expected for row in values]
    biased = [intermittent_demand(row, method="croston", size_weight=0.2).expected for row in values]
    assert np.mean(found) == pytest.approx(2.0, abs=0.12)  # their corrections are first-order
    assert abs(np.mean(found) - 2) < abs(np.mean(biased) - 2)


def test_a_scale_of_money_is_a_scale_of_the_forecast():
    one, other = intermittent_demand(DEMAND), intermittent_demand(1000 * np.array(DEMAND))
    assert other.expected == pytest.approx(1000 * one.expected)


def test_seasonal_shares_recover_a_season_with_zeros():
    shape = np.array([0, 0, 0, 1, 2, 3, 3, 2, 1, 0, 0, 0.0])
    fit = fit_seasonal_shares(np.tile(10 * shape, 5) + 0.0, season=12, horizon=14)
    assert fit.point == pytest.approx(np.r_[10 * shape, 0, 0], abs=1e-9)


def test_seasonal_shares_follow_a_falling_level_and_carry_its_error_forward():
    level = 0.985 ** np.arange(60)
    values = np.tile([0, 0, 0, 1, 2, 3, 3, 2, 1, 0, 0, 0.0], 5) * 10 * level
    fit = fit_seasonal_shares(
        values + 0.2 * np.random.default_rng(1).random(60) * (values > 0), season=12, horizon=12
    )
    assert fit.point.sum() < values[-12:].sum() * 1.1
    assert (fit.step_sd > 0).all() and fit.step_sd[0] < fit.step_sd[5]


def test_refusals():
    with pytest.raises(ParameterError, match="unknown method 'crostn'"):
        intermittent_demand(DEMAND, method="crostn")
    with pytest.raises(ParameterError, match="time_weight must lie above 0"):
        intermittent_demand(DEMAND, time_weight=0.0)
    with pytest.raises(FitError, match="1 values are negative, missing or infinite"):
        intermittent_demand([1, -1, 0])
    with pytest.raises(FitError, match="nothing ever happened"):
        intermittent_demand([0, 0, 0])
    with pytest.raises(FitError, match="2 values after the first happening"):
        fit_intermittent(np.array([0, 1.0, 0, 0]), horizon=3)
    with pytest.raises(FitError, match="needs two seasons"):
        fit_seasonal_shares(np.ones(20), season=12, horizon=3)
