"""Readers: a file becomes a relation in DuckDB whose values nobody has interpreted yet.

A CSV file becomes a table of text; a Parquet file keeps the types it declares. Every row has ``_row``, its number in the file
(the first row of data is 1). Lines that cannot be split into columns are kept apart with their number, so that rows add up.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import SourceError

if TYPE_CHECKING:
    import duckdb

SEPARATORS = (",", ";", "\t", "|")
HEAD_BYTES = 1 << 16
LONGEST_LINE = 16_000_000


@dataclass(frozen=True, kw_only=True)
class RefusedLine:
    """A line of a text file that does not have the header's columns."""

    row: int
    reason: str
    text: str


@dataclass(frozen=True, kw_only=True)
class RawFile:
    """A file as it was read: ``relation`` holds ``_row`` and the wanted ``columns`` with their source types.

    ``header`` names every column of the file, wanted or not. ``rows`` counts data rows, refused lines included.
    """

    name: str
    relation: str
    header: tuple[str, ...]
    columns: Mapping[str, str]
    rows: int
    refused: tuple[RefusedLine, ...] = ()
    ends_without_line_break: bool = False


def quoted(name: str) -> str:
    """A name as an SQL identifier; names are data."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def read_raw(connection: duckdb.DuckDBPyConnection, path: Path, *, name: str, relation: str, wanted: Collection[str]) -> RawFile:
    """Read ``path`` by its kind into ``relation``."""
    read = read_parquet if path.suffix == ".parquet" else read_csv
    return read(connection, path, name=name, relation=relation, wanted=wanted)


def read_parquet(connection: duckdb.DuckDBPyConnection, path: Path, *, name: str, relation: str, wanted: Collection[str]) -> RawFile:
    """A view over the file: nothing is copied, so a table of any size streams."""
    import duckdb

    scan = f"read_parquet({literal(str(path))}, file_row_number = true, hive_partitioning = false)"
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()
        types = {str(row[0]): str(row[1]) for row in described if row[0] != "file_row_number"}
        columns = {column: kind for column, kind in types.items() if column in wanted}
        chosen = "".join(f", {quoted(column)}" for column in columns)
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {quoted(relation)} AS SELECT file_row_number + 1 AS _row{chosen} FROM {scan}")
        rows = connection.execute(f"SELECT count(*) FROM {quoted(relation)}").fetchall()[0][0]
    except duckdb.Error as error:
        raise SourceError(f"{name}: not readable as Parquet; it may have been cut or damaged ({_first_line(error)}). Export it again.") from error
    return RawFile(name=name, relation=relation, header=tuple(types), columns=columns, rows=rows)


def read_csv(connection: duckdb.DuckDBPyConnection, path: Path, *, name: str, relation: str, wanted: Collection[str]) -> RawFile:
    """A table of text. Separator found in the header (, ; tab or |), quotes doubled, line breaks allowed inside quotes, UTF-8.

    Only an empty value is null. A file that ends in the middle of a row was cut and is refused as a whole.
    """
    header, separator, ends_open = _csv_head(path, name)
    columns = {column: "VARCHAR" for column in header if column in wanted}
    try:
        rows = _csv_into_table(connection, path, relation, header, separator, columns)
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(f"{name}: not readable as CSV ({_first_line(error)}). Export it again as CSV in UTF-8.") from error
    refused = _refused_lines(connection, relation, path, name)
    if refused:
        _shift_rows(connection, relation, refused)
    return RawFile(
        name=name,
        relation=relation,
        header=header,
        columns=columns,
        rows=rows + len(refused),
        refused=refused,
        ends_without_line_break=ends_open,
    )


def _csv_into_table(
    connection: duckdb.DuckDBPyConnection, path: Path, relation: str, header: tuple[str, ...], separator: str, columns: Mapping[str, str]
) -> int:
    specification = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in header)
    chosen = "".join(f", {quoted(column)}" for column in columns)
    scan = (
        f"read_csv({literal(str(path))}, columns = {{{specification}}}, auto_detect = false, header = true, delim = {literal(separator)}, "
        f"quote = '\"', escape = '\"', nullstr = '', strict_mode = true, store_rejects = true, rejects_limit = 0, "
        f"rejects_table = {literal(relation + '_rejects')}, rejects_scan = {literal(relation + '_scans')}, max_line_size = {LONGEST_LINE})"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {quoted(relation)} AS SELECT 0::BIGINT AS _row{chosen} FROM {scan}")
    # Rows lie in the order of the file, so the engine's own row number is the file's.
    connection.execute(f"UPDATE {quoted(relation)} SET _row = rowid + 1")
    return int(connection.execute(f"SELECT count(*) FROM {quoted(relation)}").fetchall()[0][0])


def _csv_head(path: Path, name: str) -> tuple[tuple[str, ...], str, bool]:
    """Column names, separator, and whether the last line lacks its line break."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
        ends_open = size > 0 and file.read(1) not in (b"\n", b"\r")
    if not head.strip():
        raise SourceError(f"{name}: the file is empty ({size} bytes), without even a header. Export it again.")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in head:
        raise SourceError(f"{name}: not a text file in UTF-8. Export it as CSV in UTF-8.")
    first_line = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    try:
        text = first_line.decode("utf-8", errors="strict" if len(head) < HEAD_BYTES else "ignore")
    except UnicodeDecodeError as error:
        raise SourceError(f"{name}: not UTF-8 (byte {error.start + 1} is {first_line[error.start]:#04x}). Export it as CSV in UTF-8.") from error
    header, separator = _header(text)
    doubled = [column for column in header if header.count(column) > 1]
    if doubled:
        raise SourceError(f"{name}: column '{doubled[0]}' stands twice in the header. Rename or remove one.")
    return tuple(header), separator, ends_open


