"""Which results become findings, and which doubts are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.locale import Text
from analysis.metrics import NotDone, Parts
from analysis.metrics.materiality import Materiality
from analysis.results import YEAR, Check, Fact, Finding, Ground, Outcome, Sentence, Severity, Stake, Value
from analysis.value.base import standing_out
from analysis.value.change import CUSTOMER_STEPS

if TYPE_CHECKING:
    import pandas as pd

    from analysis.value.acquisition import AcquisitionChannel
    from analysis.value.investment import CustomerList
    from analysis.value.model_facts import Modelling
    from analysis.value.portfolio import Portfolio
    from analysis.value.results import ValueStudy

SECTION = "value"
TITLES = {
    "models": Text.of("customer lifetime value"),
    "prices": Text.of("what customers are worth in money"),
    "portfolio": Text.of("value by slice"),
    "base": Text.of("the value base"),
    "modelling": Text.of("the models of purchases"),
    "contracts": Text.of("renewal of contracts"),
    "moves": Text.of("change of value since last month"),
    "acquisition": Text.of("value against acquisition cost"),
    "investment": Text.of("whom to invest in"),
    "costly_groups": Text.of("groups that cost more than they bring"),
    "break_even": Text.of("break-even of after-sales"),
    "effects": Text.of("effects of service on value"),
    "what_ifs": Text.of("what-ifs"),
}
BASIS_NAMES = {
    "contribution": Text.of("contribution margin (gross margin minus service cost traced to the customer)"),
    "gross_margin": Text.of("gross margin, before service cost"),
    "revenue": Text.of("revenue; no cost is taken off"),
}


def findings(study: ValueStudy, material: Materiality) -> tuple[Finding, ...]:
    """What is said of the value of customers, and of what service does to it; graver than information only from a sum that is not trivial."""
    halves = (study.effects, study.what_ifs)
    made = (
        *_worth(study),
        *_break_even(study),
        *_model(study),
        *_change(study, material),
        *_concentration(study),
        *_investment(study, material),
        *_acquisition(study, material),
        *_costly_groups(study, material),
        *(finding for half in halves if not isinstance(half, NotDone) for finding in half.findings),
    )
    doubts = checks(study)
    return tuple(replace(one, checks=_about(study, one, doubts)) for one in made)


_HOLDOUT = ("value.holdout",)
_OF_MODEL = (*_HOLDOUT, "value.independence")


def _about(study: ValueStudy, one: Finding, doubts: Iterable[Check]) -> tuple[str, ...]:
    """Every check about a finding's numbers: those it names itself, those that name one of its facts, and those of the model where purchases to come are priced."""
    facts, behind = {fact.id for fact in one.facts()}, _behind(study, one)
    model = study.modelling
    # the miss of a model that is not used weakens nothing: what stands here is priced without it
    unused = _HOLDOUT if not isinstance(model, NotDone) and model.fallback else ()
    found = [
        check.id
        for check in doubts
        if not check.id.startswith(unused)
        and (
            any(f"{check.id}.".startswith(f"{name}.") for name in behind)
            or any(fact.id in facts for fact in check.sentence.facts())
        )
    ]
    return tuple(dict.fromkeys((*one.checks, *found)))


def _behind(study: ValueStudy, one: Finding) -> tuple[str, ...]:
    """How the ids of the checks begin that stand behind a finding; what the books say, and what only keeps contracts, does without the model of purchases."""
    if one.id == "value.costly_group":
        return ()
    if one.id == "value.service_effect" and not isinstance(study.effects, NotDone):
        effect = study.effects.get(one.subject["treatment"])
        return _OF_MODEL if effect is not None and effect.stake_repurchase is not None else ()
    if one.id == "value.what_if" and not isinstance(study.what_ifs, NotDone):
        scenario = next(
            each for each in study.what_ifs.results if each.scenario.id == one.subject["scenario"]
        )
        counted = {
            (lever.lever.treatment, each.outcome)
            for lever in scenario.levers
            for each in lever.outcomes
            if each.verdict == "effect"
        }
        effects = tuple(f"value.effects.{treatment}" for treatment in sorted({name for name, _ in counted}))
        return effects + (_OF_MODEL if any(outcome == "repurchase" for _, outcome in counted) else ())
    return _OF_MODEL


