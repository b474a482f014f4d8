"""The maps that ship: each reads a small export in the vendor's own shape, through the proof, to a fact that was worked out by hand."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.errors import SourceError
from analysis.metrics import Engine, Registry
from analysis.params import CostTree
from analysis.params.places import params_file, params_files
from analysis.periods import Month
from analysis.sources import load_map

from .conftest import TABLES, write_workbook

#: Written from public data: what is not known of it is said in words.
FROM_THE_FILES = ("cdnow", "nyc311", "shop", "telco")
SHIPPED = sorted(path.stem for path in params_files("sources"))


def fact(taken, metric: str, tmp_path: Path, month: str = "2026-10"):
    engine = Engine(
        taken.tables,
        Registry.load(),
        cost_tree=CostTree.load(),
        as_of=dt.date(2026, 11, 10),
        time_zone="Asia/Shanghai",
        currency="CNY",
        confidence=0.95,
        cache=tmp_path / "cache",
    )
    return engine.fact(metric, period=Month.parse(month)).value


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-{text}")


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_map_loads_and_says_what_it_cannot_know(name: str):
    assert load_map(name, TABLES).tables
    text = params_file(f"sources/{name}.yml").read_text(encoding="utf-8")
    assert text.startswith("#")
    if name not in FROM_THE_FILES:
        assert "# doubt:" in text


def named_by(pattern: str) -> str:
    """A file's name that the pattern names."""
    first = re.sub(r"\[(.)[^\]]*\]", r"\1", pattern.split(" | ")[0])
    return first.replace(".*", ".csv").replace(".xls*", ".xlsx").replace("*", "x")


@pytest.mark.parametrize("name", SHIPPED)
def test_an_empty_file_is_refused_by_its_name(exports: Path, take, name: str):
    """A file of no bytes is an export that failed, whichever of a map's files it is."""
    for entry in load_map(name, TABLES).tables:
        for pattern in (entry.file, *(other for other, _ in entry.other_files)):
            (exports / named_by(pattern)).touch()
    with pytest.raises(SourceError, match=r"the file is empty|no object with a key in it"):
        take(name)


def test_salesforce(exports: Path, take, tmp_path: Path):
    (exports / "Account.csv").write_text(
        '"Id","IsDeleted","Name","Industry","BillingState","CreatedDate"\n"001A","false","Acme","Energy","CA","2024-05-01T20:00:00.000Z"\n"001B","true","Gone","","","2024-05-01T20:00:00.000Z"\n',
        encoding="utf-8",
    )
    (exports / "Case.csv").write_text(
        '"Id","IsDeleted","AccountId","Type","Status","Origin","Priority","OwnerId","CreatedDate","ClosedDate","Description"\n'
        '"500A","false","001A","Problem","Closed","Phone","High","005A","2026-10-01T02:00:00.000Z","2026-10-03T02:00:00.000Z","It is ""broken"",\nsays A"\n'
        '"500B","false","001A","Warranty","New","Web","Low","005A","2026-10-02T02:00:00.000Z","",""\n'
        '"500C","true","001A","Problem","New","Web","Low","005A","2026-10-02T02:00:00.000Z","",""\n',
        encoding="utf-8",
    )
    (exports / "CaseHistory.csv").write_text(
        '"Id","CaseId","CreatedDate","Field","OldValue","NewValue"\n"017A","500A","2026-10-01T05:00:00.000Z","Status","New","Closed"\n"017B","500A","2026-10-01T06:00:00.000Z","Status","Closed","Working"\n"017C","500A","2026-10-03T02:00:00.000Z","Status","Working","Closed"\n"017D","500A","2026-10-03T02:00:00.000Z","Owner","005B","005A"\n',
        encoding="utf-8",
    )
    (exports / "ServiceContract.csv").write_text(
        '"Id","IsDeleted","AccountId","StartDate","EndDate","GrandTotal"\n"810A","false","001A","2026-01-01","2026-12-31","1200.00"\n"810B","true","001A","2026-01-01","2026-12-31","99.00"\n',
        encoding="utf-8",
    )
    taken = take("salesforce")
    assert taken.rows("customers", "customer_id", "acquired_on") == [
        ("001A", dt.date(2024, 5, 2))
    ]  # 04:00 the next day in Shanghai
    assert taken.rows(
        "tickets", "ticket_id", "ticket_type", "opened_at", "resolved_at", "reopened", "reopened_at", "status"
    ) == [
        ("500A", "repair", at("10-01 02:00"), at("10-03 02:00"), 1, at("10-01 06:00"), "closed"),
        ("500B", "other", at("10-02 02:00"), None, 0, None, "open"),
    ]
    assert taken.rows("contracts", "contract_id", "kind", "amount") == [
        ("810A", "maintenance", Decimal("1200.00"))
    ]
    assert taken.tables["ticket_history"].rows == 4
    assert fact(taken, "service_order_count", tmp_path) == 2
    assert "ticket_type: words not listed, taken as 'other' (1, e.g. 'Warranty')" in taken.notes("tickets")
    assert "no such file; made without it" in taken.notes("tickets")  # EmailMessage.csv


