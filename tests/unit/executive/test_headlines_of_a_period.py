"""The headlines of a quarter and of a year: the period, the one before and the one a year earlier, in words that say which."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from analysis import executive
from analysis.exhibits.executive import findings_of_sections, headline_table, headline_tiles
from analysis.metrics import StudyInputs
from analysis.results import Derived

Inputs = Callable[..., StudyInputs]
METRICS = ("after_sales_cost", "automation_rate")


@pytest.fixture
def long(company: Path) -> Path:
    """Two years of cost, 10.00 a month more each month, and one ticket a month, every third closed without a person."""
    months = [
        (year, month) for year in (2024, 2025, 2026) for month in range(1, 13) if (year, month) <= (2026, 10)
    ]
    head = (company / "ledger.csv").read_text(encoding="utf-8").splitlines()[0]
    (company / "ledger.csv").write_text(
        "\n".join([head, *(f"L{n},{year}-{month:02d}-05,labour,{10 * (n + 1)}.00,,CC1,6601.01.01,incurred," for n, (year, month) in enumerate(months))]) + "\n",
        encoding="utf-8",
    )  # fmt: skip
    head = (company / "tickets.csv").read_text(encoding="utf-8").splitlines()[0]
    (company / "tickets.csv").write_text(
        "\n".join([head, *(f"T{n},C1,P1,repair,{year}-{month:02d}-05T02:00:00,{year}-{month:02d}-06T02:00:00,{'true' if n % 3 == 0 else 'false'},1.0,closed,false," for n, (year, month) in enumerate(months))]) + "\n",
        encoding="utf-8",
    )  # fmt: skip
    return company


def test_a_quarter_stands_beside_the_one_before_and_the_one_a_year_earlier(long: Path, inputs_of: Inputs):
    """Months 32 to 34 of the ledger: 320 + 330 + 340, against 290 + 300 + 310 and 200 + 210 + 220."""
    study = executive.study(inputs_of(long, months=3, year_begins=8), metrics=METRICS)
    cost = study.headlines[0]
    assert cost.fact.value == Decimal("990.00") and cost.fact.period == "2026-08/2026-11"
    assert [change.base.value for change in cost.changes] == [Decimal("900.00"), Decimal("630.00")]
    assert [change.change.dimensions["against"] for change in cost.changes] == [
        "previous_quarter",
        "quarter_year_before",
    ]
    assert [change.against.en for change in cost.changes] == [
        "previous quarter",
        "same quarter a year before",
    ]
    assert [change.change.period for change in cost.changes] == ["2026-08/2026-11"] * 2
    assert cost.changes[0].change.value == Decimal("90.00") / Decimal("900.00")
    # whole quarters alone: January 2024 is the last month of one that the data do not cover
    assert [fact.period for fact in cost.history] == [f"{first}/{end}" for first, end in zip(QUARTERS, QUARTERS[1:], strict=False)]  # fmt: skip
    rate = study.headlines[1].fact
    assert (rate.numerator, rate.denominator, rate.n) == (1, 3, 3)


QUARTERS = [f"{year}-{month:02d}" for year in (2024, 2025, 2026) for month in (2, 5, 8, 11)][:12]


def test_a_year_stands_beside_the_year_before_once(long: Path, inputs_of: Inputs):
    study = executive.study(inputs_of(long, months=12, year_begins=11), metrics=METRICS)
    cost = study.headlines[0]
    assert cost.fact.value == sum(10 * n for n in range(23, 35))
    assert len(cost.changes) == 1 and cost.changes[0].base.value == sum(10 * n for n in range(11, 23))
    assert cost.changes[0].against.zh == "上一年"
    assert [fact.period for fact in cost.history] == ["2024-11/2025-11", "2025-11/2026-11"]
    table = headline_table(study).payload
    assert [column["label"]["en"] for column in table["columns"]] == ["Metric", "This year", "Previous year", "Change on year before"]  # fmt: skip
    assert [column["label"]["zh"] for column in table["columns"]][1:3] == ["本年", "上一年"]
    assert "".join(piece["t"] for piece in table["title"]["en"]).startswith("The headlines of 2025 (November 2025 to October 2026)")  # fmt: skip


def test_heads_and_lines_of_a_quarter_say_so_in_both_languages(long: Path, inputs_of: Inputs):
    study = executive.study(inputs_of(long, months=3, year_begins=8), metrics=METRICS)
    table = headline_table(study).payload
    assert [column["label"]["en"] for column in table["columns"]][1:4] == ["This quarter", "Previous quarter", "Same quarter, year before"]  # fmt: skip
    assert [column["label"]["zh"] for column in table["columns"]][1:4] == ["本季度", "上一季度", "上年同季度"]
    lines = headline_tiles(study).payload["tiles"][0]["comparisons"]
    assert [line["label"]["en"] for line in lines] == ["Change on quarter", "Change on year"]
    assert "month" not in str([tile["comparisons"] for tile in headline_tiles(study).payload["tiles"]])
    empty = findings_of_sections({}, [], top=8, months=3).payload["empty"]
    assert empty["en"][0]["t"] == "No section reports a finding this quarter."
    assert empty["zh"][0]["t"] == "本季度各章均无发现。"


def test_a_change_of_a_quarter_follows_from_the_two_quarters(long: Path, inputs_of: Inputs):
    change = (
        executive.study(inputs_of(long, months=3, year_begins=8), metrics=METRICS)
        .headlines[0]
        .changes[0]
        .change
    )
    assert isinstance(change.lineage, Derived)
    assert [fact.period for fact in change.lineage.parents] == ["2026-08/2026-11", "2026-05/2026-08"]


@pytest.mark.parametrize("begins", [1, 8, 11])
def test_a_report_of_a_month_is_the_same_whenever_the_year_begins(begins: int, long: Path, inputs_of: Inputs):
    study = executive.study(inputs_of(long, year_begins=begins), metrics=METRICS)
    assert [headline.fact.id for headline in study.headlines] == [
        "after_sales_cost#2026-10:1",
        "automation_rate#2026-10:1",
    ]
    assert len(study.headlines[0].history) == 13
    assert [change.against.en for change in study.headlines[0].changes] == ["previous month", "year before"]


def test_a_quarter_whose_rows_end_in_its_middle_is_compared_with_none(long: Path, inputs_of: Inputs):
    import datetime as dt
    from dataclasses import replace

    inputs = replace(inputs_of(long, months=3, year_begins=8), rows_end=dt.date(2026, 10, 12))
    change = executive.study(inputs, metrics=METRICS).headlines[0].changes[0].change
    assert change.value is None and change.reason is not None
    assert (
        change.reason.en
        == "not computed: the report quarter is not whole: no table has a row after 12 October 2026"
    )
    assert "报告季度不完整" in change.reason.zh
