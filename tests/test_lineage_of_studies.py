"""Every number that a study publishes can be walked back: to rows that give it again, to facts, to a function, to an assumption."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import fields
from decimal import Decimal
from math import isclose
from typing import Any

import pytest

from analysis.metrics import StudyInputs, facts_in
from analysis.metrics.lineage import behind
from analysis.results import OPERATIONS, Assumed, Derived, Estimated, Fact, Read, Rows
from analysis.sample import make_sample
from analysis.workbook import prepare_run
from analysis.workbook.sections import SECTIONS

DRAWN = 60


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> StudyInputs:
    folder = tmp_path_factory.mktemp("company") / "company"
    make_sample(folder, seed=30_003, scale=0.1, blemishes=False)
    return prepare_run("sample", data=str(folder)).inputs


@pytest.fixture(scope="module")
def facts(inputs: StudyInputs) -> dict[str, dict[str, Fact]]:
    """By section; parents included."""
    found = {section.id: facts_in(section.load()(inputs)) for section in SECTIONS}
    for listed in found.values():
        for fact in list(listed.values()):
            listed |= {parent.id: parent for parent in above(fact)}
    return found


def above(fact: Fact) -> list[Fact]:
    return [found for parent in fact.parents for found in (parent, *above(parent))]


def same(one: Any, other: Any) -> bool:
    """To the cent where both are exact, else to nine digits."""
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return abs(one - other) < Decimal("1e-9") * max(1, abs(one))
    return isclose(float(one), float(other), rel_tol=1e-9, abs_tol=1e-9)


def drawn(facts: dict[str, dict[str, Fact]], *, seed: int) -> list[tuple[str, Fact]]:
    """Facts over all sections and all kinds of lineage that a section has, turn by turn."""
    rng = random.Random(seed)
    heaps: dict[tuple[str, str], list[Fact]] = {}
    for section, listed in facts.items():
        for _, fact in sorted(listed.items()):
            heaps.setdefault((section, fact.lineage.kind if fact.lineage else ""), []).append(fact)
    for heap in heaps.values():
        rng.shuffle(heap)
    found: list[tuple[str, Fact]] = []
    while len(found) < DRAWN and any(heaps.values()):
        found += [(section, heap.pop()) for (section, _), heap in sorted(heaps.items()) if heap]
    return found[:DRAWN]


def test_every_fact_has_its_lineage_and_its_tables(facts: dict[str, dict[str, Fact]]):
    everything = [fact for listed in facts.values() for fact in listed.values()]
    assert len(everything) > 3_000
    assert [fact.id for fact in everything if fact.lineage is None] == []
    assert [fact.id for fact in everything if not fact.sources] == []
    kinds = Counter(fact.lineage.kind for fact in everything if fact.lineage)
    print(dict(kinds))
    assert set(kinds) >= {"rows", "derived", "estimated", "assumed"}


def test_one_study_leaves_no_trace_in_what_the_next_is_given(
    inputs: StudyInputs, facts: dict[str, dict[str, Fact]]
):
    """All sections were made from the same inputs, one after another: none may owe its tables to another."""
    assert facts
    assert tuple(behind(inputs)) == ()
    assert not any(tuple(behind(getattr(inputs, field.name))) for field in fields(inputs))


def test_every_estimate_has_its_interval_and_its_n(inputs: StudyInputs, facts: dict[str, dict[str, Fact]]):
    everything = [fact for listed in facts.values() for fact in listed.values()]
    assert inputs.engine.registry.without_interval(everything) == []
    estimates = [fact for fact in everything if isinstance(fact.lineage, Estimated) and fact.interval]
    assert len(estimates) > 1_000
    # an interval is about its value: what lies outside it was computed apart from it
    outside = [
        fact.id
        for fact in estimates
        if fact.interval
        and not fact.interval.low - 0.01 <= float(fact.value or 0) <= fact.interval.high + 0.01
    ]
    assert outside == []


def test_every_derived_fact_is_the_operation_on_its_parents(facts: dict[str, dict[str, Fact]]):
    wrong = []
    for listed in facts.values():
        for fact in listed.values():
            if not isinstance(fact.lineage, Derived) or fact.value is None:
                continue
            parents = [parent.value for parent in fact.parents]
            if any(value is None for value in parents) or not same(
                OPERATIONS[fact.lineage.operation](parents), fact.value
            ):
                wrong.append(fact.id)
    assert wrong == []


def test_every_fact_is_in_the_unit_of_its_definition(inputs: StudyInputs, facts: dict[str, dict[str, Fact]]):
    """Or the definition says that it is in the unit of what it is compared with; then it never stands on a page itself."""
    registry, others = inputs.engine.registry, set()
    for listed in facts.values():
        for fact in listed.values():
            defined = registry[fact.metric].unit_in(inputs.currency)
            if (fact.unit == defined) == (defined == "as_compared"):
                others.add((fact.metric, defined, fact.unit))
    assert others == set()


def test_what_is_counted_from_rows_alone_is_defined_by_measures(
    inputs: StudyInputs, facts: dict[str, dict[str, Fact]]
):
    """A metric that functions make has at least one fact that no query of rows and no sum of such facts gives."""
    plain: dict[str, bool] = {}
    for listed in facts.values():
        for fact in listed.values():
            if inputs.engine.registry[fact.metric].function and fact.value is not None:
                counted = isinstance(fact.lineage, Rows | Derived)
                plain[fact.metric] = plain.get(fact.metric, True) and counted
    assert [metric for metric, counted in sorted(plain.items()) if counted] == []


def test_sixty_facts_drawn_by_seed_are_given_again(inputs: StudyInputs, facts: dict[str, dict[str, Fact]]):
    """Rows reproduce numerator and denominator; a model run again gives the value; tables are those the queries read."""
    engine, wrong = inputs.engine, []
    again: dict[str, dict[str, Fact]] = {}
    for section, fact in drawn(facts, seed=20_261_128):
        follows = fact.lineage
        if isinstance(follows, Assumed):
            expected: set[str] = {follows.source}
        elif isinstance(follows, Read):
            expected = {follows.table} if follows.table else set(fact.sources)
        else:
            assert follows is not None
            expected = {table for query in fact.lineage_queries for table in engine.tables_read(query)}
        if not isinstance(follows, Derived) and set(fact.sources) != expected:
            wrong.append(f"{fact.id}: says {fact.sources}, its queries read {sorted(expected)}")
        if isinstance(follows, Rows) and fact.value is not None:
            top = (
                engine.rows(f"SELECT {follows.value} AS value FROM ({follows.numerator})")["value"].iloc[0]
                or 0
            )
            below = 1
            if follows.denominator:
                counted = engine.rows(f"SELECT {follows.of} AS value FROM ({follows.denominator})")
                below = counted["value"].iloc[0]
                if fact.denominator is not None and not same(below, fact.denominator):
                    wrong.append(f"{fact.id}: rows give {below} below, stated {fact.denominator}")
            if fact.numerator is not None and not same(top, fact.numerator):
                wrong.append(f"{fact.id}: rows give {top}, stated {fact.numerator}")
            if fact.numerator is None:
                # money per something is published in whole cents
                given = float(top) * follows.per / float(below)
                if not same(given, fact.value) and abs(given - float(fact.value)) > 0.005:
                    wrong.append(f"{fact.id}: rows give {given}, stated {fact.value}")
        if isinstance(follows, Estimated):
            if section not in again:
                study = next(each for each in SECTIONS if each.id == section)
                again[section] = facts_in(study.load()(inputs))
            if fact.id in again[section] and again[section][fact.id].value != fact.value:
                wrong.append(f"{fact.id}: run again {again[section][fact.id].value}, stated {fact.value}")
    assert wrong == []
