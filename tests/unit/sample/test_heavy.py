"""The hirer's tables: valid, exact to the cent, and every planted truth found where it lies and nowhere else.

For each truth one plain statistic that is told where the truth lies (an oracle, not a study) gives a p-value from the canonical tables alone.
Power: the share of seeds below five per cent with everything planted. Null: the same share when nothing is.
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
from analysis.failures.fault_tree_facts import trees
from analysis.params import CostTree, load_run
from analysis.params.interventions import load_interventions
from analysis.params.places import with_own
from analysis.periods import Month
from analysis.sample import make_sample
from analysis.sample.heavy import TRUTHS, company, tables
from analysis.sample.heavy.fleet import fleet
from analysis.sample.heavy.truths import Plan
from analysis.sample.timeline import Timeline
from analysis.tables import load_tables

LEVEL, QUICK, ALL = 0.05, range(6), range(40)
Tables = dict[str, pa.Table]
SITES = {
    workshop: "', '".join(site.site for site in company.SITES if site.workshop == workshop)
    for workshop in range(3)
}


@cache
def made(seed: int = 3, scale: float = 0.2, null: bool = False, off: frozenset[str] = frozenset()) -> Tables:
    return tables(seed=seed, scale=scale, null=null, off=off)


_OPEN: list[tuple[Tables, duckdb.DuckDBPyConnection]] = []


def ask(company_tables: Tables, sql: str) -> pd.DataFrame:
    """Rows of a query over the tables; one connection to the company that was asked last. ``jobs``: tickets on the clock of Perth."""
    if not _OPEN or _OPEN[0][0] is not company_tables:
        connection = duckdb.connect(config={"threads": 1})
        for name, frame in company_tables.items():
            connection.register(name, frame)
        connection.execute(
            """CREATE VIEW jobs AS SELECT * EXCLUDE (opened_at, usage, region, product_id, customer_id), t.opened_at + INTERVAL 8 HOUR AS opened,
            t.usage AS reading, t.region AS site, epoch(resolved_at - opened_at) / 3600 AS stands
            FROM tickets t JOIN (SELECT serial_no, batch, u.supplier, in_service_on, model, product_line FROM units u JOIN products USING (product_id)) USING (serial_no)"""
        )
        _OPEN[:] = [(company_tables, connection)]
    return _OPEN[0][1].execute(sql).df()


# --- validity -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """The company as the load reads it under the rules of its run."""
    run, folder = load_run("heavy"), tmp_path_factory.mktemp("heavy")
    make_sample(folder / "data", scale=0.2, template="heavy")
    return load_tables(
        folder / "data", folder / "store", reporting_currency=run.currency, time_zone=run.time_zone
    )


def test_the_load_takes_every_row_and_finds_no_fault(loaded):
    assert not [check for check in loaded.checks if check.outcome == "failed"]
    present = {name: info.rows for name, info in loaded.tables.items() if info.present}
    assert present == {name: frame.num_rows for name, frame in tables(seed=20261031, scale=0.2).items()}


def test_nothing_is_done_on_a_machine_that_is_not_there():
    sql = """SELECT count(*) AS n FROM tickets JOIN units USING (serial_no)
      WHERE CAST(opened_at + INTERVAL 8 HOUR AS DATE) NOT BETWEEN in_service_on AND coalesce(retired_on, DATE '2099-01-01')
         OR tickets.region <> units.region OR first_response_at < opened_at OR resolved_at < first_response_at"""
    assert ask(made(), sql).n[0] == 0
    assert ask(made(), "SELECT count(*) AS n FROM units WHERE usage > 0").n[0] == made()["units"].num_rows


def test_a_meter_never_runs_back_():
    back = """SELECT count(*) AS n, max(gap) AS most FROM (SELECT *, reading - lag(reading) OVER (PARTITION BY serial_no ORDER BY opened) AS gap FROM jobs) WHERE gap < 0"""
    assert ask(made(), back).n[0] == 0
    beyond = (
        "SELECT count(*) AS n FROM tickets t JOIN units u USING (serial_no) WHERE t.usage > u.usage + 0.5"
    )
    assert ask(made(), beyond).n[0] == 0


def test_hours_billed_are_hours_on_the_meters():
    plan = Plan(last=Month.parse("2026-10"), off=frozenset(), window_months=36)
    timeline = Timeline(first=plan.last - 35, last=plan.last)
    every = fleet(seed=3, planted=plan, timeline=timeline, scale=0.2)
    billed = ask(made(), "SELECT sum(quantity) AS hours FROM orders").hours[0]
    assert billed == pytest.approx(float((every.hours[:, -1] - every.hours[:, 0]).sum()), abs=1)
    assert every.hours[:, -1].round().tolist() == ask(made(), "SELECT usage FROM units").usage.tolist()


def test_services_come_by_the_hour_not_by_the_calendar():
    """Hours between two services of a machine are those of the interval, whatever the site works; months are not."""
    sql = """SELECT reading - lag(reading) OVER w AS hours, datediff('day', lag(opened) OVER w, opened) AS days FROM jobs
      WHERE activity LIKE '%service' AND site NOT IN ('Boundary Hill', 'Kite Creek') WINDOW w AS (PARTITION BY serial_no ORDER BY opened)"""
    gaps = ask(made(), sql).dropna()
    assert abs(gaps["hours"].mean() - 500) < 5 and gaps["hours"].std() < 60
    assert gaps["days"].std() / gaps["days"].mean() > 0.4


def test_the_ledger_is_the_control_total_of_its_account_to_the_cent():
    sql = """SELECT count(*) AS n, max(abs(l.amount - g.amount)) AS gap FROM (SELECT * FROM gl_totals WHERE measure = 'after_sales_cost' AND account <> 'all') g
      FULL JOIN (SELECT date_trunc('month', posted_on) AS month, account, sum(amount) AS amount FROM ledger GROUP BY ALL) l USING (month, account)
      WHERE g.amount IS NOT NULL AND l.amount IS NOT NULL OR error('one side only')"""
    found = ask(made(), sql)
    assert found.n[0] > 36 * 11 and found.gap[0] == Decimal(0)
    whole = """SELECT max(abs(g.amount - l.amount)) AS gap FROM (SELECT month, amount FROM gl_totals WHERE measure = 'after_sales_cost' AND account = 'all') g
      JOIN (SELECT date_trunc('month', posted_on) AS month, sum(amount) AS amount FROM ledger GROUP BY 1) l USING (month)"""
    assert ask(made(), whole).gap[0] == Decimal(0)


def test_what_workshops_are_paid_is_what_the_ledger_books_for_them():
    sql = """SELECT count(*) AS n, max(abs(coalesce(l.amount, 0) - coalesce(s.cost, 0))) AS gap
      FROM (SELECT date_trunc('month', posted_on) AS month, team, sum(amount) AS amount FROM ledger WHERE category IN ('labour', 'outsourcing') GROUP BY ALL) l
      FULL JOIN (SELECT month, team, sum(cost) AS cost FROM staff GROUP BY ALL) s USING (month, team)"""
    found = ask(made(), sql)
    assert found.n[0] > 36 * 4 and found.gap[0] == Decimal(0)
    assert ask(made(), "SELECT min(hours_paid - hours_worked) AS least FROM staff").least[0] >= 0


def test_parts_fitted_are_what_the_ledger_books_on_their_jobs():
    sql = """SELECT count(*) AS n, max(abs(coalesce(p.amount, 0) - coalesce(l.amount, 0))) AS gap
      FROM (SELECT ticket_id, sum(quantity * unit_price) AS amount FROM parts_used GROUP BY 1) p
      FULL JOIN (SELECT ticket_id, sum(amount) AS amount FROM ledger WHERE category = 'parts' GROUP BY 1) l USING (ticket_id)"""
    found = ask(made(), sql)
    assert found.n[0] > 1_000 and found.gap[0] == 0


def test_hire_is_the_revenue_of_its_month_to_the_cent():
    sql = """SELECT count(*) AS n, max(abs(o.amount - g.amount)) AS gap FROM (SELECT date_trunc('month', ordered_at + INTERVAL 8 HOUR) AS month, sum(revenue) AS amount FROM orders GROUP BY 1) o
      JOIN (SELECT month, amount FROM gl_totals WHERE measure = 'revenue') g USING (month)"""
    found = ask(made(), sql)
    assert found.n[0] == 36 and found.gap[0] == Decimal(0)


# --- the same, and what differs -----------------------------------------------------------------------------------------


def test_the_same_arguments_give_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        make_sample(tmp_path / folder, scale=0.15, template="heavy")
    names = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert len(names) == len(made()) + 1
    assert all(
        (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names
    )


def test_the_answer_sheet_says_what_is_on_where_and_how_strong(tmp_path):
    truth = make_sample(tmp_path, scale=0.15, template="heavy", off=frozenset({"idle_team"}))
    written = json.loads((tmp_path / "_truth" / "truth.json").read_text(encoding="utf-8"))
    assert list(truth.truths) == list(TRUTHS) and len(TRUTHS) == 13
    assert [name for name in TRUTHS if not written["truths"][name]["active"]] == ["idle_team"]
    assert written["truths"]["oil_analysis"]["begins"] == "2025-09"
    assert written["truths"]["oil_analysis"]["strength"] == {"found_early": 0.45, "oil_hours": 0.8}
    assert all(written["truths"][name]["where"] for name in TRUTHS)


MONEY = {"ledger", "gl_totals", "budget"}


@pytest.mark.parametrize(
    ("truth", "changed"),
    [
        ("telematics", set()),
        ("idle_team", {"staff", "drivers", *MONEY}),
        ("parts_price", {"parts_used", *MONEY}),
        ("dear_service", {"parts_used", *MONEY}),
        ("abrasive_site", {"tickets", "parts_used", "staff", "drivers", *MONEY}),
        ("stretched_interval", {"tickets", "parts_used", "staff", "drivers", *MONEY}),
    ],
)
def test_a_truth_that_is_off_leaves_the_rest_as_it_was(truth, changed):
    whole, without = made(), made(off=frozenset({truth}))
    moved = {name for name in whole if not whole[name].equals(without[name])}
    assert moved <= changed and bool(moved) == bool(changed)


def test_a_site_without_abrasive_ground_loses_breakdowns_and_changes_no_other():
    columns = ["serial_no", "opened_at", "activity", "component", "usage", "handling_hours"]
    whole, without = (
        t["tickets"].select(columns).to_pandas() for t in (made(), made(off=frozenset({"abrasive_site"})))
    )
    merged = whole.merge(without, how="left", indicator=True)
    gone = merged[merged["_merge"] == "left_only"]
    assert len(whole) - len(gone) == len(without) and len(gone) > 5
    assert set(gone["component"]) == {"undercarriage_track"}


def test_without_its_truths_it_is_the_same_machines_on_the_same_meters():
    for name in ("units", "orders", "customers", "calendar"):
        assert made()[name].equals(made(null=True)[name]), name


@pytest.mark.parametrize(("months", "last"), [(3, "2025-02"), (14, "2026-06")])
def test_other_windows(months, last):
    other = tables(seed=1, scale=0.1, months=months, last_month=last)
    assert len(set(other["gl_totals"]["month"].to_pylist())) == months
    assert str(max(other["gl_totals"]["month"].to_pylist()))[:7] == last


def test_an_unknown_truth_and_an_impossible_size_are_refused_in_words():
    with pytest.raises(ParameterError, match="no planted truth 'idle_tem'. Did you mean 'idle_team'"):
        tables(seed=1, off=frozenset({"idle_tem"}))
    with pytest.raises(ParameterError, match="1 is 200 machines in the field"):
        tables(seed=1, scale=0.0)


# --- the template -------------------------------------------------------------------------------------------------------


def test_the_template_knows_every_account_pool_team_and_site():
    run = load_run("heavy")
    assert run.data_folder.name == "sample-heavy" and "failures" in run.sections
    with with_own(run.own_params):
        tree, entries, grown = CostTree.load(), load_interventions(), trees()
    assert {rule.account: rule.category for rule in tree.accounts} == {
        entry.account: entry.category for entry in company.ACCOUNTS
    }
    assert {rule.pool for rule in tree.allocation} == {pool.pool for pool in company.POOLS} | {"labour"}
    names = {team.team for team in company.TEAMS}
    for entry in entries:
        assert {entry.where["team"], *entry.comparison["team"]} <= names
    assert [tree.name for tree in grown.values()] == ["excavator_stops"]


def test_registered_measures_begin_when_the_truths_do(tmp_path):
    with with_own(load_run("heavy").own_params):
        starts = {entry.id: str(entry.starts)[:7] for entry in load_interventions()}
    sheet = make_sample(tmp_path, scale=0.15, template="heavy").truths
    assert starts == {
        "oil-analysis-goldfields": sheet["oil_analysis"]["begins"],
        "telematics-darling": sheet["telematics"]["begins"],
    }


# --- oracles ------------------------------------------------------------------------------------------------------------


def two_by_two(rows: pd.DataFrame) -> float:
    """Fisher's exact test of an outcome (``hit``) by ``inside``, one row each."""
    table = pd.crosstab(rows["inside"], rows["hit"]).reindex(
        index=[False, True], columns=[False, True], fill_value=0
    )
    return float(stats.fisher_exact(table.to_numpy()).pvalue)


