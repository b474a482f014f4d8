"""Shop exports in the vendor's own form through the maps that ship: 京东, 拼多多, Shopify. Each row was worked out by hand."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.errors import SourceError

from .conftest import write_workbook

#: The whole header of the list as the seller's back office exports it.
JD = [
    "订单号",
    "商品ID",
    "商品名称",
    "订购数量",
    "支付方式",
    "下单时间",
    "京东价",
    "订单金额",
    "结算金额",
    "余额支付",
    "应付金额",
    "订单状态",
    "订单类型",
    "下单帐号",
    "客户姓名",
    "客户地址",
    "联系电话",
    "订单备注",
    "发票类型",
    "发票抬头",
    "发票内容",
    "商家备注",
    "商家备注等级（等级1-5为由高到低）",
    "运费金额",
    "付款确认时间",
    "增值税发票",
    "货号",
    "订单完成时间",
    "订单来源",
    "订单渠道",
]
PDD = [
    "商品",
    "订单号",
    "订单状态",
    "商品总价(元)",
    "邮费(元)",
    "店铺优惠折扣(元)",
    "平台优惠折扣(元)",
    "多多支付立减金额(元)",
    "用户实付金额(元)",
    "商家实收金额(元)",
    "商品数量(件)",
    "是否审核中",
    "支付时间",
    "承诺发货时间",
    "发货时间",
    "确认收货时间",
    "商品id",
    "商品规格",
    "样式ID",
    "商家编码-规格维度",
    "商家编码-商品维度",
    "商家备注",
    "售后状态",
    "快递单号",
    "快递公司",
    "省",
    "市",
    "区",
]
SHOPIFY = [
    "Name",
    "Email",
    "Financial Status",
    "Paid at",
    "Fulfillment Status",
    "Fulfilled at",
    "Accepts Marketing",
    "Currency",
    "Subtotal",
    "Shipping",
    "Taxes",
    "Total",
    "Discount Code",
    "Discount Amount",
    "Shipping Method",
    "Created at",
    "Lineitem quantity",
    "Lineitem name",
    "Lineitem price",
    "Lineitem compare at price",
    "Lineitem sku",
    "Lineitem requires shipping",
    "Lineitem taxable",
    "Lineitem fulfillment status",
    "Billing Name",
    "Billing Province",
    "Shipping Name",
    "Shipping Province",
    "Notes",
    "Cancelled at",
    "Payment Method",
    "Refunded Amount",
    "Vendor",
    "Id",
    "Source",
]


def table(header: list[str], *rows: dict[str, str]) -> str:
    """CSV of rows that say only what matters."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def jd(order: str, buyer: str, payable: str, status: str, paid: str, **more: str) -> dict[str, str]:
    return {
        "订单号": order,
        "商品ID": "P1",
        "订购数量": "1",
        "下单时间": "2026-10-01 07:59:00",
        "京东价": "250.00",
        "订单金额": "500.00",
        "应付金额": payable,
        "订单状态": status,
        "下单帐号": buyer,
        "付款确认时间": paid,
    } | more


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-{text}")


JD_ROWS = (
    jd("301", "jd_wang", "500.00", "完成", "2026-10-01 08:00:00"),
    jd("301", "jd_wang", "500.00", "完成", "2026-10-01 08:00:00", 商品ID="P2", 订购数量="2"),
    jd("302", "jd_li", "1,299.00", "等待确认收货", ""),
    jd("303", "jd_wang", "88.00", "(删除)等待出库", "2026-10-02 08:00:00"),
    jd("304", "jd_zhao", "66.50", "等待出库", "2026-11-01 00:00:00"),
)


def test_jd_orders_count_once_however_many_articles_they_have(exports: Path, take):
    (exports / "京东订单20261101.csv").write_bytes(table(JD, *JD_ROWS).encode("gb18030"))
    taken = take("jd_orders")
    assert taken.rows("orders", "order_id", "customer_id", "ordered_at", "revenue", "currency") == [
        ("301", "jd_wang", at("10-01 00:00"), Decimal("500.00"), "CNY"),
        ("302", "jd_li", at("09-30 23:59"), Decimal("1299.00"), "CNY"),  # paid on delivery: the order's time
        ("304", "jd_zhao", at("10-31 16:00"), Decimal("66.50"), "CNY"),
    ]
    assert taken.counts("orders") == [(5, 3, 2)]
    assert taken.rows("customers", "customer_id") == [("jd_li",), ("jd_wang",), ("jd_zhao",)]


