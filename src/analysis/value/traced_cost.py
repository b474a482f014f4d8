"""What service cost is in the value of customers: from the books of the last year to the horizon, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from analysis.metrics import Stating, StudyInputs, cents, traced
from analysis.results import Fact
from analysis.summaries import Summarised
from analysis.value import customer_table, views
from analysis.value.base import ERROR
from analysis.value.customer_table import State, Sum

STEPS = ("left", "paid", "carried", "years", "discount")


@dataclass(frozen=True, kw_only=True, eq=False)
class TracedCost(Summarised):
    """The traced cost of the last twelve months (``booked``), what a year of it is expected to be net of paid service, and what is in the value (``valued``).

    ``steps`` : ``left`` (of customers who have left since; only where nothing that they own needs service), ``paid`` (margin of paid service) and ``carried`` (towards the mean of the customer type, by how much of a customer's own year carries over)
    lead from ``booked`` to ``year``, ``years`` and ``discount`` from there to ``horizon``, which is the service cost in the value; they add up to the cent.
    """

    booked: Fact
    steps: Mapping[str, Fact]
    year: Fact
    horizon: Fact


@traced
def traced_cost(
    inputs: StudyInputs, state: State, table: str, whole: Sum, *, months: int, rate: float
) -> TracedCost | None:
    """The steps, each an amount of the same customers; none where no service cost is counted.

    Parameters
    ----------
    table : the value base on the engine, one row per customer
    whole : sums of the base, with the error of its service cost
    months, rate : horizon, and yearly discount rate as a share
    """
    if state.service is None:
        return None
    facts = Stating(inputs=inputs)
    booked = traced_last_year(inputs, state)
    paid, year = _amounts(inputs, state, table)
    held = cents(year * months / 12)
    amounts = {} if state.machines else {"left": whole.service_cost_12m - Decimal(booked.value or 0)}
    amounts |= {
        "paid": -paid,
        "carried": year - whole.service_cost_12m + paid,
        "years": held - year,
        "discount": whole.service - held,
    }

    def expected(over: str, amount: Decimal, error: float) -> Fact:
        return facts.estimate(
            "traced_cost_expected", amount, error, n=whole.customers, method=ERROR, over=over
        )

    error = whole.errors["service"]
    return TracedCost(
        booked=booked,
        steps={
            step: facts.exact("traced_cost_step", amounts[step], step=step)
            for step in STEPS
            if step in amounts
        },
        year=expected("year", year, error / customer_table.annuity(months, rate)),
        horizon=expected("horizon", whole.service, error),
    )


def traced_last_year(inputs: StudyInputs, state: State) -> Fact:
    """Postings of the last twelve months that carry a ticket of a customer, whether or not it has left since."""
    served = views.served(state.everyone, state.service)
    return Stating(inputs=inputs).measured("service_cost_traced", views.base_customers(f"({served})"))


def _amounts(inputs: StudyInputs, state: State, table: str) -> tuple[Decimal, Decimal]:
    """Margin of paid service of the last twelve months, and the traced cost net of it that is expected in a year."""
    row = inputs.engine.query(
        f"""SELECT sum(CAST(coalesce(s.paid_12m, 0.0) AS {views.CENTS})) AS paid, sum(CAST(k.service_next_12m AS {views.CENTS})) AS year
FROM {table} k LEFT JOIN {state.service} s ON s.customer_id = k.customer_id"""
    ).iloc[0]
    return Decimal(row["paid"]), Decimal(row["year"])
