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


def test_check_reads_through_the_map_and_accounts_for_every_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    shutil.copytree(project_root() / "params", tmp_path / "params")
    (tmp_path / "params" / "runs" / "acme.yml").write_text(RUN, encoding="utf-8")
    (tmp_path / "params" / "sources" / "desk.yml").write_text(MAP, encoding="utf-8")
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "desk.csv").write_text("Number,Kind,Opened\nT1,Repair,03/10/2026 09:15\n", encoding="utf-8")
    for month in ("2026-09", "2026-10"):
        (exports / f"gl-{month}.csv").write_text(f"Id,Day,Net,Side\n{month}-1,{month}-05,10.00,cost\n{month}-2,{month}-05,-10.00,bank\n", encoding="utf-8")
    monkeypatch.setenv("AFTER_SALES_ROOT", str(tmp_path))
    assert main(["check", "--run", "acme"]) == 0
    said = capsys.readouterr().out
    assert "gl-2026-10.csv -> ledger: 2 rows read = 1 mapped + 1 left out" in said
    assert "desk.csv -> tickets: 1 rows read = 1 mapped + 0 left out" in said
