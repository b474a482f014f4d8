"""What is planted in the hirer of heavy machines, written down before anything was tuned: the answer sheet of the template ``heavy``.

A rate is of breakdowns per operating hour; "from T-8" means eight months before the last month and all later ones.

================== ========================================================== ===========================================================
truth              where and how strong                                       what a reader should find
================== ========================================================== ===========================================================
hours_wear         slew bearings, excavators: rate grows as operating hours   they fail by hours, not by calendar age: at one age the
                   to the power 1.6 (Weibull shape 2.6 in hours)              busy machines lose theirs
abrasive_site      Iron Gully: rate of undercarriage tracks x 3               one site, one component
stretched_interval Boundary Hill and Kite Creek from T-11: every second 500 h breakdowns of these two sites rise by about three quarters
                   service is left out; rate x 2.5 while one is missing       from a month on; the first half of each 1,000 h is as before
oil_analysis       machines of the Goldfields Workshop from T-13: 45 % of     the unplanned share of that work falls; a breakdown takes
                   breakdowns of pump, injector and final drive become        fewer hours: the registered measure delivered
                   planned exchanges, 15 % elsewhere; the workshop's repairs
                   take 0.8 of the hours
telematics         Darling Workshop from T-9: nothing; 15 % was promised   the registered measure did not deliver
pump_supplier      pumps of Kestrel Hydraulics, first 4,000 hours: rate x 4   one supplier's pumps fail early, across models
engine_batch       EX36 made three calendar years before the last: rate of    one model's batch of one year, one component
                   injectors x 4
contract_workshop  contracted repairs: 0.75 of what the own work would cost,  cheaper by the job, and it comes back more often
                   repeated within a month 18 %, 6 % in own workshops
parts_price        hydraulic pump and final drive from T-7: +14 %             a step of two prices, no other
idle_team          Component Shop from T-5: 38 % of paid hours unused, 12 %   one team pays for hours nobody works
                   elsewhere
night_shift        breakdowns between 18:00 and 06:00: time to repair x 1.6   the same breakdown stands longer at night
parts_wait         final drives from T-8: time to repair x 2.5, hours of work  machines wait for a part: downtime grows, work does not
                   as before
dear_service       loaders WL40: service kits x 1.7                           one model's planned cost per operating hour is truly higher
================== ========================================================== ===========================================================

Wattle Creek (two machines at scale 1) is like its peers: what it seems to break down more or less in a quarter is chance.
``telematics`` plants nothing; it is in the sheet so that a verdict of "not delivered" can be checked.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from analysis.periods import Month
from analysis.sample.truths import months_ago, refuse_unknown_truths

ABOUT: dict[str, str] = {
    "hours_wear": "Slew bearings wear out by operating hours, not by calendar age.",
    "abrasive_site": "Undercarriage tracks of Iron Gully fail three times as often.",
    "stretched_interval": "Two sites leave out every second service and break down more often.",
    "oil_analysis": "Oil analysis turns breakdowns into planned exchanges and shortens repairs.",
    "telematics": "Telematics promised fewer hours per repair and changed nothing.",
    "pump_supplier": "Pumps of Kestrel Hydraulics fail early.",
    "engine_batch": "Injectors of EX36 machines of one year of manufacture fail more often.",
    "contract_workshop": "The contract workshop costs less per job and its repairs come back more often.",
    "parts_price": "Two parts cost fourteen per cent more from a month on.",
    "idle_team": "The Component Shop is paid for hours that are not worked.",
    "night_shift": "Breakdowns at night take longer to repair.",
    "parts_wait": "Machines wait for final drives; the work on them is as before.",
    "dear_service": "Services of WL40 loaders need dearer kits.",
}
TRUTHS: tuple[str, ...] = tuple(ABOUT)


@dataclass(frozen=True, kw_only=True)
class Strengths:
    """Every strength as it is in force; those of a truth that is off read "no effect"."""

    wear_power: float = 1.6
    abrasive_rate: float = 3.0
    skipped_service_rate: float = 2.5
    skips_services: bool = True
    found_early: float = 0.45
    oil_hours: float = 0.8
    telematics_hours: float = 1.0
    early_pump_rate: float = 4.0
    batch_rate: float = 4.0
    contract_fee: float = 0.75
    contract_repeats: float = 0.18
    parts_price: float = 1.14
    idle_unused: float = 0.38
    night_repair: float = 1.6
    parts_wait: float = 2.5
    dear_kit: float = 1.7


USUAL_FOUND_EARLY = 0.15
USUAL_REPEATS = 0.06
USUAL_UNUSED = 0.12

_OFF: dict[str, dict[str, float]] = {
    "hours_wear": {"wear_power": 0.0},
    "abrasive_site": {"abrasive_rate": 1.0},
    "stretched_interval": {"skipped_service_rate": 1.0, "skips_services": False},
    "oil_analysis": {"found_early": USUAL_FOUND_EARLY, "oil_hours": 1.0},
    "telematics": {"telematics_hours": 1.0},
    "pump_supplier": {"early_pump_rate": 1.0},
    "engine_batch": {"batch_rate": 1.0},
    "contract_workshop": {"contract_fee": 1.0, "contract_repeats": USUAL_REPEATS},
    "parts_price": {"parts_price": 1.0},
    "idle_team": {"idle_unused": USUAL_UNUSED},
    "night_shift": {"night_repair": 1.0},
    "parts_wait": {"parts_wait": 1.0},
    "dear_service": {"dear_kit": 1.0},
}
# Of each truth: where it lies (values of the tables), and the month it begins with, counted back from the last one.
_WHERE: dict[str, dict[str, str]] = {
    "hours_wear": {
        "tickets": "ticket_type repair, component slew_bearing; usage against units.in_service_on"
    },
    "abrasive_site": {"tickets": "ticket_type repair, component undercarriage_track, region Iron Gully"},
    "stretched_interval": {"tickets": "ticket_type repair, region Boundary Hill or Kite Creek"},
    "oil_analysis": {
        "tickets": "component hydraulic_pump, engine_injector or final_drive, sites of the Goldfields Workshop"
    },
    "telematics": {"tickets": "ticket_type repair, team Darling Workshop"},
    "pump_supplier": {
        "tickets": "component hydraulic_pump, usage below 4,000; units.supplier Kestrel Hydraulics"
    },
    "engine_batch": {
        "tickets": "component engine_injector; units.batch of EX36 and the year three before the last"
    },
    "contract_workshop": {"tickets": "ticket_type repair, team Contract Workshop"},
    "parts_price": {"parts_used": "part_no P-110 and P-160"},
    "idle_team": {"staff": "team Component Shop"},
    "night_shift": {"tickets": "ticket_type repair, opened from 18:00 to 06:00"},
    "parts_wait": {"tickets": "ticket_type repair, component final_drive"},
    "dear_service": {"parts_used": "kits of services of model WL40"},
}
AGO: dict[str, int] = {
    "stretched_interval": 11,
    "oil_analysis": 13,
    "telematics": 9,
    "parts_price": 7,
    "idle_team": 5,
    "parts_wait": 8,
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which truths are on, how strong, and when they begin."""

    last: Month
    off: frozenset[str]
    window_months: int

    def __post_init__(self) -> None:
        refuse_unknown_truths(self.off, TRUTHS)

    @property
    def strength(self) -> Strengths:
        changed: dict[str, Any] = {}
        for name in self.off:
            changed |= _OFF[name]
        return Strengths(**changed)

    @property
    def batch_year(self) -> int:
        """Year of manufacture of the machines with the bad injectors."""
        return self.last.start.year - 3

    def begins(self, name: str) -> Month:
        """The first month of a truth."""
        return months_ago(self.last, AGO[name], self.window_months)

    def sheet(self) -> dict[str, dict[str, Any]]:
        """By truth: active, about, where, the month it begins with and its strengths."""
        strengths = asdict(self.strength)
        return {
            name: {
                "active": name not in self.off,
                "about": about,
                "where": _WHERE[name],
                **({"begins": str(self.begins(name))} if name in AGO else {}),
                "strength": {each: strengths[each] for each in _OFF[name]},
            }
            for name, about in ABOUT.items()
        }
