"""A company with three years in every table that the cost study reads: small enough to check every fact against its rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis import costs
from analysis.costs.cost_study import CostStudy
from analysis.metrics import StudyInputs
from analysis.sample import make_sample


@pytest.fixture(scope="session")
def small_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small_company")
    make_sample(folder, seed=30_000, scale=0.1, blemishes=False)
    return folder


@pytest.fixture(scope="session")
def small_inputs(
    small_company: Path, inputs_in: Callable[..., StudyInputs], tmp_path_factory: pytest.TempPathFactory
) -> StudyInputs:
    return inputs_in(small_company, work=tmp_path_factory.mktemp("small_company_work"))


@pytest.fixture(scope="session")
def small_study(small_inputs: StudyInputs) -> CostStudy:
    """Its study, made once: making it takes longer than any test of it."""
    return costs.study(small_inputs)
