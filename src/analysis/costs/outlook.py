"""The next twelve months of cost: by category and in total, with the backtest, and the chance of exceeding the year's budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from analysis.errors import AnalysisError, MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.periods import Month, months_between
from analysis.results import Fact, Finding, Interval, Sentence

if TYPE_CHECKING:
    import pandas as pd

HORIZON = 12
LEAST_MONTHS = 30
CANDIDATES = ("seasonal_naive", "level", "ets", "sarimax", "log_ets")
SEED = 20_261_031
BUDGET_LINE = 0.5


@dataclass(frozen=True, kw_only=True, eq=False)
class Backtest:
    """How one candidate did on the past of the total."""

    candidate: str
    chosen: bool
    mase: Fact
    coverage: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class YearOutlook:
    """The year as it is heading: booked so far and expected, against the year's budget."""

    booked: Fact
    expected: Fact
    budget: Fact
    chance_over: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Outlook:
    """Forecast facts by month, by category over the horizon, the backtest, last year's forecast beside the actual months."""

    total: tuple[tuple[Month, Fact], ...]
    sums: Mapping[str, Fact]
    backtest: tuple[Backtest, ...]
    last_forecast: tuple[tuple[Month, Fact, Fact], ...]
    year: YearOutlook | None
    unusual: tuple[tuple[Month, Fact, Fact], ...]


def outlook_of(inputs: StudyInputs) -> Outlook | MissingData:
    """Forecast the ledger twelve months ahead; candidates and intervals are judged on the ledger's own past."""
    from analysis.stats.forecasting import forecast_parts

    history = _history(inputs)
    if len(history) < LEAST_MONTHS:
        return MissingData("ledger", message=f"not computed: {len(history)} months of cost; a forecast with a backtest needs {LEAST_MONTHS}")
    try:
        ahead = forecast_parts(history, horizon=HORIZON, level=inputs.confidence, candidates=CANDIDATES, seed=SEED)
        before = forecast_parts(history.iloc[:-1], horizon=1, level=inputs.confidence, candidates=("ets", "level"), seed=SEED)
    except AnalysisError as error:
        return MissingData("ledger", message=f"not computed: {error}")
    engine, month = inputs.engine, inputs.month
    base = ahead.base["total"]

    def estimate(metric: str, value: float, low: float, high: float, *, period: object, **place: str) -> Fact:
        return engine.stated(
            metric, period=str(period), value=_money(value), dimensions=place, sources=("ledger",), n=len(history),
            interval=Interval(low=low, high=high, level=inputs.confidence, method=f"{base.candidate}, widened by its backtest"),
        )

    table = ahead.table[ahead.table["part"] == "total"].reset_index(drop=True)
    total = tuple(
        (month + step + 1, estimate("forecast_cost", row.point, row.low, row.high, period=month + step + 1))
        for step, row in enumerate(table.itertuples())
    )
    span = Period(month + 1, month + HORIZON)
    sums = {name: estimate("forecast_cost", *ahead.total(name), period=span, category=name) for name in [*history.columns, "total"]}
    backtest = tuple(
        Backtest(
            candidate=row.candidate, chosen=bool(row.chosen),
            mase=engine.stated("backtest_mase", period=month, value=float(row.mase), dimensions={"candidate": row.candidate}, sources=("ledger",), n=int(row.errors_scored)),
            coverage=engine.stated("backtest_coverage", period=month, value=float(row.coverage), dimensions={"candidate": row.candidate}, sources=("ledger",), n=int(row.errors_scored)),
        )
        for row in base.backtest.sort_values("mase", kind="stable").itertuples()
        if row.mase == row.mase
    )
    one = before.table[before.table["part"] == "total"].iloc[0]
    last = (month, estimate("last_forecast_cost", one["point"], one["low"], one["high"], period=month), engine.fact("after_sales_cost", period=month))
    return Outlook(total=total, sums=sums, backtest=backtest, last_forecast=(last,), year=_year(inputs, base), unusual=_unusual(inputs, history))


def _history(inputs: StudyInputs) -> pd.DataFrame:
    """Cost by month in yuan as floats, at most five years: the two largest categories and the rest; a month without a posting is zero.

    Finer parts were tried and dropped: a category with one past surge fails its backtest, its interval is widened tenfold and reaches far below zero.
    """
    import pandas as pd

    frame = inputs.engine.aggregate("incurred_cost", by=("category",), period=Period(inputs.month - 59, inputs.month))
    frame = frame[frame["incurred_cost"].notna()]
    wide = frame.assign(amount=frame["incurred_cost"].astype(float)).pivot_table(index="month", columns="category", values="amount", aggfunc="sum")
    if not len(wide) or wide.index[-1] != str(inputs.month):
        return wide.iloc[:0]
    wide = wide.reindex([str(each) for each in months_between(Month.parse(wide.index[0]), inputs.month)]).fillna(0.0)
    large = wide.sum().sort_values(ascending=False, kind="stable").index[:2]
    rest = wide.drop(columns=large).sum(axis=1)
    return wide[list(large)].assign(remaining=rest).set_axis(pd.PeriodIndex(wide.index, freq="M"))


