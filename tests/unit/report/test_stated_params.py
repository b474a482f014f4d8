"""What is wrong with a file of params is told when the report begins, by its name."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from analysis.errors import ParameterError
from analysis.params import project_root
from analysis.report.stated_params import read_stated_params

#: Read with the data, before any notebook runs (``prepare_run``), or by commands only.
ELSEWHERE = {"labels.yml", "cost_tree.yml", "corrections.yml", "vocabulary.yml"}
STATED = sorted(
    path.relative_to(project_root() / "params").as_posix()
    for folder in (".", "fault_trees", "simulated")
    for path in (project_root() / "params" / folder).glob("*.yml")
    if path.name not in ELSEWHERE
)


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(project_root() / "params", tmp_path / "params")
    monkeypatch.setenv("AFTER_SALES_ROOT", str(tmp_path))
    return tmp_path / "params"


def test_the_params_that_ship_are_read(params: Path):
    read_stated_params("sample")


@pytest.mark.parametrize("content", ["x: 1\n", "- 1\n", "{"], ids=["another key", "a list", "not closed"])
@pytest.mark.parametrize("name", STATED)
def test_a_file_that_says_something_else_is_named(name: str, content: str, params: Path):
    (params / name).write_text(content, encoding="utf-8")
    with pytest.raises(ParameterError, match=Path(name).stem):
        read_stated_params("sample")


@pytest.mark.parametrize("name", ["shop_least_effect", "late_answer_hours", "value_top_share"])
def test_an_older_file_of_assumptions_is_told_what_to_add(name: str, params: Path):
    entries = re.split(r"^(?=\w+:)", (params / "assumptions.yml").read_text("utf-8"), flags=re.MULTILINE)
    (gone,) = (entry for entry in entries if entry.startswith(f"{name}:"))
    (params / "assumptions.yml").write_text("".join(e for e in entries if e != gone), "utf-8")
    with pytest.raises(ParameterError) as refused:
        read_stated_params("sample")
    assert f"does not state {name}," in str(refused.value)
    assert gone.strip() in str(refused.value)


@pytest.mark.parametrize("run", sorted(path.name for path in (project_root() / "params/templates").iterdir()))
def test_every_template_states_what_the_report_asks_for(run: str):
    read_stated_params(run)


def test_what_may_be_left_unstated_may_be_gone(params: Path):
    entries = re.split(r"^(?=\w+:)", (params / "assumptions.yml").read_text("utf-8"), flags=re.MULTILINE)
    kept = "".join(
        e for e in entries if not e.startswith(("budget_tickets:", "outsourcing_minimum_tickets:"))
    )
    (params / "assumptions.yml").write_text(kept, "utf-8")
    read_stated_params("sample")
