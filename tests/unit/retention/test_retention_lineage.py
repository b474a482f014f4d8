"""The whole study on a tenth of the sample company: every number follows from what it says, and stands where the exhibits say."""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from analysis import retention
from analysis.errors import ContractError, MissingData
from analysis.exhibits import retention as exhibits
from analysis.exhibits import retention_risk as risk
from analysis.exhibits import retention_service as service
from analysis.exhibits import retention_tenure as tenure
from analysis.exhibits.record import Block
from analysis.exhibits.shape import references
from analysis.locale import LANGUAGES
from analysis.metrics import NotDone, StudyInputs, facts_in
from analysis.metrics.engine import Engine
from analysis.report.shown import shows
from analysis.results import OPERATIONS, Assumed, Derived, Estimated, Fact, Rows
from analysis.retention import RetentionStudy, study
from analysis.retention.chain import Chain
from analysis.retention.components_facts import MOVEMENTS, ChurnMovement
from analysis.retention.drivers import TESTED
from analysis.retention.matching_facts import AfterService
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


# -- exhibits ------------------------------------------------------------------------------------------------------------

Wanted = list[dict[str, Fact | None]]


def _after_service(lines: Sequence[AfterService]) -> Wanted:
    return [
        {"n": one.served, "served": one.served, "matched": one.matched, "difference": one.difference}
        for one in lines
    ]


def _bases(study: Any, of: Callable[[ChurnMovement], Fact]) -> dict[str, Fact]:
    return {
        f"{part.basis}{tail}": of(moved)
        for part in (study.contractual, study.non_contractual)
        for tail, moved in (("", part.year), ("_month", part.month))
    }


# What each table must hold, by row and column: the facts of the study, found another way than the exhibit finds them.
TABLES: dict[str, tuple[Callable[[Any], Block | None], Callable[[Any], Wanted]]] = {
    "components_table": (
        exhibits.components_table,
        lambda study: [_bases(study, lambda moved, name=name: moved.counts[name]) for name in MOVEMENTS],
    ),
    "rates_table": (
        exhibits.rates_table,
        lambda study: [
            _bases(study, lambda moved: moved.gross_churn),
            {"non_contractual": study.model_churn},
            *(
                _bases(study, lambda moved, name=name: getattr(moved, name))
                for name in ("retention", "net_loss", "popular_retention")
            ),
        ],
    ),
    "by_type_table": (
        exhibits.by_type_table,
        lambda study: [
            {
                "start": moved.counts["start"],
                "lost": moved.counts["lost"],
                "churn": moved.gross_churn,
                "value": value,
            }
            for part, worth in ((study.contractual, study.revenue[1:]), (study.non_contractual, (None, None)))
            for moved, value in zip(part.by_type, (one and one.start for one in worth), strict=True)
        ],
    ),
    "largest_accounts_table": (
        risk.largest_accounts_table,
        lambda study: [
            {
                "before": one.before if one.before.value else None,
                "value": one.value if one.value.value else None,
                "chance": one.chance,
            }
            for one in study.accounts.largest
        ],
    ),
    "due_table": (
        risk.due_table,
        lambda study: [
            {"value": one.value, "chance": one.chance, "risk": one.at_risk} for one in study.accounts.due
        ],
    ),
    "cohort_table": (
        tenure.cohort_table,
        lambda study: [
            {"size": one.size, "rate": one.rate, "gap": one.gap, **one.per_customer}
            for part, rows in (
                (study.purchase_cohorts, slice(-3, None)),
                (study.product_cohorts, slice(3)),
                (study.service_cohorts, slice(-3, None)),
            )
            for one in part.lines[rows]
        ],
    ),
    "effects_table": (
        tenure.effects_table,
        lambda study: [
            {"deviance": one.deviance, "degrees": one.deviance, "p_value": one.p_value}
            for one in study.effects
        ],
    ),
    "survival_table": (
        tenure.survival_table,
        lambda study: [
            {"mean": one.mean, "difference": one.difference}
            | {f"risk{age}": fact for age, fact in one.at_risk}
            for groups in study.survival.by.values()
            for one in groups
        ],
    ),
    "differences_table": (
        service.differences_table,
        lambda study: [
            {"ratio": study.drivers.ratios[what, model], "difference": study.drivers.differences[what]}
            for what, model in TESTED
            if study.drivers.ratios[what, model].value is not None
        ],
    ),
    "leaving_table": (service.leaving_table, lambda study: _after_service(study.loss_after_repair)),
    "repurchase_table": (
        service.repurchase_table,
        lambda study: _after_service(
            [
                one
                for one in study.repurchase
                if one.window == study.repurchase[0].window or one.severity == "all"
            ]
        ),
    ),
    "score_table": (
        risk.score_table,
        lambda study: [
            {"value": getattr(study.early_warning, name)}
            for name in (
                "precision",
                "base_rate",
                "lift",
                "auc",
                "expected_losses",
                "margin",
                "margin_called",
            )
        ],
    ),
    "rounds_table": (
        risk.rounds_table,
        lambda study: [
            {
                "expected": one.expected,
                "lost": one.lost,
                "auc": one.auc,
                "precision": one.precision,
                "base": one.base_rate,
            }
            for one in study.early_warning.rounds
        ],
    ),
    "calls_table": (
        risk.calls_table,
        lambda study: [
            {"chance": one.chance, "margin": one.margin} for one in study.early_warning.first_calls
        ],
    ),
}
# What each chart or row of tiles must show.
DRAWN: dict[str, tuple[Callable[[Any], Block | None], Callable[[Any], Iterable[Fact]]]] = {
    "headline_tiles": (
        exhibits.headline_tiles,
        lambda study: (
            study.contractual.year.gross_churn,
            study.non_contractual.year.gross_churn,
            study.revenue[0].gross,
            study.early_warning.expected_losses,
        ),
    ),
    "churn_history_figure": (
        exhibits.churn_history_figure,
        lambda study: [fact for _, fact in study.contractual.history],
    ),
    "reasons_figure": (exhibits.reasons_figure, lambda study: [fact for _, _, fact in study.reasons[0]]),
    "accounts_tiles": (
        risk.accounts_tiles,
        lambda study: (study.accounts.number, study.accounts.ten_share, study.accounts.due_number),
    ),
    "renewals_figure": (risk.renewals_figure, lambda study: [value for *_, value in study.renewals]),
    "calibration_figure": (risk.calibration_figure, lambda study: study.early_warning.observed[1::2]),
    "cohort_heatmap": (
        lambda study: tenure.cohort_heatmap(study, "non_contractual"),
        lambda study: [fact for (_, age), fact in study.purchase_cohorts.cells.items() if age],
    ),
    "cohort_curves": (
        tenure.cohort_curves,
        lambda study: [study.contract_cohorts.cells[next(iter(study.contract_cohorts.sizes)), 0]],
    ),
    "survival_figure": (
        lambda study: tenure.survival_figure(study, "segment"),
        lambda study: [
            fact for one in study.survival.by["segment"] for _, fact in one.points if fact.value is not None
        ],
    ),
    "incidence_figure": (
        tenure.incidence_figure,
        lambda study: [fact for _, _, points in study.survival.incidence[:4] for _, fact in points],
    ),
    "drivers_figure": (
        service.drivers_figure,
        lambda study: [study.drivers.ratios["slow", "total"], study.drivers.ratios["slow", "naive"]],
    ),
    "chain_figure": (service.chain_figure, lambda study: [link.strength for link in study.chain.links]),
}


