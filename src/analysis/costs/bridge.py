"""Why cost moved: effects that add up to the change to the cent, with no residual line.

One row of input is one cell, for instance a cost category of one product line and ticket type. Its cost is
read as a product along a chain of quantities, each step a ratio of neighbours::

    cost = days × tickets a day × share × manual share × input a manual ticket × paid ÷ used input × price
           calendar   volume       mix     automation       intensity             utilisation     input_price

with share = cell's tickets ÷ all tickets, input = hours or parts. A quantity that is not known is left out
and its two neighbours meet: with cost and tickets alone the chain is ``volume × mix × unit_cost``.

Each effect is the Shapley value of its factor: its contribution averaged over every order in which the
factors could have changed, so no order is preferred. For a product it equals the integral along the straight
line from before to after (Owen's multilinear extension), which Gauss–Legendre nodes give exactly; with two
factors it is the usual "half of the joint term to each". The change of a sum is the sum of the changes, so
the effects of leaf cells, added up, are the effects of their parents: every drill is consistent. Shapley is
preferred to the logarithmic mean (LMDI), whose effects sum exactly too, because LMDI has no value for
negative amounts and only a limit at zeros (Wood and Lenzen 2006), and a cost ledger has credits, new lines
and closed ones.

Conventions (they decide where a cent goes, never how many there are):

- A cell without tickets in one period is new or vanished: its share is 0 there, and ratios that are 0 ÷ 0
  keep the other period's value. So it moves ``mix`` (and ``volume``, when all tickets change), not price.
- Cost in a period in which its cell has no ticket has no driver: ``period``; if hours were paid, they were
  idle: ``utilisation``. Rows of behaviour ``period`` or without a ticket number are ``period`` entirely.
- A quantity that is zero while a later one is not (hours without manual tickets), or known in one period
  only, cannot carry the chain and is left out for that cell.
- Negative cost is a negative price; quantities cannot be negative.
- Effects are rounded to cents in each cell by largest remainder.

Sources: Shapley (1953), Contributions to the Theory of Games II, 307-317; Owen (1972), Management Science
18(5), P64-P79; Sun (1998), Energy Economics 20, 85-100 (complete decomposition); Shorrocks (2013), Journal of
Economic Inequality 11, 99-126; Ang (2005), Energy Policy 33, 867-871 and (2015), Energy Policy 86, 233-238
(LMDI); Wood and Lenzen (2006), Energy Policy 34, 1326-1331.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.costs.cents import Cents, cents_of, decimals, settle
from analysis.errors import ContractError, ParameterError, suggestion
from analysis.metrics import traced

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]

QUANTITIES = ("tickets", "automated_tickets", "input_quantity", "paid_quantity")
COST_DIMENSIONS = ("category",)
DRIVERS = ("volume", "mix", "automation", "intensity", "utilisation", "input_price", "unit_cost", "period")


@traced
def cost_bridge(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    by: Sequence[str] | None = None,
    volume_by: Sequence[str] | None = None,
    calendar: Mapping[str, tuple[float, float]] | None = None,
) -> pd.DataFrame:
    """Change in cost from ``before`` to ``after`` as effects whose sum is the change exactly.

    Parameters
    ----------
    before, after : (cells, columns) DataFrame
        ``cost`` (Decimal, whole cents) and ``tickets``; where known ``automated_tickets`` (closed without a person; leave blank for categories that
        automation does not touch), ``input_quantity`` (hours or parts used), ``paid_quantity`` (hours paid) and ``behaviour`` (``variable`` or
        ``period``).
    by : names of columns, optional
        That name a cell, in drill order; all other columns where not given.
    volume_by : names of columns, optional
        Those of ``by`` that divide the tickets; where not given, all but ``category``, because the same ticket costs labour and parts. Rows of one ticket
        cell must agree on its tickets.
    calendar : mapping of name to two numbers, optional
        (before, after) of what scales the volume of a whole period, such as ``working_days`` (22, 17) or a lunar new year factor; each becomes an effect
        of that name, and volume is then tickets per working day.

    Returns
    -------
    DataFrame, one row per cell and driver, cells in order of their names
        The ``by`` columns, ``status`` (continuing, new, vanished), ``driver`` and ``effect`` (Decimal, money). A driver is listed when it applies to any
        cell, also at 0.00.

    Raises
    ------
    ContractError
        For columns that are missing, repeated cells, or tickets that do not agree.
    ParameterError
        For unknown columns, and a calendar that is not positive.

    Examples
    --------
    Two tickets more at the mean of 10 and 11, and one more each on the mean of 10 and 12 tickets.

    >>> from decimal import Decimal
    >>> import pandas as pd
    >>> from analysis import costs
    >>> before = pd.DataFrame({"line": ["a"], "tickets": [10], "cost": [Decimal("100.00")]})
    >>> after = pd.DataFrame({"line": ["a"], "tickets": [12], "cost": [Decimal("132.00")]})
    >>> effects = costs.cost_bridge(before, after, by=["line"])
    >>> {driver: str(effect) for driver, effect in zip(effects["driver"], effects["effect"]) if effect}
    {'volume': '21.00', 'unit_cost': '11.00'}
    """
    names = _cell_names(before, after, by)
    ticket_names = _ticket_names(names, volume_by)
    for frame, when in ((before, "before"), (after, "after")):
        _check(frame, names, when)
    cells = _Cells.of(before, after, names, ticket_names)
    effects = _effects(cells, calendar or {})
    return _tidy(cells, names, effects)


@traced
def bridge_by(effects: pd.DataFrame, *dimensions: str) -> pd.DataFrame:
    """The bridge at a coarser level, effects summed exactly.

    ``bridge_by(effects)`` is the total; add dimensions in turn to open the largest effect.

    Parameters
    ----------
    effects : (cells and drivers, columns) DataFrame
        As `cost_bridge` returns them.
    dimensions : names of columns
        To keep apart.

    Returns
    -------
    DataFrame, one row per value of ``dimensions`` and driver
        ``effect`` (Decimal, money).

    Raises
    ------
    ParameterError
        For a dimension that the bridge does not have.

    Examples
    --------
    >>> from decimal import Decimal
    >>> import pandas as pd
    >>> from analysis import costs
    >>> before = pd.DataFrame({"line": ["a"], "tickets": [10], "cost": [Decimal("100.00")]})
    >>> after = pd.DataFrame({"line": ["a"], "tickets": [12], "cost": [Decimal("132.00")]})
    >>> total = costs.bridge_by(costs.cost_bridge(before, after, by=["line"]))
    >>> print(total["effect"].sum())
    32.00
    """
    for name in dimensions:
        if name not in effects.columns:
            raise ParameterError(f"bridge: no dimension '{name}'.{suggestion(name, effects.columns)}")
    drivers = pd.CategoricalDtype(list(dict.fromkeys(effects["driver"])))
    cents = effects.assign(effect=cents_of(effects["effect"]), driver=effects["driver"].astype(drivers))
    summed = cents.groupby([*dimensions, "driver"], observed=True)["effect"].sum().reset_index()
    return summed.assign(driver=summed["driver"].astype(str), effect=decimals(summed["effect"]))


@traced
def drill_largest(effects: pd.DataFrame, path: Sequence[str], *, driver: str | None = None) -> pd.DataFrame:
    """The largest effect opened level by level.

    Parameters
    ----------
    effects : (cells and drivers, columns) DataFrame
        As `cost_bridge` returns them.
    path : names of columns
        The levels, the coarsest first.
    driver : str, optional
        The driver to follow; the largest effect of the total by absolute amount where left out.

    Returns
    -------
    DataFrame, one row per level
        ``level``, ``value``, ``driver``, ``effect`` (Decimal, money), ``share_of_parent`` (above 1 when siblings offset it). At each level the child with
        the largest effect in the parent's direction is opened.

    Raises
    ------
    ParameterError
        For a level or driver that the bridge does not have.

    Examples
    --------
    >>> from decimal import Decimal
    >>> import pandas as pd
    >>> from analysis import costs
    >>> before = pd.DataFrame({"line": ["a", "b"], "tickets": [10, 10], "cost": [Decimal("100.00")] * 2})
    >>> after = pd.DataFrame({"line": ["a", "b"], "tickets": [12, 10], "cost": [Decimal("120.00"), Decimal("100.00")]})
    >>> costs.drill_largest(costs.cost_bridge(before, after, by=["line"]), ["line"])["value"].tolist()
    ['a']
    """
    whole = bridge_by(effects)
    if driver is None:
        if whole.empty:
            return pd.DataFrame(columns=["level", "value", "driver", "effect", "share_of_parent"])
        driver = str(whole["driver"].iloc[int(np.abs(cents_of(whole["effect"])).argmax())])
    opened = effects[effects["driver"] == driver]
    parent = sum(opened["effect"], Decimal("0.00"))
    rows = []
    for level in path:
        children = bridge_by(opened, level)
        if children.empty or not parent:
            break
        cents = cents_of(children["effect"]) * (1 if parent > 0 else -1)
        child = children.iloc[int(cents.argmax())]
        rows.append(
            {
                "level": level,
                "value": child[level],
                "driver": driver,
                "effect": child["effect"],
                "share_of_parent": float(child["effect"] / parent),
            }
        )
        opened, parent = opened[opened[level] == child[level]], child["effect"]
    return pd.DataFrame(rows, columns=["level", "value", "driver", "effect", "share_of_parent"])


@traced
def _cell_names(before: pd.DataFrame, after: pd.DataFrame, by: Sequence[str] | None) -> list[str]:
    if by is not None:
        return list(by)
    known = {"cost", "behaviour", *QUANTITIES}
    names = [column for column in before.columns if column not in known]
    others = [column for column in after.columns if column not in known]
    if set(names) != set(others):
        odd = sorted(set(names) ^ set(others))
        raise ContractError(
            f"cost_bridge: column {odd[0]!r} is on one side only; name the cells with by=[…]."
        )
    return names


@traced
def _ticket_names(names: list[str], volume_by: Sequence[str] | None) -> list[str]:
    if volume_by is None:
        return [name for name in names if name not in COST_DIMENSIONS]
    for name in volume_by:
        if name not in names:
            raise ParameterError(
                f"cost_bridge: volume_by names '{name}', which is not in by.{suggestion(name, names)}"
            )
    return list(volume_by)


def _check(frame: pd.DataFrame, names: list[str], when: str) -> None:
    absent = [column for column in [*names, "cost", "tickets"] if column not in frame.columns]
    if absent:
        raise ContractError(
            f"cost_bridge, {when}: column {', '.join(absent)} is missing; "
            "a bridge needs cost and tickets by cell."
        )
    blank = [name for name in names if frame[name].isna().any()]
    if blank:
        raise ContractError(
            f"cost_bridge, {when}: {int(frame[blank[0]].isna().sum())} rows have no {blank[0]}; "
            "fill it, e.g. with 'unallocated'."
        )
    twice = frame.duplicated(names) if names else pd.Series([False] + [True] * (len(frame) - 1))[: len(frame)]
    if twice.any():
        example = " x ".join(str(value) for value in frame.loc[twice.to_numpy(), names].iloc[0])
        raise ContractError(
            f"cost_bridge, {when}: {int(twice.sum())} rows repeat a cell, e.g. {example or 'the only one'}; "
            f"one row should be one {' x '.join(names) or 'period'}."
        )
    for column in QUANTITIES:
        if column in frame.columns and (pd.to_numeric(frame[column]) < 0).any():
            raise ContractError(
                f"cost_bridge, {when}: {column} is negative in {int((frame[column] < 0).sum())} rows; "
                "quantities cannot be, only cost."
            )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Cells:
    """Both periods on the same rows. NaN in a quantity: not known. A period in which a row is absent has
    zeros."""

    names: pd.DataFrame
    status: NDArray[np.object_]
    cost: tuple[Cents, Cents]
    tickets: Pair
    manual: Pair
    used: Pair
    paid: Pair
    volume: tuple[float, float]
    driven: NDArray[np.bool_]

    @classmethod
    def of(
        cls, before: pd.DataFrame, after: pd.DataFrame, names: list[str], ticket_names: list[str]
    ) -> _Cells:
        cells = (
            pd.concat([before[names], after[names]]).drop_duplicates() if names else pd.DataFrame(index=[0])
        )
        cells = cells.sort_values(names, kind="stable", ignore_index=True) if names else cells
        sides = [_on_cells(frame, cells, names) for frame in (before, after)]
        by_ticket_cell = [_tickets_by_cell(frame, ticket_names) for frame in (before, after)]
        tickets = [
            _tickets_on(side, table, cells, ticket_names)
            for side, table in zip(sides, by_ticket_cell, strict=True)
        ]
        automated = [
            _automated_on(side, other, table, cells, ticket_names)
            for side, other, table in zip(sides, sides[::-1], by_ticket_cell, strict=True)
        ]
        here, there = (side["present"].to_numpy() for side in sides)
        period = np.logical_or.reduce(
            [side["present"] & ((side["behaviour"] == "period") | side["tickets"].isna()) for side in sides]
        )
        manual = [count - done for count, done in zip(tickets, automated, strict=True)]
        if any((value < 0).any() for value in manual):
            raise ContractError("cost_bridge: a cell has more automated_tickets than tickets.")
        return cls(
            names=cells,
            status=np.where(here & there, "continuing", np.where(there, "new", "vanished")).astype(object),
            cost=(sides[0]["cost"].to_numpy(np.int64), sides[1]["cost"].to_numpy(np.int64)),
            tickets=(tickets[0], tickets[1]),
            manual=(manual[0], manual[1]),
            used=(sides[0]["input_quantity"].to_numpy(), sides[1]["input_quantity"].to_numpy()),
            paid=(sides[0]["paid_quantity"].to_numpy(), sides[1]["paid_quantity"].to_numpy()),
            volume=(float(by_ticket_cell[0]["tickets"].sum()), float(by_ticket_cell[1]["tickets"].sum())),
            driven=~np.asarray(period, dtype=bool),
        )


@traced
def _on_cells(frame: pd.DataFrame, cells: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The frame's rows on the common cells, absent rows with zero cost and zero quantities."""
    numbers = {
        column: pd.to_numeric(frame[column]).astype(float) if column in frame.columns else np.nan
        for column in QUANTITIES
    }
    behaviour = frame["behaviour"] if "behaviour" in frame.columns else "variable"
    # cents as nullable integers: an absent row would turn them into floats, which lose the cent of a vast amount
    cents = pd.array(cents_of(frame["cost"], what="cost"), dtype="Int64")
    side = frame[names].assign(cost=cents, behaviour=behaviour, present=True, **numbers)
    if names:
        joined = cells.merge(side, on=names, how="left", validate="one_to_one")
    else:
        joined = side.reset_index(drop=True).reindex([0])
    present = joined["present"].notna().to_numpy()
    joined.loc[~present, ["cost", *QUANTITIES]] = 0
    return joined.assign(present=present, cost=joined["cost"].astype(np.int64))


