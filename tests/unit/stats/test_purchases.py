"""Buy till you die: exact derivatives, laws, recovery, predictions against simulation, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import hyp2f1

from analysis.errors import FitError, ParameterError
from analysis.stats import fit_bgnbd, fit_gamma_gamma, fit_mbgnbd, fit_pareto_nbd, fit_sbg, purchase_summary
from analysis.stats.likelihood import LikelihoodFit
from analysis.stats.purchases import GeometricModel, ParetoModel, _geometric_objective, _patterns


def bg_customers(seed, count=1500, *, r=0.8, alpha=6.0, a=0.9, b=2.5, modified=False, longest=60.0, unit=1.0):
    """Customers who buy at Poisson rates and may leave after each purchase; times rounded up to `unit`."""
    random = np.random.default_rng(seed)
    rate, leave = random.gamma(r, 1 / alpha, count), random.beta(a, b, count)
    age = np.ceil(random.uniform(longest / 3, longest, count) / unit) * unit
    frequency, recency, later = np.zeros(count), np.zeros(count), np.zeros(count)
    for one in range(count):
        clock, there = 0.0, not (modified and random.random() < leave[one])
        while there:
            clock += random.exponential(1 / rate[one])
            if clock > 2 * age[one]:
                break
            if clock <= age[one]:
                frequency[one] += 1
                recency[one] = clock
            else:
                later[one] += 1
            there = random.random() >= leave[one]
    recency = np.minimum(np.ceil(recency / unit) * unit if unit != 1.0 else recency, age)
    return frequency, recency, age, later


def pareto_customers(seed, count=1500, *, r=0.8, alpha=6.0, s=0.7, beta=12.0, longest=60.0):
    random = np.random.default_rng(seed)
    rate, life = random.gamma(r, 1 / alpha, count), random.exponential(1 / random.gamma(s, 1 / beta, count))
    age = random.uniform(longest / 3, longest, count)
    frequency = random.poisson(rate * np.minimum(life, age)).astype(float)
    recency = np.array(
        [
            np.max(random.uniform(0, end, int(x)), initial=0.0)
            for end, x in zip(np.minimum(life, age), frequency, strict=True)
        ]
    )
    later = random.poisson(rate * np.clip(np.minimum(life, 2 * age) - age, 0, None))
    return frequency, recency, age, later.astype(float)


@pytest.mark.parametrize("modified", [False, True])
def test_gradient_and_hessian_are_the_derivatives(modified):
    frequency, recency, age, _ = bg_customers(1, 200)
    objective = _geometric_objective(_patterns(frequency, recency, age, None), modified=modified)
    theta = np.array([0.6, 5.0, 0.7, 1.8])
    _, slope, bend = objective(theta)
    for place, step in enumerate(np.diag(theta * 1e-5)):
        up, down = objective(theta + step), objective(theta - step)
        size = 2 * step[place]
        assert (up[0] - down[0]) / size == pytest.approx(slope[place], rel=1e-6, abs=1e-5)
        assert (up[1] - down[1]) / size == pytest.approx(bend[place], rel=1e-5, abs=1e-5)


def test_likelihood_is_the_published_formula():
    # Fader, Hardie and Lee (2005), equation 6, customer by customer.
    frequency, recency, age, _ = bg_customers(2, 400)
    model = fit_bgnbd(frequency, recency, age)
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    from scipy.special import betaln, gammaln

    shared = gammaln(r + frequency) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
    alive = np.exp(betaln(a, b + frequency) - (r + frequency) * np.log(alpha + age))
    gone = np.where(
        frequency > 0,
        np.exp(
            betaln(a + 1, np.maximum(b + frequency - 1, 1e-9)) - (r + frequency) * np.log(alpha + recency)
        ),
        0,
    )
    assert model.log_likelihood == pytest.approx(float(np.sum(shared + np.log(alive + gone))), rel=1e-12)


def test_pareto_likelihood_is_the_published_formula():
    # Fader and Hardie (2005), "A note on deriving the Pareto/NBD model", equation 20 (alpha at least beta, and the other way).
    from scipy.special import gammaln

    for seed, options in ((1, {}), (2, {"beta": 4.0, "alpha": 9.0})):
        frequency, recency, age, _ = pareto_customers(seed, 500, **options)
        model = fit_pareto_nbd(frequency, recency, age)
        r, alpha, s, beta = model.r, model.alpha, model.s, model.beta
        top, low, second = (alpha, beta, s + 1) if alpha >= beta else (beta, alpha, r + frequency)
        power = r + s + frequency

        def part(time, top=top, low=low, second=second, power=power):
            return hyp2f1(power, second, power + 1, (top - low) / (top + time)) / (top + time) ** power

        shared = gammaln(r + frequency) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        alive = 1 / ((alpha + age) ** (r + frequency) * (beta + age) ** s)
        gone = s / power * (part(recency) - part(age))
        assert model.log_likelihood == pytest.approx(float(np.sum(shared + np.log(alive + gone))), rel=1e-9)


@pytest.mark.parametrize("fit", [fit_bgnbd, fit_mbgnbd, fit_pareto_nbd])
def test_weights_order_and_unit_of_time(fit):
    draw = pareto_customers if fit is fit_pareto_nbd else bg_customers
    frequency, recency, age, _ = draw(3, 800)
    recency, age = np.ceil(recency), np.ceil(age)
    recency = np.where(frequency > 0, np.maximum(recency, 1), 0)
    whole = fit(frequency, recency, age)
    patterns, counts = np.unique(np.column_stack([frequency, recency, age]), axis=0, return_counts=True)
    counted = fit(*patterns[::-1].T, weights=counts[::-1])
    assert counted.fit.estimate == pytest.approx(whole.fit.estimate, rel=1e-6)
    assert counted.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-12)
    assert (counted.customers, counted.patterns) == (800, len(patterns))
    doubled = fit(frequency, recency, age, weights=np.full(800, 2))
    assert doubled.log_likelihood == pytest.approx(2 * whole.log_likelihood)
    assert doubled.fit.log_covariance * 2 == pytest.approx(whole.fit.log_covariance, rel=1e-4)
    in_days = fit(frequency, 7 * recency, 7 * age)
    scaled = np.array([1, 7, 1, 7 if fit is fit_pareto_nbd else 1])
    assert in_days.fit.estimate == pytest.approx(whole.fit.estimate * scaled, rel=1e-5)


@pytest.mark.parametrize(
    "fit, draw, names, truth",
    [
        (fit_bgnbd, bg_customers, ("r", "alpha", "a", "b"), (0.8, 6.0, 0.9, 2.5)),
        (fit_pareto_nbd, pareto_customers, ("r", "alpha", "s", "beta"), (0.8, 6.0, 0.7, 12.0)),
    ],
)
def test_parameters_are_recovered_as_often_as_promised(fit, draw, names, truth):
    inside = np.zeros(4)
    seeds = 20
    for seed in range(seeds):
        model = fit(*draw(seed, 1200)[:3])
        for place, name in enumerate(names):
            low, high = model.fit.interval(name)
            inside[place] += low <= truth[place] <= high
    assert (inside >= 16).all()


def test_mbgnbd_recovers_those_who_left_at_once():
    model = fit_mbgnbd(*bg_customers(5, 4000, modified=True)[:3])
    for name, truth in zip(("r", "alpha", "a", "b"), (0.8, 6.0, 0.9, 2.5), strict=True):
        low, high = model.fit.interval(name, level=0.999)
        assert low < truth < high


def test_profile_interval_is_where_the_likelihood_has_dropped():
    frequency, recency, age, _ = bg_customers(6, 600)
    model = fit_bgnbd(frequency, recency, age)
    low, high = model.fit.interval("b", method="profile")
    assert low < model.b < high
    near = model.fit.interval("b")
    assert low == pytest.approx(near[0], rel=0.35) and high == pytest.approx(near[1], rel=0.8)


def plain_model(kind, theta, *, modified=False):
    fit = LikelihoodFit(
        names=("x",),
        estimate=np.ones(1),
        log_likelihood=0.0,
        log_covariance=np.eye(1),
        steps=0,
        _objective=None,
    )
    shared = {"log_likelihood": 0.0, "customers": 1.0, "patterns": 1, "unit": "weeks", "fit": fit}
    if kind is GeometricModel:
        return GeometricModel(
            **dict(zip(("r", "alpha", "a", "b"), theta, strict=True)), modified=modified, **shared
        )
    return ParetoModel(**dict(zip(("r", "alpha", "s", "beta"), theta, strict=True)), **shared)


@pytest.mark.parametrize("modified", [False, True])
def test_predictions_agree_with_simulated_customers(modified):
    # Sum over many customers of expected later purchases, and of the chance to be alive, against what they did.
    frequency, recency, age, later = bg_customers(11, 12000, modified=modified)
    model = plain_model(GeometricModel, (0.8, 6.0, 0.9, 2.5), modified=modified)
    expected = model.expected_purchases(age, frequency, recency, age)
    for group in (frequency == 0, (frequency > 0) & (frequency < 4), frequency >= 4):
        assert expected[group].sum() == pytest.approx(
            later[group].sum(), abs=4 * np.sqrt(np.sum(later[group] ** 2))
        )
    new = model.expected_purchases_of_new(age)
    assert new.sum() == pytest.approx(frequency.sum(), abs=4 * np.sqrt(np.sum(frequency**2)))
    counts = model.purchase_distribution(age, most=6).sum(axis=0)
    actual = np.bincount(np.minimum(frequency, 6).astype(int), minlength=7)
    assert (np.abs(counts - actual) < 3.5 * np.sqrt(counts)).all()
    bought_later = later > 0
    alive = model.probability_alive(frequency, recency, age)
    assert alive[bought_later].mean() > alive[~bought_later].mean() + 0.1
    assert alive.mean() > bought_later.mean()


def test_pareto_predictions_agree_with_simulated_customers():
    frequency, recency, age, later = pareto_customers(12, 20000)
    model = plain_model(ParetoModel, (0.8, 6.0, 0.7, 12.0))
    expected = model.expected_purchases(age, frequency, recency, age)
    for group in (frequency == 0, (frequency > 0) & (frequency < 4), frequency >= 4):
        assert expected[group].sum() == pytest.approx(
            later[group].sum(), abs=4 * np.sqrt(np.sum(later[group] ** 2))
        )
    assert model.expected_purchases_of_new(age).sum() == pytest.approx(frequency.sum(), rel=0.03)
    # Alive as by the integral over the time of leaving, for one customer.
    x, recent, end = 3.0, 10.0, 40.0
    gone = quad(lambda y: 0.7 * (6 + y) ** -(0.8 + x) * (12 + y) ** -1.7, recent, end)[0]
    alive = (6 + end) ** -(0.8 + x) * (12 + end) ** -0.7
    assert model.probability_alive(x, recent, end)[0] == pytest.approx(alive / (alive + gone), rel=1e-9)


def test_predictions_pass_smoothly_through_one():
    at = [
        plain_model(GeometricModel, (0.8, 6.0, a, 2.5)).expected_purchases(20.0, 3, 10, 30)[0]
        for a in (0.999, 1.0, 1.001)
    ]
    assert at[1] == pytest.approx((at[0] + at[2]) / 2, rel=1e-5)
    at = [
        plain_model(ParetoModel, (0.8, 6.0, s, 12.0)).expected_purchases(20.0, 3, 10, 30)[0]
        for s in (0.999, 1.0, 1.001)
    ]
    assert at[1] == pytest.approx((at[0] + at[2]) / 2, rel=1e-5)


def test_who_never_came_back_is_alive_in_one_model_and_doubtful_in_the_other():
    assert plain_model(GeometricModel, (0.8, 6.0, 0.9, 2.5)).probability_alive(0, 0, 40)[0] == 1.0
    assert (
        plain_model(GeometricModel, (0.8, 6.0, 0.9, 2.5), modified=True).probability_alive(0, 0, 40)[0] < 0.6
    )


def test_summary_merges_days_and_stops_at_the_end():
    summary = purchase_summary(
        ["a", "a", "a", "a", "b", "b", "c"],
        [
            "2026-01-05 09:00",
            "2026-01-05 18:00",
            "2026-01-19 10:00",
            "2026-02-02",
            "2026-01-10",
            "2026-03-01",
            "2026-03-02",
        ],
        [10, 5, 20, 40, 7, 9, 8],
        end="2026-02-28",
        unit="weeks",
    )
    assert summary.merged == 1
    assert summary.after_end == 2
    assert list(summary.table.index) == ["a", "b"]
    a, b = summary.table.loc["a"], summary.table.loc["b"]
    assert (a["frequency"], a["recency"], a["monetary"]) == (2, 4.0, 30.0)
    assert a["T"] == pytest.approx(54 / 7)
    assert (b["frequency"], b["recency"]) == (0, 0) and np.isnan(b["monetary"])
    months = purchase_summary(["a", "a"], ["2025-01-01", "2026-01-01"], end="2026-01-01", unit="months").table
    assert months.loc["a", "recency"] == pytest.approx(365 / 30.4375)


@pytest.mark.parametrize("seed", range(2))
def test_gamma_gamma_recovers_and_draws_towards_the_mean(seed):
    random = np.random.default_rng(seed)
    frequency = random.integers(0, 9, 6000).astype(float)
    scale = random.gamma(3.5, 1 / 20.0, 6000)
    mean = np.array(
        [random.gamma(6.0 * x, 1 / (scale[one] * x)) if x > 0 else np.nan for one, x in enumerate(frequency)]
    )
    model = fit_gamma_gamma(frequency, mean)
    for name, truth in zip(("p", "q", "v"), (6.0, 3.5, 20.0), strict=True):
        low, high = model.fit.interval(name, level=0.999)
        assert low < truth < high
    assert model.mean == pytest.approx(6 * 20 / 2.5, rel=0.05)
    assert model.without == (frequency == 0).sum()
    expected = model.expected_value(frequency, mean)
    assert expected[frequency == 0] == pytest.approx(model.mean)
    seen = frequency > 0
    assert ((expected[seen] - model.mean) * (mean[seen] - model.mean) >= 0).all()
    truth = 6 / scale
    assert np.mean((expected - truth)[seen] ** 2) < np.mean((mean - truth)[seen] ** 2)
    # Another currency scales v alone.
    fen = fit_gamma_gamma(frequency, 100 * mean)
    assert (fen.p, fen.q, fen.v) == pytest.approx((model.p, model.q, 100 * model.v), rel=1e-5)


def test_gamma_gamma_derivatives_and_weights():
    random = np.random.default_rng(4)
    frequency, mean = random.integers(1, 6, 300).astype(float), random.gamma(5, 8, 300)
    weight = random.integers(1, 4, 300)
    counted = fit_gamma_gamma(frequency, mean, weight)
    repeated = fit_gamma_gamma(np.repeat(frequency, weight), np.repeat(mean, weight))
    assert counted.fit.estimate == pytest.approx(repeated.fit.estimate, rel=1e-6)
    objective, theta = counted.fit._objective, np.array([5.0, 4.0, 20.0])
    _, slope, bend = objective(theta)
    for place, step in enumerate(np.diag(theta * 1e-5)):
        up, down = objective(theta + step), objective(theta - step)
        assert (up[0] - down[0]) / (2 * step[place]) == pytest.approx(slope[place], rel=1e-5, abs=1e-4)
        assert (up[1] - down[1]) / (2 * step[place]) == pytest.approx(bend[place], rel=1e-5, abs=1e-4)


def test_sbg_by_cohorts_and_its_laws():
    random = np.random.default_rng(1)
    leave = random.beta(0.8, 2.0, 20000)
    cohorts = []
    for start, years in ((0, 8), (8000, 5), (14000, 3)):
        there, alive = leave[start : start + 6000], [6000]
        for _ in range(years):
            there = there[random.random(len(there)) >= there]
            alive.append(len(there))
        cohorts.append(alive)
    model = fit_sbg(cohorts)
    for name, truth in (("alpha", 0.8), ("beta", 2.0)):
        low, high = model.fit.interval(name, level=0.999)
        assert low < truth < high
    assert model.customers == 18000
    survival = model.survival(np.arange(12))
    assert survival[0] == 1
    assert model.retention(np.arange(1, 12)) == pytest.approx(survival[1:] / survival[:-1])
    assert (np.diff(model.retention(np.arange(1, 12))) > 0).all()


def test_residual_lifetime_is_the_discounted_sum():
    model = fit_sbg([1000, 869, 743, 653, 593, 551, 517, 491])
    t = np.arange(1, 20001)
    for renewals in (0, 4):
        ratio = model.survival(renewals + t) / model.survival(renewals)
        total = float(np.sum(ratio / 1.1 ** (t - 1)))
        assert float(model.residual_lifetime(renewals, discount=0.1)) == pytest.approx(total, rel=1e-9)
        five = float(np.sum((ratio / 1.1 ** (t - 1))[:5]))
        assert float(model.residual_lifetime(renewals, discount=0.1, horizon=5)) == pytest.approx(five)
    with pytest.raises(ParameterError, match=r"infinite horizon needs a discount rate above zero"):
        model.residual_lifetime(0, discount=0.0)


@pytest.mark.parametrize("fit", [fit_bgnbd, fit_mbgnbd, fit_pareto_nbd])
def test_impossible_customers_are_refused_in_words(fit):
    good = {"frequency": [1, 0, 2], "recency": [3, 0, 5], "T": [9, 9, 9]}

    def refused(match, **columns):
        with pytest.raises(FitError, match=match):
            fit(**(good | columns))

    refused(
        r"1 customers bought after they were last observed \(recency above T\), e\.g\. frequency 1, recency 12, T 9",
        recency=[12, 0, 5],
    )
    refused(
        r"1 customers have frequency without recency, e\.g\. frequency 2, recency 0.*merge days first",
        recency=[3, 0, 0],
    )
    refused(r"1 customers have recency without frequency", recency=[3, 4, 5])
    refused(r"frequency that is no whole number, e\.g\. frequency 1\.5", frequency=[1.5, 0, 2])
    refused(r"have a missing number", T=[np.nan, 9, 9])
    refused(r"negative time", T=[-1, 9, 9], recency=[-2, 0, 5])
    refused(r"nobody bought twice", frequency=[0, 0, 0], recency=[0, 0, 0])
    refused(r"3 frequencies, 3 recencies, 2 ages", T=[9, 9])
    refused(r"negative weight", weights=[1, 1, -1])
    refused(r"(no estimate|not converged)")


def test_nobody_leaving_is_not_dressed_up_as_an_estimate():
    random = np.random.default_rng(3)
    age = np.full(500, 50.0)
    frequency = random.poisson(random.gamma(2, 1 / 4, 500) * 50).astype(float)
    recency = np.where(frequency > 0, age * random.uniform(size=500) ** (1 / np.maximum(frequency, 1)), 0)
    with pytest.raises(FitError, match=r"BG/NBD: (no estimate; [ab] runs to|not converged)"):
        fit_bgnbd(frequency, recency, age)


def test_other_refusals():
    with pytest.raises(FitError, match=r"1 customers have negative spend, e\.g\. frequency 2, value -5"):
        fit_gamma_gamma([1, 2, 3], [5, -5, 5])
    with pytest.raises(FitError, match=r"have zero spend.*A gift is no purchase"):
        fit_gamma_gamma([1, 2, 3], [5, 0, 5])
    with pytest.raises(FitError, match=r"have a value without a repeat purchase"):
        fit_gamma_gamma([0, 2, 3], [5, 5, 5])
    with pytest.raises(FitError, match=r"bought again without a value"):
        fit_gamma_gamma([1, 2, 3], [np.nan, 5, 5])
    with pytest.raises(FitError, match=r"2 distinct values; add history"):
        fit_gamma_gamma([1, 2, 3], [5, 6, 5])
    with pytest.raises(FitError, match=r"a cohort grew from 80 to 90 at renewal 2"):
        fit_sbg([100, 80, 90])
    with pytest.raises(FitError, match=r"nobody left"):
        fit_sbg([100, 100, 100])
    with pytest.raises(FitError, match=r"needs its size at the start and after at least one renewal"):
        fit_sbg([100])
    with pytest.raises(ParameterError, match=r"unknown unit 'week'. Did you mean 'weeks'"):
        purchase_summary(["a"], ["2026-01-01"], end="2026-02-01", unit="week")
    with pytest.raises(FitError, match=r"no transaction on or before 2025-12-31"):
        purchase_summary(["a"], ["2026-01-01"], end="2025-12-31", unit="days")
    with pytest.raises(FitError, match=r"1 transactions lack a customer or a date"):
        purchase_summary(["a", None], ["2026-01-01", "2026-01-02"], end="2026-02-01", unit="days")
    assert isinstance(
        purchase_summary(["a"], ["2026-01-01"], end="2026-02-01", unit="days").table, pd.DataFrame
    )
