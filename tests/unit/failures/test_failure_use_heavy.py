"""What is planted in the hirer of heavy machines, found by the study's own results: wear by hours, a dear service, services left out."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from estimates_shown import unsure_cells, unsure_in, unsure_of
from severity_rule import broken

from analysis.exhibits import failure_use
from analysis.exhibits.record import flattened
from analysis.exhibits.shape import misplaced
from analysis.failures import (
    checks,
    findings,
    missed_services_facts,
    money,
    services_facts,
    use,
    use_facts,
    use_lives,
)
from analysis.failures.baseline import Baseline
from analysis.failures.error_rates import ErrorRates
from analysis.failures.field import Field
from analysis.failures.localising import Cause, cells_of, searched
from analysis.failures.scale import Scale
from analysis.failures.use import Meters, relative_use
from analysis.failures.views import ATTRIBUTES
from analysis.metrics import NotDone, facts_in, materiality, materiality_check
from analysis.params.places import with_own
from analysis.results import Estimated, Finding, Rows
from analysis.sample import make_sample
from analysis.workbook import prepare_run


@pytest.fixture(scope="module")
def meters(tmp_path_factory: pytest.TempPathFactory) -> Meters:
    """The company of the run, at full size."""
    folder = tmp_path_factory.mktemp("heavy") / "company"
    make_sample(folder, template="heavy")
    with with_own(()):  # the heavy company's words and assumptions stay with it
        run = prepare_run("heavy", data=str(folder))
    found = use.known(Field.of(run.inputs))
    assert not isinstance(found, NotDone)
    return found


@pytest.fixture(scope="module")
def told(meters: Meters) -> use_facts.UseFacts:
    return use_facts.use_facts(meters.field, meters)


def test_every_hour_of_the_year_is_known_and_billed(meters: Meters, told: use_facts.UseFacts):
    """Hire is billed by the hour, so the year's invoices say what the meters ran."""
    year = meters.field.year
    billed = meters.field.inputs.engine.query(
        f"SELECT sum(quantity) AS hours FROM orders WHERE month >= DATE '{year.first.start}' AND month < DATE '{year.last.end}'"
    )
    assert told.coverage.value == 1
    assert float(told.year.use.value or 0) == pytest.approx(float(billed.hours[0]), rel=2e-3)
    assert told.year.use.unit == "operating_hours"


def test_rates_of_sites_are_those_of_the_answer_sheet(told: use_facts.UseFacts):
    """Two sites leave services out and break down more by the hour; a busy site without a truth does not."""
    sites = {span.rate.dimensions["region"]: span.rate.interval for span in told.slices["region"]}
    fleet = float(told.year.rate.value or 0)
    for site in ("Boundary Hill", "Kite Creek"):
        assert sites[site] is not None and sites[site].low > 1.2 * fleet
    assert sites["Red Mesa"] is not None and sites["Red Mesa"].low < fleet


@pytest.fixture(scope="module")
def lives(meters: Meters) -> tuple[use_lives.UseLifeFacts, ...]:
    errors = ErrorRates.of(meters.field.inputs.assumptions, on=meters.field.inputs.month.last_day)
    found = use_lives.use_life_facts(meters.field, meters, error=errors.life)
    assert not isinstance(found, NotDone)
    return found


@pytest.fixture(scope="module")
def due(meters: Meters) -> services_facts.ServicesDue:
    found = services_facts.services_facts(meters.field, meters)
    assert not isinstance(found, NotDone)
    return found


def test_hours_wear_is_found_with_its_shape(lives: tuple[use_lives.UseLifeFacts, ...]):
    found = {life.component: life for life in lives}
    bearing = found["slew_bearing"]
    assert (
        bearing.shape.interval is not None and bearing.shape.interval.low < 2.6 < bearing.shape.interval.high
    )
    assert bearing.direction == "rising" and bearing.axis == "use"
    # nothing is planted in the life of these
    assert {found[name].direction for name in ("hydraulic_hose", "electrical_sensor", "boom_cylinder")} == {
        "unclear"
    }
    assert "months" not in {life.axis for life in lives}


