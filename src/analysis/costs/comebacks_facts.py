"""What comes back, and from whom: the shares by month and by group, the few groups that stand out, and what their work costs a second time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from analysis.costs.comebacks import Cell, Comebacks, Way, by_kind, search
from analysis.costs.comebacks_rows import GROUPS, Followed, ways_of
from analysis.costs.signals_facts import false_alarm_level
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs, cents, materiality, traced
from analysis.metrics.backend import literal
from analysis.metrics.steady import exact_sum
from analysis.results import Fact, Finding, Interval, Sentence, Stake, Value
from analysis.summaries import Summarised

NAMED = 3
LARGEST = 8  # groups of a dimension that have a line; the choice is by cases, so it is no search
HISTORY = 13
NOT_FOLLOWED = Text.of("not computed: the days of follow-up are not over")
NOTHING_CAME = Text.of("not computed: nothing came back to hold against each other")


@dataclass(frozen=True, kw_only=True, eq=False)
class ComebackLine(Summarised):
    """A group, or one kind of its work, against all others at the same work; ``place`` is the slice of its facts.

    Attributes
    ----------
    name : of the group, and of the kind of work where it is one
    share, expected : of its cases that came back; the same at the rate of all others
    ratio : of the two
    apart : whether it is named: more often than the others beyond chance, over all comparisons together
    """

    name: Text
    place: Mapping[str, str]
    share: Fact
    expected: Fact
    ratio: Fact
    apart: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class ComebackWay(Summarised):
    """One way of coming back: its share over the whole span and by month, and its groups.

    Attributes
    ----------
    name : reopened, repeated or complained
    share : of all cases of the span
    months : the last thirteen; one whose days of follow-up are not over has no value
    lines : the groups, dimension by dimension
    """

    name: str
    share: Fact
    months: tuple[Fact, ...]
    lines: tuple[ComebackLine, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Returning(Summarised):
    """What came back over the last twenty-four months that were followed to their end.

    Attributes
    ----------
    period : months of resolution
    ways : those that are recorded
    findings : at most three
    """

    period: Period
    ways: tuple[ComebackWay, ...]
    findings: tuple[Finding, ...]

    @property
    def apart(self) -> list[ComebackLine]:
        """The lines that are named."""
        return [line for way in self.ways for line in way.lines if line.apart]


@traced
def comebacks_of(inputs: StudyInputs) -> Returning:
    """What comes back, and from whom.

    Raises
    ------
    MissingData
        Where no order has a resolution, or nothing came back in any way that is recorded.
    """
    inputs.engine.require("tickets.resolved_at")
    followed = Followed.of(inputs)
    ways = ways_of(followed)
    found = search(
        ways,
        groups=GROUPS,
        level=false_alarm_level(inputs),
        confidence=inputs.confidence,
        least_difference=float(
            inputs.assumptions.value("smallest_comeback_difference", on=inputs.month.last_day)
        ),
        most=NAMED,
    )
    return Returning(
        period=followed.period,
        ways=tuple(_way(followed, way, found) for way in ways),
        findings=tuple(
            _finding(followed, next(way for way in ways if way.name == cell.way), cell)
            for cell in found.named
        ),
    )


@traced
def _way(followed: Followed, way: Way, found: Comebacks) -> ComebackWay:
    state = Stating(inputs=followed.inputs, period=followed.period)
    return ComebackWay(
        name=way.name,
        share=state.measured("comeback_share", followed.of_way(way.name), way=way.name),
        months=_months(followed, way.name),
        lines=tuple(_line(followed, cell, apart=cell in found.named) for cell in _shown(way, found)),
    )


@traced
def _months(followed: Followed, way: str) -> tuple[Fact, ...]:
    """The share by month of resolution, up to the reported one."""
    inputs = followed.inputs
    state = Stating(inputs=inputs)
    known = state.measured_by("comeback_share", followed.of_way(way), by=("month",), way=way)
    facts = {key[0]: fact for key, fact in known.items()}
    return tuple(
        facts.get(str(month))
        or state.exact("comeback_share", None, reason=_why_blank(followed, month), period=month, way=way)
        for month in (inputs.month - back for back in range(HISTORY - 1, -1, -1))
    )


def _why_blank(followed: Followed, month: Any) -> Text:
    return NOT_FOLLOWED if month > followed.period.last else NOTHING_CAME


def _shown(way: Way, found: Comebacks) -> list[Cell]:
    """The largest groups of each dimension, and whatever is named."""
    shown: list[Cell] = []
    for dimension in GROUPS:
        own = [cell for cell in found.cells if cell.way == way.name and cell.dimension == dimension]
        whole = sorted((cell for cell in own if not cell.kind), key=lambda cell: -cell.found.cases)[:LARGEST]
        named = {
            cell.key: cell for cell in found.named if cell.way == way.name and cell.dimension == dimension
        }
        shown += [named.pop(cell.key, cell) for cell in whole]
        shown += named.values()
    return shown


@traced
def _line(followed: Followed, cell: Cell, *, apart: bool) -> ComebackLine:
    """The facts of a cell."""
    state, found = Stating(inputs=followed.inputs, period=followed.period), cell.found
    place = _place(cell)
    share = state.share("comeback_group_share", found.hits, found.cases, **place)
    limits = found.interval
    if limits is None or not found.hits:
        ratio = state.exact("comeback_ratio", None, reason=NOTHING_CAME, **place)
        expected = state.exact("comeback_expected_share", None, reason=NOTHING_CAME, **place)
    else:
        parts = {"n": found.cases, "interval": limits}
        ratio = state.exact("comeback_ratio", found.ratio, parts=parts, **place)
        rate = found.hits / found.cases
        other = limits.spanned(low=rate / limits.high, high=rate / limits.low)
        expected = state.exact(
            "comeback_expected_share",
            found.expected / found.cases,
            parts={"n": found.cases, "interval": other},
            **place,
        )
    return ComebackLine(
        name=_name(followed.inputs, cell),
        place=place,
        share=share,
        expected=expected,
        ratio=ratio,
        apart=apart,
    )


def _place(cell: Cell) -> dict[str, Any]:
    """The slice of a cell's facts."""
    return {"way": cell.way, cell.dimension: cell.value} | ({"activity": cell.kind} if cell.kind else {})


