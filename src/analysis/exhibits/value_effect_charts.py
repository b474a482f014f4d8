"""Drawings of the second half of the value section: causal diagrams, overlap by arm, tornado."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from analysis.exhibits import specification
from analysis.exhibits.charts.labels import wrapped
from analysis.exhibits.charts.parts import mark_text, row_names, rows_height
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
    value_axis,
    words,
)
from analysis.exhibits.vocabulary import phrase
from analysis.locale import Language, Text
from analysis.periods import Month
from analysis.results import Fact
from analysis.value.diagram import Diagram

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAND = 112.0  # points a diagram takes
#: Points that the text of a box may be wide, and its lines at most: what the treatments of a company are called must fit.
ROOM = {"causes": 140.0, "treatments": 150.0, "outcome": 88.0, "mediators": 230.0}
LINES = 4
BOXED = TEXT_SIZE - 1  # points of the text in a box
PAD = 0.3  # em between the text of a box and its line
LINE = 1.26  # em that a line of a box takes as it is drawn, with a line spacing of 1.25


def causal_diagrams(diagrams: Sequence[Diagram]) -> Drawing:
    """One band a family: common causes at the left, treatment and outcome on one line, mediators dashed between them."""

    def draw(figure: Figure, language: Language) -> None:
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        width = WIDTH * 72
        axes.set_xlim(0, width)
        axes.set_ylim(BAND * len(diagrams), 0)
        for index, one in enumerate(diagrams):
            _diagram(axes, one, BAND * index, width, language)

    rows = [
        {"family": one.name, "part": part, "node": node}
        for one in diagrams
        for part, nodes in (
            (Text.of("treatment"), one.treatments),
            (Text.of("allowed for"), one.causes),
            (Text.of("left out: lies between"), one.mediators),
        )
        for node in nodes
    ]
    columns = [
        specification.words("family", "Family"),
        specification.words("part", "Role"),
        specification.words("node", "What"),
    ]
    size = (WIDTH, BAND * len(diagrams) / 72)
    return Drawing(draw=draw, data=specification.data_of(columns, rows), size=size)


def _diagram(axes: Axes, one: Diagram, top: float, width: float, language: Language) -> None:
    label(
        axes,
        4,
        top + 11,
        one.name,
        language,
        va="center",
        ha="left",
        weight="bold",
        color=colour("ink"),
        fontsize=TEXT_SIZE,
    )
    line = top + 80  # that of treatment and outcome
    causes = _box(axes, (78, top + 64), "causes", Text.joined(one.causes, zh="，"), language, "context")
    treated = _box(axes, (252, line), "treatments", Text.joined(one.treatments, zh="，"), language, "focus")
    results = Text.of("buys again, stays, margin")
    outcome = _box(axes, (width - 50, line), "outcome", results, language, "actual")
    between = _box(
        axes,
        ((252 + width - 50) / 2, top + 24),
        "mediators",
        Text.joined(one.mediators, zh="，"),
        language,
        "expected",
        dashed=True,
    )
    _arrow(axes, (causes.right, top + 68), (treated.left, line), "context")
    _arrow(axes, (treated.right, line), (outcome.left, line), "focus")
    above, beside = _link(between, treated, at="left")
    _arrow(axes, beside, above, "expected", dashed=True)
    _arrow(axes, *_link(between, outcome, at="right"), "expected", dashed=True)
    _arrow(axes, (causes.right, causes.top + 8), (outcome.left + 4, outcome.top), "context", bend=-0.10)
    axes.hlines(top + BAND - 1, 4, width - 4, color=colour("rule"), linewidth=0.6)


class _Box(NamedTuple):
    """Where a box was drawn, in points; down is more."""

    left: float
    right: float
    top: float
    bottom: float


Point = tuple[float, float]
LEAST_SHARED = 16.0  # points that two boxes must share for an arrow straight down


def _link(upper: _Box, lower: _Box, *, at: Literal["left", "right"]) -> tuple[Point, Point]:
    """The ends of an arrow between two boxes, on the edge of each: straight down where one stands over the other, else from the upper one's side to the middle of the lower one."""
    left, right = max(upper.left, lower.left), min(upper.right, lower.right)
    if right - left >= LEAST_SHARED:
        middle = (left + right) / 2
        return (middle, upper.bottom), (middle, lower.top)
    side = upper.left if at == "left" else upper.right
    return (side, (upper.top + upper.bottom) / 2), ((lower.left + lower.right) / 2, lower.top)


