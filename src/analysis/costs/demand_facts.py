"""What is asked for more often: service orders of a kind and a group that came in some months beyond what the other groups saw.

A group is a product line, shop, platform, region, segment or kind of customer, or a product line within a shop (else platform, region or
segment). Its base is what can ask: machines in the field where most orders name one, else customers under contract, else orders sold; where
the base does not tell groups apart, the group's usual share of the orders stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.costs.figures import month_texts
from analysis.costs.scan import Field, Flags, Floats, Run, Scanned, scanned
from analysis.costs.signals_facts import false_alarm_level
from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs, cents, materiality, traced, traced_once
from analysis.metrics.backend import literal
from analysis.metrics.views import NOT_STATED, at
from analysis.metrics.views.selection import selected, worded
from analysis.periods import Month, months_between
from analysis.results import Fact, Finding, Interval, Sentence, Stake, Value
from analysis.summaries import Summarised

HISTORY = 36
LEAST_MONTHS = 18
WITHIN = 24  # a run must begin in the last so many months
LONGEST = 12  # months that a run may last
LARGEST = 40  # values of a dimension that are groups of their own, by volume
LEAST_ORDERS = 60  # service orders of a kind below which nothing is looked for
TOLD = 0.9  # share of the orders whose value of a dimension the base must know
DIMENSIONS = ("product_line", "shop", "platform", "region", "segment", "customer_type")
WITHIN_LINES = ("shop", "platform", "region", "segment")
METHOD = "logistic regression of the group's share of each month's orders on its base, level, trend and year, the run as known"

Place = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Surge(Summarised):
    """One group and kind above what it was beside the others; ``over`` where the run ended before the report month."""

    kind: str
    place: Mapping[str, str]
    name: Text
    period: Period
    over: bool
    tickets: Fact
    ratio: Fact
    extra: Fact
    cost: Fact | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Demand(Summarised):
    """Runs of more service orders, the strongest first, with how many groups and runs were looked at.

    ``months``, ``left`` : of the search; what is left by kind when the runs found are taken out.
    """

    surges: tuple[Surge, ...]
    groups: Fact
    runs: Fact
    months: tuple[str, ...]
    left: Mapping[str, Field]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Orders:
    """Service orders by month, kind and finest part: ``frame`` has a row per month, kind and part that had any."""

    months: tuple[str, ...]
    dimensions: tuple[str, ...]
    frame: pd.DataFrame

    @property
    def kinds(self) -> list[str]:
        sums = self.frame.groupby("ticket_type")["orders"].sum()
        return sorted(str(kind) for kind in sums.index[sums >= LEAST_ORDERS] if kind != NOT_STATED)


@traced
def demand_of(inputs: StudyInputs) -> Demand:
    """Which kinds of service orders came more often from which groups, in which months.

    Raises
    ------
    MissingData
        Without kinds of service orders, with one group alone, or with too few months.
    """
    orders, fields, found = _searched(inputs)
    surges = tuple(_surge(inputs, orders, run) for run in found.found)
    state = Stating(inputs=inputs, period=Period(Month.parse(orders.months[0]), inputs.month))
    recent = [one for one in surges if one.period.last.months_since(inputs.month - (LONGEST - 1)) >= 0]
    return Demand(
        surges=surges,
        groups=state.exact("demand_groups_tested", found.groups),
        runs=state.exact("demand_runs_tested", found.runs),
        months=orders.months,
        left=_left(fields, found),
        findings=tuple(_finding(inputs, orders, one) for one in recent),
    )


@traced
def _left(fields: Mapping[str, Field], found: Scanned) -> dict[str, Field]:
    """What was searched without the runs that were found."""
    left = dict(fields)
    for run in found.found:
        left[run.kind] = left[run.kind].without(run.group, slice(run.start, run.end))
    return left


@traced
def passing_share(inputs: StudyInputs) -> dict[Month, float]:
    """Of each month the share of service orders that a surge brought which is over by now; empty where nothing can be searched."""
    try:
        orders, _, found = _searched(inputs)
    except MissingData:
        return {}
    everything = orders.frame.groupby("month")["orders"].sum()
    shares: dict[Month, float] = {}
    for run in found.found:
        months = orders.months[run.start : run.end]
        if run.end >= len(orders.months) or run.ratio <= 1:
            continue
        part = run.extra[0] / float(everything.reindex(months).sum())
        for month in months:
            at_month = Month.parse(month)
            shares[at_month] = shares.get(at_month, 0.0) + part
    return shares


# -- the search -------------------------------------------------------------------------------------------------------------


@traced_once
def _searched(inputs: StudyInputs) -> tuple[_Orders, dict[str, Field], Scanned]:
    """The search, once for the findings, the forecast and whoever is lent it."""
    orders = _orders(inputs)
    base = _base(inputs, orders)
    fields = {kind: _field(orders, kind, base) for kind in orders.kinds}
    if not any(field.groups for field in fields.values()):
        raise MissingData("tickets", message="service orders name no two groups")
    count = len(orders.months)
    runs = [
        (start, start + length)
        for length in range(1, LONGEST + 1)
        for start in range(max(0, count - WITHIN), count - length + 1)
    ]
    found = scanned(
        fields, runs, level=false_alarm_level(inputs), confidence=inputs.confidence, draws=draws_for(inputs)
    )
    return orders, fields, found


def draws_for(inputs: StudyInputs) -> int:
    """Simulated companies: five times as many as it takes to see the level once."""
    return int(np.ceil(5 / false_alarm_level(inputs))) - 1


@traced
def _orders(inputs: StudyInputs) -> _Orders:
    """Service orders of the last 36 months by kind and part; dimensions that tell no two values apart are left out."""
    inputs.engine.require("tickets.ticket_type")
    span = Period(inputs.month - (HISTORY - 1), inputs.month)
    parts = ", ".join(f"{worded(name)} AS {name}" for name in DIMENSIONS)
    frame = inputs.engine.query(
        f"SELECT month, {worded('ticket_type')} AS ticket_type, {parts}, count(*)::DOUBLE AS orders "
        f"FROM service WHERE {span.condition()} GROUP BY ALL ORDER BY ALL"
    )
    frame = frame.assign(month=month_texts(frame["month"])) if len(frame) else frame
    months = (
        [str(each) for each in months_between(Month.parse(frame["month"].min()), inputs.month)]
        if len(frame)
        else []
    )
    if len(months) < LEAST_MONTHS:
        raise MissingData(
            "tickets",
            message="{months} months of service orders; a search for surges needs {least}",
            months=len(months),
            least=LEAST_MONTHS,
        )
    apart = tuple(name for name in DIMENSIONS if frame[name].nunique() > 1)
    frame = frame.groupby(["month", "ticket_type", *apart])["orders"].sum().reset_index()
    return _Orders(months=tuple(months), dimensions=apart, frame=frame)


def _places(orders: _Orders, parts: pd.DataFrame) -> dict[Place, Flags]:
    """Groups by their place, and which parts are of them; two names of the same parts are one group of both."""
    masks: dict[bytes, tuple[Place, Flags]] = {}
    single = {name: _values(orders, name) for name in orders.dimensions}
    wanted: list[Place] = [((name, value),) for name, values in single.items() for value in values]
    second = next((name for name in WITHIN_LINES if name in single), None)
    if "product_line" in single and second:
        wanted += [
            (("product_line", line), (second, value))
            for line in single["product_line"]
            for value in single[second]
        ]
    for place in wanted:
        mask = np.logical_and.reduce([(parts[name] == value).to_numpy() for name, value in place])
        if not mask.any() or mask.all():
            continue
        known = masks.get(mask.tobytes())
        merged = dict(known[0]) | dict(place) if known else dict(place)
        masks[mask.tobytes()] = tuple(merged.items()), mask
    return dict(masks.values())


def _values(orders: _Orders, name: str) -> list[str]:
    """The largest values of a dimension, what is not stated aside."""
    sums = orders.frame.groupby(name)["orders"].sum().sort_values(ascending=False, kind="stable")
    return [str(value) for value in sums.index if value != NOT_STATED][:LARGEST]


@traced
def _field(orders: _Orders, kind: str, base: pd.DataFrame) -> Field:
    """Orders of a kind by month and part, and the base of each part."""
    own = orders.frame[orders.frame["ticket_type"] == kind]
    names = list(orders.dimensions)
    wide = own.pivot_table(
        index="month", columns=names or "ticket_type", values="orders", aggfunc="sum", fill_value=0.0
    ).reindex(list(orders.months), fill_value=0.0)
    parts = wide.columns.to_frame(index=False) if names else pd.DataFrame(index=range(wide.shape[1]))
    events = wide.to_numpy(float)
    shares = _of_base(parts, events, base, orders.months)
    return Field(
        events=events, base=shares, groups={group_key(p): m for p, m in _places(orders, parts).items()}
    )


def group_key(place: Place) -> str:
    """A group as one text, from which :func:`place_of` reads it back."""
    return "\x1f".join(f"{name}\x1e{value}" for name, value in place)


def place_of(key: str) -> dict[str, str]:
    """The dimensions of a group's key, and its values."""
    pairs = (part.split("\x1e", 1) for part in key.split("\x1f"))
    return {name: value for name, value in pairs}


