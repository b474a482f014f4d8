"""Lives as facts: Weibull shape and B10 life by component, the distributions compared, and curves by age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.failures import lives
from analysis.failures.comparing import BEYOND
from analysis.failures.field import Field
from analysis.failures.life_models import DAYS_PER_MONTH, OPEN, SPAN_DAYS, compared, plot_points
from analysis.failures.limits import all_reasons, interval_of
from analysis.failures.lives import ComponentLife, LifeApart
from analysis.failures.localising_facts import cause_name, cause_slice
from analysis.failures.views import is_value
from analysis.locale import Text
from analysis.metrics import NotDone, traced
from analysis.metrics.views import month_index
from analysis.results import Fact, Interval
from analysis.summaries import Summarised

Curve = tuple[tuple[float, Fact], ...]
COUNTED = "Nelson–Aalen, log"
LIKELIHOOD_RATIO = "likelihood ratio"
NOBODY_NEW = Text.of("no machine entered service within the window")
NOT_FOLLOWED = Text.of("no month whose repairs were all watched for all the days")
NO_FAILURE = Text.of("nothing failed in the window")
OTHER, OTHER_MACHINES = "other", Text.of("other machines")


@dataclass(frozen=True, kw_only=True, eq=False)
class LifeFacts(Summarised):
    """The life of a component on all machines or, where the search found a cause, on the machines of one cause or on those outside its causes.

    ``id`` tells the lives of one component apart; ``direction`` is falling, rising or unclear; ``evidence`` failures and machines watched by age.
    Where these machines cannot be fitted, ``not_done`` says why and shape and B10 life have no value.
    """

    id: str
    name: Text
    component: str
    shape: Fact
    b10: Fact
    failures: Fact
    direction: str
    beyond_data: bool
    worst_gap: float
    models: tuple[ModelFacts, ...]
    not_fitted: Mapping[str, NotDone]
    paper: PlotFacts | None
    evidence: pd.DataFrame
    not_done: NotDone | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelFacts(Summarised):
    """One life distribution of one life: Schwarz criterion above the lowest, log-likelihood, B10 life, and whether it is the one used."""

    model: str
    name: Text
    log_likelihood: Fact
    excess: Fact
    b10: Fact
    used: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class PlotFacts(Summarised):
    """Share failed by age (months): counted without a model, and by the fitted Weibull with its band."""

    counted: Curve
    fitted: Curve


@traced
def life_facts(
    field: Field,
    apart: Mapping[str, Sequence[LifeApart]],
    without: Mapping[str, NotDone],
    *,
    error: float,
    models: bool = True,
) -> tuple[LifeFacts, ...] | NotDone:
    """Every life that is said, in the order of ``apart``; not done where none could be fitted, for the reasons of ``without``.

    ``error`` is the chance that any shape is called falling or rising when it is not, shared by all readings; ``models`` whether other life
    distributions are fitted beside the Weibull.
    """
    readings = sum(not isinstance(part.life, NotDone) for parts in apart.values() for part in parts)
    if not readings:
        return all_reasons([part.reason for part in without.values()] or [NO_FAILURE])
    level = 1 - error / readings
    return tuple(
        _life(
            field,
            part,
            id=part.component if len(parts) == 1 else f"{part.component}_{number}",
            reading_level=level,
            first=k == 0,
            models=models,
        )
        for k, parts in enumerate(apart.values())
        for number, part in enumerate(parts, start=1)
    )


def _place(field: Field, apart: LifeApart) -> tuple[dict[str, Any], Text]:
    """The dimensions and the name of a life; machines outside the causes of a component have ``machines`` other."""
    if apart.cause is not None:
        return cause_slice(apart.cause), cause_name(field, apart.cause)
    place, name = {"component": apart.component}, field.label("component", apart.component)
    if not apart.outside:
        return place, name
    return place | {"machines": OTHER}, Text(
        en=f"{name.en} ({OTHER_MACHINES.en})", zh=f"{name.zh}（{OTHER_MACHINES.zh}）"
    )


#: An age so many times that of the oldest machine is the formula's word, not that of any machine watched.
FAR = 100


def far_beyond(age: Any, oldest: float) -> bool:
    """Whether an age in months lies so far beyond the oldest machine, or has an interval without width, that no data speak for it."""
    return bool(age.value > FAR * oldest or age.low >= age.high)


@traced
def _life(
    field: Field, apart: LifeApart, *, id: str, reading_level: float, first: bool, models: bool
) -> LifeFacts:
    """The steepest component is drawn; the slow mixture is fitted there and where the Weibull departs."""
    life, level = apart.life, field.inputs.confidence
    place, name = _place(field, apart)
    rows = field.rows(f"{is_value('component', apart.component)} AND {apart.machines}")
    failures = field.state.measured("failure_count", rows, **place)
    if isinstance(life, NotDone):
        return LifeFacts(
            id=id,
            name=name,
            component=apart.component,
            shape=field.state.exact("weibull_shape", None, reason=life.unstated, **place),
            b10=field.state.exact("b10_life", None, reason=life.unstated, **place),
            failures=failures,
            direction="unclear",
            beyond_data=False,
            worst_gap=0.0,
            models=(),
            not_fitted={},
            paper=None,
            evidence=pd.DataFrame(),
            not_done=life,
        )
    shape, b10 = life.fit.shape_interval(level=level), life.fit.b_life(0.1, level=level)

    def estimate(metric: str, found: Any, *, known: bool = True) -> Fact:
        if not known:
            return field.state.exact(metric, None, reason=BEYOND, **place)
        limits = interval_of(found.low, found.high, level, LIKELIHOOD_RATIO)
        return field.state.exact(metric, found.value, parts={"interval": limits, "n": life.failures}, **place)

    beside, not_fitted = (
        _model_facts(field, life, place, oldest=apart.oldest, mixture=first or life.worst_gap > 0)
        if models
        else ((), {})
    )
    return LifeFacts(
        id=id,
        name=name,
        component=apart.component,
        shape=estimate("weibull_shape", shape),
        b10=estimate("b10_life", b10, known=not far_beyond(b10, apart.oldest)),
        failures=failures,
        direction=life.fit.hazard_direction(level=reading_level),
        beyond_data=b10.value > apart.oldest,
        worst_gap=life.worst_gap,
        models=beside,
        not_fitted=not_fitted,
        paper=_plot_facts(field, life, place) if first else None,
        evidence=_by_age(life, component=life.component),
    )


def _by_age(life: ComponentLife, component: str) -> pd.DataFrame:
    """Failures and machines watched by fortnight of age, as the fit takes them."""
    ages = np.arange(len(life.counts.failures)) * SPAN_DAYS / DAYS_PER_MONTH
    frame = pd.DataFrame(
        {
            "component": component,
            "age_months": ages.round(2),
            "failures": life.counts.failures.astype(int),
            "machines": life.counts.machines.astype(int),
        }
    )
    return frame[frame["machines"] > 0]


@traced
def _model_facts(
    field: Field, life: ComponentLife, machines: Mapping[str, Any], *, oldest: float, mixture: bool
) -> tuple[tuple[ModelFacts, ...], Mapping[str, NotDone]]:
    level, found = field.inputs.confidence, []
    models, not_fitted = compared(life.counts, level=level, mixture=mixture)
    for one in models:
        place: dict[str, Any] = {**machines, "life_model": one.model}
        n = {"n": life.failures}
        b10 = one.b10
        if not isinstance(b10, NotDone) and far_beyond(b10, oldest):
            b10 = NotDone(reason=BEYOND)
        limits = None if isinstance(b10, NotDone) else interval_of(b10.low, b10.high, level, b10.method)
        found.append(
            ModelFacts(
                model=one.model,
                name=field.label("life_model", one.model),
                used=one.used,
                log_likelihood=field.state.exact("life_log_likelihood", one.log_likelihood, parts=n, **place),
                excess=field.state.exact("life_criterion", one.excess, parts=n, **place),
                b10=field.state.exact(
                    "b10_life",
                    None if isinstance(b10, NotDone) else b10.value,
                    reason=b10.reason if isinstance(b10, NotDone) else OPEN,
                    parts=n | {"interval": limits},
                    **place,
                ),
            )
        )
    return tuple(found), not_fitted


@traced
def _plot_facts(field: Field, life: ComponentLife, machines: Mapping[str, Any]) -> PlotFacts:
    level = field.inputs.confidence
    points = plot_points(life.counts, life.fit, level=level)

    def share(age: float, line: str, value: float, limits: Interval | None) -> tuple[float, Fact]:
        return age, field.state.exact(
            "failed_share",
            value,
            parts={"interval": limits, "n": life.failures},
            by_month=f"{age:.2f}",
            line=line,
            **machines,
        )

    return PlotFacts(
        counted=tuple(
            share(float(age), "counted", float(failed), interval_of(low, high, level, COUNTED))
            for age, failed, low, high in zip(points.age, points.share, points.low, points.high, strict=True)
        ),
        fitted=tuple(
            share(float(age), "fitted", one.value, interval_of(one.low, one.high, level, one.method))
            for age, one in zip(points.fit_age, points.fitted, strict=True)
        ),
    )


@traced
def survival_curve(field: Field) -> Curve | NotDone:
    """Machines without any failure, at whole months of age."""
    curves = lives.first_failures(field)
    if not curves:
        return NotDone(reason=NOBODY_NEW)
    curve = curves["all"]
    at = curve.at(np.arange(0, int(curve.last_time) + 1, dtype=float))
    return _curve(field, "failure_free_share", at, "time", "survival", n=int(curve.subjects))


@traced
def repairs_curve(field: Field) -> Curve | NotDone:
    """Failures that a machine has had, at every third month of age."""
    if not field.failure_counts["failures"].sum():
        return NotDone(reason=NO_FAILURE)
    found = lives.repairs_per_machine(field, level=field.inputs.confidence)
    at = found.at(np.arange(0, int(found.last_age) + 1, lives.GRID_MONTHS, dtype=float))
    return _curve(field, "repairs_per_machine", at, "age", "mcf", n=int(found.units))


def _curve(field: Field, metric: str, table: pd.DataFrame, age: str, value: str, *, n: int) -> Curve:
    """A step curve; beyond the last observation there is none."""
    points = []
    for row in table.dropna(subset=[value]).to_dict("records"):
        at = float(row[age])
        limits = interval_of(row["low"], row["high"], field.inputs.confidence, "pointwise")
        parts = {"n": n, "interval": limits}
        points.append((at, field.state.exact(metric, float(row[value]), parts=parts, by_month=f"{at:g}")))
    return tuple(points)


@traced
def repeat_facts(field: Field) -> tuple[Fact, ...] | NotDone:
    """Repairs repeated within the days of the rule by month of resolution, up to the last month whose repairs were all watched that long."""
    repairs = lives.followed(
        field, f"month_no BETWEEN {month_index(field.first)} AND {lives.last_followed(field)}"
    )
    found = field.state.measured_by("repeat_repair_rate_30d", repairs, by=("month",))
    return tuple(found.values()) or NotDone(reason=NOT_FOLLOWED)
