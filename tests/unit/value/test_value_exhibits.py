"""The exhibits of the value section: numbers where the study has them, and the reason of a part where it has none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.errors import ParameterError
from analysis.exhibits import value as worth
from analysis.exhibits import value_effect_charts
from analysis.exhibits import value_effects as effects
from analysis.exhibits import value_models as models
from analysis.exhibits import value_what_ifs as what_ifs
from analysis.exhibits.charts.labels import wrapped
from analysis.exhibits.record import Block, flattened
from analysis.exhibits.shape import misplaced
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.params import load_treatments
from analysis.results import Fact
from analysis.value.diagram import diagrams
from analysis.value.effect_results import ServiceEffects
from analysis.value.results import ValueStudy
from analysis.value.scenarios import WhatIfs

WHY = NotDone(reason=Text(en="the moon was full", zh="正值满月"))
BY_NAME: dict[str, Callable[..., Any]] = {
    f"{module.__name__.rpartition('.')[2]}.{name}": function
    for module in (worth, models, effects, what_ifs)
    for name, function in vars(module).items()
    if callable(function)
    and getattr(function, "__module__", "") == module.__name__
    and not name.startswith("_")
}
# What a function needs beside the study: one call an entry.
CALLS: dict[str, list[tuple[str, ...]]] = {
    "value.slices_table": [("tier", "segment", "kind"), ("region", "channel", "product_line", "cohort")],
    "value_effects.effect_figure": [("repurchase",), ("retention",)],
}


@pytest.fixture(scope="module")
def claimed(studied: ValueStudy) -> ValueStudy:
    """The study with every effect taken as shown, so that what only shown effects have is on the page."""
    assert isinstance(studied.effects, ServiceEffects)
    shown = tuple(
        replace(one, outcomes=tuple(replace(found, status="effect") for found in one.outcomes))
        for one in studied.effects.effects
    )
    return replace(studied, effects=replace(studied.effects, effects=shown))


def cells(block: Block | None, column: str, role: str = "") -> list[Any]:
    """The values of a column: facts by value, labels as text; of rows of one role where it is said."""
    assert block is not None
    facts = {fact["id"]: fact["value"] for fact in block.payload["facts"]}
    at = [one["key"] for one in block.payload["columns"]].index(column)
    rows = [row for row in block.payload["rows"] if role in ("", row["role"])]
    return [
        facts[cell["fact"]] if cell["fact"] else cell["text"]["en"]
        for cell in (row["cells"][at] for row in rows)
    ]


def published(*facts: Fact | None) -> list[Any]:
    return ["" if fact is None else fact.as_json()["value"] for fact in facts]


def said(block: Block, part: str = "body") -> dict[str, str]:
    return {
        language: "".join(piece["t"] for piece in pieces) for language, pieces in block.payload[part].items()
    }


@pytest.mark.parametrize("name", BY_NAME)
def test_every_exhibit_puts_every_number_in_its_place_in_both_languages(name: str, claimed: ValueStudy):
    for arguments in CALLS.get(name, [()]):
        for block in flattened([BY_NAME[name](claimed, *arguments)]):
            facts = {fact["id"]: fact for fact in block.payload["facts"]}
            assert block.payload["kind"] in ("table", "figure", "tiles")
            assert not list(misplaced(block.payload, facts)) and not block.payload["untranslated"]
            assert facts or name == "value_effects.diagrams_figure"


def test_parts_add_up_to_the_value_in_the_table(studied: ValueStudy):
    whole = studied.portfolio
    assert not isinstance(whole, NotDone)
    block = worth.parts_table(studied)
    assert cells(block, "value", "body")[:3] == published(*whole.parts.values())
    assert cells(block, "value", "total") == published(whole.total)
    assert cells(block, "line", "total") == ["Customer lifetime value"]


def test_slices_stand_under_their_dimension(studied: ValueStudy):
    whole = studied.portfolio
    assert not isinstance(whole, NotDone)
    block = worth.slices_table(studied, "tier", "channel")
    lines = [*whole.by["tier"], *whole.by["channel"]]
    assert cells(block, "slice", "group") == ["Value tier", "Channel of acquisition"]
    assert cells(block, "slice", "body")[:3] == ["Top tier", "Middle tier", "Low tier"]
    for column, of in (("customers", "customers"), ("total", "total"), ("again", "repurchase")):
        assert cells(block, column, "body") == published(*(getattr(line, of) for line in lines))


def test_the_change_is_told_apart_into_what_customers_did_and_the_rest(studied: ValueStudy):
    found = studied.change
    assert not isinstance(found, NotDone)
    block = worth.change_table(studied)
    did = ("new", "lost", "grown", "shrunk")
    others = ("model", "assumptions")
    assert cells(block, "change") == published(
        *(found.steps[step] for step in did), found.by_customers, *(found.steps[step] for step in others)
    )
    nobody = ["n/a"] * 3
    assert cells(block, "customers") == [*published(*(found.customers[step] for step in did)), *nobody]
    assert cells(block, "step", "subtotal") == ["What customers did"]


def test_customers_stand_in_the_cell_of_their_tier_risk_and_cost(studied: ValueStudy):
    found = studied.investment
    assert not isinstance(found, NotDone)
    order = [
        (tier, risk, service)
        for tier in ("top", "middle", "low")
        for risk in ("high", "low")
        for service in ("high", "low")
    ]
    block = worth.investment_table(studied)
    held = [found.cells[key].customers for key in order if found.cells[key].customers.value]
    assert held and cells(block, "customers", "body") == published(*held)
    lists = [one for one in (found.at_risk, found.often, found.below) if one.customers.value]
    assert lists and cells(worth.groups_table(studied), "value") == published(*(one.value for one in lists))


def test_where_nobody_is_at_risk_the_title_says_so_and_no_line_is_empty(studied: ValueStudy):
    found = studied.investment
    assert not isinstance(found, NotDone)

    def nobody(line: Any) -> Any:
        return replace(line, customers=replace(line.customers, value=0))

    cells_at = {key: nobody(cell) if key[1] == "high" else cell for key, cell in found.cells.items()}
    lists = {name: nobody(getattr(found, name)) for name in ("at_risk", "often", "below")}
    none = replace(studied, investment=replace(found, cells=cells_at, **lists))
    assert in_full(worth.investment_figure(none).payload["title"]).startswith("No customer of the top tier")
    assert all(cells(worth.investment_table(none), "customers", "body"))
    assert worth.groups_table(none) is None


@pytest.mark.parametrize("dimensions", [("tier", "channel"), ("region", "tier")])
def test_one_slice_that_repeats_the_whole_is_left_out(studied: ValueStudy, dimensions: tuple[str, str]):
    whole = studied.portfolio
    assert not isinstance(whole, NotDone)
    first, other = dimensions
    one = replace(studied, portfolio=replace(whole, by={**whole.by, other: whole.by[other][:1]}))
    assert len(cells(worth.slices_table(one, first, other), "customers", "body")) == len(whole.by[first])


def test_of_a_hidden_cause_that_could_not_be_computed_nothing_is_claimed(claimed: ValueStudy):
    part = claimed.effects
    assert isinstance(part, ServiceEffects)

    def unknown(found: Any) -> Any:
        return replace(
            found,
            enough=False,
            if_hidden=replace(found.if_hidden, value=None, interval=None, reason=WHY.reason),
        )

    blind = tuple(
        replace(one, outcomes=tuple(unknown(found) for found in one.outcomes)) for one in part.effects
    )
    block = effects.hidden_table(replace(claimed, effects=replace(part, effects=blind)))
    assert block is not None
    assert "as strong as customer tier" not in in_full(block.payload["title"])
    assert "enough" not in [column["key"] for column in block.payload["columns"]]


@pytest.mark.parametrize("params", sorted(Path("params").rglob("treatments.yml")), ids=str)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_word_of_a_diagram_is_cut_off(params: Path, language: str):
    for one in diagrams(load_treatments(params)):
        for part in ("causes", "treatments", "mediators"):
            text = Text.joined(getattr(one, part), zh="，")[language]  # type: ignore[index]
            room = value_effect_charts.ROOM[part]
            drawn = wrapped(text, room, size=value_effect_charts.BOXED, lines=value_effect_charts.LINES)
            assert "…" not in drawn, (one.name.en, part)


def test_models_and_contracts_are_read_from_the_study(studied: ValueStudy):
    model, kinds = studied.modelling, studied.contracts
    assert not isinstance(model, NotDone) and not isinstance(kinds, NotDone)
    block = models.candidates_table(studied)
    assert cells(block, "error") == published(*(one.error for one in model.tried))
    assert [place for place, word in enumerate(cells(block, "chosen")) if word == "in use"] == [
        place for place, one in enumerate(model.tried) if one.chosen
    ]
    for name in model.names:
        assert cells(models.parameters_table(studied), name) == published(
            *(dict(one.parameters)[name] for one in model.groups)
        )
    contracts = models.contracts_table(studied)
    assert cells(contracts, "first") == published(*(kind.renewals[0][1] for kind in kinds))
    assert cells(contracts, "last") == published(*(kind.renewals[-1][1] for kind in kinds))


def test_effects_stand_beside_the_plain_difference(claimed: ValueStudy):
    part = claimed.effects
    assert isinstance(part, ServiceEffects)
    tested = [found for one in part.effects for found in one.outcomes if found.outcome != "margin"]
    block = effects.effects_table(claimed)
    for column in ("naive", "adjusted", "with_it", "without_it"):
        key = column.removesuffix("_it")
        assert cells(block, key, "body") == published(*(getattr(found, column) for found in tested))
    hidden = effects.hidden_table(claimed)
    shown = [found for one in part.effects for found in one.claimed]
    assert cells(hidden, "hidden") == published(*(found.if_hidden for found in shown))
    groups = effects.groups_table(claimed)
    listed = [
        row["fact"]
        for one in part.effects
        for found in one.claimed
        for row in one.groups[one.groups["outcome"] == found.outcome].to_dict("records")
        if row["rows"] < found.adjusted.n
    ]
    assert listed and cells(groups, "effect", "body") == published(*listed)


def test_an_effect_in_the_row_of_another_treatment_is_refused(claimed: ValueStudy):
    part = claimed.effects
    assert isinstance(part, ServiceEffects)
    first, second = part.effects[:2]
    mixed = replace(first, customers=second.customers)
    with pytest.raises(ParameterError, match=f"is of treatment {second.treatment.id}"):
        effects.definitions_table(replace(claimed, effects=replace(part, effects=(mixed,))))
    swapped = replace(first, exposed=first.cases)
    with pytest.raises(ParameterError, match="is no service_cases_exposed"):
        effects.definitions_table(replace(claimed, effects=replace(part, effects=(swapped,))))


def test_scenarios_and_tiers_are_read_from_the_study(studied: ValueStudy):
    part = studied.what_ifs
    assert isinstance(part, WhatIfs) and not isinstance(part.budget, NotDone)
    assert cells(what_ifs.what_if_table(studied), "npv", "body")[: len(part.results)] == published(
        *(one.npv for one in part.results)
    )
    levers = [lever for one in part.results for lever in one.levers]
    assert cells(what_ifs.levers_table(studied), "moved", "body") == published(
        *(lever.moved for lever in levers)
    )
    budget = what_ifs.budget_table(studied)
    growths = published(*(line.growth for line in part.budget.lines))
    assert cells(budget, "growth") == [growth if growth != "" else "n/a" for growth in growths]
    assert not isinstance(studied.portfolio, NotDone)
    tiers = {one.value: one for one in studied.portfolio.by["tier"]}
    shown = [tiers[line.tier] for line in part.budget.lines if line.tier in tiers]
    # the base's own facts, not a second count of it
    assert cells(budget, "customers", "body")[: len(shown)] == published(*(one.customers for one in shown))
    assert cells(budget, "tier")[-2:] == ["Not traced to customers", "Total"]


# ---------------------------------------------------------------- what was not made

REFUSED: list[tuple[str, str, tuple[str, ...]]] = [
    ("portfolio", "value.headline_tiles", ()),
    ("portfolio", "value.change_figure", ()),
    ("change", "value.change_figure", ()),
    ("acquisition", "value.acquisition_table", ()),
    ("investment", "value.investment_figure", ()),
    ("modelling", "value_models.holdout_figure", ()),
    ("contracts", "value_models.renewals_figure", ()),
    ("effects", "value_effects.definitions_table", ()),
    ("effects", "value_effects.effect_figure", ("retention",)),
    ("effects", "value_effects.effects_table", ()),
    ("effects", "value_effects.worth_table", ()),
    ("effects", "value_effects.overlap_figure", ()),
    ("effects", "value_effects.placebo_table", ()),
    ("what_ifs", "value_what_ifs.what_if_table", ()),
    ("what_ifs", "value_what_ifs.budget_table", ()),
]


@pytest.mark.parametrize(("part", "name", "arguments"), REFUSED)
def test_a_part_that_was_not_made_says_its_own_reason_in_both_languages(
    part: str, name: str, arguments: tuple[str, ...], studied: ValueStudy
):
    block = BY_NAME[name](replace(studied, **{part: WHY}), *arguments)
    assert block.payload["kind"] == "callout" and not block.payload["untranslated"]
    assert said(block) == {"en": "the moon was full.", "zh": "正值满月。"}
    title = said(block, "title")
    assert title["en"].endswith(": not computed") and title["zh"] != title["en"]


def test_nothing_else_on_the_page_stands_on_a_part_that_was_not_made(studied: ValueStudy):
    parts = dict.fromkeys(
        ("portfolio", "change", "acquisition", "investment", "break_even", "modelling", "contracts"), WHY
    )
    bare = replace(studied, effects=WHY, what_ifs=WHY, **parts)
    spoken = {name for _, name, _ in REFUSED} | {"value_effects.diagrams_figure"}
    for name, function in BY_NAME.items():
        if name not in spoken:
            assert not any(function(bare, *arguments) for arguments in CALLS.get(name, [()])), name


def test_what_could_not_be_estimated_stands_in_its_table_with_the_reason(studied: ValueStudy):
    part, plan = studied.effects, studied.what_ifs
    assert isinstance(part, ServiceEffects) and isinstance(plan, WhatIfs)
    treatment, scenario = load_treatments()[0], plan.results[0].scenario
    none = replace(part, effects=(), refused={treatment.id: (treatment, WHY)})
    assert said(effects.effects_table(replace(studied, effects=none)))["zh"] == "正值满月。"
    block = effects.definitions_table(replace(studied, effects=none))
    assert cells(block, "eligible") == ["not computed: the moon was full"]
    nothing = replace(plan, results=(), refused={scenario.id: (scenario, WHY)})
    block = what_ifs.what_if_table(replace(studied, what_ifs=nothing))
    assert cells(block, "name") == [f"{scenario.name.en}: not computed: the moon was full"]
    without = tuple(
        replace(one, outcomes=(), unfitted={"retention": WHY, "repurchase": WHY}) for one in part.effects
    )
    block = effects.effect_figure(replace(studied, effects=replace(part, effects=without)), "retention")
    assert said(block) == {"en": "the moon was full.", "zh": "正值满月。"}


def test_nothing_to_show_is_said(studied: ValueStudy):
    part, plan, model = studied.effects, studied.what_ifs, studied.modelling
    assert isinstance(part, ServiceEffects) and isinstance(plan, WhatIfs) and not isinstance(model, NotDone)
    empty = replace(
        studied,
        acquisition=(),
        contracts=(),
        modelling=replace(model, weeks=()),
        effects=replace(part, effects=(), refused={}),
        what_ifs=replace(plan, results=(), refused={}),
    )
    blocks = [
        worth.acquisition_table(empty),
        models.renewals_figure(empty),
        models.holdout_figure(empty),
        effects.worth_table(empty),
        what_ifs.what_if_table(empty),
    ]
    assert {block.payload["kind"] for block in blocks} == {"callout"}
    assert not [message for block in blocks for message in block.payload["untranslated"]]
    assert all(said(block, "title")["zh"] != said(block, "title")["en"] for block in blocks)


@pytest.mark.parametrize(
    ("upper", "ends"),
    [
        (
            (100.0, 300.0),
            ((210.0, 30.0), (210.0, 50.0)),
        ),  # one over the other: straight down between their edges
        ((240.0, 300.0), ((250.0, 30.0), (250.0, 50.0))),
        (
            (255.0, 300.0),
            ((255.0, 20.0), (210.0, 50.0)),
        ),  # beside it: from its side to the middle of the other
        ((20.0, 90.0), ((90.0, 20.0), (210.0, 50.0))),
    ],
)
def test_an_arrow_starts_and_ends_on_its_boxes(
    upper: tuple[float, float], ends: tuple[tuple[float, float], tuple[float, float]]
):
    lower = value_effect_charts._Box(left=160.0, right=260.0, top=50.0, bottom=70.0)
    over = value_effect_charts._Box(*upper, top=10.0, bottom=30.0)
    side = "left" if upper[0] > 200 else "right"
    assert value_effect_charts._link(over, lower, at=side) == ends  # type: ignore[arg-type]


# the doubt of a chance is that of the draws alone: it would look surer than the ranges behind it
NO_INTERVAL = {"what_if_chance"}


@pytest.mark.parametrize("name", [one for one in BY_NAME if one.endswith("_table")])
def test_every_estimate_in_a_table_stands_with_its_interval(name: str, claimed: ValueStudy):
    for arguments in CALLS.get(name, [()]):
        for block in flattened([BY_NAME[name](claimed, *arguments)]):
            facts = {fact["id"]: fact for fact in block.payload["facts"]}
            heads = [column["label"]["en"] for column in block.payload["columns"]]
            for row in block.payload["rows"]:
                cells = [
                    (cell["fact"], head)
                    for cell, head in zip(row["cells"], heads, strict=True)
                    if cell["fact"]
                ]
                held = {fact for fact, head in cells if head in ("Interval", "Range")}
                # an estimate with its interval in one cell
                held |= {cell["fact"] for cell in row["cells"] if " (" in cell["text"]["en"]}
                bare = {fact for fact, _ in cells if facts[fact]["interval"]} - held
                assert {facts[fact]["metric"] for fact in bare} <= NO_INTERVAL, block.payload["id"]


# -- a zero that no effect stands behind is no estimate -------------------------------------------------------------------


@pytest.mark.parametrize("shown", [True, False])
def test_customer_value_of_effects_that_are_not_counted_is_words_and_no_zero(
    studied: ValueStudy, shown: bool
):
    part = studied.what_ifs
    assert isinstance(part, WhatIfs) and part.results
    one = part.results[0]
    verdict: Any = "effect" if shown else "not_shown"
    levers = tuple(
        replace(lever, outcomes=tuple(replace(each, verdict=verdict) for each in lever.outcomes))
        for lever in one.levers
    )
    nothing = replace(one.clv, value=0, interval=replace(one.clv.interval, low=0.0, high=0.0))  # type: ignore[type-var]
    made = replace(one, levers=levers, clv=nothing)
    study = replace(studied, what_ifs=replace(part, results=(made,)))
    for block, column in ((what_ifs.what_if_table(study), "clv"), (what_ifs.outside_table(study), "later")):
        assert block is not None
        at = [each["key"] for each in block.payload["columns"]].index(column)
        cell = block.payload["rows"][0]["cells"][at]
        assert (cell["kind"] == "fact") is shown
        assert shown or cell["text"] == {"en": "not counted", "zh": "不计入"}
        assert "no effect is shown or none was estimated" in str(block.payload["note"]["en"])


@pytest.mark.parametrize("saves", [True, False])
def test_a_scenario_that_states_no_saving_saves_none_and_not_zero(studied: ValueStudy, saves: bool):
    part = studied.what_ifs
    assert isinstance(part, WhatIfs) and part.results
    one = part.results[0]
    draws = {name: values for name, values in one.draws.items() if name != "saving_per_case"}
    made = replace(one, draws=draws | ({"saving_per_case": one.draws["uptake"]} if saves else {}))
    block = what_ifs.what_if_table(replace(studied, what_ifs=replace(part, results=(made,))))
    at = [each["key"] for each in block.payload["columns"]].index("saving")
    assert (block.payload["rows"][0]["cells"][at]["text"]["en"] == "none") is not saves


# -- what a page says follows the data ------------------------------------------------------------------------------------


def in_full(sentence: dict[str, list[dict[str, str]]], language: str = "en") -> str:
    return "".join(piece["t"] for piece in sentence[language])


@pytest.mark.parametrize(
    ("lows", "says"),
    [
        ((-1.0, -1.0), "no adjusted interval excludes zero"),
        ((1.0, -1.0), "the adjusted interval excludes zero for {0}"),
        ((1.0, 1.0), "the adjusted interval excludes zero for {0}; {1}"),
    ],
)
def test_the_title_of_margin_names_the_treatments_whose_interval_excludes_zero(
    studied: ValueStudy, lows: tuple[float, float], says: str
):
    assert isinstance(studied.effects, ServiceEffects)
    two = [one for one in studied.effects.effects if one.outcome("margin") is not None][:2]
    made = []
    for one, low in zip(two, lows, strict=True):
        margin = one.outcome("margin")
        assert margin is not None and margin.adjusted.interval is not None
        near = replace(margin.adjusted.interval, low=low, high=3.0)
        found = replace(margin, adjusted=replace(margin.adjusted, value=2.0, interval=near))
        made.append(replace(one, outcomes=(found,)))
    block = effects.margin_table(replace(studied, effects=replace(studied.effects, effects=tuple(made))))
    assert block is not None
    assert says.format(*(one.treatment.name.en for one in made)) in in_full(block.payload["title"])


def test_the_table_of_effects_says_that_verdicts_allow_for_more_than_intervals(studied: ValueStudy):
    assert isinstance(studied.effects, ServiceEffects)
    asked = sum(found.outcome != "margin" for one in studied.effects.effects for found in one.outcomes)
    said = in_full(effects.effects_table(studied).payload["subtitle"])
    assert f"all {asked} comparisons together (Holm), the intervals each stand alone" in said


def test_the_grid_of_investment_names_its_unit(studied: ValueStudy):
    block = worth.investment_figure(studied)
    assert in_full(block.payload["subtitle"]).endswith((", in CNY", ", in CNY thousand", ", in CNY million"))
    assert "，单位" in in_full(block.payload["subtitle"], "zh")


def test_the_base_says_who_and_what_is_counted(studied: ValueStudy):
    (said,) = [one.statement for one in studied.findings if one.id == "value.worth"]
    assert "who ever bought or held a contract" in said.plain()
    assert "contribution margin" in said.plain() and "贡献毛利" in said.plain("zh")


def test_the_change_by_customers_carries_its_sign(studied: ValueStudy):
    assert not isinstance(studied.change, NotDone)
    (moved,) = [
        one
        for one in worth.headline_tiles(studied).payload["tiles"]
        if one["metric"] == ["value_change_by_customers"]
    ]
    sign = "+" if (studied.change.by_customers.value or 0) > 0 else "−"
    assert in_full(moved["value"]).startswith(sign)


def test_a_miss_of_the_holdout_says_over_how_many_weeks(studied: ValueStudy):
    assert not isinstance(studied.modelling, NotDone)
    (check,) = [one for one in studied.checks if one.id == "value.holdout"]
    weeks = studied.modelling.holdout_weeks.value
    assert f"without the last {weeks} weeks" in check.sentence.plain()
    assert f"最后 {weeks} 周" in check.sentence.plain("zh")


def test_an_assumed_effect_is_called_a_relative_rise_and_never_an_effect(studied: ValueStudy):
    from analysis.value.scenarios import _input_name

    part = studied.what_ifs
    assert isinstance(part, WhatIfs)
    treatments = {one.id: one for one in load_treatments()}
    for one in part.results:
        for index, lever in enumerate(one.scenario.levers):
            name = _input_name(one.scenario, f"retention.{index}").en
            wanted = treatments[lever.treatment].wanted
            assert name.startswith("Relative rise in staying under contract if")
            assert name.endswith("happens" if wanted else "does not happen")
