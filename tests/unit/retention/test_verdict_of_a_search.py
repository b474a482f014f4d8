"""A value that was tried is beyond chance at the level of the run, in the table as in the finding."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from analysis.exhibits.retention_shared import beyond_chance
from analysis.exhibits.specification import words


@pytest.mark.parametrize(
    ("error", "adjusted", "told", "searched", "said"),
    [
        (0.05, 0.04, True, True, "told"),
        (0.05, 0.04, False, True, "yes"),
        (0.05, 0.07, False, True, "not shown"),
        (0.10, 0.07, True, True, "told"),  # told at the level of this run, above that of another
        (0.01, 0.04, False, True, "not shown"),
        (0.05, 0.04, True, False, "not shown"),  # the search as a whole does not hold
    ],
)
def test_the_verdict_follows_the_level_of_the_run(
    error: float, adjusted: float, told: bool, searched: bool, said: str
):
    study = SimpleNamespace(sure=frozenset({"groups"} if searched else ()), error=error)
    column = beyond_chance(cast(Any, study), "groups")
    assert isinstance(column, type(words("attribute", "Beyond chance")))
    assert cast(Any, column).read(SimpleNamespace(p_adjusted=adjusted, told=told)).en == said
