"""From arrays to canonical tables: service orders, parts and claims."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from analysis.sample import columns, company, money
from analysis.sample.company import (
    COMPLAINT,
    COMPONENTS,
    INQUIRY,
    MAINTENANCE,
    NO_FAULT_FOUND,
    REPAIR,
    TEAMS,
    TICKET_TYPES,
)
from analysis.sample.customers import Customers
from analysis.sample.names import COMPLAINING, NO_SYMPTOM, OTHER_WORDS, ticket_texts
from analysis.sample.service import Orders, recorded
from analysis.sample.streams import Flags, Floats, Ints, pick
from analysis.sample.tables import PRODUCT_IDS, hours_of_use
from analysis.sample.timeline import Timeline
from analysis.sample.work import BOT, Desk

PRIORITIES: tuple[str, ...] = ("P1", "P2", "P3", "P4")
RESPONSE_TARGET_HOURS = (4.0, 8.0, 24.0, 48.0)
RESOLUTION_TARGET_HOURS = (48.0, 96.0, 168.0, 240.0)
SEVERITIES: tuple[str, ...] = ("critical", "major", "minor")
REPAIR_SEVERITY, OTHER_SEVERITY = (0.15, 0.45, 0.40), (0.05, 0.30, 0.65)
STATUSES: tuple[str, ...] = ("open", "pending", "resolved", "closed")
CONTACT_CHANNEL_SHARE = (0.42, 0.26, 0.16, 0.10, 0.06)
ACTIVITIES: tuple[str, ...] = (  # by ticket type
    "on-site repair",
    "complaint handling",
    "return handling",
    "exchange",
    "answering",
    "installation",
    "maintenance visit",
    "other service",
)
REOPENED_SHARE = 0.04
FAILURE_DAY_KNOWN, CONFIRMATION_KNOWN, INQUIRY_NAMES_MACHINE, USAGE_KNOWN = 0.85, 0.90, 0.45, 0.70
FAULTS: tuple[str, ...] = (*(entry.fault_code for entry in COMPONENTS), NO_FAULT_FOUND)


def contact_channel(orders: Orders) -> Ints:
    return pick(orders.mark("contact channel"), CONTACT_CHANNEL_SHARE)


def reopened_times(timeline: Timeline, orders: Orders) -> Floats:
    """First re-opening: four in a hundred resolved orders, one to six days later, where the window still sees it."""
    time = orders.resolved + 1 + 5 * orders.mark("reopened after")
    return np.where((orders.mark("reopened") < REOPENED_SHARE) & (time < timeline.end), time, np.nan)


def _times(desk: Desk) -> tuple[Floats, Floats, Floats]:
    """Response, resolution and closing; not-a-number where the window ends first. The bot answers within minutes."""
    orders, end = desk.orders, desk.timeline.end
    bot = desk.work.team == BOT
    response = np.where(bot, orders.opened + 0.0007, orders.response)
    resolved = np.where(bot, orders.opened + 0.004, orders.resolved)
    closed = resolved + 0.5 + 5 * orders.mark("closed after")
    shown = [np.where(time < end, time, np.nan) for time in (response, resolved, closed)]
    return shown[0], shown[1], shown[2]


def _fault(desk: Desk, done: Flags) -> Ints:
    """Position in FAULTS, -1 for anything but a repair and for a repair not yet done."""
    orders = desk.orders
    found = np.where(orders.component >= 0, orders.component, len(COMPONENTS))
    return np.where((orders.kind == REPAIR) & done, found, -1)


def _symptom(orders: Orders) -> Ints:
    found = np.where(orders.component >= 0, orders.component, NO_SYMPTOM)
    return np.select([orders.kind == REPAIR, orders.kind == COMPLAINT], [found, COMPLAINING], OTHER_WORDS)


def tickets_table(
    desk: Desk, customers: Customers, ids: pa.Array, serials: pa.Array, customer_ids: pa.Array
) -> pa.Table:
    """One row a service order. Diagnosis and hours appear when the work is done."""
    orders, units, work, timeline = desk.orders, desk.units, desk.work, desk.timeline
    response, resolved, closed = _times(desk)
    done = ~np.isnan(resolved)
    repair = orders.kind == REPAIR
    bot = work.team == BOT
    severity_mark = orders.mark("severity")
    severity = np.where(repair, pick(severity_mark, REPAIR_SEVERITY), pick(severity_mark, OTHER_SEVERITY))
    priority = np.minimum(severity + (orders.tier != 0), 3)
    contacts = 1 + np.floor(-0.75 * np.log1p(-orders.mark("contacts"))).astype(np.int64) + orders.rework
    reopened = reopened_times(timeline, orders)
    named = (orders.kind != INQUIRY) | (orders.mark("names machine") < INQUIRY_NAMES_MACHINE)
    confirmed = repair & (orders.component >= 0) & ~orders.rework
    confirmation = repair & done & (orders.rework | (orders.mark("confirmation known") < CONFIRMATION_KNOWN))
    failed = np.where(orders.mark("failure day known") < FAILURE_DAY_KNOWN, orders.failed, np.nan)
    status = np.select([~np.isnan(closed), done, ~np.isnan(response)], [3, 2, 1], 0)
    texts = ticket_texts(
        orders.mark("text"), orders.mark("greeting"), _symptom(orders), customers.english[orders.customer]
    )

    def instant(time: Floats) -> pa.Array:
        return columns.time_column(timeline.timestamps(time))

    return columns.table(
        {
            "ticket_id": ids,
            "customer_id": columns.take(customer_ids, orders.customer),
            "serial_no": columns.take(serials, orders.unit, named),
            "product_id": columns.words(PRODUCT_IDS, units.product[orders.unit]),
            "ticket_type": columns.words(TICKET_TYPES, orders.kind),
            "opened_at": instant(orders.opened),
            "first_response_at": instant(response),
            "resolved_at": instant(resolved),
            "closed_at": instant(closed),
            "contacts": columns.counts(contacts),
            "reopened": columns.counts((~np.isnan(reopened)).astype(np.int64)),
            "resolved": columns.flags(np.ones(orders.size, dtype=bool), done),
            "automated": columns.flags(bot),
            "severity": columns.words(SEVERITIES, severity),
            "fault_code": columns.words(FAULTS, _fault(desk, done)),
            "component": columns.words(
                [entry.component for entry in COMPONENTS], np.where(done, orders.component, -1)
            ),
            "in_warranty": columns.flags(desk.covered),
            "region": columns.words(company.REGIONS, orders.region),
            "channel": columns.words(company.CONTACT_CHANNELS, contact_channel(orders)),
            "team": columns.words(
                [*(team.team for team in TEAMS), "Self Service"], np.where(bot, len(TEAMS), work.team)
            ),
            "agent_id": columns.labels("A-", np.maximum(work.agent, 0), 5, work.agent >= 0),
            "handling_hours": columns.numbers(work.hours, 2, done),
            "status": columns.words(STATUSES, status),
            "failed_on": columns.date_column(timeline.dates(failed)),
            "confirmed_failure": columns.flags(confirmed, confirmation),
            "rework": columns.flags(orders.rework),
            "parent_ticket_id": columns.take(ids, orders.parent),
            "reopened_at": instant(reopened),
            "priority": columns.words(PRIORITIES, priority),
            "response_due_at": instant(orders.opened + np.asarray(RESPONSE_TARGET_HOURS)[priority] / 24),
            "resolution_due_at": instant(orders.opened + np.asarray(RESOLUTION_TARGET_HOURS)[priority] / 24),
            "proactive": columns.flags((orders.kind == MAINTENANCE) & (orders.mark("proactive") < 0.6)),
            "activity": columns.words(ACTIVITIES, orders.kind),
            "usage": columns.numbers(
                hours_of_use(units, orders.unit, orders.opened),
                0,
                repair & (orders.mark("usage known") < USAGE_KNOWN),
            ),
            "text": texts,
            "recorded_at": instant(recorded(orders)),
        }
    )


def parts_table(used: money.Parts, ticket_ids: pa.Array) -> pa.Table:
    return columns.table(
        {
            "ticket_id": columns.take(ticket_ids, used.order),
            "part_no": columns.words(money.PART_NUMBERS, used.part),
            "quantity": columns.numbers(used.quantity),
            "unit_price": columns.money(used.price),
            "supplier": columns.words(company.SUPPLIERS, used.supplier),
        }
    )


def claims_table(timeline: Timeline, asked: money.Claims, ticket_ids: pa.Array) -> pa.Table:
    size = asked.order.size
    decided = ~np.isnan(asked.decided)
    return columns.table(
        {
            "claim_id": columns.labels("W-", np.arange(1, size + 1), 6),
            "ticket_id": columns.take(ticket_ids, asked.order),
            "claimed_on": columns.date_column(timeline.dates(asked.claimed)),
            "decided_on": columns.date_column(timeline.dates(asked.decided)),
            "amount": columns.money(asked.amount),
            "approved": columns.money(asked.approved, decided),
            "recovered": columns.money(asked.recovered, decided),
            "currency": columns.constant(company.CURRENCY, size),
        }
    )