def _of_base(
    parts: pd.DataFrame, events: Floats, base: pd.DataFrame, months: Sequence[str]
) -> NDArray[np.float64]:
    """The base of each part: that of its place in the base, split within it as the part's usual share of the orders."""
    usual = events.mean(axis=0)
    known = [name for name in base.columns if name not in ("month", "base")]
    if not known:
        return np.tile(usual, (len(months), 1))
    place = parts[known].agg("|".join, axis=1)
    wide = (
        base.assign(place=base[known].agg("|".join, axis=1))
        .pivot_table(index="month", columns="place", values="base", aggfunc="sum", fill_value=0.0)
        .reindex(index=list(months), columns=sorted(place.unique()), fill_value=0.0)
    )
    within = pd.Series(usual).groupby(place.to_numpy()).transform("sum").to_numpy()
    return np.asarray(wide[place].to_numpy(float) * (usual / np.where(within > 0, within, 1.0)))


# -- who can ask ------------------------------------------------------------------------------------------------------------


@traced
def _base(inputs: StudyInputs, orders: _Orders) -> pd.DataFrame:
    """What can ask, by month and the dimensions that it tells: ``month``, ``base``; without dimensions where no base tells groups apart."""
    for asked, dimensions in (
        (_machines, ("product_line", "region")),
        (_contracts, ("region", "segment", "customer_type")),
        (_sold, DIMENSIONS),
    ):
        told = [name for name in dimensions if name in orders.dimensions]
        sql = asked(inputs, told) if told else None
        if sql is None:
            continue
        frame = inputs.engine.query(sql)
        if frame.empty:
            continue
        frame = frame.assign(month=month_texts(frame["month"]))
        covered = [name for name in told if _covers(frame, orders, name)]
        if covered:
            return frame.groupby(["month", *covered])["base"].sum().reset_index()
    return pd.DataFrame(columns=["month", "base"])


