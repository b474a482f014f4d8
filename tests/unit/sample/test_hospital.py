"""The maker of hospital equipment: tables in contract and in balance, and every planted truth found where it lies and nowhere else.

For each truth one plain statistic that is told where the truth lies (an oracle, not a study) gives a p-value from the canonical tables, and where
the truth has a size an interval of 95 %. Power: the share of seeds below five per cent with everything planted. Coverage: the share whose
interval holds what was planted. Null: the share below five per cent when nothing is.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

from analysis.errors import ParameterError
from analysis.params import CostTree, load_run
from analysis.params.interventions import load_interventions
from analysis.params.places import with_own
from analysis.params.treatments import load_treatments
from analysis.params.what_ifs import load_what_ifs
from analysis.periods import Month
from analysis.sample import make_sample
from analysis.sample.hospital import TRUTHS, company, tables
from analysis.sample.hospital.books import federal_holidays
from analysis.sample.hospital.truths import Plan, Strengths
from analysis.tables import load_tables

LEVEL = 0.05
Tables = dict[str, pa.Table]
PLANTED = Strengths()


@cache
def made(seed: int = 3, scale: float = 0.3, null: bool = False, off: frozenset[str] = frozenset()) -> Tables:
    return tables(seed=seed, scale=scale, null=null, off=off)


_OPEN: list[tuple[Tables, duckdb.DuckDBPyConnection]] = []


def ask(company_tables: Tables, sql: str) -> pd.DataFrame:
    """Rows of a query over the tables; one connection to the company that was asked last."""
    if not _OPEN or _OPEN[0][0] is not company_tables:
        connection = duckdb.connect(config={"threads": 1})
        for name, frame in company_tables.items():
            connection.register(name, frame)
        connection.execute(PREPARED)
        _OPEN[:] = [(company_tables, connection)]
    return _OPEN[0][1].execute(sql).df()


# Local moments, confirmed failures that repeat no other, and the months that machines were in service within the window.
PREPARED = """
CREATE TEMP VIEW cases AS SELECT *, CAST(timezone('America/New_York', timezone('UTC', opened_at)) AS DATE) AS day FROM tickets;
CREATE TEMP VIEW machines AS SELECT *, least(coalesce(retired_on, DATE '2026-11-01'), DATE '2026-11-01') AS until,
  greatest(in_service_on, DATE '2023-11-01') AS since FROM units JOIN products USING (product_id);
CREATE TEMP VIEW failures AS SELECT c.*, m.batch, m.model, m.product_line, m.produced_on, m.in_service_on FROM cases c JOIN machines m USING (serial_no)
  WHERE ticket_type = 'repair' AND component IS NOT NULL AND NOT rework;
"""


# --- oracles --------------------------------------------------------------------------------------------------------------


class Found(NamedTuple):
    """What an oracle says: a p-value for "nothing planted", and the interval of 95 % of the planted size, where there is one."""

    p: float
    low: float = np.nan
    high: float = np.nan


def two_by_two(rows: pd.DataFrame) -> float:
    """Fisher's exact test of an outcome (``hit``) by ``inside``, one row each."""
    table = pd.crosstab(rows["inside"], rows["hit"]).reindex(
        index=[False, True], columns=[False, True], fill_value=0
    )
    return float(stats.fisher_exact(table.to_numpy()).pvalue)


def share_inside(rows: pd.DataFrame) -> Found:
    """The same with Wilson's interval of the share inside."""
    hit = rows["hit"][rows["inside"].astype(bool)].astype(bool)
    interval = stats.binomtest(int(hit.sum()), hit.size).proportion_ci(method="wilson")
    return Found(two_by_two(rows), interval.low, interval.high)


