"""Cohorts and survival of millions of customers from aggregates: ``python -m bench retention [customers …]``.

The engine reads customers, contracts and orders as they lie on disk and hands on counts by distinct pattern; the estimators work on those.
Each size runs in a process of its own, whose peak memory is stated. Beside it, on the same rows: lifelines for the durations, one row a customer, and
idiomatic pandas for the cohorts. A peer that the machine cannot hold is said to have failed.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from analysis.periods import Month
from analysis.tables import contract
from analysis.tables.store import Partition
from bench.company import ARROW, LAST, opened

MONTHS = 60
ORDERS_EACH = 2


def _write(
    folder: Path, name: str, values: dict[str, np.ndarray | pa.Array], month: Month | None = None
) -> Partition:
    import pyarrow.parquet as pq

    path = folder / f"{name}{'' if month is None else f'-{month}'}.parquet"
    rows = len(next(iter(values.values())))
    columns = contract().tables[name].columns
    arrays, names = [], []
    for column, entry in columns.items():
        kind = ARROW[entry.type]
        found = values.get(column)
        if found is not None and pa.types.is_decimal(kind):
            found = pa.array(found).cast(pa.decimal128(21, 2))
        arrays.append(pa.nulls(rows, kind) if found is None else pa.array(found).cast(kind))
        names.append(column)
    if "month" not in columns and month is not None:
        arrays.append(pa.array([month.start] * rows, pa.date32()))
        names.append("month")
    pq.write_table(pa.table(arrays, names=names), path, compression="zstd")
    return Partition(month=month, path=path, rows=rows, content_hash=path.stem, last_recorded_at=None)


def build(folder: Path, customers: int) -> None:
    """Customers with one yearly contract each, renewed until lost, and two orders a customer; written once."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(20261031)
    first = np.datetime64((LAST - (MONTHS - 1)).start)
    end = np.datetime64(LAST.end)
    span = int((end - first).astype(int))
    numbers = np.arange(customers)
    began = random.integers(0, span - 1, customers)
    life = np.ceil(1100 * random.exponential(1.0, customers)).astype(np.int64)
    lost = began + life < span
    identity = np.char.add("C", numbers.astype(str))
    ends = np.where(lost, began + life, span + 300)
    day = first + began.astype("timedelta64[D]")
    last = first + ends.astype("timedelta64[D]")
    types = np.where(numbers % 5 == 0, "b2b", "b2c")
    _write(
        folder,
        "customers",
        {
            "customer_id": identity,
            "customer_type": types,
            "segment": np.where(numbers % 3 == 0, "gold", "standard"),
        },
    )
    _write(
        folder,
        "contracts",
        {
            "contract_id": identity,
            "term_no": np.ones(customers, np.int64),
            "customer_id": identity,
            "kind": np.full(customers, "subscription"),
            "starts_on": day,
            "ends_on": last,
            "amount": np.full(customers, 100),
        },
    )
    per_month = customers * ORDERS_EACH // MONTHS
    for back in range(MONTHS - 1, -1, -1):
        month = LAST - back
        who = random.integers(0, customers, per_month)
        clock = np.datetime64(month.start) + random.integers(0, 28 * 86400, per_month).astype(
            "timedelta64[s]"
        )
        _write(
            folder,
            "orders",
            {
                "order_id": np.char.add(f"O{month}-", np.arange(per_month).astype(str)),
                "customer_id": np.char.add("C", who.astype(str)),
                "ordered_at": clock.astype("datetime64[us]"),
                "order_type": np.full(per_month, "product"),
                "revenue": np.full(per_month, 250),
                "gross_margin": np.full(per_month, 90),
            },
            month,
        )


