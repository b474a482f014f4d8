"""Where things lie: the project's own files first, then those that ship with the package.

A project is the folder a company works in: its ``data/``, its ``reports/`` and, as far as it needs its own, ``params/`` and
``notebooks/``. A file that the project does not have is read from the package, file by file: a project with nothing but
``params/assumptions.yml`` has the shipped metrics, cost tree and runs. Nothing is ever written into the package.
"""

from __future__ import annotations

import os
from pathlib import Path


def project_root() -> Path:
    """The project's folder.

    Returns
    -------
    Path
        ``AFTER_SALES_ROOT`` where it is set, else the nearest folder at or above the working folder whose ``params/`` holds a
        file or folder by the name of a shipped one, else the working folder: a report can be made in an empty one.
    """
    stated = os.environ.get("AFTER_SALES_ROOT")
    if stated:
        return Path(stated)
    here = Path.cwd()
    ours = {path.name for path in (shipped_root() / "params").iterdir()}
    for folder in (here, *here.parents):
        own = folder / "params"
        if own.is_dir() and any(path.name in ours for path in own.iterdir()):
            return folder
    return here


def shipped_root() -> Path:
    """The folder of the shipped ``params/`` and ``notebooks/``: inside an installed package; the repository, where it is worked on."""
    inside = Path(__file__).resolve().parents[1] / "shipped"
    return inside if inside.is_dir() else inside.parents[2]


def params_file(name: str) -> Path:
    """The file that is read for a name under ``params/``, such as ``runs/sample.yml``; it need not exist."""
    own = project_root() / "params" / name
    return own if own.is_file() else shipped_root() / "params" / name


def params_files(folder: str) -> list[Path]:
    """The files that are read from a folder under ``params/``, by name; one of the project's replaces a shipped one of its name."""
    return _overlaid(f"params/{folder}", "*.yml")


def notebook_files() -> list[Path]:
    """The notebooks of a report, by name; one of the project's replaces a shipped one of its name."""
    return _overlaid("notebooks", "*.ipynb")


def params_in_force() -> dict[str, Path]:
    """Every file under ``params/`` that is in force, by its name there (``metrics/costs.yml``), sorted."""
    found: dict[str, Path] = {}
    for root in (shipped_root() / "params", project_root() / "params"):
        found |= {path.relative_to(root).as_posix(): path for path in root.rglob("*.yml")}
    return dict(sorted(found.items()))


def _overlaid(folder: str, pattern: str) -> list[Path]:
    found: dict[str, Path] = {}
    for root in (shipped_root(), project_root()):
        found |= {path.name: path for path in (root / folder).glob(pattern)}
    return [found[name] for name in sorted(found)]
