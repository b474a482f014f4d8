"""Charts: nothing overlaps, nothing lies about zero, every number drawn agrees with its fact."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape

import exhibit_gallery as gallery
import matplotlib
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.errors import ParameterError
from analysis.exhibits import charts, style
from analysis.exhibits.charts import Item, Series
from analysis.exhibits.charts.grids import log_ticks
from analysis.exhibits.charts.labels import overlaps
from analysis.exhibits.style import Drawing, colour, rc_params, render
from analysis.locale import LANGUAGES, Language, Text
from analysis.periods import Month
from analysis.report.shown import shows
from analysis.results import Fact, Interval

DRAWINGS = gallery.drawings()
OCTOBER = Month(2026, 10)
COST, BY = Text("Cost", "成本"), Text("Part", "部件")


def drawn(drawing: Drawing, language: Language = "en") -> Figure:
    with matplotlib.rc_context():
        matplotlib.rcParams.update(dict(rc_params()))
        figure = Figure(figsize=drawing.size)
        drawing.draw(figure, language)
        figure.draw_without_rendering()
    return figure


def bars(axes: Axes) -> list[tuple[float, float]]:
    return [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", DRAWINGS)
def test_no_text_overlaps_or_leaves_the_figure(name: str, language: Language) -> None:
    with matplotlib.rc_context():
        matplotlib.rcParams.update(dict(rc_params()))
        figure = Figure(figsize=DRAWINGS[name].size)
        DRAWINGS[name].draw(figure, language)
        assert overlaps(figure) == []


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_number_drawn_agrees_with_its_fact(name: str) -> None:
    picture = render(DRAWINGS[name], name)
    known = {fact.id: fact.as_json() for fact in picture.facts}
    for language, svg in picture.svg.items():
        marked = re.findall(r'data-fact="([^"]+)">\s*<text[^>]*>([^<]*)<', svg)
        assert marked or name == "heatmap_thin"
        for identity, text in marked:
            fact = known[unescape(identity)]
            # an estimate beside its interval is two texts of one fact
            parts = re.split(r"  \(| – |\)", unescape(text))
            assert all(shows(part, fact, language) for part in parts if part), (text, fact)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_table_of_a_chart_holds_every_number_of_the_drawing(name: str) -> None:
    columns, rows = DRAWINGS[name].data
    listed = {cell.id for row in rows for cell in row.cells.values() if isinstance(cell, Fact)}
    extra = {fact.id for fact in render(DRAWINGS[name], name).facts} - listed
    # lines that mark a level of their own (a target, a median) stand in the drawing only
    assert len(extra) <= 2
    assert len(columns) >= 2


# ---------------------------------------------------------------- bars


def item(name: str, value: str | float | None, *, interval: Interval | None = None) -> Item:
    if value is None:
        return Item(
            name=name,
            fact=gallery.without_value("cost", "2026-10", "CNY", "ledger", dimensions={"part": name}),
        )
    number = Decimal(value) if isinstance(value, str) else value
    return Item(
        name=name,
        fact=Fact(
            metric="cost",
            period="2026-10",
            unit="CNY",
            value=number,
            dimensions={"part": name},
            interval=interval,
        ),
    )


def test_bars_start_at_zero_the_largest_first_and_a_missing_one_says_why() -> None:
    spread_of_b = Interval(low=400.0, high=900.0, level=0.95, method="bootstrap")
    drawing = charts.ranked_bars(
        [item("a", "300"), item("none", None), item("b", 600.0, interval=spread_of_b)], measure=COST, by=BY
    )
    (axes,) = drawn(drawing).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a", "none"]
    assert bars(axes) == [(0, 600), (0, 300), (0, 0)]
    assert axes.get_xlim()[0] == 0
    assert axes.get_xlim()[1] > 900  # the whisker fits
    assert "not computed: needs ledger" in {text.get_text() for text in axes.texts}


def test_negative_bars_go_left_of_zero_with_room_for_their_number() -> None:
    (axes,) = drawn(charts.ranked_bars([item("a", "300"), item("b", "-200")], measure=COST, by=BY)).axes
    assert bars(axes)[1] == (0, -200)
    assert axes.get_xlim()[0] < -200


def test_each_step_of_a_bridge_begins_where_the_last_one_ended() -> None:
    drawing = charts.waterfall(
        item("old", "100"), [item("up", "60"), item("down", "-90")], item("new", "70"), measure=COST, by=BY
    )
    (axes,) = drawn(drawing).axes
    assert bars(axes) == [(0, 100), (100, 160), (160, 70), (0, 70)]
    fills = [matplotlib.colors.to_hex(patch.get_facecolor()) for patch in axes.patches]
    assert fills == [colour(role) for role in ("actual", "bad", "good", "actual")]


def test_totals_on_a_cut_axis_are_marks_never_bars() -> None:
    drawing = charts.waterfall(
        item("old", "10000"),
        [item("up", "60"), item("down", "-90")],
        item("new", "9970"),
        measure=COST,
        by=BY,
    )
    (axes,) = drawn(drawing).axes
    assert bars(axes) == [(10000, 10060), (10060, 9970)]
    assert axes.get_xlim()[0] > 9000
    assert sum(line.get_marker() == "D" for line in axes.lines) == 2


def test_a_bridge_that_misses_a_cent_is_refused() -> None:
    with pytest.raises(ParameterError, match="start and steps miss the end by 0.01"):
        charts.waterfall(
            item("old", "100.00"), [item("up", "60.01")], item("new", "160.00"), measure=COST, by=BY
        )
    with pytest.raises(ParameterError, match="has no value; a bridge needs every step"):
        charts.waterfall(item("old", "100"), [item("up", None)], item("new", "100"), measure=COST, by=BY)


def test_a_waterfall_of_credits_lies_within_its_frame():
    drawing = charts.waterfall(
        item("old", "-900"), [item("up", "100")], item("new", "-800"), measure=COST, by=BY
    )
    (axes,) = drawn(drawing).axes
    low, high = axes.get_xlim()
    assert low < -900 and high > 0
    assert all(low <= edge <= high for bar in bars(axes) for edge in bar)


def test_a_chart_has_one_unit() -> None:
    share = Item(name="s", fact=Fact(metric="s", period="2026-10", unit="share", value=0.1))
    with pytest.raises(ParameterError, match=r"facts in \['CNY', 'share'\]; one axis shows one unit"):
        charts.ranked_bars([item("a", "1"), share], measure=COST, by=BY)


def test_pareto_needs_a_rising_share_for_each_item() -> None:
    def share(value, i):
        return Fact(metric="c", period="2026-10", unit="share", value=value, dimensions={"i": str(i)})

    with pytest.raises(ParameterError, match="2 items but 1 cumulative"):
        charts.pareto([item("a", "2"), item("b", "1")], [share(0.6, 0)], measure=COST, by=BY)
    with pytest.raises(ParameterError, match="cumulative shares fall"):
        charts.pareto([item("a", "2"), item("b", "1")], [share(0.6, 0), share(0.5, 1)], measure=COST, by=BY)


def test_classes_of_a_histogram_may_not_overlap() -> None:
    count = Fact(metric="n", period="2026-10", unit="tickets", value=3)
    with pytest.raises(ParameterError, match="classes overlap at 3"):
        charts.histogram([(0, 4, count), (3, 8, count)], measure=COST, across=BY, across_unit="hours")


# ---------------------------------------------------------------- over months


def monthly(name: str, *values: float | None, last: Month = OCTOBER, metric: str = "cost") -> Series:
    points = []
    for offset, value in enumerate(values):
        month = last - (len(values) - 1 - offset)
        fact = (
            Fact(metric=metric, period=str(month), unit="CNY", value=value, dimensions={"part": name})
            if value is not None
            else gallery.without_value(metric, str(month), "CNY", "ledger", dimensions={"part": name})
        )
        points.append((month, fact))
    return Series(name=name, points=points)


def test_stacked_bars_pile_up_and_recoveries_hang_below_zero() -> None:
    (axes,) = drawn(
        charts.composition(
            [monthly("a", 10.0, 20.0), monthly("b", 5.0, 1.0), monthly("r", -4.0, -3.0)], measure=COST
        )
    ).axes
    boxes = [(round(patch.get_y(), 9), round(patch.get_height(), 9)) for patch in axes.patches]
    assert boxes == [(0, 10), (0, 20), (10, 5), (20, 1), (0, -4), (0, -3)]


def test_a_missing_month_is_a_gap_in_the_line() -> None:
    (axes,) = drawn(charts.lines([monthly("a", 1.0, None, 3.0)], measure=COST)).axes
    heights = list(axes.lines[0].get_ydata())
    assert [heights[0], heights[2]] == [1.0, 3.0]
    assert heights[1] != heights[1]
    assert axes.get_ylim()[0] == 0


def test_the_last_month_is_always_named_and_years_once() -> None:
    (axes,) = drawn(charts.lines([monthly("a", *map(float, range(1, 31)))], measure=COST)).axes
    texts = [label.get_text().split("\n") for label in axes.get_xticklabels()]
    assert texts[-1][0] == "Oct"
    assert [line[1] for line in texts if line[1].strip()] == ["2024", "2025", "2026"]


def test_a_forecast_may_not_begin_before_history_ends() -> None:
    with pytest.raises(ParameterError, match="the forecast begins before the history ends"):
        charts.fan(
            monthly("h", 1.0, 2.0),
            monthly("f", 1.0, 2.0, last=Month(2026, 11), metric="forecast"),
            measure=COST,
        )


def test_a_signal_needs_a_point() -> None:
    line = monthly("a", 1.0, 2.0)
    with pytest.raises(ParameterError, match="a signal in 2026-01, where there is no point"):
        charts.control_chart(
            line, centre=line, lower=line, upper=line, measure=COST, signals=[Month(2026, 1)]
        )


def test_signals_are_the_study_s_and_marked_as_bad() -> None:
    (axes,) = drawn(DRAWINGS["control_chart"]).axes
    bad = [line for line in axes.lines if matplotlib.colors.to_hex(line.get_color()) == colour("bad")]
    assert [list(line.get_xdata()) for line in bad] == [[3]]


# ---------------------------------------------------------------- grids


def test_an_immature_cell_is_blank_in_drawing_and_table() -> None:
    drawing = DRAWINGS["heatmap"]
    columns, rows = drawing.data
    assert [sum(cell is None for cell in row.cells.values()) for row in rows] == list(range(8))
    (axes,) = drawn(drawing).axes
    assert len([text for text in axes.texts if text.get_gid()]) == 36


def test_a_heatmap_cell_outside_its_frame_is_refused() -> None:
    fact = Fact(metric="m", period="2026-10", unit="share", value=0.5)
    with pytest.raises(ParameterError, match=r"cell \(x, y\) has no such row or column"):
        charts.heatmap([("a", "A")], [("b", "B")], {("x", "y"): fact}, by=BY)


def test_a_forest_plot_draws_each_interval_and_the_line_of_no_effect() -> None:
    (axes,) = drawn(DRAWINGS["dot_interval"]).axes
    assert axes.get_xscale() == "log"
    segments = [
        tuple(segment[:, 0]) for collection in axes.collections for segment in collection.get_segments()
    ]  # type: ignore[attr-defined]
    assert segments[0] == pytest.approx((3.1 / 1.3, 3.1 * 1.35))
    assert any(list(line.get_xdata()) == [1.0, 1.0] for line in axes.lines)


def test_many_long_names_and_months_still_do_not_overlap() -> None:
    long = [
        Item(
            name=Text(
                f"A very long name of a part that wraps over lines {i}",
                f"名字很长需要换行的零部件名称第{i}号（旧版本）",
            ),
            fact=item(str(i), float(i)).fact,
        )
        for i in range(12)
    ]
    near = [monthly(f"Series number {i}", *[100.0 + 0.01 * i] * 40) for i in range(7)]
    for drawing in (
        charts.ranked_bars(long, measure=COST, by=BY),
        charts.lines(near, measure=COST),
        charts.composition(near, measure=COST),
    ):
        for language in LANGUAGES:
            with matplotlib.rc_context():
                matplotlib.rcParams.update(dict(rc_params()))
                figure = Figure(figsize=drawing.size)
                drawing.draw(figure, language)
                assert overlaps(figure) == []


@pytest.mark.parametrize("place", ["left", "right", "top", "bottom"])
def test_a_number_longer_than_its_margin_is_not_cut(place: str) -> None:
    """A minus sign went over the edge of a page once: -5,000,000 read as 5,000,000."""
    figures: list[Figure] = []

    def draw(figure: Figure, language: Language) -> None:
        axes = figure.add_subplot()
        style.place(figure, left=10, right=10, top=10, bottom=10)
        inside = {"left": (0, 0.5), "right": (1, 0.5), "top": (0.5, 1), "bottom": (0.5, 0)}[place]
        sides = {"left": ("right", "center"), "right": ("left", "center")}
        across, up = sides.get(place, ("center", "bottom" if place == "top" else "top"))
        axes.set_axis_off()
        style.label(
            axes,
            *inside,
            Text("\u22125,000,000\n\u22125,000,000", "\u22125,000,000\n\u22125,000,000"),
            language,
            transform=axes.transAxes,
            ha=across,
            va=up,
        )
        figures.append(figure)

    render(Drawing(draw=draw, data=([], []), size=(3.0, 2.0)), "long")
    for figure in figures:
        (text,) = [one for axes in figure.axes for one in axes.texts]
        box, (width, height) = text.get_window_extent(), figure.get_size_inches() * figure.dpi
        assert box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.85, 1.5), (0.6, 2.5), (0.7, 4.5), (0.98, 1.04), (0.1, 300.0), (0.01, 1e5), (1.2, 1.9)],
)
def test_a_logarithmic_axis_has_ticks_enough_to_be_read(low: float, high: float) -> None:
    ticks = log_ticks(low, high)
    assert 4 <= len(ticks) <= 10 and ticks == sorted(set(ticks))
    assert all(low <= tick <= high for tick in ticks)
    assert 1.0 in ticks or not low <= 1 <= high


def test_a_logarithmic_axis_says_that_it_is_one() -> None:
    items = [Item(name=Text("A", "甲"), fact=gallery.ratio(1.5))]
    for language, said in (("en", "log scale"), ("zh", "对数刻度")):
        for log in (True, False):
            drawing = charts.dot_interval(items, measure=COST, by=BY, reference=1.0, log=log)
            [axes] = drawn(drawing, language).axes
            assert (said in axes.get_xlabel()) == log


def test_a_curve_that_ends_early_says_at_which_step_and_is_led_to_its_name() -> None:
    def curve(name: str, last: int) -> charts.Curve:
        points = [(float(age), gallery.share(f"{name}{age}", 1 - age / 10)) for age in range(last + 1)]
        return charts.Curve(name=name, points=points)

    drawing = charts.survival(
        [curve("long", 7), curve("short", 3)],
        measure=COST,
        age=BY,
        age_unit="count",
        step=Text("quarter", "季度"),
    )
    for language, name in (("en", "short (to quarter 3)"), ("zh", "short（至第 3 季度）")):
        [axes] = drawn(drawing, language).axes
        assert name in [text.get_text() for text in axes.texts]
        assert [3.0, 7.0] in [list(line.get_xdata()) for line in axes.lines]


@pytest.mark.parametrize(
    ("first", "count", "width", "years"),
    [
        ("2023-12", 25, 370.0, ["2024", "2025"]),  # the one month of 2023 has no room beside 2024
        ("2023-12", 25, 800.0, ["2023", "2024", "2025"]),
        ("2024-01", 24, 370.0, ["2024", "2025"]),
        ("2023-12", 1, 370.0, ["2023"]),
        ("2018-12", 97, 370.0, [str(year) for year in range(2018, 2027)]),  # yearly names, each with its year
    ],
)
def test_years_under_months_stand_apart(first: str, count: int, width: float, years: list[str]):
    import matplotlib.pyplot as plt

    from analysis.exhibits.charts.parts import month_axis

    figure, axes = plt.subplots()
    begins = Month.parse(first)
    month_axis(axes, [begins + place for place in range(count)], "zh", width=width)
    texts = [label.get_text().split("\n")[1].strip() for label in axes.get_xticklabels()]
    plt.close(figure)
    assert [text.rstrip("年") for text in texts if text] == years