def _box(
    axes: Axes,
    centre: tuple[float, float],
    part: str,
    text: Text,
    language: Language,
    role: str,
    *,
    dashed: bool = False,
) -> _Box:
    """A box around wrapped text, as large as it is drawn."""
    size = BOXED
    lines = wrapped(text[language], ROOM[part], size=size, lines=LINES)
    frame = {
        "boxstyle": f"round,pad={PAD}",
        "facecolor": colour("paper"),
        "edgecolor": colour(role),
        "linewidth": 1.0,
        "linestyle": (0, (3, 2)) if dashed else "solid",
    }
    label(
        axes,
        *centre,
        lines,
        language,
        va="center",
        ha="center",
        color=colour("muted" if dashed else "ink"),
        fontsize=size,
        linespacing=1.25,
        bbox=frame,
        zorder=3,
    )
    half = text_width(lines, size) / 2 + PAD * size
    high = (lines.count("\n") + 1) * LINE * size / 2 + PAD * size
    return _Box(centre[0] - half, centre[0] + half, centre[1] - high, centre[1] + high)


def _arrow(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    role: str,
    *,
    dashed: bool = False,
    bend: float = 0.0,
) -> None:
    style = {
        "arrowstyle": "-|>",
        "color": colour(role),
        "linewidth": 1.0,
        "shrinkA": 0,
        "shrinkB": 0,
        "linestyle": (0, (3, 2)) if dashed else "solid",
        "connectionstyle": f"arc3,rad={bend}",
    }
    axes.annotate("", xy=end, xytext=start, arrowprops=style, zorder=2)


