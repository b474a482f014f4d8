"""What carries a month's cost to profit is told by the account it posts against, whatever its wording."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.errors import SourceError
from analysis.sources.words import is_one_of, is_total_word

WORDS = (
    "结转本期损益",
    "结转本月损益",
    "自动结转损益",
    "月末结转",
    "期末结转收支",
    "10月结转",
    "close October",
    "",
)
LISTS = {
    "kingdee_ledger": ("序时簿.xlsx", ["日期", "凭证字号", "摘要", "科目代码", "科目名称", "借方", "贷方"]),
    "yonyou_debit_credit": (
        "序时账.xlsx",
        ["日期", "凭证号数", "摘要", "科目编码", "科目名称", "借方金额", "贷方金额"],
    ),
    "yonyou_ledger": ("序时账.xlsx", ["日期", "凭证号数", "摘要", "科目编码", "科目名称", "方向", "金额"]),
}


def line(
    name: str,
    day: str | None,
    voucher: str | None,
    words: str,
    account: str,
    title: str,
    debit: float,
    credit: float,
) -> list[Any]:
    amounts = (
        ["借" if debit else "贷", debit or credit]
        if name == "yonyou_ledger"
        else [debit or None, credit or None]
    )
    return [day, voucher, words, account, title, *amounts]


def mapped(
    name: str, rows: list[list[Any]], workbook: Callable[..., Path], take: Callable[..., Any]
) -> tuple[float, list[str]]:
    file, header = LISTS[name]
    workbook(file, [header, *rows])
    taken = take(name)
    ((amount,),) = taken.rows("ledger", "sum(amount)") if rows else ((0,),)
    return float(amount), taken.notes("ledger")


def month(
    name: str, words: str, *, account: str = "4103", title: str = "本年利润", cost_only: bool = False
) -> list[list[Any]]:
    rows = []
    for day in range(1, 21):
        rows.append(line(name, f"2026-10-{day:02d}", f"记-{day}", "领用备件", "6601.02.01", "备件", 100.0, 0))
        if not cost_only:
            rows.append(line(name, None, None, "领用备件", "1405", "库存", 0, 100.0))
    if not cost_only:
        rows.append(line(name, "2026-10-31", "记-99", words, account, title, 2000.0, 0))
        rows.append(line(name, None, None, words, "6601.02.01", "备件", 0, 2000.0))
    else:
        rows.append(line(name, "2026-10-31", "记-99", words, "6601.02.01", "备件", 0, 2000.0))
    return rows


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("words", WORDS)
def test_a_closing_voucher_is_left_out_by_its_counter_account(name, words, workbook, take) -> None:
    cost, notes = mapped(name, month(name, words), workbook, take)
    assert cost == 2000.0
    assert any("told by the profit account (1" in note for note in notes)


@pytest.mark.parametrize(
    ("account", "title"),
    [("4103.01", "本年利润"), ("3131", ""), ("3103", ""), ("321", ""), ("9999", "本年利润—结转")],
)
def test_the_profit_account_of_other_charts(account, title, workbook, take) -> None:
    assert (
        mapped(
            "kingdee_ledger", month("kingdee_ledger", "月末", account=account, title=title), workbook, take
        )[0]
        == 2000.0
    )


def test_a_cost_that_only_sounds_like_closing_stays_where_the_accounts_tell(workbook, take) -> None:
    rows = month("kingdee_ledger", "月末结转")
    rows.append(
        line("kingdee_ledger", "2026-10-31", "记-100", "结转损益类维修成本", "6401.01", "成本", 50.0, 0)
    )
    rows.append(line("kingdee_ledger", None, None, "结转损益类维修成本", "1405", "库存", 0, 50.0))
    assert mapped("kingdee_ledger", rows, workbook, take)[0] == 2050.0


def test_a_reversed_closing_is_left_out_with_the_closing(workbook, take) -> None:
    rows = month("kingdee_ledger", "结转")
    rows += [
        line("kingdee_ledger", "2026-10-31", "记-101", "冲回", "4103", "本年利润", 0, 2000.0),
        line("kingdee_ledger", None, None, "冲回", "6601.02.01", "备件", 2000.0, 0),
    ]
    assert mapped("kingdee_ledger", rows, workbook, take)[0] == 2000.0


@pytest.mark.parametrize(
    "words", ["期间损益结转", "结转本月损益", "自动结转损益", "期末结转收支", "10月结转本年利润"]
)
def test_in_a_list_of_cost_accounts_alone_the_wording_decides_and_says_so(words, workbook, take) -> None:
    cost, notes = mapped("yonyou_ledger", month("yonyou_ledger", words, cost_only=True), workbook, take)
    assert cost == 2000.0
    assert any("told by their wording alone" in note for note in notes)


def test_a_list_without_any_column_that_tells_is_refused(workbook, take) -> None:
    rows = [["日期", "摘要", "类别", "金额"], ["2026-10-01", "领用", "parts", 5.0]]
    workbook("list.xlsx", rows)
    entry = {
        "table": "ledger",
        "file": "list.xlsx",
        "columns": {"posting_id": "摘要", "posted_on": "日期", "category": "类别", "amount": "金额"},
        "closing": {"of": ["日期"], "accounts": {"科目": ["4103*"]}},
    }
    with pytest.raises(SourceError, match="closing vouchers cannot be told from cost"):
        take(entry)


def test_patterns_of_words() -> None:
    assert (
        is_one_of("自动结转损益", ("*结转*损益*",))
        and is_one_of("4103.01", ("4103*",))
        and is_one_of("x", ("?*",))
    )
    assert (
        not is_one_of("", ("?*",))
        and not is_one_of("3210", ("321", "321.*"))
        and not is_one_of("转损益", ("*结转*",))
    )


@pytest.mark.parametrize(
    "text",
    [
        "合计",
        "合 计：",
        "本月合计",
        "Grand Total",
        "TOTAL:",
        "Subtotal",
        "総計",
        "합계",
        "Gesamt-Summe",
        "小計",
    ],
)
def test_words_of_totals(text) -> None:
    assert is_total_word(text)


@pytest.mark.parametrize("text", ["合计公司", "Total Energies", "totally", "summer", "C-100", "", "合同"])
def test_other_words_are_no_totals(text) -> None:
    assert not is_total_word(text)
