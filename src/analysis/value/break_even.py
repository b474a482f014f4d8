"""What after-sales costs over the horizon, who pays for it, and how much margin it must keep to pay for the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from analysis.errors import FitError, MissingData
from analysis.locale import Text
from analysis.metrics import NotDone, Period, Stating, StudyInputs, cents
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Derived, Fact, Interval
from analysis.value import customer_table
from analysis.value.base import ERROR
from analysis.value.portfolio import Portfolio
from analysis.value.results import ServiceBreakEven
from analysis.value.settings import settings_of

DUTY_METHOD = "simulations of the failure forecast"
BILLED_TWICE = Text.of(
    "not computed: without a table of contracts their bills are within the margin of purchases"
)
NO_FORECAST = Text.of("no forecast of failures was given")
NO_LABOUR = Text.of("needs the hours and cost of own staff")


@traced
def break_even(inputs: StudyInputs, whole: Portfolio, year: Fact, months: int) -> ServiceBreakEven:
    """The share of expected margin that after-sales must keep from leaving to pay for itself, gross and of what nobody else pays for.

    Raises
    ------
    MissingData
        There is no after-sales cost, or none of a whole year.
    FitError
        No margin is expected.
    """
    if year.value is None:
        inputs.engine.require("ledger.amount")
        raise MissingData(message="the ledger does not cover all of {month}", month=year.period)
    facts, earning = Stating(inputs=inputs), (whole.parts["purchases"], whole.parts["contract"])
    expected = sum((Decimal(part.value or 0) for part in earning), Decimal(0))
    if expected <= 0 or whole.total.interval is None:
        raise FitError("no margin is expected of today's customers")
    margin = facts.exact(
        "customer_value_part", expected, part="margin", lineage=Derived(operation="sum", parents=earning)
    )
    rate = float(inputs.assumptions.value("discount_rate_annual", on=inputs.month.last_day))
    ahead = inputs.projected_cost()
    level = year if ahead is None else ahead.total
    cost = _over_horizon(facts, level, months, rate)
    share = float(Decimal(cost.value or 0) / expected)
    earned = _error(inputs, whole.total) / float(expected)
    error = math.hypot(earned, _error(inputs, level) / float(level.value or 1))
    revenue = _revenue(facts, months, rate)
    net = _less(facts, "service_net_cost_over_horizon", cost, revenue)
    duty = _duty(facts, months, rate)
    avoidable = _less(facts, "avoidable_service_cost", net, duty)
    return ServiceBreakEven(
        level=level,
        cost=cost,
        margin=margin,
        share=facts.estimate(
            "break_even_share",
            share,
            share * error,
            n=int(whole.customers.value or 0),
            method=ERROR,
            parts={"numerator": cost.value, "denominator": expected},
            lineage=Derived(operation="quotient", parents=(cost, margin)),
        ),
        revenue=revenue,
        net=net,
        duty=duty,
        avoidable=avoidable,
        net_share=_net_share(facts, avoidable, whole),
        payers=_payers(inputs, settings_of(inputs).contract_types),
    )


# by whether contracts were billed, and whether repairs alone were paid beside them (None: nothing was)
_PAYERS = {
    (True, True): Text.of("Contracts and paid repairs"),
    (True, False): Text.of("Contracts and paid services"),
    (True, None): Text.of("Contracts"),
    (False, True): Text.of("Paid repairs"),
    (False, False): Text.of("Paid services"),
    (False, None): Text.of("Paid services"),
}


@traced
def _payers(inputs: StudyInputs, contract_types: Sequence[str]) -> Text:
    """Who paid the service revenue of the last twelve months, in words; ``contract_types`` are order types that bill a contract."""
    months = Period(inputs.month - 11, inputs.month)
    types = set(
        inputs.engine.query(
            f"""SELECT DISTINCT order_type FROM sales WHERE order_type IN ('extended_warranty', 'premium_service', 'paid_repair', 'other_service')
AND ordered_on >= {literal(months.first.start)} AND ordered_on < {literal(months.last.end)} AND revenue > 0 ORDER BY 1"""
        )["order_type"]
    )
    contracts = {*contract_types, "extended_warranty", "premium_service"}
    beside = types - contracts
    return _PAYERS[bool(types & contracts), beside == {"paid_repair"} if beside else None]


def _error(inputs: StudyInputs, fact: Fact) -> float:
    """Standard error of a fact by its interval; none without one."""
    from scipy.stats import norm

    if fact.interval is None:
        return 0.0
    return float((fact.interval.high - fact.interval.low) / 2 / norm.ppf(0.5 + inputs.confidence / 2))


@traced
def _over_horizon(facts: Stating, level: Fact, months: int, rate: float) -> Fact:
    """A year's cost held at its level over the horizon, discounted month by month, with the interval of a projection."""
    years = Decimal(repr(customer_table.annuity(months, rate)))
    parts: dict[str, Any] = {}
    if level.interval is not None:
        low, high = (edge * float(years) for edge in (level.interval.low, level.interval.high))
        parts = {"interval": replace(level.interval, low=low, high=high), "n": level.n}
    return facts.exact("service_cost_over_horizon", cents(Decimal(level.value or 0) * years), parts=parts)


