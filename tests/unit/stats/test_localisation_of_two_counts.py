"""Two counted periods: both scatter, so what differs by chance is no cause, and what was not there before may be one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import ParameterError
from analysis.stats import localise, rate_ratio_interval

CELLS = pd.MultiIndex.from_product(
    [list("NESW"), ["A", "B", "C", "D", "E"], ["x", "y", "z"]], names=["region", "model", "part"]
).to_frame(index=False)


def two_periods(seed: int, *, factor: float = 1.0, level: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    mean = random.gamma(2.0, 10.0, len(CELLS))
    hit = (CELLS["region"] == "N") & (CELLS["model"] == "B")
    return random.poisson(level * mean * np.where(hit, factor, 1.0)), random.poisson(mean)


@pytest.mark.parametrize("baseline", ["given", "estimated"])
def test_nothing_is_named_where_nothing_changed(baseline):
    tries = [two_periods(seed) for seed in range(60)]
    named = [localise(a, e, CELLS, baseline=baseline, noise="two_counts").found for a, e in tries]
    assert np.mean(named) <= 0.08
    as_exact = []
    for after, before in tries[:20]:
        kept = before > 0
        as_exact.append(localise(after[kept], before[kept], CELLS[kept], baseline=baseline).found)
    assert np.mean(as_exact) >= 0.25  # what taking the earlier count as exact costs


@pytest.mark.parametrize("baseline", ["given", "estimated"])
def test_a_planted_change_is_found_with_its_ratio(baseline):
    right, inside = 0, []
    for seed in range(20):
        after, before = two_periods(100 + seed, factor=2.5, level=1.0 if baseline == "given" else 1.4)
        found = localise(after, before, CELLS, baseline=baseline, noise="two_counts").causes
        if len(found) and found["attributes"][0] == {"region": "N", "model": "B"}:
            right += 1
            inside.append(found["low"][0] <= 2.5 <= found["high"][0])
            assert found["p_familywise"][0] <= 0.05
    assert right >= 16 and np.mean(inside) >= 0.85


def test_the_ratio_of_one_cause_is_the_exact_one_of_its_counts():
    after, before = two_periods(101, factor=4.0)
    found = localise(after, before, CELLS, baseline="given", noise="two_counts").causes.iloc[0]
    cells = (CELLS["region"] == "N") & (CELLS["model"] == "B")
    expected = rate_ratio_interval(after[cells].sum(), 1, before[cells].sum(), 1)
    assert found["attributes"] == {"region": "N", "model": "B"}
    assert (found["rate_ratio"], found["low"], found["high"]) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    assert (found["actual"], found["expected"]) == pytest.approx((after[cells].sum(), before[cells].sum()))


def test_what_was_not_there_before_can_be_a_cause():
    after, before = two_periods(3)
    new = (CELLS["part"] == "z") & (CELLS["model"] == "E")
    after, before = np.where(new, 25, after), np.where(new, 0, before)
    with pytest.raises(ParameterError, match="cells have 100 events but no exposure"):
        localise(after, before, CELLS, baseline="given")
    found = localise(after, before, CELLS, baseline="given", noise="two_counts").causes.iloc[0]
    assert found["attributes"] == {"model": "E", "part": "z"}
    assert found["high"] == np.inf and found["low"] > 10 and found["expected"] == 0.0


def test_a_fall_is_found_by_name():
    after, before = two_periods(102, factor=0.2)
    found = localise(after, before, CELLS, baseline="given", noise="two_counts", direction="deficit").causes
    assert found["attributes"][0] == {"region": "N", "model": "B"} and found["high"][0] < 1