def by_hours(
    t: Tables, machines: str, inside: str, *, component: str = "", since: str = "2023-11-01"
) -> float:
    """Breakdowns of some machines inside against all of theirs, beside the share of their operating hours that was billed inside (binomial)."""
    of = f"component = '{component}'" if component else "TRUE"
    failed = ask(
        t,
        f"""SELECT count(*) FILTER (WHERE {inside}) AS n, count(*) AS whole FROM (SELECT *, opened AS day FROM jobs)
      WHERE activity = 'breakdown repair' AND {of} AND {machines} AND day >= '{since}'""",
    )
    ran = ask(
        t,
        f"""SELECT sum(quantity) FILTER (WHERE {inside}) / sum(quantity) AS share FROM
      (SELECT *, region AS site, ordered_at + INTERVAL 8 HOUR AS day FROM orders JOIN products USING (product_id)) WHERE {machines} AND day >= '{since}'""",
    )
    return float(stats.binomtest(int(failed["n"][0]), int(failed["whole"][0]), float(ran["share"][0])).pvalue)


def hours_wear(t: Tables) -> float:
    """Readings of bearing failures beside those of services, which come evenly by the hour, on machines of the same calendar age (rank sum)."""
    rows = ask(
        t,
        """SELECT component IS NOT NULL AS failed, reading, datediff('day', in_service_on, opened) AS age FROM jobs
      WHERE product_line = 'Excavators' AND site NOT IN ('Boundary Hill', 'Kite Creek') AND NOT coalesce(rework, FALSE)
        AND (component = 'slew_bearing' OR activity LIKE '%service') AND reading > 100 AND datediff('day', in_service_on, opened) > 30""",
    )
    served = rows[~rows["failed"]]
    line = np.polyfit(np.log(served["age"]), np.log(served["reading"]), 2)
    beyond = np.log(rows["reading"]) - np.polyval(line, np.log(rows["age"]))
    return float(stats.mannwhitneyu(beyond[rows["failed"]], beyond[~rows["failed"]]).pvalue)


