"""Sharing pools out under the rules in force, and what another choice of key would have decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd

from analysis.costs.allocation import allocate_pools, allocation_sensitivity
from analysis.costs.figures import added, amounts_by, reported, rows_of
from analysis.errors import MissingData
from analysis.locale import Text
from analysis.locale.lengths import of_length
from analysis.metrics import NotDone, StudyInputs, traced
from analysis.metrics.backend import literal
from analysis.metrics.registry import NOT_STATED
from analysis.metrics.views.selection import Selection, selected
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
    """Pools of the period by product line. ``unallocated`` is what no rule or driver reaches; ``left`` names it pool by pool."""

    lines: tuple[KeyLine, ...]
    pools: Fact
    unallocated: Fact
    left: tuple[Unallocated, ...]
    keys: tuple[str, ...]
    conserved: bool


POOL = f"CASE WHEN tracing = 'pool' THEN cost_pool WHEN category = '{LABOUR}' THEN '{LABOUR}' ELSE '{NO_POOL}' END"


@traced
def allocated_of(inputs: StudyInputs) -> Allocated:
    """Pools and labour shared to product lines, each month's under the rules of its day; beside it, every known driver as the one key of all pools.

    Raises
    ------
    MissingData
        Without drivers by product line in the period.
    """
    period = inputs.period
    weights = inputs.engine.query(
        f"SELECT month, driver, cost_object AS product_line, {added('quantity')} AS weight FROM drivers WHERE {period.condition()} "
        "AND cost_object_type = 'product_line' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        needs=("drivers.quantity", "drivers.driver"),
    )
    if weights.empty:
        raise MissingData("drivers", message="no driver by product line in {month}", month=period.name)
    pools = inputs.engine.query(
        f"SELECT month, {POOL} AS pool, sum(amount) AS amount FROM ({_shared_rows(inputs)}) GROUP BY 1, 2 ORDER BY 1, 2"
    )
    mapped = pools.assign(
        driver=[
            driver_of(inputs.cost_tree, pool, Month.parse(month)) or NO_POOL
            for month, pool in zip(pools["month"], pools["pool"], strict=True)
        ]
    )
    shared = allocate_pools(mapped, weights, target="product_line")
    direct = _named(amounts_by(inputs, "product_line", period))
    tickets = _named(amounts_by(inputs, "product_line", period, measure="service_orders"))
    under = {
        driver: dict(iter(rows.groupby("month")))
        for driver in DRIVERS
        if len(rows := weights[weights["driver"] == driver])
        and rows["month"].nunique() == weights["month"].nunique()
    }
    by_key = _under_keys(mapped, under, direct)
    lines = tuple(
        _line(inputs, name, tickets.get(name, 0), direct.get(name, NOTHING), shared.amounts, by_key)
        for name in sorted(tickets.keys() | direct.keys())
    )
    # a pool that several months leave is one line, with the driver of the last of them
    kept = {row["pool"]: row for row in rows_of(shared.unallocated) if row["amount"]}
    left = tuple(_left(inputs, row) for row in kept.values())
    state, whole = reported(inputs), sum(pools["amount"], NOTHING)
    return Allocated(
        lines=lines,
        pools=state.counted("shared_cost", whole),
        unallocated=state.total("shared_cost_unallocated", *(one.amount for one in left)),
        left=left,
        keys=tuple(under),
        conserved=shared.total == whole,
    )


def _shared_rows(inputs: StudyInputs) -> Selection:
    """The period's cost that names no product line."""
    return selected(
        "cost",
        inputs.period.condition(),
        "posting_basis IN ('incurred', 'recovery') AND product_line IS NULL",
    )


def _named(amounts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: amount for name, amount in amounts.items() if name != NOT_STATED}


@traced
def _under_keys(
    pools: pd.DataFrame, keys: Mapping[str, Mapping[Any, pd.DataFrame]], direct: Mapping[str, Decimal]
) -> pd.DataFrame:
    """Cost of each target (rows) when one key (columns) shares every pool, each month's by its weights; empty where there is no pool or no key."""
    shareable = pools[pools["pool"] != NO_POOL]
    if shareable.empty or not keys:
        return pd.DataFrame()
    found = []
    for month, rows in shareable.groupby("month"):
        weights = {
            key: by_month[month].set_index("product_line")["weight"]
            for key, by_month in keys.items()
            if month in by_month
        }
        if weights:
            pool = rows.set_index("pool")["amount"]
            found.append(allocation_sensitivity(pool, weights, direct=direct).amounts)
            direct = {}  # carried once
    return (
        found[0] if len(found) == 1 else pd.concat(found).groupby(level=0).sum() if found else pd.DataFrame()
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
def _line(
    inputs: StudyInputs, name: str, count: int, own: Decimal, shared: pd.DataFrame, by_key: pd.DataFrame
) -> KeyLine:
    """One product line; without tickets it has no unit costs."""
    state = reported(inputs)
    given = sum(shared.loc[shared["product_line"] == name, "amount"], NOTHING)
    tickets = state.counted("line_tickets", count, product_line=name)
    direct = state.counted("after_sales_cost", own, product_line=name)
    allocated = state.exact("line_allocated_cost", given, product_line=name)
    full = state.derived("line_full_cost", direct, allocated, product_line=name)
    return KeyLine(
        line=inputs.engine.registry.value_label("product_line", name),
        tickets=tickets,
        direct=direct,
        allocated=allocated,
        unit_cost=state.derived("line_unit_cost", full, tickets, product_line=name),
        by_key={
            str(key): state.derived(
                "unit_cost_under_key",
                _under_key(inputs, by_key, str(key), name),
                tickets,
                product_line=name,
                key=str(key),
            )
            for key in by_key.columns
        },
    )


@traced
def _under_key(inputs: StudyInputs, by_key: pd.DataFrame, key: str, name: str) -> Fact:
    amount = by_key[key].to_dict().get(name)
    none = Text.of("not computed: the key names no such line")
    return reported(inputs).exact("line_cost_under_key", amount, reason=none, product_line=name, key=key)


def _left(inputs: StudyInputs, row: Mapping[str, Any]) -> Unallocated:
    pool, driver = str(row["pool"]), str(row["driver"])
    rule = next((rule for rule in inputs.cost_tree.allocation if rule.pool == pool), None)
    name = (
        Text.of("Postings without a pool")
        if pool == NO_POOL
        else rule.name
        if rule and rule.name
        else Text.same(pool)
    )
    reason = Text.of("no product line either")
    if pool != NO_POOL:
        reason = (
            Text.of("no rule in params/cost_tree.yml")
            if driver == NO_POOL
            else Text.filled(
                of_length("driver {driver} is absent in the month", inputs.period.months), driver=driver
            )
        )
    rows = _shared_rows(inputs).where(f"{POOL} = {literal(pool)}")
    amount = reported(inputs).measured("shared_cost_unallocated", rows, pool=pool)
    return Unallocated(pool=name, amount=amount, reason=reason)


def allocation_check(shared: Allocated | NotDone) -> list[Check]:
    """Allocations hold every cent of the pools."""
    if isinstance(shared, NotDone):
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
