"""The engine behind the metrics: DuckDB, kept behind one small class so that another engine can take its place.

Every query of the package is written once in DuckDB's dialect, inside the subset that sqlglot carries over to Spark
(:func:`transpiled`). Right of the tables nothing else imports duckdb: ``sources`` and ``tables`` read and prove with it whatever the
engine is, and ``report.checks`` reads with it what they keep.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from analysis.sources.quiet import silence
from analysis.sources.sql import literal as literal
from analysis.sources.sql import quoted as quoted

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def transpiled(sql: str, dialect: str) -> str:
    """The same query in another engine's dialect (``spark``)."""
    import sqlglot

    return sqlglot.transpile(sql, read="duckdb", write=dialect)[0]


class Database(Protocol):
    """What the metrics ask of an engine. SQL arrives in DuckDB's dialect."""

    def register_parquet(
        self,
        name: str,
        files: Sequence[Path],
        *,
        where: str = "",
        replace_columns: dict[str, str] | None = None,
    ) -> None: ...
    def register_frame(self, name: str, frame: pa.Table) -> None: ...
    def create_view(self, name: str, sql: str) -> None: ...
    def create_table(self, name: str, sql: str) -> None: ...
    def arrow(self, sql: str) -> pa.Table: ...
    def frame(self, sql: str) -> pd.DataFrame: ...
    def one(self, sql: str) -> tuple[Any, ...]: ...


class DuckDB:
    """An in-memory DuckDB that reads Parquet; two threads and a memory limit unless the environment says otherwise."""

    dialect = "duckdb"

    def __init__(self) -> None:
        import duckdb

        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        silence(self._connection)
        self._connection.execute(f"SET threads = {int(os.environ.get('AFTER_SALES_THREADS', '2'))}")
        self._connection.execute(
            f"SET memory_limit = {literal(os.environ.get('AFTER_SALES_MEMORY', '1500MB'))}"
        )
        self._connection.execute("SET preserve_insertion_order = false")
        # what does not fit in memory must not appear in the folder a notebook was opened from
        self._connection.execute(
            f"SET temp_directory = {literal(str(Path(tempfile.gettempdir()) / f'after-sales-{os.getpid()}'))}"
        )

    def register_parquet(
        self,
        name: str,
        files: Sequence[Path],
        *,
        where: str = "",
        replace_columns: dict[str, str] | None = None,
    ) -> None:
        """A table made of Parquet files; ``where`` and ``replace_columns`` cut it to what was known."""
        listed = ", ".join(literal(str(file)) for file in files)
        replaced = ", ".join(
            f"{expression} AS {quoted(column)}" for column, expression in (replace_columns or {}).items()
        )
        columns = f"* REPLACE ({replaced})" if replaced else "*"
        condition = f" WHERE {where}" if where else ""
        self._connection.execute(
            f"CREATE OR REPLACE VIEW {quoted(name)} AS SELECT {columns} FROM read_parquet([{listed}]){condition}"
        )

    def register_frame(self, name: str, frame: pa.Table) -> None:
        self._connection.register(f"{name}_rows", frame)
        self._connection.execute(
            f"CREATE OR REPLACE TABLE {quoted(name)} AS SELECT * FROM {quoted(name + '_rows')}"
        )
        self._connection.unregister(f"{name}_rows")

    def create_view(self, name: str, sql: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS {sql}")

    def create_table(self, name: str, sql: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE TEMPORARY TABLE {quoted(name)} AS {sql}")

    def arrow(self, sql: str) -> pa.Table:
        return self._connection.sql(sql).to_arrow_table()

    def frame(self, sql: str) -> pd.DataFrame:
        """The result with money as Decimal (DuckDB's own frames would turn it into floats)."""
        frame: pd.DataFrame = self.arrow(sql).to_pandas()
        return frame

    def close(self) -> None:
        self._connection.close()

    def one(self, sql: str) -> tuple[Any, ...]:
        row = self._connection.execute(sql).fetchone()
        assert row is not None
        return row
