"""What must hold whatever the data: nothing is lost, names and order do not matter, and exposure is exposure however it is cut."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.failures import lives, localising, monitoring
from analysis.failures.baseline import Baseline
from analysis.failures.carriers import Carriers
from analysis.failures.field import Field
from analysis.metrics import StudyInputs
from analysis.stats import fit_weibull, kaplan_meier, mean_cumulative_function

Inputs = Callable[..., StudyInputs]

UNITS = """serial_no,product_id,batch,supplier,plant,region,produced_on,shipped_on,in_service_on,retired_on
S1,P1,B1,A,X,North,2026-08-01,2026-08-10,2026-08-16,
S2,P1,B1,A,X,North,2026-08-20,2026-09-05,2026-09-11,2026-10-21
S3,P2,B2,B,X,South,2026-08-20,2026-09-01,,
S4,P2,B2,B,Y,South,2026-08-20,2026-09-01,2026-09-20,
"""
TICKETS = """ticket_id,serial_no,ticket_type,opened_at,status,fault_code,component,confirmed_failure,failed_on
F1,S1,repair,2026-09-20T02:00:00,closed,F20,board,true,2026-09-18
F2,S1,repair,2026-10-20T02:00:00,closed,F20,board,true,2026-10-19
F3,S3,repair,2026-10-15T02:00:00,closed,F20,pump,true,2026-10-15
F4,S2,repair,2026-10-25T02:00:00,closed,F20,board,true,2026-10-24
F5,S4,repair,2026-09-02T02:00:00,closed,F20,board,true,2026-08-29
F6,S4,repair,2026-10-12T17:00:00,closed,F10,pump,true,2026-10-12
F7,S9,repair,2026-10-12T17:00:00,closed,F10,pump,true,2026-10-12
F8,,repair,2026-10-12T17:00:00,closed,F10,pump,true,2026-10-12
F9,S3,repair,2026-10-16T02:00:00,closed,F20,pump,true,2026-10-15
"""


@pytest.fixture
def bad(company: Path) -> Path:
    (company / "units.csv").write_text(UNITS)
    (company / "tickets.csv").write_text(TICKETS)
    return company


def rewritten(folder: Path, name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    file = folder / f"{name}.csv"
    change(pd.read_csv(file, dtype=str)).to_csv(file, index=False)


def test_every_confirmed_failure_has_one_verdict_and_none_is_lost(bad: Path, inputs_of: Inputs):
    verdicts = Field.of(inputs_of(bad)).verdicts.set_index("verdict")["failures"].to_dict()
    assert verdicts == {
        "counted": 4,
        "after_retirement": 1,
        "before_shipment": 1,
        "unknown_serial": 1,
        "no_serial": 1,
        "same_event": 1,
    }
    assert sum(verdicts.values()) == len(TICKETS.splitlines()) - 1


def test_what_cannot_be_rated_is_kept_row_by_row(bad: Path, inputs_of: Inputs):
    field = Field.of(inputs_of(bad))
    rows = field.query(
        field.failures,
        select="SELECT ticket_id, verdict FROM judged WHERE verdict <> 'counted' ORDER BY ticket_id",
    )
    assert dict(zip(rows["ticket_id"], rows["verdict"], strict=True)) == {
        "F4": "after_retirement",
        "F5": "before_shipment",
        "F7": "unknown_serial",
        "F8": "no_serial",
        "F9": "same_event",
    }


def test_twice_the_machines_with_the_same_failures_halve_every_rate(
    bad: Path, inputs_of: Inputs, tmp_path: Path
):
    once = Baseline.of(Field.of(inputs_of(bad)))
    rewritten(
        bad, "units", lambda frame: pd.concat([frame, frame.assign(serial_no="twin-" + frame["serial_no"])])
    )
    field = Field.of(inputs_of(bad))
    twice = Baseline.of(field)
    assert twice.factor == pytest.approx(once.factor) and list(twice.rates) == list(once.rates)
    assert all(twice.rates[line] == pytest.approx(once.rates[line] / 2) for line in once.rates)
    assert field.failure_counts["failures"].sum() == 4


def test_order_of_rows_and_names_of_labels_change_names_only(bad: Path, inputs_of: Inputs):
    first = cells_of(inputs_of(bad))
    rename = {"North": "Zone 9", "South": "Zone 1", "B1": "zz", "B2": "aa", "X": "q", "Y": "p"}
    rewritten(bad, "units", lambda frame: frame.iloc[::-1].replace(rename))
    rewritten(bad, "tickets", lambda frame: frame.iloc[::-1])
    second = cells_of(inputs_of(bad))
    keys = ["model", "batch", "supplier", "plant", "region", "produced_month", "component"]
    expected = first.replace(rename).sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(second.sort_values(keys, ignore_index=True), expected)


def cells_of(inputs: StudyInputs) -> pd.DataFrame:
    field = Field.of(inputs)
    return localising.cells_of(field, Baseline.of(field)).frame


def test_expected_failures_add_up_to_those_that_happened(bad: Path, inputs_of: Inputs):
    frame = cells_of(inputs_of(bad))
    by_part = frame.groupby("component")[["failures", "expected"]].sum()
    assert by_part["expected"].to_numpy() == pytest.approx(by_part["failures"].to_numpy())


def test_a_stay_cut_in_two_is_the_same_life(monkeypatch: pytest.MonkeyPatch):
    """A machine watched from 0 to 30 months is one watched from 0 to 11 and from 11 to 30, in the fit the study makes."""
    random = np.random.default_rng(4)
    watched = pd.DataFrame(
        {
            "begin_days": 0.0,
            "end_days": random.integers(100, 1000, 40).astype(float),
            "machines": random.integers(5, 50, 40).astype(float),
        }
    )
    ages = pd.DataFrame(
        {"component": "pump", "age_days": random.integers(1, 900, 60), "failures": random.integers(1, 4, 60)}
    )
    cut = np.minimum(335.0, watched["end_days"] / 2)
    halves = pd.concat([watched.assign(end_days=cut), watched.assign(begin_days=cut)])
    found = []
    field: Any = SimpleNamespace(carriers=Carriers(lines={}, models={}))
    for stays in (watched, halves):
        monkeypatch.setattr(lives, "stays", lambda field, where, stays=stays: stays)
        monkeypatch.setattr(lives, "failure_ages", lambda field: ages)
        found.append(lives.component_lives(field)[0][0])
    whole, parts = found
    assert parts.fit.shape == pytest.approx(whole.fit.shape, rel=1e-6) and parts.fit.scale == pytest.approx(
        whole.fit.scale, rel=1e-6
    )
    assert parts.fit.log_likelihood == pytest.approx(
        whole.fit.log_likelihood
    ) and parts.worst_gap == pytest.approx(whole.worst_gap)


@pytest.mark.parametrize("estimate", [fit_weibull, kaplan_meier])
def test_mileage_missing_for_survivors_only_is_refused(estimate: Callable[..., object]):
    """Garages note the mileage of failed vehicles; dropping the others would keep the failed alone."""
    mileage, failed = [12.0, 30.0, 41.0, np.nan, np.nan], [True, True, True, False, False]
    with pytest.raises(AnalysisError, match="2 of 5 rows have no duration, all of them survivors"):
        estimate(mileage, failed)


def test_repairs_a_machine_from_sums_are_those_from_machines(bad: Path, inputs_of: Inputs):
    """The mean cumulative function and its error added up in the database against the estimator on one row a machine and failure."""
    random, zero = np.random.default_rng(11), pd.Timestamp("2024-01-01")
    start = zero + pd.to_timedelta(random.integers(0, 900, 150), "D")
    length = random.integers(1, 700, 150)
    units = pd.DataFrame(
        {
            "serial_no": [f"S{k}" for k in range(150)],
            "product_id": "P1",
            "shipped_on": start.strftime("%Y-%m-%d"),
        }
    )
    units["retired_on"] = np.where(
        random.random(150) < 0.4, (start + pd.to_timedelta(length, "D")).strftime("%Y-%m-%d"), ""
    )
    who = random.integers(0, 150, 260)
    happened = start[who] + pd.to_timedelta(np.floor(random.random(260) * 900), "D")
    repairs = pd.DataFrame(
        {
            "ticket_id": [f"F{k}" for k in range(260)],
            "serial_no": units["serial_no"].to_numpy()[who],
            "ticket_type": "repair",
            "opened_at": happened.strftime("%Y-%m-%dT02:00:00"),
            "status": "closed",
            "fault_code": "F1",
            "component": random.choice(["a", "b"], 260),
            "failed_on": happened.strftime("%Y-%m-%d"),
        }
    )
    units.to_csv(bad / "units.csv", index=False)
    repairs.to_csv(bad / "tickets.csv", index=False)
    field = Field.of(inputs_of(bad))
    found = lives.repairs_per_machine(field, level=0.9)
    first = f"DATE '{field.first.start}'"
    watch = f"greatest(date_diff('day', started, {first}), 0) AS b, date_diff('day', started, ended) AS e"
    held = field.query(
        field.machines,
        select=f"SELECT serial_no, {watch} FROM machines WHERE ended > {first} ORDER BY serial_no",
    )
    events = field.query(
        field.failures,
        select="SELECT serial_no, date_diff('day', started, event_on) AS age FROM failed ORDER BY serial_no, age",
    )
    assert len(events) > 100 and events["serial_no"].duplicated().sum() > 30
    direct = mean_cumulative_function(
        events["serial_no"],
        events["age"] + 0.5,
        units=held["serial_no"],
        starts=held["b"],
        ends=np.maximum(held["e"], held["b"] + 1),
        level=0.9,
    )
    months = np.arange(3.0, 28, 3)
    expected, given = direct.at(months * lives.DAYS_PER_MONTH), found.at(months)
    for column in ("mcf", "standard_error", "low", "high"):
        assert given[column].to_numpy() == pytest.approx(expected[column].to_numpy(), rel=1e-9), column


def test_a_watched_cell_by_hand():
    """8 against 4 at equal expectation: at least 8 of 12 falls with probability 794 / 4096; doubled for the two cells."""
    rows = pd.DataFrame(
        {
            "component": ["a", "b", "c"],
            "dimension": "model",
            "value": "M",
            "failures": [8.0, 6.0, 9.0],
            "expected": [10.0, 10.0, 4.9],
            "past_failures": [4.0, 6.0, 1.0],
            "past_expected": [10.0, 10.0, 10.0],
        }
    )
    found = monitoring.judged(rows, level=0.95)
    assert list(found["component"]) == ["a", "b"]  # the third expects too little
    assert found["p_adjusted"].iloc[0] == pytest.approx(2 * 794 / 4096) and found["rate_ratio"].iloc[
        0
    ] == pytest.approx(2.0)


def test_margins_add_up_what_lies_in_the_cells():
    rows = [
        {
            "component": "a",
            "model": m,
            "supplier": s,
            "plant": "P",
            "region": r,
            "failures": k,
            "expected": 1.0 + k,
            "past_failures": 2 * k,
            "past_expected": 3.0,
        }
        for k, (m, s, r) in enumerate([("M1", "A", "N"), ("M1", "B", "S"), ("M2", "A", "S")])
    ]
    found = monitoring.margins(pd.DataFrame(rows)).set_index(["dimension", "value"])
    assert set(found.index.get_level_values(0)) == {
        "model",
        "supplier",
        "region",
    }  # one plant alone says nothing
    assert found.loc[
        ("supplier", "A"), ["failures", "expected", "past_failures", "past_expected"]
    ].tolist() == [2, 4.0, 4, 6.0]
