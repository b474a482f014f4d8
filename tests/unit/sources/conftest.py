"""Small exports written the way the systems write them; a workbook is made of its XML, so that no library decides what a cell holds."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import duckdb
import pytest

from analysis.sources import MappedFile, SourceMap, apply_map, load_map
from analysis.sources.excel import letters
from analysis.tables import TableSet, contract, load_tables

TABLES = {name: tuple(table.columns) for name, table in contract().tables.items()}
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
EPOCH = dt.datetime(1899, 12, 30)
Workbook = Callable[..., Path]


class Raw(str):
    """A cell as XML; ``{at}`` stands for its place."""


ERROR = Raw('<c r="{at}" t="e"><v>#N/A</v></c>')
FORMULA = Raw('<c r="{at}"><f>SUM(1,2)</f><v>3</v></c>')
UNCALCULATED = Raw('<c r="{at}"><f>SUM(1,2)</f></c>')


def _cell(value: Any, at: str) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, Raw):
        return value.replace("{at}", at)
    if isinstance(value, dt.datetime):
        return f'<c r="{at}" s="2"><v>{(value - EPOCH) / dt.timedelta(days=1)!r}</v></c>'
    if isinstance(value, dt.date):
        return (
            f'<c r="{at}" s="1"><v>{(dt.datetime(value.year, value.month, value.day) - EPOCH).days}</v></c>'
        )
    if isinstance(value, int | float):
        return f'<c r="{at}"><v>{value!r}</v></c>'
    return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def _sheet(rows: Sequence[Sequence[Any]], merged: Sequence[str]) -> str:
    lines = [
        f'<row r="{number}">'
        + "".join(_cell(value, f"{letters(column)}{number}") for column, value in enumerate(row))
        + "</row>"
        for number, row in enumerate(rows, start=1)
    ]
    ranges = "".join(f'<mergeCell ref="{one}"/>' for one in merged)
    return f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData>{f"<mergeCells>{ranges}</mergeCells>" if merged else ""}</worksheet>'


def write_workbook(
    path: Path, sheets: dict[str, Sequence[Sequence[Any]]], *, merged: Sequence[str] = ()
) -> Path:
    """A workbook of these sheets; ``merged`` are ranges of the first."""
    numbered = list(enumerate(sheets.items(), start=1))
    names = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>' for n, (name, _) in numbered
    )
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{RELATED}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n, _ in numbered
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{RELATED}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATED}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{related}<Relationship Id="rId99" Type="{RELATED}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/></cellXfs></styleSheet>',
    }
    parts |= {
        f"xl/worksheets/sheet{n}.xml": _sheet(rows, merged if n == 1 else ()) for n, (_, rows) in numbered
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + text)
    return path


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    return folder


@pytest.fixture
def workbook(exports: Path) -> Workbook:
    """``workbook("book.xlsx", [["id", "day"], …], merged=["A2:A3"])``: one sheet in the folder of exports."""

    def write(
        name: str, rows: Sequence[Sequence[Any]], *, merged: Sequence[str] = (), sheet: str = "Sheet1"
    ) -> Path:
        return write_workbook(exports / name, {sheet: rows}, merged=merged)

    return write


class Taken:
    """What came of a map: where the rows went, and the proved tables."""

    def __init__(self, mapped: tuple[MappedFile, ...], tables: TableSet) -> None:
        self.mapped, self.tables = mapped, tables

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        with duckdb.connect() as connection:
            return connection.execute(
                f"SELECT {', '.join(columns)} FROM {self.tables.scan(table)} ORDER BY ALL"
            ).fetchall()

    def counts(self, table: str) -> list[tuple[int, int, int]]:
        return [(one.read, one.mapped, one.left_out) for one in self.mapped if one.table == table]

    def notes(self, table: str) -> list[str]:
        return [str(note) for one in self.mapped if one.table == table for note in one.notes]


@pytest.fixture
def take(exports: Path, tmp_path: Path) -> Callable[..., Taken]:
    """``take(entry, …)`` or ``take("zendesk")``: the exports through a map and the proof, as a run does it."""

    def run(
        *entries: dict[str, Any] | str,
        folder: Path = exports,
        time_zone: str = "Asia/Shanghai",
        currency: str = "CNY",
        **options: Any,
    ) -> Taken:
        if entries and isinstance(entries[0], str):
            source_map = load_map(entries[0], TABLES)
        else:
            source_map = stated(*entries)  # type: ignore[arg-type]
        mapped = apply_map(source_map, folder, tmp_path / "mapped", business_zone=time_zone)
        return Taken(
            mapped,
            load_tables(
                tmp_path / "mapped",
                tmp_path / "store",
                reporting_currency=currency,
                time_zone=time_zone,
                **options,
            ),
        )

    return run


def stated(*entries: dict[str, Any]) -> SourceMap:
    from analysis.params.strict import bind
    from analysis.sources.maps import check_entry

    source_map = bind(SourceMap, {"about": "test", "tables": list(entries), "name": "test"}, "test")
    for entry in source_map.tables:
        check_entry(entry, TABLES, f"test: {entry.table}")
    return source_map
