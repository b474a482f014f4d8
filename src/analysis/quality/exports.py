"""What a source map did with the rows of each export: written to a table, or left out by a rule the map states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from analysis.metrics import StudyInputs
from analysis.results import Check, Fact, Sentence


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


@dataclass(frozen=True, kw_only=True)
class ExportRows:
    """One export and one table it feeds: read = written + left out."""

    table: str
    file: str
    rows: dict[str, Fact]


def exports(inputs: StudyInputs, mapped: Sequence[MappedRows]) -> tuple[ExportRows, ...]:
    found = []
    for number, entry in enumerate(mapped):
        counts = {"read": entry.read, "mapped": entry.mapped, "left_out": entry.left_out}
        place = {"table": entry.table, "file": entry.file, "entry": str(number + 1)}
        rows = {
            outcome: inputs.engine.stated(
                "export_rows", period=inputs.month, value=count, dimensions={"outcome": outcome, **place}
            )
            for outcome, count in counts.items()
        }
        found.append(ExportRows(table=entry.table, file=entry.file, rows=rows))
    return tuple(found)


def exports_conserved(exports: Sequence[ExportRows]) -> list[Check]:
    """The law of the map, on the numbers that are printed; nothing where there is no map."""
    lost = [
        one
        for one in exports
        if one.rows["read"].value != int(one.rows["mapped"].value or 0) + int(one.rows["left_out"].value or 0)
    ]
    if lost:
        sentence = Sentence(
            "Rows of {file} do not add up: read is not written plus left out by the map.",
            {"file": lost[0].file},
        )
        return [Check(id="exports_conserved", outcome="failed", blocking=True, sentence=sentence)]
    if not exports:
        return []
    return [
        Check(
            id="exports_conserved",
            outcome="passed",
            sentence=Sentence(
                "Every row of the exports was written to a table or left out by a stated rule of the map."
            ),
        )
    ]
