"""The bad batch must come out as the batch, not as the region it went to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.errors import ParameterError
from analysis.failures import localise
from analysis.failures.localising import Cells, modes_of, searched
from analysis.failures.localising_facts import months_begun
from analysis.failures.money import where_of
from analysis.metrics.views import NOT_STATED
from analysis.periods import Month

REGIONS, SUPPLIERS = ["North", "South", "East", "West"], ["A", "B", "C"]


def world(seed: int, *, batch_ratio: float = 1.0, supplier_ratio: float = 1.0) -> pd.DataFrame:
    """Twelve batches by region, supplier and component; batch B05 goes to the South in three cases of four (100 failures expected)."""
    generator = np.random.default_rng(seed)
    rows = []
    for number in range(12):
        for region in REGIONS:
            share = (0.76 if region == "South" else 0.08) if number == 5 else 0.25
            for supplier in SUPPLIERS:
                for component, part in (("board", 0.4), ("pump", 0.6)):
                    rows.append((f"B{number:02d}", region, supplier, component, 250 * share / 3 * part))
    frame = pd.DataFrame(rows, columns=["batch", "region", "supplier", "component", "expected"])
    bad = (frame["batch"] == "B05") & (frame["component"] == "board")
    weak = (frame["supplier"] == "B") & (frame["component"] == "pump")
    mean = frame["expected"] * np.where(bad, batch_ratio, 1.0) * np.where(weak, supplier_ratio, 1.0)
    frame["failures"] = generator.poisson(mean).astype(float)
    return frame.assign(model="M", plant="P", produced_month="2026-01", product_line="L")


def cells(frame: pd.DataFrame) -> Cells:
    names = ["model", "batch", "supplier", "plant", "region", "produced_month"]
    held = frame.groupby(names, as_index=False)["expected"].sum().rename(columns={"expected": "unit_months"})
    return Cells(frame=frame, unit_months=held, attributes=tuple(names), dispersion=1.0)


def test_a_batch_shipped_mostly_to_one_region_is_a_batch():
    """Rate ratio 2 with 100 failures expected, a quarter outside the main region, other batches inside it."""
    right = 0
    for seed in range(40):
        causes = searched(cells(world(seed, batch_ratio=2.0)), familywise=0.02, level=0.95).causes
        right += bool(causes) and causes[0].attributes == {"batch": "B05"} and causes[0].component == "board"
    assert right >= 38


def test_a_supplier_across_batches_is_the_supplier():
    right = 0
    for seed in range(20):
        causes = searched(cells(world(seed, supplier_ratio=1.5)), familywise=0.02, level=0.95).causes
        right += [c.attributes for c in causes] == [{"supplier": "B"}] and causes[0].component == "pump"
    assert right >= 19


def test_with_nothing_planted_nothing_is_named():
    named = sum(bool(searched(cells(world(seed)), familywise=0.02, level=0.95).causes) for seed in range(60))
    assert named <= 4  # 2 % promised: more than four of sixty happens once in three thousand


def test_order_of_rows_and_names_of_labels_do_not_matter():
    frame = world(3, batch_ratio=2.5)
    first = searched(cells(frame), familywise=0.02, level=0.95).causes
    shuffled = frame.sample(frac=1, random_state=1).replace({"batch": {"B05": "Z"}}).reset_index(drop=True)
    second = searched(cells(shuffled), familywise=0.02, level=0.95).causes
    assert [c.rate_ratio for c in first] == pytest.approx([c.rate_ratio for c in second])
    assert second[0].attributes == {"batch": "Z"}


def test_doubling_exposure_halves_no_ratio_but_the_expectation_scales():
    """Only differences between cells count: twice the exposure everywhere is half the rate everywhere."""
    frame = world(4, batch_ratio=2.5)
    once = localise(frame, frame, ["batch", "region"], held="expected")
    twice = localise(
        frame, frame.assign(expected=2 * frame["expected"]), ["batch", "region"], held="expected"
    )
    assert list(once.causes["cause"]) == list(twice.causes["cause"])
    assert list(once.causes["rate_ratio"]) == pytest.approx(list(twice.causes["rate_ratio"]))


def test_failures_without_exposure_are_refused_in_words():
    counts = pd.DataFrame({"batch": ["B1", "B2"], "failures": [3, 2]})
    exposure = pd.DataFrame({"batch": ["B1"], "unit_months": [100.0]})
    with pytest.raises(ParameterError, match="counted, not rated"):
        localise(counts, exposure, ["batch"])


def test_a_missing_column_is_named():
    with pytest.raises(ParameterError, match="exposure lack the column 'region'"):
        localise(
            pd.DataFrame({"region": ["N"], "failures": [1]}), pd.DataFrame({"unit_months": [1.0]}), ["region"]
        )


def test_a_young_batch_is_not_taken_for_a_good_or_bad_one():
    """The batch has young machines only, and young machines fail four times as often: with age, nothing is left."""
    generator = np.random.default_rng(0)
    rows = [
        (batch, age, 20_000.0, float(generator.poisson(20_000 * rate)))
        for batch, ages in (("B1", (0, 12, 24)), ("B2", (0, 12, 24)), ("B3", (0,)))
        for age in ages
        for rate in [0.02 if age == 0 else 0.005]
    ]
    frame = pd.DataFrame(rows, columns=["batch", "age", "unit_months", "failures"])
    assert localise(frame, frame, ["batch"]).found
    assert not localise(frame, frame, ["batch"], age="age").found


def test_attributes_with_actual_and_forecast_values_go_through_the_same_function():
    """The Squeeze format: one row a combination with ``real`` and ``predict``; cells of a cause lose half of their value."""
    generator = np.random.default_rng(7)
    rows = [
        (
            a,
            b,
            c,
            value,
            value * (0.5 if (a, b) == ("a1", "b2") else 1.0) * (1 + 0.01 * generator.standard_normal()),
        )
        for a in ("a1", "a2", "a3")
        for b in ("b1", "b2", "b3")
        for c in ("c1", "c2", "c3", "c4")
        for value in [float(generator.integers(50, 150))]
    ]
    frame = pd.DataFrame(rows, columns=["a", "b", "c", "predict", "real"])
    found = localise(
        frame,
        None,
        ["a", "b", "c"],
        count="real",
        held="predict",
        baseline="given",
        noise="relative",
        direction="both",
    )
    assert list(found.causes["cause"]) == ["a=a1 & b=b2"]
    assert found.causes["rate_ratio"].iloc[0] == pytest.approx(0.5, abs=0.03)


def test_an_effect_too_small_to_matter_is_passed_over_however_certain():
    """Supplier B fails 10 % more often in a million machines: certain, and not worth a finding below a least effect of 20 %."""
    frame = world(5, supplier_ratio=1.0)
    scaled = frame.assign(expected=frame["expected"] * 1000)
    mean = scaled["expected"] * np.where(scaled["supplier"] == "B", 1.1, 1.0)
    counted = scaled.assign(failures=np.random.default_rng(5).poisson(mean).astype(float))
    names = ["batch", "region", "supplier"]
    sure = localise(counted, counted, names, held="expected")
    assert list(sure.causes["cause"]) == ["supplier=B"] and sure.causes["rate_ratio"].iloc[
        0
    ] == pytest.approx(1.1, abs=0.01)
    assert not localise(counted, counted, names, held="expected", least_effect=0.2).found
    assert localise(counted, counted, names, held="expected", least_effect=0.05).found


def test_a_component_that_fails_in_one_batch_only_has_a_ratio_that_can_be_said():
    frame = world(6)
    only = (frame["component"] == "pump") & (frame["batch"] != "B05")
    frame.loc[only, "failures"] = 0.0
    cause = searched(cells(frame), familywise=0.02, level=0.95).causes[0]
    assert cause.attributes == {"batch": "B05"} and cause.component == "pump"
    inside = (frame["component"] == "pump") & ~only
    rest, own = frame.loc[only, "expected"].sum(), frame.loc[inside, "expected"].sum()
    # nothing failed outside: half a failure stands for it
    assert (
        cause.rate_ratio == pytest.approx(cause.actual / own / (0.5 / rest))
        and 1 < cause.low < cause.rate_ratio
    )
    assert np.isfinite(cause.share) and cause.high == np.inf


def test_two_counted_periods_are_compared_with_what_was_not_there_before():
    places = pd.DataFrame({"plant": ["A", "B", "C", "D"]})
    now = places.assign(failures=[40, 41, 39, 60])
    before = places[places["plant"] != "D"].assign(failures_before=[40, 38, 42])
    with pytest.raises(ParameterError, match="counted, not rated"):
        localise(now, before, ["plant"], held="failures_before", baseline="given")
    found = localise(now, before, ["plant"], held="failures_before", baseline="given", noise="two_counts")
    assert found.causes["cause"].tolist() == ["plant=D"] and found.causes["rate_ratio"][0] == np.inf


@pytest.mark.parametrize("due", [2.0, 10.0])
@pytest.mark.parametrize("ratio", [1.5, 3.0])
@pytest.mark.parametrize("true", [0, 12, 27])
def test_the_months_in_which_an_excess_may_have_begun_hold_the_true_one(due: float, ratio: float, true: int):
    random = np.random.default_rng(int(10 * due + ratio + true))
    months = [Month(2024, 1) + k for k in range(36)]
    expected = due * np.linspace(0.5, 1.5, 36)
    planted = np.where(np.arange(36) >= true, ratio, 1.0)
    held = 0
    for _ in range(300):
        first, last = months_begun(months, random.poisson(expected * planted), expected, level=0.95)
        held += first <= months[true] <= last
    # 95 % less three standard errors of 300 tries
    assert held / 300 > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300)


def test_a_large_excess_begins_in_one_month_and_a_small_one_in_many():
    months = [Month(2024, 1) + k for k in range(24)]
    expected = np.full(24, 10.0)
    sharp = np.where(np.arange(24) >= 9, 60, 10)
    assert months_begun(months, sharp, expected, level=0.95) == (months[9], months[9])
    first, last = months_begun(months, np.where(np.arange(24) >= 9, 13, 10), expected, level=0.95)
    assert first <= months[9] <= last and last.months_since(first) > 6


def test_a_cause_has_not_begun_before_its_first_machine():
    months = [Month(2024, 1) + k for k in range(12)]
    expected = np.where(np.arange(12) >= 5, 4.0, 0.0)
    assert months_begun(months, (expected * 5).astype(int), expected, level=0.95)[0] == months[5]


def coded(seed: int, *, ratio: float = 1.0, all_codes: bool = False) -> Cells:
    """The board fails in two ways: CTL often, ALARM one time in twenty; in batch B03 one of them (or both) ``ratio`` times as often."""
    frame = world(seed)
    generator = np.random.default_rng(1000 + seed)
    board, bad = frame["component"] == "board", frame["batch"] == "B03"
    rows = []
    for code, part in (("CTL", 0.95), ("ALARM", 0.05)):
        own = frame[board].assign(fault_code=code)
        mean = own["expected"] * part * np.where(bad[board] & ((code == "ALARM") | all_codes), ratio, 1.0)
        rows.append(own.assign(failures=generator.poisson(mean).astype(float)))
    pump = frame[~board].assign(fault_code="PMP")
    codes = pd.concat([*rows, pump], ignore_index=True).drop(columns="expected")
    keys = [name for name in codes.columns if name not in ("failures", "fault_code")]
    counted = codes.groupby(keys, as_index=False)["failures"].sum()
    frame = frame.drop(columns="failures").merge(counted, on=keys)
    return replace(cells(frame), modes=modes_of(frame, codes[codes["failures"] > 0]))


def test_a_rare_way_to_fail_is_found_where_its_component_shows_nothing():
    named = 0
    for seed in range(20):
        world_ = coded(seed, ratio=10.0)
        causes = searched(world_, familywise=0.02, level=0.95).causes
        assert not searched(replace(world_, modes=None), familywise=0.02, level=0.95).causes or causes
        named += [(c.attributes, c.component, c.fault_code) for c in causes] == [
            ({"batch": "B03"}, "board", "ALARM")
        ]
        for cause in causes:
            # among all failures of the board the alarms are few, so its own factor is a small one
            assert 1.0 < cause.factor < 2.2 and cause.low < 10.0 < cause.high
            assert "fault_code = 'ALARM'" in where_of(cause)
    assert named >= 18


def test_a_batch_that_fails_in_every_way_is_said_of_its_component_once():
    for seed in range(10):
        causes = searched(coded(seed, ratio=2.5, all_codes=True), familywise=0.02, level=0.95).causes
        assert [(c.attributes, c.component) for c in causes] == [({"batch": "B03"}, "board")]


def test_codes_name_nothing_where_nothing_is_planted():
    named = sum(bool(searched(coded(seed), familywise=0.02, level=0.95).causes) for seed in range(60))
    assert named <= 4  # as without codes: they share the error rate


def test_a_component_with_one_code_has_no_ways_to_fail():
    frame = world(1)
    one = frame.assign(fault_code=frame["component"].map({"board": "F20", "pump": "F30"})).drop(
        columns="expected"
    )
    assert modes_of(frame, one) is None
    # not stated is no way to fail
    some = one.assign(fault_code=one["fault_code"].where(one["region"] == "South", NOT_STATED))
    assert modes_of(frame, some) is None


def test_what_is_expected_of_the_codes_of_a_line_is_what_fell_in_it():
    held = coded(5)
    assert held.modes is not None
    got = held.modes.groupby("fault_code")[["failures", "expected"]].sum()
    board = held.frame[held.frame["component"] == "board"]
    scale = board["expected"].sum() / board["failures"].sum()
    assert got["expected"].to_numpy() == pytest.approx(got["failures"].to_numpy() * scale)