def rates(rows: pd.DataFrame) -> Found:
    """Ratio of the rates (``events`` over ``months``) inside to outside by ``stratum``: Mantel and Haenszel, limits of Greenland and Robins (1985)."""
    wide = rows.pivot_table(
        index="stratum", columns="inside", values=["events", "months"], aggfunc="sum", fill_value=0
    )
    a, c = wide["events"][True].to_numpy(float), wide["events"][False].to_numpy(float)
    n, m = wide["months"][True].to_numpy(float), wide["months"][False].to_numpy(float)
    if len(a) == 1:
        p = float(stats.binomtest(int(a[0]), int(a[0] + c[0]), n[0] / (n[0] + m[0])).pvalue)
    else:
        z = (a - (a + c) * n / (n + m)).sum() / np.sqrt(((a + c) * n * m / (n + m) ** 2).sum())
        p = float(2 * stats.norm.sf(abs(z)))
    above, below = (a * m / (n + m)).sum(), (c * n / (n + m)).sum()
    if above == 0 or below == 0:
        return Found(p)
    error = np.sqrt(((a + c) * n * m / (n + m) ** 2).sum() / (above * below))
    return Found(p, *(above / below * np.exp(np.array([-1.96, 1.96]) * error)))


def ratio_of(one: pd.Series, other: pd.Series) -> Found:
    """Ratio of geometric means, Welch's test and limits."""
    test = stats.ttest_ind(np.log(one.astype(float)), np.log(other.astype(float)), equal_var=False)
    return Found(float(test.pvalue), *np.exp(test.confidence_interval(0.95)))


def slipped_silver(t: Tables) -> Found:
    return share_inside(
        ask(
            t,
            """SELECT day >= '2026-02-01' AS inside, first_response_at > response_due_at AS hit FROM cases JOIN customers USING (customer_id)
            WHERE ticket_type = 'repair' AND segment = 'Silver' AND day >= '2024-11-01' AND first_response_at IS NOT NULL""",
        )
    )


def worn_tubes(t: Tables) -> Found:
    """Tube failures of the Orin XR; months of the lot weighed with the square of the machine's age against two years, as a wear-out of shape 3 has them."""
    found = ask(
        t,
        """WITH held AS (SELECT batch = 'XR-2211' AS inside, serial_no, (since - in_service_on) / 30.4375 AS young, (until - in_service_on) / 30.4375 AS old
          FROM machines WHERE model = 'Orin XR' AND until > since),
        failed AS (SELECT serial_no, count(*) AS events FROM failures WHERE component = 'xray_tube' GROUP BY 1)
        SELECT 1 AS stratum, inside, sum(coalesce(events, 0)) AS events, sum(old - young) AS months, sum((old ** 3 - young ** 3) / 3 / 576) AS weighed
        FROM held LEFT JOIN failed USING (serial_no) GROUP BY ALL""",
    )
    size = rates(found.assign(months=found["months"].where(~found["inside"], found["weighed"])))
    return size._replace(p=rates(found).p)


def skipped_visits(t: Tables) -> Found:
    """Failures in the half years that followed a due visit, made or not, by product line; the first fortnight, in which visits are made, is left out."""
    return rates(
        ask(
            t,
            """WITH due AS (SELECT serial_no, product_line, until, in_service_on + CAST(182 * k AS INTEGER) AS due_on FROM machines, range(1, 15) AS r(k)),
            cycles AS (SELECT *, least(due_on + 182, until) AS ends_on FROM due WHERE due_on >= DATE '2023-11-01' AND due_on + 14 < until),
            visited AS (SELECT DISTINCT c.serial_no, due_on FROM cycles c JOIN cases k ON k.serial_no = c.serial_no AND ticket_type = 'maintenance' AND day BETWEEN due_on AND due_on + 13),
            failed AS (SELECT c.serial_no, due_on, count(*) AS events FROM cycles c JOIN failures f ON f.serial_no = c.serial_no AND f.fault_code <> 'ALARM-SILENT'
              AND f.day >= due_on + 14 AND f.day < ends_on GROUP BY ALL)
            SELECT product_line AS stratum, v.serial_no IS NULL AS inside, sum(coalesce(events, 0)) AS events, sum(ends_on - c.due_on - 14) / 30.4375 AS months
            FROM cycles c LEFT JOIN visited v ON v.serial_no = c.serial_no AND v.due_on = c.due_on LEFT JOIN failed f ON f.serial_no = c.serial_no AND f.due_on = c.due_on GROUP BY ALL""",
        )
    )


