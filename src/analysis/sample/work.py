"""Who did the work and what it took: teams, agents, hours, partner fees, and the paid hours of the staff."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.sample import company
from analysis.sample.company import CONTACT_CENTRE, INQUIRY, PARTNER_RUIAN, PARTNER_VECTOR, REPAIR, TEAMS
from analysis.sample.installed_base import Units
from analysis.sample.service import FIELD_TYPES, Orders, normal
from analysis.sample.streams import Flags, Floats, Ints, Streams
from analysis.sample.timeline import Timeline
from analysis.sample.truths import Planted

BOT = -1
BOT_SHARE = 0.35  # of inquiries
WORKED_TO_HANDLED = 1.06  # hours at work for each hour on a service order: travel between jobs, handover
HOURS_A_MONTH = 160.0
HOURS_SPREAD = 0.38  # log-normal, around the standard time of the ticket type
FEE_SPREAD = 0.12
UNUSED_NOISE = 0.012
COST_NOISE = 0.008
MAX_HEADS = 2_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """One entry a service order. ``team`` is -1 for the bot; ``fee`` (cents) is what a partner charges, zero in house."""

    team: Ints
    agent: Ints
    hours: Floats
    fee: Ints


@dataclass(frozen=True, kw_only=True, eq=False)
class Desk:
    """The service desk: its orders, whether the machine was under warranty, and who did the work."""

    timeline: Timeline
    planted: Planted
    units: Units
    orders: Orders
    covered: Flags
    work: Work

    @property
    def done(self) -> Flags:
        """Orders resolved inside the window: only these cost anything yet."""
        return self.orders.resolved < self.timeline.end


@dataclass(frozen=True, kw_only=True, eq=False)
class Staff:
    """One entry an agent and window month; money in cents."""

    agent: Ints
    month: Ints
    team: Ints
    paid: Floats
    worked: Floats
    cents: Ints


def agent_number(team: Ints, place: Ints) -> Ints:
    return (team + 1) * MAX_HEADS + place + 1


def in_peak(timeline: Timeline, planted: Planted, month: Ints) -> Flags:
    """Window months in which partners are short: the peak months since the surge began."""
    calendar = np.array([m.number for m in timeline.window_months])
    since = planted.surge_month.months_since(timeline.first)
    return np.isin(calendar[np.clip(month, 0, calendar.size - 1)], planted.peak_months) & (month >= since)


def assign(timeline: Timeline, planted: Planted, orders: Orders) -> Work:
    """Field work to the region's team or a partner, the rest to the contact centre, part of the inquiries to the bot."""
    month = timeline.window_month_of(orders.opened)
    peak = in_peak(timeline, planted, month)
    field = np.isin(orders.kind, FIELD_TYPES)
    share = np.where(peak, planted.surge_share, planted.usual_outsourced_share)
    out = field & (orders.mark("outsourced") < share)
    partner = np.where(orders.mark("partner") < 0.55, PARTNER_RUIAN, PARTNER_VECTOR)
    bot = (orders.kind == INQUIRY) & (orders.mark("bot") < BOT_SHARE)
    team = np.select([bot, out, field], [np.full(orders.size, BOT), partner, orders.region], CONTACT_CENTRE)
    hours = _hours(timeline, planted, orders, team, month)
    fee = np.asarray(company.PARTNER_FEE)[orders.kind] * np.exp(FEE_SPREAD * normal(orders.mark("fee")))
    fee = np.where(peak, fee * planted.surge_fee_ratio, fee)
    heads = _heads(_handled(timeline, team, month, hours))
    places = heads[np.maximum(team, 0), month]
    agent = agent_number(team, np.floor(orders.mark("agent") * places).astype(np.int64))
    return Work(
        team=team,
        agent=np.where(bot, -1, agent),
        hours=hours,
        fee=np.where(out, np.round(fee * 100), 0).astype(np.int64),
    )


def _hours(timeline: Timeline, planted: Planted, orders: Orders, team: Ints, month: Ints) -> Floats:
    """Agent hours to two digits; mean one standard time, less where the working measure holds."""
    spread = np.exp(HOURS_SPREAD * normal(orders.mark("hours")) - HOURS_SPREAD**2 / 2)
    hours = np.asarray(company.STANDARD_HOURS)[orders.kind] * spread
    since = month >= planted.working_month.months_since(timeline.first)
    eased = (team == planted.working_region) & (orders.kind == REPAIR) & since
    hours = np.where(eased, hours * planted.working_ratio, hours)
    return np.where(team == BOT, 0.0, np.maximum(np.round(hours, 2), 0.05))


