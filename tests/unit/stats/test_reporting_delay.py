from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from analysis import stats
from analysis.errors import FitError, ParameterError
from analysis.stats import ReportingDelay, backtest_nowcast, fit_reporting_delay, nowcast

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


# ----------------------------------------------------------------------------------------------- lives known by report


def units_in_the_field(
    seed: int, units: int = 4000, *, shape: float = 1.6, scale: float = 60.0
) -> pd.DataFrame:
    """Units sold over three years, failures reported up to five months late: `age` at report or today, `reported`, and what nobody knows."""
    random = np.random.default_rng(seed)
    today = random.integers(1, 37, units).astype(float)
    failure = scale * random.weibull(shape, units)
    late = random.choice(6, units, p=[0.2, 0.15, 0.15, 0.15, 0.15, 0.2])
    reported = failure + late <= today
    known = pd.DataFrame({"age": np.where(reported, failure, today), "reported": reported, "late": late})
    return known.assign(today=today, failure=failure)


DELAYS = pd.DataFrame(
    {
        "delay": np.arange(6),
        "reported": 0.0,
        "at_risk": 0.0,
        "completeness": np.cumsum([0.2, 0.15, 0.15, 0.15, 0.15, 0.2]),
    }
)
KNOWN_DELAY = ReportingDelay(table=DELAYS, longest=5, dispersion=1.0, triangle=np.empty((0, 0)))


def fitted_in_turn(units: pd.DataFrame, rounds: int) -> stats.WeibullFit:
    life = None
    for _ in range(rounds):
        rows = stats.life_rows_by_report(
            KNOWN_DELAY, units["age"], units["reported"].astype(float), life=life
        )
        life = stats.fit_weibull(rows["duration"], rows["event"], weights=rows["weight"])
    return life


def test_a_life_known_by_report_is_not_longer_for_what_is_still_on_its_way():
    wide, near = [], []
    for seed in range(40):
        units = units_in_the_field(seed)
        naive = stats.fit_weibull(units["age"], units["reported"].astype(float))
        found = fitted_in_turn(units, 1)
        wide.append(naive.failure_share(24.0).value)
        interval = found.failure_share(24.0)
        near.append((interval.value, interval.low, interval.high))
    truth = 1 - np.exp(-((24 / 60) ** 1.6))
    value, low, high = np.array(near).T
    assert np.mean(wide) < 0.93 * truth
    assert value.mean() == pytest.approx(truth, rel=0.02)
    assert ((low <= truth) & (truth <= high)).mean() >= 0.85  # 0.95 less three standard errors over forty


def test_fitting_and_weighing_in_turn_ends_at_the_maximum_of_the_likelihood():
    units = units_in_the_field(3, 2000, scale=20.0)
    rows, age = units["reported"].to_numpy(), units["age"].to_numpy()

    def lost(theta: np.ndarray) -> float:
        shape, scale = np.exp(theta)
        z = age[rows] / scale
        failed = np.log(shape / scale) + (shape - 1) * np.log(z) - z**shape
        reach = np.maximum(age[~rows, None] - np.arange(6), 0.0)
        waiting = np.log(np.exp(-((reach / scale) ** shape)) @ np.diff(np.r_[0.0, DELAYS["completeness"]]))
        return -float(failed.sum() + waiting.sum())

    best = np.exp(
        minimize(lost, np.log([1.6, 20.0]), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10}).x
    )
    found = fitted_in_turn(units, 25)
    assert (found.shape, found.scale) == pytest.approx(tuple(best), rel=1e-5)
    once = fitted_in_turn(units, 1)
    assert abs(once.shape - best[0]) > 1e-3  # half of the units fail: weighing once is not enough there


def test_units_at_risk_are_those_whose_failure_would_be_known():
    """Kalbfleisch, Lawless and Robinson: at each age as many units as there are, times the chance that a failure of that age is known by now."""
    today = np.array([4.0, 8.0, 9.0, 30.0])
    rows = stats.life_rows_by_report(KNOWN_DELAY, today, np.zeros(4))
    for age in (1.0, 3.5, 6.0, 8.5, 25.0):
        at_risk = rows.loc[rows["duration"] >= age, "weight"].sum()
        assert at_risk == pytest.approx(KNOWN_DELAY.completeness(today - age).sum())


def test_a_unit_younger_than_every_delay_says_nothing():
    late = stats.fit_reporting_delay([2, 2, 3], [3, 3, 3])
    with pytest.raises(FitError, match="no unit is old enough"):
        stats.life_rows_by_report(late, [1.0, 2.0], [0, 0])
    with pytest.raises(ParameterError, match="events are 1 where a failure was reported"):
        stats.life_rows_by_report(late, [1.0, 2.0], [0, 2])
