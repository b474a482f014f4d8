"""Curves and tests: hand-worked tables, laws over seeds, recovery, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import FitError, ParameterError
from analysis.stats import aalen_johansen, kaplan_meier, log_rank, nelson_aalen, restricted_mean_difference


def censored_sample(seed: int, count: int = 200, scale: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    life, end = random.exponential(scale, count), random.uniform(1, 25, count)
    return np.ceil(np.minimum(life, end)), life <= end


def test_six_rows_by_hand():
    # At risk 6, 5, 3, 1 at 1, 3, 4, 7: survival 5/6, 5/6 x 4/5, x 2/3, x 0.
    table = kaplan_meier([1, 3, 3, 4, 6, 7], [1, 1, 0, 1, 0, 1]).table
    assert table["time"].tolist() == [1, 3, 4, 6, 7]
    assert table["at_risk"].tolist() == [6, 5, 3, 2, 1]
    assert table["events"].tolist() == [1, 1, 1, 0, 1]
    assert table["censored"].tolist() == [0, 1, 0, 1, 0]
    assert table["survival"].tolist() == pytest.approx([5 / 6, 2 / 3, 4 / 9, 4 / 9, 0])
    greenwood = 1 / 30 + 1 / 20 + 1 / 6
    assert table["std_error"].iloc[2] == pytest.approx(4 / 9 * np.sqrt(greenwood))
    assert table["cumulative_hazard"].iloc[2] == pytest.approx(1 / 6 + 1 / 5 + 1 / 3)


def test_late_entry_by_hand():
    # Subjects seen over (0,4], (0,6], (2,5], (5,8]: at 4 three are at risk, at 5 two (not the one who enters at 5), at 8 one.
    curve = kaplan_meier([4, 6, 5, 8], [1, 0, 1, 1], entry=[0, 0, 2, 5])
    assert curve.table["at_risk"].tolist() == [3, 2, 2, 1]
    assert curve.table["survival"].tolist() == pytest.approx([2 / 3, 1 / 3, 1 / 3, 0])


def test_a_risk_set_emptied_early_is_said():
    curve = kaplan_meier([1, 5, 6], [1, 1, 0], entry=[0, 2, 2])
    assert curve.table["survival"].tolist() == [0, 0, 0]
    assert "zero from there although others entered later" in curve.notes[0]


def test_without_censoring_it_is_the_share_still_there():
    durations = np.array([2, 2, 5, 7, 7, 7, 9, 12])
    curve = kaplan_meier(durations, np.ones(8))
    for time in (0, 2, 4, 7, 9, 12):
        assert curve.at(time)["survival"].iloc[0] == pytest.approx(np.mean(durations > time))


@pytest.mark.parametrize("seed", range(5))
def test_laws(seed):
    durations, events = censored_sample(seed)
    curve = kaplan_meier(durations, events)
    table = curve.table
    assert (table["survival"].diff().dropna() <= 1e-12).all()
    assert ((table["low"] <= table["survival"] + 1e-12) & (table["survival"] <= table["high"] + 1e-12)).all()
    order = np.random.default_rng(seed).permutation(len(durations))
    again = kaplan_meier(durations[order], events[order]).table
    assert table.equals(again)
    # One row per distinct pattern with its count is the same sample.
    patterns, counts = np.unique(np.column_stack([durations, events]), axis=0, return_counts=True)
    counted = kaplan_meier(patterns[:, 0], patterns[:, 1], weights=counts)
    assert np.allclose(table.to_numpy(), counted.table.to_numpy())
    assert counted.subjects == len(durations)
    # Cutting each subject's time in two changes nothing.
    half = durations / 2
    cut = kaplan_meier(
        np.concatenate([half, durations]),
        np.concatenate([np.zeros(len(events), dtype=bool), events]),
        entry=np.concatenate([np.full(len(half), -1.0), half]),
    ).table.query("events > 0")
    assert cut["survival"].to_numpy() == pytest.approx(table.query("events > 0")["survival"].to_numpy())


def test_ignoring_late_entry_flatters_the_curve():
    # Customers whose contract began long ago are only known because they stayed; the curve must not credit them for it.
    random = np.random.default_rng(3)
    life, entry = random.exponential(10, 20000), random.uniform(0, 15, 20000)
    seen = life > entry
    honest = kaplan_meier(life[seen], np.ones(seen.sum()), entry=entry[seen]).at(10)["survival"].iloc[0]
    naive = kaplan_meier(life[seen], np.ones(seen.sum())).at(10)["survival"].iloc[0]
    assert honest == pytest.approx(np.exp(-1), abs=0.02)
    assert naive > 0.5


def test_intervals_cover():
    hits = {"log-log": 0, "log": 0, "plain": 0}
    for seed in range(150):
        random = np.random.default_rng(seed)
        life, end = random.exponential(10, 60), random.uniform(5, 25, 60)
        for scale in hits:
            row = kaplan_meier(np.minimum(life, end), life <= end, scale=scale).at(8).iloc[0]
            hits[scale] += row["low"] <= np.exp(-0.8) <= row["high"]
    assert 0.91 < hits["log-log"] / 150 < 0.985
    assert all(count / 150 > 0.89 for count in hits.values())


def test_median_not_reached_is_an_answer():
    curve = kaplan_meier([1, 2, 3, 4, 5], [1, 0, 0, 0, 0])
    assert np.isnan(curve.median.value) and np.isnan(curve.median.high)
    assert curve.at([0, 6])["survival"].tolist() == pytest.approx([1.0, np.nan], nan_ok=True)
    assert kaplan_meier([1, 2, 3, 4], [1, 1, 1, 1]).median.value == 2


def test_restricted_mean_is_the_mean_of_the_shorter_of_life_and_limit():
    durations = np.array([1.0, 2, 3, 5, 8, 13])
    mean = kaplan_meier(durations, np.ones(6)).restricted_mean(6)
    assert mean.value == pytest.approx(np.minimum(durations, 6).mean())
    assert mean.std_error == pytest.approx(np.minimum(durations, 6).std() / np.sqrt(6))
    with pytest.raises(FitError, match=r"needs follow-up that long; the longest is 4"):
        kaplan_meier([1, 4], [1, 0]).restricted_mean(5)


def test_restricted_mean_difference_recovers_the_truth():
    inside = 0
    truth = 12 * (1 - np.exp(-10 / 12)) - 8 * (1 - np.exp(-10 / 8))
    for seed in range(200):
        random = np.random.default_rng(seed)
        life, end = random.exponential((12.0, 8.0), (150, 2)), random.uniform(4, 25, (150, 2))
        curves = [kaplan_meier(np.minimum(life, end)[:, arm], (life <= end)[:, arm]) for arm in (0, 1)]
        found = restricted_mean_difference(*curves, limit=10)
        inside += found.low <= truth <= found.high
    assert 0.91 < inside / 200 < 0.985


def test_nelson_aalen_interval_stays_positive():
    table = nelson_aalen(*censored_sample(1, 40))
    first = table[table["events"] > 0].iloc[0]
    assert 0 < first["low"] < first["cumulative_hazard"] < first["high"]


def test_log_rank_by_hand():
    # Groups a: 1, 3; b: 2, 4+. Expected in a: 1/2 at 1, 1/3 at 2, 1/2 at 3; variance 1/4 + 2/9 + 1/4.
    test = log_rank([1, 3, 2, 4], [1, 1, 1, 0], ["a", "a", "b", "b"])
    assert test.table["expected"].tolist() == pytest.approx([4 / 3, 5 / 3])
    assert test.statistic == pytest.approx((2 - 4 / 3) ** 2 / (1 / 4 + 2 / 9 + 1 / 4))
    assert test.degrees == 1


def test_log_rank_laws():
    durations, events = censored_sample(4)
    groups = np.arange(len(durations)) % 3
    test = log_rank(durations, events, groups)
    assert test.table["observed"].sum() == pytest.approx(test.table["expected"].sum())
    renamed = log_rank(durations, events, np.array(["z", "a", "m"])[groups])
    assert renamed.statistic == pytest.approx(test.statistic)
    doubled = log_rank(durations, events, groups, weights=np.full(len(durations), 2))
    repeated = log_rank(*(np.tile(part, 2) for part in (durations, events, groups)))
    assert doubled.statistic == pytest.approx(repeated.statistic)
    strata = np.repeat([0, 1], len(durations) // 2)
    apart = [log_rank(durations[strata == s], events[strata == s], groups[strata == s]).table for s in (0, 1)]
    together = log_rank(durations, events, groups, strata=strata).table
    assert together["expected"].to_numpy() == pytest.approx(
        apart[0]["expected"].to_numpy() + apart[1]["expected"].to_numpy()
    )


@pytest.mark.parametrize("weighting", ["log_rank", "gehan", "fleming_harrington"])
def test_equal_groups_are_told_apart_in_one_of_twenty(weighting):
    found = 0
    for seed in range(400):
        durations, events = censored_sample(seed, 80)
        groups = np.random.default_rng(seed).integers(0, 2, 80)
        found += log_rank(durations, events, groups, weighting=weighting, rho=0, gamma=1).p_value < 0.05
    assert 0.02 < found / 400 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_late_weights_see_late_differences():
    random = np.random.default_rng(5)
    early = random.exponential(10, 600)
    late = np.where(early > 8, 8 + (early - 8) * 2.5, early)
    durations = np.concatenate([random.exponential(10, 600), late])
    groups = np.repeat([0, 1], 600)
    at_end = log_rank(durations, np.ones(1200), groups, weighting="fleming_harrington", rho=0, gamma=1)
    assert at_end.p_value < log_rank(durations, np.ones(1200), groups, weighting="gehan").p_value


def test_competing_events_by_hand():
    # Four subjects: cause a at 1, cause b at 2, censored at 3, cause a at 4.
    table = aalen_johansen([1, 2, 3, 4], ["a", "b", "none", "a"], censored="none").table
    a, b = table.query("cause == 'a'"), table.query("cause == 'b'")
    assert a["incidence"].tolist() == pytest.approx([1 / 4, 1 / 4, 3 / 4])
    assert b["incidence"].tolist() == pytest.approx([0, 1 / 4, 1 / 4])
    assert a["std_error"].iloc[0] == pytest.approx(np.sqrt(1 / 4 * 3 / 4 / 4))


@pytest.mark.parametrize("seed", range(5))
def test_incidences_and_survival_add_up_to_one(seed):
    durations, events = censored_sample(seed)
    random = np.random.default_rng(seed)
    causes = np.where(events, random.integers(1, 4, len(events)), 0)
    entry = np.maximum(durations - random.integers(1, 20, len(durations)), -1.0)
    table = aalen_johansen(durations, causes, entry=entry).table
    summed = table.groupby("time")["incidence"].sum()
    curve = kaplan_meier(durations, events, entry=entry).table.query("events > 0").set_index("time")
    assert (1 - summed).to_numpy() == pytest.approx(curve["survival"].to_numpy())
    # A single cause is one minus Kaplan-Meier, with Greenwood's error.
    alone = aalen_johansen(durations, events.astype(int), entry=entry).table
    assert 1 - alone["incidence"].to_numpy() == pytest.approx(curve["survival"].to_numpy())
    assert alone["std_error"].to_numpy() == pytest.approx(curve["std_error"].to_numpy(), abs=1e-9)


def test_incidence_is_unknown_beyond_the_last_time_and_has_the_shape_of_kaplan_meier():
    durations, events = [1, 2, 3, 4, 6], [1, 1, 0, 1, 0]
    found = aalen_johansen(durations, events, level=0.9)
    curve = kaplan_meier(durations, events, level=0.9)
    times = [5, 0, 2, 2.5, 6, 6.1]
    at, beside = found.at(times), curve.at(times)
    assert list(at.columns[1:]) == [name.replace("survival", "incidence") for name in beside.columns]
    assert at["incidence"].to_numpy() == pytest.approx(1 - beside["survival"].to_numpy(), nan_ok=True)
    assert at["std_error"].to_numpy() == pytest.approx(beside["std_error"].to_numpy(), nan_ok=True)
    assert at["at_risk"].tolist() == beside["at_risk"].tolist() == [1, 5, 4, 3, 1, 0]
    assert (
        at[["incidence", "low", "high"]].iloc[5].isna().all()
    )  # nobody was seen beyond 6: unknown, not flat
    # log-log limits are those of one minus survival
    assert at["low"].to_numpy() == pytest.approx(1 - beside["high"].to_numpy(), nan_ok=True)
    with pytest.raises(ParameterError, match="1 of 2 times are negative or missing"):
        found.at([1, -1])


def test_rows_of_no_weight_change_no_incidence():
    plain = aalen_johansen([1, 2, 3], [1, 2, 0])
    padded = aalen_johansen([1, 2, 3, 9, 9], [1, 2, 0, 3, 0], weights=[1, 1, 1, 0, 0])
    pd.testing.assert_frame_equal(plain.table, padded.table)
    assert padded.last_time == 3


def test_censoring_the_other_cause_overstates_incidence():
    random = np.random.default_rng(8)
    moved, left = random.exponential(10, 4000), random.exponential(8, 4000)
    durations, causes = np.minimum(moved, left), np.where(moved < left, 1, 2)
    truth = (1 / 10) / (1 / 10 + 1 / 8)
    table = aalen_johansen(durations, causes).table.query("cause == 1")
    assert table["incidence"].iloc[-1] == pytest.approx(truth, abs=0.03)
    naive = 1 - kaplan_meier(durations, causes == 1).at(20)["survival"].iloc[0]
    assert naive > table[table["time"] <= 20]["incidence"].iloc[-1] + 0.2


def test_incidence_interval_covers():
    inside = 0
    truth = 0.1 / 0.225 * (1 - np.exp(-0.225 * 5))
    for seed in range(200):
        random = np.random.default_rng(seed)
        one, other, end = random.exponential(10, 80), random.exponential(8, 80), random.uniform(3, 20, 80)
        durations = np.minimum(np.minimum(one, other), end)
        causes = np.where(durations == end, 0, np.where(one < other, 1, 2))
        row = aalen_johansen(durations, causes).table.query("cause == 1 and time <= 5").iloc[-1]
        inside += row["low"] <= truth <= row["high"]
    assert 0.91 < inside / 200 < 0.99


def test_refusals():
    with pytest.raises(FitError, match=r"2 durations are negative or missing, e\.g\. -1"):
        kaplan_meier([-1, np.nan, 3], [1, 1, 1])
    with pytest.raises(FitError, match=r"1 rows enter at or after they end, e\.g\. from 5 to 5"):
        kaplan_meier([5, 6], [1, 1], entry=[5, 0])
    with pytest.raises(FitError, match=r"events must be true or false \(1 or 0\), found 2"):
        kaplan_meier([5, 6], [1, 2])
    with pytest.raises(FitError, match=r"3 events for 2 durations"):
        kaplan_meier([5, 6], [1, 1, 1])
    with pytest.raises(FitError, match=r"1 weights are negative or missing"):
        kaplan_meier([5, 6], [1, 1], weights=[1, -1])
    with pytest.raises(FitError, match=r"all weights are zero"):
        kaplan_meier([5, 6], [1, 1], weights=[0, 0])
    with pytest.raises(FitError, match=r"durations are empty"):
        kaplan_meier([], [])
    with pytest.raises(FitError, match=r"only one group \('a'\)"):
        log_rank([1, 2], [1, 1], ["a", "a"])
    with pytest.raises(FitError, match=r"every row is censored"):
        aalen_johansen([1, 2], [0, 0])
    with pytest.raises(ParameterError, match=r"unknown weighting 'logrank'.*Did you mean 'log_rank'"):
        log_rank([1, 2], [1, 1], [0, 1], weighting="logrank")
    with pytest.raises(ParameterError, match=r"share 50 must lie between 0 and 1"):
        kaplan_meier([1, 2], [1, 1]).quantile(50)
    with pytest.raises(ParameterError, match=r"unknown scale 'loglog'.*Did you mean 'log-log'"):
        kaplan_meier([1, 2], [1, 1], scale="loglog")
