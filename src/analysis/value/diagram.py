"""The causal diagrams the effects rest on, declared: what is allowed for, what is done, what follows, and what lies between and is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.locale import Text
from analysis.metrics.lineage import traced
from analysis.params.treatments import Treatment
from analysis.summaries import Summarised

FAMILY = {
    "responded_in_time": "speed",
    "responded_within_hours": "speed",
    "first_contact": "speed",
    "repeat_within_days": "quality",
    "complaint_within_days": "quality",
    "compensated_within_days": "redress",
    "proactive": "care",
    "answered_within_hours": "speed",
    "resolved_within_days": "speed",
    "onboarded_within_days": "care",
}
FAMILY_NAMES = {
    "speed": Text.of("Speed of handling"),
    "quality": Text.of("Quality of the work"),
    "redress": Text.of("Compensation", context="redress"),
    "care": Text.of("Proactive service"),
}
# What the covariates say, in the words of a diagram.
TOPICS: tuple[tuple[frozenset[str], Text], ...] = (
    (frozenset({"customer_type", "segment", "region", "channel"}), Text.of("customer, tier, region")),
    (
        frozenset({"tenure_months", "orders_12m", "orders_before", "margin_24m", "months_since_order"}),
        Text.of("past purchases"),
    ),
    (frozenset({"contract_kind", "contract_months"}), Text.of("contract")),
    (
        frozenset({"tickets_12m", "complaints_24m", "repairs_12m", "repeat_repairs_24m"}),
        Text.of("past service"),
    ),
    (frozenset({"machines"}), Text.of("machines")),
    (
        frozenset(
            {"ticket_type", "product_line", "severity", "priority", "in_warranty", "is_rework", "quarter"}
        ),
        Text.of("the case, season"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Diagram(Summarised):
    """One family of treatments: common causes → treatment → outcome, and common causes → outcome; mediators lie between and are left out."""

    family: str
    name: Text
    treatments: tuple[Text, ...]
    causes: tuple[Text, ...]
    mediators: tuple[Text, ...]


@traced
def diagrams(treatments: Sequence[Treatment]) -> tuple[Diagram, ...]:
    """One diagram a family that has treatments, in the order of the families."""
    made = []
    for family, name in FAMILY_NAMES.items():
        members = [one for one in treatments if FAMILY[one.rule] == family]
        if not members:
            continue
        names = {covariate for one in members for covariate in one.confounders}
        mediators = tuple(dict.fromkeys(mediator for one in members for mediator in one.mediators))
        causes = tuple(topic for covariates, topic in TOPICS if covariates & names)
        made.append(
            Diagram(
                family=family,
                name=name,
                treatments=tuple(one.name for one in members),
                causes=causes,
                mediators=mediators,
            )
        )
    return tuple(made)