def _covers(frame: pd.DataFrame, orders: _Orders, name: str) -> bool:
    """Whether the base knows the values that the orders name."""
    known = orders.frame[name].isin(set(frame[name]))
    return float(orders.frame.loc[known, "orders"].sum()) >= TOLD * float(orders.frame["orders"].sum())


def _months_sql(inputs: StudyInputs) -> str:
    """The months of the search, each by its first day."""
    first, last = literal((inputs.month - (HISTORY - 1)).start), literal(inputs.month.start)
    return f"SELECT CAST(unnest(generate_series({first}, {last}, INTERVAL 1 MONTH)) AS DATE) AS month"


def _machines(inputs: StudyInputs, told: Sequence[str]) -> str | None:
    """Machines in the field in each month, where most service orders name one."""
    if not all(inputs.engine.tables.has(name) for name in ("units.serial_no", "tickets.serial_no")):
        return None
    named = inputs.engine.query(
        "SELECT avg(CASE WHEN serial_no IS NULL THEN 0 ELSE 1 END) AS share FROM service"
    )
    if not float(named["share"].fillna(0.0).iloc[0]) >= 0.5:
        return None
    cut = ", ".join(f"{worded(name)} AS {name}" for name in told)
    machines = at("machines", inputs.month.end)
    return (
        f"SELECT m.month, {cut}, count(*)::DOUBLE AS base FROM ({_months_sql(inputs)}) m JOIN {machines} u "
        "ON u.started < m.month + INTERVAL 1 MONTH AND u.ended > m.month AND u.in_field GROUP BY ALL ORDER BY ALL"
    )


