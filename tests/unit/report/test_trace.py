"""From a number in an issued pack back to the rows behind it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from report_stub import COST, fact, stub_run

from analysis.errors import ParameterError
from analysis.report import manifest, trace

SQL = "SELECT * FROM cost WHERE month = DATE '2026-10-01'"
CODE = {"version": "0.1.0", "commit": "a2a95c8" * 5, "uncommitted_changes": False, "source_sha256": "5" * 64}


class Engine:
    """Thirty postings."""

    total = 1200.5
    rules = SimpleNamespace(time_zone="Asia/Shanghai")
    tables = SimpleNamespace(tables={"ledger": None})

    def __init__(self) -> None:
        self.asked: list[str] = []

    def rows(self, sql: str, *, limit: int | None = None) -> pd.DataFrame:
        self.asked.append(sql)
        if "count(*)" in sql:
            return pd.DataFrame({"rows": [30]})
        if "sum(amount)" in sql:
            return pd.DataFrame({"value": [self.total]})
        frame = pd.DataFrame(
            {"posting_id": [f"L{n:02}" for n in range(30)], "agent_id": "AG-1", "amount": 40.0}
        )
        return frame.head(limit) if limit else frame


@pytest.fixture
def issued(tmp_path: Path) -> Path:
    folder = tmp_path / "2026-10" / "edition-1"
    folder.mkdir(parents=True)
    derived = fact(
        0.25,
        id="cost_share@category=labour#2026-10:1",
        unit="share",
        numerator=300,
        denominator=1200,
        n=1200,
        formula="labour ÷ cost",
    )
    derived["interval"] = {"low": 0.2, "high": 0.3, "level": 0.95, "method": "wilson"}
    facts = [fact() | {"section": "costs", "query": "q1"}, derived | {"section": "costs", "query": None}]
    finding = {
        "id": "costs.rise",
        "section": "costs",
        "severity": "alert",
        "statement": {"en": "Cost rose.", "zh": "成本上升。"},
        "evidence": "costs.rise-1",
        "values": {"cost": {"fact": COST}},
    }
    manifest.write_json(folder / "facts.json", {"version": 1, "facts": facts, "queries": {"q1": SQL}})
    manifest.write_json(folder / "findings.json", {"version": 1, "findings": [finding], "checks": []})
    stated = {
        "month": "2026-10",
        "as_of": "2026-11-10",
        "code": CODE,
        "identity": {"inputs": {"ledger": "d" * 64}},
        "run": {"run_name": "sample", "month": "", "data": "", "as_of": ""},
    }
    manifest.write_json(folder / "manifest.json", stated)
    return folder


def traced(identity: str, folder: Path, *, content_hash: str = "d" * 64, out: Path | None = None):
    engine = Engine()
    asked = {}

    def prepare(name, **options):
        asked.update(options, name=name)
        run = stub_run(content_hash=content_hash)
        run.inputs = SimpleNamespace(engine=engine)
        return run

    return trace(identity, edition=folder, out=out, prepare=prepare), engine, asked


def test_a_fact_is_walked_back_to_its_rows(issued):
    found, engine, asked = traced(COST, issued)
    assert asked == {"name": "sample", "month": "2026-10", "data": "", "as_of": "2026-11-10"}
    (rows,) = found.step.rows
    assert (rows.count, len(rows.first), found.data_changed) == (30, 20, ())
    text = str(found)
    for line in (
        COST,
        "2026-10/edition-1",
        "0.1.0 (a2a95c8a2a)",
        "value        1200.5 CNY",
        "formula      sum of postings",
        SQL,
        "30; the first 20",
        "L19",
    ):
        assert line in text
    assert "L20" not in text
    assert engine.asked[0] == SQL
    assert found.step.kind == "rows"


def test_the_rows_are_added_up_again(issued, monkeypatch):
    found, engine, _ = traced(COST, issued)
    assert engine.asked[-1] == f"SELECT sum(amount) AS value FROM ({SQL}) AS traced"
    assert "recomputed   1200.5 (as stated)" in str(found)
    monkeypatch.setattr(Engine, "total", 1200.49)
    assert "recomputed   1200.49 (stated: 1200.5)" in str(traced(COST, issued)[0])


def test_personal_columns_are_masked_on_screen_and_in_the_file(issued, tmp_path):
    out = tmp_path / "rows" / "cost.csv"
    found, _, _ = traced(COST, issued, out=out)
    assert "AG-1" not in str(found)
    lines = out.read_text(encoding="utf-8-sig").splitlines()
    assert (len(lines), lines[1], found.step.rows[0].count) == (31, "L00,***,40.0", 30)


def test_changed_data_are_said(issued):
    found, _, _ = traced(COST, issued, content_hash="e" * 64)
    assert found.data_changed == ("ledger",)
    assert "the data have changed since this edition (ledger)" in str(found)


def test_a_number_of_a_study_says_that_it_has_no_rows_of_its_own(issued):
    found, engine, _ = traced("cost_share@category=labour#2026-10:1", issued)
    assert "(none: computed by its study from other facts)" in str(found)
    assert "interval     0.2 to 0.3 (95%, wilson)" in str(found)
    assert engine.asked == []


def test_a_finding_leads_to_its_facts_and_its_evidence(issued):
    found, _, _ = traced("costs.rise", issued)
    text = str(found)
    assert "evidence/costs.rise-1.csv" in text
    assert "成本上升。" in text
    assert COST in text
    assert "CNY 1,200.50 · October 2026 · from ledger" in text


def test_an_unknown_id_is_refused_with_what_was_meant(issued, tmp_path):
    with pytest.raises(
        ParameterError, match=r"(?s)of 2026-10/edition-1 is called so.*\n  costs.rise  finding: Cost rose"
    ):
        traced("costs.rize", issued)
    with pytest.raises(ParameterError, match="keeps no query for it, so there are no rows to write"):
        traced("cost_share@category=labour#2026-10:1", issued, out=tmp_path / "rows.csv")
    with pytest.raises(ParameterError, match="holds no manifest.json; give the folder of an issued edition"):
        traced(COST, tmp_path)


def test_facts_json_keeps_each_query_once(tmp_path):
    from report_stub import callout, executed, output

    from analysis.errors import PublicationRefused
    from analysis.report.record import read_record
    from analysis.results import Rows, query_key

    key, counted = query_key(SQL), Rows(numerator=SQL, value="sum(amount)").as_json()
    other = fact(5, id="tickets#2026-10:1", unit="tickets") | {"lineage": counted}
    block = callout(facts=[fact() | {"lineage": counted}, other])
    (tmp_path / "queries").mkdir()
    kept = tmp_path / "queries" / "costs.json"
    kept.write_text(
        json.dumps({"queries": {key: SQL, "unused": "SELECT 1"}, "tables": {"made_1": "SELECT 2"}})
    )
    listing = read_record({"10": executed([output(block)])}, tmp_path).facts_json()
    assert listing["queries"] == {key: SQL}
    assert listing["tables"] == {"made_1": "SELECT 2"}
    assert [one["lineage"]["queries"]["numerator"] for one in listing["facts"]] == [key, key]
    kept.write_text(json.dumps({"queries": {}, "tables": {}}))
    with pytest.raises(PublicationRefused, match="is not in the run's record"):
        read_record({"10": executed([output(block)])}, tmp_path)


def test_an_edition_of_a_slice_is_traced_as_that_slice(tmp_path, monkeypatch):
    """What was stated for one report stands in no file of params: its pack says it, and the tables are opened by it."""
    from analysis.params import load_run, project_root
    from analysis.report import tracing

    runs = tmp_path / "params" / "runs"
    runs.mkdir(parents=True)
    (runs / "sample.yml").write_bytes((project_root() / "params" / "runs" / "sample.yml").read_bytes())
    monkeypatch.setenv("AFTER_SALES_ROOT", str(tmp_path))
    monkeypatch.setattr(tracing.manifest, "data_of", lambda stated: "")
    opened = []

    def prepare(name, **_):
        opened.append(load_run(name).slice)

    stated = {"run": {"run_name": "sample"}, "month": "2026-10", "as_of": "2026-11-10"}
    tracing._prepared(stated, prepare)
    tracing._prepared({**stated, "run": {**stated["run"], "slice": {"region": ["South"]}}}, prepare)
    assert opened == [{}, {"region": ("South",)}]
    assert load_run("sample").slice == {}