def recoveries(t: Tables, where: str) -> pd.DataFrame:
    return ask(
        t,
        f"""SELECT *, datediff('second', opened_at, resolved_at) / 3600 AS hours, datediff('second', first_response_at, resolved_at) / 3600 AS work
        FROM cases WHERE ticket_type = 'repair' AND resolved_at > first_response_at AND {where}""",
    )


def remote_fix(t: Tables) -> Found:
    """Hours of engineers for an incident of the region, against the usual of its product line; the size is the share of remote fixes."""
    rows = ask(
        t,
        """SELECT day >= '2025-12-01' AS inside, activity = 'remote fix' AS hit, handling_hours / avg(handling_hours) OVER (PARTITION BY product_line) AS hours
        FROM failures WHERE region = 'Mid-Atlantic'""",
    )
    return share_inside(rows)._replace(
        p=ratio_of(rows["hours"][rows["inside"]], rows["hours"][~rows["inside"]]).p
    )


def guided_repair(t: Tables, promised: float = 0.25) -> Found:
    """How well the hours on site fit the promise: a small p where it was not kept; the size is the ratio of hours."""
    rows = ask(
        t,
        """SELECT day >= '2026-01-01' AS late, handling_hours / avg(handling_hours) OVER (PARTITION BY product_line) AS hours
        FROM failures WHERE region = 'Southeast' AND activity = 'repair on site'""",
    )
    after, before = rows["hours"][rows["late"]], rows["hours"][~rows["late"]]
    return ratio_of(after, before)._replace(p=ratio_of(after, before * (1 - promised)).p)


def slow_lakes(t: Tables) -> Found:
    """Incidents under a guarantee that were penalised; the size is the ratio of recovery on site."""
    penalised = ask(
        t,
        """SELECT c.region = 'Great Lakes' AS inside, p.ticket_id IS NOT NULL AS hit FROM cases c JOIN customers USING (customer_id)
        LEFT JOIN claims p USING (ticket_id) WHERE ticket_type = 'repair' AND severity <> 'minor' AND segment <> 'Bronze' AND day < '2026-10-01'""",
    )
    rows = recoveries(t, "activity = 'repair on site' AND component IS NOT NULL")
    here = rows["region"] == "Great Lakes"
    return ratio_of(rows["work"][here], rows["work"][~here])._replace(p=two_by_two(penalised))


def alarm_firmware(t: Tables) -> Found:
    return rates(
        ask(
            t,
            """SELECT 1 AS stratum, batch = 'V3-FW4.2' AS inside, sum(coalesce(events, 0)) AS events, sum(until - since) / 30.4375 AS months
            FROM machines LEFT JOIN (SELECT serial_no, count(*) AS events FROM failures WHERE fault_code = 'ALARM-SILENT' AND severity = 'critical' GROUP BY 1) USING (serial_no)
            WHERE product_line = 'Ventilation' AND until > since GROUP BY ALL""",
        )
    )


def late_loss(t: Tables) -> Found:
    """Renewals of the window by whether a critical incident was answered late in the year before; the size is the ratio of risks."""
    rows = ask(
        t,
        """SELECT NOT renewed AS hit, EXISTS (SELECT * FROM cases c WHERE c.customer_id = t.customer_id AND severity = 'critical'
            AND first_response_at > response_due_at AND c.day >= t.ends_on + 1 - 365 AND c.day <= t.ends_on) AS inside
        FROM contracts t WHERE renewed IS NOT NULL AND ends_on >= DATE '2023-12-01'""",
    )
    lost, size = rows.groupby("inside")["hit"].sum(), rows.groupby("inside")["hit"].size()
    error = np.sqrt((1 / lost - 1 / size).sum())
    ratio = lost[True] / size[True] / (lost[False] / size[False])
    return Found(two_by_two(rows), *(ratio * np.exp(np.array([-1.96, 1.96]) * error)))


