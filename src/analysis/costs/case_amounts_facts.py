"""Money per case of a shop or a team that is truly higher than the others', as facts and findings.

Of a shop: each account of its postings per service order of the kind that the account follows. Of a team: the amount of a case in which
it granted one (approved claims), kind, product line and shop held equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.costs.case_amounts import UnitRatio, unit_ratios
from analysis.costs.signals_facts import account_name, false_alarm_level
from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs, cents, materiality, traced
from analysis.metrics.views.selection import worded
from analysis.results import Fact, Finding, Interval, Sentence, Stake, Value
from analysis.stats.multiplicity import adjust_p_values
from analysis.summaries import Summarised

YEAR = 12
FOLLOWS = 0.7  # an account follows a kind whose count leaves at most so much of the spread that the next best kind leaves
HELD_ELSEWHERE = "('labour', 'outsourcing', 'unallocated')"
OF_TEAMS = ("claims.approved", "claims.ticket_id", "tickets.team", "tickets.ticket_type")
REST = "\x00"  # no name of a team
METHOD = "log-linear amount per case against the median of the others, jackknife over months, t"


@dataclass(frozen=True, kw_only=True, eq=False)
class DearUnit(Summarised):
    """A shop or team whose money per case (``amount``) lies above the others': ``what`` the money is for."""

    what: Text
    name: Text
    place: Mapping[str, str]
    amount: Fact
    ratio: Fact
    excess: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseAmounts(Summarised):
    """Shops and teams that are dearer per case beyond chance, the surest first, and how many were tested."""

    units: tuple[DearUnit, ...]
    tested: Fact
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Tested:
    """One unit as it was tested, and where its facts stand."""

    by: str
    what: Text
    kind: str
    place: Mapping[str, str]
    found: UnitRatio
    cells: pd.DataFrame


def tells_places_apart(inputs: StudyInputs) -> bool:
    """Whether service orders name shops, or teams and what was granted."""
    has = inputs.engine.tables.has
    return has("tickets.ticket_type") and (has("tickets.shop") or has(*OF_TEAMS))


@traced
def case_amounts_of(inputs: StudyInputs) -> CaseAmounts:
    """Which shops and teams spend truly more per case than the others.

    Raises
    ------
    MissingData
        Where neither shops' postings nor teams' claims can be told apart.
    """
    period = Period(inputs.month - (YEAR - 1), inputs.month)
    tested = [*_of_shops(inputs, period), *_of_teams(inputs, period)]
    if not tested:
        raise MissingData("ledger.shop", message="no two shops or teams can be compared by money per case")
    chances = adjust_p_values([one.found.p_value for one in tested], method="holm")
    named = [
        replace(one, found=replace(one.found, p_value=float(chance)))
        for one, chance in zip(tested, chances, strict=True)
        if chance <= false_alarm_level(inputs)
    ]
    named.sort(key=lambda one: one.found.p_value)
    # a team far above makes those that share its cases look other than they are: the surest one alone is named
    surest = next((one for one in named if one.by == "team"), None)
    named = [one for one in named if one.by != "team" or one is surest]
    units = [(_unit(inputs, one, period), one) for one in named]
    state = Stating(inputs=inputs, period=period)
    return CaseAmounts(
        units=tuple(unit for unit, _ in units),
        tested=state.exact("case_amounts_tested", len(tested)),
        findings=tuple(_finding(inputs, unit, one) for unit, one in units),
    )


# -- shops ------------------------------------------------------------------------------------------------------------------


