"""Figures of the cost section: sums of the ledger to the cent, and four regressions."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import statsmodels.api as sm

from recomputed.raw import MONTH, Raw, cents
from recomputed.register import COUNT, MODEL, MONEY, SHARE, Asked, Section

SECTION = Section("costs")
recomputes = SECTION.recomputes
HISTORY = 36
SAME_ALGEBRA = (
    "ordinary least squares on the same rows; only floating point and sums of money in cents may differ"
)


def _money(whole_cents: float | int) -> Decimal:
    return Decimal(int(whole_cents)) / 100


def _within(frame: pd.DataFrame, asked: Asked) -> pd.DataFrame:
    return frame[frame["month"].isin(asked.months)]


def _cost_cents(raw: Raw, asked: Asked) -> int:
    """Incurred postings and recoveries of the months, of one slice where the figure names one."""
    frame = _within(raw.cost, asked)
    for name, value in asked.of.items():
        if name == "tracing":
            direct, pool = frame["ticket_id"].notna(), frame["cost_pool"].notna()
            frame = frame[{"direct": direct, "pool": pool & ~direct, "held": ~direct & ~pool}[value]]
        elif name != "against":
            frame = frame[frame[name].fillna("not_stated") == value]
    return int(frame["cents"].sum())


def _tickets(raw: Raw, asked: Asked) -> pd.DataFrame:
    return _within(raw.tickets, asked)


@recomputes(
    "after_sales_cost#2026-10",
    "after_sales_cost#2024-10",
    "after_sales_cost#2025-10",
    "after_sales_cost@category=labour#2026-10",
    "after_sales_cost@category=parts#2026-10",
    "after_sales_cost@category=unallocated#2026-10",
    "after_sales_cost@product_line=Home Comfort#2026-10",
    "after_sales_cost@team=Field West#2026-10",
    "after_sales_cost@tracing=pool#2026-10",
    kind=MONEY,
)
def after_sales_cost(raw: Raw, asked: Asked) -> Decimal:
    """All after-sales cost on the incurred basis (postings incurred and recovered). Source: params/metrics/costs.yml, after_sales_cost."""
    return _money(_cost_cents(raw, asked))


@recomputes(
    "cost_change@against=previous_month#2026-10", "cost_change@against=year_before#2026-10", kind=MONEY
)
def cost_change(raw: Raw, asked: Asked) -> Decimal:
    """After-sales cost of the month minus that of the month before, or of the same month a year before. Source: cost_change."""
    back = {"previous_month": 1, "year_before": 12}[asked.of["against"]]
    by_month = raw.cost.groupby("month")["cents"].sum()
    return _money(by_month[MONTH] - by_month[MONTH - back])


@recomputes("after_sales_cost_rate#2026-10", "after_sales_cost_rate#2025-11", kind=SHARE)
def after_sales_cost_rate(raw: Raw, asked: Asked) -> float:
    """After-sales cost over the revenue of all order lines of the month, refunds taken off. Source: after_sales_cost_rate."""
    return _cost_cents(raw, asked) / int(_within(raw.orders, asked)["cents"].sum())


@recomputes("service_unit_cost#2026-10", "service_unit_cost#2025-10", kind=SHARE, within=1e-8)
def service_unit_cost(raw: Raw, asked: Asked) -> float:
    """After-sales cost over service orders opened in the month. Source: service_unit_cost."""
    return _cost_cents(raw, asked) / 100 / len(_tickets(raw, asked))


@recomputes("labour_share#2026-10", "compensation_share#2026-10", kind=SHARE)
def share_of_a_category(raw: Raw, asked: Asked) -> float:
    """Cost of one category over all after-sales cost of the month. Source: labour_share, compensation_share."""
    own = _within(raw.cost, asked)
    name = asked.metric.removesuffix("_share")
    return int(own.loc[own["category"] == name, "cents"].sum()) / int(own["cents"].sum())


@recomputes("direct_cost_share#2026-10", kind=SHARE)
def direct_cost_share(raw: Raw, asked: Asked) -> float:
    """Cost whose posting carries a ticket over all cost. Source: direct_cost_share."""
    own = _within(raw.cost, asked)
    return int(own.loc[own["ticket_id"].notna(), "cents"].sum()) / int(own["cents"].sum())


@recomputes("complaint_cost_total#2026-10", "rework_cost_total#2026-10", kind=MONEY)
def cost_of_some_orders(raw: Raw, asked: Asked) -> Decimal:
    """Cost traced to complaints, or to orders that repeat work that did not hold. Source: complaint_cost_total, rework_cost_total."""
    own = _within(raw.cost, asked)
    of_complaint = own["order_ticket_type"] == "complaint"
    reworked = own["order_reworked"] == True  # noqa: E712
    return _money(own.loc[of_complaint if asked.metric.startswith("complaint") else reworked, "cents"].sum())


@recomputes("budget_variance#2026-10", "budget_variance@category=compensation#2026-10", kind=MONEY)
def budget_variance(raw: Raw, asked: Asked) -> Decimal:
    """After-sales cost minus the approved budget of the same month. Source: budget_variance."""
    budget = raw.table("budget", "month")
    budget = budget[budget["month"] == asked.first]
    if "category" in asked.of:
        budget = budget[budget["category"] == asked.of["category"]]
    return _money(_cost_cents(raw, asked) - int(cents(budget["amount"]).sum()))


@recomputes("cost_per_agent_hour#2026-10", kind=SHARE, within=1e-8)
def cost_per_agent_hour(raw: Raw, asked: Asked) -> float:
    """After-sales cost over hours worked by service staff, partners included. Source: cost_per_agent_hour."""
    return _cost_cents(raw, asked) / 100 / float(_within(raw.staff, asked)["hours_worked"].sum())


@recomputes("cost_per_order#2026-10", kind=SHARE, within=1e-8)
def cost_per_order(raw: Raw, asked: Asked) -> float:
    """After-sales cost over orders of the month; the lines of an order are one, a refund of an earlier one is none. Source: cost_per_order."""
    orders = _within(raw.orders, asked)
    return _cost_cents(raw, asked) / 100 / orders.loc[orders["revenue"] >= 0, "order_id"].nunique()


@recomputes("field_machines#2026-10", kind=COUNT)
def field_machines(raw: Raw, asked: Asked) -> int:
    """Machines put into service before the end of the month and not retired before it. Source: field_machines."""
    units = raw.units
    return int(((units["started"] < asked.end) & ~(units["left_on"] <= asked.end)).sum())


@recomputes("service_revenue#2026-10", "service_revenue@customer_type=b2b#2026-10", kind=MONEY)
def service_revenue(raw: Raw, asked: Asked) -> Decimal:
    """Revenue of extended warranty, premium service, paid repairs and other service. Source: service_revenue."""
    types = ["extended_warranty", "premium_service", "paid_repair", "other_service"]
    own = _within(raw.orders, asked)
    own = own[own["order_type"].isin(types)]
    if "customer_type" in asked.of:
        own = own[own["customer_id"].map(raw.customers["customer_type"]) == asked.of["customer_type"]]
    return _money(own["cents"].sum())


@recomputes("paid_hours@team=Field West#2026-10", "used_hours@team=Field West#2026-10", kind=SHARE)
def hours_of_a_team(raw: Raw, asked: Asked) -> float:
    """Hours paid to the in-house staff of a team, or handling hours of the tickets it was given. Source: paid_hours, used_hours."""
    team = asked.of["team"]
    if asked.metric == "paid_hours":
        staff = _within(raw.staff, asked)
        return float(
            staff.loc[(staff["team"] == team) & (staff["sourcing"] == "in_house"), "hours_paid"].sum()
        )
    own = _tickets(raw, asked)
    return float(own.loc[own["team"] == team, "handling_hours"].sum())


@recomputes("capacity_cost#2026-10", "capacity_cost@team=Field West#2026-10", kind=MONEY)
def capacity_cost(raw: Raw, asked: Asked) -> Decimal:
    """Cost of the in-house staff of the month, worked or not. Source: capacity_cost."""
    staff = _within(raw.staff, asked)
    staff = staff[staff["sourcing"] == "in_house"]
    if "team" in asked.of:
        staff = staff[staff["team"] == asked.of["team"]]
    return _money(staff["cents"].sum())


@recomputes("unused_paid_share@team=Field West#2026-08/2026-11", kind=SHARE)
def unused_paid_share(raw: Raw, asked: Asked) -> float:
    """Paid hours of a team that it did not work over its paid hours. Source: unused_paid_share."""
    staff = _within(raw.staff, asked)
    staff = staff[(staff["team"] == asked.of["team"]) & (staff["sourcing"] == "in_house")]
    return 1 - float(staff["hours_worked"].sum()) / float(staff["hours_paid"].sum())


@recomputes(
    "provision_accrued@product_line=Air Systems#2025-11/2026-11",
    "provision_utilised@product_line=all#2025-11/2026-11",
    "provision_adjusted@product_line=Commercial Cooling#2025-11/2026-11",
    "provision_opening@product_line=all#2025-11/2026-11",
    "provision_closing@product_line=all#2025-11/2026-11",
    kind=MONEY,
)
def provision(raw: Raw, asked: Asked) -> Decimal:
    """The roll-forward of the warranty provision: opening of the first month, movements, closing of the last; utilised is a deduction. Source: provision_*."""
    own = _within(raw.provision, asked)
    if asked.of["product_line"] != "all":
        own = own[own["product_line"] == asked.of["product_line"]]
    name = asked.metric.removeprefix("provision_")
    if name == "opening":
        own = own[own["month"] == asked.months[0]]
    if name == "closing":
        own = own[own["month"] == asked.months[-1]]
    return _money(int(own[name].sum()) * (-1 if name == "utilised" else 1))


@recomputes("provision_accrual_rate@product_line=Air Systems#2025-11/2026-11", kind=SHARE)
def provision_accrual_rate(raw: Raw, asked: Asked) -> float:
    """Accrued over product sales of the line. Source: provision_accrual_rate."""
    own, sold = _within(raw.provision, asked), _within(raw.orders, asked)
    line = asked.of["product_line"]
    sold = sold[(sold["order_type"] == "product") & (sold["product_id"].map(raw.lines) == line)]
    return int(own.loc[own["product_line"] == line, "accrued"].sum()) / int(sold["cents"].sum())


# -- estimates ---------------------------------------------------------------------------------------------------------


@recomputes(
    "cost_bridge_effect@against=year_before,driver=volume#2026-10",
    "cost_bridge_effect@against=previous_month,driver=volume#2026-10",
    kind=MODEL,
    within=0.01,
    why="another exact split of a change: logarithmic means here (LMDI, Ang 2005), averages over all orders (Shapley) in the pack; they part with the square of the change",
)
def volume_effect(raw: Raw, asked: Asked) -> float:
    """What more service orders cost: logarithmic mean of the two costs times the log ratio of the orders, over categories that move with tickets or hold capacity for them.

    Period costs (training, systems, premises, telecom, indirect, other) move with no driver. Source: cost_bridge_effect and the behaviours in params/cost_tree.yml.
    """
    back = {"previous_month": 1, "year_before": 12}[asked.of["against"]]
    driven = ["labour", "parts", "logistics", "compensation", "outsourcing"]
    spent = (
        raw.cost[raw.cost["category"].isin(driven)]
        .groupby(["month", "category"])["cents"]
        .sum()
        .astype(float)
    )
    now, then = spent[MONTH] / 100, spent[MONTH - back] / 100
    orders = raw.tickets.groupby("month").size()
    mean = (now - then) / np.log(now / then)
    return float(mean.sum() * np.log(orders[MONTH] / orders[MONTH - back]))


def _prices(raw: Raw, part: str) -> pd.DataFrame:
    """Mean price paid for a part and pieces used by month of the order that used it."""
    used = raw.table("parts_used")
    used = used[(used["part_no"] == part) & (used["quantity"] > 0)]
    used = used.assign(
        month=used["ticket_id"].map(raw.tickets.set_index("ticket_id")["month"]),
        price=used["unit_price"].astype(float),
    ).dropna(subset=["month", "price"])
    used = used.assign(paid=used["price"] * used["quantity"])
    sums = used.groupby("month")[["paid", "quantity"]].sum()
    return sums.assign(price=sums["paid"] / sums["quantity"]).sort_index()


@recomputes(
    "input_price_change@part_no=P-PCB-20#2026-03/2026-11",
    "input_price_change@part_no=P-SEN-50#2026-03/2026-11",
    kind=MODEL,
    within=1e-6,
    why=SAME_ALGEBRA,
)
def input_price_change(raw: Raw, asked: Asked) -> float:
    """Step of the log price from the stated month on beside a straight trend, by least squares. Source: input_price_change."""
    prices = _prices(raw, asked.of["part_no"])
    time = np.arange(len(prices), dtype=float)
    design = np.column_stack([np.ones(len(prices)), time, prices.index >= asked.months[0]]).astype(float)
    return float(np.expm1(sm.OLS(np.log(prices["price"].to_numpy()), design).fit().params[2]))


@recomputes("input_price_cost@part_no=P-PCB-20#2026-03/2026-11", kind=MODEL, within=1e-6, why=SAME_ALGEBRA)
def input_price_cost(raw: Raw, asked: Asked) -> float:
    """What the parts used since the step cost more: what was paid times step over one plus step. Source: input_price_cost."""
    step = input_price_change(raw, asked)
    prices = _prices(raw, asked.of["part_no"])
    return float(prices.loc[prices.index >= asked.months[0], "paid"].sum()) * step / (1 + step)


def _account(raw: Raw, account: str) -> pd.DataFrame:
    """Cost of an account traced to tickets by month beside the service orders of the month, 36 months."""
    own = raw.cost[(raw.cost["account"] == account) & raw.cost["ticket_id"].notna()]
    table = pd.DataFrame(
        {
            "cost": own.groupby("month")["cents"].sum().astype(float) / 100,
            "tickets": raw.tickets.groupby("month").size().astype(float),
        }
    ).dropna()
    return table[table.index > MONTH - HISTORY].sort_index()


def _surge(raw: Raw, asked: Asked) -> float:
    """Logarithm of cost over what orders and trend explain in the run of months, by least squares with an indicator of the run."""
    table = _account(raw, asked.of["account"])
    run = table.index.isin(asked.months).astype(float)
    design = np.column_stack([np.ones(len(table)), np.arange(len(table)), np.log(table["tickets"]), run])
    fit = sm.OLS(np.log(table["cost"].to_numpy()), design).fit(cov_type="HAC", cov_kwds={"maxlags": 3})
    return float(fit.params[3])


@recomputes("cost_surge@account=6601.05.01#2026-06/2026-09", kind=MODEL, within=1e-6, why=SAME_ALGEBRA)
def cost_surge(raw: Raw, asked: Asked) -> float:
    """Cost of a run of months over what orders and trend explain, minus one: log-linear regression. Source: cost_surge."""
    return float(np.expm1(_surge(raw, asked)))


@recomputes("cost_surge_excess@account=6601.05.01#2026-06/2026-09", kind=MODEL, within=1e-6, why=SAME_ALGEBRA)
def cost_surge_excess(raw: Raw, asked: Asked) -> float:
    """Cost of the run minus what explains it. Source: cost_surge_excess."""
    table = _account(raw, asked.of["account"])
    return float(table.loc[table.index.isin(asked.months), "cost"].sum() * -np.expm1(-_surge(raw, asked)))


@recomputes("surge_cost_per_ticket@account=6601.05.01#2026-06/2026-09", kind=MONEY)
def surge_cost_per_ticket(raw: Raw, asked: Asked) -> Decimal:
    """Incurred cost of the account over the tickets that carry it. Source: surge_cost_per_ticket."""
    own = _within(raw.cost, asked)
    own = own[(own["account"] == asked.of["account"]) & own["ticket_id"].notna()]
    return (_money(own["cents"].sum()) / own["ticket_id"].nunique()).quantize(Decimal("0.01"))


@recomputes("excess_unused_share@team=Field West#2026-08/2026-11", kind=MODEL, within=1e-6, why=SAME_ALGEBRA)
def excess_unused_share(raw: Raw, asked: Asked) -> float:
    """Unused share of paid hours of a team in the last three months minus the median of the other teams, month by month.

    A regression with an indicator for these months is their mean. Source: excess_unused_share.
    """
    staff = raw.staff[raw.staff["sourcing"] == "in_house"]
    sums = staff.groupby(["month", "team"])[["hours_paid", "hours_worked"]].sum()
    unused = (1 - sums["hours_worked"] / sums["hours_paid"]).unstack()
    gap = unused[asked.of["team"]] - unused.drop(columns=asked.of["team"]).median(axis=1)
    design = gap.index.isin(asked.months).astype(float)
    fit = sm.OLS(gap.to_numpy(), sm.add_constant(design)).fit(cov_type="HAC", cov_kwds={"maxlags": 3})
    return float(fit.params.sum())


def _hours_per_repair(raw: Raw, regions: list[str]) -> pd.Series:
    """Handling hours per repair by month, had every month the mix of product lines and components of the whole span."""
    own = raw.tickets[(raw.tickets["ticket_type"] == "repair") & raw.tickets["region"].isin(regions)]
    mix = own["line"].fillna("-") + "|" + own["component"].fillna("-")
    cells = own.assign(mix=mix, hours=own["handling_hours"].fillna(0.0)).groupby(["month", "mix"])["hours"]
    each = cells.mean().unstack().sort_index().ffill().bfill()
    weights = cells.size().groupby("mix").sum()
    return (each * (weights / weights.sum())).sum(axis=1)


@recomputes(
    "cost_residual_ratio@measure=remote-diagnosis-east#2025-11/2026-11",
    kind=MODEL,
    within=1e-6,
    why=SAME_ALGEBRA,
)
def cost_residual_ratio(raw: Raw, asked: Asked) -> float:
    """What is left of the hours per repair in the East since the measure began: difference in differences against three untouched regions.

    Hours at one wage for all, so the wage falls out of the ratio. Source: cost_residual_ratio and params/interventions.yml.
    """
    start = asked.months[0]
    east = _hours_per_repair(raw, ["East"])
    others = _hours_per_repair(raw, ["South", "West", "Central"])
    after = (east.index >= start).astype(float)
    fit = sm.OLS((east - others).to_numpy(), sm.add_constant(after)).fit(
        cov_type="HAC", cov_kwds={"maxlags": 3}
    )
    expected = float(east[after > 0].mean()) - float(fit.params[1])
    return 1 + float(fit.params[1]) / expected
