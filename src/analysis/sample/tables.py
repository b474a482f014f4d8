"""From arrays to canonical tables: customers, machines, staff, ledger and calendar."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from analysis.sample import columns, company, money
from analysis.sample.accounts import POOLS
from analysis.sample.company import PRODUCT_LINES, PRODUCTS, TEAMS
from analysis.sample.customers import Customers
from analysis.sample.holidays import departures
from analysis.sample.installed_base import Units
from analysis.sample.loyalty import REASONS, UNAVOIDABLE, Loyalty
from analysis.sample.streams import Floats, Ints, mark
from analysis.sample.timeline import CLOSE_DAYS, Timeline
from analysis.sample.work import Staff

PRODUCT_IDS: tuple[str, ...] = tuple(entry.product_id for entry in PRODUCTS)
METERED_SHARE = 0.8
SUPPORT_SHARE = 0.45


def customers_table(timeline: Timeline, customers: Customers, ids: pa.Array, loyalty: Loyalty) -> pa.Table:
    everyone = np.arange(customers.size)
    tier = customers.tier_at(everyone, np.full(customers.size, float(timeline.end)))
    lost = np.isfinite(loyalty.churned)
    late = mark(customers.identity, "recorded late") < 0.02
    known = customers.acquired + np.where(late, 1 + 25 * mark(customers.identity, "recorded after"), 0.003)
    known = np.minimum(known, timeline.end + CLOSE_DAYS - 0.5)
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


def customer_history_table(timeline: Timeline, customers: Customers, ids: pa.Array) -> pa.Table:
    """Segment and region from the first day on and after each change; technical support for business customers."""
    everyone = np.arange(customers.size)
    changed = np.flatnonzero(~np.isnan(customers.tier_changed))
    moved = np.flatnonzero(~np.isnan(customers.moved))
    business = np.flatnonzero(customers.business)
    first_region = np.where(np.isnan(customers.moved), customers.region, customers.region_before)
    supported = (mark(customers.identity, "tech support") < SUPPORT_SHARE).astype(np.int64)
    day = np.floor(customers.acquired)
    blocks: tuple[tuple[Ints, int, Ints, Floats], ...] = (
        (everyone, 0, customers.first_tier, day),
        (changed, 0, customers.later_tier[changed], customers.tier_changed[changed]),
        (everyone, 1, 3 + first_region, day),
        (moved, 1, 3 + customers.region[moved], np.floor(customers.moved[moved])),
        (business, 2, 8 + supported[business], day[business]),
    )
    customer = np.concatenate([block[0] for block in blocks])
    attribute = np.repeat([block[1] for block in blocks], [block[0].size for block in blocks])
    value = np.concatenate([block[2] for block in blocks])
    valid = np.concatenate([block[3] for block in blocks])
    order = np.lexsort((valid, attribute, customer))
    return columns.table(
        {
            "customer_id": columns.take(ids, customer[order]),
            "attribute": columns.words(("segment", "region", "tech_support"), attribute[order]),
            "valid_from": columns.date_column(timeline.dates(valid[order])),
            "value": columns.words([*company.TIERS, *company.REGIONS, "no", "yes"], value[order]),
        }
    )


def products_table() -> pa.Table:
    launched = np.array([entry.launched_on for entry in PRODUCTS], dtype="datetime64[D]")
    return columns.table(
        {
            "product_id": pa.array(PRODUCT_IDS),
            "product_line": pa.array([entry.product_line for entry in PRODUCTS]),
            "model": pa.array([entry.model for entry in PRODUCTS]),
            "category": pa.array([entry.category for entry in PRODUCTS]),
            "launched_on": columns.date_column(launched),
            "unit_cost": columns.money(np.array([entry.unit_cost * 100 for entry in PRODUCTS])),
            "list_price": columns.money(np.array([entry.list_price * 100 for entry in PRODUCTS])),
            "warranty_months": columns.counts(np.array([entry.warranty_months for entry in PRODUCTS])),
        }
    )


def batch_labels(timeline: Timeline, product: Ints, produced: Floats, plant: Ints) -> pa.Array:
    """C200-2507S: model, year and month of production, plant."""
    days = timeline.dates(produced)
    month = (days.astype("datetime64[M]") - timeline.origin.astype("datetime64[M]")).astype(np.int64)
    before = 3  # machines shipped in the first days of the history were made before it
    axis = [timeline.months[0] - back for back in range(before, 0, -1)] + list(timeline.months)
    names = [f"{m.year % 100:02d}{m.number:02d}" for m in axis]
    models = columns.words([entry.model for entry in PRODUCTS], product)
    plants = columns.words(company.PLANT_LETTERS, plant)
    return columns.join(models, "-", columns.words(names, month + before), plants)


def hours_of_use(units: Units, unit: Ints, until: Floats) -> Floats:
    """Operating hours so far: a machine of its own habit, four to fourteen hours a day."""
    daily = 4 + 10 * mark(units.identity[unit], "hours a day")
    return np.round(np.maximum(until - units.in_service[unit], 0) * daily)


def units_table(timeline: Timeline, units: Units, serials: pa.Array, customer_ids: pa.Array) -> pa.Table:
    until = np.minimum(units.retired, timeline.end)
    metered = units.mark("metered") < METERED_SHARE
    hours = hours_of_use(units, np.arange(units.size), until)
    retired = np.where(units.retired < timeline.end, units.retired, np.nan)
    return columns.table(
        {
            "serial_no": serials,
            "product_id": columns.words(PRODUCT_IDS, units.product),
            "customer_id": columns.take(customer_ids, units.customer),
            "batch": batch_labels(timeline, units.product, units.produced, units.plant),
            "supplier": columns.words(company.SUPPLIERS, units.supplier),
            "plant": columns.words(company.PLANTS, units.plant),
            "produced_on": columns.date_column(timeline.dates(units.produced)),
            "shipped_on": columns.date_column(timeline.dates(units.shipped)),
            "in_service_on": columns.date_column(
                timeline.dates(np.where(units.service_recorded, units.in_service, np.nan))
            ),
            "retired_on": columns.date_column(timeline.dates(retired)),
            "usage": columns.numbers(hours, 0, metered),
            "usage_as_of": columns.date_column(timeline.dates(np.where(metered, until - 1, np.nan))),
            "warranty_end": columns.date_column(timeline.dates(units.warranty_end)),
            "region": columns.words(company.REGIONS, units.region),
        }
    )


def ledger_table(
    timeline: Timeline, postings: money.Postings, ticket_ids: pa.Array, serials: pa.Array
) -> pa.Table:
    size = postings.size
    filled = mark(postings.identity, "category") < money.CATEGORY_FILLED_SHARE
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
            "channel": columns.words(company.CHANNELS, postings.channel),
            "account": columns.words(money.ACCOUNT_CODES, postings.account),
            "product_id": columns.words(PRODUCT_IDS, postings.product),
            "product_line": columns.words(PRODUCT_LINES, postings.line),
            "serial_no": columns.take(serials, postings.unit),
            "supplier": columns.words(company.SUPPLIERS, postings.supplier),
            "posting_basis": columns.words(money.BASES, postings.basis),
            "incurred_on": columns.date_column(timeline.dates(postings.incurred)),
            "recorded_at": columns.time_column(timeline.timestamps(money.recorded_at(timeline, postings))),
        }
    )


def staff_table(timeline: Timeline, crew: Staff) -> pa.Table:
    order = np.lexsort((crew.agent, crew.month))
    region = np.array([company.REGIONS.index(team.region) if team.region else -1 for team in TEAMS])
    team = crew.team[order]
    return columns.table(
        {
            "agent_id": columns.labels("A-", crew.agent[order], 5),
            "month": columns.date_column(timeline.dates(timeline.edges[timeline.window + crew.month[order]])),
            "team": columns.words([entry.team for entry in TEAMS], team),
            "region": columns.words(company.REGIONS, region[team]),
            "sourcing": columns.words([entry.sourcing for entry in TEAMS], team),
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
