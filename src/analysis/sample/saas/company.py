"""The software vendor as plain facts: plans, product lines, teams, accounts of the general ledger, exchange rates, and its time zone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.sample.streams import Ints
from analysis.sample.timeline import SummerTimeline

CURRENCY, FOREIGN = "EUR", "USD"
TIME_ZONE = "Europe/Berlin"

PLANS = ("Starter", "Team", "Business", "Enterprise")
STARTER = 0
PLAN_SHARES = (0.36, 0.32, 0.21, 0.11)
MONTHLY_SHARES = (1.0, 0.5, 0.0, 0.0)  # on terms of one month; the others on terms of twelve
PRICES = (29.0, 149.0, 690.0, 2_600.0)  # a month, in euros; in dollars a tenth more
MARGINS = (0.76, 0.80, 0.82, 0.83)  # gross: hosting and licences taken off
HAZARDS = (0.020, 0.013, 0.008, 0.005)  # of deciding to leave, a month
TICKETS = (0.3, 0.5, 0.8, 1.3)  # a month and account
SEGMENTS = ("small", "small", "mid-market", "enterprise")  # of the plan an account begins with
LINES = ("Core", "Flow", "Insights")
FLOW = 1
LINE_SHARES = (0.48, 0.30, 0.22)
REGIONS = ("DACH", "Benelux and France", "UK and Ireland", "Nordics", "North America")
REGION_SHARES = (0.46, 0.20, 0.19, 0.15)  # of accounts billed in euros; dollars are North America
AMERICA = 4
CHANNELS = ("Direct sales", "Partner", "Self-service", "Marketplace")
CHANNEL_SHARES = (0.30, 0.22, 0.38, 0.10)
BANDS = ("steady", "growing", "declining")
DECLINING = 2

INCIDENT, HOW_TO, BILLING, FEATURE, COMPLAINT, ACCESS, TRAINING = range(7)
ACTIVITIES = (
    "incident",
    "how-to question",
    "billing question",
    "feature request",
    "complaint",
    "account change",
    "admin training",
)
TYPES = ("repair", "inquiry", "inquiry", "inquiry", "complaint", "other", "installation")
KIND_SHARES = (0.31, 0.24, 0.14, 0.10, 0.05, 0.16)
HOURS = (1.4, 0.6, 0.5, 0.6, 1.2, 0.4, 3.0)  # handling, mean
SEVERITIES = ("critical", "major", "minor")  # severity 1, 2 and 3 of the contract
SEVERITY_SHARES = (0.11, 0.24, 0.65)
MODULES = ("API", "Sync", "Sign-in", "Reports", "Import")


class Team(NamedTuple):
    """A team: whether it is outsourced, and what an hour of its people costs in euros."""

    team: str
    sourcing: str
    cost_center: str
    hourly: float


TEAMS: tuple[Team, ...] = (
    Team("Frontline", "in_house", "4100", 33.0),
    Team("Technical", "in_house", "4200", 45.0),
    Team("Billing Desk", "in_house", "4300", 32.0),
    Team("Onboarding", "in_house", "4400", 40.0),
    Team("Night Partner", "outsourced", "4900", 0.0),
)
FRONTLINE, TECHNICAL, BILLING_DESK, ONBOARDING, NIGHT = range(5)
TEAM_OF_KIND = (TECHNICAL, FRONTLINE, BILLING_DESK, FRONTLINE, FRONTLINE, FRONTLINE, ONBOARDING)


class Account(NamedTuple):
    """A general-ledger account, numbered as in the German standard chart SKR04, and the category of its postings."""

    account: str
    category: str


SALARIES, SOCIAL, OUTSOURCED = (
    Account("6020", "labour"),
    Account("6110", "labour"),
    Account("5900", "outsourcing"),
)


class Pool(NamedTuple):
    """A monthly cost that is shared by a driver: euros a month at scale 1, and a yearly rise."""

    pool: str
    account: Account
    monthly: float


POOLS: tuple[Pool, ...] = (
    Pool("systems", Account("6837", "tools_systems"), 6_400.0),
    Pool("telecom", Account("6805", "telecom"), 1_500.0),
    Pool("premises", Account("6310", "premises_equipment"), 4_200.0),
    Pool("training", Account("6821", "training_management"), 1_300.0),
    Pool("management", Account("6000", "training_management"), 7_500.0),
    Pool("shared_services", Account("6300", "indirect"), 2_600.0),
)
ACCOUNTS: tuple[Account, ...] = (SALARIES, SOCIAL, OUTSOURCED, *(pool.account for pool in POOLS))

# Euros for a dollar from the first day of each quarter. Rounded examples, the same as in params/runs/saas.yml: no source states them.
RATES: dict[str, str] = {
    f"{year}-{month:02d}-01": rate
    for year, rates in {
        2019: ("0.87", "0.89", "0.88", "0.91"),
        2020: ("0.90", "0.91", "0.89", "0.85"),
        2021: ("0.82", "0.85", "0.84", "0.86"),
        2022: ("0.88", "0.90", "0.96", "1.02"),
        2023: ("0.94", "0.92", "0.92", "0.95"),
        2024: ("0.91", "0.93", "0.93", "0.90"),
        2025: ("0.97", "0.92", "0.85", "0.85"),
        2026: ("0.86", "0.84", "0.82", "0.80"),
    }.items()
    for month, rate in zip((1, 4, 7, 10), rates, strict=True)
}


def in_euros(cents: Ints, dollars: np.ndarray, days: np.ndarray) -> Ints:
    """Cents in the reporting currency, at the rate of each row's own day and rounded as the load rounds them: half away from zero.

    Parameters
    ----------
    days : business days as datetime64[D]
    """
    starts = np.array(list(RATES), dtype="datetime64[D]")
    percent = np.array([round(float(rate) * 100) for rate in RATES.values()])
    rate = percent[np.maximum(np.searchsorted(starts, days, side="right") - 1, 0)]
    converted = np.sign(cents) * ((np.abs(cents) * rate + 50) // 100)
    euros: Ints = np.where(dollars, converted, cents).astype(np.int64)
    return euros


class BerlinTimeline(SummerTimeline):
    """The sample's time axis in Europe/Berlin: clocks change on the last Sunday of March and of October."""

    winter = 1
    changes = ((3, -1, 2), (10, -1, 3))
