"""From the proved files of one table to its accepted rows: keys, references, quarantine, time order.

Rows that do not stay are listed in a relation (file, row, why); everything else is a view, so a large table streams.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import ContractError, suggestion
from analysis.sources.folder import SourceFile
from analysis.sources.readers import literal, quoted, read_raw
from analysis.tables import checks
from analysis.tables.contract import Contract, TableContract
from analysis.tables.proving import ProvedFile, prove
from analysis.tables.rows import (
    derived_columns,
    key_columns,
    month_of,
    row_hash,
    time_order_fault,
)
from analysis.tables.settings import LoadSettings
from analysis.tables.store import QUARANTINE, FileWaterfall, Partition, TableCheck
from analysis.tables.writing import HASHES, write_partitions

if TYPE_CHECKING:
    import duckdb

#: A source of the keys of a referred table, as SQL with one column ``key``; None where the table is absent.
KeySource = Callable[[str], str | None]


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """One table, read and written."""

    partitions: tuple[Partition, ...]
    waterfall: tuple[FileWaterfall, ...]
    columns_present: tuple[str, ...]
    checks: tuple[TableCheck, ...]


@dataclass(kw_only=True)
class TableLoad:
    """The steps for one table, in the order in which :func:`assemble` takes them."""

    connection: duckdb.DuckDBPyConnection
    contract: Contract
    table: TableContract
    settings: LoadSettings
    files: Sequence[ProvedFile]
    found: list[TableCheck]

    @property
    def name(self) -> str:
        return self.table.name

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    def number(self, query: str) -> int:
        return int(self.rows(query)[0][0] or 0)

    # -- the relations ------------------------------------------------------------------------------------------

    def create_relations(self) -> None:
        """`proved`: all files' rows; `aside`: rows that do not stay; `quarantine`: faults for the reader."""
        month = month_of(self.table, self.settings.time_zone)
        extra = f", {month} AS month" if month and "month" not in self.table.columns else ""
        union = " UNION ALL ".join(
            f"SELECT CAST({index} AS INTEGER) AS _file, * FROM {quoted(file.relation)}" for index, file in enumerate(self.files)
        )
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW proved AS SELECT *{extra} FROM ({union})")
        self.connection.execute("CREATE OR REPLACE TEMP TABLE aside (_file INTEGER, _row BIGINT, kind VARCHAR)")
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE quarantine (file VARCHAR, row_number BIGINT, scope VARCHAR, "
            '"column" VARCHAR, reason VARCHAR, value VARCHAR, original VARCHAR)'
        )

    @property
    def accepted(self) -> str:
        """The rows that stay, as an SQL source."""
        return "(SELECT * FROM proved ANTI JOIN aside USING (_file, _row))"

    # -- the steps ----------------------------------------------------------------------------------------------

    def record_faults(self) -> None:
        """Rows that cannot be kept, and values that cannot be read, each with its reason."""
        for index, file in enumerate(self.files):
            self._record_lines(index, file)
            bits = self.number(f"SELECT bit_or(_faults) FROM {quoted(file.relation)} WHERE _faults <> 0")
            if not bits:
                continue
            self.connection.execute(
                f"INSERT INTO aside SELECT {index}, _row, 'quarantined' FROM {quoted(file.relation)} WHERE _refused"
            )
            self._refuse_if_too_many()
            self._record_reasons(file, bits)

    def _record_lines(self, index: int, file: ProvedFile) -> None:
        if file.raw.refused:
            lines = [(file.raw.name, line.row, "row", "", line.reason, line.text, line.text) for line in file.raw.refused]
            self.connection.executemany("INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?)", lines)
            self.connection.executemany("INSERT INTO aside VALUES (?, ?, 'line')", [(index, line.row) for line in file.raw.refused])
            self._refuse_if_too_many()

    def _record_reasons(self, file: ProvedFile, bits: int) -> None:
        original = "to_json(struct_pack(" + ", ".join(f"{quoted(name)} := {reading.text}" for name, reading in file.casts.items()) + "))"
        faults: list[tuple[int, str, str, str]] = [
            (file.fault_bit(name), name, reading.reason, reading.text) for name, reading in file.casts.items() if bits & file.fault_bit(name)
        ]
        if bits & file.rate_bit:
            faults.append((file.rate_bit, "currency", "'no_exchange_rate'", file.casts["currency"].text))
        for bit, name, reason, text in faults:
            scope = "row" if bit & file.refusing_bits else "value"
            self.connection.execute(
                f"INSERT INTO quarantine SELECT {literal(file.raw.name)}, raw._row, '{scope}', {literal(name)}, {reason}, {text}, {original} "
                f"FROM {quoted(file.raw.relation)} AS raw SEMI JOIN (SELECT _row FROM {quoted(file.relation)} WHERE (_faults & {bit}) <> 0) AS faulty "
                f"ON raw._row = faulty._row"
            )

    def set_aside_without_month(self) -> None:
        """A row that no time puts into a month cannot be counted in any."""
        if self.table.time is None or self.table.columns[self.table.time].required:
            return
        self._set_aside("month IS NULL", self.table.time, "no_month")

    def _set_aside(self, condition: str, column: str, reason: str) -> None:
        names = ", ".join(f"({index}, {literal(file.raw.name)})" for index, file in enumerate(self.files))
        original = "to_json(struct_pack(" + ", ".join(f"{quoted(name)} := CAST({quoted(name)} AS VARCHAR)" for name in self.table.columns) + "))"
        self.connection.execute(
            f"INSERT INTO quarantine SELECT names.file, _row, 'row', {literal(column)}, {literal(reason)}, CAST({quoted(column)} AS VARCHAR), {original} "
            f"FROM {self.accepted} JOIN (VALUES {names}) AS names(_file, file) USING (_file) WHERE {condition}"
        )
        self.connection.execute(f"INSERT INTO aside SELECT _file, _row, 'quarantined' FROM {self.accepted} WHERE {condition}")
        self._refuse_if_too_many()

    def settle_keys(self) -> None:
        """Exact copies count once; two different rows under one key are a contradiction only the source can settle."""
        key = key_columns(self.table)
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE doubled AS SELECT {key} FROM {self.accepted} GROUP BY {key} HAVING count(*) > 1")
        copies = 0
        if self.number("SELECT count(*) FROM doubled"):
            self.connection.execute(
                f"CREATE OR REPLACE TEMP TABLE copies AS SELECT _file, _row, {key}, md5({row_hash(self.table)}) AS content "
                f"FROM {self.accepted} SEMI JOIN doubled USING ({key})"
            )
            self._refuse_contradictions(key)
            self.connection.execute(
                f"INSERT INTO aside SELECT _file, _row, 'copy' FROM copies QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY _file, _row) > 1"
            )
            copies = self.number("SELECT count(*) FROM aside WHERE kind = 'copy'")
        self.found.append(checks.duplicates_check(self.name, copies))

    def _refuse_contradictions(self, key: str) -> None:
        clashing = f"(SELECT {key} FROM copies GROUP BY {key} HAVING count(DISTINCT content) > 1)"
        rows = self.rows(f"SELECT {key}, _file, _row FROM copies SEMI JOIN {clashing} USING ({key}) ORDER BY {key}, _file, _row")
        if not rows:
            return
        width = len(self.table.key)
        example = " x ".join(str(part) for part in rows[0][:width])
        places = [f"{self.files[row[width]].raw.name} row {row[width + 1]:,}" for row in rows if row[:width] == rows[0][:width]]
        raise ContractError(
            f"{self.name}: {len(rows):,} rows share a key and say different things. One row should be one {' x '.join(self.table.key)}, "
            f"e.g. {example} ({' and '.join(places[:3])}). Fix the extract or add an entry to params/corrections.yml."
        )

    def check_references(self, keys: KeySource) -> None:
        """Orphans stay and are counted; where the reference is required the row goes to quarantine."""
        for column in self.table.columns.values():
            if column.refers is None or not any(column.name in file.raw.columns for file in self.files):
                continue
            own = f"(SELECT {quoted(self.table.key[0])} AS key FROM {self.accepted})"
            target = own if column.refers == self.name else keys(column.refers)
            if target is None:
                self.found.append(checks.unreferenced_check(self.name, column.name, column.refers))
                continue
            orphan = f"{quoted(column.name)} IS NOT NULL AND {quoted(column.name)} NOT IN (SELECT key FROM {target})"
            count, example = self.rows(f"SELECT count(*), min({quoted(column.name)}) FROM {self.accepted} WHERE {orphan}")[0]
            if count and column.required:
                self._set_aside(orphan, column.name, "orphan")
            else:
                shown = "•••" if column.pii else str(example or "")
                self.found.append(checks.reference_check(self.name, column.name, column.refers, count, shown))

    def check_time_order(self) -> None:
        if not self.table.in_order:
            return
        present = {name for file in self.files for name in file.raw.columns}
        for early, late in self.table.in_order:
            if early in present and late in present:
                first, then, identity = quoted(early), quoted(late), f"concat_ws(' x ', {key_columns(self.table)})"
                count, example = self.rows(f"SELECT count(*), min({identity}) FROM {self.accepted} WHERE {then} < {first}")[0]
                self.found.append(checks.time_order_check(self.name, early, late, count, str(example or "")))

    def _refuse_if_too_many(self) -> None:
        """Quarantine is for the odd row; a table that loses more than that would give wrong numbers."""
        read = sum(file.raw.rows for file in self.files)
        aside = self.number("SELECT count(DISTINCT (_file, _row)) FROM aside WHERE kind <> 'copy'")
        allowed = max(int(read * self.settings.quarantine_limit), 1 if read > 1 else 0)
        if aside > allowed:
            raise ContractError(self._refusal(read, aside))

    def _refusal(self, read: int, aside: int) -> str:
        for index, file in enumerate(self.files):
            bits = self.number(f"SELECT bit_or(_faults) FROM {quoted(file.relation)} WHERE _refused")
            if bits and not self.number(f"SELECT count(*) FROM quarantine WHERE scope = 'row' AND file = {literal(file.raw.name)} AND \"column\" <> ''"):
                self._record_reasons(file, bits)
        worst = self.rows(
            'SELECT "column", reason, count(*) AS n, arg_min(value, row_number), arg_min(file, row_number), min(row_number) '
            "FROM quarantine WHERE scope = 'row' GROUP BY ALL ORDER BY n DESC, 1, 2 LIMIT 1"
        )[0]
        column, reason, count, example, file_name, row = worst
        shown = "" if example is None or column in self.table.personal else f" '{str(example)[:60]}'"
        place = f"{self.name}.{column}" if column else self.name
        return (
            f"{self.name}: {aside:,} of {read:,} rows cannot be used, more than the {self.settings.quarantine_limit:.0%} that may be set aside. Most often "
            f"({count:,} rows): {place}, {checks.reason_words(reason)[0]}, e.g.{shown} in {file_name} row {row:,}. Fix the extract and run again."
        )

    # -- what comes out -----------------------------------------------------------------------------------------

    def describe_columns(self) -> None:
        for file in self.files:
            absent = [name for name in self.table.columns if name not in file.raw.columns]
            for column in file.raw.header:
                if column not in self.table.columns:
                    near = suggestion(column.lower(), absent).removeprefix(" Did you mean '").removesuffix("'?")
                    self.found.append(checks.unknown_column_check(self.name, file.raw.name, column, near))
            if file.raw.ends_without_line_break and file.raw.rows:
                self.found.append(checks.line_break_check(self.name, file.raw.name))
        converted = sum(file.converted_rows for file in self.files)
        if converted:
            self.found.append(checks.currency_check(self.name, converted, self.settings.reporting_currency))

    def describe_faults(self) -> None:
        grouped = self.rows(
            'SELECT "column", reason, scope, count(*), arg_min(value, (file, row_number)) FROM quarantine GROUP BY ALL ORDER BY 1, 2, 3'
        )
        for column, reason, scope, count, example in grouped:
            shown = "•••" if column in self.table.personal else str(example or "")[:80]
            self.found.append(checks.fault_check(self.name, column, reason, scope, count, shown))
        if not grouped:
            self.found.append(checks.values_check(self.name))

    def waterfall(self, hashes: Mapping[str, str]) -> tuple[FileWaterfall, ...]:
        """Rows of each file by where they went; the accepted ones are counted, not inferred."""
        aside = {(file, kind): count for file, kind, count in self.rows("SELECT _file, kind, count(DISTINCT _row) FROM aside GROUP BY ALL")}
        kept = dict(self.rows(f"SELECT _file, count(*) FROM {self.accepted} GROUP BY ALL"))
        return tuple(
            FileWaterfall(
                file=file.raw.name,
                file_hash=hashes[file.raw.name],
                rows_read=file.raw.rows,
                accepted=kept.get(index, 0),
                quarantined=aside.get((index, "quarantined"), 0) + aside.get((index, "line"), 0),
                exact_duplicates=aside.get((index, "copy"), 0),
            )
            for index, file in enumerate(self.files)
        )

    def write(self, store: Path) -> tuple[Partition, ...]:
        names = ", ".join(f"({index}, {literal(file.raw.name)})" for index, file in enumerate(self.files))
        columns = [quoted(name) for name in self.table.columns]
        values = {"month": "month", "time_order_fault": time_order_fault(self.table), "source_file": "names.file"}
        columns += [f"{values[name]} AS {name}" for name in derived_columns(self.table)]
        content = row_hash(self.table)
        hashes = (f"md5_number_lower({content})", f"md5_number_upper({content})", f"CAST(hash(names.file, {key_columns(self.table)}) AS UBIGINT)")
        columns += [f"{value} AS {name}" for value, name in zip(hashes, HASHES, strict=True)]
        order = ("month, " if self.table.time else "") + key_columns(self.table)
        query = (
            f"SELECT {', '.join(columns)} FROM {self.accepted} AS kept JOIN (VALUES {names}) AS names(_file, file) USING (_file) ORDER BY {order}"
        )
        return write_partitions(self.connection, query, store / self.name, by_month=self.table.time is not None)

    def write_quarantine(self, store: Path) -> None:
        path = store / QUARANTINE / f"{self.name}.parquet"
        if not self.number("SELECT count(*) FROM quarantine"):
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}")
        self.connection.execute(
            f"COPY (SELECT * FROM quarantine ORDER BY file, row_number, \"column\") TO {literal(str(temporary))} (FORMAT parquet)"
        )
        temporary.replace(path)


