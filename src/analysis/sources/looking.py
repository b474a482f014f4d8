"""A first look at every file of a folder: how it is written, where its header stands, and its first rows; or why it cannot be read."""

from __future__ import annotations

import itertools
import os
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from analysis.errors import SourceError
from analysis.sources.cells import Cell, cell_text
from analysis.sources.databases import Databases
from analysis.sources.encodings import find_encoding, likely_encoding
from analysis.sources.excel import WORKBOOKS, is_text, open_sheet
from analysis.sources.kinds import is_readable, parts_of
from analysis.sources.lakes import lake_kind
from analysis.sources.reading import FileForm, Input, find_inputs, open_rows

#: Rows looked at: enough for days behind the twelfth, which tell day from month.
LOOKED_AT = 20_000
#: Tables of a database looked at, and rows of all of them together.
MOST_TABLES, ALL_ROWS = 100, 1_000_000
MOST_TITLES = 15
#: What is written as text, so that its encoding, its separator and lines above the header are to be found.
TEXTS = (".csv", ".txt", ".tsv", ".xls")


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen of a file, or of a table of a database (which has no ``pattern``): how it is written, its header, and the first rows below it."""

    form: dict[str, object]
    remarks: dict[str, str]
    header: list[str]
    rows: list[list[Cell]]
    pattern: str
    file: str
    part: str = ""
    above: tuple[str, ...] = ()

    @property
    def origin(self) -> dict[str, str]:
        """How a lookup names it."""
        parts = {key: str(self.form[key]) for key in ("sheet", "database_table") if key in self.form}
        return ({"file": self.file} if self.pattern else {}) | parts

    @property
    def name(self) -> str:
        """What the file's name says of its content; that of a sheet or a table in it where there are several."""
        return self.part or Path(self.file).name.partition(".")[0]


@dataclass(kw_only=True)
class Looked:
    """What was looked at, and what was not with the reason."""

    looks: list[Look] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def look_through(folder: Path) -> Looked:
    """A look at every file; one that cannot be read is named with its reason."""
    draft = Looked()
    if kind := lake_kind(folder):
        raise SourceError(
            f"{folder.name}: a table of the kind {kind} itself. Name the folder in which it lies, so that a map can name the table."
        )
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "_")):
            continue
        if path.is_dir() and not is_readable(path):
            draft.looks.extend(_parts(path, folder, draft))
            continue
        if not is_readable(path):
            draft.remarks.append(f"# {path.name}: doubt: not looked at: no kind of file that is read here")
            continue
        try:
            for look in _looks(path, folder, draft):
                draft.looks.append(look)
        except SourceError as error:
            draft.remarks.append(f"# {path.name}: doubt: not looked at: {error}")
    draft.looks = _told_apart(draft.looks)
    return draft


def _told_apart(looks: list[Look]) -> list[Look]:
    """Files of one pattern that have other columns are other files: each is then named as it is called."""
    headers: dict[str, set[tuple[str, ...]]] = {}
    for look in looks:
        for pattern in {one.pattern for one in looks if one.part == look.part}:
            if fnmatchcase(look.file, pattern):
                headers.setdefault(pattern, set()).add(tuple(look.header))
    return [
        replace(look, pattern=literal(look.file)) if len(headers.get(look.pattern, ())) > 1 else look
        for look in looks
    ]


def _parts(path: Path, folder: Path, draft: Looked) -> Iterator[Look]:
    """One look at each lake table of a folder and at each kind of file beside them, as the first of its files shows it."""
    lakes = _lakes_in(path)
    for lake in lakes:
        yield from _lake(lake, folder, draft)
    files = [file for file in _files_in(path) if not any(file.is_relative_to(lake) for lake in lakes)]
    if not lakes and not files:
        draft.remarks.append(
            f"# {path.name}: doubt: not looked at: a folder without a file that is read here"
        )
    patterns = _patterns(files, path, folder, apart=bool(lakes))
    if len(patterns) > MOST_TABLES:
        draft.remarks.append(
            f"# {path.name}: doubt: {len(patterns) - MOST_TABLES:,} more kinds of file were not looked at; put those that are meant beside the others"
        )
    for pattern, part in patterns[:MOST_TABLES]:
        try:
            inputs = find_inputs(folder, pattern, "*")
            for given in (one for one in inputs if one.path == inputs[0].path):
                for stated in parts_of(given.path, given.name):
                    look = _look(given, stated)
                    yield replace(look, pattern=pattern, file=pattern, part=look.part or part)
        except SourceError as error:
            draft.remarks.append(f"# {path.name}: doubt: not looked at: {error}")


def _files_in(path: Path) -> list[Path]:
    """The files of a folder at any depth that could be read, without those whose folders are meant for nobody."""
    found = sorted(file for file in path.rglob("*") if file.is_file() and is_readable(file))
    return [file for file in found if not any(one[0] in "._" for one in file.relative_to(path).parts)]


