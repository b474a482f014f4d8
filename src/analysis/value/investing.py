"""Who to invest in: value tier by churn risk by cost to serve, and the customers behind the corners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.metrics import StudyInputs
from analysis.metrics.lineage import traced
from analysis.results import Fact
from analysis.summaries import Summarised
from analysis.value import pricing, views
from analysis.value.base import TIERS, tuples
from analysis.value.stating import Stating

if TYPE_CHECKING:
    import pandas as pd

    from analysis.value.pricing import Parameters
    from analysis.value.settings import ValueSettings

LEVELS = ("high", "low")
MOST = 500  # customers of a list in the evidence


@dataclass(frozen=True, kw_only=True, eq=False)
class Cell(Summarised):
    tier: str
    risk: str
    service: str
    customers: Fact
    value: Fact
    cost: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Group(Summarised):
    """Customers of a list: how many, what they are worth, what they cost last year, and the rows."""

    customers: Fact
    value: Fact
    cost: Fact
    margin: Fact
    rows: pd.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class Investment(Summarised):
    """The matrix and its lists: ``at_risk`` (top tier, likely to leave), ``often`` (top tier, often in service), ``below`` (cost more than they bring)."""

    cells: Mapping[tuple[str, str, str], Cell]
    risk_limit: Fact
    service_limit: Fact
    at_risk: Group
    often: Group
    below: Group


@traced
def investment(
    inputs: StudyInputs,
    settings: ValueSettings,
    parameters: Parameters,
    table: str,
    *,
    months: int,
    rate: float,
) -> Investment:
    facts = Stating(inputs=inputs)
    costly = float(
        inputs.engine.query(
            f"SELECT quantile_disc(service_cost_12m, {settings.service_quantile!r}) AS costly FROM {table}"
        )["costly"].iloc[0]
    )
    frame = inputs.engine.query(views.matrix(table, risk=settings.risk_limit, costly=costly))
    known = {(row.tier, row.risk, row.service): row for row in tuples(frame)}
    cells = {}
    for tier in TIERS:
        for risk in LEVELS:
            for service in LEVELS:
                row = known.get((tier, risk, service))
                place: dict[str, Any] = {"tier": tier, "risk": risk, "service": service}
                cells[tier, risk, service] = Cell(
                    tier=tier,
                    risk=risk,
                    service=service,
                    customers=facts.exact("investment_customers", int(row.customers) if row else 0, **place),
                    value=facts.exact("investment_value", row.clv if row else Decimal(0), **place),
                    cost=facts.exact("investment_service_cost", row.cost if row else Decimal(0), **place),
                )
    wheres = {
        "at_risk": (f"tier = 'top' AND 1 - stay_12m >= {settings.risk_limit!r}", "clv DESC", "value_at_risk"),
        "often": (
            f"tier = 'top' AND service_orders_12m >= {settings.often_in_service}",
            "clv DESC",
            "often_served_value",
        ),
        "below": ("clv < 0", "clv", "below_cost_value"),
    }
    years = pricing.annuity(months, rate)
    groups = {}
    for name, (where, order, metric) in wheres.items():
        total = inputs.engine.query(views.group_totals(table, where)).iloc[0]
        number, worth = int(total["customers"]), total["clv"] or Decimal(0)
        found = (
            pricing.sums(inputs, table, parameters, by=None, years=years, where=where).get(pricing.ALL)
            if number
            else None
        )
        groups[name] = Group(
            customers=facts.exact("listed_customers", number, list=name),
            value=facts.estimate(metric, worth, found.error, n=number)
            if found
            else facts.exact(metric, worth),
            cost=facts.exact("service_cost_traced", total["cost"] or Decimal(0), list=name),
            margin=facts.exact("below_cost_past_margin", total["margin"] or Decimal(0), list=name),
            rows=inputs.engine.query(views.listing(table, where, order, MOST)),
        )
    return Investment(
        cells=cells,
        risk_limit=facts.exact("risk_limit", settings.risk_limit),
        service_limit=facts.exact("high_service_limit", Decimal(repr(costly)).quantize(Decimal("0.01"))),
        **groups,
    )
