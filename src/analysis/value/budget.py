"""Next year's service budget, drawn from what each tier of customers is expected to need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.errors import FitError
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs, cents
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.params.what_ifs import Range, WhatIfPlan
from analysis.results import Assumed, Derived, Fact
from analysis.summaries import Summarised
from analysis.value.base import TIERS, ValueBase

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


NO_COST = Text.of("not computed: no cost last year")


@dataclass(frozen=True, kw_only=True, eq=False)
class TierBudget(Summarised):
    """One tier (``top``, ``middle``, ``low``), the cost traced to no customer (``untraced``), or ``total``.

    ``growth`` : expected change in the number of customers in twelve months.
    """

    tier: str
    customers: Fact | None
    value: Fact | None
    growth: Fact | None
    last: Fact
    proposed: Fact
    change: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Budget(Summarised):
    """The proposal, tiers first, then untraced cost and the total; ``prices``: the rise assumed, as ``low``, ``price`` (most likely) and ``high``."""

    lines: tuple[TierBudget, ...]
    prices: dict[str, Fact]


@traced
def budget(inputs: StudyInputs, base: ValueBase, plan: WhatIfPlan) -> Budget:
    """What serving next year's customers will cost: last year's cost of each tier times the growth of its customers, demand per customer and prices.

    A tier grows by those who stay (as the base expects) and those who come (as many as in the last year). Untraced cost is taken to follow the traced
    one. The range holds the spread of cost between customers, staying and coming, prices and demand.
    """
    import numpy as np

    if not base.has_service:
        raise FitError("no service cost is traced to customers; a budget by tier has nothing to stand on")
    rows = inputs.engine.query(_sql(inputs, base), needs=["customers.customer_id"]).to_dict("records")
    tiers = {str(row["tier"]): row for row in rows}
    random = np.random.default_rng(plan.seed)
    price, demand = (
        _triangle(one, random, plan.draws)
        for one in (plan.budget.price_rise, plan.budget.growth_per_customer)
    )
    lines, draws, last = [], np.zeros(plan.draws), Decimal(0)
    middle = 0.0
    for tier in TIERS:
        if tier not in tiers:
            continue
        line, drawn, centre = _tier(inputs, tier, tiers[tier], random, price, demand, plan)
        lines.append(line)
        draws, middle, last = draws + drawn, middle + centre, last + Decimal(line.last.value or 0)
    if last <= 0:
        raise FitError("no service cost of the last twelve months is traced to customers of any tier")
    whole = inputs.engine.fact("after_sales_cost", period=Period(inputs.month - 11, inputs.month))
    if whole.value is not None and Decimal(whole.value) > last:
        rest = Decimal(whole.value) - last
        share, traced_to_tiers = draws / float(last), tuple(line.last for line in lines)
        untraced = Derived(operation="difference", parents=(whole, *traced_to_tiers))
        lines.append(
            _line(inputs, "untraced", rest, float(rest) * middle / float(last), float(rest) * share, untraced)
        )
        draws, middle, last = (
            draws + float(rest) * share,
            middle * float(last + rest) / float(last),
            last + rest,
        )
    total = Derived(operation="sum", parents=tuple(line.last for line in lines))
    lines.append(_line(inputs, "total", last, middle, draws, total))
    return Budget(lines=tuple(lines), prices=_prices(inputs, plan.budget.price_rise))


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
    return f"""SELECT b.tier, count(*) AS customers, CAST(sum(CAST(b.clv AS {fine})) AS DOUBLE) AS clv, CAST(sum(CAST(b.stay_12m AS {fine})) AS DOUBLE) AS stay,
       sum(CAST(b.service_cost_12m AS DECIMAL(18, 2))) AS last,
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


def _tier(
    inputs: StudyInputs,
    tier: str,
    row: dict[Any, Any],
    random: np.random.Generator,
    price: NDArray[np.float64],
    demand: NDArray[np.float64],
    plan: WhatIfPlan,
) -> tuple[TierBudget, NDArray[np.float64], float]:
    import numpy as np

    count, fresh = int(row["customers"]), int(row["fresh"])
    last = Decimal(str(row["last"])).quantize(Decimal("0.01"))
    spread = (
        float(np.sqrt(max(float(row["squares"]) - float(last) ** 2 / count, 0.0))) / float(last)
        if last > 0
        else 0.0
    )  # of the mean cost per customer
    stay = float(row["stay"])
    growth = (stay + fresh) / count - 1
    noise = float(np.sqrt(max(stay * (1 - stay / count), 0.0) + fresh)) / count
    reach = _reach(inputs.confidence) * noise
    level = (1 + demand) * (1 + price)
    drawn = (
        float(last)
        * (1 + spread * random.standard_normal(plan.draws))
        * (1 + growth + noise * random.standard_normal(plan.draws))
        * level
    )
    middle = float(last) * (1 + growth) * float(np.mean(level))
    line = _line(inputs, tier, last, middle, drawn)
    facts = Stating(inputs=inputs)
    grown = facts.between(
        "budget_growth",
        growth,
        growth - reach,
        growth + reach,
        n=count,
        method="binomial and Poisson",
        tier=tier,
    )
    made = replace(
        line,
        customers=facts.exact("budget_customers", count, tier=tier),
        value=facts.exact("budget_value", cents(float(row["clv"])), tier=tier),
        growth=grown,
    )
    return made, drawn, middle


def _reach(level: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(0.5 + level / 2))


def _line(
    inputs: StudyInputs,
    tier: str,
    last: Decimal,
    middle: float,
    draws: NDArray[np.float64],
    follows: Derived | None = None,
) -> TierBudget:
    """Last year's cost, the proposal and its change; ``follows`` is the lineage of last year's cost where it is no sum of its own."""
    import numpy as np

    facts, base, n = Stating(inputs=inputs), float(last), len(draws)
    tail = (1 - inputs.confidence) / 2
    low, high = (float(edge) for edge in np.quantile(draws, [tail, 1 - tail]))
    low, high = min(low, middle), max(high, middle)
    return TierBudget(
        tier=tier,
        customers=None,
        value=None,
        growth=None,
        last=facts.exact("budget_last", last, tier=tier, lineage=follows),
        proposed=facts.between(
            "budget_proposed", cents(middle), low, high, n=n, method="Monte Carlo", tier=tier
        ),
        change=facts.between(
            "budget_change",
            middle / base - 1,
            low / base - 1,
            high / base - 1,
            n=n,
            method="Monte Carlo",
            tier=tier,
        )
        if base > 0
        else facts.exact("budget_change", None, reason=NO_COST, parts={"n": n}, tier=tier),
    )
