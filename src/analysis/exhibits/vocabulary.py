"""The words tables and charts are written in: columns, rows, cells, key figures. Plain values that know no block and no drawing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from analysis.locale import Text
from analysis.periods import Month
from analysis.results import Fact, Sentence

Tone = Literal["good", "bad", "muted"]
Status = Literal["alert", "watch", "good"]
Role = Literal["body", "subtotal", "total", "group"]
Show = Literal["value", "interval", "estimate", "n", "numerator", "denominator"]
Cell = Fact | Text | str | Month | dt.date | None
Slice = Mapping[str, str | None]  # dimension: value; None says "over all values"


def phrase(template: str, **parts: Text | Month | dt.date | str) -> Text:
    """A message of the catalogue with labels in its places: ``phrase("{number} months", number="6")``."""
    sentence = Sentence(template, parts)
    return Text(en=sentence.plain("en"), zh=sentence.plain("zh"))


def paired(first: Text, second: Text) -> Text:
    """One label after another, as in ``Segment: Gold``."""
    return Text(en=f"{first.en}: {second.en}", zh=f"{first.zh}：{second.zh}")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table.

    ``unit`` is a unit id; left out, it is the unit all facts of the column share (where they differ, each cell
    prints its own). ``show`` picks what of the fact is printed; ``estimate`` is the value with its interval in brackets, and
    the value alone where the fact has none. ``scale``: ``auto`` prints money in 万元 or
    CNY thousand when it is large, ``exact`` to the cent. ``better`` colours signed changes.

    ``metric`` names the metrics, ``slice`` the dimensions and ``period`` the period that every fact of the column must
    have; what is left out is not asked (:func:`analysis.exhibits.shape.misplaced`).
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
    metric: tuple[str, ...] = ()
    slice: Slice = field(default_factory=dict)
    period: str | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row: cells by column key. A column that is not named, or None, is a blank cell (blank is not zero).

    ``metric`` and ``slice`` are what the row's facts must be of; ``slices`` says it by column key where two tables stand
    side by side in one.
    """

    cells: Mapping[str, Cell]
    role: Role = "body"
    tone: Tone | None = None
    metric: tuple[str, ...] = ()
    slice: Slice = field(default_factory=dict)
    slices: Mapping[str, Slice] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A line under a tile's number: against target, last month, the year before."""

    label: Text
    value: Fact | Sentence
    tone: Tone | None = None
    signed: bool = True
    metric: tuple[str, ...] = ()
    slice: Slice = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One key figure. ``history`` draws the spark line, oldest first; its last fact should be the tile's own."""

    label: Text
    fact: Fact
    status: Status | None = None
    comparisons: Sequence[Comparison] = ()
    history: Sequence[Fact] = ()
    metric: tuple[str, ...] = ()
    slice: Slice = field(default_factory=dict)
    signed: bool = False  # a change: its sign is printed
