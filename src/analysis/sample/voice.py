"""What customers tell us and what the service desk logs: surveys and the event log of service orders."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from analysis.sample import columns
from analysis.sample.company import COMPLAINT
from analysis.sample.customers import Customers
from analysis.sample.desk_tables import reopened_times
from analysis.sample.service import Orders, normal
from analysis.sample.streams import Floats, Identities, Ints, Streams, child, mark, pick
from analysis.sample.timeline import Timeline
from analysis.sample.work import Desk

KINDS: tuple[str, ...] = ("csat", "ces", "nps")
KIND_SHARE = (0.70, 0.18, 0.12)
SENT_SHARE = 0.55  # of resolved orders
RELATIONAL_A_MONTH = 450  # nps surveys that follow no order, at scale 1
MOOD_STEPS = (-1.1, -0.45, 0.1, 0.95)
USUAL_MOOD = 0.55
SATISFIED = 3  # mood from which a customer counts as satisfied: four or five of five
MOOD_EFFECTS = {"slow_complaint": -1.0, "rework": -0.9, "complaint": -0.7, "per_day_open_up_to_six": -0.12}
MOOD_OFFSET = 0.45  # so that service neither lifts nor sinks the average mood


@dataclass(frozen=True, kw_only=True, eq=False)
class Surveys:
    """One entry a survey sent. ``mood`` is the customer's true satisfaction, 0 (worst) to 4; the answer shows it, if there is one."""

    identity: Identities
    kind: Ints
    customer: Ints
    order: Ints
    sent: Floats
    answered: Floats
    mood: Ints
    score: Floats

    @property
    def size(self) -> int:
        return int(self.kind.size)


def surveys(streams: Streams, desk: Desk, customers: Customers, *, scale: float) -> Surveys:
    """After resolved orders, and now and then to anybody. Mood sinks with slow handling, rework, complaints and waiting."""
    orders, timeline = desk.orders, desk.timeline
    asked = np.flatnonzero((orders.mark("survey") < SENT_SHARE) & (orders.resolved + 0.3 < timeline.end))
    who, when, spontaneous = _relational(streams, timeline, customers, scale=scale)
    identity = np.concatenate([child(orders.identity[asked], "survey"), spontaneous])
    after_order = pick(mark(identity[: asked.size], "kind"), KIND_SHARE)
    kind = np.concatenate([after_order, np.full(who.size, KINDS.index("nps"))])
    feeling = normal(mark(identity, "mood")) + USUAL_MOOD
    if desk.planted.on("service_shapes_satisfaction"):
        feeling[: asked.size] += _service_mood(orders, asked)
    mood = np.searchsorted(MOOD_STEPS, feeling)
    sent = np.concatenate([orders.resolved[asked] + 0.1 + 0.2 * mark(identity[: asked.size], "sent"), when])
    answered = sent - 1.5 * np.log1p(-mark(identity, "answer after"))
    willing = mark(identity, "answers") < np.asarray(desk.planted.response_by_score)[mood]
    replied = willing & (answered < timeline.end)
    built = {
        "identity": identity,
        "kind": kind,
        "customer": np.concatenate([orders.customer[asked], who]),
        "order": np.concatenate([asked, np.full(who.size, -1)]),
        "sent": sent,
        "answered": np.where(replied, answered, np.nan),
        "mood": mood,
        "score": np.where(replied, _score(kind, mood, mark(identity, "score")), np.nan),
    }
    by_time = np.argsort(sent, kind="stable")
    return Surveys(**{entry.name: built[entry.name][by_time] for entry in fields(Surveys)})


def _service_mood(orders: Orders, asked: Ints) -> Floats:
    """What the service order did to the mood, in standard deviations; on average little."""
    waited = np.minimum((orders.resolved - orders.opened)[asked], 6.0)
    sour = MOOD_EFFECTS["slow_complaint"] * orders.slow[asked] + MOOD_EFFECTS["rework"] * orders.rework[asked]
    sour = sour + MOOD_EFFECTS["complaint"] * (orders.kind[asked] == COMPLAINT)
    mood: Floats = MOOD_OFFSET + sour + MOOD_EFFECTS["per_day_open_up_to_six"] * waited
    return mood


