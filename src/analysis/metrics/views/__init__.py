"""The views that metrics and studies are defined on: each business concept once, over the canonical tables.

Tables are already cut to what was known on the as-of date. Metrics, studies and ``make trace`` all read these, so a number and the rows
behind it cannot drift apart. ``month`` is the business month. One file holds one concept; a view is made when a query first names it
(:class:`~analysis.metrics.views.prepared.Prepared`).
"""

from __future__ import annotations

from analysis.metrics.views import (
    answers,
    contracts,
    ledger,
    machines,
    meters,
    purchases,
    repairs,
    responses,
    service,
    totals,
)
from analysis.metrics.views.contracts import RENEWABLE
from analysis.metrics.views.days import (
    age_at_term_end,
    business_day,
    days_of_age,
    full_months,
    month_index,
    month_number,
    month_of_index,
    step,
)
from analysis.metrics.views.histories import MOST_VALUES, attributes_of_history, held_as
from analysis.metrics.views.view import NOT_STATED, Column, Rules, View, at

VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        service.service_orders,
        service.service,
        responses.first_responses,
        repairs.repair_outcomes,
        repairs.rework_origins,
        ledger.cost,
        purchases.order_lines,
        purchases.sales,
        purchases.purchase_days,
        contracts.contract_terms,
        contracts.contract_spells,
        machines.machines,
        meters.meter_readings,
        meters.use_stretches,
        answers.answers,
        answers.surveys_sent,
        totals.workforce,
        totals.control_totals,
        totals.budgets,
        totals.provisions,
    )
}

__all__ = [
    "Column",
    "MOST_VALUES",
    "NOT_STATED",
    "RENEWABLE",
    "Rules",
    "VIEWS",
    "View",
    "age_at_term_end",
    "at",
    "attributes_of_history",
    "business_day",
    "days_of_age",
    "full_months",
    "held_as",
    "month_index",
    "month_number",
    "month_of_index",
    "step",
]
