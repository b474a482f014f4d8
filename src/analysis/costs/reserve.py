"""The warranty provision of the company: its roll-forward, its rates, and whether the balance covers the claims it is held for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from analysis.costs.provision import ProvisionRollForward, provision_roll_forward
from analysis.errors import AnalysisError, MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.results import Check, Fact, Finding, Interval, Sentence

MONTHS = 12
WARRANTY_SEED = 20_261_101


@dataclass(frozen=True, kw_only=True, eq=False)
class ProvisionLine:
    """One product line (or all) over the last twelve months, with the claims still expected from units under warranty."""

    line: Text
    amounts: Mapping[str, Fact]  # opening accrued utilised adjusted closing accrual_rate claims_rate
    expected: Fact
    coverage: Fact


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
            f"FROM provision WHERE {span.condition()} ORDER BY 2, 1", needs=("provision.opening", "provision.accrued", "provision.utilised"),
        )
    except MissingData as missing:
        return missing
    if table.empty or str(month) not in set(table["month"]):
        return MissingData("provision", message=f"not computed: the provision table has no row for {month}")
    rolled = provision_roll_forward(table, by=["product_line"])
    sales = _sales(inputs, span)
    expected = _expected_claims(inputs)
    lines = tuple(_line(inputs, name, rows, sales.get(name), expected.get(name), str(span)) for name, rows in rolled.by_period.groupby("product_line", sort=True))
    whole = rolled.total.assign(product_line="all")
    parts = [expected[name] for name in sorted(set(rolled.by_period["product_line"])) if name in expected]
    together = np.sum(parts, axis=0) if parts and len(parts) == len(lines) else None
    total = _line(inputs, "all", whole, sum(sales.values(), Decimal(0)) if sales else None, together, str(span))
    return Provision(lines=lines, total=total, rolled=rolled, control_gap=_control_gap(inputs, total.amounts["closing"]), period=str(span))


def _line(inputs: StudyInputs, name: str, rows: Any, sales: Decimal | None, draws: Any, period: str) -> ProvisionLine:
    engine = inputs.engine
    place = {"product_line": name}

    def fact(metric: str, value: Any, **parts: Any) -> Fact:
        reason = None if value is not None else Text(en="not computed: no sales of the line", zh="未计算：该产品线无销售")
        return engine.stated(metric, period=period, value=value, dimensions=place, sources=("provision", "orders"), reason=reason, **parts)

    flows = {name: sum(rows[name], Decimal("0.00")) for name in ("accrued", "utilised", "adjusted")}
    amounts = {
        "opening": fact("provision_opening", rows["opening"].iloc[0]), "closing": fact("provision_closing", rows["closing"].iloc[-1]),
        "accrued": fact("provision_accrued", flows["accrued"]), "utilised": fact("provision_utilised", -flows["utilised"]), "adjusted": fact("provision_adjusted", flows["adjusted"]),
        "accrual_rate": fact("provision_accrual_rate", flows["accrued"] / sales if sales else None, numerator=flows["accrued"], denominator=sales),
        "claims_rate": fact("provision_claims_rate", flows["utilised"] / sales if sales else None, numerator=flows["utilised"], denominator=sales),
    }
    month = inputs.month
    if draws is None:
        reason = Text(en="not computed: needs units.warranty_end and tickets of units under warranty", zh="未计算：缺少 units.warranty_end 及保内工单")
        none = engine.stated("provision_expected_claims", period=month, value=None, dimensions=place, reason=reason)
        return ProvisionLine(line=_name(inputs, name), amounts=amounts, expected=none, coverage=engine.stated("provision_coverage", period=month, value=None, dimensions=place, reason=reason))
    tail = (1 - inputs.confidence) / 2
    low, high = (float(edge) for edge in np.quantile(draws, [tail, 1 - tail]))
    mean, closing = float(np.mean(draws)), float(amounts["closing"].value or 0)
    method = "claims paid a unit-month under warranty, months resampled in blocks of three"
    expected = engine.stated(
        "provision_expected_claims", period=month, value=Decimal(str(round(mean, 2))), dimensions=place, sources=("units", "tickets", "ledger"),
        interval=Interval(low=low, high=high, level=inputs.confidence, method=method), n=len(draws),
    )
    coverage = engine.stated(
        "provision_coverage", period=month, value=closing / mean, dimensions=place, sources=("provision", "units", "tickets", "ledger"),
        interval=Interval(low=closing / high, high=closing / low, level=inputs.confidence, method=method), n=len(draws),
    ) if mean > 0 and low > 0 else engine.stated("provision_coverage", period=month, value=None, dimensions=place, reason=Text(en="not computed: no claims expected", zh="未计算：预计无索赔"))
    return ProvisionLine(line=_name(inputs, name), amounts=amounts, expected=expected, coverage=coverage)


def _name(inputs: StudyInputs, line: str) -> Text:
    return Text(en="All product lines", zh="全部产品线") if line == "all" else inputs.engine.registry.value_label("product_line", line)


def _sales(inputs: StudyInputs, span: Period) -> dict[str, Decimal]:
    try:
        frame = inputs.engine.query(
            f"SELECT product_line, sum(revenue) AS revenue FROM sales WHERE {span.condition()} AND order_type = 'product' AND product_line IS NOT NULL GROUP BY 1 ORDER BY 1",
            needs=("orders.revenue",),
        )
    except MissingData:
        return {}
    return dict(zip(frame["product_line"], frame["revenue"], strict=True))


def _expected_claims(inputs: StudyInputs) -> dict[str, Any]:
    """Draws of what claims of the units now under warranty will cost, by product line.

    The last twelve months give claims a unit-month under warranty and what a claim was utilised for; the units now in the field carry their
    remaining warranty months. The rate is taken as constant over the warranty: where units wear out it is too low, and the failure study's
    forecast by age is to be preferred.
    """
    engine, month = inputs.engine, inputs.month
    try:
        engine.require("units.warranty_end", "products.product_line")
        frame = engine.query(_EXPOSURE.format(first=f"DATE '{(month - (MONTHS - 1)).start}'", end=f"DATE '{month.end}'", last=f"DATE '{month.start}'"))
        paid = engine.query(f"SELECT product_line, strftime(month, '%Y-%m') AS month, utilised FROM provision WHERE {Period(month - (MONTHS - 1), month).condition()} ORDER BY 1, 2")
    except AnalysisError:
        return {}
    generator = np.random.default_rng(WARRANTY_SEED)
    draws = {}
    for row in frame.to_dict("records"):
        amounts = paid.loc[paid["product_line"] == row["product_line"], "utilised"].astype(float).to_numpy()
        if len(amounts) < MONTHS or not row["past_months"] or row["past_months"] <= 0:
            continue
        # cost a unit-month under warranty, month by month: the months are resampled in blocks of three, so that a bad quarter stays one
        starts = generator.integers(0, len(amounts), size=(4000, len(amounts) // 3))
        blocks = (starts[:, :, None] + np.arange(3)) % len(amounts)
        rate = amounts[blocks].reshape(4000, -1).mean(axis=1) * len(amounts) / float(row["past_months"])
        draws[str(row["product_line"])] = rate * float(row["future_months"])
    return draws


_EXPOSURE = """
WITH field AS (
    SELECT p.product_line, coalesce(u.in_service_on, u.shipped_on) AS starts, least(u.warranty_end, coalesce(u.retired_on, u.warranty_end)) AS ends
    FROM units u JOIN products p USING (product_id) WHERE u.warranty_end IS NOT NULL AND u.shipped_on < {end}
)
SELECT product_line,
       sum(greatest(0, date_diff('day', greatest(starts, {first}), least(ends, {end})))) / 30.4375 AS past_months,
       sum(greatest(0, date_diff('day', greatest(starts, {end}), ends))) / 30.4375 AS future_months