def _patterns(files: Collection[Path], path: Path, folder: Path, *, apart: bool) -> list[tuple[str, str]]:
    """(pattern, name of the table) of the files of a folder: one for its Parquet parts, unless they have other columns, one for each name of the others.

    ``apart``: Parquet parts of each folder by themselves, as where a lake table lies among them.
    """
    parts: dict[Path, Path] = {}
    others: dict[str, str] = {}
    for file in files:
        place = _place(file, path)
        if file.suffix.lower() == ".parquet":
            parts.setdefault(place, file)
        else:
            others[f"{literal(place.relative_to(folder).as_posix())}/**/{_pattern(file.name)}"] = ""
    if parts and not apart and len({tuple(_columns(file)) for file in parts.values()}) == 1:
        parts = {path: next(iter(parts.values()))}
    of_parts = {}
    for place in parts:
        above = any(other != place and other.is_relative_to(place) for other in parts)
        of_parts[f"{literal(place.relative_to(folder).as_posix())}/{'' if above else '**/'}*.parquet"] = (
            place.name
        )
    return [*of_parts.items(), *others.items()]


def _columns(file: Path) -> list[str]:
    """The columns of a Parquet file; none of one that cannot be read, which is said where it is."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return list(pq.read_schema(file).names)
    except (pa.ArrowException, OSError):
        return []


def _place(file: Path, top: Path) -> Path:
    """The folder of a file that names its table: not one that states a column (``month=2026-10``) or a day (``2026/10``)."""
    place = file.parent
    while place != top and ("=" in place.name or re.fullmatch(r"[\d_.-]+", place.name)):
        place = place.parent
    return place


def _lakes_in(path: Path) -> list[Path]:
    """The lake tables of a folder at any depth, sorted; what lies in one is its own."""
    found: list[Path] = []
    for parent, folders, _ in os.walk(path):
        lakes = {one for one in folders if lake_kind(Path(parent, one))}
        found += [Path(parent, one) for one in lakes]
        folders[:] = [one for one in folders if one not in lakes and one[0] not in "._"]
    return sorted(found)


def _lake(lake: Path, folder: Path, draft: Looked) -> Iterator[Look]:
    name = lake.relative_to(folder).as_posix()
    try:
        (given,) = find_inputs(folder, literal(name), "*")
        yield replace(_look(given, {}), pattern=literal(name), file=name, part=lake.name)
    except SourceError as error:
        draft.remarks.append(f"# {name}: doubt: not looked at: {error}")


def look_into(variable: str) -> Looked:
    """A look at every table of the database whose address the environment variable holds."""
    draft = Looked()
    with Databases() as databases:
        tables = databases.tables(variable)
        most = min(LOOKED_AT, ALL_ROWS // max(min(len(tables), MOST_TABLES), 1))
        for schema, table in tables[:MOST_TABLES]:
            try:
                header, rows = databases.first_rows(variable, schema, table, most)
            except SourceError as error:
                draft.remarks.append(f"# {schema}.{table}: doubt: not looked at: {error}")
                continue
            name = f"{schema}.{table}"
            form: dict[str, object] = {"database_table": name}
            draft.looks.append(
                Look(form=form, remarks={}, header=header, rows=rows, pattern="", file=name, part=table)
            )
    if rest := tables[MOST_TABLES:]:
        shown = ", ".join(".".join(one) for one in rest[:5])
        draft.remarks.append(
            f"# doubt: {len(rest):,} more tables were not looked at ({shown} …); let the account read only those that are meant"
        )
    return draft


def _looks(path: Path, folder: Path, draft: Looked) -> Iterator[Look]:
    """One look a file, a sheet or a member of an archive."""
    for given in find_inputs(folder, literal(path.name), "*"):
        for part in parts_of(path, path.name):
            try:
                yield _look(given, part)
            except SourceError as error:
                named = " ".join((given.name, *(f"({one})" for one in part.values())))
                draft.remarks.append(f"# {named}: doubt: not looked at: {error}")


def _kind(given: Input) -> str:
    """``text``, ``sheet`` or ``table`` (Parquet, JSON, databases, lakes: their columns have names of their own)."""
    kind = Path(given.member).suffix.lower() if given.member else given.path.suffix.lower()
    if kind == ".gz":
        kind = Path(given.path.stem).suffix.lower() or ".csv"
    if kind in TEXTS and (kind != ".xls" or is_text(given.path)):
        return "text"
    return "sheet" if kind in WORKBOOKS else "table"


def _look(given: Input, part: Mapping[str, str]) -> Look:
    form: dict[str, object] = dict(part)
    remarks: dict[str, str] = {}
    kind = _kind(given)
    if given.member:
        form["member"] = literal(given.member)
        remarks["member"] = "say which members are meant; *.csv means all of them"
    elif kind == "text" and given.path.suffix.lower() != ".gz":
        encoding, why = _encoding(given)
        if why:
            form["encoding"] = encoding
            remarks["encoding"] = why
    written = FileForm(**part, **{name: form[name] for name in ("encoding",) if name in form})  # type: ignore[arg-type]
    if kind != "table":
        skip, separator = _first_line(given, written, kind)
        if skip:
            form["skip_lines"] = skip
            remarks["skip_lines"] = "what stands above is taken for a title"
        if separator not in ("", ","):
            form["separator"] = separator
        written = replace(written, skip_lines=skip, separator=separator)
    with tempfile.TemporaryDirectory() as work, open_rows(written, given, work=Path(work)) as rows:
        found = [row for row in itertools.islice(rows.rows, LOOKED_AT) if len(row) == len(rows.header)]
        _refuse_wrapped(given, rows.header, found)
        return Look(
            form=form,
            remarks=remarks,
            header=rows.header,
            rows=found,
            above=tuple(rows.above),
            pattern=_pattern(given.path.name),
            file=given.name,
            part=next(iter(part.values()), ""),
        )


def _refuse_wrapped(given: Input, header: list[str], rows: list[list[Cell]]) -> None:
    """Refuse one object around a list, as a system's API answers: its one row holds all of them."""
    lists = [
        column
        for column, cell in zip(header, rows[0] if len(rows) == 1 else (), strict=False)
        if isinstance(cell, str) and cell.startswith("[{")
    ]
    if lists and _kind(given) == "table":
        raise SourceError(
            f"{given.name}: one object around the list '{lists[0]}'. Save the list itself, or one object a line."
        )


