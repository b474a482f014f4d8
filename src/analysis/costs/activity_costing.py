"""Time-driven activity-based costing: what work costs, and what capacity stood idle.

Two estimates are enough: what a unit of practical capacity costs (cost of the capacity supplied ÷ practical
capacity) and how much time a unit of work takes. Work is charged for the time it uses; the rest is the cost
of unused capacity, a line of its own that no product carries.

Source: Kaplan and Anderson (2004), Time-Driven Activity-Based Costing, Harvard Business Review 82(11),
131-138.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

import pandas as pd

from analysis.costs.allocation import allocate
from analysis.costs.cents import decimals, from_cents, to_cents, total
from analysis.errors import ContractError, ParameterError
from analysis.metrics import traced
from analysis.summaries import Summarised

NO_POOL = "all"


@dataclass(frozen=True, eq=False, kw_only=True)
class ActivityCosts(Summarised):
    """Cost of work by cost object, and of capacity by pool.

    ``by_activity``: one row per row of the activities given, with ``time``, ``rate`` (cost of a unit of time)
    and ``cost``, and ``unit_cost`` where a quantity was given. ``capacity``: one row per pool: ``cost``,
    ``practical_time``, ``used_time``, ``unused_time``, ``rate``, ``used_cost``, ``unused_cost`` and
    ``utilisation`` (used ÷ practical). In every pool used and unused cost are the cost supplied, to the cent;
    work beyond practical capacity shows as a negative unused cost, because the rate is that of practical
    capacity.
    """

    by_activity: pd.DataFrame
    capacity: pd.DataFrame

    @property
    def unused_cost(self) -> Decimal:
        return total(self.capacity["unused_cost"])

    @property
    def total(self) -> Decimal:
        """Cost of the capacity supplied = cost of all work + unused cost."""
        return total(self.capacity["cost"])

    def by(self, *dimensions: str) -> pd.DataFrame:
        """Time and cost of work by any columns of the activities; the unused cost is not in it."""
        cents = self.by_activity.assign(cost=[to_cents(amount) for amount in self.by_activity["cost"]])
        summed = cents.groupby(list(dimensions), dropna=False, as_index=False)[["time", "cost"]].sum()
        return summed.assign(cost=decimals(summed["cost"]))


@traced
def time_driven_abc(
    activities: pd.DataFrame, capacity: pd.DataFrame | Mapping[str, Any], *, pool: str | Sequence[str] = ()
) -> ActivityCosts:
    """Charge work for the time it uses, at the cost rate of practical capacity.

    Parameters
    ----------
    activities : (activities, columns) DataFrame
        One row per activity or cost object (ticket type × product line × region …): ``time`` in the capacity's unit, or ``quantity`` and ``unit_time``;
        other columns name the cost object. Each row needs the pool columns.
    capacity : (pools, columns) DataFrame, or a mapping for a single pool
        ``cost`` (Decimal, money) of the capacity supplied and ``practical_time``: time that people and machines can really work, as a rule 80 to 85 % of
        what is paid.
    pool : str or names of columns
        That link activities to pools; none when there is one pool.

    Returns
    -------
    ActivityCosts

    Raises
    ------
    ContractError
        Work in a pool that supplies no capacity, repeated pools, negative times.
    ParameterError
        For pool columns that are not there.

    Examples
    --------
    A team of 1,000 with 100 hours: 60 hours cost 600, and 400 stay unused.

    >>> from decimal import Decimal
    >>> import pandas as pd
    >>> from analysis import costs
    >>> work = pd.DataFrame({"ticket_type": ["repair"], "time": [60.0]})
    >>> charged = costs.time_driven_abc(work, {"cost": Decimal("1000.00"), "practical_time": 100.0})
    >>> str(charged.by_activity.loc[0, "cost"]), str(charged.capacity.loc[0, "unused_cost"])
    ('600.00', '400.00')
    """
    pools = [pool] if isinstance(pool, str) else list(pool)
    supplied = pd.DataFrame([capacity]) if isinstance(capacity, Mapping) else capacity
    work = _with_time(activities)
    if not pools:
        pools, supplied, work = [NO_POOL], supplied.assign(**{NO_POOL: 0}), work.assign(**{NO_POOL: 0})
    _check(work, supplied, pools)
    groups = {key: rows for key, rows in work.groupby(pools, sort=False)}
    charged, lines = [], []
    for row in supplied.to_dict("records"):
        rows = groups.get(tuple(row[name] for name in pools), work.iloc[:0])
        costs, line = _charge(row, rows)
        charged.append(costs)
        lines.append({name: row[name] for name in pools if name != NO_POOL} | line)
    by_activity = work.drop(columns=NO_POOL, errors="ignore").join(pd.concat(charged))
    if "quantity" in work.columns:
        quantity = by_activity["quantity"].astype(float)
        by_activity["unit_cost"] = by_activity["cost"].astype(float) / quantity.where(quantity > 0)
    return ActivityCosts(by_activity=by_activity.reset_index(drop=True), capacity=pd.DataFrame(lines))


@traced
def _with_time(activities: pd.DataFrame) -> pd.DataFrame:
    work = activities.reset_index(drop=True)
    if "time" in work.columns:
        return work
    if {"quantity", "unit_time"} <= set(work.columns):
        exact = [
            _exact(count) * _exact(each)
            for count, each in zip(work["quantity"], work["unit_time"], strict=True)
        ]
        return work.assign(time=[float(value) for value in exact])
    raise ContractError("time_driven_abc: activities need the column time, or quantity and unit_time.")


def _exact(number: Any) -> Fraction:
    """The number as the decimal it prints as."""
    return Fraction(str(number))


def _check(work: pd.DataFrame, supplied: pd.DataFrame, pools: list[str]) -> None:
    absent = [name for name in [*pools, "cost", "practical_time"] if name not in supplied.columns]
    absent += [name for name in pools if name not in work.columns]
    if absent:
        raise ContractError(f"time_driven_abc: column {', '.join(dict.fromkeys(absent))} is missing.")
    if supplied.duplicated(pools).any():
        raise ContractError(
            f"time_driven_abc: {int(supplied.duplicated(pools).sum())} pools are listed twice."
        )
    timeless = int((work["time"].isna() | (work["time"] < 0)).sum())
    if timeless:
        raise ContractError(
            f"time_driven_abc: {timeless} activities have no time "
            "or a negative one; leave out work whose time is not known and count it."
        )
    homeless = work.merge(supplied[pools], on=pools, how="left", indicator=True)["_merge"] == "left_only"
    if homeless.any():
        example = work.loc[homeless.to_numpy(), pools].iloc[0].tolist()
        raise ContractError(
            f"time_driven_abc: {int(homeless.sum())} activities use a pool without capacity, e.g. {example}."
        )


@traced
def _charge(supply: Mapping[Any, Any], rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Costs of one pool's work, and the pool's own line."""
    cost, practical = to_cents(supply["cost"], what="cost of capacity"), _exact(supply["practical_time"])
    times = [_exact(value) for value in rows["time"]]
    used = sum(times, Fraction(0))
    if practical < 0 or (practical == 0 and used):
        raise ParameterError(
            f"time_driven_abc: practical_time is {supply['practical_time']} and {float(used):g} was used; "
            "give the time the capacity can really work."
        )
    rate = Fraction(cost, 100) / practical if practical else Fraction(0)
    used_cost = _rounded(rate * used)
    shares = (
        allocate(used_cost, pd.Series(times, index=rows.index, dtype=object))
        if used
        else decimals([0] * len(rows), index=rows.index)
    )
    charged = pd.DataFrame({"rate": float(rate), "cost": shares}, index=rows.index)
    line = {
        "cost": from_cents(cost),
        "practical_time": float(practical),
        "used_time": float(used),
        "unused_time": float(practical - used),
        "rate": float(rate),
        "used_cost": used_cost,
        "unused_cost": from_cents(cost) - used_cost,
        "utilisation": float(used / practical) if practical else float("nan"),
    }
    return charged, line


@traced
def _rounded(amount: Fraction) -> Decimal:
    cents = Decimal(amount.numerator * 100) / Decimal(amount.denominator)
    return from_cents(int(cents.to_integral_value(ROUND_HALF_EVEN)))