FROM field WHERE product_line IS NOT NULL GROUP BY 1 ORDER BY 1
"""


def _control_gap(inputs: StudyInputs, closing: Fact) -> Fact:
    """Closing balance minus the general ledger's."""
    engine, month = inputs.engine, inputs.month
    frame = engine.query(f"SELECT sum(amount) AS amount FROM control_totals WHERE measure = 'warranty_provision_closing' AND account = 'all' AND {Period.of(month).condition()}")
    if frame["amount"].isna().all() or closing.value is None:
        return engine.stated("provision_control_gap", period=month, value=None, reason=Text(en="not computed: no control total", zh="未计算：无控制数"))
    return engine.stated("provision_control_gap", period=month, value=closing.value - frame["amount"].iloc[0], sources=("provision", "gl_totals"))  # type: ignore[operator]


def provision_findings(provision: Provision | MissingData) -> list[Finding]:
    """Lines whose balance lies below the whole interval of the claims expected."""
    if isinstance(provision, MissingData):
        return []
    found = []
    for line in (*provision.lines, provision.total):
        interval, closing = line.expected.interval, line.amounts["closing"]
        if interval is None or closing.value is None or float(closing.value) >= interval.low:
            continue
        found.append(
            Finding(
                id="costs.provision_short", section="costs", severity="alert", subject=dict(closing.dimensions), rank=interval.low - float(closing.value),
                statement=Sentence(
                    "The warranty provision of {line} is too small: the closing balance of {closing} covers {coverage} ({coverage:interval}) of the claims expected from units under warranty, {expected}.",
                    {"line": line.line, "closing": closing, "coverage": line.coverage, "expected": line.expected},
                ),
                evidence=provision.rolled.by_period[provision.rolled.by_period["product_line"] == closing.dimensions["product_line"]].reset_index(drop=True) if closing.dimensions["product_line"] != "all" else provision.rolled.total,
                method="Claims paid a unit-month under warranty over twelve months, months resampled in blocks of three, times the warranty months left; the limit is crossed only when the balance lies below the whole interval",
            )
        )
    return found


def provision_checks(provision: Provision | MissingData) -> list[Check]:
    """Opening plus movements is the closing, each opening is the closing before, and the balance is the general ledger's."""
    if isinstance(provision, MissingData):
        return []
    checks = [
        Check(id="provision_rolls", outcome="passed" if provision.rolled.holds else "failed", sentence=Sentence(
            "Opening, accrued, utilised and adjusted give the closing balance of the provision in every month and line."
            if provision.rolled.holds else "The provision does not roll forward: a closing balance is not explained by its movements."))
    ]
    if provision.control_gap.value is not None:
        passed = provision.control_gap.value == 0
        template = "The closing balance of the provision is that of the general ledger, to the cent." if passed else "The closing balance of the provision differs from the general ledger by {gap:exact}."
        checks.append(Check(id="provision_tied_out", outcome="passed" if passed else "failed", sentence=Sentence(template, {} if passed else {"gap": provision.control_gap})))
    return checks