def measure(folder: Path) -> dict[str, float]:
    """Seconds of each part and peak memory, in this process."""
    import datetime as dt

    import pyarrow.parquet as pq

    from analysis import stats
    from analysis.metrics import Engine, Registry
    from analysis.params import CostTree
    from analysis.retention import views
    from analysis.retention.cohorts import cohort_differences, finished
    from analysis.retention.cohorts_facts import last_steps

    tables: dict[str, list[Partition]] = {}
    for path in sorted(folder.glob("*.parquet")):
        name, _, month = path.stem.partition("-")
        tables.setdefault(name, []).append(
            Partition(
                month=Month.parse(month) if month else None,
                path=path,
                rows=pq.read_metadata(path).num_rows,
                content_hash=path.stem,
                last_recorded_at=None,
            )
        )
    engine = Engine(
        opened(tables),
        Registry.load(),
        cost_tree=CostTree.load(),
        as_of=LAST.end + dt.timedelta(days=9),
        time_zone="Asia/Shanghai",
        currency="CNY",
        confidence=0.95,
        cache=None,
    )
    seconds: dict[str, float] = {}
    few = np.arange(1.0, 20.0)  # imports are not what is measured
    stats.kaplan_meier(few, few > 3)
    stats.log_rank(few, few > 3, np.where(few % 2 > 0, "a", "b"))
    start = time.perf_counter()
    cutoff = LAST.end
    contracts = views.contract_spells(cutoff)
    engine.query(f"WITH {contracts} SELECT count(*) FROM spells")
    seconds["spells"] = time.perf_counter() - start
    start = time.perf_counter()
    lives = views.lifetimes(contracts, cutoff, observed_from=dt.date(2000, 1, 1))
    rows = engine.query(views.life_patterns(lives))
    seconds["grouping"] = time.perf_counter() - start
    start = time.perf_counter()
    curve = stats.kaplan_meier(rows["duration"], rows["lost"], weights=rows["customers"])
    stats.log_rank(
        rows["duration"], rows["lost"], rows["segment"].to_numpy(dtype=str), weights=rows["customers"]
    )
    seconds["survival"] = time.perf_counter() - start
    start = time.perf_counter()
    orders = engine.materialise(
        "cohort_orders", views.cohort_orders(cutoff, period="quarter", types=["product"])
    )
    members = views.cohort_members(orders, "acquisition", cutoff, period="quarter", types=["product"])
    frame = engine.query(views.purchase_cohorts(members, orders)).rename(columns={"entered": "cohort"})
    whole, running = last_steps(LAST, "quarter")
    sizes = frame[frame["age"].isna()].set_index("cohort")["active"]
    size = sizes.to_frame("size").assign(earliest=sizes.index, latest=sizes.index)
    counts = (
        frame[frame["age"].notna()]
        .drop(columns="label")
        .astype({"age": "int64", "revenue": "float64", "margin": "float64"})
    )
    matrix = finished(counts, size, whole=whole, running=running, level=0.95)
    cohort_differences(matrix, age=4)
    seconds["cohorts"] = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return seconds | {
        "peak_mb": peak,
        "patterns": float(len(rows)),
        "at_a_year": float(curve.at([365])["survival"].iloc[0]),
        "customers": float(rows["customers"].sum()),
        "active": float(counts["active"].sum()),
        "orders": float(counts["orders"].sum()),
    }


def pandas_cohorts(folder: Path) -> dict[str, float]:
    """The same cohorts by pandas, from the columns they need."""
    import pandas as pd

    start = time.perf_counter()
    columns = ["customer_id", "order_id", "ordered_at", "revenue", "gross_margin"]
    orders = pd.concat(
        [pd.read_parquet(path, columns=columns) for path in sorted(folder.glob("orders-*.parquet"))],
        ignore_index=True,
    )
    orders[["revenue", "gross_margin"]] = orders[["revenue", "gross_margin"]].astype(float)
    orders["step"] = (
        orders.pop("ordered_at")
        .dt.tz_localize("UTC")
        .dt.tz_convert("Asia/Shanghai")
        .dt.tz_localize(None)
        .dt.to_period("Q")
        .astype("int64")
    )
    orders["entered"] = orders.groupby("customer_id")["step"].transform("min")
    orders["age"] = orders["step"] - orders["entered"]
    found = orders.groupby(["entered", "age"]).agg(
        active=("customer_id", "nunique"),
        orders=("order_id", "nunique"),
        revenue=("revenue", "sum"),
        margin=("gross_margin", "sum"),
    )
    return {
        "seconds": time.perf_counter() - start,
        "active": float(found["active"].sum()),
        "orders": float(found["orders"].sum()),
    }


