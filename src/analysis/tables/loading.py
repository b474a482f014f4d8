"""Loading a folder of canonical tables: read, prove, account for every row, keep as Parquet by month."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from analysis.sources.fingerprint import fingerprint, signature
from analysis.sources.folder import SourceFile, SourceFolder, scan_folder
from analysis.sources.quiet import silence
from analysis.sources.safety import SIZE_LIMIT_MB, refuse_large
from analysis.sources.sql import literal, quoted
from analysis.tables import checks
from analysis.tables.assembling import NOTHING_STORED, Bench, Stored, assemble
from analysis.tables.contract import Contract, TableContract, contract
from analysis.tables.corrections import Correction, refuse_unexpected
from analysis.tables.records import FileRecord
from analysis.tables.settings import LoadSettings
from analysis.tables.store import (
    MANIFEST,
    QUARANTINE,
    STORE_VERSION,
    TableSet,
    bytes_of,
    harmed,
    locked,
    partition_entry,
    quarantine_path,
    read_manifest,
    staged_quarantine,
    stored_partitions,
    table_hash,
    table_set,
    write_manifest,
)

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[str], None]
MEMORY_LIMIT = "1500MB"


def load_tables(
    folder: Path,
    store: Path,
    *,
    reporting_currency: str,
    time_zone: str,
    exchange_rates: Mapping[str, Sequence[tuple[dt.date, Decimal]]] = {},
    quarantine_limit: float = 0.01,
    corrections: Sequence[Correction] = (),
    size_limit_mb: int = SIZE_LIMIT_MB,
    progress: Progress | None = None,
) -> TableSet:
    """Read, prove and keep the canonical tables of a folder (``tickets.csv``, ``ledger.parquet``, ``orders/*.csv``).

    Parameters
    ----------
    folder, store : Path
        Of the tables, and of what is kept of them.
    reporting_currency, time_zone : str
        Of the company.
    exchange_rates : mapping of currency to (day, rate), in the reporting currency
        Worth of one unit from that day on. Rows in another currency are converted at the rate of their own day; a row without a rate is quarantined.
    quarantine_limit : float, share of a table's rows
        More rows than this set aside and the load is refused; one row is always forgiven, if another one is left.
    corrections : known errors of the source
        Applied between reading and proving. One that does not find the rows it expects refuses the load.
    size_limit_mb : int, megabytes
        That one file may have.
    progress : callable, optional
        Told what is being done.

    Returns
    -------
    TableSet

    Raises
    ------
    SourceError
        For what cannot be read.
    ContractError
        For what cannot be mended by quarantine.

    Notes
    -----
    Files are recognised by content: what has not changed is not read again, and a month whose rows are the same keeps its Parquet file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from analysis.tables import load_tables
    >>> folder = Path(tempfile.mkdtemp())
    >>> customers = pd.DataFrame({"customer_id": ["C1", "C2"], "customer_type": ["b2c", "b2b"]})
    >>> customers.to_csv(folder / "customers.csv", index=False)
    >>> tables = load_tables(folder, folder / "store", reporting_currency="CNY", time_zone="Asia/Shanghai")
    >>> tables["customers"].rows, tables.has("tickets")
    (2, False)
    """
    settings = LoadSettings(
        reporting_currency=reporting_currency,
        time_zone=time_zone,
        exchange_rates=exchange_rates,
        quarantine_limit=quarantine_limit,
        corrections=tuple(corrections),
    )
    found = scan_folder(folder, contract().tables)
    for file in found.files:
        refuse_large(file.path, file.name, size_limit_mb)
    signatures = {file.name: signature(file.path) for file in found.files}
    manifest = read_manifest(store)
    if (
        manifest is not None
        and _is_complete(manifest, found, settings, store)
        and _look_unchanged(manifest, signatures)
        and not harmed(store, manifest)
    ):
        return table_set(store, manifest)
    with locked(store):
        hashes = {file.name: fingerprint(file.path) for file in found.files}
        say = progress or (lambda _line: None)
        manifest = _believed(store, say)
        stands = (
            manifest is not None
            and _is_complete(manifest, found, settings, store)
            and _have_hashes(manifest, hashes)
        )
        if manifest is None or not stands:
            _remove_leftovers(store)
            manifest = _load(found, hashes, store, settings, manifest, say)
            manifest["bytes"] = bytes_of(store, manifest)
        manifest["files"] = {
            name: {"hash": hashes[name], "signature": looks} for name, looks in signatures.items()
        }
        write_manifest(store, manifest)
        if not stands:
            _settle_store(store, manifest)
    return table_set(store, manifest)


def _believed(store: Path, say: Progress) -> dict[str, Any] | None:
    """The manifest of a store whose every file is as it was written; else None, and all is read again from the sources."""
    manifest = read_manifest(store)
    if manifest is None:
        if (store / MANIFEST).exists():
            say(f"{MANIFEST} is damaged or of another version; the tables are made again")
        return None
    if lost := harmed(store, manifest):
        files = "1 file" if len(lost) == 1 else f"{len(lost):,} files"
        say(f"{files} of the kept tables not as written (such as {lost[0]}); the tables are made again")
        return None
    return manifest


def _is_complete(
    manifest: Mapping[str, Any], found: SourceFolder, settings: LoadSettings, store: Path
) -> bool:
    """Whether the store holds these very files' tables, read with these settings, and every Parquet file it names."""
    if manifest["settings"] != settings.as_json() or manifest["unknown"] != [
        list(pair) for pair in found.unknown
    ]:
        return False
    if {file.name for file in found.files} != set(manifest["files"]):
        return False
    if not all(
        _rates_hold(record, settings) for entry in manifest["tables"].values() for record in entry["records"]
    ):
        return False
    return all(
        (store / part["path"]).exists()
        for entry in manifest["tables"].values()
        for part in entry["partitions"]
    )


def _rates_hold(entry: Mapping[str, Any], settings: LoadSettings) -> bool:
    return not entry["foreign"] or entry["rates"] == settings.rates_used(FileRecord.from_json(entry).foreign)


def _look_unchanged(manifest: Mapping[str, Any], signatures: Mapping[str, list[int] | None]) -> bool:
    known = manifest["files"]
    return all(looks is not None and known[name]["signature"] == looks for name, looks in signatures.items())


def _have_hashes(manifest: Mapping[str, Any], hashes: Mapping[str, str]) -> bool:
    return all(manifest["files"][name]["hash"] == content for name, content in hashes.items())


def _load(
    found: SourceFolder,
    hashes: Mapping[str, str],
    store: Path,
    settings: LoadSettings,
    previous: Mapping[str, Any] | None,
    progress: Progress,
) -> dict[str, Any]:
    """The new manifest, after reading every table whose files, or the keys it refers to, have changed."""
    by_table: dict[str, list[SourceFile]] = {}
    for file in found.files:
        by_table.setdefault(file.table, []).append(file)
    refuse_unexpected([entry for entry in settings.corrections if entry.table not in by_table], {})
    manifest: dict[str, Any] = {
        "store_version": STORE_VERSION,
        "contract": contract().content_hash,
        "settings": settings.as_json(),
        "unknown": [list(pair) for pair in found.unknown],
        "tables": {},
        "checks": {"": [asdict(checks.unknown_file_check(name, near)) for name, near in found.unknown]},
    }
    with _connection(store) as connection:

        def keys(target: str) -> str | None:
            entry = manifest["tables"].get(target)
            return None if entry is None else _keys(store, contract().tables[target], entry)

        bench = Bench(connection=connection, contract=contract(), settings=settings, store=store, keys=keys)
        for table in _referred_first(contract()):
            if table.name in by_table:
                _load_table(bench, table, by_table[table.name], hashes, manifest, previous)
                progress(
                    f"{table.name}: {sum(part['rows'] for part in manifest['tables'][table.name]['partitions']):,} rows"
                )
    manifest["content_hash"] = _content_hash(manifest)
    return manifest


def _load_table(
    bench: Bench,
    table: TableContract,
    sources: Sequence[SourceFile],
    hashes: Mapping[str, str],
    manifest: dict[str, Any],
    previous: Mapping[str, Any] | None,
) -> None:
    """Add one table to the manifest: as the last load left it where nothing it depends on has changed."""
    targets = sorted(
        {column.refers for column in table.columns.values() if column.refers and column.refers != table.name}
    )
    referred = {
        target: manifest["tables"][target]["key_hash"] if target in manifest["tables"] else None
        for target in targets
    }
    old = _usable(bench, table, manifest, previous)
    stored = NOTHING_STORED if old is None else _stored(bench.store, old)
    reread = _to_reread(
        sources, hashes, stored, bench.settings, keys_changed=old is not None and old["referred"] != referred
    )
    if (
        old is not None
        and previous is not None
        and not reread
        and old["referred"] == referred
        and set(stored.records) == {s.name for s in sources}
    ):
        manifest["tables"][table.name], manifest["checks"][table.name] = old, previous["checks"][table.name]
        return
    result = assemble(bench, table, sources, hashes, stored, reread=reread)
    present = {column for record in result.records for column in record.columns}
    entry: dict[str, Any] = {
        "referred": referred,
        "columns_present": sorted(present),
        "content_hash": table_hash(result.partitions),
        "partitions": [partition_entry(partition, bench.store) for partition in result.partitions],
        "waterfall": [asdict(record.waterfall) for record in result.records],
        "records": [record.as_json() for record in result.records],
    }
    entry["has_quarantine"] = staged_quarantine(bench.store, table.name).exists()
    entry["key_hash"] = _key_hash(bench.connection, bench.store, table, entry)
    manifest["tables"][table.name] = entry
    manifest["checks"][table.name] = [asdict(check) for check in result.checks]


def _usable(
    bench: Bench, table: TableContract, manifest: Mapping[str, Any], previous: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """The table's entry of the last load, if that read files as this one does and its Parquet files are all there."""
    if previous is None or previous["settings"] != manifest["settings"]:
        return None
    old: Mapping[str, Any] | None = previous["tables"].get(table.name)
    if old is None or not all((bench.store / part["path"]).exists() for part in old["partitions"]):
        return None
    lost = old["has_quarantine"] and not quarantine_path(bench.store, table.name).exists()
    return None if lost else old


def _stored(store: Path, entry: Mapping[str, Any]) -> Stored:
    records = [FileRecord.from_json(item) for item in entry["records"]]
    return Stored(
        records={record.name: record for record in records}, partitions=stored_partitions(store, entry)
    )


def _to_reread(
    sources: Sequence[SourceFile],
    hashes: Mapping[str, str],
    stored: Stored,
    settings: LoadSettings,
    *,
    keys_changed: bool,
) -> set[str]:
    """Files that changed or are new, those that share rows with a changed or vanished one, and those whose orphans may have found a home."""
    names = {source.name for source in sources}
    changed = {
        name for name in names if name not in stored.records or stored.records[name].hash != hashes[name]
    }
    for name, record in stored.records.items():
        if record.rates != settings.rates_used(record.foreign) or (keys_changed and record.orphaned):
            changed.add(name)
    gone = set(stored.records) - names
    while True:
        tangled = {
            name for name, record in stored.records.items() if (changed | gone) & set(record.tangled)
        } - changed
        if not tangled:
            return changed & names
        changed |= tangled


def _keys(store: Path, table: TableContract, entry: Mapping[str, Any]) -> str:
    """The keys other tables may refer to, as an SQL source with one column."""
    paths = [literal(str(store / part["path"])) for part in entry["partitions"]]
    if not paths:
        return "(SELECT CAST(NULL AS VARCHAR) AS key WHERE false)"
    return f"(SELECT {quoted(table.key[0])} AS key FROM read_parquet([{', '.join(paths)}], hive_partitioning = false))"


def _key_hash(
    connection: duckdb.DuckDBPyConnection, store: Path, table: TableContract, entry: Mapping[str, Any]
) -> str | None:
    """Changes when a key comes or goes, not when the rest of a row does; only for tables that others refer to."""
    if not any(
        column.refers == table.name
        for other in contract().tables.values()
        for column in other.columns.values()
    ):
        return None
    query = f"SELECT count(*), sum(CAST(md5_number_lower(key) AS HUGEINT)) FROM {_keys(store, table, entry)}"
    count, total = connection.execute(query).fetchall()[0]
    return f"{count}:{total or 0}"


def _referred_first(known: Contract) -> list[TableContract]:
    """Tables in an order in which each comes after those it refers to."""
    ordered: dict[str, TableContract] = {}

    def visit(table: TableContract) -> None:
        if table.name in ordered:
            return
        for column in table.columns.values():
            if column.refers and column.refers != table.name:
                visit(known.tables[column.refers])
        ordered[table.name] = table

    for table in known.tables.values():
        visit(table)
    return list(ordered.values())


def _content_hash(manifest: Mapping[str, Any]) -> str:
    """Everything a result can depend on: settings, and each table's rows and columns."""
    tables = {
        name: [entry["content_hash"], sorted(entry["columns_present"])]
        for name, entry in manifest["tables"].items()
    }
    known = {"settings": manifest["settings"], "contract": contract().version, "tables": tables}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


@contextmanager
def _connection(store: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine of our own with bounded memory; what does not fit lies in the store while it is needed."""
    import duckdb

    with TemporaryDirectory(dir=store, prefix=".work-") as work:
        connection = duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": work})
        try:
            connection.execute("LOAD icu; SET TimeZone = 'UTC'")
            silence(connection)
            # A typed file's own statistics would let the engine skip the proof of values that 'cannot' be there.
            connection.execute("SET disabled_optimizers = 'statistics_propagation'")
            yield connection
        finally:
            connection.close()


def _remove_leftovers(store: Path) -> None:
    """What a load that was killed has left; nobody else is writing, for we hold the lock."""
    for path in store.glob(".work-*"):
        shutil.rmtree(path, ignore_errors=True)
    for path in (store / QUARANTINE).glob(".*.parquet"):
        path.unlink()


def _settle_store(store: Path, manifest: Mapping[str, Any]) -> None:
    """After a load that succeeded: the new quarantine takes its place and files that no table names go.

    A reader that still holds an old manifest finds its files missing, never changed.
    """
    named = {part["path"] for entry in manifest["tables"].values() for part in entry["partitions"]}
    for name in contract().tables:
        entry, staged = manifest["tables"].get(name), staged_quarantine(store, name)
        if staged.exists():
            staged.replace(quarantine_path(store, name))
        elif entry is None or not entry["has_quarantine"]:
            quarantine_path(store, name).unlink(missing_ok=True)
        for path in (store / name).glob("*"):
            if path.relative_to(store).as_posix() not in named:
                path.unlink()
