from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

from analysis.errors import FitError, ParameterError
from analysis.stats import (
    fit_competing_modes,
    fit_exponential,
    fit_lognormal,
    fit_weibull,
    fit_weibull_mixture,
    fit_weibull_threshold,
    probability_plot,
    rank_regression,
)
from analysis.stats.life_likelihood import LOGNORMAL, WEIBULL, log_likelihood, read_terms


def censored_sample(rng, units=400, shape=1.8, scale=30.0):
    life = scale * rng.weibull(shape, units)
    end = rng.uniform(5, 50, units)
    return np.minimum(life, end), (life <= end).astype(int)


@pytest.mark.parametrize("family", [WEIBULL, LOGNORMAL])
@pytest.mark.parametrize("point", [(3.0, 0.2), (2.0, -0.7), (4.5, 0.6)])
def test_derivatives_are_those_of_the_likelihood(family, point):
    terms = read_terms(
        [5, 9, 12, np.nan, np.nan, 8, 7],
        [1, 1, 0, 0, 0, 1, 1],
        entry=[0, 2, 3, 0, 1, 0, 1],
        weights=[1, 2, 30, 4, 5, 1, 3],
        lower=[np.nan, np.nan, np.nan, 6, 2, np.nan, np.nan],
        upper=[np.nan, np.nan, np.nan, 9, 4, np.nan, np.nan],
        seen_below=[np.inf] * 5 + [20, 10],
    )
    _, gradient, hessian = log_likelihood(terms, family, *point)
    step = 1e-5
    for i in range(2):
        shift = step * np.eye(2)[i]
        above, below = (
            log_likelihood(terms, family, *(point + shift)),
            log_likelihood(terms, family, *(point - shift)),
        )
        assert gradient[i] == pytest.approx((above[0] - below[0]) / (2 * step), rel=1e-6, abs=1e-6)
        np.testing.assert_allclose(hessian[i], (above[1] - below[1]) / (2 * step), rtol=1e-5, atol=1e-5)


def test_exponential_by_hand():
    # 3 failures over 10 + 20 + 30 + 40 - 5 = 95 unit-months: rate 3 / 95, log-likelihood 3 log(3 / 95) - 3
    fit = fit_exponential([10, 20, 30, 40], [1, 1, 0, 1], entry=[0, 0, 5, 0])
    assert fit.rate == pytest.approx(3 / 95, rel=1e-9)
    assert fit.log_likelihood == pytest.approx(3 * np.log(3 / 95) - 3, rel=1e-9)
    assert fit.parameters == 1


def test_uncensored_lognormal_by_hand():
    ages = np.array([3.0, 7.0, 8.0, 20.0])
    fit = fit_lognormal(ages)
    assert (fit.location, fit.spread) == pytest.approx((np.log(ages).mean(), np.log(ages).std()), rel=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_grouping_splitting_and_order_do_not_change_the_fit(seed):
    rng = np.random.default_rng(seed)
    age, failed = censored_sample(rng)
    age = np.ceil(age)
    plain = fit_weibull(age, failed)
    grouped = pd.DataFrame({"age": age, "failed": failed}).value_counts().reset_index()
    shuffled = grouped.sample(frac=1, random_state=seed)
    same = fit_weibull(shuffled["age"], shuffled["failed"], weights=shuffled["count"])
    # a unit cut into two stretches of observation is still one unit
    cut = np.minimum(age / 2, 4.0)
    split = fit_weibull(
        np.r_[cut, age], np.r_[np.zeros(len(age)), failed], entry=np.r_[np.zeros(len(age)), cut]
    )
    for other in (same, split):
        assert (other.shape, other.scale) == pytest.approx((plain.shape, plain.scale), rel=1e-7)
        assert other.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-9)


def test_a_long_table_is_added_up_before_it_is_fitted():
    rng = np.random.default_rng(1)
    age, failed = np.ceil(censored_sample(rng, units=20_000)[0]), rng.integers(0, 2, 20_000)
    terms = read_terms(age, failed, entry=None, weights=None, lower=None, upper=None)
    assert len(terms.density[0]) < 60 and terms.density[1].sum() == failed.sum()
    halves = read_terms(age / 2, failed, entry=age / 4, weights=None, lower=None, upper=None)
    assert len(halves.survival[0]) < 120


