"""Placing text: laws of the spread, wrapping by width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.exhibits.charts.labels import CLOSING, OPENING, _may_break, spread, wrapped
from analysis.exhibits.style import text_width

places = st.lists(st.floats(0, 100, allow_nan=False), min_size=1, max_size=8)


@given(places, st.floats(0.1, 12))
def test_labels_keep_their_order_their_distance_and_the_room(wanted: list[float], gap: float) -> None:
    placed = spread(wanted, gap=gap, low=0, high=100)
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    sorted_places = [placed[index] for index in order]
    assert all(
        later - earlier >= gap - 1e-9
        for earlier, later in zip(sorted_places, sorted_places[1:], strict=False)
    )
    assert min(placed) >= -1e-9
    assert max(placed) <= 100 + 1e-9


@given(places, st.floats(0.1, 10), st.integers(0, 7), st.floats(-0.5, 0.5))
def test_no_other_allowed_places_lie_nearer(wanted: list[float], gap: float, which: int, step: float) -> None:
    """Least squares with linear constraints is convex: a better placement would show in some small allowed move."""
    placed = spread(wanted, gap=gap, low=-1e6, high=1e6)
    moved = list(placed)
    moved[which % len(moved)] += step
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    allowed = all(moved[b] - moved[a] >= gap - 1e-12 for a, b in zip(order, order[1:], strict=False))
    cost = lambda at: sum((a - b) ** 2 for a, b in zip(at, wanted, strict=True))  # noqa: E731
    assert not allowed or cost(moved) >= cost(placed) - 1e-9


def test_two_labels_on_one_spot_part_evenly_and_apart_ones_stay() -> None:
    # by hand: 10 and 10 need 4 between them → 8 and 12; 30 is free
    assert spread([10, 10, 30], gap=4, low=0, high=100) == pytest.approx([8, 12, 30])


def test_in_too_small_a_room_the_distance_shrinks_evenly() -> None:
    assert spread([5, 5, 5], gap=50, low=0, high=10) == pytest.approx([0, 5, 10])


@pytest.mark.parametrize(
    "text",
    ["Compressor start relay, second supplier, old revision", "压缩机启动继电器（第二供应商，旧版本）增强型"],
)
def test_long_names_wrap_within_their_width_and_lose_nothing_they_need_not(text: str) -> None:
    lines = wrapped(text, 110).split("\n")
    assert len(lines) == 2
    assert all(text_width(line) <= 110 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "") or lines[-1].endswith("…")


def test_a_name_that_cannot_fit_ends_in_an_ellipsis() -> None:
    cut = wrapped("Compressor start relay, second supplier", 60, lines=1)
    assert cut.endswith("…")
    assert text_width(cut) <= 60
    assert wrapped("Fan", 60) == "Fan"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("首响时间翻倍 → 下月未结工单（未显示）", ["首响时间翻倍 → 下月未结工单", "（未显示）"]),
        ("最近工单答复迟 → 贬损者（0–6 分）（未显示）", ["最近工单答复迟 → 贬损者（0–6 分）", "（未显示）"]),
        (
            "Score of 1 or 2 → loss of the contract (not shown)",
            ["Score of 1 or 2 → loss of the contract", "(not shown)"],
        ),
    ],
)
def test_a_bracket_that_fits_on_a_line_is_not_torn(text: str, lines: list[str]) -> None:
    wide = max(text_width(line) for line in lines) + 1
    assert wrapped(text, wide).split("\n") == lines


@given(st.text("压缩机（风扇），。ab", min_size=1, max_size=24), st.floats(30, 120))
def test_no_line_begins_with_a_closing_mark_where_another_break_is_there(text: str, width: float) -> None:
    lines = wrapped(text, width, lines=9).split("\n")
    for before, after in zip(lines, lines[1:], strict=False):
        torn = after[:1] in CLOSING or before[-1:] in OPENING
        assert not torn or not any(_may_break(one, two) for one, two in zip(before, before[1:], strict=False))
