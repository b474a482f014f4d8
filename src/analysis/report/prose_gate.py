"""Text cells hold plain text: whatever of their markdown reaches a reader passes the same gate, in both languages.

A figure typed into a text cell has no fact, so nobody would see it grow old. HTML, pictures and formulas are ways around the message
catalogue (they reach the page, or the issued notebook, without being a message), so a text cell holds none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from typing import Any

from analysis.exhibits.prose import prose_blocks, prose_text, prose_tokens
from analysis.locale import LANGUAGES
from analysis.report.gates import Problem
from analysis.report.leaks import plain
from analysis.report.record import Place
from analysis.report.run import source_of

# Money, shares and points in prose; a number of days, draws or machines belongs to a method and is no figure of the month.
_SCALE = r"(?:thousand|million|billion|trillion)\b"
_SPELT = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred)"
_FIGURE = re.compile(
    r"(?:\b(?!PDF|CSV|SQL|ISO|ISA|IAS)[A-Z]{3}|[¥$€£])\s?[+-]?\d[\d,.]*(?: " + _SCALE + r")?"
    r"|\d[\d,.]*\s*(?:%|pp\b|percentage points?\b|per ?cent\b|个百分点|[万亿]|元|" + _SCALE + r")"
    r"|\b" + _SPELT + r"[ -](?:per ?cent\b|percentage points?\b|million\b|billion\b)"
    r"|百分之(?!百)[零一二三四五六七八九十百两\d]+|[一二三四五六七八九十百千两]+(?:个百分点|[万亿]+元)"
)
# In a command a value follows its name: level=95%.
_IN_CODE = re.compile(r"(?<![=\w])(?:" + _FIGURE.pattern + r")")
_FORMULA = re.compile(
    r"\$\$.*?\$\$|(?<![\\$\w])\$(?=\S)[^$\n]*?(?<=\S)\$(?![\d$])|\\\(.*?\\\)|\\\[.*?\\\]", re.DOTALL
)
_PLAIN = "say it in words; a figure is shown by an exhibit, which keeps its fact and its definition."


def prose_problems(name: str, notebook: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the text cells of a notebook."""
    for number, cell in enumerate(notebook["cells"], start=1):
        if cell["cell_type"] == "markdown":
            place = str(Place(notebook=name, cell=number))
            for text in dict.fromkeys(_wrong(source_of(cell))):
                yield Problem(gate="prose", place=place, text=text)
            if cell.get("attachments"):
                yield Problem(gate="prose", place=place, text=f"holds an attached picture; {_PLAIN}")


def _wrong(markdown: str) -> Iterator[str]:
    tokens, links = prose_tokens(markdown)
    for token in tokens:
        kind = token["type"]
        if kind in ("block_html", "inline_html"):
            yield f"“{_short(token['raw'])}” is HTML; {_PLAIN}"
        elif kind == "image":
            yield f"holds a picture; {_PLAIN}"
        elif kind == "block_code" and not token.get("attrs", {}).get("info"):
            yield f"“{_short(token['raw'])}” is code without a language (```bash, ```python); {_PLAIN}"
    outside_code = re.sub(r"(?s)```.*?(?:```|$)|`[^`\n]*`", " ", markdown)
    for match in _FORMULA.finditer(outside_code):
        if re.search(r"\d", plain(match[0])):
            yield f"“{_short(match[0])}” is a formula with a number; {_PLAIN}"
    for text in _read(markdown, tokens, links):
        for match in _FIGURE.finditer(text):
            yield f"“{match[0].strip()}” is typed into the text; a figure is shown by an exhibit, which keeps its fact and its definition."
    for text in _code(tokens):
        for match in _IN_CODE.finditer(plain(text)):
            yield f"“{match[0].strip()}” is typed as code; a figure is shown by an exhibit, which keeps its fact and its definition."


def _read(markdown: str, tokens: Sequence[Any], links: Sequence[Any]) -> Iterator[str]:
    """What a reader of the page reads, in both languages, and what he sees when he points at a link or a picture."""
    for language in LANGUAGES:
        for text in _words(prose_blocks(markdown, language)):
            yield plain(unescape(text))
    for token in tokens:
        if title := token.get("attrs", {}).get("title"):
            yield plain(unescape(str(title)))
    for link in links:
        yield plain(unescape(f"{link.get('title') or ''} {link.get('label') or ''}"))


def _words(nodes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The text of each block without its code; footnotes are texts of their own."""
    for node in nodes:
        match node["type"]:
            case "heading" | "paragraph":
                yield from _line(node["children"])
            case "list":
                for item in node["items"]:
                    yield from _words(item)
            case "quote":
                yield from _words(node["children"])
            case "table":
                for cell in (*node["header"], *(cell for row in node["rows"] for cell in row)):
                    yield from _line(cell)


def _line(nodes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield prose_text(_without_code(nodes))
    for node in nodes:
        if node["type"] == "footnote":
            yield from _line(node["children"])
        elif "children" in node:
            yield from (
                text
                for inner in node["children"]
                if inner["type"] == "footnote"
                for text in _line(inner["children"])
            )


def _without_code(nodes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**node, "children": _without_code(node["children"])} if "children" in node else dict(node)
        for node in nodes
        if node["type"] != "code"
    ]


def _code(tokens: Sequence[Any]) -> Iterator[str]:
    return (str(token["raw"]) for token in tokens if token["type"] in ("codespan", "block_code"))


def _short(text: str) -> str:
    return " ".join(text.split())[:40]
