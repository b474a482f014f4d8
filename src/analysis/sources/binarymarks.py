"""What the records of a binary workbook say beyond its values (see ``sheetmarks``): .xls and .xlsb.

Sources: [MS-CFB] (the container of .xls), [MS-XLS] and [MS-XLSB] (their records), Microsoft's published specifications.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

from analysis.sources.sheetmarks import UNCALCULATED, Damaged, Marks, related_part

CONTAINER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: The value of an error, in a record of either format.
ERRORS = {
    0: "#NULL!",
    7: "#DIV/0!",
    15: "#VALUE!",
    23: "#REF!",
    29: "#NAME?",
    36: "#NUM!",
    42: "#N/A",
    43: "#GETTING_DATA",
}
_NO_SECTOR = 0xFFFF_FFFA  # this and above: the end of a chain, or a sector that holds none


# ---------------------------------------------------------------- .xls: records in a stream of a container of streams


def xls_marks(path: Path) -> list[Marks]:
    """Errors, uncalculated formulas and hidden rows of every sheet; the library lists merged cells."""
    found = streams(path.read_bytes())
    data = found.get("Workbook", found.get("Book", b""))
    starts = [
        struct.unpack_from("<I", data, at)[0] for kind, at, _ in _records(data, 0) if kind == _BOUND_SHEET
    ]
    return [_xls_sheet(data, start) for start in starts]


def _xls_sheet(data: bytes, start: int) -> Marks:
    marks = Marks()
    unknown: list[tuple[int, int]] = []
    calculated = False
    for kind, at, length in _records(data, start):
        if kind in _CELLS:
            row, column = place = struct.unpack_from("<HH", data, at)
            marks.reach(row, column)
            if marks.columns > _MOST_COLUMNS or length > _LONGEST and kind == _NUMBERS:
                raise Damaged("a cell stands where an .xls has none")
        elif kind == _DIMENSIONS and length >= 14:  # the library makes room for as much
            top, rows, left, columns = struct.unpack_from("<IIHH", data, at)
            if not (top <= rows <= 65_536 and left <= columns <= _MOST_COLUMNS):
                raise Damaged(f"it is said to reach from row {top:,} to row {rows:,}")
        if kind == _ROW and data[at + 12] & 0x20:
            marks.hidden.append(struct.unpack_from("<H", data, at)[0])
        elif kind == _BOOLEAN_OR_ERROR and data[at + 7]:
            marks.faults[place] = ERRORS.get(data[at + 6], "#ERROR")
        elif kind == _FORMULA:
            no_number = data[at + 12 : at + 14] == b"\xff\xff"
            if no_number and data[at + 6] == 2:
                marks.faults[place] = ERRORS.get(data[at + 8], "#ERROR")
            elif no_number and data[at + 6] == 3:
                unknown.append(place)
            else:
                calculated = True
    # One record stands for an empty text and for no result: where no formula of the sheet has a result, no program calculated it.
    if not calculated:
        marks.faults |= dict.fromkeys(unknown, UNCALCULATED)
    return marks


_FORMULA, _END, _BOUND_SHEET, _BOOLEAN_OR_ERROR, _ROW, _BEGIN = 0x06, 0x0A, 0x85, 0x205, 0x208, 0x809

_DIMENSIONS = 0x200
_NUMBERS = 0xBD  # several cells of a row
_CELLS = (_FORMULA, _BOOLEAN_OR_ERROR, _NUMBERS, 0xFD, 0x203, 0x204, 0x27E)
_MOST_COLUMNS = 256
_LONGEST = 6 + 6 * _MOST_COLUMNS


def _records(data: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """(kind, place of the content, length) of the records of one part of the stream, without those of charts inside it."""
    depth = 0
    while at + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, at)
        depth += (kind == _BEGIN) - (kind == _END)
        if depth == 1:
            yield kind, at + 4, length
        if depth < 1:
            return
        at += 4 + length
    raise Damaged("its records end before the sheet does")


def streams(data: bytes) -> dict[str, bytes]:
    """Name to content of the streams of a compound file; Damaged where its chains lead nowhere."""
    try:
        return _Container(data).streams()
    except (struct.error, IndexError, UnicodeDecodeError):
        raise Damaged("its parts are not where it says") from None


class _Container:
    """A compound file: sectors of equal size, chained by a table that lies in sectors itself; small streams share one stream of smaller sectors."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        if data[:8] != CONTAINER:
            raise Damaged("it is no compound file")
        self.shift, self.small_shift = struct.unpack_from("<HH", data, 30)
        if self.shift not in (9, 12) or self.small_shift != 6:
            raise Damaged("its sectors have no known size")
        self.next = self._chains()

    def streams(self) -> dict[str, bytes]:
        directory_at, cutoff, small_at = (struct.unpack_from("<I", self.data, at)[0] for at in (48, 56, 60))
        directory = self._stream(directory_at)
        entries = [directory[at : at + 128] for at in range(0, len(directory) - 127, 128)]
        small = self._stream(struct.unpack_from("<I", entries[0], 116)[0])
        small_table = self._stream(small_at)
        small_next = struct.unpack(f"<{len(small_table) // 4}I", small_table)
        found: dict[str, bytes] = {}
        for entry in entries:
            if entry[66] == 2:  # a stream; the others are folders and the root
                name = entry[: max(struct.unpack_from("<H", entry, 64)[0] - 2, 0)].decode("utf-16-le")
                start, size = struct.unpack_from("<II", entry, 116)
                content = (
                    b"".join(small[at << 6 : (at + 1) << 6] for at in _chain(start, small_next))
                    if size < cutoff
                    else self._stream(start)
                )
                found.setdefault(name, content[:size])
        return found

    def _sector(self, number: int) -> bytes:
        return self.data[(number + 1) << self.shift : (number + 2) << self.shift]

    def _stream(self, start: int) -> bytes:
        return b"".join(map(self._sector, _chain(start, self.next)))

    def _chains(self) -> tuple[int, ...]:
        """The table of what follows each sector; where its own sectors are stands in the header, and beyond the 109th in a chain."""
        listed = list(struct.unpack_from("<109I", self.data, 76))
        more = struct.unpack_from("<I", self.data, 68)[0]
        width = (1 << self.shift) // 4
        for _ in range(len(self.data) >> self.shift):
            if more >= _NO_SECTOR:
                break
            *places, more = struct.unpack(f"<{width}I", self._sector(more))
            listed += places
        table = b"".join(self._sector(number) for number in listed if number < _NO_SECTOR)
        return struct.unpack(f"<{len(table) // 4}I", table)


