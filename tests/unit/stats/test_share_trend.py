"""The trend of a share: by hand, within strata, less sure where the months of a year disagree, and as often wrong as it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from analysis import stats
from analysis.errors import FitError, ParameterError


def test_by_hand():
    # 15 of 30 over scores 0, 1, 2: beyond 15 times the middle score lie 5 * 1 + 9 * 2 - 15 = 8; variance 20 / 4 * 30 / 29
    found = stats.share_trend([1, 5, 9], [10, 10, 10], [0, 1, 2])
    assert found.statistic == pytest.approx(8 / np.sqrt(20 / 4 * 30 / 29))
    assert (found.dispersion, found.freedom) == (1.0, 0)


def test_of_two_scores_it_is_the_comparison_of_two_shares():
    found = stats.share_trend([30, 50], [100, 120], [0, 1])
    whole = chi2_contingency([[30, 50], [70, 70]], correction=False)
    assert found.statistic**2 == pytest.approx(whole.statistic * 219 / 220)
    # neither the order of cells nor the unit of the scores matters
    turned = stats.share_trend([50, 30], [120, 100], [2026, 2025])
    assert turned.p_value == pytest.approx(found.p_value)


def test_a_mix_that_moves_is_no_trend_within_strata():
    # 10 % in one stratum and 50 % in the other at all times; the second grows from a tenth to half of all
    hits, trials = [9, 5, 5, 25], [90, 10, 50, 50]
    scores, strata = [0, 0, 1, 1], ["plain", "other", "plain", "other"]
    assert stats.share_trend([14, 30], [100, 100], [0, 1]).p_value < 0.01
    assert stats.share_trend(hits, trials, scores, strata=strata).statistic == pytest.approx(0)


def test_months_that_disagree_make_it_less_sure():
    calm = stats.share_trend([20, 20, 30, 30], [100] * 4, [0, 0, 1, 1])
    rough = stats.share_trend([5, 35, 10, 50], [100] * 4, [0, 0, 1, 1])
    # Pearson's statistic of the months of the two years over two degrees of freedom
    pearson = 2 * 15**2 / (20 * 0.8) + 2 * 20**2 / (30 * 0.7)
    assert calm.dispersion == 1.0 and rough.dispersion == pytest.approx(pearson / 2)
    assert rough.statistic == pytest.approx(calm.statistic / np.sqrt(pearson / 2))
    assert rough.p_value > calm.p_value
    assert stats.share_trend([25, 35], [100, 100], [0, 1], dispersion=4.0).statistic == pytest.approx(
        stats.share_trend([25, 35], [100, 100], [0, 1]).statistic / 2
    )


@pytest.mark.parametrize("clumps", [0.0, 0.08])
def test_without_a_trend_it_is_found_as_often_as_promised(clumps: float):
    random, scores, found = np.random.default_rng(7), np.repeat([0, 1, 2], 12), 0
    for _ in range(600):
        share = np.clip(0.2 + clumps * random.standard_normal(36), 0, 1)
        found += stats.share_trend(random.binomial(40, share), np.full(36, 40), scores).p_value < 0.05
    # 30 of 600 with a standard deviation of 5.3; allowed for are 3.5 of them
    assert 10 <= found <= 49


def test_what_cannot_be_said():
    for hits, trials, scores in (
        ([0, 0], [9, 9], [0, 1]),
        ([1, 2], [9, 9], [1, 1]),
        ([0, 0], [0, 0], [0, 1]),
    ):
        with pytest.raises(FitError, match="none or all, or there is only one score"):
            stats.share_trend(hits, trials, scores)
    with pytest.raises(ParameterError, match="no more successes"):
        stats.share_trend([5], [3], [1])
    with pytest.raises(ParameterError, match="whole numbers"):
        stats.share_trend([1.5, 1], [3, 3], [0, 1])
