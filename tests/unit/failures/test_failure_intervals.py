"""Intervals of the failure study by hand, against the counts they come from, and by how often they hold."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats as sps

from analysis import failures
from analysis.failures.fault_tree import FaultTree
from analysis.failures.life_models import AgeCounts, plot_points
from analysis.failures.limits import ratio_limits, scale_limits
from analysis.failures.monitoring_facts import point_limits
from analysis.failures.ranking import Amounts, chance_of
from analysis.failures.reporting import delay_of, share_by_month, share_variance
from analysis.failures.triangles import _developed, _pooled
from analysis.periods import Month
from analysis.results import Fact, Interval
from analysis.stats import fit_weibull, poisson_interval

OCTOBER = Month(2026, 10)


def ends(fact: Fact) -> tuple[float, float]:
    assert fact.interval is not None
    return fact.interval.low, fact.interval.high


def test_a_point_of_a_chart_has_the_limits_of_its_own_count():
    points = pd.DataFrame({"value": [2.0, 0.0], "size": [5.0, 4.0]})
    (low, high), (none, most) = point_limits(points, level=0.95)
    # ten failures: 4.795 and 18.390 (Garwood 1936); none: at most 3.689
    assert (low, high) == pytest.approx((4.7954 / 5, 18.3904 / 5), rel=1e-4)
    assert (none, most) == pytest.approx((0.0, 3.6889 / 4), rel=1e-4)


def test_a_standard_deviation_has_the_limits_of_chi_square():
    # tables of chi-square with ten degrees of freedom: 3.247 and 20.483
    assert scale_limits(2.0, freedom=10, level=0.95) == pytest.approx(
        (2 * (10 / 20.4832) ** 0.5, 2 * (10 / 3.2470) ** 0.5), rel=1e-4
    )


def reports(late: int, of: int, days: int, on: dt.date) -> pd.DataFrame:
    """Failures of one day long ago, so many of them reported after so many days."""
    return pd.DataFrame({"event_on": [on, on], "delay_days": [0, days], "failures": [of - late, late]})


def test_a_reported_share_has_the_variance_of_a_share_where_one_delay_is_possible():
    horizon = dt.date(2026, 10, 31)
    delay = delay_of(reports(20, 100, 60, dt.date(2025, 1, 1)), horizon)
    assert share_by_month(delay, [OCTOBER], horizon)[0] == pytest.approx(0.8)
    variance = share_variance(delay, [OCTOBER], horizon, np.array([1.0]))
    assert variance == pytest.approx(0.8 * 0.2 / 100)
    # two months with one error in common: their sum has twice the error
    both = share_variance(delay, [OCTOBER, OCTOBER], horizon, np.array([1.0, 1.0]))
    assert both == pytest.approx(4 * variance)


def test_the_variance_of_a_reported_share_is_that_of_repeated_histories():
    horizon, days = dt.date(2026, 10, 31), np.arange(400, 800)
    rng, found, said = np.random.default_rng(3), [], []
    on = np.array([horizon - dt.timedelta(days=int(day)) for day in days], dtype="datetime64[D]")
    for _ in range(300):
        rows = pd.DataFrame({"event_on": on, "delay_days": rng.geometric(1 / 20, len(on)) - 1, "failures": 1})
        delay = delay_of(rows.assign(event_on=rows["event_on"].dt.date), horizon)
        found.append(share_by_month(delay, [OCTOBER], horizon)[0])
        said.append(share_variance(delay, [OCTOBER], horizon, np.array([1.0])))
    assert np.mean(said) == pytest.approx(np.var(found), rel=0.2)


def test_an_error_over_few_months_has_no_interval_and_says_so():
    assert set(ratio_limits(np.ones(2), np.ones(2), level=0.95, method="x")) == {"reason"}
    limits = ratio_limits(np.array([1.0, 0.0, 5.0]), np.full(3, 10.0), level=0.95, method="x")["interval"]
    assert limits.low == 0.0 and limits.high > 0.2  # an error is never below zero


def test_a_counted_share_of_failed_machines_has_the_limits_of_nelson_and_aalen():
    # ten machines, one of which failed in the third fortnight: a hazard of 0.1 with a variance of 0.01
    counts = AgeCounts(failures=np.array([0.0, 0.0, 1.0]), machines=np.full(3, 10.0))
    fit = fit_weibull(np.array([1.0, 2.0, 3.0]), np.array([True, True, True]))
    points = plot_points(counts, fit, level=0.95)
    widened = np.exp(1.959964 * 0.1 / 0.1)
    assert points.share[-1] == pytest.approx(1 - np.exp(-0.1))
    assert points.low[-1] == pytest.approx(1 - np.exp(-0.1 / widened), rel=1e-5)
    assert points.high[-1] == pytest.approx(1 - np.exp(-0.1 * widened), rel=1e-5)


def tree(**events: Any) -> FaultTree:
    gates = {"top": {"kind": "or", "of": list(events)}}
    return FaultTree.from_mapping({"top": "top", "gates": gates, "events": events}, name="pump")


def test_an_event_that_was_counted_has_the_limits_of_its_count():
    counted = {"failures": 5, "exposure": 1000, "mission": 1}
    found = tree(seal=counted, valve={"probability": 0.01}).event_intervals(draws=20_000, seed=1, level=0.9)
    low, high = found.loc["seal", ["probability_low", "probability_high"]]
    # Jeffreys: a gamma distribution with shape 5.5 over the exposure
    assert (low, high) == pytest.approx(tuple(sps.gamma.ppf([0.05, 0.95], 5.5) / 1000), rel=0.03)
    assert found.loc["valve", "probability_low"] == found.loc["valve", "probability_high"] == 0.01
    # the valve matters the more, the less the seal does: its importance moves with what is known of the seal
    share = 0.01 / (0.01 + 0.99 * np.array([high, low]))
    assert tuple(found.loc["valve", ["importance_low", "importance_high"]]) == pytest.approx(share, rel=1e-6)


def test_the_share_held_by_the_first_values_has_what_chance_leaves_of_it():
    given = Amounts(
        values=["a", "b"], amounts=[50.0, 40.0], counts=[100, 90], subtract=[50.0, 50.0], spread=[0.0, 0.0]
    )
    found = chance_of(given, draws=20_000, seed=1, level=0.95)
    rng = np.random.default_rng(2)
    first, second = (np.maximum(rng.poisson(mean, 20_000) - 50.0, 0) for mean in (100, 90))
    assert found.held[0] == pytest.approx(
        tuple(np.quantile(first / (first + second), [0.025, 0.975])), rel=0.02
    )
    assert found.held[1] == (1.0, 1.0)


def test_what_is_expected_of_a_cause_is_as_uncertain_as_the_failures_of_the_other_machines(
    planted_study: failures.FailureStudy,
):
    assert planted_study.causes
    for one in planted_study.causes:
        rests = poisson_interval(one.cause.outside, one.cause.outside)
        assert one.expected.n == round(one.cause.outside)
        expected = (one.cause.expected * float(rests.low), one.cause.expected * float(rests.high))
        assert ends(one.expected) == pytest.approx(expected, abs=0.51)
        # the share explained has the limits of the excess over all failures
        scale = float(one.share.value or 0) / one.cause.excess
        assert ends(one.share) == pytest.approx([edge * scale for edge in ends(one.excess)])


def test_simulated_shares_have_the_interval_of_their_number(planted_study: failures.FailureStudy):
    for rule in planted_study.rules:
        share = rule.false_alarms
        assert share.n and share.numerator == pytest.approx(float(share.value or 0) * share.n)
        assert share.interval is not None and share.interval.method == "Wilson score"


def test_what_a_quarter_comes_to_is_as_unsure_as_its_count_and_as_the_development():
    """Quarters of one process, watched to different ages, come to the true number as often as their intervals say."""
    random = np.random.default_rng(17)
    machines, rate, ages, quarters = 400.0, 0.02, 12, 6
    held = {(q, a): machines for q in range(quarters) for a in range(ages - 2 * q)}
    hits = trials = 0
    for _ in range(400):
        failed = {key: float(random.poisson(rate * machines * (0.5 if key[1] == 0 else 1.0))) for key in held}
        # the first month counts by half its exposure
        failed = {key: count * (2.0 if key[1] == 0 else 1.0) for key, count in failed.items()}
        end = _pooled(ages, held, failed, failed)
        for q in range(1, quarters):
            age = ages - 2 * q
            own = sum((0.5 if a == 0 else 1.0) * failed[q, a] for a in range(age))
            factor, spread = _pooled(age, held, failed, failed).developing_to(end)
            if own and spread:
                count = poisson_interval(own, machines)
                known = Interval(low=float(count.low), high=float(count.high), level=0.95, method="exact")
                found = _developed(own / machines, known, factor, spread)
                hits += found.low <= rate * (ages - 0.5) <= found.high
                trials += 1
    assert trials > 1_500 and 0.93 <= hits / trials <= 0.985


def test_a_quarter_as_old_as_the_triangle_keeps_the_interval_of_its_count():
    known = Interval(low=0.2, high=0.4, level=0.95, method="exact")
    found = _developed(0.3, known, 1.0, 0.0)
    assert (found.low, found.high) == pytest.approx((0.2, 0.4))
    wider = _developed(0.3, known, 2.0, 0.1)
    assert wider.low < 0.4 and wider.high > 0.8
