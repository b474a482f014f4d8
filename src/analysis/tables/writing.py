"""Writing validated rows: sorted by month and key, one Parquet file a month, named after its content."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import math
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from analysis.periods import Month
from analysis.sources.sql import literal, quoted
from analysis.tables.store import Partition

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    import pyarrow.parquet as pq

BATCH_ROWS = 122_880  # DuckDB's own row group: a reader skips whole groups by their statistics
SORTED_AT_ONCE = 1_000_000  # rows of a wide table that are sorted well within the memory the engine may use
HASHES = ("_hash_low", "_hash_high", "_origin")


@dataclass
class _Open:
    """The file of the month being written and what is known of it so far."""

    month: dt.date | None
    temporary: Path
    writer: pq.ParquetWriter
    rows: int = 0
    sums: list[int] = field(default_factory=lambda: [0] * len(HASHES))
    last_recorded_at: dt.datetime | None = None
    waiting: list[pa.Table] = field(default_factory=list)


def write_partitions(
    connection: duckdb.DuckDBPyConnection, rows: str, folder: Path, *, by_month: bool, key: Sequence[str]
) -> tuple[Partition, ...]:
    """Write the rows of the query ``rows`` below ``folder``, sorted by month and key; one month is open at a time.

    ``rows`` gives the columns to keep and the ``HASHES``: both halves of the hash of each row's content, and a hash of where the
    row came from. The content hash of a partition is the hash of the sums of the first two: it depends neither on the order of
    the rows nor on how a file is coded. The third only helps to name the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    partitions: list[Partition] = []
    current: _Open | None = None
    try:
        for month, batch in _by_month(_sorted_batches(connection, rows, by_month, key), by_month):
            if current is None or current.month != month:
                if current is not None:
                    partitions.append(_close(current, folder))
                current = _start(folder, month, batch)
            _append(current, batch)
        if current is not None:
            partitions.append(_close(current, folder))
            current = None
    finally:
        if current is not None:
            current.writer.close()
            current.temporary.unlink(missing_ok=True)
    return tuple(partitions)


