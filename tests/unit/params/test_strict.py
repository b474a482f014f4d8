from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.errors import ParameterError
from analysis.params import Assumptions, CostTree, load_run, read_yaml
from analysis.params.runs import RunParams
from analysis.params.strict import bind


def written(folder: Path, text: str) -> Path:
    path = folder / "file.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_doubled_key_is_refused_with_both_lines(tmp_path: Path):
    with pytest.raises(ParameterError, match=r"key 'month' stands twice \(lines 1 and 3\)"):
        read_yaml(written(tmp_path, 'month: "2026-10"\ndata: sample\nmonth: "2026-09"\n'))


def test_yaml_cannot_build_objects(tmp_path: Path):
    with pytest.raises(ParameterError, match="is a tag"):
        read_yaml(written(tmp_path, "x: !!python/object/apply:os.system ['true']\n"))


def test_an_unknown_key_is_refused_with_a_suggestion():
    raw = {
        "company": "X",
        "data": "sample",
        "month": "2026-10",
        "currency": "CNY",
        "time_zone": "Asia/Shanghai",
        "confidense": Decimal("0.9"),
    }
    with pytest.raises(ParameterError, match="unknown key 'confidense'. Did you mean 'confidence'"):
        bind(RunParams, raw, "run")


def test_a_missing_key_and_a_wrong_type_are_named():
    with pytest.raises(ParameterError, match="'data' is missing"):
        bind(RunParams, {"company": "X", "month": "2026-10", "currency": "CNY", "time_zone": "UTC"}, "run")
    raw = {
        "company": "X",
        "data": "sample",
        "month": "2026-10",
        "currency": "CNY",
        "time_zone": "UTC",
        "close_day": "ten",
    }
    with pytest.raises(ParameterError, match="run.close_day: 'ten' should be a whole number"):
        bind(RunParams, raw, "run")


def test_decimals_are_read_exactly(tmp_path: Path):
    assert read_yaml(written(tmp_path, "rate: 0.1\n"))["rate"] == Decimal("0.1")


def test_an_unknown_run_is_refused_with_a_suggestion():
    with pytest.raises(ParameterError, match="Did you mean 'sample'"):
        load_run("sampel")
    with pytest.raises(ParameterError, match="name of a file in params/runs"):
        load_run("../secrets")


def test_a_given_month_replaces_the_runs_own_and_moves_the_close():
    run = load_run("sample", month="2026-03")
    assert str(run.month) == "2026-03"
    assert run.knowledge_day == dt.date(2026, 4, 10)
    assert load_run("sample", month="2026-03", as_of="2026-03-31").knowledge_day == dt.date(2026, 3, 31)
    with pytest.raises(ParameterError, match="write it as 2026-10"):
        load_run("sample", month="March")


def test_assumptions_are_dated():
    rates = Assumptions.load()
    assert rates.value("discount_rate_annual", on=dt.date(2025, 12, 31)) == Decimal("0.085")
    assert rates.value("discount_rate_annual", on=dt.date(2026, 1, 1)) == Decimal("0.078")
    with pytest.raises(ParameterError, match="no value holds on 1980-01-01"):
        rates.value("discount_rate_annual", on=dt.date(1980, 1, 1))
    with pytest.raises(ParameterError, match="Did you mean 'discount_rate_annual'"):
        rates.value("discount_rate_anual", on=dt.date(2026, 1, 1))


def test_an_assumption_without_source_does_not_load(tmp_path: Path):
    text = "rate:\n  meaning: x\n  unit: share\n  owner: y\n  values:\n    2026-01-01: {value: 0.1}\n"
    with pytest.raises(ParameterError, match="'source' is missing"):
        Assumptions.load(written(tmp_path, text))


TREE = """
version: 1
categories:
  labour: {name: {en: Labour, zh: 人工}, behaviour: capacity}
  parts: {name: {en: Parts, zh: 配件}, behaviour: variable}
accounts:
"""


def test_an_account_moves_to_another_category_from_a_day_on(tmp_path: Path):
    rules = (
        '  - {account: "1", category: labour}\n  - {account: "1", category: parts, valid_from: 2026-07-01}\n'
    )
    rows = CostTree.load(written(tmp_path, TREE + rules)).account_rows()
    assert rows == [
        ("1", "*", "labour", dt.date(1900, 1, 1), dt.date(2026, 7, 1)),
        ("1", "*", "parts", dt.date(2026, 7, 1), dt.date(9999, 1, 1)),
    ]


def test_the_cost_tree_refuses_unknown_categories_and_doubled_rules(tmp_path: Path):
    with pytest.raises(ParameterError, match="unknown category 'labor'. Did you mean 'labour'"):
        CostTree.load(written(tmp_path, TREE + '  - {account: "1", category: labor}\n'))
    with pytest.raises(ParameterError, match="two rules from 1900-01-01"):
        CostTree.load(
            written(
                tmp_path, TREE + '  - {account: "1", category: labour}\n  - {account: "1", category: parts}\n'
            )
        )
