"""The value study: what customers are worth, why that moved, and whom to invest in; then what service does to it (the other half).

Each part stands alone: what one lacks is said where it is missed, and the rest is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from analysis.errors import FitError, MissingData
from analysis.metrics import StudyInputs
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Check, Fact, Finding, by_severity
from analysis.summaries import Summarised
from analysis.value import buying, pricing
from analysis.value.acquiring import Channel, acquisition
from analysis.value.base import ValueBase
from analysis.value.changing import Change, change
from analysis.value.investing import Investment, investment
from analysis.value.modelling import Kind, Modelling, contracts, modelling
from analysis.value.portfolio import Portfolio, portfolio
from analysis.value.settings import ValueSettings, load_settings
from analysis.value.stating import Stating

if TYPE_CHECKING:
    from analysis.value.effects import ServiceEffects
    from analysis.value.scenarios import WhatIfs

T = TypeVar("T")
Missing = MissingData | FitError


@dataclass(frozen=True, kw_only=True, eq=False)
class BreakEven(Summarised):
    """After-sales at today's level over the horizon, against the margin expected of today's customers."""

    cost: Fact
    margin: Fact
    share: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class ValueStudy(Summarised):
    """What the notebook shows. A part that could not be computed is the refusal that says why.

    ``base`` is the seam to the effects of service; ``effects`` and ``what_ifs`` are theirs.
    """

    month: Month
    settings: ValueSettings
    available: pricing.Available
    base: ValueBase | Missing
    modelling: Modelling | Missing
    contracts: tuple[Kind, ...] | Missing
    portfolio: Portfolio | Missing
    change: Change | Missing
    acquisition: tuple[Channel, ...] | Missing
    investment: Investment | Missing
    rate: Fact
    horizon: Fact
    service_year: Fact
    break_even: BreakEven | None
    effects: ServiceEffects | Missing
    what_ifs: WhatIfs | Missing
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]


@traced
def study(inputs: StudyInputs, *, settings: ValueSettings | None = None) -> ValueStudy:
    """Value of the customers of one company at the end of one month."""
    from analysis.value import judging
    from analysis.value.effects import service_effects
    from analysis.value.scenarios import what_ifs

    settings = settings or load_settings()
    available = pricing.Available.of(inputs)
    facts = Stating(inputs=inputs)
    parts: dict[str, Any] = {
        "rate": facts.exact(
            "value_discount_rate", inputs.assumptions.value("discount_rate_annual", on=inputs.month.last_day)
        ),
        "service_year": service_of_year(inputs),
    }
    try:
        parts |= _worth(inputs, settings, available)
    except (MissingData, FitError) as refusal:
        parts |= dict.fromkeys(
            ("base", "modelling", "contracts", "portfolio", "change", "acquisition", "investment"), refusal
        )
    base = parts["base"]
    months = base.horizon_months if isinstance(base, ValueBase) else settings.horizon_months
    parts["horizon"] = facts.exact("value_horizon", months)
    parts["break_even"] = (
        break_even(inputs, parts["portfolio"], parts["service_year"], months)
        if isinstance(parts["portfolio"], Portfolio)
        else None
    )
    parts["effects"] = (
        base
        if isinstance(base, MissingData)
        else attempt(lambda: service_effects(inputs, base if isinstance(base, ValueBase) else None))
    )
    parts["what_ifs"] = (
        attempt(lambda: what_ifs(inputs, base, parts["effects"])) if isinstance(base, ValueBase) else base
    )
    findings, checks = (
        judging.findings(inputs, settings, parts),
        judging.checks(inputs, settings, available, parts),
    )
    for half in ("effects", "what_ifs"):
        findings += tuple(getattr(parts[half], "findings", ()))
        checks += tuple(getattr(parts[half], "checks", ()))
    return ValueStudy(
        month=inputs.month,
        settings=settings,
        available=available,
        findings=tuple(by_severity(findings)),
        checks=checks,
        **parts,
    )


def service_of_year(inputs: StudyInputs) -> Fact:
    """After-sales cost of the last twelve months, all of it: what the worth of the base is read against."""
    from analysis.metrics import Period

    return inputs.engine.fact("after_sales_cost", period=Period(inputs.month - 11, inputs.month))


@traced
def break_even(inputs: StudyInputs, whole: Portfolio, year: Fact, months: int) -> BreakEven | None:
    """The share of expected margin that after-sales must keep from leaving to pay for itself."""
    rate = float(inputs.assumptions.value("discount_rate_annual", on=inputs.month.last_day))
    margin = Decimal(whole.parts["purchases"].value or 0) + Decimal(whole.parts["contract"].value or 0)
    if year.value is None or margin <= 0 or whole.total.interval is None:
        return None
    facts, years = Stating(inputs=inputs), pricing.annuity(months, rate)
    cost = (Decimal(year.value) * Decimal(repr(years))).quantize(Decimal("0.01"))
    error = _relative_error(inputs, whole.total) * abs(float(whole.total.value or 0)) / float(margin)
    share = float(cost / margin)
    return BreakEven(
        cost=facts.exact("service_cost_over_horizon", cost),
        margin=facts.exact("customer_value_part", margin, part="margin"),
        share=facts.estimate(
            "break_even_share",
            share,
            share * error,
            n=int(whole.customers.value or 0),
            parts={"numerator": cost, "denominator": margin},
        ),
    )


@traced
def _worth(inputs: StudyInputs, settings: ValueSettings, available: pricing.Available) -> dict[str, Any]:
    """The value base and everything that stands on it."""
    inputs.engine.require("orders.ordered_at", "orders.revenue")
    rate = float(inputs.assumptions.value("discount_rate_annual", on=inputs.month.last_day))
    types = pricing.purchase_types(settings, available)
    choice = buying.chosen(inputs, settings, types)
    months = buying.horizon_of(choice, settings)
    state = pricing.state_at(inputs, settings, available, inputs.month.end)
    parameters = pricing.parameters_at(inputs, settings, available, state, choice)
    table = pricing.priced(
        inputs, settings, state, parameters, name="value_base", months=months, rate=rate, derivatives=True
    )
    options: dict[str, Any] = {"months": months, "rate": rate}
    whole = portfolio(inputs, settings, state, parameters, table, types=types, **options)
    after = Decimal(whole.total.value or 0)
    base = ValueBase(
        month=inputs.month,
        table=table,
        total=whole.total,
        relative_error=_relative_error(inputs, whole.total),
        customers=int(whole.customers.value or 0),
        horizon_months=months,
        discount_rate=rate,
        basis=settings.basis,
        has_service=state.service is not None,
        margin_per_purchase=margin_per_purchase(parameters),
        service_cost_12m=float(
            inputs.engine.query(f"SELECT sum(CAST(service_cost_12m AS DECIMAL(18, 2))) AS cost FROM {table}")[
                "cost"
            ].iloc[0]
            or 0
        ),
    )
    return {
        "base": base,
        "modelling": modelling(inputs, choice, state, parameters, holdout_weeks=settings.holdout_weeks),
        "contracts": contracts(inputs, parameters.renewing)
        if parameters.renewing
        else MissingData("contracts.starts_on"),
        "portfolio": whole,
        "change": attempt(
            lambda: change(inputs, settings, available, choice, state, parameters, months=months, after=after)
        ),
        "acquisition": attempt(lambda: acquisition(inputs, settings, state, parameters, table, **options)),
        "investment": attempt(lambda: investment(inputs, settings, parameters, table, **options)),
    }


def attempt(part: Callable[[], T]) -> T | Missing:
    """The part, or why it could not be made."""
    try:
        return part()
    except (MissingData, FitError) as refusal:
        return refusal


def _relative_error(inputs: StudyInputs, total: Fact) -> float:
    from scipy.stats import norm

    if total.interval is None or not total.value:
        return 0.0
    return float(
        (total.interval.high - total.interval.low)
        / 2
        / norm.ppf(0.5 + inputs.confidence / 2)
        / abs(float(total.value))
    )


@traced
def margin_per_purchase(parameters: pricing.Parameters) -> dict[str, float]:
    """Expected margin of one purchase by customer type (``all`` for any other)."""
    return {
        name: float(model.mean) * parameters.shares.get(name, parameters.shares.get(pricing.ALL, 1.0))
        for name, model in parameters.spend.items()
    }
