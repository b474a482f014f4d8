"""The service desk: chats, returns, exchanges and complaints; who or what answered, what it took, what was granted."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from scipy.special import ndtri

from analysis.sample.ecommerce import shops
from analysis.sample.ecommerce.buyers import Orders
from analysis.sample.ecommerce.shops import COMPLAINT, EXCHANGE, INQUIRY, RETURN
from analysis.sample.ecommerce.truths import Planted
from analysis.sample.streams import Flags, Floats, Identities, Ints, Streams, child, mark
from analysis.sample.timeline import Timeline

INQUIRED, COMPLAINED, COMPLAINED_AFTER_RETURN = 0.42, 0.006, 0.05
NIGHT_SHARE = 0.26
NIGHT_BEGINS, NIGHT_ENDS = 22, 8  # o'clock
CREW_SHARE = 0.80  # of the flagship's inquiries by day, in the months of a peak
HOURS_SPREAD, FREIGHT_SPREAD, GRANT_SPREAD = 0.38, 0.25, 0.7
BOT = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Tickets:
    """One entry a ticket, by time of opening; days, hours and cents. ``team`` is -1 for the bot; ``resolved`` may lie after the window."""

    identity: Identities
    order: Ints
    kind: Ints
    opened: Floats
    responded: Floats
    resolved: Floats
    automated: Flags
    night: Flags
    team: Ints
    hours: Floats
    freight: Ints
    granted: Ints
    fee: Ints

    @property
    def size(self) -> int:
        return int(self.kind.size)

    def at(self, rows: np.ndarray) -> Tickets:
        return Tickets(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def normal(marks: Floats) -> Floats:
    drawn: Floats = ndtri(np.clip(marks, 1e-12, 1 - 1e-12))
    return drawn


def spread(marks: Floats, sigma: float) -> Floats:
    """Log-normal factors with mean one."""
    return np.exp(sigma * normal(marks) - sigma**2 / 2)


def tickets(timeline: Timeline, planted: Planted, orders: Orders) -> Tickets:
    """Everything that was asked within the window, and what became of it."""
    asked = [
        (INQUIRY, mark(orders.identity, "inquires") < INQUIRED, _around(orders)),
        (RETURN, orders.returned, orders.sent_back),
        (EXCHANGE, orders.exchanged, orders.sent_back),
        (COMPLAINT, mark(orders.identity, "complains") < COMPLAINED, orders.time + 3.0),
    ]
    first = [_opened(planted, timeline, orders, kind, np.flatnonzero(of), at[of]) for kind, of, at in asked]
    angry = _complaints_after_returns(planted, timeline, orders, first[RETURN])
    joined = Tickets(
        **{
            f.name: np.concatenate([getattr(part, f.name) for part in (*first, angry)])
            for f in fields(Tickets)
        }
    )
    seen = np.flatnonzero((joined.opened >= timeline.start) & (joined.opened < timeline.end))
    return joined.at(seen[np.argsort(joined.opened[seen], kind="stable")])


def _around(orders: Orders) -> Floats:
    """An inquiry comes from a day before the purchase to a week after it."""
    return orders.time - 1.0 + 8.0 * mark(orders.identity, "inquiry day") ** 1.5


def _opened(
    planted: Planted, timeline: Timeline, orders: Orders, kind: int, order: Ints, day: Floats
) -> Tickets:
    identity = child(orders.identity[order], shops.KINDS[kind])
    night = mark(identity, "night") < NIGHT_SHARE
    dark = 24.0 - NIGHT_BEGINS + NIGHT_ENDS
    hour = np.where(
        night,
        (NIGHT_BEGINS + dark * mark(identity, "hour")) % 24.0,
        NIGHT_ENDS + (24.0 - dark) * mark(identity, "hour"),
    )
    opened = np.floor(day) + hour / 24.0
    shop = orders.shop[order]
    automated = _automated(planted, timeline, identity, kind, opened, shop)
    team = _team(planted, timeline, identity, kind, opened, shop, night, automated)
    partner = team == shops.NIGHT_PARTNER
    wait = shops.RESPONSE_HOURS[kind] * (
        -np.log1p(-mark(identity, "wait")) if kind == INQUIRY else spread(mark(identity, "wait"), 0.8)
    )
    wait = np.where(partner, wait * planted.strength("night_slow", 3.0), wait)
    responded = opened + np.where(automated, 15.0 / 3600.0, wait) / 24.0
    work = shops.STANDARD_HOURS[kind] * spread(mark(identity, "hours"), HOURS_SPREAD)
    labelled = (
        (kind == RETURN) & (shop == shops.FLAGSHIP) & (opened >= timeline.month_start(planted.label_from))
    )
    ease = np.where(labelled, planted.strength("return_label", 0.75), 1.0)
    resolved = _resolved(orders, kind, order, identity, responded, work)
    resolved = np.maximum(resolved, responded)
    freight = shops.FREIGHT[kind] * ease * spread(mark(identity, "freight"), FREIGHT_SPREAD)
    dear = (kind == RETURN) & (shop == shops.HARBOUR)
    freight = np.where(dear, freight * planted.strength("unit_cost", 1.4), freight)
    fee = shops.FEE[kind] * spread(mark(identity, "fee"), 0.1)
    return Tickets(
        identity=identity,
        order=order,
        kind=np.full(order.size, kind),
        opened=opened,
        responded=responded,
        resolved=resolved,
        automated=automated,
        night=night,
        team=team,
        hours=np.where(automated, 0.0, np.maximum(np.round(work * ease, 2), 0.02)),
        freight=np.round(freight * 100).astype(np.int64),
        granted=_granted(planted, timeline, identity, kind, opened, shop, partner),
        fee=np.where(partner, np.round(fee * 100), 0.0).astype(np.int64),
    )


def _resolved(
    orders: Orders, kind: int, order: Ints, identity: Identities, responded: Floats, work: Floats
) -> Floats:
    """A return is resolved when the money is back, an exchange when the other size has arrived."""
    if kind == RETURN:
        return orders.refunded[order]
    days = {
        INQUIRY: work / 24.0,
        EXCHANGE: 3.0 + 6.0 * mark(identity, "swap"),
        COMPLAINT: 0.5 + 3.5 * mark(identity, "settle"),
    }
    return responded + days[kind]


def _automated(
    planted: Planted, timeline: Timeline, identity: Identities, kind: int, opened: Floats, shop: Ints
) -> Flags:
    if kind not in (INQUIRY, RETURN):
        return np.zeros(opened.size, dtype=bool)
    before, after = planted.bot_share if kind == INQUIRY else planted.bot_returns
    share = np.where(opened >= timeline.month_start(planted.bot_from), after, before)
    if planted.on("labour_share"):
        share = np.where(shop == shops.OUTLET, 0.0, share)
    closed: Flags = mark(identity, "automated") < share
    return closed


def _team(
    planted: Planted,
    timeline: Timeline,
    identity: Identities,
    kind: int,
    opened: Floats,
    shop: Ints,
    night: Flags,
    automated: Flags,
) -> Ints:
    own_night = (shop == shops.OUTLET) & planted.on("labour_share")
    month = np.array([entry.number for entry in timeline.months])[
        timeline.month_of(np.clip(opened, 0, timeline.end - 1))
    ]
    crew = np.isin(month, shops.PEAK_MONTHS) & (kind == INQUIRY) & (shop == shops.FLAGSHIP)
    crew &= ~night & (mark(identity, "crew") < CREW_SHARE)
    chosen: Ints = np.select(
        [automated, night & ~own_night, crew], [BOT, shops.NIGHT_PARTNER, shops.PEAK_CREW], shop
    ).astype(np.int64)
    return chosen


def _granted(
    planted: Planted,
    timeline: Timeline,
    identity: Identities,
    kind: int,
    opened: Floats,
    shop: Ints,
    partner: Flags,
) -> Ints:
    """Compensation in cents; nothing for most."""
    given = mark(identity, "compensated") < shops.COMPENSATED[kind]
    yuan = shops.COMPENSATION[kind] * spread(mark(identity, "grant"), GRANT_SPREAD)
    yuan = np.where(partner, yuan * planted.strength("night_compensation", 1.5), yuan)
    ruled = (kind == RETURN) & (shop == shops.HARBOUR) & (opened >= timeline.month_start(planted.rule_from))
    yuan = np.where(ruled, yuan * planted.strength("platform_rule", 1.6), yuan)
    return np.where(given, np.round(np.maximum(yuan, 0.01) * 100), 0.0).astype(np.int64)


def _complaints_after_returns(
    planted: Planted, timeline: Timeline, orders: Orders, returns: Tickets
) -> Tickets:
    """Some complain within ten days of the refund; of the returns that a bot closed since the roll-out, more."""
    bot = returns.automated & (returns.opened >= timeline.month_start(planted.bot_from))
    chance = COMPLAINED_AFTER_RETURN * np.where(bot, planted.strength("bot_complaints", 2.4), 1.0)
    angry = np.flatnonzero(mark(returns.identity, "complains after") < chance)
    day = returns.resolved[angry] + 1.0 + 9.0 * mark(returns.identity[angry], "complains on")
    found = _opened(planted, timeline, orders, COMPLAINT, returns.order[angry], day)
    return replace(found, identity=child(found.identity, "after a return"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Staff:
    """One entry an agent and window month; hours and cents."""

    team: Ints
    month: Ints
    place: Ints
    paid: Floats
    worked: Floats
    cents: Ints


def grid(row: Ints, month: Ints, rows: int, months: int, weights: np.ndarray | None = None) -> Floats:
    """Counts, or sums of ``weights``, by row and window month; a negative row is left out."""
    known = row >= 0
    cell = row[known] * months + month[known]
    total = np.bincount(cell, None if weights is None else weights[known], minlength=rows * months)
    return total.astype(float).reshape(rows, months)


def worked_hours(timeline: Timeline, desk: Tickets) -> Floats:
    """Hours at work by team and window month."""
    months, month = len(timeline.window_months), timeline.window_month_of(desk.opened)
    return grid(desk.team, month, len(shops.TEAMS), months, desk.hours) * shops.WORKED_TO_HANDLED


def heads(worked: Floats) -> Ints:
    """Agents of each team and month; none where there was no work."""
    paid = worked / (1 - shops.UNUSED_SHARE)
    return np.where(worked > 0, np.maximum(np.round(paid / shops.HOURS_A_MONTH), 1), 0).astype(np.int64)


def staff(streams: Streams, timeline: Timeline, planted: Planted, desk: Tickets) -> Staff:
    """Paid and worked hours. The seasonal crew stays a month after its peak, when that is planted, with next to nothing to do."""
    worked = worked_hours(timeline, desk)
    number = np.array([month.number for month in timeline.window_months])
    noise = streams.named("ecommerce/unused").standard_normal(worked.shape)
    unused = np.clip(shops.UNUSED_SHARE + 0.012 * noise, 0.02, 0.9)
    paid = worked / (1 - unused)
    present = heads(worked)
    paid[shops.NIGHT_PARTNER] = worked[shops.NIGHT_PARTNER]
    if planted.on("idle_season"):
        after = np.flatnonzero(np.isin(number, shops.AFTER_PEAK))
        after = after[after > 0]
        present[shops.PEAK_CREW, after] = present[shops.PEAK_CREW, after - 1]
        paid[shops.PEAK_CREW, after] = paid[shops.PEAK_CREW, after - 1]
        worked[shops.PEAK_CREW, after] = 0.10 * paid[shops.PEAK_CREW, after]
    team, month = np.divmod(np.repeat(np.arange(present.size), present.ravel()), present.shape[1])
    place = np.arange(team.size) - np.repeat(np.cumsum(present.ravel()) - present.ravel(), present.ravel())
    each_paid = (paid[team, month] / present[team, month]).round(2)
    each_worked = np.minimum((worked[team, month] / present[team, month]).round(2), each_paid)
    wage = np.array([*shops.WAGE, 0.0])
    wage[shops.OUTLET] *= planted.strength("labour_share", 1.3)
    cents = np.round(each_paid * wage[team] * 100).astype(np.int64)
    opened_in = timeline.window_month_of(desk.opened)
    fees = grid(desk.team, opened_in, len(shops.TEAMS), present.shape[1], desk.fee)
    partner = team == shops.NIGHT_PARTNER
    share = np.floor(fees[team, month] / np.maximum(present[team, month], 1)).astype(np.int64)
    return Staff(
        team=team,
        month=month,
        place=place,
        paid=each_paid,
        worked=each_worked,
        cents=np.where(partner, share, cents),
    )
