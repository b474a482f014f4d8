"""Every public exhibit of every section on one small company: each number in its place agrees with its fact.

The exhibits are found, not listed: a function that is added is tested, and one that needs more than the study must say here with what.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from estimates_shown import CARRIED, sentences, unsure_cells, unsure_in, unsure_of
from severity_rule import broken, nearest, read_of

from analysis.executive import in_one_order
from analysis.exhibits.record import Block, flattened
from analysis.exhibits.shape import misplaced
from analysis.exhibits.vocabulary import Column
from analysis.formats import ONE, Unit, cell_text
from analysis.locale import LANGUAGES
from analysis.metrics import StudyInputs, materiality, materiality_check
from analysis.report.shown import shows
from analysis.results import SEVERITIES, Fact, Finding, Interval, Sentence
from analysis.sample import make_sample
from analysis.workbook.sections import SECTIONS as REPORTED

SECTIONS: dict[str, tuple[str, ...]] = {
    "costs": ("costs",),
    "retention": ("retention", "retention_tenure", "retention_service", "retention_risk"),
    "failures": (
        "failures",
        "failure_life",
        "failure_outlook",
        "failure_ranking",
        "failure_search",
        "failure_trees",
        "failure_use",
    ),
    "value": ("value", "value_models", "value_effects", "value_what_ifs"),
    "quality": ("quality",),
    "executive": ("executive",),
}
# What a function needs beside the study: one call an entry, as a reading of the study.
ARGUMENTS: dict[str, Callable[[Any], list[tuple[Any, ...]]]] = {
    "costs.bridge_figure": lambda study: [("previous_month",), ("year_before",)],
    "costs.composition_table": lambda study: [(dimension,) for dimension in study.composition],
    "retention_tenure.cohort_heatmap": lambda study: [("contractual",), ("non_contractual",)],
    "retention_tenure.survival_figure": lambda study: [("segment",), ("customer_type",), ("contract_kind",)],
    "value.slices_table": lambda study: [("tier", "customer_type", "segment", "kind"), ("region", "channel")],
    "value_effects.effect_figure": lambda study: [("repurchase",), ("retention",)],
    "quality.filled_file": lambda study: [("0" * 64,)],
}
# Parts of other exhibits, or fed by the records of other sections: tested where those are.
ELSEWHERE = {
    "failure_life.weibull_paper",
    "executive.checks_of_sections",
    "executive.findings_not_shown",
    "executive.findings_of_sections",
    "executive.tiles_of_sections",
    "quality.filled_evidence",
}


def public(module: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The exhibits a module defines, by ``module.function``."""
    loaded = importlib.import_module(f"analysis.exhibits.{module}")
    for name, function in inspect.getmembers(loaded, inspect.isfunction):
        if not name.startswith("_") and inspect.unwrap(function).__module__ == loaded.__name__:
            yield f"{module}.{name}", function


def needed(function: Callable[..., Any]) -> list[str]:
    return [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is parameter.empty
    ]


def test_no_public_exhibit_is_left_out():
    found = {
        name: function
        for modules in SECTIONS.values()
        for module in modules
        for name, function in public(module)
    }
    assert len(found) > 140
    calls = {name for name, function in found.items() if needed(function) == ["study"]} | set(ARGUMENTS)
    assert set(found) == calls | ELSEWHERE, "say in ARGUMENTS with what it is to be called"


def exhibits(section: str, study: Any) -> Iterator[Block]:
    for module in SECTIONS[section]:
        for name, function in public(module):
            if name not in ELSEWHERE:
                for arguments in ARGUMENTS.get(name, lambda study: [()])(study):
                    made = function(study, *arguments)
                    yield from flattened([made])


def listings(block: Block) -> Iterator[dict[str, Any]]:
    for part in (block.payload, block.payload.get("data") or {}):
        if "rows" in part:
            yield dict(part)