# -- words --------------------------------------------------------------------------------------------------------------------

OF_VALUES = {
    ("automated", "true"): Text.of("work closed without a person"),
    ("automated", "false"): Text.of("work done by people"),
    ("sourcing", "outsourced"): Text.of("outsourced work"),
    ("sourcing", "in_house"): Text.of("work of own teams"),
    ("shift", "early"): Text.of("work asked for from 6:00 to 14:00"),
    ("shift", "late"): Text.of("work asked for from 14:00 to 22:00"),
    ("shift", "night"): Text.of("work asked for from 22:00 to 6:00"),
}
OF_GROUPS = {
    "team": "work of {group}",
    "supplier": "repairs with parts of {group}",
    "sourcing": "work of {group}",
    "automated": "work of {group}",
    "shift": "work of {group}",
    "region": "work in {group}",
}
ADVICE = {
    "team": Text.of("Read a sample of these cases with those who did the work before more of it goes there."),
    "supplier": Text.of("Have its parts inspected on receipt and fit another supplier's where there is one."),
    "automated": Text.of(
        "Give this kind of work back to people until a sample of these cases has been read."
    ),
}


def group_name(inputs: StudyInputs, cell: Cell) -> Text:
    """Whose work a cell is, in words."""
    known = OF_VALUES.get((cell.dimension, cell.value))
    label = inputs.engine.registry.value_label(cell.dimension, cell.value)
    return known or Text.filled(OF_GROUPS[cell.dimension], group=label)


def kind_name(inputs: StudyInputs, kind: str) -> Text:
    """The kind of work of a cell; all of it where none is meant."""
    registry = inputs.engine.registry
    if not kind:
        return Text.of("all kinds of work")
    found = registry.value_label("activity", kind)
    return found if found.zh != kind else registry.value_label("ticket_type", kind)


