"""Service desks, issue trackers and rosters in the vendor's own form through the maps that ship, each row worked out by hand."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.errors import SourceError

from .conftest import write_workbook

CASES = Path(__file__).parents[3].parent / "shared" / "cases" / "exports"


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-{text}")


def write(path: Path, *lines: str) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


FRESHDESK = (
    "Ticket ID,Subject,Status,Priority,Source,Type,Agent,Group,Created time,Due by Time,Resolved time,Closed time,Last update time,Initial response time,"
    "Time tracked,First response time (in hrs),Resolution time (in hrs),Agent interactions,Customer interactions,Resolution status,First response status,Tags,"
    "Survey results,Association type,Product,Full name,Email,Contact ID"
)
FRESHDESK_ROWS = (
    "71,It hums,Closed,High,Email,Incident,Kim,East,2026-10-01 08:00:00,2026-10-03 08:00:00,2026-10-02 09:30:00,2026-10-04 09:30:00,2026-10-04 09:30:00,"
    "2026-10-01 09:15:00,01:30:00,01:15:00,25:30:00,3,2,Within SLA,Within SLA,,,,P1,Ann Lee,ann@example.com,4001",
    "72,Bill,Waiting on Customer,Low,Portal,Invoice,,Desk,2026-10-02 08:00:00,,,,2026-10-02 08:00:00,,,,,0,1,,,,,,,Bo,bo@example.com,",
    '73,"Refund, please",Open,Low,Phone,Refund,Kim,Desk,2026-10-31 23:59:00,,,,2026-10-31 23:59:00,,00:05:00,,,0,1,,,,,,,Bo,bo@example.com,',
)


def test_freshdesk_tickets(exports: Path, take):
    write(exports / "42_tickets-October-31-2026.csv", FRESHDESK, *FRESHDESK_ROWS)
    taken = take("freshdesk")
    assert taken.rows(
        "tickets",
        "ticket_id",
        "customer_id",
        "ticket_type",
        "status",
        "opened_at",
        "first_response_at",
        "resolved_at",
        "handling_hours",
        "contacts",
    ) == [
        ("71", "4001", "repair", "closed", at("10-01 08:00"), at("10-01 09:15"), at("10-02 09:30"), 1.5, 2),
        ("72", "bo@example.com", "other", "pending", at("10-02 08:00"), None, None, None, 1),
        ("73", "bo@example.com", "return", "open", at("10-31 23:59"), None, None, pytest.approx(1 / 12), 1),
    ]
    assert taken.counts("tickets") == [(3, 3, 0)]
    assert taken.rows("customers", "customer_id", "customer_name") == [
        ("4001", "Ann Lee"),
        ("bo@example.com", "Bo"),
    ]
    assert "ticket_type: words not listed, taken as 'other' (1, e.g. 'Invoice')" in taken.notes("tickets")


def test_freshdesk_in_its_other_spelling_and_with_a_column_gone(exports: Path, take):
    header = FRESHDESK.replace("Created time", "Created Time").replace("Resolved time", "Resolved Time")
    write(exports / "tickets.csv", header, *FRESHDESK_ROWS)
    assert take("freshdesk").counts("tickets") == [(3, 3, 0)]
    write(exports / "tickets.csv", header.replace("Created Time", "Created"), *FRESHDESK_ROWS)
    with pytest.raises(SourceError, match=r"tickets\.csv: column 'Created time' is not there"):
        take("freshdesk")
    write(exports / "tickets.csv", FRESHDESK)
    assert take("freshdesk").counts("tickets") == [(0, 0, 0)]


CONVERSATIONS = (
    "id,updated_at,_fivetran_synced,assignee_id,assignee_type,conversation_rating_created_at,conversation_rating_remark,conversation_rating_value,created_at,"
    "first_contact_reply_created_at,priority,read,snoozed_until,source_author_id,source_author_type,source_type,state,waiting_since,source_subject"
)
#: The newest state of a conversation stands above an older one.
CONVERSATION_ROWS = (
    "901,2026-10-04 10:00:00,x,7,admin,2026-10-04 12:00:00,,5,2026-10-01 08:00:00,2026-10-01 08:00:00,priority,TRUE,,u1,user,conversation,closed,,",
    "901,2026-10-01 09:00:00,x,7,admin,,,,2026-10-01 08:00:00,2026-10-01 08:00:00,not_priority,TRUE,,u1,user,conversation,open,,",
    "902,2026-10-02 08:00:00,x,,,,,,2026-10-02 08:00:00,,not_priority,FALSE,,u2,lead,email,open,,",
    "902,2026-10-02 09:00:00,x,9,admin,,,,2026-10-02 08:00:00,,not_priority,FALSE,2026-10-09 08:00:00,u2,lead,email,snoozed,,",
)
PARTS = (
    "id,updated_at,author_id,author_type,conversation_id,created_at,part_type,body",
    "1,2026-10-01 08:20:00,b1,bot,901,2026-10-01 08:00:30,comment,",
    "2,2026-10-01 08:20:00,7,admin,901,2026-10-01 08:20:00,comment,",
    "3,2026-10-01 12:00:00,7,admin,901,2026-10-01 12:00:00,close,",
    "4,2026-10-03 12:00:00,u1,user,901,2026-10-03 12:00:00,open,",
    "5,2026-10-04 10:00:00,7,admin,901,2026-10-04 10:00:00,close,",
    "5,2026-10-05 10:00:00,7,admin,901,2026-10-04 10:00:00,close,",
)


def test_intercom_conversations_whose_changes_stand_in_no_order(exports: Path, take):
    write(exports / "conversation_history_data.csv", CONVERSATIONS, *CONVERSATION_ROWS)
    write(exports / "conversation_part_history_data.csv", *PARTS)
    taken = take("intercom")
    assert taken.rows(
        "tickets",
        "ticket_id",
        "customer_id",
        "first_response_at",
        "resolved_at",
        "closed_at",
        "reopened",
        "reopened_at",
        "status",
        "priority",
    ) == [
        (
            "901",
            "u1",
            at("10-01 08:20"),
            at("10-04 10:00"),
            at("10-04 10:00"),
            1,
            at("10-03 12:00"),
            "closed",
            "priority",
        ),
        ("902", "u2", None, None, None, 0, None, "pending", "not_priority"),
    ]
    assert taken.counts("tickets") == [(4, 2, 2), (6, 4, 2), (6, 1, 5)]
    assert taken.rows("surveys", "survey_id", "score", "answered_at") == [("901", 5.0, at("10-04 12:00"))]
    backwards = (CONVERSATIONS, *reversed(CONVERSATION_ROWS))
    write(exports / "conversation_history_data.csv", *backwards)
    again = take("intercom")
    assert again.tables["tickets"].content_hash == taken.tables["tickets"].content_hash


def conversation(number: str, state: str, **statistics: int) -> str:
    opened = int(dt.datetime(2026, 10, 1, 8, tzinfo=dt.UTC).timestamp())
    one = {
        "type": "conversation",
        "id": number,
        "created_at": opened,
        "state": state,
        "priority": "priority",
        "admin_assignee_id": 7,
        "team_assignee_id": None,
        "source": {
            "type": "email",
            "body": "<p>hums</p>",
            "author": {"type": "user", "id": "u1", "name": "Ann"},
        },
        "statistics": {"first_admin_reply_at": None, "last_close_at": None, "count_reopens": 0}
        | {
            key: opened + 60 * minutes if key.endswith("_at") else minutes
            for key, minutes in statistics.items()
        },
        "conversation_rating": {"rating": 4, "created_at": opened + 7200} if state == "closed" else None,
    }
    return json.dumps(one)


def test_intercom_conversations_as_the_api_gives_them(exports: Path, take):
    write(
        exports / "conversations.jsonl",
        conversation("901", "closed", first_admin_reply_at=20, last_close_at=90, count_reopens=1),
        conversation("902", "open", first_admin_reply_at=5, last_close_at=30, count_reopens=1),
        conversation("903", "snoozed"),
        conversation("904", "closed", last_close_at=5).replace('"type": "user"', '"type": "admin"'),
    )
    taken = take("intercom_json")
    assert taken.rows("tickets", "ticket_id", "first_response_at", "closed_at", "reopened", "status") == [
        ("901", at("10-01 08:20"), at("10-01 09:30"), 1, "closed"),
        ("902", at("10-01 08:05"), None, 1, "open"),  # open again: when it was closed no longer holds
        ("903", None, None, 0, "pending"),
    ]
    assert taken.counts("tickets") == [(4, 2, 2), (4, 1, 3)]
    assert taken.rows("surveys", "ticket_id", "score") == [("901", 4.0), ("904", 4.0)]


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")
def test_the_incident_event_log_gives_one_ticket_each(exports: Path, take):
    shutil.copy(CASES / "incident_log" / "incident_event_log.csv", exports)
    taken = take("incident_log")
    (tickets, turns) = [one for one in taken.mapped if one.table == "tickets"]
    assert (tickets.read, tickets.mapped, tickets.left_out) == (315, 80, 235)
    assert (turns.read, turns.mapped) == (315, 315)


LOG = "number,incident_state,reopen_count,sys_mod_count,caller_id,opened_at,sys_created_at,sys_updated_at,contact_type,location,subcategory,cmdb_ci,priority,assignment_group,assigned_to,resolved_at,closed_at"
LOG_ROWS = (
    "INC1,Resolved,0,2,Caller 1,29/2/2016 01:16,?,1/3/2016 10:00,Phone,L1,S1,?,3 - Moderate,G2,R1,1/3/2016 10:00,?",
    "INC1,New,0,0,Caller 1,29/2/2016 01:16,?,29/2/2016 01:23,Phone,L1,S1,?,3 - Moderate,G1,?,?,?",
    "INC1,Active,1,3,Caller 1,29/2/2016 01:16,?,1/3/2016 10:00,Phone,L1,S1,?,3 - Moderate,G2,R1,1/3/2016 10:00,?",
    "INC1,Closed,1,10,Caller 1,29/2/2016 01:16,?,13/3/2016 10:00,Phone,L1,S1,?,2 - High,G3,R2,2/3/2016 09:00,13/3/2016 10:00",
    "INC1,Active,0,1,Caller 1,29/2/2016 01:16,?,29/2/2016 02:00,Phone,L1,S1,?,3 - Moderate,G1,?,?,?",
)


def test_the_incident_event_log_in_any_order(exports: Path, take):
    """The tenth change comes after the second and third, and two changes of one minute come by their number."""
    write(exports / "incident_event_log.csv", LOG, *LOG_ROWS)
    taken = take("incident_log")
    assert taken.rows(
        "tickets",
        "ticket_id",
        "team",
        "status",
        "resolved_at",
        "closed_at",
        "reopened",
        "reopened_at",
        "component",
    ) == [
        (
            "INC1",
            "G3",
            "closed",
            dt.datetime(2016, 3, 2, 9),
            dt.datetime(2016, 3, 13, 10),
            1,
            dt.datetime(2016, 3, 1, 10),
            None,
        )
    ]
    assert taken.rows("ticket_history", "value") == [("Active",), ("Active",), ("Closed",), ("New",)]
    write(exports / "incident_event_log.csv", LOG, LOG_ROWS[0].replace(",2,Caller", ",second,Caller"))
    with pytest.raises(
        SourceError, match=r"sys_mod_count 'second' puts the rows in order \(order\), and is neither"
    ):
        take("incident_log")


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")
def test_the_tracker_is_read_with_its_lists(exports: Path, take):
    for path in (CASES / "tracker").glob("*.csv"):
        shutil.copy(path, exports)
    taken = take("jira_tables")
    assert taken.counts("tickets")[0] == (150, 150, 0)
    (seconds,) = taken.rows("tickets", "round(sum(handling_hours) * 3600)")
    assert seconds[0] == sum(
        int(line.split(",")[11] or 0) for line in (exports / "issue.csv").read_text("utf-8").splitlines()[1:]
    )


def test_jira_tables(exports: Path, take):
    write(
        exports / "issue.csv",
        "id,key,created,resolved,assignee,reporter,project,issue_type,priority,status,summary,time_spent,parent_id",
        "1,S-1,2026-10-01 08:00:00,2026-10-03 08:00:00,u2,u1,P,3,1,3,hums,5400,",
        "2,S-2,2026-10-02 08:00:00,,,u1,P,1,2,1,bill,,1",
    )
    write(exports / "issue_type.csv", "id,name", "1,Bug", "3,Incident")
    write(exports / "priority.csv", "id,name", "1,High", "2,Low")
    write(exports / "status.csv", "id,name", "1,Open", "2,In Progress", "3,Done")
    write(exports / "user.csv", "id,name,email", "u1,Ann,a@x", "u2,Kim,k@x")
    write(
        exports / "issue_field_history.csv",
        "field_id,issue_id,time,value,author_id",
        "status,1,2026-10-01T09:00:00.000Z,2,u2",
        "status,1,2026-10-02T09:00:00.000Z,3,u2",
        "status,1,2026-10-02T10:00:00.000Z,1,u1",
        "status,1,2026-10-03T08:00:00.000Z,3,u2",
        "assignee,1,2026-10-01T09:00:00.000Z,u2,u2",
        "status,99,2026-10-01T09:00:00.000Z,3,u2",
    )
    taken = take("jira_tables")
    assert taken.rows(
        "tickets",
        "ticket_id",
        "ticket_type",
        "status",
        "priority",
        "handling_hours",
        "reopened",
        "reopened_at",
    ) == [
        ("1", "repair", "resolved", "High", 1.5, 1, at("10-02 10:00")),
        ("2", "other", "open", "Low", None, 0, None),
    ]
    assert taken.rows("customers", "customer_id", "customer_name") == [("u1", "Ann")]
    assert taken.counts("ticket_history") == [(6, 5, 1)]
    write(exports / "status.csv", "id,name", "1,Open", "2,Waiting for parts", "3,Done")
    with pytest.raises(
        SourceError, match=r"status 'Waiting for parts' is under none of open, resolved and closed"
    ):
        take("jira_tables")


def test_a_roster_by_day_becomes_months(exports: Path, take):
    write(
        exports / "roster_2026-10.csv",
        "Employee ID,Date,Department,Employment Type,Scheduled Hours,Actual Hours,Labor Cost",
        'A1,2026-10-01,East,Permanent,8:00,7:30,"1,000.00"',
        "A1,2026-10-02,East,Permanent,8:00,8:15,",
        "A2,2026-10-01,East,Agency,8:00,8:00,900",
        "A1,2026-11-02,East,Permanent,8:00,6:00,",
    )
    write(
        exports / "roster_2026-10b.csv",
        "Employee ID,Date,Department,Employment Type,Scheduled Hours,Actual Hours,Labor Cost",
        "A1,2026-10-31,East,Permanent,4:00,4:00,250.50",
        "Total,,,,40:00,33:45,2150.50",
    )
    taken = take("roster")
    assert taken.rows("staff", "agent_id", "month", "sourcing", "hours_paid", "hours_worked", "cost") == [
        ("A1", dt.date(2026, 10, 1), "in_house", 20.0, 19.75, Decimal("1250.50")),
        ("A1", dt.date(2026, 11, 1), "in_house", 8.0, 6.0, None),
        ("A2", dt.date(2026, 10, 1), "outsourced", 8.0, 8.0, Decimal("900.00")),
    ]
    assert taken.counts("staff") == [(4, 4, 0), (2, 1, 1)]
    assert "rows added to another that is alike in all but its amounts (1)" in taken.notes("staff")


def test_a_roster_by_month_in_chinese(exports: Path, take):
    rows = [
        ["工号", "月份", "部门", "用工类型", "应出勤工时", "实际工时"],
        ["1001", "２０２６年１０月", "东区售后", "外包", 168, "7:30"],
        ["1002", "2026年10月", "东区售后", "", "168.5", "150"],
    ]
    write_workbook(exports / "Roster.xlsx", {"Sheet1": rows})
    assert take("roster").rows("staff", "agent_id", "month", "sourcing", "hours_paid", "hours_worked") == [
        ("1001", dt.date(2026, 10, 1), "outsourced", 168.0, 7.5),
        ("1002", dt.date(2026, 10, 1), None, 168.5, 150.0),
    ]