def grid(row: Ints, month: Ints, rows: int, months: int, weights: Floats | None = None) -> Floats:
    """Counts, or sums of ``weights``, by row and window month; a negative row is left out."""
    known = row >= 0
    cell = row[known] * months + month[known]
    total = np.bincount(cell, None if weights is None else weights[known], minlength=rows * months)
    return total.astype(float).reshape(rows, months)


def _handled(timeline: Timeline, team: Ints, month: Ints, hours: Floats) -> Floats:
    """Handled hours by team and window month."""
    return grid(team, month, len(TEAMS), len(timeline.window_months), hours)


def _heads(handled: Floats) -> Ints:
    """Agents on the roster of each team and month, at the usual unused share."""
    usual = handled * WORKED_TO_HANDLED / (1 - Planted.usual_unused_share)
    return np.clip(np.round(usual / HOURS_A_MONTH), 1, MAX_HEADS // 2).astype(np.int64)


def staff(streams: Streams, desk: Desk) -> Staff:
    """Paid and worked hours. In house the unused share of a team and month is the usual one with a little noise, or the idle team's.

    The idle team hires: the same work is spread over more paid hours. Partners are paid by the order: their staff rows carry the
    fees of the orders they took on in the month and no unused hours.
    """
    timeline, planted, orders, work = desk.timeline, desk.planted, desk.orders, desk.work
    size = len(timeline.window_months)
    month = timeline.window_month_of(orders.opened)
    handled = _handled(timeline, work.team, month, work.hours)
    unused = _unused_shares(streams, timeline, planted)
    heads = _heads(handled)
    crowded = (1 - planted.usual_unused_share) / (1 - unused)  # paid hours against what the work would need
    present = np.where(crowded > 1.15, np.round(heads * crowded), heads).astype(np.int64).ravel()
    cell = np.repeat(np.arange(present.size), present)
    place = np.arange(cell.size) - np.repeat(np.cumsum(present) - present, present)
    team, at = np.divmod(cell, size)
    agent = agent_number(team, place)
    own, fees = _by_agent(agent * size + at, work, work.agent * size + month)
    in_house = team < PARTNER_RUIAN
    worked = own * WORKED_TO_HANDLED
    spare = handled * WORKED_TO_HANDLED * unused / (1 - unused) / present.reshape(unused.shape)
    paid = worked + np.where(in_house, spare.ravel()[cell], 0.0)
    rate = np.array([entry.hourly_cost for entry in TEAMS])[team]
    noise = streams.named("staff/cost").standard_normal((len(TEAMS), size, 64))[team, at, place % 64]
    cents = np.where(in_house, np.round(paid * rate * (1 + COST_NOISE * noise) * 100), fees)
    return Staff(
        agent=agent,
        month=at,
        team=team,
        paid=np.round(paid, 2),
        worked=np.round(worked, 2),
        cents=cents.astype(np.int64),
    )


def _unused_shares(streams: Streams, timeline: Timeline, planted: Planted) -> Floats:
    """Team x window month: the share of paid hours not worked."""
    size = len(timeline.window_months)
    noise = UNUSED_NOISE * streams.named("staff/unused").standard_normal((len(TEAMS), size))
    unused = planted.usual_unused_share + noise
    idle = np.arange(size) >= planted.idle_month.months_since(timeline.first)
    unused[planted.idle_team_index, idle] += planted.idle_unused_share - planted.usual_unused_share
    return unused


def _by_agent(rows: Ints, work: Work, key: Ints) -> tuple[Floats, Floats]:
    """Hours and fees of each staff row; every agent with an order has a row."""
    human = work.agent >= 0
    order = np.argsort(rows, kind="stable")
    at = order[np.searchsorted(rows[order], key[human])]
    hours = np.bincount(at, weights=work.hours[human], minlength=rows.size)
    fees = np.bincount(at, weights=work.fee[human], minlength=rows.size)
    return hours.astype(float), fees.astype(float)
