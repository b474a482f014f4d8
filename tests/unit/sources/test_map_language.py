"""What a map can say besides columns, each by hand: moments and how long it took, lookups of lookups, the order of a log, titles, levels and sums."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.errors import ContractError, ParameterError, SourceError
from analysis.sources.comparing import compares
from analysis.sources.durations import clock_hours, later
from analysis.sources.keys import Keys
from analysis.sources.patterns import part_of
from analysis.sources.rowmapping import in_order

from .conftest import stated, write_workbook

TICKETS = {
    "table": "tickets",
    "file": "t.csv",
    "columns": {"ticket_id": "id", "opened_at": "opened"},
    "constants": {"ticket_type": "repair"},
}
LEDGER = {
    "table": "ledger",
    "file": "gl*.csv",
    "columns": {"posting_id": "no", "posted_on": "day", "amount": "net"},
}


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-{text}")


def write(path: Path, *lines: str) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


# ---------------------------------------------------------------- a moment and how long it took


def test_minutes_to_the_first_reply_give_its_moment(exports: Path, take):
    write(
        exports / "t.csv",
        "id,opened,reply,solve",
        "A,2026-10-01 08:00:00,90,25:30:15",
        'B,2026-10-01 08:00:00,"1,440",',
        "C,2026-10-01 08:00:00,0.5,0:05",
        "D,2026-10-01 08:00:00,,",
    )
    entry = TICKETS | {
        "after": {
            "first_response_at": {"start": "opened", "lasts": "reply", "unit": "minutes"},
            "resolved_at": {"start": "opened", "lasts": "solve", "unit": "clock"},
        }
    }
    assert take(entry).rows("tickets", "ticket_id", "first_response_at", "resolved_at") == [
        ("A", at("10-01 09:30"), at("10-02 09:30:15")),
        ("B", at("10-02 08:00"), None),
        ("C", at("10-01 08:00:30"), at("10-01 08:05")),
        ("D", None, None),
    ]


def test_how_long_it_took_is_counted_by_the_clock_that_never_changes(exports: Path, take):
    """Two hours after 01:30 on the night on which clocks go back is 02:30 by the wall."""
    write(exports / "t.csv", "id,opened,seconds", "A,25.10.2026 01:30,7200")
    entry = TICKETS | {
        "dates": {"opened_at": "%d.%m.%Y %H:%M", "first_response_at": "%d.%m.%Y %H:%M"},
        "local_times": {"zone": "Europe/Berlin"},
        "after": {"first_response_at": {"start": "opened", "lasts": "seconds", "unit": "seconds"}},
    }
    assert take(entry).rows("tickets", "opened_at", "first_response_at") == [
        (at("10-24 23:30"), at("10-25 01:30"))
    ]


def test_a_duration_that_is_none_is_passed_on_with_its_text(exports: Path, take, tmp_path: Path):
    write(exports / "t.csv", "id,opened,reply", "A,2026-10-01 08:00:00,soon")
    entry = TICKETS | {"after": {"first_response_at": {"start": "opened", "lasts": "reply", "unit": "hours"}}}
    assert take(entry).rows("tickets", "ticket_id", "first_response_at") == [("A", None)]
    written = (tmp_path / "mapped" / "tickets" / "0-t.csv.csv").read_text("utf-8")
    assert "2026-10-01 08:00:00 and soon" in written
    missing = TICKETS | {
        "after": {"first_response_at": {"start": "opened", "lasts": "rply", "unit": "hours"}}
    }
    with pytest.raises(SourceError, match=r"column 'rply' is not there.*Did you mean 'reply'"):
        take(missing)
    assert "first_response_at: not in the file" in take(missing | {"optional": ["first_response_at"]}).notes(
        "tickets"
    )


@pytest.mark.parametrize(
    ("lasts", "unit", "moment"),
    [
        ("86400", "seconds", "2026-10-02 08:00:00"),
        ("1500", "milliseconds", "2026-10-01 08:00:01.500000"),
        ("-1", "days", "2026-09-30 08:00:00"),
        ("100:00", "clock", "2026-10-05 12:00:00"),
        ("1:75", "clock", "2026-10-01 08:00:00 and 1:75"),
        ("1e99", "days", "2026-10-01 08:00:00 and 1e99"),
        ("99999999999", "days", "2026-10-01 08:00:00 and 99999999999"),
    ],
)
def test_a_moment_later(lasts: str, unit, moment: str):
    assert later("2026-10-01 08:00:00", lasts, unit) == moment


@pytest.mark.parametrize(
    ("text", "hours"),
    [("7:30", "7.5"), ("168:15:00", "168.25"), ("0:00", "0"), ("8", "8"), ("8:60", "8:60"), ("", "")],
)
def test_hours_with_colons(text: str, hours: str):
    assert clock_hours(text) == hours


# ---------------------------------------------------------------- other files


def test_a_lookup_of_a_lookup_and_a_rule_on_what_was_found(exports: Path, take):
    """Jira's status belongs to one of three categories, whatever a project calls it."""
    write(
        exports / "t.csv",
        "id,opened,status",
        "A,2026-10-01,10",
        "B,2026-10-01,11",
        "C,2026-10-01,12",
        "D,2026-10-01,99",
    )
    write(
        exports / "status.csv",
        "id,name,status_category_id",
        "10,Wartet auf Teile,2",
        "11,Erledigt,3",
        "12,Abgelehnt,3",
    )
    write(exports / "status_category.csv", "id,name", "2,In Progress", "3,Done")
    found = {
        "category_id": {"file": "status.csv", "by": "status", "key": "id", "take": "status_category_id"},
        "category": {"file": "status_category.csv", "by": "category_id", "key": "id", "take": "name"},
    }
    entry = TICKETS | {"found": found, "values": {"status": {"In Progress": "open", "Done": "closed"}}}
    entry |= {"columns": TICKETS["columns"] | {"status": "category"}}
    assert take(entry).rows("tickets", "ticket_id", "status") == [
        ("A", "open"),
        ("B", "closed"),
        ("C", "closed"),
        ("D", None),
    ]
    done = take(entry | {"only": {"category": ["Done"]}})
    assert done.counts("tickets") == [(4, 2, 2)]


