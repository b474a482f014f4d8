"""Columns that a file does not have, found in other files of the folder before its rows are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from analysis.sources.cells import Cell, cell_text
from analysis.sources.keys import Keys, joined_key
from analysis.sources.maps import Lookup, several
from analysis.sources.reading import Rows, require_columns


def with_found(name: str, rows: Rows, lookups: Mapping[str, Lookup], found: Mapping[str, Keys]) -> Rows:
    """Rows with the looked-up columns behind; one may be looked up by another that stands before it."""
    header = list(rows.header)
    keys: list[tuple[list[int], Keys]] = []
    for column, lookup in lookups.items():
        require_columns(name, several(lookup.by), header)
        keys.append(([header.index(part) for part in several(lookup.by)], found[column]))
        header.append(column)

    def completed() -> Iterator[list[Cell]]:
        for row in rows.rows:
            if len(row) != len(rows.header):
                yield [*row, *[""] * len(keys)]  # a line of another width stays one
                continue
            for places, known in keys:
                row.append(known.get(joined_key(cell_text(row[place]) for place in places), ""))
            yield row

    return replace(rows, header=header, rows=completed())
