"""Text columns into a Parquet file, row by row, so that what streams in need not be held."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow.parquet as pq

BATCH_ROWS = 20_000


class TextParquet:
    """A Parquet file of text columns, written row by row in batches."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path, self.columns = path, tuple(columns)
        self._waiting: list[Sequence[str]] = []
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> TextParquet:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._writer = pq.ParquetWriter(
            self.path, pa.schema([(column, pa.string()) for column in self.columns])
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        if self._writer is not None:
            self._writer.close()

    def write(self, row: Sequence[str]) -> None:
        self._waiting.append(row)
        if len(self._waiting) >= BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._waiting and self._writer is not None:
            columns = zip(*self._waiting, strict=True)
            self._writer.write_table(
                pa.table([pa.array(column, pa.string()) for column in columns], names=list(self.columns))
            )
            self._waiting = []
