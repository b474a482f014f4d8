"""Workbooks in .xls, .xlsb and .ods: the same care as for .xlsx, and what goes by their name without being one."""

from __future__ import annotations

import datetime as dt
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.errors import SourceError
from analysis.sources.excel import open_sheet, sheet_names
from analysis.tables import load_tables

from .conftest import Raw, write_workbook
from .workbook_bytes import ERROR, UNCALCULATED, Odd, compound, write_ods, write_xls, write_xlsb, xls_stream

LEDGER = {"table": "ledger", "columns": {"posting_id": "No", "posted_on": "Day", "amount": "Net"}}
HEADER = ["No", "Day", "Net"]
WRITE = {"xls": write_xls, "xlsb": write_xlsb, "ods": write_ods}


@pytest.fixture(params=sorted(WRITE))
def kind(request) -> str:
    return request.param


@pytest.fixture
def book(exports: Path, kind: str):
    def write(*rows, name: str = "Sheet1", **options) -> dict[str, object]:
        WRITE[kind](exports / f"gl.{kind}", {name: [HEADER, *rows]}, **options)
        return LEDGER | {"file": f"gl.{kind}"}

    return write


def test_real_dates_text_dates_numbers_and_leading_zeros(book, take):
    entry = book(
        ["007", dt.date(2026, 10, 3), 12.5],
        ["明细", "04/10/2026", "1,234.50"],
        [1003, dt.datetime(2026, 10, 5, 23, 59, 59), Odd("result", 3.0)],
        [None, None, None],
        ["G4", "06/10/2026", "（３０．５０）"],
    )
    taken = take(entry | {"dates": {"posted_on": "%d/%m/%Y"}, "numbers": ["amount"]})
    assert taken.rows("ledger", "posting_id", "posted_on", "amount") == [
        ("007", dt.date(2026, 10, 3), Decimal("12.50")),
        ("1003", dt.date(2026, 10, 5), Decimal("3.00")),
        ("G4", dt.date(2026, 10, 6), Decimal("-30.50")),
        ("明细", dt.date(2026, 10, 4), Decimal("1234.50")),
    ]
    assert taken.counts("ledger") == [(4, 4, 0)]


def test_truth_values_and_moments_are_what_they_were(book, exports: Path, kind: str):
    book(["G1", dt.datetime(2026, 10, 3, 8, 5, 9), True], ["G2", dt.date(1900, 3, 1), False])
    with open_sheet(exports / f"gl.{kind}", "gl", "") as sheet:
        rows = list(sheet.rows)
    assert rows[1] == ["G1", dt.datetime(2026, 10, 3, 8, 5, 9), True]
    assert rows[2] == ["G2", dt.date(1900, 3, 1), False] and rows[2][2] is False


def test_a_day_before_1900_is_itself_or_no_day_at_all(book, exports: Path, kind: str):
    """Excel has no such day: what its formats hold instead never passes for one of another century."""
    book(["G1", dt.date(1899, 12, 1), 1.0])
    with open_sheet(exports / f"gl.{kind}", "gl", "") as sheet:
        (day,) = [row[1] for row in list(sheet.rows)[1:]]
    assert day == (dt.date(1899, 12, 1) if kind == "ods" else dt.time(0, 0))


def test_two_sheets_have_to_be_told_apart(exports: Path, take, kind: str):
    rows = [["流明电器"], HEADER, ["G1", dt.date(2026, 10, 3), 1]]
    WRITE[kind](exports / f"gl.{kind}", {"目录": [["x"]], "明细": rows})
    entry = LEDGER | {"file": f"gl.{kind}"}
    assert sheet_names(exports / f"gl.{kind}", "gl") == ("目录", "明细")
    assert take(entry | {"sheet": "明细", "skip_lines": 1}).rows("ledger", "posting_id") == [("G1",)]
    with pytest.raises(SourceError, match=r"2 sheets \(目录, 明细\); say which is meant with 'sheet'"):
        take(entry)
    with pytest.raises(SourceError, match=r"no sheet '明细表'\. Did you mean '明细'"):
        take(entry | {"sheet": "明细表"})


