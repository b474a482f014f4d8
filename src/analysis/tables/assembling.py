"""From the files of one table to its accepted rows: keys, references, time order, quarantine, the books of it all.

Rows that do not stay are listed in a relation (file, row, why); everything else is a view, so a large table streams. Files
that have not changed are not read: their rows come from the store, which knows the file of each row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import AnalysisError, ContractError, SourceError, suggestion
from analysis.periods import Month
from analysis.sources.folder import SourceFile
from analysis.sources.readers import first_line, read_raw
from analysis.sources.sql import literal, quoted
from analysis.tables import checks, doubts
from analysis.tables.contract import ColumnContract, Contract, TableContract
from analysis.tables.corrections import refuse_unexpected
from analysis.tables.proving import ProvedFile, drop_proved, prove
from analysis.tables.records import FileRecord
from analysis.tables.rows import derived_columns, key_columns, month_of, row_hash, time_order_fault
from analysis.tables.settings import LoadSettings
from analysis.tables.store import MASK, Partition, TableCheck, quarantine_path, staged_quarantine
from analysis.tables.writing import HASHES, write_partitions

if TYPE_CHECKING:
    import duckdb

#: The keys of a table that others refer to, as an SQL source with one column ``key``; None where the table is absent.
KeySource = Callable[[str], str | None]


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A table as the last load left it: the records of its files and the partitions that hold their rows."""

    records: Mapping[str, FileRecord]
    partitions: tuple[Partition, ...]

    @property
    def scan(self) -> str:
        paths = ", ".join(literal(str(partition.path)) for partition in self.partitions)
        return f"read_parquet([{paths}], hive_partitioning = false)"


