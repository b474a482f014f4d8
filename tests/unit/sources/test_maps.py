"""Source maps: foreign exports become canonical tables, every row written or counted."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from analysis.errors import ParameterError, SourceError
from analysis.params.strict import bind
from analysis.sources import SourceMap, apply_map, load_map
from analysis.sources.amounts import plain_number
from analysis.tables import TableSet, contract, load_tables

from .conftest import stated, write_workbook  # isort: skip

TABLES = {name: tuple(table.columns) for name, table in contract().tables.items()}
REAL = Path(__file__).parents[3].parent / "shared" / "real"
VOUCHERS = {
    "table": "ledger",
    "file": "凭证*.csv",
    "encoding": "gb18030",
    "skip_lines": 1,
    "columns": {"posted_on": "日期", "account": "科目编码", "amount": "借方金额"},
    "less": {"amount": "贷方金额"},
    "joined": {"posting_id": ["凭证字号", "分录号"]},
    "constants": {"currency": "CNY"},
    "dates": {"posted_on": "%Y年%m月%d日"},
    "numbers": ["amount"],
}
SHOP = {
    "table": "orders",
    "file": "订单.csv",
    "columns": {
        "order_id": "订单编号",
        "customer_id": "买家会员名",
        "ordered_at": "订单付款时间",
        "revenue": "买家实际支付金额",
    },
    "constants": {"channel": "Tmall", "order_type": "product"},
}


def mapped(*entries: dict) -> SourceMap:
    return bind(SourceMap, {"about": "test", "tables": list(entries), "name": "test"}, "test")


def load(folder: Path, tmp_path: Path, **options) -> TableSet:
    return load_tables(
        folder, tmp_path / "store", reporting_currency="CNY", time_zone="Asia/Shanghai", **options
    )


def rows(tables: TableSet, table: str, *columns: str) -> list[tuple]:
    with duckdb.connect() as connection:
        return connection.execute(
            f"SELECT {', '.join(columns)} FROM {tables.scan(table)} ORDER BY ALL"
        ).fetchall()


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    return folder


def test_a_voucher_list_in_gb18030_is_read_to_the_cent(exports: Path, tmp_path: Path):
    (exports / "凭证202610.csv").write_bytes(
        "流明电器 凭证列表\n日期,凭证字号,分录号,科目编码,科目名称,借方金额,贷方金额\n"
        '2026年10月08日,记-12,1,6601.02,售后配件,"1,234.50",\n2026年10月09日,记-12,2,6601.02,售后配件,,（３０．５０）\n'
        "2026年10月31日,记-13,1,6601.01,人工,,80.00\n".encode("gb18030")
    )
    (done,) = apply_map(mapped(VOUCHERS), exports, tmp_path / "out")
    assert (done.read, done.mapped, done.left_out) == (3, 3, 0)
    tables = load(tmp_path / "out", tmp_path)
    assert rows(tables, "ledger", "posting_id", "posted_on", "amount") == [
        ("记-12-1", dt.date(2026, 10, 8), Decimal("1234.50")),
        ("记-12-2", dt.date(2026, 10, 9), Decimal("30.50")),
        ("记-13-1", dt.date(2026, 10, 31), Decimal("-80.00")),
    ]
    with pytest.raises(SourceError, match=r"not utf-8 .*State its encoding"):
        apply_map(mapped(VOUCHERS | {"encoding": "utf-8", "skip_lines": 0}), exports, tmp_path / "out")


def test_a_shop_export_with_chinese_headers_feeds_two_tables(exports: Path, tmp_path: Path):
    (exports / "订单.csv").write_text(
        "\ufeff订单编号,买家会员名,买家实际支付金额,订单状态,订单付款时间\n9001,小明,199.00,交易成功,2026-10-01 08:30:00\n9002,小红,0.00,交易关闭,\n9003,小红,35.5,交易成功,2026-10-02 00:00:00\n",
        encoding="utf-8",
    )
    people = {"table": "customers", "file": "订单.csv", "columns": {"customer_id": "买家会员名"}}
    done = apply_map(mapped(people, SHOP | {"only": {"订单状态": ["交易成功"]}}), exports, tmp_path / "out")
    assert [(file.table, file.read, file.mapped, file.left_out) for file in done] == [
        ("customers", 3, 3, 0),
        ("orders", 3, 2, 1),
    ]
    tables = load(tmp_path / "out", tmp_path)
    assert rows(tables, "customers", "customer_id") == [("小明",), ("小红",)]
    assert [row[1] for row in rows(tables, "orders", "order_id", "revenue")] == [
        Decimal("199.00"),
        Decimal("35.50"),
    ]


def test_the_same_facts_in_three_date_formats_have_one_hash(exports: Path, tmp_path: Path):
    hashes = set()
    for form, day in (("%d/%m/%Y", "03/10/2026"), ("%m/%d/%Y", "10/03/2026"), ("%Y.%m.%d", "2026.10.03")):
        (exports / "gl.csv").write_text(f"no,day,value\n1,{day},5.00\n", encoding="utf-8")
        entry = {
            "table": "ledger",
            "file": "gl.csv",
            "columns": {"posting_id": "no", "posted_on": "day", "amount": "value"},
        }
        apply_map(mapped(entry | {"dates": {"posted_on": form}}), exports, tmp_path / "out")
        hashes.add(load(tmp_path / "out", tmp_path)["ledger"].content_hash)
    assert len(hashes) == 1


def test_a_renamed_column_a_missing_file_and_a_torn_line_are_named(exports: Path, tmp_path: Path):
    entry = {
        "table": "ledger",
        "file": "gl.csv",
        "columns": {"posting_id": "number", "posted_on": "day", "amount": "value"},
    }
    with pytest.raises(SourceError, match=r"gl\.csv: no such file for ledger"):
        apply_map(mapped(entry), exports, tmp_path / "out")
    (exports / "gl.csv").write_text("Number,day,value\n1,2026-10-01,5\n", encoding="utf-8")
    with pytest.raises(
        SourceError,
        match=r"column 'number' is not there; the vendor may have renamed it\. Did you mean 'Number'",
    ):
        apply_map(mapped(entry), exports, tmp_path / "out")
    (exports / "gl.csv").write_text(
        "number,day,value\n1,2026-10-01,5\n2,2026-10-01\n3,2026-10-01,6\n", encoding="utf-8"
    )
    (done,) = apply_map(mapped(entry), exports, tmp_path / "out")
    (file,) = load(tmp_path / "out", tmp_path, quarantine_limit=0.5)["ledger"].waterfall
    assert (done.read, file.rows_read, file.accepted, file.quarantined) == (3, 3, 2, 1)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("(1,234.50)", "-1234.50"),
        ("（１，２３４）", "-1234"),
        ("¥35", "35"),
        ("1,23", "1,23"),
        ("1.234,50", "1.234,50"),
        ("(-5)", "(-5)"),
        ("n/a", "n/a"),
    ],
)
def test_numbers_are_made_plain_or_left_alone(text: str, plain: str):
    assert plain_number(text) == plain


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("table: legder, file: a.csv, columns: {posting_id: a}", "Did you mean 'ledger'"),
        ("table: ledger, file: a.csv, columns: {postingid: a}", "Did you mean 'posting_id'"),
        ("table: ledger, file: a.csv, columns: {posting_id: a}, constants: {posting_id: b}", "given twice"),
        (
            "table: ledger, file: a.csv, columns: {posting_id: a}, dates: {posted_on: '%Y'}",
            "has a rule but no source",
        ),
        ("table: ledger, file: ../a.csv, columns: {posting_id: a}", "leaves the data folder"),
        ("table: ledger, file: a.csv, columns: {posting_id: a}, encodng: utf-8", "Did you mean 'encoding'"),
    ],
)
def test_a_map_that_says_something_unknown_does_not_load(tmp_path: Path, change: str, message: str):
    path = tmp_path / "acme.yml"
    path.write_text(f"about: x\ntables:\n  - {{{change}}}\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=message):
        load_map("acme", TABLES, path=path)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real exports are not here")
def test_real_zendesk_tables_pass_the_proof(tmp_path: Path):
    done = apply_map(load_map("zendesk", TABLES), REAL / "zendesk_fivetran_seeds", tmp_path / "out")
    tables = load(tmp_path / "out", tmp_path)
    assert [(file.table, file.read, file.mapped, file.left_out) for file in done] == [
        ("customers", 10, 9, 1),
        ("tickets", 10, 10, 0),
        ("tickets", 38, 30, 8),
        ("tickets", 20, 0, 20),
        ("tickets", 20, 0, 20),
        ("ticket_history", 38, 19, 19),
    ]
    moments = rows(tables, "tickets", "ticket_id", "resolved_at", "closed_at", "reopened")
    assert [row for row in moments if row[1]] == [
        ("11071", dt.datetime(2020, 11, 14, 11, 1, 27), dt.datetime(2020, 11, 15, 11, 1, 27), 0)
    ]
    assert Counter(status for (status,) in rows(tables, "tickets", "status")) == {
        "closed": 7,
        "cancelled": 2,
        "resolved": 1,
    }


@pytest.mark.skipif(not REAL.is_dir(), reason="the real exports are not here")
def test_real_xero_journals_add_up(tmp_path: Path):
    done = apply_map(load_map("xero", TABLES), REAL / "xero_gl_fivetran_seeds", tmp_path / "out")
    ledger = next(file for file in done if file.table == "ledger")
    assert (ledger.read, ledger.mapped, ledger.left_out) == (4033, 1121, 2912)
    rates = {code: [(dt.date(2010, 1, 1), Decimal("5"))] for code in ("USD", "CAD", "GBP")}
    tables = load(tmp_path / "out", tmp_path, exchange_rates=rates)
    assert tables["ledger"].rows == 1121 and all(
        month.start >= dt.date(2019, 10, 1) for month in tables["ledger"].months
    )


def test_the_same_facts_from_a_csv_a_workbook_and_a_gb18030_export_have_one_hash(
    exports: Path, tmp_path: Path
):
    """Three systems, three date formats, three ways to write an amount: the same rows, so the same content."""
    entry = {
        "table": "ledger",
        "columns": {"posting_id": "编号", "posted_on": "日期", "amount": "金额", "cost_center": "部门"},
        "numbers": ["amount"],
    }
    (exports / "a.csv").write_text(
        "编号,日期,金额,部门\n1,03/10/2026,1234.50,东区\n2,25/10/2026,-30.00,\n", encoding="utf-8-sig"
    )
    (exports / "b.csv").write_bytes(
        '编号;日期;金额;部门\n2;2026年10月25日;(30.00);\n1;2026年10月3日;"1,234.50";东区\n'.encode("gb18030")
    )
    write_workbook(
        exports / "c.xlsx",
        {
            "表": [
                ["编号", "日期", "金额", "部门"],
                [1, dt.date(2026, 10, 3), 1234.5, "东区"],
                [2, "2026.10.25", "30.00-", None],
            ]
        },
    )
    hashes = set()
    for file, form in (("a.csv", "%d/%m/%Y"), ("b.csv", "%Y年%m月%d日"), ("c.xlsx", "%Y.%m.%d")):
        apply_map(mapped(entry | {"file": file, "dates": {"posted_on": form}}), exports, tmp_path / "out")
        tables = load(tmp_path / "out", tmp_path)
        assert rows(tables, "ledger", "sum(amount)") == [(Decimal("1204.50"),)]
        hashes.add(tables["ledger"].content_hash)
    assert len(hashes) == 1


def test_alternatives_any_other_word_and_optional_columns(exports: Path, tmp_path: Path):
    (exports / "desk.csv").write_text(
        "id,when,kind,contact,account\n1,2026-10-01,Broken,C1,\n2,2026-10-01,,C2,A2\n3,2026-10-01,Question,,\n",
        encoding="utf-8",
    )
    entry = {
        "table": "tickets",
        "file": "desk.csv",
        "columns": {"ticket_id": "id", "opened_at": "when", "ticket_type": "kind", "team": "group"},
        "either": {"customer_id": ["account", "contact", "person"]},
        "optional": ["team"],
        "values": {"ticket_type": {"Question": "inquiry", "": "other", "*": "repair"}},
    }
    (done,) = apply_map(mapped(entry), exports, tmp_path / "out")
    assert rows(load(tmp_path / "out", tmp_path), "tickets", "ticket_id", "ticket_type", "customer_id") == [
        ("1", "repair", "C1"),
        ("2", "other", "A2"),
        ("3", "inquiry", None),
    ]
    assert [str(note) for note in done.notes] == [
        "team: not in the file",
        "ticket_type: words not listed, taken as 'repair' (1, e.g. 'Broken')",
    ]
    with pytest.raises(SourceError, match="column 'owner' is not there"):
        apply_map(mapped(entry | {"either": {"customer_id": ["owner", "person"]}}), exports, tmp_path / "out")


def test_lines_are_counted_within_a_voucher_and_keys_outlive_the_date_format(exports: Path, tmp_path: Path):
    entry = {
        "table": "ledger",
        "file": "gl.csv",
        "filled": ["日期", "凭证"],
        "counted": {"行": ["日期", "凭证"]},
        "columns": {"posted_on": "日期", "amount": "金额"},
        "joined": {"posting_id": ["日期", "凭证", "行"]},
    }
    keys = set()
    for form, days in (
        ("%Y-%m-%d", ("2026-10-03", "2026-10-04")),
        ("%d/%m/%Y", ("03/10/2026", "04/10/2026")),
    ):
        (exports / "gl.csv").write_text(
            f"日期,凭证,金额\n{days[0]},记-1,1\n,,2\n,,3\n{days[1]},记-1,4\n", encoding="utf-8"
        )
        apply_map(mapped(entry | {"dates": {"posted_on": form}}), exports, tmp_path / "out")
        keys.add(tuple(row[0] for row in rows(load(tmp_path / "out", tmp_path), "ledger", "posting_id")))
    assert keys == {("2026-10-03-记-1-1", "2026-10-03-记-1-2", "2026-10-03-记-1-3", "2026-10-04-记-1-1")}


def test_rows_that_name_nothing_known_are_left_out_and_counted(exports: Path, tmp_path: Path):
    (exports / "people.csv").write_text("id\nC1\n", encoding="utf-8")
    (exports / "gl.csv").write_text(
        "no,day,net,who\n1,2026-10-01,5,C1\n2,2026-10-01,5,C9\n", encoding="utf-8"
    )
    entry = {
        "table": "ledger",
        "file": "gl.csv",
        "columns": {"posting_id": "no", "posted_on": "day", "amount": "net"},
        "found_in": {"who": {"file": "people.csv", "key": "id"}},
    }
    (done,) = apply_map(mapped(entry), exports, tmp_path / "out")
    assert (done.read, done.mapped, done.left_out) == (2, 1, 1)
    with pytest.raises(SourceError, match=r"none\.csv: no such file; the map 'test' looks in it"):
        apply_map(
            mapped(entry | {"found_in": {"who": {"file": "none.csv", "key": "id"}}}),
            exports,
            tmp_path / "out",
        )


def test_an_ambiguous_lookup_is_refused(exports: Path, tmp_path: Path):
    (exports / "teams.csv").write_text("id,team\nA,East\nA,West\n", encoding="utf-8")
    (exports / "gl.csv").write_text("no,day,net,who\n1,2026-10-01,5,A\n", encoding="utf-8")
    entry = {
        "table": "ledger",
        "file": "gl.csv",
        "columns": {"posting_id": "no", "posted_on": "day", "amount": "net"},
        "lookups": {"team": {"file": "teams.csv", "by": "who", "key": "id", "take": "team"}},
    }
    with pytest.raises(
        SourceError,
        match=r"teams\.csv: id 'A' stands twice with different team \('East' and 'West'\); the lookup is ambiguous",
    ):
        apply_map(mapped(entry), exports, tmp_path / "out")


VOUCHER_LINES = [
    "日期,凭证号数,科目编码,摘要,方向,金额",
    "2026.10.05,记-0001,6401,料,借,120.00",
    "2026.10.05,记-0001,1403,料,贷,120.00",
    "2026.10.06,记-0002,6401,退料,贷,20.00",
    "2026.10.07,记-0003,6401,料,,5.00",
]
SIGNED = {
    "table": "ledger",
    "file": "*.csv",
    "header_has": ["日期", "方向", "金额"],
    "called": {"日期": ["制单日期", "凭证日期"]},
    "numbered": {"posting_id": ["journal_id"]},
    "columns": {"posted_on": "日期", "journal_id": "凭证号数", "account": "科目编码", "amount": "金额"},
    "signs": {"amount": {"column": "方向", "plus": ["借"], "minus": ["贷"]}},
    "dates": {"posted_on": "%Y.%m.%d"},
    "only": {"科目编码": ["6401*"]},
}


@pytest.mark.parametrize("above", [[], ["流明电器有限公司", "2026年10月,,,,,"], ["a,b,c,d,e,f"] * 39])
def test_a_header_is_known_by_its_names_wherever_it_stands(exports: Path, tmp_path: Path, above: list[str]):
    (exports / "gl.csv").write_text("\n".join([*above, *VOUCHER_LINES]) + "\n", encoding="utf-8")
    (done,) = apply_map(mapped(SIGNED), exports, tmp_path / "out")
    lines = (tmp_path / "out" / "ledger" / "0-gl.csv.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[3] for line in lines[1:]] == [
        "120.00",
        "-20.00",
        "5.00 (方向 '')",
    ]  # no side stated: the proof sets it aside
    assert (done.read, done.mapped, done.left_out) == (4, 3, 1)


def test_a_header_that_is_not_there_is_refused_with_the_nearest_line(exports: Path, tmp_path: Path):
    (exports / "gl.csv").write_text(
        "\n".join(["流明电器", VOUCHER_LINES[0].replace("方向", "借贷"), *VOUCHER_LINES[1:]]) + "\n",
        encoding="utf-8",
    )
    with pytest.raises(
        SourceError,
        match=r"gl\.csv: none of the first 40 lines has the columns 日期, 方向, 金额.*Line 2 lacks only 方向\. Give the headings",
    ):
        apply_map(mapped(SIGNED), exports, tmp_path / "out")


def test_a_column_goes_by_any_of_its_names_but_not_by_two(exports: Path, tmp_path: Path):
    (exports / "gl.csv").write_text(
        "\n".join([VOUCHER_LINES[0].replace("日期", "制单日期"), *VOUCHER_LINES[1:]]) + "\n", encoding="utf-8"
    )
    (done,) = apply_map(mapped(SIGNED), exports, tmp_path / "out")
    assert done.mapped == 3
    (exports / "gl.csv").write_text(
        "制单日期,凭证日期,凭证号数,科目编码,方向,金额\n2026.10.05,2026.10.05,1,6401,借,1\n", encoding="utf-8"
    )
    with pytest.raises(
        SourceError,
        match=r"gl\.csv: '制单日期' and '凭证日期' could both be '日期'\. Say in the map which is meant",
    ):
        apply_map(mapped(SIGNED), exports, tmp_path / "out")
    with pytest.raises(ParameterError, match=r"called: 'x' stands for two columns"):
        stated(SIGNED | {"called": {"日期": ["x"], "金额": ["x"]}})
    with pytest.raises(ParameterError, match=r"signs: 'amount' should be one source column"):
        stated(SIGNED | {"less": {"amount": "贷方"}})


def test_a_file_that_ends_where_the_system_cuts_is_refused(exports: Path, tmp_path: Path):
    (exports / "gl.csv").write_text("\n".join(VOUCHER_LINES) + "\n", encoding="utf-8")
    with pytest.raises(
        SourceError, match=r"gl\.csv: exactly 4 rows, where the system cuts an export; .*Export it in parts"
    ):
        apply_map(mapped(SIGNED | {"cut_at": 4}), exports, tmp_path / "out")
    assert apply_map(mapped(SIGNED | {"cut_at": 5}), exports, tmp_path / "out")[0].read == 4


def test_where_no_row_is_kept_the_rule_is_named(exports: Path, tmp_path: Path):
    (exports / "gl.csv").write_text("\n".join(VOUCHER_LINES) + "\n", encoding="utf-8")
    (done,) = apply_map(mapped(SIGNED | {"only": {"科目编码": ["5401*"]}}), exports, tmp_path / "out")
    assert [str(note) for note in done.notes] == [
        "科目编码: no row fits the map's rule (only, without or found_in) (4, e.g. '6401')"
    ]
    assert (done.read, done.mapped, done.left_out) == (4, 0, 4)


def test_a_missing_file_is_refused_with_what_is_there(exports: Path, tmp_path: Path):
    (exports / "ledger.csv").write_text("a\n", encoding="utf-8")
    with pytest.raises(
        SourceError,
        match=r"gl\.csv: no such file for ledger \(map 'test'\).*The folder has: ledger\.csv\. Add the export, or take the map that fits",
    ):
        apply_map(mapped(SIGNED | {"file": "gl.csv"}), exports, tmp_path / "out")
