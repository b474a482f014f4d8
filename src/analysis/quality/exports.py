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
    "not in the file": Text(en="not in the file; made without it", zh="文件中没有该列，未生成"),
    "no such file": Text(en="no such file; made without it", zh="没有该文件，未生成"),
    "words not listed, taken as": Text(en="words not listed, taken as", zh="未列出的取值，归为"),
    "error cells taken as empty": Text(en="error cells taken as empty", zh="错误单元格按空值处理"),
    "no row fits the map's rule": Text(en="the rule keeps no row", zh="按该规则没有一行被保留"),
    "fits two formats": Text(en="fits two of the stated date formats", zh="符合两种所列日期格式"),
    "day and month exchanged": Text(en="day and month exchanged", zh="日与月互换"),
    "local time that occurs twice": Text(en="local time that occurs twice", zh="因调时重复的当地时间"),
    "local time that the clocks skipped": Text(
        en="local time that the clocks skipped", zh="因调时跳过的当地时间"
    ),
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
    rest = kind[len(start) :].strip(" ;'") if start.endswith("taken as") else ""
    return Text(en=f"{_SAID[start].en} {rest}".strip(), zh=f"{_SAID[start].zh}{f' {rest}' if rest else ''}")


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
