"""Exhibits of how parts age: shape and B10 life by component, five distributions compared, the probability plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.exhibits.failure_shared import COMPONENT, INTERVAL, or_nothing, or_said, source
from analysis.exhibits.figures import figure
from analysis.exhibits.record import Block
from analysis.exhibits.statements import callout
from analysis.exhibits.style import (
    WIDTH,
    Drawing,
    axis_name,
    axis_scale,
    colour,
    one_unit,
    place,
    shown,
    value_axis,
)
from analysis.exhibits.tables import table
from analysis.exhibits.vocabulary import Column, Row
from analysis.failures.lives_facts import Curve, LifeFacts
from analysis.failures.result import FailureStudy
from analysis.formats import ONE, Unit
from analysis.locale import Language, Text
from analysis.results import Sentence, Value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DIRECTIONS = {
    "falling": Text.of("Early failures"),
    "rising": Text.of("Wears out"),
    "unclear": Text.of("Steady"),
}
_BEYOND = Text.of("beyond the oldest machines")


@or_said
def life_table(study: FailureStudy) -> Block:
    """Weibull shape and B10 life by component, with the bathtub reading."""
    if not study.lives:
        return callout(
            "failures.lives",
            tone="info",
            title=Sentence("No life distribution: no component has failed often enough."),
        )
    columns = [
        Column(key="component", label=COMPONENT, wide=True),
        Column(key="failures", label=Text.of("Failures"), places=0, metric=("failure_count",)),
        Column(key="shape", label=Text.of("Weibull shape"), places=2, metric=("weibull_shape",)),
        Column(key="shape_interval", label=INTERVAL, show="interval", places=2, metric=("weibull_shape",)),
        Column(key="reading", label=Text.of("Reading")),
        Column(key="b10", label=Text.of("B10 life"), places=0, metric=("b10_life",)),
        Column(key="b10_interval", label=INTERVAL, show="interval", places=0, metric=("b10_life",)),
        Column(key="note", label=Text.of("Extrapolated")),
    ]
    rows = [
        Row(
            cells={
                "component": life.name,
                "failures": life.failures,
                "shape": life.shape,
                "shape_interval": life.shape,
                "reading": _DIRECTIONS[life.direction],
                "b10": life.b10,
                "b10_interval": life.b10,
                "note": _BEYOND if life.beyond_data else None,
            }
        )
        for life in study.lives
    ]
    return table(
        "failures.lives",
        title=Sentence("How components age"),
        subtitle=Sentence(
            "Shape below one: early failures; above one: wear-out; an interval that holds one is read as steady"
        ),
        columns=columns,
        rows=rows,
        note=source(study),
        by=("component",),
    )


MODELS = ("exponential", "weibull", "weibull_threshold", "lognormal", "mixture")


@or_nothing
def models_table(study: FailureStudy) -> Block | None:
    """Five distributions by component, by how far their criterion lies above the lowest."""
    if not study.lives:
        return None
    names = {one.model: one.name for life in study.lives for one in life.models}
    columns = [Column(key="component", label=COMPONENT, wide=True)]
    columns += [Column(key=model, label=names[model], places=1) for model in MODELS if model in names]
    columns.append(Column(key="used", label=Text.of("Used", context="model")))
    rows = [
        Row(
            cells={
                "component": life.name,
                **{one.model: one.excess for one in life.models},
                "used": next((one.name for one in life.models if one.used), None),
            }
        )
        for life in study.lives
    ]
    return table(
        "failures.life_models",
        title=Sentence("Which life distribution the failures call for"),
        subtitle=Sentence(
            "Schwarz criterion above the lowest of its row; zero is best, more than 10 is very strong evidence against"
        ),
        columns=columns,
        rows=rows,
        note=Sentence(
            "The rule was fixed beforehand: Weibull, unless another lies more than 10 below it. The slow mixture is fitted to the steepest component and where the Weibull departs by more than chance."
        ),
        by=("component",),
    )


@or_nothing
def probability_plot(study: FailureStudy) -> list[Block]:
    """The steepest component on Weibull paper, and its B10 life by distribution."""
    drawn = next((life for life in study.lives or () if life.paper is not None), None)
    if drawn is None or drawn.paper is None or not drawn.paper.counted:
        return []
    values: dict[str, Value] = {"component": drawn.name, "shape": drawn.shape}
    paper = figure(
        "failures.weibull_plot",
        title=Sentence("{component} on Weibull paper: slope {shape} ({shape:interval})", values),
        subtitle=Sentence(
            "Share of machines that have had this failure: dots counted (Nelson–Aalen), line and band the Weibull; a straight row of dots means that it fits"
        ),
        foot=source(study),
        alt=Sentence(
            "Probability plot of {component}: counted shares by months in service beside the fitted Weibull of slope {shape}.",
            values,
        ),
        draw=weibull_paper(
            drawn.paper.counted, drawn.paper.fitted, measure=Text.of("Have failed"), age=Text.of("In service")
        ),
    )
    return [paper, _b10_table(study, drawn)]


def _b10_table(study: FailureStudy, life: LifeFacts) -> Block:
    columns = [
        Column(key="model", label=Text.of("Distribution"), wide=True),
        Column(key="likelihood", label=Text.of("Log-likelihood"), places=1, metric=("life_log_likelihood",)),
        Column(key="excess", label=Text.of("Criterion above lowest"), places=1, metric=("life_criterion",)),
        Column(key="b10", label=Text.of("B10 life"), places=1, metric=("b10_life",)),
        Column(key="interval", label=INTERVAL, show="interval", places=1, metric=("b10_life",)),
        Column(key="used", label=Text.of("Used", context="model")),
    ]
    yes = Text.of("yes")
    rows = [
        Row(
            cells={
                "model": one.name,
                "likelihood": one.log_likelihood,
                "excess": one.excess,
                "b10": one.b10,
                "interval": one.b10,
                "used": yes if one.used else None,
            }
        )
        for one in life.models
    ]
    return table(
        "failures.b10_models",
        title=Sentence("{component}: B10 life by distribution", {"component": life.name}),
        subtitle=Sentence("Intervals by likelihood ratio, of the mixture by its curvature"),
        columns=columns,
        rows=rows,
        note=source(study),
        by=("component", "model"),
    )


def weibull_paper(counted: Curve, fitted: Curve, *, measure: Text, age: Text) -> Drawing:
    """Counted shares as dots and a fitted line with its band; axes on which a Weibull is straight."""
    facts = [fact for _, fact in (*counted, *fitted)]
    unit = one_unit(facts, "weibull_paper")

    def height(share: float) -> float:
        return float(np.log(-np.log1p(-min(max(share, 1e-9), 1 - 1e-9))))

    def draw(canvas: Figure, language: Language) -> None:
        axes = canvas.add_subplot()
        scale = axis_scale(facts, unit, language)
        place(canvas, left=42, right=10, top=22, bottom=32)
        bands = [(x, fact) for x, fact in fitted if fact.interval]
        axes.fill_between(
            [x for x, _ in bands],
            [height(fact.interval.low) for _, fact in bands if fact.interval],
            [height(fact.interval.high) for _, fact in bands if fact.interval],
            color=colour("focus"),
            alpha=0.2,
            linewidth=0,
        )
        axes.plot(
            [x for x, _ in fitted],
            [height(float(fact.value or 0)) for _, fact in fitted],
            color=colour("focus"),
            linewidth=1.4,
        )
        axes.plot(
            [x for x, _ in counted],
            [height(float(fact.value or 0)) for _, fact in counted],
            "o",
            color=colour("actual"),
            markersize=3.4,
        )
        value_axis(axes, "y", name=axis_name(measure, unit, scale, language))
        value_axis(axes, "x", name=axis_name(age, Unit.parse("months"), ONE, language), grid=False)
        axes.set_xscale("log")
        lowest = min(float(fact.value or 1) for _, fact in counted)
        highest = max(float(fact.value or 0) for _, fact in counted)
        shares = [
            share for share in (0.0001, 0.001, 0.01, 0.1, 0.5, 0.9) if lowest / 3 <= share <= highest * 3
        ]
        axes.set_yticks(
            [height(share) for share in shares],
            labels=[f"{shown(share, unit, scale):g}%" for share in shares],
        )
        months = [
            month
            for month in (0.5, 1, 2, 5, 10, 20, 50, 100)
            if counted[0][0] * 0.8 <= month <= counted[-1][0] * 1.2
        ]
        axes.set_xticks(months, labels=[f"{month:g}" for month in months])
        axes.set_xticks([], minor=True)

    columns = [
        Column(key="age", label=age),
        Column(key="counted", label=Text.of("Counted")),
        Column(key="fitted", label=Text.of("Weibull")),
        Column(key="interval", label=INTERVAL, show="interval"),
    ]
    rows = [Row(cells={"age": f"{x:.1f}", "counted": fact}) for x, fact in counted]
    rows += [Row(cells={"age": f"{x:.1f}", "fitted": fact, "interval": fact}) for x, fact in fitted]
    return Drawing(draw=draw, data=(columns, rows), size=(WIDTH, 2.7))
