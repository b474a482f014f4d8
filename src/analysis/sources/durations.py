"""How long something took, as systems write it: a number of a stated unit, or hours and minutes with colons."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Literal

from analysis.sources.amounts import is_plain_number, scaled

Unit = Literal["milliseconds", "seconds", "minutes", "hours", "days", "clock"]
_SECONDS: Mapping[str, Fraction] = {
    "milliseconds": Fraction(1, 1000),
    "seconds": Fraction(1),
    "minutes": Fraction(60),
    "hours": Fraction(3600),
    "days": Fraction(86_400),
}
_CLOCK = re.compile(r"(\d{1,6}):([0-5]\d)(?::([0-5]\d))?", re.ASCII)


def clock_hours(text: str) -> str:
    """Hours of ``12:30`` or ``168:30:00``; what is not written so is given back as it is."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return text
    seconds = int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3] or 0)
    return scaled(str(seconds), Fraction(1, 3600))


def later(moment: str, lasts: str, unit: Unit) -> str:
    """A moment (ISO) so much later; empty where either is, and both texts where one cannot be read, for the proof to refuse."""
    if not moment or not lasts:
        return ""
    hours = clock_hours(lasts) if unit == "clock" else lasts
    try:
        start = dt.datetime.fromisoformat(moment)
        if not is_plain_number(hours):
            raise ValueError
        seconds = Fraction(hours) * _SECONDS["hours" if unit == "clock" else unit]
        found = start + dt.timedelta(microseconds=round(seconds * 1_000_000))
    except (ValueError, OverflowError):
        return f"{moment} and {lasts}"
    return found.isoformat(sep=" ")
