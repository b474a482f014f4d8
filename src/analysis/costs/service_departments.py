"""Cost of departments that serve departments: direct, step-down and reciprocal allocation, to the cent.

The direct method passes over what service departments do for each other; step-down closes them one after another; the reciprocal method solves
what they owe each other at once. All reckon in fractions, so that only the last cent is rounded.

Source: Horngren, Datar and Rajan (2012), Cost Accounting, 14th ed., chapter 15.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Literal

import pandas as pd

from analysis.costs.allocation import allocate
from analysis.errors import ContractError, ParameterError, suggestion
from analysis.metrics import traced

ServiceMethod = Literal["direct", "step_down", "reciprocal"]
_METHODS = ("direct", "step_down", "reciprocal")
Services = Mapping[str, Mapping[str, Decimal | int]]


@traced
def allocate_services(
    costs: Mapping[str, Decimal], services: Services, *, method: ServiceMethod, order: Sequence[str] = ()
) -> pd.DataFrame:
    """Every service department's own cost, carried to the departments that sell.

    Parameters
    ----------
    costs : mapping of department to Decimal, money
        Own cost of every department, exact.
    services : mapping of department to mapping of department to number
        For each service department, what each other department used of it (hours, seats; any unit, zero or more); what it used of itself is not named,
        for it changes nothing.
    method : str
        ``direct``, ``step_down`` (in the `order` given, each department once: the order changes the answer), ``reciprocal``.
    order : names
        Of closing, for ``step_down``.

    Returns
    -------
    DataFrame, one row per department that is no service department
        `department`, `own`, `allocated`, `total`; they add up to all cost, to the cent.

    Raises
    ------
    ContractError
        For services to unknown departments or to nobody, and for a ring of service departments that serve only each other.
    ParameterError
        For an unknown method or an order that is none.

    Examples
    --------
    >>> from decimal import Decimal
    >>> from analysis import costs
    >>> own = {"it": Decimal("90.00"), "repair": Decimal("100.00"), "sales": Decimal("50.00")}
    >>> table = costs.allocate_services(own, {"it": {"repair": 2, "sales": 1}}, method="direct")
    >>> table[["department", "total"]].astype(str).values.tolist()
    [['repair', '160.00'], ['sales', '80.00']]
    """
    if method not in _METHODS:
        raise ParameterError(f"services: unknown method {method!r}.{suggestion(method, _METHODS)}")
    used = _used(costs, services)
    names = list(services)
    if method == "step_down":
        if sorted(order) != sorted(names):
            raise ParameterError(f"services: the order names {list(order)}; give each of {names} once.")
        names = list(order)
    to_close = _closed(costs, used, names, method)
    sellers = [name for name in costs if name not in services]
    carried = dict.fromkeys(sellers, Fraction(0))
    for place, name in enumerate(names):
        open_ones = _receivers(used[name], sellers, names, place, method)
        whole = sum(open_ones.values())
        for other, amount in open_ones.items():
            if other in carried:
                carried[other] += to_close[name] * amount / whole
    pool = sum((costs[name] for name in services), Decimal(0))
    common = lcm(*(part.denominator for part in carried.values()))
    weights = {name: int(part * common) for name, part in carried.items()}
    settled = (
        allocate(pool, weights)
        if any(weights.values())
        else pd.Series(Decimal(0), index=sellers, dtype=object)
    )
    return pd.DataFrame(
        [
            {
                "department": name,
                "own": costs[name],
                "allocated": settled[name],
                "total": costs[name] + settled[name],
            }
            for name in sellers
        ]
    )


def _used(costs: Mapping[str, Decimal], services: Services) -> dict[str, dict[str, Fraction]]:
    used = {}
    for name, others in services.items():
        if name not in costs:
            raise ContractError(
                f"services: department '{name}' has no cost of its own; give it, zero included."
            )
        for other, amount in others.items():
            if other not in costs:
                raise ContractError(
                    f"services: '{name}' serves '{other}', which is no department.{suggestion(other, costs)}"
                )
            if not amount >= 0:
                raise ContractError(f"services: '{name}' serves '{other}' by {amount}; use is zero or more.")
        used[name] = {
            other: Fraction(amount) for other, amount in others.items() if other != name and amount > 0
        }
    return used


def _receivers(
    used: Mapping[str, Fraction], sellers: Sequence[str], names: Sequence[str], place: int, method: str
) -> dict[str, Fraction]:
    """Who takes over a department's cost: those that sell, and the service departments that are still open."""
    still = {"direct": [], "step_down": list(names[place + 1 :]), "reciprocal": list(names)}[method]
    found = {other: amount for other, amount in used.items() if other in sellers or other in still}
    if not sum(found.values()):
        raise ContractError(
            f"services: '{names[place]}' serves nobody who could take its cost over by the {method} method."
        )
    return found


def _closed(
    costs: Mapping[str, Decimal],
    used: Mapping[str, Mapping[str, Fraction]],
    names: Sequence[str],
    method: str,
) -> dict[str, Fraction]:
    """What each service department passes on: its own cost and what others passed to it."""
    sellers = [name for name in costs if name not in used]
    own = {name: Fraction(costs[name]) for name in names}
    if method == "direct":
        return own
    shares = {}
    for place, name in enumerate(names):
        receivers = _receivers(used[name], sellers, names, place, method)
        whole = sum(receivers.values())
        shares[name] = {other: amount / whole for other, amount in receivers.items()}
    if method == "step_down":
        for place, name in enumerate(names):
            for other in names[place + 1 :]:
                own[other] += own[name] * shares[name].get(other, Fraction(0))
        return own
    return _solved(own, shares, names)


def _solved(
    own: Mapping[str, Fraction], shares: Mapping[str, Mapping[str, Fraction]], names: Sequence[str]
) -> dict[str, Fraction]:
    """x = own + what the others pass on, by elimination in fractions."""
    rows = [
        [Fraction(int(name == other)) - shares[other].get(name, Fraction(0)) for other in names] + [own[name]]
        for name in names
    ]
    for column in range(len(names)):
        pivot = next((row for row in range(column, len(rows)) if rows[row][column] != 0), None)
        if pivot is None:
            raise ContractError(
                "services: some service departments serve only each other; their cost reaches nobody."
            )
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [value / rows[column][column] for value in rows[column]]
        for row in range(len(rows)):
            if row != column and rows[row][column] != 0:
                factor = rows[row][column]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    return {name: rows[place][-1] for place, name in enumerate(names)}
