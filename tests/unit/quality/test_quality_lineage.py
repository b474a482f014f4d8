"""Every figure of the section leads to rows that reproduce it, to facts, to files, to a model or to somebody's decision."""

from __future__ import annotations

import importlib
import math
import sys
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from analysis import executive, quality
from analysis.errors import ContractError, MissingData
from analysis.metrics import Engine, StudyInputs, facts_in
from analysis.report.trace_lineage import Walk
from analysis.results import OPERATIONS, Assumed, Derived, Estimated, Fact, Read, Rows
from analysis.sample import make_sample

Inputs = Callable[..., StudyInputs]


@pytest.fixture
def faulty(company: Path) -> Path:
    """The company with one fault of most kinds."""
    tickets = company / "tickets.csv"
    text = tickets.read_text(encoding="utf-8").replace("2026-09-03T02:00:00", "2026-08-03T02:00:00")
    lines = text.replace("T6,C1,P1,repair", "T6,C1,P1,consultation").replace("0.5,closed", "half,closed")
    rows = lines.splitlines()
    rows += [rows[1], "T7,C9,P1,repair,2026-10-08T02:00:00,,false,1.0,open,false,"]
    rows += ["T8,C9,P1,repair,2026-10-08T02:10:00,,false,1.0,open,false,"]
    rows += ["T9,C1,P1,repair,2027-01-08T02:00:00,,false,1.0,open,false,"]
    tickets.write_text("\n".join(rows) + "\n", encoding="utf-8")
    ledger = company / "ledger.csv"
    text = ledger.read_text(encoding="utf-8")
    ledger.write_text(text + "L10,2026-07-05,parts,1.00,,CC1,6601.02.01,incurred,\n", encoding="utf-8")
    return company


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return math.isclose(float(one), float(other), rel_tol=1e-9)
    return Decimal(str(one)) == Decimal(str(other))


def doubts(fact: Fact, engine: Engine) -> list[str]:
    """What a fact's lineage does not bear out."""
    follows = fact.lineage
    wrong = [] if fact.sources and set(fact.sources) <= known(follows, engine) else [f"{fact.sources}"]
    if isinstance(follows, Rows) and fact.value is not None:
        for sql, aggregate, stated in (
            (follows.numerator, follows.value, fact.value if fact.numerator is None else fact.numerator),
            (follows.denominator, follows.of, fact.denominator),
        ):
            if sql:
                value = engine.rows(f"SELECT {aggregate} AS value FROM ({sql}) AS traced")["value"].iloc[0]
                wrong += [] if same(value, stated) else [f"{aggregate} over {sql} is {value}, not {stated}"]
    elif isinstance(follows, Derived) and fact.value is not None:
        value = OPERATIONS[follows.operation]([parent.value or 0 for parent in follows.parents])
        wrong += [] if same(value, fact.value) else [f"{follows.operation} is {value}, not {fact.value}"]
    elif isinstance(follows, Estimated):
        module, _, name = follows.function.rpartition(".")
        assert callable(getattr(importlib.import_module(module), name)) and follows.queries
    elif isinstance(follows, Assumed):
        wrong += [] if follows.source.startswith("params/") and follows.name else ["decided nowhere"]
    elif isinstance(follows, Read):
        wrong += [] if follows.files and follows.outcome else ["no file"]
    elif follows is None:
        wrong += ["no lineage"]
    return [f"{fact.id}: {what}" for what in wrong]


def known(follows: object, engine: Engine) -> set[str]:
    if isinstance(follows, Assumed):
        return {follows.source}
    return (
        set(follows.files) if isinstance(follows, Read) and not follows.table else set(engine.tables.tables)
    )


def whole(found: dict[str, Fact]) -> dict[str, Fact]:
    """Facts and those they follow from."""
    for fact in list(found.values()):
        for parent in fact.parents:
            if parent.id not in found:
                found |= whole({parent.id: parent}) | {parent.id: parent}
    return found


