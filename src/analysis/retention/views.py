"""SQL of the retention study: text over the shared views, in the engine's dialect.

Days are half-open. A customer is present when a day begins if the spell began before it and has not ended before it; who is lost on a day
was present that morning. Nothing after ``cutoff`` is seen, whatever the tables hold.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal

from analysis.metrics.backend import listed, literal
from analysis.metrics.views import NOT_STATED, age_at_term_end, at, days_of_age, full_months, step
from analysis.metrics.views.days import Width
from analysis.metrics.views.ledger import DIRECT
from analysis.metrics.views.selection import study_view


def contract_spells(cutoff: dt.date) -> str:
    """CTEs ``terms`` (of contracts that can be renewed) and ``spells`` as they were known when ``cutoff`` began."""
    return f"""terms AS (SELECT * FROM {at("contract_terms", cutoff)} WHERE renewable), spells AS (SELECT * FROM {at("contract_spells", cutoff)})"""


def known_until(cutoff: dt.date) -> str:
    """The first day whose losses are not all known: that on which the first spell still within its grace days ran out, else ``cutoff``.

    Who renews on the day is known at once and who renews late is not: followed to the end, everyone seen on the last days would have stayed.
    """
    end = literal(cutoff)
    return f"(SELECT least(coalesce(min(until) FILTER (WHERE in_grace), {end}), {end}) FROM {at('contract_spells', cutoff)})"


def _age_at_end(spell: str) -> str:
    """Age at the end of what is ``seen`` of a spell: of a term that ran out, or of any other day."""
    ran_out = f"{spell}ran_out AND {spell}ends = {spell}until AND {spell}ends < seen"
    moment = f"least(coalesce({spell}ends, seen), seen)"
    return f"CASE WHEN {ran_out} THEN {age_at_term_end(f'{spell}begins', f'{spell}ends')} ELSE {days_of_age(f'{spell}begins', moment)} END"


def _before(age: str, last: str) -> str:
    """An age within a spell: what falls into the days that the end of a term lies late belongs to the day before that end."""
    return f"CASE WHEN {age} >= {last} THEN {last} - 1 ELSE {age} END"


def _without_contract(cutoff: dt.date) -> str:
    """A condition on customers who never held a contract that can be renewed: only their purchases say whether they are there."""
    return f"customer_id NOT IN (SELECT customer_id FROM {at('contract_terms', cutoff)} WHERE renewable)"


def purchase_spells(cutoff: dt.date, *, window_months: int) -> str:
    """CTE ``spells`` of customers without a contract that can be renewed: from a purchase until the window after the last one has passed."""
    end = literal(cutoff)
    return f"""bought AS (
  SELECT DISTINCT customer_id, bought_on FROM purchase_days WHERE bought_on < {end} AND {_without_contract(cutoff)}
), reached AS (
  SELECT *, lag(bought_on) OVER (PARTITION BY customer_id ORDER BY bought_on) AS before FROM bought
), numbered AS (
  SELECT *, sum(CASE WHEN before IS NULL OR bought_on > before + INTERVAL {window_months} MONTH THEN 1 ELSE 0 END)
            OVER (PARTITION BY customer_id ORDER BY bought_on ROWS UNBOUNDED PRECEDING) AS spell FROM reached
), spells AS (
  SELECT customer_id, spell, 'purchases' AS kind, min(bought_on) AS begins,
         CASE WHEN max(bought_on) + INTERVAL {window_months} MONTH < {end} THEN CAST(max(bought_on) + INTERVAL {window_months} MONTH AS DATE) END AS ends
  FROM numbered GROUP BY 1, 2
)"""


# where a customer of a period stands; the first five are counted, the other two follow from them
MOVED = {
    "start": "at_start",
    "lost": "at_start AND NOT at_end",
    "new": "NOT at_start AND at_end AND NOT existed",
    "reactivated": "NOT at_start AND at_end AND existed",
    "won_and_lost": "NOT at_start AND NOT at_end AND began",
    "retained": "at_start AND at_end",
    "end": "at_end",
}


Periods = Sequence[tuple[str, dt.date, dt.date]]


def customer_types(spells: str, cutoff: dt.date) -> str:
    """The types of the customers who were there before a day, in order."""
    return f"""WITH {spells} SELECT DISTINCT coalesce(c.customer_type, '{NOT_STATED}') AS customer_type
FROM spells s LEFT JOIN customers c ON c.customer_id = s.customer_id WHERE s.begins < {literal(cutoff)} ORDER BY 1"""


@study_view
def customers_moved(spells: str, periods: Periods) -> str:
    """One row per period and customer: where the customer stands (the marks of :data:`MOVED`), type, segment, region, kind, and the first and last days of the spells.

    A period has a name, its first day and the day after its last.
    """
    listed = ", ".join(
        f"({literal(name)}, {literal(first)}, {literal(after)})" for name, first, after in periods
    )
    return f"""WITH {spells}, periods(period, first_day, after) AS (VALUES {listed}), seen AS (
  SELECT p.period, s.customer_id, min(s.kind) AS kind, min(s.begins) AS first_begins, max(s.begins) AS last_begins,
         -- empty while any of them runs
         CASE WHEN bool_or(s.ends IS NULL) THEN NULL ELSE max(s.ends) END AS last_ends,
         {_presence("s.", first="p.first_day", after="p.after")}
  FROM spells s JOIN periods p ON s.begins < p.after GROUP BY 1, 2
)
SELECT seen.*, coalesce(c.customer_type, '{NOT_STATED}') AS customer_type, c.segment, c.region
FROM seen LEFT JOIN customers c ON c.customer_id = seen.customer_id"""


@study_view
def in_grace(contracts: str) -> str:
    """Customers whose contract ran out within the grace days."""
    return f"WITH {contracts} SELECT customer_id, begins, until FROM spells WHERE in_grace"


@study_view
def perhaps_lost(moved: str, waiting: str) -> str:
    """The customers :func:`customers_moved` who were there at the start; ``may_be_lost``: lost, or still within the grace days."""
    return f"""SELECT *, NOT at_end OR customer_id IN (SELECT customer_id FROM ({waiting}) AS waiting) AS may_be_lost
