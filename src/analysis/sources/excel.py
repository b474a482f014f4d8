"""Workbooks (.xlsx, .xlsm, .xls, .xlsb, .ods): one sheet by name, cells with the types they have, nothing taken for empty that is not.

Which of them a file is, its content says and not its name. Values come from python-calamine, what it does not tell from ``sheetmarks``
and ``binarymarks``.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from analysis.errors import SourceError, suggestion
from analysis.sources.binarymarks import CONTAINER, streams, xls_marks, xlsb_marks
from analysis.sources.cells import Cell, Fault
from analysis.sources.safety import SIZE_LIMIT_MB, zip_members
from analysis.sources.sheetmarks import Damaged, Marks, Range, ods_marks, xlsx_marks

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
#: A number of more digits than a double keeps: an order number stored as a number has lost its end.
FIRST_INEXACT = 10**15
#: What an archive holds that is a workbook.
_MAIN_PARTS = {"xl/workbook.xml": ".xlsx", "xl/workbook.bin": ".xlsb", "content.xml": ".ods"}
#: What reading a damaged archive, record or XML raises.
_DAMAGE = (
    OSError,
    ValueError,
    LookupError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
    ElementTree.ParseError,
)
_MARKUP = {
    b"<html": "a web page",
    b"<table": "a web page",
    b"<!doctype html": "a web page",
    b"mime-version": "a web page",
    b"urn:schemas-microsoft-com:office:spreadsheet": "an XML spreadsheet of 2003",
}


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Rows of a sheet from its first line on, blank lines included; ``merged`` are ranges (first row, column, last row, column) from 0,
    ``hidden`` the lines, from 0, that a filter or a person hides; ``name`` as its tab has it."""

    rows: Iterator[list[Cell]]
    merged: tuple[Range, ...]
    hidden: tuple[int, ...] = ()
    name: str = ""


@contextmanager
def open_sheet(path: Path, name: str, sheet: str, *, limit_mb: int = SIZE_LIMIT_MB) -> Iterator[Sheet]:
    """The sheet of this name; without a name, the only visible one. Raises SourceError for what is no workbook, or is locked or damaged."""
    with _book(path, name, limit_mb) as (book, marks_of):
        chosen = _chosen(book, name, sheet)
        failed = f"sheet '{chosen}' cannot be read"
        with _plain_errors(name, failed):
            marks = marks_of(chosen)  # first: it proves that the sheet can be held
            content = book.get_sheet_by_name(chosen)
        merged = {*marks.merged, *_merged(content)}
        rows = _rows(content, marks.faults, name, failed)
        yield Sheet(rows=rows, merged=tuple(sorted(merged)), hidden=tuple(marks.hidden), name=chosen)


def sheet_names(path: Path, name: str) -> tuple[str, ...]:
    """Names of the visible sheets; one without a name where text goes by the name of a workbook."""
    if is_text(path):
        return ("",)
    with _book(path, name, SIZE_LIMIT_MB) as (book, _):
        return _visible(book)


def is_text(path: Path) -> bool:
    """Whether an .xls is plain text, as many systems write their lists: it is read as text then."""
    head = _head(path)
    marked = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    plain = b"\x00" not in head and not head.startswith(b"PK") and not _markup(head)
    return path.suffix.lower() == ".xls" and bool(head.strip()) and (marked or plain)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4096)


def _markup(head: bytes) -> str:
    """What a text that a browser or Excel would open is; empty for any other."""
    lowered = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not lowered.startswith((b"<", b"mime-version")):
        return ""
    return next((kind for mark, kind in _MARKUP.items() if mark in lowered), "XML")


def _kind(path: Path, name: str, limit_mb: int) -> str:
    """The format of a workbook, by its content; refused in words where it is none, or is locked."""
    head = _head(path)
    if not head:
        raise SourceError(f"{name}: the file is empty (0 bytes). Export it again.")
    if head.startswith(CONTAINER[:4]):
        return _old_kind(path, name)
    if not head.startswith(b"PK"):
        kind = _markup(head)
        instead = "export CSV" if kind else "name it .csv"
        raise SourceError(
            f"{name}: {kind or 'no Excel workbook'} by the name of one; many systems export text so. Open it and save it as .xlsx, or {instead}."
        )
    # A workbook is an archive; what is said of archives holds for it.
    members = zip_members(path, name, "*", limit_mb)
    kind = next((kind for part, kind in _MAIN_PARTS.items() if part in members), "")
    if not kind:
        raise SourceError(
            f"{name}: an archive without a workbook in it ({', '.join(members[:4])}). Name it .zip if it holds exports."
        )
    with _plain_errors(name, "not readable as a workbook; it may have been cut"):
        if kind == ".ods" and _is_locked_ods(path):
            raise SourceError(f"{name}: locked with a password. Save it without one.")
    return kind


