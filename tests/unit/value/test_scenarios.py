"""What-ifs: arithmetic by hand, nothing counted twice, and what is not shown is not counted."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from analysis.errors import FitError, ParameterError
from analysis.formats import chance
from analysis.locale import Text
from analysis.metrics import StudyInputs
from analysis.metrics.views.selection import Selection
from analysis.params import Range, load_what_ifs
from analysis.params.what_ifs import Lever, Scenario
from analysis.results import Fact
from analysis.value.base import ValueBase
from analysis.value.effect_results import OutcomeEffect, ServiceEffects
from analysis.value.results import ValueStudy
from analysis.value.scenarios import _coefficients, _money, _paid_back, _Setting, confined, what_if, what_ifs
from analysis.value.value_at_stake import Stake, gain, money

RATE = 0.10
HORIZON = 36


def certain(**changes) -> Scenario:
    """A scenario without doubt: 120 a month from the start, free of cost unless said."""
    given = {
        "name": Text.same("x"),
        "question": Text.same("x"),
        "owner": "x",
        "source": Text.same("x"),
        "levers": (Lever(treatment="t", change="reduce_share", amount=1.0),),
        "uptake": Range.fixed(1.0),
        "later_purchases": Range.fixed(0.0),
        "once": Range.fixed(0.0),
        "yearly": Range.fixed(0.0),
        "months": 36,
        "starts_after": 0,
        "id": "x",
    }
    return Scenario(**(given | changes))


BOTH = frozenset({"repurchase.0", "retention.0"})


def setting(
    scenario: Scenario,
    stake: Stake,
    *,
    rate: float = RATE,
    counted: frozenset[str] = BOTH,
    average: frozenset[str] = frozenset(),
) -> _Setting:
    return _Setting(
        scenario=scenario,
        stakes={"0": stake},
        counted=counted,
        average=average,
        customers=0,
        growth=(1 + rate) ** (-1 / 12),
        horizon=HORIZON,
    )


def draws(**changes) -> dict[str, np.ndarray]:
    given = {
        "uptake": 1.0,
        "later_purchases": 0.0,
        "once": 0.0,
        "yearly": 0.0,
        "value": 1.0,
        "repurchase.0": 0.1,
        "retention.0": 0.0,
    }
    return {name: np.array([value]) for name, value in (given | changes).items()}


STAKE = Stake(
    cases=1000,
    exposed=120,
    moved=120.0,
    purchases=1000.0,
    contract=600.0,
    first_year=0.4,
    listed=Selection("analysis.value.value_at_stake.cases_listed", "SELECT 1 AS exposed"),
    chosen=False,
)


def test_the_gain_of_one_case_by_hand():
    one = gain(STAKE, np.array([0.1]), np.array([0.2]), np.array([1.0]), np.array([0.5]))
    # purchases 1000 × 40 % in the first year × 10 %; a contract kept: half of its first year, 600 × 40 % × 20 % / 2
    assert one.early[0] == pytest.approx(1000 * 0.4 * 0.1 + 600 * 0.4 * 0.2 / 2)
    assert one.late[0] == pytest.approx(0.5 * 1000 * 0.6 * 0.1 + 600 * 0.6 * 0.2)


def test_value_without_discount_by_hand():
    parts = _money(setting(certain(months=48), STAKE, rate=0.0), draws())
    # 10 cases a month; each brings 40 over twelve months: of the cases of the last eleven months a part arrives after the end.
    whole = 10 * 48 * 40
    cut = 10 * sum(40 * (12 - lag) / 12 for lag in range(1, 12))
    assert parts["clv"].sum() == pytest.approx(whole - cut)
    assert parts["whole"][0] == pytest.approx(whole)
    weights = _coefficients(setting(certain(months=48), STAKE, rate=0.0))
    assert weights["early"].max() == pytest.approx(1.0) and weights["yearly"].sum() == pytest.approx(4.0)


def test_discounting_by_hand():
    parts = _money(
        setting(certain(months=24, once=Range.fixed(100.0)), STAKE),
        draws(once=100.0, yearly=1200.0, **{"repurchase.0": 0.0}),
    )
    assert parts["programme"].sum() == pytest.approx(
        100 + sum(100 * 1.1 ** (-month / 12) for month in range(24))
    )
    saved = _money(setting(certain(months=24, starts_after=6), STAKE), draws(saving_per_case=5.0))
    assert saved["saving"].sum() == pytest.approx(
        sum(10 * 5 * 1.1 ** (-month / 12) for month in range(6, 24))
    )


def test_a_saving_is_counted_once():
    plain = _money(setting(certain(), STAKE), draws())
    saving = _money(setting(certain(), STAKE), draws(saving_per_case=50.0))
    assert (
        plain["clv"] == saving["clv"]
    ).all()  # what is saved in after-sales cost does not make customers worth more
    assert saving["saving"].sum() > 0 and plain["saving"].sum() == 0
    dearer = _money(setting(certain(), replace(STAKE, purchases=2000.0)), draws(saving_per_case=50.0))
    assert (dearer["saving"] == saving["saving"]).all()


def test_payback_is_the_month_from_which_it_stays_above_zero():
    cash = np.array(
        [[-5.0, -1.0, 2.0, 3.0], [-5.0, 1.0, -1.0, 2.0], [-5.0, -4.0, -3.0, -2.0], [1.0, 2.0, 3.0, 4.0]]
    )
    assert _paid_back(cash).tolist() == [2.0, 3.0, np.inf, 0.0]


# -- on a company ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(sampled: StudyInputs, studied: ValueStudy):
    """A small sample company with its effects, of which one is declared shown so that there is something to count, and a base by hand."""
    table = sampled.engine.materialise(
        "value_for_test",
        """SELECT c.customer_id, 'low' AS tier, 900.0 + 100.0 * (hash(c.customer_id) % 10) AS clv, 1000.0 AS clv_purchases, 500.0 AS clv_contract, 100.0 AS clv_service, 600.0 AS margin_next_12m,
           0.9 AS stay_12m, 50.0 AS service_next_12m, 40.0 AS service_cost_12m FROM customers c""",
    )
    total = sampled.engine.stated("service_cases", period=sampled.month, value=1)
    base = ValueBase(
        month=sampled.month,
        table=table,
        total=total,
        relative_error=0.05,
        customers=4000,
        horizon_months=36,
        discount_rate=0.08,
        basis="contribution",
        has_service=True,
    )
    assert isinstance(studied.effects, ServiceEffects)
    chosen = ("repeat_repair", "complaint_within_24h", "resolved_at_first_contact")
    effects = replace(studied.effects, effects=tuple(studied.effects[name] for name in chosen))
    return sampled, base, effects


def declared(
    effects: ServiceEffects, treatment: str, *, outcomes: tuple[str, ...] = ("repurchase", "retention")
) -> ServiceEffects:
    """The same estimates with outcomes of one treatment taken as shown, whatever its checks say."""
    changed = []
    for one in effects.effects:
        found = tuple(
            replace(
                each,
                status="effect"
                if one.treatment.id == treatment and each.outcome in outcomes
                else "not_shown",
            )
            for each in one.outcomes
        )
        placebos = tuple(replace(placebo, passed=True) for placebo in one.placebos)
        changed.append(replace(one, outcomes=found, placebos=placebos, overlap_holds=True))
    return replace(effects, effects=tuple(changed))


def exaggerated(effects: ServiceEffects, outcome: str) -> ServiceEffects:
    """The estimates of one outcome ten times as large."""

    def tenfold(found: OutcomeEffect) -> OutcomeEffect:
        if found.outcome != outcome:
            return found
        return replace(found, adjusted=replace(found.adjusted, value=10 * float(found.adjusted.value)))

    return replace(
        effects,
        effects=tuple(
            replace(one, outcomes=tuple(tenfold(found) for found in one.outcomes)) for one in effects.effects
        ),
    )


# -- money follows the verdict of each outcome ---------------------------------------------------------------------------


def test_of_two_outcomes_only_the_shown_one_is_money():
    both = _money(setting(certain(), STAKE), draws(**{"retention.0": 0.2}))
    parts = {
        name: _money(
            setting(certain(), STAKE, counted=frozenset({f"{name}.0"})), draws(**{"retention.0": 0.2})
        )
        for name in ("repurchase", "retention")
    }
    for name, other in (("repurchase", "retention"), ("retention", "repurchase")):
        assert parts[name]["clv"].sum() > 0
        np.testing.assert_allclose(parts[name]["clv"], parts[other]["unshown"])
        np.testing.assert_allclose(parts[name]["clv"] + parts[name]["unshown"], both["clv"])
    assert both["unshown"].sum() == both["average"].sum() == 0
    nothing = _money(setting(certain(), STAKE, counted=frozenset()), draws(**{"retention.0": 0.2}))
    assert nothing["clv"].sum() == nothing["whole"].sum() == 0
    held = _money(setting(certain(), STAKE, counted=frozenset(), average=BOTH), draws(**{"retention.0": 0.2}))
    np.testing.assert_allclose(held["average"], both["clv"])
    assert held["clv"].sum() == held["unshown"].sum() == held["whole"].sum() == 0


@pytest.mark.parametrize(("shown", "hidden"), [("retention", "repurchase"), ("repurchase", "retention")])
def test_an_outcome_without_a_verdict_moves_no_money(world, shown: str, hidden: str):
    inputs, base, effects = world
    part = declared(effects, "repeat_repair", outcomes=(shown,))
    found = what_if(inputs, base, part, "repeat_repairs_halved")
    assert found.standing == "partly" and found.levers[0].standing == "partly"
    assert {one.outcome: one.verdict for one in found.levers[0].outcomes} == {
        shown: "effect",
        hidden: "not_shown",
    }
    larger = what_if(inputs, base, exaggerated(part, hidden), "repeat_repairs_halved")
    assert larger.npv.value == found.npv.value and larger.npv.interval == found.npv.interval
    assert larger.unshown.value != found.unshown.value
    moved = what_if(inputs, base, exaggerated(part, shown), "repeat_repairs_halved")
    assert moved.clv.value != found.clv.value
    names = {name for name, *_ in found.swings} | {one.input for one in found.assumed}
    assert f"{hidden}.0" not in names and f"{shown}.0" in names
    every = what_ifs(inputs, base, part)
    said = [check for check in every.checks if check.id == f"value.what_if.repeat_repairs_halved.1.{hidden}"]
    assert [check.outcome for check in said] == ["info"]


@pytest.mark.parametrize(("shown", "hidden"), [("retention", "repurchase"), ("repurchase", "retention")])
def test_value_at_stake_is_that_of_the_shown_outcomes(world, shown: str, hidden: str):
    inputs, base, effects = world
    part = declared(effects, "repeat_repair", outcomes=(shown,))

    def stakes(given: ServiceEffects) -> Fact:
        return money(inputs, base, given["repeat_repair"])["at_stake"]

    assert stakes(part).value == stakes(exaggerated(part, hidden)).value
    assert stakes(part).value != stakes(exaggerated(part, shown)).value
    none = stakes(declared(effects, "repeat_repair", outcomes=()))
    assert none.value is None and none.reason.en == "not counted: no effect is shown"


def grouped(effects: ServiceEffects, *, own: float, error: float, shown: bool) -> ServiceEffects:
    """What the top tenth says by itself about complaints, by hand."""
    changed = []
    for one in effects.effects:
        rows = [
            {
                "outcome": found.outcome,
                "grouping": "value_tier",
                "group": "top",
                "std_error": error,
                "shown": shown,
                "fact": replace(
                    found.adjusted,
                    value=own,
                    interval=replace(found.adjusted.interval, low=own - 2 * error, high=own + 2 * error),
                ),
            }
            for found in one.outcomes
            if found.outcome in ("repurchase", "retention")
        ]
        changed.append(replace(one, groups=pd.DataFrame(rows)))
    return replace(effects, effects=tuple(changed))


VIP = (Lever(treatment="complaint_within_24h", change="reduce_share", amount=1.0, customers="top_decile"),)


def test_what_is_shown_over_all_cases_only_is_printed_beside_and_not_counted(world):
    """Shown on average and not for the lever's own customers: no money; shown for them: their own effect is money."""
    inputs, base, effects = world
    shown = declared(effects, "complaint_within_24h")
    average = shown["complaint_within_24h"].outcome("repurchase")
    doubtful = what_if(
        inputs, base, grouped(shown, own=-0.006, error=0.2, shown=False), "vip_line", levers=VIP
    )
    own = what_if(inputs, base, grouped(shown, own=0.3, error=0.01, shown=True), "vip_line", levers=VIP)
    assert doubtful.standing == "average" and own.standing == "effect"
    assert doubtful.clv.value == 0 and doubtful.npv.value == -doubtful.programme.value
    assert doubtful.average.value != 0 and doubtful.unshown is None and not doubtful.pays
    assert own.clv.value > 0 and own.average is None
    good = float(average.with_it.value)
    # if the average held: its value and its own error, whatever the group reads
    drawn = doubtful.draws["repurchase.0"] * good
    assert drawn.mean() == pytest.approx(float(average.adjusted.value), abs=0.02)
    assert drawn.std() == pytest.approx(average.std_error, rel=0.1)
    assert (own.draws["repurchase.0"] * good).mean() == pytest.approx(0.3, abs=0.02)
    # what is not counted moves neither the present value nor what it is said to rest on
    names = {name for name, *_ in doubtful.swings} | {one.input for one in doubtful.assumed}
    assert not any("." in name for name in names)


