from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from analysis import quality
from analysis.exhibits import quality as exhibits
from analysis.locale import Text
from analysis.metrics import NotDone, StudyInputs
from analysis.quality.findings import rows_set_aside
from analysis.quality.waterfall import waterfall

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


@pytest.mark.parametrize(
    ("tickets", "products", "severity", "named"),
    [
        (20, 0, "info", None),  # of a million tickets nobody misses twenty
        (2_000, 0, "watch", "tickets"),
        (6_000, 0, "alert", "tickets"),
        (
            0,
            3,
            "alert",
            "products",
        ),  # three of six products hardly show among a million rows, and half of the models are gone
    ],
)
def test_rows_set_aside_are_judged_by_the_table_they_are_missing_from(
    company: Path, inputs_of: Inputs, tickets: int, products: int, severity: str, named: str | None
):
    inputs = inputs_of(company)
    counts = waterfall(inputs)
    lost = {"tickets": (tickets, 1_000_000), "products": (products, 6)}
    share = replace(counts.quarantined_share, value=(tickets + products) / 1_000_006)
    counts = replace(
        counts,
        total=counts.total | {"quarantined": replace(counts.total["quarantined"], value=tickets + products)},
        quarantined_share=share,
        share_by_table={
            table: replace(share, value=aside / read, dimensions={"table": table})
            for table, (aside, read) in lost.items()
            if aside
        },
    )
    (finding,) = rows_set_aside(inputs, counts)
    assert finding.severity == severity
    assert finding.statement.values.get("table") == named
    assert (f"missing of {named}" in finding.statement.plain("en")) == (named is not None)
