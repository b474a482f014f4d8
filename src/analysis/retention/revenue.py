"""What contracts are worth by the year: what was kept of it, and what comes up for renewal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import NothingToCount
from analysis.metrics import Stating, StudyInputs
from analysis.metrics.lineage import traced
from analysis.metrics.stating import NOBODY
from analysis.periods import Month
from analysis.results import Fact
from analysis.retention import views
from analysis.retention.spells import YEAR, contracts, year_of
from analysis.summaries import Summarised

if TYPE_CHECKING:
    from analysis.metrics.views.selection import Selection


@dataclass(frozen=True, kw_only=True, eq=False)
class RevenueRetention(Summarised):
    """Yearly contract value of the customers present at the start, and what of it was kept; by customer type and together (None)."""

    customer_type: str | None
    start: Fact
    end: Fact
    gross: Fact
    net: Fact


@traced
def revenue_retention(inputs: StudyInputs) -> tuple[RevenueRetention, ...]:
    """Gross and net revenue retention of contracts over the year: all, then by customer type.

    Raises
    ------
    MissingData : no contract with an amount was running when the year began
    """
    inputs.engine.require("contracts.starts_on", "contracts.ends_on", "contracts.amount")
    first = year_of(inputs).first.start
    values = views.contract_values(contracts(inputs), inputs.month.end, first)
    state, by = Stating(inputs=inputs, period=year_of(inputs)), ("customer_type",)
    found: dict[str, dict[tuple[str, ...], Fact]] = {}
    for name, metric, rows in (
        ("start", "contract_value", views.yearly_values(str(values), "start_value")),
        ("end", "contract_value", views.yearly_values(str(values), "end_value")),
        ("gross", "gross_revenue_retention", values),
        ("net", "net_revenue_retention", values),
    ):
        moment: dict[str, Any] = {"moment": name} if metric == "contract_value" else {"reason": NOBODY}
        whole = {(): state.measured(metric, rows, **moment)}
        found[name] = whole | state.measured_by(metric, rows, by=by, **moment)
    if len(found["start"]) == 1:
        raise NothingToCount("contracts.amount")
    return tuple(
        RevenueRetention(
            customer_type=key[0] if key else None,
            start=found["start"][key],
            end=found["end"][key],
            gross=found["gross"][key],
            net=found["net"][key],
        )
        for key in found["start"]
    )


@traced
def renewal_calendar(inputs: StudyInputs) -> tuple[tuple[Month, str, Fact, Fact], ...]:
    """(month, customer type, contracts, yearly value) of terms that end in the next twelve months; :func:`rolling` ones stand apart."""
    inputs.engine.require("contracts.ends_on", "contracts.amount")
    state, terms = Stating(inputs=inputs), _terms(inputs).where("NOT rolling")
    by = ("customer_type", "month")
    numbers = state.measured_by("renewal_contracts", terms, by=by)
    values = state.measured_by("renewal_value", terms, by=by)
    return tuple(
        (Month.parse(month), kind, number, values[kind, month]) for (kind, month), number in numbers.items()
    )


@dataclass(frozen=True, kw_only=True)
class Rolling(Summarised):
    """Terms of a month or two: they come up again and again, so no month of a calendar is theirs."""

    contracts: Fact
    value: Fact


@traced
def rolling(inputs: StudyInputs) -> Rolling | None:
    """Running terms of less than three months, in number and yearly value; None where there are none."""
    inputs.engine.require("contracts.ends_on", "contracts.amount")
    state, terms = Stating(inputs=inputs), _terms(inputs).where("rolling")
    number = state.measured("renewal_contracts", terms, terms="rolling")
    if not number.value:
        return None
    return Rolling(contracts=number, value=state.measured("renewal_value", terms, terms="rolling"))


def _terms(inputs: StudyInputs) -> Selection:
    return views.renewals(contracts(inputs), inputs.month.end, (inputs.month + YEAR).end)
