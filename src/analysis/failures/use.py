"""How far machines ran: use between meter readings, and breakdowns, downtime, work and cost of the machines that it is known of.

Use is known between two readings of a machine, where it is taken to run evenly, and nowhere else: nothing is said beyond the last reading.
What is divided by use is counted over the same days of the same machines.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.failures.field import Field
from analysis.failures.limits import interval_of
from analysis.locale import Text
from analysis.metrics import NotDone, Period, traced
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced_property
from analysis.metrics.steady import exact_sum
from analysis.metrics.views import at
from analysis.metrics.views.selection import study_view
from analysis.metrics.views.service import PLANNED_WORK
from analysis.periods import day_end_utc
from analysis.results import Fact, Sentence
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

DAYS_PER_MONTH = 30.4375
UNPLANNED = ("repair",)
WORK = (
    f"CASE WHEN ticket_type IN ({', '.join(map(literal, PLANNED_WORK))}) THEN 'planned' "
    f"WHEN ticket_type IN ({', '.join(map(literal, UNPLANNED))}) THEN 'unplanned' ELSE 'other' END"
)
FEW_MACHINES = Text.of("no interval: fewer than three machines")
CLUSTERED = "ratio of sums over machines, t"
_THIN = "meters cover {share} of the machine-months of {first} to {last}; {least} are needed"
_SLICED = "m.model, m.product_line, m.region"


@dataclass(frozen=True, kw_only=True, eq=False)
class Meters(Summarised):
    """The meters of one field: readings of days before ``day`` are known; facts are of the window's last twelve months where no period is said."""

    field: Field
    day: dt.date

    @classmethod
    def of(cls, field: Field) -> Meters:
        """Refuses (``MissingData``) where no meter was ever read."""
        tables = field.inputs.engine.tables
        if not tables.has("tickets.usage"):
            field.inputs.engine.require("units.usage", "units.usage_as_of")
        # the report month may be closed by a reading of a day after it; an earlier month knows none
        known = field.inputs.as_of + dt.timedelta(days=1)
        return cls(
            field=field,
            day=max(known, field.last.end) if field.last == field.inputs.month else field.last.end,
        )

    @property
    def before(self) -> Period | None:
        """The twelve months before the last twelve; None where the window does not hold them."""
        first = self.field.last - 23
        return Period(first, self.field.last - 12) if first >= self.field.first else None

    @property
    def stretches(self) -> str:
        """The dated view of the stretches between readings."""
        return at("use_stretches", self.day)

    @property
    def _spans(self) -> str:
        return f"(SELECT serial_no, min(begins) AS read_from, max(ends) AS read_until FROM {self.stretches} GROUP BY 1)"

    @property
    def _machines(self) -> str:
        return at("machines", self.field.last.end)

    @study_view
    def run(self, period: Period, where: str = "TRUE") -> str:
        """The stretches of machines that reach into a period, with the ``read_days`` of it that they cover and what was ``run`` in these."""
        first, end = literal(period.first.start), literal(period.last.end)
        inside = f"date_diff('day', greatest(begins, {first}), least(ends, {end}))"
        return (
            f"SELECT *, {inside} AS read_days, CAST(ran * {inside} AS DOUBLE) / days AS run FROM {self.stretches} "
            f"WHERE begins < {end} AND ends > {first} AND {where}"
        )

    @study_view
    def held(self, period: Period, where: str = "TRUE") -> str:
        """The machines that were in the field in a period, with their ``held_days`` of it."""
        first, end = literal(period.first.start), literal(period.last.end)
        days = f"date_diff('day', greatest(started, {first}), least(ended, {end}))"
        return (
            f"SELECT *, {days} AS held_days FROM {self._machines} "
            f"WHERE in_field AND started < {end} AND ended > {first} AND {where}"
        )

    @study_view
    def broken(self, period: Period, where: str = "TRUE") -> str:
        """The counted failures of a period that happened while the use of their machine is known."""
        first, end = literal(period.first.start), literal(period.last.end)
        broken = (
            f"SELECT f.* FROM ({self.field.rows()}) f JOIN {self._spans} s ON s.serial_no = f.serial_no "
            f"WHERE f.event_on >= s.read_from AND f.event_on < s.read_until AND f.event_on >= {first} AND f.event_on < {end}"
        )
        return f"SELECT * FROM {self._kept('use_broken', broken)} WHERE {where}"

    @study_view
    def worked(self, period: Period, where: str = "TRUE") -> str:
        """The planned and unplanned orders of a period on machines of the installed base."""
        first, end = literal(period.first.start), literal(period.last.end)
        listed = ", ".join(map(literal, (*PLANNED_WORK, *UNPLANNED)))
        return (
            f"SELECT * FROM (SELECT o.ticket_id, o.month, o.ticket_type, o.opened_on, o.component, o.handling_hours, {WORK} AS work, o.serial_no, {_SLICED} "
            f"FROM service_orders o JOIN {self._machines} m ON m.serial_no = o.serial_no "
            f"WHERE o.ticket_type IN ({listed}) AND o.opened_on >= {first} AND o.opened_on < {end}) AS done WHERE {where}"
        )

    @study_view
    def posted(self, period: Period, where: str = "TRUE") -> str:
        """The after-sales postings of a period that are traced to orders of machines; ``metered`` where the use of the machine is known on that day."""
        first, end = literal(period.first.start), literal(period.last.end)
        posted = (
            f"SELECT c.posting_id, c.month, c.posted_on, c.amount, c.category, o.ticket_id, o.ticket_type, {WORK.replace('ticket_type', 'o.ticket_type')} AS work, "
            f"o.serial_no, {_SLICED}, coalesce(c.posted_on >= s.read_from AND c.posted_on < s.read_until, FALSE) AS metered "
            f"FROM (SELECT * FROM cost WHERE ticket_id IS NOT NULL AND posting_basis IN ('incurred', 'recovery') AND month >= {first} AND month < {end}) c "
            f"JOIN service_orders o ON o.ticket_id = c.ticket_id JOIN {self._machines} m ON m.serial_no = o.serial_no "
            f"LEFT JOIN {self._spans} s ON s.serial_no = o.serial_no"
        )
        kept = self._kept("use_posted", posted, "ledger.amount", "ledger.ticket_id")
        return f"SELECT * FROM {kept} WHERE {where}"

    @study_view
    def stood(self, period: Period, where: str = "TRUE") -> str:
        """Machines of a period with their hours in the field (``held_hours``) and those that they stood broken down (``down_hours``).

        From the opening of a breakdown to its resolution; what overlaps counts once, and one that is open stands to the end of the period.
        """
        zone = self.field.inputs.params.time_zone
        begun = day_end_utc(period.first.start - dt.timedelta(days=1), zone)
        over = day_end_utc(period.last.last_day, zone)
        # a machine that left stood no longer than its last day; the clock of the end of the period stands for that of the day
        midnight = int((over - dt.datetime.combine(period.last.end, dt.time())).total_seconds())
        left = f"CAST(ended AS TIMESTAMP) + INTERVAL ({midnight}) SECOND"
        judged = self.field._judged
        stood = f"""WITH down AS (
SELECT serial_no, greatest(opened_at, {literal(begun)}) AS broke, least(coalesce(resolved_at, {literal(over)}), {left}, {literal(over)}) AS ran_again
FROM {judged} WHERE verdict IN ('counted', 'same_event') AND opened_at < {literal(over)} AND coalesce(resolved_at >= opened_at, TRUE)),
reached AS (
SELECT *, max(ran_again) OVER (PARTITION BY serial_no ORDER BY broke, ran_again ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
FROM down WHERE ran_again > broke),
lost AS (
SELECT serial_no, {exact_sum("greatest(epoch(ran_again) - epoch(greatest(broke, coalesce(before, broke))), 0) / 3600.0")} AS hours FROM reached GROUP BY 1)
SELECT h.*, CAST(h.held_days * 24 AS DOUBLE) AS held_hours, least(coalesce(l.hours, 0), CAST(h.held_days * 24 AS DOUBLE)) AS down_hours
FROM ({self.held(period)}) h LEFT JOIN lost l ON l.serial_no = h.serial_no"""
        return f"SELECT * FROM {self._kept('use_stood', stood)} WHERE {where}"

    def _kept(self, name: str, sql: str, *needs: str) -> str:
        """What is asked slice by slice is selected once."""
        return self.field.inputs.engine.materialise(name, sql, needs=needs)

    @traced
    def by_machine(self, period: Period) -> pd.DataFrame:
        """One row per machine of a period: model, line, region, ``held_days``, ``read_days`` and ``run``, for intervals by machine."""
        return self.field.inputs.engine.query(
            f"SELECT h.serial_no, h.model, h.product_line, h.region, h.held_days, CAST(coalesce(r.read_days, 0) AS DOUBLE) AS read_days, CAST(coalesce(r.run, 0) AS DOUBLE) AS run "
            f"FROM ({self.held(period)}) h LEFT JOIN (SELECT serial_no, CAST(sum(read_days) AS DOUBLE) AS read_days, {exact_sum('run')} AS run FROM ({self.run(period)}) GROUP BY 1) r "
            "ON r.serial_no = h.serial_no ORDER BY h.serial_no"
        )

    @traced
    def cost_by_machine(self, period: Period) -> pd.DataFrame:
        """One row per machine and kind of ``work``: ``amount`` traced to its orders, and ``metered`` of it while its use is known."""
        return self.field.inputs.engine.query(
            f"SELECT serial_no, work, CAST(sum(amount) AS DOUBLE) AS amount, CAST(coalesce(sum(amount) FILTER (WHERE metered), 0) AS DOUBLE) AS metered "
            f"FROM ({self.posted(period)}) GROUP BY 1, 2 ORDER BY 1, 2"
        )

    @traced_property
    def doubts(self) -> pd.DataFrame:
        """Readings that run backwards, each with whether its machine is left out: ``serial_no``, ``day``, ``reading``, ``left_out``."""
        return self.field.inputs.engine.query(
            f"SELECT serial_no, day, reading, left_out FROM {at('meter_readings', self.day)} WHERE doubted ORDER BY serial_no, day"
        )

    @study_view
    def readings(self) -> str:
        """Every reading that somebody took, one row per machine and day."""
        return f"SELECT * FROM {at('meter_readings', self.day)} WHERE NOT assumed"


