"""Every number of the study follows from what it says: rows are counted again, operations done again, functions found."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from analysis import retention
from analysis.errors import ContractError, MissingData
from analysis.metrics import NotDone, StudyInputs, facts_in
from analysis.metrics.engine import Engine
from analysis.results import OPERATIONS, Assumed, Derived, Estimated, Fact, Rows
from analysis.retention import RetentionStudy, study
from analysis.retention.spells import year_of

Inputs = Callable[..., StudyInputs]


def same(one: object, other: object) -> bool:
    if isinstance(one, Decimal) and isinstance(other, Decimal) and one == other:
        return True
    return math.isclose(float(one or 0), float(other or 0), rel_tol=1e-9, abs_tol=1e-12)  # type: ignore[arg-type]


def with_parents(facts: dict[str, Fact]) -> dict[str, Fact]:
    every, waiting = dict(facts), list(facts.values())
    while waiting:
        for parent in waiting.pop().parents:
            if parent.id not in every:
                every[parent.id] = parent
                waiting.append(parent)
    return every


def counted(engine: Engine, rows: str, value: str) -> object:
    return engine.query(f"SELECT {value} AS value FROM ({rows}) AS listed")["value"].iloc[0]


def recomputed(engine: Engine, rows: Rows) -> tuple[object, object | None]:
    top = counted(engine, rows.numerator, rows.value)
    return top, counted(engine, rows.denominator, rows.of) if rows.denominator else None


def drawn(facts: dict[str, Fact], most: int) -> dict[str, Fact]:
    """Facts of every metric and every set of dimensions, at most so many of each, the largest first: nobody lost is soon counted."""
    found: dict[tuple[str, ...], list[Fact]] = {}
    for fact in sorted(facts.values(), key=lambda fact: (-abs(float(fact.value or 0)), fact.id)):
        found.setdefault((fact.metric, type(fact.lineage).__name__, *sorted(fact.dimensions)), []).append(
            fact
        )
    return {fact.id: fact for alike in found.values() for fact in alike[:most]}


@pytest.mark.parametrize("most", [2, pytest.param(10_000, marks=pytest.mark.slow)])
def test_every_number_follows_from_what_it_says(tenth: tuple[StudyInputs, RetentionStudy], most: int):
    inputs, found = tenth
    engine = inputs.engine
    facts = with_parents(facts_in(found))
    assert len(facts) > 500
    for fact in facts.values():
        assert fact.lineage is not None, fact.id
        if not isinstance(fact.lineage, Assumed):
            assert set(fact.sources) <= set(engine.tables.tables), fact.id
            assert fact.sources, fact.id
    for fact in drawn(facts, most).values():
        if fact.value is None:
            continue
        match fact.lineage:
            case Rows() as rows:
                top, bottom = recomputed(engine, rows)
                if bottom is None:
                    assert same(top, fact.value), fact.id
                    continue
                assert same(float(top) / float(bottom) * rows.per, fact.value), fact.id  # type: ignore[arg-type]
                if fact.numerator is not None:
                    assert same(top, fact.numerator) and same(bottom, fact.denominator), fact.id
            case Derived(operation=operation, parents=parents):
                values = [parent.value for parent in parents]
                assert None not in values, fact.id
                assert same(OPERATIONS[operation](values), fact.value), fact.id  # type: ignore[arg-type]
            case Estimated(function=function, queries=queries):
                module, _, name = function.rpartition(".")
                assert queries and callable(getattr(importlib.import_module(module), name)), fact.id
            case Assumed(name=name):
                assert same(inputs.assumptions.value(name, on=inputs.month.last_day), fact.value)


def test_kinds_are_those_of_the_registry(tenth: tuple[StudyInputs, RetentionStudy]):
    inputs, found = tenth
    for fact in with_parents(facts_in(found)).values():
        entry = inputs.engine.registry[fact.metric]
        if entry.derived is not None:
            assert isinstance(fact.lineage, Derived) and fact.lineage.operation == entry.derived.operation
        assert bool(entry.assumption) == isinstance(fact.lineage, Assumed), fact.id


def test_the_lost_customers_behind_the_churn_rate_are_listed(tenth: tuple[StudyInputs, RetentionStudy]):
    inputs, found = tenth
    assert not isinstance(found.contractual, NotDone)
    churn = found.contractual.year.gross_churn
    assert isinstance(churn.lineage, Rows)
    listed = inputs.engine.rows(churn.lineage.numerator)
    assert len(listed) == listed["customer_id"].nunique() == churn.numerator == len(found.contractual.lost)
    assert listed["last_ends"].notna().all()


def test_no_query_of_a_fact_names_a_customer(tenth: tuple[StudyInputs, RetentionStudy]):
    inputs, found = tenth
    people = set(inputs.engine.query("SELECT customer_id FROM customers")["customer_id"])
    texts = {query for fact in facts_in(found).values() for query in fact.lineage_queries}
    words = {word for text in texts for word in text.split("'")[1::2]}
    assert not words & people


def test_every_alert_and_watch_has_evidence(tenth: tuple[StudyInputs, RetentionStudy]):
    _, found = tenth
    serious = [one for one in found.findings if one.severity in ("alert", "watch")]
    assert serious and all(one.evidence is not None and not one.evidence.empty for one in serious)


# -- parts that cannot be made -------------------------------------------------------------------------------------------


PARTS = {
    "contractual": "components_facts.contractual",
    "revenue": "revenue.revenue_retention",
    "repurchase": "matching_facts.repurchase",
    "loss_after_repair": "matching_facts.loss_after_repair",
}


@pytest.mark.parametrize("part", PARTS)
def test_what_is_absent_is_a_check_and_what_is_broken_is_raised(
    company: Path, inputs_of: Inputs, monkeypatch: pytest.MonkeyPatch, part: str
):
    def absent(*_: object) -> None:
        raise MissingData("contracts.amount")

    def broken(*_: object) -> None:
        raise ContractError("contracts: a term ends before it begins")

    inputs = inputs_of(company)
    monkeypatch.setattr(f"analysis.retention.{PARTS[part]}", absent)
    found = retention.study(inputs)
    assert isinstance(getattr(found, part), NotDone)
    check = next(one for one in found.checks if one.id == f"not_tested.{part}")
    assert "contracts.amount" in check.sentence.plain()
    monkeypatch.setattr(f"analysis.retention.{PARTS[part]}", broken)
    with pytest.raises(ContractError, match="ends before it begins"):
        retention.study(inputs)


def test_links_and_models_that_lack_data_are_checks(contractless: RetentionStudy):
    checks = {one.id for one in contractless.checks}
    assert {"not_tested.late_to_score", "not_tested.contacts_to_cost", "not_tested.drivers"} <= checks


def test_the_year_of_a_month_ends_with_it(company: Path, inputs_of: Inputs):
    assert str(year_of(inputs_of(company))) == "2025-11/2026-11"


def test_the_study_names_its_section():
    assert study.section == "retention"
