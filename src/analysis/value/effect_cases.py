"""Who was treated, compared with whom: one row per eligible case of a treatment, built on the engine.

Covariates are what was known before the treatment could begin (``measured_at``), outcomes what happened after it was known
(``time_zero``); nothing stands on both sides. Only cases whose outcome window closed before the end of the month are kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.errors import ParameterError
from analysis.metrics import StudyInputs
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.metrics.views import NOT_STATED, Rules, at, business_day, full_months
from analysis.metrics.views.responses import CLOCKS, answered_late, landmark
from analysis.metrics.views.selection import study_view
from analysis.params.treatments import Treatment
from analysis.periods import day_end_utc

if TYPE_CHECKING:
    import pandas as pd

NO_SPELLS = "spells AS (SELECT CAST(NULL AS VARCHAR) AS customer_id, CAST(NULL AS VARCHAR) AS kind, CAST(NULL AS DATE) AS begins, CAST(NULL AS DATE) AS until, CAST(NULL AS DATE) AS ends, FALSE AS in_grace WHERE FALSE)"
MOST_CUSTOMERS = 200_000  # above it, a sample of customers that stays the same from month to month, and the section says so
PLACES = 1_000_000
# Covariates that speak of the twelve months before: they give way where these months are the (placebo) outcome.
OF_THE_YEAR_BEFORE = ("orders_12m", "margin_24m", "months_since_order")
# Covariates that look past a machine, a contract or a region of the customer need these tables.
NEEDS = {
    "machines": "units.customer_id",
    "contract_kind": "contracts.starts_on",
    "contract_months": "contracts.starts_on",
    "margin_24m": "orders.gross_margin",
    "orders_12m": "orders.ordered_at",
    "orders_before": "orders.ordered_at",
    "months_since_order": "orders.ordered_at",
    "product_line": "products.product_line",
    "severity": "tickets.severity",
    "priority": "tickets.priority",
    "in_warranty": "tickets.in_warranty",
    "repeat_repairs_24m": "tickets.serial_no",
}
RULE_NEEDS: dict[str, tuple[str, ...]] = {
    "responded_in_time": ("tickets.first_response_at", "tickets.response_due_at"),
    "responded_within_hours": ("tickets.first_response_at",),
    "first_contact": ("tickets.contacts", "tickets.resolved_at"),
    "repeat_within_days": ("tickets.serial_no", "tickets.resolved_at"),
    "complaint_within_days": ("tickets.resolved_at",),
    "compensated_within_days": ("ledger.ticket_id",),
    "proactive": ("tickets.proactive",),
    "answered_within_hours": ("tickets.first_response_at",),
    "resolved_within_days": ("tickets.resolved_at",),
    "onboarded_within_days": ("customers.acquired_on",),
}
# Rules that compare moments to the hour; the others count days.
RULE_CLOCKS: dict[str, tuple[str, ...]] = {
    "responded_in_time": ("tickets.first_response_at", "tickets.response_due_at"),
    "responded_within_hours": CLOCKS,
    "answered_within_hours": CLOCKS,
}
OUTCOME_NEEDS = {
    "repurchase": "orders.ordered_at",
    "retention": "contracts.ends_on",
    "margin": "orders.gross_margin",
    "growth": "contracts.amount",
}
GROWN = 1.25  # yearly contract value at the end of the window over that at time zero: a dearer plan, and no yearly rise of prices

_GREW = f"CASE WHEN n.held THEN CAST(y.later >= y.first * {GROWN} AS INTEGER) END"


def needs(treatment: Treatment) -> tuple[str, ...]:
    """What the treatment itself cannot do without."""
    named = ("tickets.activity",) if treatment.activities else ()
    return (*RULE_NEEDS[treatment.rule], *named, "tickets.customer_id", "orders.ordered_at")


def usable(inputs: StudyInputs, treatment: Treatment) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Confounders the data hold, and those they lack."""
    lacking = {
        name for name in treatment.confounders if name in NEEDS and inputs.engine.tables.missing(NEEDS[name])
    }
    return tuple(name for name in treatment.confounders if name not in lacking), tuple(
        name for name in treatment.confounders if name in lacking
    )


