"""Machines overdue for planned service: time split by hand, and the ratio found where it is planted and nowhere else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.failures import missed_services_facts
from analysis.failures.field import Field
from analysis.failures.missed_services import NEITHER, NONE_OVERDUE, ServiceTime
from analysis.metrics import NotDone, StudyInputs

Build = Callable[..., StudyInputs]
NO_METERS = NotDone.because(ValueError("no meters"))
FIRST = dt.date(2024, 1, 1)
DAYS = 365 * 2 + 305  # to the end of October 2026


def company(
    folder: Path, *, machines: int, ratio: float, skipped: float, regular: bool = True, seed: int = 7
) -> Path:
    """Machines of two sites that are served every 100 days, but for services that are left out; while one is missing they fail ``ratio`` times as often."""
    random = np.random.default_rng(seed)
    rows: list[tuple[str, str, str, str]] = []
    for k in range(machines):
        rate = 1 / 120 if k % 2 else 1 / 60  # one site fails twice as often, whether served or not
        day, last = 0, 0
        gaps = iter(lambda: 100 if regular else int(random.integers(20, 400)), None)
        served: list[int] = []
        while (day := day + next(gaps)) < DAYS:
            if random.random() >= skipped:
                served.append(day)
        for day in range(1, DAYS):
            last = day if day in served else last
            late = regular and day - last > 100
            if random.random() < rate * (ratio if late else 1.0):
                rows.append((f"M{k}", "repair", str(FIRST + dt.timedelta(days=day)), "pump"))
        rows += [(f"M{k}", "maintenance", str(FIRST + dt.timedelta(days=day)), "") for day in served]
    folder = folder / "company"
    folder.mkdir()
    (folder / "products.csv").write_text("product_id,product_line,model\nP1,Diggers,D1\n", encoding="utf-8")
    units = pd.DataFrame(
        {
            "serial_no": [f"M{k}" for k in range(machines)],
            "product_id": "P1",
            "shipped_on": str(FIRST),
            "in_service_on": str(FIRST),
            "region": ["North" if k % 2 else "South" for k in range(machines)],
        }
    )
    units.to_csv(folder / "units.csv", index=False)
    tickets = pd.DataFrame(rows, columns=["serial_no", "ticket_type", "opened_at", "component"])
    tickets.insert(0, "ticket_id", [f"T{k}" for k in range(len(tickets))])
    tickets["opened_at"] += "T04:00:00"
    tickets["product_id"] = "P1"
    tickets["fault_code"] = np.where(tickets["ticket_type"] == "repair", "F1", "")
    tickets.to_csv(folder / "tickets.csv", index=False)
    return folder


def found_in(
    tmp_path: Path, inputs_in: Build, **how: object
) -> missed_services_facts.MissedServices | NotDone:
    field = Field.of(inputs_in(company(tmp_path, **how), work=tmp_path, month="2026-10"))  # type: ignore[arg-type]
    return missed_services_facts.missed_services_facts(field, NO_METERS, NO_METERS)


def test_what_is_planted_is_found_by_the_calendar(tmp_path: Path, inputs_in: Build):
    found = found_in(tmp_path, inputs_in, machines=60, ratio=2.5, skipped=0.25)
    assert not isinstance(found, NotDone) and not found.by_use
    assert found.whole.ratio.interval is not None and found.whole.ratio.interval.holds(2.5)
    assert found.whole.ratio.interval.low > 1.5
    assert found.excess.interval is not None and found.excess.interval.holds(
        float(found.whole.failures.value or 0) * (1 - 1 / 2.5)
    )
    # without a ledger there is no money, and it says so
    assert found.cost.value is None and found.cost.reason is not None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_where_it_makes_no_difference_none_is_found(tmp_path: Path, inputs_in: Build, seed: int):
    found = found_in(tmp_path, inputs_in, machines=60, ratio=1.0, skipped=0.25, seed=seed)
    assert not isinstance(found, NotDone)
    assert found.whole.ratio.interval is not None and found.whole.ratio.interval.low < 1.1


def test_services_that_come_at_random_say_nothing(tmp_path: Path, inputs_in: Build):
    assert found_in(tmp_path, inputs_in, machines=40, ratio=1.0, skipped=0.0, regular=False) is NEITHER


def test_machines_that_are_always_served_in_time_have_no_overdue_time(tmp_path: Path, inputs_in: Build):
    assert found_in(tmp_path, inputs_in, machines=30, ratio=1.0, skipped=0.0) is NONE_OVERDUE


@pytest.fixture
def time(tmp_path: Path, inputs_in: Build) -> ServiceTime:
    field = Field.of(
        inputs_in(company(tmp_path, machines=20, ratio=1.0, skipped=0.3), work=tmp_path, month="2026-10")
    )
    found = ServiceTime.of(field, NO_METERS)
    assert isinstance(found, ServiceTime)
    return found


def test_time_is_in_order_up_to_a_gap_and_overdue_from_a_fifth_beyond_it(time: ServiceTime):
    """By hand, from the services as they were written: of each stretch 100 days are in order, 20 are neither, the rest is overdue."""
    pieces = time.field.inputs.engine.query(time.pieces())
    services = time.field.inputs.engine.query(
        "SELECT serial_no, opened_on FROM service_orders WHERE ticket_type = 'maintenance' ORDER BY 1, 2"
    )
    first, end = pd.Timestamp(FIRST), pd.Timestamp(time.field.last.end)
    for serial, own in pieces.groupby("serial_no"):
        marks = [first, *pd.to_datetime(services.loc[services["serial_no"] == serial, "opened_on"]), end]
        gaps = [(b - a).days for a, b in zip(marks[:-1], marks[1:], strict=True)]
        days = (pd.to_datetime(own["ends"]) - pd.to_datetime(own["begins"])).dt.days
        assert int(days[~own["overdue"]].sum()) == sum(min(gap, 100) for gap in gaps)
        assert int(days[own["overdue"]].sum()) == sum(max(gap - 120, 0) for gap in gaps)


def test_every_failure_counts_once(time: ServiceTime):
    """Failures in order, overdue and on days that count in neither add up to all of them."""
    engine = time.field.inputs.engine
    compared, pieces = time.compared(), time.pieces()
    held = engine.query(
        f"SELECT count(*) AS n FROM ({time.field.rows()}) f WHERE EXISTS (SELECT 1 FROM ({pieces}) p WHERE p.serial_no = f.serial_no AND f.event_on >= p.begins AND f.event_on < p.ends)"
    )
    assert int(compared["failures"].sum()) == int(held["n"].iloc[0]) > 0
    assert len(time.overdue_failures()) == int(compared.loc[compared["overdue"], "failures"].sum())
