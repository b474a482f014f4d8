"""The same rows, in whatever order several threads meet them, give the same double to the last bit."""

from __future__ import annotations

import math
import random

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.metrics.backend import DuckDB
from analysis.metrics.steady import exact_sum, ordered_aggregates, steady

SUMS = f"""SELECT g, sum(x) AS plain, avg(x) AS mean, stddev_samp(x) AS spread, corr(x, y) AS together, any_value(word) AS word,
    sum(x) FILTER (WHERE y > 0) AS some, {exact_sum("x")} AS exact, {exact_sum("x", where="y > 0")} AS exact_some FROM rows GROUP BY g"""


@pytest.fixture(scope="module")
def rows() -> list[dict[str, object]]:
    chance = random.Random(1)
    return [
        {
            "g": chance.randrange(5),
            "x": chance.choice((1, -1)) * 10 ** chance.uniform(-9, 9),
            "y": chance.gauss(0, 1),
            "word": chance.choice("abc"),
        }
        for _ in range(20_000)
    ]


def _written(path, rows):
    """Small row groups, so that even few rows are shared out among threads."""
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=500)
    return path


@pytest.fixture
def shuffled(rows, tmp_path):
    """The rows in six orders, each a file of its own."""
    chance = random.Random(2)
    orders = [chance.sample(rows, len(rows)) for _ in range(6)]
    return [_written(tmp_path / f"{number}.parquet", order) for number, order in enumerate(orders)]


def _answer(file, threads, monkeypatch, sql):
    monkeypatch.setenv("AFTER_SALES_THREADS", str(threads))
    database = DuckDB()
    database.register_parquet("rows", [file])
    answer = database.arrow(sql).to_pylist()
    database.close()
    return answer


def test_any_order_of_rows_and_any_number_of_threads_give_the_same_double(shuffled, monkeypatch):
    answers = [repr(_answer(file, threads, monkeypatch, SUMS)) for file in shuffled for threads in (1, 2, 7)]
    assert len(set(answers)) == 1
    plain = {repr(duckdb.sql(f"SELECT sum(x) FROM read_parquet('{file}')").fetchall()) for file in shuffled}
    assert len(plain) > 1, "these rows would not show the fault that is guarded against"


def test_an_exact_sum_is_the_correctly_rounded_one(rows, shuffled, monkeypatch):
    answer = _answer(shuffled[0], 2, monkeypatch, SUMS)
    for line in answer:
        inside = [row for row in rows if row["g"] == line["g"]]
        assert line["exact"] == pytest.approx(math.fsum(row["x"] for row in inside), rel=1e-15)
        some = math.fsum(row["x"] for row in inside if row["y"] > 0)
        assert line["exact_some"] == pytest.approx(some, rel=1e-15)


def test_an_exact_sum_takes_any_number_and_is_null_without_one():
    for kind in ("DOUBLE", "INTEGER", "DECIMAL(18, 2)"):
        sql = f"SELECT {exact_sum('x')} FROM (VALUES (CAST(3 AS {kind})), (NULL), (-1)) t(x)"
        assert duckdb.execute(sql).fetchone() == (2.0,)
    assert duckdb.execute(f"SELECT {exact_sum('x')} FROM (SELECT 1.5 AS x WHERE FALSE)").fetchone() == (None,)
    with pytest.raises(duckdb.Error):  # beyond 1e38: refused, never wrapped round
        duckdb.execute(f"SELECT {exact_sum('x')} FROM (SELECT 1e300 AS x)").fetchone()


def test_rows_that_tie_keep_their_places(shuffled, monkeypatch):
    """Without an order, under one that leaves ties, and where LIMIT chooses among them."""
    for sql in (
        "SELECT g, word, count(*) AS n FROM rows GROUP BY ALL",
        "SELECT x, word FROM rows ORDER BY word",
        "SELECT x, g FROM rows WHERE y > 0 ORDER BY g DESC LIMIT 7",
        "SELECT x FROM rows LIMIT 3",
    ):
        answers = {repr(_answer(file, threads, monkeypatch, sql)) for file in shuffled for threads in (1, 3)}
        assert len(answers) == 1, sql


@pytest.mark.parametrize(
    "given, ordered",
    [
        ("sum(x)", "sum(x ORDER BY x)"),
        ("SUM (a * (b + c))", "SUM (a * (b + c) ORDER BY a * (b + c))"),
        ("sum(DISTINCT x)", "sum(DISTINCT x ORDER BY x)"),
        ("corr(x, y)", "corr(x, y ORDER BY x, y)"),
        ("avg(x) FILTER (WHERE y > 0)", "avg(x ORDER BY x) FILTER (WHERE y > 0)"),
        ("coalesce(sum(x), 0) / sum(y)", "coalesce(sum(x ORDER BY x), 0) / sum(y ORDER BY y)"),
        ("sum(x ORDER BY i)", "sum(x ORDER BY i)"),
        ("sum(x) OVER (PARTITION BY g ORDER BY i)", "sum(x) OVER (PARTITION BY g ORDER BY i)"),
        ("count(*), sum(1), list_sum(l)", "count(*), sum(1), list_sum(l)"),
        ("""'sum(x)', "sum"(x) -- sum(x)""", """'sum(x)', "sum"(x) -- sum(x)"""),
    ],
)
def test_only_aggregates_that_depend_on_order_get_one(given, ordered):
    assert ordered_aggregates(given) == ordered


@pytest.mark.parametrize(
    "given, ordered",
    [
        ("SELECT a FROM t", "SELECT a FROM t ORDER BY ALL"),
        ("SELECT a FROM t LIMIT 1", "SELECT a FROM t ORDER BY ALL LIMIT 1"),
        ("SELECT a, b FROM t ORDER BY a DESC LIMIT 1", "SELECT a, b FROM t ORDER BY a DESC , 1, 2 LIMIT 1"),
        ("SELECT a FROM t ORDER BY ALL", "SELECT a FROM t ORDER BY ALL"),
        (
            "SELECT a FROM (SELECT b FROM t ORDER BY b)",
            "SELECT a FROM (SELECT b FROM t ORDER BY b) ORDER BY ALL",
        ),
        ("SELECT lag(a) OVER (ORDER BY b) FROM t", "SELECT lag(a) OVER (ORDER BY b) FROM t ORDER BY ALL"),
    ],
)
def test_the_rows_of_an_answer_get_a_total_order(given, ordered):
    assert " ".join(steady(given, lambda _: 2).split()) == ordered
