"""Published intervals and adjusted p-values."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.stats import (
    adjust_p_values,
    poisson_interval,
    proportion_difference_interval,
    proportion_interval,
    rate_ratio_interval,
)


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.390)])
def test_exact_poisson_limits_of_garwood(count, low, high):
    # Garwood (1936), Biometrika 28, 437-442, 95 % limits (also Biometrika Tables for Statisticians I, Table 40).
    assert tuple(poisson_interval(count)) == pytest.approx((low, high), abs=5e-4)


def test_ratio_of_two_poisson_rates_of_r():
    # R manual, stats::poisson.test, example 2: 11 in 800 against 21 in 3011 person-years.
    ratio = rate_ratio_interval(11, 800, 6 + 8 + 7, 1083 + 1050 + 878)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((1.971488, 0.8584264, 4.2772659), rel=1e-6)


@pytest.mark.parametrize(
    ("hit", "n", "method", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, 857-872, Table I, methods 3 (score) and 5 (Clopper-Pearson).
        (81, 263, "wilson", 0.2553, 0.3662),
        (15, 148, "wilson", 0.0624, 0.1605),
        (0, 20, "wilson", 0.0, 0.1611),
        (1, 29, "wilson", 0.0061, 0.1718),
        (81, 263, "clopper_pearson", 0.2527, 0.3676),
        (15, 148, "clopper_pearson", 0.0578, 0.1617),
        (0, 20, "clopper_pearson", 0.0, 0.1684),
        (1, 29, "clopper_pearson", 0.0009, 0.1776),
    ],
)
def test_shares_of_newcombe(hit, n, method, low, high):
    assert tuple(proportion_interval(hit, n, method=method)) == pytest.approx((low, high), abs=5.1e-5)


@pytest.mark.parametrize(("x", "low", "high"), [(0, 0.0, 0.217), (1, 0.011, 0.381), (5, 0.224, 0.776)])
def test_jeffreys_limits_of_brown_cai_dasgupta(x, low, high):
    # Brown, Cai and DasGupta (2001), Statistical Science 16, p. 122, Table 5, n = 10.
    assert tuple(proportion_interval(x, 10, method="jeffreys")) == pytest.approx((low, high), abs=5e-4)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0000),
    ],
)
def test_differences_of_shares_of_newcombe(first, second, low, high):
    # Newcombe (1998), Statistics in Medicine 17, 873-890, Table II, method 10.
    assert tuple(proportion_difference_interval(*first, *second)) == pytest.approx((low, high), abs=6e-5)


def test_thrombolysis_trial_of_benjamini_and_hochberg():
    # Benjamini and Hochberg (1995), JRSS B 57, section 4.1: 15 comparisons; Bonferroni and Hochberg reject three, FDR four.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    p += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    rejected = {
        m: int(np.sum(adjust_p_values(p, method=m) <= 0.05))
        for m in ("bonferroni", "hochberg", "benjamini_hochberg")
    }
    assert rejected == {"bonferroni": 3, "hochberg": 3, "benjamini_hochberg": 4}
