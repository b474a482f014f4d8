from __future__ import annotations

from decimal import Decimal

import pytest

from analysis.errors import ParameterError
from analysis.formats import Unit, cell_text, column_scale, grouped, number_and_unit, number_text
from analysis.locale import Language
from analysis.periods import Month


@pytest.mark.parametrize(
    ("value", "unit", "english", "chinese"),
    [
        (Decimal("3421234.50"), "CNY", "CNY 3.42 million", "342 万元"),
        (Decimal("412000.00"), "CNY", "CNY 412,000", "41.2 万元"),
        (Decimal("-999.40"), "CNY", "−CNY 999", "−999 元"),
        (Decimal("123456789012"), "CNY", "CNY 123 billion", "1,235 亿元"),
        (Decimal("999999.99"), "CNY", "CNY 1.00 million", "100 万元"),
        (0.0412, "share", "4.1%", "4.1%"),
        (-0.003, "percentage_points", "−0.3 pp", "−0.3 个百分点"),
        (1, "tickets", "1 ticket", "1 张工单"),
        (1234, "tickets", "1,234 tickets", "1,234 张工单"),
        (Decimal("234.565"), "CNY/ticket", "CNY 234.57 per ticket", "每张工单 234.57 元"),
    ],
)
def test_units_in_both_languages(value: Decimal | float | int, unit: str, english: str, chinese: str):
    assert number_text(value, unit, "en") == english
    assert number_text(value, unit, "zh") == chinese


def test_rounding_is_half_up_as_in_finance():
    assert grouped(Decimal("0.125"), 2) == "0.13"
    assert grouped(Decimal("-0.125"), 2) == "−0.13"
    assert grouped(2.675, 2) == "2.68"  # by the number as written, not by its binary neighbour


def test_a_number_that_rounds_to_nothing_has_no_sign():
    assert grouped(Decimal("-0.001"), 2, signed=True) == "0.00"


def test_percent_and_percentage_points_never_share_a_label():
    assert Unit.parse("share").label("en") == "%"
    assert Unit.parse("percentage_points").label("en") == "pp"
    assert Unit.parse("percentage_points").label("zh") == "百分点"


@pytest.mark.parametrize(
    ("value", "cell", "english", "chinese"),
    [
        (1.0, ">99", "over 99%", "99% 以上"),
        (0.999, ">99", "over 99%", "99% 以上"),
        (0.5, "50", "50%", "50%"),
        (0.0, "<1", "under 1%", "不足 1%"),
    ],
)
def test_no_probability_is_printed_as_none_or_all(value: float, cell: str, english: str, chinese: str):
    assert cell_text(value, "chance") == cell
    assert number_text(value, "chance", "en") == english
    assert number_text(value, "chance", "zh") == chinese


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.5e-83, "<0.001"), (0.0, "<0.001"), (0.0014, "0.001"), (0.05, "0.050"), (1.0, "1.000")],
)
def test_a_p_value_has_three_decimals_and_a_floor(value: float, text: str):
    assert cell_text(value, "p_value") == number_text(value, "p_value", "en") == text


def test_a_column_of_money_has_one_scale_per_language():
    assert column_scale(Decimal("34212345"), "en").factor == 1_000
    assert column_scale(Decimal("34212345"), "zh").factor == 10_000
    assert cell_text(Decimal("34212345"), "CNY", scale=column_scale(Decimal("34212345"), "zh")) == "3,421.2"


def test_unknown_units_and_infinite_numbers_are_refused():
    with pytest.raises(ParameterError, match="unit 'percent'"):
        Unit.parse("percent")
    with pytest.raises(ParameterError, match="must say why"):
        number_text(float("nan"), "share", "en")


def test_months_are_half_open_and_one_parser_reads_them():
    october = Month.parse("2026-10")
    assert (str(october.start), str(october.end)) == ("2026-10-01", "2026-11-01")
    assert october + 3 == Month(2027, 1) and Month(2027, 1).months_since(october) == 3
    with pytest.raises(ParameterError, match="no such month"):
        Month.parse("2026-13")
    with pytest.raises(ParameterError, match="write it as 2026-10"):
        Month.parse("10/2026")


@pytest.mark.parametrize(
    ("text", "language", "parts"),
    [
        ("CNY 1,733.78 per ticket", "en", ("CNY 1,733.78", "per ticket")),
        ("CNY 4.08 million", "en", ("CNY 4.08 million", "")),
        ("−1.5%", "en", ("−1.5%", "")),
        ("每张工单 1,632.00 元", "zh", ("1,632.00 元", "每张工单")),
        ("2,394 张工单", "zh", ("2,394", "张工单")),
        ("not computed: no rows in 2026-10", "en", (None, "")),
    ],
)
def test_a_large_figure_is_set_apart_from_its_unit(
    text: str, language: Language, parts: tuple[str | None, str]
):
    assert number_and_unit(text, language) == parts


def test_moments_are_told_on_the_companys_clock_with_the_offset_of_their_day():
    import pandas as pd

    from analysis.periods import in_business_zone

    rows = pd.DataFrame(
        {
            "opened_at": pd.to_datetime(["2026-07-02 01:30:00", "2026-01-02 01:30:00", None]),
            "posted_on": pd.to_datetime(["2026-07-02", "2026-01-02", "2026-01-03"]),
            "cost": [1.0, 2.0, 3.0],
        }
    )
    local = in_business_zone(rows, "America/New_York")
    assert list(local["opened_at"]) == ["2026-07-01 21:30:00-04:00", "2026-01-01 20:30:00-05:00", None]
    assert local[["posted_on", "cost"]].equals(rows[["posted_on", "cost"]])
    assert in_business_zone(rows, "Asia/Shanghai")["opened_at"][1] == "2026-01-02 09:30:00+08:00"


def test_a_moment_is_told_on_the_companys_clock_whatever_its_column_is_called():
    import pandas as pd

    from analysis.periods import in_business_zone

    rows = pd.DataFrame(
        {
            "before": pd.to_datetime(["2026-07-02 17:30:00", "2026-07-03 00:00:00", None]),
            "landmark": pd.to_datetime(["2026-07-02", "2026-07-03", None]),
            "never": pd.to_datetime([None, None, None]),
        }
    )
    local = in_business_zone(rows, "Asia/Shanghai")
    assert list(local["before"]) == ["2026-07-03 01:30:00+08:00", "2026-07-03 08:00:00+08:00", None]
    assert local[["landmark", "never"]].equals(rows[["landmark", "never"]])


def test_what_is_not_zero_has_the_places_of_its_neighbours():
    """An interval from -0.021 to 0.002 around -0.01 ends at 0.00, not at 0.0."""
    assert number_text(0.002, "score", "en") == "0.00"
    assert number_text(0.0, "score", "en") == "0.0"
