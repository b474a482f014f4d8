"""Drawings of the first parts of the value section: Lorenz curve, forecast against actual, renewals by kind of contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from analysis.exhibits import specification
from analysis.exhibits.charts.parts import end_labels, end_margin
from analysis.exhibits.style import (
    WIDTH,
    Drawing,
    annotate,
    colour,
    label,
    one_unit,
    place,
    shown,
    value_axis,
    words,
)
from analysis.exhibits.vocabulary import phrase
from analysis.formats import ONE, Unit
from analysis.locale import Language, Text
from analysis.results import Fact
from analysis.value.model_facts import ContractKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHARE = Unit.parse("share")


def lorenz_curve(points: Sequence[tuple[float, Fact]], top_share: Fact) -> Drawing:
    """Cumulative share of value by share of customers, with the part of the most valuable tenth."""
    people, cumulative = Text.of("Share of customers"), Text.of("Share of value")

    def draw(figure: Figure, language: Language) -> None:
        axes = figure.add_subplot()
        place(figure, left=36, right=96, top=22, bottom=30)
        x = [0.0, *(100 * at for at, _ in points), 100.0]
        y = [0.0, *(shown(fact.value, SHARE) for _, fact in points), 100.0]
        axes.fill_between(x, y, x, color=colour("context"), alpha=0.25, linewidth=0)
        axes.plot([0, 100], [0, 100], color=colour("muted"), linewidth=0.8, linestyle=(0, (4, 3)))
        axes.plot(x, y, color=colour("focus"), linewidth=1.8)
        axes.set_xlim(0, 100)
        axes.set_ylim(min(0.0, *y), 100)
        value_axis(axes, "y", name=f"{cumulative[language]} (%)")
        value_axis(axes, "x", name=f"{people[language]} (%)", grid=False)
        words(axes, 52, 56, "equal shares", language, color=colour("muted"), ha="right", va="bottom")
        tenth = next((fact for at, fact in points if at == 0.9), None)
        if tenth is not None:
            _top_tenth(axes, shown(tenth.value, SHARE), top_share, language)

    columns = [
        specification.words("people", people),
        specification.metric("cumulative_value_share", of="value", head=cumulative),
    ]
    rows = [
        {"people": phrase("the least valuable {number} %", number=str(round(100 * at))), "value": fact}
        for at, fact in points
    ]
    return Drawing(draw=draw, data=specification.data_of(columns, rows, by=("customers",)), size=(WIDTH, 2.1))


def _top_tenth(axes: Axes, below: float, top_share: Fact, language: Language) -> None:
    """What lies above the curve at its last tenth."""
    middle = (below + 100) / 2
    stated: dict[str, Any] = {"color": colour("focus"), "va": "center", "clip_on": False}
    axes.plot([90], [below], "o", color=colour("focus"), markersize=5)
    axes.vlines(102, below, 100, color=colour("focus"), linewidth=2.0, clip_on=False)
    annotate(axes, 104, middle, top_share, language, weight="bold", **stated)
    words(axes, 104, middle - 13, "the top tenth", language, **stated)


def holdout_lines(weeks: Sequence[tuple[int, Fact, Fact]]) -> Drawing:
    """Cumulative purchases by week after the calibration: actual and predicted."""
    names = {"actual": Text.of("Actual"), "focus": Text.of("Predicted")}
    lines = {"actual": [actual for _, actual, _ in weeks], "focus": [ahead for _, _, ahead in weeks]}
    at = [week for week, _, _ in weeks]
    unit = one_unit([fact for facts in lines.values() for fact in facts], "holdout")

    def draw(figure: Figure, language: Language) -> None:
        axes = figure.add_subplot()
        ends = [(names[role], role, shown(facts[-1].value, unit), facts[-1]) for role, facts in lines.items()]
        right = end_margin([(name, fact) for name, _, _, fact in ends], unit, ONE, language, most=90)
        place(figure, left=42, right=right, top=22, bottom=30)
        for role, facts in lines.items():
            axes.plot(at, [shown(fact.value, unit) for fact in facts], color=colour(role), linewidth=1.7)
        axes.set_xlim(0, at[-1])
        axes.set_ylim(bottom=0)
        value_axis(axes, "y", name=Text.of("Purchases")[language])
        value_axis(axes, "x", name=Text.of("Week")[language], ticks=8, grid=False)
        end_labels(axes, ends, unit, ONE, language, x=at[-1], most=90)

    columns = [
        specification.words("week", "Week"),
        specification.metric(
            "holdout_purchases", of="actual", head=names["actual"], slice={"side": "actual"}
        ),
        specification.metric(
            "holdout_purchases", of="predicted", head=names["focus"], slice={"side": "predicted"}
        ),
    ]
    rows = [
        {"week": str(week), "actual": actual, "predicted": predicted} for week, actual, predicted in weeks
    ]
    return Drawing(draw=draw, data=specification.data_of(columns, rows, by=("week",)), size=(WIDTH, 2.1))


def renewal_panels(kinds: Sequence[ContractKind]) -> Drawing:
    """One panel a kind of contract: observed renewal rates with intervals, and the model's line and band."""

    def draw(figure: Figure, language: Language) -> None:
        panels: list[Axes] = list(figure.subplots(1, len(kinds), sharey=True, squeeze=False).ravel())
        place(figure, left=40, right=8, top=24, bottom=30, wspace=0.12)
        observed = [fact.interval for kind in kinds for _, fact, _ in kind.renewals if fact.interval]
        least = min((shown(limits.low, SHARE) for limits in observed), default=0.0)
        for axes, kind in zip(panels, kinds, strict=True):
            _renewals(axes, kind, language)
            axes.set_ylim(max(0.0, 10 * (least // 10) - 5), 100)
        value_axis(panels[0], "y", name=f"{Text.of('Renewed')[language]} (%)")
        for axes in panels:
            axes.grid(axis="y")

    columns = [
        specification.words("kind", specification.registry().dimension_name("contract_kind")),
        specification.words("renewal", "Renewal"),
        specification.metric("renewal_rate", of="seen", head="Observed", key="observed"),
        specification.interval("renewal_rate", of="seen"),
        specification.count("renewal_rate", of="seen", head=Text.same("n")),
        specification.metric("renewal_rate_model", of="model", head="Model", context="statistics"),
    ]
    rows = [
        specification.row_of(
            {"kind": kind.label, "renewal": str(number), "seen": seen, "model": model},
            columns,
            by=(*kind.dimensions, "renewal"),
        )
        for kind in kinds
        for number, seen, model in kind.renewals
    ]
    return Drawing(draw=draw, data=specification.data_of(columns, rows), size=(WIDTH, 2.0))


def _renewals(axes: Axes, kind: ContractKind, language: Language) -> None:
    x = [number for number, _, _ in kind.renewals]
    models = [model for _, _, model in kind.renewals]
    axes.plot(x, [shown(model.value, SHARE) for model in models], color=colour("focus"), linewidth=1.5)
    low, high = (
        [shown(getattr(one.interval, end), SHARE) if one.interval else float("nan") for one in models]
        for end in ("low", "high")
    )
    axes.fill_between(x, low, high, color=colour("focus"), alpha=0.16, linewidth=0)
    for number, seen, _ in kind.renewals:
        if seen.interval:
            ends = shown(seen.interval.low, SHARE), shown(seen.interval.high, SHARE)
            axes.vlines(number, *ends, color=colour("actual"), linewidth=1.3)
    rates = [shown(seen.value, SHARE) for _, seen, _ in kind.renewals]
    axes.plot(x, rates, "o", color=colour("actual"), markersize=4.5)
    first = kind.renewals[0][1]
    over = shown(first.interval.high if first.interval else first.value, SHARE)
    annotate(axes, x[0], over + 1.5, first, language, va="bottom", ha="center", color=colour("actual"))
    axes.set_xlim(0.6, max(x) + 0.4)
    heading = {"weight": "bold", "color": colour("ink"), "va": "bottom", "ha": "right"}
    label(axes, 1.0, 1.04, kind.label, language, transform=axes.transAxes, **heading)
    value_axis(axes, "x", name=Text.of("Renewal")[language], grid=False, ticks=min(6, max(x)))