@traced
def _revenue(facts: Stating, months: int, rate: float) -> Fact:
    """Service revenue of the last twelve months held at its level over the horizon; contracts that are purchases too pay only once."""
    inputs, metric = facts.inputs, "service_revenue_over_horizon"
    if inputs.engine.tables.missing("contracts.starts_on"):
        return facts.exact(metric, None, reason=BILLED_TWICE)
    year = inputs.engine.fact("service_revenue", period=Period(inputs.month - 11, inputs.month))
    if year.value is None:
        return facts.exact(metric, None, reason=year.reason or BILLED_TWICE)
    years = Decimal(repr(customer_table.annuity(months, rate)))
    return facts.exact(metric, cents(Decimal(year.value) * years))


@traced
def _duty(facts: Stating, months: int, rate: float) -> Fact:
    """Warranty of machines already sold: their failures under warranty within the horizon at full cost, discounted month by month."""
    import numpy as np

    inputs, metric = facts.inputs, "warranty_duty_over_horizon"
    if inputs.claims_ahead is None:
        return facts.exact(metric, None, reason=NotDone(reason=NO_FORECAST).unstated)
    try:
        ahead = inputs.claims_ahead(inputs, months)
    except (MissingData, FitError) as refused:
        return facts.exact(metric, None, reason=NotDone.because(refused).unstated)
    if ahead.rows["full"].isna().any():
        return facts.exact(metric, None, reason=NotDone(reason=NO_LABOUR).unstated)
    by_month = ahead.rows.groupby("month", sort=True)["full"].sum()
    ahead_by = [Month.parse(str(month)).months_since(inputs.month) for month in by_month.index]
    discount = [(1 + rate) ** (-(months_ahead - 0.5) / 12) for months_ahead in ahead_by]
    value = float(by_month.to_numpy() @ np.array(discount))
    tail, middle = (1 - inputs.confidence) / 2, float(ahead.draws.mean())
    low, high = (
        value * float(edge) / middle if middle else value
        for edge in np.quantile(ahead.draws, [tail, 1 - tail])
    )
    return facts.between(
        metric, cents(value), low, high, n=round(float(ahead.rows["failures"].sum())), method=DUTY_METHOD
    )


def _less(facts: Stating, metric: str, whole: Fact, part: Fact) -> Fact:
    """What is left of an amount; the errors of both add in quadrature, each way by itself."""
    parts: dict[str, Any] = {}
    if whole.value is not None and part.value is not None and (whole.interval or part.interval):
        (down, up), (less, more) = _reaches(whole), _reaches(part)
        value = float(whole.value) - float(part.value)
        parts = _limits(facts.inputs, value, math.hypot(down, more), math.hypot(up, less)) | {
            "n": whole.n or part.n
        }
    return facts.derived(metric, whole, part, parts=parts)


def _net_share(facts: Stating, avoidable: Fact, whole: Portfolio) -> Fact:
    """The avoidable rest of the margin of purchases."""
    purchases, metric = whole.parts["purchases"], "break_even_net_share"
    if avoidable.value is None or not purchases.value:
        return facts.derived(metric, avoidable, purchases)
    margin = float(purchases.value)
    share = float(avoidable.value) / margin
    earned = abs(share) * max(_reaches(purchases)) / margin
    down, up = (math.hypot(reach / margin, earned) for reach in _reaches(avoidable))
    limits = _limits(facts.inputs, share, down, up)
    return facts.derived(metric, avoidable, purchases, parts=limits | {"n": int(whole.customers.value or 0)})


def _reaches(fact: Fact) -> tuple[float, float]:
    """How far the limits of a fact lie below and above it; an exact one has none."""
    if fact.interval is None:
        return 0.0, 0.0
    return float(fact.value or 0) - fact.interval.low, fact.interval.high - float(fact.value or 0)


def _limits(inputs: StudyInputs, value: float, down: float, up: float) -> dict[str, Any]:
    limits = Interval(low=value - down, high=value + up, level=inputs.confidence, method=ERROR)
    return {"interval": limits}