@traced
def _of_shops(inputs: StudyInputs, period: Period) -> list[_Tested]:
    """Each shop and account that follows a kind of service order."""
    if not inputs.engine.tables.has("tickets.shop", "tickets.ticket_type"):
        return []
    wide = Period(inputs.month - (3 * YEAR - 1), inputs.month)
    place = f"{worded('product_line')} AS product_line, {worded('shop')} AS shop"
    posted = inputs.engine.query(
        f"SELECT month, {worded('account')} AS account, {place}, sum(amount)::DOUBLE AS amount FROM cost "
        f"WHERE {wide.condition()} AND posting_basis = 'incurred' AND shop IS NOT NULL AND cost_pool IS NULL "
        f"AND category NOT IN {HELD_ELSEWHERE} GROUP BY ALL ORDER BY ALL"
    )
    cases = inputs.engine.query(
        f"SELECT month, {worded('ticket_type')} AS ticket_type, {place}, count(*)::DOUBLE AS cases FROM service "
        f"WHERE {wide.condition()} AND shop IS NOT NULL GROUP BY ALL ORDER BY ALL"
    )
    found: list[_Tested] = []
    for account, amounts in posted.groupby("account", sort=True):
        kind, cells = _followed(amounts, cases)
        if kind is None:
            continue
        year = cells[pd.to_datetime(cells["month"]) >= pd.Timestamp(period.first.start)]
        found += [
            _Tested(
                by="shop",
                what=account_name(inputs, str(account)),
                kind=kind,
                place={"shop": one.unit, "account": str(account), "ticket_type": kind},
                found=one,
                cells=year,
            )
            for one in unit_ratios(year, unit="shop", beside=["product_line"], confidence=inputs.confidence)
        ]
    return found


@traced
def _followed(amounts: pd.DataFrame, cases: pd.DataFrame) -> tuple[str | None, pd.DataFrame]:
    """The kind of service order whose count an account follows within shops and product lines, and both by month; None where no kind is clear."""
    keys = ["month", "product_line", "shop"]
    spread: dict[str, tuple[float, pd.DataFrame]] = {}
    for kind, counted in cases.groupby("ticket_type", sort=True):
        cells = counted[[*keys, "cases"]].merge(
            amounts[[*keys, "amount"]], on=keys, how="outer", validate="one_to_one"
        )
        cells = cells.fillna({"amount": 0.0, "cases": 0.0}).assign(
            amount=lambda table: table["amount"].clip(lower=0.0)
        )
        spread[str(kind)] = _left_over(cells), cells
    ranked = sorted(spread, key=lambda kind: (spread[kind][0], kind))
    if not ranked or (len(ranked) > 1 and spread[ranked[0]][0] > FOLLOWS * spread[ranked[1]][0]):
        return None, pd.DataFrame()
    return ranked[0], spread[ranked[0]][1]


def _left_over(cells: pd.DataFrame) -> float:
    """What one amount per case of each shop and product line leaves of the amounts (Pearson); money without a case counts as all left."""
    sums = cells.groupby(["shop", "product_line"])[["amount", "cases"]].transform("sum")
    rate = (sums["amount"] / sums["cases"].where(sums["cases"] > 0)).fillna(0.0)
    least = 1e-3 * max(float(cells["amount"].mean()), 1e-9)
    mean = np.maximum((rate * cells["cases"]).to_numpy(float), least)
    return float(((cells["amount"].to_numpy(float) - mean) ** 2 / mean).sum())


# -- teams ------------------------------------------------------------------------------------------------------------------


@traced
def _of_teams(inputs: StudyInputs, period: Period) -> list[_Tested]:
    """Each team by the amount of a case in which it granted one; how many of its cases are of that sort is not its doing."""
    if not inputs.engine.tables.has(*OF_TEAMS):
        return []
    names = ("ticket_type", "product_line", "shop", "team")
    cut = ", ".join(f"{worded(name)} AS {name}" for name in names)
    cells = inputs.engine.query(
        "WITH granted AS (SELECT ticket_id, sum(approved)::DOUBLE AS amount FROM claims GROUP BY 1 HAVING sum(approved) > 0) "
        f"SELECT month, {cut}, sum(g.amount) AS amount, count(*)::DOUBLE AS cases FROM service JOIN granted g USING (ticket_id) "
        f"WHERE {period.condition()} AND team IS NOT NULL GROUP BY ALL ORDER BY ALL"
    )
    if cells.empty:
        return []
    return [
        _team(one, cells)
        for team in sorted(cells["team"].unique())
        for one in _against_the_rest(inputs, cells, str(team))
    ]