FROM ({moved}) AS moved WHERE at_start"""


def _presence(spell: str, *, first: str, after: str) -> str:
    """By customer: there when the first day began, there when the day after began, known before, begun within."""
    return f"""bool_or({spell}begins < {first} AND ({spell}ends IS NULL OR {spell}ends >= {first})) AS at_start,
         bool_or({spell}ends IS NULL OR {spell}ends >= {after}) AS at_end,
         bool_or({spell}begins < {first}) AS existed, bool_or({spell}begins >= {first}) AS began"""


# a term of a month or two comes up all the time: it is under notice, and in no calendar
ROLLING = "t.term_months < 3"


def running_terms(moment: dt.date) -> str:
    """Yearly value by customer of the terms that run when a day begins: customer_id, kind, since, due_on (last day of the term that ends first), renews_on (of the terms that are not rolling), yearly."""
    at = literal(moment)
    return f"""SELECT t.customer_id, min(s.kind) AS kind, min(s.begins) AS since, min(t.ends_on) AS due_on,
         min(t.ends_on) FILTER (WHERE NOT {ROLLING}) AS renews_on, sum(t.yearly_amount) AS yearly
  FROM terms t JOIN spells s ON s.customer_id = t.customer_id AND s.begins <= t.starts_on AND (s.ends IS NULL OR s.ends >= {at}) AND s.begins < {at}
  WHERE t.starts_on < {at} AND coalesce(t.stands_until >= {at}, TRUE) GROUP BY 1"""


@study_view
def contract_values(contracts: str, cutoff: dt.date, first: dt.date) -> str:
    """Yearly contract value of the customers present at the start, one row each: then, at the end, and what was kept without expansion."""
    return f"""WITH {contracts}, at_start AS ({running_terms(first)}), at_end AS ({running_terms(cutoff)})
SELECT a.customer_id, coalesce(c.customer_type, '{NOT_STATED}') AS customer_type, a.kind, a.yearly AS start_value,
       coalesce(b.yearly, 0) AS end_value, least(a.yearly, coalesce(b.yearly, 0)) AS kept_value
FROM at_start a LEFT JOIN at_end b ON b.customer_id = a.customer_id LEFT JOIN customers c ON c.customer_id = a.customer_id"""


@study_view
def yearly_values(rows: str, column: str) -> str:
    """Customers with their yearly contract value (``yearly_value``) as it stands in one column of ``rows``."""
    return f"SELECT *, {column} AS yearly_value FROM ({rows}) AS valued"


@study_view
def account_values(contracts: str, cutoff: dt.date, first: dt.date, *, customer_type: str | None) -> str:
    """Accounts under contract a year ago or now, the largest first: rank (from 1), customer_id, segment, region, kind, customer_since, due_on, renews_on, value_before, value_now (null: not under contract then)."""
    chosen = f" AND c.customer_type = {literal(customer_type)}" if customer_type else ""
    return f"""WITH {contracts}, at_start AS ({running_terms(first)}), at_end AS ({running_terms(cutoff)})
SELECT row_number() OVER (ORDER BY greatest(coalesce(a.yearly, 0), coalesce(b.yearly, 0)) DESC, c.customer_id) AS rank,
       c.customer_id, coalesce(c.segment, '{NOT_STATED}') AS segment, coalesce(c.region, '{NOT_STATED}') AS region, coalesce(b.kind, a.kind) AS kind,
       least(coalesce(a.since, b.since), coalesce(b.since, a.since)) AS customer_since, b.due_on, b.renews_on, a.yearly AS value_before, b.yearly AS value_now
FROM customers c LEFT JOIN at_start a ON a.customer_id = c.customer_id LEFT JOIN at_end b ON b.customer_id = c.customer_id
WHERE (a.customer_id IS NOT NULL OR b.customer_id IS NOT NULL){chosen} ORDER BY rank"""


@study_view
def losses(contracts: str, first: dt.date) -> str:
    """Customers under contract when the period began whose contract was lost in it: customer_id, customer_type, churn_reason as recorded, avoidable, lost_on."""
    return f"""WITH {contracts}
SELECT s.customer_id, coalesce(c.customer_type, '{NOT_STATED}') AS customer_type, coalesce(c.churn_reason, '{NOT_STATED}') AS churn_reason,
       c.churn_avoidable AS avoidable, max(s.ends) AS lost_on
FROM spells s JOIN customers c ON c.customer_id = s.customer_id
WHERE s.ends >= {literal(first)} AND s.begins < {literal(first)} GROUP BY 1, 2, 3, 4"""


def reasons(lost: str) -> str:
    """The recorded reasons of the :func:`losses`, most losses first, and whether each is avoidable."""
    return f"""SELECT churn_reason, arg_max(avoidable, lost) AS avoidable, CAST(sum(lost) AS BIGINT) AS lost FROM (
  SELECT churn_reason, avoidable, count(*) AS lost FROM ({lost}) AS lost GROUP BY 1, 2) AS counted GROUP BY 1 ORDER BY 3 DESC, 1"""


Grouping = Literal["acquisition", "first_product", "first_service"]


def contract_lives(contracts: str, *, period: Width) -> str:
    """One row per customer: step of the first contract (cohort) and of the loss (lost_in; null: still there)."""
    return f"""WITH {contracts}, lived AS (
  SELECT customer_id, min(begins) AS begins, CASE WHEN bool_or(ends IS NULL) THEN NULL ELSE max(ends) END AS ends FROM spells GROUP BY 1)
SELECT customer_id, begins, ends, {step("begins", period)} AS cohort, {step("ends", period)} AS lost_in FROM lived"""


def contract_cohorts(lives: str) -> str:
    """The :func:`contract_lives` counted by cohort and step of the loss."""
    return (
        f"SELECT cohort, lost_in, count(*) AS customers FROM ({lives}) AS lived GROUP BY 1, 2 ORDER BY 1, 2"
    )


def cohort_orders(cutoff: dt.date, *, period: Width, types: Sequence[str]) -> str:
    """Purchases (orders of the ``types``) of known customers, one row per customer and step: customer_id, step, orders (paid ones), revenue, margin.

    Every grouping stands on these; a table of the order lines themselves would be several times as large.
    """
    return f"""SELECT customer_id, {step("ordered_on", period)} AS step, count(DISTINCT order_id) FILTER (WHERE revenue > 0) AS orders,
       sum(revenue) AS revenue, sum(gross_margin) AS margin
