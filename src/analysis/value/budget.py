"""Next year's service budget, drawn from what each tier of customers is expected to need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.errors import FitError
from analysis.formats import decimal
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs, cents
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.params.what_ifs import Range, WhatIfPlan
from analysis.results import Assumed, Derived, Fact
from analysis.summaries import Summarised
from analysis.value import views
from analysis.value.base import TIERS, ValueBase
from analysis.value.value_at_stake import monte_carlo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analysis.metrics.inputs import CostAhead


NO_COST = Text.of("not computed: no cost last year")


@dataclass(frozen=True, kw_only=True, eq=False)
class TierBudget(Summarised):
    """One tier (``top``, ``middle``, ``low``), the cost traced to no customer (``untraced``), or ``total``.

    ``growth`` : expected change in the number of customers in twelve months.
    """

    tier: str
    growth: Fact | None
    last: Fact
    proposed: Fact
    change: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Budget(Summarised):
    """The proposal, tiers first, then untraced cost and the total; ``traced``: the tiers together; ``prices``: the rise assumed where there is no projection of cost, as ``low``, ``price`` (most likely) and ``high``."""

    lines: tuple[TierBudget, ...]
    traced: Fact
    prices: dict[str, Fact]


@traced
def budget(inputs: StudyInputs, base: ValueBase, plan: WhatIfPlan) -> Budget:
    """Next year's service cost by tier of customers: the report's one projection of cost, divided among the tiers.

    A tier's weight is its cost of the last year times the growth of its customers: those who stay (as the base expects) and those who come (as
    many as in the last year). Untraced cost is taken to follow the traced one. Without a projection (too few months of cost) the weights
    themselves are next year's cost, at the demand per customer and the prices assumed in params/what_ifs.yml.
    """
    import numpy as np

    if not base.has_service:
        raise FitError("no service cost is traced to customers; a budget by tier has nothing to stand on")
    rows = inputs.engine.query(_sql(inputs, base), needs=["customers.customer_id"]).to_dict("records")
    found = {str(row["tier"]): row for row in rows}
    random = np.random.default_rng(plan.seed)
    tiers = [_weighed(inputs, base, tier, found[tier], random, plan) for tier in TIERS if tier in found]
    if sum((one.last for one in tiers), Decimal(0)) <= 0:
        raise FitError("no service cost of the last twelve months is traced to customers of any tier")
    parts = [*tiers, *_untraced(inputs, tiers)]
    weights: NDArray[np.float64] = np.sum([one.draws for one in parts], axis=0)
    centre = sum(one.weight for one in parts)
    ahead = inputs.projected_cost()
    if ahead is None:
        level = _level(plan, random)
        total, draws = centre * float(np.mean(level)), weights * level
    else:
        total, draws = float(ahead.total.value or 0), random.choice(ahead.draws, plan.draws)
    proposed = _to_the_cent([total * one.weight / centre for one in parts], cents(total))
    lines = [
        _line(inputs, one, value, draws * one.draws / weights)
        for one, value in zip(parts, proposed, strict=True)
    ]
    return Budget(
        lines=(*lines, _whole(inputs, parts, cents(total), draws, ahead)),
        traced=_proposed(
            inputs,
            "traced",
            sum(proposed[: len(tiers)], Decimal(0)),
            draws * np.sum([one.draws for one in tiers], axis=0) / weights,
        ),
        prices={} if ahead else _prices(inputs, plan.budget.price_rise),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """A tier, or untraced cost: last year's cost (``spent``), its weight in the next one, and that weight in each future."""

    tier: str
    spent: Fact
    weight: float
    draws: NDArray[np.float64]
    growth: Fact | None = None

    @property
    def last(self) -> Decimal:
        return decimal(self.spent.value or 0)


def _level(plan: WhatIfPlan, random: np.random.Generator) -> NDArray[np.float64]:
    """Prices and demand per customer of next year against the last, as assumed."""
    price, demand = (
        _triangle(one, random, plan.draws)
        for one in (plan.budget.price_rise, plan.budget.growth_per_customer)
    )
    level: NDArray[np.float64] = (1 + demand) * (1 + price)
    return level


def _to_the_cent(amounts: list[float], total: Decimal) -> list[Decimal]:
    """Amounts in cents that add up to the total; what rounding leaves goes to the last."""
    rounded = [cents(amount) for amount in amounts[:-1]]
    return [*rounded, total - sum(rounded, Decimal(0))]


def _prices(inputs: StudyInputs, rise: Range) -> dict[str, Fact]:
    """The rise assumed: its ends and, as ``price``, the most likely one."""
    facts, where = Stating(inputs=inputs), "budget.price_rise"
    ends = {"low": (rise.low, "low"), "price": (rise.likely, "likely"), "high": (rise.high, "high")}
    return {
        end: facts.exact(
            "budget_price_rise",
            value,
            end=end,
            lineage=Assumed(source="params/what_ifs.yml", name=f"{where}.{name}"),
        )
        for end, (value, name) in ends.items()
    }


def _sql(inputs: StudyInputs, base: ValueBase) -> str:
    end = literal(inputs.month.end)
    fine = "DECIMAL(38, 6)"
    return f"""SELECT b.tier, count(*) AS customers, CAST(sum(CAST(b.stay_12m AS {fine})) AS DOUBLE) AS stay,
       CAST(sum(CAST(b.service_cost_12m * b.service_cost_12m AS {fine})) AS DOUBLE) AS squares,
       count(*) FILTER (WHERE c.acquired_on >= {end} - INTERVAL 12 MONTH) AS fresh
FROM {base.table} b LEFT JOIN customers c ON c.customer_id = b.customer_id GROUP BY 1 ORDER BY 1"""


