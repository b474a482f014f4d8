"""What the exhibits of the value section share: sources, what is said of a part that was not made, and two labels as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from analysis.exhibits.record import Block
from analysis.exhibits.specification import reader
from analysis.exhibits.statements import not_computed
from analysis.exhibits.vocabulary import Cell
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.results import Sentence
from analysis.value.results import ValueStudy


def source(study: ValueStudy) -> Sentence:
    """Where the worth of customers comes from."""
    return Sentence(
        "Source: orders, contracts, ledger, tickets and customers up to the end of {month}.",
        {"month": study.month},
    )


def cases_source(study: ValueStudy) -> Sentence:
    """Where the effects of service come from."""
    return Sentence(
        "Source: tickets, orders, contracts and customers with their history up to the end of {month}.",
        {"month": study.month},
    )


def absent(name: str, part: NotDone, what: str | Text) -> Block:
    """The callout in the place of exhibit ``value.<name>``: what is not shown, and why."""
    named = what if isinstance(what, Text) else Text.of(what)
    return not_computed(part, id=f"value.{name}", what=named)


def joined(parts: Sequence[Text]) -> Text:
    """Several short statements in one cell."""
    return Text(en="; ".join(part.en for part in parts), zh="；".join(part.zh for part in parts))


def lowered(text: Text) -> Text:
    """A label inside a line: without its capital."""
    return Text(en=text.en[:1].lower() + text.en[1:], zh=text.zh)


NOT_APPLICABLE = Text.of("n/a")  # said in a cell that no number could fill


def or_not_applicable(of: str | Callable[[Any], Any]) -> Callable[[Any], Cell]:
    """Reads a cell; where the line has none by its nature, that is said."""
    read = reader(of)

    def found(line: Any) -> Cell:
        cell: Cell = read(line)
        return NOT_APPLICABLE if cell is None else cell

    return found
