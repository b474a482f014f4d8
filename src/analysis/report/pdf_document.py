"""From executed notebooks to the one JSON document that the Typst template prints.

Everything is decided on this side, in one language: wording, numbering, widths, which definitions are listed. The template
only sets type. It reads the document with ``json()``, so a label such as ``#emph[`` or ``<script>`` is printed as it stands.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.errors import NotebookFailed, ParameterError, suggestion
from analysis.exhibits.prose import prose_text
from analysis.exhibits.record import MIME
from analysis.exhibits.shape import validate
from analysis.exhibits.style import LIGHT
from analysis.fonts.coverage import printable
from analysis.formats import cover_period, date_text
from analysis.locale import Language
from analysis.report.executed import SUMMARY_SECTIONS, Notebook
from analysis.report.exhibit_index import DROPPED_TAGS, exhibit_numbers, in_reading_order, placed
from analysis.report.gates import GateRefused
from analysis.report.pdf_appendices import Appendices, stamp
from analysis.report.pdf_columns import breakable
from analysis.report.pdf_nodes import WORDS, Node, Nodes, plain
from analysis.report.pdf_prose import Prose, kept, landscape_groups, lead, stepped, without_dead_links
from analysis.report.pdf_tiles import cover_strip

PACK_KEYS = (
    "month",
    "as_of",
    "edition",
    "company",
    "currency",
    "status",
    "code_version",
    "preparer",
    "reviewer",
    "sources",
    "registry",
    "checks",
    "hashes",
    "restated",
)
STATUSES = {
    "issued": ("Issued", "good"),
    "not tied out": ("Not tied out", "alert"),
    "draft": ("Draft", "watch"),
    "incomplete": ("Incomplete", "alert"),
}


@dataclass(frozen=True, kw_only=True)
class Document:
    """What Typst gets: the record it reads as ``document.json`` and the pictures it names, by path."""

    record: Node
    pictures: Mapping[str, str]


def document(
    notebooks: Sequence[tuple[str, Notebook]], *, language: Language, pack: Mapping[str, Any] | None
) -> Document:
    """The record for notebooks given as (name, content); with a ``pack``, cover, contents and appendices as well."""
    if not notebooks:
        raise ParameterError("a PDF needs at least one notebook; none was given.")
    if pack is not None:
        _check_pack(pack)
    nodes = Nodes(language=language, numbers=exhibit_numbers(notebooks))
    prose = Prose(nodes=nodes)
    sections = [_section(prose, name, notebook) for name, notebook in in_reading_order(notebooks)]
    tiles = _headline(sections)
    if pack is not None:
        for number, section in enumerate(sections, start=1):
            section["number"] = str(number)
        sections += Appendices(nodes=nodes, pack=pack).sections()
    record = _without_tabs(_Whole(nodes=nodes, pack=pack or {}).record(sections, tiles))
    pictures = {path: printable(svg) for path, svg in nodes.pictures.items()}
    return Document(record=_with_substitutes(record), pictures=pictures)


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
            raise GateRefused(
                f"source {source['file']}: {source['rows_read']} rows read, {kept} accounted for; rows are conserved: "
                "read = accepted + quarantined + exact duplicates.",
                "rows",
            )


# ---------------------------------------------------------------- sections


def _section(prose: Prose, name: str, notebook: Notebook) -> Node:
    """One notebook: its first heading is the title, then prose and blocks in the order of its cells."""
    id = str(placed(notebook).get("section") or name)
    cells = [
        cell
        for cell in notebook["cells"]
        if not DROPPED_TAGS.intersection(cell.get("metadata", {}).get("tags", ()))
    ]
    records = [list(_records(name, number, cell)) for number, cell in enumerate(cells, start=1)]
    nodes: list[Node] = []
    for cell, found in zip(cells, records, strict=True):
        if cell["cell_type"] == "markdown":
            nodes += prose.read(id, "".join(cell["source"]))
        for record in found:
            nodes += prose.nodes.block(record)
    title = next(
        (node for node in nodes if node["type"] == "heading"), {"children": [plain(name)], "label": id}
    )
    nodes = landscape_groups(kept(stepped(without_dead_links([node for node in nodes if node is not title]))))
    lead(nodes)
    return {"id": id, "title": title["children"], "label": title["label"], "number": None, "nodes": nodes}


def _records(name: str, number: int, cell: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Block records among a cell's outputs; an error among them ends the export."""
    for output in cell.get("outputs", ()):
        if output["output_type"] == "error":
            raise NotebookFailed(
                f"notebook {name}, cell {number}: {output['ename']}: {output['evalue']}; mend it and run again."
            )
        record = output.get("data", {}).get(MIME)
        if record is not None:
            validate(record)
            yield record


