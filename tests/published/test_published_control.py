"""Control charts of textbooks and papers."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.stats import control_chart, subgroup_limits

# Montgomery, Introduction to Statistical Quality Control, 6th ed. (2009), Table 7.1: nonconforming cans, n = 50.
ORANGE_JUICE = [
    12,
    15,
    8,
    10,
    4,
    7,
    16,
    9,
    14,
    10,
    5,
    6,
    17,
    12,
    22,
    8,
    10,
    5,
    13,
    11,
    20,
    18,
    24,
    15,
    9,
    12,
    7,
    13,
    9,
    6,
]
# the same, Table 7.7: nonconformities in samples of 100 circuit boards
CIRCUIT_BOARDS = [
    21,
    24,
    16,
    12,
    15,
    5,
    28,
    20,
    31,
    25,
    20,
    24,
    16,
    19,
    10,
    17,
    13,
    22,
    18,
    39,
    30,
    24,
    16,
    19,
    17,
    15,
]
# the same, Table 9.1: individuals with in-control mean 10 and sigma 1; the mean is 11 from the 21st on
SHIFTED = [9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40, 10.08]
SHIFTED += [
    9.37,
    10.62,
    10.31,
    8.52,
    10.84,
    10.90,
    9.33,
    12.29,
    11.50,
    10.60,
    11.08,
    10.38,
    11.62,
    11.31,
    10.52,
]


def test_p_chart_of_orange_juice_cans():
    # Montgomery (2009), section 7.2.1: p-bar 0.2313, limits 0.0524 and 0.4102, samples 15 and 23 out (counted from 1);
    # without them 0.2150, 0.0407 and 0.3893, and then sample 21 is out as well.
    trial = control_chart("p", ORANGE_JUICE, [50] * 30, limits_from="all")
    assert (trial.centre[0], trial.lower[0], trial.upper[0]) == pytest.approx(
        (0.2313, 0.0524, 0.4102), abs=6e-5
    )
    assert trial.signals["point"].tolist() == [14, 22]
    revised = control_chart("p", ORANGE_JUICE, [50] * 30, suspects=[14, 22], limits_from="all")
    assert (revised.centre[0], revised.lower[0], revised.upper[0]) == pytest.approx(
        (0.2150, 0.0407, 0.3893), abs=6e-5
    )
    assert revised.signals["point"].tolist() == [14, 20, 22]


def test_c_chart_of_circuit_boards():
    # Montgomery (2009), Example 7.3: c-bar 19.85, limits 6.48 and 33.22, samples 6 and 20 out; revised 19.67, 6.36, 32.97
    # (the book computes limits from c-bar rounded to two places).
    trial = control_chart("c", CIRCUIT_BOARDS, limits_from="all")
    assert (trial.centre[0], trial.lower[0], trial.upper[0]) == pytest.approx((19.85, 6.48, 33.22), abs=1e-2)
    assert trial.signals["point"].tolist() == [5, 19]
    revised = control_chart("c", CIRCUIT_BOARDS)
    assert (revised.centre[0], revised.lower[0], revised.upper[0]) == pytest.approx(
        (19.67, 6.36, 32.97), abs=1e-2
    )


def test_u_chart_of_dyed_cloth():
    # Montgomery (2009), Example 7.5, Tables 7.11 and 7.12: u-bar 1.42 and limits that vary with the inspection units
    # (computed there from u-bar rounded to two places).
    defects = [14, 12, 20, 11, 7, 10, 21, 16, 19, 23]
    units = [10.0, 8.0, 13.0, 10.0, 9.5, 10.0, 12.0, 10.5, 12.0, 12.5]
    chart = control_chart("u", defects, units, limits_from="all")
    assert chart.centre[0] == pytest.approx(1.42, abs=5e-3)
    np.testing.assert_allclose(chart.upper[[0, 1, 2, 4]], [2.55, 2.68, 2.41, 2.58], atol=1e-2)
    np.testing.assert_allclose(chart.lower[[0, 1, 2, 4]], [0.29, 0.16, 0.43, 0.26], atol=1e-2)
    assert chart.signals.empty


def test_ewma_of_a_shift_of_one_sigma():
    # Montgomery (2009), Example 9.2 and Table 9.10: lambda 0.1, L 2.7; limits 10.27 and 9.73 at the first sample,
    # 10.62 and 9.38 in the end, which the last two statistics, 10.6468 and 10.6341, exceed.
    chart = control_chart("ewma", SHIFTED, centre=10.0, sigma=1.0, smoothing=0.1, sigma_limits=2.7)
    np.testing.assert_allclose(chart.points["value"][:4], [9.945, 9.7495, 9.70355, 9.8992], atol=1e-4)
    assert (chart.upper[0], chart.lower[0]) == pytest.approx((10.27, 9.73), abs=1e-9)
    assert (chart.upper[-1], chart.lower[-1]) == pytest.approx((10.62, 9.38), abs=5e-3)
    np.testing.assert_allclose(chart.points["value"][28:], [10.6468, 10.6341], atol=1e-4)
    assert chart.signals["point"].tolist() == [28, 29]


def test_cusum_of_a_shift_of_one_sigma():
    # Montgomery (2009), Example 9.1 and Table 9.2: k 0.5, h 5; the upper sum first exceeds 5 at period 29 with 5.28.
    chart = control_chart("cusum", SHIFTED, centre=10.0, sigma=1.0, reference=0.5, decision=5.0)
    assert chart.signals["point"].min() == 28
    assert chart.points["sum_high"][28] == pytest.approx(5.28, abs=1e-9)
    assert chart.points["sum_low"][1] == pytest.approx(1.56, abs=1e-9)


def test_ewma_of_the_nist_handbook():
    # NIST/SEMATECH e-Handbook of Statistical Methods, section 6.3.2.4: lambda 0.3, target 50, s 2.0539 (asymptotic
    # limits 52.5884 and 47.4115); the EWMA of the last points is 51.23 and 51.99 before it exceeds nothing.
    data = [52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5]
    data += [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
    chart = control_chart("ewma", data, centre=50.0, sigma=2.0539, smoothing=0.3)
    printed = [50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33]
    printed += [50.11, 49.36, 49.52, 50.05, 49.38, 49.92, 50.73, 51.23, 51.94, 51.99]
    np.testing.assert_allclose(chart.points["value"], printed, atol=6e-3)
    assert (chart.upper[-1], chart.lower[-1]) == pytest.approx((52.5884, 47.4115), abs=2e-3)
    assert chart.signals.empty


@pytest.mark.parametrize(
    ("values", "options", "printed"),
    [
        # NIST/SEMATECH e-Handbook, section 6.3.2.4: target 50, s 2.0539, lambda 0.3: UCL 52.5884 and LCL 47.4115 at every point
        (
            [52.0, 47.0, 53.0, 49.3, 50.1],
            {"centre": 50.0, "sigma": 2.0539, "smoothing": 0.3},
            (47.4115, 52.5884),
        ),
        # Montgomery (2009), Example 9.2, whose steady-state limits are 9.38 and 10.62
        (SHIFTED, {"centre": 10.0, "sigma": 1.0, "smoothing": 0.1, "sigma_limits": 2.7}, (9.38, 10.62)),
    ],
)
def test_constant_limits_of_an_ewma(values, options, printed):
    chart = control_chart("ewma", values, ewma_limits="constant", **options)
    exact = control_chart("ewma", values, **options)
    for limits, height in ((chart.lower, printed[0]), (chart.upper, printed[1])):
        np.testing.assert_allclose(limits, height, atol=5e-3 if height in (9.38, 10.62) else 2e-4)
    assert (chart.points["value"] == exact.points["value"]).all()
    assert (exact.upper < chart.upper).all()


def test_constant_limits_of_an_ewma_forgive_the_first_points():
    # a first point of 13 at lambda 0.1 stands at 10.3: beyond 10.27 (exact), inside 10.62 (constant)
    options = {"centre": 10.0, "sigma": 1.0, "smoothing": 0.1, "sigma_limits": 2.7}
    assert control_chart("ewma", [13.0], **options).signals["point"].tolist() == [0]
    assert control_chart("ewma", [13.0], ewma_limits="constant", **options).signals.empty


# Attendances and those seen within four hours, twenty weeks (data set nhs_accidents of the R package qicharts2, from
# Mohammed et al. (2013), BMJ Quality and Safety 22, 362-368).
SEEN = [266501, 264225, 276532, 281461, 269071, 261215, 270409, 279778, 270483, 270320]
SEEN += [267923, 271478, 255353, 256820, 261835, 259144, 255910, 260863, 264465, 260989]
ATTENDED = [280443, 276823, 291681, 296155, 282343, 275888, 283867, 295251, 284468, 282529]
ATTENDED += [279618, 283932, 266629, 268091, 276803, 271578, 266005, 273520, 278574, 273772]


def test_laney_p_chart_of_emergency_departments():
    # Limits as computed by qicharts2 (chart "pp"), an implementation of Laney (2002) independent of ours.
    prime = control_chart("p'", SEEN, ATTENDED, limits_from="all")
    assert prime.centre[0] == pytest.approx(0.95289971134419116, rel=1e-12)
    assert (prime.lower[0], prime.upper[0]) == pytest.approx(
        (0.94012964417751414, 0.96566977851086822), rel=1e-9
    )
    assert (prime.lower[-1], prime.upper[-1]) == pytest.approx(
        (0.93997499652290412, 0.96582442616547814), rel=1e-9
    )
    assert prime.signals.empty
    plain = control_chart("p", SEEN, ATTENDED, limits_from="all")
    assert (plain.lower[0], plain.upper[0]) == pytest.approx(
        (0.95169956464601502, 0.9540998580423673), rel=1e-9
    )
    assert len(plain.signals) > 10
    assert control_chart("auto", SEEN, ATTENDED).kind == "laney_p"


def test_laney_chart_with_limits_frozen_on_the_first_ten_weeks():
    # qicharts2, chart "pp" with freeze = 10: later weeks are judged and do not make limits.
    frozen = control_chart("p'", SEEN, ATTENDED, suspects=np.arange(10, 20), limits_from="all")
    assert frozen.centre[0] == pytest.approx(0.95105964383277042, rel=1e-12)
    assert (frozen.lower[0], frozen.upper[-1]) == pytest.approx(
        (0.93866469138900677, 0.96360470122895214), rel=1e-9
    )


def test_laney_charts_in_two_phases():
    # qicharts2, chart "pp" with part = 10.
    parts = control_chart("p'", SEEN, ATTENDED, phases=["before"] * 10 + ["after"] * 10, limits_from="all")
    assert parts.centre[[0, 10]] == pytest.approx([0.95105964383277042, 0.95481431224580271], rel=1e-12)
    assert parts.upper[10] == pytest.approx(0.96901800106839342, rel=1e-9)


def test_laney_u_chart_of_hospital_infections():
    # qicharts2, chart "up", data set hospital_infections summed over hospitals: limits from all and from the first year.
    infections = [575, 521, 585, 528, 507, 519, 457, 505, 494, 512, 543, 506]
    infections += [509, 521, 549, 531, 509, 528, 419, 512, 495, 513, 454, 490]
    days = [
        310466.83333,
        282346.79167,
        309089.70833,
        287977.33333,
        297743.37500,
        286988.25000,
        261120.33333,
        268720.75,
    ]
    days += [
        284437.87500,
        290449.50000,
        288104.45833,
        279961.37500,
        289803.95833,
        275950.58333,
        290824.45833,
        285495.75,
    ]
    days += [
        282515.20833,
        273927.87500,
        253085.62500,
        262410.70833,
        275529.25,
        282405.08333,
        259530.79167,
        256235.45833,
    ]
    chart = control_chart("u'", infections, days, limits_from="all")
    assert chart.centre[0] == pytest.approx(0.0018235751654857592, rel=1e-9)
    assert (chart.lower[0], chart.upper[0]) == pytest.approx(
        (0.0015763817754848699, 0.0020707685554866486), rel=1e-8
    )
    frozen = control_chart("u'", infections, days, suspects=np.arange(12, 24), limits_from="all")
    assert (frozen.lower[0], frozen.upper[0]) == pytest.approx(
        (0.0016028174413353386, 0.0020242569108607405), rel=1e-8
    )


@pytest.mark.parametrize(
    ("rules", "run_length"),
    [
        (["western_electric_1"], 370.40),
        (["western_electric_1", "western_electric_2"], 225.44),
        (["western_electric_1", "western_electric_3"], 166.05),
        (["western_electric_1", "western_electric_4"], 152.73),
        (["western_electric"], 91.75),
    ],
)
def test_average_run_lengths_of_champ_and_woodall(rules, run_length):
    # Champ and Woodall (1987), Technometrics 29, 393-399, Table 1: exact in-control average run lengths.
    rng = np.random.default_rng(11)
    lengths = np.array([_run_length(rng, rules) for _ in range(150)])
    error = lengths.std() / np.sqrt(len(lengths))
    assert lengths.mean() == pytest.approx(run_length, abs=4 * error)


def _run_length(rng, rules):
    """Points until the first signal of a process that does not change."""
    chart = control_chart("individuals", rng.normal(size=4000), rules=rules, centre=0.0, sigma=1.0)
    return 1 + chart.signals["point"].min()


@pytest.mark.parametrize(
    ("size", "a2", "d4", "a3", "b4"),
    [(2, 1.880, 3.267, 2.659, 3.267), (5, 0.577, 2.114, 1.427, 2.089), (10, 0.308, 1.777, 0.975, 1.716)],
)
def test_factors_of_subgroup_charts(size, a2, d4, a3, b4):
    # Montgomery (2009), Introduction to Statistical Quality Control, 6th ed., appendix VI: A2 and D4 for ranges, A3 and B4 for standard deviations.
    ranges = subgroup_limits(0.0, 1.0, size=size, spread="range")
    deviations = subgroup_limits(0.0, 1.0, size=size, spread="sd")
    assert (ranges.mean[2], ranges.spread[2]) == (pytest.approx(a2, abs=1e-3), pytest.approx(d4, abs=1.5e-3))
    assert (deviations.mean[2], deviations.spread[2]) == (
        pytest.approx(a3, abs=1e-3),
        pytest.approx(b4, abs=1e-3),
    )


def test_flow_width_and_piston_rings():
    # Montgomery (2009), examples 6.1 (hard-bake flow width, X-bar and R) and 6.3 (piston rings, X-bar and S), samples of five.
    flow = subgroup_limits(1.5056, 0.32521, size=5, spread="range")
    assert flow.mean[1:] == (pytest.approx(1.31795, abs=2e-4), pytest.approx(1.69325, abs=2e-4))
    assert flow.spread[1:] == (0.0, pytest.approx(0.68749, abs=3e-4))
    rings = subgroup_limits(74.001, 0.0094, size=5, spread="sd")
    assert rings.mean[1:] == (pytest.approx(73.988, abs=1e-3), pytest.approx(74.014, abs=1e-3))
    assert rings.spread[1:] == (0.0, pytest.approx(0.0196, abs=1e-4))
