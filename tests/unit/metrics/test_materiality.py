"""Severity follows money and certainty: the same sum has the same severity, whatever finding it stands in."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args

import pytest
from severity_rule import READ, SAID, broken

from analysis.formats import chance
from analysis.locale import Text
from analysis.metrics import Materiality, materiality_check
from analysis.results import SEVERITIES, Fact, Finding, Ground, Interval, Sentence, Severity, Stake, Value

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
    assert "reaches CNY 450,000; a sum below CNY 22,500" in rule
    for exception in ("a stated limit broken", "any other finding without a sum is at most to be watched"):
        assert exception in rule


def ratio(low: float, high: float) -> Fact:
    limits = Interval(low=low, high=high, level=0.95, method="t")
    return Fact(metric="r", period="2026-10", unit="ratio", value=(low + high) / 2, n=36, interval=limits)


def finding(ground: Ground, severity: Severity, stake: Fact | None = None, **parts: Any) -> Finding:
    """A finding of the failure section's money, hand-made."""
    values: dict[str, Value] = {"ratio": parts.get("ratio", ratio(1.3, 1.9))}
    values |= {} if stake is None else {"amount": stake}
    return Finding(
        id=str(parts.get("id", "failures.recovery_due")),
        section="failures",
        severity=severity,
        statement=Sentence("x", values),
        ground=ground,
        stake=None if stake is None else Stake.of(stake),
    )


def wrong(one: Finding) -> list[str]:
    rule = materiality_check(limits()).sentence.plain()
    return list(broken(one, limit=450_000, trivial=22_500, rule=rule, least={"failure_least_effect": 0.1}))


@pytest.mark.parametrize(
    ("stake", "severity"),
    [
        (money("450000.00"), "alert"),
        (money("449999.99"), "watch"),
        (money("22499.99"), "info"),
        (between("600000.00", 3e5, 9e5), "watch"),
        (between("600000.00", 5e5, 9e5), "alert"),
        (between("933000.00", -1e5, 2e6), "watch"),
    ],
)
def test_the_rule_read_from_its_words_agrees_with_what_grades(stake: Fact, severity: Severity):
    assert limits().severity(stake) == severity
    assert wrong(finding("loss", severity, stake)) == []
    for other in SEVERITIES:
        assert (wrong(finding("loss", other, stake)) == []) == (other == severity)


def test_a_finding_that_breaks_the_rule_would_be_found():
    large, ground = money("1140000.00"), "failures.fix"
    assert "may be ['loss']" in wrong(finding("risk", "watch", large))[0]
    assert "its sentence says" in wrong(replace(finding("loss", "alert", large), stake=None))[0]
    assert wrong(finding("fix", "alert", id=ground)) == []
    assert wrong(finding("small", "watch", id=ground, ratio=ratio(1.05, 1.9))) == []
    assert (
        "does not reach the smallest" in wrong(finding("fix", "alert", id=ground, ratio=ratio(1.05, 1.9)))[0]
    )
    assert "by the rule ['alert']" in wrong(finding("fix", "watch", id=ground))[0]
    assert "by the rule ['info', 'watch']" in wrong(finding("no_sum", "alert", id=ground))[0]
    assert "by the rule ['info']" in wrong(finding("statement", "watch", id=ground))[0]
    assert "say in tests/severity_rule.py" in wrong(finding("loss", "watch", large, id="failures.other"))[0]


def test_every_ground_is_one_that_the_printed_rule_names():
    rule = materiality_check(limits()).sentence.plain()
    assert set(SAID) == set(get_args(Ground))
    assert [ground for ground, said in SAID.items() if said not in rule] == []
    assert {ground for grounds, _ in READ.values() for ground in grounds} == set(get_args(Ground))


@pytest.mark.parametrize(
    ("stake", "yearly"),
    [
        (Stake(amount=120.0, low=90.0, high=150.0), 90.0),
        (Stake(amount=-120.0, low=-150.0, high=-90.0), 90.0),
        (Stake(amount=120.0, low=-1.0, high=240.0), 0.0),
        (Stake(amount=120.0, low=90.0, high=150.0, months=36), 30.0),
        # three months are not carried on to a year
        (Stake(amount=120.0, low=120.0, high=120.0, months=3), 120.0),
        (Stake.of(replace(between("360.00", 300.0, 420.0), period="2023-11/2026-11")), 100.0),
        (Stake.of(between("360.00", 300.0, 420.0), months=36), 100.0),
        (Stake.of(money("96791.00")), 96_791.0),
    ],
)
def test_money_at_stake_per_year(stake: Stake, yearly: float):
    assert stake.per_year == pytest.approx(yearly)


@pytest.mark.parametrize(
    ("hits", "draws", "stated"), [(4000, 4000, 0.99), (0, 4000, 0.01), (7, 10, 7.5 / 11), (1, 1, 0.75)]
)
def test_a_printed_chance_is_never_none_or_all(hits: int, draws: int, stated: float):
    assert chance(hits, draws) == pytest.approx(stated)
