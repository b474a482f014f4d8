"""The pack whose figures are recomputed, made once per session, and the raw tables behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recomputed.raw import Raw

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "sample"
MONTH = "2026-10"


def _analysis(*arguments: str) -> None:
    """The command line of the project, in a process of its own: nothing of it is imported here."""
    done = subprocess.run(
        [sys.executable, "-m", "analysis.cli", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"analysis {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-2000:]}")


@pytest.fixture(scope="session")
def raw() -> Raw:
    if not (SAMPLE / "tickets.parquet").exists():
        _analysis("sample")
    return Raw(SAMPLE, ROOT / "params")


@pytest.fixture(scope="session")
def edition(raw: Raw, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in RECOMPUTED_PACK, or a pack made now."""
    folder = os.environ.get("RECOMPUTED_PACK")
    if folder:
        return Path(folder)
    reports = tmp_path_factory.mktemp("reports")
    _analysis("report", "--reports", str(reports))
    [made] = (reports / MONTH).glob("edition-*")
    return made


@pytest.fixture(scope="session")
def near_quantities(edition: Path) -> subprocess.CompletedProcess[str]:
    """What the command line says of quantities of the pack that may be one under two names."""
    command = [sys.executable, "-m", "analysis.cli", "metrics", "--near", str(edition)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def estimates_alone(edition: Path) -> subprocess.CompletedProcess[str]:
    """What of the pack prints an estimate without its interval, by place."""
    command = [sys.executable, str(ROOT / "tests" / "estimates_shown.py"), str(edition)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def printed(edition: Path) -> dict[str, dict]:
    """The pack's facts by identity without the version."""
    facts = json.loads((edition / "facts.json").read_text("utf-8"))["facts"]
    return {one["id"].rsplit(":", 1)[0]: one for one in facts}
