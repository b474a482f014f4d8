"""Capacity: what paid hours are used for (time-driven costing), and what nobody used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.costs.activity_costing import ActivityCosts, time_driven_abc
from analysis.costs.figures import added, month_texts, reported, rows_of
from analysis.costs.signals import idle_months, idle_teams, season_of
from analysis.costs.signals_facts import Searched, false_alarm_level
from analysis.errors import MissingData, NothingToCount
from analysis.formats import month_text, short_month
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs, cents, materiality, traced
from analysis.metrics.backend import literal
from analysis.metrics.registry import NOT_STATED
from analysis.metrics.views.selection import selected
from analysis.params import Assumptions
from analysis.params.places import params_file
from analysis.periods import Month
from analysis.results import Fact, Finding, Interval, Rows, Sentence, Stake, Value
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

COST_OBJECTS = ("ticket_type", "product_line", "region", "channel", "segment")
IDLE_WINDOW = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class TeamCapacity(Summarised):
    """One team in the period: what its capacity cost, and how much of the practical hours its tickets used."""

    team: str
    cost: Fact
    rate: Fact
    practical_hours: Fact
    used_hours: Fact
    utilisation: Fact
    used_cost: Fact
    unused_cost: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Capacity(Summarised):
    """Teams, the sum over them, and the cost of used time by cost object. Unused capacity is a line of its own, never spread."""

    teams: tuple[TeamCapacity, ...]
    practical_hours: Fact
    used_hours: Fact
    cost: Fact
    used_cost: Fact
    unused_cost: Fact
    practical_share: Fact
    times: Text
    by_object: Mapping[str, tuple[tuple[Text, Fact], ...]]


@traced
def capacity_of(inputs: StudyInputs) -> Capacity:
    """Time-driven costing of the period: labour cost of each in-house team over its practical hours, charged by handling hours.

    Raises
    ------
    MissingData
        Without the cost and paid hours of teams, or without the time that tickets took.
    """
    state = reported(inputs)
    supplied = inputs.engine.query(
        _SUPPLY.format(when=inputs.period.condition()), needs=("staff.team", "staff.hours_paid", "staff.cost")
    )
    work, time, times = _work(inputs)
    supplied = supplied[supplied["cost"].notna()]
    if supplied.empty:
        raise NothingToCount("staff.cost")
    share = state.assumed("practical_capacity_share")
    costed = _costed(supplied, work, practical_share=Decimal(share.value or 0))
    teams = tuple(
        _team(inputs, costed, str(team), share, time)
        for team in costed.capacity.sort_values("unused_cost", ascending=False, kind="stable")["team"]
    )
    cost = state.total("capacity_cost", *(team.cost for team in teams))
    used = state.total("used_capacity_cost", *(team.used_cost for team in teams))
    return Capacity(
        teams=teams,
        practical_hours=state.total("practical_hours", *(team.practical_hours for team in teams)),
        used_hours=state.total("used_hours", *(team.used_hours for team in teams)),
        cost=cost,
        used_cost=used,
        unused_cost=state.derived("unused_capacity_cost", cost, used),
        practical_share=share,
        times=times,
        by_object={dimension: _by_object(inputs, costed, dimension) for dimension in COST_OBJECTS},
    )


@traced
def _costed(supplied: pd.DataFrame, work: pd.DataFrame, *, practical_share: Decimal) -> ActivityCosts:
    """Cost of used time by team and cost object; practical hours are paid hours × ``practical_share``."""
    capacity = supplied.assign(
        practical_time=[round(float(paid) * float(practical_share), 6) for paid in supplied["paid"]]
    )[["team", "cost", "practical_time"]]
    work = work[work["team"].isin(capacity["team"])].assign(time=lambda frame: frame["time"].round(6))
    return time_driven_abc(work, capacity, pool="team")


@traced
def _by_object(inputs: StudyInputs, costed: ActivityCosts, dimension: str) -> tuple[tuple[Text, Fact], ...]:
    """Cost of used time by value of a cost object, the largest first."""
    state = reported(inputs)
    table = costed.by(dimension).sort_values("cost", ascending=False, kind="stable")
    return tuple(
        (
            inputs.engine.registry.value_label(dimension, value),
            state.exact("activity_cost", amount, **{dimension: value}),
        )
        for value, amount in zip(table[dimension], table["cost"], strict=True)
    )


@traced
def _work(inputs: StudyInputs) -> tuple[pd.DataFrame, str, Text]:
    """Time by team and cost object, its SQL and its words: recorded hours, or standard times by ticket type where the source records none."""
    engine = inputs.engine
    time, needs, source = "handling_hours", "tickets.handling_hours", RECORDED
    try:
        engine.require(needs)
    except MissingData:
        times = standard_times(on=inputs.month.last_day)
        if not times:
            raise
        cases = " ".join(f"WHEN {literal(kind)} THEN {hours}" for kind, hours in sorted(times.items()))
        time, needs, source = f"CASE ticket_type {cases} END", "tickets.ticket_type", STANDARD
    sql = _WORK.format(when=inputs.period.condition(), time=time)
    return engine.query(sql, needs=("tickets.team", needs)), time, source


@traced
def standard_times(*, on: dt.date, path: Path | None = None) -> dict[str, Decimal]:
    """Hours per ticket by ticket type that hold on a day (``params/standard_times.yml``); empty without the file."""
    path = path or params_file("standard_times.yml")
    if not path.is_file():
        return {}
    return {kind: entry.on(on, name=kind).value for kind, entry in Assumptions.load(path).entries.items()}


RECORDED = Text.of("handling hours as recorded on the tickets")
STANDARD = Text.of(
    "standard times by ticket type (params/standard_times.yml), because the tickets record none"
)


@traced
def _team(inputs: StudyInputs, costed: ActivityCosts, team: str, share: Fact, time: str) -> TeamCapacity:
    """One team: what its paid hours cost, and what its tickets used of them."""
    state = reported(inputs)
    row: Mapping[Any, Any] = costed.capacity.set_index("team").loc[team].to_dict()
    cost = state.counted("capacity_cost", row["cost"], team=team)
    paid = inputs.engine.fact("paid_hours", period=inputs.period, dimensions={"team": team})
    practical = state.derived("practical_hours", paid, share, team=team)
    used = state.counted("used_hours", row["used_time"], lineage=_hours_of(inputs, team, time), team=team)
    used_cost = state.exact("used_capacity_cost", row["used_cost"], team=team)
    return TeamCapacity(
        team=team,
        cost=cost,
        rate=state.derived("capacity_cost_rate", cost, practical, team=team),
        practical_hours=practical,
        used_hours=used,
        utilisation=state.derived("capacity_utilisation", used, practical, team=team),
        used_cost=used_cost,
        unused_cost=state.derived("unused_capacity_cost", cost, used_cost, team=team),
    )


def _hours_of(inputs: StudyInputs, team: str, time: str) -> Rows:
    """The period's tickets of a team and the time each took."""
    return Rows(
        numerator=f"SELECT *, {time} AS hours FROM service WHERE {inputs.period.condition()} "
        f"AND team = {literal(team)} AND {time} > 0",
        value=added("hours"),
    )


