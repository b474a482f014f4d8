"""A proposed map: what is certain loads, what is not is marked."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from analysis.cli import main
from analysis.params import project_root
from analysis.sources import MapEntry, apply_map, load_map
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
    # the twelfth is behind opened_at; resolved_at lies nearer to it with the month first
    assert entry.dates == {"opened_at": "%m/%d/%Y", "resolved_at": "%m/%d/%Y"}
    assert "day and month of resolved_at cannot be told apart (04/05/2026); taken as %m/%d/%Y" in text
    assert (
        entry.values == {"ticket_type": {"Bug": "repair"}} and "# doubt: by the words' usual meaning" in text
    )
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
    # no column names a posting, so its lines are counted within their day
    assert entry.joined == {"posting_id": ("日期", "line_counted")} and entry.dates == {}
    assert "doubt: no column names a posting" in text


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
    text = proposed(tmp_path, capsys)  # without its columns it is not that system's export, and not near it
    assert "that ships" not in text and "tickets of incident.csv: opened_at is required" in text


def test_a_shipped_map_that_nearly_fits_is_named_with_what_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "desk.csv").write_text(
        "number,caller_id,state,priority,assignment_group,assigned_to,opened_at,resolved_at,closed_at,contact_type,location,subcategory,cmdb_ci\n"
        "INC1,Bow,New,3,Desk,Beth,2026-10-01 01:00:00,,,Mail,North,Disk,Host\n",
        encoding="utf-8",
    )
    said = proposed(tmp_path, capsys)
    assert (
        "# desk.csv is near the map 'servicenow' that ships (12 of its 18 columns): it lacks category, "
        in said
    )
    assert "that map reads files called incident*.csv" in said


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
    assert "skip_lines: 1  # doubt" in text and 'factors: {handling_hours: "1/60"}  # doubt' in text


def test_an_event_log_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "tickets.csv").write_text(
        "ticket_id,ticket_type,opened_at\n1,repair,2026-10-01 08:00:00Z\n", encoding="utf-8"
    )
    (tmp_path / "history.csv").write_text(
        "issue_id,created,field,to_string\n1,2026-10-01,status,Open\n1,2026-10-02,status,Done\n",
        encoding="utf-8",
    )
    text = proposed(tmp_path, capsys)
    path = tmp_path / "acme.yml"
    path.write_text(text, encoding="utf-8")
    tickets, history = load_map("acme", TABLES, path=path).tables
    assert history.table == "ticket_history" and history.columns["changed_at"] == "created"
    (log,) = tickets.events
    assert (log.open, log.resolved, log.closed) == (("Open",), ("Done",), ())
    assert set(log.gives) == {"resolved_at", "closed_at", "reopened", "reopened_at"}
    assert "events:  # doubt: turns of the tickets are read from history.csv" in text
    assert "no time zone" not in text


def test_the_real_exports_are_proposed_without_a_fault(capsys: pytest.CaptureFixture[str]):
    if not REAL.is_dir():
        pytest.skip("the real exports are not here")
    text = proposed(REAL / "zendesk_fivetran_seeds", capsys)
    assert "- table: tickets" in text and "- table: ticket_history" in text
    assert (
        "# The map 'zendesk' that ships reads these files as they are: analysis check FOLDER --map zendesk"
        in text
    )
    assert text.count("- table: tickets\n") == 1 and "# ticket_comment_data.csv: " in text
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


# ---------------------------------------------------------------- kinds of exports, made up


def read_as(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, list[MapEntry]]:
    """The proposal as the map that it is, by table; it must load and can be applied as it stands."""
    path = folder.parent / "acme.yml"
    path.write_text(proposed(folder, capsys), encoding="utf-8")
    source_map = load_map("acme", TABLES, path=path)
    apply_map(source_map, folder, folder.parent / "made", business_zone="Europe/Berlin")
    found: dict[str, list[MapEntry]] = {}
    for entry in source_map.tables:
        found.setdefault(entry.table, []).append(entry)
    return found


def written(folder: Path, **files: str) -> Path:
    folder = folder / "exports"
    folder.mkdir()
    for name, text in files.items():
        (folder / name.replace("_csv", ".csv")).write_text(text, encoding="utf-8")
    return folder


def test_german_headings_dates_and_commas(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = "".join(
        f"A{n};K{n % 7};G{n};Störung;{n % 28 + 1:02}.10.2026 08:{n % 60:02};{n % 28 + 1:02}.10.2026 09:00;erledigt;Nord;1.{n:03},50\n"
        for n in range(60)
    )
    folder = written(
        tmp_path,
        Aufträge_csv="Auftragsnummer;Kundennummer;Gerätenummer;Auftragsart;Erstellt am;Abgeschlossen am;Status;Gebiet;Kosten EUR\n"
        + rows,
    )
    found = read_as(folder, capsys)
    (tickets,) = found["tickets"]
    assert tickets.columns == {
        "ticket_id": "Auftragsnummer",
        "customer_id": "Kundennummer",
        "serial_no": "Gerätenummer",
        "ticket_type": "Auftragsart",
        "opened_at": "Erstellt am",
        "resolved_at": "Abgeschlossen am",
        "region": "Gebiet",
        "status": "Status",
    }
    assert tickets.dates == {"opened_at": "%d.%m.%Y %H:%M", "resolved_at": "%d.%m.%Y %H:%M"}
    assert tickets.local_times is not None and tickets.local_times.zone == "Europe/Berlin"
    assert tickets.values == {"ticket_type": {"Störung": "repair"}, "status": {"erledigt": "resolved"}}
    (ledger,) = found["ledger"]  # a cost on the ticket, and no ledger that would count it twice
    assert (ledger.columns["amount"], ledger.decimal_mark, ledger.constants) == (
        "Kosten EUR",
        ",",
        {"currency": "EUR"},
    )
    assert found["customers"][0].first_of == ("customer_id",)


def test_a_log_that_repeats_the_ticket_is_a_ticket_once_by_its_last_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    rows = "".join(
        f"I{n},{state},2026-10-{n + 1:02} 08:00,2026-10-{n + 1:02} {8 + step:02}:00,{done}\n"
        for n in range(9)
        for step, (state, done) in enumerate((("New", "?"), ("Resolved", f"2026-10-{n + 1:02} 09:00")))
    )
    folder = written(
        tmp_path, incidents_csv="number,incident_state,opened_at,sys_updated_at,resolved_at\n" + rows
    )
    found = read_as(folder, capsys)
    (tickets,) = found["tickets"]
    assert (tickets.last_of, tickets.missing) == (("ticket_id",), ("?",))
    made = (tmp_path / "made" / "tickets").glob("*.csv")
    with next(made).open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 9 and {line["resolved_at"][-5:] for line in lines} == {"09:00"}
    assert found["ticket_history"][0].columns["changed_at"] == "sys_updated_at"


def test_numbers_of_names_are_looked_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = written(
        tmp_path,
        issue_csv="id,created,status,issue_type\n"
        + "".join(f"{n},2026-10-01T0{n}:00:00Z,{n % 2 + 1},1\n" for n in range(1, 9)),
        status_csv="id,name\n1,Open\n2,Done\n",
        issue_type_csv="id,name\n1,Bug\n2,Question\n",
        user_csv="id,name,email\nu1,Ann,a@example.com\n",
    )
    (tickets,) = read_as(folder, capsys)["tickets"]
    assert {column: (lookup.file, lookup.take) for column, lookup in tickets.lookups.items()} == {
        "ticket_type": ("issue_type.csv", "name"),
        "status": ("status.csv", "name"),
    }
    assert tickets.values["status"] == {"Done": "resolved", "Open": "open"}
    assert "user.csv: looks like people" in proposed(folder, capsys)


def test_lines_of_vouchers_find_their_day_in_the_head_and_debit_less_credit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = written(
        tmp_path,
        journals_csv="journal_id,journal_date\n" + "".join(f"J{n},2026-10-{n + 1:02}\n" for n in range(9)),
        journal_lines_csv="journal_line_id,journal_id,account_code,debit,credit\n"
        + "".join(f"L{n},J{n % 9},640{n % 3},{n}.50,0\n" for n in range(18)),
    )
    (ledger,) = read_as(folder, capsys)["ledger"]
    assert (ledger.columns["amount"], ledger.less) == ("debit", {"amount": "credit"})
    assert (ledger.lookups["posted_on"].file, ledger.lookups["posted_on"].take) == (
        "journals.csv",
        "journal_date",
    )


@pytest.mark.parametrize(
    ("name", "header", "said"),
    [
        ("employees", "id,first_name,last_name,email,role,last_login", "people"),
        ("articles", "id,title,body,author_id,views,published_at,section_id,created_at", "articles"),
        ("vendor_bills", "bill_number,vendor_id,bill_date,due_date,amount,purchase_order", "bills"),
    ],
)
def test_what_is_none_of_our_tables_is_named(
    name: str, header: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    width = header.count(",") + 1
    row = ",".join(["7", "a", "b", "2026-10-03", "5.00", "x", "2", "2026-10-01"][:width])
    (tmp_path / f"{name}.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    (tmp_path / "tickets.csv").write_text(
        "ticket_id,ticket_type,opened_at\n1,repair,2026-10-01 08:00:00Z\n", encoding="utf-8"
    )
    text = proposed(tmp_path, capsys)
    assert f"# {name}.csv: looks like {said}" in text and text.count("- table:") == 1


def test_every_file_is_named_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "tickets.csv").write_text(
        "\nticket_id,ticket_type,opened_at\n1,repair,2026-10-01 08:00:00Z\n", encoding="utf-8"
    )
    (tmp_path / "notes.docx").write_bytes(b"PK")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1")
    text = proposed(tmp_path, capsys)
    assert "skip_lines: 1" in text
    assert (
        "# notes.docx: doubt: not looked at: no kind of file" in text
        and "# cut.parquet: doubt: not looked at:" in text
    )


def test_the_words_of_a_user_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    folder = written(tmp_path, list_csv="Belegkopf,Zorbdatum,Zorbart\nB1,2026-10-01 08:00:00Z,repair\n")
    assert main(["map", str(folder)]) != 0
    capsys.readouterr()
    root = tmp_path / "root"
    shutil.copytree(project_root() / "params", root / "params")
    own = root / "params" / "vocabulary.yml"
    text = own.read_text(encoding="utf-8")
    for column, word in (
        ("ticket_id: [ticket id,", "Belegkopf"),
        ("opened_at: [opened at,", "Zorbdatum"),
        ("ticket_type: [ticket type,", "Zorbart"),
    ):
        text = text.replace(column, f"{column} {word},", 1)
    own.write_text(text, encoding="utf-8")
    monkeypatch.setenv("AFTER_SALES_ROOT", str(root))
    (tickets,) = read_as(folder, capsys)["tickets"]
    assert tickets.columns == {"ticket_id": "Belegkopf", "ticket_type": "Zorbart", "opened_at": "Zorbdatum"}


def write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_days_and_amounts_that_stand_once_are_no_keys_to_look_up_by(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    days = [f"2026-{1 + number // 28:02}-{1 + number % 28:02}" for number in range(200)]
    postings = [{"Posting": f"P{n}", "Posting date": day, "Amount": f"{n}.50"} for n, day in enumerate(days)]
    claims = [{"Claim ID": f"C{n}", "Claim date": day, "Fee": f"{n}.50"} for n, day in enumerate(days[:100])]
    write_csv(tmp_path / "ledger export.csv", postings)
    write_csv(tmp_path / "warranty claims.csv", claims)
    assert "lookups:" not in proposed(tmp_path, capsys)


def test_lines_above_a_heading_are_counted_with_the_empty_ones_in_a_workbook_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    rows = [["Cost of service"], ["Period 2026"], [], ["Voucher", "Posting date", "Account", "Amount"]]
    rows += [[f"B{number}", f"2026-01-{1 + number % 28:02}", "6010", f"{number}.50"] for number in range(60)]
    write_workbook(tmp_path / "ledger.xlsx", {"Postings": rows})
    assert "skip_lines: 3" in proposed(tmp_path, capsys)


@pytest.mark.parametrize("form", ["6601.02.0{}", "6601.0{}", "6601-0{}", "66010{}", "66-01-0{}-00"])
def test_accounts_in_parts_are_accounts(tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str):
    rows = [
        {
            "Voucher": f"B{n}",
            "Posting date": f"2026-01-{1 + n % 28:02}",
            "Account": form.format(n % 7),
            "Amount": f"{n}.50",
        }
        for n in range(90)
    ]
    write_csv(tmp_path / "ledger.csv", rows)
    assert 'account: "Account"' in proposed(tmp_path, capsys)


@pytest.mark.parametrize(
    "name", ["Kundennr", "Kundennr.", "Kunden-Nr.", "KUNDEN_NR", "Kd.-Nr.", "Kundennummer"]
)
def test_german_numbers_of_things_are_known_long_and_short(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
):
    rows = [
        {
            "Vorgangsnr.": f"V{n}",
            name: f"K{n % 7}",
            "Vorgangsart": "Reparatur",
            "Eingang": f"0{1 + n % 9}.10.2026 08:00",
        }
        for n in range(40)
    ]
    write_csv(tmp_path / "Vorgänge.csv", rows)
    assert f'customer_id: "{name}"' in proposed(tmp_path, capsys)


@pytest.mark.parametrize("odd", ["\x1b[2J", "\x85", "\u2028", "\x7f", "\u202e", "\U0001f600"])
def test_names_of_the_data_end_no_line_of_a_map(tmp_path: Path, capsys: pytest.CaptureFixture[str], odd: str):
    name = f"Kind{odd}tables: []"
    rows = [
        {"Ticket ID": f"T{n}", "Created at": f"2026-10-0{1 + n % 9} 08:00", name: "repair", f"Mark{odd}": "x"}
        for n in range(30)
    ]
    write_csv(tmp_path / "tickets.csv", rows)
    write_csv(tmp_path / f"other{odd}.csv", [{"remark": "call back", "by": "Ann"}])
    text = proposed(tmp_path, capsys)
    assert all(line.isprintable() for line in text.splitlines())
    path = tmp_path / "acme.yml"
    path.write_text(text, encoding="utf-8")
    assert {entry.table for entry in load_map("acme", TABLES, path=path).tables} == {"tickets"}
