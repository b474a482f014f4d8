"""Every environment variable of ours is documented, and nothing is documented that is not used."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"AFTER_SALES_[A-Z_]*[A-Z]")
DOCUMENTED = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)


def used() -> set[str]:
    files = [
        path for folder in ("src", "bench", "notebooks", "params") for path in (ROOT / folder).rglob("*")
    ]
    files += [ROOT / "Makefile", ROOT / ".ci" / "run"]
    texts = (
        path.read_text(encoding="utf-8")
        for path in files
        if path.suffix in {"", ".py", ".ipynb", ".yml", ".sh"} and path.is_file()
    )
    return {name for text in texts for name in NAME.findall(text)}


def documented() -> set[str]:
    return set(DOCUMENTED.findall((ROOT / "docs" / "CONFIGURATION.md").read_text(encoding="utf-8")))


def test_every_environment_variable_is_documented_and_used():
    ours = {name for name in documented() if name.startswith("AFTER_SALES_")}
    assert "AFTER_SALES_ROOT" in used()
    assert used() == ours