def test_servicenow(exports: Path, take, tmp_path: Path):
    (exports / "incident.csv").write_text(
        '"number","short_description","company","caller_id","state","category","priority","assignment_group","assigned_to","contact_type","opened_at","sys_created_on","resolved_at","closed_at","reopen_count"\n'
        '"INC0010001","Compressor","Acme","Bow Ruggeri","Closed","Hardware","2 - High","Field East","Beth Anglin","Phone","2026-10-01 01:00:00","2026-10-01 01:05:00","2026-10-02 01:00:00","2026-10-09 01:00:00","1"\n'
        '"INC0010002","Question","","Bow Ruggeri","On Hold","Inquiry / Help","3 - Moderate","Desk","","Email","2026-10-03 01:00:00","2026-10-03 01:00:00","","","0"\n',
        encoding="utf-8",
    )
    taken = take("servicenow")
    assert taken.rows("customers", "customer_id") == [("Acme",), ("Bow Ruggeri",)]
    assert taken.rows(
        "tickets", "ticket_id", "customer_id", "ticket_type", "team", "reopened", "status", "resolved_at"
    ) == [
        ("INC0010001", "Acme", "repair", "Field East", 1, "closed", at("10-02 01:00")),
        ("INC0010002", "Bow Ruggeri", "inquiry", "Desk", 0, "pending", None),
    ]
    assert fact(taken, "service_order_count", tmp_path) == 2
    assert "component: not in the file" in taken.notes("tickets")


def test_jira(exports: Path, take, tmp_path: Path):
    (exports / "issues_job12_20261110.csv").write_text(
        "id,instance_url,key,project_key,issue_type,summary,reporter_id,assignee_id,status,priority_name,created_date,resolution_date,time_spent,parent_id\r\n"
        '10001,https://x,SUP-1,SUP,[System] Incident,"Broken, again",77,5,Closed,High,2026-10-01T08:00:00Z,2026-10-02T08:00:00Z,5400,\r\n'
        "10002,https://x,SUP-2,SUP,Epic,Plan,78,,Waiting for customer,Low,2026-10-03T08:00:00Z,,,\r\n",
        encoding="utf-8",
    )
    (exports / "issue_history_job12_20261110.csv").write_text(
        "issue_id,changelog_id,author_id,created_date,field_type,field,from,from_string,to,to_string\r\n10001,1,5,2026-10-01T12:00:00Z,jira,status,1,Open,5,Resolved\r\n"
        "10001,2,77,2026-10-01T13:00:00Z,jira,status,5,Resolved,4,Reopened\r\n10001,3,5,2026-10-02T08:00:00Z,jira,status,4,Reopened,6,Closed\r\n10001,4,5,2026-10-02T08:00:00Z,jira,resolution,,,1,Fixed\r\n",
        encoding="utf-8",
    )
    taken = take("jira")
    assert taken.rows(
        "tickets",
        "ticket_id",
        "ticket_type",
        "handling_hours",
        "reopened",
        "reopened_at",
        "closed_at",
        "status",
    ) == [
        ("10001", "repair", 1.5, 1, at("10-01 13:00"), at("10-02 08:00"), "closed"),
        ("10002", "other", None, 0, None, None, "pending"),
    ]
    assert taken.tables["ticket_history"].rows == 4
    assert fact(taken, "service_order_count", tmp_path) == 2


