"""A source map applied: the exports of a folder, or the queries of a database, written as canonical tables.

What has not changed is not read again: every file written is remembered with a hash of all it depends on (its source, the files it
looks values up in, the entry of the map), and a month whose export is the same keeps its file. Two processes take turns.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from analysis.errors import AnalysisError, SourceError, command, suggestion
from analysis.params.places import is_folder, locked_by
from analysis.sources.cells import Cell, cell_text
from analysis.sources.closing import ClosingVouchers, closing_vouchers
from analysis.sources.databases import Databases
from analysis.sources.events import Events, collect_events, join_events
from analysis.sources.extracts import named_in
from analysis.sources.fingerprint import fingerprint, signature, unsealed, with_seal
from analysis.sources.keys import Keys, joined_key, shown_key
from analysis.sources.lookingup import with_found
from analysis.sources.maps import EventLog, KnownFrom, Lookup, MapEntry, SourceMap, several
from analysis.sources.reading import (
    Input,
    Rows,
    counted_within,
    emptied,
    filled_down,
    find_inputs,
    open_rows,
    require_columns,
)
from analysis.sources.rounds import is_round
from analysis.sources.rowmapping import TOO_FINE, MapNote, RowMapper
from analysis.sources.safety import SIZE_LIMIT_MB
from analysis.sources.summing import Sums
from analysis.sources.taking import FOLDER, Taken, take_extracts
from analysis.sources.textparquet import TextParquet

STATE = "_mapped.json"
WORK = "_work"
#: Lines of another width than the header that are kept to be counted; more of them show that the file was misread.
MOST_BROKEN = 100_000
#: Of an extract: a row moved from one page to the next, so another may have moved past both.
MOVED = "rows that stood on two pages, so the list moved while it was read and may lack others"
CUT = "rows, a number at which systems cut exports"
#: Goes up when the same map would write something else.
MAPPING_VERSION = 6


@dataclass(frozen=True, kw_only=True)
class MappedFile:
    """Where the rows of one source went: ``read == mapped + left_out``. Of an event log, ``mapped`` are the events that were meant."""

    table: str
    file: str
    read: int
    mapped: int
    left_out: int
    notes: tuple[MapNote, ...] = ()


@dataclass(kw_only=True)
class _Books:
    """What is remembered between two applications of a map."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)


def apply_map(
    source_map: SourceMap,
    folder: Path,
    target: Path,
    *,
    business_zone: str = "UTC",
    size_limit_mb: int = SIZE_LIMIT_MB,
    reuse_queries: bool = False,
    today: dt.date | None = None,
) -> tuple[MappedFile, ...]:
    """Write the canonical tables of a folder of exports (``tickets/0-export.csv``). The same files give the same bytes.

    Parameters
    ----------
    source_map : SourceMap
        As `load_map` reads it.
    folder, target : Path
        Of the exports, and of what is made of them.
    business_zone : str
        Where a moment's day is taken for columns of days.
    size_limit_mb : int, megabytes
        That one file may have.
    reuse_queries : bool
        Rows of a query that was run before are taken as they were then, so that every notebook of one report sees the same.
    today : date, optional
        The clock's, if not given: a day after it cannot have happened, so the format it was read by is doubted.

    Returns
    -------
    tuple of MappedFile
        What became of each file's rows.

    Raises
    ------
    SourceError
        Where a file or a column the map names is not there, or cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from analysis.sources import apply_map, load_map
    >>> folder = Path(tempfile.mkdtemp())
    >>> export = pd.DataFrame({"Number": ["T1"], "Kind": ["repair"], "Opened": ["2026-10-03 09:15"]})
    >>> export.to_csv(folder / "desk.csv", index=False)
    >>> columns = "{ticket_id: Number, ticket_type: Kind, opened_at: Opened}"
    >>> text = f"{{about: a desk, tables: [{{table: tickets, file: desk.csv, columns: {columns}}}]}}"
    >>> _ = (folder / "desk.yml").write_text(text)
    >>> desk = load_map("desk", {"tickets": ("ticket_id", "ticket_type", "opened_at")}, path=folder / "desk.yml")
    >>> [(file.table, file.read, file.mapped) for file in apply_map(desk, folder, folder / "made")]
    [('tickets', 1, 1)]
    """
    in_folder = [one for one in source_map.patterns if not named_in(one, source_map.extracts)]
    if in_folder and not is_folder(folder, name=folder.name, refusal=SourceError):
        raise SourceError(f"{folder.name}: no such folder. Name the folder that holds the exports.")
    target.mkdir(parents=True, exist_ok=True)
    with locked_by(target / ".lock"), Databases() as databases:
        taken = take_extracts(
            source_map.extracts, target / FOLDER, limit_mb=size_limit_mb, reuse=reuse_queries
        )
        run = _Mapping(
            source_map=source_map,
            folder=folder,
            target=target,
            business_zone=business_zone,
            size_limit_mb=size_limit_mb,
            reuse_queries=reuse_queries,
            databases=databases,
            taken=taken,
            today=today or dt.date.today(),
            before=_read_books(target),
        )
        try:
            mapped = [
                one for number, entry in enumerate(source_map.tables) for one in run.entry(number, entry)
            ] + run.remarks()
            run.settle()
        finally:
            for keys in run.kept:
                keys.close()
            shutil.rmtree(target / WORK, ignore_errors=True)
    return tuple(mapped)


