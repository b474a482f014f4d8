"""Tables that need no joining: staff, control totals and budget, under the names the metrics use."""

from __future__ import annotations

from analysis.locale import Text
from analysis.metrics.views.view import View

workforce = View(
    name="workforce",
    sql="SELECT * FROM staff",
    table="staff",
    stands_for=("staff",),
    grain=Text.of("one row per agent and month"),
)
control_totals = View(
    name="control_totals",
    sql="SELECT * FROM gl_totals",
    table="gl_totals",
    stands_for=("gl_totals",),
    grain=Text.of("one row per control total"),
)
budgets = View(
    name="budgets",
    sql="SELECT * FROM budget",
    table="budget",
    stands_for=("budget",),
    grain=Text.of("one row per budget line"),
)
provisions = View(
    name="provisions",
    sql="SELECT month, product_line, opening, accrued, utilised, coalesce(adjusted, 0)::DECIMAL(18, 2) AS adjusted, closing FROM provision",
    table="provision",
    grain=Text.of("one row per product line and month"),
)
