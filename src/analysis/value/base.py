"""The value base: one row per customer on the engine, with what the customer is expected to bring.

Both halves of the study stand on it: the worth of the base here, the effect of service on it in `effects` and `what_if`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from analysis.metrics import Stating, StudyInputs
from analysis.periods import Month
from analysis.results import Fact
from analysis.summaries import Summarised
from analysis.value.settings import ValueSettings, stated_in

if TYPE_CHECKING:
    import pandas as pd

Item = TypeVar("Item")
TIERS = ("top", "middle", "low")
ERROR = "Hessian and holdout"  # method of the intervals of what is expected of customers


@dataclass(frozen=True, kw_only=True, eq=False)
class ValueBase(Summarised):
    """Customers and their value at the end of ``month``.

    Attributes
    ----------
    month : the report month.
    table : quoted name of a table on the engine, one row per customer who ever bought or held a contract before the end of the month (where no machines were
        sold, without those who have left: what serves them ends with them):
        ``customer_id``, ``kind`` (``contract`` while one runs, else ``purchases``), ``customer_type``, ``segment``, ``region``, ``channel``,
        ``product_line`` (of the largest revenue), ``cohort`` (year of the first purchase or contract, text), ``tier`` (``top``, ``middle``, ``low`` by clv),
        ``p_alive`` (chance that a buyer has not left; chance of renewing at the next renewal where a contract runs), ``stay_12m`` (chance of still being
        a customer in twelve months), ``clv`` = ``clv_purchases`` + ``clv_contract`` − ``clv_service`` (doubles, currency, over the horizon, discounted),
        ``margin_next_12m`` (expected margin of the next twelve months on the basis, before service cost, not discounted),
        ``service_next_12m`` (expected traced service cost), ``service_cost_12m`` (traced service cost of the last twelve months),
        ``service_orders_12m``, ``revenue_12m``, ``margin_12m`` (of the last twelve months). No missing numbers: zero where nothing was recorded. A dimension
        that is missing is ``not_stated``.
    total : expected value of all customers together, with its interval.
    relative_error : standard error of the total divided by the total (parameters and miss in the holdout).
    customers : rows of the table.
    horizon_months, discount_rate, basis, has_service : over how long, at which yearly rate, on which margin, and whether traced service cost is in it.

    Examples
    --------
    A company with two orders has no base yet, and says why.

    >>> from analysis import value
    >>> print(value.study(run.inputs).base.reason.en)
    fewer than 50 repeat purchases before the holdout or 30 in it; the models of purchases need more history
    """

    month: Month
    table: str
    total: Fact
    relative_error: float
    customers: int
    horizon_months: int
    discount_rate: float
    basis: str
    has_service: bool


def tuples(frame: pd.DataFrame) -> list[Any]:
    """The rows of a frame, their columns as attributes."""
    return list(frame.itertuples())


def standing_out(items: Sequence[Item], of: Callable[[Item], Fact], *, lowest: bool = False) -> Item | None:
    """The one whose interval lies beyond the intervals of all others; none where no interval supports it.

    Parameters
    ----------
    items : at least two; one without a value or an interval leaves the order open
    of : the estimate that is compared
    lowest : the smallest instead of the largest
    """
    if len(items) < 2:
        return None
    limits = []
    for item in items:
        interval = of(item).interval
        if interval is None:
            return None
        limits.append((-interval.high, -interval.low) if lowest else (interval.low, interval.high))
    best = max(range(len(items)), key=lambda place: limits[place][0])
    others = max(high for place, (_, high) in enumerate(limits) if place != best)
    return items[best] if limits[best][0] > others else None


def horizon_of(inputs: StudyInputs, settings: ValueSettings, months: int) -> Fact:
    """Months over which value is counted; observed rates reach no further than a year."""
    stated = stated_in("horizon_months" if months == settings.horizon_months else "observed_rates_months")
    return Stating(inputs=inputs).exact("value_horizon", months, lineage=stated)
