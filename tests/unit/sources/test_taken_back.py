"""Rows that say they were refunded, cancelled or never held: doubted with their count and money, and left out, turned or kept by a stated rule."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml

from analysis.params.places import params_file
from analysis.sources import load_map
from analysis.sources.drafting import TakenBack
from analysis.sources.proposing import Proposal, propose
from analysis.workbook.table_shapes import table_shapes

from .conftest import TABLES, Taken, write_workbook  # isort: skip

ORDERS = ("Order number", "Order date", "Customer ID", "Net sales", "Order status")


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def orders(
    path: Path, words: Sequence[str], *, header: Sequence[str] = ORDERS, amount: str = "10.00"
) -> None:
    """A hundred orders that went well, and one of each word."""
    rows = [[f"O{n}", f"2026-10-{1 + n % 28:02} 10:00:00Z", f"C{n % 7}", "20.00", "paid"] for n in range(100)]
    rows += [[f"X{n}", "2026-10-05 10:00:00Z", "C1", amount, word] for n, word in enumerate(words)]
    write(path, header, rows)


def proposed(folder: Path) -> Proposal:
    return propose(folder, table_shapes())


def taken_back(folder: Path, table: str = "orders") -> list[TakenBack]:
    return [one for entry in proposed(folder).entries if entry.table == table for one in entry.taken_back]


def read(folder: Path, proposal: Proposal, take: Callable[..., Taken]) -> Taken:
    """The exports through the proposed map and the proof."""
    path = folder.parent / "proposed.yml"
    path.write_text(proposal.text(), encoding="utf-8")
    load_map("proposed", TABLES, path=path)
    return take(*yaml.safe_load(proposal.text())["tables"])


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["refunded", "Fully refunded", "REFUND COMPLETED", "Charged back"], "refunded"),
        (["erstattet", "Retourniert", "Rückerstattet am 3.5."], "refunded"),
        (["已退款", "退款成功", "交易成功后已退款", "已退货退款"], "refunded"),
        (["Remboursée", "devuelto", "reembolsado", "rimborsato", "返品"], "refunded"),
        (["cancelled", "Canceled by customer", "Order: void"], "cancelled"),
        (["storniert", "Storno", "annulliert"], "cancelled"),
        (["已取消", "作废", "交易关闭", "订单已取消", "已作废（重复）"], "cancelled"),
        (["annulée", "cancelado", "キャンセル"], "cancelled"),
        (["draft", "unpaid", "Entwurf", "待付款", "等待买家付款"], "draft"),
    ],
)
def test_words_of_many_systems_are_doubted_with_their_rows_and_money(words, kind, exports):
    orders(exports / "orders.csv", words)
    (found,) = taken_back(exports)
    assert (found.kind, found.action, found.money) == (kind, "leave out", "revenue")
    assert set(found.words) == set(words)
    assert [(rows, str(amount)) for rows, amount, _ in found.words.values()] == [(1, "10.00")] * len(words)
    assert f"1 of {100 + len(words)} rows with 10.00 of revenue, e.g. X" in found.found


@pytest.mark.parametrize(
    "word",
    ["not refunded", "No refund", "nicht storniert", "Storno abgelehnt", "未退款", "无退款", "退款关闭", "退款失败", "未取消", "Refund rejected", "completed", "发货中", "refundable deposit"],
)  # fmt: skip
def test_words_that_only_sound_so_are_none(word, exports):
    orders(exports / "orders.csv", [word])
    assert taken_back(exports) == []


@pytest.mark.parametrize(
    "word", ["partially refunded", "Teilweise erstattet", "部分退款", "退款中", "return requested"]
)
def test_a_part_or_a_request_is_asked_and_kept(word, exports):
    orders(exports / "orders.csv", [word])
    (found,) = taken_back(exports)
    assert (found.kind, found.action, found.doubt.cost) == ("perhaps", "keep", 3)


def test_what_is_left_out_is_left_out_and_the_rest_counts(exports, take):
    orders(exports / "orders.csv", ["refunded", "storniert", "部分退款"])
    proposal = proposed(exports)
    assert read(exports, proposal, take).rows("orders", "count(*)", "sum(revenue)") == [(101, 2010)]
    for entry in proposal.entries:
        for one in entry.taken_back:
            one.action = "keep"
    assert read(exports, proposal, take).rows("orders", "count(*)", "sum(revenue)") == [(103, 2030)]


def test_refunds_with_a_sale_in_another_row_are_turned(exports, take):
    rows = [[f"O{n}", "2026-10-05 10:00:00Z", "C1", "20.00", "paid"] for n in range(50)]
    rows += [[f"O{n}", "2026-10-09 10:00:00Z", "C1", "20.00", "refunded"] for n in range(5)]
    rows += [["O60", "2026-10-09 10:00:00Z", "C1", "7.00", "a state nobody heard of"]]
    write(exports / "orders.csv", ORDERS, rows)
    proposal = proposed(exports)
    (found,) = [one for entry in proposal.entries for one in entry.taken_back]
    assert (found.action, found.why) == ("refund lines", "their orders have another row, the sale")
    taken = read(exports, proposal, take)
    assert taken.rows("orders", "count(*)", "sum(revenue)") == [(56, 50 * 20 - 5 * 20 + 7)]


@pytest.mark.parametrize("amount", ["-10.00", "0.00", "(10.00)"])
def test_what_takes_off_already_is_kept(amount, exports):
    orders(exports / "orders.csv", ["refunded", "cancelled"], amount=amount)
    found = taken_back(exports)
    assert {one.action for one in found} == {"keep"} and {one.doubt.cost for one in found} == {1}


def test_a_posting_and_its_reversal_are_both_kept_and_a_void_one_is_not(exports):
    header = ("Posting ID", "Posting date", "Account", "Account name", "Amount", "Posting status")
    rows: list[list[object]] = [
        [f"P{n}", "2026-10-05", "6010", "Cancelled trips and refunds", f"{100 + n}.{n:02}", "posted"]
        for n in range(60)
    ]
    rows += [[f"R{n}", "2026-10-06", "6010", "Wages", f"{50 + n}.11", "reversed"] for n in range(9)]
    rows += [[f"S{n}", "2026-10-07", "6010", "Wages", f"-{50 + n}.11", "posted"] for n in range(9)]
    rows += [[f"V{n}", "2026-10-08", "6010", "Wages", f"{70 + n}.13", "Void"] for n in range(9)]
    rows += [["F1", "2026-10-08", "6010", "Wages", "5.00", "refund"]]
    write(exports / "ledger.csv", header, rows)
    actions = {word: one.action for one in taken_back(exports, "ledger") for word in one.words}
    assert actions == {"reversed": "keep", "Void": "leave out"}  # of a ledger a refund is a cost


@pytest.mark.parametrize(
    ("heading", "yes", "no"),
    [("Cancelled", "Yes", "No"), ("Is refunded", "1", "0"), ("是否退款", "是", "否"), ("Storniert", "ja", "nein"), ("Cancelled at", "2026-10-09 10:00:00", ""), ("退款时间", "2026/10/09 10:00", ""), ("Cancellation reason", "too late", ""), ("Annulée", "oui", "non")],
)  # fmt: skip
def test_a_column_that_is_called_so_marks_rows_by_yes_or_by_anything(heading, yes, no, exports, take):
    rows = [
        [f"O{n}", "2026-10-05 10:00:00Z", f"C{n % 9}", "20.00", yes if n % 20 == 0 else no]
        for n in range(100)
    ]
    write(exports / "orders.csv", (*ORDERS[:4], heading), rows)
    proposal = proposed(exports)
    (found,) = [one for entry in proposal.entries for one in entry.taken_back]
    assert (found.column, found.action) == (heading, "leave out")
    assert read(exports, proposal, take).rows("orders", "count(*)") == [(95,)]


def test_a_word_far_below_the_rows_that_are_looked_at_is_counted(exports):
    rows = [
        [f"O{n}", "2026-10-05 10:00:00Z", f"C{n % 9}", "20.00", "paid" if n < 20_500 else "refunded"]
        for n in range(21_000)
    ]
    write(exports / "orders.csv", ORDERS, rows)
    (found,) = taken_back(exports)
    assert found.words["refunded"][:2] == (500, 10_000)
    assert found.rows == 21_000


def test_a_line_of_totals_is_no_row_of_it(exports):
    days = ["2026-10-05"] * 50
    rows: list[list[object]] = [["Shop"], list(ORDERS)]
    rows += [[f"O{n}", day, "C1", 20.0, "refunded" if n % 10 == 0 else "paid"] for n, day in enumerate(days)]
    rows += [["Total", "", "", 1000.0, ""]]
    write_workbook(exports / "orders.xlsx", {"Sales": rows}, merged=["A1:E1"])
    (found,) = taken_back(exports)
    assert (found.rows, found.words["refunded"][:2]) == (50, (5, 100))


def test_tickets_are_cancelled_by_their_state_and_drafts_left_out(exports, take):
    header = ("Ticket ID", "Type", "Created at", "Status")
    words = ["open", "solved", "Ungültig (doppelt)", "作废", "Draft"]
    rows = [[f"T{n}", "repair", "2026-10-05 10:00:00Z", words[n % 5]] for n in range(100)]
    write(exports / "tickets.csv", header, rows)
    proposal = proposed(exports)
    actions = {
        word: one.action for entry in proposal.entries for one in entry.taken_back for word in one.words
    }
    assert actions == {"Ungültig (doppelt)": "keep", "作废": "keep", "Draft": "leave out"}
    states = dict(
        read(exports, proposal, take).rows("tickets", "status", "count(*) OVER (PARTITION BY status)")
    )
    assert states == {"open": 20, "resolved": 20, "cancelled": 40}


def test_of_a_log_with_several_rows_a_ticket_no_row_is_left_out(exports):
    rows = [
        [f"T{n}", "repair", f"2026-10-05 1{step}:00:00Z", state]
        for n in range(40)
        for step, state in enumerate(["open", "void", "open"])
    ]
    write(exports / "tickets.csv", ("Ticket ID", "Type", "Created at", "Status"), rows)
    assert taken_back(exports, "tickets") == []


def test_the_dearest_doubt_stands_first(exports):
    orders(exports / "orders.csv", ["refunded"] * 30 + ["storniert"])
    rows = [[f"T{n}", "repair", "2026-10-05 10:00:00"] for n in range(9)]
    write(exports / "tickets.csv", ("Ticket ID", "Type", "Created at"), rows)
    said = [doubt.said for doubt, _ in proposed(exports).doubts]
    assert said[0].startswith("Order status: refunded (30 of 131 rows with 300.00 of revenue")
    assert said[1].startswith("Order status: storniert (1 of 131 rows")
    assert any("no time zone" in one for one in said[2:])


def test_a_company_adds_its_own_words(exports, tmp_path, monkeypatch):
    orders(exports / "orders.csv", ["zurück an Absender"])
    assert taken_back(exports) == []
    own = tmp_path / "project" / "params"
    own.mkdir(parents=True)
    text = (
        params_file("vocabulary.yml")
        .read_text("utf-8")
        .replace("  refunded: [refund,", "  refunded: [zurück an absender, refund,")
    )
    (own / "vocabulary.yml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("AFTER_SALES_ROOT", str(own.parent))
    (found,) = taken_back(exports)
    assert list(found.words) == ["zurück an Absender"]


def test_a_mark_beside_an_amount_already_less_its_refund_is_kept(exports):
    rows = [
        [
            f"O{n}",
            "2026-10-05 10:00:00Z",
            f"C{n % 9}",
            "20.00",
            "20.00" if n % 10 == 0 else "0.00",
            "refunded" if n % 10 == 0 else "paid",
        ]
        for n in range(100)
    ]
    write(exports / "orders.csv", (*ORDERS[:4], "Refund amount", "Order status"), rows)
    (found,) = taken_back(exports)
    assert (found.action, found.words["refunded"][:2]) == ("keep", (10, 0))


def test_rows_of_the_type_refund_are_refunds_by_themselves(exports, take):
    rows = [
        [f"O{n}", "2026-10-05 10:00:00Z", f"C{n % 9}", "20.00", "退货单" if n % 10 == 0 else "销售单"]
        for n in range(100)
    ]
    write(exports / "orders.csv", (*ORDERS[:4], "订单类型"), rows)
    proposal = proposed(exports)
    (found,) = [one for entry in proposal.entries for one in entry.taken_back]
    assert (found.action, found.why) == ("refund lines", "a row of that type is a refund by itself")
    assert read(exports, proposal, take).rows("orders", "count(*)", "sum(revenue)") == [
        (100, 90 * 20 - 10 * 20)
    ]
