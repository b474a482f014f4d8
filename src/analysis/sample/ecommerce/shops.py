"""The seller in plain data: shops, platforms, products, teams, accounts and usual rates. Nothing heavy is imported."""

from __future__ import annotations

from typing import NamedTuple

SHOPS: tuple[str, ...] = ("Cloud Flagship", "Cloud Outlet", "Harbour Store", "Clover Store")
FLAGSHIP, OUTLET, HARBOUR, CLOVER = range(4)
PLATFORMS: tuple[str, ...] = ("Cloudmart", "Cloudmart", "Harbour", "Clover")
SHOP_SHARE = (0.46, 0.22, 0.29, 0.03)
PRICE_LEVEL = (1.0, 0.8, 1.0, 0.9)
FAITHFUL = 0.9  # orders through the shop of the buyer's first one; the rest anywhere

LINES: tuple[str, ...] = ("Apparel", "Shoes", "Home Textiles", "Kitchen")
APPAREL, SHOES, TEXTILES, KITCHEN = range(4)
LINE_SHARE = (0.30, 0.20, 0.20, 0.30)
RETURN_RATE = (0.13, 0.11, 0.06, 0.026)
EXCHANGE_RATE = (0.04, 0.05, 0.01, 0.01)


class Product(NamedTuple):
    model: str
    line: int
    unit_cost: int
    list_price: int


PRODUCTS: tuple[Product, ...] = (
    Product("Linen shirt", APPAREL, 62, 159),
    Product("Knit cardigan", APPAREL, 88, 219),
    Product("Down jacket", APPAREL, 210, 499),
    Product("Cotton trousers", APPAREL, 58, 139),
    Product("Running shoe", SHOES, 120, 299),
    Product("Leather loafer", SHOES, 150, 369),
    Product("Canvas sneaker", SHOES, 55, 149),
    Product("Quilt cover set", TEXTILES, 110, 269),
    Product("Latex pillow", TEXTILES, 60, 149),
    Product("Bath towel set", TEXTILES, 32, 89),
    Product("Cast-iron pot", KITCHEN, 95, 239),
    Product("Knife set", KITCHEN, 70, 189),
    Product("Storage boxes", KITCHEN, 24, 69),
    Product("Thermos flask", KITCHEN, 38, 109),
)

KINDS: tuple[str, ...] = ("inquiry", "return", "exchange", "complaint")
INQUIRY, RETURN, EXCHANGE, COMPLAINT = range(4)
STANDARD_HOURS = (0.20, 0.50, 0.70, 1.50)
RESPONSE_HOURS = (0.12, 3.0, 3.0, 5.0)  # mean; exponential for chats, wider for complaints
TARGET_HOURS = (0.5, 24.0, 24.0, 24.0)
COMPENSATED = (0.0, 0.25, 0.15, 0.45)  # share of cases with a compensation
COMPENSATION = (0.0, 12.0, 15.0, 45.0)  # yuan, mean
FREIGHT = (0.0, 11.0, 18.0, 0.0)
FEE = (9.0, 16.0, 18.0, 24.0)  # what the night partner charges a case

TEAMS: tuple[str, ...] = (*(f"Desk {shop}" for shop in SHOPS), "Peak Crew", "Night Partner")
PEAK_CREW, NIGHT_PARTNER = 4, 5
WAGE = (42.0, 42.0, 42.0, 42.0, 35.0)  # yuan a paid hour, with social insurance
PEAK_MONTHS = (6, 11)  # 618 and Double Eleven
AFTER_PEAK = (7, 12)
HOURS_A_MONTH = 165.0
WORKED_TO_HANDLED = 1.06
UNUSED_SHARE = 0.20

REGIONS: tuple[str, ...] = ("North", "East", "South", "West", "Central")
REGION_SHARE = (0.20, 0.36, 0.22, 0.10, 0.12)
CONTACT_CHANNELS: tuple[str, ...] = ("Chat", "Phone")


class Account(NamedTuple):
    account: str
    category: str


ACCOUNTS: tuple[Account, ...] = (
    Account("6601.01.01", "labour"),
    Account("6601.01.02", "labour"),
    Account("6601.01.03", "labour"),
    Account("6601.03.01", "logistics"),
    Account("6601.03.02", "logistics"),
    Account("6601.04.01", "compensation"),
    Account("6601.04.02", "compensation"),
    Account("6601.05.01", "outsourcing"),
    Account("6601.06.01", "training_management"),
    Account("6601.06.02", "training_management"),
    Account("6601.07.01", "tools_systems"),
    Account("6601.07.02", "tools_systems"),
)
ACCOUNT_AT = {entry.account: index for index, entry in enumerate(ACCOUNTS)}
CATEGORIES: tuple[str, ...] = tuple(dict.fromkeys(entry.category for entry in ACCOUNTS))
FREIGHT_ACCOUNT = {RETURN: "6601.03.01", EXCHANGE: "6601.03.02"}
COMPENSATION_ACCOUNT = {RETURN: "6601.04.01", EXCHANGE: "6601.04.01", COMPLAINT: "6601.04.02"}


class Pool(NamedTuple):
    """A cost that no shop has alone: its account, the driver that shares it out, yuan a month at scale 1."""

    pool: str
    account: str
    driver: str
    monthly: float


POOLS: tuple[Pool, ...] = (
    Pool("training", "6601.06.01", "hours", 5_200.0),
    Pool("management", "6601.06.02", "hours", 11_000.0),
    Pool("systems", "6601.07.01", "tickets", 7_400.0),
    Pool("bot", "6601.07.02", "tickets", 3_100.0),
)
