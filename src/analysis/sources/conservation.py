"""Whether every line of a text file was read: counted a second time, by another and simpler rule than the parser's.

A stray quote swallows whole rows: the parser takes them for one long text, or for one bad line. What it returns always adds up, so
that is no proof. Here the lines of the file that are not empty are counted as bytes; each must be the header's, a row's, a
refused line's or stand inside quotes, and a line inside quotes must not look like a row.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import SourceError
from analysis.sources.sql import quoted

if TYPE_CHECKING:
    import duckdb

BLOCK = 1 << 22
LINE_BREAK = re.compile(r"\r\n|\n|\r")
SAMPLE = 2_000  # rows that show what the first column of this file looks like
COMMON = 0.01  # a form of the first column that fewer rows have is no form of it


def filled_lines(path: Path) -> int:
    """Lines of a file that are not empty, whatever the line breaks; quotes play no part."""
    import numpy as np

    count, before = 0, True
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            data = np.frombuffer(block, dtype=np.uint8)
            breaks = (data == 10) | (data == 13)
            after_break = np.concatenate([[before], breaks[:-1]])
            count += int(np.count_nonzero(~breaks & after_break))
            before = bool(breaks[-1])
    return count


def form_of(text: str) -> str:
    """What an identifier looks like: runs of digits as 9, runs of letters as a; empty for a text without a digit."""
    found = re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", text.strip()))
    return found if "9" in found else ""


class FirstColumn:
    """What the first column of a file usually looks like, from its first rows."""

    def __init__(self) -> None:
        self._found: Counter[str] = Counter()
        self._rows = 0

    def see(self, text: str | None) -> None:
        if self._rows < SAMPLE:
            self._rows += 1
            self._found[form_of(text or "")] += 1

    def begins(self, text: str) -> bool:
        """Whether a text looks like an entry of the column; a form that few rows have is none of it."""
        form = form_of(text)
        return bool(form) and self._found[form] >= max(1, COMMON * self._rows)


def swallowed(values: Sequence[str | None], separator: str, first: FirstColumn) -> tuple[int, str] | None:
    """How many lines inside the values of one row are rows themselves, and the first of them.

    A line is one when it splits into as many columns as the file has (the last line of a value: into as many as come up to this
    one) and begins with what the first column of this file looks like.
    """
    found: list[str] = []
    for place, value in enumerate(values):
        if not value or ("\n" not in value and "\r" not in value):
            continue
        _, *lines, last = LINE_BREAK.split(value)
        expected = [*((line, len(values)) for line in lines), (last, place + 1)]
        found += [
            line
            for line, columns in expected
            if columns > 1 and line.count(separator) == columns - 1 and first.begins(line.split(separator)[0])
        ]
    return (len(found), found[0]) if found else None


def swallowed_error(name: str, row: int, lines: int, example: str) -> SourceError:
    beginning = " ".join(example[:60].split())
    return SourceError(
        f"{name}: row {row:,} opens a quote that is closed only further down; {lines:,} line{'s' if lines > 1 else ''} inside it "
        f"look{'' if lines > 1 else 's'} like rows of their own ('{beginning}'). A quote is missing or one too many in that row; "
        "mend it in the source and export again. Nothing was read from the file."
    )


def prove_lines(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    name: str,
    scan: str,
    header: Sequence[str],
    separator: str,
    rows: int,
    refused: str,
) -> None:
    """Refuse a file of which not every line is accounted for.

    Parameters
    ----------
    path : the file as the engine read it
    scan : table function that reads the rows that could be split, with the columns c0, c1, …
    rows : rows that could be split
    refused : table of refused lines with ``row`` and ``text``; empty where there are none

    Raises
    ------
    SourceError : a quote swallowed rows, or a line is in neither
    """
    aside = _refused_lines(connection, name, refused) if refused else 0
    heading = 1 + sum(map(lines_inside, header))
    there = filled_lines(path)
    # of a single column an empty line is a row without a value
    if there == heading + rows + aside or len(header) == 1:
        return
    inside = _lines_in_values(connection, name, scan, len(header), separator)
    if there != heading + rows + aside + inside:
        raise SourceError(
            f"{name}: {there:,} lines are in the file, but {heading + rows + aside + inside:,} were read (header {heading:,}, rows {rows:,}, "
            f"refused {aside:,}, inside quotes {inside:,}). Nothing was used. Export the list again."
        )


def _refused_lines(connection: duckdb.DuckDBPyConnection, name: str, refused: str) -> int:
    """Number of refused lines; one that spans several lines opened a quote too many."""
    aside, spanning, text = connection.execute(
        f"SELECT count(*), arg_min(row, row) FILTER (spans), arg_min(text, row) FILTER (spans) "
        f"FROM (SELECT *, contains(trim(text, chr(10) || chr(13)), chr(10)) AS spans FROM {quoted(refused)})"
    ).fetchall()[0]
    if spanning is not None:
        lines = LINE_BREAK.split(str(text).strip("\r\n"))
        raise swallowed_error(name, int(spanning), len(lines) - 1, lines[1])
    return int(aside)


def _lines_in_values(
    connection: duckdb.DuckDBPyConnection, name: str, scan: str, columns: int, separator: str
) -> int:
    """Lines that stand inside quotes, none of which looks like a row."""
    cells = [f"c{index}" for index in range(columns)]
    broken = " OR ".join(f"contains({cell}, chr(10)) OR contains({cell}, chr(13))" for cell in cells)
    first = FirstColumn()
    for (text,) in connection.execute(f"SELECT c0 FROM {scan} LIMIT {SAMPLE}").fetchall():
        first.see(text)
    found = connection.execute(
        f"SELECT row, {', '.join(cells)} FROM (SELECT row_number() OVER () AS row, * FROM {scan}) WHERE {broken}"
    )
    inside = 0
    while part := found.fetchmany(10_000):
        for row, *values in part:
            if hidden := swallowed(values, separator, first):
                raise swallowed_error(name, int(row), *hidden)
            inside += sum(map(lines_inside, values))
    return inside


def lines_inside(value: str | None) -> int:
    """Lines that are not empty which a value adds to the one it begins on."""
    if not value or ("\n" not in value and "\r" not in value):
        return 0
    _, *lines, _ = LINE_BREAK.split(value)
    return 1 + sum(bool(line) for line in lines)
