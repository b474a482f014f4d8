"""Tables of facts and labels as blocks: one unit and one scale a column, reasons of missing numbers below."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from analysis.errors import ParameterError, suggestion
from analysis.exhibits.record import Absent, Block, Gathered, absent_of
from analysis.exhibits.shape import misplaced_cells
from analysis.exhibits.vocabulary import Cell, Column, Row, Tone, phrase
from analysis.formats import (
    NO_VALUE,
    ONE,
    Number,
    Scale,
    Unit,
    cell_places,
    cell_text,
    column_scale,
    date_text,
    decimal,
    month_text,
    text_in_cell,
)
from analysis.locale import LANGUAGES, Language, Text, translate
from analysis.metrics.registry import NOT_STATED
from analysis.periods import Month
from analysis.results import Fact, Sentence, one_bound, unit_once

# A longer table is a list: it shows its first rows and says that the rest is in ``facts.json``.
MOST_ROWS = 200
CUT = Sentence(
    "Only the first {rows} rows are shown; the figures of all of them are in facts.json.",
    {"rows": str(MOST_ROWS)},
)


def table(
    id: str,
    *,
    title: Sentence,
    columns: Sequence[Column],
    rows: Sequence[Row],
    subtitle: Sentence | None = None,
    note: Sentence | None = None,
    by: Sequence[str] = (),
    without: Sequence[Absent] = (),
) -> Block:
    """A table of facts and labels, of its first 200 rows and the totals below them. Columns that are blank in every row are left out.

    ``by``: dimensions that tell the rows apart; every fact of a row is of the same value (see :func:`slice_of`). ``without``: what is left out of
    the rows already.
    """
    gathered = Gathered(id)
    rows = [replace(row, slice={**slice_of(row.cells.values(), by), **row.slice}) for row in rows]
    rows, lacking = with_content(rows)
    without = (*without, *lacking)
    body = _without_blank_columns(table_body(gathered, columns, rows))
    reasons = body.pop("reasons")
    notes = [gathered.optional(note), gathered.sentence(CUT) if len(rows) > MOST_ROWS else None]
    # the record keeps the facts of every row
    body["rows"] = _shortened(body["rows"])
    return gathered.record(
        "table",
        title=gathered.sentence(title),
        subtitle=gathered.optional(subtitle),
        note=with_reasons(*notes, reasons=reasons),
        **body,
        **({"without": [absent.record() for absent in without]} if without else {}),
        csv=id,
    )


def with_content(rows: Sequence[Row]) -> tuple[list[Row], list[Absent]]:
    """Rows that say something, and what is left out by its label; all rows where none would be left.

    Left out are rows that lack every figure because tables or columns are absent, and groups in which no row states a value.
    """
    stated, without = _stated_groups(rows)
    kept = []
    for row in stated:
        cells = list(row.cells.values())
        name = next((cell for cell in cells if isinstance(cell, Text)), None)
        facts = [cell for cell in cells if isinstance(cell, Fact)]
        absent = absent_of(name, facts) if name and row.role == "body" else None
        if absent:
            without.append(absent)
        else:
            kept.append(row)
    return (kept, without) if any(row.role == "body" for row in kept) else (list(rows), [])


def _stated_groups(rows: Sequence[Row]) -> tuple[list[Row], list[Absent]]:
    """Rows without the groups whose only row states no value: it would repeat the total."""
    kept: list[Row] = []
    without = []
    for run in _by_heading(rows):
        head, *below = run
        if (
            head.role == "group"
            and [row.role for row in below] == ["body"]
            and NOT_STATED in below[0].slice.values()
        ):
            name = next(cell for cell in head.cells.values() if isinstance(cell, Text))
            without.append(
                Absent(phrase("by {name:lower}", name=name), phrase("a stated {name:lower}", name=name))
            )
        else:
            kept += run
    return kept, without


def _by_heading(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows in runs: a heading with the rows below it, or a row that stands for itself."""
    run: list[Row] = []
    for row in rows:
        if run and (row.role != "body" or run[0].role != "group"):
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def _without_blank_columns(body: dict[str, Any]) -> dict[str, Any]:
    """A printed table without the columns of which no row has anything to print; the labels stay."""
    printed = [row["cells"] for row in body["rows"]]
    kept = [
        place
        for place in range(len(body["columns"]))
        if not place or any(any(cells[place]["text"].values()) for cells in printed)
    ]
    rows = [{**row, "cells": [row["cells"][place] for place in kept]} for row in body["rows"]]
    columns = [body["columns"][place] for place in kept]
    return {**body, "columns": columns, "rows": rows} if printed else body


