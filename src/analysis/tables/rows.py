"""What all validated rows share: their month, their order and a hash of their content, as SQL."""

from __future__ import annotations

from analysis.sources.sql import literal, quoted
from analysis.tables.contract import TableContract


def month_of(table: TableContract, time_zone: str) -> str | None:
    """First day of the row's month in the business time zone; None for tables kept whole.

    No zone is more than 14 hours from UTC, so only instants near the edge of a month need the zone's own rules.
    """
    if table.time is None:
        return None
    names = [name for name in (table.time, table.time_else) if name]
    column = f"coalesce({', '.join(map(quoted, names))})"
    if table.columns[table.time].type == "date":
        return f"CAST(date_trunc('month', {column}) AS DATE)"
    early, late = (f"date_trunc('month', {column} {sign} INTERVAL 15 HOUR)" for sign in "-+")
    local = f"date_trunc('month', timezone({literal(time_zone)}, timezone('UTC', {column})))"
    return f"CAST(CASE WHEN {early} = {late} THEN {early} ELSE {local} END AS DATE)"


def row_hash(table: TableContract) -> str:
    """Columns named and written out, empty ones left out: a new optional column does not change the hash of old rows."""
    parts = ", ".join(
        f"{literal(name + '=')} || CAST({quoted(name)} AS VARCHAR) || chr(31)" for name in table.columns
    )
    return f"concat({parts})"


def body_hash(table: TableContract) -> str:
    """What a row says apart from its key and the day it became known, written out."""
    left = {*table.key, "recorded_at"}
    parts = ", ".join(
        f"{literal(name + '=')} || CAST({quoted(name)} AS VARCHAR) || chr(31)"
        for name in table.columns
        if name not in left
    )
    return f"concat({parts})"


def time_order_fault(table: TableContract) -> str:
    """Whether a later moment of the row lies before an earlier one."""
    return " OR ".join(f"coalesce({quoted(late)} < {quoted(early)}, false)" for early, late in table.in_order)


def key_columns(table: TableContract) -> str:
    return ", ".join(map(quoted, table.key))


def derived_columns(table: TableContract) -> dict[str, str]:
    """Columns a validated table has beyond the contract, with their types."""
    derived = {}
    if table.time is not None and "month" not in table.columns:
        derived["month"] = "DATE"
    if table.name == "tickets":
        derived["time_order_fault"] = "BOOLEAN"
    return derived | {"source_file": "VARCHAR"}