def _name(inputs: StudyInputs, cell: Cell) -> Text:
    own = group_name(inputs, cell)
    return Text.joined([own, kind_name(inputs, cell.kind)], en=": ", zh="：") if cell.kind else own


# -- what it costs --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Money:
    """Cost of one case that came back, with its standard error."""

    each: float
    error: float
    cases: int


@traced
def _money(followed: Followed, cell: Cell) -> _Money | None:
    """What is traced to the order by which a case came back; of an order opened again, what is traced to it beyond the same work that was not."""
    if not followed.inputs.engine.tables.has("ledger.ticket_id"):
        return None
    sums = followed.inputs.engine.query(_traced_cost(followed, cell))
    hits, rest = (sums[sums["came_back"] == side].set_index("stratum") for side in (True, False))
    return _beyond(hits, rest) if cell.way == "reopened" else _mean(hits)


def _traced_cost(followed: Followed, cell: Cell) -> str:
    """Number, sum and squares of traced cost by stratum, of cases that came back and of those that did not."""
    conditions = [f"{cell.dimension} = {literal(cell.value)}"]
    conditions += [f"kind = {literal(cell.kind)}"] if cell.kind else []
    order = "ticket_id" if cell.way == "reopened" else f"{cell.way}_by"
    return f"""
WITH traced AS (
  SELECT ticket_id, sum(amount)::DOUBLE AS amount FROM cost WHERE ticket_id IS NOT NULL AND posting_basis IN ('incurred', 'recovery') GROUP BY 1
)
SELECT r.came_back, r.stratum, count(*)::DOUBLE AS cases, {exact_sum("coalesce(c.amount, 0)")} AS amount, {exact_sum("coalesce(c.amount, 0) * coalesce(c.amount, 0)")} AS squares
FROM ({followed.of_way(cell.way, *conditions)}) r LEFT JOIN traced c ON c.ticket_id = r.{order} GROUP BY 1, 2 ORDER BY 1, 2
"""


def _mean(hits: pd.DataFrame) -> _Money | None:
    cases, amount = float(hits["cases"].sum()), float(hits["amount"].sum())
    if cases < 2 or amount <= 0:
        return None
    variance = max(float(hits["squares"].sum()) - amount**2 / cases, 0.0) / (cases - 1)
    return _Money(each=amount / cases, error=float(np.sqrt(variance / cases)), cases=int(cases))


def _beyond(hits: pd.DataFrame, rest: pd.DataFrame) -> _Money | None:
    """Difference of means within strata, weighted by the cases that came back."""
    both = hits.join(rest, how="inner", lsuffix="_hit", rsuffix="_rest")
    both = both[(both["cases_hit"] > 1) & (both["cases_rest"] > 1)]
    weight = float(both["cases_hit"].sum())
    if not weight or float(both["amount_hit"].sum()) <= 0:
        return None
    difference, variance = 0.0, 0.0
    for side, sign in (("hit", 1.0), ("rest", -1.0)):
        cases, mean = both[f"cases_{side}"], both[f"amount_{side}"] / both[f"cases_{side}"]
        spread = (both[f"squares_{side}"] - cases * mean**2).clip(lower=0) / (cases - 1) / cases
        share = both["cases_hit"] / weight
        difference += sign * float((share * mean).sum())
        variance += float((share**2 * spread).sum())
    return _Money(each=difference, error=float(np.sqrt(variance)), cases=int(weight))


@traced
def _excess_cost(state: Stating, cell: Cell, money: _Money) -> dict[str, Fact]:
    """Cost of one case, and of the cases beyond the others' rate."""
    found, place, level = cell.found, _place(cell), state.inputs.confidence
    each = state.estimate(
        "comeback_cost_each", cents(money.each), money.error, n=money.cases, method=COST_METHOD, **place
    )
    assert found.interval is not None
    excess = found.hits - found.expected
    least, most = (found.hits * (1 - 1 / end) for end in (found.interval.low, found.interval.high))
    reach = float(ndtri(0.5 + level / 2)) * money.error * excess
    amount = money.each * excess
    low = amount - float(np.hypot(money.each * (excess - least), reach))
    high = amount + float(np.hypot(money.each * (most - excess), reach))
    limits = Interval.spanning(low=low, high=high, level=level, method=f"{COST_METHOD}; limits of the ratio")
    cost = state.exact(
        "comeback_excess_cost", cents(amount), parts={"n": found.cases, "interval": limits}, **place
    )
    return {"each": each, "cost": cost}


