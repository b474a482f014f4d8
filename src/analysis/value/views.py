"""SQL of the value study over the shared views: purchases, contracts and service cost of each customer at a cutoff, and what each is expected to bring.

Nothing on or after ``cutoff`` is seen. Purchases of one customer on one business day are one purchase of their summed value: they carry no
time between them. Sums of money are taken over decimals, so that they do not depend on the order of rows.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence

from analysis.metrics.backend import listed, literal, quoted
from analysis.metrics.steady import exact_sum
from analysis.metrics.views import NOT_STATED, at, full_months, held_as
from analysis.metrics.views.selection import study_view, worded

DIMENSIONS = ("customer_type", "segment", "region", "channel", "product_line", "cohort", "tier", "kind")
# wide: what a model makes of money may be larger than any posting
CENTS = "DECIMAL(38, 2)"
FINE = "DECIMAL(38, 6)"


def _bought(types: Sequence[str], condition: str) -> str:
    """Purchase days in the given types of orders: customer_id, bought_on, spend, orders (an order of two types counts in each)."""
    return f"""SELECT customer_id, bought_on, sum(spend) AS spend, sum(orders) AS orders FROM purchase_days
  WHERE order_type IN ({listed(types)}) AND {condition} GROUP BY 1, 2"""


def purchases(cutoff: dt.date, types: Sequence[str]) -> str:
    """One row per customer who bought: repeat purchase days ``x``, ``recency`` and ``age`` in whole weeks (rounded up), ``mean_spend`` of all purchase days.

    ``first_spend`` is the first day's. ``merged`` are orders that fell on a day with another order of the customer.
    """
    end = literal(cutoff)
    return f"""WITH orders_of_day AS (
  {_bought(types, f"bought_on < {end}")}
), held AS (
  SELECT customer_id, max_by(value, valid_from) AS segment FROM customer_history WHERE attribute = 'segment' AND valid_from < {end} GROUP BY 1
), known AS (
  SELECT customer_id, count(*) - 1 AS x, min(bought_on) AS first_on, max(bought_on) AS last_on, sum(spend) AS spend, min_by(spend, bought_on) AS first_spend,
         sum(orders) - count(*) AS merged FROM orders_of_day GROUP BY 1
)
SELECT k.customer_id, CAST(k.x AS BIGINT) AS x, k.first_on, k.last_on, CAST(k.merged AS BIGINT) AS merged,
       CAST(ceil(datediff('day', k.first_on, k.last_on) / 7.0) AS BIGINT) AS recency, CAST(ceil((datediff('day', k.first_on, {end}) - 1) / 7.0) AS BIGINT) AS age,
       CAST(k.spend AS DOUBLE) / (k.x + 1) AS mean_spend, CAST(k.first_spend AS DOUBLE) AS first_spend,
       coalesce(c.customer_type, '{NOT_STATED}') AS customer_type, coalesce(c.channel, '{NOT_STATED}') AS channel,
       coalesce(h.segment, c.segment, '{NOT_STATED}') AS segment
FROM known k LEFT JOIN customers c ON c.customer_id = k.customer_id LEFT JOIN held h ON h.customer_id = k.customer_id"""


GROUPINGS: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "customer_type": ("customer_type",),
    "type_channel": ("customer_type", "channel"),
    "type_segment": ("customer_type", "segment"),
}


def group_of(grouping: str, alias: str = "") -> str:
    """The group of a customer as one text."""
    names = [f"{alias}{name}" for name in GROUPINGS[grouping]]
    return f"concat_ws('|', {', '.join(names)})" if names else "'all'"


def patterns(table: str, grouping: str) -> str:
    """Distinct (group, x, recency, age) with the number of customers."""
    return f"SELECT {group_of(grouping)} AS grp, x, recency, age, count(*) AS customers FROM {table} GROUP BY ALL ORDER BY ALL"


def holdout(table: str, end: dt.date, cutoff: dt.date, types: Sequence[str]) -> str:
    """Patterns known at ``end`` with the purchase days of the holdout after it: ``bought`` and its square, by every grouping column."""
    return f"""WITH days AS (
  {_bought(types, f"bought_on >= {literal(end)} AND bought_on < {literal(cutoff)}")}
), later AS (
  SELECT customer_id, count(*) AS bought FROM days GROUP BY 1
)
SELECT p.customer_type, p.channel, p.segment, p.x, p.recency, p.age, count(*) AS customers, CAST(sum(coalesce(l.bought, 0)) AS BIGINT) AS bought,
       CAST(sum(coalesce(l.bought, 0) * coalesce(l.bought, 0)) AS BIGINT) AS squares, CAST(sum(CASE WHEN l.bought > 0 THEN 1 ELSE 0 END) AS BIGINT) AS buyers
