"""How the value of customers is counted: ``params/value.yml``, and the dated assumptions ``value_…``."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from analysis.errors import ParameterError
from analysis.params import Assumptions
from analysis.params.places import params_file
from analysis.params.strict import bind, read_yaml
from analysis.results import Assumed
from analysis.summaries import Summarised

if TYPE_CHECKING:
    from analysis.metrics import StudyInputs

Basis = Literal["contribution", "gross_margin", "revenue"]


@dataclass(frozen=True, kw_only=True)
class _Definitions:
    """What ``params/value.yml`` holds."""

    basis: Basis
    purchase_types: tuple[str, ...]
    contract_types: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ValueSettings(Summarised):
    """Definitions of the value base, and the assumptions behind it as they hold on one day (their meaning, unit and source stand with them).

    basis : what a purchase brings; ``purchase_types`` and ``contract_types`` are order types, any other type is paid service
    every other field : the assumption of its name with ``value_`` before it
    """

    basis: Basis
    purchase_types: tuple[str, ...]
    contract_types: tuple[str, ...]
    horizon_months: int
    observed_rates_months: int
    holdout_weeks: int
    total_miss: float
    class_miss: float
    material_miss: float
    top_share: float
    middle_share: float
    risk_limit: float
    service_quantile: float
    often_in_service: int
    bootstrap_draws: int
    seed: int
    smallest_group: int
    fewest_losses: int
    growth_limit: float
    unrelated_limit: float
    effect_error_rate: float
    placebo_error_rate: float
    margin_cap: float
    fewest_exposed: int
    fewest_hits: int
    fewest_hits_exposed: int
    effect_draws: int
    least_effect: float

    def __post_init__(self) -> None:
        if self.horizon_months < 3 or self.holdout_weeks < 4:
            raise ParameterError(
                f"value.yml: horizon_months {self.horizon_months} and holdout_weeks {self.holdout_weeks} should be at least 3 and 4."
            )
        if set(self.purchase_types) & set(self.contract_types):
            raise ParameterError(
                "value.yml: an order type is both a purchase and the bill of a contract; it would be counted twice."
            )
        if not 0 < self.top_share < self.top_share + self.middle_share < 1:
            raise ParameterError(
                f"value.yml: top_share {self.top_share} and middle_share {self.middle_share} should leave a share for the rest."
            )


def stated_in(name: str) -> Assumed:
    """Lineage of a number of the settings."""
    return Assumed(source="params/assumptions.yml", name=f"value_{name}")


def load_settings(assumptions: Assumptions | None = None, *, on: dt.date = dt.date.max) -> ValueSettings:
    """Definitions of the project and the assumptions that hold on a day (the latest where none is given)."""
    known = assumptions or Assumptions.load()
    found = bind(_Definitions, read_yaml(params_file("value.yml")), "params/value.yml")
    given: dict[str, Any] = {each.name: getattr(found, each.name) for each in fields(found)}
    for each in fields(ValueSettings):
        if each.name not in given:
            number = known.value(f"value_{each.name}", on=on)
            given[each.name] = int(number) if each.type == "int" else float(number)
    return ValueSettings(**given)


def settings_of(inputs: StudyInputs) -> ValueSettings:
    """The settings of one run, as they hold on the last day of its month."""
    return load_settings(inputs.assumptions, on=inputs.month.last_day)