FROM order_lines WHERE order_type IN ({listed(types)}) AND customer_id IS NOT NULL AND ordered_on < {literal(cutoff)} GROUP BY 1, 2"""


def _entry(orders: str, grouping: Grouping, cutoff: dt.date, *, period: Width, types: Sequence[str]) -> str:
    """Customer, label and step of entry of a grouping. Who never bought, or was never served, belongs to no cohort; nor who is first seen in service
    within a year of the first record of service, because earlier service is not on record."""
    buyers = f"SELECT customer_id, min(step) AS entered FROM {orders} WHERE orders > 0 GROUP BY 1"
    if grouping == "first_service":
        return f"""SELECT customer_id, 'all' AS label, {step("served_on", period)} AS entered
  FROM (SELECT customer_id, min(opened_on) AS served_on FROM service_orders WHERE customer_id IS NOT NULL GROUP BY 1) first_served
  WHERE customer_id IN (SELECT customer_id FROM {orders} WHERE orders > 0)
    AND served_on >= (SELECT min(opened_on) FROM service_orders) + INTERVAL 1 YEAR"""
    if grouping == "first_product":
        return f"""SELECT b.customer_id, coalesce(p.label, '{NOT_STATED}') AS label, b.entered FROM ({buyers}) b LEFT JOIN (
    SELECT customer_id, min_by(product_line, (ordered_on, order_id, line_no)) AS label
    FROM sales WHERE order_type IN ({listed(types)}) AND revenue > 0 AND ordered_on < {literal(cutoff)} GROUP BY 1) p ON p.customer_id = b.customer_id"""
    return f"SELECT customer_id, 'all' AS label, entered FROM ({buyers}) b"


def cohort_members(
    orders: str, grouping: Grouping, cutoff: dt.date, *, period: Width, types: Sequence[str]
) -> str:
    """The customers of the cohorts of a grouping: customer_id, label, step of entry (entered)."""
    last = step(literal(cutoff - dt.timedelta(days=1)), period)
    return f"SELECT * FROM ({_entry(orders, grouping, cutoff, period=period, types=types)}) AS members WHERE entered <= {last}"


def cohort_activity(members: str, orders: str) -> str:
    """What the members ordered from their entry on, one row per customer and step: age in steps, orders (paid ones), revenue, margin."""
    return f"""SELECT e.customer_id, e.label, e.entered, o.step - e.entered AS age, o.orders, o.revenue, o.margin
FROM ({members}) AS e JOIN {orders} o ON o.customer_id = e.customer_id AND o.step >= e.entered"""


Names = Sequence[tuple[int, str]]


def contract_cells(lives: str, names: Names, ages: int) -> str:
    """By cohort, age (in steps, up to ``ages``) and customer of the :func:`contract_lives`: ``active`` while the contract runs. ``names`` of the cohorts by their step."""
    return f"""SELECT n.cohort, a.age, l.customer_id, l.lost_in IS NULL OR l.lost_in > l.cohort + a.age AS active
FROM ({lives}) AS l JOIN ({_named(names)}) AS n ON n.step = l.cohort CROSS JOIN ({_ages(ages)}) AS a"""


def buyer_cells(members: str, activity: str, names: Names | None, ages: int, *, whole: int) -> str:
    """By cohort, age and customer of the :func:`cohort_members`: ``active`` where an order was placed in that step. Cohorts by label (no ``names``): only who is old enough for the age."""
    cohort, where = _cohort_of("m", names, whole)
    return f"""SELECT {cohort} AS cohort, a.age, m.customer_id, b.customer_id IS NOT NULL AS active
FROM ({members}) AS m {f"JOIN ({_named(names)}) AS n ON n.step = m.entered" if names else ""} CROSS JOIN ({_ages(ages)}) AS a
LEFT JOIN ({activity}) AS b ON b.customer_id = m.customer_id AND b.age = a.age AND b.orders > 0{where}"""


@study_view
def cohort_cells(cells: str) -> str:
    """The :func:`contract_cells` or the :func:`buyer_cells`: cohort, age, customer_id, active."""
    return f"SELECT * FROM ({cells}) AS cells"


@study_view
def cohort_brought(activity: str, names: Names | None, ages: int, *, whole: int) -> str:
    """By cohort and age, what its customers ordered up to that age, one row per customer and step: orders, revenue, margin."""
    cohort, where = _cohort_of("b", names, whole)
    return f"""SELECT {cohort} AS cohort, a.age, b.customer_id, b.age AS step, b.orders, b.revenue, b.margin
FROM ({activity}) AS b {f"JOIN ({_named(names)}) AS n ON n.step = b.entered" if names else ""} JOIN ({_ages(ages)}) AS a ON b.age <= a.age{where}"""


def _cohort_of(rows: str, names: Names | None, whole: int) -> tuple[str, str]:
    """The name of the cohort, and for labels the condition that a customer is old enough."""
    return ("n.cohort", "") if names else (f"{rows}.label", f" WHERE {rows}.entered + a.age <= {whole}")


def _named(names: Names) -> str:
    listed = ", ".join(f"({step}, {literal(name)})" for step, name in names)
    return f"SELECT * FROM (VALUES {listed}) AS named(step, cohort)"


def _ages(last: int) -> str:
    return f"SELECT unnest(range({last + 1})) AS age"


def purchase_cohorts(members: str, activity: str) -> str:
    """By label, step of entry and age: customers who ordered, orders, revenue, margin; and, with age null, the customers of the cohort."""
    return f"""WITH members AS ({members}), activity AS ({activity})
SELECT label, entered, age, count(*) FILTER (WHERE orders > 0) AS active, CAST(sum(orders) AS BIGINT) AS orders, sum(revenue) AS revenue, sum(margin) AS margin
FROM activity GROUP BY 1, 2, 3
UNION ALL SELECT label, entered, NULL, count(*), 0, 0, 0 FROM members GROUP BY 1, 2 ORDER BY 1, 2, 3"""


def _segment_at(rows: str, moment: str) -> str:
    """The segment that held at ``moment`` for each row of ``rows`` (customer_id, spell): history first, then the customer's own."""
    return f"""SELECT r.customer_id, r.spell, max_by(h.value, h.valid_from) AS segment FROM {rows} r
  JOIN customer_history h ON h.customer_id = r.customer_id AND h.attribute = 'segment' AND h.valid_from <= r.{moment} GROUP BY 1, 2"""


