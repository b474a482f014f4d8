"""Cells that are compared only with cells of their own stratum."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

from analysis.errors import ParameterError
from analysis.stats import localise
from analysis.stats.localisation import _Compared


def cells(
    random: np.random.Generator, *, lines: int = 3, batches: int = 8
) -> tuple[pd.DataFrame, np.ndarray]:
    """Batches of one line each, parts of two suppliers and four regions in all of them; the plant follows the line, but for the last batch."""
    rows = [
        {
            "batch": f"B{b}",
            "line": f"L{b % lines}",
            "plant": f"P{b % lines if b else 1}",
            "supplier": s,
            "region": r,
        }
        for b in range(batches * lines)
        for s in ("S1", "S2")
        for r in ("N", "E", "S", "W")
    ]
    return pd.DataFrame(rows), random.uniform(1, 12, len(rows))


def test_one_stratum_is_as_without():
    random = np.random.default_rng(1)
    frame, due = cells(random)
    seen = random.poisson(due * np.where(frame["supplier"] == "S2", 2.0, 1.0))
    names = ["batch", "plant", "supplier", "region"]
    plain = localise(seen, due, frame[names], max_attributes=2)
    one = localise(seen, due, frame[names], max_attributes=2, strata=np.zeros(len(due)))
    pd.testing.assert_frame_equal(plain.causes, one.causes)
    assert plain.tests == one.tests


@pytest.mark.parametrize("seed", range(5))
def test_strata_of_unlike_levels_are_no_cause_and_what_is_planted_is_found(seed: int):
    random = np.random.default_rng([2, seed])
    frame, due = cells(random)
    level = frame["line"].map({"L0": 1.0, "L1": 6.0, "L2": 0.2}).to_numpy()
    seen = random.poisson(due * level * np.where(frame["supplier"] == "S2", 2.0, 1.0))
    found = localise(
        seen, due, frame[["batch", "plant", "supplier", "region"]], max_attributes=2, strata=frame["line"]
    )
    assert [one["attributes"] for one in found.causes.to_dict("records")] == [{"supplier": "S2"}]
    (cause,) = found.causes.to_dict("records")
    assert cause["low"] < 2.0 < cause["high"]
    assert cause["actual"] / cause["expected"] == pytest.approx(cause["rate_ratio"], rel=1e-6)


def test_what_holds_a_whole_stratum_is_not_tested_there_nor_counted():
    # plant P0 makes all of L0, where nothing can be compared, and a tenth of L1, where it fails as often as the others
    frame = pd.DataFrame(
        {"line": ["L0", "L0", "L1", "L1"], "plant": ["P0", "P0", "P0", "P1"], "region": ["N", "S", "N", "N"]}
    )
    seen, due = np.array([900, 900, 10, 90]), np.array([100.0, 100.0, 10.0, 90.0])
    assert not localise(seen, due, frame[["plant", "region"]], strata=frame["line"]).found
    assert localise(seen, due, frame[["plant", "region"]]).found
    worse = localise(np.array([900, 900, 60, 90]), due, frame[["plant", "region"]], strata=frame["line"])
    (cause,) = worse.causes.to_dict("records")
    assert (cause["cause"], cause["actual"], cause["cells"]) == ("plant=P0", 60.0, 1)
    assert cause["rate_ratio"] == pytest.approx(6.0) and cause["expected"] == pytest.approx(10.0)


@pytest.mark.parametrize("seed", range(20))
def test_the_gain_of_a_candidate_is_the_maximum_over_one_common_factor(seed: int):
    random = np.random.default_rng([3, seed])
    groups = int(random.integers(2, 6))
    whole = random.integers(20, 200, groups).astype(float)
    share = random.uniform(0.05, 0.9, groups)
    own = random.binomial(whole.astype(int), share).astype(float)
    found = _Compared.of(
        np.zeros(groups, dtype=np.int64), (own, share * whole), (whole, whole), 1, worth=-np.inf
    )

    def less(log_factor: float) -> float:
        return -(own.sum() * log_factor - (whole * np.log1p(share * np.expm1(log_factor))).sum())

    best = minimize_scalar(less, bounds=(-10, 10), method="bounded", options={"xatol": 1e-9})
    assert found.gain[0] == pytest.approx(max(-best.fun, 0.0), abs=1e-6)
    assert (found.ratio[0] > 1) == (best.x > 0)


def test_limits_cover_a_planted_ratio_as_often_as_they_say():
    covered = []
    for seed in range(200):
        random = np.random.default_rng([4, seed])
        frame, due = cells(random)
        level = frame["line"].map({"L0": 1.0, "L1": 3.0, "L2": 0.3}).to_numpy()
        seen = random.poisson(due * level * np.where(frame["supplier"] == "S2", 2.0, 1.0))
        found = localise(seen, due, frame[["supplier", "region"]], max_attributes=1, strata=frame["line"])
        own = found.causes[found.causes["cause"] == "supplier=S2"].iloc[0]
        covered.append(own["low"] <= 2.0 <= own["high"])
    assert np.mean(covered) >= 0.91


def test_nothing_is_named_more_often_than_promised():
    alarms = 0
    for seed in range(200):
        random = np.random.default_rng([5, seed])
        frame, due = cells(random)
        level = frame["line"].map({"L0": 1.0, "L1": 6.0, "L2": 0.2}).to_numpy()
        seen = random.poisson(due * level)
        names = ["batch", "plant", "supplier", "region"]
        alarms += localise(
            seen, due, frame[names], max_attributes=2, strata=frame["line"], familywise=0.05
        ).found
    assert alarms <= 17  # 5 % of 200, and what chance adds at 99 %


def test_strata_need_counts_and_a_fitted_level():
    frame = pd.DataFrame({"a": ["x", "y"]})
    with pytest.raises(ParameterError, match="strata need noise 'poisson'"):
        localise([1, 2], [1, 1], frame, noise="relative", strata=[0, 1])
    with pytest.raises(ParameterError, match="need one label a cell"):
        localise([1, 2], [1, 1], frame, strata=[0])


def test_a_stratum_in_which_nothing_was_counted_says_nothing():
    frame = pd.DataFrame({"line": ["L0"] * 2 + ["L1"] * 2, "model": ["A", "B", "C", "D"]})
    found = localise([40, 10, 0, 0], [10.0, 10, 10, 10], frame[["model"]], strata=frame["line"])
    assert [one["cause"] for one in found.causes.to_dict("records")] == ["model=A"]
    assert not localise([0, 0, 0, 0], [10.0, 10, 10, 10], frame[["model"]], strata=frame["line"]).found


def test_nothing_outside_leaves_a_lower_limit_only():
    frame = pd.DataFrame({"line": ["L0"] * 2 + ["L1"] * 2, "model": ["A", "B", "C", "D"]})
    found = localise([40, 0, 15, 15], [10.0, 10, 10, 10], frame[["model"]], strata=frame["line"])
    (cause,) = found.causes.to_dict("records")
    assert cause["rate_ratio"] == np.inf and cause["high"] == np.inf and 3 < cause["low"] < 40