def _old_kind(path: Path, name: str) -> str:
    """An .xls, or the container of a workbook that is locked."""
    try:
        found = streams(path.read_bytes())
    except Damaged as error:
        raise SourceError(
            f"{name}: not readable as a workbook; it was cut, or is locked with a password ({error}). Save it again without one."
        ) from None
    if "EncryptedPackage" in found:
        raise SourceError(f"{name}: locked with a password. Save it without one.")
    if "Workbook" not in found and "Book" not in found:
        raise SourceError(
            f"{name}: a document of another program ({', '.join(sorted(found)[:3])}), no Excel workbook. Export the list again."
        )
    return ".xls"


def _is_locked_ods(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        manifest = "META-INF/manifest.xml"
        return manifest in archive.namelist() and b"encryption-data" in archive.read(manifest)


@contextmanager
def _book(path: Path, name: str, limit_mb: int) -> Iterator[tuple[CalamineWorkbook, Callable[[str], Marks]]]:
    """The workbook, and what gives the marks of a sheet. Of .xls and .ods the library lays out every sheet at once, so theirs come first.

    It goes by a file's name; a file by another's name is handed to it as bytes.
    """
    from python_calamine import CalamineWorkbook

    kind = _kind(path, name, limit_mb)
    named = {".xlsm": ".xlsx"}.get(path.suffix.lower(), path.suffix.lower())
    with _plain_errors(name, "not readable as a workbook; it may have been cut"):
        early = ods_marks(path) if kind == ".ods" else {}
        numbered = xls_marks(path) if kind == ".xls" else []
        if named == kind:
            book = CalamineWorkbook.from_path(str(path))
        else:
            with path.open("rb") as file:
                book = CalamineWorkbook.from_filelike(file)
        if kind == ".xls":
            early = dict(zip(book.sheet_names, numbered, strict=True))
    late = {".xlsx": xlsx_marks, ".xlsb": xlsb_marks}.get(kind)
    try:
        yield book, lambda sheet: late(path, sheet) if late else early[sheet]
    finally:
        book.close()


@contextmanager
def _plain_errors(name: str, what: str) -> Iterator[None]:
    """Errors of the library, and of what looks beside it, in our words; where it gives up (a panic in Rust) it raises no Exception."""
    import python_calamine

    try:
        yield
    except python_calamine.PasswordError:
        raise SourceError(f"{name}: locked with a password. Save it without one.") from None
    except SourceError:
        raise
    except (python_calamine.CalamineError, *_DAMAGE) as error:
        raise SourceError(f"{name}: {what} ({str(error)[:160]}). Save it again.") from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise SourceError(f"{name}: {what}. Save it again.") from None


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
    if not visible:
        raise SourceError(
            f"{name}: no sheet in it is shown. State one with 'sheet', or save the workbook again."
        )
    if len(visible) != 1:
        raise SourceError(
            f"{name}: {len(visible)} sheets ({', '.join(visible[:6])}); say which is meant with 'sheet' in the source map."
        )
    return visible[0]


def _merged(content: CalamineSheet) -> tuple[Range, ...]:
    ranges = content.merged_cell_ranges or []
    return tuple(sorted((first[0], first[1], last[0], last[1]) for first, last in ranges))


def _rows(
    content: CalamineSheet, faults: Mapping[tuple[int, int], str], name: str, failed: str
) -> Iterator[list[Cell]]:
    """Every row from the sheet's first line and column on, as wide as the sheet."""
    start = content.start
    if start is None:
        return
    left = [""] * start[1]
    with _plain_errors(name, failed):
        for number, row in enumerate(content.iter_rows()):
            cells: list[Cell] = [*left, *row]
            for column, cell in enumerate(cells):
                if isinstance(cell, float) and abs(cell) >= FIRST_INEXACT:
                    why = f"{_at(number, column)} holds a number of more than 15 digits, so its end is lost; store it as text"
                    cells[column] = Fault(f"{cell:.0f}", why)
                elif (number, column) in faults:
                    text = faults[number, column]
                    cells[column] = Fault(text, f"{_at(number, column)} is {text}")
            yield cells


def _at(row: int, column: int) -> str:
    return f"{letters(column)}{row + 1}"


def letters(column: int) -> str:
    """Excel's name of a column, counted from 0."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name
