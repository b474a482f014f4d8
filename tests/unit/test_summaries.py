"""Results are short to look at: every result dataclass, and real results of the public fits."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

import analysis
import analysis.workbook  # noqa: F401 - registers the charts
from analysis import stats
from analysis.errors import ParameterError
from analysis.results import Fact, Finding, Sentence
from analysis.summaries import LONGEST_REPR, PLOTS, Summarised

PACKAGES = ("stats", "costs", "failures", "retention", "value", "quality", "executive")
LIMIT = 2000


def result_classes() -> Iterator[type]:
    """Every public dataclass of the studies and of stats."""
    for package in PACKAGES:
        root = importlib.import_module(f"analysis.{package}")
        for module in pkgutil.walk_packages(root.__path__, f"analysis.{package}."):
            for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                if (
                    kind.__module__ == module.name
                    and is_dataclass(kind)
                    and not kind.__name__.startswith("_")
                ):
                    yield kind


CLASSES = sorted(set(result_classes()), key=lambda kind: f"{kind.__module__}.{kind.__name__}")


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_result_class_is_short_to_look_at(kind):
    """Filled with what is longest to print: a large frame where anything goes."""
    assert issubclass(kind, Summarised), f"{kind.__name__}: give it the base analysis.summaries.Summarised"
    result = object.__new__(kind)
    frame = pd.DataFrame(np.zeros((5000, 30)))
    stuffing = [
        frame,
        frame.to_numpy(),
        tuple(frame[0]),
        {str(n): frame for n in range(2000)},
        "word " * 5000,
    ]
    for position, field in enumerate(fields(kind)):
        object.__setattr__(result, field.name, stuffing[position % len(stuffing)])
    for text in (repr(result), str(result) if kind.__str__ is object.__str__ else ""):
        assert len(text) < LIMIT
    assert kind.__name__ in result._repr_html_()
    summary = result.summary()
    assert list(summary.columns) == ["value"]
    assert summary["value"].str.len().max() <= 70 if len(summary) else True


def test_there_are_result_classes_to_look_at():
    assert len(CLASSES) > 150


RNG = np.random.default_rng(11)
AGES = RNG.weibull(1.5, 400) * 20 + 0.1
FAILED = RNG.random(400) < 0.7
GROUP = (RNG.random(400) < 0.5).astype(float)
MONTHS = pd.Series(
    100 + 10 * np.sin(np.arange(48) / 12 * 2 * np.pi) + RNG.normal(0, 2, 48),
    index=pd.period_range("2022-01", periods=48, freq="M"),
)


def purchases(customers: int, weeks: float) -> tuple[np.ndarray, np.ndarray]:
    """Repeat purchases and the last one's time, of customers who buy at a gamma rate and may leave after each purchase."""
    frequency, recency = np.zeros(customers), np.zeros(customers)
    for customer in range(customers):
        rate, leaves, time = RNG.gamma(0.8, 0.2), RNG.beta(1.0, 2.5), 0.0
        while (time := time + RNG.exponential(1 / rate)) < weeks:
            frequency[customer] += 1
            recency[customer] = time
            if RNG.random() < leaves:
                break
    return frequency, recency


def fits() -> dict[str, Any]:
    frequency, recency = purchases(1500, 40.0)
    return {
        "survival": stats.kaplan_meier(AGES, FAILED),
        "log_rank": stats.log_rank(AGES, FAILED, GROUP),
        "weibull": stats.fit_weibull(AGES, FAILED),
        "lognormal": stats.fit_lognormal(AGES, FAILED),
        "cox": stats.cox(pd.DataFrame({"group": GROUP, "other": RNG.normal(size=400)}), AGES, FAILED),
        "control": stats.control_chart("individuals", MONTHS.to_numpy()),
        "forecast": stats.forecast(MONTHS, horizon=6, candidates=("seasonal_naive",)),
        "bgnbd": stats.fit_bgnbd(frequency, recency, np.full(1500, 40.0)),
        "effect": stats.doubly_robust(
            GROUP + RNG.normal(size=400),
            (RNG.random(400) < 0.5).astype(float),
            pd.DataFrame({"x": RNG.normal(size=400)}),
            repeats=1,
            folds=2,
        ),
        "recurrence": stats.mean_cumulative_function(
            np.arange(200) % 50, RNG.uniform(0, 20, 200), ends=np.full(50, 20.0)
        ),
    }