FROM {table} p LEFT JOIN later l ON l.customer_id = p.customer_id GROUP BY ALL ORDER BY ALL"""


def holdout_weeks(table: str, end: dt.date, cutoff: dt.date, types: Sequence[str]) -> str:
    """Purchase days of the known customers by week after ``end`` (1, 2, …)."""
    return f"""WITH days AS (
  {_bought(types, f"bought_on >= {literal(end)} AND bought_on < {literal(cutoff)}")}
)
SELECT CAST(floor(datediff('day', {literal(end)}, d.bought_on) / 7.0) AS BIGINT) + 1 AS week, count(*) AS bought
FROM days d JOIN {table} p ON p.customer_id = d.customer_id GROUP BY 1 ORDER BY 1"""


def holdout_days(
    table: str,
    end: dt.date,
    cutoff: dt.date,
    types: Sequence[str],
    *,
    week: int = 0,
    repeats: tuple[int, int] | None = None,
) -> str:
    """Purchase days after ``end`` of the customers known at it: up to a week, or of those with so many repeat purchases (from, to)."""
    until = f" AND datediff('day', {literal(end)}, d.bought_on) < {7 * week}" if week else ""
    of_class = f" AND p.x BETWEEN {repeats[0]} AND {repeats[1]}" if repeats else ""
    return f"""SELECT d.*, p.x FROM ({_bought(types, f"bought_on >= {literal(end)} AND bought_on < {literal(cutoff)}")}) d
JOIN {table} p ON p.customer_id = d.customer_id WHERE TRUE{until}{of_class}"""


@study_view
def model_rows(table: str, column: str = "1") -> str:
    """What a purchase model stands on, with the ``size`` of each row: itself, or what a column counts."""
    return f"SELECT *, {column} AS size FROM {table}"


def spends(table: str) -> str:
    """Number of purchases and mean spend, grouped where means differ by less than about one percent."""
    return f"""SELECT customer_type AS grp, x + 1 AS purchases, round(ln(mean_spend) * 100) AS place, CAST(avg(CAST(mean_spend AS {FINE})) AS DOUBLE) AS mean_spend, count(*) AS customers
FROM {table} WHERE mean_spend > 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""


@study_view
def margin_lines(cutoff: dt.date, types: Sequence[str], customer_type: str = "") -> str:
    """Lines of purchases of the last 24 months, of one customer type or of all."""
    of_type = (
        f" AND coalesce(c.customer_type, '{NOT_STATED}') = {literal(customer_type)}" if customer_type else ""
    )
    return f"""SELECT o.*, coalesce(c.customer_type, '{NOT_STATED}') AS grp FROM order_lines o LEFT JOIN customers c ON c.customer_id = o.customer_id
WHERE o.order_type IN ({listed(types)}) AND o.ordered_on < {literal(cutoff)} AND o.ordered_on >= {literal(cutoff)} - INTERVAL 24 MONTH{of_type}"""


def margin_shares(cutoff: dt.date, types: Sequence[str]) -> str:
    """Gross margin (refunds taken off) on positive revenue of the last 24 months, by customer type."""
    return f"""SELECT grp, sum(gross_margin) AS margin, sum(revenue) FILTER (WHERE revenue > 0) AS revenue
FROM ({margin_lines(cutoff, types)}) o GROUP BY 1 ORDER BY 1"""


# -- contracts ---------------------------------------------------------------------------------------------------------


LENGTHS = (1, 3, 6, 12, 24, 36, 48, 60)  # months for which terms are sold
LENGTH_SLACK = 0.2  # share by which the length of a term may be off the one that it is sold for