def cohort_table(
    inputs: StudyInputs,
    treatment: Treatment,
    purchase_types: Sequence[str],
    shares: tuple[float, float],
    *,
    most: int = MOST_CUSTOMERS,
) -> str:
    """The eligible cases of a treatment as a table of the engine; its (quoted) name.

    Parameters
    ----------
    shares : of customers in the first two tiers by margin before the case
    most : customers above which a sample of them is kept

    Raises
    ------
    MissingData
        The tables do not say who was treated or what followed.
    """
    inputs.engine.require(*needs(treatment))
    inputs.engine.require_clock(*RULE_CLOCKS.get(treatment.rule, ()))
    held = (
        NO_SPELLS
        if inputs.engine.tables.missing("contracts.starts_on", "contracts.ends_on")
        else f"spells AS (SELECT * FROM {at('contract_spells', inputs.month.end)})"
    )
    grows = "growth" in treatment.outcomes and not inputs.engine.tables.missing(OUTCOME_NEEDS["growth"])
    claims = not inputs.engine.tables.missing("claims.approved")
    sql = cohort_sql(
        treatment,
        inputs.month.end,
        inputs.engine.rules,
        purchase_types,
        shares,
        held=held,
        claims=claims,
        grows=grows,
        most=most,
    )
    return inputs.engine.materialise(f"service_cases_{treatment.id}", sql)


@traced
def cohort(
    inputs: StudyInputs,
    treatment: Treatment,
    purchase_types: Sequence[str],
    shares: tuple[float, float],
    *,
    most: int = MOST_CUSTOMERS,
) -> pd.DataFrame:
    """The rows of :func:`cohort_table`, first to last.

    Columns: ``customer`` (a number), ``treated`` (0/1), every covariate of :data:`~analysis.params.treatments.COVARIATES` (counts and
    margin as logarithms: a customer with a hundred machines is not a hundred times another), ``value_tier`` (by the
    margin of the 24 months before), the outcomes ``repurchase``, ``retention`` (nan without a running contract at time zero), ``margin``, ``growth`` of the yearly contract value by
    a quarter or more (nan without a contract at both ends, and where the treatment does not ask for it), the placebo
    outcome ``bought_before`` (nan for customers of less than a year) and the negative controls ``moved`` (to another region) and
    ``other_machine_failed`` (nan for owners of one machine), and ``eligible_customers``, the same in every row: above :data:`MOST_CUSTOMERS` the rows are a sample of them.
    """
    table = cohort_table(inputs, treatment, purchase_types, shares, most=most)
    return inputs.engine.query(f"SELECT * FROM {table} ORDER BY measured_at, ticket_id")


@study_view
def cases_of(table: str, *, wanted: bool) -> str:
    """The cases of a :func:`cohort_table`, ``went_wrong`` where what is wanted did not happen, or what is feared did."""
    return f"SELECT *, treated <> {int(wanted)} AS went_wrong FROM {table}"


