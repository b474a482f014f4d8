"""A run that names a source map reads the exports themselves."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from analysis.cli import main
from analysis.params import project_root

RUN = """company: Acme
data: exports
source_map: desk
month: "2026-10"
currency: CNY
time_zone: Asia/Shanghai
"""
MAP = """about: a desk and a ledger
tables:
  - table: tickets
    file: desk.csv
    columns: {ticket_id: Number, ticket_type: Kind, opened_at: Opened}
    values: {ticket_type: {Repair: repair}}
    dates: {opened_at: "%d/%m/%Y %H:%M"}
  - table: ledger
    file: gl-*.csv
    columns: {posting_id: Id, posted_on: Day, amount: Net}
    only: {Side: [cost]}
"""


def test_check_reads_through_the_map_and_accounts_for_every_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    shutil.copytree(project_root() / "params", tmp_path / "params")
    (tmp_path / "params" / "runs" / "acme.yml").write_text(RUN, encoding="utf-8")
    (tmp_path / "params" / "sources" / "desk.yml").write_text(MAP, encoding="utf-8")
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "desk.csv").write_text("Number,Kind,Opened\nT1,Repair,03/10/2026 09:15\n", encoding="utf-8")
    for month in ("2026-09", "2026-10"):
        (exports / f"gl-{month}.csv").write_text(
            f"Id,Day,Net,Side\n{month}-1,{month}-05,10.00,cost\n{month}-2,{month}-05,-10.00,bank\n",
            encoding="utf-8",
        )
    monkeypatch.setenv("AFTER_SALES_ROOT", str(tmp_path))
    assert main(["check", "--run", "acme"]) == 0
    said = capsys.readouterr().out
    assert "gl-2026-10.csv -> ledger: 2 rows read = 1 mapped + 1 left out" in said
    assert "desk.csv -> tickets: 1 rows read = 1 mapped + 0 left out" in said


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the run ``acme`` and its map, and a folder of exports that is no run's."""
    shutil.copytree(project_root() / "params", tmp_path / "params")
    (tmp_path / "params" / "runs" / "acme.yml").write_text(RUN, encoding="utf-8")
    (tmp_path / "params" / "sources" / "desk.yml").write_text(MAP, encoding="utf-8")
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "desk.csv").write_text(
        "Number,Kind,Opened\nT1,Repair,03/10/2026 09:15\nT2,Repair,soon\nT3,Broken,04/10/2026 09:15\n",
        encoding="utf-8",
    )
    (folder / "gl-2026-10.csv").write_text("Id,Day,Net,Side\n1,2026-10-05,10.00,cost\n", encoding="utf-8")
    monkeypatch.setenv("AFTER_SALES_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_check_reads_a_folder_through_a_map_without_a_run(project: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["check", "elsewhere", "--map", "desk", "--forgive", "0.9"]) == 0
    said = capsys.readouterr().out
    assert "desk.csv -> tickets: 3 rows read = 3 mapped + 0 left out" in said
    assert "tickets: 2 of 3 rows (66.67%) count nowhere, the report is made of the others" in said


def test_check_prints_what_was_read_before_it_refuses(project: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["check", "elsewhere", "--map", "desk"]) == 4
    answer = capsys.readouterr()
    assert "desk.csv -> tickets: 3 rows read" in answer.out
    assert "2 of 3 rows cannot be used" in answer.err


def test_check_takes_a_run_by_name_and_refuses_what_is_neither(
    project: Path, capsys: pytest.CaptureFixture[str]
):
    (project / "elsewhere").rename(project / "exports")
    assert main(["check", "acme", "--forgive", "0.9"]) == 0
    assert main(["check", "acne"]) == 2
    assert "'acne': neither a folder nor a run in params/runs. Did you mean 'acme'" in capsys.readouterr().err


def test_check_prints_the_doubts_of_a_map(project: Path, capsys: pytest.CaptureFixture[str]):
    path = project / "params" / "sources" / "desk.yml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("{Repair: repair}", '{Repair: repair, "*": other}'),
        encoding="utf-8",
    )
    assert main(["check", "elsewhere", "--map", "desk", "--forgive", "0.9"]) == 0
    assert (
        "doubt   tickets: ticket_type: words not listed, taken as 'other' (1, e.g. 'Broken')"
        in capsys.readouterr().out
    )