def test_marks_of_the_second_sheet_are_not_those_of_the_first(exports: Path, take, kind: str):
    good = [HEADER, ["G1", dt.date(2026, 10, 3), 1]]
    WRITE[kind](exports / f"gl.{kind}", {"a": good, "b": [HEADER, ["G1", dt.date(2026, 10, 3), ERROR]]})
    entry = LEDGER | {"file": f"gl.{kind}"}
    assert take(entry | {"sheet": "a"}).counts("ledger") == [(1, 1, 0)]
    with pytest.raises(SourceError, match=r"1 cells that the map reads are no values, e\.g\. C2 is #N/A"):
        take(entry | {"sheet": "b"})


def test_merged_cells_are_filled_as_stated_and_refused_otherwise(book, take):
    entry = book(["G1", "2026-10-03", 1], ["G2", None, 2], ["G3", "2026-10-09", 3], merged=[(1, 1, 2, 1)])
    assert [row[0].day for row in take(entry | {"filled": ["Day"]}).rows("ledger", "posted_on")] == [3, 3, 9]
    with pytest.raises(SourceError, match="B3 is part of the merged cells B2:B3"):
        take(entry)


def test_hidden_rows_are_read_and_said(book, take):
    entry = book(["G1", dt.date(2026, 10, 3), 1], ["G2", dt.date(2026, 10, 3), 2], hidden=[2])
    taken = take(entry)
    assert taken.counts("ledger") == [(2, 2, 0)]
    assert taken.notes("ledger") == [
        "rows that the sheet hides or filters out, read all the same (1, e.g. 'line 3')"
    ]


def test_error_cells_are_named_or_counted_as_stated(exports: Path, take, kind: str):
    day = dt.date(2026, 10, 3)
    WRITE[kind](
        exports / f"gl.{kind}", {"a": [[*HEADER, "Team"], ["G1", day, 1, ERROR], ["G2", day, 1, "A"]]}
    )
    entry = LEDGER | {"file": f"gl.{kind}"}
    assert take(entry).counts("ledger") == [(2, 2, 0)]  # a column that is not read may hold what it likes
    entry |= {"columns": LEDGER["columns"] | {"team": "Team"}}
    with pytest.raises(SourceError, match=r"1 cells that the map reads are no values, e\.g\. D2 is #N/A"):
        take(entry)
    taken = take(entry | {"error_cells": "empty"})
    assert taken.rows("ledger", "team") == [("A",), (None,)]
    assert taken.notes("ledger") == ["team: error cells taken as empty (1, e.g. 'D2 is #N/A')"]


@pytest.mark.parametrize("written", [write_xls, write_ods])
def test_a_formula_that_was_never_calculated_is_not_taken_for_an_empty_cell(exports: Path, take, written):
    name = f"gl.{written.__name__.removeprefix('write_')}"
    written(exports / name, {"a": [HEADER, ["G1", dt.date(2026, 10, 3), UNCALCULATED]]})
    with pytest.raises(SourceError, match="C2 is a formula without a calculated result"):
        take(LEDGER | {"file": name, "error_cells": "empty"})


def test_a_formula_that_gives_an_empty_text_beside_others_with_results_is_empty(exports: Path):
    """The records of .xls do not tell the two apart; where other formulas have results, Excel calculated them all."""
    write_xls(exports / "gl.xls", {"a": [[UNCALCULATED, Odd("result", 3.0)]]})
    with open_sheet(exports / "gl.xls", "gl", "") as sheet:
        assert list(sheet.rows) == [["", 3.0]]


def test_a_number_that_lost_its_last_digits_is_refused(book, take):
    with pytest.raises(SourceError, match="A2 holds a number of more than 15 digits"):
        take(book([1234567890123456789, dt.date(2026, 10, 3), 1]))


