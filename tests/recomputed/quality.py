"""Figures of the data-quality section: rows by what became of them, faults, controls, and how rows arrive."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd

from recomputed.raw import AS_OF, MONTH, TICKET_TYPES, ZONE, Raw, business_day, cents
from recomputed.register import COUNT, MODEL, MONEY, SHARE, Asked, Section

SECTION = Section("quality")
recomputes = SECTION.recomputes
TABLES = (
    *("budget", "calendar", "claims", "contracts", "customer_history", "customers", "drivers", "gl_totals"),
    *("invoices", "ledger", "marketing_spend", "opportunities", "orders", "parts_used", "products"),
    *("provision", "shipment_plan", "staff", "surveys", "ticket_history", "tickets", "units"),
)


def _set_aside(raw: Raw, table: str) -> int:
    """Rows, copies left out, that lack or miswrite a required value, or name an order that is not there."""
    rows = raw.file(table).drop_duplicates()
    if table == "tickets":
        return int((~rows["ticket_type"].isin(TICKET_TYPES)).sum())
    if table == "opportunities":
        return int(rows["stage"].isna().sum())
    if table == "ticket_history":
        known = raw.file("tickets").drop_duplicates()
        kept = known.loc[known["ticket_type"].isin(TICKET_TYPES), "ticket_id"]
        return int((~rows["ticket_id"].isin(kept)).sum())
    return 0


def _copies(raw: Raw, table: str) -> int:
    return int(raw.file(table).duplicated().sum())


@recomputes(
    "source_rows@outcome=read,table=tickets#2026-10",
    "source_rows@outcome=duplicate,table=tickets#2026-10",
    "source_rows@outcome=accepted,table=tickets#2026-10",
    "source_rows@outcome=accepted,table=surveys#2026-10",
    "source_rows@outcome=accepted,table=opportunities#2026-10",
    "source_rows@outcome=accepted,table=ticket_history#2026-10",
    "source_rows@outcome=accepted,table=orders#2026-10",
    kind=COUNT,
)
def rows_of_a_table(raw: Raw, asked: Asked) -> int:
    """Rows read = accepted + set aside + exact copies. Source: params/metrics/quality.yml, source_rows."""
    table = asked.of["table"]
    read, copies = len(raw.file(table)), _copies(raw, table)
    if asked.of["outcome"] == "accepted":
        return read - copies - _set_aside(raw, table)
    return {"read": read, "duplicate": copies}[asked.of["outcome"]]


@recomputes(
    "source_rows@outcome=read#2026-10",
    "source_rows@outcome=duplicate#2026-10",
    "source_rows@outcome=quarantined#2026-10",
    kind=COUNT,
)
def rows_of_all_tables(raw: Raw, asked: Asked) -> int:
    """The same over all tables. Source: source_rows."""
    count = {
        "read": lambda table: len(raw.file(table)),
        "duplicate": lambda table: _copies(raw, table),
        "quarantined": lambda table: _set_aside(raw, table),
    }[asked.of["outcome"]]
    return sum(count(table) for table in TABLES)


@recomputes("quarantined_share#2026-10", kind=SHARE)
def quarantined_share(raw: Raw, asked: Asked) -> float:
    """Rows set aside over rows read. Source: quarantined_share."""
    return sum(_set_aside(raw, table) for table in TABLES) / sum(len(raw.file(table)) for table in TABLES)


@recomputes("faulty_rows@fault=references,place=tickets.serial_no#2026-10", kind=COUNT)
def unknown_machines(raw: Raw, asked: Asked) -> int:
    """Service orders whose serial number is no machine of the installed base. Source: faulty_rows, references."""
    named = raw.tickets["serial_no"].dropna()
    return int((~named.isin(raw.file("units")["serial_no"])).sum())


@recomputes("faulty_rows@fault=time_order,place=tickets.opened_at-first_response_at#2026-10", kind=COUNT)
def answered_before_asked(raw: Raw, asked: Asked) -> int:
    """Service orders answered before they were opened. Source: faulty_rows, time_order."""
    return int((raw.tickets["first_response_at"] < raw.tickets["opened_at"]).sum())


@recomputes("faulty_rows@fault=outside_scale,place=surveys.score,scope=value#2026-10", kind=COUNT)
def scores_outside_their_scale(raw: Raw, asked: Asked) -> int:
    """Answers outside the scale of their kind: csat 1 to 5, nps 0 to 10, ces 1 to 7. Source: data/README.md, surveys.score."""
    rows = raw.table("surveys").dropna(subset=["score"])
    low, high = (
        rows["kind"].map(limits)
        for limits in ({"csat": 1, "nps": 0, "ces": 1}, {"csat": 5, "nps": 10, "ces": 7})
    )
    return int(((rows["score"] < low) | (rows["score"] > high)).sum())


@recomputes("revenue#2026-10", "own_total@measure=revenue#2026-08", kind=MONEY)
def revenue(raw: Raw, asked: Asked) -> Decimal:
    """Revenue of all order lines of the business month, refunds taken off. Source: revenue."""
    own = raw.orders[raw.orders["month"].isin(asked.months)]
    return Decimal(int(own["cents"].sum())) / 100


@recomputes(
    "control_total@measure=after_sales_cost#2025-10",
    "control_total@measure=warranty_provision_closing#2026-10",
    "control_total@measure=revenue#2026-03",
    kind=MONEY,
)
def control_total(raw: Raw, asked: Asked) -> Decimal:
    """What the general ledger says of the month over all accounts. Source: control_total."""
    rows = raw.table("gl_totals", "month")
    rows = rows[
        (rows["month"] == asked.first) & (rows["measure"] == asked.of["measure"]) & (rows["account"] == "all")
    ]
    return Decimal(int(cents(rows["amount"]).sum())) / 100


@recomputes("control_difference@measure=after_sales_cost#2025-11", kind=MONEY)
def control_difference(raw: Raw, asked: Asked) -> Decimal:
    """Incurred cost of our ledger minus the general ledger's. Source: control_difference."""
    own = raw.cost.loc[raw.cost["month"].isin(asked.months), "cents"].sum()
    return Decimal(int(own)) / 100 - control_total(raw, asked)  # type: ignore[operator]


