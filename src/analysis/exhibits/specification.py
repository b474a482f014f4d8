"""Tables and tiles as specifications: columns are declared by metric, the data stay facts.

A column names its metric and where in a line of the study its fact is read; name, unit, direction and tone come from the
registry, a shorter head is a message of the catalogue. What a column, a row or a tile states (metric, dimensions, period) goes into
the record, and a fact that is of something else is refused when the table is made (:mod:`analysis.exhibits.shape`)::

    table_of(
        "costs.capacity",
        title=Sentence("What of the capacity was used?"),
        rows=capacity.teams,
        by=("team",),
        columns=[
            label("team"),
            metric("capacity_cost", of="cost", head="Cost"),
            metric("capacity_utilisation", of="utilisation", head="Used"),
            interval("capacity_utilisation", of="utilisation"),
        ],
        total={"cost": capacity.cost},
    )

Inspired by great_tables: a table is its data and a list of declarations, not a mapping of cells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from analysis.errors import ParameterError
from analysis.exhibits.record import Absent, Block
from analysis.exhibits.tables import slice_of, table
from analysis.exhibits.vocabulary import Cell, Column, Comparison, Role, Row, Slice, Status, Tile, Tone
from analysis.formats import grouped
from analysis.locale import Text
from analysis.metrics.registry import Metric, Registry
from analysis.params import project_root
from analysis.results import Fact, Sentence

Better = Literal["higher", "lower"]
_AGAINST = {
    "previous_month": ("Change on month", "Previous month"),
    "year_before": ("Change on year", "Year before"),
    "previous_quarter": ("Change on quarter", "Previous quarter"),
    "quarter_year_before": ("Change on year", "Same quarter, year before"),
    "previous_year": ("Change on year", "Previous year"),
}


_REGISTRIES: dict[Path, Registry] = {}


def registry() -> Registry:
    """The registry of the project's params; read once per project, because each may overlay the shipped one."""
    project = project_root()
    if project not in _REGISTRIES:
        _REGISTRIES[project] = Registry.load()
    return _REGISTRIES[project]


def better(metric: Metric) -> Better | None:
    """The direction that is good news, None where neither is."""
    return metric.better if metric.better != "neither" else None


# ---------------------------------------------------------------- columns


@dataclass(frozen=True, kw_only=True)
class Field:
    """A column and how its cell is read from a line; ``dimension``: the cell is the label of the row's own slice."""

    column: Column
    read: Callable[[Any], Cell]
    dimension: str | None = None


Of = str | Callable[[Any], Any]


def reader(of: Of) -> Callable[[Any], Any]:
    """Reads ``cost``, or ``amounts.closing`` through attributes and mappings; a key that a mapping lacks is a blank."""
    if callable(of):
        return of

    def read(line: Any) -> Any:
        for part in of.split("."):
            line = line.get(part) if isinstance(line, Mapping) else getattr(line, part)
            if line is None:
                return None
        return line

    return read


def label(dimension: str, *, head: str | None = None, key: str | None = None, wide: bool = True) -> Field:
    """The name of the row's slice: the registry's label of the value that its facts carry.

    Parameters
    ----------
    dimension : id of ``params/labels.yml``; the table's ``by`` must hold it
    head : English message of the catalogue; by default the dimension's own name
    """
    name = Text.of(head) if head else registry().dimension_name(dimension)
    column = Column(key=key or dimension, label=name, wide=wide)
    return Field(column=column, read=reader(key or dimension), dimension=dimension)


def words(
    of: Of, head: str | Text, *, key: str | None = None, wide: bool = False, context: str = ""
) -> Field:
    """A column of labels, months or dates as the line holds them, under a message of the catalogue."""
    column = Column(key=key or _key(of), label=named(head, context), wide=wide)
    return Field(column=column, read=reader(of))


def metric(
    *ids: str,
    of: Of,
    head: str | Text | None = None,
    context: str = "",
    key: str | None = None,
    **options: Any,
) -> Field:
    """A column of facts.

    Parameters
    ----------
    ids : the metrics its facts may be of; one, or several that answer one question
    of : where the line holds the fact, such as ``cost`` or ``amounts.closing``
    head : English message of the catalogue, shorter than the registry's name
    context : the message's context, where one English word has two Chinese ones
    key : column key and CSV header; by default the last part of ``of``
    options : ``slice``, ``period``, ``places``, ``scale``, ``signed``, ``show``, ``wide``, ``unit`` of :class:`Column`

    Raises
    ------
    ParameterError
        A metric that the registry does not know.
    """
    entries = [registry()[id] for id in ids]
    name = named(head, context) if head else entries[0].name
    options = {"better": better(entries[0]) if options.get("signed") else None} | options
    column = Column(key=key or _key(of), label=name, metric=ids, **options)
    return Field(column=column, read=reader(of))


def change(
    *ids: str,
    of: Of,
    head: str | Text | None = None,
    against: str | None = None,
    slice: Slice | None = None,
    **options: Any,
) -> Field:
    """A column of signed changes, coloured by the metric's direction; ``against`` names what they are changes on."""
    stated = dict(slice or {}) | ({"against": against} if against else {})
    head = head or (_AGAINST[against][0] if against in _AGAINST else None)
    return metric(*ids, of=of, head=head, signed=True, slice=stated, **options)


