"""Limits of a contrast hold at two or three years of months, also when months hang together."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from analysis.costs.serial import contrast, newey_west, t_tail
from analysis.errors import FitError


def design(count, start):
    time = np.arange(count, dtype=float)
    return np.column_stack([np.ones(count), time - time.mean(), time >= start]).astype(float)


def correlated(rng, rho, shape):
    noise = rng.normal(size=(*shape[:-1], shape[-1] + 60))
    for month in range(1, noise.shape[-1]):
        noise[..., month] += rho * noise[..., month - 1]
    return noise[..., 60:]


def test_estimate_and_newey_west_agree_with_statsmodels():
    rng = np.random.default_rng(3)
    terms, values = design(36, 24), correlated(rng, 0.4, (36,))
    fit = sm.OLS(values, terms).fit(cov_type="HAC", cov_kwds={"maxlags": 3, "use_correction": True})
    found = contrast(terms, values, np.array([0.0, 0.0, 1.0]))
    assert found.coefficients == pytest.approx(fit.params)
    loads = np.linalg.pinv(terms).T @ np.array([0.0, 0.0, 1.0])
    mine = newey_west(np.asarray(fit.resid)[None, :], loads, 3)[0]
    assert mine == pytest.approx(fit.cov_params()[2, 2])
    assert found.standard_error**2 >= mine * (1 - 1e-12)


def test_many_series_are_the_same_as_one_by_one():
    rng = np.random.default_rng(4)
    terms, values, weights = design(30, 20), correlated(rng, 0.3, (5, 30)), np.array([0.0, 1.0, 1.0])
    together = contrast(terms, values, weights)
    for place in range(5):
        alone = contrast(terms, values[place], weights)
        assert alone.estimate == pytest.approx(together.estimate[place])
        assert alone.standard_error == pytest.approx(together.standard_error[place])
        assert alone.tail() == pytest.approx(together.tail()[place])


@pytest.mark.parametrize(("rho", "least"), [(0.0, 0.94), (0.3, 0.92), (0.5, 0.89)])
def test_coverage_of_nominal_95(rho, least):
    # 1,000 series: 0.02 below the promised coverage is three standard errors.
    values = correlated(np.random.default_rng(5), rho, (1000, 36))
    low, high = contrast(design(36, 24), values, np.array([0.0, 0.0, 1.0])).limits(0.95)
    assert np.mean((low <= 0) & (high >= 0)) >= least


def test_correlation_is_found_where_residuals_hide_it():
    # Residuals of 24 months with three terms understate a correlation of 0.5 by about 0.2.
    values = correlated(np.random.default_rng(6), 0.5, (3000, 24))
    found = contrast(design(24, 16), values, np.array([0.0, 0.0, 1.0])).correlation
    assert np.mean(found) == pytest.approx(0.5, abs=0.08)


def test_an_exact_series_has_no_error():
    found = contrast(design(20, 10), 3.0 + 2.0 * (np.arange(20) >= 10), np.array([0.0, 0.0, 1.0]))
    assert found.estimate == pytest.approx(2.0) and found.standard_error == 0.0
    assert (t_tail(1.0, 0.0, 5.0), t_tail(-1.0, 0.0, 5.0), t_tail(0.0, 0.0, 5.0)) == (0.0, 1.0, 0.5)


def test_refusals():
    with pytest.raises(FitError, match="1 months have no value"):
        contrast(design(20, 10), np.r_[np.nan, np.zeros(19)], np.array([0.0, 0.0, 1.0]))
    with pytest.raises(FitError, match="6 months are too few, or too alike, for 3 terms"):
        contrast(design(6, 3), np.zeros(6), np.array([0.0, 0.0, 1.0]))