def test_hubspot(exports: Path, take, tmp_path: Path):
    (exports / "hubspot-crm-exports-all-contacts-2026-11-01.csv").write_text(
        "hs_object_id,firstname,lastname,createdate,lifecyclestage,state\n501,Ann,Lee,2026-01-05 10:00,customer,CA\n",
        encoding="utf-8",
    )
    (exports / "hubspot-crm-exports-all-tickets-2026-11-01.csv").write_text(
        "hs_object_id,subject,content,createdate,first_agent_reply_date,closed_date,hs_pipeline_stage,hs_ticket_priority,hs_ticket_category,source_type,hubspot_owner_id,Associated Contact IDs\n"
        "901,Noise,It hums,2026-10-01 08:00,2026-10-01 09:30,2026-10-02 08:00,4,HIGH,PRODUCT_ISSUE,EMAIL,7,501\n902,Bill,Too much,2026-10-02 08:00,,,1,LOW,,PHONE,,501\n",
        encoding="utf-8",
    )
    (exports / "hubspot-crm-exports-deals-2026-11-01.csv").write_text(
        "hs_object_id,dealname,createdate,closedate,dealstage,amount\n801,Filters,2026-09-01 08:00,2026-10-05 08:00,closedwon,1200.00\n802,Plan,2026-10-01 08:00,,appointmentscheduled,\n",
        encoding="utf-8",
    )
    taken = take("hubspot")
    assert taken.rows("customers", "customer_id", "customer_name") == [("501", "Ann-Lee")]
    assert taken.rows(
        "tickets", "ticket_id", "customer_id", "ticket_type", "first_response_at", "status"
    ) == [("901", "501", "repair", at("10-01 09:30"), "closed"), ("902", "501", "other", None, "open")]
    assert taken.rows("opportunities", "opportunity_id", "won", "amount", "closed_on") == [
        ("801", True, Decimal("1200.00"), dt.date(2026, 10, 5)),
        ("802", None, None, None),
    ]
    assert fact(taken, "service_order_count", tmp_path) == 2


#: 会计分录序时簿 as Kingdee KIS exports it: header in the first line, numbers and dates only on a voucher's first line, 0 on the other side.
KINGDEE = [
    [
        "审核",
        "过账",
        "日期",
        "会计期间",
        "凭证字号",
        "摘要",
        "科目代码",
        "科目名称",
        "币别",
        "汇率",
        "原币金额",
        "借方",
        "贷方",
        "制单",
        "审核人",
        "过账人",
        "经办",
        "结算方式",
        "数量",
        "单价",
        "附件数",
        "序号",
        "系统模块",
    ],
    [
        "√",
        "√",
        dt.date(2026, 10, 8),
        "2026.10",
        "记 - 12",
        "配件领用",
        "6401.02",
        "售后配件",
        "人民币",
        1,
        1234.5,
        "1,234.50",
        0,
        "李",
        "王",
        "王",
        None,
        None,
        None,
        None,
        0,
        12,
        None,
    ],
    [
        None,
        None,
        None,
        None,
        None,
        "配件领用",
        "1403",
        "原材料",
        "人民币",
        1,
        1234.5,
        0,
        1234.5,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
    ],
    [
        "√",
        "√",
        "2026年10月31日",
        "2026.10",
        "记 - 13",
        "维修人员工资",
        "6401.01",
        "人工",
        "人民币",
        1,
        8000,
        8000,
        0,
        "李",
        "王",
        "王",
        None,
        None,
        None,
        None,
        0,
        13,
        None,
    ],
    [
        None,
        None,
        None,
        None,
        None,
        "维修人员工资",
        "6401.01",
        "人工",
        "人民币",
        1,
        2000,
        2000,
        0,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
    ],
    [
        None,
        None,
        None,
        None,
        None,
        "维修人员工资",
        "2211",
        "应付职工薪酬",
        "人民币",
        1,
        10000,
        0,
        10000,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
    ],
    [
        "√",
        "√",
        dt.date(2026, 10, 31),
        "2026.10",
        "记 - 14",
        "结转本期损益",
        "6401",
        "主营业务成本",
        "人民币",
        1,
        11234.5,
        0,
        11234.5,
        "李",
        "王",
        "王",
        None,
        None,
        None,
        None,
        0,
        14,
        None,
    ],
    [
        None,
        None,
        None,
        None,
        None,
        "结转本期损益",
        "4103",
        "本年利润",
        "人民币",
        1,
        11234.5,
        11234.5,
        0,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
    ],
    [
        "√",
        "√",
        dt.date(2026, 11, 8),
        "2026.11",
        "记 - 12",
        "冲回",
        "6401.02",
        "售后配件",
        "人民币",
        1,
        -34.5,
        "（34.50）",
        0,
        "李",
        "王",
        "王",
        None,
        None,
        None,
        None,
        0,
        15,
        None,
    ],
    [
        "合计",
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        22434.5,
        22469,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
    ],
]
KINGDEE_POSTINGS = [
    ("2026-10-08-记 - 12-1", dt.date(2026, 10, 8), "6401.02", Decimal("1234.50")),
    ("2026-10-31-记 - 13-1", dt.date(2026, 10, 31), "6401.01", Decimal("8000.00")),
    ("2026-10-31-记 - 13-2", dt.date(2026, 10, 31), "6401.01", Decimal("2000.00")),
    ("2026-11-08-记 - 12-1", dt.date(2026, 11, 8), "6401.02", Decimal("-34.50")),
]


