"""The content of one page: an executed notebook's prose and blocks as HTML, its headings, and the facts it prints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from analysis.errors import NotebookFailed
from analysis.exhibits.markup import Markup
from analysis.exhibits.prose import prose_blocks, prose_text
from analysis.exhibits.record import MIME
from analysis.exhibits.shape import validate
from analysis.locale import Language
from analysis.report.executed import Notebook
from analysis.report.exhibit_index import DROPPED_TAGS

Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Content:
    """A notebook as a page in one language."""

    name: str
    section: str
    title: str
    lead: str
    body: str
    headings: Sequence[tuple[str, str]]
    facts: Mapping[str, Record] = field(default_factory=dict)
    used: Mapping[str, str] = field(default_factory=dict)
    blocks: Sequence[Record] = ()


def page_content(
    name: str, notebook: Notebook, *, language: Language, evidence: str | None, numbers: Mapping[str, int]
) -> Content:
    """Prose and blocks in order; code, streams and outputs without a block are not printed. An error output is refused."""
    writer = _Writer(Markup(language=language, evidence=evidence, interactive=True, numbers=numbers))
    for cell in notebook["cells"]:
        if DROPPED_TAGS.isdisjoint(cell.get("metadata", {}).get("tags", ())):
            writer.cell(name, cell)
    return Content(
        name=name,
        section=str(notebook.get("metadata", {}).get("after_sales", {}).get("section", name)),
        title=writer.title or name,
        lead=writer.lead,
        body=writer.html(),
        headings=tuple(writer.headings),
        facts=writer.markup.facts,
        used=writer.markup.used,
        blocks=tuple(writer.blocks),
    )


def _records(name: str, cell: Mapping[str, Any]) -> Iterator[Record]:
    for output in cell.get("outputs", []):
        if output["output_type"] == "error":
            raise NotebookFailed(
                f"{name}: a cell ended in {output['ename']}: {output['evalue']}; nothing is exported."
            )
        record = output.get("data", {}).get(MIME)
        if record is not None:
            validate(record)
            yield record


class _Writer:
    """Collects the page; each second-level heading opens a section of its own."""

    def __init__(self, markup: Markup) -> None:
        self.markup = markup
        self.title = ""
        self.lead = ""
        self.headings: list[tuple[str, str]] = []
        self.blocks: list[Record] = []
        self._parts: list[str] = []
        self._notes: list[str] = []
        self._ids: set[str] = set()
        self._in_section = False

    def cell(self, name: str, cell: Mapping[str, Any]) -> None:
        if cell["cell_type"] == "markdown":
            source = cell["source"]
            self._prose(source if isinstance(source, str) else "".join(source))
        elif cell["cell_type"] == "code":
            for record in _records(name, cell):
                self.blocks.append(record)
                self._parts.append(self.markup.block(record))

    def html(self) -> str:
        end = "</section>" if self._in_section else ""
        notes = "".join(
            f'<li id="note-{number}">{text} <a href="#mark-{number}" aria-label="↑">↑</a></li>'
            for number, text in enumerate(self._notes, start=1)
        )
        return "".join(self._parts) + end + (f'<ol class="notes">{notes}</ol>' if notes else "")

    # ------------------------------------------------------------ prose

    def _prose(self, markdown: str) -> None:
        nodes = prose_blocks(markdown, self.markup.language)
        if not self.title and nodes and nodes[0]["type"] == "heading":
            self.title = prose_text(nodes.pop(0)["children"])
            if nodes and nodes[0]["type"] == "paragraph":
                self.lead = self._inline(nodes.pop(0)["children"])
        self._parts += [self._block(node) for node in nodes]

    def _block(self, node: Record) -> str:
        match node["type"]:
            case "heading":
                return self._heading(node)
            case "paragraph":
                return f'<p class="prose">{self._inline(node["children"])}</p>'
            case "list":
                tag = "ol" if node["ordered"] else "ul"
                start = f' start="{node["start"]}"' if node["ordered"] and node["start"] != 1 else ""
                return f'<{tag} class="prose"{start}>{"".join(self._item(item) for item in node["items"])}</{tag}>'
            case "quote":
                return f'<blockquote class="prose">{"".join(self._block(child) for child in node["children"])}</blockquote>'
            case "code":
                return f'<pre class="prose"><code>{escape(node["text"])}</code></pre>'
            case "table":
                return self._table(node)
        return "<hr>"

    def _heading(self, node: Record) -> str:
        place, number = node["id"], 2
        while place in self._ids:
            place, number = f"{node['id']}-{number}", number + 1
        self._ids.add(place)
        level = max(2, node["level"])
        words = self._inline(node["children"])
        heading = f'<h{level} id="{place}">{words}<a class="here" href="#{place}" aria-hidden="true" tabindex="-1">#</a></h{level}>'
        if level > 2:
            return heading
        self.headings.append((place, prose_text(node["children"])))
        close = "</section>" if self._in_section else ""
        self._in_section = True
        return f'{close}<section aria-labelledby="{place}">{heading}'

    def _item(self, nodes: Sequence[Record]) -> str:
        if len(nodes) == 1 and nodes[0]["type"] == "paragraph":
            return f"<li>{self._inline(nodes[0]['children'])}</li>"
        return f"<li>{''.join(self._block(node) for node in nodes)}</li>"

    def _table(self, node: Record) -> str:
        sides = [' class="num"' if side == "right" else "" for side in node["align"]]
        head = "".join(
            f'<th scope="col"{side}>{self._inline(cell)}</th>'
            for cell, side in zip(node["header"], sides, strict=True)
        )
        rows = "".join(
            "<tr>"
            + "".join(f"<td{side}>{self._inline(cell)}</td>" for cell, side in zip(row, sides, strict=False))
            + "</tr>"
            for row in node["rows"]
        )
        return f'<div class="scroll prose" role="region" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'

    def _inline(self, nodes: Sequence[Record]) -> str:
        return "".join(self._span(node) for node in nodes)

    def _span(self, node: Record) -> str:
        match node["type"]:
            case "strong":
                return f"<strong>{self._inline(node['children'])}</strong>"
            case "emphasis":
                return f"<em>{self._inline(node['children'])}</em>"
            case "code":
                return f"<code>{escape(node['text'], quote=False)}</code>"
            case "link":
                return f'<a href="{escape(_address(node["url"]))}" rel="noopener noreferrer">{self._inline(node["children"])}</a>'
            case "break":
                return "<br>"
            case "footnote":
                self._notes.append(self._inline(node["children"]))
                number = len(self._notes)
                return f'<sup><a id="mark-{number}" href="#note-{number}">{number}</a></sup>'
        return escape(node["text"], quote=False)


def _address(url: str) -> str:
    """A notebook of the pack is a page beside this one."""
    return re.sub(r"^(?:[\w.-]*/)*([\w.-]+)\.ipynb(?=#|$)", r"\1.html", url)