def _encoding(given: Input) -> tuple[str, str]:
    """How a text is written, and what is to be checked about it; blank for UTF-8."""
    try:
        encoding = find_encoding(given.path, given.name)
    except SourceError:
        likely = likely_encoding(given.path)
        if not likely:
            raise
        return likely, f"it is not UTF-8 and reads best as {likely}; check that the names read well"
    return encoding, "" if encoding == "utf-8" else "it is not UTF-8; check that the names read well"


def _first_line(given: Input, form: FileForm, kind: str) -> tuple[int, str]:
    """(lines above the header, separator): the header is the first line with nearly as many cells as any of the first lines has."""
    best: tuple[int, int, str] = (0, 0, "")
    for separator in ("",) if kind == "sheet" else (",", ";", "\t", "|"):
        counts = _cells_of_first_lines(given, replace(form, separator=separator))
        if counts and max(counts) > best[0]:
            skip = next(number for number, count in enumerate(counts) if count >= 0.6 * max(counts))
            best = (max(counts), skip, separator)
    return _with_empty_lines(given, form, kind, best[1]), best[2]


def _cells_of_first_lines(given: Input, form: FileForm) -> list[int]:
    """How many cells of each of the first lines hold something; empty lines of a text are none."""
    nameless = replace(form, header=tuple(f"c{number}" for number in range(200)))
    try:
        with tempfile.TemporaryDirectory() as work, open_rows(nameless, given, work=Path(work)) as rows:
            first = itertools.islice(rows.rows, MOST_TITLES)
            return [sum(1 for cell in row if cell_text(cell)) for row in first]
    except SourceError:
        return []


def _with_empty_lines(given: Input, form: FileForm, kind: str, skip: int) -> int:
    """Lines above the header, the empty ones among them."""
    if given.member or given.path.suffix.lower() == ".gz":
        return skip
    first = _first_texts(given, form) if kind == "text" else _first_rows(given, form)
    filled = [number for number, line in enumerate(first) if line.strip("\ufeff \r\n\t,;|")]
    return filled[skip] if skip < len(filled) else skip


def _first_texts(given: Input, form: FileForm) -> list[str]:
    encoding = find_encoding(given.path, given.name) if form.encoding == "found" else form.encoding
    with given.path.open(encoding=encoding, errors="replace") as file:
        return list(itertools.islice(file, 4 * MOST_TITLES))


def _first_rows(given: Input, form: FileForm) -> list[str]:
    with open_sheet(given.path, given.name, form.sheet) as sheet:
        return ["".join(map(cell_text, row)) for row in itertools.islice(sheet.rows, 4 * MOST_TITLES)]


def literal(name: str) -> str:
    """A pattern that fits this name alone."""
    return re.sub(r"([\[\]*?])", r"[\1]", name)


def _pattern(name: str) -> str:
    """The name with its dates and numbers left open, so that next month's file is read too."""
    stem, dot, rest = name.partition(".")
    opened = re.sub(r"\d{4}[-_]?\d{0,2}[-_]?\d{0,2}", "*", stem)
    return f"{opened}{dot}{rest}"
