"""A folder of tables read, proved and accounted for: hand-worked cases and the laws that hold for all of them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import multiprocessing
import os
import random
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.errors import ContractError, MissingData, ParameterError, SourceError
from analysis.periods import Month
from analysis.tables import TableSet, load_tables

TICKETS = "ticket_id,ticket_type,opened_at"
LEDGER = "posting_id,posted_on,category,amount"


# -- months and time -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time_zone", "instant", "month"),
    [
        ("Asia/Shanghai", "2026-01-31 15:59:59.999", "2026-01"),
        ("Asia/Shanghai", "2026-01-31 16:00:00", "2026-02"),
        ("America/New_York", "2026-02-01 04:59:59.999", "2026-01"),
        ("America/New_York", "2026-02-01 05:00:00", "2026-02"),
        # Summer time: New York is four hours behind from 8 March, five before.
        ("America/New_York", "2026-04-01 03:59:59.999", "2026-03"),
        ("America/New_York", "2026-04-01 04:00:00", "2026-04"),
        # The zone furthest from UTC.
        ("Pacific/Kiritimati", "2026-01-31 09:59:59.999", "2026-01"),
        ("Pacific/Kiritimati", "2026-01-31 10:00:00", "2026-02"),
        ("UTC", "2026-01-31 23:59:59.999999", "2026-01"),
        ("Asia/Shanghai", "2026-02-01", "2026-02"),
        ("America/New_York", "2026-02-01", "2026-02"),
        ("America/New_York", "2026-02-01T00:30:00+08:00", "2026-01"),
    ],
)
def test_the_month_is_that_of_the_business_time_zone(write, load, time_zone, instant, month, values):
    write("tickets.csv", TICKETS, f"T1,repair,{instant}")
    tables = load(time_zone=time_zone)
    assert tables["tickets"].months == (Month.parse(month),)
    assert values(tables, "tickets", "month") == [(Month.parse(month).start,)]


def test_tables_without_a_time_are_kept_whole_and_surveys_fall_back(write, load, values):
    write("customers.csv", "customer_id", "C2", "C1")
    write(
        "surveys.csv",
        "survey_id,kind,sent_at,answered_at",
        "S1,csat,2026-01-05 00:00,2026-02-05 00:00",
        "S2,nps,,2026-03-05 00:00",
        "S3,nps,,",
    )
    tables = load()
    assert [partition.month for partition in tables["customers"].partitions] == [None]
    assert values(tables, "customers", "customer_id") == [("C1",), ("C2",)]
    assert tables["surveys"].months == (Month(2026, 1), Month(2026, 3))
    assert tables.quarantine[["row_number", "column", "reason"]].values.tolist() == [
        [3, "sent_at", "no_month"]
    ]


def test_a_moment_before_the_opening_is_flagged_and_kept(write, load, values, failed):
    write(
        "tickets.csv",
        f"{TICKETS},first_response_at,resolved_at",
        "T1,repair,2026-01-05 10:00,2026-01-05 09:00,2026-01-06 00:00",
        "T2,repair,2026-01-05 10:00,2026-01-05 10:00,2026-01-05 10:00",
        "T3,repair,2026-01-05 10:00,,",
        "T4,repair,2026-01-05 10:00,2026-01-05 12:00,2026-01-05 11:00",
    )
    tables = load()
    assert values(tables, "tickets", "ticket_id", "time_order_fault") == [
        ("T1", True),
        ("T2", False),
        ("T3", False),
        ("T4", True),
    ]
    assert values(tables, "tickets", "first_response_at")[0] == (dt.datetime(2026, 1, 5, 9),)
    assert set(failed(tables, "tickets")) == {
        "time_order.opened_at-first_response_at",
        "time_order.first_response_at-resolved_at",
    }
    assert (
        "in 1 rows first_response_at lies before opened_at, e.g. T1"
        in failed(tables, "tickets")["time_order.opened_at-first_response_at"]
    )


# -- what becomes of a row -----------------------------------------------------------------------------------------


def test_every_row_is_accounted_for(write, load, values):
    write(
        "ledger.csv",
        f"{LEDGER},currency,recorded_at",
        "P1,2026-01-05,labour,100.00,,",
        "P2,2026-01-05,labor,100.00,,",  # a value that is not allowed: left empty
        'P3,2026-01-05,labour,"1,000.00",,',  # a mandatory value that cannot be read: the row goes
        "P4,,labour,100.00,,",
        "P5,2026-01-05,labour",  # a broken line
        "P1,2026-01-05,labour,100,,",  # the same row again, written otherwise
        "P6,2026-01-05,labour,5.00,EUR,",  # no rate
        ",2026-01-05,labour,5.00,,",  # no key
    )
    tables = load(quarantine_limit=0.9)
    (books,) = tables["ledger"].waterfall
    assert (books.rows_read, books.accepted, books.quarantined, books.exact_duplicates) == (8, 2, 5, 1)
    assert values(tables, "ledger", "posting_id", "category", "amount") == [
        ("P1", "labour", Decimal("100.00")),
        ("P2", None, Decimal("100.00")),
    ]
    listed = (
        tables.quarantine[["row_number", "scope", "column", "reason", "example"]].fillna("").values.tolist()
    )
    assert listed == [
        [2, "value", "category", "not_allowed", "labor"],
        [3, "row", "amount", "thousands_mark", "1,000.00"],
        [4, "row", "posted_on", "missing", ""],
        [5, "row", "", "too_few_columns", "P5,2026-01-05,labour"],
        [7, "row", "currency", "no_exchange_rate", "EUR"],
        [8, "row", "posting_id", "missing", ""],
    ]
    original = pq.read_table(tables.store / "_quarantine" / "ledger.parquet").to_pylist()[1]["original"]
    assert json.loads(original) == {
        "posting_id": "P3",
        "posted_on": "2026-01-05",
        "category": "labour",
        "amount": "1,000.00",
        "currency": None,
        "recorded_at": None,
    }
    assert tables.quarantine_by_reason["rows"].sum() == 6


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_a_table_may_be_tiny(write, load, rows, values, failed):
    write("ledger.csv", LEDGER, *[f"P{row},2026-01-05,parts,1.00" for row in range(rows)])
    tables = load()
    assert tables["ledger"].present
    assert tables["ledger"].rows == rows
    assert values(tables, "ledger", "count(*)") == [(rows,)]
    assert ("empty" in failed(tables, "ledger")) is (rows == 0)


def test_exact_copies_count_once_whatever_the_file(write, load, values):
    write(
        "ledger/b.csv",
        LEDGER,
        "P1,2026-01-05,parts,1.00",
        "P2,2026-01-05,parts,1.00",
        "P2,2026-01-05,parts,1.0",
    )
    write("ledger/a.csv", LEDGER + ",team", "P1,2026-01-05,parts,1.00,")
    tables = load()
    assert [(books.file, books.accepted, books.exact_duplicates) for books in tables["ledger"].waterfall] == [
        ("ledger/a.csv", 1, 0),
        ("ledger/b.csv", 1, 2),
    ]
    assert values(tables, "ledger", "posting_id", "source_file") == [
        ("P1", "ledger/a.csv"),
        ("P2", "ledger/b.csv"),
    ]


def test_a_key_with_two_stories_is_refused(write, load, store):
    write(
        "ledger.csv",
        LEDGER,
        "P1,2026-01-05,parts,1.00",
        "P2,2026-01-05,parts,1.00",
        "P2,2026-01-05,parts,1.01",
        "P1,2026-01-05,parts,1.00",
    )
    with pytest.raises(ContractError) as refusal:
        load()
    assert str(refusal.value) == (
        "ledger: 2 rows share a key and say different things. One row should be one posting_id, e.g. P2 "
        "(ledger.csv row 2 and ledger.csv row 3). Fix the extract or add an entry to params/corrections.yml."
    )
    assert not (store / "tables.json").exists()


def test_a_row_that_refers_to_nothing_is_kept_and_counted(write, load, failed):
    write("customers.csv", "customer_id", "C1")
    write(
        "tickets.csv",
        f"{TICKETS},customer_id,serial_no,parent_ticket_id",
        "T1,repair,2026-01-05,C1,S1,",
        "T2,repair,2026-01-05,C9,S2,T1",
        "T3,repair,2026-01-05,,,T8",
    )
    tables = load()
    assert tables["tickets"].rows == 3
    assert set(failed(tables, "tickets")) == {"references.customer_id", "references.parent_ticket_id"}
    assert (
        "1 rows name a row that customers does not have, e.g. 'C9'"
        in failed(tables, "tickets")["references.customer_id"]
    )
    assert [
        check.message_en for check in tables.checks if check.id == "tables.tickets.references.serial_no"
    ] == ["tickets.serial_no: not checked, because there is no table units."]


def test_a_required_reference_to_nothing_costs_the_row_and_those_that_lean_on_it(write, load, failed):
    write("products.csv", "product_id", "P1")
    write("units.csv", "serial_no,product_id,shipped_on", "S1,P1,2026-01-05", "S2,P2,2026-01-05")
    write("tickets.csv", f"{TICKETS},serial_no", "T1,repair,2026-01-05,S1", "T2,repair,2026-01-05,S2")
    tables = load()
    assert [(books.accepted, books.quarantined) for books in tables["units"].waterfall] == [(1, 1)]
    assert tables.quarantine[["table", "column", "reason", "example"]].values.tolist() == [
        ["units", "product_id", "orphan", "P2"]
    ]
    assert "references.serial_no" in failed(tables, "tickets")


def test_scores_outside_their_scale_are_left_empty(write, load, values):
    write(
        "surveys.csv",
        "survey_id,kind,sent_at,score",
        "S1,csat,2026-01-05,5",
        "S2,csat,2026-01-05,6",
        "S3,nps,2026-01-05,0",
        "S4,ces,2026-01-05,0",
    )
    assert values(load(), "surveys", "score") == [(5.0,), (None,), (0.0,), (None,)]


def test_personal_data_are_masked_in_examples(write, load):
    write("staff.csv", "agent_id,month", "Zhang San,2026-01", "Li Si,2026-13", ",2026-01")
    tables = load(quarantine_limit=0.9)
    assert "Li Si" not in tables.quarantine.to_string() + "".join(
        check.message_en + check.message_zh for check in tables.checks
    )
    write("staff.csv", "agent_id,month,hours_paid", "Zhang San,2026-01,1", "Zhang San,2026-01,2")
    with pytest.raises(ContractError, match=r"one agent_id x month, e\.g\. ••• x 2026-01-01"):
        load()


# -- money ---------------------------------------------------------------------------------------------------------


def test_money_in_another_currency_is_converted_at_the_rate_of_its_day(write, load, values):
    write(
        "ledger.csv",
        f"{LEDGER},currency",
        "P1,2026-01-31,parts,100.00,USD",
        "P2,2026-02-01,parts,100.00,usd",
        "P3,2026-02-01,parts,100.00,CNY",
        "P4,2026-02-01,parts,0.07,USD",  # 0.07 x 7.25 = 0.5075
        "P5,2025-12-31,parts,100.00,USD",
    )
    rates = {"USD": [(dt.date(2026, 2, 1), Decimal("7.25")), (dt.date(2026, 1, 1), Decimal("7.1234"))]}
    tables = load(exchange_rates=rates)
    assert values(tables, "ledger", "posting_id", "amount", "currency") == [
        ("P1", Decimal("712.34"), "CNY"),
        ("P2", Decimal("725.00"), "CNY"),
        ("P3", Decimal("100.00"), "CNY"),
        ("P4", Decimal("0.51"), "CNY"),
    ]
    assert tables.quarantine[["row_number", "reason", "example"]].values.tolist() == [
        [5, "no_exchange_rate", "USD"]
    ]
    assert [check.count for check in tables.checks if check.reason_code == "currency"] == [4]


def test_an_order_takes_the_rate_of_its_local_day(write, load, values):
    write(
        "orders.csv",
        "order_id,customer_id,ordered_at,revenue,gross_margin,currency",
        "O1,C1,2026-01-31 17:00:00,10.00,1.00,USD",
    )
    rates = {"USD": [(dt.date(2026, 1, 31), Decimal(7)), (dt.date(2026, 2, 1), Decimal(8))]}
    assert values(load(exchange_rates=rates), "orders", "revenue", "gross_margin") == [
        (Decimal("80.00"), Decimal("8.00"))
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time_zone": "Asia/Peking"}, "time zone 'Asia/Peking' is unknown"),
        ({"reporting_currency": "yuan"}, "should be an ISO 4217 code"),
        (
            {"exchange_rates": {"USD": [(dt.date(2026, 1, 1), Decimal(0))]}},
            "exchange rates of USD: .* above zero",
        ),
        ({"quarantine_limit": 1.0}, "quarantine limit 1.0 should be a share"),
    ],
)
def test_settings_that_make_no_sense_are_refused(write, load, options, message):
    write("ledger.csv", LEDGER)
    with pytest.raises(ParameterError, match=message):
        load(**options)


# -- refusals ------------------------------------------------------------------------------------------------------


def test_a_missing_column_is_named_with_the_closest_one(write, load):
    write("ledger.csv", "posting_id,posted_on,category,amonut", "P1,2026-01-05,parts,1.00")
    with pytest.raises(
        ContractError,
        match=r"ledger\.csv: column 'amount' is missing; .*Did you mean 'amonut'\? The file has: posting_id, ",
    ):
        load()


def test_a_renamed_optional_column_and_a_misnamed_file_are_pointed_out(write, load, failed):
    write("ledger.csv", f"{LEDGER},Region,remark", "P1,2026-01-05,parts,1.00,North,x")
    write("ticket.csv", TICKETS)
    tables = load()
    assert failed(tables, "ledger") == {
        "unknown_column.Region": "ledger.csv: column 'Region' is not in the contract and was not read; did you mean 'region'?"
    }
    assert [check.message_en for check in tables.checks if check.reason_code == "unknown_file"] == [
        "ticket.csv: no table has this name, so it was not read; did you mean 'tickets'?"
    ]
    assert "region" not in tables["ledger"].columns_present


def test_too_much_in_quarantine_refuses_the_load(write, load):
    good = [f"P{row},2026-01-05,parts,1.00" for row in range(98)]
    write("ledger.csv", LEDGER, *good, "X1,2026-01-05,parts,n/a")
    assert load(quarantine_limit=0.01)["ledger"].rows == 98  # one row is always forgiven
    write(
        "ledger.csv",
        LEDGER,
        *good,
        "X1,2026-01-05,parts,n/a",
        "X2,31/01/2026,parts,1.00",
        "X3,2026-01-05,parts,n/a",
    )
    with pytest.raises(ContractError) as refusal:
        load(quarantine_limit=0.01)
    assert str(refusal.value) == (
        "ledger: 3 of 101 rows cannot be used, more than the 1% that may be set aside. Most often (2 rows): ledger.amount, "
        "a word for nothing; only an empty value is empty, e.g. 'n/a' in ledger.csv row 99. Fix the extract and run again."
    )


def test_a_missing_rate_is_stated_in_the_run_not_mended_in_the_extract(write, load):
    write(
        "ledger.csv",
        f"{LEDGER},currency",
        "P1,2026-01-05,parts,1.00,",
        "P2,2026-01-05,parts,1.00,EUR",
        "P3,2026-01-06,parts,1.00,EUR",
    )
    with pytest.raises(
        ContractError,
        match=r"\(2 rows\): ledger.currency, no exchange rate for its day, e.g. 'EUR' in ledger.csv row 2. State the dated rate under exchange_rates",
    ):
        load(quarantine_limit=0.01)


def test_a_hundred_thousand_rows_of_garbage_are_refused(folder, load):
    noise = random.Random(7)
    words = ["x", "", "1e9", "2026-99-99", "NULL", "=1+1", "-", "'"]
    lines = (",".join(noise.choice(words) for _ in range(4)) for _ in range(100_000))
    (folder / "ledger.csv").write_text(LEDGER + "\n" + "\n".join(lines) + "\n")
    with pytest.raises(ContractError, match=r"ledger: (99,\d{3}|100,000) of 100,000 rows cannot be used"):
        load(quarantine_limit=0.01)


def test_damaged_pages_of_a_typed_file_are_refused(folder, load):
    path = folder / "ledger.parquet"
    rows = pa.table(
        {
            "posting_id": [f"P{i}" for i in range(5000)],
            "posted_on": ["2026-01-05"] * 5000,
            "amount": [f"{i}.00" for i in range(5000)],
        }
    )
    pq.write_table(rows, path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[60:4000] = os.urandom(0) + bytes(3940)
    path.write_bytes(bytes(content))
    with pytest.raises(
        SourceError, match=r"ledger \(ledger\.parquet\): cannot be read to its end .* Export it again"
    ):
        load()


# -- what is there -------------------------------------------------------------------------------------------------


def test_absent_tables_and_columns_are_named(write, load, values):
    write("ledger.csv", LEDGER + ",team", "P1,2026-01-05,parts,1.00,")
    tables = load()
    tables.require("ledger", "ledger.team")
    with pytest.raises(MissingData, match=r"not computed: needs surveys\.score, ledger\.region") as absent:
        tables.require("surveys.score", "ledger.amount", "ledger.region")
    assert absent.value.needs == ("surveys.score", "ledger.region")
    assert tables.has("ledger.team") and not tables.has("surveys")
    assert values(tables, "surveys", "count(*)", "count(score)") == [(0, 0)]
    with pytest.raises(ParameterError, match="Did you mean 'score'"):
        tables.has("surveys.scores")
    with pytest.raises(ParameterError, match="Did you mean 'surveys'"):
        tables.require("survey")


def test_validated_files_hold_every_column_in_its_type(write, load):
    write("tickets.csv", TICKETS, "T1,repair,2026-01-05")
    (path,) = load()["tickets"].paths
    schema = pq.read_schema(path)
    kinds = {name: str(schema.field(name).type) for name in schema.names}
    assert kinds["ticket_id"] == kinds["region"] == kinds["source_file"] == "string"
    assert kinds["opened_at"] == kinds["recorded_at"] == "timestamp[us]"
    assert (
        kinds["contacts"],
        kinds["handling_hours"],
        kinds["resolved"],
        kinds["failed_on"],
        kinds["month"],
    ) == ("int64", "double", "bool", "date32[day]", "date32[day]")
    assert kinds["time_order_fault"] == "bool"


def test_defaults_fill_what_is_absent_but_do_not_make_a_column_present(write, load, values):
    write(
        "orders.csv",
        "order_id,customer_id,ordered_at,revenue,order_type",
        "O1,C1,2026-01-05,1.00,",
        "O2,C1,2026-01-05,1.00,gift",
        "O3,C1,2026-01-05,1.00,upgrade",
    )
    tables = load()
    assert values(tables, "orders", "order_type", "line_no", "quantity") == [
        ("product", 1, 1.0),
        (None, 1, 1.0),
        ("upgrade", 1, 1.0),
    ]
    assert not tables.has("orders.quantity")


# -- content, not form ---------------------------------------------------------------------------------------------

FACTS = [
    ("P1", dt.date(2026, 1, 5), "parts", Decimal("1.50"), None),
    ("P2", dt.date(2026, 2, 5), None, Decimal("-2.00"), "北"),
    ("P3", dt.date(2026, 1, 6), "parts", Decimal("0.10"), "N"),
]
NAMES = ["posting_id", "posted_on", "category", "amount", "region"]


def test_the_same_facts_give_the_same_hash_whatever_the_form(folder, write, load, tmp_path):
    def as_lines(rows, day):
        return [
            f"{key},{on.strftime(day)},{category or ''},{amount},{region or ''}"
            for key, on, category, amount, region in rows
        ]

    write("ledger.csv", ",".join(NAMES), *as_lines(FACTS, "%Y-%m-%d"))
    plain = load(store=tmp_path / "1")
    write("ledger.csv", ",".join(NAMES), *reversed(as_lines(FACTS, "%Y/%m/%d")))
    slashes = load(store=tmp_path / "2")
    (folder / "ledger.csv").unlink()
    write("ledger/1.csv", ",".join(NAMES), *as_lines(FACTS[:2], "%Y-%m-%d 00:00:00"))
    columns = list(zip(*FACTS[2:], strict=True))
    pq.write_table(
        pa.table(
            {"amount": [0.1], **{name: list(columns[i]) for i, name in enumerate(NAMES) if name != "amount"}}
        ),
        folder / "ledger" / "2.parquet",
    )
    pieces = load(store=tmp_path / "3")
    assert plain.content_hash == slashes.content_hash == pieces.content_hash
    assert [p.content_hash for p in plain["ledger"].partitions] == [
        p.content_hash for p in pieces["ledger"].partitions
    ]


@pytest.mark.parametrize(
    "change",
    [("P1", "P4"), ("1.50", "1.51"), ("北", "南"), ("2026-01-06", "2026-01-07"), ("parts", "labour")],
)
def test_any_change_of_content_changes_the_hash(write, load, tmp_path, change):
    lines = [
        f"{key},{on},{category or ''},{amount},{region or ''}" for key, on, category, amount, region in FACTS
    ]
    write("ledger.csv", ",".join(NAMES), *lines)
    before = load(store=tmp_path / "1")
    write("ledger.csv", ",".join(NAMES), *[line.replace(*change) for line in lines])
    assert load(store=tmp_path / "2")["ledger"].content_hash != before["ledger"].content_hash


def test_the_hash_can_be_computed_by_hand(write, load):
    """A published fact names the hash of what it was computed from: it must not depend on an engine or its release."""
    write("ledger.csv", ",".join(NAMES), "P2,2026-01-05,,-2.00,北", "P1,2026-01-06,parts,1.5,")
    rows = [
        "posting_id=P1\x1fposted_on=2026-01-06\x1fcategory=parts\x1famount=1.50\x1fcurrency=CNY\x1fposting_basis=incurred\x1f",
        "posting_id=P2\x1fposted_on=2026-01-05\x1famount=-2.00\x1fcurrency=CNY\x1fregion=北\x1fposting_basis=incurred\x1f",
    ]
    digests = [hashlib.md5(row.encode()).digest() for row in rows]
    low, high = (
        sum(int.from_bytes(digest[half], "little") for digest in digests) % 2**64
        for half in (slice(0, 8), slice(8, 16))
    )
    month = hashlib.sha256(f"2:{low:016x}:{high:016x}".encode()).hexdigest()
    assert [partition.content_hash for partition in load()["ledger"].partitions] == [month]
    assert load()["ledger"].content_hash == hashlib.sha256(f"2026-01:2:{month}\n".encode()).hexdigest()


# -- again ---------------------------------------------------------------------------------------------------------


def test_nothing_changed_nothing_is_read(write, load, store, monkeypatch):
    path = write("ledger.csv", LEDGER, "P1,2026-01-05,parts,1.00")
    first = load()
    monkeypatch.setattr("analysis.tables.loading._load", lambda *_: pytest.fail("read again"))
    os.utime(path, ns=(0, 0))  # touched, but the same
    assert load().content_hash == first.content_hash == TableSet.open(store).content_hash
    assert TableSet.open(store)["ledger"] == first["ledger"]
    assert TableSet.open(store).checks == first.checks


def test_a_change_within_the_same_tick_and_size_is_seen(write, load, values):
    path = write("ledger.csv", LEDGER, "P1,2026-01-05,parts,1.00")
    load()
    before = path.stat()
    write("ledger.csv", LEDGER, "P1,2026-01-05,parts,9.00")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert values(load(), "ledger", "amount") == [(Decimal("9.00"),)]


def test_a_changed_month_replaces_that_month_only(write, load, store, values):
    def month(number: int, *amounts: str):
        write(
            f"ledger/{number}.csv",
            LEDGER,
            *[f"P{number}-{i},2026-{number:02d}-05,parts,{amount}" for i, amount in enumerate(amounts)],
        )

    for number in (1, 2, 3):
        month(number, "1.00", "2.00")
    before = {
        partition.month: (partition.path, partition.path.stat().st_mtime_ns)
        for partition in load()["ledger"].partitions
    }
    month(2, "1.00", "2.50")
    after = {
        partition.month: (partition.path, partition.path.stat().st_mtime_ns)
        for partition in load()["ledger"].partitions
    }
    assert {month for month in before if before[month] != after[month]} == {Month(2026, 2)}
    assert sorted((store / "ledger").iterdir()) == sorted(path for path, _ in after.values())


@pytest.mark.parametrize(
    "seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 40))]
)
def test_an_incremental_load_equals_a_load_from_scratch(folder, load, tmp_path, seed):
    """Months come, change, go, copy rows of each other, refer to customers that come and go, carry faults and foreign money."""
    chance = random.Random(seed)
    (folder / "orders").mkdir()

    def customers():
        count = chance.randrange(3, 7)
        (folder / "customers.csv").write_text("customer_id\n" + "".join(f"C{i}\n" for i in range(count)))

    def month(number: int):
        lines = ["order_id,customer_id,ordered_at,revenue,currency,quantity"]
        for _ in range(chance.randrange(0, 12)):
            order = chance.choice([number, number, number, 1 + number % 4]) * 100 + chance.randrange(8)
            line = f"O{order},C{order % 7},2026-{order // 100:02d}-{order % 28 + 1:02d},{order}.00,{'USD' if order % 5 == 0 else ''},{'x' if order % 7 == 1 else 1}"
            lines.append(line)
        lines += ["O,C1,bad,1.00,,1"] if chance.random() < 0.3 else []
        (folder / "orders" / f"{number}.csv").write_text("\n".join(lines) + "\n")

    rates = [(dt.date(2026, 1, 1), Decimal(7))]
    options = {"quarantine_limit": 0.99}
    customers()
    for number in (1, 2, 3, 4):
        month(number)
    for step in range(6):
        incremental = load(exchange_rates={"USD": rates}, **options)
        scratch = load(exchange_rates={"USD": rates}, store=tmp_path / f"scratch{step}", **options)
        assert incremental.content_hash == scratch.content_hash
        for name in ("orders", "customers"):
            assert incremental[name].waterfall == scratch[name].waterfall
            assert [p.path.name for p in incremental[name].partitions] == [
                p.path.name for p in scratch[name].partitions
            ]
        assert incremental.checks == scratch.checks
        assert incremental.quarantine.equals(scratch.quarantine)
        change = chance.randrange(4)
        if change == 0:
            customers()
        elif change == 1:
            rates.append((dt.date(2026, chance.randrange(1, 6), 2 + step), Decimal(7 + step)))
        elif change == 2 and (folder / "orders" / "4.csv").exists():
            (folder / "orders" / "4.csv").unlink()
        else:
            month(chance.randrange(1, 5))


def test_a_later_rate_does_not_touch_what_it_does_not_concern(write, load, monkeypatch):
    write("ledger.csv", f"{LEDGER},currency", "P1,2026-01-05,parts,1.00,USD")
    january, march = (dt.date(2026, 1, 1), Decimal(7)), (dt.date(2026, 3, 1), Decimal(8))
    load(exchange_rates={"USD": [january]})
    monkeypatch.setattr("analysis.tables.loading._load", lambda *_: pytest.fail("read again"))
    load(exchange_rates={"USD": [january, march], "EUR": [january]})


@pytest.mark.parametrize("loss", ["tables.json", "partition", "quarantine", "junk"])
def test_a_damaged_store_is_made_again(write, load, store, loss):
    write("ledger.csv", LEDGER, "P1,2026-01-05,parts,1.00", "P2,2026-01-05,parts,x")
    write("customers.csv", "customer_id", "C1")
    first = load()
    if loss == "junk":
        (store / "tables.json").write_text('{"store_version": 1, "tables": ')
    else:
        lost = {
            "tables.json": store / loss,
            "partition": first["ledger"].paths[0],
            "quarantine": store / "_quarantine" / "ledger.parquet",
        }
        lost[loss].unlink()
    write("customers.csv", "customer_id", "C1", "C2")
    again = load()
    assert again["ledger"] == first["ledger"]
    assert len(again.quarantine) == 1
    assert all(path.exists() for path in again["ledger"].paths)


def test_a_refused_load_leaves_the_last_one_standing(write, load, store, values):
    write("customers.csv", "customer_id,acquired_on", "C1,x")
    write("ledger.csv", LEDGER, "P1,2026-01-05,parts,1.00")
    first = load()
    write("customers.csv", "customer_id,acquired_on", "C1,2026-01-05", "C2,y")
    write("ledger.csv", LEDGER, "P1,2026-01-05,parts,1.00", "P1,2026-01-05,parts,2.00")
    with pytest.raises(ContractError, match="share a key"):
        load()
    standing = TableSet.open(store)
    assert standing.content_hash == first.content_hash
    assert standing.quarantine["example"].tolist() == ["x"]
    assert values(standing, "customers", "customer_id") == [("C1",)]
    write("ledger.csv", LEDGER, "P1,2026-01-05,parts,2.00")
    load()
    assert not [path.name for path in store.rglob(".*") if path.name not in (".lock",)]


def test_an_empty_store_says_so(tmp_path):
    with pytest.raises(SourceError, match=r"holds no validated tables"):
        TableSet.open(tmp_path)


def _load_and_count(folder, store, line):
    tables = load_tables(folder, store, reporting_currency="CNY", time_zone="Asia/Shanghai")
    with duckdb.connect() as connection:
        line.put(
            connection.execute(f"SELECT count(*), sum(amount) FROM {tables.scan('ledger')}").fetchall()[0]
        )


def test_two_processes_may_open_a_store_at_once(folder, write, store):
    write("ledger.csv", LEDGER, *[f"P{i},2026-{i % 12 + 1:02d}-05,parts,1.00" for i in range(1200)])
    spawn = multiprocessing.get_context("fork")
    line = spawn.Queue()
    workers = [spawn.Process(target=_load_and_count, args=(folder, store, line)) for _ in range(3)]
    for worker in workers:
        worker.start()
    answers = [line.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert answers == [(1200, Decimal("1200.00"))] * 3


def test_rows_lie_sorted_by_key_and_names_are_data(write, load, values):
    write(
        "ledger.csv",
        LEDGER + ",team",
        *[f'P{i},2026-01-05,parts,1.00,"\'; DROP TABLE x; --"' for i in (3, 1, 2)],
    )
    assert values(load(), "ledger", "posting_id", "team") == [
        (f"P{i}", "'; DROP TABLE x; --") for i in (1, 2, 3)
    ]


@pytest.mark.parametrize("table", ["ledger", "parts_used"])
def test_sorting_in_portions_changes_nothing(write, load, tmp_path, monkeypatch, table):
    chance = random.Random(3)
    keys = chance.sample(range(100_000), 700)
    if table == "ledger":
        write("ledger.csv", LEDGER, *[f"P{key},2026-{chance.choice('1113')}-05,parts,1.00" for key in keys])
    else:
        write("parts_used.csv", "ticket_id,part_no,quantity", *[f"T{key % 90},X{key},1" for key in keys])
    whole = load(store=tmp_path / "whole")
    monkeypatch.setattr("analysis.tables.writing.SORTED_AT_ONCE", 100)
    portions = load(store=tmp_path / "portions")
    assert [path.read_bytes() for path in portions[table].paths] == [
        path.read_bytes() for path in whole[table].paths
    ]
    assert portions[table].content_hash == whole[table].content_hash
