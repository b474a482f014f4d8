"""Exports that read well and mean something else: totals, mixed marks, hidden rows, exchanged dates, invented numbers, merged tickets."""

from __future__ import annotations

import csv
import datetime as dt
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import pytest

from analysis.errors import ContractError, SourceError
from analysis.sources import apply_map
from analysis.sources.amounts import currency_sign, difference, plain_number

from .conftest import stated

COLUMNS = {"posting_id": "id", "posted_on": "date", "account": "account", "amount": "amount"}
LEDGER = {"table": "ledger", "file": "gl.csv", "columns": COLUMNS, "numbers": ["amount"]}


def write(folder: Path, rows: list[list[Any]], name: str = "gl.csv") -> None:
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "date", "account", "amount"], *rows])


def lines(amounts: list[str]) -> list[list[str]]:
    return [[f"P{i}q", "2026-10-05", "6601", amount] for i, amount in enumerate(amounts)]


@pytest.mark.parametrize("word", ["合计", "总计：", "Total", "합계"])
@pytest.mark.parametrize("place", [0, 2])
def test_a_line_of_totals_below_filled_columns_is_left_out(exports, take, word, place) -> None:
    rows = [[f"P{i}q", "2026-10-05" if i % 2 == 0 else "", "6601", "1,000.00"] for i in range(8)]
    total = ["", "", "", "8,000.00"]
    total[place] = word
    write(exports, [*rows, total])
    taken = take(LEDGER | {"filled": ["date"]})
    assert taken.rows("ledger", "sum(amount)::VARCHAR") == [("8000.00",)]
    assert any("lines of totals left out (1" in note for note in taken.notes("ledger"))


def test_the_sign_of_another_currency_is_not_lost_on_the_way(exports, take) -> None:
    write(exports, lines(["¥1,000.00", "¥5.00", "$7.00"]))
    taken = take(LEDGER, quarantine_limit=0.5)
    assert taken.rows("ledger", "sum(amount)::VARCHAR") == [("1005.00",)]
    write(exports, lines(["$7.00"] * 9))
    with pytest.raises(ContractError, match="sign of another currency"):
        take(LEDGER)
    assert take(LEDGER, currency="USD").rows("ledger", "sum(amount)::VARCHAR") == [("63.00",)]


@pytest.mark.parametrize(
    ("text", "plain", "sign"),
    [
        ("-¥1,234.50", "-1234.50", "¥"),
        ("(€5)", "-5", "€"),
        ("5 USD", "5", "USD"),
        ("HK$ 7", "7", "HK$"),
        ("12", "12", ""),
        ("R2D2", "R2D2", ""),
    ],
)
def test_signs_of_amounts(text: str, plain: str, sign: str) -> None:
    assert plain_number(text) == plain and currency_sign(text) == sign


@pytest.mark.parametrize(
    ("debit", "credit", "result"),
    [
        ("¥100", "", "¥100"),
        ("¥100", "¥30", "¥70"),
        ("¥100", "0", "¥100"),
        ("0", "€5", "€-5"),
        ("¥100", "$30", "¥100 less $30"),
        ("100", "30", "70"),
    ],
)
def test_amounts_under_two_signs_are_not_taken_from_one_another(debit: str, credit: str, result: str) -> None:
    assert difference(debit, credit) == result


def test_two_decimal_marks_with_a_value_that_can_be_read_either_way_are_refused(exports, take) -> None:
    write(exports, lines(["12.50", "1.234,50", "1,234"]))
    with pytest.raises(SourceError, match="decimal comma.*'1,234' can be read either way"):
        take(LEDGER)


def test_two_decimal_marks_that_can_be_told_are_said(exports, take) -> None:
    write(exports, lines(["12,50", "7,25", "3.75"]))
    taken = take(LEDGER | {"decimal_mark": ","})
    assert any("another decimal mark than stated (1, e.g. '3.75')" in note for note in taken.notes("ledger"))


def test_thousands_of_one_kind_are_no_doubt(exports, take) -> None:
    write(exports, lines(["1,234", "12,345.50", "0.125"[:4], "999.99"]))
    assert not [note for note in take(LEDGER).notes("ledger") if "decimal" in note]


