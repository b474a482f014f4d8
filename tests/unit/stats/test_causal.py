"""Doubly robust effects: coverage, double robustness, nulls, overlap that speaks up, laws, refusals."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from analysis.errors import FitError, ParameterError
from analysis.stats import DoublyRobust, doubly_robust
from analysis.stats.ridge import encode, fit_ridge, fit_ridge_logistic, fold_of


def observed(
    seed: int, count: int = 800, *, effect: float = 2.0, strength: float = 1.0, binary: bool = False
) -> pd.DataFrame:
    """Treatment follows tier and x, which also drive the outcome; the effect is larger in tier "gold" (average `effect`)."""
    random = np.random.default_rng(seed)
    tier = random.choice(["basic", "gold", "silver"], count, p=[0.5, 0.2, 0.3])
    gold = (tier == "gold").astype(float)
    x = random.normal(size=count) + gold
    chance = 1 / (1 + np.exp(-strength * (0.8 * x - 0.5 + 0.7 * gold)))
    treated = (random.random(count) < chance).astype(float)
    own = effect * (1 + gold - 0.2)
    mean = 1.0 + 1.5 * x + 0.5 * x**2 + 2 * gold + own * treated
    frame = pd.DataFrame({"tier": tier, "x": x, "treated": treated, "own": own})
    if binary:
        base = 1 / (1 + np.exp(-(0.6 * x - 0.8)))
        lifted = 1 / (1 + np.exp(-(0.6 * x - 0.8 + effect)))
        return frame.assign(
            y=(random.random(count) < np.where(treated == 1, lifted, base)).astype(float), own=lifted - base
        )
    return frame.assign(y=mean + random.normal(0, 2, count))


def fit(frame: pd.DataFrame, **options):
    return doubly_robust(frame["y"], frame["treated"], frame[["tier", "x"]], **options)


def test_interval_covers_and_the_naive_one_does_not():
    hits, naive, average = 0, 0, []
    for seed in range(60):
        frame = observed(seed)
        result = fit(frame, repeats=1, trim=0.0)
        hits += result.low <= frame["own"].mean() <= result.high
        naive += result.naive.low <= frame["own"].mean() <= result.naive.high
        average.append(result.effect - frame["own"].mean())
    assert hits / 60 > 0.88
    assert naive == 0
    assert abs(np.mean(average)) < 4 * np.std(average) / np.sqrt(60)


@pytest.mark.slow
@pytest.mark.parametrize("estimand", ["ATE", "ATT"])
def test_interval_covers_over_two_hundred_seeds(estimand):
    hits = 0
    for seed in range(200):
        frame = observed(seed, 1000)
        result = fit(frame, estimand=estimand, trim=0.0)
        whom = frame["own"] if estimand == "ATE" else frame.loc[frame["treated"] == 1, "own"]
        hits += result.low <= whom.mean() <= result.high
    assert 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200) < hits / 200 <= 0.995


def test_effect_on_the_treated_is_another_question():
    frame = observed(1, 6000)
    treated = frame.loc[frame["treated"] == 1, "own"].mean()
    result = fit(frame, estimand="ATT")
    assert result.low < treated < result.high
    assert treated > frame["own"].mean() + 0.2
    assert result.mean_treated - result.mean_untreated == pytest.approx(result.effect, abs=0.02)


def test_either_model_may_be_wrong():
    # The outcome bends in a way the linear model cannot follow, but treatment is well described; and the other way round.
    random = np.random.default_rng(3)
    x = random.uniform(-2, 2, 6000)
    wave = np.sin(3 * x)
    treated = (random.random(6000) < 1 / (1 + np.exp(-x))).astype(float)
    outcome_wrong = doubly_robust(
        wave * 3 + x + treated + random.normal(size=6000), treated, pd.DataFrame({"x": x})
    )
    assert outcome_wrong.low < 1 < outcome_wrong.high
    odd = (random.random(6000) < 1 / (1 + np.exp(-2 * wave))).astype(float)
    treatment_wrong = doubly_robust(
        2 * x + x**2 + odd + random.normal(size=6000), odd, pd.DataFrame({"x": x})
    )
    assert treatment_wrong.low < 1 < treatment_wrong.high


@pytest.mark.parametrize(("rows", "columns"), [(400, 4), (4000, 12)])
def test_boosting_ends(rows, columns):
    """A dozen seconds of work at most, with weights that differ too: the weighted quantiles of every fit once took longer than its trees."""
    random = np.random.default_rng(3)
    frame = pd.DataFrame(random.normal(size=(rows, columns))).add_prefix("x")
    treated = (random.random(rows) < 1 / (1 + np.exp(-frame["x0"]))).astype(float)
    outcome = frame["x0"] + 0.5 * treated + random.normal(size=rows)
    began = time.process_time()
    found = doubly_robust(
        outcome, treated, frame, weights=random.uniform(0.5, 2, rows), learner="boosting", repeats=1
    )
    assert time.process_time() - began < 12
    assert abs(found.effect - 0.5) < 4 * found.std_error


def test_boosting_follows_what_a_line_cannot():
    random = np.random.default_rng(4)
    x, z = random.uniform(-2, 2, (2, 3000))
    hidden = np.sign(x) * np.sign(z)
    treated = (random.random(3000) < np.where(hidden > 0, 0.75, 0.25)).astype(float)
    y = 3 * hidden + treated + random.normal(size=3000)
    frame = pd.DataFrame({"x": x, "z": z})
    assert abs(doubly_robust(y, treated, frame).effect - 1) > 1
    trees = doubly_robust(y, treated, frame, learner="boosting", repeats=1)
    assert trees.effect == pytest.approx(1, abs=0.25)


def test_binary_outcome_has_a_risk_ratio_behind_its_e_value():
    frame = observed(5, 4000, effect=0.8, binary=True)
    result = fit(frame)
    assert result.low < frame["own"].mean() < result.high
    ratio = result.mean_treated / result.mean_untreated
    assert result.sensitivity.e_value == pytest.approx(ratio + np.sqrt(ratio * (ratio - 1)), rel=0.02)
    assert 1 < result.sensitivity.e_value_limit < result.sensitivity.e_value


def test_no_effect_is_claimed_where_there_is_none():
    found = 0
    for seed in range(100):
        result = fit(observed(seed, 500, effect=0.0), repeats=1)
        found += result.p_value < 0.05
    assert found / 100 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 100)


def test_repeats_of_a_customer_need_clusters():
    inside, plain = 0, 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        customer = np.repeat(np.arange(150), 4)
        x, own = random.normal(size=150)[customer], random.normal(0, 2, 150)[customer]
        treated = (random.random(150) < 1 / (1 + np.exp(-x[::4])))[customer].astype(float)
        y = x + own + treated + random.normal(size=600)
        result = doubly_robust(y, treated, pd.DataFrame({"x": x}), clusters=customer, repeats=1)
        inside += result.low <= 1 <= result.high
        alone = doubly_robust(y, treated, pd.DataFrame({"x": x}), repeats=1)
        plain += alone.low <= 1 <= alone.high
    assert result.clusters == 150
    assert inside >= 34
    assert plain < 30


def few_treated(seed: int) -> DoublyRobust:
    """Twenty-four treated customers beside two hundred others, two cases each, and no effect."""
    random = np.random.default_rng(seed)
    customer = np.repeat(np.arange(224), 2)
    treated = (customer < 24).astype(float)
    y = random.normal(0, 1, 224)[customer] + random.normal(0, 1, 448)
    x = pd.DataFrame({"x": random.uniform(-1, 1, size=224)[customer]})
    return doubly_robust(y, treated, x, clusters=customer, estimand="ATT", folds=4, repeats=1, seed=seed)


def test_few_treated_customers_are_few_whatever_the_others():
    fits = [few_treated(seed) for seed in range(150)]
    one = fits[0]
    # Student's with 23 degrees of freedom, one less than there are treated customers: 2.069 standard errors
    assert (one.high - one.low) / 2 / one.std_error == pytest.approx(2.068658, abs=1e-6)
    groups = one.effect_by(np.where(np.arange(448) % 4 < 2, "even", "odd"))
    # twelve treated customers in each half: 2.201
    reach = (groups["high"] - groups["low"]) / 2 / groups["std_error"]
    assert reach.to_numpy() == pytest.approx(2.200985, abs=1e-6)
    found = np.mean([fit.p_value < 0.05 for fit in fits])
    assert found < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)


def test_overlap_speaks_up():
    strong = fit(observed(6, 2000, strength=5.0))
    assert not strong.overlap.adequate
    assert "Read this as an association only" in strong.notes[-1]
    assert strong.overlap.trimmed == int(
        ((strong.propensity < strong.overlap.cut_low) | (strong.propensity > strong.overlap.cut_high)).sum()
    )
    mild = fit(observed(6, 2000))
    assert mild.overlap.adequate
    balance = mild.overlap.balance.set_index("covariate")
    assert abs(balance.loc["x", "before"]) > 0.6
    assert balance["after"].abs().max() < 0.1
    assert mild.overlap.table[["treated", "untreated"]].sum().tolist() == [mild.treated, 2000 - mild.treated]


def test_nobody_alike_is_refused():
    x = np.concatenate([np.linspace(0, 1, 400), np.linspace(4, 5, 400)])
    treated = (x > 2).astype(float)
    with pytest.raises(
        FitError, match=r"only 0% of the rows have a propensity that occurs among treated and untreated alike"
    ):
        doubly_robust(x + treated, treated, pd.DataFrame({"x": x}))
    few = observed(1, 400)
    with pytest.raises(FitError, match=r"trimming leaves \d+ (un)?treated rows .* the groups do not overlap"):
        fit(few, trim=0.495)


def test_crumps_cut_by_its_own_equation():
    result = fit(observed(7, 3000, strength=3.0))
    e = result.propensity
    cost, bound = 1 / (e * (1 - e)), 1 / (result.overlap.cut_low * (1 - result.overlap.cut_low))
    assert bound == pytest.approx(2 * cost[cost <= bound].mean(), rel=0.01)
    stated = fit(observed(7, 3000, strength=3.0), trim=0.1)
    assert (stated.overlap.cut_low, stated.overlap.cut_high) == (0.1, 0.9)


def test_laws():
    frame = observed(8, 1200)
    base = fit(frame)
    again = fit(frame)
    assert (base.effect, base.std_error) == (again.effect, again.std_error)
    moved = fit(frame.assign(y=10 * frame["y"] + 1000))
    assert (moved.effect, moved.std_error) == pytest.approx((10 * base.effect, 10 * base.std_error), rel=1e-6)
    turned = fit(frame.assign(treated=1 - frame["treated"]))
    assert turned.effect == pytest.approx(-base.effect, rel=1e-6)
    doubled = fit(frame, weights=np.full(1200, 2.0))
    assert doubled.effect == pytest.approx(base.effect, rel=0.01)
    assert doubled.std_error == pytest.approx(base.std_error, rel=0.02)  # a weight of two is no two rows


def test_effect_by_group_finds_the_tier():
    frame = observed(9, 6000)
    table = fit(frame).effect_by(frame["tier"]).set_index("group")
    for tier, truth in (("basic", 1.6), ("silver", 1.6), ("gold", 3.6)):
        assert table.loc[tier, "low"] - 0.1 < truth < table.loc[tier, "high"] + 0.1
    assert table.loc["gold", "low"] > table.loc["basic", "high"]
    whole = fit(frame)
    parts = whole.effect_by(frame["tier"])
    assert np.average(parts["effect"], weights=parts["rows"]) == pytest.approx(whole.effect, abs=0.03)


def test_benchmarks_say_which_covariate_would_be_enough():
    # Were x, the stronger of the two causes, hidden once more, a small effect would be gone; a large one would stand.
    small = fit(observed(10, 3000, effect=0.3)).sensitivity.benchmarks.set_index("covariate")
    large = fit(observed(10, 3000, effect=8.0)).sensitivity.benchmarks.set_index("covariate")
    assert set(small.index) == {"tier", "x"}
    assert small.loc["x", "explains_away"]
    assert not large.loc["x", "explains_away"]
    assert small.loc["x", "r2_treatment"] > small.loc["tier", "r2_treatment"]


def test_a_hidden_cause_is_not_seen_but_its_strength_is_named():
    random = np.random.default_rng(11)
    hidden, x = random.normal(size=(2, 4000))
    treated = (random.random(4000) < 1 / (1 + np.exp(-1.5 * hidden))).astype(float)
    y = 1.5 * hidden + random.normal(size=4000)
    blind = doubly_robust(y, treated, pd.DataFrame({"x": x}))
    assert blind.low > 0.5
    seeing = doubly_robust(y, treated, pd.DataFrame({"x": x, "hidden": hidden}))
    assert seeing.low < 0 < seeing.high
    # The hidden cause explains more of both than the robustness value asks for.
    left = np.corrcoef(hidden, treated)[0, 1] ** 2
    assert blind.sensitivity.robustness_value < max(left, np.corrcoef(hidden, y)[0, 1] ** 2)
    assert seeing.sensitivity.robustness_value_limit == 0


def test_refusals():
    frame = observed(0, 200)
    with pytest.raises(FitError, match=r"1 outcomes are missing.*choose a window that has closed"):
        fit(frame.assign(y=frame["y"].where(frame.index != 4)))
    with pytest.raises(FitError, match=r"treatment must be 0 or 1, found 2"):
        fit(frame.assign(treated=frame["treated"] * 2))
    with pytest.raises(FitError, match=r"0 treated rows; at least 50"):
        fit(frame.assign(treated=0.0))
    with pytest.raises(FitError, match=r"covariate 'x' is missing in 1 of 200 rows"):
        fit(frame.assign(x=frame["x"].where(frame.index != 4)))
    with pytest.raises(FitError, match=r"no covariates"):
        doubly_robust(frame["y"], frame["treated"], frame[[]])
    with pytest.raises(ParameterError, match=r"unknown estimand 'ATTT'.*Did you mean 'ATT'"):
        fit(frame, estimand="ATTT")
    with pytest.raises(ParameterError, match=r"unknown learner 'forest'"):
        fit(frame, learner="forest")
    with pytest.raises(ParameterError, match=r"trim 0.7 must lie in 0 to 0.5"):
        fit(frame, trim=0.7)
    with pytest.raises(FitError, match=r"3 group labels for 200 rows"):
        fit(frame).effect_by([1, 2, 3])


def test_ridge_without_penalty_is_least_squares_and_logistic_regression():
    random = np.random.default_rng(1)
    design = random.normal(size=(400, 3)) * [1, 10, 0.1] + [0, 5, 0]
    y = design @ [1, 0.2, 3] + random.normal(size=400)
    known = np.linalg.lstsq(np.column_stack([np.ones(400), design]), y, rcond=None)[0]
    found = fit_ridge(design, y, penalty=0.0)
    assert np.append(found.intercept, found.coefficients) == pytest.approx(known)
    event = (y > y.mean() + random.normal(0, 2, 400)).astype(float)
    import statsmodels.api as sm

    oracle = sm.Logit(event, sm.add_constant(design)).fit(disp=0)
    fitted = fit_ridge_logistic(design, event, penalty=0.0)
    assert np.append(fitted.intercept, fitted.coefficients) == pytest.approx(oracle.params, rel=1e-6)
    smaller = fit_ridge_logistic(design, event, penalty=1e4)
    assert np.abs(smaller.coefficients).max() < np.abs(fitted.coefficients).max() / 5
    assert smaller.predict(design).mean() == pytest.approx(event.mean())
    separated = fit_ridge_logistic(design[:, :1], (design[:, 0] > 0).astype(float), penalty=1.0)
    assert np.isfinite(separated.coefficients).all()


def test_encoding_and_folds():
    frame = pd.DataFrame({"tier": ["b", None, "a"], "x": [1, 2, 3], "flag": [True, False, True]})
    design, names, origins = encode(frame)
    assert names == ["tier=b", "tier=missing", "x", "flag"]
    assert origins == ["tier", "tier", "x", "flag"]
    assert design.tolist() == [[1, 0, 1, 1], [0, 1, 2, 0], [0, 0, 3, 1]]
    groups = np.repeat(np.arange(50), 3)
    fold = fold_of(groups, folds=5, seed=1)
    assert all(len(set(fold[groups == group])) == 1 for group in range(50))
    assert np.bincount(fold).tolist() == [30] * 5
