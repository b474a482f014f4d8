"""Machines: the installed base with the days between which each was in the field."""

from __future__ import annotations

from analysis.locale import Text
from analysis.metrics.views.view import NOT_STATED, Column, View

_STARTED = "coalesce(u.in_service_on, u.shipped_on)"

machines = View(
    name="machines",
    sql=f"""
WITH known AS (
  SELECT u.serial_no, u.customer_id, coalesce(p.model, u.product_id, '{NOT_STATED}') AS model, coalesce(p.product_line, '{NOT_STATED}') AS product_line,
         coalesce(u.batch, '{NOT_STATED}') AS batch, coalesce(u.supplier, '{NOT_STATED}') AS supplier, coalesce(u.plant, '{NOT_STATED}') AS plant,
         coalesce(u.region, '{NOT_STATED}') AS region, coalesce(strftime(u.produced_on, '%Y-%m'), '{NOT_STATED}') AS produced_month,
         -- exposure starts when the machine is put into service; shipment stands for it where that is not recorded
         {_STARTED} AS started, u.retired_on,
         -- the day it left is a day in the field: a machine scrapped because it failed that day did fail in the field
         CAST(u.retired_on + INTERVAL 1 DAY AS DATE) AS left_on, u.warranty_end, u.shipped_on
  FROM units u LEFT JOIN products p ON p.product_id = u.product_id
)
SELECT *, least(coalesce(left_on, $cutoff), $cutoff) AS ended,
       coalesce(started < least(coalesce(left_on, $cutoff), $cutoff), FALSE) AS in_field,
       coalesce(started < $cutoff, FALSE) AND coalesce(left_on > $cutoff, TRUE) AS still_there
FROM known
""",
    table="units",
    stands_for=("units",),
    whole=("products",),
    grain=Text.of("one row per machine shipped"),
    kept=True,
    columns=(
        Column("serial_no", "the machine"),
        Column("customer_id", "who owns it"),
        Column("model", "model, else product"),
        Column("product_line", "product line"),
        Column("batch", "production batch"),
        Column("supplier", "supplier of the key component"),
        Column("plant", "plant"),
        Column("region", "region"),
        Column("produced_month", "month of production"),
        Column("started", "first day in the field", "day"),
        Column("retired_on", "last day in the field; empty while there", "day"),
        Column("left_on", "first day that it was no longer in the field", "day"),
        Column("warranty_end", "first day without warranty", "day"),
        Column("shipped_on", "day of shipment", "day"),
        Column("ended", "first day that is not exposure: left, or the day of the view", "day"),
        Column("in_field", "in the field for at least one day before the day of the view"),
        Column("still_there", "in the field when the day of the view begins"),
    ),
)