@pytest.fixture(scope="module")
def fitted():
    return fits()


def test_a_real_fit_is_short_and_names_its_scalars(fitted):
    for name, fit in fitted.items():
        assert len(repr(fit)) < LIMIT, name
        assert len(str(fit)) < LIMIT, name
        assert len(fit._repr_html_()) < 6000, name
        assert len(fit.summary()) >= 3, name
    assert "candidate=seasonal_naive" in repr(fitted["forecast"])
    assert "failures=" in repr(fitted["weibull"])
    assert "terms" not in fitted["weibull"].summary().index  # kept out of the repr by its class
    assert "x 8 columns" in repr(fitted["cox"])


def drawn(fit: Any) -> Any:
    (axes,) = fit.plot().axes
    return axes


def test_a_chart_draws_what_the_fit_says(fitted):
    curve = fitted["survival"]
    step = drawn(curve).lines[0]
    assert step.get_ydata().tolist() == curve.table["survival"].tolist()
    ratios = drawn(fitted["cox"]).lines[0]
    assert ratios.get_xdata().tolist() == fitted["cox"].coefficients["hazard_ratio"].tolist()
    assert (
        drawn(fitted["forecast"]).lines[0].get_ydata().tolist() == fitted["forecast"].table["point"].tolist()
    )
    points = drawn(fitted["control"]).lines[3]
    assert points.get_ydata().tolist() == fitted["control"].points["value"].tolist()
    life = drawn(fitted["weibull"]).lines[0]
    assert life.get_ydata()[-1] == pytest.approx(0.99)
    (effect,) = [list(line.get_xdata()) for line in drawn(fitted["effect"]).lines if line.get_marker() == "o"]
    assert effect == [fitted["effect"].effect, fitted["effect"].naive.value]
    new = drawn(fitted["bgnbd"]).lines[0].get_ydata()
    assert new[52] == pytest.approx(float(fitted["bgnbd"].expected_purchases_of_new(52.0)))
    assert drawn(fitted["recurrence"]).lines[0].get_ydata()[-1] == fitted["recurrence"].table["mcf"].iloc[-1]


def test_every_registered_chart_names_a_class_that_is_there():
    for name in PLOTS:
        module, _, kind = name.rpartition(".")
        assert issubclass(getattr(importlib.import_module(module), kind), Summarised), name


def test_a_result_without_a_chart_says_where_charts_are(fitted):
    with pytest.raises(ParameterError, match="Fact has no picture of its own; its numbers are in summary"):
        Fact(metric="cost", period="2026-10", unit="CNY", value=3).plot()

    @dataclass(frozen=True, eq=False, kw_only=True)
    class Both(Summarised):
        curve: Any
        months: int

    with pytest.raises(ParameterError, match="Both has no picture of its own; draw a part of it: curve"):
        Both(curve=fitted["survival"], months=3).plot()


def test_parts_are_named_by_kind_and_size():
    @dataclass(frozen=True, eq=False, kw_only=True)
    class Result(Summarised):
        month: str
        rows: pd.DataFrame
        parts: tuple[Any, ...]
        shares: dict[str, float]
        fact: Fact
        nothing: None = None

    fact = Fact(metric="cost", period="2026-10", unit="CNY", value=3)
    result = Result(
        month="2026-10",
        rows=pd.DataFrame({"a": range(1200)}),
        parts=(fact, fact),
        shares={"north": 0.25},
        fact=fact,
    )
    assert repr(result) == (
        "Result(month=2026-10, rows=table, 1,200 rows x 1 columns, parts=2 Fact, shares=north: 0.25, "
        "fact=cost#2026-10:1 = 3 CNY)"
    )
    assert result.summary().loc["nothing", "value"] == "None"
    with_rows = Finding(
        id="a.b",
        section="a",
        severity="info",
        statement=Sentence("Words."),
        evidence=pd.DataFrame({"a": range(9000)}),
    )
    assert "statement=Words." in repr(with_rows)
    assert len(repr(with_rows)) < LONGEST_REPR
