"""Capacity: what paid hours are used for (time-driven costing), and what nobody used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.costs.figures import added, rows_of
from analysis.errors import AnalysisError, MissingData, ParameterError
from analysis.formats import Number
from analysis.locale import Text
from analysis.metrics import StudyInputs
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.metrics.registry import NOT_STATED
from analysis.params import Assumptions
from analysis.params.places import params_file
from analysis.results import Fact, Finding, Interval, Sentence, Value
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

COST_OBJECTS = ("ticket_type", "product_line", "region", "channel", "segment")
IDLE_WINDOW = 3
SIGNAL_LEVEL = 0.01


@dataclass(frozen=True, kw_only=True, eq=False)
class TeamCapacity(Summarised):
    """One team in the month: what its capacity cost, and how much of the practical hours its tickets used."""

    team: str
    cost: Fact
    rate: Fact
    practical_hours: Fact
    used_hours: Fact
    utilisation: Fact
    unused_cost: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Capacity(Summarised):
    """Teams, the sum over them, and the cost of used time by cost object. Unused capacity is a line of its own, never spread."""

    teams: tuple[TeamCapacity, ...]
    cost: Fact
    used_cost: Fact
    unused_cost: Fact
    practical_share: Fact
    times: Text
    by_object: Mapping[str, tuple[tuple[Text, Fact], ...]]


@traced
def capacity_of(inputs: StudyInputs) -> Capacity | MissingData:
    """Time-driven costing of the month: labour cost of each in-house team over its practical hours, charged by handling hours."""
    from analysis.costs.activity_costing import time_driven_abc

    engine, month = inputs.engine, inputs.month
    try:
        supplied = engine.query(
            _SUPPLY.format(month=literal(month.start)), needs=("staff.team", "staff.hours_paid", "staff.cost")
        )
        work, times = _work(inputs)
    except MissingData as missing:
        return missing
    supplied = supplied[supplied["cost"].notna()]
    if supplied.empty:
        return MissingData("staff.cost")
    share = inputs.assumptions.value("practical_capacity_share", on=month.last_day)
    capacity = supplied.assign(
        practical_time=[round(float(paid) * float(share), 6) for paid in supplied["paid"]]
    )[["team", "cost", "practical_time"]]
    work = work[work["team"].isin(capacity["team"])].assign(time=lambda frame: frame["time"].round(6))
    costed = time_driven_abc(work, capacity, pool="team")
    teams = tuple(
        _team(inputs, row)
        for row in rows_of(costed.capacity.sort_values("unused_cost", ascending=False, kind="stable"))
    )
    total = {
        name: _total(inputs, name, amount)
        for name, amount in (
            ("capacity_cost", costed.total),
            ("used_capacity_cost", costed.total - costed.unused_cost),
            ("unused_capacity_cost", costed.unused_cost),
        )
    }
    objects = {}
    for dimension in COST_OBJECTS:
        table = costed.by(dimension).sort_values("cost", ascending=False, kind="stable")
        objects[dimension] = tuple(
            (
                engine.registry.value_label(dimension, value),
                engine.stated("activity_cost", period=month, value=amount, dimensions={dimension: value}),
            )
            for value, amount in zip(table[dimension], table["cost"], strict=True)
        )
    return Capacity(
        teams=teams,
        cost=total["capacity_cost"],
        used_cost=total["used_capacity_cost"],
        unused_cost=total["unused_capacity_cost"],
        practical_share=engine.stated("practical_capacity_share", period=month, value=share),
        times=times,
        by_object=objects,
    )


@traced
def _work(inputs: StudyInputs) -> tuple[pd.DataFrame, Text]:
    """Time by team and cost object: recorded hours, or standard times by ticket type where the source records none."""
    engine, month = inputs.engine, inputs.month
    try:
        engine.require("tickets.handling_hours")
        return engine.query(
            _WORK.format(month=literal(month.start), time="handling_hours"), needs=("tickets.team",)
        ), RECORDED
    except MissingData:
        times = standard_times(on=month.last_day)
        if not times:
            raise
    cases = " ".join(f"WHEN {literal(kind)} THEN {hours}" for kind, hours in sorted(times.items()))
    time = f"CASE ticket_type {cases} END"
    return engine.query(
        _WORK.format(month=literal(month.start), time=time), needs=("tickets.team", "tickets.ticket_type")
    ), STANDARD


@traced
def standard_times(*, on: dt.date, path: Path | None = None) -> dict[str, Decimal]:
    """Hours a ticket by ticket type that hold on a day (``params/standard_times.yml``); empty without the file."""
    path = path or params_file("standard_times.yml")
    if not path.is_file():
        return {}
    times = {kind: entry.on(on, name=kind).value for kind, entry in Assumptions.load(path).entries.items()}
    wrong = [kind for kind, hours in times.items() if hours < 0]
    if wrong:
        raise ParameterError(
            f"{path.name}: {wrong[0]}: {times[wrong[0]]} hours; a standard time cannot be negative."
        )
    return times


RECORDED = Text(en="handling hours as recorded on the tickets", zh="工单记录的处理工时")
STANDARD = Text(
    en="standard times by ticket type (params/standard_times.yml), because the tickets record none",
    zh="工单类型标准工时（params/standard_times.yml），因工单未记录工时",
)


def _total(inputs: StudyInputs, metric: str, amount: Decimal) -> Fact:
    return inputs.engine.stated(metric, period=inputs.month, value=amount)


def _team(inputs: StudyInputs, row: Mapping[str, Any]) -> TeamCapacity:
    def fact(metric: str, value: Number | None) -> Fact:
        return inputs.engine.stated(
            metric, period=inputs.month, value=value, dimensions={"team": str(row["team"])}
        )

    return TeamCapacity(
        team=str(row["team"]),
        cost=fact("capacity_cost", row["cost"]),
        rate=fact("capacity_cost_rate", row["rate"]),
        practical_hours=fact("practical_hours", row["practical_time"]),
        used_hours=fact("used_hours", row["used_time"]),
        utilisation=fact("capacity_utilisation", row["utilisation"]),
        unused_cost=fact("unused_capacity_cost", row["unused_cost"]),
    )


@traced
def idle_findings(inputs: StudyInputs) -> list[Finding]:
    """Teams paid in the last months for clearly more unused hours than the other teams; familywise one in a hundred."""
    from analysis.costs.signals import idle_teams

    try:
        hours = inputs.engine.query(
            _TEAM_MONTHS, needs=("staff.team", "staff.hours_paid", "staff.hours_worked")
        )
    except MissingData:
        return []
    hours = hours.assign(month=[f"{day:%Y-%m}" for day in hours["month"]])
    hours = hours[hours["month"] <= str(inputs.month)]
    months = sorted(set(hours["month"]))
    whole = hours.groupby("team")["month"].transform("nunique") == len(months)
    try:
        signals = idle_teams(
            hours[whole],
            window=IDLE_WINDOW,
            allowed_share=None,
            level=SIGNAL_LEVEL,
            confidence=inputs.confidence,
        )
    except AnalysisError:
        return []
    period = f"{inputs.month - (IDLE_WINDOW - 1)}/{inputs.month + 1}"
    findings = []
    for row in rows_of(signals.found):
        team = str(row["team"])
        recent = hours[(hours["team"] == team) & (hours["month"] > str(inputs.month - IDLE_WINDOW))]
        place = {"team": team}
        limits = Interval(
            low=row["low"],
            high=row["high"],
            level=inputs.confidence,
            method="regression on months, serially correlated errors, t",
        )
        excess = inputs.engine.stated(
            "excess_unused_share",
            period=period,
            value=row["excess_share"],
            dimensions=place,
            interval=limits,
            n=len(months),
        )
        share = inputs.engine.stated(
            "unused_paid_share", period=period, value=row["unused_share"], dimensions=place
        )
        idle = inputs.engine.stated(
            "excess_unused_hours", period=period, value=row["excess_hours"], dimensions=place
        )
        paid, cost = float(recent["hours_paid"].sum()), recent["cost"].dropna()
        values: dict[str, Value] = {"team": team, "share": share, "excess": excess, "hours": idle}
        template = "{team} was paid in the last three months for hours it did not work: {share} of paid hours, {excess} more than the other teams ({excess:interval}); {hours} beyond theirs."
        amount = Decimal(0)
        if len(cost) == len(recent) and paid > 0:
            amount = Decimal(str(round(row["excess_hours"] * float(sum(cost)) / paid, 2)))
            values["cost"] = inputs.engine.stated(
                "excess_unused_cost", period=period, value=amount, dimensions=place
            )
            template = "{team} was paid in the last three months for hours it did not work: {share} of paid hours, {excess} more than the other teams ({excess:interval}); {hours} beyond theirs, about {cost}."
        findings.append(
            Finding(
                id="costs.idle_team",
                section="costs",
                severity="alert",
                subject=place,
                statement=Sentence(template, values),
                evidence=hours[hours["team"] == team].reset_index(drop=True),
                rank=float(amount),
                method="Share of paid hours not worked against the median of the other teams, last three months; Holm over teams, one false alarm in a hundred reports",
            )
        )
    return findings


_SUPPLY = f"""
SELECT team, sum(cost) AS cost, {added("hours_paid")} AS paid FROM workforce
WHERE month = {{month}} AND team IS NOT NULL AND coalesce(sourcing, 'in_house') = 'in_house' GROUP BY 1 HAVING {added("hours_paid")} > 0 ORDER BY 1
"""
_WORK = f"""
SELECT team, {", ".join(f"coalesce({name}, '{NOT_STATED}') AS {name}" for name in COST_OBJECTS)}, {added("{time}")} AS time
FROM service WHERE month = {{month}} AND team IS NOT NULL AND {{time}} > 0 GROUP BY ALL ORDER BY ALL
"""
_TEAM_MONTHS = f"""
SELECT month, team, {added("hours_paid")} AS hours_paid, {added("hours_worked")} AS hours_worked, sum(cost) AS cost FROM workforce
WHERE team IS NOT NULL AND coalesce(sourcing, 'in_house') = 'in_house' GROUP BY 1, 2 ORDER BY 2, 1
"""
