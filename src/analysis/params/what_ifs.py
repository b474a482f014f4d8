"""What would happen if service were better: scenarios of ``params/what_ifs.yml``, every uncertain number with its range."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from analysis.errors import ParameterError
from analysis.locale import Text
from analysis.params.places import params_file, shown
from analysis.params.strict import Seed, Within, bind, read_yaml

Change = Literal["faster_hours", "share_points", "reduce_share"]


@dataclass(frozen=True, kw_only=True)
class Range:
    """A number one does not know: drawn from a triangle between ``low`` and ``high`` with its peak at ``likely``."""

    low: float
    likely: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.likely <= self.high:
            raise ParameterError(
                f"range: low {self.low:g}, likely {self.likely:g}, high {self.high:g} should not fall."
            )

    @classmethod
    def fixed(cls, value: float) -> Range:
        return cls(low=value, likely=value, high=value)

    @property
    def uncertain(self) -> bool:
        return self.low < self.high


@dataclass(frozen=True, kw_only=True)
class Lever:
    """Which cases a scenario changes: of one treatment, in a region or of the most valuable tenth of customers.

    change ``faster_hours``: late cases that ``amount`` hours less would bring in time; ``share_points``: so much of all cases (0.05 is five points);
    ``reduce_share``: that share of the cases gone wrong.
    """

    treatment: str
    change: Change
    amount: float
    region: str = ""
    customers: Literal["all", "top_decile"] = "all"

    def __post_init__(self) -> None:
        if self.amount <= 0 or (self.change != "faster_hours" and self.amount > 1):
            raise ParameterError(
                f"lever on '{self.treatment}': amount {self.amount:g} should be hours above zero, or a share above zero up to one."
            )


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One entry of ``params/what_ifs.yml``. Money is in the reporting currency.

    uptake : share of the intended change that is reached; later_purchases : share of the effect on purchases that lasts beyond the first year
    once, yearly : cost of the programme; per_customer : yearly cost for each of the most valuable tenth of customers
    saving_per_case : after-sales cost saved by a case avoided or eased; ``traced_repair`` in ``saving_from`` takes the direct cost of a repeat repair, labour apart, from the ledger instead
    months : how long the programme runs and is judged; starts_after : months until it works
    """

    name: Text
    question: Text
    owner: str
    source: Text
    levers: tuple[Lever, ...]
    uptake: Range
    later_purchases: Range
    once: Range
    yearly: Range
    per_customer: Range | None = None
    saving_per_case: Range | None = None
    saving_from: Literal["stated", "traced_repair"] = "stated"
    months: int = 36
    starts_after: int = 3
    id: str = ""

    def __post_init__(self) -> None:
        where = f"what-if '{self.id or self.name.en}'"
        if not self.levers:
            raise ParameterError(f"{where}: needs at least one lever.")
        for name, shares in (("uptake", self.uptake), ("later_purchases", self.later_purchases)):
            if shares.low < 0 or shares.high > 1:
                raise ParameterError(
                    f"{where}: {name} {shares.low:g} to {shares.high:g} is a share; keep it in 0 to 1."
                )
        for name, money in (
            ("once", self.once),
            ("yearly", self.yearly),
            ("per_customer", self.per_customer),
            ("saving_per_case", self.saving_per_case),
        ):
            if money is not None and money.low < 0:
                raise ParameterError(
                    f"{where}: {name} {money.low:g} is below zero; costs and savings are given as positive amounts."
                )
        if not 1 <= self.months <= 120 or not 0 <= self.starts_after < self.months:
            raise ParameterError(
                f"{where}: months {self.months} should be 1 to 120 and starts_after {self.starts_after} less than that."
            )
        if self.saving_from == "traced_repair" and self.saving_per_case is not None:
            raise ParameterError(
                f"{where}: saving_per_case is stated and taken from the ledger too; a saving counts once."
            )


@dataclass(frozen=True, kw_only=True)
class BudgetPlan:
    """What next year's service budget is drawn from: ``price_rise`` of service per year and ``growth`` of orders per customer beyond what the base expects."""

    price_rise: Range
    growth_per_customer: Range
    source: Text

    def __post_init__(self) -> None:
        for name in ("price_rise", "growth_per_customer"):
            given: Range = getattr(self, name)
            for value in (given.low, given.high):
                Within(above=-1, high=1).refuse_outside(value, f"budget: {name}, a share per year")


@dataclass(frozen=True, kw_only=True)
class WhatIfPlan:
    """Everything in ``params/what_ifs.yml``."""

    scenarios: tuple[Scenario, ...]
    budget: BudgetPlan
    draws: int
    seed: Seed


@dataclass(frozen=True, kw_only=True)
class _File:
    scenarios: dict[str, Scenario]
    budget: BudgetPlan
    draws: Annotated[int, Within(low=1_000, high=1_000_000)]
    seed: Seed


def load_what_ifs(path: Path | None = None) -> WhatIfPlan:
    """Scenarios in the order of the file, and the plan of the budget."""
    path = path or params_file("what_ifs.yml")
    found = bind(_File, read_yaml(path), shown(path))
    return WhatIfPlan(
        scenarios=tuple(replace(one, id=name) for name, one in found.scenarios.items()),
        budget=found.budget,
        draws=found.draws,
        seed=found.seed,
    )
