"""What a number follows from: noted while it is made, never listed by hand."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from analysis.errors import ParameterError
from analysis.metrics import Engine, lineage
from analysis.metrics.backend import table_names
from analysis.metrics.lineage import behind, follow, here, traced, traced_property
from analysis.periods import Month
from analysis.results import OPERATIONS, Assumed, Derived, Estimated, Fact, Rows, query_key

Build = Callable[..., Engine]
OCTOBER = Month(2026, 10)


def fact(value: float | Decimal | int, metric: str = "m", **parts: object) -> Fact:
    return Fact(metric=metric, period="2026-10", unit="count", value=value, **parts)  # type: ignore[arg-type]


@dataclass
class Fitted:
    frame: pd.DataFrame
    level: float


@traced
def read(sql: str) -> pd.DataFrame:
    follow(sql)
    return pd.DataFrame({"x": [1]})


@traced
def fitted(frame: pd.DataFrame, *, level: float) -> Fitted:
    follow("SELECT 'more'")
    return Fitted(frame, level)


@traced
def said(model: Fitted, note: str = "") -> Estimated | None:
    return here()


@traced
def bare(value: float) -> Estimated | None:
    return here()


@traced
def study() -> tuple[Estimated | None, Estimated | None]:
    frame = read("SELECT 'a'")
    read("SELECT 'elsewhere'")
    return said(fitted(frame, level=0.9), note="n"), bare(1.0)


def test_a_number_follows_from_the_queries_behind_the_functions_arguments_and_no_others():
    found, _ = study()
    assert found is not None
    assert set(found.queries) == {"SELECT 'a'", "SELECT 'more'"}
    assert found.function.endswith("test_lineage.said")
    assert found.within.endswith("test_lineage.study")
    assert found.parameters == {"note": "n"}


def test_a_function_given_bare_numbers_leaves_the_answer_to_its_caller():
    _, found = study()
    assert found is not None
    assert found.function.endswith("test_lineage.study")
    assert "SELECT 'elsewhere'" in found.queries


def test_a_result_that_holds_its_inputs_did_not_make_them():
    """A study kept its inputs in its result once: whatever was computed from them later owed its tables to it."""

    @dataclass(eq=False)
    class Given:
        table: pd.DataFrame

    @dataclass(eq=False)
    class Made:
        inputs: Given
        number: pd.Series

    @lineage.traced
    def first(inputs: Given) -> Made:
        lineage.follow("SELECT 1 FROM staff")
        return Made(inputs=inputs, number=pd.Series([1.0]))

    @lineage.traced
    def second(inputs: Given) -> Estimated | None:
        lineage.follow("SELECT 1 FROM orders")
        return lineage.here()

    inputs = Given(table=pd.DataFrame())
    made = first(inputs)
    assert tuple(lineage.behind(inputs)) == () and tuple(lineage.behind(inputs.table)) == ()
    found = second(inputs)
    assert found is not None and found.queries == ("SELECT 1 FROM orders",)
    # what it did make is known by it, also inside the record
    assert tuple(lineage.behind(made.number)) == ("SELECT 1 FROM staff",)


def test_outside_every_traced_function_nothing_is_known():
    follow("SELECT 'lost'")
    assert here() is None


def test_an_error_closes_the_scope():
    @traced
    def fails() -> None:
        raise ValueError

    with pytest.raises(ValueError):
        fails()
    assert lineage.innermost() is None


def test_what_stands_behind_an_object_is_forgotten_with_it():
    frame = read("SELECT 'gone'")
    assert list(behind({"a": [frame]})) == ["SELECT 'gone'"]
    before = len(lineage._BEHIND)
    del frame
    gc.collect()
    assert len(lineage._BEHIND) < before


def test_a_property_counts_its_queries_at_every_use():
    class Field:
        @traced_property
        def rows(self) -> pd.DataFrame:
            follow("SELECT 'property'")
            return pd.DataFrame()

    field = Field()

    @traced
    def used() -> Estimated | None:
        assert field.rows is field.rows
        return here()

    assert used().queries == used().queries == ("SELECT 'property'",)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("operation", "values", "expected"),
    [
        ("sum", (Decimal("1.10"), Decimal("2.20")), Decimal("3.30")),
        ("difference", (10, 3, 2), 5),
        ("quotient", (Decimal(1), Decimal(4)), Decimal("0.25")),
        ("quotient", (1.0, 4), 0.25),
        ("product", (2, 3, 4), 24),
        ("complement", (0.25,), 0.75),
        ("relative_change", (Decimal(110), Decimal(100)), Decimal("0.1")),
        ("quotient_in_cents", (Decimal("10.00"), 3), Decimal("3.33")),
        ("net", (Decimal(7), Decimal(2), Decimal(4)), Decimal(5)),
        ("copy", (7,), 7),
        ("count", (5, 5, 5), 3),
        ("largest", (1, 3, 2), 3),
        ("smallest", (1, 3, 2), 1),
    ],
)
def test_operations_worked_by_hand(operation: str, values: tuple, expected: object):
    assert OPERATIONS[operation](values) == expected


def test_every_operation_is_worked_by_hand_above():
    worked = {case[0] for case in test_operations_worked_by_hand.pytestmark[0].args[1]}
    assert worked == set(OPERATIONS)


def test_an_operation_that_nobody_defined_and_one_of_nothing_are_refused():
    with pytest.raises(ParameterError, match="no operation 'ratio'"):
        Derived(operation="ratio", parents=(fact(1),))
    with pytest.raises(ParameterError, match="of no facts"):
        Derived(operation="sum", parents=())


def test_lineage_as_json_names_queries_by_key_and_parents_by_id():
    rows = Rows(numerator="SELECT 1", value="sum(x)", denominator="SELECT 2", per=1000)
    assert rows.as_json() == {
        "kind": "rows",
        "queries": {"numerator": query_key("SELECT 1"), "denominator": query_key("SELECT 2")},
        "values": {"numerator": "sum(x)", "denominator": "count(*)"},
        "per": 1000,
    }
    parents = (fact(3, "a", lineage=rows), fact(1, "b"))
    whole = fact(2, "c", lineage=Derived(operation="difference", parents=parents))
    assert whole.as_json()["lineage"]["parents"] == ["a#2026-10:1", "b#2026-10:1"]
    assert whole.lineage_queries == ("SELECT 1", "SELECT 2")
    assert Assumed(source="params/assumptions.yml", name="limit").as_json()["name"] == "limit"


def test_table_names_leave_out_what_the_query_defines_itself():
    sql = 'WITH q AS (SELECT * FROM service s JOIN "made_12" m ON m.a = s.a) SELECT * FROM q, tickets WHERE EXISTS (SELECT 1 FROM orders)'
    assert table_names(sql) == {"service", "made_12", "tickets", "orders"}
    with pytest.raises(ParameterError, match="SQL"):
        table_names("SELECT FROM WHERE")


def test_sources_are_the_tables_that_the_queries_read(company: Path, engine_of: Build):
    engine = engine_of(company)
    fact = engine.fact("after_sales_cost_rate", period=OCTOBER)
    assert isinstance(fact.lineage, Rows)
    assert set(fact.sources) == {"customers", "ledger", "orders", "products", "tickets", "units"}
    made = engine.materialise("few", "SELECT * FROM ledger WHERE amount > 0")
    again = engine.materialise("fewer", f"SELECT * FROM {made}")
    assert engine.tables_read(f"SELECT * FROM {again}") == ("ledger",)
    assert list(engine.made_tables(f"SELECT * FROM {again}")) == [made.strip('"'), again.strip('"')]


def test_rows_reproduce_numerator_and_denominator(company: Path, engine_of: Build):
    engine = engine_of(company)
    fact = engine.fact("after_sales_cost_rate", period=OCTOBER)
    follows = fact.lineage
    assert isinstance(follows, Rows)
    numerator = engine.rows(f"SELECT {follows.value} AS value FROM ({follows.numerator})")["value"].iloc[0]
    denominator = engine.rows(f"SELECT {follows.of} AS value FROM ({follows.denominator})")["value"].iloc[0]
    assert (numerator, denominator) == (fact.numerator, fact.denominator)
    assert fact.value == numerator / denominator
