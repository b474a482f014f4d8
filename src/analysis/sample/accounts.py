"""Chart of accounts, cost pools and cost centres of the sample company. Plain data: nothing heavy is imported."""

from __future__ import annotations

from typing import NamedTuple


class Account(NamedTuple):
    """One general-ledger account and the cost category its postings belong to."""

    account: str
    name_en: str
    name_zh: str
    category: str


ACCOUNTS: tuple[Account, ...] = (
    Account("6601.01.01", "Service wages and salaries", "售后人员工资", "labour"),
    Account("6601.01.02", "Social insurance and housing fund", "社会保险及住房公积金", "labour"),
    Account("6601.01.03", "Overtime and allowances", "加班费及津贴", "labour"),
    Account("6601.02.01", "Spare parts consumed", "维修备件领用", "parts"),
    Account("6601.02.02", "Spare parts returned to stock", "备件退库", "parts"),
    Account("6601.02.09", "Recoveries of parts cost from suppliers", "供应商质量索赔收回", "parts"),
    Account("6601.03.01", "Freight of parts and machines", "备件及整机运费", "logistics"),
    Account("6601.03.02", "Return freight", "退货运费", "logistics"),
    Account("6601.04.01", "Customer compensation", "客户赔偿", "compensation"),
    Account("6601.05.01", "Service partners, per order", "外包服务商按单结算", "outsourcing"),
    Account("6601.06.01", "Training", "培训费", "training_management"),
    Account("6601.06.02", "Service management and quality control", "服务管理与质检", "training_management"),
    Account("6601.07.01", "Service desk and CRM licences", "工单及客户系统费用", "tools_systems"),
    Account("6601.07.02", "Tools and test equipment", "工具及检测设备", "tools_systems"),
    Account("6601.08.01", "Rent of service points and depots", "服务网点及仓库租金", "premises_equipment"),
    Account("6601.08.02", "Depreciation of service equipment", "服务设备折旧", "premises_equipment"),
    Account("6601.09.01", "Telephone and network", "电话及网络费", "telecom"),
    Account("6601.10.01", "Shared services charged to service", "分摊的共享服务费", "indirect"),
    Account("6601.11.01", "Other service expense", "其他售后费用", "other"),
    Account("2241.05.01", "Warranty provision: accrued", "产品质量保证金计提", "other"),
    Account("2241.05.02", "Warranty provision: utilised", "产品质量保证金使用", "other"),
    Account("2241.05.03", "Warranty provision: adjusted", "产品质量保证金调整", "other"),
)

UNMAPPED_ACCOUNT = "6601.99.07"
"""A suspense account that no map knows; a few postings land on it and must stay visible as unallocated."""


class Pool(NamedTuple):
    """A cost pool: its account, the driver that shares it out, yuan a month at scale 1, and its names."""

    pool: str
    account: str
    driver: str
    monthly: float
    name_en: str
    name_zh: str


POOLS: tuple[Pool, ...] = (
    Pool("premises", "6601.08.01", "area", 92_000.0, "Service points and depots", "服务网点及仓库"),
    Pool("equipment", "6601.08.02", "area", 31_000.0, "Service equipment", "服务设备"),
    Pool("systems", "6601.07.01", "seats", 64_000.0, "Service desk and CRM", "工单及客户系统"),
    Pool("tools", "6601.07.02", "headcount", 22_000.0, "Tools and test equipment", "工具及检测设备"),
    Pool("telecom", "6601.09.01", "tickets", 33_000.0, "Telephone and network", "电话及网络"),
    Pool("training", "6601.06.01", "headcount", 46_000.0, "Training", "培训"),
    Pool("management", "6601.06.02", "hours", 98_000.0, "Management and quality control", "管理与质检"),
    Pool("shared_services", "6601.10.01", "hours", 52_000.0, "Shared services", "共享服务"),
)

CATEGORY_OF: dict[str, str] = {entry.account: entry.category for entry in ACCOUNTS}
