"""What README promises of a session in JupyterLab, in a kernel of its own: short outputs, pictures, facts as a frame, refusals in a line."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import analysis

LONGEST = 20_000

CELLS = {
    "open": """
from analysis import costs, stats
from analysis.exhibits import facts_block
from analysis.workbook import open_run
run = open_run("sample", data={data!r}, month="2026-10", section="costs")
run""",
    "study": "study = costs.study(run.inputs)\nstudy",
    "summary": "study.summary()",
    "study picture": "study.plot()",
    "fit": "fit = stats.fit_weibull([5, 8, 9, 12, 14, 20, 20, 20], [1, 1, 1, 1, 1, 0, 0, 0])\nfit",
    "fit picture": 'fit.plot(unit="months", language="zh")',
    "block": 'block = facts_block("costs.facts", [study.total])\nrun.show(block)',
    "facts": 'run.facts("after_sales*")',
    "frame": "block.frame()",
    "no picture": 'stats.overdispersion_test([5, 15], [100, 100], kind="u").plot()',
    "no fact": 'run.facts("churn*")',
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: Any, company_in: Callable[[Path], Path]) -> dict[str, list[Any]]:
    """Outputs of each cell."""
    place = tmp_path_factory.mktemp("lab")
    data = str(company_in(place))
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source.replace("{data!r}", repr(data))) for source in CELLS.values()]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFTER_SALES_ROOT", str(place))
        patch.setenv("PYTHONPATH", str(Path(analysis.__file__).parents[1]))
        patch.setenv("AFTER_SALES_DEBUG", "")  # a test of the command line may have set it for this process
        NotebookClient(notebook, timeout=300, kernel_name="python3", allow_errors=True).execute()
    return {name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)}


def text_of(output: Any) -> str:
    data = output.get("data", {})
    return str(output.get("text", "")) + "".join(
        str(value) for kind, value in data.items() if not kind.startswith("image/")
    )


@pytest.mark.parametrize("cell", [name for name in CELLS if not name.startswith("no ")])
def test_a_cell_runs_and_says_little(outputs, cell):
    assert [output.get("evalue") for output in outputs[cell] if output.output_type == "error"] == []
    assert outputs[cell]
    for output in outputs[cell]:
        assert len(text_of(output)) < LONGEST


@pytest.mark.parametrize("cell", ["study picture", "fit picture"])
def test_a_picture_is_shown(outputs, cell):
    (output,) = outputs[cell]
    assert base64.b64decode(output["data"]["image/png"]).startswith(b"\x89PNG")
    assert output["metadata"]["image/png"] == {"width": 640, "height": 360}


def test_results_and_facts_are_tables(outputs):
    for cell in ("study", "summary", "fit", "facts", "frame"):
        assert "<table" in outputs[cell][0]["data"]["text/html"]
    assert "1600.0" in outputs["facts"][0]["data"]["text/plain"]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("no picture", "Overdispersion has no picture of its own"),
        ("no fact", "no fact matches 'churn*' among 1 of 1 metrics"),
    ],
)
def test_a_refusal_is_one_line(outputs, cell, said):
    (output,) = outputs[cell]
    assert output["ename"] == "ParameterError"
    assert output["evalue"].startswith(said)
    assert len(output["traceback"]) == 1
