"""The issued pack names no quantity twice: what is nearly equal under two names has a reason, or is a fault."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_no_two_quantities_of_the_pack_are_one_under_two_names(edition: Path) -> None:
    command = [sys.executable, "-m", "analysis.cli", "metrics", "--near", str(edition)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
