"""Companies that keep to the contract and are odd in a way that the matrix has not: pairs of things that are missing, constants, one of a thing.

Each is a kind of file that somebody's system makes: a seller whose tickets are all answered by a machine, a ledger that began after the desk did,
a list of customers exported without its key.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import pandas as pd
from legal_companies import (
    LEGAL,
    MONTH,
    Change,
    Tables,
    amounts,
    blank,
    business_month,
    consistent,
    constant,
    last_months,
    only,
    together,
    without,
)
from shapes import DAYS, claims_only, ends_on, purchases_only, silent


def every_date_on(day: str) -> Change:
    """All that is dated happened on one day, as where an import stamps its rows."""

    def change(tables: Tables) -> None:
        for table, column in DAYS.items():
            days = pd.to_datetime(tables[table][column])
            moved = pd.Timestamp(day) - days.dt.normalize()
            for other in [name for name in tables[table] if str(name).endswith(("_at", "_on"))]:
                if table == "contracts" and other != "starts_on":
                    continue
                tables[table][other] = pd.to_datetime(tables[table][other]) + moved
        tables["contracts"]["ends_on"] = (pd.Timestamp(day) + pd.DateOffset(years=1)).date()
        tables["contracts"]["cancelled_on"] = None

    return change


def one_order_a_month(tables: Tables) -> None:
    product = tables["products"]["product_id"].iloc[0]
    only(tables, "orders", ~business_month(tables, "orders", "ordered_at").duplicated())
    tables["orders"]["product_id"] = product
    only(tables, "products", tables["products"]["product_id"] == product)
    for name in ("units", "tickets", "ledger"):
        given = tables[name]["product_id"]
        tables[name]["product_id"] = given.where(given.isna(), product)
    tables["ledger"]["product_line"] = None
    tables["shipment_plan"] = (
        tables["shipment_plan"].assign(product_id=product).drop_duplicates("month", ignore_index=True)
    )


def negative_months(tables: Tables) -> None:
    """Every third month was credited in full and more."""
    ledger = tables["ledger"]
    month = pd.to_datetime(ledger["posted_on"]).dt.month
    ledger["amount"] = ledger["amount"].where(month % 3 != 0, -ledger["amount"])


def negative_month_of_report(tables: Tables) -> None:
    ledger = tables["ledger"]
    month = pd.to_datetime(ledger["posted_on"]).dt.strftime("%Y-%m")
    ledger["amount"] = ledger["amount"].where(month != MONTH, -ledger["amount"])


def all_retired(day: str) -> Change:
    """No machine is left in the field."""

    def change(tables: Tables) -> None:
        units = tables["units"]
        started = pd.to_datetime(units["in_service_on"]).fillna(pd.to_datetime(units["shipped_on"]))
        units["retired_on"] = np.maximum(started, pd.Timestamp(day)).dt.date

    return change


def retired_at_once(tables: Tables) -> None:
    units = tables["units"]
    units["retired_on"] = units["in_service_on"].where(units["in_service_on"].notna(), units["shipped_on"])


def ledger_starts_late(months: int) -> Change:
    """The books of this system begin after the tickets do."""
    first = pd.Timestamp(f"{MONTH}-01") - pd.DateOffset(months=months - 1)

    def change(tables: Tables) -> None:
        only(tables, "ledger", pd.to_datetime(tables["ledger"]["posted_on"]) >= first)
        only(tables, "gl_totals", pd.to_datetime(tables["gl_totals"]["month"]) >= first)

    return change


def tickets_start_late(months: int) -> Change:
    first = pd.Timestamp(f"{MONTH}-01") - pd.DateOffset(months=months - 1)

    def change(tables: Tables) -> None:
        only(tables, "tickets", pd.to_datetime(tables["tickets"]["opened_at"]) >= first)
        consistent(tables)

    return change


def orders_start_in_the_month(tables: Tables) -> None:
    only(tables, "orders", business_month(tables, "orders", "ordered_at") == MONTH)
    consistent(tables)


def starts_within_a_month(tables: Tables) -> None:
    """Systems switched on in the middle of the month before the report's."""
    for table, column in DAYS.items():
        only(tables, table, pd.to_datetime(tables[table][column]) >= pd.Timestamp("2026-09-16"))
    for table in ("staff", "gl_totals", "provision", "budget", "drivers", "marketing_spend"):
        only(tables, table, pd.to_datetime(tables[table]["month"]) >= pd.Timestamp("2026-09-01"))
    consistent(tables)