def interval(
    *ids: str, of: Of, head: str = "Interval", key: str = "interval", blank: bool = False, **options: Any
) -> Field:
    """The interval of a column's facts; ``blank`` leaves the cell of a fact without one empty."""
    field = metric(*ids, of=of, head=head, key=key, show="interval", **options)
    return replace(field, read=_with_interval(field.read)) if blank else field


def _with_interval(read: Callable[[Any], Cell]) -> Callable[[Any], Cell]:
    def found(line: Any) -> Cell:
        cell = read(line)
        return None if isinstance(cell, Fact) and cell.interval is None else cell

    return found


def estimate(*ids: str, of: Of, **options: Any) -> Field:
    """A column of facts with their intervals in the same cells, as in ``3.1 (2.4 – 4.0)``; for tables of several estimates."""
    return metric(*ids, of=of, show="estimate", **options)


def count(*ids: str, of: Of, head: str | Text, key: str = "n", **options: Any) -> Field:
    """How many observations stand behind a column's facts."""
    return metric(*ids, of=of, head=head, key=key, show="n", **options)


def named(head: str | Text, context: str = "") -> Text:
    """A message of the catalogue in both languages; what is a label of the data already stays."""
    return head if isinstance(head, Text) else Text.of(head, context=context)


def _key(of: Of) -> str:
    if callable(of):
        raise ParameterError("a column that is read by a function needs a key.")
    return of.rpartition(".")[2]


# ---------------------------------------------------------------- rows


def row_of(
    line: Any,
    columns: Sequence[Field],
    *,
    by: Sequence[str] = (),
    role: Role = "body",
    tone: Tone | None = None,
    over_all: bool = False,
    head: Text | None = None,
    indent: int = 0,
    metrics: Sequence[str] = (),
) -> Row:
    """A line of the study as a row.

    Parameters
    ----------
    by : dimensions of the row; their values are read from its first fact that has them and hold for all the others
    over_all : the row is a total over all values of ``by``, so none of its facts may be of one
    head : words of its label in place of the slice's name, such as a total's
    indent : how deep the label stands below a group
    metrics : what all its facts must be of, where the rows are metrics and the columns periods or slices
    """
    cells = {field.column.key: field.read(line) for field in columns if field.dimension is None}
    stated = _over_all(by) if over_all else _slice(cells.values(), by)
    for field in columns:
        if field.dimension is not None:
            name = head or _value_label(field.dimension, stated)
            cells[field.column.key] = indented(name, indent)
    return Row(cells=cells, role=role, tone=tone, metric=tuple(metrics), slice=stated)


def indented(text: Text, depth: int) -> Text:
    """A label below a group."""
    return Text(en="· " * depth + text.en, zh="· " * depth + text.zh) if depth else text


def _over_all(by: Sequence[str]) -> dict[str, str | None]:
    return dict.fromkeys(by)


def _slice(cells: Iterable[Cell], by: Sequence[str]) -> dict[str, str | None]:
    facts = [cell for cell in cells if isinstance(cell, Fact)]
    stated = slice_of(facts, by)
    if lacking := [dimension for dimension in by if dimension not in stated]:
        raise ParameterError(
            f"a row by {lacking[0]}: none of its facts {[fact.id for fact in facts]} has one."
        )
    return stated


def _value_label(dimension: str, stated: Slice) -> Text:
    value = stated.get(dimension)
    if value is None:
        raise ParameterError(f"a label of {dimension} in a row by {list(stated)}: add the dimension to `by`.")
    return registry().value_label(dimension, value)


def group(head: Text, columns: Sequence[Field]) -> Row:
    """A heading over the rows that follow."""
    return Row(cells={columns[0].column.key: head}, role="group")


def entry(
    id: str,
    fact: Fact,
    head: str | Text | None = None,
    *,
    role: Role = "body",
    tone: Tone | None = None,
    interval: bool = False,
    slice: Slice | None = None,
) -> Row:
    """A line of a statement, whose rows are metrics: name (the registry's, or a shorter ``head``) and number.

    Its columns are those of :func:`statement`; ``interval`` prints the fact's interval beside it.
    """
    name = named(head) if head else registry()[id].name
    cells: dict[str, Cell] = {"line": name, "value": fact}
    if interval:
        cells["interval"] = fact
    return Row(cells=cells, metric=(id,), slice=slice or {}, role=role, tone=tone)


def statement(
    *, line: str | Text = "Line", value: str | Text = "Amount", interval: bool = False, **options: Any
) -> list[Field]:
    """The columns of a statement: what the line is, its number and, asked for, the interval."""
    columns = [
        words("line", line, wide=True),
        Field(column=Column(key="value", label=named(value), **options), read=reader("value")),
    ]
    if interval:
        head = Column(key="interval", label=Text.of("Interval"), show="interval", **options)
        columns.append(Field(column=head, read=reader("interval")))
    return columns


# ---------------------------------------------------------------- tables


