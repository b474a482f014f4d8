"""Claims to come on machines under warranty, for a provision: lighter than the whole study."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.errors import MissingData
from analysis.failures import forecasting, lives, money, reporting
from analysis.failures.baseline import Baseline
from analysis.failures.field import Field
from analysis.failures.forecasting import Forecast
from analysis.failures.forecasting_facts import remaining_warranty
from analysis.failures.money import Prices, UnitCost
from analysis.metrics import NotDone, StudyInputs, traced
from analysis.results import Fact
from analysis.summaries import Summarised


@dataclass(frozen=True, kw_only=True, eq=False)
class ClaimsForecast(Summarised):
    """Direct cost of failures under warranty to come, for a provision.

    Attributes
    ----------
    rows : one row per ``product_line`` and ``month`` ahead: ``failures`` (expected), ``cost`` (direct, currency, expected, float), ``low`` and ``high``, and
        ``full`` (the cost with the hours of own staff; missing where there are none).
    draws : the whole sum of the horizon under the model's uncertainty (counts, month scatter, level, cost per failure), one value per draw.
    counts : the failures of the same draws.
    level : coverage of the intervals.
    remaining : failures and direct cost of the warranty that is left, as the failure section states them, whatever ``months`` are asked for.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from analysis import failures
    >>> rows = pd.DataFrame({"product_line": ["a"], "month": ["2026-11"], "failures": [2.0], "cost": [500.0], "low": [0.0], "high": [1500.0], "full": [900.0]})
    >>> failures.ClaimsForecast(rows=rows, draws=np.array([400.0, 600.0]), counts=np.array([1, 2]), level=0.95)
    ClaimsForecast(rows=table, 1 rows x 7 columns, draws=[400, 600], counts=[1, 2], level=0.95, remaining=none)
    """

    rows: pd.DataFrame
    draws: np.ndarray
    counts: np.ndarray
    level: float
    remaining: tuple[Fact, ...] = ()


@traced
def claims_forecast(
    inputs: StudyInputs,
    *,
    months: int = 12,
    draws: int = 2000,
    seed: int | None = None,
    with_plan: bool = True,
) -> ClaimsForecast:
    """Expected claim cost of machines under warranty by product line and month.

    Parameters
    ----------
    inputs : StudyInputs
        One month of one company: ``run.inputs``.
    months : int, months
        Ahead.
    draws : int
        Of the model's uncertainty.
    seed : int, optional
        Of the draws; the assumption ``failure_seed`` where left out.
    with_plan : bool
        False leaves out shipments to come: what a provision at the end of the month has to cover.

    Returns
    -------
    ClaimsForecast
        Intervals are predictions of the single cell.

    Raises
    ------
    MissingData
        No units, no serial numbers on tickets, or no ledger.

    Examples
    --------
    >>> from analysis import failures
    >>> failures.claims_forecast(run.inputs)  # a company without units shipped
    Traceback (most recent call last):
        ...
    analysis.errors.MissingData: not computed: needs units.shipped_on, tickets.serial_no
    """
    field = Field.of(inputs)
    baseline, delay = Baseline.of(field), reporting.delay_of(field.delays, field.horizon)
    fitted, _ = lives.component_lives(field)
    intensity = forecasting.intensity_of(field, baseline, delay, fitted)
    arrivals = _arrivals(field) if with_plan else forecasting.nobody()
    made = forecasting.forecast(field, intensity, ahead=months, arrivals=arrivals)
    priced = money.prices(field)
    rows = _rows(made, priced, money.full_prices(field), level=inputs.confidence)
    random = np.random.default_rng(int(field.assumed("failure_seed")) if seed is None else seed)
    total, counts = _draws(made, rows, priced.covered, draws=draws, random=random)
    return ClaimsForecast(
        rows=rows.drop(columns="each"),
        draws=total,
        counts=counts,
        level=inputs.confidence,
        remaining=remaining_warranty(field, made),
    )


def _arrivals(field: Field) -> pd.DataFrame | NotDone:
    try:
        return forecasting.planned(field)
    except MissingData as absent:
        return NotDone.because(absent)


def _rows(made: Forecast, priced: Prices, full: Prices | NotDone, *, level: float) -> pd.DataFrame:
    """Expected failures and cost by product line and month; ``each`` is the direct cost per failure."""
    inside = made.frame[made.frame["warranty"]]
    rows = inside.groupby(["product_line", "month"], as_index=False, sort=True)["failures"].sum()
    each = np.array([priced.covered_in(str(line)).mean for line in rows["product_line"]])
    whole = [
        full.covered_in(str(line)).mean if isinstance(full, Prices) else np.nan
        for line in rows["product_line"]
    ]
    limits = [
        made.interval(float(n), months=1, level=level) if n > 0 else (0.0, 0.0) for n in rows["failures"]
    ]
    ends = np.array(limits).reshape(-1, 2) * each[:, None]
    table: pd.DataFrame = rows.assign(
        cost=rows["failures"] * each,
        low=ends.min(axis=1),
        high=ends.max(axis=1),
        full=rows["failures"] * whole,
        each=each,
    )
    return table


def _draws(
    made: Forecast, rows: pd.DataFrame, covered: UnitCost, *, draws: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The whole sum under the model's uncertainty, one value per draw, and the failures behind it."""
    spread = made.intensity
    level = np.exp(random.standard_normal(draws) * spread.level_spread - spread.level_spread**2 / 2)
    price = 1 + random.standard_normal(draws) * (covered.error / covered.mean if covered.mean else 0.0)
    total, failed = np.zeros(draws), np.zeros(draws)
    for _, part in rows.groupby("month", sort=True):
        month = np.exp(random.standard_normal(draws) * spread.month_spread - spread.month_spread**2 / 2)
        counts = random.poisson(np.outer(level * month, part["failures"].to_numpy()))
        total += counts @ part["each"].to_numpy(dtype=float) * price
        failed += counts.sum(axis=1)
    return total, failed
