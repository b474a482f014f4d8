"""Modules of the exhibits import in one direction only."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[3] / "src" / "analysis" / "exhibits"


def imports(path: Path) -> set[str]:
    """Modules of the package that a file imports anywhere, also inside functions and for types only."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("analysis.exhibits"):
            name = (node.module or "").removeprefix("analysis.exhibits").strip(".")
            found.update([name] if name else [alias.name for alias in node.names])
    return found


def test_no_module_of_the_exhibits_imports_itself_by_a_detour():
    modules = {
        path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
        if path.name != "__init__.py" or path.parent != PACKAGE
    }
    after = {name: imports(path) & set(modules) for name, path in modules.items()}
    for name in modules:
        reached: set[str] = set()
        waiting = list(after[name])
        while waiting:
            step = waiting.pop()
            if step not in reached:
                reached.add(step)
                waiting.extend(after[step])
        assert name not in reached, f"{name} imports itself through {sorted(reached)}"
