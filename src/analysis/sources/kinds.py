"""What can be read at all, and what one file holds that can be read by itself: for those who look at a folder nobody has described."""

from __future__ import annotations

from pathlib import Path

from analysis.sources.databasefiles import DATABASES, is_database, table_names
from analysis.sources.excel import WORKBOOKS, is_text, sheet_names
from analysis.sources.jsonrows import JSON
from analysis.sources.lakes import lake_kind

#: Endings of the files that a map can read; lake tables are folders besides (see ``is_readable``).
READABLE_KINDS = (".csv", ".txt", ".tsv", ".parquet", ".gz", ".zip", *JSON, *WORKBOOKS, *DATABASES)


def is_readable(path: Path) -> bool:
    """Whether a map can name this file, or this folder (a lake table)."""
    return path.suffix.lower() in READABLE_KINDS if path.is_file() else bool(lake_kind(path))


def parts_of(path: Path, name: str) -> tuple[dict[str, str], ...]:
    """What a map states to read each table of a file: ``{"sheet": …}``, ``{"database_table": …}``, or nothing where there is only one.

    Raises SourceError for a file that is not what its name says.
    """
    key, names = "", tuple[str, ...]()
    if path.is_file() and is_database(path):
        key, names = "database_table", table_names(path, name)
    elif path.is_file() and path.suffix.lower() in WORKBOOKS and not is_text(path):
        key, names = "sheet", sheet_names(path, name)
    return tuple({key: one} for one in names) if len(names) > 1 else ({},)
