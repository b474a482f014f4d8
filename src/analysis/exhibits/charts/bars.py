"""Bars: ranked with intervals, bridges, Pareto, histograms. A bar that stands for an amount starts at zero."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from analysis.errors import ParameterError
from analysis.exhibits.charts.parts import (
    Item,
    as_text,
    items_table,
    mark_text,
    row_names,
    rows_height,
    value_label,
)
from analysis.exhibits.style import (
    TEXT_SIZE,
    WIDTH,
    Drawing,
    annotate,
    axis_name,
    axis_scale,
    colour,
    label,
    one_unit,
    place,
    shown,
    text_width,
    tick_text,
    value_axis,
)
from analysis.exhibits.vocabulary import Column, Row
from analysis.formats import ONE, Scale, Unit, decimal
from analysis.locale import Language, Text
from analysis.results import Fact

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEADROOM, FOOTROOM = 6.0, 28.0  # points above the first row and below the last


def _room(
    facts: Sequence[Fact], unit: Unit, scale: Scale, language: Language, *, signed: bool = False
) -> float:
    """Points that the widest number beside a bar needs."""
    texts = [
        mark_text(fact, unit, scale, signed=signed)
        if fact.value is not None
        else fact.reason[language]
        if fact.reason
        else ""
        for fact in facts
    ]
    return max((text_width(text) for text in texts), default=0.0) + 10


def ranked_bars(
    items: Sequence[Item], *, measure: Text, by: Text, reference: Item | None = None, keep_order: bool = False
) -> Drawing:
    """Bars from zero, the largest first, each with its interval and its number; ``reference`` is a line across (an average, a target).

    Items share one unit. An item without value keeps its row and prints why.
    """
    unit = one_unit([item.fact for item in items] + ([reference.fact] if reference else []), "ranked_bars")
    ordered = list(items) if keep_order else sorted(items, key=lambda item: -_sort_value(item.fact))

    def draw(figure: Figure, language: Language) -> None:
        axes = figure.add_subplot()
        facts = [item.fact for item in ordered]
        scale = axis_scale(facts, unit, language)
        left = row_names(axes, [item.name for item in ordered], language)
        place(figure, left=left, right=4, top=HEADROOM + (12 if reference else 0), bottom=FOOTROOM)
        for row, item in enumerate(ordered):
            axes.barh(row, _drawn(item.fact, unit, scale), height=0.58, color=colour(item.role))
            _whisker(axes, row, item.fact, unit, scale)
        _limits(
            axes,
            facts + ([reference.fact] if reference else []),
            unit,
            scale,
            room=_room(facts, unit, scale, language),
        )
        for row, item in enumerate(ordered):
            _bar_number(axes, row, item.fact, unit, scale, language)
        value_axis(
            axes, "x", name=axis_name(measure, unit, scale, language), most=_farthest(facts, unit, scale)
        )
        if reference:
            _reference_line(
                axes, reference, unit, scale, language, rows=sum(fact.value is not None for fact in facts)
            )

    return Drawing(
        draw=draw,
        data=items_table([*ordered, *([reference] if reference else [])], by=by, measure=measure),
        size=(
            WIDTH,
            rows_height(
                [item.name for item in ordered], extra=HEADROOM + FOOTROOM + (12 if reference else 0)
            ),
        ),
    )


def _sort_value(fact: Fact) -> Decimal:
    return Decimal("-Infinity") if fact.value is None else decimal(fact.value)


def _drawn(fact: Fact, unit: Unit, scale: Scale) -> float:
    return 0.0 if fact.value is None else shown(fact.value, unit, scale)


def _whisker(axes: Axes, row: float, fact: Fact, unit: Unit, scale: Scale) -> None:
    if fact.interval and fact.value is not None:
        low, high = shown(fact.interval.low, unit, scale), shown(fact.interval.high, unit, scale)
        axes.hlines(row, low, high, color=colour("ink"), linewidth=1.0)
        axes.vlines([low, high], row - 0.12, row + 0.12, color=colour("ink"), linewidth=1.0)


def _reach(fact: Fact, unit: Unit, scale: Scale) -> tuple[float, float]:
    """Leftmost and rightmost ink of a bar from zero with its whisker."""
    value = _drawn(fact, unit, scale)
    edges = [0.0, value]
    if fact.interval and fact.value is not None:
        edges += [shown(fact.interval.low, unit, scale), shown(fact.interval.high, unit, scale)]
    return min(edges), max(edges)


def _farthest(facts: Sequence[Fact], unit: Unit, scale: Scale) -> float:
    """Where the longest bar or whisker ends: ticks need not go on under the numbers."""
    return max((_reach(fact, unit, scale)[1] for fact in facts), default=1.0) or 1.0


def _limits(
    axes: Axes, facts: Sequence[Fact], unit: Unit, scale: Scale, *, room: float, low: float | None = None
) -> None:
    """Axis from zero (or below, for negative bars) with ``room`` points for the numbers at the ends."""
    reaches = [_reach(fact, unit, scale) for fact in facts] or [(0.0, 1.0)]
    least, most = min(reach[0] for reach in reaches), max(reach[1] for reach in reaches)
    least = least if low is None else low
    if most == least:
        most = least + 1.0
    width = axes.get_window_extent().width / axes.figure.dpi * 72
    left_room = room if least < 0 else 0.0
    per_point = (most - least) / max(width - room - left_room, width * 0.3)
    axes.set_xlim(least - left_room * per_point, most + room * per_point)


def _bar_number(
    axes: Axes, row: int, fact: Fact, unit: Unit, scale: Scale, language: Language, *, signed: bool = False
) -> None:
    low, high = _reach(fact, unit, scale)
    negative = fact.value is not None and fact.value < 0
    offset = _points(axes, 4)
    x = low - offset if negative else high + offset
    value_label(
        axes,
        x,
        row,
        fact,
        unit,
        scale,
        language,
        signed=signed,
        va="center",
        ha="right" if negative else "left",
    )


def _points(axes: Axes, points: float) -> float:
    """So many points along the x axis, in data units."""
    low, high = axes.get_xlim()
    return points * (high - low) / (axes.get_window_extent().width / axes.figure.dpi * 72)


def _reference_line(
    axes: Axes, reference: Item, unit: Unit, scale: Scale, language: Language, *, rows: int
) -> None:
    """A line across the rows that have a value, its name and number over it."""
    if reference.fact.value is None:
        return
    x = shown(reference.fact.value, unit, scale)
    axes.vlines(x, -0.6, rows - 0.5, color=colour("ink"), linewidth=0.9, linestyle=(0, (4, 3)))
    name = as_text(reference.name)[language]
    number = mark_text(reference.fact, unit, scale)
    whole = text_width(name) + 4 + text_width(number)
    low, high = axes.get_xlim()
    start = min(max(x - _points(axes, whole / 2), low), high - _points(axes, whole))
    style: dict[str, Any] = {
        "transform": axes.get_xaxis_transform(),
        "va": "bottom",
        "color": colour("muted"),
    }
    label(axes, start, 1.01, name, language, **style)
    annotate(
        axes,
        start + _points(axes, text_width(name) + 4),
        1.01,
        reference.fact,
        language,
        text=number,
        **style,
    )


# ---------------------------------------------------------------- bridge


def waterfall(
    start: Item,
    steps: Sequence[Item],
    end: Item,
    *,
    measure: Text,
    by: Text,
    better: Literal["higher", "lower"] | None = "lower",
) -> Drawing:
    """A bridge from ``start`` to ``end``: rows from the top, each step beginning where the last one ended.

    Refused unless start + steps = end exactly (money) or to a part in 10⁹ (other units). Where the steps are small beside the
    totals, the axis is cut: then the totals are drawn as marks, because a bar would have to start at zero.
    """
    items = [start, *steps, end]
    unit = one_unit([item.fact for item in items], "waterfall")
    _refuse_broken_bridge(items)

    def draw(figure: Figure, language: Language) -> None:
        axes = figure.add_subplot()
        facts = [item.fact for item in items]
        scale = axis_scale(facts, unit, language)
        left = row_names(axes, [item.name for item in items], language)
        place(figure, left=left, right=4, top=HEADROOM, bottom=FOOTROOM)
        levels = _levels(items, unit, scale)
        reach = [level for _, level in levels]
        moved = max(reach) - min(reach)
        cut = min(reach) > 0 and moved < 0.35 * max(reach)
        lowest = min(reach) - 0.15 * moved if cut else min(0.0, *reach)
        highest = max(0.0, *reach)  # bars start at zero, also where every cost is a credit
        room = max(
            _room(facts[1:-1], unit, scale, language, signed=True),
            _room([facts[0], facts[-1]], unit, scale, language),
        )
        _bridge_limits(axes, lowest, highest, room)
        for row, (item, (base, level)) in enumerate(zip(items, levels, strict=True)):
            total = row in (0, len(items) - 1)
            if total and cut:
                axes.plot([level], [row], marker="D", markersize=6, color=colour("actual"), linestyle="none")
            else:
                role = "actual" if total else _step_role(item.fact, better)
                axes.barh(row, level - base, left=base, height=0.58, color=colour(role))
            if row < len(items) - 1:
                axes.vlines(
                    level,
                    row + (0 if total and cut else 0.29),
                    row + 0.71,
                    color=colour("muted"),
                    linewidth=0.7,
                )
            x = max(base, level) + _points(axes, 6 if total and cut else 4)
            value_label(
                axes,
                x,
                row,
                item.fact,
                unit,
                scale,
                language,
                signed=not total,
                va="center",
                ha="left",
                weight="bold" if total else "normal",
            )
        value_axis(axes, "x", name=axis_name(measure, unit, scale, language), most=highest)

    return Drawing(
        draw=draw,
        data=_bridge_table(items, by=by, measure=measure),
        size=(WIDTH, rows_height([item.name for item in items], extra=HEADROOM + FOOTROOM)),
    )


def _refuse_broken_bridge(items: Sequence[Item]) -> None:
    missing = [item for item in items if item.fact.value is None]
    if missing:
        raise ParameterError(f"waterfall: {missing[0].fact.id} has no value; a bridge needs every step.")
    start, *steps, end = (decimal(item.fact.value) for item in items if item.fact.value is not None)
    gap = start + sum(steps, Decimal(0)) - end
    exact = all(isinstance(item.fact.value, (Decimal, int)) for item in items)
    if abs(gap) > (Decimal(0) if exact else Decimal("1e-9") * max(abs(start), abs(end), Decimal(1))):
        raise ParameterError(
            f"waterfall: start and steps miss the end by {gap:f} ({items[0].fact.id} to {items[-1].fact.id})."
        )


def _levels(items: Sequence[Item], unit: Unit, scale: Scale) -> list[tuple[float, float]]:
    """Where each bar begins and ends."""
    running = shown(items[0].fact.value, unit, scale)
    levels = [(0.0, running)]
    for item in items[1:-1]:
        after = running + shown(item.fact.value, unit, scale)
        levels.append((running, after))
        running = after
    return [*levels, (0.0, shown(items[-1].fact.value, unit, scale))]


def _step_role(fact: Fact, better: str | None) -> str:
    """By the direction; a step whose interval holds zero may have gone either way."""
    assert fact.value is not None
    if better is None or (fact.interval and fact.interval.holds(0)):
        return "focus"
    return "good" if (fact.value > 0) == (better == "higher") else "bad"


def _bridge_limits(axes: Axes, low: float, high: float, room: float) -> None:
    width = axes.get_window_extent().width / axes.figure.dpi * 72
    per_point = (high - low or 1.0) / max(width - room, width * 0.3)
    axes.set_xlim(low - (8 * per_point if low < 0 else 0.0), high + room * per_point)
    if low < 0:
        axes.axvline(0, color=colour("ink"), linewidth=0.8)


def _bridge_table(items: Sequence[Item], *, by: Text, measure: Text) -> tuple[list[Column], list[Row]]:
    columns, rows = items_table(items, by=by, measure=measure)
    last = len(rows) - 1
    return columns, [
        Row(cells=row.cells, role="total" if index in (0, last) else "body") for index, row in enumerate(rows)
    ]


# ---------------------------------------------------------------- Pareto


def pareto(
    items: Sequence[Item], cumulative: Sequence[Fact], *, measure: Text, by: Text, line: float = 0.8
) -> Drawing:
    """Ranked bars and, in a panel of its own at their right, the cumulative share: two axes of one row each, never two on one.

    ``items`` come ranked; ``cumulative`` are shares, one per item, not decreasing. ``line`` marks the "vital few".
    """
    if len(items) != len(cumulative):
        raise ParameterError(f"pareto: {len(items)} items but {len(cumulative)} cumulative shares; one each.")
    shares = [float(fact.value) for fact in cumulative if fact.value is not None]
    if any(later < earlier - 1e-12 for earlier, later in pairwise(shares)):
        raise ParameterError("pareto: cumulative shares fall; pass them in the order of the items.")
    unit = one_unit([item.fact for item in items], "pareto")
    share = one_unit(cumulative, "pareto, cumulative")

    def draw(figure: Figure, language: Language) -> None:
        axes, right = figure.subplots(1, 2, sharey=True, width_ratios=[1.7, 1])
        facts = [item.fact for item in items]
        scale = axis_scale(facts, unit, language)
        left = row_names(axes, [item.name for item in items], language)
        place(figure, left=left, right=30, top=HEADROOM, bottom=FOOTROOM, wspace=0.06)
        for row, item in enumerate(items):
            axes.barh(row, _drawn(item.fact, unit, scale), height=0.58, color=colour(item.role))
            _whisker(axes, row, item.fact, unit, scale)
        _limits(axes, facts, unit, scale, room=_room(facts, unit, scale, language))
        for row, item in enumerate(items):
            _bar_number(axes, row, item.fact, unit, scale, language)
        value_axis(
            axes,
            "x",
            name=axis_name(measure, unit, scale, language),
            ticks=3,
            most=_farthest(facts, unit, scale),
        )
        right.plot(
            [shown(fact.value, share) for fact in cumulative],
            range(len(items)),
            "o-",
            color=colour("expected"),
            markersize=3.5,
            linewidth=1.2,
        )
        right.axvline(line * 100, color=colour("ink"), linewidth=0.9, linestyle=(0, (4, 3)))
        right.set_xlim(0, 100)
        right.tick_params(axis="y", labelleft=False)
        for row, fact in enumerate(cumulative):
            annotate(
                right,
                1.03,
                row,
                fact,
                language,
                text=mark_text(fact, share, scale, places=0),
                va="center",
                transform=right.get_yaxis_transform(),
                color=colour("muted"),
            )
        value_axis(right, "x", name=axis_name(Text.of("Cumulative share"), share, scale, language), ticks=4)

    columns, rows = items_table(items, by=by, measure=measure)
    columns = [*columns, Column(key="cumulative", label=Text.of("Cumulative share"))]
    rows = [Row(cells={**row.cells, "cumulative": fact}) for row, fact in zip(rows, cumulative, strict=True)]
    return Drawing(
        draw=draw,
        data=(columns, rows),
        size=(WIDTH, rows_height([item.name for item in items], extra=HEADROOM + FOOTROOM)),
    )


# ---------------------------------------------------------------- histogram


def histogram(
    bins: Sequence[tuple[float, float, Fact]],
    *,
    measure: Text,
    across: Text,
    across_unit: str,
    marks: Sequence[Item] = (),
) -> Drawing:
    """Counts (or shares) by class: ``(low, high, fact)`` with half-open classes in ``across_unit``; ``marks`` are lines at a fact (a median, a target)."""
    unit = one_unit([fact for _, _, fact in bins], "histogram")
    for (_, high, _), (low, _, _) in pairwise(bins):
        if low < high:
            raise ParameterError(f"histogram: classes overlap at {low:g}.")
    along = Unit.parse(across_unit)

    def draw(figure: Figure, language: Language) -> None:
        axes = figure.add_subplot()
        facts = [fact for _, _, fact in bins]
        scale = axis_scale(facts, unit, language)
        place(figure, left=38, right=12, top=18 + 12 * len(marks), bottom=30)
        for low, high, fact in bins:
            width = high - low
            axes.bar(low + width / 2, _drawn(fact, unit, scale), width=width * 0.94, color=colour("actual"))
        axes.set_ylim(bottom=0)
        axes.set_xlim(bins[0][0], bins[-1][1])
        value_axis(axes, "y", name=axis_name(measure, unit, scale, language))
        value_axis(axes, "x", name=axis_name(across, along, ONE, language), ticks=8, grid=False)
        for index, mark in enumerate(marks):
            _histogram_mark(axes, mark, along, language, level=index, of=len(marks))

    columns = [
        Column(key="low", label=Text.of("Class from")),
        Column(key="high", label=Text.of("Class to")),
        Column(key="value", label=measure),
    ]
    rows = [
        Row(cells={"low": tick_text(low), "high": tick_text(high), "value": fact}) for low, high, fact in bins
    ]
    return Drawing(draw=draw, data=(columns, rows), size=(WIDTH, 2.6 + 0.17 * len(marks)))


def _histogram_mark(axes: Axes, mark: Item, along: Unit, language: Language, *, level: int, of: int) -> None:
    """A line through the bars, its name and number stacked above the plot."""
    if mark.fact.value is None:
        return
    x = shown(mark.fact.value, along)
    axes.axvline(x, color=colour(mark.role), linewidth=1.2, linestyle=(0, (4, 3)))
    name, number = as_text(mark.name)[language], mark_text(mark.fact, along, ONE)
    whole = text_width(name) + 4 + text_width(number)
    low, high = axes.get_xlim()
    start = min(max(x - _points(axes, whole / 2), low), high - _points(axes, whole))
    height = axes.get_window_extent().height / axes.figure.dpi * 72
    y = 1 + (14 + (of - 1 - level) * TEXT_SIZE * 1.4) / height
    style: dict[str, Any] = {
        "transform": axes.get_xaxis_transform(),
        "va": "bottom",
        "color": colour(mark.role),
    }
    label(axes, start, y, name, language, **style)
    annotate(axes, start + _points(axes, text_width(name) + 4), y, mark.fact, language, text=number, **style)