def test_time_unit_scales_the_scale_only():
    age, failed = censored_sample(np.random.default_rng(7))
    months, days = fit_weibull(age, failed), fit_weibull(30 * age, failed)
    assert days.shape == pytest.approx(months.shape, rel=1e-8)
    assert days.scale == pytest.approx(30 * months.scale, rel=1e-8)
    assert days.b_life(0.1).low == pytest.approx(30 * months.b_life(0.1).low, rel=1e-5)


def test_four_ways_to_say_right_censored_and_exact():
    plain = fit_weibull([3, 5, 9], [1, 1, 0])
    bounds = fit_weibull(None, lower=[3, 5, 9], upper=[3, 5, np.inf])
    missing = fit_weibull(None, lower=[3, 5, 9], upper=[3, 5, np.nan])
    mixed = fit_weibull([3, 5, 1], [1, 1, 1], lower=[np.nan, np.nan, 9])
    assert {round(fit.shape, 9) for fit in (plain, bounds, missing, mixed)} == {round(plain.shape, 9)}


def test_recovery_under_left_truncation_interval_and_left_censoring():
    rng = np.random.default_rng(2)
    life = 24 * rng.weibull(2.2, 30_000)
    entry = rng.uniform(0, 20, 30_000)
    kept = life > entry
    life, entry = life[kept], entry[kept]
    naive = fit_weibull(life)
    fit = fit_weibull(life, entry=entry)
    assert (fit.shape, fit.scale) == pytest.approx((2.2, 24), rel=0.03)
    assert naive.scale > 26
    inspected = fit_weibull(None, lower=np.maximum(entry, np.floor(life)), upper=np.ceil(life), entry=entry)
    assert (inspected.shape, inspected.scale) == pytest.approx((2.2, 24), rel=0.03)
    ages = 24 * rng.weibull(2.2, 20_000)
    looked = rng.uniform(5, 40, 20_000)
    status = fit_weibull(
        None, lower=np.where(ages <= looked, 0, looked), upper=np.where(ages <= looked, looked, np.inf)
    )
    assert (status.shape, status.scale) == pytest.approx((2.2, 24), rel=0.05)


def test_recovery_when_only_early_failures_were_seen():
    rng = np.random.default_rng(3)
    life, window = 12 * rng.weibull(1.5, 60_000), rng.uniform(4, 40, 60_000)
    seen = life <= window
    fit = fit_weibull(life[seen], seen_below=window[seen])
    assert (fit.shape, fit.scale) == pytest.approx((1.5, 12), rel=0.05)


@pytest.mark.parametrize("seed", range(2))
def test_likelihood_ratio_intervals_cover_about_as_often_as_promised(seed):
    rng = np.random.default_rng(100 + seed)
    inside = np.zeros(4)
    repeats = 60
    b10 = 30 * (-np.log(0.9)) ** (1 / 1.8)
    for _ in range(repeats):
        fit = fit_weibull(*censored_sample(rng, units=60))
        intervals = (fit.shape_interval(level=0.9), fit.scale_interval(level=0.9), fit.b_life(0.1, level=0.9))
        share = fit.failure_share(12.0, level=0.9)
        truths = (1.8, 30.0, b10)
        inside[:3] += [i.low <= truth <= i.high for i, truth in zip(intervals, truths, strict=True)]
        inside[3] += share.low <= -np.expm1(-((12 / 30) ** 1.8)) <= share.high
    assert (np.abs(inside / repeats - 0.9) < 4 * np.sqrt(0.09 / repeats)).all()


def test_b_life_and_failure_share_are_two_readings_of_one_curve():
    fit = fit_weibull(*censored_sample(np.random.default_rng(4)))
    b10 = fit.b_life(0.1)
    share = fit.failure_share(b10.value)
    assert share.value == pytest.approx(0.1, rel=1e-9)
    assert fit.survival(b10.value) == pytest.approx(0.9, rel=1e-9)
    # the age at which the upper bound of the share is 10 % is the lower bound of B10
    assert fit.failure_share(b10.low).high == pytest.approx(0.1, rel=1e-4)
    assert fit.hazard(10.0) == pytest.approx(
        fit.shape / fit.scale * (10 / fit.scale) ** (fit.shape - 1), rel=1e-9
    )
    assert fit.conditional_failure_share(0.0, 10.0) == pytest.approx(1 - fit.survival(10.0))


