"""Rows of any file an export may come in, as its form states it: CSV in any of its dialects, an Excel sheet, Parquet, packed or not.

A row is a list of cells (see ``cells``) as wide as the header; a line of a text file that is not comes as it is. Nothing larger than a
batch of rows is held, except a workbook, whose format ends at 1,048,576 rows.
"""

from __future__ import annotations

import csv
import itertools
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Literal

from analysis.errors import ParameterError, SourceError, in_quotes, suggestion
from analysis.params.places import is_plain
from analysis.params.strict import Within
from analysis.sources.cells import Cell, Fault, cell_text
from analysis.sources.conservation import FirstColumn, swallowed, swallowed_error
from analysis.sources.databasefiles import is_database, open_database
from analysis.sources.encodings import find_encoding, first_undecodable
from analysis.sources.excel import WORKBOOKS, Sheet, is_text, letters, open_sheet
from analysis.sources.jsonrows import JSON, json_rows
from analysis.sources.keys import Keys, joined_key
from analysis.sources.lakes import lake_kind, lake_rows, partitions_of, refuse_lake_links, refuse_lake_part
from analysis.sources.patterns import part_of, parts_in
from analysis.sources.safety import SIZE_LIMIT_MB, refuse_large, refuse_outside, unpacked, zip_members
from analysis.sources.words import is_total_word

if TYPE_CHECKING:
    import pyarrow as pa

