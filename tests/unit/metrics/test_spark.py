"""The same definitions on Spark give the same facts. Skipped where pyspark or Java is not installed."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.errors import ParameterError
from analysis.metrics import Engine, Registry
from analysis.params import CostTree
from analysis.periods import Month
from analysis.tables import load_tables

OCTOBER = Month(2026, 10)


def test_without_pyspark_the_refusal_says_what_to_do(monkeypatch: pytest.MonkeyPatch):
    import sys

    from analysis.metrics.spark import Spark

    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(ParameterError, match="pyspark is not installed"):
        Spark()


def test_spark_and_duckdb_give_the_same_facts(
    company: Path, tmp_path: Path, engine_of: Callable[..., Engine]
):
    pytest.importorskip("pyspark", reason="pyspark is not installed")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed")
    from analysis.metrics.spark import Spark

    tables = load_tables(company, tmp_path / "store", reporting_currency="CNY", time_zone="Asia/Shanghai")
    spark = Engine(
        tables,
        Registry.load(),
        cost_tree=CostTree.load(),
        as_of=dt.date(2026, 11, 10),
        time_zone="Asia/Shanghai",
        currency="CNY",
        confidence=0.95,
        cache=None,
        database=Spark(),
    )
    duckdb = engine_of(company)
    compared = 0
    for metric in spark.registry:
        if isinstance(metric.numerator, str):
            here, there = duckdb.fact(metric.id, period=OCTOBER), spark.fact(metric.id, period=OCTOBER)
            assert here.as_json() == there.as_json(), metric.id
            compared += here.value is not None
    assert compared > 10
    for dimension in ("category", "ticket_type", "product_line"):
        assert duckdb.aggregate("incurred_cost", by=(dimension,), period=OCTOBER).equals(
            spark.aggregate("incurred_cost", by=(dimension,), period=OCTOBER)
        )
