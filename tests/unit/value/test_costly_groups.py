"""Groups that cost more than they bring: by hand, tied to the totals of all customers, and quiet where only a few customers were dear."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.errors import FitError, MissingData
from analysis.metrics import StudyInputs
from analysis.value.costly_groups import CostlyGroup, costly_groups
from analysis.value.customer_table import State
from analysis.value.settings import load_settings

ORDERS = "order_id,customer_id,product_id,ordered_at,revenue,gross_margin\nO1,C1,P1,2026-10-31T15:59:00,100.00,40.00\n"
Row = tuple[str, str, str, str]  # customer, segment, margin, cost


def groups_of(inputs: StudyInputs, rows: list[Row], *, smallest: int = 2) -> tuple[CostlyGroup, ...]:
    """The study on a base of these customers."""
    values = ", ".join(f"('{name}', '{segment}', {margin}, {cost})" for name, segment, margin, cost in rows)
    known = f"(VALUES {values}) AS given(customer_id, segment, margin_12m, cost_12m)"
    everyone = inputs.engine.materialise(
        "everyone",
        f"""SELECT customer_id, segment, CAST(margin_12m AS DOUBLE) AS margin_12m, 'b2b' AS customer_type,
        CASE WHEN substr(customer_id, length(customer_id)) IN ('1', '3', '5', '7', '9') THEN 'North' ELSE 'South' END AS region, 'Direct' AS channel, 'P' AS product_line FROM {known}""",
    )
    service = inputs.engine.materialise(
        "service_of", f"SELECT customer_id, CAST(cost_12m AS DOUBLE) AS cost_12m FROM {known}"
    )
    state = State(
        cutoff=dt.date(2026, 11, 1),
        purchases="",
        running=None,
        service=service,
        everyone=everyone,
        customers=everyone,
        machines=True,
        unserved=None,
    )
    return costly_groups(inputs, replace(load_settings(), smallest_group=smallest), state)


@pytest.fixture
def inputs(company: Path, inputs_of: Callable[..., StudyInputs]) -> StudyInputs:
    (company / "orders.csv").write_text(ORDERS, encoding="utf-8")
    return inputs_of(company)


def test_a_group_that_loses_by_hand(inputs: StudyInputs):
    rows = [("A1", "small", "10.00", "14.00"), ("A2", "small", "10.00", "16.00")]
    rows += [("B1", "large", "100.00", "20.00"), ("B2", "large", "120.00", "20.00")]
    found = {(one.attribute, one.held): one for one in groups_of(inputs, rows)}
    small = found["segment", "small"]
    assert (small.cost.value, small.margin.value, small.shortfall.value) == (30, 20, 10)
    # of two customers 4 and 6: their sum has the error 2 = sqrt(2) times their standard deviation sqrt(2)
    interval = small.shortfall.interval
    assert interval is not None and interval.high - 10 == pytest.approx(1.959964 * 2)
    assert small.shortfall.n == 2
    # every attribute that tells customers apart adds up to the whole; one value alone is no group
    for attribute in ("segment", "region"):
        parts = [one for (name, _), one in found.items() if name == attribute]
        assert sum((Decimal(one.cost.value or 0) for one in parts), Decimal(0)) == 70
        assert sum((Decimal(one.margin.value or 0) for one in parts), Decimal(0)) == 240
    assert not {"customer_type", "channel"} & {name for name, _ in found}


def test_a_group_beyond_chance_is_told_and_its_shadow_is_not(inputs: StudyInputs):
    # the small lose one each and more; all but five of them are in the North, which loses through them alone
    rows = [(f"S{2 * place + 1}", "small", "10.00", f"{12 + place % 5}.00") for place in range(60)]
    rows += [(f"L{2 * place}", "large", "90.00", f"{12 + place % 5}.00") for place in range(60)]
    told = [(one.attribute, one.held) for one in groups_of(inputs, rows) if one.told]
    assert len(told) == 1 and told[0] in {("segment", "small"), ("region", "North")}


def test_a_few_dear_customers_make_no_group(inputs: StudyInputs):
    rows = [(f"S{place}", "small", "10.00", "600.00" if place == 7 else "2.00") for place in range(60)]
    rows += [(f"L{place}", "large", "90.00", "12.00") for place in range(60)]
    groups = groups_of(inputs, rows)
    small = next(one for one in groups if one.held == "small")
    assert float(small.shortfall.value or 0) > 0 and not small.told


def test_too_few_customers_say_so(inputs: StudyInputs):
    with pytest.raises(FitError, match="no group has customers enough"):
        groups_of(inputs, [("A1", "small", "1.00", "2.00")], smallest=100)


def test_without_traced_cost_there_is_none(inputs: StudyInputs):
    state = State(
        cutoff=dt.date(2026, 11, 1),
        purchases="",
        running=None,
        service=None,
        everyone="x",
        customers="x",
        machines=True,
        unserved=None,
    )
    with pytest.raises(MissingData, match="ticket_id"):
        costly_groups(inputs, load_settings(), state)
