from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.errors import ParameterError
from analysis.stats import mean_cumulative_difference, mean_cumulative_function


def by_definition(unit, age, starts, ends, weight, cost):
    """Estimate and Lawless-Nadeau variance, unit by unit and age by age."""
    at = np.unique(age)
    mean, variance = 0.0, []
    scores = np.zeros(len(ends))
    estimates = []
    for t in at:
        risk = (starts < t) & (t <= ends)
        own = np.array([cost[(unit == i) & (age == t)].sum() for i in range(len(ends))])
        n = weight[risk].sum()
        step = (weight * own).sum() / n
        scores += np.where(risk, (own - step) / n, 0.0)
        mean += step
        estimates.append(mean)
        variance.append((weight * scores**2).sum())
    return at, np.array(estimates), np.sqrt(variance)


def histories(seed, units=30):
    rng = np.random.default_rng(seed)
    starts, ends = rng.integers(0, 5, units).astype(float), rng.integers(6, 20, units).astype(float)
    unit = rng.integers(0, units, 45)
    age = starts[unit] + np.ceil(rng.uniform(0, 1, 45) * (ends - starts)[unit])
    return unit, age, starts, ends, rng.uniform(1, 5, 45)


@pytest.mark.parametrize("seed", range(8))
def test_running_sums_give_what_the_definition_gives(seed):
    unit, age, starts, ends, cost = histories(seed)
    result = mean_cumulative_function(unit, age, starts=starts, ends=ends, costs=cost)
    at, mean, error = by_definition(unit, age, starts, ends, np.ones(len(ends)), cost)
    np.testing.assert_allclose(result.table["age"], at)
    np.testing.assert_allclose(result.table["mcf"], mean)
    np.testing.assert_allclose(result.table["standard_error"], error, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_units_without_events_may_be_added_up_and_order_does_not_matter(seed):
    unit, age, starts, ends, _ = histories(seed)
    names = np.array([f"SN-{i:03d}" for i in range(len(ends))])
    quiet = 5
    plain = mean_cumulative_function(
        names[unit],
        age,
        units=np.r_[names, [f"quiet-{i}" for i in range(quiet)]],
        starts=np.r_[starts, np.zeros(quiet)],
        ends=np.r_[ends, np.full(quiet, 12.0)],
    )
    shuffle = np.random.default_rng(seed).permutation(len(age))
    grouped = mean_cumulative_function(
        names[unit][shuffle],
        age[shuffle],
        units=np.r_[names, ["quiet"]],
        starts=np.r_[starts, 0.0],
        ends=np.r_[ends, 12.0],
        unit_weights=np.r_[np.ones(len(ends)), quiet],
    )
    for column in ("at_risk", "mcf", "low", "high"):
        np.testing.assert_allclose(plain.table[column], grouped.table[column])
    assert plain.units == grouped.units


def test_repeats_of_one_unit_widen_the_interval_as_poisson_events_would_not():
    spread = mean_cumulative_function(np.arange(8), np.full(8, 3.0), ends=np.full(40, 10.0))
    clumped = mean_cumulative_function(np.repeat([0, 1], 4), np.full(8, 3.0), ends=np.full(40, 10.0))
    assert spread.table["mcf"].iloc[0] == clumped.table["mcf"].iloc[0] == 0.2
    assert clumped.table["standard_error"].iloc[0] > 1.9 * spread.table["standard_error"].iloc[0]


@pytest.mark.parametrize("seed", range(2))
def test_interval_covers_the_mean_of_a_clumped_process(seed):
    rng = np.random.default_rng(seed)
    hits, repeats = 0, 150
    for _ in range(repeats):
        frailty = rng.gamma(1.0, 1.0, 120)
        ends = rng.uniform(6, 14, 120)
        counts = rng.poisson(0.2 * frailty * ends)
        unit = np.repeat(np.arange(120), counts)
        age = rng.uniform(0, 1, len(unit)) * ends[unit]
        row = mean_cumulative_function(unit, np.maximum(age, 1e-9), ends=ends, level=0.9).at([6.0]).iloc[0]
        hits += row["low"] <= 1.2 <= row["high"]
    assert abs(hits / repeats - 0.9) < 4 * np.sqrt(0.09 / repeats)


def test_step_function_before_between_and_beyond():
    result = mean_cumulative_function([0, 1], [2.0, 5.0], ends=[10.0, 10.0])
    shown = result.at([1.0, 2.0, 4.9, 10.0, 10.1])
    np.testing.assert_allclose(shown["mcf"], [0, 0.5, 0.5, 1.0, np.nan])


def test_units_of_which_none_had_an_event_have_a_function_of_zero():
    one = mean_cumulative_function([0], [2.0], ends=[10.0, 10.0])
    result = replace(one, table=one.table.head(0))
    np.testing.assert_allclose(result.at([0.0, 10.0, 10.1])["mcf"], [0, 0, np.nan])


def test_difference_of_two_groups_by_hand():
    first = mean_cumulative_function([0, 1], [2.0, 5.0], ends=[10.0, 10.0])
    second = mean_cumulative_function([0], [3.0], ends=[4.0, 4.0])
    table = mean_cumulative_difference(first, second, level=0.95)
    np.testing.assert_allclose(table["age"], [2.0, 3.0])
    np.testing.assert_allclose(table["difference"], [0.5, 0.0])
    # both variances at age 3 are 2 x (0.5 / 2) ** 2 = 1 / 8
    np.testing.assert_allclose(table["high"][1], 1.959964 * 0.5, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_cumulative_function([], [], ends=[5.0]), "no events among 1 units"),
        (lambda: mean_cumulative_function([0], [6.0], ends=[5.0]), "1 of 1 events lie outside"),
        (
            lambda: mean_cumulative_function([0], [2.0], ends=[5.0], starts=[2.0]),
            "outside their unit's window",
        ),
        (lambda: mean_cumulative_function([3], [2.0], ends=[5.0]), "positions 0 to 0, e.g. 3"),
        (lambda: mean_cumulative_function(["b"], [2.0], units=["a"], ends=[5.0]), "e.g. b"),
        (lambda: mean_cumulative_function(["a"], [2.0], units=["a", "a"], ends=[5.0, 5.0]), "1 repeat"),
        (lambda: mean_cumulative_function([0], [2.0], ends=[5.0], starts=[6.0]), "no valid window"),
        (lambda: mean_cumulative_function([0], [2.0], ends=[5.0], costs=[-1.0]), "interval='normal'"),
        (lambda: mean_cumulative_function([0], [2.0], ends=[5.0], level=2), "between 0 and 1"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ParameterError, match=message):
        call()
