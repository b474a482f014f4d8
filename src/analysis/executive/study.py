"""Headlines of the month. A change is coloured only when it is exact, or when its interval leaves zero out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.formats import Number, Unit
from analysis.locale import Text
from analysis.metrics import Metric, StudyInputs
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Check, Fact, Finding, Interval, Sentence
from analysis.summaries import Summarised

HEADLINES = (
    "after_sales_cost",
    "after_sales_cost_rate",
    "service_unit_cost",
    "labour_share",
    "service_order_count",
    "complaint_ticket_rate",
    "automation_rate",
    "service_rework_rate",
)
AGAINST = {"previous_month": 1, "year_before": 12}
HISTORY_MONTHS = 13

Reading = Literal["good", "bad", "noise", "neutral"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Change(Summarised):
    """A headline against another month and how it reads: ``noise`` when the interval of the change holds zero."""

    against: Text
    base: Fact
    change: Fact
    reading: Reading


@dataclass(frozen=True, kw_only=True, eq=False)
class Headline(Summarised):
    """One metric of the month with its changes and its last months."""

    metric: Metric
    fact: Fact
    changes: tuple[Change, ...]
    history: tuple[Fact, ...]
    limit: Fact | None
    crossed: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class ExecutiveStudy(Summarised):
    """What the executive summary shows, besides the findings of the other sections."""

    month: Month
    headlines: tuple[Headline, ...]
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]


def study(inputs: StudyInputs, *, metrics: Sequence[str] = HEADLINES) -> ExecutiveStudy:
    """The headlines; a metric whose data are absent says so in its place."""
    headlines = tuple(_headline(inputs, metric) for metric in metrics)
    missing = [headline for headline in headlines if headline.fact.value is None]
    return ExecutiveStudy(
        month=inputs.month, headlines=headlines, findings=(), checks=(_complete(headlines, missing),)
    )


def _headline(inputs: StudyInputs, name: str) -> Headline:
    engine, metric = inputs.engine, inputs.engine.registry[name]
    history = tuple(
        engine.fact(name, period=inputs.month - back) for back in range(HISTORY_MONTHS - 1, -1, -1)
    )
    fact = history[-1]
    changes = tuple(
        _change(inputs, metric, fact, history[-1 - back], against) for against, back in AGAINST.items()
    )
    limit = None if fact.value is None else _limit(inputs, metric)
    return Headline(
        metric=metric,
        fact=fact,
        changes=changes,
        history=tuple(f for f in history if f.value is not None),
        limit=limit,
        crossed=_crossed(metric, fact, limit),
    )


@traced
def _limit(inputs: StudyInputs, metric: Metric) -> Fact | None:
    """The line of the metric's threshold; a dated assumption has an entry of its own in the registry."""
    threshold = metric.threshold
    if threshold is None or not threshold.assumption:
        return None
    value = inputs.assumptions.value(threshold.assumption, on=inputs.month.last_day)
    return inputs.engine.stated(threshold.assumption, period=inputs.month, value=value)


def _crossed(metric: Metric, fact: Fact, limit: Fact | None) -> bool:
    """Strictly beyond the line; for an estimate the whole interval must be."""
    if metric.threshold is None or limit is None or limit.value is None or fact.value is None:
        return False
    above = metric.threshold.direction == "above"
    edge: Number = fact.value if fact.interval is None else fact.interval.low if above else fact.interval.high
    return float(edge) > float(limit.value) if above else float(edge) < float(limit.value)


@traced
def _change(inputs: StudyInputs, metric: Metric, fact: Fact, base: Fact, against: str) -> Change:
    registry = inputs.engine.registry
    label = registry.value_label("against", against)
    place = {"of": metric.id, "against": against}
    points = Unit.parse(fact.unit).base == "share"
    kind = "point_change" if points else "relative_change"
    if fact.value is None or base.value is None or not points and base.value <= 0:
        reason = (
            fact.reason
            or base.reason
            or Text(en="not computed: the base is not positive", zh="未计算：基数非正")
        )
        change = inputs.engine.stated(kind, period=inputs.month, value=None, reason=reason, dimensions=place)
        return Change(against=label, base=base, change=change, reading="neutral")
    difference = fact.value - base.value  # type: ignore[operator]
    interval = _difference_interval(inputs, metric, fact, base) if points else None
    change = inputs.engine.stated(
        kind,
        period=inputs.month,
        value=difference if points else float(difference) / float(base.value),
        dimensions=place,
        interval=interval,
        n=(fact.n or 0) + (base.n or 0) if interval else None,
    )
    return Change(against=label, base=base, change=change, reading=_reading(metric, change))


@traced
def _difference_interval(inputs: StudyInputs, metric: Metric, fact: Fact, base: Fact) -> Interval | None:
    """Interval of the difference of two months' shares, for metrics that are estimates."""
    if metric.interval not in ("wilson", "garwood") or not (fact.denominator and base.denominator):
        return None
    from analysis import stats

    parts = (int(fact.numerator or 0), int(fact.denominator), int(base.numerator or 0), int(base.denominator))
    if parts[0] > parts[1] or parts[2] > parts[3]:
        return None
    found = stats.proportion_difference_interval(*parts, level=inputs.confidence)
    return Interval(
        low=float(found.low), high=float(found.high), level=inputs.confidence, method=found.method
    )


@traced
def _reading(metric: Metric, change: Fact) -> Reading:
    if change.interval is not None and change.interval.low <= 0 <= change.interval.high:
        return "noise"
    if metric.better == "neither" or not change.value:
        return "neutral"
    return "good" if (change.value > 0) == (metric.better == "higher") else "bad"


def _complete(headlines: Sequence[Headline], missing: Sequence[Headline]) -> Check:
    if missing:
        names = ", ".join(headline.metric.id for headline in missing)
        return Check(
            id="headlines",
            outcome="info",
            sentence=Sentence(
                "Headlines that could not be computed from these data: {names}.", {"names": names}
            ),
        )
    return Check(id="headlines", outcome="passed", sentence=Sentence("Every headline could be computed."))
