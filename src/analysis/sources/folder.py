"""A folder of canonical tables: one file ``tickets.csv`` or a sub-folder ``tickets/`` for each table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import SourceError, suggestion
from analysis.params.places import is_folder, is_plain
from analysis.sources.excel import WORKBOOKS
from analysis.sources.jsonrows import JSON
from analysis.sources.lakes import lake_kind, refuse_lake_links, refuse_lake_part
from analysis.sources.safety import refuse_outside

READABLE = (".csv", ".parquet", *JSON, *WORKBOOKS)


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file that feeds one table. ``name`` is its path inside the folder, as reports print it."""

    table: str
    name: str
    path: Path


@dataclass(frozen=True, kw_only=True)
class SourceFolder:
    """What lies in a folder: files by table, and names that no table has."""

    files: tuple[SourceFile, ...]
    unknown: tuple[tuple[str, str], ...]  # (name, the closest table name or "")


def scan_folder(folder: Path, tables: Collection[str]) -> SourceFolder:
    """Files of the known tables, sorted by name; hidden entries and those starting with ``_`` are left alone.

    Two sources for one table (``tickets.csv`` beside ``tickets.parquet``) are refused: both would be counted.
    """
    if not is_folder(folder, name=folder.name, refusal=SourceError):
        raise SourceError(
            f"{folder.name}: no such folder. Name a folder of tables such as tickets.csv, ledger.parquet or customers/*.csv."
        )
    files: list[SourceFile] = []
    unknown: list[tuple[str, str]] = []
    sources: dict[str, str] = {}
    for entry in sorted(folder.iterdir(), key=lambda path: path.name):
        if entry.name.startswith((".", "_")):
            continue
        named_as_file = entry.suffix in READABLE
        table = entry.stem if named_as_file else entry.name
        if table not in tables or not (named_as_file or _is_table_folder(entry)):
            unknown.append((entry.name, _closest(entry.stem, tables)))
            continue
        if table in sources:
            raise SourceError(
                f"{table}: two sources, {sources[table]} and {entry.name}; their rows would be counted twice. Keep one."
            )
        sources[table] = entry.name
        files += (
            [SourceFile(table=table, name=entry.name, path=entry)]
            if named_as_file or lake_kind(entry)
            else _members(table, entry, unknown)
        )
    for file in files:
        if lake_kind(file.path):
            refuse_lake_links(file.path, folder, file.name)
            continue
        is_plain(file.path, name=file.name, refusal=SourceError)
        refuse_outside(file.path, folder, file.name)
        refuse_lake_part(file.path, file.name)
    return SourceFolder(files=tuple(files), unknown=tuple(unknown))


def _is_table_folder(entry: Path) -> bool:
    """Whether what is named as a table is a folder; a plain file of that name has an ending that is not read, and is no table."""
    return not entry.is_file() and is_folder(entry, name=entry.name, refusal=SourceError)


def _members(table: str, folder: Path, unknown: list[tuple[str, str]]) -> list[SourceFile]:
    """The files of a table's sub-folder, at any depth."""
    members = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if any(part.startswith((".", "_")) for part in inside.parts):
            continue
        name = f"{table}/{inside.as_posix()}"
        if path.suffix not in READABLE and path.is_dir():
            continue
        if path.suffix in READABLE:
            members.append(SourceFile(table=table, name=name, path=path))
        else:
            unknown.append((name, ""))
    return members


def _closest(stem: str, tables: Collection[str]) -> str:
    return suggestion(stem.lower(), tables).removeprefix(" Did you mean '").removesuffix("'?")
