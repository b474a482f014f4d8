"""A part's price at equal suppliers: a shift to the dearer one is no rise, a rise of both is one, one price stays as it was."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.costs import price_steps
from analysis.costs.price_index import like_for_like

MONTHS = pd.period_range("2024-11", periods=24, freq="M").astype(str)


def bought(prices: dict[str, np.ndarray], quantities: dict[str, np.ndarray]) -> pd.DataFrame:
    rows = [
        ("P", month, supplier, "", price[at] * quantities[supplier][at], quantities[supplier][at])
        for at, month in enumerate(MONTHS)
        for supplier, price in prices.items()
        if quantities[supplier][at] > 0
    ]
    return pd.DataFrame(rows, columns=["part_no", "month", "supplier", "model", "spend", "quantity"])


STEADY = 1 + 0.002 * np.cos(np.arange(24) * 2)
SHIFT = np.where(np.arange(24) < 14, 9.0, 1.0)


def steps(table: pd.DataFrame) -> list[str]:
    prices = like_for_like(table, least_difference=0.01)
    return price_steps(prices, by=["part_no"], least_change=0.01, level=0.05).found["part_no"].tolist()


def test_a_shift_to_the_dearer_supplier_is_no_step_of_the_price() -> None:
    table = bought({"A": 10 * STEADY, "B": 14 * STEADY}, {"A": SHIFT, "B": 10 - SHIFT})
    whole = table.groupby("month")[["spend", "quantity"]].sum()
    assert (
        float((whole["spend"] / whole["quantity"]).iloc[-1] / (whole["spend"] / whole["quantity"]).iloc[0])
        > 1.25
    )
    assert steps(table) == []
    levels = like_for_like(table, least_difference=0.01)["price"].to_numpy()
    assert levels / levels[0] == pytest.approx(STEADY / STEADY[0])


def test_a_rise_of_both_suppliers_is_one_whatever_the_shift() -> None:
    rise = np.where(np.arange(24) < 14, 1.0, 1.1) * STEADY
    assert steps(bought({"A": 10 * rise, "B": 14 * rise}, {"A": 10 - SHIFT, "B": SHIFT})) == ["P"]


def test_suppliers_at_one_price_and_a_single_supplier_keep_the_mean_of_a_unit() -> None:
    both = bought({"A": 10 * STEADY, "B": 10.05 * STEADY}, {"A": SHIFT, "B": 10 - SHIFT})
    one = bought({"A": 10 * STEADY}, {"A": SHIFT})
    for table in (both, one):
        whole = table.groupby("month")[["spend", "quantity"]].sum()
        found = like_for_like(table, least_difference=0.01)
        assert found["price"].to_numpy() == pytest.approx((whole["spend"] / whole["quantity"]).to_numpy())
        assert (found["spend"] / found["quantity"]).to_numpy() == pytest.approx(found["price"].to_numpy())


def test_two_months_by_hand() -> None:
    # A 10 and 11, B 20 and 22, equal spend: both suppliers rose by a tenth, so did the part
    rows = [
        ("P", "2026-09", "A", "", 20.0, 2.0),
        ("P", "2026-09", "B", "", 20.0, 1.0),
        ("P", "2026-10", "A", "", 22.0, 2.0),
        ("P", "2026-10", "B", "", 22.0, 1.0),
    ]
    table = pd.DataFrame(rows, columns=["part_no", "month", "supplier", "model", "spend", "quantity"])
    found = like_for_like(table, least_difference=0.01)["price"].to_numpy()
    assert found[1] / found[0] == pytest.approx(1.1)


def test_no_row_is_no_price() -> None:
    nothing = pd.DataFrame(columns=["part_no", "month", "supplier", "model", "spend", "quantity"])
    assert like_for_like(nothing, least_difference=0.01).empty


def sized(
    prices: dict[str, float], each: dict[str, np.ndarray], *, rise: float = 1.0, noise: float = 0.02
) -> pd.DataFrame:
    """One part number of one supplier for models at prices of their own, units of each by month, from the fifteenth month on ``rise`` times as dear."""
    draw = np.random.default_rng(5)
    rows = []
    for at, month in enumerate(MONTHS):
        for model, price in prices.items():
            units = each[model][at]
            if units > 0:
                scatter = np.exp(draw.normal(0, noise / np.sqrt(units)))
                paid = price * (rise if at >= 14 else 1.0) * scatter * units
                rows.append(("P", month, "A", model, paid, units))
    return pd.DataFrame(rows, columns=["part_no", "month", "supplier", "model", "spend", "quantity"])


MIX = {"small": np.tile([1.0, 9.0, 4.0], 8), "large": np.tile([8.0, 1.0, 5.0], 8)}


def test_a_part_for_two_sizes_steps_where_both_sizes_do_and_nowhere_else() -> None:
    apart = {"small": 10.0, "large": 19.0}
    risen = sized(apart, MIX, rise=1.14)
    # the mean of a unit follows the mix and hides the step
    whole = risen.groupby("month", as_index=False)[["spend", "quantity"]].sum()
    plain = whole.assign(part_no="P", price=whole["spend"] / whole["quantity"])
    assert price_steps(plain, by=["part_no"], least_change=0.01, level=0.05).found.empty
    assert steps(risen) == ["P"]
    found = price_steps(
        like_for_like(risen, least_difference=0.01), by=["part_no"], least_change=0.01, level=0.05
    ).found.iloc[0]
    assert found["first_month"] == MONTHS[14] and found["low"] < 0.14 < found["high"]
    shifted = {"small": SHIFT, "large": 10 - SHIFT}
    assert steps(sized(apart, shifted)) == []


def test_models_that_only_scatter_are_no_goods_of_their_own() -> None:
    same = sized({"small": 10.0, "large": 10.0}, MIX, noise=0.1)
    whole = same.groupby("month")[["spend", "quantity"]].sum()
    found = like_for_like(same, least_difference=0.01)
    assert found["price"].to_numpy() == pytest.approx((whole["spend"] / whole["quantity"]).to_numpy())
