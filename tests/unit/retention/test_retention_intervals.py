"""Intervals of scores and of the purchase model's churn, by hand and by simulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.metrics import Stating, StudyInputs
from analysis.results import Fact, Interval
from analysis.retention.components_facts import _alive, _churn_variance, _gained, _mirrored, _together
from analysis.retention.scores import _calibration
from analysis.retention.scores_facts import _expected, _if_right
from analysis.stats import proportion_interval


def test_what_a_score_expects_lies_between_what_chance_would_make_of_it(
    company: Path, inputs_of: Callable[..., StudyInputs]
):
    state = Stating(inputs=inputs_of(company))
    # a hundred customers at one tenth each: nine lost is the variance, three the spread
    rate = _if_right(state, 0.1, 3.0, 100, tenth="1")
    assert rate.interval is not None and rate.n == 100
    assert (rate.interval.low, rate.interval.high) == pytest.approx((0.1 - 0.0588, 0.1 + 0.0588), abs=1e-4)
    losses = _expected(state, 10.0, 3.0, 100, snapshot="2026-04")
    assert losses.interval is not None
    assert (losses.interval.low, losses.interval.high) == (4, 16)  # 10 ± 5.88, whole customers


def test_the_scatter_of_a_tenth_is_that_of_its_chances():
    chance = np.repeat([0.1, 0.5], 50)
    table = _calibration(chance, np.zeros(100), np.arange(100), 0.95).set_index("bin")
    assert table.loc[1, "scatter"] == pytest.approx((10 * 0.1 * 0.9) ** 0.5)
    assert table.loc[10, "scatter"] == pytest.approx((10 * 0.5 * 0.5) ** 0.5)


def test_a_tenth_of_which_each_customer_is_two_rows_is_no_surer_for_it():
    chance = np.repeat(np.linspace(0.05, 0.95, 200), 2)
    lost = np.repeat((np.arange(200) % 3 == 0).astype(float), 2)
    once = _calibration(chance[::2], lost[::2], np.arange(200), 0.95)
    alone = _calibration(chance, lost, np.arange(400), 0.95)
    paired = _calibration(chance, lost, np.repeat(np.arange(200), 2), 0.95)
    assert paired["rate"].to_numpy() == pytest.approx(once["rate"].to_numpy())
    width = [float((table["high"] - table["low"]).mean()) for table in (once, alone, paired)]
    # twenty customers a tenth: forty rows are no forty customers
    assert width[1] < 0.8 * width[0]
    assert width[2] == pytest.approx(width[0], rel=0.12)
    # one row each is Wilson's
    found = proportion_interval(once["lost"], once["customers"], method="wilson")
    assert once["low"].to_numpy() == pytest.approx(found.low) and once["high"].to_numpy() == pytest.approx(
        found.high
    )


@dataclass(frozen=True)
class Leaving:
    """Everyone is alive with one chance at the start, and with another at the end."""

    start: float
    end: float
    fit: SimpleNamespace = field(default_factory=SimpleNamespace)

    def probability_alive(self, frequency: pd.Series, recency: pd.Series, age: pd.Series) -> np.ndarray:
        return np.where(age.to_numpy() == 0, self.start, self.end)


def test_the_churn_of_a_model_is_as_uncertain_as_its_parameters_and_the_customers():
    frames = [
        pd.DataFrame({"frequency": [1], "recency": [0], "age": [age], "customers": [1000]}) for age in (0, 1)
    ]
    known = SimpleNamespace(names=("start", "end"), log_covariance=np.diag([0.0, 0.02**2]))
    model = Leaving(0.8, 0.6, known)
    assert [_alive(model, rows) for rows in frames] == pytest.approx([800, 600])
    # two per cent of the 600 alive at the end, and 1000 × 0.6 × 0.4 by chance
    assert _churn_variance(model, frames, 0.25) == pytest.approx(12.0**2 + 240, rel=1e-4)
    both = Leaving(0.8, 0.6, SimpleNamespace(names=("start", "end"), log_covariance=np.full((2, 2), 0.02**2)))
    # an error that both share moves start and end alike, and the rate not at all
    assert _churn_variance(both, frames, 0.25) == pytest.approx(240, rel=1e-4)


def movement_rates(inputs: StudyInputs, start: int, lost: int, came: int) -> tuple[Interval, Interval]:
    """Intervals of the net loss and of the popular retention of a group by hand, where who came had been there before."""
    state = Stating(inputs=inputs)
    present, back = (
        state.exact("customer_movement", number, movement=name)
        for name, number in (("start", start), ("reactivated", came))
    )
    found = proportion_interval(lost, start, method="wilson")
    churn = Fact(
        metric="gross_churn_rate", period="2026-10", unit="share", value=lost / start, n=start,
        interval=Interval(low=float(found.low), high=float(found.high), level=0.95, method="Wilson"),
    )  # fmt: skip
    gained = _gained(inputs, present, back)
    stayed = replace(churn, value=1 - lost / start, **_mirrored(churn))
    return _together(churn, gained, -1)["interval"], _together(stayed, gained, 1)["interval"]


def test_losing_and_winning_together_is_as_unsure_as_both(
    company: Path, inputs_of: Callable[..., StudyInputs]
):
    inputs = inputs_of(company)
    random = np.random.default_rng(3)
    for start, share, coming in ((60, 0.1, 5.0), (2_000, 0.15, 400.0)):
        net, popular = 0, 0
        for _ in range(400):
            lost, came = int(random.binomial(start, share)), int(random.poisson(coming))
            of_net, of_popular = movement_rates(inputs, start, lost, came)
            net += of_net.holds(share - coming / start)
            popular += of_popular.holds(1 - share + coming / start)
        assert min(net, popular) / 400 >= 0.925
    # nobody came: the loss alone, widened by those who might have come
    alone, _ = movement_rates(inputs, 100, 10, 0)
    own = proportion_interval(10, 100, method="wilson")
    assert alone.high == pytest.approx(float(own.high)) and alone.low < float(own.low)
