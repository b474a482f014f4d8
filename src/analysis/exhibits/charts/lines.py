"""Lines over months or ages: with interval bands, forecasts as fans, control charts, survival curves. Lines are named at their ends."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import ParameterError
from analysis.exhibits.charts.parts import (
    Item,
    Name,
    Series,
    all_months,
    as_text,
    band,
    end_labels,
    end_margin,
    mark_text,
    month_axis,
    series_table,
)
from analysis.exhibits.style import (
    WIDTH,
    Drawing,
    annotate,
    axis_name,
    axis_scale,
    colour,
    one_unit,
    place,
    shown,
    text_colour,
    text_width,
    tick_text,
    value_axis,
    words,
)
from analysis.exhibits.vocabulary import Cell, Column, Row
from analysis.formats import ONE, Scale, Unit
from analysis.locale import Language, Text
from analysis.periods import Month
from analysis.results import Fact

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, TOP, BOTTOM = 42.0, 22.0, 32.0
NAMES = 110.0


def lines(
    series: Sequence[Series],
    *,
    measure: Text,
    reference: Item | None = None,
    from_zero: bool = True,
    mark: Collection[Month] = (),
) -> Drawing:
    """One line a series over months, its intervals as a band, its name and last value at its end.

    ``reference`` is a level line (a target, an average). ``mark`` prints the values of the first series at those months.
    ``from_zero=False`` lets the axis start elsewhere: lines may, bars may not. Missing values are gaps.
    """
    facts = [fact for one in series for fact in one.facts]
    unit = one_unit(facts + ([reference.fact] if reference else []), "lines")
    months = all_months(series)

    def draw(figure: Figure, language: Language) -> None:
        axes = figure.add_subplot()
        scale = axis_scale(facts, unit, language)
        ends = [(one.name, one.role, *_end(one, unit, scale)) for one in series]
        if reference and reference.fact.value is not None:
            ends.append(
                (reference.name, reference.role, shown(reference.fact.value, unit, scale), reference.fact)
            )
        right = end_margin([(name, fact) for name, _, _, fact in ends], unit, scale, language, most=NAMES)
        _month_frame(figure, axes, months, language, right=right)
        for one in series:
            _line(axes, one, months, unit, scale)
        if reference and reference.fact.value is not None:
            axes.axhline(
                shown(reference.fact.value, unit, scale),
                color=colour(reference.role),
                linewidth=1.0,
                linestyle=(0, (4, 3)),
            )
        _from_zero(axes, from_zero)
        _headroom(axes, 10 if mark else 0)
        value_axis(axes, "y", name=axis_name(measure, unit, scale, language))
        _marked_values(axes, series[0], mark, months, unit, scale, language)
        end_labels(axes, ends, unit, scale, language, x=len(months) - 1, most=NAMES)

    return Drawing(draw=draw, data=series_table(series), size=(WIDTH, 2.9))


def _month_frame(
    figure: Figure, axes: Axes, months: Sequence[Month], language: Language, *, right: float
) -> None:
    place(figure, left=LEFT, right=right, top=TOP, bottom=BOTTOM)
    month_axis(axes, months, language, width=figure.get_size_inches()[0] * 72 - LEFT - right)
    axes.set_xlim(-0.3, len(months) - 0.7)


def _from_zero(axes: Axes, from_zero: bool) -> None:
    low, high = axes.get_ylim()
    if from_zero and low > 0:
        axes.set_ylim(0, high)
    elif from_zero and high < 0:
        axes.set_ylim(low, 0)
    elif from_zero and low < 0 <= high and min(axes.dataLim.y0, axes.dataLim.y1) >= 0:
        axes.set_ylim(0, high)
    if low < 0 < high:
        axes.axhline(0, color=colour("muted"), linewidth=0.6)


def _end(one: Series, unit: Unit, scale: Scale) -> tuple[float, Fact | None]:
    """Height and fact of a series' last value."""
    for _, fact in reversed(one.points):
        if fact.value is not None:
            return shown(fact.value, unit, scale), fact
    return 0.0, None


