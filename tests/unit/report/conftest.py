from __future__ import annotations

import pytest

from analysis.report import kernels, manifest


@pytest.fixture(autouse=True)
def _throw_away(request, monkeypatch):
    """Kernels without pandas for notebooks that need none, and a program that nobody edits while the test runs."""
    monkeypatch.setattr(kernels, "PRELOADED", "ipykernel.kernelapp")
    if request.module.__name__.rpartition(".")[2] != "test_manifest":
        monkeypatch.setattr(manifest, "source_hash", lambda: "c" * 64)
        monkeypatch.setattr(manifest, "_git", lambda *_: "")
