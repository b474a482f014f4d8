"""Where the search found a cause, its machines and all others have lives of their own, and nothing is said of both together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import failures
from analysis.errors import FitError
from analysis.exhibits import failure_trees
from analysis.exhibits import failures as exhibits
from analysis.exhibits.record import Block, flattened
from analysis.failures import checks, fault_tree_facts, lives, lives_facts
from analysis.failures.fault_tree import FaultTree
from analysis.failures.field import Field
from analysis.failures.life_models import DAYS_PER_MONTH, compared
from analysis.failures.lives_facts import LifeFacts
from analysis.failures.localising import Cause
from analysis.metrics import StudyInputs, facts_in
from analysis.metrics.registry import Registry
from analysis.results import Fact

Study = failures.FailureStudy
Frames = tuple[pd.DataFrame, pd.DataFrame]
MONTHS = 48


def population(machines: int, shape: float, scale: float) -> Frames:
    """Machines watched for four years and their expected failures, day by day, under a Weibull intensity with minimal repair."""
    day = np.arange(int(MONTHS * DAYS_PER_MONTH) + 1)
    hazard = machines * (day / DAYS_PER_MONTH / scale) ** shape
    failed = np.diff(np.rint(hazard)).astype(int)
    ages = pd.DataFrame({"component": "fan_motor", "age_days": day[:-1], "failures": failed})
    watched = pd.DataFrame({"begin_days": [0], "end_days": [int(day[-1])], "machines": [machines]})
    return watched, ages[ages["failures"] > 0]


# the supplier's motors fail early (shape 0.5), those of others wear out (shape 3): together a bathtub
BAD, GOOD = population(5_000, 0.5, 4_000.0), population(40_000, 3.0, 150.0)


def together(*parts: Frames) -> Frames:
    watched, ages = (pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True))
    return watched, ages.groupby(["component", "age_days"], as_index=False)["failures"].sum()


@pytest.fixture
def cause(planted_study: Study) -> Cause:
    return next(one.cause for one in planted_study.causes if one.cause.attributes == {"supplier": "Qiming"})


def told_apart(
    monkeypatch: pytest.MonkeyPatch, field: Field, cause: Cause, *, bad: Frames = BAD
) -> tuple[LifeFacts, ...]:
    """The lives of a field that holds these machines of the cause beside the good ones."""
    whole = together(bad, GOOD)

    def of(where: str) -> Frames:
        return whole if where == "TRUE" else GOOD if where.startswith("NOT") else bad

    monkeypatch.setattr(lives, "stays", lambda _, where="TRUE": of(where)[0])
    monkeypatch.setattr(lives, "failure_ages", lambda _, where="TRUE": of(where)[1])
    fitted, without = lives.component_lives(field)
    found = lives_facts.life_facts(
        field, lives.lives_apart(field, fitted, [cause]), without, error=0.05, models=True
    )
    assert found
    return found


def column(block: Block | None, key: str) -> list[str]:
    assert block is not None and not block.payload["untranslated"]
    at = [one["key"] for one in block.payload["columns"]].index(key)
    return [row["cells"][at]["text"]["en"] for row in block.payload["rows"]]


def test_two_populations_that_look_like_a_mixture_are_two_weibulls(
    monkeypatch: pytest.MonkeyPatch, planted_inputs: StudyInputs, planted_study: Study, cause: Cause
):
    pooled = lives._component_life("fan_motor", *reversed(together(BAD, GOOD)))
    used = [one.model for one in compared(pooled.counts, level=0.95)[0] if one.used]
    assert used == ["mixture"] and pooled.worst_gap > 0.15

    field = Field.of(planted_inputs)
    told = told_apart(monkeypatch, field, cause)
    own, others = told
    study = replace(planted_study, lives=told)
    table = exhibits.models_table(study)
    assert column(table, "component") == ["Supplier Qiming, fan motor", "Fan motor (other machines)"]
    assert column(table, "component") == column(exhibits.life_table(study), "component")
    assert column(table, "used") == ["Weibull", "Weibull"] and column(table, "weibull") == ["0.0", "0.0"]
    # what was planted: shape, and the age at which the hazard reaches -log 0.9
    for life, shape, scale in ((own, 0.5, 4_000.0), (others, 3.0, 150.0)):
        assert life.shape.value == pytest.approx(shape, rel=0.02)
        assert life.b10.value == pytest.approx(scale * (-np.log(0.9)) ** (1 / shape), rel=0.03)
        assert life.worst_gap == 0
    assert not [one for one in checks.checks(field, study, _made(), without={}) if one.id == "life_fit"]


def _made() -> checks.Parts:
    return checks.Parts(section="failures")


def test_each_of_them_is_drawn_on_its_own_paper(
    monkeypatch: pytest.MonkeyPatch, planted_inputs: StudyInputs, planted_study: Study, cause: Cause
):
    told = told_apart(monkeypatch, Field.of(planted_inputs), cause)
    blocks = exhibits.probability_plot(replace(planted_study, lives=told))
    assert blocks is not None
    assert [block.payload["id"] for block in blocks] == [
        "failures.weibull_plot",
        "failures.b10_models",
        "failures.weibull_plot_2",
        "failures.b10_models_2",
    ]
    for life, paper, table in zip(told, blocks[::2], blocks[1::2], strict=True):
        for block in (paper, table):
            assert "".join(part["t"] for part in block.payload["title"]["en"]).startswith(life.name.en)
            assert pooled(block.payload["facts"], {"fan_motor"}) == []
        assert column(table, "used").count("yes") == 1


def pooled(facts: list[dict[str, object]], components: set[str]) -> list[str]:
    """The ids of facts of a life that is neither of a cause's machines nor of those outside it."""
    lifelike = {
        name
        for name, metric in Registry.load().metrics.items()
        if any(".lives_facts._" in one or ".lives_facts.life" in one for one in metric.function)
    }
    assert {"weibull_shape", "b10_life", "life_criterion", "life_log_likelihood", "failed_share"} <= lifelike
    found = []
    for fact in facts:
        of: Mapping[str, str] = fact["dimensions"]  # type: ignore[assignment]
        if fact["metric"] in lifelike and of.get("component") in components:
            beside = set(of) - {"component", "model", "line", "by_month"}
            found += [] if beside else [str(fact["id"])]
    return found