def table_of(
    id: str,
    *,
    title: Sentence,
    columns: Sequence[Field],
    rows: Iterable[Any],
    by: Sequence[str] = (),
    total: Any = None,
    total_head: str = "Total",
    subtitle: Sentence | None = None,
    note: Sentence | None = None,
    without: Sequence[Absent] = (),
) -> Block:
    """A table whose rows are the study's lines (or rows made by :func:`row_of`, :func:`entry`, :func:`group`).

    Parameters
    ----------
    by : dimensions that tell the rows apart; see :func:`row_of`
    total : a last line over all values of ``by``; a mapping may name only some of the cells
    without : what :func:`with_content` left out of the rows already, where tables stand side by side

    Raises
    ------
    ParameterError
        A number that is not of its column's metric or of its row's slice.
    """
    heads, made = data_of(columns, rows, by=by)
    if total is not None:
        whole = Text.of(total_head)
        made.append(row_of(total, columns, by=by, role="total", over_all=True, head=whole))
    return table(id, title=title, subtitle=subtitle, columns=heads, rows=made, note=note, without=without)


def data_of(
    columns: Sequence[Field], rows: Iterable[Any], *, by: Sequence[str] = ()
) -> tuple[list[Column], list[Row]]:
    """The same declarations for the table behind a chart: the ``data`` of a drawing."""
    made = [line if isinstance(line, Row) else row_of(line, columns, by=by) for line in rows]
    return [field.column for field in columns], made


def beside(left: Sequence[Row], right: Sequence[Row], suffix: str = "_right") -> list[Row]:
    """Two lists of rows side by side, the keys of the right one with a suffix; each half keeps what its facts are of."""
    rows = []
    for index in range(max(len(left), len(right))):
        halves = [(left, ""), (right, suffix)]
        cells: dict[str, Cell] = {}
        slices: dict[str, Slice] = {}
        for side, tail in halves:
            if index < len(side):
                cells |= {f"{key}{tail}": cell for key, cell in side[index].cells.items()}
                slices |= {f"{key}{tail}": side[index].slice for key in side[index].cells}
        rows.append(Row(cells=cells, slices=slices))
    return rows


def right_of(columns: Sequence[Field], suffix: str = "_right") -> list[Field]:
    """The columns once more, for the right half of :func:`beside`."""
    return [
        replace(field, column=replace(field.column, key=f"{field.column.key}{suffix}")) for field in columns
    ]


# ---------------------------------------------------------------- tiles


def tile(
    id: str,
    fact: Fact,
    *,
    head: str | Text | None = None,
    comparisons: Sequence[Comparison] = (),
    history: Sequence[Fact] = (),
    status: Status | None = None,
    slice: Slice | None = None,
    signed: bool = False,
) -> Tile:
    """A key figure: named by the registry or by a shorter message of the catalogue."""
    name = named(head) if head else registry()[id].name
    known = [past for past in history if past.value is not None]
    return Tile(
        label=name,
        fact=fact,
        comparisons=comparisons,
        history=known,
        status=status,
        metric=(id,),
        slice=slice or {},
        signed=signed,
    )


def change_line(id: str, fact: Fact, *, against: str) -> Comparison:
    """The change on another month below a tile, coloured by the metric's direction where its interval does not hold zero and the page shows one."""
    direction = better(registry()[id])
    tone: Tone | None = None
    noise = fact.interval is not None and fact.interval.holds(0)
    shown = Sentence("{fact:signed}", {"fact": fact}).plain()
    if direction and fact.value and not noise and re.search(r"[1-9]", shown):
        tone = "good" if (fact.value > 0) == (direction == "higher") else "bad"
    return Comparison(
        label=change_label(against), value=fact, tone=tone, metric=(id,), slice={"against": against}
    )


def change_label(against: str) -> Text:
    """What stands before a change on another month; the month alone stands before its level."""
    return Text.of(_AGAINST[against][0])


def level_head(against: str) -> str:
    """What stands over the level of another period: a message of the catalogue."""
    return _AGAINST[against][1]


def level_line(id: str, fact: Fact, *, against: str) -> Comparison:
    """The level of another month below a tile."""
    return Comparison(label=Text.of(level_head(against)), value=fact, signed=False, metric=(id,))


def line(
    id: str,
    fact: Fact,
    head: str | Text,
    *,
    signed: bool = False,
    tone: Tone | None = None,
    slice: Slice | None = None,
) -> Comparison:
    """Another number below a tile."""
    return Comparison(
        label=named(head), value=fact, signed=signed, tone=tone, metric=(id,), slice=slice or {}
    )


def interval_line(id: str, fact: Fact) -> Comparison:
    """The interval of a tile's number; of a share of what was counted, how many of how many."""
    value = Sentence("{fact:interval}", {"fact": fact})
    if fact.unit == "share" and isinstance(fact.numerator, int) and isinstance(fact.denominator, int):
        counted = {"part": grouped(fact.numerator, 0), "whole": grouped(fact.denominator, 0)}
        value = Sentence("{fact:interval}, {part} of {whole}", {"fact": fact, **counted})
    return Comparison(label=Text.of("Uncertainty"), value=value, metric=(id,))
