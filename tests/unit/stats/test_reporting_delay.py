from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import FitError, ParameterError
from analysis.stats import backtest_nowcast, fit_reporting_delay, nowcast

DELAY = np.array([0.35, 0.25, 0.18, 0.12, 0.07, 0.03])


def reported_events(rng, months=24, rate=80.0, delay=DELAY, growth=1.0):
    """Delays and windows of the events known at the end, and the true number of each cohort (oldest first)."""
    totals = rng.poisson(rate * growth ** np.arange(months))
    window = np.repeat(np.arange(months)[::-1], totals)
    lag = rng.choice(len(delay), p=delay, size=len(window))
    seen = lag <= window
    return lag[seen], window[seen], totals


def test_reverse_hazards_on_paper():
    # cohort A (window 2): 4, 2, 1; cohort B (window 1): 6, 3; cohort C (window 0): 5
    # delay 2: 1 of 7 (A); delay 1: 5 of 15 (A, B); completeness 6/7 x 10/15, 6/7, 1
    fit = fit_reporting_delay([0, 1, 2, 0, 1, 0], [2, 2, 2, 1, 1, 0], weights=[4, 2, 1, 6, 3, 5])
    np.testing.assert_allclose(fit.table["at_risk"], [15, 15, 7])
    np.testing.assert_allclose(fit.table["completeness"], [6 / 7 * 10 / 15, 6 / 7, 1.0])
    np.testing.assert_allclose(fit.completeness([-1, 0, 1, 2, 9]), [0, 4 / 7, 6 / 7, 1, 1])
    assert fit.table["standard_error"][1] ** 2 == pytest.approx(1 / (7 * 6) * fit.dispersion)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("growth", [1.0, 1.08])
def test_the_delay_is_recovered_where_the_naive_share_is_not(seed, growth):
    delay, window, _ = reported_events(np.random.default_rng(seed), rate=400, growth=growth)
    fit = fit_reporting_delay(delay, window)
    truth = np.cumsum(DELAY)
    assert (
        np.abs(np.log(fit.table["completeness"] / truth)) <= 4 * fit.table["standard_error"] + 1e-12
    ).all()
    naive = np.mean(delay == 0)
    assert naive > truth[0] + 0.01  # short delays are over-represented


@pytest.mark.parametrize("seed", range(3))
def test_order_and_grouping_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    delay, window, _ = reported_events(rng)
    plain = fit_reporting_delay(delay, window)
    cells, count = np.unique(np.c_[delay, window], axis=0, return_counts=True)
    grouped = fit_reporting_delay(cells[::-1, 0], cells[::-1, 1], weights=count[::-1])
    np.testing.assert_allclose(grouped.table, plain.table)
    assert grouped.dispersion == pytest.approx(plain.dispersion)


def test_nowcast_intervals_cover_the_truth_about_as_often_as_promised():
    inside = cohorts = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        delay, window, totals = reported_events(rng, rate=40)
        fit = fit_reporting_delay(delay, window)
        young = np.arange(5)
        seen = np.array([(window == one).sum() for one in young])
        made = nowcast(fit, young, seen, draws=300, seed=seed, level=0.9)
        truth = totals[::-1][:5]
        inside += ((made["low"] <= truth) & (truth <= made["high"])).sum()
        cohorts += 5
    assert abs(inside / cohorts - 0.9) < 0.05


def test_nothing_reported_yet_still_has_an_upper_bound():
    delay, window, _ = reported_events(np.random.default_rng(1))
    fit = fit_reporting_delay(delay, window)
    made = nowcast(fit, [0, 5, 30, -1], [0, 0, 0, 0], draws=2000, seed=1)
    assert made["expected_total"][:3].tolist() == [0, 0, 0]
    assert made["high"][0] > 2 and made["low"][0] == 0
    assert made["high"][1] == made["high"][2] == 0  # complete
    assert np.isnan(made["expected_total"][3]) and made["high"][3] == np.inf


def test_nowcast_is_reproducible_and_adds_up():
    delay, window, _ = reported_events(np.random.default_rng(2))
    fit = fit_reporting_delay(delay, window)
    one, two = (nowcast(fit, [0, 1, 2], [20, 40, 60], draws=200, seed=7) for _ in range(2))
    assert one.equals(two)
    np.testing.assert_allclose(one["reported"] + one["unreported"], one["expected_total"])
    np.testing.assert_allclose(one["expected_total"], [20, 40, 60] / fit.completeness([0, 1, 2]))
    assert ((one["low"] >= one["reported"]) & (one["low"] < one["high"])).all()


def test_clumped_reports_widen_the_interval():
    rng = np.random.default_rng(3)
    delay, window, _ = reported_events(rng, rate=30)
    plain = fit_reporting_delay(delay, window)
    clumped = fit_reporting_delay(delay, window, weights=np.full(len(delay), 10.0))
    assert plain.dispersion < 2 and clumped.dispersion == pytest.approx(
        10 * max(plain.dispersion, 1.0), rel=0.5
    )
    narrow = nowcast(plain, [0], [300], draws=1000, seed=1)
    wide = nowcast(clumped, [0], [300], draws=1000, seed=1)
    assert (wide["high"] - wide["low"])[0] > 1.5 * (narrow["high"] - narrow["low"])[0]


def test_backtest_repeats_the_past_and_covers_it():
    delay, window, _ = reported_events(np.random.default_rng(4), months=36, rate=60)
    table = backtest_nowcast(delay, window, back=[6, 9, 12], draws=300, seed=1, level=0.9)
    assert set(table["back"]) == {6, 9, 12}
    first = table[(table["back"] == 6) & (table["window"] == 0)].iloc[0]
    assert first["reported"] == ((window == 6) & (delay == 0)).sum()
    assert first["actual"] == (window == 6).sum()
    assert table["covered"].mean() > 0.7
    assert (table["predicted"].sum() / table["actual"].sum()) == pytest.approx(1.0, abs=0.1)


def test_longest_cuts_the_tail_for_all_cohorts():
    delay, window, _ = reported_events(np.random.default_rng(5), rate=400)
    fit = fit_reporting_delay(delay, window, longest=3)
    assert fit.longest == 3
    np.testing.assert_allclose(fit.table["completeness"], np.cumsum(DELAY)[:4] / DELAY[:4].sum(), rtol=0.05)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fit_reporting_delay([], []), FitError, "no reported events"),
        (lambda: fit_reporting_delay([0, 0], [3, 4]), FitError, "no delay to estimate"),
        (
            lambda: fit_reporting_delay([2, 5], [3, 4]),
            ParameterError,
            "reported after the end of the data; e.g. delay 5",
        ),
        (lambda: fit_reporting_delay([1.5], [3]), ParameterError, "not a whole number"),
        (lambda: fit_reporting_delay([1], [3, 4]), ParameterError, "one value a row"),
        (lambda: fit_reporting_delay([0, 900], [900, 900], longest=10**7), ParameterError, "too many cells"),
        (
            lambda: backtest_nowcast([0, 1], [1, 1], back=[1], draws=10, seed=1),
            FitError,
            "no delay|too short",
        ),
        (
            lambda: nowcast(fit_reporting_delay([0, 1, 0], [1, 1, 0]), [0], [-1], draws=5, seed=1),
            ParameterError,
            "zero or more",
        ),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
