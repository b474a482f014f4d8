"""A parameter that papermill injected and no cell declares is refused by name."""

from __future__ import annotations

import pytest

from analysis.errors import ParameterError
from analysis.workbook.injected import refuse_unknown

DECLARED = 'run_name: str = "sample"  # a run\nmonth: str = ""\ndata: str = ""\nas_of: str = ""'


@pytest.mark.parametrize("name", ["mnth", "Month", "months", "dta", "asof", "x", "run"])
def test_any_misspelt_name_is_refused(name):
    injected = f'# Parameters\ndata = "folder"\n{name} = "2026-09"\n'
    with pytest.raises(
        ParameterError, match=f"parameter '{name}': this notebook has no such parameter"
    ) as told:
        refuse_unknown(["", DECLARED, injected, "from analysis.workbook import open_run"])
    assert "known: run_name, month, data, as_of" in str(told.value)


def test_the_nearest_name_is_suggested():
    with pytest.raises(ParameterError, match="Did you mean 'month'"):
        refuse_unknown(["", DECLARED, "# Parameters\nmnth = 1"])


@pytest.mark.parametrize(
    "cells",
    [
        ["", DECLARED, '# Parameters\nmonth = "2026-09"\n', "run = 1"],
        ["", DECLARED, "top = 5", "run = 1"],  # somebody's own cell
        [
            "",
            "%matplotlib inline",
            "# Parameters\nmine = 3",
        ],  # a notebook of one's own, without declared parameters
        [],
    ],
)
def test_what_is_declared_or_ones_own_passes(cells):
    refuse_unknown(cells)
