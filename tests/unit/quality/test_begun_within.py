"""A table whose rows begin within a month: that month is held against no other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from analysis import executive
from analysis.metrics import StudyInputs
from analysis.metrics.whole_month import rows_begin
from analysis.periods import Month, Period

Inputs = Callable[..., StudyInputs]


def tickets_from(company: Path, first: dt.date, *, every: int = 1) -> None:
    """One ticket each so many days until the end of October 2026, noon at the company."""
    days = (dt.date(2026, 10, 31) - first).days + 1
    rows = [
        f"T{number},C1,P1,repair,{first + dt.timedelta(days=number)}T04:00:00"
        for number in range(0, days, every)
    ]
    (company / "tickets.csv").write_text(
        "\n".join(["ticket_id,customer_id,product_id,ticket_type,opened_at", *rows]) + "\n", encoding="utf-8"
    )


def begun(whole: StudyInputs) -> StudyInputs:
    return replace(whole, rows_begin=rows_begin(whole.engine, whole.month, limit=7))


def changes(inputs: StudyInputs) -> dict[str, object]:
    (headline,) = executive.study(inputs, metrics=("service_order_count",)).headlines
    return {one.change.dimensions["against"]: one.change for one in headline.changes}


def test_a_month_in_which_the_data_begin_is_compared_with_none(company: Path, inputs_of: Inputs):
    tickets_from(company, dt.date(2026, 9, 16))
    whole = inputs_of(company)
    assert changes(whole)["previous_month"].value > 1, "31 tickets against 15, as if September were whole"
    inputs = begun(whole)
    assert inputs.rows_begin["tickets"] == dt.date(2026, 9, 16)
    made = changes(inputs)["previous_month"]
    assert made.value is None
    assert made.reason.en.endswith("September 2026 is not whole: tickets has no row before 16 September 2026")


def test_the_year_before_is_not_held_against_when_it_is_half(company: Path, inputs_of: Inputs):
    tickets_from(company, dt.date(2025, 10, 16))
    made = changes(begun(inputs_of(company)))
    assert made["previous_month"].value is not None
    assert made["year_before"].value is None
    inputs = begun(inputs_of(company))
    twelve = Period(Month.parse("2025-10"), Month.parse("2026-09"))
    assert inputs.begins_within(twelve, ("tickets",)) is not None
    assert inputs.begins_within(twelve, ("orders",)) is None
    assert inputs.begins_within(Period.of("2026-09"), ("tickets",)) is None


@pytest.mark.parametrize(
    "first, every",
    [
        (dt.date(2026, 9, 1), 1),
        (dt.date(2026, 9, 2), 1),  # one silent day
        (dt.date(2026, 9, 13), 20),  # what comes every three weeks may begin on any day
    ],
)
def test_a_whole_first_month_is_compared(first: dt.date, every: int, company: Path, inputs_of: Inputs):
    tickets_from(company, first, every=every)
    inputs = begun(inputs_of(company))
    assert "tickets" not in inputs.rows_begin
    assert changes(inputs)["previous_month"].value is not None
