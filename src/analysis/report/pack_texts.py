"""Every text of a finished pack, as it leaves: of pages, notebooks, tables, documents and the machines' files."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from analysis.report.publish import MESSAGE

SHORTEST = 5
# Attributes that hold shapes and sizes, never words.
_SHAPES = frozenset(
    (
        *(
            "d",
            "points",
            "transform",
            "viewbox",
            "style",
            "class",
            "x",
            "y",
            "x1",
            "x2",
            "y1",
            "y2",
            "cx",
            "cy",
        ),
        *(
            "r",
            "rx",
            "ry",
            "width",
            "height",
            "fill",
            "stroke",
            "scope",
            "colspan",
            "rowspan",
            "role",
            "clip-path",
        ),
    )
)
_ID_COLUMN = re.compile(
    r"(?:^|[_ ])(?:id|ids|no|number|serial|key|code|batch|sku)$|编号|序列号|单号", re.IGNORECASE
)
_REACHED_BY = re.compile(r"phone|mobile|tel|fax|contact|whatsapp|电话|手机|传真|联系", re.IGNORECASE)
_DRAWN = re.compile(r">([^<>]+)<")


@dataclass
class Page:
    """What one HTML file holds, for every question that is asked of it."""

    texts: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    scripts: list[tuple[dict[str, str], str]] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def read(cls, html: str) -> Page:
        reader = _Reader()
        reader.feed(html)
        reader.close()
        return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._raw = ""
        self._fact: tuple[str, str, int, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.page.tags.append((tag, named))
        if tag == "script":
            self._raw = tag
            self.page.scripts.append((named, ""))
        elif tag == "style":
            self._raw = tag
        self.page.texts += [value for name, value in named.items() if name not in _SHAPES and value]
        if self._fact is not None and self._fact[1] == tag:
            self._fact = (*self._fact[:2], self._fact[2] + 1, self._fact[3])
        elif self._fact is None and "data-fact" in named and "data-k" not in named:
            self._fact = (named["data-fact"], tag, 1, [])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.page.tags.append((tag, named))
        self.page.texts += [value for name, value in named.items() if name not in _SHAPES and value]

    def handle_endtag(self, tag: str) -> None:
        self._raw = ""
        if self._fact is not None and self._fact[1] == tag:
            id, own, depth, words = self._fact
            self._fact = (id, own, depth - 1, words) if depth > 1 else None
            if depth == 1:
                self.page.facts.append((id, "".join(words)))

    def handle_data(self, data: str) -> None:
        if self._raw == "script":
            attributes, text = self.page.scripts[-1]
            self.page.scripts[-1] = (attributes, text + data)
        elif self._raw == "style":
            self.page.styles.append(data)
        else:
            self.page.texts.append(data)
            if self._fact is not None:
                self._fact[3].append(data)

    def handle_comment(self, data: str) -> None:
        self.page.texts.append(data)


def pack_texts(
    folder: Path, pages: Mapping[str, Page], documents: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """The place of each text, by the text; one that stands in several places once.

    Parameters
    ----------
    folder : of the finished pack
    pages : what its HTML files hold, by name
    documents : lines of its PDF files, by name
    """
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if (
            not path.is_file() or name == MESSAGE
        ):  # of a fault, for whoever mends it: it leaves with no edition
            continue
        found.setdefault(name, "the name of a file")
        for place, text in _texts_of(path, name, pages, documents):
            if len(text) >= SHORTEST and not text.startswith("data:"):
                found.setdefault(text, place)
    return found


def _texts_of(
    path: Path, name: str, pages: Mapping[str, Page], documents: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str]]:
    if name in pages:
        page = pages[name]
        yield from ((name, text) for text in page.texts)
        yield from ((name, text) for attributes, text in page.scripts if "type" not in attributes)
        for attributes, text in page.scripts:
            if "json" in attributes.get("type", ""):
                yield from ((name, found) for found in json_strings(json.loads(text)))
    elif name in documents:
        yield from ((name, text) for text in documents[name])
    elif path.suffix == ".csv":
        yield from ((name, text) for text in cells(path))
    elif path.suffix == ".ipynb":
        yield from notebook_texts(json.loads(path.read_text(encoding="utf-8")), name)
    elif path.suffix == ".json":
        yield from ((name, text) for text in json_strings(json.loads(path.read_text(encoding="utf-8"))))
    elif path.suffix != ".pdf":
        yield from ((name, line) for line in path.read_text(encoding="utf-8", errors="replace").splitlines())


def cells(path: Path) -> list[str]:
    """Cells of a table, each once; digits alone are a telephone where their column says so, and nothing where it numbers things."""
    found: dict[str, None] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        found.update(dict.fromkeys(header))
        ids = [bool(_ID_COLUMN.search(name)) for name in header]
        reached = [bool(_REACHED_BY.search(name)) for name in header]
        for row in rows:
            for position, cell in enumerate(row):
                known = position < len(header)
                if cell.replace("-", "").replace(" ", "").isdecimal():
                    if known and reached[position]:
                        found[f"phone {cell}"] = None
                    elif known and ids[position]:
                        continue
                found[cell] = None
    return list(found)


def notebook_texts(notebook: dict[str, Any], name: str) -> Iterator[tuple[str, str]]:
    """Sources, outputs and metadata, each with the number of its cell."""
    for number, cell in enumerate(notebook["cells"], start=1):
        place = f"{name}, cell {number}"
        source = cell.get("source", "")
        yield from ((place, line) for line in _lines(source))
        for output in cell.get("outputs", []):
            for key, value in output.items():
                if key == "data":
                    yield from ((place, text) for kind, data in value.items() for text in _shown(kind, data))
                elif key == "text":
                    yield from ((place, line) for line in _lines(value))
                else:
                    yield from ((place, text) for text in json_strings(value))
        rest = {key: value for key, value in cell.items() if key not in ("source", "outputs")}
        yield from ((place, text) for text in json_strings(rest))
    yield from ((name, text) for text in json_strings(notebook.get("metadata", {})))


def _lines(value: str | list[str]) -> list[str]:
    return (value if isinstance(value, str) else "".join(value)).splitlines()


def _shown(kind: str, data: Any) -> Iterator[str]:
    if kind in ("text/html", "image/svg+xml"):
        text = data if isinstance(data, str) else "".join(data)
        for piece in re.split(r"<[^>]*>", text):
            if piece.strip():
                yield unescape(piece).strip()
        yield from (
            unescape(value) for value in re.findall(r"\b(?:title|alt|aria-label|href|src)=\"([^\"]*)\"", text)
        )
    elif kind.startswith("image/"):
        return
    elif isinstance(data, str) or (isinstance(data, list) and all(isinstance(one, str) for one in data)):
        yield from _lines(data)
    else:
        yield from json_strings(data)


def is_drawing(text: str) -> bool:
    """A whole SVG of the pack's own; words of the data that only begin like one are words."""
    return text.startswith("<svg") and text.rstrip().endswith("</svg>")


def json_strings(node: Any) -> Iterator[str]:
    """Keys and texts below a node of JSON; a drawing gives the words drawn."""
    if isinstance(node, str):
        if is_drawing(node):
            yield from (unescape(text) for text in _DRAWN.findall(node) if text.strip())
        else:
            yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield str(key)
            yield from json_strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from json_strings(value)