@contextmanager
def told_where(mapped: Sequence[MappedFile]) -> Iterator[None]:
    """While what a map wrote is proved: a refusal for money that is too fine names the export, the sheet, the line and the value as well."""
    try:
        yield
    except AnalysisError as error:
        fine = [
            f"{one.file}, {note.example} ({note.count:,} such)"
            for one in mapped
            for note in one.notes
            if note.kind == TOO_FINE and str(error).startswith(f"{one.table}:")
        ]
        if not fine or TOO_FINE not in str(error):
            raise
        raise type(error)(f"{error} In the export: {'; '.join(fine[:3])}.") from None


def _read_books(target: Path) -> _Books:
    try:
        path = target / STATE
        stored = unsealed(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError):
        return _Books()
    if stored is None or stored.get("version") != MAPPING_VERSION:
        return _Books()
    return _Books(files=stored["files"], outputs=stored["outputs"])


@dataclass(kw_only=True)
class _Mapping:
    """One application of a map."""

    source_map: SourceMap
    folder: Path
    target: Path
    business_zone: str
    size_limit_mb: int
    reuse_queries: bool
    databases: Databases
    taken: Mapping[str, Taken]
    today: dt.date
    before: _Books
    after: _Books = field(default_factory=_Books)
    kept: list[Keys] = field(default_factory=list)
    looked_up: dict[str, Keys] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        return self.target / WORK

    def keys(self) -> Keys:
        self.kept.append(Keys(self.work))
        return self.kept[-1]

    def entry(self, number: int, entry: MapEntry) -> list[MappedFile]:
        """The rows of one entry, file by file; files whose output stands are not read."""
        if not entry.file:
            return [self._query(number, entry)]
        if entry.may_be_absent and not self.find(entry.file, entry.member):
            note = MapNote(kind="no such file; made without it", column="", count=0, example="")
            return [
                MappedFile(table=entry.table, file=entry.file, read=0, mapped=0, left_out=0, notes=(note,))
            ]
        entry, notes = self._with_present_logs(entry)
        inputs = self.inputs(entry.file, entry.member, f"for {entry.table}")
        others = self._other_files(entry)
        together = [self.hash(given.path) for given in inputs] if entry.depends_on_order else []
        plans = []
        for given in inputs:
            out = self.target / entry.table / f"{number}-{_plain_name(given)}.csv"
            key = self._key(entry, [[given.name, self.hash(given.path)], others, together])
            plans.append((given, out, key))
        if all(self._stands(out, key) for _, out, key in plans) or not entry.depends_on_order:
            fresh = [(given, out, key) for given, out, key in plans if not self._stands(out, key)]
        else:
            fresh = plans
        done = self._write(entry, fresh) if fresh else {}
        found: list[MappedFile] = []
        for given, out, key in plans:
            found += done[given.name] if given.name in done else self._remembered(out)
            self._remember(out, key, done.get(given.name) or self._remembered(out))
        return [*found, *notes]

    def _with_present_logs(self, entry: MapEntry) -> tuple[MapEntry, list[MappedFile]]:
        """The entry without the logs that may be absent and are; each is said."""
        present: list[EventLog] = []
        absent: list[EventLog] = []
        for log in entry.events:
            there = not (log.may_be_absent and log.file) or self.find(log.file, log.member)
            (present if there else absent).append(log)
        note = MapNote(kind="no such file; made without it", column="", count=0, example="")
        said = [
            MappedFile(
                table=entry.table,
                file=f"{log.file} (events: {', '.join(log.gives)})",
                read=0,
                mapped=0,
                left_out=0,
                notes=(note,),
            )
            for log in absent
        ]
        return replace(entry, events=tuple(present)), said

    def _query(self, number: int, entry: MapEntry) -> MappedFile:
        out = self.target / entry.table / f"{number}-{entry.url_from}.csv"
        key = self._key(entry, [])
        if self.reuse_queries and self._stands(out, key):
            mapped = self._remembered(out)[0]
        else:
            lookups = self._lookups(
                entry.lookups, entry.url_from
            )  # before: not every driver reads two tables at once
            with self._queried(entry, entry.url_from, entry.source) as rows:
                mapped = self._write_one(entry, entry.source, rows, out, self.keys(), lookups, [])
        self._remember(out, key, [mapped])
        return mapped

    def remarks(self) -> list[MappedFile]:
        """What is to be thought of the extracts themselves, said at the first table that reads them."""
        found = []
        for name, one in self.taken.items():
            doubts = {MOVED: one.repeated, CUT: one.rows if one.open_end else 0}
            notes = tuple(
                MapNote(kind=kind, column="", count=count, example="")
                for kind, count in doubts.items()
                if count
            )
            of_it = (one for one in self.source_map.tables if named_in(one.file, self.taken) == name)
            table = next(of_it, self.source_map.tables[0]).table
            if notes:
                found.append(MappedFile(table=table, file=name, read=0, mapped=0, left_out=0, notes=notes))
        return found

    @contextmanager
    def _queried(self, form: MapEntry | Lookup, variable: str, name: str) -> Iterator[Rows]:
        """The rows of a table or a query of a database."""
        with self.databases.rows(variable, name, query=form.query, table=form.database_table) as (
            header,
            cells,
        ):
            yield Rows(header=header, rows=emptied(cells, frozenset(form.missing)))

    # -- reading -------------------------------------------------------------------------------------------------

    def find(self, pattern: str, member: str) -> list[Input]:
        """The files that a pattern names: an extract's, or the folder's."""
        extract = named_in(pattern, self.taken)
        if extract and (self.folder / extract).exists():
            raise SourceError(
                f"{extract}: lies in the folder, and the map fetches a file of that name. Take it out of the folder, or call the extract otherwise."
            )
        folder = self.target / FOLDER if extract else self.folder
        return find_inputs(folder, pattern, member, self.size_limit_mb)

    def inputs(self, pattern: str, member: str, purpose: str) -> list[Input]:
        inputs = self.find(pattern, member)
        if not inputs:
            raise self._no_file(pattern, f"no such file {purpose} (map '{self.source_map.name}')")
        return inputs

    def _no_file(self, pattern: str, why: str) -> SourceError:
        if named_in(pattern, self.taken):
            return SourceError(
                f"{pattern}: nothing was fetched: the list has no rows, or no object has that name. Check path, query and rows in the map, or state may_be_absent: true."
            )
        names = sorted(path.name for path in self.folder.iterdir() if not path.name.startswith("."))
        there = (
            f"The folder has: {', '.join(names[:6])}{' …' if len(names) > 6 else ''}."
            if names
            else "The folder is empty."
        )
        return SourceError(
            f"{pattern}: {why}.{suggestion(pattern, names)} {there} Add the export, or take the map that fits: {command('map FOLDER')} names it."
        )

    def _lookups(self, lookups: Mapping[str, Lookup], variable: str = "") -> dict[str, Keys]:
        """``variable``: of the database in which a lookup without a file looks."""
        return {column: self._lookup(lookup, variable) for column, lookup in lookups.items()}

    def _lookup(self, lookup: Lookup, variable: str) -> Keys:
        if lookup.file:
            return self._kept_from(lookup, lookup.take, "looks values up in it")
        found, name = self.keys(), f"{variable}:{lookup.database_table or 'query'}"
        with self._queried(lookup, variable, name) as rows:
            _keep(found, name, rows, lookup.key, lookup.take)
        return found

    def _known(self, source: KnownFrom) -> Keys:
        return self._kept_from(source, "", "looks in it for what is known")

    def _kept_from(self, form: Lookup | KnownFrom, take: str, purpose: str) -> Keys:
        """The keys of another file, each with the value in its column ``take``, if one is named; a file is read once for them."""
        known = self.looked_up.get(repr(form))
        if known is not None:
            return known
        inputs = self.find(form.file, form.member)
        if not inputs:
            raise self._no_file(form.file, f"no such file; the map '{self.source_map.name}' {purpose}")
        found = self.keys()
        for given in inputs:
            with self._opened(form, given) as rows:
                _keep(found, given.name, rows, form.key, take)
        self.looked_up[repr(form)] = found
        return found

    @contextmanager
    def _opened(self, form: MapEntry | Lookup | KnownFrom | EventLog, given: Input) -> Iterator[Rows]:
        with open_rows(form, given, work=self.work, limit_mb=self.size_limit_mb) as rows:
            require_columns(given.name, form.filled, rows.header)
            cells, header = rows.rows, rows.header
            if form.filled:
                cells = filled_down(cells, [header.index(column) for column in form.filled])
            if form.counted:
                require_columns(
                    given.name, [column for columns in form.counted.values() for column in columns], header
                )
                cells = counted_within(
                    cells,
                    len(header),
                    [[header.index(column) for column in columns] for columns in form.counted.values()],
                    self.keys(),
                )
                header = [*header, *form.counted]
            ready = replace(rows, header=header, rows=cells)
            if isinstance(form, MapEntry) and form.found:
                ready = with_found(given.name, ready, form.found, self._lookups(form.found))
            yield ready

    def _closing(self, entry: MapEntry, given: Input) -> ClosingVouchers | None:
        """The closing vouchers of a file, which is read for them first: a voucher's profit line may stand behind its cost lines."""
        if entry.closing is None:
            return None
        with self._opened(entry, given) as rows:
            return closing_vouchers(entry.closing, given.name, rows.header, rows.rows, self.keys())

    def _sums(self, entry: MapEntry, given: Input) -> frozenset[str]:
        """Codes of a file that a longer one begins with: their rows are sums. The file is read for them first; a list of accounts is short."""
        if not entry.lowest:
            return frozenset()
        with self._opened(entry, given) as rows:
            require_columns(given.name, (entry.lowest,), rows.header)
            place = rows.header.index(entry.lowest)
            codes = sorted({cell_text(row[place]) for row in rows.rows if len(row) == len(rows.header)})
        pairs = itertools.pairwise(codes)
        return frozenset(code for code, following in pairs if code and following.startswith(code))

    def _events(self, entry: MapEntry) -> list[Events]:
        """The logs of an entry, collected once for all its files."""
        found = []
        for number, log in enumerate(entry.events):
            inputs = self.inputs(
                log.file or entry.file,
                log.member if log.file else entry.member,
                f"with events of {entry.table}",
            )
            self.work.mkdir(parents=True, exist_ok=True)
            with ExitStack() as stack:
                files = (
                    (given.name, stack.enter_context(self._opened(log if log.file else entry, given)))
                    for given in inputs
                )
                path = self.work / f"events-{number}.parquet"
                found.append(
                    collect_events(
                        entry,
                        log,
                        files,
                        path,
                        lookups=self._lookups(log.lookups),
                        business_zone=self.business_zone,
                    )
                )
        return found

    # -- writing -------------------------------------------------------------------------------------------------

    def _write(
        self, entry: MapEntry, plans: Sequence[tuple[Input, Path, str]]
    ) -> dict[str, list[MappedFile]]:
        seen = self.keys()
        lookups, events = self._lookups(entry.lookups), self._events(entry)
        first_look = entry.looks_twice
        repeated = self._repeated(entry, [given for given, _, _ in plans], lookups) if first_look else None
        added = Sums(entry.summed) if entry.summed else None
        done: dict[str, list[MappedFile]] = {}
        for given, out, _ in plans:
            closing = self._closing(entry, given)
            with self._opened(entry, given) as rows:
                done[given.name] = [
                    self._write_one(
                        entry,
                        given.name,
                        rows,
                        out,
                        seen,
                        lookups,
                        events,
                        repeated=repeated,
                        closing=closing,
                        sums=self._sums(entry, given),
                        added=added,
                    )
                ]
        if added is not None:
            added.write()
        if events and plans:
            done[plans[0][0].name] += [
                MappedFile(
                    table=entry.table,
                    file=f"{one.log.file or entry.file} (events: {', '.join(one.log.gives)})",
                    read=one.read,
                    mapped=one.used,
                    left_out=one.read - one.used,
                    notes=one.notes,
                )
                for one in events
            ]
        return done

    def _repeated(self, entry: MapEntry, inputs: Sequence[Input], lookups: Mapping[str, Keys]) -> Keys:
        """Of each key of ``first_of`` or ``last_of``, which of the rows that the rules keep is meant: the files are read once for it."""
        found = self.keys()
        for given in inputs:
            with self._opened(entry, given) as rows:
                mapper = self._mapper(entry, given.name, rows, found, lookups, sums=self._sums(entry, given))
                for row in rows.rows:
                    if len(row) == len(rows.header):
                        mapper.written(row)
        return found

    def _mapper(
        self, entry: MapEntry, name: str, rows: Rows, seen: Keys, lookups: Mapping[str, Keys], **more: Any
    ) -> RowMapper:
        known = {column: self._known(source) for column, source in entry.found_in.items()}
        return RowMapper(
            entry,
            rows.header,
            name,
            lookups=lookups,
            known=known,
            business_zone=self.business_zone,
            seen=seen,
            today=self.today,
            **more,
        )

    def _write_one(
        self,
        entry: MapEntry,
        name: str,
        rows: Rows,
        out: Path,
        seen: Keys,
        lookups: Mapping[str, Keys],
        events: Sequence[Events],
        *,
        repeated: Keys | None = None,
        closing: ClosingVouchers | None = None,
        sums: frozenset[str] = frozenset(),
        added: Sums | None = None,
    ) -> MappedFile:
        mapper = self._mapper(
            entry, name, rows, seen, lookups, repeated=repeated, closing=closing, sums=sums, at=rows.at
        )
        out.parent.mkdir(parents=True, exist_ok=True)
        self.work.mkdir(parents=True, exist_ok=True)
        building = self.work / f"{out.name}.{os.getpid()}"
        base = self.work / f"{out.name}.{os.getpid()}.parquet"
        broken: list[list[Cell]] = []
        width, read, mapped = len(rows.header), 0, 0
        with ExitStack() as stack:
            if events:
                tickets = stack.enter_context(TextParquet(base, ("_row", *mapper.columns)))
            else:
                file = stack.enter_context(building.open("w", encoding="utf-8", newline=""))
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(mapper.columns)
            for row in rows.rows:
                read += 1
                if len(row) != width:
                    broken.append(row)
                    if len(broken) > MOST_BROKEN:
                        raise SourceError(
                            f"{name}: more than {MOST_BROKEN:,} lines are not as wide as the header ({width} columns); the separator may be another, or it is no table. Look at line {read + 1:,}."
                        )
                    if not events:
                        writer.writerow(_broken(row, mapper.columns))
                    mapped += 1
                    continue
                written = mapper.written(row)
                if written is None:
                    continue
                mapped += 1
                if events:
                    tickets.write((f"{read:012d}", *written))
                elif added is None or not added.take(out, mapper.columns, written):
                    writer.writerow(written)
        if entry.cut_at and read == entry.cut_at:
            raise SourceError(
                f"{name}: exactly {read:,} rows, where the system cuts an export; rows behind them may be missing. Export it in parts (the map reads several files), or say cut_at: 0 if it is whole."
            )
        notes = (*mapper.finish(mapped), *_remarks(rows, read), *(added.notes(out) if added else ()))
        if rows.ends_open and broken and read and len(broken[-1]) < width and row is broken[-1]:
            shown = " ".join(",".join(map(str, broken[-1])).split())[:60]
            raise SourceError(
                f"{name}: ends in the middle of row {read:,} ('{shown}'); the file was cut. Export it again."
            )
        if events:
            join_events(base, mapper.columns, events, building, self.work)
            _append_broken(building, broken, entry.canonical)
        building.replace(out)
        return MappedFile(
            table=entry.table, file=name, read=read, mapped=mapped, left_out=read - mapped, notes=notes
        )

    # -- books ---------------------------------------------------------------------------------------------------

    def hash(self, path: Path) -> str:
        """The content hash of a file; one that looks unchanged is not read for it."""
        fetched = path.is_relative_to(self.target / FOLDER)
        name = str(path.relative_to(self.target if fetched else self.folder))
        if name not in self.after.files:
            known, looks = self.before.files.get(name), signature(path)
            content = (
                known["hash"]
                if known and looks is not None and known["signature"] == looks
                else fingerprint(path)
            )
            self.after.files[name] = {"hash": content, "signature": looks}
        return str(self.after.files[name]["hash"])

    def _other_files(self, entry: MapEntry) -> list[list[str]]:
        """Hashes of the files that every output of an entry depends on."""
        inputs = [given for pattern, member in entry.other_files for given in self.find(pattern, member)]
        return [[given.name, self.hash(given.path)] for given in inputs]

    def _key(self, entry: MapEntry, depends: object) -> str:
        stated = json.dumps(
            [MAPPING_VERSION, asdict(entry), self.business_zone, depends], sort_keys=True, default=str
        )
        return hashlib.sha256(stated.encode()).hexdigest()

    def _stands(self, out: Path, key: str) -> bool:
        known = self.before.outputs.get(self._name(out))
        return (
            known is not None and known["key"] == key and out.is_file() and known["bytes"] == fingerprint(out)
        )

    def _name(self, out: Path) -> str:
        return out.relative_to(self.target).as_posix()

    def _remembered(self, out: Path) -> list[MappedFile]:
        known = self.before.outputs[self._name(out)]["mapped"]
        return [
            MappedFile(**{**one, "notes": tuple(MapNote(**note) for note in one["notes"])}) for one in known
        ]

    def _remember(self, out: Path, key: str, mapped: Sequence[MappedFile]) -> None:
        self.after.outputs[self._name(out)] = {
            "key": key,
            "bytes": fingerprint(out),
            "mapped": [asdict(one) for one in mapped],
        }

    def settle(self) -> None:
        """Outputs that no entry writes any more go; the books of this reading take the place of the last."""
        for path in self.target.rglob("*.csv"):
            if self._name(path) not in self.after.outputs and not self._name(path).startswith(f"{FOLDER}/"):
                path.unlink()
        building = self.target / f"{STATE}.{os.getpid()}"
        building.write_text(
            json.dumps(with_seal({"version": MAPPING_VERSION, **asdict(self.after)}), ensure_ascii=False),
            encoding="utf-8",
        )
        building.replace(self.target / STATE)


