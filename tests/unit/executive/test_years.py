"""The year so far and the last twelve months: spans are tested as spans, and what the data do not cover is compared with nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.executive.years import AGAINST, Span, SpanLine, spans
from analysis.metrics import StudyInputs
from analysis.periods import Month
from analysis.results import Fact
from analysis.stats import proportion_difference_interval

Inputs = Callable[..., StudyInputs]
CASES, BEFORE, NOW = 20_000, 600, 440  # 3.0 % and 2.2 % of twenty thousand a year


def desk(
    folder: Path, *, months: int = 24, before: int = BEFORE, now: int = NOW, saved: int = 12_000
) -> Path:
    """Orders of service and complaints, as evenly over the months as whole numbers allow, and postings that fall by ``saved`` in the second year."""
    folder.mkdir()
    first = Month.parse("2026-10") - (months - 1)
    tickets = ["ticket_id,ticket_type,opened_at"]
    ledger = ["posting_id,posted_on,amount"]
    for back in range(months):
        month = first + back
        second = months - back <= 12
        complaints = evenly(now if second else before, back % 12)
        for number in range(evenly(CASES, back % 12)):
            kind = "complaint" if number < complaints else "repair"
            tickets.append(f"{month}-{number},{kind},{month}-{1 + number % 28:02}T02:00:00")
        # complaints are beside the cases: the rate is complaints to other orders
        tickets += [
            f"{month}-x{number},repair,{month}-{1 + number % 28:02}T03:00:00" for number in range(complaints)
        ]
        ledger.append(f"L{back},{month}-15,{10_000 - (saved / 12 if second else 0):.2f}")
    (folder / "tickets.csv").write_text("\n".join(tickets) + "\n", "utf-8")
    (folder / "ledger.csv").write_text("\n".join(ledger) + "\n", "utf-8")
    return folder


def evenly(total: int, month: int) -> int:
    return total * (month + 1) // 12 - total * month // 12


def line_of(found: tuple[Span, ...], name: str, metric: str) -> SpanLine:
    span = next(one for one in found if one.name == name)
    return next(line for line in span.lines if line.metric.id == metric)


def values(fact: Fact) -> tuple[float, float, float]:
    assert fact.value is not None and fact.interval is not None
    return float(fact.value), fact.interval.low, fact.interval.high


def test_a_year_shows_what_no_month_does(tmp_path: Path, inputs_of: Inputs):
    inputs = inputs_of(desk(tmp_path / "desk"))
    line = line_of(spans(inputs, ["complaint_ticket_rate"]), "Last twelve months", "complaint_ticket_rate")
    assert (line.fact.numerator, line.fact.denominator) == (NOW, CASES)
    assert (line.change.base.numerator, line.change.base.denominator) == (BEFORE, CASES)
    by_hand = proportion_difference_interval(NOW, CASES, BEFORE, CASES, level=0.95)
    assert values(line.change.change) == pytest.approx((-0.008, float(by_hand.low), float(by_hand.high)))
    assert line.change.reading == "good"
    shown = [
        month
        for month in range(12)
        if float(
            proportion_difference_interval(
                evenly(NOW, month),
                evenly(CASES, month),
                evenly(BEFORE, month),
                evenly(CASES, month),
                level=0.95,
            ).high
        )
        < 0
    ]
    assert not shown, "no month alone shows it"


def test_events_fewer_and_what_was_saved_for_each(tmp_path: Path, inputs_of: Inputs):
    line = line_of(
        spans(inputs_of(desk(tmp_path / "desk")), ["complaint_ticket_rate"]),
        "Last twelve months",
        "complaint_ticket_rate",
    )
    assert line.events is not None and line.per_event is not None
    fewer, low, high = values(line.events)
    change = line.change.change.interval
    assert change is not None
    assert (fewer, low, high) == pytest.approx((-160.0, change.low * CASES, change.high * CASES))
    saved, least, most = values(line.per_event)
    assert (saved, least, most) == pytest.approx((12_000 / 160, 12_000 / -low, 12_000 / -high))
    assert dict(line.events.dimensions) == {"of": "complaint_ticket_rate", "against": AGAINST}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"now": 595}, "not shown that there were fewer"),
        ({"saved": -5_000}, "no cost was saved"),
        ({"now": 760}, "not shown that there were fewer"),
    ],
)
def test_without_fewer_events_or_a_saving_there_is_no_saving_per_event(
    tmp_path: Path, inputs_of: Inputs, options, said
):
    line = line_of(
        spans(inputs_of(desk(tmp_path / "desk", **options)), ["complaint_ticket_rate"]),
        "Last twelve months",
        "complaint_ticket_rate",
    )
    assert line.per_event is not None and line.per_event.value is None
    assert line.per_event.reason is not None and said in line.per_event.reason.en


def test_a_span_that_the_data_do_not_cover_is_compared_with_nothing(tmp_path: Path, inputs_of: Inputs):
    found = spans(
        inputs_of(desk(tmp_path / "desk", months=20)), ["after_sales_cost", "complaint_ticket_rate"]
    )
    for metric in ("after_sales_cost", "complaint_ticket_rate"):
        year = line_of(found, "Last twelve months", metric)
        assert (
            year.fact.value is not None
            and year.change.base.value is None
            and year.change.change.value is None
        )
        assert (
            year.change.base.reason is not None
            and "the data begin in March 2025" in year.change.base.reason.en
        )
        # ten months of this year and ten of the last: January 2025 is before the first row, too
        assert line_of(found, "Year to date", metric).change.base.value is None


def test_the_year_begins_when_the_company_says_and_both_spans_are_one_at_its_end(
    tmp_path: Path, inputs_of: Inputs
):
    folder = desk(tmp_path / "desk", months=3)
    of_april = spans(inputs_of(folder, year_begins=4), ["after_sales_cost"])
    assert [(span.name, str(span.period)) for span in of_april] == [
        ("Year to date", "2026-04/2026-11"),
        ("Last twelve months", "2025-11/2026-11"),
    ]
    of_november = spans(inputs_of(folder, year_begins=11), ["after_sales_cost"])
    assert [span.name for span in of_november] == ["Last twelve months"]


def test_sums_of_the_span_are_those_of_its_months(tmp_path: Path, inputs_of: Inputs):
    inputs = inputs_of(desk(tmp_path / "desk"))
    line = line_of(spans(inputs, ["after_sales_cost"]), "Year to date", "after_sales_cost")
    months = [inputs.engine.fact("after_sales_cost", period=inputs.month - back).value for back in range(10)]
    assert line.fact.value == sum(months)  # type: ignore[arg-type]
    assert line.fact.interval is None and line.events is None
    assert np.isclose(
        float(line.change.change.value or 0),
        float(line.fact.value or 0) / float(line.change.base.value or 1) - 1,
    )
