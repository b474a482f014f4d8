"""Exhibits of how parts and machines age: shape and B10 life by component, five distributions compared, curves by age."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.exhibits.failure_shared import or_nothing, or_said, source
from analysis.exhibits.figures import figure
from analysis.exhibits.record import Block
from analysis.exhibits.specification import interval, metric, registry, row_of, table_of, words
from analysis.exhibits.statements import callout, not_computed
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
from analysis.exhibits.vocabulary import Row
from analysis.failures.life_models import MODELS
from analysis.failures.lives_facts import Curve, LifeFacts
from analysis.failures.result import FailureStudy
from analysis.formats import ONE, Unit
from analysis.locale import Language, Text
from analysis.metrics import NotDone
from analysis.results import Fact, Sentence, Value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# ---------------------------------------------------------------- components

_DIRECTIONS = {"falling": "Early failures", "rising": "Wears out", "unclear": "Steady"}


@or_said
def life_table(study: FailureStudy) -> Block:
    """Weibull shape and B10 life by component, with the bathtub reading."""
    if isinstance(study.lives, NotDone):
        return not_computed(study.lives, id="failures.lives", what=registry().dimension_name("life_model"))
    columns = [
        words("name", registry().dimension_name("component"), key="component", wide=True),
        metric("failure_count", of="failures", head="Failures", places=0),
        metric("weibull_shape", of="shape", places=2),
        interval("weibull_shape", of="shape", key="shape_interval", places=2),
        words(_reading, "Reading", key="reading"),
        metric("b10_life", of="b10", places=1),
        interval("b10_life", of="b10", key="b10_interval", places=1),
        words(_extrapolated, "Extrapolated", key="note"),
    ]
    return table_of(
        "failures.lives",
        title=Sentence("How components age"),
        subtitle=Sentence(
            "Shape below one: early failures; above one: wear-out; an interval that holds one is read as steady; machines of a cause that the search named stand apart"
        ),
        rows=[row_of(life, columns, by=tuple(life.shape.dimensions)) for life in study.lives],
        columns=columns,
        note=source(study),
    )


def _reading(life: LifeFacts) -> Text:
    return life.not_done.reason if life.not_done is not None else Text.of(_DIRECTIONS[life.direction])


def _extrapolated(life: LifeFacts) -> Text | None:
    if life.not_done is not None:
        return None
    return Text.of("beyond the oldest machines") if life.beyond_data else Text.of("no")


@or_nothing
def models_table(study: FailureStudy) -> Block | None:
    """Five distributions by component, machines of a cause apart, by how far their criterion lies above the lowest."""
    if not study.lives:
        return None
    names = {one.model: one.name for life in study.lives for one in life.models}
    columns = [
        words("name", registry().dimension_name("component"), key="component", wide=True),
        *(
            metric(
                "life_criterion",
                of=_excess(model),
                key=model,
                head=names[model],
                slice={"life_model": model},
                places=1,
            )
            for model in MODELS
            if model in names
        ),
        words(_used, "Used", key="used", context="model"),
    ]
    return table_of(
        "failures.life_models",
        title=Sentence("Which life distribution the failures call for"),
        subtitle=Sentence(
            "Schwarz criterion above the lowest of its row; zero is best, more than 10 is very strong evidence against; blank: not fitted; machines of a cause that the search named stand apart"
        ),
        rows=[
            row_of(life, columns, by=tuple(life.shape.dimensions) if life.models else ())
            for life in study.lives
        ],
        columns=columns,
        note=Sentence(
            "The rule was fixed beforehand: Weibull, unless another lies more than 10 below it. The slow mixture is fitted to the steepest component and where the Weibull departs by more than chance."
        ),
    )


def _used(life: LifeFacts) -> Text | None:
    if life.not_done is not None:
        return life.not_done.reason
    return next((one.name for one in life.models if one.used), None)


def _excess(model: str) -> Callable[[LifeFacts], Fact | None]:
    return lambda life: next((one.excess for one in life.models if one.model == model), None)


@or_nothing
def probability_plot(study: FailureStudy) -> list[Block]:
    """The steepest component on Weibull paper, and its B10 life by distribution; machines of a cause stand on a paper of their own."""
    drawn = [life for life in study.lives or () if life.paper is not None and life.paper.counted]
    return [
        block
        for number, life in enumerate(drawn, start=1)
        for block in (_paper(study, life, number), _b10_table(study, life, number))
    ]


def _paper(study: FailureStudy, life: LifeFacts, number: int) -> Block:
    assert life.paper is not None
    values: dict[str, Value] = {"component": life.name, "shape": life.shape}
    return figure(
        _numbered("failures.weibull_plot", number),
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
            life.paper.counted, life.paper.fitted, measure=Text.of("Have failed"), age=Text.of("In service")
        ),
    )


def _numbered(id: str, number: int) -> str:
    return id if number == 1 else f"{id}_{number}"


def _b10_table(study: FailureStudy, life: LifeFacts, number: int) -> Block:
    return table_of(
        _numbered("failures.b10_models", number),
        title=Sentence("{component}: B10 life by distribution", {"component": life.name}),
        subtitle=Sentence("Intervals by likelihood ratio, of the mixture by its curvature"),
        rows=life.models,
        by=(*life.shape.dimensions, "life_model"),
        columns=[
            words("name", "Distribution", key="model", wide=True),
            metric(
                "life_log_likelihood", of="log_likelihood", key="likelihood", head="Log-likelihood", places=1
            ),
            metric("life_criterion", of="excess", head="Criterion above lowest", places=1),
            metric("b10_life", of="b10", places=1),
            interval("b10_life", of="b10", places=1),
            words(
                lambda one: Text.of("yes") if one.used else Text.of("no"), "Used", key="used", context="model"
            ),
        ],
        note=source(study),
    )


# ---------------------------------------------------------------- machines


AGES_SHOWN = (6.0, 12.0, 24.0, 36.0, 60.0)


@or_nothing
def ages_table(study: FailureStudy) -> Block | None:
    """Machines without any failure and mean failures per machine at a few ages; the curves are :func:`survival_figure` and :func:`repairs_figure`."""
    free, mean = dict(study.survival or ()), dict(study.repairs or ())
    ages = [age for age in AGES_SHOWN if age in free or age in mean]
    if not ages:
        return None
    rows: list[dict[str, Any]] = [
        {"age": f"{age:g}", "free": free.get(age), "mean": mean.get(age)} for age in ages
    ]
    return table_of(
        "failures.ages",
        title=Sentence("Machines by age: first failure and repeated repairs"),
        subtitle=Sentence(
            "Kaplan–Meier of machines put into service within the window, blank beyond the age at which the last of them failed or was still watched; mean cumulative function of all machines, repeated failures included"
        ),
        rows=rows,
        by=("by_month",),
        columns=[
            words("age", "Months in service"),
            metric("failure_free_share", of="free", head="Without failure", places=1),
            interval("failure_free_share", of="free", key="free_interval", places=1),
            metric("repairs_per_machine", of="mean", head="Failures per machine", places=2),
            interval("repairs_per_machine", of="mean", key="mean_interval", places=2),
        ],
        note=source(study),
    )


@or_nothing
def survival_figure(study: FailureStudy) -> Block:
    """Machines without any failure by months in service."""
    return _curve_figure(
        study,
        study.survival,
        "failures.survival",
        "After {age} months {value} of machines{value:doubt} have had no failure",
        "Kaplan–Meier, machines put into service within the window; band is the pointwise interval",
        Text.of("Without failure"),
        from_zero=False,
    )


@or_nothing
def repairs_figure(study: FailureStudy) -> Block:
    """Mean number of failures by months in service."""
    return _curve_figure(
        study,
        study.repairs,
        "failures.repairs",
        "After {age} months the mean is {value}{value:doubt}",
        "Mean cumulative function, repeated failures included; band is the pointwise interval",
        Text.of("Failures per machine"),
        from_zero=True,
    )


TITLE_AGE = 24.0


def _curve_figure(
    study: FailureStudy,
    curve: Curve | NotDone,
    id: str,
    title: str,
    subtitle: str,
    measure: Text,
    *,
    from_zero: bool,
) -> Block:
    from analysis.exhibits.charts.lines import Curve as Steps
    from analysis.exhibits.charts.lines import survival

    if isinstance(curve, NotDone):
        return not_computed(curve, id=id, what=measure)
    if len(curve) < 2:
        return callout(
            id, tone="info", title=Sentence("No curve: too little was watched from the first day on.")
        )
    age, value = max((point for point in curve if point[0] <= TITLE_AGE), key=lambda point: point[0])
    said = Sentence(title, {"age": f"{age:g}", "value": value})
    return figure(
        id,
        title=said,
        subtitle=Sentence(subtitle),
        foot=source(study),
        alt=said,
        draw=survival(
            [Steps(name=measure, points=list(curve), role="focus")],
            measure=measure,
            age=Text.of("In service"),
            age_unit="months",
            from_zero=from_zero,
        ),
    )


# ---------------------------------------------------------------- Weibull paper


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
        words("age", age),
        metric("failed_share", of="counted", head="Counted", slice={"line": "counted"}),
        metric("failed_share", of="fitted", head="Weibull", slice={"line": "fitted"}),
        interval("failed_share", of="fitted", slice={"line": "fitted"}),
    ]
    rows = [Row(cells={"age": f"{x:.1f}", "counted": fact}) for x, fact in counted]
    rows += [Row(cells={"age": f"{x:.1f}", "fitted": fact, "interval": fact}) for x, fact in fitted]
    return Drawing(draw=draw, data=([field.column for field in columns], rows), size=(WIDTH, 2.7))