def test_kingdee_vouchers(exports: Path, take, tmp_path: Path):
    write_workbook(exports / "001.流明_202610_会计分录序时簿.xlsx", {"会计分录序时簿": KINGDEE})
    taken = take("kingdee_ledger")
    assert taken.rows("ledger", "posting_id", "posted_on", "account", "amount") == KINGDEE_POSTINGS
    assert taken.counts("ledger") == [(9, 4, 5)]
    assert fact(taken, "after_sales_cost", tmp_path) == Decimal("11234.50")


def test_kingdee_vouchers_under_their_other_names_and_below_a_title(exports: Path, take):
    """借方金额 and 贷方金额 as other versions write them; a merged title above; the department shown."""
    head = [
        {
            "借方": "借方金额",
            "贷方": "贷方金额",
            "日期": "凭证日期",
            "科目代码": "科目编码",
            "经办": "部门",
        }.get(str(name), name)
        for name in KINGDEE[0]
    ]
    rows = [
        ["流明电器有限公司 凭证序时簿"],
        [None],
        head,
        *[[*row[:16], "东区售后", *row[17:]] for row in KINGDEE[1:-1]],
    ]
    write_workbook(exports / "凭证序时簿202610.xlsx", {"凭证": rows}, merged=["A1:W1"])
    taken = take("kingdee_ledger")
    assert taken.rows("ledger", "posting_id", "posted_on", "account", "amount") == KINGDEE_POSTINGS
    assert taken.rows("ledger", "DISTINCT cost_center") == [("东区售后",)]


#: 序时账 as Yonyou U8 outputs it: points in the date, one amount, 方向 beside it.
U8 = [
    ["日期", "凭证号数", "科目编码", "科目名称", "摘要", "方向", "数量", "外币", "金额"],
    ["2026.10.08", "记-0012", "640102", "售后配件", "配件领用", "借", None, None, "1,234.50"],
    ["2026.10.08", "记-0012", "1403", "原材料", "配件领用", "贷", None, None, 1234.5],
    ["2026.10.31", "记-0013", "640101", "人工", "维修人员工资", "借", None, None, 10000],
    ["2026.10.31", "记-0013", "2211", "应付职工薪酬", "维修人员工资", "贷", None, None, 10000],
    ["2026.10.31", "记-0014", "640102", "售后配件", "退料", "贷", None, None, 34.5],
    ["2026.10.31", "记-0014", "1403", "原材料", "退料", "借", None, None, 34.5],
    ["2026.10.31", "记-0015", "6401", "主营业务成本", "期间损益结转", "贷", None, None, 11200],
    ["2026.10.31", "记-0015", "4103", "本年利润", "期间损益结转", "借", None, None, 11200],
    [None, "合计", None, None, None, None, None, None, 44969],
]


@pytest.mark.parametrize("above", [[], [["序时账"], ["2026.10.01-2026.10.31"]]])
def test_yonyou_u8_journal(exports: Path, take, tmp_path: Path, above: list[list[str]]):
    write_workbook(exports / "序时账2026-10.xlsx", {"序时账": [*above, *U8]})
    taken = take("yonyou_ledger")
    assert taken.rows("ledger", "posting_id", "account", "amount") == [
        ("2026-10-08-记-0012-1", "640102", Decimal("1234.50")),
        ("2026-10-31-记-0013-1", "640101", Decimal("10000.00")),
        ("2026-10-31-记-0014-1", "640102", Decimal("-34.50")),
    ]
    assert taken.counts("ledger") == [(9, 3, 6)]
    assert fact(taken, "after_sales_cost", tmp_path) == Decimal("11200.00")


