"""An executed notebook as both packs read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.errors import SourceError

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
