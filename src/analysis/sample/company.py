"""What the sample company is: regions, models, plants, suppliers, teams, parts. Constants only, no random number."""

from __future__ import annotations

from typing import NamedTuple

COMPANY_NAME = {"en": "Lumen Appliances", "zh": "流明电器"}
TIME_ZONE = "Asia/Shanghai"
UTC_OFFSET_HOURS = 8  # Asia/Shanghai has kept UTC+8 without daylight saving since 1991
CURRENCY = "CNY"

REGIONS: tuple[str, ...] = ("North", "East", "South", "West", "Central")
REGION_SHARE: tuple[float, ...] = (0.20, 0.28, 0.24, 0.12, 0.16)
CHANNELS: tuple[str, ...] = ("Direct", "Dealer", "Online", "Store")
CONTACT_CHANNELS: tuple[str, ...] = ("Phone", "WeChat", "App", "Web", "Email")
TIERS: tuple[str, ...] = ("key", "gold", "standard")


class Product(NamedTuple):
    product_id: str
    product_line: str
    model: str
    category: str
    launched_on: str
    list_price: int
    unit_cost: int
    warranty_months: int
    share_b2c: float
    share_b2b: float


PRODUCTS: tuple[Product, ...] = (
    Product("LM-H100", "Home Comfort", "H100", "Heat pump", "2019-03-01", 24_800, 15_400, 24, 0.45, 0.03),
    Product("LM-H300", "Home Comfort", "H300", "Heat pump", "2020-05-01", 42_800, 26_300, 24, 0.40, 0.05),
    Product(
        "LM-C200", "Commercial Cooling", "C200", "Refrigeration", "2019-09-01", 51_800, 33_100, 36, 0.12, 0.40
    ),
    Product(
        "LM-C500",
        "Commercial Cooling",
        "C500",
        "Refrigeration",
        "2021-02-01",
        102_000,
        64_300,
        36,
        0.01,
        0.18,
    ),
    Product(
        "LM-A400", "Air Systems", "A400", "Air conditioning", "2018-06-01", 75_800, 48_500, 36, 0.02, 0.22
    ),
    Product(
        "LM-A800", "Air Systems", "A800", "Air conditioning", "2020-10-01", 162_000, 100_400, 36, 0.001, 0.12
    ),
)
PRODUCT_LINES: tuple[str, ...] = ("Home Comfort", "Commercial Cooling", "Air Systems")
LINE_OF_PRODUCT: tuple[int, ...] = tuple(PRODUCT_LINES.index(p.product_line) for p in PRODUCTS)

PLANTS: tuple[str, ...] = ("Suzhou", "Foshan", "Chengdu")
PLANT_LETTERS: tuple[str, ...] = ("S", "F", "C")
MAIN_PLANT: tuple[int, ...] = (1, 1, 0, 0, 2, 0)  # by product
SECOND_PLANT: tuple[int, ...] = (0, 2, 1, 2, 0, 2)
MAIN_PLANT_SHARE = 0.65

SUPPLIERS: tuple[str, ...] = ("Hengda", "Norvik", "Qiming", "Satoya")
SUPPLIER_SHARE: tuple[
    tuple[float, ...], ...
] = (  # by product: no model has one supplier only, or cause and model could not be told apart
    (0.40, 0.25, 0.20, 0.15),
    (0.35, 0.30, 0.15, 0.20),
    (0.30, 0.30, 0.22, 0.18),
    (0.45, 0.20, 0.15, 0.20),
    (0.30, 0.25, 0.25, 0.20),
    (0.40, 0.30, 0.12, 0.18),
)


class Component(NamedTuple):
    """A component that fails. Life is Weibull in months in service (time to first failure; later ones by minimal repair)."""

    component: str
    name_zh: str
    fault_code: str
    shape: float
    scale_months: float
    part_no: str
    part_price: float


COMPONENTS: tuple[Component, ...] = (
    Component("compressor", "压缩机", "F10", 2.2, 175.0, "P-CMP-10", 1_680.0),
    Component("control_board", "主控板", "F20", 0.65, 1_400.0, "P-PCB-20", 620.0),
    Component("fan_motor", "风机电机", "F30", 1.0, 640.0, "P-FAN-30", 390.0),
    Component("solenoid_valve", "电磁阀", "F40", 1.0, 900.0, "P-VLV-40", 210.0),
    Component("temperature_sensor", "温度传感器", "F50", 1.0, 700.0, "P-SEN-50", 95.0),
    Component("door_seal", "密封条", "F60", 1.0, 1_150.0, "P-SEA-60", 130.0),
    Component("heat_exchanger", "换热器", "F70", 1.0, 1_200.0, "P-HEX-70", 980.0),
)
COMPRESSOR, CONTROL_BOARD, FAN_MOTOR = 0, 1, 2
NO_FAULT_FOUND = "NFF"
CONSUMABLE_PART = ("P-KIT-01", 45.0)


