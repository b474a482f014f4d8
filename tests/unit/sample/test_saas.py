"""The software vendor's tables: valid, exact to the cent, and every planted truth found where it lies and nowhere else.

For each truth one plain statistic that is told where the truth lies (an oracle, not a study) gives a p-value from the tables. Power: the share
of seeds below five per cent with everything planted. Null: the same share when nothing is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from functools import cache

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

from analysis.errors import ParameterError
from analysis.params import load_run
from analysis.sample import make_sample
from analysis.sample.saas import TRUTHS, company, tables
from analysis.tables import load_tables

LEVEL, SCALE, SEEDS = 0.05, 0.4, range(20)
Tables = dict[str, pa.Table]


@cache
def made(seed: int = 3, scale: float = 0.1, null: bool = False, off: frozenset[str] = frozenset()) -> Tables:
    return tables(seed=seed, scale=scale, null=null, off=off)


_OPEN: list[tuple[Tables, duckdb.DuckDBPyConnection]] = []


def ask(company_tables: Tables, sql: str) -> pd.DataFrame:
    """Rows of a query over the tables; one connection to the company that was asked last."""
    if not _OPEN or _OPEN[0][0] is not company_tables:
        connection = duckdb.connect(config={"threads": 1})
        for name, frame in company_tables.items():
            connection.register(name, frame)
        _OPEN[:] = [(company_tables, connection)]
    return _OPEN[0][1].execute(sql).df()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """The company as the load reads it under the rules of its run."""
    run, folder = load_run("saas"), tmp_path_factory.mktemp("saas")
    make_sample(folder / "data", scale=0.1, template="saas")
    return load_tables(
        folder / "data",
        folder / "store",
        reporting_currency=run.currency,
        time_zone=run.time_zone,
        exchange_rates={code: sorted(rates.items()) for code, rates in run.exchange_rates.items()},
    )


# --- validity -----------------------------------------------------------------------------------------------------------


def test_the_load_takes_every_row_and_finds_no_fault(loaded):
    assert not [check for check in loaded.checks if check.outcome == "failed"]
    present = {name: info for name, info in loaded.tables.items() if info.present}
    assert set(present) == set(made())
    written = tables(seed=20261031, scale=0.1)
    assert {name: info.rows for name, info in present.items()} == {
        name: frame.num_rows for name, frame in written.items()
    }


def test_no_answer_precedes_its_question_and_no_term_overlaps_the_one_after_it():
    assert (
        ask(
            made(),
            "SELECT count(*) AS n FROM tickets WHERE first_response_at < opened_at OR resolved_at < first_response_at OR closed_at < resolved_at OR reopened_at < opened_at",
        ).n[0]
        == 0
    )
    overlapping = """SELECT count(*) AS n FROM (
      SELECT *, lead(starts_on) OVER (PARTITION BY contract_id ORDER BY term_no) AS next_start FROM contracts
    ) WHERE next_start <> coalesce(cancelled_on, ends_on + 1)"""
    assert ask(made(), overlapping).n[0] == 0


def test_a_plan_is_only_left_for_a_dearer_one():
    sql = """SELECT min(next_amount / next_months - amount / months) AS least FROM (
      SELECT *, datediff('month', starts_on, ends_on + 1) AS months, lead(starts_on) OVER w AS next_start, lead(amount) OVER w AS next_amount,
             lead(datediff('month', starts_on, ends_on + 1)) OVER w AS next_months
      FROM contracts WINDOW w AS (PARTITION BY contract_id ORDER BY term_no)
    ) WHERE cancelled_on IS NOT NULL AND next_start IS NOT NULL"""
    assert ask(made(), sql).least[0] > 0


def test_nothing_is_asked_or_bought_by_accounts_that_left():
    for table, moment in (("tickets", "opened_at"), ("orders", "ordered_at")):
        sql = f"SELECT count(*) AS n FROM {table} JOIN customers USING (customer_id) WHERE {moment} >= churned_on + INTERVAL 1 DAY"
        assert ask(made(), sql).n[0] == 0, table


def test_the_ledger_is_the_control_total_of_its_account_to_the_cent():
    sql = """SELECT count(*) AS n, max(abs(l.amount - g.amount)) AS gap FROM gl_totals g
      FULL JOIN (SELECT date_trunc('month', posted_on) AS month, account, sum(amount) AS amount FROM ledger GROUP BY ALL) l USING (month, account)
      WHERE g.measure = 'after_sales_cost' AND account <> 'all' OR g.measure IS NULL OR l.amount IS NULL AND g.measure = 'after_sales_cost' AND account <> 'all'"""
    found = ask(made(), sql)
    assert found.n[0] > 36 * 8 and found.gap[0] == Decimal(0)


def test_what_teams_are_paid_is_what_the_ledger_books_for_them():
    sql = """SELECT count(*) AS n, max(abs(l.amount - s.cost)) AS gap
      FROM (SELECT date_trunc('month', posted_on) AS month, team, sum(amount) AS amount FROM ledger WHERE team IS NOT NULL GROUP BY ALL) l
      FULL JOIN (SELECT month, team, sum(cost) AS cost FROM staff GROUP BY ALL) s USING (month, team)"""
    found = ask(made(), sql)
    assert found.n[0] > 36 * 4 and found.gap[0] == Decimal(0)
    assert ask(made(), "SELECT min(hours_paid - hours_worked) AS least FROM staff").least[0] >= 0


def test_revenue_in_two_currencies_is_the_control_total_to_the_cent(loaded):
    def read(name: str) -> str:
        return str([str(part.path) for part in loaded[name].partitions])

    sql = f"""SELECT max(abs(o.amount - g.amount)) AS gap, count(*) AS n FROM
      (SELECT date_trunc('month', timezone('Europe/Berlin', timezone('UTC', ordered_at))) AS month, sum(revenue) AS amount FROM read_parquet({read("orders")}) GROUP BY 1) o
      JOIN (SELECT month, amount FROM read_parquet({read("gl_totals")}) WHERE measure = 'revenue') g ON o.month = g.month"""
    found = duckdb.sql(sql).df()
    assert found.n[0] == 36 and found.gap[0] == Decimal(0)


def test_the_run_states_the_rates_with_which_the_totals_were_made():
    stated = load_run("saas").exchange_rates["USD"]
    assert {str(day): f"{rate:.2f}" for day, rate in stated.items()} == company.RATES


def test_every_account_of_the_ledger_is_in_the_cost_tree_of_the_template():
    from analysis.params import CostTree
    from analysis.params.places import with_own

    with with_own(load_run("saas").own_params):
        tree = CostTree.load()
    known = {rule.account: rule.category for rule in tree.accounts}
    assert {entry.account: entry.category for entry in company.ACCOUNTS}.items() <= known.items()


# --- the same, and what differs -----------------------------------------------------------------------------------------


def test_the_same_arguments_give_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        make_sample(tmp_path / folder, scale=0.03, template="saas")
    names = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert len(names) == len(made()) + 1
    assert all(
        (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names
    )


def test_the_answer_sheet_says_what_is_on_where_and_how_strong(tmp_path):
    truth = make_sample(tmp_path, scale=0.03, template="saas", off=frozenset({"idle_team"}))
    written = json.loads((tmp_path / "_truth" / "truth.json").read_text(encoding="utf-8"))
    assert list(truth.truths) == list(TRUTHS) and len(TRUTHS) == 12
    assert [name for name in TRUTHS if not written["truths"][name]["active"]] == ["idle_team"]
    assert written["truths"]["price_rise"]["begins"] == "2026-04"
    assert written["truths"]["price_rise"]["strength"] == {"price_rise": 1.18, "price_hazard": 3.0}
    assert all(written["truths"][name]["where"] for name in TRUTHS)


@pytest.mark.parametrize(
    ("truth", "changed"),
    [
        ("idle_team", {"staff", "ledger", "gl_totals"}),
        ("bot_billing", {"tickets"}),
        ("night_partner", {"tickets", "surveys", "ledger", "gl_totals", "staff", "drivers"}),
        ("bot_share", {"tickets", "surveys", "ledger", "gl_totals", "staff", "drivers"}),
        ("release_surge", {"tickets", "surveys", "ledger", "gl_totals", "staff", "drivers", "budget"}),
    ],
)
def test_a_truth_that_is_off_leaves_the_rest_as_it_was(truth, changed):
    whole, without = made(), made(off=frozenset({truth}))
    assert {name for name in whole if not whole[name].equals(without[name])} <= changed
    assert any(not whole[name].equals(without[name]) for name in changed)


def test_without_its_truths_it_is_the_same_accounts_on_the_same_days():
    columns = ["customer_id", "segment", "channel", "acquired_on"]
    assert made()["customers"].select(columns).equals(made(null=True)["customers"].select(columns))
    assert made()["calendar"].equals(made(null=True)["calendar"])


def test_summer_time_is_kept():
    timeline = company.BerlinTimeline(first=load_run("saas").month - 35, last=load_run("saas").month)
    noon = [timeline.day(day) + 0.5 for day in ("2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25")]
    assert [str(each)[11:16] for each in timeline.timestamps(np.array(noon))] == [
        "11:00",
        "10:00",
        "10:00",
        "11:00",
    ]


def test_an_unknown_template_or_truth_is_refused_in_words(tmp_path):
    with pytest.raises(ParameterError, match="no company of template 'saaz'. Did you mean 'saas'"):
        make_sample(tmp_path, template="saaz")
    with pytest.raises(ParameterError, match="no planted truth 'idle_tem'. Did you mean 'idle_team'"):
        tables(seed=1, off=frozenset({"idle_tem"}))


# --- oracles ------------------------------------------------------------------------------------------------------------


def two_by_two(rows: pd.DataFrame) -> float:
    """Fisher's exact test of an outcome (``hit``) by ``inside``, one row each."""
    table = pd.crosstab(rows["inside"], rows["hit"]).reindex(
        index=[False, True], columns=[False, True], fill_value=0
    )
    return float(stats.fisher_exact(table.to_numpy()).pvalue)