def test_survival_never_rises_and_the_bathtub_is_read_from_the_interval():
    rng = np.random.default_rng(5)
    directions = {}
    for shape in (0.5, 1.0, 2.5):
        fit = fit_weibull(*censored_sample(rng, units=600, shape=shape))
        assert (np.diff(fit.survival(np.linspace(0, 100, 50))) <= 0).all()
        directions[shape] = fit.hazard_direction()
    assert directions[0.5] == "falling" and directions[2.5] == "rising"
    assert fit_weibull([5, 9, 20], [1, 1, 0]).hazard_direction() == "unclear"


def test_few_failures_give_wide_and_sometimes_open_intervals():
    fit = fit_weibull([5, 9] + [10] * 500, [1, 1] + [0] * 500)
    assert fit.b_life(0.5).high > 100 * fit.b_life(0.5).value
    shape = fit.shape_interval()
    assert 0 < shape.low < 1 < shape.high


@pytest.mark.parametrize("seed", range(3))
def test_threshold_is_recovered_and_its_interval_holds_it(seed):
    rng = np.random.default_rng(seed)
    age = np.round(20 + 15 * rng.weibull(1.4, 800), 1)
    fit = fit_weibull_threshold(age, resolution=0.1)
    assert fit.threshold_interval.low <= 20 <= fit.threshold_interval.high
    assert (fit.shape, fit.scale) == pytest.approx((1.4, 15), rel=0.12)
    assert not fit.at_bound and fit.survival(19.0) == 1.0
    assert fit.log_likelihood >= fit.profile["log_likelihood"].max() - 1e-9


def test_without_a_threshold_the_interval_reaches_zero():
    age, failed = censored_sample(np.random.default_rng(6), units=500, shape=1.8)
    fit = fit_weibull_threshold(np.maximum(np.round(age, 1), 0.1), failed, resolution=0.1)
    assert fit.threshold_interval.low == 0.0
    assert fit.threshold < 2.0


def test_a_threshold_cut_by_its_range_is_said_to_be_imposed():
    age = 20 + 15 * np.random.default_rng(0).weibull(1.4, 400)
    fit = fit_weibull_threshold(age.round(1), resolution=0.1, threshold_high=12.0)
    assert fit.at_bound and fit.threshold == pytest.approx(12.0, abs=1e-3)


def test_grouped_likelihood_stays_bounded_where_the_density_would_not():
    # shape below one: densities grow without bound as the threshold nears the first failure
    age = 10 + 5 * np.random.default_rng(8).weibull(0.6, 100)
    fit = fit_weibull_threshold(np.round(age, 2), resolution=0.01)
    assert fit.log_likelihood < 0
    assert fit.threshold == pytest.approx(10.0, abs=0.05)


def test_mixture_of_early_and_late_failures_is_recovered():
    rng = np.random.default_rng(9)
    life = np.r_[4 * rng.weibull(0.9, 1_500), 60 * rng.weibull(4.0, 8_500)]
    end = rng.uniform(10, 90, len(life))
    age, failed = np.maximum(np.minimum(life, end).round(1), 0.1), (life <= end).astype(int)
    fit = fit_weibull_mixture(age, failed)
    parts = fit.components
    assert parts["share"].sum() == pytest.approx(1)
    assert (parts["share_low"] <= [0.15, 0.85]).all() and (parts["share_high"] >= [0.15, 0.85]).all()
    assert parts["shape"].to_numpy() == pytest.approx([0.9, 4.0], rel=0.1)
    assert parts["scale"].to_numpy() == pytest.approx([4, 60], rel=0.15)
    assert fit.aic < fit_weibull(age, failed).aic - 100
    assert fit.survival(0.0) == pytest.approx(1.0)


def test_a_mixture_without_a_curvature_has_open_intervals_and_not_narrow_ones():
    from analysis.stats.life import _mixture_table

    rng = np.random.default_rng(21)
    age = np.r_[rng.weibull(0.7, 400) * 3, rng.weibull(3.0, 1600) * 60]
    fit = fit_weibull_mixture(age, np.ones(len(age)))
    lost = replace(fit, covariance=-fit.covariance)
    found = lost.b_life(0.1)
    assert found.value == fit.b_life(0.1).value and (found.low, found.high) == (0.0, np.inf)
    table = _mixture_table(fit.point, -fit.covariance, 2, 0.95)
    assert list(table["share_low"]) == [0.0, 0.0] and list(table["share_high"]) == [1.0, 1.0]


