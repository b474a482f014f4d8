"""One ratio over strata: equal to the published exact one in a single stratum, and like held against like in several."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import stats
from analysis.errors import FitError, ParameterError


def test_a_single_stratum_is_the_exact_interval_of_two_rates():
    one, plain = (
        stats.stratified_rate_ratio([20], [100], [10], [100]),
        stats.rate_ratio_interval(20, 100, 10, 100),
    )
    assert (one.value, one.low, one.high) == pytest.approx((2.0, plain.low, plain.high), rel=1e-5)
    assert one.p_value == pytest.approx(stats.rate_ratio_p_value(20, 100, 10, 100))
    assert one.expected == pytest.approx(15)


def test_two_strata_by_hand():
    # one event each, the group has half of the time in the first and a tenth in the second: both are its own by 1/20
    found = stats.stratified_rate_ratio([1, 1], [5, 1], [0, 0], [5, 9])
    assert found.p_value == pytest.approx(2 / 20)
    assert found.events == 2 and found.expected == pytest.approx(0.6) and found.high == np.inf


def test_who_may_leave_at_any_time_is_not_held_against_who_may_not():
    # within each stratum alike; crude, the group is lost three times as often because most of it may leave at any time
    found = stats.stratified_rate_ratio([90, 1], [900, 100], [10, 9], [100, 900])
    assert found.value == pytest.approx(1.0, abs=1e-4) and found.p_value == 1.0


def test_many_events_are_normal_and_agree_with_few():
    exact = stats.stratified_rate_ratio([120, 60], [1000, 900], [100, 90], [1200, 1500])
    large = stats.stratified_rate_ratio([130, 70], [1000, 900], [110, 100], [1200, 1500])
    assert exact.method.startswith("exact") and large.method.startswith("conditional score")
    assert exact.value == pytest.approx(large.value, rel=0.05)
    assert exact.low == pytest.approx(large.low, rel=0.05) and exact.high == pytest.approx(
        large.high, rel=0.05
    )


def test_strata_that_say_nothing_are_left_out():
    told = stats.stratified_rate_ratio([5, 0, 7], [50, 10, 30], [5, 0, 0], [100, 10, 0])
    assert told.events == 5 and told.value == pytest.approx(2.0)


def test_a_planted_ratio_lies_in_its_interval_and_none_is_found_in_none():
    random, held, found = np.random.default_rng(3), 0, 0
    for _ in range(200):
        rates, mine, others = (
            random.uniform(0.01, 0.1, 8),
            random.uniform(20, 200, 8),
            random.uniform(50, 400, 8),
        )
        planted = stats.stratified_rate_ratio(
            random.poisson(2 * rates * mine), mine, random.poisson(rates * others), others
        )
        held += planted.low <= 2 <= planted.high
        found += (
            stats.stratified_rate_ratio(
                random.poisson(rates * mine), mine, random.poisson(rates * others), others
            ).p_value
            < 0.05
        )
    assert held >= 184 and found <= 18


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(FitError, match="no events"):
        stats.stratified_rate_ratio([0, 3], [5, 5], [0, 1], [5, 0])
    with pytest.raises(ParameterError, match="whole numbers"):
        stats.stratified_rate_ratio([0.5], [5], [1], [5])
