"""Cohorts: by hand on a few tickets, and nothing from after time zero among the covariates."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.errors import MissingData
from analysis.params import load_treatments
from analysis.params.treatments import COVARIATES
from analysis.value.effect_cases import cohort, usable

TYPES, SHARES = ("product",), (0.1, 0.4)
TREATMENTS = {one.id: one for one in load_treatments()}

# Times are UTC. Window of a year; the month ends on 2026-11-01 00:00 in Shanghai.
CUSTOMERS = """customer_id,customer_type,segment,region,acquired_on
C1,b2c,gold,South,2024-01-01
C2,b2b,key,North,2023-01-01
C3,b2c,standard,North,2024-01-01
"""
HISTORY = """customer_id,attribute,valid_from,value
C1,segment,2024-01-01,standard
C1,segment,2025-06-01,gold
C3,segment,2025-06-01,standard
"""
TICKETS = """ticket_id,customer_id,serial_no,product_id,ticket_type,opened_at,first_response_at,response_due_at,resolved_at,contacts,proactive,severity,status
T1,C1,S1,P1,complaint,2025-03-01T00:00:00,2025-03-02T00:00:00,2025-03-01T08:00:00,2025-03-05T00:00:00,1,false,minor,closed
T2,C1,S1,P1,complaint,2025-06-02T00:00:00,2025-06-03T00:00:01,2025-06-02T08:00:00,2025-06-05T00:00:00,2,false,minor,closed
T3,C1,S1,P1,complaint,2025-08-01T00:00:00,2025-08-01T01:00:00,2025-08-01T08:00:00,2025-08-03T00:00:00,1,false,minor,closed
T4,C2,S2,P1,complaint,2025-05-01T00:00:00,,2025-05-01T08:00:00,,,false,major,open
T5,C3,S3,P1,complaint,2026-01-01T00:00:00,2026-01-01T02:00:00,2026-01-01T08:00:00,2026-01-02T00:00:00,1,false,minor,closed
T6,C2,S2,P1,repair,2025-01-01T00:00:00,2025-01-01T02:00:00,2025-01-01T08:00:00,2025-01-03T00:00:00,1,false,minor,closed
T7,C2,S2,P1,repair,2025-02-01T23:59:59,2025-02-02T02:00:00,2025-02-02T08:00:00,2025-02-03T00:00:00,1,false,minor,closed
T8,C2,S2,P1,repair,2025-04-01T00:00:00,2025-04-01T20:00:00,2025-04-01T08:00:00,2025-04-03T00:00:00,1,false,minor,closed
"""
ORDERS = """order_id,customer_id,product_id,ordered_at,order_type,revenue,gross_margin
O1,C1,P1,2024-06-01T00:00:00,product,100.00,40.00
O2,C1,P1,2025-03-01T12:00:00,product,100.00,40.00
O3,C1,P1,2025-03-02T00:00:01,product,100.00,40.00
O4,C1,P1,2025-04-01T00:00:00,paid_repair,50.00,20.00
O5,C2,P1,2026-05-03T00:00:00,product,500.00,200.00
"""
CONTRACTS = """contract_id,term_no,customer_id,kind,starts_on,ends_on,cancelled_on,amount
K1,1,C1,subscription,2025-01-01,2026-12-31,2026-03-01,100.00
K2,1,C2,subscription,2024-01-01,2026-12-31,,100.00
"""


@pytest.fixture
def cases(company, inputs_of):
    def build(treatment: str, **changes: str) -> pd.DataFrame:
        tables = {
            "customers": CUSTOMERS,
            "customer_history": HISTORY,
            "tickets": TICKETS,
            "orders": ORDERS,
            "contracts": CONTRACTS,
        } | changes
        for name, text in tables.items():
            (company / f"{name}.csv").write_text(text, encoding="utf-8")
        return cohort(inputs_of(company), TREATMENTS[treatment], TYPES, SHARES).set_index("ticket_id")

    return build


def test_a_complaint_is_known_at_the_landmark_and_only_closed_windows_count(cases):
    found = cases("complaint_within_24h")
    # T1 answered after exactly 24 hours is in time; T2 a second later is late and the last of C1; T5's window is open.
    assert found["treated"].to_dict() == {"T1": 1, "T4": 0, "T2": 0}
    assert found.loc["T1", "time_zero"] == pd.Timestamp("2025-03-02T00:00:00")
    # O2 came before the landmark: it is no outcome; O3 a second after it is. O4 is a paid repair, no margin of the customer's own.
    assert found.loc["T1", "repurchase"] == 1 and found.loc["T1", "margin"] == 40
    assert found.loc["T2", "repurchase"] == 0
    # O5 lies a day after the window of T4 has closed.
    assert found.loc["T4", "repurchase"] == 0


def test_staying_is_asked_of_contracts_that_run_at_time_zero(cases):
    found = cases("complaint_within_24h")
    # K1 was cancelled on 2026-03-01, the day before the year of T1 was over.
    assert found.loc["T1", "retention"] == 0 and found.loc["T2", "retention"] == 0
    assert found.loc["T4", "retention"] == 1
    without = cases("complaint_within_24h", contracts=CONTRACTS.split("K1")[0])
    assert without["retention"].isna().all()


def test_covariates_are_as_of_then(cases):
    found = cases("complaint_within_24h")
    assert found.loc["T1", "segment"] == "standard"  # gold came later
    assert found.loc["T2", "segment"] == "gold"
    assert found.loc["T4", "segment"] == "key"  # no history at all: what is recorded
    import math

    assert found.loc["T1", "orders_12m"] == pytest.approx(
        math.log(2)
    )  # O1; O2 came after the complaint was opened
    assert found.loc["T2", "orders_12m"] == pytest.approx(
        math.log(3)
    )  # O2 and O3; O1 is a year and a day old
    assert found.loc["T4", "repairs_12m"] == pytest.approx(math.log(4))
    assert found.loc["T4", "repeat_repairs_24m"] == pytest.approx(math.log(2))


def test_a_first_entry_that_came_later_is_not_known_before(cases):
    late = cases(
        "complaint_within_24h",
        tickets=TICKETS.replace(
            "T5,C3,S3,P1,complaint,2026-01-01T00:00:00,2026-01-01T02:00:00,2026-01-01T08:00:00,2026-01-02T00:00:00",
            "T5,C3,S3,P1,complaint,2025-01-01T00:00:00,2025-01-01T02:00:00,2025-01-01T08:00:00,2025-01-02T00:00:00",
        ),
    )
    assert late.loc["T5", "segment"] == "not_stated"


def test_a_repeat_repair_is_known_when_its_window_ends(cases):
    found = cases("repeat_repair")
    # T7 was opened a second less than 30 days after T6 was resolved; after that C2 has been exposed, T8 is no longer eligible.
    assert found["treated"].to_dict() == {"T6": 1}
    assert found.loc["T6", "time_zero"] == pd.Timestamp("2025-02-02T00:00:00")
    assert cases("repeat_repair", tickets=TICKETS.replace("2025-02-01T23:59:59", "2025-02-02T00:00:00"))[
        "treated"
    ].to_dict() == {"T6": 0, "T7": 0, "T8": 0}


def test_response_targets_and_first_contact(cases):
    assert cases("responded_in_time")["treated"].to_dict() == {"T6": 1}
    late = cases(
        "responded_in_time",
        tickets=TICKETS.replace(
            "T6,C2,S2,P1,repair,2025-01-01T00:00:00,2025-01-01T02:00:00",
            "T6,C2,S2,P1,repair,2025-01-01T00:00:00,2025-01-01T08:00:01",
        ),
    )
    assert late["treated"].to_dict() == {"T6": 0}
    first = cases("resolved_at_first_contact")
    assert first["treated"].to_dict() == {"T6": 1} and first.loc["T6", "time_zero"] == pd.Timestamp(
        "2025-01-03T00:00:00"
    )


def test_compensation_counts_when_it_is_paid_within_thirty_days(cases):
    ledger = "posting_id,posted_on,category,amount,ticket_id,posting_basis\nL1,2025-03-20,compensation,50.00,T1,incurred\nL2,2025-06-01,compensation,50.00,T4,incurred\n"
    found = cases("compensation", ledger=ledger)
    assert found["treated"].to_dict() == {"T1": 1, "T4": 0}


def test_absent_columns_are_named(company, inputs_of):
    bare = (
        "\n".join(",".join(line.split(",")[:6] + line.split(",")[12:]) for line in TICKETS.splitlines())
        + "\n"
    )
    (company / "tickets.csv").write_text(bare, encoding="utf-8")
    (company / "customers.csv").write_text(CUSTOMERS, encoding="utf-8")
    inputs = inputs_of(company)
    with pytest.raises(MissingData, match=r"tickets\.proactive"):
        cohort(inputs, TREATMENTS["proactive_service"], TYPES, SHARES)
    assert "machines" in usable(inputs, TREATMENTS["repeat_repair"])[1]


# -- nothing from after time zero --------------------------------------------------------------------------------------


def shuffled_after(tables: dict[str, pd.DataFrame], day: dt.date) -> dict[str, pd.DataFrame]:
    """The same company up to ``day``; everything later belongs to somebody else."""
    moment = pd.Timestamp(day)
    out = dict(tables)
    for name, column in (("orders", "ordered_at"), ("tickets", "opened_at")):
        frame = tables[name].copy()
        later = (frame[column].astype("datetime64[us]") >= moment).to_numpy()
        frame.loc[later, "customer_id"] = (
            frame.loc[later, "customer_id"].sample(frac=1, random_state=3).to_numpy()
        )
        out[name] = frame
    history = tables["customer_history"].copy()
    later = (pd.to_datetime(history["valid_from"].astype(str)) >= moment).to_numpy()
    history.loc[later, "value"] = "changed"
    out["customer_history"] = history
    people = tables["customers"].copy()
    people["segment"] = "changed"
    people["churned_on"] = None
    out["customers"] = people
    return out


def test_shuffling_what_came_later_moves_no_covariate(tmp_path: Path, inputs_of):
    from analysis.sample import generate

    tables = generate(seed=11, scale=0.04)
    day = dt.date(2025, 1, 1)
    kept = {
        name: tables[name]
        for name in (
            "customers",
            "customer_history",
            "tickets",
            "orders",
            "contracts",
            "units",
            "products",
            "ledger",
            "claims",
            "gl_totals",
        )
    }
    asked = ("complaint_within_24h", "resolved_at_first_contact", "compensation")
    found = {}
    for which, made in (("as it was", kept), ("shuffled", shuffled_after(kept, day))):
        folder = tmp_path / which.replace(" ", "_")
        folder.mkdir()
        for name, frame in made.items():
            frame.to_parquet(folder / f"{name}.parquet")
        inputs = inputs_of(folder)  # read before the other folder takes its place in the store
        found[which] = {
            name: cohort(inputs, replace(TREATMENTS[name], events="all"), TYPES, SHARES)
            .set_index("ticket_id")
            .sort_index()
            for name in asked
        }
    for treatment in asked:
        first, second = (found[which][treatment] for which in found)
        before = first[first["measured_at"] < pd.Timestamp(day) - pd.Timedelta(days=40)]
        assert len(before) > 30
        columns = list(COVARIATES)
        pd.testing.assert_frame_equal(before[columns], second.loc[before.index, columns])
        assert (
            before["repurchase"] != second.loc[before.index, "repurchase"]
        ).any()  # outcomes did move: the shuffle was real


def test_a_sample_keeps_whole_customers_and_the_same_ones(company, inputs_of):
    """Above the most customers: about that many, with all their cases, and a smaller sample lies inside a larger one."""
    who = [f"C{number:04d}" for number in range(400)]
    (company / "customers.csv").write_text(
        "customer_id,customer_type\n" + "".join(f"{one},b2c\n" for one in who), encoding="utf-8"
    )
    (company / "orders.csv").write_text(ORDERS.replace("C1", who[0]).replace("C2", who[1]), encoding="utf-8")
    head = TICKETS.splitlines()[0]
    lines = [
        f"T{one}{case},{one},S{one},P1,complaint,2025-03-0{case}T00:00:00,2025-03-0{case}T02:00:00,2025-03-0{case}T08:00:00,2025-03-05T00:00:00,1,false,minor,closed"
        for one in who
        for case in (1, 2)
    ]
    (company / "tickets.csv").write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    inputs, treatment = inputs_of(company), replace(TREATMENTS["complaint_within_24h"], events="all")
    whole, half, tenth = (cohort(inputs, treatment, TYPES, SHARES, most=most) for most in (400, 200, 40))
    owners = [set(frame["ticket_id"].str[1:6]) for frame in (whole, half, tenth)]
    assert owners[0] == set(who) and owners[2] < owners[1] < owners[0]
    assert (
        150 < len(owners[1]) < 250 and 20 < len(owners[2]) < 65
    )  # 200 and 40 expected, standard deviations 10 and 6
    assert all((frame.groupby("customer").size() == 2).all() for frame in (whole, half, tenth))
    assert set(tenth["eligible_customers"]) == {400}