def idle_team(t: Tables) -> Found:
    rows = ask(
        t,
        "SELECT month >= '2026-04-01' AS inside, 1 - sum(hours_worked) / sum(hours_paid) AS unused FROM staff WHERE team = 'Field West' GROUP BY month ORDER BY month",
    )
    idle = rows["unused"][rows["inside"]]
    p = float(stats.ttest_ind(idle, rows["unused"][~rows["inside"]]).pvalue)
    return Found(p, *stats.ttest_1samp(idle, 0).confidence_interval(0.95))


def weak_supplier(t: Tables) -> Found:
    """Repairs with a part, and whether its machine came back for the same part within thirty days."""
    return share_inside(
        ask(
            t,
            """SELECT p.supplier = 'Norlec' AS inside, a.ticket_id IS NOT NULL AS hit FROM parts_used p JOIN cases c USING (ticket_id)
            JOIN customers k ON k.customer_id = c.customer_id LEFT JOIN cases a ON a.parent_ticket_id = c.ticket_id AND a.rework
            WHERE NOT c.rework AND c.resolved_at < coalesce(k.churned_on, DATE '2026-11-01') - INTERVAL 31 DAY""",
        )
    )


def sensor_price(t: Tables) -> Found:
    rows = ask(
        t,
        "SELECT resolved_at >= '2026-03-01 05:00' AS late, unit_price FROM parts_used JOIN tickets USING (ticket_id) WHERE part_no = 'P-SEN'",
    )
    return ratio_of(rows["unit_price"][rows["late"]], rows["unit_price"][~rows["late"]])


def battery_fix(t: Tables) -> Found:
    return rates(
        ask(
            t,
            """SELECT 1 AS stratum, produced_on >= '2024-08-01' AS inside, sum(coalesce(events, 0)) AS events, sum(until - since) / 30.4375 AS months
            FROM machines LEFT JOIN (SELECT serial_no, count(*) AS events FROM failures WHERE component = 'backup_battery' GROUP BY 1) USING (serial_no)
            WHERE product_line = 'Monitoring' AND until > since GROUP BY ALL""",
        )
    )


ORACLES: dict[str, Callable[[Tables], Found]] = {
    oracle.__name__: oracle
    for oracle in (
        slipped_silver, worn_tubes, skipped_visits, remote_fix, guided_repair, slow_lakes,
        alarm_firmware, late_loss, idle_team, weak_supplier, sensor_price, battery_fix,
    )
}  # fmt: skip
NULL = ORACLES | {"guided_repair": lambda t: guided_repair(t, promised=0.0)}
SIZE: dict[str, float] = {
    "slipped_silver": PLANTED.slipped_late_share,
    "worn_tubes": PLANTED.worn_ratio,
    "skipped_visits": PLANTED.skipped_ratio,
    "remote_fix": PLANTED.remote_share,
    "guided_repair": PLANTED.guided_ratio,
    "slow_lakes": PLANTED.lakes_ratio,
    "alarm_firmware": PLANTED.alarm_ratio,
    "late_loss": PLANTED.late_loss_ratio,
    "idle_team": PLANTED.idle_unused_share,
    "weak_supplier": PLANTED.again_share,
    "sensor_price": PLANTED.price_ratio,
    "battery_fix": PLANTED.battery_ratio,
}


