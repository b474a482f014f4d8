"""Writing validated rows: sorted by month and key, one Parquet file a month, named after its content."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.periods import Month
from analysis.tables.store import Partition

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    import pyarrow.parquet as pq

BATCH_ROWS = 122_880  # DuckDB's own row group: a reader skips whole groups by their statistics
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


def write_partitions(
    connection: duckdb.DuckDBPyConnection, query: str, folder: Path, *, by_month: bool
) -> tuple[Partition, ...]:
    """Write the rows of ``query`` (sorted by month, then key) below ``folder``; one month is open at a time.

    ``query`` gives the columns to keep and the ``HASHES``: both halves of the hash of each row's content, and a hash of where the
    row came from. The content hash of a partition is the hash of the sums of the first two: it depends neither on the order of
    the rows nor on how a file is coded. The third only helps to name the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    reader = connection.sql(query).to_arrow_reader(BATCH_ROWS)
    partitions: list[Partition] = []
    current: _Open | None = None
    try:
        for month, batch in _by_month(reader, by_month):
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


def _by_month(reader: pa.RecordBatchReader, by_month: bool) -> Iterator[tuple[dt.date | None, pa.Table]]:
    """Batches cut where the month changes."""
    import numpy as np
    import pyarrow as pa

    for batch in reader:
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
    current.writer.write_table(table.drop_columns(list(HASHES)), row_group_size=BATCH_ROWS)


def _close(current: _Open, folder: Path) -> Partition:
    """Give the finished file its name; a file of that name already holds the same rows from the same sources."""
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
