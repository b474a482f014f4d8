"""Where the rows of every file went: read = accepted + quarantined + exact duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analysis.metrics import Stating, StudyInputs
from analysis.metrics.backend import literal
from analysis.periods import Month
from analysis.quality import views
from analysis.results import OPERATIONS, Derived, Fact, Read, Rows
from analysis.summaries import Summarised
from analysis.tables import contract
from analysis.tables.store import FileWaterfall

OUTCOMES = ("read", "accepted", "quarantined", "duplicate")


@dataclass(frozen=True, kw_only=True)
class FileRows(Summarised):
    """One file's rows by outcome."""

    table: str
    file: str
    sha256: str
    rows: dict[str, Fact]


@dataclass(frozen=True, kw_only=True)
class TableSpan(Summarised):
    """A table's rows and the months they cover."""

    table: str
    rows: Fact
    first: Month | None
    last: Month | None
    columns_absent: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Waterfall(Summarised):
    """The files and their sums: ``total`` by outcome, ``read`` and ``duplicate`` rows by table, and the share set aside.

    ``share_by_table`` holds the tables of which rows were set aside: of a small table all may be missing and hardly show in the whole.
    """

    files: tuple[FileRows, ...]
    total: dict[str, Fact]
    read: dict[str, Fact]
    duplicate: dict[str, Fact]
    quarantined_share: Fact
    share_by_table: dict[str, Fact]

    @property
    def worst_table(self) -> tuple[str, Fact] | None:
        """The table of which the largest share was set aside."""
        shares = self.share_by_table.items()
        return max(shares, key=lambda entry: float(entry[1].value or 0), default=None)


def waterfall(inputs: StudyInputs) -> Waterfall:
    """The rows of every file of the run by what became of them.

    Returns
    -------
    Waterfall
        Counts in rows; ``quarantined_share`` from 0 to 1.
    """
    files = tuple(
        _file_rows(inputs, name, counted)
        for name, info in inputs.engine.tables.tables.items()
        for counted in info.waterfall
    )
    total = {
        outcome: summed(inputs, [file.rows[outcome] for file in files], outcome=outcome)
        for outcome in OUTCOMES
    }
    read, aside = _by_table(inputs, files, "read"), _by_table(inputs, files, "quarantined")
    state = Stating(inputs=inputs)
    return Waterfall(
        files=files,
        total=total,
        read=read,
        duplicate=_by_table(inputs, files, "duplicate"),
        quarantined_share=state.derived("quarantined_share", total["quarantined"], total["read"]),
        share_by_table={
            table: state.derived("quarantined_share", count, read[table], table=table)
            for table, count in aside.items()
            if count.value
        },
    )


def files_of(inputs: StudyInputs, table: str) -> dict[str, str]:
    """The files that a table was read from, each with the SHA-256 of its content."""
    info = inputs.engine.tables.tables.get(table)
    return {file.file: file.file_hash for file in info.waterfall} if info else {}


def spans(inputs: StudyInputs) -> tuple[TableSpan, ...]:
    """Accepted rows and months of every table that is there."""
    return tuple(_span(inputs, name) for name, info in inputs.engine.tables.tables.items() if info.present)


def summed(inputs: StudyInputs, parts: Sequence[Fact], **dimensions: Any) -> Fact:
    """Rows of several files together."""
    value = OPERATIONS["sum"]([part.value or 0 for part in parts]) if parts else 0
    follows = Derived(operation="sum", parents=tuple(parts)) if parts else None
    return Stating(inputs=inputs).exact("source_rows", value, lineage=follows, **dimensions)


def _by_table(inputs: StudyInputs, files: Sequence[FileRows], outcome: str) -> dict[str, Fact]:
    tables = dict.fromkeys(file.table for file in files)
    return {
        table: summed(
            inputs,
            [file.rows[outcome] for file in files if file.table == table],
            outcome=outcome,
            table=table,
        )
        for table in tables
    }


def _file_rows(inputs: StudyInputs, table: str, counted: FileWaterfall) -> FileRows:
    """What was accepted and what was set aside can be listed; what was read, and copies that count once, were only counted."""
    file, engine = counted.file, inputs.engine
    accepted = views.rows_where(engine.accepted(table), f"source_file = {literal(file)}")
    aside = views.set_aside(engine.set_aside(table), "scope = 'row'", f"file = {literal(file)}")
    stated = Stating(inputs=inputs)
    place: dict[str, Any] = {"table": table, "file": file}

    def reading(outcome: str) -> Read:
        return Read(table=table, files={file: counted.file_hash}, outcome=outcome)

    rows = {
        "read": stated.exact(
            "source_rows", counted.rows_read, lineage=reading("read"), outcome="read", **place
        ),
        "accepted": stated.exact(
            "source_rows", counted.accepted, lineage=Rows(numerator=accepted), outcome="accepted", **place
        ),
        "quarantined": stated.exact(
            "source_rows", counted.quarantined, lineage=Rows(numerator=aside), outcome="quarantined", **place
        ),
        "duplicate": stated.exact(
            "source_rows",
            counted.exact_duplicates,
            lineage=reading("duplicate"),
            outcome="duplicate",
            **place,
        ),
    }
    return FileRows(table=table, file=file, sha256=counted.file_hash, rows=rows)


def _span(inputs: StudyInputs, name: str) -> TableSpan:
    info, entry = inputs.engine.tables.tables[name], contract().tables[name]
    months = sorted(info.months)
    follows = Rows(numerator=f"SELECT * FROM {inputs.engine.accepted(name)}")
    return TableSpan(
        table=name,
        rows=Stating(inputs=inputs).exact(
            "source_rows", info.rows, lineage=follows, outcome="accepted", table=name
        ),
        first=months[0] if months else None,
        last=months[-1] if months else None,
        columns_absent=tuple(column for column in entry.columns if column not in info.columns_present),
    )
