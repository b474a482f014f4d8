"""The service desk: who takes a ticket, what the bot and the night partner do, paid hours, and what customers say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from analysis.sample import columns
from analysis.sample.saas import company
from analysis.sample.saas.company import BILLING, FEATURE, INCIDENT, NIGHT, TEAMS, TRAINING
from analysis.sample.saas.life import QUESTIONS, Life, Tickets
from analysis.sample.saas.truths import USUAL_BOT_SHARE, USUAL_REOPEN, USUAL_UNUSED
from analysis.sample.service import normal
from analysis.sample.streams import Flags, Floats, Ints, child, mark, pick
from analysis.sample.work import grid

BOT = -1
HOURS_A_MONTH = 150.0  # paid hours of one agent
WORKED_TO_HANDLED = 1.25  # meetings, training, breaks
UNUSED_NOISE = 0.015
AGAIN = 0.6  # handling of a reopened ticket, against the first
CONTACTS = ("Portal", "Email", "Chat", "Phone")
ANSWERED_SHARE = 0.26
RECOMMENDATION_DAYS = 182


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """One entry a ticket: team (-1 is the bot), hours handled, whether it came back, and the partner's fee in cents. ``resolved`` in days."""

    team: Ints
    agent: Ints
    hours: Floats
    reopened: Flags
    fee: Ints
    answered: Floats
    back: Floats
    resolved: Floats

    @property
    def automated(self) -> Flags:
        return np.asarray(self.team == BOT)


@dataclass(frozen=True, kw_only=True, eq=False)
class Crew:
    """One entry an agent and month, by team, month and place; ``cents`` of cost."""

    agent: Ints
    month: Ints
    team: Ints
    paid: Floats
    worked: Floats
    cents: Ints


def months_of_window(life: Life, name: str) -> int:
    """Position in the window of the month with which a truth begins."""
    return life.planted.begins(name).months_since(life.timeline.first)


def is_night(tickets: Tickets) -> Flags:
    """Opened from 20:00 to 06:00 in the business zone; trainings are by appointment."""
    hour = (tickets.opened % 1) * 24
    night: Flags = ((hour >= 20) | (hour < 6)) & (tickets.kind != TRAINING)
    return night


def worked(life: Life) -> Work:
    """Questions to the bot as far as it can, nights to the partner from a month on, the rest to the team of its kind."""
    tickets, strength = life.tickets, life.planted.strength
    month = life.timeline.window_month_of(tickets.opened)
    bot_since = month >= months_of_window(life, "bot_share")
    share = np.where(bot_since, strength.bot_share, USUAL_BOT_SHARE)
    bot = np.isin(tickets.kind, QUESTIONS) & (mark(tickets.identity, "bot") < share)
    partner = ~bot & is_night(tickets) & (month >= months_of_window(life, "night_partner"))
    team = np.where(partner, NIGHT, np.asarray(company.TEAM_OF_KIND)[tickets.kind])
    team = np.where(bot, BOT, team)
    chance = np.where(partner, USUAL_REOPEN * strength.partner_reopen, USUAL_REOPEN)
    chance = np.where(bot & (tickets.kind == BILLING), strength.bot_billing_reopen, chance)
    reopened = mark(tickets.identity, "reopened") < chance
    spread = np.exp(0.45 * normal(mark(tickets.identity, "hours")) - 0.45**2 / 2)
    hours = np.asarray(company.HOURS)[tickets.kind] * spread * np.where(reopened, 1 + AGAIN, 1.0)
    hours = np.where(bot, 0.0, np.maximum(np.round(hours, 2), 0.05))
    fee = np.where(partner, strength.partner_fee * np.exp(0.15 * normal(mark(tickets.identity, "fee"))), 0.0)
    answered = tickets.opened + np.where(bot, 0.005, tickets.response) / 24
    first = answered + np.where(bot, 0.05, tickets.work) / 24
    back = first + 0.1 + 2 * mark(tickets.identity, "back after")
    heads = _heads(_handled(life, team, month, hours))
    place = np.floor(mark(tickets.identity, "agent") * heads[np.maximum(team, 0), month]).astype(np.int64)
    return Work(
        team=team,
        agent=np.where(bot, -1, _agent(team, place)),
        hours=hours,
        reopened=reopened,
        fee=np.round(fee * 100).astype(np.int64),
        answered=answered,
        back=np.where(reopened, back, np.nan),
        resolved=np.where(reopened, back + 0.5 * tickets.work / 24 + 0.05, first),
    )


