"""Horngren's worked examples of service departments and of direct materials, and their laws."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from analysis.costs import allocate_services, standard_cost_variances
from analysis.errors import ContractError, ParameterError

COSTS = {
    "maintenance": Decimal(6_300_000),
    "systems": Decimal(1_452_150),
    "assembly": Decimal(4_000_000),
    "machining": Decimal(2_000_000),
}
SERVICES = {
    "maintenance": {"systems": 20, "assembly": 30, "machining": 50},
    "systems": {"maintenance": 10, "assembly": 80, "machining": 10},
}


@pytest.mark.parametrize(
    ("method", "assembly", "machining"),
    [
        ("direct", 7_653_300, 6_098_850),
        ("step_down", 8_300_800, 5_451_350),
        ("reciprocal", 8_187_025, 5_565_125),
    ],
)
def test_two_service_departments_by_three_methods(method, assembly, machining):
    # Horngren, Datar and Rajan (2012), Cost Accounting, 14th ed., chapter 15: plant maintenance and information systems.
    found = allocate_services(COSTS, SERVICES, method=method, order=("maintenance", "systems")).set_index(
        "department"
    )
    assert found["total"].to_dict() == {"assembly": Decimal(assembly), "machining": Decimal(machining)}


def test_all_cost_arrives_to_the_cent_and_the_reciprocal_answer_has_no_order():
    random = np.random.default_rng(1)
    names = [f"s{one}" for one in range(4)] + ["p", "q", "r"]
    costs = {name: Decimal(int(random.integers(1, 10**7))) / 100 for name in names}
    services = {
        name: {other: int(random.integers(1, 50)) for other in names if other != name} for name in names[:4]
    }
    totals = []
    for order in (names[:4], names[3::-1]):
        found = allocate_services(costs, {name: services[name] for name in order}, method="reciprocal")
        assert found["total"].sum() == sum(costs.values())
        totals.append(found.set_index("department")["total"].to_dict())
        assert allocate_services(costs, services, method="step_down", order=order)["total"].sum() == sum(
            costs.values()
        )
    assert totals[0] == totals[1]


def test_what_a_department_uses_of_itself_changes_nothing():
    own = {name: used | {name: 40} for name, used in SERVICES.items()}
    one, other = (allocate_services(COSTS, each, method="reciprocal") for each in (SERVICES, own))
    pd.testing.assert_frame_equal(one, other)


def test_services_that_reach_nobody_are_refused():
    ring = {"maintenance": {"systems": 1}, "systems": {"maintenance": 1}}
    with pytest.raises(ContractError, match="serve only each other"):
        allocate_services(COSTS, ring, method="reciprocal")
    with pytest.raises(
        ContractError, match="'maintenance' serves nobody who could take its cost over by the direct"
    ):
        allocate_services(COSTS, ring, method="direct")
    with pytest.raises(ContractError, match="which is no department"):
        allocate_services(COSTS, {"systems": {"asembly": 1}}, method="direct")
    with pytest.raises(ParameterError, match="give each of"):
        allocate_services(COSTS, SERVICES, method="step_down", order=("systems",))
    with pytest.raises(ParameterError, match="unknown method 'stepdown'"):
        allocate_services(COSTS, SERVICES, method="stepdown")


TOMATOES = pd.DataFrame(
    {
        "standard_quantity": [3200.0, 1920.0, 1280.0],
        "standard_price": [70.0, 80.0, 90.0],
        "actual_quantity": [3250.0, 2275.0, 975.0],
        "actual_price": [70.0, 82.0, 96.0],
    },
    index=["latoms", "caltoms", "flotoms"],
)


def test_direct_materials_price_mix_and_yield():
    # Horngren, Datar and Rajan, Cost Accounting, direct materials mix and yield variances (Delpino): 10,400 U, 3,250 F, 7,700 U.
    found = standard_cost_variances(TOMATOES)
    assert found[["price", "mix", "quantity"]].sum().tolist() == pytest.approx([10_400, -3_250, 7_700])


def test_new_and_discontinued_items_have_bars_of_their_own():
    items = pd.concat(
        [
            TOMATOES,
            pd.DataFrame(
                {
                    "standard_quantity": [0.0, 10.0],
                    "standard_price": [np.nan, 5.0],
                    "actual_quantity": [7.0, 0.0],
                    "actual_price": [3.0, np.nan],
                },
                index=["fresh", "gone"],
            ),
        ]
    )
    found = standard_cost_variances(items)
    assert found.loc["fresh", ["price", "mix", "quantity", "new", "discontinued"]].tolist() == [
        0,
        0,
        0,
        21,
        0,
    ]
    assert found.loc["gone", ["price", "mix", "quantity", "new", "discontinued"]].tolist() == [
        0,
        0,
        0,
        0,
        -50,
    ]
    split = found[["price", "mix", "quantity", "new", "discontinued"]].sum(axis=1)
    assert np.allclose(split, found["actual_cost"] - found["standard_cost"])
    assert found.loc["latoms", "mix"] == pytest.approx(standard_cost_variances(TOMATOES).loc["latoms", "mix"])


def test_standards_that_are_none_are_refused():
    with pytest.raises(ContractError, match="1 items have no actual quantity"):
        standard_cost_variances(TOMATOES.assign(actual_price=[70.0, np.nan, 96.0]))
    with pytest.raises(ContractError, match="column actual_price is missing"):
        standard_cost_variances(TOMATOES.drop(columns="actual_price"))
    with pytest.raises(ContractError, match="1 items stand twice, e.g. latoms"):
        standard_cost_variances(pd.concat([TOMATOES, TOMATOES.iloc[:1]]))
