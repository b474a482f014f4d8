"""What customers tell us and what the service desk logs: surveys and the event log of service orders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from analysis.sample import columns
from analysis.sample.company import COMPLAINT
from analysis.sample.customers import Customers
from analysis.sample.service import (
    M_ANSWER,
    M_ANSWER_LAG,
    M_CONTACTS,
    M_OPENING,
    M_SCORE,
    M_SENT,
    M_SURVEY_KIND,
    Orders,
    normal,
)  # fmt: skip
from analysis.sample.streams import Flags, Floats, Ints, Streams, pick
from analysis.sample.tables import reopened_times
from analysis.sample.timeline import Timeline
from analysis.sample.truths import Planted
from analysis.sample.work import Work

KINDS: tuple[str, ...] = ("csat", "ces", "nps")
SENT_SHARE = 0.55
RELATIONAL_A_MONTH = 450  # nps surveys that follow no order, at scale 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Surveys:
    """One entry a survey sent. ``mood`` is the customer's true satisfaction, 0 (worst) to 4; the answer shows it, if there is one."""

    kind: Ints
    customer: Ints
    order: Ints
    sent: Floats
    answered: Floats
    mood: Ints
    score: Floats


def surveys(
    streams: Streams,
    timeline: Timeline,
    planted: Planted,
    customers: Customers,
    orders: Orders,
    *,
    scale: float,
) -> Surveys:
    marks = orders.marks
    asked = np.flatnonzero((marks[:, M_SENT] < SENT_SHARE) & (orders.resolved + 0.3 < timeline.end))
    feeling = normal(marks[asked, M_SCORE]) + 0.85
    feeling = (
        feeling
        - 1.0 * orders.slow[asked]
        - 0.9 * (orders.parent[asked] >= 0)
        - 0.7 * (orders.kind[asked] == COMPLAINT)
    )
    feeling = feeling - 0.12 * np.minimum((orders.resolved - orders.opened)[asked], 6.0)
    kind = pick(marks[asked, M_SURVEY_KIND], (0.70, 0.18, 0.12))
    sent = orders.resolved[asked] + 0.1 + 0.2 * marks[asked, M_OPENING]
    number = round(RELATIONAL_A_MONTH * scale * len(timeline.window_months))
    extra = streams.uniform("surveys/relational", (number, 6))
    who = np.minimum((extra[:, 0] * customers.size).astype(np.int64), customers.size - 1)
    when = timeline.start + extra[:, 1] * (timeline.end - timeline.start)
    known = customers.acquired[who] + 60 < when
    who, when, extra = who[known], when[known], extra[known]
    kind = np.concatenate([kind, np.full(who.size, 2)])
    mood = np.searchsorted([-1.1, -0.45, 0.1, 0.95], np.concatenate([feeling, normal(extra[:, 2]) + 0.55]))
    sent = np.concatenate([sent, when])
    answers = np.concatenate([marks[asked][:, [M_ANSWER, M_ANSWER_LAG, M_CONTACTS]], extra[:, 3:]])
    answered = sent - 1.5 * np.log1p(-answers[:, 1])
    replied = (answers[:, 0] < np.asarray(planted.response_by_score)[mood]) & (answered < timeline.end)
    score = np.select(
        [kind == 0, kind == 1],
        [mood + 1.0, np.clip(6.0 - mood * 1.25 + np.floor(answers[:, 2] * 2), 1, 7) // 1],
        _nps(mood, answers[:, 2]),
    )
    order = np.lexsort((np.arange(kind.size), sent))
    built = (
        kind, np.concatenate([orders.customer[asked], who]), np.concatenate([asked, np.full(who.size, -1)]), sent,
        np.where(replied, answered, np.nan), mood, np.where(replied, score, np.nan),
    )  # fmt: skip
    return Surveys(
        **dict(
            zip(
                ("kind", "customer", "order", "sent", "answered", "mood", "score"),
                (values[order] for values in built),
                strict=True,
            )
        )
    )


def _nps(mood: Ints, marks: Floats) -> Floats:
    low = np.array([0.0, 3.0, 6.0, 7.0, 9.0])[mood]
    width = np.array([4.0, 4.0, 2.0, 3.0, 2.0])[mood]
    return low + np.floor(marks * width)


def surveys_table(
    timeline: Timeline, held: Surveys, ticket_ids: pa.Array, customer_ids: pa.Array
) -> pa.Table:
    return columns.table(
        {
            "survey_id": columns.labels("S-", np.arange(1, held.kind.size + 1), 6),
            "kind": columns.words(KINDS, held.kind),
            "customer_id": columns.take(customer_ids, held.customer),
            "ticket_id": columns.take(ticket_ids, held.order),
            "sent_at": columns.time_column(timeline.timestamps(held.sent)),
            "answered_at": columns.time_column(timeline.timestamps(held.answered)),
            "score": columns.numbers(held.score, 0),
        }
    )


def ticket_history_table(
    timeline: Timeline, orders: Orders, work: Work, tickets: pa.Table, ticket_ids: pa.Array
) -> pa.Table:
    """Status changes, the first priority, and the customer's follow-ups: one row an event, agreeing with the tickets table."""
    everyone = np.arange(orders.size)

    def when(name: str) -> np.ndarray:
        return tickets[name].to_numpy(zero_copy_only=False).astype("datetime64[us]")

    reopened = reopened_times(timeline, orders)
    follow = np.flatnonzero(
        (orders.marks[:, M_CONTACTS] > 0.75) & (work.team >= 0) & ~np.isnat(when("resolved_at"))
    )
    wait = orders.opened[follow] + (orders.resolved - orders.opened)[follow] * (
        0.15 + 0.8 * orders.marks[follow, M_OPENING]
    )
    priority = tickets["priority"].combine_chunks()
    status = ("open", "pending", "resolved", "closed", "reopened", "follow-up")
    blocks: list[tuple[Ints, np.ndarray, int, str]] = [
        (everyone, when("opened_at"), 0, "status"),
        (everyone, when("first_response_at"), 1, "status"),
        (everyone, when("resolved_at"), 2, "status"),
        (everyone, when("closed_at"), 3, "status"),
        (everyone, timeline.timestamps(reopened), 4, "status"),
        (follow, timeline.timestamps(wait), 5, "comment"),
    ]
    order = np.concatenate([block[0] for block in blocks] + [everyone])
    moment = np.concatenate([block[1] for block in blocks] + [when("opened_at")])
    value = pa.concat_arrays(
        [columns.constant(status[code], rows.size) for rows, _, code, _ in blocks] + [priority]
    )
    field = pa.concat_arrays(
        [columns.constant(name, rows.size) for rows, _, _, name in blocks]
        + [columns.constant("priority", orders.size)]
    )
    by_customer = np.concatenate(
        [np.full(rows.size, code in (0, 4, 5)) for rows, _, code, _ in blocks]
        + [np.zeros(orders.size, dtype=bool)]
    )
    happened: Flags = ~np.isnat(moment)
    # an event at the same instant and field as another cannot be told apart: the later of the two in life wins
    rank = np.lexsort((np.arange(order.size), field.dictionary_encode().indices.to_numpy(), moment, order))
    rank = rank[happened[rank]]
    return columns.table(
        {
            "ticket_id": columns.take(ticket_ids, order[rank]),
            "changed_at": columns.time_column(moment[rank]),
            "field": field.take(pa.array(rank)),
            "value": value.take(pa.array(rank)),
            "by_customer": columns.flags(by_customer[rank]),
        }
    )
