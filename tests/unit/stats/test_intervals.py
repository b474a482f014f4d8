from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.errors import ParameterError
from analysis.stats import (
    poisson_interval,
    proportion_difference_interval,
    proportion_interval,
    rate_ratio_interval,
    ratio_interval,
)
from analysis.stats.intervals import rate_ratio_p_value


def test_zero_failures_are_an_upper_bound_and_no_exposure_is_no_knowledge():
    rate = poisson_interval([0, 0, 4], [1000, 0, 1000])
    assert rate.low[0] == 0 and rate.high[0] == pytest.approx(-np.log(0.025) / 1000)
    assert np.isnan(rate.value[1]) and rate.low[1] == 0 and rate.high[1] == np.inf
    assert rate.low[2] > 0


def test_scalars_give_scalars_and_unpack_as_bounds():
    rate = poisson_interval(10)
    low, high = rate
    assert isinstance(rate.value, float) and (low, high) == (rate.low, rate.high)
    assert rate.scaled(1000).high == pytest.approx(1000 * high)


@pytest.mark.parametrize("seed", range(5))
def test_doubling_exposure_halves_the_rate(seed):
    rng = np.random.default_rng(seed)
    count, exposure = rng.poisson(3, 50), rng.uniform(1, 9, 50)
    one, two = poisson_interval(count, exposure), poisson_interval(count, 2 * exposure)
    for part in ("value", "low", "high"):
        np.testing.assert_allclose(getattr(one, part), 2 * getattr(two, part))


@pytest.mark.parametrize("mean", [0.5, 3.0, 20.0])
def test_exact_poisson_interval_never_covers_less_than_promised(mean):
    counts = np.arange(200)
    low, high = poisson_interval(counts, level=0.9)
    coverage = stats.poisson.pmf(counts, mean)[(low <= mean) & (mean <= high)].sum()
    assert 0.9 <= coverage < 0.99


@pytest.mark.parametrize("method", ["wilson", "jeffreys", "clopper_pearson"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5])
def test_proportion_intervals_cover_about_as_promised(method, share):
    n = 40
    hits = np.arange(n + 1)
    low, high = proportion_interval(hits, n, method=method)
    coverage = stats.binom.pmf(hits, n, share)[(low <= share) & (share <= high)].sum()
    assert coverage >= (0.95 if method == "clopper_pearson" else 0.90)
    assert np.all(low >= 0) and np.all(high <= 1) and np.all(low <= high)


@pytest.mark.parametrize("method", ["wilson", "jeffreys", "clopper_pearson"])
def test_edges_and_empty_samples(method):
    share = proportion_interval([0, 20, 0], [20, 20, 0], method=method)
    assert share.low[0] == 0 and 0 < share.high[0] < 0.2
    assert share.high[1] == 1 and 0.8 < share.low[1] < 1
    assert np.isnan(share.value[2]) and (share.low[2], share.high[2]) == (0, 1)


@pytest.mark.parametrize("seed", range(5))
def test_ratio_interval_and_its_p_value_agree_and_swap(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.poisson(6, 200), rng.poisson(9, 200)
    ratio = rate_ratio_interval(first, 2.0, second, 3.0)
    back = rate_ratio_interval(second, 3.0, first, 2.0)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(ratio.low, 1 / back.high, rtol=1e-9)
    outside = (ratio.low > 1) | (ratio.high < 1)
    np.testing.assert_array_equal(outside, rate_ratio_p_value(first, 2.0, second, 3.0) < 0.05)


def test_ratio_with_no_base_events_has_no_upper_bound():
    ratio = rate_ratio_interval([5, 0], [10, 10], [0, 0], [10, 10])
    assert ratio.high[0] == np.inf and ratio.low[0] > 0
    assert np.isnan(ratio.value[1]) and (ratio.low[1], ratio.high[1]) == (0, np.inf)


def test_difference_of_equal_shares_contains_zero():
    low, high = proportion_difference_interval(10, 40, 20, 80)
    assert low < 0 < high


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: poisson_interval(-1), "negative, missing or infinite"),
        (lambda: poisson_interval([1, np.nan]), "1 of 2 values"),
        (lambda: poisson_interval(3, 0), "events but no exposure"),
        (lambda: poisson_interval(3, level=95), "between 0 and 1"),
        (lambda: proportion_interval(5, 4, method="wilson"), "5 of 4"),
        (lambda: proportion_interval(1, 4, method="wilsn"), "Did you mean 'wilson'"),
        (lambda: rate_ratio_interval(5, 0, 4, 1), "needs exposure"),
    ],
)
def test_impossible_input_is_refused(call, message):
    with pytest.raises(ParameterError, match=message):
        call()


def test_a_ratio_of_sums_by_hand():
    # two parts: 3 of 10 and 5 of 10; ratio 0.4, departures ∓1, error √(2 × 2) ÷ 20, t with one degree 12.706
    found = ratio_interval([3, 5], [10, 10], level=0.95)
    assert found.value == pytest.approx(0.4)
    assert found.high - found.value == pytest.approx(12.7062 * 0.1, rel=1e-4)
    assert found.value - found.low == pytest.approx(found.high - found.value)
    with pytest.raises(ParameterError, match="needs two and a positive sum"):
        ratio_interval([3], [10])


@pytest.mark.parametrize("correlation", [0.0, 0.3])
def test_a_ratio_of_sums_lies_within_its_limits_as_often_as_promised(correlation):
    rng, held = np.random.default_rng(7), 0
    for _ in range(1500):
        below = rng.uniform(50, 150, 24)
        noise = rng.normal(size=25)
        above = 0.3 * below + 3 * (noise[1:] + correlation * noise[:-1])
        low, high = ratio_interval(above, below, level=0.9, correlation=correlation)
        held += low <= 0.3 <= high
    assert 0.88 <= held / 1500 <= 0.97
