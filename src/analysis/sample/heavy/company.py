"""The hirer of heavy machines as plain facts: sites, models, components, services, workshops, accounts of the general ledger."""

from __future__ import annotations

from typing import NamedTuple

# Western Australia: mines and quarries that run by the hour, and one clock all year, eight hours ahead of UTC as the sample's own time axis.
CURRENCY = "AUD"
TIME_ZONE = "Australia/Perth"

CUSTOMERS: tuple[str, ...] = (
    "Corella Iron",
    "Numbat Resources",
    "Bandicoot Gold",
    "Galah Minerals",
    "Wombat Quarries",
    "Quokka Aggregates",
    "Ibis Sands",
)


class Site(NamedTuple):
    """A mine or quarry: whose it is, which workshop serves it, its share of the machines, operating hours a machine and month."""

    site: str
    customer: int
    workshop: int
    weight: float
    monthly: float
    nights: bool


PILBARA, GOLDFIELDS, DARLING, COMPONENT_SHOP, CONTRACT = range(5)
SITES: tuple[Site, ...] = (
    Site("Iron Gully", 0, PILBARA, 16, 520, True),
    Site("Boundary Hill", 0, PILBARA, 14, 540, True),
    Site("Red Mesa", 1, PILBARA, 13, 510, True),
    Site("Spinifex Flat", 1, PILBARA, 11, 490, True),
    Site("Kite Creek", 0, PILBARA, 10, 520, True),
    Site("Dry Lagoon", 1, PILBARA, 7, 430, True),
    Site("Lantern Pit", 2, GOLDFIELDS, 15, 500, True),
    Site("Quartz Hollow", 2, GOLDFIELDS, 13, 480, True),
    Site("Salt Pan North", 3, GOLDFIELDS, 12, 420, False),
    Site("Old Windmill", 3, GOLDFIELDS, 10, 360, False),
    Site("Mulga Rise", 2, GOLDFIELDS, 9, 450, True),
    Site("Emu Bend", 3, GOLDFIELDS, 6, 330, False),
    Site("Karri Quarry", 4, DARLING, 11, 210, False),
    Site("Granite Pool", 4, DARLING, 9, 230, False),
    Site("Bluestone Quarry", 4, DARLING, 9, 190, False),
    Site("Tuart Sands", 6, DARLING, 8, 220, False),
    Site("Jarrah Road", 5, DARLING, 7, 180, False),
    Site("Limestone Point", 5, DARLING, 7, 200, False),
    Site("Coastal Sands", 6, DARLING, 6, 240, False),
    Site("Red Gravel", 5, DARLING, 5, 170, False),
    Site("Wattle Creek", 6, DARLING, 1, 190, False),
)
SITE_NAMES: tuple[str, ...] = tuple(site.site for site in SITES)
ABRASIVE, SMALL = SITE_NAMES.index("Iron Gully"), SITE_NAMES.index("Wattle Creek")
STRETCHED = (SITE_NAMES.index("Boundary Hill"), SITE_NAMES.index("Kite Creek"))
WET_MONTHS, WET_HOURS = (1, 2, 3), 0.85  # cyclones and rain: the Pilbara loses hours


class Model(NamedTuple):
    """A machine: its line, share of the fleet, dollars of purchase, of hire by the hour, and what its parts cost against the list of EX36."""

    product_id: str
    model: str
    line: int
    share: float
    price: int
    hire: float
    size: float


LINES: tuple[str, ...] = ("Excavators", "Wheel Loaders")
EXCAVATOR, LOADER = range(2)
MODELS: tuple[Model, ...] = (
    Model("M-EX22", "EX22", EXCAVATOR, 0.18, 290_000, 98.0, 0.8),
    Model("M-EX36", "EX36", EXCAVATOR, 0.30, 460_000, 146.0, 1.0),
    Model("M-EX52", "EX52", EXCAVATOR, 0.14, 780_000, 215.0, 1.3),
    Model("M-EX90", "EX90", EXCAVATOR, 0.08, 1_650_000, 370.0, 1.9),
    Model("M-WL25", "WL25", LOADER, 0.16, 380_000, 112.0, 0.8),
    Model("M-WL40", "WL40", LOADER, 0.14, 690_000, 188.0, 1.2),
)
EX36, WL40 = 1, 5
SUPPLIERS: tuple[str, ...] = ("Norland Fluid Power", "Kestrel Hydraulics", "Pacific Drives")  # of the pump
SUPPLIER_SHARES = (0.42, 0.30, 0.28)
KESTREL, EARLY_HOURS = 1, 4_000


class Component(NamedTuple):
    """Breakdowns for 1,000 operating hours of an excavator and of a loader, dollars of the part, hours of work and usual hours to repair."""

    component: str
    fault_code: str
    rates: tuple[float, float]
    part_no: str
    price: float
    hours: float
    repair: float