def _agent(team: Ints, place: Ints) -> Ints:
    return (team + 1) * 100 + place + 1


def _handled(life: Life, team: Ints, month: Ints, hours: Floats) -> Floats:
    return grid(team, month, len(TEAMS), len(life.timeline.window_months), hours)


def _heads(handled: Floats) -> Ints:
    """Agents on the roster of each team and month: as many as the last six months' work needed, so that few come and go."""
    sums = np.cumsum(np.pad(handled, ((0, 0), (6, 0))), axis=1)
    months = np.minimum(np.arange(1, handled.shape[1] + 1), 6)
    usual = (sums[:, 6:] - sums[:, :-6]) / months * WORKED_TO_HANDLED / (1 - USUAL_UNUSED)
    return np.clip(np.round(usual / HOURS_A_MONTH), 1, 60).astype(np.int64)


def hourly_cents(life: Life, team: Ints, month: Ints) -> Floats:
    """Cents for an hour of a team in a window month: three per cent more each January."""
    january = np.array([(m.start.year - life.timeline.first.start.year) for m in life.timeline.window_months])
    cost: Floats = np.array([entry.hourly for entry in TEAMS])[team] * 100 * 1.03 ** january[month]
    return cost


def staffed(life: Life, work: Work) -> Crew:
    """Paid and worked hours. The unused share of a team and month is the usual one with a little noise, or the idle team's.

    The partner is paid by the ticket: its rows carry the fees and no unused hours. A team without a ticket in a month has nobody on the roster.
    """
    size = len(life.timeline.window_months)
    month = life.timeline.window_month_of(life.tickets.opened)
    handled = _handled(life, work.team, month, work.hours)
    noise = UNUSED_NOISE * life.streams.named("saas/unused").standard_normal((len(TEAMS), size))
    unused = np.clip(USUAL_UNUSED + noise, 0.02, None)
    idle = np.arange(size) >= months_of_window(life, "idle_team")
    unused[company.FRONTLINE, idle] += life.planted.strength.idle_unused - USUAL_UNUSED
    unused[NIGHT] = 0.0
    heads = np.where(handled > 0, _heads(handled), 0).ravel()
    cell = np.repeat(np.arange(heads.size), heads)
    place = np.arange(cell.size) - np.repeat(np.cumsum(heads) - heads, heads)
    team, at = np.divmod(cell, size)
    agent = _agent(team, place)
    rows = {key: row for row, key in enumerate((agent * size + at).tolist())}
    human = np.flatnonzero(work.team >= 0)
    row = np.array([rows[key] for key in (work.agent[human] * size + month[human]).tolist()], dtype=np.int64)
    own = np.bincount(row, weights=work.hours[human], minlength=cell.size)
    fees = np.bincount(row, weights=work.fee[human].astype(float), minlength=cell.size)
    busy = own * WORKED_TO_HANDLED
    spare = (handled * WORKED_TO_HANDLED * unused / (1 - unused)).ravel()[cell] / heads[cell]
    paid = np.round(busy + spare, 2)
    cents = np.where(team == NIGHT, fees, np.round(paid * hourly_cents(life, team, at)))
    return Crew(
        agent=agent, month=at, team=team, paid=paid, worked=np.round(busy, 2), cents=cents.astype(np.int64)
    )


# ---------------------------------------------------------------- tables


def ticket_ids(life: Life) -> pa.Array:
    return columns.labels("T-", np.arange(1, life.tickets.identity.size + 1), 6)


