"""Blocks: what a notebook's output carries, in both languages, from one execution.

A :class:`Block` holds a JSON record (shape in ``docs/ARCHITECTURE.md``). JupyterLab shows its HTML; the packs in
Chinese and English, HTML and PDF, are rendered from the record alone. Every number in a record is a fact: the builders
below take :class:`~analysis.results.Fact` and refuse bare numbers.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from analysis.errors import MissingData, ParameterError, suggestion
from analysis.formats import (
    NO_VALUE,
    ONE,
    Number,
    Scale,
    Unit,
    cell_text,
    column_scale,
    date_text,
    decimal,
    month_text,
)
from analysis.locale import LANGUAGES, Language, Text, untranslated
from analysis.metrics import NotDone
from analysis.periods import Month
from analysis.results import Check, Fact, Finding, Sentence, by_severity

if TYPE_CHECKING:
    import pandas as pd

    from analysis.exhibits.style import Drawing

MIME = "application/vnd.after-sales.block+json"
VERSION = 1
MOST_ROWS = 200
PREVIEW_ROWS = 20
MASK = "***"
KINDS = ("table", "figure", "tiles", "findings", "checks", "callout", "facts", "evidence")

Tone = Literal["good", "bad", "muted"]
Status = Literal["alert", "watch", "good"]
Role = Literal["body", "subtotal", "total", "group"]
Show = Literal["value", "interval", "n", "numerator", "denominator"]
Cell = Fact | Text | str | Month | dt.date | None


@dataclass(frozen=True)
class Block:
    """One exhibit: ``payload`` is the record, validated when the block is made."""

    payload: Mapping[str, Any]

    def __post_init__(self) -> None:
        from analysis.exhibits.shape import validate

        validate(self.payload)

    @property
    def id(self) -> str:
        return str(self.payload["id"])

    @property
    def kind(self) -> str:
        return str(self.payload["kind"])

    def html(self, language: Language) -> str:
        """The block as an HTML fragment that stands alone (what JupyterLab shows)."""
        from analysis.exhibits.markup import standalone

        return standalone(self.payload, language)

    def plain(self, language: Language = "en") -> str:
        """Title and kind in a line, for a terminal."""
        title = self.payload.get("title")
        text = "".join(segment["t"] for segment in title[language]) if title else ""
        return f"[{self.kind} {self.id}] {text}".rstrip()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {MIME: dict(self.payload), "text/html": self.html(_lab_language()), "text/plain": self.plain()}


class Blocks(tuple[Block, ...]):
    """Several blocks as one expression: each becomes an output of its own."""

    def _ipython_display_(self) -> None:
        show(*self)


def show(*blocks: Block | None | Iterable[Block | None]) -> None:
    """Display blocks one after another; nested sequences are flattened, None is skipped."""
    from IPython.display import display

    for block in _flattened(blocks):
        display(block)


def _flattened(items: Iterable[Any]) -> Iterator[Block]:
    for item in items:
        if isinstance(item, Block):
            yield item
        elif item is not None:
            yield from _flattened(item)


def _lab_language() -> Language:
    """Language in which JupyterLab shows blocks: ``AFTER_SALES_LANGUAGE``, English when unset."""
    return "zh" if os.environ.get("AFTER_SALES_LANGUAGE", "").lower().startswith("zh") else "en"


# ---------------------------------------------------------------- gathering facts and wording


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

    def record(self, kind: str, **parts: Any) -> Block:
        lacking = sorted(self._messages.intersection(untranslated()))
        head = {"version": VERSION, "kind": kind, "id": self.block}
        return Block({**head, **parts, "facts": list(self.facts.values()), "untranslated": lacking})


def value_sentence(fact: Fact, *, signed: bool = False) -> Sentence:
    """A sentence that is nothing but the number, with its unit."""
    return Sentence("{value:signed}" if signed else "{value}", {"value": fact})


# ---------------------------------------------------------------- tables


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table.

    ``unit`` is a unit id; left out, it is the unit all facts of the column share (where they differ, each cell
    prints its own). ``show`` picks what of the fact is printed. ``scale``: ``auto`` prints money in 万元 or
    CNY thousand when it is large, ``exact`` to the cent. ``better`` colours signed changes.
    """

    key: str
    label: Text
    unit: str | None = None
    places: int | None = None
    signed: bool = False
    show: Show = "value"
    scale: Literal["auto", "exact"] = "auto"
    better: Literal["higher", "lower"] | None = None
    wide: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row: cells by column key. A column that is not named, or None, is a blank cell (blank is not zero)."""

    cells: Mapping[str, Cell]
    role: Role = "body"
    tone: Tone | None = None


def table(
    id: str,
    *,
    title: Sentence,
    columns: Sequence[Column],
    rows: Sequence[Row],
    subtitle: Sentence | None = None,
    note: Sentence | None = None,
) -> Block:
    """A table of facts and labels; at most 200 rows (a longer listing is an evidence file)."""
    if len(rows) > MOST_ROWS:
        raise ParameterError(
            f"table {id}: {len(rows)} rows, at most {MOST_ROWS}; write a longer listing as evidence."
        )
    gathered = Gathered(id)
    body = table_body(gathered, columns, rows)
    reasons = body.pop("reasons")
    return gathered.record(
        "table",
        title=gathered.sentence(title),
        subtitle=gathered.optional(subtitle),
        note=_note(gathered.optional(note), reasons),
        **body,
        csv=id,
    )


def table_body(gathered: Gathered, columns: Sequence[Column], rows: Sequence[Row]) -> dict[str, Any]:
    """``columns`` and ``rows`` as a record, and the ``reasons`` of cells that could not be computed."""
    keys = [column.key for column in columns]
    if len(set(keys)) < len(keys):
        raise ParameterError(f"table {gathered.block}: a column key is used twice in {keys}.")
    for row in rows:
        for key in row.cells:
            if key not in keys:
                raise ParameterError(f"table {gathered.block}: no column '{key}'.{suggestion(key, keys)}")
    reasons = _Reasons()
    printers = [_ColumnPrinter(column, rows, gathered, reasons) for column in columns]
    _share_scale(printers)
    return {
        "columns": [printer.heading() for printer in printers],
        "rows": [{"role": row.role, "cells": [printer.cell(row) for printer in printers]} for row in rows],
        "reasons": reasons,
    }


def _share_scale(printers: Sequence[_ColumnPrinter]) -> None:
    """Amounts of one unit stand in one scale across a table, so that a change can be read against what it changes."""
    units = {printer.unit.id for printer in printers if printer.unit and printer.magnitude is not None}
    for unit in units:
        alike = [
            printer
            for printer in printers
            if printer.unit and printer.unit.id == unit and printer.magnitude is not None
        ]
        largest = max(decimal(printer.magnitude) for printer in alike if printer.magnitude is not None)
        for printer in alike:
            printer.scales = {language: column_scale(largest, language) for language in LANGUAGES}


class _Reasons:
    """Why cells have no number: one mark a reason, explained once below the table."""

    def __init__(self) -> None:
        self.marks: dict[Text, str] = {}
        self.facts: dict[Text, str] = {}

    def mark(self, reason: Text, fact: str) -> str:
        self.facts.setdefault(reason, fact)
        return self.marks.setdefault(reason, NO_VALUE + "*" * len(self.marks))

    def segments(self, language: Language) -> list[dict[str, str]]:
        pieces: list[dict[str, str]] = []
        for reason, mark in self.marks.items():
            pieces.append({"t": f"{mark} "})
            pieces.append({"t": reason[language], "k": "fact", "fact": self.facts[reason]})
            pieces.append({"t": ". " if language == "en" else "。"})
        return pieces


def _note(note: dict[str, Any] | None, reasons: _Reasons) -> dict[str, Any] | None:
    if not reasons.marks:
        return note
    gap = {"en": [{"t": " "}], "zh": []}
    return {
        language: (note[language] + gap[language] if note else []) + reasons.segments(language)
        for language in LANGUAGES
    }


class _ColumnPrinter:
    """Prints one column: one unit and, for money, one scale per language, chosen over all columns of that unit."""

    def __init__(self, column: Column, rows: Sequence[Row], gathered: Gathered, reasons: _Reasons) -> None:
        self.column, self.gathered, self.reasons = column, gathered, reasons
        facts = [cell for row in rows if isinstance(cell := row.cells.get(column.key), Fact)]
        self.has_facts = bool(facts)
        self.unit = self._unit(facts)
        self.magnitude = self._magnitude(facts)
        self.scales: Mapping[Language, Scale] = {language: ONE for language in LANGUAGES}

    def _unit(self, facts: Sequence[Fact]) -> Unit | None:
        column = self.column
        units = {self._shown_unit(fact) for fact in facts}
        if column.unit is None:
            return Unit.parse(units.pop()) if len(units) == 1 else None
        if column.show in ("value", "interval") and units - {column.unit}:
            raise ParameterError(
                f"table {self.gathered.block}, column {column.key}: unit {column.unit}, but a fact is in {units - {column.unit}}."
            )
        return Unit.parse(column.unit)

    def _shown_unit(self, fact: Fact) -> str:
        if self.column.show in ("value", "interval"):
            return fact.unit
        if self.column.show == "n":
            return "count"
        unit = Unit.parse(fact.unit)
        return unit.base if unit.is_money and (self.column.show == "numerator" or not unit.per) else "count"

    def _magnitude(self, facts: Sequence[Fact]) -> Number | None:
        """The largest amount of a column of money that may be scaled; None for any other column."""
        numbers = [abs(decimal(number)) for fact in facts for number in self._numbers(fact)]
        if self.unit is None or not self.unit.is_money or self.column.scale == "exact" or not numbers:
            return None
        return max(numbers)

    def _numbers(self, fact: Fact) -> tuple[Number, ...]:
        """What the cell prints: one number, two edges, or nothing."""
        if fact.value is None:
            return ()
        match self.column.show:
            case "value":
                return (fact.value,)
            case "interval":
                return (fact.interval.low, fact.interval.high) if fact.interval else ()
            case part:
                number = getattr(fact, part)
                return () if number is None else (number,)

    def heading(self) -> dict[str, Any]:
        number = self.has_facts or self.column.unit is not None
        unit = {
            language: self.unit.label(language, self.scales[language]) if self.unit else ""
            for language in LANGUAGES
        }
        return {
            "key": self.column.key,
            "label": self.gathered.text(self.column.label),
            "unit": unit,
            "align": "right" if number else "left",
            "type": "number" if number else "text",
            "wide": self.column.wide,
        }

    def cell(self, row: Row) -> dict[str, Any]:
        value = row.cells.get(self.column.key)
        if isinstance(value, Fact):
            return self._fact_cell(value, row.tone)
        text, sort = self._label(value)
        kind = "empty" if value is None else "label"
        return {"text": text, "fact": None, "kind": kind, "sort": sort, "tone": row.tone}

    def _label(self, value: Cell) -> tuple[dict[str, str], str | None]:
        match value:
            case None:
                return {"en": "", "zh": ""}, None
            case Text():
                return self.gathered.text(value), value.en
            case str():
                return {"en": value, "zh": value}, value
            case Month():
                return {language: month_text(value, language) for language in LANGUAGES}, str(value)
            case dt.date():
                return {language: date_text(value, language) for language in LANGUAGES}, value.isoformat()
        raise ParameterError(
            f"table {self.gathered.block}, column {self.column.key}: a bare {type(value).__name__} ({value}); make it a fact first."
        )

    def _fact_cell(self, fact: Fact, tone: Tone | None) -> dict[str, Any]:
        identity = self.gathered.fact(fact)
        if fact.value is None:
            assert fact.reason is not None  # Fact refuses a missing value without one
            mark = self.reasons.mark(fact.reason, identity)
            return {
                "text": {"en": mark, "zh": mark},
                "fact": identity,
                "kind": "fact",
                "sort": None,
                "tone": "muted",
            }
        numbers = self._numbers(fact)
        text = {language: self._text(fact, numbers, language) for language in LANGUAGES}
        sort = float(fact.value if self.column.show == "interval" or not numbers else numbers[0])
        return {
            "text": text,
            "fact": identity,
            "kind": "fact",
            "sort": sort,
            "tone": tone or self._sign_tone(fact.value),
        }

    def _text(self, fact: Fact, numbers: tuple[Number, ...], language: Language) -> str:
        if not numbers:
            return NO_VALUE
        column, scale = self.column, self.scales[language]
        if self.unit is None:
            return _with_unit(
                fact,
                self._shown_unit(fact),
                numbers,
                language,
                signed=column.signed,
                exact=column.scale == "exact",
            )
        printed = [
            cell_text(n, self.unit, scale=scale, places=column.places, signed=column.signed) for n in numbers
        ]
        return " – ".join(printed)

    def _sign_tone(self, value: Number) -> Tone | None:
        if self.column.better is None or value == 0:
            return None
        return "good" if (value > 0) == (self.column.better == "higher") else "bad"


def _with_unit(
    fact: Fact, unit: str, numbers: tuple[Number, ...], language: Language, *, signed: bool, exact: bool
) -> str:
    from analysis.formats import number_text

    texts = [number_text(number, unit, language, signed=signed, exact=exact) for number in numbers]
    return (" to " if language == "en" else " 至 ").join(texts)


# ---------------------------------------------------------------- figures


def figure(
    id: str,
    *,
    title: Sentence,
    subtitle: Sentence,
    foot: Sentence,
    alt: Sentence,
    draw: Drawing | Callable[[Any, Language], None],
    data: tuple[Sequence[Column], Sequence[Row]] | None = None,
    size: tuple[float, float] | None = None,
) -> Block:
    """A chart, drawn once per language by ``draw(axes, language)``, with the table of what it shows.

    ``draw`` may be a :class:`~analysis.exhibits.style.Drawing` (what the functions of ``exhibits.charts`` return), which
    brings its ``data`` and its ``size`` in inches. Title, subtitle and foot are text of the block, never part of the drawing.
    """
    from analysis.exhibits.style import Drawing, render

    drawing = draw if isinstance(draw, Drawing) else Drawing.on_axes(draw, data=data, size=size)
    gathered = Gathered(id)
    parts: dict[str, Any] = {
        "title": gathered.sentence(title),
        "subtitle": gathered.sentence(subtitle),
        "foot": gathered.sentence(foot),
        "alt": {language: alt.plain(language) for language in LANGUAGES},
    }
    gathered.sentence(alt)
    columns, rows = data or drawing.data
    listing = table_body(gathered, columns, rows)
    reasons = listing.pop("reasons")
    parts["foot"] = _note(parts["foot"], reasons)
    picture = render(drawing, id, size=size)
    for fact in picture.facts:
        gathered.fact(fact)
    gathered._messages.update(picture.messages)
    return gathered.record(
        "figure", **parts, svg=picture.svg, width=picture.width, height=picture.height, data=listing, csv=id
    )


# ---------------------------------------------------------------- tiles


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A line under a tile's number: against target, last month, the year before."""

    label: Text
    value: Fact | Sentence
    tone: Tone | None = None
    signed: bool = True


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One key figure. ``history`` draws the spark line, oldest first; its last fact should be the tile's own."""

    label: Text
    fact: Fact
    status: Status | None = None
    comparisons: Sequence[Comparison] = ()
    history: Sequence[Fact] = ()


