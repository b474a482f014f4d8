"""The answer sheet, written from the world that was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from analysis.sample import company, customers, failures, loyalty, money, service, voice
from analysis.sample.accounts import ACCOUNTS, POOLS, UNMAPPED_ACCOUNT
from analysis.sample.company import COMPONENTS, PRODUCTS, REGIONS, TEAMS
from analysis.sample.tables import batch_labels
from analysis.sample.truths import TRUTHS, SampleTruth

WORKING_MEASURE, FAILED_MEASURE = "remote-diagnosis-east", "consolidated-freight-north"

if TYPE_CHECKING:
    from analysis.sample.world import World


def answer_sheet(life: World, made: dict[str, pa.Table], spots: dict[str, int]) -> SampleTruth:
    timeline, planted = life.timeline, life.planted
    return SampleTruth(
        seed=life.streams.seed,
        first_month=str(timeline.first),
        last_month=str(timeline.last),
        months=len(timeline.window_months),
        scale=life.scale,
        off=tuple(sorted(planted.off)),
        truths=truths_of(life),
        company=company_facts(life),
        totals={"rows": {name: frame.num_rows for name, frame in made.items()}, "blemishes": spots},
    )


Sheet = dict[str, dict[str, Any]]


def truths_of(life: World) -> Sheet:
    """Each truth with its parameters and whether it is planted, then the mixing laws that always hold."""
    sheet = _failure_truths(life) | _customer_truths(life) | _money_truths(life) | _reporting_truths(life)
    planted = {name: sheet[name] | {"active": life.planted.on(name)} for name in TRUTHS}
    return planted | {name: law | {"active": True} for name, law in _laws(life).items()}


def by_tier(values: tuple[float, ...]) -> dict[str, float]:
    return dict(zip(company.TIERS, values, strict=True))


def _failure_truths(life: World) -> Sheet:
    planted, units = life.planted, life.units
    product = PRODUCTS[planted.bad_batch_product]
    bad = units.bad_batch
    inside = units.region[bad] == planted.bad_batch_region
    shapes, scales = failures.shapes_and_scales(planted)
    compressor, board = company.COMPRESSOR, company.CONTROL_BOARD
    return {
        "bad_batch": {
            "about": "One production lot fails several times as often at every age; the excess is in the control board. "
            "Shipped mostly, not only, to one region.",
            "batch": bad_batch_label(life),
            "model": product.model,
            "product_id": product.product_id,
            "produced_month": str(planted.bad_batch_month),
            "main_region": REGIONS[planted.bad_batch_region],
            "share_in_main_region": float(inside.mean()) if bad.any() else None,
            "units": int(bad.sum()),
            "rate_ratio": planted.bad_batch_ratio,
            "component": COMPONENTS[board].component,
        },
        "bad_supplier": {
            "about": "Units with key components of one supplier fail more, in every model; the excess is in the fan motor. "
            "Adds to the base rate, does not multiply the bad batch.",
            "supplier": company.SUPPLIERS[planted.bad_supplier_index],
            "rate_ratio": planted.bad_supplier_ratio,
            "component": COMPONENTS[company.FAN_MOTOR].component,
        },
        "wear_out": {
            "about": "The compressor wears out: Weibull shape above one.",
            "component": COMPONENTS[compressor].component,
            "shape": float(shapes[compressor]),
            "scale_months": float(scales[compressor]),
        },
        "infant_mortality": {
            "about": "The control board fails early: Weibull shape below one (outside the bad batch).",
            "component": COMPONENTS[board].component,
            "shape": float(shapes[board]),
            "scale_months": float(scales[board]),
        },
    }


def _customer_truths(life: World) -> Sheet:
    planted = life.planted
    shaped = planted.on("service_shapes_satisfaction")
    after_rework = service.COMPLAINT_AFTER_REWORK if shaped else service.COMPLAINT_AFTER_REPAIR
    return {
        "slow_complaints": {
            "about": "After a complaint not handled within 24 hours the hazard of losing the contract is multiplied, for good.",
            "hazard_ratio": planted.slow_complaint_ratio,
            "landmark_hours": 24,
        },
        "repeat_repair_churn": {
            "about": "A repair within 30 days of the last one on the same serial multiplies the hazard of losing the contract, for good.",
            "hazard_ratio": planted.repeat_repair_ratio,
            "window_days": service.REPEAT_DAYS,
        },
        "service_hurts_repurchase": {
            "about": "From the first slow complaint or repeat repair on, product purchases come at a fraction of the customer's rate.",
            "rate_ratio": planted.repurchase_ratio,
        },
        "service_shapes_satisfaction": {
            "about": "Slow complaints, rework, complaints and waiting lower satisfaction; rework brings complaints.",
            "in_standard_deviations": voice.MOOD_EFFECTS if shaped else {},
            "complaint_share_after_repair": service.COMPLAINT_AFTER_REPAIR,
            "complaint_share_after_rework": after_rework,
        },
        "tier_confounding": {
            "about": "Better tiers are served faster and leave less whatever service does: handling speed and loss share a cause.",
            "slow_share_by_tier": by_tier(planted.slow_share_by_tier),
            "wait_ratio_by_tier": by_tier(planted.wait_by_tier),
            "monthly_cancellation_hazard_by_tier": by_tier(planted.monthly_cancellation_by_tier),
            "business_hazard_ratio": planted.business_cancellation_ratio,
        },
    }


def _money_truths(life: World) -> Sheet:
    planted, paid = life.planted, life.claims.approved > 0
    return {
        "input_price_rise": {
            "about": "Electronic parts cost more from a month on.",
            "parts": list(planted.price_rise_parts),
            "from_month": str(planted.price_rise_month),
            "price_ratio": planted.price_rise_ratio,
        },
        "idle_team": {
            "about": "One team is paid for hours it does not work from a month on.",
            "team": TEAMS[planted.idle_team_index].team,
            "from_month": str(planted.idle_month),
            "unused_share": planted.idle_unused_share,
            "usual_unused_share": planted.usual_unused_share,
        },
        "outsourced_surge": {
            "about": "In the peak months since the surge began partners take more orders and charge more.",
            "from_month": str(planted.surge_month),
            "peak_months": list(planted.peak_months),
            "share": planted.surge_share,
            "usual_share": planted.usual_outsourced_share,
            "fee_ratio": planted.surge_fee_ratio,
        },
        "failed_measure": {
            "about": "A measure registered with an expected saving that changed nothing.",
            "intervention": FAILED_MEASURE,
            "realised_saving_share": 0.0,
        },
        "working_measure": {
            "about": "A measure that did what it promised.",
            "intervention": WORKING_MEASURE,
            "realised_saving_share": round(1 - planted.working_ratio, 6),
        },
        "claim_leakage": {
            "about": "Claims paid twice under another number, and claims out of warranty that were approved.",
            "paid_twice": int((life.claims.duplicate & paid).sum()),
            "approved_out_of_warranty": int((life.claims.out_of_warranty & paid).sum()),
        },
    }


def _reporting_truths(life: World) -> Sheet:
    planted = life.planted
    csat = life.surveys.kind == voice.KINDS.index("csat")
    return {
        "late_claims": {
            "about": "Days from failure to report: exponential, a share of them with a long mean; recent failures are not all reported yet.",
            "prompt_mean_days": planted.prompt_mean_days,
            "late_share": planted.late_share,
            "late_mean_days": planted.late_mean_days,
        },
        "survey_nonresponse": {
            "about": "The chance of answering depends on the score that would be given (worst to best).",
            "response_by_score": list(planted.response_by_score),
            "csat_share_of_all_sent": float((life.surveys.mood[csat] >= voice.SATISFIED).mean())
            if csat.any()
            else None,
        },
    }


def _laws(life: World) -> Sheet:
    """Distributions that hold in every company, whatever is switched off."""
    lives = zip(COMPONENTS, *failures.shapes_and_scales(life.planted), strict=True)
    return {
        "buy_till_you_die": {
            "about": "Product orders of each customer type: BG/NBD with time in weeks, Gamma-Gamma in yuan an order. "
            "Exact where service_hurts_repurchase is off.",
            "time_unit": "week",
            **{name: values._asdict() for name, values in customers.BTYD.items()},
        },
        "contract_renewal": {
            "about": "Yearly maintenance terms: shifted beta-geometric. Exact where slow_complaints and repeat_repair_churn are off.",
            "kind": "maintenance",
            "alpha": loyalty.SBG_ALPHA,
            "beta": loyalty.SBG_BETA,
        },
        "failure_rates": {
            "about": "Weibull life by component in months in service (time to first failure; minimal repair after it), "
            "times a season common to all.",
            "components": {
                entry.component: {"shape": float(shape), "scale_months": float(scale)}
                for entry, shape, scale in lives
            },
            "season_by_calendar_month": list(failures.SEASON),
            "no_fault_found_per_unit_month": failures.NO_FAULT_RATE,
            "records_start_on": str(life.timeline.first.start),
        },
    }


def bad_batch_label(life: World) -> str:
    planted = life.planted
    produced = np.array([float(life.timeline.month_start(planted.bad_batch_month))])
    plant = np.array([company.MAIN_PLANT[planted.bad_batch_product]])
    return str(batch_labels(life.timeline, np.array([planted.bad_batch_product]), produced, plant)[0].as_py())


def interventions(life: World) -> list[dict[str, Any]]:
    """The register of measures as the company would keep it; it does not say which one worked."""
    planted = life.planted
    register = []
    if planted.on("working_measure"):
        register.append(
            {
                "id": WORKING_MEASURE,
                "name": {"en": "Remote diagnosis before field visits, East", "zh": "华东上门前远程诊断"},
                "starts": str(planted.working_month.start),
                "where": {"region": REGIONS[planted.working_region], "ticket_type": "repair"},
                "measure": "handling hours per repair",
                "comparison": {
                    "region": [
                        region
                        for i, region in enumerate(REGIONS)
                        if i not in (planted.working_region, planted.failed_region)
                    ]
                },
                "expected_saving_share": 0.20,
                "cost": 380_000.0 * life.scale,
                "owner": "Field Service East",
            }
        )
    if planted.on("failed_measure"):
        register.append(
            {
                "id": FAILED_MEASURE,
                "name": {"en": "Consolidated parts freight, North", "zh": "华北备件集中配送"},
                "starts": str(planted.failed_month.start),
                "where": {"region": REGIONS[planted.failed_region], "category": "logistics"},
                "measure": "logistics cost per repair",
                "comparison": {
                    "region": [
                        region
                        for i, region in enumerate(REGIONS)
                        if i not in (planted.working_region, planted.failed_region)
                    ]
                },
                "expected_saving_share": 0.15,
                "cost": 160_000.0 * life.scale,
                "owner": "Service Logistics",
            }
        )
    return register


def company_facts(life: World) -> dict[str, Any]:
    """What a params folder needs to know about the company."""
    return {
        "name": company.COMPANY_NAME,
        "currency": company.CURRENCY,
        "time_zone": company.TIME_ZONE,
        "accounts": [entry._asdict() for entry in ACCOUNTS],
        "unmapped_account": UNMAPPED_ACCOUNT,
        "pools": [
            {
                "pool": p.pool,
                "account": p.account,
                "driver": p.driver,
                "name": {"en": p.name_en, "zh": p.name_zh},
            }
            for p in POOLS
        ],
        "cost_centers": list(money.COST_CENTERS),
        "standard_hours_by_ticket_type": dict(zip(company.TICKET_TYPES, company.STANDARD_HOURS, strict=True)),
        "accrual_rate": money.ACCRUAL_RATE,
        "service_revenue_order_types": [
            "extended_warranty",
            "premium_service",
            "paid_repair",
            "other_service",
        ],
        "interventions": interventions(life),
        "ledger_signs": "utilisation postings are credits (negative), accruals debits: incurred + recovery + accrual + utilisation + adjustment is the expense",
        "names_zh": company.NAMES_ZH,
    }
