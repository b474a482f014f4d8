from __future__ import annotations

import datetime as dt

import pandas as pd

from analysis.costs.figures import month_texts


def test_months_are_text_also_where_there_is_none():
    """A team that is in no month is compared with a month like any other."""
    assert list(month_texts(pd.Series([dt.date(2026, 9, 1), dt.date(2026, 10, 1)]))) == ["2026-09", "2026-10"]
    nothing = month_texts(pd.Series([], dtype="datetime64[us]"))
    assert not (nothing <= "2026-10").any()
