"""Shares by clusters, scores and strata; tails that keep their digits; and bounds on what sensitivity is asked with."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, norm
from scipy.stats import t as student

from analysis.errors import FitError, ParameterError
from analysis.stats import (
    clustered_proportion_interval,
    confounded_estimate,
    doubly_robust,
    e_value,
    net_promoter_interval,
    partial_r2,
    post_stratified_mean,
    proportion_interval,
    rate_ratio_p_value,
    robustness_value,
)


def test_a_p_value_far_out_keeps_its_digits():
    """Each tail against the binomial's own far tail; one minus the other tail was exactly zero here."""
    for few, many in ((3, 400), (0, 300), (40, 900)):
        expected = 2 * binom.cdf(few, few + many, 0.5)
        assert 0 < rate_ratio_p_value(few, 1, many, 1) == pytest.approx(expected, rel=1e-8)
        assert rate_ratio_p_value(many, 1, few, 1) == pytest.approx(expected, rel=1e-8)


def test_agresti_coull_and_wald_by_their_formulas():
    z = norm.ppf(0.975)
    n, p = 20 + z**2, (3 + z**2 / 2) / (20 + z**2)
    found = proportion_interval(3, 20, method="agresti_coull")
    assert (found.low, found.high) == (
        pytest.approx(max(p - z * np.sqrt(p * (1 - p) / n), 0)),
        pytest.approx(p + z * np.sqrt(p * (1 - p) / n)),
    )
    plain = proportion_interval(3, 20, method="wald")
    assert plain.high == pytest.approx(0.15 + z * np.sqrt(0.15 * 0.85 / 20)) and plain.low == 0.0
    assert found.method == "Agresti-Coull" and plain.method == "Wald"
    # Agresti and Coull's point: the centre is that of Wilson
    wilson = proportion_interval(8, 20, method="wilson")
    adjusted = proportion_interval(8, 20, method="agresti_coull")
    assert adjusted.low + adjusted.high == pytest.approx(wilson.low + wilson.high)
    assert adjusted.low < wilson.low


def test_without_trials_every_named_interval_is_everything():
    for method in ("wilson", "jeffreys", "clopper_pearson", "agresti_coull", "wald"):
        assert tuple(proportion_interval(0, 0, method=method)) == (0.0, 1.0)


def test_a_share_of_clusters_of_one_is_that_of_rows_and_repetition_teaches_nothing():
    random = np.random.default_rng(1)
    hit = (random.random(200) < 0.3).astype(float)
    alone = clustered_proportion_interval(hit, np.arange(200))
    p = hit.mean()
    reach = student.ppf(0.975, 199) * np.sqrt(p * (1 - p) / 199) / (p * (1 - p))
    assert np.log(alone.high / (1 - alone.high)) == pytest.approx(np.log(p / (1 - p)) + reach)
    repeated = clustered_proportion_interval(np.repeat(hit, 5), np.repeat(np.arange(200), 5))
    assert tuple(repeated) == pytest.approx(tuple(alone))
    weighted = clustered_proportion_interval(hit, np.arange(200), weights=np.full(200, 5.0))
    assert tuple(weighted) == pytest.approx(tuple(alone))


def test_a_clustered_share_covers_where_the_binomial_does_not():
    random, inside, naive = np.random.default_rng(2), [], []
    cluster = np.repeat(np.arange(30), 10)
    for _ in range(400):
        chance = random.beta(2, 6, 30)
        hit = (random.random(300) < np.repeat(chance, 10)).astype(float)
        found = clustered_proportion_interval(hit, cluster)
        plain = proportion_interval(hit.sum(), 300, method="wilson")
        inside.append(found.low <= 0.25 <= found.high)
        naive.append(plain.low <= 0.25 <= plain.high)
    assert 0.92 <= np.mean(inside) <= 0.98
    assert np.mean(naive) < 0.90


def test_a_clustered_share_at_its_edge_counts_clusters():
    found = clustered_proportion_interval(np.zeros(50), np.repeat(np.arange(5), 10))
    assert found.low == 0.0 and found.high == proportion_interval(0, 5, method="wilson").high


