"""Source maps: how one company's exports become canonical tables, stated in ``params/sources/<name>.yml`` and never guessed.

Each entry reads files of one kind, or one query, and writes one canonical table as CSV beside the others (see ``mapping``); the load then
proves it like any other source. No row is lost: a row is written, or left out by a stated rule and counted. A value that a stated format
does not fit is passed on as it is, so that the proof refuses it with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from analysis.errors import ParameterError, in_quotes, suggestion
from analysis.params.places import params_file, shown
from analysis.params.strict import Within, bind, read_yaml
from analysis.sources.amounts import MONEY, Rounding, factor_of
from analysis.sources.comparing import refuse_comparison
from analysis.sources.databases import refuse_variable, refuse_writing
from analysis.sources.durations import Unit
from analysis.sources.extracts import Extract, check_extract, named_in
from analysis.sources.moments import LocalTimes
from analysis.sources.patterns import refuse_pattern
from analysis.sources.reading import BETWEEN_PATTERNS, FileForm

#: What a log can say of a ticket: the moment of its first or last event, how many there are, the moments and the number of its turns
#: between open, resolved and closed, and the state it is in.
RULES = (
    "first",
    "last",
    "count",
    "first_value",
    "last_value",
    "resolved_at",
    "closed_at",
    "reopened",
    "reopened_at",
    "status",
)
VALUE_RULES = ("first_value", "last_value")
STATE_RULES = ("resolved_at", "closed_at", "reopened", "reopened_at", "status")
ANY_OTHER = "*"
#: What ``order`` says where no column numbers the rows and the newest stand above.
NEWEST_FIRST = "newest_first"


@dataclass(frozen=True, kw_only=True)
class Lookup(FileForm):
    """A value found elsewhere: the row of ``file`` whose ``key`` equals this row's ``by`` gives ``take``.

    ``by`` and ``key`` may be several columns with `` + `` between (``BUKRS + BELNR + GJAHR``: the head of a document). In an entry whose rows come
    from a database, ``database_table`` or ``query`` without ``file`` is one of the same database.
    """

    by: str
    key: str
    take: str
    file: str = ""


def several(columns: str) -> tuple[str, ...]:
    """The columns of a key that is written with `` + `` between its parts."""
    return tuple(columns.split(" + "))


@dataclass(frozen=True, kw_only=True)
class Later:
    """A moment told by another and how long it took: source column ``start``, and ``lasts`` in its ``unit`` (``clock``: 12:30 or 12:30:00)."""

    start: str
    lasts: str
    unit: Unit


@dataclass(frozen=True, kw_only=True)
class Sign:
    """The source column that says which way an amount goes (debit or credit), and its words for either; ``*`` under ``plus`` is any word not listed."""

    column: str
    plus: tuple[str, ...]
    minus: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Closing:
    """Vouchers that carry the period's cost and income to profit: their lines cancel the cost and are no postings of it.

    The counter-account says what a voucher is: ``of`` are the source columns that name it, ``accounts`` source columns with the
    values of a line on the profit account (``4103*``); a column that the file does not have is not asked. Every line of a voucher
    with such a line is left out. Only in a file without any such line (a list of cost accounts alone) do the ``words`` of a
    line decide: source columns with the wordings of closing lines.
    """

    of: tuple[str, ...]
    accounts: dict[str, tuple[str, ...]]
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class KnownFrom(FileForm):
    """The values that stand in the column ``key`` of another file of the folder."""

    file: str
    key: str


@dataclass(frozen=True, kw_only=True)
class EventLog(FileForm):
    """A log in which one row is one event of a ticket; it is collapsed into columns of the ticket, for an event is not a ticket.

    ``file``: the log (empty: the entry's own file is the log; ``may_be_absent``: without it its columns are not made). ``ticket``: the source column that names the ticket, ``at`` when the event
    was, in the format ``date``; ``order``: the column that numbers events of one moment, or ``newest_first`` where the newest stand above. ``only`` /
    ``without`` / ``where``: which events are meant; ``lookups`` may add columns to ask for (the role of who
    wrote a comment), one by what another found. ``status``: the column with the new status word, each of which is under ``open``, ``resolved`` or ``closed``.
    ``gives``: canonical column to rule: ``first``, ``last`` (moment of the first or last event), ``count``, ``first_value``, ``last_value`` (what stands in the
    column ``value`` at the first or last event that has one); and of the states
    ``resolved_at`` (last time it went from open to resolved or closed, if it is so now), ``closed_at`` (likewise to closed), ``reopened``
    (how often it went back to open), ``reopened_at`` (when first) and ``status`` (open, resolved or closed).
    """

    ticket: str
    at: str
    gives: dict[str, str]
    file: str = ""
    may_be_absent: bool = False
    date: str = ""
    only: dict[str, tuple[str, ...]] = field(default_factory=dict)
    without: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lookups: dict[str, Lookup] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    order: str = ""
    value: str = ""
    status: str = ""
    open: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()

    @property
    def states(self) -> dict[str, str]:
        return {
            word: state
            for state, words in (("open", self.open), ("resolved", self.resolved), ("closed", self.closed))
            for word in words
        }


@dataclass(frozen=True, kw_only=True)
class MapEntry(FileForm):
    """Files of one kind, or one query, and the table they feed; two entries may name the same file, or the same table.

    Where rows come from: ``file`` (a pattern, or several with `` | `` between; several files feed one table; ``may_be_absent`` where not every company has it), or ``query`` / ``database_table`` at the address in the
    environment variable ``url_from``; beside ``file`` they say what is read of a database that is one file. What is in a column:

    - ``columns``: canonical column to source column; ``either``: to several, of which the first with a value counts; ``joined``: to several
      written one after the other with a dash between, for a key of two parts; ``lookups``: found in another file; ``constants``: fixed;
      ``numbered``: counted from 1 within equal values of canonical columns (two rows of one invoice are its lines 1 and 2);
      ``events``: collapsed from logs.
    - ``values``: for a canonical column, source word to canonical word ("" stands for an empty value, ``*`` for any word not listed).
    - ``found``: source columns that the file does not have, each looked up in another file before all else, so that rules, lookups and
      other such columns can name them (a lookup of a lookup).
    - ``after``: canonical column to a moment and how long it took until this one (``Later``); its format is that of the moment.
    - ``clocks``: canonical columns of hours written as 12:30 or 168:30:00.
    - ``summed``: canonical amounts; rows that are alike in all other columns are one row, with their sum.
    - ``numbers``: canonical columns with thousands marks, full-width digits, negatives in brackets, a minus behind; ``decimal_mark`` of them.
    - ``factors``: canonical column to what its values are multiplied by (``1/60``: minutes to hours; ``1/100``: cents to currency).
    - ``rounded``: canonical money that is rounded to two decimals, ``half_even`` (a half goes to the even cent) or ``half_up`` (away from zero); without it
      money with more decimals is set aside by the proof.
    - ``less``: for a canonical column, a source column to take off it (debit less credit; empty is nothing).
    - ``signs``: for a canonical column, the source column that says which way its amount goes, with its words for ``plus`` and ``minus``;
      an amount beside another word is passed on with that word, so that the proof sets the row aside.
    - ``dates``: for a canonical column, the format its source column is in, such as ``%d/%m/%Y``; several with `` | `` between.
    - ``local_times``: the zone in which moments without an offset are meant; blank, they are UTC.
    - ``cut_at``: the number of rows after which the system cuts an export; a file of exactly that many is refused.
    - ``optional``: canonical columns that may be missing from the file; the table is then made without them, and this is said.

    Which rows: ``only`` (source columns and the values a row must have), ``without`` (must not have; ``C*``: beginning with C, ``*C*``: with
    C in it), ``where`` (source columns and how their number or day must compare: ``> 0``, ``>= 2026-01-01``), ``lowest`` (a source column of codes in
    levels, such as accounts: only rows whose code begins no longer one of the file, for the others are their sums), ``closing`` (vouchers that carry the cost to profit), ``merged`` (source columns, where the file has
    them, and the values of a ticket that was merged into another, which counts it; ``?*``: any value),
    ``first_of`` (of rows with the same values in these canonical columns only the first is written, and none
    without any value there: customers named by every order), ``last_of`` (likewise only the last, in the order in which the rows stand:
    a log that repeats the whole ticket at every event); ``order``: the column by whose number or moment rows of one key stand in order, or
    ``newest_first``, where they do not stand so in the file,
    ``found_in`` (source columns whose value must stand in another file: events of the tickets that the extract has).
    """

    table: str
    file: str = ""
    may_be_absent: bool = False
    url_from: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    either: dict[str, tuple[str, ...]] = field(default_factory=dict)
    joined: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lookups: dict[str, Lookup] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    numbered: dict[str, tuple[str, ...]] = field(default_factory=dict)
    events: tuple[EventLog, ...] = ()
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    found: dict[str, Lookup] = field(default_factory=dict)
    after: dict[str, Later] = field(default_factory=dict)
    clocks: tuple[str, ...] = ()
    summed: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    decimal_mark: Literal[".", ","] = "."
    factors: dict[str, str] = field(default_factory=dict)
    rounded: dict[str, Rounding] = field(default_factory=dict)
    less: dict[str, str] = field(default_factory=dict)
    signs: dict[str, Sign] = field(default_factory=dict)
    cut_at: Annotated[int, Within(low=0)] = 0
    dates: dict[str, str] = field(default_factory=dict)
    local_times: LocalTimes | None = None
    optional: tuple[str, ...] = ()
    only: dict[str, tuple[str, ...]] = field(default_factory=dict)
    without: dict[str, tuple[str, ...]] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    lowest: str = ""
    merged: dict[str, tuple[str, ...]] = field(default_factory=dict)
    closing: Closing | None = None
    first_of: tuple[str, ...] = ()
    last_of: tuple[str, ...] = ()
    order: str = ""
    found_in: dict[str, KnownFrom] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """What reports call the place the rows come from."""
        return self.file or f"{self.url_from}:{self.database_table or 'query'}"

    @property
    def collapsed(self) -> tuple[str, ...]:
        return tuple(column for log in self.events for column in log.gives)

    @property
    def canonical(self) -> tuple[str, ...]:
        return (
            *self.columns,
            *self.either,
            *self.joined,
            *self.lookups,
            *self.after,
            *self.constants,
            *self.numbered,
            *self.collapsed,
        )

    @property
    def other_forms(self) -> tuple[Lookup | KnownFrom | EventLog, ...]:
        """What besides its own rows every row depends on."""
        forms: list[Lookup | KnownFrom | EventLog] = [
            *self.found.values(),
            *self.lookups.values(),
            *self.found_in.values(),
        ]
        for log in self.events:
            forms += [log, *log.lookups.values()]
        return tuple(forms)

    @property
    def other_files(self) -> tuple[tuple[str, str], ...]:
        """(pattern, member) of the files besides its own that every row depends on."""
        return tuple((form.file, form.member) for form in self.other_forms if form.file)

    @property
    def looks_twice(self) -> bool:
        """Whether only a look through all rows tells which of a key is meant."""
        stands = self.order in ("", NEWEST_FIRST)
        last = bool(self.last_of) != (self.order == NEWEST_FIRST)
        return bool(self.first_of or self.last_of) and (last or not stands)

    @property
    def depends_on_order(self) -> bool:
        """Whether what is written for a row depends on rows of other files of the entry."""
        return bool(self.first_of or self.last_of or self.numbered or self.summed)


@dataclass(frozen=True, kw_only=True)
class SourceMap:
    """``params/sources/<name>.yml``. ``url_from`` holds for every entry and extract that names no other; ``extracts``: files to be fetched."""

    about: str
    tables: tuple[MapEntry, ...]
    name: str = ""
    url_from: str = ""
    extracts: dict[str, Extract] = field(default_factory=dict)

    @property
    def patterns(self) -> tuple[str, ...]:
        """Every file that the map names, of the folder or fetched."""
        return tuple(
            pattern
            for entry in self.tables
            for pattern in (entry.file, *(pattern for pattern, _ in entry.other_files))
            if pattern
        )


def load_map(name: str, tables: Mapping[str, tuple[str, ...]], *, path: Path | None = None) -> SourceMap:
    """The source map of this name, from ``params/sources``.

    Parameters
    ----------
    name : str
        Of the file.
    tables : mapping of table to its columns
        The canonical tables; unknown names are refused with a suggestion.
    path : Path, optional
        The file, where it is not in ``params/sources``.

    Returns
    -------
    SourceMap

    Raises
    ------
    ParameterError
        For a map that names what is not there, or holds a credential.

    Examples
    --------
    >>> from analysis.sources import load_map
    >>> from analysis.tables import contract
    >>> tables = {name: tuple(table.columns) for name, table in contract().tables.items()}
    >>> sorted({entry.table for entry in load_map("cdnow", tables).tables})
    ['customers', 'orders']
    """
    path = path or params_file(f"sources/{name}.yml")
    content = read_yaml(path)
    if content.get("url_from") and isinstance(content.get("tables"), list):
        for entry in content["tables"]:
            if isinstance(entry, dict) and not entry.get("file"):
                entry.setdefault("url_from", content["url_from"])
    if content.get("url_from") and isinstance(content.get("extracts"), dict):
        for extract in content["extracts"].values():
            if isinstance(extract, dict) and not extract.get("url"):
                extract.setdefault("url_from", content["url_from"])
    found = bind(SourceMap, content | {"name": name}, shown(path))
    _check_extracts(found, f"{shown(path)}: extracts")
    for entry in found.tables:
        check_entry(entry, tables, f"{shown(path)}: {entry.table}")
    return found


def _check_extracts(source_map: SourceMap, place: str) -> None:
    read = {named_in(pattern, source_map.extracts) for pattern in source_map.patterns}
    for name, extract in source_map.extracts.items():
        check_extract(name, extract, f"{place}: {name}")
        if name not in read:
            raise ParameterError(
                f"{place}: {name}: nothing reads it; name it under 'file' of a table, or take it out."
            )


def check_entry(entry: MapEntry, tables: Mapping[str, tuple[str, ...]], place: str) -> None:
    """Refuse an entry that says something unknown, or the same thing twice."""
    if entry.table not in tables:
        raise ParameterError(f"{place}: no such table.{suggestion(entry.table, tables)}")
    for column in entry.canonical:
        if column not in tables[entry.table]:
            raise ParameterError(
                f"{place}: column '{column}' is not in the contract.{suggestion(column, tables[entry.table])}"
            )
        if entry.canonical.count(column) > 1:
            raise ParameterError(
                f"{place}: column '{column}' is given twice, by columns, lookups, constants or events; keep one."
            )
    counted = [column for columns in entry.numbered.values() for column in columns]
    ruled = (
        *entry.values,
        *entry.dates,
        *entry.numbers,
        *entry.factors,
        *entry.rounded,
        *entry.less,
        *entry.signs,
        *entry.clocks,
        *entry.summed,
        *entry.optional,
        *entry.first_of,
        *entry.last_of,
        *counted,
    )
    for column in ruled:
        if column not in entry.canonical or column in entry.numbered or column in entry.collapsed:
            raise ParameterError(
                f"{place}: '{column}' has a rule but no source.{suggestion(column, entry.canonical)}"
            )
    for text in entry.factors.values():
        factor_of(text)
    for column in entry.rounded:
        if column not in MONEY:
            raise ParameterError(f"{place}: rounded: '{column}' is no money. Take it out of rounded.")
    if entry.first_of and entry.last_of:
        raise ParameterError(f"{place}: first_of and last_of name different rows; keep one.")
    for column in entry.signs:
        if column not in entry.columns or column in entry.less:
            raise ParameterError(
                f"{place}: signs: '{column}' should be one source column (columns), without 'less'."
            )
    if len(entry.separator) > 1 or entry.separator in ('"', "\n", "\r"):
        raise ParameterError(
            f"{place}: separator {in_quotes(entry.separator)} should be one character, or left out to be found in the header."
        )
    if entry.order and not (entry.first_of or entry.last_of):
        raise ParameterError(f"{place}: order: says nothing without first_of or last_of.")
    if entry.summed and (entry.events or entry.last_of):
        raise ParameterError(
            f"{place}: summed: goes with neither events nor last_of; a row is added up once."
        )
    _check_names(entry, place)
    _check_rules(entry, place)
    _check_origin(entry, place)
    for log in entry.events:
        _check_log(entry, log, place)
    stated = (entry.file, *(pattern for pattern, _ in entry.other_files))
    for pattern in (one for patterns in stated for one in patterns.split(BETWEEN_PATTERNS)):
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            raise ParameterError(f"{place}: file '{pattern}' leaves the data folder; name a file inside it.")


def _check_names(entry: MapEntry, place: str) -> None:
    """A name stands for one column only."""
    others = [other for names in entry.called.values() for other in names]
    for other in others:
        if others.count(other) > 1 or other in entry.called:
            raise ParameterError(f"{place}: called: '{other}' stands for two columns; keep one.")


def _check_rules(entry: MapEntry, place: str) -> None:
    """Patterns and comparisons say what they can say."""
    for form in (entry, *entry.other_forms):
        for patterns in (*form.stated_once.values(), *form.cut.values()):
            for pattern in patterns:
                refuse_pattern(pattern, place)
    for rules in (entry.where, *(log.where for log in entry.events)):
        for text in rules.values():
            refuse_comparison(text, f"{place}: where")
    for form in (*entry.found.values(), *entry.lookups.values()):
        if len(several(form.by)) != len(several(form.key)):
            raise ParameterError(
                f"{place}: lookup in {form.file}: by ({form.by}) and key ({form.key}) should name as many columns."
            )


def _check_origin(entry: MapEntry, place: str) -> None:
    given = [name for name in ("file", "query", "database_table") if getattr(entry, name)]
    if len(given) != 1 and not (entry.file and len(given) == 2 and not entry.url_from):
        raise ParameterError(
            f"{place}: state one of file, query and database_table (stated: {', '.join(given) or 'none'}); beside file one of the others, where it is a database."
        )
    for lookup in (*entry.lookups.values(), *(one for log in entry.events for one in log.lookups.values())):
        beside = bool(entry.url_from) and lookup in entry.lookups.values()
        if not lookup.file and not (beside and (lookup.query or lookup.database_table)):
            raise ParameterError(
                f"{place}: lookups: state the file in which '{lookup.take}' is looked up; in an entry with url_from, database_table or query."
            )
    for form in (entry, *entry.other_forms):
        if form.query and form.database_table:
            raise ParameterError(f"{place}: state query or database_table, not both.")
        if form.query:
            refuse_writing(form.query, place)
    if entry.file:
        return
    if entry.found or entry.lowest or entry.summed or entry.order:
        raise ParameterError(
            f"{place}: found, lowest, summed and order are for files; a query joins, adds up and orders in its SQL."
        )
    if entry.last_of:
        raise ParameterError(f"{place}: last_of: a query picks the last row itself; put it into its SQL.")
    if entry.closing:
        raise ParameterError(
            f"{place}: closing: a query leaves closing vouchers out itself; put it into its WHERE."
        )
    refuse_variable(entry.url_from, place)


def _check_log(entry: MapEntry, log: EventLog, place: str) -> None:
    if "ticket_id" not in entry.canonical or entry.table != "tickets":
        raise ParameterError(f"{place}: events belong to an entry of tickets that gives ticket_id.")
    if not log.file and not (entry.file and ("ticket_id",) in (entry.first_of, entry.last_of)):
        raise ParameterError(
            f"{place}: the entry's own file is a log of events, so one ticket has several rows; state first_of: [ticket_id] or last_of: [ticket_id]."
        )
    for column, rule in log.gives.items():
        if rule not in RULES:
            raise ParameterError(
                f"{place}: {column}: no rule '{rule}' for events.{suggestion(rule, RULES)} Known: {', '.join(RULES)}."
            )
        if rule in VALUE_RULES and not log.value:
            raise ParameterError(
                f"{place}: {column}: rule '{rule}' needs the column whose value is meant (value)."
            )
        if rule in STATE_RULES and not (log.status and log.states):
            raise ParameterError(
                f"{place}: {column}: rule '{rule}' needs the status column and its words under open, resolved and closed."
            )
    words = [*log.open, *log.resolved, *log.closed]
    for word in words:
        if words.count(word) > 1:
            raise ParameterError(
                f"{place}: status word '{word}' stands under two of open, resolved and closed; keep one."
            )
