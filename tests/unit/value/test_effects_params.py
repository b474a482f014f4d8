"""Treatments and scenarios refuse what cannot be meant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.errors import ParameterError
from analysis.params import load_treatments, load_what_ifs, params_file
from analysis.params.treatments import COVARIATES
from analysis.params.what_ifs import Range
from analysis.value.effects import answers_told
from analysis.value.settings import load_settings


def treatments_with(tmp_path: Path, old: str, new: str) -> Path:
    text = (params_file("treatments.yml")).read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "treatments.yml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def scenarios_with(tmp_path: Path, old: str, new: str) -> Path:
    text = (params_file("what_ifs.yml")).read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "what_ifs.yml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_every_treatment_of_the_issue_is_declared():
    found = {one.id: one for one in load_treatments()}
    assert set(found) == {
        "responded_in_time",
        "resolved_at_first_contact",
        "repeat_repair",
        "complaint",
        "complaint_within_24h",
        "compensation",
        "proactive_service",
    }
    assert found["complaint_within_24h"].time_zero == "landmark"
    assert found["resolved_at_first_contact"].time_zero == "resolution"
    assert found["repeat_repair"].time_zero == "window_end"
    assert all(
        "segment" in one.confounders and set(one.confounders) <= set(COVARIATES) for one in found.values()
    )
    assert all(one.mediators for one in found.values())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "time_zero: landmark",
            "time_zero: opening",
            r"time zero 'opening' is not when treatment is known; with rule 'responded_within_hours' it is 'landmark'",
        ),
        (
            "[customer_type, segment,",
            "[customer_type, segmnt,",
            r"no covariate 'segmnt'\. Did you mean 'segment'",
        ),
        ("window_days: 365", "window_day: 365", r"unknown key 'window_day'\. Did you mean 'window_days'"),
        (
            "  rule: first_contact\n",
            "  rule: first_contact\n  limit: 3\n",
            r"rule 'first_contact' takes no limit, not 3",
        ),
        (
            "  rule: responded_within_hours\n",
            "  rule: responded_within_hours\n  limit: 8\n",
            r"rule 'responded_within_hours' takes no limit, not 8",
        ),
        ("  limit: 30\n", "", r"rule 'complaint_within_days' needs a limit above zero"),
        ("  wanted: true\n", "  wanted: true\n  wanted: true\n", r"key 'wanted' stands twice"),
        ("censoring: closed_window", "censoring: ignored", r"'ignored' is not allowed"),
        ("  events: first\n", "  events: firsts\n", r"'firsts' is not allowed\. Did you mean 'first'"),
        ("window_days: 365", "window_days: 5", r"window_days: '5' should be at least 30 and at most 1,100"),
    ],
)
def test_treatments_refused(tmp_path, old, new, message):
    with pytest.raises(ParameterError, match=message):
        load_treatments(treatments_with(tmp_path, old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "uptake: {low: 0.5, likely: 0.8, high: 1.0}",
            "uptake: {low: 0.5, likely: 0.8, high: 1.2}",
            r"uptake 0.5 to 1.2 is a share",
        ),
        (
            "once: {low: 40000, likely: 60000, high: 100000}",
            "once: {low: 40000, likely: 30000, high: 100000}",
            r"should not fall",
        ),
        ("once: {low: 40000,", "once: {low: -40000,", r"once -40000 is below zero"),
        ("amount: 0.05", "amount: 5", r"amount 5 should be hours above zero, or a share"),
        (
            "    saving_from: traced_repair",
            "    saving_from: traced_repair\n    saving_per_case: {low: 1, likely: 2, high: 3}",
            r"a saving counts once",
        ),
        (
            "    yearly: {low: 220000",
            "    yaerly: {low: 220000",
            r"unknown key 'yaerly'\. Did you mean 'yearly'",
        ),
        ("draws: 4000", "draws: 10", r"draws: '10' should be at least 1,000"),
    ],
)
def test_scenarios_refused(tmp_path, old, new, message):
    with pytest.raises(ParameterError, match=message):
        load_what_ifs(scenarios_with(tmp_path, old, new))


def test_the_four_scenarios_of_the_issue_are_registered():
    found = {one.id: one for one in load_what_ifs().scenarios}
    assert set(found) == {
        "faster_response_south",
        "first_contact_plus_five_points",
        "repeat_repairs_halved",
        "vip_line",
    }
    assert [lever.amount for lever in found["faster_response_south"].levers] == [2, 2]
    assert found["first_contact_plus_five_points"].levers[0].amount == pytest.approx(0.05)
    assert found["repeat_repairs_halved"].levers[0].amount == 0.5
    assert {lever.customers for lever in found["vip_line"].levers} == {"top_decile"}
    assert Range.fixed(3.0).uncertain is False


def test_an_arm_of_one_answer_tells_nothing():
    settings = load_settings()
    others = np.repeat([0.0, 1.0], 100)
    # twenty exposed cases that all stayed have no spread of their own; five that left are enough
    for left, told in ((0, False), (4, False), (5, True), (15, True), (16, False)):
        exposed = np.repeat([0.0, 1.0], [left, 20 - left])
        assert answers_told(exposed, others, settings) is told, left
    # of all cases together twenty of each answer, as before
    assert not answers_told(np.repeat([0.0, 1.0], [5, 100]), np.repeat([0.0, 1.0], [14, 500]), settings)
