"""Risk scores: chosen on later periods, calibrated, never from the future; nothing found in noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import FitError, ParameterError
from analysis.stats import area_under_curve, calibration_line, fit_risk
from analysis.stats.risk import _choose


def snapshots(
    seed: int, *, periods: int = 12, each: int = 300, kind: str = "line"
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    count = periods * each
    frame = pd.DataFrame(
        {
            "late_hours": random.gamma(2, 10, count),
            "repeat": random.poisson(0.3, count).astype(float),
            "tier": random.choice(["basic", "gold"], count, p=[0.7, 0.3]),
            "noise": random.normal(size=count),
        }
    )
    score = {
        "line": -2.4 + 0.03 * frame["late_hours"] + 0.7 * frame["repeat"] - 0.8 * (frame["tier"] == "gold"),
        "bend": -2.2 + 2.5 * ((frame["late_hours"] > 15) ^ (frame["noise"] > 0)),
        "none": pd.Series(-1.8, index=frame.index),
    }[kind]
    event = random.random(count) < 1 / (1 + np.exp(-score))
    return frame, event.to_numpy(), np.repeat(np.arange(periods), each)


def test_a_line_is_found_calibrated_and_lifts():
    frame, event, period = snapshots(1)
    model = fit_risk(frame, event, period, outcome_periods=2)
    assert model.candidate == "logistic"
    assert model.useful
    report = model.holdout.iloc[0]
    assert report["auc_low"] > 0.6
    assert 0.7 < report["calibration_slope"] < 1.4
    assert abs(report["calibration_intercept"]) < 0.4
    inside = (model.calibration["low"] <= model.calibration["predicted"]) & (
        model.calibration["predicted"] <= model.calibration["high"]
    )
    assert inside.mean() >= 0.8
    lift = model.lift.set_index("capacity")
    assert lift.loc[50, "lift"] > 1.6
    assert lift["recall"].is_monotonic_increasing
    assert lift.loc[50, "share"] == pytest.approx(100 / 600)
    # The chances add up to the events, period by period.
    assert model.stability["predicted"].sum() == pytest.approx(model.stability["events"].sum(), rel=0.15)


def test_trees_are_taken_where_a_line_cannot_follow():
    frame, event, period = snapshots(2, kind="bend")
    model = fit_risk(frame, event, period, outcome_periods=1)
    assert model.candidate == "boosting"
    table = model.candidates.set_index("candidate")
    assert table.loc["boosting", "log_loss"] < table.loc["logistic", "log_loss"]
    assert table["chosen"].sum() == 1


def test_in_noise_nobody_is_ranked():
    found = 0
    for seed in range(60):
        frame, event, period = snapshots(seed, periods=8, each=100, kind="none")
        model = fit_risk(frame, event, period, outcome_periods=1, candidates=("logistic",))
        found += model.useful
        if model.candidate == "base_rate":
            assert "No score beat the base rate" in model.notes[0]
            assert np.ptp(model.predict(frame)) == 0
    assert found / 60 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)


def test_outcomes_not_yet_known_teach_nothing():
    # Spoiling the outcomes of the last two training months before each judged month changes no judged chance.
    frame, event, period = snapshots(3)
    base = fit_risk(frame, event, period, outcome_periods=3, holdout_periods=1, candidates=("logistic",))
    spoiled = event.copy()
    recent = (period >= 9) & (period < 11)  # known only from month 12 on; the last judged month is 11
    spoiled[recent] = ~spoiled[recent]
    again = fit_risk(frame, spoiled, period, outcome_periods=3, holdout_periods=1, candidates=("logistic",))
    pd.testing.assert_frame_equal(base.holdout, again.holdout)
    assert not np.allclose(base.predict(frame), again.predict(frame))  # they do teach the score of today


def test_reasons_name_what_is_unusual():
    frame, event, period = snapshots(4)
    model = fit_risk(frame, event, period, outcome_periods=1, candidates=("logistic",))
    someone = pd.DataFrame(
        {"late_hours": [90.0, 15.0], "repeat": [0.0, 4.0], "tier": ["gold", "basic"], "noise": [0.0, 0.0]},
        index=["a", "b"],
    )
    reasons = model.reasons(someone, top=2)
    first = reasons[reasons["rank"] == 1].set_index("row")
    assert first.loc["a", "feature"] == "late_hours" and first.loc["a", "value"] == 90.0
    assert first.loc["b", "feature"] == "repeat"
    assert (reasons["log_odds"] > 0).all()


def test_same_rows_same_score_and_unseen_labels_are_taken():
    frame, event, period = snapshots(5, kind="bend")
    one, other = (fit_risk(frame, event, period, outcome_periods=1) for _ in range(2))
    assert np.array_equal(one.predict(frame), other.predict(frame))
    assert np.isfinite(one.predict(frame.head(3).assign(tier="platinum"))).all()


def test_months_of_one_subject_are_not_independent_evidence():
    # Ten subjects with a hundred rows each: six gain, four lose. By rows that is certain, by subjects a coin toss.
    subject = np.repeat(np.arange(10), 100)
    losses = {"base_rate": np.where(subject < 6, 1.0, 0.0), "logistic": np.full(1000, 0.5)}
    assert _choose(losses, np.arange(1000)) == "logistic"
    assert _choose(losses, subject) == "base_rate"
    frame, event, period = snapshots(1)
    with pytest.raises(FitError, match=r"3 cluster labels for 3600 rows"):
        fit_risk(frame, event, period, outcome_periods=1, clusters=[1, 2, 3], candidates=("logistic",))


def test_drift_is_named():
    frame, event, period = snapshots(6)
    moved = frame.assign(late_hours=np.where(period == 11, frame["late_hours"] * 3 + 20, frame["late_hours"]))
    model = fit_risk(moved, event, period, outcome_periods=1, candidates=("logistic",))
    index = model.drift.set_index("feature")["stability_index"]
    assert index["late_hours"] > 0.25 > index["noise"]
    assert any("late_hours looks different" in note for note in model.notes)


def test_area_and_calibration_by_hand():
    # Pairs (event, none): 0.9 and 0.4 against 0.8, 0.4, 0.1: 3 + (0 + 1/2 + 1) = 4.5 of 6.
    assert area_under_curve([1, 0, 1, 0, 0], [0.9, 0.8, 0.4, 0.4, 0.1])[0] == pytest.approx(4.5 / 6)
    random = np.random.default_rng(0)
    chance = random.uniform(0.05, 0.6, 40000)
    event = random.random(40000) < chance
    assert calibration_line(event, chance) == pytest.approx((0, 1), abs=0.06)
    sure = 1 / (1 + np.exp(-2 * np.log(chance / (1 - chance))))
    assert calibration_line(event, sure)[1] == pytest.approx(0.5, abs=0.03)
    halved = 1 / (1 + np.exp(-(np.log(chance / (1 - chance)) - 0.7)))
    assert calibration_line(event, halved)[0] == pytest.approx(0.7, abs=0.05)


def test_area_of_hanley_and_mcneil():
    # Hanley and McNeil (1982), Radiology 143, table I: 58 normal and 51 abnormal images in five ratings; W = 0.893,
    # standard error 0.032.
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    rating = np.concatenate([np.repeat(np.arange(5), normal), np.repeat(np.arange(5), abnormal)])
    area, low, high = area_under_curve(np.repeat([0, 1], [58, 51]), rating)
    assert area == pytest.approx(0.893, abs=5e-4)
    assert (high - low) / 2 / 1.959964 == pytest.approx(0.032, abs=7e-4)


def test_refusals():
    frame, event, period = snapshots(0, periods=4, each=150)
    with pytest.raises(FitError, match=r"4 periods with an outcome window of 3 leave nothing to validate on"):
        fit_risk(frame, event, period, outcome_periods=3)
    with pytest.raises(FitError, match=r"7 events in 600 rows; at least 50"):
        fit_risk(frame, np.arange(600) < 7, period, outcome_periods=1)
    with pytest.raises(FitError, match=r"rows must be in order of their period"):
        fit_risk(frame, event, period[::-1], outcome_periods=1)
    with pytest.raises(FitError, match=r"periods must be whole numbers, found float64"):
        fit_risk(frame, event, period * 1.0, outcome_periods=1)
    with pytest.raises(FitError, match=r"covariate 'noise' is missing in 1 of 600 rows"):
        fit_risk(frame.assign(noise=frame["noise"].where(frame.index != 3)), event, period, outcome_periods=1)
    with pytest.raises(ParameterError, match=r"unknown candidate 'boost'.*Did you mean 'boosting'"):
        fit_risk(frame, event, period, outcome_periods=1, candidates=("boost",))
    long, happened, months = snapshots(0)
    model = fit_risk(long, happened, months, outcome_periods=1, candidates=("logistic",))
    with pytest.raises(FitError, match=r"feature 'tier' is absent"):
        model.predict(long[["late_hours", "repeat", "noise"]])
