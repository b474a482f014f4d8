"""What the month's cost consists of, slice by slice, and how its categories went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from analysis.costs.figures import amounts_by, rows_of
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs, traced
from analysis.metrics.views import NOT_STATED
from analysis.periods import Month
from analysis.results import Fact
from analysis.summaries import Summarised


@dataclass(frozen=True, kw_only=True, eq=False)
class Slice(Summarised):
    """One slice of the month's cost and what it is compared with."""

    dimension: str
    value: str
    label: Text
    cost: Fact
    share: Fact
    previous: Fact
    change: Fact
    year_before: Fact
    year_change: Fact


@traced
def composition_by(inputs: StudyInputs, dimension: str, total: Fact) -> tuple[Slice, ...]:
    """Slices of the month's cost along one dimension, largest first. They add up to the total to the cent.

    Parameters
    ----------
    dimension : a column of the view ``cost``
    total : the month's cost, in money
    """
    state, month = Stating(inputs=inputs), inputs.month
    amounts = {back: amounts_by(inputs, dimension, month - back) for back in (0, 1, 12)}
    # what nobody stated leads no ranking, however much it holds
    values = sorted(amounts[0], key=lambda value: (value == NOT_STATED, -amounts[0][value], value))
    values += sorted(value for value in amounts[1] if value not in amounts[0])
    slices = []
    for value in values:
        place: dict[str, Any] = {dimension: value}
        cost, previous, before = (
            state.counted(
                "after_sales_cost",
                amounts[back].get(value, Decimal(0) if amounts[back] else None),
                period=month - back,
                **place,
            )
            for back in (0, 1, 12)
        )
        slices.append(
            Slice(
                dimension=dimension,
                value=value,
                label=inputs.engine.registry.value_label(dimension, value),
                cost=cost,
                share=state.derived("category_cost_share", cost, total, **place),
                previous=previous,
                change=state.derived("cost_change", cost, previous, **place, against="previous_month"),
                year_before=before,
                year_change=state.derived("cost_change", cost, before, **place, against="year_before"),
            )
        )
    return tuple(slices)


@traced
def category_history(inputs: StudyInputs, months: Sequence[Month]) -> dict[str, tuple[Fact, ...]]:
    """Cost by category over the months, the categories of the largest sum first."""
    state = Stating(inputs=inputs)
    frame = inputs.engine.aggregate("incurred_cost", by=("category",), period=Period(months[0], months[-1]))
    cells: dict[tuple[str, str], Decimal] = {
        (row["category"], row["month"]): row["incurred_cost"]
        for row in rows_of(frame)
        if row["incurred_cost"] is not None
    }
    covered = set(frame["month"])
    sums: dict[str, Decimal] = {}
    for (category, _), amount in cells.items():
        sums[category] = sums.get(category, Decimal(0)) + amount
    return {
        category: tuple(
            state.counted(
                "after_sales_cost",
                cells.get((category, str(month)), Decimal(0)),
                period=month,
                category=category,
            )
            for month in months
            if str(month) in covered
        )
        for category in sorted(sums, key=lambda name: (-sums[name], name))
    }
