"""What the period's cost consists of, slice by slice, and how its categories went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from analysis.costs.figures import amounts_by, reported, rows_of
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs, traced
from analysis.metrics.views import NOT_STATED
from analysis.periods import Month
from analysis.results import Fact
from analysis.summaries import Summarised


@dataclass(frozen=True, kw_only=True, eq=False)
class Slice(Summarised):
    """One slice of the period's cost and what it is compared with; of a year both are the year before."""

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
    """Slices of the period's cost along one dimension, largest first. They add up to the total to the cent.

    Parameters
    ----------
    dimension : a column of the view ``cost``
    total : the period's cost, in money
    """
    state, compared = reported(inputs), inputs.period.compared
    last, year = (list(compared)[place] for place in (0, -1))
    now = amounts_by(inputs, dimension, inputs.period)
    earlier = {against: _earlier(inputs, dimension, period) for against, period in compared.items()}
    # what nobody stated leads no ranking, however much it holds
    values = sorted(now, key=lambda value: (value == NOT_STATED, -now[value], value))
    values += sorted(value for value in earlier[last].amounts if value not in now)
    slices = []
    for value in values:
        place: dict[str, Any] = {dimension: value}
        cost = state.counted("after_sales_cost", now.get(value, Decimal(0) if now else None), **place)
        base = {against: one.fact(state, value, **place) for against, one in earlier.items()}
        change = {
            against: state.derived("cost_change", cost, fact, **place, against=against)
            for against, fact in base.items()
        }
        slices.append(
            Slice(
                dimension=dimension,
                value=value,
                label=inputs.engine.registry.value_label(dimension, value),
                cost=cost,
                share=state.derived("category_cost_share", cost, total, **place),
                previous=base[last],
                change=change[last],
                year_before=base[year],
                year_change=change[year],
            )
        )
    return tuple(slices)


@dataclass(frozen=True, kw_only=True)
class _Earlier:
    """The cost of an earlier period by slice, or why it is none to compare with."""

    period: Period
    amounts: Mapping[str, Decimal]
    lacks: Text | None

    def fact(self, state: Stating, value: str, **place: Any) -> Fact:
        if self.lacks is not None:
            return state.exact("after_sales_cost", None, reason=self.lacks, period=self.period, **place)
        amount = self.amounts.get(value, Decimal(0) if self.amounts else None)
        return state.counted("after_sales_cost", amount, period=self.period, **place)


@traced
def _earlier(inputs: StudyInputs, dimension: str, period: Period) -> _Earlier:
    lacks = inputs.engine.uncovered(period, ("ledger",))
    amounts = {} if lacks else amounts_by(inputs, dimension, period)
    return _Earlier(period=period, amounts=amounts, lacks=lacks)


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
