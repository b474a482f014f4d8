"""The warranty provision of the company: its roll-forward, its rates, and whether the balance covers the claims it is held for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.costs.claims import (
    ALL,
    ClaimsExperience,
    ForecastClaims,
    ForecastOfClaims,
    claims_experience,
    claims_forecast,
)
from analysis.costs.figures import amount_of, money
from analysis.costs.provision import ProvisionRollForward, provision_roll_forward
from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.metrics.lineage import traced
from analysis.results import Check, Fact, Finding, Interval, Sentence
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

MONTHS = 12
LEVEL = 0.01


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

    ``no_forecast`` says why claims are expected from experience and not from the forecast of failures; ``bridge`` leads from that forecast's
    direct cost to the claims expected, and is None without it.
    """

    lines: tuple[ProvisionLine, ...]
    total: ProvisionLine
    rolled: ProvisionRollForward
    control_gap: Fact
    period: str
    bridge: ClaimsBridge | None
    no_forecast: Text | None


@dataclass(frozen=True, kw_only=True, eq=False)
class ClaimsBridge(Summarised):
    """Failures expected under warranty, their direct cost as the failure section states it, and claims booked for each yuan of it."""

    failures: Fact
    direct: Fact
    per_failure: Fact
    at_past_rate: Fact


@traced
def provision_of(inputs: StudyInputs) -> Provision | MissingData:
    """Roll the provision forward over twelve months and hold its balance against the claims expected."""
    engine, month = inputs.engine, inputs.month
    span = Period(month - (MONTHS - 1), month)
    try:
        table = engine.query(
            f"SELECT strftime(month, '%Y-%m') AS month, product_line, opening, accrued, utilised, coalesce(adjusted, 0)::DECIMAL(18, 2) AS adjusted, closing "
            f"FROM provision WHERE {span.condition()} ORDER BY 2, 1",
            needs=("provision.opening", "provision.accrued", "provision.utilised"),
        )
    except MissingData as missing:
        return missing
    if table.empty or str(month) not in set(table["month"]):
        return MissingData("provision", message=f"not computed: the provision table has no row for {month}")
    rolled = provision_roll_forward(table, by=["product_line"])
    sales = _sales(inputs, span)
    by_line = [(str(name), rows) for name, rows in rolled.by_period.groupby("product_line", sort=True)]
    names = [name for name, _ in by_line]
    experience = claims_experience(inputs, names)
    forecast = claims_forecast(inputs, names)
    no_forecast = forecast if isinstance(forecast, Text) else None
    expected = experience if isinstance(forecast, Text) else forecast.claims
    lines = tuple(
        _line(inputs, name, rows, sales.get(name), expected.get(name), str(span)) for name, rows in by_line
    )
    whole = rolled.total.assign(product_line=ALL)
    sold = sum(sales.values(), Decimal(0)) if sales else None
    total = _line(inputs, ALL, whole, sold, expected.get(ALL), str(span))
    return Provision(
        lines=lines,
        total=total,
        rolled=rolled,
        control_gap=_control_gap(inputs, total.amounts["closing"]),
        period=str(span),
        bridge=None if isinstance(forecast, Text) else _bridge(inputs, forecast, experience.get(ALL)),
        no_forecast=no_forecast,
    )


@traced
def _bridge(
    inputs: StudyInputs, forecast: ForecastOfClaims, experience: ClaimsExperience | None
) -> ClaimsBridge:
    def fact(metric: str, value: Any, **parts: Any) -> Fact:
        return inputs.engine.stated(metric, period=inputs.month, value=value, **parts)

    reason = Text(
        en="not computed: needs a year of claims and exposure", zh="未计算：缺少一整年的索赔与在保台月"
    )
    return ClaimsBridge(
        failures=fact("provision_failures_ahead", round(forecast.failures)),
        direct=fact("provision_direct_cost_ahead", money(forecast.direct_cost)),
        per_failure=fact(
            "provision_claims_per_failure",
            money(forecast.booked / forecast.seen),
            numerator=money(forecast.booked),
            denominator=int(forecast.seen),
        ),
        at_past_rate=fact("provision_claims_at_past_rate", None, reason=reason)
        if experience is None
        else fact("provision_claims_at_past_rate", money(experience.expected)),
    )


@traced
def _line(
    inputs: StudyInputs,
    name: str,
    rows: pd.DataFrame,
    sales: Decimal | None,
    claims: ForecastClaims | ClaimsExperience | None,
    period: str,
) -> ProvisionLine:
    engine = inputs.engine
    place = {"product_line": name}

    def fact(metric: str, value: Any, **parts: Any) -> Fact:
        reason = (
            None
            if value is not None
            else Text(en="not computed: no sales of the line", zh="未计算：该产品线无销售")
        )
        return engine.stated(metric, period=period, value=value, dimensions=place, reason=reason, **parts)

    flows = {name: sum(rows[name], Decimal("0.00")) for name in ("accrued", "utilised", "adjusted")}
    amounts = {
        "opening": fact("provision_opening", rows["opening"].iloc[0]),
        "closing": fact("provision_closing", rows["closing"].iloc[-1]),
        "accrued": fact("provision_accrued", flows["accrued"]),
        "utilised": fact("provision_utilised", -flows["utilised"]),
        "adjusted": fact("provision_adjusted", flows["adjusted"]),
        "accrual_rate": fact(
            "provision_accrual_rate",
            flows["accrued"] / sales if sales else None,
            numerator=flows["accrued"],
            denominator=sales,
        ),
        "claims_rate": fact(
            "provision_claims_rate",
            flows["utilised"] / sales if sales else None,
            numerator=flows["utilised"],
            denominator=sales,
        ),
    }
    expected, coverage = _covered(inputs, place, claims, float(amounts["closing"].value or 0))
    return ProvisionLine(
        line=_name(inputs, name), amounts=amounts, expected=expected, coverage=coverage, claims=claims
    )