@traced
def idle_findings(inputs: StudyInputs) -> Searched:
    """Teams paid in the last months for clearly more unused hours than the other teams, or for idle months of each year; familywise one in a hundred each.

    Raises
    ------
    MissingData
        Without the paid and worked hours of teams, or with too few months of them.
    """
    hours = inputs.engine.query(_TEAM_MONTHS, needs=("staff.team", "staff.hours_paid", "staff.hours_worked"))
    hours = hours.assign(month=month_texts(hours["month"]))
    hours = hours[hours["month"] <= str(inputs.month)]
    whole = hours.groupby("team")["month"].transform("nunique") == hours["month"].nunique()
    signals = idle_teams(
        hours[whole],
        window=IDLE_WINDOW,
        allowed_share=None,
        level=false_alarm_level(inputs),
        confidence=inputs.confidence,
    )
    lately = [_idle_finding(inputs, row, hours) for row in rows_of(signals.found)]
    return Searched.of(signals, [*lately, *idle_month_findings(inputs, hours)])


@traced
def _idle_finding(inputs: StudyInputs, row: Mapping[str, Any], hours: pd.DataFrame) -> Finding:
    """One team: the share of its paid hours that it did not work, beyond the other teams' share."""
    team = str(row["team"])
    state = Stating(inputs=inputs, period=Period(inputs.month - (IDLE_WINDOW - 1), inputs.month))
    recent = hours[(hours["team"] == team) & (hours["month"] > str(inputs.month - IDLE_WINDOW))]
    limits = _idle_limits(inputs, row["low"], row["high"])
    excess = state.exact(
        "excess_unused_share",
        row["excess_share"],
        parts={"interval": limits, "n": hours["month"].nunique()},
        team=team,
    )
    assert state.period is not None
    share = inputs.engine.fact("unused_paid_share", period=state.period, dimensions={"team": team})
    idle = state.exact(
        "excess_unused_hours", row["excess_hours"], parts=_scaled(excess, row["excess_hours"]), team=team
    )
    label = inputs.engine.registry.value_label("team", team)
    values: dict[str, Value] = {"team": label, "share": share, "excess": excess, "hours": idle}
    money = _idle_cost(state, row["excess_hours"], excess, recent)
    template = IDLE_HOURS
    if money is not None:
        values["cost"], template = money, IDLE
        template, values = _idle_since(state, row, hours[hours["team"] == team], values)
    return Finding(
        id="costs.idle_team",
        section="costs",
        severity=materiality(inputs).severity(money),
        ground="no_sum" if money is None else "loss",
        stake=None if money is None else Stake.of(money),
        subject={"team": team},
        statement=Sentence(template, values),
        evidence=hours[hours["team"] == team].reset_index(drop=True),
        rank=float(money.value or 0) if money else 0.0,
        method="Share of paid hours not worked against the median of the other teams, last three months; Holm over teams, one false alarm in a hundred reports",
    )