def test_a_log_looks_its_states_up_in_two_steps(exports: Path, take):
    write(exports / "t.csv", "id,opened", "A,2026-10-01 08:00:00")
    write(exports / "log.csv", "ticket,at,state", "A,2026-10-01 09:00:00,10", "A,2026-10-02 09:00:00,11")
    write(exports / "status.csv", "id,cat", "10,2", "11,3")
    write(exports / "cat.csv", "id,name", "2,open", "3,closed")
    log = {
        "file": "log.csv",
        "ticket": "ticket",
        "at": "at",
        "lookups": {
            "cat": {"file": "status.csv", "by": "state", "key": "id", "take": "cat"},
            "word": {"file": "cat.csv", "by": "cat", "key": "id", "take": "name"},
        },
        "status": "word",
        "open": ["open"],
        "closed": ["closed"],
        "gives": {"closed_at": "closed_at"},
    }
    assert take(TICKETS | {"events": [log]}).rows("tickets", "closed_at") == [(at("10-02 09:00"),)]


def test_a_lookup_by_several_columns(exports: Path, take):
    write(exports / "gl.csv", "co,doc,net", "1,7,5", "2,7,6", "1,8,7")
    write(exports / "heads.csv", "company,number,day", "1,7,2026-10-01", "2,7,2026-10-02")
    entry = {
        "table": "ledger",
        "file": "gl.csv",
        "columns": {"amount": "net"},
        "joined": {"posting_id": ["co", "doc"]},
        "lookups": {
            "posted_on": {"file": "heads.csv", "by": "co + doc", "key": "company + number", "take": "day"}
        },
    }
    taken = take(entry, quarantine_limit=0.5)
    assert taken.rows("ledger", "posting_id", "posted_on") == [
        ("1-7", dt.date(2026, 10, 1)),
        ("2-7", dt.date(2026, 10, 2)),
    ]
    write(exports / "heads.csv", "company,number,day", "1,7,2026-10-01", "1,7,2026-10-02")
    with pytest.raises(SourceError, match=r"company \+ number '1, 7' stands twice with different day"):
        take(entry)
    with pytest.raises(
        ParameterError, match=r"by \(co\) and key \(company \+ number\) should name as many columns"
    ):
        stated(entry | {"lookups": {"posted_on": entry["lookups"]["posted_on"] | {"by": "co"}}})


