"""Sharing pools out under the rules in force, and what another choice of key would have decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from analysis.costs.allocation import AllocationSensitivity, allocate_pools, allocation_sensitivity
from analysis.costs.figures import added, rows_of
from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.metrics.lineage import traced
from analysis.params import CostTree
from analysis.periods import Month
from analysis.results import Check, Fact, Sentence
from analysis.summaries import Summarised

DRIVERS = ("seats", "area", "hours", "tickets", "headcount")
LABOUR = "labour"
NO_POOL = "none"
NOTHING = Decimal("0.00")


@dataclass(frozen=True, kw_only=True, eq=False)
class KeyLine(Summarised):
    """A product line: what it carries directly, its share under the rules, and its unit cost under each key."""

    line: Text
    tickets: Fact
    direct: Fact
    allocated: Fact
    unit_cost: Fact
    by_key: dict[str, Fact]


@dataclass(frozen=True, kw_only=True, eq=False)
class Unallocated(Summarised):
    """A pool that stays whole, and why."""

    pool: Text
    amount: Fact
    reason: Text


@dataclass(frozen=True, kw_only=True, eq=False)
class Allocated(Summarised):
    """Pools of the month by product line. ``unallocated`` is what no rule or driver reaches; ``left`` names it pool by pool."""

    lines: tuple[KeyLine, ...]
    pools: Fact
    unallocated: Fact
    left: tuple[Unallocated, ...]
    keys: tuple[str, ...]
    conserved: bool


@traced
def allocated_of(inputs: StudyInputs) -> Allocated | MissingData:
    """Pools and labour shared to product lines under the rules of the day; beside it, every known driver as the one key of all pools."""
    engine, month = inputs.engine, inputs.month
    inside = f"{Period.of(month).condition()}"
    incurred = f"{inside} AND posting_basis IN ('incurred', 'recovery')"
    try:
        weights = engine.query(
            f"SELECT driver, cost_object AS product_line, {added('quantity')} AS weight FROM drivers WHERE {inside} "
            "AND cost_object_type = 'product_line' GROUP BY 1, 2 ORDER BY 1, 2",
            needs=("drivers.quantity", "drivers.driver"),
        )
    except MissingData as missing:
        return missing
    if weights.empty:
        return MissingData("drivers", message=f"not computed: no driver by product line in {month}")
    pools = engine.query(
        f"SELECT CASE WHEN tracing = 'pool' THEN cost_pool WHEN category = '{LABOUR}' THEN '{LABOUR}' ELSE '{NO_POOL}' END AS pool, "
        f"sum(amount) AS amount FROM cost WHERE {incurred} AND product_line IS NULL GROUP BY 1 ORDER BY 1"
    )
    direct = _by_line(
        inputs,
        f"SELECT product_line, sum(amount) AS amount FROM cost WHERE {incurred} AND product_line IS NOT NULL GROUP BY 1",
    )
    tickets = _by_line(
        inputs,
        f"SELECT product_line, count(*) AS amount FROM service WHERE {inside} AND product_line IS NOT NULL GROUP BY 1",
    )
    mapped = pools.assign(
        driver=[driver_of(inputs.cost_tree, pool, month) or NO_POOL for pool in pools["pool"]]
    )
    shared = allocate_pools(mapped, weights, target="product_line")
    given: dict[str, Decimal] = {}
    for name, share in zip(shared.amounts["product_line"], shared.amounts["amount"], strict=True):
        given[name] = given.get(name, NOTHING) + share
    whole = sum(pools["amount"], NOTHING)
    under = {
        driver: weights[weights["driver"] == driver].set_index("product_line")["weight"]
        for driver in DRIVERS
        if driver in set(weights["driver"])
    }
    shareable = {row["pool"]: row["amount"] for row in rows_of(mapped) if row["pool"] != NO_POOL}
    run = allocation_sensitivity(shareable, under, direct=direct) if shareable and under else None
    return Allocated(
        lines=tuple(
            _line(inputs, name, direct, given, tickets, run)
            for name in sorted(tickets.keys() | direct.keys())
        ),
        pools=_fact(inputs, "shared_cost", whole),
        unallocated=_fact(inputs, "shared_cost_unallocated", sum(shared.unallocated["amount"], NOTHING)),
        left=tuple(_left(inputs, row) for row in rows_of(shared.unallocated) if row["amount"]),
        keys=tuple(under),
        conserved=shared.total == whole,
    )


@traced
def driver_of(tree: CostTree, pool: str, month: Month) -> str | None:
    """The driver in force on the month's last day; the latest rule wins, None where no rule names the pool."""
    held = [
        rule
        for rule in tree.allocation
        if (rule.pool, rule.to) == (pool, "product_line") and rule.valid_from <= month.last_day
    ]
    return max(held, key=lambda rule: rule.valid_from).driver if held else None


