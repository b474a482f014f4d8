"""Month and year changes as a statistical office prints them, and the rules of a change without a percentage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import FitError, ParameterError
from analysis.stats import series_changes

# U.S. Bureau of Labor Statistics, CPI-U, all items, not seasonally adjusted, 1982-84 = 100, January 2020 to June 2021.
CPI = pd.Series(
    [257.971, 258.678, 258.115, 256.389, 256.394, 257.797, 259.101, 259.918, 260.280, 260.388, 260.229, 260.474]
    + [261.582, 263.014, 264.877, 267.054, 269.195, 271.696],
    index=pd.period_range("2020-01", periods=18, freq="M"),
)  # fmt: skip


def test_consumer_prices_as_published():
    # The Bureau's releases of February to July 2021: 1.4, 1.7, 2.6, 4.2, 5.0 and 5.4 percent over twelve months; over the month, not adjusted, 0.4, 0.5, 0.7, 0.8, 0.8 and 0.9
    table = series_changes(CPI)
    later = table.loc["2021-01":"2021-06"]
    assert (100 * later["season_change_share"]).round(1).tolist() == [1.4, 1.7, 2.6, 4.2, 5.0, 5.4]
    assert (100 * later["change_share"]).round(1).tolist() == [0.4, 0.5, 0.7, 0.8, 0.8, 0.9]
    assert later["change"].tolist() == pytest.approx([1.108, 1.432, 1.863, 2.177, 2.141, 2.501])
    assert table["season_change"].iloc[:12].isna().all() and table["change"].iloc[:1].isna().all()


def test_from_a_loss_or_from_nothing_there_is_no_percentage():
    table = series_changes(pd.Series([-5.0, 0.0, 4.0, np.nan, 2.0, 3.0]), season=2)
    assert table["change"].tolist() == pytest.approx([np.nan, 5, 4, np.nan, np.nan, 1], nan_ok=True)
    assert table["change_share"].tolist() == pytest.approx([np.nan] * 5 + [0.5], nan_ok=True)
    assert table["season_change"].tolist() == pytest.approx(
        [np.nan, np.nan, 9, np.nan, -2, np.nan], nan_ok=True
    )
    assert table["season_change_share"].tolist() == pytest.approx([np.nan] * 4 + [-0.5, np.nan], nan_ok=True)


@pytest.mark.parametrize("kind", ["periods", "dates"])
def test_a_month_that_is_left_out_is_no_month_before(kind):
    series = CPI if kind == "periods" else CPI.to_timestamp()
    assert series_changes(series)["change"].iloc[-1] == pytest.approx(2.501)
    for wrong in (series.drop(series.index[5]), series.iloc[::-1], pd.concat([series, series.iloc[-1:]])):
        with pytest.raises(FitError, match="missing, told twice or out of order"):
            series_changes(wrong)


def test_a_season_of_one_is_none():
    with pytest.raises(ParameterError, match="two periods or more; got 1"):
        series_changes(CPI, season=1)
