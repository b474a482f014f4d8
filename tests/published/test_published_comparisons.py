"""Published answers of models that reviewers recompute with: discrete purchases, accelerated life, exact ties, standardisation, choice of smoothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels

from analysis import stats
from analysis.errors import FitError, ParameterError

# 6-mercaptopurine against placebo, weeks of remission: Freireich et al. (1963), Blood 21, 699-716; Kalbfleisch and Prentice (2002).
TREATED = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
WEEKS, RELAPSE = TREATED + PLACEBO, RELAPSED + [1] * 21
CONTROL = pd.DataFrame({"control": [0] * 21 + [1] * 21})

# Donors of 1995 over six years: times given, year of the last gift, number of donors: Fader, Hardie and Shang (2010), table 1.
DONORS = [
    *[(6, 6, 1203), (5, 6, 728), (4, 6, 512), (3, 6, 357), (2, 6, 234), (1, 6, 129)],
    *[(5, 5, 335), (4, 5, 284), (3, 5, 225), (2, 5, 173), (1, 5, 119)],
    *[(4, 4, 240), (3, 4, 181), (2, 4, 155), (1, 4, 78), (3, 3, 322), (2, 3, 255), (1, 3, 129)],
    *[(2, 2, 613), (1, 2, 277), (1, 1, 1091), (0, 0, 3464)],
]

# Visitor nights of Australian tourists, millions per quarter from 2005: Hyndman and Athanasopoulos (2018), section 7.6.
TOURISTS = [
    *[
        42.20566,
        24.64917,
        32.66734,
        37.25735,
        45.24246,
        29.35048,
        36.34421,
        41.78208,
        49.27660,
        31.27540,
        37.85063,
    ],
    *[
        38.83704,
        51.23690,
        31.83855,
        41.32342,
        42.79900,
        55.70836,
        33.40714,
        42.31664,
        45.15712,
        59.57608,
        34.83733,
    ],
    *[
        44.84168,
        46.97125,
        60.01903,
        38.37118,
        46.97586,
        50.73380,
        61.64687,
        39.29957,
        52.67121,
        54.33232,
        66.83436,
    ],
    *[
        40.87119,
        51.82854,
        57.49191,
        65.25147,
        43.06121,
        54.76076,
        59.83447,
        73.25703,
        47.69662,
        61.09777,
        66.05576,
    ],
]


@pytest.fixture(scope="module")
def births() -> pd.DataFrame:
    """Birth weights and smoking mothers (Cattaneo 2010), the example of Stata's manual, as statsmodels ships it for its own tests."""
    path = Path(statsmodels.__file__).parent / "treatment" / "tests" / "results" / "cataneo2.csv"
    return pd.read_csv(path)


def test_discrete_purchases_of_donors():
    given, last, donors = map(list, zip(*DONORS, strict=True))
    model = stats.fit_bgbb(given, last, [6] * len(DONORS), donors)
    # Fader, Hardie and Shang (2010), Marketing Science 29, 1086-1108, section 5: estimates and log-likelihood.
    found = (model.alpha, model.beta, model.gamma, model.delta)
    assert found == pytest.approx((1.204, 0.750, 0.657, 2.783), abs=6e-4)
    assert model.log_likelihood == pytest.approx(-33225.6, abs=0.05) and model.customers == 11_104
    # expected gifts of 2002 to 2006: who never gave again 0.07, who always gave 3.75
    ahead = model.expected_purchases(5, [0, 6], [0, 6], [6, 6])
    assert ahead.round(2).tolist() == [0.07, 3.75]


def test_discrete_purchases_follow_their_own_laws():
    given, last, donors = map(list, zip(*DONORS, strict=True))
    model = stats.fit_bgbb(given, last, [6] * len(DONORS), donors)
    # the chances of all histories of two opportunities add up to one, and give the mean of a new customer
    x, t, ways = np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2]), np.ones(4)
    from analysis.stats.discrete_purchases import _log_likelihood

    chance = np.exp(
        _log_likelihood(np.array([model.alpha, model.beta, model.gamma, model.delta]), x, t, np.full(4, 2))
    )
    assert (ways * chance).sum() == pytest.approx(1.0)
    assert model.expected_purchases_of_new([2])[0] == pytest.approx(float(chance @ x))
    with pytest.raises(FitError, match="1 impossible rows, the first with 3 taken"):
        stats.fit_bgbb([3, 1], [2, 1], [4, 4])
    # two opportunities: three free shares for four parameters, so the likelihood has a ridge and no maximum
    with pytest.raises(FitError, match="3 shares of different histories cannot tell 4 parameters"):
        stats.fit_bgbb([2, 1, 1, 0], [2, 2, 1, 0], [2] * 4, [60, 20, 30, 40])


