"""What a new customer costs and how soon it pays back: value against marketing spend, by channel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import Stating, StudyInputs
from analysis.metrics.lineage import traced
from analysis.results import CENT, Derived, Fact
from analysis.summaries import Summarised
from analysis.value import customer_table, views
from analysis.value.base import ERROR, tuples

if TYPE_CHECKING:
    import pandas as pd

    from analysis.value.customer_table import Parameters, State, Sum
    from analysis.value.settings import ValueSettings

# a channel of fewer new customers is those customers: its interval holds what is not known of the models, not how customers differ
FEWEST_NEW = 10
NOT_PAID = Text.of("not paid back within twelve months")


@dataclass(frozen=True, kw_only=True, eq=False)
class AcquisitionChannel(Summarised):
    """One channel of acquisition, last twelve months."""

    label: Text
    customers: Fact
    cost: Fact
    value: Fact
    ratio: Fact
    payback: Fact

    @property
    def told(self) -> bool:
        """Whether a sentence may name it: it has a ratio with an interval, and new customers enough to speak of a channel."""
        known = self.ratio.value is not None and self.ratio.interval is not None
        return known and int(self.customers.value or 0) >= FEWEST_NEW


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
) -> tuple[AcquisitionChannel, ...]:
    """Channels with marketing spend and new customers. Refuses (``MissingData``) without marketing spend."""
    inputs.engine.require("marketing_spend.amount", "marketing_spend.channel", "customers.channel")
    spent = {
        str(row.channel): row.amount for row in tuples(inputs.engine.query(views.marketing(state.cutoff)))
    }
    if not spent:
        raise MissingData("marketing_spend.amount")
    worth = _worth(inputs, settings, state, parameters, table, months=months, rate=rate)
    ages = inputs.engine.query(views.earned_by_age(state.everyone, state.cutoff, settings.basis))
    facts = Stating(inputs=inputs)
    new = views.newcomers(state.everyone, state.cutoff)
    costs = facts.measured_by("acquisition_cost", views.campaigns(state.cutoff), new, by=("channel",))
    numbers = facts.measured_by(
        "listed_customers",
        views.base_customers(state.everyone).where(views.first_seen(state.cutoff)),
        by=("channel",),
        list="new",
    )
    channels = tuple(
        _channel(facts, channel, costs[channel,], numbers[channel,], worth[channel], ages)
        for channel in sorted(spent, key=lambda name: -spent[name])
        if channel in worth
    )
    if not channels:
        raise MissingData("customers.channel")
    return channels


@dataclass(frozen=True, eq=False)
class _Newcomers:
    """Customers first seen in the last twelve months by one channel: how many, margin so far, and what is expected of them."""

    number: int
    earned: Decimal
    expected: Sum | None  # nothing where all of them have left

    @property
    def worth(self) -> Decimal:
        return self.earned + (self.expected.clv if self.expected else Decimal(0))

    @property
    def error(self) -> float:
        """Standard error of what is expected of one of them."""
        return self.expected.error / self.number if self.expected else 0.0


@traced
def _worth(
    inputs: StudyInputs,
    settings: ValueSettings,
    state: State,
    parameters: Parameters,
    table: str,
    *,
    months: int,
    rate: float,
) -> dict[str, _Newcomers]:
    new = tuples(inputs.engine.query(views.new_customers(state.everyone, state.cutoff, settings.basis)))
    years, where = customer_table.annuity(months, rate), views.first_seen(state.cutoff)
    expected = customer_table.sums(inputs, table, parameters, by="channel", years=years, where=where)
    return {
        str(row.channel): _Newcomers(int(row.customers), row.earned, expected.get(str(row.channel)))
        for row in new
    }


def _channel(
    facts: Stating, channel: str, cost: Fact, customers: Fact, new: _Newcomers, ages: pd.DataFrame
) -> AcquisitionChannel:
    place: dict[str, Any] = {"channel": channel}
    value = _value(facts, new, **place)
    return AcquisitionChannel(
        label=facts.inputs.engine.registry.value_label("channel", channel),
        customers=customers,
        cost=cost,
        value=value,
        ratio=_ratio(facts, new, value, cost, **place),
        payback=_payback(facts, ages, channel, cost),
    )


@traced
def _value(facts: Stating, new: _Newcomers, **place: Any) -> Fact:
    """Margin so far and what is expected, per customer."""
    value = (new.worth / new.number).quantize(CENT)
    return facts.estimate("new_customer_value", value, new.error, n=new.number, method=ERROR, **place)


def _ratio(facts: Stating, new: _Newcomers, value: Fact, cost: Fact, **place: Any) -> Fact:
    """What a customer brings over what it cost to win; without cost there is no ratio."""
    if not cost.value:
        return facts.exact("value_to_acquisition_cost", None, **place)
    follows = Derived(operation="quotient", parents=(value, cost))
    paid = float(cost.value)
    return facts.estimate(
        "value_to_acquisition_cost",
        float(Decimal(value.value or 0) / Decimal(cost.value)),
        new.error / paid,
        n=new.number,
        method=ERROR,
        lineage=follows,
        **place,
    )


@traced
def _payback(facts: Stating, ages: pd.DataFrame, channel: str, cost: Fact) -> Fact:
    """First whole month of age at which the mean margin earned covers the cost; its limits are those months for the limits of the mean."""
    reached = [
        (int(row.age) + 1, float(row.customers), float(row.earned or 0), float(row.squares or 0))
        for row in tuples(ages[ages["channel"] == channel].sort_values("age"))
    ]
    first, soonest, latest = payback_months(reached, float(cost.value or 0), facts.inputs.confidence)
    if first is None:
        return facts.exact("payback_months", None, reason=NOT_PAID, channel=channel)
    if (
        soonest is None or latest is None
    ):  # the lower limit of the mean does not cover the cost in a year: no upper limit is known
        return facts.exact("payback_months", first, channel=channel)
    return facts.between(
        "payback_months",
        first,
        soonest,
        latest,
        n=int(reached[-1][1]),
        method="months in which the limits of the mean margin cover the cost",
        channel=channel,
    )


def payback_months(
    ages: Sequence[tuple[int, float, float, float]], cost: float, level: float
) -> tuple[int | None, int | None, int | None]:
    """Months after which the mean, its upper and its lower limit cover the cost; none where they do not.

    Parameters
    ----------
    ages : per month of age: months passed, customers, margin of all earned in it, and by how much the sum of squares of the margin earned so far grew
    cost : per customer, currency
    level : of the interval of the mean, as a share
    """
    from scipy.stats import norm

    z, total, squares = float(norm.ppf(0.5 + level / 2)), 0.0, 0.0
    found: list[int | None] = [None, None, None]
    for month, customers, earned, grown in ages:
        total, squares = total + earned, squares + grown
        mean = total / customers
        reach = z * math.sqrt(max(squares / customers - mean**2, 0.0) / customers)
        for place, side in enumerate((mean, mean + reach, mean - reach)):
            if found[place] is None and side >= cost:
                found[place] = month
    return found[0], found[1], found[2]
