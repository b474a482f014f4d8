"""What groups of customers cost to serve and bring, as the books of the last twelve months have it."""

from __future__ import annotations

from analysis.exhibits.record import Block
from analysis.exhibits.specification import count, interval, metric, registry, table_of, words
from analysis.exhibits.value_shared import absent, source
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.results import Sentence
from analysis.value.costly_groups import CostlyGroup
from analysis.value.results import ValueStudy

SHOWN = 20


def costly_groups_table(study: ValueStudy) -> Block:
    """Groups with customers enough, those whose service costs more than their margin first."""
    part = study.costly_groups
    if isinstance(part, NotDone):
        return absent("costly_groups", part, "Groups that cost more than they bring")
    return table_of(
        "value.costly_groups",
        title=Sentence("Service cost and margin of each group of customers, last twelve months"),
        subtitle=Sentence(
            "The first {shown} of {number} groups by service cost beyond the margin, all customers of the year among them; below zero margin is left. Values as held at the end of {month}; groups of different attributes hold the same customers",
            {"shown": str(min(SHOWN, len(part))), "number": str(len(part)), "month": study.month},
        ),
        columns=[
            words(_attribute, registry().dimension_name("attribute"), key="attribute"),
            words(_held, registry().dimension_name("held"), key="held"),
            count("group_cost_beyond_margin", of="shortfall", head="Customers"),
            metric("service_cost_traced", of="cost", head="Service cost, 12 months"),
            metric("group_margin", of="margin", head="Margin, 12 months"),
            metric("group_cost_beyond_margin", of="shortfall", signed=True),
            interval("group_cost_beyond_margin", of="shortfall", key="shortfall_interval"),
        ],
        rows=part[:SHOWN],
        by=("attribute", "held"),
        note=source(study),
    )


def _attribute(one: CostlyGroup) -> Text:
    return registry().dimension_name(one.attribute)


def _held(one: CostlyGroup) -> Text:
    return registry().value_label(one.attribute, one.held)