@study_view
def lifetimes(contracts: str, cutoff: dt.date, *, observed_from: dt.date) -> str:
    """Contract spells: customer_id, customer type, segment at start, kind, entry, duration (ages in days of twelfths of a year), lost, reason; several: the customer, where it has more spells than one."""
    since = literal(observed_from)
    return f"""WITH {contracts}, known(seen) AS (SELECT {known_until(cutoff)}), held AS ({_segment_at("spells", "begins")}), lived AS (
SELECT s.customer_id, coalesce(c.customer_type, '{NOT_STATED}') AS customer_type, coalesce(h.segment, c.segment, '{NOT_STATED}') AS segment, s.kind,
       {_age_at_end("s.")} AS duration, greatest({days_of_age("s.begins", since)}, 0) AS age_then, coalesce(s.ends < k.seen, FALSE) AS lost,
       CASE WHEN s.ends < k.seen THEN coalesce(c.churn_reason, '{NOT_STATED}') ELSE '' END AS reason
FROM spells s CROSS JOIN known k LEFT JOIN customers c ON c.customer_id = s.customer_id LEFT JOIN held h ON h.customer_id = s.customer_id AND h.spell = s.spell
WHERE {_watched("s.begins", "s.ends", since, "k.seen")}
)
SELECT customer_id, customer_type, segment, kind, {_before("age_then", "duration")} AS entry, duration, lost, reason,
       CASE WHEN count(*) OVER (PARTITION BY customer_id) > 1 THEN customer_id END AS several FROM lived"""


def _watched(begins: str, ends: str, since: str, seen: str) -> str:
    """A spell of which something is seen; one lost on its first day was there that morning."""
    last = f"least(coalesce({ends}, {seen}), {seen})"
    return f"({last} > greatest({begins}, {since}) OR ({ends} = {begins} AND {begins} >= {since} AND {ends} < {seen}))"


def life_patterns(lives: str) -> str:
    """The distinct patterns of :func:`lifetimes` with their number of customers; spells of one customer are patterns of its own."""
    columns = "customer_type, segment, kind, entry, duration, lost, reason, several"
    return f"SELECT {columns}, count(*) AS customers FROM ({lives}) AS lived GROUP BY ALL ORDER BY ALL"


def experience(cutoff: dt.date, *, surveys: bool, late: bool) -> str:
    """CTE ``felt``: by customer, the day from which each experience could count. Nothing enters when the ticket is opened.

    A complaint, or another request for help, enters at the landmark of its answer, when it is known whether it was answered by then; a repeat
    repair, and a repair that took more than one contact, when it is resolved; a low score (1 or 2 of 5) when it is answered.
    Of requests and repairs only a customer's first counts (``asked``, ``repaired``), and whether it waited or took more than one contact
    (``waited``, ``followed``): whoever comes often would otherwise be found among the badly served for coming often.
    Where it cannot be told whether answers were ``late``, nobody has had an answer, late or not.
    """
    until = literal(cutoff)
    low = (
        "SELECT customer_id, 'low' AS what, answered_on AS moment FROM answers WHERE kind = 'csat' AND score <= 2 AND answered_at IS NOT NULL"
        if surveys
        else "SELECT CAST(NULL AS VARCHAR) AS customer_id, 'low' AS what, CAST(NULL AS DATE) AS moment WHERE FALSE"
    )
    place = "row_number() OVER (PARTITION BY customer_id ORDER BY opened_at, ticket_id) AS place"
    known = "" if late else " AND FALSE"
    return f"""asked AS (
  SELECT ticket_type, customer_id, opened_at, ticket_id, answered_late, landmark_on, resolved_on, contacts FROM first_responses WHERE customer_id IS NOT NULL
), firsts AS (
  SELECT 'request' AS what, answered_late, landmark_on, resolved_on, contacts, customer_id, {place} FROM asked WHERE ticket_type NOT IN ('complaint', 'installation')
  UNION ALL SELECT 'repair', answered_late, landmark_on, resolved_on, contacts, customer_id, {place} FROM asked WHERE ticket_type = 'repair'
), moments AS (
  SELECT customer_id, CASE WHEN answered_late THEN 'slow' ELSE 'prompt' END AS what, landmark_on AS moment FROM asked WHERE ticket_type = 'complaint'{known}
  UNION ALL SELECT customer_id, 'repeat' AS what, resolved_on AS moment FROM repair_outcomes WHERE is_repeat AND resolved_on IS NOT NULL
  UNION ALL {low}
  UNION ALL SELECT customer_id, CASE WHEN answered_late THEN 'waited' ELSE 'answered' END AS what, landmark_on AS moment FROM firsts WHERE what = 'request' AND place = 1{known}
  UNION ALL SELECT customer_id, CASE WHEN contacts > 1 THEN 'followed' ELSE 'first' END AS what, resolved_on AS moment FROM firsts
  WHERE what = 'repair' AND place = 1 AND resolved_on IS NOT NULL AND contacts IS NOT NULL
), felt AS (
  SELECT customer_id, min(moment) FILTER (WHERE what = 'slow') AS slow_on, min(moment) FILTER (WHERE what = 'prompt') AS prompt_on,
         min(moment) FILTER (WHERE what = 'repeat') AS repeat_on, min(moment) FILTER (WHERE what = 'low') AS low_on,
         min(moment) FILTER (WHERE what IN ('waited', 'answered')) AS asked_on, min(moment) FILTER (WHERE what = 'waited') AS waited_on,
         min(moment) FILTER (WHERE what IN ('followed', 'first')) AS repaired_on, min(moment) FILTER (WHERE what = 'followed') AS followed_on
  FROM moments WHERE customer_id IS NOT NULL AND moment < {until} GROUP BY 1
)"""


def margin_of_the_affected(
    contracts: str, felt: str, cutoff: dt.date, first: dt.date, exposures: Sequence[str]
) -> str:
    """Yearly margin of orders (at least zero) of the customers under contract who had each experience from ``first`` on: exposure, customers, margin."""
    end, since = literal(cutoff), literal(first)
    each = "\n  UNION ALL ".join(
        f"SELECT {literal(name)} AS exposure, customer_id FROM felt WHERE {name}_on >= {since}"
        for name in exposures
    )
    return f"""WITH {contracts}, {felt}, affected AS (
  {each}
), there AS (SELECT DISTINCT customer_id FROM spells WHERE ends IS NULL), earned AS (
  SELECT customer_id, greatest(sum(gross_margin), 0) AS margin FROM order_lines WHERE ordered_on >= {since} AND ordered_on < {end} GROUP BY 1
)
SELECT a.exposure, count(*) AS customers, CAST(coalesce(sum(e.margin), 0) AS DOUBLE) AS margin
FROM affected a JOIN there t ON t.customer_id = a.customer_id LEFT JOIN earned e ON e.customer_id = a.customer_id GROUP BY 1 ORDER BY 1"""


