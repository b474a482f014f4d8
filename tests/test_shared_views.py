"""A study asks the shared views: where one exists for a table, no study's SQL names the table itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.metrics.views import VIEWS

SOURCE = Path(__file__).parents[1] / "src" / "analysis"
STUDIES = ("costs", "failures", "retention", "value", "quality", "executive", "exhibits", "workbook")
SHARED = {table: view.name for view in reversed(VIEWS.values()) for table in view.stands_for}
_LISTED = r'(?:\s*,\s*"?\w+"?(?:\s+(?:AS\s+)?\w+)?)*'  # FROM one a, other b
_NAMED = re.compile(rf"""\b(?:FROM|JOIN)\s+((?:"?\w+"?)(?:\s+(?:AS\s+)?\w+)?{_LISTED})""", re.IGNORECASE)
_WORDS_OF_SQL = re.compile(r"\b(SELECT|JOIN|WHERE|GROUP BY|FROM\s+\w+\s+\w+\s+(?:WHERE|JOIN))\b")


def raw_tables(sql: str) -> set[str]:
    """Tables with a shared view that a text of SQL reads; names of its own subqueries are not tables."""
    text = re.sub(r"--[^\n]*", "", sql)
    own = {name.lower() for name in re.findall(r"(\w+)(?:\s*\([\w\s,]*\))?\s+AS\s+\(", text)}
    named: set[str] = set()
    for found in _NAMED.findall(text):
        named |= {one.strip().split()[0].strip('"').lower() for one in found.split(",")}
    return (named - own) & SHARED.keys()


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every text of a module that reads like SQL, f-strings with a mark where a value goes; docstrings are prose."""
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in prose or id(node) in parts:
            continue
        if isinstance(node, ast.JoinedStr):
            pieces = (part.value if isinstance(part, ast.Constant) else " given " for part in node.values)
            text = "".join(str(piece) for piece in pieces)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if _WORDS_OF_SQL.search(text):
            yield node.lineno, text


def test_no_study_reads_a_table_that_a_shared_view_stands_for():
    found = [
        f"{path.relative_to(SOURCE)}:{line} reads {table}; ask {SHARED[table]}"
        for package in STUDIES
        for path in sorted((SOURCE / package).rglob("*.py"))
        for line, text in texts(ast.parse(path.read_text(encoding="utf-8")))
        for table in sorted(raw_tables(text))
    ]
    assert not found, "\n".join(found)


def test_no_study_works_out_a_business_day_of_its_own():
    # one line stands apart: when a row arrived is measured in hours of the business, not in its days
    allowed = {"quality/arrival.py"}
    found = [
        f"{path.relative_to(SOURCE)}:{line}"
        for package in STUDIES
        for path in sorted((SOURCE / package).rglob("*.py"))
        if str(path.relative_to(SOURCE)) not in allowed
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(r"timezone\(|utcoffset|\w_at AS DATE\)", text)
    ]
    assert not found, "\n".join(found)


def test_the_tables_that_have_a_shared_view():
    assert set(SHARED) == {
        "tickets",
        "orders",
        "contracts",
        "units",
        "ledger",
        "surveys",
        "staff",
        "gl_totals",
        "budget",
    }


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT * FROM tickets", {"tickets"}),
        ('SELECT * FROM service s JOIN "orders" o USING (customer_id)', {"orders"}),
        ("WITH a AS (SELECT 1) SELECT * FROM a, units u WHERE a.x = u.x", {"units"}),
        ("SELECT * FROM (SELECT * FROM contracts) AS c", {"contracts"}),
        ("SELECT (SELECT count(*)\nfrom\n  ledger) AS n", {"ledger"}),
        ("WITH tickets AS (SELECT * FROM service_orders) SELECT * FROM tickets", set()),
        ("WITH tickets(a, b) AS (VALUES (1, 2)) SELECT * FROM tickets", set()),
        ("SELECT tickets, orders_12m FROM service -- FROM tickets", set()),
        ("SELECT * FROM contract_terms_at_20261101 JOIN customers c USING (customer_id)", set()),
    ],
)
def test_the_search_finds_what_it_is_for(sql: str, tables: set[str]):
    assert raw_tables(sql) == tables


def test_the_search_sees_formatted_texts_and_no_prose():
    module = '''
"""Rows are read FROM tickets in a docstring, SELECT and all."""
def sql(end):
    """SELECT nothing FROM orders."""
    return f"SELECT * FROM contracts WHERE starts_on < {end}" "AND TRUE"
'''
    assert [raw_tables(text) for _, text in texts(ast.parse(module))] == [{"contracts"}]
