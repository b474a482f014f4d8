"""The shared views on rows one can work out by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from analysis.metrics import Engine, Registry
from analysis.metrics.backend import DuckDB, literal
from analysis.metrics.views import VIEWS, Rules, at, business_day, days_of_age, month_number, step
from analysis.params import Assumptions, CostTree
from analysis.tables import load_tables

NOVEMBER = dt.date(2026, 11, 1)
SHANGHAI = "Asia/Shanghai"
NEW_YORK = "America/New_York"
Build = Callable[..., Engine]

CUSTOMERS = "customer_id,customer_type,segment,region,churned_on\nC1,b2c,standard,North,\nC2,b2b,key,South,2026-06-10\n"


@pytest.fixture
def made(tmp_path: Path) -> Build:
    """An engine over a few tables given as CSV text."""

    def build(
        *, zone: str = SHANGHAI, as_of: str = "2026-11-10", rules: Rules | None = None, **tables: str
    ) -> Engine:
        folder = tmp_path / f"data-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        needed = {
            "customers": CUSTOMERS,
            "tickets": "ticket_id,ticket_type,opened_at\nT0,inquiry,2026-10-01T00:00:00\n",
        }
        for name, text in (needed | tables).items():
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        found = load_tables(folder, folder / "store", reporting_currency="CNY", time_zone=zone)
        return Engine(
            found,
            Registry.load(),
            cost_tree=CostTree.load(),
            as_of=dt.date.fromisoformat(as_of),
            time_zone=zone,
            currency="CNY",
            confidence=0.95,
            cache=None,
            rules=rules,
        )

    return build


def rows(engine: Engine, sql: str) -> list[tuple[object, ...]]:
    """Rows of a query, days as text."""
    frame = engine.query(sql)
    return [
        tuple(
            None
            if one is None or one != one
            else str(one)[:10]
            if isinstance(one, dt.date | pd.Timestamp)
            else one
            for one in row
        )
        for row in frame.itertuples(index=False, name=None)
    ]


def test_every_view_has_the_columns_it_declares(made: Build):
    engine = made()
    for view in VIEWS.values():
        name = at(view.name, NOVEMBER) if view.dated else view.name
        have = engine.query(f"SELECT * FROM {name} LIMIT 0").columns
        assert not view.columns or sorted(have) == sorted(column.name for column in view.columns), view.name


def test_a_view_is_made_when_a_query_names_it_and_a_kept_one_once(made: Build):
    engine = made()
    made_so_far = engine._database._made  # type: ignore[attr-defined]
    assert not made_so_far
    engine.query("SELECT count(*) AS n FROM repair_outcomes")
    assert made_so_far == {"repair_outcomes", "service_orders"}
    # the name of a dated view without a day is a name of the query's own
    assert rows(engine, "WITH machines AS (SELECT 7 AS n) SELECT n FROM machines") == [(7,)]


# -- days and periods -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "expected"), [(NEW_YORK, ["1998-01-14", "1998-07-15"]), (SHANGHAI, ["1998-01-15", "1998-07-15"])]
)
def test_business_days_keep_summer_time(zone: str, expected: list[str]):
    # half past four in the morning, UTC: before midnight in New York in winter only
    found = DuckDB().frame(
        f"SELECT {business_day('one', literal(zone))} AS day FROM (VALUES (TIMESTAMP '1998-01-15 04:30:00'), (TIMESTAMP '1998-07-15 04:30:00')) AS t(one)"
    )
    assert [str(one)[:10] for one in found["day"]] == expected


@pytest.mark.parametrize("period", ["week", "month", "quarter", "year"])
def test_steps_are_the_calendar_periods_of_pandas(period: str):
    days = pd.date_range("1998-12-26", "1999-01-12").append(pd.date_range("2024-02-26", "2024-04-03"))
    listed = ", ".join(f"DATE '{one.date()}'" for one in days)
    found = DuckDB().frame(
        f"SELECT {step('one', period)} AS step, {month_number('one')} AS number FROM (SELECT unnest([{listed}]) AS one) AS days"  # type: ignore[arg-type]
    )
    frequency = {"week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}[period]
    assert found["step"].tolist() == [one.to_period(frequency).ordinal for one in days]
    assert found["number"].tolist() == [one.year * 12 + one.month - 1 for one in days]


@pytest.mark.parametrize(
    ("begins", "moment", "months", "rest"),
    [
        ("2023-01-01", "2024-01-01", 12, 0),  # a year of 365 days
        ("2024-01-01", "2025-01-01", 12, 0),  # a year of 366 days is twelve months too
        ("2024-02-29", "2025-03-01", 12, 0),  # its date is the day after February
        ("2024-02-29", "2025-02-28", 11, 30),
        ("2026-01-31", "2026-02-28", 0, 28),
        ("2026-01-31", "2026-03-01", 1, 0),
        ("2026-01-15", "2026-03-14", 1, 27),
        ("2026-01-15", "2026-01-15", 0, 0),
    ],
)
def test_an_age_counts_full_months_and_days(begins: str, moment: str, months: int, rest: int):
    found = DuckDB().frame(
        f"SELECT {days_of_age('b', 'm')} AS age FROM (SELECT DATE '{begins}' AS b, DATE '{moment}' AS m) AS one"
    )
    assert found["age"].tolist() == [months * 30.4375 + rest]


def test_an_age_never_falls():
    found = DuckDB().frame(
        f"SELECT b, {days_of_age('b', 'm')} AS age FROM (SELECT DATE '2023-12-25' + CAST(i AS INTEGER) AS b FROM range(70) t(i)) AS starts, "
        "LATERAL (SELECT b + CAST(j AS INTEGER) AS m FROM range(500) u(j)) AS moments ORDER BY b, m"
    )
    assert (found.groupby("b")["age"].diff().dropna() >= 0).all()


# -- service, first response, repeat repair ----------------------------------------------------------------------------------

TICKETS = """ticket_id,customer_id,serial_no,ticket_type,opened_at,first_response_at,resolved_at,status,rework,parent_ticket_id,fault_code,confirmed_failure
A1,C1,,complaint,2026-10-01T00:00:00,2026-10-02T00:00:00,,open,,,,
A2,C1,,complaint,2026-10-01T00:00:00,2026-10-02T00:00:01,,open,,,,
A3,C1,,inquiry,2026-10-01T16:30:00,,,open,,,,
A4,C1,,inquiry,2026-10-01T00:00:00,,,cancelled,,,,
R1,C1,S1,repair,2026-09-01T00:00:00,,2026-09-02T06:00:00,closed,,,nff,
R2,C1,S1,repair,2026-09-02T06:00:00,,2026-09-03T06:00:00,closed,,R1,F1,
R3,C1,S1,repair,2026-10-03T06:00:00,,2026-10-10T06:00:00,closed,true,,,true
R4,C1,S1,repair,2026-10-05T06:00:00,,,open,,,F1,false
R5,C2,S1,repair,2026-11-09T05:59:59,,,open,,,F1,
R6,C2,S2,repair,2026-11-09T05:59:59,,,open,,,,
"""
UNITS = """serial_no,product_id,customer_id,shipped_on,in_service_on,retired_on,warranty_end
S1,P1,C1,2026-01-01,2026-01-05,,2026-10-05
S2,P1,C1,2026-02-01,,2026-10-31,
S3,P1,C1,2026-02-01,2026-02-10,2026-11-01,
S4,P1,C1,2026-10-20,2026-11-01,,
S5,P9,C1,2026-10-20,2026-10-30,2026-10-30,
"""
PRODUCTS = "product_id,product_line,model\nP1,Washers,W1\nP9,Dryers,D1\n"


@pytest.fixture
def served(made: Build) -> Engine:
    return made(tickets=TICKETS, units=UNITS, products=PRODUCTS)


def test_service_orders_leave_out_what_was_cancelled_and_name_rework_and_faults(served: Engine):
    assert rows(served, "SELECT ticket_id FROM service_orders WHERE ticket_type = 'inquiry'") == [("A3",)]
    # a tick or an order before; recorded, else a code that is not no-fault-found (in any letters)
    assert rows(
        served,
        "SELECT ticket_id, is_rework, fault_found FROM service_orders WHERE serial_no = 'S1' ORDER BY 1",
    ) == [
        ("R1", False, False),
        ("R2", True, True),
        ("R3", True, True),
        ("R4", False, False),
        ("R5", False, True),
    ]


def test_warranty_holds_until_its_end(served: Engine):
    # 2026-10-05 14:00 in Shanghai is the first day without
    assert rows(
        served,
        "SELECT ticket_id, under_warranty FROM service WHERE serial_no = 'S1' AND ticket_id IN ('R3', 'R4') ORDER BY 1",
    ) == [("R3", True), ("R4", False)]


def test_an_answer_at_the_limit_is_in_time_and_none_is_late(served: Engine):
    assert rows(
        served,
        "SELECT ticket_id, answered_late, landmark_on, response_hours FROM first_responses WHERE ticket_id LIKE 'A%' ORDER BY 1",
    ) == [
        ("A1", False, "2026-10-02", 24.0),
        ("A2", True, "2026-10-02", 24.0),
        ("A3", True, "2026-10-03", None),
    ]


def test_a_repeat_repair_is_opened_from_the_resolution_until_the_days_are_over(served: Engine):
    # R2 opens at the very moment R1 is resolved: a repeat. R3 opens thirty days to the second after R2: none. R4 opens while R3 is
    # still open: the same visit. R5 opens a second before thirty days after R3 are over, although R4 lies between: a repeat.
    assert rows(
        served, "SELECT ticket_id, repeated, is_repeat FROM repair_outcomes WHERE serial_no = 'S1' ORDER BY 1"
    ) == [
        ("R1", True, False),
        ("R2", False, True),
        ("R3", True, False),
        ("R4", False, False),
        ("R5", False, True),
    ]
    assert rows(
        served, "SELECT window_ends_on, next_opened_at FROM repair_outcomes WHERE ticket_id = 'R3'"
    ) == [("2026-11-09", "2026-11-09")]


def test_the_rules_of_a_run_are_those_of_its_assumptions(made: Build):
    assert Rules.of(Assumptions.load(), on=NOVEMBER, time_zone=SHANGHAI) == Rules(
        time_zone=SHANGHAI, grace_days=30, late_answer_hours=24, repeat_repair_days=30
    )
    strict = made(
        tickets=TICKETS,
        units=UNITS,
        products=PRODUCTS,
        rules=Rules(time_zone=SHANGHAI, grace_days=30, late_answer_hours=8, repeat_repair_days=1),
    )
    assert rows(strict, "SELECT ticket_id FROM first_responses WHERE NOT answered_late") == []
    assert rows(strict, "SELECT ticket_id FROM repair_outcomes WHERE repeated") == [("R1",)]


# -- machines ------------------------------------------------------------------------------------------------------------


def test_a_machine_is_in_the_field_from_its_start_to_the_day_it_left(served: Engine):
    # in the field for at least one day; still there when November begins. S3 leaves on 1 November, so it is there that morning; S4 starts then.
    assert rows(
        served,
        f"SELECT serial_no, started, ended, in_field, still_there FROM {at('machines', NOVEMBER)} ORDER BY 1",
    ) == [
        ("S1", "2026-01-05", "2026-11-01", True, True),
        ("S2", "2026-02-01", "2026-11-01", True, False),
        ("S3", "2026-02-10", "2026-11-01", True, True),
        ("S4", "2026-11-01", "2026-11-01", False, False),
        ("S5", "2026-10-30", "2026-10-31", True, False),
    ]


# -- purchases ------------------------------------------------------------------------------------------------------------

ORDERS = """order_id,line_no,customer_id,product_id,ordered_at,order_type,revenue
O1,1,C1,P1,2026-07-15T23:30:00,,100.00
O1,2,C1,P1,2026-07-15T23:30:00,,50.00
O2,1,C1,P1,2026-07-16T02:00:00,product,25.00
O3,1,C1,P1,2026-07-16T02:00:00,product,-25.00
O4,1,C1,P1,2026-07-16T02:00:00,paid_repair,10.00
O5,1,C2,P1,2026-01-15T04:30:00,product,10.00
"""


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        # summer time in London: half past midnight of the 16th
        (
            "Europe/London",
            [
                ("C1", "2026-07-16", "paid_repair", "10.00", 1),
                ("C1", "2026-07-16", "product", "175.00", 2),
                ("C2", "2026-01-15", "product", "10.00", 1),
            ],
        ),
        (
            NEW_YORK,
            [
                ("C1", "2026-07-15", "paid_repair", "10.00", 1),
                ("C1", "2026-07-15", "product", "175.00", 2),
                ("C2", "2026-01-14", "product", "10.00", 1),
            ],
        ),
    ],
)
def test_purchases_of_a_business_day_are_one(made: Build, zone: str, expected: list[tuple[object, ...]]):
    engine = made(orders=ORDERS, products=PRODUCTS, zone=zone)
    assert (
        rows(
            engine,
            "SELECT customer_id, bought_on, order_type, CAST(spend AS VARCHAR) AS spend, CAST(orders AS INTEGER) AS orders FROM purchase_days ORDER BY 1, 2, 3",
        )
        == expected
    )
    # every line is there, the refund too
    assert (
        rows(engine, "SELECT count(*) AS n FROM order_lines")
        == rows(engine, "SELECT count(*) AS n FROM sales")
        == [(6,)]
    )


# -- contracts ------------------------------------------------------------------------------------------------------------

CONTRACTS = """contract_id,term_no,customer_id,kind,starts_on,ends_on,cancelled_on,amount
K1,1,C1,subscription,2023-11-01,2024-10-31,,1200.00
K1,2,C1,subscription,2024-12-01,2025-11-30,,1200.00
K2,1,C1,maintenance,2025-06-01,2025-06-30,,100.00
K3,1,C1,subscription,2026-01-01,2026-12-31,2026-12-15,2400.00
K4,1,C2,subscription,2025-06-01,2026-05-31,,1200.00
K5,1,C2,extended_warranty,2025-06-01,2027-05-31,,300.00
K6,1,C1,maintenance,2026-11-01,2027-10-31,,100.00
"""


def test_terms_say_what_became_of_them_by_a_day(made: Build):
    engine = made(contracts=CONTRACTS)
    columns = "contract_id, term_no, until, due_on, term_months, CAST(yearly_amount AS VARCHAR) AS yearly, outcome, renewable"
    # the second term of K1 begins thirty days after the first was over, the last day of the grace. K3 is cancelled after the day: not known on it.
    assert rows(engine, f"SELECT {columns} FROM {at('contract_terms', NOVEMBER)} ORDER BY 1, 2") == [
        ("K1", 1, "2024-11-01", "2024-11-01", 12, "1200.00", "renewed", True),
        ("K1", 2, "2025-12-01", "2025-12-01", 12, "1200.00", "lost", True),
        ("K2", 1, "2025-07-01", "2025-07-01", 1, "1200.00", "lost", True),
        ("K3", 1, "2027-01-01", "2027-01-01", 12, "2400.00", "running", True),
        ("K4", 1, "2026-06-01", "2026-06-01", 12, "1200.00", "lost", True),
        ("K5", 1, "2027-06-01", "2027-06-01", 24, "150.00", "running", False),
    ]
    later = at("contract_terms", dt.date(2026, 12, 20))
    assert rows(engine, f"SELECT until, outcome FROM {later} WHERE contract_id = 'K3'") == [
        ("2026-12-15", "cancelled")
    ]


def test_spells_join_terms_within_the_grace_and_through_an_upgrade(made: Build):
    engine = made(contracts=CONTRACTS)
    # C1: K1 with its late renewal and K2 beside it are one spell until December 2025; K3 follows 31 days later: another. K2 is short, so
    # it is the longest of the earlier terms that counts. C2 told its loss on 10 June; the extended warranty is nobody's stay.
    assert rows(
        engine, f"SELECT customer_id, kind, begins, ends FROM {at('contract_spells', NOVEMBER)} ORDER BY 1, 3"
    ) == [
        ("C1", "maintenance", "2023-11-01", "2025-12-01"),
        ("C1", "subscription", "2026-01-01", None),
        ("C2", "subscription", "2025-06-01", "2026-06-10"),
    ]


def test_a_term_within_its_grace_is_no_loss_yet(made: Build):
    late = "contract_id,term_no,customer_id,kind,starts_on,ends_on\nK1,1,C1,maintenance,2025-10-21,2026-10-20\nK1,2,C1,maintenance,2026-11-05,2027-11-04\n"
    engine = made(contracts=late)
    seen = "SELECT ends, in_grace FROM {}"
    assert rows(engine, seen.format(at("contract_spells", NOVEMBER))) == [(None, True)]
    assert rows(engine, seen.format(at("contract_spells", dt.date(2026, 12, 1)))) == [(None, False)]


def test_a_yearly_term_lives_twelve_months_in_a_leap_year_too(made: Build):
    """Forty of a hundred yearly contracts are not renewed at their first anniversary: survival at twelve months is 0.60 in any year."""
    from analysis.retention import views
    from analysis.retention.survival import DAYS_PER_MONTH, curve

    for first in (2023, 2024):
        terms = [
            f"K{one},{term + 1},C{one},maintenance,{first + term}-01-01,{first + term}-12-31"
            for one in range(100)
            for term in range(1 if one < 40 else 2)
        ]
        engine = made(
            customers="customer_id\n" + "\n".join(f"C{one}" for one in range(100)),
            contracts="contract_id,term_no,customer_id,kind,starts_on,ends_on\n" + "\n".join(terms),
        )
        cutoff = dt.date(first + 1, 11, 1)
        lived = engine.query(
            views.life_patterns(
                views.lifetimes(views.contract_spells(cutoff), cutoff, observed_from=dt.date(2020, 1, 1))
            )
        )
        assert curve(lived, level=0.95).at([12 * DAYS_PER_MONTH]).survival.iloc[0] == pytest.approx(0.6)


# -- answers, and what was known ----------------------------------------------------------------------------------------------


def test_answers_have_a_score_and_a_business_day(made: Build):
    surveys = "survey_id,kind,customer_id,sent_at,answered_at,score\nQ1,csat,C1,2026-10-01T00:00:00,2026-10-01T16:00:00,2\nQ2,csat,C1,2026-10-01T00:00:00,,\n"
    assert rows(made(surveys=surveys), "SELECT survey_id, answered_on FROM answers") == [("Q1", "2026-10-02")]


@pytest.mark.parametrize("zone", [NEW_YORK, SHANGHAI, "Pacific/Kiritimati"])
def test_a_date_belongs_to_its_day_in_every_zone(made: Build, zone: str):
    ledger = "posting_id,posted_on,category,amount\nP1,2026-10-15,parts,100.00\nP2,2026-10-16,parts,1000.00\n"
    engine = made(ledger=ledger, zone=zone, as_of="2026-10-15")
    assert rows(engine, "SELECT posting_id FROM cost") == [("P1",)]
