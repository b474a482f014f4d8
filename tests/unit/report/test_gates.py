"""Each gate refuses with its own words and code, and what it quotes is masked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from report_stub import stub_run

from analysis import errors
from analysis.cli import EXIT_CODES
from analysis.report.checks import leaving, run_problems
from analysis.report.gates import GATES, LISTED, GateRefused, Problem, refuse

ROOT = Path(__file__).resolve().parents[3]


def test_the_documented_codes_are_those_of_the_gates() -> None:
    text = (ROOT / "docs" / "GATES.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (.+) \|$", text, re.MULTILINE)
    assert rows == [(str(gate.code), name, gate.asks) for name, gate in GATES.items()]


def test_no_two_kinds_of_refusal_share_a_code() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")]
    codes = [gate.code for gate in GATES.values()]
    assert len(set(codes)) == len(codes)
    assert not {kind.exit_code for kind in kinds} & set(codes)


@pytest.mark.parametrize("name", list(GATES))
def test_a_gate_refuses_with_its_own_code_and_question(name) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(GateRefused) as refused:
        refuse([Problem(gate=name, place="here", text="something.")])
    assert refused.value.exit_code == GATES[name].code
    assert f"gate “{name}” ({GATES[name].code}): {GATES[name].asks}\n    here: something." in str(
        refused.value
    )


def test_of_several_gates_all_are_told_and_the_first_gives_the_code() -> None:
    late = [Problem(gate="links", place=f"page {number}", text="nowhere.") for number in range(LISTED + 3)]
    with pytest.raises(
        GateRefused, match=r"(?s)16 problems.*“executed” \(20\).*“links” \(34\).*… and 9 more"
    ) as refused:
        refuse([*late, Problem(gate="executed", place="cell 1", text="did not run.")])
    assert refused.value.exit_code == 20


def test_what_a_problem_quotes_is_masked() -> None:
    quoted = "“postgres://joe:hunter2@db/x, call +86 138 1234 5678” is a number that is no fact."
    with pytest.raises(GateRefused) as refused:
        refuse([Problem(gate="numbers", place="10_costs", text=quoted)])
    assert not re.search(r"joe|hunter2|1234", str(refused.value))


def test_no_problem_no_refusal() -> None:
    refuse([])


def test_the_command_line_names_the_range_of_the_codes() -> None:
    codes = [gate.code for gate in GATES.values()]
    assert f"{min(codes)} to {max(codes)} a gate of the pack refused (docs/GATES.md)" in EXIT_CODES


@pytest.mark.parametrize(
    ("name", "text", "gate"),
    [
        ("assumptions.yml", "a: {source: 'mail of li.wei@example.com'}", "personal"),
        ("labels.yml", "labels: ['pass: hunter2secret']", "secrets"),
        ("runs/sample.yml", "company: 'Lumen +86 138 1234 5678'", "personal"),
        ("runs/other.yml", "company: 'Lumen +86 138 1234 5678'", ""),
        ("may_leave.yml", "texts: ['li.wei@example.com']", ""),
        ("runs/sample.yml", "data: /home/anna/books", ""),
    ],
)
def test_parameters_are_asked_before_anything_is_computed(
    tmp_path: Path, name: str, text: str, gate: str
) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / name).write_text(text, encoding="utf-8")
    found = run_problems(stub_run(), {name: tmp_path / name}, allowed=())
    assert [(problem.gate, problem.place) for problem in found] == (
        [(gate, f"params/{name}")] if gate else []
    )


def test_who_signs_is_asked_as_well() -> None:
    run = stub_run()
    run.preparer = "password=hunter2secret"
    assert [problem.gate for problem in run_problems(run, {}, allowed=())] == ["secrets"]


@pytest.mark.parametrize(
    ("text", "within"),
    [
        ("/srv/report", True),
        ("read '/srv/report/x.csv'", True),
        ("file:///srv/report", True),
        ("/srv/reports", False),
        ("/srv/report-2", False),
        ("src/srv/report/x.py", False),
        ("~/srv/report", False),
    ],
)
def test_a_folder_of_the_machine_is_told_from_a_name_that_is_like_it(text: str, within: bool) -> None:
    found = leaving({text: "here"}, paths=["/srv/report"], regions=(), allowed=())
    assert any(problem.gate == "paths" for problem in found) == within
