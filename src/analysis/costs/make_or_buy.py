"""In-house against outsourced: full cost of a ticket of each, where they break even, and what volume swings do."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from analysis.costs.sourcing import (
    BreakEven,
    CostLine,
    break_even_volume,
    cost_line_from_history,
    sourcing_sensitivity,
)
from analysis.errors import AnalysisError, MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.metrics.backend import literal
from analysis.results import Fact, Interval

MONTHS = 24
SWINGS = (-0.3, -0.15, 0.0, 0.15, 0.3)


@dataclass(frozen=True, kw_only=True, eq=False)
class Sourcing:
    """Both options over the last months; ``swings``: one row per swing of the in-house volume (swing, in-house, outsourced, difference)."""

    components: tuple[tuple[Text, Fact, Fact, Fact, Fact], ...]  # name, in-house cost, per ticket, outsourced cost, per ticket
    break_even: Fact
    even: BreakEven
    usual: Fact
    swings: tuple[tuple[Fact, Fact, Fact, Fact], ...]


def sourcing_of(inputs: StudyInputs) -> Sourcing | MissingData:
    """Repairs and other field work done by own teams and by partners; own cost includes unused hours, both include parts of their rework."""
    engine, month = inputs.engine, inputs.month
    span = Period(month - (MONTHS - 1), month)
    try:
        frame = engine.query(_MONTHS.format(first=literal(span.first.start), end=literal(span.last.end)), needs=("staff.sourcing", "staff.team", "tickets.team", "staff.cost"))
    except MissingData as missing:
        return missing
    table = frame.pivot_table(index="month", columns="sourcing", values=["tickets", "cost", "idle"], aggfunc="sum").dropna()
    if ("cost", "outsourced") not in table.columns or ("cost", "in_house") not in table.columns or len(table) < 12:
        return MissingData("staff.sourcing", message="not computed: needs a year of in-house and outsourced teams")
    lines: dict[str, CostLine] = {}
    try:
        for option in ("in_house", "outsourced"):
            months = table.index
            lines[option] = cost_line_from_history(table[("cost", option)].set_axis(months), table[("tickets", option)].set_axis(months))
        even = break_even_volume(lines["in_house"], lines["outsourced"], confidence=inputs.confidence)
    except AnalysisError as error:
        return MissingData("staff.sourcing", message=f"not computed: {error}")
    usual = float(table[("tickets", "in_house")].tail(12).mean())
    reason = None if even.tickets is not None else Text(en=f"not computed: {even.reason}", zh="无平衡点：一种方式在任何业务量下都更便宜")

    def fact(metric: str, value: Any, *, interval: Interval | None = None, why: Text | None = None, **place: str) -> Fact:
        return engine.stated(metric, period=str(span), value=value, dimensions=place, sources=("staff", "ledger", "tickets"), interval=interval, reason=why, n=len(table) if interval else None)

    components = []
    last = table.tail(12)
    tickets = {option: float(last[("tickets", option)].sum()) for option in lines}
    for key, name in (("cost", Text(en="Full cost", zh="全成本")), ("idle", Text(en="of which paid but unused hours", zh="其中：付薪未用工时"))):
        pair: list[Fact] = []
        for option in ("in_house", "outsourced"):
            amount = float(last[(key, option)].sum())
            pair += [fact("sourcing_cost", Decimal(str(round(amount, 2))), sourcing=option, component=key), fact("sourcing_cost_per_ticket", Decimal(str(round(amount / tickets[option], 2))), sourcing=option, component=key)]
        components.append((name, *pair))
    swings = []
    for row in sourcing_sensitivity(lines["in_house"], lines["outsourced"], tickets=usual, swings=SWINGS).to_dict("records"):
        key = f"{row['swing']:+.0%}"
        money = {name: Decimal(str(round(row[name], 2))) for name in ("in_house", "outsourced", "difference")}
        reach = 1.96 * row["standard_error"]
        gap = Interval(low=row["difference"] - reach, high=row["difference"] + reach, level=inputs.confidence, method="cost lines by least squares, Newey-West")
        swings.append((
            fact("volume_swing", row["swing"], swing=key), fact("sourcing_month_cost", money["in_house"], sourcing="in_house", swing=key),
            fact("sourcing_month_cost", money["outsourced"], sourcing="outsourced", swing=key), fact("sourcing_difference", money["difference"], interval=gap, swing=key),
        ))
    return Sourcing(
        components=tuple(components), break_even=fact("break_even_tickets", even.tickets, interval=even.interval, why=reason), even=even,
        usual=fact("in_house_tickets", usual), swings=tuple(swings),
    )


_MONTHS = """
WITH teams AS (SELECT DISTINCT team, coalesce(sourcing, 'in_house') AS sourcing FROM workforce WHERE team IS NOT NULL),
field AS (SELECT DISTINCT w.team FROM service w JOIN teams USING (team) GROUP BY w.team HAVING count(*) FILTER (WHERE ticket_type = 'repair') > 0.3 * count(*)),
work AS (SELECT s.month, t.sourcing, count(*) AS tickets FROM service s JOIN teams t USING (team) WHERE s.team IN (FROM field) GROUP BY 1, 2),
pay AS (
    SELECT month, 'in_house' AS sourcing, sum(cost) AS cost, sum(cost * (1 - hours_worked / hours_paid)) AS idle FROM workforce
    WHERE coalesce(sourcing, 'in_house') = 'in_house' AND team IN (FROM field) AND hours_paid > 0 GROUP BY 1
    UNION ALL
    SELECT month, 'outsourced', sum(amount), 0 FROM cost WHERE category = 'outsourcing' AND posting_basis IN ('incurred', 'recovery') GROUP BY 1
)
SELECT strftime(work.month, '%Y-%m') AS month, work.sourcing, work.tickets::DOUBLE AS tickets, pay.cost::DOUBLE AS cost, pay.idle::DOUBLE AS idle
FROM work JOIN pay USING (month, sourcing) WHERE work.month >= {first} AND work.month < {end} ORDER BY 1, 2
"""
