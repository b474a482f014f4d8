"""Rows of what comes back: every resolved order whose days of follow-up are over, who did the work, and whether it came back.

Three ways, each a quantity of its own: the order was opened again; the work was done again (rework of the order; where a company records no rework,
another repair of the same machine at the same component); the customer complained about it. An order that names the one before it is taken at its
word; where it names none, it follows the machine's last repair (:data:`~analysis.metrics.views.repairs.rework_origins`), else the customer's last
resolved order of that type (a complaint: the last resolved order), and that one only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from analysis.costs.comebacks import Way
from analysis.errors import NothingToCount
from analysis.metrics import StudyInputs, traced
from analysis.metrics.backend import literal
from analysis.metrics.steady import exact_sum
from analysis.metrics.views.days import business_day, business_hour
from analysis.metrics.views.selection import Selection, study_view
from analysis.periods import Month, Period
from analysis.summaries import Summarised

MONTHS = 24
GROUPS = ("team", "supplier", "automated", "sourcing", "shift", "region")
WAYS = ("reopened", "repeated", "complained")
RECORDED = ("tickets.rework", "tickets.parent_ticket_id")
# What tells that an order came back that way; any of it is enough.
TOLD_BY = {
    "reopened": ("tickets.reopened",),
    "repeated": (*RECORDED, "tickets.serial_no"),
    "complained": ("tickets.customer_id", "tickets.parent_ticket_id"),
}


@dataclass(frozen=True, kw_only=True)
class Followed(Summarised):
    """The orders of the last months that were followed long enough.

    Attributes
    ----------
    inputs : the run
    period : months of resolution, up to the last whose days of follow-up are over
    """

    inputs: StudyInputs
    period: Period

    @classmethod
    def of(cls, inputs: StudyInputs) -> Followed:
        last = last_followed(inputs)
        return cls(inputs=inputs, period=Period(last - (MONTHS - 1), last))

    @cached_property
    def table(self) -> str:
        """The name of the table of orders, computed once."""
        return self.inputs.engine.materialise("comebacks", outcomes(self.inputs, self.period).sql)

    @cached_property
    def ways(self) -> tuple[str, ...]:
        """The ways that are recorded and ever happened."""
        tables = self.inputs.engine.tables
        told = [way for way in WAYS if any(tables.has(column) for column in TOLD_BY[way])]
        if not told:
            return ()
        seen = ", ".join(f"coalesce(sum(CASE WHEN {way} THEN 1 ELSE 0 END), 0) AS {way}" for way in told)
        counts = self.inputs.engine.query(f"SELECT {seen} FROM {self.table}").iloc[0]
        return tuple(way for way in told if counts[way] > 0)

    def of_way(self, way: str, *conditions: str) -> Selection:
        """The orders that could come back so: those of a type of which any did."""
        rows = (
            f"SELECT *, {way} AS came_back, {literal(way)} AS way FROM {self.table} WHERE {way} IS NOT NULL"
        )
        types = f"SELECT ticket_type FROM {self.table} WHERE {way}"
        return Selection("analysis.costs.comebacks_rows.outcomes", rows).where(
            f"ticket_type IN ({types})", *conditions
        )


def anything_returns(inputs: StudyInputs) -> bool:
    """Whether any order that was followed to its end is recorded as having come back."""
    return inputs.engine.tables.has("tickets.resolved_at") and bool(Followed.of(inputs).ways)


def last_followed(inputs: StudyInputs) -> Month:
    """The last month whose resolved orders all have their days of follow-up behind them, by the end of the reported month."""
    days = inputs.engine.rules.repeat_repair_days
    return next(
        month
        for month in (inputs.month - back for back in range(1, 100))
        if (inputs.month.end - month.end).days >= days
    )


@study_view
def outcomes(inputs: StudyInputs, span: Period) -> str:
    """Every order resolved in the span with who did it, its stratum, and by way whether it came back and by which order."""
    zone = literal(inputs.engine.rules.time_zone)
    return _OUTCOMES.format(
        days=inputs.engine.rules.repeat_repair_days,
        hour=business_hour("s.opened_at", zone),
        resolved=business_day("s.resolved_at", zone),
        first=literal(span.first.start),
        end=literal(span.last.end),
        past=literal(inputs.month.end),
        unrecorded="FALSE" if any(inputs.engine.tables.has(name) for name in RECORDED) else "TRUE",
    )


@traced
def ways_of(followed: Followed) -> tuple[Way, ...]:
    """Cases and hits of each way by stratum and group.

    Raises
    ------
    NothingToCount
        Where nothing came back in any way that is recorded.
    """
    if not followed.ways:
        raise NothingToCount("tickets.resolved_at")
    return tuple(
        Way(name=way, table=_counted(followed, way), spread=_spread(followed, way)) for way in followed.ways
    )


def _counted(followed: Followed, way: str) -> pd.DataFrame:
    groups = ", ".join(GROUPS)
    frame = followed.inputs.engine.query(
        f"SELECT kind, stratum, {groups}, count(*) AS cases, sum(CASE WHEN came_back THEN 1 ELSE 0 END) AS hits "
        f"FROM ({followed.of_way(way)}) AS listed GROUP BY kind, stratum, {groups} ORDER BY ALL"
    )
    codes = frame["stratum"].astype(str).factorize(sort=True)[0]
    named = frame[list(GROUPS)].astype(object)
    return frame.assign(stratum=codes, **named.where(named.notna(), None))


@traced
def _spread(followed: Followed, way: str) -> float:
    """Design effect of machines, or customers where there are none: squared departures of all cases of one from the rates of their strata, against independent cases (Rao and Scott 1992)."""
    rows = followed.of_way(way)
    sums = followed.inputs.engine.query(
        f"""
