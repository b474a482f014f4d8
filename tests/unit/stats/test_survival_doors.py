"""What survival functions are given by mistake, and what they must not make of it; and Cox far from zero."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest

from analysis import stats
from analysis.errors import AnalysisError, FitError, ParameterError
from analysis.stats import (
    aalen_johansen,
    cox,
    doubly_robust,
    kaplan_meier,
    log_rank,
    nelson_aalen,
    proportional_hazards,
)

RANDOM = np.random.default_rng(7)
SIZE = 80
WHOLE = RANDOM.integers(1, 9, SIZE).astype(float)
EVENT = RANDOM.random(SIZE) < 0.6
GROUP = RANDOM.integers(0, 2, SIZE).astype(float)
X = pd.DataFrame({"group": GROUP, "age": RANDOM.normal(50, 9, SIZE)})


def noisy(times: np.ndarray) -> np.ndarray:
    """The same tenths, reached by another sum: 0.30000000000000004 beside 0.3."""
    return np.where(np.arange(len(times)) % 2 == 0, times / 10, np.array([0.1] * len(times)) * times)


@pytest.mark.parametrize("entry", [None, np.zeros(SIZE)], ids=["from_zero", "late"])
def test_times_that_differ_by_rounding_alone_are_ties(entry):
    rounded = noisy(WHOLE)
    assert len(np.unique(rounded)) > len(np.unique(WHOLE))
    for ties in ("efron", "breslow"):
        one = cox(X, WHOLE, EVENT, entry=entry, ties=ties)
        other = cox(X, rounded, EVENT, entry=None if entry is None else entry / 10, ties=ties)
        assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-9)
        assert np.allclose(other.coefficients, one.coefficients, rtol=1e-8)
    assert log_rank(rounded, EVENT, GROUP).statistic == pytest.approx(log_rank(WHOLE, EVENT, GROUP).statistic)
    assert len(kaplan_meier(rounded, EVENT).table) == len(np.unique(WHOLE))
    assert len(nelson_aalen(rounded, EVENT)) == len(np.unique(WHOLE))
    causes = np.where(EVENT, 1 + (GROUP > 0), 0)
    assert np.allclose(
        aalen_johansen(rounded, causes).table["incidence"], aalen_johansen(WHOLE, causes).table["incidence"]
    )


def test_times_that_truly_differ_stay_apart():
    close = 100 + np.array([0.0, 1e-4, 2e-4, 1.5])
    assert len(kaplan_meier(close, [1, 1, 1, 1]).table) == 4


def test_a_spell_that_rounding_alone_makes_is_refused():
    with pytest.raises(FitError, match="1 rows enter at or after they end"):
        kaplan_meier([0.1 + 0.2, 1.0], [1, 1], entry=[0.3, 0.0])


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NaT, pd.NA], ids=["none", "nan", "nat", "na"])
@pytest.mark.parametrize("kind", ["list", "array", "series"])
def test_a_missing_label_is_no_label(missing, kind):
    labels: object = ["a" if one else "b" for one in GROUP]
    labels[3] = missing
    if kind == "array":
        labels = np.array(labels, dtype=object)
    elif kind == "series":
        labels = pd.Series(labels, dtype=object)
    said = "missing in 1 rows, the first of them row 3"
    with pytest.raises(AnalysisError, match=f"log_rank: groups is {said}"):
        log_rank(WHOLE, EVENT, labels)
    with pytest.raises(AnalysisError, match=f"log_rank: strata is {said}"):
        log_rank(WHOLE, EVENT, GROUP, strata=labels)
    for name in ("strata", "clusters"):
        with pytest.raises(AnalysisError, match=f"cox: {name} is {said}"):
            cox(X, WHOLE, EVENT, **{name: labels})
    with pytest.raises(AnalysisError, match=f"doubly_robust: clusters is {said}"):
        doubly_robust(WHOLE, GROUP, X, clusters=labels)
    with pytest.raises(AnalysisError, match="aalen_johansen: causes are missing in 1 rows"):
        aalen_johansen(WHOLE, labels, censored="none")


def test_a_missing_cause_is_censored_where_it_is_said_to_be():
    named = np.where(EVENT, "wear", None)
    by_none, by_number = (
        aalen_johansen(WHOLE, named, censored=None).table,
        aalen_johansen(WHOLE, np.where(EVENT, 1, 0)).table,
    )
    assert np.allclose(by_none["incidence"], by_number["incidence"])
    assert set(by_none["cause"]) == {"wear"}
    words = ["wear" if one else float("nan") for one in EVENT]
    assert np.allclose(
        aalen_johansen(WHOLE, words, censored=float("nan")).table["incidence"], by_none["incidence"]
    )


def test_every_public_level_is_between_zero_and_one():
    named = [
        name
        for name in stats.__all__
        if callable(getattr(stats, name)) and not inspect.isclass(getattr(stats, name))
    ]
    with_level = [name for name in named if "level" in inspect.signature(getattr(stats, name)).parameters]
    assert len(with_level) >= 15
    example = {
        "kaplan_meier": lambda level: kaplan_meier(WHOLE, EVENT, level=level),
        "nelson_aalen": lambda level: nelson_aalen(WHOLE, EVENT, level=level),
        "aalen_johansen": lambda level: aalen_johansen(WHOLE, EVENT.astype(int), level=level),
        "cox": lambda level: cox(X, WHOLE, EVENT, level=level),
        "doubly_robust": lambda level: doubly_robust(WHOLE, GROUP, X, level=level),
        "proportion_interval": lambda level: stats.proportion_interval(3, 9, method="wilson", level=level),
        "poisson_interval": lambda level: stats.poisson_interval(3, 9, level=level),
        "fit_weibull": lambda level: stats.fit_weibull(WHOLE, EVENT).b_life(0.1, level=level),
        "fit_weibull_mixture": lambda level: stats.fit_weibull_mixture(WHOLE, EVENT, level=level),
        "forecast": lambda level: stats.forecast(pd.Series(WHOLE), candidates=("level",), level=level),
        "mean_cumulative_function": lambda level: stats.mean_cumulative_function(
            [0, 1], [1.0, 2.0], ends=[3.0, 3.0], level=level
        ),
        "robustness_value": lambda level: stats.robustness_value(2.0, 50.0, level=level),
        "fit_sbg": lambda level: stats.fit_sbg([100, 60, 45]).fit.interval("alpha", level=level),
    }
    for call in example.values():
        for level in (95, 0.0, 1.0, -0.5, float("nan")):
            with pytest.raises(ParameterError, match="must lie between 0 and 1, e.g. 0.95"):
                call(level)


# ------------------------------------------------------------------------------- Cox


def test_an_offset_of_a_covariate_changes_nothing():
    """Standard errors are those of the covariate counted from any other point: a year, a serial number, a timestamp."""
    plain = cox(X, WHOLE, EVENT)
    for offset in (2026.0, 1e6, 1.7e9):
        moved = cox(X.assign(age=X["age"] + offset), WHOLE, EVENT)
        assert np.allclose(moved.coefficients["std_error"], plain.coefficients["std_error"], rtol=1e-5)
        later = moved.survival(X.assign(age=X["age"] + offset).head(3), [2.0, 5.0])
        assert np.allclose(later, plain.survival(X.head(3), [2.0, 5.0]), rtol=1e-5)


def test_survival_is_a_share_however_large_the_covariate():
    fit = cox(X, WHOLE, EVENT)
    far = pd.DataFrame({"group": [0.0, 0.0, 0.0], "age": [-1e9, 50.0, 1e9]})
    kept = fit.survival(far, [0.0, 0.5, 4.0, 8.0])
    assert np.isfinite(kept).all() and ((kept >= 0) & (kept <= 1)).all()
    assert (kept[:, :2] == 1.0).all()  # before the first event nobody is lost, whoever it is


def test_survival_says_nothing_beyond_the_longest_duration_of_its_stratum():
    stratum = np.where(np.arange(SIZE) % 2 == 0, "a", "b")
    durations = np.where(stratum == "a", np.minimum(WHOLE, 5.0), WHOLE)
    fit = cox(X, durations, EVENT, strata=stratum)
    assert np.isnan(fit.survival(X.head(2), [6.0], stratum="a")).all()
    assert np.isfinite(fit.survival(X.head(2), [5.0], stratum="a")).all()
    assert np.isfinite(fit.survival(X.head(2), [6.0], stratum="b")).all()
    with pytest.raises(ParameterError, match="times from zero on"):
        fit.survival(X.head(1), [-1.0], stratum="a")


def test_baseline_is_that_of_covariates_at_zero():
    fit = cox(X, WHOLE, EVENT)
    at_zero = pd.DataFrame({"group": [0.0], "age": [0.0]})
    assert fit.survival(at_zero, fit.baseline["time"])[0] == pytest.approx(
        np.exp(-fit.baseline["cumulative_hazard"])
    )


def test_tests_that_take_rows_as_independent_are_refused_for_clusters():
    fit = cox(X, WHOLE, EVENT, clusters=np.arange(SIZE) // 4)
    for name in ("likelihood_ratio", "score_test"):
        with pytest.raises(FitError, match="these are clustered; use `wald`"):
            getattr(fit, name)
    statistic, degrees, p_value = fit.wald
    inverse = np.linalg.inv(fit.covariance)
    beta = fit.coefficients["coefficient"].to_numpy()
    assert (statistic, degrees) == (pytest.approx(beta @ inverse @ beta), 2) and 0 < p_value < 1


def test_concordance_counts_pairs():
    durations, events = np.array([2.0, 3, 3, 5, 6, 6]), np.array([1, 1, 0, 1, 0, 1])
    x = pd.DataFrame({"x": [3.0, 1.0, 2.0, 2.0, 0.0, 1.0]})
    weights = np.array([1, 2, 1, 1, 3, 1])
    fit = cox(x, durations, events, weights=weights)
    sign = np.sign(fit.coefficients["coefficient"].iloc[0])
    agreed = pairs = 0.0
    for i in range(6):
        for j in range(6):
            outlasts = durations[j] > durations[i] or (durations[j] == durations[i] and not events[j])
            if i == j or not events[i] or not outlasts:
                continue
            gap = sign * (x["x"][i] - x["x"][j])
            mass = weights[i] * weights[j]
            agreed += mass * (1.0 if gap > 0 else 0.5 if gap == 0 else 0.0)
            pairs += mass
    assert fit.concordance() == pytest.approx(agreed / pairs)


def test_ranks_of_time_are_among_all_rows():
    """The score test written out: no ties, one covariate, ranks by pandas over all durations."""
    random = np.random.default_rng(3)
    x = pd.DataFrame({"x": random.normal(size=60)})
    durations, events = random.exponential(size=60), random.random(60) < 0.5
    fit = cox(x, durations, events)
    beta, rank = fit.coefficients["coefficient"].iloc[0], pd.Series(durations).rank().to_numpy()
    score = plain = crossed = squared = 0.0
    ranks = rank[events]
    for one in np.flatnonzero(events):
        risk = durations >= durations[one]
        share = np.exp(beta * x["x"][risk])
        share /= share.sum()
        mean = float(share @ x["x"][risk])
        variance = float(share @ (x["x"][risk] - mean) ** 2)
        clock = rank[one] - ranks.mean()
        score += clock * (x["x"][one] - mean)
        plain, crossed, squared = (
            plain + variance,
            crossed + clock * variance,
            squared + clock**2 * variance,
        )
    expected = score**2 / (squared - crossed**2 / plain)
    found = proportional_hazards(fit, transform="rank")
    assert found.loc["x", "statistic"] == pytest.approx(expected)
    assert expected != pytest.approx(
        proportional_hazards(cox(x[events], durations[events], events[events]), transform="rank").loc[
            "x", "statistic"
        ]
    )


def test_ranks_of_weighted_rows_are_those_of_the_subjects():
    weights = np.random.default_rng(4).integers(1, 4, SIZE)
    again = np.repeat(np.arange(SIZE), weights)
    one = proportional_hazards(cox(X, WHOLE, EVENT, weights=weights), transform="rank")
    other = proportional_hazards(
        cox(X.iloc[again].reset_index(drop=True), WHOLE[again], EVENT[again]), transform="rank"
    )
    assert np.allclose(one, other, rtol=1e-8)
