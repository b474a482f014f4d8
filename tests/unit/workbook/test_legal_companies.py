"""Companies that keep to the contract and are unlike the sample in one thing each: every notebook ends in pages or in words."""

from __future__ import annotations

from pathlib import Path

import legal_companies
import pytest
import shapes

#: Refused by a rule, in words.
REFUSED = {
    "blank words": "no value where every row needs one"  # its keys are blank as well
}


# Run with every change: what breaks these breaks many.
ALWAYS = ("ordinary", "all zero", "young fleet", "fleet of one")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in ALWAYS else pytest.mark.slow) for name in legal_companies.LEGAL],
)
def test_a_legal_company_ends_in_pages_or_in_words(name: str, own_project: None, tmp_path: Path):
    tables = legal_companies.ordinary()
    legal_companies.LEGAL[name](tables)
    folder = legal_companies.write(tables, tmp_path / "in" / "company")
    month = legal_companies.MONTHS.get(name, legal_companies.MONTH)
    outcome = legal_companies.study(folder, tmp_path / "run", month=month)
    assert bool(outcome.refused) == (name in REFUSED), outcome.refused
    assert REFUSED.get(name, "") in outcome.refused
    assert outcome.whole, outcome.failed or outcome.wrong_facts
    assert outcome.facts or outcome.refused
    assert not shapes.false_reasons(outcome, tables)
    shapes.compare(name, outcome)
