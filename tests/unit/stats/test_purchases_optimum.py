"""Second derivatives of every model, and the Newton optimum against a general search from elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from analysis.stats import fit_bgnbd, fit_mbgnbd, fit_pareto_nbd

FITS = {"bg": fit_bgnbd, "mbg": fit_mbgnbd, "pareto": fit_pareto_nbd}


def customers(kind, seed=8, count=1200):
    random = np.random.default_rng(seed)
    age = np.ceil(random.uniform(20, 60, count))
    rate = random.gamma(0.8, 1 / 6, count)
    if kind == "pareto":
        end = np.minimum(age, random.exponential(1 / random.gamma(0.7, 1 / 12, count)))
        times = [
            np.sort(random.uniform(0, stop, n))
            for stop, n in zip(end, random.poisson(rate * end), strict=True)
        ]
    else:
        leave, times = random.beta(0.9, 2.5, count), []
        for one in range(count):
            bought, there = [], not (kind == "mbg" and random.random() < leave[one])
            clock = random.exponential(1 / rate[one])
            while there and clock <= age[one]:
                bought.append(clock)
                there, clock = random.random() >= leave[one], clock + random.exponential(1 / rate[one])
            times.append(bought)
    frequency = np.array([len(t) for t in times], dtype=float)
    return frequency, np.minimum(np.array([np.ceil(t[-1]) if len(t) else 0.0 for t in times]), age), age


@pytest.mark.parametrize("kind", FITS)
def test_hessian_is_the_derivative_of_the_gradient_away_from_and_at_the_optimum(kind):
    model = FITS[kind](*customers(kind))
    objective = model.fit._objective
    for theta in (model.fit.estimate, model.fit.estimate * [1.3, 0.8, 0.7, 1.4]):
        _, slope, bend = objective(theta)
        scale = np.sqrt(np.abs(np.diag(bend)))
        for place, step in enumerate(np.diag(theta * 1e-5)):
            up, down = objective(theta + step), objective(theta - step)
            size = 2 * step[place]
            assert (up[0] - down[0]) / size == pytest.approx(slope[place], rel=1e-5, abs=1e-4 * scale[place])
            assert (up[1] - down[1]) / size / scale == pytest.approx(
                bend[place] / scale, rel=1e-5, abs=1e-5 * scale[place]
            )


@pytest.mark.parametrize("kind", FITS)
def test_newton_ends_where_a_general_search_ends(kind):
    model = FITS[kind](*customers(kind))
    objective, best = model.fit._objective, np.log(model.fit.estimate)

    def downhill(point):
        value, slope, _ = objective(np.exp(point))
        return -value, -slope * np.exp(point)

    found = minimize(downhill, best + [0.6, -0.5, 0.5, -0.4], jac=True, method="BFGS", options={"gtol": 1e-7})
    assert -found.fun == pytest.approx(model.log_likelihood, abs=1e-6)
    assert found.x == pytest.approx(best, abs=1e-3)
    assert np.abs(downhill(best)[1]).max() < 1e-3