def test_a_region_without_an_estimate_of_its_own_counts_nothing(world):
    inputs, base, effects = world
    shown = declared(effects, "complaint_within_24h")
    lever = Lever(treatment="complaint_within_24h", change="reduce_share", amount=1.0, region="South")
    found = what_if(inputs, base, shown, "vip_line", levers=(lever,))
    assert found.standing == "average" and found.clv.value == 0 and found.average.value != 0


@pytest.mark.parametrize("reading", ["own", "none"])
def test_a_lever_for_one_group_says_what_the_group_reads(world, reading: str):
    inputs, base, effects = world
    shown = declared(effects, "complaint_within_24h")
    given = (
        grouped(shown, own=-0.006, error=0.2, shown=False)
        if reading == "own"
        else replace(shown, effects=tuple(replace(one, groups=pd.DataFrame()) for one in shown.effects))
    )
    plan = load_what_ifs()
    cheap = {"once": Range.fixed(0.0), "yearly": Range.fixed(0.0)}
    vip = replace(next(one for one in plan.scenarios if one.id == "vip_line"), levers=VIP, **cheap)
    every = what_ifs(inputs, base, given, plan=replace(plan, scenarios=(vip,)))
    (check,) = (one for one in every.checks if one.id == "value.what_if.vip_line.1.repurchase")
    assert check.outcome == "info" and ("own" in check.sentence.values) is (reading == "own")
    assert "top tenth" in check.sentence.plain("en")
    assert every.results[0].standing == "average" and not every.findings


