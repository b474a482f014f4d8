"""Direct cost by component, recovery by supplier, and money paid although nothing was owed, as facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from analysis.failures import money
from analysis.failures.field import Field
from analysis.failures.limits import interval_of, jointly
from analysis.failures.localising_facts import CauseFacts, cause_slice
from analysis.failures.reporting_facts import Labelled
from analysis.failures.views import is_value
from analysis.locale import Text
from analysis.metrics import Period, cents, traced
from analysis.results import Fact, Interval, Rows
from analysis.summaries import Summarised


@dataclass(frozen=True, kw_only=True, eq=False)
class MoneyFacts(Summarised):
    """Direct cost of failures of the last twelve months, and by component with its parts; ``unit`` is the mean per failure."""

    total: Fact
    unit: float | None
    by_component: tuple[tuple[Text, Mapping[str, Fact]], ...]


def _sum(amounts: pd.Series) -> Decimal:
    return sum((Decimal(str(value)) for value in amounts), Decimal(0))


@traced
def money_facts(field: Field, costs: pd.DataFrame) -> MoneyFacts:
    """Cost by component, the costliest first; the parts of each add up to it."""
    total = Rows(numerator=money.posted(field, money.since(field)), value=money.TOTAL)
    return MoneyFacts(
        unit=money.unit_cost(costs).mean if costs["failures"].sum() else None,
        total=field.state.exact("failure_cost", _sum(costs["amount"]), period=field.year, lineage=total),
        by_component=tuple(
            (field.label("component", str(row["value"])), _component(field, row))
            for row in costs.to_dict("records")
        ),
    )


def _component(field: Field, row: Mapping[Any, Any]) -> dict[str, Fact]:
    component, total, failures = str(row["value"]), Decimal(str(row["amount"])), int(row["failures"])
    where = f"{money.since(field)} AND {is_value('component', component)}"
    named = {name: Decimal(str(row[name])) for name in money.NAMED}
    named["other"] = total - sum(named.values(), Decimal(0))

    def cost(amount: Decimal, part: str = "", **place: str) -> Fact:
        rows = Rows(numerator=money.posted(field, where, part=part), value=money.TOTAL)
        extra = {} if part else {"n": failures}
        return field.state.exact(
            "failure_cost",
            amount,
            period=field.year,
            lineage=rows,
            parts=extra,
            component=component,
            **place,  # type: ignore[arg-type]
        )

    unit = Rows(numerator=money.posted(field, where), value=money.TOTAL, denominator=field.rows(where))
    return {name: cost(amount, name, of=name) for name, amount in named.items()} | {
        "total": cost(total),
        "unit": field.state.exact(
            "failure_unit_cost",
            cents(total / failures) if failures else Decimal(0),
            period=field.year,
            lineage=unit,
            parts={"n": failures, "numerator": total, "denominator": failures},
            component=component,
        ),
    }


@traced
def recovery_facts(field: Field) -> tuple[Labelled, ...]:
    """What suppliers gave back of approved claims on failed machines, by supplier of the key component."""
    found, rows_of = [], money.recovery_by_supplier(field).to_dict("records")
    # the reader will look at the lowest: all intervals hold together
    level = jointly(field.inputs.confidence, len(rows_of))
    for row in rows_of:
        approved, recovered = Decimal(str(row["approved"])), Decimal(str(row["recovered"]))
        if not approved:
            continue
        supplier = str(row["supplier"])
        claims = money.claims_on_failures(field, f"c.approved > 0 AND {is_value('f.supplier', supplier)}")
        rows = Rows(
            numerator=claims, value="coalesce(sum(recovered), 0)", denominator=claims, of="sum(approved)"
        )
        fact = field.state.exact(
            "supplier_recovery_rate",
            recovered / approved,
            period=field.year,
            lineage=rows,
            parts={"numerator": recovered, "denominator": approved, "n": int(row["claims"])}
            | {"interval": _recovery_limits(row, level)},
            supplier=supplier,
        )
        found.append((field.label("supplier", supplier), fact))
    return tuple(found)


def _recovery_limits(row: Mapping[Any, Any], level: float) -> Interval | None:
    """A ratio of sums over claims: linearised standard error, t; none of one claim, or where all claims came back alike."""
    from scipy.stats import t

    claims, approved = int(row["claims"]), float(row["approved"])
    share = float(row["recovered"]) / approved
    squares = float(row["recovered_squares"]) - 2 * share * float(row["products"])
    squares += share**2 * float(row["approved_squares"])
    if claims < 2 or squares <= 1e-9 * float(row["approved_squares"]):
        return None
    error = float(np.sqrt(squares * claims / (claims - 1))) / approved
    reach = float(t.ppf(0.5 + level / 2, claims - 1)) * error
    return interval_of(
        max(share - reach, 0.0), min(share + reach, max(share, 1.0)), level, "ratio of sums over claims, t"
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Leak(Summarised):
    """Money paid although nothing was owed, or not got back: the amount, the number of claims, and the claims.

    ``since_start`` is the same since the first claim that is known; None where only twelve months are asked for.
    """

    amount: Fact
    claims: Fact
    evidence: pd.DataFrame
    since_start: Leak | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class LeakFacts(Summarised):
    """Claims approved although the machine was out of warranty, and claims approved twice."""

    out_of_warranty: Leak
    duplicates: Leak


@traced
def leak_facts(field: Field) -> LeakFacts:
    """The leaks since the first claim, and those of the last twelve months."""
    start = money.claims_since(field)

    def leak(metric: str, claims: Callable[[Field, Period], str]) -> Leak:
        whole = _leak(field, metric, claims(field, start), period=start)
        return replace(_leak(field, metric, claims(field, field.year)), since_start=whole)

    return LeakFacts(
        out_of_warranty=leak("leakage_out_of_warranty", money.out_of_warranty_claims),
        duplicates=leak("leakage_duplicates", money.duplicate_claims),
    )


@traced
def _leak(
    field: Field,
    metric: str,
    claims: str,
    column: str = "approved",
    *,
    period: Period | None = None,
    **place: str,
) -> Leak:
    """``claims`` is the SELECT of the claims, ``column`` holds the money of each."""
    rows = field.inputs.engine.query(claims)
    total = Rows(numerator=claims, value=f"coalesce(sum({column}), 0)")
    n = {"n": len(rows)} if place else {}
    return Leak(
        amount=field.state.exact(
            metric,
            _sum(rows[column]),
            period=period or field.year,
            lineage=total,
            parts=n,
            **place,  # type: ignore[arg-type]
        ),
        claims=field.state.exact(
            "leakage_claims",
            len(rows),
            period=period or field.year,
            lineage=Rows(numerator=claims),
            **{**place, "of": metric},  # type: ignore[arg-type]
        ),
        evidence=rows,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class DueFacts(Summarised):
    """What a supplier still owes for the failures of a cause."""

    cause: Text
    supplier: str
    due: Leak


@traced
def due_facts(field: Field, causes: tuple[CauseFacts, ...]) -> tuple[DueFacts, ...]:
    """Approved claims that suppliers have not paid back: only where the search named the supplier."""
    found = []
    for one in causes:
        supplier = one.cause.attributes.get("supplier")
        if supplier is None:
            continue
        claims = money.claims_due(field, one.cause)
        due = _leak(field, "recovery_due", claims, "due", **cause_slice(one.cause))
        if due.claims.value:
            found.append(DueFacts(cause=one.name, supplier=supplier, due=due))
    return tuple(found)