SEPARATORS = (",", ";", "\t", "|")
BATCH_ROWS = 10_000
LONGEST_FIELD = 16_000_000
#: Stands between several patterns of file names, any of which names a file.
BETWEEN_PATTERNS = " | "
#: Lines in which a header is looked for.
MOST_ABOVE = 40
#: Codecs by the names a map may state; ``found`` is what the bytes prove (see ``encodings``).
Encoding = Literal[
    "found",
    "utf-8",
    "gb18030",
    "gbk",
    "big5",
    "cp949",
    "euc_kr",
    "cp932",
    "shift_jis",
    "euc_jp",
    "utf-16",
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp850",
    "cp852",
    "cp866",
    "mac_roman",
]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Columns that hold one kind of value each (``columns``: their names and what each stands for): they become ``label`` and ``value``."""

    label: str
    value: str
    columns: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class FileForm:
    """How a file is written.

    ``encoding``: ``found`` where it is to be proved from the bytes; ``separator``: empty where it is to be found in the header, one blank
    for any run of blanks. ``sheet``: the sheet of a workbook with more than one. ``skip_lines``: lines above the header; ``header_has``: names by
    which the header is known where exports have now one, now three lines above it. ``header``: names for the columns of a file that has
    none. ``header_lines``: 2 where a heading may stand over several columns (本期发生额 over 借方 and 贷方); the names are then both, one after the other. ``called``: a column to its names in other versions of the system; it is read under the first, whichever the file has. ``member``: the files meant in a ``.zip`` (``*.csv``). ``filled``: source columns in which an empty or
    merged cell repeats the one above, as voucher lists write date and number once; merged cells elsewhere are refused. ``counted``: a column
    that the file does not have and the source columns within whose values its rows are counted from 1 (lines of a voucher). ``error_cells``:
    what a workbook's #N/A is in a column the map reads: a refusal, or an empty value that is counted. ``missing``: words that stand in a
    cell where nothing is known (``?``, ``n/a``); such a cell is empty. ``stated_once``: a column that the file does not have, whose value stands
    once for all its rows, above the header or in the file's name, and the patterns that find it there (``As of {}``). ``cut``: columns of which
    a part is meant, by patterns (``{#} *``: the number before an account's name); a value that fits none stays. ``spread``: columns that are the
    values of one (an amount a month side by side); each gives a row of its own. ``database_table`` or ``query``: which rows of a database that is one
    file (SQLite, DuckDB) with more than one table.
    """

    encoding: Encoding = "found"
    separator: str = ""
    sheet: str = ""
    skip_lines: Annotated[int, Within(low=0, high=10_000)] = 0
    header_has: tuple[str, ...] = ()
    header_lines: Annotated[int, Within(low=1, high=2)] = 1
    header: tuple[str, ...] = ()
    called: dict[str, tuple[str, ...]] = field(default_factory=dict)
    member: str = ""
    filled: tuple[str, ...] = ()
    counted: dict[str, tuple[str, ...]] = field(default_factory=dict)
    error_cells: Literal["refused", "empty"] = "refused"
    missing: tuple[str, ...] = ()
    stated_once: dict[str, tuple[str, ...]] = field(default_factory=dict)
    cut: dict[str, tuple[str, ...]] = field(default_factory=dict)
    spread: Spread | None = None
    database_table: str = ""
    query: str = ""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The header and the rows below it. ``ends_open``: whether the last line had no line break; ``hidden``: lines a sheet does not show;
    ``above``: the cells and the lines above the header; ``at``: where the row that was read last stands in the file, blank where it has no lines."""

    header: list[str]
    rows: Iterator[list[Cell]]
    ends_open: bool = False
    hidden: tuple[int, ...] = ()
    above: tuple[str, ...] = ()
    at: Callable[[], str] = str


@dataclass(frozen=True, kw_only=True)
class Input:
    """One file to be read, or one member of an archive. ``name`` is what reports print."""

    path: Path
    name: str
    member: str = ""


def find_inputs(folder: Path, pattern: str, member: str, limit_mb: int = SIZE_LIMIT_MB) -> list[Input]:
    """The files of a folder that a pattern names, sorted; a ``.zip`` stands for its members. What leaves the folder is refused."""
    inputs: list[Input] = []
    for path in sorted({path for one in pattern.split(BETWEEN_PATTERNS) for path in _named_by(folder, one)}):
        name = path.relative_to(folder).as_posix()
        if lake_kind(path):
            refuse_lake_links(path, folder, name)
            inputs.append(Input(path=path, name=name))
            continue
        is_plain(path, name=name, refusal=SourceError)
        refuse_outside(path, folder, name)
        refuse_lake_part(path, name)
        refuse_large(path, name, limit_mb)
        if path.suffix.lower() == ".zip":
            inputs += [
                Input(path=path, name=f"{name}/{item}", member=item)
                for item in zip_members(path, name, member, limit_mb)
            ]
        else:
            inputs.append(Input(path=path, name=name))
    return inputs


def _named_by(folder: Path, pattern: str) -> list[Path]:
    """What a pattern names: files, what stands in a file's place, and lake tables; other folders that a wide pattern catches are none.

    What lies in folders at any depth (``**``) is without the working files of lakes, whose names begin with ``_`` or ``.``; a link to a
    folder is refused there, for it would not be followed and its rows would be missing.
    """
    try:
        found = [path for path in folder.glob(pattern) if path.suffix or not path.is_dir() or lake_kind(path)]
    except (ValueError, NotImplementedError) as error:
        raise ParameterError(
            f"file {in_quotes(pattern)}: not a pattern of file names ({error}); write it as tickets.csv or tickets-*.csv."
        ) from None
    if "**" not in pattern:
        return found
    top = folder / pattern.partition("**")[0].rpartition("/")[0]
    for path in top.rglob("*"):
        if path.is_symlink() and path.is_dir():
            raise SourceError(
                f"{path.relative_to(folder).as_posix()}: a link to a folder, which '{pattern}' does not follow. Copy the folder itself."
            )
    return [path for path in found if not any(part[0] in "._" for part in path.relative_to(top).parts)]


@contextmanager
def open_rows(form: FileForm, given: Input, *, work: Path, limit_mb: int = SIZE_LIMIT_MB) -> Iterator[Rows]:
    """The rows of a file, words for nothing emptied. Raises SourceError for what cannot be read as what it claims to be; ``work`` takes what has to be unpacked."""
    with _open_as_written(form, given, work=work, limit_mb=limit_mb) as rows:
        if stated := partitions_of(given.name):
            rows = _with_parts(form, rows, stated, given.name)
        if form.missing:
            rows = replace(rows, rows=emptied(rows.rows, frozenset(form.missing)))
        if form.stated_once:
            rows = _with_stated(form, rows, given.name)
        if form.cut:
            require_columns(given.name, form.cut, rows.header)
            parts = {rows.header.index(column): patterns for column, patterns in form.cut.items()}
            rows = replace(rows, rows=_cut(rows.rows, parts))
        yield _spread(form.spread, rows, given.name) if form.spread else rows


def _texts_of(lines: Iterable[Collection[Cell]]) -> tuple[str, ...]:
    """Every cell of these lines that is not empty, and every line of several as a whole."""
    found: list[str] = []
    for cells in lines:
        texts = [text for cell in cells if (text := cell_text(cell))]
        found += [*texts, *([" ".join(texts)] if len(texts) > 1 else [])]
    return tuple(found)


def emptied(rows: Iterator[list[Cell]], missing: frozenset[str]) -> Iterator[list[Cell]]:
    """Rows in which a word for nothing is an empty cell."""
    if not missing:
        yield from rows
        return
    for row in rows:
        yield ["" if isinstance(cell, str) and cell_text(cell) in missing else cell for cell in row]


def require_columns(file: str, columns: Iterable[str], header: Sequence[str]) -> None:
    """Refuse a file without a column the map names, or with two of that name."""
    for column in columns:
        if column not in header:
            raise SourceError(
                f"{file}: column '{column}' is not there; the vendor may have renamed it.{suggestion(column, header)} "
                f"The file has: {', '.join(header[:12])}{' …' if len(header) > 12 else ''}."
            )
        if list(header).count(column) > 1:
            raise SourceError(
                f"{file}: column '{column}' stands twice in the header, so it is not clear which is meant. Rename or remove one."
            )


def _with_parts(form: FileForm, rows: Rows, stated: Mapping[str, str], name: str) -> Rows:
    """Rows with what the folders of the file state; a column that stands in the file as well must say the same."""
    named = dict(zip(own_names(form, list(stated), name), stated.values(), strict=True))
    doubled = {rows.header.index(part): value for part, value in named.items() if part in rows.header}
    added = {part: value for part, value in named.items() if part not in rows.header}

    def checked(row: list[Cell]) -> list[Cell]:
        for place, value in doubled.items():
            if place < len(row) and cell_text(row[place]) != value:
                raise SourceError(
                    f"{name}: {rows.header[place]} is '{cell_text(row[place])[:40]}' in the file and '{value}' in its folder's name. Ask which holds."
                )
        return [*row, *added.values()]  # a line of another width stays one

    return replace(rows, header=[*rows.header, *added], rows=map(checked, rows.rows))


def _with_stated(form: FileForm, rows: Rows, name: str) -> Rows:
    """Rows with what is stated once for all of them; refused where it is not found, or found twice and different."""
    values: list[str] = []
    for column, patterns in form.stated_once.items():
        found = parts_in(rows.above, patterns) or parts_in((PurePosixPath(name).stem,), patterns)
        if len(found) != 1:
            what = f"'{found[0]}' and '{found[1]}' could both be it" if found else "neither says it"
            raise SourceError(
                f"{name}: {column} should stand above the header or in the file's name, as {' or '.join(patterns)}; {what}. "
                "Rename the file so that it does, or state how it is written (stated_once)."
            )
        values.append(found[0])
    cells = ([*row, *values] for row in rows.rows)  # a line of another width stays one
    return replace(rows, header=[*rows.header, *form.stated_once], rows=cells)


def _cut(rows: Iterator[list[Cell]], parts: Mapping[int, Sequence[str]]) -> Iterator[list[Cell]]:
    """Rows in which a cell of these places is the part of it that is meant."""
    for row in rows:
        for place, patterns in parts.items():
            if place < len(row) and isinstance(row[place], str) and not isinstance(row[place], Fault):
                part = part_of(row[place], patterns)
                row[place] = row[place] if part is None else part
        yield row


def _spread(spread: Spread, rows: Rows, name: str) -> Rows:
    """A row for every column that is spread, with what the column stands for and what is in it."""
    require_columns(name, spread.columns, rows.header)
    taken = {rows.header.index(column): word for column, word in spread.columns.items()}
    kept = [place for place in range(len(rows.header)) if place not in taken]

    def spread_out() -> Iterator[list[Cell]]:
        for row in rows.rows:
            if len(row) != len(rows.header):
                yield row if len(row) != len(header) else [*row, ""]  # a line of another width stays one
                continue
            for place, word in taken.items():
                yield [*(row[one] for one in kept), word, row[place]]

    header = [*(rows.header[place] for place in kept), spread.label, spread.value]
    return replace(rows, header=header, rows=spread_out())


@contextmanager
def _open_as_written(form: FileForm, given: Input, *, work: Path, limit_mb: int) -> Iterator[Rows]:
    with ExitStack() as stack:
        path = given.path
        if path.is_dir():
            header, batches = lake_rows(path, given.name)
            yield Rows(header=own_names(form, header, given.name), rows=_cells_of(batches))
            return
        if given.member or path.suffix.lower() == ".gz":
            name = given.name.removesuffix(f"/{given.member}") if given.member else given.name
            path = stack.enter_context(
                unpacked(path, name, given.member, work / f"unpacked-{os.getpid()}", limit_mb)
            )
        kind = path.suffix.lower()
        if is_database(path):
            header, cells = stack.enter_context(
                open_database(path, given.name, query=form.query, table=form.database_table, work=work)
            )
            yield Rows(header=own_names(form, header, given.name), rows=cells)
            return
        if form.query or form.database_table:
            raise SourceError(
                f"{given.name}: a query or a table is stated, but this is no SQLite or DuckDB database. Take database_table and query out of the map."
            )
        if kind in WORKBOOKS and not is_text(path):
            sheet = stack.enter_context(open_sheet(path, given.name, form.sheet, limit_mb=limit_mb))
            yield _sheet_rows(form, given.name, sheet)
        elif kind in JSON:
            encoding = find_encoding(path, given.name) if form.encoding == "found" else form.encoding
            header, cells = json_rows(path, given.name, encoding)
            yield Rows(header=own_names(form, header, given.name), rows=cells)
        elif kind == ".parquet":
            yield _parquet_rows(form, path, given.name)
        else:
            yield stack.enter_context(_text_rows(form, path, given.name))


def header_names(cells: Collection[Cell]) -> list[str]:
    """Names as they are compared: blanks and line breaks inside a heading count as one blank."""
    return [" ".join(cell_text(cell).lstrip("\ufeff").split()) for cell in cells]


def own_names(form: FileForm, header: list[str], name: str) -> list[str]:
    """The header with every column under the name the map uses for it."""
    known = dict(zip(header, header, strict=True))
    for own, others in form.called.items():
        found = [other for other in others if other in header]
        if own in header or not found:
            continue
        if len(found) > 1:
            raise SourceError(
                f"{name}: '{found[0]}' and '{found[1]}' could both be '{own}'. Say in the map which is meant (columns), and take the other out of 'called'."
            )
        known[found[0]] = own
    return [known[column] for column in header]


def _of_two_lines(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """Names of a header in two lines: a heading over several columns goes before what stands below it in each."""
    names, over = [], ""
    for above, below in itertools.zip_longest(upper, lower, fillvalue=""):
        over = above or over
        names.append(f"{over}{below}" if below else above)
    return names


class _HeaderSearch:
    """Looks for the line that has the names by which a map knows the header; remembers the nearest for the refusal."""

    def __init__(self, form: FileForm, name: str) -> None:
        self.form, self.name = form, name
        self.nearest: tuple[int, list[str]] = (0, list(form.header_has))
        self.met = 0

    def header(self, number: int, cells: Collection[Cell], above: Collection[Cell] = ()) -> list[str]:
        """The header that this line is, by itself or with the line above; empty where it is none."""
        self.met = number + 1
        names = [header_names(cells)]
        if self.form.header_lines == 2 and above:
            names.append(_of_two_lines(header_names(above), names[0]))
        for one in names:
            header = own_names(self.form, one, self.name)
            missing = [column for column in self.form.header_has if column not in header]
            if len(missing) < len(self.nearest[1]):
                self.nearest = (number + 1, missing)
            if not missing:
                return header
        return []

    def refusal(self) -> SourceError:
        line, missing = self.nearest
        if not self.met:
            return _is_empty(self.name)
        wanted = f"none of the first {MOST_ABOVE} lines has the columns {', '.join(self.form.header_has)}, by which the map knows the header"
        near = f" Line {line} lacks only {', '.join(missing)}." if line else ""
        return SourceError(
            f"{self.name}: {wanted}.{near} Give the headings of this export in the map (header_has, called, columns)."
        )


def filled_down(rows: Iterator[list[Cell]], places: Collection[int]) -> Iterator[list[Cell]]:
    """Rows in which an empty cell of these columns repeats the one above; a line of totals belongs to nothing above it."""
    above: dict[int, Cell] = {}
    for row in rows:
        if any(isinstance(cell, str) and is_total_word(cell) for cell in row):
            yield row
            continue
        for place in places:
            if place >= len(row):
                continue
            if cell_text(row[place]) == "" and place in above:
                row[place] = above[place]
            above[place] = row[place]
        yield row


def counted_within(
    rows: Iterator[list[Cell]], width: int, within: Collection[Collection[int]], seen: Keys
) -> Iterator[list[Cell]]:
    """Rows with a number behind for each group of columns: how many rows had the same values there so far, this one included."""
    for row in rows:
        if len(row) != width:
            yield [*row, *[""] * len(within)]  # a line of another width stays one
            continue
        for number, places in enumerate(within):
            row.append(
                str(seen.count(joined_key((str(number), *(cell_text(row[place]) for place in places)))))
            )
        yield row


# ---------------------------------------------------------------- text


@contextmanager
def _text_rows(form: FileForm, path: Path, name: str) -> Iterator[Rows]:
    encoding = find_encoding(path, name) if form.encoding == "found" else form.encoding
    csv.field_size_limit(LONGEST_FIELD)
    with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as file:
        reader = None
        try:
            above, known = (
                _lines_above(form, path, file.encoding, name) if form.header_has else (form.skip_lines, [])
            )
            separator = form.separator or _separator(path, file.encoding, above)
            lines = [file.readline() for _ in range(above)]
            reader = csv.reader(file, delimiter=separator, skipinitialspace=separator == " ", strict=True)
            header = list(form.header) or known or own_names(form, header_names(next(reader, [])), name)
            if known:
                next(reader, [])
            if not header or not path.stat().st_size:
                raise _is_empty(name)
            yield Rows(
                header=header,
                rows=_records(reader, separator, name),
                ends_open=_ends_open(path),
                at=lambda: f"line {above + reader.line_num:,}",
                above=_texts_of(next(csv.reader([line], delimiter=separator), []) for line in lines),
            )
        except UnicodeDecodeError as error:
            raise _not_in(encoding, path, name) from error
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise SourceError(
                    f"{name}: ends inside quotes; the file was cut, or a quote is missing in or before line {reader.line_num if reader else 0:,}. Export it again."
                ) from error
            raise SourceError(
                f"{name}: line {reader.line_num if reader else 0:,} is not readable as CSV ({error}). Export it again."
            ) from error


def _records(reader: Any, separator: str, name: str) -> Iterator[list[str]]:
    """The rows that are not empty; a value over several lines must not hold lines that look like rows."""
    first, line, number = FirstColumn(), reader.line_num, 0
    for row in reader:
        spans, line = reader.line_num > line + 1, reader.line_num
        if not row:
            continue
        number += 1
        first.see(row[0])
        if spans and (hidden := swallowed(row, separator, first)):
            raise swallowed_error(name, number, *hidden)
        yield row


def _is_empty(name: str) -> SourceError:
    return SourceError(f"{name}: the file is empty, without even a header. Export it again.")


def _not_in(encoding: str, path: Path, name: str) -> SourceError:
    place = first_undecodable(path, encoding)
    position, byte = (place[0] + 1, place[1]) if place else (0, 0)
    if position >= path.stat().st_size - 3:
        return SourceError(
            f"{name}: not {encoding}: ends in the middle of a character (byte {position:,}); the file was cut, or state its encoding in the map. Export it again."
        )
    return SourceError(
        f"{name}: not {encoding} (byte {position:,} is {byte:#04x}). State its encoding in the map."
    )


def _lines_above(form: FileForm, path: Path, encoding: str, name: str) -> tuple[int, list[str]]:
    """How many lines stand above the header that the map describes (above its lower line, where it has two), and the header."""
    search = _HeaderSearch(form, name)
    before = ""
    with path.open(encoding=encoding, newline="") as file:
        for number, line in enumerate(itertools.islice(file, MOST_ABOVE)):
            for mark in (form.separator,) if form.separator else SEPARATORS:
                cells, above = (next(csv.reader([one], delimiter=mark), []) for one in (line, before))
                if header := search.header(number, cells, above):
                    return number, header
            before = line
    raise search.refusal()


def _separator(path: Path, encoding: str, skip_lines: int) -> str:
    """The separator that splits the header into most names."""
    with path.open(encoding=encoding, newline="") as file:
        for _ in range(skip_lines):
            file.readline()
        line = file.readline(LONGEST_FIELD)
        while line.count('"') % 2 and len(line) < LONGEST_FIELD and (more := file.readline(LONGEST_FIELD)):
            line += more
    return max(SEPARATORS, key=lambda mark: len(next(csv.reader([line], delimiter=mark), [])))


def _ends_open(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 2, 0))
        return size > 0 and not file.read().rstrip(b"\x00").endswith((b"\n", b"\r"))


# ---------------------------------------------------------------- workbooks and Parquet


def _sheet_rows(form: FileForm, name: str, sheet: Sheet) -> Rows:
    """Rows below the header; cells that a merge covers are faults, unless their column is stated to repeat."""
    lines = enumerate(sheet.rows)
    above = [next(lines, (0, []))[1] for _ in range(form.skip_lines)]
    if form.header:
        header, first = list(form.header), form.skip_lines
    else:
        if form.header_has:
            first, header = _header_line(form, name, lines, above)
        else:
            first, cells = next(lines, (form.skip_lines, []))
            header = own_names(form, header_names(cells), name)
        if not any(header):
            raise SourceError(
                f"{name}: no header in line {form.skip_lines + 1} of the sheet; state the lines above it with skip_lines."
            )
    while header and not header[-1]:
        header.pop()
    read = [first]
    covered = _covered(
        sheet.merged, first, {place for place, column in enumerate(header) if column in form.filled}
    )
    hidden = tuple(line + 1 for line in sheet.hidden if line > first)
    return Rows(
        header=header,
        rows=_as_wide(lines, header, covered, name, read),
        hidden=hidden,
        above=_texts_of(above),
        at=lambda: f"sheet '{sheet.name}' row {read[0] + 1:,}",
    )


def _header_line(
    form: FileForm, name: str, lines: Iterator[tuple[int, list[Cell]]], above: list[list[Cell]]
) -> tuple[int, list[str]]:
    """The header by its names, and its (lower) line; the lines before it go to ``above``."""
    search = _HeaderSearch(form, name)
    for number, cells in itertools.islice(lines, MOST_ABOVE):
        if header := search.header(number, cells, above[-1] if above else ()):
            return number, header
        above.append(cells)
    raise search.refusal()


def _covered(
    merged: Collection[tuple[int, int, int, int]], first: int, filled: Collection[int]
) -> dict[tuple[int, int], str]:
    covered: dict[tuple[int, int], str] = {}
    for top, left, bottom, right in merged:
        shown = f"{letters(left)}{top + 1}:{letters(right)}{bottom + 1}"
        for row, column in itertools.product(range(max(top, first), bottom + 1), range(left, right + 1)):
            if (row, column) != (top, left) and not (column in filled and column == left):
                covered[row, column] = shown
    return covered


def _as_wide(
    lines: Iterator[tuple[int, list[Cell]]],
    header: list[str],
    covered: dict[tuple[int, int], str],
    name: str,
    read: list[int],
) -> Iterator[list[Cell]]:
    """Rows as wide as the header; ``read`` holds the line, from 0, of the last one."""
    width = len(header)
    for number, cells in lines:
        read[0] = number
        row = [*cells[:width], *[""] * (width - len(cells))]
        beyond = next((place for place in range(width, len(cells)) if cell_text(cells[place])), None)
        if beyond is not None:
            raise SourceError(
                f"{name}: {letters(beyond)}{number + 1} holds '{cell_text(cells[beyond])[:40]}' beyond the last column with a heading. Give it a heading, or clear it."
            )
        for place in range(width):
            if (number, place) in covered:
                row[place] = Fault(
                    "",
                    f"{letters(place)}{number + 1} is part of the merged cells {covered[number, place]}; unmerge them, or state the column under 'filled'",
                )
        if any(
            isinstance(cell, Fault) and cell or not isinstance(cell, Fault) and cell_text(cell)
            for cell in row
        ):
            yield row


def _parquet_rows(form: FileForm, path: Path, name: str) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            f"{name}: not readable as Parquet; it may have been cut or damaged ({str(error)[:80]}). Export it again."
        ) from error

    header = list(file.schema_arrow.names)
    return Rows(header=own_names(form, header, name), rows=_cells_of(file.iter_batches(BATCH_ROWS)))


def _cells_of(batches: Iterable[pa.RecordBatch]) -> Iterator[list[Cell]]:
    for batch in batches:
        columns = [_as_written(column).to_pylist() for column in batch.columns]
        yield from (list(row) for row in zip(*columns, strict=True))


def _as_written(column: pa.Array) -> pa.Array:
    """Moments to the microsecond; a short floating-point number as it is written, 1.1 and not the 1.100000023841858 next to it."""
    import pyarrow as pa

    if pa.types.is_float16(column.type) or pa.types.is_float32(column.type):
        return column.cast(pa.string()).cast(pa.float64())
    nanoseconds = pa.types.is_timestamp(column.type) and column.type.unit == "ns"
    return column.cast(pa.timestamp("us", tz=column.type.tz), safe=False) if nanoseconds else column
