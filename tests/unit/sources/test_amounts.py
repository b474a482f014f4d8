"""Numbers as people write them, and stated units."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from analysis.errors import ParameterError
from analysis.sources.amounts import difference, factor_of, plain_number, scaled


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("(1,234.50)", "-1234.50"),
        ("（１，２３４．５０）", "-1234.50"),
        ("1,234.50-", "-1234.50"),
        ("−1,234.50", "-1234.50"),
        ("－12", "-12"),
        ("¥1,234", "1234"),
        ("¥-35.00", "-35.00"),
        ("-¥35.00", "-35.00"),
        ("35元", "35"),
        ("CNY 1,234.5", "1234.5"),
        ("１２３", "123"),
        ("1 234.50", "1234.50"),
        ("1\u00a0234.50", "1234.50"),
        ("1'234'567.8", "1234567.8"),
        ("+7", "+7"),
        (".5", ".5"),
        ("1,23", "1,23"),
        ("12,34,567", "12,34,567"),
        ("1.234,50", "1.234,50"),
        ("(-5)", "(-5)"),
        ("5-3", "5-3"),
        ("--5", "--5"),
        ("n/a", "n/a"),
        ("", ""),
        ("1.2万", "1.2万"),
    ],
)
def test_numbers_are_made_plain_or_left_alone(text: str, plain: str):
    assert plain_number(text) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1.234,50", "1234.50"),
        ("(1.234,50)", "-1234.50"),
        ("1 234,50", "1234.50"),
        ("1234,5", "1234.5"),
        ("12.34", "12.34"),
    ],
)
def test_a_decimal_comma_is_read_only_where_it_is_stated(text: str, plain: str):
    assert plain_number(text, ",") == plain


@pytest.mark.parametrize(
    ("text", "factor", "product"),
    [
        ("90", "1/60", "1.5"),
        ("100", "1/3", "33.333333333333333"),
        ("12345", "1/100", "123.45"),
        ("0.1", "3", "0.3"),
        ("1500", "0.001", "1.5"),
        ("0", "1/60", "0"),
        ("abc", "2", "abc"),
        ("", "2", ""),
    ],
)
def test_stated_units_are_exact(text: str, factor: str, product: str):
    assert scaled(text, factor_of(factor)) == product


def test_a_factor_is_a_number_other_than_nothing():
    for text, message in (
        ("minutes", "should be a number or a fraction"),
        ("0", "every value would be lost"),
        ("1/0", "should be a number"),
    ):
        with pytest.raises(ParameterError, match=message):
            factor_of(text)
    assert factor_of("1/60") * 60 == Fraction(1)


def test_debit_less_credit():
    assert (
        Decimal(difference("100.00", "")) == 100
        and Decimal(difference("", "80")) == -80
        and difference("", "") == ""
    )
    assert difference("1,5", "1") == "1,5"


def test_minutes_and_cents_through_the_map(exports, take):
    (exports / "desk.csv").write_text("id,when,minutes\nA,2026-10-03 08:00,45\n", encoding="utf-8")
    (exports / "gl.csv").write_text("id,day,cents\n1,2026-10-03,123450\n", encoding="utf-8")
    taken = take(
        {
            "table": "tickets",
            "file": "desk.csv",
            "columns": {"ticket_id": "id", "opened_at": "when", "handling_hours": "minutes"},
            "constants": {"ticket_type": "repair"},
            "factors": {"handling_hours": "1/60"},
        },
        {
            "table": "ledger",
            "file": "gl.csv",
            "columns": {"posting_id": "id", "posted_on": "day", "amount": "cents"},
            "factors": {"amount": "1/100"},
        },
    )
    assert taken.rows("tickets", "handling_hours") == [(0.75,)]
    assert taken.rows("ledger", "amount") == [(Decimal("1234.50"),)]


def test_dated_rates_turn_a_source_in_another_currency_into_ours(exports, take):
    import datetime as dt

    (exports / "gl.csv").write_text(
        "id,day,usd\n1,2026-09-30,100.00\n2,2026-10-01,100.00\n", encoding="utf-8"
    )
    entry = {
        "table": "ledger",
        "file": "gl.csv",
        "columns": {"posting_id": "id", "posted_on": "day", "amount": "usd"},
        "constants": {"currency": "USD"},
    }
    rates = {"USD": [(dt.date(2026, 1, 1), Decimal("7.1")), (dt.date(2026, 10, 1), Decimal("7.2"))]}
    assert take(entry, exchange_rates=rates).rows("ledger", "amount") == [
        (Decimal("710.00"),),
        (Decimal("720.00"),),
    ]
