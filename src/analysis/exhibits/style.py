"""House style of charts: fonts, colours by role, how a drawing becomes the same SVG every time, once per language.

Nothing here imports matplotlib at module level: a notebook that draws nothing does not pay for it.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from analysis.errors import ParameterError
from analysis.formats import ONE, Number, Scale, Unit, column_scale, decimal, grouped
from analysis.locale import LANGUAGES, Language, Text, translate, untranslated
from analysis.results import Fact, Sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text as DrawnText

    from analysis.exhibits.vocabulary import Column, Row

FONT = "Noto Sans SC"
TEXT_SIZE = 8.5  # points, at the size the PDF prints
WIDTH = 6.3  # inches: the text width of the PDF page

# Colour means a role. Each hex occurs once, because the HTML pack exchanges it for a CSS variable (dark mode).
# Pairs keep their distance under protan-, deuter- and tritanopia (Machado et al. 2009; tests/unit/exhibits/test_style.py).
LIGHT: Mapping[str, str] = {
    "ink": "#17202e",
    "muted": "#5c6675",
    "rule": "#d7dce3",
    "paper": "#fefefe",
    "panel": "#f4f6f9",
    "actual": "#144872",
    "expected": "#9ba7b1",
    "focus": "#b45309",
    "context": "#b9c2ce",
    "good": "#147d6f",
    "bad": "#be123c",
    "category-4": "#833db1",
    "category-5": "#65a3e2",
    "category-6": "#e5b60c",
}
DARK: Mapping[str, str] = {
    "ink": "#e9edf3",
    "muted": "#9ba7b7",
    "rule": "#2d3747",
    "paper": "#10161f",
    "panel": "#18212d",
    "actual": "#4e95f0",
    "expected": "#656b77",
    "focus": "#f59439",
    "context": "#4a5668",
    "good": "#49d1b9",
    "bad": "#ff6b8a",
    "category-4": "#cfa1e3",
    "category-5": "#2b629c",
    "category-6": "#f4e886",
}
CATEGORIES = ("actual", "category-5", "good", "category-6", "focus", "category-4", "expected")
# text in a pale colour would not be read: it takes a darker role, its mark keeps the colour
_TEXT_ROLE = {"expected": "muted", "context": "muted", "category-5": "ink", "category-6": "ink"}


def colour(role: str) -> str:
    """Hex of a role; a role that does not exist is refused."""
    if role not in LIGHT:
        raise ParameterError(f"colour role '{role}' does not exist; known: {', '.join(LIGHT)}.")
    return LIGHT[role]


def text_colour(role: str) -> str:
    """Hex for words about something drawn in ``role``: at least 4.5 to 1 on paper."""
    return colour(_TEXT_ROLE.get(role, role))


def category_roles(count: int) -> tuple[str, ...]:
    """Roles for so many categories; more than seven cannot be told apart: gather the rest into one."""
    if count > len(CATEGORIES):
        raise ParameterError(
            f"{count} categories in one chart; at most {len(CATEGORIES)} can be told apart, gather the rest as 'other'."
        )
    return CATEGORIES[:count]


def font_paths() -> tuple[Path, Path]:
    """Regular and Bold of Noto Sans SC, as shipped (see :mod:`analysis.fonts.subset`)."""
    folder = Path(__file__).resolve().parent.parent / "fonts"
    return folder / "NotoSansSC-Regular.ttf", folder / "NotoSansSC-Bold.ttf"


@cache
def rc_params() -> Mapping[Any, Any]:
    """matplotlib settings of the house; registers the shipped fonts on first use."""
    from matplotlib import font_manager

    for path in font_paths():
        font_manager.fontManager.addfont(str(path))
    return {
        "font.family": [FONT],
        "font.size": TEXT_SIZE,
        "svg.fonttype": "none",
        "svg.hashsalt": "after-sales",
        "svg.image_inline": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "axes.edgecolor": LIGHT["muted"],
        "axes.linewidth": 0.6,
        "axes.labelcolor": LIGHT["muted"],
        "axes.labelsize": TEXT_SIZE,
        "axes.titlesize": TEXT_SIZE,
        "axes.axisbelow": True,
        "axes.facecolor": "none",
        "axes.unicode_minus": True,
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
        "axes.grid": False,
        "grid.color": LIGHT["rule"],
        "grid.linewidth": 0.6,
        "xtick.color": LIGHT["muted"],
        "ytick.color": LIGHT["muted"],
        "xtick.labelcolor": LIGHT["muted"],
        "ytick.labelcolor": LIGHT["muted"],
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "xtick.minor.size": 0,
        "ytick.minor.size": 0,
        "xtick.major.pad": 4,
        "ytick.major.pad": 4,
        "text.color": LIGHT["ink"],
        "lines.linewidth": 1.8,
        "lines.solid_capstyle": "round",
        "lines.markersize": 4.5,
        "patch.linewidth": 0,
        "hatch.linewidth": 0.6,
    }


# ---------------------------------------------------------------- a drawing and its pictures


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawing:
    """What to draw: ``draw(figure, language)``, the table of what it shows, and the size in inches.

    ``doubt`` says below the chart how sure its marks are where they have no room for intervals.
    """

    draw: Callable[[Figure, Language], None]
    data: tuple[Sequence[Column], Sequence[Row]]
    size: tuple[float, float] = (WIDTH, 3.2)
    doubt: Sentence | None = None

    @classmethod
    def on_axes(
        cls,
        draw: Callable[[Axes, Language], None],
        *,
        data: tuple[Sequence[Column], Sequence[Row]] | None,
        size: tuple[float, float] | None = None,
    ) -> Drawing:
        """A drawing on one set of axes, laid out by matplotlib."""
        if data is None:
            raise ParameterError("a figure ships with the table of what it draws: pass data=(columns, rows).")

        def on_figure(figure: Figure, language: Language) -> None:
            figure.set_layout_engine("constrained")
            draw(figure.add_subplot(), language)

        return cls(draw=on_figure, data=data, size=size or (WIDTH, 3.2))


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """One drawing in both languages; width and height in points."""

    svg: dict[str, str]
    width: float
    height: float
    facts: tuple[Fact, ...]
    messages: frozenset[str]


def render(drawing: Drawing, id: str, *, size: tuple[float, float] | None = None) -> Picture:
    """Draw once per language; the same drawing gives the same bytes."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    width, height = size or drawing.size
    svg: dict[str, str] = {}
    facts: dict[str, Fact] = {}
    messages: set[str] = set()
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcParams.update(dict(rc_params()))
        warnings.filterwarnings(
            "ignore", message="Glyph .* missing from"
        )  # drawn by the page's fallback font
        for language in LANGUAGES:
            figure = Figure(figsize=(width, height))
            FigureCanvasSVG(figure)
            drawing.draw(figure, language)
            _make_room(figure)
            buffer = io.StringIO()
            figure.savefig(
                buffer, format="svg", metadata={"Date": None, "Creator": None, "Type": None, "Format": None}
            )
            svg[language] = inline_svg(buffer.getvalue(), id)
            ticks = _axis_texts(figure)
            for text in _texts(figure):
                if text not in ticks:
                    _refuse_unmarked(text, id)
                messages.update(_messages(text))
                if isinstance(fact := getattr(text, "fact", None), Fact):
                    facts[fact.id] = fact
    return Picture(
        svg=svg,
        width=round(width * 72, 2),
        height=round(height * 72, 2),
        facts=tuple(facts.values()),
        messages=frozenset(messages),
    )