def test_mixture_derivatives():
    from analysis.stats.life import _mixture_objective

    rows = tuple(
        np.array(part, dtype=float) for part in ([3, 5, 0, 8], [3, np.inf, 4, 12], [0, 2, 0, 1], [2, 7, 1, 3])
    )
    point = np.array([0.3, 1.2, 2.5, 0.1, -0.4])
    _, gradient = _mixture_objective(point, rows=rows, populations=2)
    for i in range(5):
        shift = 1e-6 * np.eye(5)[i]
        above, _ = _mixture_objective(point + shift, rows=rows, populations=2)
        below, _ = _mixture_objective(point - shift, rows=rows, populations=2)
        assert gradient[i] == pytest.approx((above - below) / 2e-6, rel=1e-5)


def test_competing_modes_multiply_to_the_survival_of_the_unit():
    rng = np.random.default_rng(10)
    seal, motor = 30 * rng.weibull(0.8, 4000), 40 * rng.weibull(3.0, 4000)
    end = np.full(4000, 36.0)
    age = np.minimum(np.minimum(seal, motor), end)
    mode = np.where(age == end, None, np.where(seal < motor, "seal", "motor"))
    fits = fit_competing_modes(age, mode)
    assert list(fits) == ["motor", "seal"]
    assert (fits["seal"].shape, fits["motor"].shape) == pytest.approx((0.8, 3.0), rel=0.06)
    together = fits["seal"].survival(20.0) * fits["motor"].survival(20.0)
    assert together == pytest.approx((age > 20).mean(), abs=0.02)


def test_probability_plot_by_hand():
    # at risk 4, 3, 1: survival 3/4, 1/2, 0; half way up the steps 1/8, 3/8, 3/4
    plot = probability_plot([2, 5, 5, 9], [1, 1, 0, 1], family="weibull")
    np.testing.assert_allclose(plot["at_risk"], [4, 3, 1])
    np.testing.assert_allclose(plot["share"], [1 / 8, 3 / 8, 3 / 4])
    np.testing.assert_allclose(plot["quantile"], np.log(-np.log1p(-plot["share"])))
    late = probability_plot(
        [2, 5, 5, 9], [1, 1, 0, 1], family="weibull", entry=[0, 3, 0, 0], weights=[1, 2, 1, 1]
    )
    np.testing.assert_allclose(late["at_risk"], [3, 4, 1])


@pytest.mark.parametrize("seed", range(2))
def test_points_of_a_good_fit_lie_on_its_line(seed):
    age, failed = censored_sample(np.random.default_rng(seed), units=3000)
    fit = fit_weibull(age, failed)
    plot = probability_plot(age, failed, family="weibull").iloc[100:-20]
    slope = np.polyfit(plot["log_age"], plot["quantile"], 1)[0]
    assert slope == pytest.approx(fit.shape, rel=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit_weibull([5, 9], [0, 0]), "no failures among 2 units"),
        (lambda: fit_weibull([5, 5, 5], [1, 1, 1]), "no maximum within bounds"),
        (lambda: fit_weibull([5, 5, 3], [1, 1, 0]), "no maximum within bounds"),
        (
            lambda: fit_weibull(None, lower=[0, 0], upper=[4, 6]),
            "no maximum within bounds|not identified|not converged",
        ),
        (lambda: probability_plot([1, 2], [0, 0], family="weibull"), "no failures"),
        (lambda: fit_weibull_threshold([4, 9], [0, 0], resolution=1), "no failures"),
    ],
)
def test_a_fit_that_does_not_exist_is_refused(call, message):
    with pytest.raises(FitError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: fit_weibull([5, np.nan], [1, 0]),
            "1 of 2 rows have no duration, all of them survivors .* Dropping them",
        ),
        (
            lambda: fit_weibull([np.nan, 5, 7], [1, 1, 0]),
            "1 of 3 rows have no duration; leaving them out would bias",
        ),
        (lambda: fit_weibull([5, 0], [1, 1]), "failed at age zero"),
        (lambda: fit_weibull([5, 6], [1, 1], entry=[0, 6]), "failed at or before their entry"),
        (lambda: fit_weibull([5, 6], [1, 2]), "events must be 1"),
        (lambda: fit_weibull([5, 6], [1]), "1 values for 2 durations"),
        (lambda: fit_weibull([5, 6], weights=[1, -1]), "negative, missing or infinite"),
        (lambda: fit_weibull([5, 6], weights=[1]), "weights: 1 values for 2 rows"),
        (lambda: fit_weibull(None, lower=[5], upper=[3]), "upper bound below the lower"),
        (lambda: fit_weibull(None, lower=[1], upper=[3], entry=[2]), "before their entry"),
        (lambda: fit_weibull([5, 9], seen_below=[6, 8]), "after the age at which they could still be seen"),
        (lambda: fit_weibull(None), "give durations with events"),
        (lambda: fit_weibull([5, 6]).b_life(10), "share between 0 and 1"),
        (lambda: fit_exponential([5, 6]).spread_interval(), "no shape"),
        (lambda: fit_weibull_threshold([5, 6], resolution=0), "resolution"),
        (lambda: fit_weibull_threshold([5, 6], resolution=1, threshold_low=7), "must lie between"),
        (lambda: probability_plot([5, 6], family="gumbel"), "unknown family"),
    ],
)
def test_impossible_input_is_refused(call, message):
    with pytest.raises(ParameterError, match=message):
        call()


