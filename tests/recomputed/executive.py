"""Figures of the executive summary: shares of service orders by month, their intervals, and how they moved."""

from __future__ import annotations

import pandas as pd
from scipy.stats import chi2
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from recomputed.raw import MONTH, Raw
from recomputed.register import COUNT, MODEL, SHARE, Asked, Section

SECTION = Section("executive")
recomputes = SECTION.recomputes
CLOSED_FORM = "the same closed form in another library; only floating point may differ"


def _orders(raw: Raw, month: pd.Period) -> pd.DataFrame:
    return raw.tickets[raw.tickets["month"] == month]


def _counts(raw: Raw, metric: str, month: pd.Period) -> tuple[int, int]:
    """Numerator and denominator of a share of service orders."""
    own = _orders(raw, month)
    kind = own["ticket_type"]
    if metric == "complaint_ticket_rate":
        return int((kind == "complaint").sum()), int((~kind.isin(["complaint", "inquiry"])).sum())
    if metric == "automation_rate":
        return int(own["automated"].fillna(False).sum()), int(own["automated"].notna().sum())
    return int(own["reworked"].sum()), len(own)


@recomputes(
    "service_order_count#2025-10", "service_order_count#2026-01", "service_order_count#2026-09", kind=COUNT
)
def service_order_count(raw: Raw, asked: Asked) -> int:
    """Service orders opened in the business month and not cancelled; exact copies and unknown types are not counted. Source: params/metrics/service.yml."""
    return len(_orders(raw, asked.months[0]))


@recomputes(
    "automation_rate#2025-10",
    "automation_rate#2026-09",
    "complaint_ticket_rate#2025-10",
    "complaint_ticket_rate#2026-10",
    "service_rework_rate#2025-11",
    "service_rework_rate#2026-10",
    kind=SHARE,
)
def share_of_orders(raw: Raw, asked: Asked) -> float:
    """Automated or repeated orders over all; complaints over orders other than complaints and inquiries. Source: params/metrics/service.yml."""
    hits, of = _counts(raw, asked.metric, asked.months[0])
    return hits / of


@recomputes(
    "automation_rate#2026-09",
    "service_rework_rate#2026-10",
    part="low",
    kind=MODEL,
    within=1e-6,
    why=CLOSED_FORM,
)
def lower_limit_of_a_share(raw: Raw, asked: Asked) -> float:
    """Wilson's 95 % interval of a binomial share, lower limit. Source: params/metrics/service.yml, interval wilson."""
    return float(proportion_confint(*_counts(raw, asked.metric, asked.months[0]), method="wilson")[0])


@recomputes("complaint_ticket_rate#2026-10", part="high", kind=MODEL, within=1e-6, why=CLOSED_FORM)
def upper_limit_of_a_rate(raw: Raw, asked: Asked) -> float:
    """Garwood's exact 95 % interval of a Poisson count over its exposure, upper limit. Source: complaint_ticket_rate, interval garwood."""
    hits, of = _counts(raw, asked.metric, asked.months[0])
    return float(chi2.ppf(0.975, 2 * (hits + 1)) / 2 / of)


def _compared(asked: Asked) -> pd.Period:
    return MONTH - {"previous_month": 1, "year_before": 12}[asked.of["against"]]


@recomputes(
    "point_change@against=previous_month,of=automation_rate#2026-10",
    "point_change@against=year_before,of=service_rework_rate#2026-10",
    kind=SHARE,
    within=1e-7,
)
def point_change(raw: Raw, asked: Asked) -> float:
    """Share of the month minus that of the month compared. Source: params/metrics/executive.yml, point_change."""
    now, then = (_counts(raw, asked.of["of"], month) for month in (MONTH, _compared(asked)))
    return now[0] / now[1] - then[0] / then[1]


@recomputes(
    "point_change@against=year_before,of=service_rework_rate#2026-10",
    part="high",
    kind=MODEL,
    within=1e-6,
    why=CLOSED_FORM,
)
def upper_limit_of_a_point_change(raw: Raw, asked: Asked) -> float:
    """Newcombe's 95 % interval of a difference of two shares (hybrid of two Wilson intervals), upper limit. Source: point_change."""
    now, then = (_counts(raw, asked.of["of"], month) for month in (MONTH, _compared(asked)))
    return float(confint_proportions_2indep(*now, *then, method="newcomb")[1])


@recomputes(
    "relative_change@against=previous_month,of=service_order_count#2026-10",
    "relative_change@against=year_before,of=service_unit_cost#2026-10",
    "relative_change@against=previous_month,of=after_sales_cost#2026-10",
    kind=SHARE,
    within=1e-7,
)
def relative_change(raw: Raw, asked: Asked) -> float:
    """The month over the month compared, minus one. Source: params/metrics/executive.yml, relative_change."""
    spent, orders = (
        raw.cost.groupby("month")["cents"].sum().astype(float),
        raw.tickets.groupby("month").size(),
    )
    # cost per order is a fact of its own, to the cent, before it is compared
    series = {"service_order_count": orders, "after_sales_cost": spent, "service_unit_cost": spent / orders}[
        asked.of["of"]
    ]
    return float(series[MONTH] / series[_compared(asked)]) - 1