def plan_of(life: Life) -> Ints:
    """The plan of each ticket's account when its month began."""
    return np.asarray(life.plans[life.tickets.account, life.tickets.month])


def product_of(life: Life) -> Ints:
    return life.accounts.line[life.tickets.account] * len(company.PLANS) + plan_of(life)


def tickets_table(life: Life, work: Work, account_ids: pa.Array, product_ids: list[str]) -> pa.Table:
    """What is known when the window ends: a later answer or resolution is not."""
    timeline, tickets, end = life.timeline, life.tickets, float(life.timeline.end)

    def by_end(time: Floats) -> Floats:
        return np.where(time < end, time, np.nan)

    first = tickets.severity == 0
    promised = (tickets.kind == INCIDENT) & first
    resolution = (tickets.kind == INCIDENT) & (tickets.severity <= 1)
    done, closed = work.resolved < end, work.resolved + 2 < end
    extra = np.floor(-1.1 * np.log1p(-mark(tickets.identity, "contacts"))).astype(np.int64)
    urgent = np.where(tickets.kind == INCIDENT, tickets.severity, np.where(tickets.kind == FEATURE, 3, 2))
    known = np.minimum(tickets.opened + 0.04 * mark(tickets.identity, "recorded after"), end - 0.001)
    module = np.where(tickets.kind == INCIDENT, pick(mark(tickets.identity, "module"), (1.0,) * 5), -1)
    return columns.table(
        {
            "ticket_id": ticket_ids(life),
            "customer_id": columns.take(account_ids, tickets.account),
            "product_id": columns.words(product_ids, product_of(life)),
            "ticket_type": columns.words(company.TYPES, tickets.kind),
            "opened_at": columns.time_column(timeline.timestamps(tickets.opened)),
            "first_response_at": columns.time_column(_after(life, work.answered, by_end)),
            "resolved_at": columns.time_column(_after(life, work.resolved, by_end)),
            "closed_at": columns.time_column(_after(life, work.resolved + 2, by_end)),
            "contacts": columns.counts(np.where(work.automated, 1, 1 + extra + work.reopened), done),
            "reopened": columns.counts((work.reopened & (work.back < end)).astype(np.int64)),
            "resolved": columns.flags(done, done),
            "automated": columns.flags(work.automated),
            "severity": columns.words(company.SEVERITIES, tickets.severity),
            "component": columns.words(company.MODULES, module),
            "region": columns.words(company.REGIONS, life.accounts.region[tickets.account]),
            "channel": columns.words(
                CONTACTS,
                np.where(work.automated, 2, pick(mark(tickets.identity, "contact"), (0.4, 0.3, 0.2, 0.1))),
            ),
            "team": columns.words([team.team for team in TEAMS], work.team),
            "agent_id": columns.labels("A-", work.agent, 4, work.agent >= 0),
            "handling_hours": columns.numbers(work.hours),
            "status": columns.words(
                ("closed", "resolved", "pending", "open"),
                np.select([closed, done, work.answered < end], [0, 1, 2], 3),
            ),
            "reopened_at": columns.time_column(_after(life, work.back, by_end)),
            "priority": columns.words(("P1", "P2", "P3", "P4"), urgent),
            "response_due_at": columns.time_column(
                _after(life, np.where(promised, tickets.opened + 1 / 24, np.nan), None)
            ),
            "resolution_due_at": columns.time_column(
                _after(life, np.where(resolution, tickets.opened + np.where(first, 8, 48) / 24, np.nan), None)
            ),
            "activity": columns.words(company.ACTIVITIES, tickets.kind),
            "recorded_at": columns.time_column(_after(life, known, None)),
        }
    )


def _after(life: Life, time: Floats, known: object) -> np.ndarray:
    """Instants counted from the opening of each ticket."""
    return life.timeline.after(life.tickets.opened, known(time) if callable(known) else time)