def cohort_sql(
    treatment: Treatment,
    cutoff: dt.date,
    rules: Rules,
    purchase_types: Sequence[str],
    shares: tuple[float, float],
    *,
    held: str,
    claims: bool = True,
    grows: bool = False,
    most: int = MOST_CUSTOMERS,
) -> str:
    """The query behind :func:`cohort_table`; ``held`` are CTEs with ``spells`` (customer_id, kind, begins, ends) of contracts.

    Of more than ``most`` customers about that many are kept, with all their cases: those whose id falls into the first places of a hash, so that next month's sample is nearly the same.
    """
    measured, zero, treated, eligible = _rule(treatment, rules, claims=claims)
    bought = ", ".join(literal(one) for one in purchase_types)
    end = literal(day_end_utc(cutoff - dt.timedelta(days=1), rules.time_zone))
    zone, window = literal(rules.time_zone), f"INTERVAL {treatment.window_days} DAY"
    order = "PARTITION BY customer_id ORDER BY measured_at, ticket_id"
    feared = "NOT treated" if treatment.wanted else "treated"
    number = {
        "first": f"row_number() OVER ({order})",
        "all": "1",
        "until_exposed": f"1 + coalesce(sum(CAST({feared} AS INTEGER)) OVER ({order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)",
    }[treatment.events]
    return f"""WITH cases AS (
  SELECT v.ticket_id, v.customer_id, v.serial_no, v.ticket_type, v.severity, v.priority, v.product_line, v.in_warranty, v.is_rework,
         {measured} AS measured_at, {zero} AS time_zero, {treated} AS treated
  FROM {_from(treatment)} AND {eligible}
), lined AS (
  SELECT *, {number} AS place FROM cases
), chosen AS (
  SELECT *, {business_day("measured_at", zone)} AS measured_on, {business_day("time_zero", zone)} AS zero_on FROM lined
  WHERE place = 1 AND time_zero + {window} <= {end}
), {_history("segment", "chosen")}, {_history("region", "chosen")}, {held}, ordered AS (
  SELECT k.ticket_id,
         count(*) FILTER (WHERE {_own(bought)} AND o.ordered_at < k.measured_at AND o.ordered_at >= k.measured_at - INTERVAL 12 MONTH) AS orders_12m,
         count(*) FILTER (WHERE {_own(bought)} AND o.ordered_at < k.measured_at - INTERVAL 12 MONTH AND o.ordered_at >= k.measured_at - INTERVAL 36 MONTH) AS orders_before,
         sum(o.gross_margin) FILTER (WHERE o.ordered_at < k.measured_at AND o.ordered_at >= k.measured_at - INTERVAL 24 MONTH) AS margin_24m,
         max(o.ordered_at) FILTER (WHERE {_own(bought)} AND o.ordered_at < k.measured_at) AS last_order,
         min(o.ordered_at) FILTER (WHERE o.ordered_at < k.measured_at) AS first_order,
         bool_or({_own(bought)} AND o.ordered_at > k.time_zero AND o.ordered_at <= k.time_zero + {window}) AS repurchase,
         sum(o.gross_margin) FILTER (WHERE o.order_type <> 'paid_repair' AND o.ordered_at > k.time_zero AND o.ordered_at <= k.time_zero + {window}) AS margin
  FROM chosen k JOIN order_lines o ON o.customer_id = k.customer_id GROUP BY 1
), served AS (
  SELECT k.ticket_id, count(*) FILTER (WHERE s.opened_at >= k.measured_at - INTERVAL 12 MONTH) AS tickets_12m,
         count(*) FILTER (WHERE s.ticket_type = 'complaint') AS complaints_24m,
         count(*) FILTER (WHERE s.ticket_type = 'repair' AND s.opened_at >= k.measured_at - INTERVAL 12 MONTH) AS repairs_12m,
         count(*) FILTER (WHERE r.is_repeat) AS repeat_repairs_24m
  FROM chosen k JOIN service_orders s ON s.customer_id = k.customer_id AND s.ticket_id <> k.ticket_id AND s.opened_at < k.measured_at AND s.opened_at >= k.measured_at - INTERVAL 24 MONTH
  LEFT JOIN repair_outcomes r ON r.ticket_id = s.ticket_id GROUP BY 1
), fielded AS (
  SELECT k.ticket_id, count(*) AS machines FROM chosen k JOIN {at("machines", cutoff)} u ON u.customer_id = k.customer_id
  WHERE u.shipped_on < k.measured_on AND coalesce(u.left_on > k.measured_on, TRUE) GROUP BY 1
), contracted AS (
  SELECT k.ticket_id, min(s.kind) FILTER (WHERE s.begins < k.measured_on AND (s.ends IS NULL OR s.ends >= k.measured_on)) AS contract_kind,
         max({full_months("s.begins", "k.measured_on")}) FILTER (WHERE s.begins < k.measured_on AND (s.ends IS NULL OR s.ends >= k.measured_on)) AS contract_months,
         bool_or(s.begins < k.measured_on AND (s.ends IS NULL OR s.ends > k.zero_on)) AS held,
         bool_or(s.begins < k.measured_on AND (s.ends IS NULL OR s.ends > CAST(k.zero_on + {window} AS DATE))) AS kept,
         -- ran out within the window and may still be renewed late: neither kept nor lost
         bool_or(s.in_grace AND s.until <= CAST(k.zero_on + {window} AS DATE)) AS waiting
  FROM chosen k JOIN spells s ON s.customer_id = k.customer_id GROUP BY 1
), {_values(window, cutoff, grows=grows)}moves AS (
  SELECT k.ticket_id, bool_or(h.valid_from > k.zero_on AND h.valid_from <= CAST(k.zero_on + {window} AS DATE)) AS moved
  FROM chosen k JOIN customer_history h ON h.customer_id = k.customer_id AND h.attribute = 'region' GROUP BY 1
), failing AS (
  SELECT k.ticket_id, TRUE AS failed FROM chosen k JOIN {at("machines", cutoff)} u ON u.customer_id = k.customer_id AND u.serial_no <> coalesce(k.serial_no, '') AND u.shipped_on < k.measured_on
  JOIN service_orders s ON s.serial_no = u.serial_no AND s.ticket_type = 'repair' AND s.opened_at > k.time_zero AND s.opened_at <= k.time_zero + {window} GROUP BY 1
), gathered AS (
SELECT dense_rank() OVER (ORDER BY k.customer_id) AS customer, k.customer_id, k.ticket_id, k.measured_at, k.time_zero, CAST(k.treated AS INTEGER) AS treated,
       coalesce(c.customer_type, '{NOT_STATED}') AS customer_type, coalesce(segment_then.value, segment_ever.value, c.segment, '{NOT_STATED}') AS segment,
       coalesce(region_then.value, region_ever.value, c.region, '{NOT_STATED}') AS region, coalesce(c.channel, '{NOT_STATED}') AS channel,
       greatest({full_months(f"coalesce(c.acquired_on, {business_day('o.first_order', zone)}, k.measured_on)", "k.measured_on")}, 0) AS tenure_months,
       ln(1 + coalesce(o.orders_12m, 0)) AS orders_12m, ln(1 + coalesce(o.orders_before, 0)) AS orders_before,
       sign(coalesce(CAST(o.margin_24m AS DOUBLE), 0)) * ln(1 + abs(coalesce(CAST(o.margin_24m AS DOUBLE), 0))) AS margin_24m,
       least(coalesce({full_months(business_day("o.last_order", zone), "k.measured_on")}, 60), 60) AS months_since_order, ln(1 + coalesce(f.machines, 0)) AS machines,
       ln(1 + coalesce(s.tickets_12m, 0)) AS tickets_12m, ln(1 + coalesce(s.complaints_24m, 0)) AS complaints_24m, ln(1 + coalesce(s.repairs_12m, 0)) AS repairs_12m,
       ln(1 + coalesce(s.repeat_repairs_24m, 0)) AS repeat_repairs_24m, coalesce(n.contract_kind, 'none') AS contract_kind, coalesce(n.contract_months, 0) AS contract_months,
       k.ticket_type, coalesce(k.product_line, '{NOT_STATED}') AS product_line, coalesce(k.severity, '{NOT_STATED}') AS severity, coalesce(k.priority, '{NOT_STATED}') AS priority,
       coalesce(CAST(k.in_warranty AS VARCHAR), '{NOT_STATED}') AS in_warranty, CAST(k.is_rework AS VARCHAR) AS is_rework,
       concat(CAST(year(k.measured_on) AS VARCHAR), 'Q', CAST(quarter(k.measured_on) AS VARCHAR)) AS quarter,
       CAST(coalesce(o.repurchase, FALSE) AS INTEGER) AS repurchase, CASE WHEN n.held AND NOT n.waiting THEN CAST(n.kept AS INTEGER) END AS retention,
       coalesce(CAST(o.margin AS DOUBLE), 0) AS margin, {_GREW if grows else "CAST(NULL AS INTEGER)"} AS growth,
       CASE WHEN o.first_order < k.measured_at - INTERVAL 12 MONTH THEN CAST(o.orders_12m > 0 AS INTEGER) END AS bought_before,
       CAST(coalesce(m.moved, FALSE) AS INTEGER) AS moved, CASE WHEN f.machines > 1 THEN CAST(coalesce(b.failed, FALSE) AS INTEGER) END AS other_machine_failed
FROM chosen k LEFT JOIN customers c ON c.customer_id = k.customer_id LEFT JOIN segment_then ON segment_then.ticket_id = k.ticket_id LEFT JOIN segment_ever ON segment_ever.ticket_id = k.ticket_id
LEFT JOIN region_then ON region_then.ticket_id = k.ticket_id LEFT JOIN region_ever ON region_ever.ticket_id = k.ticket_id LEFT JOIN ordered o ON o.ticket_id = k.ticket_id
LEFT JOIN served s ON s.ticket_id = k.ticket_id LEFT JOIN fielded f ON f.ticket_id = k.ticket_id LEFT JOIN contracted n ON n.ticket_id = k.ticket_id LEFT JOIN moves m ON m.ticket_id = k.ticket_id LEFT JOIN failing b ON b.ticket_id = k.ticket_id
{"LEFT JOIN valued y ON y.ticket_id = k.ticket_id" if grows else ""}
), ranked AS (
  SELECT *, percent_rank() OVER (ORDER BY margin_24m DESC) AS standing, max(customer) OVER () AS eligible_customers FROM gathered
)
SELECT * EXCLUDE (standing, customer_id), CASE WHEN standing < {shares[0]} THEN 'top' WHEN standing < {shares[0] + shares[1]} THEN 'middle' ELSE 'low' END AS value_tier
FROM ranked WHERE hash(customer_id) % {PLACES} < {PLACES} * CAST({most} AS DOUBLE) / eligible_customers"""


