"""Which figures open the summary is a choice of a run or its template, and one that cannot be printed is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis import executive
from analysis.errors import ParameterError
from analysis.executive.settings import load_headlines
from analysis.metrics import Registry, StudyInputs
from analysis.params import project_root

Inputs = Callable[..., StudyInputs]
REGISTRY = Registry.load()


def stated(folder: Path, metrics: str) -> Path:
    path = folder / "headlines.yml"
    path.write_text(f"metrics: {metrics}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "path", sorted((project_root() / "params").rglob("headlines.yml")), ids=lambda path: path.parent.name
)
def test_what_ships_can_be_printed(path: Path, company: Path, inputs_of: Inputs) -> None:
    names = load_headlines(REGISTRY, path)
    found = executive.study(inputs_of(company), metrics=names).headlines
    assert [one.metric.id for one in found] == list(names)
    assert any(one.fact.value is not None for one in found)


def test_the_order_is_kept(tmp_path: Path) -> None:
    path = stated(tmp_path, "[labour_share, after_sales_cost]")
    assert load_headlines(REGISTRY, path) == ("labour_share", "after_sales_cost")


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ("[]", "names 0"),
        ("[labour_share, labour_share]", "each once"),
        ("[" + ", ".join(sorted(REGISTRY.metrics)[:9]) + "]", "names 9"),
        ("[labour_shares]", "Did you mean 'labour_share'"),
        ("[b10_life]", "is made by"),
        ("[cost_change]", "is made by"),
        ("[failure_cost]", "is made by"),  # counted, but by the study of failures
        ("[materiality_share]", "is made by assumption"),
        ("labour_share", "headlines.yml"),
    ],
)
def test_what_cannot_be_printed_is_refused_by_name(metrics: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=said):
        load_headlines(REGISTRY, stated(tmp_path, metrics))
