"""Days and moments: stated formats only, local times with their clock changes, the edge of a month in two zones."""

from __future__ import annotations

import datetime as dt

import pytest

from analysis.errors import ParameterError, SourceError
from analysis.sources.moments import LocalTimes, MomentReader, reader_of

TICKETS = {
    "table": "tickets",
    "file": "desk.csv",
    "columns": {"ticket_id": "id", "opened_at": "when"},
    "constants": {"ticket_type": "repair"},
}


def utc(
    formats: str,
    text: str,
    *,
    zone: str = "",
    column: str = "opened_at",
    business: str = "Asia/Shanghai",
    **options: str,
) -> str:
    local = LocalTimes(zone=zone, **options) if zone else None
    return MomentReader(column, formats, local=local, business_zone=business).text(text)


@pytest.mark.parametrize(
    "form", ["%d/%m/%Y", "%Y-%m-%d %H:%M:%S", "%m/%d/%y %H:%M", "%Y年%m月%d日", "%d.%m.%Y %H:%M:%S", "%Y%m%d"]
)
@pytest.mark.parametrize(
    "text",
    [
        "03/10/2026",
        "31/02/2026",
        "2026-10-03 09:15:07",
        "2026-10-03 24:00:00",
        "3/7/26 9:15",
        "12/31/68 00:00",
        "12/31/69 00:00",
        "2026年1月5日",
        "1.2.2026 9:00:00",
        "20261003",
        "",
        "３/10/2026",
        " 03/10/2026",
        "03/10/2026 ",
    ],
)
def test_the_fast_reader_says_what_strptime_says(form: str, text: str):
    try:
        expected = dt.datetime.strptime(text, form)
    except ValueError:
        expected = None
    if text.isascii() or "年" in text:
        assert reader_of(form)(text) == expected
    else:
        assert (
            reader_of(form)(text) is None
        )  # strptime takes full-width digits for digits; a map states them under 'numbers' only


@pytest.mark.parametrize(
    ("zone", "text", "moment"),
    [
        # 1 November 2026 begins in Shanghai at 16:00 UTC on 31 October; in New York (UTC-4) at 04:00 UTC on 1 November.
        ("Asia/Shanghai", "2026-10-31 23:59:59.999000", "2026-10-31 15:59:59.999000"),
        ("Asia/Shanghai", "2026-11-01 00:00:00.000000", "2026-10-31 16:00:00"),
        ("America/New_York", "2026-10-31 23:59:59.999000", "2026-11-01 03:59:59.999000"),
        ("America/New_York", "2026-11-01 00:00:00.000000", "2026-11-01 04:00:00"),
    ],
)
def test_the_edge_of_a_month_in_two_zones(zone: str, text: str, moment: str):
    assert utc("%Y-%m-%d %H:%M:%S.%f", text, zone=zone) == moment


def test_rows_at_the_edge_of_a_month_fall_into_the_month_of_their_business_zone(exports, take):
    lines = "id,when\nA,2026-10-31 23:59:59.999\nB,2026-11-01 00:00:00\n"
    (exports / "desk.csv").write_text(lines, encoding="utf-8")
    local = take(TICKETS | {"local_times": {"zone": "Asia/Shanghai"}})
    assert local.rows("tickets", "ticket_id", "month") == [
        ("A", dt.date(2026, 10, 1)),
        ("B", dt.date(2026, 11, 1)),
    ]
    away = take(
        TICKETS | {"local_times": {"zone": "America/New_York"}}
    )  # noon and after in Shanghai, on 1 November
    assert {row[1] for row in away.rows("tickets", "ticket_id", "month")} == {dt.date(2026, 11, 1)}


@pytest.mark.parametrize(
    ("text", "options", "moment"),
    [
        # New York, 1 November 2026: clocks go back at 02:00, so 01:30 is 05:30 UTC and again 06:30 UTC.
        ("2026-11-01 01:30", {"twice": "earlier"}, "2026-11-01 05:30:00"),
        ("2026-11-01 01:30", {"twice": "later"}, "2026-11-01 06:30:00"),
        ("2026-11-01 00:59", {}, "2026-11-01 04:59:00"),
        ("2026-11-01 02:00", {}, "2026-11-01 07:00:00"),
        # 8 March 2026: clocks go from 02:00 to 03:00; moved on by the jump, 02:30 is 03:30 there and 07:30 UTC.
        ("2026-03-08 02:30", {"skipped": "shifted"}, "2026-03-08 07:30:00"),
        ("2026-03-08 01:59", {}, "2026-03-08 06:59:00"),
        ("2026-03-08 03:00", {}, "2026-03-08 07:00:00"),
    ],
)
def test_daylight_saving_changes(text: str, options: dict[str, str], moment: str):
    assert utc("%Y-%m-%d %H:%M", text, zone="America/New_York", **options) == moment


