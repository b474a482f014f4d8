"""Direct cost by component, recovery by supplier, and money paid although nothing was owed, as facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.failures import money
from analysis.failures.field import Field
from analysis.failures.limits import interval_of, jointly
from analysis.failures.localising_facts import CauseFacts, cause_slice
from analysis.failures.views import is_value
from analysis.locale import Text
from analysis.metrics import Period, traced
from analysis.metrics.views.selection import Selection
from analysis.results import Fact, Interval
from analysis.summaries import Summarised


@dataclass(frozen=True, kw_only=True, eq=False)
class MoneyFacts(Summarised):
    """Direct cost of failures of the last twelve months with its parts (``whole``) and, beside it, ``labour`` as posted; the same by component; ``unit`` is the mean per failure."""

    total: Fact
    whole: Mapping[str, Fact]
    unit: float | None
    by_component: tuple[tuple[Text, Mapping[str, Fact]], ...]

    @property
    def has_labour(self) -> bool:
        """Whether the ledger posts labour to the tickets of failures."""
        return "labour" in self.whole


@traced
def money_facts(field: Field, costs: pd.DataFrame) -> MoneyFacts:
    """Cost by component, the costliest first; the parts of each add up to it."""
    of_year = money.posted(field, money.since(field))
    labour = field.state.measured_by(
        "failure_labour_posted",
        money.labour_posted(field, money.since(field)),
        by=("component",),
        period=field.year,
    )
    parts = field.state.measured_by("failure_cost", of_year, by=("component", "of"), period=field.year)
    total = field.state.measured("failure_cost", of_year, period=field.year)
    failed = field.rows(money.since(field))
    kinds = {
        name: field.state.measured("failure_cost", of_year.of(of=name), of=name, period=field.year)
        for name in (*money.NAMED, "other")
    }
    return MoneyFacts(
        unit=money.unit_cost(costs).mean if costs["failures"].sum() else None,
        total=total,
        whole=kinds
        | {
            "total": total,
            "unit": field.state.measured("failure_unit_cost", of_year, failed, period=field.year),
        }
        | _labour(field, labour),
        by_component=tuple(
            (
                field.label("component", str(row["value"])),
                _component(field, row, of_year, parts) | _labour(field, labour, str(row["value"])),
            )
            for row in costs.to_dict("records")
        ),
    )


def _component(
    field: Field, row: Mapping[Any, Any], of_year: Selection, parts: Mapping[tuple[str, ...], Fact]
) -> dict[str, Fact]:
    component, n = str(row["value"]), {"n": int(row["failures"])}
    place: dict[str, Any] = {"component": component, "period": field.year}
    own = of_year.of(component=component)
    failed = field.rows(f"{money.since(field)} AND {is_value('component', component)}")

    def part(name: str) -> Fact:
        # a part without postings costs nothing
        return parts.get((component, name)) or field.state.measured(
            "failure_cost", own.of(of=name), of=name, **place
        )

    return {name: part(name) for name in (*money.NAMED, "other")} | {
        "total": field.state.measured("failure_cost", own, parts=n, **place),
        "unit": field.state.measured("failure_unit_cost", own, failed, parts=n, **place),
    }


def _labour(field: Field, posted: Mapping[tuple[str, ...], Fact], component: str = "") -> dict[str, Fact]:
    """Labour that the ledger posts to the failures' tickets, of a component or of all; nothing where it posts none to any."""
    if not posted:
        return {}
    rows = money.labour_posted(field, money.since(field))
    place: dict[str, Any] = {"component": component} if component else {}
    found = posted.get((component,)) or field.state.measured(
        "failure_labour_posted", rows.of(**place), period=field.year, **place
    )
    return {"labour": found}


@dataclass(frozen=True, kw_only=True, eq=False)
class Recovery(Summarised):
    """What one supplier gave back: its share of the amount approved, and both amounts."""

    supplier: Text
    share: Fact
    recovered: Fact
    approved: Fact


@traced
def recovery_facts(field: Field) -> tuple[Recovery, ...]:
    """What suppliers gave back of approved claims on failed machines, by supplier of the key component."""
    found, rows_of = [], money.recovery_by_supplier(field).to_dict("records")
    # the reader will look at the lowest: all intervals hold together
    level = jointly(field.inputs.confidence, len(rows_of))
    for row in rows_of:
        if not row["approved"]:
            continue
        supplier = str(row["supplier"])
        claims = money.claims_on_failures(field, f"c.approved > 0 AND {is_value('f.supplier', supplier)}")
        place: dict[str, Any] = {"period": field.year, "supplier": supplier}
        parts = {"n": int(row["claims"]), "interval": _recovery_limits(row, level)}
        found.append(
            Recovery(
                supplier=field.label("supplier", supplier),
                share=field.state.measured("supplier_recovery_rate", claims, parts=parts, **place),
                recovered=field.state.measured("supplier_recovered", claims, **place),
                approved=field.state.measured("supplier_approved", claims, **place),
            )
        )
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

    def leak(metric: str, claims: Callable[[Field, Period], Selection]) -> Leak:
        whole = _leak(field, metric, claims(field, start), period=start)
        return replace(_leak(field, metric, claims(field, field.year)), since_start=whole)

    return LeakFacts(
        out_of_warranty=leak("leakage_out_of_warranty", money.out_of_warranty_claims),
        duplicates=leak("leakage_duplicates", money.duplicate_claims),
    )


@traced
def _leak(
    field: Field, metric: str, claims: Selection, *, period: Period | None = None, **place: str
) -> Leak:
    """The money of the metric and the number of the ``claims`` it is paid on."""
    rows = field.inputs.engine.query(claims)
    where: dict[str, Any] = {**place, "period": period or field.year}
    return Leak(
        amount=field.state.measured(metric, claims, parts={"n": len(rows)} if place else {}, **where),
        claims=field.state.measured("leakage_claims", money.listed_claims(str(claims)), of=metric, **where),
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
        due = _leak(field, "recovery_due", claims, **cause_slice(one.cause))
        if due.claims.value:
            found.append(DueFacts(cause=one.name, supplier=supplier, due=due))
    return tuple(found)