def doubts(block: Block) -> Iterator[str]:
    """What is wrong with the numbers of a block: of another thing than stated, or printed unlike the fact."""
    facts = {fact["id"]: fact for fact in block.payload["facts"]}
    yield from misplaced(block.payload, facts)
    for listing in listings(block):
        for row in listing["rows"]:
            for column, cell in zip(listing["columns"], row["cells"], strict=True):
                if cell["fact"] is None:
                    continue
                for language in LANGUAGES:
                    if not shows(cell["text"][language], facts[cell["fact"]], language):
                        yield f"{column['key']}: {cell['text'][language]} is not {cell['fact']}"
                if column["unit"]["en"] == "%" and " – " not in cell["text"]["en"]:
                    yield from _printed(column, cell, facts[cell["fact"]])


def _printed(column: dict[str, Any], cell: dict[str, Any], fact: dict[str, Any]) -> Iterator[str]:
    """A share is printed as the house prints shares; as many places as the cell has."""
    text = cell["text"]["en"]
    if fact["value"] is None or cell["sort"] != float(fact["value"]):
        return
    places = len(text.partition(".")[2])
    house = cell_text(
        fact["value"], Unit.parse(fact["unit"]), scale=ONE, places=places, signed=text[0] in "+−"
    )
    if house.lstrip("+") != text.lstrip("+"):
        yield f"{column['key']}: {text}, but the house prints {house}"


def unexplained(block: Block) -> Iterator[str]:
    """Blank cells of a table that nothing on the page gives a reason for."""
    said = "".join(piece["t"] for sentence in sentences(block.payload) for piece in sentence["en"]).casefold()
    if block.payload["kind"] == "table" and "blank" not in said:
        for number, row in enumerate(block.payload["rows"], start=1):
            left = [
                cell
                for column, cell in zip(block.payload["columns"], row["cells"], strict=True)
                if not column["key"].endswith("_right")
            ]
            # the shorter half of two; words alone: a heading over others, or what could not be computed and why
            named, filled = left[0]["text"]["en"], any(cell["text"]["en"] for cell in left[1:])
            if row["role"] != "body" or not (named and filled):
                continue
            for column, cell in zip(block.payload["columns"], row["cells"], strict=True):
                # an accounting total has no interval, which the reader's guide says; the right half may be the shorter
                exact = column["label"]["en"] == "Interval" or column["key"].endswith("_right")
                if not cell["text"]["en"] and not exact:
                    yield f"row {number}, column {column['key']}"
    if block.payload["kind"] == "table" and "n/a:" not in said:
        for number, row in enumerate(block.payload["rows"], start=1):
            yield from (f"row {number}: n/a" for cell in row["cells"] if cell["text"]["en"] == "n/a")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company") / "sample"
    make_sample(folder, seed=30_003, scale=0.1, blemishes=False)
    return folder