def _positions(one: Series, months: Sequence[Month]) -> dict[Month, int]:
    place_of = {month: index for index, month in enumerate(months)}
    return {month: place_of[month] for month, _ in one.points}


def _line(
    axes: Axes,
    one: Series,
    months: Sequence[Month],
    unit: Unit,
    scale: Scale,
    *,
    intervals: bool = True,
    **options: Any,
) -> None:
    where = _positions(one, months)
    x = [where[month] for month, _ in one.points]
    if intervals:
        band(axes, x, one.facts, unit, scale, one.role)
    heights = [float("nan")] * len(months)
    for (month, fact), _ in zip(one.points, x, strict=True):
        heights[where[month]] = shown(fact.value, unit, scale)
    style: dict[str, Any] = {"color": colour(one.role)} | options
    axes.plot(range(len(months)), heights, **style)
    known = {index for index, height in enumerate(heights) if math.isfinite(height)}
    lonely = sorted(index for index in known if not {index - 1, index + 1} & known)
    axes.plot(lonely, [heights[index] for index in lonely], "o", color=colour(one.role), markersize=3.5)


def _marked_values(
    axes: Axes,
    one: Series,
    mark: Collection[Month],
    months: Sequence[Month],
    unit: Unit,
    scale: Scale,
    language: Language,
    *,
    role: str | None = None,
    intervals: bool = True,
) -> None:
    """Values printed over points; one that would touch its neighbour is left out (the table has it)."""
    where = _positions(one, months)
    taken: list[tuple[float, float]] = []
    per_month = axes.get_window_extent().width / axes.figure.dpi * 72 / max(len(months) - 0.4, 1)
    tint = role or one.role
    for month, fact in one.points:
        if month not in mark or fact.value is None:
            continue
        text = mark_text(fact, unit, scale)
        half, middle = text_width(text) / 2 + 1, where[month] * per_month
        if any(middle - half < end and start < middle + half for start, end in taken):
            continue
        taken.append((middle - half, middle + half))
        over = shown(
            fact.interval.high if fact.interval and intervals else fact.value, unit, scale
        ) + 4 * _per_point_y(axes)
        annotate(
            axes,
            where[month],
            over,
            fact,
            language,
            text=text,
            ha="center",
            va="bottom",
            color=text_colour(tint),
        )
        axes.plot([where[month]], [shown(fact.value, unit, scale)], "o", color=colour(tint), markersize=5)