# ---------------------------------------------------------------- logs


LOG = {"file": "log.csv", "ticket": "ticket", "at": "at", "value": "team"}


def test_the_first_and_the_last_value_in_a_log(exports: Path, take):
    write(
        exports / "t.csv",
        "id,opened",
        "A,2026-10-01 08:00:00",
        "B,2026-10-01 08:00:00",
        "C,2026-10-01 08:00:00",
    )
    write(
        exports / "log.csv",
        "ticket,at,team",
        "A,2026-10-03 08:00:00,West",
        "A,2026-10-01 08:00:00,",
        "A,2026-10-02 08:00:00,East",
        "A,2026-10-04 08:00:00,",
        "B,2026-10-02 08:00:00,",
    )
    taken = take(TICKETS | {"events": [LOG | {"gives": {"team": "first_value", "component": "last_value"}}]})
    assert taken.rows("tickets", "ticket_id", "team", "component") == [
        ("A", "East", "West"),
        ("B", None, None),
        ("C", None, None),
    ]
    with pytest.raises(ParameterError, match=r"rule 'last_value' needs the column whose value is meant"):
        stated(TICKETS | {"events": [LOG | {"value": "", "gives": {"team": "last_value"}}]})


@pytest.mark.parametrize(
    ("order", "lines", "last"),
    [
        ("", ("A,2026-10-01 08:00:00,x,2", "A,2026-10-01 08:00:00,y,10"), "y"),
        ("newest_first", ("A,2026-10-01 08:00:00,x,2", "A,2026-10-01 08:00:00,y,10"), "x"),
        ("number", ("A,2026-10-01 08:00:00,x,10", "A,2026-10-01 08:00:00,y,9"), "x"),
    ],
)
def test_events_of_one_moment_stand_in_the_stated_order(
    exports: Path, take, order: str, lines: tuple[str, ...], last: str
):
    write(exports / "t.csv", "id,opened", "A,2026-10-01 08:00:00")
    write(exports / "log.csv", "ticket,at,team,number", *lines)
    taken = take(TICKETS | {"events": [LOG | {"order": order, "gives": {"team": "last_value"}}]})
    assert taken.rows("tickets", "team") == [(last,)]


ROWS = ("A,2026-10-01,x,10,2026-10-03", "A,2026-10-01,y,9,2026-10-05", "A,2026-10-01,z,11,2026-10-01")


@pytest.mark.parametrize(
    ("which", "order", "team"),
    [
        ("last_of", "", "z"),
        ("first_of", "", "x"),
        ("last_of", "newest_first", "x"),
        ("first_of", "newest_first", "z"),
        ("last_of", "number", "z"),
        ("first_of", "number", "y"),
        ("last_of", "changed", "y"),
        ("first_of", "changed", "z"),
    ],
)
@pytest.mark.parametrize("apart", [False, True], ids=["one file", "a file each"])
def test_of_a_log_the_first_or_last_row_by_the_stated_order(
    exports: Path, take, which: str, order: str, team: str, apart: bool
):
    head = "id,opened,team,number,changed"
    if apart:
        for number, row in enumerate(ROWS):
            write(exports / f"t{number}.csv", head, row)
    else:
        write(exports / "t.csv", head, *ROWS)
    entry = TICKETS | {"file": "t*.csv", which: ["ticket_id"], "order": order}
    entry |= {"columns": TICKETS["columns"] | {"team": "team"}}
    taken = take(entry)
    assert taken.rows("tickets", "ticket_id", "team") == [("A", team)]
    assert sum(one.left_out for one in taken.mapped) == 2


