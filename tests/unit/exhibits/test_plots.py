"""``plot()``: every kind of result draws, in both languages and with its axes named, or says in words what can be drawn instead."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import analysis.workbook  # noqa: F401 - registers the charts
from analysis import costs, failures, retention, stats, value
from analysis.costs.savings import MeasuredEffect, MeasureResult
from analysis.costs.signals import Signals
from analysis.costs.sourcing import BreakEvenVolume
from analysis.errors import AnalysisError, ParameterError
from analysis.executive import ExecutiveStudy
from analysis.failures.monitoring_facts import ChartFacts
from analysis.locale import Text, untranslated
from analysis.metrics import NotDone, Registry
from analysis.periods import Month
from analysis.results import Fact, Interval
from analysis.retention.components_facts import ChurnBasis
from analysis.summaries import PLOTS
from analysis.value.effect_results import ServiceEffects
from analysis.value.portfolio import Portfolio
from analysis.value.scenarios import WhatIf, WhatIfs

RNG = np.random.default_rng(11)
AGES = RNG.weibull(1.5, 200) * 20 + 0.1
FAILED = RNG.random(200) < 0.7
GROUP = (RNG.random(200) < 0.5).astype(float)
MONTHS = pd.period_range("2022-11", periods=48, freq="M")
PAST = pd.Series(100 + 10 * np.sin(np.arange(48) / 6 * np.pi) + RNG.normal(0, 2, 48), index=MONTHS)
BOUGHT = ([0, 1, 2, 6, 12, 1], [0, 4, 10, 38, 39, 30], [39] * 6, [60, 12, 10, 6, 3, 6])
CELLS = pd.DataFrame({"model": list("XXYYZZ"), "region": ["North", "South"] * 3})


def fact(metric: str, number: float, *, unit: str, period: str = "2026-10", width: float = 0.0) -> Fact:
    interval = Interval(low=number - width, high=number + width, level=0.95, method="made") if width else None
    return Fact(metric=metric, period=period, unit=unit, value=number, interval=interval)


def monthly(metric: str, unit: str, numbers: Any, width: float = 0.0) -> tuple[Fact, ...]:
    return tuple(
        fact(metric, float(number), unit=unit, period=str(month), width=width)
        for month, number in zip(MONTHS, numbers, strict=False)
    )


def partly(kind: type, **parts: Any) -> Any:
    """A result of a study of which only some parts are filled in: its chart reads no other."""
    result = object.__new__(kind)
    for name, part in parts.items():
        object.__setattr__(result, name, part)
    return result


def estimators() -> dict[str, Callable[[], Any]]:
    def weights() -> Any:
        return stats.doubly_robust(
            GROUP + RNG.normal(size=200),
            (RNG.random(200) < 0.5).astype(float),
            pd.DataFrame({"age": RNG.normal(size=200), "tier": RNG.choice(list("ab"), 200)}),
            repeats=1,
            folds=2,
        )

    parts = pd.DataFrame({"labour": PAST, "material": PAST / 2})
    return {
        "SurvivalCurve": lambda: stats.kaplan_meier(AGES, FAILED),
        "CumulativeIncidence": lambda: stats.aalen_johansen(AGES, np.where(FAILED, 1 + GROUP, 0)),
        "Estimate": lambda: stats.kaplan_meier(AGES, FAILED).median,
        "LogRank": lambda: stats.log_rank(AGES, FAILED, np.where(GROUP, "new", "old")),
        "Interval": lambda: stats.proportion_interval([1, 5, 9], [10, 10, 10], method="wilson"),
        "CoxFit": lambda: stats.cox(
            pd.DataFrame({"group": GROUP, "other": RNG.normal(size=200)}), AGES, FAILED
        ),
        "AcceleratedLife": lambda: stats.accelerated_life(AGES, FAILED, pd.DataFrame({"group": GROUP})),
        "OpportunityModel": lambda: stats.fit_bgbb(
            [0, 1, 1, 1, 2, 2, 3], [0, 1, 2, 3, 2, 3, 3], [3] * 7, [40, 15, 8, 12, 14, 21, 70]
        ),
        "ChosenSmoothing": lambda: stats.exponential_smoothing(PAST, season=1, horizon=6),
        "MeanCumulativeFunction": lambda: stats.mean_cumulative_function(
            np.arange(100) % 25, RNG.uniform(0, 20, 100), ends=np.full(25, 20.0)
        ),
        "WeibullFit": lambda: stats.fit_weibull(AGES, FAILED),
        "ExponentialFit": lambda: stats.fit_exponential(AGES, FAILED),
        "LognormalFit": lambda: stats.fit_lognormal(AGES, FAILED),
        "ThresholdWeibullFit": lambda: stats.fit_weibull_threshold(AGES + 30, FAILED, resolution=1.0),
        "MixtureFit": lambda: stats.fit_weibull_mixture(np.r_[AGES[:60] / 10, AGES[60:] + 80]),
        "RankRegression": lambda: stats.rank_regression(AGES, FAILED, family="weibull", on="rank"),
        "ControlChart": lambda: stats.control_chart("individuals", np.r_[PAST.to_numpy(), 190.0]),
        "Forecast": lambda: stats.forecast(PAST, candidates=("seasonal_naive",)),
        "ReconciledForecast": lambda: stats.forecast_parts(parts, candidates=("seasonal_naive",)),
        "IntermittentFit": lambda: stats.intermittent_demand(RNG.poisson(0.4, 40) * 3.0),
        "DoublyRobust": weights,
        "Overlap": lambda: weights().overlap,
        "Sensitivity": lambda: weights().sensitivity,
        "Localisation": lambda: stats.localise([60, 60, 20, 20, 20, 20], [20] * 6, CELLS),
        "PurchaseSummary": lambda: stats.purchase_summary(
            RNG.integers(0, 60, 200),
            pd.Timestamp("2026-01-01") + pd.to_timedelta(RNG.integers(0, 300, 200), unit="D"),
            end="2026-12-31",
            unit="weeks",
        ),
        "GeometricModel": lambda: stats.fit_bgnbd(*BOUGHT, unit="weeks"),
        "ParetoModel": lambda: stats.fit_pareto_nbd(*BOUGHT, unit="weeks"),
        "GammaGammaModel": lambda: stats.fit_gamma_gamma(
            [1, 2, 1, 3, 2, 1, 4, 2], [20, 35, 60, 30, 45, 25, 40, 90.0]
        ),
        "ContractModel": lambda: stats.fit_sbg([1000, 869, 743, 653, 593]),
        "ReportingDelay": lambda: stats.fit_reporting_delay(
            RNG.integers(0, 4, 200), RNG.integers(4, 20, 200)
        ),
    }


def of_costs() -> dict[str, Callable[[], Any]]:
    cost = Decimal("100.00")
    activities = pd.DataFrame({"team": ["A", "B"], "time": [60.0, 90.0]})
    capacity = pd.DataFrame({"team": ["A", "B"], "cost": [cost, cost * 2], "practical_time": [100.0, 100.0]})
    cells = pd.DataFrame(
        {"line": ["Washers", "Dryers"], "tickets": [10, 20], "cost": [Decimal("100.00"), Decimal("300.00")]}
    )
    signals = Signals(
        by_subject=pd.DataFrame(
            {"region": ["South", "North"], "rise": [0.3, 0.02], "low": [0.1, -0.1], "high": [0.5, 0.2]}
            | {"p_value": [0.001, 0.4], "p_adjusted": [0.002, 0.4], "signal": [True, False]}
        ),
        not_tested=pd.DataFrame(),
        level=0.05,
        confidence=0.95,
    )
    movements = pd.DataFrame(
        {"month": [str(month) for month in MONTHS[:6]], "accrued": [Decimal("50.00")] * 6}
        | {"utilised": [Decimal("40.00")] * 6}
    )
    line = stats.proportion_interval(30, 100, method="wilson")
    return {
        "CostStudy": lambda: partly(
            costs.CostStudy, monthly=monthly("after_sales_cost", "CNY", PAST * 10_000)
        ),
        "Signals": lambda: signals,
        "Allocation": lambda: costs.allocate_pools(
            pd.DataFrame({"pool": ["rent", "it"], "amount": [cost, cost]}),
            pd.DataFrame({"pool": ["rent", "rent", "it"], "line": ["a", "b", "a"], "weight": [1, 3, 1]}),
            target="line",
        ),
        "AllocationSensitivity": lambda: costs.allocation_sensitivity(
            cost, {"hours": {"a": 1, "b": 3}, "tickets": {"a": 2, "b": 2}}
        ),
        "ActivityCosts": lambda: costs.time_driven_abc(activities, capacity, pool="team"),
        "ConstantMix": lambda: costs.at_constant_mix(
            cells, cells.assign(cost=[Decimal("90.00"), Decimal("280.00")]), by=["line"], weights="after"
        ),
        "ProvisionRollForward": lambda: costs.provision_roll_forward(movements, opening=Decimal("500.00")),
        "MeasureResult": lambda: partly(
            MeasureResult,
            measured=partly(MeasuredEffect),
            saving=cost,
            saving_interval=line.scaled(300),
            expected=cost * 2,
        ),
        "BreakEvenVolume": lambda: partly(
            BreakEvenVolume, tickets=30.0, interval=line.scaled(100), reason=""
        ),
    }


def of_customers() -> dict[str, Callable[[], Any]]:
    absent = NotDone(Text.of("not computed: the denominator is zero"))
    history = tuple(
        zip(
            (Month.parse(str(m)) for m in MONTHS),
            monthly("gross_churn_rate", "share", PAST / 800, width=0.01),
            strict=True,
        )
    )
    basis = partly(ChurnBasis, basis="contractual", history=history)
    tenths = pd.DataFrame({"expected": np.arange(1, 11) / 25, "rate": np.arange(1, 11) / 24})
    portfolio = partly(
        Portfolio, lorenz=tuple((x, fact("clv_share", x**2, unit="share")) for x in np.arange(0, 1.01, 0.1))
    )
    named = SimpleNamespace(name=Text.of("Interval"))
    scenario = partly(
        WhatIf,
        scenario=named,
        npv=fact("npv", 30_000, unit="CNY", width=9000),
        curve=tuple(
            (
                Month.parse(str(month)),
                fact("npv", 500.0 * n - 3000, unit="CNY", width=1000),
                fact("npv", 500.0 * n - 3000, unit="CNY", width=2000),
            )
            for n, month in enumerate(MONTHS[:24])
        ),
    )
    outcome = SimpleNamespace(outcome="repurchase", adjusted=fact("effect", -0.04, unit="share", width=0.02))
    effect = SimpleNamespace(treatment=named, outcomes=(outcome,))
    return {
        "RetentionStudy": lambda: partly(retention.RetentionStudy, contractual=basis, non_contractual=absent),
        "ChurnBasis": lambda: basis,
        "ChurnComponents": lambda: retention.churn_components(start=100, lost=8, new=12, reactivated=3),
        "RiskScores": lambda: partly(
            retention.RiskScores,
            calibration=tenths.assign(low=tenths["rate"] - 0.04, high=tenths["rate"] + 0.04),
        ),
        "ValueStudy": lambda: partly(value.ValueStudy, portfolio=portfolio),
        "Portfolio": lambda: portfolio,
        "CustomerValues": lambda: partly(
            value.CustomerValues, table=pd.DataFrame({"clv": RNG.gamma(1.5, 200, 400)})
        ),
        "ServiceEffects": lambda: partly(ServiceEffects, effects=(effect,)),
        "WhatIf": lambda: scenario,
        "WhatIfs": lambda: partly(WhatIfs, results=(scenario,)),
    }


def of_failures_and_the_rest() -> dict[str, Callable[[], Any]]:
    from analysis.quality import FileRows, QualityStudy

    rates = monthly("failure_rate", "failures/1000_unit_months", PAST / 20)
    level = monthly("failure_rate", "failures/1000_unit_months", np.full(48, 5.0))
    chart = partly(
        ChartFacts,
        months=tuple(Month.parse(str(month)) for month in MONTHS),
        values=rates,
        centre=level,
        lower=monthly("failure_rate", "failures/1000_unit_months", np.full(48, 4.5)),
        upper=monthly("failure_rate", "failures/1000_unit_months", np.full(48, 5.4)),
        signals=(Month.parse("2023-02"),),
    )
    rows = pd.DataFrame(
        {"product_line": ["Washers"] * 6 + ["Dryers"] * 6, "month": [str(m) for m in MONTHS[:6]] * 2}
        | {"failures": 5.0, "cost": 1000.0, "low": 800.0, "high": 1300.0}
    )
    tree = {
        "top": "stops",
        "gates": {"stops": {"kind": "or", "of": ["pump", "board"]}},
        "events": {"pump": {"probability": 0.02}, "board": {"probability": 0.01}},
    }
    counted = {
        name: fact("rows", number, unit="count")
        for name, number in {"read": 10, "accepted": 8, "quarantined": 1, "duplicate": 1}.items()
    }
    file = FileRows(table="tickets", file="tickets.csv", sha256="", rows=counted)
    change = SimpleNamespace(
        change=fact("change", 0.12, unit="share"), base=fact("after_sales_cost", 100, unit="CNY")
    )
    headline = SimpleNamespace(metric=Registry.load()["after_sales_cost"], changes=(change,))
    return {
        "FailureStudy": lambda: partly(failures.FailureStudy, chart=chart),
        "ChartFacts": lambda: chart,
        "ClaimsForecast": lambda: failures.ClaimsForecast(
            rows=rows, draws=np.zeros(2), counts=np.zeros(2), level=0.95
        ),
        "FaultTree": lambda: failures.FaultTree.from_mapping(tree, name="tree"),
        "QualityStudy": lambda: partly(QualityStudy, files=(file,)),
        "ExecutiveStudy": lambda: partly(ExecutiveStudy, headlines=(headline,)),
    }


@functools.cache
def made(kind: str) -> Any:
    return EXAMPLES[kind]()


EXAMPLES = estimators() | of_costs() | of_customers() | of_failures_and_the_rest()


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_picture_is_titled_and_its_axes_are_named_in_both_languages(kind):
    result = made(kind)
    assert type(result).__name__ == kind
    titles = {}
    for language in ("en", "zh"):
        figure = result.plot(language=language)
        (axes,) = figure.axes
        titles[language] = axes.get_title(loc="left")
        assert titles[language]
        assert axes.has_data()
        named = axes.get_xlabel() + axes.get_ylabel()
        assert named, "an axis without a name"
        assert bool(re.search(r"[一-鿿]", titles[language] + named)) == (language == "zh")
    assert titles["en"] != titles["zh"]


def test_no_word_of_a_picture_lacks_its_chinese():
    for kind in EXAMPLES:
        made(kind).plot(language="zh")
    assert untranslated() == ()


def test_every_registered_picture_is_drawn_here():
    drawn = {f"{type(made(kind)).__module__}.{type(made(kind)).__qualname__}" for kind in EXAMPLES}
    # one chart serves every life distribution
    assert set(PLOTS) - drawn == {"analysis.stats.life.LifeFit"}
    assert len(drawn) == len(EXAMPLES)


def test_the_unit_stands_on_the_axis():
    fit = made("WeibullFit")
    (axes,) = fit.plot(unit="months").axes
    assert axes.get_xlabel() == "age (months)"
    assert fit.plot().axes[0].get_xlabel() == "age (unit of the data)"


def test_an_unknown_language_is_refused():
    with pytest.raises(ParameterError, match="unknown language 'de'; known: en, zh"):
        made("WeibullFit").plot(language="de")


def test_what_was_not_done_says_so():
    absent = NotDone(Text.of("not computed: the denominator is zero"))
    study = partly(value.ValueStudy, portfolio=absent)
    with pytest.raises(ParameterError, match="nothing to draw: not computed: the denominator is zero"):
        study.plot()


def test_a_result_without_a_picture_names_those_of_its_parts():
    with pytest.raises(
        AnalysisError, match="Overdispersion has no picture of its own; its numbers are in summary"
    ):
        stats.overdispersion_test([5, 15], [100, 100], kind="u").plot()
