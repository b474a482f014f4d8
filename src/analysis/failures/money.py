"""What failures cost, what suppliers gave back, and what was paid although nothing was owed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import MissingData, NothingToCount
from analysis.failures import views
from analysis.failures.field import Field
from analysis.locale import Text
from analysis.metrics import NotDone, Period
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.metrics.steady import exact_sum
from analysis.metrics.views.ledger import DIRECT
from analysis.metrics.views.selection import Selection, selected, study_view
from analysis.periods import Month
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

    from analysis.failures.localising import Cause
    from analysis.results import Fact

NO_HOURS = Text.of("no hours of own staff")

# The parts of direct cost: which postings each one holds; what is in no other part is ``other``.
PARTS = ("parts", "logistics", "outsourcing", "compensation")
CONDITIONS: dict[str, str] = {
    **{name: f"posting_basis = 'incurred' AND category = '{name}'" for name in PARTS},
    "recovered": "posting_basis = 'recovery'",
}
NAMED = (*PARTS, "recovered")
_SUMS = ", ".join(f"sum(CASE WHEN {CONDITIONS[name]} THEN amount END) AS {name}" for name in NAMED)
_DIRECT = f"SELECT ticket_id, sum(amount) AS amount, {_SUMS} FROM cost WHERE {DIRECT} GROUP BY ticket_id"


@study_view
def posted(field: Field, where: str = "TRUE") -> str:
    """The direct cost of the counted failures that meet a condition, a row per posting; ``of`` which part of the cost each one is."""
    parts = " ".join(f"WHEN {condition} THEN {literal(name)}" for name, condition in CONDITIONS.items())
    return (
        f"SELECT c.*, f.serial_no, f.component, f.event_on, CASE {parts} ELSE 'other' END AS \"of\" FROM ({field.rows(where)}) f "
        f"JOIN (SELECT * FROM cost WHERE {DIRECT}) c ON c.ticket_id = f.ticket_id"
    )


@study_view
def labour_posted(field: Field, where: str = "TRUE") -> str:
    """The labour that the ledger itself posts to the counted failures that meet a condition: beside direct cost, never in it."""
    return (
        f"SELECT c.*, f.component FROM ({field.rows(where)}) f JOIN cost c ON c.ticket_id = f.ticket_id "
        "WHERE c.category = 'labour' AND c.posting_basis IN ('incurred', 'recovery')"
    )


def where_of(cause: Cause) -> str:
    """The condition that a failure belongs to a cause."""
    shown = {"component": cause.component, "fault_code": cause.fault_code}
    place = cause.attributes | {name: value for name, value in shown.items() if value}
    return " AND ".join((views.condition(place), *views.one_of("product_line", cause.lines)))


def _direct(field: Field) -> str:
    """CTE ``direct``: direct cost of each ticket, added up once for all questions of money."""
    return f"direct AS (SELECT * FROM {field.inputs.engine.materialise('failures_direct', _DIRECT, needs=('ledger.amount', 'ledger.ticket_id'))})"


OWN = "coalesce(sourcing, 'in_house') = 'in_house'"
"""The condition that staff are the company's own."""
_WORKED = (
    "worked AS (SELECT ticket_id, handling_hours AS hours FROM service WHERE handling_hours IS NOT NULL "
    f"AND team IN (SELECT team FROM workforce WHERE {OWN} AND team IS NOT NULL))"
)
"""CTE ``worked``: hours of own teams on each ticket; partners are paid per order, which is direct cost."""
_OWN_HOURS = ("staff.team", "tickets.handling_hours", "tickets.team")


def since(field: Field, months: int = 12) -> str:
    """The condition that a failure happened in the last months of the window."""
    first: Month = max(field.first, field.last - (months - 1))
    return f"event_on >= DATE '{first.start}'"


def priced_months(field: Field, months: int = 12) -> int:
    """How many of the last months of the window the ledger reaches back: a failure from before it began cost something, which nobody posted here."""
    posted = field.inputs.engine.tables.tables["ledger"].months
    return max(min(months, field.last.months_since(posted[0]) + 1), 0) if posted else 0


