"""Source maps: how one company's exports become canonical tables, stated in ``params/sources/<name>.yml`` and never guessed.

Each entry reads files of one kind and writes one canonical table as CSV beside the others; the load then proves it like any
other source. No row is lost: a row is written, or left out by a stated rule and counted. A value that a stated format does not fit is
passed on as it is, so that the proof refuses it with its reason.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Literal, TextIO

from analysis.errors import ParameterError, SourceError, suggestion
from analysis.params.strict import bind, params_root, read_yaml

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """A value found in another file of the folder: the row of ``file`` whose ``key`` equals this row's ``by`` gives ``take``."""

    file: str
    by: str
    key: str
    take: str


@dataclass(frozen=True, kw_only=True)
class MapEntry:
    """Files of one kind and the table they feed; two entries may name the same file, or the same table.

    ``columns``: canonical column to source column. ``constants``: canonical column to a fixed value. ``values``: for a canonical
    column, source word to canonical word ("" stands for an empty value). ``dates``: for a canonical column, the format its source
    column is in, such as ``%d/%m/%Y``. ``joined``: source columns written one after the other with a dash between, for a key of two parts.
    ``less``: for a canonical column of ``columns``, a source column to take off it (debit less credit; empty is nothing). ``numbers``: canonical columns with thousands marks, full-width digits or negatives in brackets.
    ``only``: source columns and the values a row must have; ``without``: values it must not have (``C*``: beginning with C).
    ``first_of``: of the rows with the same values in these canonical columns only the first is written (customers named by every order).
    Rows left out by these rules are counted. ``numbered``: for a canonical column, the canonical columns within whose values its rows are
    counted from 1 (two rows of one invoice are its lines 1 and 2). ``header``: names for the columns of a file that has none.
    A ``separator`` that is one blank stands for any run of blanks.
    """

    table: str
    file: str
    columns: dict[str, str]
    encoding: Literal["utf-8", "gb18030"] = "utf-8"
    separator: str = ","
    skip_lines: int = 0
    joined: dict[str, tuple[str, ...]] = field(default_factory=dict)
    less: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    numbers: tuple[str, ...] = ()
    only: dict[str, tuple[str, ...]] = field(default_factory=dict)
    without: dict[str, tuple[str, ...]] = field(default_factory=dict)
    first_of: tuple[str, ...] = ()
    numbered: dict[str, tuple[str, ...]] = field(default_factory=dict)
    header: tuple[str, ...] = ()
    lookups: dict[str, Lookup] = field(default_factory=dict)

    @property
    def canonical(self) -> tuple[str, ...]:
        return (*self.columns, *self.joined, *self.lookups, *self.constants, *self.numbered)


@dataclass(frozen=True, kw_only=True)
class SourceMap:
    """``params/sources/<name>.yml``."""

    about: str
    tables: tuple[MapEntry, ...]
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class MappedFile:
    """Where the rows of one source file went: ``read == mapped + left_out``."""

    table: str
    file: str
    read: int
    mapped: int
    left_out: int


def load_map(name: str, tables: Mapping[str, tuple[str, ...]], *, path: Path | None = None) -> SourceMap:
    """The map of this name; ``tables`` are the canonical tables with their columns. Unknown names are refused with a suggestion."""
    path = path or params_root() / "sources" / f"{name}.yml"
    found = bind(SourceMap, read_yaml(path) | {"name": name}, f"sources/{path.name}")
    for entry in found.tables:
        _check_entry(entry, tables, f"sources/{path.name}: {entry.table}")
    return found


def _check_entry(entry: MapEntry, tables: Mapping[str, tuple[str, ...]], place: str) -> None:
    if entry.table not in tables:
        raise ParameterError(f"{place}: no such table.{suggestion(entry.table, tables)}")
    for column in entry.canonical:
        if column not in tables[entry.table]:
            raise ParameterError(f"{place}: column '{column}' is not in the contract.{suggestion(column, tables[entry.table])}")
        if entry.canonical.count(column) > 1:
            raise ParameterError(f"{place}: column '{column}' is given twice, by columns, lookups or constants; keep one.")
    counted = [column for columns in entry.numbered.values() for column in columns]
    for column in (*entry.values, *entry.dates, *entry.numbers, *entry.less, *entry.first_of, *counted):
        if column not in entry.canonical or column in entry.numbered:
            raise ParameterError(f"{place}: '{column}' has a rule but no source.{suggestion(column, entry.canonical)}")
    for pattern in (entry.file, *(lookup.file for lookup in entry.lookups.values())):
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            raise ParameterError(f"{place}: file '{pattern}' leaves the data folder; name a file inside it.")