@traced
def _by_line(inputs: StudyInputs, sql: str) -> dict[str, Decimal]:
    frame = inputs.engine.query(f"{sql} ORDER BY 1")
    return {
        str(name): Decimal(amount)
        for name, amount in zip(frame["product_line"], frame["amount"], strict=True)
    }


@traced
def _fact(inputs: StudyInputs, metric: str, value: Decimal | None, **place: str) -> Fact:
    reason = (
        None
        if value is not None
        else Text(en="not computed: no tickets of the line", zh="未计算：该产品线无工单")
    )
    return inputs.engine.stated(metric, period=inputs.month, value=value, dimensions=place, reason=reason)


@traced
def _line(
    inputs: StudyInputs,
    name: str,
    direct: Mapping[str, Decimal],
    given: Mapping[str, Decimal],
    tickets: Mapping[str, Decimal],
    run: AllocationSensitivity | None,
) -> KeyLine:
    count, own, share = tickets.get(name, Decimal(0)), direct.get(name, NOTHING), given.get(name, NOTHING)

    def each(amount: Decimal | None) -> Decimal | None:
        return amount / count if count and amount is not None else None

    amounts = (
        {str(key): column.to_dict().get(name) for key, column in run.amounts.items()}
        if run is not None
        else {}
    )
    return KeyLine(
        line=inputs.engine.registry.value_label("product_line", name),
        tickets=_fact(inputs, "line_tickets", count, product_line=name),
        direct=_fact(inputs, "line_direct_cost", own, product_line=name),
        allocated=_fact(inputs, "line_allocated_cost", share, product_line=name),
        unit_cost=_fact(inputs, "line_unit_cost", each(own + share), product_line=name),
        by_key={
            key: _fact(inputs, "unit_cost_under_key", each(amount), product_line=name, key=key)
            for key, amount in amounts.items()
        },
    )


def _left(inputs: StudyInputs, row: Mapping[str, Any]) -> Unallocated:
    pool, driver = str(row["pool"]), str(row["driver"])
    rule = next((rule for rule in inputs.cost_tree.allocation if rule.pool == pool), None)
    name = (
        Text(en="Cost of no pool", zh="不属任何成本池")
        if pool == NO_POOL
        else rule.name
        if rule and rule.name
        else Text.same(pool)
    )
    reason = Text(en="no pool and no product line in the posting", zh="过账未注明成本池与产品线")
    if pool != NO_POOL:
        reason = (
            Text(en="no rule in params/cost_tree.yml", zh="params/cost_tree.yml 无规则")
            if driver == NO_POOL
            else Text(en=f"driver {driver} is absent in the month", zh=f"当月缺少动因 {driver}")
        )
    return Unallocated(
        pool=name, amount=_fact(inputs, "shared_cost_unallocated", row["amount"], pool=pool), reason=reason
    )


def allocation_check(shared: Allocated | MissingData) -> list[Check]:
    """Allocations hold every cent of the pools."""
    if isinstance(shared, MissingData):
        return []
    template = (
        "Allocated and unallocated parts of the shared cost add up to it to the cent: {pools:exact}."
        if shared.conserved
        else "Allocations lose or make cost: their parts do not add up to {pools:exact}."
    )
    return [
        Check(
            id="allocation_conserves",
            outcome="passed" if shared.conserved else "failed",
            blocking=not shared.conserved,
            sentence=Sentence(template, {"pools": shared.pools}),
        )
    ]
