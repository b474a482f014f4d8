"""Figures that every part of the cost study uses: a metric by month, a slice in cents, a change with what it is a change of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.formats import decimal
from analysis.locale import Text
from analysis.metrics import StudyInputs
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Fact

if TYPE_CHECKING:
    import pandas as pd


def size(fact: Fact) -> float:
    """Absolute value, for putting the largest first; 0 where there is none."""
    return abs(float(fact.value)) if fact.value is not None else 0.0


def amount_of(fact: Fact) -> Decimal:
    """Money of a fact as Decimal; what is absent counts as nothing."""
    return Decimal(0) if fact.value is None else decimal(fact.value)


def money(value: float) -> Decimal:
    """An estimate of money, rounded to a cent."""
    return Decimal(str(round(value, 2))).quantize(Decimal("0.01"))


@traced
def rows_of(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows by column name."""
    names = [str(name) for name in frame.columns]
    return (dict(zip(names, row, strict=True)) for row in frame.itertuples(index=False, name=None))


def added(expression: str) -> str:
    """SQL of a sum of hours or quantities that is the same to the last digit in whatever order the engine meets the rows.

    Floats added by several threads are not; millionths are exact, and finer than any source records.
    """
    return f"sum(CAST({expression} AS DECIMAL(18, 6)))::DOUBLE"


def facts_by_month(inputs: StudyInputs, metric: str, months: Sequence[Month]) -> list[Fact]:
    return [inputs.engine.fact(metric, period=month) for month in months]


def change_facts(
    inputs: StudyInputs, cost: Fact, base: Fact, dimensions: Mapping[str, str]
) -> tuple[Fact, Fact]:
    """Change and relative change as facts; a base that is not there is said, not taken for zero."""
    engine, month = inputs.engine, inputs.month
    if cost.value is None or base.value is None:
        reason = Text(
            en=f"not computed: no cost to compare with in {base.period}",
            zh=f"未计算：{base.period} 无可比成本",
        )
        missing = [
            engine.stated(metric, period=month, value=None, reason=reason, dimensions=dimensions)
            for metric in ("cost_change", "cost_change_rate")
        ]
        return missing[0], missing[1]
    before = decimal(base.value)
    difference = decimal(cost.value) - before
    change = engine.stated("cost_change", period=month, value=difference, dimensions=dimensions)
    if before <= 0:
        reason = Text(en="not computed: the base is not positive", zh="未计算：基数非正")
        return change, engine.stated(
            "cost_change_rate", period=month, value=None, reason=reason, dimensions=dimensions
        )
    rate = engine.stated(
        "cost_change_rate",
        period=month,
        value=difference / before,
        numerator=difference,
        denominator=before,
        dimensions=dimensions,
    )
    return change, rate


@traced
def amounts_by(inputs: StudyInputs, dimension: str, month: Month) -> dict[str, Decimal]:
    frame = inputs.engine.aggregate("incurred_cost", by=(dimension,), period=month)
    return {
        value: amount
        for value, amount in zip(frame[dimension], frame["incurred_cost"], strict=True)
        if amount is not None
    }
