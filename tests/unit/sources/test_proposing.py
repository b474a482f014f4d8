"""A proposed map: what is certain loads, what is not is marked."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.cli import main
from analysis.sources import load_map
from analysis.tables import contract

from .conftest import write_workbook  # isort: skip

REAL = Path(__file__).parents[3].parent / "shared" / "real"
TABLES = {name: tuple(table.columns) for name, table in contract().tables.items()}


def proposed(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["map", str(folder)]) == 0
    return capsys.readouterr().out


def test_what_is_certain_loads_and_what_is_not_is_a_doubt(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "tickets_export.csv").write_text(
        "ID;Type;Created at;Solved at\n1;repair;03/25/2026;04/05/2026\n2;Bug;03/26/2026;\n", encoding="utf-8"
    )
    (tmp_path / "weather.csv").write_text("city,rain\nOslo,1\n", encoding="utf-8")
    text = proposed(tmp_path, capsys)
    path = tmp_path / "acme.yml"
    path.write_text(text, encoding="utf-8")
    (entry,) = load_map("acme", TABLES, path=path).tables
    assert (entry.table, entry.separator) == ("tickets", ";")
    assert entry.columns == {
        "ticket_id": "ID",
        "ticket_type": "Type",
        "opened_at": "Created at",
        "resolved_at": "Solved at",
    }
    assert entry.dates == {"opened_at": "%m/%d/%Y"}
    assert "doubt: day and month of resolved_at cannot be told apart (04/05/2026)" in text
    assert (
        'state under dates either resolved_at: "%m/%d/%Y" or resolved_at: "%d/%m/%Y"' in text
        or 'either resolved_at: "%d/%m/%Y" or resolved_at: "%m/%d/%Y"' in text
    )
    assert '#   ticket_type: {"Bug": ?}  # each one of repair, complaint' in text
    assert "# weather.csv: doubt: fits no table" in text


def test_chinese_headers_in_gb18030_and_a_missing_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "凭证.csv").write_bytes(
        "日期,科目编码,金额,摘要\n2026-10-01,6601,5.00,配件\n".encode("gb18030")
    )
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
    said = capsys.readouterr().err
    assert (
        "no file in it looks like one of our tables (weather.csv: doubt: fits no table; its columns are city, rain). Write the map by hand; docs/SOURCES.md"
        in said
    )


def test_the_map_that_ships_for_these_files_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "incident.csv").write_text(
        "number,company,caller_id,state,category,priority,assignment_group,assigned_to,opened_at,resolved_at,closed_at\nINC1,Acme,Bow,New,Hardware,3,Desk,Beth,2026-10-01 01:00:00,,\n",
        encoding="utf-8",
    )
    assert "# The map 'servicenow' that ships reads these files as they are" in proposed(tmp_path, capsys)
    (tmp_path / "incident.csv").write_text("number,company,state\nINC1,Acme,New\n", encoding="utf-8")
    assert (
        main(["map", str(tmp_path)]) != 0 and "that ships" not in capsys.readouterr().err
    )  # without its columns it is not that system's export


def test_of_two_files_for_a_table_the_one_without_its_columns_is_no_entry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "tickets.csv").write_text(
        "ticket_id,ticket_type,opened_at\n1,repair,2026-10-01 08:00:00Z\n", encoding="utf-8"
    )
    (tmp_path / "talk.csv").write_text(
        "ticket_id,created,words\n1,2026-10-01 08:00:00Z,hello\n", encoding="utf-8"
    )
    text = proposed(tmp_path, capsys)
    assert text.count("- table: tickets") == 1
    assert (
        "# talk.csv: doubt: has columns of tickets but no ticket_type; tickets.csv looks like that table"
        in text
    )
    (tmp_path / "talk.csv").write_text(
        "ticket_id,ticket_type,created\n1,repair,2026-10-01 08:00:00Z\n", encoding="utf-8"
    )
    text = proposed(tmp_path, capsys)
    assert (
        text.count("- table: tickets") == 2
        and "# doubt: talk.csv and tickets.csv are both proposed for tickets" in text
    )


def test_sheets_titles_units_zones_and_marks_are_doubts(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = [
        ["流明电器 凭证列表"],
        ["凭证日期", "凭证字号", "科目编码", "金额", "部门"],
        *(["2026年10月08日", f"记-{n}", "6401", "1,234.50", "东区"] for n in range(3)),
    ]
    write_workbook(tmp_path / "凭证202610.xlsx", {"凭证": rows})
    (tmp_path / "tickets-2026-09.csv").write_text(
        "ID;Type;Created;Minutes\n1;repair;2026-09-25 10:00:00;45\n", encoding="utf-8"
    )
    (tmp_path / "tickets-2026-10.csv").write_text(
        "ID;Type;Created;Minutes\n2;repair;2026-10-25 10:00:00;30\n", encoding="utf-8"
    )
    text = proposed(tmp_path, capsys)
    path = tmp_path / "acme.yml"
    path.write_text(text, encoding="utf-8")
    tickets, ledger = sorted(
        load_map("acme", TABLES, path=path).tables, key=lambda entry: entry.table, reverse=True
    )
    assert (ledger.file, ledger.skip_lines, ledger.numbers) == ("凭证*.xlsx", 1, ("amount",))
    assert ledger.columns == {
        "posting_id": "凭证字号",
        "posted_on": "凭证日期",
        "amount": "金额",
        "cost_center": "部门",
        "account": "科目编码",
    }
    assert ledger.dates == {"posted_on": "%Y年%m月%d日"}
    assert (tickets.file, tickets.factors) == ("tickets-*.csv", {"handling_hours": "1/60"})
    assert "doubt: opened_at: no time zone; read as UTC unless stated" in text
    assert "skip_lines: 1  # doubt" in text and "factors: {handling_hours: 1/60}  # doubt" in text


def test_an_event_log_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "tickets.csv").write_text(
        "ticket_id,ticket_type,opened_at\n1,repair,2026-10-01 08:00:00Z\n", encoding="utf-8"
    )
    (tmp_path / "history.csv").write_text(
        "issue_id,created,field,to_string\n1,2026-10-01,status,Open\n1,2026-10-02,status,Done\n",
        encoding="utf-8",
    )
    text = proposed(tmp_path, capsys)
    assert (
        "# history.csv: doubt: looks like a log of events (2 rows of 1 tickets were looked at); an event is not a ticket"
        in text
    )
    assert 'seen there: ["Done", "Open"]' in text
    assert "no time zone" not in text


def test_the_real_exports_are_proposed_without_a_fault(capsys: pytest.CaptureFixture[str]):
    if not REAL.is_dir():
        pytest.skip("the real exports are not here")
    text = proposed(REAL / "zendesk_fivetran_seeds", capsys)
    assert "- table: tickets" in text and "looks like a log of events" in text
    assert (
        "# The map 'zendesk' that ships reads these files as they are: analysis check FOLDER --map zendesk"
        in text
    )
    assert (
        text.count("- table: tickets") == 1
        and "# ticket_comment_data.csv: doubt: has columns of tickets but no ticket_type; ticket_data.csv looks like that table"
        in text
    )
    assert 'ordered_at: "%m/%d/%Y %H:%M"' in proposed(
        REAL / "online_retail_invoices", capsys
    )  # a day behind the twelfth stands far below
    for folder, name in (
        ("telco_churn_ibm", "telco"),
        ("cdnow", "cdnow"),
        ("xero_gl_fivetran_seeds", "xero"),
        ("nyc311_animals", "nyc311"),
        ("online_retail_invoices", "shop"),
    ):
        assert f"# The map '{name}' that ships reads these files" in proposed(REAL / folder, capsys)