def _finding(id: str, severity: Severity, statement: Sentence, *, rank: float = 0.0, **more: Any) -> Finding:
    return Finding(
        id=f"{SECTION}.{id}", section=SECTION, severity=severity, statement=statement, rank=rank, **more
    )


def _listed(rows: Iterable[Mapping[str, Fact | str | None]]) -> pd.DataFrame:
    """Facts as the rows of an evidence file: their values."""
    import pandas as pd

    return pd.DataFrame(
        [{name: cell.value if isinstance(cell, Fact) else cell for name, cell in row.items()} for row in rows]
    )


# whether service cost is known; then whether who has left still owns what needs service
_WORTH = {
    (
        False,
        True,
    ): "The {customers} who ever bought or held a contract are expected to bring {total} of {basis} over {horizon}, discounted ({total:interval}; purchases by {model}).",
    (
        False,
        False,
    ): "The {customers} who bought or held a contract and are not known to have left are expected to bring {total} of {basis} over {horizon}, discounted ({total:interval}; purchases by {model}).",
    (
        True,
        True,
    ): "The {customers} who ever bought or held a contract are expected to bring {total} of {basis} over {horizon}, discounted ({total:interval}; purchases by {model}). Over the same time the service cost that is traced to them, net of what paid service earns, is expected to take {share} of their margin ({share:interval}); all of after-sales, traced or not, cost {cost} in the last twelve months.",
    (
        True,
        False,
    ): "The {customers} who bought or held a contract and are not known to have left are expected to bring {total} of {basis} over {horizon}, discounted ({total:interval}; purchases by {model}). Over the same time the service cost that is traced to them, net of what paid service earns, is expected to take {share} of their margin ({share:interval}); all of after-sales, traced or not, cost {cost} in the last twelve months.",
}


def _worth(study: ValueStudy) -> list[Finding]:
    whole = study.portfolio
    if isinstance(whole, NotDone):
        return []
    values: dict[str, Value] = {
        "customers": whole.customers,
        "total": whole.total,
        "horizon": study.horizon,
        "cost": study.service_year,
        "share": whole.service_share,
        "model": _model_name(study),
        "basis": BASIS_NAMES[study.settings.basis],
    }
    if study.service_year.value is None or whole.service_share.value is None:
        return [_finding("worth", "info", Sentence(_WORTH[False, study.available.machines], values), rank=9)]
    return [
        _finding(
            "worth",
            "info",
            Sentence(_WORTH[True, study.available.machines], values),
            rank=9,
            method="Models on sufficient statistics; interval from the Hessian and the miss in the holdout.",
        )
    ]


def _model_name(study: ValueStudy) -> Text:
    """The model behind the purchases to come, by name: another section uses another."""
    model = study.modelling
    return Text.of("the model of purchases") if isinstance(model, NotDone) else model.model


