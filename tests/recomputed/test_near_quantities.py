"""The issued pack names no quantity twice: what is nearly equal under two names has a reason, or is a fault."""

from __future__ import annotations

from typing import Any


def test_no_two_quantities_of_the_pack_are_one_under_two_names(near_quantities: Any) -> None:
    assert near_quantities.returncode == 0, near_quantities.stdout + near_quantities.stderr
