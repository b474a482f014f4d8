"""A slice of a company (a region, a product line, a shop) as tables of its own, accounted for against the whole.

A row belongs to the value that stands in it, else to that of what it names: the ticket of a posting, the machine or product of a ticket, the
customer. Rows of other values and rows of which nothing tells are counted apart, so that slice, others and rest add up to the whole. Customers
and products are those that belong to the slice or that its rows name; the calendar holds for every slice; a table that neither states the
dimension nor names anything that does (control totals, a budget by category) is no table of a slice.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from analysis.errors import ParameterError, suggestion
from analysis.sources.sql import literal, quoted
from analysis.tables.contract import TableContract, contract
from analysis.tables.store import TableSet

if TYPE_CHECKING:
    import duckdb

#: What a company may be cut by: a value stands for one part of it wherever it is written.
DIMENSIONS = (
    "region",
    "product_line",
    "brand",
    "shop",
    "platform",
    "legal_entity",
    "segment",
    "customer_type",
)
#: Tables that hold for every slice alike.
NEUTRAL = frozenset({"calendar"})
#: Tables of which a slice takes in the rows that its own rows name: who bought, and what.
NAMED = ("customers", "products")
#: The amount that is added up beside the rows, for tables that have one.
ADDED_UP: Mapping[str, str] = {
    "ledger": "amount",
    "orders": "revenue",
    "claims": "amount",
    "invoices": "amount",
}
PARTS = ("inside", "elsewhere", "not_stated")
KEPT = "_slice.json"

Cut = Mapping[str, Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class SlicedTable:
    """Where the rows of one table went: ``rows`` and (where it has one) ``amounts`` by ``inside``, ``elsewhere`` and ``not_stated``, which add up to the whole.

    ``named`` rows were taken in because a row inside names them (a customer of another region who bought here); ``left_out`` says why a
    table is none of a slice.
    """

    table: str
    rows: Mapping[str, int]
    amounts: Mapping[str, Decimal]
    named: int = 0
    left_out: bool = False


def slice_tables(whole: TableSet, cut: Cut, folder: Path) -> tuple[SlicedTable, ...]:
    """Write the tables of a slice as Parquet below ``folder``; the same tables and cut give the same files, and are not written twice.

    Parameters
    ----------
    whole : TableSet
        The proved tables of the company.
    cut : mapping of dimension to values
        Rows must have one of the values of every dimension.
    folder : Path
        What was there before is replaced.

    Returns
    -------
    tuple of SlicedTable
        One a table that is there, in the contract's order.

    Raises
    ------
    ParameterError
        For a dimension that no company is cut by, and a value that no row has.
    """
    _refuse_unknown(cut)
    identity = hashlib.sha256(json.dumps([whole.content_hash, contract().content_hash, sorted((name, sorted(values)) for name, values in cut.items())]).encode()).hexdigest()  # fmt: skip
    if kept := _kept(folder, identity):
        return kept
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=".slicing-") as work:
        made = Path(work) / "tables"
        sliced = tuple(_Slicing(whole=whole, cut=cut, work=Path(work)).written(made))
        (made / KEPT).write_text(
            json.dumps({"identity": identity, "tables": [_as_json(one) for one in sliced]}), "utf-8"
        )
        shutil.rmtree(folder, ignore_errors=True)
        made.replace(folder)
    return sliced


def _refuse_unknown(cut: Cut) -> None:
    for name in cut:
        if name not in DIMENSIONS:
            raise ParameterError(
                f"slice: '{name}' is nothing that a company is cut by.{suggestion(name, DIMENSIONS)} Known: {', '.join(DIMENSIONS)}."
            )


@dataclass(kw_only=True)
class _Slicing:
    """The tables of a company while a slice is cut from them."""

    whole: TableSet
    cut: Cut
    work: Path

    def written(self, target: Path) -> Iterator[SlicedTable]:
        import duckdb

        connection = duckdb.connect(config={"memory_limit": "1500MB", "temp_directory": str(self.work)})
        try:
            connection.execute("SET TimeZone = 'UTC'")
            present = [name for name, info in self.whole.tables.items() if info.present]
            for name in present:
                connection.execute(f"CREATE VIEW {quoted(name)} AS SELECT * FROM {self.whole.scan(name)}")
            for name in _referred_first(present):
                self._attribute(connection, contract().tables[name])
            self._refuse_unknown_values(connection, present)
            inside = {
                name: f"SELECT * EXCLUDE (_part) FROM {quoted(f'{name}_cut')} WHERE _part = 'inside'"
                for name in present
                if self._is_cut(name)
            }
            for name in present:
                yield self._write(connection, name, inside, target)
        finally:
            connection.close()

    def _is_cut(self, name: str) -> bool:
        return all(self._can_tell(name, dimension) for dimension in self.cut)

    def _can_tell(self, name: str, dimension: str, depth: int = 3) -> bool:
        """Whether a row of the table may belong to a value of the dimension: by itself, or by what it names."""
        table = contract().tables[name]
        if dimension in table.columns:
            return True
        return depth > 0 and any(
            self._can_tell(column.refers, dimension, depth - 1)
            for column in table.columns.values()
            if column.refers and column.refers != name and self.whole.tables[column.refers].present
        )

    def _attribute(self, connection: duckdb.DuckDBPyConnection, table: TableContract) -> None:
        """``<table>_cut``: its rows with ``_part``; ``<table>_told``: key and the values of the dimensions, for those that name it."""
        joins, told = self._told(table)
        parts = []
        for dimension, values in self.cut.items():
            if dimension in told:
                listed = ", ".join(literal(value) for value in values)
                parts.append((f"{told[dimension]} IS NULL", f"{told[dimension]} NOT IN ({listed})"))
        if not self._is_cut(table.name):
            parts = []
        unknown = " OR ".join(one for one, _ in parts) or "TRUE"
        other = " OR ".join(f"coalesce({one}, FALSE)" for _, one in parts) or "FALSE"
        part = f"CASE WHEN {other} THEN 'elsewhere' WHEN {unknown} THEN 'not_stated' ELSE 'inside' END"
        rows = f"FROM {quoted(table.name)} AS own {joins}"
        connection.execute(
            f"CREATE VIEW {quoted(f'{table.name}_cut')} AS SELECT own.*, {part} AS _part {rows}"
        )
        if len(table.key) == 1:
            values = "".join(
                f", {expression} AS {quoted(dimension)}" for dimension, expression in told.items()
            )
            connection.execute(
                f"CREATE TABLE {quoted(f'{table.name}_told')} AS SELECT own.{quoted(table.key[0])} AS _key{values} {rows}"
            )

    def _told(self, table: TableContract) -> tuple[str, dict[str, str]]:
        """Joins to what a row names, and for each dimension the first value that is told."""
        joins, found = [], {name: [f"own.{quoted(name)}"] for name in self.cut if name in table.columns}
        for column in table.columns.values():
            other = column.refers
            if not other or other == table.name or not self.whole.tables[other].present:
                continue
            dimensions = [name for name in self.cut if self._can_tell(other, name)]
            if dimensions:
                alias = f"by_{column.name}"
                joins.append(
                    f"LEFT JOIN {quoted(f'{other}_told')} AS {quoted(alias)} ON own.{quoted(column.name)} = {quoted(alias)}._key"
                )
            for name in dimensions:
                found.setdefault(name, []).append(f"{quoted(alias)}.{quoted(name)}")
        return " ".join(joins), {name: f"coalesce({', '.join(told)})" for name, told in found.items()}

    def _refuse_unknown_values(self, connection: duckdb.DuckDBPyConnection, present: Sequence[str]) -> None:
        """A value that stands nowhere is misspelt: a slice of nothing would look like a company without customers."""
        for dimension, values in self.cut.items():
            tables = [name for name in present if dimension in contract().tables[name].columns]
            asked = " UNION ".join(
                f"SELECT CAST({quoted(dimension)} AS VARCHAR) FROM {quoted(name)}" for name in tables
            )
            known = (
                sorted(value for (value,) in connection.execute(asked).fetchall() if value) if tables else []
            )
            for value in values:
                if value not in known:
                    raise ParameterError(
                        f"slice: {dimension} '{value}' stands in no row.{suggestion(value, known)} There are: {', '.join(known[:8]) or 'none'}{' …' if len(known) > 8 else ''}."
                    )

    def _write(
        self, connection: duckdb.DuckDBPyConnection, name: str, inside: Mapping[str, str], target: Path
    ) -> SlicedTable:
        table = contract().tables[name]
        if name in NEUTRAL:
            return self._copied(connection, name, f"SELECT * FROM {quoted(name)}", target)
        named = self._named_by(name, inside)
        if name not in inside and not named:
            return SlicedTable(table=name, rows={}, amounts={}, left_out=True)
        amount = ADDED_UP.get(name)
        counted = {part: (0, Decimal(0)) for part in PARTS}
        if name in inside:
            total = f"coalesce(sum({quoted(amount)}), 0)" if amount else "0"
            query = f"SELECT _part, count(*), {total} FROM {quoted(f'{name}_cut')} GROUP BY 1"
            counted |= {
                part: (rows, Decimal(total)) for part, rows, total in connection.execute(query).fetchall()
            }
        key = quoted(table.key[0])
        own = f"({inside[name]})" if name in inside else f"(SELECT * FROM {quoted(name)} WHERE FALSE)"
        taken = (
            f" UNION ALL SELECT * FROM {quoted(name)} WHERE {key} IN ({named}) AND {key} NOT IN (SELECT {key} FROM {own})"
            if named
            else ""
        )
        self._copy(connection, name, f"SELECT * FROM {own}{taken}", target)
        (written,) = connection.execute(f"SELECT count(*) FROM (SELECT * FROM {own}{taken})").fetchall()[0]
        return SlicedTable(
            table=name,
            rows={part: rows for part, (rows, _) in counted.items()} if name in inside else {},
            amounts={part: total for part, (_, total) in counted.items()}
            if amount and name in inside
            else {},
            named=int(written) - counted["inside"][0],
        )

    def _named_by(self, name: str, inside: Mapping[str, str]) -> str:
        """Keys of the customers or products that rows of the slice name, as SQL; blank for other tables, of which such a row would count as one of the slice."""
        if name not in NAMED:
            return ""
        asked = [
            f"SELECT {quoted(column.name)} FROM ({rows})"
            for other, rows in inside.items()
            for column in contract().tables[other].columns.values()
            if column.refers == name
        ]
        return " UNION ".join(asked)

    def _copied(
        self, connection: duckdb.DuckDBPyConnection, name: str, query: str, target: Path
    ) -> SlicedTable:
        self._copy(connection, name, query, target)
        return SlicedTable(table=name, rows={}, amounts={})

    def _copy(self, connection: duckdb.DuckDBPyConnection, name: str, query: str, target: Path) -> None:
        """The canonical columns that the company has, sorted by key: the same rows, the same bytes."""
        table = contract().tables[name]
        have = self.whole.tables[name].columns_present
        columns = ", ".join(
            quoted(column) for column in table.columns if column in have or column in table.key
        )
        place = target / name
        place.mkdir(parents=True, exist_ok=True)
        order = ", ".join(quoted(column) for column in table.key)
        connection.execute(
            f"COPY (SELECT {columns} FROM ({query}) ORDER BY {order}) TO {literal(str(place / 'slice.parquet'))} (FORMAT parquet, COMPRESSION zstd)"
        )


def _referred_first(names: Sequence[str]) -> list[str]:
    """Tables in an order in which each comes after those it names."""
    ordered: list[str] = []

    def visit(name: str) -> None:
        if name in ordered or name not in names:
            return
        for column in contract().tables[name].columns.values():
            if column.refers and column.refers != name:
                visit(column.refers)
        ordered.append(name)

    for name in names:
        visit(name)
    return ordered


# ---------------------------------------------------------------- what is kept


def _as_json(one: SlicedTable) -> dict[str, object]:
    return {
        "table": one.table,
        "rows": dict(one.rows),
        "amounts": {part: str(amount) for part, amount in one.amounts.items()},
        "named": one.named,
        "left_out": one.left_out,
    }


def _kept(folder: Path, identity: str) -> tuple[SlicedTable, ...]:
    """What a slice of the same tables was; nothing where it is another, or cannot be read."""
    try:
        content = json.loads((folder / KEPT).read_text("utf-8"))
        if content["identity"] != identity:
            return ()
        return tuple(
            SlicedTable(
                table=one["table"],
                rows=one["rows"],
                amounts={part: Decimal(amount) for part, amount in one["amounts"].items()},
                named=one["named"],
                left_out=one["left_out"],
            )
            for one in content["tables"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return ()