@cache
def answers(seeds: int, null: bool) -> dict[str, list[Found]]:
    """Of every oracle over the seeds; each company is made once for all of them and let go."""
    found: dict[str, list[Found]] = {truth: [] for truth in TRUTHS}
    for seed in range(seeds):
        each = tables(seed=100 + seed, null=null)
        for truth, oracle in (NULL if null else ORACLES).items():
            found[truth].append(oracle(each))
    return found


QUICK = 4
SEEDS = 40
POWER = {
    "late_loss": 0.75
}  # some 24 losses of 260 renewals; every other truth is found in nine companies of ten


def test_every_truth_has_an_oracle_and_a_size():
    assert tuple(ORACLES) == tuple(SIZE) == TRUTHS
    assert set(Strengths.__dataclass_fields__) == {name for each in Plan.without.values() for name in each}


@pytest.mark.parametrize("truth", TRUTHS)
def test_a_planted_truth_is_found(truth):
    assert sum(found.p < LEVEL for found in answers(QUICK, null=False)[truth]) >= QUICK - 1


@pytest.mark.parametrize("truth", TRUTHS)
def test_nothing_is_found_where_nothing_is_planted(truth):
    # three of four happen to a fair test once in two thousand
    assert sum(found.p < LEVEL for found in answers(QUICK, null=True)[truth]) < 3


@pytest.mark.slow
@pytest.mark.parametrize("truth", TRUTHS)
def test_over_forty_companies_a_truth_is_found_and_its_size_lies_in_the_interval(truth):
    found = answers(SEEDS, null=False)[truth]
    assert sum(each.p < LEVEL for each in found) >= POWER.get(truth, 0.9) * SEEDS
    # 95 %: fewer than 34 of forty happen once in three hundred
    assert sum(each.low <= SIZE[truth] <= each.high for each in found) >= 34


@pytest.mark.slow
@pytest.mark.parametrize("truth", TRUTHS)
def test_over_forty_companies_nothing_is_found_beyond_chance(truth):
    # five per cent: more than six of forty happen once in three hundred
    assert sum(each.p < LEVEL for each in answers(SEEDS, null=True)[truth]) <= 6


def failures_by_quarter(t: Tables, region: str) -> pd.DataFrame:
    return ask(
        t,
        f"""WITH quarters AS (SELECT CAST(q AS DATE) AS quarter FROM range(TIMESTAMP '2023-11-01', TIMESTAMP '2026-11-01', INTERVAL 3 MONTH) AS r(q)),
        held AS (SELECT quarter, sum(greatest(least(until, CAST(quarter + INTERVAL 3 MONTH AS DATE)) - greatest(since, quarter), 0)) / 30.4375 AS months
          FROM machines, quarters WHERE region = '{region}' GROUP BY 1)
        SELECT quarter, months, count(ticket_id) AS events FROM held LEFT JOIN failures f ON f.region = '{region}' AND f.day >= quarter
          AND f.day < quarter + INTERVAL 3 MONTH GROUP BY 1, 2 HAVING months > 0 ORDER BY 1""",
    )


def test_a_small_region_only_seems_to_differ():
    """Mountain's quarters swing further than Northeast's, and over all of them nothing is behind it: its machines fail as those of their kind do."""
    swings, differs = [], []
    for seed in range(8):
        t = made(300 + seed, scale=1.0)
        small, large = failures_by_quarter(t, "Mountain"), failures_by_quarter(t, "Northeast")
        if small.empty:
            continue
        swings.append(
            np.std(small["events"] / small["months"]) > 1.5 * np.std(large["events"] / large["months"])
        )
        rows = ask(
            t,
            """SELECT product_line AS stratum, region = 'Mountain' AS inside, sum(coalesce(events, 0)) AS events, sum(until - since) / 30.4375 AS months
            FROM machines LEFT JOIN (SELECT serial_no, count(*) AS events FROM failures WHERE batch NOT IN ('XR-2211', 'V3-FW4.2') GROUP BY 1) USING (serial_no)
            WHERE until > since AND batch NOT IN ('XR-2211', 'V3-FW4.2') GROUP BY ALL""",
        )
        differs.append(rates(rows).p < LEVEL)
    assert sum(swings) >= 0.75 * len(swings)
    assert sum(differs) <= 2


