"""Five life distributions on grouped counts: the rule of choice, recovery of what was drawn, and the points of the plot."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.failures.life_models import SPAN, AgeCounts, chosen, compared, plot_points
from analysis.failures.lives_facts import far_beyond
from analysis.failures.ranking import Amounts
from analysis.stats import fit_weibull
from analysis.stats.intervals import Interval


def drawn(shape: float, scale: float, *, machines: int = 40_000, months: int = 48) -> AgeCounts:
    """Expected counts of a Weibull by fortnight; machines that fail leave, half a span after its start on average."""
    ages = np.arange(int(months / SPAN) + 1) * SPAN
    alive = machines * np.exp(-((ages / scale) ** shape))
    return AgeCounts(failures=np.rint(alive[:-1] - alive[1:]), machines=(alive[:-1] + alive[1:]) / 2)


def test_the_weibull_gives_way_only_by_more_than_ten():
    assert chosen({"weibull": 100.0, "exponential": 91.0, "lognormal": 130.0}) == "weibull"
    assert chosen({"weibull": 100.0, "exponential": 90.0}) == "weibull"
    assert chosen({"weibull": 100.5, "exponential": 130.0, "lognormal": 90.0}) == "lognormal"


@pytest.mark.parametrize("shape", [0.6, 2.2])
def test_the_distribution_behind_the_counts_is_used_and_its_b10_recovered(shape: float):
    scale = 60.0
    models = {one.model: one for one in compared(drawn(shape, scale), level=0.95, mixture=False)[0]}
    assert set(models) == {"exponential", "weibull", "weibull_threshold", "lognormal"}
    assert [name for name, one in models.items() if one.used] == ["weibull"]
    true = scale * (-np.log(0.9)) ** (1 / shape)
    found = models["weibull"].b10
    assert (
        found is not None and found.low < true < found.high and found.value == pytest.approx(true, rel=0.02)
    )
    assert models["exponential"].excess > 100 and models["lognormal"].excess > 10
    # one parameter more cannot lower the likelihood, and costs less than the logarithm of the failures
    assert models["weibull_threshold"].log_likelihood >= models["weibull"].log_likelihood - 1e-6
    beyond = models["weibull_threshold"].b10
    assert beyond is not None and beyond.low <= found.value <= beyond.high


def test_two_populations_are_called_a_mixture():
    early, late = drawn(1.5, 3.0, machines=4_000), drawn(3.0, 60.0)
    both = AgeCounts(failures=early.failures + late.failures, machines=early.machines + late.machines)
    models = {one.model: one for one in compared(both, level=0.95)[0]}
    assert models["mixture"].used and models["weibull"].excess > 100
    found = models["mixture"].b10
    ages = np.linspace(0.5, 48, 20_000)
    true = ages[
        np.argmax(1 - (4 * np.exp(-((ages / 3.0) ** 1.5)) + 40 * np.exp(-((ages / 60.0) ** 3.0))) / 44 >= 0.1)
    ]
    assert found is not None and found.low < true < found.high


def test_counts_by_hand():
    part = pd.DataFrame({"age_days": [3, 20, 27], "failures": [2, 1, 4]})
    watched = pd.DataFrame({"begin_days": [0, 14], "end_days": [28, 42], "machines": [10, 5]})
    counts = AgeCounts.of(part, watched)
    # fortnights: ages 0-13 hold ten machines, 14-27 all fifteen, 28-41 the five that came late
    assert list(counts.failures) == [2, 5, 0, 0] and list(counts.machines) == [10, 15, 5, 0]


def test_plotted_shares_follow_the_fit_they_were_drawn_from():
    counts = drawn(2.2, 60.0)
    points = plot_points(counts, fit_weibull(None, **counts.rows), level=0.95)
    true = -np.expm1(-((points.age / 60.0) ** 2.2))
    late = points.age > 5
    assert points.share[late] == pytest.approx(true[late], rel=0.03)
    assert all(one.low <= one.value <= one.high for one in points.fitted)


def test_an_age_far_beyond_the_oldest_machine_or_without_width_is_no_estimate():
    known = {"level": 0.95, "method": "likelihood ratio"}
    assert far_beyond(Interval(value=369_147.0, low=369_147.0, high=369_147.0, **known), oldest=48.0)
    assert far_beyond(Interval(value=4_801.0, low=100.0, high=9_000.0, **known), oldest=48.0)
    assert not far_beyond(Interval(value=4_800.0, low=100.0, high=9_000.0, **known), oldest=48.0)
    assert far_beyond(Interval(value=12.0, low=12.0, high=12.0, **known), oldest=48.0)


def test_what_nobody_stated_leads_no_ranking():
    ranked = Amounts(values=["pump", "not_stated", "board"], amounts=[3, 90, 8], counts=[3, 90, 8])
    assert [ranked.values[k] for k in ranked.order] == ["board", "pump", "not_stated"]
