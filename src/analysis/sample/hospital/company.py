"""The maker of hospital equipment as plain facts: machines, parts, contract levels, teams, accounts of the general ledger, and its time zone."""

from __future__ import annotations

from typing import NamedTuple

from analysis.sample.timeline import SummerTimeline

CURRENCY = "USD"
TIME_ZONE = "America/New_York"


class NewYorkTimeline(SummerTimeline):
    """The sample's time axis in America/New_York: clocks change on the second Sunday of March and the first of November."""

    winter = -5
    changes = ((3, 1, 2), (11, 0, 2))


# ---------------------------------------------------------------- machines

LINES = ("Imaging", "Monitoring", "Ventilation", "Infusion", "Sterilization")
IMAGING, MONITORING, VENTILATION, INFUSION, STERILIZATION = range(5)
LINE_SHARES = (0.20, 0.34, 0.17, 0.22, 0.07)
FAILURES = (0.26, 0.10, 0.13, 0.08, 0.22)  # a machine and month, all components together
SITE_HOURS = (9.0, 4.0, 5.0, 3.5, 7.0)  # of an engineer, for an incident on site
VISIT_HOURS = (5.0, 1.5, 2.5, 1.0, 4.0)
FREIGHT = (320.0, 45.0, 70.0, 30.0, 180.0)  # dollars for the part of an incident


class Model(NamedTuple):
    """A machine as it is sold: ``price`` in dollars, ``since`` months before the end of the window."""

    model: str
    line: int
    code: str
    price: float
    cost_share: float
    since: int
    plant: str


MODELS: tuple[Model, ...] = (
    Model("Orin CT", IMAGING, "CT", 820_000.0, 0.66, 120, "Rochester"),
    Model("Orin XR", IMAGING, "XR", 165_000.0, 0.64, 120, "Rochester"),
    Model("Halo M4", MONITORING, "M4", 9_800.0, 0.58, 120, "Albany"),
    Model("Halo M6", MONITORING, "M6", 12_600.0, 0.57, 40, "Albany"),
    Model("Brisa V2", VENTILATION, "V2", 31_000.0, 0.60, 120, "Albany"),
    Model("Brisa V3", VENTILATION, "V3", 38_500.0, 0.59, 44, "Albany"),
    Model("Tarn P2", INFUSION, "P2", 4_200.0, 0.55, 120, "Albany"),
    Model("Kiln S5", STERILIZATION, "S5", 92_000.0, 0.65, 120, "Rochester"),
)
XR, V3 = 1, 5
FIRST_OF_LINE = (0, 2, 4, 6, 7)
SECOND_SHARES = (0.68, 0.70, 0.80, 0.0, 0.0)  # of the second model of a line, once it is there
SUPPLIERS = ("Corvin", "Teval", "Ashby")  # of the key component
WORN_LOT = 3  # the lot of the Orin XR made in the fourth year before the end
FIRMWARES = ("4.0", "4.2", "4.4")
FIRMWARE_SINCE = (120, 34, 16)  # months before the end of the window
BAD_FIRMWARE = 1


class Component(NamedTuple):
    """A part that fails: ``shares`` of the failures of each product line, and what its replacement costs in dollars."""

    component: str
    fault_code: str
    part_no: str
    price: float
    shares: tuple[float, float, float, float, float]


COMPONENTS: tuple[Component, ...] = (
    Component("power_supply", "PSU-01", "P-PSU", 640.0, (0.18, 0.15, 0.12, 0.10, 0.14)),
    Component("control_board", "CTL-02", "P-CTL", 1_450.0, (0.19, 0.15, 0.18, 0.15, 0.14)),
    Component("operator_panel", "PNL-03", "P-PNL", 880.0, (0.13, 0.18, 0.12, 0.15, 0.10)),
    Component("backup_battery", "BAT-04", "P-BAT", 210.0, (0.08, 0.30, 0.20, 0.22, 0.05)),
    Component("sensor", "SEN-05", "P-SEN", 390.0, (0.20, 0.22, 0.18, 0.13, 0.17)),
    Component("xray_tube", "TUB-06", "P-TUB", 11_800.0, (0.12, 0.0, 0.0, 0.0, 0.0)),
    Component("cooling_unit", "COL-07", "P-COL", 2_300.0, (0.10, 0.0, 0.0, 0.0, 0.0)),
    Component("blower", "BLW-08", "P-BLW", 960.0, (0.0, 0.0, 0.20, 0.0, 0.0)),
    Component("pump_drive", "PMP-09", "P-PMP", 310.0, (0.0, 0.0, 0.0, 0.25, 0.0)),
    Component("door_gasket", "GSK-10", "P-GSK", 260.0, (0.0, 0.0, 0.0, 0.0, 0.22)),
    Component("vacuum_pump", "VAC-11", "P-VAC", 1_900.0, (0.0, 0.0, 0.0, 0.0, 0.18)),
)
CONTROL_BOARD, BATTERY, SENSOR, TUBE = 1, 3, 4, 5
SILENT_ALARM = "ALARM-SILENT"
ALARM_RATE = 0.003  # silent alarms a ventilator and month; the component is its control board
NO_FAULT_SHARE = 0.08  # calls without a fault, against the failures
PART_SUPPLIERS = ("Ashby", "Norlec")
NORLEC = 1
NORLEC_SHARE = 0.35

