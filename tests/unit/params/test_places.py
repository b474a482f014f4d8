"""The project's own files first, then the shipped ones."""

from __future__ import annotations

import pytest

from analysis.errors import ParameterError
from analysis.metrics import Registry
from analysis.params import available_runs, load_run, project_root
from analysis.params.places import notebook_files, params_file, params_files, shipped_root


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_an_empty_folder_is_a_project_on_shipped_defaults(project):
    assert project_root() == project
    assert params_file("assumptions.yml") == shipped_root() / "params" / "assumptions.yml"
    assert [path.parent for path in notebook_files()] == [shipped_root() / "notebooks"] * len(
        notebook_files()
    )
    assert load_run("sample").data_folder == project / "data" / "sample"
    assert list(project.iterdir()) == []


def test_a_file_of_the_project_replaces_the_shipped_one_of_its_name_and_no_other(project):
    sample = (shipped_root() / "params" / "runs" / "sample.yml").read_text(encoding="utf-8")
    own = write(project / "params" / "runs" / "ours.yml", sample)
    assert "ours" in available_runs() and "sample" in available_runs()
    assert load_run("ours").name == "ours"
    assert own in params_files("runs")
    costs = write(project / "params" / "metrics" / "costs.yml", "section: costs\nmeasures: {}\nmetrics: {}\n")
    assert costs in params_files("metrics")
    shipped = Registry.load(shipped_root() / "params" / "metrics")
    own_metrics = {name for name, metric in shipped.metrics.items() if metric.section != "costs"}
    assert set(Registry.load().metrics) == own_metrics
    notebook = write(project / "notebooks" / "10_cost_decomposition.ipynb", "{}")
    assert notebook in notebook_files()
    assert len(notebook_files()) == len(list((shipped_root() / "notebooks").glob("*.ipynb")))


def test_the_project_is_found_from_below_by_params_that_have_a_shipped_name(project, monkeypatch):
    write(project / "params" / "assumptions.yml", "")
    (project / "work" / "params").mkdir(parents=True)  # somebody's params, of another program
    write(project / "work" / "params" / "model.json", "{}")
    monkeypatch.chdir(project / "work")
    assert project_root() == project


def test_a_misspelt_run_is_answered_with_shipped_and_own_names(project):
    write(project / "params" / "runs" / "haier.yml", "month: 2026-10\n")
    with pytest.raises(ParameterError, match="sample"):
        load_run("sampel")
    with pytest.raises(ParameterError, match="haier"):
        load_run("hair")