GROSS = (
    "Gross, after-sales costs {cost}{cost:doubt} over {horizon}, discounted like all sums over these months here, at {level}{level:doubt} in twelve months: {share} of the margin expected of today's customers ({share:interval}). "
    "What contracts and paid repairs pay of it is {reason}."
)
NET = (
    "Gross, after-sales costs {cost}{cost:doubt} over {horizon}, discounted like all sums over these months here, at {level}{level:doubt} in twelve months: {share} of the margin expected of today's customers ({share:interval}). "
    "{payers} pay {revenue} of it at today's level, which leaves {net}{net:doubt}. "
    "What of that is warranty owed for machines already sold is {reason}."
)
KEPT = (
    "Gross, after-sales costs {cost}{cost:doubt} over {horizon}, discounted like all sums over these months here, at {level}{level:doubt} in twelve months: {share} of the margin expected of today's customers ({share:interval}). "
    "{payers} pay {revenue} of it at today's level, which leaves {net}{net:doubt}; {duty}{duty:doubt} of that is warranty owed for machines already sold, "
    "with or without after-sales. The rest, {avoidable}{avoidable:doubt}, is earned back if without after-sales {net_share} of the margin of purchases would leave "
    "({net_share:interval})."
)
COVERED = (
    "Gross, after-sales costs {cost}{cost:doubt} over {horizon}, discounted like all sums over these months here, at {level}{level:doubt} in twelve months: {share} of the margin expected of today's customers ({share:interval}). "
    "{payers} pay {revenue} of it at today's level, and {duty}{duty:doubt} is warranty owed for machines already sold, with or without after-sales: "
    "no purchases need be kept to earn back the rest, {avoidable} ({avoidable:interval})."
)
KEPT_FREE = (
    "Gross, after-sales costs {cost}{cost:doubt} over {horizon}, discounted like all sums over these months here, at {level}{level:doubt} in twelve months: {share} of the margin expected of today's customers ({share:interval}). "
    "{payers} pay {revenue} of it at today's level. The rest, {avoidable}{avoidable:doubt}, is earned back if without after-sales {net_share} of the margin of purchases would leave "
    "({net_share:interval})."
)
COVERED_FREE = (
    "Gross, after-sales costs {cost}{cost:doubt} over {horizon}, discounted like all sums over these months here, at {level}{level:doubt} in twelve months: {share} of the margin expected of today's customers ({share:interval}). "
    "{payers} pay {revenue} of it at today's level: no purchases need be kept to earn back the rest, {avoidable} ({avoidable:interval})."
)


def _break_even(study: ValueStudy) -> list[Finding]:
    """Cost centre or investment: how much margin after-sales must keep. Says nothing of how much it does keep."""
    found = study.break_even
    if isinstance(found, NotDone):
        return []
    values: dict[str, Value] = {
        "cost": found.cost,
        "level": found.level,
        "share": found.share,
        "horizon": study.horizon,
    }
    more: dict[str, Value]
    if found.revenue.value is None:
        text, more = GROSS, {"reason": found.revenue.reason or ""}
    elif found.duty.value is None:
        text, more = NET, {"reason": found.duty.reason or "", "revenue": found.revenue, "net": found.net}
        more["payers"] = found.payers
    else:
        more = {"revenue": found.revenue, "net": found.net, "duty": found.duty}
        more |= {"avoidable": found.avoidable, "net_share": found.net_share, "payers": found.payers}
        kept, covered = (KEPT_FREE, COVERED_FREE) if found.no_duty else (KEPT, COVERED)
        text = kept if (found.avoidable.value or 0) > 0 else covered
    return [_finding("break_even", "info", Sentence(text, values | more), rank=8)]


def _model(study: ValueStudy) -> list[Finding]:
    model = study.modelling
    if isinstance(model, NotDone) or not model.fallback:
        return []
    values: dict[str, Value] = {"horizon": study.horizon}
    if model.miss is not None:
        values["miss"] = model.miss
    text = "The model of purchases is not good enough: it missed the holdout by {miss:signed} ({miss:interval}). Observed rates by class are used instead, and value is counted over {horizon} only."
    wrong = [one for one in model.classes if not one.good]
    if wrong and model.miss is not None and not missed(model.miss):
        worst = max(wrong, key=lambda one: abs(float(one.miss.value or 0)))
        values |= {"repeats": worst.repeats, "class_miss": worst.miss, "limit": model.class_limit}
        text = "The model of purchases is not used: for customers with {repeats} it was {class_miss:signed} off ({class_miss:interval}), past the limit for a class ({limit}) and past twice the scatter of what they bought, which is judged class by class. All purchases it missed by {miss:signed} ({miss:interval}), which could be noise. Observed rates by class are used instead, and value is counted over {horizon} only."
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
            ground="no_sum",
            evidence=_listed(
                {
                    "model": one.model.en,
                    "grouping": one.grouping.en,
                    "log_likelihood": one.log_likelihood,
                    "bic": one.bic,
                    "predicted": one.predicted,
                    "error": one.error,
                }
                for one in model.tried
            ),
        )
    ]