def test_a_net_promoter_score_worked_by_hand():
    """Ten answers: five promoters, two passive, three detractors. Score 20, variance of an answer 0.8 - 0.04 = 0.76."""
    answers = [9, 10, 9, 10, 9, 7, 8, 0, 5, 6]
    found = net_promoter_interval(answers)
    reach = 100 * student.ppf(0.975, 9) * np.sqrt(0.76 / 9)
    assert found.value == pytest.approx(20.0)
    assert found.high == pytest.approx(min(20 + reach, 100)) and found.low == pytest.approx(20 - reach)
    twice = net_promoter_interval(answers * 2, clusters=list(range(10)) * 2)
    assert tuple(twice) == pytest.approx(tuple(found))


def test_a_net_promoter_score_of_one_kind_is_not_certain():
    for answer, edge in ((10, "high"), (3, "low")):
        found = net_promoter_interval([answer] * 12)
        assert abs(getattr(found, edge)) == 100 and found.high - found.low > 20
    middle = net_promoter_interval([7] * 12)
    assert middle.value == 0 and middle.low == -middle.high < 0


def test_a_net_promoter_score_covers():
    random, inside = np.random.default_rng(3), []
    for _ in range(500):
        found = net_promoter_interval(random.choice([10, 8, 3], p=[0.5, 0.3, 0.2], size=80))
        inside.append(found.low <= 30 <= found.high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.025)


def test_post_stratification_worked_by_hand_and_undoes_unequal_answers():
    values, strata = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0], ["a", "a", "a", "a", "b", "b"]
    values[-1] = 1.0
    found = post_stratified_mean(values, strata, population={"a": 300, "b": 100})
    assert found.value == pytest.approx(0.75 * 0.75 + 0.25 * 0.5)
    variance = 0.75**2 * 0.25 / 4 + 0.25**2 * 0.5 / 2
    freedom = variance**2 / ((0.75**2 * 0.25 / 4) ** 2 / 3 + (0.25**2 * 0.5 / 2) ** 2 / 1)
    assert found.high - found.value == pytest.approx(student.ppf(0.975, freedom) * np.sqrt(variance))


def test_a_post_stratified_mean_covers_where_the_plain_one_is_off():
    random, inside = np.random.default_rng(4), []
    for _ in range(300):
        values = np.r_[random.normal(10, 2, 60), random.normal(4, 3, 15)]
        found = post_stratified_mean(
            values, np.r_[np.zeros(60), np.ones(15)], population={0.0: 500, 1.0: 500}
        )
        inside.append(found.low <= 7 <= found.high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.03)


def test_refusals_of_shares():
    with pytest.raises(ParameterError, match="successes lie between 0 and 1"):
        clustered_proportion_interval([2.0, 0.0], [1, 2])
    with pytest.raises(ParameterError, match="there is one cluster"):
        clustered_proportion_interval([1.0, 0.0], [1, 1])
    with pytest.raises(ParameterError, match="1 of 3 answers are no whole number from 0 to 10"):
        net_promoter_interval([9, 8, 11])
    with pytest.raises(ParameterError, match="stratum 'c' has no size"):
        post_stratified_mean([1, 2, 3], ["a", "a", "c"], population={"a": 5})
    with pytest.raises(ParameterError, match="stratum 'b' has 1 answers; merge it"):
        post_stratified_mean([1, 2, 3], ["a", "a", "b"], population={"a": 5, "b": 1})


# ------------------------------------------------------------------------------- sensitivity


def test_an_e_value_without_a_limit_says_nothing_of_one():
    assert np.isnan(e_value(3.9)[1]) and e_value(3.9)[0] == pytest.approx(7.26, abs=5e-3)
    assert e_value(1.5, 0.9)[1] == 1.0 and e_value(3.9, 1.8)[1] == pytest.approx(3.0, abs=5e-3)


