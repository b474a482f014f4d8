"""Markdown cells in both languages: each paragraph, heading and list item is one key of the message catalogue.

:func:`prose_blocks` gives a small tree of plain dicts that the HTML and the PDF exporter both render:

- ``{"type": "heading", "level": 1…6, "id": slug of the English text, "children": [inline…]}``
- ``{"type": "paragraph", "children": [inline…]}``
- ``{"type": "list", "ordered": bool, "start": int, "items": [[block…]…]}``
- ``{"type": "quote", "children": [block…]}``, ``{"type": "code", "text": str}``, ``{"type": "rule"}``
- ``{"type": "table", "align": ["left"|"right"|"center"|null…], "header": [[inline…]…], "rows": [[[inline…]…]…]}``

inline: ``{"type": "text"|"code", "text": str}``, ``{"type": "strong"|"emphasis", "children": […]}``,
``{"type": "link", "url": str, "children": […]}``, ``{"type": "break"}``,
``{"type": "footnote", "children": [inline…]}`` (the note itself, at its mark).

Raw HTML in a cell is text, never markup. Links keep only ``#…``, ``http(s):``, ``mailto:`` and ``….ipynb`` (another
notebook of the pack) addresses. A message without a letter is not translated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from analysis.locale import Language, translate

Node = dict[str, Any]
_BLOCKS = frozenset({"heading", "paragraph", "list", "quote", "table", "rule"})


def prose_blocks(markdown: str, language: Language) -> list[Node]:
    """The tree of a markdown cell in ``language``; a message the catalogue lacks stays English and is remembered."""
    parser = _parser()
    state = parser.block.state_cls()
    state.process(markdown.replace("\r\n", "\n") + "\n")
    parser.block.parse(state)
    return _Reader(state.env, language).blocks(state.tokens)


def prose_tokens(markdown: str) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Every token of a markdown text, those within others too, and the links that it defines for reference."""
    tokens, state = _parser().parse(markdown)
    found: list[Mapping[str, Any]] = []
    waiting = list(reversed(tokens))
    while waiting:
        token = waiting.pop()
        found.append(token)
        waiting += reversed(token.get("children", ()))
    return found, list(state.env.get("ref_links", {}).values())


def prose_text(nodes: Sequence[Node]) -> str:
    """The words of inline nodes or blocks, without marks and footnotes (for titles, search, alt text); blocks stand a space apart."""
    blocks = any(node["type"] in _BLOCKS for node in nodes)
    return (" " if blocks else "").join(_words(node) for node in nodes)


def _words(node: Node) -> str:
    if node["type"] == "footnote":
        return ""
    if node["type"] == "break":
        return " "
    if node["type"] == "rule":
        return ""
    if "text" in node:
        return str(node["text"])
    if node["type"] == "list":
        return " ".join(prose_text(item) for item in node["items"])
    if node["type"] == "table":
        return " ".join(prose_text(cell) for row in (node["header"], *node["rows"]) for cell in row)
    return prose_text(node.get("children", []))


@cache
def _parser() -> Any:
    import mistune

    return mistune.create_markdown(renderer=None, plugins=["footnotes", "table", "strikethrough"])


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "section"


class _Reader:
    """Walks mistune's block tokens, translating each one's inline source before it is parsed."""

    def __init__(self, env: Mapping[str, Any], language: Language) -> None:
        self.env = dict(env)
        self.language = language
        self._open: set[str] = set()
        self._notes = {key.lower(): text for key, text in (env.get("ref_footnotes") or {}).items()}

    def blocks(self, tokens: Sequence[Mapping[str, Any]]) -> list[Node]:
        return [node for token in tokens if (node := self._block(token)) is not None]

    def _block(self, token: Mapping[str, Any]) -> Node | None:
        match token["type"]:
            case "heading":
                english = prose_text(self._inline(token["text"], language="en"))
                return {
                    "type": "heading",
                    "level": token["attrs"]["level"],
                    "id": _slug(english),
                    "children": self._inline(token["text"]),
                }
            case "paragraph" | "block_text":
                return {"type": "paragraph", "children": self._inline(token["text"])}
            case "list":
                attrs = token.get("attrs", {})
                items = [self.blocks(item["children"]) for item in token["children"]]
                return {
                    "type": "list",
                    "ordered": bool(attrs.get("ordered")),
                    "start": attrs.get("start") or 1,
                    "items": items,
                }
            case "block_quote":
                return {"type": "quote", "children": self.blocks(token["children"])}
            case "block_code":
                return {"type": "code", "text": token["raw"].rstrip("\n")}
            case "block_html":
                return {"type": "paragraph", "children": [{"type": "text", "text": token["raw"].strip()}]}
            case "thematic_break":
                return {"type": "rule"}
            case "table":
                return self._table(token)
        return None  # blank lines, link definitions

    def _table(self, token: Mapping[str, Any]) -> Node:
        head, body = token["children"][0], token["children"][1:]
        rows = [row for part in body for row in part["children"]]
        return {
            "type": "table",
            "align": [cell["attrs"].get("align") for cell in head["children"]],
            "header": [self._inline(cell["text"]) for cell in head["children"]],
            "rows": [[self._inline(cell["text"]) for cell in row["children"]] for row in rows],
        }

    def _inline(self, source: str, *, language: Language | None = None) -> list[Node]:
        key = " ".join(source.split())
        if not re.search(r"[^\W\d_]", key):
            return self._spans(_parser().inline(key, self.env)) if key else []
        return self._spans(_parser().inline(translate(key, language or self.language), self.env))

    def _spans(self, tokens: Sequence[Mapping[str, Any]]) -> list[Node]:
        nodes: list[Node] = []
        for token in tokens:
            node = self._span(token)
            if node["type"] == "text" and nodes and nodes[-1]["type"] == "text":
                nodes[-1]["text"] += node["text"]
            else:
                nodes.append(node)
        return nodes

    def _span(self, token: Mapping[str, Any]) -> Node:
        match token["type"]:
            case "strong" | "emphasis":
                return {"type": token["type"], "children": self._spans(token["children"])}
            case "codespan":
                return {"type": "code", "text": token["raw"]}
            case "link":
                return self._link(token)
            case "linebreak":
                return {"type": "break"}
            case "softbreak":
                return {"type": "text", "text": " "}
            case "footnote_ref":
                return {"type": "footnote", "children": self._note(token["raw"])}
            case "strikethrough":
                return {"type": "emphasis", "children": self._spans(token["children"])}
            case "image":
                return {"type": "text", "text": prose_text(self._spans(token.get("children", [])))}
        return {"type": "text", "text": token.get("raw", "")}

    def _link(self, token: Mapping[str, Any]) -> Node:
        children, url = self._spans(token["children"]), str(token["attrs"]["url"])
        if re.match(r"(#|https?://|mailto:)|[\w./-]+\.ipynb(#|$)", url):
            return {"type": "link", "url": url, "children": children}
        return {"type": "text", "text": prose_text(children)}

    def _note(self, key: str) -> list[Node]:
        key = key.lower()
        if key in self._open:  # a note that refers to itself
            return []
        self._open.add(key)
        children = self._inline(self._notes.get(key, ""))
        self._open.remove(key)
        return children
