"""What the failure study says: findings that hold against chance, threshold-free facts of money, and its doubts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.errors import MissingData
from analysis.failures import money as amounts
from analysis.failures.field import Field
from analysis.metrics.lineage import traced
from analysis.results import Check, Fact, Finding, Sentence, Severity, Value

if TYPE_CHECKING:
    from analysis.failures.publishing import CauseFacts

SECTION = "failures"
SEARCH_METHOD = (
    "Expected failures from rates by months in service and component over all machines, times a factor of the calendar month; search over combinations of "
    "attributes with a bound on the chance of naming any cause when there is none."
)
FORECAST_METHOD = "Machines in the field aged month by month, Weibull intensity by component, season, planned shipments, direct cost per failure of the last twelve months."


@traced
def findings(field: Field, parts: Mapping[str, Any]) -> tuple[Finding, ...]:
    found = [_cause(cause) for cause in parts["causes"]]
    if not found:
        found.append(_no_cause(parts))
    found += (
        _emerging(parts["watch"])
        + _chart(field, parts["chart"])
        + _wear(parts["lives"])
        + _fixes(parts["fixes"])
    )
    found += _outlook(parts["forecast"]) + _leakage(parts["money"]) + _recovery_due(field, parts["causes"])
    return tuple(found)


@traced
def _cause(cause: CauseFacts) -> Finding:
    money = cause.cost.value is not None
    template = (
        "{cause}: failures are {ratio} the expected number at the same age ({ratio:interval}); {failures} instead of {expected} since {first}, an excess that "
        "cost {cost} in direct cost."
        if money
        else "{cause}: failures are {ratio} the expected number at the same age ({ratio:interval}); {failures} instead of {expected} since {first}."
    )
    values: dict[str, Value] = {
        "cause": cause.name,
        "ratio": cause.ratio,
        "failures": cause.failures,
        "expected": cause.expected,
        "first": cause.first_month,
        "cost": cause.cost,
    }
    subject = {name.replace(" ", "_"): value for name, value in cause.cause.attributes.items()}
    if cause.cause.component:
        subject["component"] = cause.cause.component
    return Finding(
        id="failures.excess",
        section=SECTION,
        severity="alert",
        subject=subject,
        statement=Sentence(template, values if money else {k: v for k, v in values.items() if k != "cost"}),
        evidence=cause.evidence,
        method=SEARCH_METHOD,
        rank=float(cause.cost.value or cause.excess.value or 0),
        checks=("cause_told_apart",),
    )


def _no_cause(parts: Mapping[str, Any]) -> Finding:
    return Finding(
        id="failures.no_root_cause",
        section=SECTION,
        severity="info",
        statement=Sentence(
            "No root cause found: none of {candidates} combinations of attributes fails more than chance allows.",
            {"candidates": parts["candidates"]},
        ),
        method=SEARCH_METHOD,
    )


def _emerging(watch: Any) -> list[Finding]:
    if watch is None:
        return []
    return [
        Finding(
            id="failures.emerging",
            section=SECTION,
            severity="watch",
            statement=Sentence(
                "New in the last three months: {cell} fails {ratio} as often as before, age and season allowed for ({ratio:interval}).",
                {"cell": name, "ratio": fact},
            ),
            subject=dict(fact.dimensions),
            rank=float(fact.value or 0),
        )
        for name, fact in watch.alerts
    ]


def _chart(field: Field, chart: Any) -> list[Finding]:
    """Only the report month is news; older signals are in the chart."""
    if field.last not in chart.signals:
        return []
    at = chart.months.index(field.last)
    above = chart.values[at].value > chart.upper[at].value
    template = (
        "The failure rate of {month} at equal age and season, {rate}, lies above its control limit of {limit}."
        if above
        else "The failure rate of {month} at equal age and season, {rate}, lies below its control limit of {limit}."
    )
    limit = chart.upper[at] if above else chart.lower[at]
    return [
        Finding(
            id="failures.out_of_control",
            section=SECTION,
            severity="alert" if above else "good",
            statement=Sentence(template, {"month": field.last, "rate": chart.values[at], "limit": limit}),
        )
    ]


def _wear(lives: Sequence[Any]) -> list[Finding]:
    found = []
    for life in lives:
        if life.direction == "unclear":
            continue
        rising = life.direction == "rising"
        template = (
            "{component} wears out: its failures rise with age (Weibull shape {shape}, {shape:interval}); a tenth of machines have had one after {b10}."
            if rising
            else "{component} fails early: its failures fall with age (Weibull shape {shape}, {shape:interval}); screening before shipment would find them."
        )
        values = {"component": life.name, "shape": life.shape} | ({"b10": life.b10} if rising else {})
        found.append(
            Finding(
                id="failures.wear_out" if rising else "failures.early_life",
                section=SECTION,
                severity="watch" if rising else "info",
                subject={"component": life.component},
                statement=Sentence(template, values),
                rank=float(life.shape.value),
            )
        )
    return found


@traced
def _fixes(fixes: Sequence[Any]) -> list[Finding]:
    words: dict[str, tuple[Severity, str]] = {
        "worked": (
            "good",
            "{fix}: it worked so far. Machines made with it fail {ratio} as often as those before it, at the same age ({ratio:interval}).",
        ),
        "worse": (
            "alert",
            "{fix}: failures rose. Machines made with it fail {ratio} as often as those before it, at the same age ({ratio:interval}).",
        ),
        "no_effect": (
            "watch",
            "{fix}: no effect to be seen. Machines made with it fail {ratio} as often as those before it, at the same age ({ratio:interval}); what was promised would have shown by now.",
        ),
        "too_early": (
            "info",
            "{fix}: too early to say. Machines made with it have had {failures} so far; the ratio to those before it at the same age is {ratio} ({ratio:interval}).",
        ),
    }
    found = []
    for fix in fixes:
        severity, template = words[fix.verdict]
        values = {"fix": fix.name, "ratio": fix.ratio} | (
            {"failures": fix.failures} if fix.verdict == "too_early" else {}
        )
        found.append(
            Finding(
                id="failures.fix",
                section=SECTION,
                severity=severity,
                subject={"fix": fix.fix.id},
                statement=Sentence(template, values),
            )
        )
    return found


def _outlook(forecast: Any) -> list[Finding]:
    if forecast is None:
        return []
    found = [
        Finding(
            id="failures.outlook",
            section=SECTION,
            severity="info",
            method=FORECAST_METHOD,
            statement=Sentence(
                "The next twelve months are expected to bring {total} ({total:interval}) and {cost} of direct cost; {inside} of them under warranty.",
                {"total": forecast.total, "cost": forecast.cost, "inside": forecast.under_warranty},
            ),
        )
    ]
    interval = forecast.obligation.interval
    if (
        forecast.provision.value is not None
        and interval is not None
        and float(forecast.provision.value) < interval.low
    ):
        found.append(
            Finding(
                id="failures.provision_short",
                section=SECTION,
                severity="alert",
                method=FORECAST_METHOD,
                statement=Sentence(
                    "The warranty provision of {provision} is below the expected direct cost of remaining warranty, {cost} ({cost:interval}).",
                    {"provision": forecast.provision, "cost": forecast.obligation},
                ),
            )
        )
    return found


def _leakage(money: Any) -> list[Finding]:
    if money is None:
        return []
    found = []
    texts = {
        "leakage_out_of_warranty": "{claims} {claims:plural|claim was|claims were} approved although the machine was out of warranty: {amount} in the last twelve months.",
        "leakage_duplicates": "{claims} {claims:plural|claim was|claims were} approved again for the same ticket and amount under another number: {amount} in the last twelve months.",
    }
    for name, pair in (
        ("leakage_out_of_warranty", money.out_of_warranty),
        ("leakage_duplicates", money.duplicates),
    ):
        if pair is None or not pair[1].value:
            continue
        amount, claims = pair
        found.append(
            Finding(
                id=f"failures.{name}",
                section=SECTION,
                severity="alert" if name == "leakage_duplicates" else "watch",
                evidence=money.leakage_rows[name],
                statement=Sentence(texts[name], {"claims": claims, "amount": amount}),
                rank=float(amount.value),
            )
        )
    return found


@traced
def _recovery_due(field: Field, causes: Sequence[CauseFacts]) -> list[Finding]:
    """What a supplier still owes for failures of its parts: only where the search named the supplier; something to watch whatever the amount."""
    from analysis.failures import publishing as publish

    engine, found = field.inputs.engine, []
    for cause in causes:
        supplier = cause.cause.attributes.get("supplier")
        if supplier is None:
            continue
        try:
            rows = amounts.recovery_due(field, cause.cause.attributes, cause.cause.component)
        except MissingData:
            return []
        due = sum((Decimal(str(value)) for value in rows["due"]), Decimal(0))
        if due <= 0:
            continue
        place = publish.cause_slice(cause.cause)
        amount = engine.stated(
            "recovery_due", period=publish.year(field), dimensions=place, value=due, n=len(rows)
        )
        claims = engine.stated(
            "leakage_claims",
            period=publish.year(field),
            dimensions={**place, "of": "recovery_due"},
            value=len(rows),
        )
        found.append(
            Finding(
                id="failures.recovery_due",
                section=SECTION,
                severity="watch",
                subject={"supplier": supplier},
                evidence=rows,
                rank=float(due),
                statement=Sentence(
                    "{cause}: {amount} of approved claims on its failures in the last twelve months has not come back from the supplier ({claims} {claims:plural|claim|claims}).",
                    {"cause": cause.name, "amount": amount, "claims": claims},
                ),
            )
        )
    return found


# -- checks ----------------------------------------------------------------------------------------------------------


@traced
def checks(
    field: Field, parts: Mapping[str, Any], *, dispersion: float, thin: Sequence[str]
) -> tuple[Check, ...]:
    made = [_excluded(field, parts["excluded"]), *_reporting(parts["rates"]), _dispersion(field, dispersion)]
    made += [_apart(cause) for cause in parts["causes"] if cause.apart is not None]
    made += [_confounded(cause) for cause in parts["causes"] if cause.cause.confounded_with]
    made += _forecast(parts["forecast"]) + [_life(life) for life in parts["lives"] if life.worst_gap > 0.15]
    if thin:
        names = ", ".join(field.inputs.engine.registry.value_label("component", name).en for name in thin)
        made.append(
            Check(
                id="life_thin",
                outcome="info",
                sentence=Sentence(
                    "Too few failures for a life distribution: {components}.", {"components": names}
                ),
            )
        )
    made.append(
        Check(
            id="labour_not_traced",
            outcome="info",
            sentence=Sentence(
                "Costs are direct costs traced to tickets; wages and other held capacity are not in them, so each cost is a lower bound."
            ),
        )
    )
    return tuple(made)


@traced
def _excluded(field: Field, excluded: Sequence[tuple[Any, Fact]]) -> Check:
    engine = field.inputs.engine
    bad = [
        fact
        for _, fact in excluded
        if fact.dimensions["verdict"] not in ("before_the_window", "after_the_month", "before_service")
    ]
    total = engine.stated(
        "excluded_failures",
        period=bad[0].period,
        dimensions={"verdict": "impossible"},
        value=sum(int(fact.value or 0) for fact in bad),
    )
    if not total.value:
        return Check(
            id="failures_rated",
            outcome="passed",
            sentence=Sentence(
                "Every confirmed failure lies on a machine that was in the field then; none is left out as impossible."
            ),
        )
    return Check(
        id="failures_rated",
        outcome="failed",
        sentence=Sentence(
            "{count} can be counted, not rated: unknown serial, before shipment, after retirement, or a second order for the same event; the table names them.",
            {"count": total},
        ),
    )


@traced
def _reporting(rates: Any) -> list[Check]:
    if rates.error_raw is None:
        return []
    better = rates.error_corrected.value < rates.error_raw.value
    return [
        Check(
            id="reporting_delay",
            outcome="passed" if better else "failed",
            sentence=Sentence(
                "Months as they stood at their end missed today's count by {raw}; completed for reports still to come they missed it by {corrected}.",
                {"raw": rates.error_raw, "corrected": rates.error_corrected},
            ),
        ),
        Check(
            id="reported_share",
            outcome="info",
            sentence=Sentence(
                "Of the failures of {month}, {share} are expected to be reported by now.",
                {"month": _month(rates.shares[-1]), "share": rates.shares[-1]},
            ),
        ),
    ]


def _month(fact: Fact) -> Any:
    from analysis.periods import Month

    return Month.parse(fact.period)


@traced
def _dispersion(field: Field, dispersion: float) -> Check:
    fact = field.inputs.engine.stated(
        "overdispersion", period=str(field.last), dimensions={"of": "batches"}, value=dispersion
    )
    return Check(
        id="counts_scatter",
        outcome="info",
        sentence=Sentence(
            "Batches scatter {times} as much as counts by chance; the search allows for it.", {"times": fact}
        ),
    )


def _apart(cause: CauseFacts) -> Check:
    assert cause.apart is not None
    elsewhere, rest = cause.apart.batch_elsewhere, cause.apart.region_without
    clear = elsewhere.interval and rest.interval and elsewhere.interval.low > 1 and rest.interval.low < 1.25
    return Check(
        id="cause_told_apart",
        outcome="passed" if clear else "info",
        sentence=Sentence(
            "{cause}: most of it went to {region}. Outside {region} it fails {elsewhere} the expected number; other machines in {region} fail {rest}.",
            {"cause": cause.name, "region": cause.apart.region, "elsewhere": elsewhere, "rest": rest},
        ),
    )


def _confounded(cause: CauseFacts) -> Check:
    return Check(
        id="cause_confounded",
        outcome="failed",
        sentence=Sentence(
            "{cause}: the data cannot tell it from {others}.",
            {"cause": cause.name, "others": "; ".join(cause.cause.confounded_with)},
        ),
    )


def _life(life: Any) -> Check:
    return Check(
        id="life_fit",
        outcome="failed",
        sentence=Sentence(
            "{component}: failures by age depart from the fitted Weibull; read its shape and B10 life with care.",
            {"component": life.name},
        ),
    )


@traced
def _forecast(forecast: Any) -> list[Check]:
    if forecast is None or forecast.error is None:
        return []
    made = [
        Check(
            id="forecast_tested",
            outcome="passed" if abs(float(forecast.error.value)) <= 0.1 else "failed",
            sentence=Sentence(
                "The same forecast made twelve months ago missed the year by {error:signed} and single months by {months} on average; shipments were given to it.",
                {"error": forecast.error, "months": forecast.month_error},
            ),
        )
    ]
    if not forecast.with_plan:
        made.append(
            Check(
                id="no_shipment_plan",
                outcome="info",
                sentence=Sentence(
                    "No shipment plan is given: the forecast holds machines in the field only."
                ),
            )
        )
    return made
