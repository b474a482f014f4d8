"""Control charts and the watch for what is new, as facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.failures import fixes, monitoring, views
from analysis.failures.baseline import Baseline
from analysis.failures.comparing import BEYOND
from analysis.failures.error_rates import ErrorRates
from analysis.failures.field import Field
from analysis.failures.limits import interval_of, scale_limits
from analysis.failures.monitoring import RateCharts
from analysis.locale import Text
from analysis.metrics import NotDone, Period, traced
from analysis.metrics.views.selection import study_view
from analysis.params.interventions import Intervention
from analysis.periods import Month
from analysis.results import Fact
from analysis.summaries import Summarised

if TYPE_CHECKING:
    from analysis.stats.control import ControlChart


@dataclass(frozen=True, kw_only=True, eq=False)
class ChartFacts(Summarised):
    """A control chart as facts; ``signals`` are months that a rule marks, ``left_out`` those that centre and limits are computed without."""

    kind: str
    choice: str
    months: tuple[Month, ...]
    values: tuple[Fact, ...]
    centre: tuple[Fact, ...]
    lower: tuple[Fact, ...]
    upper: tuple[Fact, ...]
    signals: tuple[Month, ...]
    overdispersion: Fact | None
    left_out: tuple[Month, ...] = ()

    @property
    def frame(self) -> pd.DataFrame:
        """The chart as a table, one row per month: ``month``, ``value``, ``centre``, ``lower``, ``upper``, ``signal``."""
        lines = {"value": self.values, "centre": self.centre, "lower": self.lower, "upper": self.upper}
        columns = {name: [fact.value for fact in facts] for name, facts in lines.items()}
        months = [str(month) for month in self.months]
        return pd.DataFrame(
            {"month": months} | columns | {"signal": [m in self.signals for m in self.months]}
        )


@traced
def chart_facts(
    field: Field,
    chart: ControlChart,
    *,
    metric: str = "failure_rate_adjusted",
    limit_metric: str = "failure_rate_limit",
    fix: str = "",
) -> ChartFacts:
    """Points, centre and limits of a chart by month; of the machines and component of a ``fix`` where one is named."""
    points = chart.points
    place: dict[str, Any] = {"fix": fix} if fix else {}
    scale = field.inputs.engine.registry[metric].per

    reach = point_limits(points, level=field.inputs.confidence)

    def limit(column: str) -> tuple[Fact, ...]:
        values = np.maximum(points[column].to_numpy(dtype=float), 0.0)
        return tuple(
            field.state.exact(
                limit_metric,
                float(value) if np.isfinite(value) else None,
                reason=NONE_EXPECTED,
                period=month,
                **{**place, "line": column},
            )
            for month, value in zip(field.months, values, strict=True)
        )

    values = tuple(
        field.state.exact(
            metric,
            float(value) if np.isfinite(value) else None,
            reason=NONE_EXPECTED,
            period=month,
            parts={
                "n": int(size * scale),
                "interval": interval_of(low, high, field.inputs.confidence, POINT_METHOD),
            },
            **place,
        )
        for month, value, size, (low, high) in zip(
            field.months, points["value"], points["size"], reach, strict=True
        )
    )
    return ChartFacts(
        kind=chart.kind,
        choice=chart.choice.code,
        months=tuple(field.months),
        values=values,
        centre=limit("centre"),
        lower=limit("lower"),
        upper=limit("upper"),
        signals=tuple(field.months[int(p)] for p in sorted(set(chart.signals["point"]))),
        overdispersion=_scatter(field, chart, place),
        left_out=_left_out(field, chart),
    )


# no machine was in the field, or it was a month of the year in which none ever failed
NONE_EXPECTED = Text.of("not computed: no failure was to be expected")


def _left_out(field: Field, chart: ControlChart) -> tuple[Month, ...]:
    """Months beyond the limits that were to make them; those judged by the months before were never to."""
    points = chart.points
    out = ~points["used_for_limits"] & (points["size"] > 0) & ~np.asarray(chart.settings.suspects)
    return tuple(month for month, left in zip(field.months, out, strict=True) if left)


POINT_METHOD = "exact Poisson, expectation taken as known"
SCATTER_METHOD = "chi-square, degrees of freedom of moving ranges"


@traced
def point_limits(points: pd.DataFrame, *, level: float) -> list[tuple[float, float]]:
    """Limits of each point of a chart of rates or ratios: its own count's, over its exposure or expectation."""
    from analysis.stats import poisson_interval

    size = points["size"].to_numpy(dtype=float)
    found = poisson_interval(
        np.rint(points["value"].fillna(0).to_numpy(dtype=float) * size), size, level=level
    )
    return list(zip(found.low, found.high, strict=True))


