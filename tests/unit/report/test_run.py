"""Notebooks are run once, with every parameter passed; what fails is named by notebook, cell and heading."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
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

from analysis.errors import AnalysisError, NotebookFailed, PackIncomplete, ParameterError, PlaceError
from analysis.report import make_report, manifest
from analysis.report.kernels import fitting_workers
from analysis.report.progress import Progress
from analysis.report.record import blocks_of
from analysis.report.run import (
    Notebook,
    _cells_of,
    find_notebooks,
    passed_parameters,
    refuse_unknown_parameters,
    scratch_notebooks,
)
from analysis.report.scrub import scrub
from analysis.workbook.sections import NOTEBOOKS


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


def test_a_refusal_in_a_notebook_is_named_with_its_cell_and_nothing_is_issued(tmp_path, sound):
    write_notebook(
        sound,
        "20_failures",
        prose("## Why do they fail?"),
        code("from analysis.errors import ContractError"),
        code("raise ContractError('tickets: two rows share a key')  # the refusal"),
    )
    with pytest.raises(NotebookFailed) as refusal:
        report(tmp_path)
    message = str(refusal.value)
    assert "20_failures.ipynb: stopped at cell 6 (under “Why do they fail?”)" in message
    assert "ContractError: tickets: two rows share a key" in message
    assert "# the refusal" in message
    assert "_quarantine/2026-10-1/" in message
    kept = tmp_path / "reports" / "_quarantine" / "2026-10-1"
    assert message.startswith((kept / "message.txt").read_text().strip())
    assert "ContractError" in (kept / "notebooks" / "20_failures.ipynb").read_text()
    assert not (kept / "notebooks" / "90_summary.ipynb").exists()  # it reads the others, so it was not run
    assert not (tmp_path / "reports" / "2026-10").exists()
    assert not list((tmp_path / "reports").glob(".building*"))


def incomplete(tmp_path: Path, **options: object) -> tuple[str, Path]:
    """The message of a report that a fault left incomplete, and the folder of its stamped pack."""
    with pytest.raises(PackIncomplete) as refusal:
        report(tmp_path, **options)
    assert refusal.value.exit_code == 9
    shelf = tmp_path / "reports" / "_incomplete"
    return str(refusal.value), shelf / "2026-10-1"


def blocks(folder: Path, name: str) -> list[dict]:
    notebook = json.loads((folder / "notebooks" / f"{name}.ipynb").read_text())
    assert "Traceback" not in json.dumps(notebook)
    assert not any(o["output_type"] == "error" for c in notebook["cells"] for o in c.get("outputs", []))
    return [block for _, block in blocks_of(notebook, name)]


def test_an_exhibit_that_raises_is_told_in_its_place_and_the_rest_of_the_pack_is_made(tmp_path, sound):
    write_notebook(
        sound,
        "20_failures",
        code("import json\nrates = json.loads('{')", "exhibit", "remove-cell"),
        code("print(rates)", "exhibit"),  # only repeats the fault
        publish(callout(id="failures.note")),
        code("rates.update(1)", "finding"),
        section="failures",
    )
    message, kept = incomplete(tmp_path)
    assert "20_failures.ipynb: stopped at cell 4" in message
    assert "JSONDecodeError" in message
    assert "_incomplete/2026-10-1/" in message
    told, note = blocks(kept, "20_failures")
    assert (told["kind"], told["tone"], note["id"]) == ("callout", "alert", "failures.note")
    body = "".join(segment["t"] for segment in told["body"]["en"])
    assert "JSONDecodeError" in body
    assert "20_failures" in body
    assert "c2" in body
    assert "decoder.py" not in body
    assert "程序自身出现故障" in told["body"]["zh"][0]["t"]
    # for whoever mends it, beside the pages: the one file in which folders of the machine may stand
    assert "decoder.py" in (kept / "message.txt").read_text()
    # the other notebooks are whole, and the summary says what it lacks
    assert [block["id"] for block in blocks(kept, "10_costs")] == ["costs.note"]
    manifest_json = json.loads((kept / "manifest.json").read_text())
    assert manifest_json["status"] == "incomplete"
    executed = next(c for c in pack_checks(kept) if c.startswith("pack.executed"))
    assert executed == "pack.executed failed"
    assert (kept / "after-sales-report.en.pdf").read_text().startswith("incomplete")
    nothing_issued(tmp_path)


def pack_checks(folder: Path) -> list[str]:
    return (folder / "html" / "en" / "checks.txt").read_text().splitlines()


def nothing_issued(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    assert sorted(path.name for path in reports.iterdir()) == ["_incomplete"]


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (
            "OSError(28, 'No space left on device', '/data/kept')",
            "kept: no space left on device. Free some space",
        ),
        ("OSError(24, 'Too many open files')", "Too many files are open"),
        ("PermissionError(13, 'Permission denied', 'kept')", "permission denied"),
        ("__import__('duckdb').OutOfMemoryException('could not allocate')", "AFTER_SALES_MEMORY"),
    ],
)
def test_what_the_machine_refuses_in_a_cell_is_no_fault_of_the_program(tmp_path, sound, raised, words):
    """Before it was told in place as a part that could not be made, and the pack was called incomplete."""
    write_notebook(sound, "20_failures", code(f"raise {raised}"))
    with pytest.raises(PlaceError, match=re.escape(words)):
        report(tmp_path)
    assert not (tmp_path / "reports" / "_incomplete").exists()
    assert not (tmp_path / "reports" / "2026-10").exists()


def test_an_executed_notebook_that_is_cut_is_said_to_be(tmp_path):
    cut = tmp_path / "20_failures.ipynb"
    cut.write_text('{"cells": [', encoding="utf-8")
    with pytest.raises(PlaceError, match="20_failures.ipynb: could not be written whole. Free some space"):
        _cells_of(cut)


SETUP = "study = (lambda: {}['no such key'])()"


def test_a_study_that_raises_ends_its_section_and_the_summary_says_so(tmp_path, sound):
    write_notebook(
        sound,
        "20_failures",
        code(SETUP, "setup", "remove-cell"),
        code("print(study.findings)", "finding"),
        prose("## A question without an answer"),
        section="failures",
    )
    reader = (
        "import os, pathlib\n"
        "print(sorted(p.name for p in (pathlib.Path(os.environ['AFTER_SALES_RUN_DIR']) / 'faults').iterdir()))"
    )
    write_notebook(
        sound,
        "90_summary",
        code(reader, "setup", "remove-cell"),
        publish(checks_block()),
        section="executive",
    )
    message, kept = incomplete(tmp_path)
    assert message.count("stopped at") == 1
    assert "KeyError: 'no such key'" in message
    (told,) = blocks(kept, "20_failures")
    assert told["id"].startswith("failures.not_made")
    assert "A question without" not in (kept / "notebooks" / "20_failures.ipynb").read_text()
    missing, checks = blocks(kept, "90_summary")
    assert missing["id"] == "executive.not_made"
    assert "20_failures" in "".join(segment["t"] for segment in missing["body"]["en"])
    assert checks["kind"] == "checks"
    assert "['failures.txt']" in (kept / "notebooks" / "90_summary.ipynb").read_text()
    nothing_issued(tmp_path)


def test_an_incomplete_pack_leaves_the_issued_edition_and_latest_alone(tmp_path, sound):
    issued = report(tmp_path)
    write_notebook(sound, "20_failures", code("1 / 0", "exhibit"), section="failures")
    with pytest.raises(PackIncomplete):
        report(tmp_path)
    assert (tmp_path / "reports" / "latest").resolve() == issued.folder
    assert [path.name for path in (tmp_path / "reports" / "2026-10").iterdir()] == ["edition-1"]
    with pytest.raises(PackIncomplete):
        report(tmp_path, draft=True)
    assert sorted(path.name for path in (tmp_path / "reports" / "_incomplete").iterdir()) == [
        "2026-10-1",
        "2026-10-2",
    ]
    assert not (tmp_path / "reports" / "_drafts").exists()


def test_a_pack_of_which_nothing_could_be_made_is_quarantined(tmp_path):
    write_notebook(tmp_path / "notebooks", "10_costs", code(SETUP, "setup"))
    with pytest.raises(NotebookFailed, match="KeyError"):
        report(tmp_path)
    assert (tmp_path / "reports" / "_quarantine" / "2026-10-1").is_dir()


def test_only_registered_notebooks_are_run_and_the_others_are_named(tmp_path, sound):
    (sound / "my attempt.ipynb").write_text("not even json")
    (sound / "10_costs-Copy1.ipynb").write_text((sound / "10_costs.ipynb").read_text())
    progress = Progress()
    edition = report(tmp_path, registered=("10_costs", "90_summary"), progress=progress)
    assert sorted(path.name for path in (edition.folder / "notebooks").iterdir()) == [
        "10_costs.ipynb",
        "90_summary.ipynb",
    ]
    said = [line for line in progress.lines() if "10_costs-Copy1.ipynb, my attempt.ipynb" in line]
    assert len(said) == 1
    with pytest.raises(ParameterError, match="holds no notebook of the report"):
        find_notebooks(sound, registered=("70_own",))


def test_every_section_registers_a_notebook_that_is_there():
    folder = Path(__file__).parents[3] / "notebooks"
    assert set(NOTEBOOKS) <= {path.stem for path in folder.glob("*.ipynb")}
    assert not {f"{name}.ipynb" for name in NOTEBOOKS} & set(scratch_notebooks(folder, NOTEBOOKS))


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


def gone(process: int, within: float = 10) -> bool:
    """Whether a process has ended by then."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_what_a_notebook_leaves_behind_ends_with_the_report_and_holds_no_output_open(tmp_path, sound):
    leave = (
        "import os, subprocess, sys\n"
        "left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print('left', left.pid, os.readlink(f'/proc/{left.pid}/fd/1'))"
    )
    write_notebook(sound, "10_costs", publish(callout()), code(leave))
    edition = report(tmp_path)
    told = (edition.folder / "notebooks" / "10_costs.ipynb").read_text("utf-8")
    found = re.search(r"left (\d+) (\S+?)\\n", told)
    assert found is not None
    left, output = found.groups()
    # its output goes to the kernel or nowhere, never to the terminal or pipe of the report
    assert output != os.readlink("/proc/self/fd/1")
    assert gone(int(left))


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
    if not gone(worker):
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


