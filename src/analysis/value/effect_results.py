"""What is known of the effects of service: results of :mod:`analysis.value.effects`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.params.treatments import Treatment
from analysis.periods import Month
from analysis.results import Check, Fact, Finding
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

SECTION = "value"
TOO_FEW = Text.of("not computed: too few cases")
FEW_CASES = Text.of("there are too few such cases")
NO_VALUE = Text.of("not computed: rests on association only")
NOT_SHOWN = Text.of("not counted: no effect is shown")
NOT_PRICED = Text.of("not counted: this outcome has no price")
VALUED = ("repurchase", "retention")  # outcomes that have a price


@dataclass(frozen=True, kw_only=True, eq=False)
class OutcomeEffect(Summarised):
    """One outcome of one treatment. Effects are of the treatment (an answer in time, a repeat repair), for the exposed cases.

    ``status``: ``effect`` (claimed), ``not_shown`` (checks hold, nothing survives correction), ``association`` (checks failed).
    """

    outcome: str
    adjusted: Fact
    naive: Fact
    with_it: Fact
    without_it: Fact
    p_value: float
    p_adjusted: float
    status: str
    e_value: Fact
    robustness: Fact
    if_hidden: Fact  # the effect, with its interval, were a hidden cause as strong as customer tier at work
    enough: bool  # whether that interval would reach zero
    std_error: float

    @property
    def shown(self) -> bool:
        """Only then it is counted in money."""
        return self.status == "effect"

    @property
    def standing(self) -> str:
        """``status``, and ``doubtful`` for an effect that an ordinary hidden cause would take to zero: the check of hidden causes comes after the others and is not forgotten."""
        return "doubtful" if self.shown and self.enough else self.status

    @property
    def untested(self) -> bool:
        """Customer tier moves the effect by less than a tenth of itself: as a measure of a hidden cause it says little."""
        if self.if_hidden.value is None or self.adjusted.value is None:
            return False
        effect = float(self.adjusted.value)
        return abs(float(self.if_hidden.value) - effect) < 0.1 * abs(effect)


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupReading(Summarised):
    """What the cases of one group say of an outcome by themselves. ``shown`` : beyond zero after the correction over all groups."""

    effect: Fact
    std_error: float
    shown: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Placebo(Summarised):
    """One attempt to find an effect where there can be none."""

    kind: str  # before, random_treatment, negative_control
    effect: Fact | None
    p_adjusted: float
    passed: bool
    refusal: NotDone | None  # why it could not be tried


@dataclass(frozen=True, kw_only=True, eq=False)
class TreatmentEffect(Summarised):
    """One treatment with its outcomes and doubts.

    ``groups`` : one row per outcome, grouping and group: ``outcome``, ``grouping``, ``group``, ``rows``, ``effect``, ``std_error``, ``low``, ``high``, ``p_adjusted``,
    ``shown``, ``fact``.
    ``propensity`` : by tenth of the estimated chance, the share of each arm's cases (facts). ``exposed`` : cases in the arm the company fears.
    ``unfitted`` : outcomes without an estimate, and why.
    ``per_case`` : change in value of one such case if it had gone well, by the outcomes that are claimed and no other; ``at_stake`` : of all of the last twelve months.
    """

    treatment: Treatment
    cases: Fact
    exposed: Fact
    customers: Fact
    eligible: Fact  # customers, of whom ``customers`` may be a sample
    outcomes: tuple[OutcomeEffect, ...]
    trimmed: Fact
    worst_balance: Fact
    worst_covariate: str
    most_trimmed: Fact  # the limits of both, beyond which nothing is claimed
    balance_limit: Fact
    overlap_holds: bool
    placebos: tuple[Placebo, ...]
    propensity: tuple[tuple[float, float, Fact, Fact], ...]
    groups: pd.DataFrame
    balance: pd.DataFrame
    lacking: tuple[str, ...]
    unfitted: Mapping[str, NotDone]
    per_case: Fact
    at_stake: Fact
    exposed_year: Fact
    stake_repurchase: Fact | None = None  # what each claimed outcome is of ``at_stake``
    stake_retention: Fact | None = None

    @property
    def holds(self) -> bool:
        """Overlap and placebos found nothing to object to."""
        return self.overlap_holds and all(one.passed for one in self.placebos)

    @property
    def claimed(self) -> tuple[OutcomeEffect, ...]:
        return tuple(one for one in self.outcomes if one.status == "effect")

    def worth(self, standing: str) -> tuple[tuple[OutcomeEffect, Fact], ...]:
        """Claimed outcomes of a standing (``effect``, or ``doubtful``), each with what of ``at_stake`` rests on it."""
        parts = {"repurchase": self.stake_repurchase, "retention": self.stake_retention}
        return tuple(
            (one, part)
            for one in self.claimed
            if one.standing == standing and (part := parts.get(one.outcome)) is not None
        )

    @property
    def blunt(self) -> tuple[Placebo, ...]:
        """Placebos whose interval holds an effect as large as the smallest that is claimed: they find nothing, and could not have."""
        sizes = [abs(float(one.adjusted.value or 0)) for one in self.claimed]
        if not sizes:
            return ()
        return tuple(
            one
            for one in self.placebos
            if one.passed
            and one.effect is not None
            and (reach := one.effect.interval) is not None
            and max(abs(reach.low), abs(reach.high)) >= min(sizes)
        )

    @property
    def valued(self) -> tuple[OutcomeEffect, ...]:
        """Outcomes that would have a price, shown or not."""
        return tuple(one for one in self.outcomes if one.outcome in VALUED and one.adjusted.value is not None)

    def outcome(self, name: str) -> OutcomeEffect | None:
        return next((one for one in self.outcomes if one.outcome == name), None)

    def reading(self, outcome: str, grouping: str, group: str) -> GroupReading | None:
        """What a group says by itself; nothing where it has too few cases."""
        if not len(self.groups):
            return None
        rows = self.groups
        found = rows[
            (rows["outcome"] == outcome)
            & (rows["grouping"] == grouping)
            & (rows["group"].astype(str) == group)
        ]
        if not len(found) or found["fact"].iloc[0].value is None:
            return None
        row = found.iloc[0]
        return GroupReading(effect=row["fact"], std_error=float(row["std_error"]), shown=bool(row["shown"]))


@dataclass(frozen=True, kw_only=True, eq=False)
class MoneyBridge(Summarised):
    """From what the churn section says an experience goes with (``start``) to the customer value at stake here (``end``); the steps add up exactly.

    ``steps`` : by what differs, in this order: ``cases`` (``customers`` there, ``cases`` here), ``share`` (``difference`` in loss there, estimated ``effect`` here),
    ``worth`` (``margin`` of a year per customer there, ``renewals`` of a contract kept here), ``purchases`` (here apart); what is not counted here has no step.
    """

    treatment: Treatment
    start: Fact
    end: Fact
    customers: Fact
    cases: Fact
    difference: Fact
    effect: Fact | None
    margin: Fact
    renewals: Fact | None
    purchases: Fact | None
    steps: Mapping[str, Fact]


@dataclass(frozen=True, kw_only=True, eq=False)
class ServiceEffects(Summarised):
    """What the notebook shows; a treatment that could not be estimated is the refusal that says why."""

    month: Month
    effects: tuple[TreatmentEffect, ...]
    refused: Mapping[str, tuple[Treatment, NotDone]]
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]
    bridges: tuple[MoneyBridge, ...] = ()

    def __getitem__(self, treatment: str) -> TreatmentEffect:
        for one in self.effects:
            if one.treatment.id == treatment:
                return one
        raise KeyError(treatment)

    def get(self, treatment: str) -> TreatmentEffect | None:
        return next((one for one in self.effects if one.treatment.id == treatment), None)
