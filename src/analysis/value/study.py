"""The value study: what customers are worth, why that moved, and whom to invest in; then what service does to it (the other half)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from decimal import Decimal

from analysis.errors import NothingToCount
from analysis.locale import Text
from analysis.metrics import NotDone, Parts, Period, Stating, StudyInputs, traced
from analysis.metrics import study as asked
from analysis.metrics.materiality import materiality
from analysis.results import Fact, by_severity
from analysis.summaries import Summarised
from analysis.value import customer_table, findings, purchase_models
from analysis.value.acquisition import AcquisitionChannel, acquisition
from analysis.value.base import ValueBase, horizon_of
from analysis.value.break_even import break_even
from analysis.value.change import Moves, ValueChange, change, moves
from analysis.value.costly_groups import CostlyGroup, costly_groups
from analysis.value.investment import Investment, investment
from analysis.value.model_facts import ContractKind, Modelling, contracts, modelling, refused_models
from analysis.value.portfolio import Portfolio, portfolio
from analysis.value.results import ValueStudy
from analysis.value.settings import ValueSettings, settings_of
from analysis.value.traced_cost import traced_last_year


@dataclass(frozen=True, kw_only=True, eq=False)
class Learnt(Summarised):
    """What was known of the customers and what the models learnt of it; purchases and renewals need no margin.

    ``months`` and ``rate`` are the horizon and the yearly discount rate; ``types`` the order types that are purchases.
    """

    choice: purchase_models.Choice
    state: customer_table.State
    parameters: customer_table.Parameters
    types: tuple[str, ...]
    months: int
    rate: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Priced(Learnt):
    """Customers priced: with the table on the engine that holds what each of them is expected to bring."""

    table: str


@asked(section="value")
def study(inputs: StudyInputs, *, settings: ValueSettings | None = None) -> ValueStudy:
    """Value of the customers of one company at the end of one month.

    Parameters
    ----------
    inputs : StudyInputs
        One month of one company: ``run.inputs``.
    settings : ValueSettings, optional
        How value is counted; those of the run where left out.

    Returns
    -------
    ValueStudy

    Examples
    --------
    >>> from analysis import value
    >>> result = value.study(run.inputs)  # run = open_run("sample", section="value")
    >>> str(result.month)
    '2026-10'
    """
    from analysis.value.effects import service_effects
    from analysis.value.scenarios import what_ifs

    settings = settings or settings_of(inputs)
    available = customer_table.Available.of(inputs)
    parts = Parts(section="value")
    known = parts.do("models", learn, inputs, settings, available)
    found = parts.do("prices", price, inputs, settings, available, known)
    months = known.months if isinstance(known, Learnt) else settings.horizon_months
    year = service_of_year(inputs)
    whole = parts.do("portfolio", _portfolio, inputs, settings, found)
    base = parts.do("base", _base, inputs, settings, found, whole)
    effects = parts.do(
        "effects",
        service_effects,
        inputs,
        # without customers to value the effects are still stated, without money; without orders nothing is
        base if isinstance(base, ValueBase) or base.needs else None,
    )
    models = refused_models(inputs, known.parameters) if isinstance(known, Learnt) else {}
    moved = parts.do("moves", _moves, inputs, settings, available, found, whole)
    made = ValueStudy(
        month=inputs.month,
        settings=settings,
        available=available,
        rate=Stating(inputs=inputs).assumed("value_discount_rate"),
        horizon=horizon_of(inputs, settings, months),
        service_year=year,
        service_traced=_service_traced(inputs, found),
        base=base,
        modelling=parts.do("modelling", _modelling, inputs, settings, known),
        contracts=parts.do("contracts", _contracts, inputs, known),
        portfolio=whole,
        change=parts.do("change", _change, inputs, moved, whole),
        acquisition=parts.do("acquisition", _acquisition, inputs, settings, found),
        investment=parts.do("investment", _investment, inputs, settings, found),
        costly_groups=parts.do("costly_groups", _costly_groups, inputs, settings, known),
        break_even=parts.do("break_even", break_even, inputs, whole, year, months),
        effects=effects,
        what_ifs=parts.do("what_ifs", what_ifs, inputs, base, effects),
    )
    return replace(
        made,
        findings=tuple(by_severity(findings.findings(made, materiality(inputs)))),
        checks=(*findings.checks(made), *findings.not_tested(parts, models)),
    )


# -- the base --------------------------------------------------------------------------------------------------------------


@traced
def learn(inputs: StudyInputs, settings: ValueSettings, available: customer_table.Available) -> Learnt:
    """Choose the models and fit them to what is known at the end of the month.

    Raises
    ------
    MissingData
        There are no orders.
    FitError
        There is too little history for a model of purchases.
    """
    inputs.engine.require("orders.ordered_at", "orders.revenue")
    rate = float(inputs.assumptions.value("discount_rate_annual", on=inputs.month.last_day))
    types = customer_table.purchase_types(settings, available)
    choice = purchase_models.chosen(inputs, settings, types)
    months = purchase_models.horizon_of(choice, settings)
    state = customer_table.state_at(inputs, settings, available, inputs.month.end)
    parameters = customer_table.parameters_at(inputs, settings, available, state, choice)
    return Learnt(choice=choice, state=state, parameters=parameters, types=types, months=months, rate=rate)


@traced
def price(
    inputs: StudyInputs, settings: ValueSettings, available: customer_table.Available, known: Learnt
) -> Priced:
    """Price every customer with what the models learnt.

    Raises
    ------
    MissingData
        There is no margin although the basis is one: choose the basis revenue instead.
    """
    customer_table.require_margin(settings, available, known.parameters)
    table = customer_table.priced(
        inputs,
        settings,
        known.state,
        known.parameters,
        name="value_base",
        months=known.months,
        rate=known.rate,
        derivatives=True,
    )
    parts = {part.name: getattr(known, part.name) for part in fields(known)}
    return Priced(table=table, **parts)


@traced
def value_base(
    inputs: StudyInputs, settings: ValueSettings, found: Priced, total: Fact, customers: int
) -> ValueBase:
    """The seam to the effects of service; ``total`` is the value of all ``customers``."""
    return ValueBase(
        month=inputs.month,
        table=found.table,
        total=total,
        relative_error=_relative_error(inputs, total),
        customers=customers,
        horizon_months=found.months,
        discount_rate=found.rate,
        basis=settings.basis,
        has_service=found.state.service is not None,
    )


def _relative_error(inputs: StudyInputs, total: Fact) -> float:
    from scipy.stats import norm

    if total.interval is None or not total.value:
        return 0.0
    reach = (total.interval.high - total.interval.low) / 2
    return float(reach / norm.ppf(0.5 + inputs.confidence / 2) / abs(float(total.value)))


# -- what stands on it: a part gets what it needs, and no more follows from it -------------------------------------------


def _base(inputs: StudyInputs, settings: ValueSettings, found: Priced, whole: Portfolio) -> ValueBase:
    return value_base(inputs, settings, found, whole.total, int(whole.customers.value or 0))


def _portfolio(inputs: StudyInputs, settings: ValueSettings, found: Priced) -> Portfolio:
    return portfolio(
        inputs,
        settings,
        found.state,
        found.parameters,
        found.table,
        months=found.months,
        rate=found.rate,
        types=found.types,
    )


def _modelling(inputs: StudyInputs, settings: ValueSettings, found: Learnt) -> Modelling:
    return modelling(inputs, settings, found.choice, found.state, found.parameters, found.types)


def _contracts(inputs: StudyInputs, found: Learnt) -> tuple[ContractKind, ...]:
    if found.parameters.renewing is None:
        inputs.engine.require("contracts.starts_on", "contracts.ends_on", "contracts.amount")
        raise NothingToCount("contracts.starts_on")
    return contracts(inputs, found.parameters.renewing, found.state)


def _moves(
    inputs: StudyInputs,
    settings: ValueSettings,
    available: customer_table.Available,
    found: Priced,
    whole: Portfolio,
) -> Moves:
    return moves(
        inputs,
        settings,
        available,
        found.choice,
        found.state,
        found.parameters,
        months=found.months,
        after=Decimal(whole.total.value or 0),
    )


def _change(inputs: StudyInputs, found: Moves, whole: Portfolio) -> ValueChange:
    return change(inputs, found, whole.total)


def _acquisition(
    inputs: StudyInputs, settings: ValueSettings, found: Priced
) -> tuple[AcquisitionChannel, ...]:
    return acquisition(
        inputs, settings, found.state, found.parameters, found.table, months=found.months, rate=found.rate
    )


def _costly_groups(inputs: StudyInputs, settings: ValueSettings, found: Learnt) -> tuple[CostlyGroup, ...]:
    return costly_groups(inputs, settings, found.state)


def _investment(inputs: StudyInputs, settings: ValueSettings, found: Priced) -> Investment:
    return investment(
        inputs, settings, found.state, found.parameters, found.table, months=found.months, rate=found.rate
    )


# -- after-sales against it ------------------------------------------------------------------------------------------------


def service_of_year(inputs: StudyInputs) -> Fact:
    """After-sales cost of the last twelve months, all of it: what the worth of the base is read against; of a younger ledger unknown, its months are no year."""
    return inputs.fact("after_sales_cost", period=Period(inputs.month - 11, inputs.month))


def _service_traced(inputs: StudyInputs, found: Priced | NotDone) -> Fact | NotDone:
    """What of it carries the ticket of a customer; a basis without service cost asks for none."""
    if isinstance(found, NotDone) or found.state.service is None:
        return NotDone(reason=Text.of("no service cost is counted"))
    return traced_last_year(inputs, found.state)
