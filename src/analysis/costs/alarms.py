"""Prices that stepped up and accounts that surged: movements worth a sentence, at one false alarm in a hundred reports a kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from analysis.costs.figures import added, money, rows_of
from analysis.errors import AnalysisError, MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Fact, Finding, Interval, Sentence, Value

if TYPE_CHECKING:
    import pandas as pd

    from analysis.costs.signals import Signals

LEVEL = 0.01
LEAST_PRICE_CHANGE = 0.02
HISTORY = 36
RECENT_MONTHS = 3


@traced
def price_findings(inputs: StudyInputs) -> list[Finding]:
    """Parts whose price stepped up, with the first month at the new price and what the step costs by now."""
    from analysis.costs.signals import price_steps

    try:
        prices = inputs.engine.query(_PRICES, needs=("parts_used.unit_price", "parts_used.quantity"))
    except MissingData:
        return []
    prices = _complete(prices, inputs.month, ["part_no"])
    try:
        signals = price_steps(
            prices, by=["part_no"], least_change=LEAST_PRICE_CHANGE, level=LEVEL, confidence=inputs.confidence
        )
    except AnalysisError:
        return []
    findings = []
    for row in rows_of(signals.found):
        if row["change"] <= 0:
            continue
        part, first = str(row["part_no"]), Month.parse(str(row["first_month"]))
        place = {"part_no": part}
        since = prices[(prices["part_no"] == part) & (prices["month"] >= str(first))]
        period = str(Period(first, inputs.month))
        change = inputs.engine.stated(
            "input_price_change",
            period=period,
            value=row["change"],
            dimensions=place,
            n=len(set(prices["month"])),
            interval=_interval(row, inputs, "step beside a trend of the log price, t"),
        )
        extra = float((since["price"] * since["quantity"]).sum()) * row["change"] / (1 + row["change"])
        cost = inputs.engine.stated("input_price_cost", period=period, value=money(extra), dimensions=place)
        findings.append(
            Finding(
                id="costs.input_price",
                section="costs",
                severity="watch",
                subject=place,
                statement=Sentence(
                    "The price of part {part} stepped up by {change} ({change:interval}) from {first}; on the parts used since, that is {cost}.",
                    {"part": part, "change": change, "first": first, "cost": cost},
                ),
                evidence=prices[prices["part_no"] == part].reset_index(drop=True),
                rank=extra,
                method="Largest step beside a straight trend over all possible first months (Andrews 1993); Holm over parts, one false alarm in a hundred reports",
            )
        )
    return findings


@traced
def surge_findings(inputs: StudyInputs) -> list[Finding]:
    """Accounts traced to tickets with a run of months above what tickets and trend explain, also when it is over."""
    from analysis.costs.signals import cost_surges

    return _account_findings(inputs, _SURGE, partial(cost_surges, lengths=(2, 3, 4), within=12))


@traced
def rise_findings(inputs: StudyInputs) -> list[Finding]:
    """Accounts whose cost of the last three months lies above what tickets and trend explain."""
    from analysis.costs.signals import cost_rises

    return _account_findings(inputs, _RISE, partial(cost_rises, window=RECENT_MONTHS))


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """How accounts above what tickets explain are named: the finding's id, the metric of the rise, the words."""

    id: str
    metric: str
    template: str
    method: str


_SURGE = _Kind(
    id="costs.surge",
    metric="cost_surge",
    template="{name} (account {account}) lay {rise} ({rise:interval}) above what tickets explain from {first} to {last}: {excess} more than expected.",
    method="Largest run of two to four months above tickets and trend; Holm over accounts, one false alarm in a hundred reports",
)
_RISE = _Kind(
    id="costs.rise",
    metric="cost_rise",
    template="{name} (account {account}) rose in the last three months {rise} ({rise:interval}) above what tickets explain: {excess} more than expected.",
    method="Last three months against tickets and trend; Holm over accounts, one false alarm in a hundred reports",
)


