"""Whose machines fail early: a supplier's parts that fail young are found, and nobody's where young machines of all suppliers fail alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import failures
from analysis.failures.early_causes import EarlyCause
from analysis.failures.result import FailureStudy
from analysis.metrics import StudyInputs

Build = Callable[..., StudyInputs]
FIRST, END = dt.date(2023, 11, 1), dt.date(2026, 11, 1)


def company(folder: Path, *, bad: float, always: float = 1.0, machines: int = 420, seed: int = 3) -> Path:
    """Machines of three suppliers, on record from a day on that many of them are older than, whose pumps fail more often in their first year; those of one ``bad`` times as often then and ``always`` times at all ages."""
    random = np.random.default_rng(seed)
    folder = folder / "company"
    folder.mkdir()
    start = [FIRST + dt.timedelta(days=int(day)) for day in np.linspace(-1600, 800, machines)]
    supplier = [("Ash", "Birch", "Cedar")[k % 3] for k in range(machines)]
    rows: list[tuple[str, str, dt.date, str]] = []
    for k in range(machines):
        days = (END - start[k]).days
        young = np.arange(days) < 365
        rate = np.where(young, (bad if supplier[k] == "Ash" else 1.0) / 500, 1 / 900)
        rate = rate * (always if supplier[k] == "Ash" else 1.0)
        for component, often in (("pump", rate), ("hose", np.full(days, 1 / 900))):
            failed = [
                start[k] + dt.timedelta(days=int(day)) for day in np.flatnonzero(random.random(days) < often)
            ]
            rows += [(f"M{k}", "repair", day, component) for day in failed if day >= FIRST]
    (folder / "products.csv").write_text("product_id,product_line,model\nP1,Diggers,D1\n", encoding="utf-8")
    pd.DataFrame(
        {
            "serial_no": [f"M{k}" for k in range(machines)],
            "product_id": "P1",
            "shipped_on": start,
            "in_service_on": start,
            "supplier": supplier,
            "region": [("North", "South")[k % 2] for k in range(machines)],
        }
    ).to_csv(folder / "units.csv", index=False)
    tickets = pd.DataFrame(rows, columns=["serial_no", "ticket_type", "opened_at", "component"])
    tickets["opened_at"] = tickets["opened_at"].astype(str) + "T04:00:00"
    tickets.insert(0, "ticket_id", [f"T{k}" for k in range(len(tickets))])
    tickets["product_id"], tickets["fault_code"] = "P1", "F1"
    tickets.to_csv(folder / "tickets.csv", index=False)
    return folder


def early_in(tmp_path: Path, inputs_in: Build, **how: float) -> tuple[FailureStudy, list[EarlyCause]]:
    found = failures.study(inputs_in(company(tmp_path, **how), work=tmp_path, month="2026-10"))  # type: ignore[arg-type]
    assert isinstance(found, FailureStudy)
    return found, list(found.early)


def test_the_supplier_whose_parts_fail_young_is_named_with_how_often(tmp_path: Path, inputs_in: Build):
    study, (cause,) = early_in(tmp_path, inputs_in, bad=4.0)
    assert cause.ratio.dimensions == {"supplier": "Ash", "component": "pump"}
    assert cause.ratio.interval is not None and cause.ratio.interval.holds(4.0)
    assert int(cause.failures.value or 0) == len(cause.evidence) and (cause.evidence["age_months"] < 12).all()
    (said,) = [one for one in study.findings if one.id == "failures.early_cause"]
    assert said.subject == {"supplier": "Ash", "component": "pump"}


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_where_young_machines_of_all_suppliers_fail_alike_nobody_is_named(
    tmp_path: Path, inputs_in: Build, seed: int
):
    study, named = early_in(tmp_path, inputs_in, bad=1.0, seed=seed)
    assert named == []
    # their pumps do fail early, and that is said
    assert "failures.early_life" in {one.id for one in study.findings}


def test_what_fails_more_often_at_all_ages_is_not_said_twice(tmp_path: Path, inputs_in: Build):
    study, named = early_in(tmp_path, inputs_in, bad=1.0, always=3.0)
    assert {"supplier": "Ash"} in [one.cause.attributes for one in study.causes]
    assert named == []