def term_length(term_months: str) -> str:
    """SQL of the length in months for which a term is sold: eleven months and thirteen are a year; a length that nobody sells stands for itself."""
    near = " ".join(
        f"WHEN {term_months} BETWEEN {math.ceil(length * (1 - LENGTH_SLACK))} AND {math.floor(length * (1 + LENGTH_SLACK))} THEN {length}"
        for length in LENGTHS
    )
    return f"CASE {near} ELSE CAST({term_months} AS BIGINT) END"


def term_runs(cutoff: dt.date) -> str:
    """Terms with the ``length`` they are sold for and the ``renewals`` made at it: who goes from monthly to yearly terms begins to renew yearly ones.

    ``changed``: the term was renewed at another length, so its run ends with a renewal made. ``seen`` is false where earlier terms of the run are unknown.
    """
    length, one = term_length("term_months"), "PARTITION BY contract_id ORDER BY term_no"
    return f"""SELECT t.*, CASE WHEN t.run_first = t.first_term THEN t.term_no - 1 ELSE t.term_no - t.run_first END AS renewals,
       t.run_first > t.first_term OR t.first_term = 1 AS seen, t.outcome = 'renewed' AND t.next_length <> t.length AS changed
FROM (
  SELECT p.*, max(CASE WHEN p.length_before = p.length THEN NULL ELSE p.term_no END) OVER ({one} ROWS UNBOUNDED PRECEDING) AS run_first
  FROM (
    SELECT n.*, lag(n.length) OVER ({one}) AS length_before, lead(n.length) OVER ({one}) AS next_length
    FROM (SELECT *, {length} AS length FROM {at("contract_terms", cutoff)}) n
  ) p
) t"""


_LAST_OF_RUN = "(t.outcome IN ('lost', 'running', 'cancelled', 'in_grace') OR t.changed)"
_MADE = "t.renewals + CASE WHEN t.changed THEN 1 ELSE 0 END"


def renewals(cutoff: dt.date) -> str:
    """Contracts by kind, length of term, customer type, year they began, renewals made and outcome of the last term; ``seen`` is false where earlier terms are unknown.

    A contract cancelled in a term that has not ended counts as running here: of its neighbours, only those who cancelled would be known
    before the renewal falls due, and every last renewal would look like a loss. A contract that goes on at another length has made its renewal.
    """
    return f"""SELECT t.kind, t.length, coalesce(c.customer_type, '{NOT_STATED}') AS customer_type, CAST(year(t.began_on) AS VARCHAR) AS cohort, {_MADE} AS renewals,
       CASE WHEN t.outcome = 'lost' THEN 'lost' ELSE 'running' END AS outcome, t.seen, count(*) AS contracts
FROM ({term_runs(cutoff)}) t LEFT JOIN customers c ON c.customer_id = t.customer_id
WHERE {_LAST_OF_RUN} GROUP BY ALL ORDER BY ALL"""


@study_view
def renewals_due(cutoff: dt.date, kind: str, renewal: int, length: int | None = None) -> str:
    """Contracts of one kind (and ``length`` of term in months) due for their n-th renewal, ``renewed`` where they made it; only contracts whose first term is known."""
    made = f"{_MADE} >= {renewal}"
    of_length = "" if length is None else f" AND t.length = {length}"
    return f"""SELECT t.*, {made} AS renewed FROM ({term_runs(cutoff)}) t
WHERE {_LAST_OF_RUN} AND t.seen AND t.kind = {literal(kind)}{of_length}
  AND ({made} OR (t.renewals = {renewal} - 1 AND t.outcome = 'lost'))"""


def expansion(cutoff: dt.date) -> str:
    """Amounts before and after the renewals of the last 24 months, by kind and length of term, with the sums of their squares and products.

    A renewal at another length is none of them: a year costs more than a month, and that is no growth.
    """
    before, after = "CAST(t.amount AS DOUBLE)", "CAST(t.next_amount AS DOUBLE)"
    products = {"b2": (before, before), "a2": (after, after), "ab": (after, before)}
    sums = ", ".join(f"{exact_sum(f'{one} * {other}')} AS {name}" for name, (one, other) in products.items())
    return f"""SELECT t.kind, t.length, sum(t.amount) AS before, sum(t.next_amount) AS after, count(*) AS renewals, {sums} FROM ({term_runs(cutoff)}) t
WHERE t.outcome = 'renewed' AND NOT t.changed AND t.amount > 0 AND t.next_amount IS NOT NULL AND t.next_start >= {literal(cutoff)} - INTERVAL 24 MONTH GROUP BY 1, 2 ORDER BY 1, 2"""


