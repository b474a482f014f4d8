"""From arrays to the canonical tables: identifiers, types, nulls."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from analysis.sample import columns, company, money
from analysis.sample.accounts import POOLS
from analysis.sample.company import (
    COMPONENTS,
    NO_FAULT_FOUND,
    PRODUCT_LINES,
    PRODUCTS,
    REPAIR,
    TEAMS,
    TICKET_TYPES,
)
from analysis.sample.customers import Customers
from analysis.sample.holidays import departures
from analysis.sample.installed_base import Units
from analysis.sample.loyalty import REASONS, UNAVOIDABLE, Loyalty
from analysis.sample.names import ticket_texts
from analysis.sample.service import (
    COMPLAINT,
    M_CHANNEL,
    M_CONFIRMED_KNOWN,
    M_CONTACTS,
    M_FAILED_KNOWN,
    M_OPENING,
    M_PROACTIVE,
    M_REOPEN,
    M_SEVERITY,
    M_TEXT,
    M_USAGE,
    Orders,
    recorded,
)  # fmt: skip
from analysis.sample.streams import Flags, Floats, Ints, Streams, pick
from analysis.sample.timeline import Timeline
from analysis.sample.work import Staff, Work

PRIORITIES: tuple[str, ...] = ("P1", "P2", "P3", "P4")
RESPONSE_TARGET_HOURS = (4.0, 8.0, 24.0, 48.0)
RESOLUTION_TARGET_HOURS = (48.0, 96.0, 168.0, 240.0)
SEVERITIES: tuple[str, ...] = ("critical", "major", "minor")
STATUSES: tuple[str, ...] = ("open", "pending", "resolved", "closed")
ACTIVITIES: tuple[str, ...] = (
    "on-site repair", "complaint handling", "return handling", "exchange", "answering", "installation", "maintenance visit", "other service",
)  # fmt: skip


def customers_table(
    streams: Streams, timeline: Timeline, customers: Customers, ids: pa.Array, loyalty: Loyalty
) -> pa.Table:
    everyone = np.arange(customers.size)
    tier = customers.tier_at(everyone, np.full(customers.size, float(timeline.end)))
    lost = np.isfinite(loyalty.churned)
    late = streams.uniform("customers/recorded", (customers.size, 2))
    known = customers.acquired + np.where(late[:, 0] < 0.02, 1 + 25 * late[:, 1], 0.003)
    return columns.table(
        {
            "customer_id": ids,
            "customer_name": customers.names,
            "customer_type": columns.words(("b2c", "b2b"), customers.business.astype(np.int64)),
            "segment": columns.words(company.TIERS, tier),
            "region": columns.words(company.REGIONS, customers.region),
            "channel": columns.words(company.CHANNELS, customers.channel),
            "acquired_on": columns.date_column(timeline.dates(customers.acquired)),
            "churned_on": columns.date_column(timeline.dates(np.where(lost, loyalty.churned, np.nan))),
            "churn_reason": columns.words(REASONS, np.where(lost, loyalty.reason, -1)),
            "churn_avoidable": columns.flags(~np.isin(loyalty.reason, UNAVOIDABLE), lost),
            "recorded_at": columns.time_column(timeline.timestamps(known)),
        }
    )


def customer_history_table(
    streams: Streams, timeline: Timeline, customers: Customers, ids: pa.Array
) -> pa.Table:
    """Segment and region from the first day on and after each change; technical support for business customers who have it."""
    everyone = np.arange(customers.size)
    changed = np.flatnonzero(~np.isnan(customers.tier_changed))
    moved = np.flatnonzero(~np.isnan(customers.moved))
    support = np.flatnonzero(customers.business)
    start = np.where(np.isnan(customers.moved), customers.region, customers.region_before)
    has_support = (streams.uniform("customers/support", customers.size) < 0.45).astype(np.int64)
    day = np.floor(customers.acquired)
    tiers, regions = list(company.TIERS), list(company.REGIONS)
    customer = np.concatenate([everyone, changed, everyone, moved, support])
    attribute = np.repeat(
        np.arange(3), [everyone.size + changed.size, everyone.size + moved.size, support.size]
    )
    value = np.concatenate(
        [
            customers.first_tier,
            customers.later_tier[changed],
            3 + start,
            3 + customers.region[moved],
            8 + has_support[support],
        ]
    )
    valid = np.concatenate(
        [day, customers.tier_changed[changed], day, np.floor(customers.moved[moved]), day[support]]
    )
    order = np.lexsort((valid, attribute, customer))
    return columns.table(
        {
            "customer_id": columns.take(ids, customer[order]),
            "attribute": columns.words(("segment", "region", "tech_support"), attribute[order]),
            "valid_from": columns.date_column(timeline.dates(valid[order])),
            "value": columns.words([*tiers, *regions, "no", "yes"], value[order]),
        }
    )


def products_table() -> pa.Table:
    return columns.table(
        {
            "product_id": pa.array([entry.product_id for entry in PRODUCTS]),
            "product_line": pa.array([entry.product_line for entry in PRODUCTS]),
            "model": pa.array([entry.model for entry in PRODUCTS]),
            "category": pa.array([entry.category for entry in PRODUCTS]),
            "launched_on": columns.date_column(
                np.array([entry.launched_on for entry in PRODUCTS], dtype="datetime64[D]")
            ),
            "unit_cost": columns.money(np.array([entry.unit_cost * 100 for entry in PRODUCTS])),
            "list_price": columns.money(np.array([entry.list_price * 100 for entry in PRODUCTS])),
            "warranty_months": columns.counts(np.array([entry.warranty_months for entry in PRODUCTS])),
        }
    )


def batch_labels(timeline: Timeline, product: Ints, month: Ints, plant: Ints) -> pa.Array:
    """C200-2507S: model, production month, plant."""
    months = [f"{m.year % 100:02d}{m.number:02d}" for m in timeline.months]
    earlier = [
        f"{m.year % 100:02d}{m.number:02d}"
        for m in (timeline.months[0] - 3, timeline.months[0] - 2, timeline.months[0] - 1)
    ]
    return columns.join(
        columns.words([entry.model for entry in PRODUCTS], product),
        "-",
        columns.words([*earlier, *months], month + 3),
        columns.words(company.PLANT_LETTERS, plant),
    )


def production_month(timeline: Timeline, produced: Floats) -> Ints:
    """Position of the production month on the month axis; up to three months before it are negative."""
    days = timeline.dates(produced)
    return (days.astype("datetime64[M]") - timeline.origin.astype("datetime64[M]")).astype(np.int64)


def units_table(timeline: Timeline, units: Units, serials: pa.Array, customer_ids: pa.Array) -> pa.Table:
    used_until = np.minimum(units.retired, timeline.end)
    hours = np.round(np.maximum(used_until - units.in_service, 0) * (4 + 10 * units.marks[:, 0]))
    metered = units.marks[:, 1] < 0.8
    retired = np.where(units.retired < timeline.end, units.retired, np.nan)
    return columns.table(
        {
            "serial_no": serials,
            "product_id": columns.words([entry.product_id for entry in PRODUCTS], units.product),
            "customer_id": columns.take(customer_ids, units.customer),
            "batch": batch_labels(
                timeline, units.product, production_month(timeline, units.produced), units.plant
            ),
            "supplier": columns.words(company.SUPPLIERS, units.supplier),
            "plant": columns.words(company.PLANTS, units.plant),
            "produced_on": columns.date_column(timeline.dates(units.produced)),
            "shipped_on": columns.date_column(timeline.dates(units.shipped)),
            "in_service_on": columns.date_column(
                timeline.dates(np.where(units.service_recorded, units.in_service, np.nan))
            ),
            "retired_on": columns.date_column(timeline.dates(retired)),
            "usage": columns.numbers(hours, 0, metered),
            "usage_as_of": columns.date_column(timeline.dates(np.where(metered, used_until - 1, np.nan))),
            "warranty_end": columns.date_column(timeline.dates(money.warranty_end(timeline, units))),
            "region": columns.words(company.REGIONS, units.region),
        }
    )


def reopened_times(timeline: Timeline, orders: Orders) -> Floats:
    """First re-opening: four in a hundred resolved orders, one to six days later, where the window still sees it."""
    mark = orders.marks[:, M_REOPEN]
    time = orders.resolved + 1 + mark * 120
    return np.where((mark < 0.04) & (time < timeline.end), time, np.nan)


def tickets_table(
    streams: Streams, timeline: Timeline, customers: Customers, units: Units, orders: Orders, work: Work, covered: Flags,
    ids: pa.Array, serials: pa.Array, customer_ids: pa.Array,
) -> pa.Table:  # fmt: skip
    marks, size = orders.marks, orders.size
    done = orders.resolved < timeline.end
    answered = orders.response < timeline.end
    bot = work.team < 0
    response = np.where(bot, orders.opened + 0.0007, orders.response)
    resolved = np.where(bot, orders.opened + 0.004, orders.resolved)
    done, answered = done | (bot & (resolved < timeline.end)), answered | (bot & (response < timeline.end))
    closed = resolved + 0.5 + 5 * marks[:, M_CONTACTS]
    repair = orders.kind == REPAIR
    nff = repair & (orders.component < 0)
    severity = np.where(
        repair, pick(marks[:, M_SEVERITY], (0.15, 0.45, 0.40)), pick(marks[:, M_SEVERITY], (0.05, 0.30, 0.65))
    )
    priority = np.clip(severity + np.where(orders.tier == 0, 0, 1), 0, 3)
    contacts = 1 + np.floor(-0.75 * np.log1p(-marks[:, M_CONTACTS])).astype(np.int64) + (orders.parent >= 0)
    reopened_at = reopened_times(timeline, orders)
    # an inquiry often names no machine; an order of a machine names it
    named = (orders.unit >= 0) & ((orders.kind != company.INQUIRY) | (marks[:, M_FAILED_KNOWN] < 0.45))
    faults = [entry.fault_code for entry in COMPONENTS]
    fault = np.where(nff, len(faults), np.where(repair, orders.component, -1))
    fault = np.where(done, fault, -1)  # diagnosed when the work is done
    confirmed = repair & ~nff & (orders.parent < 0)
    confirmed_known = repair & done & ((orders.parent >= 0) | (marks[:, M_CONFIRMED_KNOWN] < 0.9))
    symptom = np.where(repair, np.where(nff, 7, orders.component), np.where(orders.kind == COMPLAINT, -1, -2))
    age_hours = np.round(
        np.maximum(orders.opened - units.in_service[np.maximum(orders.unit, 0)], 0)
        * (4 + 10 * units.marks[np.maximum(orders.unit, 0), 0])
    )
    return columns.table(
        {
            "ticket_id": ids,
            "customer_id": columns.take(customer_ids, orders.customer),
            "serial_no": columns.take(serials, orders.unit, named),
            "product_id": columns.words(
                [entry.product_id for entry in PRODUCTS],
                units.product[np.maximum(orders.unit, 0)],
                orders.unit >= 0,
            ),
            "ticket_type": columns.words(TICKET_TYPES, orders.kind),
            "opened_at": columns.time_column(timeline.timestamps(orders.opened)),
            "first_response_at": columns.time_column(
                timeline.timestamps(np.where(answered, response, np.nan))
            ),
            "resolved_at": columns.time_column(timeline.timestamps(np.where(done, resolved, np.nan))),
            "closed_at": columns.time_column(
                timeline.timestamps(np.where(done & (closed < timeline.end), closed, np.nan))
            ),
            "contacts": columns.counts(contacts),
            "reopened": columns.counts((~np.isnan(reopened_at)).astype(np.int64)),
            "resolved": columns.flags(np.ones(size, dtype=bool), done),
            "automated": columns.flags(bot),
            "severity": columns.words(SEVERITIES, severity),
            "fault_code": columns.words([*faults, NO_FAULT_FOUND], fault),
            "component": columns.words(
                [entry.component for entry in COMPONENTS], np.where(done & repair, orders.component, -1)
            ),
            "in_warranty": columns.flags(covered, orders.unit >= 0),
            "region": columns.words(company.REGIONS, orders.region),
            "channel": columns.words(
                company.CONTACT_CHANNELS, pick(marks[:, M_CHANNEL], (0.42, 0.26, 0.16, 0.10, 0.06))
            ),
            "team": columns.words(
                [*(team.team for team in TEAMS), "Self Service"], np.where(bot, len(TEAMS), work.team)
            ),
            "agent_id": columns.labels("A-", np.maximum(work.agent, 0), 4, work.agent >= 0),
            "handling_hours": columns.numbers(work.hours, 2, done),
            "status": columns.words(
                STATUSES, np.select([done & (closed < timeline.end), done, answered], [3, 2, 1], 0)
            ),
            "failed_on": columns.date_column(
                timeline.dates(np.where(marks[:, M_FAILED_KNOWN] < 0.85, orders.failed, np.nan))
            ),
            "confirmed_failure": columns.flags(confirmed, confirmed_known),
            "rework": columns.flags(orders.parent >= 0),
            "parent_ticket_id": columns.take(ids, orders.parent),
            "reopened_at": columns.time_column(timeline.timestamps(reopened_at)),
            "priority": columns.words(PRIORITIES, priority),
            "response_due_at": columns.time_column(
                timeline.timestamps(orders.opened + np.asarray(RESPONSE_TARGET_HOURS)[priority] / 24)
            ),
            "resolution_due_at": columns.time_column(
                timeline.timestamps(orders.opened + np.asarray(RESOLUTION_TARGET_HOURS)[priority] / 24)
            ),
            "proactive": columns.flags((orders.kind == company.MAINTENANCE) & (marks[:, M_PROACTIVE] < 0.6)),
            "activity": columns.words(ACTIVITIES, orders.kind),
            "usage": columns.numbers(age_hours, 0, repair & (marks[:, M_USAGE] < 0.7)),
            "text": ticket_texts(marks[:, [M_TEXT, M_OPENING]], symptom, customers.english[orders.customer]),
            "recorded_at": columns.time_column(timeline.timestamps(recorded(orders))),
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


def ledger_table(
    streams: Streams, timeline: Timeline, postings: money.Postings, ticket_ids: pa.Array, serials: pa.Array
) -> pa.Table:
    size = postings.size
    filled = streams.uniform("ledger/category", size) < money.CATEGORY_FILLED_SHARE
    return columns.table(
        {
            "posting_id": columns.labels("GL-", np.arange(1, size + 1), 7),
            "posted_on": columns.date_column(timeline.dates(postings.posted)),
            "category": columns.where_present(columns.words(money.CATEGORIES, postings.account), filled),
            "amount": columns.money(postings.cents),
            "currency": columns.constant(company.CURRENCY, size),
            "ticket_id": columns.take(ticket_ids, postings.order),
            "cost_center": columns.words(money.COST_CENTERS, postings.cost_center),
            "cost_pool": columns.words([pool.pool for pool in POOLS], postings.pool),
            "team": columns.words([team.team for team in TEAMS], postings.team),
            "region": columns.words(company.REGIONS, postings.region),
            "account": columns.words(money.ACCOUNT_CODES, postings.account),
            "product_line": columns.words(PRODUCT_LINES, postings.line),
            "serial_no": columns.take(serials, postings.unit),
            "supplier": columns.words(company.SUPPLIERS, postings.supplier),
            "posting_basis": columns.words(money.BASES, postings.basis),
            "incurred_on": columns.date_column(timeline.dates(postings.incurred)),
            "recorded_at": columns.time_column(
                timeline.timestamps(money.recorded_at(streams, timeline, postings))
            ),
        }
    )


def staff_table(timeline: Timeline, crew: Staff) -> pa.Table:
    order = np.lexsort((crew.agent, crew.month))
    regions = np.array([company.REGIONS.index(team.region) if team.region else -1 for team in TEAMS])
    sourcing = [team.sourcing for team in TEAMS]
    team = crew.team[order]
    return columns.table(
        {
            "agent_id": columns.labels("A-", crew.agent[order], 4),
            "month": columns.date_column(timeline.dates(timeline.edges[timeline.window + crew.month[order]])),
            "team": columns.words([entry.team for entry in TEAMS], team),
            "region": columns.words(company.REGIONS, regions[team]),
            "sourcing": columns.words(sourcing, team),
            "hours_paid": columns.numbers(crew.paid[order]),
            "hours_worked": columns.numbers(crew.worked[order]),
            "cost": columns.money(crew.cents[order]),
            "currency": columns.constant(company.CURRENCY, team.size),
        }
    )


def calendar_table(timeline: Timeline) -> pa.Table:
    days = [entry for entry in departures() if np.datetime64(entry[0]) >= timeline.origin]
    return columns.table(
        {
            "day": pa.array([day for day, _, _ in days], pa.date32()),
            "working": pa.array([working for _, working, _ in days], pa.bool_()),
            "name": pa.array([name for _, _, name in days], pa.string()),
        }
    )
