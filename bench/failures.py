"""The failure study of millions of machines from aggregates: ``python -m bench failures [machines …]``.

Machines, twice as many service orders, and a posting for each repair are written by DuckDB straight to Parquet, the same at every call. One batch
fails more often in one component. The whole study then runs in a process of its own, whose peak memory is stated, and the Weibull fit of one component
(machines enter and leave at their own ages) is held against the usual library on the same rows, at a size that the library can hold.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from analysis.periods import Month
from analysis.tables import contract
from analysis.tables.store import Partition
from bench.company import LAST, opened

MONTHS, MADE_MONTHS = 36, 60
ORDERS_EACH = 2
PEER_ROWS = 400_000
BATCHES = 10  # a month of production
BAD_BATCH, BAD_PART = "B333", "pump"
SQL = {
    "string": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "integer": "BIGINT",
    "decimal": "DECIMAL(18, 2)",
    "float": "DOUBLE",
    "boolean": "BOOLEAN",
}


def _chance(number: str, salt: int) -> str:
    """A number between 0 and 1 that depends on ``number`` and on what it is for, alone."""
    return f"((hash({number} * 64 + {salt}) >> 11) / 9007199254740992.0)"


def _one_of(prefix: str, number: int, salt: int) -> str:
    return f"'{prefix}' || CAST(floor({_chance('i', salt)} * {number}) AS INTEGER)"


def _machines(machines: int) -> str:
    """Everything known of machine ``i``; machines are numbered as they were made. A batch is of one model and one plant, with parts of any supplier."""
    first = (LAST - (MADE_MONTHS - 1)).start
    made = f"CAST(floor(i * {MADE_MONTHS}.0 / {machines}) AS INTEGER)"
    return f"""
