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
    service: str | None
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

    cells: Mapping[tuple[str, str, str | None], MatrixCell]
    services: tuple[
        str | None, ...
    ]  # levels of service cost; one, without a name, where no limit tells them apart
    risk_limit: Fact
    service_limit: Fact
    at_risk: CustomerList
    often: CustomerList
    below: CustomerList


@dataclass(frozen=True)
class _List:
    """Which customers stand on a list, in which order, and the metric of their value; ``served``: only service cost tells who they are."""

    name: str
    where: str
    order: str
    metric: str
    served: bool = False


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
            served=True,
        ),
        _List("below", "clv < 0", "clv", "below_cost_value", served=True),
    )
    years = customer_table.annuity(months, rate)
    groups = {
        one.name: _unknown(facts, table, one, state.unserved)
        if one.served and state.unserved
        else _group(facts, parameters, table, one, years, state.unserved)
        for one in lists
    }
    costly = float(limit.value) if limit.value else None
    return Investment(
        cells=_cells(
            facts, parameters, table, state.unserved, risk=settings.risk_limit, costly=costly, years=years
        ),
        services=LEVELS if costly else (None,),
        risk_limit=facts.exact("risk_limit", settings.risk_limit, lineage=stated_in("risk_limit")),
        service_limit=limit,
        at_risk=groups["at_risk"],
        often=groups["often"],
        below=groups["below"],
    )


def _service_limit(facts: Stating, state: State, quantile: float) -> Fact:
    """The cost from which a customer counts as costly to serve: a quantile of all customers' cost; unknown where none is traced."""
    if state.unserved:
        return facts.exact("high_service_limit", None, reason=state.unserved)
    rows = views.served(state.customers, state.service)
    return facts.measured("high_service_limit", rows.given(quantile=quantile))


@traced
def _cells(
    facts: Stating,
    parameters: Parameters,
    table: str,
    unserved: Text | None,
    *,
    risk: float,
    costly: float | None,
    years: float,
) -> dict[tuple[str, str, str | None], MatrixCell]:
    placed = views.matrix_customers(table, risk=risk, costly=costly)
    known = {
        (row.tier, row.risk, row.service): row.clv
        for row in tuples(facts.inputs.engine.query(views.matrix(str(placed))))
    }
    levels = LEVELS if costly else (views.ANY_SERVICE,)
    worth = customer_table.sums(
        facts.inputs, table, parameters, by=views.matrix_cell(risk=risk, costly=costly), years=years
    )
    return {
        (tier, likely, service if costly else None): _cell(
            facts,
            placed,
            known.get((tier, likely, service)),
            worth.get(f"{tier}|{likely}|{service}"),
            unserved,
            **{"tier": tier, "risk": likely} | ({"service": service} if costly else {}),
        )
        for tier in TIERS
        for likely in LEVELS
        for service in levels
    }


def _cell(
    facts: Stating,
    placed: Selection,
    clv: Decimal | None,
    worth: Sum | None,
    unserved: Text | None,
    **place: Any,
) -> MatrixCell:
    here = placed.of(**place)
    return MatrixCell(
        **{"service": None} | place,
        customers=facts.measured("investment_customers", here, **place),
        value=facts.estimate(
            "investment_value", clv or Decimal(0), worth.error, n=worth.customers, method=ERROR, **place
        )
        if worth
        else facts.exact("investment_value", Decimal(0), parts=NOBODY, **place),
        cost=facts.exact("investment_service_cost", None, reason=unserved, **place)
        if unserved
        else facts.measured("investment_service_cost", here, **place),
    )


@traced
def _unknown(facts: Stating, table: str, one: _List, unserved: Text) -> CustomerList:
    """A list of which nobody can say who stands on it."""
    place: dict[str, Any] = {"reason": unserved, "list": one.name}
    return CustomerList(
        customers=facts.exact("listed_customers", None, **place),
        value=facts.exact(one.metric, None, reason=unserved),
        cost=facts.exact("service_cost_traced", None, **place),
        margin=facts.exact("below_cost_past_margin", None, **place),
        rows=facts.inputs.engine.query(views.listing(table, "FALSE", one.order, MOST)),
    )


@traced
def _group(
    facts: Stating, parameters: Parameters, table: str, one: _List, years: float, unserved: Text | None
) -> CustomerList:
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
        cost=facts.exact("service_cost_traced", None, reason=unserved, list=one.name)
        if unserved
        else facts.measured("service_cost_traced", customers, list=one.name),
        margin=facts.measured("below_cost_past_margin", customers, list=one.name),
        rows=engine.query(views.listing(table, one.where, one.order, MOST)),
    )