def test_yonyou_journal_with_debit_and_credit_apart(exports: Path, take, tmp_path: Path):
    rows = [["日期", "凭证号数", "科目编码", "科目名称", "摘要", "借方金额", "贷方金额", "对方科目"]]
    rows += [
        [row[0], row[1], row[2], row[3], row[4], *((row[8], 0) if row[5] == "借" else (0, row[8])), None]
        for row in U8[1:-1]
    ]
    write_workbook(exports / "序时账2026-10.xlsx", {"序时账": rows})
    assert fact(take("yonyou_debit_credit"), "after_sales_cost", tmp_path) == Decimal("11200.00")
    with pytest.raises(SourceError, match=r"Line 1 lacks only 方向, 金额"):
        take("yonyou_ledger")


#: ExportOrderList as the back office of Taobao and Tmall exports it, with its blanks behind names, ="…" around numbers and ' before them.
TAOBAO_HEAD = (
    "订单编号,买家会员名,买家支付宝账号,买家应付货款,买家应付邮费,买家支付积分,总金额,返点积分,买家实际支付金额,买家实际支付积分,订单状态,买家留言,收货人姓名,收货地址 ,运送方式,联系电话 ,联系手机,订单创建时间,"
    "订单付款时间 ,宝贝标题 ,宝贝种类 ,物流单号 ,物流公司,订单备注,宝贝总数量,店铺Id,店铺名称,订单关闭原因,卖家服务费,买家服务费,发票抬头,是否手机订单,分阶段订单信息,特权订金订单id,定金排名,修改后的sku,"
    "修改后的收货地址,异常信息,天猫卡券抵扣,集分宝抵扣,是否是O2O交易,退款金额,预约门店,确认收货时间,打款商家金额\n"
)


def _taobao(order: str, buyer: str, paid: str, status: str, created: str, paid_at: str, refund: str) -> str:
    return f'="{order}",{buyer},x,{paid},0.00,0,{paid},0,{paid},0,{status},,王,浙江省 杭州市,快递,,\'13800000000,{created},{paid_at},净化器,1,,,,1,0,流明旗舰店,订单未关闭,0,0元,,手机订单,,,,,,,,,,{refund},,,0元\n'


def test_taobao_orders_in_the_whole_form_of_the_export(exports: Path, take, tmp_path: Path):
    lines = _taobao(
        "3021456789012345678",
        "小明99",
        '"1,299.00"',
        "卖家已发货，等待买家确认",
        "2026-10-31 23:58:00",
        "2026-10-31 23:59:59",
        "99.00",
    )
    lines += _taobao("3021456789012345679", "小红", "35.00", "交易关闭", "2026-10-05 10:00:00", "", "0.00")
    (exports / "ExportOrderList202611101650.csv").write_bytes((TAOBAO_HEAD + lines).encode("gbk"))
    taken = take("taobao_orders")
    assert taken.rows("orders", "order_id", "customer_id", "ordered_at", "revenue", "quantity", "shop") == [
        ("3021456789012345678", "小明99", at("10-31 15:59:59"), Decimal("1200.00"), 1, "流明旗舰店")
    ]
    older = (
        TAOBAO_HEAD.replace("退款金额,", "")
        + lines.replace(",99.00,,,0元", ",,,0元").replace(",0.00,,,0元", ",,,0元")
    ).encode("gbk")
    (exports / "ExportOrderList202611101650.csv").write_bytes(older)
    with pytest.raises(SourceError, match=r"column '退款金额' is not there"):
        take("taobao_orders")


