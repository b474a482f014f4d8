"""Facts of the retention study: one place that turns counts and estimates into published numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from analysis.locale import Text
from analysis.metrics import StudyInputs
from analysis.results import Fact, Interval

if TYPE_CHECKING:
    from analysis.metrics import Period
    from analysis.periods import Month

TOO_FEW = Text(en="not computed: too few customers", zh="未计算：客户太少")
NO_YEAR = Text(
    en="not computed: orders reach back less than a year before the period",
    zh="未计算：订单记录在期前不足一年",
)
NOBODY = Text(en="not computed: nobody was present at the start", zh="未计算：期初无客户")


class Common(TypedDict):
    """What the facts of one table have in common."""

    period: Month | Period


def share(
    inputs: StudyInputs,
    metric: str,
    hits: float,
    of: float,
    *,
    period: Month | Period,
    dimensions: Mapping[str, str],
) -> Fact:
    """A share of customers with its Wilson interval; without customers, the reason."""
    from analysis import stats

    if not of:
        return inputs.engine.stated(metric, period=period, value=None, reason=NOBODY, dimensions=dimensions)
    found = stats.proportion_interval(int(hits), int(of), method="wilson", level=inputs.confidence)
    return inputs.engine.stated(
        metric,
        period=period,
        value=hits / of,
        numerator=int(hits),
        denominator=int(of),
        n=int(of),
        dimensions=dimensions,
        interval=Interval(
            low=float(found.low), high=float(found.high), level=inputs.confidence, method="Wilson"
        ),
    )


def estimate(
    inputs: StudyInputs,
    metric: str,
    value: float,
    low: float,
    high: float,
    *,
    method: str,
    period: Month | Period,
    dimensions: Mapping[str, str],
    n: int,
) -> Fact:
    """An estimate with its interval; nan (not reached, not estimable) becomes a reason."""
    if not all(number == number and abs(number) != float("inf") for number in (value, low, high)):
        return inputs.engine.stated(metric, period=period, value=None, reason=TOO_FEW, dimensions=dimensions)
    return inputs.engine.stated(
        metric,
        period=period,
        value=float(value),
        n=n,
        dimensions=dimensions,
        interval=Interval(low=float(low), high=float(high), level=inputs.confidence, method=method),
    )


def plain(
    inputs: StudyInputs,
    metric: str,
    value: Any,
    *,
    period: Month | Period,
    dimensions: Mapping[str, str],
    **parts: Any,
) -> Fact:
    """A count or an accounting amount: exact; None with the reason that nobody was there."""
    if value is None:
        parts = {**parts, "reason": parts.get("reason", NOBODY)}
    return inputs.engine.stated(metric, period=period, value=value, dimensions=dimensions, **parts)
