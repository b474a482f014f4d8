"""The next twelve months of cost: by category and in total, with the backtest, and the chance of exceeding the year's budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from analysis.costs.demand_facts import passing_share
from analysis.costs.figures import amount_of, rows_of
from analysis.costs.hindsight import REMAINING, TOTAL, Hindsight, NoHindsight, hindsight_of
from analysis.costs.signals_facts import account_name
from analysis.costs.unusual import UnusualMonth, elasticity_of, unusual_months
from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import (
    NotDone,
    Period,
    Stating,
    StudyInputs,
    cents,
    likelihood,
    materiality,
    traced,
    traced_once,
)
from analysis.periods import Month, months_between
from analysis.results import Fact, Finding, Interval, Sentence, Stake
from analysis.stats.forecasting import Forecast, ReconciledForecast, forecast, forecast_parts
from analysis.stats.intervals import proportion_interval
from analysis.summaries import Summarised

HORIZON = 12
LEAST_MONTHS = 30
REFITS = 25
CANDIDATES = ("seasonal_naive", "level", "ets", "sarimax", "log_ets", "intermittent", "seasonal_shares")
SEED = 20_261_031
EXPECTED = "regression on tickets, trend and season, t"


@dataclass(frozen=True, kw_only=True, eq=False)
class CandidateBacktest(Summarised):
    """How one candidate did on the past of the total."""

    candidate: str
    chosen: bool
    mase: Fact
    coverage: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class YearOutlook(Summarised):
    """The year as it is heading: booked so far and expected, against the year's budget."""

    booked: Fact
    expected: Fact
    budget: Fact
    chance_over: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Unusual(Summarised):
    """A month in which the total or a category lay outside its limits, and the slice that drove it."""

    month: Month
    series: Text
    cost: Fact
    gap: Fact
    low: Fact
    high: Fact
    driver: Text
    part: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Outlook(Summarised):
    """Forecast facts by month and category, over the horizon, the backtest, what the last edition forecast, unusual months.

    ``again``: this month as the method would have forecast it a month ago, and its cost; only where no edition's forecast can be held
    against it.
    """

    total: tuple[tuple[Month, Fact], ...]
    parts: tuple[Fact, ...]
    sums: Mapping[str, Fact]
    backtest: tuple[CandidateBacktest, ...]
    hindsight: Hindsight | NoHindsight
    again: tuple[Fact, Fact] | None
    year: YearOutlook | None
    unusual: tuple[Unusual, ...]


