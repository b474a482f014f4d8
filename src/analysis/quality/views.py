"""SQL of the rows behind the figures of this section, over the shared views and over the tables as the load left them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.formats import Number
from analysis.metrics import StudyInputs
from analysis.metrics.backend import literal, quoted
from analysis.metrics.views.selection import study_view
from analysis.periods import Month
from analysis.results import Fact, Rows

if TYPE_CHECKING:
    import pandas as pd


def rows_where(source: str, *conditions: str) -> str:
    """The rows of a source (a quoted name) that fulfil every condition."""
    return f"SELECT * FROM {source} WHERE {' AND '.join(conditions)}"


@study_view
def column_rows(table: str, column: str) -> str:
    """The rows of a table; ``filled`` where they have a value in the column."""
    return f"SELECT *, {filled(column)} AS filled FROM {quoted(table)}"


@study_view
def level_rows(table: str, column: str) -> str:
    """The rows of a table with a value in the column, as ``level``; without a column all of them, and no level."""
    if not column:
        return f"SELECT *, CAST(NULL AS DOUBLE) AS level FROM {quoted(table)}"
    return f"SELECT *, CAST({quoted(column)} AS DOUBLE) AS level FROM {quoted(table)} WHERE {filled(column)}"


@study_view
def own_amounts(rows: str, column: str) -> str:
    """Rows of ours that a control total should agree with, with the amount of each."""
    return f"SELECT *, {column} AS own_amount FROM ({rows}) AS own"


@study_view
def faulty(rows: str) -> str:
    """Rows that have one fault, one row each."""
    return f"SELECT * FROM ({rows}) AS faulty"


def in_months(first: Month, last: Month) -> str:
    """The condition that a row belongs to one of the months from first to last."""
    return f"month BETWEEN {literal(first.start)} AND {literal(last.start)}"


def filled(column: str) -> str:
    """The condition that a row has a value in the column."""
    return f"{quoted(column)} IS NOT NULL"


def set_aside(source: str, *conditions: str) -> str:
    """One row per row of a file that has a fault of the kind asked for, with an example of its value."""
    return (
        f"SELECT file, row_number, min(example) AS example FROM {source} WHERE {' AND '.join(conditions)} "
        "GROUP BY file, row_number"
    )


def orphans(source: str, column: str, target: str, key: str) -> str:
    """Rows that name a key which the target does not have; an empty reference names nothing."""
    named = f"(SELECT {quoted(key)} FROM {target} WHERE {filled(key)})"
    return rows_where(source, filled(column), f"{quoted(column)} NOT IN {named}")


def total(inputs: StudyInputs, rows: Rows) -> Number:
    """The aggregate of the rows, as whoever follows the lineage computes it."""
    value: Number = inputs.engine.query(
        f"SELECT {rows.value} AS value FROM ({rows.numerator}) AS counted"
    ).iloc[0]["value"]
    return value


def listed(inputs: StudyInputs, fact: Fact) -> pd.DataFrame:
    """The rows behind a fact that was counted from rows."""
    assert isinstance(fact.lineage, Rows)
    return inputs.engine.rows(fact.lineage.numerator)