SELECT *, 'B' || lpad(CAST(lot AS VARCHAR), 3, '0') AS batch, 'P' || (lot % 6) AS product_id, 'Plant ' || (lot % 3) AS plant
FROM (SELECT i, 'S' || i AS serial_no, 'C' || (hash(i * 64 + 20) % {machines // 2}) AS customer_id, {BATCHES} * {made} + CAST(hash(i * 64 + 21) % {BATCHES} AS INTEGER) AS lot,
             {_one_of("Supplier ", 4, 2)} AS supplier, {_one_of("Region ", 5, 4)} AS region,
             CAST(DATE '{first}' + to_months({made}) AS DATE) + CAST(floor({_chance("i", 5)} * 27) AS INTEGER) AS produced_on
      FROM range({machines}) t(i))"""


def _serviced(machines: int) -> str:
    return f"""
SELECT *, produced_on + 5 AS shipped_on, produced_on + 5 + CAST(floor({_chance("i", 6)} * 25) AS INTEGER) AS in_service_on,
       CASE WHEN {_chance("i", 7)} < 0.02 THEN produced_on + 400 + CAST(floor({_chance("i", 8)} * 900) AS INTEGER) END AS retired_on
FROM ({_machines(machines)})"""


def _orders(machines: int, month: Month, first: int, orders: int) -> str:
    """Service orders of a month, all on machines that were made three months earlier at least; the bad batch has repairs where others ask."""
    index = MADE_MONTHS - 1 - LAST.months_since(month)
    eligible = machines * (index - 2) // MADE_MONTHS
    days = (month.end - month.start).days
    return f"""
SELECT t.n, m.serial_no, m.customer_id, m.product_id, m.region, m.batch, t.part, TIMESTAMP '{month.start}' + to_seconds(CAST(floor(t.at * {days * 86_400}) AS BIGINT)) AS opened_at,
       t.late, t.kind < 0.45 OR (m.batch = '{BAD_BATCH}' AND t.part = '{BAD_PART}') AS repair, t.kind
FROM (SELECT n, hash(n * 64 + 22) % {eligible} AS i, {_chance("n", 10)} AS at, CAST(floor({_chance("n", 11)} * {_chance("n", 12)} * 20) AS INTEGER) AS late,
             {_chance("n", 13)} AS kind,
             CASE floor({_chance("n", 14)} * 5) WHEN 0 THEN 'pump' WHEN 1 THEN 'board' WHEN 2 THEN 'valve' WHEN 3 THEN 'fan' ELSE 'sensor' END AS part
      FROM range({first}, {first + orders}) r(n)) t JOIN machines m ON m.i = t.i"""


def _select(table: str, values: dict[str, str], source: str) -> str:
    """All columns of the contract, in its order and types; what the bench does not fill is empty."""
    columns = [
        f"CAST({values.get(name, 'NULL')} AS {SQL[entry.type]}) AS {name}"
        for name, entry in contract().tables[table].columns.items()
    ]
    columns += [f"{values[name]} AS {name}" for name in ("month", "time_order_fault") if name in values]
    return f"SELECT {', '.join(columns)} FROM {source}"


def build(folder: Path, machines: int) -> None:
    """Written once; a second call reads what the first wrote."""
    import duckdb

    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    connection.execute("SET memory_limit = '2GB'")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute(f"SET temp_directory = '{folder}/spill'")

    def write(name: str, sql: str) -> None:
        connection.execute(f"COPY ({sql}) TO '{folder}/{name}.parquet' (FORMAT parquet, COMPRESSION zstd)")

    write(
        "products",
        _select(
            "products",
            {"product_id": "'P' || i", "product_line": "'Line ' || (i // 2)", "model": "'M' || i"},
            "range(6) t(i)",
        ),
    )
    write(
        "customers",
        _select(
            "customers", {"customer_id": "'C' || i", "customer_type": "'b2c'"}, f"range({machines // 2}) t(i)"
        ),
    )
    connection.execute(f"CREATE TABLE machines AS {_serviced(machines)}")
    named = (
        "serial_no",
        "product_id",
        "customer_id",
        "batch",
        "supplier",
        "plant",
        "region",
        "produced_on",
        "shipped_on",
        "in_service_on",
        "retired_on",
    )
    write(
        "units",
        _select(
            "units", {name: name for name in named} | {"warranty_end": "in_service_on + 730"}, "machines"
        ),
    )
    each = machines * ORDERS_EACH // MONTHS
    for k in range(MONTHS):
        month = LAST - (MONTHS - 1 - k)
        connection.execute(
            f"CREATE OR REPLACE TEMPORARY TABLE orders_of_month AS {_orders(machines, month, k * each, each)}"
        )
        tickets = {
            "ticket_id": "'T' || n",
            "customer_id": "customer_id",
            "serial_no": "serial_no",
            "ticket_type": "CASE WHEN repair THEN 'repair' WHEN kind < 0.6 THEN 'complaint' ELSE 'inquiry' END",
            "opened_at": "opened_at",
            "resolved_at": "opened_at + to_hours(48)",
            "resolved": "true",
            "fault_code": "CASE WHEN repair THEN 'F-' || part END",
            "component": "CASE WHEN repair THEN part END",
            "region": "region",
            "status": "'closed'",
            "failed_on": "CASE WHEN repair THEN CAST(opened_at AS DATE) - late END",
            "confirmed_failure": "CASE WHEN repair THEN true END",
            "in_warranty": "kind < 0.3",
            "handling_hours": "1.5",
            "month": f"DATE '{month.start}'",
            "time_order_fault": "false",
        }
        write(f"tickets-{month}", _select("tickets", tickets, "orders_of_month"))
        postings = {
            "posting_id": "'L' || n",
            "posted_on": "CAST(opened_at AS DATE)",
            "category": "'parts'",
            "amount": f"100 + floor({_chance('n', 23)} * 90000) / 100",
            "ticket_id": "'T' || n",
            "account": "'6601.02.01'",
            "posting_basis": "'incurred'",
            "month": f"DATE '{month.start}'",
        }
        write(f"ledger-{month}", _select("ledger", postings, "orders_of_month WHERE repair"))
    connection.close()


def inputs_of(folder: Path) -> Any:
    import datetime as dt

    import pyarrow.parquet as pq

    from analysis.metrics import Engine, Registry, StudyInputs
    from analysis.params import Assumptions, CostTree, load_run

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
    params = load_run("sample", month=str(LAST))
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
    return StudyInputs(
        engine=engine,
        month=params.month,
        params=params,
        assumptions=Assumptions.load(),
        cost_tree=engine.cost_tree,
    )


def measure(folder: Path) -> dict[str, Any]:
    """Seconds and peak memory of what the search and the life fits need: aggregates by attributes, month and age, then Weibull by component."""
    from analysis.failures import lives, localising
    from analysis.failures.baseline import Baseline
    from analysis.failures.field import Field

    start = time.perf_counter()
    field = Field.of(inputs_of(folder))
    cells = localising.cells_of(field, Baseline.of(field))
    aggregates = time.perf_counter() - start
    start = time.perf_counter()
    fitted, _ = lives.component_lives(field)
    return {
        "aggregates": aggregates,
        "lives": time.perf_counter() - start,
        "peak_mb": _peak(),
        "cells": len(cells.frame),
        "failures": sum(life.failures for life in fitted),
        "components": len(fitted),
    }


def study(folder: Path) -> dict[str, Any]:
    """The whole study, in a process of its own."""
    from analysis import failures

    start = time.perf_counter()
    found = failures.study(inputs_of(folder))
    assert isinstance(found, failures.FailureStudy)
    top = (
        []
        if not found.causes
        else [*found.causes[0].cause.attributes.items(), found.causes[0].cause.component]
    )
    return {"seconds": time.perf_counter() - start, "peak_mb": _peak(), "top": top}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def against_the_library(folder: Path) -> dict[str, float]:
    """One component's lives as the study fits them, and the same rows one by one in the library."""
    from analysis.failures import lives
    from analysis.failures.field import Field
    from analysis.stats import fit_weibull
    from bench.models import PEER, peer_python

    field = Field.of(inputs_of(folder))
    start = time.perf_counter()
    watched, ages = lives.stays(field), lives.failure_ages(field)
    part = ages[ages["component"] == BAD_PART]
    grouping = time.perf_counter() - start
    failed = (part["age_days"].to_numpy(dtype=float) + 0.5) / lives.DAYS_PER_MONTH
    begin, end = (
        watched[name].to_numpy(dtype=float) / lives.DAYS_PER_MONTH for name in ("begin_days", "end_days")
    )
    counts = np.r_[part["failures"].to_numpy(), watched["machines"].to_numpy()].astype(int)
    rows = {
        "durations": np.r_[failed, end],
        "events": np.r_[np.ones(len(failed)), np.zeros(len(end))],
        # a failure enters just before its own age; the library needs a gap that it can see
        "entry": np.r_[failed * (1 - 1e-6), begin],
    }
    start = time.perf_counter()
    fit = fit_weibull(rows["durations"], rows["events"], entry=rows["entry"], weights=counts.astype(float))
    seconds = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as scratch:
        np.savez(f"{scratch}/rows.npz", **{name: np.repeat(values, counts) for name, values in rows.items()})
        done = subprocess.run(
            [str(peer_python()), str(PEER), "weibull_entry", f"{scratch}/rows.npz"],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    other = json.loads(done.stdout.splitlines()[-1])
    return {
        "rows": float(counts.sum()),
        "patterns": float(len(counts)),
        "grouping": grouping,
        "fit": seconds,
        "log_likelihood": float(fit.log_likelihood),
        "shape": fit.shape,
        "library": other["seconds"],
        "library_log_likelihood": other["log_likelihood"],
    }


def main() -> None:
    arguments = sys.argv[1:]
    if arguments and arguments[0] == "--measure":
        print(json.dumps(measure(Path(arguments[1]))))
        return
    if arguments and arguments[0] == "--study":
        print(json.dumps(study(Path(arguments[1]))))
        return
    if arguments and arguments[0] == "--build":
        build(Path(arguments[1]), int(arguments[2]))
        return
    for machines in [int(one) for one in arguments] or [1_000_000]:
        with tempfile.TemporaryDirectory(prefix="after-sales-bench-failures-") as folder:
            _in_a_process("--build", folder, str(machines))
            found = json.loads(_in_a_process("--measure", folder).splitlines()[-1])
            try:
                done = json.loads(_in_a_process("--study", folder).splitlines()[-1])
                whole = f"whole study {done['seconds']:.1f} s, peak {done['peak_mb']:,.0f} MiB; first cause {done['top']}"
            except SystemExit as refused:  # a size that does not fit is a result too
                whole = f"whole study not made: {str(refused).strip().splitlines()[-1]}"
        print(
            f"  {machines:,} machines, {machines * ORDERS_EACH:,} service orders, {found['failures']:,} failures: aggregates of {found['cells']:,} cells {found['aggregates']:.1f} s, "
            f"Weibull of {found['components']} components {found['lives']:.1f} s, peak {found['peak_mb']:,.0f} MiB; {whole}",
            flush=True,
        )
    with tempfile.TemporaryDirectory(prefix="after-sales-bench-failures-") as folder:
        build(Path(folder), PEER_ROWS)
        other = against_the_library(Path(folder))
    gap = abs(other["library_log_likelihood"] - other["log_likelihood"]) / abs(other["log_likelihood"])
    print(
        f"  Weibull with entry ages, {other['rows']:,.0f} rows, {other['patterns']:,.0f} distinct: {other['library'] / other['fit']:.0f}× faster than lifelines ({other['fit']:.2f} s against "
        f"{other['library']:.1f} s), {other['library'] / (other['fit'] + other['grouping']):.0f}× with the grouping from disk; log-likelihoods differ by {gap:.1e}"
    )


def _in_a_process(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bench.failures", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return done.stdout


if __name__ == "__main__":
    main()
