"""Every fact of the cost study leads back: rows give its number again, parents give it again, a model names its functions and reads."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from analysis import costs
from analysis.costs.cost_study import CostStudy
from analysis.errors import ContractError, MissingData
from analysis.metrics import NotDone, StudyInputs, facts_in
from analysis.results import OPERATIONS, Assumed, Derived, Estimated, Fact, Rows

Inputs = Callable[..., StudyInputs]


@pytest.fixture
def studied(small_inputs: StudyInputs, small_study: CostStudy) -> tuple[StudyInputs, dict[str, Fact]]:
    return small_inputs, dict(_with_parents(facts_in(small_study)))


def _with_parents(facts: dict[str, Fact]) -> Iterator[tuple[str, Fact]]:
    waiting, seen = list(facts.values()), set()
    while waiting:
        fact = waiting.pop()
        if fact.id not in seen:
            seen.add(fact.id)
            waiting.extend(fact.parents)
            yield fact.id, fact


def _aggregate(inputs: StudyInputs, value: str, sql: str) -> Any:
    found = inputs.engine.query(f"SELECT {value} AS value FROM ({sql})")["value"].iloc[0]
    return Decimal(0) if found is None or found != found else found


def _agree(found: Any, stated: Any) -> bool:
    if isinstance(found, Decimal) and isinstance(stated, Decimal):
        return found == stated
    return float(found) == pytest.approx(float(stated), rel=1e-9, abs=1e-9)


def _resolves(dotted: str) -> bool:
    parts = dotted.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for name in parts[cut:]:
            found = getattr(found, name)
        return callable(found)
    return False


def test_every_fact_of_the_study_leads_back(studied: tuple[StudyInputs, dict[str, Fact]]) -> None:
    inputs, facts = studied
    tables = set(inputs.engine.tables.tables)
    for fact in facts.values():
        follows = fact.lineage
        assert follows is not None, fact.id
        if isinstance(follows, Assumed):
            assert follows.name and fact.sources == (follows.source,), fact.id
            continue
        assert set(fact.sources) <= tables and (fact.value is None or fact.sources), fact.id
        if isinstance(follows, Estimated):
            assert _resolves(follows.function) and _resolves(follows.within), (fact.id, follows.function)
            assert follows.queries or fact.value is None, fact.id
        elif fact.value is not None and isinstance(follows, Derived):
            values = [parent.value for parent in follows.parents if parent.value is not None]
            assert len(values) == len(follows.parents), fact.id
            assert _agree(OPERATIONS[follows.operation](values), fact.value), fact.id
        elif fact.value is not None and isinstance(follows, Rows):
            _holds(inputs, fact, follows)
    print(Counter(type(fact.lineage).__name__ for fact in facts.values()))


def _holds(inputs: StudyInputs, fact: Fact, rows: Rows) -> None:
    """The listed rows, aggregated, are the numerator, the denominator and the number."""
    top = _aggregate(inputs, rows.value, rows.numerator)
    if not rows.denominator:
        assert _agree(top, fact.value), (fact.id, top, fact.value)
        return
    base = _aggregate(inputs, rows.of, rows.denominator)
    assert _agree(top, fact.numerator) and _agree(base, fact.denominator), fact.id
    assert float(top) * rows.per / float(base) == pytest.approx(float(fact.value or 0), rel=1e-9), fact.id


# -- refusals ----------------------------------------------------------------------------------------------------------------

PARTS = {
    "expense": "profit_and_loss",
    "allocated": "allocated_of",
    "capacity": "capacity_of",
    "outlook": "outlook_of",
    "sourcing": "sourcing_of",
    "provision": "provision_of",
    "profitability": "profitability_of",
    "bridge_previous_month": "bridge_against",
}
# parts that the study finds in its table of searches
SEARCHES = ("idle_teams", "price_steps", "surges", "rises")


def _refusing(error: Exception) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise error

    return refuse


def _module() -> Any:
    return importlib.import_module("analysis.costs.cost_study")


def _replace(patch: pytest.MonkeyPatch, part: str, error: Exception) -> None:
    if part in SEARCHES:
        patch.setitem(_module().SIGNALS, part, _refusing(error))
    else:
        patch.setattr(_module(), PARTS[part], _refusing(error))


@pytest.mark.parametrize("part", (*PARTS, *SEARCHES))
def test_absent_data_make_a_visible_check_and_a_broken_ledger_is_raised(
    company: Path, inputs_of: Inputs, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    inputs = inputs_of(company)
    _replace(monkeypatch, part, MissingData("ledger.moon"))
    study = costs.study(inputs)
    assert isinstance(getattr(study, part, NotDone), NotDone) or not hasattr(study, part)
    (check,) = [check for check in study.checks if check.id == f"not_tested.{part}"]
    assert check.outcome == "info" and "needs ledger.moon" in check.sentence.plain()
    _replace(monkeypatch, part, ContractError("the ledger is broken"))
    with pytest.raises(ContractError, match="the ledger is broken"):
        costs.study(inputs)


def test_findings_to_act_on_show_their_evidence(small_study: CostStudy) -> None:
    findings = small_study.findings
    for finding in findings:
        if finding.severity in ("alert", "watch"):
            assert finding.evidence is not None and len(finding.evidence), finding.id
    assert any(finding.severity in ("alert", "watch") for finding in findings)
