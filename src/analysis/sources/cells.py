"""What a cell may hold before a map has read it: text, a real date, a number, or a fault that must not pass for a value."""

from __future__ import annotations

import datetime as dt
import unicodedata
from decimal import Decimal
from typing import Any


class Fault(str):
    """A cell that says something is wrong with it (#N/A, a number that lost digits); ``why`` names its place."""

    why: str

    def __new__(cls, text: str, why: str) -> Fault:
        fault = super().__new__(cls, text)
        fault.why = why
        return fault


Cell = Any  # str, Fault, int, float, bool, Decimal, date, datetime, time, None: what readers yield


def cell_text(cell: Cell) -> str:
    """A cell that is no date as text without surrounding blanks; numbers with the 15 digits that Excel shows, never as 1.5E+20."""
    if isinstance(cell, str):
        text = cell.strip()
        if not text.isascii():
            text = unicodedata.normalize(
                "NFC", text
            )  # one letter, one form: a name typed on a Mac is the same name
        # ="123" is how systems keep a spreadsheet from taking a long number for one.
        return text[2:-1] if text[:2] == '="' and text[-1] == '"' and len(text) > 2 else text
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return _float_text(cell)
    if isinstance(cell, Decimal):
        return format(cell, "f") if cell.is_finite() else ""
    if isinstance(cell, dt.timedelta):
        return _float_text(cell.total_seconds() / 3600)
    if isinstance(cell, bytes | memoryview):
        return bytes(cell).decode("utf-8", "replace")
    return str(cell).strip()


def _float_text(number: float) -> str:
    if number != number or number in (float("inf"), float("-inf")):
        return ""
    return format(Decimal(format(number, ".15g")), "f")
