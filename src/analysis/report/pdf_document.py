"""From executed notebooks to the one JSON document that the Typst template prints.

Everything is decided here, in one language: wording, numbering, widths, which definitions are listed. The template only
sets type. It reads the document with ``json()``, so a label such as ``#emph[`` or ``<script>`` is printed as it stands.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.errors import NotebookFailed, ParameterError, PublicationRefused, SourceError, suggestion
from analysis.exhibits.blocks import MIME
from analysis.exhibits.prose import prose_blocks, prose_text
from analysis.exhibits.shape import validate
from analysis.exhibits.style import LIGHT
from analysis.formats import Unit, cell_text, date_text, month_text
from analysis.locale import Language, translate
from analysis.periods import Month
from analysis.report.pdf_columns import TEXT_WIDTH, Layout, breakable, panels, typeface

Node = dict[str, Any]
Notebook = Mapping[str, Any]

DROPPED_TAGS = frozenset({"parameters", "injected-parameters", "setup", "remove-cell"})
HIDDEN_KINDS = frozenset({"facts", "evidence"})
MANY_COLUMNS = 8
EXHIBITS = frozenset({"figure", "table", "tiles", "findings", "checks"})
PACK_KEYS = (
    "month", "as_of", "edition", "company", "currency", "status", "code_version", "preparer", "reviewer",
    "sources", "registry", "checks", "hashes", "restated",
)  # fmt: skip
STAMPS = {"not tied out": "NOT TIED OUT — not for signature", "draft": "DRAFT — not for signature"}
STATUSES = {
    "issued": ("Issued", "good"),
    "not tied out": ("Not tied out", "alert"),
    "draft": ("Draft", "watch"),
}
SUMMARY_SECTIONS = frozenset({"executive", "summary"})  # executed last, read first
COVER_TILES = 6
TILE_SIZES = (19.0, 18.0, 17.0, 16.0, 15.0, 14.0, 13.0, 12.0, 11.0, 10.0)
TILE_LEAST = 14.0  # points below which a value looks lost, and the tiles are set wider
TILE_GAP = 18.0

RESTATED = {
    "name": "Figure restated",
    "period": "Period",
    "before": "Before",
    "after": "Now",
    "change": "Change",
    "cause": "Cause",
}
# What a pack's hashes are of; other names, such as those of files, are printed as they are.
HASHED = frozenset({"data", "environment lock", "program", "parameters", "definitions"})

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
    "name": "Name",
    "signature": "Signature",
    "date": "Date",
}


@dataclass(frozen=True, kw_only=True)
class Document:
    """What Typst gets: the record it reads as ``document.json`` and the pictures it names, by path."""

    record: Node
    pictures: Mapping[str, str]


def read_notebook(path: Path) -> Notebook:
    """A notebook as plain JSON (format 4); what else a file may hold is refused."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(f"notebook {path.name}: cannot be read ({error}); run the report again.") from error
    if (
        not isinstance(notebook, dict)
        or notebook.get("nbformat") != 4
        or not isinstance(notebook.get("cells"), list)
    ):
        raise SourceError(
            f"notebook {path.name}: not a notebook of format 4; open and save it in JupyterLab."
        )
    return notebook


def document(
    notebooks: Sequence[tuple[str, Notebook]], *, language: Language, pack: Mapping[str, Any] | None
) -> Document:
    """The record for notebooks given as (name, content); with a ``pack``, cover, contents and appendices as well."""
    if not notebooks:
        raise ParameterError("a PDF needs at least one notebook; none was given.")
    if pack is not None:
        _check_pack(pack)
    writer = _Writer(language=language, pack=pack or {})
    sections = [writer.section(name, notebook) for name, notebook in _in_order(notebooks)]
    for number, section in enumerate(sections, start=1):
        section["number"] = str(number) if pack is not None else None
    if pack is not None:
        sections += writer.appendices()
    record = writer.record(sections)
    _refuse_missing_glyphs(record, writer.pictures)
    return Document(record=record, pictures=writer.pictures)


def _in_order(notebooks: Sequence[tuple[str, Notebook]]) -> Sequence[tuple[str, Notebook]]:
    """The summary first, the rest by the notebooks' own ``order``; as given when one of them has none."""
    places = [_placed(notebook) for _, notebook in notebooks]
    if any(not isinstance(place.get("order"), int) for place in places):
        return notebooks
    keys = [(place.get("section") not in SUMMARY_SECTIONS, place["order"]) for place in places]
    return [pair for _, pair in sorted(zip(keys, notebooks, strict=True), key=lambda item: item[0])]


