"""Time-driven ABC: used and unused cost are the cost supplied, to the cent."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from analysis.costs.activity_costing import time_driven_abc
from analysis.errors import ContractError, ParameterError


def test_two_pools_hand_worked():
    # Team N: 1,000.00 for 50 h is 20.00/h; 30 h used, 400.00 idle. Team S: 300.00 for 10 h; 12 h used:
    # 60.00 over.
    work = pd.DataFrame(
        {
            "team": ["N", "N", "S"],
            "product_line": ["A", "B", "A"],
            "ticket_type": ["repair", "repair", "call"],
            "time": [10.0, 20.0, 12.0],
        }
    )
    capacity = pd.DataFrame(
        {
            "team": ["N", "S", "idle"],
            "cost": [Decimal("1000.00"), Decimal("300.00"), Decimal("77.77")],
            "practical_time": [50, 10, 5],
        }
    )
    costs = time_driven_abc(work, capacity, pool="team")
    assert costs.by_activity["cost"].tolist() == [Decimal("200.00"), Decimal("400.00"), Decimal("360.00")]
    assert costs.capacity["unused_cost"].tolist() == [Decimal("400.00"), Decimal("-60.00"), Decimal("77.77")]
    assert costs.by("product_line").set_index("product_line")["cost"].to_dict() == {
        "A": Decimal("560.00"),
        "B": Decimal("400.00"),
    }
    assert costs.total == Decimal("1377.77") and costs.unused_cost == Decimal("417.77")


@pytest.mark.parametrize("seed", range(20))
def test_law_used_and_unused_are_the_supply(seed):
    rng = np.random.default_rng(seed)
    capacity = pd.DataFrame(
        {
            "month": np.repeat(["2026-01", "2026-02"], 4),
            "team": list("ABCD") * 2,
            "cost": [Decimal(int(c)).scaleb(-2) for c in rng.integers(0, 10**8, 8)],
            "practical_time": rng.uniform(1, 5000, 8).round(2),
        }
    )
    work = capacity.loc[rng.integers(0, 8, 300), ["month", "team"]].reset_index(drop=True)
    work["ticket_type"] = rng.choice(["repair", "return"], 300)
    work["time"] = rng.uniform(0, 20, 300).round(3)
    costs = time_driven_abc(work, capacity, pool=["month", "team"])
    assert costs.by_activity["cost"].sum() + costs.unused_cost == sum(capacity["cost"])
    by_pool = costs.by("month", "team").merge(
        costs.capacity, on=["month", "team"], suffixes=("", "_supplied")
    )
    assert (by_pool["cost"] == by_pool["used_cost"]).all()
    exact = costs.by_activity["time"] * costs.by_activity["rate"]
    assert (costs.by_activity["cost"].astype(float) - exact).abs().max() < 0.0101
    doubled = time_driven_abc(
        work, capacity.assign(practical_time=capacity["practical_time"] * 2), pool=["month", "team"]
    )
    assert doubled.unused_cost >= costs.unused_cost


def test_refusals():
    work = pd.DataFrame({"team": ["N"], "time": [1.0]})
    capacity = pd.DataFrame({"team": ["N"], "cost": [Decimal("10.00")], "practical_time": [5.0]})
    with pytest.raises(ContractError, match=r"1 activities use a pool without capacity, e.g. \['S'\]"):
        time_driven_abc(work.assign(team="S"), capacity, pool="team")
    with pytest.raises(ParameterError, match="practical_time is 0.0 and 1 was used"):
        time_driven_abc(work, capacity.assign(practical_time=0.0), pool="team")
    with pytest.raises(ContractError, match="1 activities have no time or a negative one"):
        time_driven_abc(work.assign(time=np.nan), capacity, pool="team")
    with pytest.raises(ContractError, match="1 pools are listed twice"):
        time_driven_abc(work, pd.concat([capacity, capacity]), pool="team")
    with pytest.raises(ContractError, match="need the column time, or quantity and unit_time"):
        time_driven_abc(work.drop(columns="time"), capacity, pool="team")
