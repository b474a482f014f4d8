"""The corrections register: applied in the open, accounted for, and refused the day the source is fixed."""

from __future__ import annotations

import duckdb
import pytest

from analysis.errors import ContractError, ParameterError
from analysis.tables import Correction, load_corrections

LEDGER = "posting_id,posted_on,category,amount"


def correction(**stated) -> Correction:
    return Correction(
        **(
            {
                "id": "C1",
                "run": "acme",
                "table": "ledger",
                "action": "drop",
                "reason": "posted twice",
                "reporter": "J. Chen",
                "expect": 1,
            }
            | stated
        )
    )


DROP = correction(match={"posting_id": "P1", "amount": "12.00"})
SET = correction(
    id="C2", match={"posting_id": "P2"}, action="set", to={"category": "parts"}, reason="wrong account"
)


def test_a_contradiction_is_dropped_and_still_counted(write, load, values):
    write(
        "ledger.csv",
        LEDGER,
        "P1,2026-10-01,parts,10.00",
        "P1,2026-10-01,parts,12.00",
        "P2,2026-10-02,labor,5.00",
    )
    with pytest.raises(ContractError, match=r"params/corrections\.yml"):
        load(corrections=[SET])
    tables = load(corrections=[DROP, SET])
    assert sorted(values(tables, "ledger", "posting_id", "category", "CAST(amount AS VARCHAR)")) == [
        ("P1", "parts", "10.00"),
        ("P2", "parts", "5.00"),
    ]
    (file,) = tables["ledger"].waterfall
    assert (file.rows_read, file.accepted, file.quarantined) == (3, 2, 1)
    assert tables.quarantine[["row_number", "reason"]].to_numpy().tolist() == [[2, "dropped"]]
    said = {check.id: check for check in tables.checks if check.reason_code == "correction"}
    assert (
        said["tables.ledger.correction.C1"].count == 1
        and "J. Chen" in said["tables.ledger.correction.C2"].message_en
    )


def test_the_day_the_source_is_fixed_the_run_is_refused(write, load):
    write("ledger.csv", LEDGER, "P1,2026-10-01,parts,10.00", "P1,2026-10-01,parts,12.00")
    load(corrections=[DROP])
    write("ledger.csv", LEDGER, "P1,2026-10-01,parts,10.00", "P3,2026-10-01,parts,12.00")
    with pytest.raises(ContractError, match="'C1' expects 1 rows of ledger and found 0 .*take the entry out"):
        load(corrections=[DROP])


def test_more_rows_than_expected_and_an_absent_table_are_refused(write, load):
    write("ledger.csv", LEDGER, "P2,2026-10-01,parts,10.00", "P2,2026-10-02,parts,12.00")
    with pytest.raises(ContractError, match="expects 1 rows of ledger and found 2"):
        load(corrections=[correction(match={"posting_id": "P2"})])
    with pytest.raises(ContractError, match="'C3' expects 1 rows of tickets and found 0"):
        load(corrections=[correction(id="C3", table="tickets", match={"ticket_id": "T1"})])


def test_an_unchanged_file_keeps_its_corrections_when_another_file_comes(write, load, values):
    write("ledger/2026-09.csv", LEDGER, "P1,2026-09-01,parts,12.00", "P4,2026-09-01,parts,1.00")
    load(corrections=[DROP])
    write("ledger/2026-10.csv", LEDGER, "P5,2026-10-01,parts,3.00")
    tables = load(corrections=[DROP])
    assert values(tables, "ledger", "posting_id") == [("P4",), ("P5",)]
    assert [file.quarantined for file in tables["ledger"].waterfall] == [1, 0]
    without = load()
    assert ("P1",) in values(without, "ledger", "posting_id")
    assert without.content_hash != tables.content_hash


def test_a_typed_file_is_corrected_in_its_own_types(folder, load, values):
    rows = "SELECT * FROM (VALUES ('P1', DATE '2026-10-01', 'parts', 12.00), ('P2', DATE '2026-10-02', 'parts', 5.00)) AS t(posting_id, posted_on, category, amount)"
    duckdb.sql(f"COPY ({rows}) TO '{folder}/ledger.parquet'")
    tables = load(
        corrections=[
            correction(
                match={"posting_id": "P1"}, action="set", to={"posted_on": "2026-09-30", "amount": "-12.00"}
            )
        ]
    )
    assert values(tables, "ledger", "CAST(posted_on AS VARCHAR)", "CAST(amount AS VARCHAR)") == [
        ("2026-09-30", "-12.00"),
        ("2026-10-02", "5.00"),
    ]
    with pytest.raises(ParameterError, match="cannot hold"):
        load(
            corrections=[correction(match={"posting_id": "P1"}, action="set", to={"posted_on": "yesterday"})]
        )


def test_two_corrections_of_one_row_are_refused(write, load):
    write("ledger.csv", LEDGER, "P1,2026-10-01,parts,12.00")
    with pytest.raises(ParameterError, match="'C1' and 'C2' both match 1 rows"):
        load(
            corrections=[
                DROP,
                correction(id="C2", match={"category": "parts"}, action="set", to={"category": "labour"}),
            ]
        )


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"table": "legder", "match": {"posting_id": "P1"}}, "Did you mean 'ledger'"),
        ({"match": {"postingid": "P1"}}, "Did you mean 'posting_id'"),
        ({"match": {}}, "every row would be meant"),
        ({"match": {"posting_id": "P1"}, "to": {"amount": "1"}}, "'drop' has none"),
        ({"match": {"posting_id": "P1"}, "expect": 0}, "at least 1"),
        ({"match": {"posting_id": "P1"}, "reporter": " "}, "who found it"),
    ],
)
def test_an_entry_that_says_too_little_does_not_load(stated, message):
    with pytest.raises(ParameterError, match=message):
        correction(**stated)


def test_the_register_belongs_to_a_run(tmp_path):
    path = tmp_path / "corrections.yml"
    entry = "{id: %s, run: %s, table: ledger, match: {posting_id: '1'}, action: drop, reason: r, reporter: p, expect: 1}"
    path.write_text(f"corrections: [{entry % ('a', 'acme')}, {entry % ('b', 'other')}]\n")
    assert [found.id for found in load_corrections("acme", path)] == ["a"]
    path.write_text(f"corrections: [{entry % ('a', 'acme')}, {entry % ('a', 'other')}]\n")
    with pytest.raises(ParameterError, match="stands twice"):
        load_corrections("acme", path)
    assert load_corrections("acme", tmp_path / "absent.yml") == ()
