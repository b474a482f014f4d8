"""The same definitions on Spark, for data that outgrow one machine.

Optional: needs pyspark and Java, which the environment does not bring. The class answers the calls of
:class:`analysis.metrics.backend.DuckDB`; every query goes through sqlglot, and where the engines differ the difference is settled here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import ParameterError
from analysis.metrics.backend import transpiled

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class Spark:
    """A Spark session that reads the store's Parquet files; ``master`` as Spark names it (``local[2]``, ``yarn`` …)."""

    dialect = "spark"

    def __init__(self, *, master: str = "local[2]") -> None:
        try:
            from pyspark.sql import SparkSession
        except ImportError as error:
            raise ParameterError(
                "engine 'spark': pyspark is not installed; install it (it needs Java 17 or newer), or use DuckDB."
            ) from error
        builder = (
            SparkSession.builder.master(master).appName("after-sales").config("spark.ui.enabled", "false")
        )
        # the store's instants are naive UTC; Spark must neither shift them nor guess a zone
        builder = builder.config("spark.sql.session.timeZone", "UTC").config(
            "spark.sql.timestampType", "TIMESTAMP_NTZ"
        )
        self._session: Any = builder.config("spark.sql.shuffle.partitions", "4").getOrCreate()

    def register_parquet(
        self,
        name: str,
        files: Sequence[Path],
        *,
        where: str = "",
        replace_columns: dict[str, str] | None = None,
    ) -> None:
        rows = self._session.read.parquet(*(str(file) for file in files))
        replaced = replace_columns or {}
        columns = [
            f"{self._sql(replaced[column])} AS `{column}`" if column in replaced else f"`{column}`"
            for column in rows.columns
        ]
        if where:
            rows = rows.where(self._sql(where))
        rows.selectExpr(*columns).createOrReplaceTempView(name)

    def register_frame(self, name: str, frame: pa.Table) -> None:
        from pyspark.sql.pandas.types import from_arrow_schema

        self._session.createDataFrame(
            frame.to_pylist(), schema=from_arrow_schema(frame.schema)
        ).createOrReplaceTempView(name)

    def create_view(self, name: str, sql: str) -> None:
        self._session.sql(transpiled(sql, self.dialect)).createOrReplaceTempView(name)

    def create_table(self, name: str, sql: str) -> None:
        """Spark keeps the rows of a temporary view in memory once it is cached."""
        self.create_view(name, sql)
        self._session.catalog.cacheTable(name)

    def arrow(self, sql: str) -> pa.Table:
        return self._session.sql(transpiled(sql, self.dialect)).toArrow()

    def frame(self, sql: str) -> pd.DataFrame:
        """The result with money as Decimal."""
        frame: pd.DataFrame = self.arrow(sql).to_pandas()
        return frame

    def one(self, sql: str) -> tuple[Any, ...]:
        return tuple(self._session.sql(transpiled(sql, self.dialect)).first())

    def close(self) -> None:
        self._session.stop()

    def _sql(self, expression: str) -> str:
        """An expression in Spark's words; sqlglot reads whole statements."""
        return transpiled(f"SELECT {expression}", self.dialect).removeprefix("SELECT ")
