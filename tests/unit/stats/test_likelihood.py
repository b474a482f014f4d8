"""Newton steps in logarithms: right answers, honest intervals, and a refusal where there is no maximum."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import FitError, ParameterError
from analysis.stats.likelihood import maximise


def exponential(count: float, total: float):
    def objective(theta):
        rate = theta[0]
        return (
            count * np.log(rate) - rate * total,
            np.array([count / rate - total]),
            np.array([[-count / rate**2]]),
        )

    return objective


def test_exponential_by_hand():
    # Ten events in twenty unit-years: rate 1/2, log error 1/sqrt(10), likelihood ratio limits of Poisson counts.
    fit = maximise(exponential(10, 20), np.array([7.0]), names=("rate",), what="exponential")
    assert fit.value("rate") == pytest.approx(0.5)
    assert fit.table().loc["rate", "log_std_error"] == pytest.approx(1 / np.sqrt(10))
    low, high = fit.interval("rate", method="profile")
    for limit in (low, high):
        drop = 2 * (fit.log_likelihood - (10 * np.log(limit) - 20 * limit))
        assert drop == pytest.approx(3.841459, abs=1e-4)
    assert fit.interval("rate")[0] < 0.5 < fit.interval("rate")[1]


def test_no_maximum_is_refused():
    with pytest.raises(FitError, match=r"exponential: no estimate; rate runs to zero"):
        maximise(exponential(0, 20), np.array([1.0]), names=("rate",), what="exponential")

    def valley(theta):  # only the product matters
        product = theta[0] * theta[1]
        slope = 10 / theta - 20 * product / theta
        bend = np.array([[-10 / theta[0] ** 2, -20.0], [-20.0, -10 / theta[1] ** 2]])
        return 10 * np.log(product) - 20 * product, slope, bend

    with pytest.raises(FitError, match=r"valley: not converged .* flat"):
        maximise(valley, np.array([1.0, 2.0]), names=("a", "b"), what="valley")


def test_refusals():
    fit = maximise(exponential(10, 20), np.array([7.0]), names=("rate",), what="exponential")
    with pytest.raises(ParameterError, match=r"no parameter 'rat'. Did you mean 'rate'"):
        fit.interval("rat")
    with pytest.raises(ParameterError, match=r"unknown method 'profil'. Did you mean 'profile'"):
        fit.interval("rate", method="profil")
