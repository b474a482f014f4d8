"""A project of its own for companies that lack tables."""

from __future__ import annotations

from pathlib import Path

import legal_companies
import pytest


@pytest.fixture
def own_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTER_SALES_ROOT", str(legal_companies.own_project(tmp_path / "root")))
