from __future__ import annotations

import csv
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from analysis.errors import ContractError, SourceError
from analysis.exhibits.statements import findings_block
from analysis.exhibits.tables import table
from analysis.exhibits.vocabulary import Column, Row
from analysis.locale import Text
from analysis.metrics import StudyInputs
from analysis.periods import Month, Period
from analysis.results import FactId, Finding, Sentence
from analysis.workbook import month_run, prepare_run
from analysis.workbook.record import MASK, Record, safe_cell

Inputs = Callable[..., StudyInputs]
OCTOBER = Month(2026, 10)


def read(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "-x"])
def test_text_a_spreadsheet_would_run_is_made_harmless(text: str):
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize("value", [Decimal("-3.10"), -4, -0.5, "plain", "a=b"])
def test_numbers_and_plain_text_stay_as_they_are(value: object):
    assert safe_cell(value) == value


def test_evidence_masks_personal_columns_and_keeps_the_rest(tmp_path: Path, company: Path, inputs_of: Inputs):
    record = Record(tmp_path / "run", "costs", inputs_of(company).engine)
    rows = pd.DataFrame(
        {
            "ticket_id": ["T1"],
            "agent_id": ["A7"],
            "customer_name": ["Anna"],
            "amount": [Decimal("-1.50")],
            "note": ["=1+1"],
        }
    )
    record.write_evidence("costs.x-1", rows)
    header, line = read(tmp_path / "run" / "evidence" / "costs.x-1.csv")
    assert dict(zip(header, line, strict=True)) == {
        "ticket_id": "T1",
        "agent_id": MASK,
        "customer_name": MASK,
        "amount": "-1.50",
        "note": "'=1+1",
    }


def test_a_shown_fact_is_recorded_with_the_sql_of_its_rows(tmp_path: Path, company: Path, inputs_of: Inputs):
    engine = inputs_of(company).engine
    fact = engine.fact("after_sales_cost", period=OCTOBER, dimensions={"category": "parts"})
    block = table(
        "costs.t",
        title=Sentence("{c}", {"c": fact}),
        columns=[Column(key="c", label=Text(en="Cost", zh="成本"))],
        rows=[Row(cells={"c": fact})],
    )
    record = Record(tmp_path / "run", "costs", engine)
    record.keep(block)
    (entry,) = json.loads((tmp_path / "run" / "facts" / "costs.json").read_text())
    kept = json.loads((tmp_path / "run" / "queries" / "costs.json").read_text())["queries"]
    assert FactId.parse(entry["id"]).metric == "after_sales_cost"
    sql = kept[entry["lineage"]["queries"]["numerator"]]
    assert sum(engine.rows(sql)["amount"]) == Decimal(str(entry["value"]))


def test_a_cell_run_twice_records_its_findings_once(tmp_path: Path, company: Path, inputs_of: Inputs):
    engine = inputs_of(company).engine
    block = findings_block(
        "costs.findings",
        [Finding(id="costs.x", section="costs", severity="info", statement=Sentence("{m}", {"m": OCTOBER}))],
    )
    record = Record(tmp_path / "run", "costs", engine)
    record.keep(block)
    record.keep(block)
    assert len(record.of("findings")["costs"]) == 1


