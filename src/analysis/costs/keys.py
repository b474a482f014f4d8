"""Sharing pools out under the rules in force, and what another choice of key would have decided."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from analysis.costs.allocation import allocate_pools, allocation_sensitivity
from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.results import Check, Fact, Sentence

DRIVERS = ("seats", "area", "hours", "tickets", "headcount")


@dataclass(frozen=True, kw_only=True, eq=False)
class KeyLine:
    """A product line: what it carries directly, its share under the rules, and its unit cost under each key."""

    line: Text
    tickets: Fact
    direct: Fact
    allocated: Fact
    unit_cost: Fact
    by_key: dict[str, Fact]


@dataclass(frozen=True, kw_only=True, eq=False)
class Allocated:
    """Pools of the month by product line. ``unallocated`` is what no driver reaches; it stays whole."""

    lines: tuple[KeyLine, ...]
    pools: Fact
    unallocated: Fact
    keys: tuple[str, ...]
    conserved: bool


def allocated_of(inputs: StudyInputs) -> Allocated | MissingData:
    """Pools and capacity cost shared to product lines under dated rules; beside it, every known driver as the one key of all pools.

    Labour (the largest shared cost) goes by handling hours under the rules; the keys run side by side take it along, because that is where the choice
    weighs most.
    """
    engine, month = inputs.engine, inputs.month
    inside = Period.of(month).condition()
    try:
        weights = engine.query(
            f"SELECT driver, cost_object AS product_line, sum(quantity) AS weight FROM drivers WHERE {inside} AND cost_object_type = 'product_line' GROUP BY 1, 2 ORDER BY 1, 2",
            needs=("drivers.quantity", "drivers.driver"),
        )
    except MissingData as missing:
        return missing
    if weights.empty:
        return MissingData("drivers", message=f"not computed: no driver by product line in {month}")
    pools = engine.query(
        f"SELECT CASE WHEN tracing = 'pool' THEN cost_pool WHEN category = 'labour' THEN 'labour' ELSE 'none' END AS pool, sum(amount) AS amount FROM cost "
        f"WHERE {inside} AND posting_basis IN ('incurred', 'recovery') AND product_line IS NULL GROUP BY 1 ORDER BY 1"
    )
    direct = engine.query(
        f"SELECT product_line, sum(amount) AS amount FROM cost WHERE {inside} AND posting_basis IN ('incurred', 'recovery') AND product_line IS NOT NULL GROUP BY 1 ORDER BY 1"
    ).set_index("product_line")["amount"]
    tickets = engine.query(f"SELECT product_line, count(*) AS n FROM service WHERE {inside} AND product_line IS NOT NULL GROUP BY 1 ORDER BY 1").set_index("product_line")["n"]
    rules = {"labour": "hours"}
    for rule in sorted(inputs.cost_tree.allocation, key=lambda rule: rule.valid_from):
        if rule.to == "product_line" and rule.valid_from <= month.last_day:
            rules[rule.pool] = rule.driver
    mapped = pools.assign(driver=[rules.get(pool, "none") for pool in pools["pool"]])
    shared = allocate_pools(mapped, weights, target="product_line")
    given = shared.amounts.groupby("product_line")["amount"].agg(lambda values: sum(values, Decimal("0.00"))) if len(shared.amounts) else {}
    left = sum(shared.unallocated["amount"], Decimal("0.00"))
    whole = sum(pools["amount"], Decimal("0.00"))
    shareable = {pool: amount for pool, amount in zip(mapped["pool"], mapped["amount"], strict=True) if pool != "none"}
    known = tuple(driver for driver in DRIVERS if driver in set(weights["driver"]))
    under = {driver: weights[weights["driver"] == driver].set_index("product_line")["weight"] for driver in known}
    run = allocation_sensitivity(shareable, under, direct=direct, units=tickets.astype(float)) if shareable else None

    def fact(metric: str, value: Decimal | None, **place: str) -> Fact:
        reason = None if value is not None else Text(en="not computed: no tickets of the line", zh="未计算：该产品线无工单")
        return engine.stated(metric, period=month, value=value, dimensions=place, sources=("ledger", "drivers", "tickets"), reason=reason)

    lines = []
    for name in sorted(set(tickets.index) | set(direct.index)):
        count = int(tickets.get(name, 0))
        own, share = direct.get(name, Decimal("0.00")), given.get(name, Decimal("0.00"))
        by_key = {key: fact("unit_cost_under_key", run.amounts.loc[name, key] / count if run is not None and count and name in run.amounts.index else None, product_line=name, key=key) for key in known}
        lines.append(
            KeyLine(
                line=engine.registry.value_label("product_line", name), tickets=engine.fact("service_order_count", period=month, dimensions={"product_line": name}) if "service_order_count" in engine.registry.metrics else fact("line_tickets", Decimal(count), product_line=name),
                direct=fact("line_direct_cost", own, product_line=name), allocated=fact("line_allocated_cost", share, product_line=name),
                unit_cost=fact("line_unit_cost", (own + share) / count if count else None, product_line=name), by_key=by_key,
            )
        )
    return Allocated(lines=tuple(lines), pools=fact("shared_cost", whole), unallocated=fact("shared_cost_unallocated", left), keys=known, conserved=shared.total == whole)


def allocation_check(shared: Allocated | MissingData) -> list[Check]:
    """Allocations hold every cent of the pools."""
    if isinstance(shared, MissingData):
        return []
    template = "Allocated and unallocated parts of the shared cost add up to it to the cent: {pools:exact}." if shared.conserved else "Allocations lose or make cost: their parts do not add up to {pools:exact}."
    return [Check(id="allocation_conserves", outcome="passed" if shared.conserved else "failed", blocking=not shared.conserved, sentence=Sentence(template, {"pools": shared.pools}))]