def test_order_reads_a_date_as_the_map_reads_it(exports: Path, take):
    """2 November comes after 13 October, and two rows of one place are told by the first."""
    write(exports / "t.csv", "id,opened,team", "A,02/11/2026,x", "A,13/10/2026,y", "A,02/11/2026,z")
    entry = TICKETS | {"last_of": ["ticket_id"], "order": "opened", "dates": {"opened_at": "%d/%m/%Y"}}
    entry |= {"columns": TICKETS["columns"] | {"team": "team"}}
    assert take(entry).rows("tickets", "team") == [("x",)]
    with pytest.raises(ParameterError, match="order: says nothing without first_of or last_of"):
        stated(TICKETS | {"order": "opened"})


def test_numbers_and_moments_sort_as_they_are():
    assert sorted(["10", "9", "0100"], key=lambda text: in_order(text, "n", "f")) == ["9", "10", "0100"]
    with pytest.raises(SourceError, match="neither a whole number nor a moment"):
        in_order("1.5", "n", "f")


def test_keys_keep_the_largest_or_the_smallest_in_memory_and_on_disk(tmp_path: Path):
    for most in (100, 1):
        keys = Keys(tmp_path / str(most), most=most)
        for key, value in (("a", "2"), ("b", "5"), ("a", "3"), ("a", "1"), ("c", "1"), ("b", "4")):
            keys.keep(key, value, largest=True)
        assert [keys.get(key) for key in "abc"] == ["3", "5", "1"]
        keys.keep("a", "0", largest=False)
        assert keys.get("a") == "0"
        keys.close()


# ---------------------------------------------------------------- rows


@pytest.mark.parametrize(
    ("rule", "kept"),
    [("> 0", ["1"]), (">= 0", ["1", "3"]), ("!= 0", ["1", "2"]), ("< -10", ["2"]), ("= 1234.5", ["1"])],
)
def test_rows_are_compared_with_a_number(exports: Path, take, rule: str, kept: list[str]):
    write(
        exports / "gl.csv",
        "no,day,net",
        '1,2026-10-01,"1,234.50"',
        "2,2026-10-01,34.50-",
        "3,2026-10-01,0.00",
        "4,2026-10-01,",
    )
    taken = take(LEDGER | {"where": {"net": rule}, "numbers": ["amount"]})
    assert [row[0] for row in taken.rows("ledger", "posting_id")] == kept
    assert taken.counts("ledger") == [(4, len(kept), 4 - len(kept))]


def test_rows_are_compared_with_a_day(exports: Path, take):
    write(exports / "gl.csv", "no,day,net", "1,2026-09-30,5", "2,2026-10-01 00:00:00,6", "3,2026-10-02,7")
    taken = take(LEDGER | {"where": {"day": ">= 2026-10-01"}})
    assert [row[0] for row in taken.rows("ledger", "posting_id")] == ["2", "3"]
    assert compares(dt.datetime(2026, 10, 1, 5), "<= 2026-10-01", "day", ".")
    write(exports / "gl.csv", "no,day,net", "1,01.10.2026,5")
    with pytest.raises(SourceError, match=r"day: '01\.10\.2026' is not a day written as 2026-10-31"):
        take(LEDGER | {"where": {"day": ">= 2026-10-01"}})
    with pytest.raises(SourceError, match=r"net: 'n/a' is not a number"):
        compares("n/a", "> 0", "net", ".")
    for wrong in ("0", "> ", "> abc", ">= 2026-13-01", "=> 1"):
        with pytest.raises(ParameterError, match="should compare with a number or a day"):
            stated(LEDGER | {"where": {"net": wrong}})


def test_only_the_lowest_of_accounts_in_levels(exports: Path, take):
    lines = ["6401,110", "6401.01,100", "6401.01.02,100", "6401.02,10", "6601,7", "66,7", "合计,"]
    write(exports / "gl.csv", "no,net", *lines)
    entry = {
        "table": "gl_totals",
        "file": "gl.csv",
        "columns": {"account": "no", "amount": "net"},
        "constants": {"month": "2026-10", "measure": "after_sales_cost"},
        "lowest": "no",
    }
    taken = take(entry)
    assert taken.rows("gl_totals", "account", "amount") == [
        ("6401.01.02", Decimal("100.00")),
        ("6401.02", Decimal("10.00")),
        ("6601", Decimal("7.00")),
    ]
    assert taken.counts("gl_totals") == [(7, 3, 4)]


