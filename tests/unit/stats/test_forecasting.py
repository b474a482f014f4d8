"""Laws of the forecast: it adds up, it repeats itself, it covers, and it refuses what it cannot know."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from analysis.errors import FitError, ParameterError
from analysis.stats import forecast, forecast_parts

FEW = ("seasonal_naive", "ets", "sarimax")


def monthly(seed: int, count: int = 60, *, first: str = "2021-01", noise: float = 3.0) -> pd.Series:
    random = np.random.default_rng(seed)
    level = 100 + np.cumsum(random.normal(0, 1.0, count))
    season = 10 * np.cos(2 * np.pi * np.arange(count) / 12)
    return pd.Series(
        level + season + random.normal(0, noise, count), index=pd.period_range(first, periods=count, freq="M")
    )


def test_same_history_gives_the_same_forecast():
    one, other = forecast(monthly(1), candidates=FEW), forecast(monthly(1), candidates=FEW)
    pd.testing.assert_frame_equal(one.table, other.table, check_exact=True)
    assert np.array_equal(one.draws, other.draws)


def test_nothing_is_warned_and_nothing_is_silenced():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forecast(monthly(2, 40))


def test_months_continue_the_history():
    table = forecast(monthly(1, first="2024-11", count=36), candidates=FEW).table
    assert [str(month) for month in table.index[[0, -1]]] == ["2027-11", "2028-10"]
    dated = monthly(1, count=36).to_timestamp()
    assert str(forecast(dated, candidates=FEW).table.index[0]) == "2024-01"


def test_the_smallest_error_in_the_backtest_is_chosen():
    result = forecast(monthly(3))
    table = result.backtest.set_index("candidate")
    assert table["chosen"].sum() == 1
    assert table.loc[result.candidate, "mase"] == table["mase"].min()


def test_backtest_figures_follow_from_its_errors():
    result = forecast(monthly(3), candidates=FEW)
    errors = result.backtest_errors.query("candidate == 'ets'")
    row = result.backtest.set_index("candidate").loc["ets"]
    inside = (errors["low"] <= errors["actual"]) & (errors["actual"] <= errors["high"])
    assert row["coverage"] == pytest.approx(inside.mean())
    assert row["rmse"] == pytest.approx(np.sqrt(((errors["actual"] - errors["point"]) ** 2).mean()))
    values = monthly(3).to_numpy()
    scales = {
        origin: np.mean(np.abs(values[12:origin] - values[: origin - 12]))
        for origin in errors["origin"].unique()
    }
    scaled = (errors["actual"] - errors["point"]).abs() / errors["origin"].map(scales)
    assert row["mase"] == pytest.approx(scaled.mean())
    assert row["origins"] == len(scales) and row["errors_scored"] == len(errors)


def test_no_origin_looks_ahead():
    history = monthly(4)
    spoiled = history.copy()
    spoiled.iloc[-1] += 1000
    one, other = forecast(history, candidates=FEW), forecast(spoiled, candidates=FEW)
    keep = ["candidate", "origin", "step", "point", "low", "high"]
    pd.testing.assert_frame_equal(one.backtest_errors[keep], other.backtest_errors[keep])


def test_intervals_cover_the_next_year_about_as_often_as_promised():
    hits, totals = [], []
    for seed in range(12):
        whole = monthly(100 + seed, 72)
        result = forecast(whole.iloc[:60], candidates=("ets", "sarimax"))
        actual = whole.iloc[60:].to_numpy()
        hits.append(np.mean((result.table["low"] <= actual) & (actual <= result.table["high"])))
        _, low, high = result.total()
        totals.append(low <= actual.sum() <= high)
    assert 0.85 < np.mean(hits) <= 1.0
    assert np.mean(totals) > 0.7


@pytest.mark.slow
def test_intervals_cover_over_many_seeds():
    hits, totals = [], []
    for seed in range(80):
        whole = monthly(1000 + seed, 72)
        result = forecast(whole.iloc[:60])
        actual = whole.iloc[60:].to_numpy()
        hits.append(np.mean((result.table["low"] <= actual) & (actual <= result.table["high"])))
        _, low, high = result.total()
        totals.append(low <= actual.sum() <= high)
    assert 0.89 < np.mean(hits) < 0.99
    assert 0.84 < np.mean(totals) <= 1.0


def test_chance_of_exceeding_is_a_half_at_the_median_and_falls():
    result = forecast(monthly(5), candidates=FEW)
    middle = float(np.median(result.draws.sum(axis=1)))
    assert result.probability_above(middle) == pytest.approx(0.5, abs=0.01)
    assert result.probability_above(middle + 100) < 0.5 < result.probability_above(middle - 100)
    rest = slice(0, 3)
    expected, low, high = result.total(rest, already=1000.0)
    assert low < expected < high
    assert expected == pytest.approx(1000 + result.table["point"].iloc[:3].sum())
    assert result.probability_above(low, rest, already=1000.0) == pytest.approx(0.975, abs=0.01)


def test_other_levels_nest():
    result = forecast(monthly(5), candidates=FEW)
    narrow, wide = result.interval(0.5), result.interval(0.95)
    assert (wide["low"] < narrow["low"]).all() and (narrow["high"] < wide["high"]).all()
    assert wide["high"].to_numpy() == pytest.approx(result.table["high"].to_numpy(), rel=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_parts_and_total_add_up(seed):
    parts = pd.DataFrame(
        {name: monthly(10 * seed + place, 48) for place, name in enumerate(["labour", "parts", "other"])}
    )
    result = forecast_parts(parts, candidates=FEW)
    wide = result.table.pivot(index="step", columns="part", values="point")
    assert (wide[["labour", "parts", "other"]].sum(axis=1) - wide["total"]).abs().max() < 1e-8
    summed = result.draws["labour"] + result.draws["parts"] + result.draws["other"]
    assert np.allclose(summed, result.draws["total"], atol=1e-8)
    assert set(result.base) == {"labour", "parts", "other", "total"}
    expected, low, high = result.total()
    assert low < expected < high
    assert result.probability_above(low) == pytest.approx(0.975, abs=0.01)


def test_a_part_without_movement_takes_no_share_of_the_correction():
    parts = pd.DataFrame({"moving": monthly(7, 48), "fixed": 50.0})
    result = forecast_parts(parts, candidates=FEW)
    fixed = result.table.query("part == 'fixed'")
    assert fixed["point"].to_numpy() == pytest.approx(np.full(12, 50.0), abs=1e-4)
    # A second part that says nothing: the total's forecast is the first part's, shifted.
    both = result.table.pivot(index="step", columns="part", values="point")
    assert (both["total"] - both["moving"]).to_numpy() == pytest.approx(np.full(12, 50.0), abs=1e-4)


def test_short_history_says_that_nothing_was_checked():
    result = forecast(monthly(1, 20), candidates=FEW)
    assert result.candidate == "seasonal_naive"
    assert "20 months of history are too few to backtest" in result.notes[0]
    assert result.backtest["mase"].isna().all()
    assert len(forecast(monthly(1, 9)).table) == 12


def test_values_at_or_below_zero_leave_the_logarithmic_candidates_out():
    history = monthly(1) - 100
    table = forecast(history).backtest.set_index("candidate")
    assert table.loc["log_ets", "note"] == "needs positive values"
    assert np.isnan(table.loc["log_ets", "mase"])


def test_a_series_that_never_varies_is_forecast_as_it_is():
    history = pd.Series(7.0, index=pd.period_range("2022-01", periods=48, freq="M"))
    table = forecast(history).table
    assert table[["point", "low", "high"]].to_numpy() == pytest.approx(np.full((12, 3), 7.0))


def test_refusals():
    history = monthly(1)
    with pytest.raises(FitError, match=r"2023-04 is missing or out of order"):
        forecast(history.drop(pd.Period("2023-04", "M")))
    with pytest.raises(FitError, match=r"1 values are missing, e\.g\. 2021-03"):
        forecast(history.mask(history.index == pd.Period("2021-03", "M")))
    with pytest.raises(FitError, match=r"7 months of history; at least 8"):
        forecast(history.iloc[:7])
    with pytest.raises(ParameterError, match=r"unknown candidate 'sarima'.*Did you mean 'sarimax'"):
        forecast(history, candidates=("sarima",))
    with pytest.raises(ParameterError, match=r"level 95 must lie between 0 and 1"):
        forecast(history, level=95)
    with pytest.raises(FitError, match=r"regressors have 60 usable rows; history and horizon need 72"):
        forecast(history, regressors=pd.DataFrame({"days": np.full(60, 21.0)}))
    with pytest.raises(ParameterError, match=r"a part is named 'total' like the total"):
        forecast_parts(pd.DataFrame({"total": history}))
