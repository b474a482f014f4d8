"""Composition over months, heatmaps and dots with intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from analysis.errors import ParameterError
from analysis.exhibits.charts.labels import wrapped
from analysis.exhibits.charts.parts import (
    Item,
    Name,
    Series,
    all_months,
    as_text,
    band,
    end_labels,
    end_margin,
    items_table,
    mark_text,
    month_axis,
    named,
    row_names,
    rows_height,
    series_table,
)
from analysis.exhibits.style import (
    TEXT_SIZE,
    WIDTH,
    Drawing,
    annotate,
    axis_name,
    axis_scale,
    category_roles,
    colour,
    label,
    one_unit,
    place,
    readable_role,
    shown,
    text_colour,
    text_width,
    tick_text,
    value_axis,
)
from analysis.exhibits.vocabulary import Cell, Column, Row
from analysis.formats import NO_VALUE, Scale, Unit, cell_text, month_text
from analysis.locale import Language, Text
from analysis.periods import Month
from analysis.results import Fact, Sentence, interval_cell

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


Draw = Callable[["Figure", Language], None]


def composition(
    series: Sequence[Series],
    *,
    measure: Text,
    form: Literal["stacked", "multiples"] = "stacked",
    totals: Series | None = None,
) -> Drawing:
    """What a total is made of, month by month.

    ``stacked``: bars, the first series at the bottom, negative amounts (recoveries) below zero, names at the right; ``totals`` prints the sum
    over each bar. ``multiples``: one small panel a series with the same vertical axis; better when shares matter less than shapes.
    Colours are given by order; a series' own ``role`` is used when it is not ``actual``.
    """
    facts = [fact for one in series for fact in one.facts]
    unit = one_unit(facts + (totals.facts if totals else []), "composition")
    months = all_months(series)
    roles = [
        given if one.role == "actual" else one.role
        for one, given in zip(series, category_roles(len(series)), strict=True)
    ]
    data = series_table([*series, *([totals] if totals else [])])
    if form == "multiples":
        rows = math.ceil(len(series) / 3)
        return Drawing(
            draw=_multiples(series, months, unit, measure), data=data, size=(WIDTH, 0.3 + 1.35 * rows)
        )
    return Drawing(draw=_stacked(series, roles, totals, months, unit, measure), data=data, size=(WIDTH, 3.1))


def _by_month(one: Series) -> dict[Month, Fact]:
    return dict(one.points)


def _stacked(
    series: Sequence[Series],
    roles: Sequence[str],
    totals: Series | None,
    months: Sequence[Month],
    unit: Unit,
    measure: Text,
) -> Draw:
    def draw(figure: Figure, language: Language) -> None:
        axes = figure.add_subplot()
        scale = axis_scale(
            (totals or series[0]).facts if totals else [f for one in series for f in one.facts],
            unit,
            language,
        )
        ends = _stack_ends(series, roles, months, unit, scale)
        right = end_margin([(name, None) for name, *_ in ends], unit, scale, language, most=120)
        place(figure, left=42, right=right, top=22, bottom=32)
        month_axis(axes, months, language, width=figure.get_size_inches()[0] * 72 - 42 - right)
        axes.set_xlim(-0.6, len(months) - 0.4)
        above, below = [0.0] * len(months), [0.0] * len(months)
        for one, role in zip(series, roles, strict=True):
            known, heights, bottoms = _by_month(one), [], []
            for index, month in enumerate(months):
                value = (
                    shown(known[month].value, unit, scale)
                    if month in known and known[month].value is not None
                    else 0.0
                )
                base = above if value >= 0 else below
                heights.append(value)
                bottoms.append(base[index])
                base[index] += value
            axes.bar(
                range(len(months)),
                heights,
                bottom=bottoms,
                width=0.72,
                color=colour(role),
                edgecolor=colour("paper"),
                linewidth=0.5,
            )
        if min(below) < 0:
            axes.axhline(0, color=colour("ink"), linewidth=0.8)
        low = min(below) * 1.06
        axes.set_ylim(low, max(above) * 1.1 or 1.0)
        value_axis(axes, "y", name=axis_name(measure, unit, scale, language))
        if totals:
            _total_numbers(axes, totals, months, above, unit, scale, language)
        end_labels(axes, ends, unit, scale, language, x=len(months) - 0.6, most=120, swatches=True)

    return draw


def _stack_ends(
    series: Sequence[Series], roles: Sequence[str], months: Sequence[Month], unit: Unit, scale: Scale
) -> list[tuple[Name, str, float, Fact | None]]:
    """Names beside the middle of each piece of the last bar."""
    above = below = 0.0
    ends: list[tuple[Name, str, float, Fact | None]] = []
    for one, role in zip(series, roles, strict=True):
        fact = _by_month(one).get(months[-1])
        value = shown(fact.value, unit, scale) if fact and fact.value is not None else 0.0
        base = above if value >= 0 else below
        ends.append((one.name, role, base + value / 2, None))
        above, below = (above + value, below) if value >= 0 else (above, below + value)
    return ends


def _total_numbers(
    axes: Axes,
    totals: Series,
    months: Sequence[Month],
    above: Sequence[float],
    unit: Unit,
    scale: Scale,
    language: Language,
) -> None:
    """The sum over each bar, as many as have room, always the last."""
    known = _by_month(totals)
    per_month = axes.get_window_extent().width / axes.figure.dpi * 72 / (len(months) + 0.2)
    texts = {m: mark_text(f, unit, scale, places=0) for m, f in known.items() if f.value is not None}
    widest = max((text_width(text, TEXT_SIZE - 1) for text in texts.values()), default=0.0) + 3
    step = max(1, math.ceil(widest / per_month))
    low, high = axes.get_ylim()
    lift = 2 * (high - low) / (axes.get_window_extent().height / axes.figure.dpi * 72)
    for index, month in enumerate(months):
        if month in texts and (len(months) - 1 - index) % step == 0:
            annotate(
                axes,
                index,
                above[index] + lift,
                known[month],
                language,
                text=texts[month],
                ha="center",
                va="bottom",
                fontsize=TEXT_SIZE - 1,
                color=colour("muted"),
            )


def _multiples(series: Sequence[Series], months: Sequence[Month], unit: Unit, measure: Text) -> Draw:
    def draw(figure: Figure, language: Language) -> None:
        rows = math.ceil(len(series) / 3)
        panels: list[Axes] = list(figure.subplots(rows, 3, sharex=True, sharey=True, squeeze=False).ravel())
        scale = axis_scale([fact for one in series for fact in one.facts], unit, language)
        place(figure, left=38, right=10, top=42, bottom=30, wspace=0.14, hspace=0.38)
        width = _width_points(panels[0])
        for index, (axes, one) in enumerate(zip(panels, series, strict=False)):
            _panel(axes, one, months, unit, scale, language, width=width)
            axes.tick_params(labelbottom=index + 3 >= len(series), labelleft=index % 3 == 0)
        for axes in panels[len(series) :]:
            axes.set_visible(False)
        panels[0].set_xlim(-0.3, len(months) - 0.7)
        _first_and_last(panels, months, language)
        panels[0].set_ylim(*_shared_range(series, unit, scale))
        value_axis(panels[0], "y", ticks=3)
        for axes in panels:
            axes.grid(axis="y")
        figure.text(
            4 / 72 / figure.get_size_inches()[0],
            1 - 4 / 72 / figure.get_size_inches()[1],
            axis_name(measure, unit, scale, language),
            color=colour("muted"),
            va="top",
        )

    return draw


def _shared_range(series: Sequence[Series], unit: Unit, scale: Scale) -> tuple[float, float]:
    edges = [0.0]
    for one in series:
        for fact in one.facts:
            if fact.value is not None:
                edges.append(shown(fact.value, unit, scale))
                edges += (
                    [shown(edge, unit, scale) for edge in (fact.interval.low, fact.interval.high)]
                    if fact.interval
                    else []
                )
    return min(edges) * 1.05, max(edges) * 1.05 or 1.0


def _first_and_last(panels: Sequence[Axes], months: Sequence[Month], language: Language) -> None:
    """Only the first and the last month are named under small panels, flush with their edges."""
    ends = [months[0], months[-1]] if len(months) > 1 else [months[0]]
    names = [str(month) if language == "en" else month_text(month, language) for month in ends]
    panels[0].set_xticks([0, len(months) - 1][: len(ends)], labels=names)
    for axes in panels:
        named_ticks = axes.get_xticklabels()
        if not named_ticks:  # hidden: another panel stands below
            continue
        named_ticks[0].set_horizontalalignment("left")
        named_ticks[-1].set_horizontalalignment("right")


def _panel(
    axes: Axes,
    one: Series,
    months: Sequence[Month],
    unit: Unit,
    scale: Scale,
    language: Language,
    *,
    width: float,
) -> None:
    """One small chart: its name over it, its last value beside the name."""
    where = {month: index for index, month in enumerate(months)}
    x = [where[month] for month, _ in one.points]
    heights = [shown(fact.value, unit, scale) for fact in one.facts]
    axes.plot(x, heights, color=colour(one.role), linewidth=1.4)
    axes.fill_between(x, 0, heights, color=colour(one.role), alpha=0.12, linewidth=0)
    band(axes, x, one.facts, unit, scale, one.role)
    last = next((fact for fact in reversed(one.facts) if fact.value is not None), None)
    number = mark_text(last, unit, scale) if last else ""
    room = width - text_width(number, bold=True) - 10
    style: dict[str, Any] = {"transform": axes.transAxes, "va": "bottom"}
    label(
        axes,
        0,
        1.03,
        wrapped(named(one.name, language), room, lines=1),
        language,
        color=colour("ink"),
        weight="bold",
        **style,
    )
    if last is not None:
        annotate(axes, 1, 1.03, last, language, text=number, ha="right", color=text_colour(one.role), **style)


# ---------------------------------------------------------------- heatmap

ROW_HEIGHT = 19.0  # points


def heatmap(
    rows: Sequence[tuple[str, Name]],
    columns: Sequence[tuple[str, Name]],
    cells: Mapping[tuple[str, str], Fact],
    *,
    by: Text,
    centre: float | None = None,
    span: tuple[float, float] | None = None,
    numbers: bool = True,
    places: int | None = None,
    beside: tuple[Name, Mapping[str, Fact]] | None = None,
    in_words: Mapping[str, Name] | None = None,
) -> Drawing:
    """A grid of facts, darker for more. A pair without a fact is blank: an immature cohort is not a zero.

    ``rows`` and ``columns`` are (key, name). Colour runs over ``span`` (in the unit of the facts), from the least to the most
    fact when left out. With ``centre`` (in the unit of the facts) values above take the ``focus`` colour and
    values below the ``actual`` one. Darkness is drawn as opacity of one colour, so that light and dark pages read the same.
    ``beside`` is a column at the right, outside the colours: what each row is expected to come to, with its interval.
    ``in_words`` names columns by key as a sentence does, where their heads are bare numbers.
    """
    facts = list(cells.values())
    head_beside, ends = beside or ("", {})
    unit = one_unit(facts, "heatmap")
    for row, column in cells:
        if row not in dict(rows) or column not in dict(columns):
            raise ParameterError(f"heatmap: cell ({row}, {column}) has no such row or column.")

    def draw(figure: Figure, language: Language) -> None:
        import numpy as np
        import seaborn

        axes = figure.add_subplot()
        scale = axis_scale(facts, unit, language)
        grid = np.full((len(rows), len(columns)), np.nan)
        for i, (row, _) in enumerate(rows):
            for j, (column, _) in enumerate(columns):
                if (row, column) in cells:
                    grid[i, j] = shown(cells[row, column].value, unit, scale)
        low, high, middle = _heat_range(
            grid,
            span and (shown(span[0], unit, scale), shown(span[1], unit, scale)),
            None if centre is None else shown(centre, unit, scale),
        )
        # every colour of the map is one hex with its own opacity
        seaborn.heatmap(
            grid,
            ax=axes,
            cmap=_opacity_map(middle is not None),
            vmin=low,
            vmax=high,
            cbar=False,
            linewidths=1.0,
            linecolor=colour("paper"),
            xticklabels=False,
            yticklabels=False,
        )
        names = [wrapped(named(name, language), 120) for _, name in rows]
        left = max(text_width(name) for name in names) + 8
        head = [wrapped(named(name, language), 60) for _, name in columns]
        expected = {
            key: _estimate_text(fact, unit, scale, language, places=places) for key, fact in ends.items()
        }
        right = 4.0
        if expected:
            right += 8 + max(map(text_width, [*expected.values(), named(head_beside, language)]))
        place(figure, left=left, right=right, top=30 if any("\n" in name for name in head) else 20, bottom=8)
        axes.set_yticks([i + 0.5 for i in range(len(rows))], labels=names, rotation=0)
        axes.set_xticks(
            [j + 0.5 for j in range(len(columns))],
            labels=_thinned(head, figure.get_size_inches()[0] * 72 - left - right),
            rotation=0,
        )
        axes.xaxis.tick_top()
        axes.tick_params(axis="both", labelcolor=colour("ink"), length=0)
        axes.spines[:].set_visible(False)
        if numbers:
            _heat_numbers(
                axes, rows, columns, cells, grid, (low, high, middle), unit, scale, language, places
            )
        if expected:
            _heat_beside(
                axes, named(head_beside, language), [row for row, _ in rows], ends, expected, language
            )

    return Drawing(
        draw=draw,
        data=_heat_table(rows, columns, cells, by=by, beside=beside),
        size=(WIDTH, (len(rows) * ROW_HEIGHT + 44) / 72),
        doubt=_widest_cell(dict(rows), dict(columns) | dict(in_words or {}), cells),
    )


def _widest_cell(
    rows: Mapping[str, Name], columns: Mapping[str, Name], cells: Mapping[tuple[str, str], Fact]
) -> Sentence | None:
    """A cell has no room for its interval: the widest is said, the others stand in the data of the chart."""
    widths = {
        key: fact.interval.high - fact.interval.low
        for key, fact in cells.items()
        if fact.interval is not None and fact.value is not None
    }
    if not widths:
        return None
    row, column = widest = max(widths, key=lambda key: widths[key])
    return Sentence(
        "Widest interval of a coloured cell: {row} at {column}, {cell}{cell:doubt}; those of all cells stand in the data of the chart.",
        {"row": as_text(rows[row]), "column": as_text(columns[column]), "cell": cells[widest]},
    )


def _heat_beside(
    axes: Axes,
    head: str,
    rows: Sequence[str],
    ends: Mapping[str, Fact],
    texts: Mapping[str, str],
    language: Language,
) -> None:
    """The estimates of the rows, flush right of the grid, under their own head."""
    gap, above = 8 / _width_points(axes), 3.5 / ROW_HEIGHT
    label(
        axes,
        1 + gap,
        -above,
        head,
        language,
        transform=axes.get_yaxis_transform(),
        va="bottom",
        color=colour("ink"),
    )  # in rows, as the axis counts them from the top: as far above the grid as the names of the columns
    for index, row in enumerate(rows):
        if row in ends:
            tint = "muted" if ends[row].value is None else "ink"
            annotate(
                axes,
                1 + gap,
                index + 0.5,
                ends[row],
                language,
                text=texts[row],
                va="center",
                transform=axes.get_yaxis_transform(),
                color=colour(tint),
            )


def _thinned(names: Sequence[str], width: float) -> list[str]:
    """Every n-th name when all would overlap."""
    per = width / max(len(names), 1)
    widest = max((text_width(name) for name in names), default=0.0) + 4
    step = max(1, math.ceil(widest / per))
    return [name if index % step == 0 else "" for index, name in enumerate(names)]


def _heat_range(
    grid: np.ndarray, span: tuple[float, float] | None, middle: float | None
) -> tuple[float, float, float | None]:
    """Where the colour begins and ends, and its middle when it has one."""
    known = [float(value) for value in grid.ravel() if math.isfinite(value)]
    low, high = span or ((min(known), max(known)) if known else (0.0, 1.0))
    if middle is not None:
        reach = max(high - middle, middle - low) or 1.0
        return middle - reach, middle + reach, middle
    return low, high if high > low else low + 1.0, None


FAINT, STRONG = 0.06, 0.92


def _opacity_map(diverging: bool) -> object:
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    high = to_rgb(colour("focus" if diverging else "actual"))
    low = to_rgb(colour("actual"))
    if not diverging:
        return LinearSegmentedColormap.from_list("opacity", [(*high, FAINT), (*high, STRONG)], N=24)
    steps = 12
    colours = [(*low, STRONG - (STRONG - FAINT) * k / (steps - 1)) for k in range(steps)]
    colours += [(*high, FAINT + (STRONG - FAINT) * k / (steps - 1)) for k in range(steps)]
    from matplotlib.colors import ListedColormap

    return ListedColormap(colours)


def _heat_numbers(
    axes: Axes,
    rows: Sequence[tuple[str, Name]],
    columns: Sequence[tuple[str, Name]],
    cells: Mapping[tuple[str, str], Fact],
    grid: np.ndarray,
    limits: tuple[float, float, float | None],
    unit: Unit,
    scale: Scale,
    language: Language,
    places: int | None,
) -> None:
    """The number in each cell, pale on dark cells; left out altogether when the cells are too narrow."""
    texts = {
        key: cell_text(fact.value, unit, scale=scale, places=places) if fact.value is not None else NO_VALUE
        for key, fact in cells.items()
    }
    per_cell = axes.get_window_extent().width / axes.figure.dpi * 72 / max(len(columns), 1)
    size = TEXT_SIZE - 1
    if max((text_width(text, size) for text in texts.values()), default=0.0) + 2 > per_cell:
        return
    for i, (row, _) in enumerate(rows):
        for j, (column, _) in enumerate(columns):
            fact = cells.get((row, column))
            if fact is None:
                continue
            tint = "muted" if fact.value is None else _heat_words(grid[i, j], limits)
            annotate(
                axes,
                j + 0.5,
                i + 0.5,
                fact,
                language,
                text=texts[row, column],
                ha="center",
                va="center",
                fontsize=size,
                color=colour(tint),
            )


def _heat_words(value: float, limits: tuple[float, float, float | None]) -> str:
    """Ink or paper, whichever reads better on this cell's colour."""
    low, high, middle = limits
    if middle is None:
        fill, strength = "actual", (value - low) / (high - low)
    else:
        fill, strength = "focus" if value >= middle else "actual", abs(value - middle) / (high - middle)
    return readable_role(fill, FAINT + (STRONG - FAINT) * min(max(strength, 0.0), 1.0))


