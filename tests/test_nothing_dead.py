"""No function or class that nobody asks for: what only its own test knows is taken away with the test."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from analysis.params import project_root

SOURCE = project_root() / "src" / "analysis"
# What else may ask: notebooks, params (functions by name), the public door, entry points, commands of the README.
ASKING = (
    "notebooks/*.ipynb",
    "params/**/*.yml",
    "bench/**/*.py",
    "src/**/*.pyi",
    "src/**/*.yml",
    "docs/*.md",
)
FILES = ("pyproject.toml", "Makefile", "README.md")


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[A-Za-z_]\w*", text))


def defined() -> Iterator[tuple[str, str]]:
    """Module and name of every function and class that stands by itself."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield path.relative_to(SOURCE).as_posix(), node.name


def unasked(found: Iterable[tuple[str, str]], asked: Counter[str]) -> list[str]:
    """Those whose name stands only where they are defined."""
    return [f"{place}: {name}" for place, name in found if asked[name] < 2]


def test_every_function_is_asked_for():
    asked: Counter[str] = Counter()
    for path in SOURCE.rglob("*.py"):
        asked += words(path.read_text(encoding="utf-8"))
    for pattern in ASKING:
        for path in project_root().glob(pattern):
            asked += words(path.read_text(encoding="utf-8"))
    for name in FILES:
        asked += words((project_root() / name).read_text(encoding="utf-8"))
    found = list(defined())
    assert len(found) > 2_000
    assert unasked(found, asked) == []


def test_a_name_that_stands_once_is_seen():
    text = "def lost(): ...\ndef used(): ...\nused()\n"
    assert unasked([("a.py", "lost"), ("a.py", "used")], words(text)) == ["a.py: lost"]