@traced
def _scatter(field: Field, chart: ControlChart, place: dict[str, Any]) -> Fact | None:
    """How much more points scatter than counts; a mean moving range over d2 has variance of about 0.826 sigma squared over the points."""
    scatter, points = chart.choice.sigma_z, chart.choice.points
    if scatter is None:
        return None
    low, high = scale_limits(float(scatter), freedom=points / (2 * 0.826), level=field.inputs.confidence)
    return field.state.between(
        "overdispersion", float(scatter), low, high, n=points, method=SCATTER_METHOD, **place
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class RuleFacts(Summarised):
    """One rule of a chart by name: the months it signals, and on what share of quiet charts of this length it would signal at all."""

    name: Text
    looks_for: Text
    months: tuple[Month, ...]
    false_alarms: Fact


@traced
def rule_facts(field: Field, charts: RateCharts, *, seed: int) -> tuple[RuleFacts, ...]:
    """Nelson's eight rules, the Western Electric rules that differ from them, EWMA and CUSUM."""
    from analysis.stats import false_alarms_by_rule

    number = int(field.assumed("failure_quiet_charts"))
    quiet = false_alarms_by_rule(len(field.months), simulations=number, seed=seed)
    found = []
    for name, (title, what) in RULE_NAMES.items():
        chart = {"ewma": charts.ewma, "cusum": charts.cusum}.get(name, charts.rules)
        at = sorted({int(p) for p in chart.signals.loc[chart.signals["rule"] == name, "point"]})
        alarms = field.state.share("chart_false_alarms", round(quiet[name] * number), number, rule=name)
        found.append(
            RuleFacts(
                name=title, looks_for=what, months=tuple(field.months[k] for k in at), false_alarms=alarms
            )
        )
    return tuple(found)


RULE_NAMES: dict[str, tuple[Text, Text]] = {
    "nelson_1": (Text.of("Nelson 1, Western Electric 1"), Text.of("one point beyond three sigmas")),
    "nelson_2": (Text.of("Nelson 2"), Text.of("nine in a row on one side")),
    "nelson_3": (Text.of("Nelson 3"), Text.of("six in a row rising or falling")),
    "nelson_4": (Text.of("Nelson 4"), Text.of("fourteen up and down in turn")),
    "nelson_5": (Text.of("Nelson 5, Western Electric 2"), Text.of("two of three beyond two sigmas")),
    "nelson_6": (Text.of("Nelson 6, Western Electric 3"), Text.of("four of five beyond one sigma")),
    "nelson_7": (Text.of("Nelson 7"), Text.of("fifteen within one sigma")),
    "nelson_8": (Text.of("Nelson 8"), Text.of("eight outside one sigma")),
    "western_electric_4": (Text.of("Western Electric 4"), Text.of("eight in a row on one side")),
    "ewma": (Text.of("EWMA, weight 0.2"), Text.of("smoothed rate beyond its limits: small lasting shifts")),
    "cusum": (Text.of("CUSUM, k 0.5, h 5"), Text.of("summed departures: small lasting shifts")),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class PhaseFacts(Summarised):
    """A fix's own machines and component, month by month, with limits before it and limits since.

    ``made_with`` is the share of their unit-months since that were on machines made with the fix: what the chart could show of it. ``before`` and
    ``after`` are all failures of a phase over all that were expected of it, the months beyond the limits included; ``change`` is their ratio.
    """

    fix: Intervention
    name: Text
    made_with: Fact
    starts: Month
    chart: ChartFacts
    before: Fact
    after: Fact
    change: Fact


NO_PHASES = Text.of("a phase is too short, or a month expects less than one failure")


@traced
def phase_facts(field: Field, baseline: Baseline, fix: Intervention) -> PhaseFacts | NotDone:
    """The chart of a fix; not done where its phases are too short or its months too thin."""
    chart = monitoring.phase_chart(field, baseline, fix)
    if chart is None or not np.isfinite(chart.centre).all():
        return NotDone(reason=NO_PHASES)
    facts = chart_facts(field, chart, metric="failure_ratio", limit_metric="failure_ratio_limit", fix=fix.id)
    starts = Month(fix.starts.year, fix.starts.month)
    points, at = chart.points, field.months.index(starts)
    due = points["size"].to_numpy(dtype=float)
    seen = np.rint(points["value"].to_numpy(dtype=float) * due)
    told = {"before": slice(0, at), "after": slice(at, None)}
    counts = {phase: (float(seen[part].sum()), float(due[part].sum())) for phase, part in told.items()}
    spans = {"before": Period(field.first, starts - 1), "after": Period(starts, field.last)}
    before, after = (
        _phase_level(field, fix, phase, *counts[phase], period=spans[phase]) for phase in ("before", "after")
    )
    return PhaseFacts(
        fix=fix,
        name=fix.name,
        made_with=_made_with(field, fix, Period(starts, field.last)),
        starts=starts,
        chart=facts,
        before=before,
        after=after,
        change=_phase_change(field, fix, after, before, counts),
    )


def _phase_level(
    field: Field, fix: Intervention, phase: str, failures: float, expected: float, *, period: Period
) -> Fact:
    """All failures of a phase over all that were expected: counted, not the centre line, which leaves out the months beyond its limits."""
    from analysis.stats import poisson_interval

    level = field.inputs.confidence
    found = poisson_interval(failures, expected, level=level)
    return field.state.exact(
        "failure_ratio",
        failures / expected,
        period=period,
        parts={
            "numerator": failures,
            "denominator": expected,
            "n": int(failures),
            "interval": interval_of(float(found.low), float(found.high), level, POINT_METHOD),
        },
        fix=fix.id,
        phase=phase,
    )


def _phase_change(
    field: Field, fix: Intervention, after: Fact, before: Fact, counts: dict[str, tuple[float, float]]
) -> Fact:
    """The level since a fix over that before it, with the exact interval of two Poisson rates; not stated where nothing failed before."""
    from analysis.stats import rate_ratio_interval

    level = field.inputs.confidence
    parts: dict[str, Any] = {"n": after.n}
    if counts["before"][0]:
        found = rate_ratio_interval(*counts["after"], *counts["before"], level=level)
        parts["interval"] = interval_of(float(found.low), float(found.high), level, CHANGE_METHOD)
    return field.state.derived("failure_ratio_change", after, before, parts=parts, fix=fix.id)


CHANGE_METHOD = "exact conditional (two Poisson rates)"


@traced
def _made_with(field: Field, fix: Intervention, since: Period) -> Fact:
    """The share of unit-months since a fix began that were on machines made with it."""
    return field.state.measured(
        "fix_exposure_share", exposure_since(field, fix, since), period=since, fix=fix.id
    )


@study_view
def exposure_since(field: Field, fix: Intervention, since: Period) -> str:
    """The unit-months in a period of the machines that a fix concerns; ``with_fix`` of those made with it."""
    made = f"produced_month <> 'not_stated' AND {fixes.made_with(fix)}"
    grid = field.exposure("produced_month", where=views.condition(fix.where))
    return views.with_parts(grid) + f"SELECT *, {made} AS with_fix FROM grid WHERE {views.within(since)}"


@dataclass(frozen=True, kw_only=True, eq=False)
class AlertFacts(Summarised):
    """A cell of component by attribute value that fails more than it used to, with its failures of the last months.

    ratio : beyond the data where none failed before; ``limits`` are known even then
    """

    name: Text
    ratio: Fact
    failures: Fact
    limits: tuple[float, float]
    evidence: pd.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class WatchFacts(Summarised):
    """How many cells are watched, how often the watch is wrong and how soon it is right, and its alerts."""

    cells: Fact
    false_alarms: Fact
    detected: tuple[Fact, ...]
    alerts: tuple[AlertFacts, ...]


FEWEST_MONTHS = 6
TOO_SHORT = Text.of("the window is shorter than six months")
NO_CELLS = Text.of("no cell expects enough failures")


@traced
def watch_facts(field: Field, baseline: Baseline, errors: ErrorRates, *, seed: int) -> WatchFacts | NotDone:
    """What is new in the last months; not done in a short window or where no cell is large enough."""
    if len(field.months) < FEWEST_MONTHS:
        return NotDone(reason=TOO_SHORT)
    found = monitoring.emerging(
        field, baseline, familywise=errors.watch, level=field.inputs.confidence, seed=seed
    )
    if found is None:
        return NotDone(reason=NO_CELLS)
    period, drawn = monitoring.recent(field), found.simulations
    return WatchFacts(
        cells=field.state.exact("watch_cells", len(found.cells), period=period),
        false_alarms=field.state.share(
            "watch_false_alarms", round(found.false_alarms * drawn), drawn, period=period
        ),
        detected=tuple(
            field.state.share(
                "watch_detection", round(share * drawn), drawn, period=period, after_months=str(k)
            )
            for k, share in enumerate(found.detected, 1)
        ),
        alerts=tuple(_alert(field, row, period) for row in found.alerts.itertuples()),
    )


@traced
def _alert(field: Field, row: Any, period: Period) -> AlertFacts:
    place = {"component": str(row.component), str(row.dimension): str(row.value)}
    limits = interval_of(row.low, row.high, field.inputs.confidence, "exact conditional (two Poisson rates)")
    component, value = (field.label(name, shown) for name, shown in place.items())
    words = field.inputs.engine.registry.dimension_name(str(row.dimension))
    dimensions: dict[str, Any] = dict(place)
    where = f"{views.condition(place)} AND {views.within(period)}"
    known = bool(np.isfinite(row.rate_ratio))
    return AlertFacts(
        name=Text(
            en=f"{component.en}, {words.en.lower()} {value.en}", zh=f"{component.zh}，{words.zh} {value.zh}"
        ),
        ratio=field.state.exact(
            "emerging_rate_ratio",
            float(row.rate_ratio) if known else None,
            reason=BEYOND,
            period=period,
            parts={"n": int(row.failures), "interval": limits} if known else {},
            **dimensions,
        ),
        failures=field.state.measured("failure_count", field.rows(where), period=period, **dimensions),
        limits=(float(row.low), float(row.high)),
        evidence=field.inputs.engine.query(f"{field.rows(where)} ORDER BY event_on DESC, ticket_id"),
    )