@traced
def coverage(meters: Meters) -> Fact:
    """The share of machine-months of the last twelve months in which the use of the machine is known."""
    year = meters.field.year
    return meters.field.state.measured("use_coverage", meters.run(year), meters.held(year), period=year)


PRIOR_DAYS = 30
"""Days at the pace of its product line that stand beside what was read of a machine: two readings of a few days apart say little of its pace."""


@traced
def relative_use(meters: Meters, attributes: Sequence[str]) -> pd.DataFrame:
    """How far machines ran over what the machines of their product line ran in the same time, in the months of observation.

    Parameters
    ----------
    attributes : columns of machines

    Returns
    -------
    (cells, attributes + 2) DataFrame
        One row per combination of the attributes and ``product_line``, with ``relative_use``: 1.2 is a fifth more than the line. A machine whose
        meter was not read ran as its line.
    """
    names, window = ", ".join((*attributes, "product_line")), meters.field.window
    return meters.field.inputs.engine.query(
        f"""WITH read AS (
SELECT serial_no, {exact_sum("CAST(read_days AS DOUBLE)")} AS read_days, {exact_sum("run")} AS run FROM ({meters.run(window)}) GROUP BY 1),
paced AS (
SELECT h.*, coalesce(r.read_days, 0) AS read_days, coalesce(r.run, 0) AS run FROM ({meters.held(window)}) h LEFT JOIN read r ON r.serial_no = h.serial_no),
lines AS (
SELECT product_line AS line, {exact_sum("run")} / nullif({exact_sum("read_days")}, 0) AS pace FROM paced GROUP BY 1)
SELECT {names}, {exact_sum(f"CASE WHEN pace > 0 THEN held_days * (run / pace + {PRIOR_DAYS}) / (read_days + {PRIOR_DAYS}) ELSE held_days END")}
  / {exact_sum("CAST(held_days AS DOUBLE)")} AS relative_use
FROM paced JOIN lines ON line IS NOT DISTINCT FROM product_line WHERE held_days > 0 GROUP BY {names} ORDER BY {names}"""
    )


