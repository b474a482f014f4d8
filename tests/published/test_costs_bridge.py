"""A price-volume-mix case from a textbook, and where the bridge stands to it."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from analysis.costs.bridge import bridge_by, cost_bridge

# Horngren, Datar and Foster, Cost Accounting: A Managerial Emphasis, solution exhibit 14-24 (Soda King; the
# same problem is in the 13th ed. 2009, pp. 517-519): units sold and contribution margin per unit, in millions
# of units.
BUDGET_UNITS = np.array([400_000.0, 600_000.0, 1_500_000.0])
ACTUAL_UNITS = np.array([480_000.0, 900_000.0, 1_620_000.0])
MARGIN = np.array([2.00, 1.20, 2.50])
QUANTITY_VARIANCE = [160_000, 144_000, 750_000]
MIX_VARIANCE = [0, 216_000, -450_000]
PRODUCTS = ["Kola", "Limor", "Orlem"]


def month(units, margin):
    amounts = [Decimal(f"{amount:.2f}") for amount in units * margin]
    return pd.DataFrame({"product": PRODUCTS, "tickets": units, "cost": amounts})


def sequential(first, second, order):
    """Variances when the factors change one after another: the textbook's arithmetic for any order."""
    point, effects = list(first), [np.zeros(3)] * 3
    for factor in order:
        old = point[0] * point[1] * point[2]
        point[factor] = second[factor]
        effects[factor] = point[0] * point[1] * point[2] - old
    return effects


FIRST = [BUDGET_UNITS.sum(), BUDGET_UNITS / BUDGET_UNITS.sum(), MARGIN]


def second(margin):
    return [ACTUAL_UNITS.sum(), ACTUAL_UNITS / ACTUAL_UNITS.sum(), margin]


def test_the_textbook_order_gives_the_textbook_table():
    quantity, mix, price = sequential(FIRST, second(MARGIN), (0, 1, 2))
    assert quantity == pytest.approx(QUANTITY_VARIANCE)
    assert mix == pytest.approx(MIX_VARIANCE)
    assert price == pytest.approx([0, 0, 0])


def test_the_bridge_is_the_textbook_averaged_over_every_order():
    margin = np.array([2.20, 1.10, 2.50])  # a price step beside the exhibit's volumes
    effects = cost_bridge(month(BUDGET_UNITS, MARGIN), month(ACTUAL_UNITS, margin))
    table = effects.pivot(index="product", columns="driver", values="effect").astype(float)
    runs = [sequential(FIRST, second(margin), order) for order in permutations(range(3))]
    for factor, driver in enumerate(("volume", "mix", "unit_cost")):
        expected = np.mean([run[factor] for run in runs], axis=0)
        assert table[driver].to_numpy() == pytest.approx(expected, abs=0.011)


def test_the_bridge_keeps_the_sales_volume_variance_of_820_000():
    effects = cost_bridge(month(BUDGET_UNITS, MARGIN), month(ACTUAL_UNITS, MARGIN))
    total = bridge_by(effects).set_index("driver")["effect"]
    assert total.sum() == Decimal("820000.00")
    assert total["unit_cost"] == 0
    # Between the two orders: quantity first (1,054,000; -234,000) and mix first (1,015,000; -195,000).
    assert (total["volume"], total["mix"]) == (Decimal("1034500.00"), Decimal("-214500.00"))