def cases_of_year(treatment: Treatment, cutoff: dt.date, rules: Rules, *, claims: bool = True) -> str:
    """Eligible cases (all, not only first) of the twelve months before ``cutoff`` with ``treated``, ``customer_id`` and ``region``; where treatment is not known yet, left out."""
    measured, zero, treated, eligible = _rule(treatment, rules, claims=claims)
    end = literal(day_end_utc(cutoff - dt.timedelta(days=1), rules.time_zone))
    return f"""SELECT v.ticket_id, v.customer_id, v.serial_no, v.region, v.opened_at, v.first_response_at, v.response_due_at, v.resolved_at, {measured} AS measured_at, {zero} AS time_zero, {treated} AS treated
  FROM {_from(treatment)} AND {eligible}
    AND {zero} < {end} AND {zero} >= {end} - INTERVAL 12 MONTH"""


def of_customers(treatment: Treatment) -> bool:
    """Whether a case is a new customer, and no ticket."""
    return treatment.rule == "onboarded_within_days"


def _from(treatment: Treatment) -> str:
    """Where cases come from, and which can be any: tickets, or customers as they were won."""
    kinds = ", ".join(literal(one) for one in treatment.ticket_types)
    if of_customers(treatment):
        return f"""({_new_customers(kinds, treatment.limit)}) v WHERE TRUE"""
    named = ", ".join(literal(one) for one in treatment.activities)
    done = f" AND v.activity IN ({named})" if named else ""
    return f"""service v
  WHERE v.ticket_type IN ({kinds}){done} AND v.customer_id IS NOT NULL AND NOT coalesce(v.time_order_fault, FALSE)"""


