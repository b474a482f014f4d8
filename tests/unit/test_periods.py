"""A report's period: a month, or a quarter or a year of the company's own, by its name."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from analysis.errors import ParameterError
from analysis.formats import cover_period, month_text, period_text
from analysis.params import load_run
from analysis.periods import AGAINST, Month, Period, asked_period

QUARTERS = [f"2026-Q{number}" for number in (1, 2, 3, 4)]


@pytest.mark.parametrize("begins", range(1, 13))
def test_four_quarters_are_the_year_and_each_name_leads_back(begins: int):
    year = Period.named("2026", year_begins=begins)
    quarters = [Period.named(name, year_begins=begins) for name in QUARTERS]
    assert year.first == Month(2026, begins) and year.months == 12
    assert list(itertools.chain(*(quarter.each() for quarter in quarters))) == year.each()
    assert [quarter.name for quarter in quarters] == QUARTERS and year.name == "2026"
    assert [quarter.quarter for quarter in quarters] == [1, 2, 3, 4]
    assert {quarter.year for quarter in quarters} == {2026}


def test_a_period_of_one_month_is_the_month():
    month, period = Month(2026, 10), Period.named("2026-10", year_begins=4)
    assert period == Period.of(month) and str(period) == str(month) == period.name
    assert period.each() == [month] and period.quarter is None and period.year is None
    for language in ("en", "zh"):
        assert period_text(period, language) == month_text(month, language)


def test_three_months_across_two_quarters_are_no_quarter():
    span = Period.parse("2026-08/2026-11")
    assert span.name == str(span) and span.year is None
    assert Period(span.first, span.last, year_begins=8).name == "2026-Q1"


def test_a_period_is_held_against_the_one_before_and_the_one_a_year_earlier():
    quarter = Period.named("2026-Q1")
    assert {name: against.name for name, against in quarter.compared.items()} == {
        "previous_quarter": "2025-Q4",
        "quarter_year_before": "2025-Q1",
    }
    assert [one.name for one in Period.named("2026").compared.values()] == ["2025"]  # both are the same: once
    assert [one.name for one in Period.named("2026-10").compared.values()] == ["2026-09", "2025-10"]
    assert all(max(shifts.values()) == 12 for shifts in AGAINST.values())


@pytest.mark.parametrize(
    ("name", "begins", "english", "chinese"),
    [
        ("2026-10", 1, "October 2026", "2026年10月"),
        ("2026-Q3", 1, "the third quarter of 2026 (July to September)", "2026年第三季度（7月至9月）"),
        ("2026", 1, "2026", "2026年"),
        ("2026-Q1", 4, "the first quarter of 2026 (April to June)", "2026年第一季度（4月至6月）"),
        (
            "2026-Q4",
            4,
            "the fourth quarter of 2026 (January to March 2027)",
            "2026年第四季度（2027年1月至3月）",
        ),
        (
            "2026-Q1",
            11,
            "the first quarter of 2026 (November 2026 to January 2027)",
            "2026年第一季度（2026年11月至2027年1月）",
        ),
        ("2026", 4, "2026 (April 2026 to March 2027)", "2026年（2026年4月至2027年3月）"),
    ],
)
def test_a_period_in_words(name: str, begins: int, english: str, chinese: str):
    period = Period.named(name, year_begins=begins)
    assert period_text(period, "en") == english
    assert period_text(period, "zh") == chinese
    alone = english.removeprefix("the ")
    assert cover_period(name, begins, "en") == alone[0].upper() + alone[1:]
    assert cover_period(name, begins, "zh") == chinese


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"quarter": "2026-Q5"}, "quarter '2026-Q5': not a quarter; write it as 2026-Q3"),
        ({"quarter": "2026-Q0"}, "not a quarter"),
        ({"quarter": "2026-10"}, "not a quarter"),
        ({"quarter": "Q3"}, "not a quarter"),
        ({"month": "2026-Q3"}, "month '2026-Q3': not a month.*QUARTER=2026-Q3"),
        ({"month": "2026"}, "not a month.*YEAR=2026"),
        ({"year": "2026-Q1"}, "not a year"),
        ({"year": "26"}, "not a year; write it as 2026"),
        ({"month": "2026-10", "quarter": "2026-Q3"}, "month '2026-10' and quarter '2026-Q3': a report has one period"),
        ({"quarter": "2026-Q3", "year": "2026"}, "one of MONTH=, QUARTER= and YEAR="),
        ({"month": "2026-10", "quarter": "2026-Q3", "year": "2026"}, "a report has one period"),
    ],
)  # fmt: skip
def test_what_is_no_period_is_refused_in_words(given: dict[str, str], refusal: str):
    with pytest.raises(ParameterError, match=refusal):
        asked_period(**given)


def test_the_one_period_that_is_given_is_the_one_that_is_asked_for():
    assert asked_period() == ""
    assert asked_period(month="2026-10") == "2026-10"
    assert asked_period(quarter=" 2026-q3 ") == "2026-q3"
    assert Period.named("2026-q3") == Period.named("2026-Q3")
    assert asked_period(year="2026") == "2026"


def test_a_run_reports_a_quarter_of_its_own_year():
    run = load_run("sample", month="2026-Q3")
    assert (run.month, run.months, run.period.name) == (Month(2026, 9), 3, "2026-Q3")
    assert str(run.knowledge_day) == "2026-10-10"  # closed as its last month is
    assert load_run("sample", month="2026").period.each()[-1] == Month(2026, 12)
    assert load_run("sample", month="2026-10").months == 1


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"months": 2}, "months is 2; a report is of 1, of 3"),
        ({"months": 3}, "month 2026-10, which ends no quarter of a year that begins with month 1"),
        ({"months": 12}, "ends no year"),
        ({"months": 12, "month": Month(2026, 12), "year_begins": 4}, "begins with month 4"),
    ],
)
def test_months_that_are_no_period_of_the_company_are_refused(changes: dict[str, object], refusal: str):
    with pytest.raises(ParameterError, match=refusal):
        replace(load_run("sample", month="2026-10"), **changes)  # type: ignore[arg-type]


def test_any_quarter_of_the_company_may_be_stated_in_the_run():
    run = replace(load_run("sample", month="2026-10"), months=3, year_begins=8)
    assert run.period.name == "2026-Q1"