def test_the_dear_service_is_found_in_planned_cost_by_hour(told: use_facts.UseFacts):
    cost = told.cost
    assert not isinstance(cost, NotDone)
    models = {model.model: model for model in cost.models}
    assert models["WL40"].least is not None and models["WL40"].least > 1.1
    # a machine 1.2 times the size with kits at 1.7 beside one of 0.8: dearer by more than its size
    ratio = models["WL40"].against
    assert ratio.interval is not None and ratio.interval.low > 1.2
    assert all(models[name].least < 1.1 for name in ("EX22", "EX36", "EX52", "WL25"))
    assert float(cost.whole.value or 0) == pytest.approx(
        sum(float(model.traced.value or 0) for model in cost.models) + float(cost.elsewhere.value or 0)
    )


def test_services_left_out_are_named_and_their_machines_overdue(due: services_facts.ServicesDue):
    assert all(
        model.interval is not None
        and model.interval.interval is not None
        and abs(float(model.interval.value or 0) / 500 - 1) < 0.02
        for model in due.models
    )
    assert {region.name.en for region in due.regions} == {"Boundary Hill", "Kite Creek"}
    overdue = due.evidence[due.evidence["overdue"]]
    assert len(overdue) == due.whole.overdue.value and len(overdue) >= 5
    assert set(overdue["region"]) == {"Boundary Hill", "Kite Creek"}
    assert {machine.region.en for machine in due.first if machine.overdue} == {"Boundary Hill", "Kite Creek"}
    # a machine of the fleet is due for about one service in 500 hours of the quarter
    expected = float(due.whole.services.value or 0)
    assert due.whole.services.interval is not None and 400 < expected < 520


@pytest.fixture(scope="module")
def missed(meters: Meters) -> missed_services_facts.MissedServices:
    costs = money.cost_by(meters.field, "component")
    found = missed_services_facts.missed_services_facts(meters.field, meters, costs)
    assert not isinstance(found, NotDone)
    return found


def test_machines_that_are_overdue_break_down_as_often_as_planted(
    missed: missed_services_facts.MissedServices,
):
    assert missed.by_use and missed.whole.ratio.interval is not None
    assert missed.whole.ratio.interval.holds(2.5) and missed.whole.ratio.interval.low > 1.8
    assert len(missed.evidence) >= int(missed.whole.failures.value or 0)
    assert set(missed.evidence["region"]) == {"Boundary Hill", "Kite Creek"}
    assert (missed.evidence["failed_on"] >= missed.evidence["overdue_from"]).all()


def test_a_site_that_only_works_more_is_no_cause_and_a_worn_component_is_one(meters: Meters):
    """Four sites run their machines longer. By the month they fail more often in all; at equal use one component of one site remains, at its planted strength."""
    field = meters.field
    baseline, use_of = Baseline.of(field), relative_use(meters, ATTRIBUTES)

    def causes(**options: object) -> list[Cause]:
        cells = cells_of(field, baseline, **options)  # type: ignore[arg-type]
        return list(searched(cells, familywise=0.05, level=0.95, least_effect=0.1).causes)

    by_month = {cause.attributes.get("region") for cause in causes()}
    at_use = {(cause.attributes.get("region"), cause.component): cause for cause in causes(use=use_of)}
    assert {"Red Mesa", "Lantern Pit"} <= by_month
    assert not {"Red Mesa", "Lantern Pit", "Quartz Hollow"} & {region for region, _ in at_use}
    iron = at_use["Iron Gully", "undercarriage_track"]
    assert iron.low < 3 < iron.high


def test_use_is_relative_to_the_line_and_adds_up(meters: Meters):
    """Held months times relative use is what the line ran: the mean of a line is one, but for machines that were hardly read."""
    by_line = relative_use(meters, ())
    assert by_line["relative_use"].to_numpy() == pytest.approx(1.0, abs=1e-2)
    by_site = relative_use(meters, ("region",)).groupby("region")["relative_use"].mean()
    assert by_site["Red Mesa"] > 1.2 > by_site.median()