# ---------------------------------------------------------------- contracts and work

LEVELS = ("Gold", "Silver", "Bronze")
GOLD, SILVER, BRONZE = range(3)
LEVEL_SHARES = (0.30, 0.42, 0.28)
FEES = (0.13, 0.10, 0.07)  # a year, of the list price of the machines
RESPONSE_HOURS = (2.0, 4.0, 8.0)  # promised to the first answer
RESOLUTION_HOURS = (24.0, 48.0, 96.0)  # promised to the recovery
UPTIME = (0.97, 0.95, 0.0)  # of the hours of a calendar month, guaranteed a machine
PENALTY_STEP, MOST_PENALTY = 0.5, 2.0  # monthly fees of the machine for each started point below, and at most
REGIONS = ("Northeast", "Mid-Atlantic", "Southeast", "Great Lakes", "West", "Mountain")
NORTHEAST, MID_ATLANTIC, SOUTHEAST, GREAT_LAKES, WEST, MOUNTAIN = range(6)
REGION_SHARES = (0.26, 0.22, 0.20, 0.16, 0.13, 0.03)
CHANNELS = ("Direct sales", "Distributor", "Group purchasing")
CHANNEL_SHARES = (0.50, 0.20, 0.30)
REASONS = ("price", "competitor", "service", "own workshop", "hospital closed")
REASON_SHARES = (0.30, 0.26, 0.12, 0.22, 0.10)
SERVICE_REASON, CLOSED = 2, 4

INCIDENT, VISIT, CALIBRATION, INSTALLATION, INQUIRY, COMPLAINT = range(6)
TYPES = ("repair", "maintenance", "other", "installation", "inquiry", "complaint")
ON_SITE, REMOTE = 6, 7
ACTIVITIES = (
    "incident",
    "planned visit",
    "calibration",
    "installation",
    "question",
    "complaint",
    "repair on site",
    "remote fix",
)
SEVERITIES = (
    "critical",
    "major",
    "minor",
)  # a patient was or could have been harmed; the machine is down; it works in part
CRITICAL, MAJOR, MINOR = range(3)
SEVERITY_SHARES = (0.14, 0.46, 0.40)
CONTACTS = ("Phone", "Portal", "Email", "Machine alert")
CONTACT_SHARES = (0.44, 0.24, 0.12, 0.20)


class Team(NamedTuple):
    """A team and what an hour of its people costs in dollars."""

    team: str
    cost_center: str
    hourly: float


TEAMS: tuple[Team, ...] = (
    Team("Field Northeast", "5100", 78.0),
    Team("Field Mid-Atlantic", "5200", 76.0),
    Team("Field Southeast", "5300", 70.0),
    Team("Field Great Lakes", "5400", 72.0),
    Team("Field West", "5500", 79.0),
    Team("Remote Desk", "5900", 58.0),
)
TEAM_OF_REGION = (0, 1, 2, 3, 4, 4)  # Mountain is served from West
FIELD_LAKES, FIELD_WEST, REMOTE_DESK = 3, 4, 5
GENERAL_COST_CENTER = "5000"


class Account(NamedTuple):
    """A general-ledger account, five digits by function as charts of accounts of American manufacturers have it, and its category."""

    account: str
    category: str


WAGES = Account("51010", "labour")
BENEFITS = Account("51020", "labour")
PARTS = Account("52010", "parts")
INBOUND = Account("53010", "logistics")
PENALTIES = Account("54010", "compensation")


class Pool(NamedTuple):
    """A monthly cost that is shared by a driver: dollars a month at scale 1."""

    pool: str
    account: Account
    monthly: float


POOLS: tuple[Pool, ...] = (
    Pool("premises", Account("58010", "premises_equipment"), 11_500.0),
    Pool("vehicles", Account("58020", "premises_equipment"), 9_400.0),
    Pool("instruments", Account("57020", "tools_systems"), 6_800.0),
    Pool("systems", Account("57010", "tools_systems"), 5_200.0),
    Pool("telecom", Account("59010", "telecom"), 1_900.0),
    Pool("training", Account("56020", "training_management"), 4_600.0),
    Pool("management", Account("56010", "training_management"), 17_500.0),
    Pool("shared_services", Account("59510", "indirect"), 6_200.0),
)
ACCOUNTS: tuple[Account, ...] = (
    WAGES,
    BENEFITS,
    PARTS,
    INBOUND,
    PENALTIES,
    *(pool.account for pool in POOLS),
)
CATEGORIES: tuple[str, ...] = tuple(dict.fromkeys(account.category for account in ACCOUNTS))
