"""The cost study: where the after-sales cost comes from, what it ties to, and why it moved.

Each part stands in a module of its own beside this one: the arithmetic in ``<topic>``, its facts in ``<topic>_facts``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.costs.activity_costing_facts import Capacity, capacity_of, idle_findings
from analysis.costs.allocation_facts import Allocated, allocated_of, allocation_check
from analysis.costs.bridge_facts import (
    Bridge,
    CostComparison,
    bridge_against,
    bridge_check,
    comparison_facts,
    movement_findings,
)
from analysis.costs.case_amounts_facts import CaseAmounts, case_amounts_of, tells_places_apart
from analysis.costs.comebacks_facts import Returning, comebacks_of
from analysis.costs.comebacks_rows import anything_returns
from analysis.costs.composition import Slice, category_history, composition_by
from analysis.costs.demand_facts import Demand, demand_of
from analysis.costs.figures import facts_by_period
from analysis.costs.findings import (
    budget_findings,
    labour_findings,
    shop_labour_findings,
    unallocated_check,
    unallocated_findings,
)
from analysis.costs.hindsight import hindsight_checks
from analysis.costs.outlook import Outlook, outlook_findings, outlook_of
from analysis.costs.provision_facts import Provision, provision_checks, provision_findings, provision_of
from analysis.costs.savings_facts import RegisteredMeasure, measure_checks, measure_findings, measures_of
from analysis.costs.shop_shifts_facts import ShopShifts, grants_by_shop, shop_shifts_of
from analysis.costs.shops_facts import Shops, places_named, shops_of
from analysis.costs.signals_facts import price_findings, rise_findings, signal_checks, surge_findings
from analysis.costs.sourcing_facts import Sourcing, sourcing_of
from analysis.costs.tie_out import (
    ProfitAndLoss,
    TieOut,
    currency_check,
    profit_and_loss,
    profit_and_loss_check,
    tie_out,
    tie_out_check,
    tie_out_findings,
)
from analysis.costs.yearly_facts import Yearly, yearly_of
from analysis.costs.yields import (
    Budget,
    FlexedBudget,
    Profit,
    budget_of,
    flexed_budget,
    planned_tickets,
    profitability_of,
    unit_costs_of,
)
from analysis.locale import Text
from analysis.metrics import (
    NotDone,
    Parts,
    StudyInputs,
    likelihood,
    likelihood_check,
    materiality,
    materiality_check,
)
from analysis.metrics import study as asked
from analysis.periods import Month, Period
from analysis.results import Check, Fact, Finding
from analysis.summaries import Summarised

HISTORY_MONTHS = 25
HISTORY_PERIODS = 13  # quarters or years, where that is what is reported
DIMENSIONS = ("category", "product_line", "region", "channel", "team", "ticket_type", "tracing")


@dataclass(frozen=True, kw_only=True, eq=False)
class CostStudy(Summarised):
    """What the cost notebook shows. Totals are accounting figures: exact, without an interval.

    A part is `NotDone`, with its reason, where its data are absent.

    Attributes
    ----------
    month, period : the report month; what is reported, which is the month or ends with it.
    total : cost of the period.
    comparisons, history : against the period before and the year before, which of a year are one; the last 25 months, or whole periods as far as
        the data go.
    monthly : the last 25 months.
    unit_costs, cost_rates, labour_shares, ratios : cost per ticket, ÷ revenue, labour ÷ cost, and the other ratios, by period.
    composition, category_history : slices by dimension; categories by month.
    tie_out : reconciliation with the general ledger.
    bridges : why cost moved, by what it is held against.
    budget, flexed : against the budget, as planned and at the actual volume.
    expense : the way to the profit-and-loss expense.
    unit_costs_by, profitability : cost per ticket by slice; margin after service by product line.
    allocated, capacity : shared cost by key; time-driven activity costs.
    outlook : the projection of twelve months.
    measures, sourcing, provision : registered measures; in-house or outsourced; the warranty provision.
    shops : shops and platforms side by side; left out, without a doubt, where no two are named.
    returning : what comes back, and from whom; left out, without a doubt, where nothing is recorded to have come back.
    demand, yearly : what was asked for more often in some months; yearly rates that moved.
    case_amounts : shops and teams that spend more per case than the others.
    shop_shifts : shops whose amount granted per case stepped up or down.
    findings, checks : what stands out, what is to be doubted.

    Examples
    --------
    >>> from analysis import costs
    >>> result = costs.study(run.inputs)  # run = open_run("sample", section="costs")
    >>> result.total.unit, len(result.history)
    ('CNY', 25)
    """

    month: Month
    period: Period
    total: Fact
    comparisons: tuple[CostComparison, ...]
    history: tuple[Fact, ...]
    monthly: tuple[Fact, ...]
    unit_costs: tuple[Fact, ...]
    cost_rates: tuple[Fact, ...]
    labour_shares: tuple[Fact, ...]
    ratios: tuple[Fact, ...]
    composition: Mapping[str, tuple[Slice, ...]]
    category_history: Mapping[str, tuple[Fact, ...]]
    tie_out: TieOut
    bridges: Mapping[str, Bridge | NotDone]
    budget: Budget | NotDone
    flexed: FlexedBudget | NotDone
    expense: ProfitAndLoss | NotDone
    unit_costs_by: tuple[Fact, ...]
    profitability: tuple[Profit, ...] | NotDone
    allocated: Allocated | NotDone
    capacity: Capacity | NotDone
    outlook: Outlook | NotDone
    measures: tuple[RegisteredMeasure, ...]
    sourcing: Sourcing | NotDone
    provision: Provision | NotDone
    shops: Shops | NotDone
    returning: Returning | NotDone
    demand: Demand | NotDone
    yearly: Yearly | NotDone
    case_amounts: CaseAmounts | NotDone
    shop_shifts: ShopShifts | NotDone
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]


@asked(section="costs", needs=("ledger.amount",))
def study(inputs: StudyInputs) -> CostStudy:
    """The cost decomposition of one period.

    Parameters
    ----------
    inputs : StudyInputs
        One period of one company: ``run.inputs``.

    Returns
    -------
    CostStudy
        Whose absent parts (no orders, control totals, budget) say why.

    Raises
    ------
    MissingData
        Without a ledger there is no cost to decompose.

    Examples
    --------
    October 2026 of a company with five postings that count: 250.50 + 1,200.00 + 80.10 - 30.50 + 99.90.

    >>> from analysis import costs
    >>> result = costs.study(run.inputs)  # run = open_run("sample", section="costs")
    >>> print(result.total.value)
    1600.00
    """
    months = [inputs.month - back for back in range(HISTORY_MONTHS - 1, -1, -1)]
    period = inputs.period
    periods = periods_until(period)
    parts = Parts(section="costs")
    history = facts_by_period(inputs, "after_sales_cost", periods)
    total = history[-1]
    compared = period.compared
    comparisons = tuple(comparison_facts(inputs, total, against, one) for against, one in compared.items())
    composition = {dimension: composition_by(inputs, dimension, total) for dimension in DIMENSIONS}
    tied = tie_out(inputs, months[-13:])
    labour_shares = facts_by_period(inputs, "labour_share", periods)
    bridges = {
        against: parts.do(f"bridge_{against}", bridge_against, inputs, against, before)
        for against, before in compared.items()
    }
    budget = parts.do("budget", budget_of, inputs, total)
    expense = parts.do("expense", profit_and_loss, inputs)
    allocated = parts.do("allocated", allocated_of, inputs)
    outlook = parts.do("outlook", outlook_of, inputs)
    measures = measures_of(inputs)
    provision = parts.do("provision", provision_of, inputs)
    shops = (
        parts.do("shops", shops_of, inputs)
        if len(places_named(inputs)) > 1
        else parts.leave_out("shops", NO_TWO_SHOPS)
    )
    returning = (
        parts.do("returning", comebacks_of, inputs)
        if anything_returns(inputs)
        else parts.leave_out("returning", NOTHING_RETURNS)
    )
    demand = parts.do("demand", demand_of, inputs)
    yearly = parts.do("yearly", yearly_of, inputs, demand)
    case_amounts = (
        parts.do("case_amounts", case_amounts_of, inputs)
        if tells_places_apart(inputs)
        else parts.leave_out("case_amounts", NO_AMOUNTS_APART)
    )
    shop_shifts = (
        parts.do("shop_shifts", shop_shifts_of, inputs)
        if grants_by_shop(inputs)
        else parts.leave_out("shop_shifts", NO_GRANTS_BY_SHOP)
    )
    signals = {name: parts.do(name, search, inputs) for name, search in SIGNALS.items()}
    return CostStudy(
        month=inputs.month,
        period=period,
        total=total,
        comparisons=comparisons,
        history=history,
        monthly=history
        if period.months == 1
        else facts_by_period(inputs, "after_sales_cost", [Period.of(month) for month in months]),
        unit_costs=facts_by_period(inputs, "service_unit_cost", periods),
        cost_rates=facts_by_period(inputs, "after_sales_cost_rate", periods),
        labour_shares=labour_shares,
        ratios=tuple(inputs.fact(metric) for metric in RATIOS),
        composition=composition,
        category_history=category_history(inputs, months),
        tie_out=tied,
        bridges=bridges,
        budget=budget,
        flexed=parts.do("flexed", flexed_budget, inputs, budget)
        if planned_tickets(inputs) is not None
        else parts.leave_out("flexed", PLAN_NOT_STATED),
        expense=expense,
        unit_costs_by=unit_costs_of(inputs),
        profitability=parts.do("profitability", profitability_of, inputs),
        allocated=allocated,
        capacity=parts.do("capacity", capacity_of, inputs),
        outlook=outlook,
        measures=measures,
        sourcing=parts.do("sourcing", sourcing_of, inputs),
        provision=provision,
        shops=shops,
        returning=returning,
        demand=demand,
        yearly=yearly,
        case_amounts=case_amounts,
        shop_shifts=shop_shifts,
        findings=(
            *tie_out_findings(tied),
            *movement_findings(comparisons, bridges),
            *labour_findings(inputs, labour_shares[-1]),
            *budget_findings(inputs, budget),
            *(
                finding
                for found in signals.values()
                if not isinstance(found, NotDone)
                for finding in found.findings
            ),
            *provision_findings(inputs, provision),
            *(() if isinstance(shops, NotDone) else shops.findings),
            *(() if isinstance(returning, NotDone) else returning.findings),
            *(
                ()
                if isinstance(shops, NotDone)
                else shop_labour_findings(inputs, shops.year, labour_shares[-1])
            ),
            *(() if isinstance(demand, NotDone) else demand.findings),
            *(() if isinstance(yearly, NotDone) else yearly.findings),
            *(() if isinstance(case_amounts, NotDone) else case_amounts.findings),
            *(() if isinstance(shop_shifts, NotDone) else shop_shifts.findings),
            *outlook_findings(inputs, outlook),
            *measure_findings(inputs, measures),
            *unallocated_findings(inputs, composition["category"]),
        ),
        checks=(
            materiality_check(materiality(inputs)),
            likelihood_check(likelihood(inputs)),
            tie_out_check(tied),
            currency_check(inputs),
            unallocated_check(inputs, composition["category"]),
            bridge_check(bridges),
            *profit_and_loss_check(expense),
            *allocation_check(allocated),
            *provision_checks(provision),
            *(() if isinstance(outlook, NotDone) else hindsight_checks(outlook.hindsight)),
            *measure_checks(measures),
            *signal_checks(signals),
            *parts.not_tested(TITLES),
        ),
    )


def periods_until(period: Period) -> list[Period]:
    """Periods of equal length up to this one, in order of time: twenty-five months, thirteen quarters or years."""
    count = HISTORY_MONTHS if period.months == 1 else HISTORY_PERIODS
    return [period.back(back * period.months) for back in range(count - 1, -1, -1)]


SIGNALS = {
    "idle_teams": idle_findings,
    "price_steps": price_findings,
    "surges": surge_findings,
    "rises": rise_findings,
}
PLAN_NOT_STATED = Text.of("planned tickets are not stated")
NOTHING_RETURNS = Text.of("no order is recorded as opened again, done again or complained about")
NO_AMOUNTS_APART = Text.of("no two shops or teams can be compared by money per case")
NO_GRANTS_BY_SHOP = Text.of("no two shops can be compared by amounts granted")
NO_TWO_SHOPS = Text.of("no two shops or platforms are named")
RATIOS = (
    "after_sales_cost_rate",
    "service_unit_cost",
    "labour_share",
    "automation_rate",
    "compensation_share",
    "direct_cost_share",
    "complaint_cost_total",
    "rework_cost_total",
)
TITLES = {
    "bridge_previous_month": Text.of("Cost bridge to the previous month"),
    "bridge_year_before": Text.of("Cost bridge to the same month a year before"),
    "bridge_previous_quarter": Text.of("Cost bridge to the previous quarter"),
    "bridge_quarter_year_before": Text.of("Cost bridge to the same quarter a year before"),
    "bridge_previous_year": Text.of("Cost bridge to the previous year"),
    "budget": Text.of("Cost against budget"),
    "flexed": Text.of("Budget at the tickets that came"),
    "expense": Text.of("Expense of the profit and loss"),
    "allocated": Text.of("Allocation keys"),
    "capacity": Text.of("Capacity"),
    "profitability": Text.of("Profitability of service"),
    "outlook": Text.of("Forecast"),
    "sourcing": Text.of("In-house against outsourced"),
    "provision": Text.of("Warranty provision"),
    "shops": Text.of("Shops compared"),
    "returning": Text.of("What comes back, and from whom"),
    "demand": Text.of("What was asked for more often"),
    "yearly": Text.of("Rates of whole years"),
    "case_amounts": Text.of("Money per case by shop and team"),
    "shop_shifts": Text.of("Steps in amounts per case by shop"),
    "idle_teams": Text.of("Teams paid for unused hours"),
    "price_steps": Text.of("Steps of part prices"),
    "surges": Text.of("Accounts that surged"),
    "rises": Text.of("Accounts that rose in the last months"),
}
