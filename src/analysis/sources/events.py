"""Event logs collapsed into tickets: an event is not a ticket.

The events that are meant are written as (ticket, moment, line, state), sorted and counted by the engine in bounded memory, and joined to
the tickets. What a rule means is said in ``maps.EventLog``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import SourceError, suggestion
from analysis.sources.cells import Cell, cell_text
from analysis.sources.keys import Keys
from analysis.sources.maps import EventLog, MapEntry
from analysis.sources.moments import ISO, MomentReader
from analysis.sources.reading import Rows
from analysis.sources.rowmapping import LeftOut, MapNote, refused_by, require_columns
from analysis.sources.sql import literal, quoted
from analysis.sources.textparquet import TextParquet

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "800MB"
_MEASURES: Mapping[str, str] = {
    "first": "min(moment)",
    "last": "max(moment)",
    "count": "count(*)",
    "resolved_at": "CASE WHEN arg_max(state, (moment, line)) <> 'open' THEN max(moment) FILTER (state <> 'open' AND coalesce(before, 'open') = 'open') END",
    "closed_at": "CASE WHEN arg_max(state, (moment, line)) = 'closed' THEN max(moment) FILTER (state = 'closed' AND before IS DISTINCT FROM 'closed') END",
    "reopened": "count(*) FILTER (state = 'open' AND before <> 'open')",
    "reopened_at": "min(moment) FILTER (state = 'open' AND before <> 'open')",
    "status": "arg_max(state, (moment, line))",
}


@dataclass(frozen=True, kw_only=True)
class Events:
    """The events of one log that are meant, in ``path``: ticket, moment, line, state."""

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
    with TextParquet(path, ("ticket", "moment", "line", "state")) as out:
        for name, rows in files:
            extra = list(log.lookups)
            require_columns(
                name,
                [
                    log.ticket,
                    log.at,
                    *([log.status] if log.status else []),
                    *(lookup.by for lookup in log.lookups.values()),
                ],
                rows.header,
            )
            require_columns(
                name, [column for column in (*log.only, *log.without) if column not in extra], rows.header
            )
            index = {column: place for place, column in enumerate([*rows.header, *extra])}
            for row in _with_lookups(rows, log, index, lookups):
                read += 1
                if row is None or not cell_text(row[index[log.ticket]]):
                    continue
                rule = refused_by(log.only, log.without, row, index)
                if rule:
                    left_out.add(rule, row[index[rule]])
                    continue
                used += 1
                out.write(
                    (
                        cell_text(row[index[log.ticket]]),
                        _moment(moments, row[index[log.at]], name, read),
                        f"{read:012d}",
                        _state(log, states, row, index, name),
                    )
                )
            moments.refuse_exchanged(name)
    return Events(log=log, path=path, read=read, used=used, notes=() if used else tuple(left_out.notes()))


def _with_lookups(
    rows: Rows, log: EventLog, index: Mapping[str, int], lookups: Mapping[str, Keys]
) -> Iterator[list[Cell] | None]:
    """Rows with the looked-up columns behind; None for a line that is not as wide as the header."""
    for row in rows.rows:
        if len(row) != len(rows.header):
            yield None
        else:
            yield [
                *row,
                *(
                    lookups[column].get(cell_text(row[index[lookup.by]]), "")
                    for column, lookup in log.lookups.items()
                ),
            ]


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
    seen = f"SELECT ticket, CAST(moment AS TIMESTAMP) AS moment, line, state FROM read_parquet({literal(str(events.path))})"
    turns = f"SELECT *, lag(state) OVER (PARTITION BY ticket ORDER BY moment, line) AS before FROM ({seen})"
    return f"SELECT ticket, {measures} FROM ({turns}) GROUP BY ticket"
