"""The order in which the sample company comes to life."""

from __future__ import annotations

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
    desk_tables,
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
from analysis.sample.streams import Streams, mark
from analysis.sample.timeline import Timeline
from analysis.sample.truths import TRUTHS, Planted, SampleTruth, refuse_sizes
from analysis.sample.world import World

FORMATS = ("parquet", "csv")


def planted_for(*, last_month: str, months: int, null: bool, off: frozenset[str]) -> Planted:
    return Planted(
        last=Month.parse(last_month), off=frozenset(TRUTHS) if null else frozenset(off), window_months=months
    )


def world(*, seed: int, null: bool, off: frozenset[str], last_month: str, months: int, scale: float) -> World:
    """The company's life, from acquisition to the last posting."""
    refuse_sizes(months, scale, "120,000 units")
    planted = planted_for(last_month=last_month, months=months, null=null, off=off)
    timeline = Timeline(first=planted.last - (months - 1), last=planted.last)
    streams = Streams(seed)
    people, purchases = customers.acquire(streams, timeline, scale=scale)
    product, quantity = installed_base.baskets(people, purchases)
    units = installed_base.ship(timeline, planted, people, purchases, product, quantity)
    setting = service.Setting(timeline=timeline, planted=planted, customers=people, units=units)
    fixed = service.repairs(setting, failures.failures(streams, timeline, planted, units))
    early = service.together([fixed, service.complaints(streams, setting, fixed)])
    early = early.kept(service.seen(setting, early))
    rest = service.other_orders(streams, setting)
    rest = rest.kept(service.seen(setting, rest))

    # who was treated badly buys less: later orders go, with their machines and everything that happened to these
    bad = loyalty.experience(people, early)
    soured = purchases.time > bad.first[purchases.customer]
    gone = soured & (mark(purchases.identity, "still buys") >= planted.repurchase_ratio)
    units_stay = ~gone[units.purchase]
    position = np.where(units_stay, np.cumsum(units_stay) - 1, -1)
    early, rest = early.kept(units_stay[early.unit]), rest.kept(units_stay[rest.unit])
    units = units.kept(units_stay, np.where(gone, -1, np.cumsum(~gone) - 1))
    purchases, product, quantity = purchases.kept(~gone), product[~gone], quantity[~gone]

    bad = loyalty.experience(people, early)
    stay = loyalty.lose(streams, timeline, planted, people, bad)
    rest = rest.kept(service.under_contract(rest, stay.churned))
    orders = service.together([early, rest]).by_time()
    orders = orders.replaced(unit=position[orders.unit])
    desk = work.Desk(
        timeline=timeline,
        planted=planted,
        units=units,
        orders=orders,
        covered=orders.opened < units.warranty_end[orders.unit],
        work=work.assign(timeline, planted, orders),
    )
    crew = work.staff(streams, desk)
    held = loyalty.terms(streams, timeline, people, stay)
    used, asked = money.parts_used(desk), money.claims(desk)
    sold = sales.sales(desk, purchases, product, quantity, used, held, people.contract_kind)
    postings, provision = money.ledger(
        streams,
        desk,
        crew,
        used,
        asked,
        channel=people.channel[orders.customer],
        line_revenue=controls.line_revenue(timeline, sold),
        scale=scale,
    )
    return World(
        streams=streams,
        scale=scale,
        customers=people,
        purchases=purchases,
        product=product,
        quantity=quantity,
        desk=desk,
        crew=crew,
        experience=bad,
        loyalty=stay,
        terms=held,
        parts=used,
        claims=asked,
        sold=sold,
        postings=postings,
        provision=provision,
        surveys=voice.surveys(streams, desk, people, scale=scale),
    )


def tables_of(life: World) -> dict[str, pa.Table]:
    """Every canonical table, rows in a stable order, columns as in the contract."""
    streams, timeline, people, desk = life.streams, life.timeline, life.customers, life.desk
    customer_ids = columns.labels("C-", np.arange(1, people.size + 1), 6)
    serials = columns.labels("SN", 100_000_000 + np.arange(1, life.units.size + 1), 9)
    ticket_ids = columns.labels("T-", np.arange(1, life.orders.size + 1), 7)
    tickets = desk_tables.tickets_table(desk, people, ticket_ids, serials, customer_ids)
    return {
        "customers": tables.customers_table(timeline, people, customer_ids, life.loyalty),
        "customer_history": tables.customer_history_table(timeline, people, customer_ids),
        "products": tables.products_table(),
        "units": tables.units_table(timeline, life.units, serials, customer_ids),
        "orders": sales.orders_table(timeline, people, customer_ids, life.sold),
        "contracts": loyalty.contracts_table(timeline, people, customer_ids, life.terms),
        "tickets": tickets,
        "ticket_history": voice.ticket_history_table(desk, tickets, ticket_ids),
        "parts_used": desk_tables.parts_table(life.parts, ticket_ids),
        "claims": desk_tables.claims_table(timeline, life.claims, ticket_ids),
        "surveys": voice.surveys_table(timeline, life.surveys, ticket_ids, customer_ids),
        "ledger": tables.ledger_table(timeline, life.postings, ticket_ids, serials),
        "drivers": controls.drivers_table(desk, life.crew),
        "staff": tables.staff_table(timeline, life.crew),
        "gl_totals": controls.gl_totals_table(streams, timeline, life.sold, life.postings, life.provision),
        "provision": controls.provision_table(timeline, life.provision),
        "budget": controls.budget_table(streams, timeline, life.orders, life.postings),
        "opportunities": sales.opportunities_table(streams, timeline, people, customer_ids, scale=life.scale),
        "marketing_spend": sales.marketing_table(streams, timeline, scale=life.scale),
        "shipment_plan": controls.shipment_plan_table(timeline, life.units),
        "calendar": tables.calendar_table(timeline),
        "invoices": sales.invoices_table(timeline, people, customer_ids, life.sold),
    }


def built(
    *, seed: int, null: bool, off: frozenset[str], last_month: str, months: int, scale: float, blemishes: bool
) -> tuple[dict[str, pa.Table], SampleTruth]:
    life = world(seed=seed, null=null, off=off, last_month=last_month, months=months, scale=scale)
    made = tables_of(life)
    spots: dict[str, int] = {}
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
