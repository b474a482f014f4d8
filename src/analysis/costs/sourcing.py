"""In-house against outsourced: full cost of each, where they break even, and what swings in volume do.

Each option is a cost line: a fixed part a month and a part a ticket, estimated from history or built from
components, with a contract's minimum volume or a team's steps of capacity where there are any. Full cost
counts what a rate card leaves out: turnover, training, the cost of poor quality, unused capacity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from analysis.costs.cents import decimals, to_cents
from analysis.errors import ContractError, FitError, ParameterError
from analysis.metrics import traced
from analysis.results import Interval
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
Cheaper = Literal["in_house", "outsourced"]
LAGS = 3
NO_ERROR = ((0.0, 0.0), (0.0, 0.0))
NOT_TOGETHER = "the two were never seen at the same volume"
BEYOND = "the lines cross beyond the volumes at which both were seen"
NO_CROSSING = "the lines do not cross"
CHEAPER: dict[Cheaper, str] = {
    "in_house": "by the cost lines in-house is cheaper at every volume at which both were seen",
    "outsourced": "by the cost lines outsourced is cheaper at every volume at which both were seen",
}


@dataclass(frozen=True, kw_only=True)
class CostLine(Summarised):
    """Monthly cost of an option: fixed + per_ticket × tickets.

    Attributes
    ----------
    fixed, per_ticket : in the currency, per month and per ticket.
    covariance : of (fixed, per_ticket); zeros where both are known (a contract).
    minimum_tickets : a contract bills at least so many.
    step_tickets, step_cost : a team holds capacity in steps of so many tickets at so much each.

    Examples
    --------
    >>> from analysis import costs
    >>> costs.CostLine(fixed=1000.0, per_ticket=5.0, minimum_tickets=50).cost([10, 100]).tolist()
    [1250.0, 1500.0]
    """

    fixed: float
    per_ticket: float
    covariance: tuple[tuple[float, float], tuple[float, float]] = field(default=NO_ERROR)
    minimum_tickets: float = 0.0
    step_tickets: float | None = None
    step_cost: float = 0.0

    def cost(self, tickets: ArrayLike) -> Floats:
        """Cost of a month with so many tickets.

        Parameters
        ----------
        tickets : (n,) numbers, tickets per month; or one
            Zero or more.

        Returns
        -------
        array of the shape of `tickets`
            In the currency.
        """
        volume = np.asarray(tickets, dtype=float)
        steps = np.ceil(volume / self.step_tickets - 1e-12) * self.step_cost if self.step_tickets else 0.0
        return np.asarray(self.fixed + self.per_ticket * self.billed(volume) + steps)

    def billed(self, tickets: ArrayLike) -> Floats:
        """Tickets that are paid for: those of the month, or the contract's minimum.

        Parameters
        ----------
        tickets : (n,) numbers, tickets per month; or one
            Zero or more.

        Returns
        -------
        array of the shape of `tickets`
        """
        return np.asarray(np.maximum(np.asarray(tickets, dtype=float), self.minimum_tickets))

    def variance(self, tickets: ArrayLike) -> Floats:
        """Variance of the cost of a month with so many tickets.

        Parameters
        ----------
        tickets : (n,) numbers, tickets per month; or one
            Zero or more.

        Returns
        -------
        array of the shape of `tickets`
            In the square of the currency.
        """
        (top, joint), (_, base) = self.covariance
        volume = self.billed(tickets)
        return np.asarray(top + 2 * volume * joint + volume**2 * base)

    @property
    def straight(self) -> bool:
        """Whether neither a minimum nor steps bend the line."""
        return self.minimum_tickets == 0 and self.step_tickets is None


@traced
def full_cost(components: pd.DataFrame) -> pd.DataFrame:
    """Full cost of each option, component by component.

    Parameters
    ----------
    components : one row per option and component
        ``option`` (in_house, outsourced), ``component`` (wages or fee, turnover, training, quality, unused
        capacity, contract …), ``cost`` (Decimal, of the period) and ``tickets`` resolved by the option, the
        same on all its rows.

    Returns
    -------
    DataFrame, one row per option and component and a row ``total`` per option: ``cost`` and ``per_ticket``
    """
    if components.groupby("option")["tickets"].nunique().gt(1).any():
        raise ContractError("full_cost: rows of one option disagree on its tickets.")
    cents = components.assign(cost=[to_cents(amount, what="cost") for amount in components["cost"]])
    sums = cents.groupby("option", as_index=False).agg(cost=("cost", "sum"), tickets=("tickets", "first"))
    table = pd.concat([cents, sums.assign(component="total")], ignore_index=True)
    table = table.sort_values("option", kind="stable", ignore_index=True)
    tickets = table["tickets"].astype(float)
    return table.assign(
        cost=decimals(table["cost"]), per_ticket=table["cost"] / 100 / tickets.where(tickets > 0)
    )


def turnover_cost(
    leavers: float, *, replacement_cost: Decimal, ramp_up_months: float, monthly_wage: Decimal
) -> Decimal:
    """What leavers cost: hiring and training a successor, and half the wage while the successor learns.

    Half: productivity is taken to rise evenly from none to full over ``ramp_up_months``.
    """
    each = replacement_cost + monthly_wage * Decimal(str(ramp_up_months)) / 2
    return (each * Decimal(str(leavers))).quantize(Decimal("0.01"))


@traced
def cost_line_from_history(cost: pd.Series, tickets: pd.Series) -> CostLine:
    """Fixed and variable cost from months of history, with their covariance.

    Parameters
    ----------
    cost, tickets : by month, the same months in order of time, in constant prices

    Notes
    -----
    Least squares with Newey–West covariance (three lags). Months must differ in volume, and volume must not
    be set by the budget. A negative fixed part is kept: it says that the line is not straight down to zero.
    """
    if len(cost) < 8 or not cost.index.equals(tickets.index):
        raise FitError(f"cost line: {len(cost)} months; needs 8 or more, the same for cost and tickets.")
    volume = tickets.to_numpy(float)
    if volume.std() < 1e-9 * max(1.0, abs(volume.mean())):
        raise FitError(
            "cost line: every month has the same tickets; fixed and variable cost cannot be told apart."
        )
    design = np.column_stack([np.ones(len(volume)), volume])
    inverse = np.linalg.inv(design.T @ design)
    fixed, each = inverse @ design.T @ cost.to_numpy(float)
    scores = design * (cost.to_numpy(float) - fixed - each * volume)[:, None]
    middle = scores.T @ scores
    for lag in range(1, LAGS + 1):
        together = scores[lag:].T @ scores[:-lag]
        middle = middle + (1 - lag / (LAGS + 1)) * (together + together.T)
    matrix = inverse @ middle @ inverse * len(volume) / (len(volume) - 2)
    return CostLine(
        fixed=float(fixed),
        per_ticket=float(each),
        covariance=((float(matrix[0, 0]), float(matrix[0, 1])), (float(matrix[1, 0]), float(matrix[1, 1]))),
    )


@dataclass(frozen=True, kw_only=True)
class BreakEvenVolume(Summarised):
    """Tickets per month at which both options cost the same.

    ``tickets`` is None when the lines do not cross at a positive volume; ``interval`` is None when the data
    cannot bound it, and ``reason`` says why. ``cheaper_above`` is the better option beyond the point (at any
    volume, when there is none).
    """

    tickets: float | None
    interval: Interval | None
    cheaper_above: Cheaper
    reason: str = ""


@traced
def break_even_volume(in_house: CostLine, outsourced: CostLine, *, confidence: float) -> BreakEvenVolume:
    """Where two straight cost lines cross, with Fieller's interval.

    Parameters
    ----------
    in_house, outsourced : CostLine
        Fixed cost per month and cost per ticket of each option, as `cost_line` estimates them.
    confidence : float, share 0 to 1
        Coverage of the interval.

    Returns
    -------
    BreakEvenVolume
        In tickets per month.

    Raises
    ------
    ParameterError
        For a confidence outside 0 to 1.

    Notes
    -----
    Volume = (fixed in - fixed out) ÷ (rate out - rate in): a ratio of two estimates, whose set of values not refuted at the level is Fieller's (1954),
    *JRSS B* 16, 175-185. Where the difference of rates is not clearly different from zero the set is unbounded: no interval is given. Limits below zero
    are shown as zero. Normal limits; the two options are taken as estimated apart.

    Examples
    --------
    A team of 1,000 per month and 5 per ticket against a partner at 10 per ticket: 1,000 ÷ 5.

    >>> from analysis import costs
    >>> team, partner = costs.CostLine(fixed=1000.0, per_ticket=5.0), costs.CostLine(fixed=0.0, per_ticket=10.0)
    >>> costs.break_even_volume(team, partner, confidence=0.95).tickets
    200.0
    """
    if not (in_house.straight and outsourced.straight):
        raise ParameterError("break_even_volume: steps or a minimum bend a cost line; use `crossings`.")
    top, base = in_house.fixed - outsourced.fixed, outsourced.per_ticket - in_house.per_ticket
    above: Cheaper = "in_house" if base > 0 else "outsourced"
    if base == 0:
        above = "outsourced" if top > 0 else "in_house"
    if base == 0 or top / base <= 0:
        return BreakEvenVolume(tickets=None, interval=None, cheaper_above=above, reason=NO_CROSSING)
    first, second = np.array(in_house.covariance), np.array(outsourced.covariance)
    joint = first + second
    limits = fieller_interval(top, base, joint[0, 0], joint[1, 1], -joint[0, 1], confidence=confidence)
    if limits is None:
        return BreakEvenVolume(
            tickets=top / base,
            interval=None,
            cheaper_above=above,
            reason="the difference in cost per ticket is not clear, so no volume is excluded",
        )
    low, high = (max(0.0, limit) for limit in limits)
    interval = Interval(low=low, high=high, level=confidence, method="Fieller (1954)")
    return BreakEvenVolume(tickets=top / base, interval=interval, cheaper_above=above)


@traced
def break_evens_with_minimum(
    in_house: CostLine, outsourced: CostLine, *, confidence: float
) -> tuple[BreakEvenVolume, ...]:
    """Every volume at which both options cost the same when the contract bills a minimum, the smallest first.

    Below the minimum the contract costs the same in every month, above it the line is straight; each stretch has its own crossing, kept
    where it lies on that stretch. One entry without a volume where they do not cross.
    """
    least = outsourced.minimum_tickets
    above = break_even_volume(in_house, replace(outsourced, minimum_tickets=0.0), confidence=confidence)
    if least == 0:
        return (above,)
    flat = CostLine(
        fixed=float(outsourced.cost(0.0)),
        per_ticket=0.0,
        covariance=((float(outsourced.variance(0.0)), 0.0), (0.0, 0.0)),
    )
    below = break_even_volume(in_house, flat, confidence=confidence)
    found = [one for one in (below,) if one.tickets is not None and one.tickets < least]
    found += [one for one in (above,) if one.tickets is not None and one.tickets >= least]
    if found:
        return tuple(found)
    cheaper: Cheaper = "in_house" if in_house.cost(least) <= outsourced.cost(least) else "outsourced"
    return (BreakEvenVolume(tickets=None, interval=None, cheaper_above=cheaper, reason=NO_CROSSING),)


def within_volumes(
    evens: tuple[BreakEvenVolume, ...], low: float, high: float
) -> tuple[BreakEvenVolume, ...]:
    """The break-even volumes at which both options were seen, from ``low`` to ``high``; a line is not carried beyond its months.

    One entry without a volume, and the reason, where none is left. Nothing is said of volumes at which the two were not seen together,
    nor of lines that do not cross.
    """
    kept = tuple(even for even in evens if even.tickets is not None and low <= even.tickets <= high)
    if kept:
        return kept
    reason = BEYOND if evens[0].tickets is not None else CHEAPER[evens[0].cheaper_above]
    return (replace(evens[0], tickets=None, interval=None, reason=NOT_TOGETHER if low > high else reason),)


def fieller_interval(
    top: float,
    base: float,
    top_variance: float,
    base_variance: float,
    covariance: float,
    *,
    confidence: float,
) -> tuple[float, float] | None:
    """All ratios θ with (top − θ base)² ≤ z² Var(top − θ base); None when they are not an interval."""
    reach = float(ndtri((1 + confidence) / 2)) ** 2
    a = base**2 - reach * base_variance
    b = top * base - reach * covariance
    c = top**2 - reach * top_variance
    if a <= 0:
        return None
    root = np.sqrt(max(b**2 - a * c, 0.0))
    return float((b - root) / a), float((b + root) / a)


@traced
def crossings(in_house: CostLine, outsourced: CostLine, *, up_to: int) -> pd.DataFrame:
    """Whole numbers of tickets at which the cheaper option changes, from 0 to ``up_to``, for bent lines too.

    One row per stretch: ``from_tickets``, ``to_tickets`` and ``cheaper`` (in-house where equal).
    """
    volume = np.arange(up_to + 1)
    ours = in_house.cost(volume) <= outsourced.cost(volume)
    starts = np.concatenate([[0], np.flatnonzero(ours[1:] != ours[:-1]) + 1])
    ends = np.concatenate([starts[1:] - 1, [up_to]])
    cheaper = np.where(ours[starts], "in_house", "outsourced")
    return pd.DataFrame({"from_tickets": starts, "to_tickets": ends, "cheaper": cheaper})


@traced
def cost_at_swings(line: CostLine, *, tickets: float, swings: Sequence[float]) -> pd.DataFrame:
    """Cost of an option when its volume swings around ``tickets`` (−0.3: thirty per cent fewer).

    One row per swing: ``swing``, ``tickets``, ``cost`` and, where the line is estimated, its ``standard_error``.
    """
    volume = tickets * (1 + np.asarray(swings, dtype=float))
    return pd.DataFrame(
        {
            "swing": list(swings),
            "tickets": volume,
            "cost": line.cost(volume),
            "standard_error": np.sqrt(line.variance(volume)),
        }
    )


@traced
def peak_staffing(
    hours_needed: Mapping[str, float] | pd.Series,
    *,
    hours_per_head: float,
    cost_per_head: float,
    outsourced_cost_per_hour: float,
) -> pd.DataFrame:
    """Every size of the permanent team, when work beyond its hours goes outside month by month.

    Parameters
    ----------
    hours_needed : by month, a full season
    hours_per_head, cost_per_head : productive hours and cost of one person a month

    Returns
    -------
    DataFrame, one row per headcount from none to enough for the highest month
        ``headcount``, ``in_house_cost``, ``outsourced_cost``, ``cost``, ``unused_hours``,
        ``outsourced_hours`` and ``best`` (the cheapest; the smaller team at a tie).
    """
    need = np.array([float(value) for value in pd.Series(hours_needed)])
    if hours_per_head <= 0 or (need < 0).any() or not len(need):
        raise ParameterError(
            "peak_staffing: needs months of hours, none negative, and hours_per_head above zero."
        )
    heads = np.arange(int(np.ceil(need.max() / hours_per_head)) + 1)
    spare = heads[:, None] * hours_per_head - need[None, :]
    outside = np.maximum(-spare, 0).sum(axis=1)
    own_cost = heads * cost_per_head * len(need)
    table = pd.DataFrame(
        {
            "headcount": heads,
            "in_house_cost": own_cost.astype(float),
            "outsourced_cost": outside * outsourced_cost_per_hour,
            "cost": own_cost + outside * outsourced_cost_per_hour,
            "unused_hours": np.maximum(spare, 0).sum(axis=1),
            "outsourced_hours": outside,
        }
    )
    return table.assign(best=table.index == int(table["cost"].to_numpy().argmin()))