def test_a_region_by_itself_is_confined_too():
    assert confined(Lever(treatment="t", change="reduce_share", amount=1.0, region="South")) == (
        "region",
        "South",
    )
    assert confined(Lever(treatment="t", change="reduce_share", amount=1.0)) == ("", "")


# -- sums ------------------------------------------------------------------------------------------------------------------


def test_parts_add_up_to_the_present_value(world):
    inputs, base, effects = world
    found = what_if(inputs, base, declared(effects, "repeat_repair"), "repeat_repairs_halved")
    assert found.standing == "effect"
    assert found.npv.value == found.clv.value + found.saving.value - found.programme.value
    assert found.saving.value > 0 and found.programme.value > 0
    assert found.npv.interval.low < float(found.npv.value) < found.npv.interval.high
    widths = [abs(float(high.value) - float(low.value)) for _, _, low, high in found.swings]
    assert widths == sorted(widths, reverse=True) and len(widths) > 4
    assert found.curve[-1][0] == inputs.month + 36
    assert float(found.curve[-1][1].value) == pytest.approx(float(found.npv.value), rel=1e-6)
    again = what_if(inputs, base, declared(effects, "repeat_repair"), "repeat_repairs_halved")
    assert again.npv.value == found.npv.value and again.npv.interval == found.npv.interval


