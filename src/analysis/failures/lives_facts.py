"""Lives as facts: Weibull shape and B10 life by component, the distributions compared, and curves by age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.failures import lives
from analysis.failures.field import Field
from analysis.failures.life_models import DAYS_PER_MONTH, OPEN, SPAN_DAYS, compared, plot_points
from analysis.failures.limits import all_reasons, interval_of
from analysis.failures.lives import ComponentLife, LifeApart
from analysis.failures.localising import Cause
from analysis.failures.localising_facts import cause_name, cause_slice
from analysis.failures.views import is_value
from analysis.locale import Text
from analysis.metrics import NotDone, traced
from analysis.metrics.backend import literal
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
    """The life of one component; ``direction`` is falling, rising or unclear, ``evidence`` failures and machines watched by age."""

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
    parts: tuple[LifePart, ...] = ()

    @property
    def said(self) -> tuple[LifePart, ...]:
        """What is said of its life: of its parts where the search told them apart, else of all machines."""
        whole = LifePart(
            name=self.name,
            shape=self.shape,
            b10=self.b10,
            failures=self.failures,
            direction=self.direction,
            beyond_data=self.beyond_data,
            evidence=self.evidence,
        )
        return self.parts or (whole,)


@dataclass(frozen=True, kw_only=True, eq=False)
class LifePart(Summarised):
    """The life of a component on some machines: those of a cause, those outside all causes, or all."""

    name: Text
    shape: Fact
    b10: Fact
    failures: Fact
    direction: str
    beyond_data: bool
    evidence: pd.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelFacts(Summarised):
    """One life distribution of one component: Schwarz criterion above the lowest, log-likelihood, B10 life, and whether it is the one used."""

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
    fitted: Sequence[ComponentLife],
    without: Mapping[str, NotDone],
    apart: Mapping[str, Sequence[LifeApart]],
    *,
    error: float,
    models: bool = True,
) -> tuple[LifeFacts, ...] | NotDone:
    """Every fitted component, the steepest first; not done where no component could be fitted, for the reasons of ``without``.

    ``apart`` are the lives of machines that the search told from the others; ``error`` is the chance that any shape is called falling or rising
    when it is not, shared by all readings; ``models`` whether other life distributions are fitted beside the Weibull.
    """
    if not fitted:
        return all_reasons([part.reason for part in without.values()] or [NO_FAILURE])
    ordered = sorted(fitted, key=lambda one: (-one.fit.shape, one.component))
    level = 1 - error / max(len(fitted) + sum(len(parts) for parts in apart.values()), 1)
    return tuple(
        _life(field, one, apart.get(one.component, ()), reading_level=level, first=k == 0, models=models)
        for k, one in enumerate(ordered)
    )


@traced
def _part(
    field: Field, apart: LifeApart, others: Sequence[Cause], component: Text, *, reading_level: float
) -> LifePart:
    """Shape and B10 of some machines; those outside the causes of a component (``others``) have ``machines`` other."""
    life, level = apart.life, field.inputs.confidence
    place: dict[str, Any] = {"component": life.component, "machines": OTHER}
    where = f"component = {literal(life.component)}"
    name = Text(en=f"{component.en} ({OTHER_MACHINES.en})", zh=f"{component.zh}（{OTHER_MACHINES.zh}）")
    if apart.cause is not None:
        place, name = cause_slice(apart.cause), cause_name(field, apart.cause)
        where += f" AND {lives.inside(apart.cause)}"
    else:
        where += "".join(f" AND NOT {lives.inside(cause)}" for cause in others)
    shape, b10 = life.fit.shape_interval(level=level), life.fit.b_life(0.1, level=level)

    def estimate(metric: str, found: Any) -> Fact:
        limits = interval_of(found.low, found.high, level, LIKELIHOOD_RATIO)
        return field.state.exact(metric, found.value, parts={"interval": limits, "n": life.failures}, **place)

    return LifePart(
        name=name,
        shape=estimate("weibull_shape", shape),
        b10=estimate("b10_life", b10),
        failures=field.state.measured("failure_count", field.rows(where), **place),
        direction=life.fit.hazard_direction(level=reading_level),
        beyond_data=b10.value > apart.oldest,
        evidence=_by_age(life, component=life.component),
    )


@traced
def _life(
    field: Field,
    life: ComponentLife,
    apart: Sequence[LifeApart],
    *,
    reading_level: float,
    first: bool,
    models: bool,
) -> LifeFacts:
    """The steepest is drawn; the slow mixture is fitted there and where the Weibull departs."""
    level, place = field.inputs.confidence, {"component": life.component}
    shape, b10 = life.fit.shape_interval(level=level), life.fit.b_life(0.1, level=level)

    def estimate(metric: str, found: Any) -> Fact:
        limits = interval_of(found.low, found.high, level, LIKELIHOOD_RATIO)
        parts = {"interval": limits, "n": life.failures}
        return field.state.exact(metric, found.value, parts=parts, component=life.component)

    beside, not_fitted = (
        _model_facts(field, life, mixture=first or life.worst_gap > 0) if models else ((), {})
    )
    rows = field.rows(is_value("component", life.component))
    return LifeFacts(
        name=field.label("component", life.component),
        component=life.component,
        shape=estimate("weibull_shape", shape),
        b10=estimate("b10_life", b10),
        failures=field.state.measured("failure_count", rows, component=life.component),
        direction=life.fit.hazard_direction(level=reading_level),
        beyond_data=b10.value > float(field.by_age["age_months"].max()),
        worst_gap=life.worst_gap,
        models=beside,
        not_fitted=not_fitted,
        paper=_plot_facts(field, life) if first else None,
        evidence=_by_age(life, **place),
        parts=tuple(
            _part(
                field,
                one,
                [part.cause for part in apart if part.cause is not None],
                field.label("component", life.component),
                reading_level=reading_level,
            )
            for one in apart
        ),
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
    field: Field, life: ComponentLife, *, mixture: bool
) -> tuple[tuple[ModelFacts, ...], Mapping[str, NotDone]]:
    level, found = field.inputs.confidence, []
    models, not_fitted = compared(life.counts, level=level, mixture=mixture)
    for one in models:
        place: dict[str, Any] = {"component": life.component, "model": one.model}
        n = {"n": life.failures}
        b10 = one.b10
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
def _plot_facts(field: Field, life: ComponentLife) -> PlotFacts:
    level = field.inputs.confidence
    points = plot_points(life.counts, life.fit, level=level)

    def share(age: float, line: str, value: float, limits: Interval | None) -> tuple[float, Fact]:
        return age, field.state.exact(
            "failed_share",
            value,
            parts={"interval": limits, "n": life.failures},
            component=life.component,
            by_month=f"{age:.2f}",
            line=line,
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