def staff_table(life: Life, crew: Crew) -> pa.Table:
    frame = columns.table(
        {
            "agent_id": columns.labels("A-", crew.agent, 4),
            "month": columns.date_column(
                life.timeline.dates(life.timeline.edges[life.timeline.window + crew.month])
            ),
            "team": columns.words([team.team for team in TEAMS], crew.team),
            "sourcing": columns.words([team.sourcing for team in TEAMS], crew.team),
            "hours_paid": columns.numbers(crew.paid),
            "hours_worked": columns.numbers(crew.worked),
            "cost": columns.money(crew.cents),
            "currency": columns.constant(company.CURRENCY, crew.team.size),
        }
    )
    return columns.in_order(frame, "month", "agent_id")


def surveys_table(life: Life, work: Work, account_ids: pa.Array) -> pa.Table:
    """Satisfaction after each ticket that a person resolved, and a question of recommendation to each account every half year."""
    timeline, tickets, end = life.timeline, life.tickets, life.timeline.end
    asked = np.flatnonzero(~work.automated & (work.resolved + 0.1 < end))
    identity = child(tickets.identity[asked], "survey")
    slow = (work.resolved - tickets.opened)[asked] > 3
    mood = 4.3 - 0.9 * slow - 1.0 * work.reopened[asked] + 0.9 * normal(mark(identity, "mood"))
    csat = np.clip(np.round(mood), 1, 5)
    who, when, recommends = _recommendations(life)
    sent = np.concatenate([work.resolved[asked] + 0.05, when])
    everyone = np.concatenate([identity, recommends])
    answered = sent + 0.05 + 5 * mark(everyone, "after")
    share = np.where(np.arange(sent.size) < asked.size, ANSWERED_SHARE, 0.35)
    given = (mark(everyone, "answers") < share) & (answered < end)
    score = np.concatenate([csat, _recommended(life, who, when, recommends)])
    order = np.lexsort((everyone, sent))
    ticket = np.concatenate([asked, np.full(who.size, -1)])
    account = np.concatenate([tickets.account[asked], who])
    return columns.table(
        {
            "survey_id": columns.labels("S-", np.arange(1, sent.size + 1), 6),
            "kind": columns.words(("csat", "nps"), (ticket[order] < 0).astype(np.int64)),
            "customer_id": columns.take(account_ids, account[order]),
            "ticket_id": columns.take(ticket_ids(life), ticket[order]),
            "sent_at": columns.time_column(timeline.timestamps(sent[order])),
            "answered_at": columns.time_column(
                timeline.timestamps(np.where(given, np.maximum(answered, sent), np.nan)[order])
            ),
            "score": columns.numbers(np.where(given, score, np.nan)[order], 0),
        }
    )


def _recommendations(life: Life) -> tuple[Ints, Floats, np.ndarray]:
    """Who is asked when, and the identity of the question."""
    began = life.timeline.day_in(life.accounts.month, life.accounts.day)
    rounds = np.arange(1, (life.timeline.end - int(began.min())) // RECOMMENDATION_DAYS + 1)
    who = np.repeat(np.arange(began.size), rounds.size)
    number = np.tile(rounds, began.size)
    when: Floats = (began[who] + number * RECOMMENDATION_DAYS + 10 / 24).astype(np.float64)
    asked = (when >= life.timeline.start) & (when < np.minimum(life.left[who], life.timeline.end - 0.1))
    who, when = who[asked], when[asked]
    return who, when, child(life.accounts.identity[who], "recommendation", number[asked])


def _recommended(life: Life, who: Ints, when: Floats, identity: np.ndarray) -> Floats:
    """Scores from 0 to 10, lower where usage declines."""
    quarter = np.clip(life.timeline.window_month_of(when) // 3, 0, life.bands.shape[1] - 1)
    declines = life.bands[who, quarter] == company.DECLINING
    score: Floats = np.clip(np.round(7.8 - 1.2 * declines + 1.9 * normal(mark(identity, "mood"))), 0, 10)
    return score
