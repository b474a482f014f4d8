"""An invented company opened for study in one process: its tables go from the generator to the engine, without files.

What is left out is reading and proving, which these tables do not need and which takes longer than the studies; a test holds every
table to what the load makes of the same company.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.metrics import Engine, Registry, StudyInputs
from analysis.metrics.backend import DuckDB, literal, quoted
from analysis.params import Assumptions, CostTree, RunParams, load_run
from analysis.periods import Month
from analysis.tables import TableInfo, TableSet, contract
from analysis.tables.contract import TableContract
from analysis.tables.rows import derived_columns, month_of, time_order_fault
from analysis.tables.store import Partition
from analysis.workbook.month_run import claims_ahead, cost_ahead

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.sample import SampleTruth

RUN = "sample"


class InMemory(DuckDB):
    """A DuckDB over tables in memory, which it takes where the store would name Parquet files."""

    def __init__(self, made: Mapping[str, pa.Table], time_zone: str) -> None:
        super().__init__()
        self._tables, self._time_zone = made, time_zone

    def months(self, name: str) -> list[Month | None]:
        """The months of a table, or None alone where it is kept whole."""
        month = month_of(contract().tables[name], self._time_zone)
        if month is None:
            return [None]
        self._connection.register("made", self._tables[name])
        days = self._connection.execute(f"SELECT DISTINCT {month} AS day FROM made ORDER BY day").fetchall()
        self._connection.unregister("made")
        return [Month.parse(str(day)) for (day,) in days if day is not None]

    def register_parquet(
        self,
        name: str,
        files: Sequence[Path],  # noqa: ARG002 (the store's; here there are none)
        *,
        where: str = "",
        replace_columns: dict[str, str] | None = None,
    ) -> None:
        """The table as the load would leave it, cut to what was known."""
        # a table is asked for as a run knows it, and as the load left it (``accepted_tickets``)
        table, rows = contract().tables[name.removeprefix("accepted_")], f"{name}_made"
        made = self._tables[table.name]
        self._connection.register(rows, made)
        columns = ", ".join(
            f"{expression} AS {quoted(column)}"
            for column, expression in _as_loaded(table, made.column_names, self._time_zone)
        )
        cut = ", ".join(
            f"{expression} AS {quoted(column)}" for column, expression in (replace_columns or {}).items()
        )
        condition = f" WHERE {where}" if where else ""
        self._connection.execute(
            f"CREATE TABLE {quoted(name)} AS SELECT * {f'REPLACE ({cut})' if cut else ''} "
            f"FROM (SELECT {columns} FROM {quoted(rows)}){condition}"
        )
        self._connection.unregister(rows)


def _as_loaded(table: TableContract, given: Sequence[str], time_zone: str) -> list[tuple[str, str]]:
    """Each column of a validated table and the expression that makes it of a generated one."""
    found = [
        (column.name, quoted(column.name) if column.name in given else f"CAST(NULL AS {column.engine_type})")
        for column in table.columns.values()
    ]
    made = {"month": month_of(table, time_zone), "time_order_fault": time_order_fault(table)}
    return [
        *found,
        *((name, made.get(name) or literal(f"{table.name}.parquet")) for name in derived_columns(table)),
    ]


def _table_set(database: InMemory, made: Mapping[str, pa.Table], identity: str) -> TableSet:
    """What the store would say of the tables: which there are, with which columns, in which months."""

    def info(name: str) -> TableInfo:
        if name not in made:
            return TableInfo(name=name, present=False)
        rows = made[name].num_rows
        return TableInfo(
            name=name,
            present=True,
            columns_present=frozenset(made[name].column_names),
            rows=rows,
            content_hash=f"{identity}-{name}",
            partitions=tuple(
                Partition(
                    month=month,
                    path=Path(name),
                    rows=rows,
                    content_hash=f"{identity}-{name}-{month}",
                    last_recorded_at=None,
                )
                for month in database.months(name)
            ),
        )

    return TableSet(
        store=Path(identity),
        tables={name: info(name) for name in contract().tables},
        checks=(),
        content_hash=identity,
    )


@dataclass(frozen=True)
class Setting:
    """What every company is studied by: the run of the sample and the definitions, read once."""

    scale: float
    null: bool = True

    @cached_property
    def params(self) -> RunParams:
        return replace(load_run(RUN), data="")

    @cached_property
    def definitions(self) -> tuple[Registry, CostTree, Assumptions]:
        return Registry.load(), CostTree.load(), Assumptions.load()

    def company(self, seed: int) -> tuple[StudyInputs, SampleTruth]:
        """The company of a seed, ready to be studied, and what is planted in it."""
        from analysis.sample import generate_arrow

        made, truth = generate_arrow(seed=seed, null=self.null, scale=self.scale)
        return self.opened(made, f"seed-{seed}"), truth

    def opened(self, made: Mapping[str, pa.Table], identity: str) -> StudyInputs:
        """Study inputs of generated tables."""
        params, (registry, tree, assumptions) = self.params, self.definitions
        database = InMemory(made, params.time_zone)
        more: dict[str, Any] = {"claims_ahead": claims_ahead, "cost_ahead": cost_ahead}
        engine = Engine(
            _table_set(database, made, identity),
            registry,
            cost_tree=tree,
            as_of=params.knowledge_day,
            time_zone=params.time_zone,
            currency=params.currency,
            confidence=params.confidence,
            cache=None,
            database=database,
        )
        return StudyInputs(
            engine=engine, month=params.month, params=params, assumptions=assumptions, cost_tree=tree, **more
        )
