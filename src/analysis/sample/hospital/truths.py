"""What is planted in the maker and servicer of hospital equipment, written down before anything was tuned: the answer sheet of the template ``hospital``.

``T`` is the last month; "from T-8" means the ninth month before the end of the window counted with the last, and all later ones.

================ ============================================================ ==========================================================
truth            where and how strong                                         what a reader should find
================ ============================================================ ==========================================================
slipped_silver   Silver contracts, incidents from T-8 on: 45 % first answered one level answers later than it promised, from a month on;
                 after their promise, 18 % before and elsewhere               Gold and Bronze do not
worn_tubes       X-ray tubes of one lot of the Orin XR: wear-out (Weibull     one component of one model and batch, late in its life
                 shape 3), at 24 months 4 times the rate of other lots
skipped_visits   a planned visit that was skipped (one in four): failures of  machines without their last visit fail more often
                 the machine x 1.9 until the next one is due
remote_fix       Mid-Atlantic, incidents from T-10 on: 45 % fixed remotely,   the registered pilot delivered: fewer hours an incident and
                 15 % before and elsewhere                                    a shorter recovery
guided_repair    Southeast, incidents from T-9 on: nothing (25 % promised)    the registered measure did not deliver
slow_lakes       Field Great Lakes: recovery on site x 1.8                    penalties of the uptime guarantee lie in one region and team
alarm_firmware   Brisa V3 with firmware 4.2: silent alarms x 10               a safety-relevant failure mode in one firmware
late_loss        a critical incident answered late in the twelve months       hospitals with a late answer renew less often
                 before the renewal: loss of the contract x 4
idle_team        Field West, from T-6 on: 36 % of paid hours unused, 12 %     one team is paid for hours nobody works
                 elsewhere
weak_supplier    parts of Norlec: fail again within four weeks in 16 %,       repairs with its parts come back three times as often
                 5 % with parts of others
sensor_price     part P-SEN, from T-7 on: unit price x 1.14                   one part is dearer from a month on
battery_fix      monitors produced from T-26 on: backup batteries fail x 0.3  the registered fix worked
================ ============================================================ ==========================================================

Mountain (three hospitals in a hundred) is like its peers: its failures a machine and month swing further because it is small.
``guided_repair`` plants nothing; it is in the sheet so that the verdict "not delivered" can be checked.
With ``null`` each strength reads "no effect".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from analysis.sample.truths import PlanOfTruths

ABOUT: dict[str, str] = {
    "slipped_silver": "Silver contracts are answered late more often from a month on.",
    "worn_tubes": "X-ray tubes of one lot wear out early.",
    "skipped_visits": "Machines whose last planned visit was skipped fail more often.",
    "remote_fix": "A pilot of remote fixes in Mid-Atlantic shortens recovery and saves hours.",
    "guided_repair": "Guided repair in Southeast was promised to save hours and saves none.",
    "slow_lakes": "Field Great Lakes recovers machines slowly; penalties follow.",
    "alarm_firmware": "One firmware of a ventilator has silent alarms, a safety-relevant failure.",
    "late_loss": "A critical incident answered late raises the loss of the contract at its next renewal.",
    "idle_team": "Field West is paid for hours that are not worked.",
    "weak_supplier": "Parts of one supplier fail again soon.",
    "sensor_price": "The price of the sensor rises.",
    "battery_fix": "A new backup battery of the monitors fails less often.",
}
TRUTHS: tuple[str, ...] = tuple(ABOUT)

USUAL_LATE = 0.18
USUAL_REMOTE = 0.15
USUAL_UNUSED = 0.12
USUAL_AGAIN = 0.05


@dataclass(frozen=True, kw_only=True)
class Strengths:
    """Every strength as it is in force; those of a truth that is off read "no effect". Ratios, and shares where the name ends so."""

    slipped_late_share: float = 0.45
    worn_shape: float = 3.0
    worn_ratio: float = 4.0
    skipped_ratio: float = 1.9
    remote_share: float = 0.45
    guided_ratio: float = 1.0
    lakes_ratio: float = 1.8
    alarm_ratio: float = 10.0
    late_loss_ratio: float = 4.0
    idle_unused_share: float = 0.36
    again_share: float = 0.16
    price_ratio: float = 1.14
    battery_ratio: float = 0.3


@dataclass(frozen=True, kw_only=True)
class Plan(PlanOfTruths):
    """Which truths are on, how strong, and when they begin."""

    about: ClassVar[Mapping[str, str]] = ABOUT
    without: ClassVar[Mapping[str, Mapping[str, float]]] = {
        "slipped_silver": {"slipped_late_share": USUAL_LATE},
        "worn_tubes": {"worn_shape": 1.0, "worn_ratio": 1.0},
        "skipped_visits": {"skipped_ratio": 1.0},
        "remote_fix": {"remote_share": USUAL_REMOTE},
        "guided_repair": {"guided_ratio": 1.0},
        "slow_lakes": {"lakes_ratio": 1.0},
        "alarm_firmware": {"alarm_ratio": 1.0},
        "late_loss": {"late_loss_ratio": 1.0},
        "idle_team": {"idle_unused_share": USUAL_UNUSED},
        "weak_supplier": {"again_share": USUAL_AGAIN},
        "sensor_price": {"price_ratio": 1.0},
        "battery_fix": {"battery_ratio": 1.0},
    }
    where: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "slipped_silver": {
            "tickets": "ticket_type repair, first_response_at after response_due_at; customers.segment Silver"
        },
        "worn_tubes": {"tickets": "component xray_tube; units of model Orin XR, one batch"},
        "skipped_visits": {
            "tickets": "no ticket_type maintenance within 20 days after each half year in service"
        },
        "remote_fix": {"tickets": "ticket_type repair, region Mid-Atlantic, team Remote Desk"},
        "guided_repair": {"tickets": "ticket_type repair, region Southeast"},
        "slow_lakes": {"claims": "of tickets of region Great Lakes"},
        "alarm_firmware": {"tickets": "fault_code ALARM-SILENT; units of batch V3-FW4.2"},
        "late_loss": {
            "tickets": "ticket_type repair, severity critical, first_response_at after response_due_at"
        },
        "idle_team": {"staff": "team Field West"},
        "weak_supplier": {"parts_used": "supplier Norlec"},
        "sensor_price": {"parts_used": "part_no P-SEN"},
        "battery_fix": {
            "tickets": "component backup_battery; units of product line Monitoring by produced_on"
        },
    }
    ago: ClassVar[Mapping[str, int]] = {
        "slipped_silver": 8,
        "remote_fix": 10,
        "guided_repair": 9,
        "idle_team": 6,
        "sensor_price": 7,
        "battery_fix": 26,
    }

    @property
    def strength(self) -> Strengths:
        """What is in force."""
        return Strengths(**self.changed)
