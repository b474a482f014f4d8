"""Machines are compared within their product line, and a component is at risk only where it is carried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from analysis.failures import fault_tree_facts, lives, localising, localising_facts, study
from analysis.failures.baseline import Baseline
from analysis.failures.carriers import Carriers
from analysis.failures.comparing import Compared
from analysis.failures.field import Field
from analysis.failures.localising import Cells, searched
from analysis.failures.ranking_facts import _summed
from analysis.failures.result import FailureStudy
from analysis.metrics import StudyInputs

Inputs = Callable[..., StudyInputs]
NAMES = ["model", "batch", "supplier", "plant", "region", "produced_month"]


# -- one ratio over lines of unlike levels ----------------------------------------------------------------------------


def sides(random: np.random.Generator, ratio: float) -> pd.DataFrame:
    lines = int(random.integers(2, 6))
    due, rest = random.uniform(2, 60, lines), random.uniform(20, 200, lines)
    level = random.uniform(0.2, 5, lines)
    frame = pd.DataFrame(
        {
            "failures": random.poisson(ratio * level * due),
            "expected": due,
            "others": random.poisson(level * rest),
            "others_expected": rest,
        },
        index=[f"L{k}" for k in range(lines)],
    )
    return frame.astype(float)


@pytest.mark.parametrize("seed", range(10))
def test_the_ratio_is_that_of_a_poisson_regression_with_a_level_for_each_line(seed: int):
    frame = sides(np.random.default_rng([1, seed]), 2.0)
    found = Compared.by_line(frame)
    counts = np.r_[frame["failures"], frame["others"]]
    design = np.c_[np.r_[np.ones(len(frame)), np.zeros(len(frame))], np.tile(np.eye(len(frame)), (2, 1))]
    exposure = np.r_[frame["expected"], frame["others_expected"]]
    fit = sm.GLM(counts, design, family=sm.families.Poisson(), exposure=exposure).fit()
    assert found.ratio == pytest.approx(np.exp(fit.params[0]), rel=1e-6)
    # the failures of the others count for as many as the information in them
    assert 1 / found.failures + 1 / found.others == pytest.approx(fit.cov_params()[0, 0], rel=1e-5)


def test_limits_over_lines_hold_a_planted_ratio_as_often_as_they_say():
    random = np.random.default_rng(2)
    held = [
        low <= 2.0 <= high
        for low, high in (Compared.by_line(sides(random, 2.0)).limits(0.95) for _ in range(600))
    ]
    assert np.mean(held) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 600)


def test_a_line_without_others_is_left_out_on_both_sides():
    frame = pd.DataFrame(
        {
            "failures": [900.0, 12.0],
            "expected": [900.0, 6.0],
            "others": [0.0, 30.0],
            "others_expected": [0.0, 30.0],
        },
        index=["own", "shared"],
    )
    found = Compared.by_line(frame)
    assert (found.failures, found.expected, found.lines) == (12.0, 6.0, ("shared",))
    assert not Compared.by_line(frame.loc[["own"]]).lines


@pytest.mark.parametrize(
    ("others", "due", "known"), [(30.0, 6.0, True), (0.0, 6.0, False), (30.0, 0.3, False)]
)
def test_a_ratio_to_hardly_anything_is_beyond_the_data(others: float, due: float, known: bool):
    frame = pd.DataFrame(
        {"failures": [9.0], "expected": [due], "others": [others], "others_expected": [30.0]}, index=["L"]
    )
    assert Compared.by_line(frame).known is known


# -- the search -------------------------------------------------------------------------------------------------------


def world(seed: int, *, ratio: float = 1.0) -> pd.DataFrame:
    """Two lines; the large machines fail six times as often, and but for one batch in ten plant P1 makes all of them and P2 all others."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(20):
        line = "large" if number < 10 else "small"
        plant = ("P1" if line == "large" else "P2") if number % 10 else "P3"
        for region in ("N", "E", "S"):
            for supplier in ("A", "B"):
                for component, part in (
                    ("board", 0.4),
                    ("pump", 0.6),
                    *([("axle", 0.5)] if line == "large" else []),
                ):
                    due = random.uniform(20, 40) * part
                    rows.append((line, f"B{number:02d}", plant, region, supplier, component, due))
    frame = pd.DataFrame(
        rows, columns=["product_line", "batch", "plant", "region", "supplier", "component", "expected"]
    )
    level = np.where(frame["product_line"] == "large", 6.0, 1.0)
    bad = (frame["supplier"] == "B") & (frame["component"] == "pump")
    frame["failures"] = random.poisson(frame["expected"] * level * np.where(bad, ratio, 1.0)).astype(float)
    return frame.assign(model=frame["product_line"].str.upper(), produced_month="2026-01")


def cells(frame: pd.DataFrame) -> Cells:
    held = frame.groupby([*NAMES, "product_line"], as_index=False)["expected"].sum()
    return Cells(
        frame=frame,
        unit_months=held.rename(columns={"expected": "unit_months"}),
        attributes=tuple(NAMES),
        dispersion=1.0,
    )