def abrasive_site(t: Tables) -> float:
    return by_hours(t, "product_line = 'Excavators'", "site = 'Iron Gully'", component="undercarriage_track")


def stretched_interval(t: Tables) -> float:
    return by_hours(t, "site IN ('Boundary Hill', 'Kite Creek')", "day >= '2025-11-01'", since="2024-11-01")


def oil_analysis(t: Tables) -> float:
    return two_by_two(
        ask(
            t,
            f"""SELECT opened >= '2025-09-01' AS inside, ticket_type = 'repair' AS hit FROM jobs WHERE site IN ('{SITES[company.GOLDFIELDS]}')
      AND component IN ('hydraulic_pump', 'engine_injector', 'final_drive') AND NOT coalesce(rework, FALSE)""",
        )
    )


def telematics(t: Tables, promised: float = 0.15) -> float:
    """Whether the hours of repairs changed by something else than was promised: hours against those of their component."""
    rows = ask(
        t,
        "SELECT opened >= '2026-01-01' AS since, component, handling_hours FROM jobs WHERE team = 'Darling Workshop' AND activity = 'breakdown repair'",
    )
    rows["log"] = np.log(rows["handling_hours"]) - rows["since"] * np.log(1 - promised)
    rest = rows["log"] - rows.groupby("component")["log"].transform("mean")
    return float(stats.ttest_ind(rest[rows["since"]], rest[~rows["since"]], equal_var=False).pvalue)


