"""Odd companies that the matrix has not: every notebook ends in pages or in words, and no month of a young table passes for a year."""

from __future__ import annotations

from pathlib import Path

import legal_companies
import odd_companies
import pytest
import shapes
from odd_companies import ODD

from analysis import value
from analysis.metrics import NotDone
from analysis.workbook import prepare_run

#: Refused by a rule, in words.
REFUSED = {
    "customers without id": "orders.customer_id, no value",
    "machines not shipped": "units.shipped_on, no value",
}
ALWAYS = ("fleet all retired last year",)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in ALWAYS else pytest.mark.slow) for name in ODD]
)
def test_an_odd_company_ends_in_pages_or_in_words(name: str, own_project: None, tmp_path: Path):
    tables = legal_companies.ordinary()
    ODD[name](tables)
    folder = legal_companies.write(tables, tmp_path / "in" / "company")
    outcome = legal_companies.study(folder, tmp_path / "run")
    assert bool(outcome.refused) == (name in REFUSED), outcome.refused
    assert REFUSED.get(name, "") in outcome.refused
    assert outcome.whole, outcome.failed or outcome.wrong_facts
    assert not shapes.false_reasons(outcome, tables)


def test_three_months_of_a_ledger_are_no_year_of_service_cost(own_project: None, tmp_path: Path):
    tables = legal_companies.ordinary()
    odd_companies.ledger_starts_late(3)(tables)
    folder = legal_companies.write(tables, tmp_path / "company")
    run = prepare_run("sample", month=legal_companies.MONTH, data=str(folder), section="value")
    study = value.study(run.inputs)
    assert study.service_year.value is None and "begin in August 2026" in study.service_year.reason.en
    assert isinstance(study.break_even, NotDone)
    assert not isinstance(study.investment, NotDone)
    for listed in (study.investment.below, study.investment.often):
        assert listed.value.value is None and "begin in August 2026" in listed.value.reason.en
    said = " ".join(one.statement.plain("en") for one in study.findings)
    assert "in the last twelve months" not in said and "more in service" not in said
    assert "expected to bring" in said, "what they buy is still counted"
