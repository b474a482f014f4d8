"""Answers to surveys, on the business day they were given."""

from __future__ import annotations

from analysis.locale import Text
from analysis.metrics.views.days import business_day
from analysis.metrics.views.view import Column, View

answers = View(
    name="answers",
    sql=f"""
SELECT v.survey_id, v.kind, v.ticket_id, v.customer_id, v.score, v.answered_at, {business_day("v.answered_at")} AS answered_on
FROM surveys v
-- a survey without a score was sent and not answered: it is for the response rate, not for the mean
WHERE v.score IS NOT NULL
""",
    table="surveys",
    stands_for=("surveys",),
    grain=Text.of("one row per answered survey"),
    columns=(
        Column("survey_id", "survey"),
        Column("kind", "csat (1 to 5), nps (0 to 10), ces"),
        Column("ticket_id", "service order it asks about, if one"),
        Column("customer_id", "who answered"),
        Column("score", "score"),
        Column("answered_at", "when", "UTC instant"),
        Column("answered_on", "business day of the answer", "day"),
    ),
)

surveys_sent = View(
    name="surveys_sent",
    sql=f"""
SELECT v.survey_id, v.kind, v.ticket_id, v.customer_id, v.sent_at, {business_day("v.sent_at")} AS sent_on,
       -- a score that was set aside as impossible was an answer all the same
       v.score IS NOT NULL OR v.answered_at IS NOT NULL AS answered
FROM surveys v WHERE v.sent_at IS NOT NULL
""",
    table="surveys",
    stands_for=("surveys",),
    grain=Text.of("one row per survey sent"),
    columns=(
        Column("survey_id", "survey"),
        Column("kind", "csat (1 to 5), nps (0 to 10), ces"),
        Column("ticket_id", "service order it asks about, if one"),
        Column("customer_id", "who was asked"),
        Column("sent_at", "when", "UTC instant"),
        Column("sent_on", "business day on which it was sent", "day"),
        Column("answered", "the customer answered"),
    ),
)
