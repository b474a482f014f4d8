"""Unusual months: named when planted, rarely when not, and never with limits made from themselves."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.costs.unusual import unusual_months

LEVEL = 0.05  # the chance of any false alarm in a report

MONTHS, WITHIN = 36, 24


def company(seed: int, *, rho: float = 0.0, noise: float = 0.08) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Six categories that follow tickets with a season; errors of neighbouring months correlate by ``rho``."""
    rng, time = np.random.default_rng(seed), np.arange(MONTHS)
    tickets = rng.poisson(400 * np.exp(0.25 * np.sin(2 * np.pi * time / 12) + 0.005 * time)).astype(float)
    errors = rng.normal(size=(6, MONTHS + 40))
    for month in range(1, MONTHS + 40):
        errors[:, month] += rho * errors[:, month - 1]
    errors = errors[:, 40:] * np.sqrt(1 - rho**2)
    costs = np.exp(8 + 0.8 * np.log(tickets / 400) + noise * errors)
    return {f"category {place}": costs[place] for place in range(6)}, tickets


def surge(costs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    lifted = costs["category 2"].copy()
    lifted[31:34] *= 1.8
    return costs | {"category 2": lifted}


def false_alarms(seeds: int, rho: float) -> float:
    return float(
        np.mean(
            [
                bool(unusual_months(*company(seed, rho=rho), within=WITHIN, level=LEVEL))
                for seed in range(seeds)
            ]
        )
    )


def allowed(seeds: int) -> float:
    return LEVEL + 3 * float(np.sqrt(LEVEL * (1 - LEVEL) / seeds))


def test_few_false_alarms():
    assert false_alarms(30, 0.3) <= allowed(30)


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.3, 0.5])
def test_false_alarms_stay_within_the_level_over_400_seeds(rho: float):
    assert false_alarms(400, rho) <= allowed(400)


def test_three_months_of_a_surge_do_not_hide_one_another():
    whole, others = 0, 0
    for seed in range(30):
        costs, tickets = company(seed)
        found = {
            (month.series, month.place)
            for month in unusual_months(surge(costs), tickets, within=WITHIN, level=LEVEL)
        }
        whole += {("category 2", place) for place in (31, 32, 33)} <= found
        others += any(place not in (31, 32, 33) or name != "category 2" for name, place in found)
    assert whole >= 26 and others <= 30 * allowed(30)


def test_limits_come_from_the_other_months():
    """Doubling what a month is beyond expected moves neither its expectation nor its limits."""
    costs, tickets = company(3)
    small, large = (dict(costs) for _ in range(2))
    for target, factor in ((small, 2.0), (large, 4.0)):
        target["category 1"] = costs["category 1"] * np.where(np.arange(MONTHS) == 30, factor, 1.0)
    (first,) = [
        m for m in unusual_months(small, tickets, within=WITHIN, level=LEVEL) if m.series == "category 1"
    ]
    (second,) = [
        m for m in unusual_months(large, tickets, within=WITHIN, level=LEVEL) if m.series == "category 1"
    ]
    assert (first.expected, first.low, first.high) == pytest.approx(
        (second.expected, second.low, second.high)
    )
    assert first.gap == pytest.approx(first.actual - first.expected) and first.actual > first.high


def test_a_month_that_tickets_explain_is_usual():
    costs, tickets = company(1, noise=0.02)
    crowded = tickets.copy()
    crowded[30] *= 2
    costs = {name: values * np.where(np.arange(MONTHS) == 30, 2**0.8, 1.0) for name, values in costs.items()}
    assert not [
        month for month in unusual_months(costs, crowded, within=WITHIN, level=LEVEL) if month.place == 30
    ]


def test_what_cannot_be_charted_is_left_out():
    costs, tickets = company(0)
    costs["category 0"] = np.where(np.arange(MONTHS) == 5, 0.0, costs["category 0"])
    assert all(
        month.series != "category 0" for month in unusual_months(costs, tickets, within=WITHIN, level=LEVEL)
    )
    short = {name: values[:12] for name, values in costs.items()}
    assert unusual_months(short, tickets[:12], within=12, level=LEVEL) == []