@traced
def idle_month_findings(inputs: StudyInputs, hours: pd.DataFrame) -> list[Finding]:
    """Teams that leave paid hours unused in the same calendar months of each year; ``hours`` by team and month, up to the reported one."""
    signals = idle_months(
        hours,
        least_difference=float(
            inputs.assumptions.value("idle_month_least_difference", on=inputs.month.last_day)
        ),
        level=false_alarm_level(inputs),
        confidence=inputs.confidence,
    )
    if signals.found.empty:
        return []
    named = signals.found.groupby("team", sort=True)["calendar_month"].agg(sorted)
    return [
        _idle_month_finding(inputs, str(team), numbers, hours[hours["team"] == team].reset_index(drop=True))
        for team, numbers in named.items()
    ]


@traced
def _idle_month_finding(
    inputs: StudyInputs, team: str, numbers: Sequence[int], months: pd.DataFrame
) -> Finding:
    """One team: the share that it leaves unused in those months beyond its others, and what that was in the last twelve months."""
    known = months[(months["hours_paid"] > 0) & months["hours_worked"].notna()]
    own = known["month"].str[5:7].astype(int)
    shares = 1 - known["hours_worked"].astype(float) / known["hours_paid"].astype(float)
    season = season_of(
        np.asarray(shares, dtype=float), np.asarray(own), numbers, confidence=inputs.confidence
    )
    span = Period(Month.parse(str(known["month"].min())), inputs.month)
    year = Period(inputs.month - 11, inputs.month)
    listed = "-".join(f"{number:02d}" for number in numbers)
    place: dict[str, Any] = {"team": team, "calendar_month": listed}
    state = Stating(inputs=inputs, period=span)
    limits = Interval(low=season["low"], high=season["high"], level=inputs.confidence, method=SEASON_METHOD)
    excess = state.exact(
        "idle_month_excess", season["excess_share"], parts={"interval": limits, "n": len(known)}, **place
    )
    rows = selected(
        "workforce",
        span.condition(),
        f"team = {literal(team)}",
        f"month(month) IN ({', '.join(map(str, numbers))})",
    )
    values: dict[str, Value] = {
        "team": inputs.engine.registry.value_label("team", team),
        "share": state.measured("unused_paid_share", rows, **place),
        "months": _calendar_months(numbers),
        "excess": excess,
    }
    latest = known[own.isin(numbers) & (known["month"] >= str(year.first))]
    recent = replace(state, period=year)
    beyond = float(latest["hours_paid"].sum()) * season["excess_share"]
    values["hours"] = recent.exact("idle_month_hours", beyond, parts=_scaled(excess, beyond), **place)
    money = None
    if len(latest) and latest["cost"].notna().all():
        amount = cents(float(sum(latest["cost"])) * season["excess_share"])
        money = recent.exact("idle_month_cost", amount, parts=_scaled(excess, float(amount)), **place)
        values["cost"] = money
    return Finding(
        id="costs.idle_months",
        section="costs",
        severity=materiality(inputs).severity(money),
        ground="no_sum" if money is None else "loss",
        stake=None if money is None else Stake.of(money),
        subject={"team": team},
        statement=Sentence(IDLE_MONTHS_HOURS if money is None else IDLE_MONTHS, values),
        evidence=known.reset_index(drop=True),
        rank=float(money.value or 0) if money else 0.0,
        method="Calendar months against the team's other months by the spread between years, t; Holm over teams and calendar months, one false alarm in a hundred reports",
    )


def _calendar_months(numbers: Sequence[int]) -> Text:
    """The names of months of any year, as a sentence lists them."""
    names = [
        Text(
            en=month_text(Month(2000, number), "en").split()[0], zh=short_month(Month(2000, number), "zh")[0]
        )
        for number in numbers
    ]
    if len(names) == 1:
        return names[0]
    return Text.joined([Text.joined(names[:-1]), names[-1]], en=" and ")


SEASON_METHOD = "calendar months against the others, spread between years, t"
IDLE_MONTHS = "{team} leaves {share} of its paid hours unused in {months} of each year ({share:numerator} of {share:denominator}), {excess} more than in its other months ({excess:interval}); in the last twelve months that was {hours}{hours:doubt} beyond them, about {cost}{cost:doubt}. Let its contracts end before these months, or plan other work for them."
IDLE_MONTHS_HOURS = "{team} leaves {share} of its paid hours unused in {months} of each year ({share:numerator} of {share:denominator}), {excess} more than in its other months ({excess:interval}); in the last twelve months that was {hours}{hours:doubt} beyond them. Let its contracts end before these months, or plan other work for them."