@traced
def outlook_of(inputs: StudyInputs) -> Outlook:
    """Forecast the ledger twelve months ahead; candidates and intervals are judged on the ledger's own past.

    Raises
    ------
    MissingData, FitError
        With fewer than thirty months of cost, or where no candidate fits.
    """
    months, history, unusual, ahead = _projected(inputs)
    whole, base = history.sum(axis=1), ahead.base[TOTAL]
    hindsight = hindsight_of(inputs)
    names = [str(name) for name in history.columns]
    return Outlook(
        total=tuple(_monthly(inputs, ahead, base, len(history), TOTAL)),
        parts=tuple(fact for name in names for _, fact in _monthly(inputs, ahead, base, len(history), name)),
        sums={name: _sum_ahead(inputs, ahead, base, len(history), name) for name in (*names, TOTAL)},
        backtest=_backtest(inputs, base),
        hindsight=hindsight,
        again=_again(inputs, whole, base) if isinstance(hindsight, NoHindsight) else None,
        year=_year(inputs, ahead, len(history)),
        unusual=tuple(
            _driven(inputs, found, Month.parse(str(history.index[found.place])), months) for found in unusual
        ),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class CostProjection(Summarised):
    """The twelve months ahead as every section of the report uses them: the printed sum, and its simulated futures."""

    total: Fact
    draws: np.ndarray


@traced
def cost_projection(inputs: StudyInputs) -> CostProjection:
    """The one projection of cost: chart, year, budget by tier, break-even and what-ifs read it.

    Raises
    ------
    MissingData, FitError
        As :func:`outlook_of`.
    """
    _, history, _, ahead = _projected(inputs)
    return CostProjection(
        total=_sum_ahead(inputs, ahead, ahead.base[TOTAL], len(history), TOTAL),
        draws=ahead.draws[TOTAL].sum(axis=1),
    )


@traced_once
def _projected(
    inputs: StudyInputs,
) -> tuple[pd.DataFrame, pd.DataFrame, list[UnusualMonth], ReconciledForecast]:
    """Cost by month and category, by month and part, the unusual months, and the parts with their total ahead."""
    inputs.require_whole_month()
    months = _months(inputs)
    history = _parts(inputs, months)
    if len(history) < LEAST_MONTHS:
        raise MissingData(
            "ledger",
            message="{months} months of cost; a forecast with a backtest needs {least}",
            months=len(history),
            least=LEAST_MONTHS,
        )
    unusual = _unusual(inputs, months)
    usual = _without_passing(inputs, _usual(history, unusual, months))
    return months, history, unusual, _ahead(usual, inputs.confidence)


@traced
def _ahead(history: pd.DataFrame, confidence: float) -> ReconciledForecast:
    """Every part and their total, reconciled, over the horizon, with the uncertainty of the total's parameters and of its choice."""
    return forecast_parts(
        history, horizon=HORIZON, level=confidence, candidates=CANDIDATES, seed=SEED, refits=REFITS
    )


def _estimate(
    inputs: StudyInputs,
    metric: str,
    limits: tuple[float, float, float],
    base: Forecast,
    months: int,
    period: Month | Period,
    **place: Any,
) -> Fact:
    """A forecast of money from its point, low and high."""
    value, low, high = (float(each) for each in limits)
    method = f"{base.candidate}, widened by its backtest"
    interval = Interval(low=low, high=high, level=inputs.confidence, method=method)
    return Stating(inputs=inputs).exact(
        metric, cents(value), period=period, parts={"n": months, "interval": interval}, **place
    )


@traced
def _monthly(
    inputs: StudyInputs, ahead: ReconciledForecast, base: Forecast, months: int, part: str
) -> list[tuple[Month, Fact]]:
    """The months ahead of the total or of one part."""
    table = ahead.table[ahead.table["part"] == part]
    place = {} if part == TOTAL else {"category": part}
    found = []
    for step, *limits in table[["step", "point", "low", "high"]].itertuples(index=False):
        when = inputs.month + int(step)
        point, low, high = limits
        found.append(
            (when, _estimate(inputs, "forecast_cost", (point, low, high), base, months, when, **place))
        )
    return found


@traced
def _sum_ahead(
    inputs: StudyInputs, ahead: ReconciledForecast, base: Forecast, months: int, part: str
) -> Fact:
    """The whole horizon of the total or of one part."""
    span = Period(inputs.month + 1, inputs.month + HORIZON)
    return _estimate(inputs, "forecast_cost", ahead.total(part), base, months, span, category=part)


@traced
def _again(inputs: StudyInputs, whole: pd.Series, base: Forecast) -> tuple[Fact, Fact]:
    """This month as the method would have forecast it a month ago, and its cost."""
    before = forecast(
        whole.iloc[:-1], horizon=1, level=inputs.confidence, candidates=[base.candidate], seed=SEED
    )
    point, low, high = (float(before.table[name].iloc[0]) for name in ("point", "low", "high"))
    return (
        _estimate(inputs, "last_forecast_cost", (point, low, high), base, len(whole), inputs.month),
        inputs.engine.fact("after_sales_cost", period=inputs.month),
    )


@traced
def _backtest(inputs: StudyInputs, base: Forecast) -> tuple[CandidateBacktest, ...]:
    def fact(metric: str, row: Mapping[str, Any], limits: Interval) -> Fact:
        return inputs.engine.stated(
            metric,
            period=inputs.month,
            value=float(row[metric.removeprefix("backtest_")]),
            dimensions={"candidate": str(row["candidate"])},
            interval=limits,
            n=int(row["origins"]),
        )

    scored = base.backtest[base.backtest["mase"].notna()].sort_values("mase", kind="stable")
    apart = origins_apart(base.backtest_errors) if len(scored) else 0
    return tuple(
        CandidateBacktest(
            candidate=str(row["candidate"]),
            chosen=bool(row["chosen"]),
            mase=fact("backtest_mase", row, mase_limits(row["mase"], apart, inputs.confidence)),
            coverage=fact(
                "backtest_coverage", row, coverage_limits(row["coverage"], apart, inputs.confidence)
            ),
        )
        for row in rows_of(scored)
    )


def origins_apart(errors: pd.DataFrame) -> int:
    """How many of the backtest's origins forecast no month of each other's; errors of one origin count as one."""
    return 1 + int(errors["origin"].max() - errors["origin"].min()) // int(errors["step"].max())


def coverage_limits(coverage: float, apart: int, confidence: float) -> Interval:
    """Wilson's limits of a share of that many trials."""
    found = proportion_interval(coverage * apart, apart, method="wilson", level=confidence)
    method = f"Wilson, origins that do not overlap: {apart}"
    return Interval(low=float(found.low), high=float(found.high), level=confidence, method=method)


def mase_limits(mase: float, apart: int, confidence: float) -> Interval:
    """Limits of a mean of that many absolute errors, normal errors: their standard deviation is the root of π ÷ 2 − 1 of their mean."""
    reach = float(np.exp(ndtri((1 + confidence) / 2) * np.sqrt((np.pi / 2 - 1) / apart)))
    method = f"mean absolute error, log-normal, origins that do not overlap: {apart}"
    return Interval(low=mase / reach, high=mase * reach, level=confidence, method=method)


@traced
def _months(inputs: StudyInputs) -> pd.DataFrame:
    """Cost by month (rows, at most five years) and category as floats; a month without a posting is zero, an unfinished history is empty."""
    frame = inputs.engine.aggregate(
        "incurred_cost", by=("category",), period=Period(inputs.month - 59, inputs.month)
    )
    frame = frame[frame["incurred_cost"].notna()]
    wide = frame.assign(amount=frame["incurred_cost"].astype(float)).pivot_table(
        index="month", columns="category", values="amount", aggfunc="sum"
    )
    if not len(wide) or wide.index[-1] != str(inputs.month):
        return wide.iloc[:0]
    wide = wide.reindex(
        [str(each) for each in months_between(Month.parse(wide.index[0]), inputs.month)]
    ).fillna(0.0)
    return wide.set_axis(pd.PeriodIndex(wide.index, freq="M"))


@traced
def _parts(inputs: StudyInputs, months: pd.DataFrame) -> pd.DataFrame:
    """Every material category, and the rest together.

    Material is a category that held at least ``forecast_material_share`` of the cost of these months: the choice is made by size, never by
    how a forecast came out.
    """
    share = float(inputs.assumptions.value("forecast_material_share", on=inputs.month.last_day))
    sums = months.sum().sort_values(ascending=False, kind="stable")
    large = list(sums.index[sums >= share * sums.sum()])
    return (
        months[large]
        if len(large) == len(sums)
        else months[large].assign(**{REMAINING: months.drop(columns=large).sum(axis=1)})
    )


@traced
def _usual(parts: pd.DataFrame, unusual: list[UnusualMonth], months: pd.DataFrame) -> pd.DataFrame:
    """The parts with each unusual month of a category at what was expected of it: one surge is not a season."""
    gaps = {name: parts[name].to_numpy(float) * 0.0 for name in parts.columns}
    for found in unusual:
        if found.series in months.columns:
            gaps[found.series if found.series in gaps else REMAINING][found.place] += found.gap
    return parts.assign(**{str(name): parts[name] - gap for name, gap in gaps.items()})


@traced
def _without_passing(inputs: StudyInputs, parts: pd.DataFrame) -> pd.DataFrame:
    """The parts with the months of a surge of service orders that is over at what they would have cost without it: it is no season.

    Each part follows service orders with its own elasticity, between none and one, seen in the months without a surge.
    """
    passing = {str(month): share for month, share in passing_share(inputs).items()}
    months = [str(each) for each in parts.index]
    shares = np.array([passing.get(month, 0.0) for month in months])
    if not shares.any():
        return parts
    frame = inputs.engine.aggregate(
        "service_orders", period=Period(Month.parse(months[0]), Month.parse(months[-1]))
    )
    tickets = frame.set_index("month")["service_orders"].reindex(months).to_numpy(dtype=float)
    if not (tickets > 0).all():
        return parts
    return parts.assign(
        **{
            str(name): part * (1 - shares) ** elasticity_of(part.to_numpy(float), tickets, kept=shares == 0)
            for name, part in parts.items()
        }
    )


@traced
def _year(inputs: StudyInputs, ahead: ReconciledForecast, months: int) -> YearOutlook | None:
    """Booked months of the company's year plus the forecast months of the chart, against the budget of all twelve months."""
    engine, month, year = inputs.engine, inputs.month, inputs.company_year
    budget = engine.fact("budget_cost", period=year)
    frame = engine.aggregate("budgeted_cost", period=year) if budget.value is not None else None
    left = year.last.months_since(month)
    if frame is None or len(set(frame["month"])) < 12 or left == 0:
        return None
    booked = engine.fact("after_sales_cost", period=Period(year.first, month))
    if booked.value is None:
        return None
    so_far = float(amount_of(booked))
    value, low, high = ahead.total(TOTAL, slice(0, left), already=so_far)
    futures = so_far + ahead.draws[TOTAL][:, :left].sum(axis=1)
    over = int((futures > float(amount_of(budget))).sum())
    expected = engine.stated(
        "year_cost_expected",
        period=year,
        value=cents(value),
        interval=Interval(
            low=low,
            high=high,
            level=inputs.confidence,
            method=f"booked months and {len(futures):,} simulated futures",
        ),
        n=months,
    )
    return YearOutlook(
        booked=booked,
        expected=expected,
        budget=budget,
        chance_over=Stating(inputs=inputs).chance("budget_exceeded_chance", over, len(futures), period=year),
    )


@traced
def _unusual(inputs: StudyInputs, costs: pd.DataFrame) -> list[UnusualMonth]:
    """Months of the last two years outside their limits, for the total and each category; see `unusual_months`."""
    months = [str(period) for period in costs.index]
    try:
        frame = inputs.engine.aggregate(
            "service_orders", period=Period(Month.parse(months[0]), Month.parse(months[-1]))
        )
    except MissingData:
        return []
    tickets = frame.set_index("month")["service_orders"].reindex(months).to_numpy(dtype=float)
    if not (tickets > 0).all():
        return []
    series = {TOTAL: costs.sum(axis=1).to_numpy(float)} | {
        str(name): costs[name].to_numpy(float) for name in costs.columns
    }
    level = float(inputs.assumptions.value("unusual_month_error_rate", on=inputs.month.last_day))
    return unusual_months(series, tickets, within=24, level=level)


@traced
def _driven(inputs: StudyInputs, found: UnusualMonth, month: Month, costs: pd.DataFrame) -> Unusual:
    """The unusual month with the slice whose share of the gap is largest: a category of the total, an account of a category."""
    place = {"category": found.series}
    driver, part, share = _largest_part(inputs, found, month, costs)
    least, most = (found.expected - limit for limit in reversed(found.expected_limits(inputs.confidence)))

    def fact(metric: str, value: float, **more: str) -> Fact:
        return inputs.engine.stated(metric, period=month, value=cents(value), dimensions=place | more)

    def gap(value: float, part: float, **more: str) -> Fact:
        limits = Interval.spanning(
            low=value + least * part, high=value + most * part, level=inputs.confidence, method=EXPECTED
        )
        return inputs.engine.stated(
            "unusual_cost",
            period=month,
            value=cents(value),
            dimensions=place | more,
            interval=limits,
            n=len(costs),
        )

    return Unusual(
        month=month,
        series=category_label(inputs, found.series),
        cost=inputs.engine.fact(
            "after_sales_cost", period=month, dimensions={} if found.series == TOTAL else place
        ),
        gap=gap(found.gap, 1.0),
        low=fact("unusual_limit", found.low, limit="low"),
        high=fact("unusual_limit", found.high, limit="high"),
        driver=driver[1],
        part=gap(part, share, driver=driver[0]),
    )


@traced
def _largest_part(
    inputs: StudyInputs, found: UnusualMonth, month: Month, costs: pd.DataFrame
) -> tuple[tuple[str, Text], float, float]:
    """Each slice against its usual share of the expected cost; the one that moved most in the gap's direction, by how much, and its share."""
    if found.series == TOTAL:
        usual = costs.sum() / costs.to_numpy().sum()
        gaps = {
            str(name): float(costs[name].iloc[found.place]) - found.expected * float(usual[name])
            for name in costs.columns
        }
        name = max(gaps, key=lambda each: (gaps[each] * found.gap, each))
        return (name, category_label(inputs, name)), gaps[name], float(usual[name])
    frame = inputs.engine.aggregate(
        "incurred_cost", by=("category", "account"), period=Period(month - 23, inputs.month)
    )
    frame = frame[frame["incurred_cost"].notna()]
    amounts = frame[frame["category"] == found.series].assign(
        amount=lambda rows: rows["incurred_cost"].astype(float)
    )
    sums = amounts.groupby("account")["amount"].sum()
    now = (
        amounts[amounts["month"] == str(month)]
        .groupby("account")["amount"]
        .sum()
        .reindex(sums.index)
        .fillna(0.0)
    )
    moved = now - found.expected * sums / sums.sum()
    account = str((moved * found.gap).sort_values(ascending=False, kind="stable").index[0])
    return (account, account_name(inputs, account)), float(moved[account]), float(sums[account] / sums.sum())


def _over(year: YearOutlook) -> Stake:
    """What the year is expected to be over its budget, with the limits of that."""
    assert year.expected.interval is not None
    budget, limits = float(year.budget.value or 0), year.expected.interval
    return Stake(
        amount=float(year.expected.value or 0) - budget, low=limits.low - budget, high=limits.high - budget
    )


def outlook_findings(inputs: StudyInputs, outlook: Outlook | NotDone) -> list[Finding]:
    """The year heading over its budget, by the money and by how sure it is."""
    if isinstance(outlook, NotDone) or outlook.year is None:
        return []
    year = outlook.year
    interval = year.expected.interval
    watched = inputs.assumptions.value("budget_chance_watched", on=inputs.month.last_day)
    if interval is None or float(year.chance_over.value or 0) < watched:
        return []
    stake = _over(year)
    return [
        Finding(
            id="costs.year_over_budget",
            section="costs",
            severity=materiality(inputs).severity(stake),
            ground="loss",
            stake=stake,
            evidence=_forecast_rows(outlook),
            rank=stake.amount,
            statement=Sentence(
                "The year is {likelihood} to exceed its budget of {budget}: {expected} expected ({expected:interval}); {chance} of {chance:n} simulated futures{chance:doubt} exceed it. That interval is only of the number of simulations, not of the model.",
                {
                    "likelihood": likelihood(inputs).word(year.chance_over),
                    "budget": year.budget,
                    "expected": year.expected,
                    "chance": year.chance_over,
                },
            ),
            method="Booked months of the year plus simulated futures of the forecast; intervals widened by the backtest, parameters fitted anew on resampled histories, the choice among models let in",
        )
    ]


@traced
def _forecast_rows(outlook: Outlook) -> pd.DataFrame:
    """The months ahead with their limits."""
    return pd.DataFrame(
        [
            (
                str(month),
                fact.value,
                fact.interval.low if fact.interval else None,
                fact.interval.high if fact.interval else None,
            )
            for month, fact in outlook.total
        ],
        columns=["month", "forecast", "low", "high"],
    )


def category_label(inputs: StudyInputs, name: str) -> Text:
    """Name of a forecast part."""
    if name == TOTAL:
        return Text.of("Total")
    if name == REMAINING:
        return Text.of("All other categories")
    return inputs.engine.registry.value_label("category", name)
