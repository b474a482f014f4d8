"""What the field did: exposure and confirmed failures of the window, as small frames.

The window runs from the first month with service orders to the report month. A failure belongs to the month it happened in, so one that
was reported from before the window is left out (others of its time are not in the data), and recent months are still incomplete.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.errors import FitError, MissingData
from analysis.failures import views
from analysis.failures.carriers import Carriers
from analysis.failures.comparing import SAME_AGE, SAME_AGE_AND_USE, SAME_LINE, SAME_LINE_AND_USE
from analysis.failures.views import with_parts
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced_property
from analysis.metrics.views import NOT_STATED, month_index, month_number
from analysis.metrics.views.selection import study_view
from analysis.periods import Month
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

MOST_MONTHS = 60


@dataclass(frozen=True, kw_only=True, eq=False)
class Field(Summarised):
    """The window of observation and the queries over it.

    ``first`` and ``last`` are months, both observed whole; ``horizon`` is the last day whose reports are known.
    """

    inputs: StudyInputs
    first: Month
    last: Month
    horizon: dt.date

    @classmethod
    def of(cls, inputs: StudyInputs) -> Field:
        """Refuses (``MissingData``) without units: claims can then be counted, not rated; and (``FitError``) where none failed."""
        inputs.engine.require(*views.NEEDS)
        span = inputs.engine.query(
            "SELECT min(month) AS first, max(opened_on) AS last FROM service_orders WHERE ticket_type = 'repair'",
            needs=("tickets.opened_at",),
        ).iloc[0]
        if span["first"] is None or span["first"] != span["first"]:
            raise MissingData("tickets.ticket_type = repair")
        month = inputs.month
        first = max(Month.parse(span["first"]), month - (MOST_MONTHS - 1))
        last_report = _date(span["last"])
        return cls(
            inputs=inputs,
            first=min(first, month),
            last=month,
            horizon=max(min(inputs.as_of, last_report), month.last_day),
        )._with_failures()

    def _with_failures(self) -> Field:
        """This field, refused (``FitError``) where nothing failed: no age, component or cause has a rate to compare with."""
        if self.by_age.empty:
            raise FitError("no machine was in the field in the months of observation")
        if self.failure_counts.empty:
            raise FitError("no machine in the field is known to have failed in the months of observation")
        return self

    def as_known_at_the_end_of(self, month: Month) -> Field:
        """The same field with nothing known after ``month``; for backtests."""
        return Field(inputs=self.inputs, first=self.first, last=month, horizon=month.last_day)

    @property
    def months(self) -> list[Month]:
        return [self.first + k for k in range(self.last.months_since(self.first) + 1)]

    @property
    def window(self) -> Period:
        """The months of observation."""
        return Period(self.first, self.last)

    @property
    def year(self) -> Period:
        """The last twelve months of the window."""
        return Period(max(self.first, self.last - 11), self.last)

    @property
    def state(self) -> Stating:
        """States facts of the window."""
        return Stating(inputs=self.inputs, period=self.window)

    def others(self, *, by_use: bool) -> Text:
        """What machines are compared with: their product line is said where there are several, their use where it is told apart."""
        if self.by_line["product_line"].nunique() > 1:
            return SAME_LINE_AND_USE if by_use else SAME_LINE
        return SAME_AGE_AND_USE if by_use else SAME_AGE

    def label(self, dimension: str, value: str) -> Text:
        """What a value of a dimension is called."""
        return self.inputs.engine.registry.value_label(dimension, value)

    def assumed(self, name: str) -> float:
        """A dated assumption as it holds on the last day of the report month."""
        return float(self.inputs.assumptions.value(name, on=self.inputs.month.last_day))

    @study_view
    def rows(self, where: str = "TRUE", *, verdict: str = "counted") -> str:
        """The confirmed failures with a verdict that meet a condition, one row per failure; ``month`` in which it happened."""
        return (
            "SELECT *, CAST(date_trunc('month', event_on) AS DATE) AS month "
            f"FROM {self._judged} WHERE verdict = {literal(verdict)} AND {where}"
        )

    @study_view
    def exposed(self, where: str = "TRUE") -> str:
        """The unit-months that meet a condition, one row per calendar month and month in service."""
        months = "SELECT *, make_date(month_no // 12, month_no % 12 + 1, 1) AS month FROM grid"
        return with_parts(self.exposure()) + f"{months} WHERE {where}"

    @study_view
    def in_service(self) -> str:
        """The machines that were in the field, one row each."""
        return with_parts(self.machines) + "SELECT * FROM machines"

    @traced_property
    def machines(self) -> str:
        """CTEs ``shipped`` and ``machines``; every query of the study stands on them."""
        return views.machines(self.last.end)

    @traced_property
    def _judged(self) -> str:
        """The table of confirmed failures, each with the verdict whether it counts; judged once."""
        made = (self.machines, views.reports(self.horizon), views.judged(self.first.start, self.last.end))
        return self._kept("failures_judged", *made, select="SELECT * FROM judged")

    @traced_property
    def failures(self) -> str:
        """CTEs ``shipped``, ``machines``, ``judged`` and ``failed``."""
        return (
            f"{self.machines},\njudged AS (SELECT * FROM {self._judged}),\n"
            "failed AS (SELECT * FROM judged WHERE verdict = 'counted')"
        )

    @traced_property
    def _stays(self) -> str:
        names = ("product_line", *views.ATTRIBUTES)
        return self._kept("failures_stays", self.machines, views.stays(names), select="SELECT * FROM stays")

    def exposure(self, *attributes: str, where: str = "") -> str:
        """CTE ``grid`` from the machines added up once by all their attributes."""
        return views.exposure(
            self._stays, month_index(self.first), month_index(self.last), attributes, where=where
        )

    def _kept(self, name: str, *parts: str, select: str) -> str:
        return self.inputs.engine.materialise(name, with_parts(*parts) + select, needs=views.NEEDS)

    def query(self, *parts: str, select: str) -> pd.DataFrame:
        return self.inputs.engine.query(with_parts(*parts) + select, needs=views.NEEDS)

    @traced_property
    def by_age(self) -> pd.DataFrame:
        """One row per calendar month and month in service: ``month_no``, ``age_months``, ``unit_months``."""
        return self.query(
            self.machines, self.exposure(), select="SELECT * FROM grid ORDER BY month_no, age_months"
        )

    @traced_property
    def by_line(self) -> pd.DataFrame:
        """The same by ``product_line`` and ``model``."""
        return self.query(
            self.machines, self.exposure("product_line", "model"), select="SELECT * FROM grid ORDER BY ALL"
        )

    @traced_property
    def failures_by_line(self) -> pd.DataFrame:
        """One row per product line, calendar month, month in service and component: ``failures``."""
        return self.query(
            self.failures,
            select="SELECT product_line, month_no, age_months, component, count(*) AS failures FROM failed GROUP BY ALL ORDER BY ALL",
        )

    @traced_property
    def carriers(self) -> Carriers:
        """Which machines carry a component, as the orders of all the history known say."""
        named = self.query(
            self.machines,
            select=f"SELECT m.product_line, m.model, coalesce(t.component, t.fault_code, {literal(NOT_STATED)}) AS component, count(*) AS orders "
            f"FROM service_orders t JOIN shipped m USING (serial_no) WHERE t.opened_on <= {literal(self.horizon)} GROUP BY ALL ORDER BY ALL",
        )
        failed = self.query(
            self.failures,
            select="SELECT product_line, model, component, count(*) AS failures FROM failed GROUP BY ALL ORDER BY ALL",
        )
        held: pd.DataFrame = self.by_line.groupby(["product_line", "model"], as_index=False, sort=True)[
            ["unit_months"]
        ].sum()
        return Carriers.of(held, named, failed)

    @traced_property
    def failure_counts(self) -> pd.DataFrame:
        """One row per calendar month, month in service and component: ``failures``."""
        return self.query(
            self.failures,
            select="SELECT month_no, age_months, component, count(*) AS failures FROM failed GROUP BY ALL ORDER BY month_no, age_months, component",
        )

    @traced_property
    def verdicts(self) -> pd.DataFrame:
        """Confirmed failures by the verdict whether they count: ``verdict``, ``failures``."""
        return self.query(
            self.failures,
            select="SELECT verdict, count(*) AS failures FROM judged GROUP BY ALL ORDER BY verdict",
        )

    @traced_property
    def delays(self) -> pd.DataFrame:
        """Counted failures by day they happened and days until the report: ``event_on``, ``delay_days``, ``failures``."""
        return self.query(
            self.failures,
            select="SELECT event_on, date_diff('day', event_on, opened_on) AS delay_days, count(*) AS failures FROM failed "
            "GROUP BY ALL ORDER BY event_on, delay_days",
        )

    @traced_property
    def shipped(self) -> pd.DataFrame:
        """Machines by product line, model and month of start of service (``started_no``): ``machines``."""
        return self.query(
            self.machines,
            select=f"SELECT product_line, model, {month_number('started')} AS started_no, count(*) AS machines FROM machines GROUP BY ALL ORDER BY ALL",
        )


def _date(value: dt.date) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value