def contract_margins(cutoff: dt.date, types: Sequence[str]) -> str:
    """Margin and revenue of contract bills of the last 24 months, by the kind of contract of their customer."""
    return f"""WITH kind_of AS (SELECT customer_id, min(kind) AS kind FROM {at("contract_terms", cutoff)} GROUP BY 1)
SELECT k.kind, sum(o.gross_margin) AS margin, sum(o.revenue) AS revenue FROM order_lines o JOIN kind_of k ON k.customer_id = o.customer_id
WHERE o.order_type IN ({listed(types)}) AND o.ordered_on < {literal(cutoff)} AND o.ordered_on >= {literal(cutoff)} - INTERVAL 24 MONTH GROUP BY 1 ORDER BY 1"""


def running_contracts(cutoff: dt.date) -> str:
    """One row per running contract: kind, customer type, renewals made at its length of term, months to the next renewal, term, amount per term.

    A customer whom the company recorded as lost holds none, whatever its term says: the same rule as where losses are counted.
    """
    return f"""SELECT t.contract_id, t.customer_id, t.kind, t.renewable, coalesce(c.customer_type, '{NOT_STATED}') AS customer_type, CAST(t.renewals AS BIGINT) AS renewals,
       CAST(greatest({full_months(literal(cutoff), "t.due_on")}, 0) AS BIGINT) AS ahead,
       CAST(t.term_months AS BIGINT) AS term_months, coalesce(CAST(t.amount AS DOUBLE), 0.0) AS amount, t.began_on
FROM ({term_runs(cutoff)}) t LEFT JOIN customers c ON c.customer_id = t.customer_id
WHERE t.outcome IN ('running', 'in_grace') AND (NOT t.renewable OR t.customer_id IN (SELECT customer_id FROM {at("contract_spells", cutoff)} WHERE ends IS NULL))"""


# -- service -----------------------------------------------------------------------------------------------------------


def service_costs(cutoff: dt.date, paid_out: Sequence[str], *, margin: bool) -> str:
    """Per customer: traced service cost of the last year and of the year before, margin of paid service, service orders of the last year.

    ``paid_out`` are the order types that are no paid service.
    """
    end = literal(cutoff)
    paid = "gross_margin" if margin else "0"
    return f"""WITH spent AS (
  SELECT customer_id, sum(amount) FILTER (WHERE posted_on >= {end} - INTERVAL 12 MONTH) AS cost_12m, sum(amount) FILTER (WHERE posted_on < {end} - INTERVAL 12 MONTH) AS cost_before
  FROM cost WHERE posting_basis IN ('incurred', 'recovery') AND ticket_id IS NOT NULL AND customer_id IS NOT NULL
    AND posted_on >= {end} - INTERVAL 24 MONTH AND posted_on < {end} GROUP BY 1
), paid AS (
  SELECT customer_id, sum({paid}) FILTER (WHERE ordered_on >= {end} - INTERVAL 12 MONTH) AS paid_12m, sum({paid}) FILTER (WHERE ordered_on < {end} - INTERVAL 12 MONTH) AS paid_before
  FROM order_lines WHERE order_type NOT IN ({listed(paid_out)}) AND ordered_on >= {end} - INTERVAL 24 MONTH AND ordered_on < {end} GROUP BY 1
), served AS (
  SELECT customer_id, count(*) AS orders_12m FROM service_orders WHERE customer_id IS NOT NULL AND opened_on >= {end} - INTERVAL 12 MONTH AND opened_on < {end} GROUP BY 1
)
SELECT coalesce(s.customer_id, p.customer_id, v.customer_id) AS customer_id, coalesce(CAST(s.cost_12m AS DOUBLE), 0.0) AS cost_12m, coalesce(CAST(s.cost_before AS DOUBLE), 0.0) AS cost_before,
       coalesce(CAST(p.paid_12m AS DOUBLE), 0.0) AS paid_12m, coalesce(CAST(p.paid_before AS DOUBLE), 0.0) AS paid_before, coalesce(v.orders_12m, 0) AS orders_12m
FROM spent s FULL JOIN paid p ON p.customer_id = s.customer_id FULL JOIN served v ON v.customer_id = coalesce(s.customer_id, p.customer_id)"""


