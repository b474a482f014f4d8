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


# ---------------------------------------------------------------- refusals by kind

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"month: \xff\xfe", "not a text in UTF-8"),
        (bytes(range(256)), "not a text in UTF-8"),
        ("month: 1".encode("utf-16"), "not a text in UTF-8"),
        (b"month: \x07", "a character that no text has"),
        (b"? [a, b]\n: c\n", "line 1: a key is a list or a mapping"),
        (b"{a: 1}: b\n", "line 1: a key is a list or a mapping"),
        (b"a: 1\n" + b"a: 2\n", "key 'a' stands twice"),
        (BOMB.encode(), "once its aliases"),
        (b"a: &x [*x]", "alias 'x' names nothing"),
        (b"[" * 100_000, "more than 40 deep"),
        (b"a: " + b"[" * 5_000 + b"]" * 5_000, "more than 40 deep"),
        (b"- " * 3_000 + b"a", "more than 40 deep"),
        (b"a: !!python/object/apply:os.system [x]", "is a tag"),
        (b"a: !!binary aGVsbG8=", "is a tag"),
        (b"", "the file is empty"),
        (b"# only a remark\n", "the file is empty"),
        (b"- a\n- b\n", "it holds a list"),
        (b"hello", "it holds a text"),
        (b"a: 1\n---\nb: 2\n", "not readable as YAML: line 2"),
        (b"a: [1, 2", "not readable as YAML"),
        (b"a: .nan", "no number to compute with"),
        (b"a: -.inf", "no number to compute with"),
        (b"a: 2026-13-45", "a day or a number that is none"),
        (b"a: " + b"9" * 6_000, "a day or a number that is none"),
        (b"sign_off: postgres://joe:hunter2@db/x", "holds an address with a password"),
    ],
)
def test_a_file_that_is_no_params_is_refused_in_words(tmp_path: Path, content: bytes, words: str):
    path = tmp_path / "file.yml"
    path.write_bytes(content)
    with pytest.raises(ParameterError) as refusal:
        read_yaml(path)
    said = str(refusal.value)
    assert words in said and said.startswith("file.yml: ")
    assert len(said) < 400
    assert str(tmp_path) not in said and "hunter2" not in said


def test_an_alias_that_unfolds_little_is_read(tmp_path: Path):
    assert read_yaml(written(tmp_path, "a: &x {b: 1}\nc: *x\n"))["c"] == {"b": 1}


def test_a_bomb_inside_a_known_key_has_a_message_with_an_end(tmp_path: Path):
    wide = "company: [" + ", ".join(["[x, x, x, x, x, x, x, x]"] * 9_000) + "]\n"
    raw = read_yaml(written(tmp_path, wide)) | {"data": "x" * 5_000}
    for data in (raw, {"company": "x", "data": "x" * 1_000_000}, {"k" * 1_000_000: 1}):
        with pytest.raises(ParameterError) as refusal:
            bind(RunParams, data, "run")
        assert len(str(refusal.value)) < 2_100


