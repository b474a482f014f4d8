"""The store: validated tables as Parquet by month, what was quarantined, and the manifest that ties them together.

A Parquet file's name carries a hash of its content, and the manifest is replaced by one rename. So a reader that holds a
manifest sees either exactly the rows it names or a missing file, never a mixture; two processes may open a store at once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from analysis.errors import ContractError, DaysOnly, MissingData, SourceError
from analysis.params.places import locked_by
from analysis.periods import Month
from analysis.sources.fingerprint import fingerprint, unsealed, with_seal
from analysis.sources.sql import literal, quoted
from analysis.tables.contract import contract
from analysis.tables.rows import derived_columns

if TYPE_CHECKING:
    import pandas as pd

MANIFEST = "tables.json"
QUARANTINE = "_quarantine"
#: What stands for personal data in examples.
MASK = "•••"
#: Goes up when the shape of the manifest or of the stored files changes.
STORE_VERSION = 4


@dataclass(frozen=True, kw_only=True)
class TableCheck:
    """One question asked of a table on its way in, with its answer in both languages."""

    id: str
    table: str
    outcome: Literal["passed", "failed", "info"]
    reason_code: str
    count: int
    example: str
    message_en: str
    message_zh: str


@dataclass(frozen=True, kw_only=True)
class FileWaterfall:
    """Where a file's rows went: ``rows_read == accepted + quarantined + exact_duplicates``, always."""

    file: str
    file_hash: str
    rows_read: int
    accepted: int
    quarantined: int
    exact_duplicates: int

    def __post_init__(self) -> None:
        if self.rows_read != self.accepted + self.quarantined + self.exact_duplicates:
            raise ContractError(
                f"{self.file}: rows do not add up: {self.rows_read} read, but {self.accepted} accepted, {self.quarantined} "
                f"quarantined and {self.exact_duplicates} exact duplicates. This is a fault of the program; please report it."
            )


@dataclass(frozen=True, kw_only=True)
class Partition:
    """Validated rows of one month (``month`` None: the whole table). Rows are sorted by the table's key."""

    month: Month | None
    path: Path
    rows: int
    content_hash: str
    last_recorded_at: dt.datetime | None


@dataclass(frozen=True, kw_only=True)
class TableInfo:
    """One canonical table as it stands in the store. ``columns_present``: columns a source file actually has."""

    name: str
    present: bool
    columns_present: frozenset[str] = frozenset()
    rows: int = 0
    content_hash: str = ""
    partitions: tuple[Partition, ...] = ()
    waterfall: tuple[FileWaterfall, ...] = ()
    personal: frozenset[str] = frozenset()

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(partition.path for partition in self.partitions)

    @property
    def months(self) -> tuple[Month, ...]:
        """Months that have rows, oldest first; empty for tables kept whole."""
        return tuple(partition.month for partition in self.partitions if partition.month is not None)


@dataclass(frozen=True, eq=False, kw_only=True)
class TableSet:
    """Every canonical table of one load. Reads nothing until asked; safe to share between threads."""

    store: Path
    tables: Mapping[str, TableInfo]
    checks: tuple[TableCheck, ...]
    content_hash: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, store: Path) -> TableSet:
        """The tables as they were last loaded, without reading a source again."""
        manifest = read_manifest(store)
        if manifest is None or harmed(store, manifest):
            raise SourceError(
                f"{store}: holds no validated tables (no readable {MANIFEST}). Run the load first."
            )
        return table_set(store, manifest)

    def __getitem__(self, name: str) -> TableInfo:
        return self.tables[name]

    def has(self, *names: str) -> bool:
        """Whether every table (``surveys``) or column (``surveys.score``) is there."""
        return not self.missing(*names)

    def missing(self, *names: str) -> tuple[str, ...]:
        """Those of ``names`` that no source gave; a name the contract does not know is refused."""
        return tuple(name for name in names if not self._given(name))

    def require(self, *names: str) -> None:
        """Raise :class:`MissingData` naming every table or column that is absent."""
        missing = self.missing(*names)
        if missing:
            raise MissingData(*missing)

    @cached_property
    def days_only(self) -> frozenset[str]:
        """Columns such as ``tickets.resolved_at`` of which every moment is the start of a day, as the load found and said."""
        kind = "days_only"
        return frozenset(
            one.id.removeprefix("tables.").replace(f".{kind}", "", 1)
            for one in self.checks
            if one.reason_code == kind
        )

    def require_clock(self, *columns: str) -> None:
        """Raise where a column is absent (:class:`MissingData`) or carries days only (:class:`DaysOnly`): hours cannot be read from it."""
        self.require(*columns)
        if days := [name for name in columns if name in self.days_only]:
            raise DaysOnly(*days)

    def scan(self, name: str) -> str:
        """A table as an SQL source for DuckDB, typed and empty where the table is absent or has no rows."""
        info = self.tables[name]
        if info.partitions:
            return f"read_parquet([{', '.join(literal(str(path)) for path in info.paths)}], hive_partitioning = false)"
        table = contract().tables[name]
        types = {column.name: column.engine_type for column in table.columns.values()} | derived_columns(
            table
        )
        return f"(SELECT {', '.join(f'CAST(NULL AS {kind}) AS {quoted(column)}' for column, kind in types.items())} WHERE false)"

    @cached_property
    def quarantine(self) -> pd.DataFrame:
        """One row per fault: `table`, `file`, `row_number`, `scope` (``row``: the row was set aside; ``value``: only the value),
        `column`, `reason`, `example` (the value as the file gives it; personal data masked)."""
        import pandas as pd
        import pyarrow.parquet as pq

        frames = []
        for name in self.tables:
            path = quarantine_path(self.store, name)
            if path.is_file():
                frame: pd.DataFrame = pq.read_table(
                    path, columns=["file", "row_number", "scope", "column", "reason", "value"]
                ).to_pandas()
                frame = frame.rename(columns={"value": "example"})
                personal = frame["column"].isin(self.tables[name].personal)
                frame["example"] = frame["example"].mask(personal, MASK)
                frame.insert(0, "table", name)
                frames.append(frame)
        if not frames:
            return pd.DataFrame(
                columns=["table", "file", "row_number", "scope", "column", "reason", "example"]
            )
        kept: pd.DataFrame = pd.concat(frames, ignore_index=True)
        return kept

    @cached_property
    def quarantine_by_reason(self) -> pd.DataFrame:
        """Faults counted: `table`, `file`, `scope`, `column`, `reason`, `rows`, `example` (the first)."""
        by = ["table", "file", "scope", "column", "reason"]
        grouped = self.quarantine.groupby(by, sort=True, dropna=False)
        return grouped.agg(rows=("row_number", "nunique"), example=("example", "first")).reset_index()

    def _given(self, name: str) -> bool:
        table, _, column = name.partition(".")
        if column:
            contract().column(name)
        elif table not in self.tables:
            contract().column(f"{table}.")
        info = self.tables[table]
        return info.present and (not column or column in info.columns_present)