def _headroom(axes: Axes, points: float) -> None:
    """Room above the data for a number over its point."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + points * _per_point_y(axes))


def _per_point_y(axes: Axes) -> float:
    low, high = axes.get_ylim()
    return (high - low) / (axes.get_window_extent().height / axes.figure.dpi * 72)


# ---------------------------------------------------------------- forecast


def fan(
    history: Series, forecast: Series, *, measure: Text, wider: Sequence[Series] = (), from_zero: bool = True
) -> Drawing:
    """History as a line, the forecast dashed from its last point, with its interval as a fan.

    ``wider`` are the same forecasts with wider intervals (80 %, 95 % around a 50 %), drawn paler, widest first.
    """
    series = [history, forecast, *wider]
    facts = [fact for one in series for fact in one.facts]
    unit = one_unit(facts, "fan")
    if max(month for month, _ in history.points) >= min(month for month, _ in forecast.points):
        raise ParameterError("fan: the forecast begins before the history ends.")
    months = all_months(series)

    def draw(figure: Figure, language: Language) -> None:
        axes = figure.add_subplot()
        scale = axis_scale(facts, unit, language)
        height, last = _end(forecast, unit, scale)
        ends = [(forecast.name, forecast.role, height, last)]
        right = end_margin([(forecast.name, last)], unit, scale, language, most=NAMES)
        _month_frame(figure, axes, months, language, right=right)
        joint = [point for point in history.points if point[1].value is not None][-1:]
        for one in sorted((forecast, *wider), key=_interval_width, reverse=True):
            _fan_band(axes, one, months, joint, unit, scale)
        _line(axes, history, months, unit, scale)
        joined = Series(name=forecast.name, role=forecast.role, points=[*joint, *forecast.points])
        _line(axes, joined, months, unit, scale, intervals=False, linestyle=(0, (3, 2)))
        _from_zero(axes, from_zero)
        value_axis(axes, "y", name=axis_name(measure, unit, scale, language))
        border = _positions(history, months)[joint[0][0]] if joint else 0
        axes.axvline(border + 0.5, color=colour("muted"), linewidth=0.6)
        words(
            axes,
            border + 0.5,
            1.0,
            "Forecast →",
            language,
            transform=axes.get_xaxis_transform(),
            va="bottom",
            ha="left",
            color=colour("muted"),
        )
        end_labels(axes, ends, unit, scale, language, x=len(months) - 1, most=NAMES)

    columns, rows = series_table(series)
    return Drawing(draw=draw, data=(columns, rows), size=(WIDTH, 2.9))


def _interval_width(one: Series) -> float:
    return max((fact.interval.high - fact.interval.low for fact in one.facts if fact.interval), default=0.0)


def _fan_band(
    axes: Axes,
    one: Series,
    months: Sequence[Month],
    joint: Sequence[tuple[Month, Fact]],
    unit: Unit,
    scale: Scale,
) -> None:
    """The band opens from the last known point."""
    where = {month: index for index, month in enumerate(months)}
    points = [
        (where[month], fact.interval)
        for month, fact in one.points
        if fact.interval and fact.value is not None
    ]
    x, low, high = [], [], []
    for month, fact in joint:
        x.append(where[month])
        low.append(shown(fact.value, unit, scale))
        high.append(shown(fact.value, unit, scale))
    for position, interval in points:
        x.append(position)
        low.append(shown(interval.low, unit, scale))
        high.append(shown(interval.high, unit, scale))
    axes.fill_between(x, low, high, color=colour(one.role), alpha=0.18, linewidth=0)


# ---------------------------------------------------------------- control chart


def control_chart(
    points: Series,
    *,
    centre: Series,
    lower: Series,
    upper: Series,
    measure: Text,
    signals: Collection[Month] = (),
) -> Drawing:
    """A process over months with its centre line and limits (which may step with the denominator); ``signals`` are ringed and valued.

    Signals come from the study, never from the drawing. Limits and centre are facts too.
    """
    series = [points, centre, lower, upper]
    facts = [fact for one in series for fact in one.facts]
    unit = one_unit(facts, "control_chart")
    months = all_months(series)
    unknown = set(signals) - {month for month, _ in points.points}
    if unknown:
        raise ParameterError(f"control_chart: a signal in {min(unknown)}, where there is no point.")

    def draw(figure: Figure, language: Language) -> None:
        axes = figure.add_subplot()
        scale = axis_scale(facts, unit, language)
        frames = [centre, upper] + ([lower] if any(fact.value for fact in lower.facts) else [])
        ends = [(one.name, "muted", *_end(one, unit, scale)) for one in frames]
        right = end_margin([(name, fact) for name, _, _, fact in ends], unit, scale, language, most=NAMES)
        _month_frame(figure, axes, months, language, right=right)
        for one, style in ((lower, (0, (4, 3))), (upper, (0, (4, 3))), (centre, "solid")):
            x, heights = _stairs(one, months, unit, scale)
            axes.step(x, heights, where="mid", color=colour("muted"), linewidth=0.8, linestyle=style)
        _line(axes, points, months, unit, scale, intervals=False, linewidth=1.1, marker="o", markersize=3)
        _from_zero(axes, True)
        _headroom(axes, 14 if signals else 0)
        value_axis(axes, "y", name=axis_name(measure, unit, scale, language))
        _marked_values(axes, points, signals, months, unit, scale, language, role="bad", intervals=False)
        end_labels(axes, ends, unit, scale, language, x=len(months) - 1, most=NAMES)

    return Drawing(draw=draw, data=series_table(series), size=(WIDTH, 2.9))


def _stairs(
    one: Series, months: Sequence[Month], unit: Unit, scale: Scale
) -> tuple[list[float], list[float]]:
    """A step line that covers the half month at either end too."""
    where = _positions(one, months)
    x = [float(where[month]) for month, _ in one.points]
    heights = [shown(fact.value, unit, scale) for fact in one.facts]
    return [x[0] - 0.3, *x, x[-1] + 0.3], [heights[0], *heights, heights[-1]]


# ---------------------------------------------------------------- survival


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A step curve over age: ``points`` are (age, fact), the fact holding from that age on."""

    name: Name
    points: Sequence[tuple[float, Fact]]
    role: str = "actual"