# ---------------------------------------------------------------- refused at the door, in words

CELL = {"id": "a", "cell_type": "code", "source": "x: int = 1", "metadata": {"tags": ["parameters"]}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        *(
            json.dumps({"metadata": {}, "nbformat": 4} | parts).encode()
            for parts in (
                {},
                {"cells": []},
                {"cells": None},
                {"cells": {}},
                {"cells": ["x"]},
                {"cells": [{"id": "a"}]},
                {"cells": [CELL | {"metadata": None}]},
                {"cells": [CELL | {"source": 7}]},
                {"cells": [CELL | {"source": "x: int = ("}]},
                {"cells": [CELL], "metadata": []},
                {"cells": [CELL], "metadata": {"after_sales": None}},
                {"cells": [CELL], "metadata": {"after_sales": {"order": "first"}}},
            )
        ),
    ],
)
def test_what_is_no_notebook_is_refused_by_name(tmp_path, content):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "10_costs.ipynb").write_bytes(content)
    with pytest.raises(ParameterError, match=r"^10_costs.ipynb: not a readable notebook") as refusal:
        find_notebooks(folder)
    assert str(tmp_path) not in str(refusal.value)


@pytest.mark.parametrize("epoch", ["abc", "99999999999999", "-5", "", "1.5", "٣"])
def test_a_bad_epoch_is_refused_at_once(tmp_path, sound, monkeypatch, epoch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    started = time.perf_counter()
    with pytest.raises(ParameterError, match="SOURCE_DATE_EPOCH"):
        report(tmp_path)
    assert time.perf_counter() - started < 5
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("harm", ["file", "loop", "pipe", "long"])
def test_reports_that_are_no_folder_are_refused_before_anything_is_computed(tmp_path, sound, harm):
    place = tmp_path / ("x" * 300 if harm == "long" else "reports")
    make = {
        "file": lambda: place.write_text(""),
        "loop": lambda: place.symlink_to(place.name),
        "pipe": lambda: os.mkfifo(place),
        "long": lambda: None,
    }
    make[harm]()
    with pytest.raises(PlaceError):
        report(tmp_path, place.name)


def test_a_long_tmpdir_does_not_keep_the_kernels_from_starting(tmp_path, monkeypatch):
    long = tmp_path / ("x" * 120)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    folder = write_notebook(
        tmp_path / "notebooks", "10_costs", publish(callout()), publish(checks_block())
    ).parent
    assert report(folder.parent).number == 1
    assert not list(long.iterdir())


def test_a_parameter_that_would_carry_a_password_into_the_pack_is_refused(sound):
    with pytest.raises(ParameterError, match="parameters stand in the pack") as refusal:
        refuse_unknown_parameters({"top": "postgres://joe:hunter2@host/db"}, find_notebooks(sound))
    assert "hunter2" not in str(refusal.value)
