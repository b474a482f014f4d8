"""Markdown cells as nodes, and the order of a section's nodes on paper: headings, leads, what keeps together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from analysis.exhibits.prose import prose_blocks, prose_text
from analysis.report.pdf_nodes import Node, Nodes, table_cell

EXHIBITS = frozenset({"figure", "table", "tiles", "findings", "checks"})


@dataclass(kw_only=True, eq=False)
class Prose:
    """Reads the markdown of one pack; remembers the labels it gave to headings."""

    nodes: Nodes
    labels: dict[str, int] = field(default_factory=dict)

    def read(self, section: str, markdown: str) -> list[Node]:
        nodes: list[Node] = []
        for node in prose_blocks(markdown, self.nodes.language):
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
            {"role": "body", "cells": [table_cell(prose_text(cell)) for cell in row]} for row in node["rows"]
        ]
        for row, source in zip(rows, node["rows"], strict=True):
            for cell, children in zip(row["cells"], source, strict=True):
                cell["children"] = self._inline(children, section)
        made = self.nodes.listing(f"in {section}", columns, rows)
        return made | {"type": "plain-table"}

    def _inline(self, nodes: Sequence[Node], section: str) -> list[Node]:
        """Prose in the template's terms: curly quotes in English, links inside the pack by label."""
        made: list[Node] = []
        for node in nodes:
            node = dict(node)
            if "children" in node:
                node["children"] = self._inline(node["children"], section)
            elif node["type"] == "text" and self.nodes.language == "en":
                node["text"] = curly(node["text"], opening=not made)
            if node["type"] == "link" and node["url"].startswith("#"):
                node["url"] = f"#{section}:{node['url'][1:]}"
            made.append(node)
        return made


def stepped(nodes: Iterable[Node]) -> Iterator[Node]:
    """Headings below the section's title, none skipping a level (a tagged PDF must not)."""
    above = 1
    for node in nodes:
        if node["type"] == "heading":
            above = max(2, min(node["level"], above + 1))
            node = node | {"level": above}
        yield node


def lead(nodes: Sequence[Node]) -> None:
    """The paragraph that directly follows the title opens the section in larger type."""
    if nodes and nodes[0]["type"] == "paragraph":
        nodes[0]["lead"] = True


def kept(nodes: Iterable[Node]) -> Iterator[Node]:
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


def landscape_groups(nodes: Iterable[Node]) -> list[Node]:
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


def without_dead_links(nodes: Sequence[Node]) -> list[Node]:
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


def curly(text: str, *, opening: bool) -> str:
    """English quotation marks as print wants them; ``opening`` says that nothing stands before ``text``."""
    text = re.sub(r"(?<=[\s(\[—–/“])\"" + (r"|^\"" if opening else ""), "“", text).replace('"', "”")
    text = re.sub(r"(?<=[\s(\[—–/“])'(?!\d0s)" + (r"|^'" if opening else ""), "‘", text)
    return text.replace("'", "’")
