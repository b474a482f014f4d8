from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import ParameterError
from analysis.stats import control_chart, signal_performance


def rule_points(z, rule, **options):
    """Positions at which a rule signals on a standard chart (centre 0, sigma 1)."""
    chart = control_chart("individuals", z, rules=rule, centre=0.0, sigma=1.0, **options)
    return chart.signals["point"].tolist(), chart.signals["side"].tolist()


# each rule as Nelson (1984) words it: a sequence that completes it at the last point, and one that just does not
NELSON = {
    "nelson_1": ([0.2, 3.1], [0.2, 3.0], "high"),
    "nelson_2": ([-0.5] * 9, [-0.5] * 8 + [0.5], "low"),
    "nelson_3": ([-0.5, -0.3, -0.1, 0.2, 0.4, 0.6], [-0.5, -0.3, -0.1, 0.2, 0.2, 0.6], "high"),
    "nelson_4": ([0.1, -0.1] * 7, [0.1, -0.1] * 6 + [-0.2, 0.1], "both"),
    "nelson_5": ([2.1, 0.3, 2.2], [2.1, 0.3, 2.0], "high"),
    "nelson_6": ([-1.1, -1.2, 0.1, -1.1, -1.4], [-1.1, -1.2, 0.1, 0.2, -1.4], "low"),
    "nelson_7": ([0.5, -0.4, 0.3] * 5, [0.5, -0.4, 0.3] * 4 + [0.5, 1.0, 0.3], "both"),
    "nelson_8": ([1.2, -1.3, 1.1, -1.2] * 2, [1.2, -1.3, 1.1, -1.2] + [1.2, -1.0, 1.1, -1.2], "both"),
    "western_electric_1": ([-3.2], [-3.0], "low"),
    "western_electric_2": ([-2.1, -2.2], [-2.1, 2.2, 0.0], "low"),
    "western_electric_3": ([1.1, 1.2, 1.3, 1.4], [1.1, 1.2, 1.3, -1.4, 0.9], "high"),
    "western_electric_4": ([0.1] * 8, [0.1] * 4 + [0.0] + [0.1] * 4, "high"),
}


@pytest.mark.parametrize("rule", NELSON)
def test_each_rule_signals_where_its_sequence_completes_and_not_before(rule):
    complete, almost, side = NELSON[rule]
    assert rule_points(complete, rule) == ([len(complete) - 1], [side])
    assert rule_points(almost, rule) == ([], [])


