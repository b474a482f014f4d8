"""Arrow columns from plain arrays: exact money, dates, instants, identifiers, names. No loop over rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.sample.streams import Flags, Ints

MONEY = pa.decimal128(18, 2)


def money(cents: Ints, present: Flags | None = None) -> pa.Array:
    """Whole cents as decimal(18, 2), exactly: the integer's own bytes, widened to sixteen with its sign."""
    low = np.ascontiguousarray(cents, dtype=np.int64)
    wide = np.empty((low.size, 2), dtype=np.int64)
    wide[:, 0] = low
    wide[:, 1] = low >> 63
    validity = None if present is None else _bitmap(present)
    return pa.Array.from_buffers(MONEY, low.size, [validity, pa.py_buffer(wide.tobytes())])


def _bitmap(present: Flags) -> pa.Buffer:
    return pa.py_buffer(np.packbits(np.asarray(present, dtype=bool), bitorder="little").tobytes())


def labels(prefix: str, numbers: Ints, width: int, present: Flags | None = None) -> pa.Array:
    """``prefix`` and a zero-padded number: T-000017."""
    digits = pc.utf8_lpad(
        pc.cast(pa.array(np.asarray(numbers, dtype=np.int64)), pa.string()), width=width, padding="0"
    )
    return where_present(pc.binary_join_element_wise(pa.scalar(prefix), digits, ""), present)


def words(vocabulary: Sequence[str | None], index: Ints, present: Flags | None = None) -> pa.Array:
    """``vocabulary[index]``; a negative index is null."""
    index = np.asarray(index, dtype=np.int64)
    known = index >= 0 if present is None else np.asarray(present, dtype=bool) & (index >= 0)
    return pa.array(vocabulary, pa.string()).take(pa.array(np.where(known, index, 0), mask=~known))


def take(values: pa.Array, index: Ints, present: Flags | None = None) -> pa.Array:
    """``values[index]`` with null where ``index`` is negative or not ``present``."""
    index = np.asarray(index, dtype=np.int64)
    known = index >= 0 if present is None else np.asarray(present, dtype=bool) & (index >= 0)
    return values.take(pa.array(np.where(known, index, 0), mask=~known))


def codes(values: pa.ChunkedArray) -> tuple[list[str], Ints]:
    """The distinct words of a column without nulls, and for each row the position of its word."""
    encoded = values.combine_chunks().dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)


def join(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*[pa.scalar(p) if isinstance(p, str) else p for p in parts], "")


def where_present(values: pa.Array, present: Flags | None) -> pa.Array:
    if present is None:
        return values
    return pc.if_else(pa.array(np.asarray(present, dtype=bool)), values, pa.scalar(None, values.type))


def date_column(days: np.ndarray) -> pa.Array:
    return pa.array(days.astype("datetime64[D]"), pa.date32(), from_pandas=True)


def time_column(moments: np.ndarray) -> pa.Array:
    return pa.array(moments.astype("datetime64[us]"), pa.timestamp("us"), from_pandas=True)


def flags(values: Flags, present: Flags | None = None) -> pa.Array:
    return pa.array(
        np.asarray(values, dtype=bool), mask=None if present is None else ~np.asarray(present, dtype=bool)
    )


def numbers(values: np.ndarray, digits: int = 2, present: Flags | None = None) -> pa.Array:
    """Floats rounded to ``digits``; not-a-number is null."""
    rounded = np.round(np.asarray(values, dtype=float), digits)
    missing = np.isnan(rounded) if present is None else np.isnan(rounded) | ~np.asarray(present, dtype=bool)
    return pa.array(rounded, mask=missing)


def counts(values: Ints, present: Flags | None = None) -> pa.Array:
    return pa.array(
        np.asarray(values, dtype=np.int64), mask=None if present is None else ~np.asarray(present, dtype=bool)
    )


def constant(value: Any, size: int) -> pa.Array:
    return pa.array([value]).take(pa.array(np.zeros(size, dtype=np.int64)))


def nothing(kind: pa.DataType, size: int) -> pa.Array:
    return pa.nulls(size, kind)


def table(columns: Mapping[str, pa.Array]) -> pa.Table:
    return pa.table(dict(columns))


def in_order(frame: pa.Table, *keys: str) -> pa.Table:
    return frame.sort_by([(key, "ascending") for key in keys])
