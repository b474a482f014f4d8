"""Which characters of a page stand in bold: asked of the page's own style sheet, the one that a browser reads.

A list of tags and classes kept beside the sheet forgets what the sheet learns, and a character that its face lacks is drawn as a box.
In doubt a character counts as bold: what depends on the pointer, on an attribute or on a neighbour may hold, and of two rules for
one element the bold one is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from html import unescape
from typing import NamedTuple

# Bold in every browser, where the sheet says nothing else of the element.
_BOLD_TAGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "strong", "b", "th"})
_VOID = frozenset({"meta", "br", "hr", "input"})
_PIECE = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)([^>]*?)(/?)>|([^<]+)")
_ATTRIBUTE = re.compile(r'(?<![\w-])(class|id|style|font-weight)="([^"]*)"')
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_WEIGHT = re.compile(
    r"(?:^|;)\s*font(?:-weight)?:(?:[^;]*?[ :])?(?P<weight>[1-9]00|bold(?:er)?|normal)(?=[\s;!]|$)"
)
_CONDITION = re.compile(r"::?[\w-]+(?:\([^()]*\))?|\[[^\]]*\]")
_NEIGHBOUR = re.compile(r"[^\s>+~]+\s*[+~]\s*")


class _Element(NamedTuple):
    tag: str
    classes: frozenset[str]
    id: str


@dataclass(frozen=True)
class _Compound:
    """What a selector asks of one element: ``td.total``."""

    tag: str
    classes: frozenset[str]
    id: str

    @classmethod
    def of(cls, text: str) -> _Compound:
        tag = re.match(r"[a-zA-Z][\w-]*", text)
        ids = re.findall(r"#([\w-]+)", text)
        return cls(
            tag=tag[0].lower() if tag else "",
            classes=frozenset(re.findall(r"\.([\w-]+)", text)),
            id=ids[0] if ids else "",
        )

    def fits(self, element: _Element) -> bool:
        return (
            self.tag in ("", element.tag) and self.id in ("", element.id) and self.classes <= element.classes
        )


@dataclass(frozen=True)
class _Rule:
    """A selector that states a weight: the element itself, what it must stand in (outermost first), and whether more is asked."""

    itself: _Compound
    within: tuple[_Compound, ...]
    bold: bool
    conditional: bool

    def holds(self, above: Sequence[_Element]) -> bool:
        """Whether the elements above one that fits are those that the selector names, in this order."""
        ancestors = iter(reversed(above))
        return all(any(one.fits(element) for element in ancestors) for one in reversed(self.within))


@cache
def _rules(style: str) -> tuple[_Rule, ...]:
    """Every selector of the sheet that states a weight."""
    return tuple(_stated(re.sub(r"(?s)/\*.*?\*/", "", style)))


def _stated(style: str) -> Iterator[_Rule]:
    for selectors, declarations in _RULE.findall(style):
        found = [match["weight"] for match in _WEIGHT.finditer(declarations)]
        if not found or selectors.strip().startswith("@"):
            continue
        for selector in selectors.split(","):
            plain = _NEIGHBOUR.sub("", _CONDITION.sub("", selector))
            compounds = [_Compound.of(part) for part in re.split(r"[\s>]+", plain.strip())]
            yield _Rule(
                itself=compounds[-1],
                within=tuple(compounds[:-1]),
                bold=_is_bold(found[-1]),
                conditional=plain.strip() != selector.strip(),
            )


def _is_bold(weight: str) -> bool:
    return weight.startswith("bold") or weight in ("600", "700", "800", "900")


def printed_characters(html: str, style: str) -> tuple[set[str], set[str]]:
    """Characters of a page of ours, and those that stand in bold. A page is well-formed, so a stack of tags tells."""
    every, bold = set[str](), set[str]()
    above: list[_Element] = []
    heavy = [False]
    asked: dict[_Element, tuple[_Rule, ...]] = {}
    for slash, tag, attributes, closed, text in _PIECE.findall(re.sub(r"(?s)<style>.*?</style>", "", html)):
        if text:
            said = unescape(text) if "&" in text else text
            every.update(said)
            if heavy[-1]:
                bold.update(said)
        elif slash:
            above.pop()
            heavy.pop()
        elif not closed and tag not in _VOID:
            own = dict(_ATTRIBUTE.findall(attributes))
            element = _Element(tag.lower(), frozenset(own.get("class", "").split()), own.get("id", ""))
            if element not in asked:
                asked[element] = tuple(rule for rule in _rules(style) if rule.itself.fits(element))
            heavy.append(_weighs(element, own, [r for r in asked[element] if r.holds(above)], heavy[-1]))
            above.append(element)
    return every, bold


def _weighs(element: _Element, own: dict[str, str], rules: Sequence[_Rule], inherited: bool) -> bool:
    """Whether an element may be set in bold."""
    stated = [match["weight"] for match in _WEIGHT.finditer(own.get("style", ""))]
    if stated:
        return _is_bold(stated[-1])
    if any(rule.bold for rule in rules) or _is_bold(own.get("font-weight", "")):
        return True
    if any(not rule.conditional for rule in rules):
        return False
    return inherited or element.tag in _BOLD_TAGS
