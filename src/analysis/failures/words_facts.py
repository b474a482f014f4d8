"""The customer's words as facts: terms that go with a component, terms that are new, complaints that are alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.errors import MissingData
from analysis.failures import words
from analysis.failures.field import Field
from analysis.failures.limits import interval_of
from analysis.locale import Text
from analysis.metrics import traced
from analysis.results import Fact
from analysis.summaries import Summarised


@dataclass(frozen=True, kw_only=True, eq=False)
class TermFacts(Summarised):
    """A term of one component's tickets: its share there and elsewhere, and the log-odds in standard errors."""

    component: Text
    term: str
    inside: Fact
    outside: Fact
    weight: Fact
    distinct: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class SimilarFacts(Summarised):
    """A typical complaint of a component, only as far as many customers say the same, and how many tickets are like it."""

    component: str
    name: Text
    text: str
    tickets: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Words(Summarised):
    """Distinctive terms by component, the most telling first, and terms of the report month not seen in the year before."""

    by_component: tuple[TermFacts, ...]
    new: tuple[tuple[str, Fact], ...]
    tickets: Fact
    sampled: bool
    similar: tuple[SimilarFacts, ...] = ()


@traced
def words_facts(field: Field, *, familywise: float, top: int = 3) -> Words:
    """Terms of confirmed failures.

    Raises
    ------
    MissingData
        Tickets hold no ``text``.
    """
    field.inputs.engine.require("tickets.text")
    rows, whole = words.texts(field), words.whole_texts(field)
    if rows.empty:
        raise MissingData("tickets.text")
    found = words.distinctive(words.counts_of(rows, whole=whole), familywise=familywise, top=top)
    lines = tuple(
        _term(field, row) for row in found.sort_values("component", kind="stable").to_dict("records")
    )
    total = int(rows["tickets"].sum())
    return Words(
        by_component=lines,
        similar=_similar(field, rows, lines),
        new=tuple(
            (term, field.state.exact("complaint_term_tickets", n, period=field.last, term=term))
            for term, n in words.new_terms(rows, whole=whole).items()
        ),
        sampled=total >= words.MOST_TEXTS,
        tickets=field.state.measured("complaint_texts", words.chosen(field)),
    )


def _term(field: Field, row: Mapping[Any, Any]) -> TermFacts:
    from scipy.stats import norm

    component, term, level = str(row["component"]), str(row["term"]), field.inputs.confidence
    half = float(norm.ppf(0.5 + level / 2)) * float(row["error"])
    value = float(row["log_odds"])
    limits = interval_of(value - half, value + half, level, "log-odds with informative prior")

    def share(side: str, hits: int, of: int) -> Fact:
        place = {"component": component, "term": term, "side": side}
        return field.inputs.engine.ratio(
            "complaint_term_share", hits, of, period=field.window, dimensions=place
        )

    return TermFacts(
        component=field.label("component", component),
        term=term,
        distinct=bool(row["distinct"]),
        inside=share("inside", int(row["inside"]), int(row["all_inside"])),
        outside=share("outside", int(row["outside"]), int(row["all_outside"])),
        weight=field.state.exact(
            "complaint_term_odds",
            value,
            parts={"interval": limits, "n": int(row["inside"])},
            component=component,
            term=term,
        ),
    )


def _similar(field: Field, rows: pd.DataFrame, lines: Sequence[TermFacts]) -> tuple[SimilarFacts, ...]:
    """For each component the complaint with the most of its telling terms; none where it says what few customers say."""
    telling: dict[str, set[str]] = {}
    for one in lines:
        if one.distinct:
            telling.setdefault(one.weight.dimensions["component"], set()).add(one.term)
    found = []
    for component, wanted in sorted(telling.items()):
        text, tickets = words.typical(rows[rows["component"] == component], wanted)
        if text:
            fact = field.state.exact("complaints_alike", tickets, component=component)
            found.append(
                SimilarFacts(
                    component=component, name=field.label("component", component), text=text, tickets=fact
                )
            )
    return tuple(found)
