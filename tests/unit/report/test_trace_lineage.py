"""A fact is walked back through what it follows from, down to rows, and computed again on the way."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from report_stub import fact, stub_run

from analysis.report import manifest, trace
from analysis.report.trace_lineage import combined

OCTOBER, SEPTEMBER = "tickets_closed#2026-10:1", "tickets_closed#2026-09:1"
CHANGE, RATE, STAYING = "tickets_change#2026-10:1", "repeat_rate#2026-10:1", "staying#2026-10:1"
TICKETS = pd.DataFrame(
    {
        "ticket_id": [f"T{n}" for n in range(10)],
        "month": ["2026-10"] * 6 + ["2026-09"] * 4,
        "repeat": [True, True, True] + [False] * 7,
        "agent_id": "AG-1",
    }
)


class Engine:
    """The queries run over ten real rows, in DuckDB."""

    rules = SimpleNamespace(time_zone="Asia/Shanghai")
    tables = SimpleNamespace(tables={"ledger": None, "tickets": None, "orders": None, "units": None})

    def rows(self, sql: str, *, limit: int | None = None) -> pd.DataFrame:
        import duckdb

        with duckdb.connect() as database:
            database.register("tickets", TICKETS)
            return database.sql(f"SELECT * FROM ({sql}){f' LIMIT {limit}' if limit else ''}").df()


def of_rows(month: str) -> dict:
    return {
        "kind": "rows",
        "queries": {"numerator": f"SELECT * FROM tickets WHERE month = '{month}'"},
        "values": {"numerator": "count(*)"},
        "tables": ["tickets"],
    }


def derived(operation: str, *parents: str) -> dict:
    return {"kind": "derived", "operation": operation, "parents": list(parents)}


@pytest.fixture
def issued(tmp_path: Path) -> Path:
    folder = tmp_path / "2026-10" / "edition-1"
    folder.mkdir(parents=True)
    rate = {
        "kind": "rows",
        "queries": {
            "numerator": "SELECT * FROM tickets WHERE month = '2026-10' AND repeat",
            "denominator": "q1",
        },
        "values": {"numerator": "count(*)", "denominator": "count(*)"},
        "tables": ["tickets"],
    }
    estimated = {
        "kind": "estimated",
        "function": "analysis.retention.survival.survival",
        "queries": ["SELECT ticket_id, agent_id FROM tickets"],
        "parameters": {"level": 0.95, "draws": 500},
        "tables": ["tickets"],
    }
    facts = [
        fact(6, id=OCTOBER, unit="tickets", lineage=of_rows("2026-10")),
        fact(5, id=SEPTEMBER, unit="tickets", lineage=of_rows("2026-09")),
        fact(2, id=CHANGE, unit="tickets", lineage=derived("difference", OCTOBER, SEPTEMBER)),
        fact(0.5, id=RATE, unit="share", numerator=3, denominator=6, lineage=rate),
        fact(0.9, id=STAYING, unit="share", n=10, lineage=estimated),
        fact(
            1,
            id="circle#2026-10:1",
            unit="count",
            lineage=derived("sum", "circle#2026-10:1", "gone#2026-10:1"),
        ),
    ]
    listing = {
        "facts": [one | {"section": "costs"} for one in facts],
        "queries": {"q1": of_rows("2026-10")["queries"]["numerator"]},
    }
    manifest.write_json(folder / "facts.json", listing)
    manifest.write_json(folder / "findings.json", {"findings": [], "checks": []})
    stated = {
        "month": "2026-10",
        "as_of": "2026-11-10",
        "currency": "CNY",
        "code": {"version": "0.1.0", "commit": None, "uncommitted_changes": None, "source_sha256": "5" * 64},
        "identity": {"inputs": {"ledger": "d" * 64}},
        "run": {"run_name": "sample", "data": ""},
    }
    manifest.write_json(folder / "manifest.json", stated)
    return folder


def traced(id: str, folder: Path, **options):
    def prepare(name, **_):
        run = stub_run()
        run.inputs = SimpleNamespace(engine=Engine())
        return run

    return trace(id, edition=folder, prepare=prepare, **options)


def test_numerator_and_denominator_are_each_counted_from_their_rows(issued):
    found = traced(RATE, issued)
    assert [(rows.part, rows.count, rows.recomputed, rows.stated) for rows in found.step.rows] == [
        ("numerator", 3, 3, 3),
        ("denominator", 6, 6, 6),
    ]
    text = str(found)
    assert "recomputed   3 (as stated): count(*)" in text
    assert "denominator, sql" in text
    assert "AG-1" not in text


def test_a_difference_leads_to_the_rows_of_both_its_parents_and_a_wrong_one_is_seen(issued):
    found = traced(CHANGE, issued)
    text = str(found)
    assert found.step.recomputed == 1
    assert "difference of = 1 (stated: 2)" in text
    assert "numerator: count(*) over 6 rows = 6 (as stated)" in text
    assert "numerator: count(*) over 4 rows = 4 (stated: 5)" in text
    assert [leaf.id for leaf in found.step.leaves()] == [OCTOBER, SEPTEMBER]
    assert "rows of      tickets_closed#2026-10:1" in text


def test_all_rows_of_a_derived_fact_say_whose_they_are(issued, tmp_path):
    out = tmp_path / "rows.csv"
    traced(CHANGE, issued, out=out)
    written = pd.read_csv(out)
    assert written["traced_fact"].value_counts().to_dict() == {OCTOBER: 6, SEPTEMBER: 4}
    assert set(written["agent_id"]) == {"***"}


def test_an_estimate_names_its_function_its_parameters_and_its_input(issued):
    text = str(traced(STAYING, issued))
    for line in (
        "estimated by analysis.retention.survival.survival",
        "draws = 500",
        "n            10",
        "input, sql",
        "rows         10; the first 10",
    ):
        assert line in text


def test_a_circle_and_a_parent_that_was_not_published_end_the_walk(issued):
    text = str(traced("circle#2026-10:1", issued))
    assert "(shown above)" in text
    assert "(no fact of this edition)" in text
    assert "sum of\n" in text


@pytest.mark.parametrize(
    ("operation", "values", "result"),
    [
        ("sum", [1, "2.5", 3], Decimal("6.5")),
        ("difference", [10, 4, 1], Decimal(5)),
        ("product", [2, 3, 4], Decimal(24)),
        ("quotient", [1, 4], Decimal("0.25")),
        ("quotient", [1, 0], None),
        ("sum", [1, None], None),
        ("sum", [], None),
        ("largest", [1, 2], Decimal(2)),
        ("median", [1, 2], None),
    ],
)
def test_operations_over_the_stated_values(operation, values, result):
    assert combined(operation, values) == result
