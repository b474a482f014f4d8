"""Allocations conserve their pool to the cent, whatever the weights and the order of rows."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.costs.allocation import allocate, allocate_pools, allocation_sensitivity
from analysis.errors import ContractError, ParameterError


def test_hand_worked_thirds():
    # 100.00 in three equal parts is 33.333…: the cent left over goes to the first label at a tie.
    shares = allocate(Decimal("100.00"), {"B": 1, "A": 1, "C": 1})
    assert shares.to_dict() == {"B": Decimal("33.33"), "A": Decimal("33.34"), "C": Decimal("33.33")}


def test_hand_worked_remainders():
    # 10.00 by 3, 4, 4 of 11: 2.72|73, 3.63|64, 3.63|64 leaves 2 cents; largest remainders .73 and then a tie
    # between equal weights that the label decides.
    shares = allocate(Decimal("10.00"), {"x": 3, "z": 4, "y": 4})
    assert shares.to_dict() == {"x": Decimal("2.73"), "z": Decimal("3.63"), "y": Decimal("3.64")}


def test_a_credit_is_shared_as_its_mirror_image():
    weights = {"a": 7, "b": 2, "c": 5, "none": 0}
    paid, credit = allocate(Decimal("99.99"), weights), allocate(Decimal("-99.99"), weights)
    assert (credit == -paid).all()
    assert paid["none"] == 0


def test_a_float_weight_counts_as_the_decimal_it_prints_as():
    by_float = allocate(Decimal("0.30"), {"a": 0.1, "b": 0.2})
    assert by_float.to_dict() == {"a": Decimal("0.10"), "b": Decimal("0.20")}


@settings(max_examples=200, deadline=None)
@given(
    cents=st.integers(-(10**13), 10**13),
    weights=st.lists(
        st.one_of(st.integers(0, 10**6), st.floats(0, 1e6, allow_nan=False)), min_size=1, max_size=12
    ),
    seed=st.integers(0, 2**32 - 1),
)
def test_law_conserves_stays_within_a_cent_and_ignores_order(cents, weights, seed):
    pool = Decimal(cents).scaleb(-2)
    by_target = pd.Series(weights, index=[f"t{place}" for place in range(len(weights))], dtype=object)
    exact = [Fraction(str(weight)) for weight in weights]
    if not sum(exact):
        if cents:
            with pytest.raises(ParameterError, match="no positive weight among"):
                allocate(pool, by_target)
        return
    shares = allocate(pool, by_target)
    assert shares.sum() == pool
    for share, weight in zip(shares, exact, strict=True):
        assert abs(Fraction(share) - Fraction(pool) * weight / sum(exact)) < Fraction(1, 100)
        assert share == round(share, 2)
        assert weight or not share
    shuffled = by_target.sample(frac=1, random_state=seed)
    assert allocate(pool, shuffled).to_dict() == shares.to_dict()


@pytest.mark.parametrize(
    ("pool", "weights", "message"),
    [
        (Decimal("1.00"), {"a": 0}, "no positive weight among 1 targets"),
        (Decimal("1.00"), {}, "no positive weight among 0 targets"),
        (Decimal("1.00"), {"a": -1, "b": 3}, "weight of 'a' is -1; a driver cannot be negative"),
        (Decimal("1.00"), {"a": float("nan")}, "weight of 'a' is nan; give a number"),
        (Decimal("1.00"), {"a": None}, "weight of 'a' is None; give a number"),
        (Decimal("1.005"), {"a": 1}, "1.005 is finer than a cent"),
        (0.1 + 0.2, {"a": 1}, "finer than a cent"),
        ("ten", {"a": 1}, "'ten' is not an amount of money"),
    ],
)
def test_refusals(pool, weights, message):
    with pytest.raises(ParameterError, match=message):
        allocate(pool, weights)


def test_refuses_a_target_with_two_weights():
    with pytest.raises(ParameterError, match="1 targets have two weights, e.g. 'a'"):
        allocate(Decimal("1.00"), pd.Series([1, 2], index=["a", "a"]))


POOLS = pd.DataFrame(
    {
        "month": ["2026-01", "2026-01", "2026-02", "2026-02"],
        "pool": ["rent", "cloud", "rent", "cloud"],
        "amount": [Decimal("100.00"), Decimal("-10.00"), Decimal("0.00"), Decimal("55.55")],
    }
)


def test_many_pools_each_by_its_driver():
    weights = pd.DataFrame(
        {
            "month": ["2026-01"] * 4 + ["2026-02"] * 2,
            "pool": ["rent", "rent", "cloud", "cloud", "rent", "rent"],
            "product_line": ["A", "B", "A", "B", "A", "B"],
            "weight": [1, 2, 1, 1, 0, 0],
        }
    )
    shared = allocate_pools(POOLS, weights, target="product_line")
    assert shared.total == POOLS["amount"].sum()
    assert shared.amounts["amount"].tolist() == [
        Decimal(text) for text in ("33.33", "66.67", "-5.00", "-5.00", "0.00", "0.00")
    ]
    assert shared.unallocated.to_dict("records") == [
        {"month": "2026-02", "pool": "cloud", "amount": Decimal("55.55"), "reason": "no driver recorded"}
    ]


def test_weights_by_month_serve_every_pool_of_the_month():
    weights = pd.DataFrame(
        {"month": ["2026-01"] * 2 + ["2026-02"], "region": ["N", "S", "N"], "weight": [1, 3, 0]}
    )
    shared = allocate_pools(POOLS, weights, target="region")
    assert shared.amounts.loc[shared.amounts["pool"] == "rent", "amount"].tolist()[:2] == [
        Decimal("25.00"),
        Decimal("75.00"),
    ]
    assert shared.unallocated["reason"].tolist() == ["driver is zero everywhere"]
    assert shared.total == POOLS["amount"].sum()


@pytest.mark.parametrize("seed", range(20))
def test_law_pools_conserve_with_what_stays_unallocated(seed):
    rng = np.random.default_rng(seed)
    pools = pd.DataFrame(
        {
            "pool": [f"p{k}" for k in range(30)],
            "amount": [Decimal(int(c)).scaleb(-2) for c in rng.integers(-9999, 99999, 30)],
        }
    )
    weights = pd.DataFrame(
        [(f"p{k}", f"t{j}") for k in range(25) for j in range(6)], columns=["pool", "team"]
    )
    weights["weight"] = rng.choice([0, 1, 2.5, 7], len(weights), p=[0.7, 0.1, 0.1, 0.1])
    shared = allocate_pools(pools, weights, target="team")
    assert shared.total == pools["amount"].sum()
    assert set(shared.unallocated["pool"]) >= {f"p{k}" for k in range(25, 30)}


def test_pools_refuse_a_repeated_key_and_weights_without_a_key():
    weights = pd.DataFrame({"pool": ["rent"], "team": ["T1"], "weight": [1]})
    with pytest.raises(ContractError, match=r"pools: 2 rows share a key \(pool\)"):
        allocate_pools(POOLS[["pool", "amount"]], weights, target="team")
    with pytest.raises(ContractError, match="none of the pools' keys month is a column"):
        allocate_pools(POOLS[["month", "amount"]].head(1), weights, target="team")
    with pytest.raises(ContractError, match="weights: column weight is missing"):
        allocate_pools(POOLS, weights.drop(columns="weight"), target="team")


def test_keys_change_slices_never_totals():
    # Pools 900.00 + 100.00, direct 50.00 to A. By hours (A 3: B 1) A carries 750 + 50; by tickets (1:1) 500 +
    # 50.
    study = allocation_sensitivity(
        {"rent": Decimal("900.00"), "tools": Decimal("100.00")},
        {"hours": {"A": 3, "B": 1}, "tickets": {"A": 1, "B": 1}, "seats": {"A": 0, "B": 0}},
        direct={"A": Decimal("50.00")},
        units={"A": 100, "B": 50},
    )
    assert study.amounts.loc["A"].tolist() == [Decimal("800.00"), Decimal("550.00"), Decimal("50.00")]
    assert study.amounts.loc["unallocated"].tolist() == [Decimal("0.00"), Decimal("0.00"), Decimal("1000.00")]
    assert (study.amounts.sum() == study.total).all() and study.total == Decimal("1050.00")
    assert study.unit_costs.loc["A", ["hours", "tickets", "lowest", "highest"]].tolist() == [
        8.0,
        5.5,
        0.5,
        8.0,
    ]
    assert study.unit_costs.loc["A", "spread_share"] == pytest.approx(7.5 / (14 / 3))


@pytest.mark.parametrize("seed", range(20))
def test_law_every_key_has_the_same_total(seed):
    rng = np.random.default_rng(seed)
    targets = [f"line {k}" for k in range(7)]
    keys = {name: pd.Series(rng.integers(0, 50, 7), index=targets) for name in ("hours", "tickets", "area")}
    pools = [Decimal(int(cents)).scaleb(-2) for cents in rng.integers(-(10**6), 10**7, 5)]
    study = allocation_sensitivity(pd.Series(pools, dtype=object), keys)
    assert (study.amounts.sum() == sum(pools)).all()
