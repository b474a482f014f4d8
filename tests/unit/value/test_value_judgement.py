"""What is said follows what the data support: misses by chance and size, ranks by intervals, severity by money, one count of one thing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.exhibits import value as worth
from analysis.exhibits import value_effects as effects_
from analysis.exhibits import value_models as models
from analysis.exhibits import value_what_ifs as what_ifs
from analysis.exhibits.record import flattened
from analysis.locale import Text
from analysis.metrics import NotDone, StudyInputs
from analysis.metrics.materiality import Materiality
from analysis.results import Fact, Interval, Sentence
from analysis.value import effect_findings, findings, purchase_models
from analysis.value.acquisition import payback_months
from analysis.value.base import standing_out
from analysis.value.effect_results import ServiceEffects
from analysis.value.model_facts import Modelling
from analysis.value.portfolio import Portfolio, cumulative_share
from analysis.value.purchase_models import Choice, Holdout, beyond
from analysis.value.results import ValueStudy
from analysis.value.scenarios import WhatIfs


def between(fact: Fact, value: float, low: float, high: float) -> Fact:
    exact = Decimal(str(value)) if isinstance(fact.value, Decimal) else value
    return replace(fact, value=exact, interval=Interval(low=low, high=high, level=0.95, method="by hand"))


@pytest.fixture(scope="module")
def any_fact(studied: ValueStudy) -> Fact:
    assert isinstance(studied.portfolio, Portfolio)
    return studied.portfolio.top_share


def limits(fact: Fact, *, limit: float, trivial: float) -> Materiality:
    return Materiality(limit=replace(fact, value=limit), trivial=replace(fact, value=trivial))


# -- a miss is judged by chance and by size, and taken out of the value ----------------------------------------------------


def holdout(actual: float, predicted: float, noise: float, *, material: bool) -> Holdout:
    return Holdout(
        calibrated_to=pd.Timestamp("2025-10-31").date(),
        customers=100,
        actual=actual,
        predicted=predicted,
        noise=noise,
        classes=pd.DataFrame(),
        weeks=pd.DataFrame(),
        good=True,
        material=material,
    )


@pytest.mark.parametrize(
    ("predicted", "noise", "expected"),
    [
        (1048.0, 12.0, True),  # 4.8 %, limits 2.3 to 7.3
        (1048.0, 30.0, False),  # the same miss within chance
        (1010.0, 2.0, False),  # beyond chance, too small to matter
        (900.0, 12.0, True),  # too few is a miss as well
    ],
)
def test_a_miss_counts_when_it_is_beyond_chance_and_large_enough(
    predicted: float, noise: float, expected: bool
):
    assert beyond(predicted, 1000.0, noise, 0.02) is expected
    assert not beyond(predicted, 0.0, noise, 0.02)


def test_a_known_miss_is_taken_out_and_stays_in_the_interval():
    found = holdout(1000.0, 1050.0, 12.0, material=True)
    assert found.correction == pytest.approx(1000 / 1050)
    assert found.doubt == pytest.approx(math.hypot(0.05 / 1.05, 12 * 1.05 / 1000))
    small = holdout(1000.0, 1050.0, 40.0, material=False)
    assert small.correction == 1.0 and small.doubt == pytest.approx(math.hypot(0.05, 40 * 1.05 / 1000))
    used = Choice(model="bg_nbd", grouping="none", candidates=(), holdout=found)
    assert used.correction == found.correction and used.doubt == found.doubt
    observed = replace(used, model="observed_rates")  # its rates are those of the holdout
    assert observed.correction == 1.0 and observed.doubt == 0.0


@dataclass(frozen=True)
class Steady:
    """A model by hand: everybody is there, and buys at the same rate."""

    r: float = 0.5
    alpha: float = 10.0
    a: float = 1.0
    b: float = 1.0
    customers: float = 680.0

    def expected_purchases(
        self, weeks: float, x: np.ndarray, recency: np.ndarray, age: np.ndarray
    ) -> np.ndarray:
        return (self.r + x) / (self.alpha + age) * weeks

    def probability_alive(self, x: np.ndarray, recency: np.ndarray, age: np.ndarray) -> np.ndarray:
        return np.ones(len(x))


def test_the_correction_reaches_the_forecast_and_not_the_chance_of_being_there():
    frame = pd.DataFrame({"x": [0, 3], "recency": [0, 50], "age": [60, 60]})

    def forecast(material: bool) -> pd.DataFrame:
        choice = Choice(
            model="bg_nbd",
            grouping="none",
            candidates=(),
            holdout=holdout(1000.0, 1250.0, 12.0, material=material),
        )
        buying = purchase_models.Buying(choice=choice, models={"all": Steady()}, customers=680, patterns=6)
        return purchase_models.expectations(
            frame.assign(grp="all"), buying, months=36, rate=0.08, derivatives=True
        )

    plain, corrected = forecast(False), forecast(True)
    for column in ("det", "next_12m", "d0", "d3"):
        assert corrected[column].tolist() == pytest.approx((plain[column] * 0.8).tolist())
    for column in ("p_alive", "stay_12m"):
        assert corrected[column].tolist() == plain[column].tolist()


def with_miss(
    studied: ValueStudy,
    limits: tuple[float, float, float],
    *,
    classes: tuple[float, float, float] | None = None,
) -> ValueStudy:
    model = studied.modelling
    assert isinstance(model, Modelling) and model.miss is not None and model.classes
    lines = tuple(
        replace(one, miss=between(model.miss, *(classes or (0.01, -0.1, 0.12))), good=True)
        for one in model.classes[:1]
    )
    changed = replace(
        model,
        good=True,
        miss=between(model.miss, *limits),
        classes=lines,
        material=limits == (0.048, 0.024, 0.073),
    )
    return replace(studied, modelling=changed)


@pytest.mark.parametrize(
    ("miss", "outcome", "words"),
    [
        (
            (0.048, 0.024, 0.073),
            "failed",
            "beyond chance and beyond the limit of correction (2.0%), within the limit of use (10.0%)",
        ),
        (
            (-0.048, -0.073, -0.024),
            "failed",
            "beyond chance and beyond the limit of correction (2.0%), within the limit of use (10.0%)",
        ),
        ((0.01, 0.005, 0.015), "info", "beyond chance, within the limit of correction (2.0%)"),
        ((0.01, -0.02, 0.04), "info", "may be chance"),
        ((0.001, -0.01, 0.012), "passed", "within chance and within the limit of correction (2.0%)"),
    ],
)
def test_no_check_passes_while_the_page_shows_a_miss(
    studied: ValueStudy, miss: tuple[float, float, float], outcome: str, words: str
):
    shown = with_miss(studied, miss)
    check = next(one for one in findings.checks(shown) if one.id == "value.holdout")
    assert check.outcome == outcome and words in check.sentence.plain()
    title = models.holdout_figure(shown).payload["title"]["en"]
    said = "".join(piece["t"] for piece in title)
    assert ("corrected for it" in said) is (miss == (0.048, 0.024, 0.073))
    assert ("within chance" in said) is (miss[1] < 0 < miss[2])


@pytest.mark.parametrize(
    ("miss", "outcome", "words"),
    [
        (
            (0.136, 0.06, 0.21),
            "failed",
            "within the limit of use of a class (20.0%); a correction of the whole does not take this out",
        ),
        ((0.01, -0.1, 0.12), "passed", "No class of repeat purchases is missed beyond chance"),
    ],
)
def test_a_class_is_judged_by_its_printed_interval(
    studied: ValueStudy, miss: tuple[float, float, float], outcome: str, words: str
):
    shown = with_miss(studied, (0.001, -0.01, 0.012), classes=miss)
    (check,) = (one for one in findings.checks(shown) if one.id.startswith("value.holdout."))
    assert check.outcome == outcome and words in check.sentence.plain()
    said = "".join(piece["t"] for piece in models.classes_figure(shown).payload["title"]["en"])  # type: ignore[union-attr]
    assert ("With all classes judged together, none is missed beyond chance" in said) is (outcome == "passed")


def test_intervals_of_classes_hold_together(studied: ValueStudy):
    model = studied.modelling
    assert isinstance(model, Modelling) and len(model.classes) > 1
    for one in model.classes:
        assert one.miss.value is None or "jointly" in one.miss.interval.method  # type: ignore[union-attr]


# -- nothing is named the most or the least without intervals that support it ---------------------------------------------


def test_the_one_that_stands_out_lies_beyond_all_intervals(any_fact: Fact):
    clear = [between(any_fact, *one) for one in ((3.0, 2.5, 3.5), (1.0, 0.5, 1.5), (2.0, 1.6, 2.4))]
    assert standing_out(clear, lambda one: one) is clear[0]
    assert standing_out(clear, lambda one: one, lowest=True) is clear[1]
    near = [between(any_fact, *one) for one in ((3.0, 2.0, 4.0), (2.9, 1.9, 3.9))]
    assert (
        standing_out(near, lambda one: one) is None
        and standing_out(near, lambda one: one, lowest=True) is None
    )
    assert standing_out([*clear, replace(clear[0], interval=None)], lambda one: one) is None
    assert standing_out(clear[:1], lambda one: one) is None


def title(block: Any) -> str:
    return "".join(piece["t"] for piece in block.payload["title"]["en"])


RATIOS: list[tuple[tuple[float, ...], tuple[float, ...], str, str, str]] = [
    ((4.0, 3.9, 4.1), (6.0, 5.8, 6.2), "info", "lowest in", ": 4.0"),
    (
        (4.0, 3.0, 5.0),
        (4.1, 3.1, 5.1),
        "info",
        "In every channel a new customer brings more",
        "channel by channel",
    ),
    ((1.1, 0.9, 1.3), (1.2, 0.95, 1.4), "info", "No channel is shown to lose money", "channel by channel"),
    ((0.5, 0.4, 0.6), (0.55, 0.4, 0.7), "watch", "loses money on new customers", "channel by channel"),
]


@pytest.mark.parametrize(("first", "second", "severity", "words", "head"), RATIOS)
def test_a_channel_is_named_only_where_its_interval_allows(
    studied: ValueStudy,
    any_fact: Fact,
    first: tuple[float, float, float],
    second: tuple[float, float, float],
    severity: str,
    words: str,
    head: str,
):
    found = studied.acquisition
    assert not isinstance(found, NotDone)
    two = [
        replace(one, ratio=between(one.ratio, *ratio))
        for one, ratio in zip(found[:2], (first, second), strict=True)
    ]
    study = replace(studied, acquisition=tuple(two))
    said = findings.findings(study, limits(any_fact, limit=1e12, trivial=1.0))
    channels = [one for one in said if one.id == "value.acquisition"]
    assert {one.severity for one in channels} == {severity} and words in channels[0].statement.plain()
    assert len(channels) == (2 if "loses" in words else 1)
    assert head in title(worth.acquisition_table(study))


def test_the_most_valuable_slice_is_named_within_its_dimension(studied: ValueStudy):
    whole = studied.portfolio
    assert isinstance(whole, Portfolio)
    segments = whole.by["segment"]
    assert len(segments) > 1
    apart = tuple(
        replace(one, mean=between(one.mean, 100.0 - 10 * place, 98.0 - 10 * place, 102.0 - 10 * place))
        for place, one in enumerate(segments)
    )
    named = replace(studied, portfolio=replace(whole, by={**whole.by, "segment": apart}))
    assert f"By segment, {apart[0].label.en} is worth most, CNY" in title(
        worth.slices_table(named, "tier", "segment")
    )
    alike = tuple(replace(one, mean=between(one.mean, 100.0, 50.0, 150.0)) for one in segments)
    unnamed = replace(studied, portfolio=replace(whole, by={**whole.by, "segment": alike}))
    assert "slice by slice" in title(worth.slices_table(unnamed, "tier", "segment"))


@pytest.mark.parametrize(
    ("npvs", "words"),
    [
        ([(-5.0, -9.0, -1.0)], "No scenario earns its cost"),
        ([(5.0, -9.0, 19.0)], "may pay"),
        ([(5.0, -9.0, 19.0), (6.0, -9.0, 19.0)], "Some scenarios may pay"),
    ],
)
def test_no_scenario_is_called_best_within_chance(studied: ValueStudy, npvs: list[Any], words: str):
    part = studied.what_ifs
    assert isinstance(part, WhatIfs)
    results = tuple(replace(part.results[0], npv=between(part.results[0].npv, *one)) for one in npvs)
    assert words in what_ifs._what_if_title(results).plain()


def test_one_input_decides_only_where_it_clearly_does(studied: ValueStudy):
    part = studied.what_ifs
    assert isinstance(part, WhatIfs)
    one = next(each for each in part.results if len(each.swings) > 1)
    (name, text, low, high), (second, other, from_, to) = one.swings[:2]

    def said(width: float) -> str:
        swings = (
            (name, text, replace(low, value=Decimal(0)), replace(high, value=Decimal(str(width)))),
            (second, other, replace(from_, value=Decimal(0)), replace(to, value=Decimal(100))),
        )
        alone = replace(part, results=(replace(one, swings=swings),))
        return title(what_ifs.scenario_figures(replace(studied, what_ifs=alone))[0])

    assert "decides more than anything else" in said(150.0)
    assert "decide most" in said(105.0)


# -- every estimate has its interval ---------------------------------------------------------------------------------------


def test_parts_cells_and_steps_have_intervals_that_agree_with_the_whole(studied: ValueStudy):
    whole, grid, moved = studied.portfolio, studied.investment, studied.change
    assert isinstance(whole, Portfolio) and not isinstance(grid, NotDone) and not isinstance(moved, NotDone)

    def reach(fact: Fact) -> float:
        assert fact.interval is not None
        return (fact.interval.high - fact.interval.low) / 2

    # purchases, contracts and service are estimated apart: their errors add up as squares
    assert reach(whole.total) == pytest.approx(math.hypot(*(reach(part) for part in whole.parts.values())))
    assert whole.service_share.interval is not None and whole.residual_contract.interval is not None
    assert all(fact.interval is not None for _, fact in whole.lorenz)
    full = [cell for cell in grid.cells.values() if cell.customers.value]
    assert full and all(cell.value.interval is not None for cell in full)
    for name in ("new", "lost", "grown", "shrunk"):
        assert (moved.steps[name].interval is not None) is bool(moved.customers[name].value)
    assert reach(moved.by_customers) == pytest.approx(
        math.hypot(*(reach(fact) for fact in moved.steps.values() if fact.interval is not None))
    )


def test_the_payback_has_the_months_of_the_limits_of_the_mean():
    # ten customers earn 10 each in month 1 without spread, then one of them 100 in month 2
    ages = [(1, 10.0, 100.0, 1000.0), (2, 10.0, 100.0, (110.0**2 - 10.0**2))]
    assert payback_months(ages, 9.0, 0.95) == (1, 1, 1)
    first, soonest, latest = payback_months(ages, 15.0, 0.95)
    assert (first, soonest) == (
        2,
        2,
    ) and latest is None  # mean 20 after two months, its error 10: the lower limit is below 15
    assert payback_months(ages, 30.0, 0.95) == (None, 2, None)


def test_the_lorenz_curve_and_the_top_tenth_are_one(studied: ValueStudy):
    count, worth_ = np.array([1.0, 1.0, 2.0]), np.array([1.0, 2.0, 7.0])
    assert cumulative_share(count, worth_, 0.5) == pytest.approx(0.3)
    assert cumulative_share(count, worth_, 0.25) == pytest.approx(0.1)


# -- severity by money ------------------------------------------------------------------------------------------------------


def test_severity_follows_money_and_the_smallest_effect_that_matters(studied: ValueStudy, any_fact: Fact):
    assert isinstance(studied.effects, ServiceEffects)
    effects = studied.effects.effects
    one = next(each for each in effects if each.outcome("repurchase") is not None)
    outcome = one.outcome("repurchase")
    assert outcome is not None

    def graded(size: float, stake: float, *, limit: float, explained_away: bool = False) -> str:
        adjusted = between(outcome.adjusted, size, size / 2, 2 * size)
        stated = replace(outcome, status="effect", adjusted=adjusted, enough=explained_away)
        shown = replace(one, outcomes=(stated,), at_stake=between(one.at_stake, stake, stake / 2, 2 * stake))
        (found,) = effect_findings.findings([shown], limits(any_fact, limit=limit, trivial=limit / 20), 0.01)
        return found.severity

    assert graded(0.05, 1e6, limit=5e5) == "alert"  # the least that it may be is material
    assert graded(0.05, 1e6, limit=6e5) == "watch"  # the least is not
    assert graded(0.05, 1e6, limit=5e5, explained_away=True) == "watch"  # by an ordinary hidden cause
    assert graded(0.05, 1e6, limit=1e9) == "info"  # trivial in money
    assert graded(0.004, 1e6, limit=1e3) == "info"  # certain, and too small to matter


@pytest.mark.parametrize(
    ("change", "severity"),
    [
        ((-900.0, -950.0, -850.0), "alert"),
        ((-90.0, -95.0, -85.0), "watch"),
        ((-9.0, -10.0, -8.0), "info"),
        ((900.0, 850.0, 950.0), "good"),
        ((9.0, 8.0, 10.0), "info"),
        ((900.0, -100.0, 1900.0), "info"),
    ],
)
def test_a_change_of_value_is_graded_by_its_size(
    studied: ValueStudy, any_fact: Fact, change: tuple[float, float, float], severity: str
):
    found = studied.change
    assert not isinstance(found, NotDone)
    moved = replace(studied, change=replace(found, by_customers=between(found.by_customers, *change)))
    (one,) = (
        each
        for each in findings.findings(moved, limits(any_fact, limit=500.0, trivial=25.0))
        if each.id == "value.change"
    )
    assert one.severity == severity


# -- one quantity, one number --------------------------------------------------------------------------------------------------


def test_contract_customers_are_those_of_the_churn_section(studied: ValueStudy, sampled: StudyInputs):
    whole = studied.portfolio
    assert isinstance(whole, Portfolio)
    bound = next(one for one in whole.by["kind"] if one.value == "contract")
    end = f"DATE '{sampled.month.end}'"
    at = f"{sampled.month.end:%Y%m%d}"
    present = sampled.engine.query(
        f"SELECT count(DISTINCT customer_id) AS n FROM contract_spells_at_{at} WHERE begins < {end} AND ends IS NULL"
    )["n"].iloc[0]
    assert bound.customers.value == present


def test_words_of_causes_are_not_claimed_in_the_findings(studied: ValueStudy, any_fact: Fact):
    assert isinstance(studied.effects, ServiceEffects)
    claimed = tuple(
        replace(one, outcomes=tuple(replace(each, status="effect") for each in one.valued))
        for one in studied.effects.effects
    )
    for one in effect_findings.findings(claimed, limits(any_fact, limit=1.0, trivial=0.1), 0.0):
        said = one.statement.plain()
        assert (
            "if no unmeasured cause is at work" in said and "it changes" not in said and "because" not in said
        )
        assert "没有未测量的原因" in one.statement.plain("zh")


# -- what a doubt is worth -------------------------------------------------------------------------------------------------


def doubted(
    studied: ValueStudy, *, effect: float, placebo: tuple[float, float, float], hidden: float
) -> ValueStudy:
    """One treatment with one claimed effect and one placebo, by hand."""
    assert isinstance(studied.effects, ServiceEffects)
    one = next(
        each for each in studied.effects.effects if each.outcome("repurchase") and each.placebos[0].effect
    )
    outcome, first = one.outcome("repurchase"), one.placebos[0]
    assert outcome is not None and first.effect is not None
    claimed = replace(
        outcome,
        status="effect",
        enough=False,
        adjusted=between(outcome.adjusted, effect, effect / 2, 2 * effect),
        if_hidden=replace(outcome.if_hidden, value=hidden, reason=None),
    )
    passed = replace(first, passed=True, refusal=None, effect=between(first.effect, *placebo))
    made = replace(one, outcomes=(claimed,), placebos=(passed,), overlap_holds=True)
    return replace(studied, effects=replace(studied.effects, effects=(made,)))


@pytest.mark.parametrize(
    ("placebo", "blunt"),
    [((0.0, -0.04, 0.05), True), ((0.0, -0.06, 0.01), True), ((0.0, -0.01, 0.01), False)],
)
def test_a_placebo_too_wide_to_exclude_the_claim_is_said_to_be(
    studied: ValueStudy, placebo: tuple[float, float, float], blunt: bool
):
    shown = doubted(studied, effect=0.048, placebo=placebo, hidden=0.024)
    assert isinstance(shown.effects, ServiceEffects)
    said = [
        check.id for check in effect_findings.checks(shown.effects.effects, {}) if check.id.endswith(".blunt")
    ]
    assert bool(said) is blunt
    assert ("not every placebo could have found one" in title(effects_.placebo_table(shown))) is blunt


@pytest.mark.parametrize(("hidden", "untested"), [(0.047, True), (0.024, False)])
def test_a_benchmark_that_moves_nothing_is_no_test(studied: ValueStudy, hidden: float, untested: bool):
    shown = doubted(studied, effect=0.048, placebo=(0.0, -0.01, 0.01), hidden=hidden)
    assert isinstance(shown.effects, ServiceEffects)
    (check,) = (one for one in effect_findings.checks(shown.effects.effects, {}) if ".hidden." in one.id)
    assert ("hardly bears on this" in check.sentence.plain()) is untested
    assert ("that says little" in title(effects_.hidden_table(shown))) is untested


# -- every estimate that is printed in words carries its interval ----------------------------------------------------------

# Named with what adds up to a sum whose interval is printed; the interval of each stands in the table of the steps.
WITHOUT = ("{new:signed}", "{lost:signed}", "{grown:signed}", "{shrunk:signed}")


def bare(sentence: Any) -> list[str]:
    """Estimates of a sentence that are printed and whose interval is not."""
    text = sentence.template
    found = []
    for name, value in sentence.values.items():
        if not isinstance(value, Fact) or value.interval is None or value.value is None:
            continue
        placed = [f"{{{name}}}", f"{{{name}:signed}}", f"{{{name}:abs}}"]
        printed = [place for place in placed if place in text and place not in WITHOUT]
        if printed and f"{{{name}:interval}}" not in text and f"{{{name}:doubt}}" not in text:
            found.append(name)
    return found


def test_findings_print_the_interval_of_every_estimate(studied: ValueStudy):
    assert studied.findings
    assert {one.id: found for one in studied.findings if (found := bare(one.statement))} == {}


def test_an_estimate_without_its_interval_would_be_found(studied: ValueStudy):
    whole = studied.portfolio
    assert isinstance(whole, Portfolio)
    assert bare(Sentence("It is worth {total}.", {"total": whole.total})) == ["total"]
    assert bare(Sentence("It is worth {total} ({total:interval}).", {"total": whole.total})) == []


def title_facts(block: Any) -> list[str]:
    """Estimates of a title that stand there once: an estimate with its interval is two pieces of the same fact."""
    facts = {fact["id"]: fact for fact in block.payload["facts"]}
    named = [piece["fact"] for piece in block.payload["title"]["en"] if piece.get("fact")]
    return [
        id
        for id in set(named)
        if facts[id]["interval"] and facts[id]["value"] is not None and named.count(id) < 2
    ]


@pytest.mark.parametrize(
    "make",
    [
        worth.parts_table,
        worth.lorenz_figure,
        worth.change_figure,
        worth.change_table,
        worth.acquisition_table,
        worth.investment_figure,
        worth.groups_table,
        lambda study: worth.slices_table(study, "tier", "customer_type"),
        models.holdout_figure,
        models.classes_figure,
        models.renewals_figure,
        models.contracts_table,
        effects_.worth_table,
        effects_.hidden_table,
        lambda study: effects_.effect_figure(study, "repurchase"),
        lambda study: effects_.effect_figure(study, "retention"),
        what_ifs.what_if_table,
        what_ifs.returns_table,
        what_ifs.budget_table,
        what_ifs.scenario_figures,
    ],
)
def test_titles_print_the_interval_of_every_estimate(studied: ValueStudy, make: Any):
    for block in flattened([make(studied)]):
        if "title" in block.payload:
            assert not title_facts(block), block.id


def test_tiles_print_the_interval_of_every_estimate(studied: ValueStudy):
    block = worth.headline_tiles(studied)
    facts = {fact["id"]: fact for fact in block.payload["facts"]}
    for one in block.payload["tiles"]:
        said = "".join(piece["t"] for line in one["comparisons"] for piece in line["value"]["en"])
        assert not facts[one["fact"]]["interval"] or "95% interval" in said


@pytest.mark.parametrize(
    ("payback", "npv", "words"),
    [
        ((19.0, 12.0, 30.0), (5.0, 1.0, 9.0), "paid back after 19 months (95% interval"),
        ((19.0, None, None), (5.0, -9.0, 19.0), "it earns its cost with a chance of"),
        ((None, None, None), (-5.0, -9.0, 2.0), "it earns its cost with a chance of"),
        ((None, None, None), (-5.0, -9.0, -1.0), "it does not earn its cost"),
    ],
)
def test_a_payback_is_titled_with_its_interval_or_by_its_chance(
    studied: ValueStudy, payback: tuple[Any, Any, Any], npv: tuple[float, float, float], words: str
):
    part = studied.what_ifs
    assert isinstance(part, WhatIfs)
    one = part.results[0]
    value, low, high = payback
    known = replace(one.payback, value=value, reason=None if value else Text.of("none"), interval=None)
    if low is not None:
        assert one.npv.interval is not None
        known = replace(known, interval=replace(one.npv.interval, low=low, high=high))
    made = replace(one, payback=known, npv=between(one.npv, *npv))
    assert words in what_ifs._fan_title(made).plain()


@pytest.mark.parametrize(
    ("needed", "low", "high", "reached"),
    [(0.6, 0.4, 0.9, True), (1.2, 0.9, 1.5, True), (14.2, 8.5, 35.8, False), (3.0, None, None, False)],
)
def test_an_uptake_beyond_the_whole_change_is_said_to_be_out_of_reach(
    studied: ValueStudy, needed: float, low: float | None, high: float | None, reached: bool
):
    part = studied.what_ifs
    assert isinstance(part, WhatIfs)
    one = part.results[0]
    assert one.npv.interval is not None
    limits = None if low is None or high is None else replace(one.npv.interval, low=low, high=high)
    fact = replace(one.break_even, value=needed, reason=None, interval=limits)
    cell = what_ifs._reachable(replace(one, break_even=fact))
    assert (cell is fact) is reached and (reached or cell.en == "out of reach")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("statuses", "said", "unsaid"),
    [
        ({"effect", "not_shown"}, ("orange", "blue"), ("pale", "red")),
        ({"doubtful"}, ("red", "hidden cause"), ("orange", "blue", "pale")),
        ({"association"}, ("pale",), ("orange", "blue", "red")),
    ],
)
def test_only_the_colours_that_a_figure_holds_are_explained(
    statuses: set[str], said: tuple[str, ...], unsaid: tuple[str, ...]
):
    text = effects_._marks(statuses).en
    assert all(word in text for word in said) and not any(f"{word}, " in text for word in unsaid)


# -- a number and the checks about it ------------------------------------------------------------------------------------------


def with_claim(studied: ValueStudy, *, enough: bool) -> ValueStudy:
    """One claimed effect with money, which a hidden cause would take to zero or not, and findings about it."""
    shown = doubted(studied, effect=0.048, placebo=(0.0, -0.01, 0.01), hidden=0.024)
    assert isinstance(shown.effects, ServiceEffects)
    (one,) = shown.effects.effects
    (outcome,) = one.outcomes
    # as a limit of the interval that is printed
    if_hidden = between(outcome.if_hidden, 0.024, -0.005 if enough else 0.005, 0.053)
    stake = replace(one.at_stake, value=Decimal(1000), reason=None)
    one = replace(
        one,
        outcomes=(replace(outcome, enough=enough, if_hidden=if_hidden),),
        at_stake=between(stake, 1000.0, 500.0, 1500.0),
        stake_repurchase=stake,
    )
    made = effect_findings.findings([one], limits(outcome.adjusted, limit=1.0, trivial=0.1), 0.0)
    part = replace(
        shown.effects,
        effects=(one,),
        findings=made,
        checks=effect_findings.checks([one], shown.effects.refused),
    )
    return replace(shown, effects=part)


@pytest.mark.parametrize("enough", [True, False])
def test_a_finding_links_every_check_about_its_numbers(studied: ValueStudy, any_fact: Fact, enough: bool):
    shown = with_claim(studied, enough=enough)
    doubts = findings.checks(shown)
    said = findings.findings(shown, limits(any_fact, limit=1e6, trivial=5e4))
    known = {check.id for check in doubts}
    for one in said:
        facts = {fact.id for fact in one.facts()}
        about = {check.id for check in doubts if facts & {fact.id for fact in check.sentence.facts()}}
        assert about <= set(one.checks) <= known, one.id
    effect = next(one for one in said if one.id == "value.service_effect")
    name = effect.subject["treatment"]
    assert {f"value.effects.{name}", f"value.effects.{name}.hidden.repurchase"} <= set(effect.checks)
    assert not any(check.startswith("value.effects.") and name not in check for check in effect.checks)
    # what is priced by the model of purchases hangs on the model's own checks
    for one in said:
        assert ("value.holdout" in one.checks) is ("value.holdout" in known), one.id


def test_a_finding_of_months_that_have_been_hangs_on_no_model(studied: ValueStudy, any_fact: Fact):
    """Names as ``value.costly_group`` carries them: its margin and cost are counted, so a doubt about purchases to come is none about it."""
    counted = findings._finding("costly_group", "watch", Sentence("{cost}", {"cost": any_fact}))
    priced = findings._finding("at_risk", "watch", Sentence("{cost}", {"cost": any_fact}))
    assert findings._behind(studied, counted) == ()
    assert findings._behind(studied, priced) == findings._OF_MODEL


@pytest.mark.parametrize(("enough", "standing"), [(True, "doubtful"), (False, "effect")])
def test_a_mark_knows_the_check_of_hidden_causes(studied: ValueStudy, enough: bool, standing: str):
    shown = with_claim(studied, enough=enough)
    assert isinstance(shown.effects, ServiceEffects)
    (one,) = shown.effects.effects
    (outcome,) = one.outcomes
    assert outcome.standing == standing and outcome.shown
    assert replace(outcome, status="not_shown").standing == "not_shown"
    subtitle = "".join(
        piece["t"] for piece in effects_.effect_figure(shown, "repurchase").payload["subtitle"]["en"]
    )
    assert ("red, overlap" in subtitle) is enough and ("orange" in subtitle) is not enough
    assert effect_findings.evidence(one)["status"].iloc[0] == standing
    table = effects_.effects_table(shown).payload
    verdicts = [row["cells"][-1]["text"]["en"] for row in table["rows"] if row["role"] == "body"]
    assert verdicts == [effects_.STATUS[standing]]


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_that_is_cut_says_at_how_many(studied: ValueStudy, any_fact: Fact, rows: int):
    found = studied.investment
    assert not isinstance(found, NotDone)
    listed = replace(
        found.often, customers=replace(found.often.customers, value=3), rows=pd.DataFrame({"id": range(rows)})
    )
    shown = replace(studied, investment=replace(found, often=listed))
    (one,) = (
        each
        for each in findings.findings(shown, limits(any_fact, limit=1e6, trivial=5e4))
        if each.id == "value.often_served"
    )
    cut = rows < 3
    assert ("customer numbers of 1, those worth most" in one.statement.plain()) is cut
    assert ("1 位的客户编号" in one.statement.plain("zh")) is cut


@pytest.mark.parametrize(("name", "words"), [("0", "0 repeat purchases"), ("1", "1 repeat purchase")])
def test_one_repeat_purchase_is_one(studied: ValueStudy, name: str, words: str):
    model = studied.modelling
    assert isinstance(model, Modelling)
    assert replace(model.classes[0], name=name).repeats.en == words


def test_a_discounted_sum_says_so(studied: ValueStudy, any_fact: Fact):
    """Every finding with a sum of value to come, or of cost over the horizon."""
    said = findings.findings(studied, limits(any_fact, limit=1e6, trivial=5e4))
    later = {"worth", "break_even", "at_risk", "often_served", "below_cost", "acquisition", "change"}
    found = [one for one in said if one.id.removeprefix("value.") in later]
    assert {one.id.removeprefix("value.") for one in found} >= {"worth", "break_even", "change"}
    for one in found:
        assert "discounted" in one.statement.plain() and "折现" in one.statement.plain("zh"), one.id


def test_a_channel_of_a_few_new_customers_is_not_named(studied: ValueStudy, any_fact: Fact):
    """One new customer at less than its cost, with an interval that holds nothing of how customers differ."""
    found = studied.acquisition
    assert not isinstance(found, NotDone)
    ends = ((0.5, 0.4, 0.6), (2.0, 1.8, 2.2))
    many = [
        replace(one, ratio=between(one.ratio, *ratio), customers=replace(one.customers, value=40))
        for one, ratio in zip(found[:2], ends, strict=True)
    ]
    few = [replace(many[0], customers=replace(many[0].customers, value=1)), many[1]]
    for channels, told in ((many, True), (few, False)):
        study = replace(studied, acquisition=tuple(channels))
        said = findings.findings(study, limits(any_fact, limit=1e12, trivial=1.0))
        texts = [one.statement.plain() for one in said if one.id == "value.acquisition"]
        assert any(many[0].label.en in text for text in texts) == told
        assert (many[0].label.en in title(worth.acquisition_table(study))) == told


def test_a_class_that_alone_puts_the_model_out_of_use_is_not_said_to_be_beyond_its_interval(
    studied: ValueStudy,
):
    """The rule of use judges a class by itself, the printed interval holds for all together: the words say which is which."""
    shown = with_miss(studied, (0.111, -0.064, 0.286), classes=(1.25, -1.038, 3.538))
    model = shown.modelling
    assert isinstance(model, Modelling)
    wrong = tuple(replace(one, good=False) for one in model.classes)
    out = replace(shown, modelling=replace(model, classes=wrong, good=False, fallback=True))
    said = [one.sentence.plain() for one in findings.checks(out) if one.id.startswith("value.holdout")]
    assert said and not any("beyond chance" in text for text in said)
