"""Who did the work and what it took: teams, agents, hours, partner fees, and the paid hours of the staff."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.sample import company
from analysis.sample.company import CONTACT_CENTRE, INQUIRY, PARTNER_RUIAN, PARTNER_VECTOR, REPAIR, TEAMS
from analysis.sample.service import (
    FIELD_TYPES,
    M_AGENT,
    M_BOT,
    M_FREIGHT,
    M_HOURS,
    M_OUTSOURCED,
    M_PARTNER,
    Orders,
    normal,
)
from analysis.sample.streams import Flags, Floats, Ints, Streams
from analysis.sample.timeline import Timeline
from analysis.sample.truths import Planted

BOT_SHARE = 0.35  # of inquiries
WORKED_TO_HANDLED = 1.06  # hours at work for each hour on a service order: travel between jobs, handover
HOURS_A_MONTH = 160.0
BOT = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """One entry a service order. ``team`` is -1 for the bot; ``fee`` (cents) is what a partner charges, zero in house."""

    team: Ints
    agent: Ints
    hours: Floats
    fee: Ints

    @property
    def outsourced(self) -> Flags:
        return self.team >= PARTNER_RUIAN


@dataclass(frozen=True, kw_only=True, eq=False)
class Staff:
    """One entry an agent and window month."""

    agent: Ints
    month: Ints
    team: Ints
    paid: Floats
    worked: Floats
    cents: Ints


def agent_number(team: Ints, place: Ints) -> Ints:
    return (team + 1) * 1_000 + place + 1


def in_peak(timeline: Timeline, planted: Planted, month: Ints) -> Flags:
    """Window months in which partners are short: the peak months since the surge began."""
    calendar = np.array([m.number for m in timeline.window_months])
    since = planted.surge_month.months_since(timeline.first)
    bounded = np.clip(month, 0, calendar.size - 1)
    return np.isin(calendar[bounded], planted.peak_months) & (month >= since)


def assign(timeline: Timeline, planted: Planted, orders: Orders, *, scale: float) -> Work:
    """Field work to the region's team or a partner, the rest to the contact centre, part of the inquiries to the bot."""
    month = timeline.window_month_of(orders.opened)
    peak = in_peak(timeline, planted, month)
    share = np.where(peak, planted.surge_share, planted.usual_outsourced_share)
    field = np.isin(orders.kind, FIELD_TYPES)
    out = field & (orders.marks[:, M_OUTSOURCED] < share)
    partner = np.where(orders.marks[:, M_PARTNER] < 0.55, PARTNER_RUIAN, PARTNER_VECTOR)
    team = np.where(out, partner, np.where(field, orders.region, CONTACT_CENTRE))
    bot = (orders.kind == INQUIRY) & (orders.marks[:, M_BOT] < BOT_SHARE)
    team = np.where(bot, BOT, team)
    spread = 0.38
    hours = np.asarray(company.STANDARD_HOURS)[orders.kind] * np.exp(
        spread * normal(orders.marks[:, M_HOURS]) - spread**2 / 2
    )
    working = month >= planted.working_month.months_since(timeline.first)
    eased = (team == planted.working_region) & (orders.kind == REPAIR) & working
    hours = np.where(eased, hours * planted.working_ratio, hours)
    fee = np.asarray(company.PARTNER_FEE)[orders.kind] * np.exp(0.12 * normal(orders.marks[:, M_FREIGHT]))
    fee = np.where(peak, fee * planted.surge_fee_ratio, fee)
    places = _places(timeline, team, month, hours)
    agent = agent_number(team, np.floor(orders.marks[:, M_AGENT] * places).astype(np.int64))
    return Work(
        team=team,
        agent=np.where(bot, -1, agent),
        hours=np.where(bot, 0.0, np.maximum(np.round(hours, 2), 0.05)),
        fee=np.where(out, np.round(fee * 100), 0).astype(np.int64),
    )


def _team_hours(timeline: Timeline, team: Ints, month: Ints, hours: Floats) -> Floats:
    """Handled hours by team and window month."""
    size = len(timeline.window_months)
    human = team >= 0
    cell = team[human] * size + month[human]
    return np.bincount(cell, weights=hours[human], minlength=len(TEAMS) * size).reshape(len(TEAMS), size)


def _heads(handled: Floats) -> Ints:
    """Agents on the roster of each team and month, at the usual unused share."""
    usual = handled * WORKED_TO_HANDLED / (1 - Planted.usual_unused_share)
    return np.maximum(1, np.round(usual / HOURS_A_MONTH)).astype(np.int64)


def _places(timeline: Timeline, team: Ints, month: Ints, hours: Floats) -> Ints:
    heads = _heads(_team_hours(timeline, team, month, hours))
    return heads[np.maximum(team, 0), month]


def staff(streams: Streams, timeline: Timeline, planted: Planted, orders: Orders, work: Work) -> Staff:
    """Paid and worked hours. In house the unused share of a team and month is the usual one with a little noise, or the idle team's.

    Partners are paid by the order: their staff rows carry the fees of the orders they handled and no unused hours.
    """
    size = len(timeline.window_months)
    month = timeline.window_month_of(orders.opened)
    handled = _team_hours(timeline, work.team, month, work.hours)
    heads = _heads(handled)
    unused = planted.usual_unused_share + 0.012 * streams.named("staff/unused").standard_normal(
        (len(TEAMS), size)
    )
    idle = np.arange(size) >= planted.idle_month.months_since(timeline.first)
    if planted.on("idle_team"):
        unused[planted.idle_team_index, idle] += planted.idle_unused_share - planted.usual_unused_share
    hired = np.where(
        unused > 0.25, np.round(heads * (unused - planted.usual_unused_share) / (1 - unused)), 0
    ).astype(np.int64)
    team = np.repeat(np.arange(len(TEAMS)), size)
    months = np.tile(np.arange(size), len(TEAMS))
    present = (heads + hired).ravel()
    row = np.repeat(np.arange(team.size), present)
    first = np.concatenate([[0], np.cumsum(present)])[:-1]
    place = np.arange(row.size) - first[row]
    agent = agent_number(team[row], place)
    human = work.agent >= 0
    key = {"row": agent * size + months[row], "order": work.agent[human] * size + month[human]}
    sorted_rows = np.argsort(key["row"], kind="stable")
    at = sorted_rows[np.searchsorted(key["row"][sorted_rows], key["order"])]
    own = np.bincount(at, weights=work.hours[human], minlength=row.size)
    fees = np.bincount(at, weights=work.fee[human], minlength=row.size)
    worked = own * WORKED_TO_HANDLED
    in_house = team[row] < PARTNER_RUIAN
    team_worked = (handled * WORKED_TO_HANDLED).ravel()
    spare = np.where(in_house, (team_worked * (unused / (1 - unused)).ravel() / present)[row], 0.0)
    paid = worked + spare
    rate = np.array([entry.hourly_cost for entry in TEAMS])[team[row]]
    noise = (
        1
        + 0.008
        * streams.named("staff/cost").standard_normal((1_000, len(TEAMS), size))[
            place % 1_000, team[row], months[row]
        ]
    )
    cents = np.where(in_house, np.round(paid * rate * noise * 100), fees).astype(np.int64)
    return Staff(
        agent=agent,
        month=months[row],
        team=team[row],
        paid=np.round(paid, 2),
        worked=np.round(np.minimum(worked, paid), 2),
        cents=cents,
    )