def test_no_exhibit_prints_a_life_of_a_cause_and_the_others_together(planted_study: Study):
    components = {one.cause.component for one in planted_study.causes if one.cause.component}
    assert "fan_motor" in components
    shown = [
        draw(planted_study)
        for draw in (
            exhibits.life_table,
            exhibits.models_table,
            exhibits.probability_plot,
            exhibits.ages_table,
            exhibits.fault_tree_figures,
            exhibits.forecast_figure,
            exhibits.obligation_table,
            exhibits.parts_table,
        )
    ]
    for block in flattened(shown):
        assert pooled(block.payload["facts"], components) == [], block.payload["id"]
    # nor does the study hold one that another page could print
    assert pooled([fact.as_json() for fact in facts_in(planted_study).values()], components) == []
    for finding in planted_study.findings:
        said = [one.as_json() for one in finding.statement.values.values() if isinstance(one, Fact)]
        assert pooled(said, components) == []


def test_every_tree_with_a_component_of_a_cause_counts_it_apart(planted_study: Study):
    components = {one.cause.component for one in planted_study.causes if one.cause.component}
    trees = planted_study.trees
    assert trees
    for tree in trees:
        counted = {one.probability.dimensions["event"] for one in tree.events if one.counted}
        for component in components & counted:
            chances = [
                chance
                for part in tree.parts
                for _, chance in part.events
                if chance.dimensions["event"] == component
            ]
            assert len(chances) == len(tree.parts) >= 2
            assert all(set(one.dimensions) - {"tree", "event", "component"} for one in chances)
        blocks = {
            block.payload["id"]: block for block in flattened([exhibits.fault_tree_figures(planted_study)])
        }
        for part in ("", "_events"):
            subtitle = blocks[f"failures.tree_{tree.name}{part}"].payload["subtitle"]["en"]
            assert ("all machines" in "".join(one["t"] for one in subtitle)) == bool(tree.parts)


