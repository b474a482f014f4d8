"""The whole study on the sample company, small: the planted truths are found, and absent tables are said."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from analysis import failures, sample
from analysis.errors import ContractError, MissingData
from analysis.exhibits import failures as exhibits
from analysis.failures import lives_facts, money, monitoring, ranking, words
from analysis.failures.field import Field
from analysis.failures.reporting_facts import ReportingTest
from analysis.failures.study import tested as found_by_tests
from analysis.metrics import StudyInputs
from analysis.metrics.registry import NOT_STATED
from analysis.metrics.study import facts_in
from analysis.results import Finding

Inputs = Callable[..., StudyInputs]
STATISTICAL = {
    "failures.excess",
    "failures.emerging",
    "failures.out_of_control",
    "failures.wear_out",
    "failures.early_life",
}


def of(study: failures.FailureStudy, name: str) -> list[Finding]:
    return [finding for finding in study.findings if finding.id == name]


def test_planted_truths_are_found_and_every_number_is_a_fact(planted_study: failures.FailureStudy):
    study = planted_study
    causes = {(tuple(c.cause.attributes.items()), c.cause.component) for c in study.causes}
    assert ((("supplier", "Qiming"),), "fan_motor") in causes
    supplier = next(c for c in study.causes if c.cause.attributes == {"supplier": "Qiming"})
    # all failures of these machines are 1.4 times as many, the excess in one component of about a sixth of them
    assert (
        supplier.ratio.interval is not None
        and supplier.ratio.interval.low > 2
        and supplier.ratio.interval.high < 5
    )
    assert (
        set(supplier.evidence["supplier"]) == {"Qiming"} and len(supplier.evidence) == supplier.failures.value
    )
    shapes = {life.component: life for life in study.lives or ()}
    assert shapes["compressor"].direction == "rising" and shapes["control_board"].direction == "falling"
    low, high = shapes["compressor"].shape.interval.low, shapes["compressor"].shape.interval.high  # type: ignore[union-attr]
    assert low - 0.1 < 2.2 < high + 0.1
    assert isinstance(study.reporting_test, ReportingTest)
    assert study.reporting_test.corrected.value < study.reporting_test.counted.value  # type: ignore[operator]
    assert of(study, "failures.leakage_duplicates") and of(study, "failures.leakage_out_of_warranty")
    assert study.money
    lines = sum(facts["total"].value for _, facts in study.money.by_component)  # type: ignore[misc]
    assert lines == study.money.total.value
    for _, facts in study.money.by_component:
        parts = [
            facts[name].value
            for name in ("parts", "logistics", "outsourcing", "compensation", "other", "recovered")
        ]
        assert sum(parts) == facts["total"].value  # type: ignore[arg-type]
    assert {attribute for attribute, _ in study.paretos} == {
        "component",
        "fault_code",
        "model",
        "batch",
        "supplier",
        "plant",
        "region",
    }
    excess = study.paretos["supplier", "excess"]
    assert excess.lines[0].name.en == "Qiming" and excess.lines[0].settled
    by_count = study.paretos["component", "count"]
    assert sum(line.fact.value for line in by_count.lines) == sum(
        line.fact.value for line in study.paretos["fault_code", "count"].lines
    )  # type: ignore[misc]
    assert study.words and any(
        "压缩机" in one.term for one in study.words.by_component if one.component.en == "Compressor"
    )
    assert study.words.new == ()
    for finding in study.findings:
        assert finding.statement.plain("zh") != finding.statement.plain("en")


def test_the_tests_alone_find_what_the_study_finds(
    planted_inputs: StudyInputs, planted_study: failures.FailureStudy
):
    found = {(one.id, one.severity, str(one.statement)) for one in found_by_tests(planted_inputs).findings}
    kinds = STATISTICAL | {"failures.fix"}
    assert found == {
        (one.id, one.severity, str(one.statement)) for one in planted_study.findings if one.id in kinds
    }
    supplier = next(c for c in planted_study.causes if c.cause.attributes == {"supplier": "Qiming"})
    first, last = supplier.begun
    assert planted_study.window.first <= first <= last <= planted_study.month


@pytest.fixture
def without_life_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison of life distributions takes half of a study; tests of other parts do without."""
    monkeypatch.setattr(lives_facts, "compared", lambda *_, **__: ((), {}))


@pytest.mark.usefixtures("without_life_models")
def test_absent_tables_are_said_and_the_rest_is_made(planted: Path, inputs_of: Inputs, tmp_path: Path):
    folder = tmp_path / "fewer"
    shutil.copytree(planted, folder)
    for name in ("claims", "parts_used", "provision", "shipment_plan"):
        (folder / f"{name}.parquet").unlink()
    study = failures.study(inputs_of(folder))
    said = {check.id: check.sentence.plain() for check in study.checks}
    for part, table in (
        ("leaks", "claims.approved"),
        ("recovery", "claims.approved"),
        ("due", "claims.approved"),
        ("parts", "parts_used.quantity"),
        ("provision", "provision.closing"),
        ("shipment_plan", "shipment_plan.quantity"),
    ):
        assert said[f"not_tested.{part}"].startswith("Not tested: ") and table in said[f"not_tested.{part}"]
    assert study.forecast and not study.forecast.with_plan
    assert study.forecast.provision.value is None and "provision" in study.forecast.provision.reason.en  # type: ignore[union-attr]
    assert study.causes


