"""A company with three years in every table that the cost study reads: small enough to check every fact against its rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.sample import make_sample


@pytest.fixture(scope="session")
def small_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small_company")
    make_sample(folder, seed=30_000, scale=0.1, blemishes=False)
    return folder