def _heat_table(
    rows: Sequence[tuple[str, Name]],
    columns: Sequence[tuple[str, Name]],
    cells: Mapping[tuple[str, str], Fact],
    *,
    by: Text,
    beside: tuple[Name, Mapping[str, Fact]] | None = None,
) -> tuple[list[Column], list[Row]]:
    heads = [Column(key="row", label=by)] + [
        Column(
            key=f"c_{key}",
            label=as_text(name),
            show="estimate"
            if any(at == key and fact.interval for (_, at), fact in cells.items())
            else "value",
        )
        for key, name in columns
    ]
    head_beside, ends = beside or ("", {})
    if beside:
        heads += [
            Column(
                key="beside",
                label=as_text(head_beside),
                show="estimate" if any(fact.interval for fact in ends.values()) else "value",
            )
        ]
    body = []
    for key, name in rows:
        line: dict[str, Cell] = {"row": as_text(name)}
        line |= {f"c_{column}": cells.get((key, column)) for column, _ in columns}
        if beside:
            line["beside"] = ends.get(key)
        body.append(Row(cells=line))
    return heads, body


# ---------------------------------------------------------------- dots with intervals


def dot_interval(
    items: Sequence[Item],
    *,
    measure: Text,
    by: Text,
    reference: float | None = None,
    log: bool = False,
    beside: tuple[Text, Sequence[Fact | None]] | None = None,
) -> Drawing:
    """Estimates as dots on their intervals (a forest plot), the numbers in a column at the right.

    ``reference`` is the value of no effect (1 for a ratio, 0 for a difference), a line and an axis tick. ``log`` for ratios.
    ``beside`` names another estimate of the same things, one per item: a grey ring on the row (the subtitle says what it is), and a column of the table behind the chart.
    """
    unit = one_unit([item.fact for item in items], "dot_interval")

    def draw(figure: Figure, language: Language) -> None:
        axes = figure.add_subplot()
        facts = [item.fact for item in items]
        scale = axis_scale(facts, unit, language)
        left = row_names(axes, [item.name for item in items], language)
        # what may be none is a difference, and carries its sign as in its title
        texts = [_estimate_text(fact, unit, scale, language, signed=reference == 0) for fact in facts]
        right = max(text_width(text) for text in texts) + 12
        place(figure, left=left, right=right, top=6, bottom=28)
        if log:
            axes.set_xscale("log")
        if reference is not None:
            axes.axvline(shown(reference, unit, scale), color=colour("ink"), linewidth=0.9)
        for row, item in enumerate(items):
            _dot(axes, row, item, unit, scale)
        for row, other in enumerate(beside[1] if beside else ()):
            if other is not None and other.value is not None:
                axes.plot(
                    [shown(other.value, unit, scale)],
                    [row],
                    "o",
                    markerfacecolor="none",
                    markeredgecolor=colour("muted"),
                    markersize=6,
                )
        along = Text.filled("{measure}, log scale", measure=measure) if log else measure
        value_axis(axes, "x", name=axis_name(along, unit, scale, language))
        if log:
            _log_ticks(axes)
        for row, (fact, text) in enumerate(zip(facts, texts, strict=True)):
            tint = "muted" if fact.value is None else "ink"
            annotate(
                axes,
                1 + 8 / _width_points(axes),
                row,
                fact,
                language,
                text=text,
                va="center",
                transform=axes.get_yaxis_transform(),
                color=colour(tint),
            )

    return Drawing(
        draw=draw,
        data=items_table(items, by=by, measure=measure, beside=beside),
        size=(WIDTH, rows_height([item.name for item in items], extra=34)),
    )