def test_jd_orders_from_a_workbook_with_totals_and_a_renamed_account(exports: Path, take):
    header = ["下单账号" if name == "下单帐号" else name for name in JD]
    rows = [[one.get(name, "") for name in JD] for one in JD_ROWS]
    rows.append(["合计", *[""] * 9, "2453.50", *[""] * (len(JD) - 11)])
    write_workbook(exports / "京东订单.xlsx", {"订单": [header, *rows]})
    taken = take("jd_orders")
    assert taken.counts("orders") == [(6, 3, 3)]
    assert sum(row[0] for row in taken.rows("orders", "revenue")) == Decimal("1865.50")


def test_jd_without_the_amount_payable_is_refused_by_name(exports: Path, take):
    header = ["应付" if name == "应付金额" else name for name in JD]
    (exports / "京东订单.csv").write_text(table(header), encoding="utf-8")
    with pytest.raises(SourceError, match=r"京东订单\.csv: column '应付金额' is not there"):
        take("jd_orders")
    (exports / "京东订单.csv").write_text("", encoding="utf-8")
    with pytest.raises(SourceError, match=r"京东订单\.csv: the file is empty, without even a header"):
        take("jd_orders")


def pdd(order: str, received: str, status: str, after: str, paid: str) -> dict[str, str]:
    return {
        "商品": "净化器滤芯",
        "订单号": f"{order}\t",
        "订单状态": status,
        "用户实付金额(元)": "17.80",
        "商家实收金额(元)": received,
        "商品数量(件)": "2",
        "支付时间": paid,
        "商品id": "754299529443\t",
        "售后状态": after,
        "省": "浙江省",
    }


PDD_ROWS = (
    pdd("261001-111", "19.80", "已收货", "无售后或售后取消", "2026-10-01 07:30:00"),
    pdd("261001-112", "35.00", "已发货，待签收", "退款成功", "2026-10-01 08:30:00"),
    pdd("261001-113", "35.00", "未发货，退款成功", "退款成功", "2026-10-01 08:30:00"),
    pdd("261001-114", "35.00", "已取消", "", ""),
    pdd("261001-115", "41.20", "待发货", "无售后或售后取消", "2026-10-31 23:59:59"),
)


def test_pinduoduo_orders_without_those_refunded_or_cancelled(exports: Path, take):
    (exports / "拼多多订单2026-10.csv").write_text(table(PDD, *PDD_ROWS), encoding="utf-8-sig")
    taken = take("pdd_orders")
    assert taken.rows("orders", "order_id", "product_id", "ordered_at", "quantity", "revenue", "region") == [
        ("261001-111", "754299529443", at("09-30 23:30"), 2, Decimal("19.80"), "浙江省"),
        ("261001-115", "754299529443", at("10-31 15:59:59"), 2, Decimal("41.20"), "浙江省"),
    ]
    assert taken.counts("orders") == [(5, 2, 3)]
    assert taken.tables["customers"].rows == 0  # the export names no buyer


def test_pinduoduo_orders_of_older_and_newer_exports(exports: Path, take):
    """订单成交时间 instead of 支付时间; a status that the map does not know is left out and counted, and told where nothing else is kept."""
    header = ["订单成交时间" if name == "支付时间" else name for name in PDD]
    rows = [
        {("订单成交时间" if key == "支付时间" else key): text for key, text in one.items()}
        for one in PDD_ROWS
    ]
    (exports / "拼多多订单.csv").write_text(table(header, *rows), encoding="utf-8")
    assert take("pdd_orders").counts("orders") == [(5, 2, 3)]
    (exports / "拼多多订单.csv").write_text(table(header, rows[0] | {"订单状态": "风控中"}), encoding="utf-8")
    taken = take("pdd_orders")
    assert taken.counts("orders") == [(1, 0, 1)]
    assert (
        "订单状态: no row fits the map's rule (only, without or found_in) (1, e.g. '风控中')"
        in taken.notes("orders")
    )