def _sorted_batches(
    connection: duckdb.DuckDBPyConnection, rows: str, by_month: bool, key: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """The rows in order. Many rows are first dealt out to portions that can be sorted one at a time in bounded memory."""
    order = ", ".join(quoted(column) for column in (["month", *key] if by_month else key))
    total = int(connection.execute(f"SELECT count(*) FROM ({rows})").fetchall()[0][0])
    if total <= SORTED_AT_ONCE:
        yield from connection.sql(f"{rows} ORDER BY {order}").to_arrow_reader(BATCH_ROWS)
        return
    spill = Path(connection.execute("SELECT current_setting('temp_directory')").fetchall()[0][0])
    with TemporaryDirectory(dir=spill) as work:
        for portion in _deal_out(connection, rows, Path(work), by_month, key[0]):
            query = f"SELECT * FROM read_parquet({literal(f'{portion}/*.parquet')}, hive_partitioning = false) ORDER BY {order}"
            yield from connection.sql(query).to_arrow_reader(BATCH_ROWS)
            shutil.rmtree(portion)


def _deal_out(
    connection: duckdb.DuckDBPyConnection, rows: str, work: Path, by_month: bool, leading: str
) -> list[Path]:
    """Write rows unsorted into one folder a month and range of the key; the folders, in the order of their rows."""
    text = f"CAST({quoted(leading)} AS VARCHAR)"
    months = "CAST(month AS VARCHAR)" if by_month else "''"
    largest = connection.execute(
        f"SELECT max(n) FROM (SELECT count(*) AS n FROM ({rows}) GROUP BY {months})"
    ).fetchall()[0][0]
    edges = _range_edges(connection, rows, text, ranges=math.ceil(largest / SORTED_AT_ONCE))
    cases = "".join(f" WHEN {text} < {literal(edge)} THEN {index}" for index, edge in enumerate(edges))
    place = f"CASE{cases} ELSE {len(edges)} END" if edges else "0"
    connection.execute(f"SET partitioned_write_flush_threshold = {BATCH_ROWS}")
    connection.execute(
        f"COPY (SELECT *, {months} AS _portion, {place} AS _range FROM ({rows})) TO {literal(str(work / 'rows'))} "
        f"(FORMAT parquet, PARTITION_BY (_portion, _range))"
    )
    folders = [path for path in (work / "rows").glob("*/*") if path.is_dir()]
    return sorted(folders, key=lambda path: (path.parent.name, int(path.name.partition("=")[2])))


def _range_edges(connection: duckdb.DuckDBPyConnection, rows: str, text: str, *, ranges: int) -> list[str]:
    """Values that cut the rows into ranges of about equal size; where they lie does not change what is written."""
    if ranges == 1:
        return []
    sample = f"SELECT k FROM (SELECT {text} AS k FROM ({rows})) USING SAMPLE reservoir(10000 ROWS) ORDER BY k"
    sampled = connection.execute(sample).fetchall()
    return sorted({sampled[len(sampled) * step // ranges][0] for step in range(1, ranges)})


def _by_month(batches: Iterable[pa.RecordBatch], by_month: bool) -> Iterator[tuple[dt.date | None, pa.Table]]:
    """Batches cut where the month changes."""
    import numpy as np
    import pyarrow as pa

    for batch in batches:
        if not batch.num_rows:
            continue
        table = pa.Table.from_batches([batch])
        if not by_month:
            yield None, table
            continue
        months = table["month"].combine_chunks().cast(pa.int32()).to_numpy()
        edges = [0, *(np.flatnonzero(np.diff(months)) + 1).tolist(), len(months)]
        for start, end in itertools.pairwise(edges):
            yield table["month"][start].as_py(), table.slice(start, end - start)


def _start(folder: Path, month: dt.date | None, table: pa.Table) -> _Open:
    import pyarrow.parquet as pq

    temporary = folder / f".{month or 'all'}.{os.getpid()}"
    kept = table.drop_columns(list(HASHES)).schema
    return _Open(
        month=month, temporary=temporary, writer=pq.ParquetWriter(temporary, kept, compression="zstd")
    )


def _append(current: _Open, table: pa.Table) -> None:
    import numpy as np
    import pyarrow.compute as pc

    for index, name in enumerate(HASHES):
        total = int(np.add.reduce(table[name].to_numpy(), dtype=np.uint64))
        current.sums[index] = (current.sums[index] + total) % 2**64
    current.rows += table.num_rows
    if "recorded_at" in table.column_names:
        latest = pc.max(table["recorded_at"]).as_py()
        if latest is not None and (current.last_recorded_at is None or latest > current.last_recorded_at):
            current.last_recorded_at = latest
    current.waiting.append(table.drop_columns(list(HASHES)))
    if sum(waiting.num_rows for waiting in current.waiting) >= BATCH_ROWS:
        _write_groups(current, finished=False)


def _write_groups(current: _Open, *, finished: bool) -> None:
    """Row groups of one size, however the rows came; so that the same rows give the same bytes."""
    import pyarrow as pa

    table = pa.concat_tables(current.waiting)
    ready = table.num_rows if finished else table.num_rows - table.num_rows % BATCH_ROWS
    if ready:
        current.writer.write_table(table.slice(0, ready).combine_chunks(), row_group_size=BATCH_ROWS)
    current.waiting = [table.slice(ready)]


def _close(current: _Open, folder: Path) -> Partition:
    """Give the finished file its name; a file of that name already holds the same rows from the same sources."""
    _write_groups(current, finished=True)
    current.writer.close()
    low, high, origin = current.sums
    content_hash = hashlib.sha256(f"{current.rows}:{low:016x}:{high:016x}".encode()).hexdigest()
    name = hashlib.sha256(f"{content_hash}:{origin:016x}".encode()).hexdigest()[:12]
    month = Month.parse(current.month) if current.month else None
    path = folder / f"{month or 'all'}.{name}.parquet"
    current.temporary.replace(path)
    return Partition(
        month=month,
        path=path,
        rows=current.rows,
        content_hash=content_hash,
        last_recorded_at=current.last_recorded_at,
    )