WITH cases AS (SELECT coalesce(serial_no, customer_id, ticket_id) AS customer, stratum, CASE WHEN came_back THEN 1 ELSE 0 END AS hit FROM ({rows}) AS listed),
rates AS (SELECT stratum, sum(hit)::DOUBLE / count(*) AS rate, count(*) AS cases FROM cases GROUP BY 1),
customers AS (SELECT customer, {exact_sum("hit - rate")} AS off FROM cases JOIN rates USING (stratum) GROUP BY 1)
SELECT (SELECT {exact_sum("off * off")} FROM customers) AS squares, (SELECT {exact_sum("cases * rate * (1 - rate)")} FROM rates) AS alone
"""
    ).iloc[0]
    alone = float(sums["alone"])
    return max(1.0, float(sums["squares"]) / alone) if alone > 0 else 1.0


_OUTCOMES = """
WITH linked AS (
  SELECT o.failed_id AS ticket_id, a.ticket_id AS again_id, a.ticket_type AS again_type, a.opened_at AS again_at
  FROM rework_origins o JOIN service_orders a ON a.ticket_id = o.ticket_id WHERE o.failed_id IS NOT NULL
), unlinked AS (
  SELECT a.ticket_id, a.ticket_type, a.customer_id, a.opened_at FROM service_orders a LEFT JOIN linked l ON l.again_id = a.ticket_id
  WHERE (a.ticket_type = 'complaint' OR a.is_rework) AND l.again_id IS NULL AND a.customer_id IS NOT NULL
), followed AS (
  SELECT max_by(b.ticket_id, (b.resolved_at, b.ticket_id)) AS ticket_id, a.ticket_id AS again_id, a.ticket_type AS again_type, a.opened_at AS again_at
  FROM unlinked a JOIN service_orders b ON b.customer_id = a.customer_id AND b.ticket_id <> a.ticket_id
   AND b.resolved_at <= a.opened_at AND a.opened_at < b.resolved_at + INTERVAL {days} DAY
  WHERE CASE WHEN a.ticket_type = 'complaint' THEN b.ticket_type <> 'complaint' ELSE b.ticket_type = a.ticket_type END GROUP BY 2, 3, 4
), machine AS (
  SELECT r.ticket_id, a.ticket_id AS again_id, a.ticket_type AS again_type, a.opened_at AS again_at
  FROM service_orders r JOIN service_orders a ON a.serial_no = r.serial_no AND a.ticket_id <> r.ticket_id AND a.component IS NOT DISTINCT FROM r.component
  WHERE {unrecorded} AND r.ticket_type = 'repair' AND a.ticket_type = 'repair' AND a.opened_at >= r.resolved_at AND a.opened_at < r.resolved_at + INTERVAL {days} DAY
), again AS (
  SELECT * FROM linked UNION ALL SELECT * FROM followed UNION ALL SELECT * FROM machine
), came AS (
  -- the half-open days of a repeat repair count for every way
  SELECT s.ticket_id, min_by(a.again_id, (a.again_at, a.again_id)) FILTER (WHERE a.again_type = s.ticket_type) AS repeated_by,
         min_by(a.again_id, (a.again_at, a.again_id)) FILTER (WHERE a.again_type = 'complaint' AND s.ticket_type <> 'complaint') AS complained_by
  FROM service_orders s JOIN again a ON a.ticket_id = s.ticket_id AND a.again_at < s.resolved_at + INTERVAL {days} DAY GROUP BY 1
), parts AS (
  SELECT ticket_id, min(supplier) AS supplier FROM parts_used WHERE supplier IS NOT NULL GROUP BY 1 HAVING count(DISTINCT supplier) = 1
), teams AS (
  SELECT team, min(coalesce(sourcing, 'in_house')) AS sourcing FROM workforce WHERE team IS NOT NULL GROUP BY 1
  HAVING count(DISTINCT coalesce(sourcing, 'in_house')) = 1
)
SELECT s.ticket_id, s.customer_id, s.serial_no, s.ticket_type, s.component, {resolved} AS resolved_on, CAST(date_trunc('month', {resolved}) AS DATE) AS month,
       coalesce(s.activity, s.ticket_type) AS kind,
       -- the same kind of work at the same component, within the same twelve months
       concat_ws('|', s.ticket_type, coalesce(s.activity, ''), coalesce(s.component, ''), CAST(floor(datediff('month', {resolved}, {past}) / 12.0) AS INTEGER)) AS stratum,
       s.team, t.sourcing, CAST(s.automated AS VARCHAR) AS automated, p.supplier, s.region,
       CASE WHEN {hour} >= 6 AND {hour} < 14 THEN 'early' WHEN {hour} >= 14 AND {hour} < 22 THEN 'late' ELSE 'night' END AS shift,
       s.reopened > 0 AS reopened, c.repeated_by IS NOT NULL AS repeated, c.complained_by IS NOT NULL AS complained, c.repeated_by, c.complained_by
FROM service s LEFT JOIN came c ON c.ticket_id = s.ticket_id LEFT JOIN parts p ON p.ticket_id = s.ticket_id LEFT JOIN teams t ON t.team = s.team
WHERE s.resolved_at IS NOT NULL AND NOT coalesce(s.time_order_fault, FALSE) AND {resolved} >= {first} AND {resolved} < {end}
"""