def _triangle(range_: Range, random: np.random.Generator, size: int) -> NDArray[np.float64]:
    import numpy as np

    return (
        random.triangular(range_.low, range_.likely, range_.high, size)
        if range_.uncertain
        else np.full(size, range_.likely)
    )


def _weighed(
    inputs: StudyInputs,
    base: ValueBase,
    tier: str,
    row: dict[Any, Any],
    random: np.random.Generator,
    plan: WhatIfPlan,
) -> _Part:
    """A tier with the growth of its customers, and the spread of cost between them."""
    import numpy as np

    count, fresh, stay = int(row["customers"]), int(row["fresh"]), float(row["stay"])
    facts, rows = Stating(inputs=inputs), views.base_customers(base.table).of(tier=tier)
    spent = facts.measured("budget_last", rows, tier=tier)
    last = decimal(spent.value or 0)
    spread = (
        float(np.sqrt(max(float(row["squares"]) - float(last) ** 2 / count, 0.0))) / float(last)
        if last > 0
        else 0.0
    )  # of the mean cost per customer
    growth = (stay + fresh) / count - 1
    noise = float(np.sqrt(max(stay * (1 - stay / count), 0.0) + fresh)) / count
    reach = _reach(inputs.confidence) * noise
    drawn = (
        float(last)
        * (1 + spread * random.standard_normal(plan.draws))
        * (1 + growth + noise * random.standard_normal(plan.draws))
    )
    return _Part(
        tier=tier,
        spent=spent,
        weight=float(last) * (1 + growth),
        draws=np.maximum(drawn, 0.0),
        growth=facts.between(
            "budget_growth",
            growth,
            growth - reach,
            growth + reach,
            n=count,
            method="binomial and Poisson",
            tier=tier,
        ),
    )


def _untraced(inputs: StudyInputs, tiers: list[_Part]) -> list[_Part]:
    """Last year's cost that no customer carries; it follows the traced one."""
    whole = inputs.engine.fact("after_sales_cost", period=Period(inputs.month - 11, inputs.month))
    last = sum((one.last for one in tiers), Decimal(0))
    if whole.value is None or Decimal(whole.value) <= last:
        return []
    import numpy as np

    rest = Decimal(whole.value) - last
    share = float(rest) / float(last)
    follows = Derived(operation="difference", parents=(whole, *(one.spent for one in tiers)))
    return [
        _Part(
            tier="untraced",
            spent=Stating(inputs=inputs).exact("budget_last", rest, lineage=follows, tier="untraced"),
            weight=share * sum(one.weight for one in tiers),
            draws=share * np.sum([one.draws for one in tiers], axis=0),
        )
    ]


def _reach(level: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(0.5 + level / 2))


def _line(inputs: StudyInputs, part: _Part, proposed: Decimal, draws: NDArray[np.float64]) -> TierBudget:
    """Last year's cost of a part, the proposal with its range, and the change."""
    stated = _proposed(inputs, part.tier, proposed, draws)
    return TierBudget(
        tier=part.tier,
        growth=part.growth,
        last=part.spent,
        proposed=stated,
        change=_change(Stating(inputs=inputs), part, stated),
    )


def _proposed(inputs: StudyInputs, tier: str, proposed: Decimal, draws: NDArray[np.float64]) -> Fact:
    """A proposal with the range of its draws."""
    import numpy as np

    tail = (1 - inputs.confidence) / 2
    low, high = (float(edge) for edge in np.quantile(draws, [tail, 1 - tail]))
    low, high = min(low, float(proposed)), max(high, float(proposed))
    n = len(draws)
    return Stating(inputs=inputs).between(
        "budget_proposed", proposed, low, high, n=n, method=monte_carlo(n), tier=tier
    )


def _whole(
    inputs: StudyInputs,
    parts: list[_Part],
    proposed: Decimal,
    draws: NDArray[np.float64],
    ahead: CostAhead | None,
) -> TierBudget:
    """All parts: last year's cost, and the projection itself where there is one."""
    facts = Stating(inputs=inputs)
    spent = facts.total("budget_last", *(one.spent for one in parts), tier="total")
    whole = _Part(tier="total", spent=spent, weight=1.0, draws=draws)
    line = _line(inputs, whole, proposed, draws)
    if ahead is None or ahead.total.interval is None:
        return line
    limits, n = ahead.total.interval, int(ahead.total.n or 0)
    stated = facts.between(
        "budget_proposed",
        proposed,
        limits.low,
        limits.high,
        n=n,
        method=limits.method,
        tier="total",
        lineage=Derived(operation="copy", parents=(ahead.total,)),
    )
    return replace(line, proposed=stated, change=_change(facts, whole, stated))


def _change(facts: Stating, part: _Part, proposed: Fact) -> Fact:
    """The proposal against last year's cost."""
    base, limits, n = float(part.last), proposed.interval, int(proposed.n or 0)
    if base <= 0 or limits is None:
        return facts.exact("budget_change", None, reason=NO_COST, parts={"n": n}, tier=part.tier)
    return facts.between(
        "budget_change",
        float(proposed.value or 0) / base - 1,
        limits.low / base - 1,
        limits.high / base - 1,
        n=n,
        method=limits.method,
        tier=part.tier,
    )