def dated(exports: Path, tmp_path: Path, days: list[str], form: str) -> list[str]:
    write(exports, [[f"P{i}q", day, "6601", "1.00"] for i, day in enumerate(days)])
    entry = stated(LEDGER | {"dates": {"posted_on": form}})
    done = apply_map(entry, exports, tmp_path / "mapped", today=dt.date(2026, 11, 2))
    return [str(note) for one in done for note in one.notes]


def test_a_format_that_yields_future_days_is_refused_where_nothing_proves_it(exports, tmp_path) -> None:
    days = [f"10/{day:02d}/2026" for day in range(1, 13)]  # October, month first
    with pytest.raises(SourceError, match="2 days lie in the future.*10/11/2026"):
        dated(exports, tmp_path, days, "%d/%m/%Y")
    assert dated(exports, tmp_path, days, "%m/%d/%Y") == []


def test_a_proved_format_with_a_future_day_is_said(exports, tmp_path) -> None:
    notes = dated(exports, tmp_path, ["25/10/2026", "10/12/2026"], "%d/%m/%Y")
    assert any(
        "days in the future under the stated date format (1, e.g. '10/12/2026')" in note for note in notes
    )


def test_an_invented_number_does_not_hide_a_copy(exports, take) -> None:
    rows = [
        ["V1", "2026-10-05", "6601", "5.00"],
        ["V1", "2026-10-05", "6601", "5.00"],
        ["V2", "2026-10-05", "6601", "5.00"],
    ]
    write(exports, rows)
    entry = {
        "table": "ledger",
        "file": "gl.csv",
        "counted": {"line": ["id"]},
        "columns": {"posted_on": "date", "account": "account", "amount": "amount"},
        "joined": {"posting_id": ["id", "line"]},
    }
    assert any(
        "rows equal to another in all but the number the map gives them; kept (1" in note
        for note in take(entry).notes("ledger")
    )


def test_hidden_rows_of_a_sheet_are_read_and_said(workbook, take) -> None:
    path = workbook(
        "gl.xlsx",
        [["id", "date", "account", "amount"], *[[f"P{i}q", "2026-10-05", "6601", 1.0] for i in range(6)]],
    )
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b'<row r="3">', b'<row hidden="1" r="3">').replace(
        b'<row r="5">', b'<row r="5" hidden="true">'
    )
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)
    taken = take(LEDGER | {"file": "gl.xlsx"})
    assert taken.rows("ledger", "sum(amount)::VARCHAR") == [("6.00",)]
    assert any(
        "hides or filters out, read all the same (2, e.g. 'line 3')" in note for note in taken.notes("ledger")
    )


def test_a_round_number_of_rows_is_said(exports, take) -> None:
    write(exports, lines([f"{i}.10" for i in range(1000)]))
    assert any(
        "rows, a number at which systems cut exports (1,000)" in note for note in take(LEDGER).notes("ledger")
    )


def test_merged_tickets_are_left_out_where_the_export_says_so(exports, take) -> None:
    (exports / "c.csv").write_text("id\nC1\n", encoding="utf-8")
    (exports / "t.csv").write_text(
        "id,who,kind,at,tags\n1,C1,repair,2026-10-05 11:07:00,vip closed_by_merge\n2,C1,repair,2026-10-05 11:08:00,vip\n",
        encoding="utf-8",
    )
    tickets = {
        "table": "tickets",
        "file": "t.csv",
        "columns": {"ticket_id": "id", "customer_id": "who", "ticket_type": "kind", "opened_at": "at"},
        "merged": {"tags": ["*closed_by_merge*"], "absent": ["?*"]},
    }
    taken = take({"table": "customers", "file": "c.csv", "columns": {"customer_id": "id"}}, tickets)
    assert taken.counts("tickets") == [(2, 1, 1)]
    assert any("merged into another left out (1" in note for note in taken.notes("tickets"))


def test_names_in_two_unicode_forms_are_looked_up_as_one(exports, take) -> None:
    name = "Société Générale é"
    (exports / "g.csv").write_text(
        f"name,center\n{unicodedata.normalize('NFD', name)},SC1\n", encoding="utf-8"
    )
    write(exports, [["P1q", "2026-10-05", name, "5.00"]])
    entry = {
        "table": "ledger",
        "file": "gl.csv",
        "columns": {"posting_id": "id", "posted_on": "date", "amount": "amount"},
        "lookups": {"cost_center": {"file": "g.csv", "by": "account", "key": "name", "take": "center"}},
    }
    assert take(entry).rows("ledger", "cost_center") == [("SC1",)]
