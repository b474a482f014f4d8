"""The exhibits of the failure section: numbers where the study has them, and the reason of a part where it has none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from analysis import failures
from analysis.errors import FitError
from analysis.exhibits import failure_ranking
from analysis.exhibits import failures as exhibits
from analysis.exhibits.record import Block, flattened
from analysis.failures import FailureStudy, forecasting_facts, monitoring_facts
from analysis.failures.fault_tree_facts import TreePart
from analysis.failures.field import Field
from analysis.failures.limits import those_made
from analysis.failures.monitoring_facts import PhaseFacts
from analysis.locale import Text
from analysis.metrics import NotDone, Period, StudyInputs
from analysis.periods import Month
from analysis.results import Fact, Interval

Study = failures.FailureStudy
OCTOBER = Month(2026, 10)


def cells(block: Block | None, column: str) -> list[Any]:
    """The values of a column: facts by value, labels as text."""
    assert block is not None
    facts = {fact["id"]: fact["value"] for fact in block.payload["facts"]}
    at = [one["key"] for one in block.payload["columns"]].index(column)
    found = [row["cells"][at] for row in block.payload["rows"]]
    return [facts[cell["fact"]] if cell["fact"] else cell["text"]["en"] for cell in found]


def published(*facts: Fact | None) -> list[Any]:
    return [None if fact is None else fact.as_json()["value"] for fact in facts]


def test_costs_stand_by_component_and_kind_and_add_up(planted_study: Study):
    money = planted_study.money
    assert money
    block = exhibits.cost_table(planted_study)
    assert cells(block, "component") == [*(name.en for name, _ in money.by_component), "All"]
    for kind in ("parts", "logistics", "outsourcing", "compensation", "other", "recovered"):
        parts = [facts[kind] for _, facts in money.by_component]
        if kind == "other" and not any(fact.value for fact in parts):
            continue
        assert cells(block, kind) == published(*parts, money.whole[kind])
        assert money.whole[kind].value == sum((fact.value for fact in parts), Decimal(0))
    assert cells(block, "total")[-1] == money.total.as_json()["value"]
    assert "" not in cells(block, "unit")


def test_suppliers_stand_by_what_came_back_the_least_first(planted_study: Study):
    assert planted_study.recovery
    block = exhibits.recovery_table(planted_study)
    least = sorted(planted_study.recovery, key=lambda line: line.share.value or 0)
    assert cells(block, "supplier") == [line.supplier.en for line in least]
    for column in ("share", "recovered", "approved"):
        assert cells(block, column) == published(*(getattr(line, column) for line in least))
    for line in least:
        assert (line.recovered.value, line.approved.value) == (line.share.numerator, line.share.denominator)


def test_the_leader_of_each_ranking_stands_in_its_line(planted_study: Study):
    block = exhibits.pareto_table(planted_study)
    rankings = list(planted_study.paretos.values())
    assert cells(block, "first") == [one.lines[0].name.en for one in rankings]
    assert cells(block, "value") == published(*(one.lines[0].fact for one in rankings))
    assert cells(block, "all") == published(*(one.values for one in rankings))
    assert cells(block, "by")[:3] == ["count", "cost", "excess over its past"]


def test_power_and_simulated_fields_stand_by_rate_ratio(planted_study: Study):
    power = exhibits.power_table(planted_study)
    assert cells(power, "expected") == ["5", "10", "20", "50", "100"]
    for ratio in (1.5, 2.0, 3.0):
        sizes = sorted({due for due, _ in planted_study.power})
        assert cells(power, f"r{ratio:g}") == published(*(planted_study.power[due, ratio] for due in sizes))
    right, alarms = exhibits.simulated_tables(planted_study) or []
    by = {(one.name.en, one.ratio): one.share for one in planted_study.simulated}
    assert cells(right, "r2") == published(*(by[name, 2.0] for name in cells(right, "planted")))
    assert cells(alarms, "share") == published(*(by[name, 1.0] for name in cells(alarms, "planted")))


def test_life_distributions_stand_by_component_and_model(planted_study: Study):
    assert planted_study.lives
    block = exhibits.models_table(planted_study)
    for model in ("exponential", "weibull", "lognormal"):
        of = [{one.model: one.excess for one in life.models}.get(model) for life in planted_study.lives]
        assert cells(block, model) == ["" if one is None else one.as_json()["value"] for one in of]
    ageing = exhibits.life_table(planted_study)
    assert cells(ageing, "shape") == published(*(life.shape for life in planted_study.lives))
    assert cells(ageing, "component") == cells(block, "component")


def test_curves_are_drawn_and_say_what_holds_at_two_years(planted_study: Study):
    assert planted_study.survival and planted_study.repairs
    for figure, curve in (
        (exhibits.survival_figure, planted_study.survival),
        (exhibits.repairs_figure, planted_study.repairs),
    ):
        age, fact = [point for point in curve if point[0] <= 24][-1]
        block = figure(planted_study)
        said = block.payload["title"]["en"]  # type: ignore[union-attr]
        assert f"{age:g}" in [part["t"] for part in said] and fact.id in [part.get("fact") for part in said]


WHY = NotDone(reason=Text(en="the moon was full", zh="正值满月"))
SAID: dict[str, Callable[..., Any]] = {
    "words": exhibits.words_table,
    "lives": exhibits.life_table,
    "survival": exhibits.survival_figure,
    "repairs": exhibits.repairs_figure,
    "watch": exhibits.watch_table,
    "fixes": exhibits.fix_table,
    "trees": exhibits.fault_tree_figures,
    "forecast": exhibits.forecast_figure,
    "money": exhibits.cost_table,
    "recovery": exhibits.recovery_table,
    "spare_parts": exhibits.parts_table,
}


@pytest.mark.parametrize("part", SAID)
def test_a_part_that_was_not_made_says_its_own_reason_in_both_languages(part: str, planted_study: Study):
    (block,) = flattened([SAID[part](replace(planted_study, **{part: WHY}))])
    assert block.payload["kind"] == "callout"
    said = {
        language: "".join(piece["t"] for piece in pieces)
        for language, pieces in block.payload["body"].items()
    }
    assert said == {"en": "the moon was full.", "zh": "正值满月。"}
    title = block.payload["title"]
    assert title["zh"] != title["en"] and not block.payload["untranslated"]


def test_nothing_else_on_the_page_stands_on_a_part_that_was_not_made(planted_study: Study):
    bare = replace(planted_study, **dict.fromkeys(SAID, WHY))
    for draw in (
        exhibits.similar_table,
        exhibits.models_table,
        exhibits.ages_table,
        exhibits.obligation_table,
    ):
        assert draw(bare) is None
    assert exhibits.probability_plot(bare) == []
    tiles = exhibits.failure_tiles(replace(bare, repeats=WHY))
    assert tiles is not None and len(tiles.payload["tiles"]) == 1


def test_several_reasons_are_said_by_name_once_each():
    one, other = Text(en="first", zh="一"), Text(en="second", zh="二")
    assert those_made([(one, 1), (other, WHY)], none=Text.same("none")) == (1,)
    found = those_made([(one, WHY), (other, WHY)], none=Text.same("none"))
    assert isinstance(found, NotDone)
    assert found.reason.en == "first: the moon was full; second: the moon was full"
    assert found.reason.zh == "一：正值满月；二：正值满月"
    empty = those_made([], none=Text.same("none"))
    assert isinstance(empty, NotDone) and empty.reason.en == "none"


def test_a_life_without_an_interval_says_why(monkeypatch: pytest.MonkeyPatch):
    from analysis.failures import life_models

    class Flat:
        def b_life(self, share: float, *, level: float) -> None:
            raise FitError(
                "weibull with threshold: no threshold in its interval gives an interval of the life."
            )

    found = life_models._b10(Flat(), 0.95)
    assert isinstance(found, NotDone) and "threshold" in found.reason.en and "门限" in found.reason.zh


def test_fault_codes_that_repeat_components_are_said_to(planted_study: FailureStudy):
    from analysis.exhibits import failure_ranking

    def subtitle(study: FailureStudy) -> str:
        block = failure_ranking.pareto_table(study)
        assert block is not None and not block.payload["untranslated"]
        return "".join(part["t"] for part in block.payload["subtitle"]["en"])

    assert "their lines repeat those of the components" in subtitle(planted_study)
    ranking = planted_study.paretos["fault_code", "count"]
    fewer = {("fault_code", "count"): replace(ranking, lines=ranking.lines[:-1])}
    other = replace(planted_study, paretos={**planted_study.paretos, **fewer})
    assert "repeat" not in subtitle(other)


def test_obligations_and_tiles_print_direct_and_full_cost(planted_study: FailureStudy):
    from analysis.exhibits import failure_outlook
    from analysis.exhibits import failures as tiles

    outlook = planted_study.forecast
    assert outlook
    table = failure_outlook.obligation_table(planted_study)
    assert table is not None and not table.payload["untranslated"]
    printed = {cell["fact"] for row in table.payload["rows"] for cell in row["cells"]}
    assert {outlook.obligation.id, outlook.full_obligation.id} <= printed
    assert {line.full.id for line in outlook.obligations} <= printed
    shown = str(tiles.failure_tiles(planted_study).payload["tiles"])
    assert outlook.full_cost.id in shown and outlook.full_warranty_cost.id in shown


# -- levels are counted, ranges name the worst, what is ahead is dated ----------------------------------------------------


def text_of(block: Block, part: str = "title", language: str = "en") -> str:
    return "".join(piece["t"] for piece in block.payload[part][language])


def phase_of(study: Study) -> PhaseFacts:
    """A phase of the study; where its company has none, one made of the points of its own chart."""
    if study.phases:
        return study.phases[0]
    pytest.skip("no fix is registered in time")


def test_the_level_of_a_phase_is_all_its_failures_and_not_the_centre_line(planted_study: Study):
    phase = phase_of(planted_study)
    at = phase.chart.months.index(phase.starts)
    for level, months in ((phase.before, slice(0, at)), (phase.after, slice(at, None))):
        points = phase.chart.values[months]
        held = sum(float(point.n or 0) + 0.5 for point in points)  # what was expected, cut to whole failures
        seen = sum(float(point.value or 0) * (float(point.n or 0) + 0.5) for point in points)
        assert float(level.value or 0) == pytest.approx(seen / held, rel=0.1)
        assert level.numerator == pytest.approx(float(level.value or 0) * float(level.denominator or 0))
        assert (
            level.interval is not None and level.interval.low < float(level.value or 0) < level.interval.high
        )
    assert float(phase.change.value or 0) == pytest.approx(
        float(phase.after.value or 0) / float(phase.before.value or 0)
    )


def test_a_month_beyond_the_limits_counts_in_the_level(monkeypatch: pytest.MonkeyPatch):
    """Six quiet months and one of twice as many: the centre leaves it out, the level does not."""
    made: dict[str, Any] = {}

    class Said:
        def exact(self, metric: str, value: float, *, parts: dict[str, Any], **place: Any) -> None:
            made.update(parts | {"value": value, "metric": metric})

    field: Any = SimpleNamespace(inputs=SimpleNamespace(confidence=0.95), state=Said())
    fix: Any = SimpleNamespace(id="f")
    monitoring_facts._phase_level(
        field, fix, "after", 6 * 30.0 + 60.0, 70.0, period=Period(OCTOBER - 6, OCTOBER)
    )
    assert made["value"] == pytest.approx(240 / 70) and made["n"] == 240 and made["metric"] == "failure_ratio"
    # Garwood's limits of 240 failures
    assert (made["interval"].low, made["interval"].high) == pytest.approx(
        (210.59 / 70, 272.36 / 70), rel=1e-3
    )


@pytest.mark.parametrize(
    ("low", "value", "high", "says"),
    [
        (0.92, 1.0, 1.08, "no change beyond chance"),
        (0.85, 0.95, 1.05, "no change beyond chance"),
        (0.7, 0.8, 0.9, "a fall beyond chance"),
        (1.1, 1.2, 1.3, "a rise beyond chance"),
        (None, 1.2, None, "no change beyond chance"),
    ],
)
@pytest.mark.parametrize("some", [True, False])
def test_a_fix_fell_or_rose_only_where_chance_leaves_it(
    planted_study: Study, low: float | None, value: float, high: float | None, says: str, some: bool
):
    phase = phase_of(planted_study)
    around = None if low is None or high is None else Interval(low=low, high=high, level=0.95, method="test")
    changed = replace(
        phase,
        change=replace(phase.change, value=value, interval=around),
        fix=replace(phase.fix, where={"supplier": "Qiming"} if some else {}),
    )
    block = exhibits._phase_figure(planted_study, changed, 1)
    assert says in text_of(block) and not block.payload["untranslated"]
    assert ("others" in text_of(block)) == some


def test_the_months_that_a_rule_marks_stand_beside_the_chart_of_a_fix(planted_study: Study):
    phase = phase_of(planted_study)
    for signals, says in (((phase.starts,), str(phase.starts.year)), ((), "no month is marked")):
        changed = replace(phase, chart=replace(phase.chart, signals=signals))
        block = exhibits._phase_figure(planted_study, changed, 1)
        assert says in text_of(block, "subtitle").split("anew from")[-1] and not block.payload["untranslated"]


@pytest.mark.parametrize("marked", [True, False])
def test_the_months_that_the_centre_leaves_out_are_named(planted_study: Study, marked: bool):
    phase = phase_of(planted_study)
    for left, says in (((phase.starts,), True), ((), False)):
        signals = (phase.starts,) if marked else ()
        chart = replace(phase.chart, signals=signals, left_out=left)
        block = exhibits._phase_figure(planted_study, replace(phase, chart=chart), 1)
        assert ("leave out" in text_of(block, "subtitle")) == says and not block.payload["untranslated"]
    whole = exhibits.control_figure(
        replace(planted_study, chart=replace(planted_study.chart, left_out=(OCTOBER - 9,)))
    )
    assert whole is not None and not whole.payload["untranslated"]
    assert str((OCTOBER - 9).year) in text_of(whole, "subtitle")


def test_a_month_beyond_the_limits_is_left_out_of_the_centre_and_those_judged_by_others_are_not_said_to_be():
    from analysis import stats

    months = [OCTOBER - 11 + k for k in range(12)]
    counts = [30, 31, 29, 30, 90, 30, 31, 29, 30, 30, 31, 90]
    chart = stats.control_chart("u", counts, [10.0] * 12, suspects=[9, 10, 11])
    field: Any = SimpleNamespace(months=months)
    assert monitoring_facts._left_out(field, chart) == (months[4],)


def test_what_stands_highest_does_so_among_the_attributes_that_are_shown(planted_study: Study):
    """A batch or a month of production may stand higher: the title, the subtitle and the description name what is compared."""
    lines = planted_study.ratios["supplier"]
    high = Interval(low=8.0, high=10.0, level=0.998, method="test")
    first = (lines[0][0], replace(lines[0][1], value=9.0, interval=high))
    batch = (Text.same("B-1"), replace(lines[0][1], value=50.0, dimensions={"batch": "B-1"}))
    shown = exhibits.ratio_figure(
        replace(planted_study, ratios={"supplier": (first, *lines[1:]), "region": (), "batch": (batch,)})
    )
    title = text_of(shown)
    assert title.startswith("By supplier, one at a time, Supplier ") and "9.00 times" in title
    assert text_of(shown, language="zh").startswith("按供应商逐一比较，供应商")
    assert "others are not compared here" in text_of(shown, "subtitle")
    assert "by supplier; the highest" in shown.payload["alt"]["en"]
    none = replace(lines[0][1], value=1.0, interval=Interval(low=0.5, high=2.0, level=0.998, method="test"))
    both = {"supplier": ((lines[0][0], none),), "plant": ((Text.same("P"), none),)}
    assert text_of(exhibits.ratio_figure(replace(planted_study, ratios=both))) == (
        "By supplier, plant, one at a time, none fails more often than other machines beyond chance"
    )


def test_three_dots_are_explained_only_where_there_are_some(planted_study: Study):
    assert not isinstance(planted_study.words, NotDone) and planted_study.causes
    cause, seen = planted_study.causes[0], planted_study.words.similar
    if not seen:
        pytest.skip("no text is shared by enough customers")
    of_cause = replace(cause, cause=replace(cause.cause, component=seen[0].component))

    def note(text: str) -> Any:
        told = replace(planted_study.words, similar=(replace(seen[0], text=text),))
        block = exhibits.similar_table(replace(planted_study, causes=(of_cause,), words=told))
        assert block is not None and not block.payload["untranslated"]
        return block.payload["note"]

    assert note("grinding noise") is None
    assert note("grinding noise, …")["en"][0]["t"].startswith("Three dots")


def test_an_interval_of_another_level_says_its_level(planted_study: Study):
    """What holds together, or must be wrong more seldom, is wider than the other intervals of the page."""
    ratio = planted_study.ratios["supplier"][0][1]
    assert ratio.interval and ratio.interval.level > 0.95
    shown = exhibits.ratio_figure(planted_study)
    assert (
        f"{100 * ratio.interval.level:g}%" in text_of(shown, "subtitle") and not shown.payload["untranslated"]
    )
    assert planted_study.fixes
    fix = planted_study.fixes[0]
    level = Interval(low=0.5, high=1.5, level=0.99, method="test")
    fixes = exhibits.fix_table(
        replace(planted_study, fixes=(replace(fix, ratio=replace(fix.ratio, interval=level)),))
    )
    assert "99%" in text_of(fixes, "subtitle") and not fixes.payload["untranslated"]


@pytest.mark.parametrize("kind", list(failure_ranking.KINDS))
def test_a_kind_of_cost_is_a_column_only_where_there_is_any(kind: str, planted_study: Study):
    assert planted_study.money
    (component, facts), *rest = planted_study.money.by_component
    for value, there in ((Decimal(0), False), (Decimal(7), True)):
        changed = [(component, facts | {kind: replace(facts[kind], value=value)})]
        changed += [(one, held | {kind: replace(held[kind], value=Decimal(0))}) for one, held in rest]
        money = replace(planted_study.money, by_component=tuple(changed))
        columns = exhibits.cost_table(replace(planted_study, money=money)).payload["columns"]
        assert (kind in [column["key"] for column in columns]) == there and "ticket" not in str(columns)


def test_where_no_machine_has_a_warranty_none_is_spoken_of(planted_study: Study):
    from analysis.exhibits import failure_outlook
    from analysis.failures.findings import _outlook

    outlook = planted_study.forecast
    assert outlook and outlook.covered
    zero = replace(outlook.under_warranty, value=0, interval=Interval(low=0, high=0, level=0.95, method="x"))
    none = replace(planted_study, forecast=replace(outlook, obligations=(), under_warranty=zero))
    assert failure_outlook.obligation_table(none) is None
    for study, told in ((planted_study, True), (none, False)):
        assert study.forecast
        (finding, *_) = _outlook(study.forecast, SimpleNamespace(materiality=None))  # type: ignore[arg-type]
        shown = f"{finding.statement}{exhibits.failure_tiles(study).payload['tiles']}"
        assert ("under warranty" in shown) == told
        assert finding.statement.plain("zh")


def test_where_nothing_is_reported_late_no_completing_is_spoken_of(planted_study: Study):
    from analysis.exhibits import failure_outlook

    rates = planted_study.rates
    at_once = replace(rates, shares=tuple(replace(share, value=1.0, interval=None) for share in rates.shares))
    prompt = replace(planted_study, rates=at_once)
    assert rates.late and not at_once.late
    for study, told in ((planted_study, True), (prompt, False)):
        blocks = [
            exhibits.failure_tiles(study),
            exhibits.rate_figure(study),
            failure_outlook.forecast_figure(study),
            exhibits.triangle_figure(study),
        ]
        for block in blocks:
            parts = [block.payload.get(part) for part in ("title", "subtitle", "foot", "alt")]
            labels = [tile["label"] for tile in block.payload.get("tiles", ())]
            labels += [column["label"] for column in block.payload.get("data", {}).get("columns", ())]
            said = str([*parts, *labels])
            late = any(word in said.lower() for word in ("completed", "still to be reported", "late report"))
            assert late == told and not block.payload["untranslated"], block.id


def test_an_attribute_that_no_failure_states_is_not_ranked(planted_study: Study):
    (key, ranking), *_ = planted_study.paretos.items()
    line = ranking.lines[0]
    nobody = replace(line.fact, dimensions={**line.fact.dimensions, key[0]: "not_stated"})
    alone = replace(ranking, lines=(replace(line, fact=nobody),))
    whole = exhibits.pareto_table(planted_study)
    fewer = exhibits.pareto_table(replace(planted_study, paretos={**planted_study.paretos, key: alone}))
    assert whole and fewer and len(fewer.payload["rows"]) == len(whole.payload["rows"]) - 1
    assert exhibits.pareto_table(replace(planted_study, paretos={key: alone})) is None


def test_simulated_results_do_not_name_this_months_orders_as_their_source(planted_study: Study):
    for block in exhibits.simulated_tables(planted_study) or []:
        assert "simulated fields" in text_of(block, "note") and not block.payload["untranslated"]


def test_the_title_of_a_tree_names_the_least_and_the_most_of_its_machines(planted_study: Study):
    from analysis.exhibits.failure_trees import _tree_title

    assert planted_study.trees
    tree = planted_study.trees[0]
    names = [Text.same(name) for name in ("Supplier Q", "Batch B", "Other machines")]
    parts = [
        TreePart(name=name, top=replace(tree.top, value=value, interval=None))
        for name, value in zip(names, (0.13, 0.29, 0.09), strict=True)
    ]
    said = _tree_title(replace(tree, parts=tuple(parts)), {"title": tree.title, "top": tree.top}).plain()
    assert "from 9.0% on other machines to 29.0% on batch B" in said and "13.0%" not in said


def test_parts_are_named_by_what_they_are_for_and_dated(planted_study: Study):
    assert planted_study.spare_parts
    ahead = Period.parse(planted_study.spare_parts[0].demand.period)
    block = exhibits.parts_table(planted_study)
    assert block is not None
    assert cells(block, "used_for") == [part.used_for.en for part in planted_study.spare_parts]
    assert all(cells(block, "used_for"))
    assert str(ahead.first.year) in text_of(block) and "pieces" in text_of(block)


def test_a_part_of_many_components_says_how_many(planted_inputs: StudyInputs):
    field = Field.of(planted_inputs)
    assert forecasting_facts._used_for(field, {"fan_motor": 2.0, "unused": 0.0}).en == "Fan motor"
    many = dict.fromkeys(("fan_motor", "compressor", "door_seal"), 1.0)
    assert forecasting_facts._used_for(field, many).en == "3 components"


def test_the_failures_behind_an_obligation_add_up_and_are_printed(planted_study: Study):
    outlook = planted_study.forecast
    assert outlook
    lines = [float(line.failures.value or 0) for line in outlook.obligations]
    assert float(outlook.obligation_failures.value or 0) == pytest.approx(sum(lines), abs=len(lines))
    assert "" not in cells(exhibits.obligation_table(planted_study), "count")


def test_a_source_says_the_window_of_values_that_are_of_another_one(planted_study: Study):
    from analysis.exhibits.failure_shared import source

    assert planted_study.money
    year = source(planted_study, planted_study.money.total.period).plain()
    assert "values of" in year and "values of" not in source(planted_study).plain()
    assert "values of" not in source(planted_study, str(planted_study.window)).plain()