def test_partial_r2_is_what_least_squares_gains():
    random = np.random.default_rng(1)
    x, z = random.normal(size=(2, 80))
    y = x + 0.5 * z + random.normal(size=80)
    both, one = np.column_stack([np.ones(80), x, z]), np.column_stack([np.ones(80), x])
    left = [float(np.sum((y - m @ np.linalg.lstsq(m, y, rcond=None)[0]) ** 2)) for m in (both, one)]
    variance = left[0] / 77 * np.linalg.inv(both.T @ both)[2, 2]
    t = np.linalg.lstsq(both, y, rcond=None)[0][2] / np.sqrt(variance)
    assert partial_r2(float(t), 77) == pytest.approx(1 - left[0] / left[1])
    # Cinelli and Hazlett (2020), table 1: t 4.18 with 783 degrees, partial R² 2.2 %
    assert partial_r2(4.18445, 783) == pytest.approx(0.022, abs=5e-4)


@pytest.mark.parametrize(
    "given", [{"r2_outcome": 2.0}, {"r2_treatment": 1.0}, {"r2_treatment": -0.1}, {"degrees": 0.0}]
)
def test_what_cannot_be_is_refused_in_sensitivity(given):
    plain = {"degrees": 100.0, "r2_treatment": 0.1, "r2_outcome": 0.1}
    with pytest.raises(ParameterError, match="must lie"):
        confounded_estimate(
            1.0,
            0.2,
            (plain | given).pop("degrees"),
            **{k: (plain | given)[k] for k in plain if k != "degrees"},
        )
    for degrees in (0.0, -5.0):
        with pytest.raises(ParameterError, match="degrees must lie above 0"):
            robustness_value(2.0, degrees)
        with pytest.raises(ParameterError, match="degrees must lie above 0"):
            partial_r2(2.0, degrees)


# ------------------------------------------------------------------------------- effect on the treated


def lopsided(seed: int, *, controls: int = 300) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Nearly all of the alike are treated; outcomes are amounts, never negative."""
    random = np.random.default_rng(seed)
    x = np.r_[random.normal(-2, 0.7, controls), random.normal(1.0, 0.9, 900)]
    treated = np.r_[np.zeros(controls), np.ones(900)]
    return np.exp(0.3 * x + random.normal(0, 0.4, len(x))), treated, pd.DataFrame({"x": x})


def test_the_mean_untreated_lies_among_what_was_observed_or_is_refused():
    answered = 0
    for seed in range(8):
        outcome, treated, covariates = lopsided(seed)
        try:
            found = doubly_robust(outcome, treated, covariates, estimand="ATT")
        except FitError:  # where the alike are too few
            continue
        answered += 1
        assert 0 < found.mean_untreated < outcome.max()
        assert found.effect == pytest.approx(found.mean_treated - found.mean_untreated, abs=0.15)
        kept = found.propensity <= found.overlap.cut_high
        odds = (found.propensity / (1 - found.propensity))[kept & (treated == 0)]
        assert odds.max() / odds.sum() <= 1 / 3
        assert found.overlap.cut_high == found.propensity[treated == 0].max()
    assert answered >= 1


def test_few_clusters_are_judged_by_student():
    random = np.random.default_rng(2)
    x = random.normal(size=400)
    treated = (random.random(400) < 1 / (1 + np.exp(-x))).astype(float)
    outcome = x + treated + random.normal(size=400)
    cluster = np.arange(400) % 6
    found = doubly_robust(outcome, treated, pd.DataFrame({"x": x}), clusters=cluster, repeats=1, folds=2)
    ratio = (found.high - found.effect) / found.std_error
    assert ratio == pytest.approx(student.ppf(0.975, 5))
    assert found.p_value == pytest.approx(2 * student.sf(abs(found.effect) / found.std_error, 5))
    alone = doubly_robust(outcome, treated, pd.DataFrame({"x": x}), repeats=1, folds=2)
    assert (alone.high - alone.effect) / alone.std_error == pytest.approx(norm.ppf(0.975))
