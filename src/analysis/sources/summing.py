"""Rows that a system writes apart and the table has as one: an account's total by business area, a month's hours day by day."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Sequence
from decimal import Decimal
from pathlib import Path

from analysis.sources.amounts import is_plain_number
from analysis.sources.rowmapping import MapNote

_Key = tuple[tuple[str, str], ...]


class Sums:
    """Adds up the stated columns of rows that are alike in all others, over all files of an entry.

    A sum stands in the file in which its first row was met; of nothing but empty cells it is empty. What is held are the sums, not the rows.
    """

    def __init__(self, columns: Collection[str]) -> None:
        self._columns = frozenset(columns)
        self._held: dict[_Key, dict[str, Decimal]] = {}
        self._place: dict[_Key, Path] = {}
        self._header: dict[Path, Sequence[str]] = {}
        self._joined: Counter[Path] = Counter()

    def take(self, out: Path, header: Sequence[str], values: Sequence[str]) -> bool:
        """Whether the row was taken; one whose amount is no number is not, and the proof refuses it."""
        named = dict(zip(header, values, strict=True))
        given = {column: named.pop(column) for column in self._columns if column in named}
        amounts = {column: amount for column, amount in given.items() if amount}
        if not all(map(is_plain_number, amounts.values())):
            return False
        self._header[out] = header
        key = tuple(sorted((column, value) for column, value in named.items() if value))
        if key in self._held:
            self._joined[out] += 1
        self._place.setdefault(key, out)
        held = self._held.setdefault(key, {})
        for column, amount in amounts.items():
            held[column] = held.get(column, Decimal(0)) + Decimal(amount)
        return True

    def notes(self, out: Path) -> tuple[MapNote, ...]:
        """How many rows of the file were added to another."""
        count = self._joined[out]
        kind = "rows added to another that is alike in all but its amounts"
        return (MapNote(kind=kind, column="", count=count, example=""),) if count else ()

    def write(self) -> None:
        """Append the sums to the files they belong to."""
        for out, header in self._header.items():
            with out.open("a", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                for key, amounts in self._held.items():
                    if self._place[key] == out:
                        row = dict(key) | {column: format(amount, "f") for column, amount in amounts.items()}
                        writer.writerow(row.get(column, "") for column in header)
