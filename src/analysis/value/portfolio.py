"""The value base seen from every side: by slice, how concentrated it is, and what today's customers are worth apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.locale import Text
from analysis.metrics import StudyInputs
from analysis.metrics.lineage import traced
from analysis.results import Fact
from analysis.summaries import Summarised
from analysis.value import pricing, views
from analysis.value.base import TIERS, tuples
from analysis.value.stating import Stating

if TYPE_CHECKING:
    import numpy as np

    from analysis.value.pricing import Parameters, State, Sum
    from analysis.value.settings import ValueSettings

NO_WINDOW = Text(
    en="not computed: no first purchase twelve to thirty-six months back",
    zh="未计算：无十二至三十六个月前的首购",
)
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
class Line(Summarised):
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

    ``parts`` : purchases, contract and service (negative) of the total. ``lorenz`` : (share of customers, cumulative share of value), least valuable first.
    """

    total: Fact
    mean: Fact
    customers: Fact
    parts: Mapping[str, Fact]
    service_share: Fact
    by: Mapping[str, tuple[Line, ...]]
    top_share: Fact
    lorenz: tuple[tuple[float, Fact], ...]
    residual_contract: Fact


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
    state_facts = Stating(inputs=inputs)
    years = pricing.annuity(months, rate)
    whole = pricing.sums(inputs, table, parameters, by=None, years=years)[pricing.ALL]
    activity = _activity(inputs, state, table, types)
    by = {}
    for dimension in SHOWN:
        found = pricing.sums(inputs, table, parameters, by=dimension, years=years)
        names = pricing.levels(list(found), KNOWN_ORDER.get(dimension, ()))
        if dimension not in KNOWN_ORDER and dimension != "cohort":
            names = sorted(names, key=lambda name: -found[name].clv)
        by[dimension] = tuple(
            _line(inputs, dimension, name, found[name], activity.get((dimension, name), {}))
            for name in names[:MOST]
        )
    margin = float(whole.purchases + whole.contract)
    parts = {
        name: state_facts.exact("customer_value_part", amount, part=name)
        for name, amount in (
            ("purchases", whole.purchases),
            ("contract", whole.contract),
            ("service", -whole.service),
        )
    }
    running = inputs.engine.query(
        f"SELECT count(*) AS n, sum(CAST(clv_contract AS {views.CENTS})) AS worth FROM {table} WHERE kind = 'contract'"
    ).iloc[0]
    share, lorenz = _concentration(inputs, settings, table, whole)
    return Portfolio(
        total=state_facts.estimate("customer_value", whole.clv, whole.error, n=whole.customers),
        mean=_mean(state_facts, whole, {}),
        customers=state_facts.exact("value_customers", whole.customers),
        parts=parts,
        service_share=state_facts.exact(
            "service_share_of_margin",
            float(whole.service) / margin if margin > 0 and state.service else None,
            reason=Text(en="not computed: needs ledger.ticket_id", zh="未计算：缺少 ledger.ticket_id"),
            parts={"numerator": whole.service, "denominator": whole.purchases + whole.contract},
        ),
        by=by,
        top_share=share,
        lorenz=lorenz,
        residual_contract=state_facts.exact(
            "residual_contract_value",
            running["worth"] / int(running["n"]) if running["n"] else None,
            parts={"numerator": running["worth"], "denominator": int(running["n"])} if running["n"] else {},
        ),
    )


@traced
def _mean(facts: Stating, one: Sum, place: Mapping[str, Any]) -> Fact:
    mean = (one.clv / one.customers).quantize(Decimal("0.01"))
    return facts.estimate(
        "mean_customer_value",
        mean,
        one.error / one.customers,
        n=one.customers,
        parts={"numerator": one.clv, "denominator": one.customers},
        **place,
    )