def _against_the_rest(inputs: StudyInputs, cells: pd.DataFrame, team: str) -> list[UnitRatio]:
    """A team beside all others together: many teams work for one shop alone, so a single other one has no case like theirs."""
    beside = ["ticket_type", "product_line", "shop"]
    two = cells.assign(team=cells["team"].where(cells["team"] == team, REST))
    found = unit_ratios(two, unit="team", beside=beside, confidence=inputs.confidence)
    return [one for one in found if one.unit == team]


def _team(found: UnitRatio, cells: pd.DataFrame) -> _Tested:
    what = Text.of("amounts granted")
    return _Tested(by="team", what=what, kind="", place={"team": found.unit}, found=found, cells=cells)


# -- what is told -----------------------------------------------------------------------------------------------------------


@traced
def _unit(inputs: StudyInputs, one: _Tested, period: Period) -> DearUnit:
    """A unit as facts: its ratio to the others, and the money beyond that."""
    state = Stating(inputs=inputs, period=period)
    found = one.found
    place: dict[str, Any] = dict(one.place)
    n = int(found.cases)
    told: dict[str, Any] = {"n": n, "method": METHOD, "against": "others", **place}
    more, least, most = found.excess
    limits = Interval.spanning(low=least, high=most, level=inputs.confidence, method=METHOD)
    return DearUnit(
        what=one.what,
        name=inputs.engine.registry.value_label(one.by, found.unit),
        place=place,
        amount=state.exact("case_amount", cents(found.amount / found.cases), parts={"n": n}, **place),
        ratio=state.between("case_amount_ratio", found.ratio, found.low, found.high, **told),
        excess=state.exact(
            "case_amount_excess", cents(more), parts={"n": n, "interval": limits}, against="others", **place
        ),
    )


_SHOP = "{name} spends {ratio} what the other shops do on {what:lower} per case of the kind {kind:lower} ({ratio:interval}; the median of the others, product lines held equal): {excess} more from {first} to {month} ({excess:interval}). Ask what it pays that the others do not."
_TEAM = "{name} grants {ratio} what the other teams do for the same case ({ratio:interval}; all others together, kind, product line and shop held equal): {excess} more from {first} to {month} ({excess:interval}). Compare its rules for amounts with theirs."


@traced
def _finding(inputs: StudyInputs, unit: DearUnit, one: _Tested) -> Finding:
    values: dict[str, Value] = {
        "name": unit.name,
        "ratio": unit.ratio,
        "excess": unit.excess,
        "first": inputs.month - (YEAR - 1),
        "month": inputs.month,
    }
    if one.by == "shop":
        values |= {"what": unit.what, "kind": inputs.engine.registry.value_label("ticket_type", one.kind)}
    return Finding(
        id="costs.shop_unit_cost" if one.by == "shop" else "costs.team_amounts",
        section="costs",
        severity=materiality(inputs).severity(unit.excess, certain=False),
        ground="unasked",
        stake=Stake.of(unit.excess),
        subject=dict(unit.place),
        statement=Sentence(_SHOP if one.by == "shop" else _TEAM, values),
        method="Amount per case against the median of the others, all else that is known held equal; errors by jackknife over months, Holm over shops, accounts and teams, one false alarm in a hundred reports",
        evidence=_rows(one),
        rank=float(unit.excess.value or 0),
    )


def _rows(one: _Tested) -> pd.DataFrame:
    """Amount and cases of every shop or team."""
    return one.cells.groupby(one.by)[["amount", "cases"]].sum().reset_index()