def test_the_content_says_what_a_workbook_is(exports: Path, take, kind: str):
    """A workbook by another workbook's name is read as what it is."""
    rows = {"a": [HEADER, ["007", dt.date(2026, 10, 3), 12.5]]}
    for other in ("xls", "xlsx", "xlsb", "ods"):
        WRITE[kind](exports / f"gl.{other}", rows)
        assert take(LEDGER | {"file": f"gl.{other}"}).rows("ledger", "posting_id", "amount") == [
            ("007", Decimal("12.50"))
        ]


def test_a_large_xls_and_its_marks_lie_in_many_sectors(exports: Path):
    rows = [HEADER, *([f"G{n}", "x" * 90, ERROR if n % 3 else float(n)] for n in range(2, 6_002))]
    path = write_xls(exports / "gl.xls", {"a": rows})
    with open_sheet(path, "gl", "") as sheet:
        found = [row[2] for row in sheet.rows][1:]
    assert [str(cell) == "#N/A" for cell in found] == [n % 3 != 0 for n in range(2, 6_002)]


# ---------------------------------------------------------------- what is no workbook


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"gl\.xls: the file is empty \(0 bytes\)"),
        (b"<html><table><tr><td>No", "a web page by the name of one; many systems export text so"),
        (b"\r\n <!DOCTYPE HTML PUBLIC>", "a web page"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "XML spreadsheet of 2003"),
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related", "a web page"),
        (b"\x09\x08\x10\0\0\x06", "no Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(40), "it was cut, or is locked with a password"),
        (compound({"EncryptedPackage": bytes(5000), "EncryptionInfo": b"x"}), "locked with a password. Save it without one"),
        (compound({"WordDocument": bytes(5000)}), "a document of another program"),
        (compound({"Workbook": bytes(5000)}), "no sheet in it is shown"),
    ],
)  # fmt: skip
def test_what_is_no_xls_is_said_to_be_none(exports: Path, take, content: bytes, message: str):
    (exports / "gl.xls").write_bytes(content)
    with pytest.raises(SourceError, match=message):
        take(LEDGER | {"file": "gl.xls"})


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_text_by_the_name_of_an_xls_is_read_as_text(exports: Path, take, encoding: str, line_end: str):
    lines = ["No\tDay\tNet\t摘要", "007\t2026-10-03\t12.50\t支付维修费用，工单已经完成", ""]
    (exports / "gl.xls").write_bytes(line_end.join(lines).encode(encoding))
    taken = take(LEDGER | {"file": "gl.xls"})
    assert taken.rows("ledger", "posting_id", "amount") == [("007", Decimal("12.50"))]
    assert sheet_names(exports / "gl.xls", "gl.xls") == ("",)


def test_a_locked_ods_is_said_to_be_locked(exports: Path, take):
    with zipfile.ZipFile(exports / "gl.ods", "w") as archive:
        archive.writestr("content.xml", b"\x8f\x10 sealed")
        archive.writestr("META-INF/manifest.xml", "<manifest:encryption-data/>")
    with pytest.raises(SourceError, match="locked with a password"):
        take(LEDGER | {"file": "gl.ods"})


def test_an_archive_by_the_name_of_a_workbook_is_said_to_be_one(exports: Path, take):
    with zipfile.ZipFile(exports / "gl.ods", "w") as archive:
        archive.writestr("tickets.csv", "id\n1\n")
    with pytest.raises(SourceError, match=r"an archive without a workbook in it \(tickets\.csv\)"):
        take(LEDGER | {"file": "gl.ods"})


