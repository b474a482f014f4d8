"""Surges of a group, yearly rates, money per case and elasticities: worked rows, planted strengths, and quiet where nothing happened."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.costs.case_amounts import unit_ratios
from analysis.costs.scan import Field, fitted, scanned
from analysis.costs.unusual import elasticity_of
from analysis.costs.yearly import year_changes

MONTHS = 36
RUNS = [(start, start + length) for length in range(1, 10) for start in range(14, MONTHS - length + 1)]


def field(seed: int, *, times: float = 1.0, run: slice = slice(0, 0), drift: float = 1.0) -> Field:
    """Four groups with a common season; the first ``times`` as often in a run, and drifting to ``drift`` of its rate."""
    random = np.random.default_rng(seed)
    base = np.tile([900.0, 1_000.0, 1_500.0, 600.0], (MONTHS, 1)) * np.linspace(1, 1.5, MONTHS)[:, None]
    rate = 0.05 * (1 + 0.3 * np.sin(np.arange(MONTHS) * np.pi / 6))[:, None] * np.ones(4)
    rate[run, 0] *= times
    rate[:, 0] *= np.linspace(1, drift, MONTHS)
    groups = {str(at): np.arange(4) == at for at in range(4)}
    return Field(events=random.poisson(base * rate).astype(float), base=base, groups=groups)


def found(one: Field, **options: float) -> list[tuple[str, int, int]]:
    named = scanned({"repair": one}, RUNS, level=0.01, confidence=0.95, draws=499, **options)  # type: ignore[arg-type]
    return [(run.group, run.start, run.end) for run in named.found]


def test_a_surge_that_is_over_is_found_with_its_months_and_strength():
    one = field(1, times=3.0, run=slice(30, 32))
    named = scanned({"repair": one}, RUNS, level=0.01, confidence=0.95, draws=499).found
    assert [(run.group, run.start, run.end) for run in named] == [("0", 30, 32)]
    assert named[0].low < 3.0 < named[0].high
    assert named[0].extra[0] == pytest.approx(named[0].events * (1 - 1 / named[0].ratio))


def test_a_doubling_that_goes_on_is_found_beside_a_trend():
    assert found(field(2, times=2.0, run=slice(27, MONTHS))) == [("0", 27, MONTHS)]


def test_what_moves_all_groups_alike_is_no_surge():
    one = field(3)
    events = one.events.copy()
    events[30:32] *= 3
    assert found(Field(events=events, base=one.base, groups=one.groups)) == []


def test_twenty_companies_in_which_nothing_happened_stay_quiet():
    assert sum(bool(found(field(seed))) for seed in range(100, 120)) <= 1


def test_one_month_and_one_group_cannot_be_searched():
    alone = Field(events=np.ones((1, 1)), base=np.ones((1, 1)), groups={"0": np.array([True])})
    none = scanned({"repair": alone}, [(0, 1)], level=0.01, confidence=0.95)
    assert (none.found, none.groups, none.runs) == ((), 0, 0)
    assert scanned({}, [], level=0.01, confidence=0.95).found == ()


def test_the_regression_gives_the_odds_of_a_table_of_four():
    """30 of 100 before, 60 of 120 after: the odds ratio is (60/60) / (30/70)."""
    design = np.column_stack([np.ones(2), [0.0, 1.0]])
    known = fitted(np.array([30.0, 60.0]), np.array([100.0, 120.0]), np.zeros(2), design)
    assert known is not None
    assert np.exp(known[0][1]) == pytest.approx(70 / 30)
    assert known[2][1, 1] == pytest.approx(1 / 30 + 1 / 70 + 1 / 60 + 1 / 60)


def test_a_steady_decline_shows_in_the_years_and_not_in_the_months():
    one = field(4, drift=0.6)
    assert found(one) == []
    changes, tested = year_changes({"repair": one}, level=0.01, confidence=0.95)
    first = next(change for change in changes if change.group == "0")
    assert (first.back, tested) == (24, 8)
    assert first.low < 0.7 < first.high
    assert first.more[0] == pytest.approx(first.events * (1 - 1 / first.ratio))


def test_years_stay_quiet_where_all_groups_fall_together_or_nothing_moves():
    one = field(5)
    all_fall = Field(
        events=np.round(one.events * np.linspace(1, 0.6, MONTHS)[:, None]), base=one.base, groups=one.groups
    )
    assert year_changes({"repair": all_fall}, level=0.01, confidence=0.95)[0] == ()
    assert (
        sum(bool(year_changes({"repair": field(seed)}, level=0.01, confidence=0.95)[0]) for seed in range(30))
        <= 1
    )


def cells(seed: int, *, times: float) -> pd.DataFrame:
    """Three large shops and one small one over two product lines; the first spends ``times`` as much per case."""
    random = np.random.default_rng(seed)
    rows = []
    for month in range(12):
        for line, usual in (("shoes", 12.0), ("kitchen", 20.0)):
            for shop, cases in (("A", 90), ("B", 120), ("C", 70), ("small", 5)):
                mean = usual * (times if shop == "A" else 1.0)
                rows.append((month, line, shop, float(random.gamma(4, mean / 4, cases).sum()), float(cases)))
    return pd.DataFrame(rows, columns=["month", "line", "shop", "amount", "cases"])


def test_a_dearer_shop_is_told_from_the_median_of_the_others():
    by_shop = {
        one.unit: one
        for one in unit_ratios(cells(1, times=1.4), unit="shop", beside=["line"], confidence=0.95)
    }
    assert by_shop["A"].low < 1.4 < by_shop["A"].high
    assert by_shop["A"].p_value < 1e-5
    assert all(by_shop[shop].p_value > 0.001 for shop in ("B", "C", "small"))


def test_one_shop_alone_is_compared_with_none():
    alone = cells(1, times=1.0)
    assert unit_ratios(alone[alone["shop"] == "A"], unit="shop", beside=["line"], confidence=0.95) == []
    assert unit_ratios(alone.iloc[:1], unit="shop", beside=["line"], confidence=0.95) == []
    assert unit_ratios(alone.iloc[:0], unit="shop", beside=["line"], confidence=0.95) == []


def test_a_series_that_follows_tickets_has_their_elasticity():
    tickets = 100 + 20 * np.sin(np.arange(MONTHS) * 1.7)
    kept = np.ones(MONTHS, dtype=bool)
    assert elasticity_of(5 * tickets**0.5, tickets, kept=kept) == pytest.approx(0.5)
    assert elasticity_of(np.full(MONTHS, 7.0), tickets, kept=kept) == pytest.approx(0.0, abs=1e-9)
    assert elasticity_of(np.full(MONTHS, 7.0), np.full(MONTHS, 3.0), kept=kept) == 0.0


def test_a_team_that_a_shop_has_alone_is_not_taken_for_its_shop():
    """Desk B works for shop B alone, whose cases are twice as dear; the partner, half as dear again, works in A beside desk A only."""
    random = np.random.default_rng(3)
    rows = [
        (month, shop, team, float(random.gamma(4, mean / 4, cases).sum()), float(cases))
        for month in range(12)
        for shop, team, mean, cases in (
            ("A", "desk A", 10.0, 80),
            ("A", "partner", 15.0, 40),
            ("B", "desk B", 20.0, 80),
        )
    ]
    frame = pd.DataFrame(rows, columns=["month", "shop", "team", "amount", "cases"])
    judged = {
        team: unit_ratios(
            frame.assign(team=frame["team"].where(frame["team"] == team, "rest")),
            unit="team",
            beside=["shop"],
            confidence=0.95,
        )
        for team in ("desk B", "partner")
    }
    assert judged["desk B"] == []
    partner = next(one for one in judged["partner"] if one.unit == "partner")
    assert partner.low < 1.5 < partner.high and partner.cases == 480
