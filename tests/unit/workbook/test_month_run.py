"""What a notebook prints beside its exhibits."""

from __future__ import annotations

import warnings

import pytest

from analysis.workbook import month_run


def test_a_warning_in_a_notebook_names_no_file_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(warnings, "formatwarning", month_run._without_path)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = warnings._showwarning_orig  # type: ignore[attr-defined]
        warnings.warn_explicit("overflow in exp", RuntimeWarning, "/home/someone/analysis/life.py", 813)
    assert capsys.readouterr().err == "RuntimeWarning: overflow in exp\n"