ROOM = 1 / 72  # inches that a mark may stand over the edge before room is made for it


def _make_room(figure: Figure) -> None:
    """Move the axes inwards by what stands over the edges: a number may be longer than any its chart was tried with."""
    if figure.get_layout_engine() is not None:
        return
    box, (width, height), now = figure.get_tightbbox(), figure.get_size_inches(), figure.subplotpars
    over = {"left": -box.x0, "bottom": -box.y0, "right": box.x1 - width, "top": box.y1 - height}
    if max(over.values()) <= ROOM:
        return
    room = {side: max(0.0, inches) if inches > ROOM else 0.0 for side, inches in over.items()}
    figure.subplots_adjust(
        left=now.left + room["left"] / width,
        right=now.right - room["right"] / width,
        bottom=now.bottom + room["bottom"] / height,
        top=now.top - room["top"] / height,
    )


def _texts(figure: Figure) -> Iterator[DrawnText]:
    from matplotlib.text import Text as DrawnText

    for artist in figure.findobj(DrawnText):
        assert isinstance(artist, DrawnText)
        if artist.get_visible() and artist.get_text().strip():
            yield artist


def _messages(text: DrawnText) -> Iterable[str]:
    message = getattr(text, "message", text.get_text())
    return {message} & set(untranslated())