# --- tables ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """The company as the load reads it under the rules of its run."""
    run, folder = load_run("hospital"), tmp_path_factory.mktemp("hospital")
    make_sample(folder / "data", scale=0.3, template="hospital")
    return load_tables(
        folder / "data", folder / "store", reporting_currency=run.currency, time_zone=run.time_zone
    )


def test_the_load_takes_every_row_and_finds_no_fault(loaded):
    assert not [check for check in loaded.checks if check.outcome == "failed"]
    present = {name: info.rows for name, info in loaded.tables.items() if info.present}
    assert present == {name: frame.num_rows for name, frame in tables(seed=20261031, scale=0.3).items()}


def test_revenue_of_each_business_month_is_the_control_total_to_the_cent(loaded):
    def read(name: str) -> str:
        return str([str(part.path) for part in loaded[name].partitions])

    sql = f"""SELECT max(abs(o.amount - g.amount)) AS gap, count(*) AS n FROM
      (SELECT date_trunc('month', timezone('America/New_York', timezone('UTC', ordered_at))) AS month, sum(revenue) AS amount FROM read_parquet({read("orders")}) GROUP BY 1) o
      JOIN (SELECT month, amount FROM read_parquet({read("gl_totals")}) WHERE measure = 'revenue') g ON o.month = g.month"""
    found = duckdb.sql(sql).df()
    assert found.n[0] == 36 and found.gap[0] == Decimal(0)


def none(sql: str) -> bool:
    return int(ask(made(), f"SELECT count(*) AS n FROM {sql}")["n"][0]) == 0


def test_times_of_tickets_terms_and_machines_are_in_order():
    assert none(
        "tickets WHERE first_response_at < opened_at OR resolved_at < first_response_at OR closed_at < resolved_at"
    )
    assert none(
        "units WHERE NOT (produced_on <= shipped_on AND shipped_on <= in_service_on AND coalesce(in_service_on <= retired_on, TRUE))"
    )
    assert none(
        "(SELECT *, lead(starts_on) OVER (PARTITION BY contract_id ORDER BY term_no) AS next_start FROM contracts) WHERE next_start <> ends_on + 1"
    )


def test_nothing_happens_to_machines_that_left_or_to_hospitals_that_were_lost():
    assert none("cases JOIN units USING (serial_no) WHERE day >= retired_on OR day < shipped_on")
    assert none("orders JOIN customers USING (customer_id) WHERE ordered_at >= churned_on + INTERVAL 1 DAY")
    assert none("contracts JOIN customers USING (customer_id) WHERE starts_on >= churned_on")
    assert none(
        "units JOIN customers USING (customer_id) WHERE coalesce(retired_on > churned_on, churned_on IS NOT NULL)"
    )


def test_promises_follow_the_contract_level():
    found = ask(
        made(),
        "SELECT segment, min(response_due_at - opened_at) AS least, max(response_due_at - opened_at) AS most FROM tickets JOIN customers USING (customer_id) WHERE ticket_type = 'repair' GROUP BY 1",
    ).set_index("segment")
    for level, hours in zip(company.LEVELS, company.RESPONSE_HOURS, strict=True):
        assert found.loc[level, "least"] == found.loc[level, "most"] == pd.Timedelta(hours=hours)


def test_the_ledger_is_the_control_total_of_its_account_to_the_cent():
    sql = """SELECT count(*) AS n, max(abs(coalesce(l.amount, 0) - coalesce(g.amount, 0))) AS gap
      FROM (SELECT * FROM gl_totals WHERE measure = 'after_sales_cost' AND account <> 'all') g
      FULL JOIN (SELECT date_trunc('month', posted_on) AS month, account, sum(amount) AS amount FROM ledger GROUP BY ALL) l USING (month, account)"""
    found = ask(made(), sql)
    assert found.n[0] == 36 * len(company.ACCOUNTS) and found.gap[0] == Decimal(0)


