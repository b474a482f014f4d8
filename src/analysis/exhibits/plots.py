"""The natural chart of a fit, for a look in JupyterLab: ``fit.plot()``.

Nothing here is published; a report's figures are exhibits with facts. Drawn with the house's roles of colour, in a figure of its own, which
JupyterLab shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from analysis.exhibits.style import colour
from analysis.summaries import PLOTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (6.4, 3.6)  # inches


def register() -> None:
    """Give the results of ``analysis.stats`` their charts; by name, so that nothing is imported before it is drawn."""
    for name, draw in _DRAWN.items():
        PLOTS[f"analysis.stats.{name}"] = _figure_of(draw)


def _figure_of(draw: Callable[[Axes, Any], None]) -> Callable[[Any], Figure]:
    def plot(result: Any) -> Figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.subplots()
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes, result)
        return figure

    return plot


def _band(axes: Axes, table: Any, x: Any, *, step: Literal["post"] | None = None) -> None:
    axes.fill_between(x, table["low"], table["high"], step=step, color=colour("context"), alpha=0.4, lw=0)


def _survival(axes: Axes, curve: Any) -> None:
    time = curve.table["time"]
    _band(axes, curve.table, time, step="post")
    axes.step(time, curve.table["survival"], where="post", color=colour("focus"))
    axes.set(xlabel="time", ylabel=f"share without the event ({curve.level:.0%} interval)", ylim=(0, 1.02))


def _recurrence(axes: Axes, curve: Any) -> None:
    age = curve.table["age"]
    _band(axes, curve.table, age, step="post")
    axes.step(age, curve.table["mcf"], where="post", color=colour("focus"))
    axes.set(xlabel="age", ylabel=f"events per unit ({curve.level:.0%} interval)")
    axes.set_ylim(bottom=0)


def _life(axes: Axes, fit: Any) -> None:
    import numpy as np

    furthest = float(fit.b_life(0.99).value)
    age = np.linspace(furthest / 200, furthest, 200)
    axes.plot(age, 1 - fit.survival(age), color=colour("focus"))
    axes.set(xlabel="age", ylabel=f"share failed ({fit.family})", ylim=(0, 1.02), xlim=(0, furthest))


def _cox(axes: Axes, fit: Any) -> None:
    table = fit.coefficients.iloc[::-1]
    rows = range(len(table))
    axes.hlines(rows, table["low"], table["high"], color=colour("context"), lw=2)
    axes.plot(table["hazard_ratio"], rows, "o", color=colour("focus"))
    axes.axvline(1, color=colour("context"), lw=0.8)
    axes.set_yticks(list(rows), [str(name) for name in table.index])
    axes.set(xlabel=f"hazard ratio ({fit.level:.0%} interval)", xscale="log")


def _forecast(axes: Axes, forecast: Any) -> None:
    table = forecast.table
    steps = [str(step) for step in table.index]
    _band(axes, table, steps)
    axes.plot(steps, table["point"], color=colour("focus"), marker="o", ms=3)
    axes.set(ylabel=f"expected ({forecast.level:.0%} interval)")
    axes.tick_params(axis="x", rotation=45)


def _control(axes: Axes, chart: Any) -> None:
    points = chart.points
    steps = range(len(points))
    axes.step(steps, points["upper"], where="mid", color=colour("context"))
    axes.step(steps, points["lower"], where="mid", color=colour("context"))
    axes.step(steps, points["centre"], where="mid", color=colour("context"), ls="--")
    axes.plot(steps, points["value"], color=colour("actual"), marker="o", ms=3)
    signals = points["signal"].to_numpy(dtype=bool)
    axes.plot([step for step in steps if signals[step]], points["value"][signals], "o", color=colour("focus"))
    axes.set(ylabel=f"{chart.kind} chart, {int(signals.sum())} signals")


def _effect(axes: Axes, result: Any) -> None:
    rows = {
        "adjusted": (result.effect, result.low, result.high),
        "plain means": (result.naive.value, result.naive.low, result.naive.high),
    }
    for row, (value, low, high) in enumerate(reversed(rows.values())):
        axes.hlines(row, low, high, color=colour("context"), lw=2)
        axes.plot(value, row, "o", color=colour("focus"))
    axes.axvline(0, color=colour("context"), lw=0.8)
    axes.set_yticks([0, 1], list(reversed(rows)))
    axes.set(xlabel=f"difference of means ({result.estimand}, {result.level:.0%} interval)", ylim=(-0.5, 1.5))


def _expected_purchases(axes: Axes, model: Any) -> None:
    import numpy as np

    ahead = np.linspace(0, 104, 105)
    axes.plot(ahead, model.expected_purchases_of_new(ahead), color=colour("focus"))
    axes.set(
        xlabel=f"time since the first purchase (unit: {model.unit})",
        ylabel="repeat purchases of a new customer",
    )
    axes.set_ylim(bottom=0)


_DRAWN: dict[str, Callable[[Axes, Any], None]] = {
    "survival.SurvivalCurve": _survival,
    "recurrence.MeanCumulativeFunction": _recurrence,
    "life.LifeFit": _life,
    "hazards.CoxFit": _cox,
    "forecasting.Forecast": _forecast,
    "control.ControlChart": _control,
    "causal.DoublyRobust": _effect,
    "purchases.GeometricModel": _expected_purchases,
}
