"""A company of any size, written straight as validated tables: what the engine would find after a load.

Rows are drawn, not simulated: the bench measures reading and adding up, not meaning. Money is whole cents.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.periods import Month
from analysis.tables import contract
from analysis.tables.store import Partition, TableInfo, TableSet

MONTHS = 36
LAST = Month(2026, 10)
TYPES = np.array(["repair", "complaint", "return", "exchange", "inquiry", "installation", "maintenance"])
REGIONS = np.array(["North", "South", "East", "West", "Central"])
CATEGORIES = np.array(["parts", "logistics", "compensation", "outsourcing"])
ARROW = {
    "string": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "integer": pa.int64(),
    "decimal": pa.decimal128(18, 2),
    "float": pa.float64(),
    "boolean": pa.bool_(),
}


def build(folder: Path, tickets: int) -> TableSet:
    """Tables for ``tickets`` service orders over 36 months; kept, so that a second call reads what the first wrote."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(20261031)
    people, machines = max(tickets // 5, 100), max(tickets // 4, 100)
    tables = {
        "customers": [_whole(folder, "customers", _customers(random, people))],
        "products": [_whole(folder, "products", _products())],
        "units": [_whole(folder, "units", _units(random, machines, people))],
        "tickets": [],
        "ledger": [],
        "orders": [],
    }
    each = tickets // MONTHS
    for back in range(MONTHS - 1, -1, -1):
        month = LAST - back
        first = (MONTHS - 1 - back) * each
        tables["tickets"].append(
            _month(
                folder,
                "tickets",
                month,
                lambda m=month, f=first: _tickets(random, m, f, each, people, machines),
            )
        )
        tables["ledger"].append(
            _month(folder, "ledger", month, lambda m=month, f=first: _ledger(random, m, f, each))
        )
        tables["orders"].append(
            _month(folder, "orders", month, lambda m=month, f=first: _orders(random, m, f, each, people))
        )
    return opened(tables)


def opened(tables: dict[str, list[Partition]]) -> TableSet:
    infos = {}
    for name, entry in contract().tables.items():
        partitions = tuple(tables.get(name, ()))
        infos[name] = TableInfo(
            name=name,
            present=bool(partitions),
            columns_present=frozenset(entry.columns) if partitions else frozenset(),
            rows=sum(partition.rows for partition in partitions),
            content_hash=name,
            partitions=partitions,
        )
    return TableSet(store=Path(), tables=infos, checks=(), content_hash="bench")


def _whole(folder: Path, table: str, columns: dict[str, object]) -> Partition:
    path = folder / f"{table}.parquet"
    if not path.exists():
        _write(path, table, columns, None)
    return Partition(
        month=None, path=path, rows=pq.read_metadata(path).num_rows, content_hash=table, last_recorded_at=None
    )


def _month(folder: Path, table: str, month: Month, make: object) -> Partition:
    path = folder / f"{table}-{month}.parquet"
    if not path.exists():
        _write(path, table, make(), month)  # type: ignore[operator]
    rows = pq.read_metadata(path).num_rows
    return Partition(
        month=month,
        path=path,
        rows=rows,
        content_hash=f"{table}-{month}-{path.stat().st_size}",
        last_recorded_at=None,
    )


def _write(path: Path, table: str, columns: dict[str, object], month: Month | None) -> None:
    entry = contract().tables[table]
    rows = len(next(iter(columns.values())))  # type: ignore[arg-type]
    arrays = {}
    for name, column in entry.columns.items():
        kind = ARROW[column.type]
        values = columns.get(name)
        arrays[name] = (
            pa.nulls(rows, kind)
            if values is None
            else values
            if isinstance(values, pa.Array)
            else pa.array(values).cast(kind)
        )
    if month is not None:
        arrays.setdefault("month", pa.array(np.full(rows, np.datetime64(month.start)), pa.date32()))
    if table == "tickets":
        arrays["time_order_fault"] = pa.array(np.zeros(rows, bool))
    pq.write_table(pa.table(arrays), path, compression="zstd")


def _names(prefix: str, numbers: np.ndarray) -> pa.Array:
    return pc.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")


def _picked(random: np.random.Generator, values: np.ndarray, size: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(
        pa.array(random.integers(0, len(values), size, dtype=np.int32)), pa.array(values)
    ).cast(pa.string())


def _cents(random: np.random.Generator, most: int, size: int) -> pa.Array:
    """Money as 128-bit decimals, laid down as little-endian pairs: casting integers would widen them first."""
    pairs = np.zeros((size, 2), dtype="<i8")
    pairs[:, 0] = random.integers(100, most, size)
    return pa.Array.from_buffers(pa.decimal128(18, 2), size, [None, pa.py_buffer(pairs.tobytes())])


def _instants(random: np.random.Generator, month: Month, size: int) -> pa.Array:
    start, end = (np.datetime64(day, "s").astype(np.int64) for day in (month.start, month.end))
    return pa.array((random.integers(start, end, size) * 1_000_000).astype("datetime64[us]"))


def _customers(random: np.random.Generator, size: int) -> dict[str, object]:
    return {
        "customer_id": _names("C", np.arange(size)),
        "customer_type": _picked(random, np.array(["b2b", "b2c"]), size),
        "segment": _picked(random, np.array(["key", "gold", "standard"]), size),
        "region": _picked(random, REGIONS, size),
    }


def _products() -> dict[str, object]:
    return {
        "product_id": pa.array([f"P{i}" for i in range(6)]),
        "product_line": pa.array([f"Line {i // 2}" for i in range(6)]),
        "model": pa.array([f"M{i}" for i in range(6)]),
    }


def _units(random: np.random.Generator, size: int, people: int) -> dict[str, object]:
    return {
        "serial_no": _names("S", np.arange(size)),
        "product_id": _picked(random, np.array([f"P{i}" for i in range(6)]), size),
        "customer_id": _names("C", random.integers(0, people, size)),
        "shipped_on": pa.array(np.full(size, np.datetime64("2023-01-01"))),
    }


def _tickets(
    random: np.random.Generator, month: Month, first: int, size: int, people: int, machines: int
) -> dict[str, object]:
    opened_at = _instants(random, month, size)
    return {
        "ticket_id": _names("T", np.arange(first, first + size)),
        "customer_id": _names("C", random.integers(0, people, size)),
        "serial_no": _names("S", random.integers(0, machines, size)),
        "ticket_type": _picked(random, TYPES, size),
        "opened_at": opened_at,
        "resolved_at": pa.array(
            opened_at.to_numpy() + random.integers(1, 200, size).astype("timedelta64[h]")
        ),
        "status": _picked(random, np.array(["closed"]), size),
        "automated": pa.array(random.random(size) < 0.1),
        "rework": pa.array(random.random(size) < 0.04),
        "region": _picked(random, REGIONS, size),
        "team": _picked(random, np.array([f"Team {i}" for i in range(40)]), size),
        "handling_hours": pa.array(np.round(random.gamma(2, 1, size), 2)),
    }


def _ledger(random: np.random.Generator, month: Month, first: int, size: int) -> dict[str, object]:
    days = random.integers(0, (month.end - month.start).days, size).astype("timedelta64[D]")
    return {
        "posting_id": _names("L", np.arange(first, first + size)),
        "posted_on": pa.array(np.datetime64(month.start) + days),
        "category": _picked(random, CATEGORIES, size),
        "amount": _cents(random, 90_000, size),
        "ticket_id": _names("T", np.arange(first, first + size)),
        "account": _picked(random, np.array(["6601.02.01", "6601.03.01"]), size),
        "posting_basis": _picked(random, np.array(["incurred"]), size),
    }


def _orders(
    random: np.random.Generator, month: Month, first: int, size: int, people: int
) -> dict[str, object]:
    return {
        "order_id": _names("O", np.arange(first, first + size)),
        "line_no": pa.array(np.ones(size, np.int64)),
        "customer_id": _names("C", random.integers(0, people, size)),
        "product_id": _picked(random, np.array([f"P{i}" for i in range(6)]), size),
        "ordered_at": _instants(random, month, size),
        "order_type": _picked(random, np.array(["product"]), size),
        "revenue": _cents(random, 900_000, size),
    }
