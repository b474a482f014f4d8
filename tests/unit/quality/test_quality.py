from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from analysis import quality
from analysis.exhibits import quality as exhibits
from analysis.locale import Text
from analysis.metrics import NotDone, StudyInputs

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


def test_a_part_that_was_not_made_says_its_own_reason_in_both_languages(company: Path, inputs_of: Inputs):
    why = NotDone(reason=Text(en="the moon was full", zh="正值满月"))
    study = quality.study(inputs_of(company))
    for part, draw in (
        ("near", exhibits.near_table),
        ("histories", exhibits.history_table),
        ("controls", exhibits.controls_table),
        ("arrivals", exhibits.arrivals_table),
    ):
        block = draw(replace(study, **{part: why})).payload
        assert block["kind"] == "callout" and not block["untranslated"]
        assert [piece["t"] for piece in block["body"]["en"]] == ["the moon was full."]
        assert [piece["t"] for piece in block["body"]["zh"]] == ["正值满月。"]
        assert block["title"]["zh"] != block["title"]["en"]
