"""Figures that every part of the cost study uses: a metric by month, a slice in cents, a change with what it is a change of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from analysis.formats import decimal
from analysis.metrics import Stating, StudyInputs, traced
from analysis.periods import Month, Period
from analysis.results import Fact


def size(fact: Fact) -> float:
    """Absolute value, for putting the largest first; 0 where there is none."""
    return abs(float(fact.value)) if fact.value is not None else 0.0


def amount_of(fact: Fact) -> Decimal:
    """Money of a fact as Decimal; what is absent counts as nothing."""
    return Decimal(0) if fact.value is None else decimal(fact.value)


@traced
def rows_of(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows by column name."""
    names = [str(name) for name in frame.columns]
    return (dict(zip(names, row, strict=True)) for row in frame.itertuples(index=False, name=None))


def month_texts(days: pd.Series) -> pd.Series:
    """Months as text (``2026-10``), also where there is no row at all, so that they can still be compared."""
    return pd.Series([f"{day:%Y-%m}" for day in days], index=days.index, dtype="str")


def added(expression: str) -> str:
    """SQL of a sum of hours or quantities that is the same to the last digit in whatever order the engine meets the rows.

    Floats added by several threads are not; millionths are exact, and finer than any source records.
    """
    return f"sum(CAST({expression} AS DECIMAL(38, 6)))::DOUBLE"


def facts_by_period(inputs: StudyInputs, metric: str, periods: Sequence[Period]) -> tuple[Fact, ...]:
    """The metric of each period."""
    return tuple(inputs.fact(metric, period=period) for period in periods)


def change_facts(inputs: StudyInputs, cost: Fact, base: Fact, **place: Any) -> tuple[Fact, Fact]:
    """Change and relative change of a cost against its base; what either lacks, the change lacks."""
    state = reported(inputs)
    return (
        state.derived("cost_change", cost, base, **place),
        state.derived("cost_change_rate", cost, base, **place),
    )


@traced
def amounts_by(
    inputs: StudyInputs, dimension: str, period: Month | Period, *, measure: str = "incurred_cost"
) -> dict[str, Decimal]:
    """A measure of money by value of a dimension over a period; values without an amount are left out."""
    frame = inputs.engine.aggregate(measure, by=(dimension,), period=period)
    summed: dict[str, Decimal] = {}
    for value, amount in zip(frame[dimension], frame[measure], strict=True):
        if amount is not None and amount == amount:
            summed[value] = summed[value] + amount if value in summed else amount
    return summed


def reported(inputs: StudyInputs) -> Stating:
    """States what is counted over the reported period."""
    return Stating(inputs=inputs, period=inputs.period)