@pytest.fixture(scope="module")
def inputs(
    company: Path, inputs_in: Callable[..., StudyInputs], tmp_path_factory: pytest.TempPathFactory
) -> StudyInputs:
    return inputs_in(company, work=tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def studied(inputs: StudyInputs) -> Callable[[str], Any]:
    """The study of a section, made once."""
    return cache(lambda section: importlib.import_module(f"analysis.{section}").study(inputs))


def ungraded(inputs: StudyInputs, findings: Iterable[Finding]) -> Iterator[str]:
    """Findings whose severity is not the one that the printed rule gives them."""
    found = materiality(inputs)
    rule = materiality_check(found).sentence.plain()
    names = ("failure_least_effect", "failure_least_shape", "value_least_effect", "shop_least_effect")
    least = {name: float(inputs.assumptions.value(name, on=inputs.month.last_day)) for name in names}
    limit, trivial = float(found.limit.value or 0), float(found.trivial.value or 0)
    for finding in findings:
        yield from broken(finding, limit=limit, trivial=trivial, rule=rule, least=least)


@pytest.mark.slow
@pytest.mark.parametrize("section", SECTIONS)
def test_every_number_stands_in_its_place(section: str, studied: Callable[[str], Any]):
    study = studied(section)
    made = list(exhibits(section, study))
    assert len({block.id for block in made}) == len(made)
    assert {block.id: wrong for block in made if (wrong := list(doubts(block)))} == {}
    assert {block.id: lacking for block in made if (lacking := block.payload["untranslated"])} == {}
    assert {block.id: found for block in made if (found := list(unsure_of(block.payload)))} == {}
    said = {one.id: one.statement for one in study.findings} | {one.id: one.sentence for one in study.checks}
    assert {name: found for name, text in said.items() if (found := list(unsure_in(text)))} == {}
    tables = [block for block in made if block.payload["kind"] == "table"]
    assert {block.id: alone for block in tables if (alone := unsure_cells(block.payload))} == {}
    assert {block.id: blanks for block in made if (blanks := list(unexplained(block)))} == {}
    declared = sum(
        "metric" in column for block in made for part in listings(block) for column in part["columns"]
    )
    assert declared > 0


@pytest.mark.slow
@pytest.mark.parametrize("section", SECTIONS)
def test_every_finding_is_as_grave_as_the_printed_rule_has_it(
    section: str, inputs: StudyInputs, studied: Callable[[str], Any]
):
    assert list(ungraded(inputs, studied(section).findings)) == []


@pytest.mark.slow
def test_the_findings_of_the_summary_stand_in_the_printed_order(studied: Callable[[str], Any]):
    """Alerts first, then the money that each sentence states, for a year; then what has none, by section."""
    order = [section.id for section in REPORTED]
    findings = {section: studied(section).findings for section in order}
    recorded = {section: [one.as_json() for one in found] for section, found in findings.items()}
    shown = in_one_order(recorded)
    assert {one["section"] for one in shown} >= {"costs", "failures", "retention", "value"}
    places = []
    for entry in shown:
        one = next(one for one in findings[entry["section"]] if one.as_json() == entry)
        grounds_and_money = read_of(one)
        assert grounds_and_money is not None
        money = grounds_and_money[1](one) if one.stake else None
        yearly = 0.0 if money is None or one.stake is None else nearest(money) / max(1, one.stake.months / 12)
        where = order.index(entry["section"]) if money is None else 0
        places.append((SEVERITIES.index(one.severity), money is None, -round(yearly, 6), where))
    assert places == sorted(places) and len({place[:2] for place in places}) == 4


def test_an_estimate_of_a_table_stands_with_its_interval_in_its_row():
    def cell(id: str, text: str) -> dict[str, Any]:
        return {"fact": id, "text": {"en": text}}

    facts = [
        {
            "id": "rate",
            "metric": "churn",
            "unit": "score",
            "value": 14.5,
            "interval": {"low": 10.6, "high": 18.4},
        },
        {"id": "cost", "metric": "paid", "value": 100, "interval": None},
    ]
    columns = [{"key": key} for key in ("rate", "range", "cost")]
    rate, cost = cell("rate", "14.5"), cell("cost", "100")

    def alone(*cells: dict[str, Any] | None) -> set[str]:
        return unsure_cells({"facts": facts, "columns": columns, "rows": [{"cells": cells}]})

    assert alone(rate, cell("rate", "10.6 – 18.4"), cost) == set()
    assert alone(rate, None, cost) == {"rate"}
    assert alone(cell("rate", "14.5 (10.6 – 18.4)"), None, cost) == set()
    assert alone(cell("rate", "14.5% (10.6% to 18.4%)"), None, cost) == set()
    assert alone(cell("rate", "−14.5 to"), None, cost) == {"rate"}
    # the interval of another number carries it only where that is said with its reason
    pair: dict[str, Any] = {"id": "ratio", "metric": "cause_rate_ratio", "unit": "ratio", "value": 3.3}
    pair["interval"] = {"low": 3.1, "high": 3.5}
    corrected = pair | {"id": "corrected", "metric": "cause_rate_ratio_corrected"}
    facts += [pair, corrected]
    assert alone(cell("ratio", "3.3 (3.1 – 3.5)"), cell("corrected", "3.3"), None) == set()
    assert alone(None, cell("corrected", "3.3"), None) == {"range"}
    # a bound that holds value and limits says all of it; one of two bounds does not
    sure = {
        "id": "sure",
        "metric": "m",
        "unit": "chance",
        "value": 1.0,
        "interval": {"low": 0.99, "high": 1.0},
    }
    facts += [sure, sure | {"id": "half", "interval": {"low": 0.9, "high": 1.0}}]
    assert alone(cell("sure", ">99"), None, None) == set()
    assert alone(cell("half", ">99"), None, None) == {"rate"}


def test_the_doubts_would_see_a_wrong_text_and_a_wrong_column():
    from analysis.exhibits.tables import table
    from analysis.exhibits.vocabulary import Row
    from analysis.locale import Text
    from analysis.results import Fact, Sentence

    share = Fact(metric="labour_share", period="2026-10", unit="share", value=0.25)
    block = table(
        "costs.x",
        title=Sentence("Method"),
        columns=[Column(key="share", label=Text.of("Share"), metric=("labour_share",))],
        rows=[Row(cells={"share": share})],
    )
    assert list(doubts(block)) == []
    block.payload["rows"][0]["cells"][0]["text"]["en"] = "26.0"
    assert any("26.0" in doubt for doubt in doubts(block))
    block.payload["columns"][0]["metric"] = ["automation_rate"]
    assert any("is no automation_rate" in doubt for doubt in doubts(block))


def estimate(metric: str, value: float) -> Fact:
    found = Interval(low=value - 0.05, high=value + 0.05, level=0.95, method="test")
    return Fact(metric=metric, period="2026-10", unit="share", value=value, interval=found, n=100)


def test_the_doubts_would_see_an_estimate_without_its_interval():
    left, matched = estimate("loss_rate_after_repair", 0.25), estimate("matched_loss_rate", 0.15)
    gap = estimate("matched_loss_difference", 0.1)
    bare = Sentence("{left} left", {"left": left})
    assert len(list(unsure_in(bare))) == len(LANGUAGES)
    assert list(unsure_in(Sentence("{left} left ({left:interval})", {"left": left}))) == []
    assert list(unsure_in(Sentence("{left}{left:doubt} left", {"left": left}))) == []
    assert list(unsure_in(Sentence("Of {left:n} some left", {"left": left}))) == []
    # the interval of the difference carries both of its sides, one without an interval does not
    pair = {"left": left, "matched": matched, "gap": gap}
    assert list(unsure_in(Sentence("{left} and {matched}: {gap} ({gap:interval})", pair))) == []
    assert len(list(unsure_in(Sentence("{left} and {matched}: {gap}", pair)))) == 3 * len(LANGUAGES)


def test_every_estimate_that_is_carried_is_one_of_the_registry():
    from analysis.metrics import Registry

    known = Registry.load()
    for metric, (carrier, why) in CARRIED.items():
        assert known[metric].id and known[carrier].id and why


def test_the_doubts_would_see_an_unexplained_blank():
    from analysis.exhibits.tables import table
    from analysis.exhibits.vocabulary import Row
    from analysis.locale import Text

    def block(subtitle: str) -> Block:
        columns = [Column(key=key, label=Text.same(key)) for key in ("a", "b", "c")]
        rows = [
            Row(cells={"a": "1", "b": "2", "c": "3"}),
            Row(cells={"a": "4", "c": "5"}),
            Row(cells={"a": "why"}),
            Row(cells={"a": "6", "b": "n/a", "c": "7"}),
        ]
        return table("x.y", title=Sentence("T"), subtitle=Sentence(subtitle), columns=columns, rows=rows)

    assert list(unexplained(block("all of it"))) == ["row 2, column b", "row 4: n/a"]
    assert list(unexplained(block("blank: nothing to count; n/a: counts none"))) == []
