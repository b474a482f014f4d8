"""Editions of a quarter and of a year have folders of their own: they touch neither those of the months nor ``latest``."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from report_stub import callout, checks_block, code, prose, publish, stub_export, stub_run, write_notebook

from analysis.params import load_run
from analysis.periods import Period
from analysis.report import make_report, manifest
from analysis.report.scrub import said_of
from analysis.workbook.earlier import earlier_edition


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    folder = tmp_path / "notebooks"
    write_notebook(folder, "10_costs", publish(callout()), code("print(month)"))
    write_notebook(
        folder, "90_summary", prose("## How did the month go?"), publish(checks_block()), section="executive"
    )
    return folder


def report(notebooks: Path, name: str, begins: int = 1, **options: object):
    run = stub_run()
    run.period = Period.named(name, year_begins=begins)
    run.month = run.period.last
    return make_report(
        month=name,
        folder=notebooks,
        reports=notebooks.parent / "reports",
        prepare=lambda *_, **__: run,
        export=stub_export,
        **options,
    )


def test_editions_of_each_length_are_kept_apart(notebooks: Path):
    reports = notebooks.parent / "reports"
    month = report(notebooks, "2026-10")
    before = {path: path.read_bytes() for path in sorted(month.folder.rglob("*")) if path.is_file()}
    made = [report(notebooks, "2026-Q4"), report(notebooks, "2026"), report(notebooks, "2026-Q4", force=True)]
    assert [edition.folder.relative_to(reports).as_posix() for edition in made] == [
        "2026-Q4/edition-1",
        "2026/edition-1",
        "2026-Q4/edition-2",
    ]
    assert [edition.month for edition in made] == ["2026-Q4", "2026", "2026-Q4"]
    assert {path: path.read_bytes() for path in sorted(month.folder.rglob("*")) if path.is_file()} == before
    assert os.readlink(reports / "latest") == "2026-10/edition-1"
    # a later month goes on where the months stand
    assert report(notebooks, "2026-11").number == 1
    assert os.readlink(reports / "latest") == "2026-11/edition-1"
    assert report(notebooks, "2026-Q4").unchanged and report(notebooks, "2026").unchanged
    assert os.readlink(reports / "latest") == "2026-11/edition-1"


def test_a_quarter_alone_is_never_latest(notebooks: Path):
    edition = report(notebooks, "2026-Q3")
    assert edition.number == 1 and not (edition.folder.parents[1] / "latest").exists()


def test_the_pack_of_a_quarter_says_which_and_can_be_asked_for_again(notebooks: Path):
    edition = report(notebooks, "2026-Q1", begins=4)
    stated = manifest.read(edition.folder)
    assert (stated["month"], stated["identity"]["month"], stated["run"]["month"]) == ("2026-Q1",) * 3
    executed = json.loads((edition.folder / "notebooks" / "10_costs.ipynb").read_text(encoding="utf-8"))
    assert "2026-Q1" in json.dumps(executed)
    summary = (edition.folder / "notebooks" / "90_summary.ipynb").read_text(encoding="utf-8")
    assert "How did the quarter go?" in summary and "How did the month go?" not in summary


def test_a_draft_of_a_year_stands_beside_those_of_its_months(notebooks: Path):
    shelf = notebooks.parent / "reports" / "_drafts"
    for name in ("2026-10", "2026", "2026-Q4", "2026"):
        report(notebooks, name, draft=True)
    assert sorted(path.name for path in shelf.iterdir()) == ["2026-1", "2026-10-1", "2026-2", "2026-Q4-1"]


def test_the_edition_before_is_one_of_a_month(notebooks: Path):
    run = replace(load_run("sample", month="2026-Q4"))
    report(notebooks, "2026-Q3")
    report(notebooks, "2025")
    assert earlier_edition(run, notebooks.parent / "reports") is None


def test_words_of_a_month_are_left_where_the_report_is_of_one():
    notebook = {
        "cells": [
            {"cell_type": "markdown", "source": ["# How did the month go?\n", "\n", "Of this month."]},
            {"cell_type": "code", "source": "How did the month go?"},
        ]
    }
    said = said_of(notebook, 12)["cells"]
    assert said[0]["source"] == "# How did the year go?\n\nOf this month."  # whole messages alone
    assert said[1] == notebook["cells"][1]
    assert said_of(notebook, 1)["cells"][0]["source"].startswith("# How did the month go?")
