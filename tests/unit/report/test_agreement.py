"""Two names for one quantity are found by their numbers, and stay listed until a person says why they are two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.cli import main
from analysis.metrics import Registry
from analysis.report import agreement
from analysis.report.agreement import decided_pairs, near_pairs, torn_pairs, undecided


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


def fact(
    metric: str,
    value: float | None,
    *,
    period: str = "2026-10",
    unit: str = "CNY",
    lineage: dict[str, Any] | None = None,
    **dimensions: str,
) -> dict[str, Any]:
    return {
        "id": f"{metric}@{','.join(dimensions.values())}#{period}:1",
        "metric": metric,
        "value": value,
        "unit": unit,
        "period": period,
        "dimensions": dimensions,
        "lineage": lineage or {"kind": "rows"},
    }


def pairs(registry: Registry, *facts: dict[str, Any]) -> list[tuple[str, str]]:
    return [pair.metrics for pair in near_pairs(facts, registry)]


def test_a_cent_between_two_names_of_one_amount_is_found(registry: Registry):
    ours = fact("failure_cost_forecast", 6_893_943.48, period="2026-10")
    theirs = fact("warranty_obligation", 6_893_943.47, period="2026-11/2032-11")
    [pair] = near_pairs(
        [ours, theirs], registry
    )  # the one is stated at the end of the month, the other from it on
    assert pair.metrics == ("failure_cost_forecast", "warranty_obligation")
    assert (pair.cases, pair.equal) == (1, 0)
    assert "6,893,943.48" in str(pair) and "6,893,943.47" in str(pair)


def test_names_with_a_word_in_common_are_held_against_each_other(registry: Registry):
    contract = fact("customer_movement", 13_657, unit="customers", holding="contract", component="end")
    value = fact("value_customers", 13_660, unit="customers", holding="contract")
    assert pairs(registry, contract, value) == [("customer_movement", "value_customers")]
    whole = fact("value_customers", 13_657, unit="customers", holding="contract")
    assert not pairs(registry, contract, whole)  # a part that makes all of its total


@pytest.mark.parametrize(
    "other",
    [
        fact("gl_after_sales_cost", 130.5),  # far
        fact("gl_after_sales_cost", 100.5, team="North"),  # another slice
        fact("gl_after_sales_cost", 100.5, period="2026-08"),  # another time
        fact("gl_after_sales_cost", 100.5, unit="hours"),  # another unit
        fact("gl_after_sales_cost", None),
        fact("gl_after_sales_cost", 100.5, lineage={"kind": "assumed"}),  # alike by decision
        fact(
            "gl_after_sales_cost",
            100.5,
            lineage={"kind": "derived", "parents": ["after_sales_cost@#2026-10:1"]},
        ),
    ],
)
def test_what_is_far_elsewhere_decided_or_follows_is_no_pair(registry: Registry, other: dict[str, Any]):
    ours = fact("after_sales_cost", 100.5)
    assert pairs(registry, ours, fact("gl_after_sales_cost", 100.5))
    assert not pairs(registry, ours, other)


def test_small_counts_are_near_too_many_others(registry: Registry):
    few = [fact(metric, 12, unit="customers") for metric in ("value_customers", "customer_movement")]
    assert not pairs(registry, *few)


def test_an_amount_equal_to_the_cent_needs_no_word_in_common(registry: Registry):
    names = ("used_capacity_cost", "service_value_at_stake")
    assert pairs(registry, *(fact(name, 48_211.37) for name in names))
    assert not pairs(registry, *(fact(name, 48_000.0) for name in names))  # round: by chance


def test_a_reason_takes_a_pair_off_the_list(registry: Registry, monkeypatch: pytest.MonkeyPatch):
    facts = [fact("after_sales_cost", 100.5), fact("gl_after_sales_cost", 100.5)]
    monkeypatch.setattr(agreement, "decided_pairs", lambda: ())
    assert len(undecided(facts, registry)) == 1
    reason = agreement.TwoQuantities(metrics=("gl_after_sales_cost", "after_sales_cost"), because="…")
    monkeypatch.setattr(agreement, "decided_pairs", lambda: (reason,))
    assert not undecided(facts, registry)


def test_no_reason_covers_one_value_with_two_intervals(registry: Registry):
    ours = fact("warranty_obligation", 6_893_943.47) | {"interval": {"low": 6_659_746.1, "high": 7_131_723.0}}
    twin = fact("failure_cost_forecast", 6_893_943.47) | {
        "interval": {"low": 6_640_014.8, "high": 7_130_951.9}
    }
    quoted = twin | {"interval": ours["interval"]}
    assert [pair.metrics for pair in torn_pairs([ours, twin], registry)] == [
        ("failure_cost_forecast", "warranty_obligation")
    ]
    assert not torn_pairs([ours, quoted], registry)
    assert not torn_pairs([ours, twin | {"value": 6_900_000.0}], registry)
    assert not torn_pairs([ours, twin | {"interval": None}], registry)


def test_every_decided_pair_is_of_two_metrics_and_has_a_reason(registry: Registry):
    seen = set()
    for pair in decided_pairs():
        assert len(set(pair.metrics)) == 2 and all(name in registry.metrics for name in pair.metrics), pair
        assert len(pair.because.split()) >= 4, pair
        assert frozenset(pair.metrics) not in seen, pair
        seen.add(frozenset(pair.metrics))


def test_the_command_lists_and_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(agreement, "decided_pairs", lambda: ())
    facts = [fact("after_sales_cost", 100.5), fact("gl_after_sales_cost", 100.5)]
    (tmp_path / "facts.json").write_text(json.dumps({"facts": facts}), encoding="utf-8")
    assert main(["metrics", "--near", str(tmp_path)]) == 7
    assert "after_sales_cost and gl_after_sales_cost" in capsys.readouterr().out
    (tmp_path / "facts.json").write_text(json.dumps({"facts": facts[:1]}), encoding="utf-8")
    assert main(["metrics", "--near", str(tmp_path)]) == 0
    assert main(["metrics", "--near", str(tmp_path / "elsewhere")]) == 3
