"""The engine behind the metrics: DuckDB, kept behind one small class so that another engine can take its place.

Every query of the package is written once in DuckDB's dialect, inside the subset that sqlglot carries over to Spark
(:func:`transpiled`). Right of the tables nothing else imports duckdb: ``sources`` and ``tables`` read and prove with it whatever the
engine is, and ``report.checks`` reads with it what they keep.
"""

from __future__ import annotations

import functools
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from analysis.errors import ParameterError, in_quotes
from analysis.metrics.steady import ordered_aggregates, steady
from analysis.sources.quiet import silence
from analysis.sources.sql import listed as listed
from analysis.sources.sql import literal as literal
from analysis.sources.sql import quoted as quoted

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def transpiled(sql: str, dialect: str) -> str:
    """The same query in another engine's dialect (``spark``)."""
    import sqlglot

    return sqlglot.transpile(sql, read="duckdb", write=dialect)[0]


@functools.cache
def table_names(sql: str) -> frozenset[str]:
    """Names of the tables and views a SELECT reads; what it defines itself (WITH) is not among them."""
    import json

    row = _parser().execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    tree = json.loads(row[0]) if row else {"error": True}
    if tree.get("error"):
        raise ParameterError(f"SQL: {tree.get('error_message', 'cannot be read')}: {sql[:200]}")
    read: set[str] = set()
    defined: set[str] = set()
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if node.get("type") == "BASE_TABLE":
                read.add(node["table_name"])
            defined.update(entry["key"] for entry in (node.get("cte_map") or {}).get("map", ()))
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
    return frozenset(read - defined)


@functools.cache
def _parser() -> Any:
    import duckdb

    return duckdb.connect()


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


def _stated_threads() -> int:
    stated = os.environ.get("AFTER_SALES_THREADS", "2").strip()
    if not re.fullmatch(r"[0-9]{1,4}", stated) or not 1 <= int(stated) <= 1024:
        raise ParameterError(
            f"AFTER_SALES_THREADS {in_quotes(stated)}: should be a whole number from 1 to 1024; unset it for 2."
        )
    return int(stated)


def _stated_memory() -> str:
    stated = os.environ.get("AFTER_SALES_MEMORY", "1500MB").strip()
    if not re.fullmatch(r"[1-9][0-9]{0,6}(\.[0-9]{1,3})? ?([KMGT]i?B)", stated, re.IGNORECASE):
        raise ParameterError(
            f"AFTER_SALES_MEMORY {in_quotes(stated)}: should be a size such as 1500MB or 4GB; unset it for 1500MB."
        )
    return stated


class DuckDB:
    """An in-memory DuckDB that reads Parquet; two threads and a memory limit unless the environment says otherwise.

    The same rows give the same answer to the last digit, however many threads read them in whatever order: every query goes
    through :func:`analysis.metrics.steady.steady`.
    """

    dialect = "duckdb"

    def __init__(self) -> None:
        import duckdb

        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        silence(self._connection)
        self._connection.execute(f"SET threads = {_stated_threads()}")
        self._connection.execute(f"SET memory_limit = {literal(_stated_memory())}")
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
        self._connection.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS {ordered_aggregates(sql)}")

    def create_table(self, name: str, sql: str) -> None:
        self._connection.execute(
            f"CREATE OR REPLACE TEMPORARY TABLE {quoted(name)} AS {ordered_aggregates(sql)}"
        )

    def arrow(self, sql: str) -> pa.Table:
        return self._connection.sql(self._steady(sql)).to_arrow_table()

    def frame(self, sql: str) -> pd.DataFrame:
        """The result with money as Decimal (DuckDB's own frames would turn it into floats)."""
        frame: pd.DataFrame = self.arrow(sql).to_pandas()
        return frame

    def close(self) -> None:
        self._connection.close()

    def one(self, sql: str) -> tuple[Any, ...]:
        # all rows are fetched: an unfinished result would block the connection
        (row,) = self._connection.execute(self._steady(sql)).fetchall()
        return tuple(row)

    def _steady(self, sql: str) -> str:
        return steady(sql, lambda query: len(self._connection.sql(query).columns))
