"""How the value of customers is counted: ``params/value.yml``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from analysis.errors import ParameterError
from analysis.metrics.lineage import traced
from analysis.params.places import params_file
from analysis.params.strict import bind, read_yaml
from analysis.summaries import Summarised

Basis = Literal["contribution", "gross_margin", "revenue"]


@dataclass(frozen=True, kw_only=True)
class ValueSettings(Summarised):
    """Definitions of the value base.

    basis : what a purchase brings; ``purchase_types`` and ``contract_types`` are order types, any other type is paid service
    total_miss, class_miss : how far the forecast may miss the holdout, in total and in a class of frequency
    top_share, middle_share : shares of customers in the first two tiers
    risk_limit, service_quantile, often_in_service : limits of the investment matrix
    """

    basis: Basis
    horizon_months: int
    purchase_types: tuple[str, ...]
    contract_types: tuple[str, ...]
    holdout_weeks: int
    total_miss: float
    class_miss: float
    top_share: float
    middle_share: float
    risk_limit: float
    service_quantile: float
    often_in_service: int
    bootstrap_draws: int
    seed: int

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


@traced
def load_settings(path: Path | None = None) -> ValueSettings:
    path = path or params_file("value.yml")
    return bind(ValueSettings, read_yaml(path), path.name)
