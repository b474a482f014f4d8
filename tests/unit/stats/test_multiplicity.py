from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import ParameterError
from analysis.stats import adjust_p_values


def test_holm_and_benjamini_hochberg_on_paper():
    p = [0.04, 0.01, 0.03]
    # Holm: 3 x 0.01, 2 x 0.03, then not below its predecessor. BH: min over larger ranks of 3 p / rank.
    np.testing.assert_allclose(adjust_p_values(p, method="holm"), [0.06, 0.03, 0.06])
    np.testing.assert_allclose(adjust_p_values(p, method="benjamini_hochberg"), [0.04, 0.03, 0.04])
    np.testing.assert_allclose(adjust_p_values(p, method="bonferroni"), [0.12, 0.03, 0.09])


def test_untestable_hypotheses_stay_blank_and_do_not_count():
    adjusted = adjust_p_values([0.01, np.nan, 0.04], method="bonferroni")
    np.testing.assert_allclose(adjusted[[0, 2]], [0.02, 0.08])
    assert np.isnan(adjusted[1])
    assert np.isnan(adjust_p_values([np.nan], method="holm")).all()


@pytest.mark.parametrize(
    "method", ["bonferroni", "holm", "hochberg", "benjamini_hochberg", "benjamini_yekutieli"]
)
def test_left_out_hypotheses_count_as_one(method):
    p = np.concatenate([[0.001, 0.002], np.ones(8)])
    np.testing.assert_allclose(
        adjust_p_values(p[:2], method=method, tests=10), adjust_p_values(p, method=method)[:2]
    )


@pytest.mark.parametrize("method", ["bonferroni", "holm", "hochberg", "hommel"])
def test_familywise_error_stays_at_its_level(method):
    rng = np.random.default_rng(5)
    hits = [adjust_p_values(rng.uniform(size=12), method=method).min() < 0.05 for _ in range(2000)]
    assert np.mean(hits) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)


def test_refusals():
    with pytest.raises(ParameterError, match="Did you mean 'holm'"):
        adjust_p_values([0.1], method="holms")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="lie between 0 and 1"):
        adjust_p_values([1.2], method="holm")
    with pytest.raises(ParameterError, match="tests=1"):
        adjust_p_values([0.1, 0.2], method="holm", tests=1)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_statsmodels(seed):
    from statsmodels.stats.multitest import multipletests

    names = {
        "holm": "holm",
        "hochberg": "simes-hochberg",
        "benjamini_hochberg": "fdr_bh",
        "benjamini_yekutieli": "fdr_by",
    }
    p = np.random.default_rng(seed).uniform(size=20).round(1)
    for ours, theirs in names.items():
        np.testing.assert_allclose(adjust_p_values(p, method=ours), multipletests(p, method=theirs)[1])
