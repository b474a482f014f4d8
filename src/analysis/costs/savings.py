"""What a measure saved: at constant volume and mix, against what would have happened without it.

Cost falls for many reasons. Three are taken out here before a measure is credited: fewer or simpler tickets
(constant volume and mix), what happened to everybody (a comparison group), and what was already under way
(trend, season, the return from a peak).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.costs.cents import decimals, from_cents, to_cents, total
from analysis.costs.serial import Contrast, contrast, t_tail
from analysis.errors import ContractError, MissingData, ParameterError
from analysis.metrics import traced
from analysis.results import Interval
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
Verdict = Literal["delivered", "partly delivered", "not delivered", "could be noise"]
MINIMUM_MONTHS = 6


def cost_saving_rate(before: Decimal | float, after: Decimal | float) -> float:
    """1 − after ÷ before, both at the same volume and mix; NaN where before is not positive."""
    return 1.0 - cost_residual_ratio(before, after)


def cost_residual_ratio(before: Decimal | float, after: Decimal | float) -> float:
    """After ÷ before: the share of cost that is left. Popularly called the saving rate, which it is not."""
    return float(after) / float(before) if before > 0 else float("nan")


@dataclass(frozen=True, eq=False, kw_only=True)
class ConstantMix(Summarised):
    """Before and after at one volume and mix.

    ``cells``: one row per comparable cell: ``tickets`` (the weights), ``before`` and ``after`` (cost of those
    tickets at each period's cost per ticket). ``left_out``: cells that had tickets in one period only, with
    their cost.
    """

    cells: pd.DataFrame
    left_out: pd.DataFrame
    before: Decimal
    after: Decimal

    @property
    def saving(self) -> Decimal:
        return self.before - self.after

    @property
    def cost_saving_rate(self) -> float:
        return cost_saving_rate(self.before, self.after)

    @property
    def cost_residual_ratio(self) -> float:
        return cost_residual_ratio(self.before, self.after)


@traced
def at_constant_mix(
    before: pd.DataFrame, after: pd.DataFrame, *, by: Sequence[str], weights: Literal["before", "after"]
) -> ConstantMix:
    """Cost of the same tickets at the cost per ticket of each period.

    Parameters
    ----------
    before, after : (cells, columns) DataFrame
        ``tickets`` (count), ``cost`` (Decimal, money) and the columns that name a cell.
    by : names of columns
        That name a cell, such as product line and ticket type.
    weights : str
        Whose tickets are priced twice: ``after`` asks what today's work would have cost, ``before`` what the old work would cost today.

    Returns
    -------
    ConstantMix
        A cell without tickets in one period has no cost per ticket there and cannot be compared: it is listed in ``left_out``, never priced by a guess.

    Raises
    ------
    ContractError
        For columns that are missing, or repeated cells.

    Examples
    --------
    Ten tickets each: cost per ticket fell from 10 to 9.

    >>> from decimal import Decimal
    >>> import pandas as pd
    >>> from analysis import costs
    >>> before = pd.DataFrame({"line": ["a"], "tickets": [20], "cost": [Decimal("200.00")]})
    >>> after = pd.DataFrame({"line": ["a"], "tickets": [10], "cost": [Decimal("90.00")]})
    >>> print(costs.at_constant_mix(before, after, by=["line"], weights="after").saving)
    10.00
    """
    sides = [_by_cell(frame, list(by), when) for frame, when in ((before, "before"), (after, "after"))]
    both = sides[0].add_suffix("_before").join(sides[1].add_suffix("_after"), how="outer")
    comparable = (both[["tickets_before", "tickets_after"]].fillna(0) > 0).all(axis=1)
    cells = both[comparable]
    tickets = cells[f"tickets_{weights}"]
    table = pd.DataFrame({"tickets": tickets})
    left_out = both[~comparable].fillna(0)
    for when in ("before", "after"):
        each = cells[f"cost_{when}"].astype(float) / cells[f"tickets_{when}"].astype(float)
        cents = cells[f"cost_{when}"] if when == weights else (each * tickets.astype(float)).round()
        table[when] = decimals(cents.astype("int64"), index=cells.index)
        left_out[f"cost_{when}"] = decimals(left_out[f"cost_{when}"], index=left_out.index)
    return ConstantMix(
        cells=table.reset_index(),
        left_out=left_out.reset_index(),
        before=total(table["before"]),
        after=total(table["after"]),
    )


@traced
def _by_cell(frame: pd.DataFrame, by: list[str], when: str) -> pd.DataFrame:
    absent = [name for name in [*by, "tickets", "cost"] if name not in frame.columns]
    if absent:
        raise ContractError(f"constant mix, {when}: column {', '.join(absent)} is missing.")
    if frame.duplicated(by).any():
        raise ContractError(f"constant mix, {when}: {int(frame.duplicated(by).sum())} rows repeat a cell.")
    # nullable: a cell that one side lacks would turn the cents into floats, which lose the last of a vast amount
    cents = pd.array([to_cents(amount, what="cost") for amount in frame["cost"]], dtype="Int64")
    return frame[[*by, "tickets"]].assign(cost=cents).set_index(by)


@traced
def unit_cost_at_constant_mix(cells: pd.DataFrame, *, by: Sequence[str], month: str = "month") -> pd.Series:
    """Cost a ticket by month, had every month the mix of the whole span.

    Parameters
    ----------
    cells : one row per month and cell with ``tickets`` and ``cost``
    by : the columns that name a cell

    Notes
    -----
    Weights are each cell's share of all tickets. A cell without tickets in a month keeps its last cost a
    ticket (its first one before it appears), so that a missing cell moves nothing.
    """
    grouped = cells.assign(cost=cells["cost"].astype(float)).groupby([month, *by])[["tickets", "cost"]].sum()
    each = (grouped["cost"] / grouped["tickets"].where(grouped["tickets"] > 0)).unstack(list(by)).sort_index()
    weights = grouped["tickets"].groupby(list(by)).sum()
    shares = weights[weights > 0] / weights.sum()
    filled = each.ffill().bfill()
    if len(by) == 1:
        return (filled[shares.index] * shares).sum(axis=1).rename("unit_cost")
    return (filled.reindex(columns=shares.index) * shares).sum(axis=1).rename("unit_cost")


@dataclass(frozen=True, eq=False, kw_only=True)
class MeasuredEffect(Summarised):
    """What changed at the start of a measure, in the unit of the series (negative: cheaper).

    ``effect`` is the average over the months after the start; ``series``: one row per month: ``month``,
    ``actual``, ``expected`` (without the measure), ``after`` (bool). ``p_value`` is two-sided for no effect.
    """

    design: str
    effect: float
    interval: Interval
    standard_error: float
    degrees_of_freedom: float
    p_value: float
    months_before: int
    months_after: int
    series: pd.DataFrame


@traced
def difference_in_differences(
    treated: pd.Series, comparison: pd.Series, *, start: Any, confidence: float
) -> MeasuredEffect:
    """Change of the treated series beyond the change of an untouched one.

    Parameters
    ----------
    treated, comparison : (months,) Series of numbers, both in one unit
        The same measure (such as cost per ticket at constant mix) by month, in order of time.
    start : label of the index
        First month in which the measure works.
    confidence : float, share 0 to 1
        Coverage of the interval.

    Returns
    -------
    MeasuredEffect
        In the unit of the series; negative is cheaper.

    Raises
    ------
    ContractError
        Where the two series do not cover the same months.
    MissingData
        Where there are too few months on either side of the start.

    Notes
    -----
    The monthly difference of the two series is compared before and after the start, so that trend and season that both share drop out; it assumes they
    would have moved alike. Limits: `serial.contrast` (Newey-West, widened where months hang together). Sources: Card and Krueger (1994), *AER* 84, 772-793
    (design); Bertrand, Duflo and Mullainathan (2004), *QJE* 119, 249-275 (why serial correlation must be allowed for).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from analysis import costs
    >>> months = np.arange(36)
    >>> untouched = pd.Series(50 + 0.1 * np.cos(months), index=months)
    >>> treated = pd.Series(60 + 0.1 * np.cos(2 * months) - 10.0 * (months >= 24), index=months)
    >>> round(costs.difference_in_differences(treated, untouched, start=24, confidence=0.95).effect, 1)
    -10.0
    """
    if not treated.index.equals(comparison.index):
        raise ContractError("difference in differences: the two series do not cover the same months.")
    after = _after(treated.index, start)
    gap = treated.to_numpy(float) - comparison.to_numpy(float)
    design = np.column_stack([np.ones(len(gap)), after])
    found = contrast(design, gap, np.array([0.0, 1.0]))
    expected = treated.to_numpy(float) - np.where(after, found.estimate, 0.0)
    return _measured("difference in differences", treated, after, expected, found, confidence)


@traced
def interrupted_series(
    series: pd.Series,
    *,
    start: Any,
    shape: Literal["level", "level and slope"],
    harmonics: int,
    confidence: float,
) -> MeasuredEffect:
    """Change of a series at the start of a measure beyond its own trend and season.

    Parameters
    ----------
    series : the measure by month, in order of time, without gaps
    shape : a step (``level``), or a step and a new slope; decide before looking
    harmonics : sine and cosine pairs of the year; 0 where there is less than two years

    Notes
    -----
    ``effect`` is the average over the months after the start of what the step and slope add. Without a
    comparison group anything else that happened in the same month is part of it. Standard error as for
    `difference_in_differences`. Source: Lopez Bernal, Cummins and Gasparrini (2017), International Journal of
    Epidemiology 46, 348-355.
    """
    after = _after(series.index, start)
    values = series.to_numpy(float)
    time = np.arange(len(values), dtype=float)
    since = np.where(after, time - time[after][0], 0.0)
    added = [after.astype(float)] + ([since] if shape == "level and slope" else [])
    season = [
        wave(2 * np.pi * order * time / 12) for order in range(1, harmonics + 1) for wave in (np.sin, np.cos)
    ]
    design = np.column_stack([np.ones(len(values)), time - time.mean(), *season, *added])
    weights = np.zeros(design.shape[1])
    weights[-len(added) :] = design[after][:, -len(added) :].mean(axis=0)
    found = contrast(design, values, weights)
    expected = values - design[:, -len(added) :] @ found.coefficients[-len(added) :]
    return _measured("interrupted series", series, after, expected, found, confidence)


@traced
def _after(months: pd.Index, start: Any) -> NDArray[np.bool_]:
    after = np.array([month >= start for month in months], dtype=np.bool_)
    if after.sum() < MINIMUM_MONTHS or (~after).sum() < MINIMUM_MONTHS:
        raise MissingData(
            "months",
            message="{before} months before and {after} after the start; an effect needs {least} of each",
            before=int((~after).sum()),
            after=int(after.sum()),
            least=MINIMUM_MONTHS,
        )
    return after


@traced
def _measured(
    design: str,
    series: pd.Series,
    after: NDArray[np.bool_],
    expected: Floats,
    found: Contrast,
    confidence: float,
) -> MeasuredEffect:
    low, high = found.limits(confidence)
    table = pd.DataFrame(
        {"month": series.index, "actual": series.to_numpy(float), "expected": expected, "after": after}
    )
    return MeasuredEffect(
        design=design,
        effect=found.estimate,
        interval=Interval(
            low=low, high=high, level=confidence, method=f"{design}, serially correlated errors, t"
        ),
        standard_error=found.standard_error,
        degrees_of_freedom=found.degrees_of_freedom,
        p_value=2 * min(found.tail(), 1 - found.tail()),
        months_before=int((~after).sum()),
        months_after=int(after.sum()),
        series=table,
    )


def net_present_value(
    flows: Sequence[Decimal | float], *, annual_rate: float, periods_per_year: int = 12
) -> Decimal:
    """Value today of flows at the ends of periods 0, 1, 2, …; the first is not discounted.

    ``annual_rate`` is effective a year: a period's factor is (1 + rate) ^ (1 ÷ periods a year). In whole
    cents.
    """
    if annual_rate <= -1:
        raise ParameterError(
            f"net present value: annual_rate {annual_rate} is not above -1; write 8 % as 0.08."
        )
    return Decimal(str(round(float(_discounted(flows, annual_rate, periods_per_year).sum()), 2))).quantize(
        Decimal("0.01")
    )


@traced
def payback_period(
    flows: Sequence[Decimal | float], *, annual_rate: float | None = None, periods_per_year: int = 12
) -> float | None:
    """Periods until the sum of flows is no longer negative, within a period by straight line.

    Discounted when ``annual_rate`` is given. None when the flows never pay back; 0 when they were never
    negative.
    """
    values = _discounted(flows, annual_rate or 0.0, periods_per_year)
    running = np.cumsum(values)
    paid = np.flatnonzero(running >= 0)
    if not len(paid):
        return None
    first = int(paid[0])
    return 0.0 if first == 0 else float(first - 1 - running[first - 1] / values[first])


def _discounted(flows: Sequence[Decimal | float], annual_rate: float, periods_per_year: int) -> Floats:
    values = np.array([float(flow) for flow in flows])
    return np.asarray(values * (1 + annual_rate) ** (-np.arange(len(values)) / periods_per_year))


@dataclass(frozen=True, kw_only=True)
class Plausibility(Summarised):
    """Money saved ÷ events avoided, beside what an event cost before."""

    saved_per_event: float
    unit_cost_before: float
    events_avoided: float
    plausible: bool | None


def plausibility(saved: Decimal | float, *, events_avoided: float, unit_cost_before: float) -> Plausibility:
    """Whether each avoided event would have had to cost more than events do.

    An avoided event cannot save more than its full cost; when it seems to, something else fell too.
    ``plausible`` is None when no events were avoided.
    """
    if events_avoided <= 0:
        nothing = float("nan")
        return Plausibility(
            saved_per_event=nothing,
            unit_cost_before=unit_cost_before,
            events_avoided=events_avoided,
            plausible=None,
        )
    each = float(saved) / events_avoided
    return Plausibility(
        saved_per_event=each,
        unit_cost_before=unit_cost_before,
        events_avoided=events_avoided,
        plausible=each <= unit_cost_before,
    )


@dataclass(frozen=True, kw_only=True)
class RegressionToMean(Summarised):
    """Whether a measure began after a peak, and what would have come down by itself.

    ``excess`` = mean of the window before the start − what the months before it led to expect; ``p_value`` is
    one-sided for no excess. ``carry_over`` is the share of a window's excess that lasts into the next window,
    on average; ``expected_fall`` = (1 − carry_over) × excess, 0 where there was none.
    """

    warning: bool
    excess: float
    p_value: float
    carry_over: float
    expected_fall: float


@traced
def regression_to_mean(
    series: pd.Series, *, start: Any, window: int = 3, level: float = 0.05
) -> RegressionToMean:
    """Compare the months just before a measure with the year and more before them.

    Parameters
    ----------
    series : the measure by month, in order of time; only months before ``start`` are read
    window : months that led to the decision
    level : chance of a warning when the start was not after a peak

    Notes
    -----
    The earlier months' straight trend is carried into the window. Carry-over is that of a first-order process
    with the correlation that `serial.contrast` finds. Source: Barnett, van der Pols and Dobson (2005),
    International Journal of Epidemiology 34, 215-220.
    """
    before = series[[month < start for month in series.index]].to_numpy(float)
    if len(before) < window + 12:
        raise MissingData(
            "months",
            message="{before} months before the start; needs {least} to know a peak",
            before=len(before),
            least=window + 12,
        )
    time = np.arange(len(before), dtype=float)
    recent = (time >= len(before) - window).astype(float)
    design = np.column_stack([np.ones(len(before)), time - time.mean(), recent])
    found = contrast(design, before, np.array([0.0, 0.0, 1.0]))
    places = np.arange(window)
    apart = np.abs(places[:, None] - places[None, :])
    carry = float(
        (found.correlation ** (window + places[None, :] - places[:, None])).sum()
        / (found.correlation**apart).sum()
    )
    p_value = found.tail()
    return RegressionToMean(
        warning=p_value < level,
        excess=found.estimate,
        p_value=p_value,
        carry_over=carry,
        expected_fall=(1 - carry) * max(found.estimate, 0.0),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class MeasureResult(Summarised):
    """A measure, expected against realised, in money.

    ``saving`` and ``saving_interval`` are over the months since the start, at the tickets of those months;
    ``expected`` over the same months. ``p_value_short``: one-sided, for a true saving of at least what was
    expected; ``p_value_saving``: one-sided, for no saving at all. ``net_present_value`` and ``payback_months`` (with the values at the
    interval's ends) carry the monthly saving forward to ``horizon_months``; the payback has no interval where one end is never paid back.
    """

    measured: MeasuredEffect
    saving: Decimal
    saving_interval: Interval
    expected: Decimal
    p_value_short: float
    p_value_saving: float
    verdict: Verdict
    net_present_value: Decimal
    net_present_value_interval: Interval
    payback_months: float | None
    payback_interval: Interval | None
    horizon_months: int


@traced
def expected_against_realised(
    measured: MeasuredEffect,
    tickets: pd.Series,
    *,
    cost: Decimal,
    expected_monthly_saving: Decimal,
    annual_rate: float,
    horizon_months: int,
) -> MeasureResult:
    """Turn an effect per ticket into money and hold it against what was promised.

    Parameters
    ----------
    measured : MeasuredEffect
        Effect on cost per ticket at constant mix, as `measured_effect` estimates it.
    tickets : (months,) Series of numbers, tickets
        By month; those of the months after the start count.
    cost : Decimal, money
        What the measure cost, paid at its start.
    expected_monthly_saving : Decimal, money per month
        From the register of measures.
    annual_rate : float, share per year
        Discount rate.
    horizon_months : int, months
        Over which the measure is valued; beyond the observed ones at their mean saving.

    Returns
    -------
    MeasureResult
        Verdict: ``not delivered`` when the whole interval lies below the expected saving and it does not clear zero, ``partly delivered`` when it lies
        below but above zero, ``delivered`` when it clears zero and reaches the expected saving, else ``could be noise``. With several measures adjust
        ``p_value_short`` first.

    Raises
    ------
    ContractError
        Where the tickets do not cover the months after the start.
    ParameterError
        For a discount rate of -100 % or less.

    Examples
    --------
    Ten per ticket cheaper, on 1,000 tickets a month, where 5,000 a month was promised.

    >>> from decimal import Decimal
    >>> import numpy as np, pandas as pd
    >>> from analysis import costs
    >>> months = np.arange(36)
    >>> untouched = pd.Series(50 + 0.1 * np.cos(months), index=months)
    >>> treated = pd.Series(60 + 0.1 * np.cos(2 * months) - 10.0 * (months >= 24), index=months)
    >>> measured = costs.difference_in_differences(treated, untouched, start=24, confidence=0.95)
    >>> result = costs.expected_against_realised(
    ...     measured,
    ...     pd.Series(1000.0, index=months),
    ...     cost=Decimal("20000.00"),
    ...     expected_monthly_saving=Decimal("5000.00"),
    ...     annual_rate=0.08,
    ...     horizon_months=36,
    ... )
    >>> result.verdict, str(result.expected)
    ('delivered', '60000.00')
    """
    months = measured.series.loc[measured.series["after"], "month"]
    volume = tickets.reindex(pd.Index(months)).astype(float)
    if volume.isna().any():
        raise ContractError(
            f"measure: {int(volume.isna().sum())} months after the start have no ticket number."
        )
    pieces = float(volume.sum())
    scaled = [-pieces * limit for limit in (measured.interval.high, measured.interval.low)]
    interval = Interval(
        low=scaled[0], high=scaled[1], level=measured.interval.level, method=measured.interval.method
    )
    expected = from_cents(to_cents(expected_monthly_saving, what="expected saving") * len(months))
    distance = float(expected) + measured.effect * pieces
    flows = _flows(np.asarray(volume, dtype=float), cost, horizon_months)
    per_ticket = (-measured.effect, -measured.interval.high, -measured.interval.low)
    values = [net_present_value(flows(each), annual_rate=annual_rate) for each in per_ticket]
    payback, slow, fast = (payback_period(flows(each)) for each in per_ticket)
    return MeasureResult(
        measured=measured,
        saving=Decimal(str(round(-measured.effect * pieces, 2))).quantize(Decimal("0.01")),
        saving_interval=interval,
        expected=expected,
        p_value_short=t_tail(distance, measured.standard_error * pieces, measured.degrees_of_freedom),
        p_value_saving=t_tail(-measured.effect, measured.standard_error, measured.degrees_of_freedom),
        verdict=_verdict(interval, float(expected)),
        net_present_value=values[0],
        net_present_value_interval=Interval(
            low=float(values[1]), high=float(values[2]), level=interval.level, method=interval.method
        ),
        payback_months=payback,
        payback_interval=None
        if fast is None or slow is None
        else Interval(low=fast, high=slow, level=interval.level, method=interval.method),
        horizon_months=horizon_months,
    )


@traced
def _flows(volume: Floats, cost: Decimal, horizon: int) -> Any:
    """Monthly flows as a function of the saving per ticket: the outlay, the observed months, then their
    mean."""
    counts = np.concatenate([volume, np.full(max(0, horizon - len(volume)), volume.mean())])[:horizon]
    return lambda each: [-float(cost), *(each * counts)]


@traced
def _verdict(interval: Interval, expected: float) -> Verdict:
    if interval.high < expected:
        return "partly delivered" if interval.low > 0 else "not delivered"
    return "delivered" if interval.low > 0 else "could be noise"