@recomputes("service_order_count#2026-10", kind=COUNT)
def service_order_count(raw: Raw, asked: Asked) -> int:
    """Service orders opened in the business month. Source: service_order_count."""
    return int(raw.tickets["month"].isin(asked.months).sum())


@recomputes("filled_share@column=approved,table=claims#2025-11", kind=SHARE)
def filled_share(raw: Raw, asked: Asked) -> float:
    """Rows of the month with a value in the column over rows of the month. Source: filled_share."""
    rows = raw.table("claims", "claimed_on")
    rows = rows[(rows["claimed_on"] >= asked.first) & (rows["claimed_on"] < asked.end)]
    return float(rows[asked.of["column"]].notna().mean())


def _settled(raw: Raw) -> pd.DataFrame:
    """Service orders of six complete months: from eight months before the report month to three."""
    return raw.tickets[raw.tickets["month"].between(MONTH - 8, MONTH - 3)]


@recomputes(
    "recording_lag@basis=median,table=tickets#2026-10",
    "recording_lag@basis=median,table=ledger#2026-10",
    kind=MODEL,
    within=1e-6,
    why="a quantile of the same lags; only floating point may differ",
)
def recording_lag(raw: Raw, asked: Asked) -> float:
    """Median of the days from when a row happened to its record, of six complete months; a posting happens on a business day. Source: recording_lag."""
    if asked.of["table"] == "tickets":
        rows = _settled(raw)
        lag = rows["recorded_at"] - rows["opened_at"]
    else:
        rows = raw.ledger[raw.ledger["month"].between(MONTH - 8, MONTH - 3)]
        local = rows["recorded_at"].dt.tz_localize("UTC").dt.tz_convert(ZONE).dt.tz_localize(None)
        lag = local - rows["posted_on"]
    return float((lag.dt.total_seconds() / 86400).median())


@recomputes("arrived_share@table=tickets#2026-10", kind=SHARE)
def arrived_share(raw: Raw, asked: Asked) -> float:
    """Orders of six earlier months recorded within as many days after their month's end as have passed now. Source: arrived_share.

    The as-of day itself is not over: the limit is its end.
    """
    rows = _settled(raw)
    ends = (rows["month"] + 1).dt.start_time
    passed = AS_OF - MONTH.end_time.normalize() - pd.Timedelta(days=1)
    return float((business_day(rows["recorded_at"]) <= ends + passed).mean())


@recomputes("rows_to_come@table=tickets#2026-10", kind=COUNT)
def rows_to_come(raw: Raw, asked: Asked) -> int:
    """Orders known now times (1 ÷ share arrived − 1). Source: rows_to_come."""
    known = int((raw.tickets["month"] == MONTH).sum())
    return round(known * (1 / arrived_share(raw, asked) - 1))  # type: ignore[operator]


@recomputes(
    "expected_level@table=tickets#2026-10",
    "expected_level@column=cost,table=staff#2026-10",
    kind=MODEL,
    within=5e-4,
    why="printed in whole rows; the level itself is a median of the same yearly changes",
)
def expected_level(raw: Raw, asked: Asked) -> float:
    """Level of the same month a year before, moved by the median of the earlier yearly changes of its logarithm. Source: expected_level."""
    if asked.of["table"] == "tickets":
        levels = raw.tickets.groupby("month").size().astype(float)
    else:
        levels = raw.staff.groupby("month")["cents"].mean().astype(float) / 100
    changes = np.log(levels).diff(12).dropna()
    return float(levels[MONTH - 12] * np.exp(changes[changes.index < MONTH].median()))
