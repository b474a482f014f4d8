from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from analysis import quality
from analysis.metrics import StudyInputs

Inputs = Callable[..., StudyInputs]


def test_every_row_of_every_file_is_accounted_for(company: Path, inputs_of: Inputs):
    tickets = company / "tickets.csv"
    lines = tickets.read_text(encoding="utf-8").splitlines()
    tickets.write_text("\n".join([*lines, lines[1]]) + "\n", encoding="utf-8")
    study = quality.study(inputs_of(company))
    file = next(file for file in study.files if file.table == "tickets")
    assert {outcome: fact.value for outcome, fact in file.rows.items()} == {
        "read": 7,
        "accepted": 6,
        "quarantined": 0,
        "duplicate": 1,
    }
    for outcome, fact in study.total.items():
        assert fact.value == sum(int(file.rows[outcome].value or 0) for file in study.files), outcome
    assert next(check for check in study.checks if check.id == "rows_conserved").outcome == "passed"


def test_absent_tables_and_columns_are_named(company: Path, inputs_of: Inputs):
    study = quality.study(inputs_of(company))
    assert "surveys" in study.absent and "tickets" not in study.absent
    span = next(span for span in study.tables if span.table == "tickets")
    assert "first_response_at" in span.columns_absent and "opened_at" not in span.columns_absent


def test_a_fault_is_counted_named_and_exampled(company: Path, inputs_of: Inputs):
    path = company / "tickets.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace("2026-09-03T02:00:00", "2026-08-03T02:00:00"),
        encoding="utf-8",
    )
    study = quality.study(inputs_of(company))
    fault = next(fault for fault in study.faults if fault.code == "time_order")
    assert (
        fault.rows.value == 1
        and fault.place == "tickets.resolved_at"
        and fault.reason.en == "events out of order: before opened_at"
    )
    assert next(check for check in study.checks if check.id == "time_order").outcome == "failed"
