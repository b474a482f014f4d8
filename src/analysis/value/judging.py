"""Which results become findings, and which doubts are shown."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from analysis.errors import AnalysisError
from analysis.locale import Text
from analysis.metrics import StudyInputs
from analysis.metrics.lineage import traced
from analysis.results import Check, Fact, Finding, Sentence, Severity
from analysis.value.acquiring import Channel
from analysis.value.base import ValueBase
from analysis.value.changing import CUSTOMER_STEPS, Change
from analysis.value.investing import Investment
from analysis.value.modelling import Modelling
from analysis.value.portfolio import Portfolio
from analysis.value.pricing import Available
from analysis.value.settings import ValueSettings
from analysis.value.stating import Stating, cents

SECTION = "value"
UNRELATED = 0.10  # a correlation of frequency and spend below this leaves Gamma–Gamma standing
HEAVY = 0.01  # share of the base's value from which customers below cost are something to watch
BASIS_NAMES = {
    "contribution": Text(
        en="contribution margin (gross margin minus service cost traced to the customer)",
        zh="贡献毛利（毛利减可追溯至客户的服务成本）",
    ),
    "gross_margin": Text(en="gross margin, before service cost", zh="毛利（未扣服务成本）"),
    "revenue": Text(en="revenue; no cost is taken off", zh="收入（未扣任何成本）"),
}


@traced
def findings(inputs: StudyInputs, settings: ValueSettings, parts: Mapping[str, Any]) -> tuple[Finding, ...]:
    return (
        *_worth(parts),
        *_break_even(parts),
        *_model(parts),
        *_change(parts),
        *_concentration(parts),
        *_investment(parts),
        *_acquisition(parts),
    )


def _finding(id: str, severity: Severity, statement: Sentence, *, rank: float = 0.0, **more: Any) -> Finding:
    return Finding(
        id=f"{SECTION}.{id}", section=SECTION, severity=severity, statement=statement, rank=rank, **more
    )


@traced
def _worth(parts: Mapping[str, Any]) -> list[Finding]:
    whole: Portfolio | AnalysisError = parts["portfolio"]
    if isinstance(whole, AnalysisError):
        return []
    values = {
        "customers": whole.customers,
        "total": whole.total,
        "horizon": parts["horizon"],
        "cost": parts["service_year"],
        "share": whole.service_share,
    }
    if parts["service_year"].value is None or whole.service_share.value is None:
        return [
            _finding(
                "worth",
                "info",
                Sentence(
                    "The {customers} of today are expected to bring {total} over {horizon} ({total:interval}).",
                    values,
                ),
                rank=9,
            )
        ]
    return [
        _finding(
            "worth",
            "info",
            Sentence(
                "The {customers} of today are expected to bring {total} over {horizon} ({total:interval}); all of after-sales cost {cost} in twelve months, and what of it can be traced to customers takes {share} of their margin.",
                values,
            ),
            rank=9,
            method="Purchase and contract models on sufficient statistics; interval from the Hessian and the miss in the holdout.",
        )
    ]


def _break_even(parts: Mapping[str, Any]) -> list[Finding]:
    """Cost centre or investment: how much margin after-sales must keep. Says nothing of how much it does keep."""
    found = parts["break_even"]
    if found is None:
        return []
    text = "After-sales at today's level costs {cost} over {horizon}; it pays for itself if without it {share} of the margin expected of today's customers would leave ({share:interval})."
    return [
        _finding(
            "break_even",
            "info",
            Sentence(text, {"cost": found.cost, "horizon": parts["horizon"], "share": found.share}),
            rank=8,
        )
    ]


def _model(parts: Mapping[str, Any]) -> list[Finding]:
    model: Modelling | AnalysisError = parts["modelling"]
    if isinstance(model, AnalysisError) or not model.fallback:
        return []
    values = {"horizon": parts["horizon"]} | ({"miss": model.miss} if model.miss else {})
    text = "The model of purchases is not good enough: it missed the holdout by {miss:signed}. Observed rates by class are used instead, and value is counted over {horizon} only."
    return [
        _finding(
            "model",
            "watch",
            Sentence(
                text
                if model.miss
                else "No model of purchases could be fitted: observed rates by class are used instead, and value is counted over {horizon} only.",
                values,
            ),
            rank=8,
        )
    ]


def _change(parts: Mapping[str, Any]) -> list[Finding]:
    found: Change | AnalysisError = parts["change"]
    if isinstance(found, AnalysisError) or found.by_customers.interval is None:
        return []
    limits = found.by_customers.interval
    severity: Severity = "watch" if limits.high < 0 else "good" if limits.low > 0 else "info"
    values = {
        "change": found.by_customers,
        "new": found.steps["new"],
        "lost": found.steps["lost"],
        "model": found.steps["model"],
    }
    if limits.low <= 0 <= limits.high:
        text = "What customers did in the month moved the value of the base by {change:signed}, which could be noise ({change:interval}): new customers {new:signed}, lost ones {lost:signed}. Re-estimation, which is no growth, moved it by {model:signed}."
    else:
        text = "What customers did in the month {change:word|raised|lowered|left} the value of the base by {change:abs} ({change:interval}): new customers {new:signed}, lost ones {lost:signed}. Re-estimation, which is no growth, moved it by {model:signed}."
    return [
        _finding(
            "change",
            severity,
            Sentence(text, values),
            rank=7,
            method="Last month's base priced with last month's model; then today's customers with that model, today's model, today's assumptions.",
        )
    ]


@traced
def _concentration(parts: Mapping[str, Any]) -> list[Finding]:
    whole: Portfolio | AnalysisError = parts["portfolio"]
    if isinstance(whole, AnalysisError) or whole.top_share.value is None:
        return []
    return [
        _finding(
            "concentration",
            "info",
            Sentence(
                "The most valuable tenth of customers holds {share} of the value ({share:interval}).",
                {"share": whole.top_share},
            ),
            rank=5,
        )
    ]


def _investment(parts: Mapping[str, Any]) -> list[Finding]:
    found: Investment | AnalysisError = parts["investment"]
    whole: Portfolio | AnalysisError = parts["portfolio"]
    if isinstance(found, AnalysisError) or isinstance(whole, AnalysisError):
        return []
    lines = []
    if found.at_risk.customers.value:
        lines.append(
            _finding(
                "at_risk",
                "watch",
                Sentence(
                    "{customers} of the top tier {customers:plural|is|are} likely to be gone within twelve months; {value} goes with them if they are ({value:interval}).",
                    {"customers": found.at_risk.customers, "value": found.at_risk.value},
                ),
                rank=6,
                evidence=found.at_risk.rows,
                method="Chance of leaving above the stated limit, by the purchase model or the renewal model.",
            )
        )
    if found.often.customers.value:
        lines.append(
            _finding(
                "often_served",
                "info",
                Sentence(
                    "{customers} of the top tier {customers:plural|was|were} in service repeatedly within a year: they hold {value} ({value:interval}) and cost {cost} to serve.",
                    {
                        "customers": found.often.customers,
                        "value": found.often.value,
                        "cost": found.often.cost,
                    },
                ),
                rank=4,
                evidence=found.often.rows,
            )
        )
    if found.below.customers.value:
        heavy = whole.total.value is not None and abs(Decimal(found.below.value.value or 0)) > Decimal(
            str(HEAVY)
        ) * abs(Decimal(whole.total.value))
        lines.append(
            _finding(
                "below_cost",
                "watch" if heavy else "info",
                Sentence(
                    "{customers} {customers:plural|is|are} expected to cost more in service than {customers:plural|it brings|they bring}: {value} over {horizon}, after {margin} of margin in the last year.",
                    {
                        "customers": found.below.customers,
                        "value": found.below.value,
                        "horizon": parts["horizon"],
                        "margin": found.below.margin,
                    },
                ),
                rank=3,
                evidence=found.below.rows,
            )
        )
    return lines


def _acquisition(parts: Mapping[str, Any]) -> list[Finding]:
    found: tuple[Channel, ...] | AnalysisError = parts["acquisition"]
    if isinstance(found, AnalysisError):
        return []
    known = [one for one in found if one.ratio.value is not None and one.ratio.interval is not None]
    if not known:
        return []
    worst = min(known, key=lambda one: float(one.ratio.value or 0))
    loses = worst.ratio.interval is not None and worst.ratio.interval.high < 1
    text = "{channel} returns least on marketing: a new customer brings {ratio} what it cost to win ({ratio:interval}); value {value}, cost {cost}."
    return [
        _finding(
            "acquisition",
            "watch" if loses else "info",
            Sentence(
                text, {"channel": worst.label, "ratio": worst.ratio, "value": worst.value, "cost": worst.cost}
            ),
            rank=2,
        )
    ]


# -- checks ----------------------------------------------------------------------------------------------------------------


def checks(
    inputs: StudyInputs, settings: ValueSettings, available: Available, parts: Mapping[str, Any]
) -> tuple[Check, ...]:
    return (
        *_holdout(parts),
        *_independence(parts),
        *_adds_up(parts),
        *_basis(inputs, settings, available, parts),
    )


def _holdout(parts: Mapping[str, Any]) -> list[Check]:
    model: Modelling | AnalysisError = parts["modelling"]
    if isinstance(model, AnalysisError) or model.miss is None:
        return []
    found = [
        Check(
            id="value.holdout",
            outcome="passed" if model.good else "failed",
            sentence=Sentence(
                "{model} without the last weeks predicts their purchases {miss:signed} off ({miss:interval}); the miss is part of every interval here.",
                {"model": model.model, "miss": model.miss},
            ),
        )
    ]
    wrong = [one for one in model.classes if not one.good]
    for one in wrong:
        found.append(
            Check(
                id=f"value.holdout.{one.name}",
                outcome="failed",
                sentence=Sentence(
                    "Customers with {name} repeat purchases: the forecast is {miss:signed} off, beyond the stated limit and beyond chance.",
                    {"name": one.name, "miss": one.miss},
                ),
            )
        )
    if model.classes and not wrong:
        worst = max(model.classes, key=lambda one: abs(float(one.miss.value or 0)))
        found.append(
            Check(
                id="value.holdout.classes",
                outcome="passed",
                sentence=Sentence(
                    "By class of repeat purchases the largest miss is {miss:signed} (class {name}), within the stated limit.",
                    {"name": worst.name, "miss": worst.miss},
                ),
            )
        )
    return found


def _independence(parts: Mapping[str, Any]) -> list[Check]:
    model: Modelling | AnalysisError = parts["modelling"]
    if isinstance(model, AnalysisError):
        return []
    return [
        Check(
            id=f"value.independence.{index}",
            outcome="passed" if abs(float(one.correlation.value)) < UNRELATED else "failed",
            sentence=Sentence(
                "{group}: number of purchases and mean spend correlate by {correlation} ({correlation:interval}); the model of spend assumes that they do not.",
                {"group": one.label, "correlation": one.correlation},
            ),
        )
        for index, one in enumerate(model.spend)
        if one.correlation.value is not None
    ]


def _adds_up(parts: Mapping[str, Any]) -> list[Check]:
    """The published steps, added again: a page on which they do not reach the published value is not issued."""
    found: Change | AnalysisError = parts["change"]
    whole: Portfolio | AnalysisError = parts["portfolio"]
    if isinstance(found, AnalysisError) or isinstance(whole, AnalysisError):
        return []
    reached = sum(
        (Decimal(fact.value or 0) for fact in found.steps.values()), Decimal(found.before.value or 0)
    )
    good = (
        reached == whole.total.value
        and sum((Decimal(found.steps[name].value or 0) for name in CUSTOMER_STEPS), Decimal(0))
        == found.by_customers.value
    )
    sentence = Sentence(
        "Last month's value and the steps of its change add up to {total} to the cent."
        if good
        else "Last month's value and the steps of its change do not add up to {total}.",
        {"total": whole.total},
    )
    return [
        Check(
            id="value.change_adds_up",
            outcome="passed" if good else "failed",
            sentence=sentence,
            blocking=not good,
        )
    ]


def _basis(
    inputs: StudyInputs, settings: ValueSettings, available: Available, parts: Mapping[str, Any]
) -> list[Check]:
    base: ValueBase | AnalysisError = parts["base"]
    if isinstance(base, AnalysisError):
        return []
    rate: Fact = parts["rate"]
    found = [
        Check(
            id="value.basis",
            outcome="info",
            sentence=Sentence(
                "Value is counted on {basis}, over {horizon}, discounted at {rate} per year; time is in weeks of seven days.",
                {"basis": BASIS_NAMES[settings.basis], "horizon": parts["horizon"], "rate": rate},
            ),
        )
    ]
    if base.has_service:
        traced = Stating(inputs=inputs).exact("service_cost_traced", cents(base.service_cost_12m))
        found.append(
            Check(
                id="value.traced",
                outcome="info",
                sentence=Sentence(
                    "Of {cost} after-sales cost in twelve months {traced} carries a customer's ticket. The rest, labour and capacity above all, is in no customer's value.",
                    {"cost": parts["service_year"], "traced": traced},
                ),
            )
        )
    elif settings.basis == "contribution":
        found.append(
            Check(
                id="value.traced",
                outcome="failed",
                sentence=Sentence(
                    "No service cost could be traced to customers: value is before service cost. It needs {needs}.",
                    {"needs": "ledger.ticket_id, tickets.customer_id"},
                ),
            )
        )
    if not available.contracts:
        found.append(
            Check(
                id="value.contracts",
                outcome="info",
                sentence=Sentence("There is no table of contracts: what bills them counts as purchases."),
            )
        )
    model: Modelling | AnalysisError = parts["modelling"]
    if not isinstance(model, AnalysisError):
        found.append(
            Check(
                id="value.same_day",
                outcome="info",
                sentence=Sentence(
                    "{merged} orders fell on a day on which the customer had already bought; orders of one day are one purchase.",
                    {"merged": model.merged},
                ),
            )
        )
    found.append(
        Check(
            id="value.flat_service",
            outcome="info",
            sentence=Sentence(
                "Expected service cost is held at next year's level over the whole horizon, whether or not the customer buys again: machines in the field go on failing."
            ),
        )
    )
    return found