@traced
def _tickets_by_cell(frame: pd.DataFrame, ticket_names: list[str]) -> pd.DataFrame:
    """Tickets (and automated tickets) of each ticket cell, once; refused where rows of a cell disagree."""
    columns = [column for column in QUANTITIES[:2] if column in frame.columns]
    known = frame.loc[frame["tickets"].notna(), [*ticket_names, *columns]]
    if not ticket_names:
        known = known.assign(all=0)
    grouped = known.groupby(ticket_names or ["all"])[columns]
    spread = grouped.nunique()
    if (spread > 1).any(axis=None):
        where = spread.index[(spread > 1).any(axis=1)][0]
        raise ContractError(
            f"cost_bridge: rows of the ticket cell {where} disagree on its tickets; "
            "categories share a cell's tickets "
            f"(ticket cells are {' x '.join(ticket_names) or 'the whole period'}; see volume_by)."
        )
    table = grouped.first().astype(float)
    return table.reindex(columns=list(QUANTITIES[:2]))


@traced
def _looked_up(table: pd.DataFrame, column: str, cells: pd.DataFrame, ticket_names: list[str]) -> Floats:
    if not ticket_names:
        value = float(table[column].iloc[0]) if len(table) else 0.0
        return np.full(len(cells), value)
    rows = cells[ticket_names].merge(
        table[column].reset_index(), on=ticket_names, how="left", validate="many_to_one", indicator=True
    )
    return np.where(rows["_merge"] == "both", rows[column].to_numpy(float), 0.0)