def test_amounts_alike_in_all_else_are_added_up_exactly(exports: Path, take):
    entry = {
        "table": "gl_totals",
        "file": "gl*.csv",
        "columns": {"account": "no", "amount": "net"},
        "constants": {"month": "2026-10", "measure": "after_sales_cost"},
        "summed": ["amount"],
    }
    write(exports / "gl1.csv", "no,net", *["6401,0.10"] * 30, "6402,1")
    write(exports / "gl2.csv", "no,net", "6401,-0.01", "6403,2", "6402,")
    taken = take(entry)
    assert taken.rows("gl_totals", "account", "amount") == [
        ("6401", Decimal("2.99")),
        ("6402", Decimal("1.00")),
        ("6403", Decimal("2.00")),
    ]
    assert taken.counts("gl_totals") == [(31, 31, 0), (3, 3, 0)]
    write(exports / "gl2.csv", "no,net", "6401,abc", "6401,abc")
    with pytest.raises(ContractError, match="2 of 4 rows cannot be used.*abc"):
        take(entry)
    with pytest.raises(ParameterError, match="summed: goes with neither events nor last_of"):
        stated(entry | {"last_of": ["account"]})


def test_sums_are_the_same_when_the_files_are_read_again(exports: Path, take):
    """A month that comes later adds to what stands; files that did not change are not counted twice."""
    entry = {
        "table": "gl_totals",
        "file": "gl*.csv",
        "columns": {"account": "no", "amount": "net"},
        "constants": {"month": "2026-10", "measure": "after_sales_cost"},
        "summed": ["amount"],
    }
    write(exports / "gl1.csv", "no,net", "6401,1", "6401,2")
    assert take(entry).rows("gl_totals", "amount") == [(Decimal("3.00"),)]
    assert take(entry).rows("gl_totals", "amount") == [(Decimal("3.00"),)]
    write(exports / "gl2.csv", "no,net", "6401,4")
    assert take(entry).rows("gl_totals", "amount") == [(Decimal("7.00"),)]
    (exports / "gl1.csv").unlink()
    assert take(entry).rows("gl_totals", "amount") == [(Decimal("4.00"),)]


# ---------------------------------------------------------------- how a file is written


@pytest.mark.parametrize(
    ("patterns", "text", "part"),
    [
        (["As of {}"], "As  of October 31, 2026", "October 31, 2026"),
        (["期间：{%Y年%m期}"], "期间:２０２６年10期", "2026年10期"),
        (["{#} *"], "6100 Service parts", "6100"),
        (["{#} *"], "Service parts", None),
        (["*: {#} *", "{#} *"], "6000 Operating : 6100 Parts : 6110 Filters", "6110"),
        (["*({#})"], "Rent (Office) (469)", "469"),
        (["*_{%Y-%m}"], "S_ALR_87012277_2026-10", "2026-10"),
        (["*_{%Y-%m}"], "S_ALR_87012277", None),
        (["*余额表{%Y%m}"], "科目余额表202610", "202610"),
        (["*余额表{%Y%m}"], "科目余额表20261031", None),
        (["{%B %Y}"], "OCTOBER 2026", "OCTOBER 2026"),
        (["{%B %Y}"], "January - October 2026", None),
        (["C*{}"], "C.D", "D"),
    ],
)
def test_a_part_of_a_text_is_told_by_what_stands_around_it(patterns: list[str], text: str, part: str | None):
    assert part_of(text, patterns) == part


@pytest.mark.parametrize("pattern", ["no braces", "{} and {}", "{%Q}", "{x}"])
def test_a_pattern_that_names_no_part_or_two_does_not_load(pattern: str):
    with pytest.raises(ParameterError, match="should say once which part is meant"):
        stated(LEDGER | {"cut": {"no": [pattern]}})


