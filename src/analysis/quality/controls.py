"""Control totals of the general ledger beside the same sums of our tables, month by month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analysis.locale import Text
from analysis.metrics import NotDone, Period, Stating, StudyInputs
from analysis.metrics.backend import quoted
from analysis.metrics.views.selection import Selection
from analysis.periods import Month, months_between
from analysis.quality import views
from analysis.results import Fact
from analysis.summaries import Summarised

MONTHS = 13
NO_TOTAL = "no control total of these months is given"


@dataclass(frozen=True)
class Control(Summarised):
    """A measure of ``gl_totals`` and the sum of our tables that should be the same: of a column of a metric's rows, or of a table."""

    measure: str
    name: str
    table: str
    metric: str = ""
    column: str = ""


CONTROLS = (
    Control(
        "after_sales_cost", "After-sales cost", table="ledger", metric="after_sales_cost", column="amount"
    ),
    Control("revenue", "Revenue", table="orders", metric="revenue", column="revenue"),
    Control("warranty_provision_closing", "Warranty provision, closing", table="provision", column="closing"),
)


@dataclass(frozen=True, kw_only=True)
class ControlTotals(Summarised):
    """One measure: the control total of each month and our sum less it."""

    measure: str
    name: Text
    total: dict[Month, Fact]
    difference: dict[Month, Fact]

    @property
    def off(self) -> tuple[Month, ...]:
        return tuple(month for month, gap in self.difference.items() if gap.value)


def control_totals(inputs: StudyInputs) -> tuple[ControlTotals, ...] | NotDone:
    """The measures for which both sides are given, over the last thirteen months; not done where there is none.

    Raises
    ------
    MissingData
        Without control totals nothing can be compared.
    """
    inputs.engine.require("gl_totals")
    present = inputs.engine.tables.tables
    found = [_compared(inputs, control) for control in CONTROLS if present[control.table].rows]
    return tuple(one for one in found if one.total) or NotDone(reason=Text.of(NO_TOTAL))


def _compared(inputs: StudyInputs, control: Control) -> ControlTotals:
    place: dict[str, Any] = {"measure": control.measure}
    totals, differences = {}, {}
    for month in months_between(inputs.month - (MONTHS - 1), inputs.month):
        total = inputs.engine.fact("control_total", period=month, dimensions=place)
        if total.value is None:
            continue
        stated = Stating(inputs=inputs, period=month)
        totals[month] = total
        differences[month] = stated.derived(
            "control_difference", _own_total(stated, control, month), total, **place
        )
    return ControlTotals(
        measure=control.measure, name=Text.of(control.name), total=totals, difference=differences
    )


def _own_total(stated: Stating, control: Control, month: Month) -> Fact:
    """Our sum of the month; without a row it is nothing, and the difference says so."""
    rows = _own_rows(stated.inputs, control, month)
    return stated.measured("own_total", rows, measure=control.measure)


def _own_rows(inputs: StudyInputs, control: Control, month: Month) -> Selection:
    engine = inputs.engine
    if control.metric:
        found = engine.rows_behind(engine.registry[control.metric], Period.of(month), {})
        assert found is not None  # a metric of measures has rows
        return views.own_amounts(found.numerator, control.column)
    source = views.rows_where(quoted(control.table), views.in_months(month, month))
    return views.own_amounts(source, control.column)