def slow_severity_1(t: Tables) -> float:
    """Log-rank of the days from the first critical incident until the account is lost, at most 400; one that meets a late answer later is watched until then."""
    rows = ask(
        t,
        """WITH asked AS (
        SELECT *, first_response_at > response_due_at AS late, row_number() OVER (PARTITION BY customer_id ORDER BY opened_at) AS place
        FROM tickets WHERE ticket_type = 'repair' AND severity = 'critical'
      ), later AS (SELECT customer_id, min(opened_at) AS met FROM asked WHERE late AND place > 1 GROUP BY 1)
      SELECT late, coalesce(datediff('day', opened_at, churned_on), 9999) AS lost,
             least(400, datediff('day', opened_at, DATE '2026-11-01'), CASE WHEN NOT late THEN coalesce(datediff('day', opened_at, met), 400) ELSE 400 END) AS seen
      FROM asked JOIN customers USING (customer_id) LEFT JOIN later USING (customer_id) WHERE place = 1 AND late IS NOT NULL""",
    )
    hit, late = (rows["lost"] <= rows["seen"]).to_numpy(), rows["late"].to_numpy(dtype=bool)
    days = np.where(hit, rows["lost"], rows["seen"]).astype(float)
    watched = [
        stats.CensoredData(uncensored=days[group & hit], right=days[group & ~hit]) for group in (late, ~late)
    ]
    return float(stats.logrank(*watched).pvalue)


