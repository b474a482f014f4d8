"""A wrong argument of a public function of stats is answered in words, never with numpy's own error."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import stats
from analysis.errors import AnalysisError, ParameterError

RNG = np.random.default_rng(3)
ROWS = 60
ages = RNG.weibull(1.5, ROWS) * 20 + 0.1
ev = RNG.random(ROWS) < 0.7
grp = (RNG.random(ROWS) < 0.5).astype(float)
cov = pd.DataFrame({"x": RNG.normal(size=ROWS), "g": grp})
months = pd.Series(100 + RNG.normal(0, 3, 36), index=pd.period_range("2022-01", periods=36, freq="M"))
freq = np.r_[np.zeros(30), RNG.poisson(2, 30)]
rec = np.where(freq > 0, 20.0, 0.0)
T = np.full(ROWS, 40.0)
km = stats.kaplan_meier(ages, ev)
cox = stats.cox(cov, ages, ev)
mcf = stats.mean_cumulative_function(np.arange(ROWS) % 10, ages % 20, ends=np.full(10, 20.0))
chart = stats.control_chart("individuals", months.to_numpy())
delay = stats.fit_reporting_delay(RNG.integers(0, 4, ROWS), np.full(ROWS, 6))
att = pd.DataFrame({"r": np.repeat(list("abc"), 20), "m": np.tile(list("xyzw"), 15)})
GOOD = {
    "poisson_interval": (
        stats.poisson_interval,
        dict(events=np.arange(ROWS).astype(float), exposure=np.ones(ROWS)),
    ),
    "rate_ratio_interval": (
        stats.rate_ratio_interval,
        dict(
            events=np.arange(1.0, ROWS + 1),
            exposure=np.ones(ROWS),
            base_events=np.arange(1.0, ROWS + 1),
            base_exposure=np.ones(ROWS),
        ),
    ),
    "rate_ratio_p_value": (
        stats.rate_ratio_p_value,
        dict(
            events=np.arange(1.0, ROWS + 1),
            exposure=np.ones(ROWS),
            base_events=np.arange(1.0, ROWS + 1),
            base_exposure=np.ones(ROWS),
        ),
    ),
    "proportion_interval": (
        lambda **k: stats.proportion_interval(method="wilson", **k),
        dict(successes=np.arange(float(ROWS)), trials=np.full(ROWS, 100.0)),
    ),
    "proportion_difference_interval": (
        stats.proportion_difference_interval,
        dict(
            successes=np.arange(float(ROWS)),
            trials=np.full(ROWS, 100.0),
            base_successes=np.arange(float(ROWS)),
            base_trials=np.full(ROWS, 100.0),
        ),
    ),
    "adjust_p_values": (
        lambda **k: stats.adjust_p_values(method="holm", **k),
        dict(p_values=RNG.random(ROWS)),
    ),
    "control_chart": (
        lambda **k: stats.control_chart("u", **k),
        dict(values=RNG.poisson(5, ROWS).astype(float), sizes=np.ones(ROWS)),
    ),
    "localise": (
        stats.localise,
        dict(actual=RNG.poisson(5, ROWS).astype(float), expected=np.full(ROWS, 5.0), attributes=att),
    ),
    "fit_reporting_delay": (
        stats.fit_reporting_delay,
        dict(delays=RNG.integers(0, 4, ROWS), windows=np.full(ROWS, 6), weights=np.ones(ROWS)),
    ),
    "nowcast": (
        lambda **k: stats.nowcast(delay, draws=20, seed=1, **k),
        dict(windows=np.array([0, 1, 2]), reported=np.array([3.0, 4, 5])),
    ),
    "mean_cumulative_function": (
        stats.mean_cumulative_function,
        dict(
            event_units=np.arange(ROWS),
            event_ages=ages % 20,
            ends=np.full(ROWS, 20.0),
            starts=np.zeros(ROWS),
            costs=np.ones(ROWS),
            unit_weights=np.ones(ROWS),
        ),
    ),
    "fit_weibull": (
        stats.fit_weibull,
        dict(durations=ages, events=ev, entry=np.zeros(ROWS), weights=np.ones(ROWS)),
    ),
    "fit_weibull_bounds": (lambda **k: stats.fit_weibull(None, **k), dict(lower=ages, upper=ages + 1)),
    "fit_exponential": (
        stats.fit_exponential,
        dict(durations=ages, events=ev, entry=np.zeros(ROWS), weights=np.ones(ROWS)),
    ),
    "fit_lognormal": (
        stats.fit_lognormal,
        dict(durations=ages, events=ev, entry=np.zeros(ROWS), weights=np.ones(ROWS)),
    ),
    "fit_competing_modes": (
        stats.fit_competing_modes,
        dict(durations=ages, modes=np.where(ev, "wear", ""), weights=np.ones(ROWS)),
    ),
    "probability_plot": (
        lambda **k: stats.probability_plot(family="weibull", **k),
        dict(durations=ages, events=ev, weights=np.ones(ROWS)),
    ),
    "forecast": (
        lambda history: stats.forecast(history, horizon=3, candidates=("seasonal_naive",)),
        dict(history=months),
    ),
    "forecast_parts": (
        lambda parts: stats.forecast_parts(parts, horizon=3, candidates=("seasonal_naive",)),
        dict(parts=pd.DataFrame({"a": months, "b": months * 2})),
    ),
    "kaplan_meier": (
        stats.kaplan_meier,
        dict(durations=ages, events=ev, entry=np.zeros(ROWS), weights=np.ones(ROWS)),
    ),
    "nelson_aalen": (
        stats.nelson_aalen,
        dict(durations=ages, events=ev, entry=np.zeros(ROWS), weights=np.ones(ROWS)),
    ),
    "log_rank": (
        stats.log_rank,
        dict(durations=ages, events=ev, groups=grp, entry=np.zeros(ROWS), weights=np.ones(ROWS)),
    ),
    "aalen_johansen": (
        stats.aalen_johansen,
        dict(durations=ages, causes=ev.astype(int), entry=np.zeros(ROWS), weights=np.ones(ROWS)),
    ),
    "cox": (
        stats.cox,
        dict(covariates=cov, durations=ages, events=ev, entry=np.zeros(ROWS), weights=np.ones(ROWS)),
    ),
    "absolute_difference": (
        lambda **k: stats.absolute_difference(cox, name="x", values=(0.0, 1.0), **k),
        dict(covariates=cov, time=5.0),
    ),
    "restricted_mean_difference": (
        lambda limit: stats.restricted_mean_difference(km, km, limit=limit),
        dict(limit=5.0),
    ),
    "doubly_robust": (
        lambda **k: stats.doubly_robust(repeats=1, folds=2, **k),
        dict(
            outcome=grp + RNG.normal(size=ROWS),
            treatment=(RNG.random(ROWS) < 0.5).astype(float),
            covariates=cov[["x"]],
            weights=np.ones(ROWS),
        ),
    ),
    "e_value": (stats.e_value, dict(risk_ratio=2.0, limit=1.5)),
    "robustness_value": (stats.robustness_value, dict(t=3.0, degrees=100.0)),
    "confounded_estimate": (
        stats.confounded_estimate,
        dict(estimate=1.0, std_error=0.2, degrees=100.0, r2_treatment=0.1, r2_outcome=0.1),
    ),
    "fit_sbg": (stats.fit_sbg, dict(alive_counts=[100, 80, 70, 65])),
}


def wrongs(v: Any) -> Iterator[tuple[str, Any]]:
    """What is passed in place of a good argument, with its name."""
    if isinstance(v, pd.DataFrame):
        yield (
            "text",
            v.astype(object).assign(**{v.columns[0]: "text"})
            if pd.api.types.is_numeric_dtype(v.dtypes.iloc[0])
            else None,
        )
        yield "nan", v.assign(**{v.columns[0]: np.nan})
        yield "short", v.iloc[:-1]
        yield "empty", v.iloc[:0]
        yield "none", None
        yield "notframe", v.to_numpy()
        yield "timedelta", v.assign(**{v.columns[0]: pd.to_timedelta(np.arange(len(v)), unit="D")})
        return
    if np.ndim(v) == 0:
        yield "text", "abc"
        yield "nan", float("nan")
        yield "none", None
        yield "neg", -1.0
        yield "td", pd.Timedelta("1D")
        return
    n = len(v)
    s = isinstance(v, pd.Series)

    def w(a: Any) -> Any:
        return pd.Series(a, index=v.index[: len(a)]) if s else a

    yield "text", w(np.array(["abc"] * n))
    yield "text_obj", w(np.array(["abc"] * n, dtype=object))
    yield "timedelta", w(pd.to_timedelta(np.arange(1, n + 1), unit="D").to_numpy())
    yield "td_list", [dt.timedelta(days=1)] * n
    a = (
        np.array(v, dtype=float)
        if not isinstance(v, pd.DatetimeIndex) and np.asarray(v).dtype.kind in "fiub"
        else None
    )
    if a is not None:
        b = a.copy()
        b[0] = np.nan
        yield "nan", w(b)
        b = a.copy()
        b[0] = np.inf
        yield "inf", w(b)
        yield "neg", w(-a - 1)
    yield "short", v[:-1]
    yield "empty", v[:0]
    yield "none_inside", [None] + list(v[1:])
    yield "scalar", 3.0
    yield "2d", np.ones((n, 2))
    yield "string", "abc"


@pytest.mark.parametrize("function", list(GOOD))
def test_wrong_arguments_are_refused_in_words_or_work(function):
    compute, arguments = GOOD[function]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compute(**arguments)
        bare = []
        for name, value in arguments.items():
            for label, wrong in wrongs(value):
                try:
                    compute(**{**arguments, name: wrong})
                except AnalysisError:
                    pass
                except Exception as error:
                    bare.append(f"{name}[{label}]: {type(error).__name__}: {error}")
    assert bare == []


def test_the_message_names_the_argument_an_example_and_what_to_do():
    text = cov.assign(region="South")
    with pytest.raises(
        ParameterError, match=r"cox: covariates, column 'region', holds 'South' \(str\) where numbers"
    ):
        stats.cox(text, ages, ev)
    with pytest.raises(
        ParameterError, match=r"cox: durations holds time spans or dates.*pd.Timedelta\(days=1\)"
    ):
        stats.cox(cov, pd.to_timedelta(ages, unit="D"), ev)
    # what a function words itself, it words better
    with pytest.raises(AnalysisError, match="survival: 1 durations are negative or missing, e.g. nan"):
        stats.kaplan_meier([1.0, float("nan")], [True, True])
    with pytest.raises(AnalysisError, match="survival: 1 weights are negative or missing"):
        stats.kaplan_meier([1.0, 2.0], [True, True], weights=[1, -2])
    with pytest.raises(AnalysisError, match="survival: 1 events for 2 durations"):
        stats.kaplan_meier([1.0, 2.0], [True])
    with pytest.raises(AnalysisError, match="weibull: no failures among 0 units"):
        stats.fit_weibull([], [])
