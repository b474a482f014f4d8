"""The service desk: who takes a ticket and for how long, parts, paid hours, penalties of the uptime guarantee, and what hospitals say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from analysis.sample import columns
from analysis.sample.hospital import company
from analysis.sample.hospital.company import (
    CALIBRATION,
    COMPLAINT,
    COMPONENTS,
    INCIDENT,
    INQUIRY,
    INSTALLATION,
    MODELS,
    REMOTE_DESK,
    TEAMS,
    VISIT,
)
from analysis.sample.hospital.life import Life
from analysis.sample.hospital.truths import USUAL_UNUSED
from analysis.sample.service import normal
from analysis.sample.streams import Flags, Floats, Identities, Ints, Rows, child, mark
from analysis.sample.work import grid

HOURS_A_MONTH = 158.0  # paid hours of one engineer
WORKED_TO_HANDLED = 1.45  # travel, reports, training
UNUSED_NOISE = 0.015
REMOTE_HOURS = 1.5
PRICE_NOISE = 0.02
ANSWERED_SHARE = 0.34
RECOMMENDATION_DAYS = 182
CLAIM_DAYS = 5.0  # after the month of the downtime


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """One entry a ticket: team, engineer and hours handled."""

    team: Ints
    agent: Ints
    hours: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Crew:
    """One entry an engineer and month; ``cents`` of cost."""

    agent: Ints
    month: Ints
    team: Ints
    paid: Floats
    worked: Floats
    cents: Ints


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """One entry a part fitted by the end of the window, by ticket; ``price`` in cents."""

    ticket: Ints
    part: Ints
    price: Ints
    supplier: Ints


@dataclass(frozen=True, kw_only=True, eq=False)
class Penalties(Rows):
    """One entry a machine and month below its guarantee; ``ticket`` is the longest incident of it. Money in cents, days not-a-number while pending."""

    ticket: Ints
    claimed: Floats
    decided: Floats
    amount: Ints
    approved: Ints


def months_of_window(life: Life, name: str) -> int:
    """Position in the window of the month with which a truth begins."""
    return life.planted.begins(name).months_since(life.timeline.first)


def worked(life: Life) -> Work:
    """Field work to the team of the region, remote fixes, questions and complaints to the desk."""
    tickets = life.tickets
    line = life.machines.line[tickets.machine]
    by_desk = tickets.remote | np.isin(tickets.kind, (INQUIRY, COMPLAINT))
    team = np.where(by_desk, REMOTE_DESK, np.asarray(company.TEAM_OF_REGION)[life.region])
    usual = np.select(
        [tickets.remote, tickets.kind == INCIDENT, tickets.kind == VISIT, tickets.kind == INSTALLATION],
        [
            REMOTE_HOURS,
            np.asarray(company.SITE_HOURS)[line] * np.where(tickets.component < 0, 0.6, 1.0),
            np.asarray(company.VISIT_HOURS)[line],
            1.6 * np.asarray(company.VISIT_HOURS)[line],
        ],
        np.where(tickets.kind == CALIBRATION, 1.2, np.where(tickets.kind == COMPLAINT, 1.5, 0.4)),
    )
    month = life.timeline.window_month_of(tickets.opened)
    since = (life.region == company.SOUTHEAST) & (month >= months_of_window(life, "guided_repair"))
    guided = np.where(since & (tickets.kind == INCIDENT), life.planted.strength.guided_ratio, 1.0)
    spread = np.exp(0.4 * normal(mark(tickets.identity, "hours")) - 0.4**2 / 2)
    hours = np.maximum(np.round(usual * guided * spread, 2), 0.05)
    heads = _heads(_handled(life, team, hours))
    place = np.floor(mark(tickets.identity, "agent") * heads[team, month]).astype(np.int64)
    return Work(team=team, agent=_agent(team, place), hours=hours)


def _agent(team: Ints, place: Ints) -> Ints:
    return (team + 1) * 100 + place + 1


def _handled(life: Life, team: Ints, hours: Floats) -> Floats:
    month = life.timeline.window_month_of(life.tickets.opened)
    return grid(team, month, len(TEAMS), len(life.timeline.window_months), hours)


def _heads(handled: Floats, unused: Floats | float = USUAL_UNUSED) -> Ints:
    """Engineers on the roster of each team and month: enough for the work of the last twelve months, so that few come and go."""
    sums = np.cumsum(np.pad(handled, ((0, 0), (12, 0))), axis=1)
    months = np.minimum(np.arange(1, handled.shape[1] + 1), 12)
    usual = (sums[:, 12:] - sums[:, :-12]) / months * WORKED_TO_HANDLED / (1 - unused)
    return np.clip(np.ceil(usual / HOURS_A_MONTH), 1, 60).astype(np.int64)


def hourly_cents(life: Life, team: Ints, month: Ints) -> Floats:
    """Cents for an hour of a team in a window month: three per cent more each January."""
    january = np.array([m.start.year - life.timeline.first.start.year for m in life.timeline.window_months])
    cost: Floats = np.array([entry.hourly for entry in TEAMS])[team] * 100 * 1.03 ** january[month]
    return cost


def staffed(life: Life, work: Work) -> Crew:
    """Paid and worked hours: the unused share of a team and month is the usual one with a little noise, or the idle team's."""
    size = len(life.timeline.window_months)
    handled = _handled(life, work.team, work.hours)
    noise = UNUSED_NOISE * life.streams.named("hospital/unused").standard_normal((len(TEAMS), size))
    usual = np.full(noise.shape, USUAL_UNUSED)
    usual[company.FIELD_WEST, months_of_window(life, "idle_team") :] = life.planted.strength.idle_unused_share
    unused = np.clip(usual + noise, 0.02, None)
    heads = _heads(handled, usual).ravel()
    cell = np.repeat(np.arange(heads.size), heads)
    place = np.arange(cell.size) - np.repeat(np.cumsum(heads) - heads, heads)
    team, at = np.divmod(cell, size)
    agent = _agent(team, place)
    rows = {key: row for row, key in enumerate((agent * size + at).tolist())}
    month = life.timeline.window_month_of(life.tickets.opened)
    row = np.array([rows[key] for key in (work.agent * size + month).tolist()], dtype=np.int64)
    busy = np.bincount(row, weights=work.hours, minlength=cell.size) * WORKED_TO_HANDLED
    spare = (handled * WORKED_TO_HANDLED * unused / (1 - unused)).ravel()[cell] / heads[cell]
    paid = np.round(busy + spare, 2)
    cents = np.round(paid * hourly_cents(life, team, at)).astype(np.int64)
    return Crew(agent=agent, month=at, team=team, paid=paid, worked=np.round(busy, 2), cents=cents)


