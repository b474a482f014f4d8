"""Two sections price the same experience of service; this leads from the one sum to the other, step by step.

The churn section prices losses: the difference in loss (an association) times a year's margin of the customers under contract who had the experience.
Here cases are priced: the estimated effect of each case gone wrong times what its customer's renewals bring over the horizon, and purchases apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from analysis.errors import FitError, MissingData
from analysis.metrics import Stating, StudyInputs, cents
from analysis.metrics.inputs import ExperienceMoney
from analysis.metrics.lineage import traced
from analysis.results import Fact
from analysis.value.effect_results import MoneyBridge, TreatmentEffect

# The rule of a treatment, and the experience that the churn section counts by the same rule.
EXPERIENCES = {"repeat_within_days": "repeat", "responded_within_hours": "slow"}
STEPS = ("cases", "share", "worth", "purchases")


def money_bridges(inputs: StudyInputs, effects: Sequence[TreatmentEffect]) -> tuple[MoneyBridge, ...]:
    """One for each treatment that both sections price."""
    priced = [
        (one, EXPERIENCES[one.treatment.rule])
        for one in effects
        if one.treatment.rule in EXPERIENCES and one.at_stake.value is not None
    ]
    if inputs.experience_money is None or not priced:
        return ()
    try:
        lent = inputs.experience_money(inputs)
    except (MissingData, FitError):  # the churn section says why
        return ()
    return tuple(_bridge(inputs, one, lent[name]) for one, name in priced if name in lent)


@traced
def _bridge(inputs: StudyInputs, one: TreatmentEffect, there: ExperienceMoney) -> MoneyBridge:
    """Cases in place of customers, then the effect in place of the difference, then renewals in place of a year's margin, then purchases."""
    facts = Stating(inputs=inputs)
    place: dict[str, Any] = {"treatment": one.treatment.id}
    share, cases = float(there.difference.value or 0), int(one.exposed_year.value or 0)
    margin = float(there.money.value or 0) / share / there.customers
    staying = one.outcome("retention")
    kept, bought = one.stake_retention, one.stake_repurchase
    sign = 1 if one.treatment.wanted else -1
    effect = sign * float(staying.adjusted.value or 0) if staying is not None and kept is not None else 0.0
    amounts: dict[str, Decimal] = {
        "cases": cents(share * (cases - there.customers) * margin),
        "share": cents((effect - share) * cases * margin),
    }
    if kept is not None:
        amounts["worth"] = cents(float(kept.value or 0) - effect * cases * margin)
    if bought is not None:
        amounts["purchases"] = Decimal(bought.value or 0)
    return MoneyBridge(
        treatment=one.treatment,
        start=there.money,
        end=one.at_stake,
        customers=facts.exact("service_bridge_customers", there.customers, **place),
        cases=one.exposed_year,
        difference=there.difference,
        effect=None if staying is None or kept is None else staying.adjusted,
        margin=facts.exact("service_bridge_margin", cents(margin), **place),
        renewals=_renewals(facts, kept, effect * cases, place),
        purchases=bought,
        steps={
            step: facts.exact("service_bridge_step", amount, step=step, **place)
            for step, amount in _to_the_end(amounts, there.money, one.at_stake).items()
        },
    )


def _renewals(facts: Stating, kept: Fact | None, contracts: float, place: Mapping[str, Any]) -> Fact | None:
    """What one contract that is kept brings."""
    if kept is None or not contracts:
        return None
    return facts.exact("service_bridge_renewals", cents(float(kept.value or 0) / contracts), **place)


def _to_the_end(amounts: dict[str, Decimal], start: Fact, end: Fact) -> dict[str, Decimal]:
    """Steps that reach the end to the cent; what rounding leaves goes to the last."""
    last = list(amounts)[-1]
    rest = Decimal(end.value or 0) - Decimal(start.value or 0)
    return amounts | {last: rest - sum((amounts[step] for step in amounts if step != last), Decimal(0))}
