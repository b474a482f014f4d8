"""Excel workbooks (.xlsx, .xlsm): one sheet by name, cells with the types they have, nothing taken for empty that is not.

Values come from python-calamine. Three things it does not tell apart from an empty cell are found in the sheet's own XML: error values
(#N/A), formulas whose result was never calculated, and (by its list of them) merged cells.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from xml.etree import ElementTree

from analysis.errors import SourceError, suggestion
from analysis.sources.cells import Cell, Fault
from analysis.sources.safety import SIZE_LIMIT_MB, zip_members

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

WORKBOOKS = (".xlsx", ".xlsm")
PIECE = 1 << 20
#: A number of more digits than a double keeps: an order number stored as a number has lost its end.
FIRST_INEXACT = 10**15

_CELL = re.compile(
    rb"<(?:\w+:)?c\s[^>]*?\br=\"([A-Z]{1,3})(\d+)\"[^>]*?(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL
)
_ROW = re.compile(rb"<(?:\w+:)?row\s[^>]*>")
_HIDDEN = re.compile(rb"\bhidden=\"(?:1|true)\"")
_ROW_NUMBER = re.compile(rb"\br=\"(\d+)\"")
_ERROR = re.compile(rb"\bt=\"e\"")
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>(.*?)</(?:\w+:)?v>", re.DOTALL)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Rows of a sheet from its first line on, blank lines included; ``merged`` are ranges (first row, column, last row, column) from 0,
    ``hidden`` the lines, from 0, that a filter or a person hides."""

    rows: Iterator[list[Cell]]
    merged: tuple[tuple[int, int, int, int], ...]
    hidden: tuple[int, ...] = ()


@contextmanager
def open_sheet(path: Path, name: str, sheet: str, *, limit_mb: int = SIZE_LIMIT_MB) -> Iterator[Sheet]:
    """The sheet of this name; without a name, the only visible one. Raises SourceError for what is no workbook, or is locked or damaged."""
    import python_calamine

    if path.suffix.lower() == ".xls":
        raise SourceError(f"{name}: an old Excel file (.xls). Open it and save it as .xlsx.")
    _refuse_unsafe(path, name, limit_mb)
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
    except python_calamine.PasswordError:
        raise SourceError(f"{name}: locked with a password. Save it without one.") from None
    except (python_calamine.CalamineError, OSError) as error:
        raise SourceError(
            f"{name}: not readable as an Excel workbook; it may have been cut ({str(error)[:80]}). Save it again."
        ) from error
    try:
        chosen = _chosen(book, name, sheet)
        try:
            content = book.get_sheet_by_name(chosen)
        except python_calamine.CalamineError as error:
            raise SourceError(
                f"{name}: sheet '{chosen}' cannot be read ({str(error)[:80]}). Save the workbook again."
            ) from error
        faults, hidden = _beyond_values(path, chosen)
        yield Sheet(rows=_rows(content, faults), merged=_merged(content), hidden=tuple(hidden))
    finally:
        book.close()


def sheet_names(path: Path, name: str) -> tuple[str, ...]:
    """Names of the visible sheets."""
    import python_calamine

    _refuse_unsafe(path, name, SIZE_LIMIT_MB)
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
    except (python_calamine.CalamineError, python_calamine.PasswordError, OSError) as error:
        raise SourceError(f"{name}: not readable as an Excel workbook ({str(error)[:80]}).") from error
    try:
        return _visible(book)
    finally:
        book.close()


def _refuse_unsafe(path: Path, name: str, limit_mb: int) -> None:
    """A workbook is an archive; what is said of archives holds for it. A text file by that name is said to be one."""
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise SourceError(
            f"{name}: locked with a password, or an old Excel file (.xls) by another name. Save it as .xlsx without a password."
        )
    if not head.startswith(b"PK"):
        kind = "a web page" if head.lstrip().startswith(b"<") else "no Excel workbook"
        raise SourceError(
            f"{name}: {kind} by the name of one; many systems export text so. Open it and save it as .xlsx, or name it .csv."
        )
    zip_members(path, name, "*", limit_mb)


def _visible(book: CalamineWorkbook) -> tuple[str, ...]:
    import python_calamine

    metadata = book.sheets_metadata
    sheets = [sheet for sheet in metadata if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet]
    return tuple(sheet.name for sheet in sheets if sheet.visible == python_calamine.SheetVisibleEnum.Visible)


