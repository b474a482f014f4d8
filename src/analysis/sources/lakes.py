"""Folders of Parquet files: parts by the values in their folders' names, and lake tables, whose files are not their rows.

A lake table (Delta Lake, Iceberg, Hudi) keeps the files of rows that were deleted or changed; only its log says which hold. Such a folder
is never read as plain Parquet, whichever way a pattern comes to it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from analysis.errors import SourceError
from analysis.sources.safety import plain_errors, refuse_outside

if TYPE_CHECKING:
    import pyarrow as pa

#: How Hive and its heirs write that a part has no value.
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
#: The kinds of lake table that are read, and the package that reads each.
_PACKAGES = {"Delta Lake": "deltalake", "Iceberg": "pyiceberg"}


def lake_kind(folder: Path) -> str:
    """The kind of lake table that a folder is; empty for any other."""
    if (folder / "_delta_log").is_dir():
        return "Delta Lake"
    if (folder / ".hoodie").is_dir():
        return "Hudi"
    return "Iceberg" if _iceberg_metadata(folder) else ""


def _iceberg_metadata(folder: Path) -> list[Path]:
    """The metadata files of an Iceberg table, one for each of its states; some are packed, with ``.gz`` before the ending or behind it."""
    metadata = folder / "metadata"
    return sorted([*metadata.glob("*.metadata.json"), *metadata.glob("*.metadata.json.gz")])


def refuse_lake_part(path: Path, name: str) -> None:
    """Refuse a Parquet file that belongs to a lake table, in whatever folder above it the table begins, also behind a link."""
    if path.suffix.lower() != ".parquet":
        return
    for place in {path.absolute(), Path(os.path.realpath(path))}:
        for folder in place.parents:
            if kind := lake_kind(folder):
                raise SourceError(
                    f"{name}: a file of the {kind} table '{folder.name}', which keeps files of rows that were deleted or changed, so it is not read by itself. "
                    f"{_instead(kind, folder.name)}"
                )


def _instead(kind: str, table: str) -> str:
    if kind in _PACKAGES:
        return f"Name the table's folder in the map (file: {table})."
    return "Export the table's rows as Parquet or CSV."


def refuse_lake_links(folder: Path, within: Path, name: str) -> None:
    """Refuse a lake table with a file that a link takes out of the data folder."""
    for path in (folder, *folder.rglob("*")):
        refuse_outside(path, within, f"{name}/{path.relative_to(folder).as_posix()}".removesuffix("/."))


def partitions_of(name: str) -> dict[str, str]:
    """Columns that the folders of a file's name state: ``tickets/month=2026-10/part-0.parquet`` gives the text 2026-10 for month."""
    stated = (part.partition("=") for part in PurePosixPath(name).parts[:-1] if "=" in part)
    return {
        unquote(column): "" if value == _NO_VALUE else unquote(value) for column, _, value in stated if column
    }


def lake_rows(folder: Path, name: str) -> tuple[list[str], Iterator[pa.RecordBatch]]:
    """Columns and batches of rows of a lake table as its newest version has them.

    Raises SourceError for a kind of lake table that is not read, without the package that reads it, for a table it cannot read as it
    stands, for one that names files elsewhere, and where the rows are not as many as the table counts.
    """
    kind = lake_kind(folder)
    if kind not in _PACKAGES:
        raise SourceError(
            f"{name}: a table of the kind {kind}, which is not read, and its files are not its rows. {_instead(kind, name)}"
        )
    try:
        import_module(_PACKAGES[kind])
    except ImportError:
        raise SourceError(
            f"{name}: the {kind} table needs the package {_PACKAGES[kind]}. Install the project with its extra 'lake', or export the table's rows as Parquet or CSV."
        ) from None
    if kind == "Iceberg":
        from analysis.sources.iceberg import iceberg_rows

        return iceberg_rows(folder, name, _iceberg_metadata(folder))
    return _delta_rows(folder, name)


def _delta_rows(folder: Path, name: str) -> tuple[list[str], Iterator[pa.RecordBatch]]:
    from deltalake import DeltaTable

    with _delta_errors(name):
        table = DeltaTable(folder)
        _refuse_elsewhere(table.file_uris(), folder, name)
        dataset = table.to_pyarrow_dataset()
        counted = list(table.get_add_actions(flatten=True).column("num_records").to_pylist())
        return list(dataset.schema.names), _all_of(dataset.to_batches(), counted, name)


def _refuse_elsewhere(files: Iterable[str], folder: Path, name: str) -> None:
    """A log may name any file of the machine, or of a network."""
    for file in files:
        if "://" in file or not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(folder)):
            raise SourceError(
                f"{name}: the table's log names a file outside its folder, so it was not read. Copy the whole table into the folder."
            )


def _all_of(
    batches: Iterator[pa.RecordBatch], counted: Sequence[int | None], name: str
) -> Iterator[pa.RecordBatch]:
    """The batches; their rows must be as many as the log counts, where it counts them all."""
    rows = 0
    with _delta_errors(name):
        for batch in batches:
            rows += batch.num_rows
            yield batch
    there = sum(count or 0 for count in counted)
    if None not in counted and rows != there:
        raise SourceError(
            f"{name}: the table's log counts {there:,} rows, {rows:,} were read. Export its rows as Parquet or CSV."
        )


def _delta_errors(name: str) -> AbstractContextManager[None]:
    import pyarrow as pa
    from deltalake.exceptions import DeltaError

    return plain_errors(name, "Delta Lake", DeltaError, pa.ArrowException, OSError, ValueError, LookupError)
