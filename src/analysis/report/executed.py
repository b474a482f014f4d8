"""An executed notebook as both packs read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbconvert.utils.exceptions import ConversionException

from analysis.errors import ParameterError, SourceError
from analysis.report.run import source_of

Notebook = Mapping[str, Any]
SUMMARY_SECTIONS = frozenset({"executive", "summary"})  # executed last, read first


def read_notebook(path: Path) -> Notebook:
    """A notebook as plain JSON (format 4); what else a file may hold is refused."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(f"notebook {path.name}: cannot be read ({error}); run the report again.") from error
    if (
        not isinstance(notebook, dict)
        or notebook.get("nbformat") != 4
        or not isinstance(notebook.get("cells"), list)
    ):
        raise SourceError(
            f"notebook {path.name}: not a notebook of format 4; open and save it in JupyterLab."
        )
    return notebook


class NotExecuted(ParameterError, ConversionException):
    """A notebook with cells that did not run; nbconvert ends with this message and exit code 1."""


def refuse_unexecuted(name: str, notebook: Mapping[str, Any]) -> None:
    """Raise where a code cell has not been run: its page would show headings without their exhibits."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and source_of(cell).strip()]
    idle = [cell for cell in cells if cell.get("execution_count") is None]
    if idle:
        raise NotExecuted(
            f"{name}.ipynb: {len(idle)} of {len(cells)} code cells have not been run, e.g. "
            f"`{source_of(idle[0]).strip().splitlines()[0]}`; there is nothing to show for them. "
            "Add --execute, or export the executed notebook of a report (reports/<month>/edition-n/notebooks)."
        )