EXPOSURES = ("slow", "prompt", "repeat", "low")
HANDLING = ("asked", "waited", "repaired", "followed")


def exposure_rows(
    contracts: str,
    felt: str,
    cutoff: dt.date,
    *,
    observed_from: dt.date,
    exposures: Sequence[str] = EXPOSURES,
) -> str:
    """Start-stop rows of contract spells, cut where an experience begins or the segment changes, counted by pattern.

    One row per distinct pattern: kind, customer_type, segment, the exposures (as they stood when the piece began), ever_slow, entry, stop (age of the contract, in days of twelfths of a year), lost, several (the customer, where it has more spells than one), customers.
    """
    since = literal(observed_from)
    cuts = "\n".join(
        f"  UNION SELECT w.customer_id, w.spell, f.{name}_on FROM watched w JOIN felt f ON f.customer_id = w.customer_id WHERE f.{name}_on > w.lo AND f.{name}_on < w.hi"
        for name in exposures
    )
    flags = ", ".join(f"coalesce(f.{name}_on <= x.moment, FALSE) AS {name}" for name in exposures)
    return f"""WITH {contracts}, {felt}, known(seen) AS (SELECT {known_until(cutoff)}), watched AS (
  SELECT customer_id, spell, kind, begins, greatest(begins, {since}) AS lo, least(coalesce(ends, seen), seen) AS hi, coalesce(ends < seen, FALSE) AS lost,
         CASE WHEN count(*) OVER (PARTITION BY customer_id) > 1 THEN customer_id END AS several,
         {_age_at_end("")} AS last_age
  FROM spells CROSS JOIN known WHERE {_watched("begins", "ends", since, "seen")}
), cuts AS (
  SELECT customer_id, spell, lo AS moment FROM watched
{cuts}
  UNION SELECT w.customer_id, w.spell, h.valid_from FROM watched w JOIN customer_history h ON h.customer_id = w.customer_id AND h.attribute = 'segment'
  WHERE h.valid_from > w.lo AND h.valid_from < w.hi
), pieces AS (
  SELECT *, lead(moment) OVER (PARTITION BY customer_id, spell ORDER BY moment) AS next_moment FROM cuts
), held AS (
  SELECT p.customer_id, p.spell, p.moment, max_by(h.value, h.valid_from) AS segment FROM pieces p
  JOIN customer_history h ON h.customer_id = p.customer_id AND h.attribute = 'segment' AND h.valid_from <= p.moment GROUP BY 1, 2, 3
), cut AS (
SELECT w.kind, coalesce(c.customer_type, '{NOT_STATED}') AS customer_type, coalesce(h.segment, c.segment, '{NOT_STATED}') AS segment, {flags},
       coalesce(f.slow_on < w.hi, FALSE) AS ever_slow, coalesce(f.repeat_on < w.hi, FALSE) AS ever_repeat,
       {_before(days_of_age("w.begins", "x.moment"), "w.last_age")} AS entry,
       CASE WHEN x.next_moment IS NULL THEN w.last_age ELSE {_before(days_of_age("w.begins", "x.next_moment"), "w.last_age")} END AS stop,
       w.lost AND x.next_moment IS NULL AS lost, w.several, count(*) AS customers
FROM pieces x JOIN watched w ON w.customer_id = x.customer_id AND w.spell = x.spell
LEFT JOIN felt f ON f.customer_id = x.customer_id LEFT JOIN customers c ON c.customer_id = x.customer_id
LEFT JOIN held h ON h.customer_id = x.customer_id AND h.spell = x.spell AND h.moment = x.moment
GROUP BY ALL
)
SELECT * FROM cut WHERE entry < stop ORDER BY ALL"""


def snapshot_rows(
    contracts: str, felt: str, cutoff: dt.date, days: Sequence[dt.date], *, horizon_months: int
) -> str:
    """One row per customer under contract and snapshot day, with what was known that morning and, where the horizon has passed, the loss."""
    listed = ", ".join(f"({literal(one)})" for one in days)
    return f"""WITH {contracts}, {felt}, known(seen) AS (SELECT {known_until(cutoff)}), days(snapshot) AS (VALUES {listed}), present AS (
  SELECT d.snapshot, s.customer_id, s.spell, s.kind, s.begins, s.ends FROM spells s
  JOIN days d ON s.begins < d.snapshot AND (s.ends IS NULL OR s.ends >= d.snapshot)
), terms_now AS (
  SELECT p.snapshot, p.customer_id, sum(t.yearly_amount) AS yearly, min(datediff('day', p.snapshot, t.due_on)) AS days_to_renewal
  FROM present p JOIN terms t ON t.customer_id = p.customer_id AND t.starts_on < p.snapshot AND coalesce(t.stands_until >= p.snapshot, TRUE) GROUP BY 1, 2
), held AS (
  SELECT p.snapshot, p.customer_id, max_by(h.value, h.valid_from) AS segment FROM present p
  JOIN customer_history h ON h.customer_id = p.customer_id AND h.attribute = 'segment' AND h.valid_from < p.snapshot GROUP BY 1, 2
), served AS (
  SELECT p.snapshot, p.customer_id, count(*) AS tickets_12m, count(*) FILTER (WHERE t.ticket_type = 'complaint') AS complaints_12m,
         count(*) FILTER (WHERE t.ticket_type = 'repair') AS repairs_12m
  FROM present p JOIN service_orders t ON t.customer_id = p.customer_id AND t.opened_on < p.snapshot AND t.opened_on >= p.snapshot - INTERVAL 12 MONTH GROUP BY 1, 2
), ordered AS (
  SELECT p.snapshot, p.customer_id, count(*) AS orders_24m,
         sum(o.gross_margin) FILTER (WHERE o.ordered_on >= p.snapshot - INTERVAL 12 MONTH) AS margin_12m
  FROM present p JOIN order_lines o ON o.customer_id = p.customer_id AND o.ordered_on < p.snapshot AND o.ordered_on >= p.snapshot - INTERVAL 24 MONTH GROUP BY 1, 2
)
SELECT p.snapshot, p.customer_id, c.customer_type, c.region, c.channel, p.kind AS contract_kind, coalesce(h.segment, c.segment, '{NOT_STATED}') AS segment,
       {full_months("p.begins", "p.snapshot")} AS tenure_months, n.yearly AS contract_value, n.days_to_renewal,
       coalesce(v.tickets_12m, 0) AS tickets_12m, coalesce(v.complaints_12m, 0) AS complaints_12m, coalesce(v.repairs_12m, 0) AS repairs_12m,
       coalesce(f.slow_on < p.snapshot, FALSE) AS late_complaint, coalesce(f.repeat_on < p.snapshot, FALSE) AS repeat_repair,
       coalesce(o.orders_24m, 0) AS orders_24m, o.margin_12m,
       CASE WHEN p.snapshot + INTERVAL {horizon_months} MONTH <= k.seen THEN coalesce(p.ends < p.snapshot + INTERVAL {horizon_months} MONTH, FALSE) END AS lost
FROM present p CROSS JOIN known k LEFT JOIN customers c ON c.customer_id = p.customer_id LEFT JOIN terms_now n ON n.snapshot = p.snapshot AND n.customer_id = p.customer_id
LEFT JOIN held h ON h.snapshot = p.snapshot AND h.customer_id = p.customer_id LEFT JOIN served v ON v.snapshot = p.snapshot AND v.customer_id = p.customer_id
LEFT JOIN ordered o ON o.snapshot = p.snapshot AND o.customer_id = p.customer_id LEFT JOIN felt f ON f.customer_id = p.customer_id
ORDER BY 1, 2"""


