"""What a new customer costs and how soon it pays back: value against marketing spend, by channel."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import StudyInputs
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.results import Fact
from analysis.summaries import Summarised
from analysis.value import pricing, views
from analysis.value.base import tuples
from analysis.value.stating import Stating

if TYPE_CHECKING:
    import pandas as pd

    from analysis.value.pricing import Parameters, State
    from analysis.value.settings import ValueSettings

NOT_PAID = Text(en="not paid back within twelve months", zh="十二个月内未收回")


@dataclass(frozen=True, kw_only=True, eq=False)
class Channel(Summarised):
    """One channel of acquisition, last twelve months."""

    label: Text
    customers: Fact
    cost: Fact
    value: Fact
    ratio: Fact
    payback: Fact


@traced
def acquisition(
    inputs: StudyInputs,
    settings: ValueSettings,
    state: State,
    parameters: Parameters,
    table: str,
    *,
    months: int,
    rate: float,
) -> tuple[Channel, ...]:
    """Channels with marketing spend and new customers. Refuses (``MissingData``) without marketing spend."""
    inputs.engine.require("marketing_spend.amount", "marketing_spend.channel", "customers.channel")
    spend = inputs.engine.query(views.marketing(state.cutoff))
    spent = {str(row.channel): row.amount for row in tuples(spend)}
    if not spent:
        raise MissingData("marketing_spend.amount")
    new = {
        str(row.channel): row
        for row in tuples(inputs.engine.query(views.new_customers(table, state.cutoff, settings.basis)))
    }
    where = f"since >= {literal(state.cutoff)} - INTERVAL 12 MONTH"
    worth = pricing.sums(
        inputs, table, parameters, by="channel", years=pricing.annuity(months, rate), where=where
    )
    ages = inputs.engine.query(views.earned_by_age(state.customers, state.cutoff, settings.basis))
    facts, channels = Stating(inputs=inputs), []
    for channel in sorted(spent, key=lambda name: -spent[name]):
        place: dict[str, Any] = {"channel": channel}
        if channel not in new:
            continue
        number, earned = int(new[channel].customers), new[channel].earned
        cost = (spent[channel] / number).quantize(Decimal("0.01"))
        total = worth[channel]
        value = ((earned + total.clv) / number).quantize(Decimal("0.01"))
        ratio = float(value / cost) if cost else None
        channels.append(
            Channel(
                label=inputs.engine.registry.value_label("channel", channel),
                customers=facts.exact("listed_customers", number, list="new", **place),
                cost=facts.exact(
                    "acquisition_cost",
                    cost,
                    parts={"numerator": spent[channel], "denominator": number},
                    **place,
                ),
                value=facts.estimate("new_customer_value", value, total.error / number, n=number, **place),
                ratio=facts.estimate(
                    "value_to_acquisition_cost", ratio, total.error / number / float(cost), n=number, **place
                )
                if ratio is not None
                else facts.exact("value_to_acquisition_cost", None, **place),
                payback=_payback(facts, ages[ages["channel"] == channel], cost, place),
            )
        )
    if not channels:
        raise MissingData("customers.channel")
    return tuple(channels)


@traced
def _payback(facts: Stating, ages: pd.DataFrame, cost: Decimal, place: dict[str, Any]) -> Fact:
    """First whole month of age at which the mean margin earned covers the cost."""
    covered = Decimal(0)
    for row in tuples(ages.sort_values("age")):
        covered += (row.earned or Decimal(0)) / int(row.customers)
        if covered >= cost:
            return facts.exact("payback_months", int(row.age) + 1, **place)
    return facts.exact("payback_months", None, reason=NOT_PAID, **place)
