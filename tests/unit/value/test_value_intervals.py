"""Intervals of the value study: of ratios by hand, of the rest against what they are made from."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.metrics import Stating, StudyInputs
from analysis.results import Fact
from analysis.stats import proportion_interval, ratio_interval
from analysis.value import views
from analysis.value.base import TIERS, ValueBase
from analysis.value.budget import Budget
from analysis.value.portfolio import Portfolio
from analysis.value.renewal_models import _ratio_error
from analysis.value.results import ValueStudy
from analysis.value.scenarios import WhatIfs

CONTRACTS = """contract_id,term_no,customer_id,kind,starts_on,ends_on,renewed,cancelled_on,amount
K1,1,C1,subscription,2023-12-01,2024-11-30,true,,100.00
K1,2,C1,subscription,2024-12-01,2025-11-30,true,,110.00
K1,3,C1,subscription,2025-12-01,2026-11-30,,,121.00
K2,1,C2,subscription,2024-12-01,2025-11-30,true,,200.00
K2,2,C2,subscription,2025-12-01,2026-11-30,,,190.00
"""


def ends(fact: Fact) -> tuple[float, float]:
    assert fact.interval is not None
    return fact.interval.low, fact.interval.high


def test_the_growth_at_renewal_has_the_error_of_a_ratio_of_sums(
    company: Path, inputs_of: Callable[..., StudyInputs]
):
    (company / "contracts.csv").write_text(CONTRACTS)
    inputs = inputs_of(company)
    row = inputs.engine.query(views.expansion(inputs.month.end)).set_index("kind").loc["subscription"]
    before, after = np.array([100.0, 110.0, 200.0]), np.array([110.0, 121.0, 190.0])
    assert row["renewals"] == 3
    found = ratio_interval(after, before, level=0.95)
    assert _ratio_error(row) == pytest.approx((found.high - found.low) / 2 / 4.302653)  # t, two degrees


@pytest.mark.parametrize(("hits", "low", "high"), [(0, 0.0, 0.01), (50, 0.4038, 0.5962), (100, 0.9630, 1.0)])
def test_a_chance_has_the_interval_of_its_draws_and_holds_what_is_printed(
    hits: int, low: float, high: float, company: Path, inputs_of: Callable[..., StudyInputs]
):
    fact = Stating(inputs=inputs_of(company)).chance("what_if_chance", hits, 100, scenario="x")
    drawn = proportion_interval(hits, 100, method="wilson")
    value = float(fact.value or 0)
    assert fact.n == 100 and ends(fact) == (min(value, drawn.low), max(value, drawn.high))
    if hits == 50:
        assert ends(fact) == pytest.approx((low, high), abs=1e-4)


def test_forecasts_of_the_holdout_are_as_uncertain_as_the_purchases_were(studied: ValueStudy):
    modelling = studied.modelling
    weeks = [(week, predicted) for week, _, predicted in modelling.weeks]
    last = weeks[-1][1]
    reach = {week: ends(fact)[1] - float(fact.value or 0) for week, fact in weeks}
    whole = float(last.value or 0)
    for week, fact in weeks[:: max(1, len(weeks) // 5)]:
        # independent weeks: the error grows as the root of what is expected
        assert reach[week] == pytest.approx(
            reach[weeks[-1][0]] * (float(fact.value or 0) / whole) ** 0.5, abs=0.3
        )
    for line in modelling.classes:
        assert ends(line.predicted)[0] < float(line.predicted.value or 0) < ends(line.predicted)[1]


def test_the_value_a_month_ago_is_as_uncertain_as_the_value_now(studied: ValueStudy):
    before, now = studied.change.before, studied.portfolio.total
    relative = [edge / float(fact.value or 0) for fact in (before, now) for edge in ends(fact)]
    assert relative[:2] == pytest.approx(relative[2:])
    for name in ("model", "assumptions"):
        step = studied.change.steps[name]
        assert step.interval is None and step.reason is not None and step.reason.zh != step.reason.en


def test_renewals_of_one_contract_have_no_interval():
    row = SimpleNamespace(before=100.0, after=110.0, renewals=2, a2=110.0**2, ab=110.0 * 100, b2=100.0**2)
    assert _ratio_error(row) == 0.0
    assert pd.notna(_ratio_error(row))


def test_traced_cost_of_the_books_leads_to_that_of_the_value_to_the_cent(
    sampled: StudyInputs, studied: ValueStudy
):
    assert isinstance(studied.portfolio, Portfolio) and studied.portfolio.traced is not None
    found, part = studied.portfolio.traced, studied.portfolio.parts["service"]
    assert found.booked.id == studied.service_traced.id
    assert found.horizon.value == -Decimal(part.value or 0)
    step = {name: Decimal(fact.value or 0) for name, fact in found.steps.items()}
    year = Decimal(found.booked.value or 0) + step["paid"] + step["carried"]
    assert found.year.value == year
    assert year + step["years"] + step["discount"] == found.horizon.value
    assert step["years"] == pytest.approx(2 * year, abs=Decimal("0.01"))  # 36 months are three years
    # by another way: the margin of the orders that are neither purchases nor contracts, from the raw table
    assert isinstance(studied.base, ValueBase)
    others = "', '".join((*studied.settings.purchase_types, *studied.settings.contract_types))
    paid = sampled.engine.query(
        f"""SELECT sum(gross_margin) AS paid FROM orders SEMI JOIN {studied.base.table} k ON k.customer_id = orders.customer_id
WHERE order_type NOT IN ('{others}') AND ordered_at >= '2025-10-31 16:00' AND ordered_at < '2026-10-31 16:00'"""
    )["paid"].iloc[0]
    assert step["paid"] == -paid and step["paid"] < 0
    assert found.horizon.interval is not None and part.interval is not None
    assert found.horizon.interval.high == pytest.approx(-part.interval.low)


def test_the_budget_of_the_tiers_together_is_their_sum(studied: ValueStudy):
    assert isinstance(studied.what_ifs, WhatIfs) and isinstance(studied.what_ifs.budget, Budget)
    made = studied.what_ifs.budget
    tiers = [line for line in made.lines if line.tier in TIERS]
    assert made.traced.value == sum((Decimal(line.proposed.value or 0) for line in tiers), Decimal(0))
    assert made.traced.interval is not None and made.traced.interval.holds(float(made.traced.value))