def _relational(
    streams: Streams, timeline: Timeline, customers: Customers, *, scale: float
) -> tuple[Ints, Floats, Identities]:
    """Customer, time and identity of surveys that follow no order; only those who have been customers for two months."""
    number = round(RELATIONAL_A_MONTH * scale * len(timeline.window_months))
    marks = streams.uniform("surveys/relational", (number, 2))
    who = np.minimum((marks[:, 0] * customers.size).astype(np.int64), customers.size - 1)
    when = timeline.start + marks[:, 1] * (timeline.end - timeline.start)
    known = customers.acquired[who] + 60 < when
    return who[known], when[known], streams.identities("surveys/identity", number)[known]


def _score(kind: Ints, mood: Ints, marks: Floats) -> Floats:
    """csat 1 to 5 is the mood itself; nps 0 to 10 and ces (effort) 1 to 7 follow it with some play."""
    low = np.array([0.0, 3.0, 6.0, 7.0, 9.0])[mood]
    width = np.array([4.0, 4.0, 2.0, 3.0, 2.0])[mood]
    effort = np.array([6.0, 5.0, 3.0, 2.0, 1.0])[mood] + np.floor(2 * marks)
    return np.select([kind == 0, kind == 1], [mood + 1.0, effort], low + np.floor(width * marks))


def surveys_table(
    timeline: Timeline, held: Surveys, ticket_ids: pa.Array, customer_ids: pa.Array
) -> pa.Table:
    return columns.table(
        {
            "survey_id": columns.labels("S-", np.arange(1, held.size + 1), 6),
            "kind": columns.words(KINDS, held.kind),
            "customer_id": columns.take(customer_ids, held.customer),
            "ticket_id": columns.take(ticket_ids, held.order),
            "sent_at": columns.time_column(timeline.timestamps(held.sent)),
            "answered_at": columns.time_column(timeline.timestamps(held.answered)),
            "score": columns.numbers(held.score, 0),
        }
    )


EVENTS: tuple[str, ...] = ("open", "pending", "resolved", "closed", "reopened", "follow-up")
BY_CUSTOMER = (True, False, False, False, True, True)
FIELDS: tuple[str, ...] = ("status", "comment", "priority")
STATUS, COMMENT, PRIORITY = range(3)


def ticket_history_table(desk: Desk, tickets: pa.Table, ticket_ids: pa.Array) -> pa.Table:
    """Status changes, the first priority, and the customer's follow-ups: one row an event, agreeing with the tickets table."""
    orders, timeline = desk.orders, desk.timeline
    everyone = np.arange(orders.size)

    def when(name: str) -> np.ndarray:
        return np.asarray(tickets[name].to_numpy(), dtype="datetime64[us]")

    follows = (orders.mark("follow-up") > 0.75) & (desk.work.team >= 0) & desk.done
    share = 0.15 + 0.8 * orders.mark("follow-up time")
    follow = timeline.timestamps(
        np.where(follows, orders.opened + (orders.resolved - orders.opened) * share, np.nan)
    )
    priority = columns.codes(tickets["priority"])
    blocks: list[tuple[np.ndarray, int, Ints]] = [
        (when("opened_at"), STATUS, np.full(orders.size, 0)),
        (when("first_response_at"), STATUS, np.full(orders.size, 1)),
        (when("resolved_at"), STATUS, np.full(orders.size, 2)),
        (when("closed_at"), STATUS, np.full(orders.size, 3)),
        (timeline.timestamps(reopened_times(timeline, orders)), STATUS, np.full(orders.size, 4)),
        (follow, COMMENT, np.full(orders.size, 5)),
        (when("opened_at"), PRIORITY, len(EVENTS) + priority[1]),
    ]
    order = np.tile(everyone, len(blocks))
    moment = np.concatenate([block[0] for block in blocks])
    field = np.repeat([block[1] for block in blocks], orders.size)
    value = np.concatenate([block[2] for block in blocks])
    rows = np.flatnonzero(~np.isnat(moment))
    rows = rows[np.lexsort((field[rows], moment[rows], order[rows]))]
    from_customer = np.array([*BY_CUSTOMER, *(False for _ in priority[0])])
    return columns.table(
        {
            "ticket_id": columns.take(ticket_ids, order[rows]),
            "changed_at": columns.time_column(moment[rows]),
            "field": columns.words(FIELDS, field[rows]),
            "value": columns.words([*EVENTS, *priority[0]], value[rows]),
            "by_customer": columns.flags(from_customer[value[rows]]),
        }
    )