def test_a_cut_or_damaged_workbook_is_refused_or_read_whole(book, exports: Path, kind: str):
    """At whatever place it is cut, and whichever byte is another: its rows, or a refusal in words; never a fault of the program."""
    rows = [[f"G{n}", dt.date(2026, 10, 3), float(n)] for n in range(40)]
    book(*rows, merged=[(1, 1, 1, 2)], hidden=[3])
    path = exports / f"gl.{kind}"
    whole = path.read_bytes()
    step = max(1, len(whole) // 60)
    damaged = [whole[:end] for end in range(0, len(whole), step)]
    damaged += [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(0, len(whole), step)]
    refusals = []
    for content in damaged:
        path.write_bytes(content)
        try:
            with open_sheet(path, "gl", "") as sheet:
                list(sheet.rows)
        except SourceError as error:
            refusals.append(str(error))
    assert len(refusals) > 40 and all(text.startswith("gl") for text in refusals)
    path.write_bytes(whole[:-1])
    with pytest.raises(SourceError):
        with open_sheet(path, "gl", "") as sheet:
            list(sheet.rows)


@pytest.mark.parametrize("place", ["XFD1048576", "A400000000"])
def test_one_cell_far_out_does_not_take_all_memory(exports: Path, take, place: str):
    """The library makes room for every cell up to the last: 549 gigabytes for a file of two kilobytes."""
    write_workbook(exports / "gl.xlsx", {"a": [HEADER, [Raw(f'<c r="{place}"><v>1</v></c>')]]})
    with pytest.raises(SourceError, match="clear what stands far from the table"):
        take(LEDGER | {"file": "gl.xlsx"})


def test_one_cell_far_out_of_an_xlsb_or_an_ods_neither(exports: Path, take):
    write_xlsb(exports / "gl.xlsb", {"a": [HEADER, *[[]] * 20_000, [*[""] * 6_000, 1.0]]})
    row = '<table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384" office:value-type="float" office:value="1"/></table:table-row>'
    write_ods(exports / "gl.ods", {"a": [HEADER]})
    with zipfile.ZipFile(exports / "gl.ods") as archive:
        content = archive.read("content.xml").decode()
    with zipfile.ZipFile(exports / "gl.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content.replace("</table:table>", f"{row}</table:table>"))
    for name in ("gl.xlsb", "gl.ods"):
        with pytest.raises(SourceError, match="clear what stands far from the table"):
            take(LEDGER | {"file": name})


def test_a_chain_of_sectors_without_an_end_is_refused(exports: Path, take):
    stream = xls_stream({"a": [HEADER, *([f"G{n}", "x" * 90, 1.0] for n in range(99))]}, merged=(), hidden=())
    content = bytearray(compound({"Workbook": stream}))
    table = (int.from_bytes(content[76:80], "little") + 1) * 512
    content[table : table + 4] = (0).to_bytes(4, "little")  # the first sector follows itself
    (exports / "gl.xls").write_bytes(content)
    with pytest.raises(SourceError, match="gl.xls: not readable as a workbook"):
        take(LEDGER | {"file": "gl.xls"})


def test_a_canonical_table_may_be_any_workbook(tmp_path: Path, kind: str):
    folder = tmp_path / "data"
    folder.mkdir()
    header = ["ticket_id", "ticket_type", "opened_at", "handling_hours"]
    rows = [
        ["001", "repair", dt.datetime(2026, 10, 1, 23, 59, 59), 0.5],
        ["T2", "repair", "2026-10-02 08:00", None],
    ]
    WRITE[kind](folder / f"tickets.{kind}", {"Sheet1": [header, *rows]})
    tables = load_tables(folder, tmp_path / "store", reporting_currency="CNY", time_zone="Asia/Shanghai")
    assert (tables["tickets"].rows, tables["tickets"].waterfall[0].rows_read) == (2, 2)
    WRITE[kind](folder / f"tickets.{kind}", {"Sheet1": [header, ["T1", "repair", ERROR, 1]]})
    with pytest.raises(SourceError, match=rf"tickets\.{kind}: C2 is #N/A"):
        load_tables(folder, tmp_path / "store", reporting_currency="CNY", time_zone="Asia/Shanghai")


def test_a_canonical_table_of_text_named_xls_is_read_as_text(tmp_path: Path):
    folder = tmp_path / "data"
    folder.mkdir()
    text = "ticket_id\tticket_type\topened_at\n001\trepair\t2026-10-01 10:00\n"
    (folder / "tickets.xls").write_text(text, encoding="utf-8")
    tables = load_tables(folder, tmp_path / "store", reporting_currency="CNY", time_zone="Asia/Shanghai")
    assert tables["tickets"].rows == 1
