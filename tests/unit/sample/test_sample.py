"""The sample company's tables: same bytes, in contract, and every total the sum of its parts to the cent."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from analysis.errors import ParameterError
from analysis.sample import (
    ACCOUNTS,
    POOLS,
    TRUTHS,
    UNMAPPED_ACCOUNT,
    SampleTruth,
    generate,
    generate_arrow,
    make_sample,
)
from analysis.sample.holidays import LUNAR_NEW_YEAR, departures, working_days

CONTRACT = yaml.safe_load(files("analysis.tables").joinpath("contract.yml").read_text(encoding="utf-8"))
CANONICAL = {name: spec for name, spec in CONTRACT.items() if isinstance(spec, dict) and "columns" in spec}
ARROW = {
    "string": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "integer": pa.int64(),
    "decimal": pa.decimal128(18, 2),
    "float": pa.float64(),
    "boolean": pa.bool_(),
}
Tables = dict[str, pa.Table]


@cache
def company(
    seed: int = 7, scale: float = 0.1, off: frozenset[str] = frozenset(), **options: object
) -> tuple[Tables, SampleTruth]:
    return generate_arrow(seed=seed, scale=scale, off=off, **options)  # type: ignore[arg-type]


@cache
def whole() -> tuple[Tables, SampleTruth]:
    return generate_arrow()


_OPEN: dict[int, tuple[Tables, duckdb.DuckDBPyConnection]] = {}


def ask(tables: Tables, sql: str) -> list[tuple]:
    """Rows of a query over the tables; one connection a company."""
    if id(tables) not in _OPEN:
        connection = duckdb.connect(config={"threads": 1})
        for name, frame in tables.items():
            connection.register(name, frame)
        _OPEN[id(tables)] = tables, connection
    return _OPEN[id(tables)][1].execute(sql).fetchall()


# --- files --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_the_same_arguments_give_the_same_bytes(tmp_path, format):
    for folder in ("one", "two"):
        make_sample(tmp_path / folder, scale=0.03, format=format)
    names = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert len(names) == len(CANONICAL) + 1
    assert all(
        (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names
    )


def test_another_seed_is_another_company():
    assert not company(seed=7)[0]["tickets"].equals(company(seed=8)[0]["tickets"])


def test_the_folder_holds_one_file_a_table_and_the_truth_where_no_table_is_looked_for(tmp_path):
    truth = make_sample(tmp_path, scale=0.03)
    assert {path.name for path in tmp_path.glob("*.*")} == {f"{name}.parquet" for name in CANONICAL}
    written = json.loads((tmp_path / "_truth" / "truth.json").read_text(encoding="utf-8"))
    assert written == json.loads(truth.to_json())
    assert written["totals"]["rows"]["tickets"] == pq.read_metadata(tmp_path / "tickets.parquet").num_rows
    make_sample(tmp_path, scale=0.03, format="csv")
    assert not list(tmp_path.glob("*.parquet"))  # a table in two formats would be read twice


def test_csv_says_the_same_as_parquet(tmp_path):
    make_sample(tmp_path / "parquet", scale=0.03)
    make_sample(tmp_path / "csv", scale=0.03, format="csv")
    for name in ("ledger", "tickets", "customers"):
        left = duckdb.sql(f"from '{tmp_path}/parquet/{name}.parquet'").arrow().read_all()
        types = {
            column: str(kind)
            for column, kind in duckdb.sql(
                f"select column_name, column_type from (describe from '{tmp_path}/parquet/{name}.parquet')"
            ).fetchall()
        }
        right = duckdb.read_csv(f"{tmp_path}/csv/{name}.csv", dtype=types).arrow().read_all()
        assert left.equals(right)


def test_pandas_frames_keep_money_exact():
    frames = generate(seed=7, scale=0.1)
    assert list(frames) == list(company()[0])
    assert isinstance(frames["ledger"]["amount"].iloc[0], Decimal)
    total = sum(company()[0]["ledger"]["amount"].to_pylist(), Decimal(0))
    assert sum(frames["ledger"]["amount"], Decimal(0)) == total


# --- contract -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CANONICAL)
def test_table_conforms_to_the_contract(name):
    tables, spec = company()[0], CANONICAL[name]
    frame = tables[name]
    assert frame.num_rows
    assert frame.column_names == [column for column in spec["columns"] if column in frame.column_names]
    for column in frame.column_names:
        rule = spec["columns"][column]
        values = frame[column]
        assert values.type == ARROW[rule["type"]], column
        assert values.null_count < frame.num_rows, f"{column} is never filled"
        if rule.get("need") == "required":
            assert not values.null_count, column
        if "values" in rule:
            assert set(values.unique().to_pylist()) <= {*rule["values"], None}, column
        if "refers" in rule:
            known = tables[rule["refers"]][CANONICAL[rule["refers"]]["key"][0]]
            assert pc.all(pc.is_in(values.drop_null(), value_set=known.combine_chunks())).as_py() in (
                True,
                None,
            ), column
        for bound, beyond in (("at_least", pc.less), ("at_most", pc.greater)):
            if bound in rule:
                assert not pc.any(beyond(pc.cast(values, pa.float64()), float(rule[bound]))).as_py(), column
    assert frame.group_by(spec["key"]).aggregate([]).num_rows == frame.num_rows
    for pair in spec.get("in_order", ()):
        first, second = (pc.cast(frame[column], pa.timestamp("us")) for column in pair)
        assert not pc.any(pc.greater(first, second)).as_py(), pair


def test_only_the_journal_column_is_left_out():
    # A journal id promises whole journals that net to zero; an after-sales ledger holds one leg of each.
    tables = company()[0]
    absent = {
        (name, column)
        for name, spec in CANONICAL.items()
        for column in spec["columns"]
        if column not in tables[name].column_names
    }
    # one maker under one name: no shops, marketplaces, brands or companies of a group
    of_groups = {
        (name, column) for name, column in absent if column in ("shop", "platform", "brand", "legal_entity")
    }
    assert absent - of_groups <= {("ledger", "journal_id")}


def test_survey_scores_stay_on_their_scales():
    rows = ask(company()[0], "select kind, min(score), max(score) from surveys group by kind order by kind")
    assert rows == [("ces", 1.0, 7.0), ("csat", 1.0, 5.0), ("nps", 0.0, 10.0)]


# --- money --------------------------------------------------------------------------------------------------------------

MONTH = "date_trunc('month', {})::date"
LOCAL = "date_trunc('month', ordered_at + interval 8 hour)::date"  # Asia/Shanghai has no daylight saving
COUNTED = "posting_basis in ('incurred', 'recovery')"


@pytest.fixture(params=[("null", 3), ("all", 4)], ids=lambda p: p[0])
def books(request):
    kind, seed = request.param
    return company(seed=seed, off=frozenset(TRUTHS) if kind == "null" else frozenset(), blemishes=True)[0]


def test_ledger_ties_to_the_general_ledger_to_the_cent(books):
    sql = f"""
        with posted as (select {MONTH.format("posted_on")} as month, account, sum(amount) as amount from ledger where {COUNTED} group by all)
        select g.month, g.account, g.amount, p.amount from (select * from gl_totals where measure = 'after_sales_cost') g
        full join (from posted union all select month, 'all', sum(amount) from posted group by month) p using (month, account)
        where g.amount is distinct from p.amount
    """
    assert ask(books, sql) == []
    assert ask(books, "select count(distinct month) from gl_totals where measure = 'after_sales_cost'") == [
        (36,)
    ]


@pytest.mark.parametrize(
    ("measure", "of"),
    [
        ("revenue", "true"),
        (
            "service_revenue",
            "order_type in ('extended_warranty', 'premium_service', 'paid_repair', 'other_service')",
        ),
    ],
)
def test_revenue_of_each_business_month_is_the_sum_of_its_orders(books, measure, of):
    sql = f"""
        select g.month from (select * from gl_totals where measure = '{measure}') g
        left join (select {LOCAL} as month, sum(revenue) as revenue from orders where {of} group by 1) o using (month)
        where g.amount is distinct from o.revenue
    """
    assert ask(books, sql) == []


def test_labour_in_the_ledger_is_the_in_house_staff_cost(books):
    sql = f"""
        select * from (select {MONTH.format("posted_on")} as month, team, sum(amount) as amount from ledger where account like '6601.01.%' group by all) l
        full join (select month, team, sum(cost) as cost from staff where sourcing = 'in_house' group by all) s using (month, team)
        where l.amount is distinct from s.cost
    """
    assert ask(books, sql) == []


def test_direct_postings_match_parts_and_claims(books):
    parts = ask(books, "select sum(quantity::decimal(9, 0) * unit_price) from parts_used")
    assert ask(books, "select sum(amount) from ledger where account = '6601.02.01'") == parts
    by_ticket = """
        select * from (select ticket_id, sum(amount) as amount from ledger where account = '{account}' group by 1) l
        full join (select ticket_id, sum({column}) as amount from claims where {column} > 0 group by 1) c using (ticket_id)
        where l.amount is distinct from {sign}c.amount
    """
    assert ask(books, by_ticket.format(account="6601.04.01", column="approved", sign="")) == []
    assert ask(books, by_ticket.format(account="6601.02.09", column="recovered", sign="-")) == []


def test_provision_rolls_forward_and_ties_to_its_postings_and_to_the_balance_sheet(books):
    assert (
        ask(books, "select * from provision where closing <> opening + accrued - utilised + adjusted") == []
    )
    gaps = """select * from (select *, lag(closing) over (partition by product_line order by month) as before from provision)
              where before is not null and before <> opening"""
    assert ask(books, gaps) == []
    posted = f"""
        select * from (select month, product_line, accrued, -utilised as utilised, adjusted from provision) p
        left join (pivot (select {MONTH.format("posted_on")} as month, product_line, posting_basis, amount from ledger where not {COUNTED})
                   on posting_basis in ('accrual', 'utilisation', 'adjustment') using sum(amount)) l using (month, product_line)
        where p.accrued <> coalesce(l.accrual, 0) or p.utilised <> coalesce(l.utilisation, 0) or p.adjusted <> coalesce(l.adjustment, 0)
    """
    assert ask(books, posted) == []
    closing = """select g.month from gl_totals g join (select month, sum(closing) as closing from provision group by 1) p using (month)
                 where measure = 'warranty_provision_closing' and g.amount <> p.closing"""
    assert ask(books, closing) == []


def test_provision_is_used_by_what_orders_in_warranty_cost(books):
    sql = f"""
        select * from (select month, product_line, utilised from provision) p
        left join (select {MONTH.format("l.posted_on")} as month, l.product_line, sum(l.amount) as amount from ledger l join tickets t using (ticket_id)
                   where posting_basis = 'incurred' and t.in_warranty group by all) l using (month, product_line)
        where utilised <> coalesce(amount, 0)
    """
    clean = {**books, "tickets": books["tickets"].group_by(books["tickets"].column_names).aggregate([])}
    assert ask(clean, sql) == []


def test_pools_have_the_drivers_that_their_rules_name(books):
    rules = ", ".join(
        f"('{pool.pool}', '{pool.driver}', '{kind}')"
        for pool in POOLS
        for kind in ("team", "product_line", "region")
    )
    sql = f"""
        select * from (select distinct cost_pool, {MONTH.format("posted_on")} as month from ledger where cost_pool is not null)
        full join (values {rules}) r(cost_pool, driver, cost_object_type) using (cost_pool)
        anti join (select * from drivers where quantity > 0) d using (month, driver, cost_object_type)
    """
    assert ask(books, sql) == []


def test_accounts_are_mapped_save_the_suspense_account(books):
    known = {entry.account for entry in ACCOUNTS}
    assert UNMAPPED_ACCOUNT not in known
    accounts = {account for (account,) in ask(books, "select distinct account from ledger")}
    assert accounts <= known | {UNMAPPED_ACCOUNT}
    categories = dict(ask(books, "select account, any_value(category) from ledger group by 1"))
    assert all(
        categories[entry.account] == entry.category for entry in ACCOUNTS if categories.get(entry.account)
    )
    filled, rows = ask(books, "select count(category), count(*) from ledger")[0]
    assert 0.90 < filled / rows < 0.96
    assert ask(
        books, f"select count(*) > 0, count(category) from ledger where account = '{UNMAPPED_ACCOUNT}'"
    ) == [(True, 0)]


def test_books_are_known_before_the_close_of_the_month(books):
    # A run of any past month at its own as-of date (the tenth of the next month) sees the whole ledger of that month.
    late = f"select count(*) from ledger where recorded_at >= {MONTH.format('posted_on')} + interval 1 month + interval 9 day"
    assert ask(books, late) == [(0,)]
    assert (
        ask(
            books,
            "select count(*) from ledger where recorded_at + interval 8 hour > posted_on + interval 3 day",
        )[0][0]
        > 0
    )
    unknown = [
        ask(books, f"select max(recorded_at) from {name}")[0][0]
        for name in ("tickets", "customers", "ledger")
    ]
    assert max(unknown) < dt.datetime(2026, 11, 9)


# --- the company --------------------------------------------------------------------------------------------------------


def test_the_company_has_the_size_it_should_have():
    tables, truth = whole()
    rows = truth.totals["rows"]
    assert 38_000 < rows["customers"] < 42_000
    assert 110_000 < rows["units"] < 135_000
    assert 55_000 < rows["tickets"] < 75_000
    years = ask(
        tables,
        "select year(month), sum(amount)::double from gl_totals where measure = 'revenue' and year(month) in (2024, 2025) group by 1",
    )
    assert all(0.9e9 < revenue < 1.15e9 for _, revenue in years)
    assert ask(tables, "select count(distinct model), count(distinct product_line) from products") == [(6, 3)]
    assert ask(
        tables, "select count(distinct supplier), count(distinct plant), count(distinct region) from units"
    ) == [(4, 3, 5)]


def test_the_company_costs_what_it_should_cost():
    tables, _ = whole()
    cost, revenue = (
        ask(
            tables,
            f"select sum(amount)::double from gl_totals where measure = '{measure}' and account = 'all'",
        )[0][0]
        for measure in ("after_sales_cost", "revenue")
    )
    assert 0.03 < cost / revenue < 0.05
    labour = ask(tables, "select sum(amount)::double from ledger where account like '6601.01.%'")[0][0]
    assert 0.55 < labour / cost < 0.70
    complaints, orders = ask(
        tables, "select count(*) filter (ticket_type = 'complaint'), count(*) from tickets"
    )[0]
    assert 0.08 < complaints / orders < 0.12
    margin = ask(
        tables, "select (sum(gross_margin) / sum(revenue))::double from orders where order_type = 'product'"
    )[0][0]
    assert 0.25 < margin < 0.45
    assert ask(tables, "select min(closing) > 0 from provision") == [(True,)]


def test_names_and_words_are_chinese_and_english():
    tables, _ = whole()
    for table, column in (("customers", "customer_name"), ("tickets", "text")):
        han, latin = ask(
            tables,
            f"select avg(regexp_matches({column}, '[一-鿿]')::int), avg(regexp_matches({column}, '^[ -ÿ]+$')::int) from {table}",
        )[0]
        assert han > 0.8
        assert 0.05 < latin < 0.2


def test_service_is_quiet_at_the_lunar_new_year():
    tables, _ = whole()
    for day in [day for day in LUNAR_NEW_YEAR if "2024" <= day[:4] <= "2026"]:
        week, before = (
            ask(
                tables,
                f"select count(*) from tickets where (opened_at + interval 8 hour)::date between date '{day}' + {first} and date '{day}' + {last}",
            )[0][0]
            for first, last in ((0, 3), (-21, -18))
        )
        assert week < 0.6 * before


def test_calendar_departs_from_monday_to_friday_and_weeks_balance():
    # Make-up days fall on weekends, days off on weekdays; the notices of the State Council swap days, and statutory holidays take the rest.
    for day, working, _ in departures():
        assert (day.weekday() >= 5) is working
    assert (
        working_days(dt.date(2024, 2, 1), dt.date(2024, 3, 1)) == 18
    )  # 21 weekdays, less five of the holiday, two made up
    assert [working_days(dt.date(year, 1, 1), dt.date(year + 1, 1, 1)) for year in (2023, 2024, 2025)] == [
        249,
        251,
        248,
    ]
    assert {dt.date.fromisoformat(day) for day in LUNAR_NEW_YEAR} >= {
        dt.date(2024, 2, 10),
        dt.date(2025, 1, 29),
        dt.date(2026, 2, 17),
    }


def test_customers_and_contracts_agree():
    tables, _ = company()
    wrong = """select count(*) from customers c left join (select customer_id, max(coalesce(cancelled_on, ends_on)) as ended, bool_or(not coalesce(renewed, true)) as lost
               from contracts where kind <> 'extended_warranty' group by 1) k using (customer_id)
               where (churned_on is not null) is distinct from coalesce(lost, false) or (churned_on is not null and churned_on <> ended)"""
    assert ask(tables, wrong) == [(0,)]
    assert ask(
        tables,
        "select count(*) from contracts where renewed is null and (ends_on < date '2026-11-01' or cancelled_on is not null)",
    ) == [(0,)]
    first = """select count(*) from customers c join (select customer_id, min((ordered_at + interval 8 hour)::date) as first from orders group by 1) o using (customer_id)
               where acquired_on <> first"""
    assert ask(tables, first) == [(0,)]
    current = """select count(*) from customers c join (select customer_id, arg_max(value, valid_from) as value from customer_history where attribute = 'segment' group by 1) h
                 using (customer_id) where segment <> value"""
    assert ask(tables, current) == [(0,)]


def test_rework_repeats_an_earlier_repair_of_the_same_machine():
    tables, _ = company(scale=0.3)
    wrong = """select count(*) from tickets t join tickets p on t.parent_ticket_id = p.ticket_id
               where not t.rework or t.serial_no <> p.serial_no or t.opened_at < p.resolved_at or t.opened_at > p.resolved_at + interval 30 day"""
    assert ask(tables, wrong) == [(0,)]
    share = ask(tables, "select avg((parent_ticket_id is not null)::int) from tickets where rework")[0][0]
    assert share > 0.9  # only those whose first repair lies before the window have none
    assert ask(tables, "select count(*) from tickets where rework and confirmed_failure") == [
        (0,)
    ]  # one failure is one failure


def test_event_log_agrees_with_the_tickets():
    wrong = """select count(*) from tickets t left join (
                   select ticket_id, min(changed_at) filter (value = 'open') as opened, min(changed_at) filter (value = 'pending') as response,
                          min(changed_at) filter (value = 'resolved') as resolved, min(changed_at) filter (value = 'closed') as closed,
                          min(changed_at) filter (value = 'reopened') as reopened
                   from ticket_history group by 1) h using (ticket_id)
               where (t.opened_at, t.first_response_at, t.resolved_at, t.closed_at, t.reopened_at)
                     is distinct from (h.opened, h.response, h.resolved, h.closed, h.reopened)"""
    assert ask(company()[0], wrong) == [(0,)]


def test_staff_hours_hold_the_hours_of_their_orders():
    wrong = """select count(*) from (select agent_id, date_trunc('month', opened_at + interval 8 hour)::date as month, sum(handling_hours) as handled from tickets
               where agent_id is not null group by all) t left join staff s using (agent_id, month) where s.hours_worked is null or handled > s.hours_worked + 0.01"""
    assert ask(company()[0], wrong) == [(0,)]
    assert ask(company()[0], "select count(*) from staff where hours_worked > hours_paid + 0.011") == [(0,)]


# --- switches -----------------------------------------------------------------------------------------------------------


def changed_tables(off: str, seed: int = 5) -> set[str]:
    before, after = company(seed=seed, scale=0.1)[0], company(seed=seed, scale=0.1, off=frozenset({off}))[0]
    return {name for name in before if not before[name].equals(after[name])}


@pytest.mark.parametrize(
    ("off", "may_change"),
    [
        ("input_price_rise", {"parts_used", "orders", "ledger", "gl_totals", "provision", "invoices"}),
        ("idle_team", {"staff", "ledger", "gl_totals", "drivers"}),
        ("survey_nonresponse", {"surveys"}),
        ("failed_measure", set()),
        ("claim_leakage", {"claims", "ledger", "gl_totals", "provision", "budget"}),
        ("working_measure", {"tickets", "staff", "ledger", "gl_totals", "drivers"}),
        ("outsourced_surge", {"tickets", "staff", "ledger", "gl_totals", "drivers", "provision"}),
    ],
)
def test_switching_one_truth_off_touches_only_what_it_moves(off, may_change):
    assert changed_tables(off) <= may_change


def test_a_good_batch_has_the_other_failures_of_the_bad_one():
    kept, gone = (
        ("serial_no", "opened_at", "ticket_type", "component", "severity", "handling_hours"),
        frozenset({"bad_batch", "service_hurts_repurchase"}),
    )
    bad = (
        company(seed=5, scale=0.1, off=frozenset({"service_hurts_repurchase"}))[0]["tickets"]
        .select(kept)
        .to_pylist()
    )
    good = company(seed=5, scale=0.1, off=gone)[0]["tickets"].select(kept).to_pylist()
    rows = {tuple(row.values()) for row in bad}
    missing = [row for row in good if tuple(row.values()) not in rows]
    assert len(good) < len(bad)
    # a maintenance contract lost through the extra repairs takes its later visits away; nothing else moves
    assert {row["ticket_type"] for row in missing} <= {"maintenance"}
    assert len(missing) < 0.002 * len(good)


def test_null_switches_everything_off():
    truth = generate_arrow(scale=0.03, null=True)[1]
    assert set(truth.off) == set(TRUTHS)
    assert not any(truth.active(name) for name in TRUTHS)
    assert truth.company["interventions"] == []
    assert generate_arrow(scale=0.03)[1].active("bad_batch")


def test_answer_sheet_names_things_that_are_in_the_tables():
    tables, truth = whole()
    batch = truth["bad_batch"]
    found = ask(
        tables,
        f"select count(*), avg((region = '{batch['main_region']}')::int), any_value(product_id) from units where batch = '{batch['batch']}'",
    )
    assert found == [(batch["units"], pytest.approx(batch["share_in_main_region"]), batch["product_id"])]
    assert truth["bad_supplier"]["supplier"] in {
        name for (name,) in ask(tables, "select distinct supplier from units")
    }
    assert truth["idle_team"]["team"] in {name for (name,) in ask(tables, "select distinct team from staff")}
    assert set(truth["input_price_rise"]["parts"]) <= {
        part for (part,) in ask(tables, "select distinct part_no from parts_used")
    }
    assert {entry["id"] for entry in truth.company["interventions"]} == {
        truth["working_measure"]["intervention"],
        truth["failed_measure"]["intervention"],
    }


@pytest.mark.parametrize(("last_month", "months"), [("2025-03", 12), ("2024-12", 24), ("2026-10", 3)])
def test_other_windows(last_month, months):
    tables, truth = generate_arrow(scale=0.05, last_month=last_month, months=months)
    assert truth.months == months
    bounds = ask(
        tables, "select count(distinct month), max(month)::text from gl_totals where measure = 'revenue'"
    )
    assert bounds == [(months, f"{last_month}-01")]
    outside = "select count(*) from tickets where strftime(opened_at + interval 8 hour, '%Y-%m') not between '{}' and '{}'"
    assert ask(tables, outside.format(truth.first_month, last_month)) == [(0,)]


# --- blemishes ----------------------------------------------------------------------------------------------------------


def test_blemishes_are_what_the_answer_sheet_says_and_spare_the_books():
    clean, spoiled = company(seed=9, scale=0.15)[0], company(seed=9, scale=0.15, blemishes=True)
    tables, said = spoiled[0], spoiled[1].totals["blemishes"]
    assert {name for name in clean if not clean[name].equals(tables[name])} == {
        "tickets",
        "surveys",
        "opportunities",
    }
    for name in ("tickets", "surveys", "opportunities"):
        distinct = tables[name].group_by(tables[name].column_names).aggregate([]).num_rows
        assert tables[name].num_rows - distinct == said[f"{name} exact duplicates"] > 0
    once = {**tables, "tickets": tables["tickets"].group_by(tables["tickets"].column_names).aggregate([])}
    assert ask(once, "select count(*) from tickets where first_response_at < opened_at") == [
        (said["tickets.first_response_at before opened_at"],)
    ]
    assert ask(
        once, "select count(*) from tickets anti join units using (serial_no) where serial_no is not null"
    ) == [(said["tickets.serial_no unknown"],)]
    allowed = tuple(CANONICAL["tickets"]["columns"]["ticket_type"]["values"])
    assert ask(once, f"select count(*) from tickets where ticket_type not in {allowed}") == [
        (said["tickets.ticket_type not allowed"],)
    ]
    # whatever the reader rejects, no posting hangs on it
    broken = f"select count(*) from ledger join tickets t using (ticket_id) where t.ticket_type not in {allowed} or t.serial_no = 'UNKNOWN-SN'"
    assert ask(once, broken) == [(0,)]


# --- refusals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"off": frozenset({"bad_bach"})}, "no planted truth 'bad_bach'. Did you mean 'bad_batch'?"),
        ({"months": 2}, "2 months; three is the least"),
        ({"scale": 0}, "scale 0 should lie above 0"),
        ({"last_month": "October"}, "month 'October': not a month"),
    ],
)
def test_impossible_companies_are_refused_in_words(options, message):
    with pytest.raises(ParameterError, match=message.replace("?", r"\?")):
        generate_arrow(**options)


def test_an_unknown_format_is_refused(tmp_path: Path):
    with pytest.raises(ParameterError, match="format 'xlsx'; it can be written as parquet or csv"):
        make_sample(tmp_path, scale=0.03, format="xlsx")
    assert not list(tmp_path.iterdir())


def test_marks_are_uniform_and_tell_questions_apart():
    from scipy import stats

    from analysis.sample.streams import Streams, child, mark

    things = Streams(1).identities("things", 20_000)
    one, two = mark(things, "one"), mark(things, "two")
    assert stats.kstest(one, "uniform").pvalue > 0.001
    assert stats.kstest(mark(child(things, "of it", np.arange(20_000)), "one"), "uniform").pvalue > 0.001
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.03
    conditioned = one < 0.05  # being chosen by one question says nothing about another
    assert stats.kstest(two[conditioned], "uniform").pvalue > 0.001
