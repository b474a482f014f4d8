"""How an extract of an earlier day would have looked, made of a later one: written here a second time, apart from ``metrics.known``.

Rows that came later are not in it. What happened later has not happened: an order is open, without a diagnosis, hours or parts; a machine
is in the field; a customer has not left and stands in the segment and region of that day; a claim is undecided and a survey unanswered.
Figures of a month are there when the month is over. Plans, the calendar and the list of products carry no day and stay as they are;
a value that is missing was missing then.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb

from analysis.periods import day_end_utc

#: By table: which rows are there, and the columns that read otherwise. ``$day`` is the day, ``$end`` the moment at which it ended.
_DONE = "coalesce(resolved_at >= $end, FALSE)"
_OPEN = "coalesce(resolved_at >= $end, FALSE) OR coalesce(closed_at >= $end, FALSE)"
_FOUND = (
    "resolved_at",
    "resolved",
    "contacts",
    "handling_hours",
    "fault_code",
    "component",
    "confirmed_failure",
)
_SEEN = "coalesce(recorded_at, {time}) < $end"
EXTRACT: dict[str, tuple[str, dict[str, str]]] = {
    "tickets": (
        _SEEN.format(time="opened_at"),
        {name: f"CASE WHEN NOT ({_DONE}) THEN {name} END" for name in _FOUND}
        | {
            "first_response_at": "CASE WHEN first_response_at < $end THEN first_response_at END",
            "closed_at": "CASE WHEN closed_at < $end THEN closed_at END",
            "reopened_at": "CASE WHEN reopened_at < $end THEN reopened_at END",
            "reopened": "CASE WHEN reopened_at >= $end THEN 0 ELSE reopened END",
            "status": f"CASE WHEN ({_OPEN}) AND status IS NOT NULL THEN 'open' ELSE status END",
        },
    ),
    "ticket_history": ("changed_at < $end", {}),
    "parts_used": (
        "ticket_id NOT IN (SELECT ticket_id FROM all_tickets WHERE resolved_at >= $end OR NOT "
        + _SEEN.format(time="opened_at")
        + ")",
        {},
    ),
    "customers": (
        "recorded_at IS NULL OR recorded_at < $end",
        {
            name: f"CASE WHEN churned_on > $day THEN NULL ELSE {name} END"
            for name in ("churned_on", "churn_reason", "churn_avoidable")
        }
        | {
            name: f"(SELECT max_by(value, valid_from) FROM all_customer_history h WHERE h.customer_id = t.customer_id "
            f"AND attribute = '{name}' AND valid_from <= $day)"
            for name in ("segment", "region")
        },
    ),
    "customer_history": ("valid_from <= $day", {}),
    "units": (
        "shipped_on <= $day",
        {"retired_on": "CASE WHEN retired_on <= $day THEN retired_on END"}
        | {
            name: f"CASE WHEN usage_as_of > $day THEN NULL ELSE {name} END"
            for name in ("usage", "usage_as_of")
        },
    ),
    "orders": ("ordered_at < $end", {}),
    "contracts": (
        "starts_on <= $day",
        {"cancelled_on": "CASE WHEN cancelled_on <= $day THEN cancelled_on END"},
    ),
    "claims": (
        "claimed_on <= $day",
        {
            name: f"CASE WHEN decided_on > $day THEN NULL ELSE {name} END"
            for name in ("decided_on", "approved", "recovered")
        },
    ),
    "surveys": (
        "coalesce(sent_at, answered_at) < $end",
        {
            name: f"CASE WHEN answered_at >= $end THEN NULL ELSE {name} END"
            for name in ("answered_at", "score")
        },
    ),
    "ledger": (_SEEN.format(time="posted_on"), {}),
    "opportunities": (
        "created_on <= $day",
        {
            "won": "CASE WHEN closed_on > $day THEN NULL ELSE won END",
            "stage": "CASE WHEN closed_on > $day AND stage IS NOT NULL THEN 'open' ELSE stage END",
            "closed_on": "CASE WHEN closed_on > $day THEN NULL ELSE closed_on END",
        },
    ),
    "invoices": ("issued_on <= $day", {"paid_on": "CASE WHEN paid_on <= $day THEN paid_on END"}),
    **{
        name: ("month + INTERVAL 1 MONTH <= $day + 1", {})
        for name in ("drivers", "staff", "gl_totals", "provision")
    },
    "marketing_spend": ("month + INTERVAL 1 MONTH <= $day + 1", {}),
    **{name: ("TRUE", {}) for name in ("products", "budget", "shipment_plan", "calendar")},
}


def write(later: Path, folder: Path, *, day: dt.date, time_zone: str) -> Path:
    """The extract of ``day`` in ``folder``, from the Parquet files of a ``later`` one."""
    folder.mkdir(parents=True)
    words = {"$day": f"DATE '{day}'", "$end": f"TIMESTAMP '{day_end_utc(day, time_zone)}'"}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for path in sorted(later.glob("*.parquet")):
            connection.execute(f"CREATE VIEW all_{path.stem} AS FROM read_parquet('{path}')")
        for path in sorted(later.glob("*.parquet")):
            rows, values = EXTRACT[path.stem]
            changed = ", ".join(f"{expression} AS {name}" for name, expression in values.items())
            query = (
                f"SELECT * {f'REPLACE ({changed})' if changed else ''} FROM all_{path.stem} t WHERE {rows}"
            )
            for word, value in words.items():
                query = query.replace(word, value)
            connection.execute(f"COPY ({query}) TO '{folder / path.name}' (FORMAT parquet)")
    return folder