def assemble(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    table: TableContract,
    sources: Sequence[SourceFile],
    hashes: Mapping[str, str],
    settings: LoadSettings,
    store: Path,
    keys: KeySource,
) -> Assembled:
    """Read, prove and write one table from its files."""
    raws = [
        read_raw(connection, source.path, name=source.name, relation=f"raw_{index}", wanted=table.columns) for index, source in enumerate(sources)
    ]
    proved = [prove(connection, contract, table, raw, settings) for raw in raws]
    load = TableLoad(connection=connection, contract=contract, table=table, settings=settings, files=proved, found=[])
    load.create_relations()
    load.record_faults()
    load.set_aside_without_month()
    load.settle_keys()
    load.check_references(keys)
    load.check_time_order()
    load.describe_columns()
    load.describe_faults()
    waterfall = load.waterfall(hashes)
    partitions = load.write(store)
    load.write_quarantine(store)
    present = tuple(name for name in table.columns if any(name in raw.columns for raw in raws))
    head = [checks.rows_check(table.name, waterfall)]
    if not any(item.rows_read for item in waterfall):
        head.append(checks.empty_check(table.name))
    _drop(connection, proved)
    return Assembled(partitions=partitions, waterfall=waterfall, columns_present=present, checks=(*head, *load.found))


def _drop(connection: duckdb.DuckDBPyConnection, files: Sequence[ProvedFile]) -> None:
    """Give the memory of a table back before the next one is read."""
    connection.execute("DROP VIEW proved")
    for file in files:
        for relation in (file.relation, file.raw.relation):
            kind = connection.execute(f"SELECT count(*) FROM duckdb_views() WHERE view_name = {literal(relation)}").fetchall()[0][0]
            connection.execute(f"DROP {'VIEW' if kind else 'TABLE'} {quoted(relation)}")
