"""Service orders: from a failure, a delivery, a contract or a worry to an order with its times, team and outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy.special import ndtri

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
from analysis.sample.failures import MARKS, Failures
from analysis.sample.holidays import HOLIDAYS
from analysis.sample.installed_base import Units
from analysis.sample.streams import Flags, Floats, Ints, Streams
from analysis.sample.timeline import CLOSE_DAYS, DAYS_PER_MONTH, Timeline
from analysis.sample.truths import Planted

# columns of the uniform marks that every service order carries
(
    M_HOUR, M_DELAY, M_DELAY_KIND, M_QUIET, M_SLOW, M_RESPONSE, M_WORK, M_OUTSOURCED, M_PARTNER, M_AGENT, M_HOURS, M_CONTACTS, M_REOPEN, M_SEVERITY,
    M_CHANNEL, M_FAILED_KNOWN, M_CONFIRMED_KNOWN, M_TEXT, M_OPENING, M_REWORK, M_REWORK_LAG, M_COMPLAINT, M_COMPLAINT_LAG, M_LATE, M_LATE_DAYS,
    M_PART_PRICE, M_PART_QTY, M_KIT, M_FREIGHT, M_CLAIM, M_CLAIM_SIZE, M_CLAIM_SHARE, M_CLAIM_DAYS, M_RECOVER, M_LEAK, M_SURVEY_KIND, M_SENT, M_SCORE,
    M_ANSWER, M_ANSWER_LAG, M_POST_LAG, M_BOT, M_PROACTIVE, M_USAGE,
) = range(MARKS)  # fmt: skip

REWORK_SHARE = 0.075
COMPLAINT_AFTER_REPAIR = 0.135
COMPLAINT_AFTER_REWORK = 0.30
SLOW_SHARE_BY_TIER = (
    0.08,
    0.24,
    0.44,
)  # complaints first handled after more than 24 hours: the better the tier the rarer
REPEAT_DAYS = 30
LANDMARK_DAYS = 1.0
RESPONSE_MEDIAN_HOURS = (5.0, 10.0, 9.0, 7.0, 0.6, 12.0, 16.0, 6.0)
WORK_MEDIAN_HOURS = (34.0, 46.0, 60.0, 52.0, 0.9, 40.0, 44.0, 10.0)
RESPONSE_BY_TIER = (0.5, 0.8, 1.25)
FIELD_TYPES = (REPAIR, RETURN, EXCHANGE, INSTALLATION, MAINTENANCE)


@dataclass(frozen=True, kw_only=True, eq=False)
class Orders:
    """Service orders as arrays. Times are days on the sample's axis; ``unit`` and ``component`` are -1 where there is none.

    ``parent`` is the position of the order whose work did not hold, -1 for none.
    """

    kind: Ints
    unit: Ints
    customer: Ints
    region: Ints
    opened: Floats
    failed: Floats
    component: Ints
    cause: Ints
    parent: Ints
    response: Floats
    resolved: Floats
    slow: Flags
    tier: Ints
    marks: Floats

    @property
    def size(self) -> int:
        return int(self.kind.size)

    def kept(self, keep: Flags) -> Orders:
        """The orders that stay, in order, parents renumbered; an order whose parent goes becomes an orphan without one."""
        position = np.where(keep, np.cumsum(keep) - 1, -1)
        chosen = {field.name: getattr(self, field.name)[keep] for field in fields(self)}
        parent = chosen["parent"]
        return Orders(**(chosen | {"parent": np.where(parent >= 0, position[parent], -1)}))

    def sorted(self) -> Orders:
        order = np.lexsort((np.arange(self.size), self.opened))
        position = np.empty(self.size, dtype=np.int64)
        position[order] = np.arange(self.size)
        chosen = {field.name: getattr(self, field.name)[order] for field in fields(self)}
        parent = chosen["parent"]
        return Orders(**(chosen | {"parent": np.where(parent >= 0, position[parent], -1)}))


def together(parts: Sequence[Orders]) -> Orders:
    """One after the other; parents must already count from the start of the whole."""
    return Orders(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Orders)
        }
    )


def repairs(
    timeline: Timeline, planted: Planted, customers: Customers, units: Units, failed: Failures
) -> Orders:
    """Repair orders from failures (reported after a delay), then the repeat repairs of those whose work did not hold."""
    delay = _report_delay(planted, failed.marks)
    day = np.floor(failed.time + delay)
    day = _after_the_holiday(timeline, day, failed.marks[:, M_QUIET])
    opened = np.maximum(day + hour_of_day(failed.marks[:, M_HOUR]) / 24, failed.time + 0.02)
    first = _order(
        timeline,
        customers,
        units,
        REPAIR,
        failed.unit,
        opened,
        failed.marks,
        failed=failed.time,
        component=failed.component,
        cause=failed.cause,
    )
    again = np.flatnonzero((first.marks[:, M_REWORK] < REWORK_SHARE) & (first.component >= 0))
    marks = _stirred(first.marks[again], 0.371)
    lag = np.minimum(1.0 + -9.0 * np.log1p(-first.marks[again, M_REWORK_LAG]), REPEAT_DAYS - 1.5)
    opened = np.floor(first.resolved[again] + lag) + hour_of_day(marks[:, M_HOUR]) / 24
    second = _order(
        timeline,
        customers,
        units,
        REPAIR,
        first.unit[again],
        opened,
        marks,
        component=first.component[again],
        cause=first.cause[again],
        parent=again,
    )
    return together([first, second])


def complaints(
    streams: Streams, timeline: Timeline, customers: Customers, units: Units, fixed: Orders
) -> Orders:
    """Complaints about repairs (more often when the repair did not hold) and about everything else."""
    share = np.where(fixed.parent >= 0, COMPLAINT_AFTER_REWORK, COMPLAINT_AFTER_REPAIR)
    sour = np.flatnonzero(fixed.marks[:, M_COMPLAINT] < share)
    marks = _stirred(fixed.marks[sour], 0.619)
    opened = (
        np.floor(fixed.resolved[sour] + 12 * fixed.marks[sour, M_COMPLAINT_LAG] ** 2)
        + hour_of_day(marks[:, M_HOUR]) / 24
    )
    opened = np.maximum(opened, fixed.resolved[sour] + 0.05)
    about_repairs = _order(timeline, customers, units, COMPLAINT, fixed.unit[sour], opened, marks)
    rest = _at_random(streams, timeline, units, "complaints", 0.0006)
    return together([about_repairs, _order(timeline, customers, units, COMPLAINT, *rest)])


def other_orders(
    streams: Streams, timeline: Timeline, customers: Customers, units: Units, contract_end: Floats
) -> Orders:
    """Installations, returns and exchanges after delivery; maintenance under contract; inquiries and the rest."""
    everyone = np.arange(units.size)
    parts = []
    for kind, name, share, longest in (
        (INSTALLATION, "installation", 0.10, 14.0),
        (RETURN, "return", 0.014, 28.0),
        (EXCHANGE, "exchange", 0.011, 40.0),
    ):
        marks = streams.uniform(f"orders/{name}/marks", (units.size, MARKS))
        chosen = np.flatnonzero(streams.uniform(f"orders/{name}", units.size) < share)
        day = _after_the_holiday(
            timeline,
            np.floor(units.shipped[chosen] + 1 + longest * marks[chosen, M_DELAY]),
            marks[chosen, M_QUIET],
        )
        opened = day + hour_of_day(marks[chosen, M_HOUR]) / 24
        parts.append(_order(timeline, customers, units, kind, chosen, opened, marks[chosen]))
    served = np.isin(customers.contract_kind[units.customer], (SUBSCRIPTION, MAINTENANCE_CONTRACT))
    unit, opened, marks = _at_random(
        streams, timeline, units, "maintenance", 0.0042, members=everyone[served]
    )
    under_contract = opened < contract_end[units.customer[unit]]
    parts.append(
        _order(
            timeline,
            customers,
            units,
            MAINTENANCE,
            unit[under_contract],
            opened[under_contract],
            marks[under_contract],
        )
    )
    for kind, name, rate in ((INQUIRY, "inquiry", 0.0024), (OTHER, "other", 0.0004)):
        parts.append(
            _order(timeline, customers, units, kind, *_at_random(streams, timeline, units, name, rate))
        )
    return together(parts)


def repeat_repairs(orders: Orders) -> Flags:
    """Repairs opened within thirty days of the resolution of the repair before it on the same serial."""
    fixed = np.flatnonzero((orders.kind == REPAIR) & (orders.unit >= 0))
    by_unit = fixed[np.lexsort((orders.opened[fixed], orders.unit[fixed]))]
    repeated = np.zeros(orders.size, dtype=bool)
    if by_unit.size > 1:
        same = orders.unit[by_unit[1:]] == orders.unit[by_unit[:-1]]
        gap = orders.opened[by_unit[1:]] - orders.resolved[by_unit[:-1]]
        repeated[by_unit[1:]] = same & (gap >= 0) & (gap <= REPEAT_DAYS)
    return repeated


def first_time(size: int, customer: Ints, time: Floats) -> Floats:
    """The earliest time a customer, infinite where there is none."""
    earliest = np.full(size, np.inf)
    np.minimum.at(earliest, customer, time)
    return earliest


def seen(timeline: Timeline, units: Units, orders: Orders) -> Flags:
    """Orders that the data can hold: opened in the window, while the unit was in the field, and recorded before the books closed."""
    in_window = (orders.opened >= timeline.start) & (orders.opened < timeline.end)
    alive = (orders.unit < 0) | (orders.opened < units.retired[np.maximum(orders.unit, 0)])
    return in_window & alive & (recorded(orders) < timeline.end + CLOSE_DAYS)


def recorded(orders: Orders) -> Floats:
    """When the source learned of the order: at once, but dealers send a few per cent days or weeks later."""
    late = orders.marks[:, M_LATE] < 0.03
    return orders.opened + np.where(late, 2 + 30 * orders.marks[:, M_LATE_DAYS] ** 2, 0.002)


def normal(marks: Floats) -> Floats:
    return np.asarray(ndtri(np.clip(marks, 1e-9, 1 - 1e-9)))


def _order(
    timeline: Timeline, customers: Customers, units: Units, kind: int, unit: Ints, opened: Floats, marks: Floats, *,
    failed: Floats | None = None, component: Ints | None = None, cause: Ints | None = None, parent: Ints | None = None,
) -> Orders:  # fmt: skip
    size = unit.size
    customer = units.customer[unit]
    tier = customers.tier_at(customer, opened)
    response_hours = (
        RESPONSE_MEDIAN_HOURS[kind]
        * np.asarray(RESPONSE_BY_TIER)[tier]
        * np.exp(0.85 * normal(marks[:, M_RESPONSE]))
    )
    slow = np.zeros(size, dtype=bool)
    if kind == COMPLAINT:
        slow = marks[:, M_SLOW] < np.asarray(SLOW_SHARE_BY_TIER)[tier]
        quick = 0.3 + 23.4 * marks[:, M_RESPONSE] ** 1.6
        response_hours = np.where(slow, 24.3 - 30.0 * np.log1p(-marks[:, M_RESPONSE]), quick)
    work_hours = (
        WORK_MEDIAN_HOURS[kind] * np.asarray((0.7, 0.9, 1.1))[tier] * np.exp(0.7 * normal(marks[:, M_WORK]))
    )
    response = opened + response_hours / 24
    missing = np.full(size, -1, dtype=np.int64)
    return Orders(
        kind=np.full(size, kind, dtype=np.int64),
        unit=unit,
        customer=customer,
        region=units.region[unit],
        opened=opened,
        failed=np.full(size, np.nan) if failed is None else failed,
        component=missing if component is None else component,
        cause=missing if cause is None else cause,
        parent=missing if parent is None else parent,
        response=response,
        resolved=response + work_hours / 24,
        slow=slow,
        tier=tier,
        marks=marks,
    )


def _report_delay(planted: Planted, marks: Floats) -> Floats:
    """Days from failure to report. Calls without a fault carry the same delay: there is nothing to tell them apart yet."""
    late = marks[:, M_DELAY_KIND] < planted.late_share
    return -np.where(late, planted.late_mean_days, planted.prompt_mean_days) * np.log1p(-marks[:, M_DELAY])


def _at_random(
    streams: Streams,
    timeline: Timeline,
    units: Units,
    name: str,
    monthly_rate: float,
    members: Ints | None = None,
) -> tuple[Ints, Floats, Floats]:
    """Orders at a constant rate a unit and month in service, inside the window."""
    members = np.arange(units.size) if members is None else members
    begin = np.maximum(units.in_service[members], timeline.start)
    finish = np.minimum(units.retired[members], timeline.end)
    generator = streams.named(f"orders/{name}")
    number = generator.poisson(np.maximum(finish - begin, 0) / DAYS_PER_MONTH * monthly_rate)
    who = np.repeat(np.arange(members.size), number)
    marks = streams.uniform(f"orders/{name}/marks", (who.size, MARKS))
    day = np.floor(begin[who] + marks[:, M_DELAY] * (finish - begin)[who])
    day = _after_the_holiday(timeline, day, marks[:, M_QUIET])
    return members[who], day + hour_of_day(marks[:, M_HOUR]) / 24, marks


def _after_the_holiday(timeline: Timeline, day: Floats, marks: Floats) -> Floats:
    """Most of what would be asked for in the Spring Festival or National Day week waits for the days after it."""
    quiet = np.zeros(timeline.end + 400, dtype=np.int64)  # first day after the holiday, 0 elsewhere
    for first, last, name, _ in HOLIDAYS:
        if "Spring" in name or "National" in name:
            begin, after = timeline.day(first), timeline.day(last) + 1
            if begin >= 0 and after < quiet.size:
                quiet[begin:after] = after
    wait = quiet[np.clip(day, 0, quiet.size - 1).astype(np.int64)]
    return np.where((wait > 0) & (marks < 0.65), wait + np.floor(marks / 0.65 * 7), day)


def _stirred(marks: Floats, shift: float) -> Floats:
    """New uniform marks for an order that follows another: the far digits of the first one's own marks.

    The first one's marks are conditioned (it was chosen because one of them is small); their far digits are not.
    """
    return (marks * 1_009.0 + shift) % 1.0


def replaced(orders: Orders, **changes: np.ndarray) -> Orders:
    return Orders(**({field.name: getattr(orders, field.name) for field in fields(Orders)} | changes))
