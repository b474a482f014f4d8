"""SQL of who leaves and when: one row per customer and month under contract, with what held when the month began.

A customer is at risk in a month if a spell began before its first day and had not ended by then, and is lost if the spell ends in it. Where
the running term comes up in the month is kept beside it: who may leave on any day is not compared with who may leave once a year.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from analysis.metrics.backend import literal, quoted
from analysis.metrics.views import NOT_STATED, full_months, held_as
from analysis.metrics.views.selection import study_view
from analysis.retention.views import ROLLING

#: Attributes that any company may have, beside those of its own history: held by the customer, or by the contract that runs.
OF_CUSTOMERS = ("customer_type", "segment", "region", "channel")
OF_CONTRACTS = ("contract_kind", "contract_term")
ONBOARDING = "onboarding"
ONBOARDING_DAYS = 90
YEAR = 12

#: What a row of :func:`customer_months` is of; a customer has a row for each spell that runs.
ROW = ("customer_id", "month")

TERM = f"CASE WHEN {ROLLING} THEN 'rolling' WHEN t.term_months <= {YEAR} THEN 'up_to_a_year' ELSE 'over_a_year' END"


def customer_months(
    contracts: str,
    months: Sequence[tuple[dt.date, dt.date]],
    history: Mapping[str, str],
    *,
    served_from: dt.date | None,
) -> str:
    """The table behind every question here.

    Parameters
    ----------
    contracts : CTEs ``terms`` and ``spells``
    months : first days, and the days after the last
    history : attributes of the customers' history by the column that holds each
    served_from : first day of which service is on record, where it is told who was installed or trained; None: nobody knows

    One row per customer, spell and month: month (first day), lost, standing (rolling, due, running, between terms), tenure (whole years, 3 at most),
    and each attribute as it held when the month began; empty where it was not known then.
    """
    days = ", ".join(f"({literal(first)}, {literal(after)})" for first, after in months)
    columns = {name: column for column, name in history.items()}
    own = ", ".join(
        f"coalesce({f'h.{quoted(columns[name])}' if name in columns else 'NULL'}, c.{name}) AS {name}"
        for name in OF_CUSTOMERS
    )
    kept = "".join(f", h.{quoted(column)}" for column, name in history.items() if name not in OF_CUSTOMERS)
    return f"""WITH {contracts}, months(first_day, after) AS (VALUES {days}), present AS (
  SELECT m.first_day, m.after, s.customer_id, s.spell, s.kind, s.begins, coalesce(s.ends < m.after, FALSE) AS lost
  FROM spells s JOIN months m ON s.begins < m.first_day AND (s.ends IS NULL OR s.ends >= m.first_day)
), running AS (
  SELECT p.first_day, p.customer_id, p.spell, min(t.due_on) AS due_on, min_by({TERM}, t.due_on) AS term
  FROM present p JOIN terms t ON t.customer_id = p.customer_id AND t.starts_on < p.first_day AND coalesce(t.stands_until >= p.first_day, TRUE)
  GROUP BY 1, 2, 3
), histories AS (
  SELECT p.first_day, p.customer_id, p.spell{held_as(history)}
  FROM present p JOIN customer_history h ON h.customer_id = p.customer_id AND h.valid_from <= p.first_day GROUP BY 1, 2, 3
){_trained(served_from)}
SELECT p.first_day AS month, p.customer_id, p.lost,
       CASE WHEN r.term IS NULL THEN 'between' WHEN r.term = 'rolling' THEN r.term WHEN r.due_on < p.after THEN 'due' ELSE 'running' END AS standing,
       least(CAST(floor({full_months("p.begins", "p.first_day")} / 12.0) AS INTEGER), 3) AS tenure,
       {own}, p.kind AS contract_kind, r.term AS contract_term, {_onboarded(served_from)} AS {ONBOARDING}{kept}
FROM present p LEFT JOIN customers c ON c.customer_id = p.customer_id
LEFT JOIN running r ON r.first_day = p.first_day AND r.customer_id = p.customer_id AND r.spell = p.spell
LEFT JOIN histories h ON h.first_day = p.first_day AND h.customer_id = p.customer_id AND h.spell = p.spell
{"" if served_from is None else "LEFT JOIN trained i ON i.customer_id = p.customer_id"}"""


def _trained(served_from: dt.date | None) -> str:
    """A CTE of customers who were installed or trained within their first ninety days."""
    if served_from is None:
        return ""
    return f""", trained AS (
  SELECT DISTINCT c.customer_id FROM customers c JOIN service_orders s ON s.customer_id = c.customer_id AND s.ticket_type = 'installation'
  AND s.opened_on >= c.acquired_on AND s.opened_on < c.acquired_on + INTERVAL {ONBOARDING_DAYS} DAY
)"""


def _onboarded(served_from: dt.date | None) -> str:
    """Whether a customer was, from the day on which that is known to the end of the first year."""
    if served_from is None:
        return "CAST(NULL AS VARCHAR)"
    return f"""CASE WHEN c.acquired_on >= {literal(served_from)} AND p.first_day >= c.acquired_on + INTERVAL {ONBOARDING_DAYS} DAY
            AND p.first_day < c.acquired_on + INTERVAL {YEAR} MONTH THEN CASE WHEN i.customer_id IS NULL THEN 'no' ELSE 'yes' END END"""


@study_view
def months_at_risk(table: str) -> str:
    """The rows of :func:`customer_months`, which stand in a table."""
    return f"SELECT * FROM {table}"


def held_by(table: str, columns: Mapping[str, str], row: Sequence[str] = ROW) -> str:
    """Which rows hold each value of each attribute.

    Parameters
    ----------
    table : one row for each combination of ``row``
    columns : column by attribute
    row : columns that tell rows apart

    One row per attribute and value: attribute, held, number of rows, and two marks that are equal where the rows are the same: of the rows that hold the value, and of
    all whose value is known.
    """
    mark = f"sum(hash({', '.join(row)}))"
    parts = [
        f"SELECT {literal(name)} AS attribute, CAST({quoted(column)} AS VARCHAR) AS held, count(*) AS number, {mark} AS mark FROM {table} "
        f"WHERE {quoted(column)} IS NOT NULL GROUP BY ALL"
        for name, column in columns.items()
    ]
    return f"""WITH every AS ({" UNION ALL ".join(parts)})
SELECT attribute, held, number, CAST(mark AS VARCHAR) AS mark, CAST(sum(mark) OVER (PARTITION BY attribute) AS VARCHAR) AS known
FROM every ORDER BY ALL"""


def losses_by(table: str, columns: Sequence[str]) -> str:
    """Customer-months and losses of each combination of columns; a value that was not known is none of the others."""
    names = ", ".join(
        f"coalesce(CAST({quoted(one)} AS VARCHAR), '{NOT_STATED}') AS {quoted(one)}" for one in columns
    )
    return f"SELECT {names}, count(*) AS customer_months, count(*) FILTER (WHERE lost) AS losses FROM {table} GROUP BY ALL ORDER BY ALL"
