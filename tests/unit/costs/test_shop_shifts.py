"""A step of a shop's amount per case: planted and found with its month and strength; drifts, steps of all and companies without any are none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.costs.scan import Field, Run, scanned, steps
from analysis.costs.shop_shifts_facts import LEAST_AFTER, _field, _Granted, _groups

MONTHS = 36
RUNS = [(start, MONTHS) for start in range(12, MONTHS - LEAST_AFTER + 1)]


def field(
    seed: int, *, times: float = 1.0, since: int = MONTHS, drift: float = 1.0, spread: float = 0.8
) -> Field:
    """Three shops with a few dozen cases a month each, amounts of one case lognormal; the first grants ``times`` as much since a month."""
    random = np.random.default_rng(seed)
    cases = random.poisson([60, 90, 40], (MONTHS, 3))
    scale = np.ones((MONTHS, 3))
    scale[since:, 0] *= times
    scale[:, 0] *= np.linspace(1, drift, MONTHS)
    amounts = np.array(
        [
            [
                float(random.lognormal(3.0, spread, cases[at, shop]).sum()) * scale[at, shop]
                for shop in range(3)
            ]
            for at in range(MONTHS)
        ]
    )
    groups = {str(at): np.arange(3) == at for at in range(3)}
    return Field(events=amounts, base=cases * 25.0, groups=groups, counted=False, drifts=False)


def found(one: Field) -> list[Run]:
    named = scanned(
        {"return": one}, RUNS, level=0.01, confidence=0.95, both=True, itself=True, draws=499
    ).found
    return [run for run in named if steps(one, run)]


@pytest.mark.parametrize("times", [1.6, 0.6])
def test_a_step_up_or_down_is_found_with_its_month_and_strength(times: float):
    [run] = found(field(1, times=times, since=24))
    assert run.group == "0" and run.end == MONTHS and abs(run.start - 24) <= 1
    assert run.low < times < run.high
    assert run.extra[0] == pytest.approx(run.events * (1 - 1 / run.ratio))


def test_a_step_that_all_shops_share_is_none():
    one = field(2)
    events = one.events.copy()
    events[24:] *= 1.6
    assert found(Field(events=events, base=one.base, groups=one.groups, counted=False, drifts=False)) == []


def test_of_two_sides_apart_the_one_that_moved_is_named():
    """All but the first shop hardly move; the second and third together are a group, whose share of the money falls as that of the first rises."""
    one = field(4, times=1.7, since=22, spread=0.4)
    groups = {"rest": np.arange(3) > 0, **one.groups}
    whole = Field(events=one.events, base=one.base, groups=groups, counted=False, drifts=False)
    assert [run.group for run in found(whole)] == ["0"]


def test_a_straight_drift_is_no_step():
    one = field(3, drift=2.5, spread=0.3)
    named = scanned(
        {"return": one}, RUNS, level=0.01, confidence=0.95, both=True, itself=True, draws=499
    ).found
    assert named and not steps(one, named[0])


@pytest.mark.parametrize("spread", [0.5, 1.3])
def test_thirty_companies_in_which_nothing_stepped_stay_quiet(spread: float):
    assert sum(bool(found(field(seed, spread=spread))) for seed in range(200, 230)) <= 1


def granted() -> _Granted:
    """Two product lines, of which shoes cost 10 and sofas 100 a case at either shop; A sells sofas later on."""
    months = tuple(f"2026-{number:02d}" for number in range(1, 5))
    rows = [
        (month, "return", line, shop, "Mall", usual * cases, float(cases))
        for at, month in enumerate(months)
        for line, usual in (("shoes", 10.0), ("sofas", 100.0))
        for shop, cases in (("A", 40 if (line == "sofas") == (at >= 2) else 20), ("B", 30))
    ]
    columns = ["month", "ticket_type", "product_line", "shop", "platform", "amount", "cases"]
    return _Granted(months=months, frame=pd.DataFrame(rows, columns=columns))


def test_the_base_is_the_same_cases_at_the_usual_amount_of_their_line():
    """A: 40 shoes and 20 sofas are 400 + 2,000, then 200 + 4,000; amounts are usual ones, so base and events are alike."""
    one = _field(granted(), "return")
    assert one.base[:, 0].tolist() == pytest.approx([2400, 2400, 4200, 4200])
    assert one.events == pytest.approx(one.base)
    assert len(one.groups) == 2


def test_a_platform_of_one_shop_is_that_shop_and_small_ones_are_left_out():
    parts = pd.DataFrame({"shop": ["A", "B", "C", "D"], "platform": ["Mall", "Mall", "Port", "Mall"]})
    groups = _groups(parts, np.array([100.0, 200.0, 300.0, 59.0]))
    named = {key.replace("\x1e", "=").replace("\x1f", "+"): mask.tolist() for key, mask in groups.items()}
    assert named == {
        "shop=A": [True, False, False, False],
        "shop=B": [False, True, False, False],
        "shop=C+platform=Port": [False, False, True, False],
        "platform=Mall": [True, True, False, True],
    }


def test_one_month_or_one_shop_has_nothing_to_step():
    alone = Field(events=np.ones((1, 1)), base=np.ones((1, 1)), groups={"0": np.array([True])}, counted=False)
    assert scanned({"return": alone}, [(0, 1)], level=0.01, confidence=0.95, both=True).found == ()