def _chosen(book: CalamineWorkbook, name: str, sheet: str) -> str:
    names: list[str] = list(book.sheet_names)
    if sheet:
        if sheet not in names:
            raise SourceError(
                f"{name}: no sheet '{sheet}'.{suggestion(sheet, names)} It has: {', '.join(names[:8])}."
            )
        return sheet
    visible = _visible(book)
    if len(visible) != 1:
        raise SourceError(
            f"{name}: {len(visible)} sheets ({', '.join(visible[:6])}); say which is meant with 'sheet' in the source map."
        )
    return visible[0]


def _merged(content: CalamineSheet) -> tuple[tuple[int, int, int, int], ...]:
    ranges = content.merged_cell_ranges or []
    return tuple(sorted((first[0], first[1], last[0], last[1]) for first, last in ranges))


def _rows(content: CalamineSheet, faults: Mapping[tuple[int, int], str]) -> Iterator[list[Cell]]:
    """Every row from the sheet's first line and column on, as wide as the sheet."""
    start = content.start
    if start is None:
        return
    left = [""] * start[1]
    for number, row in enumerate(content.iter_rows()):
        cells: list[Cell] = [*left, *row]
        for column, cell in enumerate(cells):
            if isinstance(cell, float) and abs(cell) >= FIRST_INEXACT:
                cells[column] = Fault(
                    f"{cell:.0f}",
                    f"{letters(column)}{number + 1} holds a number of more than 15 digits, so its end is lost; store it as text",
                )
            elif cell == "" and (number, column) in faults:
                text = faults[number, column]
                cells[column] = Fault(text, f"{letters(column)}{number + 1} is {text}")
        yield cells


def letters(column: int) -> str:
    """Excel's name of a column, counted from 0."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


# ---------------------------------------------------------------- what the sheet's XML says beyond its values


def _beyond_values(path: Path, sheet: str) -> tuple[dict[tuple[int, int], str], list[int]]:
    """Cells (row, column) from 0 that hold an error, or a formula whose result was never calculated; and rows that are hidden."""
    found: dict[tuple[int, int], str] = {}
    hidden: list[int] = []
    with zipfile.ZipFile(path) as archive:
        part = _part_of(archive, sheet)
        if part is None:
            return found, hidden
        with archive.open(part) as file:
            rest = b""
            while piece := file.read(PIECE):
                text = rest + piece
                end = text.rfind(b"row>") + 4  # whole rows, so that no cell is cut
                end = 0 if end == 3 else end
                _collect(text[:end], found, hidden)
                rest = text[end:]
            _collect(rest, found, hidden)
    return found, hidden


def _collect(text: bytes, found: dict[tuple[int, int], str], hidden: list[int]) -> None:
    if b"hidden=" in text:
        hidden += [
            int(number[1]) - 1
            for tag in _ROW.finditer(text)
            if _HIDDEN.search(tag[0]) and (number := _ROW_NUMBER.search(tag[0]))
        ]
    if b't="e"' not in text and b"<f" not in text and b":f" not in text:
        return
    for match in _CELL.finditer(text):
        body = match[3] or b""
        value = _VALUE.search(body)
        is_error = _ERROR.search(
            text[match.start() : match.start(3) if match[3] is not None else match.end()]
        )
        if is_error:
            found[_place(match)] = value[1].decode() if value else "#ERROR"
        elif value is None and _FORMULA.search(body) and b"<is" not in body:
            found[_place(match)] = "a formula without a calculated result"


def _place(match: re.Match[bytes]) -> tuple[int, int]:
    column = 0
    for letter in match[1].decode():
        column = column * 26 + ord(letter) - 64
    return int(match[2]) - 1, column - 1


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The archive's member that holds this sheet."""
    related: dict[str, Literal[True] | str] = {}
    names = set(archive.namelist())
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        return None
    for element in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels")):
        related[element.get("Id", "")] = element.get("Target", "")
    for element in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():
        if element.tag.rpartition("}")[2] == "sheet" and element.get("name") == sheet:
            key = next((value for name, value in element.items() if name.rpartition("}")[2] == "id"), "")
            target = str(related.get(key, ""))
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return part if part in names else None
    return None
