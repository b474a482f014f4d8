"""An Iceberg table as its newest snapshot has it, wherever the folder was copied to.

A table states every file by its place on the machine that wrote it. What lies under the table's own ``location`` there is looked for under
the folder here, and nothing else is opened: no store, no catalog and no file outside the folder. After the Iceberg Table Spec
(iceberg.apache.org/spec): "Version hint", "Column Projection", "Scan Planning" (which deletes hold for which data files).
"""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa
from pyiceberg.avro.file import AvroFile
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io import FileIO, InputFile, OutputFile
from pyiceberg.io.pyarrow import ArrowScan, PyArrowFileIO, _read_deletes
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestEntry, read_manifest_list
from pyiceberg.schema import Schema
from pyiceberg.table import FileScanTask
from pyiceberg.table.metadata import TableMetadata, TableMetadataUtil

from analysis.errors import SourceError
from analysis.sources.safety import plain_errors

if TYPE_CHECKING:
    from pyiceberg.types import NestedField


def iceberg_rows(
    folder: Path, name: str, states: Sequence[Path]
) -> tuple[list[str], Iterator[pa.RecordBatch]]:
    """Columns and batches of rows of the newest snapshot, deleted rows left out; ``states`` are the table's metadata files.

    Raises SourceError where a file that the snapshot needs is not in the folder, where two files claim to be the newest metadata, for a
    table that the package cannot read, and where the rows are not as many as the manifests count.
    """
    with _iceberg_errors(name):
        metadata = _newest_metadata(states, name)
        files = _Files(metadata.location, folder, name)
        snapshot = metadata.current_snapshot()
        entries = list(_entries(files, snapshot.manifest_list)) if snapshot else []
        data = [entry for entry in entries if entry.data_file.content == DataFileContent.DATA]
        data.sort(key=lambda entry: (_sequence(entry), entry.data_file.file_path))
        for entry in entries:  # what is not there is said before the first row is read
            files.path(entry.data_file.file_path)
        deleted = _Deleted(metadata, files)
        for entry in entries:
            deleted.add(entry)
        header = [column.name for column in metadata.schema().columns]
        return header, _rows(metadata, files, data, deleted, name)


def _entries(files: _Files, manifests: str) -> Iterator[ManifestEntry]:
    """The files that a snapshot has, of rows and of deletes; refused where a list of them was cut."""
    files.refuse_cut(manifests)
    for manifest in read_manifest_list(files.new_input(manifests)):
        files.refuse_cut(manifest.manifest_path)
        found = manifest.fetch_manifest_entry(files)
        counted = (manifest.added_files_count, manifest.existing_files_count)
        if None not in counted and len(found) != sum(count or 0 for count in counted):
            raise ValueError(
                f"{files.shown(manifest.manifest_path)} names {len(found):,} files, not as many as are counted"
            )
        yield from found


def _rows(
    metadata: TableMetadata, files: _Files, data: list[ManifestEntry], deleted: _Deleted, name: str
) -> Iterator[pa.RecordBatch]:
    """The rows, one data file after the other; those without deletes by value must be as many as the manifest counts."""
    for entry in data:
        with _iceberg_errors(name):
            positions = deleted.positions(entry)
            equal = deleted.equal(entry)
            due = entry.data_file.record_count - len(positions)
            found = 0
            for batch in _batches(metadata, files, entry.data_file, positions, equal):
                found += batch.num_rows
                for one in equal:
                    batch = one.without(batch)
                yield batch.select([column.name for column in metadata.schema().columns])
            if found != due:
                raise SourceError(
                    f"{name}: the table counts {due:,} rows in {files.shown(entry.data_file.file_path)}, {found:,} were read. Copy the whole table again."
                )


def _batches(
    metadata: TableMetadata,
    files: FileIO,
    file: DataFile,
    positions: Collection[int] = (),
    equal: Collection[_Equal] = (),
) -> Iterator[pa.RecordBatch]:
    """The rows of one data file under the table's columns of today, and those that deletes ask for beside them."""
    columns = {column.field_id: column for column in metadata.schema().columns}
    for one in equal:
        columns |= {column.field_id: column for column in one.columns if column.field_id not in columns}
    scan = ArrowScan(metadata, files, Schema(*columns.values()), AlwaysTrue())
    gone = (
        {file.file_path: [pa.chunked_array([pa.array(sorted(positions), pa.int64())])]} if positions else {}
    )
    # A file at a time and a batch at a time: the public way reads whole files, several at once.
    yield from scan._record_batches_from_scan_tasks_and_deletes([FileScanTask(file)], gone)


