"""An estimate has an interval and its n; which metrics have none by nature stands in the registry, in a closed vocabulary."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analysis.errors import ParameterError
from analysis.locale import Text
from analysis.metrics import Registry
from analysis.metrics.registry import ESTIMATED
from analysis.results import Assumed, Estimated, Fact, Interval

REGISTRY = Registry.load()
MODEL = Estimated(function="analysis.failures.study.study")
LIMITS = Interval(low=0.1, high=0.3, level=0.95, method="Wilson")


def said(metric: str, value: float | None = 0.2, **parts: Any) -> Fact:
    return Fact(metric=metric, period="2026-10", unit="share", value=value, **{"lineage": MODEL, **parts})


@pytest.mark.parametrize(
    ("parts", "refused"),
    [
        ({}, True),
        ({"interval": LIMITS}, True),
        ({"n": 12}, True),
        ({"interval": LIMITS, "n": 12}, False),
        ({"reason": Text.of("no interval: one of its ends is open")}, False),
        ({"value": None, "reason": Text.of("not computed")}, False),
        ({"lineage": Assumed(source="params/assumptions.yml", name="x")}, False),
    ],
)
def test_an_estimate_without_limits_or_without_their_n_is_named(parts: dict[str, Any], refused: bool):
    fact = said("model_churn_rate", **parts)
    assert REGISTRY["model_churn_rate"].interval == "study"
    assert REGISTRY.without_interval([fact]) == ([f"{fact.id} (study)"] if refused else [])


@pytest.mark.parametrize("nature", ["exact", "limit", "statistic", "conditional", "decided"])
def test_what_has_none_by_nature_needs_none(nature: Any):
    metric = replace(REGISTRY["model_churn_rate"], interval=nature)
    other = replace(REGISTRY, metrics=REGISTRY.metrics | {metric.id: metric})
    assert nature not in ESTIMATED and other.without_interval([said(metric.id)]) == []


DEFINITION = """section: service
metrics:
  guess:
    name: {en: Guess, zh: 猜测}
    description: {en: A guess., zh: 猜测。}
    numerator: {en: a guess, zh: 猜测}
    function: [analysis.failures.study.study]
    because: model
    unit: share
    owner: Head of Quality
"""


def registry_of(tmp_path: Any, text: str) -> Registry:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "guess.yml").write_text(text, encoding="utf-8")
    (tmp_path / "labels.yml").write_text("{}\n", encoding="utf-8")
    return Registry.load(tmp_path / "metrics")


def test_whoever_adds_a_function_owes_its_interval_unless_something_else_is_said(tmp_path: Any):
    registry = registry_of(tmp_path, DEFINITION)
    assert registry["guess"].interval == "study"
    assert len(registry.without_interval([said("guess")])) == 1


def test_a_word_outside_the_vocabulary_is_refused(tmp_path: Any):
    with pytest.raises(ParameterError, match="interval"):
        registry_of(tmp_path, DEFINITION + "    interval: rough\n")