def untrained_start(t: Tables) -> float:
    return two_by_two(
        ask(
            t,
            """SELECT trained IS NULL AS inside, coalesce(churned_on <= acquired_on + 370, FALSE) AS hit FROM customers c
      LEFT JOIN (SELECT customer_id, min(opened_at) AS trained FROM tickets WHERE ticket_type = 'installation' GROUP BY 1) h ON h.customer_id = c.customer_id AND trained < acquired_on + INTERVAL 90 DAY
      WHERE acquired_on BETWEEN '2023-11-01' AND '2025-10-25' AND coalesce(churned_on > acquired_on + 90, TRUE)""",
        )
    )


# Terms of one month, with the plan and the usage band that held when they began, and whether the account cancelled in them.
MONTHLY = """monthly AS (SELECT t.customer_id, t.starts_on, p.value AS plan, coalesce(t.cancelled_on = c.churned_on, FALSE) AS hit
  FROM contracts t JOIN customers c USING (customer_id)
  ASOF JOIN (SELECT * FROM customer_history WHERE attribute = 'plan') p ON p.customer_id = t.customer_id AND p.valid_from <= t.starts_on
  WHERE datediff('month', t.starts_on, t.ends_on + 1) = 1 AND t.starts_on >= '2023-11-01')"""


def declining_usage(t: Tables) -> float:
    return two_by_two(
        ask(
            t,
            f"""WITH {MONTHLY} SELECT u.value = 'declining' AS inside, hit FROM monthly m
      ASOF JOIN (SELECT * FROM customer_history WHERE attribute = 'usage_band') u ON u.customer_id = m.customer_id AND u.valid_from <= m.starts_on""",
        )
    )


def price_rise(t: Tables) -> float:
    return two_by_two(
        ask(
            t,
            f"""WITH {MONTHLY} SELECT starts_on >= '2026-04-01' AS inside, hit FROM monthly
      WHERE plan = 'Starter' AND starts_on BETWEEN '2025-04-01' AND '2026-05-31'""",
        )
    )


def quick_feature(t: Tables) -> float:
    """Requests of accounts that can still move up, and whether a dearer term took over in the three months after the request's."""
    return two_by_two(
        ask(
            t,
            """WITH dearer AS (
        SELECT customer_id, cancelled_on FROM (SELECT *, lead(starts_on) OVER (PARTITION BY contract_id ORDER BY term_no) AS next_start FROM contracts) WHERE next_start = cancelled_on
      ) SELECT coalesce(first_response_at <= opened_at + INTERVAL 8 HOUR, FALSE) AS inside, EXISTS (
          SELECT * FROM dearer d WHERE d.customer_id = a.customer_id AND d.cancelled_on >= date_trunc('month', opened_at) + INTERVAL 1 MONTH AND d.cancelled_on < date_trunc('month', opened_at) + INTERVAL 4 MONTH) AS hit
      FROM tickets a WHERE activity = 'feature request' AND product_id NOT LIKE '%ENTERPRISE' AND opened_at < '2026-08-01'""",
        )
    )


