"""A module imports only from its left. The order is the one of docs/ARCHITECTURE.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "analysis"

# From left to right; modules of one layer do not import each other.
LAYERS: tuple[frozenset[str], ...] = tuple(
    frozenset(layer.split())
    for layer in (
        "errors locale fonts",
        "periods summaries",
        "formats",
        "results",
        "params",
        "sources",
        "tables",
        "metrics",
        "costs failures retention value quality executive",
        "exhibits",
        "workbook",
        "report nulls",
        "cli",
    )
)
# Beside the line: what these may import, besides themselves.
BESIDE = {
    "stats": frozenset({"errors", "periods", "summaries"}),
    "sample": frozenset({"errors", "periods", "params", "tables", "stats"}),
}
# Who may import what stands beside.
USES_BESIDE = {
    "stats": frozenset(
        {"metrics", "costs", "failures", "retention", "value", "quality", "executive", "nulls"}
    ),
    "sample": frozenset({"workbook", "nulls", "cli"}),
}
# Libraries that belong to certain layers alone: nothing on the left knows a chart, a notebook or a report.
LIBRARIES = {
    "duckdb": {"sources", "tables", "metrics", "report"},
    "matplotlib": {"exhibits"},
    "seaborn": {"exhibits"},
    "IPython": {"exhibits", "workbook", "report"},
    "papermill": {"report"},
    "nbconvert": {"report"},
    "nbformat": {"report"},
    "typst": {"report"},
    "ipykernel": {"report"},
}


def modules() -> Iterator[tuple[str, Path]]:
    """Every file of the package with the name of the module or subpackage directly below ``analysis``."""
    for path in sorted(PACKAGE.rglob("*.py")):
        first = path.relative_to(PACKAGE).parts[0]
        if first != "__init__.py":
            yield first.removesuffix(".py"), path


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Full names of everything a file imports, inside functions and for types as well, with line numbers."""
    inside = ("analysis", *path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(inside[: len(inside) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            if module == "analysis":
                yield from ((f"analysis.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield module, node.lineno


def rank(module: str) -> int:
    return next((position for position, layer in enumerate(LAYERS) if module in layer), -1)


def allowed(importer: str, imported: str) -> bool:
    if importer == imported or imported == "__version__":
        return True
    if importer in BESIDE:
        return imported in BESIDE[importer] or imported in LAYERS[0]
    if imported in BESIDE:
        return importer in USES_BESIDE[imported]
    return rank(imported) < rank(importer)


def test_every_module_has_its_place():
    known = frozenset().union(*LAYERS) | BESIDE.keys()
    assert {name for name, _ in modules()} == known


@pytest.mark.parametrize("module", sorted({name for name, _ in modules()}))
def test_a_module_imports_only_from_its_left(module):
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line} imports {name}"
        for owner, path in modules()
        if owner == module
        for name, line in imports(path)
        if name.startswith("analysis.") and not allowed(module, name.split(".")[1])
    ]
    assert wrong == []


def test_libraries_stay_in_their_layer():
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line} imports {name}"
        for owner, path in modules()
        for name, line in imports(path)
        if owner not in LIBRARIES.get(name.split(".")[0], {owner})
    ]
    assert wrong == []


def test_the_rule_itself_tells_left_from_right():
    assert allowed("report", "costs")
    assert not allowed("costs", "exhibits")
    assert not allowed("costs", "failures")
    assert not allowed("stats", "metrics")
    assert not allowed("tables", "metrics")
    assert not allowed("report", "sample")


def test_imports_are_found_wherever_they_hide():
    source = PACKAGE / "report" / "make.py"
    found = {name for name, _ in imports(source)}
    assert "analysis.workbook" in found  # inside a function
    assert "analysis.report.editions" in found  # for types only
    assert "analysis.report.manifest" in found or "analysis.report" in found  # from a package


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Modules that import each other, directly or through others (strongly connected, by depth-first search)."""

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        waiting = [start]
        while waiting:
            for each in graph[waiting.pop()] - found:
                found.add(each)
                waiting.append(each)
        return found

    beyond = {module: reached(module) for module in graph}
    inside = {module for module in graph if module in beyond[module]}
    return sorted({tuple(sorted(m for m in inside & beyond[one] if one in beyond[m])) for one in inside})


def test_no_module_imports_itself_in_a_circle():
    """Inside functions and for types as well: a circle is a concept that has no place of its own yet."""
    files = {
        ".".join(("analysis", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
            ".__init__"
        ): path
        for path in PACKAGE.rglob("*.py")
    }
    graph = {
        module: {
            known
            for name, _ in imports(path)
            # ``from analysis.a import b`` names the module b where there is one
            for known in ((name,) if name in files else ())
            if known != module
        }
        | {
            f"{node.module}.{alias.name}"
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
            if f"{node.module}.{alias.name}" in files and f"{node.module}.{alias.name}" != module
        }
        for module, path in files.items()
    }
    packages = {module for module, path in files.items() if path.name == "__init__.py"}
    # a package's own file only offers names; going through it is no circle between modules
    assert circles({m: {n for n in to if n not in packages} for m, to in graph.items()}) == []


def test_a_circle_is_seen():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [("a", "b", "c")]
