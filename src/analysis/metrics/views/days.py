"""Days and periods in SQL: the business day of an instant, and the number of the period that a day lies in."""

from __future__ import annotations

from typing import Literal

from analysis.periods import Month

Width = Literal["week", "month", "quarter", "year"]
# Days by which the end of a term may lie beside the monthly date that it stands for: February lacks up to three days of a month.
TERM_SLACK = 3


def business_day(column: str, zone: str = "$time_zone") -> str:
    """The business day of a UTC instant in a named zone, summer time included.

    Parameters
    ----------
    column : a naive UTC timestamp
    zone : an SQL literal; views leave the run's zone open
    """
    return f"CAST(timezone({zone}, timezone('UTC', {column})) AS DATE)"


def business_hour(column: str, zone: str = "$time_zone") -> str:
    """The hour of the day, 0 to 23, of a UTC instant in a named zone, as :func:`business_day`."""
    return f"CAST(extract('hour' FROM timezone({zone}, timezone('UTC', {column}))) AS INTEGER)"


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
    months = full_months(begins, moment)
    rest = f"datediff('day', {monthly_date(begins, months)}, {moment})"
    return f"CAST({months} * 30.4375 + {rest} AS DOUBLE)"


def age_at_term_end(begins: str, moment: str) -> str:
    """:func:`days_of_age` of a day on which a term ran out: up to :data:`TERM_SLACK` days after a full month it is that month.

    Terms written in days (30, 90, 366) and last days written as the anniversary itself drift by a day or two about the date that they
    stand for; whoever did not renew them would be read beside the age at which he left.
    """
    months = full_months(begins, moment)
    rest = f"datediff('day', {monthly_date(begins, months)}, {moment})"
    return f"CAST({months} * 30.4375 + CASE WHEN {months} > 0 AND {rest} <= {TERM_SLACK} THEN 0 ELSE {rest} END AS DOUBLE)"


def full_months(begins: str, moment: str) -> str:
    """Months completed between two days (``datediff('month')`` counts the first days of months that lie between, and calls one day a month)."""
    return (
        f"(datediff('month', {begins}, {moment}) - CASE WHEN day({moment}) < day({begins}) THEN 1 ELSE 0 END)"
    )


def monthly_date(begins: str, months: str) -> str:
    """The day on which so many months are completed: for what began on the 31st (or on 29 February) the day after a month without such a day."""
    date = f"CAST({begins} + INTERVAL ({months}) MONTH AS DATE)"
    return f"CAST({date} + CASE WHEN day({date}) < day({begins}) THEN INTERVAL 1 DAY ELSE INTERVAL 0 DAY END AS DATE)"


def nearest_months(begins: str, moment: str) -> str:
    """The number of whole months that is nearest to the time between two days, at least 1: 30, 31 and 28 days are one month, 365 and 366 twelve."""
    months = full_months(begins, moment)
    after = f"datediff('day', {monthly_date(begins, months)}, {moment})"
    before = f"datediff('day', {moment}, {monthly_date(begins, f'{months} + 1')})"
    return f"greatest({months} + CASE WHEN {before} < {after} THEN 1 ELSE 0 END, 1)"
