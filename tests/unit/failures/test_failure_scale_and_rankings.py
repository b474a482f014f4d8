"""What may be called grave, highest or least; one meaning of "expected"; ages without a past; labour in the excess."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, poisson

from analysis import failures
from analysis.exhibits import failure_ranking, failure_search, failure_trees
from analysis.exhibits import failures as exhibits
from analysis.exhibits.record import Block
from analysis.failures import checks, findings, lives, ranking
from analysis.failures.limits import jointly
from analysis.failures.money_facts import Recovery, _recovery_limits
from analysis.failures.ranking_facts import _around, _excess, _summed
from analysis.failures.scale import Scale
from analysis.formats import month_text
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.metrics.materiality import Materiality
from analysis.metrics.views import month_index
from analysis.periods import Month, months_between
from analysis.results import Fact, Interval

Study = failures.FailureStudy


def number(value: float | None, low: float | None = None, high: float | None = None, **more: Any) -> Fact:
    limits = None if low is None or high is None else Interval(low=low, high=high, level=0.95, method="exact")
    settings: dict[str, Any] = {"metric": "failure_ratio", "period": "2026-10", "unit": "ratio"} | more
    return Fact(value=value, interval=limits, reason=Text.same("none") if value is None else None, **settings)


def money(value: float, *limits: float) -> Fact:
    return number(value, *limits, metric="cause_excess_cost", unit="CNY")


SCALE = Scale(
    materiality=Materiality(limit=money(100_000), trivial=money(5_000)), least_effect=0.1, least_shape=0.1
)


# -- severity -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "cost", "severity"),
    [
        (number(3.0, 2.0, 4.0), money(400_000, 300_000, 500_000), "alert"),
        (number(3.0, 2.0, 4.0), money(120_000, 60_000, 180_000), "watch"),  # its nearer end is not material
        (number(3.0, 2.0, 4.0), money(900, 600, 1_200), "info"),
        (number(3.0, 2.0, 4.0), None, "watch"),
        (number(3.0, 2.0, 4.0), number(None, metric="cause_excess_cost", unit="CNY"), "watch"),
        # very many rows make 1.06 certain; it is no alert whatever it costs
        (number(1.06, 1.05, 1.07), money(400_000, 300_000, 500_000), "info"),
        (number(1.3, 0.98, 1.9), money(400_000, 300_000, 500_000), "info"),
        (number(1.3), money(400_000, 300_000, 500_000), "info"),
    ],
)
def test_an_alert_needs_a_ratio_that_matters_and_a_material_sum(
    ratio: Fact, cost: Fact | None, severity: str
):
    assert SCALE.of_ratio(ratio, cost) == severity


@pytest.mark.parametrize(
    ("low", "high", "matters"), [(1.1, 1.3, True), (1.09, 1.3, False), (0.7, 0.9, True), (0.7, 0.91, False)]
)
def test_an_effect_matters_where_its_whole_interval_lies_beyond_the_least(
    low: float, high: float, matters: bool
):
    assert SCALE.ratio_matters(number(1.0, low, high)) is matters
    assert SCALE.shape_matters(number(1.0, low, high, metric="weibull_shape", unit="count")) is matters


@pytest.mark.parametrize(("year", "severity"), [(400_000, "alert"), (14_483, "watch"), (900, "info")])
def test_a_leak_is_graded_by_the_twelve_months_with_which_its_sentence_leads(
    planted_study: Study, year: float, severity: str
):
    leaks = planted_study.leaks
    assert leaks and leaks.duplicates.since_start
    whole = leaks.duplicates.since_start
    assert whole.claims.value >= leaks.duplicates.claims.value  # type: ignore[operator]
    assert float(whole.amount.value or 0) == pytest.approx(
        float(whole.evidence["approved"].astype(float).sum())
    )
    amount = replace(leaks.duplicates.amount, value=year)
    found = findings._leaks(replace(leaks, duplicates=replace(leaks.duplicates, amount=amount)), SCALE)
    (twice,) = [one for one in found if one.id == "failures.leakage_duplicates"]
    assert twice.severity == severity and twice.evidence is whole.evidence
    first, *_ = [value for name, value in twice.statement.values.items() if name in ("amount", "total")]
    assert first is amount and twice.statement.values["total"] is whole.amount


def test_the_sum_that_grades_an_excess_is_the_first_that_its_sentence_names(planted_study: Study):
    for (money, _), text in findings.EXCESS.items():
        if money:
            assert text.index("Since {since} the excess cost {" + ("full" if money == "full" else "cost")) > 0
    cause = next(one for one in planted_study.causes if not isinstance(one.labour, NotDone))
    assert not isinstance(cause.labour, NotDone)
    stated = findings._cause(cause, SCALE, planted_study.chart.months)
    assert stated.severity == SCALE.of_ratio(cause.ratio, cause.labour.full)
    text = stated.statement.plain()
    assert cause.labour.hours.interval and text.count("95% interval") == 5


@pytest.mark.parametrize(("before", "span"), [(0, 36), (20, 16), (33, 3)])
def test_what_a_cause_costs_is_dated_and_spread_from_its_first_machine_on(
    planted_study: Study, before: int, span: int
):
    months = tuple(Month(2023, 11) + k for k in range(36))
    cost = money(36_000.0, 24_000.0, 48_000.0)
    cause = replace(
        planted_study.causes[0], since=months[before], cost=cost, labour=NotDone(reason=Text.same(""))
    )
    stated = findings._cause(cause, SCALE, months)
    assert f"Since {month_text(months[before], 'en')} the excess" in stated.statement.plain()
    assert stated.stake and stated.stake.months == span
    assert stated.stake.per_year == pytest.approx(24_000.0 * min(1.0, 12 / span))


def test_a_fix_that_made_it_worse_alarms_only_where_the_rise_matters(planted_study: Study):
    assert planted_study.fixes
    fix = replace(planted_study.fixes[0], verdict="worse")
    assert findings._fix(replace(fix, ratio=number(1.5, 1.2, 1.9)), SCALE).severity == "alert"
    assert findings._fix(replace(fix, ratio=number(1.05, 1.02, 1.08)), SCALE).severity == "watch"


@pytest.mark.parametrize(("low", "severity"), [(1.2, "watch"), (1.05, "info")])
def test_a_month_beyond_its_limit_carries_no_money_and_is_watched_where_the_rise_matters(
    planted_study: Study, low: float, severity: str
):
    chart, month = planted_study.chart, planted_study.month
    at = chart.months.index(month)
    centre = float(chart.centre[at].value or 0)
    limits = Interval(low=centre * low, high=centre * 3, level=0.95, method="exact")
    high = replace(chart.values[at], value=centre * 2.0, n=50_000, interval=limits)
    study = replace(
        planted_study,
        chart=replace(
            chart,
            values=(*chart.values[:at], high),
            upper=(*chart.upper[:at], replace(chart.upper[at], value=centre * 1.5)),
            signals=(month,),
        ),
    )
    (found,) = findings._chart(study, SCALE)
    assert found.severity == severity


# -- one meaning of "expected" --------------------------------------------------------------------


def test_the_same_ratio_stands_in_the_figure_and_in_the_ranking(planted_study: Study):
    ratios = {fact.dimensions["supplier"]: fact for _, fact in planted_study.ratios["supplier"]}
    for line in planted_study.paretos["supplier", "excess"].lines:
        ratio = ratios[line.fact.dimensions["supplier"]]
        expected = float(ratio.numerator or 0) - float(line.fact.value or 0)
        assert float(ratio.value or 0) == pytest.approx(float(ratio.numerator or 0) / expected, rel=1e-3)


def test_expected_is_what_all_other_machines_would_have_had():
    frame = pd.DataFrame({"supplier": list("AABC"), "failures": [30, 30, 20, 20], "expected": [25.0] * 4})
    frame = frame.assign(product_line="L")
    found = _summed(SimpleNamespace(frame=frame), "supplier").set_index("value")  # type: ignore[arg-type]
    # B and C: 40 failures on 50 expected; so A, 50 expected at the level of all, would have had 40
    assert found.loc["A", "expected"] == pytest.approx(40.0)
    assert found.loc["B", "expected"] == pytest.approx(25 * 80 / 75)
    assert found.loc["A", "error"] == pytest.approx(40 / np.sqrt(40))


def test_a_cause_and_the_chart_of_its_fix_hold_it_against_the_same_machines(planted_study: Study):
    cause = next(one for one in planted_study.causes if one.cause.attributes == {"supplier": "Qiming"})
    phases = [one for one in planted_study.phases if one.fix.where == {"supplier": "Qiming"}]
    if not phases:
        pytest.skip("no fix of this supplier is registered in time")
    assert float(phases[0].before.value or 0) == pytest.approx(cause.cause.rate_ratio, rel=0.1)


# -- the completed rate ---------------------------------------------------------------------------


def test_the_rate_of_a_year_is_completed_month_by_month(planted_study: Study):
    rates = planted_study.rates
    failed = [float(fact.value or 0) for fact in rates.counts[-12:]]
    share = [float(fact.value or 1) for fact in rates.shares[-12:]]
    completed = sum(n / s for n, s in zip(failed, share, strict=True))
    assert float(rates.year_completed.value or 0) == pytest.approx(
        float(rates.year.value or 0) * completed / sum(failed), rel=1e-9
    )
    assert float(rates.year_completed.value or 0) > float(rates.year.value or 0)
    assert rates.year_completed.period == rates.year.period


def heads(block: Block | None) -> list[str]:
    assert block is not None
    return [tile["label"]["en"] for tile in block.payload["tiles"]]


def test_every_tile_says_its_months_and_its_basis(planted_study: Study):
    said = heads(exhibits.failure_tiles(planted_study))
    assert said[0].startswith("Failure rate completed for late reports, ")
    assert said[1].startswith("Repairs of ") and said[1].endswith(
        " followed by another of the same machine within 30 days"
    )
    years = {
        str(planted_study.month.year - 1),
        str(planted_study.month.year),
        str(planted_study.month.year + 1),
    }
    assert all(any(year in one for year in years) for one in said)
    unknown = replace(
        planted_study.rates.year_completed, value=None, reason=Text.same("nothing"), interval=None
    )
    bare = replace(planted_study, rates=replace(planted_study.rates, year_completed=unknown))
    assert heads(exhibits.failure_tiles(bare))[0].startswith("Failure rate as reported, ")


# -- ages without a past --------------------------------------------------------------------------


def growing_old(seed: int, *, factor: float = 1.0) -> Any:
    """Two ages of machines of a part that wears out: in the last year the younger pass ages that the older had two years before; the older pass new ones."""
    random, months = np.random.default_rng(seed), list(months_between(Month(2023, 11), Month(2026, 10)))
    first = month_index(months[0])
    held, failed = [], []
    for start, machines in ((-6, 9_000.0), (-30, 4_000.0)):
        for k in range(36):
            age = k - start
            held.append((first + k, age, machines))
            rate = 2e-6 * age**2.5 * (factor if k >= 24 else 1.0)
            failed.append((first + k, age, "compressor", random.poisson(machines * rate)))
    by_age = pd.DataFrame(held, columns=["month_no", "age_months", "unit_months"])
    counts = pd.DataFrame(failed, columns=["month_no", "age_months", "value", "failures"])
    counts = counts.assign(product_line="L")
    return SimpleNamespace(
        months=months,
        delays=None,
        horizon=None,
        by_age=by_age,
        by_line=by_age.assign(product_line="L", model="M"),
        failures="",
        query=lambda *_, **__: counts,
    ), counts


@pytest.fixture
def everything_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "delay_of", lambda *_: None)
    monkeypatch.setattr(ranking, "share_by_month", lambda _delay, months, _horizon: np.ones(len(months)))


@pytest.mark.usefixtures("everything_reported")
def test_a_part_that_wears_out_has_no_excess_at_ages_that_nobody_had_reached():
    gaps = []
    for seed in range(40):
        field, counts = growing_old(seed)
        (row,) = ranking.above_own_past(field, "component").to_dict("records")
        gaps.append((row["failures"] - row["expected"]) / np.sqrt(row["expected"] + row["error"] ** 2))
        recent = counts[counts["month_no"] > counts["month_no"].max() - 12]["failures"].sum()
        assert row["failures"] + row["left_out"] == recent and row["left_out"] > 0
    # the rate of all ages would have called hundreds of failures an excess, in every field
    assert abs(np.mean(gaps)) < 0.6 and 0.5 < np.std(gaps) < 1.5


@pytest.mark.usefixtures("everything_reported")
def test_a_rise_at_ages_with_a_past_is_an_excess_of_its_size():
    field, _ = growing_old(1, factor=1.5)
    (row,) = ranking.above_own_past(field, "component").to_dict("records")
    assert row["failures"] / row["expected"] == pytest.approx(1.5, rel=0.1)
    made = _excess(pd.DataFrame([row]))
    limits = _around(made, 0, 0.95)
    assert limits is not None and limits.low > 0
    count, due, error = row["failures"], row["expected"], norm.ppf(0.975) * row["error"]
    low = poisson_limits(count)[0]
    assert limits.low == pytest.approx(count - due - np.hypot(count - low, error), rel=1e-3)


def poisson_limits(count: int) -> tuple[float, float]:
    grid = np.linspace(0.5 * count, 1.5 * count, 400_001)
    return (
        float(grid[np.argmax(poisson.sf(count - 1, grid) >= 0.025)]),
        float(grid[np.argmax(poisson.cdf(count, grid) <= 0.025)]),
    )


# -- no rank without an interval ------------------------------------------------------------------


def said(sentence: Any) -> tuple[str, str]:
    return sentence.plain("en"), sentence.plain("zh")


def supplier(name: str, *limits: float) -> Recovery:
    share = number(*limits, metric="supplier_recovery_rate", unit="share")
    return Recovery(supplier=Text.same(name), share=share, recovered=money(1.0), approved=money(1.0))


@pytest.mark.parametrize(
    ("lines", "title"),
    [
        (
            [supplier("Satoya", 0.086, 0.048, 0.137), supplier("Norvik", 0.124, 0.084, 0.17)],
            "none is shown to give back less than the others",
        ),
        (
            [supplier("Satoya", 0.05, 0.03, 0.07), supplier("Norvik", 0.2, 0.15, 0.25)],
            "Least comes back from Satoya",
        ),
        (
            [supplier("Satoya", 0.0), supplier("Norvik", 0.2, 0.15, 0.25)],
            "none is shown to give back less than the others",
        ),
        ([supplier("Satoya", 0.05, 0.03, 0.07)], "Satoya gave back"),
    ],
)
def test_who_gave_back_least_is_named_only_with_support(lines: Sequence[Recovery], title: str):
    en, zh = said(failure_ranking._recovered(lines))
    assert title in en and zh != en


def dots(*limits: tuple[float, float, float]) -> list[Any]:
    return [SimpleNamespace(name=Text.same(f"S{k}"), fact=number(*one)) for k, one in enumerate(limits)]


@pytest.mark.parametrize(
    ("limits", "title"),
    [
        ([(1.41, 1.35, 1.46), (1.1, 1.02, 1.2)], "S0 stands highest"),
        ([(1.3, 1.1, 1.5), (1.2, 1.05, 1.4), (1.0, 0.9, 1.1)], "beyond chance above other machines: S0, S1"),
        ([(1.3, 0.9, 1.7), (1.0, 0.9, 1.1)], "none fails more often"),
        ([(1.3, 1.1, 1.5)], "S0 stands highest"),
    ],
)
def test_the_highest_attribute_is_named_only_with_support(limits: Any, title: str):
    en, zh = said(failure_search._highest(dots(*limits), Text("supplier", "供应商")))
    assert title in en and zh != en


def line(name: str, amount: Fact, rank: tuple[int, int]) -> Any:
    return SimpleNamespace(
        name=Text.same(name),
        fact=amount,
        rank=number(float(rank[0]), *map(float, rank), metric="failure_rank", unit="count"),
    )


@pytest.mark.parametrize(
    ("by", "lines", "title"),
    [
        ("count", [line("Fan", number(90.0), (1, 1)), line("Pump", number(10.0), (2, 2))], "Fan leads by count"),
        ("count", [line("Fan", number(90.0), (1, 2)), line("Pump", number(89.0), (1, 2))], "chance could put another first"),
        ("count", [line("Fan", number(90.0), (1, 1))], "chance could put another first"),
        ("cost", [line("Fan", money(9.0), (1, 1)), line("Pump", money(1.0), (2, 2))], "Fan costs most"),
        ("cost", [line("Fan", money(9.0), (1, 3)), line("Pump", money(8.0), (1, 3))], "Fan cost "),
        ("past", [line("Fan", number(90.0, 50.0, 130.0), (1, 1)), line("Pump", number(1.0, -5.0, 7.0), (2, 2))], "Fan stands highest above its own past"),
        ("past", [line("Fan", number(9.0, 2.0, 16.0), (1, 2)), line("Pump", number(8.0, 1.0, 15.0), (1, 2))], "by more than chance: Fan, Pump; which is first is open"),
        ("past", [line("Fan", number(9.0, -2.0, 20.0), (1, 1)), line("Pump", number(1.0, -5.0, 7.0), (2, 2))], "nothing lies above its own past"),
        ("excess", [line("A", number(90.0, 50.0, 130.0), (1, 1)), line("B", number(1.0, -5.0, 7.0), (2, 2))], "A stands highest above other machines"),
        ("excess", [line("A", number(9.0, -2.0, 20.0), (1, 2)), line("B", number(5.0, 1.0, 9.0), (1, 2))], "by more than chance: B; which"),
        ("excess", [line("A", number(9.0, -2.0, 20.0), (1, 2)), line("B", number(5.0, -1.0, 11.0), (1, 2))], "nothing lies above other machines"),
    ],
)  # fmt: skip
def test_a_ranking_names_a_leader_only_where_chance_leaves_it_there(
    planted_study: Study, by: str, lines: list[Any], title: str
):
    any_ranking = next(iter(planted_study.paretos.values()))
    made = replace(any_ranking, by=by, lines=tuple(lines))
    values = {
        "first": lines[0].name,
        "fact": lines[0].fact,
        "attribute": Text(en="component", zh="部件"),
        "others": planted_study.others,
    }
    en, zh = said(failure_ranking._leader(made, values))
    assert title in en and zh != en


def test_the_triangle_names_a_quarter_only_with_support(planted_study: Study):
    shown = planted_study.triangle.produced or planted_study.triangle
    age = "12" if any(key[1] == "12" for key in shown.cells) else shown.columns[0][0]

    def title(width: float) -> str:
        cells = {
            key: replace(
                fact,
                value=100.0 + 50.0 * (k == 0),
                interval=Interval(low=100 + 50 * (k == 0) - width, high=100 + 50 * (k == 0) + width, level=0.95, method="exact"),
            )
            for k, (key, fact) in enumerate((key, fact) for key, fact in shown.cells.items() if key[1] == age)
        }  # fmt: skip
        study = replace(planted_study, triangle=replace(shown, cells=shown.cells | cells, produced=None))
        block = exhibits.triangle_figure(study, "service")
        assert block is not None
        return block.plain("en")

    assert "Highest after" in title(5.0) and "none is shown to have more than the other" in title(80.0)


def test_limits_of_a_recovery_rate_are_those_of_a_ratio_of_sums():
    random = np.random.default_rng(5)
    approved = random.gamma(2.0, 100.0, 60)
    recovered = approved * random.binomial(1, 0.2, 60)
    row = {
        "claims": 60,
        "approved": approved.sum(),
        "recovered": recovered.sum(),
        "approved_squares": (approved**2).sum(),
        "recovered_squares": (recovered**2).sum(),
        "products": (approved * recovered).sum(),
    }
    limits = _recovery_limits(row, 0.95)
    share = recovered.sum() / approved.sum()
    picks = random.integers(0, 60, (4_000, 60))
    drawn = recovered[picks].sum(axis=1) / approved[picks].sum(axis=1)
    assert limits is not None and limits.low < share < limits.high
    assert limits.high - limits.low == pytest.approx(4 * drawn.std(), rel=0.1)
    # one claim, or none of whose money came back: no interval, so no rank
    assert _recovery_limits(row | {"claims": 1}, 0.95) is None
    nothing = {"recovered": 0.0, "recovered_squares": 0.0, "products": 0.0}
    assert _recovery_limits(row | nothing, 0.95) is None


@pytest.mark.parametrize(("number_of", "level"), [(1, 0.95), (2, 0.975), (18, 0.998), (10_000, 0.999)])
def test_intervals_that_hold_together(number_of: int, level: float):
    assert jointly(0.95, number_of) == pytest.approx(level)


# -- lives, trees and cost by the causes found -----------------------------------------------------


def test_lives_and_trees_stand_apart_for_the_machines_of_a_cause(planted_study: Study):
    cause = next(one for one in planted_study.causes if one.cause.attributes == {"supplier": "Qiming"})
    parts = [one for one in planted_study.lives or () if one.component == cause.cause.component]
    own, others = parts
    assert own.shape.dimensions["supplier"] == "Qiming" and others.shape.dimensions["machines"] == "other"
    assert own.b10.interval is not None and others.b10.interval is not None
    assert own.b10.interval.high < others.b10.interval.low
    assert own.failures.value == cause.failures.value
    for tree in planted_study.trees or ():
        if not tree.parts:
            continue
        tops = [float(part.top.value or 0) for part in tree.parts]
        assert min(tops) < float(tree.top.value or 0) < max(tops)
        named, *_, rest = (_chance(part.events, "fan_motor") for part in tree.parts)
        whole = _chance([(one.name, one.probability) for one in tree.events], "fan_motor")
        assert named > 2 * rest and rest < whole < named
        values = {"title": tree.title, "top": tree.top, "sets": tree.cut_sets}
        assert "of all machines" in said(failure_trees._tree_title(tree, values))[0]
        assert "of all machines" not in said(failure_trees._tree_title(replace(tree, parts=()), values))[0]


def _chance(events: Iterable[tuple[Text, Fact]], name: str) -> float:
    return next(float(chance.value or 0) for _, chance in events if chance.dimensions["event"] == name)


def test_the_full_excess_is_direct_cost_and_hours_at_the_cost_of_an_hour(planted_study: Study):
    for cause in planted_study.causes:
        labour = cause.labour
        assert labour and cause.cost.value is not None
        full = float(cause.cost.value) + float(labour.hours.value or 0) * float(labour.rate.value or 0)
        assert float(labour.full.value or 0) == pytest.approx(full, rel=0.01)
        assert float(labour.rate.value or 0) == pytest.approx(
            float(labour.rate.numerator or 0) / float(labour.rate.denominator or 1), abs=0.006
        )


def test_a_cause_without_hours_or_without_a_ledger_says_what_is_known(planted_study: Study):
    cause = planted_study.causes[0]
    silent = NotDone(reason=Text.same("no staff"))
    bare = replace(cause, labour=silent)
    nothing = replace(
        bare, cost=replace(cause.cost, value=None, reason=Text.same("no ledger"), interval=None)
    )
    texts = {said(findings._cause(one, SCALE, cause.begun).statement)[0] for one in (cause, bare, nothing)}
    assert len(texts) == 3
    assert (
        sum("of own staff" in text for text in texts) == 1
        and sum("direct cost" in text for text in texts) == 2
    )


# -- checks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "limits", "outcome", "words"),
    [
        (0.02, (-0.01, 0.05), "passed", "inside its own interval"),
        (0.048, (0.024, 0.073), "info", "outside its own interval"),
        (0.15, (0.1, 0.2), "failed", "outside its own interval"),
        (0.15, (-0.1, 0.4), "failed", "inside its own interval"),
    ],
)
def test_the_forecast_is_judged_by_its_limit_and_its_interval(
    planted_study: Study, error: float, limits: tuple[float, float], outcome: str, words: str
):
    missed = number(error, *limits, metric="forecast_error", unit="share")
    test = SimpleNamespace(total=missed, month=number(0.05, metric="forecast_error", unit="share"))
    limit = number(0.1, metric="failure_forecast_error_limit", unit="share")
    (check,) = checks._forecast(replace(planted_study, forecast_test=test), limit=limit)  # type: ignore[arg-type]
    assert check.outcome == outcome and words in check.sentence.plain()
    assert "10" in check.sentence.plain("zh")


@pytest.mark.parametrize(
    ("counted", "corrected", "outcome"),
    [(0.2, 0.02, "passed"), (0.2, 0.09, "failed"), (0.01, 0.02, "failed")],
)
def test_completed_months_are_judged_by_gain_and_limit(
    planted_study: Study, counted: float, corrected: float, outcome: str
):
    test = SimpleNamespace(
        counted=number(counted, metric="reporting_error", unit="share"),
        corrected=number(corrected, metric="reporting_error", unit="share"),
    )
    limit = number(0.05, metric="reporting_error_limit", unit="share")
    field = SimpleNamespace(state=SimpleNamespace(assumed=lambda _name: limit))
    found = checks._reporting(replace(planted_study, reporting_test=test), field)  # type: ignore[arg-type]
    assert found[0].outcome == outcome


@pytest.mark.parametrize(
    ("elsewhere", "rest", "outcome"),
    [
        (number(4.6, 2.0, 8.0), number(1.0, 0.9, 1.1), "passed"),
        (number(1.4, 1.05, 1.8), number(1.0, 0.9, 1.1), "info"),
        (
            number(4.6, 2.0, 8.0),
            number(1.24, 1.2, 1.28),
            "info",
        ),  # the region alone fails more often, and is shown to
        (number(4.6), number(1.0, 0.9, 1.1), "info"),
    ],
)
def test_a_batch_is_told_from_its_region_by_intervals(elsewhere: Fact, rest: Fact, outcome: str):
    apart = SimpleNamespace(region="South", batch_elsewhere=elsewhere, region_without=rest)
    cause: Any = SimpleNamespace(name=Text.same("Batch B"), apart=apart)
    assert checks._apart(cause, least=0.1).outcome == outcome


@pytest.mark.parametrize(
    ("horizon", "days", "last"),
    [
        ("2026-10-30", 30, (2026, 9)),  # a repair of 30 September is followed on 30 October
        ("2026-10-29", 30, (2026, 8)),
        ("2026-11-10", 30, (2026, 9)),
        ("2026-10-31", 60, (2026, 8)),
        ("2026-10-29", 60, (2026, 7)),
        ("2027-03-01", 30, (2026, 10)),  # never beyond the report month
    ],
)
def test_a_month_is_followed_once_the_days_of_its_last_repair_are_over(
    horizon: str, days: int, last: tuple[int, int]
):
    rules = SimpleNamespace(repeat_repair_days=days)
    inputs = SimpleNamespace(engine=SimpleNamespace(rules=rules))
    field: Any = SimpleNamespace(inputs=inputs, horizon=dt.date.fromisoformat(horizon), last=Month(2026, 10))
    assert lives.last_followed(field) == month_index(Month(*last))
    # the last repair of that month has its days behind it; that of the next month has not, or is beyond the report month
    ends = [(Month(*last) + k).last_day + dt.timedelta(days=days) for k in (0, 1)]
    assert ends[0] <= field.horizon and (ends[1] > field.horizon or last == (2026, 10))
