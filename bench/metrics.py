"""The monthly metrics against idiomatic pandas and against a bare scan of the same columns, each in a process of its own.

python -m bench.metrics 200000 2000000 20000000
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COST_BY = ("category", "product_line", "region")
SERVICE_BY = ("ticket_type", "product_line", "region")
SERVICE = ("service_orders", "complaints", "automated_orders", "rework_orders", "handling_hours_total")
SCANNED = {
    "tickets": [
        "ticket_id",
        "month",
        "ticket_type",
        "serial_no",
        "customer_id",
        "region",
        "automated",
        "rework",
        "handling_hours",
        "status",
    ],
    "ledger": ["ticket_id", "month", "category", "amount", "account", "posting_basis", "posted_on"],
    "orders": ["month", "product_id", "customer_id", "revenue"],
    "units": ["serial_no", "product_id"],
    "customers": ["customer_id", "customer_type", "region"],
}


def ours(folder: Path, cache: Path, months: int | None = None) -> object:
    """Cost, service and sales aggregates of every month through the engine; ``months`` leaves out the newest for a warm start."""
    import datetime as dt

    from analysis.metrics import Engine, Period, Registry
    from analysis.params import CostTree
    from bench.company import LAST, MONTHS, build, opened

    tables = build(folder, _tickets_in(folder))
    if months is not None:
        kept = {
            name: [p for p in info.partitions if p.month is None or p.month <= LAST - (MONTHS - months)]
            for name, info in tables.tables.items()
        }
        tables = opened(kept)
    engine = Engine(
        tables,
        Registry.load(),
        cost_tree=CostTree.load(),
        as_of=dt.date(2026, 11, 30),
        time_zone="Asia/Shanghai",
        currency="CNY",
        confidence=0.95,
        cache=cache,
    )
    start = time.perf_counter()
    span = Period(LAST - (MONTHS - 1), LAST)
    cost = engine.aggregate("incurred_cost", by=COST_BY, period=span)
    service = engine.aggregate(*SERVICE, by=SERVICE_BY, period=span)
    sales = engine.aggregate("revenue_total", by=("product_line", "region"), period=span)
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "check": [
            str(cost["incurred_cost"].sum()),
            int(service["complaints"].sum()),
            str(sales["revenue_total"].sum()),
        ],
    }


def pandas_way(folder: Path) -> object:
    """The same numbers as an analyst would write them: read the columns needed, merge, group."""
    import pandas as pd

    start = time.perf_counter()
    read = {
        name: pd.concat(
            [pd.read_parquet(path, columns=columns) for path in sorted(folder.glob(f"{name}*.parquet"))],
            ignore_index=True,
        )
        for name, columns in SCANNED.items()
    }
    products = pd.read_parquet(folder / "products.parquet", columns=["product_id", "product_line"])
    tickets = (
        read["tickets"]
        .merge(read["units"], on="serial_no", how="left")
        .merge(products, on="product_id", how="left")
    )
    tickets = tickets.merge(
        read["customers"].rename(columns={"region": "customer_region"}), on="customer_id", how="left"
    )
    tickets["region"] = tickets["region"].fillna(tickets["customer_region"])
    tickets = tickets[tickets["status"] != "cancelled"]
    tickets = tickets.assign(complaint=tickets["ticket_type"] == "complaint")
    service = tickets.groupby(["month", *SERVICE_BY], dropna=False, as_index=False).agg(
        service_orders=("ticket_id", "size"),
        complaints=("complaint", "sum"),
        automated_orders=("automated", "sum"),
        rework_orders=("rework", "sum"),
        handling_hours_total=("handling_hours", "sum"),
    )
    ledger = read["ledger"][read["ledger"]["posting_basis"].isin(["incurred", "recovery"])]
    ledger = ledger.assign(cents=(ledger["amount"].astype("float64") * 100).round().astype("int64"))
    ledger = ledger.merge(tickets[["ticket_id", "product_line", "region"]], on="ticket_id", how="left")
    cost = ledger.groupby(["month", *COST_BY], dropna=False, as_index=False)["cents"].sum()
    orders = (
        read["orders"]
        .merge(products, on="product_id", how="left")
        .merge(read["customers"], on="customer_id", how="left")
    )
    orders = orders.assign(cents=(orders["revenue"].astype("float64") * 100).round().astype("int64"))
    sales = orders.groupby(["month", "product_line", "region"], dropna=False, as_index=False)["cents"].sum()
    seconds = time.perf_counter() - start
    from decimal import Decimal

    def money(total: int) -> str:
        return str(Decimal(int(total)).scaleb(-2))

    return {
        "seconds": seconds,
        "check": [money(cost["cents"].sum()), int(service["complaints"].sum()), money(sales["cents"].sum())],
    }


def scan(folder: Path) -> object:
    """Only reading the columns: what no engine can undercut without keeping results."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    start = time.perf_counter()
    for table, columns in SCANNED.items():
        hashed = ", ".join(f"max(hash({column}))" for column in columns)
        connection.execute(f"SELECT {hashed} FROM read_parquet('{folder}/{table}*.parquet')").fetchall()
    return {"seconds": time.perf_counter() - start}


def _tickets_in(folder: Path) -> int:
    return int(folder.name)


def _in_a_process(what: str, folder: Path, *more: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.metrics", "--one", what, str(folder), *more],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{what}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def measure(tickets: int, work: Path) -> None:
    from bench.company import MONTHS, build

    folder = work / str(tickets)
    build(folder, tickets)
    cache = work / f"cache-{tickets}"
    shutil.rmtree(cache, ignore_errors=True)
    scratch = _in_a_process("ours", folder, str(cache))
    again = _in_a_process("ours", folder, str(cache))
    shutil.rmtree(cache, ignore_errors=True)
    _in_a_process("ours", folder, str(cache), str(MONTHS - 1))
    following = _in_a_process("ours", folder, str(cache))
    bare, peer = _in_a_process("scan", folder), _in_a_process("pandas", folder)
    if scratch["check"] != peer["check"]:
        raise SystemExit(f"{tickets:,} tickets: the engines disagree: {scratch['check']} and {peer['check']}")

    def ratio(name: str, ours: dict[str, object], other: dict[str, object], key: str = "seconds") -> str:
        return f"{float(other[key]) / max(float(ours[key]), 1e-9):6.1f}× {name}"  # type: ignore[arg-type]

    print(
        f"{tickets:>12,} tickets: {ratio('faster than pandas', scratch, peer)}; {ratio('memory of ours, pandas', scratch, peer, 'peak_mib')}; "
        f"peak {scratch['peak_mib']:.0f} MiB; {float(scratch['seconds']) / float(bare['seconds']):.1f}× a bare scan; "
        f"{ratio('faster next month', following, scratch)}; {ratio('faster unchanged', again, scratch)}"
    )  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tickets", nargs="*", type=int, default=[200_000, 2_000_000])
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument(
        "--work", type=Path, default=None, help="folder for the made tables (default: a temporary one)"
    )
    options = parser.parse_args()
    if options.one:
        what, folder, *more = options.one
        result = {
            "ours": lambda: ours(Path(folder), Path(more[0]), int(more[1]) if len(more) > 1 else None),
            "pandas": lambda: pandas_way(Path(folder)),
            "scan": lambda: scan(Path(folder)),
        }[what]()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({**result, "peak_mib": peak}))  # type: ignore[dict-item]
        return
    work = options.work or Path(tempfile.mkdtemp(prefix="after-sales-bench-"))
    try:
        for tickets in options.tickets:
            measure(tickets, work)
    finally:
        if options.work is None:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
