"""A headline against another period, and how the change reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from analysis.formats import Number, Unit
from analysis.locale import Text
from analysis.metrics import Metric, Period, Stating, StudyInputs
from analysis.periods import Month
from analysis.results import Assumed, Fact, Interval
from analysis.summaries import Summarised

Reading = Literal["good", "bad", "noise", "neutral"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Change(Summarised):
    """A headline against another period and how it reads: ``noise`` when the interval of the change holds zero."""

    against: Text
    base: Fact
    change: Fact
    reading: Reading


def change(
    inputs: StudyInputs,
    metric: Metric,
    fact: Fact,
    base: Fact,
    against: str,
    *,
    period: Month | Period | None = None,
) -> Change:
    """The change from ``base`` to ``fact``: in percentage points for a share, else relative to the base.

    Parameters
    ----------
    fact, base : the metric of the reported period, or of a span, and of the period or span it is held against
    against : which period or span that is, a value of the dimension ``against``
    period : of the fact, where it is not the report month
    """
    points = Unit.parse(fact.unit).base in {"share", "chance"}
    parts: dict[str, Any] = {}
    if points and fact.value is not None and base.value is not None:
        interval = _difference_interval(inputs, metric, fact, base)
        parts = {"interval": interval, "n": (fact.n or 0) + (base.n or 0)} if interval else {}
    made = Stating(inputs=inputs).derived(
        "point_change" if points else "relative_change",
        fact,
        base,
        period=period,
        parts=parts,
        of=metric.id,
        against=against,
    )
    label = inputs.engine.registry.value_label("against", against)
    reading = "neutral" if made.value is None else _reading(metric, made)
    return Change(against=label, base=base, change=made, reading=reading)


def _difference_interval(inputs: StudyInputs, metric: Metric, fact: Fact, base: Fact) -> Interval | None:
    """Interval of the difference of two periods' shares, for metrics that are estimates."""
    if metric.interval not in ("wilson", "garwood") or not (fact.denominator and base.denominator):
        return None
    from analysis import stats

    parts = (int(fact.numerator or 0), int(fact.denominator), int(base.numerator or 0), int(base.denominator))
    # a rate of more than one per case is no share
    if parts[0] > parts[1] or parts[2] > parts[3]:
        return None
    found = stats.proportion_difference_interval(*parts, level=inputs.confidence)
    return Interval(
        low=float(found.low), high=float(found.high), level=inputs.confidence, method=found.method
    )


def _reading(metric: Metric, made: Fact) -> Reading:
    if made.interval is not None and made.interval.holds(0):
        return "noise"
    if metric.better == "neither" or not made.value:
        return "neutral"
    return "good" if (made.value > 0) == (metric.better == "higher") else "bad"


def limit_of(inputs: StudyInputs, metric: Metric) -> Fact | None:
    """The line of the metric's threshold; a dated assumption has an entry of its own in the registry."""
    if metric.threshold is None or not metric.threshold.assumption:
        return None
    name = metric.threshold.assumption
    return Stating(inputs=inputs).exact(
        name,
        inputs.assumptions.value(name, on=inputs.month.last_day),
        lineage=Assumed(source="params/assumptions.yml", name=name),
    )


def crossed(metric: Metric, fact: Fact, limit: Fact | None) -> bool:
    """Strictly beyond the line; for an estimate the whole interval must be."""
    if metric.threshold is None or limit is None or limit.value is None or fact.value is None:
        return False
    above = metric.threshold.direction == "above"
    edge: Number = fact.value if fact.interval is None else fact.interval.low if above else fact.interval.high
    return float(edge) > float(limit.value) if above else float(edge) < float(limit.value)
