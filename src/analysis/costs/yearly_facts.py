"""Rates of the last twelve months by kind of service order and group against earlier years, as facts and findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from analysis.costs.demand_facts import Demand, group_name, place_of
from analysis.costs.scan import YEAR, Field
from analysis.costs.signals_facts import false_alarm_level
from analysis.costs.yearly import YearChange, year_changes
from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs, cents, materiality, traced
from analysis.metrics.views.selection import selected
from analysis.metrics.views.service import PLANNED_WORK
from analysis.results import Fact, Finding, Interval, Sentence, Stake, Value
from analysis.summaries import Summarised

METHOD = "two yearly rates and their ratio to the others' (both must reject), spread of months pooled over groups; Holm over groups, kinds and years"


@dataclass(frozen=True, kw_only=True, eq=False)
class YearLine(Summarised):
    """One kind and group whose yearly rate moved: orders of both years, the ratio of their rates, events more or fewer and their cost."""

    kind: str
    place: Mapping[str, str]
    name: Text
    period: Period
    before: Period
    tickets: Fact
    tickets_before: Fact
    ratio: Fact
    beside: Fact
    events: Fact
    cost: Fact | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Yearly(Summarised):
    """Yearly rates that moved beyond chance and beside the others, the surest first, and how many were tested."""

    lines: tuple[YearLine, ...]
    tested: Fact
    findings: tuple[Finding, ...]


@traced
def yearly_of(inputs: StudyInputs, demand: Demand) -> Yearly:
    """Which groups' yearly rates moved, what a surge brought aside.

    Raises
    ------
    MissingData
        With fewer than two years of service orders.
    """
    months = len(demand.months)
    if months < 2 * YEAR:
        raise MissingData(
            "tickets",
            message="{months} months of service orders; two years to compare need {least}",
            months=months,
            least=2 * YEAR,
        )
    fields = {kind: _single(field) for kind, field in demand.left.items()}
    found, tested = year_changes(fields, level=false_alarm_level(inputs), confidence=inputs.confidence)
    lines = tuple(_line(inputs, one) for one in found)
    return Yearly(
        lines=lines,
        tested=Stating(inputs=inputs).exact("yearly_rates_tested", tested, period=_last_year(inputs)),
        findings=tuple(_finding(inputs, one) for one in lines),
    )


def _single(field: Field) -> Field:
    """Whole product lines, shops, regions: what is found within two of them at once is a surge, not a course of years."""
    kept = {
        key: mask
        for key, mask in field.groups.items()
        if "product_line" not in place_of(key) or len(place_of(key)) == 1
    }
    return replace(field, groups=kept)


def _last_year(inputs: StudyInputs) -> Period:
    return Period(inputs.month - (YEAR - 1), inputs.month)


@traced
def _line(inputs: StudyInputs, found: YearChange) -> YearLine:
    """A change as facts."""
    period = _last_year(inputs)
    before = Period(period.first - found.back, period.last - found.back)
    state = Stating(inputs=inputs, period=period)
    place = place_of(found.group)
    slice_of: dict[str, Any] = {"ticket_type": found.kind, **place}
    n, (more, least, most) = int(found.events + found.before), found.more
    told: dict[str, Any] = {"n": n, "method": METHOD, "against": "earlier_year", **slice_of}
    events = state.between("yearly_events", round(more), least, most, **told)
    return YearLine(
        kind=found.kind,
        place=slice_of,
        name=group_name(inputs, place),
        period=period,
        before=before,
        tickets=_counted(state, period, slice_of),
        tickets_before=_counted(state, before, slice_of),
        ratio=state.between("yearly_ratio", found.ratio, found.low, found.high, **told),
        beside=state.exact("yearly_ratio_beside", found.beside, against="earlier_year", **slice_of),
        events=events,
        cost=_cost(state, events, slice_of),
    )


def _counted(state: Stating, period: Period, place: Mapping[str, str]) -> Fact:
    rows = selected("service", period.condition()).of(**place)
    slice_of: dict[str, Any] = dict(place)
    return state.measured("service_order_count", rows, period=period, **slice_of)


@traced
def _cost(state: Stating, events: Fact, place: Mapping[str, Any]) -> Fact | None:
    """Service orders more or fewer at what one cost on average in the last twelve months; None where that is not known."""
    unit = state.inputs.engine.fact("service_unit_cost", period=_last_year(state.inputs))
    if unit.value is None or events.value is None or events.interval is None:
        return None
    each, limits = float(unit.value), events.interval
    interval = Interval.spanning(
        low=limits.low * each, high=limits.high * each, level=limits.level, method=limits.method
    )
    parts = {"n": events.n, "interval": interval}
    amount = cents(float(events.value) * each)
    return state.exact("yearly_events_cost", amount, parts=parts, against="earlier_year", **place)


_MOVED = "{group}, {kind:lower}: the rate of the twelve months to {month} is {ratio} that of the twelve months to {then} ({ratio:interval}), and {beside} beside the course of all other groups; {tickets} came, {events:signed} against the earlier rate ({events:interval})."
_PLANNED_FELL = " It is work that is planned: whether it was left out or was not needed is not shown."
_COSTS = " At the average cost of a ticket that is {cost:signed} ({cost:interval})."


@traced
def _finding(inputs: StudyInputs, line: YearLine) -> Finding:
    """A fall is good, but for planned work; what made a rise was not asked for."""
    values: dict[str, Value] = {
        "group": line.name,
        "kind": inputs.engine.registry.value_label("ticket_type", line.kind),
        "month": line.period.last,
        "then": line.before.last,
        "ratio": line.ratio,
        "beside": line.beside,
        "tickets": line.tickets,
        "events": line.events,
    }
    fell, cost = float(line.ratio.value or 1) < 1, line.cost
    weighed = cost is not None and not fell
    # work that the company plans itself is no demand: less of it may be what breakdowns come from
    left_out = fell and line.kind in PLANNED_WORK
    said = _MOVED + (_COSTS if cost else "") + (_PLANNED_FELL if left_out else "")
    return Finding(
        id="costs.yearly",
        section="costs",
        severity="info"
        if left_out
        else "good"
        if fell
        else materiality(inputs).severity(cost, certain=False),
        ground="statement" if left_out else "good" if fell else "unasked" if weighed else "no_sum",
        stake=Stake.of(cost) if cost is not None and not fell else None,
        subject=dict(line.place),
        statement=Sentence(said, values | ({"cost": cost} if cost else {})),
        method="Whole years: own rate and the ratio to all other groups, both tested, spread of months pooled over groups; Holm over groups, kinds and years, one false alarm in a hundred reports",
        evidence=_rows(line),
        rank=abs(float(cost.value or 0)) if cost else abs(float(line.events.value or 0)),
    )


def _rows(line: YearLine) -> pd.DataFrame:
    """Both years."""
    years = ((line.period, line.tickets), (line.before, line.tickets_before))
    return pd.DataFrame(
        [(str(period.first), str(period.last), fact.value) for period, fact in years],
        columns=["first", "last", "service_orders"],
    )
