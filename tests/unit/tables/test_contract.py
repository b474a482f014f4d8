"""The contract itself: complete, strict, and the page made from it up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.errors import ParameterError
from analysis.tables import contract, data_dictionary, read_contract
from analysis.tables.contract import CONTRACT_FILE

ROOT = Path(__file__).parents[3]

#: Grain of time: the column that puts a row into a month. A table that is not here is kept whole.
TIMES = {
    "orders": "ordered_at",
    "tickets": "opened_at",
    "ticket_history": "changed_at",
    "claims": "claimed_on",
    "surveys": "sent_at",
    "ledger": "posted_on",
    "drivers": "month",
    "staff": "month",
    "gl_totals": "month",
    "provision": "month",
    "budget": "month",
    "opportunities": "created_on",
    "marketing_spend": "month",
    "shipment_plan": "month",
    "invoices": "issued_on",
}


def test_the_tables_and_their_times():
    tables = contract().tables
    assert len(tables) == 22
    assert {name: table.time for name, table in tables.items() if table.time} == TIMES
    assert tables["ledger"].money == ("amount",)
    assert tables["tickets"].personal == {"agent_id", "text"}
    assert tables["surveys"].columns["score"].scale_limits == {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7)}


def test_columns_by_name():
    assert contract().column("surveys.score").type == "float"
    with pytest.raises(
        ParameterError, match=r"column 'surveys\.scor' is not in the contract\. Did you mean 'score'\?"
    ):
        contract().column("surveys.scor")
    with pytest.raises(
        ParameterError, match=r"table 'survey' is not in the contract\. Did you mean 'surveys'\?"
    ):
        contract().column("survey.score")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("at_least: 0", "atleast: 0", r"unknown key 'atleast'\. Did you mean 'at_least'\?"),
        ("type: boolean", "type: bool", r"'bool' is not allowed"),
        (
            "refers: products",
            "refers: product",
            r"refers to an unknown table 'product'\. Did you mean 'products'\?",
        ),
        (
            "time: opened_at",
            "time: open_at",
            r"tickets names a column 'open_at' it does not have\. Did you mean 'opened_at'\?",
        ),
        (
            "time: opened_at",
            "time: resolved_at",
            r"tickets is kept by resolved_at, so that column must be required",
        ),
        ("key: [posting_id]", "key: [posting_id]\n  key: [account]", r"key 'key' stands twice"),
        ("version: 1", "version: one", r"'version' should be a whole number"),
    ],
)
def test_a_contract_that_does_not_fit_does_not_load(tmp_path, before, after, message):
    text = CONTRACT_FILE.read_text(encoding="utf-8")
    assert before in text
    path = tmp_path / "contract.yml"
    path.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(ParameterError, match=message):
        read_contract(path)


def test_the_committed_dictionary_is_the_contract():
    committed = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert committed == data_dictionary(contract()), (
        "write it anew with analysis.tables.write_data_dictionary(Path('data/README.md'))"
    )
