"""Prices that stepped up and accounts that surged: movements worth a sentence, at one false alarm in a hundred reports per kind."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from analysis.costs.figures import added, month_texts, rows_of
from analysis.costs.price_index import like_for_like
from analysis.costs.signals import Excess, Signals, cost_rises, cost_surges, excess_of_run, price_steps
from analysis.errors import FitError, NothingToCount
from analysis.locale import Text
from analysis.metrics import NotDone, Period, Stating, StudyInputs, cents, materiality, traced
from analysis.metrics.backend import literal
from analysis.metrics.steady import exact_sum
from analysis.metrics.views.selection import study_view
from analysis.periods import Month
from analysis.results import Check, Fact, Finding, Interval, Sentence, Stake, Value
from analysis.summaries import Summarised

HISTORY = 36
RECENT_MONTHS = 3
NO_TICKETS = Text.of("not computed: no ticket carries the account")


@dataclass(frozen=True, kw_only=True, eq=False)
class Searched(Summarised):
    """Findings of one kind of signal, and the subjects that could not be tested: ``subject``, ``reason``."""

    findings: tuple[Finding, ...]
    not_tested: pd.DataFrame

    @classmethod
    def of(cls, signals: Signals, findings: Sequence[Finding]) -> Searched:
        """The findings, and what the search left out."""
        left = signals.not_tested
        subjects: Any = left.drop(columns="reason").astype(str).agg(" ".join, axis=1) if len(left) else []
        return cls(
            findings=tuple(findings), not_tested=pd.DataFrame({"subject": subjects, "reason": left["reason"]})
        )


def false_alarm_level(inputs: StudyInputs) -> float:
    """The chance that a kind of signal names anything without cause."""
    return float(inputs.assumptions.value("cost_signal_error_rate", on=inputs.month.last_day))


def signal_checks(signals: Mapping[str, Searched | NotDone]) -> list[Check]:
    """Subjects that a search left out: seen, not taken for quiet."""
    checks = []
    for name, found in signals.items():
        if isinstance(found, NotDone) or found.not_tested.empty:
            continue
        left = found.not_tested
        listed = "; ".join(f"{subject}: {reason}" for subject, reason in left.itertuples(index=False))
        checks.append(
            Check(
                id=f"not_tested.{name}_subjects",
                outcome="info",
                sentence=Sentence(
                    "Not tested: {what}; {reason}.", {"what": SUBJECTS[name], "reason": Text.same(listed)}
                ),
            )
        )
    return checks


SUBJECTS = {
    "idle_teams": Text.of("some teams for unused hours"),
    "price_steps": Text.of("some parts for steps of their price"),
    "surges": Text.of("some accounts for surges"),
    "rises": Text.of("some accounts for rises"),
}


@traced
def price_findings(inputs: StudyInputs) -> Searched:
    """Parts whose price stepped up, with the first month at the new price and what the step costs by now.

    Raises
    ------
    MissingData
        Without the prices of parts used, or with too few months of them.
    """
    prices = inputs.engine.query(_PRICES, needs=("parts_used.unit_price", "parts_used.quantity"))
    least = float(inputs.assumptions.value("least_price_change", on=inputs.month.last_day))
    prices = _complete(like_for_like(prices, least_difference=least), inputs.month, ["part_no"])
    signals = price_steps(
        prices,
        by=["part_no"],
        least_change=least,
        level=false_alarm_level(inputs),
        confidence=inputs.confidence,
    )
    risen = [row for row in rows_of(signals.found) if row["change"] > 0]
    return Searched.of(signals, [_price_finding(inputs, row, prices) for row in risen])


@traced
def _price_finding(inputs: StudyInputs, row: Mapping[str, Any], prices: pd.DataFrame) -> Finding:
    """One part from the first month at its new price on."""
    part, first = str(row["part_no"]), Month.parse(str(row["first_month"]))
    own = prices[prices["part_no"] == part].reset_index(drop=True)
    since = own[own["month"] >= str(first)]
    state = Stating(inputs=inputs, period=Period(first, inputs.month))
    limits = _interval(row, inputs, "step beside a trend of the log price, t")
    change = state.exact(
        "input_price_change",
        row["change"],
        parts={"n": prices["month"].nunique(), "interval": limits},
        part_no=part,
    )
    paid = float(since["spend"].sum())
    extra, least, most = (paid * each / (1 + each) for each in (row["change"], row["low"], row["high"]))
    cost = state.exact(
        "input_price_cost",
        cents(extra),
        parts={"n": change.n, "interval": limits.spanned(low=least, high=most)},
        part_no=part,
    )
    return Finding(
        id="costs.input_price",
        section="costs",
        severity=materiality(inputs).severity(cost),
        ground="loss",
        stake=Stake.of(cost),
        subject={"part_no": part},
        statement=Sentence(
            "The price of part {part} stepped up by {change} ({change:interval}) from {first}; on the parts used since, that is {cost}{cost:doubt}.",
            {"part": part, "change": change, "first": first, "cost": cost},
        ),
        evidence=own,
        rank=extra,
        method="Largest step beside a straight trend over all possible first months (Andrews 1993); Holm over parts, one false alarm in a hundred reports",
    )


@traced
def surge_findings(inputs: StudyInputs) -> Searched:
    """Accounts traced to tickets with a run of months above what tickets and trend explain, also when it is over."""
    return _account_findings(inputs, _SURGE, partial(cost_surges, lengths=(2, 3, 4), within=12))


@traced
def rise_findings(inputs: StudyInputs) -> Searched:
    """Accounts whose cost of the last three months lies above what tickets and trend explain."""
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
    template="{name} (account {account}) lay {rise} ({rise:interval}) above what tickets explain from {first} to {last}: {excess}{excess:doubt} more than expected.",
    method="Largest run of two to four months above tickets and trend; Holm over accounts, one false alarm in a hundred reports",
)
_RISE = _Kind(
    id="costs.rise",
    metric="cost_rise",
    template="{name} (account {account}) rose in the last three months {rise} ({rise:interval}) above what tickets explain: {excess}{excess:doubt} more than expected.",
    method="Last three months against tickets and trend; Holm over accounts, one false alarm in a hundred reports",
)


@traced
def _account_findings(inputs: StudyInputs, kind: _Kind, search: Callable[..., Signals]) -> Searched:
    costs = _account_months(inputs)
    signals = search(
        costs,
        by=["account"],
        explained_by=("volume", "trend"),
        level=false_alarm_level(inputs),
        confidence=inputs.confidence,
    )
    return Searched.of(
        signals, [_account_finding(inputs, kind, row, costs) for row in rows_of(signals.found)]
    )


@traced
def _account_finding(
    inputs: StudyInputs, kind: _Kind, row: Mapping[str, Any], costs: pd.DataFrame
) -> Finding:
    """One account over the months its row names, or the last ones where it names none."""
    account = str(row["account"])
    first = Month.parse(str(row["from_month"])) if "from_month" in row else inputs.month - (RECENT_MONTHS - 1)
    last = Month.parse(str(row["to_month"])) if "to_month" in row else inputs.month
    state = Stating(inputs=inputs, period=Period(first, last))
    limits = _interval(row, inputs, REGRESSION)
    parts = {"n": costs["month"].nunique(), "interval": limits}
    own = costs[costs["account"] == account].reset_index(drop=True)
    run = own[(own["month"] >= str(first)) & (own["month"] <= str(last))]
    least, most = (float(run["cost"].sum()) * each / (1 + each) for each in (row["low"], row["high"]))
    excess = state.exact(
        "cost_surge_excess",
        cents(row["excess"]),
        parts={"n": parts["n"], "interval": limits.spanned(low=least, high=most)},
        account=account,
    )
    values: dict[str, Value] = {
        "name": account_name(inputs, account),
        "account": account,
        "rise": state.exact(kind.metric, row["rise"], parts=parts, account=account),
        "first": first,
        "last": last,
        "excess": excess,
    }
    said, known = _why_dearer(state, account)
    against, netted, net = _net_of_the_rest(inputs, state, own, excess)
    # where the others cost less by as much, what is left to weigh is that the account became dearer
    money = net if float(net.value or 0) > 0 else known.get("price_part", net)
    assert isinstance(money, Fact)
    return Finding(
        id=kind.id,
        section="costs",
        severity=materiality(inputs).severity(money),
        ground="loss",
        stake=Stake.of(money),
        subject={"account": account},
        statement=Sentence(" ".join([kind.template, *said, *against]), values | known | netted),
        evidence=own,
        rank=float(row["excess"]),
        method=kind.method,
    )


REGRESSION = "regression on tickets and trend, serially correlated errors, t"
_DEARER = "It cost {fee} that carried it ({fee:denominator} tickets with a posting in these months), {before} in the twelve months before ({before:denominator} tickets); the price makes {price_part}{price_part:doubt} of the excess. Of the tickets opened in these months {share} carried it ({share:numerator} of {share:denominator}){share:doubt}, before {share_before} ({share_before:numerator} of {share_before:denominator}){share_before:doubt}."
_BELOW = "All other cost of the same months differed by {rest:signed} ({rest:interval}) from what tickets explain; together that is {net:signed} ({net:interval})."


@traced
def _why_dearer(state: Stating, account: str) -> tuple[list[str], dict[str, Value]]:
    """Price and volume of an account: cost per ticket that carries it, and the share of tickets that do, in the run and in the year before.

    What a price rise cost is the rise times the tickets of the run; the rest of the excess is more tickets.
    """
    assert isinstance(state.period, Period)
    run, before = state.period, Period(state.period.first - 12, state.period.first - 1)
    fee, fee_before = (_fee(state, account, span) for span in (run, before))
    share, share_before = (_carried(state, account, span) for span in (run, before))
    if any(one.value is None for one in (fee, fee_before, share, share_before)):
        return [], {}
    tickets = float(fee.denominator or 0)
    part = state.estimate(
        "surge_price_part",
        cents((float(fee.value or 0) - float(fee_before.value or 0)) * tickets),
        math.hypot(*(_fee_error(state, account, span) for span in (run, before))) * tickets,
        n=int(tickets),
        method="difference of two means over tickets, normal",
        account=account,
    )
    values: dict[str, Value] = {"fee": fee, "before": fee_before, "price_part": part}
    return [_DEARER], values | {"share": share, "share_before": share_before}


@study_view
def posted_with_ticket(account: str, span: Period) -> str:
    """The incurred postings of an account that carry a ticket."""
    return (
        f"SELECT * FROM cost WHERE account = {literal(account)} AND tracing = 'direct' "
        f"AND posting_basis IN ('incurred', 'recovery') AND {span.condition()}"
    )


@traced
def _fee(state: Stating, account: str, span: Period) -> Fact:
    """Cost of the account per ticket that carries it."""
    posted = posted_with_ticket(account, span)
    return state.measured("surge_cost_per_ticket", posted, reason=NO_TICKETS, period=span, account=account)


@traced
def _fee_error(state: Stating, account: str, span: Period) -> float:
    """Standard error of the mean cost per ticket that carries the account."""
    sums = state.inputs.engine.query(
        "SELECT count(*) AS tickets, sum(amount)::DOUBLE AS amount, "
        f"{exact_sum('amount::DOUBLE * amount::DOUBLE')} AS square "
        f"FROM (SELECT ticket_id, sum(amount) AS amount FROM ({posted_with_ticket(account, span)}) k GROUP BY 1) t"
    ).iloc[0]
    tickets = float(sums["tickets"])
    spread = max(float(sums["square"]) - float(sums["amount"]) ** 2 / tickets, 0.0)
    return math.sqrt(spread / max(tickets - 1, 1) / tickets)


@traced
def _carried(state: Stating, account: str, span: Period) -> Fact:
    """The share of service orders that carry the account."""
    orders = orders_of_account(account, span)
    return state.measured("surge_ticket_share", orders, period=span, account=account)


@study_view
def orders_of_account(account: str, span: Period) -> str:
    """The service orders of a period; ``carried`` where a posting of the account names them."""
    return (
        f"SELECT *, ticket_id IN (SELECT ticket_id FROM ({posted_with_ticket(account, span)}) AS posted) AS carried "
        f"FROM service WHERE {span.condition()}"
    )


@traced
def _net_of_the_rest(
    inputs: StudyInputs, state: Stating, own: pd.DataFrame, excess: Fact
) -> tuple[list[str], dict[str, Value], Fact]:
    """What all other cost did in the same months, said where it clearly offsets a rise; the last is the sum that is at stake."""
    assert isinstance(state.period, Period)
    account = str(own["account"].iloc[0])
    whole = inputs.engine.aggregate(
        "incurred_cost", period=Period(inputs.month - (HISTORY - 1), inputs.month)
    )
    spent = whole.set_index(whole["month"].astype(str))["incurred_cost"]
    months = own.assign(all=own["month"].map(spent)).dropna(subset="all")
    rest = months.assign(cost=months["all"].astype(float) - months["cost"])
    try:
        found = excess_of_run(
            rest,
            first=str(state.period.first),
            last=str(state.period.last),
            explained_by=("volume", "trend"),
            confidence=inputs.confidence,
        )
    except FitError:  # nothing else is booked in some month: there is nothing that could offset the rise
        return [], {}, excess
    if found.high >= 0 or excess.interval is None:
        return [], {}, excess
    limits = excess.interval.spanned(low=found.low, high=found.high)
    others = state.exact(
        "cost_surge_offset", cents(found.amount), parts={"n": len(rest), "interval": limits}, account=account
    )
    rise = Excess(amount=float(excess.value or 0), low=excess.interval.low, high=excess.interval.high)
    net = rise.plus(found)
    together = state.derived(
        "cost_surge_net",
        excess,
        others,
        parts={"n": len(rest), "interval": limits.spanned(low=net.low, high=net.high)},
        account=account,
    )
    return [_BELOW], {"rest": others, "net": together}, together


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
        raise NothingToCount("ledger.ticket_id")
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
        frame = frame.assign(month=month_texts(frame["month"]))
    if frame.empty:  # a table with a header and no rows has no months to compare
        return frame
    frame = frame[frame["month"] <= str(last)]
    return frame[frame.groupby(by)["month"].transform("nunique") == frame["month"].nunique()].reset_index(
        drop=True
    )


def _interval(row: Mapping[str, Any], inputs: StudyInputs, method: str) -> Interval:
    return Interval.spanning(
        low=float(row["low"]), high=float(row["high"]), level=inputs.confidence, method=method
    )


_PRICES = f"""
SELECT s.month, u.part_no, coalesce(u.supplier, '') AS supplier, coalesce(s.model, '') AS model, {added("u.quantity * u.unit_price")} AS spend, {added("u.quantity")} AS quantity
FROM parts_used u JOIN service s USING (ticket_id) WHERE u.unit_price > 0 AND u.quantity > 0 GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 3, 4
"""
