"""From the money of the churn section to the customer value at stake: every step by hand, and the ends are those printed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from analysis.errors import MissingData
from analysis.exhibits import value_effects
from analysis.metrics import NotDone, StudyInputs
from analysis.metrics.materiality import Materiality
from analysis.results import Fact
from analysis.value import effect_findings
from analysis.value.effect_results import ServiceEffects, TreatmentEffect
from analysis.value.money_bridge import money_bridges
from analysis.value.results import ValueStudy


def stated(like: Fact, value: Any, metric: str = "") -> Fact:
    return replace(like, value=value, reason=None, interval=None, metric=metric or like.metric)


def part_of(whole: Fact, value: Decimal, outcome: str) -> Fact:
    made = stated(whole, value, "service_value_at_stake_part")
    return replace(made, dimensions={**whole.dimensions, "outcome": outcome})


def priced(studied: ValueStudy, *, effect: float, kept: str | None, bought: str | None) -> TreatmentEffect:
    """A treatment with so many pp on staying, and by hand what each outcome is of the sum."""
    assert isinstance(studied.effects, ServiceEffects)
    one = studied.effects["repeat_repair"]
    outcomes = tuple(
        replace(each, status="effect", adjusted=replace(each.adjusted, value=effect))
        if each.outcome == "retention"
        else each
        for each in one.outcomes
    )
    parts = [None if amount is None else Decimal(amount) for amount in (kept, bought)]
    whole = sum((part for part in parts if part is not None), Decimal(0))
    return replace(
        one,
        outcomes=outcomes,
        exposed_year=stated(one.exposed_year, 1000),
        at_stake=stated(one.at_stake, whole),
        stake_retention=None if parts[0] is None else part_of(one.at_stake, parts[0], "retention"),
        stake_repurchase=None if parts[1] is None else part_of(one.at_stake, parts[1], "repurchase"),
    )


def lending(inputs: StudyInputs, like: Fact, name: str = "repeat") -> StudyInputs:
    """The churn section says: 200 customers, a tenth more of them lost, CNY 5,000 of margin each, so CNY 100,000."""
    there = SimpleNamespace(
        money=stated(like, Decimal("100000.00"), "experience_margin_at_stake"),
        difference=replace(stated(like, 0.10, "loss_risk_difference"), unit="percentage_points"),
        customers=200,
    )
    return replace(inputs, experience_money=lambda _: {name: there})


def test_every_step_by_hand(sampled: StudyInputs, studied: ValueStudy):
    one = priced(studied, effect=-0.08, kept="40000.00", bought="15000.00")
    (bridge,) = money_bridges(lending(sampled, one.at_stake), [one])
    # 800 cases more than customers; two points less; 40,000 for 80 contracts kept in place of 5,000 each; purchases apart
    assert {step: fact.value for step, fact in bridge.steps.items()} == {
        "cases": Decimal("400000.00"),
        "share": Decimal("-100000.00"),
        "worth": Decimal("-360000.00"),
        "purchases": Decimal("15000.00"),
    }
    assert bridge.start.value + sum(fact.value for fact in bridge.steps.values()) == bridge.end.value
    assert (bridge.customers.value, bridge.margin.value) == (200, Decimal("5000.00"))
    assert bridge.renewals is not None and bridge.renewals.value == Decimal("500.00")


def test_what_is_not_counted_here_has_no_step(sampled: StudyInputs, studied: ValueStudy):
    one = priced(studied, effect=-0.08, kept=None, bought="15000.00")
    (bridge,) = money_bridges(lending(sampled, one.at_stake), [one])
    assert list(bridge.steps) == ["cases", "share", "purchases"] and bridge.effect is None
    assert bridge.steps["share"].value == Decimal("-500000.00")
    alone = priced(studied, effect=-0.08, kept="40000.00", bought=None)
    (bridge,) = money_bridges(lending(sampled, alone.at_stake), [alone])
    assert list(bridge.steps) == ["cases", "share", "worth"]
    assert bridge.start.value + sum(fact.value for fact in bridge.steps.values()) == bridge.end.value


def test_a_wanted_treatment_keeps_customers_by_its_own_sign(sampled: StudyInputs, studied: ValueStudy):
    one = priced(studied, effect=0.12, kept="60000.00", bought=None)
    one = replace(one, treatment=replace(one.treatment, wanted=True))
    (bridge,) = money_bridges(lending(sampled, one.at_stake), [one])
    # 12 points against 10, of 1,000 cases at 5,000
    assert bridge.steps["share"].value == Decimal("100000.00")


def test_only_what_both_sections_price_is_bridged(sampled: StudyInputs, studied: ValueStudy):
    one = priced(studied, effect=-0.08, kept="40000.00", bought=None)
    lent = lending(sampled, one.at_stake)
    assert (
        money_bridges(
            lent, [replace(one, at_stake=replace(one.at_stake, value=None, reason=one.treatment.name))]
        )
        == ()
    )
    assert money_bridges(lending(sampled, one.at_stake, "slow"), [one]) == ()
    assert money_bridges(replace(sampled, experience_money=None), [one]) == ()

    def refuses(_: StudyInputs) -> dict[str, Any]:
        raise MissingData("contracts.starts_on")

    assert money_bridges(replace(sampled, experience_money=refuses), [one]) == ()


def test_the_table_leads_from_one_end_to_the_other_and_the_finding_names_it(
    sampled: StudyInputs, studied: ValueStudy
):
    assert isinstance(studied.effects, ServiceEffects)
    one = priced(studied, effect=-0.08, kept="40000.00", bought="15000.00")
    bridges = money_bridges(lending(sampled, one.at_stake), [one])
    block = value_effects.bridge_table(replace(studied, effects=replace(studied.effects, bridges=bridges)))
    assert block is not None and not block.payload["untranslated"]
    keys = [column["key"] for column in block.payload["columns"]]
    rows = [dict(zip(keys, row["cells"], strict=True)) for row in block.payload["rows"]][1:]
    assert [row["step"]["text"]["en"] for row in rows] == [
        "",
        "+400,000.00",
        "−100,000.00",
        "−360,000.00",
        "+15,000.00",
        "",
    ]
    # a level has no sign, and stands in no column of changes
    assert [row["sum"]["text"]["en"] for row in rows] == ["100,000.00", "", "", "", "", "55,000.00"]
    assert value_effects.bridge_table(replace(studied, effects=replace(studied.effects, bridges=()))) is None


@pytest.fixture
def any_fact_of_money(studied: ValueStudy) -> Fact:
    assert not isinstance(studied.portfolio, NotDone)
    return replace(studied.portfolio.total, metric="service_value_at_stake")


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        (("retention",), "contract renewals of their customers over"),
        (("repurchase",), "purchases of their customers within a year, discounted"),
        (
            ("repurchase", "retention"),
            "purchases of their customers within a year and their contract renewals over",
        ),
    ],
)
def test_the_money_of_a_finding_says_what_it_is(
    studied: ValueStudy, any_fact_of_money: Fact, outcomes: tuple[str, ...], words: str
):
    assert isinstance(studied.effects, ServiceEffects)
    one = studied.effects["repeat_repair"]
    claimed = tuple(
        replace(each, status="effect" if each.outcome in outcomes else "not_shown") for each in one.outcomes
    )
    money = replace(any_fact_of_money, dimensions={"treatment": "repeat_repair"})
    made = replace(one, outcomes=claimed, at_stake=money)
    limits = Materiality(limit=money, trivial=money)
    for bridged in (frozenset({"repeat_repair"}), frozenset()):
        (found,) = effect_findings.findings([made], limits, 0.0, horizon=studied.horizon, bridged=bridged)
        said = found.statement.plain()
        assert words in said and ("churn section" in said) is bool(bridged)
        assert "churn section" not in found.statement.plain("zh") and (
            "流失章节" in found.statement.plain("zh")
        ) is bool(bridged)


@pytest.mark.parametrize(
    ("doubtful", "words", "title"),
    [
        ((), "", "of customer value (95% interval"),
        (
            ("repurchase",),
            "Of that sum CNY 15,000 (no interval) rests on the effect on repurchase, whose interval a hidden cause",
            "CNY 40,000 by an effect shown, CNY 15,000 by one that a hidden cause could account for",
        ),
        (
            ("retention",),
            "Of that sum CNY 40,000 (no interval) rests on the effect on staying, whose interval a hidden cause",
            "CNY 15,000 by an effect shown, CNY 40,000 by one that a hidden cause could account for",
        ),
        (
            ("repurchase", "retention"),
            "All of that sum rests on an effect whose interval a hidden cause",
            "unless a hidden cause makes the effect",
        ),
    ],
)
def test_a_sum_of_a_shown_and_a_doubtful_effect_is_split(
    studied: ValueStudy, any_fact_of_money: Fact, doubtful: tuple[str, ...], words: str, title: str
):
    one = priced(studied, effect=-0.08, kept="40000.00", bought="15000.00")
    outcomes = tuple(
        replace(each, status="effect", enough=each.outcome in doubtful)
        for each in one.outcomes
        if each.outcome != "margin"
    )
    money = replace(any_fact_of_money, dimensions={"treatment": "repeat_repair"})
    made = replace(one, outcomes=outcomes, at_stake=money)
    limits = Materiality(limit=money, trivial=money)
    for bridged in (frozenset({"repeat_repair"}), frozenset()):
        (found,) = effect_findings.findings([made], limits, 0.0, horizon=studied.horizon, bridged=bridged)
        said = found.statement.plain()
        assert words in said and ("rests on" in said) is bool(doubtful)
        assert ("该金额" in found.statement.plain("zh")) is bool(doubtful)
    assert title in value_effects._stake_title([made]).plain()
