"""What contracts are worth by the year: what was kept of it, and what comes up for renewal."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.errors import MissingData
from analysis.metrics import Stating, StudyInputs
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.metrics.stating import NOBODY
from analysis.periods import Month
from analysis.results import Fact, Rows
from analysis.retention import views
from analysis.retention.spells import YEAR, contracts, year_of
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd


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
    sums = inputs.engine.query(views.contract_value_sums(values))
    if sums.empty:
        raise MissingData("contracts.amount")
    groups: list[str | None] = [None, *sums["customer_type"]]
    return tuple(
        _revenue(inputs, values, sums if one is None else sums[sums["customer_type"] == one], one)
        for one in groups
    )


def _revenue(
    inputs: StudyInputs, values: str, sums: pd.DataFrame, customer_type: str | None
) -> RevenueRetention:
    state = Stating(inputs=inputs, period=year_of(inputs))
    place: dict[str, Any] = {"customer_type": customer_type} if customer_type else {}
    rows = views.where(values, f"customer_type = {literal(customer_type)}") if customer_type else values
    start, end, kept = (sum(sums[name], Decimal(0)) for name in ("start_value", "end_value", "kept_value"))

    def amount(value: Decimal, moment: str) -> Fact:
        lineage = Rows(numerator=rows, value=f"sum({moment}_value)")
        return state.exact("contract_value", value, lineage=lineage, moment=moment, **place)

    def of_start(metric: str, value: Decimal, column: str) -> Fact:
        lineage = Rows(numerator=rows, value=f"sum({column})", denominator=rows, of="sum(start_value)")
        parts: dict[str, Any] = {"numerator": value, "denominator": start}
        share = value / start if start else None
        return state.exact(metric, share, reason=NOBODY, parts=parts, lineage=lineage, **place)

    return RevenueRetention(
        customer_type=customer_type,
        start=amount(start, "start"),
        end=amount(end, "end"),
        gross=of_start("gross_revenue_retention", kept, "kept_value"),
        net=of_start("net_revenue_retention", end, "end_value"),
    )


@traced
def renewal_calendar(inputs: StudyInputs) -> tuple[tuple[Month, str, Fact, Fact], ...]:
    """(month, customer type, contracts, yearly value) of terms that end in the next twelve months."""
    inputs.engine.require("contracts.ends_on", "contracts.amount")
    state = Stating(inputs=inputs)
    terms = views.renewals(contracts(inputs), inputs.month.end, (inputs.month + YEAR).end)
    lines = []
    for row in inputs.engine.query(views.renewal_sums(terms)).to_dict("records"):
        month, kind = Month.parse(str(row["month"])[:10]), str(row["customer_type"])
        due = views.where(terms, f"month = {literal(month.start)}", f"customer_type = {literal(kind)}")
        number = state.exact(
            "renewal_contracts",
            int(row["contracts"]),
            period=month,
            lineage=Rows(numerator=due),
            customer_type=kind,
        )
        value = state.exact(
            "renewal_value",
            row["yearly"],
            period=month,
            lineage=Rows(numerator=due, value="sum(yearly_amount)"),
            customer_type=kind,
        )
        lines.append((month, kind, number, value))
    return tuple(lines)