def customers_without_id(tables: Tables) -> None:
    """No row says whose it is."""
    tables.pop("customers")
    tables.pop("customer_history")
    for name, frame in tables.items():
        if "customer_id" in frame and name != "contracts":
            frame["customer_id"] = None
    tables.pop("contracts")


def all_automated(tables: Tables) -> None:
    tickets = tables["tickets"]
    tickets["handled_by"] = "automation"
    tickets["team"] = None
    tickets["agent_id"] = None
    tickets["handling_hours"] = 0
    tables.pop("staff")


def one_agent(tables: Tables) -> None:
    tables["tickets"]["agent_id"] = "A-1"
    tables["tickets"]["team"] = "A"
    tables["ledger"]["team"] = None
    staff = tables["staff"].assign(team="A").drop_duplicates("month", ignore_index=True)
    tables["staff"] = staff


def all_open(tables: Tables) -> None:
    """Nothing was ever answered or solved."""
    for column in ("first_response_at", "resolved_at", "closed_at", "reopened_at"):
        tables["tickets"][column] = None
    tables["tickets"]["status"] = "open"
    tables.pop("ticket_history")


def all_of_type(kind: str) -> Change:
    return constant("tickets.ticket_type", kind)


def all_reopened(tables: Tables) -> None:
    tickets = tables["tickets"]
    closed = pd.to_datetime(tickets["closed_at"])
    tickets["reopened_at"] = closed + pd.Timedelta(hours=2)


def one_score(score: int) -> Change:
    return constant("surveys.score", score)


def same_amounts(tables: Tables) -> None:
    for table, column in (
        ("ledger", "amount"),
        ("orders", "revenue"),
        ("contracts", "amount"),
        ("claims", "amount"),
        ("staff", "cost"),
    ):
        tables[table][column] = Decimal("100.00")
    tables["orders"]["gross_margin"] = Decimal("30.00")


def one_order_each(tables: Tables) -> None:
    """Nobody came back."""
    only(tables, "orders", ~tables["orders"]["customer_id"].duplicated())


def future_machines(tables: Tables) -> None:
    """Built, and not yet in anybody's hands at the close."""
    units = tables["units"]
    for column in ("shipped_on", "in_service_on", "retired_on", "warranty_end"):
        units[column] = None


def no_warranty(tables: Tables) -> None:
    tables["units"]["warranty_end"] = tables["units"]["shipped_on"]


def claims_refused(tables: Tables) -> None:
    tables["claims"]["approved"] = False
    tables["claims"]["recovered"] = 0


def one_month_each(tables: Tables) -> None:
    """Contracts of one month that follow one another, all from the same day."""
    contracts = tables["contracts"]
    starts = pd.to_datetime(contracts["starts_on"]).dt.to_period("M").dt.to_timestamp()
    contracts["starts_on"] = starts.dt.date
    contracts["ends_on"] = (starts + pd.DateOffset(months=1)).dt.date
    contracts["cancelled_on"] = None
    contracts["renewed"] = None


def empty_tables(*names: str) -> Change:
    """The file is there with its header and no row."""

    def change(tables: Tables) -> None:
        for name in names:
            tables[name] = tables[name].iloc[:0]

    return change


def every_second_month(tables: Tables) -> None:
    """A desk that works in odd months only."""
    months = business_month(tables).str[-2:].astype(int)
    only(tables, "tickets", months % 2 == 0)
    consistent(tables)


def one_cost_pool(tables: Tables) -> None:
    for column in (
        "team",
        "region",
        "channel",
        "product_line",
        "supplier",
        "product_id",
        "serial_no",
        "ticket_id",
    ):
        tables["ledger"][column] = None