@traced
def _tickets_on(
    side: pd.DataFrame, table: pd.DataFrame, cells: pd.DataFrame, ticket_names: list[str]
) -> Floats:
    """A category without a row still has its ticket cell's tickets: the cost is new, not they."""
    return np.where(
        side["present"] & side["tickets"].notna(),
        side["tickets"],
        _looked_up(table, "tickets", cells, ticket_names),
    )


@traced
def _automated_on(
    side: pd.DataFrame, other: pd.DataFrame, table: pd.DataFrame, cells: pd.DataFrame, ticket_names: list[str]
) -> Floats:
    """Taken from the ticket cell only for an absent row whose other period knows automation."""
    absent = ~side["present"] & other["automated_tickets"].notna()
    return np.where(
        absent, _looked_up(table, "automated_tickets", cells, ticket_names), side["automated_tickets"]
    )


@traced
def _effects(cells: _Cells, calendar: Mapping[str, tuple[float, float]]) -> dict[str, Cents]:
    """Cents by driver, one array over the cells each; drivers that apply to no cell are left out."""
    cost, without_driver, idle = _undriven(cells)
    names, first, second, priced = _factors(cells, cost, calendar)
    change = cost[1] - cost[0]
    settled = dict(zip(names, settle(_shapley(first, second), change).T, strict=True))
    price = settled.pop("price")
    applies = {name: True for name in settled} | {
        name: _known(getattr(cells, level), cells)
        for name, level in (("automation", "manual"), ("intensity", "used"), ("utilisation", "paid"))
    }
    settled["utilisation"] = settled["utilisation"] + idle
    applies["utilisation"] |= bool(idle.any())
    settled |= {
        "input_price": np.where(priced, price, 0),
        "unit_cost": np.where(priced, 0, price),
        "period": without_driver,
    }
    costly = cells.driven & ((cost[0] != 0) | (cost[1] != 0))
    applies |= {
        "input_price": bool((priced & costly).any()),
        "unit_cost": bool((~priced & costly).any()),
        "period": bool((~cells.driven).any() or without_driver.any()),
    }
    ordered = [*calendar, *DRIVERS]
    return {name: settled[name] for name in ordered if applies[name]}