def tiles(id: str, tiles: Sequence[Tile]) -> Block:
    """Key figures side by side."""
    gathered = Gathered(id)
    return gathered.record(
        "tiles", tiles=[_tile(gathered, tile, f"{id}.{index}") for index, tile in enumerate(tiles)]
    )


def _tile(gathered: Gathered, tile: Tile, name: str) -> dict[str, Any]:
    from analysis.exhibits.sparks import sparkline

    for fact in tile.history:
        gathered.fact(fact)
    comparisons = []
    for line in tile.comparisons:
        value = value_sentence(line.value, signed=line.signed) if isinstance(line.value, Fact) else line.value
        comparisons.append(
            {"label": gathered.text(line.label), "value": gathered.sentence(value), "tone": line.tone}
        )
    return {
        "label": gathered.text(tile.label),
        "value": gathered.sentence(value_sentence(tile.fact)),
        "status": tile.status,
        "comparisons": comparisons,
        "spark": sparkline(tile.history, label=tile.label) if len(tile.history) > 1 else None,
        "fact": gathered.fact(tile.fact),
    }


# ---------------------------------------------------------------- findings and checks

NO_FINDING = Sentence("No finding survives the checks against chance.")


def findings_block(
    id: str,
    findings: Sequence[Finding],
    *,
    evidence: Mapping[int, str] | None = None,
    empty: Sentence = NO_FINDING,
) -> Block:
    """Findings, the gravest first, each with the first rows of its evidence.

    ``evidence`` gives the file stem by position in severity order; by default :func:`evidence_stems` names them.
    """
    gathered = Gathered(id)
    ordered = by_severity(findings)
    stems = evidence_stems(ordered) if evidence is None else [evidence.get(i) for i in range(len(ordered))]
    records = []
    for finding, stem in zip(ordered, stems, strict=True):
        gathered.sentence(finding.statement)
        method = gathered.text(Text.of(finding.method)) if finding.method else None
        preview = None if finding.evidence is None else evidence_preview(finding.evidence)
        records.append(finding.as_json(evidence=stem) | {"method": method, "preview": preview})
    return gathered.record("findings", findings=records, empty=gathered.sentence(empty))


