"""Proving one file: every value read as its canonical type, every fault named, nothing dropped.

The outcome is a relation with ``_row``, the canonical columns, ``_faults`` (a bit for each column whose value could not be
kept, and one for a missing exchange rate) and ``_refused``: a mandatory column is among them, so the row cannot stay. Any
other fault leaves the value null and is recorded beside the row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analysis.errors import ContractError, suggestion
from analysis.sources.readers import RawFile, drop_raw
from analysis.sources.sql import literal, quoted
from analysis.tables.casting import Cast, cast, default_value, peculiar
from analysis.tables.contract import Contract, TableContract
from analysis.tables.corrections import CorrectedFile, correct, drop_corrected
from analysis.tables.settings import LoadSettings

if TYPE_CHECKING:
    import duckdb

NO_RATE = "(SELECT '' AS currency, DATE '0001-01-01' AS valid_from, DATE '0001-01-01' AS valid_until, CAST(1 AS DECIMAL(20,12)) AS rate WHERE false)"


@dataclass(frozen=True, kw_only=True)
class ProvedFile:
    """A raw file read under the contract; the rows lie in ``relation``. ``plain``: columns of text that stand as the file has them."""

    raw: RawFile
    table: TableContract
    casts: Mapping[str, Cast]
    foreign: Mapping[str, tuple[dt.date, dt.date]]
    foreign_rows: int
    corrected: CorrectedFile
    plain: frozenset[str] = frozenset()

    @property
    def relation(self) -> str:
        return f"{self.raw.relation}_proved"

    def fault_bit(self, column: str) -> int:
        return 1 << list(self.table.columns).index(column)

    @property
    def rate_bit(self) -> int:
        return 1 << len(self.table.columns)

    @property
    def refusing_bits(self) -> int:
        """Faults that cost the row, not only the value."""
        return self.rate_bit | sum(
            self.fault_bit(column) for column in self.table.columns if self.table.mandatory(column)
        )

    @property
    def original(self) -> str:
        """The row as the file gives it, as a JSON text in SQL."""
        fields = ", ".join(f"{quoted(name)} := {reading.text}" for name, reading in self.casts.items())
        return f"CAST(to_json(struct_pack({fields})) AS VARCHAR)"


def prove(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    table: TableContract,
    raw: RawFile,
    settings: LoadSettings,
) -> ProvedFile:
    """Read ``raw`` under the contract of ``table``; a file that lacks a mandatory column is refused."""
    _check_header(table, raw)
    corrected = correct(connection, raw, settings.corrections_of(table.name))
    plain = _plain_columns(connection, table, raw)
    casts = {
        name: cast(
            column,
            raw.columns[name],
            time_zone=settings.time_zone,
            earliest=contract.earliest,
            latest=contract.latest,
            currency=_row_currency(raw, settings),
            plain=name in plain,
        )
        for name, column in table.columns.items()
        if name in raw.columns
    }
    bare = ProvedFile(
        raw=raw, table=table, casts=casts, foreign={}, foreign_rows=0, corrected=corrected, plain=plain
    )
    values = _values(bare)
    foreign, foreign_rows = _foreign(connection, bare, values, settings)
    proved = replace(bare, foreign=foreign, foreign_rows=foreign_rows)
    query = (
        _converted(proved, values, settings) if foreign_rows else _in_own_currency(table, values, settings)
    )
    query = f"SELECT *, (_faults & {proved.refusing_bits}) <> 0 AS _refused FROM ({query})"
    # What was copied from text is worth keeping as read; a typed file stays a view, so that it streams whatever its size.
    connection.execute(
        f"CREATE OR REPLACE TEMP {'TABLE' if raw.copied else 'VIEW'} {quoted(proved.relation)} AS {query}"
    )
    return proved


def drop_proved(connection: duckdb.DuckDBPyConnection, proved: ProvedFile) -> None:
    """Give the memory of a file back."""
    connection.execute(f"DROP {'TABLE' if proved.raw.copied else 'VIEW'} {quoted(proved.relation)}")
    drop_corrected(connection, proved.raw)
    drop_raw(connection, proved.raw)


def row_day(table: TableContract, time_zone: str) -> str:
    """The day of the business time zone on which a row happened, as SQL; it chooses the exchange rate."""
    columns = table.columns.values()
    name = table.time or next(column.name for column in columns if column.type == "date" and column.required)
    if table.columns[name].type == "date":
        return quoted(name)
    return f"CAST(timezone({literal(time_zone)}, timezone('UTC', {quoted(name)})) AS DATE)"


def _check_header(table: TableContract, raw: RawFile) -> None:
    for column in table.columns.values():
        if column.name not in raw.columns and table.mandatory(column.name) and column.default is None:
            spare = [name for name in raw.header if name not in table.columns]
            shown = ", ".join(raw.header[:12]) + (" …" if len(raw.header) > 12 else "")
            raise ContractError(
                f"{raw.name}: column '{column.name}' is missing; {table.name} needs it in every row."
                f"{suggestion(column.name, spare)} The file has: {shown}."
            )


def _values(proved: ProvedFile) -> str:
    """`_row`, the canonical columns and `_faults`, money still in the currency of the row."""
    columns, faults = ["_row"], []
    for name, column in proved.table.columns.items():
        reading, bit = proved.casts.get(name), proved.fault_bit(name)
        default = default_value(column)
        if reading is None:
            columns.append(f"{default} AS {quoted(name)}")
            continue
        value = reading.value
        if column.default is not None:
            value = f"CASE WHEN {reading.text} IS NULL THEN {default} ELSE {value} END"
        columns.append(f"{value} AS {quoted(name)}")
        if proved.table.mandatory(name):
            faults.append(f"CASE WHEN ({value}) IS NULL THEN {bit} ELSE 0 END")
        elif column.type != "string" or column.values or (column.is_identifier and name not in proved.plain):
            faults.append(f"CASE WHEN {reading.text} IS NOT NULL AND ({value}) IS NULL THEN {bit} ELSE 0 END")
    return f"SELECT {', '.join(columns)}, CAST({' + '.join(faults) or '0'} AS BIGINT) AS _faults FROM {quoted(proved.raw.relation)}"


def _plain_columns(
    connection: duckdb.DuckDBPyConnection, table: TableContract, raw: RawFile
) -> frozenset[str]:
    """Columns of text in which nothing is peculiar: one look over the file saves a closer one at every value."""
    texts = [
        c
        for c in table.columns.values()
        if c.name in raw.columns and (c.type == "string" or (c.is_money and raw.columns[c.name] == "VARCHAR"))
    ]
    if not texts:
        return frozenset()
    asked = ", ".join(f"coalesce(bool_or({peculiar(c, raw.columns[c.name])}), false)" for c in texts)
    (found,) = connection.execute(f"SELECT {asked} FROM {quoted(raw.relation)}").fetchall()
    return frozenset(c.name for c, is_peculiar in zip(texts, found, strict=True) if not is_peculiar)


def _row_currency(raw: RawFile, settings: LoadSettings) -> str:
    """The ISO code of the row's currency, as SQL over the raw rows."""
    home = literal(settings.reporting_currency)
    if "currency" not in raw.columns:
        return home
    return f"coalesce(nullif(upper(trim(CAST(currency AS VARCHAR))), ''), {home})"


