"""Notebooks are run once, with every parameter passed; what fails is named by notebook, cell and heading."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from report_stub import (
    PARAMETERS,
    callout,
    checks_block,
    code,
    prose,
    publish,
    stub_export,
    stub_run,
    write_notebook,
)

from analysis.errors import AnalysisError, NotebookFailed, ParameterError
from analysis.report import make_report, manifest
from analysis.report.kernels import fitting_workers
from analysis.report.run import Notebook, find_notebooks, passed_parameters, refuse_unknown_parameters
from analysis.report.scrub import scrub


def report(tmp_path: Path, reports: str = "reports", **options: object):
    return make_report(
        folder=tmp_path / "notebooks",
        reports=tmp_path / reports,
        prepare=lambda name, **_: stub_run(),
        export=stub_export,
        **options,
    )


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    folder = tmp_path / "notebooks"
    write_notebook(
        folder, "10_costs", publish(callout()), code("print(object())"), code("print(month, top, run_name)")
    )
    reader = (
        "import os, pathlib\nfolder = pathlib.Path(os.environ['AFTER_SALES_RUN_DIR']) / 'evidence'\nfolder.mkdir(parents=True)\n"
        "(folder / 'rows.csv').write_text('a,b\\n1,2\\n')\nprint(os.environ['PYTHONHASHSEED'], os.environ['OMP_NUM_THREADS'], hash('a'))"
    )
    write_notebook(folder, "90_summary", publish(checks_block()), code(reader), section="executive")
    return folder


def test_the_same_inputs_give_the_same_bytes_and_a_second_run_issues_nothing(tmp_path, sound):
    first = report(tmp_path, "one", parameters={"top": "7"})
    second = report(tmp_path, "two", parameters={"top": "7"})
    assert (first.number, first.unchanged, first.tied_out) == (1, False, True)
    assert manifest.seals(first.folder) == manifest.seals(second.folder)
    assert (first.folder / "manifest.json").read_bytes() == (second.folder / "manifest.json").read_bytes()
    assert {
        "evidence/rows.csv",
        "facts.json",
        "html/zh/90_summary.html",
        "notebooks/10_costs.ipynb",
    } <= manifest.seals(first.folder).keys()

    notebook = json.loads((first.folder / "notebooks" / "10_costs.ipynb").read_text())
    assert notebook["cells"][-1]["outputs"][0]["text"] == " 7 sample\n"
    assert "".join(notebook["cells"][-2]["outputs"][0]["text"]) == "<object object at 0x…>\n"
    assert [cell["id"] for cell in notebook["cells"]][2] == "injected-parameters"
    assert "papermill" not in json.dumps(notebook)

    again = report(tmp_path, "one", parameters={"top": "7"})
    assert again.unchanged
    assert [path.name for path in (tmp_path / "one" / "2026-10").iterdir()] == ["edition-1"]


def test_a_notebook_that_raises_is_named_with_its_cell_and_nothing_is_issued(tmp_path, sound):
    write_notebook(
        sound, "20_failures", prose("## Why do they fail?"), code("1 + 1"), code("rate = 3 / 0  # the fault")
    )
    with pytest.raises(NotebookFailed) as refusal:
        report(tmp_path)
    message = str(refusal.value)
    assert "20_failures.ipynb: stopped at cell 6 (under “Why do they fail?”)" in message
    assert "ZeroDivisionError: division by zero" in message
    assert "rate = 3 / 0  # the fault" in message
    assert "_quarantine/2026-10-1/" in message
    kept = tmp_path / "reports" / "_quarantine" / "2026-10-1"
    assert message.startswith((kept / "message.txt").read_text().strip())
    assert "ZeroDivisionError" in (kept / "notebooks" / "20_failures.ipynb").read_text()
    assert not (kept / "notebooks" / "90_summary.ipynb").exists()  # it reads the others, so it was not run
    assert not (tmp_path / "reports" / "2026-10").exists()
    assert not list((tmp_path / "reports").glob(".building*"))


@pytest.mark.slow
def test_a_kernel_that_dies_is_told_apart_from_an_error(tmp_path):
    write_notebook(tmp_path / "notebooks", "10_costs", code("import os; os._exit(3)"))
    with pytest.raises(NotebookFailed, match="(?s)stopped at cell 4.*DeadKernelError.*WORKERS=1"):
        report(tmp_path)


def test_an_unknown_parameter_is_refused_before_anything_runs(tmp_path, sound):
    with pytest.raises(
        ParameterError, match="parameter 'topp': no notebook of this run has it.*Did you mean 'top'"
    ):
        report(tmp_path, parameters={"topp": "7"})
    with pytest.raises(ParameterError, match="parameter 'top': 'many' should be int, like its default 5"):
        report(tmp_path, parameters={"top": "many"})
    with pytest.raises(ParameterError, match="set it with RUN=, MONTH="):
        report(tmp_path, parameters={"month": "2026-09"})
    assert not (tmp_path / "reports").exists()


def test_a_notebook_must_declare_the_parameters_of_every_run(tmp_path, sound):
    write_notebook(sound, "30_churn", parameters='run_name: str = "sample"\nmonth: str = ""')
    with pytest.raises(ParameterError, match="30_churn.ipynb: has no parameter 'data'"):
        report(tmp_path)
    write_notebook(sound, "30_churn", parameters=PARAMETERS + "\nfrom x import y")
    with pytest.raises(ParameterError, match="parameters cell should hold lines like"):
        report(tmp_path)


def test_notebooks_are_chosen_by_name_number_or_section(sound):
    write_notebook(sound, "20_failures", section="failures")
    assert [n.name for n in find_notebooks(sound)] == ["10_costs", "20_failures", "90_summary"]
    for name in ("20_failures", "20_failures.ipynb", "notebooks/20_failures.ipynb", "20", "failures"):
        assert [n.name for n in find_notebooks(sound, [name])] == ["20_failures"]
    with pytest.raises(
        ParameterError,
        match="notebook 'failurs': no such notebook; there are 10_costs.*Did you mean 'failures'",
    ):
        find_notebooks(sound, ["failurs"])


def test_every_parameter_is_passed_so_that_the_record_is_whole(sound):
    notebook = Notebook.read(sound / "10_costs.ipynb")
    standard = {"run_name": "acme", "month": "2026-09", "data": "", "as_of": ""}
    assert passed_parameters(notebook, standard, {}) == {**standard, "top": 5}
    assert passed_parameters(notebook, standard, {"top": "9"})["top"] == 9
    refuse_unknown_parameters({"top": "9"}, [notebook])


def test_workers_are_bounded_by_memory_and_processors():
    gibibyte = 1 << 30
    assert fitting_workers(2, memory=8 * gibibyte, processors=2) == 2
    assert fitting_workers(8, memory=8 * gibibyte, processors=2) == 2
    assert fitting_workers(4, memory=int(2.5 * gibibyte), processors=8) == 2
    assert fitting_workers(2, memory=gibibyte // 4, processors=8) == 1
    assert fitting_workers(2, memory=None, processors=1) == 1


def test_scrubbing_joins_streams_and_leaves_figures_alone():
    def stream(text):
        return {"output_type": "stream", "name": "stdout", "text": text}

    figure = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"image/svg+xml": "<svg>0x7f00aa11</svg>", "text/plain": "<F at 0x7f00aa11bb22>"},
    }
    cell = {
        "cell_type": "code",
        "id": "a",
        "source": "",
        "metadata": {"papermill": {"duration": 3}, "execution": {"iopub": "now"}, "tags": []},
        "execution_count": 4,
        "outputs": [stream("a"), stream(["b", "c"]), figure],
    }
    cleaned = scrub(
        {
            "cells": [cell],
            "metadata": {"papermill": {}, "language_info": {"version": "3.11.7"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )
    assert cleaned["cells"][0]["outputs"][0]["text"] == "abc"
    assert cleaned["cells"][0]["outputs"][1]["data"] == {
        "image/svg+xml": "<svg>0x7f00aa11</svg>",
        "text/plain": "<F at 0x…>",
    }
    assert cleaned["cells"][0]["metadata"] == {}
    assert "papermill" not in cleaned["metadata"]
    assert "version" not in cleaned["metadata"]["language_info"]


def test_an_interrupted_run_leaves_no_trace(tmp_path, sound):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_report(
            folder=sound,
            reports=tmp_path / "reports",
            notebooks=["90"],
            prepare=lambda name, **_: stub_run(),
            export=interrupted,
        )
    assert list((tmp_path / "reports").iterdir()) == []


def test_a_refusal_while_data_are_prepared_issues_nothing(tmp_path, sound):
    def refuse(name: str, **_: object) -> None:
        raise AnalysisError("ledger: no such month")

    with pytest.raises(AnalysisError, match="no such month"):
        make_report(folder=sound, reports=tmp_path / "reports", prepare=refuse, export=stub_export)
    assert not (tmp_path / "reports").exists()


def test_no_process_outlives_a_report_that_was_killed():
    script = (
        "import os, time\nfrom analysis.report import kernels\nkernels.PRELOADED = 'os'\n"
        "with kernels.warm_kernels({}) as warm, warm.pool(1) as pool:\n    print(pool.submit(os.getpid).result(), flush=True)\n    time.sleep(60)"
    )
    report = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    worker = int(report.stdout.readline())
    os.kill(worker, 0)
    report.kill()
    report.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.kill(worker, signal.SIGKILL)
    pytest.fail("the worker of a killed report is still there")


def test_some_notebooks_make_a_draft_that_is_no_edition_and_never_latest(tmp_path, sound):
    issued = report(tmp_path)
    draft = report(tmp_path, notebooks=["10"])
    assert (draft.draft, draft.folder.relative_to(tmp_path / "reports").as_posix()) == (
        True,
        "_drafts/2026-10-1",
    )
    assert json.loads((draft.folder / "manifest.json").read_text())["status"] == "draft"
    assert (tmp_path / "reports" / "latest").resolve() == issued.folder
    assert report(tmp_path, draft=True).folder.name == "2026-10-2"
    assert report(tmp_path).unchanged