def test_the_chance_of_a_gain_is_the_share_of_draws_with_one(world):
    inputs, base, effects = world
    shown = declared(effects, "repeat_repair")
    found = what_if(inputs, base, shown, "repeat_repairs_halved")
    earned = float(found.clv.value + found.saving.value)
    even = what_if(inputs, base, shown, "repeat_repairs_halved", once=0.0, yearly=earned / 3)
    gains = even.draws["npv"] > 0
    assert 0.05 < gains.mean() < 0.95
    assert float(even.chance.value) == pytest.approx(chance(int(gains.sum()), len(gains)))
    assert float(even.chance.value) == pytest.approx(float(gains.mean()), abs=1 / len(gains))


def test_break_even_uptake_brings_nothing(world):
    inputs, base, effects = world
    shown = declared(effects, "repeat_repair")
    plain = {"uptake": 0.7, "later_purchases": 0.0, "once": 100.0, "yearly": 50.0}
    found = what_if(inputs, base, shown, "repeat_repairs_halved", **plain)
    needed = float(found.break_even.value)
    assert 0 < needed < 1
    at = what_if(inputs, base, shown, "repeat_repairs_halved", **(plain | {"uptake": needed}))
    assert float(at.npv.value) == pytest.approx(0.0, abs=0.05)
    doubled = what_if(inputs, base, shown, "repeat_repairs_halved", **(plain | {"uptake": 0.35}))
    assert float(doubled.saving.value) == pytest.approx(float(found.saving.value) / 2, rel=1e-6)


