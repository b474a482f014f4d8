"""What a source map did with the rows of each export: written to a table, or left out by a rule the map states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from analysis.locale import Text
from analysis.metrics import Stating, StudyInputs
from analysis.results import Fact, Read
from analysis.summaries import Summarised


class MapRemark(Protocol):
    """Something out of the ordinary in one column of an export (``analysis.sources`` writes them; ``count`` 0: the whole column or file)."""

    @property
    def kind(self) -> str: ...
    @property
    def column(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def example(self) -> str: ...


class MappedRows(Protocol):
    """A file of the source folder and where its rows went (``analysis.sources.MappedFile``)."""

    @property
    def table(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def read(self) -> int: ...
    @property
    def mapped(self) -> int: ...
    @property
    def left_out(self) -> int: ...
    @property
    def notes(self) -> Sequence[MapRemark]: ...


@dataclass(frozen=True, kw_only=True)
class ExportRows(Summarised):
    """One export and one table it feeds: read = written + left out."""

    table: str
    file: str
    rows: dict[str, Fact]


#: What a remark begins with, and how it is said; what follows is the word it was taken for.
_SAID = {
    "not in the file": "not in the file; made without it",
    "no such file": "no such file; made without it",
    "words not listed, taken as": "words not listed, taken as",
    "error cells taken as empty": "error cells taken as empty",
    "no row fits the map's rule": "the rule keeps no row",
    "fits two formats": "fits two of the stated date formats",
    "day and month exchanged": "day and month exchanged",
    "local time that occurs twice": "local time that occurs twice",
    "local time that the clocks skipped": "local time that the clocks skipped",
    "lines of closing vouchers left out, told by the profit account": "lines of closing vouchers left out, told by the profit account",
    "lines of closing vouchers left out, told by their wording alone": "lines of closing vouchers left out, told by their wording alone: export the list with all accounts",
    "tickets merged into another left out": "tickets merged into another, left out",
    "lines of totals left out": "lines of totals, left out",
    "rows equal to another in all but": "equal to another row in all but the number that the map gives; kept, have the system's own number exported",
    "values with another decimal mark": "another decimal mark than stated",
    "days in the future under": "days in the future under the stated date format",
    "money with more than two decimals": "money with more than two decimals",
    "money rounded to cents, a half to the even one": "money rounded to cents, a half to the even one; the example ends with what it makes in all",
    "money rounded to cents, a half away from zero": "money rounded to cents, a half away from zero; the example ends with what it makes in all",
    "rows that the sheet hides": "rows that the sheet hides or filters out, read all the same; delete what should not count",
    "rows that stood on two pages": "rows that stood on two pages of a list, so it moved while it was read and may lack others; bound it by a day",
    "rows, a number at which": "a number of rows at which systems cut exports; compare with the count in the system",
}


@dataclass(frozen=True, kw_only=True)
class Remark(Summarised):
    """One remark of the map on one column of an export; ``count`` is None where the whole column or file is meant."""

    table: str
    file: str
    column: str
    kind: Text
    count: Fact | None
    example: str


def remarks(inputs: StudyInputs, mapped: Sequence[MappedRows]) -> tuple[Remark, ...]:
    """What the map took for granted, the most rows first."""
    stated = Stating(inputs=inputs)
    found = [
        Remark(
            table=entry.table,
            file=entry.file,
            column=note.column,
            kind=_said(note.kind),
            example=note.example,
            count=stated.exact(
                "map_remarks",
                note.count,
                lineage=_mapped(entry, note.kind),
                table=entry.table,
                file=entry.file,
                entry=str(number),
                column=note.column,
                remark=note.kind,
            )
            if note.count
            else None,
        )
        for number, entry in enumerate(mapped, start=1)
        for note in entry.notes
    ]
    return tuple(sorted(found, key=lambda one: -int(one.count.value or 0) if one.count else 0))


def _said(kind: str) -> Text:
    start = next((start for start in _SAID if kind.startswith(start)), None)
    if start is None:
        return Text.same(kind)
    said = Text.of(_SAID[start])
    rest = kind[len(start) :].strip(" ;'") if start.endswith("taken as") else ""
    return Text(en=f"{said.en} {rest}".strip(), zh=f"{said.zh} {rest}".strip())


def exports(inputs: StudyInputs, mapped: Sequence[MappedRows]) -> tuple[ExportRows, ...]:
    """Rows of every export and table it feeds, by what the map did with them."""
    stated, found = Stating(inputs=inputs), []
    for number, entry in enumerate(mapped, start=1):
        counts = {"read": entry.read, "mapped": entry.mapped, "left_out": entry.left_out}
        place: dict[str, Any] = {"table": entry.table, "file": entry.file, "entry": str(number)}
        rows = {
            outcome: stated.exact(
                "export_rows", count, lineage=_mapped(entry, outcome), outcome=outcome, **place
            )
            for outcome, count in counts.items()
        }
        found.append(ExportRows(table=entry.table, file=entry.file, rows=rows))
    return tuple(found)


def _mapped(entry: MappedRows, outcome: str) -> Read:
    """The map counts while it reads; the table it wrote is hashed by the load."""
    return Read(table=entry.table, files={entry.file: ""}, outcome=outcome)
