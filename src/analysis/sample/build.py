"""The order in which the sample company comes to life."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from analysis.errors import ParameterError
from analysis.periods import Month
from analysis.sample import blemishes as faults
from analysis.sample import (
    columns,
    controls,
    customers,
    failures,
    installed_base,
    loyalty,
    money,
    sales,
    service,
    tables,
    voice,
    work,
)
from analysis.sample.answers import answer_sheet
from analysis.sample.streams import Flags, Streams
from analysis.sample.timeline import Timeline
from analysis.sample.truths import TRUTHS, Planted, SampleTruth

FORMATS = ("parquet", "csv")


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """Everything as arrays, before it becomes tables: what the tests and the answer sheet look into."""

    streams: Streams
    timeline: Timeline
    planted: Planted
    scale: float
    customers: customers.Customers
    purchases: customers.Purchases
    product: np.ndarray
    quantity: np.ndarray
    units: installed_base.Units
    orders: service.Orders
    covered: Flags
    work: work.Work
    crew: work.Staff
    experience: loyalty.Experience
    loyalty: loyalty.Loyalty
    terms: loyalty.Terms
    parts: money.Parts
    claims: money.Claims
    sold: sales.Sales
    postings: money.Postings
    provision: money.Provision
    surveys: voice.Surveys


def planted_for(*, last_month: str, months: int, null: bool, off: frozenset[str]) -> Planted:
    return Planted(
        last=Month.parse(last_month), off=frozenset(TRUTHS) if null else frozenset(off), window_months=months
    )


def world(*, seed: int, null: bool, off: frozenset[str], last_month: str, months: int, scale: float) -> World:
    """The company's life, from acquisition to the last posting."""
    if months < 3:
        raise ParameterError(f"sample: {months} months; three is the least that holds a before and an after.")
    if not 0 < scale <= 20:
        raise ParameterError(f"sample: scale {scale} should lie above 0 and up to 20 (1 is 120,000 units).")
    planted = planted_for(last_month=last_month, months=months, null=null, off=off)
    timeline = Timeline(first=planted.last - (months - 1), last=planted.last)
    streams = Streams(seed)
    people, purchases = customers.acquire(streams, timeline, scale=scale)
    product, quantity = installed_base.baskets(streams, people, purchases)
    units = installed_base.ship(streams, timeline, planted, people, purchases, product, quantity)
    failed = failures.failures(streams, timeline, planted, units)
    fixed = service.repairs(timeline, planted, people, units, failed)
    sour = service.complaints(streams, timeline, people, units, fixed)
    early = service.together([fixed, sour])
    early = early.kept(service.seen(timeline, units, early))

    # who was treated badly buys less: later orders go, with their units and everything that happened to these
    bad = loyalty.experience(people, early)
    gone = (purchases.time > bad.first[purchases.customer]) & (purchases.mark < 1 - planted.repurchase_ratio)
    position = np.where(gone, -1, np.cumsum(~gone) - 1)
    unit_stays = ~gone[units.purchase]
    unit_position = np.where(unit_stays, np.cumsum(unit_stays) - 1, -1)
    early = early.kept(unit_stays[early.unit])
    early = service.replaced(early, unit=unit_position[early.unit])
    units = units.kept(unit_stays, position)
    purchases, product, quantity = purchases.kept(~gone), product[~gone], quantity[~gone]

    bad = loyalty.experience(people, early)
    stay = loyalty.lose(streams, timeline, planted, people, bad)
    rest = service.other_orders(streams, timeline, people, units, stay.churned)
    orders = service.together([early, rest.kept(service.seen(timeline, units, rest))]).sorted()
    covered = (orders.unit >= 0) & (
        orders.opened < money.warranty_end(timeline, units)[np.maximum(orders.unit, 0)]
    )
    done = work.assign(timeline, planted, orders, scale=scale)
    crew = work.staff(streams, timeline, planted, orders, done)
    held = loyalty.terms(streams, timeline, people, stay)
    used = money.parts_used(timeline, planted, units, orders)
    asked = money.claims(timeline, planted, units, orders, covered)
    sold = sales.sales(
        streams,
        timeline,
        purchases,
        product,
        quantity,
        units,
        orders,
        covered,
        used,
        held,
        people.contract_kind,
    )
    postings, provision = money.ledger(
        streams,
        timeline,
        planted,
        units,
        orders,
        done,
        crew,
        used,
        asked,
        covered,
        controls.line_revenue(timeline, sold),
        scale=scale,
    )
    return World(
        streams=streams, timeline=timeline, planted=planted, scale=scale, customers=people, purchases=purchases, product=product, quantity=quantity,
        units=units, orders=orders, covered=covered, work=done, crew=crew, experience=bad, loyalty=stay, terms=held, parts=used, claims=asked,
        sold=sold, postings=postings, provision=provision,
        surveys=voice.surveys(streams, timeline, planted, people, orders, scale=scale),
    )  # fmt: skip