def service_moments(customers: str, service: str, cutoff: dt.date) -> str:
    """Sums of net service cost of the last year (y) and the year before (z) by customer type, for customers known two years (both) and one year (y alone)."""
    end = literal(cutoff)
    y, z = (
        f"CAST(coalesce(s.cost_12m - s.paid_12m, 0.0) AS {CENTS})",
        f"CAST(coalesce(s.cost_before - s.paid_before, 0.0) AS {CENTS})",
    )
    two = f"FILTER (WHERE k.since < {end} - INTERVAL 24 MONTH)"
    return f"""SELECT k.customer_type AS grp, count(*) AS n, CAST(sum({y}) AS DOUBLE) AS y, CAST(sum({y} * {y}) AS DOUBLE) AS yy, count(*) {two} AS n2,
       CAST(sum({y}) {two} AS DOUBLE) AS y2, CAST(sum({z}) {two} AS DOUBLE) AS z2, CAST(sum({z} * {z}) {two} AS DOUBLE) AS zz2, CAST(sum({y} * {z}) {two} AS DOUBLE) AS yz2
FROM {customers} k LEFT JOIN {service} s ON s.customer_id = k.customer_id WHERE k.since < {end} - INTERVAL 12 MONTH GROUP BY 1 ORDER BY 1"""


# -- customers ---------------------------------------------------------------------------------------------------------


def customers(bought: str, running: str | None, cutoff: dt.date) -> str:
    """One row per customer who ever bought or held a contract: dimensions as known at the cutoff, revenue and margin of the last year."""
    end = literal(cutoff)
    held = (
        f"(SELECT customer_id FROM {running} WHERE renewable)"
        if running
        else "(SELECT CAST(NULL AS VARCHAR) AS customer_id WHERE FALSE)"
    )
    return f"""WITH first_contract AS (
  SELECT customer_id, min(starts_on) AS since FROM {at("contract_terms", cutoff)} WHERE renewable GROUP BY 1
), everyone AS (
  SELECT coalesce(b.customer_id, f.customer_id) AS customer_id, least(coalesce(b.first_on, f.since), coalesce(f.since, b.first_on)) AS since
  FROM {bought} b FULL JOIN first_contract f ON f.customer_id = b.customer_id
), held AS (
  SELECT customer_id, max_by(value, valid_from) FILTER (WHERE attribute = 'segment') AS segment, max_by(value, valid_from) FILTER (WHERE attribute = 'region') AS region
  FROM customer_history WHERE attribute IN ('segment', 'region') AND valid_from < {end} GROUP BY 1
), running AS (SELECT DISTINCT customer_id FROM {held} r), lines AS (
  SELECT s.customer_id, coalesce(s.product_line, '{NOT_STATED}') AS product_line, sum(s.revenue) AS revenue,
         sum(s.revenue) FILTER (WHERE s.ordered_on >= {end} - INTERVAL 12 MONTH) AS revenue_12m, sum(s.gross_margin) FILTER (WHERE s.ordered_on >= {end} - INTERVAL 12 MONTH) AS margin_12m
  FROM sales s WHERE s.ordered_on < {end} GROUP BY 1, 2
), main_line AS (
  SELECT customer_id, product_line, row_number() OVER (PARTITION BY customer_id ORDER BY CASE WHEN product_line = '{NOT_STATED}' THEN 1 ELSE 0 END, revenue DESC, product_line) AS nth FROM lines
), sold AS (
  SELECT l.customer_id, max(CASE WHEN g.nth = 1 THEN g.product_line END) AS product_line, sum(l.revenue_12m) AS revenue_12m, sum(l.margin_12m) AS margin_12m
  FROM lines l JOIN main_line g ON g.customer_id = l.customer_id AND g.product_line = l.product_line GROUP BY 1
)
SELECT e.customer_id, e.since, CAST(year(e.since) AS VARCHAR) AS cohort, CASE WHEN r.customer_id IS NOT NULL THEN 'contract' ELSE 'purchases' END AS kind,
       coalesce(c.customer_type, '{NOT_STATED}') AS customer_type, coalesce(h.segment, c.segment, '{NOT_STATED}') AS segment, coalesce(h.region, c.region, '{NOT_STATED}') AS region,
       coalesce(c.channel, '{NOT_STATED}') AS channel, coalesce(s.product_line, '{NOT_STATED}') AS product_line,
       coalesce(CAST(s.revenue_12m AS DOUBLE), 0.0) AS revenue_12m, coalesce(CAST(s.margin_12m AS DOUBLE), 0.0) AS margin_12m
FROM everyone e LEFT JOIN customers c ON c.customer_id = e.customer_id LEFT JOIN held h ON h.customer_id = e.customer_id
LEFT JOIN running r ON r.customer_id = e.customer_id LEFT JOIN sold s ON s.customer_id = e.customer_id"""


