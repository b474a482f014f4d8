"""Same inputs, parameters, code and environment: the same bytes, wherever and however the pack is made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.params import project_root
from analysis.sample import make_sample

# Nothing of what a machine or a user may set differently: folder, zone, language, hash seed, processes, threads.
HERE = {
    "TZ": "America/St_Johns",
    "LC_ALL": "C",
    "LANG": "C",
    "PYTHONHASHSEED": "7",
    "AFTER_SALES_THREADS": "1",
}
THERE = {
    "TZ": "Asia/Shanghai",
    "LC_ALL": "C.UTF-8",
    "LANG": "zh_CN.UTF-8",
    "PYTHONHASHSEED": "1",
    "AFTER_SALES_THREADS": "4",
}


def made_in(root: Path, *options: str, company: Path | None = None, **environment: str) -> dict[str, bytes]:
    """The pack made by the command line in a project of its own, every file by its name."""
    root.mkdir(parents=True)
    for name in ("params", "notebooks"):
        shutil.copytree(
            project_root() / name, root / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints")
        )
    shutil.copy(project_root() / "requirements.lock", root)
    if company:
        shutil.copytree(company, root / "company")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AFTER_SALES")}
    subprocess.run(
        [sys.executable, "-m", "analysis.cli", "report", *options],
        cwd=root,
        env={**kept, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (manifest,) = (root / "reports").rglob("manifest.json")
    pack = manifest.parent
    return {
        path.relative_to(pack).as_posix(): path.read_bytes() for path in pack.rglob("*") if path.is_file()
    }


def assert_same(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert one.keys() == other.keys()
    assert {"facts.json", "findings.json", "manifest.json", "after-sales-report.zh.pdf"} <= one.keys()
    assert [name for name, content in one.items() if content != other[name]] == []


@pytest.mark.slow
def test_a_small_company_gives_the_same_bytes_in_two_places(tmp_path):
    """Failures, the section with the most arithmetic in the engine; tables and aggregates are made anew in each place."""
    make_sample(tmp_path / "company", scale=0.03)
    options = ("--data", "company", "--notebooks", "20", "--workers")
    assert_same(
        made_in(tmp_path / "one", *options, "1", company=tmp_path / "company", **HERE),
        made_in(tmp_path / "another" / "place of work", *options, "2", company=tmp_path / "company", **THERE),
    )


@pytest.mark.slow
def test_the_sample_gives_the_same_bytes_in_two_places(tmp_path):
    assert_same(
        made_in(tmp_path / "one", "--workers", "1", **HERE),
        made_in(tmp_path / "another" / "place of work", "--workers", "2", **THERE),
    )