IDLE_HOURS = "{team} was paid in the last three months for hours it did not work: {share} of paid hours ({share:numerator} of {share:denominator}), {excess} more than the other teams ({excess:interval}); {hours}{hours:doubt} beyond theirs."
IDLE = "{team} was paid in the last three months for hours it did not work: {share} of paid hours ({share:numerator} of {share:denominator}), {excess} more than the other teams ({excess:interval}); {hours}{hours:doubt} beyond theirs, about {cost}{cost:doubt}."
IDLE_SINCE = (
    "{team} was paid in the last three months for hours it did not work: {share} of paid hours ({share:numerator} of {share:denominator}), {excess} more than the other teams ({excess:interval}); "
    "{hours}{hours:doubt} beyond theirs, about {cost}{cost:doubt}. It began {begun}; since {first} it is {all_hours} ({all_hours:interval}), about {all_cost}{all_cost:doubt}."
)
BEGUN_IN, BEGUN_BETWEEN = "in {first}", "between {first} and {last}"


def _idle_limits(inputs: StudyInputs, low: float, high: float) -> Interval:
    method = "regression on months, serially correlated errors, t"
    return Interval(low=low, high=high, level=inputs.confidence, method=method)


def _idle_cost(state: Stating, hours: float, excess: Fact, months: pd.DataFrame, **place: Any) -> Fact | None:
    """Hours at what a paid hour of these months cost; nothing where a month's cost is not known."""
    paid, cost = float(months["hours_paid"].sum()), months["cost"].dropna()
    if len(cost) != len(months) or paid <= 0:
        return None
    amount, team = cents(hours * float(sum(cost)) / paid), excess.dimensions["team"]
    parts = _scaled(excess, float(amount))
    return state.exact("excess_unused_cost", amount, parts=parts, team=team, **place)


@traced
def _idle_since(
    state: Stating, row: Mapping[str, Any], months: pd.DataFrame, values: dict[str, Value]
) -> tuple[str, dict[str, Value]]:
    """The same since it began, where that is longer ago than the last three months."""
    inputs, team = state.inputs, str(row["team"])
    first, earliest, latest = (Month.parse(str(row[name])) for name in ("since", "begun_first", "begun_last"))
    since = months[months["month"] >= str(first)]
    if len(since) <= IDLE_WINDOW:
        return IDLE, values
    whole = replace(state, period=Period(first, inputs.month))
    limits = _idle_limits(inputs, row["since_low"], row["since_high"])
    share = whole.exact(
        "excess_unused_share", row["since_share"], parts={"interval": limits, "n": len(months)}, team=team
    )
    hours = whole.exact(
        "excess_unused_hours", row["since_hours"], parts=_scaled(share, row["since_hours"]), team=team
    )
    cost = _idle_cost(whole, row["since_hours"], share, since)
    if cost is None:
        return IDLE, values
    known: dict[str, Value] = {"first": earliest, "last": latest}
    begun = Sentence(BEGUN_IN if earliest == latest else BEGUN_BETWEEN, known).text()
    return IDLE_SINCE, values | {"begun": begun, "first": first, "all_hours": hours, "all_cost": cost}


def _scaled(share: Fact, amount: float) -> dict[str, Any]:
    """The interval of a share, in the hours or the money that the share stands for."""
    if share.interval is None or not share.value:
        return {}
    each = amount / float(share.value)
    limits = share.interval.spanned(low=share.interval.low * each, high=share.interval.high * each)
    return {"interval": limits, "n": share.n}


_SUPPLY = f"""
SELECT team, sum(cost) AS cost, {added("hours_paid")} AS paid FROM workforce
WHERE {{when}} AND team IS NOT NULL AND coalesce(sourcing, 'in_house') = 'in_house' GROUP BY 1 HAVING {added("hours_paid")} > 0 ORDER BY 1
"""
_WORK = f"""
SELECT team, {", ".join(f"coalesce({name}, '{NOT_STATED}') AS {name}" for name in COST_OBJECTS)}, {added("{time}")} AS time
FROM service WHERE {{when}} AND team IS NOT NULL AND {{time}} > 0 GROUP BY ALL ORDER BY ALL
"""
_TEAM_MONTHS = f"""
SELECT month, team, {added("hours_paid")} AS hours_paid, {added("hours_worked")} AS hours_worked, sum(cost) AS cost FROM workforce
WHERE team IS NOT NULL AND coalesce(sourcing, 'in_house') = 'in_house' GROUP BY 1, 2 ORDER BY 2, 1
"""