@traced
def _line(
    inputs: StudyInputs, dimension: str, value: str, one: Sum, active: Mapping[str, Decimal | int | None]
) -> Line:
    facts = Stating(inputs=inputs)
    place: dict[str, Any] = {dimension: value}

    def ratio(metric: str, top: str, bottom: str) -> Fact:
        above, below = active.get(top), active.get(bottom)
        if above is None or not below:
            return facts.exact(
                metric,
                None,
                reason=Text(en="not computed: nobody bought in the window", zh="未计算：窗口内无购买"),
                **place,
            )
        return facts.exact(
            metric,
            (Decimal(above) / Decimal(below)).quantize(Decimal("0.01")),
            parts={"numerator": above, "denominator": below},
            **place,
        )

    return Line(
        dimension=dimension,
        value=value,
        label=inputs.engine.registry.value_label(dimension, value),
        customers=facts.exact("value_customers", one.customers, **place),
        total=facts.estimate("customer_value", one.clv, one.error, n=one.customers, **place),
        mean=_mean(facts, one, place),
        revenue=ratio("revenue_per_customer", "revenue", "active"),
        order_value=ratio("average_order_value", "spend", "days"),
        repurchase=facts.share(
            "repurchase_rate",
            int(active.get("again") or 0),
            int(active.get("entered") or 0),
            reason=NO_WINDOW,
            **place,
        ),
    )


@traced
def _activity(
    inputs: StudyInputs, state: State, table: str, types: tuple[str, ...]
) -> dict[tuple[str, str], dict[str, Decimal | int | None]]:
    """Revenue and active customers, purchase days and their revenue of the last year, and second purchases, by every slice."""
    frame = inputs.engine.query(views.activity(table, state.purchases, state.cutoff, types, SHOWN))
    return {
        (str(row.dimension), str(row.slice)): {
            name: getattr(row, name) for name in ("revenue", "active", "spend", "days", "again", "entered")
        }
        for row in tuples(frame)
    }


# -- concentration ---------------------------------------------------------------------------------------------------------


@traced
def _concentration(
    inputs: StudyInputs, settings: ValueSettings, table: str, whole: Sum
) -> tuple[Fact, tuple[tuple[float, Fact], ...]]:
    """Share of the top tenth with a bootstrap interval over customers, and the Lorenz curve."""
    import numpy as np

    facts = Stating(inputs=inputs)
    frame = inputs.engine.query(views.value_bins(table, BINS))
    count, worth = frame["customers"].to_numpy(dtype=float), frame["clv"].astype(float).to_numpy()
    if whole.clv <= 0 or len(frame) < 10:
        missing = facts.exact(
            "top_decile_share",
            None,
            reason=Text(en="not computed: the base has no value", zh="未计算：价值基数不为正"),
        )
        return missing, ()
    value = top_share(count, worth)
    generator = np.random.default_rng(settings.seed)
    drawn = generator.multinomial(int(count.sum()), count / count.sum(), size=settings.bootstrap_draws)
    shares = [top_share(numbers.astype(float), numbers * (worth / count)) for numbers in drawn]
    tail = (1 - inputs.confidence) / 2
    low, high = np.quantile(shares, [tail, 1 - tail])
    share = facts.between(
        "top_decile_share",
        value,
        min(float(low), value),
        max(float(high), value),
        n=whole.customers,
        method="bootstrap over customers",
    )
    cumulative, people = np.cumsum(worth) / worth.sum(), np.cumsum(count) / count.sum()
    lorenz = tuple(
        (
            mark / 100,
            facts.exact(
                "cumulative_value_share",
                float(np.interp(mark / 100, people, cumulative)),
                customers=f"{mark}",
            ),
        )
        for mark in MARKS
    )
    return share, lorenz


def top_share(count: np.ndarray, worth: np.ndarray, tenth: float = 0.1) -> float:
    """Share of value held by the most valuable tenth; groups are in ascending order of value and the one on the border is divided."""
    import numpy as np

    people = np.concatenate([[0.0], np.cumsum(count)]) / count.sum()
    value = np.concatenate([[0.0], np.cumsum(worth)]) / worth.sum()
    return float(1 - np.interp(1 - tenth, people, value))