@pytest.mark.parametrize("rule", NELSON)
def test_rules_mirror_and_do_not_cross_a_phase(rule):
    complete, _, side = NELSON[rule]
    mirrored = {"high": "low", "low": "high", "both": "both"}[side]
    assert rule_points([-z for z in complete], rule) == ([len(complete) - 1], [mirrored])
    if len(complete) > 2:
        broken = ["before"] * (len(complete) // 2) + ["after"] * (len(complete) - len(complete) // 2)
        assert rule_points(complete, rule, phases=broken) == ([], [])


def test_sets_of_rules_by_name():
    chart = control_chart("individuals", [0, 3.5, 1, -1], rules="western_electric", centre=0, sigma=1)
    assert chart.rules == tuple(f"western_electric_{i}" for i in range(1, 5))
    assert len(control_chart("c", [3, 4], rules=["nelson"]).rules) == 8


def test_a_point_exactly_on_a_limit_is_no_signal():
    # centre 9, sigma 3: the limits are 0 and 18 in floating point only approximately for other units
    on, beyond = control_chart("c", [18, 0, 9], centre=9.0), control_chart("c", [19, 0, 9], centre=9.0)
    assert on.signals.empty and beyond.signals["point"].tolist() == [0]
    thirds = control_chart("u", [0.1 * 3 * 180] + [54.0] * 3, [180.0] * 4, centre=0.1, sigma=0.2 / 3)
    assert thirds.signals.empty


def test_points_under_suspicion_never_make_limits_and_are_always_judged():
    steady = [5, 6, 4, 5, 5, 6, 4, 5, 5, 5]
    chart = control_chart("u", [*steady, 40, 41], [10.0] * 12, suspects=[10, 11], limits_from="all")
    assert chart.centre[0] == pytest.approx(0.5)
    assert chart.signals["point"].tolist() == [10, 11]
    assert chart.points["used_for_limits"].tolist() == [True] * 10 + [False] * 2


def test_the_worst_points_are_left_out_one_by_one():
    counts = [10, 11, 9, 10, 12, 8, 10, 11, 9, 60, 27, 10]
    masked = control_chart("c", counts, limits_from="all")
    clean = control_chart("c", counts)
    assert masked.signals["point"].tolist() == [9]  # 60 hides 27
    assert clean.signals["point"].tolist() == [9, 10]
    assert clean.centre[0] == pytest.approx(10.0)


def test_a_process_without_a_stable_base_says_so():
    chart = control_chart("c", [1, 100] * 6)
    assert "no stable base" in chart.notes[0]
    assert chart.points["used_for_limits"].all()


def test_each_phase_has_its_own_limits_and_a_bare_one_has_none():
    chart = control_chart("u", [10, 12, 11, 30, 31, 33, 7], [10.0] * 7, phases=["a"] * 3 + ["b"] * 3 + ["c"])
    assert chart.centre[[0, 3, 6]] == pytest.approx([1.1, 94 / 30, 0.7])
    single = control_chart("individuals", [1, 2, 3, 9], phases=["a"] * 3 + ["b"])
    assert np.isnan(single.centre[3]) and "phase b" in single.notes[0]


def test_a_period_without_exposure_is_passed_over():
    chart = control_chart("u", [5] * 4 + [0] + [5] * 5, [8] * 4 + [0] + [8] * 5, rules="nelson_2", centre=0.5)
    assert np.isnan(chart.points["value"][4])
    assert chart.signals["point"].tolist() == [9]


@pytest.mark.parametrize("seed", range(5))
def test_np_and_p_agree_and_doubled_sizes_halve_the_rate(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(80, 120, 25)
    counts = rng.binomial(sizes, 0.1)
    p, np_ = control_chart("p", counts, sizes), control_chart("np", counts, sizes)
    np.testing.assert_allclose(p.points["z"], np_.points["z"])
    u, halved = control_chart("u", counts, sizes), control_chart("u", counts, 2 * sizes)
    np.testing.assert_allclose(u.centre, 2 * halved.centre)
    np.testing.assert_allclose(u.points["z"], halved.points["z"])


def test_auto_takes_laney_only_where_points_are_overdispersed_and_says_why():
    rng = np.random.default_rng(3)
    sizes = np.full(30, 20_000)
    calm = control_chart("auto_p", rng.binomial(sizes, 0.05), sizes)
    wide = control_chart("auto_p", rng.binomial(sizes, rng.beta(200, 3800, 30)), sizes)
    assert (calm.kind, calm.choice.code) == ("p", "not_overdispersed")
    assert (wide.kind, wide.choice.code) == ("laney_p", "overdispersed")
    assert f"sigma z {wide.choice.sigma_z:.2f}" in wide.reason
    assert wide.choice.sigma_z == pytest.approx(np.sqrt(1 + 20_000 / 4001), rel=0.3)
    rates = control_chart("auto", rng.poisson(50, 30), rng.uniform(90, 110, 30))
    assert rates.kind == "u"
    few = control_chart("auto_u", [4, 5, 6], [10, 10, 10])
    assert few.choice.code == "too_few_points" and "too few" in few.reason


def test_auto_keeps_its_error_rate():
    rng = np.random.default_rng(9)
    kinds = [control_chart("auto_u", rng.poisson(60, 24), np.full(24, 100.0)).kind for _ in range(400)]
    assert np.mean([kind == "laney_u" for kind in kinds]) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_cusum_by_hand():
    chart = control_chart("cusum", [0, 2, 2, 2, -3], centre=0, sigma=1, reference=0.5, decision=4.0)
    # sums on paper: 0, 1.5, 3.0, 4.5 (beyond 4), 1.0; below: 0, 0, 0, 0, 2.5
    np.testing.assert_allclose(chart.points["sum_high"], [0, 1.5, 3.0, 4.5, 1.0])
    np.testing.assert_allclose(chart.points["sum_low"], [0, 0, 0, 0, 2.5])
    assert chart.signals[["point", "rule", "side"]].values.tolist() == [[3, "cusum", "high"]]


def test_ewma_of_unequal_exposures_has_its_own_variance():
    sizes = np.array([100.0, 400.0])
    chart = control_chart("ewma", [50, 200], sizes, base="u", smoothing=0.5, sigma_limits=3, centre=0.5)
    variance = np.array([0.25 * 0.5 / 100, 0.25 * 0.5 / 400 + 0.25 * 0.25 * 0.5 / 100])
    np.testing.assert_allclose(chart.upper, 0.5 + 3 * np.sqrt(variance))


@pytest.mark.parametrize("seed", range(3))
def test_simulated_false_alarms_of_known_limits_are_those_of_the_normal(seed):
    z = np.random.default_rng(seed).normal(size=50)
    chart = control_chart("individuals", z, centre=0, sigma=1)
    quiet = signal_performance(chart, simulations=2000, seed=seed)
    expected = 0.0026998
    assert quiet.false_alarms_per_point == pytest.approx(expected, abs=4 * np.sqrt(expected / 1e5))
    assert quiet.false_alarm_share.low < 1 - (1 - expected) ** 50 < quiet.false_alarm_share.high


def test_every_rule_added_costs_false_alarms_and_a_shift_is_found_sooner():
    z = np.random.default_rng(1).normal(size=40)
    one = control_chart("individuals", z, centre=0, sigma=1)
    all_rules = control_chart("individuals", z, rules="nelson", centre=0, sigma=1)
    single = signal_performance(one, simulations=400, seed=2, from_point=20, shift=1.5)
    stacked = signal_performance(all_rules, simulations=400, seed=2, from_point=20, shift=1.5)
    assert stacked.false_alarm_share.low > single.false_alarm_share.high
    assert stacked.mean_delay_points < single.mean_delay_points
    assert stacked.detected_share.low > single.detected_share.value


@pytest.mark.parametrize(
    ("kind", "options"),
    [("p", {}), ("np", {}), ("laney_p", {}), ("u", {}), ("laney_u", {}), ("cusum", {"base": "u"})],
)
def test_counts_simulated_from_a_chart_have_its_centre(kind, options):
    rng = np.random.default_rng(4)
    sizes = np.full(24, 500)
    chart = control_chart(kind, rng.poisson(50, 24), sizes, **options)
    strong = signal_performance(chart, simulations=60, seed=1, from_point=18, shift=2.5)
    assert strong.detected_share.value == 1.0
    assert strong.false_alarm_share.value < 0.4


def test_order_of_labels_does_not_matter():
    frame = control_chart("u", [5, 9, 7], [10, 10, 10], phases=["x", "x", "x"]).points
    other = control_chart("u", [5, 9, 7], [10, 10, 10], phases=[7, 7, 7]).points
    pd.testing.assert_frame_equal(frame.drop(columns="phase"), other.drop(columns="phase"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: control_chart("laney", [1, 2], [3, 3]), "Did you mean 'laney_"),
        (lambda: control_chart("u", [1, 2]), "needs the size"),
        (lambda: control_chart("c", [1, 2], [3, 3]), "takes no sizes"),
        (lambda: control_chart("p", [4, 2], [3, 3]), "point 0: 4 of 3"),
        (lambda: control_chart("u", [4, 2], [0, 3]), "not counts over a size"),
        (lambda: control_chart("c", [1, 2], rules="nelson_9"), "Did you mean 'nelson_"),
        (lambda: control_chart("c", [1, 2], phases=["a"]), "1 labels for 2 points"),
        (lambda: control_chart("c", []), "one value a point"),
        (lambda: control_chart("ewma", [1, 2], [1, 1], base="cusum"), "unknown base"),
        (
            lambda: signal_performance(control_chart("c", [1, 2]), simulations=5, seed=1, shift=2.0),
            "from_point",
        ),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ParameterError, match=message):
        call()