def evidence_stems(findings: Sequence[Finding]) -> list[str | None]:
    """File stems of evidence: ``failures.excess-1``, ``-2`` … in the order given; None for a finding without rows."""
    counts: dict[str, int] = {}
    stems: list[str | None] = []
    for finding in findings:
        if finding.evidence is None:
            stems.append(None)
            continue
        counts[finding.id] = counts.get(finding.id, 0) + 1
        stems.append(f"{finding.id}-{counts[finding.id]}")
    return stems


def evidence_preview(rows: pd.DataFrame) -> dict[str, Any]:
    """The first rows as text: ``columns``, ``rows``, ``total``; blanks stay blank, personal columns are masked."""
    head = rows.head(PREVIEW_ROWS)
    personal = _personal_columns()
    columns = [str(name) for name in head.columns]
    return {
        "columns": columns,
        "rows": [
            [
                MASK if name in personal else _plain_value(value)
                for name, value in zip(columns, row, strict=True)
            ]
            for row in head.itertuples(index=False, name=None)
        ],
        "total": len(rows),
    }


def _personal_columns() -> frozenset[str]:
    """Columns that the contract marks as personal; they never leave the workbook."""
    from analysis.tables import contract

    return frozenset(
        name for table in contract().tables.values() for name, column in table.columns.items() if column.pii
    )