# ---------------------------------------------------------------- deletes


@dataclass(frozen=True)
class _Equal:
    """Rows of older files that have the same values in these columns are deleted; nothing equals nothing there."""

    columns: tuple[NestedField, ...]
    values: frozenset[tuple[Any, ...]]

    def without(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        cells = [batch.column(column.name).to_pylist() for column in self.columns]
        return batch.filter(
            pa.array([row not in self.values for row in zip(*cells, strict=True)], pa.bool_())
        )


@dataclass
class _Deleted:
    """Which rows the delete files of a snapshot take out of which data files."""

    metadata: TableMetadata
    files: _Files
    by_position: dict[str, list[tuple[int, pa.ChunkedArray]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    by_value: list[tuple[ManifestEntry, _Equal]] = field(default_factory=list)

    def add(self, entry: ManifestEntry) -> None:
        if entry.data_file.content == DataFileContent.POSITION_DELETES:
            read = _read_deletes(self.files, entry.data_file)
            if (
                entry.data_file.file_format != FileFormat.PUFFIN
            ):  # which holds vectors of other entries as well
                self._refuse_other(sum(map(len, read.values())), entry.data_file)
            for path, positions in read.items():
                # Writers spell one place as s3:// and s3a://, as /path and file:/path.
                self.by_position[_plain(path)].append((_sequence(entry), positions))
        elif entry.data_file.content == DataFileContent.EQUALITY_DELETES:
            columns = tuple(self._column(number) for number in entry.data_file.equality_ids or ())
            if not columns:
                raise ValueError("a file of deleted values that names no column")
            values = list(self._values(entry.data_file, columns))
            self._refuse_other(len(values), entry.data_file)
            self.by_value.append((entry, _Equal(columns, frozenset(values))))

    def _refuse_other(self, read: int, file: DataFile) -> None:
        if read != file.record_count:
            raise ValueError(
                f"{self.files.shown(file.file_path)} names {read:,} deleted rows, the table counts {file.record_count:,}"
            )

    def positions(self, data: ManifestEntry) -> set[int]:
        """Places of deleted rows in a data file, from 0; a delete holds for files of its own commit and of earlier ones."""
        found = self.by_position.get(_plain(data.data_file.file_path), ())
        rows = range(data.data_file.record_count)
        return {
            place
            for sequence, positions in found
            if sequence >= _sequence(data)
            for place in positions.to_pylist()
            if place in rows
        }

    def equal(self, data: ManifestEntry) -> list[_Equal]:
        """Deletes by value that hold for a data file: of later commits, and of its partition or of a table without any."""
        return [equal for entry, equal in self.by_value if self._concerns(entry.data_file, entry, data)]

    def _concerns(self, deletes: DataFile, entry: ManifestEntry, data: ManifestEntry) -> bool:
        everywhere = self.metadata.specs()[deletes.spec_id].is_unpartitioned()
        same = deletes.spec_id == data.data_file.spec_id and deletes.partition == data.data_file.partition
        return _sequence(entry) > _sequence(data) and (everywhere or same)

    def _column(self, number: int) -> NestedField:
        """The column of this number, also one that the table no longer has, under a name that no other has."""
        for schema in (self.metadata.schema(), *reversed(self.metadata.schemas)):
            for column in schema.columns:
                if column.field_id == number:
                    known = schema is self.metadata.schema() or schema == self.metadata.schema()
                    return column if known else column.model_copy(update={"name": f"deleted by {number}"})
        raise ValueError(
            f"a file of deleted values asks for column number {number}, which the table does not have"
        )

    def _values(self, file: DataFile, columns: tuple[NestedField, ...]) -> Iterator[tuple[Any, ...]]:
        scan = ArrowScan(self.metadata, self.files, Schema(*columns), AlwaysTrue())
        for batch in scan._record_batches_from_scan_tasks_and_deletes([FileScanTask(file)], {}):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _sequence(entry: ManifestEntry) -> int:
    """The number of the commit that brought a file; tables of the first format have none."""
    return entry.sequence_number or 0


# ---------------------------------------------------------------- files


class _Files(FileIO):
    """Reads a table's files in the folder where it lies now, by the names they had in the old place; writes nothing."""

    def __init__(self, location: str, folder: Path, name: str) -> None:
        super().__init__()
        self.location, self.folder, self.name = _plain(location).rstrip("/") + "/", folder.resolve(), name

    def path(self, location: str) -> Path:
        """Where the file lies. Raises SourceError for one that is outside the table's folder, or lost."""
        place = _plain(location)
        if not place.startswith(self.location):
            raise SourceError(
                f"{self.name}: the table names a file outside its folder, so it was not read ({place.rpartition('/')[2]}). "
                "Rewrite the table's files into its own folder, or export its rows as Parquet or CSV."
            )
        inside = place.removeprefix(self.location)
        for spelled in (inside, unquote(inside)):
            path = (self.folder / spelled).resolve()
            if path.is_file() and path.is_relative_to(self.folder):
                return path
        raise SourceError(
            f"{self.name}: {self.shown(location)} is not there, and the table's newest rows need it. Copy the whole table's folder again."
        )

    def refuse_cut(self, location: str) -> None:
        """Raises ValueError for a list of files that does not end as it must: the package reads as far as it comes, and says nothing."""
        with AvroFile[Any](self.new_input(location)) as lists:
            whole = self.path(location).read_bytes().endswith(lists.header.sync)
        if not whole:
            raise ValueError(f"{self.shown(location)} was cut")

    def shown(self, location: str) -> str:
        """The file's name as a reader of the folder knows it."""
        return f"{self.name}/{_plain(location).removeprefix(self.location)}"

    def new_input(self, location: str) -> InputFile:
        return PyArrowFileIO().new_input(str(self.path(location)))

    def new_output(self, location: str) -> OutputFile:
        raise NotImplementedError(location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        raise NotImplementedError(str(location))


def _plain(location: str) -> str:
    """A place without the scheme before it: ``s3a://bucket/table`` and ``s3://bucket/table`` are one."""
    return re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*:/*|^/+", "", location)


def _newest_metadata(files: Sequence[Path], name: str) -> TableMetadata:
    """The metadata that holds. Where two of the newest version name different snapshots, only the catalog knows which it is."""
    found = [(path, _text(path)) for path in _newest_files(files)]
    states = [(path, json.loads(text), text) for path, text in found]
    if len({state.get("current-snapshot-id") for _, state, _ in states}) > 1 and _version(found[0][0]) >= 0:
        raise SourceError(
            f"{name}: metadata/{found[0][0].name} and metadata/{found[1][0].name} both claim to be the table's newest state. "
            "Ask the catalog which one holds, and take the other out of the folder."
        )
    newest = max(
        states,
        key=lambda one: (
            one[1].get("last-sequence-number", 0),
            one[1].get("last-updated-ms", 0),
            one[0].name,
        ),
    )
    return TableMetadataUtil.parse_raw(newest[2])


def _newest_files(files: Sequence[Path]) -> list[Path]:
    """The metadata files of the newest version: as version-hint.text says, or a later one that follows without a gap; else the highest."""
    versions: dict[int, list[Path]] = defaultdict(list)
    for path in files:
        versions[_version(path)].append(path)
    hint = files[0].with_name("version-hint.text")
    hinted = hint.read_text(encoding="utf-8", errors="replace").strip() if hint.is_file() else ""
    if hinted.isdecimal() and int(hinted) in versions:
        version = int(hinted)
        while version + 1 in versions:
            version += 1
        return versions[version]
    named = [
        path for path in files if hinted and hinted in (path.name, path.name.partition(".metadata.json")[0])
    ]
    return named or versions[max(versions)]


def _version(path: Path) -> int:
    """The number in ``v3.metadata.json`` or ``00003-….metadata.json``; -1 where there is none."""
    number = re.match(r"v?(\d+)", path.name)
    return int(number[1]) if number else -1


def _text(path: Path) -> str:
    """A metadata file's text; ``.gz`` stands before the ending or behind it."""
    content = path.read_bytes()
    return (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode("utf-8")


def _iceberg_errors(name: str) -> AbstractContextManager[None]:
    # over a damaged file, or a feature that it does not know, the package raises errors of any kind
    return plain_errors(name, "Iceberg", Exception)