def test_what_teams_are_paid_is_what_the_ledger_books_for_them():
    sql = """SELECT count(*) AS n, max(abs(l.amount - s.cost)) AS gap
      FROM (SELECT date_trunc('month', posted_on) AS month, team, sum(amount) AS amount FROM ledger WHERE category = 'labour' GROUP BY ALL) l
      FULL JOIN (SELECT month, team, sum(cost) AS cost FROM staff GROUP BY ALL) s USING (month, team)"""
    found = ask(made(), sql)
    assert found.n[0] == 36 * len(company.TEAMS) and found.gap[0] == Decimal(0)
    assert ask(made(), "SELECT min(hours_paid - hours_worked) AS least FROM staff").least[0] >= 0
    assert none("(SELECT month, team, avg(hours_paid) AS paid FROM staff GROUP BY ALL) WHERE paid > 320")


def test_parts_and_penalties_are_what_the_ledger_pays_for_them():
    for booked, counted in (
        (
            "ledger WHERE category = 'parts'",
            "SELECT sum(unit_price * CAST(quantity AS INTEGER)) AS amount FROM parts_used",
        ),
        ("ledger WHERE category = 'compensation'", "SELECT sum(approved) AS amount FROM claims"),
    ):
        amount = ask(made(), f"SELECT sum(amount) AS amount FROM {booked}").amount[0]
        assert amount > 0 and amount == ask(made(), counted).amount[0], booked


def test_a_penalty_is_paid_where_and_only_where_the_guarantee_was_missed():
    """Downtime of a machine and month, of incidents that stopped it, against the hours its contract allows."""
    missed = """SELECT serial_no, month FROM (
        SELECT serial_no, date_trunc('month', day) AS month, segment, sum(datediff('second', opened_at, resolved_at)) / 3600 AS down
        FROM cases JOIN customers USING (customer_id) WHERE ticket_type = 'repair' AND severity <> 'minor' AND day < '2026-09-20' GROUP BY ALL)
      WHERE down > CASE segment WHEN 'Gold' THEN 0.03 WHEN 'Silver' THEN 0.05 END * 24 * day(last_day(month))"""
    paid = "SELECT serial_no, date_trunc('month', day) AS month FROM claims JOIN cases USING (ticket_id) WHERE day < '2026-09-20'"
    assert not none(f"({missed})")
    assert none(f"(({missed}) EXCEPT ({paid}))") and none(f"(({paid}) EXCEPT ({missed}))")


def test_the_same_arguments_give_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        make_sample(tmp_path / folder, scale=0.1, template="hospital")
    names = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert len(names) == len(made()) + 1
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_the_answer_sheet_says_what_is_on_where_and_how_strong(tmp_path):
    make_sample(tmp_path, scale=0.1, template="hospital", off=frozenset({"idle_team"}))
    written = json.loads((tmp_path / "_truth" / "truth.json").read_text(encoding="utf-8"))["truths"]
    assert list(written) == sorted(TRUTHS) and len(TRUTHS) == 12
    assert [name for name in TRUTHS if not written[name]["active"]] == ["idle_team"]
    assert written["idle_team"]["strength"] == {"idle_unused_share": 0.12}
    assert written["sensor_price"]["begins"] == "2026-03"
    assert written["sensor_price"]["strength"] == {"price_ratio": 1.14}
    assert all(written[name]["where"] for name in TRUTHS)


BOOKS = {"ledger", "gl_totals", "budget"}


