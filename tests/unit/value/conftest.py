"""A tenth of the sample company, made once for all tests of the value study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.metrics import StudyInputs
from analysis.sample import make_sample


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("valued")
    make_sample(folder / "sample", seed=11, scale=0.1, blemishes=False)
    return folder


def _opened(folder: Path, store: Path, month: str = "2026-10") -> StudyInputs:
    import datetime as dt

    from analysis.metrics import Engine, Registry
    from analysis.params import Assumptions, CostTree, load_run
    from analysis.tables import load_tables

    params = load_run("sample", month=month)
    tables = load_tables(folder, store, reporting_currency="CNY", time_zone="Asia/Shanghai")
    engine = Engine(
        tables,
        Registry.load(),
        cost_tree=CostTree.load(),
        as_of=params.knowledge_day,
        time_zone="Asia/Shanghai",
        currency="CNY",
        confidence=0.95,
        cache=None,
    )
    assert isinstance(params.knowledge_day, dt.date)
    return StudyInputs(
        engine=engine,
        month=params.month,
        params=params,
        assumptions=Assumptions.load(),
        cost_tree=engine.cost_tree,
    )


@pytest.fixture(scope="session")
def sample_inputs() -> Callable[..., StudyInputs]:
    """Study inputs of a folder of tables, its store and a month."""
    return _opened
