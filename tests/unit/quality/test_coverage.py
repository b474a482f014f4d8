"""Columns that fell silent, rows still to come and the register, on companies counted by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis import quality
from analysis.exhibits import quality as exhibits
from analysis.metrics import StudyInputs
from analysis.periods import Month
from analysis.quality.arrival import late_limits
from analysis.tables import Correction, load_tables

Inputs = Callable[..., StudyInputs]


def rows(months: int, each: int, line: Callable[[Month, int], str]) -> str:
    return "".join(
        line(Month.parse("2026-10") - age, index)
        for age in range(months - 1, -1, -1)
        for index in range(each)
    )


def tickets(
    company: Path,
    region: Callable[[Month, int], str],
    resolved: Callable[[Month, int], str] = lambda month, index: "",
) -> None:
    head = "ticket_id,ticket_type,opened_at,region,resolved_at\n"
    body = rows(
        8,
        30,
        lambda month, index: (
            f"{month}-{index},repair,{month}-10T02:00:00,{region(month, index)},{resolved(month, index)}\n"
        ),
    )
    (company / "tickets.csv").write_text(head + body, encoding="utf-8")


def test_a_column_that_went_silent_is_a_finding_with_its_month(company: Path, inputs_of: Inputs):
    tickets(company, lambda month, index: "North" if str(month) < "2026-09" and index % 3 else "")
    study = quality.study(inputs_of(company))
    (finding,) = (found for found in study.findings if found.id.startswith("quality.silent"))
    assert finding.id == "quality.silent.tickets.region"
    assert (
        "2026" in finding.statement.plain()
        and "66.7%" in finding.statement.plain()
        and "60 rows" in finding.statement.plain()
    )
    column = next(column for column in study.columns if column.name == "tickets.region")
    assert column.silent == (Month.parse("2026-09"), Month.parse("2026-10"))
    assert column.shares[Month.parse("2026-08")].value == pytest.approx(20 / 30)
    assert exhibits.columns_figure(study).kind == "figure"


def test_a_rare_or_ripening_column_is_not_called_silent(company: Path, inputs_of: Inputs):
    tickets(
        company,
        lambda month, index: (
            "North" if str(month) < "2026-10" and not index else ""
        ),  # one row in thirty: thirty empty rows are chance
        lambda month, index: f"{month}-12T00:00:00" if str(month) < "2026-10" else "",  # not yet resolved
    )
    study = quality.study(inputs_of(company))
    assert not [found for found in study.findings if found.id.startswith("quality.silent")]


def test_rows_still_to_come_follow_the_lags_of_earlier_months(company: Path, inputs_of: Inputs):
    """Of 40 rows a month, 10 are recorded 30 days after the month's end; as-of is 10 days after, so a quarter is to come."""

    def posting(month: Month, index: int) -> str:
        late = month.end + dt.timedelta(days=30)
        if index < 10 and late > dt.date(2026, 11, 10):
            return ""
        return f"{month}-{index},{month}-20,parts,1.00,{late if index < 10 else f'{month}-21'}T00:00:00\n"

    (company / "ledger.csv").write_text(
        "posting_id,posted_on,category,amount,recorded_at\n" + rows(9, 40, posting), encoding="utf-8"
    )
    study = quality.study(inputs_of(company))
    (arrival,) = (found for found in study.arrivals if found.table == "ledger")
    assert (arrival.arrived.value, arrival.arrived.numerator, arrival.arrived.denominator) == (0.75, 180, 240)
    assert (arrival.seen.value, arrival.to_come.value) == (30, 10)
    assert arrival.to_come.interval is not None
    assert (
        arrival.to_come.interval.low <= 6 and arrival.to_come.interval.high >= 15
    )  # a count of ten varies, even where six months did not
    assert arrival.median_lag.value == pytest.approx(
        1 + 8 / 24
    )  # midnight in UTC is eight in the morning in Shanghai
    assert [found.id for found in study.findings if found.id.startswith("quality.late")] == [
        "quality.late.ledger"
    ]


def test_limits_of_late_rows_hold_a_single_month():
    """Months of the same process fall into the limits learnt from six others as often as stated; what never came late may still."""
    random = np.random.default_rng(9)

    def share_held(spread: float) -> float:
        held = 0
        for _ in range(800):
            rates = 0.02 * random.gamma(1 / spread, spread, 7) if spread else np.full(7, 0.02)
            in_time = random.integers(800, 1_200, 7)
            late = random.poisson(rates * in_time)
            low, high = late_limits(late[:6], in_time[:6], int(in_time[6]), level=0.95)
            held += low <= late[6] <= high
        return held / 800

    assert share_held(0.0) >= 0.93 and share_held(0.15) >= 0.85
    low, high = late_limits(np.zeros(6, dtype=int), np.full(6, 4_000), 4_000, level=0.95)
    assert low == 0 and 1 <= high <= 2


def test_without_recording_times_nothing_is_said_about_late_rows(company: Path, inputs_of: Inputs):
    path = company / "ledger.csv"
    path.write_text("posting_id,posted_on,category,amount\nL1,2026-10-05,parts,1.00\n", encoding="utf-8")
    tickets(company, lambda month, index: "")
    study = quality.study(inputs_of(company))
    assert not study.arrivals and exhibits.arrivals_table(study).kind == "callout"


def test_the_register_is_printed(company: Path, inputs_of: Inputs, tmp_path: Path):
    inputs = inputs_of(company)
    entry = Correction(
        id="L9",
        run="sample",
        table="ledger",
        match={"posting_id": "L9"},
        action="drop",
        reason="posted twice",
        reporter="J. Chen",
        expect=1,
    )
    tables = load_tables(
        company,
        tmp_path / "corrected",
        reporting_currency="CNY",
        time_zone="Asia/Shanghai",
        corrections=[entry],
    )
    inputs.engine.tables = tables
    study = quality.study(replace(inputs))
    (printed,) = study.corrections
    assert (printed.id, printed.rows.value, printed.reason, printed.action.en) == (
        "L9",
        1,
        "posted twice",
        "dropped",
    )
    assert exhibits.corrections_table(study).kind == "table"