def test_machines_with_too_few_failures_are_said_and_not_pooled(
    monkeypatch: pytest.MonkeyPatch, planted_inputs: StudyInputs, planted_study: Study, cause: Cause
):
    few = BAD[0], BAD[1].head(lives.FEWEST_FAILURES - 1).assign(failures=1)
    field = Field.of(planted_inputs)
    told = told_apart(monkeypatch, field, cause, bad=few)
    own, others = told
    assert own.not_done is lives.TOO_FEW and own.shape.value is None and own.b10.value is None
    assert others.not_done is None and others.shape.value == pytest.approx(3.0, rel=0.02)
    study = replace(planted_study, lives=told)
    assert column(exhibits.life_table(study), "reading") == ["too few failures", "Wears out"]
    assert column(exhibits.models_table(study), "used") == ["too few failures", "Weibull"]
    (thin,) = [one for one in checks.checks(field, study, _made(), without={}) if one.id == "life_thin"]
    assert "Supplier Qiming, fan motor" in thin.sentence.plain()


def test_machines_that_cannot_be_fitted_say_why(
    monkeypatch: pytest.MonkeyPatch, planted_inputs: StudyInputs, planted_study: Study, cause: Cause
):
    fit = lives._component_life

    def refused(component: str, part: pd.DataFrame, watched: pd.DataFrame) -> lives.ComponentLife:
        if len(part) == len(BAD[1]) and part["failures"].sum() == BAD[1]["failures"].sum():
            raise FitError("weibull: no maximum.")
        return fit(component, part, watched)

    monkeypatch.setattr(lives, "_component_life", refused)
    field = Field.of(planted_inputs)
    told = told_apart(monkeypatch, field, cause)
    assert [one.not_done is None for one in told] == [False, True]
    said = {
        one.id: one.sentence.plain()
        for one in checks.checks(field, replace(planted_study, lives=told), _made(), without={})
    }
    (check,) = [text for id, text in said.items() if id.startswith("not_tested.life_fan_motor_1")]
    assert "Supplier Qiming, fan motor" in check and "no maximum" in check


def test_a_tree_that_cannot_be_counted_on_the_machines_of_a_cause_says_so(
    monkeypatch: pytest.MonkeyPatch, planted_inputs: StudyInputs, planted_study: Study, cause: Cause
):
    from_field = fault_tree_facts._from_field

    def aged(field: Field, where: str = "TRUE") -> dict[str, object]:
        old = where not in {"TRUE"} and not where.startswith("NOT")
        return {} if old else from_field(field, where)  # type: ignore[return-value]

    monkeypatch.setattr(fault_tree_facts, "_from_field", aged)
    (path, tree), *_ = fault_tree_facts.trees().items()
    assert isinstance(tree, FaultTree)
    solved = fault_tree_facts.solved(Field.of(planted_inputs), tree, [cause], file=path.name, seed=1)
    assert solved
    own, others = solved.parts
    assert own.top.value is None and "no probability is given or counted" in own.top.reason.en  # type: ignore[union-attr]
    assert others.top.value is not None and len(others.events) == 1
    table = failure_trees._parts_table(planted_study, solved)
    assert len(table.payload["rows"]) == 3 and not table.payload["untranslated"]
    title = failure_trees._tree_title(solved, {"title": solved.title, "top": solved.top}).plain()
    assert "of all machines" not in title
