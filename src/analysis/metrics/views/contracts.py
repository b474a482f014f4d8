"""Contracts: terms with what became of them, and spells (terms of a customer that follow each other within the grace days)."""

from __future__ import annotations

from analysis.locale import Text
from analysis.metrics.backend import literal
from analysis.metrics.views.days import TERM_SLACK, monthly_date, nearest_months
from analysis.metrics.views.view import Column, View

RENEWABLE = ("subscription", "maintenance")  # an extended warranty runs out

_DUE = "CAST(t.ends_on + INTERVAL 1 DAY AS DATE)"
_AS_AGREED = f"{monthly_date('starts_on', 'term_months')}"

contract_terms = View(
    name="contract_terms",
    sql=f"""
WITH terms AS (
  SELECT t.contract_id, t.term_no, t.customer_id, t.kind, t.kind IN ({", ".join(map(literal, RENEWABLE))}) AS renewable, t.amount, t.starts_on, t.ends_on,
         {_DUE} AS due_on,
         -- what was cancelled after the day is not known on it
         CASE WHEN t.cancelled_on < $cutoff THEN t.cancelled_on END AS cancelled_on,
         {nearest_months("t.starts_on", _DUE)} AS term_months,
         min(t.term_no) OVER (PARTITION BY t.contract_id) AS first_term, min(t.starts_on) OVER (PARTITION BY t.contract_id) AS began_on,
         lead(t.starts_on) OVER (PARTITION BY t.contract_id ORDER BY t.term_no) AS next_start,
         lead(t.amount) OVER (PARTITION BY t.contract_id ORDER BY t.term_no) AS next_amount,
         -- the company's own word that the customer left
         coalesce(c.churned_on >= t.starts_on AND c.churned_on < $cutoff, FALSE) AS told
  -- a contract of unknown kind can be neither renewed nor lost
  FROM contracts t LEFT JOIN customers c ON c.customer_id = t.customer_id WHERE t.starts_on < $cutoff AND t.kind IS NOT NULL
), judged AS (
  SELECT *, greatest(coalesce(cancelled_on, due_on), starts_on) AS until,
         CASE WHEN next_start <= greatest(coalesce(cancelled_on, due_on), due_on) + INTERVAL ($grace_days) DAY THEN 'renewed'
              -- within the grace days nobody knows whether it is lost, unless the company says so
              WHEN due_on < $cutoff AND (told OR due_on + INTERVAL ($grace_days) DAY < $cutoff) THEN 'lost'
              -- whether a cancelled contract would have been renewed is not known before the renewal falls due
              WHEN cancelled_on IS NOT NULL THEN 'cancelled'
              WHEN due_on < $cutoff THEN 'in_grace' ELSE 'running' END AS outcome
  FROM terms
)
SELECT * EXCLUDE (told),
       -- an upgrade in mid-term takes the place of the old term, and a late renewal within the grace days leaves no hole
       CASE outcome WHEN 'renewed' THEN greatest(next_start, starts_on) WHEN 'in_grace' THEN NULL ELSE until END AS stands_until,
       -- a term of months is priced by months, one of days (a trial of a week, 45 days) by its days
       CAST(CASE WHEN abs(datediff('day', {_AS_AGREED}, due_on)) <= {TERM_SLACK} THEN amount * 12 / term_months
                 ELSE amount * 365.25 / greatest(datediff('day', starts_on, due_on), 1) END AS DECIMAL(38, 2)) AS yearly_amount
FROM judged
""",
    table="contracts",
    stands_for=("contracts",),
    whole=("customers",),
    kept=True,
    grain=Text.of("one row per contract term that began before the day"),
    columns=(
        Column("contract_id", "contract"),
        Column("term_no", "number of the term; the first is 1"),
        Column("customer_id", "who holds it"),
        Column("kind", "subscription, maintenance or extended_warranty"),
        Column("renewable", "subscription or maintenance: can be renewed, so its end can be a loss"),
        Column("amount", "amount per term", "currency"),
        Column("starts_on", "first day", "day"),
        Column("ends_on", "last day as agreed", "day"),
        Column("due_on", "the anniversary: day on which the next term begins if it is renewed", "day"),
        Column("cancelled_on", "cancelled on, where known by the day", "day"),
        Column("term_months", "length of the term as agreed, the nearest whole number, at least 1", "months"),
        Column("first_term", "first term of the contract in the data; above 1 its history is not known"),
        Column("began_on", "first day of the first term in the data", "day"),
        Column(
            "next_start", "first day of the next term of the contract, where there is one by the day", "day"
        ),
        Column("next_amount", "amount of that term", "currency"),
        Column("until", "first day that is not covered: cancelled on or due, whichever is known", "day"),
        Column(
            "stands_until",
            "first day on which the customer no longer holds it: the next term took its place, or until; empty within the grace days",
            "day",
        ),
        Column("yearly_amount", "amount per year", "currency"),
        Column(
            "outcome",
            "renewed (within the grace days), lost, cancelled (renewal not due yet), in_grace (due so recently that it is not known) or running",
        ),
    ),
)