def _axis_texts(figure: Figure) -> set[DrawnText]:
    """Tick labels and axis labels: the only digits that need no fact."""
    texts: set[DrawnText] = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            texts.update((axis.label, axis.offsetText))
            for tick in (*axis.majorTicks, *axis.minorTicks):
                texts.update((tick.label1, tick.label2))
    return texts


def _refuse_unmarked(text: DrawnText, id: str) -> None:
    """A digit in an annotation belongs to a fact, a label from the data or a wording of the catalogue."""
    if not text.get_gid() and re.search(r"\d", text.get_text()):
        raise ParameterError(
            f"figure {id}: annotation '{text.get_text()}' is no fact; draw it with annotate(), label() or words()."
        )


def inline_svg(svg: str, id: str) -> str:
    """matplotlib's file as an element that can stand in a page: no prologue, ids of its own, marked texts."""
    prefix = re.sub(r"[^A-Za-z0-9_-]", "-", id)
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>\s*", "", body, count=1, flags=re.DOTALL)
    body = body.replace("<svg ", '<svg stroke-linejoin="round" stroke-linecap="butt" ', 1)
    body = re.sub(r'\bid="(fact|label|words):([^"]*)"', lambda m: _mark(m[1], m[2]), body)
    body = re.sub(r'(?<![\w-])id="([^"]+)"', rf'id="{prefix}-\1"', body)
    body = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", body)
    body = re.sub(r"<!--.*?-->\s*", "", body, flags=re.DOTALL)
    body = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", body)
    return re.sub(r"\n\s*", "\n", body).strip()


def _mark(kind: str, rest: str) -> str:
    return f'data-k="fact" data-fact="{rest}"' if kind == "fact" else f'data-k="{kind}"'


# ---------------------------------------------------------------- text in drawings


def annotate(
    axes: Axes,
    x: Any,
    y: Any,
    fact: Fact,
    language: Language,
    *,
    form: str = "",
    text: str | None = None,
    **options: Any,
) -> DrawnText:
    """Print a fact at a point; ``form`` as in sentences (``signed``, ``exact``, ``interval`` …) or the ``text`` of a table cell.

    The text is marked with the fact's id, so a check can prove that every number drawn is a fact.
    """
    if text is None:
        pieces = Sentence(f"{{value:{form}}}" if form else "{value}", {"value": fact}).segments(language)
        text = pieces[0].text
    drawn = axes.text(x, y, text, **options)
    drawn.set_gid(f"fact:{fact.id}")
    drawn.fact = fact  # type: ignore[attr-defined]
    return drawn


def label(axes: Axes, x: Any, y: Any, name: Text | str, language: Language, **options: Any) -> DrawnText:
    """Print a name from the data or the registry."""
    drawn = axes.text(x, y, name[language] if isinstance(name, Text) else name, **options)
    drawn.set_gid("label:")
    if isinstance(name, Text):
        drawn.message = name.en  # type: ignore[attr-defined]
    return drawn


def words(axes: Axes, x: Any, y: Any, message: str, language: Language, **options: Any) -> DrawnText:
    """Print a wording of the catalogue."""
    drawn = axes.text(x, y, translate(message, language), **options)
    drawn.set_gid("words:")
    drawn.message = message  # type: ignore[attr-defined]
    return drawn


@cache
def text_width(text: str, size: float = TEXT_SIZE, *, bold: bool = False) -> float:
    """Width in points of the longest line."""
    from matplotlib.font_manager import get_font

    font = get_font(str(font_paths()[1 if bold else 0]))
    font.set_size(100, 72)  # large, so that hinting does not round each advance
    widths = []
    for line in text.split("\n"):
        font.set_text(line, 0.0)
        widths.append(font.get_width_height()[0] / 64 * size / 100)
    return max(widths)


# ---------------------------------------------------------------- scales and axes


