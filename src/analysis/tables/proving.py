"""Proving one file: every value read as its canonical type, every fault named, nothing dropped.

The outcome is a relation with ``_row``, the canonical columns and ``_faults``, a bit for each column whose value could not be
kept (and one for a missing exchange rate). A row is refused when a mandatory column is among them; otherwise the value
is null and the fault is recorded beside the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.errors import ContractError, suggestion
from analysis.sources.readers import RawFile, literal, quoted
from analysis.tables.casting import Cast, cast, default_value
from analysis.tables.contract import Contract, TableContract
from analysis.tables.settings import LoadSettings

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, kw_only=True)
class ProvedFile:
    """A raw file read under the contract; ``relation`` holds ``_row``, canonical columns, ``_faults`` and ``_refused``."""

    raw: RawFile
    table: TableContract
    relation: str
    casts: Mapping[str, Cast]
    converted_rows: int

    def fault_bit(self, column: str) -> int:
        return 1 << list(self.table.columns).index(column)

    @property
    def rate_bit(self) -> int:
        return 1 << len(self.table.columns)

    @property
    def refusing_bits(self) -> int:
        """Faults that cost the row, not only the value."""
        return self.rate_bit | sum(self.fault_bit(column) for column in self.table.columns if self.table.mandatory(column))


def prove(connection: duckdb.DuckDBPyConnection, contract: Contract, table: TableContract, raw: RawFile, settings: LoadSettings) -> ProvedFile:
    """Read ``raw`` under the contract of ``table``."""
    check_header(table, raw)
    casts = {
        name: cast(column, raw.columns[name], time_zone=settings.time_zone, earliest=contract.earliest, latest=contract.latest)
        for name, column in table.columns.items()
        if name in raw.columns
    }
    relation = f"{raw.relation}_proved"
    proved = ProvedFile(raw=raw, table=table, relation=relation, casts=casts, converted_rows=0)
    converted = _foreign_rows(connection, raw, casts, settings)
    query = _values(proved)
    query = _converted(query, proved, settings) if converted else _in_own_currency(query, table, settings)
    query = f"SELECT *, (_faults & {proved.refusing_bits}) <> 0 AS _refused FROM ({query})"
    # A text file was copied already; a typed one is a view, so that it streams whatever its size.
    kind = "TABLE" if set(raw.columns.values()) <= {"VARCHAR"} and not raw.name.endswith(".parquet") else "VIEW"
    connection.execute(f"CREATE OR REPLACE TEMP {kind} {quoted(relation)} AS {query}")
    return ProvedFile(raw=raw, table=table, relation=relation, casts=casts, converted_rows=converted)


def check_header(table: TableContract, raw: RawFile) -> None:
    """Refuse a file without a column that every row must have."""
    for column in table.columns.values():
        if column.name not in raw.columns and table.mandatory(column.name) and column.default is None:
            spare = [name for name in raw.header if name not in table.columns]
            raise ContractError(
                f"{raw.name}: column '{column.name}' is missing; {table.name} needs it in every row.{suggestion(column.name, spare)} "
                f"The file has: {', '.join(raw.header[:12])}{' …' if len(raw.header) > 12 else ''}."
            )


def _values(proved: ProvedFile) -> str:
    columns, faults = ["_row"], []
    for name, column in proved.table.columns.items():
        reading = proved.casts.get(name)
        default = default_value(column) if column.default is not None else f"CAST(NULL AS {column.engine_type})"
        if reading is None:
            columns.append(f"{default} AS {quoted(name)}")
            continue
        value = reading.value if column.default is None else f"CASE WHEN {reading.text} IS NULL THEN {default} ELSE {reading.value} END"
        columns.append(f"{value} AS {quoted(name)}")
        if proved.table.mandatory(name):
            faults.append(f"CASE WHEN ({value}) IS NULL THEN {proved.fault_bit(name)} ELSE 0 END")
        elif column.type != "string" or column.values:
            faults.append(f"CASE WHEN {reading.text} IS NOT NULL AND ({value}) IS NULL THEN {proved.fault_bit(name)} ELSE 0 END")
    return f"SELECT {', '.join(columns)}, CAST({' + '.join(faults) or '0'} AS BIGINT) AS _faults FROM {quoted(proved.raw.relation)}"


def _foreign_rows(connection: duckdb.DuckDBPyConnection, raw: RawFile, casts: Mapping[str, Cast], settings: LoadSettings) -> int:
    if "currency" not in casts:
        return 0
    text = casts["currency"].text
    query = f"SELECT count(*) FROM {quoted(raw.relation)} WHERE upper({text}) <> {literal(settings.reporting_currency)}"
    return int(connection.execute(query).fetchall()[0][0])


def _in_own_currency(query: str, table: TableContract, settings: LoadSettings) -> str:
    """Every row states its currency, so that exports with and without the column say the same."""
    if "currency" not in table.columns:
        return query
    return f"SELECT * REPLACE ({literal(settings.reporting_currency)} AS currency) FROM ({query})"


def _converted(query: str, proved: ProvedFile, settings: LoadSettings) -> str:
    """Money of rows in another currency at the rate of the row's own day; without a rate the row is refused."""
    rates = ", ".join(
        f"({literal(currency)}, DATE '{start}', DATE '{until}', CAST({rate} AS DECIMAL(18,8)))" for currency, start, until, rate in settings.rate_rows()
    )
    rates = rates or "('', DATE '0001-01-01', DATE '0001-01-02', CAST(1 AS DECIMAL(18,8)))"
    home = literal(settings.reporting_currency)
    foreign = f"coalesce(upper(given.currency), {home}) <> {home}"
    replaced = [
        f"CASE WHEN {foreign} THEN TRY_CAST(round(given.{quoted(name)} * rates.rate, 2) AS DECIMAL(18,2)) ELSE given.{quoted(name)} END AS {quoted(name)}"
        for name in proved.table.money
    ]
    replaced += [f"{home} AS currency", f"given._faults | CASE WHEN {foreign} AND rates.rate IS NULL THEN {proved.rate_bit} ELSE 0 END AS _faults"]
    day = row_day(proved.table, settings.time_zone, prefix="given.")
    return (
        f"SELECT given.* REPLACE ({', '.join(replaced)}) FROM ({query}) AS given LEFT JOIN (VALUES {rates}) AS rates(currency, valid_from, valid_until, rate) "
        f"ON upper(given.currency) = rates.currency AND {day} >= rates.valid_from AND {day} < rates.valid_until AND {foreign}"
    )


def row_day(table: TableContract, time_zone: str, prefix: str = "") -> str:
    """The day of the business time zone on which a row happened, as SQL."""
    name = table.time or next(column.name for column in table.columns.values() if column.type == "date" and column.required)
    column = f"{prefix}{quoted(name)}"
    if table.columns[name].type == "date":
        return column
    return f"CAST(timezone({literal(time_zone)}, timezone('UTC', {column})) AS DATE)"