def test_every_number_of_the_pages_stands_in_its_place_and_in_both_languages(
    told: use_facts.UseFacts,
    lives: tuple[use_lives.UseLifeFacts, ...],
    due: services_facts.ServicesDue,
    missed: missed_services_facts.MissedServices,
):
    study = SimpleNamespace(use=told, use_lives=lives, services=due, missed=missed)
    draws = (
        failure_use.use_table,
        failure_use.use_slices_table,
        failure_use.use_components_table,
        failure_use.use_cost_table,
        failure_use.planned_table,
        failure_use.use_lives_table,
        failure_use.services_table,
        failure_use.missed_table,
    )
    made = list(flattened([draw(study) for draw in draws]))
    assert len(made) == 9
    for block in made:
        facts = {fact["id"]: fact for fact in block.payload["facts"]}
        assert list(misplaced(block.payload, facts)) == []
        assert block.payload["untranslated"] == []
        assert list(unsure_of(block.payload)) == [] and unsure_cells(block.payload) == set()
    assert (
        sum("operating hours" in str(block.payload) and "运行小时" in str(block.payload) for block in made)
        >= 6
    )


def graded(meters: Meters, said: list[Finding]) -> list[str]:
    """What in the severities is not as the printed rule has it."""
    inputs = meters.field.inputs
    found = materiality(inputs)
    names = ("failure_least_effect", "failure_least_shape")
    rule = {
        "limit": float(found.limit.value or 0),
        "trivial": float(found.trivial.value or 0),
        "rule": materiality_check(found).sentence.plain(),
        "least": {name: meters.field.assumed(name) for name in names},
    }
    return [wrong for finding in said for wrong in broken(finding, **rule)]


def test_what_is_found_is_said_as_findings(
    meters: Meters,
    told: use_facts.UseFacts,
    lives: tuple[use_lives.UseLifeFacts, ...],
    due: services_facts.ServicesDue,
    missed: missed_services_facts.MissedServices,
):
    scale = Scale.of(meters.field)
    said = [*findings._use(told, scale), *findings._wear_by_use(lives, scale), *findings._services(due)]
    said += findings._missed(missed, scale, meters.field.window)
    assert [list(unsure_in(one.statement)) for one in said] == [[]] * len(said)
    named = {(one.id, *one.subject.values()) for one in said}
    assert ("failures.planned_cost_by_use", "WL40") in named
    assert ("failures.wear_out_by_use", "slew_bearing") in named
    by_months = [
        SimpleNamespace(id="failures.wear_out", subject={"component": one})
        for one in ("slew_bearing", "other")
    ]
    study = SimpleNamespace(use_lives=lives)
    kept = findings._told_once(by_months, study)  # type: ignore[arg-type]
    assert [one.subject["component"] for one in kept] == ["other"]  # one wear, told once
    assert ("failures.overdue_services",) in named
    assert graded(meters, said) == []
    late = {place for name, *places in named if name == "failures.services_late" for place in places}
    assert late == {"Boundary Hill", "Kite Creek"}
    (check,) = checks._use(told)
    assert check.outcome == "passed"


def test_every_number_can_be_walked_back(
    meters: Meters,
    told: use_facts.UseFacts,
    lives: tuple[use_lives.UseLifeFacts, ...],
    due: services_facts.ServicesDue,
    missed: missed_services_facts.MissedServices,
):
    engine = meters.field.inputs.engine
    facts = facts_in((told, lives, due, missed)).values()
    assert len(facts) > 300
    assert [fact.id for fact in facts if fact.lineage is None or not fact.sources] == []
    assert engine.registry.without_interval(facts) == []
    stated = {(fact.metric, fact.lineage.function) for fact in facts if isinstance(fact.lineage, Estimated)}
    assert [
        (metric, function)
        for metric, function in sorted(stated)
        if function not in engine.registry[metric].function
    ] == []
    for fact in [one for one in facts if isinstance(one.lineage, Rows) and one.value is not None][::25]:
        follows = fact.lineage
        assert isinstance(follows, Rows)
        top = engine.rows(f"SELECT {follows.value} AS value FROM ({follows.numerator})")["value"].iloc[0]
        below = 1
        if follows.denominator:
            below = engine.rows(f"SELECT {follows.of} AS value FROM ({follows.denominator})")["value"].iloc[0]
        assert float(top) * follows.per / float(below) == pytest.approx(float(fact.value or 0), rel=1e-9), (
            fact.id
        )