def test_the_claims_forecast_adds_up_to_the_study_and_its_draws_to_its_mean(
    planted_inputs: StudyInputs, planted_study: failures.FailureStudy
):
    inputs, study = planted_inputs, planted_study
    found = failures.claims_forecast(inputs)
    assert study.forecast
    assert found.rows["failures"].sum() == pytest.approx(
        float(study.forecast.under_warranty.value), rel=0.002
    )  # type: ignore[arg-type]
    assert found.draws.mean() == pytest.approx(found.rows["cost"].sum(), rel=0.02)
    assert (found.rows["low"] < found.rows["cost"]).all() and (found.rows["cost"] < found.rows["high"]).all()
    assert (
        failures.claims_forecast(inputs, with_plan=False).rows["failures"].sum()
        < found.rows["failures"].sum()
    )


def test_with_nothing_planted_nothing_is_found(tmp_path: Path, inputs_of: Inputs):
    folder = tmp_path / "quiet"
    sample.make_sample(folder, seed=11, scale=0.15, months=24, null=True)
    study = failures.study(inputs_of(folder))
    assert not [finding.id for finding in study.findings if finding.id in STATISTICAL]
    assert of(study, "failures.no_root_cause")


def test_without_units_failures_are_counted_not_rated(small: Path, inputs_of: Inputs, tmp_path: Path):
    folder = tmp_path / "no_units"
    shutil.copytree(small, folder)
    (folder / "units.parquet").unlink()
    gap = failures.study(inputs_of(folder))
    assert isinstance(gap, failures.NotRated) and "units.shipped_on" in gap.reason.needs
    (finding,) = gap.findings
    assert "counted, not rated" in finding.statement.plain()
    assert finding.evidence is not None and list(finding.evidence["missing"]) == list(gap.reason.needs)
    said = exhibits.rate_figure(gap)
    assert said is not None and said.id == "failures.no_rate_figure"
    assert exhibits.not_rated(gap) is not None


PARTS = {
    "recovery": (money, "recovery_by_supplier"),
    "cost": (money, "cost_by"),
    "words": (words, "texts"),
    "watch": (monitoring, "emerging"),
    "own_past_component": (ranking, "above_own_past"),
}


def refuse(error: Exception) -> Callable[..., None]:
    def refused(*_: object, **__: object) -> None:
        raise error

    return refused


@pytest.mark.usefixtures("without_life_models")
def test_parts_without_data_are_said(small_inputs: StudyInputs, monkeypatch: pytest.MonkeyPatch):
    for part, (module, function) in PARTS.items():
        monkeypatch.setattr(module, function, refuse(MissingData(f"{part}.amount")))
    checks = {check.id: check.sentence for check in failures.study(small_inputs).checks}
    for part in PARTS:
        assert checks[f"not_tested.{part}"].plain().endswith(f"; needs {part}.amount.")
        assert checks[f"not_tested.{part}"].plain("zh").startswith("未检验：")
    # what stands on the cost is not tested for the same reason
    assert checks["not_tested.money"].plain().endswith("; needs cost.amount.")


@pytest.mark.usefixtures("without_life_models")
@pytest.mark.parametrize("part", ["cost", "recovery"])
def test_a_broken_ledger_is_raised(part: str, small_inputs: StudyInputs, monkeypatch: pytest.MonkeyPatch):
    module, function = PARTS[part]
    monkeypatch.setattr(module, function, refuse(ContractError("the ledger does not add up")))
    with pytest.raises(ContractError):
        failures.study(small_inputs)


def test_every_alert_and_watch_has_its_evidence(planted_study: failures.FailureStudy):
    proven = [one for one in planted_study.findings if one.severity in ("alert", "watch")]
    assert len(proven) >= 4
    for one in proven:
        assert one.evidence is not None and len(one.evidence), one.id


def test_forecast_and_obligation_print_direct_and_full_cost_at_one_cost_per_failure(
    planted_study: failures.FailureStudy, planted_inputs: StudyInputs
):
    found, field = planted_study.forecast, Field.of(planted_inputs)
    assert found
    direct, full = money.prices(field), money.full_prices(field)
    assert isinstance(full, money.Prices)
    for cost, priced in ((found.cost, direct.all), (found.full_cost, full.all)):
        # the forecast is printed in whole failures, its cost at the mean before rounding
        assert float(cost.value) / float(found.total.value) == pytest.approx(priced.mean, rel=1e-3)
    assert float(found.full_warranty_cost.value) > float(found.warranty_cost.value)
    for whole, parts in (
        (found.obligation, [line.cost for line in found.obligations]),
        (found.full_obligation, [line.full for line in found.obligations]),
    ):
        assert float(whole.value) == pytest.approx(sum(float(part.value) for part in parts), abs=0.02)
        assert whole.interval.low < float(whole.value) < whole.interval.high
    # a cause's excess: the same hours at the same cost of an hour
    for one in planted_study.causes:
        assert one.labour and one.labour.rate.value == money.hour_rate(field).value
        hours = money.own_hours(field, money.where_of(one.cause)) * one.cause.excess / one.cause.actual
        direct_part = float(one.cost.value)
        assert float(one.labour.full.value) == pytest.approx(
            direct_part + hours * float(one.labour.rate.value), abs=0.05
        )


def test_a_dimension_of_the_machines_holds_values_of_the_machines(
    planted: Path, planted_study: failures.FailureStudy
):
    """What is fitted has a name of its own: a life distribution called a model would take the place of the machines' model."""
    told = {name: set[str]() for name in ("model", "supplier", "plant", "component", "batch")}
    for fact in facts_in(planted_study).values():
        for name in told.keys() & fact.dimensions.keys():
            told[name].add(fact.dimensions[name])
    tables = {"model": "products", "component": "tickets"}
    for name, values in told.items():
        (path,) = planted.glob(f"{tables.get(name, 'units')}.*")
        there = {str(value) for (value,) in duckdb.sql(f"SELECT DISTINCT {name} FROM '{path}'").fetchall()}
        assert values - {lives_facts.OTHER, "all", NOT_STATED} <= there, name
    assert told["model"] and told["component"]