@traced
def cost_by(field: Field, dimension: str, *, months: int = 12, hour: float = 0.0) -> pd.DataFrame:
    """Cost of the confirmed failures of the last months: one row per value, the costliest first.

    ``hour`` is the cost of an hour of own staff: with it ``amount`` is the full cost, that is the direct cost of the tickets and the hours of
    own teams on them; without it the direct cost alone. Columns: ``failures``, ``amount``, the parts of the direct cost, and ``square``
    (sum of squared cost per failure), which gives the scatter.
    """
    field.inputs.engine.require("ledger.amount", "ledger.ticket_id")
    sums = ", ".join(f"coalesce(sum(d.{name}), 0) AS {name}" for name in NAMED)
    each, total, join = "CAST(d.amount AS DOUBLE)", "sum(d.amount)", ""
    worked: tuple[str, ...] = ()
    if hour:
        field.inputs.engine.require(*_OWN_HOURS)
        each = f"(coalesce({each}, 0) + coalesce(w.hours, 0) * {hour!r})"
        total, worked, join = exact_sum(each), (_WORKED,), " LEFT JOIN worked w USING (ticket_id)"
    return field.query(
        field.failures,
        _direct(field),
        *worked,
        select=f"SELECT coalesce(CAST({dimension} AS VARCHAR), 'not_stated') AS value, count(*) AS failures, coalesce({total}, 0) AS amount, {sums}, "
        f"coalesce({exact_sum(f'{each} * {each}')}, 0) AS square "
        f"FROM failed LEFT JOIN direct d USING (ticket_id){join} WHERE {since(field, months)} GROUP BY 1 ORDER BY amount DESC, value",
    )


@dataclass(frozen=True, kw_only=True)
class UnitCost(Summarised):
    """Mean direct cost per failure and its standard error."""

    mean: float
    error: float
    failures: int

    def times(self, factor: float) -> UnitCost:
        """The same with mean and error scaled."""
        return UnitCost(mean=self.mean * factor, error=self.error * factor, failures=self.failures)


def unit_cost(frame: pd.DataFrame) -> UnitCost:
    """Mean cost per failure of the rows of :func:`cost_by` together."""
    count = int(frame["failures"].sum())
    total = float(sum(float(amount) for amount in frame["amount"]))
    square = float(frame["square"].sum())
    mean = total / count if count else 0.0
    variance = max(square / count - mean**2, 0.0) if count else 0.0
    return UnitCost(mean=mean, error=float(np.sqrt(variance / max(count, 1))), failures=count)


@dataclass(frozen=True, kw_only=True, eq=False)
class Prices(Summarised):
    """What a failure costs, in direct cost or in full: of all failures, of those under warranty, and under warranty by product line."""

    all: UnitCost
    covered: UnitCost
    by_line: dict[str, UnitCost]

    def covered_in(self, line: str) -> UnitCost:
        """Of a product line's failures under warranty; of a line without failures that of all lines."""
        return self.by_line.get(line, self.covered)


def prices(field: Field, *, hour: float = 0.0) -> Prices:
    """The cost per failure of the last twelve months, of a younger ledger since it began; with the cost of an ``hour`` of own staff, in full.

    Warranty repairs cost what they cost on average; a product line's own mean carries the difference between lines.

    Raises
    ------
    MissingData
        Without a ledger that names service orders, and where nothing failed since it began.
    """
    field.inputs.engine.require("ledger.amount", "ledger.ticket_id")
    months = priced_months(field)
    under = cost_by(field, "in_warranty", months=months, hour=hour)
    everything = unit_cost(under)
    if months < 12 and not everything.failures:
        raise NothingToCount("ledger.ticket_id")
    inside = under[under["value"] == "true"]
    covered = unit_cost(inside) if len(inside) else everything
    uplift = covered.mean / everything.mean if everything.mean else 1.0
    by_line = cost_by(field, "product_line", months=months, hour=hour)
    lines = {str(line): unit_cost(rows).times(uplift) for line, rows in by_line.groupby("value", sort=False)}
    return Prices(all=everything, covered=covered, by_line=lines)


@traced
def failures_by(field: Field, dimension: str, *, months: int = 12) -> pd.DataFrame:
    """Confirmed failures of the last months by value, the most first: ``value``, ``failures``."""
    return field.query(
        field.failures,
        select=f"SELECT coalesce(CAST({dimension} AS VARCHAR), 'not_stated') AS value, count(*) AS failures FROM failed WHERE {since(field, months)} "
        "GROUP BY 1 ORDER BY failures DESC, value",
    )