def _is_foreign(settings: LoadSettings) -> str:
    home = literal(settings.reporting_currency)
    return f"coalesce(upper(currency), {home}) <> {home}"


def _foreign(
    connection: duckdb.DuckDBPyConnection, proved: ProvedFile, values: str, settings: LoadSettings
) -> tuple[dict[str, tuple[dt.date, dt.date]], int]:
    """Foreign currencies of the file with their first and last day, and how many rows they have."""
    if "currency" not in proved.casts:
        return {}, 0
    day = row_day(proved.table, settings.time_zone)
    found = connection.execute(
        f"SELECT upper(currency), min({day}), max({day}), count(*) FROM ({values}) WHERE {_is_foreign(settings)} GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return {row[0]: (row[1], row[2]) for row in found if row[1] is not None}, sum(row[3] for row in found)


def _in_own_currency(table: TableContract, values: str, settings: LoadSettings) -> str:
    """Every row states its currency, so that exports with and without the column say the same."""
    if "currency" not in table.columns:
        return values
    return f"SELECT * REPLACE ({literal(settings.reporting_currency)} AS currency) FROM ({values})"


def _converted(proved: ProvedFile, values: str, settings: LoadSettings) -> str:
    """Money of rows in another currency at the rate of the row's own day; without a rate the row is refused."""
    home, foreign = literal(settings.reporting_currency), _is_foreign(settings)
    rates = " UNION ALL ".join(
        f"SELECT {literal(currency)} AS currency, DATE '{start}' AS valid_from, DATE '{until}' AS valid_until, "
        f"CAST('{rate}' AS DECIMAL(20,12)) AS rate"
        for currency, start, until, rate in settings.rate_rows()
    )
    dated = f"SELECT *, {row_day(proved.table, settings.time_zone)} AS _day, {foreign} AS _foreign FROM ({values})"
    replaced = [
        f"CASE WHEN given._foreign THEN TRY_CAST(round(given.{quoted(name)} * rates.rate, 2) AS DECIMAL(18,2)) "
        f"ELSE given.{quoted(name)} END AS {quoted(name)}"
        for name in proved.table.money
    ]
    unrated = f"CASE WHEN given._foreign AND rates.rate IS NULL THEN {proved.rate_bit} ELSE 0 END"
    replaced += [f"{home} AS currency", f"given._faults | {unrated} AS _faults"]
    return (
        f"SELECT given.* EXCLUDE (_day, _foreign) REPLACE ({', '.join(replaced)}) FROM ({dated}) AS given "
        f"LEFT JOIN ({rates or NO_RATE}) AS rates ON given._foreign AND upper(given.currency) = rates.currency "
        f"AND given._day >= rates.valid_from AND given._day < rates.valid_until"
    )
