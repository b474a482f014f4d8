"""The wheel is a whole product: installed alone, it makes a report in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    # dependencies of the build are those of the environment: no network
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (made,) = out.glob("*.whl")
    return made


def test_the_wheel_holds_all_that_a_report_reads(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    package = ROOT / "src" / "analysis"
    source = {
        f"analysis/{path.relative_to(package).as_posix()}"
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    shipped = {
        f"analysis/shipped/{path.relative_to(ROOT).as_posix()}"
        for folder, pattern in (("params", "*.yml"), ("notebooks", "*.ipynb"))
        for path in (ROOT / folder).rglob(pattern)
        if ".ipynb_checkpoints" not in path.parts
    }
    assert {path.rsplit(".", 1)[1] for path in source} >= {
        "py",
        "pyi",
        "typed",
        "po",
        "typ",
        "j2",
        "ttf",
        "css",
    }
    assert len(shipped) > 30
    assert source | shipped <= held
    assert {name.rsplit("/", 1)[1] for name in held if "/licenses/" in name} == {
        "LICENSE",
        "OFL.txt",
        "OFL-fallback.txt",
    }


@pytest.mark.slow
def test_an_installed_wheel_makes_a_report_in_an_empty_folder(wheel, tmp_path):
    """In an environment of its own, which sees the libraries of this one and not its editable install."""
    venv.create(tmp_path / "environment", with_pip=False)
    python = tmp_path / "environment" / "bin" / "python"
    libraries = next((tmp_path / "environment" / "lib").glob("python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(libraries)
    (own,) = {path for path in map(Path, sys.path) if (path / "pandas").is_dir()}
    # a plain line adds the folder without running the .pth files in it, one of which is the editable install
    (libraries / "borrowed.pth").write_text(f"{own}\n")
    before = {path for path in libraries.rglob("*") if "__pycache__" not in path.parts}
    project = tmp_path / "company"
    project.mkdir()
    clean = {
        name: text for name, text in os.environ.items() if not name.startswith(("AFTER_SALES", "PYTHON"))
    }
    done = subprocess.run(
        [python, "-m", "analysis.cli", "report"],
        cwd=project,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    edition = project / "reports" / "latest"
    assert (edition / "manifest.json").is_file()
    assert {path.suffix for path in edition.glob("*.*")} >= {".pdf", ".json"}
    assert sorted(path.name for path in project.iterdir()) == ["data", "reports"]
    assert {path for path in libraries.rglob("*") if "__pycache__" not in path.parts} == before