def tables_of(life: World) -> dict[str, pa.Table]:
    """Every canonical table, rows in a stable order, columns as in the contract."""
    streams, timeline, people, units, orders = (
        life.streams,
        life.timeline,
        life.customers,
        life.units,
        life.orders,
    )
    customer_ids = columns.labels("C-", np.arange(1, people.size + 1), 6)
    serials = columns.labels("SN", 100_000_000 + np.arange(1, units.size + 1), 9)
    ticket_ids = columns.labels("T-", np.arange(1, orders.size + 1), 7)
    tickets = tables.tickets_table(
        streams, timeline, people, units, orders, life.work, life.covered, ticket_ids, serials, customer_ids
    )
    return {
        "customers": tables.customers_table(streams, timeline, people, customer_ids, life.loyalty),
        "customer_history": tables.customer_history_table(streams, timeline, people, customer_ids),
        "products": tables.products_table(),
        "units": tables.units_table(timeline, units, serials, customer_ids),
        "orders": sales.orders_table(timeline, people, customer_ids, life.sold),
        "contracts": loyalty.contracts_table(timeline, people, customer_ids, life.terms),
        "tickets": tickets,
        "ticket_history": voice.ticket_history_table(timeline, orders, life.work, tickets, ticket_ids),
        "parts_used": tables.parts_table(life.parts, ticket_ids),
        "claims": tables.claims_table(timeline, life.claims, ticket_ids),
        "surveys": voice.surveys_table(timeline, life.surveys, ticket_ids, customer_ids),
        "ledger": tables.ledger_table(streams, timeline, life.postings, ticket_ids, serials),
        "drivers": controls.drivers_table(timeline, units, orders, life.work, life.crew),
        "staff": tables.staff_table(timeline, life.crew),
        "gl_totals": controls.gl_totals_table(streams, timeline, life.sold, life.postings, life.provision),
        "provision": controls.provision_table(timeline, life.provision),
        "budget": controls.budget_table(streams, timeline, orders, life.postings),
        "opportunities": sales.opportunities_table(streams, timeline, people, customer_ids, scale=life.scale),
        "marketing_spend": sales.marketing_table(streams, timeline, scale=life.scale),
        "shipment_plan": controls.shipment_plan_table(timeline, units),
        "calendar": tables.calendar_table(timeline),
        "invoices": sales.invoices_table(streams, timeline, people, customer_ids, life.sold),
    }


def built(
    *, seed: int, null: bool, off: frozenset[str], last_month: str, months: int, scale: float, blemishes: bool
) -> tuple[dict[str, pa.Table], SampleTruth]:
    life = world(seed=seed, null=null, off=off, last_month=last_month, months=months, scale=scale)
    made, spots = tables_of(life), {}
    if blemishes:
        made, spots = faults.blemish(made, life.streams)
    return made, answer_sheet(life, made, spots)


def write(folder: Path, made: dict[str, pa.Table], truth: SampleTruth, *, format: str) -> None:
    """One file a table, and the answer sheet in a folder of its own, where no loader looks for tables."""
    if format not in FORMATS:
        raise ParameterError(f"sample: format '{format}'; it can be written as {' or '.join(FORMATS)}.")
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in made.items():
        for other in FORMATS:
            if other != format:
                (folder / f"{name}.{other}").unlink(missing_ok=True)
        _write_table(folder / f"{name}.{format}", frame, format)
    sheet = folder / "_truth" / "truth.json"
    sheet.parent.mkdir(exist_ok=True)
    sheet.write_text(truth.to_json(), encoding="utf-8")


def _write_table(path: Path, frame: pa.Table, format: str) -> None:
    if format == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(frame, path, compression="zstd", compression_level=1)
    else:
        from pyarrow import csv

        csv.write_csv(frame, path, csv.WriteOptions(quoting_style="needed"))


def as_frames(made: dict[str, pa.Table]) -> dict[str, Any]:
    """pandas frames on Arrow columns: exact decimals, dates, nulls."""
    import pandas as pd

    return {name: frame.to_pandas(types_mapper=pd.ArrowDtype) for name, frame in made.items()}