def test_every_figure_of_a_faulty_company_follows_from_what_it_names(faulty: Path, inputs_of: Inputs):
    inputs = inputs_of(faulty)
    facts = whole(facts_in(quality.study(inputs)))
    assert [doubt for fact in facts.values() for doubt in doubts(fact, inputs.engine)] == []
    faults: Counter[str] = Counter()
    for fact in facts.values():
        if fact.metric == "faulty_rows":
            faults[fact.dimensions["fault"]] += int(fact.value or 0)
    # counted by hand in the file: each kind of fault has its rows
    expected = {"time_order": 1, "references": 2, "keys": 1, "not_allowed": 1, "not_a_number": 1}
    assert {kind: faults[kind] for kind in expected} == expected
    assert faults["near_duplicate"] == 1 and faults["ahead"] == 1
    assert [fact.value for fact in facts.values() if fact.metric == "months_without_rows"] == [1]
    kinds = Counter(fact.lineage.kind for fact in facts.values() if fact.lineage)
    print(dict(kinds))
    assert set(kinds) == {"rows", "derived", "assumed", "read"}


def test_every_figure_of_the_sample_follows_from_what_it_names(tmp_path: Path, inputs_of: Inputs):
    make_sample(tmp_path / "sample", seed=9, scale=0.05)
    inputs = inputs_of(tmp_path / "sample")
    facts = whole(facts_in(quality.study(inputs)) | facts_in(executive.study(inputs)))
    assert [doubt for fact in facts.values() for doubt in doubts(fact, inputs.engine)] == []
    print(Counter(fact.lineage.kind for fact in facts.values() if fact.lineage))
    estimated = {fact.metric for fact in facts.values() if isinstance(fact.lineage, Estimated)}
    assert estimated <= {"expected_level", "rows_to_come", "events_difference", "saved_per_event"}


def test_a_number_counted_while_reading_is_walked_back_to_its_file(faulty: Path, inputs_of: Inputs):
    inputs = inputs_of(faulty)
    file = next(file for file in quality.study(inputs).files if file.table == "tickets")
    assert file.rows["read"].as_json()["lineage"] == {
        "kind": "read",
        "table": "tickets",
        "files": {"tickets.csv": file.sha256},
        "outcome": "read",
    }
    aside = file.rows["quarantined"]
    assert isinstance(aside.lineage, Rows) and aside.sources == ("tickets",)
    # another engine, as trace opens one, lists what was set aside by the query alone
    fresh = inputs_of(faulty).engine
    run = SimpleNamespace(inputs=SimpleNamespace(engine=fresh))
    walk = Walk(pack=SimpleNamespace(facts={}, tables={}, queries={}), prepare=lambda: run)
    assert walk.ready(aside.lineage.numerator)
    assert fresh.rows(aside.lineage.numerator)["row_number"].tolist() == [6]


def test_a_part_that_lacks_its_data_is_a_check_and_a_broken_table_is_raised(
    company: Path, inputs_of: Inputs, monkeypatch: pytest.MonkeyPatch
):
    (company / "gl_totals.csv").unlink()
    inputs = inputs_of(company)
    study = quality.study(inputs)
    (check,) = (check for check in study.checks if check.id == "not_tested.controls")
    assert "control totals of the general ledger; needs gl_totals" in check.sentence.plain()
    assert not study.controls and check.outcome == "info"

    def broken(*args: object) -> None:
        raise ContractError("ledger: broken")

    # the package's name for it is the study itself
    module = sys.modules["analysis.quality.study"]
    for part in ("control_totals", "near_duplicates", "histories", "arrivals"):
        with monkeypatch.context() as patched:
            patched.setattr(module, part, broken)
            with pytest.raises(ContractError, match="ledger: broken"):
                quality.study(inputs)

    def absent(*args: object) -> None:
        raise MissingData("tickets.text")

    monkeypatch.setattr(module, "near_duplicates", absent)
    assert "not_tested.near" in {check.id for check in quality.study(inputs).checks}