def _headline(sections: Sequence[Node]) -> Sequence[Node]:
    """The tiles of the executive summary, which the cover repeats."""
    summary = (node for section in sections if section["id"] in SUMMARY_SECTIONS for node in section["nodes"])
    return next((node["tiles"] for node in summary if node["type"] == "tiles"), ())


# ---------------------------------------------------------------- the whole


@dataclass(frozen=True, kw_only=True, eq=False)
class _Whole:
    """What stands around the sections: title, cover, running header and footer."""

    nodes: Nodes
    pack: Mapping[str, Any]

    def record(self, sections: Sequence[Node], tiles: Sequence[Node]) -> Node:
        return {
            "language": self.nodes.language,
            "region": "cn" if self.nodes.language == "zh" else "gb",
            "title": self._title(sections),
            "author": self.nodes.text(self.pack.get("company")),
            "palette": dict(LIGHT),
            "words": {key: self.nodes.word(message) for key, message in WORDS.items()},
            "running": self._running(),
            "cover": self._cover(tiles) if self.pack else None,
            "sections": sections,
        }

    def _title(self, sections: Sequence[Node]) -> str:
        if not self.pack:
            return prose_text(
                [node for node in sections[0]["title"] if node["type"] != "fact"]
            ) or self.nodes.word(WORDS["report"])
        return (
            f"{self.nodes.text(self.pack['company'])} · {self.nodes.word(WORDS['report'])} · {self._month()}"
        )

    def _month(self) -> str:
        return cover_period(self.pack["month"], self.pack.get("year_begins", 1), self.nodes.language)

    def _edition(self) -> str:
        return self.nodes.word("Edition {edition}").format(edition=self.pack["edition"])

    def _rows_end(self) -> str:
        """The last day with a row, where the rows end before the month does; empty for a whole month."""
        end = self.pack.get("rows_end")
        return date_text(day_of(end), self.nodes.language) if end else ""

    def _as_of(self) -> str:
        return date_text(day_of(self.pack["as_of"]), self.nodes.language)

    def _running(self) -> Node:
        if not self.pack:
            return {"right": self.nodes.word(WORDS["report"]), "foot": "", "status": None}
        label, tone = STATUSES[self.pack["status"]]
        foot = " · ".join((self._edition(), self.nodes.word("Data as of {day}").format(day=self._as_of())))
        status = {"text": self.nodes.word(label), "tone": tone}
        return {
            "right": f"{self.nodes.word(WORDS['report'])} · {self._month()}",
            "foot": foot,
            "status": status,
        }

    def _cover(self, headline: Sequence[Node]) -> Node:
        label, tone = STATUSES[self.pack["status"]]
        tones = {"Status": tone, "Rows end on": "alert"}
        lines = {
            "Data as of": self._as_of(),
            "Rows end on": self._rows_end(),
            "Edition": str(self.pack["edition"]),
            "Status": self.nodes.word(label),
            "Currency": str(self.pack["currency"]),
            "Prepared by": self.nodes.text(self.pack["preparer"]),
            "For review by": self.nodes.text(self.pack["reviewer"]),
            "Code version": breakable(str(self.pack["code_version"])),
        }
        return {
            "company": self.nodes.text(self.pack["company"]),
            "title": self.nodes.word(WORDS["report"]),
            "month": self._month(),
            "stamp": stamp(self.nodes, self.pack),
            "lines": [
                {"label": self.nodes.word(name), "text": text, "tone": tones.get(name)}
                for name, text in lines.items()
                if text
            ],
            "tiles": cover_strip(headline),
        }


def day_of(value: str | dt.date) -> dt.date:
    """A day given as a date or as ``2026-11-05``."""
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise ParameterError(f"as_of '{value}': not a day; write it as 2026-11-05.") from error


def _without_tabs(value: Any) -> Any:
    """Tabs and carriage returns have no glyph; a blank stands for them."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\t", " ").replace("\r", " ")
    if isinstance(value, list):
        return [_without_tabs(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_tabs(item) for key, item in value.items()}
    return value


# ---------------------------------------------------------------- glyphs

_UNPRINTED = frozenset({"url", "path", "alt", "type", "palette", "language", "region"})


def _with_substitutes(value: Any) -> Any:
    """Every string that reaches the page, with a substitute for characters that no shipped font draws."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [_with_substitutes(item) for item in value]
    if isinstance(value, dict):
        return {key: item if key in _UNPRINTED else _with_substitutes(item) for key, item in value.items()}
    return value
