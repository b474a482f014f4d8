"""Refunds, negative horizons, development that goes back, and a cohort that has not reported."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import FitError, ParameterError
from analysis.stats import (
    fit_bgnbd,
    fit_pareto_nbd,
    fit_reporting_delay,
    fit_sbg,
    fit_weibull,
    nowcast,
    purchase_summary,
)


def test_a_day_of_refunds_is_no_purchase():
    customers = ["a", "a", "a", "b", "b", "c"]
    dates = ["2026-01-05", "2026-02-04", "2026-03-06", "2026-01-05", "2026-01-15", "2026-02-01"]
    values = [100.0, -100.0, 50.0, 30.0, 0.0, -5.0]
    made = purchase_summary(customers, dates, values, end="2026-04-30", unit="days")
    assert made.refund_days == 2 and made.merged == 0
    assert list(made.table.index) == ["a", "b"]
    assert made.table.loc["a", ["frequency", "recency", "monetary"]].tolist() == [1, 60.0, 50.0]
    assert (
        made.table.loc["b", "frequency"] == 1
    )  # nothing was given back on the second day: an article free of charge
    without = purchase_summary(customers, dates, end="2026-04-30", unit="days")
    assert without.refund_days == 0 and len(without.table) == 3
    net = purchase_summary(
        ["a", "a"], ["2026-01-05", "2026-01-05"], [80.0, -30.0], end="2026-02-01", unit="days"
    )
    assert (net.refund_days, net.merged, len(net.table)) == (0, 1, 1)
    undone = purchase_summary(
        ["a", "a", "a"],
        ["2026-01-05", "2026-01-05", "2026-01-07"],
        [80.0, -80.0, 9.0],
        end="2026-02-01",
        unit="days",
    )
    assert (undone.refund_days, undone.table["frequency"].tolist()) == (1, [0])
    with pytest.raises(FitError, match="all 1 days are refunds"):
        purchase_summary(["a"], ["2026-01-05"], [-1.0], end="2026-02-01", unit="days")


def test_no_model_runs_backwards():
    random = np.random.default_rng(1)
    age = random.uniform(30, 60, 1500)
    rate, leaving = random.gamma(0.8, 0.4, 1500), random.beta(0.8, 2.5, 1500)
    frequency, recency = np.zeros(1500), np.zeros(1500)
    for one in range(1500):
        time = random.exponential(1 / rate[one])
        while time < age[one]:
            frequency[one], recency[one] = frequency[one] + 1, time
            if random.random() < leaving[one]:
                break
            time += random.exponential(1 / rate[one])
    for model in (
        fit_bgnbd(frequency, recency, age),
        fit_pareto_nbd(frequency[:500], recency[:500], age[:500]),
    ):
        assert model.expected_purchases_of_new([0.0]) == pytest.approx([0.0])
        for call in (
            lambda model=model: model.expected_purchases_of_new([-1.0]),
            lambda model=model: model.expected_purchases(-3.0, [2], [5.0], [9.0]),
        ):
            with pytest.raises(ParameterError, match="time ahead is zero or more"):
                call()
    contract = fit_sbg([1000, 631, 468, 382])
    with pytest.raises(ParameterError, match="time ahead is zero or more"):
        contract.survival([-1])
    with pytest.raises(ParameterError, match="counted from the first, 1"):
        contract.retention([0])
    with pytest.raises(ParameterError, match="horizon is -2 .int.; give a whole number, 0 or more"):
        contract.residual_lifetime(1, discount=0.1, horizon=-2)
    life = fit_weibull(random.weibull(2, 50))
    with pytest.raises(ParameterError, match="'later' lies before 'age'"):
        life.conditional_failure_share(2.0, 1.0)
    for age_of_nothing in (0.0, -1.0, float("nan")):
        with pytest.raises(
            ParameterError, match="an age above zero|age is nan .float.; give one finite number"
        ):
            life.failure_share(age_of_nothing)


def test_development_that_goes_negative_is_refused_by_its_delay():
    delays, windows = np.array([0, 1, 2, 0, 1, 0]), np.array([2, 2, 2, 1, 1, 0])
    fit_reporting_delay(delays, windows, weights=[10.0, 5.0, 1.0, 9.0, 4.0, 8.0])
    for weights, delay in (([10.0, 5.0, -3.0, 9.0, 4.0, 8.0], 2), ([10.0, -9.0, 4.0, 9.0, -8.0, 8.0], 1)):
        with pytest.raises(FitError, match=f"the development goes negative: at delay {delay}"):
            fit_reporting_delay(delays, windows, weights=weights)
    # a reversal within a delay that stays positive altogether is development like any other
    fit_reporting_delay(delays, windows, weights=[10.0, 5.0, -1.0, 9.0, 4.0, 8.0], longest=1)


def test_a_cohort_without_reports_borrows_from_the_others():
    delays = np.concatenate([np.repeat([0, 1, 2, 3], [50, 30, 15, 5]) for _ in range(8)])
    windows = np.repeat(np.arange(3, 11), 100)
    delay = fit_reporting_delay(delays, windows)
    made = nowcast(delay, [10, 9, 1, 0], [100, 100, 80, 0], draws=200, seed=1)
    silent = made.iloc[3]
    share = silent["completeness"]
    level = 280 / (1 + 1 + made["completeness"][2] + share)
    assert silent["basis"] == "all cohorts" and list(made["basis"][:3]) == ["own"] * 3
    assert silent["expected_total"] == pytest.approx((1 - share) * level) and silent["expected_total"] > 30
    assert silent["low"] <= silent["expected_total"] <= silent["high"]
    assert made["expected_total"][2] == pytest.approx(80 / made["completeness"][2])
    small = nowcast(
        delay, [10, 9, 1, 0], [100, 100, 80, 0], exposure=[10, 10, 10, 1], draws=200, seed=1
    ).iloc[3]
    assert small["expected_total"] < 0.15 * silent["expected_total"]
    nobody = nowcast(delay, [1, 0], [0, 0], draws=50, seed=1)
    assert (nobody["basis"] == "own").all() and (nobody["expected_total"] == 0).all()
