"""Whether machines that are overdue for planned service fail more often: their time in the field, split at each service and where the next one was due.

A service is an order of maintenance that names no component. It is due by use where meters say that services come by use, else by days where they come by
the calendar; of models whose services come by neither nothing is said. Time is overdue from a fifth beyond what is usual until the next service, and in order
up to what is usual; what lies between is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.failures import views
from analysis.failures.field import Field
from analysis.failures.services_due import NEAR, ServiceInterval, interval_of_model, services, standing
from analysis.failures.use import Meters
from analysis.locale import Text
from analysis.metrics import NotDone, traced
from analysis.metrics.backend import literal
from analysis.metrics.steady import exact_sum
from analysis.metrics.views import at
from analysis.metrics.views.selection import study_view
from analysis.summaries import Summarised

AGES = (0, 12, 36, 72)
"""First months in service of the bands within which overdue time is compared with time in order."""
NEITHER = NotDone(reason=Text.of("planned services come neither by use nor by the calendar"))
NONE_OVERDUE = NotDone(reason=Text.of("no machine was overdue for a planned service"))


@dataclass(frozen=True, kw_only=True, eq=False)
class ServiceTime(Summarised):
    """The time between services of the machines of a field.

    meters : where services come by use; None where by the calendar
    intervals : by model, what is usual between two services, in use or in days
    """

    field: Field
    meters: Meters | None
    intervals: Mapping[str, ServiceInterval]

    @classmethod
    def of(cls, field: Field, meters: Meters | NotDone) -> ServiceTime | NotDone:
        """By use before the calendar; not done where services come by neither."""
        if not isinstance(meters, NotDone):
            found = _intervals(field, services(meters), standing(meters))
            if found:
                return cls(field=field, meters=meters, intervals=found)
        by_day = _intervals(field, services_by_day(field), standing_by_day(field))
        return cls(field=field, meters=None, intervals=by_day) if by_day else NEITHER

    @property
    def unit(self) -> str:
        """What exposure is counted in."""
        return "days" if self.meters is None else "use"

    @study_view
    def stays(self) -> str:
        """Each machine's time from one service to the next (or to the end of what is known), with the days on which the next one was due (``due_on``) and
        from which it was overdue (``overdue_on``), empty where that was never.

        A machine that came within the window begins as if served; of an older one nothing is known before its first service.
        """
        first, end = literal(self.field.first.start), literal(self.field.last.end)
        usual = views.values_table(
            "usual", ["model", "usual"], [(name, one.median) for name, one in self.intervals.items()]
        )
        return f"""WITH {usual},
own AS (SELECT m.*, u.usual FROM {at("machines", self.field.last.end)} m JOIN usual u ON u.model = m.model WHERE m.in_field),
marks AS (
SELECT DISTINCT o.serial_no, o.opened_on AS served_on FROM service_orders o
WHERE o.ticket_type = 'maintenance' AND o.component IS NULL AND o.opened_on < {end}
UNION SELECT serial_no, started FROM own WHERE started >= {first}),
spans AS (
SELECT m.serial_no, m.model, m.product_line, m.region, m.started, m.usual, k.served_on,
       least(coalesce(lead(k.served_on) OVER (PARTITION BY k.serial_no ORDER BY k.served_on), m.ended), m.ended) AS until
FROM marks k JOIN own m ON m.serial_no = k.serial_no WHERE k.served_on >= m.started)
{self._dated} WHERE s.until > s.served_on"""

    @property
    def _dated(self) -> str:
        if self.meters is not None:
            passed = [
                f"LEFT JOIN ({self._passed(share)}) {name} ON {name}.serial_no = s.serial_no AND {name}.served_on = s.served_on"
                for name, share in (("d", 1.0), ("o", 1 + NEAR))
            ]
            return f"SELECT s.* EXCLUDE (usual), d.passed_on AS due_on, o.passed_on AS overdue_on FROM spans s {' '.join(passed)}"
        after = "CAST(s.served_on + CAST(ceil(s.usual * {share}) AS INTEGER) AS DATE)"
        return f"SELECT s.* EXCLUDE (usual), {after.format(share=1.0)} AS due_on, {after.format(share=1 + NEAR)} AS overdue_on FROM spans s"

    def _passed(self, share: float) -> str:
        """By use: the day on which the meter passes what it read at the service by a share of what is usual."""
        assert self.meters is not None
        stretches = self.meters.stretches
        at_service = (
            "s.read_at_begin + s.ran * CAST(date_diff('day', s.begins, k.served_on) AS DOUBLE) / s.days"
        )
        return f"""
SELECT r.serial_no, r.served_on, CAST(n.begins + CAST(ceil(n.days * (r.reading - n.read_at_begin) / n.ran) AS INTEGER) AS DATE) AS passed_on
FROM (SELECT k.serial_no, k.served_on, {at_service} + k.usual * {share} AS reading FROM spans k JOIN {stretches} s
      ON s.serial_no = k.serial_no AND k.served_on >= s.begins AND k.served_on < s.ends) r
JOIN {stretches} n ON n.serial_no = r.serial_no AND r.reading >= n.read_at_begin AND r.reading < n.read_at_begin + n.ran"""

    @study_view
    def pieces(self) -> str:
        """The same within the window, in order or ``overdue``, cut at the calendar months: ``begins``, ``ends``, ``age_months``."""
        first, end = literal(self.field.first.start), literal(self.field.last.end)
        return f"""WITH stays AS ({self.stays()}),
