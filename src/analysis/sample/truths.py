"""What is planted, how strongly, and where: the answer sheet of the sample company.

A truth that is off keeps its place in the sheet with ``active: false``; the arrays it would have changed are drawn from the same streams.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from analysis.errors import ParameterError, suggestion
from analysis.periods import Month

TRUTHS: tuple[str, ...] = (
    "bad_batch",
    "bad_supplier",
    "wear_out",
    "infant_mortality",
    "slow_complaints",
    "repeat_repair_churn",
    "service_hurts_repurchase",
    "input_price_rise",
    "idle_team",
    "outsourced_surge",
    "failed_measure",
    "working_measure",
    "late_claims",
    "survey_nonresponse",
    "claim_leakage",
    "service_shapes_satisfaction",
    "tier_confounding",
)


def refuse_unknown_truths(off: Iterable[str], known: Sequence[str]) -> None:
    """Raise a ParameterError for a truth to be left out that no company of the kind has."""
    for name in sorted(off):
        if name not in known:
            raise ParameterError(
                f"sample: no planted truth '{name}'.{suggestion(name, known)} Known: {', '.join(known)}."
            )


def refuse_sizes(months: int, scale: float, usual: str) -> None:
    """Raise a ParameterError for a company too short or of no size that can be made; ``usual`` says what a scale of 1 is."""
    if months < 3:
        raise ParameterError(f"sample: {months} months; three is the least that holds a before and an after.")
    if not 0 < scale <= 20:
        raise ParameterError(f"sample: scale {scale} should lie above 0 and up to 20 (1 is {usual}).")


def months_ago(last: Month, months: int, window: int) -> Month:
    """A month this far before the last one, never before the second month of the window."""
    return last - min(months, max(window - 2, 0))


@dataclass(frozen=True, kw_only=True)
class PlanOfTruths(ABC):
    """Which truths of a template's company are on, how strong, and when they begin.

    A company states by truth: ``about``, ``without`` (its strengths where it is off), ``where`` it lies (values of the tables) and ``ago``, the
    month it begins with, counted back from the last one.
    """

    about: ClassVar[Mapping[str, str]]
    without: ClassVar[Mapping[str, Mapping[str, float]]]
    where: ClassVar[Mapping[str, Mapping[str, str]]]
    ago: ClassVar[Mapping[str, int]]

    last: Month
    off: frozenset[str]
    window_months: int

    def __post_init__(self) -> None:
        refuse_unknown_truths(self.off, tuple(self.about))

    @property
    @abstractmethod
    def strength(self) -> Any:
        """Every strength as it is in force, a dataclass."""

    @property
    def changed(self) -> dict[str, Any]:
        """The strengths of what is off."""
        return {name: value for truth in self.off for name, value in self.without[truth].items()}

    def begins(self, name: str) -> Month:
        """The first month of a truth."""
        return months_ago(self.last, self.ago[name], self.window_months)

    def sheet(self) -> dict[str, dict[str, Any]]:
        """By truth: active, about, where, the month it begins with and its strengths."""
        strengths = asdict(self.strength)
        return {
            name: {
                "active": name not in self.off,
                "about": about,
                "where": self.where[name],
                **({"begins": str(self.begins(name))} if name in self.ago else {}),
                "strength": {each: strengths[each] for each in self.without[name]},
            }
            for name, about in self.about.items()
        }


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Which truths are on, and when and where each lies. Strengths that are off read as "no effect"."""

    last: Month
    off: frozenset[str]
    window_months: int

    def __post_init__(self) -> None:
        refuse_unknown_truths(self.off, TRUTHS)

    def on(self, name: str) -> bool:
        return name not in self.off

    def ago(self, months: int) -> Month:
        return months_ago(self.last, months, self.window_months)

    # --- failures -------------------------------------------------------------------------------------------------
    bad_batch_product: int = 2  # C200
    bad_batch_region: int = 2  # South

    @property
    def bad_batch_month(self) -> Month:
        return self.ago(15)

    @property
    def bad_batch_ratio(self) -> float:
        return 3.0 if self.on("bad_batch") else 1.0

    bad_supplier_index: int = 2  # Qiming

    @property
    def bad_supplier_ratio(self) -> float:
        return 1.4 if self.on("bad_supplier") else 1.0

    @property
    def wear_out_shape(self) -> float:
        return 2.2 if self.on("wear_out") else 1.0

    @property
    def infant_shape(self) -> float:
        return 0.65 if self.on("infant_mortality") else 1.0

    # --- customers ------------------------------------------------------------------------------------------------
    @property
    def slow_complaint_ratio(self) -> float:
        return 2.0 if self.on("slow_complaints") else 1.0

    @property
    def repeat_repair_ratio(self) -> float:
        return 1.5 if self.on("repeat_repair_churn") else 1.0

    @property
    def slow_share_by_tier(self) -> tuple[float, float, float]:
        """Complaints first handled after more than 24 hours: the better the tier the rarer."""
        return (0.06, 0.22, 0.48) if self.on("tier_confounding") else (0.36, 0.36, 0.36)

    @property
    def wait_by_tier(self) -> tuple[float, float, float]:
        """Response and repair times, against the usual."""
        return (0.60, 0.85, 1.15) if self.on("tier_confounding") else (1.0, 1.0, 1.0)

    @property
    def monthly_cancellation_by_tier(self) -> tuple[float, float, float]:
        """Hazard of cancelling a subscription while service does nothing wrong."""
        return (0.0045, 0.0085, 0.0150) if self.on("tier_confounding") else (0.0120, 0.0120, 0.0120)

    @property
    def business_cancellation_ratio(self) -> float:
        return 0.8 if self.on("tier_confounding") else 1.0

    @property
    def repurchase_ratio(self) -> float:
        return 0.7 if self.on("service_hurts_repurchase") else 1.0

    # --- money ----------------------------------------------------------------------------------------------------
    price_rise_parts: tuple[str, ...] = ("P-PCB-20", "P-SEN-50")  # electronics

    @property
    def price_rise_month(self) -> Month:
        return self.ago(7)

    @property
    def price_rise_ratio(self) -> float:
        return 1.12 if self.on("input_price_rise") else 1.0

    idle_team_index: int = 3  # Field West
    usual_unused_share: float = 0.12

    @property
    def idle_month(self) -> Month:
        return self.ago(5)

    @property
    def idle_unused_share(self) -> float:
        return 0.35 if self.on("idle_team") else self.usual_unused_share

    usual_outsourced_share: float = 0.12
    peak_months: tuple[int, ...] = (6, 7, 8)

    @property
    def surge_month(self) -> Month:
        return self.ago(11)

    @property
    def surge_share(self) -> float:
        return 0.30 if self.on("outsourced_surge") else self.usual_outsourced_share

    @property
    def surge_fee_ratio(self) -> float:
        return 1.25 if self.on("outsourced_surge") else 1.0

    failed_region: int = 0  # North
    working_region: int = 1  # East

    @property
    def failed_month(self) -> Month:
        return self.ago(9)

    @property
    def working_month(self) -> Month:
        return self.ago(11)

    @property
    def working_ratio(self) -> float:
        return 0.80 if self.on("working_measure") else 1.0

    # --- reporting ------------------------------------------------------------------------------------------------
    @property
    def late_share(self) -> float:
        return 0.30 if self.on("late_claims") else 0.0

    late_mean_days: float = 45.0
    prompt_mean_days: float = 1.5

    @property
    def response_by_score(self) -> tuple[float, ...]:
        return (0.14, 0.16, 0.20, 0.30, 0.40) if self.on("survey_nonresponse") else (0.28,) * 5

    @property
    def leakage_share(self) -> float:
        return 0.012 if self.on("claim_leakage") else 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleTruth:
    """The answer sheet: what was planted, and what a params folder needs to know about the company.

    ``truths[name]`` holds ``active``, ``about`` and the exact parameters; ``company`` the account list, pools, standard
    times, interventions and bilingual labels; ``totals`` counts and sums of what was written.
    """

    seed: int
    first_month: str
    last_month: str
    months: int
    scale: float
    off: tuple[str, ...]
    truths: Mapping[str, Mapping[str, Any]]
    company: Mapping[str, Any]
    totals: Mapping[str, Any] = field(default_factory=dict)

    def active(self, name: str) -> bool:
        return bool(self.truths[name]["active"])

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        return self.truths[name]

    def to_json(self) -> str:
        return json.dumps(self.__dict__, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