def test_taobao_orders_in_gb18030(exports: Path, take, tmp_path: Path):
    head = "订单编号,买家会员名,买家支付宝账号,总金额,买家实际支付金额,订单状态,收货地址 ,订单创建时间,订单付款时间 ,宝贝标题 ,宝贝总数量,店铺名称,退款金额\n"
    lines = (
        '="3021456789012345678",小明99,x,199.00,199.00,交易成功,浙江省 杭州市,2026-10-01 00:00:05,2026-10-01 00:01:00,净化器滤芯,1,流明旗舰店,0.00\n'
        '="3021456789012345679",小红,x,"1,299.00","1,299.00",卖家已发货，等待买家确认,上海 上海市,2026-10-31 23:58:00,2026-10-31 23:59:59,净化器,1,流明旗舰店,99.00\n'
        '="3021456789012345680",小明99,x,35.00,0.00,交易关闭,浙江省 杭州市,2026-10-05 10:00:00,,滤网,1,流明旗舰店,0.00\n'
        '="3021456789012345681",小明99,x,35.00,35.00,交易成功,浙江省 杭州市,2026-10-31 23:59:00,2026-11-01 00:00:00,滤网,1,流明旗舰店,0.00\n'
    )
    (exports / "ExportOrderList202611.csv").write_bytes((head + lines).encode("gb18030"))
    taken = take("taobao_orders")
    assert taken.rows("customers", "customer_id") == [("小明99",), ("小红",)]
    assert taken.rows("orders", "order_id", "ordered_at", "revenue") == [
        ("3021456789012345678", at("09-30 16:01"), Decimal("199.00")),
        ("3021456789012345679", at("10-31 15:59:59"), Decimal("1200.00")),
        ("3021456789012345681", at("10-31 16:00"), Decimal("35.00")),
    ]
    assert taken.counts("orders") == [(4, 3, 1)]
    assert fact(taken, "revenue", tmp_path) == Decimal("1399.00")  # the one paid at midnight is November's


def test_zendesk(exports: Path, take, tmp_path: Path):
    (exports / "user_data.csv").write_text(
        "id,name,role,created_at\n1,Ann,end-user,2026-01-01 20:00:00\n9,Agent,agent,2020-01-01 00:00:00\n",
        encoding="utf-8",
    )
    (exports / "group_data.csv").write_text("id,name\n70,East\n", encoding="utf-8")
    (exports / "ticket_data.csv").write_text(
        "id,requester_id,type,created_at,status,priority,via_channel,group_id,assignee_id,description\n11,1,incident,2026-10-01 08:00:00,closed,high,email,70,9,hums\n12,1,,2026-10-02 08:00:00,hold,,web,,,\n",
        encoding="utf-8",
    )
    (exports / "ticket_field_history_data.csv").write_text(
        "field_name,ticket_id,updated,value\nstatus,11,2026-10-01 08:00:00,new\nstatus,11,2026-10-01 18:00:00,solved\nstatus,11,2026-10-02 08:00:00,open\nstatus,11,2026-10-03 08:00:00,solved\nstatus,11,2026-10-07 08:00:00,closed\npriority,11,2026-10-01 08:00:00,high\nstatus,99,2026-10-07 08:00:00,closed\n",
        encoding="utf-8",
    )
    (exports / "ticket_comment_data.csv").write_text(
        "id,ticket_id,user_id,created,public\n1,11,1,2026-10-01 08:00:00,TRUE\n2,11,9,2026-10-01 08:10:00,FALSE\n3,11,9,2026-10-01 09:00:00,TRUE\n4,11,1,2026-10-02 08:00:00,TRUE\n",
        encoding="utf-8",
    )
    taken = take("zendesk")
    assert taken.rows("customers", "customer_id", "acquired_on") == [("1", dt.date(2026, 1, 2))]
    assert taken.rows(
        "tickets",
        "ticket_id",
        "team",
        "first_response_at",
        "resolved_at",
        "closed_at",
        "reopened",
        "contacts",
        "status",
    ) == [
        ("11", "East", at("10-01 09:00"), at("10-03 08:00"), at("10-07 08:00"), 1, 2, "closed"),
        ("12", None, None, None, None, 0, None, "pending"),
    ]
    assert taken.tables["ticket_history"].rows == 6  # of ticket 99 the extract has no row
    assert fact(taken, "service_order_count", tmp_path) == 2


def test_xero(exports: Path, take, tmp_path: Path):
    (exports / "xero_contact_data.csv").write_text(
        "contact_id,name,_fivetran_deleted\nC1,Acme,false\n", encoding="utf-8"
    )
    (exports / "xero_journal_data.csv").write_text(
        "journal_id,created_date_utc,journal_date\nJ1,2026-10-05 18:42:07.587 UTC,2026-10-04\n",
        encoding="utf-8",
    )
    (exports / "xero_journal_line_data.csv").write_text(
        "journal_line_id,account_code,account_type,journal_id,net_amount\nL1,6401,EXPENSE,J1,120.5\nL2,,BANK,J1,-120.5\nL3,5001,DIRECTCOSTS,J1,9.5\n",
        encoding="utf-8",
    )
    (exports / "xero_invoice_data.csv").write_text(
        "invoice_id,contact_id,date,due_date,fully_paid_on_date,total,currency_code,status,type\nI1,C1,2026-10-01,2026-10-31,,100,CNY,AUTHORISED,ACCREC\nI2,C1,2026-10-01,2026-10-31,,50,CNY,VOIDED,ACCREC\n",
        encoding="utf-8",
    )
    taken = take("xero")
    assert taken.counts("ledger") == [(3, 2, 1)] and taken.tables["invoices"].rows == 1
    assert fact(taken, "after_sales_cost", tmp_path) == Decimal("130.00")


