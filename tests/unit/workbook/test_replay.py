"""A month made again is the month that was made: from an extract of its close, and from a later one with ``AS_OF``, every fact is the same."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import earlier_extract
import pytest

from analysis.errors import MissingData
from analysis.metrics.study import facts_in
from analysis.params import project_root
from analysis.periods import Month
from analysis.results import Derived, Fact, Read
from analysis.sample import make_sample
from analysis.workbook import prepare_run
from analysis.workbook.sections import SECTIONS

CLOSE_DAY = 10


def of_the_extract(fact: Fact) -> bool:
    """Whether a fact tells of the files that were read: another extract is another number."""
    follows = fact.lineage
    if isinstance(follows, Derived):
        return any(map(of_the_extract, follows.parents))
    texts = " ".join(follows.queries) if follows else ""
    return isinstance(follows, Read) or "accepted_" in texts or "set_aside_" in texts


def stated(fact: Fact) -> dict[str, Any]:
    told = fact.as_json()
    return {
        name: told.get(name)
        for name in ("value", "reason", "numerator", "denominator", "interval", "n", "unit")
    }


def facts_of(folder: Path, month: Month, day: dt.date, work: Path) -> dict[str, dict[str, Any]]:
    """Every fact of every section but those of the files themselves."""
    run = prepare_run("sample", month=str(month), data=str(folder), as_of=day.isoformat(), folder=work)
    found: dict[str, dict[str, Any]] = {}
    for section in SECTIONS:
        try:
            result = section.load()(run.inputs)
        except MissingData:
            continue
        found |= {fact.id: stated(fact) for fact in facts_in(result).values() if not of_the_extract(fact)}
    return found


def differences(later: Path, month: Month, place: Path) -> list[str]:
    """Facts of a month that differ between the extract of its close and a later one, with both values."""
    day = dt.date((month + 1).year, (month + 1).number, CLOSE_DAY)
    extract = earlier_extract.write(later, place / "then", day=day, time_zone="Asia/Shanghai")
    then, now = facts_of(extract, month, day, place / "a"), facts_of(later, month, day, place / "b")
    assert len(then) > 500
    return [
        f"{id}: {then.get(id)} then, {now.get(id)} now"
        for id in sorted(then.keys() | now)
        if then.get(id) != now.get(id)
    ]


@pytest.fixture
def own_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(project_root() / "params", tmp_path / "root" / "params")
    monkeypatch.setenv("AFTER_SALES_ROOT", str(tmp_path / "root"))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "company"
    make_sample(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("back", range(12))
def test_a_month_of_the_sample_made_again_is_what_was_made_then(
    sample: Path, own_project: None, tmp_path: Path, back: int
):
    found = differences(sample, Month.parse("2026-10") - back, tmp_path)
    assert not found, f"{len(found)} facts\n" + "\n".join(found[:20])
