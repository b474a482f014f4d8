"""Why the cost moved: comparisons and the bridge on the company's own cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from analysis.costs.allocation import allocate_pools
from analysis.costs.bridge import bridge_by, cost_bridge, drill_largest
from analysis.costs.calendar_effect import festival_share, working_days
from analysis.costs.figures import added, amount_of, change_facts, reported, rows_of, size
from analysis.costs.serial import contrast
from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import NotDone, Period, StudyInputs, traced
from analysis.metrics.backend import literal
from analysis.metrics.registry import NOT_STATED
from analysis.params.cost_tree import UNALLOCATED
from analysis.periods import Month
from analysis.results import Check, Fact, Finding, Sentence, Value
from analysis.summaries import Summarised

NOT_TRACED = "not_traced"
LEAST_CALENDAR_MONTHS = 24
WHOLE = "all"
CELL = ("category", "resource", "product_line", "ticket_type")


@dataclass(frozen=True, kw_only=True, eq=False)
class CostComparison(Summarised):
    """A cost beside the one it is compared with: ``cost``, ``base``, ``change`` and ``rate`` (None where base is absent)."""

    against: str
    cost: Fact
    base: Fact
    change: Fact
    rate: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class CategoryEffect(Summarised):
    """What one driver did to one category."""

    category: Text
    driver: Text
    effect: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class DrillStep(Summarised):
    """One level of the drill: which value of it was opened, and the effect there."""

    level: str
    value: Text
    effect: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Bridge(Summarised):
    """Effects on the change of cost against another period (``before``); they add up to ``change`` to the cent."""

    against: str
    before: Period
    base: Fact
    cost: Fact
    change: Fact
    effects: tuple[tuple[Text, Fact], ...]
    by_category: tuple[CategoryEffect, ...]
    drill: tuple[DrillStep, ...]

    @property
    def largest(self) -> tuple[Text, Fact]:
        """The largest effect, whichever way it went."""
        return max(self.effects, key=lambda effect: size(effect[1]))

    @property
    def along(self) -> tuple[Text, Fact]:
        """The largest of the effects that went the way of the change; the largest of all where nothing changed."""
        way = amount_of(self.change)
        same = [one for one in self.effects if amount_of(one[1]) * way > 0]
        return max(same, key=lambda effect: size(effect[1])) if same else self.largest


def comparison_facts(inputs: StudyInputs, cost: Fact, against: str, before: Period) -> CostComparison:
    base = inputs.fact("after_sales_cost", period=before, dimensions=cost.dimensions)
    change, rate = change_facts(inputs, cost, base, **cost.dimensions, against=against)
    return CostComparison(against=against, cost=cost, base=base, change=change, rate=rate)


@traced
def bridge_against(inputs: StudyInputs, against: str, before: Period) -> Bridge:
    """The change against an earlier period by driver, and its largest effect opened level by level.

    Parameters
    ----------
    against : name of the comparison
    before : the earlier period, as long as the reported one

    Raises
    ------
    MissingData
        Where one of the periods has no cost, or is not covered whole by the ledger and by service orders.
    FitError
        Where the rows of the last month end in its middle, or those of the earlier period begin in the middle of a month.
    """
    inputs.require_whole_month(before, "ledger", "tickets")
    state, period = reported(inputs), inputs.period
    cost, base = (inputs.fact("after_sales_cost", period=each) for each in (period, before))
    if cost.value is None or base.value is None:
        lacking = period if cost.value is None else before
        if lacking.months == 1:
            raise MissingData("ledger", message="no cost in {month}", month=lacking.name)
        raise MissingData("ledger", message="the ledger does not cover all of {month}", month=lacking.name)
    if inputs.engine.unbegun(before, ("tickets",)) is not None:
        raise MissingData("tickets", message="no service order in {month}", month=before.name)
    effects = cost_bridge(
        bridge_cells(inputs, before),
        bridge_cells(inputs, period),
        by=list(CELL),
        volume_by=["product_line", "ticket_type"],
        calendar=calendar_of(inputs, before, period),
    )
    by_category = _by_category(inputs, effects, against)
    change, _ = change_facts(inputs, cost, base, against=against)
    drivers = bridge_by(effects)
    return Bridge(
        against=against,
        before=before,
        base=base,
        cost=cost,
        change=change,
        effects=tuple(
            (
                inputs.engine.registry.value_label("driver", driver),
                state.total(
                    "cost_bridge_effect",
                    *(line.effect for line in by_category if line.effect.dimensions["driver"] == driver),
                    driver=driver,
                    against=against,
                ),
            )
            for driver, effect in zip(drivers["driver"], drivers["effect"], strict=True)
            if effect
        ),
        by_category=by_category,
        drill=_drill(inputs, effects, against),
    )


@traced
def _by_category(inputs: StudyInputs, effects: pd.DataFrame, against: str) -> tuple[CategoryEffect, ...]:
    """What each driver did to each category: its cells added up; nothing where they add up to nothing."""
    state, label = reported(inputs), inputs.engine.registry.value_label
    return tuple(
        CategoryEffect(
            category=label("category", row["category"]),
            driver=label("driver", row["driver"]),
            effect=state.exact(
                "cost_bridge_effect",
                row["effect"],
                driver=row["driver"],
                against=against,
                category=row["category"],
            ),
        )
        for row in rows_of(bridge_by(effects, "category"))
        if row["effect"]
    )


@traced
def _drill(inputs: StudyInputs, effects: pd.DataFrame, against: str) -> tuple[DrillStep, ...]:
    """The largest effect opened level by level; a level that is not told apart is passed over."""
    state = reported(inputs)
    place: dict[str, Any] = {}
    steps = []
    for row in rows_of(drill_largest(effects, CELL)):
        level, value = str(row["level"]), str(row["value"])
        place |= {level: value}
        if value not in (NOT_TRACED, WHOLE):
            effect = state.exact(
                "cost_bridge_effect", row["effect"], driver=row["driver"], against=against, **place
            )
            # what the bridge calls a resource is a team on the page
            dimension = "team" if level == "resource" else level
            label = inputs.engine.registry.value_label(dimension, value)
            steps.append(DrillStep(level=level, value=label, effect=effect))
    return tuple(steps)


@traced
def calendar_of(inputs: StudyInputs, before: Period, after: Period) -> dict[str, tuple[float, float]]:
    """What working days and the lunar new year do to a period's tickets, as factors of both periods; only what the company's history shows.

    Of several months the factor is the mean of theirs.

    Log tickets are regressed on log working days, the festival's share of the month, a trend and the season. A term whose interval holds
    zero is left out: appliances break on holidays too, and dividing by days that do not matter would only make two large effects that cancel.
    """
    try:
        exceptions = inputs.engine.query(
            "SELECT day, working FROM calendar ORDER BY day", needs=("calendar.day", "calendar.working")
        )
    except MissingData:
        return {}
    load = inputs.engine.aggregate("service_orders", period=Period(after.last - 59, after.last))
    months = [Month.parse(text) for text in load["month"]]
    if len(months) < LEAST_CALENDAR_MONTHS:
        return {}
    every = [*months, *before.each(), *after.each()]
    days, share = working_days(every, exceptions=exceptions), festival_share(every)
    time = np.arange(len(months), dtype=float)
    angle = 2 * np.pi * np.array([month.number for month in months]) / 12
    columns = {"working_days": np.log(days), "lunar_new_year": share}
    design = np.column_stack(
        [
            np.ones(len(months)),
            time - time.mean(),
            np.sin(angle),
            np.cos(angle),
            *(column[months].to_numpy(float) for column in columns.values()),
        ]
    )
    factors = {}
    for place, (name, column) in enumerate(columns.items(), start=4):
        found = contrast(design, np.log(load["service_orders"].to_numpy(float)), np.eye(6)[place])
        low, high = found.limits(inputs.confidence)
        earlier, later = (column[each.each()].to_numpy(float) for each in (before, after))
        if not low <= 0 <= high and sorted(earlier) != sorted(later):
            factors[name] = (
                float(np.exp(found.estimate * earlier).mean()),
                float(np.exp(found.estimate * later).mean()),
            )
    return factors


@traced
def bridge_cells(inputs: StudyInputs, period: Period) -> pd.DataFrame:
    """A period's cost on cells of `CELL`, with the quantities that move it; the cells add up to the cost to the cent.

    What is traced to tickets stands on their product line and type. Labour of a team stands on the cells of its tickets, shared by handling
    hours, with the hours the team worked and was paid for; labour that is traced is measured by the handling hours of its tickets. Parts are
    measured at constant prices, credits (returns and recoveries) apart; other traced cost by the tickets that carry it. Where neither hours nor
    prices are known, and for everything that is not traced, there is no input quantity.
    """
    engine = inputs.engine
    tickets, direct, held = (
        engine.query(sql.format(when=period.condition())) for sql in (_TICKETS, _DIRECT, _HELD)
    )
    labour, held = _labour_cells(inputs, held, period)
    measured = [_parts_at_constant_prices(inputs, period), _hours_of_traced_labour(inputs, period)]
    quantities = pd.concat([part for part in measured if len(part)] or measured, ignore_index=True)
    traced = direct.merge(quantities, on=CELL, how="left", validate="one_to_one")
    counted = traced["category"].isin(("parts", "labour"))
    traced["input_quantity"] = (
        traced["quantity"].where(counted, traced["carrying"]).where(traced["resource"] != "credits")
    )
    # in a period in which nothing is traced and no team has hours, only what has no driver is left
    driven = pd.concat([part for part in (traced, labour) if len(part)] or [traced], ignore_index=True)
    cell = ["product_line", "ticket_type"]
    # a ticket cell that cost nothing in the period still counts in volume and mix
    silent = tickets.merge(
        driven[cell].drop_duplicates(), on=cell, how="left", indicator=True, validate="one_to_one"
    )
    silent = silent.loc[silent["_merge"] == "left_only", cell].assign(category=UNALLOCATED, resource=WHOLE)
    silent = silent.assign(cost=pd.Series([Decimal("0.00")] * len(silent), index=silent.index, dtype=object))
    driven = pd.concat([driven, silent], ignore_index=True).merge(
        tickets, on=cell, how="left", validate="many_to_one"
    )
    driven = driven.assign(
        behaviour="variable",
        tickets=driven["tickets"].astype(float).fillna(0.0),
        automated_tickets=driven["automated_tickets"].astype(float).fillna(0.0),
    )
    rest = (
        held.groupby("category", as_index=False)["cost"]
        .sum()
        .assign(behaviour="period", **dict.fromkeys(("resource", *cell), NOT_TRACED))
    )
    columns = [*CELL, "cost", "tickets", "automated_tickets", "input_quantity", "paid_quantity", "behaviour"]
    together: pd.DataFrame = pd.concat([driven, rest], ignore_index=True).reindex(columns=columns)
    return together


@traced
def _labour_cells(
    inputs: StudyInputs, held: pd.DataFrame, period: Period
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Labour of teams on the cells of their tickets, and what is left without a driver.

    Hours whose labour is posted to tickets are paid for there; the rest of a team's labour stands against the rest of its hours, else an hour
    nobody worked would look like a dearer one.
    """
    nothing = pd.DataFrame(columns=[*CELL, "cost", "input_quantity", "paid_quantity"])
    try:
        hours = inputs.engine.query(
            _TEAM_HOURS.format(when=period.condition()),
            needs=("staff.team", "staff.hours_paid", "staff.hours_worked"),
        )
        weights = inputs.engine.query(
            _TEAM_WORK.format(when=period.condition()), needs=("tickets.team", "tickets.handling_hours")
        )
    except MissingData:
        return nothing, held
    hours = _less_traced(inputs, hours, period)
    teams = held[
        (held["category"] == "labour") & held["team"].isin(hours["team"]) & held["team"].isin(weights["team"])
    ]
    if teams.empty:
        return nothing, held
    pools = teams.groupby("team")["cost"].sum().reset_index(name="amount")
    weights = weights[weights["team"].isin(pools["team"])].assign(
        target=range(int(weights["team"].isin(pools["team"]).sum()))
    )
    shared = allocate_pools(pools, weights[["team", "target", "weight"]], target="target").amounts
    cells = (
        shared[["target", "amount"]]
        .merge(weights, on="target", validate="one_to_one")
        .merge(hours, on="team", validate="many_to_one")
    )
    part = cells["weight"] / cells.groupby("team")["weight"].transform("sum")
    labour = cells.assign(
        category="labour",
        resource=cells["team"],
        cost=cells["amount"],
        input_quantity=part * cells["worked"],
        paid_quantity=part * cells["paid"],
    )
    return labour[[*CELL, "cost", "input_quantity", "paid_quantity"]], held.drop(index=teams.index)


