"""Every number of the value study is walked back: rows are counted again, derived facts computed again, estimates name what they read."""

from __future__ import annotations

import importlib
import math
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from functools import reduce
from typing import Any

import pandas as pd
import pytest

from analysis import value
from analysis.errors import ContractError, MissingData
from analysis.metrics import Engine, NotDone, StudyInputs, facts_in
from analysis.metrics.backend import table_names
from analysis.results import OPERATIONS, Assumed, Derived, Estimated, Fact, Rows
from analysis.value.effect_results import ServiceEffects
from analysis.value.results import ValueStudy
from analysis.value.scenarios import WhatIfs


@pytest.fixture(scope="module")
def inputs(sampled: StudyInputs) -> StudyInputs:
    return sampled


@pytest.fixture(scope="module")
def study(studied: ValueStudy) -> ValueStudy:
    return studied


@pytest.fixture(scope="module")
def facts(study: ValueStudy) -> dict[str, Fact]:
    assert isinstance(study.effects, ServiceEffects) and isinstance(study.what_ifs, WhatIfs)
    in_frames = (one.groups for one in study.effects.effects if "fact" in one.groups)
    found = facts_in(study) | {fact.id: fact for frame in in_frames for fact in frame["fact"]}
    for fact in list(found.values()):
        found |= {parent.id: parent for parent in fact.parents}
    return found


def of_kind(facts: Mapping[str, Fact], kind: type[Any]) -> list[tuple[Fact, Any]]:
    return [(fact, fact.lineage) for fact in facts.values() if isinstance(fact.lineage, kind)]


def computed(engine: Engine, value: str, sql: str) -> Any:
    return engine.query(f"SELECT {value} AS found FROM ({sql}) AS listed")["found"].iloc[0]


def equal(found: Any, stated: Any) -> bool:
    """Nothing listed is nothing stated."""
    nothing = found is None or found != found or not found
    if nothing or stated is None:
        return nothing and not stated
    return math.isclose(float(found), float(stated), rel_tol=1e-9, abs_tol=1e-9)


def test_every_number_says_what_it_follows_from(facts: dict[str, Fact]):
    kinds = Counter(fact.lineage.kind if fact.lineage else "nothing" for fact in facts.values())
    print({kind: f"{count / len(facts):.0%}" for kind, count in kinds.items()})
    assert set(kinds) == {"rows", "derived", "estimated", "assumed"}
    assert not [fact.id for fact in facts.values() if not fact.sources and fact.value is not None]


def test_rows_listed_are_the_rows_counted(inputs: StudyInputs, facts: dict[str, Fact]):
    counted = of_kind(facts, Rows)
    assert {"value_customers", "repurchase_rate", "renewal_rate", "holdout_purchases", "service_cases"} <= {
        fact.metric for fact, _ in counted
    }
    wrong = []
    for fact, rows in counted:
        stated = fact.numerator if fact.numerator is not None else fact.value
        if fact.value is None and not rows.denominator:
            continue
        good = equal(computed(inputs.engine, rows.value, rows.numerator), stated)
        if rows.denominator:
            good = good and equal(computed(inputs.engine, rows.of, rows.denominator), fact.denominator)
        if not good:
            wrong.append(fact.id)
    assert not wrong


def test_rows_can_be_listed_without_a_model(inputs: StudyInputs, facts: dict[str, Fact]):
    """No listed row stands on a table that a model lent the engine: that could not be made again from SQL."""
    engine = inputs.engine
    for fact, rows in of_kind(facts, Rows):
        for sql in rows.queries:
            read = {name for text in (sql, *engine.made_tables(sql).values()) for name in table_names(text)}
            assert not read & set(engine._lent), fact.id


def test_derived_numbers_are_computed_from_their_parents(facts: dict[str, Fact]):
    derived = of_kind(facts, Derived)
    assert {
        "mean_customer_value",
        "break_even_share",
        "what_if_npv",
        "value_change_by_customers",
        "budget_last",
    } <= {fact.metric for fact, _ in derived}
    for fact, follows in derived:
        if fact.value is None:  # what a parent lacks, it lacks
            assert [parent for parent in follows.parents if parent.value is None], fact.id
            continue
        found = OPERATIONS[follows.operation]([parent.value for parent in follows.parents])
        if isinstance(found, Decimal) and isinstance(fact.value, Decimal):
            assert found == fact.value, fact.id
        else:
            assert math.isclose(float(found), float(fact.value or 0), rel_tol=1e-9, abs_tol=1e-12), fact.id


def test_estimates_name_their_function_and_what_it_read(facts: dict[str, Fact]):
    for fact, estimate in of_kind(facts, Estimated):
        package, _, name = estimate.function.rpartition(".")
        assert callable(reduce(getattr, [name], importlib.import_module(package))), fact.id
        assert estimate.queries, fact.id
        # the value of a customer follows from some fifteen queries; nothing needs all of the study's
        assert fact.value is None or len(estimate.queries) <= 60, (fact.id, len(estimate.queries))


def test_assumptions_stand_in_params(facts: dict[str, Fact]):
    import yaml

    from analysis.params import project_root

    for fact, assumed in of_kind(facts, Assumed):
        entry = yaml.safe_load((project_root() / assumed.source).read_text(encoding="utf-8"))
        for part in assumed.name.split("."):
            entry = entry[part]
        if fact.metric not in ("value_discount_rate", "value_horizon") and not isinstance(entry, dict):
            assert float(entry) == float(fact.value or 0), fact.id


def test_what_alarms_has_its_rows(study: ValueStudy):
    grave = [finding for finding in study.findings if finding.severity in ("alert", "watch")]
    assert grave
    for finding in grave:
        assert isinstance(finding.evidence, pd.DataFrame) and len(finding.evidence), finding.id


def refuse(monkeypatch: pytest.MonkeyPatch, error: Exception, *parts: str) -> None:
    def refused(*_: object, **__: object) -> None:
        raise error

    # by its path the package's own ``study`` is the study, not its module
    module = importlib.import_module("analysis.value.study")
    for part in parts:
        monkeypatch.setattr(module, part, refused)


def test_absent_data_switch_parts_off_and_are_said(inputs: StudyInputs, monkeypatch: pytest.MonkeyPatch):
    refuse(
        monkeypatch, MissingData("marketing_spend.amount"), "modelling", "acquisition", "investment", "moves"
    )
    monkeypatch.setattr("analysis.value.effects.load_treatments", lambda: ())
    found = value.study(inputs)
    said = {check.id: check for check in found.checks}
    for part in ("modelling", "acquisition", "investment"):
        assert isinstance(getattr(found, part), NotDone)
        check = said[f"not_tested.{part}"]
        assert check.outcome == "info" and "marketing_spend.amount" in check.sentence.plain("en")


@pytest.mark.parametrize("part", ["portfolio", "investment"])
def test_a_broken_ledger_is_raised(part: str, inputs: StudyInputs, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analysis.value.effects.load_treatments", lambda: ())
    refuse(monkeypatch, MissingData("orders.ordered_at"), "moves", "modelling", "acquisition")
    refuse(monkeypatch, ContractError("the ledger is broken"), part)
    with pytest.raises(ContractError):
        value.study(inputs)
