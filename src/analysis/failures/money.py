"""What failures cost, what suppliers gave back, and what was paid although nothing was owed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.failures import views
from analysis.failures.field import Field
from analysis.failures.views import with_parts
from analysis.metrics.lineage import traced
from analysis.metrics.steady import exact_sum
from analysis.metrics.views import month_number
from analysis.periods import Month

if TYPE_CHECKING:
    import pandas as pd

_DIRECT = """SELECT ticket_id, sum(amount) AS amount,
       sum(CASE WHEN posting_basis = 'recovery' THEN amount END) AS recovered,
       sum(CASE WHEN posting_basis = 'incurred' AND category = 'parts' THEN amount END) AS parts,
       sum(CASE WHEN posting_basis = 'incurred' AND category = 'logistics' THEN amount END) AS logistics,
       sum(CASE WHEN posting_basis = 'incurred' AND category = 'compensation' THEN amount END) AS compensation,
       sum(CASE WHEN posting_basis = 'incurred' AND category = 'outsourcing' THEN amount END) AS outsourcing
FROM cost WHERE ticket_id IS NOT NULL AND posting_basis IN ('incurred', 'recovery') GROUP BY ticket_id"""


def _direct(field: Field) -> str:
    """CTE ``direct``: cost traced to each ticket, added up once for all questions of money."""
    return f"direct AS (SELECT * FROM {field.inputs.engine.materialise('failures_direct', _DIRECT, needs=('ledger.amount', 'ledger.ticket_id'))})"


def _since(field: Field, months: int) -> str:
    first: Month = max(field.first, field.last - (months - 1))
    return f"event_on >= DATE '{first.start}'"


@traced
def cost_by(field: Field, dimension: str, *, months: int = 12) -> pd.DataFrame:
    """Cost traced to the tickets of confirmed failures of the last months: a row a value, the costliest first.

    ``failures``, ``amount`` and its parts; ``square`` (sum of squared cost a failure) gives the scatter. Labour and other held capacity is not traced.
    """
    field.inputs.engine.require("ledger.amount", "ledger.ticket_id")
    sums = ", ".join(
        f"coalesce(sum(d.{name}), 0) AS {name}"
        for name in ("amount", "parts", "logistics", "outsourcing", "compensation", "recovered")
    )
    return field.query(
        field.failures,
        _direct(field),
        select=f"SELECT coalesce(CAST({dimension} AS VARCHAR), 'not_stated') AS value, count(*) AS failures, {sums}, "
        f"coalesce({exact_sum('CAST(d.amount AS DOUBLE) * CAST(d.amount AS DOUBLE)')}, 0) AS square "
        f"FROM failed LEFT JOIN direct d USING (ticket_id) WHERE {_since(field, months)} GROUP BY 1 ORDER BY amount DESC, value",
    )


@traced
def failures_by(field: Field, dimension: str, *, months: int = 12) -> pd.DataFrame:
    """Confirmed failures of the last months by value, the most first: ``value``, ``failures``."""
    return field.query(
        field.failures,
        select=f"SELECT coalesce(CAST({dimension} AS VARCHAR), 'not_stated') AS value, count(*) AS failures FROM failed WHERE {_since(field, months)} "
        "GROUP BY 1 ORDER BY failures DESC, value",
    )


@traced
def cost_of_cause(field: Field, place: dict[str, str], component: str | None) -> tuple[object, int, object]:
    """Cost traced to the failures of a cause (Decimal), their number, and what was recovered (negative)."""
    where = views.condition(place | ({"component": component} if component else {}))
    row = field.query(
        field.failures,
        _direct(field),
        select=f"SELECT coalesce(sum(d.amount), 0) AS amount, count(*) AS failures, coalesce(sum(d.recovered), 0) AS recovered "
        f"FROM failed LEFT JOIN direct d USING (ticket_id) WHERE {where}",
    ).iloc[0]
    return row["amount"], int(row["failures"]), row["recovered"]


@traced
def evidence_of_cause(field: Field, place: dict[str, str], component: str | None) -> pd.DataFrame:
    """Serials and tickets behind a cause, the youngest first."""
    where = views.condition(place | ({"component": component} if component else {}))
    return field.query(
        field.failures,
        select="SELECT serial_no, ticket_id, event_on, opened_on, component, fault_code, model, batch, supplier, plant, region, produced_month, "
        f"age_months AS months_in_service, in_warranty FROM failed WHERE {where} ORDER BY event_on DESC, ticket_id",
    )


@traced
def recovery_by_supplier(field: Field, *, months: int = 12) -> pd.DataFrame:
    """Claims on failed machines by supplier of the key component: ``supplier``, ``claims``, ``approved``, ``recovered``."""
    engine = field.inputs.engine
    engine.require("claims.approved", "claims.recovered")
    return engine.query(
        with_parts(field.failures)
        + "SELECT f.supplier, count(*) AS claims, coalesce(sum(c.approved), 0) AS approved, coalesce(sum(c.recovered), 0) AS recovered "
        f"FROM claims c JOIN failed f USING (ticket_id) WHERE {_since(field, months)} AND c.approved > 0 GROUP BY ALL ORDER BY f.supplier"
    )


@traced
def recovery_due(field: Field, place: dict[str, str], component: str | None) -> pd.DataFrame:
    """Approved claims of the last twelve months on the failures of a cause that its supplier has not paid back; the largest first.

    One row a claim: ``due`` is what was approved less what was recovered.
    """
    field.inputs.engine.require("claims.approved", "claims.recovered", "claims.ticket_id")
    where = views.condition(place | ({"component": component} if component else {}))
    return field.inputs.engine.query(
        with_parts(field.failures)
        + "SELECT c.claim_id, c.ticket_id, f.serial_no, f.component, f.supplier, f.batch, c.claimed_on, c.approved, coalesce(c.recovered, 0) AS recovered, "
        "c.approved - coalesce(c.recovered, 0) AS due FROM claims c JOIN failed f USING (ticket_id) "
        f"WHERE {_since(field, 12)} AND c.approved > coalesce(c.recovered, 0) AND {where} ORDER BY due DESC, c.claim_id"
    )


@traced
def out_of_warranty_approvals(field: Field) -> pd.DataFrame:
    """Claims approved on machines out of warranty, decided in the last twelve months; the largest first.

    Out of warranty: the ticket says so, or it was opened on or after the end of the machine's warranty where the ticket says nothing.
    """
    engine = field.inputs.engine
    engine.require("claims.approved", "claims.ticket_id")
    first = max(field.first, field.last - 11).start
    return engine.query(
        "SELECT c.claim_id, c.ticket_id, t.serial_no, t.ticket_type, t.region, c.claimed_on, t.warranty_end, c.amount, c.approved FROM claims c "
        "JOIN service t ON t.ticket_id = c.ticket_id "
        f"WHERE c.approved > 0 AND c.claimed_on >= DATE '{first}' AND c.claimed_on < DATE '{field.last.end}' "
        "AND NOT t.under_warranty AND (t.in_warranty IS NOT NULL OR t.warranty_end IS NOT NULL) ORDER BY c.approved DESC, c.claim_id"
    )


@traced
def duplicate_claims(field: Field) -> pd.DataFrame:
    """Claims approved again for the same ticket and the same amount under another number; a row each later claim."""
    engine = field.inputs.engine
    engine.require("claims.approved", "claims.ticket_id")
    first = max(field.first, field.last - 11).start
    return engine.query(
        "WITH paid AS (SELECT c.*, row_number() OVER (PARTITION BY ticket_id, amount ORDER BY claimed_on, claim_id) AS nth, "
        "first_value(claim_id) OVER (PARTITION BY ticket_id, amount ORDER BY claimed_on, claim_id) AS first_claim_id FROM claims c WHERE c.approved > 0 AND c.ticket_id IS NOT NULL) "
        "SELECT claim_id, first_claim_id, ticket_id, claimed_on, amount, approved FROM paid WHERE nth > 1 "
        f"AND claimed_on >= DATE '{first}' AND claimed_on < DATE '{field.last.end}' ORDER BY approved DESC, claim_id"
    )


@traced
def repeats(field: Field) -> pd.DataFrame:
    """Repairs by month of resolution: ``repairs`` with full follow-up and ``repeated`` within the days of the rule."""
    return field.query(
        field.machines,
        select=f"SELECT {month_number('resolved_on')} AS month_no, count(*) AS repairs, count(*) FILTER (WHERE repeated) AS repeated "
        f"FROM repair_outcomes WHERE window_ends_on <= DATE '{field.horizon}' GROUP BY 1 ORDER BY 1",
    )


@traced
def parts_per_failure(field: Field, *, months: int = 12) -> pd.DataFrame:
    """Parts used a confirmed failure: ``component``, ``part_no``, ``quantity`` (sum), ``failures`` (of the component)."""
    field.inputs.engine.require("parts_used.quantity")
    return field.query(
        field.failures,
        f"recent AS (SELECT * FROM failed WHERE {_since(field, months)} AND resolved_at IS NOT NULL)",
        "totals AS (SELECT component, count(*) AS failures FROM recent GROUP BY ALL)",
        select=f"SELECT component, p.part_no, {exact_sum('p.quantity')} AS quantity, max(totals.failures) AS failures FROM recent JOIN parts_used p USING (ticket_id) "
        "JOIN totals USING (component) GROUP BY component, p.part_no ORDER BY component, p.part_no",
    )


@traced
def provision_balance(field: Field) -> pd.DataFrame:
    """Warranty provision at the end of the month by product line: ``product_line``, ``closing``, ``utilised`` (last twelve months)."""
    engine = field.inputs.engine
    engine.require("provision.closing")
    month, first = field.last, max(field.first, field.last - 11)
    return engine.query(
        f"SELECT product_line, sum(CASE WHEN month = DATE '{month.start}' THEN closing END) AS closing, sum(utilised) AS utilised FROM provision "
        f"WHERE month BETWEEN DATE '{first.start}' AND DATE '{month.start}' GROUP BY ALL ORDER BY product_line"
    )