def weekends_only(tables: Tables) -> None:
    days = (pd.to_datetime(tables["tickets"]["opened_at"]) + pd.Timedelta(hours=8)).dt.dayofweek
    only(tables, "tickets", days >= 5)
    consistent(tables)


def all_same_second(tables: Tables) -> None:
    """A desk whose moments are days: everything at midnight, solved the same day."""
    tickets = tables["tickets"]
    for column in ("opened_at", "first_response_at", "resolved_at", "closed_at", "reopened_at"):
        tickets[column] = pd.to_datetime(tickets[column]).dt.normalize()


ODD: Mapping[str, Change] = {
    "every date on one day": every_date_on("2026-10-08"),
    "one product, one order a month": one_order_a_month,
    "negative months": negative_months,
    "negative month of the report": negative_month_of_report,
    "fleet all retired last year": all_retired("2025-12-31"),
    "fleet all retired at the close": all_retired("2026-10-31"),
    "fleet retired as it was shipped": retired_at_once,
    "ledger of three months": ledger_starts_late(3),
    "ledger of the month only": ledger_starts_late(1),
    "tickets of the month only": tickets_start_late(1),
    "orders of the month only": orders_start_in_the_month,
    "starts within a month": starts_within_a_month,
    "customers without id": customers_without_id,
    "all automated": all_automated,
    "one agent": one_agent,
    "all open": all_open,
    "all repairs": all_of_type("repair"),
    "all returns": all_of_type("return"),
    "all reopened": all_reopened,
    "all scores the worst": one_score(0),
    "all scores the best": one_score(10),
    "same amounts": same_amounts,
    "nobody came back": one_order_each,
    "machines not shipped": future_machines,
    "no warranty": no_warranty,
    "claims all refused": claims_refused,
    "contracts of a month": one_month_each,
    "empty files": empty_tables("claims", "surveys", "orders", "parts_used", "contracts"),
    "empty ledger": empty_tables("ledger"),
    "empty tickets": empty_tables("tickets", "ticket_history", "claims", "surveys", "parts_used"),
    "every second month": every_second_month,
    "ledger of one pool": one_cost_pool,
    "weekends only": weekends_only,
    "moments are days": all_same_second,
    "no revenue, only refunds in the month": together(negative_months, constant("orders.revenue", 0)),
    "orders and tickets only": together(purchases_only, constant("orders.revenue", 100)),
    "claims without a ledger, young": together(LEGAL["young fleet"], claims_only),
    "one customer, one month": together(LEGAL["one customer"], last_months(1)),
    "one ticket, no ledger": together(LEGAL["one ticket in all"], without("ledger", "orders")),
    "no machines, no customers": together(without("units", "customers", "contracts", "claims")),
    "partial month, no ledger": together(ends_on(f"{MONTH}-14"), without("ledger")),
    "partial month, one pool": together(ends_on(f"{MONTH}-14"), one_cost_pool),
    "nothing but staff and ledger": without(
        "tickets",
        "ticket_history",
        "claims",
        "surveys",
        "orders",
        "contracts",
        "units",
        "products",
        "customers",
        "customer_history",
        "parts_used",
        "opportunities",
        "invoices",
        "marketing_spend",
        "shipment_plan",
    ),
    "no regions, no products": blank(
        "tickets.region",
        "customers.region",
        "units.region",
        "orders.region",
        "ledger.region",
        "staff.region",
        "tickets.product_id",
        "units.product_id",
        "orders.product_id",
        "ledger.product_id",
        "ledger.product_line",
    ),
    "no ids but the ticket's": blank(
        "tickets.customer_id",
        "tickets.serial_no",
        "tickets.product_id",
        "ledger.customer_id",
        "ledger.serial_no",
    ),
    "zero in the month": together(negative_months, amounts(lambda amount: amount * 0)),
    "silent summer": silent("2026-06-01", "2026-08-31", "tickets", "ledger", "orders"),
}