def repurchase_strata(
    felt: str,
    cutoff: dt.date,
    landmarks: Sequence[dt.date],
    *,
    windows_months: Sequence[int],
    types: Sequence[str],
    severities: Sequence[str],
) -> str:
    """Customers at each landmark, with and without service in the quarter before, by what else tells buyers apart, and who bought again in time.

    Served: a repair, complaint, return or exchange resolved in the three months before the landmark, none before that. Not served: no such
    ticket at all by then (service after the landmark does not matter: it could not be known). ``bad``: a complaint answered late or a repeat repair
    by the landmark. One row per landmark, customer type, segment, band of orders, of recency and of age, arm and severity (the gravest of a customer's;
    ``severities`` lists them from light to grave): customers, and bought_N (orders of the ``types``) for each window of N months (a landmark
    whose window is not over is the caller's to leave out).
    """
    moments = ", ".join(f"({literal(one)})" for one in landmarks)
    again = ", ".join(
        f"count(*) FILTER (WHERE next_on < landmark + INTERVAL {months} MONTH) AS bought_{months}"
        for months in windows_months
    )
    return f"""WITH {felt}, days(landmark) AS (VALUES {moments}), tickets_of AS (
  SELECT customer_id, opened_on, resolved_on, severity FROM service_orders
  WHERE ticket_type IN ('repair', 'complaint', 'return', 'exchange') AND customer_id IS NOT NULL
), bought AS (
  SELECT DISTINCT customer_id, order_id, ordered_on AS bought_on FROM order_lines WHERE order_type IN ({listed(types)}) AND revenue > 0 AND ordered_on < {literal(cutoff)}
), standing AS (
  SELECT d.landmark, b.customer_id, count(*) FILTER (WHERE b.bought_on < d.landmark) AS orders_before,
         max(b.bought_on) FILTER (WHERE b.bought_on < d.landmark) AS last_on, min(b.bought_on) AS first_on,
         min(b.bought_on) FILTER (WHERE b.bought_on >= d.landmark) AS next_on
  FROM bought b JOIN days d ON b.bought_on < d.landmark + INTERVAL {max(windows_months)} MONTH GROUP BY 1, 2
), served AS (
  SELECT d.landmark, t.customer_id, min(t.opened_on) AS first_opened, min(t.resolved_on) AS first_resolved,
         {_gravest(severities)} AS severity
  FROM tickets_of t JOIN days d ON t.opened_on < d.landmark GROUP BY 1, 2
), held AS (
  SELECT s.landmark, s.customer_id, max_by(h.value, h.valid_from) AS segment FROM standing s
  JOIN customer_history h ON h.customer_id = s.customer_id AND h.attribute = 'segment' AND h.valid_from < s.landmark WHERE s.orders_before > 0 GROUP BY 1, 2
), placed AS (
  SELECT s.landmark, coalesce(c.customer_type, '{NOT_STATED}') AS customer_type, coalesce(h.segment, c.segment, '{NOT_STATED}') AS segment,
         least(s.orders_before, 4) AS orders_band,
         least(CAST(floor(datediff('day', s.last_on, s.landmark) / 180.0) AS INTEGER), 4) AS recency_band,
         least(CAST(floor(datediff('day', s.first_on, s.landmark) / 365.0) AS INTEGER), 5) AS age_band,
         CASE WHEN v.customer_id IS NULL THEN 'none'
              WHEN v.first_opened >= s.landmark - INTERVAL 3 MONTH AND v.first_resolved < s.landmark THEN
                   CASE WHEN coalesce(f.slow_on < s.landmark, FALSE) OR coalesce(f.repeat_on < s.landmark, FALSE) THEN 'bad' ELSE 'good' END
         END AS arm,
         CASE WHEN v.customer_id IS NULL THEN 'none' ELSE v.severity END AS severity, s.next_on
  FROM standing s LEFT JOIN customers c ON c.customer_id = s.customer_id LEFT JOIN served v ON v.landmark = s.landmark AND v.customer_id = s.customer_id
  LEFT JOIN felt f ON f.customer_id = s.customer_id LEFT JOIN held h ON h.landmark = s.landmark AND h.customer_id = s.customer_id
  WHERE s.orders_before > 0
)
SELECT landmark, customer_type, segment, orders_band, recency_band, age_band, arm, severity, count(*) AS customers, {again}
FROM placed WHERE arm IS NOT NULL GROUP BY ALL ORDER BY ALL"""


