"""The wired study on companies with everything planted and with nothing: what it names, and what it must not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis import costs
from analysis.costs.activity_costing_facts import idle_findings
from analysis.costs.savings_facts import measure_findings, measures_of
from analysis.costs.signals_facts import price_findings, rise_findings, surge_findings
from analysis.metrics import StudyInputs
from analysis.results import Finding
from analysis.sample import TRUTHS, make_sample

Inputs = Callable[..., StudyInputs]
NOTHING = frozenset(TRUTHS)
CONFOUNDED = NOTHING - {"tier_confounding"}
STATISTICAL = ("costs.idle_team", "costs.input_price", "costs.surge", "costs.rise")
PLANTED = {
    ("costs.idle_team", "Field West"),
    ("costs.input_price", "P-PCB-20"),
    ("costs.input_price", "P-SEN-50"),
    ("costs.surge", "6601.05.01"),
}
SEEDS = 6


def alarms(findings: list[Finding] | tuple[Finding, ...]) -> set[tuple[str, str]]:
    """Findings by test, and measures said to have delivered. That a measure did not deliver is true where nothing is planted, and so is
    what the books themselves show: tie-out, budget, unallocated cost, a provision accrued below the claims of its line."""
    found = {(one.id, next(iter(one.subject.values()))) for one in findings if one.id in STATISTICAL}
    return found | {
        (one.id, one.subject["measure"])
        for one in findings
        if one.id == "costs.measure" and one.severity == "good"
    }


@pytest.fixture
def sample(tmp_path: Path, inputs_of: Inputs) -> Callable[..., StudyInputs]:
    def build(seed: int, off: frozenset[str]) -> StudyInputs:
        folder = tmp_path / f"{seed}-{len(off)}"
        make_sample(folder, seed=seed, scale=0.15, off=off, blemishes=False)
        return inputs_of(folder)

    return build


def test_a_company_without_truths_raises_no_alarm(sample: Callable[..., StudyInputs]):
    inputs = sample(20_000, NOTHING)
    findings = [
        *idle_findings(inputs).findings,
        *price_findings(inputs).findings,
        *surge_findings(inputs).findings,
        *rise_findings(inputs).findings,
    ]
    assert not alarms([*findings, *measure_findings(inputs, measures_of(inputs))])


@pytest.mark.slow
@pytest.mark.parametrize("off", [NOTHING, CONFOUNDED], ids=["nothing planted", "tiers confounded"])
def test_false_alarms_of_the_whole_study(sample: Callable[..., StudyInputs], off: frozenset[str]):
    share = np.mean([bool(alarms(costs.study(sample(20_100 + seed, off)).findings)) for seed in range(SEEDS)])
    assert share <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / SEEDS)


@pytest.mark.slow
def test_planted_truths_are_named_over_seeds(sample: Callable[..., StudyInputs]):
    named = [costs.study(sample(30_100 + seed, frozenset())).findings for seed in range(SEEDS)]
    found = [alarms(findings) for findings in named]
    assert np.mean([len(PLANTED & one) for one in found]) >= 0.9 * len(PLANTED)
    failed = [
        any(
            one.id == "costs.measure"
            and one.subject["measure"] == "consolidated-freight-north"
            and "did not deliver" in one.statement.plain()
            for one in findings
        )
        for findings in named
    ]
    assert np.mean(failed) >= 0.8