COST_METHOD = "mean over cases, normal"

# -- the finding ----------------------------------------------------------------------------------------------------------------

TOLD = {
    "reopened": "Of {group} ({kind}) {share} were opened again ({share:numerator} of {share:denominator}, {first} to {last}); at the rate of all others for the same work it would be {expected}: {ratio} as often ({ratio:interval}). {advice}",
    "repeated": "Of {group} ({kind}) {share} had to be done again within {days} ({share:numerator} of {share:denominator}, {first} to {last}); at the rate of all others for the same work it would be {expected}: {ratio} as often ({ratio:interval}). {advice}",
    "complained": "Of {group} ({kind}) {share} were followed by a complaint within {days} ({share:numerator} of {share:denominator}, {first} to {last}); at the rate of all others for the same work it would be {expected}: {ratio} as often ({ratio:interval}). {advice}",
}
TOLD_WITH_COST = {
    "reopened": "Of {group} ({kind}) {share} were opened again ({share:numerator} of {share:denominator}, {first} to {last}); at the rate of all others for the same work it would be {expected}: {ratio} as often ({ratio:interval}). At {each}{each:doubt}, those beyond it cost about {cost}{cost:doubt}. {advice}",
    "repeated": "Of {group} ({kind}) {share} had to be done again within {days} ({share:numerator} of {share:denominator}, {first} to {last}); at the rate of all others for the same work it would be {expected}: {ratio} as often ({ratio:interval}). At {each}{each:doubt}, those beyond it cost about {cost}{cost:doubt}. {advice}",
    "complained": "Of {group} ({kind}) {share} were followed by a complaint within {days} ({share:numerator} of {share:denominator}, {first} to {last}); at the rate of all others for the same work it would be {expected}: {ratio} as often ({ratio:interval}). At {each}{each:doubt}, those beyond it cost about {cost}{cost:doubt}. {advice}",
}


@traced
def _finding(followed: Followed, way: Way, cell: Cell) -> Finding:
    """One group that stands out."""
    inputs = followed.inputs
    state = Stating(inputs=inputs, period=followed.period)
    line, money = _line(followed, cell, apart=True), _money(followed, cell)
    values: dict[str, Value] = {
        "group": group_name(inputs, cell),
        "kind": kind_name(inputs, cell.kind),
        "share": line.share,
        "expected": line.expected,
        "ratio": line.ratio,
        "first": followed.period.first,
        "last": followed.period.last,
        "advice": ADVICE.get(cell.dimension, ADVICE["team"]),
    }
    if cell.way != "reopened":
        values["days"] = state.assumed("repeat_repair_days")
    known = _excess_cost(state, cell, money) if money is not None else {}
    if known and known["each"].interval and known["each"].interval.low <= 0:
        known = {}  # what a second time costs is not told from nothing, as where it is within a fee
    cost = known.get("cost")
    template = (TOLD_WITH_COST if known else TOLD)[cell.way]
    return Finding(
        id="costs.comes_back",
        section="costs",
        # whose customers and cases they are was compared by kind of work only, so a hidden cause is not ruled out
        severity=materiality(inputs).severity(cost, certain=False),
        ground="no_sum" if cost is None else "unasked",
        stake=None if cost is None else Stake.of(cost),
        subject=_place(cell),
        statement=Sentence(template, values | known),
        evidence=by_kind(way, cell),
        rank=float(cost.value or 0) if cost is not None else 0.0,
        method="Against all others at the same kind of work, component and twelve months, exact given what came back in each; Holm over all groups, kinds and ways, one false alarm in a hundred reports",
    )
