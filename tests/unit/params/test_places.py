"""The project's own files first, then the shipped ones."""

from __future__ import annotations

import os
import socket

import pytest

from analysis.errors import ParameterError
from analysis.metrics import Registry
from analysis.params import available_runs, load_run, project_root
from analysis.params.places import notebook_files, params_file, params_files, read_plain, shipped_root


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


def made_a_pipe(path):
    os.mkfifo(path)


def made_a_socket(path):
    here = os.getcwd()
    os.chdir(path.parent)  # the path of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


PLACES = {
    "a pipe": made_a_pipe,
    "a socket": made_a_socket,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a folder": lambda path: path.mkdir(),
    "leads nowhere": lambda path: path.symlink_to("gone.yml"),
    "links lead in a circle": lambda path: path.symlink_to(path.name),
}


@pytest.mark.parametrize("words", PLACES)
@pytest.mark.parametrize(
    "name", ["runs/sample.yml", "assumptions.yml", "metrics/costs.yml", "runs/other.yml"]
)
def test_what_is_no_file_is_refused_and_no_shipped_one_is_taken_in_its_place(project, name, words):
    path = project / "params" / name
    write(project / "params" / "corrections.yml", "{}\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    PLACES[words](path)
    for read in (lambda: params_file(name), available_runs, lambda: load_run(path.stem)):
        with pytest.raises(ParameterError, match=words) as refusal:
            read()
        assert str(refusal.value).startswith(f"params/{name}: ")


def test_a_file_where_a_folder_should_be_is_no_absence(project):
    write(project / "params" / "assumptions.yml", "")
    write(project / "params" / "runs", "")
    with pytest.raises(ParameterError, match=r"^params/runs: is a file, and a folder is expected"):
        load_run("sample")
    (project / "params" / "runs").unlink()
    (project / "params" / "runs").symlink_to("runs")
    with pytest.raises(ParameterError, match="links lead in a circle"):
        available_runs()
    write(project / "notebooks", "")
    with pytest.raises(ParameterError, match=r"^notebooks: is a file, and a folder is expected"):
        notebook_files()


@pytest.mark.parametrize("words", PLACES)
def test_a_notebook_is_a_file(project, words):
    (project / "notebooks").mkdir()
    PLACES[words](project / "notebooks" / "10_cost_decomposition.ipynb")
    with pytest.raises(ParameterError, match=words):
        notebook_files()


def test_what_an_editor_leaves_beside_a_file_is_no_file_of_params(project):
    write(project / "params" / "assumptions.yml", "")
    before = params_files("runs")
    (project / "params" / "runs").mkdir()
    (project / "params" / "runs" / ".#sample.yml").symlink_to("somebody@machine.4711")
    write(project / "params" / "runs" / ".ipynb_checkpoints" / "sample-checkpoint.yml", "month: 1")
    assert params_files("runs") == before


def test_a_file_by_another_ending_would_be_passed_over_so_it_is_refused(project):
    write(project / "params" / "assumptions.yaml", "")
    with pytest.raises(ParameterError, match="Name it assumptions.yml"):
        available_runs()


def test_a_root_that_is_no_folder_is_refused(project, monkeypatch):
    for stated in (str(write(project / "file", "")), "x" * 5_000):
        monkeypatch.setenv("AFTER_SALES_ROOT", stated)
        with pytest.raises(ParameterError, match="AFTER_SALES_ROOT: should name the folder"):
            project_root()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read_is_said(project):
    write(project / "params" / "assumptions.yml", "").chmod(0)
    with pytest.raises(ParameterError, match="params/assumptions.yml: may not be read"):
        Registry.load(), load_run("sample"), read_plain(project / "params" / "assumptions.yml")
