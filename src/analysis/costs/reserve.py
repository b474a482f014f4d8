"""The warranty provision of the company: its roll-forward, its rates, and whether the balance covers the claims it is held for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.costs.figures import amount_of, money, rows_of
from analysis.costs.provision import ProvisionRollForward, provision_roll_forward
from analysis.costs.serial import Contrast, contrast
from analysis.costs.signals import LEAST_CORRELATION
from analysis.errors import AnalysisError, MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.metrics.backend import literal
from analysis.periods import Month
from analysis.results import Check, Fact, Finding, Interval, Sentence

if TYPE_CHECKING:
    import pandas as pd

MONTHS = 12
CLAIM_MONTHS = 24
DAYS_IN_MONTH = 30.4375
LEVEL = 0.01
METHOD = "claims paid a unit-month under warranty over two years, serially correlated errors, t"


@dataclass(frozen=True, kw_only=True, eq=False)
class ProvisionLine:
    """One product line (or all) over the last twelve months, with the claims still expected from units under warranty."""

    line: Text
    amounts: Mapping[str, Fact]  # opening accrued utilised adjusted closing accrual_rate claims_rate
    expected: Fact
    coverage: Fact
    claims: ExpectedClaims | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Provision:
    """Product lines, their total, and the rolled months behind them."""

    lines: tuple[ProvisionLine, ...]
    total: ProvisionLine
    rolled: ProvisionRollForward
    control_gap: Fact
    period: str


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
    monthly = _monthly_claims(inputs)
    expected = {name: expected_claims(months) for name, months in monthly.items()}
    by_line = [(str(name), rows) for name, rows in rolled.by_period.groupby("product_line", sort=True)]
    lines = tuple(
        _line(inputs, name, rows, sales.get(name), expected.get(name), str(span)) for name, rows in by_line
    )
    whole = rolled.total.assign(product_line="all")
    parts = [monthly[name] for name, _ in by_line if name in monthly]
    together = expected_claims(np.sum(parts, axis=0)) if parts and len(parts) == len(lines) else None
    total = _line(
        inputs, "all", whole, sum(sales.values(), Decimal(0)) if sales else None, together, str(span)
    )
    return Provision(
        lines=lines,
        total=total,
        rolled=rolled,
        control_gap=_control_gap(inputs, total.amounts["closing"]),
        period=str(span),
    )


def _line(
    inputs: StudyInputs,
    name: str,
    rows: pd.DataFrame,
    sales: Decimal | None,
    claims: ExpectedClaims | None,
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
        return engine.stated(
            metric,
            period=period,
            value=value,
            dimensions=place,
            sources=("provision", "orders"),
            reason=reason,
            **parts,
        )

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


def _covered(
    inputs: StudyInputs, place: Mapping[str, str], claims: ExpectedClaims | None, closing: float
) -> tuple[Fact, Fact]:
    """Claims expected, and the share of them that the closing balance covers."""

    def fact(metric: str, value: Any, **parts: Any) -> Fact:
        return inputs.engine.stated(
            metric,
            period=inputs.month,
            value=value,
            dimensions=place,
            sources=("provision", "units"),
            **parts,
        )

    if claims is None:
        reason = Text(
            en="not computed: needs units.warranty_end and a year of claims of the line",
            zh="未计算：缺少 units.warranty_end 或该产品线一整年的索赔",
        )
        return fact("provision_expected_claims", None, reason=reason), fact(
            "provision_coverage", None, reason=reason
        )
    mean, (low, high) = float(claims.found.estimate), map(float, claims.found.limits(inputs.confidence))
    limits = Interval(low=max(0.0, low), high=high, level=inputs.confidence, method=METHOD)
    expected = fact("provision_expected_claims", money(mean), interval=limits, n=claims.months)
    if limits.low <= 0:
        unclear = Text(
            en="not computed: claims expected are not clearly above zero", zh="未计算：预计索赔未显著大于零"
        )
        return expected, fact("provision_coverage", None, reason=unclear)
    share = Interval(low=closing / high, high=closing / low, level=inputs.confidence, method=METHOD)
    return expected, fact("provision_coverage", closing / mean, interval=share, n=claims.months)


def _name(inputs: StudyInputs, line: str) -> Text:
    return (
        Text(en="All product lines", zh="全部产品线")
        if line == "all"
        else inputs.engine.registry.value_label("product_line", line)
    )


def _sales(inputs: StudyInputs, span: Period) -> dict[str, Decimal]:
    try:
        frame = inputs.engine.query(
            f"SELECT product_line, sum(revenue) AS revenue FROM sales WHERE {span.condition()} AND order_type = 'product' AND product_line IS NOT NULL GROUP BY 1 ORDER BY 1",
            needs=("orders.revenue",),
        )
    except MissingData:
        return {}
    return dict(zip(frame["product_line"], frame["revenue"], strict=True))


@dataclass(frozen=True, kw_only=True, eq=False)
class ExpectedClaims:
    """What the warranty that is left will cost, and the chance of seeing such months if the balance were enough."""

    found: Contrast
    months: int

    def short(self, closing: float) -> float:
        """One-sided p-value for claims of at most ``closing``."""
        return float(self.found.tail(closing))


def expected_claims(monthly: NDArray[np.float64]) -> ExpectedClaims:
    """Expected cost of the warranty that is left, from what each past month says it would be.

    Parameters
    ----------
    monthly : one value a month, oldest first: claims paid ÷ unit-months under warranty × warranty months left

    Notes
    -----
    Their mean beside one sine and cosine of the year, with a t interval that lets neighbouring months hang together
    (`serial.contrast`). The rate is taken as constant over the warranty.
    """
    angle = 2 * np.pi * np.arange(len(monthly)) / 12
    design = np.column_stack([np.ones(len(monthly)), np.sin(angle), np.cos(angle)])
    found = contrast(design, monthly, np.array([1.0, 0.0, 0.0]), least_correlation=LEAST_CORRELATION)
    return ExpectedClaims(found=found, months=len(monthly))


def _monthly_claims(inputs: StudyInputs) -> dict[str, NDArray[np.float64]]:
    """By product line: what each of the last two years' months (one year's, where there is no more) says the warranty that is left will cost."""
    try:
        inputs.engine.require("units.warranty_end", "products.product_line")
        known = inputs.engine.query("SELECT DISTINCT strftime(month, '%Y-%m') AS month FROM provision")[
            "month"
        ]
        span = CLAIM_MONTHS if str(inputs.month - (CLAIM_MONTHS - 1)) in set(known) else MONTHS
        first = inputs.month - (span - 1)
        months = [first + step for step in range(span)]
        exposed = inputs.engine.query(_exposure_sql(months))
        paid = inputs.engine.query(
            "SELECT product_line, strftime(month, '%Y-%m') AS month, utilised::DOUBLE AS utilised FROM provision "
            f"WHERE {Period(first, inputs.month).condition()} ORDER BY 1, 2"
        )
    except AnalysisError:
        return {}
    claims = {}
    for row in rows_of(exposed):
        amounts = paid.loc[paid["product_line"] == row["product_line"], "utilised"].to_numpy(float)
        past = np.array([row[f"m{step}"] for step in range(span)], dtype=float)
        if len(amounts) == span and (past > 0).all():
            claims[str(row["product_line"])] = amounts / past * float(row["ahead"])
    return claims


def _exposure_sql(months: list[Month]) -> str:
    """Unit-months under warranty by product line, in each month and after the last one."""

    def inside(start: str, end: str) -> str:
        return f"sum(greatest(0, date_diff('day', greatest(starts, {start}), {end}))) / {DAYS_IN_MONTH}"

    past = ", ".join(
        f"{inside(literal(month.start), f'least(ends, {literal(month.end)})')} AS m{step}"
        for step, month in enumerate(months)
    )
    end = literal(months[-1].end)
    return f"""
    WITH field AS (
        SELECT p.product_line, coalesce(u.in_service_on, u.shipped_on) AS starts, least(u.warranty_end, coalesce(u.retired_on, u.warranty_end)) AS ends
        FROM units u JOIN products p USING (product_id) WHERE u.warranty_end IS NOT NULL AND u.shipped_on < {end}
    )
    SELECT product_line, {past}, {inside(end, "ends")} AS ahead FROM field WHERE product_line IS NOT NULL GROUP BY 1 ORDER BY 1
    """


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
        "provision_control_gap",
        period=month,
        value=amount_of(closing) - frame["amount"].iloc[0],
        sources=("provision", "gl_totals"),
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
        if name == "all"
        else rows[rows["product_line"] == name].reset_index(drop=True),
        statement=Sentence(
            "The warranty provision of {line} is too small: the closing balance of {closing} covers {coverage} ({coverage:interval}) of the claims expected from units under warranty, {expected}.",
            {"line": line.line, "closing": closing, "coverage": line.coverage, "expected": line.expected},
        ),
        method="Claims paid a unit-month under warranty over two years, times the warranty months left; Holm over product lines and their total, one false alarm in a hundred reports",
    )


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