def test_what_a_title_says_twice_and_differently_is_refused(exports: Path, take):
    entry = LEDGER | {"header_has": ["no", "net"], "stated_once": {"day": ["Day {}"]}}
    write(exports / "gl.csv", "Day 2026-10-01", "made,Day 2026-10-01", "no,net", "1,5")
    assert take(entry).rows("ledger", "posted_on") == [(dt.date(2026, 10, 1),)]
    write(exports / "gl.csv", "Day 2026-10-01", "made,Day 2026-10-02", "no,net", "1,5")
    with pytest.raises(SourceError, match=r"'2026-10-01' and '2026-10-02' could both be it"):
        take(entry)
    write(exports / "gl.csv", "no,net", "1,5")
    with pytest.raises(SourceError, match=r"as Day \{\}; neither says it\. Rename the file so that it does"):
        take(entry)
    (exports / "gl.csv").rename(exports / "gl-Day 2026-10-03.csv")
    assert take(entry | {"stated_once": {"day": ["*Day {}"]}}).rows("ledger", "posted_on") == [
        (dt.date(2026, 10, 3),)
    ]


def test_a_line_of_another_width_stays_one_when_columns_are_added(exports: Path, take):
    """A line with one field too many must not pass for a row because the map adds a column to it."""
    write(exports / "heads.csv", "id,team", "1,East")
    entry = LEDGER | {
        "stated_once": {"unit": ["{}"]},
        "counted": {"line": ["day"]},
        "found": {"team": {"file": "heads.csv", "by": "no", "key": "id", "take": "team"}},
        "columns": LEDGER["columns"] | {"team": "team"},
    }
    for extra in range(1, 5):
        write(
            exports / "gl.csv",
            "no,day,net",
            "1,2026-10-01,5",
            f"2,2026-10-01,6{',x' * extra}",
            "3,2026-10-01",
        )
        taken = take(entry, quarantine_limit=0.9)
        assert taken.rows("ledger", "posting_id", "team") == [("1", "East")]
        assert taken.tables["ledger"].waterfall[0].quarantined == 2


def test_periods_side_by_side_become_rows(exports: Path, take):
    write(exports / "gl.csv", "no,year,jan,feb", "6401,2026,5,6", "6402,2026,,7", "6403,2026,1")
    entry = {
        "table": "gl_totals",
        "file": "gl.csv",
        "spread": {"label": "period", "value": "net", "columns": {"jan": "01", "feb": "02"}},
        "columns": {"account": "no", "amount": "net"},
        "joined": {"month": ["year", "period"]},
        "constants": {"measure": "after_sales_cost"},
        "without": {"net": [""]},
    }
    taken = take(entry, quarantine_limit=0.9)
    assert taken.rows("gl_totals", "account", "month", "amount") == [
        ("6401", dt.date(2026, 1, 1), Decimal("5.00")),
        ("6401", dt.date(2026, 2, 1), Decimal("6.00")),
        ("6402", dt.date(2026, 2, 1), Decimal("7.00")),
    ]
    assert taken.counts("gl_totals") == [(5, 4, 1)]
    with pytest.raises(SourceError, match="column 'mar' is not there"):
        take(entry | {"spread": entry["spread"] | {"columns": {"mar": "03"}}})


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_header_in_two_lines(exports: Path, take, kind: str):
    rows = [
        ["Accounts"],
        ["code", "name", "opening", None, "period", None],
        [None, None, "debit", "credit", "debit", "credit"],
        ["6401", "parts", 1, 2, 3, 4],
    ]
    if kind == "csv":
        write(
            exports / "gl.csv", *(",".join("" if cell is None else str(cell) for cell in row) for row in rows)
        )
    else:
        write_workbook(exports / "gl.xlsx", {"s": rows}, merged=["A2:A3", "C2:D2", "E2:F2"])
    entry = {
        "table": "gl_totals",
        "file": "gl.*",
        "header_has": ["code", "perioddebit"],
        "header_lines": 2,
        "columns": {"account": "code", "amount": "perioddebit"},
        "less": {"amount": "periodcredit"},
        "constants": {"month": "2026-10", "measure": "after_sales_cost"},
    }
    assert take(entry).rows("gl_totals", "account", "amount") == [("6401", Decimal("-1.00"))]


