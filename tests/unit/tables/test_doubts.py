"""What no single value shows: lines of totals, closing entries, overlapping lists, identifiers that are none, days without a clock."""

from __future__ import annotations

import csv
import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analysis.errors import ContractError
from analysis.sources.rounds import is_round
from analysis.tables import TableSet

from .conftest import Load


def write(path: Path, rows: list[list[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def asked(found: TableSet, query: str, table: str) -> Any:
    with duckdb.connect() as connection:
        return connection.execute(query.format(rows=found.scan(table))).fetchone()[0]


def said(found: TableSet, code: str) -> list[str]:
    return [
        check.message_en for check in found.checks if check.reason_code == code and check.outcome != "passed"
    ]


HEAD = ["posting_id", "posted_on", "account", "amount"]
LINES = [[f"P-{i:03d}x", f"2026-10-{i % 28 + 1:02d}", "6601.02.01", f"{100 + i}.00"] for i in range(40)]
SUM = f"{sum(100 + i for i in range(40))}.00"


@pytest.mark.parametrize(
    "line",
    [
        ["合计", "2026-10-31", "", SUM],
        ["Total", "2026-10-31", "6601.02.01", SUM],
        ["X1", "2026-10-31", "合 计：", SUM],
        [
            "X1",
            "2026-10-31",
            "",
            SUM,
        ],  # no word: it equals the sum of the others and lacks what they all have
        ["小计", "2026-10-31", "", "123.00"],  # a part of the sum, but no number of a posting
    ],
)
@pytest.mark.parametrize("at_top", [False, True])
def test_a_line_that_sums_the_others_is_no_row(
    folder: Path, load: Load, line: list[str], at_top: bool
) -> None:
    write(folder / "ledger.csv", [HEAD, *([line] if at_top else []), *LINES, *([] if at_top else [line])])
    found = load(quarantine_limit=0.0)
    assert asked(found, "SELECT sum(amount) FROM {rows}", "ledger") == Decimal(SUM)
    assert said(found, "total_line")


@pytest.mark.parametrize(
    "line",
    [
        ["P-999", "2026-10-31", "6601.02.01", SUM],  # a posting like any other
        ["P-999", "2026-10-31", "Total", "7.00"],
        ["P-999", "2026-10-31", "", "7.00"],
    ],
)
def test_a_large_or_a_bare_row_is_no_total(folder: Path, load: Load, line: list[str]) -> None:
    write(folder / "ledger.csv", [HEAD, *LINES, line])
    assert asked(load(), "SELECT count(*) FROM {rows}", "ledger") == 41


def test_totals_of_every_part_and_of_all(folder: Path, load: Load) -> None:
    write(
        folder / "ledger.csv",
        [
            HEAD,
            *LINES[:20],
            ["小计", "2026-10-20", "", "2190.00"],
            *LINES[20:],
            ["合计", "2026-10-31", "", SUM],
        ],
    )
    assert asked(load(), "SELECT sum(amount) FROM {rows}", "ledger") == Decimal(SUM)


def closed(account: str, amounts: list[int]) -> list[list[str]]:
    rows = [
        [f"{account}-{i}a", f"2026-10-{i + 1:02d}", account, f"{v}.00", f"J{account}{i}"]
        for i, v in enumerate(amounts)
    ]
    return [*rows, [f"{account}-c", "2026-10-31", account, f"{-sum(amounts)}.00", "J99"]]


def test_entries_that_empty_every_account_of_a_month_are_set_aside(folder: Path, load: Load) -> None:
    rows = [*closed("6601.01", [5, 7, 9]), *closed("6601.02", [100, 20])]
    write(folder / "ledger.csv", [[*HEAD, "journal_id"], *rows])
    found = load(quarantine_limit=0.0)
    assert asked(found, "SELECT sum(amount) FROM {rows}", "ledger") == Decimal("141.00")
    assert "2 rows" in said(found, "closing_entry")[0]


def test_one_account_that_comes_out_even_is_no_closing(folder: Path, load: Load) -> None:
    rows = [*closed("6601.01", [5, 7, 9]), ["Z", "2026-10-03", "6601.02", "50.00", "J5"]]
    write(folder / "ledger.csv", [[*HEAD, "journal_id"], *rows])
    assert asked(load(), "SELECT sum(amount) FROM {rows}", "ledger") == Decimal("50.00")


def amounts(folder: Path, load: Load, texts: list[str], currency: str, **options: Any) -> TableSet:
    rows = [[f"P{i}q", "2026-10-05", "6601", text] for i, text in enumerate(texts)]
    write(folder / "ledger.csv", [HEAD, *rows])
    return load(reporting_currency=currency, **options)


@pytest.mark.parametrize(
    ("currency", "text"),
    [
        ("CNY", "¥100.00"),
        ("CNY", "￥100.00"),
        ("CNY", "100元"),
        ("CNY", "CNY 100"),
        ("CNY", "-¥100"),
        ("USD", "$100.00"),
        ("USD", "US$100"),
        ("EUR", "€100.00"),
        ("EUR", "100 €"),
        ("KRW", "₩100"),
        ("JPY", "100円"),
        ("AUD", "$100"),
    ],
)
def test_the_sign_of_the_own_currency_is_read(folder: Path, load: Load, currency: str, text: str) -> None:
    total = asked(amounts(folder, load, [text, "1.00"], currency), "SELECT sum(amount) FROM {rows}", "ledger")
    assert total == (-99 if text.startswith("-") else 101)


@pytest.mark.parametrize(
    ("currency", "text"),
    [
        ("CNY", "$100.00"),
        ("CNY", "€100"),
        ("CNY", "100 USD"),
        ("EUR", "£100"),
        ("USD", "¥100"),
        ("USD", "HK$100"),
        ("CNY", "HK$100"),
    ],
)
def test_another_currency_is_not_added(folder: Path, load: Load, currency: str, text: str) -> None:
    found = amounts(folder, load, ["5.00", "6.00", text], currency)
    assert asked(found, "SELECT sum(amount) FROM {rows}", "ledger") == 11
    assert "sign of another currency" in said(found, "other_currency")[0]


def test_many_amounts_in_another_currency_refuse_the_load(folder: Path, load: Load) -> None:
    with pytest.raises(ContractError, match="sign of another currency.*currency exported in a column"):
        amounts(folder, load, ["$5.00"] * 30, "CNY", quarantine_limit=0.01)


def tickets(
    folder: Path,
    rows: list[list[str]],
    header: tuple[str, ...] = ("ticket_id", "customer_id", "ticket_type", "opened_at"),
) -> None:
    write(folder / "customers.csv", [["customer_id"], ["C1"], ["C2"]])
    write(folder / "tickets.csv", [list(header), *rows])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1.23457E+15", "damaged_identifier"), ("#N/A", "no_identifier"), ("#REF!", "damaged_identifier"),
        ("138****5678", "masked_identifier"), ("张**", "masked_identifier"), ("*******", "masked_identifier"), ("XXXX1234", "masked_identifier"), ("########", "masked_identifier"),
        ("N/A", "no_identifier"), ("无", "no_identifier"), ("anonymous", "no_identifier"), ("-", "no_identifier"), ("未知", "no_identifier"),
    ],
)  # fmt: skip
def test_what_names_nobody_is_nobody(folder: Path, load: Load, text: str, code: str) -> None:
    tickets(
        folder, [[f"T{i}z", text if i < 3 else "C1", "repair", f"2026-10-05 1{i}:07:00"] for i in range(6)]
    )
    found = load()
    assert asked(found, "SELECT count(*) FROM {rows}", "tickets") == 6
    assert asked(found, "SELECT count(customer_id) FROM {rows}", "tickets") == 3
    assert "3 rows" in said(found, code)[0]


@pytest.mark.parametrize("text", ["C1", "0012", "A*1", "1E5", "x-1", "王伟01", "UNKNOWN-SN", "3.5E", "xxx1"])
def test_a_strange_identifier_stays(folder: Path, load: Load, text: str) -> None:
    tickets(folder, [[f"T{i}z", text, "repair", f"2026-10-05 1{i}:07:00"] for i in range(3)])
    assert asked(load(), "SELECT min(customer_id) FROM {rows}", "tickets") == text


def test_long_numbers_cut_by_a_spreadsheet_are_said(folder: Path, load: Load) -> None:
    rows = [[f"{123456789012300 + i}000", "C1", "repair", "2026-10-05 11:07:00"] for i in range(5)]
    tickets(folder, rows)
    assert "cut it" in said(load(), "lost_digits")[0]


@pytest.mark.parametrize(
    "other", [unicodedata.normalize("NFD", "José-1"), "José-1\u200b", "Ｊosé-１", " José-1 "]
)
def test_two_unicode_forms_are_one_customer(folder: Path, load: Load, other: str) -> None:
    write(folder / "customers.csv", [["customer_id"], ["José-1"]])
    rows = [
        ["T1z", "José-1", "repair", "2026-10-05 11:07:00"],
        ["T2z", other, "repair", "2026-10-05 12:07:00"],
    ]
    write(folder / "tickets.csv", [["ticket_id", "customer_id", "ticket_type", "opened_at"], *rows])
    found = load()
    assert asked(found, "SELECT count(DISTINCT customer_id) FROM {rows}", "tickets") == 1
    assert not said(found, "references")
    assert bool(said(found, "text_form")) == (other.strip() != "José-1")


@pytest.mark.parametrize(
    ("rows", "cut"),
    [
        (1000, True),
        (2000, True),
        (10_000, True),
        (65_535, True),
        (1_048_575, True),
        (999, False),
        (7000, False),
        (1001, False),
        (100, False),
    ],
)
def test_numbers_at_which_exports_are_cut(rows: int, cut: bool) -> None:
    assert is_round(rows) is cut


def test_a_file_of_a_round_number_of_rows_is_said_and_pages_are_not(folder: Path, load: Load) -> None:
    rows = [[f"N{i}k", "2026-10-05", "6601", f"{i}.10"] for i in range(2100)]
    write(folder / "ledger.csv", [HEAD, *rows[:1000]])
    assert "exactly 1,000 rows" in said(load(), "round_number")[0]
    (folder / "ledger.csv").unlink()
    for page in range(3):
        write(folder / "ledger" / f"{page}.csv", [HEAD, *rows[1000 * page : 1000 * page + 1000]])
    assert not said(load(), "round_number")


def test_overlapping_lists_under_other_numbers_count_once(folder: Path, load: Load) -> None:
    rows = [[f"2026-10-{i % 28 + 1:02d}", f"66{i % 7:02d}", f"{i}.37"] for i in range(60)]
    write(
        folder / "ledger" / "year.csv",
        [HEAD, *[[f"A{i}q", *row] for i, row in enumerate(rows)], ["A99q", "2026-11-05", "6601", "9.00"]],
    )
    write(folder / "ledger" / "october.csv", [HEAD, *[[f"B{i}w", *row] for i, row in enumerate(rows[:50])]])
    found = load()
    assert asked(found, "SELECT count(*) FROM {rows}", "ledger") == 61
    assert "50 rows stand in ledger/year.csv as well" in said(found, "overlap")[0].replace(
        "ledger/october.csv: ", ""
    )
    # an unchanged folder, and one in which a third file came, say the same
    write(folder / "ledger" / "more.csv", [HEAD, ["C1q", "2026-09-05", "6601", "1.00"]])
    again = load()
    assert asked(again, "SELECT count(*) FROM {rows}", "ledger") == 62


def test_lists_of_different_rows_in_the_same_days_both_count(folder: Path, load: Load) -> None:
    for place in (1, 2):
        rows = [[f"{place}-{i}q", f"2026-10-{i % 28 + 1:02d}", "6601", f"{i * place}.37"] for i in range(40)]
        write(folder / "ledger" / f"{place}.csv", [HEAD, *rows])
    found = load()
    assert asked(found, "SELECT count(*) FROM {rows}", "ledger") == 80 and not said(found, "overlap")


def test_days_without_a_clock_are_said_and_their_order_is_not_judged(folder: Path, load: Load) -> None:
    header = ("ticket_id", "customer_id", "ticket_type", "opened_at", "resolved_at")
    tickets(
        folder,
        [[f"T{i}z", "C1", "repair", f"2026-10-05T1{i % 10}:07:00+08:00", "2026-10-05"] for i in range(25)],
        header,
    )
    found = load()
    assert "only their day is known" in said(found, "days_only")[0]
    assert not said(found, "time_order")
    assert [one.outcome for one in found.checks if one.reason_code == "days_only"] == ["failed"]


def test_orders_with_a_day_only_are_told_and_are_no_fault(folder: Path, load: Load) -> None:
    rows: list[list[Any]] = [[f"O{i}x", "C1", f"2026-10-{i % 28 + 1:02d}", "30.5"] for i in range(40)]
    write(folder / "orders.csv", [["order_id", "customer_id", "ordered_at", "revenue"], *rows])
    assert [one.outcome for one in load().checks if one.reason_code == "days_only"] == ["info"]


def test_a_clock_that_runs_backwards_is_still_a_fault(folder: Path, load: Load) -> None:
    header = ("ticket_id", "customer_id", "ticket_type", "opened_at", "resolved_at")
    tickets(
        folder,
        [[f"T{i}z", "C1", "repair", f"2026-10-05T1{i % 10}:07:00+08:00", "2026-10-04"] for i in range(25)],
        header,
    )
    assert "25 rows" in said(load(), "time_order")[0]


@pytest.mark.parametrize(
    "text", ["This ticket was merged into #12", "closed_by_merge", "已合并至工单 12", "Merged into request 7"]
)
def test_merged_tickets_are_said(folder: Path, load: Load, text: str) -> None:
    header = ("ticket_id", "customer_id", "ticket_type", "opened_at", "text")
    tickets(
        folder,
        [
            ["T1z", "C1", "repair", "2026-10-05 11:07:00", text],
            ["T2z", "C1", "repair", "2026-10-05 11:08:00", "it was merged by hand"],
        ],
        header,
    )
    assert "1 tickets" in said(load(), "merged")[0]


def test_a_row_number_does_not_hide_copies(folder: Path, load: Load) -> None:
    rows = [[str(i + 1), "2026-10-05", "6601", f"{i // 2}.50"] for i in range(10)]
    write(folder / "ledger.csv", [HEAD, *rows])
    found = load()
    (check,) = [check for check in found.checks if check.reason_code == "copies_by_number"]
    assert (check.outcome, check.count) == ("failed", 5)
    write(
        folder / "ledger.csv", [HEAD, *[[f"K{7919 * i % 100_003}", *row[1:]] for i, row in enumerate(rows)]]
    )
    assert not said(load(), "copies_by_number")
