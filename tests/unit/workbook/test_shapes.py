"""Any shape of history and table ends in a pack, in parts that say why they are not computed, or in a refusal that is a rule."""

from __future__ import annotations

from pathlib import Path

import legal_companies
import pytest
import shapes

#: Each lacks several things at once and is run with every change, the others with the slow tests.
LIKELIEST = (
    "purchases only",
    "tickets only",
    "ledger only",
    "claims, machines and repairs",
    "two months, partial",
    "one month, no ledger",
    "young fleet, one month",
    "several currencies",
)


def named(name: str) -> pytest.param:
    return pytest.param(name, marks=() if name in LIKELIEST else pytest.mark.slow)


def studied(
    name: str, change: legal_companies.Change, tmp_path: Path
) -> tuple[legal_companies.Outcome, legal_companies.Tables]:
    tables = legal_companies.ordinary(months=shapes.MONTHS_MADE.get(name, 16))
    change(tables)
    folder = legal_companies.write(tables, tmp_path / "in" / "company")
    month = legal_companies.MONTHS.get(name, legal_companies.MONTH)
    return legal_companies.study(folder, tmp_path / "run", month=month), tables


@pytest.mark.parametrize("name", [named(name) for name in shapes.SHAPES])
def test_any_shape_ends_as_the_matrix_says(name: str, own_project: None, tmp_path: Path):
    outcome, tables = studied(name, shapes.SHAPES[name], tmp_path)
    assert outcome.whole, outcome.failed or outcome.wrong_facts
    assert not shapes.false_reasons(outcome, tables)
    shapes.compare(name, outcome)


@pytest.mark.slow
@pytest.mark.parametrize("name", shapes.COLUMNS)
def test_each_optional_column_may_be_absent(name: str, own_project: None, tmp_path: Path):
    outcome, tables = studied(name, shapes.COLUMNS[name], tmp_path)
    assert outcome.whole, outcome.failed or outcome.wrong_facts
    assert not shapes.false_reasons(outcome, tables)
    shapes.compare(name, outcome)


def test_the_page_is_that_of_what_is_kept():
    kept = shapes.read_kept()
    assert shapes.PAGE.read_text(encoding="utf-8") == shapes.page(kept)
    assert set(kept) <= {*shapes.SHOWN, *shapes.SHAPES, *shapes.COLUMNS}


def test_a_cell_says_what_is_refused_and_why():
    fates = {
        "ordinary": shapes.Fate(missing={"value.small": "too few"}),
        "no ledger": shapes.Fate(
            missing={"section costs": "needs ledger", "value.small": "too few", "value.prices": "needs x"}
        ),
        "several currencies": shapes.Fate(refused="no rate"),
    }
    page = shapes.page(fates)
    assert "| no ledger | pack | refused (2) | pack | pack | part refused (3) | pack |" in page
    assert "| several currencies | refused: no rate |  |  |  |  |  |" in page
    assert "1. too few: value.small" in page and "3. needs x: value.prices" in page
    assert "3 situations: 2 part refused, 1 refused. " in page and "more are not run yet" in page


def test_a_part_is_not_gated_by_a_table_that_is_there():
    tables = {"orders": legal_companies.ordinary()["orders"]}
    outcome = legal_companies.Outcome(
        not_computed={
            "a": "Not tested: x; needs orders.revenue.",
            "b": "Not tested: y; needs orders.revenue, ledger.amount.",
            "c": "Not tested: z; 2 months; needs 15.",
        }
    )
    assert list(shapes.false_reasons(outcome, tables)) == ["a"]