def _gravest(severities: Sequence[str]) -> str:
    """The gravest of a group's severities that are listed, from light to grave; a word that is not listed has no place in the order."""
    cases = [f"WHEN bool_or(t.severity = {literal(one)}) THEN {literal(one)}" for one in reversed(severities)]
    return f"CASE {' '.join(cases)} ELSE '{NOT_STATED}' END" if cases else f"'{NOT_STATED}'"


def leavers_strata(contracts: str, felt: str, landmarks: Sequence[dt.date], *, window_months: int) -> str:
    """Customers under contract at each landmark, after a repair and without one, by what else tells leavers apart, and who was lost in time.

    ``repaired``: a repair resolved in the three months before the landmark; ``repeated``: one of them a repeat repair; ``none``: no ticket of
    any kind but an installation by then. One row per landmark, kind, customer type, segment, months to the end of the running term (the risk of a
    yearly term lies there), band of tenure and arm: customers, hits (lost within the window).
    """
    listed = ", ".join(f"({literal(one)})" for one in landmarks)
    return f"""WITH {contracts}, {felt}, days(landmark) AS (VALUES {listed}), present AS (
  SELECT d.landmark, s.customer_id, s.kind, s.begins, s.ends FROM spells s JOIN days d ON s.begins < d.landmark AND (s.ends IS NULL OR s.ends >= d.landmark)
), due AS (
  SELECT p.landmark, p.customer_id, min({full_months("p.landmark", "t.due_on")}) AS due_in
  FROM present p JOIN terms t ON t.customer_id = p.customer_id AND t.starts_on < p.landmark AND coalesce(t.stands_until > p.landmark, TRUE) GROUP BY 1, 2
), held AS (
  SELECT p.landmark, p.customer_id, max_by(h.value, h.valid_from) AS segment FROM present p
  JOIN customer_history h ON h.customer_id = p.customer_id AND h.attribute = 'segment' AND h.valid_from < p.landmark GROUP BY 1, 2
), repaired AS (
  SELECT DISTINCT d.landmark, t.customer_id FROM days d JOIN (SELECT customer_id, resolved_on FROM service_orders WHERE ticket_type = 'repair' AND resolved_on IS NOT NULL) t
    ON t.resolved_on < d.landmark AND t.resolved_on >= d.landmark - INTERVAL 3 MONTH
), asked AS (
  SELECT customer_id, min(opened_on) AS first_on FROM service_orders WHERE ticket_type <> 'installation' AND customer_id IS NOT NULL GROUP BY 1
), placed AS (
  SELECT p.landmark, p.kind, coalesce(c.customer_type, '{NOT_STATED}') AS customer_type, coalesce(h.segment, c.segment, '{NOT_STATED}') AS segment,
         coalesce(d.due_in, -1) AS due_in, least(CAST(floor({full_months("p.begins", "p.landmark")} / 12.0) AS INTEGER), 3) AS age_band,
         CASE WHEN r.customer_id IS NOT NULL THEN CASE WHEN f.repeat_on < p.landmark AND f.repeat_on >= p.landmark - INTERVAL 3 MONTH THEN 'repeated' ELSE 'repaired' END
              WHEN a.first_on IS NULL OR a.first_on >= p.landmark THEN 'none' END AS arm,
         coalesce(p.ends < p.landmark + INTERVAL {window_months} MONTH, FALSE) AS lost
  FROM present p LEFT JOIN customers c ON c.customer_id = p.customer_id LEFT JOIN due d ON d.landmark = p.landmark AND d.customer_id = p.customer_id
  LEFT JOIN held h ON h.landmark = p.landmark AND h.customer_id = p.customer_id LEFT JOIN repaired r ON r.landmark = p.landmark AND r.customer_id = p.customer_id
  LEFT JOIN asked a ON a.customer_id = p.customer_id LEFT JOIN felt f ON f.customer_id = p.customer_id
)
SELECT landmark, kind, customer_type, segment, due_in, age_band, arm, count(*) AS customers, count(*) FILTER (WHERE lost) AS bought
FROM placed WHERE arm IS NOT NULL GROUP BY ALL ORDER BY ALL"""


@study_view
def renewals(contracts: str, first: dt.date, until: dt.date) -> str:
    """Terms that come up for renewal: contract, customer and its type, month and yearly value; ``rolling`` ones come up every month or two."""
    return f"""WITH {contracts}
SELECT t.contract_id, t.term_no, t.customer_id, coalesce(c.customer_type, '{NOT_STATED}') AS customer_type, t.until AS due_on,
       CAST(date_trunc('month', t.until) AS DATE) AS month, t.yearly_amount, {ROLLING} AS rolling
FROM terms t JOIN spells s ON s.customer_id = t.customer_id AND s.ends IS NULL AND t.starts_on >= s.begins
LEFT JOIN customers c ON c.customer_id = t.customer_id
-- a term that an upgrade took the place of comes up no more
WHERE t.outcome = 'running' AND t.until >= {literal(first)} AND t.until < {literal(until)}"""


@study_view
def snapshots(table: str) -> str:
    """The :func:`snapshot_rows` as a table holds them."""
    return f"SELECT * FROM {table}"


def purchase_patterns(
    cutoff: dt.date, moment: dt.date, *, acquired_before: dt.date, types: Sequence[str]
) -> str:
    """Frequency, recency and age in weeks at ``moment`` of customers acquired before a day, without a contract that can be renewed (as known at ``cutoff``), by customer type, with their number."""
    return f"""WITH days AS (
  SELECT customer_id, bought_on FROM purchase_days WHERE order_type IN ({listed(types)}) AND bought_on < {literal(moment)} AND {_without_contract(cutoff)}
), one AS (
  SELECT customer_id, count(*) - 1 AS frequency, CAST(floor(datediff('day', min(bought_on), max(bought_on)) / 7.0) AS INTEGER) AS recency,
         CAST(ceil(datediff('day', min(bought_on), {literal(moment)}) / 7.0) AS INTEGER) AS age
  FROM days GROUP BY 1 HAVING min(bought_on) < {literal(acquired_before)})
SELECT coalesce(c.customer_type, '{NOT_STATED}') AS customer_type, frequency, CASE WHEN frequency = 0 THEN 0 ELSE greatest(recency, 1) END AS recency,
       greatest(age, CASE WHEN frequency = 0 THEN 1 ELSE greatest(recency, 1) END) AS age, count(*) AS customers
FROM one LEFT JOIN customers c ON c.customer_id = one.customer_id GROUP BY ALL ORDER BY ALL"""


