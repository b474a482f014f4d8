"""The whole pack, cold and warm, against plain papermill and nbconvert run one by one for each language.

The peer makes less: HTML only (plain nbconvert has no PDF without LaTeX), in one language twice, without checks, facts or seals.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from analysis.params import project_root


def timed(commands: Sequence[Sequence[str]], **environment: str) -> float:
    """Seconds of the commands one after another; a failure ends the bench with what it printed."""
    start = time.perf_counter()
    for command in commands:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=project_root(),
            env={**os.environ, **environment},
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}:\n{(done.stdout + done.stderr)[-3000:]}")
    return time.perf_counter() - start


def main() -> None:
    tools = Path(sys.executable).parent
    notebooks = sorted((project_root() / "notebooks").glob("[0-9]*.ipynb"))
    with tempfile.TemporaryDirectory(prefix="after-sales-bench-") as work:
        report = [str(tools / "analysis"), "report", "--reports", f"{work}/reports", "--force"]
        first = timed([report])
        warm = min(timed([report]) for _ in range(2))
        plain = []
        for language in ("en", "zh"):
            for notebook in notebooks:
                done = f"{work}/{language}-{notebook.name}"
                plain.append([str(tools / "papermill"), str(notebook), done, "--no-progress-bar"])
                plain.append([str(tools / "jupyter"), "nbconvert", "--to", "html", done])
        peer = timed(plain, AFTER_SALES_RUN_DIR=f"{work}/run")
    print(
        f"  {len(notebooks)} notebooks, both languages, HTML and PDF: {peer / warm:.1f}× faster warm than papermill and nbconvert one by one (HTML only)"
    )
    print(
        f"  first call in this process tree: {peer / first:.1f}×; warm {warm:.1f} s, peer {peer:.1f} s on this machine"
    )


if __name__ == "__main__":
    main()
