"""Control charts: standards that cannot be, flags as numbers, outliers that must not hide, and scatter tested by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, chisquare

from analysis.errors import ParameterError
from analysis.stats import control_chart, overdispersion_test, subgroup_chart

RANDOM = np.random.default_rng(11)
VALUES = RANDOM.normal(10, 1, 30)
SIZES = RANDOM.integers(80, 120, 30).astype(float)
COUNTS = RANDOM.binomial(SIZES.astype(int), 0.1).astype(float)


@pytest.mark.parametrize("kind", [int, float, bool, "list"])
def test_a_flag_for_each_point_may_be_0_and_1(kind):
    flags = np.zeros(30, dtype=bool)
    flags[[4, 5, 20]] = True
    given = [int(one) for one in flags] if kind == "list" else flags.astype(kind)
    chart = control_chart("individuals", VALUES, suspects=given)
    by_position = control_chart("individuals", VALUES, suspects=[4, 5, 20])
    pd.testing.assert_frame_equal(chart.points, by_position.points)
    assert not chart.points["used_for_limits"][[4, 5, 20]].any()


@pytest.mark.parametrize("wrong", [[30], [-1], [2.5], ["May"], [None]])
def test_a_suspect_that_is_no_point_is_refused(wrong):
    with pytest.raises(ParameterError, match="is no position among 30 points"):
        control_chart("individuals", VALUES, suspects=wrong)


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("individuals", {"centre": 10.0, "sigma": -1.0}, "sigma is a width, above zero; got -1"),
        ("individuals", {"centre": 10.0, "sigma": 0.0}, "sigma is a width"),
        ("individuals", {"sigma_limits": -3.0}, "sigma_limits is a width"),
        (
            "individuals",
            {"sigma_limits": float("nan")},
            "sigma_limits is nan .float.; give one finite number",
        ),
        ("individuals", {"centre": float("inf")}, "centre is inf"),
        ("p", {"centre": 1.5}, "a p chart is centred on a share between 0 and 1; got 1.5"),
        ("laney_p", {"centre": 1.5}, "centred on a share"),
        ("np", {"centre": 1.01}, "centred on a share"),
        ("u", {"centre": -0.1}, "a u chart counts events; its centre cannot be -0.1"),
        ("auto", {"centre": -0.1}, "counts events"),
        ("ewma", {"smoothing": 0.0}, "smoothing is a width"),
        ("ewma", {"smoothing": 1.5}, "smoothing must lie above 0 and at most 1"),
        ("ewma", {"ewma_limits": "steady"}, "unknown ewma_limits 'steady'"),
        (
            "ewma",
            {"base": "u", "ewma_limits": "constant"},
            "constant limits of an ewma need points of one sigma",
        ),
        ("cusum", {"decision": -5.0}, "decision is a width"),
        ("cusum", {"reference": -0.5}, "reference is a number of sigmas, zero or more"),
    ],
)
def test_standards_that_cannot_be_are_refused(kind, options, said):
    plain = kind in ("individuals", "ewma", "cusum") and "base" not in options
    with pytest.raises(ParameterError, match=said):
        control_chart(kind, VALUES if plain else COUNTS, None if plain else SIZES, **options)


def test_an_outlier_does_not_hide_behind_the_sigma_it_inflates():
    """One jump makes two of eleven ranges; their plain mean widens the limits until it lies inside."""
    values = np.array([10.0, 10.4, 9.8, 10.2, 9.9, 14.0, 10.1, 9.7, 10.3, 10.0, 9.9, 10.2])
    plain = control_chart("individuals", values, ranges="all", limits_from="all")
    screened = control_chart("individuals", values, limits_from="all")
    assert list(screened.signals["point"]) == [5]
    assert plain.points["sigma"][0] > 2 * screened.points["sigma"][0]
    ranges = np.abs(np.diff(values))
    kept = ranges[ranges <= 3.267 * ranges.mean()]
    assert screened.points["sigma"][0] == pytest.approx(kept.mean() / 1.128)
    assert len(kept) == len(ranges) - 2


def test_laney_s_sigma_z_is_screened_too():
    counts = np.full(24, 100.0) + np.tile([8.0, -8.0], 12)
    counts[12] = 400.0
    sizes = np.full(24, 1000.0)
    screened, plain = (
        control_chart("laney_u", counts, sizes, ranges=each, limits_from="all")
        for each in ("screened", "all")
    )
    assert screened.sigma_z[0] < plain.sigma_z[0] / 1.5
    assert 12 in set(screened.signals["point"])


def test_screening_leaves_quiet_charts_alone():
    steady = 10 + np.tile([1.0, -1.0], 15)
    pd.testing.assert_frame_equal(
        control_chart("individuals", steady).points, control_chart("individuals", steady, ranges="all").points
    )


def test_limits_without_width_are_said():
    chart = control_chart("individuals", np.r_[np.full(20, 7.0), 7.5], suspects=[20])
    assert any("limits have no width" in note for note in chart.notes)
    assert list(chart.signals["point"]) == [20]
    assert not control_chart("individuals", VALUES).notes


# ------------------------------------------------------------------------------- scatter


def test_overdispersion_of_events_is_the_goodness_of_fit_to_their_areas():
    found = overdispersion_test(COUNTS, SIZES, kind="u")
    expected = chisquare(COUNTS, SIZES / SIZES.sum() * COUNTS.sum())
    assert (found.statistic, found.p_value, found.degrees) == (
        pytest.approx(expected.statistic),
        pytest.approx(expected.pvalue),
        29,
    )


def test_overdispersion_of_shares_is_the_test_of_one_table():
    found = overdispersion_test(COUNTS, SIZES, kind="p")
    expected = chi2_contingency(np.column_stack([COUNTS, SIZES - COUNTS]), correction=False)
    assert (found.statistic, found.p_value) == (
        pytest.approx(expected.statistic),
        pytest.approx(expected.pvalue),
    )


def test_overdispersion_is_named_at_its_rate_and_found():
    random = np.random.default_rng(1)
    sizes = np.full(40, 50.0)
    quiet = [overdispersion_test(random.poisson(sizes * 0.4), sizes, kind="u").p_value for _ in range(600)]
    assert np.mean(np.array(quiet) < 0.05) == pytest.approx(0.05, abs=0.03)
    wide = overdispersion_test(random.poisson(sizes * random.gamma(10, 0.04, 40)), sizes, kind="u")
    assert wide.p_value < 0.01 and wide.ratio > 1.5


def test_overdispersion_refusals():
    for values, sizes in (([0, 0], [5, 5]), ([3], [9])):
        with pytest.raises(ParameterError, match="needs two points and something that varies"):
            overdispersion_test(values, sizes, kind="u")
    with pytest.raises(ParameterError, match="something that varies"):
        overdispersion_test([5, 5], [5, 5], kind="p")
    with pytest.raises(ParameterError, match="unknown kind of counts 'laney'"):
        overdispersion_test([1, 2], [5, 5], kind="laney")


# ------------------------------------------------------------------------------- subgroups


@pytest.mark.parametrize("spread", ["range", "sd"])
def test_subgroups_that_shift_or_scatter_are_named_and_others_rarely(spread):
    random = np.random.default_rng(5)
    frame = pd.DataFrame(random.normal(50, 2, (200, 5)))
    quiet = subgroup_chart(frame, spread=spread)
    assert quiet["signal"].mean() < 0.02 and quiet["spread_signal"].mean() < 0.03
    frame.iloc[60] += 6
    frame.iloc[120] = 50 + 5 * (frame.iloc[120] - 50) / frame.iloc[120].std()
    loud = subgroup_chart(frame, spread=spread)
    assert loud["signal"][60] and loud["spread_signal"][120]


def test_subgroup_refusals():
    with pytest.raises(ParameterError, match="at least two values; got 1"):
        subgroup_chart(pd.DataFrame({"one": [1.0, 2.0]}), spread="sd")
    with pytest.raises(ParameterError, match="mean spread and the width of limits must be above zero"):
        subgroup_chart(pd.DataFrame({"one": [1.0, 2.0], "two": [1.0, 2.0]}), spread="range")
