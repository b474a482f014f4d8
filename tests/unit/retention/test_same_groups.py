"""A group that several attributes hold is tried once, under its first name; what differs by one row is another group."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.metrics import StudyInputs
from analysis.retention.same_groups import other_names

Inputs = Callable[..., StudyInputs]


def held(inputs: StudyInputs, name: str, *rows: str) -> str:
    """A table of four customers of one month: attribute ``a`` (x, y, z), and ``b`` by its values."""
    values = ", ".join(
        f"('C{number}', 1, {a!r}, {b})"
        for number, (a, b) in enumerate(zip(("x", "x", "y", "z"), rows, strict=True))
    )
    return inputs.engine.materialise(
        name, f"SELECT * FROM (VALUES {values}) AS t(customer_id, month, first_name, second_name)"
    )


@pytest.mark.parametrize(
    ("second", "repeated"),
    [
        # the same division by other words
        (("'p'", "'p'", "'q'", "'r'"), {"p": "x", "q": "y", "r": "z"}),
        # one value the same: of two, the other is what the first is not
        (("'p'", "'p'", "'q'", "'q'"), {"p": "x", "q": "x"}),
        # one customer held otherwise
        (("'p'", "'q'", "'q'", "'r'"), {"r": "z"}),
        # as many customers, but others
        (("'r'", "'q'", "'p'", "'p'"), {}),
        # of one customer it is not known: others stand against it
        (("'p'", "'p'", "'q'", "NULL"), {}),
    ],
)
def test_what_the_same_customers_hold_is_one_group(
    company: Path, inputs_of: Inputs, second: tuple[str, ...], repeated: dict[str, str]
):
    inputs = inputs_of(company)
    table = held(inputs, "held_twice", *second)
    found = other_names(inputs, table, {"one": "first_name", "two": "second_name"})
    assert found == {("two", value): ("one", of) for value, of in repeated.items()}


def test_the_first_attribute_gives_the_name(company: Path, inputs_of: Inputs):
    inputs = inputs_of(company)
    table = held(inputs, "held_in_order", "'p'", "'p'", "'q'", "'r'")
    found = other_names(inputs, table, {"two": "second_name", "one": "first_name"})
    assert found == {("one", value): ("two", of) for value, of in {"x": "p", "y": "q", "z": "r"}.items()}
    assert other_names(inputs, table, {"one": "first_name"}) == {}
    assert other_names(inputs, table, {}) == {}
