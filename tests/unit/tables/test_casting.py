"""What a value is read as, and why another is not: one line a case."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import duckdb
import pytest

from analysis.tables import ColumnContract
from analysis.tables.casting import cast

READABLE = [
    ("string", "  X 200 ", "X 200"),
    ("string", "NULL", "NULL"),
    ("integer", "12", 12),
    ("integer", "-7", -7),
    ("integer", "12.0", 12),
    ("decimal", "1234.5", Decimal("1234.50")),
    ("decimal", "-0.10", Decimal("-0.10")),
    ("decimal", "12.3400", Decimal("12.34")),
    ("decimal", ".5", Decimal("0.50")),
    ("decimal", "0.30000000000000004", Decimal("0.30")),  # three times 0.1 in binary
    ("decimal", "1234.5599999999999", Decimal("1234.56")),
    ("decimal", "9999999999999999.99", Decimal("9999999999999999.99")),
    ("float", "1e-3", 0.001),
    ("float", "-12.5", -12.5),
    ("boolean", "TRUE", True),
    ("boolean", "0", False),
    ("boolean", "1.0", True),
    ("date", "2026-10-31", dt.date(2026, 10, 31)),
    ("date", "2026/1/5", dt.date(2026, 1, 5)),
    ("date", "2026-10-31 00:00:00", dt.date(2026, 10, 31)),
    ("date", "2024-02-29", dt.date(2024, 2, 29)),
    ("timestamp", "2026-10-31 08:05:00", dt.datetime(2026, 10, 31, 8, 5)),
    ("timestamp", "2026-10-31T08:05", dt.datetime(2026, 10, 31, 8, 5)),
    ("timestamp", "2026-10-31T08:05:00.25Z", dt.datetime(2026, 10, 31, 8, 5, 0, 250_000)),
    ("timestamp", "2026-10-31T08:05:00+08:00", dt.datetime(2026, 10, 31, 0, 5)),
    ("timestamp", "2026-10-31 08:05:00 +0530", dt.datetime(2026, 10, 31, 2, 35)),
    ("timestamp", "2026-10-31", dt.datetime(2026, 10, 30, 16, 0)),  # midnight in Shanghai
    ("timestamp", "2026-10-31 23:59:59.999999", dt.datetime(2026, 10, 31, 23, 59, 59, 999_999)),
]

UNREADABLE = [
    ("integer", "12.5", "not_a_whole_number"),
    ("integer", "1e3", "scientific_notation"),
    ("integer", "NA", "null_word"),
    ("integer", "0x1f", "not_a_number"),
    ("integer", "1_000", "not_a_number"),
    ("decimal", "1,234.50", "thousands_mark"),
    ("decimal", "1’234.50", "thousands_mark"),
    ("decimal", "1.234,50", "decimal_comma"),
    ("decimal", "12,5", "decimal_comma"),
    ("decimal", "1e5", "scientific_notation"),
    ("decimal", "(1234.50)", "accounting_negative"),
    ("decimal", "¥12", "not_a_number"),
    ("decimal", "12.345", "more_than_two_decimals"),
    ("decimal", "10000000000000000.00", "too_large"),
    ("decimal", "-", "null_word"),
    ("float", "nan", "null_word"),
    ("float", "inf", "not_a_number"),
    ("float", "1e999", "scientific_notation"),
    ("boolean", "ja", "not_true_or_false"),
    ("date", "31/10/2026", "day_and_month_unclear"),
    ("date", "31.02.2026", "no_such_time"),  # no order of day and month makes it a day
    ("timestamp", "31.02.2026 10:00", "no_such_time"),
    ("date", "2026-02-30", "no_such_time"),
    ("date", "2026-10-31 14:00:00", "no_such_time"),
    ("date", "20261031", "not_a_date"),
    ("date", "1900-01-01", "impossible_date"),
    ("date", "2999-12-31", "impossible_date"),
    ("date", "epoch", "not_a_date"),
    ("timestamp", "2026-10-31 25:00:00", "no_such_time"),
    ("timestamp", "10/11/2026 08:00", "day_and_month_unclear"),
    ("timestamp", "infinity", "not_a_date"),
]


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as connection:
        connection.execute("LOAD icu; SET TimeZone = 'UTC'")
        yield connection


def read(
    connection, column: ColumnContract, value: str, source_type: str = "VARCHAR"
) -> tuple[object, str | None]:
    reading = cast(
        column,
        source_type,
        time_zone="Asia/Shanghai",
        earliest=dt.date(1950, 1, 1),
        latest=dt.date(2099, 12, 31),
    )
    relation = f'(SELECT {value} AS "{column.name}")'
    return connection.execute(f"SELECT {reading.value}, {reading.reason} FROM {relation}").fetchall()[0]


@pytest.mark.parametrize(("kind", "text", "expected"), READABLE)
def test_read_as(connection, kind, text, expected):
    value, reason = read(connection, ColumnContract(name="x", type=kind), f"'{text}'")
    assert (value, type(value), reason) == (expected, type(expected), None)


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("Model \u202eX", "Model \\u202eX"),  # would turn the rest of the line round
        ("North\u200b", "North\\u200b"),  # two regions that look like one
        ("North\u00ad", "North\\u00ad"),
        ("a\u2028b", "a\\u2028b"),
        ("\x85East", "\\u0085East"),
        ("bell\x07", "bell"),
        ("👩\u200d🔧 \u0633\u200c\u0633", "👩\u200d🔧 \u0633\u200c\u0633"),  # joins that belong to the word
    ],
)
def test_a_word_shows_what_is_hidden_in_it(connection, word, shown):
    column = ColumnContract(name="region", type="string")
    assert read(connection, column, f"'{word}'") == (shown, None)


@pytest.mark.parametrize(("kind", "text", "expected"), UNREADABLE)
def test_not_read_because(connection, kind, text, expected):
    assert read(connection, ColumnContract(name="x", type=kind), f"'{text}'") == (None, expected)


@pytest.mark.parametrize("kind", ["string", "integer", "decimal", "float", "boolean", "date", "timestamp"])
@pytest.mark.parametrize("nothing", ["NULL", "''", "'  '"])
def test_only_nothing_is_nothing(connection, kind, nothing):
    assert read(connection, ColumnContract(name="x", type=kind), nothing) == (None, "missing")


TYPED = [
    ("string", "1001::BIGINT", "BIGINT", "1001"),
    ("string", "1001.0::DOUBLE", "DOUBLE", "1001"),
    ("string", "'nan'::DOUBLE", "DOUBLE", None),
    ("integer", "3::UTINYINT", "UTINYINT", 3),
    ("integer", "3.0::DOUBLE", "DOUBLE", 3),
    ("integer", "3.5::DOUBLE", "DOUBLE", None),
    ("decimal", "12::INTEGER", "INTEGER", Decimal("12.00")),
    ("decimal", "(0.1 + 0.2)::DOUBLE", "DOUBLE", Decimal("0.30")),
    ("decimal", "1.005::DOUBLE", "DOUBLE", None),
    ("decimal", "1.5000::DECIMAL(20,4)", "DECIMAL(20,4)", Decimal("1.50")),
    ("decimal", "1.5001::DECIMAL(20,4)", "DECIMAL(20,4)", None),
    ("float", "'inf'::DOUBLE", "DOUBLE", None),
    ("float", "2::BIGINT", "BIGINT", 2.0),
    ("boolean", "1::INTEGER", "INTEGER", True),
    ("date", "TIMESTAMP '2026-10-31'", "TIMESTAMP", dt.date(2026, 10, 31)),
    ("date", "TIMESTAMP '2026-10-31 12:00:00'", "TIMESTAMP", None),
    ("date", "TIMESTAMP_NS '2026-10-31 00:00:00'", "TIMESTAMP_NS", dt.date(2026, 10, 31)),
    (
        "timestamp",
        "TIMESTAMPTZ '2026-10-31 08:00:00+08'",
        "TIMESTAMP WITH TIME ZONE",
        dt.datetime(2026, 10, 31),
    ),
    (
        "timestamp",
        "TIMESTAMP_NS '2026-10-31 08:00:00.123456789'",
        "TIMESTAMP_NS",
        dt.datetime(2026, 10, 31, 8, 0, 0, 123456),
    ),
    ("timestamp", "DATE '2026-10-31'", "DATE", dt.datetime(2026, 10, 30, 16)),
    ("timestamp", "[1]", "INTEGER[]", None),
]


@pytest.mark.parametrize(("kind", "value", "source_type", "expected"), TYPED)
def test_typed_sources_say_the_same_as_text(connection, kind, value, source_type, expected):
    assert read(connection, ColumnContract(name="x", type=kind), value, source_type)[0] == expected


def test_limits_and_words(connection):
    assert read(connection, ColumnContract(name="x", type="float", at_least=Decimal(0)), "'-0.5'") == (
        None,
        "below_least",
    )
    assert read(connection, ColumnContract(name="x", type="integer", at_most=Decimal(5)), "'6'") == (
        None,
        "above_most",
    )
    words = ColumnContract(name="x", type="string", values=("open", "o'clock"))
    assert read(connection, words, "'o''clock'") == ("o'clock", None)
    assert read(connection, words, "'Open'") == (None, "not_allowed")


@pytest.mark.parametrize(
    ("text", "expected"), [("2026-10", dt.date(2026, 10, 1)), ("2026-10-31", dt.date(2026, 10, 1))]
)
def test_a_month_is_its_first_day(connection, text, expected):
    month = ColumnContract(name="month", type="date")
    assert read(connection, month, f"'{text}'") == (expected, None)
