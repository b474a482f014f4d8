"""Exhibits of what moved beside the others: surges of service orders, yearly rates, money per case, and steps of it by shop."""

from __future__ import annotations

from analysis.costs.case_amounts_facts import DearUnit
from analysis.costs.cost_study import CostStudy
from analysis.costs.demand_facts import Surge
from analysis.costs.shop_shifts_facts import ShopShift
from analysis.costs.yearly_facts import YearLine
from analysis.exhibits.record import Block
from analysis.exhibits.specification import change, count, estimate, metric, registry, table_of, words
from analysis.exhibits.statements import callout, not_computed
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.results import Sentence

_GROUP, _KIND = "Group", "Kind of service order"


def _kind(line: Surge | YearLine | ShopShift) -> Text:
    return registry().value_label("ticket_type", line.kind)


def demand_table(study: CostStudy) -> Block:
    """Every run of months in which a group asked for more of a kind than the others, the strongest first."""
    found = study.demand
    if isinstance(found, NotDone):
        return not_computed(found, id="costs.demand", what=Text.of("What was asked for more often"))
    if not found.surges:
        return callout(
            "costs.demand",
            tone="info",
            title=Sentence(
                "No surge: in no run of months did a group ask for more than the others, beyond chance"
            ),
            body=Sentence(
                "{groups} kinds and groups in {runs} runs of months were held against all others.",
                {"groups": found.groups, "runs": found.runs},
            ),
        )
    return table_of(
        "costs.demand",
        title=Sentence("Service orders that came more often than the other groups of the same months saw"),
        subtitle=Sentence(
            "Each run of months against what was usual for the group and against all others; a false alarm in one of a hundred reports over all {groups} kinds and groups in {runs} runs of months; intervals in brackets",
            {"groups": found.groups, "runs": found.runs},
        ),
        columns=[
            words("name", _GROUP, wide=True),
            words(_kind, _KIND, key="kind"),
            words("period.first", "First month", key="first"),
            words("period.last", "Last month", key="last"),
            metric("service_order_count", of="tickets", head="Tickets"),
            estimate("demand_ratio", of="ratio", head="Times as often", places=1),
            estimate("demand_extra_orders", of="extra", head="Extra"),
            estimate("demand_extra_cost", of="cost", head="Their cost"),
        ],
        rows=found.surges,
        note=Sentence(
            "Extra service orders at the average cost of a ticket; what one more costs can be less. Source: tickets, and their base: units in the field, contracts or orders."
        ),
    )


def yearly_table(study: CostStudy) -> Block:
    """Every yearly rate that moved beyond chance and beside the others, the surest first."""
    found = study.yearly
    if isinstance(found, NotDone):
        return not_computed(found, id="costs.yearly", what=Text.of("Rates of whole years"))
    if not found.lines:
        return callout(
            "costs.yearly",
            tone="info",
            title=Sentence("No group's yearly rate moved apart from the others, beyond chance"),
            body=Sentence(
                "{tested} pairs of years were held against each other and against all other groups.",
                {"tested": found.tested},
            ),
        )
    return table_of(
        "costs.yearly",
        title=Sentence("Yearly rates that moved, and not with the others"),
        subtitle=Sentence(
            "Service orders on their base over the twelve months to {month} against an earlier twelve; named only where the rate moved and moved beside the others, with a false alarm in one of a hundred reports over all {tested} pairs; intervals in brackets",
            {"tested": found.tested, "month": study.month},
        ),
        columns=[
            words("name", _GROUP, wide=True),
            words(_kind, _KIND, key="kind"),
            words("before.last", "Earlier year to", key="earlier"),
            metric("service_order_count", of="tickets_before", head="Tickets then", key="tickets_before"),
            metric("service_order_count", of="tickets", head="Tickets now"),
            estimate("yearly_ratio", of="ratio", head="Rate, times the earlier", places=2),
            metric("yearly_ratio_beside", of="beside", head="Beside the others", places=2),
            change("yearly_events", of="events", head="More or fewer", better=None),
            change("yearly_events_cost", of="cost", head="Their cost", better=None),
        ],
        rows=found.lines,
        note=Sentence(
            "What a surge brought is taken out of the comparison, not out of the tickets counted. Source: tickets, and their base: units in the field, contracts or orders."
        ),
    )


def case_amounts_table(study: CostStudy) -> Block:
    """Shops and teams whose money per case lies above the others'."""
    found = study.case_amounts
    if isinstance(found, NotDone):
        return not_computed(
            found, id="costs.case_amounts", what=Text.of("Money per case by shop and team"), told=False
        )
    if not found.units:
        return callout(
            "costs.case_amounts",
            tone="info",
            title=Sentence("No shop or team spends more per case than the others, beyond chance"),
            body=Sentence("{tested} comparisons were made.", {"tested": found.tested}),
        )
    return table_of(
        "costs.case_amounts",
        title=Sentence("Dearer per case than the others, beyond chance"),
        subtitle=Sentence(
            "The twelve months to {month}; a shop against the median of the others with product lines held equal, a team against all others together with kind, product line and shop held equal; a false alarm in one of a hundred reports over all {tested} comparisons; intervals in brackets",
            {"tested": found.tested, "month": study.month},
        ),
        columns=[
            words("name", "Shop or team", wide=True),
            words("what", "Money for"),
            words(_case, "Cases", key="case"),
            count("case_amount_ratio", of="ratio", head="Their number"),
            metric("case_amount", of="amount"),
            estimate("case_amount_ratio", of="ratio", head="Times the others'", places=2),
            estimate("case_amount_excess", of="excess", head="Beyond theirs"),
        ],
        rows=found.units,
        note=Sentence("Source: tickets, claims and the after-sales ledger."),
    )


def shop_shifts_table(study: CostStudy) -> Block:
    """Shops and platforms whose amount granted per case stepped from a month on."""
    found = study.shop_shifts
    if isinstance(found, NotDone):
        return not_computed(
            found, id="costs.shop_shifts", what=Text.of("Steps in amounts per case by shop"), told=False
        )
    if not found.shifts:
        return callout(
            "costs.shop_shifts",
            tone="info",
            title=Sentence("No shop's amount per case stepped apart from the others, beyond chance"),
            body=Sentence(
                "{tested} kinds, shops and months were tried against all other shops.",
                {"tested": found.tested},
            ),
        )
    return table_of(
        "costs.shop_shifts",
        title=Sentence("Amounts per case that stepped at one shop and not at the others"),
        subtitle=Sentence(
            "What was granted in a case since a month over what was granted before, beside all other shops; product lines held equal; a false alarm in one of a hundred reports over all {tested} kinds, shops and months; intervals in brackets",
            {"tested": found.tested},
        ),
        columns=[
            words("name", "Shop or platform", wide=True),
            words(_kind, _KIND, key="kind"),
            words("period.first", "Since", key="first"),
            metric("shop_shift_cases", of="cases", head="Cases since"),
            estimate("shop_shift_ratio", of="ratio", head="Times the amount before", places=2),
            estimate("shop_shift_excess", of="excess", head="Beyond it"),
        ],
        rows=found.shifts,
        note=Sentence("Source: tickets and claims."),
    )


def _case(unit: DearUnit) -> Text:
    """The kind of service order that the money follows; of a team, the cases in which it granted something."""
    kind = unit.place.get("ticket_type")
    return registry().value_label("ticket_type", kind) if kind else Text.of("in which something was granted")