@pytest.mark.parametrize("seed", range(10))
def test_a_plant_that_makes_the_large_machines_is_no_cause(seed: int):
    frame = world(seed)
    assert searched(cells(frame), familywise=0.02, level=0.95).causes == ()
    # held against machines of another line it would have been
    assert searched(cells(frame.assign(product_line="all")), familywise=0.02, level=0.95).causes


@pytest.mark.parametrize("seed", range(10))
def test_a_supplier_of_both_lines_is_found_at_its_ratio(seed: int):
    (cause,) = searched(cells(world(seed, ratio=2.0)), familywise=0.02, level=0.95).causes
    assert (cause.attributes, cause.component) == ({"supplier": "B"}, "pump") and cause.known
    assert cause.low < 2.0 < cause.high and cause.lines == ()


def test_a_cause_is_said_of_the_lines_in_which_there_is_something_to_compare():
    frame = world(3)
    own = (frame["plant"] == "P3") & (frame["product_line"] == "small") & (frame["component"] == "board")
    frame.loc[own, "failures"] = frame.loc[own, "failures"] * 5 + 5
    only = frame[~((frame["product_line"] == "large") & (frame["plant"] != "P3"))].assign(
        batch="B", model="M"
    )
    (cause, *_) = searched(cells(only), familywise=0.02, level=0.95).causes
    assert cause.component == "board" and cause.lines == ("small",)
    assert cause.actual == frame.loc[own, "failures"].sum() and "product_line IN ('small')" in cause.machines


def test_the_excess_of_a_value_is_over_the_others_of_its_lines():
    frame = pd.DataFrame(
        {
            "product_line": ["large", "large", "small", "small"],
            "plant": ["P1", "P3", "P2", "P3"],
            "failures": [600.0, 60.0, 100.0, 10.0],
            "expected": [300.0, 30.0, 300.0, 30.0],
        }
    )
    found = _summed(replace(cells(world(1)), frame=frame), "plant").set_index("value")
    # P1 is held against the 60 failures of P3 in its own line: as many as they have on a tenth of the exposure
    assert found.loc["P1", "expected"] == pytest.approx(600.0) and found.loc[
        "P2", "expected"
    ] == pytest.approx(100.0)


# -- what is carried --------------------------------------------------------------------------------------------------


def carriers(orders: list[tuple[str, str, str]], failed: list[tuple[str, str, str, int]]) -> Carriers:
    held = pd.DataFrame(
        [("dig", "D1", 1000.0), ("dig", "D2", 1000.0), ("load", "W1", 500.0)],
        columns=["product_line", "model", "unit_months"],
    )
    names = ["product_line", "model", "component"]
    return Carriers.of(
        held, pd.DataFrame(orders, columns=names), pd.DataFrame(failed, columns=[*names, "failures"])
    )


def test_a_line_whose_orders_never_named_a_component_does_not_carry_it():
    found = carriers(
        [("dig", "D1", "boom"), ("dig", "D2", "boom"), ("load", "W1", "axle")],
        [("dig", "D1", "boom", 3), ("dig", "D2", "boom", 4), ("load", "W1", "axle", 9)],
    )
    assert [found.carries("axle", *one) for one in (("dig", "D1"), ("dig", "D2"), ("load", "W1"))] == [
        False,
        False,
        True,
    ]
    assert found.carries("boom", "dig", "D1") and not found.carries("boom", "load", "W1")
    # of a line of which nothing is known, as one to be shipped, nothing says that it does not
    assert found.carries("axle", "crane", "C1")
    assert found.where("axle") == "product_line NOT IN ('dig')"


@pytest.mark.parametrize(("failures", "carried"), [(9, True), (10, False)])
def test_a_model_without_a_component_is_told_where_ten_failures_were_due(failures: int, carried: bool):
    found = carriers([("dig", "D1", "boom")], [("dig", "D1", "boom", failures)])
    assert found.carries("boom", "dig", "D2") is carried
    assert found.where("boom") == ("TRUE" if carried else "(product_line, model) NOT IN (('dig', 'D2'))")


def test_a_planned_exchange_says_that_a_line_carries_the_part():
    found = carriers([("dig", "D1", "boom"), ("load", "W1", "boom")], [("dig", "D1", "boom", 30)])
    assert found.carries("boom", "load", "W1")


# -- a company of two lines -------------------------------------------------------------------------------------------


