"""General ledgers in the vendor's own form through the maps that ship, to the cent; and their account totals, against which they are tied out."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from analysis.costs.tie_out import TieOut, tie_out
from analysis.errors import ContractError, SourceError
from analysis.metrics import Engine, Registry, StudyInputs
from analysis.params import Assumptions, CostTree, load_run
from analysis.sources import propose_map
from analysis.workbook.table_shapes import table_shapes

from .conftest import write_workbook
from .test_shipped_maps import KINGDEE, KINGDEE_POSTINGS, U8, fact
from .workbook_bytes import write_xls

OCTOBER = dt.date(2026, 10, 1)


def write(path: Path, *rows: list[Any]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def totals(taken: Any) -> list[tuple[str, Decimal]]:
    found = taken.rows("gl_totals", "month", "measure", "account", "amount")
    assert {(month, measure) for month, measure, _, _ in found} <= {(OCTOBER, "after_sales_cost")}
    return [(account, amount) for _, _, account, amount in found]


def tied(taken: Any) -> TieOut:
    """The ledger of October beside the account totals, as the report ties them out."""
    params, tree = load_run("sample", month="2026-10"), CostTree.load()
    engine = Engine(
        taken.tables,
        Registry.load(),
        cost_tree=tree,
        as_of=params.knowledge_day,
        time_zone="Asia/Shanghai",
        currency="CNY",
        confidence=0.95,
        cache=None,
    )
    inputs = StudyInputs(
        engine=engine, month=params.month, params=params, assumptions=Assumptions.load(), cost_tree=tree
    )
    return tie_out(inputs, [params.month])


BKPF = [
    ["BUKRS", "BELNR", "GJAHR", "BLART", "BLDAT", "BUDAT", "MONAT", "CPUDT", "WAERS", "HWAER"],
    ["1000", "0100000795", "2026", "SA", "20261005", "20261005", "10", "20261006", "EUR", "CNY"],
    ["1000", "0100000796", "2026", "SA", "31.10.2026", "31.10.2026", "10", "01.11.2026", "CNY", "CNY"],
    ["2000", "0100000795", "2026", "SA", "20261101", "20261101", "11", "20261101", "CNY", "CNY"],
]
BSEG = [
    [
        "BUKRS",
        "BELNR",
        "GJAHR",
        "BUZEI",
        "KOART",
        "SHKZG",
        "DMBTR",
        "WRBTR",
        "HKONT",
        "KOSTL",
        "AUFNR",
        "LIFNR",
        "MATNR",
    ],
    ["1000", "0100000795", "2026", "001", "S", "S", "1,234.50", "160.00", "0000620100", "SERV1", "", "", ""],
    ["1000", "0100000795", "2026", "002", "K", "H", "1,234.50", "160.00", "0000160000", "", "", "V1", ""],
    ["1000", "0100000796", "2026", "001", "S", "H", "34.50", "34.50", "0000620100", "SERV1", "O7", "", "M1"],
    ["1000", "0100000796", "2026", "002", "S", "S", "200.00", "200.00", "0065100000", "SERV2", "", "", ""],
    ["2000", "0100000795", "2026", "001", "S", "S", "99.00", "99.00", "0000620100", "SERV1", "", "", ""],
]
SAP_POSTINGS = [
    ("1000-0100000795-2026-001", dt.date(2026, 10, 5), "620100", Decimal("1234.50"), "SERV1"),
    ("1000-0100000796-2026-001", dt.date(2026, 10, 31), "620100", Decimal("-34.50"), "SERV1"),
    ("1000-0100000796-2026-002", dt.date(2026, 10, 31), "65100000", Decimal("200.00"), "SERV2"),
    ("2000-0100000795-2026-001", dt.date(2026, 11, 1), "620100", Decimal("99.00"), "SERV1"),
]


@pytest.mark.parametrize("small", [False, True], ids=["as SE16N", "as a connector writes it"])
def test_sap_documents_take_their_date_from_the_head(exports: Path, take, tmp_path: Path, small: bool):
    """The same document number stands in two companies: the head is found by company, number and year."""
    heads = [[name.lower() for name in BKPF[0]] if small else BKPF[0], *BKPF[1:]]
    items = [[name.lower() for name in BSEG[0]] if small else BSEG[0], *BSEG[1:]]
    write(exports / ("sap_bkpf_data.csv" if small else "BKPF.csv"), *heads)
    write(exports / ("sap_bseg_data.csv" if small else "BSEG.csv"), *items)
    taken = take("sap")
    assert taken.rows("ledger", "posting_id", "posted_on", "account", "amount", "cost_center") == SAP_POSTINGS
    assert taken.counts("ledger") == [(5, 4, 1)]
    assert fact(taken, "after_sales_cost", tmp_path) == Decimal("1400.00")
    assert taken.tables["gl_totals"].rows == 0


def test_sap_account_totals_of_the_month_tie_out(exports: Path, take):
    """S_ALR_87012277: an account in two business areas, a line of sums, and accounts that are not cost."""
    write(exports / "BKPF.csv", *BKPF)
    write(exports / "BSEG.csv", *BSEG)
    rows = [
        ["Lumen Appliances        G/L Account Balances"],
        ["Carryforward periods 00 - 00 2026   Reporting Periods 10 - 10 2026"],
        [],
        [
            "CoCd",
            "G/L acct",
            "Short Text",
            "Crcy",
            "BusA",
            "Balance Carryforward",
            "Balance, prev.periods",
            "Debit rept.period",
            "Credit report per.",
            "Accumulated balance",
        ],
        ["1000", "160000", "Vendors", "CNY", "", "0.00", "0.00", "0.00", "1,234.50", "1,234.50-"],
        ["1000", "620100", "Service parts", "CNY", "1", "0.00", "50.00", "1,000.00", "34.50", "1,015.50"],
        ["1000", "620100", "Service parts", "CNY", "2", "0.00", "0.00", "234.50", "0.00", "234.50"],
        ["1000", "65100000", "Travel", "CNY", "", "0.00", "0.00", "200.00", "0.00", "200.00"],
        ["*", "", "Total", "CNY", "", "0.00", "50.00", "1,434.50", "1,269.00", "215.50"],
    ]
    write_workbook(exports / "S_ALR_87012277.xlsx", {"Sheet1": rows})
    taken = take("sap")
    assert totals(taken) == [("620100", Decimal("1200.00")), ("65100000", Decimal("200.00"))]
    assert taken.counts("gl_totals")[0] == (5, 3, 2)
    assert tied(taken).status == "tied_out"
    assert tied(taken).control[-1].value == Decimal("1400.00")
    rows[1] = ["Reporting period of your choice"]
    write_workbook(exports / "S_ALR_87012277.xlsx", {"Sheet1": rows})
    with pytest.raises(
        SourceError, match=r"Period should stand above the header or in the file's name, .*neither says it"
    ):
        take("sap")
    (exports / "S_ALR_87012277.xlsx").rename(exports / "S_ALR_87012277_2026-10.xlsx")
    assert totals(take("sap")) == [("620100", Decimal("1200.00")), ("65100000", Decimal("200.00"))]


def test_sap_totals_by_period_stand_side_by_side(exports: Path, take):
    write(exports / "BKPF.csv", *BKPF)
    write(exports / "BSEG.csv", *BSEG)
    periods = [f"HSL{number:02d}" for number in range(1, 17)]
    zero = ["0.00"] * 16

    def line(side: str, account: str, october: str) -> list[str]:
        return [side, "2026", "0", account, *zero[:9], october, *zero[10:]]

    write(
        exports / "FAGLFLEXT.csv",
        ["DRCRK", "RYEAR", "RRCTY", "RACCT", *periods],
        line("S", "0000620100", "1234.50"),
        line("H", "0000620100", "-34.50"),
        line("S", "0065100000", "200.00"),
        ["S", "2026", "1", "0000620100", *["999.00"] * 16],
        line("H", "0000160000", "-1434.50"),
    )
    taken = take("sap")
    assert totals(taken) == [("620100", Decimal("1200.00")), ("65100000", Decimal("200.00"))]
    assert sum(one.read for one in taken.mapped if one.file == "FAGLFLEXT.csv") == 5 * 12


def test_sap_line_items_with_the_minus_behind(exports: Path, take):
    write(
        exports / "FBL3N_2026-10.csv",
        ["G/L Account Line Item Display"],
        [
            "Account",
            "Document Number",
            "Posting Date",
            "Cost Center",
            "Amount in local currency",
            "Local Currency",
        ],
        ["620100", "100000795", "05.10.2026", "SERV1", "1,234.50", "CNY"],
        ["620100", "100000796", "31.10.2026", "SERV1", "34.50-", "CNY"],
        ["620100", "100000796", "31.10.2026", "SERV1", "34.50-", "CNY"],
        ["160000", "100000795", "05.10.2026", "", "1,234.50-", "CNY"],
        ["* Account 620100", "", "", "", "1,165.50", "CNY"],
    )
    taken = take("sap_line_items")
    assert taken.rows("ledger", "posting_id", "posted_on", "amount") == [
        ("100000795-2026-10-05-1", dt.date(2026, 10, 5), Decimal("1234.50")),
        ("100000796-2026-10-31-1", dt.date(2026, 10, 31), Decimal("-34.50")),
        ("100000796-2026-10-31-2", dt.date(2026, 10, 31), Decimal("-34.50")),
    ]
    assert taken.counts("ledger") == [(5, 3, 2)]


def test_sap_line_items_with_a_decimal_comma_are_refused_until_it_is_stated(exports: Path, take):
    write(
        exports / "FBL3N.csv",
        ["Konto", "Belegnummer", "Buchungsdatum", "Kostenstelle", "Betrag in Hauswährung", "Hauswährung"],
        ["620100", "100000795", "05.10.2026", "SERV1", "1.234,50", "CNY"],
    )
    with pytest.raises(ContractError, match=r"ledger\.amount, .*'1\.234,50'"):
        take("sap_line_items")


NETSUITE = [
    "Internal ID",
    "Date",
    "Period",
    "Type",
    "Document Number",
    "Account",
    "Name",
    "Memo",
    "Debit",
    "Credit",
    "Subsidiary",
    "Department",
    "Class",
    "Location",
]


def netsuite(number: str, day: str, account: str, debit: str = "", credit: str = "") -> list[str]:
    return [
        number,
        day,
        "Oct 2026",
        "Bill",
        f"B-{number}",
        account,
        "Parts Inc",
        "",
        debit,
        credit,
        "Parent",
        "Service",
        "East",
        "",
    ]


NETSUITE_ROWS = (
    netsuite("1001", "10/5/2026", "6100 Service Parts", "1,234.50"),
    netsuite("1001", "10/5/2026", "2000 Accounts Payable", "", "1,234.50"),
    netsuite("1002", "10/31/2026", "6000 Operating Expenses : 6200 Travel", "200.00"),
    netsuite("1002", "10/31/2026", "6000 Operating Expenses : 6200 Travel", "", "34.50"),
    netsuite("1003", "11/1/2026", "6100 Service Parts", "10.00"),
    ["", "", "", "", "", "", "", "Total", "1,444.50", "1,269.00", "", "", "", ""],
)


def test_netsuite_lines_and_the_income_statement(exports: Path, take):
    write(exports / "TransactionDetail_2026.csv", NETSUITE, *NETSUITE_ROWS)
    write(
        exports / "IncomeStatement.csv",
        ["Lumen Appliances"],
        ["Parent Company"],
        ["Income Statement"],
        ["Oct 2026"],
        [],
        ["Financial Row", "Amount"],
        ["Ordinary Income/Expense", ""],
        ["6000 - Operating Expenses", ""],
        ["6100 - Service Parts", "$1,234.50"],
        ["6200 - Travel", "$165.50"],
        ["Total - 6000 - Operating Expenses", "$1,400.00"],
        ["Net Income", "($1,400.00)"],
    )
    taken = take("netsuite", currency="USD")
    assert taken.rows("ledger", "posting_id", "posted_on", "account", "amount", "cost_center") == [
        ("1001-1", dt.date(2026, 10, 5), "6100", Decimal("1234.50"), "Service"),
        ("1002-1", dt.date(2026, 10, 31), "6200", Decimal("200.00"), "Service"),
        ("1002-2", dt.date(2026, 10, 31), "6200", Decimal("-34.50"), "Service"),
        ("1003-1", dt.date(2026, 11, 1), "6100", Decimal("10.00"), "Service"),
    ]
    assert taken.counts("ledger") == [(6, 4, 2)]
    assert totals(taken) == [("6100", Decimal("1234.50")), ("6200", Decimal("165.50"))]
    assert taken.counts("gl_totals") == [(6, 2, 4)]


def test_netsuite_with_a_column_renamed(exports: Path, take):
    renamed = [
        "Amount (Debit)" if name == "Debit" else "Amount (Credit)" if name == "Credit" else name
        for name in NETSUITE
    ]
    write(exports / "Transactions.csv", renamed, *NETSUITE_ROWS)
    assert take("netsuite").counts("ledger") == [(6, 4, 2)]
    write(
        exports / "Transactions.csv",
        ["GL Account" if name == "Account" else name for name in NETSUITE],
        *NETSUITE_ROWS,
    )
    with pytest.raises(SourceError, match=r"Line 1 lacks only Account\. Give the headings"):
        take("netsuite")


JOURNAL = [
    ["Journal"],
    ["Lumen Appliances"],
    ["October 2026"],
    [],
    ["Date", "Transaction Type", "Num", "Name", "Memo/Description", "Account", "Debit", "Credit"],
    ["10/05/2026", "Bill", "B-91", "Parts Inc", "parts", "6100 Service Parts", "1,234.50", ""],
    ["", "", "", "Parts Inc", "parts", "2000 Accounts Payable (A/P)", "", "1,234.50"],
    ["", "", "", "", "", "", "$1,234.50", "$1,234.50"],
    ["10/31/2026", "Journal Entry", "J-2", "", "", "6000 Operating:6200 Travel", "200.00", ""],
    ["", "", "", "", "", "6000 Operating:6200 Travel", "", "34.50"],
    ["", "", "", "", "", "1000 Checking", "", "165.50"],
    ["", "", "", "", "", "", "$200.00", "$200.00"],
    ["TOTAL", "", "", "", "", "", "$1,434.50", "$1,434.50"],
]
PROFIT_AND_LOSS = [
    ["Lumen Appliances"],
    ["Profit and Loss"],
    ["October 2026"],
    [],
    ["", "Total"],
    ["Expenses", ""],
    ["   6000 Operating", ""],
    ["      6200 Travel", "165.50"],
    ["   Total 6000 Operating", "$165.50"],
    ["   6100 Service Parts", "1,234.50"],
    ["Total Expenses", "$1,400.00"],
    ["Net Income", "$-1,400.00"],
]
QUICKBOOKS_TOTALS = [("6100", Decimal("1234.50")), ("6200", Decimal("165.50"))]


def test_quickbooks_journal(exports: Path, take):
    write(exports / "Lumen_Journal.csv", *JOURNAL)
    write(exports / "Lumen_Profit and Loss.csv", *PROFIT_AND_LOSS)
    taken = take("quickbooks_journal", currency="USD")
    assert taken.rows("ledger", "posting_id", "account", "amount", "supplier") == [
        ("2026-10-05-Bill-B-91-1", "6100", Decimal("1234.50"), "Parts Inc"),
        ("2026-10-31-Journal Entry-J-2-1", "6200", Decimal("200.00"), None),
        ("2026-10-31-Journal Entry-J-2-2", "6200", Decimal("-34.50"), None),
    ]
    assert taken.counts("ledger") == [(8, 3, 5)]
    assert totals(taken) == QUICKBOOKS_TOTALS


GENERAL_LEDGER = [
    ["Lumen Appliances"],
    ["General Ledger"],
    ["October 2026"],
    [],
    ["", "Date", "Transaction Type", "Num", "Name", "Memo/Description", "Split", "Amount", "Balance"],
    ["2000 Accounts Payable (A/P)"],
    ["", "Beginning Balance", "", "", "", "", "", "", "50.00"],
    ["", "10/05/2026", "Bill", "B-91", "Parts Inc", "", "6100 Service Parts", "1,234.50", "1,284.50"],
    ["Total for 2000 Accounts Payable (A/P)", "", "", "", "", "", "", "$1,234.50", ""],
    ["6000 Operating"],
    ["6200 Travel"],
    ["", "10/31/2026", "Journal Entry", "J-2", "", "", "-Split-", "200.00", "200.00"],
    ["", "10/31/2026", "Journal Entry", "J-2", "", "", "-Split-", "-34.50", "165.50"],
    ["Total for 6200 Travel", "", "", "", "", "", "", "$165.50", ""],
    ["Total for 6000 Operating with sub-accounts", "", "", "", "", "", "", "$165.50", ""],
    ["6100 Service Parts"],
    [
        "",
        "10/05/2026",
        "Bill",
        "B-91",
        "Parts Inc",
        "",
        "2000 Accounts Payable (A/P)",
        "$1,234.50",
        "1,234.50",
    ],
    ["Total for 6100 Service Parts", "", "", "", "", "", "", "$1,234.50", ""],
    ["TOTAL", "", "", "", "", "", "", "", ""],
]


def wide(rows: list[list[str]]) -> list[list[str]]:
    width = max(map(len, rows))
    return [[*row, *[""] * (width - len(row))] if row else row for row in rows]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_quickbooks_general_ledger(exports: Path, take, kind: str):
    name = "Lumen_General Ledger"
    if kind == "csv":
        write(exports / f"{name}.csv", *wide(GENERAL_LEDGER))
    else:
        write_workbook(exports / f"{name}.xlsx", {"General Ledger": GENERAL_LEDGER})
    write(exports / "Lumen_Profit and Loss.csv", *PROFIT_AND_LOSS)
    taken = take("quickbooks_ledger", currency="USD")
    assert taken.rows("ledger", "posting_id", "account", "amount") == [
        ("6100-2026-10-05-Bill-B-91-1", "6100", Decimal("1234.50")),
        ("6200-2026-10-31-Journal Entry-J-2-1", "6200", Decimal("200.00")),
        ("6200-2026-10-31-Journal Entry-J-2-2", "6200", Decimal("-34.50")),
    ]
    assert taken.counts("ledger") == [(14, 3, 11)]
    assert totals(taken) == QUICKBOOKS_TOTALS


def test_quickbooks_transaction_detail_by_account_with_the_account_in_each_row(exports: Path, take):
    """The first column is the date then: rows of accounts and totals stand in it, and must take no account from above."""
    write(
        exports / "Transaction Detail by Account.csv",
        ["Lumen Appliances"],
        ["Transaction Detail by Account"],
        ["October 2026"],
        [],
        ["Date", "Transaction Type", "Num", "Name", "Memo/Description", "Account", "Split", "Amount"],
        ["6200 Travel", *[""] * 7],
        ["10/31/2026", "Journal Entry", "J-2", "", "", "6000 Operating:6200 Travel", "-Split-", "(34.50)"],
        ["Total for 6200 Travel", *[""] * 6, "(34.50)"],
        ["6100 Service Parts", *[""] * 7],
        ["Beginning Balance", *[""] * 6, "9.00"],
        ["10/05/2026", "Bill", "B-91", "Parts Inc", "", "6100 Service Parts", "2000 Payable", "1,234.50"],
        ["10/05/2026", "Bill", "B-91", "Parts Inc", "", "6100 Service Parts", "2000 Payable", "1,234.50"],
        ["Total for 6100 Service Parts", *[""] * 6, "2,469.00"],
        ["TOTAL", *[""] * 7],
    )
    taken = take("quickbooks_ledger", currency="USD")
    assert taken.rows("ledger", "posting_id", "account", "amount") == [
        ("6100-2026-10-05-Bill-B-91-1", "6100", Decimal("1234.50")),
        ("6100-2026-10-05-Bill-B-91-2", "6100", Decimal("1234.50")),
        ("6200-2026-10-31-Journal Entry-J-2-1", "6200", Decimal("-34.50")),
    ]
    assert taken.counts("ledger") == [(9, 3, 6)]
    assert "rows equal to another in all but the number the map gives them; kept (1" in " ".join(
        taken.notes("ledger")
    )


def test_a_profit_and_loss_of_several_months_names_no_month(exports: Path, take):
    write(exports / "Journal.csv", *JOURNAL)
    write(
        exports / "Profit and Loss.csv",
        *PROFIT_AND_LOSS[:2],
        ["January - October 2026"],
        *PROFIT_AND_LOSS[3:],
    )
    with pytest.raises(
        SourceError, match=r"Profit and Loss\.csv: Period should stand above the header .*neither says it"
    ):
        take("quickbooks_journal", currency="USD")


def test_xero_trial_balance(exports: Path, take):
    (exports / "xero_contact_data.csv").write_text("contact_id,name\nC1,Acme\n", encoding="utf-8")
    write(
        exports / "xero_account_data.csv",
        ["account_id", "name", "code", "type"],
        ["a", "Parts", "6401", "EXPENSE"],
        ["b", "Bank", "090", "BANK"],
        ["c", "Freight", "425", "DIRECTCOSTS"],
    )
    write(
        exports / "xero_journal_data.csv",
        ["journal_id", "created_date_utc", "journal_date"],
        ["J1", "2026-10-05 18:42:07.587 UTC", "2026-10-04"],
    )
    write(
        exports / "xero_journal_line_data.csv",
        ["journal_line_id", "account_code", "account_type", "journal_id", "net_amount"],
        ["L1", "6401", "EXPENSE", "J1", "120.5"],
        ["L2", "090", "BANK", "J1", "-120.5"],
    )
    write(
        exports / "xero_invoice_data.csv",
        [
            "invoice_id",
            "contact_id",
            "date",
            "due_date",
            "fully_paid_on_date",
            "total",
            "currency_code",
            "status",
            "type",
        ],
    )
    write(
        exports / "Trial Balance.csv",
        ["Trial Balance"],
        ["Lumen Appliances"],
        ["As at 31 October 2026"],
        [],
        ["Account", "Debit", "Credit", "YTD Debit", "YTD Credit"],
        ["Expenses", "", "", "", ""],
        ["Parts (6401)", "130.50", "10.00", "2,000.00", ""],
        ["Freight (425)", "", "", "300.00", ""],
        ["Business Bank (090)", "", "120.50", "", "2,300.00"],
        ["Total", "130.50", "130.50", "2,300.00", "2,300.00"],
    )
    taken = take("xero")
    assert totals(taken) == [("6401", Decimal("120.50"))]
    assert taken.counts("gl_totals") == [(5, 2, 3)]
    fits = "The map 'xero' that ships reads these files as they are"
    assert fits in propose_map(exports, table_shapes())
    (exports / "Trial Balance.csv").unlink()
    (exports / "xero_account_data.csv").unlink()  # asked for by the trial balance alone
    assert fits in propose_map(exports, table_shapes())


#: 科目余额表 with its headings in two lines, accounts at every level, and the carry-forward to profit on the other side.
BALANCES = [
    ["科目余额表"],
    ["会计期间：２０２６年10期"],
    ["科目代码", "科目名称", "期初余额", None, "本期发生额", None, "本年累计", None, "期末余额", None],
    [None, None, "借方", "贷方", "借方", "贷方", "借方", "贷方", "借方", "贷方"],
    ["1403", "原材料", 5000, None, None, 1234.5, None, 1234.5, 3765.5, None],
    ["4103", "本年利润", None, None, 11234.5, None, 11234.5, None, 11234.5, None],
    ["6401", "主营业务成本", None, None, 11234.5, 11234.5, 30000, 30000, None, None],
    ["6401.01", "人工", None, None, 10000, 10000, 20000, 20000, None, None],
    ["6401.02", "售后配件", None, None, 1234.5, 1234.5, 10000, 10000, None, None],
    ["6601", "销售费用", None, None, 0, 0, 100, 100, None, None],
    ["合计", None, 5000, 5000, 22469, 22469, 41234.5, 41234.5, 15000, 15000],
]


def test_kingdee_balances_by_account_tie_out(exports: Path, take):
    write_workbook(exports / "202610_会计分录序时簿.xlsx", {"会计分录序时簿": KINGDEE})
    write_workbook(exports / "科目余额表.xlsx", {"科目余额表": BALANCES}, merged=["C3:D3", "E3:F3", "A3:A4"])
    taken = take("kingdee_ledger")
    assert totals(taken) == [("6401.01", Decimal("10000.00")), ("6401.02", Decimal("1234.50"))]
    assert taken.counts("gl_totals") == [(7, 2, 5)]
    assert tied(taken).status == "tied_out"
    assert "rows that are the sums of others left out (1, e.g. '" in " ".join(taken.notes("gl_totals"))


@pytest.mark.parametrize("name", ["yonyou_ledger", "yonyou_debit_credit"])
def test_yonyou_balances_with_headings_in_one_line(exports: Path, take, name: str):
    """The month stands in the file's name; an account without levels is its own lowest."""
    journal = U8
    if name == "yonyou_debit_credit":
        journal = [["日期", "凭证号数", "科目编码", "科目名称", "摘要", "借方金额", "贷方金额"]]
        journal += [[*row[:5], *((row[8], 0) if row[5] == "借" else (0, row[8]))] for row in U8[1:-1]]
    write_workbook(exports / "序时账2026-10.xlsx", {"序时账": journal})
    head = [
        "科目编码",
        "科目名称",
        "期初余额借方",
        "期初余额贷方",
        "本期发生借方",
        "本期发生贷方",
        "期末余额借方",
        "期末余额贷方",
    ]
    rows = [
        head,
        ["6401", "成本", 0, 0, 11234.5, 11234.5, 0, 0],
        ["640101", "人工", 0, 0, 10000, 10000, 0, 0],
    ]
    rows += [["640102", "配件", 0, 0, 1234.5, 1234.5, 0, 0], ["6602", "管理费用", 0, 0, 7, 7, 0, 0]]
    write_workbook(exports / "科目余额表202610.xlsx", {"Sheet1": rows})
    taken = take(name)
    assert totals(taken) == [
        ("640101", Decimal("10000.00")),
        ("640102", Decimal("1234.50")),
        ("6602", Decimal("7.00")),
    ]
    assert sum(row[0] for row in taken.rows("ledger", "amount")) == Decimal("11200.00")
    # 34.50 was taken back on the credit side, and an account of the ledger's rule has no posting: the tie-out says both
    assert tied(taken).status == "refused"
    assert tied(taken).difference[-1].value == Decimal("-41.50")


def test_kingdee_as_xls(exports: Path, take):
    """What the systems write needs no saving in another form first."""
    write_xls(exports / "202610_会计分录序时簿.xls", {"会计分录序时簿": KINGDEE})
    write_xls(exports / "科目余额表.xls", {"科目余额表": BALANCES}, merged=[(2, 2, 2, 3)])
    taken = take("kingdee_ledger")
    assert taken.rows("ledger", "posting_id", "posted_on", "account", "amount") == KINGDEE_POSTINGS
    assert tied(taken).status == "tied_out"


def test_a_balance_of_two_months_names_no_month(exports: Path, take):
    write_workbook(exports / "202610_会计分录序时簿.xlsx", {"会计分录序时簿": KINGDEE})
    rows = [BALANCES[0], ["会计期间：2026年9期至2026年10期"], *BALANCES[2:]]
    write_workbook(exports / "科目余额表.xlsx", {"科目余额表": rows}, merged=["C3:D3"])
    with pytest.raises(
        SourceError, match=r"科目余额表\.xlsx: 期间 should stand above the header .*neither says it"
    ):
        take("kingdee_ledger")