def _width_points(axes: Axes) -> float:
    return float(axes.get_window_extent().width / axes.figure.dpi * 72)


def _estimate_text(
    fact: Fact,
    unit: Unit,
    scale: Scale,
    language: Language,
    *,
    signed: bool = False,
    places: int | None = None,
) -> str:
    if fact.value is None:
        assert fact.reason is not None
        return fact.reason[language]
    number = mark_text(fact, unit, scale, signed=signed, places=places)
    return (
        f"{number}  ({interval_cell(fact, factor=scale.factor, places=places)})" if fact.interval else number
    )


def _dot(axes: Axes, row: int, item: Item, unit: Unit, scale: Scale) -> None:
    fact = item.fact
    if fact.value is None:
        return
    if fact.interval:
        axes.hlines(
            row,
            shown(fact.interval.low, unit, scale),
            shown(fact.interval.high, unit, scale),
            color=colour(item.role),
            linewidth=1.6,
            alpha=0.55,
        )
    axes.plot([shown(fact.value, unit, scale)], [row], "o", color=colour(item.role), markersize=5)


LOG_STEPS = ((1.0,), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
LOG_TICKS = 4


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers on a logarithmic axis: as few steps per decade as give four of them, over a short range evenly spaced ones."""
    from matplotlib.ticker import MaxNLocator

    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    for steps in LOG_STEPS:
        every = [round(step * 10.0**decade, 10) for decade in decades for step in steps]
        found = [tick for tick in every if low <= tick <= high]
        if len(found) >= LOG_TICKS:
            return found
    even = MaxNLocator(nbins=8, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [round(float(tick), 10) for tick in even if low <= tick <= high]


def _log_ticks(axes: Axes) -> None:
    """Plain numbers on a logarithmic axis."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(FixedLocator(log_ticks(low, high)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(tick_text))
    axes.set_xlim(low, high)