def beside_services(t: Tables, of: str, component: str, inside: str) -> float:
    """Failures of a component and services, which count the hours that were run, by whether the machine is inside."""
    return two_by_two(
        ask(
            t,
            f"""SELECT {inside} AS inside, component IS NOT NULL AS hit FROM jobs
      WHERE {of} AND NOT coalesce(rework, FALSE) AND (component = '{component}' OR activity LIKE '%service')""",
        )
    )


def pump_supplier(t: Tables) -> float:
    return beside_services(t, "reading < 4000", "hydraulic_pump", "supplier = 'Kestrel Hydraulics'")


def engine_batch(t: Tables) -> float:
    return beside_services(t, "model = 'EX36'", "engine_injector", "batch = 'EX36-2023'")


def contract_workshop(t: Tables) -> float:
    return two_by_two(
        ask(
            t,
            """SELECT team = 'Contract Workshop' AS inside, EXISTS (SELECT * FROM jobs r WHERE r.parent_ticket_id = j.ticket_id) AS hit
      FROM jobs j WHERE activity = 'breakdown repair' AND opened < '2026-09-01'""",
        )
    )


def parts_price(t: Tables) -> float:
    """Prices against the mean of their part and model."""
    rows = ask(
        t,
        """SELECT resolved_at + INTERVAL 8 HOUR >= '2026-03-01' AS since, part_no || model AS part, CAST(unit_price AS DOUBLE) AS price
      FROM parts_used JOIN jobs USING (ticket_id) WHERE part_no IN ('P-110', 'P-160')""",
    )
    rest = np.log(rows["price"]) - np.log(rows["price"]).groupby(rows["part"]).transform("mean")
    return float(stats.ttest_ind(rest[rows["since"]], rest[~rows["since"]], equal_var=False).pvalue)


