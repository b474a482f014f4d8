"""How retention is counted and watched: ``params/retention.yml``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from analysis.errors import ParameterError
from analysis.metrics import StudyInputs
from analysis.metrics.lineage import traced
from analysis.metrics.views.days import Width
from analysis.params.places import params_file, shown
from analysis.params.strict import Seed, Within, bind, read_yaml
from analysis.summaries import Summarised

BusinessModel = Literal["from_data", "both", "b2b", "b2c"]


@dataclass(frozen=True, kw_only=True)
class RetentionSettings(Summarised):
    """Definitions of the retention study.

    business_model : which of the two kinds of pages are made: accounts and renewals (b2b), cohorts and scores (b2c), both, or as the data have customers
    purchase_types : orders that are purchases, of which a customer may make another; bills of a running contract are none
    cohort_period : width of a cohort and of a step of its age
    repurchase_windows_months : windows after service; the longest leads
    risk_horizon_months : how far ahead the score looks, and how far its snapshots lie apart
    """

    business_model: BusinessModel
    purchase_types: tuple[str, ...]
    cohort_period: Width
    repurchase_windows_months: tuple[Annotated[int, Within(low=1, high=60)], ...]
    risk_horizon_months: Annotated[int, Within(low=1, high=12)]
    seed: Seed

    def __post_init__(self) -> None:
        if not self.repurchase_windows_months:
            raise ParameterError(
                "retention.yml: repurchase_windows_months should name at least one window of a month or more."
            )
        if not self.purchase_types:
            raise ParameterError("retention.yml: purchase_types should name at least one type of order.")


@traced
def load_settings(path: Path | None = None) -> RetentionSettings:
    """The settings of a file, ``params/retention.yml`` where none is given."""
    path = path or params_file("retention.yml")
    return bind(RetentionSettings, read_yaml(path), shown(path))


def limit(inputs: StudyInputs, name: str) -> float:
    """A dated assumption as it holds on the last day of the report month."""
    return float(inputs.assumptions.value(name, on=inputs.month.last_day))


@traced
def business_models(inputs: StudyInputs) -> frozenset[str]:
    """``b2b`` (few large accounts), ``b2c`` (many small ones) or both: as the parameter says, or as the data have customers."""
    chosen = load_settings().business_model
    if chosen != "from_data":
        return frozenset({"b2b", "b2c"} if chosen == "both" else {chosen})
    if inputs.engine.tables.missing("customers.customer_type"):
        return frozenset({"b2c"})
    sql = "SELECT DISTINCT coalesce(customer_type, 'b2c') AS customer_type FROM customers"
    kinds = set(inputs.engine.query(sql)["customer_type"])
    return frozenset({"b2b"} & kinds) | frozenset({"b2c"} if kinds - {"b2b"} or not kinds else set())
