"""Event logs collapsed into tickets: what each rule says, by hand; every event accounted for."""

from __future__ import annotations

import datetime as dt

import pytest

from analysis.errors import ParameterError, SourceError

from .conftest import stated

LOG = {
    "file": "log.csv",
    "ticket": "ticket",
    "at": "at",
    "only": {"field": ["status"]},
    "status": "value",
    "open": ["new", "open"],
    "resolved": ["solved"],
    "closed": ["closed"],
    "gives": {
        "resolved_at": "resolved_at",
        "closed_at": "closed_at",
        "reopened": "reopened",
        "reopened_at": "reopened_at",
        "status": "status",
    },
}
TICKETS = {
    "table": "tickets",
    "file": "tickets.csv",
    "columns": {"ticket_id": "id", "opened_at": "opened"},
    "constants": {"ticket_type": "repair"},
    "events": [LOG],
}
HEADER = "ticket,at,field,value\n"
#: A: solved and closed. B: solved, reopened, solved again. C: reopened and still open. D: nothing but a priority. E: not in the log.
EVENTS = """A,2026-10-01 08:00:00,status,new
A,2026-10-01 12:00:00,status,solved
A,2026-10-04 12:00:00,status,closed
B,2026-10-02 10:00:00,status,solved
B,2026-10-01 09:00:00,status,open
C,2026-10-01 09:00:00,status,new
C,2026-10-03 09:00:00,status,solved
B,2026-10-02 11:00:00,status,open
B,2026-10-05 10:00:00,status,solved
C,2026-10-04 09:00:00,status,open
D,2026-10-04 09:00:00,priority,high
"""


def day(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-10-{text}")


@pytest.fixture
def desk(exports):
    (exports / "tickets.csv").write_text(
        "id,opened\n" + "".join(f"{name},2026-10-01 08:00:00\n" for name in "EDCBA"), encoding="utf-8"
    )
    (exports / "log.csv").write_text(HEADER + EVENTS, encoding="utf-8")
    return exports


def test_states_collapse_as_they_are_defined(desk, take):
    taken = take(TICKETS)
    assert taken.rows(
        "tickets", "ticket_id", "resolved_at", "closed_at", "reopened", "reopened_at", "status"
    ) == [
        ("A", day("01 12:00"), day("04 12:00"), 0, None, "closed"),
        ("B", day("05 10:00"), None, 1, day("02 11:00"), "resolved"),
        ("C", None, None, 1, day("04 09:00"), "open"),
        ("D", None, None, 0, None, None),
        ("E", None, None, 0, None, None),
    ]


def test_an_event_is_not_a_ticket_and_every_event_is_accounted_for(desk, take):
    taken = take(TICKETS)
    assert taken.counts("tickets") == [(5, 5, 0), (11, 10, 1)]
    assert taken.mapped[1].file == "log.csv (events: resolved_at, closed_at, reopened, reopened_at, status)"
    assert taken.tables["tickets"].rows == 5


def test_replies_by_an_agent_give_the_first_response_and_those_of_customers_the_contacts(desk, take):
    (desk / "people.csv").write_text("id,role\n1,agent\n2,customer\n", encoding="utf-8")
    (desk / "comments.csv").write_text(
        "ticket,when,who,public\nA,2026-10-01 10:00:00,1,true\nA,2026-10-01 09:00:00,1,false\nA,2026-10-01 08:30:00,2,true\nA,2026-10-01 11:00:00,1,true\nB,2026-10-01 09:00:00,2,true\nB,2026-10-01 09:05:00,2,true\n",
        encoding="utf-8",
    )
    role = {"role": {"file": "people.csv", "by": "who", "key": "id", "take": "role"}}
    comments = {"file": "comments.csv", "ticket": "ticket", "at": "when", "lookups": role}
    taken = take(
        TICKETS
        | {
            "events": [
                comments
                | {"only": {"public": ["true"], "role": ["agent"]}, "gives": {"first_response_at": "first"}},
                comments
                | {"only": {"public": ["true"], "role": ["customer"]}, "gives": {"contacts": "count"}},
            ]
        }
    )
    assert taken.rows("tickets", "ticket_id", "first_response_at", "contacts")[:3] == [
        ("A", day("01 10:00"), 1),
        ("B", None, 2),
        ("C", None, None),
    ]


def test_a_log_without_a_list_of_tickets_makes_its_own(exports, take):
    (exports / "log.csv").write_text(HEADER + EVENTS, encoding="utf-8")
    gives = LOG["gives"] | {"opened_at": "first"}
    entry = {
        "table": "tickets",
        "file": "log.csv",
        "columns": {"ticket_id": "ticket"},
        "constants": {"ticket_type": "repair"},
        "first_of": ["ticket_id"],
        "only": {"field": ["status"]},
    }
    taken = take(entry | {"events": [LOG | {"file": "", "gives": gives}]})
    assert taken.rows("tickets", "ticket_id", "opened_at", "status") == [
        ("A", day("01 08:00"), "closed"),
        ("B", day("01 09:00"), "resolved"),
        ("C", day("01 09:00"), "open"),
    ]
    assert taken.counts("tickets") == [(11, 3, 8), (11, 10, 1)]


def test_moments_of_a_log_are_local_times_where_the_entry_says_so(desk, take):
    taken = take(TICKETS | {"local_times": {"zone": "Asia/Shanghai"}})
    assert taken.rows("tickets", "closed_at", "opened_at")[0] == (day("04 04:00"), day("01 00:00"))


def test_torn_lines_of_the_list_of_tickets_are_kept_apart(desk, take):
    with (desk / "tickets.csv").open("a", encoding="utf-8") as file:
        file.write("F\nG,2026-10-01 08:00:00\n")
    taken = take(TICKETS, quarantine_limit=0.2)
    (waterfall,) = taken.tables["tickets"].waterfall
    assert (waterfall.rows_read, waterfall.accepted, waterfall.quarantined) == (7, 6, 1)


def test_what_a_log_does_not_say_is_refused(desk, take):
    with (desk / "log.csv").open("a", encoding="utf-8") as file:
        file.write("E,2026-10-02 08:00:00,status,slved\n")
    with pytest.raises(
        SourceError,
        match=r"log\.csv: status 'slved' is under none of open, resolved and closed in the map\. Did you mean 'solved'",
    ):
        take(TICKETS)
    (desk / "log.csv").write_text(HEADER + "A,yesterday,status,new\n", encoding="utf-8")
    with pytest.raises(
        SourceError, match=r"log\.csv row 1: the moment of this event is 'yesterday', which cannot be read"
    ):
        take(TICKETS)
    (desk / "log.csv").unlink()
    with pytest.raises(SourceError, match=r"log\.csv: no such file with events of tickets"):
        take(TICKETS)
    taken = take(TICKETS | {"events": [LOG | {"may_be_absent": True}]})
    assert taken.rows("tickets", "count(*)") == [(5,)]
    assert any("no such file; made without it" in note for note in taken.notes("tickets"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"gives": {"resolved_at": "solved_at"}},
            "no rule 'solved_at' for events. Did you mean 'resolved_at'",
        ),
        ({"status": ""}, "needs the status column and its words"),
        ({"resolved": ["solved", "open"]}, "status word 'open' stands under two"),
        ({"file": ""}, r"one ticket has several rows; state first_of: \[ticket_id\]"),
        ({"file": "../log.csv"}, "leaves the data folder"),
    ],
)
def test_a_log_that_contradicts_itself_does_not_load(change, message):
    with pytest.raises(ParameterError, match=message):
        stated(TICKETS | {"events": [LOG | change]})