def shop(name: str, **more: str) -> dict[str, str]:
    return {"Name": name, "Lineitem quantity": "1", "Lineitem name": "Filter", "Vendor": "Lumen"} | more


def head(email: str, status: str, subtotal: str, refunded: str = "0.00", **more: str) -> dict[str, str]:
    return {
        "Email": email,
        "Financial Status": status,
        "Paid at": "2026-10-01 10:00:00 +0200",
        "Currency": "USD",
        "Subtotal": subtotal,
        "Shipping": "5.00",
        "Total": "99.00",
        "Refunded Amount": refunded,
        "Created at": "2026-10-01 09:58:12 +0200",
        "Billing Name": email.partition("@")[0].title(),
        "Billing Province": "IL",
        "Shipping Province": "CA",
        "Source": "web",
    } | more


SHOPIFY_ROWS = (
    shop("#1001", **head("ann@example.com", "paid", "29.98")),
    shop("#1001"),
    shop("#1002", **head("bo@example.com", "partially_refunded", "1,200.00", "200.00")),
    shop("#1003", **head("bo@example.com", "refunded", "50.00", "55.00")),
    shop(
        "#1004", **head("cy@example.com", "voided", "50.00", **{"Cancelled at": "2026-10-02 10:00:00 +0200"})
    ),
    shop("#1005", **head("ann@example.com", "pending", "10.00", **{"Paid at": ""})),
    shop("#1006", **head("", "paid", "12.00")),
    shop("#1007", **head("cy@example.com", "paid", "8.00", **{"Cancelled at": "2026-10-02 10:00:00 +0200"})),
)


@pytest.mark.parametrize("cancelled", ["Cancelled at", "Canceled at"])
def test_shopify_orders_of_several_rows(exports: Path, take, cancelled: str):
    text = table(SHOPIFY, *SHOPIFY_ROWS).replace("Cancelled at", cancelled)
    (exports / "orders_export_1.csv").write_text(text, encoding="utf-8")
    rates = {"USD": [(dt.date(2026, 1, 1), Decimal("7"))]}
    taken = take("shopify", currency="CNY", exchange_rates=rates)
    assert taken.rows("orders", "order_id", "customer_id", "ordered_at", "revenue", "channel", "region") == [
        ("#1001", "ann@example.com", at("10-01 08:00"), Decimal("209.86"), "web", "CA"),
        ("#1002", "bo@example.com", at("10-01 08:00"), Decimal("7000.00"), "web", "CA"),
    ]
    assert taken.counts("orders") == [(8, 2, 6)]
    assert taken.rows("customers", "customer_id", "customer_name") == [
        ("ann@example.com", "Ann"),
        ("bo@example.com", "Bo"),
        ("cy@example.com", "Cy"),
    ]


def test_shopify_orders_over_two_files_count_once(exports: Path, take):
    """Large exports come in parts; an order that stands in both is one, and a column that Shopify renames is asked for by name."""
    first, second = table(SHOPIFY, *SHOPIFY_ROWS[:3]), table(SHOPIFY, *SHOPIFY_ROWS[2:])
    (exports / "orders_export_1.csv").write_text(first, encoding="utf-8")
    (exports / "orders_export_2.csv").write_text(second, encoding="utf-8")
    taken = take("shopify", currency="USD")
    assert taken.counts("orders") == [(3, 2, 1), (6, 0, 6)]
    assert sum(row[0] for row in taken.rows("orders", "revenue")) == Decimal("1029.98")
    (exports / "orders_export_2.csv").write_text(
        second.replace("Refunded Amount", "Refunds"), encoding="utf-8"
    )
    with pytest.raises(SourceError, match=r"orders_export_2\.csv: column 'Refunded Amount' is not there"):
        take("shopify", currency="USD")