def apply_map(source_map: SourceMap, folder: Path, target: Path) -> tuple[MappedFile, ...]:
    """Write the canonical tables of ``folder`` into ``target`` (``tickets/0-export.csv``). The same files give the same bytes.

    Raises SourceError where a file or a column the map names is not there.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder.name}: no such folder. Name the folder that holds the exports.")
    mapped: list[MappedFile] = []
    written: set[Path] = set()
    for number, entry in enumerate(source_map.tables):
        paths = sorted(path for path in folder.glob(entry.file) if path.is_file())
        if not paths:
            names = [path.name for path in folder.iterdir()]
            raise SourceError(f"{entry.file}: no such file for {entry.table} (map '{source_map.name}').{suggestion(entry.file, names)}")
        for path in paths:
            out = target / entry.table / f"{number}-{path.relative_to(folder).as_posix().replace('/', '-')}.csv"
            mapped.append(_map_file(entry, path, folder, out))
            written.add(out)
    for stale in set(target.rglob("*.csv")) - written:
        stale.unlink()
    return tuple(mapped)


def _map_file(entry: MapEntry, path: Path, folder: Path, out: Path) -> MappedFile:
    lookups = {column: _lookup(entry, lookup, folder) for column, lookup in entry.lookups.items()}
    read = mapped = 0
    seen: Counter[tuple[str, ...]] = Counter()
    out.parent.mkdir(parents=True, exist_ok=True)
    building = out.with_name(f"_{out.name}.{os.getpid()}")
    try:
        with _rows(entry, path) as (header, rows), building.open("w", encoding="utf-8", newline="") as file:
            index = {name: header.index(name) for name in header}
            needed = [*entry.columns.values(), *entry.less.values(), *entry.only, *entry.without, *(lookup.by for lookup in entry.lookups.values())]
            needed += [name for names in entry.joined.values() for name in names]
            _require(path.name, needed, header)
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(entry.canonical)
            for row in rows:
                read += 1
                if len(row) != len(header):
                    # The proof refuses a line of another width, whatever the width of the canonical table.
                    writer.writerow(["broken line", *row, *[""] * len(entry.canonical)])
                    mapped += 1
                    continue
                if not _wanted(entry, row, index):
                    continue
                given = [row[index[column]] for column in entry.columns.values()]
                given += ["-".join(row[index[name]].strip() for name in names) for names in entry.joined.values()]
                given += [lookups[column].get(row[index[lookup.by]], "") for column, lookup in entry.lookups.items()]
                values = [_value(entry, column, text) for column, text in zip(entry.canonical, given, strict=False)]
                for column, name in entry.less.items():
                    place = entry.canonical.index(column)
                    values[place] = _difference(values[place], _value(entry, column, row[index[name]]))
                written = dict(zip(entry.canonical, [*values, *entry.constants.values()], strict=False))
                if entry.first_of and not _first(entry.first_of, written, seen):
                    continue
                writer.writerow([*written.values(), *(_number(column, within, written, seen) for column, within in entry.numbered.items())])
                mapped += 1
        building.replace(out)
    finally:
        building.unlink(missing_ok=True)
    return MappedFile(table=entry.table, file=path.relative_to(folder).as_posix(), read=read, mapped=mapped, left_out=read - mapped)


def _wanted(entry: MapEntry, row: list[str], index: Mapping[str, int]) -> bool:
    """Whether the rules keep the row."""
    kept = all(_is_one_of(row[index[column]].strip(), allowed) for column, allowed in entry.only.items())
    return kept and not any(_is_one_of(row[index[column]].strip(), refused) for column, refused in entry.without.items())


def _is_one_of(text: str, values: tuple[str, ...]) -> bool:
    return any(text.startswith(value[:-1]) if value.endswith("*") else text == value for value in values)


def _first(columns: tuple[str, ...], row: Mapping[str, str], seen: Counter[tuple[str, ...]]) -> bool:
    key = ("", *(row[column] for column in columns))
    seen[key] += 1
    return seen[key] == 1


def _number(column: str, within: tuple[str, ...], row: Mapping[str, str], seen: Counter[tuple[str, ...]]) -> str:
    key = (column, *(row[name] for name in within))
    seen[key] += 1
    return str(seen[key])


def _value(entry: MapEntry, column: str, text: str) -> str:
    text = text.strip()
    if column in entry.values:
        text = entry.values[column].get(text, text)
    if column in entry.numbers:
        text = plain_number(text)
    if column in entry.dates and text:
        text = _iso(text, entry.dates[column])
    return text


def plain_number(text: str) -> str:
    """``（１,234.50）`` as ``-1234.50``: full-width digits, thousands marks in groups of three, negatives in brackets. Else as it is."""
    plain = unicodedata.normalize("NFKC", text).strip().lstrip("¥$€£").strip()
    negative = plain.startswith("(") and plain.endswith(")")
    digits = plain[1:-1].strip() if negative else plain
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", digits):
        digits = digits.replace(",", "")
    if not _NUMBER.fullmatch(digits) or (negative and digits[0] in "+-"):
        return text
    return f"-{digits}" if negative else digits


def _difference(text: str, less: str) -> str:
    """The first amount less the second; a text that is no number is passed on, for the proof to refuse."""
    for given in (text, less):
        if given and not _NUMBER.fullmatch(given):
            return given
    return str(Decimal(text or "0") - Decimal(less or "0")) if text or less else ""


def _iso(text: str, form: str) -> str:
    try:
        moment = dt.datetime.strptime(text, form)
    except ValueError:
        return text
    clock = any(mark in form for mark in ("%H", "%I", "%X", "%T"))
    return moment.isoformat(sep=" ") if clock else moment.date().isoformat()


def _lookup(entry: MapEntry, lookup: Lookup, folder: Path) -> dict[str, str]:
    path = folder / lookup.file
    if not path.is_file():
        raise SourceError(f"{lookup.file}: no such file; {entry.table} looks values up in it.")
    with _rows(entry, path) as (header, rows):
        _require(path.name, (lookup.key, lookup.take), header)
        key, take = header.index(lookup.key), header.index(lookup.take)
        found: dict[str, str] = {}
        for row in rows:
            if len(row) != len(header):
                continue
            if found.setdefault(row[key], row[take]) != row[take]:
                raise SourceError(f"{path.name}: {lookup.key} '{row[key]}' stands twice with different {lookup.take}; the lookup is ambiguous.")
    return found


def _require(file: str, columns: Iterable[str], header: list[str]) -> None:
    for column in columns:
        if column not in header:
            raise SourceError(
                f"{file}: column '{column}' is not there; the vendor may have renamed it.{suggestion(column, header)} "
                f"The file has: {', '.join(header[:12])}{' …' if len(header) > 12 else ''}."
            )


@contextmanager
def _rows(entry: MapEntry, path: Path) -> Iterator[tuple[list[str], Iterator[list[str]]]]:
    """The header and the rows of a CSV file in the stated encoding; blank lines are no rows."""
    encoding = "utf-8-sig" if entry.encoding == "utf-8" else entry.encoding
    with path.open(encoding=encoding, newline="") as file:
        _skip(file, entry.skip_lines)
        reader = csv.reader(file, delimiter=entry.separator, skipinitialspace=entry.separator == " ", strict=True)
        try:
            header = list(entry.header) or [name.strip().lstrip("\ufeff") for name in next(reader, [])]
            if not header:
                raise SourceError(f"{path.name}: the file is empty, without even a header. Export it again.")
            yield header, (row for row in reader if row)
        except UnicodeDecodeError as error:
            raise SourceError(f"{path.name}: not {entry.encoding} (byte {error.start + 1:,}). State its encoding in the map.") from error
        except csv.Error as error:
            raise SourceError(f"{path.name}: line {reader.line_num:,} is not readable as CSV ({error}). Export it again.") from error


def _skip(file: TextIO, lines: int) -> None:
    for _ in range(lines):
        file.readline()
