"""A finding tells the whole: a surge with its price and its offsets, a measure where it reaches, a short provision with its remedy."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.costs import signals_facts
from analysis.costs.bridge_facts import Bridge, CostComparison, movement_findings
from analysis.costs.cost_study import CostStudy
from analysis.costs.provision_facts import Provision, ProvisionLine, provision_findings
from analysis.costs.savings_facts import Reached
from analysis.costs.signals import Excess, excess_of_run
from analysis.costs.signals_facts import surge_findings
from analysis.costs.sourcing_facts import Sourcing
from analysis.errors import FitError
from analysis.exhibits.costs import _provision_note
from analysis.locale import Text
from analysis.metrics import NotDone, Period, StudyInputs
from analysis.periods import Month, months_between
from analysis.results import Fact, Finding, Interval

# ---------------------------------------------------------------- a surge


def history(excess: float, *, months: int = 36, seed: int = 0, noise: float = 0.02) -> pd.DataFrame:
    """Cost that follows tickets, with a run of three months (places 30 to 32) so much higher."""
    rng = np.random.default_rng(seed)
    tickets = rng.uniform(900, 1100, months)
    run = (np.arange(months) >= 30) & (np.arange(months) <= 32)
    cost = 100 * tickets * np.exp(rng.normal(0, noise, months)) * np.where(run, 1 + excess, 1.0)
    return pd.DataFrame(
        {"month": [f"{place:02d}" for place in range(months)], "cost": cost, "tickets": tickets}
    )


def test_the_excess_of_a_run_is_what_was_put_there():
    inside = []
    for seed in range(40):
        table = history(-0.25, seed=seed)
        run = table[table["month"].between("30", "32")]
        truth = float(run["cost"].sum()) * (1 - 1 / 0.75)
        found = excess_of_run(table, first="30", last="32", explained_by=("volume", "trend"), confidence=0.95)
        assert found.low <= found.amount <= found.high < 0
        inside.append(found.low <= truth <= found.high)
    assert np.mean(inside) >= 0.85


def test_a_month_without_cost_cannot_be_held_against_a_run():
    table = history(0.0)
    table.loc[3, "cost"] = 0.0
    with pytest.raises(FitError, match="1 months with nothing or a credit"):
        excess_of_run(table, first="30", last="32", explained_by=("volume",), confidence=0.95)


def values(finding: Finding) -> dict[str, Any]:
    return {name: fact.value for name, fact in finding.statement.values.items() if isinstance(fact, Fact)}


def test_a_surge_is_split_into_price_and_volume_and_netted(
    small_inputs: StudyInputs, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(signals_facts, "false_alarm_level", lambda _: 0.999)  # every account's largest run
    surges = surge_findings(small_inputs).findings
    assert any("price_part" in one.statement.values for one in surges)
    for one in surges:
        known, facts = values(one), one.statement.values
        if "rest" in known:
            assert known["rest"] < 0 and known["net"] == known["excess"] + known["rest"]
        if "price_part" not in known:
            continue
        fee, before = facts["fee"], facts["before"]
        assert isinstance(fee, Fact) and isinstance(before, Fact)
        assert float(known["price_part"]) == pytest.approx(
            (float(fee.value) - float(before.value)) * float(fee.denominator),
            abs=0.01,  # type: ignore[arg-type]
        )
        assert 0 < known["share_before"] <= 1 and 0 < known["share"] <= 1
        # tickets by the month of their posting and of their opening: two counts, each beside its figure
        counts = (fee.denominator, before.denominator, facts["share"].numerator, facts["share"].denominator)  # type: ignore[union-attr]
        assert all(f"{int(count):,}" in one.statement.plain() for count in counts)


def test_two_excesses_add_with_their_errors():
    together = Excess(amount=100.0, low=70.0, high=140.0).plus(Excess(amount=-60.0, low=-100.0, high=-30.0))
    assert (together.amount, together.low, together.high) == (40.0, -10.0, 90.0)


# ---------------------------------------------------------------- a measure


def fact(value: float | str, metric: str = "m", unit: str = "share", **parts: Any) -> Fact:
    number = Decimal(value) if isinstance(value, str) else value
    return Fact(metric=metric, period="2026-10", unit=unit, value=number, **parts)


def between(value: float, low: float, high: float) -> Fact:
    return fact(value, n=36, interval=Interval(low=low, high=high, level=0.95, method="t"))


@pytest.mark.parametrize(
    ("rate", "delivered"),
    [
        (between(0.18, 0.13, 0.22), True),
        (between(0.25, 0.21, 0.29), True),
        (between(0.10, 0.05, 0.15), False),
        (between(0.10, -0.05, 0.25), False),
    ],
)
def test_delivered_where_it_reached_saves_and_holds_the_promise(rate: Fact, delivered: bool):
    assert Reached(share=fact(0.8), rate=rate, promised=fact(0.2)).delivered is delivered


def test_hours_are_capacity_freed_and_never_a_saving_of_the_ledger(small_study: CostStudy):
    judged = [one for one in small_study.measures if not isinstance(one.result, NotDone)]
    assert {"category" in one.entry.where for one in judged} == {True, False}
    for measure in judged:
        booked = "category" in measure.entry.where
        assert (measure.facts["saving"].metric == "saving_realised") == booked
        assert measure.kind is not None and ("notional" in measure.kind.en) == (not booked)
        if measure.reached is not None:
            assert not booked and 0 < float(measure.reached.share.value or 0) < 1
            assert float(measure.reached.promised.value or 0) == float(measure.entry.expected_reduction)


# ---------------------------------------------------------------- a provision


def line(
    provision: Provision, name: str, closing: str, expected: tuple[float, float, float]
) -> ProvisionLine:
    """A line of the study with another balance and other claims to come."""
    own = next(one for one in provision.lines if one.amounts["closing"].dimensions["product_line"] == name)
    held = replace(own.amounts["closing"], value=Decimal(closing))
    middle, low, high = expected
    limits = Interval(low=low, high=high, level=0.95, method="simulated")
    return replace(
        own,
        amounts={**own.amounts, "closing": held},
        expected=replace(own.expected, value=Decimal(str(middle)), interval=limits, n=12, reason=None),
        coverage=between(float(closing) / middle, 0.01, 9.0),
        claims=_Claims(middle, (high - low) / 4),
    )


class _Claims:
    """Claims to come with a normal spread."""

    def __init__(self, middle: float, spread: float) -> None:
        self.expected, self.spread = middle, spread

    def short(self, closing: float) -> float:
        from scipy.stats import norm

        return float(norm.cdf((closing - self.expected) / self.spread))


@pytest.mark.parametrize(
    ("other", "moved", "booked"),
    [("900.00", "90.00", None), ("160.00", "40.00", "50.00"), ("100.00", None, "90.00")],
)
def test_a_shortfall_is_moved_from_surplus_first_and_the_rest_is_expense(
    small_inputs: StudyInputs, small_study: CostStudy, other: str, moved: str | None, booked: str | None
):
    provision = small_study.provision
    assert isinstance(provision, Provision)
    first, second = (one.amounts["closing"].dimensions["product_line"] for one in provision.lines[:2])
    short = line(provision, first, "10.00", (100.0, 80.0, 120.0))
    rich = line(provision, second, other, (100.0, 80.0, 120.0))
    total = replace(provision.total, claims=None)  # the lines are judged, the total is only read
    found = provision_findings(small_inputs, replace(provision, lines=(short, rich), total=total))
    (one,) = [finding for finding in found if finding.subject["product_line"] == first]
    stated = values(one)
    assert stated["shortfall"] == Decimal("90.00")
    shortfall = one.statement.values["shortfall"]
    assert isinstance(shortfall, Fact) and shortfall.interval is not None
    assert (shortfall.interval.low, shortfall.interval.high) == (70.0, 110.0)
    assert stated.get("moved") == (moved and Decimal(moved))
    assert stated.get("booked") == (booked and Decimal(booked))
    assert one.statement.plain("zh") != one.statement.plain("en")
    if moved:  # only the line that has more than may be asked of it gives
        assert f"from {rich.line.en} to {short.line.en}" in one.statement.plain()


@pytest.mark.parametrize(("amount", "said"), [("12.50", True), ("0.00", False), (None, False)])
def test_sales_that_no_rate_holds_are_said_where_there_are_any(amount: str | None, said: bool):
    unnamed = None if amount is None else fact(amount, metric="product_sales_without_line", unit="CNY")
    study: Any = SimpleNamespace(month=Month(2026, 10), period=Period.of("2026-10"))
    note = _provision_note(study, unnamed)
    assert ("name no product line" in note.plain()) == said
    assert (unnamed in note.facts()) == said


def test_the_people_of_a_year_are_the_mean_of_the_people_of_its_months(
    small_inputs: StudyInputs, small_study: CostStudy
):
    sourcing = small_study.sourcing
    assert isinstance(sourcing, Sourcing)
    months = Period.parse(sourcing.staffing[0].heads.period)
    rows = small_inputs.engine.query(
        "SELECT strftime(month, '%Y-%m') AS month, team, count(*) AS people FROM workforce "
        "WHERE coalesce(sourcing, 'in_house') = 'in_house' AND hours_paid > 0 GROUP BY 1, 2"
    )
    field = rows[rows["team"].str.startswith("Field")].groupby("month")["people"].sum()
    assert sourcing.people.value == field[str(months.last)]
    assert sourcing.people.period == str(months.last)
    booked = next(one for one in sourcing.staffing if one.heads.dimensions["team_size"] == "booked")
    assert booked.heads.value == round(
        field[[str(month) for month in months_between(months.first, months.last)]].mean()
    )


# ---------------------------------------------------------------- what moved the cost


def bridge_of(change: str, **effects: str) -> Bridge:
    def money(metric: str, amount: str) -> Fact:
        return Fact(metric=metric, period="2026-10", unit="CNY", value=Decimal(amount))

    return Bridge(
        against="previous_month",
        before=Period.of("2026-09"),
        base=replace(money("after_sales_cost", "1000.00"), period="2026-09"),
        cost=money("after_sales_cost", str(Decimal("1000.00") + Decimal(change))),
        change=money("cost_change", change),
        effects=tuple((Text.of(name), money("bridge_effect", amount)) for name, amount in effects.items()),
        by_category=(),
        drill=(),
    )


@pytest.mark.parametrize(
    ("change", "effects", "said"),
    [
        ("-40.00", {"Volume": "-30.00", "Mix": "-60.00", "Intensity": "50.00"}, "largest effect was mix"),
        # the largest went the other way: it is no reason for the fall
        ("-40.00", {"Volume": "-50.00", "Mix": "-60.00", "Intensity": "70.00"}, "mix was the largest part"),
        ("40.00", {"Volume": "50.00", "Mix": "60.00", "Intensity": "-70.00"}, "mix was the largest part"),
        ("40.00", {"Volume": "90.00", "Mix": "-50.00"}, "largest effect was volume"),
        ("0.00", {"Volume": "20.00", "Mix": "-20.00"}, "largest effect was volume"),
    ],
)
def test_the_reason_named_for_a_change_went_its_way(change: str, effects: dict[str, str], said: str):
    bridge = bridge_of(change, **effects)
    rate = Fact(metric="cost_change_rate", period="2026-10", unit="share", value=float(change) / 1000)
    comparison = CostComparison(
        against="previous_month", cost=bridge.cost, base=bridge.base, change=bridge.change, rate=rate
    )
    (finding,) = movement_findings([comparison], {"previous_month": bridge})
    text = finding.statement.text()["en"]
    assert said in text
    named = finding.statement.values["effect"]
    assert isinstance(named, Fact) and Decimal(str(named.value)) * Decimal(change) >= 0
    opposed = "Intensity" in effects and abs(Decimal(effects["Intensity"])) > 60
    assert ("intensity went the other way" in text) == opposed


def test_a_cost_that_turns_negative_has_no_rate_and_is_told():
    """CNY 1,000.00 in a month, then CNY 864.00 more credited than charged: "down 186.4%" helps nobody."""
    bridge = bridge_of("-1864.00", Volume="-1800.00", Mix="-64.00")
    rate = Fact(
        metric="cost_change_rate", period="2026-10", unit="share", value=None, reason=Text.of("not computed")
    )
    comparison = CostComparison(
        against="previous_month", cost=bridge.cost, base=bridge.base, change=bridge.change, rate=rate
    )
    (finding,) = movement_findings([comparison], {"previous_month": bridge})
    text = finding.statement.text()
    assert text["en"] == (
        "After-sales cost was \u2212CNY 864 against CNY 1,000 in September 2026: \u2212CNY 1,864. "
        "The largest part of the change was volume (\u2212CNY 1,800)."
    )
    assert "2026年9月为 1,000 元" in text["zh"] and "%" not in text["zh"]
