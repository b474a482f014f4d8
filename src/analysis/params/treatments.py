"""What service does to customers, as questions with an answer: ``params/treatments.yml``.

A treatment without a time zero is how immortal time and late covariates come in, so each entry states who is eligible, when
treatment is known, from when to when the outcome counts, and what is done about customers not followed so long.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from analysis.errors import ParameterError, suggestion
from analysis.locale import Text
from analysis.params.places import params_file, shown
from analysis.params.strict import Within, bind, read_yaml

Rule = Literal[
    "responded_in_time",
    "responded_within_hours",
    "first_contact",
    "repeat_within_days",
    "complaint_within_days",
    "compensated_within_days",
    "proactive",
    "answered_within_hours",
    "resolved_within_days",
    "onboarded_within_days",
]
TimeZero = Literal["response_due", "landmark", "resolution", "window_end", "opening"]
Outcome = Literal["repurchase", "retention", "margin", "growth"]

# When it is first known whether a case was treated; an outcome counted from any earlier moment would leave out those lost meanwhile.
KNOWN_AT: dict[str, str] = {
    "responded_in_time": "response_due",
    "responded_within_hours": "landmark",
    "first_contact": "resolution",
    "repeat_within_days": "window_end",
    "complaint_within_days": "window_end",
    "compensated_within_days": "window_end",
    "proactive": "opening",
    "answered_within_hours": "window_end",
    "resolved_within_days": "window_end",
    "onboarded_within_days": "window_end",
}
#: Rules with a limit of their own: days, or of an answer hours.
LIMITED = frozenset(
    {
        "complaint_within_days",
        "compensated_within_days",
        "answered_within_hours",
        "resolved_within_days",
        "onboarded_within_days",
    }
)
COVARIATES = (
    "customer_type",
    "segment",
    "region",
    "channel",
    "tenure_months",
    "orders_12m",
    "orders_before",
    "margin_24m",
    "months_since_order",
    "machines",
    "tickets_12m",
    "complaints_24m",
    "repairs_12m",
    "repeat_repairs_24m",
    "contract_kind",
    "contract_months",
    "ticket_type",
    "product_line",
    "severity",
    "priority",
    "in_warranty",
    "is_rework",
    "quarter",
)


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """One entry of ``params/treatments.yml``.

    rule, limit : what makes a case treated; the limit in days, of an answer in hours, where the rule has one of its own. When an answer is late and a repair
        a repeat is said once for all studies, in ``params/assumptions.yml``
    ticket_types, activities : eligible cases; of every activity where none is named. Of ``onboarded_within_days`` the tickets that are the treatment: its
        cases are new customers; time_zero : from when the outcome is counted, never before treatment is known
    window_days : length of the outcome window; censoring ``closed_window`` keeps only customers observable for the whole of it
    events : ``first`` eligible case of each customer, ``until_exposed`` every case up to the first in the arm the company fears (later ones meet
        a customer already exposed), or ``all``; errors are clustered by customer in any case
    negative_control : what the treatment cannot change, in the same window
    confounders : what is allowed for, all measured before the treatment can begin; mediators : what lies between and is left out, in words
    wanted : whether the treated case is what the company wants (an answer in time) or fears (a repeat repair)
    """

    name: Text
    treated: Text
    untreated: Text
    eligible: Text
    rule: Rule
    limit: Annotated[float, Within(low=0, high=1_100)] = 0.0
    ticket_types: tuple[str, ...]
    activities: tuple[str, ...] = ()
    time_zero: TimeZero
    window_days: Annotated[int, Within(low=30, high=1_100)]
    outcomes: tuple[Outcome, ...]
    censoring: Literal["closed_window"]
    events: Literal["first", "until_exposed", "all"]
    confounders: tuple[str, ...]
    negative_control: Literal["other_machine_failed", "moved"]
    mediators: tuple[Text, ...] = ()
    wanted: bool
    id: str = ""

    def __post_init__(self) -> None:
        where = f"treatment '{self.id or self.name.en}'"
        if self.time_zero != KNOWN_AT[self.rule]:
            raise ParameterError(
                f"{where}: time zero '{self.time_zero}' is not when treatment is known; with rule '{self.rule}' it is '{KNOWN_AT[self.rule]}'."
            )
        limited = self.rule in LIMITED
        if limited != (self.limit > 0):
            raise ParameterError(
                f"{where}: rule '{self.rule}' {'needs a limit above zero' if limited else 'takes no limit'}, not {self.limit:g}."
            )
        if "growth" in self.outcomes and len(self.outcomes) > 1:
            raise ParameterError(
                f"{where}: outcome 'growth' is asked alone, as it has no price beside the others."
            )
        for name in self.confounders:
            if name not in COVARIATES:
                raise ParameterError(
                    f"{where}: no covariate '{name}'.{suggestion(name, COVARIATES)} Known: {', '.join(COVARIATES)}."
                )
        if not self.confounders or not self.outcomes or not self.ticket_types:
            raise ParameterError(f"{where}: confounders, outcomes and ticket_types may not be empty.")


def load_treatments(path: Path | None = None) -> tuple[Treatment, ...]:
    """Every treatment in the order of the file."""
    path = path or params_file("treatments.yml")
    return tuple(
        replace(bind(Treatment, entry, f"{shown(path)}: {name}"), id=name)
        for name, entry in read_yaml(path).items()
    )
