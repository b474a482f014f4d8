"""Meters: what was read of each machine on which day, and how far it ran between two readings."""

from __future__ import annotations

from analysis.locale import Text
from analysis.metrics.views.days import business_day
from analysis.metrics.views.view import Column, View

#: Share of a machine's readings that run backwards, from which the machine is left out: its meter was changed, or other machines' readings stand with it.
LEFT_OUT_FROM = 0.2
#: A first reading that took so many times the later pace was not run up since the machine came: it came with hours on its meter.
NOT_FROM_NEW = 3

_RUNS_BACK = "a.serial_no = b.serial_no AND (b.day < a.day AND b.reading > a.reading OR b.day > a.day AND b.reading < a.reading)"

meter_readings = View(
    name="meter_readings",
    sql=f"""
WITH said AS (
  SELECT serial_no, {business_day("opened_at")} AS day, usage AS reading FROM tickets WHERE usage IS NOT NULL AND serial_no IS NOT NULL
  -- the meter of a machine that left is read when it comes back: it ran no more after its last day
  UNION ALL SELECT serial_no, least(usage_as_of, coalesce(retired_on, usage_as_of)), usage FROM units WHERE usage IS NOT NULL AND usage_as_of IS NOT NULL
), placed AS (
  SELECT s.serial_no, s.day, max(s.reading) AS reading FROM said s JOIN machines_at_$tag m ON m.serial_no = s.serial_no
  WHERE s.day >= m.started AND s.day < $cutoff GROUP BY 1, 2
), against AS (
  SELECT a.serial_no, a.day, count(*) AS others FROM placed a JOIN placed b ON {_RUNS_BACK} GROUP BY 1, 2
), weighed AS (
  SELECT p.*, coalesce(g.others, 0) AS others FROM placed p LEFT JOIN against g ON g.serial_no = p.serial_no AND g.day = p.day
), wrong AS (
  -- of two readings that contradict each other, the one that contradicts more of the rest is doubted, and both where neither does
  SELECT DISTINCT a.serial_no, a.day FROM weighed a JOIN weighed b ON {_RUNS_BACK} AND b.others <= a.others
), judged AS (
  SELECT w.serial_no, w.day, w.reading, x.day IS NOT NULL AS doubted,
         avg(CASE WHEN x.day IS NOT NULL THEN 1.0 ELSE 0.0 END) OVER (PARTITION BY w.serial_no) >= {LEFT_OUT_FROM} AS left_out
  FROM weighed w LEFT JOIN wrong x ON x.serial_no = w.serial_no AND x.day = w.day
), ends AS (
  SELECT serial_no, min(day) AS first_day, min(reading) AS first_reading, max(day) AS last_day, max(reading) AS last_reading
  FROM judged WHERE NOT doubted AND NOT left_out GROUP BY 1
)
SELECT serial_no, day, reading, FALSE AS assumed, doubted, left_out FROM judged
UNION ALL
SELECT e.serial_no, m.started, 0.0, TRUE, FALSE, FALSE FROM ends e JOIN machines_at_$tag m ON m.serial_no = e.serial_no
WHERE e.last_day = e.first_day OR e.first_reading * date_diff('day', e.first_day, e.last_day)
      <= {NOT_FROM_NEW} * (e.last_reading - e.first_reading) * (date_diff('day', m.started, e.first_day) + 1)
""",
    table="tickets",
    whole=("units", "products"),
    kept=True,
    grain=Text.of("one row per machine and day on which its meter was read"),
    columns=(
        Column("serial_no", "the machine"),
        Column("day", "business day of the reading", "day"),
        Column("reading", "what the meter read; of several on a day the highest", "use"),
        Column(
            "assumed",
            "nobody read it: zero on the first day in the field, unless the first reading cannot have been run up since",
        ),
        Column("doubted", "runs backwards against more of the machine's other readings than those do"),
        Column("left_out", "so many readings of the machine are doubted that it has no use at all"),
    ),
)

use_stretches = View(
    name="use_stretches",
    sql="""
WITH marks AS (
  -- what was read on a day stands for its end: a month that is closed by a reading of its last day is known whole
  SELECT serial_no, CASE WHEN assumed THEN day ELSE CAST(day + INTERVAL 1 DAY AS DATE) END AS mark, reading
  FROM meter_readings_at_$tag WHERE NOT doubted AND NOT left_out
), read AS (
  SELECT serial_no, mark AS begins, lead(mark) OVER (PARTITION BY serial_no ORDER BY mark) AS ends,
         reading AS read_at_begin, lead(reading) OVER (PARTITION BY serial_no ORDER BY mark) - reading AS ran
  FROM marks
)
SELECT r.serial_no, r.begins, r.ends, date_diff('day', r.begins, r.ends) AS days, r.read_at_begin, r.ran,
       m.model, m.product_line, m.batch, m.supplier, m.plant, m.region, m.produced_month, m.started, m.ended
FROM read r JOIN machines_at_$tag m ON m.serial_no = r.serial_no WHERE r.ends IS NOT NULL
""",
    table="tickets",
    whole=("units", "products"),
    kept=True,
    grain=Text.of("one row per machine and stretch between two readings that follow each other"),
    columns=(
        Column("serial_no", "the machine"),
        Column(
            "begins",
            "day after the first reading; the first day in the field for the zero of a new machine",
            "day",
        ),
        Column("ends", "day after the next one, not in the stretch", "day"),
        Column("days", "days between", "days"),
        Column("read_at_begin", "what the meter read when the stretch begins", "use"),
        Column("ran", "what it ran until the next; within the stretch evenly", "use"),
        Column("model", "model, else product"),
        Column("product_line", "product line"),
        Column("batch", "production batch"),
        Column("supplier", "supplier of the key component"),
        Column("plant", "plant"),
        Column("region", "region"),
        Column("produced_month", "month of production"),
        Column("started", "first day in the field", "day"),
        Column("ended", "first day that is not exposure", "day"),
    ),
)
