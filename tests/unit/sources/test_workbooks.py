"""Excel sheets: real dates and text dates, merged cells, errors, formulas, long numbers, and what is no workbook."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.errors import SourceError
from analysis.sources.sheetmarks import xlsx_marks
from analysis.tables import load_tables

from .conftest import ERROR, FORMULA, UNCALCULATED, write_workbook  # isort: skip

LEDGER = {
    "table": "ledger",
    "file": "gl.xlsx",
    "columns": {"posting_id": "No", "posted_on": "Day", "amount": "Net"},
}


def test_real_dates_text_dates_text_numbers_and_cached_formulas(workbook, take):
    workbook(
        "gl.xlsx",
        [
            ["No", "Day", "Net"],
            ["G1", dt.date(2026, 10, 3), 12.5],
            ["G2", "04/10/2026", "1,234.50"],
            [1003, dt.datetime(2026, 10, 5), FORMULA],
            [None, None, None],
            ["G4", "06/10/2026", "（３０．５０）"],
        ],
    )
    taken = take(LEDGER | {"dates": {"posted_on": "%d/%m/%Y"}, "numbers": ["amount"]})
    assert taken.rows("ledger", "posting_id", "posted_on", "amount") == [
        ("1003", dt.date(2026, 10, 5), Decimal("3.00")),
        ("G1", dt.date(2026, 10, 3), Decimal("12.50")),
        ("G2", dt.date(2026, 10, 4), Decimal("1234.50")),
        ("G4", dt.date(2026, 10, 6), Decimal("-30.50")),
    ]
    assert taken.counts("ledger") == [(4, 4, 0)]


def test_lines_above_the_header_and_a_sheet_by_name(exports: Path, take):
    rows = [["流明电器"], ["2026年10月"], ["No", "Day", "Net"], ["G1", dt.date(2026, 10, 3), 1]]
    write_workbook(exports / "gl.xlsx", {"目录": [["x"]], "明细": rows}, merged=["A1:C1"])
    assert len(take(LEDGER | {"sheet": "明细", "skip_lines": 2}).rows("ledger", "posting_id")) == 1
    with pytest.raises(SourceError, match=r"2 sheets \(目录, 明细\); say which is meant with 'sheet'"):
        take(LEDGER | {"skip_lines": 2})
    with pytest.raises(SourceError, match=r"no sheet '明细表'\. Did you mean '明细'"):
        take(LEDGER | {"sheet": "明细表"})


def test_merged_cells_are_filled_as_stated_and_refused_otherwise(workbook, take):
    workbook(
        "gl.xlsx",
        [
            ["No", "Day", "Net"],
            ["G1", dt.date(2026, 10, 3), 1],
            ["G2", None, 2],
            ["G3", dt.date(2026, 10, 9), 3],
        ],
        merged=["B2:B3"],
    )
    assert [row[0].day for row in take(LEDGER | {"filled": ["Day"]}).rows("ledger", "posted_on")] == [3, 3, 9]
    with pytest.raises(
        SourceError,
        match=r"1 cells .* B3 is part of the merged cells B2:B3; unmerge them, or state the column under 'filled'",
    ):
        take(LEDGER)


def test_merged_amounts_are_never_counted_twice(workbook, take):
    workbook(
        "gl.xlsx",
        [["No", "Day", "Net"], ["G1", dt.date(2026, 10, 3), 100], ["G2", dt.date(2026, 10, 3), None]],
        merged=["C2:C3"],
    )
    with pytest.raises(SourceError, match="C3 is part of the merged cells C2:C3"):
        take(LEDGER)


def test_a_merged_line_of_totals_is_left_out_by_its_rule(workbook, take):
    workbook(
        "gl.xlsx",
        [["No", "Day", "Net"], ["G1", dt.date(2026, 10, 3), 100], ["合计", None, 100]],
        merged=["A3:B3"],
    )
    assert take(LEDGER | {"without": {"No": ["合计*"]}}).counts("ledger") == [(2, 1, 1)]


def test_error_cells_are_named_or_counted_as_stated(workbook, take):
    workbook(
        "gl.xlsx",
        [
            ["No", "Day", "Net", "Team"],
            ["G1", dt.date(2026, 10, 3), 1, ERROR],
            ["G2", dt.date(2026, 10, 3), 1, "A"],
        ],
    )
    assert take(LEDGER).counts("ledger") == [(2, 2, 0)]  # a column that is not read may hold what it likes
    entry = LEDGER | {"columns": LEDGER["columns"] | {"team": "Team"}}
    with pytest.raises(
        SourceError, match=r"gl\.xlsx: 1 cells that the map reads are no values, e\.g\. D2 is #N/A"
    ):
        take(entry)
    taken = take(entry | {"error_cells": "empty"})
    assert taken.rows("ledger", "team") == [("A",), (None,)]
    assert taken.notes("ledger") == ["team: error cells taken as empty (1, e.g. 'D2 is #N/A')"]


def test_a_formula_that_was_never_calculated_is_not_taken_for_an_empty_cell(workbook, take):
    workbook("gl.xlsx", [["No", "Day", "Net"], ["G1", dt.date(2026, 10, 3), UNCALCULATED]])
    with pytest.raises(SourceError, match="C2 is a formula without a calculated result"):
        take(LEDGER | {"error_cells": "empty"})


def test_faults_are_found_wherever_the_sheet_is_cut_for_reading(workbook, take):
    """A sheet of several megabytes: every error and every uncalculated formula is found, at its own place."""
    rows = [
        ["No", "Day", "Net"],
        *(
            [f"G{n}", "x" * 80, ERROR if n % 3 == 0 else UNCALCULATED if n % 3 == 1 else n]
            for n in range(2, 20_002)
        ),
    ]
    path = workbook("gl.xlsx", rows)
    found = xlsx_marks(path, "Sheet1").faults
    assert len(found) == sum(1 for n in range(2, 20_002) if n % 3 != 2)
    assert {column for _, column in found} == {2}
    assert all(
        text == ("#N/A" if (line + 1) % 3 == 0 else "a formula without a calculated result")
        for (line, _), text in found.items()
    )


def test_an_order_number_that_lost_its_last_digits_is_refused(workbook, take):
    workbook("gl.xlsx", [["No", "Day", "Net"], [1234567890123456789, dt.date(2026, 10, 3), 1]])
    with pytest.raises(
        SourceError, match="A2 holds a number of more than 15 digits, so its end is lost; store it as text"
    ):
        take(LEDGER)


def test_a_cell_beyond_the_headings_is_not_dropped_in_silence(workbook, take):
    workbook("gl.xlsx", [["No", "Day", "Net"], ["G1", dt.date(2026, 10, 3), 1, "see note"]])
    with pytest.raises(SourceError, match="D2 holds 'see note' beyond the last column with a heading"):
        take(LEDGER)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"No,Day,Net\n", "no Excel workbook by the name of one"),
        (b"<html><table>", "a web page by the name of one"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "it was cut, or is locked with a password"),
        (b"PK\x03\x04 cut", "not readable as a ZIP archive; it may have been cut"),
    ],
)
def test_what_is_no_workbook_is_said_to_be_none(exports: Path, take, content: bytes, message: str):
    (exports / "gl.xlsx").write_bytes(content)
    with pytest.raises(SourceError, match=message):
        take(LEDGER)


def test_a_workbook_that_was_cut_is_refused(workbook, take):
    path = workbook(
        "gl.xlsx", [["No", "Day", "Net"], *([f"G{n}", dt.date(2026, 10, 3), n] for n in range(200))]
    )
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(SourceError, match="cut"):
        take(LEDGER)


def test_a_canonical_table_may_be_a_workbook(tmp_path: Path):
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [
        ["ticket_id", "ticket_type", "opened_at", "handling_hours"],
        [1, "repair", dt.datetime(2026, 10, 1, 23, 59, 59), 0.5],
        ["T2", "repair", "2026-10-02 08:00", None],
    ]
    write_workbook(folder / "tickets.xlsx", {"Sheet1": rows})
    tables = load_tables(folder, tmp_path / "store", reporting_currency="CNY", time_zone="Asia/Shanghai")
    assert (tables["tickets"].rows, tables["tickets"].waterfall[0].rows_read) == (2, 2)
    write_workbook(folder / "tickets.xlsx", {"Sheet1": [rows[0], ["T1", "repair", ERROR, 1]]})
    with pytest.raises(SourceError, match=r"tickets\.xlsx: C2 is #N/A"):
        load_tables(folder, tmp_path / "store", reporting_currency="CNY", time_zone="Asia/Shanghai")