def _year(inputs: StudyInputs, ahead: object) -> YearOutlook | None:
    """Booked months of the calendar year plus the forecast of the rest, against the budget of all twelve months.

    The total's own forecast is used, not the reconciled one: how finely the ledger is cut into parts changes the width of the reconciled interval
    (on the sample company enough to turn "may exceed" into "will exceed"), and an alert must not hang on that choice.
    """
    engine, month = inputs.engine, inputs.month
    year = Period(Month(month.year, 1), Month(month.year, 12))
    budget = engine.fact("budget_cost", period=year)
    frame = engine.aggregate("budgeted_cost", period=year) if budget.value is not None else None
    left = 12 - month.number
    if frame is None or len(set(frame["month"])) < 12 or left == 0:
        return None
    booked = engine.fact("after_sales_cost", period=Period(Month(month.year, 1), month))
    if booked.value is None:
        return None
    so_far = float(booked.value)
    value, low, high = ahead.total(slice(0, left), already=so_far)  # type: ignore[attr-defined]
    chance = ahead.probability_above(float(budget.value), slice(0, left), already=so_far)  # type: ignore[attr-defined, arg-type]
    expected = engine.stated(
        "year_cost_expected", period=year, value=_money(value), sources=("ledger",),
        interval=Interval(low=low, high=high, level=inputs.confidence, method="booked months and simulated futures"), n=len(_history(inputs)),
    )
    return YearOutlook(
        booked=booked, expected=expected, budget=budget,
        chance_over=engine.stated("budget_exceeded_chance", period=year, value=chance, sources=("ledger", "budget"), n=len(_history(inputs))),
    )


def _unusual(inputs: StudyInputs, history: pd.DataFrame) -> tuple[tuple[Month, Fact, Fact], ...]:
    """Months of the last two years outside three standard deviations of trend and season, with the category that drove each."""
    import numpy as np

    engine = inputs.engine
    values = np.log(history.sum(axis=1).to_numpy())
    time = np.arange(len(values), dtype=float)
    angle = 2 * np.pi * np.array([period.month for period in history.index]) / 12
    design = np.column_stack([np.ones(len(values)), time - time.mean(), np.sin(angle), np.cos(angle)])
    found = []
    shares = []
    for column in ["total", *history.columns]:
        series = history.sum(axis=1) if column == "total" else history[column]
        fitted = _robust(design, series.to_numpy())
        shares.append((column, series.to_numpy() - fitted))
    gap = shares[0][1]
    spread = 1.4826 * float(np.median(np.abs(gap - np.median(gap))))
    for place in range(max(0, len(values) - 24), len(values)):
        if spread and abs(gap[place]) > 3 * spread:
            driver, extra = max(((name, part[place]) for name, part in shares[1:]), key=lambda entry: entry[1] * np.sign(gap[place]))
            month = Month.parse(str(history.index[place]))
            found.append(
                (
                    month,
                    engine.stated("unusual_cost", period=month, value=_money(float(gap[place])), sources=("ledger",)),
                    engine.stated("unusual_cost", period=month, value=_money(float(extra)), dimensions={"category": str(driver)}, sources=("ledger",)),
                )
            )
    return tuple(found)


def _robust(design, values):  # type: ignore[no-untyped-def]
    """Least absolute deviations by reweighting, so that the month that stands out does not pull its own expectation."""
    import numpy as np

    weights = np.ones(len(values))
    for _ in range(30):
        root = np.sqrt(weights)[:, None]
        coefficients = np.linalg.lstsq(design * root, values * root[:, 0], rcond=None)[0]
        residuals = np.abs(values - design @ coefficients)
        weights = 1 / np.maximum(residuals, 1e-6 * np.abs(values).max() + 1e-12)
    return design @ coefficients


def _money(value: float) -> Decimal:
    return Decimal(str(round(value, 2))).quantize(Decimal("0.01"))


def outlook_findings(outlook: Outlook | MissingData) -> list[Finding]:
    """The year heading over its budget. Never an alert: the interval leaves out the uncertainty of the model's own parameters."""
    if isinstance(outlook, MissingData) or outlook.year is None:
        return []
    year = outlook.year
    interval = year.expected.interval
    if interval is None or float(year.chance_over.value or 0) < BUDGET_LINE:
        return []
    certain = interval.low > float(year.budget.value or 0)
    template = (
        "The year is likely to exceed its budget of {budget}: {expected} expected ({expected:interval}); {chance} of the simulated futures exceed it."
        if certain else "The year may exceed its budget of {budget}: {expected} expected ({expected:interval}); {chance} of the simulated futures exceed it, which could be noise."
    )
    return [
        Finding(
            id="costs.year_over_budget", section="costs", severity="watch" if certain else "info", rank=float(year.expected.value or 0) - float(year.budget.value or 0),
            statement=Sentence(template, {"budget": year.budget, "expected": year.expected, "chance": year.chance_over}),
            method="Booked months of the year plus simulated futures of the total's own forecast; the uncertainty of its parameters is not in the interval",
        )
    ]


def category_label(inputs: StudyInputs, name: str) -> Text:
    """Name of a forecast part."""
    if name == "total":
        return Text(en="Total", zh="合计")
    if name == "remaining":
        return Text(en="All other categories", zh="其余类别")
    return inputs.engine.registry.value_label("category", name)
