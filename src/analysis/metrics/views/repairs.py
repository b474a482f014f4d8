"""Repeat repair: a machine that came back, and the repair that did not hold; rework, and whose work it repeats."""

from __future__ import annotations

from analysis.locale import Text
from analysis.metrics.views.days import business_day
from analysis.metrics.views.view import Column, View

_END = "r.resolved_at + INTERVAL ($repeat_repair_days) DAY"

repair_outcomes = View(
    name="repair_outcomes",
    sql=f"""
WITH repairs AS (
  SELECT ticket_id, month, serial_no, customer_id, is_rework, opened_at, opened_on, resolved_at, resolved_on
  FROM service_orders WHERE ticket_type = 'repair' AND serial_no IS NOT NULL
), pairs AS (
  -- half-open, as all periods: another repair opened at the resolution counts, one opened when the days are over does not.
  -- An order opened while this one was open is the same visit. Any later repair counts, not only the next that was opened.
  SELECT r.ticket_id, a.ticket_id AS again_id, a.opened_at AS again_at FROM repairs r
  JOIN repairs a ON a.serial_no = r.serial_no AND a.ticket_id <> r.ticket_id AND a.opened_at >= r.resolved_at AND a.opened_at < {_END}
), followed AS (
  SELECT ticket_id, min(again_at) AS next_opened_at FROM pairs GROUP BY 1
), returned AS (
  SELECT DISTINCT again_id FROM pairs
)
SELECT r.*, {_END} AS window_ends_at, {business_day(_END)} AS window_ends_on, f.next_opened_at,
       f.ticket_id IS NOT NULL AS repeated, b.again_id IS NOT NULL AS is_repeat
FROM repairs r LEFT JOIN followed f ON f.ticket_id = r.ticket_id LEFT JOIN returned b ON b.again_id = r.ticket_id
""",
    table="tickets",
    stands_for=("tickets",),
    kept=True,
    grain=Text.of("one row per repair of a machine with a serial number"),
    columns=(
        Column("ticket_id", "the repair"),
        Column("month", "first day of the business month it was opened in"),
        Column("serial_no", "the machine"),
        Column("customer_id", "who asked"),
        Column("is_rework", "recorded as rework; rework is a repair like any other"),
        Column("opened_at", "when it was opened", "UTC instant"),
        Column("opened_on", "business day of opening", "day"),
        Column("resolved_at", "when it was resolved; empty while open", "UTC instant"),
        Column("resolved_on", "business day of the resolution", "day"),
        Column("window_ends_at", "until when another repair is a repeat (exclusive)", "UTC instant"),
        Column("window_ends_on", "business day on which the follow-up is complete", "day"),
        Column("next_opened_at", "the first repeat, where there is one", "UTC instant"),
        Column("repeated", "this repair did not hold: another of the machine was opened within the days"),
        Column("is_repeat", "this repair is such another one"),
    ),
)

rework_origins = View(
    name="rework_origins",
    sql="""
WITH again AS (
  SELECT o.ticket_id, o.serial_no, o.opened_at, t.parent_ticket_id FROM service_orders o JOIN tickets t ON t.ticket_id = o.ticket_id WHERE o.is_rework
), earlier AS (
  SELECT a.ticket_id, r.ticket_id AS failed_id, r.team, row_number() OVER (PARTITION BY a.ticket_id ORDER BY r.resolved_at DESC, r.ticket_id DESC) AS nth
  FROM again a JOIN service_orders r ON r.serial_no = a.serial_no AND r.ticket_id <> a.ticket_id AND r.resolved_at <= a.opened_at WHERE r.ticket_type = 'repair'
)
-- the order that the desk names, else the last repair of the machine that was done when this one was opened
SELECT a.ticket_id, coalesce(p.ticket_id, e.failed_id) AS failed_id, CASE WHEN p.ticket_id IS NULL THEN e.team ELSE p.team END AS failed_team
FROM again a LEFT JOIN service_orders p ON p.ticket_id = a.parent_ticket_id LEFT JOIN earlier e ON e.ticket_id = a.ticket_id AND e.nth = 1
""",
    table="tickets",
    stands_for=("tickets",),
    kept=True,
    grain=Text.of("one row per service order that repeats work which did not hold"),
    columns=(
        Column("ticket_id", "the order that repeats it"),
        Column("failed_id", "the order whose work did not hold; empty where none is known"),
        Column("failed_team", "the team that did that work"),
    ),
)
