"""Service orders: from a failure, a delivery, a contract or a worry to an order with its times and its customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy.special import ndtri

from analysis.sample import installed_base
from analysis.sample.company import (
    COMPLAINT,
    EXCHANGE,
    INQUIRY,
    INSTALLATION,
    MAINTENANCE,
    OTHER,
    REPAIR,
    RETURN,
)
from analysis.sample.customers import MAINTENANCE_CONTRACT, SUBSCRIPTION, Customers, hour_of_day
from analysis.sample.failures import Failures
from analysis.sample.holidays import HOLIDAYS
from analysis.sample.installed_base import Units
from analysis.sample.streams import Flags, Floats, Identities, Ints, Streams, child, mark
from analysis.sample.timeline import CLOSE_DAYS, DAYS_PER_MONTH, Timeline
from analysis.sample.truths import Planted

REWORK_SHARE = 0.075  # of repairs do not hold
COMPLAINT_AFTER_REPAIR = 0.135
COMPLAINT_AFTER_REWORK = 0.30
REPEAT_DAYS = 30
LANDMARK_DAYS = 1.0
INSTALLED_BY_US = 0.10  # of machines; dealers install the rest
MONTHLY_RATES = {COMPLAINT: 0.0006, MAINTENANCE: 0.0042, INQUIRY: 0.0024, OTHER: 0.0004}  # a unit in service
RESPONSE_MEDIAN_HOURS = (5.0, 10.0, 9.0, 7.0, 0.6, 12.0, 16.0, 6.0)  # by ticket type
WORK_MEDIAN_HOURS = (34.0, 46.0, 60.0, 52.0, 0.9, 40.0, 44.0, 10.0)
FIELD_TYPES = (REPAIR, RETURN, EXCHANGE, INSTALLATION, MAINTENANCE)


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """What every service order happens in."""

    timeline: Timeline
    planted: Planted
    customers: Customers
    units: Units


@dataclass(frozen=True, kw_only=True, eq=False)
class Orders:
    """Service orders as arrays. Times are days on the sample's axis; ``component`` is -1 where no fault was found.

    ``rework`` marks an order that repeats work which did not hold; ``parent`` is the position of that earlier order, -1
    where there is none or the data begin after it.
    """

    identity: Identities
    kind: Ints
    unit: Ints
    customer: Ints
    region: Ints
    tier: Ints
    opened: Floats
    failed: Floats
    component: Ints
    cause: Ints
    parent: Ints
    rework: Flags
    slow: Flags
    response: Floats
    resolved: Floats

    @property
    def size(self) -> int:
        return int(self.kind.size)

    def mark(self, name: str) -> Floats:
        return mark(self.identity, name)

    def replaced(self, **changes: np.ndarray) -> Orders:
        return Orders(**({field.name: getattr(self, field.name) for field in fields(self)} | changes))

    def kept(self, keep: Flags) -> Orders:
        """The orders that stay, parents renumbered; an order whose parent goes keeps its rework mark."""
        return self._at(np.flatnonzero(keep))

    def by_time(self) -> Orders:
        return self._at(np.argsort(self.opened, kind="stable"))

    def _at(self, rows: Ints) -> Orders:
        position = np.full(self.size, -1, dtype=np.int64)
        position[rows] = np.arange(rows.size)
        chosen = {field.name: getattr(self, field.name)[rows] for field in fields(self)}
        parent = chosen["parent"]
        return Orders(**(chosen | {"parent": np.where(parent >= 0, position[np.maximum(parent, 0)], -1)}))


def together(parts: Sequence[Orders]) -> Orders:
    """One after the other; parents must already count from the start of the whole."""
    return Orders(
        **{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Orders)}
    )


def repairs(setting: Setting, failed: Failures) -> Orders:
    """Repair orders from failures (reported after a delay), then the repeat repairs of those whose work did not hold."""
    identity = failed.identity
    day = _after_the_holiday(
        setting, np.floor(failed.time + _report_delay(setting.planted, identity)), identity
    )
    opened = np.maximum(day + _hour(identity), failed.time + 0.02)
    first = _orders(setting, REPAIR, identity, failed.unit, opened)
    first = first.replaced(failed=failed.time, component=failed.component, cause=failed.cause)
    undone = np.flatnonzero((first.mark("rework") < REWORK_SHARE) & (first.component >= 0))
    again = child(identity[undone], "rework")
    lag = np.minimum(1 - 9 * np.log1p(-mark(again, "lag")), REPEAT_DAYS - 1.5)
    second = _orders(
        setting, REPAIR, again, first.unit[undone], np.floor(first.resolved[undone] + lag) + _hour(again)
    )
    second = second.replaced(
        component=first.component[undone],
        cause=first.cause[undone],
        parent=undone,
        rework=np.ones(undone.size, dtype=bool),
    )
    return together([first, second])


def complaints(streams: Streams, setting: Setting, fixed: Orders) -> Orders:
    """Complaints about repairs (more often when the repair did not hold) and about everything else."""
    linked = setting.planted.on("service_shapes_satisfaction")
    share = np.where(fixed.rework & linked, COMPLAINT_AFTER_REWORK, COMPLAINT_AFTER_REPAIR)
    sour = np.flatnonzero(fixed.mark("complaint") < share)
    identity = child(fixed.identity[sour], "complaint")
    opened = np.floor(fixed.resolved[sour] + 12 * mark(identity, "lag") ** 2) + _hour(identity)
    opened = np.maximum(opened, fixed.resolved[sour] + 0.05)
    about_repairs = _orders(setting, COMPLAINT, identity, fixed.unit[sour], opened)
    return together([about_repairs, _at_random(streams, setting, COMPLAINT, "complaints")])


def other_orders(streams: Streams, setting: Setting) -> Orders:
    """Installations, returns and exchanges after delivery; maintenance under contract; inquiries and the rest.

    Maintenance is made for every contract as if it never ended; ``under_contract`` cuts it.
    """
    units = setting.units
    parts = []
    for kind, name, chosen, day in (
        (INSTALLATION, "installation", units.mark("installed by us") < INSTALLED_BY_US, None),
        (RETURN, "return", installed_base.returned(units.identity), units.given_back),
        (EXCHANGE, "exchange", installed_base.exchanged(units.identity), units.given_back),
    ):
        rows = np.flatnonzero(chosen)
        identity = child(units.identity[rows], name)
        when = units.shipped[rows] + 1 + np.floor(14 * mark(identity, "lag")) if day is None else day[rows]
        opened = _after_the_holiday(setting, when, identity) + _hour(identity)
        parts.append(_orders(setting, kind, identity, rows, opened))
    contract = setting.customers.contract_kind[units.customer]
    served = np.flatnonzero(np.isin(contract, (SUBSCRIPTION, MAINTENANCE_CONTRACT)))
    parts.append(_at_random(streams, setting, MAINTENANCE, "maintenance", served))
    parts.append(_at_random(streams, setting, INQUIRY, "inquiry"))
    parts.append(_at_random(streams, setting, OTHER, "other"))
    return together(parts)


def under_contract(orders: Orders, contract_end: Floats) -> Flags:
    """Maintenance stops when the contract is lost; everything else goes on."""
    goes_on: Flags = (orders.kind != MAINTENANCE) | (orders.opened < contract_end[orders.customer])
    return goes_on


def repeat_repairs(orders: Orders) -> Flags:
    """Repairs opened within thirty days of the resolution of the repair before it on the same serial."""
    fixed = np.flatnonzero(orders.kind == REPAIR)
    by_unit = fixed[np.lexsort((orders.opened[fixed], orders.unit[fixed]))]
    repeated = np.zeros(orders.size, dtype=bool)
    same = orders.unit[by_unit[1:]] == orders.unit[by_unit[:-1]]
    gap = orders.opened[by_unit[1:]] - orders.resolved[by_unit[:-1]]
    repeated[by_unit[1:]] = same & (gap >= 0) & (gap <= REPEAT_DAYS)
    return repeated


def first_time(size: int, customer: Ints, time: Floats) -> Floats:
    """The earliest time a customer, infinite where there is none."""
    earliest = np.full(size, np.inf)
    np.minimum.at(earliest, customer, time)
    return earliest


def seen(setting: Setting, orders: Orders) -> Flags:
    """Orders the data can hold: opened in the window while the unit was in the field, and known before the books closed."""
    in_window = (orders.opened >= setting.timeline.start) & (orders.opened < setting.timeline.end)
    in_field = (orders.opened < setting.units.retired[orders.unit]) | np.isin(orders.kind, (RETURN, EXCHANGE))
    return in_window & in_field & (recorded(orders) < setting.timeline.end + CLOSE_DAYS)


def recorded(orders: Orders) -> Floats:
    """When the source learned of the order: at once, but dealers send a few per cent days or weeks later."""
    late = orders.mark("recorded late") < 0.03
    return orders.opened + np.where(late, 2 + 30 * orders.mark("recorded after") ** 2, 0.002)


def normal(marks: Floats) -> Floats:
    return np.asarray(ndtri(np.clip(marks, 1e-12, 1 - 1e-12)))


def _orders(setting: Setting, kind: int, identity: Identities, unit: Ints, opened: Floats) -> Orders:
    """Orders of one kind with their response and repair times: log-normal, shorter for better tiers, complaints by rule."""
    customer = setting.units.customer[unit]
    tier = setting.customers.tier_at(customer, opened)
    wait = np.asarray(setting.planted.wait_by_tier)[tier]
    speed = mark(identity, "response")
    response_hours = RESPONSE_MEDIAN_HOURS[kind] * wait * np.exp(0.85 * normal(speed))
    slow = np.zeros(unit.size, dtype=bool)
    if kind == COMPLAINT:
        slow = mark(identity, "slow") < np.asarray(setting.planted.slow_share_by_tier)[tier]
        response_hours = np.where(slow, 24.3 - 30.0 * np.log1p(-speed), 0.3 + 23.4 * speed**1.6)
    work_hours = WORK_MEDIAN_HOURS[kind] * wait * np.exp(0.7 * normal(mark(identity, "work")))
    response = opened + response_hours / 24
    nowhere = np.full(unit.size, -1, dtype=np.int64)
    return Orders(
        identity=identity,
        kind=np.full(unit.size, kind, dtype=np.int64),
        unit=unit,
        customer=customer,
        region=setting.units.region[unit],
        tier=tier,
        opened=opened,
        failed=np.full(unit.size, np.nan),
        component=nowhere,
        cause=nowhere,
        parent=nowhere,
        rework=np.zeros(unit.size, dtype=bool),
        slow=slow,
        response=response,
        resolved=response + work_hours / 24,
    )


def _hour(identity: Identities) -> Floats:
    return hour_of_day(mark(identity, "hour")) / 24


def _report_delay(planted: Planted, identity: Identities) -> Floats:
    """Days from failure to report; calls without a fault wait as long, for the caller cannot tell them apart."""
    late = mark(identity, "reported late") < planted.late_share
    mean = np.where(late, planted.late_mean_days, planted.prompt_mean_days)
    return -mean * np.log1p(-mark(identity, "report delay"))


def _at_random(
    streams: Streams, setting: Setting, kind: int, name: str, members: Ints | None = None
) -> Orders:
    """Orders at a constant rate a unit and month in service, inside the window."""
    units, timeline = setting.units, setting.timeline
    members = np.arange(units.size) if members is None else members
    begin = np.maximum(units.in_service[members], timeline.start)
    span = np.maximum(np.minimum(units.retired[members], timeline.end) - begin, 0)
    number = streams.named(f"orders/{name}").poisson(span / DAYS_PER_MONTH * MONTHLY_RATES[kind])
    who = np.repeat(np.arange(members.size), number)
    identity = streams.identities(f"orders/{name}/identity", who.size)
    day = _after_the_holiday(setting, np.floor(begin[who] + mark(identity, "day") * span[who]), identity)
    return _orders(setting, kind, identity, members[who], day + _hour(identity))


def _after_the_holiday(setting: Setting, day: Floats, identity: Identities) -> Floats:
    """Most of what would be asked for in the Spring Festival or National Day week waits for the days after it."""
    reopening = np.zeros(
        setting.timeline.end + 400
    )  # first day after the holiday on its days, 0 on all others
    for first, last, name, _ in HOLIDAYS:
        if "Spring" in name or "National" in name:
            begin, after = setting.timeline.day(first), setting.timeline.day(last) + 1
            if begin >= 0 and after < reopening.size:
                reopening[begin:after] = after
    wait = reopening[np.clip(day, 0, reopening.size - 1).astype(np.int64)]
    waits = (wait > 0) & (mark(identity, "waits for the holiday") < 0.65)
    return np.where(waits, wait + np.floor(7 * mark(identity, "after the holiday")), day)