@pytest.fixture
def own_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A project root of the test's own, so that stores and caches do not touch the project's."""
    from analysis.params import project_root

    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "params").symlink_to(project_root() / "params")
    monkeypatch.setenv("AFTER_SALES_ROOT", str(tmp_path / "root"))


def test_a_folder_of_csv_files_is_a_run(own_data: None, company: Path, tmp_path: Path):
    run = prepare_run("sample", month="2026-10", data=str(company), folder=tmp_path / "run")
    assert run.inputs.engine.fact("after_sales_cost", period=run.month).value == Decimal("1600.00")


def test_a_month_without_data_and_an_absent_folder_are_refused(own_data: None, company: Path):
    with pytest.raises(ContractError, match="ledger: no rows in 2026-11; they run from 2026-09 to 2026-10"):
        prepare_run("sample", month="2026-11", data=str(company))
    with pytest.raises(SourceError, match="no such folder"):
        prepare_run("sample", data="nowhere/at/all")
    (company / "tickets.csv").unlink()
    with pytest.raises(ContractError, match="tickets: this table is needed"):
        prepare_run("sample", month="2026-10", data=str(company))


@pytest.mark.parametrize(
    ("period", "lacking", "choose"),
    [
        (
            "2026-Q4",
            "2026-12, which 2026-Q4 holds",
            "They hold no whole quarter; ask for a shorter period",
        ),  # not over
        ("2026-Q3", "2026-08, which 2026-Q3 holds", "They hold no whole quarter"),  # not begun
        ("2026", "2026-12, which 2026 holds", "They hold no whole year"),
    ],
)
def test_a_period_with_a_month_without_data_is_refused(
    own_data: None, company: Path, period: str, lacking: str, choose: str
):
    with pytest.raises(
        ContractError, match=f"ledger: no rows in {lacking}; they run from 2026-09 to 2026-10.*{choose}"
    ):
        prepare_run("sample", month=period, data=str(company))


@pytest.mark.parametrize(
    ("period", "newest"),
    [
        ("2026-11", "2026-10"),
        ("2019-02", "2026-10"),
        ("2026-Q4", "2026-Q3"),
        ("2027-Q2", "2026-Q3"),
        ("2020-Q1", "2026-Q3"),
        ("2026", "2025"),
        ("2023", "2025"),
    ],
)
def test_the_newest_whole_period_is_named_in_place_of_one_that_is_not_held(period: str, newest: str):
    """Months from November 2023 to October 2026 hold the years 2024 and 2025."""
    held = Period.parse("2023-11/2026-11").each()
    assert month_run._newest_whole(Period.named(period), held) == Period.named(newest)


def test_a_month_that_lacks_makes_no_period_whole():
    held = [one for one in Period.parse("2025-01/2026-11").each() if str(one) not in ("2026-08", "2025-02")]
    assert month_run._newest_whole(Period.named("2026-Q4"), held) == Period.named("2026-Q2")
    assert month_run._newest_whole(Period.named("2026"), held) is None
    assert month_run._newest_whole(Period.named("2026-Q4"), ()) is None


def test_a_quarter_is_prepared_and_explored_in_a_folder_of_its_own(own_data: None, company: Path):
    for name, row in (
        ("ledger", "L0,2026-08-05,labour,40.00,,CC1,6601.01.01,incurred,"),
        ("tickets", "T0,C1,P1,repair,2026-08-05T02:00:00,2026-08-05T03:00:00,false,1.0,closed,false,"),
        ("ledger", "LJ,2026-07-05,labour,2.00,,CC1,6601.01.01,incurred,"),
        ("tickets", "TJ,C1,P1,repair,2026-07-05T02:00:00,2026-07-05T03:00:00,false,1.0,closed,false,"),
    ):
        path = company / f"{name}.csv"
        path.write_text(f"{path.read_text(encoding='utf-8')}{row}\n", encoding="utf-8")
    run = prepare_run("sample", month="2026-Q3", data=str(company))
    assert (str(run.month), run.period.name, run.folder.name) == ("2026-09", "2026-Q3", "sample-2026-Q3")
    assert run.inputs.fact("after_sales_cost").value == Decimal("1142.00")
    assert run.inputs.period == run.period and str(run.as_of) == "2026-10-10"


def test_data_that_change_while_a_report_is_made_are_refused(
    own_data: None, company: Path, monkeypatch: pytest.MonkeyPatch
):
    before = prepare_run("sample", month="2026-10", data=str(company)).tables.content_hash
    monkeypatch.setenv("AFTER_SALES_TABLES", before)
    prepare_run("sample", month="2026-10", data=str(company))
    ledger = company / "ledger.csv"
    ledger.write_text(ledger.read_text().replace("250.50", "250.51"))
    with pytest.raises(SourceError, match="changed while the report was being made"):
        prepare_run("sample", month="2026-10", data=str(company))
