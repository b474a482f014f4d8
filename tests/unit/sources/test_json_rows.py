"""JSON lines and arrays of objects: nested keys, digits as written, broken lines by their number, no object lost."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from analysis.errors import SourceError
from analysis.sources import jsonrows
from analysis.sources.jsonrows import json_rows
from analysis.sources.kinds import is_readable, parts_of
from analysis.tables import load_tables

from .test_database_files import make, table
from .workbook_bytes import write_xls

LEDGER = {
    "table": "ledger",
    "columns": {"posting_id": "key", "posted_on": "fields.day", "amount": "fields.net.value"},
}
LINES = [
    '{"key": "007", "fields": {"day": "2026-10-03", "net": {"value": 12.50}}}',
    '{"key": 9007199254740993, "tags": ["a", {"b": 1.5}], "fields": {"net": {"value": "-3"}, "day": "2026-10-04"}}',
    '{"key": "明细", "fields": {"day": "2026-10-05", "net": {"value": 1e2}, "open": true, "none": null, "empty": {}}}',
]
EXPECTED = [
    ("007", dt.date(2026, 10, 3), Decimal("12.50")),
    ("9007199254740993", dt.date(2026, 10, 4), Decimal("-3.00")),
    ("明细", dt.date(2026, 10, 5), Decimal("100.00")),
]


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\n \n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_objects_on_lines(exports: Path, take, name: str, line_end: str, encoding: str):
    write(exports / name, line_end.join(LINES), encoding)
    taken = take(LEDGER | {"file": name})
    assert taken.rows("ledger", "posting_id", "posted_on", "amount") == EXPECTED
    assert taken.counts("ledger") == [(3, 3, 0)]


@pytest.mark.parametrize(
    "text",
    [
        "[" + ",".join(LINES) + "]",
        " \n[\n  " + "\n,\n  ".join(LINES) + "\n]\n\n",
        json.dumps(list(map(json.loads, LINES)), indent=4),
    ],
)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_one_array_of_objects(exports: Path, take, text: str, name: str):
    write(exports / name, text)
    assert take(LEDGER | {"file": name}).rows("ledger", "posting_id", "posted_on", "amount") == EXPECTED


def test_the_header_is_the_union_of_all_keys_in_the_order_of_first_sight(tmp_path: Path):
    header, rows = json_rows(write(tmp_path / "a.jsonl", "\n".join(LINES)), "a", "utf-8")
    assert header == ["key", "fields.day", "fields.net.value", "tags", "fields.open", "fields.none"]
    assert list(rows) == [
        ["007", "2026-10-03", Decimal("12.50"), None, None, None],
        [9007199254740993, "2026-10-04", "-3", '["a", {"b": 1.5}]', None, None],
        ["明细", "2026-10-05", Decimal("1E+2"), None, True, None],
    ]


@pytest.mark.parametrize("piece", [1, 2, 7, 64])
def test_where_the_file_is_cut_for_reading_does_not_matter(tmp_path: Path, monkeypatch, piece: int):
    monkeypatch.setattr(jsonrows, "PIECE", piece)
    text = json.dumps([{"a": 'q"\\', "b": {"c": "[{}]"}, "d": "\n"}, {}, {"a": "\\\\"}], indent=1)
    header, rows = json_rows(write(tmp_path / "a.json", text), "a", "utf-8")
    assert (header, list(rows)) == (
        ["a", "b.c", "d"],
        [['q"\\', "[{}]", "\n"], [None] * 3, ["\\\\", None, None]],
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty|no object with a key"),
        ("{}\n{}", "no object with a key in it"),
        ("[]", "no object with a key in it"),
        (f"{LINES[0]}\n{LINES[1][:-9]}", r"line 2 is no whole JSON object .*the file was cut or damaged"),
        (f"{LINES[0]}\n\nnot json\n{LINES[1]}", r"line 3 is no whole JSON object \('not json'\)"),
        (f"{LINES[0]} {LINES[1]}", "line 1 is no whole JSON object"),
        (f"{LINES[0]}\n[1, 2]", "line 2 is JSON, but no object with keys"),
        (f"{LINES[0]}\n3", "line 2 is JSON, but no object with keys"),
        ('{\n"a": 1\n}', "line 1 is no whole JSON object"),
        ('{"a": 1, "a": 2}', "line 1 has the key 'a' twice"),
        ('{"a": 1}\n{"b": {"c": 1, "c": 2}}', "line 2 has the key 'c' twice"),
        ('{"a": {"b": 1}, "a.b": 2}', r"line 1 has the key 'a\.b' twice, once by a name with a dot"),
        ('{"a": NaN}', "line 1 holds NaN, which is no value"),
        ('{"a": -Infinity}', "line 1 holds -Infinity"),
        ('{"a": 1e999999999}', "line 1 holds the number 1e999999999, which no system counts with"),
        ('{"a": ' + "9" * 5000 + "}", "line 1 holds a number of 5,000 digits"),
        ('{"a": "\\ud800"}', "line 1 holds half a sign"),
        ('{"a":' * 100_000, "an object after line 1 is nested too deep for a table"),
        (f"[{LINES[0]},\n{LINES[1]}", "line 2 has no comma and no end of the array behind an object; the file was cut"),
        (f"[{LINES[0]},\n{LINES[1][:-9]}", "line 2 begins no whole JSON object"),
        (f"[{LINES[0]},\n]", "line 2 begins no whole JSON object"),
        (f"[{LINES[0]}\n{LINES[1]}]", "line 2 has no comma and no end of the array"),
        (f"[{LINES[0]}]\n[{LINES[1]}]", "line 2 goes on behind the end of the array"),
        (f"[{LINES[0]},\n 7]", "line 2 is JSON, but no object with keys"),
        ('[{"a": 1},\n{"a": 1, "a": 2}]', "line 2 has the key 'a' twice"),
        ("\n".join(json.dumps({f"id{n}": 1}) for n in range(3_000)), "more than 2,000 different keys"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_its_line(exports: Path, take, text: str, message: str):
    write(exports / "a.json", text)
    with pytest.raises(SourceError, match=rf"a\.json: ({message})"):
        take(LEDGER | {"file": "a.json"})


def test_bytes_that_are_no_text_are_refused(exports: Path, take):
    (exports / "a.jsonl").write_bytes(b'{"key": "1"}\n' * 90_000 + b'{"key": "M\xfcller"}\n')
    with pytest.raises(SourceError, match=r"a\.jsonl: not "):
        take(LEDGER | {"file": "a.jsonl"})


def test_chinese_encodings_and_packed_lines(exports: Path, take):
    text = "\n".join(
        [
            *LINES[:2],
            '{"key": "支付维修费用的工单明细", "fields": {"day": "2026-10-05", "net": {"value": 1}}}',
        ]
    )
    (exports / "a.jsonl").write_bytes(text.encode("gb18030"))
    assert ("支付维修费用的工单明细",) in take(LEDGER | {"file": "a.jsonl"}).rows("ledger", "posting_id")
    with gzip.open(exports / "b.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(LINES))
    assert take(LEDGER | {"file": "b.jsonl.gz"}).counts("ledger") == [(3, 3, 0)]


def test_objects_are_counted_by_another_rule(tmp_path: Path, monkeypatch):
    path = write(tmp_path / "a.json", "[" + ",".join(LINES) + "]")
    whole = jsonrows._Array.__iter__
    monkeypatch.setattr(jsonrows._Array, "__iter__", lambda self: iter(list(whole(self))[:2]))
    with pytest.raises(SourceError, match="a: 3 objects are in the file, 2 were read"):
        list(json_rows(path, "a", "utf-8")[1])
    path = write(tmp_path / "a.jsonl", "\n".join(LINES))
    lines = jsonrows._in_lines
    monkeypatch.setattr(jsonrows, "_in_lines", lambda file: iter(list(lines(file))[1:]))
    with pytest.raises(SourceError, match="a: 3 objects are in the file, 2 were read"):
        list(json_rows(path, "a", "utf-8")[1])


def test_a_canonical_table_may_be_objects(tmp_path: Path):
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [
        {"ticket_id": "001", "ticket_type": "repair", "opened_at": "2026-10-01 10:00"},
        {"ticket_id": "2", "ticket_type": "repair", "opened_at": "2026-10-02 10:00", "handling_hours": 0.5},
    ]
    write(folder / "tickets.jsonl", "\n".join(map(json.dumps, rows)))
    tables = load_tables(folder, tmp_path / "store", reporting_currency="CNY", time_zone="Asia/Shanghai")
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT ticket_id, handling_hours::TEXT FROM {tables.scan('tickets')} ORDER BY 1"
        ).fetchall()
    assert [row[0] for row in found] == ["001", "2"] and float(found[1][1]) == 0.5 and found[0][1] is None


def test_what_a_file_holds_is_listed_for_a_map(tmp_path: Path):
    assert parts_of(write(tmp_path / "a.jsonl", "{}"), "a") == ({},)
    write_xls(tmp_path / "one.xls", {"a": [["x"]]})
    write_xls(tmp_path / "two.xls", {"a": [["x"]], "b": [["x"]]})
    assert parts_of(tmp_path / "one.xls", "one") == ({},)
    assert parts_of(tmp_path / "two.xls", "two") == ({"sheet": "a"}, {"sheet": "b"})
    assert parts_of(write(tmp_path / "t.xls", "a\tb\n1\t2\n"), "t") == ({},)
    make(tmp_path / "d.db", *table("gl"), *table("old"))
    assert parts_of(tmp_path / "d.db", "d") == ({"database_table": "gl"}, {"database_table": "old"})
    (tmp_path / "lake/_delta_log").mkdir(parents=True)
    assert is_readable(tmp_path / "lake") and is_readable(tmp_path / "d.db") and not is_readable(tmp_path)
    assert parts_of(tmp_path / "lake", "lake") == ({},)