@traced
def known(field: Field) -> Meters | NotDone:
    """The meters, where they say enough; else the share that they cover and the one that is needed."""
    meters = Meters.of(field)
    share, least = coverage(meters), field.state.assumed("use_least_coverage")
    if float(share.value or 0) >= float(least.value or 0):
        return meters
    values: dict[str, Any] = {
        "share": share,
        "first": field.year.first,
        "last": field.year.last,
        "least": least,
    }
    return NotDone(reason=Sentence(_THIN, values).text())


def by_machines(above: pd.Series, below: pd.Series, level: float, *, share: bool = False) -> dict[str, Any]:
    """The interval of a ratio of two sums over machines, which differ from each other, and their number; of a ``share`` within nought and one."""
    from analysis.stats import ratio_interval

    at_risk = below.to_numpy(dtype=float) > 0
    if at_risk.sum() < 3:
        return {"interval": None, "n": int(at_risk.sum()), "reason": FEW_MACHINES}
    found = ratio_interval(
        above.to_numpy(dtype=float)[at_risk], below.to_numpy(dtype=float)[at_risk], level=level
    )
    low, high = float(found.low), float(found.high)
    # neither a share nor a cost per use can lie below nothing
    limits = interval_of(max(low, 0.0), min(high, 1.0) if share else high, level, CLUSTERED)
    return {"interval": limits, "n": int(at_risk.sum())}
