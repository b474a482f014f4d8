"""How retention is counted and watched: ``params/retention.yml``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from analysis.errors import ParameterError
from analysis.metrics.lineage import traced
from analysis.params.places import params_file
from analysis.params.strict import bind, read_yaml
from analysis.retention.cohorts import Period
from analysis.summaries import Summarised

BusinessModel = Literal["from_data", "both", "b2b", "b2c"]


@dataclass(frozen=True, kw_only=True)
class RetentionSettings(Summarised):
    """Definitions of the retention study.

    business_model : which of the two kinds of pages are made: accounts and renewals (b2b), cohorts and scores (b2c), both, or as the data have customers
    cohort_period : width of a cohort and of a step of its age
    repurchase_windows_months : windows after service; the longest leads
    risk_horizon_months : how far ahead the score looks, and how far its snapshots lie apart
    """

    business_model: BusinessModel
    cohort_period: Period
    repurchase_windows_months: tuple[int, ...]
    risk_horizon_months: int
    seed: int

    def __post_init__(self) -> None:
        if not self.repurchase_windows_months or min(self.repurchase_windows_months) < 1:
            raise ParameterError(
                "retention.yml: repurchase_windows_months should name at least one window of a month or more."
            )
        if not 1 <= self.risk_horizon_months <= 12:
            raise ParameterError(
                f"retention.yml: risk_horizon_months is {self.risk_horizon_months}; choose 1 to 12."
            )


@traced
def load_settings(path: Path | None = None) -> RetentionSettings:
    path = path or params_file("retention.yml")
    return bind(RetentionSettings, read_yaml(path), path.name)