def test_hubspot_with_labels_as_headers(exports: Path, take):
    (exports / "hubspot-crm-exports-all-contacts-2026-11-01.csv").write_text(
        '"Record ID","First Name","Last Name","Email","Lifecycle Stage","Create Date","State/Region"\n"501","Ann","Lee","a@x","Customer","2026-01-05 10:00","CA"\n',
        encoding="utf-8",
    )
    (exports / "hubspot-crm-exports-all-tickets-2026-11-01.csv").write_text(
        '"Ticket ID","Ticket name","Pipeline","Ticket status","Create date","Close date","First agent email response date","Ticket owner","Source","Priority","Category","Ticket description","Associated Contact","Associated Contact IDs"\n'
        '"901","Noise","Support Pipeline","Closed","2026-10-01 08:00","2026-10-02 08:00","2026-10-01 09:30","Kim","Email","High","Product issue","It hums","Ann Lee (a@x)","501"\n'
        '"902","Bill","Support Pipeline","Waiting on us","2026-10-02 08:00","","","","Phone","Low","","Too much","Ann Lee (a@x);Bo (b@x)","501;502"\n',
        encoding="utf-8",
    )
    (exports / "hubspot-crm-exports-deals-2026-11-01.csv").write_text(
        '"Record ID","Deal Name","Deal Stage","Amount","Create Date","Close Date","Associated Contact IDs"\n"801","Filters","Closed Won","1,200.00","2026-09-01 08:00","2026-10-05 08:00","501"\n',
        encoding="utf-8",
    )
    taken = take("hubspot")
    assert taken.rows(
        "tickets", "ticket_id", "customer_id", "ticket_type", "status", "first_response_at", "agent_id"
    ) == [
        ("901", "501", "repair", "closed", at("10-01 09:30"), "Kim"),
        ("902", "501;502", "other", "open", None, None),
    ]
    assert taken.rows("opportunities", "opportunity_id", "customer_id", "won", "amount") == [
        ("801", "501", True, Decimal("1200.00"))
    ]


def test_servicenow_says_where_its_export_is_cut(exports: Path, take):
    row = '"INC{0:07d}","x","Acme","Bow","New","Hardware","3 - Moderate","Desk","Beth","Phone","2026-10-01 01:00:00","","",""\n'
    head = '"number","short_description","company","caller_id","state","category","priority","assignment_group","assigned_to","contact_type","opened_at","resolved_at","closed_at","reopen_count"\n'
    (exports / "incident.csv").write_text(
        head + "".join(row.format(number) for number in range(10_000)), encoding="utf-8"
    )
    with pytest.raises(
        SourceError, match=r"incident\.csv: exactly 10,000 rows, where the system cuts an export"
    ):
        take("servicenow")
    (exports / "incident.csv").write_bytes((head + row.format(1).replace("Acme", "Café")).encode("cp1252"))
    with pytest.raises(SourceError, match=r"incident\.csv: .*or state its encoding in the source map"):
        take("servicenow")


def test_a_status_of_ones_own_is_asked_for_by_name(exports: Path, take):
    (exports / "issues_job1.csv").write_text(
        "id,key,project_key,issue_type,summary,reporter_id,assignee_id,status,priority_name,created_date,resolution_date\n1,S-1,S,Support,x,7,,Open,Low,2026-10-01T08:00:00Z,\n",
        encoding="utf-8",
    )
    (exports / "issue_history_job1.csv").write_text(
        "issue_id,created_date,field,to_string\n1,2026-10-01T09:00:00Z,status,Waiting for parts\n",
        encoding="utf-8",
    )
    with pytest.raises(
        SourceError, match=r"status 'Waiting for parts' is under none of open, resolved and closed in the map"
    ):
        take("jira")