def _change(study: ValueStudy, material: Materiality) -> list[Finding]:
    found = study.change
    if isinstance(found, NotDone) or found.by_customers.interval is None:
        return []
    limits = found.by_customers.interval
    stake = Stake.of(found.by_customers, months=_months(study))
    graded = material.severity(found.by_customers)
    severity: Severity = (
        "info" if limits.holds(0) else "good" if limits.low > 0 and graded != "info" else graded
    )
    ground: Ground = (
        "statement" if severity == "info" and limits.high >= 0 else "good" if limits.low > 0 else "loss"
    )
    values = {
        "change": found.by_customers,
        "new": found.steps["new"],
        "lost": found.steps["lost"],
        "grown": found.steps["grown"],
        "shrunk": found.steps["shrunk"],
        "model": found.steps["model"],
        "horizon": study.horizon,
    }
    if limits.holds(0):
        text = "What customers did in the month moved the value of the base over {horizon}, discounted, by {change:signed}, which could be noise ({change:interval}): customers first seen {new:signed}, contracts ended and buyers now likelier gone {lost:signed}, customers worth more {grown:signed}, customers worth less {shrunk:signed} (the interval of each stands in the table of the steps). Re-estimation, which is no growth, moved it by {model:signed} (the same customers priced by two models: no interval)."
    else:
        text = "What customers did in the month moved the value of the base over {horizon}, discounted, by {change:signed} ({change:interval}): customers first seen {new:signed}, contracts ended and buyers now likelier gone {lost:signed}, customers worth more {grown:signed}, customers worth less {shrunk:signed} (the interval of each stands in the table of the steps). Re-estimation, which is no growth, moved it by {model:signed} (the same customers priced by two models: no interval)."
    return [
        _finding(
            "change",
            severity,
            Sentence(text, values),
            rank=7,
            ground=ground,
            stake=stake if ground == "loss" else None,
            evidence=_listed(
                {"step": name, "change": fact, "customers": found.customers.get(name)}
                for name, fact in found.steps.items()
            ),
            method="Last month's base priced with last month's model; then today's customers with that model, today's model, today's assumptions.",
        )
    ]


def _concentration(study: ValueStudy) -> list[Finding]:
    whole = study.portfolio
    if isinstance(whole, NotDone) or whole.top_share.value is None:
        return []
    return [
        _finding(
            "concentration",
            "info",
            Sentence(
                "The most valuable tenth of customers holds {share} of the value over {horizon}, discounted ({share:interval}).",
                {"share": whole.top_share, "horizon": study.horizon},
            ),
            rank=5,
        )
    ]


# by whether the evidence is cut: then it says at how many, and which
_AT_RISK = {
    False: "{customers} of the top tier {customers:plural|has|have} a chance of at least {limit} of being gone within twelve months (by {model}, under contract by the model of renewals); {value} of value over {horizon}, discounted, goes with them if they leave ({value:interval}).",
    True: "{customers} of the top tier {customers:plural|has|have} a chance of at least {limit} of being gone within twelve months (by {model}, under contract by the model of renewals); {value} of value over {horizon}, discounted, goes with them if they leave ({value:interval}). "
    "The evidence holds the customer numbers of {listed}, those worth most.",
}
_OFTEN = {
    False: "{customers} of the top tier {customers:plural|was|were} in service repeatedly within a year: they hold {value} of value over {horizon}, discounted ({value:interval}) and cost {cost} to serve in the last twelve months.",
    True: "{customers} of the top tier {customers:plural|was|were} in service repeatedly within a year: they hold {value} of value over {horizon}, discounted ({value:interval}) and cost {cost} to serve in the last twelve months. "
    "The evidence holds the customer numbers of {listed}, those worth most.",
}
_BELOW = {
    False: "{customers} {customers:plural|is|are} expected to cost more in service than {customers:plural|it brings|they bring}: {value} over {horizon}, discounted ({value:interval}), after {margin} of margin in the last year.",
    True: "{customers} {customers:plural|is|are} expected to cost more in service than {customers:plural|it brings|they bring}: {value} over {horizon}, discounted ({value:interval}), after {margin} of margin in the last year. "
    "The evidence holds the customer numbers of {listed}, those worth least.",
}


