"""Cases of new customers, of answers within hours and of returns resolved within days, by hand; and growth of the contract."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from analysis.errors import ParameterError
from analysis.params import load_treatments
from analysis.params.places import shipped_root
from analysis.params.treatments import Treatment
from analysis.value.effect_cases import cohort

TYPES, SHARES = ("product",), (0.1, 0.4)


def of_template(name: str) -> dict[str, Treatment]:
    return {
        one.id: one
        for one in load_treatments(shipped_root() / "params" / "templates" / name / "treatments.yml")
    }


SAAS, SHOP = of_template("saas"), of_template("ecommerce")
CUSTOMERS = """customer_id,customer_type,segment,region,acquired_on
C1,b2b,small,North,2025-03-01
C2,b2b,small,North,2025-03-01
C3,b2b,small,North,2025-03-01
C4,b2b,small,North,2024-01-01
"""
# C1 is trained on the 89th day, C2 on the 90th after the first; T0 says since when service is on record
TICKETS = """ticket_id,customer_id,product_id,ticket_type,activity,opened_at,first_response_at,resolved_at,contacts,status
T0,C4,P1,inquiry,billing question,2025-02-01T00:00:00,2025-02-01T01:00:00,2025-02-02T00:00:00,1,closed
T1,C1,P1,installation,admin training,2025-05-29T04:00:00,2025-05-29T05:00:00,2025-05-30T00:00:00,1,closed
T2,C2,P1,installation,admin training,2025-05-30T04:00:00,2025-05-30T05:00:00,2025-05-31T00:00:00,1,closed
T4,C1,P1,inquiry,feature request,2025-07-01T00:00:00,2025-07-01T08:00:00,2025-07-02T00:00:00,1,closed
T5,C2,P1,inquiry,feature request,2025-07-01T00:00:00,2025-07-01T08:00:01,2025-07-02T00:00:00,1,closed
T6,C2,P1,inquiry,feature request,2025-09-01T00:00:00,2025-09-01T01:00:00,2025-09-02T00:00:00,1,closed
T7,C3,P1,inquiry,billing question,2025-09-01T00:00:00,2025-09-01T01:00:00,2025-09-02T00:00:00,1,closed
T8,C3,P1,return,,2025-06-01T00:00:00,2025-06-01T01:00:00,2025-06-08T00:00:00,1,closed
T9,C4,P1,return,,2025-06-01T00:00:00,2025-06-01T01:00:00,2025-06-08T00:00:01,1,closed
"""
ORDERS = """order_id,customer_id,product_id,ordered_at,order_type,revenue,gross_margin
O1,C3,P1,2025-06-07T00:00:00,product,100.00,40.00
O2,C4,P1,2025-06-09T00:00:00,product,100.00,40.00
"""
# C1 grows from 100 to 125 a year, C2 from 100 to 124; C3 leaves a day before its first year is over
CONTRACTS = """contract_id,term_no,customer_id,kind,starts_on,ends_on,cancelled_on,amount
K1,1,C1,subscription,2025-03-01,2026-02-28,2025-08-01,100.00
K1,2,C1,subscription,2025-08-01,2026-07-31,,125.00
K1,3,C1,subscription,2026-08-01,2027-07-31,,125.00
K2,1,C2,subscription,2025-03-01,2026-02-28,2025-08-01,100.00
K2,2,C2,subscription,2025-08-01,2026-07-31,,124.00
K2,3,C2,subscription,2026-08-01,2027-07-31,,124.00
K3,1,C3,subscription,2025-03-01,2026-02-28,,100.00
"""


@pytest.fixture
def cases(company, inputs_of):
    def build(treatment: Treatment) -> pd.DataFrame:
        tables = {"customers": CUSTOMERS, "tickets": TICKETS, "orders": ORDERS, "contracts": CONTRACTS}
        for name, text in tables.items():
            (company / f"{name}.csv").write_text(text, encoding="utf-8")
        return cohort(inputs_of(company), treatment, TYPES, SHARES).set_index("ticket_id")

    return build


def test_a_new_customer_is_a_case_and_trained_within_ninety_days(cases):
    found = cases(SAAS["onboarding"])
    # C4 was won before service is on record; nobody knows whether it was trained
    assert found["treated"].to_dict() == {"C1": 1, "C2": 0, "C3": 0}
    assert found.loc["C1", "time_zero"] == pd.Timestamp("2025-05-31T12:00:00")
    assert found["retention"].to_dict() == {"C1": 1, "C2": 1, "C3": 0}


def test_an_answer_within_hours_and_growth_by_a_quarter(cases):
    found = cases(SAAS["feature_request_within_8h"])
    # after exactly eight hours is within; T6 follows a late answer and is left out, T7 is no feature request
    assert found["treated"].to_dict() == {"T4": 1, "T5": 0}
    assert found.loc["T4", "time_zero"] == pd.Timestamp("2025-07-01T08:00:00")
    assert found["growth"].to_dict() == {"T4": 1, "T5": 0}


def test_growth_is_asked_only_where_the_treatment_asks(cases):
    assert cases(SAAS["onboarding"])["growth"].isna().all()


def test_a_return_resolved_within_days(cases):
    found = cases(SHOP["refund_within_7_days"])
    assert found["treated"].to_dict() == {"T8": 1, "T9": 0}
    # what was bought before it is known counts for neither
    assert found["repurchase"].to_dict() == {"T8": 0, "T9": 1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"limit": 0.0}, "needs a limit above zero"),
        ({"time_zero": "opening"}, "time zero 'opening' is not when treatment is known"),
        ({"outcomes": ("growth", "retention")}, "'growth' is asked alone"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, object], message: str):
    with pytest.raises(ParameterError, match=message):
        replace(SAAS["feature_request_within_8h"], **changes)  # type: ignore[arg-type]


def test_templates_switch_them_on_and_the_shipped_file_does_not():
    new = {"onboarding", "feature_request_within_8h", "refund_within_7_days"}
    assert new & {one.id for one in load_treatments()} == set()
    assert {"onboarding", "feature_request_within_8h"} <= set(SAAS) and "refund_within_7_days" in SHOP
    # the refund itself lies in the window of who waits: margin would count it
    assert SHOP["refund_within_7_days"].outcomes == ("repurchase",)
