"""Days and periods in SQL: the business day of an instant, and the number of the period that a day lies in."""

from __future__ import annotations

from typing import Literal

from analysis.periods import Month

Width = Literal["week", "month", "quarter", "year"]


def business_day(column: str, zone: str = "$time_zone") -> str:
    """The business day of a UTC instant in a named zone, summer time included.

    Parameters
    ----------
    column : a naive UTC timestamp
    zone : an SQL literal; views leave the run's zone open
    """
    return f"CAST(timezone({zone}, timezone('UTC', {column})) AS DATE)"


def month_number(day: str) -> str:
    """Year × 12 + month − 1 of a day, so that an age in months is a difference; see :func:`month_index`."""
    return f"(year({day}) * 12 + month({day}) - 1)"


def month_index(month: Month) -> int:
    """The number of a month, as :func:`month_number` counts."""
    return month.year * 12 + month.number - 1


def month_of_index(index: int) -> Month:
    """The month of a number."""
    return Month(index // 12, index % 12 + 1)


def step(day: str, period: Width) -> str:
    """The ordinal of the calendar week, month, quarter or year a day lies in (as pandas counts periods from 1970)."""
    return {
        "week": f"CAST(floor((datediff('day', DATE '1970-01-01', {day}) + 10) / 7.0) AS INTEGER)",
        "month": f"((year({day}) - 1970) * 12 + month({day}) - 1)",
        "quarter": f"((year({day}) - 1970) * 4 + quarter({day}) - 1)",
        "year": f"(year({day}) - 1970)",
    }[period]


def days_of_age(begins: str, moment: str) -> str:
    """Age at a day in days of twelfths of a year: full months since ``begins`` times 30.4375, and the days since the last of these dates.

    A yearly term ends at twelve months in a leap year too; counted in days it would end a quarter of a day late in three years and
    three quarters early in the fourth, and the loss at an anniversary would fall beside the month it belongs to.
    """
    months = (
        f"(datediff('month', {begins}, {moment}) - CASE WHEN day({moment}) < day({begins}) THEN 1 ELSE 0 END)"
    )
    date = f"CAST({begins} + INTERVAL ({months}) MONTH AS DATE)"
    # the date of what began on the 31st (or on 29 February) is the day after a month that has no such day
    rest = f"(datediff('day', {date}, {moment}) - CASE WHEN day({date}) < day({begins}) THEN 1 ELSE 0 END)"
    return f"CAST({months} * 30.4375 + {rest} AS DOUBLE)"