def _keep(found: Keys, name: str, rows: Rows, key: str, take: str) -> None:
    """Keep the keys of a source, each with the value in its column ``take``, if one is named."""
    columns = several(key)
    require_columns(name, (*columns, take) if take else columns, rows.header)
    places = [rows.header.index(column) for column in columns]
    value = rows.header.index(take) if take else None
    pairs = (
        (
            joined_key(cell_text(row[place]) for place in places),
            "" if value is None else cell_text(row[value]),
        )
        for row in rows.rows
        if len(row) == len(rows.header)
    )
    if twice := found.load(pairs):
        raise SourceError(
            f"{name}: {key} '{shown_key(twice[0])}' stands twice with different {take} ('{twice[1]}' and '{twice[2]}'); the lookup is ambiguous. "
            "Keep one, or look up by another column."
        )


def _remarks(rows: Rows, read: int) -> list[MapNote]:
    """What the whole file gives to think about."""
    found = []
    if rows.hidden:
        shown = f"line {rows.hidden[0]}"
        found.append(
            MapNote(
                kind="rows that the sheet hides or filters out, read all the same",
                column="",
                count=len(rows.hidden),
                example=shown,
            )
        )
    if is_round(read):
        found.append(MapNote(kind=CUT, column="", count=read, example=""))
    return found


def _plain_name(given: Input) -> str:
    return given.name.replace("/", "-").replace("\\", "-")


def _broken(row: list[Cell], columns: Sequence[str]) -> list[Cell]:
    """The proof refuses a line of another width, whatever the width of the canonical table."""
    return ["broken line", *row, *[""] * len(columns)]


def _append_broken(path: Path, broken: Sequence[list[Cell]], columns: Sequence[str]) -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(_broken(row, columns) for row in broken)
