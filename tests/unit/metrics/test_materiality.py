"""Severity follows money and certainty: the same sum has the same severity, whatever finding it stands in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from analysis.formats import chance
from analysis.locale import Text
from analysis.metrics import Materiality, materiality_check
from analysis.results import Fact, Interval

LIMITS = {"limit": "450000.00", "trivial": "22500.00"}


def money(value: str | None, **parts: Any) -> Fact:
    reason = Text.of("not computed") if value is None else None
    amount = None if value is None else Decimal(value)
    return Fact(metric="m", period="2026-10", unit="CNY", value=amount, reason=reason, **parts)


def between(value: str, low: float, high: float) -> Fact:
    return money(value, n=36, interval=Interval(low=low, high=high, level=0.95, method="t"))


def limits() -> Materiality:
    return Materiality(limit=money(LIMITS["limit"]), trivial=money(LIMITS["trivial"]))


@pytest.mark.parametrize(
    ("stake", "severity"),
    [
        (money("450000.00"), "alert"),
        (money("-1140000.00"), "alert"),
        (money("449999.99"), "watch"),
        (money("22500.00"), "watch"),
        (money("14483.00"), "info"),
        (Decimal("1140000"), "alert"),
        (16_586.0, "info"),
        (None, "watch"),
        # the nearer end decides whether it is an alert, the middle whether it is worth a look
        (between("1980000.00", 1.5e6, 2.5e6), "alert"),
        (between("600000.00", 3e5, 9e5), "watch"),
        (between("933000.00", -1e5, 2e6), "watch"),
        (between("-600000.00", -9e5, -5e5), "alert"),
        (between("9000.00", 8e3, 1e4), "info"),
    ],
)
def test_severity_by_money_and_certainty(stake: Any, severity: str):
    assert limits().severity(stake) == severity


def test_what_may_be_noise_is_never_an_alert():
    assert limits().severity(Decimal("9000000"), certain=False) == "watch"
    assert limits().severity(Decimal("900"), certain=False) == "info"


def test_without_cost_nothing_is_weighed_and_the_page_says_so():
    none = Materiality(limit=money(None), trivial=money(None))
    assert none.severity(Decimal("9000000")) == "watch"
    assert "no finding is weighed" in materiality_check(none).sentence.plain()
    rule = materiality_check(limits()).sentence.plain()
    assert "reaches CNY 450,000; below CNY 22,500" in rule
    for exception in ("a stated limit broken", "any other finding without a sum is at most to be watched"):
        assert exception in rule


@pytest.mark.parametrize(
    ("hits", "draws", "stated"), [(4000, 4000, 0.99), (0, 4000, 0.01), (7, 10, 7.5 / 11), (1, 1, 0.75)]
)
def test_a_printed_chance_is_never_none_or_all(hits: int, draws: int, stated: float):
    assert chance(hits, draws) == pytest.approx(stated)
