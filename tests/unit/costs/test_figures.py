from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st

from analysis.costs.cents import settle
from analysis.costs.figures import month_texts


def test_months_are_text_also_where_there_is_none():
    """A team that is in no month is compared with a month like any other."""
    assert list(month_texts(pd.Series([dt.date(2026, 9, 1), dt.date(2026, 10, 1)]))) == ["2026-09", "2026-10"]
    nothing = month_texts(pd.Series([], dtype="datetime64[us]"))
    assert not (nothing <= "2026-10").any()


@given(st.lists(st.integers(-(10**16), 10**16), min_size=1, max_size=5), st.integers(-(10**16), 10**16))
@example([9_999_999_999_999_999, -3, 1], 9_999_999_999_999_998)
def test_effects_add_up_to_the_cent_beyond_the_digits_of_a_float(parts: list[int], total: int):
    amounts, totals = np.array([parts], dtype=float), np.array([total], dtype=np.int64)
    assert settle(amounts, totals).sum() == total


def test_a_driver_that_does_not_apply_gets_no_cent_however_large_the_others():
    # beyond the digits of a float the parts miss their total by several cents
    amounts = np.array([[0.0, 1.2e16 + 2, 0.0, -2.0e15, 0.0]])
    total = np.array([10_000_000_000_000_007], dtype=np.int64)
    found = settle(amounts, total)
    assert found.sum() == total[0] and found[0, [0, 2, 4]].tolist() == [0, 0, 0]
