"""What others published stands beside our figure with its source; without one nothing is drawn, and what cannot be compared is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from analysis import executive
from analysis.errors import ParameterError
from analysis.executive.benchmarks import benchmarked, refuse_unfit
from analysis.exhibits.executive import benchmarks_table
from analysis.locale import Text
from analysis.metrics import Registry, StudyInputs
from analysis.params import project_root
from analysis.params.benchmarks import Benchmark, load_benchmarks

Inputs = Callable[..., StudyInputs]


def published(metric: str, value: str, **changed: Any) -> Benchmark:
    stated = {
        "population": Text(en="41 sellers", zh="41 家商家"),
        "source": "A yearbook, p. 7",
        "date": dt.date(2025, 12, 31),
    }
    return Benchmark(metric=metric, value=Decimal(value), **(stated | changed))


def test_a_value_within_our_interval_is_not_told_apart_from_ours(company: Path, inputs_of: Inputs) -> None:
    inputs = inputs_of(company)
    ours = benchmarked(inputs, [published("automation_rate", "0.5")])[0].ours
    assert ours.interval is not None
    low, high = ours.interval.low, ours.interval.high
    values = [str(low), str(high), str(low - 0.001), str(high + 0.001)]
    found = benchmarked(inputs, [published("automation_rate", value) for value in values])
    assert [one.standing for one in found] == ["same", "same", "above", "below"]


def test_an_exact_figure_is_above_or_below(company: Path, inputs_of: Inputs) -> None:
    inputs = inputs_of(company)
    ours = benchmarked(inputs, [published("after_sales_cost", "0")])[0].ours.value
    found = benchmarked(inputs, [published("after_sales_cost", f"{value}") for value in (0, ours, 10**9)])
    assert [one.standing for one in found] == ["above", "same", "below"]
    assert {one.theirs.unit for one in found} == {"CNY"}


def test_a_measure_that_we_lack_is_not_compared(company: Path, inputs_of: Inputs) -> None:
    (company / "orders.csv").unlink()
    (found,) = benchmarked(inputs_of(company), [published("after_sales_cost_rate", "0.03")])
    assert found.standing == "unknown" and found.ours.reason is not None


def test_the_table_names_source_population_and_day(company: Path, inputs_of: Inputs) -> None:
    stated = [published("automation_rate", "0.5", source="<b>$Yearbook$</b>")]
    study = executive.study(inputs_of(company), benchmarks=stated)
    block = benchmarks_table(study)
    assert block is not None and not block.payload["untranslated"]
    text = str(block.payload["rows"])
    assert "41 sellers" in text and "41 家商家" in text and "<b>$Yearbook$</b>" in text and "2025" in text
    assert block.payload["facts"][-1]["lineage"]["source"] == "params/benchmarks.yml"


def test_nothing_is_drawn_where_nothing_is_stated(company: Path, inputs_of: Inputs) -> None:
    assert benchmarks_table(executive.study(inputs_of(company), benchmarks=[])) is None


def test_what_ships_can_be_compared() -> None:
    for path in (project_root() / "params").rglob("benchmarks.yml"):
        refuse_unfit(load_benchmarks("sample", path), Registry.load())


def test_a_benchmark_is_for_its_run_or_for_all(tmp_path: Path) -> None:
    entry = '{metric: automation_rate, value: 0.4, population: "all", source: S, date: 2025-12-31'
    path = tmp_path / "benchmarks.yml"
    path.write_text(
        f"benchmarks:\n- {entry}}}\n- {entry}, run: acme}}\n- {entry}, run: other}}\n", encoding="utf-8"
    )
    assert [one.run for one in load_benchmarks("acme", path)] == ["", "acme"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('metric: automation_rate, value: 0.4, population: "all", source: " ", date: 2025-12-31', "source"),
        ('metric: automation_rate, value: 0.4, population: " ", source: S, date: 2025-12-31', "population"),
        ("metric: automation_rate, value: 0.4, source: S, date: 2025-12-31", "population"),
        ('metric: automation_rate, value: 0.4, population: "all", source: S', "date"),
        ('metric: automation_rate, value: .nan, population: "all", source: S, date: 2025-12-31', "no number"),
        ('metric: automation_rate, value: high, population: "all", source: S, date: 2025-12-31', "value"),
    ],
)
def test_a_value_without_its_origin_is_refused(entry: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.yml"
    path.write_text(f"benchmarks:\n- {{{entry}}}\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=said):
        load_benchmarks("sample", path)


def test_one_stated_twice_is_refused(tmp_path: Path) -> None:
    entry = '- {metric: automation_rate, value: 0.4, population: "all", source: S, date: 2025-12-31}\n'
    path = tmp_path / "benchmarks.yml"
    path.write_text(f"benchmarks:\n{entry}{entry}", encoding="utf-8")
    with pytest.raises(ParameterError, match="stands twice"):
        load_benchmarks("sample", path)


@pytest.mark.parametrize(
    ("metric", "said"), [("automation_rat", "Did you mean 'automation_rate'"), ("b10_life", "is made by")]
)
def test_a_measure_that_cannot_be_compared_is_refused(metric: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        refuse_unfit([published(metric, "1")], Registry.load())