def _listing(texts: Mapping[bool, str], listed: CustomerList, values: Mapping[str, Value]) -> Sentence:
    cut = len(listed.rows) < int(listed.customers.value or 0)
    return Sentence(texts[cut], {**values, **({"listed": f"{len(listed.rows):,}"} if cut else {})})


def _investment(study: ValueStudy, material: Materiality) -> list[Finding]:
    found = study.investment
    whole = study.portfolio
    if isinstance(found, NotDone) or isinstance(whole, NotDone):
        return []
    lines = []
    # a top tier that is worth nothing takes nothing along
    if found.at_risk.customers.value and (found.at_risk.value.value or 0) > 0:
        lines.append(
            _finding(
                "at_risk",
                # they have not left: a risk, and no exception to what was expected
                material.severity(found.at_risk.value, certain=False),
                _listing(
                    _AT_RISK,
                    found.at_risk,
                    {
                        "customers": found.at_risk.customers,
                        "value": found.at_risk.value,
                        "limit": found.risk_limit,
                        "model": _model_name(study),
                        "horizon": study.horizon,
                    },
                ),
                rank=6,
                ground="risk",
                stake=Stake.of(found.at_risk.value, months=_months(study)),
                evidence=found.at_risk.rows,
                method="Chance of leaving at or above the stated limit.",
            )
        )
    if _stands_out(found.often, whole):
        lines.append(
            _finding(
                "often_served",
                "info",
                _listing(
                    _OFTEN,
                    found.often,
                    {
                        "customers": found.often.customers,
                        "value": found.often.value,
                        "cost": found.often.cost,
                        "horizon": study.horizon,
                    },
                ),
                rank=4,
                evidence=found.often.rows,
            )
        )
    if found.below.customers.value:
        lines.append(
            _finding(
                "below_cost",
                material.severity(found.below.value),
                _listing(
                    _BELOW,
                    found.below,
                    {
                        "customers": found.below.customers,
                        "value": found.below.value,
                        "horizon": study.horizon,
                        "margin": found.below.margin,
                    },
                ),
                rank=3,
                ground="loss",
                stake=Stake.of(found.below.value, months=_months(study)),
                evidence=found.below.rows,
            )
        )
    return lines


def _stands_out(often: CustomerList, whole: Portfolio) -> bool:
    """Whether some of the top tier are on the list and no more than half of it: what most do tells nobody apart."""
    top = sum(
        int(each.customers.value or 0)
        for each in whole.by["tier"]
        if each.customers.dimensions.get("tier") == "top"
    )
    return 0 < int(often.customers.value or 0) <= top / 2


_COSTLY = "{group}: serving these customers cost {cost} in the last twelve months, {loss} more than the margin of {margin} that they brought ({loss:interval}; {loss:n} customers). Only cost that tickets trace to customers is counted. Look at what their service includes, at its price, and at what brings them to ask."


def _costly_groups(study: ValueStudy, material: Materiality) -> list[Finding]:
    """Groups whose traced service cost exceeds their margin, beyond chance among all groups."""
    found = study.costly_groups
    if isinstance(found, NotDone):
        return []
    rows = _listed(
        {
            "attribute": one.attribute,
            "held": one.held,
            "cost": one.cost,
            "margin": one.margin,
            "beyond": one.shortfall,
        }
        for one in found
    )
    return [
        _finding(
            "costly_group",
            material.severity(one.shortfall),
            Sentence(
                _COSTLY, {"group": one.name, "cost": one.cost, "loss": one.shortfall, "margin": one.margin}
            ),
            subject={"attribute": one.attribute, "held": one.held},
            rank=3,
            ground="loss",
            stake=Stake.of(one.shortfall),
            evidence=rows,
        )
        for one in found
        if one.told
    ]


