"""Contracts: terms with what became of them, and spells (terms of a customer that follow each other within the grace days)."""

from __future__ import annotations

from analysis.locale import Text
from analysis.metrics.backend import literal
from analysis.metrics.views.view import Column, View

RENEWABLE = ("subscription", "maintenance")  # an extended warranty runs out

contract_terms = View(
    name="contract_terms",
    sql=f"""
WITH terms AS (
  SELECT contract_id, term_no, customer_id, kind, kind IN ({", ".join(map(literal, RENEWABLE))}) AS renewable, amount, starts_on, ends_on,
         CAST(ends_on + INTERVAL 1 DAY AS DATE) AS due_on,
         -- what was cancelled after the day is not known on it
         CASE WHEN cancelled_on < $cutoff THEN cancelled_on END AS cancelled_on,
         -- the anniversary that the term runs to; a term of days is priced as one of a month
         greatest(datediff('month', starts_on, CAST(ends_on + INTERVAL 1 DAY AS DATE)), 1) AS term_months,
         min(term_no) OVER (PARTITION BY contract_id) AS first_term, min(starts_on) OVER (PARTITION BY contract_id) AS began_on,
         lead(starts_on) OVER (PARTITION BY contract_id ORDER BY term_no) AS next_start,
         lead(amount) OVER (PARTITION BY contract_id ORDER BY term_no) AS next_amount
  -- a contract of unknown kind can be neither renewed nor lost
  FROM contracts WHERE starts_on < $cutoff AND kind IS NOT NULL
)
SELECT *, greatest(coalesce(cancelled_on, due_on), starts_on) AS until,
       CAST(amount * 12 / term_months AS DECIMAL(18, 2)) AS yearly_amount,
       CASE WHEN next_start IS NOT NULL AND next_start <= due_on + INTERVAL ($grace_days) DAY THEN 'renewed'
            WHEN due_on < $cutoff THEN 'lost'
            -- whether a cancelled contract would have been renewed is not known before the renewal falls due
            WHEN cancelled_on IS NOT NULL THEN 'cancelled' ELSE 'running' END AS outcome
FROM terms
""",
    table="contracts",
    stands_for=("contracts",),
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
        Column("term_months", "length of the term as agreed, at least 1", "months"),
        Column("first_term", "first term of the contract in the data; above 1 its history is not known"),
        Column("began_on", "first day of the first term in the data", "day"),
        Column(
            "next_start", "first day of the next term of the contract, where there is one by the day", "day"
        ),
        Column("next_amount", "amount of that term", "currency"),
        Column("until", "first day that is not covered: cancelled on or due, whichever is known", "day"),
        Column("yearly_amount", "amount per year", "currency"),
        Column(
            "outcome", "renewed (within the grace days), lost, cancelled (renewal not due yet) or running"
        ),
    ),
)

contract_spells = View(
    name="contract_spells",
    sql="""
WITH reached AS (
  -- an upgrade in mid-term begins before the old term ends, so the longest of the earlier terms counts, not the one before
  SELECT customer_id, kind, starts_on, until,
         max(until) OVER (PARTITION BY customer_id ORDER BY starts_on, until ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM contract_terms_at_$tag WHERE renewable
), numbered AS (
  -- the grace: renewed within the days after its end, a contract was not lost
  SELECT *, sum(CASE WHEN before IS NULL OR starts_on > before + INTERVAL ($grace_days) DAY THEN 1 ELSE 0 END)
            OVER (PARTITION BY customer_id ORDER BY starts_on, until ROWS UNBOUNDED PRECEDING) AS spell FROM reached
), runs AS (
  SELECT customer_id, spell, min(kind) AS kind, min(starts_on) AS begins, max(until) AS until FROM numbered GROUP BY 1, 2
), placed AS (
  SELECT r.*, max(spell) OVER (PARTITION BY r.customer_id) AS last_spell FROM runs r
), ended AS (
  -- a recorded day of loss is the company's own word; it ends the last spell, before or after the term ran out
  SELECT p.customer_id, p.spell, p.kind, p.begins, p.until,
         CASE WHEN p.spell = p.last_spell AND c.churned_on >= p.begins AND c.churned_on < $cutoff THEN c.churned_on END AS told_on
  FROM placed p LEFT JOIN customers c ON c.customer_id = p.customer_id
)
SELECT customer_id, spell, kind, begins, coalesce(told_on, CASE WHEN until < $cutoff THEN until END) AS ends,
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
        Column(
            "ends", "first day that is not covered, or the recorded day of loss; empty while running", "day"
        ),
        Column("in_grace", "ended so recently that a late renewal can still undo the loss"),
    ),
)