def test_what_is_not_shown_is_not_counted(world):
    inputs, base, effects = world
    nothing = declared(effects, "none of them")
    found = what_if(inputs, base, nothing, "first_contact_plus_five_points")
    assert found.standing == "not_shown"
    assert found.clv.value == 0 and found.saving.value > 0
    assert found.unshown is not None and found.unshown.interval.low < found.unshown.interval.high
    anyway = what_if(inputs, base, nothing, "first_contact_plus_five_points", count_unshown=True)
    assert anyway.clv.value == found.unshown.value
    with pytest.raises(FitError, match=r"no effect behind it is shown and it states no saving"):
        what_if(inputs, base, nothing, "vip_line")
    every = what_ifs(inputs, base, nothing)
    assert "vip_line" in every.refused and not every.findings
    assert {check.outcome for check in every.checks} <= {"info", "failed"}


def test_a_failed_check_keeps_its_customers_out(world):
    inputs, base, effects = world
    shown = declared(effects, "repeat_repair")
    failed = replace(
        shown,
        effects=tuple(
            replace(one, overlap_holds=one.treatment.id != "repeat_repair") for one in shown.effects
        ),
    )
    found = what_if(inputs, base, failed, "repeat_repairs_halved")
    assert found.standing == "assumption" and found.clv.value == 0 and found.saving.value > 0
    assert found.unshown is None


def test_the_levers_count_the_cases_of_a_year(world):
    inputs, base, effects = world
    found = what_if(
        inputs,
        base,
        declared(effects, "complaint_within_24h"),
        "vip_line",
        levers=(Lever(treatment="complaint_within_24h", change="faster_hours", amount=2.0),),
    )
    rows = inputs.engine.query(
        "SELECT count(*) FILTER (WHERE first_response_at > opened_at + INTERVAL 24 HOUR OR first_response_at IS NULL) AS late, "
        "count(*) FILTER (WHERE first_response_at > opened_at + INTERVAL 24 HOUR AND first_response_at <= opened_at + INTERVAL 26 HOUR) AS soon, count(*) AS n "
        "FROM service WHERE ticket_type = 'complaint' AND customer_id IS NOT NULL AND NOT coalesce(time_order_fault, FALSE) AND opened_at + INTERVAL 24 HOUR < TIMESTAMP '2026-10-31 16:00:00' "
        "AND opened_at + INTERVAL 24 HOUR >= TIMESTAMP '2025-10-31 16:00:00'"
    ).iloc[0]
    lever = found.levers[0]
    assert (lever.cases.value, lever.exposed.value, lever.moved.value) == (
        rows["n"],
        rows["late"],
        rows["soon"],
    )
    assert 0 < lever.moved.value < lever.exposed.value


def test_refusals(world):
    inputs, base, effects = world
    with pytest.raises(ParameterError, match=r"no scenario 'vip_lin'\. Did you mean 'vip_line'"):
        what_if(inputs, base, effects, "vip_lin")
    with pytest.raises(ParameterError, match=r"a scenario has no 'uptak'\. Did you mean 'uptake'"):
        what_if(inputs, base, effects, "vip_line", uptak=0.5)
    with pytest.raises(
        ParameterError,
        match=r"no treatment 'repeat_repairs' in treatments.yml\. Did you mean 'repeat_repair'",
    ):
        what_if(
            inputs,
            base,
            effects,
            "vip_line",
            levers=(Lever(treatment="repeat_repairs", change="reduce_share", amount=0.5),),
        )
    with pytest.raises(ParameterError, match=r"uptake 0.5 to 1.5 is a share"):
        what_if(inputs, base, effects, "vip_line", uptake=(0.5, 0.8, 1.5))


def test_the_budget_follows_the_growth_of_customers(world):
    inputs, base, effects = world
    plan = load_what_ifs()
    found = what_ifs(inputs, base, effects, plan=plan).budget
    tier, rest, total = found.lines
    assert (tier.tier, rest.tier, total.tier) == ("low", "untraced", "total")
    customers = int(tier.growth.n)
    assert tier.last.value == Decimal(40) * customers
    fresh = int(
        inputs.engine.query(
            "SELECT count(*) AS n FROM customers WHERE acquired_on >= DATE '2025-11-01' AND acquired_on < DATE '2026-11-01'"
        )["n"].iloc[0]
    )
    assert float(tier.growth.value) == pytest.approx(0.9 + fresh / customers - 1)
    level = (1 + 0.0067) * (
        1 + 0.0233
    )  # means of the two triangles: (−3 + 0 + 5) / 3 and (0 + 2 + 5) / 3 percent
    assert float(tier.proposed.value) == pytest.approx(
        float(tier.last.value) * (1 + float(tier.growth.value)) * level, rel=2e-3
    )
    assert total.last.value == tier.last.value + rest.last.value
    assert float(total.proposed.value) == pytest.approx(
        float(tier.proposed.value) + float(rest.proposed.value)
    )
    assert total.proposed.interval.low < float(total.proposed.value) < total.proposed.interval.high
