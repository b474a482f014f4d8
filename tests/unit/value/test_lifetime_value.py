from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import FitError, ParameterError
from analysis.value import clv


def customers(
    seed: int,
    count: int = 1500,
    *,
    r: float = 0.8,
    alpha: float = 10.0,
    a: float = 0.8,
    b: float = 3.0,
    p: float = 6.0,
    q: float = 4.0,
    v: float = 15.0,
):
    """Frequency, recency, age, mean repeat spend of BG/NBD and Gamma-Gamma customers, and each one's true rate, dropout and spend."""
    generator = np.random.default_rng(seed)
    rate, leave = generator.gamma(r, 1 / alpha, count), generator.beta(a, b, count)
    scale = generator.gamma(q, 1 / v, count)
    T = generator.uniform(20, 80, count)
    x, recent, mean, alive = np.zeros(count), np.zeros(count), np.zeros(count), np.ones(count, dtype=bool)
    for one in range(count):
        time = 0.0
        while True:
            time += generator.exponential(1 / rate[one])
            if time > T[one]:
                break
            x[one], recent[one] = x[one] + 1, time
            if generator.random() < leave[one]:
                alive[one] = False
                break
        if x[one]:
            mean[one] = generator.gamma(p, 1 / scale[one], int(x[one])).mean()
    return x, recent, T, mean, rate, leave, p / scale, alive


def true_value(
    rate: np.ndarray, leave: np.ndarray, spend: np.ndarray, alive: np.ndarray, horizon: float
) -> float:
    """Expected spend of each customer in the weeks ahead, given what is hidden: the living buy at their rate until they leave."""
    lived = -np.expm1(-rate * leave * horizon) / leave
    return float((alive * lived * spend).sum())


def test_value_by_hand_without_discount():
    x, recent, T, mean, *_ = customers(1, 800)
    found = clv(x, recent, T, mean, unit="weeks", horizon=52, discount_rate=0.0, margin_share=0.4)
    by_hand = found.purchases.expected_purchases(52, x, recent, T) * found.spend.expected_value(x, mean) * 0.4
    assert found.table["clv"].to_numpy() == pytest.approx(by_hand)
    assert found.total == pytest.approx(by_hand.sum())
    assert found.interval.low < found.total < found.interval.high
    # half the margin, half the value; a rate brings it down, by less than a year's discount
    half = clv(x, recent, T, mean, unit="weeks", horizon=52, discount_rate=0.0, margin_share=0.2)
    assert half.total == pytest.approx(found.total / 2)
    discounted = clv(x, recent, T, mean, unit="weeks", horizon=52, discount_rate=0.1, margin_share=0.4)
    assert 1 / 1.1 < discounted.total / found.total < 1


def test_the_unit_of_time_changes_nothing():
    x, recent, T, mean, *_ = customers(2, 800)
    weeks = clv(x, recent, T, mean, unit="weeks", horizon=104, discount_rate=0.08)
    days = clv(x, recent * 7, T * 7, mean, unit="days", horizon=728, discount_rate=0.08)
    assert days.total == pytest.approx(weeks.total, rel=1e-5)
    month = 365.25 / 12 / 7
    months = clv(x, recent / month, T / month, mean, unit="months", horizon=104 / month, discount_rate=0.08)
    assert months.total == pytest.approx(weeks.total, rel=1e-5)


def test_order_of_rows_is_irrelevant():
    x, recent, T, mean, *_ = customers(3, 600)
    turn = np.random.default_rng(0).permutation(len(x))
    first, second = (
        clv(x[rows], recent[rows], T[rows], mean[rows], unit="weeks", horizon=52, discount_rate=0.08)
        for rows in (np.arange(len(x)), turn)
    )
    assert second.table["clv"].to_numpy() == pytest.approx(first.table["clv"].to_numpy()[turn], rel=1e-6)


def test_value_is_near_the_truth_of_a_simulation():
    x, recent, T, mean, rate, leave, spend, alive = customers(4, 4000)
    found = clv(x, recent, T, mean, unit="weeks", horizon=52, discount_rate=0.0)
    assert found.total == pytest.approx(true_value(rate, leave, spend, alive, 52.0), rel=0.12)
    assert found.table["p_alive"].mean() == pytest.approx(alive.mean(), abs=0.04)


@pytest.mark.slow
def test_intervals_cover_the_expected_value_over_seeds():
    """The interval is of the expected value, parameters being uncertain; what these very customers hide is noise besides."""
    covered, seeds = 0, 60
    for seed in range(seeds):
        x, recent, T, mean, *_ = customers(200 + seed, 1200)
        found = clv(x, recent, T, mean, unit="weeks", horizon=52, discount_rate=0.0, seed=seed)
        truth_model = found.purchases.__class__(
            **{**found.purchases.__dict__, "r": 0.8, "alpha": 10.0, "a": 0.8, "b": 3.0}
        )
        truth_spend = found.spend.__class__(**{**found.spend.__dict__, "p": 6.0, "q": 4.0, "v": 15.0})
        truth = float(truth_model.expected_purchases(52, x, recent, T) @ truth_spend.expected_value(x, mean))
        covered += found.interval.low <= truth <= found.interval.high
    assert covered >= 51, covered


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"discount_rate": None}, "horizon of 52 weeks without a discount rate"),
        ({"unit": "fortnights"}, "unknown unit 'fortnights'"),
        ({"unit": "week"}, "Did you mean|weeks"),
        ({"horizon": 0}, "horizon 0 should be above zero"),
        ({"model": "bgnbd"}, "unknown model 'bgnbd'"),
    ],
)
def test_impossible_options_are_refused(change: dict[str, object], message: str):
    options: dict[str, object] = {"unit": "weeks", "horizon": 52, "discount_rate": 0.08} | change
    with pytest.raises(ParameterError, match=message):
        clv([1, 0], [2, 0], [10, 10], [5.0, 0.0], **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (([1, 2], [11, 2], [10, 10], [5.0, 4.0]), r"recency above T"),
        (([1, 2], [0, 2], [10, 10], [5.0, 4.0]), r"frequency without recency"),
        (([0, 2], [3, 2], [10, 10], [0.0, 4.0]), r"recency without frequency"),
        (([1.5, 2], [3, 2], [10, 10], [5.0, 4.0]), r"no whole number"),
    ],
)
def test_impossible_customers_are_refused(rows: tuple[list[float], ...], message: str):
    with pytest.raises(FitError, match=message):
        clv(*rows, unit="weeks", horizon=52, discount_rate=0.08)


def test_negative_spend_is_refused():
    x, recent, T, mean, *_ = customers(5, 300)
    mean[np.flatnonzero(x)[0]] = -20.0
    with pytest.raises(FitError, match="negative spend"):
        clv(x, recent, T, mean, unit="weeks", horizon=52, discount_rate=0.08)