class Team(NamedTuple):
    team: str
    name_zh: str
    region: str | None
    sourcing: str
    cost_center: str
    area: float
    hourly_cost: float


TEAMS: tuple[Team, ...] = (
    Team("Field North", "华北现场服务", "North", "in_house", "CC-7101", 620.0, 158.0),
    Team("Field East", "华东现场服务", "East", "in_house", "CC-7102", 940.0, 164.0),
    Team("Field South", "华南现场服务", "South", "in_house", "CC-7103", 810.0, 161.0),
    Team("Field West", "西部现场服务", "West", "in_house", "CC-7104", 430.0, 150.0),
    Team("Field Central", "华中现场服务", "Central", "in_house", "CC-7105", 520.0, 153.0),
    Team("Contact Centre", "客服中心", None, "in_house", "CC-7201", 680.0, 113.0),
    Team("Partner Ruian", "瑞安服务商", None, "outsourced", "CC-7301", 0.0, 0.0),
    Team("Partner Vector", "维泰服务商", None, "outsourced", "CC-7302", 0.0, 0.0),
)
CONTACT_CENTRE, PARTNER_RUIAN, PARTNER_VECTOR = 5, 6, 7

TICKET_TYPES: tuple[str, ...] = (
    "repair",
    "complaint",
    "return",
    "exchange",
    "inquiry",
    "installation",
    "maintenance",
    "other",
)
REPAIR, COMPLAINT, RETURN, EXCHANGE, INQUIRY, INSTALLATION, MAINTENANCE, OTHER = range(8)
STANDARD_HOURS: tuple[float, ...] = (
    7.6,
    4.2,
    3.0,
    4.4,
    0.7,
    8.4,
    5.2,
    1.2,
)  # agent hours a ticket, by ticket type
PARTNER_FEE: tuple[float, ...] = (
    690.0,
    0.0,
    240.0,
    380.0,
    0.0,
    760.0,
    430.0,
    0.0,
)  # yuan a ticket, by ticket type
FREIGHT: tuple[float, ...] = (86.0, 0.0, 310.0, 420.0, 0.0, 65.0, 24.0, 0.0)

NAMES_ZH: dict[str, str] = {
    "North": "华北",
    "East": "华东",
    "South": "华南",
    "West": "西部",
    "Central": "华中",
    "Home Comfort": "家用舒适",
    "Commercial Cooling": "商用制冷",
    "Air Systems": "商用空调",
    "Heat pump": "热泵",
    "Refrigeration": "制冷",
    "Air conditioning": "空调",
    "Direct": "直销",
    "Dealer": "经销商",
    "Online": "电商",
    "Store": "门店",
    "Phone": "电话",
    "WeChat": "微信",
    "App": "应用",
    "Web": "网页",
    "Email": "邮件",
    "key": "重点",
    "gold": "金牌",
    "standard": "普通",
    "Suzhou": "苏州",
    "Foshan": "佛山",
    "Chengdu": "成都",
    "Hengda": "恒达",
    "Norvik": "诺维克",
    "Qiming": "启明",
    "Satoya": "佐藤屋",
    "Self Service": "自助服务",
    "price": "价格",
    "competitor": "竞争对手",
    "moved": "搬迁",
    "closed business": "停业",
    "no longer needed": "不再需要",
    "service": "服务",
    "critical": "严重",
    "major": "较重",
    "minor": "轻微",
    "on-site repair": "上门维修",
    "complaint handling": "投诉处理",
    "return handling": "退货处理",
    "exchange": "换货",
    "answering": "咨询解答",
    "installation": "安装",
    "maintenance visit": "上门保养",
    "other service": "其他服务",
    **{team.team: team.name_zh for team in TEAMS},
    **{component.component: component.name_zh for component in COMPONENTS},
}
"""Chinese names of the values that appear in the tables, for the catalogue of labels."""
