"""Predictions at parameters that others published, without data and without a fit: values as printed, and no interval made up."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import stats
from analysis.errors import ParameterError

CDNOW = stats.GeometricModel.from_parameters(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="weeks")
CDNOW_PARETO = stats.ParetoModel.from_parameters(r=0.553, alpha=10.580, s=0.606, beta=11.656, unit="weeks")
CDNOW_SPEND = stats.GammaGammaModel.from_parameters(p=6.25, q=3.74, v=15.44)
REGULAR = stats.ContractModel.from_parameters(alpha=0.704, beta=1.182)
DONORS = stats.OpportunityModel.from_parameters(alpha=1.204, beta=0.750, gamma=0.657, delta=2.783)
BURN_IN = stats.MixtureFit.from_parameters(shares=[0.1, 0.9], shapes=[0.5, 3.0], scales=[100.0, 1000.0])
LIVES = {
    "weibull": stats.WeibullFit.from_parameters(shape=1.5, scale=5000.0),
    "exponential": stats.ExponentialFit.from_parameters(scale=500.0),
    "lognormal": stats.LognormalFit.from_parameters(median=20000.0, spread=0.5),
    "threshold": stats.ThresholdWeibullFit.from_parameters(threshold=50.0, shape=2.0, scale=10.0),
    "mixture": BURN_IN,
}


def test_bgnbd_of_cdnow():
    # Fader, Hardie and Lee (2005), "Implementing the BG/NBD model for customer base analysis in Excel": 1.226 purchases in the next 39 weeks
    assert CDNOW.expected_purchases(39, [2], [30.43], [38.86])[0] == pytest.approx(1.226, abs=5e-4)
    # their E[X(t)] after 1, 3 and 32 weeks
    assert CDNOW.expected_purchases_of_new([1.0, 3.0, 32.0]) == pytest.approx(
        [0.0532, 0.1506, 1.0437], abs=2e-3
    )
    # the walkthrough of R's BTYD package: a new customer's year 1.444; customer 1516 (26 purchases, the last after 30.86 of 31 weeks) 25.76 and 0.969
    assert CDNOW.expected_purchases_of_new([52.0])[0] == pytest.approx(1.444, abs=2.5e-3)
    assert CDNOW.expected_purchases(52, [26], [30.86], [31.0])[0] == pytest.approx(25.76, abs=5e-3)
    assert CDNOW.probability_alive([26], [30.86], [31.0])[0] == pytest.approx(0.969, abs=5e-4)


def test_pareto_nbd_of_cdnow():
    # the walkthrough of R's BTYD package (0.553, 10.580, 0.606, 11.656): 1.473 and, for customer 1516, 25.46 and 0.998
    assert CDNOW_PARETO.expected_purchases_of_new([52.0])[0] == pytest.approx(1.473, abs=1.5e-3)
    assert CDNOW_PARETO.expected_purchases(52, [26], [30.86], [31.0])[0] == pytest.approx(25.46, abs=6e-3)
    assert CDNOW_PARETO.probability_alive([26], [30.86], [31.0])[0] == pytest.approx(0.998, abs=5e-4)


def test_modified_bgnbd_is_another_model():
    modified = stats.GeometricModel.from_parameters(r=0.525, alpha=6.183, a=0.891, b=1.614, modified=True)
    # by hand: without a repeat the odds of being gone are a / b times ((alpha + T) / alpha) to the power r
    odds = 0.891 / 1.614 * ((6.183 + 38.86) / 6.183) ** 0.525
    assert modified.probability_alive([0], [0], [38.86])[0] == pytest.approx(1 / (1 + odds), rel=1e-12)
    assert CDNOW.probability_alive([0], [0], [38.86])[0] == 1


def test_gamma_gamma_of_cdnow():
    # Fader and Hardie (2013): the mean p v / (q - 1) = 35.2; their equation 5 for three purchases of 50 by hand
    assert CDNOW_SPEND.mean == pytest.approx(35.2, abs=0.05)
    by_hand = 6.25 * (15.44 + 3 * 50) / (6.25 * 3 + 3.74 - 1)
    assert CDNOW_SPEND.expected_value([3, 0], [50.0, np.nan]) == pytest.approx([by_hand, CDNOW_SPEND.mean])


def test_shifted_beta_geometric_of_regular_customers():
    # Fader and Hardie (2007), section "Projections", alpha 0.704 and beta 1.182: S(t) = prod (beta + t - 1) / (alpha + beta + t - 1)
    first, second = 1.182 / 1.886, 2.182 / 2.886
    assert REGULAR.survival([0, 1, 2]) == pytest.approx([1, first, first * second])
    assert REGULAR.retention([1, 2]) == pytest.approx([first, second])


def test_donors_of_a_public_radio_station():
    # the walkthrough of R's BTYD package on the donors of Fader, Hardie and Shang (2010): 3.18; 0.130 and 3.627 in the next ten years
    assert DONORS.expected_purchases_of_new([10])[0] == pytest.approx(3.18, abs=5e-3)
    found = DONORS.expected_purchases(10, [0, 4], [0, 5], [6, 6])
    assert found == pytest.approx([0.130, 3.627], abs=1.5e-3)
    # their table 6: a donor of every year gives 3.75 times in the next five, one who never came back 0.07 times
    assert DONORS.expected_purchases(5, [6, 0], [6, 0], [6, 6]) == pytest.approx([3.75, 0.07], abs=5e-3)


def test_lives_of_the_nist_handbook():
    # NIST/SEMATECH e-Handbook, 8.1.6.2: shape 1.5, scale 5,000, F(1000) = 0.08556; 8.1.6.4: median 20,000, sigma 0.5, F(5000) = 0.00278
    assert LIVES["weibull"].failure_share(1000.0).value == pytest.approx(0.08556, abs=5e-6)
    assert 1 - LIVES["lognormal"].survival(5000.0) == pytest.approx(0.00278, abs=5e-6)
    assert LIVES["exponential"].survival([0.0, 500.0]) == pytest.approx([1, np.exp(-1)])
    # by hand: a hundredth of the main population and all but exp(-1) of the weak tenth have failed at 100, 10 % of the scale of the main one
    failed = 0.1 * (1 - np.exp(-1)) + 0.9 * (1 - np.exp(-0.001))
    assert BURN_IN.survival(100.0) == pytest.approx(1 - failed)
    assert BURN_IN.b_life(failed).value == pytest.approx(100.0)
    assert LIVES["threshold"].b_life(1 - np.exp(-1)).value == pytest.approx(60.0)


@pytest.mark.parametrize(
    "model", [CDNOW, CDNOW_PARETO, CDNOW_SPEND, REGULAR, DONORS], ids=lambda m: type(m).__name__
)
def test_stated_purchase_parameters_have_no_errors_and_no_likelihood(model):
    table = model.fit.table()
    assert table["estimate"].tolist() == [getattr(model, name) for name in model.fit.names]
    assert table[["log_std_error", "low", "high"]].isna().all(axis=None)
    assert np.isnan(model.log_likelihood) and np.isnan(model.customers) and not model.fit.fitted
    for method in ("hessian", "profile"):
        with pytest.raises(ParameterError, match="was stated, not fitted; it has no interval"):
            model.fit.interval(model.fit.names[0], method=method)


@pytest.mark.parametrize("name", LIVES)
def test_stated_lives_have_no_limits(name):
    life = LIVES[name]
    found = life.b_life(0.1)
    assert np.isfinite(found.value) and np.isnan(found.low) and np.isnan(found.high)
    assert found.method == "none: parameters stated, not fitted"
    assert np.isnan(life.log_likelihood) and np.isnan(life.aic) and np.isnan(life.bic)


def test_a_stated_shape_is_read_as_it_stands():
    directions = {
        shape: stats.WeibullFit.from_parameters(shape=shape, scale=1.0).hazard_direction()
        for shape in (0.9, 1.0, 1.1)
    }
    assert directions == {0.9: "falling", 1.0: "unclear", 1.1: "rising"}
    interval = LIVES["weibull"].shape_interval()
    assert interval.value == pytest.approx(1.5) and np.isnan(interval.low) and np.isnan(interval.high)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: stats.GeometricModel.from_parameters(r=0.2, alpha=-4.0, a=0.8, b=2.4), "BG/NBD: alpha lies above zero; got -4"),
        (lambda: stats.ParetoModel.from_parameters(r=0.0, alpha=1.0, s=1.0, beta=1.0), "Pareto/NBD: r lies above zero"),
        (lambda: stats.ContractModel.from_parameters(alpha="abc", beta=1.0), "alpha is 'abc' .str.; give one finite number"),
        (lambda: stats.OpportunityModel.from_parameters(alpha=1.0, beta=1.0, gamma=float("nan"), delta=1.0), "gamma is nan"),
        (lambda: stats.WeibullFit.from_parameters(shape=0.0, scale=1.0), "life: shape lies above zero; got 0"),
        (lambda: stats.LognormalFit.from_parameters(median=1.0, spread=-1.0), "life: spread lies above zero"),
        (lambda: stats.MixtureFit.from_parameters(shares=[0.5, 0.6], shapes=[1, 2], scales=[1, 2]), "shares sum to 1.1, not to 1"),
        (lambda: stats.MixtureFit.from_parameters(shares=[1.0], shapes=[1], scales=[1]), "each of two populations or more"),
        (lambda: stats.MixtureFit.from_parameters(shares=[0.4, 0.6], shapes=[1, 2], scales=[1, -2]), "scales lie above zero"),
        (lambda: stats.ThresholdWeibullFit.from_parameters(threshold=-5.0, shape=1.0, scale=1.0), "threshold lies above zero"),
    ],
)  # fmt: skip
def test_parameters_that_cannot_be_are_refused(make, said):
    with pytest.raises(ParameterError, match=said):
        make()
