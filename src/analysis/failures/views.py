"""SQL of the failure study: machines, what was reported about them, and their exposure month by month.

Each function returns common table expressions that a query of the study puts after ``WITH``. Months are counted as ``year × 12 + month − 1``, so
that an age is a difference; exposure and failures use the same difference and cannot drift apart.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from analysis.metrics import Period
from analysis.metrics.backend import literal
from analysis.metrics.steady import exact_sum
from analysis.metrics.views import NOT_STATED, at, month_index, month_number

ATTRIBUTES: tuple[str, ...] = ("model", "batch", "supplier", "plant", "region", "produced_month")
NEEDS = ("units.shipped_on", "tickets.serial_no", "tickets.opened_at")


def machines(end: dt.date) -> str:
    """``shipped``, one row per machine of the installed base as known when ``end`` began, and ``machines``, those of it that were in the field."""
    return (
        f"shipped AS (SELECT * FROM {at('machines', end)}),\n"
        "machines AS (SELECT * EXCLUDE (in_field) FROM shipped WHERE in_field)"
    )


def reports(horizon: dt.date) -> str:
    """One row per repair: when it happened, when it was reported, and whether a technical fault was found.

    Where the day of failure is not recorded, the day of the report stands for it.
    """
    return f"""reports AS (
SELECT t.ticket_id, t.serial_no, t.fault_code, coalesce(t.component, t.fault_code, '{NOT_STATED}') AS component, t.in_warranty,
       t.opened_at, t.resolved_at, t.opened_on, least(coalesce(t.failed_on, t.opened_on), t.opened_on) AS event_on,
       t.failed_on IS NOT NULL AS dated, t.fault_found AS confirmed
FROM service_orders t
WHERE t.ticket_type = 'repair' AND t.opened_on <= {literal(horizon)})"""


def judged(first: dt.date, end: dt.date) -> str:
    """Every confirmed failure with its machine and the verdict whether it counts in a rate, and if not, why.

    Two orders for one component of one machine on one day are one event; the later is kept and named, not counted again. Their order is found before
    the machines are joined, and these are joined once: the wide rows of ten million machines would not fit in memory twice.
    """
    return f"""confirmed AS (
SELECT *, row_number() OVER (PARTITION BY serial_no, component, event_on ORDER BY opened_at, ticket_id) AS place FROM reports WHERE confirmed),
judged AS (
SELECT r.ticket_id, r.serial_no, r.component, r.fault_code, r.in_warranty, r.opened_at, r.resolved_at, r.opened_on, r.event_on, r.dated,
       m.model, m.product_line, m.batch, m.supplier, m.plant, m.region, m.produced_month, m.started, m.ended, m.warranty_end,
       {month_number("r.event_on")} AS month_no, {month_number("r.event_on")} - {month_number("m.started")} AS age_months,
       CASE WHEN r.serial_no IS NULL THEN 'no_serial'
            WHEN m.serial_no IS NULL THEN 'unknown_serial'
            WHEN r.event_on < m.shipped_on THEN 'before_shipment'
            WHEN r.event_on >= m.left_on THEN 'after_retirement'
            WHEN r.event_on >= {literal(end)} THEN 'after_the_month'
            WHEN r.event_on < {literal(first)} THEN 'before_the_window'
            WHEN r.event_on < m.started THEN 'before_service'
            WHEN r.place > 1 THEN 'same_event'
            ELSE 'counted' END AS verdict
FROM confirmed r
LEFT JOIN shipped m ON m.serial_no = r.serial_no),
failed AS (SELECT * FROM judged WHERE verdict = 'counted')"""


def stays(attributes: Sequence[str]) -> str:
    """``stays``: machines by attributes, first (``s``) and last (``e``) month in the field, with the parts of these months outside it.

    A month of exposure then costs a row for each group and not for each machine.
    """
    names = ", ".join(attributes)
    return f"""stays AS (
SELECT {names}, {month_number("started")} AS s, {month_number("ended - 1")} AS e, count(*) AS n,
       {exact_sum("(day(started) - 1) / CAST(day(last_day(started)) AS DOUBLE)")} AS before_start,
       {exact_sum("1 - day(ended - 1) / CAST(day(last_day(ended - 1)) AS DOUBLE)")} AS after_end
FROM machines GROUP BY ALL)"""


def exposure(table: str, first: int, last: int, attributes: Sequence[str] = (), *, where: str = "") -> str:
    """``grid``: unit-months by attributes, calendar month and month in service, from a table of :func:`stays`.

    The first and last month count by days.
    """
    names = "".join(f"{name}, " for name in attributes)
    condition = f" WHERE {where}" if where else ""
    return f"""held AS (
SELECT {names}s, e, sum(n) AS n, {exact_sum("before_start")} AS before_start, {exact_sum("after_end")} AS after_end FROM {table}{condition} GROUP BY ALL),
grid AS (
SELECT {names}c.month_no, c.month_no - s AS age_months,
       {exact_sum("n - CASE WHEN c.month_no = s THEN before_start ELSE 0 END - CASE WHEN c.month_no = e THEN after_end ELSE 0 END")} AS unit_months
FROM held JOIN (SELECT unnest(range({first}, {last + 1})) AS month_no) c ON c.month_no BETWEEN s AND e
GROUP BY ALL)"""


def values_table(name: str, columns: Sequence[str], rows: Sequence[Sequence[float | int | str]]) -> str:
    """Numbers a study computed, and the names they belong to, as a table a query can join."""

    def written(cell: float | int | str) -> str:
        if isinstance(cell, str):
            return literal(cell)
        return repr(float(cell)) if isinstance(cell, float) else str(int(cell))

    body = ", ".join("(" + ", ".join(map(written, row)) + ")" for row in rows)
    return f"{name}({', '.join(columns)}) AS (VALUES {body})"


def condition(place: Mapping[str, str]) -> str:
    """A row condition from attribute values of a cause; ``<name> from`` means this value or a later one."""
    parts = []
    for name, value in sorted(place.items()):
        column, from_on = (name.removesuffix(" from"), True) if name.endswith(" from") else (name, False)
        parts.append(f"{column} {'>=' if from_on else '='} {literal(value)}")
    return " AND ".join(parts) or "TRUE"


def one_of(column: str, values: Sequence[str]) -> tuple[str, ...]:
    """The condition that a column has one of these values; none where no values are given."""
    return (f"{column} IN ({', '.join(map(literal, values))})",) if values else ()


def within(period: Period) -> str:
    """The condition that a row (``month_no``) lies in a period."""
    return f"month_no BETWEEN {month_index(period.first)} AND {month_index(period.last)}"


def is_value(dimension: str, *values: str) -> str:
    """The condition that a row has one of these values of a dimension."""
    listed = ", ".join(map(literal, values))
    return f"coalesce(CAST({dimension} AS VARCHAR), {literal(NOT_STATED)}) IN ({listed})"


def with_parts(*parts: str) -> str:
    """The common table expressions before a SELECT."""
    return "WITH " + ",\n".join(parts) + "\n"
