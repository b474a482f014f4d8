"""An estimate and its interval in one place: what a reader takes in at one look holds both."""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from analysis.locale import LANGUAGES
from analysis.report.record import blocks_of
from analysis.results import Fact, Interval, Sentence, interval_text, one_bound

# An estimate whose interval is that of another one in the same place, and why that is enough.
CARRIED = {
    "budget_exceeded_chance": (
        "year_cost_expected",
        "the chance is read off the expected year and its spread",
    ),
    "value_change": (
        "value_change_by_customers",
        "the steps of a sum whose interval stands beside it; theirs are in the table",
    ),
    "cause_expected_failures": ("cause_rate_ratio", "the ratio of failures to those expected carries both"),
    "cause_rate_ratio_corrected": (
        "cause_rate_ratio",
        "the search is allowed for in that interval: both have the same one",
    ),
    "complaint_term_share": ("complaint_term_odds", "the odds hold the one share against the other"),
    "what_if_chance": ("what_if_npv", "the chance is read off the draws that make that interval"),
    "cause_excess_hours": ("cause_full_cost", "the cost with labour is these hours at a known rate"),
    "loss_rate_after_repair": ("matched_loss_difference", "the difference is what is claimed"),
    "matched_loss_rate": ("matched_loss_difference", "the difference is what is claimed"),
    "repurchase_rate_after_service": ("matched_repurchase_difference", "the difference is what is claimed"),
    "matched_repurchase_rate": ("matched_repurchase_difference", "the difference is what is claimed"),
    "risk_score_expected": ("risk_score_observed", "expected and held against the interval of what came"),
}


def sentences(node: Any) -> Iterator[dict[str, Any]]:
    """Every sentence of a record that is no cell of a table: titles, subtitles, notes, bodies."""
    if isinstance(node, dict):
        if isinstance(node.get("en"), list):
            yield node
        else:
            for name, part in node.items():
                if name not in ("alt", "data", "rows", "columns", "facts"):
                    yield from sentences(part)
    elif isinstance(node, list):
        for part in node:
            yield from sentences(part)


def places(record: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """What a reader takes in at one look: a sentence, or a tile with the lines below its number."""
    for tile in record.get("tiles", []):
        yield [tile["value"], *(line["value"] for line in tile["comparisons"])]
    if record["kind"] != "tiles":
        yield from ([sentence] for sentence in sentences(record))


def unsure(place: list[dict[str, Any]], facts: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Estimates of a place that stand there without their interval, in either language."""
    for language in LANGUAGES:
        pieces = [piece for sentence in place for piece in sentence[language] if "fact" in piece]
        said = {piece["fact"]: "" for piece in pieces}
        for piece in pieces:
            said[piece["fact"]] += f" {piece['t']}"
        sure = {
            facts[id]["metric"] for id in said if (found := limits(facts[id], language)) and found in said[id]
        }
        for id, text in said.items():
            found, (carrier, _) = limits(facts[id], language), CARRIED.get(facts[id]["metric"], ("", ""))
            if (
                found
                and found not in text
                and carrier not in sure
                and prints_value(text, facts[id], language)
            ):
                yield f"{language}: {id} as{text}"


# Exhibits whose intervals stand in the table beside them, and why that is enough.
BESIDE = {
    "executive.headlines": "each interval stands in the table of headlines below, and a change that may be noise says so"
}


def unsure_of(record: Mapping[str, Any]) -> Iterator[str]:
    """The same of every sentence of an exhibit's record."""
    if record["id"] in BESIDE:
        return
    facts = {fact["id"]: fact for fact in record["facts"]}
    for place in places(record):
        yield from unsure(place, facts)


def unsure_in(sentence: Sentence) -> Iterator[str]:
    """The same of a sentence by itself."""
    yield from unsure([sentence.as_json()], {fact.id: fact.as_json() for fact in sentence.facts()})


def unsure_cells(record: Mapping[str, Any]) -> set[str]:
    """Columns of a table in which estimates stand in a row without their interval, or that of the one that carries it."""
    facts = {fact["id"]: fact for fact in record["facts"]}
    found = set()
    for row in record["rows"]:
        said: dict[str, dict[str, str]] = defaultdict(dict)
        for column, cell in zip(record["columns"], row["cells"], strict=True):
            if cell and cell["fact"]:
                said[cell["fact"]][column["key"]] = cell["text"]["en"]
        sure = {id for id, cells in said.items() if any(map(_RANGE.search, cells.values()))}
        carried_by = {facts[id]["metric"] for id in sure}
        for id, cells in said.items():
            fact = facts[id]
            estimated = fact["interval"] is not None and fact["value"] is not None and not beyond_one(fact)
            if estimated and id not in sure and CARRIED.get(fact["metric"], ("",))[0] not in carried_by:
                found |= set(cells)
    return found


# Two limits in a cell: ``2.4 – 4.0``, ``>99 – >99``, ``96 to 148 rows``.
_RANGE = re.compile(r"\d\S*(?: [^\d(]+)? (?:–|to) [^\d(]*\d")


def limits(fact: dict[str, Any], language: Any) -> str:
    """The interval of a fact as a sentence prints it; empty of a fact that has none."""
    if fact["interval"] is None or fact["value"] is None or beyond_one(fact):
        return ""
    return interval_text(Interval(**fact["interval"]), fact["unit"], language)


def beyond_one(fact: dict[str, Any]) -> bool:
    """Whether value and limits lie beyond one bound (``over 99%``), which says all there is to say of them."""
    limits = fact["interval"]
    return one_bound((fact["value"], limits["low"], limits["high"]), fact["unit"])


def prints_value(text: str, fact: dict[str, Any], language: Any) -> bool:
    """Whether the value itself is printed, not only n, a numerator, a level or the limits."""
    number = Fact(metric="x", period="2026-10", unit=fact["unit"], value=fact["value"])
    forms = ("{x}", "{x:signed}", "{x:exact}", "{x:abs}")
    printed = {Sentence(form, {"x": number}).plain(language) for form in forms}
    return any(one in text.replace(limits(fact, language), "") for one in printed)


def unsure_in_pack(edition: Path) -> dict[str, list[str]]:
    """The same of every exhibit of an issued edition, by place."""
    found = {}
    for path in sorted((edition / "notebooks").glob("*.ipynb")):
        for place, record in blocks_of(json.loads(path.read_text("utf-8")), path.stem):
            if unsure_here := list(unsure_of(record)):
                found[f"{place}, {record['id']}"] = unsure_here
    return found


if __name__ == "__main__":
    print(json.dumps(unsure_in_pack(Path(sys.argv[1])), ensure_ascii=False, indent=1))
