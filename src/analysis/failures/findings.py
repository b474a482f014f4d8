"""What the failure study says: findings that hold against chance, and threshold-free facts of money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from analysis.failures.localising_facts import cause_slice
from analysis.metrics import NotDone, Period
from analysis.results import Finding, Ground, Sentence, Severity, Stake, Value

if TYPE_CHECKING:
    from analysis.failures.early_causes import EarlyCause
    from analysis.failures.fixes_facts import FixFacts
    from analysis.failures.forecasting_facts import ForecastFacts
    from analysis.failures.lives_facts import LifeFacts
    from analysis.failures.localising_facts import CauseFacts
    from analysis.failures.missed_services_facts import MissedServices
    from analysis.failures.money_facts import DueFacts, LeakFacts, MoneyFacts
    from analysis.failures.monitoring_facts import AlertFacts, ChartFacts, WatchFacts
    from analysis.failures.result import FailureStudy
    from analysis.failures.scale import Scale
    from analysis.failures.services_facts import ServicesDue
    from analysis.failures.use_facts import UseFacts
    from analysis.failures.use_lives import UseLifeFacts
    from analysis.periods import Month

SECTION = "failures"
SEARCH_METHOD = (
    "Expected: what all machines outside the cause would have had in its place, by product line, months in service and component, times a factor of the calendar month, at equal use where meters tell it; "
    "search over combinations of attributes with a bound on the chance of naming any cause when there is none. "
    "It may have begun in the months that a likelihood ratio at 95% does not exclude."
)
FORECAST_METHOD = "Machines in the field aged month by month, Weibull intensity by component, season, planned shipments, direct cost per failure of the last twelve months."


class Tested(Protocol):
    """What is held against chance: a study, or these parts of one."""

    @property
    def month(self) -> Month: ...
    @property
    def causes(self) -> tuple[CauseFacts, ...]: ...
    @property
    def watch(self) -> WatchFacts | NotDone: ...
    @property
    def chart(self) -> ChartFacts: ...
    @property
    def money(self) -> MoneyFacts | NotDone: ...
    @property
    def lives(self) -> tuple[LifeFacts, ...] | NotDone: ...
    @property
    def fixes(self) -> tuple[FixFacts, ...] | NotDone: ...


def tested_findings(found: Tested, scale: Scale) -> list[Finding]:
    """The findings that hold against chance; with nothing planted there should be none."""
    return [
        *(_cause(cause, scale, found.chart.months) for cause in found.causes),
        *_emerging(found.watch, scale),
        *_chart(found, scale),
        *_wear(found.lives, scale),
        *(_fix(fix, scale) for fix in found.fixes or ()),
    ]


def findings(study: FailureStudy, scale: Scale) -> tuple[Finding, ...]:
    """Every finding of the study, in the order of its questions; how grave each is follows from ``scale``."""
    found = ([] if study.causes else [_no_cause(study)]) + _told_once(tested_findings(study, scale), study)
    found += _outlook(study.forecast, scale) + _leaks(study.leaks, scale) + _due(study.due, scale)
    if not isinstance(study.use, NotDone):
        found += _use(study.use, scale)
    return (
        *found,
        *(_early(one, scale) for one in study.early),
        *_wear_by_use(study.use_lives, scale),
        *_services(study.services),
        *_missed(study.missed, scale, study.window),
    )


def _told_once(found: list[Finding], study: FailureStudy) -> list[Finding]:
    """Without the wear-out by months of a component that wears out with use: it is the same wear, and use explains it better."""
    by_use = {one.component for one in study.use_lives or () if _wears_with_use(one)}
    return [
        one
        for one in found
        if one.id != "failures.wear_out" or str(one.subject.get("component")) not in by_use
    ]


def not_rated(reason: NotDone) -> Finding:
    """What is said where there is no installed base, with the data that are missing as evidence, or where none of it failed."""
    if not reason.needs:
        return Finding(
            id="failures.not_rated",
            section=SECTION,
            severity="info",
            statement=Sentence("Failures cannot be rated: {reason}.", {"reason": reason.reason}),
        )
    return Finding(
        id="failures.not_rated",
        section=SECTION,
        severity="watch",
        ground="no_sum",
        statement=Sentence(
            "Failures can be counted, not rated: a rate needs {needs}.", {"needs": ", ".join(reason.needs)}
        ),
        evidence=pd.DataFrame({"missing": list(reason.needs)}),
    )


_RATIO = "{cause}: failures are {ratio} the number that {others} have ({ratio:interval}); {failures} instead of {expected}{expected:doubt}."
_BEYOND = "{cause}: {failures}; {others} have had too few to say how many times as often that is."
_BEGUN = {
    "month": "It began in {begun} and is beyond chance since {first}.",
    "months": "It began between {begun} and {latest} and is beyond chance since {first}.",
    "before": "It began in {latest} or before and is beyond chance since {first}.",
}
_COST = {
    "": "",
    "direct": " Since {since} the excess cost {cost}{cost:doubt} in direct cost.",
    "full": " Since {since} the excess cost {full}{full:doubt}: {cost}{cost:doubt} in direct cost, and {hours}{hours:doubt} of own staff at {rate}.",
}
# by the money that is known, and by what is known of the months in which it began
EXCESS, EXCESS_BEYOND = (
    {
        (money, when): f"{counted} {begun}{cost}"
        for money, cost in _COST.items()
        for when, begun in _BEGUN.items()
    }
    for counted in (_RATIO, _BEYOND)
)


def _cause(cause: CauseFacts, scale: Scale, watched: Sequence[Month]) -> Finding:
    values: dict[str, Value] = {
        "cause": cause.name,
        "others": cause.others,
        "failures": cause.failures,
        "first": cause.first_month,
        "begun": cause.begun[0],
        "latest": cause.begun[1],
        "since": cause.since,
    }
    if cause.cause.known:
        values |= {"ratio": cause.ratio, "expected": cause.expected}
    full = None if isinstance(cause.labour, NotDone) else cause.labour.full
    if cause.cost.value is not None:
        values["cost"] = cause.cost
    if not isinstance(cause.labour, NotDone):
        values |= {"full": cause.labour.full, "hours": cause.labour.hours, "rate": cause.labour.rate}
    money = "" if cause.cost.value is None and full is None else "direct" if full is None else "full"
    earliest, latest = cause.begun
    when = "before" if earliest == watched[0] else "month" if earliest == latest else "months"
    template, limits = (EXCESS if cause.cause.known else EXCESS_BEYOND)[money, when], cause.cause.limits
    return Finding(
        id="failures.excess",
        section=SECTION,
        severity=scale.of_ratio(cause.ratio, full or cause.cost, limits=limits),
        ground="loss" if scale.limits_matter(*limits) else "small",
        # a batch that came last year has not cost over the whole window
        stake=Stake.of(full or cause.cost, months=watched[-1].months_since(cause.since) + 1),
        subject=cause_slice(cause.cause),
        statement=Sentence(template, values),
        evidence=cause.evidence,
        method=SEARCH_METHOD,
        rank=float((full or cause.cost).value or cause.excess.value or 0),
        checks=("cause_told_apart",),
    )


def _no_cause(study: FailureStudy) -> Finding:
    return Finding(
        id="failures.no_root_cause",
        section=SECTION,
        severity="info",
        statement=Sentence(
            "No root cause found: none of {candidates} combinations of attributes fails more than chance allows.",
            {"candidates": study.candidates},
        ),
        method=SEARCH_METHOD,
    )


def _emerging(watch: WatchFacts | NotDone, scale: Scale) -> list[Finding]:
    if isinstance(watch, NotDone):
        return []
    return [
        Finding(
            id="failures.emerging",
            section=SECTION,
            severity="watch" if scale.limits_matter(*alert.limits) else "info",
            ground="no_sum" if scale.limits_matter(*alert.limits) else "small",
            statement=_new(alert),
            subject=dict(alert.ratio.dimensions),
            evidence=alert.evidence,
            rank=float(alert.ratio.value or 0),
        )
        for alert in watch.alerts
    ]


def _new(alert: AlertFacts) -> Sentence:
    if alert.ratio.value is None:
        return Sentence(
            "New in the last three months: {cell} had {failures}; before, none, although machines were there.",
            {"cell": alert.name, "failures": alert.failures},
        )
    return Sentence(
        "New in the last three months: {cell} fails {ratio} as often as before, age and season allowed for ({ratio:interval}).",
        {"cell": alert.name, "ratio": alert.ratio},
    )


def _chart(study: Tested, scale: Scale) -> list[Finding]:
    """Only the report month is news; older signals are in the chart. It carries no money: it is to be watched where the rise matters."""
    chart, month = study.chart, study.month
    if month not in chart.signals:
        return []
    at = chart.months.index(month)
    rate, upper = chart.values[at], chart.upper[at]
    above = float(rate.value or 0) > float(upper.value or 0)
    template = (
        "The failure rate of {month} at equal age and season, {rate}, lies above its control limit of {limit}."
        if above
        else "The failure rate of {month} at equal age and season, {rate}, lies below its control limit of {limit}."
    )
    values: dict[str, Value] = {"month": month, "rate": rate, "limit": upper if above else chart.lower[at]}
    matters = scale.level_matters(rate, chart.centre[at])
    return [
        Finding(
            id="failures.out_of_control",
            section=SECTION,
            severity=("watch" if matters else "info") if above else "good",
            ground=("no_sum" if matters else "small") if above else "good",
            statement=Sentence(template, values),
            evidence=chart.frame,
        )
    ]


_WEARS_OUT = "{component} wears out: its failures rise with age (Weibull shape {shape}, {shape:interval}); a tenth of machines have had one after {b10}{b10:doubt}."
_WEARS_OUT_BEYOND = "{component} wears out: its failures rise with age (Weibull shape {shape}, {shape:interval}); the age by which a tenth of machines have had one lies beyond the data."


def _wear(lives: tuple[LifeFacts, ...] | NotDone, scale: Scale) -> list[Finding]:
    found = []
    for life in lives or ():
        if life.direction == "unclear":
            continue
        rising, known = life.direction == "rising", life.b10.value is not None
        template = (
            (_WEARS_OUT if known else _WEARS_OUT_BEYOND)
            if rising
            else "{component} fails early: its failures fall with age (Weibull shape {shape}, {shape:interval}); whether screening before first use would find them is not tested here."
        )
        values: dict[str, Value] = {"component": life.name, "shape": life.shape}
        found.append(
            Finding(
                id="failures.wear_out" if rising else "failures.early_life",
                section=SECTION,
                severity="watch" if rising and scale.shape_matters(life.shape) else "info",
                ground=("no_sum" if scale.shape_matters(life.shape) else "small") if rising else "statement",
                subject=dict(life.shape.dimensions),
                statement=Sentence(template, values | ({"b10": life.b10} if rising and known else {})),
                evidence=life.evidence,
                rank=float(life.shape.value or 0),
            )
        )
    return found


EARLY = "{cause} fails early: in the first twelve months in service failures are {ratio} the number that {others} have ({ratio:interval}); {failures} instead of {expected}{expected:doubt}."
EARLY_METHOD = "Of components whose failures fall with age, the first twelve months in service are searched by themselves, one attribute at a time, at the error rate of the search for causes."


def _early(found: EarlyCause, scale: Scale) -> Finding:
    matters = scale.ratio_matters(found.ratio)
    return Finding(
        id="failures.early_cause",
        section=SECTION,
        severity="watch" if matters else "info",
        ground="no_sum" if matters else "small",
        subject=dict(found.ratio.dimensions),
        statement=Sentence(
            EARLY,
            {
                "cause": found.name,
                "ratio": found.ratio,
                "others": found.others,
                "failures": found.failures,
                "expected": found.expected,
            },
        ),
        evidence=found.evidence,
        method=EARLY_METHOD,
        rank=float(found.ratio.value or 0),
    )


VERDICTS: dict[str, tuple[Severity, Ground, str]] = {
    "worked": (
        "good",
        "good",
        "{fix}: it worked so far. Machines made with it fail {ratio} as often as those before it, at the same age ({ratio:interval}).",
    ),
    "worse": (
        "alert",
        "fix",
        "{fix}: failures rose. Machines made with it fail {ratio} as often as those before it, at the same age ({ratio:interval}).",
    ),
    "no_effect": (
        "watch",
        "no_sum",
        "{fix}: no effect to be seen. Machines made with it fail {ratio} as often as those before it, at the same age ({ratio:interval}); what was promised would have shown by now.",
    ),
    "too_early": (
        "info",
        "statement",
        "{fix}: too early to say. Machines made with it have had {failures} so far; the ratio to those before it at the same age is {ratio} ({ratio:interval}).",
    ),
}


def _fix(fix: FixFacts, scale: Scale) -> Finding:
    """A fix that made it worse is an alert only where the rise matters; what it costs is not known."""
    severity, ground, template = VERDICTS[fix.verdict]
    if severity == "alert" and not scale.ratio_matters(fix.ratio):
        severity, ground = "watch", "small"
    values: dict[str, Value] = {"fix": fix.name, "ratio": fix.ratio}
    if fix.verdict == "too_early":
        values["failures"] = fix.failures
    return Finding(
        id="failures.fix",
        section=SECTION,
        severity=severity,
        ground=ground,
        subject={"fix": fix.fix.id},
        statement=Sentence(template, values),
        evidence=fix.evidence,
    )


OUTLOOK = "The next twelve months are expected to bring {total} ({total:interval}) and {cost} of direct cost{cost:doubt}; of the failures {inside}{inside:doubt} are under warranty."
OUTLOOK_FULL = (
    "The next twelve months are expected to bring {total} ({total:interval}) and {cost} of direct cost{cost:doubt}, {full} with the hours of own staff{full:doubt}; "
    "of the failures {inside}{inside:doubt} are under warranty."
)
NO_WARRANTY = "The next twelve months are expected to bring {total} ({total:interval}) and {cost} of direct cost{cost:doubt}."
NO_WARRANTY_FULL = "The next twelve months are expected to bring {total} ({total:interval}) and {cost} of direct cost{cost:doubt}, {full} with the hours of own staff{full:doubt}."
OUTLOOK_UNPRICED = "The next twelve months are expected to bring {total} ({total:interval}); of the failures {inside}{inside:doubt} are under warranty. What they will cost is not known."
NO_WARRANTY_UNPRICED = "The next twelve months are expected to bring {total} ({total:interval}). What they will cost is not known."
PROVISION_SHORT = "The warranty provision of {provision} is below the expected direct cost of remaining warranty, {cost} ({cost:interval})."
PROVISION_SHORT_FULL = (
    "The warranty provision of {provision} is below the expected direct cost of remaining warranty, {cost} ({cost:interval}); "
    "with the hours of own staff, which it does not pay, {full}{full:doubt}."
)


def _outlook(forecast: ForecastFacts | NotDone, scale: Scale) -> list[Finding]:
    if isinstance(forecast, NotDone):
        return []
    values: dict[str, Value] = {
        "total": forecast.total,
        "cost": forecast.cost,
        "inside": forecast.under_warranty,
    }
    labour = forecast.full_cost.value is not None
    priced, unpriced = (
        ((OUTLOOK, OUTLOOK_FULL), OUTLOOK_UNPRICED)
        if forecast.covered
        else ((NO_WARRANTY, NO_WARRANTY_FULL), NO_WARRANTY_UNPRICED)
    )
    template = unpriced if forecast.cost.value is None else priced[labour]
    found = [
        Finding(
            id="failures.outlook",
            section=SECTION,
            severity="info",
            method=FORECAST_METHOD,
            statement=Sentence(template, values | ({"full": forecast.full_cost} if labour else {})),
        )
    ]
    limits, held = forecast.obligation.interval, forecast.provision.value
    if held is not None and limits is not None and float(held) < limits.low:
        owed, set_aside = float(forecast.obligation.value or 0), float(held)
        missing = Stake(amount=owed - set_aside, low=limits.low - set_aside, high=limits.high - set_aside)
        found.append(
            Finding(
                id="failures.provision_short",
                section=SECTION,
                severity=scale.materiality.severity(missing),
                ground="loss",
                stake=missing,
                method=FORECAST_METHOD,
                statement=Sentence(
                    PROVISION_SHORT_FULL if labour else PROVISION_SHORT,
                    {"provision": forecast.provision, "cost": forecast.obligation}
                    | ({"full": forecast.full_obligation} if labour else {}),
                ),
                evidence=forecast.evidence,
            )
        )
    return found


OUT_OF_WARRANTY = (
    "{claims} {claims:plural|claim was|claims were} approved although the machine was out of warranty: {amount} in the last twelve months; "
    "since {start} it was {total} in {all} {all:plural|claim|claims}."
)
DUPLICATES = (
    "{claims} {claims:plural|claim was|claims were} approved again for the same ticket and amount under another number: {amount} in the last twelve months; "
    "since {start} it was {total} in {all} {all:plural|claim|claims}."
)


def _leaks(leaks: LeakFacts | NotDone, scale: Scale) -> list[Finding]:
    """Money that went out although nothing was owed, and the total since the first claim.

    Graded by the last twelve months, with which the sentence leads: what is material is a share of the cost of as many.
    """
    found = []
    for leak, template in (
        ()
        if isinstance(leaks, NotDone)
        else ((leaks.out_of_warranty, OUT_OF_WARRANTY), (leaks.duplicates, DUPLICATES))
    ):
        whole = leak.since_start or leak
        if not whole.claims.value:
            continue
        values: dict[str, Value] = {
            "claims": leak.claims,
            "amount": leak.amount,
            "start": Period.parse(whole.amount.period).first,
            "total": whole.amount,
            "all": whole.claims,
        }
        found.append(
            Finding(
                id=f"failures.{leak.amount.metric}",
                section=SECTION,
                severity=scale.materiality.severity(leak.amount),
                ground="loss",
                stake=Stake.of(leak.amount),
                evidence=whole.evidence,
                statement=Sentence(template, values),
                rank=float(leak.amount.value or 0),
            )
        )
    return found


def _due(due: tuple[DueFacts, ...] | NotDone, scale: Scale) -> list[Finding]:
    """What a supplier still owes."""
    return [
        Finding(
            id="failures.recovery_due",
            section=SECTION,
            severity=scale.materiality.severity(one.due.amount),
            ground="loss",
            stake=Stake.of(one.due.amount),
            subject={"supplier": one.supplier},
            evidence=one.due.evidence,
            rank=float(one.due.amount.value or 0),
            statement=Sentence(
                "{cause}: {amount} of approved claims on its failures in the last twelve months has not come back from the supplier ({claims} {claims:plural|claim|claims}).",
                {"cause": one.cause, "amount": one.due.amount, "claims": one.due.claims},
            ),
        )
        for one in due or ()
    ]


# ---------------------------------------------------------------- what meters tell

COST_BY_USE_METHOD = "Cost traced to orders of maintenance and installation over the use between meter readings, a model against the other models of its product line; limits by machine, for all models together."
SERVICES_METHOD = "Use between services is the median of the company's own orders of maintenance that name no component; each machine is projected at the pace of its last year."


def _use(use: UseFacts, scale: Scale) -> list[Finding]:
    """A rate by use that moved on the year, and models whose planned work costs more by use than that of the rest of their line; each beyond chance and by enough."""
    found = []
    change = use.change
    if change is not None and change.interval is not None and scale.ratio_matters(change):
        rose = float(change.value or 0) > 1
        found.append(
            Finding(
                id="failures.rate_by_use",
                section=SECTION,
                severity="watch" if rose else "good",
                ground="no_sum" if rose else "good",
                statement=Sentence(
                    "By use, machines break down {change} as often as in the twelve months before ({change:interval}): {rate}{rate:doubt}.",
                    {"change": change, "rate": use.year.rate},
                ),
            )
        )
    for model in () if isinstance(use.cost, NotDone) else use.cost.models:
        if model.least is None or model.least < 1 + scale.least_effect:
            continue
        found.append(
            Finding(
                id="failures.planned_cost_by_use",
                section=SECTION,
                severity="info",
                ground="statement",
                subject=dict(model.against.dimensions),
                method=COST_BY_USE_METHOD,
                statement=Sentence(
                    "Planned work on {model} costs {cost}{cost:doubt}: {ratio} that of the other models of its product line ({ratio:interval}).",
                    {"model": model.name, "cost": model.by_use["planned"], "ratio": model.against},
                ),
                rank=float(model.against.value or 0),
            )
        )
    return found


def _wears_with_use(life: UseLifeFacts) -> bool:
    return life.direction == "rising" and life.axis == "use"


def _wear_by_use(lives: tuple[UseLifeFacts, ...] | NotDone, scale: Scale) -> list[Finding]:
    """Components that wear out with use, where use explains their failures better than months by very strong evidence."""
    found = []
    for life in lives or ():
        if not _wears_with_use(life):
            continue
        matters, known = scale.shape_matters(life.shape), life.b10.value is not None
        template = (
            "{component} wears out with use, not with months: its failures rise with what machines ran (Weibull shape {shape}, {shape:interval}); a tenth of machines have had one after {b10}{b10:doubt}."
            if known
            else "{component} wears out with use, not with months: its failures rise with what machines ran (Weibull shape {shape}, {shape:interval})."
        )
        values: dict[str, Value] = {"component": life.name, "shape": life.shape}
        found.append(
            Finding(
                id="failures.wear_out_by_use",
                section=SECTION,
                severity="watch" if matters else "info",
                ground="no_sum" if matters else "small",
                subject=dict(life.shape.dimensions),
                statement=Sentence(template, values | ({"b10": life.b10} if known else {})),
                evidence=life.rows,
                rank=float(life.shape.value or 0),
            )
        )
    return found


SERVICES = "From {first} to {last} {services} fall due ({services:interval}); {overdue} are overdue now, of {machines} whose pace is known."
SERVICES_COSTED = "From {first} to {last} {services} fall due ({services:interval}), which cost {cost}{cost:doubt} at what services cost in the last twelve months; {overdue} are overdue now, of {machines} whose pace is known."


def _services(services: ServicesDue | NotDone) -> list[Finding]:
    """What falls due, and the regions where services come late more often than elsewhere."""
    if isinstance(services, NotDone):
        return []
    whole = services.whole
    values: dict[str, Value] = {
        "first": services.quarter.first,
        "last": services.quarter.last,
        "services": whole.services,
        "overdue": whole.overdue,
        "machines": whole.machines,
    }
    costed = whole.cost.value is not None
    late = [
        Finding(
            id="failures.services_late",
            section=SECTION,
            severity="watch",
            ground="no_sum",
            subject=dict(region.late.dimensions),
            method=SERVICES_METHOD,
            statement=Sentence(
                "{region}: {late} of the planned services of twelve months came more than a fifth beyond the usual use between them{late:doubt}, more often than elsewhere; {overdue} are overdue now.",
                {"region": region.name, "late": region.late, "overdue": region.overdue},
            ),
            evidence=services.evidence[services.evidence["region"] == region.late.dimensions["region"]],
            rank=float(region.late.value or 0),
        )
        for region in services.regions
    ]
    return [
        *late,
        Finding(
            id="failures.services_due",
            section=SECTION,
            severity="info",
            method=SERVICES_METHOD,
            statement=Sentence(
                SERVICES_COSTED if costed else SERVICES, values | ({"cost": whole.cost} if costed else {})
            ),
            evidence=services.evidence,
        ),
    ]


MISSED_METHOD = "Time from a fifth beyond the usual use or days between planned services until the next one, against time in order, by product line, region and band of age; one ratio common to all, exact given the total."
MISSED = "Machines overdue for planned service fail {ratio} as often as in order ({ratio:interval}): {failures} instead of {expected}{expected:doubt}, in {share} of their time."
MISSED_COSTED = "Machines overdue for planned service fail {ratio} as often as in order ({ratio:interval}): {failures} instead of {expected}{expected:doubt}, in {share} of their time; the excess since {first} is {cost}{cost:doubt} at what a failure costs."


def _missed(missed: MissedServices | NotDone, scale: Scale, window: Period) -> list[Finding]:
    """Whether what is not served in time fails more often, where that stands out from chance and matters."""
    if isinstance(missed, NotDone) or not scale.ratio_matters(missed.whole.ratio):
        return []
    if float(missed.whole.ratio.value or 0) < 1:
        return []
    whole, costed = missed.whole, missed.cost.value is not None
    values: dict[str, Value] = {
        "ratio": whole.ratio,
        "failures": whole.failures,
        "expected": whole.expected,
        "share": whole.share,
        "first": window.first,
        "cost": missed.cost,
    }
    return [
        Finding(
            id="failures.overdue_services",
            section=SECTION,
            severity=scale.materiality.severity(missed.cost, certain=False),
            ground="unasked",
            stake=Stake.of(missed.cost, months=window.last.months_since(window.first) + 1)
            if costed
            else None,
            statement=Sentence(MISSED_COSTED if costed else MISSED, values),
            evidence=missed.evidence,
            method=MISSED_METHOD,
            rank=float(missed.cost.value or missed.excess.value or 0),
        )
    ]
