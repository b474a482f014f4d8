"""A slice of a company: every row is inside, elsewhere or told by nothing, and the three add up to the whole."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from analysis.errors import ParameterError
from analysis.tables import TableSet, load_tables
from analysis.tables.slicing import slice_tables

FILES = {
    "customers": "customer_id,region\nC1,North\nC2,South\nC3,\nC4,North\n",
    "products": "product_id,product_line\nP1,Washers\nP2,Dryers\nP3,\n",
    "units": "serial_no,product_id,customer_id,shipped_on,region\nS1,P1,C1,2026-01-05,\nS2,P2,C2,2026-01-06,North\nS3,P3,C3,2026-01-07,\n",
    "orders": "order_id,customer_id,product_id,ordered_at,revenue\nO1,C1,P1,2026-10-01T00:00:00,100.00\nO2,C2,P1,2026-10-02T00:00:00,50.00\n"
    "O3,C3,,2026-10-03T00:00:00,7.00\nO4,C4,P2,2026-10-04T00:00:00,-20.00\n",
    "tickets": "ticket_id,customer_id,serial_no,ticket_type,opened_at,region\nT1,C1,S1,repair,2026-10-01T00:00:00,\n"
    "T2,C1,S1,repair,2026-10-02T00:00:00,South\nT3,C2,,inquiry,2026-10-03T00:00:00,\nT4,,S2,repair,2026-10-04T00:00:00,\nT5,,,inquiry,2026-10-05T00:00:00,\n",
    "ledger": "posting_id,posted_on,amount,ticket_id,region,product_line\nL1,2026-10-01,10.00,T1,,\nL2,2026-10-02,20.50,T2,,\nL3,2026-10-03,5.00,,North,\n"
    "L4,2026-10-04,1.25,,,Washers\nL5,2026-10-05,-3.00,T4,South,\n",
    "claims": "claim_id,ticket_id,claimed_on,amount\nK1,T1,2026-10-01,9.00\nK2,,2026-10-02,4.00\n",
    "gl_totals": "month,measure,amount\n2026-10-01,after_sales_cost,33.75\n",
    "calendar": "day,working\n2026-10-01,false\n",
}


def load(folder: Path, store: Path) -> TableSet:
    return load_tables(folder, store, reporting_currency="CNY", time_zone="Asia/Shanghai")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> TableSet:
    folder = tmp_path_factory.mktemp("whole")
    for name, text in FILES.items():
        (folder / f"{name}.csv").write_text(text, "utf-8")
    return load(folder, folder / "store")


def keys(tables: TableSet, name: str, column: str) -> list[str]:
    import duckdb

    return [row[0] for row in duckdb.sql(f"SELECT {column} FROM {tables.scan(name)} ORDER BY 1").fetchall()]


def test_a_row_belongs_to_what_stands_in_it_else_to_what_it_names(whole: TableSet, tmp_path: Path):
    slice_tables(whole, {"region": ["North"]}, tmp_path / "north")
    north = load(tmp_path / "north", tmp_path / "store")
    assert keys(north, "tickets", "ticket_id") == [
        "T1",
        "T4",
    ]  # by the customer's region; by that of the machine itself
    assert keys(north, "ledger", "posting_id") == [
        "L1",
        "L3",
    ]  # by its ticket; by itself, and L5 by itself to South
    assert keys(north, "orders", "order_id") == ["O1", "O4"]
    assert keys(north, "claims", "claim_id") == ["K1"]
    assert keys(north, "units", "serial_no") == ["S1", "S2"]
    assert keys(north, "customers", "customer_id") == ["C1", "C2", "C4"]  # C2 is named by the machine S2
    assert keys(north, "products", "product_id") == ["P1", "P2"]
    assert north.has("calendar") and not north.has("gl_totals")
    assert all(check.outcome != "failed" for check in north.checks if check.table == "orders")


def test_slices_and_rest_add_up_to_the_whole_to_the_cent(whole: TableSet, tmp_path: Path):
    cut = {
        value: {one.table: one for one in slice_tables(whole, {"region": [value]}, tmp_path / value)}
        for value in ("North", "South")
    }
    for table in ("tickets", "ledger", "orders", "claims", "units"):
        north, south = cut["North"][table], cut["South"][table]
        rows = whole[table].rows
        assert sum(north.rows.values()) == sum(south.rows.values()) == rows
        assert north.rows["not_stated"] == south.rows["not_stated"]
        assert north.rows["inside"] + south.rows["inside"] + north.rows["not_stated"] == rows
    ledger = cut["North"]["ledger"].amounts
    assert ledger == {
        "inside": Decimal("15.00"),
        "elsewhere": Decimal("17.50"),
        "not_stated": Decimal("1.25"),
    }
    assert cut["South"]["ledger"].amounts["inside"] == Decimal("17.50")


def test_two_dimensions_are_both_asked_for(whole: TableSet, tmp_path: Path):
    sliced = {
        one.table: one
        for one in slice_tables(
            whole, {"region": ["North"], "product_line": ["Washers", "Dryers"]}, tmp_path / "a"
        )
    }
    made = load(tmp_path / "a", tmp_path / "store")
    assert keys(made, "orders", "order_id") == ["O1", "O4"]
    # a posting of South is elsewhere whatever its product line; L3 names no product line
    assert sliced["ledger"].rows == {"inside": 1, "elsewhere": 2, "not_stated": 2}


def test_tables_that_cannot_be_told_are_none_of_a_slice(whole: TableSet, tmp_path: Path):
    sliced = {one.table: one for one in slice_tables(whole, {"region": ["South"]}, tmp_path / "a")}
    assert sliced["gl_totals"].left_out and not sliced["calendar"].left_out
    assert "gl_totals" not in {path.name for path in (tmp_path / "a").iterdir()}


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        ({"regoin": ["North"]}, "Did you mean 'region'"),
        ({"region": ["Nort"]}, "Did you mean 'North'"),
        ({"shop": ["Tmall"]}, "There are: none"),
        ({"region": ["North'; DROP TABLE tickets; --"]}, "stands in no row"),
    ],
)
def test_what_a_company_is_not_cut_by_is_refused_with_what_there_is(
    whole: TableSet, tmp_path: Path, cut, said
):
    with pytest.raises(ParameterError, match=said):
        slice_tables(whole, cut, tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_the_same_slice_gives_the_same_bytes_and_is_not_written_twice(whole: TableSet, tmp_path: Path):
    def bytes_in(folder: Path) -> dict[str, bytes]:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    slice_tables(whole, {"region": ["North"]}, tmp_path / "a")
    before = bytes_in(tmp_path / "a")
    slice_tables(whole, {"region": ["North"]}, tmp_path / "b")
    assert bytes_in(tmp_path / "b") == before
    stamp = (tmp_path / "a" / "tickets" / "slice.parquet").stat().st_mtime_ns
    again = slice_tables(whole, {"region": ["North"]}, tmp_path / "a")
    assert (tmp_path / "a" / "tickets" / "slice.parquet").stat().st_mtime_ns == stamp
    assert {one.table: dict(one.rows) for one in again}["tickets"] == {
        "inside": 2,
        "elsewhere": 2,
        "not_stated": 1,
    }
    (tmp_path / "a" / "_slice.json").write_text("{", "utf-8")
    assert slice_tables(whole, {"region": ["North"]}, tmp_path / "a") == again
