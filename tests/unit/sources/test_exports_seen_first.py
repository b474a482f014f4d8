"""Kinds of exports that nobody tuned for: each rule of the proposal by a small file that breaks without it."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.cli import main
from analysis.sources import apply_map, load_map
from analysis.tables import contract

EXPORTS = Path(__file__).parents[2] / "exports"


def entries(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert main(["map", str(folder)]) == 0
    return yaml.safe_load(capsys.readouterr().out)["tables"]


def of(table: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    return next(entry for entry in found if entry["table"] == table)


def write(path: Path, header: str, *rows: str, encoding: str = "utf-8") -> None:
    path.write_text("\n".join((header, *rows)) + "\n", encoding=encoding)


def test_files_of_one_pattern_with_other_columns_are_named_as_they_are_called(tmp_path, capsys):
    write(tmp_path / "report1780388041222.csv", "Ticket ID,Created at,Type", "T-1,2026-01-02,repair")
    write(tmp_path / "report1780388107553.csv", "Customer ID,Customer name,Region", "C-1,Alder,North")
    found = entries(tmp_path, capsys)
    assert of("tickets", found)["file"] == "report1780388041222.csv"
    assert of("customers", found)["file"] == "report1780388107553.csv"


def test_headings_of_a_package_and_the_two_words_of_one_thing(tmp_path, capsys):
    write(
        tmp_path / "XYZ__Ticket__c.csv",
        "Name,XYZ__Ticket_Type__c,CreatedDate,XYZ__Priority__c,XYZ__Product__r.ProductCode,XYZ__City__c,Country/Region",
        *(f"WO-{1000 + n},Repair,2026-03-{n + 1:02},High,P-{n % 3},Gent,Spain" for n in range(12)),
    )
    columns = of("tickets", entries(tmp_path, capsys))["columns"]
    assert columns["ticket_id"] == "Name"  # numbers counted up behind letters
    assert columns["priority"] == "XYZ__Priority__c"
    assert columns["product_id"] == "XYZ__Product__r.ProductCode"
    assert columns["region"] == "Country/Region"


def test_a_deadline_is_no_answer(tmp_path, capsys):
    write(
        tmp_path / "cases.csv",
        "Case Number,Case Type,Created On,First Response By,Resolve By",
        *(f"C-{n},repair,2026-03-0{n} 08:00,2026-03-0{n} 12:00,2026-03-1{n} 08:00" for n in range(1, 9)),
    )
    columns = of("tickets", entries(tmp_path, capsys))["columns"]
    assert columns["response_due_at"] == "First Response By"
    assert columns["resolution_due_at"] == "Resolve By"
    assert not {"first_response_at", "resolved_at"} & set(columns)


def test_whose_number_a_column_is_tells_the_file_it_points_at_and_a_system_s_own_columns_are_left_alone(
    tmp_path, capsys
):
    write(
        tmp_path / "all tickets.csv",
        "Ticket ID,Ticket type,Create date,Associated Contact IDs,Associated Company IDs",
        *(f"{9000 + n},repair,2026-03-0{n},{77000 + n},{55000 + n % 4}" for n in range(1, 9)),
    )
    write(
        tmp_path / "all companies.csv",
        "(Do Not Modify) Company,Record ID,Company name",
        *(f"a{n}f-{n},{55000 + n},Company {n}" for n in range(4)),
    )
    found = entries(tmp_path, capsys)
    assert of("tickets", found)["columns"]["customer_id"] == "Associated Company IDs"
    assert of("customers", found)["columns"]["customer_id"] == "Record ID"


def test_a_day_in_three_columns_and_the_closing_of_a_period(tmp_path, capsys):
    rows = [f"2026,1,{n},记-{n},660101,维修,{n}.00," for n in range(1, 21)]
    write(
        tmp_path / "明细账.csv",
        "年,月,日,凭证号数,科目编码,摘要,借方,贷方",
        *rows,
        "2026,1,28,记-95,6601,期间损益结转,,210.00",
    )
    ledger = of("ledger", entries(tmp_path, capsys))
    assert ledger["joined"]["posted_on"] == ["年", "月", "日"]
    assert ledger["dates"]["posted_on"] == "%Y-%m-%d"
    assert ledger["less"] == {"amount": "贷方"}
    assert "*损益*结转*" in ledger["without"]["摘要"]


def test_a_day_without_a_year_has_that_of_the_line_above(tmp_path, capsys):
    above = '"EXTF";20260101;4;20260331'
    header = "Umsatz (ohne Soll/Haben-Kz);Soll/Haben-Kennzeichen;WKZ Umsatz;Konto;Belegdatum;Buchungstext;KOST1 - Kostenstelle;Buchungs GUID"
    rows = [f'{n},50;"S";"EUR";4780;{n}03;"Montage";"4110";g-{n}f' for n in range(1, 25)]
    write(tmp_path / "EXTF_Buchungsstapel_20260402.csv", above, header, *rows)
    ledger = of("ledger", entries(tmp_path, capsys))
    (year,) = ledger["stated_once"]
    assert ledger["joined"]["posted_on"] == ["Belegdatum", year]
    assert ledger["dates"]["posted_on"] == "%d%m-%Y0101"


ORDER = "Order Number,Order Date,Email (Billing),SKU,Quantity,Order Total Amount,Item Cost,Item Total"


def test_the_money_of_a_line_grows_with_its_quantity(tmp_path, capsys):
    rows = [f"{8000 + n},2026-03-{n:02},c{n}@m.example,K{n % 2},{1 + n % 3},{90 + n}.95,10.00,{10 * (1 + n % 3)}.00" for n in range(1, 20)]  # fmt: skip
    write(tmp_path / "orders.csv", ORDER, *rows)
    assert of("orders", entries(tmp_path, capsys))["columns"]["revenue"] == "Item Total"


def test_a_masked_name_names_no_customer_and_a_bill_is_no_cost(tmp_path, capsys):
    write(
        tmp_path / "jobs.csv",
        "Job Number,Job Type,Created Date,收货人,Jobs Total",
        *(f"J-{n},repair,2026-03-0{n},李*,{n}00.00" for n in range(1, 9)),
    )
    found = entries(tmp_path, capsys)
    assert {entry["table"] for entry in found} == {"tickets"}
    assert "customer_id" not in of("tickets", found)["columns"]


@pytest.mark.parametrize(
    ("folder", "table", "column", "total"),
    [
        ("datev_buchungsstapel", "ledger", "amount", "295202.07"),
        ("u8_detail_ledger", "ledger", "amount", "2230153.15"),  # without the closing of each month
        ("amazon_fba", "orders", "revenue", "17160.88"),
    ],
)
def test_what_the_proposed_map_reads_adds_up_to_the_file(tmp_path, capsys, folder, table, column, total):
    assert main(["map", str(EXPORTS / folder)]) == 0
    path = tmp_path / "proposed.yml"
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    tables = {name: tuple(one.columns) for name, one in contract().tables.items()}
    apply_map(
        load_map("proposed", tables, path=path), EXPORTS / folder, tmp_path / "out", business_zone="UTC"
    )
    given = Decimal(0)
    for file in sorted((tmp_path / "out" / table).iterdir()):
        with file.open(encoding="utf-8", newline="") as lines:
            values = [row[column] for row in csv.DictReader(lines)]
        # the foot of a list is a row without a number, which the proof sets aside
        given += sum(
            (Decimal(value) for value in values if value.replace(".", "").lstrip("-").isdigit()), Decimal(0)
        )
    assert given == Decimal(total)
