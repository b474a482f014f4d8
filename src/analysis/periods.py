"""Months and days of the business: half-open periods in the business time zone.

One parser for months serves the command line, the params files and the notebooks, because YAML reads
``2026-10`` as text but ``2026-10-01`` as a date, and a notebook parameter may arrive as either.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from analysis.errors import ParameterError, in_quotes

# Of the months and days that anything here can speak of.
FIRST_YEAR, LAST_YEAR = 1900, 2200

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month. ``start`` belongs to it, ``end`` (the first day of the next) does not."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if not (1 <= self.number <= 12 and FIRST_YEAR <= self.year <= LAST_YEAR):
            raise ParameterError(f"month {self.year}-{self.number:02d}: no such month; write it as 2026-10.")

    @classmethod
    def parse(cls, value: str | dt.date | Month) -> Month:
        """Read ``2026-10``, ``2026-10-01`` or a date; anything else is refused, never guessed."""
        if isinstance(value, Month):
            return value
        if isinstance(value, dt.date):
            return cls(value.year, value.month)
        match = re.fullmatch(r"([0-9]{4})-([0-9]{2})(?:-01)?", str(value).strip())
        if not match:
            raise ParameterError(f"month {in_quotes(value)}: not a month; write it as 2026-10.")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    def __add__(self, months: int) -> Month:
        index = self.year * 12 + self.number - 1 + months
        return Month(index // 12, index % 12 + 1)

    def __sub__(self, months: int) -> Month:
        return self + (-months)

    def months_since(self, other: Month) -> int:
        """Whole months from ``other`` to this one; negative when this one is earlier."""
        return (self.year - other.year) * 12 + self.number - other.number

    @property
    def start(self) -> dt.date:
        return dt.date(self.year, self.number, 1)

    @property
    def end(self) -> dt.date:
        """First day after the month."""
        return (self + 1).start

    @property
    def last_day(self) -> dt.date:
        return self.end - dt.timedelta(days=1)

    @property
    def year_start(self) -> Month:
        return Month(self.year, 1)


def months_between(first: Month, last: Month) -> Iterator[Month]:
    """Every month from ``first`` to ``last``, both included."""
    for offset in range(last.months_since(first) + 1):
        yield first + offset


def stated_epoch() -> int | None:
    """The one date that files of a pack may carry, where ``SOURCE_DATE_EPOCH`` states it: seconds since 1970; what is no such number is refused."""
    stated = os.environ.get("SOURCE_DATE_EPOCH")
    if stated is None:
        return None
    last = dt.datetime(LAST_YEAR, 12, 31, tzinfo=dt.UTC).timestamp()
    if not re.fullmatch(r"[0-9]{1,12}", stated.strip()) or int(stated) > last:
        raise ParameterError(
            f"SOURCE_DATE_EPOCH {in_quotes(stated)}: not a number of seconds since 1970 (to the year {LAST_YEAR}); unset it or give a whole number."
        )
    return int(stated)


def day_end_utc(day: dt.date, time_zone: str) -> dt.datetime:
    """The instant (naive UTC) at which ``day`` has ended in the business time zone."""
    midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), ZoneInfo(time_zone))
    return midnight.astimezone(dt.UTC).replace(tzinfo=None)


def in_business_zone(rows: pd.DataFrame, time_zone: str) -> pd.DataFrame:
    """Rows as a person of the company reads them: moments (UTC) on the clock of ``time_zone``, with its offset.

    A moment is what stands in a column ``*_at``, or in any column of dates of which one has a time of day. Each gets the offset of its own
    day: summer time is not winter time. Days and all other columns stay as they are.
    """
    import pandas as pd

    local = {
        name: pd.Series(
            [
                None if pd.isna(moment) else moment.isoformat(sep=" ", timespec="seconds")
                for moment in rows[name].dt.tz_localize("UTC").dt.tz_convert(time_zone)
            ],
            index=rows.index,
            dtype=object,
        )
        for name in rows.columns
        if str(rows[name].dtype).startswith("datetime64[")
        and rows[name].dt.tz is None
        and (str(name).endswith("_at") or (rows[name].dropna() != rows[name].dropna().dt.normalize()).any())
    }
    return rows.assign(**local) if local else rows
