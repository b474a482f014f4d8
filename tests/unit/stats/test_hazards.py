"""Cox regression: against statsmodels, by law, by recovery of planted ratios, and where it must refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.hazard_regression import PHReg

from analysis.errors import FitError, ParameterError
from analysis.stats import absolute_difference, cox, kaplan_meier, log_rank, proportional_hazards
from analysis.stats.hazards import _tied


def sample(seed: int, count: int = 300, *, unit: float = 1.0) -> pd.DataFrame:
    """Exponential lives whose hazard doubles with x and rises by a fifth per unit of z; durations rounded up to `unit`."""
    random = np.random.default_rng(seed)
    x, z = random.integers(0, 2, count).astype(float), random.normal(size=count)
    life = random.exponential(10 / (2.0**x * 1.2**z))
    end = random.uniform(2, 25, count)
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "time": np.ceil(np.minimum(life, end) / unit) * unit,
            "event": life <= end,
            "region": random.integers(0, 3, count),
        }
    )


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("seed", range(2))
def test_agrees_with_statsmodels(ties, seed):
    data = sample(seed)
    # Entry between whole durations: at the time of an event R has a late entrant not yet at risk, statsmodels has it.
    entry = np.random.default_rng(seed).integers(0, 4, len(data)) + 0.5
    data, entry = data[data["time"] > entry], entry[data["time"] > entry]
    fit = cox(data[["x", "z"]], data["time"], data["event"], entry=entry, strata=data["region"], ties=ties)
    oracle = PHReg(
        data["time"],
        data[["x", "z"]],
        data["event"].astype(int),
        entry=entry,
        strata=data["region"],
        ties=ties,
    ).fit()
    assert fit.coefficients["coefficient"].to_numpy() == pytest.approx(oracle.params, rel=1e-5)
    assert fit.coefficients["std_error"].to_numpy() == pytest.approx(oracle.bse, rel=1e-4)
    assert fit.log_likelihood == pytest.approx(oracle.llf, abs=1e-6)


def test_rows_that_stand_for_many_are_those_many():
    # Weekly durations of 20,000 subjects have hundreds of tied events: the closed form against the plain sum.
    data = sample(3, 20000).assign(z=lambda frame: frame["z"].round())
    counted = data.groupby(["x", "z", "time", "event"]).size().rename("subjects").reset_index()
    whole = cox(data[["x", "z"]], data["time"], data["event"])
    small = cox(counted[["x", "z"]], counted["time"], counted["event"], weights=counted["subjects"])
    assert small.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-12)
    assert np.allclose(small.covariance, whole.covariance, rtol=1e-9)
    assert np.allclose(small.coefficients, whole.coefficients, rtol=1e-8)
    assert small.subjects == 20000
    assert small.rows < 2000


@pytest.mark.parametrize("deaths", [33, 1000])
@pytest.mark.parametrize("spare", [0.0, 1.0, 5e4])
def test_closed_form_over_ties_is_the_sum(deaths, spare):
    dying = np.array([deaths * 0.7])
    risk = dying + spare
    log, a, b = _tied(risk, dying, np.array([float(deaths)]), efron=True)
    share = np.arange(deaths) / deaths
    left = risk - share * dying
    assert log[0] == pytest.approx(np.log(left).sum(), rel=1e-10)
    for power, found in enumerate(a):
        assert found[0] == pytest.approx((share**power / left).sum(), rel=1e-7)
    for power, found in enumerate(b):
        assert found[0] == pytest.approx((share**power / left**2).sum(), rel=1e-4)


def test_one_binary_covariate_without_ties_scores_as_the_log_rank_test():
    data = sample(5, unit=1e-6)
    fit = cox(data[["x"]], data["time"], data["event"])
    test = log_rank(data["time"], data["event"], data["x"])
    assert fit.coefficients.loc["x", "z"] ** 2 == pytest.approx(test.statistic, rel=0.06)
    assert fit.likelihood_ratio[0] == pytest.approx(test.statistic, rel=0.06)


@pytest.mark.parametrize("seed", range(3))
def test_laws(seed):
    data = sample(seed)
    names = ["x", "z"]
    fit = cox(data[names], data["time"], data["event"])
    shuffled = data.sample(frac=1, random_state=seed)
    again = cox(shuffled[names], shuffled["time"], shuffled["event"])
    assert np.allclose(fit.coefficients, again.coefficients, rtol=1e-9)
    # Another unit of a covariate divides its coefficient; another origin changes nothing; nor does another clock.
    moved = cox(data[names].assign(z=100 * data["z"] + 5e4), np.exp(data["time"] / 9), data["event"])
    assert moved.coefficients["coefficient"].to_numpy() * [1, 100] == pytest.approx(
        fit.coefficients["coefficient"].to_numpy(), rel=1e-6
    )
    # A subject cut into two spells with the same covariates is the same subject.
    middle = data["time"] / 2
    spells = pd.concat([data.assign(start=-1.0, time=middle, event=False), data.assign(start=middle)])
    cut = cox(spells[names], spells["time"], spells["event"], entry=spells["start"])
    assert np.allclose(cut.coefficients, fit.coefficients, rtol=1e-8)


def test_planted_ratios_are_recovered_as_often_as_promised():
    inside = np.zeros(2)
    for seed in range(150):
        data = sample(seed, 250)
        table = cox(data[["x", "z"]], data["time"], data["event"]).coefficients
        inside += (table["low"] <= [2.0, 1.2]) & (table["high"] >= [2.0, 1.2])
    assert ((inside / 150 > 0.90) & (inside / 150 < 0.99)).all()


def test_nothing_planted_nothing_found():
    found = 0
    for seed in range(300):
        data = sample(seed, 150)
        noise = np.random.default_rng(10_000 + seed).normal(size=150)
        found += (
            cox(data[["x", "z"]].assign(noise=noise), data["time"], data["event"]).coefficients.loc[
                "noise", "p_value"
            ]
            < 0.05
        )
    assert 0.015 < found / 300 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_repeated_events_need_clusters():
    # Each customer has several spells with a shared frailty; the covariate is the customer's own. Plain errors are too small.
    plain, clustered = 0, 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        frailty, group = random.gamma(1.0, 1.0, 80), random.integers(0, 2, 80).astype(float)
        customer = np.repeat(np.arange(80), 5)
        life, end = random.exponential(10 / frailty[customer]), random.uniform(2, 25, 400)
        frame = pd.DataFrame({"group": group[customer]})
        fit = cox(frame, np.minimum(life, end), life <= end, clusters=customer).coefficients.loc["group"]
        clustered += fit["p_value"] < 0.05
        plain += abs(fit["coefficient"] / fit["model_std_error"]) > 1.96
    assert plain > 15  # of a hundred, where five are promised
    assert clustered < 12


def test_clusters_of_one_are_near_the_model_and_copies_add_nothing():
    data = sample(1, 600)
    single = cox(data[["x", "z"]], data["time"], data["event"], clusters=np.arange(600)).coefficients
    assert single["std_error"].to_numpy() == pytest.approx(single["model_std_error"].to_numpy(), rel=0.1)
    # Breslow: a copied subject within the cluster leaves estimate and clustered error where they were.
    twice = pd.concat([data, data])
    one = cox(
        data[["x", "z"]], data["time"], data["event"], clusters=np.arange(600), ties="breslow"
    ).coefficients
    two = cox(
        twice[["x", "z"]], twice["time"], twice["event"], clusters=np.tile(np.arange(600), 2), ties="breslow"
    ).coefficients
    assert np.allclose(one[["coefficient", "std_error"]], two[["coefficient", "std_error"]], rtol=1e-8)
    assert two["model_std_error"].to_numpy() * np.sqrt(2) == pytest.approx(one["model_std_error"].to_numpy())


def test_patterns_apart_are_as_many_clusters_as_they_have_subjects():
    # forty customers with three spells each, and two hundred with one, who share few patterns: by rows, and by patterns with weights
    random = np.random.default_rng(11)
    customer = np.concatenate([np.repeat(np.arange(40), 3), np.arange(40, 240)])
    rows = pd.DataFrame(
        {
            "x": random.integers(0, 2, 320).astype(float),
            "time": random.integers(1, 6, 320),
            "event": random.random(320) < 0.7,
        }
    )
    single = customer >= 40
    plain = cox(rows[["x"]], rows["time"], rows["event"], clusters=customer)
    patterns = rows[single].groupby(["x", "time", "event"], as_index=False).size()
    both = pd.concat([rows[~single].assign(size=1), patterns])
    labels = np.concatenate([customer[~single], np.zeros(len(patterns), dtype=int)])
    found = cox(
        both[["x"]],
        both["time"],
        both["event"],
        weights=both["size"],
        clusters=labels,
        apart=np.arange(len(both)) >= 120,
    )
    assert found.clusters == plain.clusters == 240
    assert found.coefficients.loc["x", "std_error"] == pytest.approx(
        plain.coefficients.loc["x", "std_error"], rel=1e-9
    )
    with pytest.raises(FitError, match="2 marks of rows apart for 320 rows"):
        cox(rows[["x"]], rows["time"], rows["event"], clusters=customer, apart=[True, False])


def test_clustered_errors_are_the_grouped_jackknife_to_first_order():
    data = sample(2, 200)
    fit = cox(data[["x", "z"]], data["time"], data["event"], clusters=np.arange(200))
    left_out = np.array(
        [
            cox(data.loc[kept, ["x", "z"]], data.loc[kept, "time"], data.loc[kept, "event"]).coefficients[
                "coefficient"
            ]
            for kept in (np.arange(200) != one for one in range(200))
        ]
    )
    change = left_out - fit.coefficients["coefficient"].to_numpy()
    jackknife = np.sqrt((change**2).sum(axis=0))
    assert fit.coefficients["std_error"].to_numpy() == pytest.approx(jackknife, rel=0.08)


def test_ever_in_service_is_immortal_time():
    # A repair changes nothing here, but who stays longer has more time to have one: "ever repaired" looks protective.
    random = np.random.default_rng(7)
    life, end = random.exponential(10, 4000), random.uniform(2, 25, 4000)
    time, event = np.minimum(life, end), life <= end
    repaired_at = random.exponential(12, 4000)
    ever = repaired_at < time
    naive = cox(pd.DataFrame({"repaired": ever.astype(float)}), time, event).coefficients.loc["repaired"]
    assert naive["high"] < 0.8
    before = pd.DataFrame(
        {"start": -1.0, "stop": np.where(ever, repaired_at, time), "event": event & ~ever, "repaired": 0.0}
    )
    after = pd.DataFrame({"start": repaired_at, "stop": time, "event": event, "repaired": 1.0})[ever]
    spells = pd.concat([before, after])
    honest = cox(
        spells[["repaired"]], spells["stop"], spells["event"], entry=spells["start"]
    ).coefficients.loc["repaired"]
    assert honest["low"] < 1 < honest["high"]


def test_baseline_without_effect_is_the_plain_curve():
    data = sample(6, 2000)
    fit = cox(data[["z"]] * 0 + np.random.default_rng(1).normal(size=(2000, 1)), data["time"], data["event"])
    model = fit.survival(pd.DataFrame({"z": [0.0]}), [2, 5, 10])[0]
    plain = kaplan_meier(data["time"], data["event"]).at([2, 5, 10])["survival"].to_numpy()
    assert model == pytest.approx(plain, abs=0.01)


def test_survival_needs_a_stratum_where_there_are_several():
    data = sample(6)
    fit = cox(data[["x", "z"]], data["time"], data["event"], strata=data["region"])
    low, high = fit.survival(pd.DataFrame({"x": [0.0, 1.0], "z": 0.0}), [5.0], stratum=1)[:, 0]
    assert high == pytest.approx(low ** fit.coefficients.loc["x", "hazard_ratio"])
    with pytest.raises(ParameterError, match=r"choose a stratum out of \[0, 1, 2\]"):
        fit.survival(pd.DataFrame({"x": [0.0], "z": 0.0}), [5.0])


def test_absolute_difference_covers_the_truth():
    inside = 0
    for seed in range(100):
        data = sample(seed, 300, unit=1e-6)
        fit = cox(data[["x", "z"]], data["time"], data["event"])
        found = absolute_difference(fit, data[["x", "z"]], "x", values=(0.0, 1.0), time=5.0)
        rate = 1.2 ** data["z"] * 0.5
        truth = np.mean(np.exp(-rate) - np.exp(-2 * rate))
        inside += found.low <= truth <= found.high
    assert 0.89 < inside / 100 <= 1.0


def test_proportional_hazards_are_doubted_when_they_cross_and_left_alone_when_they_hold():
    data = sample(9, 1500, unit=1e-6)
    found = 0
    for seed in range(150):
        held = sample(seed, 200, unit=1e-6)
        found += (
            proportional_hazards(cox(held[["x", "z"]], held["time"], held["event"])).loc["GLOBAL", "p_value"]
            < 0.05
        )
    assert found / 150 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)
    random = np.random.default_rng(9)
    x = data["x"].to_numpy()
    life = np.where(x == 1, 8 * random.weibull(2.5, 1500), 8 * random.weibull(0.8, 1500))
    crossing = proportional_hazards(cox(data[["x", "z"]], life, np.ones(1500, dtype=bool)))
    assert crossing.loc["x", "p_value"] < 1e-6 < crossing.loc["z", "p_value"]
    for transform in ("log", "identity", "rank"):
        assert (
            proportional_hazards(cox(data[["x"]], life, np.ones(1500)), transform=transform).loc[
                "x", "p_value"
            ]
            < 1e-3
        )


def test_refusals():
    data = sample(0)
    time, event = data["time"], data["event"]
    with pytest.raises(FitError, match=r"covariate 'x' is 1 in every row"):
        cox(data[["x"]] * 0 + 1, time, event)
    with pytest.raises(FitError, match=r"covariate '(y|z)' is a sum of the others"):
        cox(data[["x", "z"]].assign(y=2 * data["z"] - data["x"]), time, event)
    with pytest.raises(FitError, match=r"covariate 'z' is missing in 1 of 300 rows"):
        cox(data[["z"]].mask(data[["z"]] == data.loc[3, "z"]), time, event)
    with pytest.raises(FitError, match=r"no maximum in 'never': at one of its ends there is no event"):
        cox(pd.DataFrame({"never": (~event).astype(float), "z": data["z"]}), time, event)
    with pytest.raises(FitError, match=r"no row has the event"):
        cox(data[["x"]], time, np.zeros(300))
    with pytest.raises(FitError, match=r"300 rows of covariates for 299 durations"):
        cox(data[["x"]], time[:-1], event[:-1])
    with pytest.raises(FitError, match=r"2 cluster labels for 300 rows"):
        cox(data[["x"]], time, event, clusters=[1, 2])
    with pytest.raises(ParameterError, match=r"not whole numbers have no Efron ties"):
        cox(data[["x"]], time, event, weights=np.full(300, 0.5))
    with pytest.raises(ParameterError, match=r"unknown ties 'efon'.*Did you mean 'efron'"):
        cox(data[["x"]], time, event, ties="efon")
    fit = cox(data[["x", "z"]], time, event)
    with pytest.raises(ParameterError, match=r"no covariate 'xx'"):
        absolute_difference(fit, data, "xx", values=(0, 1), time=5)
    with pytest.raises(ParameterError, match=r"99 lies beyond the last event time"):
        absolute_difference(fit, data, "x", values=(0, 1), time=99)
