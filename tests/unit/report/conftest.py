from __future__ import annotations

import pytest

from analysis.report import kernels


@pytest.fixture(autouse=True)
def _bare_kernels(monkeypatch):
    """Throw-away notebooks need no pandas: their kernels are forked from a process that has not imported it."""
    monkeypatch.setattr(kernels, "PRELOADED", "ipykernel.kernelapp")
