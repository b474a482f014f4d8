"""README's "How to add a metric" and "How to add a notebook", followed to the letter in a project of its own."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.utils.capture import capture_output

from analysis.metrics import Registry, Study, StudyInputs
from analysis.metrics.study import StudyResult
from analysis.params.places import shipped_root
from analysis.report.definitions import resolved
from analysis.report.run import Notebook, find_notebooks
from analysis.report.trace_lineage import Step, Walk, same
from analysis.workbook import sections
from analysis.workbook.month_run import MonthRun

ROOT = Path(__file__).resolve().parents[2]
Inputs = Callable[..., StudyInputs]


def blocks(heading: str) -> dict[str, str]:
    """The fenced blocks of a chapter by what their first line calls them."""
    chapter = (ROOT / "README.md").read_text(encoding="utf-8").partition(f"## {heading}\n")[2]
    fenced = re.findall(r"```\w+\n# ([^\n]+)\n(.*?)```", chapter.partition("\n## ")[0], re.DOTALL)
    found: dict[str, str] = {}
    for name, text in fenced:
        found[name] = found.get(name, "") + text
    return found


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder as the project: what it does not have is read from the package."""
    folder = tmp_path / "project"
    (folder / "params" / "metrics").mkdir(parents=True)
    monkeypatch.setenv("AFTER_SALES_ROOT", str(folder))
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    sys.modules.pop("busy_days", None)


def run_of(inputs: StudyInputs, folder: Path, section: str) -> MonthRun:
    tables = inputs.engine.tables
    return MonthRun(params=inputs.params, tables=tables, inputs=inputs, section=section, folder=folder)


def traced(run: MonthRun, metric: str) -> Step:
    """What make trace walks: the record of the run, and an engine that knows nothing of the notebook."""
    facts = {fact["id"]: fact for fact in run.record.all_facts()}
    kept = json.loads((run.folder / "queries" / f"{run.section}.json").read_text(encoding="utf-8"))
    pack: Any = SimpleNamespace(facts=facts, queries=kept["queries"], tables=kept["tables"])
    (id,) = (id for id in facts if id.startswith(f"{metric}#"))
    return Walk(pack=pack, prepare=lambda: run).step(id)


def test_a_metric_of_every_kind_is_added_as_the_readme_says(project: Path, company: Path, inputs_of: Inputs):
    parts = blocks("How to add a metric")
    (cell,) = (text for name, text in parts.items() if name.startswith("a cell of notebooks"))
    (function,) = (text for name, text in parts.items() if name.startswith("busy_days.py"))
    (test,) = (text for name, text in parts.items() if name.startswith("tests/unit"))
    (project / "params/metrics/long_orders.yml").write_text(
        parts["params/metrics/long_orders.yml"], encoding="utf-8"
    )
    shipped = (shipped_root() / "params/assumptions.yml").read_text(encoding="utf-8")
    (project / "params/assumptions.yml").write_text(
        shipped + parts["params/assumptions.yml"], encoding="utf-8"
    )
    (project / "busy_days.py").write_text(function, encoding="utf-8")
    shipped_ids = {metric.id for metric in Registry.load(shipped_root() / "params" / "metrics")}
    added = [metric for metric in Registry.load() if metric.id not in shipped_ids]
    assert {metric.kind for metric in added} == {"ratio", "derived", "assumption", "function"}
    assert all(resolved(name) for metric in added for name in metric.function)

    # the test of the reader, as it stands there
    written: dict[str, Any] = {}
    exec(test, written)
    (check,) = (value for name, value in written.items() if name.startswith("test_"))
    check(company, inputs_of)

    # the cell: every number is on the page and in the record
    run = run_of(inputs_of(company), project / "run", "service")
    with capture_output():
        exec(cell, {"run": run})
    labels = [tile["label"]["zh"] for tile in run.record.of("tiles")["service"]]
    assert labels == ["长时工单占比", "短时工单占比", "长时工单占比上限", "最忙日工单数"]
    values = {fact["metric"]: fact["value"] for fact in run.record.all_facts()}
    assert values == {
        "long_order_share": pytest.approx(1 / 3),
        "short_order_share": pytest.approx(2 / 3),
        "long_order_limit": 0.5,
        "busiest_day_orders": 1,
    }

    # traced: to its rows, its parent, its assumption, its function
    share = traced(run, "long_order_share")
    assert [(rows.part, rows.recomputed) for rows in share.rows] == [("numerator", 1), ("denominator", 3)]
    assert share.rows[0].first["ticket_id"].tolist() == ["T3"]
    short = traced(run, "short_order_share")
    assert same(short.recomputed, values["short_order_share"])
    assert [parent.fact["metric"] for parent in short.parents if parent.fact] == ["long_order_share"]
    limit = traced(run, "long_order_limit").lineage
    assert limit == {"kind": "assumed", "source": "params/assumptions.yml", "name": "long_order_limit"}
    busiest = traced(run, "busiest_day_orders")
    assert busiest.lineage is not None
    assert busiest.lineage["function"] == "busy_days.busiest_day_orders" and busiest.rows[0].count == 3


def test_a_notebook_is_added_as_the_readme_says(
    project: Path, company: Path, inputs_of: Inputs, monkeypatch: pytest.MonkeyPatch
):
    parts = blocks("How to add a notebook")
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Service orders"}
    ]
    for number, (name, text) in enumerate(parts.items()):
        if name.startswith("cell tagged: "):
            tags = name.removeprefix("cell tagged: ").split(", ")
            cells.append(
                {
                    "cell_type": "code",
                    "id": f"cell-{number}",
                    "metadata": {"tags": tags},
                    "source": text,
                    "outputs": [],
                    "execution_count": None,
                }
            )
    notebook = {
        "cells": cells,
        "metadata": {"after_sales": {"section": "orders", "order": 50}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (project / "notebooks").mkdir()
    (project / "notebooks/50_orders.ipynb").write_text(json.dumps(notebook), encoding="utf-8")

    # the lines in sections.py: they are code of that module
    line, _, loader = parts["src/analysis/workbook/sections.py"].partition("\n")
    scope = dict(vars(sections))
    exec(loader, scope)
    section: sections.Section = eval(line.strip().rstrip(","), scope)
    assert isinstance(section.load()(inputs_of(company)), StudyResult)

    # the report finds it among the shipped ones, in its place
    registered = (*(known.notebook for known in (*sections.SECTIONS, section)), "90_executive_summary")
    found = find_notebooks(None, registered=registered)
    (ours,) = (one for one in found if one.name == section.notebook)
    assert [one.name for one in found].index(ours.name) == len(found) - 2
    assert (ours.section, ours.title) == (section.id, section.title)
    assert list(ours.parameters) == ["run_name", "month", "data", "as_of"]

    # and its cells make what they say
    run = run_of(inputs_of(company), project / "run", "orders")
    monkeypatch.setattr("analysis.workbook.open_run", lambda name, **asked: run)
    names: dict[str, Any] = {}
    with capture_output():
        for cell in cells[1:]:
            exec(cell["source"], names)
    kept = run.record.of("tiles")["orders"], run.record.of("checks")["orders"]
    assert [len(part) for part in kept] == [1, 1]


def test_every_section_names_its_study_and_its_notebook():
    for section in sections.SECTIONS:
        asked = section.load()
        assert isinstance(asked, Study) and asked.section == section.id
        assert Notebook.read(ROOT / "notebooks" / f"{section.notebook}.ipynb").title == section.title
        assert section.key_figures is None or callable(section.key_figures)