contract_spells = View(
    name="contract_spells",
    sql="""
WITH reached AS (
  -- an upgrade in mid-term begins before the old term ends, so the longest of the earlier terms counts, not the one before
  SELECT customer_id, kind, starts_on, until, cancelled_on,
         max(until) OVER (PARTITION BY customer_id ORDER BY starts_on, until ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM contract_terms_at_$tag WHERE renewable
), numbered AS (
  -- the grace: renewed within the days after its end, a contract was not lost
  SELECT *, sum(CASE WHEN before IS NULL OR starts_on > before + INTERVAL ($grace_days) DAY THEN 1 ELSE 0 END)
            OVER (PARTITION BY customer_id ORDER BY starts_on, until ROWS UNBOUNDED PRECEDING) AS spell FROM reached
), runs AS (
  SELECT customer_id, spell, min(kind) AS kind, min(starts_on) AS begins, max(until) AS until,
         -- the longest term ran out as agreed, rather than being cancelled on some day
         bool_or(cancelled_on IS NULL AND until = reaching) AS ran_out
  FROM (SELECT *, max(until) OVER (PARTITION BY customer_id, spell) AS reaching FROM numbered) AS n GROUP BY 1, 2
), placed AS (
  SELECT r.*, max(spell) OVER (PARTITION BY r.customer_id) AS last_spell FROM runs r
), ended AS (
  -- a recorded day of loss is the company's own word; it ends the last spell, before or after the term ran out
  SELECT p.customer_id, p.spell, p.kind, p.begins, p.until, p.ran_out,
         CASE WHEN p.spell = p.last_spell AND c.churned_on >= p.begins AND c.churned_on < $cutoff THEN c.churned_on END AS told_on
  FROM placed p LEFT JOIN customers c ON c.customer_id = p.customer_id
)
-- within the grace days the outcome is open: the customer counts as there until they are over
SELECT customer_id, spell, kind, begins, until, ran_out, coalesce(told_on, CASE WHEN until + INTERVAL ($grace_days) DAY < $cutoff THEN until END) AS ends,
       told_on IS NULL AND until < $cutoff AND until + INTERVAL ($grace_days) DAY >= $cutoff AS in_grace
FROM ended
""",
    table="contracts",
    stands_for=("contracts",),
    whole=("customers",),
    kept=True,
    grain=Text.of("one row per customer and unbroken time under a renewable contract"),
    columns=(
        Column("customer_id", "who holds the contracts"),
        Column("spell", "number of the spell of the customer"),
        Column("kind", "kind of contract; the first by name where there are several"),
        Column("begins", "first day", "day"),
        Column("until", "first day that no term covers", "day"),
        Column("ran_out", "that day is the end of a term as agreed, not a cancellation"),
        Column(
            "ends", "first day that is not covered, or the recorded day of loss; empty while running", "day"
        ),
        Column(
            "in_grace", "ran out so recently that a late renewal is still possible: neither lost nor renewed"
        ),
    ),
)