@traced
def cost_of_cause(field: Field, cause: Cause) -> tuple[object, int]:
    """Cost traced to the failures of a cause (Decimal), and their number."""
    row = field.query(
        field.failures,
        _direct(field),
        select=f"SELECT coalesce(sum(d.amount), 0) AS amount, count(*) AS failures FROM failed LEFT JOIN direct d USING (ticket_id) WHERE {where_of(cause)}",
    ).iloc[0]
    return row["amount"], int(row["failures"])


@traced
def own_hours(field: Field, where: str) -> float:
    """Hours of own teams on the counted failures that meet a condition."""
    field.inputs.engine.require(*_OWN_HOURS)
    row = field.query(
        field.failures,
        _WORKED,
        select=f"SELECT coalesce({exact_sum('w.hours')}, 0) AS hours FROM failed JOIN worked w USING (ticket_id) WHERE {where}",
    ).iloc[0]
    return float(row["hours"])


@study_view
def own_staff(field: Field) -> str:
    """SELECT of the months of own staff in the last twelve months, with ``cost`` and ``hours_worked``.

    Raises
    ------
    MissingData
        Without staff, their cost or the teams of service orders.
    """
    field.inputs.engine.require(
        "staff.team", "staff.cost", "staff.hours_worked", "tickets.handling_hours", "tickets.team"
    )
    return (
        f"SELECT * FROM workforce WHERE {OWN} AND cost IS NOT NULL AND hours_worked IS NOT NULL AND team IS NOT NULL "
        f"AND month >= {literal(field.year.first.start)} AND month < {literal(field.last.end)}"
    )


@traced
def hour_rate(field: Field) -> Fact:
    """Cost of own staff per hour that they worked in the last twelve months; unused hours are in it.

    Raises
    ------
    MissingData
        Without staff, their cost or the teams of service orders.
    """
    return field.state.measured("failure_hour_rate", own_staff(field), period=field.year)


def direct_prices(field: Field) -> Prices | NotDone:
    """The direct cost per failure; not done without a ledger that could say it."""
    try:
        return prices(field)
    except MissingData as absent:
        return NotDone.because(absent)


def full_prices(field: Field) -> Prices | NotDone:
    """The cost per failure with the hours of own staff at what an hour of them costs."""
    try:
        hour = hour_rate(field).value
        return prices(field, hour=float(hour)) if hour else NotDone(reason=NO_HOURS)
    except MissingData as absent:
        return NotDone.because(absent)


@traced
def evidence_of_cause(field: Field, cause: Cause) -> pd.DataFrame:
    """Serials and tickets behind a cause, the youngest first."""
    return field.query(
        field.failures,
        select="SELECT serial_no, ticket_id, event_on, opened_on, component, fault_code, model, batch, supplier, plant, region, produced_month, "
        f"age_months AS months_in_service, in_warranty FROM failed WHERE {where_of(cause)} ORDER BY event_on DESC, ticket_id",
    )


@study_view
def claims_on_failures(field: Field, where: str) -> str:
    """SELECT of the claims on failures of the last twelve months that meet a condition: one row per claim, ``due`` not yet recovered."""
    return (
        "SELECT c.claim_id, c.ticket_id, f.serial_no, f.component, f.supplier, f.batch, c.claimed_on, c.approved, coalesce(c.recovered, 0) AS recovered, "
        f"c.approved - coalesce(c.recovered, 0) AS due FROM claims c JOIN ({field.rows(since(field))}) f ON f.ticket_id = c.ticket_id WHERE {where}"
    )


@traced
def recovery_by_supplier(field: Field) -> pd.DataFrame:
    """Claims on failed machines by supplier of the key component: ``supplier``, ``claims``, ``approved``, ``recovered``, and their ``squares`` and ``products``.

    Raises
    ------
    MissingData
        There are no claims.
    """
    return field.inputs.engine.query(
        "SELECT supplier, count(*) AS claims, coalesce(sum(approved), 0) AS approved, coalesce(sum(recovered), 0) AS recovered, "
        f"{exact_sum('CAST(approved AS DOUBLE) * CAST(approved AS DOUBLE)')} AS approved_squares, "
        f"{exact_sum('CAST(recovered AS DOUBLE) * CAST(recovered AS DOUBLE)')} AS recovered_squares, "
        f"{exact_sum('CAST(approved AS DOUBLE) * CAST(recovered AS DOUBLE)')} AS products "
        f"FROM ({claims_on_failures(field, 'c.approved > 0')}) GROUP BY ALL ORDER BY supplier",
        needs=("claims.approved", "claims.recovered"),
    )


