"""Runs about a centre, the surprise of a dimension, a rate's change split, and the area under a curve when rows come in clusters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import stats
from analysis.errors import FitError

SMALL = {
    # Bhagwan et al. (2014), the worked example of section 4: revenue of 100 expected, 50 seen, by three dimensions
    "data centre": pd.DataFrame({"expected": [94, 6], "actual": [47, 3]}, index=["X", "Y"]),
    "advertiser": pd.DataFrame(
        {"expected": [50, 20, 20, 10], "actual": [24, 21, 4, 1]}, index=["A1", "A2", "A3", "A4"]
    ),
    "device": pd.DataFrame(
        {"expected": [50, 25, 25], "actual": [49, 1, 0]}, index=["PC", "Mobile", "Tablet"]
    ),
}


@pytest.mark.parametrize(("points", "run", "crossings"), [(10, 6, 2), (20, 7, 6), (24, 8, 8)])
def test_limits_of_runs(points: int, run: int, crossings: int):
    # Anhøj and Olesen (2014), PLOS ONE 9(11): e113825, table of limits by number of useful observations.
    found = stats.runs_test([1, 0] * (points // 2), centre=0.5)
    assert (found.useful, found.longest_run_limit, found.crossings_limit) == (points, run, crossings)
    assert (found.longest_run, found.crossings, found.shifted) == (1, points - 1, False)


def test_points_on_the_centre_neither_make_nor_break_a_run():
    found = stats.runs_test([1, 1, 0, 1, 1, 1, 0, 1, 1, 1, -1, -1], centre=0)
    assert (found.useful, found.longest_run, found.crossings) == (10, 8, 1)
    with pytest.raises(FitError, match="9 points beside the centre"):
        stats.runs_test([1] * 9, centre=0)


def test_runs_are_found_by_chance_in_about_one_series_of_twenty():
    random = np.random.default_rng(11)
    alarms = np.mean([stats.runs_test(random.standard_normal(24)).shifted for _ in range(2000)])
    assert 0.02 < alarms < 0.09  # Anhøj and Wentzel-Larsen (2018) give about 5 % for 24 points
    shifted = [*random.standard_normal(12), *(random.standard_normal(12) + 2.5)]
    assert stats.runs_test(shifted).shifted


def test_the_device_explains_the_fall_with_most_surprise():
    found = stats.surprise_by_dimension(SMALL)
    assert found["dimension"].tolist() == ["device", "advertiser", "data centre"]
    assert set(found["values"][0]) == {"Mobile", "Tablet"}
    assert found["explained"].round(2).tolist() == [0.98, 1.02, 0.94]
    assert found["surprise"][2] == pytest.approx(0, abs=1e-12)  # both centres fell alike


def test_what_does_not_add_up_has_no_surprise():
    other = pd.DataFrame({"expected": [60, 30], "actual": [47, 3]}, index=["X", "Y"])
    with pytest.raises(FitError, match="'other' sums to 90 and 50, the first to 100 and 50"):
        stats.surprise_by_dimension({"device": SMALL["device"], "other": other})
    with pytest.raises(FitError, match="no change"):
        stats.surprise_by_dimension({"flat": pd.DataFrame({"expected": [1, 2], "actual": [2, 1]})})


def test_a_rate_falls_although_it_rose_in_every_group():
    # Simpson: both groups rise from 10 to 11 and from 30 to 31 per 100, but the group of many failures shrinks.
    table = stats.rate_change(["few", "many"], [10, 90], [100, 300], [33, 31], [300, 100])
    assert table.loc["all", "within"] == pytest.approx(0.01)
    assert table.loc["all", "mix"] == pytest.approx(-0.10)
    assert table.loc["all", "change"] == pytest.approx(64 / 400 - 100 / 400)
    assert table.loc["few", "mix"] < 0 and table.loc["many", "mix"] < 0


def test_parts_of_a_rate_add_up_with_groups_that_come_and_go():
    random = np.random.default_rng(5)
    size, now = random.integers(0, 60, (2, 12)).astype(float)
    size[0], now[1] = 0, 0
    size[2:] += 1
    before, after = np.minimum(random.poisson(3, 12), size), np.minimum(random.poisson(4, 12), now)
    keep = (size > 0) | (now > 0)
    table = stats.rate_change(
        np.arange(12)[keep].astype(str), before[keep], size[keep], after[keep], now[keep]
    )
    assert table.loc["all", "change"] == pytest.approx(after.sum() / now.sum() - before.sum() / size.sum())
    assert table.loc["0", "within"] == 0


def test_limits_of_the_change_within_cover():
    random = np.random.default_rng(8)
    size, now, rate, later = np.array([400.0, 900]), np.array([700.0, 600]), [0.05, 0.02], [0.06, 0.02]
    truth = ((size / size.sum() + now / now.sum()) / 2) @ (np.array(later) - rate)
    inside = 0
    for _ in range(300):
        row = stats.rate_change(
            ["a", "b"], random.poisson(size * rate), size, random.poisson(now * later), now
        ).loc["all"]
        inside += row["within_low"] <= truth <= row["within_high"]
    assert 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300) < inside / 300


def test_area_of_rows_by_hand_and_with_ties():
    found = stats.area_under_curve([3, 2, 2, 1], [1, 1, 0, 0])
    assert found.value == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    # DeLong by hand: placements of the positives 1 and 0.75, of the negatives 0.75 and 1
    variance = np.var([1, 0.75], ddof=1) / 2 + np.var([0.75, 1], ddof=1) / 2
    assert float(found.high) == min(1.0, found.value + 1.959963984540054 * np.sqrt(variance))
    with pytest.raises(FitError, match="at least two rows"):
        stats.area_under_curve([1, 2, 3], [1, 0, 0])


def test_an_area_of_rows_that_come_in_clusters_covers_only_with_the_clusters():
    random = np.random.default_rng(21)
    truth, rounds = None, 400
    inside = {"rows": 0, "clusters": 0}
    areas, width = [], []
    for _ in range(rounds):
        own = np.repeat(np.arange(60), 8)
        taste = random.standard_normal(60)[own]
        outcome = (taste + 0.3 * random.standard_normal(480) > 0.4).astype(int)
        score = 0.7 * taste + random.standard_normal(60)[own] + 0.2 * random.standard_normal(480)
        found = stats.area_under_curve(score, outcome, own)
        rows = stats.area_under_curve(score, outcome)
        areas.append(float(found.value))
        width.append((rows.low, rows.high, found.low, found.high))
    truth = float(np.mean(areas))
    for low, high, low_by_cluster, high_by_cluster in width:
        inside["rows"] += low <= truth <= high
        inside["clusters"] += low_by_cluster <= truth <= high_by_cluster
    assert (
        inside["clusters"] / rounds > 0.95 - 3 * np.sqrt(0.95 * 0.05 / rounds) - 0.02
    )  # 60 clusters: near normal
    assert inside["rows"] / rounds < 0.75  # eight rows of one customer are not eight customers
