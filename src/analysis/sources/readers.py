"""Readers: a file becomes a relation in DuckDB whose values nobody has interpreted yet.

A CSV file or a workbook becomes a table of text; a Parquet file keeps the types it declares. Every row has ``_row``, its number in the file
(the first row of data is 1). Lines that cannot be split into columns are kept apart with their number, so that rows add up.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import SourceError
from analysis.sources.cells import Cell, Fault, cell_text
from analysis.sources.conservation import prove_lines
from analysis.sources.encodings import find_encoding
from analysis.sources.excel import WORKBOOKS, is_text
from analysis.sources.jsonrows import JSON
from analysis.sources.lakes import partitions_of
from analysis.sources.sql import literal, quoted
from analysis.sources.textparquet import TextParquet

if TYPE_CHECKING:
    import duckdb

SEPARATORS = (",", ";", "\t", "|")
HEAD_BYTES = 1 << 16
LONGEST_LINE = 16_000_000


@dataclass(frozen=True, kw_only=True)
class RawFile:
    """A file as it was read: ``relation`` holds ``_row`` and the wanted ``columns`` with their source types.

    ``header`` names every column of the file, wanted or not. ``rows`` counts data rows, refused lines included; those
    are in the relation ``refused_lines`` (``row``, ``reason``, ``text``), which is empty text where there are none. ``hidden`` lines of a
    sheet are read like the others; ``first_hidden`` is the number of the first.
    """

    name: str
    relation: str
    header: tuple[str, ...]
    columns: Mapping[str, str]
    rows: int
    copied: bool
    refused: int = 0
    refused_lines: str = ""
    ends_without_line_break: bool = False
    encoding: str = "utf-8"
    hidden: int = 0
    first_hidden: int = 0


class _NotUtf8(SourceError):
    """The bytes are not UTF-8; they may be in an East Asian encoding."""


def read_raw(
    connection: duckdb.DuckDBPyConnection, path: Path, *, name: str, relation: str, wanted: Collection[str]
) -> RawFile:
    """Read ``path`` by its kind into ``relation``."""
    read = read_csv
    if path.suffix == ".parquet" and not path.is_dir():
        read = read_parquet
    elif path.is_dir() or path.suffix in JSON or path.suffix in WORKBOOKS and not is_text(path):
        read = read_cells
    return read(connection, path, name=name, relation=relation, wanted=wanted)


def read_parquet(
    connection: duckdb.DuckDBPyConnection, path: Path, *, name: str, relation: str, wanted: Collection[str]
) -> RawFile:
    """A view over the file: nothing is copied, so a table of any size streams. What its folders state (``month=2026-10``) is a column."""
    import duckdb

    if not path.stat().st_size:
        raise SourceError(f"{name}: the file is empty (0 bytes). Export it again.")
    scan = f"read_parquet({literal(str(path))}, file_row_number = true, hive_partitioning = false, binary_as_string = true)"
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()
        types = {str(row[0]): str(row[1]) for row in described if row[0] != "file_row_number"}
        parts = {part: value for part, value in partitions_of(name).items() if part not in types}
        types |= dict.fromkeys(parts, "VARCHAR")
        columns = {column: kind for column, kind in types.items() if column in wanted}
        chosen = "".join(
            f", nullif({literal(parts[column])}, '') AS {quoted(column)}"
            if column in parts
            else f", {quoted(column)}"
            for column in columns
        )
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW {quoted(relation)} AS SELECT file_row_number + 1 AS _row{chosen} FROM {scan}"
        )
        rows = connection.execute(f"SELECT count(*) FROM {quoted(relation)}").fetchall()[0][0]
    except duckdb.Error as error:
        raise SourceError(
            f"{name}: not readable as Parquet; it may have been cut or damaged ({first_line(error)}). Export it again."
        ) from error
    return RawFile(
        name=name, relation=relation, header=tuple(types), columns=columns, rows=rows, copied=False
    )


def read_csv(
    connection: duckdb.DuckDBPyConnection, path: Path, *, name: str, relation: str, wanted: Collection[str]
) -> RawFile:
    """A table of text. Separator found in the header (, ; tab or |), quotes doubled, line breaks allowed inside quotes.

    UTF-8, or where the bytes are none the East Asian encoding in which they read as a language. Only an empty value is null. A file that ends in the middle of a
    row was cut and is refused as a whole.
    """
    try:
        return _read_utf8(connection, path, name=name, relation=relation, wanted=wanted)
    except _NotUtf8:
        encoding = find_encoding(path, name)  # refuses what is neither
        if encoding == "utf-8":
            raise
    rewritten = _rewritten(connection, path, encoding)
    raw = _read_utf8(connection, rewritten, name=name, relation=relation, wanted=wanted)
    return replace(raw, encoding=encoding)


def _read_utf8(
    connection: duckdb.DuckDBPyConnection, path: Path, *, name: str, relation: str, wanted: Collection[str]
) -> RawFile:
    import duckdb

    header, separator, ends_open = _csv_head(path, name)
    readable = path
    try:
        try:
            _copy_csv(connection, readable, relation, header, separator, wanted)
        except duckdb.InvalidInputException:
            readable = _rewritten(connection, path, "utf-8")
            _copy_csv(connection, readable, relation, header, separator, wanted)
    except duckdb.Error as error:
        raise SourceError(
            f"{name}: not readable as CSV ({first_line(error)}). Export it again as CSV in UTF-8."
        ) from error
    refused = _refuse_lines(connection, relation, readable, name, ends_open=ends_open)
    _number_rows(connection, relation, refused)
    kept = connection.execute(f"SELECT count(*) FROM {quoted(relation)}").fetchall()[0][0]
    prove_lines(
        connection,
        readable,
        name=name,
        scan=_scan(readable, len(header), separator, "ignore_errors = true"),
        header=header,
        separator=separator,
        rows=kept,
        refused=f"{relation}_refused" if refused else "",
    )
    return RawFile(
        name=name,
        relation=relation,
        header=header,
        columns={column: "VARCHAR" for column in header if column in wanted},
        rows=kept + refused,
        copied=True,
        refused=refused,
        refused_lines=f"{relation}_refused" if refused else "",
        ends_without_line_break=ends_open,
    )


def read_cells(
    connection: duckdb.DuckDBPyConnection, path: Path, *, name: str, relation: str, wanted: Collection[str]
) -> RawFile:
    """What is read cell by cell (the only visible sheet of a workbook, objects of JSON, a lake table) as a table of text; real dates are written as ISO.

    A cell that is no value (#N/A) is refused.
    """
    from analysis.sources.reading import FileForm, Input, open_rows

    folder = _spill(connection)
    copy = folder / f"{relation}.parquet"
    with open_rows(FileForm(), Input(path=path, name=name), work=folder) as rows:
        header, hidden = tuple(rows.header), rows.hidden
        _refuse_doubled(header, name)
        places = [place for place, column in enumerate(header) if column in wanted]
        with TextParquet(copy, [header[place] for place in places] or ["nothing"]) as out:
            count = 0
            for row in rows.rows:
                count += 1
                out.write([_sheet_text(row[place], name) for place in places] or [""])
    text = quoted(relation + "_text")
    chosen = ", ".join(f"nullif({quoted(header[place])}, '') AS {quoted(header[place])}" for place in places)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {text} AS SELECT {chosen or '1 AS nothing'} FROM read_parquet({literal(str(copy))})"
    )
    copy.unlink()
    _number_rows(connection, relation, 0)
    return RawFile(
        name=name,
        relation=relation,
        header=header,
        columns={header[place]: "VARCHAR" for place in places},
        rows=count,
        copied=True,
        hidden=len(hidden),
        first_hidden=hidden[0] if hidden else 0,
    )


def _sheet_text(cell: Cell, name: str) -> str:
    if isinstance(cell, Fault):
        raise SourceError(f"{name}: {cell.why}; a cell of a table should hold a value or nothing. Mend it.")
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    return cell_text(cell)


def drop_raw(connection: duckdb.DuckDBPyConnection, raw: RawFile) -> None:
    """Give the memory of a file that was read back."""
    connection.execute(f"DROP VIEW IF EXISTS {quoted(raw.relation)}")
    for suffix in ("_text", "_rejects", "_scans", "_refused"):
        connection.execute(f"DROP TABLE IF EXISTS {quoted(raw.relation + suffix)}")


def _copy_csv(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    relation: str,
    header: tuple[str, ...],
    separator: str,
    wanted: Collection[str],
) -> None:
    """Columns are read by position: names are data, and two that differ only in case would clash."""
    for suffix in ("_rejects", "_scans"):
        connection.execute(f"DROP TABLE IF EXISTS {quoted(relation + suffix)}")
    chosen = ", ".join(
        f"c{index} AS {quoted(column)}" for index, column in enumerate(header) if column in wanted
    )
    rejects = (
        f"store_rejects = true, rejects_limit = 0, rejects_table = {literal(relation + '_rejects')}, "
        f"rejects_scan = {literal(relation + '_scans')}"
    )
    scan = _scan(path, len(header), separator, rejects)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {quoted(relation + '_text')} AS SELECT {chosen or '1 AS nothing'} FROM {scan}"
    )


def _scan(path: Path, columns: int, separator: str, bad_lines: str) -> str:
    """The table function that reads a file by the position of its columns; ``bad_lines`` says what becomes of those it cannot split."""
    specification = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(columns))
    return (
        f"read_csv({literal(str(path))}, columns = {{{specification}}}, auto_detect = false, header = true, delim = {literal(separator)}, "
        f"quote = '\"', escape = '\"', nullstr = '', strict_mode = true, {bad_lines}, max_line_size = {LONGEST_LINE})"
    )


def _spill(connection: duckdb.DuckDBPyConnection) -> Path:
    """Where the engine may lay things down while it works."""
    folder = Path(connection.execute("SELECT current_setting('temp_directory')").fetchall()[0][0])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _rewritten(connection: duckdb.DuckDBPyConnection, path: Path, encoding: str) -> Path:
    """A copy in UTF-8 in which every line ends alike; files glued together from two systems mix line breaks."""
    plain = _spill(connection) / f"{path.stem}-{abs(hash(path))}.csv"
    with path.open(
        "r", encoding=encoding, errors="surrogateescape" if encoding == "utf-8" else "strict", newline=None
    ) as source:
        with plain.open("w", encoding="utf-8", errors="surrogateescape", newline="\n") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    return plain


def _csv_head(path: Path, name: str) -> tuple[tuple[str, ...], str, bool]:
    """Column names, separator, and whether the last line lacks its line break."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 1, 0))
        ends_open = file.read(1) not in (b"\n", b"\r")
    if not head.removeprefix(b"\xef\xbb\xbf").strip():
        raise SourceError(
            f"{name}: the file is empty ({size} bytes), without even a header. Export it again."
        )
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in head:
        raise SourceError(f"{name}: not a text file in UTF-8. Export it as CSV in UTF-8.")
    header, separator = _header(_decoded(head, size > HEAD_BYTES, name), name)
    _refuse_doubled(header, name)
    return tuple(header), separator, ends_open


def _refuse_doubled(header: Sequence[str], name: str) -> None:
    doubled = [column for column in header if column and header.count(column) > 1]
    if doubled:
        raise SourceError(f"{name}: column '{doubled[0]}' stands twice in the header. Rename or remove one.")


def _decoded(head: bytes, more: bool, name: str) -> str:
    """The first part of the file as text; a character cut by the end of that part is no fault."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        return decoder.decode(head, final=not more)
    except UnicodeDecodeError as error:
        raise _NotUtf8(
            f"{name}: not UTF-8 (byte {error.start + 1} is {head[error.start]:#04x}). Export it as CSV in UTF-8."
        ) from error


def _header(text: str, name: str) -> tuple[list[str], str]:
    """The first record under the separator that splits it into most names."""
    try:
        records = {
            separator: next(csv.reader(io.StringIO(text, newline=None), delimiter=separator))
            for separator in SEPARATORS
        }
    except csv.Error as error:
        raise SourceError(
            f"{name}: the header is not readable as CSV ({error}). Export it again as CSV in UTF-8."
        ) from error
    separator = max(SEPARATORS, key=lambda candidate: len(records[candidate]))
    return [column.strip() for column in records[separator]], separator


def _refuse_lines(
    connection: duckdb.DuckDBPyConnection, relation: str, path: Path, name: str, *, ends_open: bool
) -> int:
    """Keep the lines that could not be split; refuse the file if they show that it is not UTF-8 or was cut."""
    rejects, refused = quoted(relation + "_rejects"), quoted(relation + "_refused")
    if not connection.execute(f"SELECT count(*) FROM {rejects}").fetchall()[0][0]:
        return 0
    last, kind, text, start = connection.execute(
        f"SELECT line, error_type::VARCHAR, csv_line, line_byte_position FROM {rejects} ORDER BY line DESC LIMIT 1"
    ).fetchall()[0]
    beginning = " ".join(str(text)[:60].split())
    if kind == "UNQUOTED VALUE" and start + len(str(text).encode()) >= path.stat().st_size - 2:
        raise SourceError(
            f"{name}: ends inside quotes that row {last - 1:,} opens ('{beginning}'); the file was cut, or a quote is missing there. Export it again."
        )
    lines = (
        f"(SELECT count(*) FROM {quoted(relation + '_text')}) + (SELECT count(DISTINCT line) FROM {rejects})"
    )
    reaches_end = last - 1 >= connection.execute(f"SELECT {lines}").fetchall()[0][0]
    if ends_open and reaches_end and kind in ("MISSING COLUMNS", "INVALID ENCODING"):
        raise SourceError(
            f"{name}: ends in the middle of row {last - 1:,} ('{beginning}'); the file was cut. Export it again."
        )
    encoding = connection.execute(
        f"SELECT min(line) FROM {rejects} WHERE error_type = 'INVALID ENCODING'"
    ).fetchall()[0][0]
    if encoding is not None:
        raise _NotUtf8(f"{name}: not UTF-8 (first seen in row {encoding - 1:,}). Export it as CSV in UTF-8.")
    reasons = " ".join(
        f"WHEN {literal(error)} THEN {literal(reason)}" for error, reason in _LINE_REASONS.items()
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {refused} AS SELECT line - 1 AS row, "
        f"CASE min(error_type::VARCHAR) {reasons} ELSE 'unreadable_line' END AS reason, min(csv_line) AS text FROM {rejects} GROUP BY line"
    )
    return int(connection.execute(f"SELECT count(*) FROM {refused}").fetchall()[0][0])


_LINE_REASONS = {
    "MISSING COLUMNS": "too_few_columns",
    "TOO MANY COLUMNS": "too_many_columns",
    "UNQUOTED VALUE": "broken_quotes",
    "LINE SIZE OVER MAXIMUM": "line_too_long",
}


def _number_rows(connection: duckdb.DuckDBPyConnection, relation: str, refused: int) -> None:
    """Rows lie in the order of the file; a row after a refused line keeps the number it has there."""
    text, view = quoted(relation + "_text"), quoted(relation)
    connection.execute(f"DROP VIEW IF EXISTS {view}")
    if not refused:
        connection.execute(f"CREATE TEMP VIEW {view} AS SELECT rowid + 1 AS _row, * FROM {text}")
        return
    ahead = f"(SELECT row - row_number() OVER (ORDER BY row) AS after, row_number() OVER (ORDER BY row) AS lines FROM {quoted(relation + '_refused')})"
    ahead = f"(SELECT after, max(lines) AS lines FROM {ahead} GROUP BY after)"
    connection.execute(
        f"CREATE TEMP VIEW {view} AS SELECT read.* REPLACE (read._row + coalesce(ahead.lines, 0) AS _row) "
        f"FROM (SELECT rowid + 1 AS _row, * FROM {text}) AS read ASOF LEFT JOIN {ahead} AS ahead ON read._row > ahead.after"
    )


def first_line(error: Exception) -> str:
    """The gist of an engine's message."""
    return str(error).strip().splitlines()[0][:160]
