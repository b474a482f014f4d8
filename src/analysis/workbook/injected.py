"""Parameters that papermill put into the notebook and that nothing in it reads.

``papermill -p mnth 2026-09`` only warns, and the page of another month is made as if it had been asked for. What was injected stands in the
kernel's own history: papermill's cell begins with ``# Parameters`` and follows the cell that declares the parameters.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from analysis.errors import ParameterError, suggestion

MARK = "# Parameters"


def refuse_unknown(cells: Sequence[str]) -> None:
    """Refuse an injected name that no cell before the injected one declares.

    Parameters
    ----------
    cells : sources of the cells executed so far, in order (IPython's ``In``)

    Raises
    ------
    ParameterError
        With the nearest declared name. A notebook without a cell of parameters before the injected one is not judged.
    """
    declared: list[str] = []
    for cell in cells:
        names = assigned(cell)
        if declared and cell.lstrip().startswith(MARK):
            for name in names:
                if name not in declared:
                    raise ParameterError(
                        f"parameter '{name}': this notebook has no such parameter; known: {', '.join(declared)}."
                        f"{suggestion(name, declared)} Nothing was computed."
                    )
        declared += [name for name in names if name not in declared]


def assigned(source: str) -> list[str]:
    """Names that a cell assigns at its top level; none of a cell that is no plain Python (magics)."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return []
    targets = [
        target
        for node in body
        for target in (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
    ]
    return [target.id for target in targets if isinstance(target, ast.Name)]
