"""Databases that are one file, SQLite and DuckDB: read only, one table or one query, its rows counted by the database as well.

What a file is, its content says and not its name. Nothing is written beside it, and a query cannot leave it: it reads no other file, loads no
extension and changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from analysis.errors import SourceError, suggestion
from analysis.sources.cells import Cell, Fault
from analysis.sources.excel import FIRST_INEXACT
from analysis.sources.sql import quoted

DATABASES = (".sqlite", ".sqlite3", ".db", ".db3", ".duckdb", ".ddb")
BATCH_ROWS = 10_000
#: What a program lays beside its database while changes are not yet in it.
_UNFINISHED = ("-wal", "-journal", ".wal")
_TABLES = {
    "SQLite": "SELECT '', name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    "DuckDB": "SELECT CASE schema_name WHEN 'main' THEN '' ELSE schema_name END, name FROM (SELECT schema_name, table_name AS name FROM duckdb_tables() WHERE NOT internal "
    "UNION ALL SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal) ORDER BY ALL",
}


class _Connection(Protocol):
    """What both libraries offer alike."""

    def execute(self, statement: str) -> Any: ...

    def close(self) -> None: ...


def is_database(path: Path) -> bool:
    """Whether a file is named or made as a database of one file."""
    return path.suffix.lower() in DATABASES or bool(_made_as(path))


def table_names(path: Path, name: str) -> tuple[str, ...]:
    """Names of the tables and views, as a map states them under ``database_table``."""
    with closing(_connected(path, name, path.parent)) as connection, _plain_errors(name):
        return tuple(_tables(connection, path))


@contextmanager
def open_database(
    path: Path, name: str, *, query: str, table: str, work: Path
) -> Iterator[tuple[list[str], Iterator[list[Cell]]]]:
    """Columns and rows of a query, of a table, or of the only table there is; ``work`` takes what a query has to lay down.

    Raises SourceError for a file that is no database or was cut, that a program has not finished writing, for a query that does more than
    read it, and where the rows are not as many as the database counts.
    """
    with closing(_connected(path, name, work)) as connection:
        with _plain_errors(name):
            statement = (
                (query or f"SELECT * FROM {_table(connection, path, name, table)}").strip().rstrip(";")
            )
            _refuse_several(connection, statement, name)
            # A line break, for the query may end in a comment.
            there = int(connection.execute(f"SELECT count(*) FROM ({statement}\n)").fetchone()[0])
            found = connection.execute(statement)
        yield [str(column[0]) for column in found.description], _all_of(found, there, name)


def _made_as(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(16)
    if head == b"SQLite format 3\x00":
        return "SQLite"
    return "DuckDB" if head[8:12] == b"DUCK" else ""


def _connected(path: Path, name: str, work: Path) -> _Connection:
    kind = _made_as(path)
    if not path.stat().st_size:
        raise SourceError(f"{name}: the file is empty (0 bytes). Export it again.")
    if not kind:
        raise SourceError(
            f"{name}: no SQLite or DuckDB database by the name of one, or locked with a password. Export its tables as CSV."
        )
    _refuse_unfinished(path, name)
    with _plain_errors(name):
        if kind == "SQLite":
            _refuse_cut(path, name)
            # Immutable: neither locks nor a shared memory file are made beside it.
            address = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
            return sqlite3.connect(address, uri=True, isolation_level=None)
        import duckdb

        settings: dict[str, str | bool | int | float | list[str]] = {
            "enable_external_access": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": str(work),
            "lock_configuration": "true",
        }
        connection: _Connection = duckdb.connect(str(path), read_only=True, config=settings)
        return connection


def _refuse_unfinished(path: Path, name: str) -> None:
    for ending in _UNFINISHED:
        beside = path.with_name(path.name + ending)
        if beside.is_file() and beside.stat().st_size:
            raise SourceError(
                f"{name}: changes to it still lie in {beside.name}, so the file alone is not whole. Close the program that writes it, or take its backup, and copy it again."
            )


def _refuse_cut(path: Path, name: str) -> None:
    """SQLite states its pages in its header, and misses those that are not there only when it comes to them."""
    with path.open("rb") as file:
        head = file.read(100)
    size = int.from_bytes(head[16:18], "big")
    pages = int.from_bytes(head[28:32], "big")
    stated = (65_536 if size == 1 else size) * pages
    if head[24:28] == head[92:96] and path.stat().st_size < stated:
        raise SourceError(
            f"{name}: {path.stat().st_size:,} of {stated:,} bytes are there; the file was cut. Copy it again."
        )


def _tables(connection: _Connection, path: Path) -> dict[str, str]:
    """Names as a map states them, and as SQL."""
    found = connection.execute(_TABLES[_made_as(path)]).fetchall()
    return {
        ".".join(filter(None, parts)): ".".join(quoted(part) for part in parts if part) for parts in found
    }


def _table(connection: _Connection, path: Path, name: str, table: str) -> str:
    tables = _tables(connection, path)
    shown = ", ".join(list(tables)[:8]) or "none"
    if table:
        if table not in tables:
            raise SourceError(f"{name}: no table '{table}'.{suggestion(table, tables)} It has: {shown}.")
        return tables[table]
    if len(tables) != 1:
        raise SourceError(
            f"{name}: {len(tables)} tables ({shown}); say which is meant with 'database_table' in the source map."
        )
    return next(iter(tables.values()))


def _refuse_several(connection: _Connection, statement: str, name: str) -> None:
    """SQLite carries out one statement only; DuckDB would carry out all of them."""
    extract = getattr(connection, "extract_statements", None)
    if extract is not None and len(extract(statement)) != 1:
        raise SourceError(f"{name}: the query holds more than one statement. State one SELECT.")


def _all_of(found: Any, there: int, name: str) -> Iterator[list[Cell]]:
    rows = 0
    while True:
        with _plain_errors(name):
            batch = found.fetchmany(BATCH_ROWS)
        if not batch:
            break
        for row in batch:
            rows += 1
            yield [_exact(cell, rows) for cell in row]
    if rows != there:
        raise SourceError(
            f"{name}: the database counts {there:,} rows, {rows:,} were read. State a query that gives the same rows each time."
        )


def _exact(cell: Cell, row: int) -> Cell:
    if isinstance(cell, float) and abs(cell) >= FIRST_INEXACT:
        return Fault(
            f"{cell:.0f}",
            f"row {row:,} holds a number of more than 15 digits that is stored as an approximate one, so its end is lost; store it as text",
        )
    return cell


@contextmanager
def _plain_errors(name: str) -> Iterator[None]:
    import duckdb

    try:
        yield
    except (sqlite3.Error, sqlite3.Warning, duckdb.Error, UnicodeDecodeError) as error:
        raise SourceError(
            f"{name}: the database refused ({' '.join(str(error).split())[:160]}). Check the query; if the file was cut or damaged, copy it again."
        ) from None