@study_view
def surveys_sent(cutoff: dt.date, first: dt.date, *, late: bool) -> str:
    """Surveys sent from ``first`` to the day before ``cutoff``; ``exposure`` of those about a complaint: answered late (slow) or not, where that can be told."""
    about = (
        "CASE WHEN f.ticket_type = 'complaint' THEN CASE f.answered_late WHEN TRUE THEN 'slow' ELSE 'prompt' END END"
        if late
        else "CAST(NULL AS VARCHAR)"
    )
    return f"""SELECT s.survey_id, s.kind, s.ticket_id, s.sent_on, s.answered, {about} AS exposure
FROM surveys_sent s LEFT JOIN first_responses f ON f.ticket_id = s.ticket_id WHERE s.sent_on >= {literal(first)} AND s.sent_on < {literal(cutoff)}"""


CUSTOMER_GROUPS = 1000


def customer_group(customer: str, else_row: str) -> str:
    """One of a thousand groups of customers: whatever a customer asked, answered or cost stands in one of them, and a frame of groups stays small.

    Errors that allow for dependence within a group allow for it within a customer; a row without a customer stands for itself.
    """
    return f"CAST(hash(coalesce({customer}, {else_row})) % {CUSTOMER_GROUPS} AS INTEGER)"


def link_score(cutoff: dt.date) -> str:
    """Complaints with an answered satisfaction survey: answered late or not, segment, group of customers, low score or not, number."""
    return f"""SELECT s.answered_late AS exposed, {customer_group("s.customer_id", "s.ticket_id")} AS customers,
       concat(coalesce(s.customer_type, '{NOT_STATED}'), '|', coalesce(s.segment, '{NOT_STATED}')) AS stratum, v.score <= 2 AS hit, count(*) AS n
FROM first_responses s JOIN answers v ON v.ticket_id = s.ticket_id AND v.kind = 'csat'
WHERE s.ticket_type = 'complaint' AND v.answered_on < {literal(cutoff)} GROUP BY ALL ORDER BY ALL"""


def link_recommendation(cutoff: dt.date, *, lookback_days: int) -> str:
    """Recommendation answers of customers with a ticket in the ``lookback_days`` before: late first response on the last ticket or not, group of customers, detractor or not."""
    return f"""WITH asked AS (
  SELECT v.survey_id, v.customer_id, v.score, v.answered_at,
         max_by(t.answered_late, (t.opened_at, t.ticket_id)) AS exposed,
         max_by(t.ticket_type, (t.opened_at, t.ticket_id)) AS ticket_type
  -- the last ticket whose landmark had passed: before it nobody knows whether the answer was late
  FROM answers v JOIN first_responses t ON t.customer_id = v.customer_id AND t.landmark_at < v.answered_at AND t.opened_at >= v.answered_at - INTERVAL {lookback_days} DAY
  WHERE v.kind = 'nps' AND v.answered_on < {literal(cutoff)} GROUP BY 1, 2, 3, 4
)
SELECT exposed, {customer_group("asked.customer_id", "asked.survey_id")} AS customers,
       concat(coalesce(c.customer_type, '{NOT_STATED}'), '|', coalesce(c.segment, '{NOT_STATED}'), '|', ticket_type) AS stratum, score <= 6 AS hit, count(*) AS n
FROM asked LEFT JOIN customers c ON c.customer_id = asked.customer_id GROUP BY ALL ORDER BY ALL"""


def link_answers(cutoff: dt.date, since: dt.date) -> str:
    """Recommendation answers by region and month: answers and detractors (0 to 6)."""
    return f"""SELECT coalesce(c.region, '{NOT_STATED}') AS region, CAST(date_trunc('month', v.answered_on) AS DATE) AS first_day,
       count(*) AS answers, count(*) FILTER (WHERE v.score <= 6) AS hits
FROM answers v LEFT JOIN customers c ON c.customer_id = v.customer_id
WHERE v.kind = 'nps' AND v.answered_on < {literal(cutoff)} AND v.answered_on >= {literal(since)} GROUP BY 1, 2 ORDER BY 1, 2"""


def link_backlog(cutoff: dt.date, since: dt.date) -> str:
    """By region and month: median hours to first response of the tickets opened, tickets opened, and tickets still open at the month's end."""
    return f"""WITH served AS (
  SELECT coalesce(region, '{NOT_STATED}') AS region, CAST(date_trunc('month', opened_on) AS DATE) AS first_day, opened_on, resolved_on,
         response_hours AS hours FROM first_responses WHERE opened_on < {literal(cutoff)} AND opened_on >= {literal(since)}
), months AS (SELECT DISTINCT first_day FROM served), waits AS (
  SELECT region, first_day, median(hours) AS hours, count(*) AS opened FROM served GROUP BY 1, 2
), waiting AS (
  SELECT s.region, m.first_day, count(*) AS still_open FROM served s
  JOIN months m ON s.opened_on < m.first_day + INTERVAL 1 MONTH AND (s.resolved_on IS NULL OR s.resolved_on >= m.first_day + INTERVAL 1 MONTH) GROUP BY 1, 2
)
SELECT w.region, w.first_day, w.hours, w.opened, coalesce(x.still_open, 0) AS still_open FROM waits w
LEFT JOIN waiting x ON x.region = w.region AND x.first_day = w.first_day ORDER BY 1, 2"""


def link_cost() -> str:
    """Repairs by whether more than one contact was needed: tickets and direct cost, by product line, severity and group of customers."""
    return f"""WITH spent AS (SELECT ticket_id, sum(amount) AS amount FROM cost WHERE {DIRECT} GROUP BY 1)
SELECT s.contacts > 1 AS exposed, concat(coalesce(s.product_line, '{NOT_STATED}'), '|', coalesce(s.severity, '{NOT_STATED}')) AS stratum,
       {customer_group("s.customer_id", "s.ticket_id")} AS customers, count(*) AS n, CAST(coalesce(sum(p.amount), 0) AS DOUBLE) AS total
FROM service s LEFT JOIN spent p ON p.ticket_id = s.ticket_id WHERE s.ticket_type = 'repair' AND s.contacts IS NOT NULL AND s.resolved_at IS NOT NULL
GROUP BY ALL ORDER BY ALL"""
