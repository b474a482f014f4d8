"""Who to invest in: value tier by churn risk by cost to serve, and the customers behind the corners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.locale import Text
from analysis.metrics import Stating, StudyInputs
from analysis.metrics.lineage import traced
from analysis.results import Fact
from analysis.summaries import Summarised
from analysis.value import customer_table, views
from analysis.value.base import ERROR, TIERS, tuples
from analysis.value.settings import stated_in

if TYPE_CHECKING:
    import pandas as pd

    from analysis.metrics.views.selection import Selection
    from analysis.value.customer_table import Parameters, State, Sum
    from analysis.value.settings import ValueSettings

LEVELS = ("high", "low")
MOST = 500  # customers of a list in the evidence


NOBODY = {"reason": Text.of("no interval: nobody is there")}


@dataclass(frozen=True, kw_only=True, eq=False)
class MatrixCell(Summarised):
    tier: str
    risk: str
    service: str
    customers: Fact
    value: Fact
    cost: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class CustomerList(Summarised):
    """Customers of a list: how many, what they are worth, what they cost last year, and the rows."""

    customers: Fact
    value: Fact
    cost: Fact
    margin: Fact
    rows: pd.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class Investment(Summarised):
    """The matrix and its lists: ``at_risk`` (top tier, likely to leave), ``often`` (top tier, often in service), ``below`` (cost more than they bring)."""

    cells: Mapping[tuple[str, str, str], MatrixCell]
    risk_limit: Fact
    service_limit: Fact
    at_risk: CustomerList
    often: CustomerList
    below: CustomerList


@dataclass(frozen=True)
class _List:
    """Which customers stand on a list, in which order, and the metric of their value."""

    name: str
    where: str
    order: str
    metric: str


@traced
def investment(
    inputs: StudyInputs,
    settings: ValueSettings,
    state: State,
    parameters: Parameters,
    table: str,
    *,
    months: int,
    rate: float,
) -> Investment:
    """The matrix of the value base ``table`` and its three lists; ``months`` and ``rate`` are those of the base."""
    facts = Stating(inputs=inputs)
    limit = _service_limit(facts, state, settings.service_quantile)
    lists = (
        _List(
            "at_risk",
            f"tier = 'top' AND 1 - stay_12m >= {settings.risk_limit!r}",
            "clv DESC",
            "value_at_risk",
        ),
        _List(
            "often",
            f"tier = 'top' AND service_orders_12m >= {settings.often_in_service}",
            "clv DESC",
            "often_served_value",
        ),
        _List("below", "clv < 0", "clv", "below_cost_value"),
    )
    years = customer_table.annuity(months, rate)
    groups = {one.name: _group(facts, parameters, table, one, years) for one in lists}
    return Investment(
        cells=_cells(
            facts, parameters, table, risk=settings.risk_limit, costly=float(limit.value or 0), years=years
        ),
        risk_limit=facts.exact("risk_limit", settings.risk_limit, lineage=stated_in("risk_limit")),
        service_limit=limit,
        at_risk=groups["at_risk"],
        often=groups["often"],
        below=groups["below"],
    )


def _service_limit(facts: Stating, state: State, quantile: float) -> Fact:
    """The cost from which a customer counts as costly to serve: a quantile of all customers' cost."""
    rows = views.served(state.customers, state.service)
    return facts.measured("high_service_limit", rows.given(quantile=quantile))


@traced
def _cells(
    facts: Stating, parameters: Parameters, table: str, *, risk: float, costly: float, years: float
) -> dict[tuple[str, str, str], MatrixCell]:
    placed = views.matrix_customers(table, risk=risk, costly=costly)
    known = {
        (row.tier, row.risk, row.service): row.clv
        for row in tuples(facts.inputs.engine.query(views.matrix(str(placed))))
    }
    worth = customer_table.sums(
        facts.inputs, table, parameters, by=views.matrix_cell(risk=risk, costly=costly), years=years
    )
    return {
        (tier, likely, service): _cell(
            facts,
            placed,
            known.get((tier, likely, service)),
            worth.get(f"{tier}|{likely}|{service}"),
            tier=tier,
            risk=likely,
            service=service,
        )
        for tier in TIERS
        for likely in LEVELS
        for service in LEVELS
    }


def _cell(
    facts: Stating, placed: Selection, clv: Decimal | None, worth: Sum | None, **place: Any
) -> MatrixCell:
    here = placed.of(**place)
    return MatrixCell(
        **place,
        customers=facts.measured("investment_customers", here, **place),
        value=facts.estimate(
            "investment_value", clv or Decimal(0), worth.error, n=worth.customers, method=ERROR, **place
        )
        if worth
        else facts.exact("investment_value", Decimal(0), parts=NOBODY, **place),
        cost=facts.measured("investment_service_cost", here, **place),
    )


@traced
def _group(facts: Stating, parameters: Parameters, table: str, one: _List, years: float) -> CustomerList:
    engine, customers = facts.inputs.engine, views.base_customers(table).where(one.where)
    number = facts.measured("listed_customers", customers, list=one.name)
    found = (
        customer_table.sums(facts.inputs, table, parameters, by=None, years=years, where=one.where)[
            customer_table.ALL
        ]
        if number.value
        else None
    )
    return CustomerList(
        customers=number,
        value=facts.estimate(one.metric, found.clv, found.error, n=found.customers, method=ERROR)
        if found
        else facts.exact(one.metric, Decimal(0), parts=NOBODY),
        cost=facts.measured("service_cost_traced", customers, list=one.name),
        margin=facts.measured("below_cost_past_margin", customers, list=one.name),
        rows=engine.query(views.listing(table, one.where, one.order, MOST)),
    )
