"""A program that lacks a font, a template or a catalogue says so, before a page is made without it."""

from __future__ import annotations

from pathlib import Path

import pytest

import analysis
from analysis.errors import PlaceError
from analysis.report.whole import FILES, refuse_incomplete

PACKAGE = Path(analysis.__file__).parent
# licences and marks, which no page is made of
OTHER = {".py", ".pyi", ".pyc", ".txt", ".typed"}


def test_every_file_of_the_package_that_is_no_code_is_looked_for():
    there = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in OTHER and "shipped" not in path.relative_to(PACKAGE).parts
    }
    assert there == set(FILES)
    refuse_incomplete()


@pytest.mark.parametrize(
    "name", ["fonts/NotoSansSC-Regular.ttf", "locale/zh/costs.po", "report/templates/typst/main.typ"]
)
@pytest.mark.parametrize("harm", ["gone", "empty"])
def test_a_file_that_is_lost_is_named(tmp_path, name, harm):
    for file in FILES:
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    refuse_incomplete(tmp_path)
    (tmp_path / name).unlink() if harm == "gone" else (tmp_path / name).write_text("")
    with pytest.raises(PlaceError, match=f"^{name}: missing or empty.*Install it again"):
        refuse_incomplete(tmp_path)