def survival(
    curves: Sequence[Curve],
    *,
    measure: Text,
    age: Text,
    age_unit: str,
    step: Text | None = None,
    from_zero: bool = True,
) -> Drawing:
    """Step curves (survival, retention, cumulative incidence) with pointwise bands, named at their ends.

    A curve that ends before the others says at which ``step`` of age (a month, if not stated); dots lead from its end to its name.
    """
    each = step or Text.of("month")
    facts = [fact for curve in curves for _, fact in curve.points]
    unit, along = one_unit(facts, "survival"), Unit.parse(age_unit)

    def draw(figure: Figure, language: Language) -> None:
        axes = figure.add_subplot()
        scale = axis_scale(facts, unit, language)
        last = max(x for curve in curves for x, _ in curve.points)
        ends = [_curve_end(curve, last, unit, scale, each) for curve in curves]
        right = end_margin([(name, fact) for name, _, _, fact in ends], unit, scale, language, most=NAMES)
        place(figure, left=LEFT, right=right, top=TOP, bottom=BOTTOM)
        for curve in curves:
            _curve(axes, curve, unit, scale, last)
        axes.set_xlim(min(0.0, *(x for curve in curves for x, _ in curve.points)), last)
        _from_zero(axes, from_zero)
        value_axis(axes, "y", name=axis_name(measure, unit, scale, language))
        value_axis(axes, "x", name=axis_name(age, along, ONE, language), ticks=8, grid=False)
        end_labels(axes, ends, unit, scale, language, x=last, most=NAMES)

    return Drawing(draw=draw, data=_curve_table(curves, age), size=(WIDTH, 3.0))


def _curve_end(
    curve: Curve, last: float, unit: Unit, scale: Scale, step: Text
) -> tuple[Name, str, float, Fact | None]:
    """Name, role, height and fact of a curve's last known point; a curve that ends before the others says at which age."""
    known = [(x, fact) for x, fact in curve.points if fact.value is not None]
    if not known:
        return curve.name, curve.role, 0.0, None
    x, fact = known[-1]
    name = curve.name
    if x < last:
        name = Text.filled("{name} (to {step} {age})", name=as_text(name), step=step, age=tick_text(x))
    return name, curve.role, shown(fact.value, unit, scale), fact


def _curve(axes: Axes, curve: Curve, unit: Unit, scale: Scale, last: float) -> None:
    known = [(x, fact) for x, fact in curve.points if fact.value is not None]
    x = [position for position, _ in known]
    heights = [shown(fact.value, unit, scale) for _, fact in known]
    axes.step(x, heights, where="post", color=colour(curve.role), linewidth=1.6)
    if x and x[-1] < last:
        axes.plot(
            [x[-1], last],
            [heights[-1], heights[-1]],
            color=colour(curve.role),
            linewidth=0.8,
            linestyle=(0, (1, 3)),
        )
    band(axes, x, [fact for _, fact in known], unit, scale, curve.role, step="post")


def _curve_table(curves: Sequence[Curve], age: Text) -> tuple[list[Column], list[Row]]:
    """A row an age at which any curve has a point."""
    ages = sorted({x for curve in curves for x, _ in curve.points})
    columns = [Column(key="age", label=age)]
    cells: dict[float, dict[str, Cell]] = {x: {"age": tick_text(x)} for x in ages}
    for index, curve in enumerate(curves):
        columns.append(Column(key=f"c{index}", label=as_text(curve.name)))
        interval = any(fact.interval for _, fact in curve.points)
        if interval:
            columns.append(Column(key=f"c{index}_interval", label=Text.of("Interval"), show="interval"))
        for x, fact in curve.points:
            cells[x][f"c{index}"] = fact
            if interval:
                cells[x][f"c{index}_interval"] = fact
    return columns, [Row(cells=row) for row in cells.values()]