def _new_customers(kinds: str, days: float) -> str:
    """Customers won since service is on record, a case each, from the noon after the day (a day is no moment): ``onboarded`` where a ticket of these kinds came within so many days."""
    empty = ", ".join(
        f"CAST(NULL AS {kind}) AS {name}"
        for kind, names in (
            ("VARCHAR", ("serial_no", "severity", "priority", "product_line")),
            ("BOOLEAN", ("in_warranty",)),
            ("TIMESTAMP", ("first_response_at", "response_due_at", "resolved_at")),
        )
        for name in names
    )
    return f"""SELECT c.customer_id AS ticket_id, c.customer_id, c.region, 'installation' AS ticket_type, FALSE AS is_rework, {empty},
         CAST(c.acquired_on AS TIMESTAMP) + INTERVAL 36 HOUR AS opened_at,
         EXISTS (SELECT 1 FROM service_orders a WHERE a.customer_id = c.customer_id AND a.ticket_type IN ({kinds})
           AND a.opened_on >= c.acquired_on AND a.opened_on < c.acquired_on + INTERVAL {days:g} DAY) AS onboarded
  FROM customers c WHERE c.acquired_on >= (SELECT min(opened_on) FROM service_orders)"""


def _values(window: str, cutoff: dt.date, *, grows: bool) -> str:
    """A CTE ``valued`` of the yearly contract value at time zero (``first``) and at the end of the window (``later``), of those who hold a contract at both."""
    if not grows:
        return ""
    moments = {"first": "k.zero_on", "later": f"CAST(k.zero_on + {window} AS DATE)"}
    sums = ", ".join(
        f"sum(t.yearly_amount) FILTER (WHERE t.starts_on <= {day} AND coalesce(t.stands_until > {day}, TRUE)) AS {name}"
        for name, day in moments.items()
    )
    return f"""valued AS (
  SELECT k.ticket_id, {sums} FROM chosen k JOIN {at("contract_terms", cutoff)} t ON t.customer_id = k.customer_id AND t.renewable GROUP BY 1
), """


