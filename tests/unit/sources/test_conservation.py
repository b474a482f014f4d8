"""Lines are counted twice: what a stray quote swallows is never taken for a long text."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from analysis.errors import SourceError
from analysis.sources.conservation import FirstColumn, filled_lines, swallowed
from analysis.sources.readers import read_csv
from analysis.sources.reading import FileForm, Input, open_rows

HEADER = "ticket_id,customer_id,opened_at,text"


def lines(count: int, *, note: str = "all well") -> list[str]:
    return [f"T{row:04d},C{row % 7},2026-09-{row % 28 + 1:02d},{note}" for row in range(1, count + 1)]


def rows_of(content: str, tmp_path: Path) -> int:
    """Rows read by the engine; the other reader must agree, also on a refusal."""
    path = tmp_path / "tickets.csv"
    path.write_bytes(content.encode())

    def of_the_map() -> int:
        with open_rows(FileForm(encoding="utf-8"), Input(path=path, name=path.name), work=tmp_path) as found:
            return sum(1 for _ in found.rows)

    with duckdb.connect(config={"temp_directory": str(tmp_path / "spill")}) as connection:
        try:
            raw = read_csv(connection, path, name=path.name, relation="raw", wanted=("ticket_id",))
        except SourceError:
            with pytest.raises(SourceError):
                of_the_map()
            raise
    if not raw.refused:
        assert of_the_map() == raw.rows
    return raw.rows


def damaged(count: int, **changes: str) -> str:
    """The file with some of its lines (r5, r80 …) replaced."""
    made = lines(count)
    for place, line in changes.items():
        made[int(place[1:]) - 1] = line
    return "\n".join([HEADER, *made]) + "\n"


STRAY = {
    # swallowed up to a quoted text further on: no row can be split out of that
    "to a quoted text": damaged(692, r5='"T0005,C5,2026-09-06,x', r81='T0081,C4,2026-09-26,"said twice"'),
    # the quote closes at an inch mark in the same column: the parser is content
    "to an inch mark": damaged(100, r5='T0005,"C5,2026-09-06,x', r30='T0030,C2",2026-09-03,x'),
    "to the next line": damaged(100, r5='T0005,C5,2026-09-06,"x', r6='T0006,C6,2026-09-07,5"'),
    "over one row in the last column": damaged(
        100, r5='T0005,C5,2026-09-06,"x', r7='T0007,C0,2026-09-08,pipe of 5"'
    ),
    "in the first column": damaged(100, r5='"T0005,C5,2026-09-06,x', r9='T0009",C2,2026-09-10,x'),
    "closed by another stray one": damaged(100, r5='T0005,C5,"2026-09-06,x', r50='T0050,C1,2026-09-23",x'),
}


@pytest.mark.parametrize("content", STRAY.values(), ids=STRAY)
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_rows_swallowed_by_a_stray_quote_are_refused_with_the_place(
    content: str, line_break: str, tmp_path: Path
):
    with pytest.raises(SourceError, match=r"tickets\.csv: .*quote") as refused:
        rows_of(content.replace("\n", line_break), tmp_path)
    assert len(str(refused.value)) < 500


LEGAL = {
    "plain": damaged(50),
    "texts over several lines": damaged(
        50, r5='T0005,C5,2026-09-06,"Dear all,\n\nit hums, rattles, and stops.\nRegards, Bo"'
    ),
    "a letter that quotes numbers": damaged(
        50, r5='T0005,C5,2026-09-06,"Order 4711, not 4712\nsee 12, 13, 14 of the list"'
    ),
    "inch marks inside": damaged(50, r5='T0005,C5,2026-09-06,pipe of 5" and 6"'),
    "empty lines between": HEADER + "\n\n" + "\n\n\n".join(lines(50)) + "\n\n",
    "no last line break": damaged(50).rstrip("\n"),
    "doubled quotes over lines": damaged(50, r5='T0005,C5,2026-09-06,"he said ""no""\nand ""never"""'),
}


@pytest.mark.parametrize("content", LEGAL.values(), ids=LEGAL)
def test_what_a_company_may_write_is_read_whole(content: str, tmp_path: Path):
    assert rows_of(content, tmp_path) == 50


def test_a_bad_line_stays_one_line(tmp_path: Path):
    assert rows_of(damaged(50, r5="T0005,C5", r9="T0009,C2,2026-09-10,x,y"), tmp_path) == 50


@pytest.mark.parametrize("line_break", [b"\n", b"\r\n", b"\r"])
def test_lines_are_counted_over_the_borders_of_blocks(
    line_break: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "x.csv"
    path.write_bytes(line_break.join([b"a,b", b"", b"1,2", b"", b"", b"3,4"]) + line_break)
    for size in (1, 2, 3, 5, 1 << 20):
        monkeypatch.setattr("analysis.sources.conservation.BLOCK", size)
        assert filled_lines(path) == 3


def test_a_line_inside_a_text_is_a_row_only_where_it_begins_like_one():
    first = FirstColumn()
    for row in range(200):
        first.see(f"T{row:04d}")
    assert swallowed(["T1", "a\nT2,b,c\nT3,d,e", "x"], ",", first) == (1, "T2,b,c")
    assert swallowed(["T1", "a\nDear Bo,yes,no\nT3 is late", "x"], ",", first) is None
    assert swallowed(["T1", "a\nT2,b", "x"], ",", first) == (
        1,
        "T2,b",
    )  # the rest of the row follows the quote
    assert swallowed(["T1", "a\nT2;b", "x"], ";", first) == (1, "T2;b")
