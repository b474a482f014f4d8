"""The roll-forward holds by line and period, shows every gap, and says whether the balance is enough."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from analysis.costs.provision import coverage, provision_roll_forward
from analysis.errors import ContractError

MOVES = pd.DataFrame(
    {
        "month": ["2026-01", "2026-02", "2026-01", "2026-02"],
        "product_line": ["A", "A", "B", "B"],
        "accrued": [Decimal("100.00"), Decimal("110.00"), Decimal("50.00"), Decimal("50.00")],
        "utilised": [Decimal("80.00"), Decimal("150.00"), Decimal("0.00"), Decimal("20.01")],
        "adjusted": [Decimal("0.00"), Decimal("-5.00"), Decimal("2.50"), None],
        "opening": [Decimal("200.00"), Decimal("220.00"), Decimal("10.00"), Decimal("62.00")],
        "closing": [Decimal("220.00"), Decimal("175.00"), Decimal("62.50"), None],
    }
)


def test_gaps_are_shown_where_they_are():
    rolled = provision_roll_forward(MOVES, by=["product_line"])
    table = rolled.by_period.set_index(["product_line", "month"])
    assert table["closing"].tolist() == [Decimal(text) for text in ("220.00", "175.00", "62.50", "91.99")]
    assert table["opening_gap"].tolist() == [0, 0, 0, Decimal("-0.50")]
    assert (table["closing_gap"] == 0).all() and not rolled.holds
    assert rolled.total["closing"].tolist() == [Decimal("282.50"), Decimal("266.99")]
    assert rolled.experience.set_index("product_line").loc["A", "utilised_to_accrued"] == pytest.approx(
        230 / 210
    )


def test_a_wrong_recorded_closing_is_named():
    rolled = provision_roll_forward(
        MOVES.assign(closing=[Decimal("220.00"), Decimal("175.01"), None, None]), by=["product_line"]
    )
    assert rolled.by_period["closing_gap"].tolist()[1] == Decimal("0.01")


@pytest.mark.parametrize("seed", range(20))
def test_law_the_last_closing_is_the_first_opening_and_all_movements(seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([(m, p) for m in range(24) for p in "ABC"], columns=["month", "product_line"])
    for column in ("accrued", "utilised", "adjusted"):
        low = -5000 if column == "adjusted" else 0
        frame[column] = [Decimal(int(c)).scaleb(-2) for c in rng.integers(low, 10_000, len(frame))]
    openings = {
        line: Decimal(int(c)).scaleb(-2) for line, c in zip("ABC", rng.integers(0, 9999, 3), strict=True)
    }
    rolled = provision_roll_forward(
        frame.sample(frac=1, random_state=seed), opening=openings, by=["product_line"]
    )
    flows = sum(frame["accrued"]) - sum(frame["utilised"]) + sum(frame["adjusted"])
    last = rolled.by_period[rolled.by_period["month"] == 23]["closing"].sum()
    assert last == sum(openings.values()) + flows == rolled.total["closing"].iloc[-1]
    assert rolled.holds


def test_a_balance_is_short_only_below_the_whole_interval():
    closing = pd.DataFrame({"product_line": list("ABCD"), "closing": [Decimal(n) for n in (80, 95, 130, 5)]})
    expected = pd.DataFrame(
        {
            "product_line": list("ABC"),
            "expected": [100.0, 100.0, 100.0],
            "low": [90.0] * 3,
            "high": [120.0] * 3,
        }
    )
    table = coverage(closing, expected, by=["product_line"])
    assert table["status"].tolist() == ["short", "uncertain", "covered", "not computed"]
    assert table["shortfall"].tolist()[:3] == [20.0, 5.0, -30.0] and table["coverage"].tolist()[0] == 0.8
    rolled = provision_roll_forward(MOVES, by=["product_line"], expected_claims=expected)
    assert rolled.coverage.set_index("product_line").loc["B", "status"] == "uncertain"


def test_refusals():
    with pytest.raises(ContractError, match="the first period has no opening balance"):
        provision_roll_forward(MOVES.drop(columns="opening"), by=["product_line"])
    with pytest.raises(ContractError, match="1 rows have no accrued amount or a negative one"):
        provision_roll_forward(
            MOVES.assign(accrued=[Decimal(-1), *MOVES["accrued"][1:]]), by=["product_line"]
        )
    with pytest.raises(ContractError, match="2 rows repeat a period of a line"):
        provision_roll_forward(MOVES)
    with pytest.raises(ContractError, match="needs accrued, or accrual_rate with sales"):
        provision_roll_forward(MOVES.drop(columns="accrued"), by=["product_line"])
    with pytest.raises(ContractError, match="one opening for several lines"):
        provision_roll_forward(MOVES, by=["product_line"], opening=Decimal(1))
