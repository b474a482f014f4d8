"""A tenth of the sample company, made, opened and studied once for all tests of the value study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis import value
from analysis.metrics import StudyInputs
from analysis.sample import make_sample
from analysis.value.results import ValueStudy


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("valued")
    make_sample(folder / "sample", seed=11, scale=0.1, blemishes=False)
    return folder


@pytest.fixture(scope="session")
def opened(sample_folder: Path, inputs_in: Callable[..., StudyInputs]) -> Callable[..., StudyInputs]:
    """Study inputs of the company for a month."""

    def build(month: str = "2026-10") -> StudyInputs:
        return inputs_in(sample_folder / "sample", work=sample_folder, month=month)

    return build


@pytest.fixture(scope="session")
def sampled(opened: Callable[..., StudyInputs]) -> StudyInputs:
    return opened()


@pytest.fixture(scope="session")
def studied(sampled: StudyInputs) -> ValueStudy:
    """The whole study, effects and what-ifs included."""
    return value.study(sampled)