@pytest.mark.parametrize(
    ("distribution", "intercept", "control", "error", "scale", "log_likelihood"),
    [
        # R: survreg(Surv(time, cens) ~ treat, gehan), Venables and Ripley (2002), Modern Applied Statistics with S, section 13.2
        ("weibull", 3.516, -1.267, 0.311, 0.732, -106.6)
    ],
)
def test_accelerated_life_of_remissions(distribution, intercept, control, error, scale, log_likelihood):
    fit = stats.accelerated_life(WEEKS, RELAPSE, CONTROL, distribution=distribution)
    assert fit.table["coefficient"].round(3).tolist() == [intercept, control]
    assert round(float(fit.table.at["control", "error"]), 3) == error
    assert (round(fit.scale, 3), round(fit.log_likelihood, 1)) == (scale, log_likelihood)


def test_accelerated_life_without_covariates_is_the_life_distribution():
    fit = stats.accelerated_life(WEEKS, RELAPSE)
    same = stats.fit_weibull(durations=WEEKS, events=RELAPSE)
    assert (1 / fit.scale, fit.log_likelihood) == pytest.approx((same.shape, same.log_likelihood), rel=1e-4)


@pytest.mark.parametrize("distribution", ["weibull", "lognormal", "loglogistic"])
def test_accelerated_life_finds_what_was_planted_with_censoring_and_late_entry(distribution):
    random = np.random.default_rng(20261128)
    slow = random.integers(0, 2, 6000)
    noise = {
        "weibull": np.log(random.exponential(size=6000)),
        "lognormal": random.standard_normal(6000),
        "loglogistic": random.logistic(size=6000),
    }[distribution]
    time = np.exp(1.0 + 0.4 * slow + 0.5 * noise)
    entry, end = random.uniform(0, 1.5, 6000), random.uniform(1, 12, 6000)
    seen = (np.minimum(time, end) > entry) & (end > entry)
    fit = stats.accelerated_life(
        np.minimum(time, end)[seen],
        (time <= end)[seen].astype(int),
        pd.DataFrame({"slow": slow[seen]}),
        distribution=distribution,
        entry=entry[seen],
    )
    row = fit.table.loc["slow"]
    assert abs(row["coefficient"] - 0.4) < 3 * row["error"] < 0.15
    assert abs(np.log(fit.scale / 0.5)) < 3 * np.log(fit.scale_high / fit.scale_low) / (2 * 1.96) < 0.1
    half = fit.median(pd.DataFrame({"slow": [1]}))
    assert fit.survival(half, pd.DataFrame({"slow": [1]}))[0, 0] == pytest.approx(0.5)


def test_accelerated_life_refuses_in_words():
    with pytest.raises(ParameterError, match="unknown distribution 'weibul'. Did you mean 'weibull'"):
        stats.accelerated_life([1, 2], [1, 1], distribution="weibul")
    with pytest.raises(FitError, match="1 durations are zero"):
        stats.accelerated_life([0, 2], [1, 1])
    with pytest.raises(FitError, match="no row ended"):
        stats.accelerated_life([1, 2], [0, 0])
    with pytest.raises(FitError, match="constant or follows"):
        stats.accelerated_life([1, 2, 3], [1, 1, 1], pd.DataFrame({"one": [1, 1, 1]}))


def test_exact_ties_of_remissions():
    # R: coxph(..., ties = "exact") and SAS PHREG ties=discrete on these data: 1.628, standard error 0.433; Efron 1.572, Breslow 1.509.
    row = stats.cox_exact(CONTROL, WEEKS, RELAPSE).loc["control"]
    assert (round(row["coefficient"], 3), round(row["error"], 3)) == (1.628, 0.433)
    efron = stats.cox(CONTROL, WEEKS, RELAPSE).coefficients["coefficient"].iloc[0]
    assert efron == pytest.approx(1.572, abs=1e-3)