RUN = {"company": "X", "data": "sample", "month": "2026-10", "currency": "CNY", "time_zone": "Asia/Shanghai"}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("tie_out_tolerance", -1, "at least 0"),
        ("tie_out_tolerance", Decimal("1e400000"), "no number to compute with"),
        ("active_window_months", 0, "at least 1"),
        ("active_window_months", -3, "at least 1"),
        ("active_window_months", 100_000, "at most 120"),
        ("confidence", Decimal(95), "below 1"),
        ("confidence", Decimal("0.5"), "above 0.5"),
        ("close_day", 31, "at most 28"),
        ("size_limit_mb", 0, "at least 1"),
        ("size_limit_mb", 10**400, "no number to compute with"),
        ("exchange_rates", {"USD": {dt.date(2026, 1, 1): Decimal(0)}}, "above 0"),
        ("exchange_rates", {"USD": {dt.date(9999, 12, 31): Decimal(7)}}, "years 1900 to 2200"),
        ("as_of", dt.date(9999, 12, 31), "years 1900 to 2200"),
        ("as_of", dt.date(1, 1, 1), "years 1900 to 2200"),
        ("as_of", dt.date(2026, 9, 30), "before the end of the report month"),
        ("as_of", dt.date(2026, 10, 15), "before the end of the report month"),
        ("month", dt.date(1, 1, 1), "no such month"),
        ("data", "x" * 5_000, "too long"),
        ("data", "a\x00b", "a character that no name has"),
        ("data", "postgres://joe@host/db", "holds an address"),
        ("source_map", "m" * 300, "too long"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_type(key, value, words):
    assert bind(RunParams, RUN, "run").company.en == "X"
    with pytest.raises(ParameterError, match=words) as refusal:
        bind(RunParams, RUN | {key: value}, "run")
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    "as_of",
    [
        "2026-10-30",
        "2025-01-01",
        "9999-12-31",
        "0001-01-01",
        "20261110",
        "2026-W45-1",
        "٢٠٢٦-١١-١٠",
        "x" * 5_000,
    ],
)
def test_a_stated_day_is_a_day_after_the_month(as_of):
    with pytest.raises(ParameterError, match="as_of") as refusal:
        load_run("sample", month="2026-10", as_of=as_of)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize("name", ["x" * 5_000, "", ".", "a/b", "a\x00b", "..", "postgres:"])
def test_a_run_has_a_name_that_a_file_can_have(name):
    with pytest.raises(ParameterError) as refusal:
        load_run(name)
    assert len(str(refusal.value)) < 400


def test_an_address_is_never_repeated():
    for options in (
        {"data": "postgres://joe:hunter2@host/db"},
        {"data": "postgres:/joe:hunter2@host/db"},
        {"month": "mysql://joe:hunter2@host/db"},
        {"as_of": "mysql://joe:hunter2@host/db"},
    ):
        with pytest.raises(ParameterError) as refusal:
            load_run("sample", **options)
        assert "joe" not in str(refusal.value) and "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "unit", "value"),
    [
        ("growth", "share", "1.5"),
        ("growth", "share", "-0.1"),
        ("discount_rate_annual", "1/year", "8"),
        ("ramp_up", "months", "-3"),
        ("value_horizon_months", "months", "0"),
        ("late_answer_hours", "hours", "0"),
        ("tree_draws", "draws", "1000000000000"),
        ("replacement_cost", "currency", "-1"),
    ],
)
def test_an_assumption_is_a_number_its_unit_can_have(tmp_path: Path, name, unit, value):
    text = f"{name}:\n  meaning: x\n  unit: {unit}\n  owner: y\n  values:\n    2026-01-01: {{value: %s, source: z}}\n"
    with pytest.raises(ParameterError, match=f"'{value}' should be"):
        Assumptions.load(written(tmp_path, text % value))
    assert Assumptions.load(written(tmp_path, text % ("1" if unit != "draws" else "1000")))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"company": ""}, "run.company: holds no text in English"),
        ({"company": {"en": "Lumen", "zh": " "}}, "run.company: holds no text in Chinese"),
        ({"company": "W" * 201}, "run.company: a text of 201 letters; it should have at most 200"),
        ({"sign_off": {"preparer": "W" * 201}}, "run.sign_off.preparer: a text of 201 letters"),
        ({"currency": "C" * 100_000}, "run.currency: a text of 100,000 letters"),
        ({"currency": "yuan"}, "run.currency: currency 'yuan' should be an ISO 4217 code"),
        ({"currency": "¥"}, "run.currency"),
        ({"time_zone": "Asia/Shangai"}, "run.time_zone: .* is unknown; .* Did you mean 'Asia/Shanghai'"),
        ({"time_zone": "../../etc/passwd"}, "run.time_zone"),
        ({"time_zone": ""}, "run.time_zone"),
        ({"exchange_rates": {"euro": {dt.date(2026, 1, 1): 7}}}, "run.exchange_rates: currency 'euro'"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_a_run_states_of_itself_is_known(changed: dict[str, object], said: str):
    stated = {"company": "X", "data": "sample", "month": "2026-10", "currency": "CNY", "time_zone": "UTC"}
    with pytest.raises(ParameterError, match=said):
        bind(RunParams, stated | changed, "run")