def _contracts(inputs: StudyInputs, told: Sequence[str]) -> str | None:
    """Customers under contract in each month."""
    if inputs.engine.tables.missing("contracts.starts_on", "contracts.customer_id"):
        return None
    cut = ", ".join(f"coalesce(CAST(c.{name} AS VARCHAR), {literal(NOT_STATED)}) AS {name}" for name in told)
    spells = at("contract_spells", inputs.month.end)
    return (
        f"SELECT m.month, {cut}, count(DISTINCT s.customer_id)::DOUBLE AS base FROM ({_months_sql(inputs)}) m JOIN {spells} s "
        "ON s.begins < m.month + INTERVAL 1 MONTH AND coalesce(s.ends, s.until) > m.month "
        "JOIN customers c ON c.customer_id = s.customer_id GROUP BY ALL ORDER BY ALL"
    )


def _sold(inputs: StudyInputs, told: Sequence[str]) -> str | None:
    """Order lines of each month and the month before: who bought last week asks this week."""
    if inputs.engine.tables.missing("orders.order_id"):
        return None
    cut = ", ".join(f"{worded(name)} AS {name}" for name in told)
    span = Period(inputs.month - HISTORY, inputs.month)
    lines = f"SELECT month, {cut} FROM sales WHERE {span.condition()}"
    return (
        f"SELECT month, {', '.join(told)}, count(*)::DOUBLE AS base FROM (SELECT * FROM ({lines}) AS own "
        f"UNION ALL SELECT CAST(month + INTERVAL 1 MONTH AS DATE), {', '.join(told)} FROM ({lines}) AS before) AS sold "
        f"WHERE month <= {literal(inputs.month.start)} GROUP BY ALL ORDER BY ALL"
    )


# -- what is told -----------------------------------------------------------------------------------------------------------


@traced
def _surge(inputs: StudyInputs, orders: _Orders, run: Run) -> Surge:
    """A run as facts: its orders, how often they came beside the others, how many were extra and what those cost."""
    place = place_of(run.group)
    first, last = (Month.parse(orders.months[at_place]) for at_place in (run.start, run.end - 1))
    period = Period(first, last)
    state = Stating(inputs=inputs, period=period)
    slice_of: dict[str, Any] = {"ticket_type": run.kind, **place}
    rows = selected("service", period.condition()).of(**slice_of)
    n = int(run.events + run.others)
    ratio = state.between("demand_ratio", run.ratio, run.low, run.high, n=n, method=METHOD, **slice_of)
    more, least, most = run.extra
    extra = state.between("demand_extra_orders", round(more), least, most, n=n, method=METHOD, **slice_of)
    unit = inputs.engine.fact("service_unit_cost", period=period)
    return Surge(
        kind=run.kind,
        place=slice_of,
        name=group_name(inputs, place),
        period=period,
        over=last < inputs.month,
        tickets=state.measured("service_order_count", rows, **slice_of),
        ratio=ratio,
        extra=extra,
        cost=_cost(state, extra, unit, n, slice_of),
    )


