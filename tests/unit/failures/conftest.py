"""Companies that many tests of the failure study read: made, loaded and studied once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis import failures, sample
from analysis.metrics import StudyInputs


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Large enough for the planted truths to be found."""
    folder = tmp_path_factory.mktemp("planted") / "company"
    sample.make_sample(folder, seed=5, scale=0.2, months=24)
    return folder


@pytest.fixture(scope="session")
def planted_inputs(planted: Path, inputs_in: Callable[..., StudyInputs]) -> StudyInputs:
    return inputs_in(planted, work=planted.parent)


@pytest.fixture(scope="session")
def planted_study(planted_inputs: StudyInputs) -> failures.FailureStudy:
    study = failures.study(planted_inputs)
    assert isinstance(study, failures.FailureStudy)
    return study


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For what holds in any company."""
    folder = tmp_path_factory.mktemp("small") / "company"
    sample.make_sample(folder, seed=5, scale=0.05, months=14)
    return folder


@pytest.fixture(scope="session")
def small_inputs(small: Path, inputs_in: Callable[..., StudyInputs]) -> StudyInputs:
    return inputs_in(small, work=small.parent)
