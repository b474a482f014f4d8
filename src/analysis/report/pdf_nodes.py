"""Blocks as the nodes that the Typst template prints, in one language.

A node is a plain dict with a ``type``. It holds no decision that the template would have to take: wording is chosen, widths
are measured, and a text is a list of inline nodes that the template can only set as text.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from analysis.formats import cell_text
from analysis.locale import Language, translate
from analysis.report.gates import GateRefused
from analysis.report.pdf_columns import TEXT_WIDTH, Layout, breakable, head_pieces, panels
from analysis.report.pdf_tiles import tile_strip, value_nodes

Node = dict[str, Any]

HIDDEN_KINDS = frozenset({"facts", "evidence"})
#: Letters of a cell of words, four times those of the longest of our own.
LONGEST_CELL = 600
MANY_COLUMNS = 8

# The template's own words; each is a key of the catalogue.
WORDS = {
    "report": "After-sales finance report",
    "contents": "Contents",
    "page": "Page {page} of {pages}",
    "figure": "Figure",
    "table": "Table",
    "alert": "Alert",
    "watch": "Watch",
    "info": "For information",
    "good": "Good",
    "passed": "Passed",
    "failed": "Failed",
    "method": "Method: {text}",
    "evidence": "Evidence: {file}",
    "weakened": "Weakened by a failed check: {text}",
    "numerator": "Numerator",
    "denominator": "Denominator",
    "measured": "What is measured",
    "name": "Name",
    "signature": "Signature",
    "date": "Date",
}


@dataclass(kw_only=True, eq=False)
class Nodes:
    """Makes nodes in one language; on the way it collects the pictures and the metrics printed."""

    language: Language
    numbers: Mapping[str, int] = field(default_factory=dict)  # of tables and figures, by id
    pictures: dict[str, str] = field(default_factory=dict)
    metrics: set[str] = field(default_factory=set)

    def block(self, record: Mapping[str, Any]) -> list[Node]:
        """The node of a block record; none for a block that is only for the record."""
        if record["kind"] in HIDDEN_KINDS:
            return []
        self.metrics.update(fact["metric"] for fact in record["facts"])
        made: Node = getattr(self, f"_{record['kind']}")(record)
        number = self.numbers.get(record["id"])
        return [{"id": record["id"], "number": None if number is None else str(number)} | made]

    def segments(self, segments: Mapping[str, Sequence[Mapping[str, str]]] | None) -> list[Node]:
        pieces = segments[self.language] if segments else ()
        return [
            {"type": "fact" if piece.get("k") == "fact" else "text", "text": piece["t"]} for piece in pieces
        ]

    def text(self, text: Mapping[str, str] | str | None) -> str:
        """A Text, or a name that is the same in both languages."""
        return "" if text is None else text if isinstance(text, str) else text[self.language]

    def word(self, message: str) -> str:
        return translate(message, self.language)

    def _captions(self, record: Mapping[str, Any], *names: str) -> Node:
        return {name: self.segments(record[name]) for name in names}

    def _table(self, record: Mapping[str, Any]) -> Node:
        columns = [
            {**column, "label": column["label"][self.language], "unit": column["unit"][self.language]}
            for column in record["columns"]
        ]
        rows = [
            {
                "role": row["role"],
                "cells": [table_cell(cell["text"][self.language], cell["tone"]) for cell in row["cells"]],
            }
            for row in record["rows"]
        ]
        return self._captions(record, "title", "subtitle", "note") | self.listing(record["id"], columns, rows)

    def listing(self, name: str, columns: Sequence[Node], rows: Sequence[Node]) -> Node:
        """A table with its measured columns; ``rows`` hold cells made by :func:`_cell`."""
        for row in rows:
            for cell, column in zip(row["cells"], columns, strict=True):
                if column["type"] != "number":
                    cell["text"] = breakable(_printed(cell["text"]))
        columns, unit = _shared_unit(columns)
        laid = panels(name, columns, rows)
        return {
            "type": "table",
            "unit": self.word("in {unit}").format(unit=unit) if unit else "",
            "landscape": any(panel.landscape for panel in laid),
            "panels": [_panel(panel, columns, rows) for panel in laid],
        }

    def _figure(self, record: Mapping[str, Any]) -> Node:
        name = f"figure {record['id']}"
        return self._captions(record, "title", "subtitle", "foot") | {
            "type": "figure",
            "alt": self._alt(record["alt"], name),
            "path": self._picture(record["svg"][self.language], name),
            "width": round(min(float(record["width"]), TEXT_WIDTH), 2),
        }

    def _picture(self, svg: str, name: str) -> str:
        try:
            ElementTree.fromstring(svg)
        except ElementTree.ParseError as error:
            raise GateRefused(
                f"{name} ({self.language}): its SVG cannot be read ({error}); draw it again.", "layout"
            ) from error
        path = f"pictures/{len(self.pictures) + 1:03d}-{re.sub(r'[^A-Za-z0-9.]+', '-', name).strip('-')}.svg"
        self.pictures[path] = svg
        return path

    def _alt(self, alt: Mapping[str, str], name: str) -> str:
        if not alt[self.language].strip():
            raise GateRefused(
                f"{name}: no alt text in {self.language}; say in a sentence what it shows.", "layout"
            )
        return alt[self.language]

    def _tiles(self, record: Mapping[str, Any]) -> Node:
        absent = {fact["id"] for fact in record["facts"] if fact["value"] is None}
        tiles = [
            self._tile(tile, record["id"]) | {"absent": tile["fact"] in absent} for tile in record["tiles"]
        ]
        return {"type": "tiles"} | tile_strip(tiles)

    def _tile(self, tile: Mapping[str, Any], block: str) -> Node:
        label, spark = self.text(tile["label"]), tile["spark"]
        name = f"spark line of '{label}' in {block}"
        return {
            "label": label,
            "value": value_nodes(self.segments(tile["value"]), self.language),
            "status": tile["status"],
            "comparisons": [
                {
                    "label": self.text(line["label"]),
                    "value": self.segments(line["value"]),
                    "tone": line["tone"],
                }
                for line in tile["comparisons"]
            ],
            "spark": {"path": self._picture(spark["svg"], name), "alt": self._alt(spark["alt"], name)}
            if spark
            else None,
        }

    def _findings(self, record: Mapping[str, Any]) -> Node:
        return {
            "type": "findings",
            "findings": [self._finding(finding) for finding in record["findings"]],
            "empty": self.segments(record["empty"]),
        }

    def _finding(self, finding: Mapping[str, Any]) -> Node:
        notes = []
        if method := self.text(finding["method"]):
            # a dot and the evidence may follow in the same line
            notes.append(self.word(WORDS["method"]).format(text=method.rstrip("。.")))
        if finding["evidence"]:
            notes.append(self.word(WORDS["evidence"]).format(file=f"evidence/{finding['evidence']}.csv"))
        weakened = [
            _around(self.word(WORDS["weakened"]), "{text}", self.segments(sentence))
            for sentence in finding.get("weakened", ())
        ]
        return {
            "id": finding["id"],
            "severity": finding["severity"],
            "children": self.segments(finding["segments"]),
            "notes": notes,
            "weakened": weakened,
        }

    def _checks(self, record: Mapping[str, Any]) -> Node:
        return {"type": "checks", "checks": [self.check(check) for check in record["checks"]]}

    def check(self, check: Mapping[str, Any]) -> Node:
        return {"outcome": check["outcome"], "children": self.segments(check["sentence"])}

    def _callout(self, record: Mapping[str, Any]) -> Node:
        return {"type": "callout", "tone": record["tone"]} | self._captions(record, "title", "body")


def plain(text: str) -> Node:
    """Plain words as an inline node."""
    return {"type": "text", "text": text}


def _around(template: str, mark: str, nodes: Sequence[Node]) -> list[Node]:
    before, _, after = template.partition(mark)
    return [plain(before), *nodes, plain(after)]


def _printed(text: str) -> str:
    """The words of a cell as paper takes them: a row stays on one page, so of a vast label the beginning; the screen shows all of it."""
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL].rstrip()} …"


def table_cell(text: str, tone: str | None = None) -> Node:
    """A table cell; ``tone`` as in block records."""
    return {"text": text, "tone": tone}


def _panel(laid: Layout, columns: Sequence[Node], rows: Sequence[Node]) -> Node:
    """The columns of one panel with their widths, and the rows cut to them."""
    shown = [columns[index] for index in laid.columns]
    cut: list[Node] = []
    for row in rows:
        alone = row["role"] == "group" and not any(cell["text"] for cell in row["cells"][1:])
        cut.append(
            {"role": row["role"], "alone": alone, "cells": [row["cells"][index] for index in laid.columns]}
        )
    return {
        "columns": [
            {key: column[key] for key in ("align", "type")}
            | {key: head_pieces(column[key]) for key in ("label", "unit")}
            for column in shown
        ],
        "widths": [round(width, 2) for width in laid.widths],
        "size": laid.size,
        "rows": cut,
    }


def _shared_unit(columns: Sequence[Node]) -> tuple[Sequence[Node], str]:
    """Many columns of one unit name it once, above the table, instead of in every heading."""
    units = {column["unit"] for column in columns if column["type"] == "number"}
    if len(units) != 1 or len(columns) < MANY_COLUMNS:
        return columns, ""
    return [
        column | {"unit": ""} if column["type"] == "number" else column for column in columns
    ], units.pop()


def table_column(label: str, *, number: bool = False, wide: bool = False) -> Node:
    """A column without a unit."""
    align = "right" if number else "left"
    return {"label": label, "unit": "", "align": align, "type": "number" if number else "text", "wide": wide}


def counted(number: int) -> str:
    """A count as a table prints it."""
    return cell_text(number, "count")


def halved(digest: str) -> list[str]:
    """A hash on two lines, as it fits a column."""
    half = (len(digest) + 1) // 2
    return [digest[:half], digest[half:]]
