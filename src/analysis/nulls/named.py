"""Whether the report of a template's company names what is planted in it: the studies whole, on tables that were loaded like anybody's.

A truth is named by a finding of a stated kind about a stated subject; where the finding states its strength, the interval should hold the planted one.
The same companies with nothing planted say how often the same finding is made without cause.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from analysis.errors import MissingData
from analysis.metrics import StudyInputs
from analysis.nulls.asking import GRAVE
from analysis.params import load_run
from analysis.params.places import with_own
from analysis.results import Fact, Finding, Severity
from analysis.sample.ecommerce import shops as ecommerce
from analysis.sample.heavy import truths as heavy
from analysis.sample.hospital import truths as hospital
from analysis.sample.saas import truths as saas
from analysis.workbook.month_run import inputs_of, read_tables
from analysis.workbook.sections import SECTIONS, Section

if TYPE_CHECKING:
    from analysis.sample import SampleTruth

Strengths = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Sign:
    """The finding that names a truth.

    section, finding : of the study; the finding's id
    subject : what its subject must hold, by name; a value need only be a part of it
    severities : those that count, all where none is given
    value, strength : the value of the sentence whose interval should hold the planted strength, and that strength
    """

    section: str
    finding: str
    subject: Mapping[str, str] = field(default_factory=dict)
    severities: tuple[Severity, ...] = ()
    value: str = ""
    strength: Callable[[Strengths], float] | None = None

    def meant(self, finding: Mapping[str, Any]) -> bool:
        """Whether a finding, as it is kept, names the truth."""
        named = all(part in finding["subject"].get(name, "") for name, part in self.subject.items())
        return (
            finding["id"] == self.finding
            and named
            and (not self.severities or finding["severity"] in self.severities)
        )

    def holds(self, finding: Mapping[str, Any], strength: Strengths) -> bool | None:
        """Whether the interval of the finding that names it holds the strength; None where none is stated."""
        if self.strength is None or self.value not in finding["intervals"]:
            return None
        low, high = finding["intervals"][self.value]
        return bool(low <= self.strength(strength) <= high)


@dataclass(frozen=True, kw_only=True)
class Reported:
    """What one study said of a company, kept so that a sign can be read off it later.

    findings : by finding its ``id``, ``severity``, ``subject`` and the ``intervals`` of its sentence; strengths : by truth, as planted, in one mapping
    """

    findings: tuple[Mapping[str, Any], ...]
    strengths: tuple[Mapping[str, Strengths], ...]

    @classmethod
    def of(cls, findings: Sequence[Finding], truth: SampleTruth) -> Reported:
        return cls(
            findings=tuple(_kept(one) for one in findings),
            strengths=({name: sheet["strength"] for name, sheet in truth.truths.items()},),
        )

    @property
    def alarms(self) -> tuple[str, ...]:
        return tuple(sorted({one["id"] for one in self.findings if one["severity"] in GRAVE}))


def _kept(finding: Finding) -> dict[str, Any]:
    intervals = {
        name: (fact.interval.low, fact.interval.high)
        for name, fact in finding.statement.values.items()
        if isinstance(fact, Fact) and fact.interval
    }
    return {
        "id": finding.id,
        "severity": finding.severity,
        "subject": dict(finding.subject),
        "intervals": intervals,
    }


def _idle(team: str, unused: str, usual: float) -> Sign:
    """A team whose paid hours are not worked, against the teams that leave ``usual`` of theirs."""
    return Sign(
        section="costs",
        finding="costs.idle_team",
        subject={"team": team},
        value="excess",
        strength=lambda strength: strength[unused] - usual,
    )


def _measure(name: str, *, delivered: bool) -> Sign:
    """A registered measure and its verdict."""
    return Sign(
        section="costs",
        finding="costs.measure",
        subject={"measure": name},
        severities=("good",) if delivered else ("watch", "alert", "info"),
    )


def _price(part: str, ratio: str) -> Sign:
    return Sign(
        section="costs",
        finding="costs.input_price",
        subject={"part_no": part},
        value="change",
        strength=lambda strength: strength[ratio] - 1,
    )


def _comes_back(way: str, strength: Callable[[Strengths], float] | None = None, **subject: str) -> Sign:
    """Work that comes back more often than the same work of others; the share may be planted, the ratio follows from two."""
    return Sign(
        section="costs",
        finding="costs.comes_back",
        subject={"way": way, **subject},
        value="ratio",
        strength=strength,
    )


def _asked_more(strength: str, **subject: str) -> Sign:
    """A kind of service order that a group asked for more often."""
    return Sign(
        section="costs",
        finding="costs.demand",
        subject=subject,
        value="ratio",
        strength=lambda found: found[strength],
    )


def _excess(value: str = "", strength: str = "", **subject: str) -> Sign:
    """Machines that fail more often than others."""
    return Sign(
        section="failures",
        finding="failures.excess",
        subject=subject,
        value=value,
        strength=(lambda found: found[strength]) if strength else None,
    )


def _overdue(ratio: str) -> Sign:
    """Machines that are overdue for planned service fail more often."""
    return Sign(
        section="failures",
        finding="failures.overdue_services",
        value="ratio",
        strength=lambda strength: strength[ratio],
    )


#: By template and truth, the finding that names it. A truth that no finding names yet is in the answer sheet and not here.
SIGNS: Mapping[str, Mapping[str, Sign]] = {
    "saas": {
        "slow_severity_1": Sign(
            section="value",
            finding="value.service_effect",
            subject={"treatment": "responded_in_time"},
            severities=("alert", "watch"),
        ),
        "untrained_start": Sign(
            section="value",
            finding="value.service_effect",
            subject={"treatment": "onboarding"},
            severities=("alert", "watch"),
        ),
        "quick_feature": Sign(
            section="value",
            finding="value.service_effect",
            subject={"treatment": "feature_request_within_8h"},
        ),
        "costly_starter": Sign(
            section="value",
            finding="value.costly_group",
            subject={"attribute": "plan", "held": "Starter"},
            severities=("alert", "watch"),
        ),
        "declining_usage": Sign(
            section="retention",
            finding="retention.group",
            subject={"attribute": "usage_band", "held": "declining"},
            severities=("alert", "watch"),
        ),
        "price_rise": Sign(
            section="retention", finding="retention.surge", subject={"attribute": "plan", "held": "Starter"}
        ),
        "bot_share": _measure("bot-questions", delivered=True),
        "dollar_growth": Sign(
            section="retention",
            finding="retention.newcomers",
            subject={"attribute": "region", "held": "North America"},
        ),
        "idle_team": _idle("Frontline", "idle_unused", saas.USUAL_UNUSED),
        "night_partner": _comes_back(
            "reopened", lambda strength: strength["partner_reopen"], team="Night Partner"
        ),
        "bot_billing": _comes_back("reopened", automated="true", activity="billing question"),
        "release_surge": _asked_more("release_surge", ticket_type="repair", product_line="Flow"),
    },
    "ecommerce": {
        "return_label": _measure("return-label-flagship", delivered=True),
        "shift_plan": _measure("shift-plan-harbour", delivered=False),
        "bot_share": _measure("bot-inquiries", delivered=True),
        "night_slow": Sign(section="costs", finding="costs.shops"),
        "idle_season": Sign(
            section="costs",
            finding="costs.idle_months",
            subject={"team": "Peak Crew"},
            value="excess",
            strength=lambda strength: strength["unused_share"] - ecommerce.UNUSED_SHARE,
        ),
        "bot_complaints": _comes_back("complained", automated="true", activity="return"),
        "late_refund": Sign(
            section="value",
            finding="value.service_effect",
            subject={"treatment": "refund_within_7_days"},
            severities=("alert", "watch"),
        ),
        "size_chart": _asked_more(
            "return_rate_ratio", ticket_type="return", product_line="Shoes", shop="Cloud Outlet"
        ),
        "slow_decline": Sign(
            section="costs",
            finding="costs.yearly",
            subject={"ticket_type": "return", "product_line": "Kitchen"},
            severities=("good",),
        ),
        "unit_cost": Sign(
            section="costs",
            finding="costs.shop_unit_cost",
            subject={"shop": "Harbour Store", "ticket_type": "return"},
            value="ratio",
            strength=lambda strength: strength["freight_ratio"],
        ),
        "platform_rule": Sign(
            section="costs",
            finding="costs.shop_shift",
            subject={"platform": "Harbour", "ticket_type": "return"},
            value="ratio",
            strength=lambda strength: strength["amount_ratio"],
        ),
        "night_compensation": Sign(
            section="costs",
            finding="costs.team_amounts",
            subject={"team": "Night Partner"},
            value="ratio",
            strength=lambda strength: strength["amount_ratio"],
        ),
        "labour_share": Sign(
            section="costs", finding="costs.labour_share_of_shop", subject={"shop": "Cloud Outlet"}
        ),
    },
    "hospital": {
        "idle_team": _idle("Field West", "idle_unused_share", hospital.USUAL_UNUSED),
        "remote_fix": _measure("remote-fix-mid-atlantic", delivered=True),
        "guided_repair": _measure("guided-repair-southeast", delivered=False),
        "sensor_price": _price("P-SEN", "price_ratio"),
        "weak_supplier": _comes_back("repeated", supplier="Norlec"),
        "battery_fix": Sign(
            section="failures",
            finding="failures.fix",
            subject={"fix": "battery-of-monitors"},
            severities=("good",),
            value="ratio",
            strength=lambda strength: strength["battery_ratio"],
        ),
        "alarm_firmware": _excess("ratio", "alarm_ratio", batch="V3-FW4.2", fault_code="ALARM-SILENT"),
        "worn_tubes": _excess(batch="XR-22", component="xray_tube"),
        "skipped_visits": _overdue("skipped_ratio"),
    },
    "heavy": {
        "idle_team": _idle("Component Shop", "idle_unused", heavy.USUAL_UNUSED),
        "oil_analysis": _measure("oil-analysis-goldfields", delivered=True),
        "telematics": _measure("telematics-darling", delivered=False),
        "parts_price": _price("P-1", "parts_price"),
        "abrasive_site": _excess(
            "ratio", "abrasive_rate", region="Iron Gully", component="undercarriage_track"
        ),
        "stretched_interval": _overdue("skipped_service_rate"),
        "dear_service": Sign(
            section="failures", finding="failures.planned_cost_by_use", subject={"model": "WL40"}
        ),
        "contract_workshop": _comes_back("repeated", team="Contract Workshop"),
        "engine_batch": _excess("ratio", "batch_rate", batch="EX36", component="engine_injector"),
        "pump_supplier": Sign(
            section="failures",
            finding="failures.early_cause",
            subject={"supplier": "Kestrel", "component": "hydraulic_pump"},
            value="ratio",
            strength=lambda strength: strength["early_pump_rate"],
        ),
        "hours_wear": Sign(
            section="failures",
            finding="failures.wear_out_by_use",
            subject={"component": "slew_bearing"},
            value="shape",
            strength=lambda strength: 1 + strength["wear_power"],
        ),
    },
}


class OfTemplate:
    """Companies of an industry template, written, loaded and opened as anybody's; the folder of one is gone when the next is made."""

    def __init__(self, template: str, scale: float, *, null: bool) -> None:
        self.template, self.scale, self.null = template, scale, null
        self.params = load_run(template)
        self._folder: TemporaryDirectory[str] | None = None

    def company(self, seed: int) -> tuple[StudyInputs, SampleTruth]:
        """The company of a seed under the run and the params of its template, and its answer sheet."""
        from analysis.sample import make_sample

        if self._folder:
            self._folder.cleanup()
        self._folder = TemporaryDirectory(prefix="after-sales-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        truth = make_sample(
            folder / "data", seed=seed, null=self.null, scale=self.scale, template=self.template
        )
        return self._opened(folder), truth

    def _opened(self, folder: Path) -> StudyInputs:
        with with_own(self.params.own_params):
            tables = read_tables(self.params, folder / "data", store=folder / "store")
            return inputs_of(self.params, tables, cache=None)


def studies_of(template: str) -> Mapping[str, Callable[[StudyInputs, SampleTruth], Reported]]:
    """By section of the template's run, its study whole."""
    sections = load_run(template).sections
    return {one.id: _whole(one) for one in SECTIONS if not sections or one.id in sections}


def _whole(section: Section) -> Callable[[StudyInputs, SampleTruth], Reported]:
    def study(inputs: StudyInputs, truth: SampleTruth) -> Reported:
        try:
            found = section.load()(inputs).findings
        except MissingData:
            found = ()
        return Reported.of(found, truth)

    return study
