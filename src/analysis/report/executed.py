"""Exporters render what a run published; a notebook that has not been run has nothing to render, and is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbconvert.utils.exceptions import ConversionException

from analysis.errors import ParameterError
from analysis.report.run import source_of


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
