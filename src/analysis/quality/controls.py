"""Control totals of the general ledger beside the same sums of our tables, month by month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from analysis.locale import Text
from analysis.metrics import StudyInputs
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.periods import Month, months_between
from analysis.results import Check, Fact, Sentence
from analysis.summaries import Summarised

MONTHS = 13


@dataclass(frozen=True)
class Control(Summarised):
    """A measure of ``gl_totals`` and the sum of our tables that should be the same."""

    measure: str
    name: Text
    table: str
    sum: str


CONTROLS = (
    Control(
        "after_sales_cost",
        Text(en="After-sales cost", zh="售后成本"),
        "ledger",
        "SELECT month, sum(amount) AS ours FROM cost WHERE posting_basis IN ('incurred', 'recovery') GROUP BY month",
    ),
    Control(
        "revenue",
        Text(en="Revenue", zh="收入"),
        "orders",
        "SELECT month, sum(revenue) AS ours FROM sales GROUP BY month",
    ),
    Control(
        "warranty_provision_closing",
        Text(en="Warranty provision, closing", zh="质保准备金期末余额"),
        "provision",
        "SELECT month, sum(closing) AS ours FROM provision GROUP BY month",
    ),
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


@traced
def control_totals(inputs: StudyInputs) -> tuple[ControlTotals, ...]:
    """The measures for which both sides are given, over the last thirteen months."""
    present = inputs.engine.tables.tables
    if not present["gl_totals"].rows:
        return ()
    found = [_compared(inputs, control) for control in CONTROLS if present[control.table].rows]
    return tuple(one for one in found if one.total)


def control_checks(totals: Sequence[ControlTotals]) -> list[Check]:
    """A measure whose months do not all agree is a failed check; whether the pack may be signed is judged by the cost section."""
    checks = []
    for one in totals:
        place = {"measure": one.name}
        if one.off:
            last = max(one.off)
            sentence = Sentence(
                "{measure} differs from the general ledger by {difference:exact} in {month}.",
                {**place, "difference": one.difference[last], "month": last},
            )
        else:
            sentence = Sentence(
                "{measure} agrees with the general ledger to the cent in every month shown.", place
            )
        checks.append(
            Check(id=f"control_{one.measure}", outcome="failed" if one.off else "passed", sentence=sentence)
        )
    return checks


@traced
def _compared(inputs: StudyInputs, control: Control) -> ControlTotals:
    first = inputs.month - (MONTHS - 1)
    frame = inputs.engine.query(
        f"SELECT gl.month, gl.total, own.ours FROM (SELECT month, coalesce(sum(amount) FILTER (account = 'all'), sum(amount)) AS total FROM control_totals "
        f"WHERE measure = {literal(control.measure)} GROUP BY month) AS gl LEFT JOIN ({control.sum}) AS own ON own.month = gl.month ORDER BY gl.month"
    )
    lines = {Month.parse(line["month"]): line for line in frame.to_dict(orient="records")}
    totals, differences = {}, {}
    place = {"measure": control.measure}
    for month in months_between(first, inputs.month):
        if month in lines:
            total, ours = lines[month]["total"], lines[month]["ours"]
            gap = (Decimal(0) if ours is None or ours != ours else Decimal(ours)) - Decimal(total)
            totals[month] = inputs.engine.stated(
                "control_total", period=month, value=Decimal(total), dimensions=place
            )
            differences[month] = inputs.engine.stated(
                "control_difference", period=month, value=gap, dimensions=place
            )
    return ControlTotals(measure=control.measure, name=control.name, total=totals, difference=differences)
