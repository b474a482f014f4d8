"""A part's price at equal suppliers: a shift to the dearer one is no rise, a rise of both is one, one price stays as it was."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.costs import price_steps
from analysis.costs.price_index import at_equal_suppliers

MONTHS = pd.period_range("2024-11", periods=24, freq="M").astype(str)


def bought(prices: dict[str, np.ndarray], quantities: dict[str, np.ndarray]) -> pd.DataFrame:
    rows = [
        ("P", month, supplier, price[at] * quantities[supplier][at], quantities[supplier][at])
        for at, month in enumerate(MONTHS)
        for supplier, price in prices.items()
        if quantities[supplier][at] > 0
    ]
    return pd.DataFrame(rows, columns=["part_no", "month", "supplier", "spend", "quantity"])


STEADY = 1 + 0.002 * np.cos(np.arange(24) * 2)
SHIFT = np.where(np.arange(24) < 14, 9.0, 1.0)


def steps(table: pd.DataFrame) -> list[str]:
    prices = at_equal_suppliers(table, least_difference=0.01)
    return price_steps(prices, by=["part_no"], least_change=0.01, level=0.05).found["part_no"].tolist()


def test_a_shift_to_the_dearer_supplier_is_no_step_of_the_price() -> None:
    table = bought({"A": 10 * STEADY, "B": 14 * STEADY}, {"A": SHIFT, "B": 10 - SHIFT})
    whole = table.groupby("month")[["spend", "quantity"]].sum()
    assert (
        float((whole["spend"] / whole["quantity"]).iloc[-1] / (whole["spend"] / whole["quantity"]).iloc[0])
        > 1.25
    )
    assert steps(table) == []
    levels = at_equal_suppliers(table, least_difference=0.01)["price"].to_numpy()
    assert levels / levels[0] == pytest.approx(STEADY / STEADY[0])


def test_a_rise_of_both_suppliers_is_one_whatever_the_shift() -> None:
    rise = np.where(np.arange(24) < 14, 1.0, 1.1) * STEADY
    assert steps(bought({"A": 10 * rise, "B": 14 * rise}, {"A": 10 - SHIFT, "B": SHIFT})) == ["P"]


def test_suppliers_at_one_price_and_a_single_supplier_keep_the_mean_of_a_unit() -> None:
    both = bought({"A": 10 * STEADY, "B": 10.05 * STEADY}, {"A": SHIFT, "B": 10 - SHIFT})
    one = bought({"A": 10 * STEADY}, {"A": SHIFT})
    for table in (both, one):
        whole = table.groupby("month")[["spend", "quantity"]].sum()
        found = at_equal_suppliers(table, least_difference=0.01)
        assert found["price"].to_numpy() == pytest.approx((whole["spend"] / whole["quantity"]).to_numpy())
        assert (found["spend"] / found["quantity"]).to_numpy() == pytest.approx(found["price"].to_numpy())


def test_two_months_by_hand() -> None:
    # A 10 and 11, B 20 and 22, equal spend: both suppliers rose by a tenth, so did the part
    rows = [
        ("P", "2026-09", "A", 20.0, 2.0),
        ("P", "2026-09", "B", 20.0, 1.0),
        ("P", "2026-10", "A", 22.0, 2.0),
        ("P", "2026-10", "B", 22.0, 1.0),
    ]
    table = pd.DataFrame(rows, columns=["part_no", "month", "supplier", "spend", "quantity"])
    found = at_equal_suppliers(table, least_difference=0.01)["price"].to_numpy()
    assert found[1] / found[0] == pytest.approx(1.1)


def test_no_row_is_no_price() -> None:
    nothing = pd.DataFrame(columns=["part_no", "month", "supplier", "spend", "quantity"])
    assert at_equal_suppliers(nothing, least_difference=0.01).empty