def overlap_panels(panels: Sequence[tuple[Text, Sequence[tuple[float, float, Fact, Fact]]]]) -> Drawing:
    """One panel a treatment: shares of the cases gone wrong (up) and of the others (down) by their chance of going wrong."""
    across = 4
    down = -(-len(panels) // across)

    def draw(figure: Figure, language: Language) -> None:
        grid = figure.subplots(down, across, squeeze=False)
        place(figure, left=8, right=8, top=40, bottom=22, hspace=0.75, wspace=0.12)
        for index, axes in enumerate(grid.ravel()):
            if index >= len(panels):
                axes.set_axis_off()
                continue
            _panel(axes, *panels[index], language, named=index == 0)

    share = "service_case_share_by_propensity"
    columns = [
        specification.words("treatment", "Treatment"),
        specification.words("chance", "Chance"),
        specification.metric(share, of="wrong", head="Gone wrong", slice={"arm": "exposed"}),
        specification.metric(share, of="others", head="Others", slice={"arm": "others"}),
    ]
    rows = [
        {
            "treatment": name,
            "chance": phrase("{low} to {high}", low=f"{low:.0%}", high=f"{high:.0%}"),
            "wrong": wrong,
            "others": others,
        }
        for name, bins in panels
        for low, high, wrong, others in bins
    ]
    data = specification.data_of(columns, rows, by=("bin", "treatment"))
    return Drawing(draw=draw, data=data, size=(WIDTH, (down * 96 + 34) / 72))


def _panel(
    axes: Axes,
    name: Text,
    bins: Sequence[tuple[float, float, Fact, Fact]],
    language: Language,
    *,
    named: bool,
) -> None:
    wrong, others = (
        [float(fact.value or 0) for fact in facts]
        for facts in ([row[2] for row in bins], [row[3] for row in bins])
    )
    for heights, sign, role in ((wrong, 1, "focus"), (others, -1, "actual")):
        axes.bar(
            [(low + high) / 2 for low, high, *_ in bins],
            [sign * height for height in heights],
            width=0.094,
            color=colour(role),
            linewidth=0,
        )
    axes.axhline(0, color=colour("ink"), linewidth=0.6)
    axes.set_xlim(0, 1)
    axes.set_ylim(-1.05, 1.05)
    axes.set_yticks([])
    axes.set_xticks([0, 0.5, 1.0], labels=["0%", "50%", "100%"])
    # the ends point inwards, or they would run into the panel beside
    first, *_, last = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    axes.spines[:].set_visible(False)
    label(
        axes,
        0,
        1.10,
        wrapped(name[language], 92, lines=3),
        language,
        transform=axes.transAxes,
        va="bottom",
        ha="left",
        color=colour("ink"),
        weight="bold",
        fontsize=TEXT_SIZE,
    )
    if not named:  # once is enough
        return
    words(
        axes,
        1.0,
        0.96,
        "gone wrong",
        language,
        transform=axes.transAxes,
        va="top",
        ha="right",
        color=colour("focus"),
        fontsize=TEXT_SIZE - 1,
    )
    words(
        axes,
        1.0,
        0.04,
        "others",
        language,
        transform=axes.transAxes,
        va="bottom",
        ha="right",
        color=colour("actual"),
        fontsize=TEXT_SIZE - 1,
    )


def cumulated_fan(
    start: Fact,
    points: Sequence[tuple[Month, Fact, Fact]],
    *,
    first: Month,
    measure: Text,
    alike: Sequence[Fact] = (),
) -> Drawing:
    """Cumulated value by month of a programme: line, narrow and wide interval, with the last value beside it.

    ``alike`` : facts of the same unit with which the axis shares its scale of money.
    """
    facts = [start, *(fact for _, narrow, wide in points for fact in (narrow, wide))]
    unit = one_unit(facts, "cumulated_fan")

    def draw(figure: Figure, language: Language) -> None:
        axes = figure.add_subplot()
        scale = axis_scale([*facts, *alike], unit, language, intervals=True)
        last = points[-1][1]
        number = mark_text(last, unit, scale)
        left, right, gap = 42.0, text_width(number, bold=True) + 18, 7.0
        place(figure, left=left, right=right, top=24, bottom=30)
        months = [
            0.0,
            *(float(12 * (month.year - first.year) + month.number - first.number) for month, _, _ in points),
        ]
        axes.set_xlim(0, months[-1])
        for which, alpha in ((1, 0.16), (0, 0.24)):
            edges = [pair[which].interval for pair in ((narrow, wide) for _, narrow, wide in points)]
            low = [0.0, *(shown(edge.low, unit, scale) for edge in edges if edge)]
            high = [0.0, *(shown(edge.high, unit, scale) for edge in edges if edge)]
            axes.fill_between(months, low, high, color=colour("focus"), alpha=alpha, linewidth=0)
        axes.plot(
            months,
            [0.0, *(shown(narrow.value, unit, scale) for _, narrow, _ in points)],
            color=colour("focus"),
            linewidth=1.6,
        )
        axes.axhline(0, color=colour("ink"), linewidth=0.9)
        value_axis(axes, "y", name=axis_name(measure, unit, scale, language))
        axes.set_xticks([month for month in months if month % 6 == 0])
        axes.set_xlabel(Text.of("Months since the start")[language], loc="right", labelpad=3)
        annotate(
            axes,
            1.0 + gap / (WIDTH * 72 - left - right),
            shown(last.value, unit, scale),
            last,
            language,
            text=number,
            transform=axes.get_yaxis_transform(),
            va="center",
            ha="left",
            color=colour("focus"),
            weight="bold",
        )

    value, interval = specification.metric, specification.interval
    columns = [
        specification.words("month", "Month"),
        value("what_if_cumulated", of="value", head=measure),
        interval("what_if_cumulated", of="narrow", head="Four in five", key="narrow"),
        interval("what_if_cumulated", of="wide", head="Nineteen in twenty", key="wide"),
    ]
    rows = [
        {"month": first, "value": start},
        *({"month": month, "value": one, "narrow": one, "wide": wide} for month, one, wide in points),
    ]
    data = specification.data_of(columns, rows, by=("after", "scenario"))
    return Drawing(draw=draw, data=data, size=(WIDTH, 2.6))


#: Points that the name of an input may take: it says what rises, and when.
ROW_NAMES = 210.0


def tornado(
    rows: Sequence[tuple[Text, Fact, Fact]],
    centre: Fact,
    *,
    measure: Text,
    by: Text,
    alike: Sequence[Fact] = (),
) -> Drawing:
    """Bars from the value at an input's tenth to the one at its ninetieth percentile, around the central value; the widest first.

    The numbers stand in columns of their own, left and right of the axis. ``alike`` : facts of the same unit with which the axis shares its scale of money.
    """
    unit = one_unit([fact for _, low, high in rows for fact in (low, high)] + [centre], "tornado")
    names = [name for name, _, _ in rows]

    def draw(figure: Figure, language: Language) -> None:
        axes = figure.add_subplot()
        facts = [fact for _, low, high in rows for fact in (low, high)] + [centre]
        scale = axis_scale([*facts, *alike], unit, language)
        gap = 8.0
        lows, highs = (
            max(text_width(mark_text(fact, unit, scale)) for fact in side) + gap
            for side in ([low for _, low, _ in rows], [high for _, _, high in rows])
        )
        left, right = row_names(axes, names, language, width=ROW_NAMES) + lows + gap, highs + gap
        axes.tick_params(axis="y", pad=lows + gap)
        place(figure, left=left, right=right, top=20, bottom=28)
        beside = gap / (WIDTH * 72 - left - right)
        values = [shown(fact.value, unit, scale) for fact in facts]
        spread = (max(values) - min(values)) or 1.0
        axes.set_xlim(min(values) - 0.16 * spread, max(values) + 0.16 * spread)
        middle = shown(centre.value, unit, scale)
        for row, (_, low, high) in enumerate(rows):
            a, b = shown(low.value, unit, scale), shown(high.value, unit, scale)
            axes.barh(row, a - middle, left=middle, height=0.56, color=colour("context"))
            axes.barh(row, b - middle, left=middle, height=0.56, color=colour("actual"))
            for fact, x in ((low, a), (high, b)):
                # as in a table: beside short bars the numbers would stand on the line of zero
                before = x < middle
                annotate(
                    axes,
                    -beside if before else 1.0 + beside,
                    row,
                    fact,
                    language,
                    text=mark_text(fact, unit, scale),
                    transform=axes.get_yaxis_transform(),
                    va="center",
                    ha="right" if before else "left",
                    color=colour("ink"),
                    fontsize=TEXT_SIZE - 0.5,
                )
        low_x, high_x = axes.get_xlim()
        crossed = low_x < 0 < high_x
        if crossed:
            axes.axvline(0, color=colour("bad"), linewidth=0.9, linestyle=(0, (4, 3)))
        axes.axvline(middle, color=colour("ink"), linewidth=0.9)
        value_axis(axes, "x", name=axis_name(measure, unit, scale, language))
        where = (middle - low_x) / (high_x - low_x)
        words(
            axes,
            where,
            1.02,
            "low end of the input (pale), high end (dark); dashed: zero"
            if crossed
            else "low end of the input (pale), high end (dark)",
            language,
            transform=axes.transAxes,
            va="bottom",
            ha="center" if 0.3 < where < 0.7 else "left" if where <= 0.3 else "right",
            color=colour("muted"),
            fontsize=TEXT_SIZE - 0.5,
        )

    value = specification.metric
    columns = [
        specification.words("input", by),
        value("what_if_swing", of="low", head="At the 10th percentile", slice={"end": "p10"}),
        value("what_if_swing", of="high", head="At the 90th percentile", slice={"end": "p90"}),
    ]
    lines = [{"input": name, "low": low, "high": high} for name, low, high in rows]
    data = specification.data_of(columns, lines, by=("input", "scenario"))
    return Drawing(draw=draw, data=data, size=(WIDTH, rows_height(names, extra=52)))
