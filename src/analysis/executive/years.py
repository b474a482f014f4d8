"""The headlines over longer spans: the year so far and the last twelve months, each against the same span a year earlier.

A rate that falls from 3.0 to 2.2 percent on twenty thousand orders a year is a real fall although no single month shows it; so a span is
tested as a span. How many events that makes is counted at this year's cases, and what was saved in the meantime is set beside them: the two
happened together, and no more is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.executive.changes import Change, change
from analysis.locale import Text
from analysis.metrics import Metric, Period, Stating, StudyInputs
from analysis.results import Fact
from analysis.summaries import Summarised

AGAINST = "span_year_before"
COST = "after_sales_cost"


@dataclass(frozen=True, kw_only=True)
class SpanLine(Summarised):
    """One headline over one span: its value, that of a year earlier and the change between them.

    ``events`` are those more (or fewer) than at the earlier rate; only of rates that are counted. ``per_event`` is what was saved for each
    event fewer, where both are there.
    """

    metric: Metric
    fact: Fact
    change: Change
    events: Fact | None = None
    per_event: Fact | None = None


@dataclass(frozen=True, kw_only=True)
class Span(Summarised):
    """A span of months with its lines; ``name`` is the message that names it."""

    name: str
    period: Period
    before: Period
    lines: tuple[SpanLine, ...]


def spans(inputs: StudyInputs, metrics: Sequence[str]) -> tuple[Span, ...]:
    """The year so far and the last twelve months; in the last month of a year they are one, and stand once.

    Returns
    -------
    tuple of Span
        Values in the metrics' units, changes in percentage points or relative to the year before; a rate that is an estimate has the interval of its
        change, and of the events that it makes.
    """
    month = inputs.month
    year = inputs.company_year
    found = {"Year to date": Period(year.first, month), "Last twelve months": Period(month - 11, month)}
    if month == year.last:
        del found["Year to date"]
    return tuple(_span(inputs, name, period, metrics) for name, period in found.items())


def _span(inputs: StudyInputs, name: str, period: Period, metrics: Sequence[str]) -> Span:
    before = Period(period.first - 12, period.last - 12)
    cost = _of(inputs, COST, period), _of(inputs, COST, before)
    return Span(
        name=name,
        period=period,
        before=before,
        lines=tuple(_line(inputs, metric, period, before, cost) for metric in metrics),
    )


def _line(
    inputs: StudyInputs, name: str, period: Period, before: Period, cost: tuple[Fact, Fact]
) -> SpanLine:
    metric = inputs.engine.registry[name]
    now, base = _of(inputs, name, period), _of(inputs, name, before)
    moved = change(inputs, metric, now, base, AGAINST, period=period)
    events = _events(inputs, metric, now, base, moved, period)
    return SpanLine(
        metric=metric,
        fact=now,
        change=moved,
        events=events,
        per_event=_per_event(inputs, metric, events, cost, period)
        if events is not None and metric.better == "lower"
        else None,
    )


def _of(inputs: StudyInputs, name: str, period: Period) -> Fact:
    """The metric over a span that the data cover from its first month on; half a span is none to compare with."""
    fact = inputs.engine.fact(name, period=period)
    reason = inputs.engine.unbegun(period, fact.sources) or inputs.begins_within(period, fact.sources)
    if reason is None:
        return fact
    return Stating(inputs=inputs).exact(name, None, period=period, reason=reason)


def _events(
    inputs: StudyInputs, metric: Metric, now: Fact, base: Fact, moved: Change, period: Period
) -> Fact | None:
    """Events of the span less those at the rate of a year earlier among the same cases; None for what is no counted rate."""
    interval = moved.change.interval
    if interval is None or now.numerator is None or not now.denominator or base.value is None:
        return None
    cases = float(now.denominator)
    return Stating(inputs=inputs).between(
        "events_difference",
        float(now.numerator) - float(base.value) * cases,
        interval.low * cases,
        interval.high * cases,
        n=moved.change.n or 0,
        method=f"{interval.method}, at the cases of this span",
        period=period,
        of=metric.id,
        against=AGAINST,
    )


def _per_event(
    inputs: StudyInputs, metric: Metric, events: Fact, cost: tuple[Fact, Fact], period: Period
) -> Fact:
    """Cost saved for each event fewer; only where the rate fell beyond doubt and cost fell with it."""
    state = Stating(inputs=inputs)
    now, before = cost
    limits = events.interval
    if now.value is None or before.value is None:
        reason = Text.of("not computed: no cost of both spans")
    elif limits is None or limits.high >= 0:
        reason = Text.of("not computed: it is not shown that there were fewer")
    elif now.value >= before.value:
        reason = Text.of("not computed: no cost was saved")
    else:
        saved = float(before.value) - float(now.value)
        return state.between(
            "saved_per_event",
            saved / -float(events.value or 0),
            saved / -limits.low,
            saved / -limits.high,
            n=events.n or 0,
            method="limits of the events",
            period=period,
            of=metric.id,
            against=AGAINST,
        )
    return state.exact("saved_per_event", None, period=period, reason=reason, of=metric.id, against=AGAINST)