def night_partner(t: Tables) -> float:
    return two_by_two(
        ask(
            t,
            "SELECT team = 'Night Partner' AS inside, reopened > 0 AS hit FROM tickets WHERE NOT automated AND opened_at >= '2025-03-01'",
        )
    )


def bot_share(t: Tables) -> float:
    return two_by_two(
        ask(
            t,
            """SELECT opened_at >= '2026-02-01' AS inside, automated AS hit FROM tickets
      WHERE activity IN ('how-to question', 'billing question') AND opened_at >= '2025-05-01'""",
        )
    )


def bot_billing(t: Tables) -> float:
    return two_by_two(
        ask(
            t,
            "SELECT activity = 'billing question' AS inside, reopened > 0 AS hit FROM tickets WHERE automated",
        )
    )


def dollar_growth(t: Tables) -> float:
    rows = ask(
        t,
        "SELECT acquired_on, region = 'North America' AS dollars FROM customers WHERE acquired_on >= '2023-11-01'",
    )
    days = rows["acquired_on"].astype("int64")
    return float(stats.mannwhitneyu(days[rows["dollars"]], days[~rows["dollars"]]).pvalue)


def idle_team(t: Tables) -> float:
    rows = ask(
        t,
        "SELECT month >= '2026-05-01' AS inside, 1 - sum(hours_worked) / sum(hours_paid) AS unused FROM staff WHERE team = 'Frontline' GROUP BY month ORDER BY month",
    )
    return float(stats.ttest_ind(rows["unused"][rows["inside"]], rows["unused"][~rows["inside"]]).pvalue)


def release_surge(t: Tables) -> float:
    return two_by_two(
        ask(
            t,
            """SELECT opened_at BETWEEN '2026-06-01' AND '2026-07-31' AS inside, product_line = 'Flow' AS hit FROM tickets JOIN products USING (product_id)
      WHERE ticket_type = 'repair' AND opened_at >= '2025-12-01'""",
        )
    )


def costly_starter(t: Tables) -> float:
    """Traced cost minus gross margin of each Starter account billed in euros, above zero?"""
    rows = ask(
        t,
        """WITH margins AS (SELECT customer_id, sum(gross_margin) AS margin FROM orders WHERE product_id LIKE '%STARTER' AND currency = 'EUR' AND ordered_at >= '2025-11-01' GROUP BY 1),
      costs AS (SELECT k.customer_id, sum(l.amount) AS cost FROM ledger l JOIN tickets k USING (ticket_id) WHERE l.product_id LIKE '%STARTER' AND posted_on >= '2025-11-01' GROUP BY 1)
      SELECT CAST(coalesce(cost, 0) - margin AS DOUBLE) AS gap FROM margins LEFT JOIN costs USING (customer_id)""",
    )
    return float(stats.ttest_1samp(rows["gap"], 0, alternative="greater").pvalue)


ORACLES: dict[str, Callable[[Tables], float]] = {
    oracle.__name__: oracle
    for oracle in (
        slow_severity_1, untrained_start, declining_usage, price_rise, quick_feature, night_partner,
        bot_share, bot_billing, dollar_growth, idle_team, release_surge, costly_starter,
    )
}  # fmt: skip


@cache
def found(null: bool) -> dict[str, int]:
    """By truth, the seeds whose oracle falls below the level; a company is made once for all oracles and let go."""
    hits = dict.fromkeys(ORACLES, 0)
    for seed in SEEDS:
        each = tables(seed=100 + seed, scale=SCALE, null=null)
        for name, oracle in ORACLES.items():
            hits[name] += oracle(each) < LEVEL
    return hits


def test_every_truth_has_an_oracle():
    assert tuple(ORACLES) == TRUTHS


@pytest.mark.parametrize("truth", TRUTHS)
def test_a_planted_truth_is_found(truth):
    # some 170 late and 310 timely first incidents: a ratio of 2.5 over one year is found three times in four at this size
    least = 0.65 if truth == "slow_severity_1" else 0.8
    assert found(null=False)[truth] >= least * len(SEEDS)


@pytest.mark.parametrize("truth", TRUTHS)
def test_nothing_is_found_where_nothing_is_planted(truth):
    assert found(null=True)[truth] <= 3  # more than three of twenty happen to a fair test once in sixty


def test_the_partner_is_cheaper_by_the_ticket_only_when_that_is_planted():
    sql = "SELECT avg(amount) AS fee FROM ledger WHERE category = 'outsourcing'"
    assert abs(float(ask(made(), sql).fee[0]) - 24) < 1
    assert abs(float(ask(made(null=True), sql).fee[0]) - 38) < 1