@traced
def _covered(
    inputs: StudyInputs,
    place: Mapping[str, str],
    claims: ForecastClaims | ClaimsExperience | None,
    closing: float,
) -> tuple[Fact, Fact]:
    """Claims expected, and the share of them that the closing balance covers."""

    def fact(metric: str, value: Any, **parts: Any) -> Fact:
        return inputs.engine.stated(metric, period=inputs.month, value=value, dimensions=place, **parts)

    if claims is None:
        reason = Text(
            en="not computed: needs units.warranty_end and a year of claims of the line",
            zh="未计算：缺少 units.warranty_end 或该产品线一整年的索赔",
        )
        return fact("provision_expected_claims", None, reason=reason), fact(
            "provision_coverage", None, reason=reason
        )
    low, high = claims.limits(inputs.confidence)
    limits = Interval(low=max(0.0, low), high=high, level=inputs.confidence, method=claims.method)
    expected = fact("provision_expected_claims", money(claims.expected), interval=limits, n=claims.months)
    if limits.low <= 0:
        unclear = Text(
            en="not computed: claims expected are not clearly above zero", zh="未计算：预计索赔未显著大于零"
        )
        return expected, fact("provision_coverage", None, reason=unclear)
    # a balance can be below zero, where more was paid than was ever set aside
    least, most = sorted((closing / limits.low, closing / limits.high))
    share = Interval(low=least, high=most, level=inputs.confidence, method=claims.method)
    return expected, fact(
        "provision_coverage", closing / float(amount_of(expected)), interval=share, n=claims.months
    )


def _name(inputs: StudyInputs, line: str) -> Text:
    return (
        Text(en="All product lines", zh="全部产品线")
        if line == ALL
        else inputs.engine.registry.value_label("product_line", line)
    )


@traced
def _sales(inputs: StudyInputs, span: Period) -> dict[str, Decimal]:
    try:
        frame = inputs.engine.query(
            f"SELECT product_line, sum(revenue) AS revenue FROM sales WHERE {span.condition()} AND order_type = 'product' AND product_line IS NOT NULL GROUP BY 1 ORDER BY 1",
            needs=("orders.revenue",),
        )
    except MissingData:
        return {}
    return dict(zip(frame["product_line"], frame["revenue"], strict=True))


@traced
def _control_gap(inputs: StudyInputs, closing: Fact) -> Fact:
    """Closing balance minus the general ledger's."""
    engine, month = inputs.engine, inputs.month
    frame = engine.query(
        f"SELECT sum(amount) AS amount FROM control_totals WHERE measure = 'warranty_provision_closing' AND account = 'all' AND {Period.of(month).condition()}"
    )
    if frame["amount"].isna().all() or closing.value is None:
        return engine.stated(
            "provision_control_gap",
            period=month,
            value=None,
            reason=Text(en="not computed: no control total", zh="未计算：无控制数"),
        )
    return engine.stated(
        "provision_control_gap", period=month, value=amount_of(closing) - frame["amount"].iloc[0]
    )


def provision_findings(provision: Provision | MissingData) -> list[Finding]:
    """Lines whose balance is clearly below the claims expected: Holm over the lines and their total, one false alarm in a hundred reports."""
    from analysis.stats.multiplicity import adjust_p_values

    if isinstance(provision, MissingData):
        return []
    judged = [
        (line, line.claims)
        for line in (*provision.lines, provision.total)
        if line.claims is not None and line.coverage.value is not None
    ]
    chances = adjust_p_values(
        [claims.short(float(amount_of(line.amounts["closing"]))) for line, claims in judged], method="holm"
    )
    return [
        _short(provision, line) for (line, _), chance in zip(judged, chances, strict=True) if chance < LEVEL
    ]


def _short(provision: Provision, line: ProvisionLine) -> Finding:
    closing = line.amounts["closing"]
    name = closing.dimensions["product_line"]
    rows = provision.rolled.by_period
    return Finding(
        id="costs.provision_short",
        section="costs",
        severity="alert",
        subject=dict(closing.dimensions),
        rank=float(amount_of(line.expected) - amount_of(closing)),
        evidence=provision.rolled.total
        if name == ALL
        else rows[rows["product_line"] == name].reset_index(drop=True),
        statement=Sentence(
            "The warranty provision of {line} is too small: the closing balance of {closing} covers {coverage} ({coverage:interval}) of the claims expected from units under warranty, {expected}.",
            {"line": line.line, "closing": closing, "coverage": line.coverage, "expected": line.expected},
        ),
        method=_METHODS[isinstance(line.claims, ForecastClaims)],
    )


_METHODS = {
    True: "Failures expected under warranty, each at the claims booked per warranty failure in the last year, simulated; Holm over product lines and their total, one false alarm in a hundred reports",
    False: "Claims paid per unit-month under warranty over two years, times the warranty months left; Holm over product lines and their total, one false alarm in a hundred reports",
}


def provision_checks(provision: Provision | MissingData) -> list[Check]:
    """Opening plus movements is the closing, each opening is the closing before, and the balance is the general ledger's."""
    if isinstance(provision, MissingData):
        return []
    checks = [
        Check(
            id="provision_rolls",
            outcome="passed" if provision.rolled.holds else "failed",
            sentence=Sentence(
                "Opening, accrued, utilised and adjusted give the closing balance of the provision in every month and line."
                if provision.rolled.holds
                else "The provision does not roll forward: a closing balance is not explained by its movements."
            ),
        )
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