def _known(level: Pair, cells: _Cells) -> bool:
    """Whether any driven cell that is there knows this quantity in both periods."""
    return bool(
        (
            np.isfinite(level[0]) & np.isfinite(level[1]) & cells.driven & ((level[0] > 0) | (level[1] > 0))
        ).any()
    )


@traced
def _undriven(cells: _Cells) -> tuple[tuple[Cents, Cents], Cents, Cents]:
    """Split off cost that no ticket drives: (chain's cost before and after, period effect, idle effect)."""
    chain, period, idle = [], [], []
    for cost, tickets, paid in zip(cells.cost, cells.tickets, cells.paid, strict=True):
        loose = ~cells.driven | (tickets == 0)
        is_idle = cells.driven & loose & (np.nan_to_num(paid) > 0)
        chain.append(np.where(loose, 0, cost))
        idle.append(np.where(is_idle, cost, 0))
        period.append(np.where(loose & ~is_idle, cost, 0))
    return (chain[0], chain[1]), period[1] - period[0], idle[1] - idle[0]


@traced
def _factors(
    cells: _Cells, cost: tuple[Cents, Cents], calendar: Mapping[str, tuple[float, float]]
) -> tuple[list[str], Floats, Floats, NDArray[np.bool_]]:
    """The chain's ratios before and after (cells × factors), and which cells end in a price of an input."""
    count = len(cells.names)
    names: list[str] = []
    columns: list[Pair] = []
    scale = [1.0, 1.0]
    for name, (first, second) in calendar.items():
        if not (first > 0 and second > 0) or name in DRIVERS:
            raise ParameterError(
                f"cost_bridge: calendar '{name}' is ({first}, {second}); "
                "give two positive numbers and a name that is no driver."
            )
        scale = [scale[0] * float(first), scale[1] * float(second)]
        names.append(name)
        columns.append((np.full(count, float(first)), np.full(count, float(second))))
    names.append("volume")
    columns.append((np.full(count, cells.volume[0] / scale[0]), np.full(count, cells.volume[1] / scale[1])))
    there = [cells.driven & (tickets > 0) for tickets in cells.tickets]
    quantities = {
        "mix": cells.tickets,
        "automation": cells.manual,
        "intensity": cells.used,
        "utilisation": cells.paid,
        "price": cost,
    }
    levels: dict[str, Pair] = {
        name: (np.where(there[0], pair[0], 0.0), np.where(there[1], pair[1], 0.0))
        for name, pair in quantities.items()
    }
    links = list(levels)
    below: Pair = (np.full(count, cells.volume[0]), np.full(count, cells.volume[1]))
    priced = np.zeros(count, dtype=bool)
    for place, name in enumerate(links):
        level = levels[name]
        carries = (
            np.ones(count, dtype=bool)
            if name in ("mix", "price")
            else _carries(level, [levels[later] for later in links[place + 1 :]])
        )
        ratio = _ratios(level, below)
        names.append(name)
        columns.append((np.where(carries, ratio[0], 1.0), np.where(carries, ratio[1], 1.0)))
        below = (np.where(carries, level[0], below[0]), np.where(carries, level[1], below[1]))
        if name in ("intensity", "utilisation"):
            priced |= carries & ((level[0] > 0) | (level[1] > 0))
    return (
        names,
        np.column_stack([pair[0] for pair in columns]),
        np.column_stack([pair[1] for pair in columns]),
        priced,
    )


