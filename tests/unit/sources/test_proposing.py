"""A proposed map: what is certain loads, what is not is marked."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.cli import main
from analysis.sources import load_map
from analysis.tables import contract

TABLES = {name: tuple(table.columns) for name, table in contract().tables.items()}


def proposed(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["map", str(folder)]) == 0
    return capsys.readouterr().out


def test_what_is_certain_loads_and_what_is_not_is_a_doubt(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "tickets_export.csv").write_text("ID;Type;Created at;Solved at\n1;repair;03/25/2026;04/05/2026\n2;Bug;03/26/2026;\n", encoding="utf-8")
    (tmp_path / "weather.csv").write_text("city,rain\nOslo,1\n", encoding="utf-8")
    text = proposed(tmp_path, capsys)
    path = tmp_path / "acme.yml"
    path.write_text(text, encoding="utf-8")
    (entry,) = load_map("acme", TABLES, path=path).tables
    assert (entry.table, entry.separator) == ("tickets", ";")
    assert entry.columns == {"ticket_id": "ID", "ticket_type": "Type", "opened_at": "Created at", "resolved_at": "Solved at"}
    assert entry.dates == {"opened_at": "%m/%d/%Y"}
    assert "doubt: day and month of resolved_at cannot be told apart (04/05/2026)" in text
    assert 'doubt: values of ticket_type: "Bug"' in text
    assert "# weather.csv: doubt: fits no table" in text


def test_chinese_headers_in_gb18030_and_a_missing_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "凭证.csv").write_bytes("日期,科目编码,金额,摘要\n2026-10-01,6601,5.00,配件\n".encode("gb18030"))
    text = proposed(tmp_path, capsys)
    path = tmp_path / "acme.yml"
    path.write_text(text, encoding="utf-8")
    (entry,) = load_map("acme", TABLES, path=path).tables
    assert (entry.table, entry.encoding) == ("ledger", "gb18030")
    assert entry.columns == {"posted_on": "日期", "amount": "金额", "account": "科目编码"}
    assert "doubt: posting_id is required" in text and entry.dates == {}


def test_a_folder_with_nothing_of_ours_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "weather.csv").write_text("city,rain\nOslo,1\n", encoding="utf-8")
    assert main(["map", str(tmp_path)]) != 0
    assert "no CSV file in it looks like one of our tables" in capsys.readouterr().err