@traced
def _cost(state: Stating, extra: Fact, unit: Fact, n: int, place: Mapping[str, Any]) -> Fact | None:
    """Extra service orders at what one cost on average in these months; None where that is not known."""
    if unit.value is None or extra.value is None or extra.interval is None:
        return None
    each = float(unit.value)
    limits = Interval.spanning(
        low=extra.interval.low * each,
        high=extra.interval.high * each,
        level=extra.interval.level,
        method=METHOD,
    )
    parts = {"n": n, "interval": limits}
    return state.exact("demand_extra_cost", cents(float(extra.value) * each), parts=parts, **place)


def group_name(inputs: StudyInputs, place: Mapping[str, str]) -> Text:
    """The group in words: its values, the product line last."""
    registry = inputs.engine.registry
    order = sorted(place, key=lambda name: name == "product_line")
    return Text.joined([registry.value_label(name, place[name]) for name in order], en=" × ", zh=" × ")


_CAME = "{group}, {kind:lower}: {ratio} as often ({ratio:interval}) from {first} to {last} as before, beside all other groups of the same months. Of the {tickets} that came, {extra} ({extra:interval}) are more than the others saw."
_GOES_ON = "{group}, {kind:lower}: {ratio} as often ({ratio:interval}) since {first} as before, beside all other groups of the same months. Of the {tickets} that came until {last}, {extra} ({extra:interval}) are more than the others saw."
_COSTS = " At the average cost of a ticket that is {cost} ({cost:interval})."
_OVER = " It is over, and the forecast takes it for no season."
_ASK = " It lasts: ask what changed there in {first}."


@traced
def _finding(inputs: StudyInputs, orders: _Orders, surge: Surge) -> Finding:
    """One run; what made it was not asked for."""
    values: dict[str, Value] = {
        "group": surge.name,
        "kind": inputs.engine.registry.value_label("ticket_type", surge.kind),
        "ratio": surge.ratio,
        "first": surge.period.first,
        "last": surge.period.last,
        "tickets": surge.tickets,
        "extra": surge.extra,
    }
    template = (
        (_CAME if surge.over else _GOES_ON) + (_COSTS if surge.cost else "") + (_OVER if surge.over else _ASK)
    )
    cost = surge.cost
    return Finding(
        id="costs.demand",
        section="costs",
        severity=materiality(inputs).severity(cost, certain=False) if cost else "watch",
        ground="unasked" if cost else "no_sum",
        stake=Stake.of(cost) if cost else None,
        subject=dict(surge.place),
        statement=Sentence(template, values | ({"cost": cost} if cost else {})),
        method="Scan over groups, kinds and runs of months, each group against all others of the same months; the largest statistic by Monte Carlo (Kulldorff 1997), one false alarm in a hundred reports",
        evidence=_rows(orders, surge),
        rank=float(cost.value or 0) if cost else float(surge.extra.value or 0),
    )


def _rows(orders: _Orders, surge: Surge) -> pd.DataFrame:
    """The group's and all others' service orders of the kind, by month."""
    own = orders.frame[orders.frame["ticket_type"] == surge.kind]
    mine = np.logical_and.reduce(
        [(own[name] == value).to_numpy() for name, value in surge.place.items() if name != "ticket_type"]
    )
    sums = {"own": own[mine], "others": own[~mine]}
    table = pd.DataFrame({name: part.groupby("month")["orders"].sum() for name, part in sums.items()})
    return table.reindex(list(orders.months)).fillna(0.0).astype(int).rename_axis("month").reset_index()
