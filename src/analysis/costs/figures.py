"""Figures that every part of the cost study uses: a metric by month, a slice in cents, a change with what it is a change of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from analysis.locale import Text
from analysis.metrics import StudyInputs
from analysis.periods import Month
from analysis.results import Fact


def facts_by_month(inputs: StudyInputs, metric: str, months: Sequence[Month]) -> list[Fact]:
    return [inputs.engine.fact(metric, period=month) for month in months]


def change_facts(inputs: StudyInputs, cost: Fact, base: Fact, dimensions: Mapping[str, str]) -> tuple[Fact, Fact]:
    """Change and relative change as facts; a base that is not there is said, not taken for zero."""
    engine, month = inputs.engine, inputs.month
    if cost.value is None or base.value is None:
        reason = Text(en=f"not computed: no cost to compare with in {base.period}", zh=f"未计算：{base.period} 无可比成本")
        missing = [engine.stated(metric, period=month, value=None, reason=reason, dimensions=dimensions) for metric in ("cost_change", "cost_change_rate")]
        return missing[0], missing[1]
    difference = cost.value - base.value  # type: ignore[operator]
    change = engine.stated("cost_change", period=month, value=difference, dimensions=dimensions, sources=("ledger",))
    if base.value <= 0:
        reason = Text(en="not computed: the base is not positive", zh="未计算：基数非正")
        return change, engine.stated("cost_change_rate", period=month, value=None, reason=reason, dimensions=dimensions)
    rate = engine.stated(
        "cost_change_rate", period=month, value=difference / base.value, numerator=difference, denominator=base.value,
        dimensions=dimensions, sources=("ledger",),
    )
    return change, rate


def amounts_by(inputs: StudyInputs, dimension: str, month: Month) -> dict[str, Decimal]:
    frame = inputs.engine.aggregate("incurred_cost", by=(dimension,), period=month)
    return {value: amount for value, amount in zip(frame[dimension], frame["incurred_cost"], strict=True) if amount is not None}