@traced
def _less_traced(inputs: StudyInputs, hours: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Hours paid and worked of teams without those of tickets that carry their own labour; what is not known where nothing is left."""
    try:
        posted = inputs.engine.query(
            _TRACED_HOURS_OF_TEAMS.format(when=period.condition(), last=literal(inputs.month.start)),
            needs=("tickets.team", "tickets.handling_hours", "ledger.ticket_id"),
        ).set_index("team")["quantity"]
    except MissingData:
        return hours
    traced = hours["team"].map(posted).fillna(0.0).astype(float)
    rest = {name: hours[name].astype(float) - traced for name in ("paid", "worked")}
    return hours.assign(**{name: left.where(left > 0) for name, left in rest.items()})


@traced
def _parts_at_constant_prices(inputs: StudyInputs, period: Period) -> pd.DataFrame:
    """Parts of the tickets whose parts were posted in the period, each at its average price over the history up to the report month.

    Not over all that the extract holds: what was used later was not known then, and a month made again would differ.
    """
    try:
        return inputs.engine.query(
            _PARTS.format(when=period.condition(), last=literal(inputs.month.start)),
            needs=("parts_used.quantity", "parts_used.unit_price"),
        )
    except MissingData:
        return _nothing_measured()


@traced
def _hours_of_traced_labour(inputs: StudyInputs, period: Period) -> pd.DataFrame:
    """Handling hours of the tickets to which labour was posted in the period, for the share of a ticket's labour that the period holds.

    Tickets without hours are taken to have cost as much an hour as those of their cell that have them.
    """
    try:
        return inputs.engine.query(
            _TRACED_HOURS.format(when=period.condition(), last=literal(inputs.month.start)),
            needs=("tickets.handling_hours", "ledger.ticket_id"),
        )
    except MissingData:
        return _nothing_measured()


def _nothing_measured() -> pd.DataFrame:
    return pd.DataFrame(
        {name: pd.Series(dtype=object) for name in CELL} | {"quantity": pd.Series(dtype=float)}
    )


_CELL_SQL = f"coalesce(product_line, '{NOT_STATED}') AS product_line, coalesce(ticket_type, '{NOT_STATED}') AS ticket_type"
# Cost meets its tickets on the ticket's own product line; a posting may name another, or one where the ticket names none.
_TICKET_CELL_SQL = _CELL_SQL.replace("coalesce(product_line", "coalesce(ticket_product_line")
_TICKETS = f"""
SELECT {_CELL_SQL}, count(*) AS tickets, count(*) FILTER (WHERE automated) AS automated_tickets
FROM service WHERE {{when}} GROUP BY 1, 2 ORDER BY 1, 2
"""
_INCURRED = "{when} AND posting_basis IN ('incurred', 'recovery')"
_DIRECT = f"""
SELECT category, CASE WHEN category = 'parts' AND (amount < 0 OR posting_basis = 'recovery') THEN 'credits' ELSE '{WHOLE}' END AS resource, {_TICKET_CELL_SQL},
       sum(amount) AS cost, count(DISTINCT ticket_id)::DOUBLE AS carrying
FROM cost WHERE {_INCURRED} AND tracing = 'direct' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""
_HELD = f"""
SELECT category, coalesce(team, '{NOT_STATED}') AS team, sum(amount) AS cost
FROM cost WHERE {_INCURRED} AND tracing <> 'direct' GROUP BY 1, 2 ORDER BY 1, 2
"""
_TEAM_HOURS = f"""
SELECT team, {added("hours_paid")} AS paid, {added("hours_worked")} AS worked FROM workforce WHERE {{when}} AND team IS NOT NULL
GROUP BY 1 HAVING {added("hours_worked")} > 0 AND {added("hours_paid")} > 0 ORDER BY 1
"""
_TEAM_WORK = f"""
SELECT team, {_CELL_SQL}, {added("handling_hours")} AS weight FROM service WHERE {{when}} AND team IS NOT NULL
GROUP BY 1, 2, 3 HAVING {added("handling_hours")} > 0 ORDER BY 1, 2, 3
"""
_PARTS = f"""
WITH posted AS (
    SELECT ticket_id, min(month) AS month, min(ticket_product_line) AS product_line, min(ticket_type) AS ticket_type
    FROM cost WHERE category = 'parts' AND tracing = 'direct' AND amount > 0 AND posting_basis = 'incurred' GROUP BY 1
), price AS (
    SELECT part_no, (sum(unit_price) / count(unit_price))::DOUBLE AS price FROM parts_used JOIN posted USING (ticket_id)
    WHERE unit_price > 0 AND posted.month <= {{last}} GROUP BY 1
)
SELECT 'parts' AS category, '{WHOLE}' AS resource, {_CELL_SQL}, {added("u.quantity * price.price")} AS quantity
FROM (SELECT * FROM posted WHERE {{when}}) AS posted JOIN parts_used u USING (ticket_id) JOIN price USING (part_no) GROUP BY 3, 4 ORDER BY 3, 4
"""


_TIMED = f"""
WITH posted AS (
    SELECT ticket_id, (sum(amount) FILTER (WHERE {{when}}))::DOUBLE AS here, sum(amount)::DOUBLE AS whole
    FROM cost WHERE category = 'labour' AND tracing = 'direct' AND posting_basis IN ('incurred', 'recovery') AND month <= {{last}} GROUP BY 1
), timed AS (
    SELECT {_CELL_SQL}, team, here, CASE WHEN handling_hours > 0 AND here > 0 THEN handling_hours * least(here / whole, 1) END AS hours
    FROM posted JOIN service USING (ticket_id) WHERE here IS NOT NULL AND whole > 0
)"""
_TRACED_HOURS = f"""{_TIMED}
SELECT 'labour' AS category, '{WHOLE}' AS resource, product_line, ticket_type,
       {added("hours")} * {added("here")} / {added("CASE WHEN hours IS NOT NULL THEN here END")} AS quantity
FROM timed GROUP BY ALL HAVING {added("hours")} > 0 AND {added("here")} > 0 ORDER BY ALL
"""
_TRACED_HOURS_OF_TEAMS = f"""{_TIMED}
SELECT team, {added("hours")} AS quantity FROM timed WHERE team IS NOT NULL GROUP BY 1 HAVING {added("hours")} > 0 ORDER BY 1
"""


def movement_findings(
    comparisons: Sequence[CostComparison], bridges: Mapping[str, Bridge | NotDone]
) -> list[Finding]:
    """What moved and by which effect most; a plain statement of accounting totals, so no test is needed."""
    findings = []
    for comparison in comparisons:
        bridge = bridges[comparison.against]
        if isinstance(bridge, NotDone) or comparison.change.value is None or not bridge.effects:
            continue
        (label, effect), (along, most) = bridge.largest, bridge.along
        values: dict[str, Value] = {
            "cost": comparison.cost,
            "change": comparison.change,
            "effect": most,
            "name": along,
        }
        further: dict[str, Value]
        if comparison.rate.value is None:
            text, further = _CROSSED, {"before": comparison.base, "compared": bridge.before}
        elif most is not effect:
            text = _MOVED_ALTHOUGH[comparison.against]
            further = {"rate": comparison.rate, "contrary": label, "other": effect}
        else:
            text, further = _MOVED[comparison.against], {"rate": comparison.rate}
        findings.append(
            Finding(
                id=f"costs.moved_{comparison.against}",
                section="costs",
                severity="info",
                statement=Sentence(text, values | further),
                method="Shapley effects of the cost bridge; they add up to the change",
                rank=size(comparison.change),
            )
        )
    return findings


# One of the two is not above zero, as where more was credited than charged: no rate says how they differ.
_CROSSED = "After-sales cost was {cost} against {before} in {compared}: {change:signed}. The largest part of the change was {name:lower} ({effect:signed})."
_MOVED = {
    "previous_quarter": "After-sales cost was {cost}, {change:word|up|down|unchanged} {rate:abs} ({change:signed}) on the previous quarter. The largest effect was {name:lower} ({effect:signed}).",
    "quarter_year_before": "Against the same quarter a year before, after-sales cost {change:word|rose|fell|did not change} by {rate:abs} ({change:signed}). The largest effect was {name:lower} ({effect:signed}).",
    "previous_year": "After-sales cost was {cost}, {change:word|up|down|unchanged} {rate:abs} ({change:signed}) on the previous year. The largest effect was {name:lower} ({effect:signed}).",
    "previous_month": "After-sales cost was {cost}, {change:word|up|down|unchanged} {rate:abs} ({change:signed}) on the previous month. The largest effect was {name:lower} ({effect:signed}).",
    "year_before": "Against the same month a year before, after-sales cost {change:word|rose|fell|did not change} by {rate:abs} ({change:signed}). The largest effect was {name:lower} ({effect:signed}).",
}
# The largest effect went the other way: it is no reason for the change, and is said to be against it.
_MOVED_ALTHOUGH = {
    "previous_quarter": "After-sales cost was {cost}, {change:word|up|down|unchanged} {rate:abs} ({change:signed}) on the previous quarter: {name:lower} was the largest part of it ({effect:signed}), while {contrary:lower} went the other way ({other:signed}).",
    "quarter_year_before": "Against the same quarter a year before, after-sales cost {change:word|rose|fell|did not change} by {rate:abs} ({change:signed}): {name:lower} was the largest part of it ({effect:signed}), while {contrary:lower} went the other way ({other:signed}).",
    "previous_year": "After-sales cost was {cost}, {change:word|up|down|unchanged} {rate:abs} ({change:signed}) on the previous year: {name:lower} was the largest part of it ({effect:signed}), while {contrary:lower} went the other way ({other:signed}).",
    "previous_month": "After-sales cost was {cost}, {change:word|up|down|unchanged} {rate:abs} ({change:signed}) on the previous month: {name:lower} was the largest part of it ({effect:signed}), while {contrary:lower} went the other way ({other:signed}).",
    "year_before": "Against the same month a year before, after-sales cost {change:word|rose|fell|did not change} by {rate:abs} ({change:signed}): {name:lower} was the largest part of it ({effect:signed}), while {contrary:lower} went the other way ({other:signed}).",
}


def bridge_check(bridges: Mapping[str, Bridge | NotDone]) -> Check:
    """The law of the bridge, checked on the numbers that are printed."""
    for bridge in bridges.values():
        if isinstance(bridge, NotDone):
            continue
        if sum((amount_of(fact) for _, fact in bridge.effects), Decimal(0)) != amount_of(bridge.change):
            return Check(
                id="bridge_adds_up",
                outcome="failed",
                blocking=True,
                sentence=Sentence("The effects of the cost bridge do not add up to the change."),
            )
    return Check(
        id="bridge_adds_up",
        outcome="passed",
        sentence=Sentence("The effects of the cost bridge add up to the change to the cent."),
    )
