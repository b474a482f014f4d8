"""Money with a third decimal: refused with workbook, sheet, row and value, or rounded as the map says, counted and with what it makes in all."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from analysis.errors import ContractError, ParameterError
from analysis.sources import MapNote, apply_map, told_where
from analysis.sources.amounts import MONEY, is_too_fine, to_cents
from analysis.tables import contract, load_tables

from .conftest import stated  # isort: skip

HEADING = ["Line", "Day", "Debit", "Credit"]
ENTRY = {
    "table": "ledger",
    "file": "Journal.xlsx",
    "header_has": HEADING,
    "columns": {"posting_id": "Line", "posted_on": "Day", "amount": "Debit"},
    "less": {"amount": "Credit"},
}


def journal(workbook, fine: list[tuple[float | str, float | str]]) -> None:
    """Titles, a hundred postings of two decimals with the fine ones among them, and a line of totals."""
    rows = [["Acme"], ["Journal"], [], HEADING]
    rows += [[f"L{n}", "2026-10-05", 10.25, ""] for n in range(100)]
    rows += [[f"F{n}", "2026-10-05", debit, credit] for n, (debit, credit) in enumerate(fine)]
    workbook(
        "Journal.xlsx", [*rows, ["Total", "", 1.0, 1.0]], merged=["A1:D1", "A2:D2"], sheet="Journal 2026"
    )


def applied(exports: Path, target: Path, **more: object) -> list[MapNote]:
    mapped = apply_map(stated({**ENTRY, **more}), exports, target)
    return [note for one in mapped for note in one.notes]


def test_the_refusal_names_workbook_sheet_row_and_value(exports, workbook, take, tmp_path):
    journal(workbook, [("", 23.819), (1.005, ""), (2.5001, "")])
    mapped = apply_map(stated(ENTRY), exports, tmp_path / "made")
    with pytest.raises(ContractError) as refused, told_where(mapped):
        load_tables(
            tmp_path / "made", tmp_path / "store", reporting_currency="CNY", time_zone="Asia/Shanghai"
        )
    said = str(refused.value)
    assert "Journal.xlsx, -23.819, sheet 'Journal 2026' row 105 (3 such)" in said
    assert "rounded" in said


@pytest.mark.parametrize(
    ("rounding", "whole", "off"), [("half_even", "1024.99", "-0.012"), ("half_up", "1025.01", "+0.008")]
)
def test_rounding_is_counted_and_its_difference_told(rounding, whole, off, exports, workbook, take):
    # twice 0.125 is 0.12 or 0.13 each, -0.248 is -0.25: with 1,025.00 beside them 1,024.99 or 1,025.01, where 1,025.002 stood
    journal(workbook, [(0.125, ""), (0.125, ""), ("", 0.248)])
    taken = take({**ENTRY, "rounded": {"amount": rounding}})
    (note,) = [note for one in taken.mapped for note in one.notes if "rounded" in note.kind]
    assert (note.column, note.count) == ("amount", 3)
    assert note.example.startswith("0.125 → 0.1") and note.example.endswith(f"; Σ {off}")
    assert [str(total) for (total,) in taken.rows("ledger", "sum(amount)")] == [whole]


@pytest.mark.parametrize(
    ("text", "even", "up"),
    [("0.125", "0.12", "0.13"), ("0.135", "0.14", "0.14"), ("-0.125", "-0.12", "-0.13"), ("-2.675", "-2.68", "-2.68"), ("€0.125", "€0.12", "€0.13"), ("1.2349", "1.23", "1.23")],
)  # fmt: skip
def test_a_half_goes_where_the_map_says(text, even, up):
    assert is_too_fine(text)
    assert (to_cents(text, "half_even"), to_cents(text, "half_up")) == (even, up)


@pytest.mark.parametrize(
    "text", ["", "12", "12.30", "12.300", "0.30000000000000004", "12.3.4567", "n/a 1.234", "1" * 40 + ".123"]
)
def test_noughts_noise_and_what_is_no_number_are_not_too_fine(text):
    assert not is_too_fine(text)


def test_decimal_commas_factors_and_lookups_are_rounded_after_they_were_read(exports, take):
    with (exports / "ledger.csv").open("w", newline="") as file:
        csv.writer(file, delimiter=";").writerows(
            [["Line", "Day", "Cents"], ["L1", "2026-10-05", "1.012,5"], ["L2", "2026-10-05", "1.013,5"]]
        )
    entry = {
        "table": "ledger",
        "file": "ledger.csv",
        "columns": {"posting_id": "Line", "posted_on": "Day", "amount": "Cents"},
        "numbers": ["amount"],
        "decimal_mark": ",",
        "factors": {"amount": "1/100"},
        "rounded": {"amount": "half_even"},
    }
    taken = take(entry)
    assert [str(amount) for (amount,) in taken.rows("ledger", "amount")] == ["10.12", "10.14"]


def test_without_a_word_of_the_map_nothing_is_rounded_and_the_line_of_a_text_is_named(exports, tmp_path):
    (exports / "Journal.csv").write_text("Line,Day,Debit,Credit\nL1,2026-10-05,1.00,\nL2,2026-10-05,1.005,\n")
    notes = applied(exports, tmp_path / "made", file="Journal.csv")
    assert [(note.kind, note.count, note.example) for note in notes] == [
        ("money with more than two decimals", 1, "1.005, line 3")
    ]
    assert "1.005" in next((tmp_path / "made" / "ledger").glob("*.csv")).read_text()


def test_only_money_is_rounded_and_only_in_two_ways():
    with pytest.raises(ParameterError, match="'posted_on' is no money"):
        stated({**ENTRY, "rounded": {"posted_on": "half_even"}})
    with pytest.raises(ParameterError, match="half_even"):
        stated({**ENTRY, "rounded": {"amount": "down"}})


def test_money_is_what_the_contract_calls_money():
    columns = [
        (name, column.type) for table in contract().tables.values() for name, column in table.columns.items()
    ]
    assert {name for name, kind in columns if kind == "decimal"} == MONEY
    assert not {name for name, kind in columns if kind != "decimal"} & MONEY