def customers_of_today(everyone: str, bought: str, cutoff: dt.date) -> str:
    """The :func:`customers` who have not left: no contract of theirs ended without another, nor did the company record that they left, or they bought since."""
    end = literal(cutoff)
    return f"""WITH ended AS (
  SELECT customer_id, CASE WHEN count(*) = count(ends) THEN max(ends) END AS left_on FROM {at("contract_spells", cutoff)} GROUP BY 1
), left_on AS (
  SELECT k.customer_id, greatest(coalesce(e.left_on, c.churned_on), coalesce(c.churned_on, e.left_on)) AS left_on
  FROM {everyone} k LEFT JOIN ended e ON e.customer_id = k.customer_id
  LEFT JOIN (SELECT customer_id, churned_on FROM customers WHERE churned_on < {end}) c ON c.customer_id = k.customer_id
)
SELECT k.* FROM {everyone} k JOIN left_on l ON l.customer_id = k.customer_id LEFT JOIN {bought} b ON b.customer_id = k.customer_id
WHERE k.kind = 'contract' OR l.left_on IS NULL OR b.last_on > l.left_on"""


# -- the base from every side ----------------------------------------------------------------------------------------------


@study_view
def base_customers(table: str) -> str:
    """One row per customer of a table of the value base."""
    return f"SELECT * FROM {table}"


def rows_where(table: str, *conditions: str) -> str:
    """The rows of a table that meet all conditions."""
    kept = " AND ".join(filter(None, conditions))
    return f"SELECT * FROM {table}{f' WHERE {kept}' if kept else ''}"


@study_view
def served(everyone: str, service: str | None) -> str:
    """Every customer with the traced service cost of the last year, zero where none was traced."""
    cost = "round(coalesce(s.cost_12m, 0.0), 2)" if service else "0.0"
    joined = f" LEFT JOIN {service} s ON s.customer_id = k.customer_id" if service else ""
    return f"SELECT k.*, {cost} AS service_cost_12m FROM {everyone} k{joined}"


def served_groups(served: str, cutoff: dt.date, history: Mapping[str, str]) -> str:
    """The customers :func:`served` with what the company's history says of each when ``cutoff`` began, in the columns of ``history`` (attributes by column)."""
    names = "".join(f", h.{quoted(column)}" for column in history)
    return f"""SELECT k.*{names} FROM ({served}) AS k LEFT JOIN (
  SELECT h.customer_id{held_as(history)} FROM customer_history h WHERE h.valid_from < {literal(cutoff)} GROUP BY 1
) h ON h.customer_id = k.customer_id"""


def net_by(table: str, column: str, *, without: str = "") -> str:
    """By value of a column: customers, service cost less margin of the last year, and the sum of its squares; ``without`` the customers who meet a condition."""
    net = f"(CAST(service_cost_12m AS {CENTS}) - CAST(margin_12m AS {CENTS}))"
    kept = f" WHERE NOT coalesce({without}, FALSE)" if without else ""
    return f"""SELECT {worded(column)} AS held, count(*) AS customers, sum({net}) AS shortfall,
       {exact_sum(f"CAST({net} AS DOUBLE) * CAST({net} AS DOUBLE)")} AS squares FROM {table}{kept} GROUP BY 1 ORDER BY 1"""


