"""The retention study: who leaves, when, what it goes together with, and what is at risk.

Each part stands alone: what one lacks is said where it is missed, and the rest is made. All statistical findings of a run are judged
together (Holm), so that a run in which nothing is going on makes any of them in at most one of twenty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from analysis.errors import FitError, MissingData
from analysis.metrics import StudyInputs
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Check, Fact, Finding, Sentence
from analysis.retention import movement, rebuying, vintages
from analysis.retention.accounts import Accounts, accounts
from analysis.retention.chain import Link, chain
from analysis.retention.drivers import Drivers, drivers
from analysis.retention.effects import Effect, effects
from analysis.retention.movement import Basis, Revenue
from analysis.retention.rebuying import Rebuying
from analysis.retention.settings import load_settings
from analysis.retention.staying import Staying, staying
from analysis.retention.vintages import Cohorts
from analysis.retention.warning import Warning_, warning
from analysis.summaries import Summarised

T = TypeVar("T")
Missing = MissingData | FitError
LEFT_OUT = MissingData(message="left out: the parameter business_model asks for the other kind of pages")


@dataclass(frozen=True, kw_only=True, eq=False)
class RetentionStudy(Summarised):
    """What the retention notebook shows. A part that could not be computed is the refusal that says why.

    ``models`` decides which pages are made: ``b2b`` accounts and renewals, ``b2c`` cohorts and the call list; what neither needs is ``LEFT_OUT``.
    """

    month: Month
    contractual: Basis | Missing
    non_contractual: Basis | Missing
    model_churn: Fact | Missing
    revenue: tuple[Revenue, ...] | Missing
    reasons: tuple[tuple[tuple[str, bool | None, Fact], ...], Fact] | Missing
    renewals: tuple[tuple[Month, str, Fact, Fact], ...] | Missing
    accounts: Accounts | Missing
    first_loss: Month | None
    models: frozenset[str]
    contract_cohorts: Cohorts | Missing
    purchase_cohorts: Cohorts | Missing
    product_cohorts: Cohorts | Missing
    service_cohorts: Cohorts | Missing
    effects: tuple[Effect, ...] | Missing
    staying: Staying | Missing
    drivers: Drivers | Missing
    chain: tuple[Link, ...] | Missing
    rebuying: tuple[Rebuying, ...] | Missing
    leaving: tuple[Rebuying, ...] | Missing
    warning: Warning_ | Missing
    limit: Fact
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]


@traced
def study(inputs: StudyInputs) -> RetentionStudy:
    """Retention of one month of one company."""
    contractual = attempt(movement.contractual, inputs)
    non_contractual = attempt(movement.non_contractual, inputs)
    found_drivers = attempt(drivers, inputs)
    found_warning = attempt(warning, inputs)
    models = business_models(inputs)
    few, many = "b2b" in models, "b2c" in models
    cohorts = attempt(vintages.contract_cohorts, inputs) if many else LEFT_OUT
    parts: dict[str, object] = {
        "contractual": contractual,
        "non_contractual": non_contractual,
        "model_churn": attempt(movement.model_churn, inputs)
        if isinstance(non_contractual, Basis)
        else non_contractual,
        "revenue": attempt(movement.revenue_retention, inputs),
        "reasons": attempt(movement.reasons, inputs) if isinstance(contractual, Basis) else contractual,
        "renewals": attempt(movement.renewal_calendar, inputs) if few else LEFT_OUT,
        "accounts": attempt(
            lambda given: accounts(given, found_warning if isinstance(found_warning, Warning_) else None),
            inputs,
        )
        if few
        else LEFT_OUT,
        "first_loss": movement.first_loss(inputs) if isinstance(contractual, Basis) else None,
        "models": models,
        "contract_cohorts": cohorts,
        "purchase_cohorts": attempt(vintages.purchase_cohorts, inputs) if many else LEFT_OUT,
        "product_cohorts": attempt(lambda given: vintages.purchase_cohorts(given, "first_product"), inputs)
        if many
        else LEFT_OUT,
        "service_cohorts": attempt(lambda given: vintages.purchase_cohorts(given, "first_service"), inputs)
        if many
        else LEFT_OUT,
        "effects": attempt(lambda given: effects(given, cohorts), inputs)
        if isinstance(cohorts, Cohorts)
        else cohorts,
        "staying": attempt(staying, inputs),
        "drivers": found_drivers,
        "chain": attempt(
            lambda given: chain(given, found_drivers if isinstance(found_drivers, Drivers) else None), inputs
        ),
        "rebuying": attempt(rebuying.rebuying, inputs),
        "leaving": attempt(rebuying.leaving_after_repair, inputs),
        "warning": found_warning,
    }
    limit = _limit(inputs)
    from analysis.retention import judging

    return RetentionStudy(
        month=inputs.month,
        limit=limit,
        findings=judging.findings(inputs, parts, limit),
        checks=judging.checks(parts),
        **parts,  # type: ignore[arg-type]
    )


def attempt(part: Callable[[StudyInputs], T], inputs: StudyInputs) -> T | Missing:
    """The part, or why it could not be made."""
    try:
        return part(inputs)
    except (MissingData, FitError) as refusal:
        return refusal


@traced
def business_models(inputs: StudyInputs) -> frozenset[str]:
    """``b2b`` (few large accounts), ``b2c`` (many small ones) or both: as the parameter says, or as the data have customers."""
    chosen = load_settings().business_model
    if chosen != "from_data":
        return frozenset({"b2b", "b2c"} if chosen == "both" else {chosen})
    if inputs.engine.tables.missing("customers.customer_type"):
        return frozenset({"b2c"})
    kinds = inputs.engine.query(
        "SELECT DISTINCT coalesce(customer_type, 'b2c') AS customer_type FROM customers"
    )["customer_type"]
    return frozenset({"b2b"} & set(kinds)) | frozenset(
        {"b2c"} if set(kinds) - {"b2b"} or kinds.empty else set()
    )


def _limit(inputs: StudyInputs) -> Fact:
    """The line of the churn threshold: a dated assumption."""
    name = "gross_churn_limit"
    return inputs.engine.stated(
        name, period=inputs.month, value=float(inputs.assumptions.value(name, on=inputs.month.last_day))
    )


__all__ = ["RetentionStudy", "Sentence", "study"]