def quarantine_path(store: Path, table: str) -> Path:
    """What was set aside of a table: `file`, `row_number`, `scope`, `column`, `reason`, `value`, `original` (the row as JSON)."""
    return store / QUARANTINE / f"{table}.parquet"


def staged_quarantine(store: Path, table: str) -> Path:
    """The same while the load is not yet known to succeed."""
    return store / QUARANTINE / f".{table}.parquet"


def read_manifest(store: Path) -> dict[str, Any] | None:
    """The manifest, or None where there is none that this version can trust."""
    try:
        path = store / MANIFEST
        manifest = unsealed(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError):
        return None
    if manifest is None or manifest.get("store_version") != STORE_VERSION:
        return None
    return manifest if manifest.get("contract") == contract().content_hash else None


def write_manifest(store: Path, manifest: Mapping[str, Any]) -> None:
    write_atomically(store / MANIFEST, json.dumps(with_seal(manifest), ensure_ascii=False, indent=1))


def bytes_of(store: Path, manifest: Mapping[str, Any]) -> dict[str, str]:
    """The hash of every file that the manifest names, by its path."""
    return {path: fingerprint(file) for path, file in _stored_files(store, manifest)}


def harmed(store: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Files of the store that are not, or not as they were written: no name and no date is believed, only bytes."""
    named = {path for path, _ in _stored_files(store, manifest)}
    found = [path for path in sorted(named - set(manifest["bytes"]))]
    for path, digest in sorted(manifest["bytes"].items()):
        file = store / path
        if path not in named or not file.is_file() or fingerprint(file) != digest:
            found.append(path)
    return found


def _stored_files(store: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """Every file that the manifest names, with where it lies now (a quarantine of this load still under its working name)."""
    for name, entry in manifest["tables"].items():
        for part in entry["partitions"]:
            yield part["path"], store / part["path"]
        if entry["has_quarantine"]:
            staged, settled = staged_quarantine(store, name), quarantine_path(store, name)
            yield settled.relative_to(store).as_posix(), staged if staged.exists() else settled


def table_set(store: Path, manifest: Mapping[str, Any]) -> TableSet:
    """The manifest's tables as objects."""
    tables = {name: _table_info(store, name, manifest["tables"].get(name)) for name in contract().tables}
    checks = tuple(
        TableCheck(**check) for name in ("", *contract().tables) for check in manifest["checks"].get(name, [])
    )
    return TableSet(
        store=store,
        tables=tables,
        checks=checks,
        content_hash=manifest["content_hash"],
        settings=manifest["settings"],
    )


def _table_info(store: Path, name: str, entry: Mapping[str, Any] | None) -> TableInfo:
    personal = contract().tables[name].personal
    if entry is None:
        return TableInfo(name=name, present=False, personal=personal)
    partitions = stored_partitions(store, entry)
    return TableInfo(
        name=name,
        present=True,
        columns_present=frozenset(entry["columns_present"]),
        rows=sum(partition.rows for partition in partitions),
        content_hash=entry["content_hash"],
        partitions=partitions,
        waterfall=tuple(FileWaterfall(**item) for item in entry["waterfall"]),
        personal=personal,
    )


def stored_partitions(store: Path, entry: Mapping[str, Any]) -> tuple[Partition, ...]:
    """The partitions that a table's entry in the manifest names."""
    return tuple(
        Partition(
            month=Month.parse(item["month"]) if item["month"] else None,
            path=store / item["path"],
            rows=item["rows"],
            content_hash=item["content_hash"],
            last_recorded_at=dt.datetime.fromisoformat(item["last_recorded_at"])
            if item["last_recorded_at"]
            else None,
        )
        for item in entry["partitions"]
    )


def partition_entry(partition: Partition, store: Path) -> dict[str, Any]:
    entry = asdict(partition)
    return entry | {
        "month": str(partition.month) if partition.month else None,
        "path": partition.path.relative_to(store).as_posix(),
        "last_recorded_at": partition.last_recorded_at.isoformat() if partition.last_recorded_at else None,
    }


def table_hash(partitions: Iterable[Partition]) -> str:
    """Hash of a table's content: its months and their rows, whatever files they came from."""
    lines = (f"{partition.month}:{partition.rows}:{partition.content_hash}\n" for partition in partitions)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def write_atomically(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Only one process at a time may write the store; the lock goes with the process that holds it."""
    store.mkdir(parents=True, exist_ok=True)
    with locked_by(store / ".lock"):
        yield