@study_view
def yearly_purchases(table: str, cutoff: dt.date, types: Sequence[str]) -> str:
    """Purchase days of the last year of the customers of ``table``: the customer, ``bought_on``, ``spend``."""
    end = literal(cutoff)
    return f"""SELECT k.*, d.bought_on, d.spend FROM {table} k
JOIN ({_bought(types, f"bought_on >= {end} - INTERVAL 12 MONTH AND bought_on < {end}")}) d ON d.customer_id = k.customer_id"""


@study_view
def first_purchases(table: str, cutoff: dt.date, types: Sequence[str]) -> str:
    """Customers of ``table`` whose first purchase lies 12 to 36 months back; ``again`` is 1 where a second followed within a year."""
    end = literal(cutoff)
    return f"""SELECT k.*, o.first_on, CASE WHEN o.second_on < o.first_on + INTERVAL 12 MONTH THEN 1 ELSE 0 END AS again
  FROM {table} k JOIN (
    SELECT customer_id, min(bought_on) AS first_on, min(bought_on) FILTER (WHERE nth = 2) AS second_on
    FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY bought_on) AS nth FROM ({_bought(types, f"bought_on < {end}")}) days) numbered
    GROUP BY 1
  ) o ON o.customer_id = k.customer_id
  WHERE o.first_on >= {end} - INTERVAL 36 MONTH AND o.first_on < {end} - INTERVAL 12 MONTH"""


def value_bins(table: str, bins: int) -> str:
    """Customers in equal groups by value, the least valuable first: ``customers`` and ``clv``."""
    return f"""WITH placed AS (SELECT clv, ntile({bins}) OVER (ORDER BY place DESC) AS bin FROM {table})
SELECT bin, count(*) AS customers, sum(CAST(clv AS {CENTS})) AS clv FROM placed GROUP BY 1 ORDER BY 1"""


@study_view
def compared(before: str, after: str) -> str:
    """One row per customer and what happened to it (``step``) since the first of them, both tables priced with the same model: new, lost, grown, shrunk, unchanged.

    Lost: a running contract ended, or a buyer who was more likely there than not is now more likely gone.
    """
    return f"""SELECT coalesce(a.customer_id, b.customer_id) AS customer_id, CAST(coalesce(b.clv, 0) AS {CENTS}) AS before, CAST(coalesce(a.clv, 0) AS {CENTS}) AS after,
         CASE WHEN b.customer_id IS NULL THEN 'new'
              WHEN a.customer_id IS NULL OR (b.kind = 'contract' AND a.kind <> 'contract') OR (b.kind <> 'contract' AND a.kind <> 'contract' AND b.p_alive >= 0.5 AND a.p_alive < 0.5) THEN 'lost'
              WHEN a.clv > b.clv THEN 'grown' WHEN a.clv < b.clv THEN 'shrunk' ELSE 'unchanged' END AS step
  FROM {before} b FULL JOIN {after} a ON a.customer_id = b.customer_id"""


def change(compared: str) -> str:
    """The customers :func:`compared` by step: number, change of their value and the sum of its squares."""
    return f"""SELECT step, count(*) AS customers, sum(after - before) AS change, {exact_sum("CAST(after - before AS DOUBLE) * CAST(after - before AS DOUBLE)")} AS squares
FROM ({compared}) AS compared GROUP BY 1 ORDER BY 1"""


ANY_SERVICE = "any"  # service cost of a customer where no limit is known


def _levels(risk: float, costly: float | None) -> tuple[str, str]:
    """Churn risk and service cost of a customer as high or low; without a limit of cost all are alike in it."""
    return (
        f"CASE WHEN 1 - stay_12m >= {risk!r} THEN 'high' ELSE 'low' END",
        literal(ANY_SERVICE)
        if costly is None
        else f"CASE WHEN service_cost_12m >= {costly!r} AND service_cost_12m > 0 THEN 'high' ELSE 'low' END",
    )


