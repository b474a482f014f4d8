"""The table contract: what one row of each table is, its columns, their types, units and rules.

``contract.yml`` is the one place where a company's data and our definitions meet. It is read strictly: an unknown key,
a key given twice, a type that does not exist or a reference to an unknown table does not load.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

from analysis.errors import ParameterError, suggestion
from analysis.params.strict import bind, read_yaml

CONTRACT_FILE = Path(__file__).with_name("contract.yml")
ColumnType = Literal["string", "date", "timestamp", "integer", "decimal", "float", "boolean"]

#: How each canonical type is kept in Parquet and in DuckDB. Timestamps are naive UTC.
ENGINE_TYPES: Mapping[str, str] = {
    "string": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "integer": "BIGINT",
    "decimal": "DECIMAL(18,2)",
    "float": "DOUBLE",
    "boolean": "BOOLEAN",
}


@dataclass(frozen=True, kw_only=True)
class ColumnContract:
    """One column: its canonical type and what a value may be."""

    name: str
    type: ColumnType
    need: Literal["required", "optional"] = "optional"
    unit: str | None = None
    values: tuple[str, ...] = ()
    refers: str | None = None
    default: Any = None
    pii: bool = False
    about: str = ""
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    scale: Mapping[str, Any] = field(default_factory=dict)

    @property
    def scale_by(self) -> str | None:
        """The column whose value says which limits hold."""
        return self.scale.get("by")

    @property
    def scale_limits(self) -> dict[str, tuple[int, int]]:
        return {value: (limits[0], limits[1]) for value, limits in self.scale.items() if value != "by"}

    @property
    def required(self) -> bool:
        return self.need == "required"

    @property
    def is_identifier(self) -> bool:
        """Names one thing (a customer, a machine, a posting), so that two rows with one value are about one thing."""
        return (
            self.type == "string"
            and not self.pii
            and (self.refers is not None or self.name.endswith("_id") or self.name == "serial_no")
        )

    @property
    def is_money(self) -> bool:
        return self.type == "decimal" and (self.unit or "").startswith("currency")

    @property
    def engine_type(self) -> str:
        return ENGINE_TYPES[self.type]


@dataclass(frozen=True, kw_only=True)
class TableContract:
    """One table: its grain (what a row is), key, time column and columns in canonical order."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: Mapping[str, ColumnContract]
    time: str | None = None
    time_else: str | None = None
    in_order: tuple[tuple[str, str], ...] = ()

    @property
    def money(self) -> tuple[str, ...]:
        """Columns in the reporting currency."""
        return tuple(column.name for column in self.columns.values() if column.is_money)

    @property
    def personal(self) -> frozenset[str]:
        """Columns that hold personal data; never printed, masked in examples."""
        return frozenset(column.name for column in self.columns.values() if column.pii)

    def mandatory(self, column: str) -> bool:
        """Whether a row without a value here cannot be kept: required columns and every part of the key."""
        return self.columns[column].required or column in self.key


@dataclass(frozen=True, kw_only=True)
class Contract:
    """Every canonical table, in the order of the file."""

    version: int
    earliest: dt.date
    latest: dt.date
    tables: Mapping[str, TableContract]
    content_hash: str

    def column(self, name: str) -> ColumnContract:
        """The column ``table.column``; an unknown name is refused with a suggestion."""
        table, _, column = name.partition(".")
        if table not in self.tables:
            raise ParameterError(f"table '{table}' is not in the contract.{suggestion(table, self.tables)}")
        columns = self.tables[table].columns
        if column not in columns:
            raise ParameterError(f"column '{name}' is not in the contract.{suggestion(column, columns)}")
        return columns[column]


@dataclass(frozen=True, kw_only=True)
class _ColumnEntry:
    type: ColumnType
    need: Literal["required", "optional"] = "optional"
    unit: str | None = None
    values: tuple[str, ...] = ()
    refers: str | None = None
    default: Any = None
    pii: bool = False
    about: str = ""
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    scale: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _TableEntry:
    grain: str
    key: tuple[str, ...]
    columns: Mapping[str, _ColumnEntry]
    time: str | None = None
    time_else: str | None = None
    in_order: tuple[tuple[str, ...], ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class _Dates:
    earliest: dt.date
    latest: dt.date


def read_contract(path: Path) -> Contract:
    """The contract in ``path``; anything that does not fit is refused with its place."""
    content = read_yaml(path)
    version, dates = (
        content.pop("version", None),
        bind(_Dates, content.pop("dates", {}), f"{path.name}: dates"),
    )
    if not isinstance(version, int):
        raise ParameterError(f"{path.name}: 'version' should be a whole number, e.g. version: 1.")
    tables = {
        name: _table(name, bind(_TableEntry, entry, f"{path.name}: {name}"))
        for name, entry in content.items()
    }
    for table in tables.values():
        _check_table(table, tables, path.name)
    return Contract(
        version=version,
        earliest=dates.earliest,
        latest=dates.latest,
        tables=tables,
        content_hash=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


@cache
def contract() -> Contract:
    """The package's own contract, read once."""
    return read_contract(CONTRACT_FILE)


def _table(name: str, entry: _TableEntry) -> TableContract:
    columns = {key: ColumnContract(name=key, **vars(column)) for key, column in entry.columns.items()}
    pairs = tuple((pair[0], pair[1]) for pair in entry.in_order)
    return TableContract(**{**vars(entry), "name": name, "columns": columns, "in_order": pairs})


def _check_table(table: TableContract, tables: Mapping[str, TableContract], file: str) -> None:
    named = [*table.key, *(name for pair in table.in_order for name in pair)]
    named += [name for name in (table.time, table.time_else) if name]
    named += [column.scale_by for column in table.columns.values() if column.scale_by]
    for name in named:
        if name not in table.columns:
            raise ParameterError(
                f"{file}: {table.name} names a column '{name}' it does not have.{suggestion(name, table.columns)}"
            )
    for column in table.columns.values():
        if column.refers and column.refers not in tables:
            raise ParameterError(
                f"{file}: {table.name}.{column.name} refers to an unknown table '{column.refers}'.{suggestion(column.refers, tables)}"
            )
    if table.time and not (table.columns[table.time].required or table.time_else):
        raise ParameterError(
            f"{file}: {table.name} is kept by {table.time}, so that column must be required or have a time_else."
        )
