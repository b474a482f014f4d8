"""The printed table of simulated fields is what the search does today, and what was promised."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from analysis.failures import simulated
from analysis.failures.error_rates import ErrorRates
from analysis.failures.simulated import FIRST, PLAN, Outcome
from analysis.params import Assumptions

KEPT = {(one.name, one.ratio): one for one in simulated.kept()}
ERRORS = ErrorRates.of(Assumptions.load(), on=dt.date(2026, 10, 31))
AGAIN = [key for key in KEPT if key[1] <= 2.0 and key[1] != 1.5 and key[0] != simulated.NEAR]


def hits(one: Outcome, seeds: range) -> int:
    return sum(simulated.hit(one.name, one.ratio, seed, ERRORS) for seed in seeds)


def test_the_table_holds_what_was_planned():
    assert [(one.name, one.ratio, one.seeds) for one in KEPT.values()] == list(PLAN)


@pytest.mark.parametrize("key", AGAIN, ids=lambda key: f"{key[0]}-{key[1]:g}")
def test_the_first_fields_come_out_as_kept(key: tuple[str, float]):
    assert hits(KEPT[key], range(FIRST)) == KEPT[key].first


@pytest.mark.slow
@pytest.mark.parametrize("one", KEPT.values(), ids=lambda one: f"{one.name}-{one.ratio:g}")
def test_every_field_comes_out_as_kept(one: Outcome):
    assert hits(one, range(one.seeds)) == one.hits


@pytest.mark.parametrize(
    "name",
    ["batch_in_one_region", "supplier_across_models", "one_production_month", simulated.NEAR, "wear_out"],
)
def test_at_twice_the_rate_and_a_hundred_failures_the_fault_is_named_first_in_95_of_100(name: str):
    one = KEPT[name, 2.0]
    assert one.seeds >= 400 and one.hits / one.seeds >= 0.95


@pytest.mark.parametrize("name", ["nothing_in_the_search", "nothing_in_the_watch", "nothing_in_the_lives"])
def test_with_nothing_planted_there_is_a_finding_in_at_most_5_of_100(name: str):
    one = KEPT[name, 1.0]
    assert one.seeds >= 400 and one.interval().high <= 0.05


def test_the_planted_batch_is_confounded_as_promised():
    """A fifth of the bad batch lies outside its main region, other batches lie in that region, and a hundred failures are expected."""
    field, own, truth = simulated.batch_in_one_region(np.random.default_rng(3))
    home = (field["region"] == "R2").to_numpy()
    assert field["due"][own].sum() == pytest.approx(simulated.AFFECTED)
    assert field["due"][own & ~home].sum() == pytest.approx(0.2 * simulated.AFFECTED)
    assert field["due"][home & (field["batch"] != truth["batch"]).to_numpy()].sum() > 500
