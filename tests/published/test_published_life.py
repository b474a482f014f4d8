"""Life distributions fitted by textbooks and other programs."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.stats import (
    fit_competing_modes,
    fit_lognormal,
    fit_weibull,
    fit_weibull_threshold,
    rank_regression,
)

INF = np.inf


def test_bearing_cages():
    # Abernethy, Breneman, Medlin and Reinman (1983), Weibull Analysis Handbook, section 2 (1,703 cages, 6 fractures),
    # analysed by Meeker and Escobar (1998), chapter 8: shape 2.035, scale 11,792 hours, B10 3,903 hours with
    # likelihood-ratio interval 2,093 to 22,144; the interval of the shape holds 1.5, 2 and 3.
    fractures = [230, 334, 423, 990, 1009, 1510]
    running = [
        50,
        150,
        250,
        350,
        450,
        550,
        650,
        750,
        850,
        950,
        1050,
        1150,
        1250,
        1350,
        1450,
        1550,
        1650,
        1850,
        2050,
    ]
    cages = [288, 148, 124, 111, 106, 99, 110, 114, 119, 127, 123, 93, 47, 41, 27, 11, 6, 1, 2]
    fit = fit_weibull(fractures + running, [1] * 6 + [0] * 19, weights=[1] * 6 + cages)
    assert fit.units == 1703
    assert (fit.shape, fit.scale) == pytest.approx((2.035, 11792), rel=5e-4)
    b10 = fit.b_life(0.1)
    assert (b10.value, b10.low, b10.high) == pytest.approx((3903, 2093, 22144), rel=1e-3)
    shape = fit.shape_interval()
    assert shape.low < 1.5 and shape.high > 3


def test_ball_bearings():
    # Lieblein and Zelen (1956); Lawless (1982), Statistical Models and Methods for Lifetime Data, Example 4.1.1:
    # shape 2.10, scale 81.88 million revolutions. Log-likelihoods -113.69 and -113.13 (lognormal).
    revolutions = [17.88, 28.92, 33.00, 41.52, 42.12, 45.60, 48.40, 51.84, 51.96, 54.12, 55.56, 67.80]
    revolutions += [68.64, 68.64, 68.88, 84.12, 93.12, 98.64, 105.12, 105.84, 127.92, 128.04, 173.40]
    fit = fit_weibull(revolutions)
    assert (fit.shape, fit.scale) == pytest.approx((2.102, 81.88), abs=6e-3)
    assert fit.log_likelihood == pytest.approx(-113.69, abs=5e-3)
    assert fit_lognormal(revolutions).log_likelihood == pytest.approx(-113.13, abs=5e-3)


FAN_FAILED = [450, 1150, 1150, 1600, 2070, 2070, 2080, 3100, 3450, 4600, 6100, 8750]
FAN_RUNNING = [
    460,
    1560,
    1660,
    1850,
    1850,
    1850,
    1850,
    1850,
    2030,
    2030,
    2030,
    2200,
    3000,
    3000,
    3000,
    3000,
    3200,
]
FAN_RUNNING += [
    3750,
    3750,
    4150,
    4150,
    4150,
    4150,
    4300,
    4300,
    4300,
    4300,
    4850,
    4850,
    4850,
    4850,
    5000,
    5000,
    5000,
]
FAN_RUNNING += [
    6100,
    6100,
    6100,
    6300,
    6450,
    6450,
    6700,
    7450,
    7800,
    7800,
    8100,
    8100,
    8200,
    8500,
    8500,
    8500,
]
FAN_RUNNING += [8750, 8750, 9400, 9900, 10100, 10100, 10100, 11500]


def test_diesel_engine_fans():
    # Nelson (1982), Applied Life Data Analysis, p. 318; SAS/QC User's Guide, RELIABILITY procedure, "Analysis of
    # Right-Censored Data from a Single Population": Weibull scale 26.2968 thousand hours, shape 1.0584;
    # extreme-value location 3.2694 (standard error 0.4659), scale 0.9448.
    hours = np.array(FAN_FAILED + FAN_RUNNING) / 1000
    fit = fit_weibull(hours, [1] * 12 + [0] * 58)
    assert (fit.scale, fit.shape) == pytest.approx((26.2968, 1.0584), abs=6e-5)
    assert (fit.location, fit.spread) == pytest.approx((3.2694, 0.9448), abs=6e-5)
    assert np.sqrt(fit.covariance[0, 0]) == pytest.approx(0.4659, abs=6e-5)
    assert fit.hazard_direction() == "unclear"


def test_turbine_parts_inspected_at_common_times():
    # Nelson (1982), p. 415; SAS/QC User's Guide, RELIABILITY procedure, "Weibull Analysis of Interval Data with Common
    # Inspection Schedule": Weibull scale 71.6904 months, shape 1.4854.
    limits = [0, 6.12, 19.92, 29.64, 35.40, 39.72, 45.24, 52.32, 63.48, INF]
    parts = [5, 16, 12, 18, 18, 2, 6, 17, 73]
    fit = fit_weibull(None, lower=limits[:-1], upper=limits[1:], weights=parts)
    assert (fit.scale, fit.shape) == pytest.approx((71.6904, 1.4854), abs=6e-5)


def test_turbine_wheels_looked_at_once():
    # Nelson (1982), p. 409; SAS/QC User's Guide, RELIABILITY procedure, "Lognormal Analysis with Arbitrary Censoring":
    # location 3.6999, scale 0.7199 (hundreds of hours): only left- and right-censored wheels.
    hours = [4, 10, 14, 18, 22, 26, 30, 34, 38, 42, 46]
    cracked, sound = [0, 4, 2, 7, 5, 9, 9, 6, 22, 21, 21], [39, 49, 31, 66, 25, 30, 33, 7, 12, 19, 15]
    fit = fit_lognormal(None, lower=[0] * 11 + hours, upper=hours + [INF] * 11, weights=cracked + sound)
    assert (fit.location, fit.spread) == pytest.approx((3.6999, 0.7199), abs=6e-5)


SHOCK = [6700, 9120, 12200, 13150, 14300, 17520, 20100, 20900, 22700, 26510, 27490]
SHOCK_MODE = ["1", "2", "1", "2", "1", "1", "2", "2", "1", "1", "1"]
SHOCK_RUNNING = [
    6950,
    7820,
    8790,
    9660,
    9820,
    11310,
    11690,
    11850,
    11880,
    12140,
    12870,
    13330,
    13470,
    14040,
    17540,
]
SHOCK_RUNNING += [17890, 18450, 18960, 18980, 19410, 20100, 20150, 20320, 23490, 27410, 27890, 28100]


def test_shock_absorbers():
    # O'Connor (1985), Practical Reliability Engineering, 2nd ed., p. 85; Meeker and Escobar (1998), chapter 8:
    # Weibull location 10.23 and scale 0.3164 of the log distance, that is shape 3.16 and scale 27,719 km.
    fit = fit_weibull(SHOCK + SHOCK_RUNNING, [1] * 11 + [0] * 27)
    assert (fit.location, fit.spread) == pytest.approx((10.23, 0.3164), rel=2e-4)
    assert (fit.shape, fit.scale) == pytest.approx((3.16, 27719), rel=2e-4)


def test_shock_absorbers_by_mode():
    # the same with the two modes of Meeker and Escobar (1998), chapter 15: the modes' survivals multiply to nearly
    # the survival of both together, and their log-likelihoods add up to more than the joint one.
    fits = fit_competing_modes(SHOCK + SHOCK_RUNNING, SHOCK_MODE + [None] * 27)
    joint = fit_weibull(SHOCK + SHOCK_RUNNING, [1] * 11 + [0] * 27)
    apart = fits["1"].survival(20000.0) * fits["2"].survival(20000.0)
    assert apart == pytest.approx(joint.survival(20000.0), abs=0.01)


def test_alloy_fatigue_with_a_threshold():
    # Meeker and Escobar (1998), alloy T7987 (72 specimens, 67 failed before 300 thousand cycles), with threshold;
    # the R package weibulltools fits 92.99, location 4.54 and spread 0.76 to the same data by densities. The grouped
    # likelihood tends to that as the resolution of the ages gets finer.
    cycles = [
        94,
        96,
        99,
        99,
        104,
        108,
        112,
        114,
        117,
        117,
        118,
        121,
        121,
        123,
        129,
        131,
        133,
        135,
        136,
        139,
        139,
        140,
    ]
    cycles += [
        141,
        141,
        143,
        144,
        149,
        149,
        152,
        153,
        159,
        159,
        159,
        159,
        162,
        168,
        168,
        169,
        170,
        170,
        171,
        172,
        173,
    ]
    cycles += [
        176,
        177,
        180,
        180,
        184,
        187,
        188,
        189,
        190,
        196,
        197,
        203,
        205,
        211,
        213,
        224,
        226,
        227,
        256,
        257,
        269,
    ]
    cycles += [271, 274, 291] + [300] * 5
    fine = fit_weibull_threshold(cycles, [1] * 67 + [0] * 5, resolution=0.1)
    assert fine.threshold == pytest.approx(92.99, abs=0.01)
    assert (fine.after_threshold.location, fine.after_threshold.spread) == pytest.approx(
        (4.54, 0.76), abs=6e-3
    )
    rounded = fit_weibull_threshold(cycles, [1] * 67 + [0] * 5, resolution=1.0)
    assert rounded.threshold_interval.low < 85 and rounded.threshold_interval.high < 94.5
    assert rounded.after_threshold.aic < fit_weibull(cycles, [1] * 67 + [0] * 5).aic


def test_rank_regression_on_six_failures():
    # ReliaSoft, Life Data Analysis Reference, "The Weibull Distribution", rank regression on Y: 1.4301, 76.318, correlation 0.9956.
    found = rank_regression([16, 34, 53, 75, 93, 120], family="weibull", on="rank")
    assert found.shape == pytest.approx(1.4301, abs=5e-4)
    assert found.scale == pytest.approx(76.318, abs=5e-3)
    assert found.correlation == pytest.approx(0.9956, abs=5e-5)
