"""Every id of a pack is understood as it is copied: through the card's command, the shell and make, and off paper."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_stub import fact, shown

from analysis.errors import ParameterError
from analysis.report.exhibit_index import exhibit_index, exhibit_numbers
from analysis.report.html_facts import Definitions
from analysis.report.trace_lookup import IssuedPack, lookup
from analysis.results import Fact

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "src/analysis/report/templates/html/page.js"
HOSTILE = (
    "plain",
    "Contact Centre",
    "it's",
    '5" pipe',
    "$HOME $(id) ${x} $$ $",
    "`id`",
    "#1 %d 50% \\ \\n trailing\\",
    "a,b=c@d:e#f",
    "不制冷，面板黑屏",
    "“曲 ”’",
    "!history ~ * ? [a-z] {b,c} <in >out | & ; ()",
    "--out",
    "two\nlines\tand a tab",
)


def id_of(value: str) -> str:
    return Fact(
        metric="tickets_closed", period="2026-10", unit="count", value=1, dimensions={"reason": value}
    ).id


def pack_of(*values: str, folder: Path = Path("2026-10/edition-1")) -> IssuedPack:
    facts = {id: fact(1, id=id, unit="count") | {"section": "costs"} for id in map(id_of, values)}
    return IssuedPack(folder=folder, stated={}, facts=facts, queries={}, findings=())


# ---------------------------------------------------------------- the card's command, the shell, make


def test_the_cards_command_is_one_word_to_the_shell_for_every_id(tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on this machine")
    rule = re.search(r"const traceCommand = .*;", SCRIPT.read_text(encoding="utf-8"))
    assert rule is not None
    ids = [*HOSTILE, *map(id_of, HOSTILE)]
    for id in ids:
        program = f"{rule[0]} process.stdout.write(traceCommand(process.argv[1]))"
        command = subprocess.run(
            [node, "-e", program, "--", id], capture_output=True, text=True, check=True
        ).stdout
        assert shlex.split(command) == ["make", "trace", f"ID={id}"]


@pytest.mark.parametrize("value", HOSTILE)
def test_make_hands_the_id_on_as_it_was_copied(tmp_path, value):
    make = shutil.which("make")
    if make is None:
        pytest.skip("no make on this machine")
    (tmp_path / "bin").mkdir()
    heard = tmp_path / "bin" / "analysis"
    heard.write_text('#!/bin/sh\nfor word in "$@"; do printf "%s\\0" "$word"; done\n')
    heard.chmod(0o755)
    (tmp_path / ".installed").touch()
    for id in (value, id_of(value)):
        quoted = "'" + id.replace("'", "'\\''") + "'"
        command = f"{make} -s trace ID={quoted} OUT='my rows.csv' VENV={shlex.quote(str(tmp_path))}"
        done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout.split("\0")[:-1] == ["trace", "--out", "my rows.csv", "--", id]


def test_make_without_an_id_says_what_to_give(tmp_path, monkeypatch):
    make = shutil.which("make")
    if make is None:
        pytest.skip("no make on this machine")
    (tmp_path / ".installed").touch()
    monkeypatch.setenv("ID", "a stray variable of the environment")
    done = subprocess.run(
        [make, "-s", "trace", f"VENV={tmp_path}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "make trace needs ID=" in done.stdout


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20))
def test_every_id_is_found_by_itself_and_without_its_version(value):
    pack = pack_of("another", value)
    assert lookup(id_of(value), pack).fact == id_of(value)
    if value != "another":
        found = lookup(id_of(value).removesuffix(":1"), pack)
        assert id_of(value) in {found.fact, *(listed.fact for listed in found.facts)}


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(HOSTILE), st.data())
def test_an_id_copied_off_paper_is_found(value, data):
    marks = st.sampled_from(["", "", "", "\u00ad", "\u200b", "\n", "\u00a0", "\ufeff", "\r\n  "])
    copied = "".join(
        data.draw(marks) + char for char in id_of(value).replace("-", "\u2010").replace("'", "’")
    )
    assert lookup(f"“{copied}”", pack_of(*HOSTILE)).fact == id_of(value)


# ---------------------------------------------------------------- names


def table_block(id: str, *facts: dict, labels: tuple[str, ...] = ("East", "West")) -> dict:
    def cell(text: str, fact: dict | None = None) -> dict:
        return {"text": {"en": text, "zh": text}, "fact": fact and fact["id"]}

    rows = [
        {"role": "body", "cells": [cell(label), cell("1", one)]}
        for label, one in zip(labels, facts, strict=False)
    ]
    columns = [
        {"key": key, "label": {"en": key, "zh": zh}} for key, zh in (("Region", "地区"), ("Cost", "成本"))
    ]
    title = {"en": shown("1"), "zh": shown("1")}
    return {
        "kind": "table",
        "id": id,
        "title": title,
        "facts": list(facts),
        "csv": id,
        "columns": columns,
        "rows": rows,
    }


def notebook(order: int, section: str, *blocks: dict) -> dict:
    from analysis.exhibits.record import MIME

    outputs = [{"output_type": "display_data", "data": {MIME: block}} for block in blocks]
    return {
        "nbformat": 4,
        "metadata": {"after_sales": {"order": order, "section": section}},
        "cells": [{"cell_type": "code", "metadata": {}, "outputs": outputs}],
    }


EAST, WEST, LATER = (
    fact(n, id=f"cost@region={name}#{month}:1", unit="count", dimensions={"region": name})
    | {"section": "costs"}
    for n, (name, month) in enumerate([("East", "2026-09"), ("West", "2026-10"), ("East", "2026-10")])
)


@pytest.fixture
def pack(tmp_path) -> IssuedPack:
    notebooks = [
        (
            "10_costs",
            notebook(
                10, "costs", table_block("costs.regions", EAST, WEST), table_block("costs.later", LATER)
            ),
        ),
        ("90_summary", notebook(90, "executive", table_block("executive.table", WEST))),
    ]
    finding = {
        "id": "costs.rise",
        "statement": {"en": "Cost rose.", "zh": "成本上升。"},
        "evidence": "costs.rise-1",
        "values": {"cost": {"fact": WEST["id"]}},
    }
    check = {"id": "costs.complete", "outcome": "passed", "sentence": {"en": shown("2", EAST["id"])}}
    entry = {"id": "cost", "name": {"en": "After-sales cost", "zh": "售后成本"}}
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "costs.loose.csv").write_text("x\n1\n")
    return IssuedPack(
        folder=tmp_path,
        stated={},
        facts={one["id"]: one for one in (EAST, WEST, LATER)},
        queries={},
        findings=[finding],
        checks=[check],
        exhibits=exhibit_index(notebooks),
        definitions=Definitions(entries={"cost": entry}, language="en"),
    )


def test_numbers_follow_the_reading_order_with_the_summary_first(pack):
    assert [(entry["id"], entry["number"]) for entry in pack.exhibits] == [
        ("executive.table", 1),
        ("costs.regions", 2),
        ("costs.later", 3),
    ]
    shown_twice = notebook(1, "costs", table_block("costs.regions", EAST), table_block("costs.regions", EAST))
    assert exhibit_numbers([("10", shown_twice)]) == {"costs.regions": 1}


@pytest.mark.parametrize(
    "typed",
    ["Table 2", "table\u00a02", "表 2", "表2", "Table 2 costs.regions", "“Table\n2”", "costs.regions", "costs.regions.csv",
     "evidence/costs.regions.csv", "10_costs.html#costs-regions", "costs.\u200bregions"],
)  # fmt: skip
def test_an_exhibit_is_found_by_number_id_file_and_address(pack, typed):
    found = lookup(typed, pack)
    assert found.title == "Table 2 · costs.regions"
    assert [(listed.place, listed.fact) for listed in found.facts] == [
        ("[1,2]", EAST["id"]),
        ("[2,2]", WEST["id"]),
    ]


@pytest.mark.parametrize(
    "typed",
    [
        "Table 2[2,2]",
        "表 2 [ 2 , 2 ]",
        "costs.regions[West,Cost]",
        "costs.regions[west,成本]",
        "costs.regions[2]",
    ],
)
def test_a_cell_is_found_by_its_place_or_its_labels(pack, typed):
    assert lookup(typed, pack).fact == WEST["id"]


def test_a_whole_column_is_listed(pack):
    assert [listed.fact for listed in lookup("Table 2[,2]", pack).facts] == [EAST["id"], WEST["id"]]


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("Table 9", "has no Table 9; they run from 1 to 3"),
        ("Figure 1", "has no Figure 1; it has none at all"),
        ("costs.regions[3,2]", "has no row '3'. Its rows: 1 East; 2 West"),
        ("costs.regions[1,1]", "no number stands there"),
        ("costs.rise[1,1]", "has no rows and columns"),
        ("costs.region", r"\n  costs.regions  Table 2: x 1"),
        ("cost@region=Easd#2026-10:1", r"\n  cost@region=East#2026-10:1  After-sales cost"),
        ("售后成本额", r"\n  cost  metric: After-sales cost"),
        ("zzzz", "Nothing comes near it"),
        (" \u200b", "an empty id"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(pack, typed, answer):
    with pytest.raises(ParameterError, match=answer):
        lookup(typed, pack)


def test_an_edition_without_an_index_says_so():
    with pytest.raises(ParameterError, match="keeps no index of its tables"):
        lookup("Table 1", pack_of("x"))


def test_findings_checks_and_evidence_files_are_found(pack):
    for typed in ("costs.rise", "costs.rise-1", "evidence/costs.rise-1.csv"):
        found = lookup(typed, pack)
        assert ([finding["id"] for finding in found.findings], [one.fact for one in found.facts]) == (
            ["costs.rise"],
            [WEST["id"]],
        )
    assert [one.fact for one in lookup("costs.complete", pack).facts] == [EAST["id"]]
    assert lookup("costs.loose.csv", pack).files == ["costs.loose.csv"]


@pytest.mark.parametrize("typed", ["cost", "Cost", "After-sales cost", "售后成本", "cost@region", "cost@"])
def test_a_metric_lists_its_facts_newest_first(pack, typed):
    assert [listed.fact for listed in lookup(typed, pack).facts] == [LATER["id"], WEST["id"], EAST["id"]]


def test_the_beginning_of_an_id_lists_what_begins_so(pack):
    assert [listed.fact for listed in lookup("cost@region=East", pack).facts] == [LATER["id"], EAST["id"]]
    assert lookup("cost@region=East#2026-09", pack).fact == EAST["id"]
    with pytest.raises(ParameterError, match="is called so"):
        lookup("cos", pack)
