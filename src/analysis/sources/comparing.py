"""Comparisons that a map states for rows: ``> 0`` of an amount, ``>= 2026-01-01`` of a day."""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from analysis.errors import ParameterError, SourceError
from analysis.sources.amounts import is_plain_number, plain_number
from analysis.sources.cells import Cell, cell_text

_WRITTEN = re.compile(r"(<=|>=|!=|<|>|=)\s*(\S.*)")
_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@cache
def _read(text: str) -> tuple[Callable[[Any, Any], bool], Decimal | dt.date] | None:
    written = _WRITTEN.fullmatch(text.strip())
    if written is None:
        return None
    sign, bound = _SIGNS[written[1]], written[2].strip()
    if is_plain_number(bound):
        return sign, Decimal(bound)
    return (sign, dt.date.fromisoformat(bound)) if _DAY.fullmatch(bound) else None


def refuse_comparison(text: str, place: str) -> None:
    """Raise ParameterError for a text that compares with neither a number nor a day."""
    try:
        known = _read(text)
    except ValueError:
        known = None
    if known is None:
        raise ParameterError(
            f"{place}: '{text}' should compare with a number or a day, such as '> 0', '!= 0' or '>= 2026-01-01'."
        )


def compares(cell: Cell, text: str, column: str, decimal_mark: Literal[".", ","]) -> bool:
    """Whether a cell compares so; an empty one never does. Raises SourceError for one that is no number, or no day written year first."""
    written = cell_text(cell)
    known = _read(text)
    if not written or known is None:
        return False
    sign, bound = known
    if isinstance(bound, Decimal):
        plain = plain_number(written, decimal_mark)
        if not is_plain_number(plain):
            raise _cannot(column, text, written, "a number")
        return sign(Decimal(plain), bound)
    if isinstance(cell, dt.date):
        return sign(cell.date() if isinstance(cell, dt.datetime) else cell, bound)
    day = _DAY.match(written)
    if day is None:
        raise _cannot(column, text, written, "a day written as 2026-10-31")
    return sign(dt.date.fromisoformat(day[0]), bound)


def _cannot(column: str, text: str, written: str, wanted: str) -> SourceError:
    return SourceError(
        f"{column}: '{written[:60]}' is not {wanted}, so the map's rule '{text}' cannot be asked. Correct the export, or state another rule (where)."
    )