def test_a_time_that_occurs_twice_or_never_is_set_aside_by_name_unless_it_is_stated(exports, take):
    (exports / "desk.csv").write_text(
        "id,when\n"
        + "".join(f"T{n},2026-10-0{n} 12:00\n" for n in range(1, 9))
        + "A,2026-11-01 01:30\nB,2026-03-08 02:30\n",
        encoding="utf-8",
    )
    entry = TICKETS | {"dates": {"opened_at": "%Y-%m-%d %H:%M"}, "local_times": {"zone": "America/New_York"}}
    refused = take(entry, quarantine_limit=0.5)
    assert refused.rows("tickets", "count(*)") == [(8,)]
    assert set(refused.tables.quarantine["example"]) == {
        "2026-11-01 01:30:00 in America/New_York",
        "2026-03-08 02:30:00 in America/New_York",
    }
    assert set(refused.tables.quarantine["reason"]) == {"no_such_time"}
    entry["local_times"] |= {"twice": "later", "skipped": "shifted"}
    stated = take(entry)
    assert stated.rows("tickets", "count(*)") == [(10,)]
    assert stated.notes("tickets") == [
        "opened_at: local time that occurs twice (1, e.g. '2026-11-01 01:30:00')",
        "opened_at: local time that the clocks skipped (1, e.g. '2026-03-08 02:30:00')",
    ]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-10-31T23:59:59.999Z", "2026-10-31 23:59:59.999000"),
        ("2026-10-31T23:59:59+0800", "2026-10-31 15:59:59"),
        ("2026-10-31 18:42:07.587 UTC", "2026-10-31 18:42:07.587000"),
        ("2026-10-31 09:00", "2026-10-31 09:00:00"),
        ("2026-10-31", "2026-10-31"),
        ("31.10.2026", "31.10.2026"),
    ],
)
def test_iso_with_and_without_clock_and_offset(text: str, written: str):
    assert utc("iso", text) == written


def test_epochs_are_utc():
    assert utc("epoch_s", "1793462400") == utc("epoch_ms", "1793462400000") == "2026-10-31 16:00:00"
    assert utc("epoch_ms", "soon") == "soon"


def test_a_day_is_taken_in_the_business_zone_where_the_zone_of_the_moment_is_known():
    # 20:00 UTC on the 31st is 04:00 on the 1st in Shanghai.
    assert utc("iso", "2026-10-31T20:00:00Z", column="acquired_on") == "2026-11-01"
    assert utc("iso", "2026-10-31 20:00:00", column="acquired_on", zone="UTC") == "2026-11-01"
    assert (
        utc("iso", "2026-10-31 20:00:00", column="acquired_on") == "2026-10-31"
    )  # no zone stated: the day as written
    assert utc("iso", "2026-10-31", column="acquired_on", zone="America/New_York") == "2026-10-31"


def test_day_and_month_that_cannot_be_told_apart_are_refused(exports, take):
    (exports / "desk.csv").write_text("id,when\nA,03/10/2026\nB,04/10/2026\n", encoding="utf-8")
    with pytest.raises(Exception, match="day and month cannot be told apart"):
        take(TICKETS)


def test_a_stated_format_that_holds_only_with_day_and_month_exchanged_refuses_the_file(exports, take):
    (exports / "desk.csv").write_text(
        "id,when\n" + "".join(f"T{n},{n:02d}/10/2026\n" for n in range(1, 11)) + "B,10/25/2026\n",
        encoding="utf-8",
    )
    with pytest.raises(
        SourceError,
        match=r"opened_at: 1 values such as '10/25/2026' fit '%d/%m/%Y' only with day and month exchanged, so the others may be misread",
    ):
        take(TICKETS | {"dates": {"opened_at": "%d/%m/%Y"}})


def test_mixed_formats_are_read_where_both_are_stated_and_cannot_be_confused(exports, take):
    (exports / "desk.csv").write_text("id,when\nA,2026-10-03 08:00\nB,25.10.2026 09:00\n", encoding="utf-8")
    taken = take(TICKETS | {"dates": {"opened_at": "%Y-%m-%d %H:%M | %d.%m.%Y %H:%M"}})
    assert [row[0].day for row in taken.rows("tickets", "opened_at")] == [3, 25]
    (exports / "desk.csv").write_text("id,when\nA,03/10/2026\nB,10/10/2026\n", encoding="utf-8")
    with pytest.raises(
        SourceError,
        match=r"1 values such as '03/10/2026' fit two of the stated formats .* and mean different days",
    ):
        take(TICKETS | {"dates": {"opened_at": "%d/%m/%Y | %m/%d/%Y"}})


def test_mixed_formats_that_are_not_stated_are_set_aside_by_name(exports, take):
    (exports / "desk.csv").write_text(
        "id,when\n" + "".join(f"T{n},2026-10-0{n}\n" for n in range(1, 10)) + "B,Oct 3rd\n", encoding="utf-8"
    )
    taken = take(TICKETS | {"dates": {"opened_at": "%Y-%m-%d"}}, quarantine_limit=0.2)
    assert taken.tables.quarantine[["reason", "example"]].to_numpy().tolist() == [["not_a_date", "Oct 3rd"]]


def test_an_unknown_zone_is_refused():
    with pytest.raises(ParameterError, match="time zone 'Shanghai' is unknown; write it as Asia/Shanghai"):
        LocalTimes(zone="Shanghai")
