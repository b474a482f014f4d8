"""The kept outputs of the committed notebooks: what nbval compares each run with, rewritten only on purpose."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from analysis.report.kernels import fitting_workers, free_memory, warm_kernels
from analysis.report.progress import Progress
from analysis.report.run import STANDARD, find_notebooks, run_notebooks
from analysis.report.scrub import scrub_file

KEPT = "keep_output"


def rewrite_golden(
    *, folder: Path | None = None, workers: int = 2, progress: Progress | None = None
) -> list[str]:
    """Run the sample and keep the outputs of cells tagged ``keep_output``; returns the names of notebooks that changed.

    Every other cell is left without output, so a committed notebook holds its headline and nothing else.
    """
    progress = progress or Progress()
    from analysis.workbook.sections import NOTEBOOKS

    registered = None if folder else NOTEBOOKS
    notebooks = find_notebooks(folder, registered=registered)
    standard = dict(zip(STANDARD, ("sample", "", "", ""), strict=True))
    with TemporaryDirectory() as scratch, warm_kernels({"AFTER_SALES_RUN_DIR": f"{scratch}/run"}) as kernels:
        with progress.stage("run notebooks"):
            paths = run_notebooks(
                notebooks,
                Path(scratch) / "notebooks",
                standard=standard,
                extra={},
                kernels=kernels,
                workers=fitting_workers(workers, memory=free_memory()),
                progress=progress,
            )
        executed = [scrub_file(path, data="") for path in paths]
    return [
        notebook.name
        for notebook, done in zip(notebooks, executed, strict=True)
        if _keep(notebook.path, done["cells"])
    ]


def _keep(path: Path, executed: Sequence[dict[str, Any]]) -> bool:
    """Copy kept outputs into the committed notebook, cell by cell id; true when its text changed."""
    before = path.read_text(encoding="utf-8")
    notebook = json.loads(before)
    outputs = {cell["id"]: cell.get("outputs", []) for cell in executed}
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(code, start=1):
        kept = KEPT in cell["metadata"].get("tags", [])
        cell["outputs"] = outputs[cell["id"]] if kept else []
        # nbval takes a cell with outputs and no count for one that was never run
        cell["execution_count"] = number if kept else None
    after = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if after != before:
        path.write_text(after, encoding="utf-8")
    return after != before
