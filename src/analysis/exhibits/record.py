"""Blocks: what a notebook's output carries, in both languages, from one execution.

A :class:`Block` holds a JSON record (shape in ``docs/ARCHITECTURE.md``). JupyterLab shows its HTML; the packs in
Chinese and English, HTML and PDF, are rendered from the record alone. Every number in a record is a fact: the builders
of blocks take :class:`~analysis.results.Fact` and refuse bare numbers.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import ParameterError
from analysis.exhibits.markup import standalone
from analysis.exhibits.shape import validate
from analysis.locale import Language, Text, untranslated
from analysis.results import Fact, Lacking, Sentence

if TYPE_CHECKING:
    import pandas as pd

MIME = "application/vnd.after-sales.block+json"
VERSION = 1
KINDS = ("table", "figure", "tiles", "findings", "checks", "callout", "facts", "evidence")


@dataclass(frozen=True)
class Block:
    """One exhibit: ``payload`` is the record, validated when the block is made."""

    payload: Mapping[str, Any]

    def __post_init__(self) -> None:
        validate(self.payload)

    @property
    def id(self) -> str:
        return str(self.payload["id"])

    @property
    def kind(self) -> str:
        return str(self.payload["kind"])

    def html(self, language: Language) -> str:
        """The block as an HTML fragment that stands alone (what JupyterLab shows)."""
        return standalone(self.payload, language)

    def plain(self, language: Language = "en") -> str:
        """Title and kind in a line, for a terminal."""
        title = self.payload.get("title")
        text = "".join(segment["t"] for segment in title[language]) if title else ""
        return f"[{self.kind} {self.id}] {text}".rstrip()

    def __repr__(self) -> str:
        return self.plain()

    def frame(self, language: Language = "en") -> pd.DataFrame:
        """What the block shows as a frame: a table or figure by its columns, tiles, findings, checks and facts by row.

        Parameters
        ----------
        language : str
            ``en`` or ``zh``: of the words.

        Returns
        -------
        (rows, columns) DataFrame
            Numbers in full (not scaled or rounded); columns of intervals become ``<key>_low`` and ``<key>_high``; units by column in ``attrs["units"]``.

        Examples
        --------
        >>> from analysis.exhibits import facts_block
        >>> cost = run.inputs.engine.fact("after_sales_cost", period="2026-10")  # run = open_run(…)
        >>> facts_block("costs.facts", [cost]).frame()[["metric", "value"]].astype(str).values.tolist()
        [['after_sales_cost', '1600.0']]
        """
        from analysis.exhibits.frames import block_frame

        return block_frame(self.payload, language)

    def _repr_mimebundle_(self, **_asked: Any) -> dict[str, Any]:
        return {MIME: dict(self.payload), "text/html": self.html(_lab_language()), "text/plain": self.plain()}


class Blocks(tuple[Block, ...]):
    """Several blocks as one expression: each becomes an output of its own."""

    def _ipython_display_(self) -> None:
        show(*self)


def show(*blocks: Block | None | Iterable[Block | None]) -> None:
    """Display blocks one after another; nested sequences are flattened, None is skipped."""
    from IPython.display import display

    for block in flattened(blocks):
        display(block)


def flattened(items: Iterable[Any]) -> Iterator[Block]:
    for item in items:
        if isinstance(item, Block):
            yield item
        elif item is not None:
            yield from flattened(item)


def _lab_language() -> Language:
    """Language in which JupyterLab shows blocks: ``AFTER_SALES_LANGUAGE``, English when unset."""
    return "zh" if os.environ.get("AFTER_SALES_LANGUAGE", "").lower().startswith("zh") else "en"


@dataclass(frozen=True)
class Absent:
    """A part of a section without content, and why: a pack names it in one table (``report.folding``) instead of a page that says so.

    Not ``told``: a part that is no lack of a company to which it does not apply; a pack leaves it out without a word.
    """

    part: Text
    why: Text
    told: bool = True

    def record(self) -> dict[str, Any]:
        said = {"part": self.part.as_json(), "why": self.why.as_json()}
        return said if self.told else {**said, "told": False}


def absent_of(part: Text, facts: Iterable[Fact]) -> Absent | None:
    """Where no fact has a value, because tables or columns are absent: the part that they make, with what the first of them lacks."""
    needs = [
        fact.reason.needs if fact.value is None and isinstance(fact.reason, Lacking) else () for fact in facts
    ]
    return Absent(part, Text.same(", ".join(needs[0]))) if needs and all(needs) else None


class Gathered:
    """Collects what a block uses: its facts once each, and the wording that the catalogue lacks."""

    def __init__(self, block: str) -> None:
        self.block = block
        self.facts: dict[str, dict[str, Any]] = {}
        self._messages: set[str] = set()

    def fact(self, fact: Fact) -> str:
        """Keep a fact, and those it was computed from: whoever holds the record can walk back."""
        for parent in fact.parents:
            self.fact(parent)
        record = fact.as_json()
        known = self.facts.setdefault(fact.id, record)
        if any(known[part] != record[part] for part in ("value", "unit", "interval", "n", "reason")):
            raise ParameterError(
                f"block {self.block}: two different numbers under one id {fact.id}: "
                f"{known['value']} and {record['value']}; give the slice or the definition its own id."
            )
        return fact.id

    def sentence(self, sentence: Sentence) -> dict[str, Any]:
        for value in sentence.values.values():
            if isinstance(value, Fact):
                self.fact(value)
            elif isinstance(value, Text):
                self.text(value)
        self._messages.add(sentence.template)
        return sentence.as_json()

    def optional(self, sentence: Sentence | None) -> dict[str, Any] | None:
        return None if sentence is None else self.sentence(sentence)

    def text(self, text: Text) -> dict[str, str]:
        if text.en == text.zh:
            self._messages.add(text.en)
        return text.as_json()

    def wordings(self, messages: Iterable[str]) -> None:
        """Messages that a drawing has used."""
        self._messages.update(messages)

    def record(self, kind: str, **parts: Any) -> Block:
        lacking = sorted(self._messages.intersection(untranslated()))
        head = {"version": VERSION, "kind": kind, "id": self.block}
        return Block({**head, **parts, "facts": list(self.facts.values()), "untranslated": lacking})


def value_sentence(fact: Fact, *, signed: bool = False) -> Sentence:
    """A sentence that is nothing but the number, with its unit."""
    return Sentence("{value:signed}" if signed else "{value}", {"value": fact})
