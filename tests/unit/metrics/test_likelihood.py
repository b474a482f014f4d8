"""A chance has the word of its range, at the edges the weaker one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.errors import ParameterError
from analysis.locale import LANGUAGES, Text, untranslated
from analysis.metrics import Likelihood, StudyInputs, likelihood, likelihood_check
from analysis.metrics.likelihood import WORDS
from analysis.results import Fact

# Mastrandrea and others 2010, table 1
LIMITS = {
    "likelihood_virtually_certain": 0.99,
    "likelihood_very_likely": 0.90,
    "likelihood_likely": 0.66,
    "likelihood_unlikely": 0.33,
    "likelihood_very_unlikely": 0.10,
    "likelihood_exceptionally_unlikely": 0.01,
}


def chance(value: float | None) -> Fact:
    reason = Text.of("not computed") if value is None else None
    return Fact(metric="m", period="2026-10", unit="chance", value=value, reason=reason)


def scale(**changed: float) -> Likelihood:
    return Likelihood(limits={name: chance(value) for name, value in (LIMITS | changed).items()})


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (0.9999, "virtually certain", "几乎确定"),
        (0.9901, "virtually certain", "几乎确定"),
        (0.99, "very likely", "很可能"),
        (0.96, "very likely", "很可能"),
        (0.9001, "very likely", "很可能"),
        (0.90, "likely", "可能"),
        (0.6601, "likely", "可能"),
        (0.66, "about as likely as not", "或许可能"),
        (0.50, "about as likely as not", "或许可能"),
        (0.33, "about as likely as not", "或许可能"),
        (0.3299, "unlikely", "不大可能"),
        (0.28, "unlikely", "不大可能"),
        (0.10, "unlikely", "不大可能"),
        (0.0999, "very unlikely", "很不可能"),
        (0.01, "very unlikely", "很不可能"),
        (0.0099, "exceptionally unlikely", "几乎不可能"),
        (0.0001, "exceptionally unlikely", "几乎不可能"),
    ],
)
def test_the_word_of_a_chance(value: float, english: str, chinese: str):
    assert scale().word(chance(value)) == Text(en=english, zh=chinese)


def test_every_word_is_reached_and_has_its_chinese():
    reached = {scale().word(chance(each / 1000)).en for each in range(1, 1000)}
    assert reached == set(WORDS)
    assert not set(WORDS) & set(untranslated())


def test_without_a_chance_there_is_no_word():
    with pytest.raises(ParameterError, match="has no value, so no word of likelihood is earned"):
        scale().word(chance(None))


def test_limits_that_do_not_rise_are_refused():
    with pytest.raises(ParameterError, match="limits should rise from word to word"):
        scale(likelihood_likely=0.95)


def test_the_limits_are_the_published_ones_and_the_page_prints_them(
    company: Path, inputs_of: Callable[..., StudyInputs]
):
    found = likelihood(inputs_of(company))
    assert {name: float(fact.value or 0) for name, fact in found.limits.items()} == LIMITS
    printed = likelihood_check(found).sentence
    assert "very likely above 90.0%" in printed.plain(
        "en"
    ) and "exceptionally unlikely below 1.0%" in printed.plain("en")
    assert all(
        f"{value:.1%}" in printed.plain(language) for language in LANGUAGES for value in LIMITS.values()
    )
