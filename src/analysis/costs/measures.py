"""Registered measures, expected against realised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.costs.figures import added, money
from analysis.costs.savings import (
    MeasureResult,
    cost_saving_rate,
    difference_in_differences,
    expected_against_realised,
    interrupted_series,
    plausibility,
    regression_to_mean,
    unit_cost_at_constant_mix,
)
from analysis.errors import AnalysisError, MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.params.interventions import Intervention, load_interventions
from analysis.periods import Month
from analysis.results import Fact, Finding, Interval, Sentence, Severity, Value
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

MIX = ("product_line", "component")
LEVEL = 0.01


@dataclass(frozen=True, kw_only=True, eq=False)
class Measure(Summarised):
    """One registered measure: what was promised, what came, and what to doubt. ``result`` is None where ``reason`` says why."""

    entry: Intervention
    design: Text
    verdict: Text
    facts: dict[str, Fact]
    result: MeasureResult | None
    reason: Text | None


_DESIGN = {
    "difference in differences": Text(en="Against untouched regions", zh="与未实施区域对比"),
    "interrupted series": Text(en="Interrupted series", zh="中断时间序列"),
}
_VERDICT = {
    "delivered": Text(en="Delivered", zh="已实现"),
    "partly delivered": Text(en="Partly delivered", zh="部分实现"),
    "not delivered": Text(en="Not delivered", zh="未实现"),
    "could be noise": Text(en="Could be noise", zh="可能是噪声"),
}
_NONE = Text(en="Not computed", zh="未计算")


@traced
def measures_of(inputs: StudyInputs) -> tuple[Measure, ...]:
    """Every registered measure of the service process that has begun."""
    return tuple(
        _measure(inputs, entry)
        for entry in load_interventions(kind="measure")
        if entry.starts <= inputs.month.last_day
    )


@traced
def _measure(inputs: StudyInputs, entry: Intervention) -> Measure:
    try:
        return _judged(inputs, entry)
    except AnalysisError as error:
        text = str(error)
        return Measure(
            entry=entry,
            design=_NONE,
            verdict=_NONE,
            facts={},
            result=None,
            reason=Text(en=text, zh=f"未计算：{text}")
            if text.startswith("not computed")
            else Text(en=f"not computed: {text}", zh=f"未计算：{text}"),
        )


@traced
def _judged(inputs: StudyInputs, entry: Intervention) -> Measure:
    start = Month(entry.starts.year, entry.starts.month)
    treated = _series(
        inputs, entry, {name: [value] for name, value in entry.where.items() if name != "category"}
    )
    series = unit_cost_at_constant_mix(treated, by=list(MIX))
    tickets = treated.groupby("month")["tickets"].sum().sort_index()
    untouched = None
    if entry.comparison:
        where = {
            name: [value]
            for name, value in entry.where.items()
            if name not in ("category", *entry.comparison)
        }
        cells = _series(
            inputs, entry, where | {name: list(values) for name, values in entry.comparison.items()}
        )
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
    try:
        regression = regression_to_mean(series, start=str(start))
    except MissingData:
        regression = None
    rate = inputs.assumptions.value("discount_rate_annual", on=inputs.month.last_day)
    result = expected_against_realised(
        measured,
        tickets,
        cost=entry.cost,
        expected_monthly_saving=money(entry.expected_reduction * expected_cost * volume),
        annual_rate=float(rate),
        horizon_months=max(24, len(after)),
        regression=regression,
    )
    avoided = events_avoided(tickets, untouched, start=str(start))
    facts = _facts(inputs, entry, result, expected_cost, avoided, str(Period(start, inputs.month)))
    return Measure(
        entry=entry,
        design=_DESIGN[measured.design],
        verdict=_VERDICT[result.verdict],
        facts=facts,
        result=result,
        reason=None,
    )


@traced
def events_avoided(tickets: pd.Series, untouched: pd.Series | None, *, start: str) -> float:
    """Tickets that did not come after the start: those of a month before, grown as where nothing was changed, minus those that came.

    Without an untouched group the months before are taken as they were. A plain count, without an interval: it serves the plausibility
    line only.
    """
    before, after = tickets[tickets.index < start], tickets[tickets.index >= start]
    growth = 1.0
    if untouched is not None and float(untouched[untouched.index < start].mean()) > 0:
        growth = float(untouched[untouched.index >= start].mean()) / float(
            untouched[untouched.index < start].mean()
        )
    return float(before.mean()) * growth * len(after) - float(after.sum())


@traced
def _series(inputs: StudyInputs, entry: Intervention, where: dict[str, list[str]]) -> pd.DataFrame:
    """Cost and tickets of repairs by month and cell of the mix: handling hours at the month's wage, or the postings of the measure's category."""
    conditions = (
        " AND ".join(
            f"{name} IN ({', '.join(literal(value) for value in values)})"
            for name, values in sorted(where.items())
        )
        or "TRUE"
    )
    if "category" in entry.where and "ticket_type" not in entry.where:
        conditions += " AND ticket_type = 'repair'"
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
            f"SELECT sum(cost)::DOUBLE / {added('hours_paid')} AS wage FROM workforce "
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
    avoided: float,
    period: str,
) -> dict[str, Fact]:
    def fact(metric: str, value: Any, interval: Interval | None = None, reason: Text | None = None) -> Fact:
        return inputs.engine.stated(
            metric,
            period=period,
            value=value,
            dimensions={"measure": entry.id},
            interval=interval,
            reason=reason,
            n=result.measured.months_before + result.measured.months_after,
        )

    limits = result.measured.interval
    after = before + result.measured.effect

    def scaled(low: float, high: float) -> Interval:
        return Interval(low=low, high=high, level=limits.level, method=limits.method)

    line = plausibility(result.saving, events_avoided=avoided, unit_cost_before=before)
    unpaid = Text(en="not paid back within the horizon", zh="期限内未能回收")
    none_avoided = Text(
        en="no ticket was avoided: the saving lies in the cost of each", zh="未减少工单：节约来自单张成本"
    )
    return {
        "expected": fact("saving_expected", result.expected),
        "saving": fact("saving_realised", result.saving, result.saving_interval),
        "rate": fact(
            "cost_saving_rate",
            cost_saving_rate(before, after),
            scaled(-limits.high / before, -limits.low / before),
        ),
        "residual": fact(
            "cost_residual_ratio", after / before, scaled(1 + limits.low / before, 1 + limits.high / before)
        ),
        "cost": fact("measure_cost", entry.cost),
        "npv": fact("measure_net_present_value", result.net_present_value, result.net_present_value_interval),
        "payback": fact(
            "measure_payback",
            result.payback_months,
            reason=None if result.payback_months is not None else unpaid,
        ),
        "per_ticket": fact(
            "saving_per_ticket", money(-result.measured.effect), scaled(-limits.high, -limits.low)
        ),
        "unit_before": fact("measure_unit_cost", money(before)),
        "avoided": fact("events_avoided", round(avoided)),
        "per_event": fact(
            "saving_per_event_avoided",
            None if line.plausible is None else money(line.saved_per_event),
            reason=none_avoided if line.plausible is None else None,
        ),
    }


def measure_findings(measures: tuple[Measure, ...]) -> list[Finding]:
    """Measures that fell short of what was promised, and those that delivered; each side holds one false alarm in a hundred reports by Holm."""
    from analysis.stats.multiplicity import adjust_p_values

    judged = [(measure, measure.result) for measure in measures if measure.result is not None]
    short = adjust_p_values([result.p_value_short for _, result in judged], method="holm")
    saved = adjust_p_values([result.p_value_saving for _, result in judged], method="holm")
    found = []
    for (measure, result), falls_short, saves in zip(judged, short, saved, strict=True):
        severity: Severity
        if result.verdict in ("not delivered", "partly delivered") and falls_short < LEVEL:
            part = result.verdict == "partly delivered" and saves < LEVEL
            template, severity = _IN_PART if part else _NOT, "watch"
        elif result.verdict == "delivered" and saves < LEVEL:
            template, severity = _DELIVERED, "good"
        else:
            continue
        values: dict[str, Value] = {
            "name": measure.entry.name,
            "saving": measure.facts["saving"],
            "expected": measure.facts["expected"],
        }
        found.append(
            Finding(
                id="costs.measure",
                section="costs",
                severity=severity,
                subject={"measure": measure.entry.id},
                statement=Sentence(template, values),
                evidence=result.measured.series,
                rank=abs(float(result.expected - result.saving)),
                method="Cost per ticket at constant mix, before and after, against an untouched comparison group; serially correlated errors; "
                "Holm over the registered measures, one false alarm in a hundred reports",
            )
        )
    return found


_NOT = "The measure “{name}” did not deliver: {saving} saved ({saving:interval}) against {expected} expected."
_IN_PART = "The measure “{name}” delivered only in part: {saving} saved ({saving:interval}) against {expected} expected."
_DELIVERED = "The measure “{name}” delivered: {saving} saved ({saving:interval}) against {expected} expected."