def idle_team(t: Tables) -> float:
    rows = ask(
        t,
        "SELECT month >= '2026-05-01' AS inside, 1 - sum(hours_worked) / sum(hours_paid) AS unused FROM staff WHERE team = 'Component Shop' GROUP BY month ORDER BY month",
    )
    return float(stats.ttest_ind(rows["unused"][rows["inside"]], rows["unused"][~rows["inside"]]).pvalue)


def stands_longer(t: Tables, inside: str, where: str) -> float:
    rows = ask(
        t,
        f"SELECT {inside} AS inside, component, stands FROM jobs WHERE ticket_type = 'repair' AND stands IS NOT NULL AND {where}",
    )
    rest = np.log(rows["stands"]) - np.log(rows["stands"]).groupby(rows["component"]).transform("mean")
    return float(stats.ttest_ind(rest[rows["inside"]], rest[~rows["inside"]], equal_var=False).pvalue)


def night_shift(t: Tables) -> float:
    nights = "', '".join(site.site for site in company.SITES if site.nights)
    return stands_longer(t, "hour(opened) NOT BETWEEN 6 AND 17", f"site IN ('{nights}')")


def parts_wait(t: Tables) -> float:
    return stands_longer(t, "opened >= '2026-02-01'", "component = 'final_drive'")


def dear_service(t: Tables) -> float:
    """Kits of WL40 against those of WL25, beside what other parts of the two differ by (normal, part by part)."""
    rows = ask(
        t,
        "SELECT part_no, model, ln(CAST(unit_price AS DOUBLE)) AS price FROM parts_used JOIN jobs USING (ticket_id) WHERE model IN ('WL25', 'WL40') AND (part_no LIKE 'K%' OR part_no IN ('P-170', 'P-180'))",
    )
    each = rows.groupby(["part_no", "model"])["price"].agg(["mean", "var", "size"]).unstack()
    gap = each["mean"]["WL40"] - each["mean"]["WL25"]
    variance = sum(each["var"][model] / each["size"][model] for model in ("WL25", "WL40"))
    kit = gap.index.str.startswith("K")
    error = np.sqrt(variance[kit].sum() / kit.sum() ** 2 + variance[~kit].sum() / (~kit).sum() ** 2)
    return float(2 * stats.norm.sf(abs(gap[kit].mean() - gap[~kit].mean()) / error))


