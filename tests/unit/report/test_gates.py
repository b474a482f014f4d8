"""Each gate refuses with its own words and code, and what it quotes is masked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis import errors
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
