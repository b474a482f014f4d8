"""The value base seen from every side: by slice, how concentrated it is, and what today's customers are worth apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.locale import Text
from analysis.metrics import Stating, StudyInputs
from analysis.metrics.lineage import traced
from analysis.results import CENT, Derived, Fact
from analysis.summaries import Summarised
from analysis.value import customer_table, views
from analysis.value.base import ERROR, TIERS
from analysis.value.traced_cost import TracedCost, traced_cost

if TYPE_CHECKING:
    import numpy as np

    from analysis.value.customer_table import Parameters, State, Sum
    from analysis.value.settings import ValueSettings

NOBODY_BOUGHT = Text.of("not computed: nobody bought in the window")
NO_WINDOW = Text.of("not computed: no first purchase twelve to thirty-six months back")
SHOWN = ("tier", "customer_type", "segment", "region", "channel", "product_line", "cohort", "kind")
BINS = 1000  # equal groups of customers by value, from which concentration is drawn and resampled
MARKS = (10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99)
MOST = 12  # values of one dimension that are shown
KNOWN_ORDER = {
    "tier": TIERS,
    "segment": ("key", "gold", "standard"),
    "customer_type": ("b2b", "b2c"),
    "kind": ("contract", "purchases"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class ValueSlice(Summarised):
    """One slice of the base."""

    dimension: str
    value: str
    label: Text
    customers: Fact
    total: Fact
    mean: Fact
    revenue: Fact
    order_value: Fact
    repurchase: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Portfolio(Summarised):
    """The base and its slices.

    ``parts`` : purchases, contract and service (negative) of the total; ``traced`` leads from the books to the last. ``lorenz`` : (share of customers, cumulative share of value), least valuable first.
    """

    total: Fact
    mean: Fact
    customers: Fact
    parts: Mapping[str, Fact]
    service_share: Fact
    by: Mapping[str, tuple[ValueSlice, ...]]
    top_share: Fact
    lorenz: tuple[tuple[float, Fact], ...]
    residual_contract: Fact
    traced: TracedCost | None


@traced
def portfolio(
    inputs: StudyInputs,
    settings: ValueSettings,
    state: State,
    parameters: Parameters,
    table: str,
    *,
    months: int,
    rate: float,
    types: tuple[str, ...],
) -> Portfolio:
    """The base as a whole and by every slice.

    Parameters
    ----------
    table : quoted name of the value base on the engine, one row per customer
    months, rate : horizon, and yearly discount rate as a share
    types : order types that are purchases
    """
    facts = Stating(inputs=inputs)
    years = customer_table.annuity(months, rate)
    whole = customer_table.sums(inputs, table, parameters, by=None, years=years)[customer_table.ALL]
    by = {}
    for dimension in SHOWN:
        found = customer_table.sums(inputs, table, parameters, by=dimension, years=years)
        names = customer_table.levels(list(found), KNOWN_ORDER.get(dimension, ()))
        if dimension not in KNOWN_ORDER and dimension != "cohort":
            names = sorted(names, key=lambda name: -found[name].clv)
        # tiers are cut by what the models expect, and stand in the table of values alone
        counted = _counted(facts, state, table if dimension == "tier" else state.customers, types, dimension)
        by[dimension] = tuple(_line(facts, dimension, name, found[name], counted) for name in names[:MOST])
    customers = facts.measured("value_customers", views.base_customers(state.customers))
    total = _total(facts, whole)
    share, lorenz = _concentration(
        inputs, table, whole.customers, whole.clv, settings.bootstrap_draws, settings.seed
    )
    return Portfolio(
        total=total,
        mean=_mean(facts, whole, total, customers),
        customers=customers,
        parts=_parts(facts, whole, state.unserved),
        service_share=_service_share(facts, whole, state.unserved),
        by=by,
        top_share=share,
        lorenz=lorenz,
        residual_contract=_residual(facts, table, whole),
        traced=traced_cost(inputs, state, table, whole, months=months, rate=rate),
    )


@traced
def _total(facts: Stating, one: Sum, **place: Any) -> Fact:
    return facts.estimate("customer_value", one.clv, one.error, n=one.customers, method=ERROR, **place)


@traced
def _parts(facts: Stating, whole: Sum, unserved: Text | None) -> dict[str, Fact]:
    """Purchases, contracts and service cost (negative) of the whole; a cost that is not known is not nothing."""
    amounts = {"purchases": whole.purchases, "contract": whole.contract, "service": -whole.service}
    return {
        name: facts.exact("customer_value_part", None, reason=unserved, part=name)
        if name == "service" and unserved
        else facts.estimate(
            "customer_value_part", amount, whole.errors[name], n=whole.customers, method=ERROR, part=name
        )
        for name, amount in amounts.items()
    }


@traced
def _service_share(facts: Stating, whole: Sum, unserved: Text | None) -> Fact:
    """Cost over margin; the relative errors of both count, as their parameters are estimated apart."""
    margin, cost = float(whole.purchases + whole.contract), float(whole.service)
    if margin <= 0 or unserved:
        return facts.exact(
            "service_share_of_margin",
            None,
            reason=unserved or Text.of("not computed: no margin is expected"),
            parts={"numerator": whole.service, "denominator": whole.purchases + whole.contract},
        )
    earned = math.hypot(whole.errors["purchases"], whole.errors["contract"])
    return facts.estimate(
        "service_share_of_margin",
        cost / margin,
        math.hypot(whole.errors["service"], cost / margin * earned) / margin,
        n=whole.customers,
        method=ERROR,
        parts={"numerator": whole.service, "denominator": whole.purchases + whole.contract},
    )


@traced
def _residual(facts: Stating, table: str, whole: Sum) -> Fact:
    """Value of the renewals to come per customer with a running contract."""
    running = facts.inputs.engine.query(
        f"SELECT count(*) AS n, sum(CAST(clv_contract AS {views.CENTS})) AS worth FROM {table} WHERE kind = 'contract'"
    ).iloc[0]
    number, worth = int(running["n"]), running["worth"]
    if not number:
        return facts.exact("residual_contract_value", None)
    return facts.estimate(
        "residual_contract_value",
        worth / number,
        whole.errors["contract"] / number,
        n=number,
        method=ERROR,
        parts={"numerator": worth, "denominator": number},
    )


def _mean(facts: Stating, one: Sum, total: Fact, customers: Fact, **place: Any) -> Fact:
    return facts.estimate(
        "mean_customer_value",
        (one.clv / one.customers).quantize(CENT),
        one.error / one.customers,
        n=one.customers,
        method=ERROR,
        parts={"numerator": one.clv, "denominator": one.customers},
        lineage=Derived(operation="quotient_in_cents", parents=(total, customers)),
        **place,
    )


Counted = Callable[[str, str], Fact]


@traced
def _counted(facts: Stating, state: State, table: str, types: tuple[str, ...], dimension: str) -> Counted:
    """What the customers of every value of a dimension are and did lately: a metric and a value give its fact."""
    customers = views.base_customers(table)
    first = views.first_purchases(table, state.cutoff, types)
    rows = {
        "value_customers": (customers, None),
        "revenue_per_customer": (customers, NOBODY_BOUGHT),
        "average_order_value": (views.yearly_purchases(table, state.cutoff, types), NOBODY_BOUGHT),
        "repurchase_rate": (first, NO_WINDOW),
    }
    found = {
        metric: facts.measured_by(metric, each, by=(dimension,), reason=reason)
        for metric, (each, reason) in rows.items()
    }

    def of(metric: str, value: str) -> Fact:
        each, reason = rows[metric]
        place: dict[str, Any] = {dimension: value}
        return found[metric].get((value,)) or facts.measured(metric, each.of(**place), reason=reason, **place)

    return of


def _line(facts: Stating, dimension: str, name: str, one: Sum, counted: Counted) -> ValueSlice:
    place: dict[str, Any] = {dimension: name}
    customers, total = counted("value_customers", name), _total(facts, one, **place)
    return ValueSlice(
        dimension=dimension,
        value=name,
        label=facts.inputs.engine.registry.value_label(dimension, name),
        customers=customers,
        total=total,
        mean=_mean(facts, one, total, customers, **place),
        revenue=counted("revenue_per_customer", name),
        order_value=counted("average_order_value", name),
        repurchase=counted("repurchase_rate", name),
    )


# -- concentration ---------------------------------------------------------------------------------------------------------


@traced
def _concentration(
    inputs: StudyInputs, table: str, customers: int, worth_of_all: Decimal, draws: int, seed: int
) -> tuple[Fact, tuple[tuple[float, Fact], ...]]:
    """Share of the top tenth with a bootstrap interval over customers, and the Lorenz curve."""
    import numpy as np

    facts = Stating(inputs=inputs)
    frame = inputs.engine.query(views.value_bins(table, BINS))
    count, worth = frame["customers"].to_numpy(dtype=float), frame["clv"].astype(float).to_numpy()
    if worth_of_all <= 0 or len(frame) < 10:
        missing = facts.exact("top_decile_share", None, reason=Text.of("not computed: the base has no value"))
        return missing, ()
    value = top_share(count, worth)
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(int(count.sum()), count / count.sum(), size=draws)
    shares = [top_share(numbers.astype(float), numbers * (worth / count)) for numbers in drawn]
    tail = (1 - inputs.confidence) / 2
    low, high = np.quantile(shares, [tail, 1 - tail])
    share = facts.between(
        "top_decile_share",
        value,
        min(float(low), value),
        max(float(high), value),
        n=customers,
        method=f"bootstrap over customers, {draws:,} draws",
    )
    drawn_worth = drawn * (worth / count)
    lorenz = tuple(
        _cumulative(facts, mark, cumulative_share(count, worth, mark / 100), numbers, customers)
        for mark, numbers in (
            (
                mark,
                [
                    cumulative_share(one.astype(float), held, mark / 100)
                    for one, held in zip(drawn, drawn_worth, strict=True)
                ],
            )
            for mark in MARKS
        )
    )
    return share, lorenz


def _cumulative(
    facts: Stating, mark: int, value: float, drawn: list[float], customers: int
) -> tuple[float, Fact]:
    import numpy as np

    tail = (1 - facts.inputs.confidence) / 2
    low, high = (float(edge) for edge in np.quantile(drawn, [tail, 1 - tail]))
    stated = facts.between(
        "cumulative_value_share",
        value,
        min(low, value),
        max(high, value),
        n=customers,
        method=f"bootstrap over customers, {len(drawn):,} draws",
        customers=f"{mark}",
    )
    return mark / 100, stated


def cumulative_share(count: np.ndarray, worth: np.ndarray, share: float) -> float:
    """Share of value held by the least valuable ``share`` of customers; groups are in ascending order of value."""
    import numpy as np

    people = np.concatenate([[0.0], np.cumsum(count)]) / count.sum()
    value = np.concatenate([[0.0], np.cumsum(worth)]) / worth.sum()
    return float(np.interp(share, people, value))


def top_share(count: np.ndarray, worth: np.ndarray, tenth: float = 0.1) -> float:
    """Share of value held by the most valuable tenth; groups are in ascending order of value and the one on the border is divided."""
    return 1 - cumulative_share(count, worth, 1 - tenth)
