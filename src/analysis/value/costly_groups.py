"""Groups of customers whose service costs more than the margin that they bring: a year's books, by what a customer is, where, and what it holds.

Cost and margin are accounting totals of the last twelve months, and every attribute adds up to the totals of all customers. Whether a group loses money, or a few
of its customers happened to be dear that year, is judged over its customers: their mean with its normal interval, Holm's correction over all groups.

Source: Kaplan and Narayanan (2001), "Measuring and managing customer profitability", *Journal of Cost Management* 15(5); Holm (1979), *Scand. J. Stat.* 6, 65-70.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from analysis.errors import FitError, MissingData
from analysis.locale import Text
from analysis.metrics import Stating, StudyInputs
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.metrics.views import MOST_VALUES, NOT_STATED, attributes_of_history
from analysis.metrics.views.selection import worded
from analysis.results import Fact
from analysis.summaries import Summarised
from analysis.value import views
from analysis.value.base import tuples

if TYPE_CHECKING:
    from analysis.value.customer_table import State
    from analysis.value.settings import ValueSettings

ATTRIBUTES = ("customer_type", "segment", "region", "channel", "product_line")
MOST_TOLD = 3
METHOD = "normal, over the customers of the group"
TOO_FEW = "no group has customers enough to be judged"


@dataclass(frozen=True, kw_only=True, eq=False)
class CostlyGroup(Summarised):
    """One value of one attribute: traced cost and margin of the last twelve months, and the cost beyond the margin (below zero where margin is left).

    ``told`` : a finding of its own, and not only the customers of a group told before.
    """

    attribute: str
    held: str
    name: Text
    cost: Fact
    margin: Fact
    shortfall: Fact
    p_adjusted: float
    told: bool = False


@dataclass(frozen=True)
class _Net:
    """Service cost less margin of the customers of a group."""

    customers: int
    shortfall: Decimal
    squares: float

    @property
    def error(self) -> float:
        """Of the sum, from how far its customers lie apart."""
        spread = max(self.squares - float(self.shortfall) ** 2 / self.customers, 0.0)
        return math.sqrt(spread * self.customers / (self.customers - 1)) if self.customers > 1 else math.inf

    @property
    def p_value(self) -> float:
        """Two-sided, that the group neither loses nor earns."""
        from scipy.stats import norm

        if not self.error:
            return 1.0 if not self.shortfall else 0.0
        return float(2 * norm.sf(abs(float(self.shortfall)) / self.error))


@traced
def costly_groups(inputs: StudyInputs, settings: ValueSettings, state: State) -> tuple[CostlyGroup, ...]:
    """Every group with customers enough, the one that loses most first.

    Raises
    ------
    MissingData : no cost is traced to customers, or orders carry no margin
    FitError : no group has customers enough, or none has another beside it
    """
    inputs.engine.require("ledger.ticket_id", "tickets.customer_id", "orders.gross_margin")
    if state.service is None:
        raise MissingData("ledger.ticket_id")
    history = _history(inputs)
    served = views.served(state.everyone, state.service)
    table = inputs.engine.materialise(
        "served_groups", views.served_groups(str(served), state.cutoff, history)
    )
    columns = {name: name for name in ATTRIBUTES} | {name: column for column, name in history.items()}
    known = {
        (attribute, held): net
        for attribute, column in columns.items()
        for held, net in _nets(inputs, table, column, settings.smallest_group).items()
    }
    if not known:
        raise FitError(TOO_FEW)
    return _told(inputs, table, columns, _stated(inputs, table, columns, known))


@traced
def _history(inputs: StudyInputs) -> dict[str, str]:
    """Attributes of the company's own history by column."""
    if inputs.engine.tables.missing("customer_history.valid_from", "customer_history.value"):
        return {}
    found = inputs.engine.query(attributes_of_history(inputs.month.end))
    own = [name for name in found["attribute"] if name not in ATTRIBUTES]
    return {f"held_{place}": name for place, name in enumerate(own)}


@traced
def _nets(inputs: StudyInputs, table: str, column: str, fewest: int, *, without: str = "") -> dict[str, _Net]:
    """Groups of an attribute with at least so many customers; none where all customers are one group."""
    found = tuples(inputs.engine.query(views.net_by(table, column, without=without)))
    nets = {
        str(row.held): _Net(int(row.customers), Decimal(row.shortfall), float(row.squares))
        for row in found
        if row.held != NOT_STATED
    }
    if not without and not 2 <= len(nets) <= MOST_VALUES:
        return {}
    return {held: net for held, net in nets.items() if net.customers >= fewest}


@traced
def _stated(
    inputs: StudyInputs, table: str, columns: Mapping[str, str], known: Mapping[tuple[str, str], _Net]
) -> tuple[CostlyGroup, ...]:
    from analysis import stats

    facts = Stating(inputs=inputs)
    adjusted = stats.adjust_p_values([net.p_value for net in known.values()], method="holm")
    made = []
    for ((attribute, held), net), p_value in zip(known.items(), adjusted, strict=True):
        rows = views.base_customers(table).of(**{columns[attribute]: held})
        made.append(
            CostlyGroup(
                attribute=attribute,
                held=held,
                name=_name(inputs, attribute, held),
                cost=facts.measured("service_cost_traced", rows, attribute=attribute, held=held),
                margin=facts.measured("group_margin", rows, attribute=attribute, held=held),
                shortfall=_shortfall(facts, attribute, held, net),
                p_adjusted=float(p_value),
            )
        )
    return tuple(sorted(made, key=lambda one: (-float(one.shortfall.value or 0), one.attribute, one.held)))


def _name(inputs: StudyInputs, attribute: str, held: str) -> Text:
    """Attribute and value as the labels name them."""
    registry = inputs.engine.registry
    name, value = registry.dimension_name(attribute), registry.value_label(attribute, held)
    return Text(en=f"{name.en}: {value.en}", zh=f"{name.zh}：{value.zh}")


@traced
def _shortfall(facts: Stating, attribute: str, held: str, net: _Net) -> Fact:
    return facts.estimate(
        "group_cost_beyond_margin",
        net.shortfall,
        net.error,
        n=net.customers,
        method=METHOD,
        attribute=attribute,
        held=held,
    )


@traced
def _told(
    inputs: StudyInputs, table: str, columns: Mapping[str, str], groups: Sequence[CostlyGroup]
) -> tuple[CostlyGroup, ...]:
    """A few that become findings: groups that lose money beyond chance, also without the customers of those told before."""
    error, told = 1 - inputs.confidence, list[CostlyGroup]()
    for one in groups:
        if len(told) == MOST_TOLD or one.p_adjusted >= error or float(one.shortfall.value or 0) <= 0:
            continue
        if told:
            before = " OR ".join(f"{worded(columns[each.attribute])} = {literal(each.held)}" for each in told)
            rest = _nets(inputs, table, columns[one.attribute], 1, without=f"({before})").get(one.held)
            if rest is None or rest.shortfall <= 0 or rest.p_value * len(groups) >= error:
                continue
        told.append(one)
    return tuple(replace(one, told=any(one is other for other in told)) for one in groups)