def matrix_cell(*, risk: float, costly: float | None) -> str:
    """The cell of a customer as one name, as in ``top|high|low``."""
    likely, service = _levels(risk, costly)
    return f"(tier || '|' || {likely} || '|' || {service})"


@study_view
def matrix_customers(table: str, *, risk: float, costly: float | None) -> str:
    """Customers of the value base with their churn ``risk`` and cost of ``service``, high or low."""
    likely, service = _levels(risk, costly)
    return f"SELECT *, {likely} AS risk, {service} AS service FROM {table}"


def matrix(customers: str) -> str:
    """The value of the :func:`matrix_customers` by cell."""
    return f"SELECT tier, risk, service, sum(CAST(clv AS {CENTS})) AS clv FROM ({customers}) AS placed GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"


LISTED = "customer_id, customer_type, segment, region, kind, tier, clv, clv_purchases, clv_contract, clv_service, round(1 - stay_12m, 3) AS churn_risk, service_orders_12m, service_cost_12m, margin_12m"


def listing(table: str, where: str, order: str, most: int) -> str:
    """Customers of a list, for the evidence."""
    return f"SELECT {LISTED} FROM {table} WHERE {where} ORDER BY {order}, customer_id LIMIT {most}"


def new_customers(everyone: str, cutoff: dt.date, basis: str) -> str:
    """Customers first seen in the last twelve months by channel, those who have left since among them: number, margin (or revenue) so far."""
    earned = "revenue_12m" if basis == "revenue" else "margin_12m"
    return f"""SELECT channel, count(*) AS customers, sum(CAST({earned} AS {CENTS})) AS earned FROM {everyone}
WHERE {first_seen(cutoff)} GROUP BY 1 ORDER BY 1"""


def first_seen(cutoff: dt.date) -> str:
    """The condition that a customer was first seen in the last twelve months."""
    return f"since >= {literal(cutoff)} - INTERVAL 12 MONTH"


@study_view
def newcomers(table: str, cutoff: dt.date) -> str:
    """Customers of ``table`` first seen in the last twelve months."""
    return f"SELECT * FROM {table} WHERE {first_seen(cutoff)}"


@study_view
def campaigns(cutoff: dt.date) -> str:
    """Marketing spend of the last twelve months, a row per channel and month."""
    end = literal(cutoff)
    return f"SELECT * FROM marketing_spend WHERE month >= {end} - INTERVAL 12 MONTH AND month < {end}"


def marketing(cutoff: dt.date) -> str:
    """Marketing spend of the last twelve months by channel."""
    return f"SELECT channel, sum(amount) AS amount FROM ({campaigns(cutoff)}) m GROUP BY 1 ORDER BY 1"


def earned_by_age(everyone: str, cutoff: dt.date, basis: str) -> str:
    """By channel and month of age of the customers first seen 12 to 24 months ago (every age is complete): the margin earned up to it, and the sum of its squares over customers."""
    end, on = literal(cutoff), "s.ordered_on"
    earned = "s.revenue" if basis == "revenue" else "s.gross_margin"
    return f"""WITH entered AS (
  SELECT customer_id, channel, since, count(*) OVER (PARTITION BY channel) AS customers FROM {everyone} WHERE since >= {end} - INTERVAL 24 MONTH AND since < {end} - INTERVAL 12 MONTH
), monthly AS (
  SELECT e.customer_id, e.channel, greatest({full_months("e.since", on)}, 0) AS age, max(e.customers) AS customers, sum({earned}) AS earned
  FROM entered e JOIN sales s ON s.customer_id = e.customer_id WHERE {on} < {end} AND {on} < e.since + INTERVAL 12 MONTH GROUP BY 1, 2, 3
), grown AS (
  SELECT *, sum(earned) OVER (PARTITION BY customer_id ORDER BY age) AS reached FROM monthly
)
-- a square grows only in months with margin: what a customer had earned by then, squared, less what it was before
SELECT channel, age, max(customers) AS customers, sum(earned) AS earned,
       {exact_sum("CAST(reached AS DOUBLE) * CAST(reached AS DOUBLE) - CAST(reached - earned AS DOUBLE) * CAST(reached - earned AS DOUBLE)")} AS squares
FROM grown GROUP BY 1, 2 ORDER BY 1, 2"""