def _own(bought: str) -> str:
    """An order that is a purchase of the customer's own."""
    return f"o.revenue > 0 AND o.order_type IN ({bought})"


def _history(attribute: str, rows: str) -> str:
    """CTEs ``<attribute>_then`` (the value that held before the case) and ``<attribute>_ever`` (``not_stated`` where the first entry came later)."""
    return f"""{attribute}_then AS (
  SELECT k.ticket_id, max_by(h.value, h.valid_from) AS value FROM {rows} k JOIN customer_history h ON h.customer_id = k.customer_id
  WHERE h.attribute = '{attribute}' AND h.valid_from < k.measured_on GROUP BY 1
), {attribute}_ever AS (
  SELECT DISTINCT k.ticket_id, '{NOT_STATED}' AS value FROM {rows} k JOIN customer_history h ON h.customer_id = k.customer_id WHERE h.attribute = '{attribute}'
)"""


def _rule(treatment: Treatment, rules: Rules, *, claims: bool) -> tuple[str, str, str, str]:
    """SQL of measured_at, time_zero, treated and eligibility, over ``v`` (service)."""
    span = f"INTERVAL {treatment.limit:g} DAY"
    match treatment.rule:
        case "responded_in_time":
            return (
                "v.opened_at",
                "v.response_due_at",
                "coalesce(v.first_response_at <= v.response_due_at, FALSE)",
                "v.response_due_at >= v.opened_at",
            )
        case "responded_within_hours":
            hours = literal(rules.late_answer_hours)
            return (
                "v.opened_at",
                landmark("v", hours),
                f"NOT {answered_late('v', hours)}",
                "v.opened_at IS NOT NULL",
            )
        case "first_contact":
            return (
                "v.opened_at",
                "v.resolved_at",
                "v.contacts = 1",
                "v.resolved_at IS NOT NULL AND v.contacts >= 1",
            )
        case "repeat_within_days":
            # of repairs that repeat an earlier one the question is the earlier one's: whether that held
            return (
                "v.resolved_at",
                f"v.resolved_at + INTERVAL ({rules.repeat_repair_days}) DAY",
                "v.ticket_id IN (SELECT ticket_id FROM repair_outcomes WHERE repeated)",
                "v.resolved_at IS NOT NULL AND v.serial_no IS NOT NULL AND NOT v.is_rework",
            )
        case "complaint_within_days":
            about = f"""EXISTS (SELECT 1 FROM service_orders a WHERE a.ticket_type = 'complaint' AND a.customer_id = v.customer_id
              AND a.opened_at >= v.resolved_at AND a.opened_at < v.resolved_at + {span})"""
            return "v.resolved_at", f"v.resolved_at + {span}", about, "v.resolved_at IS NOT NULL"
        case "compensated_within_days":
            first = "v.opened_on"
            paid = f"""EXISTS (SELECT 1 FROM cost l WHERE l.ticket_id = v.ticket_id AND l.category = 'compensation' AND l.amount > 0
              AND l.posted_on >= {first} AND l.posted_on < {first} + {span})"""
            approved = f""" OR EXISTS (SELECT 1 FROM claims w WHERE w.ticket_id = v.ticket_id AND w.approved > 0
              AND w.decided_on >= {first} AND w.decided_on < {first} + {span})"""
            return (
                "v.opened_at",
                f"v.opened_at + {span}",
                f"({paid}{approved if claims else ''})",
                "v.opened_at IS NOT NULL",
            )
        case "proactive":
            return "v.opened_at", "v.opened_at", "coalesce(v.proactive, FALSE)", "v.opened_at IS NOT NULL"
        case "answered_within_hours":
            due = f"v.opened_at + INTERVAL {treatment.limit * 60:.0f} MINUTE"
            return (
                "v.opened_at",
                due,
                f"coalesce(v.first_response_at <= {due}, FALSE)",
                "v.opened_at IS NOT NULL",
            )
        case "resolved_within_days":
            due = f"v.opened_at + {span}"
            return "v.opened_at", due, f"coalesce(v.resolved_at <= {due}, FALSE)", "v.opened_at IS NOT NULL"
        case "onboarded_within_days":
            return "v.opened_at", f"v.opened_at + {span}", "v.onboarded", "v.opened_at IS NOT NULL"
    raise ParameterError(f"treatment '{treatment.id}': no rule '{treatment.rule}'.")
