"""Why the value of the base moved: what customers did, what the model came to think, what assumptions became. The steps add up to the cent."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.errors import FitError
from analysis.locale import Text
from analysis.metrics import Stating, StudyInputs
from analysis.metrics.lineage import traced
from analysis.results import Derived, Fact
from analysis.summaries import Summarised
from analysis.value import customer_table, views

if TYPE_CHECKING:
    from analysis.metrics.views.selection import Selection
    from analysis.value.customer_table import Available, Parameters, State
    from analysis.value.purchase_models import Choice
    from analysis.value.settings import ValueSettings

CUSTOMER_STEPS = ("new", "lost", "grown", "shrunk")
STEPS = (*CUSTOMER_STEPS, "model", "assumptions")
COMPUTED = Text.of("no interval: computed anew, not drawn from customers")
NOBODY_MOVED = Text.of("no interval: no customer did so")


@dataclass(frozen=True, kw_only=True, eq=False)
class ValueChange(Summarised):
    """The value at the end of last month, its steps, and the value now: ``before`` + sum of ``steps`` = ``after``, exactly.

    ``by_customers`` : new, lost, grown and shrunk together, with an interval. ``customers`` : how many stand behind each step. ``rates`` : discount rates before and after.
    """

    before: Fact
    after: Fact
    steps: Mapping[str, Fact]
    customers: Mapping[str, Fact]
    by_customers: Fact
    rates: tuple[float, float]


def steps_of(
    before: Decimal, changes: Mapping[str, Decimal], refitted: Decimal, after: Decimal
) -> dict[str, Decimal]:
    """Steps from ``before`` to ``after``: changes of customers as given, then what the refit adds to them, then what assumptions add."""
    moved = {name: changes.get(name, Decimal(0)) for name in CUSTOMER_STEPS}
    reached = before + sum(moved.values(), Decimal(0))
    return moved | {"model": refitted - reached, "assumptions": after - refitted}


@dataclass(frozen=True, kw_only=True, eq=False)
class Moves(Summarised):
    """What the four prices of the base say: amounts in cents, ``error`` of what customers did, and ``errors`` by step, the ``customers`` compared, ``known`` how many."""

    before: Decimal
    steps: Mapping[str, Decimal]
    error: float
    errors: Mapping[str, float]
    customers: Selection
    known: int
    rates: tuple[float, float]


@traced
def moves(
    inputs: StudyInputs,
    settings: ValueSettings,
    available: Available,
    choice: Choice,
    state: State,
    parameters: Parameters,
    *,
    months: int,
    after: Decimal,
) -> Moves:
    """Last month's base with last month's model; today's base with it; today's model; today's assumptions.

    The model's kind is the one chosen now: last month is fitted again as it would have been with it, on what was known then.

    Raises
    ------
    FitError
        Nobody was a customer last month, or the rows of this month end in its middle: who has not bought yet would read as gone.
    """
    inputs.require_whole_month()
    earlier: dt.date = inputs.month.start
    then, now = (
        float(inputs.assumptions.value("discount_rate_annual", on=day - dt.timedelta(days=1)))
        for day in (earlier, inputs.month.end)
    )
    old_state = customer_table.state_at(inputs, settings, available, earlier)
    # contracts too: a kind that lost too few a month ago to have a model would read as worth nothing then
    lengths = None if parameters.renewing is None else tuple(parameters.renewing.terms.values())
    old = customer_table.parameters_at(inputs, settings, available, old_state, choice, lengths)
    customer_table.require_margin(settings, available, old)

    def priced(name: str, of: State, by: Parameters) -> str:
        return customer_table.priced(inputs, settings, of, by, name=name, months=months, rate=then)

    before = priced("value_then", old_state, old)
    compared = views.compared(before, priced("value_now_old_model", state, old))
    frame = inputs.engine.query(views.change(str(compared))).set_index("step")
    if not len(frame):
        raise FitError("nobody was a customer last month")
    refitted = after if then == now else _total(inputs, priced("value_now_old_rate", state, parameters))
    worth = _total(inputs, before)
    moved = {str(name): frame.loc[name, "change"] for name in frame.index}
    return Moves(
        before=worth,
        steps=steps_of(worth, moved, refitted, after),
        error=math.sqrt(float(frame["squares"].sum())),
        errors={str(name): math.sqrt(float(frame.loc[name, "squares"])) for name in frame.index},
        customers=compared,
        known=int(frame["customers"].sum()),
        rates=(then, now),
    )


@traced
def change(inputs: StudyInputs, found: Moves, total: Fact) -> ValueChange:
    """Facts of the change; ``total`` is the value of today's base."""
    facts = Stating(inputs=inputs)
    customers = {
        name: facts.measured("value_change_customers", found.customers.of(step=name), step=name)
        for name in CUSTOMER_STEPS
    }
    counted = {name: int(customer.value or 0) for name, customer in customers.items()}
    steps = {
        name: facts.estimate(
            "value_change",
            found.steps[name],
            found.errors[name],
            n=counted[name],
            method="normal, customers as a sample",
            step=name,
        )
        if found.errors.get(name)
        else facts.exact(
            "value_change",
            found.steps[name],
            parts={"reason": NOBODY_MOVED if name in CUSTOMER_STEPS else COMPUTED},
            step=name,
        )
        for name in STEPS
    }
    did = tuple(steps[name] for name in CUSTOMER_STEPS)
    return ValueChange(
        before=_before(facts, found, total),
        after=facts.exact(
            "customer_value_part",
            total.value,
            part="total",
            lineage=Derived(operation="copy", parents=(total,)),
        ),
        steps=steps,
        customers=customers,
        by_customers=facts.estimate(
            "value_change_by_customers",
            sum((found.steps[name] for name in CUSTOMER_STEPS), Decimal(0)),
            found.error,
            n=sum(counted.values()),
            method="normal, customers as a sample",
            lineage=Derived(operation="sum", parents=did),
        ),
        rates=found.rates,
    )


def _before(facts: Stating, found: Moves, total: Fact) -> Fact:
    """The value a month ago, as uncertain as the value now: by the same model, fitted to a month less."""
    parts: dict[str, Any] = {"n": found.known}
    if total.interval is not None and total.value:
        scale = float(found.before) / float(total.value)
        ends = sorted(edge * scale for edge in (total.interval.low, total.interval.high))
        parts["interval"] = replace(total.interval, low=ends[0], high=ends[1])
    return facts.exact("customer_value", found.before, period=facts.inputs.month - 1, parts=parts)


def _total(inputs: StudyInputs, table: str) -> Decimal:
    found = inputs.engine.query(f"SELECT sum(CAST(clv AS {views.CENTS})) AS clv FROM {table}")["clv"].iloc[0]
    return Decimal(found or 0)
