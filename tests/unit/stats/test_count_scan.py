"""A surge of counts: found where it is, by hand in its numbers, and rarely where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from analysis import stats
from analysis.errors import FitError, ParameterError


def test_a_window_by_hand():
    # 12 months alike, 48 events outside: 4.8 a month; two months of 15 and 17 stand out
    counts = [5, 4, 6, 5, 15, 17, 5, 4, 6, 5, 4, 4]
    found = stats.count_surge(counts, [2.0] * 12, seed=1)
    assert (found.start, found.stop, found.count) == (4, 6, 32)
    assert found.expected == pytest.approx(2 * 48 / 10)
    assert found.ratio == pytest.approx(16 / 4.8)
    assert found.dispersion == 1.0
    # Kulldorff's log-likelihood ratio: c log(c/e) + (C - c) log((C - c)/(C - e)), e = 80 * 2/12
    assert found.statistic == pytest.approx(32 * np.log(32 / (80 / 6)) + 48 * np.log(48 / (80 * 5 / 6)))
    assert found.p_value == pytest.approx(1 / 10_000)


def test_exposure_is_held_against_and_a_month_of_many_terms_is_no_surge():
    exposure = np.array([10, 10, 10, 10, 40, 10, 10, 10, 10, 10, 10, 10.0])
    counts = exposure.astype(int) // 2
    assert stats.count_surge(counts, np.ones(12), seed=1).p_value < 0.001
    assert stats.count_surge(counts, exposure, seed=1).p_value > 0.5


def test_no_window_begins_before_it_may():
    counts = [30, 5, 5, 5, 5, 5, 5, 5, 5, 9, 5, 5]
    assert stats.count_surge(counts, np.ones(12), seed=1).start == 0
    assert stats.count_surge(counts, np.ones(12), since=6, seed=1).start == 9


@pytest.mark.parametrize("shape", [None, 30.0], ids=["chance alone", "months that vary by more than chance"])
def test_of_series_without_a_surge_about_one_in_twenty_is_named(shape: float | None):
    random, named, series = np.random.default_rng(5), 0, 300
    for seed in range(series):
        usual = random.uniform(5, 25, 24)
        mixed = usual if shape is None else usual * random.gamma(shape, 1 / shape, 24)
        named += (
            stats.count_surge(random.poisson(mixed), usual, since=12, draws=399, seed=seed).p_value <= 0.05
        )
    # refuted where one in twenty, or with months that vary one in ten, could not have made as many
    assert binomtest(named, series, 0.05 if shape is None else 0.10, alternative="greater").pvalue > 0.01


def test_a_planted_surge_is_found_where_it_is():
    random, found = np.random.default_rng(8), 0
    for seed in range(40):
        mean = np.full(24, 15.0)
        mean[17:19] *= 2.5
        surge = stats.count_surge(random.poisson(mean), np.ones(24), since=12, draws=399, seed=seed)
        found += surge.p_value <= 0.05 and (surge.start, surge.stop) == (17, 19)
    assert found >= 34


def test_months_that_vary_are_judged_by_how_much():
    waves = np.tile([4, 16], 12)
    waves[20] = 26
    plain = stats.count_surge(waves, np.ones(24), windows=(1,), since=12, seed=1)
    assert plain.dispersion > 3 and plain.p_value > 0.05


@pytest.mark.parametrize(
    ("counts", "expected", "error", "message"),
    [
        ([0] * 12, [1.0] * 12, FitError, "no events"),
        ([1, 2, 3], [1.0] * 3, FitError, "at least 6 are needed"),
        ([1.5] * 12, [1.0] * 12, ParameterError, "whole numbers"),
        ([1] * 12, [0.0] + [1.0] * 11, ParameterError, "above zero"),
    ],
)
def test_what_cannot_be_scanned_is_refused(counts, expected, error, message):
    with pytest.raises(error, match=message):
        stats.count_surge(counts, expected, seed=1)
