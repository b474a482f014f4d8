"""Small faults of real data, on rows that no posting and no control total stands on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.sample.streams import Flags, Ints, Streams

SHARE = 0.0006


def blemish(tables: dict[str, pa.Table], streams: Streams) -> tuple[dict[str, pa.Table], dict[str, int]]:
    """The same tables with a few faults, and how many of each: doubled rows, impossible times, unknown serials, odd values."""
    tables = dict(tables)
    made: dict[str, int] = {}
    tickets = tables["tickets"]
    traced = pc.unique(pc.drop_null(tables["ledger"]["ticket_id"]))
    free = pc.invert(
        pc.is_in(
            tickets["ticket_id"],
            value_set=traced.combine_chunks() if isinstance(traced, pa.ChunkedArray) else traced,
        )
    )
    free_rows = np.flatnonzero(free.to_numpy(zero_copy_only=False))
    early = _some(streams, "first_response_before_opening", tickets.num_rows)
    tickets = _shift(tickets, "first_response_at", early, -36)
    made["tickets.first_response_at before opened_at"] = early.size
    unknown = free_rows[_some(streams, "unknown_serial", free_rows.size)]
    tickets = _replace(tickets, "serial_no", unknown, "UNKNOWN-SN")
    made["tickets.serial_no unknown"] = unknown.size
    kind = np.setdiff1d(free_rows[_some(streams, "ticket_type", free_rows.size, 0.4)], unknown)
    tickets = _replace(tickets, "ticket_type", kind, "consultation")
    made["tickets.ticket_type not allowed"] = kind.size
    for name in ("tickets", "surveys", "opportunities"):
        frame = tickets if name == "tickets" else tables[name]
        again = _some(streams, f"{name}/doubled", frame.num_rows)
        tables[name] = pa.concat_tables([frame, frame.take(pa.array(again))]).combine_chunks()
        made[f"{name} exact duplicates"] = again.size
    odd = _some(streams, "score", tables["surveys"].num_rows, 0.3)
    tables["surveys"] = _change(tables["surveys"], "score", odd, lambda old: pa.scalar(99.0, old.type))
    made["surveys.score out of range"] = odd.size
    lost = _some(streams, "stage", tables["opportunities"].num_rows)
    tables["opportunities"] = _replace(tables["opportunities"], "stage", lost, None)
    made["opportunities.stage missing"] = lost.size
    return tables, made


def _some(streams: Streams, name: str, size: int, share: float = 1.0) -> Ints:
    """At least one row when there is any, in order."""
    if not size:
        return np.empty(0, dtype=np.int64)
    number = max(1, round(size * SHARE * share))
    return np.sort(streams.named(f"blemishes/{name}").choice(size, number, replace=False)).astype(np.int64)


def _mask(size: int, rows: Ints) -> Flags:
    mask = np.zeros(size, dtype=bool)
    mask[rows] = True
    return mask


def _change(
    frame: pa.Table, name: str, rows: Ints, value: Callable[[pa.ChunkedArray], pa.Scalar | pa.ChunkedArray]
) -> pa.Table:
    old = frame[name]
    new = pc.if_else(pa.array(_mask(frame.num_rows, rows)), value(old), old)
    return frame.set_column(frame.schema.get_field_index(name), name, new)


def _replace(frame: pa.Table, name: str, rows: Ints, text: str | None) -> pa.Table:
    return _change(frame, name, rows, lambda old: pa.scalar(text, old.type))


def _shift(frame: pa.Table, name: str, rows: Ints, hours: int) -> pa.Table:
    step = pa.scalar(np.timedelta64(hours * 3_600 * 1_000_000, "us"), pa.duration("us"))
    return _change(frame, name, rows, lambda _old: pc.add(frame["opened_at"], step))
