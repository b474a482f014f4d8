"""What a chart of ``plot()`` is drawn on: axes with a title and names in one of two languages, and the marks that several charts share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from analysis.exhibits.style import colour, tick_text
from analysis.locale import Language, Text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST_ROWS = 20  # of a chart with a row each; the first ones are drawn
MOST_TICKS = 12


@dataclass(frozen=True)
class Sheet:
    """What a chart is drawn on: axes, the language of its words, and the unit of its values or times as the caller names it."""

    axes: Axes
    language: Language
    unit: str

    def say(self, message: str, **values: object) -> str:
        """A message of the catalogue."""
        return Text.filled(message, **values)[self.language]

    def named(self, title: str, *, x: str = "", y: str = "") -> None:
        """Title and axes, in words that were said."""
        self.axes.set_title(title, loc="left", fontsize=10, pad=8)
        self.axes.set(xlabel=x, ylabel=y)
        from matplotlib.ticker import FuncFormatter, ScalarFormatter

        for axis in (self.axes.xaxis, self.axes.yaxis):
            large = max(map(abs, axis.get_view_interval())) >= 1000
            if large and isinstance(axis.get_major_formatter(), ScalarFormatter):
                axis.set_major_formatter(FuncFormatter(tick_text))

    def from_zero(self) -> None:
        """The axis of amounts begins at zero, or where the amounts do below it."""
        self.axes.relim()
        self.axes.autoscale_view()
        self.axes.set_ylim(bottom=min(0.0, *self.axes.get_ylim()))

    def in_unit(self, what: str) -> str:
        """``age (months)``; without a unit that of the data."""
        unit = self.unit or self.say("unit of the data")
        return self.say("{what} ({unit})", what=what, unit=unit)

    def shares(self, which: Literal["x", "y"] = "y", *, most: float = 1.0) -> None:
        """An axis of shares, from nothing to all."""
        from matplotlib.ticker import PercentFormatter

        axis = self.axes.xaxis if which == "x" else self.axes.yaxis
        axis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
        self.axes.set(**{f"{which}lim": (0, 1.02 * most)})

    def legend(self) -> None:
        """Names of what is drawn, beside it."""
        self.axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)

    def rows(self, names: Iterable[object]) -> None:
        """A row each, the first on top."""
        labels = [shortened(name) for name in names]
        self.axes.set_yticks(range(len(labels)), labels)
        margin = max(0.6, (4 - len(labels)) / 2)  # one row is no wall
        self.axes.set_ylim(len(labels) - 1 + margin, -margin)

    def steps(self, names: Iterable[object]) -> None:
        """Named places along the axis of x, not more of them than can be read."""
        labels = [str(name) for name in names]
        every = max(1, math.ceil(len(labels) / MOST_TICKS))
        self.axes.set_xticks(range(0, len(labels), every), labels[::every], rotation=45, ha="right")


Draw = Callable[[Sheet, Any], None]


def band(axes: Axes, table: Any, x: Any, *, step: Literal["post"] | None = None) -> None:
    """The interval around a line."""
    axes.fill_between(x, table["low"], table["high"], step=step, color=colour("context"), alpha=0.4, lw=0)


def estimates(
    sheet: Sheet, names: Iterable[object], value: Any, low: Any, high: Any, *, nothing: float | None = None
) -> None:
    """A row each: the estimate and its interval, beside a line where there would be no difference."""
    rows = list(names)[:MOST_ROWS]
    places = range(len(rows))
    shown = slice(None, len(rows))
    sheet.axes.hlines(places, list(low)[shown], list(high)[shown], color=colour("context"), lw=2)
    sheet.axes.plot(list(value)[shown], places, "o", color=colour("focus"))
    if nothing is not None:
        sheet.axes.axvline(nothing, color=colour("muted"), lw=0.8)
    sheet.rows(rows)


def control_lines(sheet: Sheet, points: pd.DataFrame) -> None:
    """Values between their limits; signals stand out."""
    steps = range(1, len(points) + 1)
    for column, style in (("upper", "-"), ("lower", "-"), ("centre", "--")):
        sheet.axes.step(steps, points[column], where="mid", color=colour("context"), ls=style, lw=1.2)
    sheet.axes.plot(steps, points["value"], color=colour("actual"), marker="o", ms=3, lw=1.2)
    signals = points["signal"].to_numpy(dtype=bool)
    places = [step for step, signal in zip(steps, signals, strict=True) if signal]
    sheet.axes.plot(places, points["value"].to_numpy()[signals], "o", color=colour("focus"))


def shortened(name: object) -> str:
    """A name that still leaves room for the chart."""
    text = str(name)
    return text if len(text) <= 48 else f"{text[:47]}…"