@traced
def _account_findings(inputs: StudyInputs, kind: _Kind, search: Callable[..., Signals]) -> list[Finding]:
    try:
        costs = _account_months(inputs)
        signals = search(
            costs, by=["account"], explained_by=("volume", "trend"), level=LEVEL, confidence=inputs.confidence
        )
    except AnalysisError:
        return []
    return [_account_finding(inputs, kind, row, costs) for row in rows_of(signals.found)]


@traced
def _account_finding(inputs: StudyInputs, kind: _Kind, row: dict[str, Any], costs: pd.DataFrame) -> Finding:
    """One account over the months its row names, or the last ones where it names none."""
    account = str(row["account"])
    first = Month.parse(str(row["from_month"])) if "from_month" in row else inputs.month - (RECENT_MONTHS - 1)
    last = Month.parse(str(row["to_month"])) if "to_month" in row else inputs.month

    def fact(metric: str, value: Any, **parts: Any) -> Fact:
        return inputs.engine.stated(
            metric, period=Period(first, last), value=value, dimensions={"account": account}, **parts
        )

    limits = _interval(row, inputs, "regression on tickets and trend, serially correlated errors, t")
    values: dict[str, Value] = {
        "name": account_name(inputs, account),
        "account": account,
        "rise": fact(kind.metric, row["rise"], n=len(set(costs["month"])), interval=limits),
        "first": first,
        "last": last,
        "excess": fact("cost_surge_excess", money(row["excess"])),
    }
    return Finding(
        id=kind.id,
        section="costs",
        severity="watch",
        subject={"account": account},
        statement=Sentence(kind.template, values),
        evidence=costs[costs["account"] == account].reset_index(drop=True),
        rank=float(row["excess"]),
        method=kind.method,
    )


def account_name(inputs: StudyInputs, account: str) -> Text:
    """The account map's name of an account; its number where it has none."""
    return next(
        (rule.name for rule in inputs.cost_tree.accounts if rule.account == account and rule.name),
        Text.same(account),
    )


@traced
def _account_months(inputs: StudyInputs) -> pd.DataFrame:
    """Cost of each account whose postings carry tickets, by month, beside the month's tickets."""
    period = Period(inputs.month - (HISTORY - 1), inputs.month)
    cost = inputs.engine.aggregate("direct_cost", by=("account",), period=period).rename(
        columns={"direct_cost": "cost"}
    )
    cost = cost[cost["cost"].notna()].assign(cost=lambda frame: frame["cost"].astype(float))
    cost = _complete(cost[cost["cost"] > 0], inputs.month, ["account"])
    if cost.empty:
        raise MissingData("ledger.ticket_id")
    tickets = inputs.engine.aggregate("service_orders", period=period)[["month", "service_orders"]].rename(
        columns={"service_orders": "tickets"}
    )
    return cost.merge(
        tickets.assign(tickets=tickets["tickets"].astype(float)),
        on="month",
        how="inner",
        validate="many_to_one",
    ).sort_values(["account", "month"], ignore_index=True)


@traced
def _complete(frame: pd.DataFrame, last: Month, by: list[str]) -> pd.DataFrame:
    """Subjects that are there in every month up to the report month: a series with holes cannot be tested."""
    if len(frame) and not isinstance(frame["month"].iloc[0], str):
        frame = frame.assign(month=[f"{day:%Y-%m}" for day in frame["month"]])
    if frame.empty:  # a table with a header and no rows has no months to compare
        return frame
    frame = frame[frame["month"] <= str(last)]
    return frame[frame.groupby(by)["month"].transform("nunique") == frame["month"].nunique()].reset_index(
        drop=True
    )


def _interval(row: dict[str, Any], inputs: StudyInputs, method: str) -> Interval:
    return Interval(low=float(row["low"]), high=float(row["high"]), level=inputs.confidence, method=method)


_PRICES = f"""
SELECT s.month, u.part_no, {added("u.quantity * u.unit_price")} / {added("u.quantity")} AS price, {added("u.quantity")} AS quantity
FROM parts_used u JOIN service s USING (ticket_id) WHERE u.unit_price > 0 AND u.quantity > 0 GROUP BY 1, 2 ORDER BY 2, 1
"""
