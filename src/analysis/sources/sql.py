"""Names and values as SQL text; neither becomes SQL of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence


def quoted(name: str) -> str:
    """An SQL identifier; names are data too."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | dt.date | dt.datetime | bool | int | None) -> str:
    """An SQL literal; text from data never becomes SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dt.datetime):
        return f"TIMESTAMP '{value:%Y-%m-%d %H:%M:%S.%f}'"
    if isinstance(value, dt.date):
        return f"DATE '{value:%Y-%m-%d}'"
    return "'" + value.replace("'", "''") + "'"


def listed(names: Sequence[str]) -> str:
    """Texts as the members of an SQL ``IN``; of none, one that nothing equals."""
    return ", ".join(map(literal, names)) or "NULL"