def _acquisition(study: ValueStudy, material: Materiality) -> list[Finding]:
    found = study.acquisition
    if isinstance(found, NotDone):
        return []
    known = [one for one in found if one.told]
    if not known:
        return []
    rows = _listed(
        {
            "channel": one.label.en,
            "customers": one.customers,
            "cost": one.cost,
            "value": one.value,
            "ratio": one.ratio,
            "payback_months": one.payback,
        }
        for one in found
    )
    losing = [one for one in known if one.ratio.interval is not None and one.ratio.interval.high < 1]
    if losing:
        return [
            _finding(
                "acquisition",
                material.severity(_lost(one)),
                Sentence(_LOSES, _returned(study, one)),
                subject={"channel": one.value.dimensions["channel"]},
                rank=2,
                ground="loss",
                stake=_lost(one),
                evidence=rows,
            )
            for one in losing
        ]
    least = standing_out(known, lambda one: one.ratio, lowest=True)
    if least is not None:
        return [
            _finding("acquisition", "info", Sentence(_LEAST, _returned(study, least)), rank=2, evidence=rows)
        ]
    earns = all(one.ratio.interval is not None and one.ratio.interval.low > 1 for one in known)
    ends = sorted(known, key=lambda one: float(one.ratio.value or 0))
    values = {"low": ends[0].ratio, "high": ends[-1].ratio}
    return [_finding("acquisition", "info", Sentence(_ALIKE[earns], values), rank=2, evidence=rows)]


_LOSES = "{channel} loses money on new customers: one brings {ratio} what it cost to win ({ratio:interval}); value {value} ({value:interval}): margin already earned and what is expected over {horizon}, discounted; cost {cost}."
_LEAST = "Of all channels the value of a new customer to its acquisition cost is lowest in {channel}: {ratio} ({ratio:interval}); value {value} ({value:interval}): margin already earned and what is expected over {horizon}, discounted; cost {cost}. Whether marketing won these customers is not shown."
_ALIKE = {
    True: "In every channel a new customer brings more than it cost to win, from {low} ({low:interval}) to {high} ({high:interval}); in which channel the ratio is lowest is not told apart from chance.",
    False: "No channel is shown to lose money on new customers, who bring from {low} ({low:interval}) to {high} ({high:interval}) their cost; in which the ratio is lowest is not told apart from chance.",
}


def _returned(study: ValueStudy, one: AcquisitionChannel) -> dict[str, Any]:
    return {
        "channel": one.label,
        "ratio": one.ratio,
        "value": one.value,
        "cost": one.cost,
        "horizon": study.horizon,
    }


def _lost(one: AcquisitionChannel) -> Stake:
    """What the new customers of a channel cost more than they bring."""
    cost, customers, limits = float(one.cost.value or 0), int(one.customers.value or 0), one.value.interval
    worth = float(one.value.value or 0)
    low, high = (worth, worth) if limits is None else (limits.low, limits.high)
    return Stake(
        amount=(cost - worth) * customers, low=(cost - high) * customers, high=(cost - low) * customers
    )


def _months(study: ValueStudy) -> int:
    """Over how many months value is counted."""
    return int(study.horizon.value or YEAR)


# -- checks ----------------------------------------------------------------------------------------------------------------


def checks(study: ValueStudy) -> tuple[Check, ...]:
    """The doubts of both halves."""
    halves = (study.effects, study.what_ifs)
    return (
        *_holdout(study),
        *_independence(study),
        *_adds_up(study),
        *_basis(study),
        *(check for half in halves if not isinstance(half, NotDone) for check in half.checks),
    )


