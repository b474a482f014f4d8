"""Files as they are read: rows numbered as in the file, broken lines kept apart, cut files refused."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.errors import SourceError
from analysis.sources import fingerprint, read_csv, read_parquet, scan_folder


@pytest.fixture
def connection(tmp_path):
    with duckdb.connect(config={"temp_directory": str(tmp_path / "spill")}) as connection:
        yield connection


def rows_of(connection, content: bytes, folder: Path, *, wanted=("a", "b", "c")):
    path = folder / "t.csv"
    path.write_bytes(content)
    raw = read_csv(connection, path, name="t.csv", relation="raw", wanted=wanted)
    return raw, connection.execute("SELECT * FROM raw ORDER BY _row").fetchall()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_separator_byte_order_mark_and_line_break_do_not_matter(
    connection, tmp_path, separator, mark, line_break
):
    lines = [["a", "b", "c"], ["1", '"say ""hi"", x;y|z\tq"', ""], ["2", "名", "NULL"]]
    content = mark + "".join(separator.join(line) + line_break for line in lines).encode()
    _, rows = rows_of(connection, content, tmp_path)
    assert rows == [(1, "1", 'say "hi", x;y|z\tq', None), (2, "2", "名", "NULL")]


def test_broken_lines_are_kept_apart_and_rows_keep_their_number_in_the_file(connection, tmp_path):
    content = b'a,b,c\n1,"x\ny",3\n1,2\n1,2\n4,5,6\n4,5,6,7\n4,"5"x,6\n7,8,9\n'
    raw, rows = rows_of(connection, content, tmp_path)
    assert rows == [(1, "1", "x\ny", "3"), (4, "4", "5", "6"), (7, "7", "8", "9")]
    assert connection.execute("SELECT * FROM raw_refused ORDER BY row").fetchall() == [
        (2, "too_few_columns", "1,2"),
        (3, "too_few_columns", "1,2"),
        (5, "too_many_columns", "4,5,6,7"),
        (6, "broken_quotes", '4,"5"x,6'),
    ]
    assert (raw.rows, raw.refused) == (7, 4)


def test_mixed_line_breaks_are_read(connection, tmp_path):
    _, rows = rows_of(connection, b'a,b,c\r\n1,x,3\n4,"5\r\nx",6\r\n7,8,9\n', tmp_path)
    assert rows == [(1, "1", "x", "3"), (2, "4", "5\nx", "6"), (3, "7", "8", "9")]


def test_columns_are_read_by_position_so_that_odd_names_do_no_harm(connection, tmp_path):
    header = 'a,A,"b""; DROP TABLE x; --",,c'
    raw, rows = rows_of(
        connection, f"{header}\n1,2,3,4,5\n".encode(), tmp_path, wanted=("a", "c", 'b"; DROP TABLE x; --')
    )
    assert raw.header == ("a", "A", 'b"; DROP TABLE x; --', "", "c")
    assert rows == [(1, "1", "3", "5")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"the file is empty \(0 bytes\), without even a header"),
        (b"\xef\xbb\xbf\n\n", "the file is empty"),
        (b"a,b,c\n1,2,3\n4,5", r"ends in the middle of row 2 \('4,5'\); the file was cut"),
        (b'a,b,c\n1,2,3\n4,"5', r"ends inside quotes that row 2 opens"),
        (b'a,b,c\n1,"2,3\n4,5,6\n7,8,9\n', r"ends inside quotes that row 1 opens .*a quote is missing there"),
        (b"a,b,a\n1,2,3\n", "column 'a' stands twice in the header"),
        (
            "a,b,c\n1,2,Müller\n".encode("cp1252"),
            r"not UTF-8 \(byte 12 is 0xfc\), and it does not read as Chinese",
        ),
        (
            b"a,b,c\n" + b"1,2,3\n" * 20_000 + "1,2,né\n".encode("cp1252"),
            r"not UTF-8 \(byte 120,012 is 0xe9\)",
        ),
        ("a,b,c\n1,2,东区售后服务\n".encode().replace(b"\xe5\x8c\xba", b"\xe5\x8c"), r"not UTF-8 \(byte 14"),
        ("a,b,c\n1,2,3\n".encode("utf-16"), "not a text file in UTF-8"),
    ],
)
def test_refusals(connection, tmp_path, content, message):
    with pytest.raises(SourceError, match=message):
        rows_of(connection, content, tmp_path)


def test_a_last_line_with_a_line_break_is_a_footer_not_a_cut(connection, tmp_path):
    raw, rows = rows_of(connection, b"a,b,c\n1,2,3\n(1 row)\n", tmp_path)
    assert (raw.rows, raw.refused, len(rows)) == (2, 1, 1)


@pytest.mark.parametrize("line_break", ["", "\n"])
def test_a_missing_last_line_break_is_noticed(connection, tmp_path, line_break):
    raw, rows = rows_of(connection, f"a,b,c\n1,2,3{line_break}".encode(), tmp_path)
    assert raw.ends_without_line_break is (line_break == "")
    assert rows == [(1, "1", "2", "3")]


def test_row_numbers_hold_where_the_engine_reads_in_parallel(connection, tmp_path):
    # Larger than one parallel chunk of the reader; every row says its own number.
    lines = ["a,b,c"]
    lines += [
        f"{row},broken{row:>120}"
        if row % 40_000 == 7
        else f'{row},"x{chr(10) if row % 999 == 0 else row:>120}",z'
        for row in range(1, 300_001)
    ]
    raw, _ = rows_of(connection, ("\n".join(lines) + "\n").encode(), tmp_path, wanted=("a",))
    wrong = connection.execute("SELECT count(*) FROM raw WHERE CAST(a AS BIGINT) <> _row").fetchall()[0][0]
    assert (raw.rows, raw.refused, wrong) == (300_000, 8, 0)


def test_parquet_is_a_view_with_row_numbers(connection, tmp_path):
    pq.write_table(pa.table({"b": [1.5, None], "a": ["x", "y"], "other": [1, 2]}), tmp_path / "t.parquet")
    raw = read_parquet(
        connection, tmp_path / "t.parquet", name="t.parquet", relation="raw", wanted=("a", "b")
    )
    assert raw.columns == {"b": "DOUBLE", "a": "VARCHAR"}
    assert raw.header == ("b", "a", "other")
    assert connection.execute("SELECT _row, a, b FROM raw").fetchall() == [(1, "x", 1.5), (2, "y", None)]


@pytest.mark.parametrize("keep", [0, 4, 40, -9])
def test_a_cut_parquet_file_is_refused(connection, tmp_path, keep):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": ["x", "y"]}), path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(SourceError, match=r"t\.parquet: .*(empty|not readable as Parquet)"):
        read_parquet(connection, path, name="t.parquet", relation="raw", wanted=("a",))


def test_fingerprint_is_of_the_content(tmp_path):
    for name, content in (("a", b"x"), ("b", b"x"), ("c", b"y")):
        (tmp_path / name).write_bytes(content)
    # FIPS 180-4: SHA-256 of the letter x.
    assert fingerprint(tmp_path / "a") == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b") != fingerprint(tmp_path / "c")
    with pytest.raises(SourceError, match=r"none: cannot be read \(No such file"):
        fingerprint(tmp_path / "none")


def test_folder_files_sub_folders_hidden_entries_and_unknown_names(tmp_path):
    (tmp_path / "ledger" / "2026").mkdir(parents=True)
    for name in (
        "tickets.csv",
        "ledger/2026/01.parquet",
        "ledger/_part.csv",
        "ledger/notes.txt",
        ".hidden.csv",
        "_truth.csv",
        "ticket.csv",
        "readme.md",
    ):
        (tmp_path / name).write_text("x")
    found = scan_folder(tmp_path, ("tickets", "ledger"))
    assert [(file.table, file.name) for file in found.files] == [
        ("ledger", "ledger/2026/01.parquet"),
        ("tickets", "tickets.csv"),
    ]
    assert found.unknown == (("ledger/notes.txt", ""), ("readme.md", ""), ("ticket.csv", "tickets"))


def test_two_sources_of_one_table_are_refused(tmp_path):
    for name in ("tickets.csv", "tickets.parquet"):
        (tmp_path / name).write_text("x")
    with pytest.raises(
        SourceError, match=r"tickets: two sources, tickets\.csv and tickets\.parquet; .* counted twice"
    ):
        scan_folder(tmp_path, ("tickets",))
    with pytest.raises(SourceError, match="no such folder"):
        scan_folder(tmp_path / "none", ("tickets",))
