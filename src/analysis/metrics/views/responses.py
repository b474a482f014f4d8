"""First response: whether a request was answered within the limit, known at its landmark and not before."""

from __future__ import annotations

from analysis.locale import Text
from analysis.metrics.views.days import business_day
from analysis.metrics.views.view import Column, View

CLOCKS = ("tickets.opened_at", "tickets.first_response_at")
"""What a late answer, or the hours until the first one, is read from; both need the time of day (``Engine.require_clock``)."""


def landmark(order: str, hours: str = "$late_answer_hours") -> str:
    """The instant at which it is known whether a request (row ``order``) was answered late; views leave the run's limit open."""
    return f"{order}.opened_at + INTERVAL ({hours}) HOUR"


def answered_late(order: str, hours: str = "$late_answer_hours") -> str:
    """A request that nobody answered was answered late; one answered at the limit was answered in time."""
    return f"coalesce({order}.first_response_at > {landmark(order, hours)}, TRUE)"


_LANDMARK = landmark("s")

first_responses = View(
    name="first_responses",
    sql=f"""
SELECT s.ticket_id, s.month, s.ticket_type, s.customer_id, s.customer_type, s.segment, s.region, s.shop, s.platform, s.severity, s.opened_at, s.opened_on,
       s.first_response_at, s.resolved_at, s.resolved_on, s.contacts,
       -- lateness is known at the landmark only: who would call a request late when it is opened looks into the future
       {_LANDMARK} AS landmark_at, {business_day(_LANDMARK)} AS landmark_on,
       {answered_late("s")} AS answered_late,
       datediff('minute', s.opened_at, s.first_response_at) / 60.0 AS response_hours
FROM service s
""",
    table="tickets",
    stands_for=("tickets",),
    whole=("units", "products", "customers"),
    grain=Text.of("one row per service order that was not cancelled"),
    columns=(
        Column("ticket_id", "service order"),
        Column("month", "first day of the business month it was opened in"),
        Column("ticket_type", "type of the order"),
        Column("customer_id", "who asked"),
        Column("customer_type", "b2b or b2c"),
        Column("segment", "segment of today"),
        Column("region", "region"),
        Column("shop", "shop through which it came"),
        Column("platform", "platform of the shop"),
        Column("severity", "severity"),
        Column("opened_at", "when the customer asked", "UTC instant"),
        Column("opened_on", "business day of the request", "day"),
        Column("first_response_at", "first answer; empty while there is none", "UTC instant"),
        Column("resolved_at", "when it was resolved; empty while open", "UTC instant"),
        Column("resolved_on", "business day of the resolution", "day"),
        Column("contacts", "contacts until resolution", "count"),
        Column("landmark_at", "when it is known whether the answer was late", "UTC instant"),
        Column("landmark_on", "business day of the landmark", "day"),
        Column(
            "answered_late", "no first answer by the landmark (true before the landmark while there is none)"
        ),
        Column("response_hours", "request to first answer; empty while there is none", "hours"),
    ),
)
