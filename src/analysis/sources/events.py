"""Event logs collapsed into tickets: an event is not a ticket.

The events that are meant are written with moment, line, state and value, sorted and counted by the engine in bounded memory, and joined to
the tickets. What a rule means is said in ``maps.EventLog``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import SourceError, suggestion
from analysis.sources.cells import Cell, cell_text
from analysis.sources.keys import Keys
from analysis.sources.lookingup import with_found
from analysis.sources.maps import NEWEST_FIRST, EventLog, MapEntry
from analysis.sources.moments import ISO, MomentReader
from analysis.sources.reading import Rows, require_columns
from analysis.sources.rowmapping import LeftOut, MapNote, in_order, refused_by
from analysis.sources.sql import literal, quoted
from analysis.sources.textparquet import TextParquet

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "800MB"
EVENT = ("ticket", "moment", "line", "state", "value")
_MEASURES: Mapping[str, str] = {
    "first": "min(moment)",
    "last": "max(moment)",
    "count": "count(*)",
    "first_value": "arg_min(value, (moment, line)) FILTER (value <> '')",
    "last_value": "arg_max(value, (moment, line)) FILTER (value <> '')",
    "resolved_at": "CASE WHEN arg_max(state, (moment, line)) <> 'open' THEN max(moment) FILTER (state <> 'open' AND coalesce(before, 'open') = 'open') END",
    "closed_at": "CASE WHEN arg_max(state, (moment, line)) = 'closed' THEN max(moment) FILTER (state = 'closed' AND before IS DISTINCT FROM 'closed') END",
    "reopened": "count(*) FILTER (state = 'open' AND before <> 'open')",
    "reopened_at": "min(moment) FILTER (state = 'open' AND before <> 'open')",
    "status": "arg_max(state, (moment, line))",
}


@dataclass(frozen=True, kw_only=True)
class Events:
    """The events of one log that are meant, in ``path``: the columns ``EVENT``."""

    log: EventLog
    path: Path
    read: int
    used: int
    notes: tuple[MapNote, ...] = ()


def collect_events(
    entry: MapEntry,
    log: EventLog,
    files: Iterable[tuple[str, Rows]],
    path: Path,
    *,
    lookups: Mapping[str, Keys],
    business_zone: str,
) -> Events:
    """Write the events of these files that the log's rules keep. Raises SourceError for an unknown status word or an unreadable moment."""
    moments = MomentReader("at", log.date or ISO, local=entry.local_times, business_zone=business_zone)
    states, read, used, left_out = log.states, 0, 0, LeftOut()
    with TextParquet(path, EVENT) as out:
        for name, given in files:
            rows = with_found(name, given, log.lookups, lookups)
            stated = [log.status, log.value, "" if log.order == NEWEST_FIRST else log.order]
            asked = [log.ticket, log.at, *log.only, *log.without, *log.where, *filter(None, stated)]
            require_columns(name, asked, rows.header)
            index = {column: place for place, column in enumerate(rows.header)}
            for row in rows.rows:
                read += 1
                if len(row) != len(rows.header) or not cell_text(row[index[log.ticket]]):
                    continue
                rule = refused_by(log, row, index, entry.decimal_mark)
                if rule:
                    left_out.add(rule, row[index[rule]])
                    continue
                used += 1
                out.write(
                    (
                        cell_text(row[index[log.ticket]]),
                        _moment(moments, row[index[log.at]], name, read),
                        _line(log, row, index, read, name),
                        _state(log, states, row, index, name),
                        cell_text(row[index[log.value]]) if log.value else "",
                    )
                )
            moments.refuse_exchanged(name)
    return Events(log=log, path=path, read=read, used=used, notes=() if used else tuple(left_out.notes()))


def _line(log: EventLog, row: list[Cell], index: Mapping[str, int], read: int, name: str) -> str:
    """What puts events of one moment in order: the column that numbers them, else the lines of the log."""
    if log.order == NEWEST_FIRST:
        return f"{10**12 - read:012d}"
    place = in_order(cell_text(row[index[log.order]]), log.order, name) if log.order else ""
    return f"{place}{read:012d}"


def _moment(moments: MomentReader, cell: Cell, name: str, row: int) -> str:
    text = (
        moments.text(cell.strip())
        if isinstance(cell, str)
        else moments.cell(cell)
        if hasattr(cell, "year")
        else cell_text(cell)
    )
    if len(text) < 10 or text[4:5] != "-" or " in " in text or (":" not in text and len(text) != 10):
        raise SourceError(
            f"{name} row {row:,}: the moment of this event is '{text[:60]}', which cannot be read. State its format ('date') and time zone ('local_times') in the map."
        )
    return text


def _state(
    log: EventLog, states: Mapping[str, str], row: list[Cell], index: Mapping[str, int], name: str
) -> str:
    if not log.status:
        return ""
    word = cell_text(row[index[log.status]])
    if word not in states:
        raise SourceError(
            f"{name}: status '{word}' is under none of open, resolved and closed in the map.{suggestion(word, states)} Say what it means."
        )
    return states[word]


def join_events(base: Path, columns: Sequence[str], events: Sequence[Events], out: Path, work: Path) -> None:
    """Write the tickets in ``base`` (Parquet with ``_row`` and ``columns``) with what the logs say of each, in the order of their file."""
    import duckdb

    with duckdb.connect(
        config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(work / "spill"), "threads": 2}
    ) as connection:
        joins, chosen = [], [f"base.{quoted(column)}" for column in columns]
        for number, one in enumerate(events):
            joins.append(f"LEFT JOIN ({_collapsed(one)}) AS e{number} ON base.ticket_id = e{number}.ticket")
            chosen += [f"e{number}.{quoted(column)}" for column in one.log.gives]
        query = f"SELECT {', '.join(chosen)} FROM read_parquet({literal(str(base))}) AS base {' '.join(joins)} ORDER BY base._row"
        _copy(connection, query, out)


def _copy(connection: duckdb.DuckDBPyConnection, query: str, out: Path) -> Any:
    return connection.execute(
        f"COPY ({query}) TO {literal(str(out))} (FORMAT csv, HEADER, DELIMITER ',', QUOTE '\"', NULLSTR '')"
    )


def _collapsed(events: Events) -> str:
    """One row a ticket, with the columns that the log gives."""
    measures = ", ".join(
        f"{_MEASURES[rule]} AS {quoted(column)}" for column, rule in events.log.gives.items()
    )
    seen = f"SELECT ticket, CAST(moment AS TIMESTAMP) AS moment, line, state, value FROM read_parquet({literal(str(events.path))})"
    turns = f"SELECT *, lag(state) OVER (PARTITION BY ticket ORDER BY moment, line) AS before FROM ({seen})"
    return f"SELECT ticket, {measures} FROM ({turns}) GROUP BY ticket"