def lifelines_rows(folder: Path, target: Path) -> None:
    """Durations of all customers, one row each, for the peer."""
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "contracts.parquet", columns=["starts_on", "ends_on"])
    starts, ends = (table[name].to_numpy().astype("datetime64[D]") for name in ("starts_on", "ends_on"))
    cutoff = np.datetime64(LAST.end)
    lost = ends + 1 < cutoff
    duration = (np.where(lost, ends + 1, cutoff) - starts).astype("timedelta64[D]").astype(float)
    np.savez(
        target,
        durations=duration,
        events=lost.astype(float),
        group=(np.arange(len(lost)) % 3 == 0).astype(float),
    )


def alone(command: list[str]) -> tuple[dict[str, float], float] | None:
    """What a process of its own printed last, and its peak memory in MB; None when it failed."""
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        lines = out.read().splitlines()
    return None if child.returncode or not lines else (json.loads(lines[-1]), used.ru_maxrss / 1024)


def beside(folder: Path, ours: dict[str, float]) -> None:
    """The peers' lines."""
    from bench.models import PEER, peer_python

    with tempfile.TemporaryDirectory() as scratch:
        lifelines_rows(folder, Path(scratch) / "rows.npz")
        survival = alone([str(peer_python()), str(PEER), "survival", f"{scratch}/rows.npz"])
    if survival is None:
        print("    lifelines failed at this size")
    else:
        found, peak = survival
        whole, gap = ours["grouping"] + ours["survival"], abs(found["log_likelihood"] - ours["at_a_year"])
        print(
            f"    lifelines from rows in memory: {found['seconds']:.1f} s, {found['seconds'] / ours['survival']:.0f}× the estimators, {found['seconds'] / whole:.1f}× with the grouping from disk; "
            f"{peak:,.0f} MB; survival after a year differs by {gap:.0e}",
            flush=True,
        )
    cohorts = alone([sys.executable, "-m", "bench.retention", "--pandas", str(folder)])
    if cohorts is None:
        print("    pandas failed at this size")
    else:
        found, peak = cohorts
        same = (
            "the same counts"
            if (found["active"], found["orders"]) == (ours["active"], ours["orders"])
            else f"OTHER counts: {found}"
        )
        print(
            f"    cohorts by pandas: {found['seconds']:.1f} s, {found['seconds'] / ours['cohorts']:.1f}× ours; {peak:,.0f} MB, {peak / ours['peak_mb']:.1f}× ours; {same}",
            flush=True,
        )


def main() -> None:
    arguments = sys.argv[1:]
    if arguments and arguments[0] in ("--measure", "--pandas"):
        print(
            json.dumps({"--measure": measure, "--pandas": pandas_cohorts}[arguments[0]](Path(arguments[1])))
        )
        return
    for customers in [int(one) for one in arguments] or [1_000_000]:
        folder = Path(tempfile.gettempdir()) / f"after-sales-bench-retention-{customers}"
        if not (folder / "contracts.parquet").exists():
            build(folder, customers)
        done = subprocess.run(
            [sys.executable, "-m", "bench.retention", "--measure", str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        found = json.loads(done.stdout.splitlines()[-1])
        print(
            f"  {customers:,} customers: spells {found['spells']:.1f} s, grouping to {found['patterns']:,.0f} patterns {found['grouping']:.1f} s, Kaplan–Meier and log-rank {found['survival']:.2f} s, cohorts of {customers * ORDERS_EACH:,} orders {found['cohorts']:.1f} s; peak {found['peak_mb']:,.0f} MB",
            flush=True,
        )
        beside(folder, found)


if __name__ == "__main__":
    main()
