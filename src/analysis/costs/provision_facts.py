"""The warranty provision of the company: its roll-forward, its rates, and whether the balance covers the claims it is held for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

from analysis.costs.claims import (
    ALL,
    ClaimsExperience,
    ForecastClaims,
    ForecastOfClaims,
    claims_experience,
    claims_forecast,
)
from analysis.costs.figures import amount_of
from analysis.costs.provision import ProvisionRollForward, provision_roll_forward
from analysis.costs.signals_facts import false_alarm_level
from analysis.errors import FitError, MissingData
from analysis.locale import Text
from analysis.locale.lengths import of_length
from analysis.metrics import Materiality, NotDone, Period, Stating, StudyInputs, cents, materiality, traced
from analysis.metrics.backend import literal
from analysis.metrics.views.selection import selected
from analysis.results import Check, Derived, Fact, Finding, Interval, Rows, Sentence, Stake, Value
from analysis.stats.multiplicity import adjust_p_values
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

MONTHS = 12
PER_FAILURE = "ratio of sums over months that hang together, log-normal"
NOTHING = Decimal("0.00")
NOT_ABOVE_ZERO = Text.of("not computed: claims expected are not clearly above zero")
_NO_SALES = Text.of("not computed: no sales of the line")


@dataclass(frozen=True, kw_only=True, eq=False)
class ProvisionLine(Summarised):
    """One product line (or all) over the last twelve months, with the claims still expected from units under warranty."""

    line: Text
    amounts: Mapping[str, Fact]  # opening accrued utilised adjusted closing accrual_rate claims_rate
    expected: Fact
    coverage: Fact
    claims: ForecastClaims | ClaimsExperience | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Provision(Summarised):
    """Product lines, their total, and the rolled months behind them.

    ``bridge`` leads from the forecast of failures to the claims expected; without that forecast claims are expected from experience, and
    ``bridge`` says why. ``unnamed_sales`` are those of product orders without a product line, which the rates leave out; None without orders.
    """

    lines: tuple[ProvisionLine, ...]
    total: ProvisionLine
    rolled: ProvisionRollForward
    control_gap: Fact
    period: str
    bridge: ClaimsBridge | NotDone
    unnamed_sales: Fact | None


@dataclass(frozen=True, kw_only=True, eq=False)
class ClaimsBridge(Summarised):
    """Failures expected under warranty and their direct cost, the failure section's own facts, and claims booked per failure.

    ``same``: the provision is held for every product line of that forecast.
    """

    failures: Fact
    direct: Fact
    same: bool
    per_failure: Fact
    at_past_rate: Fact


@traced
def provision_of(inputs: StudyInputs) -> Provision:
    """Roll the provision forward over twelve months (of a quarter's report, over the quarter) and hold its balance against the claims expected.

    Raises
    ------
    MissingData
        Without a provision table, or without a row of it for the month.
    """
    month = inputs.month
    span = Period(month - (MONTHS - 1), month) if inputs.period.months == 1 else inputs.period
    rolled = _rolled(inputs, span)
    by_line = {str(name): rows for name, rows in rolled.by_period.groupby("product_line", sort=True)}
    sales = _sales(inputs, span)
    experience = claims_experience(inputs, list(by_line))
    forecast: ForecastOfClaims | NotDone
    try:
        forecast = claims_forecast(inputs, list(by_line))
    except (MissingData, FitError) as refusal:
        forecast = NotDone.because(refusal)
    expected = experience if isinstance(forecast, NotDone) else forecast.claims
    lines = tuple(
        _line(inputs, name, rows, sales.get(name), expected.get(name), span) for name, rows in by_line.items()
    )
    sold = sum(sales.values(), NOTHING) if sales else None
    total = _line(inputs, ALL, rolled.total, sold, expected.get(ALL), span)
    state = Stating(inputs=inputs)
    return Provision(
        lines=lines,
        total=total,
        rolled=rolled,
        control_gap=state.derived(
            "provision_control_gap",
            total.amounts["closing"],
            inputs.engine.fact("gl_provision_balance", period=month),
        ),
        period=str(span),
        bridge=forecast if isinstance(forecast, NotDone) else _bridge(inputs, forecast, experience.get(ALL)),
        unnamed_sales=_unnamed_sales(inputs, span),
    )


@traced
def _rolled(inputs: StudyInputs, span: Period) -> ProvisionRollForward:
    """The months of the provision table, by product line."""
    table = inputs.engine.query(
        "SELECT strftime(month, '%Y-%m') AS month, product_line, opening, accrued, utilised, adjusted, closing "
        f"FROM provisions WHERE {span.condition()} ORDER BY 2, 1",
        needs=("provision.opening", "provision.accrued", "provision.utilised"),
    )
    if table.empty or str(inputs.month) not in set(table["month"]):
        raise MissingData(
            "provision", message="the provision table has no row for {month}", month=inputs.month
        )
    return provision_roll_forward(table, by=["product_line"])


@traced
def _bridge(
    inputs: StudyInputs, forecast: ForecastOfClaims, experience: ClaimsExperience | None
) -> ClaimsBridge:
    state = Stating(inputs=inputs)
    rate = cents(forecast.booked / forecast.seen)
    failures, direct = forecast.remaining
    reach = np.exp(np.array([-1, 1]) * ndtri((1 + inputs.confidence) / 2) * forecast.rate_error)

    return ClaimsBridge(
        failures=failures,
        direct=direct,
        same=forecast.same,
        per_failure=state.between(
            "provision_claims_per_failure",
            rate,
            *(float(rate) * reach),
            n=MONTHS,
            method=PER_FAILURE,
            parts={"numerator": cents(forecast.booked), "denominator": int(forecast.seen)},
        ),
        at_past_rate=_at_past_rate(inputs, experience),
    )


def _at_past_rate(inputs: StudyInputs, experience: ClaimsExperience | None) -> Fact:
    """Claims ahead as each past month's claims per unit-month would have it."""
    metric, state = "provision_claims_at_past_rate", Stating(inputs=inputs)
    if experience is None:
        return state.exact(metric, None, reason=Text.of("not computed: needs a year of claims and exposure"))
    low, high = experience.limits(inputs.confidence)
    if high < 0:
        return state.exact(metric, None, reason=NOT_ABOVE_ZERO)
    return state.between(
        metric, cents(experience.expected), max(0.0, low), high, n=experience.months, method=experience.method
    )


@traced
def _line(
    inputs: StudyInputs,
    name: str,
    rows: pd.DataFrame,
    sales: Decimal | None,
    claims: ForecastClaims | ClaimsExperience | None,
    span: Period,
) -> ProvisionLine:
    """One product line, or all of them: balances of the first and last month, what moved between, and the claims expected."""
    state = Stating(inputs=inputs, period=span)
    place: dict[str, Any] = {"product_line": name}

    line = "" if name == ALL else f" AND product_line = {literal(name)}"
    first, last = (Period.parse(str(rows["month"].iloc[at])) for at in (0, -1))
    moved, opened, closed = (
        selected("provisions", f"{months.condition()}{line}") for months in (span, first, last)
    )
    sold = f"SELECT * FROM sales WHERE {span.condition()} AND order_type = 'product' AND product_line IS NOT NULL{line}"
    flows = {flow: sum(rows[flow], NOTHING) for flow in ("accrued", "utilised", "adjusted")}

    def flow(metric: str, value: Decimal, aggregate: str) -> Fact:
        return state.counted(metric, value, lineage=Rows(numerator=moved.sql, value=aggregate), **place)

    def rate(metric: str, column: str) -> Fact:
        follows = Rows(numerator=moved.sql, value=f"sum({column})", denominator=sold, of="sum(revenue)")
        if not sales:
            return state.exact(metric, None, reason=_NO_SALES, lineage=follows, **place)
        return state.counted(metric, flows[column], sales, lineage=follows, **place)

    amounts = {
        "opening": state.measured("provision_opening", opened, **place),
        "closing": state.measured("provision_closing", closed, **place),
        "accrued": flow("provision_accrued", flows["accrued"], "sum(accrued)"),
        "utilised": flow("provision_utilised", -flows["utilised"], "-sum(utilised)"),
        "adjusted": flow("provision_adjusted", flows["adjusted"], "sum(adjusted)"),
        "accrual_rate": rate("provision_accrual_rate", "accrued"),
        "claims_rate": rate("provision_claims_rate", "utilised"),
    }
    expected = _expected(inputs, claims, name)
    return ProvisionLine(
        line=_name(inputs, name),
        amounts=amounts,
        expected=expected,
        coverage=_coverage(inputs, amounts["closing"], expected, claims),
        claims=claims,
    )


@traced
def _expected(inputs: StudyInputs, claims: ForecastClaims | ClaimsExperience | None, name: str) -> Fact:
    """Claims expected on machines under warranty, in money."""
    state = Stating(inputs=inputs)
    if claims is None:
        reason = Text.of("not computed: needs units.warranty_end and a year of claims of the line")
        return state.exact("provision_expected_claims", None, reason=reason, product_line=name)
    low, high = claims.limits(inputs.confidence)
    if high < 0:
        return state.exact("provision_expected_claims", None, reason=NOT_ABOVE_ZERO, product_line=name)
    limits = Interval(low=max(0.0, low), high=high, level=inputs.confidence, method=claims.method)
    parts = {"interval": limits, "n": claims.months}
    return state.exact("provision_expected_claims", cents(claims.expected), parts=parts, product_line=name)


def _coverage(
    inputs: StudyInputs, closing: Fact, expected: Fact, claims: ForecastClaims | ClaimsExperience | None
) -> Fact:
    """The share of the claims expected that the closing balance covers."""
    state = Stating(inputs=inputs)
    place: dict[str, Any] = dict(closing.dimensions)
    limits = expected.interval
    if limits is None or claims is None or limits.low <= 0:
        return state.exact(
            "provision_coverage",
            None,
            reason=expected.reason or NOT_ABOVE_ZERO,
            lineage=Derived(operation="quotient", parents=(closing, expected)),
            **place,
        )
    # a balance can be below zero, where more was paid than was ever set aside
    least, most = sorted(float(amount_of(closing)) / edge for edge in (limits.low, limits.high))
    share = Interval(low=least, high=most, level=inputs.confidence, method=claims.method)
    parts = {"interval": share, "n": claims.months}
    return state.derived("provision_coverage", closing, expected, parts=parts, **place)


def _name(inputs: StudyInputs, line: str) -> Text:
    return (
        Text.of("All product lines")
        if line == ALL
        else inputs.engine.registry.value_label("product_line", line)
    )


@traced
def _sales(inputs: StudyInputs, span: Period) -> dict[str, Decimal]:
    """Product sales by line, in money; nothing without orders, and then the rates say so."""
    try:
        frame = inputs.engine.aggregate("product_sales", by=("product_line",), period=span)
    except MissingData:
        return {}
    frame = frame[frame["product_sales"].notna()]
    return {str(line): sum(rows["product_sales"], NOTHING) for line, rows in frame.groupby("product_line")}


def _unnamed_sales(inputs: StudyInputs, span: Period) -> Fact | None:
    """Product sales that name no line; None without orders."""
    try:
        return inputs.engine.fact("product_sales_without_line", period=span)
    except MissingData:
        return None


def provision_findings(inputs: StudyInputs, provision: Provision | NotDone) -> list[Finding]:
    """Lines whose balance is clearly below the claims expected: Holm over the lines and their total, one false alarm in a hundred reports."""
    if isinstance(provision, NotDone):
        return []
    judged = [
        (line, line.claims)
        for line in (*provision.lines, provision.total)
        if line.claims is not None and line.coverage.value is not None
    ]
    chances = adjust_p_values(
        [claims.short(float(amount_of(line.amounts["closing"]))) for line, claims in judged], method="holm"
    )
    material = materiality(inputs)
    return [
        _short(inputs, provision, line, material)
        for (line, _), chance in zip(judged, chances, strict=True)
        if chance < false_alarm_level(inputs)
    ]


@traced
def _short(inputs: StudyInputs, provision: Provision, line: ProvisionLine, material: Materiality) -> Finding:
    closing = line.amounts["closing"]
    name = closing.dimensions["product_line"]
    rows = provision.rolled.by_period
    shortfall = _shortfall(inputs, line)
    more, values = _remedy(inputs, provision, line, shortfall)
    return Finding(
        id="costs.provision_short",
        section="costs",
        severity=material.severity(shortfall),
        ground="loss",
        stake=Stake.of(shortfall),
        subject=dict(closing.dimensions),
        rank=float(amount_of(shortfall)),
        evidence=(
            provision.rolled.total
            if name == ALL
            else rows[rows["product_line"] == name].reset_index(drop=True)
        ).assign(utilised=lambda rows: -rows["utilised"]),
        statement=Sentence(
            of_length(" ".join([_TOO_SMALL, *more]), inputs.period.months),
            {
                "line": line.line,
                "closing": closing,
                "coverage": line.coverage,
                "expected": line.expected,
                "shortfall": shortfall,
                **values,
            },
        ),
        method=_METHODS[isinstance(line.claims, ForecastClaims)],
    )


_TOO_SMALL = "The warranty provision of {line} is too small by {shortfall} ({shortfall:interval}): the closing balance of {closing} covers {coverage} ({coverage:interval}) of the claims expected from units under warranty, {expected}{expected:doubt}."
_RATES = "In the span of its table it was accrued at {accrual:exact} of the line's product orders; claims took {claims:exact}, the rate that would have met them."
_MOVED = "All lines together are covered {together} ({together:interval}), {richest} alone {most} ({most:interval}). Proposed: move {moved} of the balance from {givers} to {line}; the expense of the month does not change."
_PARTLY = "All lines together are covered {together} ({together:interval}), {richest} alone {most} ({most:interval}). Proposed: move {moved} of the balance from {givers} to {line} and book {booked} as warranty expense."
_BOOKED = "Proposed: book {booked} as warranty expense against the provision."


def _shortfall(inputs: StudyInputs, line: ProvisionLine) -> Fact:
    """Claims expected beyond the balance, with the interval of the claims."""
    closing, expected = line.amounts["closing"], line.expected
    parts: dict[str, Any] = {}
    if expected.interval is not None:
        held = float(amount_of(closing))
        limits = replace(
            expected.interval, low=expected.interval.low - held, high=expected.interval.high - held
        )
        parts = {"interval": limits, "n": expected.n}
    place: dict[str, Any] = dict(closing.dimensions)
    return Stating(inputs=inputs).derived("provision_shortfall", expected, closing, parts=parts, **place)


@traced
def _remedy(
    inputs: StudyInputs, provision: Provision, line: ProvisionLine, shortfall: Fact
) -> tuple[list[str], dict[str, Value]]:
    """What to do: sentences and their facts. Surplus of other lines is moved first, at the nearer end of its interval; the rest is expense."""
    state = Stating(inputs=inputs)
    place: dict[str, Any] = dict(shortfall.dimensions)
    sentences: list[str] = []
    values: dict[str, Value] = {}
    rates = {"accrual": line.amounts["accrual_rate"], "claims": line.amounts["claims_rate"]}
    if all(rate.value is not None for rate in rates.values()):
        sentences, values = [_RATES], {**rates}
    missing, surplus = amount_of(shortfall), _surplus(provision, line)
    spare = sum((more for _, more in surplus), NOTHING)
    moved = min(missing, spare)
    booked = state.exact("provision_expense_proposed", missing - moved, **place)
    if line is provision.total or moved <= 0 or provision.total.coverage.value is None:
        return [*sentences, _BOOKED], values | {"booked": booked}
    richest = max(
        (other for other in provision.lines if other.coverage.value is not None),
        key=lambda other: float(other.coverage.value or 0),
    )
    values |= {
        "together": provision.total.coverage,
        "richest": richest.line,
        "most": richest.coverage,
        "givers": Text.joined(name for name, _ in surplus),
        "moved": state.exact("provision_moved_proposed", moved, **place),
    }
    if missing <= spare:
        return [*sentences, _MOVED], values
    return [*sentences, _PARTLY], values | {"booked": booked}


def _surplus(provision: Provision, short: ProvisionLine) -> list[tuple[Text, Decimal]]:
    """The other lines that hold more than the most that is expected of them, each with what it holds beyond."""
    spare: list[tuple[Text, Decimal]] = []
    for line in provision.lines:
        if line is short or line.expected.interval is None:
            continue
        held = amount_of(line.amounts["closing"]) - cents(line.expected.interval.high)
        if held > 0:
            spare.append((line.line, held))
    return spare


_METHODS = {
    True: "Failures expected under warranty, each at the claims booked per warranty failure in the last year, simulated; Holm over product lines and their total, one false alarm in a hundred reports",
    False: "Claims paid per unit-month under warranty over two years, times the warranty months left; Holm over product lines and their total, one false alarm in a hundred reports",
}


def provision_checks(provision: Provision | NotDone) -> list[Check]:
    """Opening plus movements is the closing, each opening is the closing before, and the balance is the general ledger's."""
    if isinstance(provision, NotDone):
        return []
    checks = [
        *_without_forecast(provision),
        Check(
            id="provision_rolls",
            outcome="passed" if provision.rolled.holds else "failed",
            sentence=Sentence(
                "Opening, accrued, utilised and adjusted give the closing balance of the provision in every month and line."
                if provision.rolled.holds
                else "The provision does not roll forward: a closing balance is not explained by its movements."
            ),
        ),
    ]
    if provision.control_gap.value is not None:
        passed = provision.control_gap.value == 0
        template = (
            "The closing balance of the provision is that of the general ledger, to the cent."
            if passed
            else "The closing balance of the provision differs from the general ledger by {gap:exact}."
        )
        checks.append(
            Check(
                id="provision_tied_out",
                outcome="passed" if passed else "failed",
                sentence=Sentence(template, {} if passed else {"gap": provision.control_gap}),
            )
        )
    return checks


def _without_forecast(provision: Provision) -> list[Check]:
    """Claims that are expected from experience because failures could not be forecast."""
    if not isinstance(provision.bridge, NotDone):
        return []
    return [
        Check(
            id="not_tested.claims_forecast",
            outcome="info",
            sentence=Sentence(
                "Not tested: {what}; {reason}.",
                {"what": Text.of("Claims from the forecast of failures"), "reason": provision.bridge.reason},
            ),
        )
    ]