def _plain_value(value: Any) -> str:
    if value is None or value != value or str(value) in {"NaT", "<NA>"}:  # noqa: PLR0124 — NaN is unlike itself
        return ""
    if isinstance(value, (bool, str)):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:,f}"
    if isinstance(value, dt.datetime):
        return (
            value.isoformat(sep=" ", timespec="minutes")
            if value.time() != dt.time()
            else value.date().isoformat()
        )
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, int):
        return f"{value:,d}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.2f}"
    return str(value)


def checks_block(id: str, checks: Sequence[Check]) -> Block:
    """Checks: failed ones first, then what is for information, then passed."""
    order = {"failed": 0, "info": 1, "passed": 2}
    gathered = Gathered(id)
    for check in checks:
        gathered.sentence(check.sentence)
    return gathered.record(
        "checks", checks=[c.as_json() for c in sorted(checks, key=lambda c: order[c.outcome])]
    )


# ---------------------------------------------------------------- callouts and hidden records


def callout(
    id: str, *, tone: Literal["info", "watch", "alert"], title: Sentence, body: Sentence | None = None
) -> Block:
    """A remark set apart."""
    gathered = Gathered(id)
    return gathered.record("callout", tone=tone, title=gathered.sentence(title), body=gathered.optional(body))


def not_computed(missing: MissingData | NotDone, *, id: str, what: Text | None = None) -> Block:
    """Says which tables or columns a part of the report lacks; the rest of the page stands."""
    title = Sentence("{what}: not computed", {"what": what}) if what else Sentence("Not computed")
    needs = ", ".join(missing.needs)
    body = (
        Sentence("This part needs {needs}, which the data of this run do not hold.", {"needs": needs})
        if needs
        else None
    )
    return callout(id, tone="info", title=title, body=body)


def facts_block(id: str, facts: Iterable[Fact]) -> Block:
    """Facts for the record only; nothing is shown."""
    gathered = Gathered(id)
    for fact in facts:
        gathered.fact(fact)
    return gathered.record("facts")


@dataclass(frozen=True, kw_only=True)
class EvidenceFile:
    """A CSV in the run's ``evidence`` folder."""

    stem: str
    title: Sentence
    sha256: str
    rows: int


def evidence_block(id: str, files: Sequence[EvidenceFile]) -> Block:
    """Evidence files, linked from the HTML pack."""
    gathered = Gathered(id)
    records = [
        {"stem": file.stem, "title": gathered.sentence(file.title), "sha256": file.sha256, "rows": file.rows}
        for file in files
    ]
    return gathered.record("evidence", files=records)
