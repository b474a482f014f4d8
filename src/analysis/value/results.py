"""What the value study returns."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.periods import Month
from analysis.results import Check, Fact, Finding
from analysis.summaries import Summarised
from analysis.value.acquisition import AcquisitionChannel
from analysis.value.base import ValueBase
from analysis.value.change import ValueChange
from analysis.value.costly_groups import CostlyGroup
from analysis.value.customer_table import Available
from analysis.value.effect_results import ServiceEffects
from analysis.value.investment import Investment
from analysis.value.model_facts import ContractKind, Modelling
from analysis.value.portfolio import Portfolio
from analysis.value.scenarios import WhatIfs
from analysis.value.settings import ValueSettings


@dataclass(frozen=True, kw_only=True, eq=False)
class ServiceBreakEven(Summarised):
    """After-sales over the horizon against the margin expected of today's customers: gross, and what of it nobody else pays for.

    ``level``, ``cost``, ``margin``, ``share`` : gross cost of a year and over the horizon, all expected margin, and the one of the other.
    ``revenue``, ``net`` : what the ``payers`` pay at today's level, and the rest. ``duty`` : warranty owed for machines already sold, which
    would have to be served all the same. ``avoidable``, ``net_share`` : the rest without it, and its share of the margin of purchases, as the margin of
    contracts is within the revenue already. A number that the data do not give says why.
    """

    level: Fact
    cost: Fact
    margin: Fact
    share: Fact
    revenue: Fact
    net: Fact
    duty: Fact
    avoidable: Fact
    net_share: Fact
    payers: Text

    @property
    def no_duty(self) -> bool:
        """Whether no warranty is owed at all, so that nothing of the cost has to be borne for it."""
        limits = self.duty.interval
        return self.duty.value is not None and not self.duty.value and not (limits and limits.high > 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class ValueStudy(Summarised):
    """What the notebook shows. A part that could not be made says why.

    Attributes
    ----------
    month, settings, available : the report month; how value is counted; which data there are.
    base : customers and their value, the seam to the effects of service.
    modelling, contracts, portfolio, change : the models, kinds of contracts, the value by slice, and why it changed.
    acquisition, investment : what a customer cost to win, and what may be spent on one.
    costly_groups : groups of customers, those whose service costs more than their margin first.
    rate, horizon : discount rate and horizon, as facts.
    service_year, service_traced, break_even : what service costs, and where it pays.
    effects, what_ifs : effects of service experience, and scenarios.
    findings, checks : what stands out, what is to be doubted.

    Examples
    --------
    >>> from analysis import value
    >>> result = value.study(run.inputs)  # run = open_run("sample", section="value")
    >>> result.rate.unit, result.horizon.unit
    ('share', 'months')
    """

    month: Month
    settings: ValueSettings
    available: Available
    base: ValueBase | NotDone
    modelling: Modelling | NotDone
    contracts: tuple[ContractKind, ...] | NotDone
    portfolio: Portfolio | NotDone
    change: ValueChange | NotDone
    acquisition: tuple[AcquisitionChannel, ...] | NotDone
    investment: Investment | NotDone
    costly_groups: tuple[CostlyGroup, ...] | NotDone
    rate: Fact
    horizon: Fact
    service_year: Fact
    service_traced: Fact | NotDone
    break_even: ServiceBreakEven | NotDone
    effects: ServiceEffects | NotDone
    what_ifs: WhatIfs | NotDone
    findings: tuple[Finding, ...] = ()
    checks: tuple[Check, ...] = ()