def test_exact_ties_without_ties_is_cox_and_strata_are_kept_apart():
    random = np.random.default_rng(3)
    x = pd.DataFrame({"x": random.standard_normal(120)})
    time = random.exponential(np.exp(-0.5 * x["x"].to_numpy()))
    entry, stratum = 0.2 * time * random.random(120), np.repeat(["a", "b"], 60)
    exact = stats.cox_exact(x, time, [1] * 120, entry=entry, strata=stratum).loc["x"]
    usual = stats.cox(x, time, [1] * 120, entry=entry, strata=stratum).coefficients.iloc[0]
    assert exact["coefficient"] == pytest.approx(usual["coefficient"], rel=1e-5)
    assert exact["error"] == pytest.approx(usual["std_error"], rel=1e-4)
    with pytest.raises(FitError, match="tells rows with the event from those without"):
        stats.cox_exact(pd.DataFrame({"x": [1, 1, 0, 0]}), [1, 2, 3, 3], [1, 1, 0, 0])
    with pytest.raises(FitError, match="at no time"):
        stats.cox_exact(pd.DataFrame({"x": [1, 0]}), [1, 1], [1, 1])


def test_weighting_and_g_formula_of_birth_weights(births: pd.DataFrame):
    # Stata Treatment-Effects Reference Manual, teffects ipw and teffects ra, first examples.
    weighted = stats.standardised_effect(
        births["bweight"],
        births["mbsmoke_"],
        births[["mmarried_", "mage", "mage2", "fbaby_", "medu"]].astype(float),
        method="weighting",
        link="probit",
    )
    assert weighted.loc["effect", ["value", "error"]].tolist() == pytest.approx(
        [-230.6886, 25.81524], rel=1e-4
    )
    adjusted = stats.standardised_effect(
        births["bweight"],
        births["mbsmoke_"],
        births[["prenatal1_", "mmarried_", "mage", "fbaby_"]].astype(float),
        method="g_formula",
    )
    assert adjusted.loc["effect", ["value", "error"]].tolist() == pytest.approx(
        [-239.6392, 23.82402], rel=1e-5
    )
    assert adjusted.loc["untreated", ["value", "error"]].tolist() == pytest.approx(
        [3403.242, 9.525207], rel=1e-5
    )
    assert adjusted["value"]["treated"] == pytest.approx(
        adjusted["value"]["untreated"] + adjusted["value"]["effect"]
    )


def test_a_comparison_with_nobody_to_compare_is_refused():
    with pytest.raises(FitError, match="tell treated and untreated apart"):
        stats.standardised_effect(range(20), [0] * 10 + [1] * 10, pd.DataFrame({"x": range(20)}))
    with pytest.raises(FitError, match="an arm has fewer than 5 rows"):
        stats.standardised_effect(range(8), [0] * 6 + [1] * 2, pd.DataFrame({"x": range(8)}))


def test_the_automatic_choice_of_smoothing_for_tourists():
    # Hyndman and Athanasopoulos (2018), section 7.6: ets() chooses ETS(M,A,M), with hardly any change of trend and season.
    found = stats.exponential_smoothing(pd.Series(TOURISTS), season=4, horizon=4)
    assert found.model == "ETS(M,A,M)"
    assert found.parameters["smoothing_trend"] < 0.05 and found.parameters["smoothing_seasonal"] < 0.01
    # their forecasts of 2016 (figure 7.10): the first quarter high, the second low, the fourth above the third
    first, second, third, fourth = found.forecast["point"]
    assert first > fourth > third > second and first > max(TOURISTS)
    assert (found.forecast["low"] < found.forecast["point"]).all()
    assert (found.forecast["point"] < found.forecast["high"]).all()


def test_a_named_smoothing_is_fitted_alone():
    chosen = stats.exponential_smoothing(pd.Series(TOURISTS), season=4, horizon=4)
    named = stats.exponential_smoothing(pd.Series(TOURISTS), model="ETS(A,A,A)", season=4, horizon=4)
    assert named.model == "ETS(A,A,A)" and len(named.compared) == 1
    beside = chosen.compared.set_index("model").loc["ETS(A,A,A)"]
    assert (
        named.compared.iloc[0][["aicc", "log_likelihood"]].tolist()
        == beside[["aicc", "log_likelihood"]].tolist()
    )
    with pytest.raises(ParameterError, match="'ETS.A,A,M.' is none of the models for this series"):
        stats.exponential_smoothing(pd.Series(TOURISTS), model="ETS(A,A,M)", season=4)


def test_a_series_with_a_zero_has_no_multiplicative_model():
    values = pd.Series([0.0, 3, 2, 5, 1, 4, 2, 6, 3, 2, 4, 1, 5, 2, 3, 4])
    found = stats.exponential_smoothing(values, season=1, horizon=2)
    assert not found.compared["model"].str.contains("M").any()
    with pytest.raises(FitError, match="too few, or too constant"):
        stats.exponential_smoothing(pd.Series([1.0, 2.0]), season=1)