@traced
def _carries(level: Pair, later: list[Pair]) -> NDArray[np.bool_]:
    """Known in both periods, and nowhere zero while something after it in the chain is not."""
    usable = np.isfinite(level[0]) & np.isfinite(level[1])
    for side in (0, 1):
        dead = np.logical_and.reduce([np.nan_to_num(pair[side]) == 0 for pair in later])
        usable &= (level[side] > 0) | dead
    return np.asarray(usable)


@traced
def _ratios(level: Pair, below: Pair) -> Pair:
    """Level ÷ the level before it; a ratio that is 0 ÷ 0 in one period keeps the other period's value."""
    first, second = (
        np.divide(top, base, out=np.full(len(base), np.nan), where=base > 0)
        for top, base in zip(level, below, strict=True)
    )
    return (
        np.nan_to_num(np.where(np.isnan(first), second, first)),
        np.nan_to_num(np.where(np.isnan(second), first, second)),
    )


@traced
def _shapley(first: Floats, second: Floats) -> Floats:
    """Shapley value of every factor of a product, row by row.

    The value of factor k is (second_k − first_k) × ∫₀¹ Π_{j≠k} ((1−t) first_j + t second_j) dt; the integrand
    is a polynomial of degree factors − 1, for which half as many Gauss–Legendre nodes are exact.
    """
    factors = first.shape[1]
    nodes, weights = np.polynomial.legendre.leggauss((factors + 1) // 2)
    effects = np.zeros_like(first)
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        point = first + node * (second - first)
        for factor in range(factors):
            others = np.delete(point, factor, axis=1).prod(axis=1)
            effects[:, factor] += weight * (second[:, factor] - first[:, factor]) * others
    return effects


@traced
def _tidy(cells: _Cells, names: list[str], effects: dict[str, Cents]) -> pd.DataFrame:
    drivers = list(effects)
    repeated = np.repeat(np.arange(len(cells.names)), len(drivers))
    table = cells.names[names].iloc[repeated].reset_index(drop=True)
    amounts = np.column_stack(list(effects.values())).ravel() if drivers else np.array([], dtype=np.int64)
    return table.assign(
        status=cells.status[repeated], driver=drivers * len(cells.names), effect=decimals(amounts)
    )
