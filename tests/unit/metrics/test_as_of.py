"""As of is as known: no table that a study reads holds more than was known on the as-of day, and no study reads round the tables."""

from __future__ import annotations

import ast
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import earlier_extract
import pandas as pd
import pytest

from analysis.metrics import Engine
from analysis.metrics.known import AGREED, RULES
from analysis.sample import make_sample
from analysis.tables import contract
from analysis.tables.contract import TableContract

SOURCE = Path(__file__).parents[3] / "src" / "analysis"
STUDIES = ("costs", "failures", "retention", "value", "executive", "exhibits")
DAY = dt.date(2026, 7, 10)
ZONE = "Asia/Shanghai"
# what could not be read of the files is a doubt about them, whatever the day: postings without a rate
OF_THE_FILES = {"costs/tie_out.py"}
_ROUND = re.compile(r"\b(accepted|set_aside)_\w+|\bread_(parquet|csv)\b", re.IGNORECASE)


# ---------------------------------------------------------------- every column is decided


def undecided(table: TableContract) -> list[str]:
    """Columns of days and moments of which no rule says whether they tell of something that came later."""
    rule = RULES[table.name]
    decided = {
        table.time,
        table.time_else,
        rule.since,
        "recorded_at",
        *rule.later,
        *AGREED.get(table.name, ()),
    }
    return [
        name
        for name, column in table.columns.items()
        if column.type in ("date", "timestamp") and name not in decided
    ]


@pytest.mark.parametrize("table", contract().tables.values(), ids=lambda table: table.name)
def test_every_day_and_moment_of_the_contract_is_decided(table: TableContract):
    assert undecided(table) == []
    named = {column for columns in RULES[table.name].later.values() for column in columns}
    assert named | set(RULES[table.name].later) | set(AGREED.get(table.name, ())) <= set(table.columns)


def test_a_new_moment_is_found():
    from dataclasses import replace

    table = contract().tables["claims"]
    paid = replace(table.columns["decided_on"], name="paid_on")
    assert undecided(replace(table, columns={**table.columns, "paid_on": paid})) == ["paid_on"]


# ---------------------------------------------------------------- no study reads round the tables


def readings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Where a module reads files, or rows as the load left them, which are not cut to the as-of day."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _ROUND.search(node.value):
            yield node.lineno, node.value.strip()[:60]
        if isinstance(node, ast.Attribute) and node.attr in {"accepted", "set_aside", "paths", "partitions"}:
            yield node.lineno, f".{node.attr}"


def test_no_study_reads_rows_that_are_not_cut_to_the_as_of_day():
    found = [
        f"{path.relative_to(SOURCE)}:{line} reads {what}"
        for package in STUDIES
        for path in sorted((SOURCE / package).rglob("*.py"))
        for line, what in readings(ast.parse(path.read_text(encoding="utf-8")))
        if f"{package}/{path.name}" not in OF_THE_FILES
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "offender",
    [
        'engine.query("SELECT avg(unit_price) FROM accepted_parts_used")',
        'engine.query(f"SELECT avg(unit_price) FROM {engine.accepted(name)}")',
        "engine.query(f\"SELECT avg(unit_price) FROM read_parquet('{path}')\")",
        "pd.read_parquet(tables['parts_used'].paths[0])",
    ],
)
def test_a_planted_reading_is_found(offender: str):
    assert list(readings(ast.parse(offender)))


# ---------------------------------------------------------------- the tables themselves


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("later") / "company"
    make_sample(folder, months=14, scale=0.01)
    return folder


@pytest.fixture(scope="module")
def then(later: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return earlier_extract.write(later, tmp_path_factory.mktemp("then") / "company", day=DAY, time_zone=ZONE)


@pytest.fixture(scope="module")
def both(later: Path, then: Path, engine_in, tmp_path_factory) -> tuple[Engine, Engine]:
    """The later extract as of the day, and the extract of the day."""
    day = DAY.isoformat()
    made = tuple(
        engine_in(folder, work=tmp_path_factory.mktemp("work"), as_of=day, cached=False)
        for folder in (later, then)
    )
    return made[0], made[1]


def rows(engine: Engine, table: str) -> pd.DataFrame:
    # a contract is known before it begins, and what the status of an open order was is not kept
    where = f"WHERE starts_on <= DATE '{DAY}'" if table == "contracts" else ""
    left = {"contracts": ", cancelled_on", "tickets": ", status"}.get(table, "")
    stage = ", stage" if table == "opportunities" else ""
    return engine.query(f"SELECT * EXCLUDE (source_file{left}{stage}) FROM {table} {where} ORDER BY ALL")


@pytest.mark.parametrize("table", sorted(RULES))
def test_a_table_as_of_a_day_is_the_table_of_an_extract_of_that_day(both: tuple[Engine, Engine], table: str):
    now, then = (rows(engine, table) for engine in both)
    assert len(then) or table == "shipment_plan"
    pd.testing.assert_frame_equal(now, then, check_dtype=False)


def test_something_came_later_in_every_table_that_is_cut(later: Path, then: Path):
    import duckdb

    for name, rule in RULES.items():
        if not rule.plan and name != "products":
            whole, cut = (
                duckdb.sql(f"SELECT * FROM '{folder / name}.parquet' ORDER BY ALL").fetchall()
                for folder in (later, then)
            )
            assert whole != cut, name


def test_figures_kept_from_a_later_day_are_not_those_of_an_earlier_one(engine_of, tmp_path: Path):
    """The cache holds a month by its content; what happened in its rows later makes it another month."""
    folder = tmp_path / "company"
    folder.mkdir()
    (folder / "tickets.csv").write_text(
        "ticket_id,opened_at,resolved_at,ticket_type,team,handling_hours\n"
        "T1,2026-06-20T02:00:00,2026-06-21T02:00:00,repair,North,2\n"
        "T2,2026-06-20T02:00:00,2026-07-20T02:00:00,repair,North,3\n"
    )

    def hours(day: str) -> list[float]:
        engine = engine_of(folder, as_of=day)
        return engine.aggregate("team_handling_hours", period="2026-06")["team_handling_hours"].tolist()

    assert hours("2026-11-10") == [5]
    assert hours("2026-07-10") == [2]
    assert hours("2026-11-10") == [5]


def test_a_customer_stands_where_his_history_says_he_stood(engine_of, tmp_path: Path):
    folder = tmp_path / "company"
    folder.mkdir()
    (folder / "customers.csv").write_text("customer_id,segment,region\nC1,key,North\nC2,key,North\n")
    (folder / "customer_history.csv").write_text(
        "customer_id,attribute,valid_from,value\nC1,segment,2026-01-01,standard\nC1,segment,2026-09-01,key\n"
    )
    asked = "SELECT segment FROM customers ORDER BY customer_id"
    assert engine_of(folder, as_of="2026-08-31").query(asked)["segment"].tolist() == ["standard", "key"]
    assert engine_of(folder, as_of="2026-09-01").query(asked)["segment"].tolist() == ["key", "key"]


def test_figures_of_a_month_that_was_not_over_are_not_kept_for_a_later_day(engine_of, tmp_path: Path):
    folder = tmp_path / "company"
    folder.mkdir()
    (folder / "staff.csv").write_text("month,agent_id,team,hours_worked\n2026-10-01,A1,North,100\n")

    def hours(day: str) -> list[float]:
        return engine_of(folder, as_of=day).aggregate("agent_hours", period="2026-10")["agent_hours"].tolist()

    assert hours("2026-10-30") == []
    assert hours("2026-10-31") == [100]
    assert hours("2026-10-30") == []
