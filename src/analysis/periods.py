"""Months and days of the business: half-open periods in the business time zone.

One parser for months serves the command line, the params files and the notebooks, because YAML reads
``2026-10`` as text but ``2026-10-01`` as a date, and a notebook parameter may arrive as either.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from analysis.errors import ParameterError, in_quotes

MONTH, QUARTER, YEAR = 1, 3, 12  # lengths of a report's period, in months
# By length, what a period is held against: values of the dimension ``against``, each with how many months earlier it lies.
AGAINST: Mapping[int, Mapping[str, int]] = {
    MONTH: {"previous_month": 1, "year_before": 12},
    QUARTER: {"previous_quarter": 3, "quarter_year_before": 12},
    # the year before is the year a year earlier: it stands once
    YEAR: {"previous_year": 12},
}

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


@dataclass(frozen=True)
class Period:
    """Consecutive months, both ends included; printed as one month or as a half-open range.

    Attributes
    ----------
    first, last : Month
    year_begins : int
        The month, 1 to 12, with which the company's year begins: what a quarter and a year are called. It tells no two periods apart.

    Examples
    --------
    >>> from analysis.metrics import Period
    >>> period = Period.parse("2026-01/2026-11")
    >>> str(period.last), str(Period.of("2026-10"))
    ('2026-10', '2026-10')
    """

    first: Month
    last: Month
    year_begins: int = field(default=1, compare=False)

    @classmethod
    def of(cls, period: Month | Period | str) -> Period:
        """A period, a month, or either as text.

        Parameters
        ----------
        period : Month, Period or str
            ``2026-10``, ``2026-01/2026-11``.

        Returns
        -------
        Period
        """
        if isinstance(period, str):
            return cls.parse(period)
        return period if isinstance(period, Period) else cls(period, period)

    @classmethod
    def parse(cls, text: str) -> Period:
        """A period from text.

        Parameters
        ----------
        text : str
            ``2026-10``, or the half-open ``2026-01/2026-11``.

        Returns
        -------
        Period
        """
        first, slash, end = text.partition("/")
        return cls(Month.parse(first), Month.parse(end) - 1 if slash else Month.parse(first))

    @classmethod
    def named(cls, text: str | dt.date | Month, *, year_begins: int = 1) -> Period:
        """The period of a report by its name.

        Parameters
        ----------
        text : str
            A month ``2026-10``, a quarter ``2026-Q3`` or a year ``2026``.
        year_begins : int
            The month with which the company's year begins; with 4, the year 2026 is April 2026 to March 2027.

        Returns
        -------
        Period

        Raises
        ------
        ParameterError
            For any other text.

        Examples
        --------
        >>> from analysis.metrics import Period
        >>> str(Period.named("2026-Q3")), str(Period.named("2026", year_begins=4))
        ('2026-07/2026-10', '2026-04/2027-04')
        """
        said = str(text).strip()
        if match := re.fullmatch(r"([0-9]{4})-[Qq]([1-4])", said):
            first = Month(int(match[1]), year_begins) + QUARTER * (int(match[2]) - 1)
            return cls(first, first + (QUARTER - 1), year_begins)
        if re.fullmatch(r"[0-9]{4}", said):
            first = Month(int(said), year_begins)
            return cls(first, first + (YEAR - 1), year_begins)
        if "Q" in said.upper() and isinstance(text, str):
            raise ParameterError(
                f"quarter {in_quotes(said)}: not a quarter; a year has four, write it as 2026-Q3."
            )
        month = Month.parse(text)
        return cls(month, month, year_begins)

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}/{self.last + 1}"

    @classmethod
    def year_of(cls, month: Month, *, year_begins: int) -> Period:
        """The company's year in which a month lies.

        Parameters
        ----------
        month : Month
        year_begins : int
            The month, 1 to 12, with which the year begins.

        Returns
        -------
        Period
            Twelve months.

        Examples
        --------
        >>> str(Period.year_of(Month(2026, 3), year_begins=7))
        '2025-07/2026-07'
        """
        first = month - (month.number - year_begins) % YEAR
        return cls(first, first + (YEAR - 1), year_begins)

    @property
    def months(self) -> int:
        """How many months it holds."""
        return self.last.months_since(self.first) + 1

    @property
    def quarter(self) -> int | None:
        """Which quarter of the company's year it is, 1 to 4; None for what is none."""
        at = self._of_the_year % YEAR
        return at // QUARTER + 1 if self.months == QUARTER and not at % QUARTER else None

    @property
    def year(self) -> int | None:
        """The calendar year in which the company's year begins that it is, or that its quarter is of; None for what is neither."""
        whole = self.months == YEAR and not self._of_the_year % YEAR
        if not whole and self.quarter is None:
            return None
        return (self.first - self._of_the_year % YEAR).year

    @property
    def _of_the_year(self) -> int:
        return self.first.number - self.year_begins

    @property
    def name(self) -> str:
        """As a report is asked for: ``2026-10``, ``2026-Q3``, ``2026``; a range where it is none of them."""
        if self.year is None:
            return str(self)
        return f"{self.year:04d}" + (f"-Q{self.quarter}" if self.quarter else "")

    def back(self, months: int) -> Period:
        """The period of equal length so many months earlier.

        Parameters
        ----------
        months : int

        Returns
        -------
        Period
        """
        return Period(self.first - months, self.last - months, self.year_begins)

    @property
    def compared(self) -> dict[str, Period]:
        """What a report's period is held against, by value of the dimension ``against``: the one just before, and that of a year earlier (a year has one)."""
        return {against: self.back(months) for against, months in AGAINST[self.months].items()}

    def each(self) -> list[Month]:
        """Its months.

        Returns
        -------
        list of Month
            In order of time.
        """
        return list(months_between(self.first, self.last))

    def condition(self) -> str:
        """The period as a condition of SQL on ``month``.

        Returns
        -------
        str
        """
        return f"month >= DATE '{self.first.start}' AND month < DATE '{self.last.end}'"


def asked_period(*, month: str = "", quarter: str = "", year: str = "") -> str:
    """The one period that a report is asked for, of which at most one of three options may be given; blank where none is.

    Raises
    ------
    ParameterError
        For two of them, and for one that is not of its kind.
    """
    given = {
        name: text for name, text in (("month", month), ("quarter", quarter), ("year", year)) if text.strip()
    }
    if len(given) > 1:
        told = " and ".join(f"{name} {in_quotes(text)}" for name, text in given.items())
        raise ParameterError(
            f"{told}: a report has one period; give one of MONTH=, QUARTER= and YEAR= (--month, --quarter, --year)."
        )
    for name, text in given.items():
        form, example = _FORMS[name]
        if not re.fullmatch(form, text.strip()):
            raise ParameterError(f"{name} {in_quotes(text)}: not a {name}; write it as {example}.")
    return next(iter(given.values()), "").strip()


_FORMS = {
    "month": (
        r"[0-9]{4}-[0-9]{2}(?:-01)?",
        "2026-10 (a quarter is given as QUARTER=2026-Q3, a year as YEAR=2026)",
    ),
    "quarter": (r"[0-9]{4}-[Qq][1-4]", "2026-Q3; a year has four"),
    "year": (r"[0-9]{4}", "2026"),
}


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
