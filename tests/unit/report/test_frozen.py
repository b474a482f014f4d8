"""A run reads params and notebooks once: what is changed while it runs is for the next one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from report_stub import callout, code, publish, stub_export, stub_run, write_notebook

from analysis.errors import ParameterError
from analysis.params import load_run
from analysis.params.places import FROZEN, frozen, params_file, params_in_force, shown
from analysis.periods import Month, Period
from analysis.report import make_report, manifest
from analysis.report import publish as publishing

RUN = """
company: {en: Ours, zh: 我们}
data: sample
month: "%s"
currency: CNY
time_zone: Asia/Shanghai
confidence: %s
"""
READS = "from analysis.params import load_run\nread = load_run('ours')\nprint(read.month, read.confidence)"


@pytest.fixture
def project(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("AFTER_SALES_ROOT", str(tmp_path))
    state(tmp_path, "2026-10", "0.95", "the old words")
    return tmp_path


def state(project: Path, month: str, confidence: str, words: str) -> None:
    """Write the run's file and the notebook of the project."""
    path = project / "params" / "runs" / "ours.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(RUN % (month, confidence), encoding="utf-8")
    write_notebook(
        project / "notebooks", "10_costs", publish(callout()), code(READS), code(f"print({words!r})")
    )


def report(project: Path, reports: str):
    def prepared(name, **_):
        run = stub_run()
        run.name, run.month = name, load_run(name).month
        run.period = Period.of(run.month)
        return run

    return make_report(
        "ours", folder=project / "notebooks", reports=project / reports, prepare=prepared, export=stub_export
    )


def test_a_change_while_the_report_runs_changes_nothing_in_it_and_is_seen_by_the_next(project, monkeypatch):
    undisturbed = report(project, "before")
    opened = publishing.building_folder

    def edited_meanwhile(reports, month):
        state(project, "2026-08", "0.70", "the new words")
        return opened(reports, month)

    monkeypatch.setattr(publishing, "building_folder", edited_meanwhile)
    disturbed = report(project, "meanwhile")
    assert disturbed.month == "2026-10"
    assert manifest.seals(disturbed.folder) == manifest.seals(undisturbed.folder)
    for name in ("manifest.json", "notebooks/10_costs.ipynb"):
        assert (disturbed.folder / name).read_bytes() == (undisturbed.folder / name).read_bytes()
    executed = (disturbed.folder / "notebooks" / "10_costs.ipynb").read_text()
    assert "2026-10 0.95" in executed and "the old words" in executed

    after = report(project, "after")
    executed = (after.folder / "notebooks" / "10_costs.ipynb").read_text()
    assert (after.month, "2026-08 0.7" in executed, "the new words" in executed) == ("2026-08", True, True)


def test_nothing_of_the_copys_place_leaves(project):
    seen = []

    def place(*arguments, **options):
        seen.append(os.environ[FROZEN])
        stub_export(*arguments, **options)

    made = make_report(
        "ours",
        folder=project / "notebooks",
        reports=project / "reports",
        prepare=lambda name, **_: stub_run(),
        export=place,
    )
    assert not Path(seen[0]).exists()
    for path in made.folder.rglob("*"):
        assert not path.is_file() or seen[0].encode() not in path.read_bytes(), path.name


def test_the_copy_holds_all_that_is_in_force_and_names_it_as_the_project_does(project):
    before = {name: path.read_bytes() for name, path in params_in_force().items()}
    with frozen() as copy:
        assert {name: path.read_bytes() for name, path in params_in_force().items()} == before
        assert params_file("runs/ours.yml").is_relative_to(copy)
        assert shown(params_file("runs/ours.yml")) == "params/runs/ours.yml"
        (project / "params" / "runs" / "ours.yml").write_text("month: [")
        assert load_run("ours").month == Month(2026, 10)
    assert FROZEN not in os.environ
    with pytest.raises(ParameterError, match=r"^params/runs/ours.yml: not readable as YAML: line 2"):
        load_run("ours")


def test_a_copy_that_is_gone_is_said(project, monkeypatch):
    monkeypatch.setenv(FROZEN, str(project / "gone"))
    with pytest.raises(ParameterError, match="AFTER_SALES_FROZEN: no such folder"):
        load_run("ours")
    monkeypatch.setenv(FROZEN, str(project / "gone"))
    with frozen():  # a report takes its own
        assert load_run("ours").name == "ours"