cut AS (
SELECT * EXCLUDE (due_on, until), served_on AS starts, least(coalesce(due_on, until), until) AS stops, FALSE AS overdue FROM stays
UNION ALL SELECT * EXCLUDE (due_on, until), overdue_on, until, TRUE FROM stays WHERE overdue_on < until),
months AS (SELECT CAST(unnest(generate_series({first}, {end} - INTERVAL 1 DAY, INTERVAL 1 MONTH)) AS DATE) AS month)
SELECT c.serial_no, c.model, c.product_line, c.region, c.served_on, c.overdue_on, c.overdue, greatest(c.starts, month) AS begins,
       least(c.stops, CAST(month + INTERVAL 1 MONTH AS DATE)) AS ends, date_diff('month', c.started, month) AS age_months
FROM cut c JOIN months ON month < c.stops AND month + INTERVAL 1 MONTH > c.starts"""

    @traced
    def compared(self) -> pd.DataFrame:
        """One row per model, place of comparison (``product_line``: line, region and band of age) and whether overdue: ``failures`` and exposure (``expected``), ``days``."""
        band = (
            "CASE "
            + " ".join(f"WHEN age_months >= {age} THEN {age}" for age in reversed(AGES))
            + " ELSE 0 END"
        )
        place = f"product_line || '|' || region || '|' || CAST({band} AS VARCHAR)"
        return self.field.inputs.engine.query(
            f"""WITH pieces AS (SELECT *, {place} AS place, date_diff('day', begins, ends) AS days FROM ({self.pieces()})),
exposed AS ({self._exposed}),
failed AS (SELECT f.serial_no, f.event_on FROM ({self.field.rows()}) f)
SELECT model, place AS product_line, overdue, {exact_sum("exposure")} AS expected, CAST(sum(days) AS DOUBLE) AS days,
       CAST(sum(failures) AS DOUBLE) AS failures
FROM (SELECT p.model, p.place, p.overdue, p.exposure, p.days,
             (SELECT count(*) FROM failed f WHERE f.serial_no = p.serial_no AND f.event_on >= p.begins AND f.event_on < p.ends) AS failures FROM exposed p)
GROUP BY ALL ORDER BY ALL"""
        )

    @property
    def _exposed(self) -> str:
        """Pieces with their exposure: days, or use (of what is not read, none)."""
        if self.meters is None:
            return "SELECT *, CAST(days AS DOUBLE) AS exposure FROM pieces"
        inside = "date_diff('day', greatest(p.begins, r.begins), least(p.ends, r.ends))"
        return f"""SELECT p.serial_no, p.model, p.place, p.overdue, greatest(p.begins, r.begins) AS begins, least(p.ends, r.ends) AS ends, {inside} AS days,
       CAST(r.ran AS DOUBLE) * {inside} / r.days AS exposure
FROM pieces p JOIN {self.meters.stretches} r ON r.serial_no = p.serial_no AND r.begins < p.ends AND r.ends > p.begins"""

    @traced
    def overdue_failures(self) -> pd.DataFrame:
        """The failures of machines that were overdue, with the service before and the day from which they were."""
        return self.field.inputs.engine.query(
            f"SELECT f.ticket_id, f.serial_no, p.model, p.region, f.component, p.served_on, p.overdue_on AS overdue_from, f.event_on AS failed_on FROM ({self.field.rows()}) f "
            f"JOIN ({self.pieces()}) p ON p.serial_no = f.serial_no AND f.event_on >= p.begins AND f.event_on < p.ends WHERE p.overdue ORDER BY f.event_on, f.ticket_id"
        )


@traced
def services_by_day(field: Field) -> pd.DataFrame:
    """Planned services, one a machine and day; ``use`` is the day as a number."""
    end = literal(field.last.end)
    return field.inputs.engine.query(
        f"SELECT DISTINCT o.serial_no, m.model, m.region, o.opened_on AS serviced_on, CAST(date_diff('day', DATE '1970-01-01', o.opened_on) AS DOUBLE) AS use "
        f"FROM service_orders o JOIN {at('machines', field.last.end)} m ON m.serial_no = o.serial_no "
        f"WHERE o.ticket_type = 'maintenance' AND o.component IS NULL AND o.opened_on < {end} ORDER BY 1, 4"
    )


@traced
def standing_by_day(field: Field) -> pd.DataFrame:
    """Machines of the field with the day until which they were in it, as a number (``reading``)."""
    return field.inputs.engine.query(
        f"SELECT serial_no, model, CAST(date_diff('day', DATE '1970-01-01', ended) AS DOUBLE) AS reading FROM {at('machines', field.last.end)} WHERE in_field ORDER BY 1"
    )


def _intervals(field: Field, done: pd.DataFrame, now: pd.DataFrame) -> dict[str, ServiceInterval]:
    """By model what is usual between two services, of those whose services come by it."""
    found = {
        str(model): interval_of_model(str(model), part, now, level=field.inputs.confidence)
        for model, part in done.groupby("model", sort=True)
    }
    return {name: one for name, one in found.items() if not isinstance(one, NotDone)}
