"""Registered measures, expected against realised."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.costs.savings import (
    MeasureResult,
    cost_saving_rate,
    difference_in_differences,
    expected_against_realised,
    interrupted_series,
    regression_to_mean,
    unit_cost_at_constant_mix,
)
from analysis.errors import AnalysisError, MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.metrics.backend import literal
from analysis.params.interventions import Intervention, load_interventions
from analysis.periods import Month
from analysis.results import Fact, Finding, Interval, Sentence

if TYPE_CHECKING:
    import pandas as pd

MIX = ("product_line", "component")
HOURS = "handling_hours"


@dataclass(frozen=True, kw_only=True, eq=False)
class Measure:
    """One registered measure: what was promised, what came, and what to doubt. ``result`` is None where ``reason`` says why."""

    entry: Intervention
    design: Text
    verdict: Text
    facts: dict[str, Fact]
    result: MeasureResult | None
    reason: Text | None


_DESIGN = {"difference in differences": Text(en="Against untouched regions", zh="与未实施区域对比"), "interrupted series": Text(en="Interrupted series", zh="中断时间序列")}
_VERDICT = {
    "delivered": Text(en="Delivered", zh="已实现"), "partly delivered": Text(en="Partly delivered", zh="部分实现"),
    "not delivered": Text(en="Not delivered", zh="未实现"), "could be noise": Text(en="Could be noise", zh="可能是噪声"),
}
_NONE = Text(en="Not computed", zh="未计算")


def measures_of(inputs: StudyInputs) -> tuple[Measure, ...]:
    """Every registered measure of the service process that has begun."""
    return tuple(_measure(inputs, entry) for entry in load_interventions(kind="measure") if entry.starts <= inputs.month.last_day)


def _measure(inputs: StudyInputs, entry: Intervention) -> Measure:
    try:
        return _judged(inputs, entry)
    except AnalysisError as error:
        text = str(error)
        return Measure(entry=entry, design=_NONE, verdict=_NONE, facts={}, result=None, reason=Text(en=text, zh=f"未计算：{text}") if text.startswith("not computed") else Text(en=f"not computed: {text}", zh=f"未计算：{text}"))


def _judged(inputs: StudyInputs, entry: Intervention) -> Measure:
    start = Month(entry.starts.year, entry.starts.month)
    treated = _series(inputs, entry, {name: [value] for name, value in entry.where.items() if name != "category"})
    series = unit_cost_at_constant_mix(treated, by=list(MIX))
    if entry.comparison:
        where = {name: [value] for name, value in entry.where.items() if name not in ("category", *entry.comparison)} | {name: list(values) for name, values in entry.comparison.items()}
        other = unit_cost_at_constant_mix(_series(inputs, entry, where), by=list(MIX))
        months = series.index.intersection(other.index)
        measured = difference_in_differences(series[months], other[months], start=str(start), confidence=inputs.confidence)
    else:
        measured = interrupted_series(series, start=str(start), shape="level", harmonics=1, confidence=inputs.confidence)
    tickets = treated.groupby("month")["tickets"].sum().sort_index()
    after = measured.series.loc[measured.series["after"], "month"]
    expected_cost = float(measured.series.loc[measured.series["after"], "expected"].mean())
    volume = float(tickets.reindex(list(after)).mean())
    promised = Decimal(str(round(entry.expected_reduction * expected_cost * volume, 2)))
    try:
        regression = regression_to_mean(series, start=str(start))
    except MissingData:
        regression = None
    rate = inputs.assumptions.value("discount_rate_annual", on=inputs.month.last_day)
    result = expected_against_realised(
        measured, tickets, cost=entry.cost, expected_monthly_saving=promised, annual_rate=float(rate), horizon_months=max(24, len(after)), regression=regression,
    )
    facts = _facts(inputs, entry, result, expected_cost, str(Period(start, inputs.month)))
    return Measure(entry=entry, design=_DESIGN[measured.design], verdict=_VERDICT[result.verdict], facts=facts, result=result, reason=None)


def _series(inputs: StudyInputs, entry: Intervention, where: dict[str, list[str]]) -> pd.DataFrame:
    """Cost and tickets of repairs by month and cell of the mix: handling hours at the month's wage, or the postings of the measure's category."""
    conditions = " AND ".join(f"{name} IN ({', '.join(literal(value) for value in values)})" for name, values in sorted(where.items())) or "TRUE"
    if "category" in entry.where and "ticket_type" not in entry.where:
        conditions += " AND ticket_type = 'repair'"
    mix = ", ".join(f"coalesce({name}, 'not_stated') AS {name}" for name in MIX)
    chosen = f"SELECT ticket_id, strftime(month, '%Y-%m') AS month, {mix}, coalesce(handling_hours, 0) AS hours FROM service WHERE {conditions} AND month < {literal(inputs.month.end)}"
    if "category" in entry.where:
        posted = f"SELECT ticket_id, sum(amount)::DOUBLE AS cost FROM cost WHERE category = {literal(entry.where['category'])} AND posting_basis IN ('incurred', 'recovery') AND tracing = 'direct' GROUP BY 1"
        cost, joined, needs = "coalesce(p.cost, 0)", f"LEFT JOIN ({posted}) p USING (ticket_id)", ("ledger.ticket_id",)
    else:
        wage = "SELECT sum(cost)::DOUBLE / sum(hours_paid) AS wage FROM workforce WHERE cost IS NOT NULL AND coalesce(sourcing, 'in_house') = 'in_house'"
        cost, joined, needs = "t.hours * w.wage", f"CROSS JOIN ({wage}) w", ("staff.cost", "staff.hours_paid", "tickets.handling_hours")  # type: ignore[assignment]
    groups = ", ".join(f"t.{name}" for name in ("month", *MIX))
    return inputs.engine.query(
        f"SELECT {groups}, count(*)::DOUBLE AS tickets, sum({cost}) AS cost FROM ({chosen}) t {joined} GROUP BY {groups} ORDER BY {groups}", needs=needs,
    )


def _facts(inputs: StudyInputs, entry: Intervention, result: MeasureResult, before: float, period: str) -> dict[str, Fact]:
    def fact(metric: str, value: Any, interval: Interval | None = None, reason: Text | None = None) -> Fact:
        return inputs.engine.stated(
            metric, period=period, value=value, dimensions={"measure": entry.id}, sources=("tickets", "ledger", "staff"), interval=interval, reason=reason,
            n=result.measured.months_before + result.measured.months_after,
        )

    limits = result.measured.interval
    after = before + result.measured.effect
    rate = Interval(low=-limits.high / before, high=-limits.low / before, level=limits.level, method=limits.method)
    residual = Interval(low=1 + limits.low / before, high=1 + limits.high / before, level=limits.level, method=limits.method)
    return {
        "expected": fact("saving_expected", result.expected), "saving": fact("saving_realised", result.saving, result.saving_interval),
        "rate": fact("cost_saving_rate", cost_saving_rate(before, after), rate), "residual": fact("cost_residual_ratio", after / before, residual),
        "cost": fact("measure_cost", entry.cost), "npv": fact("measure_net_present_value", result.net_present_value, result.net_present_value_interval),
        "payback": fact("measure_payback", result.payback_months, reason=None if result.payback_months is not None else Text(en="not paid back within the horizon", zh="期限内未能回收")),
        "per_ticket": fact("saving_per_ticket", Decimal(str(round(-result.measured.effect, 2))), Interval(low=-limits.high, high=-limits.low, level=limits.level, method=limits.method)),
        "unit_before": fact("measure_unit_cost", Decimal(str(round(before, 2)))),
    }


def measure_findings(measures: tuple[Measure, ...]) -> list[Finding]:
    """Measures that did not deliver what was promised, and those that did; Holm over the register for the first."""
    judged = [measure for measure in measures if measure.result is not None]
    found = []
    shortfalls = sorted((measure.result.p_value_short for measure in judged if measure.result), reverse=False)
    for measure in judged:
        assert measure.result is not None
        place = shortfalls.index(measure.result.p_value_short)
        adjusted = min(1.0, measure.result.p_value_short * (len(shortfalls) - place))
        values = {"name": measure.entry.name, "saving": measure.facts["saving"], "expected": measure.facts["expected"]}
        if measure.result.verdict in ("not delivered", "partly delivered") and adjusted < 0.01:
            template = "The measure “{name}” did not deliver: {saving} saved ({saving:interval}) against {expected} expected."
            severity = "watch"
            if measure.result.verdict == "partly delivered":
                template = "The measure “{name}” delivered only in part: {saving} saved ({saving:interval}) against {expected} expected."
        elif measure.result.verdict == "delivered":
            template, severity = "The measure “{name}” delivered: {saving} saved ({saving:interval}) against {expected} expected.", "good"
        else:
            continue
        found.append(
            Finding(
                id="costs.measure", section="costs", severity=severity, subject={"measure": measure.entry.id}, statement=Sentence(template, values), evidence=measure.result.measured.series,  # type: ignore[arg-type]
                method="Cost a ticket at constant mix, before and after, against an untouched comparison group; serially correlated errors", rank=abs(float(measure.result.expected - measure.result.saving)),
            )
        )
    return found