def _header(text: str) -> tuple[list[str], str]:
    """The first record under the separator that splits it into most names."""
    records = {separator: next(csv.reader(io.StringIO(text), delimiter=separator)) for separator in SEPARATORS}
    separator = max(SEPARATORS, key=lambda candidate: len(records[candidate]))
    return [column.strip() for column in records[separator]], separator


_LINE_REASONS = {"MISSING COLUMNS": "too_few_columns", "TOO MANY COLUMNS": "too_many_columns", "UNQUOTED VALUE": "broken_quotes", "LINE SIZE OVER MAXIMUM": "line_too_long"}


def _refused_lines(connection: duckdb.DuckDBPyConnection, relation: str, path: Path, name: str) -> tuple[RefusedLine, ...]:
    rejects = quoted(relation + "_rejects")
    lines = connection.execute(
        f"SELECT line, min(error_type::VARCHAR), min(csv_line), min(line_byte_position) FROM {rejects} GROUP BY line ORDER BY line"
    ).fetchall()
    if not lines:
        return ()
    first_bad = next((line for line in lines if line[1] == "INVALID ENCODING"), None)
    if first_bad:
        raise SourceError(f"{name}: not UTF-8 (first seen in row {first_bad[0] - 1}). Export it as CSV in UTF-8.")
    number, kind, text, start = lines[-1]
    reaches_end = start - 1 + len(text.encode()) >= path.stat().st_size - 2
    if reaches_end and kind in ("MISSING COLUMNS", "UNQUOTED VALUE"):
        raise SourceError(f"{name}: ends in the middle of row {number - 1} ('{text[:60]}'); the file was cut. Export it again.")
    return tuple(RefusedLine(row=line[0] - 1, reason=_LINE_REASONS.get(line[1], "unreadable_line"), text=line[2] or "") for line in lines)


def _shift_rows(connection: duckdb.DuckDBPyConnection, relation: str, refused: tuple[RefusedLine, ...]) -> None:
    """Give rows after a refused line the number they have in the file."""
    ahead = ", ".join(f"({line.row - index})" for index, line in enumerate(refused))
    connection.execute(
        f"UPDATE {quoted(relation)} SET _row = _row + shift FROM (SELECT rowid AS id, "
        f"(SELECT count(*) FROM (VALUES {ahead}) AS gaps(at) WHERE gaps.at <= numbered._row) AS shift FROM {quoted(relation)} AS numbered) AS moved "
        f"WHERE {quoted(relation)}.rowid = moved.id"
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:160]