def not_tested(parts: Parts, models: Mapping[str, tuple[Text, NotDone]]) -> tuple[Check, ...]:
    """What could not be asked; parts that lack the same thing share one check, that of the first of them.

    ``models`` : those that could not be fitted; see :func:`~analysis.value.model_facts.refused_models`.
    """
    first = {id(part): name for name, part in reversed(parts.skipped.items())}
    kept = {name: part for name, part in parts.skipped.items() if first[id(part)] == name}
    refused = {name: refusal for name, (_, refusal) in models.items()}
    titles = TITLES | {name: what for name, (what, _) in models.items()}
    return replace(parts, skipped=kept | refused).not_tested(titles)


# by (beyond chance, large enough to matter): chance and size are both said
_MISS = {
    (
        True,
        True,
    ): "{model} without the last {weeks} weeks predicts their purchases {miss:signed} off ({miss:interval}): beyond chance and beyond the limit of correction ({least}), within the limit of use ({use}). "
    "Every forecast here is corrected for it, and its interval holds the miss.",
    (
        True,
        False,
    ): "{model} without the last {weeks} weeks predicts their purchases {miss:signed} off ({miss:interval}): beyond chance, within the limit of correction ({least}); the miss is part of every interval here.",
    (
        False,
        True,
    ): "{model} without the last {weeks} weeks predicts their purchases {miss:signed} off ({miss:interval}), which may be chance; a miss beyond the limit of correction ({least}) is not excluded and is part of every interval here.",
    (
        False,
        False,
    ): "{model} without the last {weeks} weeks predicts their purchases {miss:signed} off ({miss:interval}): within chance and within the limit of correction ({least}).",
}
_UNUSED = "{model} without the last {weeks} weeks predicts their purchases {miss:signed} off ({miss:interval}); of all purchases or of those of a class, the miss is past the limit of use ({use} of all, {class} of a class) and past twice the scatter of what was bought, so it is not used."
_CLASS = {
    True: "Customers with {repeats}: the forecast is {miss:signed} off ({miss:interval}), beyond chance, the estimate within the limit of use of a class ({class}); a correction of the whole does not take this out.",
    False: "Customers with {repeats}: the forecast is {miss:signed} off ({miss:interval}), beyond chance and beyond the limit of use of a class ({class}).",
}
# the rule of use looks at a class by itself, the printed intervals hold for all classes together
_CLASS_ALONE = "Customers with {repeats}: the forecast is {miss:signed} off ({miss:interval}, for all classes together), past the limit of use of a class ({class}) and, by itself, past twice the scatter of what they bought; with all classes looked at together it could be noise."


def missed(miss: Fact) -> bool:
    """Whether the printed interval excludes a perfect forecast."""
    return miss.interval is not None and not miss.interval.holds(0)


def _matters(model: Modelling, miss: Fact) -> bool:
    """Whether the miss matters: beyond chance by its size, within chance by what its interval does not exclude."""
    least, interval = float(model.least.value or 0), miss.interval
    if interval is None or missed(miss):
        return abs(float(miss.value or 0)) > least
    return max(abs(interval.low), abs(interval.high)) > least


def _holdout(study: ValueStudy) -> list[Check]:
    """A miss is judged by its interval and by its size; nothing passes while the page shows a miss that is both."""
    model = study.modelling
    if isinstance(model, NotDone) or model.miss is None or model.miss.value is None:
        return []
    judged = missed(model.miss), _matters(model, model.miss)
    outcome: Outcome = (
        "failed" if not model.good or judged == (True, True) else "info" if any(judged) else "passed"
    )
    found = [
        Check(
            id="value.holdout",
            outcome=outcome,
            sentence=Sentence(
                _MISS[judged] if model.good else _UNUSED,
                {
                    "model": model.judged,
                    "weeks": model.holdout_weeks,
                    "miss": model.miss,
                    "least": model.least,
                    "use": model.use_limit,
                    "class": model.class_limit,
                },
            ),
        )
    ]
    wrong = [one for one in model.classes if not one.good or missed(one.miss)]
    found += [
        Check(
            id=f"value.holdout.{one.name}",
            outcome="failed",
            sentence=Sentence(
                _CLASS[one.good] if missed(one.miss) else _CLASS_ALONE,
                {"repeats": one.repeats, "miss": one.miss, "class": model.class_limit},
            ),
        )
        for one in wrong
    ]
    if model.classes and not wrong:
        worst = max(model.classes, key=lambda one: abs(float(one.miss.value or 0)))
        found.append(
            Check(
                id="value.holdout.classes",
                outcome="passed",
                sentence=Sentence(
                    "No class of repeat purchases is missed beyond chance; the largest miss is {miss:signed} (class {name}; {miss:interval}).",
                    {"name": worst.name, "miss": worst.miss},
                ),
            )
        )
    return found


