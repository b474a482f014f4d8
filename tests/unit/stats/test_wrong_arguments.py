"""A wrong argument of a public function of stats is answered in words, never with numpy's own error."""

from __future__ import annotations

import datetime as dt
import inspect
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
BOUGHT = dict(
    frequency=np.array([0, 1, 2, 6, 12, 1]),
    recency=np.array([0.0, 4, 10, 38, 39, 30]),
    T=np.full(6, 39.0),
    weights=np.array([60.0, 12, 10, 6, 3, 6]),
)
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
    "stratified_rate_ratio": (
        stats.stratified_rate_ratio,
        dict(
            events=np.arange(1.0, ROWS + 1),
            exposure=np.ones(ROWS),
            base_events=np.arange(1.0, ROWS + 1),
            base_exposure=np.ones(ROWS),
        ),
    ),
    "count_surge": (
        lambda **k: stats.count_surge(draws=9, seed=1, **k),
        dict(counts=np.arange(1.0, ROWS + 1), expected=np.ones(ROWS)),
    ),
    "share_trend": (
        stats.share_trend,
        dict(successes=np.arange(1.0, ROWS + 1), trials=np.full(ROWS, 100.0), scores=np.arange(float(ROWS))),
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
    "partial_r2": (stats.partial_r2, dict(t=2.0, degrees=12.0)),
    "clustered_proportion_interval": (
        stats.clustered_proportion_interval,
        dict(successes=grp, clusters=np.arange(ROWS) // 3, weights=np.ones(ROWS)),
    ),
    "net_promoter_interval": (
        stats.net_promoter_interval,
        dict(scores=RNG.integers(0, 11, ROWS), clusters=np.arange(ROWS) // 3),
    ),
    "post_stratified_mean": (
        lambda **k: stats.post_stratified_mean(population={0.0: 30, 1.0: 50}, **k),
        dict(values=ages, strata=grp),
    ),
    "overdispersion_test": (
        lambda **k: stats.overdispersion_test(kind="u", **k),
        dict(values=RNG.poisson(5, ROWS).astype(float), sizes=np.ones(ROWS)),
    ),
    "subgroup_limits": (
        lambda **k: stats.subgroup_limits(size=5, spread="range", **k),
        dict(centre=10.0, mean_spread=2.0, sigma_limits=3.0),
    ),
    "subgroup_chart": (
        lambda **k: stats.subgroup_chart(spread="range", **k),
        dict(values=pd.DataFrame(RNG.normal(size=(ROWS, 4)), columns=list("abcd"))),
    ),
    "false_alarms_by_rule": (lambda **k: stats.false_alarms_by_rule(simulations=3, **k), dict(points=5)),
    "signal_performance": (
        lambda **k: stats.signal_performance(chart, seed=1, **k),
        dict(simulations=3, from_point=20, shift=2.0),
    ),
    "fit_weibull_mixture": (
        stats.fit_weibull_mixture,
        dict(durations=np.r_[ages[:20] / 20, ages[20:] + 80], events=np.ones(ROWS), weights=np.ones(ROWS)),
    ),
    "fit_weibull_threshold": (
        stats.fit_weibull_threshold,
        dict(durations=ages, events=ev, resolution=1.0, weights=np.ones(ROWS)),
    ),
    "rank_regression": (
        lambda **k: stats.rank_regression(family="weibull", on="rank", **k),
        dict(durations=ages, events=ev),
    ),
    "proportional_hazards": (lambda **k: stats.proportional_hazards(cox, **k), dict(transform="km")),
    "intermittent_demand": (
        stats.intermittent_demand,
        dict(values=RNG.poisson(0.5, ROWS).astype(float), size_weight=0.1, time_weight=0.2),
    ),
    "mean_cumulative_difference": (
        lambda level: stats.mean_cumulative_difference(mcf, mcf, level=level),
        dict(level=0.9),
    ),
    "backtest_nowcast": (
        lambda **k: stats.backtest_nowcast(draws=5, seed=1, **k),
        dict(delays=np.arange(ROWS) % 3, windows=np.arange(ROWS) % 7 + 2, back=np.array([1, 2])),
    ),
    "purchase_summary": (
        lambda **k: stats.purchase_summary(end="2026-12-31", unit="days", **k),
        dict(
            customers=np.arange(ROWS) % 9,
            dates=pd.date_range("2026-01-01", periods=ROWS, freq="D"),
            values=np.ones(ROWS),
        ),
    ),
    "fit_bgnbd": (stats.fit_bgnbd, BOUGHT),
    "fit_mbgnbd": (stats.fit_mbgnbd, BOUGHT),
    "fit_pareto_nbd": (stats.fit_pareto_nbd, BOUGHT),
    "fit_gamma_gamma": (
        stats.fit_gamma_gamma,
        dict(
            frequency=np.array([1, 2, 1, 3, 2, 1, 4, 2]),
            monetary=np.array([20.0, 35, 60, 30, 45, 25, 40, 90]),
            weights=np.ones(8),
        ),
    ),
    "accelerated_life": (
        stats.accelerated_life,
        dict(durations=ages, events=ev, covariates=cov, entry=np.zeros(ROWS), weights=np.ones(ROWS)),
    ),
    "area_under_curve": (
        stats.area_under_curve,
        dict(scores=ages, outcomes=grp, clusters=np.arange(ROWS) // 2),
    ),
    "cox_exact": (
        stats.cox_exact,
        dict(covariates=cov[["x"]], durations=np.ceil(ages / 8), events=ev, strata=np.arange(ROWS) % 3),
    ),
    "exponential_smoothing": (
        lambda values: stats.exponential_smoothing(values, season=1, horizon=2),
        dict(values=months),
    ),
    "fit_bgbb": (
        stats.fit_bgbb,
        dict(
            frequency=np.array([0, 1, 1, 1, 2, 2, 3]),
            recency=np.array([0, 1, 2, 3, 2, 3, 3]),
            opportunities=np.full(7, 3),
            weights=np.array([40.0, 15, 8, 12, 14, 21, 70]),
        ),
    ),
    "ratio_interval": (stats.ratio_interval, dict(above=ages, below=np.ones(ROWS))),
    "rate_change": (
        stats.rate_change,
        dict(
            groups=np.arange(ROWS),
            events_before=np.ones(ROWS),
            size_before=np.full(ROWS, 9.0),
            events_after=np.ones(ROWS) * 2,
            size_after=np.full(ROWS, 8.0),
        ),
    ),
    "runs_test": (stats.runs_test, dict(values=ages)),
    "standardised_effect": (
        stats.standardised_effect,
        dict(outcome=grp + ages, treated=(np.arange(ROWS) % 2).astype(float), covariates=cov[["x"]]),
    ),
    "life_rows_by_report": (
        lambda **k: stats.life_rows_by_report(delay, **k),
        dict(durations=ages, events=ev, weights=np.ones(ROWS)),
    ),
    "seasonal_model": (
        lambda values: stats.seasonal_model(values, model="seasonal_naive"),
        dict(values=months),
    ),
    "series_changes": (stats.series_changes, dict(values=months)),
    "start_stop_rows": (
        stats.start_stop_rows,
        dict(
            watched=pd.DataFrame({"subject": [1, 2], "start": [0.0, 2.0], "stop": [9.0, 8.0]}),
            changes=pd.DataFrame({"subject": [1, 2], "time": [3.0, 4.0], "load": [1.0, 2.0]}),
            events=pd.DataFrame({"subject": [1, 2], "time": [3.0, 8.0]}),
        ),
    ),
    "surprise_by_dimension": (
        lambda explained, least: stats.surprise_by_dimension(
            {"centre": pd.DataFrame({"expected": [94, 6], "actual": [47, 3]}, index=["X", "Y"])},
            explained=explained,
            least=least,
        ),
        dict(explained=0.6, least=0.1),
    ),
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
    yield "frame", pd.DataFrame({"a": v, "b": v})

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


# Where a value that looks wrong has one right answer.
TEXT = ("text", "text_obj", "timedelta", "td_list")
RIGHT = {
    # a score may lie anywhere
    ("share_trend", "scores"): {"neg"},
    # labels: whatever can be told apart
    **{(f, n): {*TEXT, "nan", "inf", "neg", "none_inside"} for f, n in [("fit_competing_modes", "modes")]},
    **{
        pair: {*TEXT, "inf", "neg"}
        for pair in [
            ("log_rank", "groups"),
            ("aalen_johansen", "causes"),
            ("clustered_proportion_interval", "clusters"),
            ("net_promoter_interval", "clusters"),
            ("purchase_summary", "customers"),
            ("area_under_curve", "clusters"),
            ("cox_exact", "strata"),
            ("rate_change", "groups"),
        ]
    },
    ("localise", "attributes"): {"timedelta", "nan"},
    # one number may stand for all rows
    **{
        (f, n): {"scalar"}
        for f, names in {
            "poisson_interval": "events exposure",
            "rate_ratio_interval": "events exposure base_events base_exposure",
            "rate_ratio_p_value": "events exposure base_events base_exposure",
            "proportion_interval": "successes",
            "proportion_difference_interval": "successes base_successes",
            "control_chart": "sizes",
            "overdispersion_test": "sizes",
            "fit_weibull": "weights",
            "fit_exponential": "weights",
            "fit_lognormal": "weights",
            "fit_competing_modes": "weights",
            "fit_weibull_mixture": "weights",
            "fit_weibull_threshold": "weights",
        }.items()
        for n in names.split()
    },
    # what cannot be tested stays so; any shape; a column that stands alone may be shorter, and lists one value for each that is given
    ("adjust_p_values", "p_values"): {"nan", "none_inside", "short", "empty", "2d", "frame", "scalar"},
    ("backtest_nowcast", "back"): {"short", "scalar"},
    **{
        pair: {"short"}
        for pair in [
            ("forecast_parts", "parts"),
            ("fit_sbg", "alive_counts"),
            ("intermittent_demand", "values"),
            ("net_promoter_interval", "scores"),
            ("subgroup_chart", "values"),
        ]
    },
    **{
        pair: {"short", "neg"}
        for pair in [
            ("forecast", "history"),
            ("exponential_smoothing", "values"),
            ("runs_test", "values"),
            ("seasonal_model", "values"),
            ("series_changes", "values"),
        ]
    },
    # bounds of an age: none below is zero, none above is infinity
    ("fit_weibull_bounds", "lower"): {"nan", "none_inside"},
    ("fit_weibull_bounds", "upper"): {"nan", "none_inside", "inf"},
    # entry before time zero is being there from the start; a cohort whose events lie ahead has reported nothing
    **{(f, "entry"): {"neg"} for f in ("kaplan_meier", "nelson_aalen", "log_rank", "aalen_johansen", "cox")},
    ("nowcast", "windows"): {"neg"},
    # an effect, a contrast, a t value and a measurement may be negative
    **{
        pair: {"neg"}
        for pair in [
            ("doubly_robust", "outcome"),
            ("standardised_effect", "outcome"),
            ("area_under_curve", "scores"),
            ("ratio_interval", "above"),
            ("robustness_value", "t"),
            ("partial_r2", "t"),
            ("confounded_estimate", "estimate"),
            ("post_stratified_mean", "values"),
            ("subgroup_limits", "centre"),
        ]
    },
    ("signal_performance", "shift"): {"neg", "none"},
    ("signal_performance", "from_point"): {"none"},
    ("e_value", "limit"): {"none"},
    ("intermittent_demand", "time_weight"): {"none"},
    # a value that nobody wrote down; the covariate that is set
    ("purchase_summary", "values"): {"nan", "none_inside", "neg", "scalar"},
    ("absolute_difference", "covariates"): {"nan", "short"},
    # a month without value has no change
    ("series_changes", "values"): {"short", "neg", "nan", "none_inside"},
    # nothing changed, or nothing happened
    ("start_stop_rows", "changes"): {"short", "empty", "none"},
    ("start_stop_rows", "events"): {"short", "empty", "none"},
    # the distribution alone
    ("accelerated_life", "covariates"): {"none"},
}


@pytest.mark.parametrize("function", list(GOOD))
def test_wrong_arguments_are_refused_in_words(function):
    """Every usual mistake, or its one right answer: never numpy's own error, and never a number made of nonsense."""
    compute, arguments = GOOD[function]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compute(**arguments)
        bare, answered = [], set()
        for name, value in arguments.items():
            for label, wrong in wrongs(value):
                try:
                    compute(**{**arguments, name: wrong})
                    answered.add((name, label))
                except AnalysisError:
                    pass
                except Exception as error:
                    bare.append(f"{name}[{label}]: {type(error).__name__}: {error}")
    assert bare == []
    allowed = {(name, label) for (f, name), labels in RIGHT.items() if f == function for label in labels}
    assert answered - allowed == set()


def test_every_public_estimator_is_tried():
    public = {name for name in stats.__all__ if inspect.isfunction(getattr(stats, name))}
    assert public - set(GOOD) == set()


# What the calls in GOOD leave to be stated.
STATED: dict[str, dict[str, Any]] = {
    "proportion_interval": dict(method="wilson"),
    "adjust_p_values": dict(method="holm"),
    "control_chart": dict(kind="u"),
    "count_surge": dict(draws=9, seed=1),
    "nowcast": dict(delay=delay, draws=20, seed=1),
    "life_rows_by_report": dict(delay=delay),
    "seasonal_model": dict(model="seasonal_naive"),
    "probability_plot": dict(family="weibull"),
    "forecast": dict(horizon=3, candidates=("seasonal_naive",)),
    "forecast_parts": dict(horizon=3, candidates=("seasonal_naive",)),
    "absolute_difference": dict(fit=cox, name="x", values=(0.0, 1.0)),
    "restricted_mean_difference": dict(first=km, second=km),
    "doubly_robust": dict(repeats=1, folds=2),
    "post_stratified_mean": dict(population={0.0: 30, 1.0: 50}),
    "overdispersion_test": dict(kind="u"),
    "subgroup_limits": dict(size=5, spread="range"),
    "subgroup_chart": dict(spread="range"),
    "false_alarms_by_rule": dict(simulations=3),
    "signal_performance": dict(chart=chart, seed=1),
    "rank_regression": dict(family="weibull", on="rank"),
    "proportional_hazards": dict(fit=cox),
    "mean_cumulative_difference": dict(first=mcf, second=mcf),
    "backtest_nowcast": dict(draws=5, seed=1),
    "purchase_summary": dict(end="2026-12-31", unit="days"),
}


@pytest.mark.parametrize("function", [name for name in GOOD if hasattr(stats, name)])
def test_an_option_that_cannot_be_is_refused_in_words(function):
    estimator = getattr(stats, function)
    fine = STATED.get(function, {}) | GOOD[function][1]
    bare = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, parameter in inspect.signature(estimator).parameters.items():
            kind = str(parameter.annotation)
            words = kind.startswith("Literal") or kind in ("Scale", "Weighting", "ProportionMethod")
            # an int, a float, a model: nothing of this is one; a word that is not on the list is refused too
            must = kind.split(" |")[0] in ("int", "float", "bool", "CoxFit", "SurvivalCurve", "ControlChart")
            for wrong in ("nonsense", [1], -1, float("nan")):
                if name in GOOD[function][1] or (wrong == -1 and must):
                    continue
                try:
                    estimator(**fine | {name: wrong})
                    if must or (words and name != "base"):
                        bare.append(f"{name}={wrong!r} was taken")
                except AnalysisError:
                    pass
                except Exception as error:
                    bare.append(f"{name}={wrong!r}: {type(error).__name__}: {error}")
    assert bare == []


def results() -> dict[str, tuple[Any, dict[str, Any]]]:
    """Public methods of results that take something, with good arguments."""
    weibull = stats.fit_weibull(ages, ev)
    threshold = stats.fit_weibull_threshold(ages, ev, resolution=1.0)
    mixture = stats.fit_weibull_mixture(np.r_[ages[:20] / 20, ages[20:] + 80])
    ahead = stats.forecast(months, horizon=3, candidates=("seasonal_naive",))
    parts = stats.forecast_parts(
        pd.DataFrame({"a": months, "b": months * 2}), horizon=3, candidates=("seasonal_naive",)
    )
    bought = {name: BOUGHT[name] for name in ("frequency", "recency", "T")}
    geometric, pareto = stats.fit_bgnbd(**BOUGHT), stats.fit_pareto_nbd(**BOUGHT)
    values = stats.fit_gamma_gamma([1, 2, 1, 3, 2, 1, 4, 2], [20.0, 35, 60, 30, 45, 25, 40, 90])
    contract = stats.fit_sbg([100, 80, 70, 65])
    effect = stats.doubly_robust(
        grp + RNG.normal(size=ROWS), (np.arange(ROWS) % 2), cov[["x"]], repeats=1, folds=2
    )
    ahead_of = np.full(6, 10.0)
    some = np.array([1.0, 2.0, 5.0])
    return {
        "SurvivalCurve.at": (km.at, dict(times=some)),
        "SurvivalCurve.quantile": (km.quantile, dict(share=0.5)),
        "SurvivalCurve.restricted_mean": (km.restricted_mean, dict(limit=5.0)),
        "CumulativeIncidence.at": (stats.aalen_johansen(ages, ev.astype(int)).at, dict(times=some)),
        "CoxFit.survival": (cox.survival, dict(covariates=cov, times=some)),
        "WeibullFit.survival": (weibull.survival, dict(age=some)),
        "WeibullFit.hazard": (weibull.hazard, dict(age=some)),
        "WeibullFit.cumulative_hazard": (weibull.cumulative_hazard, dict(age=some)),
        "WeibullFit.conditional_failure_share": (
            weibull.conditional_failure_share,
            dict(age=some, later=some + 1),
        ),
        "WeibullFit.b_life": (weibull.b_life, dict(share=0.1, level=0.9)),
        "WeibullFit.failure_share": (weibull.failure_share, dict(age=3.0, level=0.9)),
        "WeibullFit.shape_interval": (weibull.shape_interval, dict(level=0.9)),
        "ThresholdWeibullFit.survival": (threshold.survival, dict(age=some)),
        "MixtureFit.survival": (mixture.survival, dict(age=some)),
        "WeibullFit.from_parameters": (stats.WeibullFit.from_parameters, dict(shape=1.5, scale=9.0)),
        "MixtureFit.from_parameters": (
            stats.MixtureFit.from_parameters,
            dict(shares=np.array([0.4, 0.6]), shapes=np.ones(2), scales=np.array([2.0, 9.0])),
        ),
        "GeometricModel.from_parameters": (
            stats.GeometricModel.from_parameters,
            dict(r=0.2, alpha=4.0, a=0.8, b=2.4),
        ),
        "MixtureFit.b_life": (mixture.b_life, dict(share=0.1, level=0.9)),
        "Forecast.interval": (ahead.interval, dict(level=0.9)),
        "Forecast.total": (ahead.total, dict(already=1.0)),
        "Forecast.probability_above": (ahead.probability_above, dict(threshold=1.0, already=1.0)),
        "ReconciledForecast.total": (parts.total, dict(part="a", already=1.0)),
        "ReconciledForecast.probability_above": (parts.probability_above, dict(threshold=1.0, part="a")),
        "GeometricModel.probability_alive": (geometric.probability_alive, bought),
        "GeometricModel.expected_purchases": (geometric.expected_purchases, dict(t=ahead_of) | bought),
        "GeometricModel.expected_purchases_of_new": (geometric.expected_purchases_of_new, dict(t=some)),
        "GeometricModel.purchase_distribution": (geometric.purchase_distribution, dict(t=some, most=3)),
        "ParetoModel.probability_alive": (pareto.probability_alive, bought),
        "ParetoModel.expected_purchases": (pareto.expected_purchases, dict(t=ahead_of) | bought),
        "ParetoModel.expected_purchases_of_new": (pareto.expected_purchases_of_new, dict(t=some)),
        "GammaGammaModel.expected_value": (
            values.expected_value,
            dict(frequency=np.array([1, 2]), monetary=np.array([20.0, 30.0])),
        ),
        "ContractModel.survival": (contract.survival, dict(renewals=some)),
        "ContractModel.retention": (contract.retention, dict(renewal=some)),
        "ContractModel.residual_lifetime": (
            contract.residual_lifetime,
            dict(renewals=some, discount=0.1, horizon=3),
        ),
        "MeanCumulativeFunction.at": (mcf.at, dict(age=some)),
        "ReportingDelay.completeness": (delay.completeness, dict(window=some)),
        "DoublyRobust.effect_by": (effect.effect_by, dict(groups=grp)),
        "Interval.scaled": (stats.poisson_interval(3, 10).scaled, dict(factor=1000.0)),
    }


# Methods whose answer is for each value by itself: fewer values, another shape or one value for all are no mistake.
BY_VALUE = {"short", "empty", "scalar", "2d", "frame"}
# Amounts, and times before anything can have happened; beyond all that was seen nothing is known, or everything is reported; groups are labels.
MEANT = {
    **{
        f"{kind}.{name}": {"neg"}
        for kind in ("Forecast", "ReconciledForecast")
        for name in ("already", "threshold")
    },
    "ReconciledForecast.part": {"none"},
    "MeanCumulativeFunction.age": {"neg", "inf"},
    "SurvivalCurve.times": {"inf"},
    "CumulativeIncidence.times": {"inf"},
    "CoxFit.times": {"inf"},
    "ReportingDelay.window": {"neg", "inf"},
    "DoublyRobust.groups": {*TEXT, "inf", "neg"},
    "ContractModel.horizon": {"none"},
    "ContractModel.discount": {"neg"},
}


def test_methods_of_results_refuse_in_words_too():
    problems = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for method, (call, arguments) in results().items():
            call(**arguments)
            for name, value in arguments.items():
                for label, wrong in wrongs(value):
                    try:
                        call(**arguments | {name: wrong})
                    except AnalysisError:
                        continue
                    except Exception as error:
                        problems.append(f"{method} {name}[{label}]: {type(error).__name__}: {error}")
                        continue
                    if label not in BY_VALUE | MEANT.get(f"{method.split('.')[0]}.{name}", set()):
                        problems.append(f"{method} {name}[{label}] was answered")
    assert problems == []


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