def fitted(life: Life) -> Parts:
    """The failed component's part on each incident repaired on site by the end of the window."""
    tickets = life.tickets
    ticket = np.flatnonzero((tickets.part_supplier >= 0) & (tickets.resolved < life.timeline.end))
    part = tickets.component[ticket]
    month = life.timeline.window_month_of(tickets.resolved[ticket])
    dearer = (part == company.SENSOR) & (month >= months_of_window(life, "sensor_price"))
    price = np.array([entry.price for entry in COMPONENTS])[part]
    price = price * (1 + PRICE_NOISE * normal(mark(tickets.identity[ticket], "price")))
    price = price * np.where(dearer, life.planted.strength.price_ratio, 1.0)
    return Parts(
        ticket=ticket,
        part=part,
        price=np.round(price * 100).astype(np.int64),
        supplier=tickets.part_supplier[ticket],
    )


def penalties(life: Life) -> Penalties:
    """What is paid where a machine stood still for longer than its contract allows in a calendar month (that of the incident's opening)."""
    tickets, timeline = life.tickets, life.timeline
    level = life.hospitals.level[life.hospital]
    guaranteed = np.asarray(company.UPTIME)[level]
    down = np.flatnonzero((tickets.kind == INCIDENT) & (tickets.severity <= company.MAJOR) & (guaranteed > 0))
    hours = (tickets.resolved - tickets.opened)[down] * 24
    size = len(timeline.window_months)
    cell = tickets.machine[down] * size + timeline.window_month_of(tickets.opened[down])
    order = np.lexsort((-hours, cell))
    cells, first, place = np.unique(cell[order], return_index=True, return_inverse=True)
    stood = np.bincount(place, weights=hours[order])
    ticket = down[order][first]
    month = cells % size
    length = np.diff(timeline.edges[timeline.window :])[month] * 24
    short = guaranteed[ticket] - 1 + np.minimum(stood / length, 1.0)
    machine = tickets.machine[ticket]
    fee = np.array([model.price for model in MODELS])[life.machines.model[machine]]
    fee = fee * np.asarray(company.FEES)[level[ticket]] / 12
    amount = (
        np.round(fee * np.minimum(company.PENALTY_STEP * np.ceil(short * 100), company.MOST_PENALTY)).astype(
            np.int64
        )
        * 100
    )
    identity = child(tickets.identity[ticket], "penalty")
    claimed = timeline.edges[timeline.window + month + 1] + CLAIM_DAYS
    decided = claimed + 3 + np.floor(-9 * np.log1p(-mark(identity, "decided")))
    granted = np.where(mark(identity, "granted") < 0.85, amount, amount // 200 * 100)
    pending = decided >= timeline.end
    found = Penalties(
        ticket=ticket,
        claimed=claimed,
        decided=np.where(pending, np.nan, decided),
        amount=amount,
        approved=np.where(pending, 0, granted),
    )
    found = found.kept((short > 0) & (claimed < timeline.end))
    return found.kept(np.lexsort((found.ticket, found.claimed)))


# ---------------------------------------------------------------- tables


def ticket_ids(life: Life) -> pa.Array:
    return columns.labels("T-", np.arange(1, life.tickets.identity.size + 1), 6)


def serial_numbers(life: Life) -> pa.Array:
    return columns.labels("SN-", np.arange(1, life.machines.identity.size + 1), 5)


def product_ids() -> list[str]:
    return [model.code for model in MODELS]


def parent_of(life: Life) -> Ints:
    """Position of the ticket that a repeat or a complaint follows; -1 where there is none or it is not in the window."""
    identity = life.tickets.identity
    order = np.argsort(identity)
    at = np.minimum(np.searchsorted(identity[order], life.tickets.parent), identity.size - 1)
    found = order[at]
    return np.where(identity[found] == life.tickets.parent, found, -1)


def tickets_table(life: Life, work: Work, ids: pa.Array) -> pa.Table:
    """What is known when the window ends: a later answer or resolution is not."""
    timeline, tickets, end = life.timeline, life.tickets, float(life.timeline.end)
    incident, level = tickets.kind == INCIDENT, life.hospitals.level[life.hospital]

    def moment(time: Floats, chosen: Flags | None = None) -> pa.Array:
        known = time if chosen is None else np.where(chosen, time, np.nan)
        return columns.time_column(timeline.after(tickets.opened, known))

    def promise(hours: tuple[float, ...]) -> pa.Array:
        return moment(tickets.opened + np.asarray(hours)[level] / 24, incident)

    done, closed = tickets.resolved < end, tickets.resolved + 1 < end
    fault = [entry.fault_code for entry in COMPONENTS]
    code = np.where(tickets.silent, len(fault), tickets.component)
    again = (tickets.parent > 0) & incident
    extra = np.floor(-0.9 * np.log1p(-mark(tickets.identity, "contacts"))).astype(np.int64)
    activity = np.where(incident, np.where(tickets.remote, company.REMOTE, company.ON_SITE), tickets.kind)
    lag = 0.02 * mark(tickets.identity, "recorded after")
    return columns.table(
        {
            "ticket_id": ticket_ids(life),
            "customer_id": columns.take(ids, life.hospital),
            "serial_no": columns.take(serial_numbers(life), tickets.machine),
            "product_id": columns.words(product_ids(), life.machines.model[tickets.machine]),
            "ticket_type": columns.words(company.TYPES, tickets.kind),
            "opened_at": columns.time_column(timeline.timestamps(tickets.opened)),
            "first_response_at": moment(tickets.answered, tickets.answered < end),
            "resolved_at": moment(tickets.resolved, done),
            "closed_at": moment(tickets.resolved + 1, closed),
            "contacts": columns.counts(1 + extra, done),
            "resolved": columns.flags(done, done),
            "severity": columns.words(company.SEVERITIES, tickets.severity, incident),
            "fault_code": columns.words([*fault, company.SILENT_ALARM], code),
            "component": columns.words([entry.component for entry in COMPONENTS], tickets.component),
            "region": columns.words(company.REGIONS, life.region),
            "channel": columns.words(company.CONTACTS, _contact(tickets.identity)),
            "team": columns.words([team.team for team in TEAMS], work.team),
            "agent_id": columns.labels("E-", work.agent, 4),
            "handling_hours": columns.numbers(work.hours),
            "status": columns.words(
                ("closed", "resolved", "pending", "open"),
                np.select([closed, done, tickets.answered < end], [0, 1, 2], 3),
            ),
            "failed_on": columns.date_column(timeline.dates(np.where(incident, tickets.opened, np.nan))),
            "confirmed_failure": columns.flags(tickets.component >= 0, incident & done),
            "rework": columns.flags(again),
            "parent_ticket_id": columns.take(ticket_ids(life), parent_of(life)),
            "priority": columns.words(("P1", "P2", "P3"), tickets.severity, incident),
            "response_due_at": promise(company.RESPONSE_HOURS),
            "resolution_due_at": promise(company.RESOLUTION_HOURS),
            "proactive": columns.flags(np.isin(tickets.kind, (VISIT, CALIBRATION))),
            "activity": columns.words(company.ACTIVITIES, activity),
            "recorded_at": moment(np.minimum(tickets.opened + lag, end - 0.001)),
        }
    )


def _contact(identity: Identities) -> Ints:
    return np.searchsorted(np.cumsum(company.CONTACT_SHARES)[:-1], mark(identity, "contact"), side="right")


def parts_table(life: Life, parts: Parts) -> pa.Table:
    size = parts.ticket.size
    return columns.table(
        {
            "ticket_id": columns.take(ticket_ids(life), parts.ticket),
            "part_no": columns.words([entry.part_no for entry in COMPONENTS], parts.part),
            "quantity": columns.numbers(np.ones(size)),
            "unit_price": columns.money(parts.price),
            "supplier": columns.words(company.PART_SUPPLIERS, parts.supplier),
        }
    )


def claims_table(life: Life, found: Penalties) -> pa.Table:
    size, timeline = found.ticket.size, life.timeline
    return columns.table(
        {
            "claim_id": columns.labels("PN-", np.arange(1, size + 1), 5),
            "ticket_id": columns.take(ticket_ids(life), found.ticket),
            "claimed_on": columns.date_column(timeline.dates(found.claimed)),
            "decided_on": columns.date_column(timeline.dates(found.decided)),
            "amount": columns.money(found.amount),
            "approved": columns.money(found.approved, ~np.isnan(found.decided)),
            "currency": columns.constant(company.CURRENCY, size),
        }
    )


def staff_table(life: Life, crew: Crew) -> pa.Table:
    first_days = life.timeline.edges[life.timeline.window + crew.month]
    frame = columns.table(
        {
            "agent_id": columns.labels("E-", crew.agent, 4),
            "month": columns.date_column(life.timeline.dates(first_days)),
            "team": columns.words([team.team for team in TEAMS], crew.team),
            "sourcing": columns.constant("in_house", crew.team.size),
            "hours_paid": columns.numbers(crew.paid),
            "hours_worked": columns.numbers(crew.worked),
            "cost": columns.money(crew.cents),
            "currency": columns.constant(company.CURRENCY, crew.team.size),
        }
    )
    return columns.in_order(frame, "month", "agent_id")


def surveys_table(life: Life, ids: pa.Array) -> pa.Table:
    """Satisfaction after each incident, visit and complaint, and a question of recommendation to each hospital every half year."""
    timeline, tickets, end = life.timeline, life.tickets, life.timeline.end
    kinds = np.isin(tickets.kind, (INCIDENT, VISIT, COMPLAINT))
    asked = np.flatnonzero(kinds & (tickets.resolved + 0.1 < end))
    identity = child(tickets.identity[asked], "survey")
    slow = (tickets.resolved - tickets.opened)[asked] > 1
    mood = 4.4 - 0.7 * slow - 0.8 * tickets.late[asked] + 0.8 * normal(mark(identity, "mood"))
    who, when, recommends = _recommendations(life)
    hurt = 1.2 * (_late_share(life)[who] > 0.25)
    score = np.clip(np.round(8.0 - hurt + 1.8 * normal(mark(recommends, "mood"))), 0, 10)
    sent = np.concatenate([tickets.resolved[asked] + 0.05, when])
    everyone = np.concatenate([identity, recommends])
    answered = sent + 0.1 + 8 * mark(everyone, "after")
    share = np.where(np.arange(sent.size) < asked.size, ANSWERED_SHARE, 0.5)
    given = (mark(everyone, "answers") < share) & (answered < end)
    scores = np.concatenate([np.clip(np.round(mood), 1, 5), score])
    ticket = np.concatenate([asked, np.full(who.size, -1)])
    hospital = np.concatenate([life.hospital[asked], who])
    order = np.lexsort((everyone, sent))
    return columns.table(
        {
            "survey_id": columns.labels("S-", np.arange(1, sent.size + 1), 6),
            "kind": columns.words(("csat", "nps"), (ticket[order] < 0).astype(np.int64)),
            "customer_id": columns.take(ids, hospital[order]),
            "ticket_id": columns.take(ticket_ids(life), ticket[order]),
            "sent_at": columns.time_column(timeline.timestamps(sent[order])),
            "answered_at": columns.time_column(timeline.timestamps(np.where(given, answered, np.nan)[order])),
            "score": columns.numbers(np.where(given, scores, np.nan)[order], 0),
        }
    )


def _late_share(life: Life) -> Floats:
    incident = life.tickets.kind == INCIDENT
    size = life.hospitals.identity.size
    late = np.bincount(life.hospital[incident], life.tickets.late[incident], size)
    share: Floats = late / np.maximum(np.bincount(life.hospital[incident], minlength=size), 1)
    return share


def _recommendations(life: Life) -> tuple[Ints, Floats, Identities]:
    """Which hospital is asked when, and the identity of the question."""
    began = life.began
    rounds = np.arange(1, (life.timeline.end - int(began.min())) // RECOMMENDATION_DAYS + 1)
    who, number = np.repeat(np.arange(began.size), rounds.size), np.tile(rounds, began.size)
    when: Floats = (began[who] + number * RECOMMENDATION_DAYS + 15 / 24).astype(np.float64)
    asked = (when >= life.timeline.start) & (when < np.minimum(life.left[who], life.timeline.end - 0.1))
    return (
        who[asked],
        when[asked],
        child(life.hospitals.identity[who[asked]], "recommendation", number[asked]),
    )
