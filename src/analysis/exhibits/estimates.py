"""Estimates as key figures: each with its interval, so that no tile prints a number surer than it is."""

from __future__ import annotations

from analysis.exhibits.specification import interval_line, named
from analysis.exhibits.vocabulary import Comparison
from analysis.locale import Text
from analysis.results import Fact, Sentence


def interval_lines(id: str, fact: Fact) -> list[Comparison]:
    """The line below a tile with the interval of its number; none where there is none."""
    return [interval_line(id, fact)] if fact.value is not None and fact.interval is not None else []


def estimate_line(id: str, fact: Fact, head: str | Text) -> Comparison:
    """Another estimate below a tile, its interval in the same line."""
    value = Sentence("{value}{value:doubt}", {"value": fact})
    return Comparison(label=named(head), value=value, signed=False, metric=(id,))
