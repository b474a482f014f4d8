"""Why the value of the base moved: what customers did, what the model came to think, what assumptions became. The steps add up to the cent."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from analysis.errors import FitError
from analysis.metrics import StudyInputs
from analysis.metrics.lineage import traced
from analysis.results import Fact
from analysis.summaries import Summarised
from analysis.value import pricing, views
from analysis.value.stating import Stating

if TYPE_CHECKING:
    from analysis.value.buying import Choice
    from analysis.value.pricing import Available, Parameters, State
    from analysis.value.settings import ValueSettings

CUSTOMER_STEPS = ("new", "lost", "grown", "shrunk")
STEPS = (*CUSTOMER_STEPS, "model", "assumptions")


@dataclass(frozen=True, kw_only=True, eq=False)
class Change(Summarised):
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


@traced
def change(
    inputs: StudyInputs,
    settings: ValueSettings,
    available: Available,
    choice: Choice,
    state: State,
    parameters: Parameters,
    *,
    months: int,
    after: Decimal,
) -> Change:
    """Last month's base with last month's model; today's base with it; today's model; today's assumptions.

    The model's kind is the one chosen now: last month is fitted again as it would have been with it, on what was known then.
    """
    facts = Stating(inputs=inputs)
    earlier: dt.date = inputs.month.start
    rates = tuple(
        float(inputs.assumptions.value("discount_rate_annual", on=day - dt.timedelta(days=1)))
        for day in (earlier, inputs.month.end)
    )
    old_state = pricing.state_at(inputs, settings, available, earlier)
    old = pricing.parameters_at(inputs, settings, available, old_state, choice)
    options = {"months": months, "rate": rates[0]}
    then = pricing.priced(inputs, settings, old_state, old, name="value_then", **options)  # type: ignore[arg-type]
    now = pricing.priced(inputs, settings, state, old, name="value_now_old_model", **options)  # type: ignore[arg-type]
    frame = inputs.engine.query(views.change(then, now, earlier)).set_index("step")
    if not len(frame):
        raise FitError("value: nobody was a customer last month.")
    if rates[0] == rates[1]:
        refitted = after
    else:
        table = pricing.priced(inputs, settings, state, parameters, name="value_now_old_rate", **options)  # type: ignore[arg-type]
        refitted = _total(inputs, table)
    before = _total(inputs, then)
    moved = {str(name): frame.loc[name, "change"] for name in frame.index}
    steps = steps_of(before, moved, refitted, after)
    by_customers = sum((steps[name] for name in CUSTOMER_STEPS), Decimal(0))
    error = math.sqrt(float(frame["squares"].sum()))
    counted = {name: int(frame["customers"].get(name, 0)) for name in CUSTOMER_STEPS}
    return Change(
        before=facts.exact(
            "customer_value", before, period=inputs.month - 1, parts={"n": int(frame["customers"].sum())}
        ),
        after=facts.exact("customer_value_part", after, part="total"),
        steps={name: facts.exact("value_change", steps[name], step=name) for name in STEPS},
        customers={
            name: facts.exact("value_change_customers", number, step=name) for name, number in counted.items()
        },
        by_customers=facts.estimate(
            "value_change_by_customers",
            by_customers,
            error,
            n=sum(counted.values()),
            method="normal, customers as a sample",
        ),
        rates=(rates[0], rates[1]),
    )


@traced
def _total(inputs: StudyInputs, table: str) -> Decimal:
    found = inputs.engine.query(f"SELECT sum(CAST(clv AS {views.CENTS})) AS clv FROM {table}")["clv"].iloc[0]
    return Decimal(found or 0)
