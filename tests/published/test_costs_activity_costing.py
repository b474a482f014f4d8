"""The customer service department of Kaplan and Anderson (2004)."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from analysis.costs.activity_costing import time_driven_abc


def test_reproduces_kaplan_and_anderson_2004():
    # Kaplan and Anderson, Harvard Business Review 82(11), November 2004, pp. 131-138: 560,000 a quarter
    # for 700,000 minutes of practical capacity is 0.80 a minute; 8, 44 and 50 minutes for an order, an
    # inquiry and a credit check; 578,600 of 700,000 minutes (83 %) are used, which costs 462,880; 97,120 is
    # unused capacity.
    activities = pd.DataFrame(
        {
            "activity": ["process orders", "handle inquiries", "perform credit checks"],
            "quantity": [49_000, 1_400, 2_500],
            "unit_time": [8, 44, 50],
        }
    )
    costs = time_driven_abc(activities, {"cost": Decimal("560000.00"), "practical_time": 700_000})
    table = costs.by_activity
    assert table["unit_cost"].tolist() == pytest.approx([6.40, 35.20, 40.00])
    assert table["time"].tolist() == [392_000, 61_600, 125_000]
    assert table["cost"].tolist() == [Decimal("313600.00"), Decimal("49280.00"), Decimal("100000.00")]
    line = costs.capacity.iloc[0]
    assert (line["rate"], line["used_time"], line["unused_time"]) == (0.8, 578_600, 121_400)
    assert (line["used_cost"], costs.unused_cost) == (Decimal("462880.00"), Decimal("97120.00"))
    assert line["utilisation"] == pytest.approx(0.83, abs=0.005)