@study_view
def claims_due(field: Field, cause: Cause) -> str:
    """SELECT of the claims on the failures of a cause that its supplier has not paid back, the largest first.

    Raises
    ------
    MissingData
        There are no claims.
    """
    field.inputs.engine.require("claims.approved", "claims.recovered", "claims.ticket_id")
    unpaid = f"c.approved > coalesce(c.recovered, 0) AND {where_of(cause)}"
    return f"{claims_on_failures(field, unpaid)} ORDER BY due DESC, c.claim_id"


@study_view
def listed_claims(claims: str) -> str:
    """Claims that should not have been paid, or not alone: of one of the lists here."""
    return f"SELECT * FROM ({claims}) AS claims"


def _decided(period: Period, column: str) -> str:
    """The condition that a claim was made in a period."""
    return f"{column} >= {literal(period.first.start)} AND {column} < {literal(period.last.end)}"


@traced
def claims_since(field: Field) -> Period:
    """From the month of the first claim that is known to the report month.

    Raises
    ------
    MissingData
        There are no claims.
    """
    first = field.inputs.engine.query(
        f"SELECT min(claimed_on) AS first FROM claims WHERE claimed_on < {literal(field.last.end)}",
        needs=("claims.approved", "claims.claimed_on"),
    )["first"].iloc[0]
    if first is None or first != first:
        return field.year
    return Period(min(Month(first.year, first.month), field.year.first), field.last)


@study_view
def out_of_warranty_claims(field: Field, period: Period) -> str:
    """SELECT of the claims of a period approved on machines out of warranty, the largest first.

    Out of warranty: the ticket says so, or it was opened on or after the end of the machine's warranty where the ticket says nothing.

    Raises
    ------
    MissingData
        There are no claims.
    """
    field.inputs.engine.require("claims.approved", "claims.ticket_id")
    return (
        "SELECT c.claim_id, c.ticket_id, t.serial_no, t.ticket_type, t.region, c.claimed_on, t.warranty_end, c.amount, c.approved FROM claims c "
        f"JOIN service t ON t.ticket_id = c.ticket_id WHERE c.approved > 0 AND {_decided(period, 'c.claimed_on')} "
        "AND NOT t.under_warranty AND (t.in_warranty IS NOT NULL OR t.warranty_end IS NOT NULL) ORDER BY c.approved DESC, c.claim_id"
    )


@study_view
def duplicate_claims(field: Field, period: Period) -> str:
    """SELECT of the claims of a period approved again for the same ticket and amount under another number, one row per later claim.

    Raises
    ------
    MissingData
        There are no claims.
    """
    field.inputs.engine.require("claims.approved", "claims.ticket_id")
    same = "PARTITION BY ticket_id, amount ORDER BY claimed_on, claim_id"
    return (
        f"WITH paid AS (SELECT c.*, row_number() OVER ({same}) AS nth, first_value(claim_id) OVER ({same}) AS first_claim_id FROM claims c "
        "WHERE c.approved > 0 AND c.ticket_id IS NOT NULL) "
        "SELECT claim_id, first_claim_id, ticket_id, claimed_on, amount, approved FROM paid WHERE nth > 1 "
        f"AND {_decided(period, 'claimed_on')} ORDER BY approved DESC, claim_id"
    )


@traced
def parts_per_failure(field: Field, *, months: int = 12) -> pd.DataFrame:
    """Parts used per confirmed failure: ``component``, ``part_no``, ``quantity`` (sum), ``failures`` (of the component)."""
    field.inputs.engine.require("parts_used.quantity")
    return field.query(
        field.failures,
        f"recent AS (SELECT * FROM failed WHERE {since(field, months)} AND resolved_at IS NOT NULL)",
        "totals AS (SELECT component, count(*) AS failures FROM recent GROUP BY ALL)",
        select=f"SELECT component, p.part_no, {exact_sum('p.quantity')} AS quantity, max(totals.failures) AS failures FROM recent JOIN parts_used p USING (ticket_id) "
        "JOIN totals USING (component) GROUP BY component, p.part_no ORDER BY component, p.part_no",
    )


def provisions(field: Field) -> Selection:
    """The warranty provision at the end of the month, a row per product line.

    Raises
    ------
    MissingData
        No provision is recorded.
    """
    field.inputs.engine.require("provision.closing")
    return selected("provisions", f"month = {literal(field.last.start)}")
