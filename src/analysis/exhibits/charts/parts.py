"""What charts are made of: items and series of facts, and the pieces of drawing they share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import ParameterError
from analysis.exhibits.charts.labels import LINE_HEIGHT, spread, wrapped
from analysis.exhibits.style import TEXT_SIZE, annotate, colour, label, shown, text_colour, text_width
from analysis.exhibits.vocabulary import Cell, Column, Row
from analysis.formats import ONE, Scale, Unit, cell_text, short_month
from analysis.locale import LANGUAGES, Language, Text
from analysis.periods import Month
from analysis.results import Fact

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Name = Text | str
ROW, WRAPPED_ROW = (
    18.0,
    26.0,
)  # points from one row of a horizontal chart to the next; where a name takes two lines
NAMES = 150.0  # points that row names may take before they wrap


@dataclass(frozen=True, kw_only=True)
class Item:
    """One bar or dot: a name, its fact and the role that colours it."""

    name: Name
    fact: Fact
    role: str = "actual"


@dataclass(frozen=True, kw_only=True)
class Series:
    """One line: a name and its facts by month, oldest first; a fact without value leaves a gap."""

    name: Name
    points: Sequence[tuple[Month, Fact]]
    role: str = "actual"

    @property
    def facts(self) -> list[Fact]:
        return [fact for _, fact in self.points]


def named(name: Name, language: Language) -> str:
    return name[language] if isinstance(name, Text) else name


def as_text(name: Name) -> Text:
    return name if isinstance(name, Text) else Text.same(name)


def mark_text(
    fact: Fact, unit: Unit, scale: Scale, *, signed: bool = False, places: int | None = None
) -> str:
    """A number beside a mark, in the unit of the axis; only percent carries its sign."""
    assert fact.value is not None
    if places is None and unit.is_money and not unit.per and scale == ONE:
        places = 0
    text = cell_text(fact.value, unit, scale=scale, signed=signed, places=places)
    return f"{text}%" if unit.base in {"share", "chance"} else text


def value_label(
    axes: Axes,
    x: float,
    y: float,
    fact: Fact,
    unit: Unit,
    scale: Scale,
    language: Language,
    *,
    signed: bool = False,
    **options: Any,
) -> Any:
    """The fact beside its mark, or its reason in muted words where there is no number."""
    if fact.value is None:
        assert fact.reason is not None
        return annotate(
            axes, x, y, fact, language, text=fact.reason[language], color=colour("muted"), **options
        )
    return annotate(axes, x, y, fact, language, text=mark_text(fact, unit, scale, signed=signed), **options)


def rows_height(names: Sequence[Name], *, extra: float) -> float:
    """Height in inches of a horizontal chart with these rows; the same in both languages."""
    texts = [wrapped(named(name, language), NAMES) for name in names for language in LANGUAGES]
    return (len(names) * (WRAPPED_ROW if any("\n" in text for text in texts) else ROW) + extra) / 72


def row_names(axes: Axes, names: Sequence[Name], language: Language, *, width: float = NAMES) -> float:
    """Name the rows of a horizontal chart, top first, in lines of ``width`` points; gives the margin in points that they need."""
    texts = [wrapped(named(name, language), width) for name in names]
    axes.set_yticks(range(len(names)), labels=texts, linespacing=1.2, multialignment="right")
    axes.tick_params(axis="y", labelcolor=colour("ink"))
    axes.set_ylim(len(names) - 0.4, -0.6)
    return max((text_width(text) for text in texts), default=0.0) + 8


def month_axis(axes: Axes, months: Sequence[Month], language: Language, *, width: float) -> None:
    """Month names under positions 0, 1, 2 …, the last always; the year under each first month; as many as have room in ``width`` points."""
    if not months:
        raise ParameterError("a chart over months needs at least one month.")
    room = max(1, int(width // 26))
    step = next(size for size in (1, 2, 3, 6, 12, 24, 48) if len(months) / size <= room or size == 48)
    last = len(months) - 1
    picked = [index for index in range(len(months)) if (last - index) % step == 0]
    apart = width * step / len(months)
    texts, year = [], None
    for place, index in enumerate(picked):
        month = months[index]
        name, of_year = short_month(month, language)
        following = months[picked[place + 1]] if place + 1 < len(picked) else month
        # a year that begins with the next name leaves no room for that of one month before it
        crowded = (
            place == 0 and step < 12 and following.year != month.year and text_width(of_year) + 4 > apart
        )
        # a second line under every name keeps the names on one height
        texts.append(f"{name}\n " if month.year == year or crowded else f"{name}\n{of_year}")
        year = month.year
    axes.set_xticks(picked, labels=texts, linespacing=1.25)


def all_months(series: Iterable[Series]) -> list[Month]:
    """Every month from the first to the last that any series has."""
    from analysis.periods import months_between

    known = [month for one in series for month, _ in one.points]
    if not known:
        raise ParameterError("a chart over months needs at least one point.")
    return list(months_between(min(known), max(known)))


def end_labels(
    axes: Axes,
    ends: Sequence[tuple[Name, str, float, Fact | None]],
    unit: Unit,
    scale: Scale,
    language: Language,
    *,
    x: float,
    most: float,
    swatches: bool = False,
) -> None:
    """Names (and last values) to the right of lines, pushed apart. ``ends``: name, role, height, fact or None.

    ``swatches`` puts a square of the colour before words in ink, for areas; so has a line whose colour is too light for words.
    """
    figure = axes.figure
    to_points = axes.transData.transform
    box = axes.get_window_extent()
    points = figure.dpi / 72
    gap = TEXT_SIZE * LINE_HEIGHT
    wanted = [to_points((x, height))[1] / points for _, _, height, _ in ends]
    low, high = box.y0 / points + gap / 2, box.y1 / points - gap / 2
    across = to_points((x, 0))[0] / points
    for (name, role, _, fact), height in zip(ends, spread(wanted, gap=gap, low=low, high=high), strict=True):
        text = wrapped(named(name, language), most, lines=1)
        style: dict[str, Any] = {"transform": figure.dpi_scale_trans, "va": "center", "clip_on": False}
        start, tint = across + 7, text_colour(role)
        if swatches or _pale(role):
            axes.plot(
                [(start + 3) / 72],
                [height / 72],
                "s",
                color=colour(role),
                markersize=6,
                transform=figure.dpi_scale_trans,
                clip_on=False,
            )
            start, tint = start + 10, colour("ink")
        drawn = label(
            axes,
            start / 72,
            height / 72,
            text,
            language,
            color=tint,
            weight="normal" if swatches else "bold",
            **style,
        )
        if isinstance(name, Text):
            drawn.message = name.en  # type: ignore[attr-defined]
        if fact is not None and fact.value is not None:
            after = start + text_width(text, bold=True) + 5
            annotate(
                axes,
                after / 72,
                height / 72,
                fact,
                language,
                text=mark_text(fact, unit, scale),
                color=tint,
                **style,
            )


def end_margin(
    ends: Sequence[tuple[Name, Fact | None]], unit: Unit, scale: Scale, language: Language, *, most: float
) -> float:
    """Points that :func:`end_labels` needs to the right of the axes."""
    widths = [0.0]
    for name, fact in ends:
        width = text_width(wrapped(named(name, language), most, lines=1), bold=True)
        if fact is not None and fact.value is not None:
            width += 5 + text_width(mark_text(fact, unit, scale))
        widths.append(width)
    return max(widths) + 30


def _pale(role: str) -> bool:
    """Whether words about what is drawn in a role are in ink, because its own colour is too light for them."""
    return text_colour(role) == colour("ink") != colour(role)


def band(
    axes: Axes,
    positions: Sequence[float],
    facts: Sequence[Fact],
    unit: Unit,
    scale: Scale,
    role: str,
    **options: Any,
) -> None:
    """The interval of each fact as a band; nothing where facts have none."""
    with_interval = [
        (x, fact.interval)
        for x, fact in zip(positions, facts, strict=True)
        if fact.interval and fact.value is not None
    ]
    if with_interval:
        x = [position for position, _ in with_interval]
        low = [shown(interval.low, unit, scale) for _, interval in with_interval]
        high = [shown(interval.high, unit, scale) for _, interval in with_interval]
        axes.fill_between(x, low, high, color=colour(role), **({"alpha": 0.16, "linewidth": 0} | options))


def items_table(
    items: Sequence[Item],
    *,
    by: Text,
    measure: Text,
    beside: tuple[Text, Sequence[Fact | None]] | None = None,
) -> tuple[list[Column], list[Row]]:
    """The table behind a chart of items: name, value and, where facts have them, interval and n; ``beside`` is a further column."""
    facts = [item.fact for item in items]
    columns = [Column(key="name", label=by), Column(key="value", label=measure)]
    columns += _doubt_columns(facts)
    cells = [{"name": as_text(item.name), **_fact_cells(item.fact, columns)} for item in items]
    if beside is not None:
        name, others = beside
        columns.append(Column(key="beside", label=name))
        cells = [cell | {"beside": other} for cell, other in zip(cells, others, strict=True)]
    return columns, [Row(cells=cell) for cell in cells]


def _doubt_columns(facts: Sequence[Fact]) -> list[Column]:
    columns = []
    if any(fact.interval for fact in facts):
        columns.append(Column(key="interval", label=Text.of("Interval"), show="interval"))
    if any(fact.n is not None for fact in facts):
        columns.append(Column(key="n", label=Text.same("n"), show="n"))
    return columns


def _fact_cells(fact: Fact, columns: Sequence[Column]) -> dict[str, Cell]:
    keys = {column.key for column in columns}
    return {key: fact for key in ("value", "interval", "n") if key in keys}


def series_table(series: Sequence[Series], *, by: Text | None = None) -> tuple[list[Column], list[Row]]:
    """The table behind a chart over months: a row a month, a column a series and one for its interval."""
    columns = [Column(key="month", label=by or Text.of("Month"))]
    for index, one in enumerate(series):
        columns.append(Column(key=f"s{index}", label=as_text(one.name)))
        if any(fact.interval for fact in one.facts):
            columns.append(Column(key=f"s{index}_interval", label=Text.of("Interval"), show="interval"))
    keys = {column.key for column in columns}
    by_month: dict[Month, dict[str, Cell]] = {month: {"month": month} for month in all_months(series)}
    for index, one in enumerate(series):
        for month, fact in one.points:
            by_month[month] |= {key: fact for key in (f"s{index}", f"s{index}_interval") if key in keys}
    return columns, [Row(cells=cells) for cells in by_month.values()]