def _shortened(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(rows) <= MOST_ROWS:
        return rows
    totals = [row for row in rows if row["role"] == "total"]
    return [*[row for row in rows if row["role"] != "total"][: MOST_ROWS - len(totals)], *totals]


def _one_after_another(notes: Sequence[dict[str, Any] | None]) -> dict[str, Any] | None:
    given = [note for note in notes if note]
    if len(given) < 2:
        return given[0] if given else None
    first, second = given
    return {
        language: [*first[language], *([{"t": " "}] if language == "en" else []), *second[language]]
        for language in LANGUAGES
    }


def slice_of(cells: Iterable[Cell], by: Sequence[str]) -> dict[str, str | None]:
    """What the facts of a row are of: for each dimension the value of the first fact that has one."""
    facts = [cell for cell in cells if isinstance(cell, Fact)]
    return {
        dimension: values[0]
        for dimension in by
        if (values := [fact.dimensions[dimension] for fact in facts if dimension in fact.dimensions])
    }


def table_body(gathered: Gathered, columns: Sequence[Column], rows: Sequence[Row]) -> dict[str, Any]:
    """``columns`` and ``rows`` as a record, and the ``reasons`` of cells that could not be computed."""
    keys = [column.key for column in columns]
    if len(set(keys)) < len(keys):
        raise ParameterError(f"table {gathered.block}: a column key is used twice in {keys}.")
    for row in rows:
        for key in row.cells:
            if key not in keys:
                raise ParameterError(f"table {gathered.block}: no column '{key}'.{suggestion(key, keys)}")
    reasons = Reasons()
    printers = [_ColumnPrinter(column, rows, gathered, reasons) for column in columns]
    _share_scale(printers)
    _share_places(printers)
    listing = {
        "columns": [printer.heading() for printer in printers],
        "rows": [
            {"role": row.role, "cells": [printer.cell(row) for printer in printers], **_stated(row)}
            for row in rows
        ],
    }
    refuse_misplaced(gathered.block, misplaced_cells(listing, gathered.facts))
    return listing | {"reasons": reasons}


def refuse_misplaced(block: str, doubts: Iterable[str]) -> None:
    """Refuse a number that stands under a heading, or in a row, that is not its own."""
    found = list(doubts)
    if found:
        raise ParameterError(
            f"block {block}: {found[0]}" + (f" And {len(found) - 1} more." if len(found) > 1 else "")
        )


def _stated(part: Column | Row) -> dict[str, Any]:
    """What the facts of a column or row must be of, as the record keeps it; nothing where nothing is stated."""
    period = part.period if isinstance(part, Column) else None
    stated = {"metric": list(part.metric), "slice": dict(sorted(part.slice.items())), "period": period}
    return {name: value for name, value in stated.items() if value}


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


def _share_places(printers: Sequence[_ColumnPrinter]) -> None:
    """An interval that its column's decimals would hide gets one more, and so do the values beside it."""
    for hidden in [printer for printer in printers if printer.hides_an_interval()]:
        for printer in printers:
            if printer is hidden or (
                printer.unit == hidden.unit
                and printer.column.metric
                and printer.column.metric == hidden.column.metric
                and printer.column.show in SHOWN_AS_STATED
            ):
                printer.more_places = 1


class Reasons:
    """Why cells have no number: one mark a reason, explained once below the table."""

    def __init__(self) -> None:
        self.marks: dict[Text, str] = {}
        self.facts: dict[Text, str] = {}

    def mark(self, reason: Text, fact: str) -> str:
        self.facts.setdefault(reason, fact)
        return self.marks.setdefault(reason, NO_VALUE + "*" * len(self.marks))

    def without(self, facts: set[str]) -> Reasons:
        """The same marks but for the reasons that were first met at these facts."""
        left = Reasons()
        left.facts = {reason: fact for reason, fact in self.facts.items() if fact not in facts}
        left.marks = {reason: self.marks[reason] for reason in left.facts}
        return left

    def segments(self, language: Language) -> list[dict[str, str]]:
        pieces: list[dict[str, str]] = []
        for reason, mark in self.marks.items():
            pieces.append({"t": f"{mark} "})
            pieces.append({"t": reason[language], "k": "fact", "fact": self.facts[reason]})
            pieces.append({"t": ". " if language == "en" else "。"})
        return pieces


def with_reasons(*notes: dict[str, Any] | None, reasons: Reasons) -> dict[str, Any] | None:
    said: dict[str, Any] = {language: reasons.segments(language) for language in LANGUAGES}
    return _one_after_another([*notes, said if reasons.marks else None])


# What is printed in the unit of the fact itself; a count of observations or a numerator has another.
SHOWN_AS_STATED = ("value", "interval", "estimate")


class _ColumnPrinter:
    """Prints one column: one unit and, for money, one scale per language, chosen over all columns of that unit."""

    def __init__(self, column: Column, rows: Sequence[Row], gathered: Gathered, reasons: Reasons) -> None:
        self.column, self.gathered, self.reasons = column, gathered, reasons
        facts = [cell for row in rows if isinstance(cell := row.cells.get(column.key), Fact)]
        self.has_facts = bool(facts)
        self.unit = self._unit(facts)
        self.magnitude = self._magnitude(facts)
        self.scales: Mapping[Language, Scale] = {language: ONE for language in LANGUAGES}
        self.facts, self.more_places = facts, 0

    def hides_an_interval(self) -> bool:
        """Whether an interval of some width would be printed as one number, and one more decimal shows it."""
        if self.unit is None or self.column.show not in ("interval", "estimate"):
            return False
        edges = [found for fact in self.facts if fact.value is not None and (found := _edges(fact))]
        return any(
            self._cell_text(low, language) == self._cell_text(high, language)
            and self._cell_text(low, language, more=1) != self._cell_text(high, language, more=1)
            for low, high in edges
            for language in LANGUAGES
        )

    def _cell_text(self, number: Number, language: Language, *, more: int = 0) -> str:
        assert self.unit is not None
        column, scale = self.column, self.scales[language]
        places = column.places
        if more:
            places = (cell_places(number, self.unit, scale) if places is None else places) + more
        return cell_text(number, self.unit, scale=scale, places=places, signed=column.signed)

    def _unit(self, facts: Sequence[Fact]) -> Unit | None:
        column = self.column
        units = {self._shown_unit(fact) for fact in facts}
        if column.unit is None:
            return Unit.parse(units.pop()) if len(units) == 1 else None
        if column.show in SHOWN_AS_STATED and units - {column.unit}:
            raise ParameterError(
                f"table {self.gathered.block}, column {column.key}: unit {column.unit}, but a fact is in {units - {column.unit}}."
            )
        return Unit.parse(column.unit)

    def _shown_unit(self, fact: Fact) -> str:
        if self.column.show in SHOWN_AS_STATED:
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
                return _edges(fact)
            case "estimate":
                return (fact.value, *_edges(fact))
            case part:
                number = getattr(fact, part)
                return () if number is None else (number,)

    def heading(self) -> dict[str, Any]:
        number = self.has_facts or self.column.unit is not None
        label = self.gathered.text(self.column.label)
        unit = {
            language: self.unit.label(language, self.scales[language]) if self.unit else ""
            for language in LANGUAGES
        }
        return {
            "key": self.column.key,
            "label": label,
            # a heading that is the unit's name says it already
            "unit": {
                language: "" if unit[language] == label[language] else unit[language]
                for language in LANGUAGES
            },
            "align": "right" if number else "left",
            "type": "number" if number else "text",
            "wide": self.column.wide,
            **_stated(self.column),
        }

    def cell(self, row: Row) -> dict[str, Any]:
        cell = self._cell(row)
        own = row.slices.get(self.column.key)
        return cell | {"slice": dict(sorted(own.items()))} if own else cell

    def _cell(self, row: Row) -> dict[str, Any]:
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
        numbers = self._numbers(fact)
        lacks = fact.value is None or (self.column.show == "interval" and not numbers)
        if lacks and fact.reason is not None:
            mark = self.reasons.mark(fact.reason, identity)
            return {
                "text": {"en": mark, "zh": mark},
                "fact": identity,
                "kind": "fact",
                "sort": None,
                "tone": "muted",
            }
        assert fact.value is not None  # Fact refuses a missing value without a reason
        text = {language: self._text(fact, numbers, language) for language in LANGUAGES}
        sort = float(fact.value if self.column.show == "interval" or not numbers else numbers[0])
        return {
            "text": text,
            "fact": identity,
            "kind": "fact",
            "sort": sort,
            "tone": tone or self._sign_tone(fact, text["en"]),
        }

    def _text(self, fact: Fact, numbers: tuple[Number, ...], language: Language) -> str:
        if not numbers:
            return NO_VALUE
        if self.column.show != "estimate":
            return self._printed(fact, numbers, language)
        value, limits = self._printed(fact, numbers[:1], language), self._printed(fact, numbers[1:], language)
        shown = limits and not one_bound(numbers, self._shown_unit(fact))
        return f"{value} ({limits})" if shown else value

    def _printed(self, fact: Fact, numbers: tuple[Number, ...], language: Language) -> str:
        column = self.column
        if self.unit is None:
            return _with_unit(
                self._shown_unit(fact), numbers, language, signed=column.signed, exact=column.scale == "exact"
            )
        printed = [self._cell_text(number, language, more=self.more_places) for number in numbers]
        return " – ".join(printed[:1] if one_bound(numbers, self.unit.id) else printed)

    def _sign_tone(self, fact: Fact, text: str) -> Tone | None:
        """The colour of a change; none where it could be noise, or rounds to nothing on the page."""
        if self.column.better is None or fact.value is None or not re.search(r"[1-9]", text):
            return None
        if fact.interval is not None and fact.interval.holds(0):
            return None
        return "good" if (fact.value > 0) == (self.column.better == "higher") else "bad"


def _edges(fact: Fact) -> tuple[Number, ...]:
    return (fact.interval.low, fact.interval.high) if fact.interval else ()


def _with_unit(
    unit: str, numbers: tuple[Number, ...], language: Language, *, signed: bool, exact: bool
) -> str:
    texts = [text_in_cell(number, unit, language, signed=signed, exact=exact) for number in numbers]
    if one_bound(numbers, unit):
        return texts[0]
    return translate(" to ", language).join(unit_once(texts[0], texts[1], unit) if len(texts) == 2 else texts)