@pytest.mark.parametrize("seed", [0, 1, 4, 6])
@pytest.mark.parametrize("fit", [fit_weibull, fit_lognormal])
def test_a_bound_that_the_likelihood_does_not_have_is_said_to_be_none(seed, fit):
    """Only failures early enough are seen: early ones say that life is not short, and nothing about how long it is."""
    random = np.random.default_rng(seed)
    ages, seen_below = random.weibull(1.5, 4000) * 20, random.uniform(2, 8, 4000)
    kept = np.flatnonzero(ages < seen_below)[:60]
    found = fit(ages[kept], None, seen_below=seen_below[kept])
    b10, failed = found.b_life(0.1), found.failure_share(30.0)
    assert 0.1 < b10.low < b10.value and b10.high == np.inf
    assert b10.method == "likelihood ratio; no upper bound, the likelihood levels off"
    assert failed.low == 0.0 and failed.value <= failed.high <= 1.0
    assert "lower" in failed.method and "levels off" in failed.method
    spread = found.spread_interval()
    assert spread.high == np.inf or spread.high < 2.0


def test_a_bound_that_exists_is_where_the_deviance_reaches_it():
    random = np.random.default_rng(7)
    ages, seen_below = random.weibull(1.5, 4000) * 20, random.uniform(2, 8, 4000)
    kept = np.flatnonzero(ages < seen_below)[:60]
    found = fit_weibull(ages[kept], None, seen_below=seen_below[kept])
    b10 = found.b_life(0.1)
    assert b10.method == "likelihood ratio" and np.isfinite(b10.high)
    # five failures and one survivor: few, and still bounded on both sides
    few = fit_weibull([1.0, 2.0, 3.0, 4.0, 5.0, 5.0], [1, 1, 1, 1, 1, 0])
    for interval in (few.b_life(0.1), few.shape_interval(), few.failure_share(4.0)):
        assert interval.method == "likelihood ratio" and 0 < interval.low < interval.high < 100


def test_rank_regression_reads_a_straight_line_and_its_two_sides_meet():
    ranks = beta.ppf(0.5, np.arange(1, 9), 9 - np.arange(1, 9))
    ages = 50 * (-np.log1p(-ranks)) ** (1 / 2.5)
    for on in ("age", "rank"):
        found = rank_regression(ages, family="weibull", on=on)
        assert (found.shape, found.scale, found.correlation) == pytest.approx((2.5, 50.0, 1.0))
    scattered = np.random.default_rng(1).weibull(2, 20)
    by_age, by_rank = (rank_regression(scattered, family="weibull", on=on) for on in ("age", "rank"))
    assert by_age.spread / by_rank.spread == pytest.approx(by_age.correlation**2)


def test_units_alive_move_the_ranks_of_later_failures_as_johnson_has_it():
    """Five units, the second taken away alive: ranks 1, then steps of (6 - 1) / (1 + 3): 2.25, 3.5, 4.75."""
    ages, failed = [10.0, 20.0, 30.0, 40.0, 50.0], [1, 0, 1, 1, 1]
    share = beta.ppf(0.5, [1, 2.25, 3.5, 4.75], 6 - np.array([1, 2.25, 3.5, 4.75]))
    y, x = np.log(-np.log1p(-share)), np.log([10.0, 30.0, 40.0, 50.0])
    found = rank_regression(ages, failed, family="weibull", on="rank")
    assert found.shape == pytest.approx(np.polyfit(x, y, 1)[0])
    with pytest.raises(FitError, match="a line needs failures at two ages"):
        rank_regression([1.0, 1.0, 3.0], [1, 1, 0], family="weibull", on="age")
    with pytest.raises(ParameterError, match="on 'age' or on 'rank'"):
        rank_regression(ages, failed, family="weibull", on="y")