def test_every_exhibit_is_held_to_its_values():
    public = {
        name
        for module in (exhibits, tenure, service, risk)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }
    assert public == set(TABLES) | set(DRAWN)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_holds_what_the_study_found(tenth: tuple[StudyInputs, RetentionStudy], name: str):
    _, study = tenth
    show, wanted = TABLES[name]
    block = show(study)
    assert block is not None and block.payload["kind"] == "table" and not block.payload["untranslated"]
    rows = [row for row in block.payload["rows"] if row["role"] != "group"]
    lines = wanted(study)
    assert lines and len(rows) == len(lines)
    facts, keys = (
        {fact["id"]: fact for fact in block.payload["facts"]},
        [column["key"] for column in block.payload["columns"]],
    )
    for row, line in zip(rows, lines, strict=True):
        cells = dict(zip(keys, row["cells"], strict=True))
        for key, fact in line.items():
            assert cells[key]["fact"] == (fact.id if fact else None), key
        for key, cell in cells.items():
            for language in LANGUAGES if cell["fact"] else ():
                assert shows(cell["text"][language], facts[cell["fact"]], language), (key, cell["text"])


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_shows_what_the_study_found(tenth: tuple[StudyInputs, RetentionStudy], name: str):
    _, study = tenth
    show, wanted = DRAWN[name]
    block = show(study)
    assert (
        block is not None
        and block.payload["kind"] in ("figure", "tiles")
        and not block.payload["untranslated"]
    )
    facts = {fact.id for fact in wanted(study)}
    assert facts and facts <= set(references(block.payload.get("data") or block.payload["tiles"]))


@pytest.mark.parametrize("name", [*TABLES, *DRAWN])
def test_an_exhibit_without_its_part_says_why_or_is_left_out(contractless: RetentionStudy, name: str):
    show, _ = (TABLES | DRAWN)[name]
    block = show(contractless)
    if block is None or block.payload["kind"] != "callout":
        return
    if name == "cohort_heatmap":
        # its part is made: no cohort is old enough
        assert block.payload["body"] is None
        return
    said = "".join(segment["t"] for segment in block.payload["body"]["zh"])
    assert isinstance(contractless.chain, Chain)
    parts = [
        part
        for part in (*vars(contractless).values(), *contractless.chain.not_tested.values())
        if isinstance(part, NotDone)
    ]
    reasons, needs = {part.reason.zh for part in parts}, {", ".join(part.needs) for part in parts}
    assert any(reason in said for reason in reasons | needs - {""})


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