@pytest.mark.parametrize(
    ("off", "may_change"),
    [
        ("guided_repair", set()),
        ("sensor_price", BOOKS | {"parts_used"}),
        ("idle_team", BOOKS | {"staff", "drivers"}),
        ("slow_lakes", BOOKS | {"tickets", "claims", "surveys", "parts_used", "staff", "drivers"}),
    ],
)
def test_a_truth_that_is_off_leaves_the_rest_as_it_was(off, may_change):
    whole, without = made(), made(off=frozenset({off}))
    changed = {name for name in whole if not whole[name].equals(without[name])}
    assert changed <= may_change
    assert bool(changed) == bool(may_change)


def test_without_its_truths_it_is_the_same_hospitals_and_calendar():
    columns = ["customer_id", "segment", "region", "channel", "acquired_on"]
    assert made()["customers"].select(columns).equals(made(null=True)["customers"].select(columns))
    assert made()["calendar"].equals(made(null=True)["calendar"])


def test_summer_time_and_federal_holidays_are_kept():
    timeline = company.NewYorkTimeline(first=Month.parse("2023-11"), last=Month.parse("2026-10"))
    noon = [timeline.day(day) + 0.5 for day in ("2026-03-07", "2026-03-08", "2025-11-01", "2025-11-02")]
    assert [str(each)[11:16] for each in timeline.timestamps(np.array(noon))] == [
        "17:00",
        "16:00",
        "16:00",
        "17:00",
    ]
    kept = set(made()["calendar"]["day"].to_pylist())
    # the fourth of July 2026 is a Saturday and kept on the Friday before; Labor Day, Thanksgiving and Memorial Day move
    days = ("2026-07-03", "2026-09-07", "2025-11-27", "2026-05-25", "2026-01-19", "2022-12-26")
    assert {dt.date.fromisoformat(day) for day in days} <= kept
    assert all(day.weekday() < 5 for day in kept)
    assert len(federal_holidays(2026)) == 11 and len(federal_holidays(2020)) == 10


def test_other_windows_are_made_and_impossible_companies_refused(tmp_path):
    for months, last in ((3, "2025-02"), (14, "2026-06")):
        small = tables(seed=1, scale=0.1, months=months, last_month=last)
        assert len(set(small["gl_totals"]["month"].to_pylist())) == months
    with pytest.raises(ParameterError, match="Did you mean 'hospital'"):
        make_sample(tmp_path, template="hospitl")
    with pytest.raises(ParameterError, match="Did you mean 'slow_lakes'"):
        tables(seed=1, off=frozenset({"slow_lake"}))
    with pytest.raises(ParameterError, match="three is the least"):
        tables(seed=1, months=2)


# --- template -------------------------------------------------------------------------------------------------------------


def test_the_template_knows_every_account_pool_team_and_component():
    run = load_run("hospital")
    with with_own(run.own_params):
        tree = CostTree.load()
        known = {rule.account: rule.category for rule in tree.accounts}
        assert {entry.account: entry.category for entry in company.ACCOUNTS} == known
        assert {rule.pool for rule in tree.allocation} == {pool.pool for pool in company.POOLS} | {"labour"}
        treatments = {one.id for one in load_treatments()}
        assert {lever.treatment for one in load_what_ifs().scenarios for lever in one.levers} <= treatments
        components = {entry.component for entry in company.COMPONENTS}
        assert {entry.component for entry in load_interventions(kind="fix")} <= components
        for entry in load_interventions(kind="measure"):
            assert {entry.where["region"], *entry.comparison["region"]} <= set(company.REGIONS)


def test_registered_measures_begin_when_the_truths_do():
    with with_own(load_run("hospital").own_params):
        starts = {entry.id: str(entry.starts)[:7] for entry in load_interventions()}
    planted = Plan(last=Month.parse("2026-10"), off=frozenset(), window_months=36)
    names = {
        "remote-fix-mid-atlantic": "remote_fix",
        "guided-repair-southeast": "guided_repair",
        "battery-of-monitors": "battery_fix",
    }
    assert starts == {entry: str(planted.begins(truth)) for entry, truth in names.items()}