def test_folders_name_a_column_of_files_of_every_kind(exports: Path, take):
    for month in ("2026-09", "2026-10"):
        folder = exports / f"month={month}"
        folder.mkdir()
        write(folder / "part.csv", "account,net", "6401,5", "6402,6,7")
    entry = {
        "table": "gl_totals",
        "file": "**/*.csv",
        "columns": {"account": "account", "amount": "net", "month": "month"},
        "constants": {"measure": "after_sales_cost"},
    }
    taken = take(entry, quarantine_limit=0.9)
    assert taken.rows("gl_totals", "month", "account") == [
        (dt.date(2026, 9, 1), "6401"),
        (dt.date(2026, 10, 1), "6401"),
    ]
    write(exports / "month=2026-10" / "part.csv", "account,net,month", "6401,5,2026-11")
    with pytest.raises(
        SourceError, match="month is '2026-11' in the file and '2026-10' in its folder's name"
    ):
        take(entry)


def test_several_patterns_name_the_files_once(exports: Path, take):
    write(exports / "gl-a.csv", "no,day,net", "1,2026-10-01,5")
    write(exports / "ledger-b.csv", "no,day,net", "2,2026-10-01,6")
    taken = take(LEDGER | {"file": "gl*.csv | *-a.csv | ledger*.csv"})
    assert taken.counts("ledger") == [(1, 1, 0), (1, 1, 0)]
    with pytest.raises(ParameterError, match=r"file '\.\./gl\.csv' leaves the data folder"):
        stated(LEDGER | {"file": "gl.csv | ../gl.csv"})


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%Y-%m-%d %H:%M", "２０２６-１０-０３ ０９：１５"),
        ("%Y年%m月%d日 %H：%M", "2026年10月3日 9：15"),
        ("%d/%m/%Y %H:%M", "０３／１０／２０２６ 09:15"),
        ("iso", "２０２６－１０－０３ ０９：１５：００"),
    ],
)
def test_full_width_digits_in_dates(exports: Path, take, form: str, text: str):
    write(exports / "t.csv", "id,opened", f"A,{text}")
    assert take(TICKETS | {"dates": {"opened_at": form}}).rows("tickets", "opened_at") == [
        (at("10-03 09:15"),)
    ]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%Y%m", "202610"),
        ("%m/%Y", "10/2026"),
        ("%Y年%m月", "2026年10月"),
        ("%b %Y", "Oct 2026"),
        ("%d.%m.%Y", "31.10.2026"),
    ],
)
def test_a_month_without_a_day(exports: Path, take, form: str, text: str):
    write(exports / "gl.csv", "account,month,net", f"6401,{text},5")
    entry = {
        "table": "gl_totals",
        "file": "gl.csv",
        "columns": {"account": "account", "month": "month", "amount": "net"},
        "constants": {"measure": "after_sales_cost"},
        "dates": {"month": form},
    }
    assert take(entry).rows("gl_totals", "month") == [(dt.date(2026, 10, 1),)]


def test_a_day_needs_its_day(exports: Path, take):
    write(exports / "gl.csv", "no,day,net", "1,2026-10,5")
    with pytest.raises(ContractError, match="2026-10"):
        take(LEDGER | {"dates": {"posted_on": "%Y-%m"}})


@pytest.mark.parametrize(
    "key",
    [{"found": {}}, {"lowest": "no"}, {"summed": ["amount"]}, {"order": "no", "first_of": ["posting_id"]}],
)
def test_a_query_does_so_itself(key: dict):
    entry = {key: value for key, value in LEDGER.items() if key != "file"} | {
        "url_from": "AFTER_SALES_GL_URL",
        "query": "SELECT no, day, net FROM gl",
    }
    if not key.get("found", True):
        key = {"found": {"team": {"file": "a.csv", "by": "no", "key": "id", "take": "team"}}}
    with pytest.raises(ParameterError, match="found, lowest, summed and order are for files"):
        stated(entry | key)
