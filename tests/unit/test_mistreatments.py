"""What docs/MISTREATMENTS.md says is tried is what ``make mistreat`` tries."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_counts_the_cases_that_there_are() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-n0", "-m", "slow", "tests/mistreat"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    there = {name: int(count) for name, count in re.findall(r"test_(\w+)\.py: (\d+)", listed)}
    page = (ROOT / "docs" / "MISTREATMENTS.md").read_text(encoding="utf-8")
    told = {name: int(count) for name, count in re.findall(r"^\| (\w+) \|.*\| (\d+) \|$", page, re.MULTILINE)}
    assert there
    assert told == there
    assert f"runs {sum(there.values())} cases" in page
