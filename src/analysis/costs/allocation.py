"""Sharing a pool of cost by a driver, to the cent.

Largest remainder (Hamilton's method; Balinski and Young, *Fair Representation*, 2nd ed. 2001, ch. 3): every
target gets its exact share rounded down to a cent, and the cents left over go to the largest remainders. The
quotas are fractions of whole numbers, so no share depends on the machine; equal remainders go by weight, then
by the label's text, so the order of rows decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd

from analysis.costs.cents import decimals, from_cents, to_cents
from analysis.errors import ContractError, ParameterError
from analysis.metrics import traced
from analysis.summaries import Summarised

UNALLOCATED = "unallocated"
Weights = Mapping[Any, Any] | pd.Series | Sequence[Any]


@traced
def allocate(pool: Decimal, weights: Weights) -> pd.Series:
    """Amounts that sum to the pool to the cent.

    Parameters
    ----------
    pool : Decimal, money in whole cents
        Negative pools (credits) are shared as their absolute value.
    weights : mapping, Series or sequence of numbers
        Driver quantity by target (a plain sequence is numbered from 0). Not negative, not missing; a target of weight zero gets 0.00. A float counts as
        the decimal it prints as.

    Returns
    -------
    Series
        One amount (Decimal) per weight, in the order of the weights.

    Raises
    ------
    ParameterError
        When the pool is not zero and no weight is positive: keep such a pool as unallocated (`allocate_pools` does).

    Examples
    --------
    >>> from decimal import Decimal
    >>> from analysis import costs
    >>> [str(amount) for amount in costs.allocate(Decimal("100.00"), {"North": 1, "South": 1, "West": 1})]
    ['33.34', '33.33', '33.33']
    """
    by_target = weights if isinstance(weights, pd.Series) else pd.Series(weights, dtype=object)
    if by_target.index.has_duplicates:
        twice = by_target.index[by_target.index.duplicated()]
        raise ParameterError(
            f"allocation: {len(twice)} targets have two weights, e.g. {twice[0]!r}; sum the driver by target."
        )
    ratio = _whole_weights(by_target)
    cents = to_cents(pool, what="pool")
    if cents and not any(ratio):
        raise ParameterError(
            f"allocation: the pool of {from_cents(cents)} has no positive weight among {len(ratio)} targets; "
            "choose another driver or leave the pool unallocated."
        )
    return decimals(_shares(cents, ratio, list(by_target.index)), index=by_target.index, name="amount")


@traced
def _whole_weights(weights: pd.Series) -> list[int]:
    """The weights as whole numbers in the same proportion."""
    exact = []
    for target, weight in weights.items():
        try:
            value = (
                Fraction(weight) if isinstance(weight, int | Decimal | Fraction) else Fraction(str(weight))
            )
        except (ValueError, OverflowError):
            raise ParameterError(
                f"allocation: the weight of {target!r} is {weight}; give a number, or 0 for no share."
            ) from None
        if value < 0:
            raise ParameterError(
                f"allocation: the weight of {target!r} is {weight}; a driver cannot be negative."
            )
        exact.append(value)
    scale = math.lcm(*(value.denominator for value in exact)) if exact else 1
    return [int(value * scale) for value in exact]


@traced
def _shares(cents: int, weights: list[int], labels: list[Hashable]) -> list[int]:
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    quotas = [divmod(abs(cents) * weight, whole) for weight in weights]
    shares = [quotient for quotient, _ in quotas]
    order = sorted(
        range(len(weights)), key=lambda place: (-quotas[place][1], -weights[place], str(labels[place]))
    )
    for place in order[: abs(cents) - sum(shares)]:
        shares[place] += 1
    return shares if cents >= 0 else [-share for share in shares]


@dataclass(frozen=True, eq=False, kw_only=True)
class Allocation(Summarised):
    """Pools shared out, and what could not be.

    ``amounts``: one row per pool and target: the pool's key columns, the target column, ``weight``,
    ``amount``.
    ``unallocated``: one row per pool without a driver: key columns, ``amount``, ``reason``. Both together
    hold every cent that came in.
    """

    amounts: pd.DataFrame
    unallocated: pd.DataFrame

    @property
    def total(self) -> Decimal:
        cents = sum(map(to_cents, self.amounts["amount"])) + sum(map(to_cents, self.unallocated["amount"]))
        return from_cents(cents)


@traced
def allocate_pools(pools: pd.DataFrame, weights: pd.DataFrame, *, target: str) -> Allocation:
    """Share many pools at once, each by its own driver.

    Parameters
    ----------
    pools : (pools, columns) DataFrame
        ``amount`` (Decimal, money) and the key columns (all others), such as ``month`` and ``pool``.
    weights : (pools and targets, columns) DataFrame
        Columns ``target``'s name, ``weight`` and at least one of the pools' key columns. A key the weights lack holds for all its values: weights by
        ``month`` serve every pool of the month.
    target : str
        The column of ``weights`` that receives the cost, such as ``product_line``.

    Returns
    -------
    Allocation
        A pool that no weight reaches, or only weights of zero, stays whole in ``unallocated`` with the reason; a pool of 0.00 shares out to zeros.

    Raises
    ------
    ContractError
        For columns that are missing, repeated pools or targets.
    ParameterError
        For weights that are negative or missing.

    Examples
    --------
    >>> from decimal import Decimal
    >>> import pandas as pd
    >>> from analysis import costs
    >>> pools = pd.DataFrame({"pool": ["rent", "cars"], "amount": [Decimal("90.00"), Decimal("10.00")]})
    >>> weights = pd.DataFrame({"pool": ["rent", "rent"], "line": ["a", "b"], "weight": [1, 2]})
    >>> shared = costs.allocate_pools(pools, weights, target="line")
    >>> [str(amount) for amount in shared.amounts["amount"]], shared.unallocated["pool"].tolist()
    (['30.00', '60.00'], ['cars'])
    """
    keys = [column for column in pools.columns if column != "amount"]
    shared = [column for column in keys if column in weights.columns]
    _check_pools(pools, weights, target=target, keys=keys, shared=shared)
    drivers = {_key(group): rows for group, rows in weights.groupby(shared, sort=False, dropna=False)}
    given: list[pd.DataFrame] = []
    kept: list[dict[str, Any]] = []
    for row in pools.to_dict("records"):
        driver = drivers.get(tuple(row[column] for column in shared))
        reason = _refusal(row["amount"], driver)
        if reason:
            kept.append(
                {column: row[column] for column in keys}
                | {"amount": from_cents(to_cents(row["amount"], what="pool")), "reason": reason}
            )
        elif driver is not None:
            by_target = driver.set_index(target)["weight"]
            share = allocate(row["amount"], by_target)
            given.append(
                pd.DataFrame(
                    {column: [row[column]] * len(share) for column in keys}
                    | {target: share.index, "weight": by_target.to_numpy(), "amount": share.to_numpy()}
                )
            )
    amounts = (
        pd.concat(given, ignore_index=True)
        if given
        else pd.DataFrame(columns=[*keys, target, "weight", "amount"], dtype=object)
    )
    return Allocation(amounts=amounts, unallocated=pd.DataFrame(kept, columns=[*keys, "amount", "reason"]))


def _key(group: Any) -> tuple[Any, ...]:
    return group if isinstance(group, tuple) else (group,)


def _refusal(amount: Any, driver: pd.DataFrame | None) -> str:
    if driver is None:
        return "no driver recorded"
    if to_cents(amount, what="pool") and not (driver["weight"] > 0).any():
        return "driver is zero everywhere"
    return ""


def _check_pools(
    pools: pd.DataFrame, weights: pd.DataFrame, *, target: str, keys: list[str], shared: list[str]
) -> None:
    for name, frame, needed in (("pools", pools, ["amount"]), ("weights", weights, [target, "weight"])):
        absent = [column for column in needed if column not in frame.columns]
        if absent:
            raise ContractError(
                f"{name}: column {', '.join(absent)} is missing; it has {', '.join(map(str, frame.columns))}."
            )
    if not shared:
        raise ContractError(
            f"weights: none of the pools' keys {', '.join(keys)} is a column; "
            "say which weights serve which pool."
        )
    if pools.duplicated(keys).any():
        raise ContractError(
            f"pools: {int(pools.duplicated(keys).sum())} rows share a key ({', '.join(keys)}); "
            "one row should be one pool."
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class AllocationSensitivity(Summarised):
    """What the choice of key decides.

    ``amounts``: one row per target (and ``unallocated`` where a key cannot share the pools), one column of
    Decimal per key; every column sums to the same total. ``unit_costs``: amount ÷ units by key (float), with
    ``lowest``, ``highest`` and ``spread_share`` = (highest − lowest) ÷ the mean over the keys; empty without
    units.
    """

    amounts: pd.DataFrame
    unit_costs: pd.DataFrame
    total: Decimal


@traced
def allocation_sensitivity(
    pools: Decimal | Mapping[str, Decimal] | pd.Series,
    keys: Mapping[str, Weights],
    *,
    direct: Mapping[str, Decimal] | pd.Series | None = None,
    units: Mapping[str, float] | pd.Series | None = None,
) -> AllocationSensitivity:
    """The same pools shared under several keys, side by side.

    Parameters
    ----------
    pools : Decimal, or (pools,) mapping or Series of Decimal; money
        Amount by pool, or one amount; every pool is shared by the key in turn.
    keys : mapping of name to weights
        Weight by target under each key, e.g. ``{"hours": {...}, "tickets": {...}, "headcount": {...}}``.
    direct : (targets,) mapping or Series of Decimal, money; optional
        Cost that a target carries under any key, added to its share.
    units : (targets,) mapping or Series of numbers, such as tickets; optional
        What a unit cost is per, by target; a target without units has no unit cost (NaN).

    Returns
    -------
    AllocationSensitivity
        Keys move cost between targets, never the total. A key with no positive weight leaves the pools in the row ``unallocated``.

    Raises
    ------
    ParameterError
        For no key, or weights that are negative or missing.

    Examples
    --------
    >>> from decimal import Decimal
    >>> from analysis import costs
    >>> found = costs.allocation_sensitivity(Decimal("100.00"), {"hours": {"a": 1, "b": 3}, "tickets": {"a": 1, "b": 1}})
    >>> found.amounts.astype(str).to_dict("index")
    {'a': {'hours': '25.00', 'tickets': '50.00'}, 'b': {'hours': '75.00', 'tickets': '50.00'}}
    """
    if not keys:
        raise ParameterError(
            "allocation_sensitivity: no key was given; name at least one, e.g. {'hours': weights}."
        )
    listed = [pools] if isinstance(pools, Decimal | int) else list(pd.Series(pools, dtype=object))
    weights = {name: _as_series(key) for name, key in keys.items()}
    fixed = _as_series(direct if direct is not None else {})
    targets = sorted({label for key in weights.values() for label in key.index} | set(fixed.index), key=str)
    columns = {name: _under_key(listed, key, fixed, targets) for name, key in weights.items()}
    frame = pd.DataFrame({name: decimals(cents) for name, cents in columns.items()})
    frame.index = pd.Index([*targets, UNALLOCATED], name="target")
    if not any(cents[-1] for cents in columns.values()):
        frame = frame.drop(index=UNALLOCATED)
    whole = from_cents(sum(next(iter(columns.values()))))
    return AllocationSensitivity(amounts=frame, unit_costs=_unit_costs(frame, units), total=whole)


@traced
def _as_series(values: Weights) -> pd.Series:
    return values if isinstance(values, pd.Series) else pd.Series(values, dtype=object)


@traced
def _under_key(pools: list[Decimal], weights: pd.Series, direct: pd.Series, targets: list[Any]) -> list[int]:
    """Cents by target, and last what the key could not share."""
    by_target = {
        target: to_cents(direct[target], what="direct cost") if target in direct.index else 0
        for target in targets
    }
    unallocated = 0
    for pool in pools:
        if to_cents(pool, what="pool") and not any(_whole_weights(weights)):
            unallocated += to_cents(pool, what="pool")
            continue
        for target, amount in allocate(pool, weights).items():
            by_target[target] += to_cents(amount)
    return [*by_target.values(), unallocated]


@traced
def _unit_costs(amounts: pd.DataFrame, units: Mapping[str, float] | pd.Series | None) -> pd.DataFrame:
    if units is None:
        return pd.DataFrame()
    per = pd.Series(units, dtype=float).reindex(amounts.index.drop(UNALLOCATED, errors="ignore"))
    by_key = amounts.loc[per.index].astype(float).div(per.where(per > 0), axis=0)
    mean = by_key.mean(axis=1)
    lowest, highest = by_key.min(axis=1), by_key.max(axis=1)
    return by_key.assign(
        lowest=lowest, highest=highest, spread_share=(highest - lowest) / mean.where(mean != 0)
    )
