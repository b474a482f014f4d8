"""Rows of counting processes: by hand, against R's rule for ties, and back to published answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.stats import cox, kaplan_meier, start_stop_rows

WATCHED = pd.DataFrame(
    {"subject": ["b", "a", "c"], "start": [0, 2, 0], "stop": [10, 8, 5], "line": list("xyz")}
)
CHANGES = pd.DataFrame(
    {"subject": list("bbaaac"), "time": [3, 7, 1, 4, 9, 5], "load": [1.0, 2.0, 5.0, 6.0, 7.0, 3.0]}
)
EVENTS = pd.DataFrame({"subject": ["b", "b", "a"], "time": [3, 10, 6], "cause": ["wear", "shock", "wear"]})


def test_rows_by_hand():
    """Delayed entry (a), a change before it and one after the end, a change at an event (b at 3), several events, and none (c)."""
    rows = start_stop_rows(WATCHED, CHANGES, EVENTS)
    expected = pd.DataFrame(
        [
            ("b", 0.0, 3.0, True, 0, "x", np.nan, "wear"),  # the event at 3 sees no load yet
            ("b", 3.0, 7.0, False, 1, "x", 1.0, np.nan),
            ("b", 7.0, 10.0, True, 1, "x", 2.0, "shock"),
            ("a", 2.0, 4.0, False, 0, "y", 5.0, np.nan),  # told at 1, holds at entry
            ("a", 4.0, 6.0, True, 0, "y", 6.0, "wear"),
            ("a", 6.0, 8.0, False, 1, "y", 6.0, np.nan),  # what is told at 9 comes after the end
            ("c", 0.0, 5.0, False, 0, "z", np.nan, np.nan),  # what is told at the end changes nothing
        ],
        columns=["subject", "start", "stop", "event", "events_before", "line", "load", "cause"],
    )
    pd.testing.assert_frame_equal(rows, expected, check_dtype=False)


@pytest.mark.parametrize("seed", range(5))
def test_no_time_is_lost_or_told_twice(seed):
    random = np.random.default_rng(seed)
    watched = pd.DataFrame({"subject": np.arange(40), "start": random.integers(0, 5, 40) * 1.0})
    watched = watched.assign(stop=watched["start"] + random.integers(1, 30, 40))
    changes = pd.DataFrame(
        {"subject": random.integers(0, 40, 200), "time": random.integers(0, 35, 200), "x": random.random(200)}
    ).drop_duplicates(["subject", "time"])
    events = pd.DataFrame({"subject": random.integers(0, 40, 80), "time": random.integers(0, 35, 80)})
    events = events.drop_duplicates().merge(watched, on="subject").query("start < time <= stop")
    rows = start_stop_rows(watched.assign(x=-1.0), changes, events[["subject", "time"]])
    length = (rows["stop"] - rows["start"]).groupby(rows["subject"]).sum()
    assert length.to_numpy() == pytest.approx((watched["stop"] - watched["start"]).to_numpy())
    assert (rows["start"].iloc[1:].to_numpy() == rows["stop"].iloc[:-1].to_numpy())[
        rows["subject"].duplicated()[1:]
    ].all()
    assert rows["event"].sum() == len(events)
    for row in rows.itertuples():
        told = changes[(changes["subject"] == row.subject) & (changes["time"] <= row.start)].sort_values(
            "time"
        )
        assert row.x == (told["x"].iloc[-1] if len(told) else -1.0)


def test_a_value_that_never_changes_splits_nothing_and_the_curve_stays():
    random = np.random.default_rng(2)
    watched = pd.DataFrame({"subject": np.arange(60), "start": 0.0, "stop": random.integers(2, 40, 60)})
    died = watched.loc[random.random(60) < 0.6, ["subject", "stop"]].rename(columns={"stop": "time"})
    changes = pd.DataFrame({"subject": np.arange(60), "time": 1.0, "x": random.random(60)})
    rows = start_stop_rows(watched, changes, died)
    plain = start_stop_rows(watched, None, died)
    assert len(plain) == 60 and len(rows) == 120
    curves = [
        kaplan_meier(one["stop"], one["event"], entry=one["start"]).table.query("events > 0")["survival"]
        for one in (plain, rows)
    ]
    assert curves[0].tolist() == pytest.approx(curves[1].tolist())


def test_times_that_differ_by_rounding_are_one():
    watched = pd.DataFrame({"subject": [1], "start": [0.0], "stop": [1.0]})
    changes = pd.DataFrame({"subject": [1], "time": [0.1 + 0.2], "x": [5.0]})
    events = pd.DataFrame({"subject": [1], "time": [0.3]})
    rows = start_stop_rows(watched, changes, events)
    assert rows["stop"].tolist() == pytest.approx([0.3, 1.0]) and rows["event"].tolist() == [True, False]


def test_repeated_events_by_cluster_go_into_a_model():
    random = np.random.default_rng(7)
    watched = pd.DataFrame({"subject": np.arange(300), "start": 0.0, "stop": 20.0})
    changes = pd.DataFrame({"subject": np.arange(300), "time": random.uniform(1, 19, 300), "upgraded": 1.0})
    switch = changes["time"].to_numpy()
    found = []
    for subject, when in enumerate(
        switch
    ):  # one failure per ten months before the upgrade, one per five after
        before, after = random.poisson(when / 10), random.poisson((20 - when) / 5)
        found += [
            (subject, time) for time in [*random.uniform(0, when, before), *random.uniform(when, 20, after)]
        ]
    events = pd.DataFrame(found, columns=["subject", "time"])
    rows = start_stop_rows(watched.assign(upgraded=0.0), changes, events)
    fit = cox(rows[["upgraded"]], rows["stop"], rows["event"], entry=rows["start"], clusters=rows["subject"])
    low, high = fit.coefficients.loc["upgraded", ["low", "high"]]
    assert low < 2.0 < high


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"watched": WATCHED.drop(columns="stop")}, "watched lacks the columns stop"),
        ({"watched": pd.concat([WATCHED, WATCHED])}, "watched names subject b twice"),
        ({"watched": WATCHED.assign(start=WATCHED["stop"])}, "observation of 3 subjects ends at or before its start"),
        ({"watched": WATCHED.assign(start=pd.Timestamp("2026-01-01"))}, "column 'start', holds dates"),
        ({"watched": WATCHED.assign(event=1)}, "rename the covariate event"),
        ({"changes": CHANGES.assign(subject="z")}, "changes are told of subject z, who is not in watched"),
        ({"changes": pd.concat([CHANGES, CHANGES.assign(load=9.0)])}, "subject b has two values of 'load' at one time"),
        ({"events": EVENTS.assign(time=[0, 10, 6])}, "1 events lie outside of the time watched, e.g. of subject b"),
        ({"events": EVENTS.assign(time=[3, 10, 8.5])}, "1 events lie outside of the time watched, e.g. of subject a"),
        ({"events": pd.concat([EVENTS, EVENTS])}, "subject b has two events at one time"),
        ({"events": EVENTS.assign(time=[3, np.nan, 6])}, "column 'time', is missing or infinite"),
    ],
)  # fmt: skip
def test_what_cannot_be_followed_is_refused(change, said):
    with pytest.raises(AnalysisError, match=said):
        start_stop_rows(**{"watched": WATCHED, "changes": CHANGES, "events": EVENTS, **change})
