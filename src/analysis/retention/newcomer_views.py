"""SQL of who came and when: one row per customer who came within some years, with what held on that day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from analysis.metrics.backend import listed, literal, quoted
from analysis.metrics.views import NOT_STATED, held_as
from analysis.metrics.views.selection import study_view
from analysis.retention.month_views import OF_CUSTOMERS, TERM

#: What a first purchase says of who made it, beside the attributes of customers.
OF_PURCHASES = ("product_line", "shop", "platform")


def first_contracts(contracts: str) -> str:
    """CTE ``came``: first day under contract of each customer, kind and length of that term. Left out: whose first term on record is not the first of its contract."""
    return f"""{contracts}, came AS (
  SELECT s.customer_id, s.came_on, s.contract_kind, min_by({TERM}, (t.starts_on, t.contract_id)) AS contract_term
  FROM (SELECT customer_id, min(begins) AS came_on, min_by(kind, begins) AS contract_kind FROM spells GROUP BY 1) s
  JOIN terms t ON t.customer_id = s.customer_id GROUP BY 1, 2, 3 HAVING min_by(t.first_term, (t.starts_on, t.contract_id)) <= 1
)"""


def first_purchases(cutoff: dt.date, *, types: Sequence[str]) -> str:
    """CTE ``came``: day of the first purchase of each customer (orders of the ``types``), and product line, shop and platform of it."""
    first = ", ".join(f"min_by({one}, (ordered_on, order_id, line_no)) AS {one}" for one in OF_PURCHASES)
    return f"""came AS (
  SELECT customer_id, min(ordered_on) AS came_on, {first} FROM sales
  WHERE order_type IN ({listed(types)}) AND revenue > 0 AND customer_id IS NOT NULL AND ordered_on < {literal(cutoff)} GROUP BY 1
)"""


def newcomers(
    came: str,
    span: tuple[dt.date, dt.date],
    history: Mapping[str, str],
    *,
    kept: Sequence[str],
    acquired: bool,
) -> str:
    """The table behind every question here.

    Parameters
    ----------
    came : CTE ``came``
    span : first day, and the day after the last
    history : attributes of the customers' history by the column that holds each
    kept : columns of ``came``
    acquired : whoever was acquired before the first day is not new

    One row per customer: month (first day), each attribute as it held on the day; empty where it was not known. A customer without a history of an attribute never
    changed it; one whose history begins later had a value that nobody knows.
    """
    first, after = (literal(day) for day in span)
    columns = {name: column for column, name in history.items()}
    customers = ", ".join(_of_customer(name, columns.get(name)) for name in OF_CUSTOMERS)
    own = [quoted(column) for column, name in history.items() if name not in OF_CUSTOMERS]
    further = "".join(f", {one}" for one in (*(f"n.{one}" for one in kept), *(f"h.{one}" for one in own)))
    ever = "".join(
        f", bool_or(h.attribute = {literal(name)}) AS {quoted(f'{column}_ever')}"
        for column, name in history.items()
    )
    joined = (
        f"""LEFT JOIN (SELECT n.customer_id{held_as(history)} FROM new n JOIN customer_history h ON h.customer_id = n.customer_id
  AND h.valid_from <= n.came_on GROUP BY 1) h ON h.customer_id = n.customer_id
LEFT JOIN (SELECT n.customer_id{ever} FROM new n JOIN customer_history h ON h.customer_id = n.customer_id GROUP BY 1) e ON e.customer_id = n.customer_id"""
        if history
        else ""
    )
    before = f" WHERE c.acquired_on IS NULL OR c.acquired_on >= {first}" if acquired else ""
    return f"""WITH {came}, new AS (SELECT * FROM came WHERE came_on >= {first} AND came_on < {after})
SELECT n.customer_id, CAST(date_trunc('month', n.came_on) AS DATE) AS month, {customers}{further}
FROM new n LEFT JOIN customers c ON c.customer_id = n.customer_id {joined}{before}"""


def _of_customer(name: str, column: str | None) -> str:
    """An attribute of a customer as its history has it, and as it stands where there is none."""
    if column is None:
        return f"c.{name}"
    return f"coalesce(h.{quoted(column)}, CASE WHEN NOT coalesce(e.{quoted(f'{column}_ever')}, FALSE) THEN c.{name} END) AS {name}"


@study_view
def customers_come(table: str) -> str:
    """The rows of :func:`newcomers`, which stand in a table."""
    return f"SELECT * FROM {table}"


def come_by(table: str, columns: Sequence[str]) -> str:
    """Newcomers of each combination of month and columns; a value that was not known is none of the others."""
    names = "".join(
        f", coalesce(CAST({quoted(one)} AS VARCHAR), '{NOT_STATED}') AS {quoted(one)}" for one in columns
    )
    return f"SELECT month{names}, count(*) AS customers FROM {table} GROUP BY ALL ORDER BY ALL"
