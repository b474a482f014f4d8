"""SQLite and DuckDB files: one table or one query, read only, nothing written beside them, no row lost."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from analysis.errors import ParameterError, SourceError
from analysis.sources import apply_map, mapping
from analysis.sources.databasefiles import open_database, table_names

from .conftest import stated

LEDGER = {"table": "ledger", "columns": {"posting_id": "No", "posted_on": "Day", "amount": "Net"}}
ROWS = [("007", "2026-10-03", "12.50"), ("明细", "2026-10-04", "-3")]


def make(path: Path, *statements: str, kind: str = "sqlite") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path) if kind == "sqlite" else duckdb.connect(str(path))
    for statement in statements:
        connection.execute(statement)
    if kind == "sqlite":
        connection.commit()
    connection.close()
    return path


def table(
    name: str,
    rows: Iterable[tuple[str, str, str]] = ROWS,
    types: str = "No TEXT, Day TEXT, Net DECIMAL(12, 2)",
) -> list[str]:
    values = ", ".join(f"('{number}', '{day}', {net})" for number, day, net in rows)
    return [f'CREATE TABLE "{name}" ({types})', f'INSERT INTO "{name}" VALUES {values}']


@pytest.fixture(params=["sqlite", "duckdb"])
def kind(request) -> str:
    return request.param


def test_the_only_table_a_table_and_a_query_are_read(exports: Path, take, kind: str):
    path = make(exports / f"desk.{kind}", *table("gl"), kind=kind)
    entry = LEDGER | {"file": f"desk.{kind}"}
    expected = [
        ("007", dt.date(2026, 10, 3), Decimal("12.50")),
        ("明细", dt.date(2026, 10, 4), Decimal("-3.00")),
    ]
    assert take(entry).rows("ledger", "posting_id", "posted_on", "amount") == expected
    make(
        path, *table("old; DROP TABLE gl"), 'CREATE VIEW "some" AS SELECT * FROM gl WHERE Net > 0', kind=kind
    )
    with pytest.raises(
        SourceError,
        match=r"3 tables \(gl, old; DROP TABLE gl, some\); say which is meant with 'database_table'",
    ):
        take(entry)
    with pytest.raises(SourceError, match=r"no table 'gll'\. Did you mean 'gl'"):
        take(entry | {"database_table": "gll"})
    assert take(entry | {"database_table": "gl"}).counts("ledger") == [(2, 2, 0)]
    assert take(entry | {"database_table": "some"}).counts("ledger") == [(1, 1, 0)]
    assert take(entry | {"database_table": "old; DROP TABLE gl"}).counts("ledger") == [(2, 2, 0)]
    query = "WITH a AS (SELECT * FROM gl) SELECT No, Day, Net FROM a WHERE Net < 0; -- the others"
    taken = take(entry | {"query": query.replace(";", "")})
    assert taken.rows("ledger", "posting_id") == [("明细",)] and taken.counts("ledger") == [(1, 1, 0)]
    assert set(table_names(path, "desk")) == {"gl", "some", "old; DROP TABLE gl"}


def test_types_are_what_they_were(exports: Path, tmp_path: Path):
    make(
        exports / "a.duckdb",
        "CREATE TABLE t AS SELECT 12345678901234567890::HUGEINT AS a, true AS b, DATE '1850-01-02' AS c, TIMESTAMP '2026-10-03 23:59:59' AS d, NULL::TEXT AS e, 0.10::DECIMAL(9,2) AS f",
        kind="duckdb",
    )
    make(
        exports / "a.db", "CREATE TABLE t (a, b, c)", "INSERT INTO t VALUES (9007199254740993, NULL, '0001')"
    )
    with open_database(exports / "a.duckdb", "a", query="", table="t", work=tmp_path) as (_, rows):
        assert list(rows) == [
            [
                12345678901234567890,
                True,
                dt.date(1850, 1, 2),
                dt.datetime(2026, 10, 3, 23, 59, 59),
                None,
                Decimal("0.10"),
            ]
        ]
    with open_database(exports / "a.db", "a", query="", table="", work=tmp_path) as (header, rows):
        assert (header, list(rows)) == (["a", "b", "c"], [[9007199254740993, None, "0001"]])


def test_a_number_that_lost_its_last_digits_is_refused(exports: Path, take, kind: str):
    make(
        exports / "a.db",
        *table("gl", [("1234567890123456789", "2026-10-03", "1")], types="No DOUBLE, Day TEXT, Net INT"),
        kind=kind,
    )
    with pytest.raises(SourceError, match="row 1 holds a number of more than 15 digits"):
        take(LEDGER | {"file": "a.db"})


def test_the_content_says_what_a_database_is(exports: Path, take, kind: str):
    for name in ("desk.db", "desk.duckdb", "desk.sqlite", "desk.csv"):
        make(exports / name, *table("gl"), kind=kind)
        assert take(LEDGER | {"file": name}).counts("ledger") == [(2, 2, 0)]
        (exports / name).unlink()


@pytest.mark.parametrize(
    "query",
    [
        "WITH a AS (SELECT 1) DELETE FROM gl",
        "WITH a AS (SELECT 1) INSERT INTO gl SELECT '1', '2', 3",
        "SELECT 1; DELETE FROM gl",
        "SELECT 1) ; DELETE FROM gl; SELECT (1",
    ],
)
def test_a_query_changes_nothing(exports: Path, take, kind: str, query: str):
    path = make(exports / "a.db", *table("gl"), kind=kind)
    before = path.read_bytes()
    with pytest.raises(
        SourceError, match=r"a\.db: the (database refused|query holds more than one statement)"
    ):
        take(LEDGER | {"file": "a.db", "query": query})
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "query",
    ["DELETE FROM gl", "PRAGMA user_version = 3", "ATTACH 'x' AS y", "COPY gl TO 'x'", "INSTALL httpfs"],
)
def test_what_does_not_begin_as_a_question_is_refused_by_the_map(query: str):
    with pytest.raises(ParameterError, match="query should begin with SELECT or WITH"):
        stated(LEDGER | {"file": "a.db", "query": query})


@pytest.mark.parametrize(
    "query",
    ["SELECT * FROM read_csv('{secret}')", "SELECT * FROM read_text('{secret}')", "SELECT * FROM '{secret}'"],
)
def test_a_query_reads_no_other_file(exports: Path, tmp_path: Path, take, query: str):
    secret = tmp_path / "secret.csv"
    secret.write_text("No,Day,Net\n1,2026-10-03,5\n", encoding="utf-8")
    make(exports / "a.db", *table("gl"), kind="duckdb")
    with pytest.raises(SourceError, match=r"a\.db: the database refused"):
        take(LEDGER | {"file": "a.db", "query": query.replace("{secret}", str(secret))})


def test_nothing_is_written_beside_a_database(exports: Path, take, kind: str):
    mode = ["PRAGMA journal_mode = WAL"] if kind == "sqlite" else []
    path = make(exports / "a.db", *mode, *table("gl"), kind=kind)
    before, names = path.read_bytes(), sorted(os.listdir(exports))
    assert names == ["a.db"] and take(LEDGER | {"file": "a.db"}).counts("ledger") == [(2, 2, 0)]
    assert sorted(os.listdir(exports)) == names and path.read_bytes() == before


def test_a_database_that_is_still_written_is_refused(exports: Path, take, kind: str):
    """Its newest rows lie beside it: alone it would be read without them."""
    path = exports / "a.db"
    connection = (
        sqlite3.connect(path, isolation_level=None) if kind == "sqlite" else duckdb.connect(str(path))
    )
    if kind == "sqlite":
        connection.execute("PRAGMA journal_mode = WAL")
    for statement in table("gl"):
        connection.execute(statement)
    files = {file.name: file.read_bytes() for file in exports.iterdir() if "shm" not in file.name}
    connection.close()
    for name, content in files.items():
        (exports / name).write_bytes(content)
    with pytest.raises(
        SourceError, match=r"a\.db: changes to it still lie in a\.db[-.]wal, so the file alone is not whole"
    ):
        take(LEDGER | {"file": "a.db"})


def test_an_unchanged_database_is_not_read_again(exports: Path, tmp_path: Path, monkeypatch, kind: str):
    opened: list[str] = []
    whole = mapping.open_rows
    monkeypatch.setattr(
        mapping,
        "open_rows",
        lambda form, given, **rest: opened.append(given.name) or whole(form, given, **rest),
    )
    path = make(exports / "a.db", *table("gl"), *table("other", ROWS[:1]), kind=kind)
    entry = LEDGER | {"file": "a.db", "database_table": "gl"}
    for _ in range(2):
        assert [one.read for one in apply_map(stated(entry), exports, tmp_path / "out")] == [2]
    assert opened == ["a.db"]
    assert [
        one.read for one in apply_map(stated(entry | {"database_table": "other"}), exports, tmp_path / "out")
    ] == [1]
    make(path, "INSERT INTO gl VALUES ('3', '2026-10-05', 1)", kind=kind)
    assert [one.read for one in apply_map(stated(entry), exports, tmp_path / "out")] == [3]
    assert opened == ["a.db"] * 3


def test_a_value_is_looked_up_in_another_table_of_the_same_file(exports: Path, take, kind: str):
    people = [
        "CREATE TABLE people (id TEXT, team TEXT)",
        "INSERT INTO people VALUES ('007', 'A'), ('明细', 'B')",
    ]
    make(exports / "a.db", *table("gl"), *people, kind=kind)
    lookup = {"file": "a.db", "database_table": "people", "by": "No", "key": "id", "take": "team"}
    taken = take(LEDGER | {"file": "a.db", "database_table": "gl", "lookups": {"team": lookup}})
    assert taken.rows("ledger", "posting_id", "team") == [("007", "A"), ("明细", "B")]


@pytest.mark.parametrize("name", ["a.sqlite", "a.duckdb"])
@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", r"the file is empty \(0 bytes\)"), (b"No,Day,Net\n1,2,3\n", "no SQLite or DuckDB database by the name of one")],
)  # fmt: skip
def test_what_is_no_database_is_said_to_be_none(exports: Path, take, name: str, content: bytes, message: str):
    (exports / name).write_bytes(content)
    with pytest.raises(SourceError, match=rf"{name}: {message}"):
        take(LEDGER | {"file": name})


def test_a_database_without_a_table_and_one_that_was_cut_are_refused(exports: Path, take, kind: str):
    path = make(exports / "a.db", "CREATE TABLE t (a INT)", "DROP TABLE t", kind=kind)
    with pytest.raises(SourceError, match=r"a\.db: 0 tables \(none\)"):
        take(LEDGER | {"file": "a.db"})
    path.unlink()
    rows = [(f"G{n}", "2026-10-03", str(n)) for n in range(60_000)]
    whole = make(path, *table("gl", rows), kind=kind).read_bytes()
    assert take(LEDGER | {"file": "a.db"}).counts("ledger") == [(60_000, 60_000, 0)]
    for end in (20, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(SourceError, match=r"a\.db: "):
            take(LEDGER | {"file": "a.db"})


def test_rows_that_differ_from_the_database_s_own_count_are_refused(exports: Path, tmp_path: Path):
    path = make(exports / "a.db", *table("gl", [(f"G{n}", "2026-10-03", "1") for n in range(5_000)]))
    query = "SELECT No FROM gl WHERE random() > 0"  # another number of rows each time
    with open_database(path, "a.db", query=query, table="", work=tmp_path) as (_, rows):
        with pytest.raises(SourceError, match=r"the database counts 2,\d+ rows, 2,\d+ were read"):
            list(rows)


def test_a_table_is_stated_only_of_a_database(exports: Path, take):
    (exports / "gl.csv").write_text("No,Day,Net\n1,2026-10-03,5\n", encoding="utf-8")
    with pytest.raises(
        SourceError, match=r"gl\.csv: a query or a table is stated, but this is no SQLite or DuckDB database"
    ):
        take(LEDGER | {"file": "gl.csv", "database_table": "gl"})
    for both in (
        {"query": "SELECT 1", "database_table": "gl"},
        {"query": "SELECT 1", "url_from": "AFTER_SALES_X_URL"},
    ):
        with pytest.raises(ParameterError, match="state one of file, query and database_table"):
            stated(LEDGER | {"file": "a.db"} | both)