def _placed(notebook: Notebook) -> Mapping[str, Any]:
    placed = notebook.get("metadata", {}).get("after_sales", {})
    return placed if isinstance(placed, Mapping) else {}


def _check_pack(pack: Mapping[str, Any]) -> None:
    for key in PACK_KEYS:
        if key not in pack:
            raise ParameterError(
                f"pack: no '{key}'.{suggestion(key, pack)} A pack names {', '.join(PACK_KEYS)}."
            )
    if pack["status"] not in STATUSES:
        raise ParameterError(f"pack: status '{pack['status']}'; known: {', '.join(STATUSES)}.")
    for source in pack["sources"]:
        kept = source["accepted"] + source["quarantined"] + source["exact_duplicates"]
        if kept != source["rows_read"]:
            raise PublicationRefused(
                f"source {source['file']}: {source['rows_read']} rows read, {kept} accounted for; rows are conserved: "
                "read = accepted + quarantined + exact duplicates."
            )


@dataclass(kw_only=True, eq=False)
class _Writer:
    """Collects sections in one language, and on the way the pictures, the metrics used and the checks that failed."""

    language: Language
    pack: Mapping[str, Any]
    pictures: dict[str, str] = field(default_factory=dict)
    metrics: set[str] = field(default_factory=set)
    cover_tiles: list[Node] = field(default_factory=list)
    failed: dict[str, list[Node]] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)

    # ------------------------------------------------------------ notebooks

    def section(self, name: str, notebook: Notebook) -> Node:
        place = _placed(notebook)
        id = str(place.get("section") or name)
        cells = [
            cell
            for cell in notebook["cells"]
            if not DROPPED_TAGS.intersection(cell.get("metadata", {}).get("tags", ()))
        ]
        records = {
            index: list(_records(name, index, cell))
            for index, cell in enumerate(cells)
            if cell["cell_type"] == "code"
        }
        self._note_checks(record for found in records.values() for record in found)
        nodes: list[Node] = []
        for index, cell in enumerate(cells):
            if cell["cell_type"] == "markdown":
                nodes += self.prose(
                    id, cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
                )
            for record in records.get(index, ()):
                nodes += self.block(record)
        title = next((node for node in nodes if node["type"] == "heading"), None)
        if title is None:
            title = {"type": "heading", "children": [_words(name)], "label": id}
        else:
            nodes.remove(title)
        if id in SUMMARY_SECTIONS and not self.cover_tiles:
            self.cover_tiles = next((node["tiles"] for node in nodes if node["type"] == "tiles"), [])
        nodes = _landscape_groups(_kept(_stepped(_without_dead_links(nodes))))
        _lead(nodes)
        return {"id": id, "title": title["children"], "label": title["label"], "nodes": nodes}

    def _note_checks(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Failed checks by id, known before the findings they weaken are written."""
        checks = [
            *self.pack.get("checks", ()),
            *(check for record in records for check in record.get("checks", ())),
        ]
        for check in checks:
            if check["outcome"] == "failed":
                self.failed[check["id"]] = self.segments(check["sentence"])

    def prose(self, section: str, markdown: str) -> list[Node]:
        nodes: list[Node] = []
        for node in prose_blocks(markdown, self.language):
            nodes += self._prose_node(section, node)
        return nodes

    def _prose_node(self, section: str, node: Node) -> list[Node]:
        match node["type"]:
            case "heading":
                notes = [child for child in node["children"] if child["type"] == "footnote"]
                children = self._inline(
                    [child for child in node["children"] if child["type"] != "footnote"], section
                )
                heading = {
                    "type": "heading",
                    "level": node["level"],
                    "children": children,
                    "label": self._label(f"{section}:{node['id']}"),
                }
                return [
                    heading,
                    *(
                        {"type": "aside", "children": self._inline(note["children"], section)}
                        for note in notes
                    ),
                ]
            case "paragraph":
                return [{"type": "paragraph", "children": self._inline(node["children"], section)}]
            case "quote":
                inner = [made for child in node["children"] for made in self._prose_node(section, child)]
                return [{"type": "quote", "children": inner}]
            case "list":
                items = [
                    [made for child in item for made in self._prose_node(section, child)]
                    for item in node["items"]
                ]
                return [{"type": "list", "ordered": node["ordered"], "start": node["start"], "items": items}]
            case "table":
                return [self._prose_table(section, node)]
        return [dict(node)]

    def _label(self, wanted: str) -> str:
        """A label of its own for every heading; links lead to the first of several with one name."""
        self.labels[wanted] = self.labels.get(wanted, 0) + 1
        return wanted if self.labels[wanted] == 1 else f"{wanted}:{self.labels[wanted]}"

    def _prose_table(self, section: str, node: Node) -> Node:
        columns = [
            {
                "label": prose_text(head),
                "unit": "",
                "align": "right" if align == "right" else "left",
                "type": "text",
                "wide": True,
            }
            for head, align in zip(node["header"], node["align"], strict=True)
        ]
        rows: list[Node] = [
            {"role": "body", "cells": [_cell(prose_text(cell)) for cell in row]} for row in node["rows"]
        ]
        for row, source in zip(rows, node["rows"], strict=True):
            for cell, children in zip(row["cells"], source, strict=True):
                cell["children"] = self._inline(children, section)
        made = self.listing(f"in {section}", columns, rows)
        return made | {"type": "plain-table"}

    def _inline(self, nodes: Sequence[Node], section: str) -> list[Node]:
        """Prose in the template's terms: curly quotes in English, links inside the pack by label."""
        made: list[Node] = []
        for node in nodes:
            node = dict(node)
            if "children" in node:
                node["children"] = self._inline(node["children"], section)
            elif node["type"] == "text" and self.language == "en":
                node["text"] = curly(node["text"], opening=not made)
            if node["type"] == "link" and node["url"].startswith("#"):
                node["url"] = f"#{section}:{node['url'][1:]}"
            made.append(node)
        return made

    # ------------------------------------------------------------ blocks

    def block(self, record: Mapping[str, Any]) -> list[Node]:
        self.metrics.update(fact["metric"] for fact in record["facts"])
        if record["kind"] in HIDDEN_KINDS:
            return []
        made: Node = getattr(self, f"_{record['kind']}")(record)
        return [{"id": record["id"]} | made]

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
                "cells": [_cell(cell["text"][self.language], cell["tone"]) for cell in row["cells"]],
            }
            for row in record["rows"]
        ]
        return self._captions(record, "title", "subtitle", "note") | self.listing(record["id"], columns, rows)

    def listing(self, name: str, columns: Sequence[Node], rows: Sequence[Node]) -> Node:
        """A table with its measured columns; ``rows`` hold cells made by :func:`_cell`."""
        for row in rows:
            for cell, column in zip(row["cells"], columns, strict=True):
                if column["type"] != "number":
                    cell["text"] = breakable(cell["text"])
        columns, unit = _shared_unit(columns)
        laid = panels(name, columns, rows)
        return {
            "type": "table",
            "unit": unit,
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
            raise PublicationRefused(
                f"{name} ({self.language}): its SVG cannot be read ({error}); draw it again."
            ) from error
        path = f"pictures/{len(self.pictures) + 1:03d}-{re.sub(r'[^A-Za-z0-9.]+', '-', name).strip('-')}.svg"
        self.pictures[path] = svg
        return path

    def _alt(self, alt: Mapping[str, str], name: str) -> str:
        if not alt[self.language].strip():
            raise PublicationRefused(
                f"{name}: no alt text in {self.language}; say in a sentence what it shows."
            )
        return alt[self.language]

    def _tiles(self, record: Mapping[str, Any]) -> Node:
        absent = {fact["id"] for fact in record["facts"] if fact["value"] is None}
        tiles = [
            self._tile(tile, record["id"]) | {"absent": tile["fact"] in absent} for tile in record["tiles"]
        ]
        return {"type": "tiles"} | _strip(tiles)

    def _tile(self, tile: Mapping[str, Any], block: str) -> Node:
        label, spark = self.text(tile["label"]), tile["spark"]
        name = f"spark line of '{label}' in {block}"
        return {
            "label": label,
            "value": self.segments(tile["value"]),
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
            notes.append(self.word(WORDS["method"]).format(text=method))
        if finding["evidence"]:
            notes.append(self.word(WORDS["evidence"]).format(file=f"evidence/{finding['evidence']}.csv"))
        weakened = [
            _around(self.word(WORDS["weakened"]), "{text}", self.failed[check])
            for check in finding["checks"]
            if check in self.failed
        ]
        return {
            "severity": finding["severity"],
            "children": self.segments(finding["segments"]),
            "notes": notes,
            "weakened": weakened,
        }

    def _checks(self, record: Mapping[str, Any]) -> Node:
        return {"type": "checks", "checks": [self._check(check) for check in record["checks"]]}

    def _check(self, check: Mapping[str, Any]) -> Node:
        return {"outcome": check["outcome"], "children": self.segments(check["sentence"])}

    def _callout(self, record: Mapping[str, Any]) -> Node:
        return {"type": "callout", "tone": record["tone"]} | self._captions(record, "title", "body")

    # ------------------------------------------------------------ appendices

    def appendices(self) -> list[Node]:
        lettered = [self._restated(), self._definitions(), self._sources(), self._all_checks()]
        kept = [section for section in lettered if section is not None]
        for letter, section in zip("ABCD", kept, strict=False):
            section["number"] = letter
        return [*kept, self._last_page()]

    def _appendix(self, id: str, title: str, lead: str, nodes: list[Node]) -> Node:
        opening = {"type": "paragraph", "lead": True, "children": [_words(self.word(lead))]}
        return {
            "id": id,
            "title": [_words(self.word(title))],
            "label": id,
            "number": None,
            "nodes": [opening, *nodes],
        }

    def _restated(self) -> Node | None:
        """One row a restated number: ``name``, ``period``, ``before``, ``after``, ``change`` and ``cause``, each text."""
        listed = self.pack["restated"]
        if not listed:
            return None
        columns = [
            # not of type number: a number that is gone has its reason here, in words that may wrap
            _column(self.word(label), wide=key in {"name", "cause"})
            | {"align": "right" if key in {"before", "after", "change"} else "left"}
            for key, label in RESTATED.items()
        ]
        rows = [
            {"role": "body", "cells": [_cell(self.text(restated.get(key))) for key in RESTATED]}
            for restated in listed
        ]
        nodes = _landscape_groups([self.listing("restated", columns, rows) | {"type": "plain-table"}])
        if (count := self.pack.get("restated_count", 0)) > len(listed):
            template = self.word("{listed} of {count} are listed here; all of them stand in {file}.")
            note = template.format(
                listed=_count(len(listed)), count=_count(count), file="evidence/restated.csv"
            )
            nodes.append({"type": "aside", "children": [_words(note)]})
        lead = "Numbers of the last edition that read differently now, and what moved each of them."
        return self._appendix("restated", "Restated figures", lead, nodes)

    def _definitions(self) -> Node | None:
        used = [metric for metric in self.pack["registry"] if metric["id"] in self.metrics]
        if not used:
            return None
        entries = [self._definition(metric) for metric in sorted(used, key=lambda metric: str(metric["id"]))]
        lead = "Every measure printed in this report: what is divided by what, in which unit, and who owns the definition."
        return self._appendix(
            "definitions", "Definitions", lead, [{"type": "definitions", "entries": entries}]
        )

    def _definition(self, metric: Mapping[str, Any]) -> Node:
        better = {"higher": "higher is better", "lower": "lower is better"}.get(str(metric.get("better")), "")
        marks = [
            self.word("Unit: {unit}").format(unit=self._unit(str(metric["unit"]))),
            self.word("Owner: {owner}").format(owner=self.text(metric["owner"])),
            self.word("Version {version}").format(version=metric["version"]),
            *([self.word(better)] if better else []),
        ]
        return {
            "id": breakable(metric["id"]),
            "name": self.text(metric["name"]),
            "description": self.text(metric["description"]),
            "numerator": self.text(metric.get("numerator")),
            "denominator": self.text(metric.get("denominator")),
            "marks": marks,
        }

    def _unit(self, unit: str) -> str:
        try:
            label = Unit.parse(unit.replace("currency", self.pack["currency"], 1)).label(self.language)
        except ParameterError:
            return unit
        return label or self.word("number")

    def _sources(self) -> Node:
        counts = {
            "rows_read": "Rows read",
            "exact_duplicates": "Exact duplicates",
            "quarantined": "Quarantined",
            "accepted": "Accepted",
        }
        sources = sorted(self.pack["sources"], key=lambda source: (str(source["table"]), str(source["file"])))
        columns = [
            _column(self.word("Table")), _column(self.word("File and its SHA-256"), wide=True),
            *(_column(self.word(label), number=True) for label in counts.values()),
        ]  # fmt: skip
        rows: list[Node] = [
            {
                "role": "body",
                "cells": [
                    _cell(source["table"]),
                    _cell(str(source["file"])) | {"hash": _halved(str(source["sha256"]))},
                    *(_cell(_count(source[key])) for key in counts),
                ],
            }
            for source in sources
        ]
        totals = {key: sum(source[key] for source in sources) for key in counts}
        rows.append(
            {
                "role": "total",
                "cells": [
                    _cell(self.word("All tables")),
                    _cell(""),
                    *(_cell(_count(totals[key])) for key in counts),
                ],
            }
        )
        node = self.listing("data sources", columns, rows) | {"type": "plain-table"}
        lead = "No row is lost: rows read are accepted, quarantined with a reason, or dropped as exact duplicates."
        steps = [
            {"label": self.word(label), "value": totals[key], "text": _count(totals[key])}
            for key, label in counts.items()
        ]
        return self._appendix(
            "sources",
            "Data sources and row counts",
            lead,
            [{"type": "waterfall", "steps": steps}, *_landscape_groups([node])],
        )

    def _all_checks(self) -> Node | None:
        if not self.pack["checks"]:
            return None
        order = {"failed": 0, "info": 1, "passed": 2}
        checks = sorted(self.pack["checks"], key=lambda check: order[check["outcome"]])
        lead = "What was asked of the data before this report was made, and the answers; what failed comes first."
        return self._appendix(
            "checks", "Checks", lead, [{"type": "checks", "checks": [self._check(check) for check in checks]}]
        )

    def _last_page(self) -> Node:
        """The sign-off page, or what stands in its place when there is nothing to sign."""
        outcomes = [check["outcome"] for check in self.pack["checks"]]
        tally = [
            {"outcome": outcome, "text": self.word(message), "count": _count(outcomes.count(outcome))}
            for outcome, message in (("passed", "passed"), ("failed", "failed"), ("info", "for information"))
        ]
        hashes = [
            {"name": self.word(name) if name in HASHED else str(name), "hash": _halved(str(digest))}
            for name, digest in sorted(self.pack["hashes"].items())
        ]
        failed = [self._check(check) for check in self.pack["checks"] if check["outcome"] == "failed"]
        common = {
            "tally": tally,
            "failed": failed,
            "tally_title": self.word("Checks"),
            "hashes": hashes,
            "hashes_title": self.word("Fingerprints (SHA-256)"),
        }
        if self.pack["status"] != "issued":
            return self._not_for_signature(common)
        names = {"Prepared by": "preparer", "Reviewed by": "reviewer"}
        people = [
            {"role": self.word(label), "name": str(self.pack[key] or "")} for label, key in names.items()
        ]
        lead = (
            "With our signatures we state that we have read this report, that the checks listed in it were carried out, "
            "and that its numbers come from the data named in it."
        )
        return self._appendix(
            "sign-off", "Sign-off", lead, [{"type": "signatures", "people": people} | common]
        )

    def _not_for_signature(self, common: Node) -> Node:
        draft = self.pack["status"] == "draft"
        title = "Draft: not for signature" if draft else "Not tied out: not for signature"
        lead = (
            "This copy was made before the month was closed. Sign the issued edition."
            if draft
            else "The costs in this report do not agree with the general ledger. The differences are listed under the checks; "
            "until they are explained, nobody signs."
        )
        return self._appendix(
            "not-for-signature", title, lead, [{"type": "unsigned", "stamp": self._stamp()} | common]
        )

    def _stamp(self) -> str | None:
        stamp = STAMPS.get(self.pack["status"])
        return self.word(stamp) if stamp else None

    # ------------------------------------------------------------ the whole

    def record(self, sections: list[Node]) -> Node:
        return {
            "language": self.language,
            "region": "cn" if self.language == "zh" else "gb",
            "title": self._title(sections),
            "author": self.text(self.pack.get("company")),
            "palette": dict(LIGHT),
            "words": {key: self.word(message) for key, message in WORDS.items()},
            "running": self._running(),
            "cover": self._cover() if self.pack else None,
            "sections": sections,
        }

    def _title(self, sections: Sequence[Node]) -> str:
        if not self.pack:
            return prose_text([node for node in sections[0]["title"] if node["type"] != "fact"]) or self.word(
                WORDS["report"]
            )
        return f"{self.text(self.pack['company'])} · {self.word(WORDS['report'])} · {self._month()}"

    def _month(self) -> str:
        return month_text(Month.parse(self.pack["month"]), self.language)

    def _edition(self) -> str:
        return self.word("Edition {edition}").format(edition=self.pack["edition"])

    def _as_of(self) -> str:
        return date_text(day_of(self.pack["as_of"]), self.language)

    def _running(self) -> Node:
        if not self.pack:
            return {"right": self.word(WORDS["report"]), "foot": "", "status": None}
        label, tone = STATUSES[self.pack["status"]]
        foot = " · ".join((self._edition(), self.word("Data as of {day}").format(day=self._as_of())))
        status = {"text": self.word(label), "tone": tone}
        return {"right": f"{self.word(WORDS['report'])} · {self._month()}", "foot": foot, "status": status}

    def _cover(self) -> Node:
        label, tone = STATUSES[self.pack["status"]]
        lines = {
            "Data as of": self._as_of(),
            "Edition": str(self.pack["edition"]),
            "Status": self.word(label),
            "Currency": str(self.pack["currency"]),
            "Prepared by": str(self.pack["preparer"] or ""),
            "Reviewed by": str(self.pack["reviewer"] or ""),
            "Code version": breakable(str(self.pack["code_version"])),
        }
        tiles = [
            tile | {"spark": None, "comparisons": tile["comparisons"][:2]}
            for tile in self.cover_tiles[:COVER_TILES]
        ]
        return {
            "company": self.text(self.pack["company"]),
            "title": self.word(WORDS["report"]),
            "month": self._month(),
            "stamp": self._stamp(),
            "lines": [
                {"label": self.word(name), "text": text, "tone": tone if name == "Status" else None}
                for name, text in lines.items()
                if text
            ],
            "tiles": _strip(tiles) if tiles else None,
        }


# ---------------------------------------------------------------- reading notebooks


def _records(name: str, index: int, cell: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Block records among a cell's outputs; an error among them ends the export."""
    for output in cell.get("outputs", ()):
        if output["output_type"] == "error":
            raise NotebookFailed(
                f"notebook {name}, cell {index + 1}: {output['ename']}: {output['evalue']}; mend it and run again."
            )
        record = output.get("data", {}).get(MIME)
        if record is not None:
            validate(record)
            yield record


# ---------------------------------------------------------------- putting nodes in order


def _stepped(nodes: Iterable[Node]) -> Iterator[Node]:
    """Headings below the section's title, none skipping a level (a tagged PDF must not)."""
    above = 1
    for node in nodes:
        if node["type"] == "heading":
            above = max(2, min(node["level"], above + 1))
            node = node | {"level": above}
        yield node


def _lead(nodes: Sequence[Node]) -> None:
    """The paragraph that directly follows the title opens the section in larger type."""
    if nodes and nodes[0]["type"] == "paragraph":
        nodes[0]["lead"] = True


def _kept(nodes: Iterable[Node]) -> Iterator[Node]:
    """A paragraph that leads up to an exhibit stays on its page, as a heading does with what follows."""
    held: Node | None = None
    for node in nodes:
        if held is not None:
            yield held | {"keep": node["type"] in EXHIBITS}
        held = node if node["type"] == "paragraph" else None
        if held is None:
            yield node
    if held is not None:
        yield held


def _landscape_groups(nodes: Iterable[Node]) -> list[Node]:
    """A wide table takes the headings and paragraphs that lead up to it along to the landscape page."""
    grouped: list[Node] = []
    waiting: list[Node] = []
    for node in nodes:
        if node["type"] == "heading" and waiting and waiting[-1]["type"] != "heading":
            grouped += waiting
            waiting = []
        if node["type"] == "heading" or (node["type"] == "paragraph" and waiting):
            waiting.append(node)
            continue
        if not node.get("landscape"):
            grouped += [*waiting, node]
        elif grouped and grouped[-1]["type"] == "landscape":
            grouped[-1]["children"] += [*waiting, node]
        else:
            grouped.append({"type": "landscape", "children": [*waiting, node]})
        waiting = []
    return grouped + waiting


def _without_dead_links(nodes: Sequence[Node]) -> list[Node]:
    """Links to a place that the section does not have become plain words."""
    labels = {node["label"] for node in nodes if node["type"] == "heading"}

    def mended(value: Any) -> Any:
        if isinstance(value, list):
            return [mended(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.get("type") == "link" and value["url"].startswith("#") and value["url"][1:] not in labels:
            return {"type": "span", "children": mended(value["children"])}
        return {key: mended(item) for key, item in value.items()}

    return [mended(node) for node in nodes]


# ---------------------------------------------------------------- small pieces


def _words(text: str) -> Node:
    return {"type": "text", "text": text}


def _around(template: str, mark: str, nodes: Sequence[Node]) -> list[Node]:
    before, _, after = template.partition(mark)
    return [_words(before), *nodes, _words(after)]


def _cell(text: str, tone: str | None = None) -> Node:
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
        "columns": [{key: column[key] for key in ("label", "unit", "align", "type")} for column in shown],
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


def _column(label: str, *, number: bool = False, wide: bool = False) -> Node:
    align = "right" if number else "left"
    return {"label": label, "unit": "", "align": align, "type": "number" if number else "text", "wide": wide}


def _count(number: int) -> str:
    return cell_text(number, "count")


def _halved(digest: str) -> list[str]:
    """A hash on two lines, as it fits a column."""
    half = (len(digest) + 1) // 2
    return [digest[:half], digest[half:]]


def day_of(value: str | dt.date) -> dt.date:
    """A day given as a date or as ``2026-11-05``."""
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise ParameterError(f"as_of '{value}': not a day; write it as 2026-11-05.") from error


def curly(text: str, *, opening: bool) -> str:
    """English quotation marks as print wants them; ``opening`` says that nothing stands before ``text``."""
    text = re.sub(r"(?<=[\s(\[—–/“])\"" + (r"|^\"" if opening else ""), "“", text).replace('"', "”")
    text = re.sub(r"(?<=[\s(\[—–/“])'(?!\d0s)" + (r"|^'" if opening else ""), "‘", text)
    return text.replace("'", "’")


def _strip(tiles: Sequence[Node]) -> Node:
    """How many tiles stand side by side, and the largest size at which every value fits its tile."""
    values = ["".join(piece["text"] for piece in tile["value"]) for tile in tiles if not tile["absent"]]
    made: Node = {}
    for across in _rows_that_fill(len(tiles)):
        room = (TEXT_WIDTH - TILE_GAP * (across - 1)) / across
        fitting = (
            size
            for size in TILE_SIZES
            if all(typeface().width(value, size, bold=True) <= room for value in values)
        )
        made = {"across": across, "gap": TILE_GAP, "size": next(fitting, TILE_SIZES[-1]), "tiles": tiles}
        if made["size"] >= TILE_LEAST:
            break
    return made


def _rows_that_fill(count: int) -> Sequence[int]:
    """Numbers of tiles in a row to try, the most first."""
    return {1: (2,), 2: (2,), 3: (3, 2), 4: (4, 2), 7: (4, 3, 2), 8: (4, 2)}.get(count, (3, 2))


# ---------------------------------------------------------------- glyphs

_UNPRINTED = frozenset({"url", "path", "alt", "type", "palette", "language", "region"})


def _refuse_missing_glyphs(record: Node, pictures: Mapping[str, str]) -> None:
    for where, text in [*_printed(record, "document"), *_drawn(pictures)]:
        if lacking := typeface().missing(text):
            named = ", ".join(
                f"'{char}' (U+{ord(char):04X})" if char.isprintable() else f"U+{ord(char):04X}"
                for char in lacking[:5]
            )
            raise PublicationRefused(
                f"{where}: the fonts cannot print {named} in '{text[:80]}'; correct the source or extend analysis.fonts.subset."
            )


def _printed(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Every string that reaches the page, with the nearest block or section it stands in."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, list):
        for item in value:
            yield from _printed(item, where)
    elif isinstance(value, dict):
        where = f"{value.get('type', 'section')} {value['id']}" if isinstance(value.get("id"), str) else where
        for key, item in value.items():
            if key not in _UNPRINTED:
                yield from _printed(item, where)


def _drawn(pictures: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for path, svg in pictures.items():
        for element in ElementTree.fromstring(svg).iter():
            if element.tag.rpartition("}")[2] == "text":
                yield f"picture {path}", "".join(element.itertext())
