"""What a sheet says beyond its values: errors, formulas that were never calculated, merged cells, hidden rows.

The library that reads values takes an error (#N/A) and a formula without a result for an empty cell. Both are found in the sheet's own
text here (.xlsx, .ods), in its records in ``binarymarks`` (.xls, .xlsb).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

PIECE = 1 << 20
UNCALCULATED = "a formula without a calculated result"
#: Cells that a sheet may span: a million rows of a hundred columns. The library makes room for all of them, filled or not, so one cell
#: far out in a file of a few bytes would take all memory.
MOST_CELLS = 100_000_000
#: First row, first column, last row, last column, from 0.
Range = tuple[int, int, int, int]

_CELL = re.compile(
    rb"<(?:\w+:)?c\s[^>]*?\br=\"([A-Z]{1,3})(\d+)\"[^>]*?(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL
)
#: A cell with something in it that stands so far out, behind column Z or row 9,999,999, that a sheet could become too large by it.
_FAR = re.compile(rb"r=\"([A-Z]{2,3}(?=\d)|[A-Z](?=\d{8}))(\d+)\"(?:[^>]*[^/>])?>")
_ROW = re.compile(rb"<(?:\w+:)?row\s[^>]*>")
_ROW_NUMBERS = re.compile(rb"<(?:\w+:)?row\s[^>]*?\br=\"(\d+)\"")
_HIDDEN = re.compile(rb"\bhidden=\"(?:1|true)\"")
_ROW_NUMBER = re.compile(rb"\br=\"(\d+)\"")
_ERROR = re.compile(rb"\bt=\"e\"")
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>(.*?)</(?:\w+:)?v>", re.DOTALL)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_ERROR_WORDS = re.compile(r"#[A-Z/0]+[!?]?$|#N/A$|Err:\d+$")


class Damaged(ValueError):
    """What lies there is not laid out as its format says."""


@dataclass(kw_only=True)
class Marks:
    """``faults``: cells (row, column) from 0 that hold an error or no result, with its words; ``hidden``: rows from 0; ``rows`` and
    ``columns``: as far as cells go."""

    faults: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden: list[int] = field(default_factory=list)
    merged: list[Range] = field(default_factory=list)
    rows: int = 0
    columns: int = 0

    def reach(self, row: int, column: int) -> None:
        """A cell stands there; Damaged where the sheet becomes larger than one can be."""
        if row < self.rows and column < self.columns:
            return
        self.rows, self.columns = max(self.rows, row + 1), max(self.columns, column + 1)
        if self.rows * self.columns > MOST_CELLS:
            raise Damaged(
                f"its cells reach to row {self.rows:,}, column {self.columns:,}; clear what stands far from the table"
            )


# ---------------------------------------------------------------- .xlsx


def xlsx_marks(path: Path, sheet: str) -> Marks:
    """Errors, uncalculated formulas and hidden rows of a sheet in XML; its merged cells are listed by the library."""
    marks = Marks()
    with zipfile.ZipFile(path) as archive:
        part = _part_of(archive, sheet)
        if part is None:
            return marks
        with archive.open(part) as file:
            rest = b""
            while piece := file.read(PIECE):
                text = rest + piece
                end = text.rfind(b"row>") + 4  # whole rows, so that no cell is cut
                end = 0 if end == 3 else end
                _collect(text[:end], marks)
                rest = text[end:]
            _collect(rest, marks)
    return marks


def _collect(text: bytes, marks: Marks) -> None:
    if b"<v" in text or b"<is" in text or b":v" in text:
        marks.reach(max((int(tag) - 1 for tag in _ROW_NUMBERS.findall(text)), default=0), 25)
    for letters, row in set(_FAR.findall(text)):
        marks.reach(int(row) - 1, _column(letters))
    if b"hidden=" in text:
        marks.hidden += [
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
            marks.faults[_place(match)] = value[1].decode() if value else "#ERROR"
        elif value is None and _FORMULA.search(body) and b"<is" not in body:
            marks.faults[_place(match)] = UNCALCULATED


def _place(match: re.Match[bytes]) -> tuple[int, int]:
    return int(match[2]) - 1, _column(match[1])


def _column(letters: bytes) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + letter - 64
    return column - 1


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The archive's member that holds this sheet."""
    if "xl/workbook.xml" not in archive.namelist():
        return None
    for element in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():
        if _local(element.tag) == "sheet" and element.get("name") == sheet:
            key = next((value for name, value in element.items() if _local(name) == "id"), "")
            return related_part(archive, "xl/_rels/workbook.xml.rels", key)
    return None


def related_part(archive: zipfile.ZipFile, relations: str, key: str) -> str | None:
    """The member that a workbook means by this key."""
    names = set(archive.namelist())
    if relations not in names:
        return None
    for element in ElementTree.fromstring(archive.read(relations)):
        if element.get("Id") == key:
            target = element.get("Target", "")
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return part if part in names else None
    return None


# ---------------------------------------------------------------- .ods


def ods_marks(path: Path) -> dict[str, Marks]:
    """Errors, uncalculated formulas, merged cells and hidden rows of every sheet in OpenDocument, which repeats equal rows and cells by number."""
    found: dict[str, Marks] = {}
    marks, row = Marks(), 0
    with zipfile.ZipFile(path) as archive, archive.open("content.xml") as file:
        for event, element in ElementTree.iterparse(file, ("start", "end")):
            kind = _local(element.tag)
            if kind == "table" and event == "start":
                marks, row = found.setdefault(_plain(element).get("name", ""), Marks()), 0
            elif kind == "table-row" and event == "end":
                attributes = _plain(element)
                repeated = int(attributes.get("number-rows-repeated", "1"))
                holds_values = _ods_cells(element, row, row + repeated - 1, marks)
                if holds_values and attributes.get("visibility", "visible") != "visible":
                    marks.hidden += range(row, row + repeated)
                row += repeated
                element.clear()
    return found


def _ods_cells(line: ElementTree.Element, row: int, last_row: int, marks: Marks) -> bool:
    """Note what the cells of a row say; whether any holds something."""
    column, holds_values = 0, False
    for cell in line:
        attributes = _plain(cell)
        if fault := _ods_fault(cell, attributes):
            marks.faults[row, column] = fault
        wide, high = (int(attributes.get(f"number-{way}-spanned", "1")) for way in ("columns", "rows"))
        if wide > 1 or high > 1:
            marks.merged.append((row, column, row + high - 1, column + wide - 1))
        column += int(attributes.get("number-columns-repeated", "1"))
        if "value-type" in attributes or "formula" in attributes:
            holds_values = True
            marks.reach(last_row, column - 1)
    return holds_values


def _ods_fault(cell: ElementTree.Element, attributes: Mapping[str, str]) -> str:
    """An error is text beside a formula here; some programs say so, others only write the error's name."""
    if "formula" not in attributes:
        return ""
    text = "".join(cell.itertext()).strip()
    said = any(value == "error" for name, value in cell.items() if _local(name) == "value-type")
    if said or _ERROR_WORDS.match(text):
        return text or "#ERROR"
    return "" if "value-type" in attributes else UNCALCULATED


def _plain(element: ElementTree.Element) -> dict[str, str]:
    return {_local(name): value for name, value in element.items()}


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
