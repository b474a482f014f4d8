"""Real exports through the public path: map, proof, studies. The data lie beside the project; without them these tests are skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.errors import ParameterError
from analysis.params.strict import bind
from analysis.sources import SourceMap, apply_map, load_map
from analysis.tables import contract

TABLES = {name: tuple(table.columns) for name, table in contract().tables.items()}
INVOICES = """No,Day,Buyer
1,2026-10-01,A
1,2026-10-01,A
C2,2026-10-02,A
3,2026-10-03,(blank)
4,2026-10-04,B
"""
ORDERS = {
    "table": "orders",
    "file": "invoices.csv",
    "columns": {"order_id": "No", "customer_id": "Buyer", "ordered_at": "Day"},
    "constants": {"revenue": "1.00"},
    "numbered": {"line_no": ["order_id"]},
    "without": {"No": ["C*"], "Buyer": ["(blank)"]},
}
CUSTOMERS = {"table": "customers", "file": "invoices.csv", "columns": {"customer_id": "Buyer"}, "first_of": ["customer_id"]}


def mapped(tmp_path: Path, text: str, *entries: dict) -> tuple[list[tuple[int, int, int]], list[list[str]]]:
    """Rows read, written and left out by entry, and the lines written."""
    source_map = bind(SourceMap, {"about": "test", "tables": list(entries), "name": "test"}, "test")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "invoices.csv").write_text(text, encoding="utf-8")
    files = apply_map(source_map, tmp_path / "in", tmp_path / "out")
    lines = [path.read_text(encoding="utf-8").splitlines() for path in sorted((tmp_path / "out").rglob("*.csv"))]
    return [(file.read, file.mapped, file.left_out) for file in files], lines


def test_rows_of_one_invoice_are_its_lines_and_what_a_rule_leaves_out_is_counted(tmp_path: Path):
    counts, (lines,) = mapped(tmp_path, INVOICES, ORDERS)
    assert counts == [(5, 3, 2)]
    assert lines == ["order_id,customer_id,ordered_at,revenue,line_no", "1,A,2026-10-01,1.00,1", "1,A,2026-10-01,1.00,2", "4,B,2026-10-04,1.00,1"]


def test_customers_named_by_every_order_are_written_once(tmp_path: Path):
    counts, (lines,) = mapped(tmp_path, INVOICES, CUSTOMERS)
    assert counts == [(5, 3, 2)] and lines == ["customer_id", "A", "(blank)", "B"]


def test_a_file_without_a_header_and_with_runs_of_blanks_is_read_by_the_stated_names(tmp_path: Path):
    entry = {"table": "orders", "file": "invoices.csv", "separator": " ", "header": ["No", "Day", "Buyer"], "columns": ORDERS["columns"]}
    counts, (lines,) = mapped(tmp_path, " 1   2026-10-01  A\n 22 2026-10-02 B\n", entry)
    assert counts == [(2, 2, 0)] and lines[1:] == ["1,A,2026-10-01", "22,B,2026-10-02"]


def test_a_rule_about_a_column_that_is_not_written_is_refused(tmp_path: Path):
    path = tmp_path / "acme.yml"
    path.write_text("about: x\ntables:\n  - {table: orders, file: a.csv, columns: {order_id: Number}, numbered: {line_no: [ordered_at]}}\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="'ordered_at' has a rule but no source"):
        load_map("acme", TABLES, path=path)
