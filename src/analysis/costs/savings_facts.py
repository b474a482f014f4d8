"""Registered measures, expected against realised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.costs.figures import added
from analysis.costs.savings import (
    MeasureResult,
    RegressionToMean,
    cost_residual_ratio,
    difference_in_differences,
    expected_against_realised,
    interrupted_series,
    plausibility,
    regression_to_mean,
    unit_cost_at_constant_mix,
)
from analysis.costs.serial import contrast
from analysis.costs.signals_facts import false_alarm_level
from analysis.errors import FitError, MissingData
from analysis.locale import Text
from analysis.metrics import NotDone, Period, Stating, StudyInputs, cents, materiality, traced
from analysis.metrics.backend import literal
from analysis.params.interventions import Intervention, load_interventions
from analysis.periods import Month
from analysis.results import Assumed, Check, Fact, Finding, Ground, Interval, Sentence, Severity, Stake, Value
from analysis.stats.multiplicity import adjust_p_values
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

MIX = ("product_line", "component")
# tickets of own teams
OWN = "team IN (SELECT team FROM workforce WHERE coalesce(sourcing, 'in_house') = 'in_house')"


@dataclass(frozen=True, kw_only=True, eq=False)
class RegisteredMeasure(Summarised):
    """One registered measure: what was promised and what came, or why it could not be judged; and whether it began after a peak."""

    entry: Intervention
    design: Text
    verdict: Text
    facts: dict[str, Fact]
    result: MeasureResult | NotDone
    peak: RegressionToMean | NotDone
    kind: Text | None = None
    reached: Reached | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Reached(Summarised):
    """The part of a measure's slice that it could reach: its share of the tickets, and what came of the promise there.

    A measure that saves hours of own people reaches no order that partners do.
    """

    share: Fact
    rate: Fact
    promised: Fact

    @property
    def delivered(self) -> bool:
        """Whether the part that was reached saved something and the promise lies within its interval or below."""
        limits = self.rate.interval
        return limits is not None and limits.low > 0 and limits.high >= float(self.promised.value or 0)


_DESIGN = {
    "difference in differences": Text.of("Against the untouched part"),
    "interrupted series": Text.of("Interrupted series"),
}
_VERDICT = {
    "delivered": Text.of("Delivered"),
    "partly delivered": Text.of("Partly delivered"),
    "not delivered": Text.of("Not delivered"),
    "could be noise": Text.of("Could be noise"),
}
_NONE = Text.of("Not computed")
OPEN = Text.of("no interval: one of its ends is open")
_NOTIONAL = Text.of("Capacity freed (notional)")
_BOOKED = Text.of("Saving in the ledger")
_WHERE_REACHED = Text.of("Delivered where it reached")


@traced
def measures_of(inputs: StudyInputs) -> tuple[RegisteredMeasure, ...]:
    """Every registered measure of the service process that has begun."""
    return tuple(
        _measure(inputs, entry)
        for entry in load_interventions(kind="measure")
        if entry.starts <= inputs.month.last_day
    )


def _measure(inputs: StudyInputs, entry: Intervention) -> RegisteredMeasure:
    try:
        return _judged(inputs, entry)
    except (MissingData, FitError) as refusal:
        why = NotDone.because(refusal)
        return RegisteredMeasure(entry=entry, design=_NONE, verdict=_NONE, facts={}, result=why, peak=why)


def _peak(series: pd.Series, start: Month) -> RegressionToMean | NotDone:
    """Whether the measure began after a peak of its cost per ticket."""
    try:
        return regression_to_mean(series, start=str(start))
    except (MissingData, FitError) as refusal:
        return NotDone.because(refusal)


@traced
def _judged(inputs: StudyInputs, entry: Intervention) -> RegisteredMeasure:
    """Cost per ticket at constant mix before and after, against the untouched slices where the register names them.

    Raises
    ------
    MissingData, FitError
        With too few months on either side, or without the columns the measure is judged on.
    """
    start = Month(entry.starts.year, entry.starts.month)
    own = {name: [value] for name, value in entry.where.items() if name != "category"}
    treated = _series(inputs, entry, own)
    series = unit_cost_at_constant_mix(treated, by=list(MIX))
    tickets = treated.groupby("month")["tickets"].sum().sort_index()
    untouched = None
    if entry.comparison:
        others = {name: list(values) for name, values in entry.comparison.items()}
        cells = _series(inputs, entry, own | others)
        other = unit_cost_at_constant_mix(cells, by=list(MIX))
        months = series.index.intersection(other.index)
        measured = difference_in_differences(
            series[months], other[months], start=str(start), confidence=inputs.confidence
        )
        untouched = cells.groupby("month")["tickets"].sum().sort_index().reindex(months).fillna(0.0)
    else:
        measured = interrupted_series(
            series, start=str(start), shape="level", harmonics=1, confidence=inputs.confidence
        )
    after = list(measured.series.loc[measured.series["after"], "month"])
    expected_cost = float(measured.series.loc[measured.series["after"], "expected"].mean())
    volume = float(tickets.reindex(after).mean())
    result = expected_against_realised(
        measured,
        tickets,
        cost=entry.cost,
        expected_monthly_saving=cents(entry.expected_reduction * expected_cost * volume),
        annual_rate=float(inputs.assumptions.value("discount_rate_annual", on=inputs.month.last_day)),
        horizon_months=max(24, len(after)),
    )
    avoided = events_avoided(tickets, untouched, start=str(start), confidence=inputs.confidence)
    reached = _reached(inputs, entry, start)
    return RegisteredMeasure(
        entry=entry,
        design=_DESIGN[measured.design],
        verdict=_WHERE_REACHED if _diluted(result, reached) else _VERDICT[result.verdict],
        facts=_facts(inputs, entry, result, expected_cost, avoided, Period(start, inputs.month)),
        result=result,
        peak=_peak(series, start),
        kind=_BOOKED if _booked(entry) else _NOTIONAL,
        reached=reached,
    )


def _booked(entry: Intervention) -> bool:
    """Whether the measure is judged on postings; otherwise on hours at the wage, which the ledger does not save by itself."""
    return "category" in entry.where


def _diluted(result: MeasureResult, reached: Reached | None) -> bool:
    """Whether the slice fell short only because part of it was out of reach."""
    return result.verdict == "partly delivered" and reached is not None and reached.delivered


@traced
def _reached(inputs: StudyInputs, entry: Intervention, start: Month) -> Reached | None:
    """The same comparison on orders of own people alone; None where the measure reaches all of its slice, or too few to judge.

    The slice as it was registered stays the headline: this part explains it and is never judged in its place.
    """
    if _booked(entry) or not entry.comparison:
        return None
    own = {name: [value] for name, value in entry.where.items()}
    others = {name: list(values) for name, values in entry.comparison.items()}
    try:
        whole, treated, untouched = (
            _series(inputs, entry, where, reach=reach)
            for where, reach in ((own, ""), (own, OWN), (own | others, OWN))
        )
    except MissingData:  # no one says whose the teams are
        return None
    inside, all_of = (
        int(cells.loc[cells["month"] >= str(start), "tickets"].sum()) for cells in (treated, whole)
    )
    if inside == all_of or not inside:
        return None
    one, other = (unit_cost_at_constant_mix(cells, by=list(MIX)) for cells in (treated, untouched))
    months = one.index.intersection(other.index)
    try:
        found = difference_in_differences(
            one[months], other[months], start=str(start), confidence=inputs.confidence
        )
    except (MissingData, FitError):  # too few orders of own people; the slice itself was judged
        return None
    before = float(found.series.loc[found.series["after"], "expected"].mean())
    state = Stating(inputs=inputs, period=Period(start, inputs.month))
    limits = found.interval.spanned(low=-found.interval.high / before, high=-found.interval.low / before)
    return Reached(
        share=state.share("measure_reached_share", inside, all_of, measure=entry.id),
        rate=state.exact(
            "measure_reached_rate",
            -found.effect / before,
            parts={"interval": limits, "n": found.months_before + found.months_after},
            measure=entry.id,
        ),
        promised=state.exact(
            "measure_promised_rate",
            entry.expected_reduction,
            lineage=Assumed(source="params/interventions.yml", name=f"{entry.id}.expected_reduction"),
            measure=entry.id,
        ),
    )


@traced
def events_avoided(
    tickets: pd.Series, untouched: pd.Series | None, *, start: str, confidence: float
) -> tuple[float, Interval]:
    """Tickets that did not come after the start: those of a month before, grown as where nothing was changed, minus those that came.

    Without an untouched group the months before are taken as they were. The limits are those of the difference between the months before
    and after in what is left of a month's tickets beside the untouched group's at its share before the start (`serial.contrast`).
    """
    before, after = tickets[tickets.index < start], tickets[tickets.index >= start]
    growth, rest = 1.0, tickets.to_numpy(float)
    if untouched is not None and float(untouched[untouched.index < start].mean()) > 0:
        usual = float(untouched[untouched.index < start].mean())
        growth = float(untouched[untouched.index >= start].mean()) / usual
        beside = untouched.reindex(tickets.index).fillna(0.0).to_numpy(float)
        rest = rest - float(before.mean()) / usual * beside
    design = np.column_stack([np.ones(len(rest)), (tickets.index >= start).astype(float)])
    low, high = contrast(design, rest, np.array([0.0, -len(after)])).limits(confidence)
    value = float(before.mean()) * growth * len(after) - float(after.sum())
    method = "difference of months before and after, serially correlated errors, t"
    return value, Interval(low=min(low, value), high=max(high, value), level=confidence, method=method)


@traced
def _series(
    inputs: StudyInputs, entry: Intervention, where: dict[str, list[str]], *, reach: str = ""
) -> pd.DataFrame:
    """Cost and tickets by month and cell of the mix: handling hours at the month's wage, or the postings of the measure's category.

    ``reach`` : a further condition on the tickets
    """
    conditions = (
        " AND ".join(
            f"{name} IN ({', '.join(literal(value) for value in values)})"
            for name, values in sorted(where.items())
        )
        or "TRUE"
    )
    if reach:
        conditions += f" AND {reach}"
    if entry.ticket_type and "ticket_type" not in entry.where:
        conditions += f" AND ticket_type = {literal(entry.ticket_type)}"
    mix = ", ".join(f"coalesce({name}, 'not_stated') AS {name}" for name in MIX)
    chosen = (
        f"SELECT ticket_id, strftime(month, '%Y-%m') AS month, {mix}, coalesce(handling_hours, 0) AS hours "
        f"FROM service WHERE {conditions} AND month < {literal(inputs.month.end)}"
    )
    needs: tuple[str, ...]
    if "category" in entry.where:
        posted = (
            f"SELECT ticket_id, sum(amount) AS cost FROM cost WHERE category = {literal(entry.where['category'])} "
            "AND posting_basis IN ('incurred', 'recovery') AND tracing = 'direct' GROUP BY 1"
        )
        cost, joined, needs = (
            "coalesce(p.cost, 0)",
            f"LEFT JOIN ({posted}) p USING (ticket_id)",
            ("ledger.ticket_id",),
        )
    else:
        wage = (
            f"SELECT sum(cost)::DOUBLE / nullif({added('hours_paid')}, 0) AS wage FROM workforce "
            "WHERE cost IS NOT NULL AND coalesce(sourcing, 'in_house') = 'in_house'"
        )
        cost, joined = "t.hours * w.wage", f"CROSS JOIN ({wage}) w"
        needs = ("staff.cost", "staff.hours_paid", "tickets.handling_hours")
    groups = ", ".join(f"t.{name}" for name in ("month", *MIX))
    return inputs.engine.query(
        f"SELECT {groups}, count(*)::DOUBLE AS tickets, {added(cost)} AS cost FROM ({chosen}) t {joined} GROUP BY {groups} ORDER BY {groups}",
        needs=needs,
    )


@traced
def _facts(
    inputs: StudyInputs,
    entry: Intervention,
    result: MeasureResult,
    before: float,
    events: tuple[float, Interval],
    period: Period,
) -> dict[str, Fact]:
    """The measure in facts; ``before`` is the expected cost per ticket without it, ``events`` tickets that did not come."""
    state, (avoided, around) = Stating(inputs=inputs, period=period), events
    limits, measured = result.measured.interval, result.measured
    after = before + measured.effect
    line = plausibility(result.saving, events_avoided=avoided, unit_cost_before=before)

    def fact(metric: str, value: Any, interval: Interval | None = None, reason: Text = _NONE) -> Fact:
        parts = {"interval": interval, "n": measured.months_before + measured.months_after}
        why = {"reason": OPEN} if interval is None else {}
        return state.exact(metric, value, reason=reason, parts=parts | why, measure=entry.id)

    def scaled(low: float, high: float) -> Interval:
        return Interval.spanning(low=low, high=high, level=limits.level, method=limits.method)

    residual = fact(
        "cost_residual_ratio",
        cost_residual_ratio(before, after),
        scaled(1 + limits.low / before, 1 + limits.high / before),
    )
    expected = fact(
        "saving_expected",
        result.expected,
        # the promise is a part of what a ticket would have cost, which is as uncertain as the effect
        scaled(
            float(result.expected) * (after - limits.high) / before,
            float(result.expected) * (after - limits.low) / before,
        ),
    )
    saving = fact(
        "saving_realised" if _booked(entry) else "capacity_freed", result.saving, result.saving_interval
    )
    each = per_event_limits(result, avoided, around)
    of_residual = {"interval": scaled(-limits.high / before, -limits.low / before), "n": residual.n}
    return {
        "expected": expected,
        "saving": saving,
        "short": _shortfall(state, expected, saving, measure=entry.id),
        "rate": state.derived("cost_saving_rate", residual, parts=of_residual, measure=entry.id),
        "residual": residual,
        "cost": state.exact(
            "measure_cost",
            entry.cost,
            lineage=Assumed(source="params/interventions.yml", name=f"{entry.id}.cost"),
            parts={"n": residual.n},
            measure=entry.id,
        ),
        "discount": Stating(inputs=inputs).assumed("value_discount_rate"),
        "npv": fact("measure_net_present_value", result.net_present_value, result.net_present_value_interval),
        "payback": fact(
            "measure_payback",
            result.payback_months,
            result.payback_interval,
            reason=Text.of("not paid back within the horizon"),
        ),
        "per_ticket": fact("saving_per_ticket", cents(-measured.effect), scaled(-limits.high, -limits.low)),
        "unit_before": fact(
            "measure_unit_cost", cents(before), scaled(after - limits.high, after - limits.low)
        ),
        "avoided": fact("events_avoided", round(avoided), around),
        "per_event": fact(
            "saving_per_event_avoided",
            # without limits no ticket is shown to have been avoided, and the quotient says nothing
            None if each is None or line.plausible is None else cents(line.saved_per_event),
            each,
            reason=_no_price_of_a_ticket(result, around),
        ),
    }


def _no_price_of_a_ticket(result: MeasureResult, avoided: Interval) -> Text:
    """Why there is no money per ticket avoided, by what is shown of the tickets and of the money."""
    if avoided.low > 0:
        return Text.of("tickets were avoided, but nothing was saved")
    if avoided.high < 0:
        return Text.of("none was avoided: more tickets came than were to be expected")
    if result.saving_interval.low > 0:
        return Text.of("not shown that any ticket was avoided: the saving lies in the cost of each")
    return Text.of("not shown that any ticket was avoided, nor that anything was saved")


def per_event_limits(result: MeasureResult, avoided: float, around: Interval) -> Interval | None:
    """Limits of money saved per ticket avoided, relative errors added in quadrature on either side (Zou and Donner 2008); None where none may have been."""
    saved, limits = float(result.saving), result.saving_interval
    if around.low <= 0 or saved <= 0:
        return None
    each = saved / avoided
    below = np.hypot(limits.low / saved - 1, avoided / around.high - 1)
    above = np.hypot(limits.high / saved - 1, avoided / around.low - 1)
    return limits.spanned(low=each * (1 - float(below)), high=each * (1 + float(above)))


def measure_checks(measures: Sequence[RegisteredMeasure]) -> list[Check]:
    """Registered measures that could not be judged, or not held against a peak before their start."""
    return [
        Check(
            id=f"not_tested.measure_{measure.entry.id}",
            outcome="info",
            sentence=Sentence(template, {"what": measure.entry.name, "reason": part.reason}),
        )
        for measure in measures
        for template, part in (_left_out(measure),)
        if isinstance(part, NotDone)
    ]


def _left_out(measure: RegisteredMeasure) -> tuple[str, object]:
    if isinstance(measure.result, NotDone):
        return "Not tested: {what}; {reason}.", measure.result
    return "Not tested: whether {what} began after a peak; {reason}.", measure.peak


def _shortfall(state: Stating, expected: Fact, saved: Fact, **place: Any) -> Fact:
    """What a measure saved less than was expected of it; both rest on one estimate, so their high ends come together, and their low ones."""
    one, other = expected.interval, saved.interval
    if one is None or other is None:
        return state.derived("saving_shortfall", expected, saved, parts={"reason": OPEN}, **place)
    ends = (one.high - other.high, one.low - other.low)
    limits = one.spanned(low=float(min(ends)), high=float(max(ends)))
    return state.derived(
        "saving_shortfall", expected, saved, parts={"interval": limits, "n": expected.n}, **place
    )


def measure_findings(inputs: StudyInputs, measures: Sequence[RegisteredMeasure]) -> list[Finding]:
    """Measures that fell short of what was promised, and those that delivered; each side holds one false alarm in a hundred reports by Holm."""
    level, material = false_alarm_level(inputs), materiality(inputs)
    judged = [(measure, measure.result) for measure in measures if not isinstance(measure.result, NotDone)]
    short = adjust_p_values([result.p_value_short for _, result in judged], method="holm")
    saved = adjust_p_values([result.p_value_saving for _, result in judged], method="holm")
    found = []
    for (measure, result), falls_short, saves in zip(judged, short, saved, strict=True):
        severity: Severity
        ground: Ground
        stake = None
        diluted = _diluted(result, measure.reached)
        if falls_short < level and (diluted or result.verdict in ("not delivered", "partly delivered")):
            part = result.verdict == "partly delivered" and saves < level
            template = _DILUTED if diluted else _IN_PART if part else _NOT
            stake, ground = Stake.of(measure.facts["short"]), "loss"
            severity = material.severity(stake)
        elif result.verdict == "delivered" and saves < level:
            template, severity, ground = _DELIVERED, "good", "good"
        else:
            continue
        values: dict[str, Value] = {
            "name": measure.entry.name,
            "saving": measure.facts["saving"],
            "expected": measure.facts["expected"],
            "short": measure.facts["short"],
        }
        if measure.reached is not None and template is _DILUTED:
            reached = measure.reached
            values |= {"share": reached.share, "rate": reached.rate, "promised": reached.promised}
        booked = _booked(measure.entry)
        found.append(
            Finding(
                id="costs.measure",
                section="costs",
                severity=severity,
                ground=ground,
                stake=stake,
                subject={"measure": measure.entry.id},
                statement=Sentence(template if booked else f"{template} {_FREED}", values),
                evidence=result.measured.series,
                rank=abs(float(result.expected - result.saving)),
                method="Cost per ticket at constant mix, before and after, against an untouched comparison group; serially correlated errors; "
                "Holm over the registered measures, one false alarm in a hundred reports",
            )
        )
    return found


_DILUTED = "The measure “{name}” delivered where it could reach: cost per ticket of own teams fell by {rate} ({rate:interval}), {promised} was promised. Own teams handled {share} of its tickets since ({share:numerator} of {share:denominator}){share:doubt}; the rest went to service partners, whom it does not reach, so the whole slice came to {saving} ({saving:interval}) against {expected} expected{expected:doubt}, {short} less than promised{short:doubt}."
_FREED = "This is capacity freed (notional), hours at the wage: the ledger saves it only where those hours are no longer paid."
_NOT = "The measure “{name}” did not deliver: {saving} saved ({saving:interval}) against {expected} expected{expected:doubt}, {short} less than promised{short:doubt}."
_IN_PART = "The measure “{name}” delivered only in part: {saving} saved ({saving:interval}) against {expected} expected{expected:doubt}, {short} less than promised{short:doubt}."
_DELIVERED = "The measure “{name}” delivered: {saving} saved ({saving:interval}) against {expected} expected{expected:doubt}."
