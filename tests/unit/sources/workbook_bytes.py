"""Workbooks in the older and the open formats, made of their own bytes, so that no library decides what a cell holds."""

from __future__ import annotations

import datetime as dt
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

EPOCH = dt.datetime(1899, 12, 30)
SECTOR, SMALL, NONE, END = 512, 64, 0xFFFF_FFFF, 0xFFFF_FFFE


class Odd:
    """A cell that is no plain value: ``error``, ``result`` (a formula with this result) or ``uncalculated``."""

    def __init__(self, kind: str, value: Any = None) -> None:
        self.kind, self.value = kind, value


ERROR, UNCALCULATED = Odd("error"), Odd("uncalculated")


def serial(day: dt.date) -> float:
    moment = day if isinstance(day, dt.datetime) else dt.datetime(day.year, day.month, day.day)
    return (moment - EPOCH) / dt.timedelta(days=1)


# ---------------------------------------------------------------- .xls


def compound(streams: dict[str, bytes]) -> bytes:
    """A compound file ([MS-CFB]) of these streams: those below 4,096 bytes in the shared stream of small sectors."""
    table: list[int] = []
    sectors: list[bytes] = []

    def laid(data: bytes) -> int:
        if not data:
            return END
        first = len(sectors)
        pieces = [data[at : at + SECTOR].ljust(SECTOR, b"\0") for at in range(0, len(data), SECTOR)]
        sectors.extend(pieces)
        table.extend([*range(first + 1, first + len(pieces)), END])
        return first

    small, small_table, places = b"", [], []
    for content in streams.values():
        if len(content) >= 4096:
            places.append(laid(content))
            continue
        first, count = len(small) // SMALL, -(-len(content) // SMALL)
        small += content.ljust(count * SMALL, b"\0")
        small_table += [*range(first + 1, first + count), END]
        places.append(first)
    small_start = laid(small)
    small_table_start = laid(
        struct.pack(f"<{len(small_table)}I", *small_table) + b"\xff" * (-4 * len(small_table) % SECTOR)
    )

    def entry(name: str, kind: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le")
        return (
            text.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(text) + 2, kind, 1, NONE, NONE, 1 if kind == 5 else NONE)
            + bytes(36)
            + struct.pack("<IQ", start, size)
        )

    entries = [entry("Root Entry", 5, small_start, len(small))]
    entries += [
        entry(name, 2, place, len(content))
        for (name, content), place in zip(streams.items(), places, strict=True)
    ]
    directory = laid(b"".join(entries).ljust(-(-len(entries) // 4) * SECTOR, b"\0"))
    count = 1
    while (len(table) + count) * 4 > count * SECTOR:
        count += 1
    listed = list(range(len(sectors), len(sectors) + count))
    table += [0xFFFF_FFFD] * count
    table += [NONE] * (count * SECTOR // 4 - len(table))
    packed = struct.pack(f"<{len(table)}I", *table)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 62, 3, 0xFFFE, 9, 6)
    header += bytes(10) + struct.pack(
        "<IIIIIIIII", count, directory, 0, 4096, small_table_start, 1 if small_table else 0, END, 0, listed[0]
    )
    header += b"".join(struct.pack("<I", number) for number in listed[1:])
    return header.ljust(SECTOR, b"\xff") + b"".join(sectors) + packed


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _label(text: str) -> bytes:
    return struct.pack("<HB", len(text), 1) + text.encode("utf-16-le")


def _xls_cell(row: int, column: int, value: Any) -> bytes:
    head = struct.pack(
        "<HHH", row, column, 1 if type(value) is dt.date else 2 if isinstance(value, dt.datetime) else 0
    )
    if isinstance(value, Odd):
        result = {"error": b"\x02\0\x2a\0\0\0\xff\xff", "uncalculated": b"\x03\0\0\0\0\0\xff\xff"}.get(
            value.kind
        ) or struct.pack("<d", value.value)
        return _record(0x06, head + result + bytes(6) + struct.pack("<H", 3) + b"\x1e\x01\0")
    if isinstance(value, bool):
        return _record(0x205, head + bytes([value, 0]))
    if isinstance(value, dt.date):
        value = serial(value)
    if isinstance(value, int | float):
        return _record(0x203, head + struct.pack("<d", value))
    return _record(0x204, head + _label(value))


def xls_stream(
    sheets: dict[str, Sequence[Sequence[Any]]],
    *,
    merged: Sequence[tuple[int, int, int, int]],
    hidden: Sequence[int],
) -> bytes:
    begin = lambda kind: _record(0x809, struct.pack("<HHHHII", 0x600, kind, 0, 1997, 0, 6))  # noqa: E731
    formats = b"".join(_record(0xE0, struct.pack("<HHH", 0, code, 0) + bytes(14)) for code in (0, 14, 22))
    parts = []
    for number, rows in enumerate(sheets.values()):
        part = begin(0x10)
        for line in hidden if number == 0 else ():
            part += _record(0x208, struct.pack("<HHHHHHI", line, 0, 9, 255, 0, 0, 0x120))
        for row, cells in enumerate(rows):
            for column, value in enumerate(cells):
                part += b"" if value is None or value == "" else _xls_cell(row, column, value)
        if merged and number == 0:
            ranges = b"".join(
                struct.pack("<HHHH", top, bottom, left, right) for top, left, bottom, right in merged
            )
            part += _record(0xE5, struct.pack("<H", len(merged)) + ranges)
        parts.append(part + _record(0x0A, b""))
    names = [struct.pack("<BBBB", 0, 0, len(name), 1) + name.encode("utf-16-le") for name in sheets]
    start = len(begin(5)) + len(formats) + sum(8 + len(name) for name in names) + 4
    listed = b""
    for name, part in zip(names, parts, strict=True):
        listed += _record(0x85, struct.pack("<I", start) + name)
        start += len(part)
    return begin(5) + formats + listed + _record(0x0A, b"") + b"".join(parts)


def write_xls(
    path: Path,
    sheets: dict[str, Sequence[Sequence[Any]]],
    *,
    merged: Sequence[tuple[int, int, int, int]] = (),
    hidden: Sequence[int] = (),
) -> Path:
    path.write_bytes(compound({"Workbook": xls_stream(sheets, merged=merged, hidden=hidden)}))
    return path


# ---------------------------------------------------------------- .xlsb


def _packed(kind: int, body: bytes = b"") -> bytes:
    def number(value: int) -> bytes:
        out = b""
        while True:
            value, low = value >> 7, value & 0x7F
            out += bytes([low | (0x80 if value else 0)])
            if not value:
                return out

    return number(kind) + number(len(body)) + body


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def _xlsb_cell(column: int, value: Any) -> bytes:
    style = 1 if type(value) is dt.date else 2 if isinstance(value, dt.datetime) else 0
    head = struct.pack("<II", column, style)
    if isinstance(value, Odd):
        formula = struct.pack("<HII", 0, 0, 0)
        if value.kind == "error":
            return _packed(11, head + b"\x2a" + formula)
        return _packed(9, head + struct.pack("<d", value.value) + formula)
    if isinstance(value, bool):
        return _packed(4, head + bytes([value]))
    if isinstance(value, dt.date):
        value = serial(value)
    if isinstance(value, int | float):
        return _packed(5, head + struct.pack("<d", value))
    return _packed(6, head + _wide(value))


def _xlsb_sheet(
    rows: Sequence[Sequence[Any]], merged: Sequence[tuple[int, int, int, int]], hidden: Sequence[int]
) -> bytes:
    width = max(len(row) for row in rows)
    part = _packed(129) + _packed(148, struct.pack("<IIII", 0, len(rows) - 1, 0, width - 1)) + _packed(145)
    for number, cells in enumerate(rows):
        flags = 0x10 if number in hidden else 0
        part += _packed(0, struct.pack("<IIHBBBI", number, 0, 300, 0, flags, 0, 0))
        for column, value in enumerate(cells):
            part += b"" if value is None or value == "" else _xlsb_cell(column, value)
    part += _packed(146)
    if merged:
        part += _packed(177, struct.pack("<I", len(merged)))
        for top, left, bottom, right in merged:
            part += _packed(176, struct.pack("<IIII", top, bottom, left, right))
        part += _packed(178)
    return part + _packed(130)


def write_xlsb(
    path: Path,
    sheets: dict[str, Sequence[Sequence[Any]]],
    *,
    merged: Sequence[tuple[int, int, int, int]] = (),
    hidden: Sequence[int] = (),
) -> Path:
    package = "http://schemas.openxmlformats.org/package/2006"
    related = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    book = _packed(131) + _packed(143)
    relations = ""
    for number, name in enumerate(sheets, start=1):
        book += _packed(156, struct.pack("<II", 0, number) + _wide(f"rId{number}") + _wide(name))
        relations += f'<Relationship Id="rId{number}" Type="{related}/worksheet" Target="worksheets/sheet{number}.bin"/>'
    relations += f'<Relationship Id="rId99" Type="{related}/styles" Target="styles.bin"/>'
    formats = b"".join(
        _packed(47, struct.pack("<HHHHHBB", 0, code, 0, 0, 0, 0, 0) + bytes(4)) for code in (0, 14, 22)
    )
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{related}/officeDocument" Target="xl/workbook.bin"/></Relationships>',
        "xl/workbook.bin": book + _packed(144) + _packed(132),
        "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{package}/relationships">{relations}</Relationships>',
        "xl/styles.bin": _packed(278)
        + _packed(617, struct.pack("<I", 3))
        + formats
        + _packed(618)
        + _packed(279),
    }
    for number, rows in enumerate(sheets.values(), start=1):
        first = number == 1
        parts[f"xl/worksheets/sheet{number}.bin"] = _xlsb_sheet(
            rows, merged if first else (), hidden if first else ()
        )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


# ---------------------------------------------------------------- .ods


def _ods_cell(value: Any, span: str) -> str:
    if value is None or value == "":
        return f"<table:table-cell{span}/>"
    if isinstance(value, Odd):
        kind, formula = value.kind, 'table:formula="of:=1+2"'
        if kind == "uncalculated":
            return f"<table:table-cell {formula}/>"
        if kind == "error":
            return f'<table:table-cell {formula} office:value-type="string" office:string-value="" calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>'
        return f'<table:table-cell {formula} office:value-type="float" office:value="{value.value!r}"/>'
    if isinstance(value, bool):
        return f'<table:table-cell office:value-type="boolean" office:boolean-value="{str(value).lower()}"/>'
    if isinstance(value, dt.date):
        return f'<table:table-cell office:value-type="date" office:date-value="{value.isoformat()}"><text:p>shown</text:p></table:table-cell>'
    if isinstance(value, int | float):
        return f'<table:table-cell office:value-type="float" office:value="{value!r}"/>'
    return f'<table:table-cell{span} office:value-type="string"><text:p>{escape(value)}</text:p></table:table-cell>'


def write_ods(
    path: Path,
    sheets: dict[str, Sequence[Sequence[Any]]],
    *,
    merged: Sequence[tuple[int, int, int, int]] = (),
    hidden: Sequence[int] = (),
) -> Path:
    names = {
        "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
        "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
        "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
        "calcext": "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0",
    }
    spans = {
        (
            top,
            left,
        ): f' table:number-rows-spanned="{bottom - top + 1}" table:number-columns-spanned="{right - left + 1}"'
        for top, left, bottom, right in merged
    }
    tables = ""
    for number, (name, rows) in enumerate(sheets.items()):
        lines = ""
        for row, cells in enumerate(rows):
            shut = ' table:visibility="filter"' if number == 0 and row in hidden else ""
            inside = "".join(
                _ods_cell(value, spans.get((row, column), "") if number == 0 else "")
                for column, value in enumerate(cells)
            )
            lines += f"<table:table-row{shut}>{inside}</table:table-row>"
        tables += f'<table:table table:name="{escape(name)}">{lines}<table:table-row table:number-rows-repeated="1000"><table:table-cell table:number-columns-repeated="1000"/></table:table-row></table:table>'
    spaces = " ".join(f'xmlns:{short}="{name}"' for short, name in names.items())
    content = f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} office:version="1.2"><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
    return path
