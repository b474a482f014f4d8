"""What a company keeps a history of, beside what every company has: plan, band of usage, level of support, or anything else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from analysis.metrics.backend import literal, quoted

MOST_VALUES = 20  # of one attribute: beyond it a value names customers, not a group of them
MOST_ATTRIBUTES = 12


def attributes_of_history(cutoff: dt.date) -> str:
    """Attributes of the customers' history whose values name groups, as known when ``cutoff`` began: attribute, and moved (the share of customers who held more than one value)."""
    return f"""WITH known AS (
  SELECT attribute, customer_id, value FROM customer_history WHERE value IS NOT NULL AND valid_from < {literal(cutoff)}
), kinds AS (
  SELECT attribute, count(DISTINCT value) AS kinds FROM known GROUP BY 1
), customers AS (
  SELECT attribute, customer_id, count(DISTINCT value) AS held FROM known GROUP BY 1, 2
)
SELECT c.attribute, avg(CASE WHEN c.held > 1 THEN 1.0 ELSE 0.0 END) AS moved FROM customers c JOIN kinds k ON k.attribute = c.attribute
WHERE k.kinds BETWEEN 2 AND {MOST_VALUES} GROUP BY 1 ORDER BY 1 LIMIT {MOST_ATTRIBUTES}"""


def held_as(history: Mapping[str, str]) -> str:
    """The latest value of each attribute of the rows ``h`` of a history, in a column of its own: to be selected by customer. ``history`` : attributes by column."""
    return "".join(
        f", max_by(h.value, h.valid_from) FILTER (WHERE h.attribute = {literal(name)}) AS {quoted(column)}"
        for column, name in history.items()
    )