def shown(value: Number | None, unit: Unit, scale: Scale = ONE) -> float:
    """Where a value is drawn: money divided by its scale, shares in percent; NaN where there is none."""
    if value is None:
        return float("nan")
    if unit.base in {"share", "chance", "percentage_points"}:
        return float(value) * 100
    return float(value) / scale.factor


def axis_scale(facts: Iterable[Fact], unit: Unit, language: Language, *, intervals: bool = False) -> Scale:
    """One scale for an axis of money; ``intervals`` where their ends are drawn as well."""
    facts = list(facts)
    numbers = [fact.value for fact in facts]
    if intervals:
        numbers += [end for fact in facts if fact.interval for end in (fact.interval.low, fact.interval.high)]
    values = [abs(decimal(number)) for number in numbers if number is not None]
    return column_scale(max(values), language) if values and unit.is_money else ONE


def one_unit(facts: Iterable[Fact], what: str) -> Unit:
    """The unit that all facts of a chart share; a chart has one measure."""
    units = {fact.unit for fact in facts}
    if len(units) != 1:
        raise ParameterError(f"{what}: facts in {sorted(units) or 'no unit'}; one axis shows one unit.")
    return Unit.parse(units.pop())


def tick_text(value: float, _position: float | None = None) -> str:
    """Axis ticks: thousands marks, a true minus, no needless decimals."""
    places = 0 if abs(value - round(value)) < 1e-9 else 1 if abs(value * 10 - round(value * 10)) < 1e-9 else 2
    return grouped(round(float(value), 4), places)


def place(figure: Figure, *, left: float, right: float, top: float, bottom: float, **options: Any) -> None:
    """Margins in points, so that a figure's layout does not depend on a solver."""
    width, height = figure.get_size_inches() * 72
    figure.subplots_adjust(
        left=left / width, right=1 - right / width, top=1 - top / height, bottom=bottom / height, **options
    )


def axis_name(measure: Text, unit: Unit, scale: Scale, language: Language) -> str:
    """``After-sales cost (CNY thousand)``; the unit is left out where the measure says it already."""
    name = unit.label(language, scale)
    return (
        measure[language]
        if name.casefold() in measure[language].casefold()
        else f"{measure[language]} ({name})"
    )


def value_axis(
    axes: Axes,
    which: Literal["x", "y"],
    *,
    name: str = "",
    ticks: int = 5,
    most: float | None = None,
    grid: bool = True,
) -> None:
    """Grid lines and plain ticks inside the axis, at most up to ``most``; its name stands at its end, level."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    reach = max(high, low) if most is None else most
    places = MaxNLocator(nbins=ticks, steps=[1, 2, 2.5, 5, 10]).tick_values(min(low, high), reach)
    margin = abs(high - low) * 1e-6
    axis.set_major_locator(
        FixedLocator([value for value in places if min(low, high) - margin <= value <= reach + margin])
    )
    axis.set_major_formatter(FuncFormatter(tick_text))
    if grid:
        axes.grid(axis=which)
    if name and which == "x":
        axes.set_xlabel(name, loc="right", labelpad=3)
    elif name:
        axes.set_ylabel(name, rotation=0, ha="left", va="bottom", labelpad=0)
        height = axes.get_window_extent().height / axes.figure.dpi * 72
        axes.yaxis.set_label_coords(0.0, 1 + 6 / height)


# ---------------------------------------------------------------- contrast


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two hex colours (WCAG 2.1, relative luminance), from 1 to 21."""
    lighter, darker = sorted((_luminance(_channels(first)), _luminance(_channels(second))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable_role(fill: str, opacity: float) -> str:
    """``ink`` or ``paper``: the words that read better on a fill of this opacity, on the worse of the light and the dark page."""

    def worst(role: str) -> float:
        return min(
            contrast(palette[role], _blend(palette[fill], palette["paper"], opacity))
            for palette in (LIGHT, DARK)
        )

    return max(("ink", "paper"), key=worst)


def _channels(hex_colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(hex_colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue


def _blend(over: str, under: str, opacity: float) -> str:
    mixed = (
        round(255 * (a * opacity + b * (1 - opacity)))
        for a, b in zip(_channels(over), _channels(under), strict=True)
    )
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _luminance(channels: tuple[float, float, float]) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
