"""Warranty provisions of textbooks, period by period."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd

from analysis.costs.provision import provision_roll_forward


def test_machine_maker_by_quarter():
    # Chinese CPA textbook, Accounting, chapter "Contingencies", case of company S (machine tool A, 20x7):
    # price 50,000; repairs 1 % to 1.5 % of sales, so 1.25 %; opening balance of 240,000.
    quarters = pd.DataFrame(
        {
            "quarter": [1, 2, 3, 4],
            "units_sold": [400, 600, 800, 700],
            "unit_price": Decimal(50_000),
            "accrual_rate": Decimal("0.0125"),
            "utilised": [Decimal(amount) for amount in (40_000, 400_000, 360_000, 700_000)],
        }
    )
    rolled = provision_roll_forward(quarters, opening=Decimal(240_000), period="quarter")
    assert rolled.by_period["accrued"].tolist() == [250_000, 375_000, 500_000, 437_500]
    assert rolled.by_period["closing"].tolist() == [450_000, 425_000, 565_000, 302_500]
    assert rolled.by_period["opening"].tolist() == [240_000, 450_000, 425_000, 565_000]
    assert rolled.holds


def test_two_year_balance_of_the_cma_question():
    # CMA examination question: warranty cost 3 % of sales (2 % in the year of sale, 1 % in the next); sales
    # of 3,000,000 and 4,000,000, paid 28,000 and 101,000: the liability after the first year is 62,000.
    years = pd.DataFrame(
        {
            "year": [1, 2],
            "sales": [Decimal(3_000_000), Decimal(4_000_000)],
            "accrual_rate": [Decimal("0.03")] * 2,
            "utilised": [Decimal(28_000), Decimal(101_000)],
        }
    )
    rolled = provision_roll_forward(years, opening=Decimal(0), period="year")
    assert rolled.by_period["closing"].tolist() == [62_000, 81_000]