ORACLES: dict[str, Callable[[Tables], float]] = {
    oracle.__name__: oracle
    for oracle in (
        hours_wear, abrasive_site, stretched_interval, oil_analysis, telematics, pump_supplier, engine_batch,
        contract_workshop, parts_price, idle_team, night_shift, parts_wait, dear_service,
    )
}  # fmt: skip


@cache
def found(null: bool, seeds: range) -> dict[str, int]:
    """By truth, the seeds whose oracle falls below the level; a company is made once for all oracles and let go."""
    hits = dict.fromkeys(ORACLES, 0)
    for seed in seeds:
        each = tables(seed=100 + seed, null=null)
        for name, oracle in ORACLES.items():
            # with nothing planted nothing was promised either
            p_value = telematics(each, 0.0) if null and name == "telematics" else oracle(each)
            hits[name] += p_value < LEVEL
    return hits


def test_every_truth_has_an_oracle():
    assert tuple(ORACLES) == TRUTHS


@pytest.mark.parametrize("truth", TRUTHS)
def test_a_planted_truth_is_found(truth):
    assert found(False, QUICK)[truth] >= len(QUICK) - 1


@pytest.mark.parametrize("truth", TRUTHS)
def test_nothing_is_found_where_nothing_is_planted(truth):
    assert found(True, QUICK)[truth] <= 2  # more than two of six happen to a fair test once in four hundred


@pytest.mark.slow
@pytest.mark.parametrize("truth", TRUTHS)
def test_a_planted_truth_is_found_in_nine_companies_of_ten(truth):
    assert found(False, ALL)[truth] >= 0.9 * len(ALL)


@pytest.mark.slow
@pytest.mark.parametrize("truth", TRUTHS)
def test_nothing_beyond_chance_in_forty_companies_without_truths(truth):
    assert found(True, ALL)[truth] <= 6  # more than six of forty happen to a fair test once in two hundred


def test_a_contracted_job_is_cheaper_only_when_that_is_planted():
    """Fees against what the site's own workshop would be paid for the same component."""
    sql = """SELECT component, avg(CAST(amount AS DOUBLE)) AS fee FROM ledger JOIN jobs USING (ticket_id, team)
      WHERE team = 'Contract Workshop' AND activity = 'breakdown repair' GROUP BY 1 ORDER BY 1"""
    ratio = ask(made(), sql)["fee"] / ask(made(off=frozenset({"contract_workshop"})), sql)["fee"]
    assert ratio.between(0.7499, 0.7501).all()


def test_a_small_site_only_seems_to_differ():
    """Wattle Creek's quarters swing far around its peers' breakdowns an hour, and nothing is behind it."""
    quarter = "date_trunc('quarter', {}) AS quarter"
    swings, p_values = [], []
    for seed in range(8):
        t = tables(seed=200 + seed)
        failed = ask(
            t,
            f"SELECT site, {quarter.format('opened')}, count(*) AS n FROM jobs WHERE activity = 'breakdown repair' AND component NOT IN ('slew_bearing') GROUP BY ALL",
        ).pivot_table(index="quarter", columns="site", values="n", fill_value=0)
        ran = ask(
            t,
            f"SELECT region AS site, {quarter.format('ordered_at')}, sum(quantity) AS hours FROM orders GROUP BY ALL",
        ).pivot_table(index="quarter", columns="site", values="hours")
        rate = failed / ran
        swings.append(rate["Wattle Creek"].std() > 2 * rate["Red Mesa"].std())
        share = ran["Wattle Creek"].sum() / (ran["Wattle Creek"].sum() + ran["Karri Quarry"].sum())
        n = [int(failed[site].sum()) for site in ("Wattle Creek", "Karri Quarry")]
        p_values.append(stats.binomtest(n[0], sum(n), share).pvalue)
    assert sum(swings) >= 7 and sum(p < LEVEL for p in p_values) <= 2
