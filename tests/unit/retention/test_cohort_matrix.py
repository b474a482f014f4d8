from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import ContractError, ParameterError
from analysis.retention import cohort_differences, cohort_matrix
from analysis.retention.cohorts_facts import step_label


def orders(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "date", "revenue"])


ORDERS = orders(
    ("A", "2025-01-05", 10),
    ("A", "2025-01-20", 5),
    ("A", "2025-03-02", 7),
    ("B", "2025-01-31", 20),
    ("B", "2025-02-01", 1),
    ("C", "2025-02-14", 4),
    ("C", "2025-03-31", 2),
    ("D", "2025-03-03", 9),
)


def cell(matrix: pd.DataFrame, cohort: str, age: int) -> pd.Series:
    return matrix[(matrix["cohort"].astype(str) == cohort) & (matrix["age"] == age)].iloc[0]


def test_cells_by_hand():
    matrix = cohort_matrix(ORDERS, as_of="2025-03-31", revenue="revenue")
    january = [cell(matrix, "2025-01", age) for age in range(3)]
    assert [int(one["active"]) for one in january] == [2, 1, 1]
    assert [float(one["revenue"]) for one in january] == [35.0, 1.0, 7.0]
    assert [one["rate"] for one in january] == [1.0, 0.5, 0.5]
    assert january[0]["size"] == 2 and january[0]["orders"] == 3 and all(one["mature"] for one in january)
    assert len(matrix) == 3 + 2 + 1  # a younger cohort has fewer cells


def test_the_last_month_is_blank_and_marked_while_it_is_not_over():
    matrix = cohort_matrix(ORDERS, as_of="2025-03-30")
    last = cell(matrix, "2025-01", 2)
    assert bool(last["partial"]) and not last["mature"] and np.isnan(last["rate"]) and np.isnan(last["low"])
    assert cell(matrix, "2025-01", 1)["rate"] == 0.5
    assert np.isnan(cell(matrix, "2025-03", 0)["rate"])


def test_a_mature_cell_without_activity_is_zero_with_an_interval():
    matrix = cohort_matrix(orders(("A", "2025-01-05", 1), ("B", "2025-03-01", 1)), as_of="2025-03-31")
    found = cell(matrix, "2025-01", 1)
    assert found["rate"] == 0.0 and found["low"] == 0.0 and found["high"] > 0.5


@pytest.mark.parametrize("seed", range(20))
def test_order_of_rows_is_irrelevant_and_sums_are_conserved(seed: int):
    random = np.random.default_rng(seed)
    events = pd.DataFrame(
        {
            "customer_id": random.integers(0, 30, 200),
            "date": pd.Timestamp("2025-01-01") + pd.to_timedelta(random.integers(0, 360, 200), unit="D"),
            "revenue": random.integers(1, 100, 200).astype(float),
        }
    )
    matrix = cohort_matrix(events, as_of="2025-12-31", revenue="revenue")
    shuffled = cohort_matrix(events.sample(frac=1, random_state=seed), as_of="2025-12-31", revenue="revenue")
    pd.testing.assert_frame_equal(matrix, shuffled)
    assert matrix["revenue"].sum() == pytest.approx(
        events.loc[events["date"] <= "2025-12-31", "revenue"].sum()
    )
    assert (matrix["active"] <= matrix["size"]).all() and (
        matrix.loc[matrix["age"] == 0, "active"] == matrix.loc[matrix["age"] == 0, "size"]
    ).all()


def test_a_label_can_name_the_cohort():
    events = ORDERS.assign(first_product=["X"] * 5 + ["Y"] * 3)
    matrix = cohort_matrix(events, as_of="2025-03-31", cohort="first_product")
    assert set(matrix["cohort"]) == {"X", "Y"}
    assert not matrix.loc[(matrix["cohort"] == "Y") & (matrix["age"] == 1), "mature"].iloc[
        0
    ]  # D came in March only


def test_equal_cohorts_are_seldom_told_apart_and_a_bad_one_is_found():
    random = np.random.default_rng(7)
    found = 0
    for _ in range(200):
        matrix = pd.DataFrame(
            {
                "cohort": range(10),
                "age": 4,
                "size": 200,
                "active": random.binomial(200, 0.6, 10),
                "mature": True,
            }
        )
        matrix["rate"] = matrix["active"] / matrix["size"]
        found += bool((cohort_differences(matrix, age=4)["adjusted"] < 0.05).any())
    assert found <= 200 * 0.05 + 3 * np.sqrt(200 * 0.05 * 0.95)
    matrix.loc[3, ["active", "rate"]] = [70, 0.35]
    worst = cohort_differences(matrix, age=4).sort_values("p_value").iloc[0]
    assert worst["cohort"] == 3 and worst["adjusted"] < 1e-6 and worst["difference"] < -0.2


def test_refusals():
    with pytest.raises(ParameterError, match="period 'fortnight'"):
        cohort_matrix(ORDERS, as_of="2025-03-31", period="fortnight")  # type: ignore[arg-type]
    with pytest.raises(ContractError, match="no column 'customer'"):
        cohort_matrix(ORDERS, as_of="2025-03-31", customer="customer")
    with pytest.raises(ContractError, match="1 events lack a customer or a date"):
        cohort_matrix(ORDERS.assign(customer_id=[None, *ORDERS["customer_id"][1:]]), as_of="2025-03-31")
    with pytest.raises(ContractError, match="no event up to 2024-12-31"):
        cohort_matrix(ORDERS, as_of="2024-12-31")


@pytest.mark.parametrize(
    ("name", "en", "zh"),
    [
        ("2024Q4", "Q4 2024", "2024年4季度"),
        ("2024-11", "November 2024", "2024年11月"),
        ("2024-11-04", "4 November 2024", "2024年11月4日"),
        ("2024", "2024", "2024"),
        ("Home Comfort", "Home Comfort", "Home Comfort"),
    ],
)
def test_a_step_is_read_as_periods_are_elsewhere(name: str, en: str, zh: str):
    assert (step_label(name).en, step_label(name).zh) == (en, zh)