COMPONENTS: tuple[Component, ...] = (
    Component("hydraulic_pump", "H110", (0.16, 0.12), "P-110", 9_800.0, 20.0, 22.0),
    Component("undercarriage_track", "U120", (0.22, 0.0), "P-120", 6_400.0, 18.0, 16.0),
    Component("slew_bearing", "S130", (0.10, 0.0), "P-130", 12_600.0, 40.0, 48.0),
    Component("engine_injector", "E140", (0.15, 0.17), "P-140", 1_450.0, 11.0, 12.0),
    Component("boom_cylinder", "H150", (0.18, 0.22), "P-150", 3_900.0, 13.0, 13.0),
    Component("final_drive", "D160", (0.10, 0.14), "P-160", 8_200.0, 24.0, 26.0),
    Component("hydraulic_hose", "H170", (0.50, 0.45), "P-170", 260.0, 4.0, 4.5),
    Component("electrical_sensor", "E180", (0.30, 0.34), "P-180", 190.0, 3.5, 4.0),
    Component("axle_brake", "D190", (0.0, 0.26), "P-190", 3_100.0, 15.0, 14.0),
)
PUMP, TRACK, BEARING, INJECTOR, CYLINDER, DRIVE = range(6)
OIL_WETTED = (PUMP, INJECTOR, DRIVE)
WEAR_HOURS, MOST_HOURS = (
    15_000.0,
    50_000.0,
)  # where the wearing rate is the usual one, and beyond which it grows no more
DEARER_PARTS = (PUMP, DRIVE)
EXCHANGE_WORK, EXCHANGE_REPAIR = 0.8, 0.45  # of a breakdown, where it is exchanged before it breaks

SERVICE_EVERY = 500
SERVICES: tuple[str, ...] = ("500 h service", "1000 h service", "2000 h service")
SERVICE_HOURS = (7.0, 11.0, 20.0)
SERVICE_STANDS = (7.0, 11.0, 20.0)  # hours from the start of a service to its end
KITS: tuple[str, ...] = ("K-0500", "K-1000", "K-2000")
KIT_PRICE = (620.0, 1_150.0, 2_700.0)
ACTIVITIES: tuple[str, ...] = (*SERVICES, "planned exchange", "breakdown repair", "repeated repair")
EXCHANGE, BREAKDOWN, REPEAT = 3, 4, 5


class Team(NamedTuple):
    """A workshop: whether it is contracted, what an hour of its people costs in dollars, square metres."""

    team: str
    sourcing: str
    cost_center: str
    hourly: float
    area: float


TEAMS: tuple[Team, ...] = (
    Team("Pilbara Workshop", "in_house", "WS-10", 104.0, 2_600.0),
    Team("Goldfields Workshop", "in_house", "WS-20", 98.0, 2_100.0),
    Team("Darling Workshop", "in_house", "WS-30", 88.0, 1_400.0),
    Team("Component Shop", "in_house", "WS-40", 92.0, 1_800.0),
    Team("Contract Workshop", "outsourced", "WS-90", 0.0, 0.0),
)
CONTRACTED_SHARE = 0.20  # of breakdowns
FREIGHT = 210.0  # dollars of parts freight a job, mean


class Account(NamedTuple):
    """A general-ledger account and the category of its postings.

    Australia prescribes no chart; the numbers follow the classes of MYOB AccountRight, five for cost of sales and six for expenses
    (MYOB, help page "Accounts list").
    """

    account: str
    category: str


WAGES, ON_COSTS = Account("5-1100", "labour"), Account("5-1200", "labour")
PARTS, KITS_AND_OIL = Account("5-2100", "parts"), Account("5-2200", "parts")
CONTRACTED, PARTS_FREIGHT = Account("5-3100", "outsourcing"), Account("5-4100", "logistics")


class Pool(NamedTuple):
    """A monthly cost that is shared by a driver: dollars a month at scale 1."""

    pool: str
    account: Account
    monthly: float


POOLS: tuple[Pool, ...] = (
    Pool("systems", Account("6-1100", "tools_systems"), 34_000.0),
    Pool("tools", Account("6-1200", "tools_systems"), 22_000.0),
    Pool("premises", Account("6-2100", "premises_equipment"), 68_000.0),
    Pool("trucks", Account("6-2200", "premises_equipment"), 57_000.0),
    Pool("training", Account("6-3100", "training_management"), 16_000.0),
    Pool("planning", Account("6-3200", "training_management"), 74_000.0),
    Pool("shared_services", Account("6-4100", "indirect"), 31_000.0),
)
ACCOUNTS: tuple[Account, ...] = (
    WAGES, ON_COSTS, PARTS, KITS_AND_OIL, CONTRACTED, PARTS_FREIGHT, *(pool.account for pool in POOLS),
)  # fmt: skip