NOTHING_STORED = Stored(records={}, partitions=())
REMEDY = {
    **checks.REMEDIES,
    "no_exchange_rate": "State the dated rate under exchange_rates in the file of the run (params/runs) and run again.",
}
REMEDY_OF_MOST = "Fix the extract and run again."


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """One table, read and written."""

    partitions: tuple[Partition, ...]
    records: tuple[FileRecord, ...]
    checks: tuple[TableCheck, ...]


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What the steps for every table share."""

    connection: duckdb.DuckDBPyConnection
    contract: Contract
    settings: LoadSettings
    store: Path
    keys: KeySource

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    def number(self, query: str) -> int:
        return int(self.rows(query)[0][0] or 0)

    def run(self, query: str) -> None:
        self.connection.execute(query)


def assemble(
    bench: Bench,
    table: TableContract,
    sources: Sequence[SourceFile],
    hashes: Mapping[str, str],
    stored: Stored,
    *,
    reread: Iterable[str],
) -> Assembled:
    """Read, prove and write one table.

    ``reread`` names the files whose rows the store does not have or may not be trusted with; the rows of all others are taken
    from it. Should one of those turn out to share a key with a new row, or to refer to a row that is gone, it is read as well.
    """
    proved: dict[str, ProvedFile] = {}
    wanted = set(reread)
    try:
        while True:
            for index, source in enumerate(sources):
                if source.name in wanted and source.name not in proved:
                    raw = read_raw(
                        bench.connection,
                        source.path,
                        name=source.name,
                        relation=f"raw_{index}",
                        wanted=table.columns,
                    )
                    proved[source.name] = prove(bench.connection, bench.contract, table, raw, bench.settings)
            load = _TableLoad(
                bench=bench,
                table=table,
                names=[source.name for source in sources],
                proved=proved,
                hashes=hashes,
                stored=stored,
            )
            entangled = load.settle()
            if not entangled:
                return load.finish()
            wanted |= entangled
    except AnalysisError:
        raise
    except Exception as error:
        _refuse_unreadable(error, table, sources)
        raise
    finally:
        bench.run("DROP VIEW IF EXISTS proved")
        for file in proved.values():
            drop_proved(bench.connection, file)


def _refuse_unreadable(error: Exception, table: TableContract, sources: Sequence[SourceFile]) -> None:
    """A typed file may turn out to be damaged only when its pages are read."""
    import duckdb

    if isinstance(error, duckdb.Error) and not isinstance(
        error, (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException)
    ):
        names = ", ".join(source.name for source in sources[:3])
        raise SourceError(
            f"{table.name} ({names}): cannot be read to its end ({first_line(error)}). Export it again."
        ) from error


@dataclass(kw_only=True)
class _TableLoad:
    """The books of one table while it is put together."""

    bench: Bench
    table: TableContract
    names: Sequence[str]
    proved: Mapping[str, ProvedFile]
    hashes: Mapping[str, str]
    stored: Stored
    found: list[TableCheck] = field(default_factory=list)
    tangled: dict[str, set[str]] = field(default_factory=dict)

    @property
    def kept(self) -> dict[str, FileRecord]:
        """Files whose rows come from the store."""
        return {name: self.stored.records[name] for name in self.names if name not in self.proved}

    @property
    def accepted(self) -> str:
        """The rows that stay, as an SQL source."""
        return "(SELECT * FROM proved ANTI JOIN aside USING (_file, _row))"

    @property
    def present(self) -> set[str]:
        """Columns that at least one file has."""
        fresh = {column for file in self.proved.values() for column in file.raw.columns}
        return fresh.union(*(record.columns for record in self.kept.values()))

    @property
    def rows_read(self) -> int:
        return sum(file.raw.rows for file in self.proved.values()) + sum(
            record.rows for record in self.kept.values()
        )

    def settle(self) -> set[str]:
        """Decide which rows stay; names unchanged files that have to be read after all, else nothing."""
        self._create_relations()
        self._set_aside_faulty()
        if self.table.time_else:
            self._set_aside(
                f"(SELECT * FROM {self.accepted} WHERE month IS NULL)", str(self.table.time), "no_month"
            )
        return self._set_aside_orphans() or self._settle_keys() or self._settle_overlaps()

    def finish(self) -> Assembled:
        """Check, count and write what stays."""
        self._check_references()
        self._check_time_order()
        self._describe_files()
        self._describe_quarantine()
        records = self._records()
        head = [checks.rows_check(self.table.name, tuple(record.waterfall for record in records))]
        if not self.rows_read:
            head.append(checks.empty_check(self.table.name))
        self._describe_corrections(records)
        self.found += doubts.file_doubts(self.table, records)
        partitions = self._write()
        if partitions:
            kept = Stored(records={}, partitions=partitions).scan
            zone = self.bench.settings.time_zone
            self.found += doubts.table_doubts(self.bench.rows, self.table, kept, self.present, zone)
        self._write_quarantine()
        return Assembled(partitions=partitions, records=records, checks=(*head, *self.found))

    # -- relations ----------------------------------------------------------------------------------------------

    def _create_relations(self) -> None:
        """`proved`: the rows of all files; `aside`: rows that do not stay; `quarantine`: faults, for people."""
        month = month_of(self.table, self.bench.settings.time_zone)
        extra = f", {month} AS month" if month and "month" not in self.table.columns else ""
        parts = [
            f"SELECT CAST({self.names.index(name)} AS INTEGER) AS _file, *{extra} FROM {quoted(file.relation)}"
            for name, file in self.proved.items()
        ]
        if self.kept and self.stored.partitions:
            files = self._file_numbers(self.kept)
            derived = [name for name in derived_columns(self.table) if name != "month"]
            parts.append(
                f"SELECT files._file, CAST(0 AS BIGINT) AS _row, rows.* EXCLUDE ({', '.join(derived)}), CAST(0 AS BIGINT) AS _faults, false AS _refused "
                f"FROM {self.stored.scan} AS rows JOIN {files} AS files ON rows.source_file = files._file_name"
            )
        self.bench.run(f"CREATE OR REPLACE TEMP VIEW proved AS {' UNION ALL BY NAME '.join(parts)}")
        self.bench.run("CREATE OR REPLACE TEMP TABLE aside (_file INTEGER, _row BIGINT, kind VARCHAR)")
        self.bench.run(
            "CREATE OR REPLACE TEMP TABLE quarantine (file VARCHAR, row_number BIGINT, scope VARCHAR, "
            '"column" VARCHAR, reason VARCHAR, value VARCHAR, original VARCHAR)'
        )
        path = quarantine_path(self.bench.store, self.table.name)
        if self.kept and path.is_file():
            kept = ", ".join(map(literal, self.kept))
            self.bench.run(
                f"INSERT INTO quarantine SELECT * FROM read_parquet({literal(str(path))}) WHERE file IN ({kept})"
            )

    def _file_numbers(self, names: Iterable[str]) -> str:
        values = ", ".join(f"({self.names.index(name)}, {literal(name)})" for name in names)
        return f"(SELECT * FROM (VALUES {values}) AS listed(_file, _file_name))"

    # -- what does not stay -------------------------------------------------------------------------------------

    def _set_aside_faulty(self) -> None:
        """Lines and rows that cannot be kept, and values that cannot be read, each with its reason."""
        for name, file in self.proved.items():
            number = self.names.index(name)
            if file.raw.refused:
                lines = quoted(file.raw.refused_lines)
                self.bench.run(f"INSERT INTO aside SELECT {number}, row, 'quarantined' FROM {lines}")
                self.bench.run(
                    f"INSERT INTO quarantine SELECT {literal(name)}, row, 'row', '', reason, text, text FROM {lines}"
                )
            if file.corrected.dropped:
                self._set_aside_dropped(name, file)
            bits = self.bench.number(
                f"SELECT bit_or(_faults) FROM {quoted(file.relation)} WHERE _faults <> 0"
            )
            if bits & file.refusing_bits:
                self.bench.run(
                    f"INSERT INTO aside SELECT {number}, _row, 'quarantined' FROM {quoted(file.relation)} WHERE _refused"
                )
            for bit, column, reason, text in _faults(file, bits):
                scope = "row" if bit & file.refusing_bits else "value"
                self.bench.run(
                    f"INSERT INTO quarantine SELECT {literal(name)}, _row, '{scope}', {literal(column)}, {reason}, {text}, {file.original} "
                    f"FROM {quoted(file.raw.relation)} SEMI JOIN (SELECT _row FROM {quoted(file.relation)} WHERE (_faults & {bit}) <> 0) USING (_row)"
                )
            for stated in doubts.lines_to_set_aside(self.bench.rows, self.table, file):
                self._set_aside_stated(name, file, stated)
        self._refuse_if_too_many()

    def _set_aside_stated(self, name: str, file: ProvedFile, lines: doubts.SetAside) -> None:
        """Lines that say what other rows add up to, or carry them on: accounted for, but no rows of the table that were lost."""
        number, reason = self.names.index(name), literal(lines.reason)
        self.bench.run(f"INSERT INTO aside SELECT {number}, _row, {reason} FROM {lines.rows}")
        shown = quoted("amount" if "amount" in file.casts else self.table.key[0])
        self.bench.run(
            f"INSERT INTO quarantine SELECT {literal(name)}, _row, 'row', '', {reason}, CAST({shown} AS VARCHAR), {file.original} "
            f"FROM {quoted(file.raw.relation)} SEMI JOIN {lines.rows} USING (_row)"
        )

    def _settle_overlaps(self) -> set[str]:
        """Two lists that repeat one another under other numbers are one: the shorter one's rows count as copies."""
        if len(self.names) < 2:
            return set()
        day = self._day()
        while found := doubts.overlaps(self.bench.rows, self.table, self.accepted, day=day):
            (one,) = found
            longer, shorter = (self.names[number] for number in one.files)
            if {longer, shorter} & set(self.kept):
                return {longer, shorter} & set(self.kept)
            self.bench.run(f"INSERT INTO aside SELECT _file, _row, 'copy' FROM {one.rows}")
            self.tangled.setdefault(longer, set()).add(shorter)
            self.tangled.setdefault(shorter, set()).add(longer)
            self.found.append(checks.overlap_check(self.table.name, shorter, longer, one.count))
        return set()

    def _day(self) -> str:
        """The business day of a row, as SQL."""
        time = self.table.time
        if time is None or self.table.columns[time].type == "date":
            return quoted(str(time))
        return f"CAST(timezone({literal(self.bench.settings.time_zone)}, timezone('UTC', {quoted(time)})) AS DATE)"

    def _set_aside_dropped(self, name: str, file: ProvedFile) -> None:
        """Rows that the corrections register takes out: accounted for, but no fault of this load."""
        dropped = quoted(f"{file.raw.relation}_dropped")
        self.bench.run(f"INSERT INTO aside SELECT {self.names.index(name)}, row, 'dropped' FROM {dropped}")
        self.bench.run(
            f"INSERT INTO quarantine SELECT {literal(name)}, row, 'row', '', 'dropped', id, original FROM {dropped}"
        )

    def _set_aside(self, rows: str, column: str, reason: str) -> None:
        """Quarantine accepted rows that only the whole table can judge."""
        fields = ", ".join(
            f"{quoted(name)} := CAST({quoted(name)} AS VARCHAR)" for name in self.table.columns
        )
        self.bench.run(
            f"INSERT INTO quarantine SELECT files._file_name, _row, 'row', {literal(column)}, {literal(reason)}, CAST({quoted(column)} AS VARCHAR), "
            f"CAST(to_json(struct_pack({fields})) AS VARCHAR) FROM {rows} JOIN {self._file_numbers(self.names)} AS files USING (_file)"
        )
        self.bench.run(f"INSERT INTO aside SELECT _file, _row, {literal(reason)} FROM {rows}")
        self._refuse_if_too_many()

    def _settle_keys(self) -> set[str]:
        """Exact copies count once; different rows under one key are a contradiction only the source can settle."""
        key = key_columns(self.table)
        self.bench.run(
            f"CREATE OR REPLACE TEMP TABLE doubled AS SELECT {key} FROM {self.accepted} GROUP BY {key} HAVING count(*) > 1"
        )
        if not self.bench.number("SELECT count(*) FROM doubled"):
            return set()
        self.bench.run(
            f"CREATE OR REPLACE TEMP TABLE copies AS SELECT _file, _row, {key}, md5({row_hash(self.table)}) AS content "
            f"FROM {self.accepted} SEMI JOIN doubled USING ({key})"
        )
        entangled = {
            self.names[number] for (number,) in self.bench.rows("SELECT DISTINCT _file FROM copies")
        } & set(self.kept)
        if entangled:
            return entangled
        self._refuse_contradictions(key)
        first = f"row_number() OVER (PARTITION BY {key} ORDER BY _file, _row)"
        self.bench.run(f"INSERT INTO aside SELECT _file, _row, 'copy' FROM copies QUALIFY {first} > 1")
        groups = f"SELECT DISTINCT list_sort(list_distinct(list(_file))) FROM copies GROUP BY {key} HAVING count(DISTINCT _file) > 1"
        for (group,) in self.bench.rows(groups):
            members = {self.names[number] for number in group}
            for name in members:
                self.tangled.setdefault(name, set()).update(members - {name})
        return set()

    def _references(self) -> list[tuple[ColumnContract, str | None]]:
        """Columns of this load that refer to a table, with the keys they may name (None: no such table)."""
        own = f"(SELECT {quoted(self.table.key[0])} AS key FROM {self.accepted})"
        return [
            (column, own if column.refers == self.table.name else self.bench.keys(column.refers))
            for column in self.table.columns.values()
            if column.refers is not None and column.name in self.present
        ]

    def _set_aside_orphans(self) -> set[str]:
        """Where a reference is required, a row that names nothing goes to quarantine.

        Before keys are settled: whether a row is an orphan depends on nothing else in its table.
        """
        for column, keys in self._references():
            if keys is None or not column.required:
                continue
            orphans = self._orphans(column.name, keys)
            files = {
                self.names[number] for (number,) in self.bench.rows(f"SELECT DISTINCT _file FROM {orphans}")
            }
            if files & set(self.kept):
                return files & set(self.kept)
            if files:
                self._set_aside(orphans, column.name, "orphan")
        return set()

    def _check_references(self) -> None:
        """Other orphans stay and are counted."""
        for column, keys in self._references():
            if column.refers is None:
                continue
            if keys is None:
                self.found.append(checks.unreferenced_check(self.table.name, column.name, column.refers))
            elif not self._has_quarantined_orphans(column.name):
                orphans = self._orphans(column.name, keys)
                count, example = self.bench.rows(
                    f"SELECT count(*), min({quoted(column.name)}) FROM {orphans}"
                )[0]
                shown = MASK if column.pii else str(example or "")
                self.found.append(
                    checks.reference_check(self.table.name, column.name, column.refers, count, shown)
                )

    def _orphans(self, column: str, keys: str) -> str:
        """Accepted rows that name a key which is not there; null names nothing and is no orphan."""
        return (
            f"(SELECT * FROM {self.accepted} AS rows ANTI JOIN {keys} AS known ON rows.{quoted(column)} = known.key "
            f"WHERE rows.{quoted(column)} IS NOT NULL)"
        )

    def _has_quarantined_orphans(self, column: str) -> bool:
        where = f"reason = 'orphan' AND \"column\" = {literal(column)}"
        return bool(self.bench.number(f"SELECT count(*) FROM quarantine WHERE {where}"))

    # -- refusals -----------------------------------------------------------------------------------------------

    def _refuse_contradictions(self, key: str) -> None:
        clashing = f"(SELECT {key} FROM copies GROUP BY {key} HAVING count(DISTINCT content) > 1)"
        count = self.bench.number(f"SELECT count(*) FROM copies SEMI JOIN {clashing} USING ({key})")
        if not count:
            return
        first = f"(SELECT * FROM {clashing} ORDER BY ALL LIMIT 1)"
        rows = self.bench.rows(
            f"SELECT {key}, _file, _row FROM copies SEMI JOIN {first} USING ({key}) ORDER BY _file, _row"
        )
        parts = [
            MASK if self.table.columns[name].pii else str(value)
            for name, value in zip(self.table.key, rows[0], strict=False)
        ]
        places = [f"{self.names[row[-2]]} row {row[-1]:,}" for row in rows]
        raise ContractError(
            f"{self.table.name}: {count:,} rows share a key and say different things. One row should be one {' x '.join(self.table.key)}, "
            f"e.g. {' x '.join(parts)} ({' and '.join(places[:3])}). Fix the extract or add an entry to params/corrections.yml."
        )

    def _refuse_if_too_many(self) -> None:
        """Quarantine is for the odd row; a table that loses more than that would give wrong numbers."""
        aside = self.bench.number(
            "SELECT count(DISTINCT (_file, _row)) FROM aside WHERE kind NOT IN ('copy', 'dropped', 'total_line', 'closing_entry')"
        )
        aside += sum(record.quarantined - record.dropped - record.stated for record in self.kept.values())
        read, limit = self.rows_read, self.bench.settings.quarantine_limit
        if aside <= max(int(read * limit), 1 if read > 1 else 0):
            return
        column, reason, count, value, file, row = self.bench.rows(
            'SELECT "column", reason, count(*) AS n, arg_min(value, (file, row_number)), min(file), arg_min(row_number, (file, row_number)) '
            "FROM quarantine WHERE scope = 'row' AND reason NOT IN ('dropped', 'total_line', 'closing_entry') GROUP BY ALL ORDER BY n DESC, 1, 2 LIMIT 1"
        )[0]
        place = f"{self.table.name}.{column}" if column else self.table.name
        shown = "" if value is None else f" '{MASK if column in self.table.personal else str(value)[:60]}'"
        raise ContractError(
            f"{self.table.name}: {aside:,} of {read:,} rows cannot be used, more than the {limit:.0%} that may be set aside. Most often "
            f"({count:,} rows): {place}, {checks.reason_words(reason).en}, e.g.{shown} in {file} row {row:,}. {REMEDY.get(reason, REMEDY_OF_MOST)}"
        )

    # -- what is said about it ----------------------------------------------------------------------------------

    def _check_time_order(self) -> None:
        present, identity = self.present, f"concat_ws(' x ', {key_columns(self.table)})"
        for early, late in self.table.in_order:
            if early in present and late in present:
                where = f"FROM {self.accepted} WHERE {quoted(late)} < {quoted(early)} AND NOT {self._same_day(early, late)}"
                count, example = self.bench.rows(f"SELECT count(*), min({identity}) {where}")[0]
                self.found.append(
                    checks.time_order_check(self.table.name, early, late, count, str(example or ""))
                )

    def _same_day(self, early: str, late: str) -> str:
        """Whether two moments share a day of which the later one tells no clock: their order cannot be judged."""
        if self.table.columns[late].type != "timestamp":
            return "false"
        zone = self.bench.settings.time_zone
        starts = f"timezone('UTC', timezone({literal(zone)}, date_trunc('day', timezone({literal(zone)}, timezone('UTC', {quoted(early)})))))"
        return f"({quoted(late)} = {starts})"

    def _describe_files(self) -> None:
        files = [
            (name, file.raw.header, file.raw.ends_without_line_break, file.foreign_rows, file.raw.encoding)
            for name, file in self.proved.items()
        ]
        files += [
            (name, record.header, record.ends_without_line_break, record.converted_rows, record.encoding)
            for name, record in self.kept.items()
        ]
        for name, header, ends_open, _, encoding in sorted(files):
            absent = [column for column in self.table.columns if column not in header]
            for column in header:
                if column not in self.table.columns:
                    near = (
                        suggestion(column.lower(), absent).removeprefix(" Did you mean '").removesuffix("'?")
                    )
                    self.found.append(checks.unknown_column_check(self.table.name, name, column, near))
            if ends_open:
                self.found.append(checks.line_break_check(self.table.name, name))
            if encoding != "utf-8":
                self.found.append(checks.encoding_check(self.table.name, name, encoding))
        converted = sum(file[3] for file in files)
        if converted:
            self.found.append(
                checks.currency_check(self.table.name, converted, self.bench.settings.reporting_currency)
            )

    def _describe_quarantine(self) -> None:
        copies = self.bench.number("SELECT count(*) FROM aside WHERE kind = 'copy'")
        copies += sum(record.exact_duplicates for record in self.kept.values())
        self.found.append(checks.duplicates_check(self.table.name, copies))
        faults = self.bench.rows(
            'SELECT "column", reason, scope, count(*), arg_min(value, (file, row_number)) FROM quarantine '
            "WHERE reason <> 'dropped' GROUP BY ALL ORDER BY 1, 2, 3"
        )
        for column, reason, scope, count, value in faults:
            shown = MASK if column in self.table.personal else str(value or "")[:80]
            self.found.append(checks.fault_check(self.table.name, column, reason, scope, count, shown))
        unread: Counter[str] = Counter()
        for column, _, scope, count, _ in faults:
            unread[column] += count if scope == "value" else 0
        for column, count in unread.items():
            if count and not self.bench.number(f"SELECT count({quoted(column)}) FROM {self.accepted}"):
                self.found.append(checks.lost_check(self.table.name, column, count))
        if not faults:
            self.found.append(checks.values_check(self.table.name))

    def _describe_corrections(self, records: Iterable[FileRecord]) -> None:
        found: Counter[str] = Counter()
        for record in records:
            found.update(record.corrected)
        corrections = self.bench.settings.corrections_of(self.table.name)
        refuse_unexpected(corrections, found)
        for entry in corrections:
            self.found.append(
                checks.correction_check(
                    self.table.name, entry.id, entry.action, found[entry.id], entry.reason, entry.reporter
                )
            )

    def _records(self) -> tuple[FileRecord, ...]:
        """The books: where each file's rows went. Accepted rows are counted, not inferred, so that the sum proves something."""
        counted = self.bench.rows("SELECT _file, kind, count(DISTINCT _row) FROM aside GROUP BY ALL")
        aside = {(self.names[number], kind): count for number, kind, count in counted}
        accepted = {
            self.names[number]: count
            for number, count in self.bench.rows(f"SELECT _file, count(*) FROM {self.accepted} GROUP BY ALL")
        }
        records = []
        for name in self.names:
            if name in self.proved:
                record = _record(self.proved[name], self.hashes[name], self.bench.settings)
                record = record.counted(
                    quarantined=sum(
                        count for (file, kind), count in aside.items() if file == name and kind != "copy"
                    ),
                    orphaned=aside.get((name, "orphan"), 0),
                    stated=aside.get((name, "total_line"), 0) + aside.get((name, "closing_entry"), 0),
                    rewritten=self._rewritten(name),
                    exact_duplicates=aside.get((name, "copy"), 0),
                    tangled=tuple(sorted(self.tangled.get(name, ()))),
                )
            else:
                record = self.stored.records[name]
            records.append(record.counted(accepted=accepted.get(name, 0)))
        return tuple(records)

    def _rewritten(self, name: str) -> tuple[tuple[str, int, str], ...]:
        file = self.proved[name]
        return doubts.rewritten(
            self.bench.rows,
            self.table,
            file,
            {column: reading.value for column, reading in file.casts.items()},
        )

    # -- what is written ----------------------------------------------------------------------------------------

    def _write(self) -> tuple[Partition, ...]:
        """Months that gained or lost a row are written anew; the others keep their files."""
        connection, folder, key = self.bench.connection, self.bench.store / self.table.name, self.table.key
        if self.table.time is None:
            return write_partitions(connection, self._validated(""), folder, by_month=False, key=key)
        months = self._touched_months()
        untouched = [partition for partition in self.stored.partitions if partition.month not in months]
        if not months:
            return tuple(untouched)
        days = ", ".join(f"DATE {literal(str(month.start))}" for month in sorted(months))
        rows = self._validated(f"WHERE month IN ({days})" if untouched else "")
        written = write_partitions(connection, rows, folder, by_month=True, key=key)
        return tuple(sorted((*untouched, *written), key=lambda partition: str(partition.month)))

    def _validated(self, where: str) -> str:
        """Accepted rows as they are kept: canonical columns, derived ones, then the hashes."""
        key = key_columns(self.table)
        values = {
            "month": "month",
            "time_order_fault": time_order_fault(self.table),
            "source_file": "files._file_name",
        }
        columns = [quoted(name) for name in self.table.columns]
        columns += [f"{values[name]} AS {name}" for name in derived_columns(self.table)]
        rows = (
            f"SELECT {', '.join(columns)}, md5_number({row_hash(self.table)}) AS _content, "
            f"CAST(hash(files._file_name, {key}) AS UBIGINT) AS _origin "
            f"FROM {self.accepted} JOIN {self._file_numbers(self.names)} AS files USING (_file) {where}"
        )
        low, high, origin = HASHES
        return (
            f"SELECT * EXCLUDE (_content, _origin), CAST(_content & {2**64 - 1} AS UBIGINT) AS {low}, "
            f"CAST(_content >> 64 AS UBIGINT) AS {high}, _origin AS {origin} "
            f"FROM ({rows})"
        )

    def _touched_months(self) -> set[Month]:
        """Months in which a file that was read has rows now, or a file that is not kept had rows in the store."""
        if self.table.time is None:
            return set()
        queries = []
        if self.proved:
            fresh = ", ".join(str(self.names.index(name)) for name in self.proved)
            queries.append(f"SELECT DISTINCT month FROM {self.accepted} WHERE _file IN ({fresh})")
        if self.stored.partitions:
            kept = ", ".join(map(literal, self.kept)) or "''"
            queries.append(f"SELECT DISTINCT month FROM {self.stored.scan} WHERE source_file NOT IN ({kept})")
        return {Month.parse(month) for query in queries for (month,) in self.bench.rows(query)}

    def _write_quarantine(self) -> None:
        """Beside the old one; it takes its place when the whole load has succeeded."""
        path = staged_quarantine(self.bench.store, self.table.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.bench.number("SELECT count(*) FROM quarantine"):
            ordered = 'SELECT * FROM quarantine ORDER BY file, row_number, "column"'
            self.bench.run(f"COPY ({ordered}) TO {literal(str(path))} (FORMAT parquet)")


def _faults(file: ProvedFile, bits: int) -> list[tuple[int, str, str, str]]:
    """(bit, column, reason in SQL, text in SQL) of every column that has a fault in this file."""
    faults = [
        (file.fault_bit(name), name, reading.reason, reading.text)
        for name, reading in file.casts.items()
        if bits & file.fault_bit(name)
    ]
    if bits & file.rate_bit:
        faults.append((file.rate_bit, "currency", "'no_exchange_rate'", file.casts["currency"].text))
    return faults


def _record(file: ProvedFile, content: str, settings: LoadSettings) -> FileRecord:
    return FileRecord(
        name=file.raw.name,
        hash=content,
        rows=file.raw.rows,
        header=file.raw.header,
        columns=tuple(file.raw.columns),
        foreign=file.foreign,
        rates=settings.rates_used(file.foreign),
        converted_rows=file.foreign_rows,
        ends_without_line_break=file.raw.ends_without_line_break,
        corrected=file.corrected.rows,
        dropped=file.corrected.dropped,
        encoding=file.raw.encoding,
        hidden=file.raw.hidden,
        first_hidden=file.raw.first_hidden,
    )
