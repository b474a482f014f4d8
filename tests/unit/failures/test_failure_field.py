"""Exposure and failures of a company one can check on paper."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import FitError, MissingData
from analysis.failures import reporting
from analysis.failures.baseline import _factor, _Group, _rates
from analysis.failures.field import Field
from analysis.metrics import StudyInputs

Inputs = Callable[..., StudyInputs]

UNITS = """serial_no,product_id,batch,supplier,plant,region,produced_on,shipped_on,in_service_on,retired_on
S1,P1,B1,A,X,North,2026-09-01,2026-09-10,2026-09-16,
S2,P1,B1,A,X,North,2026-09-20,2026-10-05,2026-10-11,2026-10-21
S3,P2,B2,B,X,South,2026-09-20,2026-10-01,,
"""
TICKETS = """ticket_id,serial_no,ticket_type,opened_at,status,fault_code,component,confirmed_failure,failed_on
F1,S1,repair,2026-09-20T02:00:00,closed,F20,board,true,2026-09-18
F2,S1,repair,2026-10-20T02:00:00,closed,F20,board,,2026-10-19
F3,S2,repair,2026-10-15T02:00:00,closed,NFF,,,2026-10-15
F4,S2,repair,2026-10-25T02:00:00,closed,F20,board,true,2026-10-24
F5,S3,repair,2026-10-02T02:00:00,closed,F20,board,true,2026-09-29
F6,S3,repair,2026-10-31T17:00:00,closed,F10,pump,true,
F7,S3,repair,2026-10-12T17:00:00,cancelled,F10,pump,true,
F8,,repair,2026-10-12T17:00:00,closed,F10,pump,true,
"""


@pytest.fixture
def small(company: Path) -> Path:
    (company / "units.csv").write_text(UNITS)
    (company / "tickets.csv").write_text(TICKETS)
    return company


def test_exposure_counts_days_of_the_first_and_last_month(small: Path, inputs_of: Inputs):
    held = Field.of(inputs_of(small)).by_age
    months = held.groupby("month_no")["unit_months"].sum()
    # September: S1 from the 16th, 15 of 30 days. October: S1 whole, S2 from the 11th to the 21st, the day it left, S3 (shipped on the 1st) whole.
    assert list(months) == pytest.approx([15 / 30, 1 + 11 / 31 + 1])
    assert held.set_index(["month_no", "age_months"])["unit_months"].to_dict() == pytest.approx(
        {(2026 * 12 + 8, 0): 0.5, (2026 * 12 + 9, 0): 11 / 31 + 1, (2026 * 12 + 9, 1): 1.0}
    )


def test_each_failure_is_counted_or_named(small: Path, inputs_of: Inputs):
    """F3 found no fault, F7 was cancelled; F6 was opened on 1 November in Shanghai, so it is no October failure."""
    verdicts = Field.of(inputs_of(small)).verdicts.set_index("verdict")["failures"].to_dict()
    assert verdicts == {
        "counted": 2,
        "after_retirement": 1,
        "before_shipment": 1,
        "after_the_month": 1,
        "no_serial": 1,
    }


def test_a_machine_scrapped_on_the_day_it_failed_did_fail(small: Path, inputs_of: Inputs):
    (small / "units.csv").write_text(UNITS.replace("2026-10-21", "2026-10-24"))
    field = Field.of(inputs_of(small))
    verdicts = field.verdicts.set_index("verdict")["failures"].to_dict()
    assert verdicts["counted"] == 3 and "after_retirement" not in verdicts
    # and the day is exposure: from the 11th to the 24th
    assert field.by_age["unit_months"].sum() == pytest.approx(15 / 30 + 1 + 14 / 31 + 1)


def test_a_second_order_for_the_same_event_is_named_and_not_rated_again(small: Path, inputs_of: Inputs):
    twice = TICKETS + "F9,S1,repair,2026-10-20T09:00:00,closed,F20,board,,2026-10-19\n"
    (small / "tickets.csv").write_text(twice)
    verdicts = Field.of(inputs_of(small)).verdicts.set_index("verdict")["failures"].to_dict()
    assert verdicts["same_event"] == 1 and verdicts["counted"] == 2


def test_failures_carry_the_age_of_their_machine(small: Path, inputs_of: Inputs):
    counts = Field.of(inputs_of(small)).failure_counts
    assert counts[["age_months", "component", "failures"]].to_numpy().tolist() == [
        [0, "board", 1],
        [1, "board", 1],
    ]


def test_without_units_failures_can_be_counted_not_rated(company: Path, inputs_of: Inputs):
    with pytest.raises(MissingData, match="units.shipped_on"):
        Field.of(inputs_of(company))


def test_a_field_in_which_nothing_failed_says_so(small: Path, inputs_of: Inputs):
    head, *rows = TICKETS.splitlines()
    no_fault_found = next(row for row in rows if row.startswith("F3,"))
    (small / "tickets.csv").write_text(f"{head}\n{no_fault_found}\n")
    with pytest.raises(FitError, match="no machine in the field is known to have failed"):
        Field.of(inputs_of(small))


def test_the_baseline_reproduces_counts_by_age_and_by_month_and_finds_the_factors():
    generator = np.random.default_rng(2)
    held = generator.uniform(500, 2000, (4, 12))
    rate, factor = np.array([0.02, 0.01, 0.01, 0.03]), generator.uniform(0.8, 1.2, 12)
    failed = np.stack([held * rate[:, None] * factor * part for part in (0.3, 0.7)], axis=2)
    group = _Group(columns=[0, 1], held=held, failed=failed)
    month = _factor([group], held)
    found = _rates({"line": [group]}, {"line": month}, (4, 2))["line"]
    due = held[:, :, None] * found[:, None, :] * month[None, :, None]
    assert due.sum(axis=1) == pytest.approx(failed.sum(axis=1))
    assert due.sum(axis=(0, 2)) == pytest.approx(failed.sum(axis=(0, 2)))
    assert month / month.mean() == pytest.approx(factor / factor.mean())


def delays(seed: int, days: int = 400, per_day: int = 40) -> pd.DataFrame:
    """Exponential delays with a mean of 20 days, seen up to the last day only."""
    generator = np.random.default_rng(seed)
    event = np.repeat(np.arange(days), per_day)
    lag = np.floor(generator.exponential(20, event.size)).astype(int)
    seen = event + lag < days
    first = np.datetime64("2025-01-01")
    frame = pd.DataFrame(
        {"event_on": (first + event[seen]).astype("datetime64[D]").astype(object), "delay_days": lag[seen]}
    )
    return (
        frame.groupby(["event_on", "delay_days"], as_index=False).size().rename(columns={"size": "failures"})
    )


def test_the_delay_is_recovered_although_recent_late_reports_are_not_in_the_data():
    horizon = dt.date(2025, 1, 1) + dt.timedelta(days=399)
    errors, naive_errors = [], []
    for seed in range(5):
        frame = delays(seed)
        recent = frame[frame["event_on"] >= horizon - dt.timedelta(days=120)]
        truth = 1 - np.exp(-31 / 20)  # reported within 30 days
        errors.append(reporting.delay_of(recent, horizon).reported[30] - truth)
        naive = recent.loc[recent["delay_days"] <= 30, "failures"].sum() / recent["failures"].sum()
        naive_errors.append(naive - truth)
    assert abs(np.mean(errors)) < 0.03
    assert np.mean(naive_errors) > 0.03  # what ignoring the truncation would have said


def test_nothing_reported_yet_has_a_delay_that_says_nothing():
    found = reporting.delay_of(delays(1).head(0), dt.date(2026, 2, 4))
    assert (found.reported == 1.0).all()


def test_a_share_never_falls_with_more_days():
    found = reporting.delay_of(delays(1), dt.date(2026, 2, 4))
    assert (np.diff(found.reported) >= 0).all() and found.reported[-1] == 1.0


@pytest.mark.parametrize(
    ("time_zone", "opened", "day"),
    [
        (
            "America/New_York",
            "2026-03-08T04:30:00",
            dt.date(2026, 3, 7),
        ),  # the night of the change: still five hours behind
        ("America/New_York", "2026-03-09T03:59:00", dt.date(2026, 3, 8)),  # four hours behind from then on
        ("America/New_York", "2026-03-09T04:01:00", dt.date(2026, 3, 9)),
        ("America/New_York", "2026-11-02T04:59:00", dt.date(2026, 11, 1)),  # back to five
        ("America/New_York", "2026-11-02T05:00:00", dt.date(2026, 11, 2)),
        ("Asia/Shanghai", "2026-03-08T15:59:59", dt.date(2026, 3, 8)),
        ("Asia/Shanghai", "2026-03-08T16:00:00", dt.date(2026, 3, 9)),
    ],
)
def test_a_report_belongs_to_the_day_of_the_business(time_zone: str, opened: str, day: dt.date):
    import duckdb

    from analysis.metrics.backend import literal
    from analysis.metrics.views import business_day

    found = duckdb.sql(
        f"SELECT {business_day('opened_at', literal(time_zone))} FROM (SELECT TIMESTAMP '{opened}' AS opened_at)"
    ).fetchall()
    assert found == [(day,)]


def test_the_horizon_is_a_day_of_the_business(small: Path, inputs_of: Inputs):
    late = TICKETS + "F9,S1,repair,2026-11-02T04:30:00,closed,F10,pump,true,\n"
    (small / "tickets.csv").write_text(late)
    # half past midnight in summer, half past eleven of the day before once the clocks went back
    assert Field.of(inputs_of(small, time_zone="America/New_York")).horizon == dt.date(2026, 11, 1)
    assert Field.of(inputs_of(small)).horizon == dt.date(2026, 11, 2)
