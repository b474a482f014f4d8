"""Each figure against the pack: at least sixty of them drawn by seed in every run, all of them with the marker ``slow``."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recomputed import costs, executive, failures, quality, retention, value
from recomputed.raw import Raw
from recomputed.register import MODEL, Asked, Figure, difference

SEED = 20261031
DRAWN_OF_A_SECTION, DRAWN = 8, 66  # each section first, the rest from all that are left
SECTIONS = (costs, failures, retention, value, quality, executive)
FIGURES: list[Figure] = [figure for section in SECTIONS for figure in section.SECTION.figures]
ARITHMETIC = {
    "__future__",
    "collections",
    "typing",
    "functools",
    "dataclasses",
    "decimal",
    "pathlib",
    "math",
} | {"numpy", "pandas", "scipy", "statsmodels", "yaml", "recomputed"}


def drawn() -> set[str]:
    """Names of the figures of the default run."""
    chance = np.random.default_rng(SEED)
    chosen: list[Figure] = []
    for section in SECTIONS:
        own = section.SECTION.figures
        chosen += [own[i] for i in chance.choice(len(own), DRAWN_OF_A_SECTION, replace=False)]
    left = [figure for figure in FIGURES if figure not in chosen]
    models = [figure for figure in left if figure.kind == MODEL]
    missing = max(20 - sum(figure.kind == MODEL for figure in chosen), 0)
    chosen += [models[i] for i in chance.choice(len(models), min(missing, len(models)), replace=False)]
    left = [figure for figure in left if figure not in chosen]
    more = min(max(DRAWN - len(chosen), 0), len(left))
    return {
        figure.name for figure in chosen + [left[i] for i in chance.choice(len(left), more, replace=False)]
    }


_DRAWN = drawn()
# a figure that the pack has wrong is expected to differ, until it is mended
_CASES = [
    pytest.param(
        figure,
        id=figure.name,
        marks=[] if not figure.wrong else [pytest.mark.xfail(strict=True, reason=figure.wrong)],
    )
    for figure in FIGURES
]


def _agrees(figure: Figure, raw: Raw, printed: dict[str, dict[str, Any]]) -> None:
    fact = printed.get(figure.fact)
    assert fact is not None, f"the pack prints no {figure.fact}"
    assert fact["section"] == figure.section
    shown = fact["value"] if figure.part == "value" else fact["interval"][figure.part]
    told = difference(figure, shown, figure.compute(raw, Asked.parse(figure.fact)))
    assert not told, told


@pytest.mark.parametrize("figure", [case for case in _CASES if case.values[0].name in _DRAWN])
def test_a_figure_drawn_by_seed_is_found_again(
    figure: Figure, raw: Raw, printed: dict[str, dict[str, Any]]
) -> None:
    _agrees(figure, raw, printed)


@pytest.mark.slow
@pytest.mark.parametrize("figure", [case for case in _CASES if case.values[0].name not in _DRAWN])
def test_every_other_figure_is_found_again(
    figure: Figure, raw: Raw, printed: dict[str, dict[str, Any]]
) -> None:
    _agrees(figure, raw, printed)


def test_enough_figures_of_each_section_and_kind_are_drawn() -> None:
    chosen = [figure for figure in FIGURES if figure.name in _DRAWN]
    assert len(chosen) >= 60
    assert len({figure.name for figure in FIGURES}) == len(FIGURES)
    sections = Counter(figure.section for figure in chosen)
    assert set(sections) == {"costs", "failures", "retention", "value", "quality", "executive"}
    assert min(sections.values()) >= 8
    assert sum(figure.kind == MODEL for figure in chosen) >= 20


def test_an_estimate_says_why_it_may_differ() -> None:
    for figure in FIGURES:
        assert figure.compute.__doc__, f"{figure.name}: no definition"
        if figure.kind == MODEL:
            assert figure.why, f"{figure.name}: no reason for its tolerance"
            assert 0 < figure.within <= 0.05, figure.name


def test_a_difference_is_told_with_both_figures() -> None:
    cost = next(figure for figure in costs.SECTION.figures if figure.kind == "money")
    assert difference(cost, "10.00", 10) == ""
    told = difference(cost, "10.00", 11)
    assert "printed 10.00" in told
    assert "recomputed 11.00" in told
    assert "difference 1.00" in told


def test_no_two_quantities_of_the_pack_are_one_under_two_names(near_quantities: Any) -> None:
    """What is nearly equal under two names has a reason, or is a fault."""
    assert near_quantities.returncode == 0, near_quantities.stdout + near_quantities.stderr


def test_every_estimate_of_the_pack_stands_with_its_interval(estimates_alone: Any) -> None:
    """In each title, tile, finding and check of the issued notebooks, in both languages."""
    assert estimates_alone.stdout == "{}\n", estimates_alone.stdout + estimates_alone.stderr


def test_more_than_the_tolerance_is_a_difference() -> None:
    for figure in FIGURES:
        off = 100 * (1 + 2 * figure.within) + 0.01
        assert difference(figure, 100.0, 100) == ""
        assert difference(figure, 100.0, off), figure.name


@pytest.mark.parametrize(
    "path", sorted(path for path in Path(__file__).parent.glob("*.py")), ids=lambda path: path.name
)
def test_nothing_of_the_project_is_imported(path: Path) -> None:
    """The arithmetic stands on pandas, numpy, scipy and statsmodels alone, in any form of import."""
    allowed = ARITHMETIC | (
        {"ast", "json", "os", "subprocess", "sys", "pytest"}
        if path.stem in ("conftest", "test_recomputed")
        else set()
    )
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found = {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            found = {str(node.module).split(".")[0]}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("__import__", "eval", "exec")
            continue
        else:
            continue
        assert found <= allowed, f"{path.name} imports {found - allowed}"