def _chain(start: int, following: tuple[int, ...]) -> Iterator[int]:
    for _ in range(len(following) + 1):
        if start >= _NO_SECTOR:
            return
        yield start
        start = following[start]
    raise Damaged("a chain of its sectors has no end")


# ---------------------------------------------------------------- .xlsb: records in members of an archive


def xlsb_marks(path: Path, sheet: str) -> Marks:
    """Errors, merged cells and hidden rows of a sheet; a formula that was never calculated cannot be told from one that gives 0."""
    marks, row = Marks(), 0
    with zipfile.ZipFile(path) as archive:
        part = _part_of(archive, sheet)
        if part is None:
            raise Damaged(f"the part of sheet '{sheet}' is not in it")
        for kind, body in _packed_records(archive.read(part)):
            if kind == 0:
                row = struct.unpack_from("<I", body)[0]
                if body[11] & 0x10:
                    marks.hidden.append(row)
            elif 2 <= kind <= 11:
                marks.reach(row, struct.unpack_from("<I", body)[0])
            if kind in (3, 11):  # an error as a value, or as what a formula gives
                marks.faults[row, struct.unpack_from("<I", body)[0]] = ERRORS.get(body[8], "#ERROR")
            elif kind == 176:
                top, bottom, left, right = struct.unpack_from("<4I", body)
                marks.merged.append((top, left, bottom, right))
    return marks


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    for kind, body in _packed_records(archive.read("xl/workbook.bin")):
        if kind == 156:
            key, end = _text(body, 8)
            if _text(body, end)[0] == sheet:
                return related_part(archive, "xl/_rels/workbook.bin.rels", key)
    return None


def _text(body: bytes, at: int) -> tuple[str, int]:
    end = at + 4 + 2 * struct.unpack_from("<I", body, at)[0]
    return body[at + 4 : end].decode("utf-16-le"), end


def _packed_records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(kind, content) of each record."""
    at = 0
    while at < len(data):
        kind, at = _packed_number(data, at, most=2)
        length, at = _packed_number(data, at, most=4)
        yield kind, data[at : at + length]
        at += length


def _packed_number(data: bytes, at: int, *, most: int) -> tuple[int, int]:
    """A number of as many bytes as it needs, seven bits in each, and the place behind it."""
    number = 0
    for place in range(most):
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            break
    return number, at