def _independence(study: ValueStudy) -> list[Check]:
    model = study.modelling
    if isinstance(model, NotDone):
        return []
    return [
        Check(
            id=f"value.independence.{index}",
            outcome="passed"
            if abs(float(one.correlation.value)) < study.settings.unrelated_limit
            else "failed",
            sentence=Sentence(
                "{group}: number of purchases and mean spend correlate by {correlation} ({correlation:interval}); the model of spend assumes that they do not.",
                {"group": one.label, "correlation": one.correlation},
            ),
        )
        for index, one in enumerate(model.spend)
        if one.correlation.value is not None
    ]


def _adds_up(study: ValueStudy) -> list[Check]:
    """The published steps, added again: a page on which they do not reach the published value is not issued."""
    found = study.change
    whole = study.portfolio
    if isinstance(found, NotDone) or isinstance(whole, NotDone):
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
        "Last month's value over {horizon} and the steps of its change, all discounted, add up to {total:exact} to the cent{total:doubt}."
        if good
        else "Last month's value and the steps of its change do not add up to {total:exact}.",
        {"total": whole.total, "horizon": study.horizon},
    )
    return [
        Check(
            id="value.change_adds_up",
            outcome="passed" if good else "failed",
            sentence=sentence,
            blocking=not good,
        )
    ]


def _basis(study: ValueStudy) -> list[Check]:
    settings = study.settings
    base = study.base
    if isinstance(base, NotDone):
        return []
    found = [
        Check(
            id="value.basis",
            outcome="info",
            sentence=Sentence(
                "Value is counted on {basis}, over {horizon}, discounted at {rate} per year; time is in weeks of seven days.",
                {"basis": BASIS_NAMES[settings.basis], "horizon": study.horizon, "rate": study.rate},
            ),
        )
    ]
    if isinstance(study.service_traced, Fact) and study.service_year.value is not None:
        found.append(
            Check(
                id="value.traced",
                outcome="info",
                sentence=Sentence(
                    "Of {cost} after-sales cost in twelve months {traced} carries a customer's ticket. The rest, above all labour and capacity that no ticket carries, is in no customer's value.",
                    {"cost": study.service_year, "traced": study.service_traced},
                ),
            )
        )
    elif settings.basis == "contribution" and not isinstance(study.service_traced, Fact):
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
    if not study.available.contracts:
        found.append(
            Check(
                id="value.contracts",
                outcome="info",
                sentence=Sentence("There is no table of contracts: what bills them counts as purchases."),
            )
        )
    model = study.modelling
    if not isinstance(model, NotDone):
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
    if isinstance(study.service_traced, Fact):
        flat = Sentence(_FLAT[study.available.machines])
        found.append(Check(id="value.flat_service", outcome="info", sentence=flat))
    return found


_FLAT = {
    True: "Expected service cost is held at what a year costs now, without growth of prices, over the whole horizon, whether or not the customer buys again: what was sold still needs service.",
    False: "Expected service cost is held at what a year costs now, without growth of prices, for as long as each customer is expected to be one. A customer whose contract ended without another, or whom the company recorded as lost, is none of today's unless it bought since.",
}