def made(folder: Path, *, seed: int = 1) -> Path:
    """Excavators of plant N and loaders of plant S, four times as prone; one of each from the other plant in ten. Only loaders have axles."""
    random = np.random.default_rng(seed)
    products, units, tickets = [], [], []
    for line, model, rate in (("Excavators", "EX", 0.05), ("Loaders", "WL", 0.2)):
        products.append((f"P-{model}", line, model))
        parts = ["hose", "pump"] + (["axle"] if line == "Loaders" else [])
        for number in range(120):
            serial = f"{model}-{number:03d}"
            start = pd.Timestamp("2024-01-01") + pd.Timedelta(days=int(random.integers(0, 300)))
            usual, other = ("N", "S") if line == "Excavators" else ("S", "N")
            plant = other if number % 10 == 0 else usual
            units.append(
                (serial, f"P-{model}", f"{model}-{number // 20}", "AB"[number % 2], plant, start, start)
            )
            months = (pd.Timestamp("2026-11-01") - start).days / 30.4
            for part in parts:
                for _ in range(random.poisson(rate * months / len(parts))):
                    day = start + pd.Timedelta(days=float(random.uniform(0, months * 30.3)))
                    tickets.append(
                        (f"T{len(tickets):05d}", serial, "repair", day, "closed", "F1", part, True, day)
                    )
    folder.mkdir()
    columns = ["serial_no", "product_id", "batch", "supplier", "plant", "shipped_on", "in_service_on"]
    pd.DataFrame(products, columns=["product_id", "product_line", "model"]).to_csv(
        folder / "products.csv", index=False
    )
    pd.DataFrame(units, columns=columns).assign(region="R").to_csv(
        folder / "units.csv", index=False, date_format="%Y-%m-%d"
    )
    names = ["ticket_id", "serial_no", "ticket_type", "opened_at", "status", "fault_code", "component"]
    frame = pd.DataFrame(tickets, columns=[*names, "confirmed_failure", "failed_on"])
    frame["opened_at"] = frame["opened_at"].dt.strftime("%Y-%m-%dT%H:%M:%S")
    frame["failed_on"] = pd.to_datetime(frame["failed_on"]).dt.strftime("%Y-%m-%d")
    frame.to_csv(folder / "tickets.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def two_lines(tmp_path_factory: pytest.TempPathFactory, inputs_in: Callable[..., StudyInputs]) -> StudyInputs:
    folder = tmp_path_factory.mktemp("lines")
    return inputs_in(made(folder / "company"), work=folder)


def test_expected_failures_add_up_in_every_line_and_component(two_lines: StudyInputs):
    field = Field.of(two_lines)
    frame = localising.cells_of(field, Baseline.of(field)).frame
    sums = frame.groupby(["product_line", "component"])[["failures", "expected"]].sum()
    assert sums["expected"].to_numpy() == pytest.approx(sums["failures"].to_numpy(), rel=0.05)
    assert sums.loc[("Excavators", "axle"), "expected"] == 0


def test_a_life_and_an_event_rest_on_the_machines_that_carry_the_part(two_lines: StudyInputs):
    field = Field.of(two_lines)
    fitted = {one.component: one for one in lives.component_lives(field)[0]}
    assert fitted["axle"].counts.machines.max() <= 120 < fitted["hose"].counts.machines.max()
    events = fault_tree_facts._from_field(field)
    young = field.by_line[field.by_line["age_months"] < 12].groupby("product_line")["unit_months"].sum()
    assert events["axle"].exposure == pytest.approx(young["Loaders"])
    assert events["hose"].exposure == pytest.approx(young.sum())


def test_a_study_of_two_lines_names_no_plant_and_says_what_it_compares_with(two_lines: StudyInputs):
    found: Any = study(two_lines)
    assert isinstance(found, FailureStudy)
    assert found.causes == () and found.others.en == "other machines of the same product line and age"
    ratios = {fact.dimensions["plant"]: fact for _, fact in found.ratios["plant"]}
    assert ratios["S"].interval.low < 1 < ratios["S"].interval.high
    # a model is the whole of its line here: nothing can be said of it
    assert all(fact.value is None for _, fact in found.ratios["model"])


def test_a_cause_does_not_raise_what_is_expected_of_itself(two_lines: StudyInputs):
    """The rates of the second fit are those of machines without the cause, however much of its line and age the cause is."""
    field = Field.of(two_lines)
    plain = Baseline.of(field)
    cause = localising.Cause(
        attributes={"supplier": "A"},
        component="hose",
        actual=30,
        expected=10,
        rate_ratio=3.0,
        low=2,
        high=4,
        corrected=3,
        share=0.1,
        p_familywise=0.001,
        outside=10,
        confounded_with=(),
    )
    allowed = Baseline.of(field, [cause])
    k = plain.components.index("hose")
    half = allowed.rates["Loaders"][:, k].sum() / plain.rates["Loaders"][:, k].sum()
    # half of the machines count for three: two on average
    assert half == pytest.approx(0.5, rel=0.1)
    others = [j for j in range(len(plain.components)) if j != k]
    assert allowed.rates["Loaders"][:, others] == pytest.approx(plain.rates["Loaders"][:, others], rel=0.05)


def test_a_ratio_without_others_has_its_reason(two_lines: StudyInputs):
    field = Field.of(two_lines)
    ratios = localising_facts.ratios_by(field, localising.cells_of(field, Baseline.of(field)))
    assert {fact.reason.en for _, fact in ratios["model"] if fact.reason} == {
        "no other machine of its product lines to compare with"
    }
