"""From estimates to facts: every number the failure notebook prints gets its id, unit, interval and n here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.failures import money, views
from analysis.failures.baseline import Baseline
from analysis.failures.field import Field
from analysis.failures.forecasting import Forecast, ForecastTest
from analysis.failures.life_models import compared, plot_points
from analysis.failures.lives import ComponentLife
from analysis.failures.localising import Cause, Cells, Search, members
from analysis.failures.reporting import Backtest, Delay, share_by_month
from analysis.failures.triangles import Triangle as Triangle
from analysis.failures.triangles import triangle as triangle
from analysis.locale import Text
from analysis.metrics import Period
from analysis.metrics.lineage import traced
from analysis.metrics.steady import exact_sum
from analysis.metrics.views import month_index
from analysis.periods import Month
from analysis.results import Fact, Interval
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

    from analysis.failures.monitoring import RateCharts
    from analysis.stats.control import ControlChart

CENT = Decimal("0.01")
Labelled = tuple[Text, Fact]


def whole(value: float) -> float:
    """An expected count as it is published: whole failures from a hundred on, one place below."""
    return float(round(value)) if value >= 100 else round(float(value), 1)


def cents(value: float | Decimal) -> Decimal:
    return Decimal(value).quantize(CENT, rounding=ROUND_HALF_UP)


@traced
def window(field: Field) -> Period:
    return Period(field.first, field.last)


@traced
def year(field: Field) -> Period:
    return Period(max(field.first, field.last - 11), field.last)


@traced
def label(field: Field, dimension: str, value: str) -> Text:
    return field.inputs.engine.registry.value_label(dimension, value)


def interval_of(low: float, high: float, level: float, method: str) -> Interval | None:
    return (
        Interval(low=float(low), high=float(high), level=level, method=method)
        if np.isfinite(low) and np.isfinite(high)
        else None
    )


# -- rates -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Rates(Summarised):
    """The failure rate: over a year, month by month as reported and as completed, by months in service, by units shipped."""

    year: Fact
    last: Fact
    reported: tuple[Fact, ...]
    completed: tuple[Fact, ...]
    shares: tuple[Fact, ...]
    by_age: tuple[Labelled, ...]
    per_unit: Fact
    counts: tuple[Fact, ...]
    error_raw: Fact | None
    error_corrected: Fact | None


@traced
def rates(field: Field, baseline: Baseline, delay: Delay, tested: Backtest | None) -> Rates:
    engine = field.inputs.engine
    held = field.by_age.groupby("month_no")["unit_months"].sum()
    counts = field.failure_counts.groupby("month_no")["failures"].sum()
    shares = share_by_month(delay, field.months, field.horizon)
    reported, completed, shown, numbers = [], [], [], []
    for month, share in zip(field.months, shares, strict=True):
        number = month_index(month)
        failed, exposed = int(counts.get(number, 0)), float(held.get(number, 0.0))
        fact = engine.ratio("failure_rate", failed, exposed, period=month)
        reported.append(fact)
        completed.append(_completed(field, fact, month, float(share)))
        shown.append(
            engine.stated("failure_reported_share", period=month, value=float(share), n=delay.failures)
        )
        numbers.append(engine.stated("failure_count", period=month, value=failed))
    first = month_index(year(field).first)
    over_year = engine.ratio(
        "failure_rate",
        int(counts[counts.index >= first].sum()),
        float(held[held.index >= first].sum()),
        period=year(field),
    )
    machines = int(field.shipped["machines"].sum())
    return Rates(
        year=over_year,
        last=completed[-1],
        reported=tuple(reported),
        completed=tuple(completed),
        shares=tuple(shown),
        by_age=_by_age(field, baseline),
        counts=tuple(numbers),
        per_unit=engine.ratio("failures_per_1000_units", int(counts.sum()), machines, period=window(field)),
        error_raw=_error(field, tested.error_raw, "counted") if tested else None,
        error_corrected=_error(field, tested.error_corrected, "corrected") if tested else None,
    )


@traced
def _completed(field: Field, fact: Fact, month: Month, share: float) -> Fact:
    """Count and share both uncertain: the count by its exact interval, the share taken as known (it rests on all failures)."""
    engine = field.inputs.engine
    if fact.value is None or share <= 0 or fact.interval is None:
        reason = fact.reason or Text(en="not computed: nothing is reported yet", zh="未计算：尚无报告")
        return engine.stated("failure_rate_completed", period=month, value=None, reason=reason)
    return engine.stated(
        "failure_rate_completed",
        period=month,
        value=float(fact.value) / share,
        numerator=fact.numerator,
        denominator=fact.denominator,
        n=fact.n,
        interval=interval_of(
            fact.interval.low / share,
            fact.interval.high / share,
            fact.interval.level,
            "exact Poisson over share reported",
        ),
    )


@traced
def _by_age(field: Field, baseline: Baseline) -> tuple[Labelled, ...]:
    engine = field.inputs.engine
    held = np.bincount(
        baseline.band_of(field.by_age["age_months"].to_numpy()),
        weights=field.by_age["unit_months"],
        minlength=len(baseline.bands),
    )
    counts = field.failure_counts
    failed = np.bincount(
        baseline.band_of(counts["age_months"].to_numpy()),
        weights=counts["failures"],
        minlength=len(baseline.bands),
    )
    lines = []
    for k, name in enumerate(band_names(baseline)):
        fact = engine.ratio(
            "failure_rate",
            int(failed[k]),
            float(held[k]),
            period=window(field),
            dimensions={"months_in_service": name},
        )
        lines.append((Text.same(name), fact))
    return tuple(lines)


@traced
def band_names(baseline: Baseline) -> list[str]:
    """``0``, ``3–5``, ``60+``."""
    starts = baseline.bands
    names = []
    for k, start in enumerate(starts):
        if k == len(starts) - 1:
            names.append(f"{start}+")
        else:
            names.append(str(start) if starts[k + 1] == start + 1 else f"{start}–{starts[k + 1] - 1}")
    return names


@traced
def _error(field: Field, value: float, kind: str) -> Fact:
    return field.inputs.engine.stated(
        "reporting_error", period=window(field), value=value, dimensions={"count": kind}
    )


# -- control chart ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class ChartFacts(Summarised):
    """A control chart as facts; ``signals`` are months beyond the limits."""

    kind: str
    choice: str
    months: tuple[Month, ...]
    values: tuple[Fact, ...]
    centre: tuple[Fact, ...]
    lower: tuple[Fact, ...]
    upper: tuple[Fact, ...]
    signals: tuple[Month, ...]
    overdispersion: Fact | None


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

    quiet = false_alarms_by_rule(len(field.months), simulations=QUIET_CHARTS, seed=seed)
    found = []
    for name, (title, what) in RULE_NAMES.items():
        chart = {"ewma": charts.ewma, "cusum": charts.cusum}.get(name, charts.rules)
        at = sorted({int(p) for p in chart.signals.loc[chart.signals["rule"] == name, "point"]})
        alarms = field.inputs.engine.stated(
            "chart_false_alarms",
            period=window(field),
            dimensions={"rule": name},
            value=quiet[name],
            n=QUIET_CHARTS,
        )
        found.append(
            RuleFacts(
                name=title, looks_for=what, months=tuple(field.months[k] for k in at), false_alarms=alarms
            )
        )
    return tuple(found)


QUIET_CHARTS = 500


def _rule(en: str, zh: str, looks: str, chinese: str) -> tuple[Text, Text]:
    return Text(en=en, zh=zh), Text(en=looks, zh=chinese)


RULE_NAMES: dict[str, tuple[Text, Text]] = {
    "nelson_1": _rule(
        "Nelson 1, Western Electric 1", "Nelson 1、西电 1", "one point beyond three sigmas", "一点超出 3σ"
    ),
    "nelson_2": _rule("Nelson 2", "Nelson 2", "nine in a row on one side", "连续 9 点在中心线同侧"),
    "nelson_3": _rule("Nelson 3", "Nelson 3", "six in a row rising or falling", "连续 6 点递增或递减"),
    "nelson_4": _rule("Nelson 4", "Nelson 4", "fourteen up and down in turn", "连续 14 点交替升降"),
    "nelson_5": _rule(
        "Nelson 5, Western Electric 2",
        "Nelson 5、西电 2",
        "two of three beyond two sigmas",
        "3 点中 2 点超出 2σ",
    ),
    "nelson_6": _rule(
        "Nelson 6, Western Electric 3",
        "Nelson 6、西电 3",
        "four of five beyond one sigma",
        "5 点中 4 点超出 1σ",
    ),
    "nelson_7": _rule("Nelson 7", "Nelson 7", "fifteen within one sigma", "连续 15 点在 1σ 内"),
    "nelson_8": _rule("Nelson 8", "Nelson 8", "eight outside one sigma", "连续 8 点在 1σ 外"),
    "western_electric_4": _rule(
        "Western Electric 4", "西电 4", "eight in a row on one side", "连续 8 点在中心线同侧"
    ),
    "ewma": _rule(
        "EWMA, weight 0.2",
        "EWMA（权重 0.2）",
        "smoothed rate beyond its limits: small lasting shifts",
        "平滑后的故障率超限：持续小偏移",
    ),
    "cusum": _rule(
        "CUSUM, k 0.5, h 5",
        "CUSUM（k 0.5，h 5）",
        "summed departures: small lasting shifts",
        "累计偏差超限：持续小偏移",
    ),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class PhaseFacts(Summarised):
    """A fix's own machines and component, month by month, with limits before it and limits since."""

    name: Text
    starts: Month
    chart: ChartFacts
    before: Fact
    after: Fact


@traced
def phase_facts(
    field: Field, name: Text, starts: Month, place: Mapping[str, str], chart: ControlChart
) -> PhaseFacts:
    facts = chart_facts(field, chart, metric="failure_ratio", limit_metric="failure_ratio_limit", place=place)
    centres = chart.points["centre"].to_numpy(dtype=float)
    at = field.months.index(starts)
    level = [
        field.inputs.engine.stated(
            "failure_ratio_limit",
            period=period,
            dimensions={**place, "line": "centre", "phase": phase},
            value=float(value),
        )
        for phase, value, period in (
            ("before", centres[at - 1], Period(field.first, starts - 1)),
            ("after", centres[at], Period(starts, field.last)),
        )
    ]
    return PhaseFacts(name=name, starts=starts, chart=facts, before=level[0], after=level[1])


@traced
def chart_facts(
    field: Field,
    chart: ControlChart,
    *,
    metric: str = "failure_rate_adjusted",
    limit_metric: str = "failure_rate_limit",
    place: Mapping[str, str] | None = None,
) -> ChartFacts:
    engine, points, where = field.inputs.engine, chart.points, dict(place or {})
    scale = 1000 if metric == "failure_rate_adjusted" else 1
    months = tuple(field.months)

    def limit(column: str, kind: str) -> tuple[Fact, ...]:
        values = np.maximum(points[column].to_numpy(dtype=float), 0.0)
        return tuple(
            engine.stated(limit_metric, period=m, value=float(v), dimensions={**where, "line": kind})
            for m, v in zip(months, values, strict=True)
        )

    values = tuple(
        engine.stated(metric, period=m, value=float(v), dimensions=where, n=int(size * scale))
        for m, v, size in zip(months, points["value"], points["size"], strict=True)
    )
    scatter = chart.choice.sigma_z
    return ChartFacts(
        kind=chart.kind,
        choice=chart.choice.code,
        months=months,
        values=values,
        centre=limit("centre", "centre"),
        lower=limit("lower", "lower"),
        upper=limit("upper", "upper"),
        signals=tuple(months[int(p)] for p in sorted(set(chart.signals["point"]))),
        overdispersion=None
        if scatter is None
        else engine.stated("overdispersion", period=window(field), dimensions=where, value=float(scatter)),
    )


# -- causes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class CauseFacts(Summarised):
    """A cause that survived, with what it costs, since when, and the rows behind it."""

    cause: Cause
    name: Text
    ratio: Fact
    shrunken: Fact
    failures: Fact
    expected: Fact
    excess: Fact
    cost: Fact
    share: Fact
    first_month: Month
    actual_by_month: tuple[Fact, ...]
    expected_by_month: tuple[Fact, ...]
    apart: Apart | None
    evidence: pd.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class Apart(Summarised):
    """A batch told from the region most of it went to: the batch outside the region, and other batches inside it."""

    region: str
    batch_elsewhere: Fact
    region_without: Fact


@traced
def cause_name(field: Field, cause: Cause) -> Text:
    registry, en, zh = field.inputs.engine.registry, [], []
    for name, value in cause.attributes.items():
        dimension, onward = name.removesuffix(" from"), name.endswith(" from")
        words, shown = registry.dimension_name(dimension), registry.value_label(dimension, value)
        en.append(f"{words.en.lower()} {shown.en}" + (" and later" if onward else ""))
        zh.append(f"{words.zh} {shown.zh}" + ("及以后" if onward else ""))
    if cause.component:
        shown = registry.value_label("component", cause.component)
        en.append(shown.en.lower())
        zh.append(shown.zh)
    return Text(en=", ".join(en)[:1].upper() + ", ".join(en)[1:], zh="，".join(zh))


@traced
def cause_slice(cause: Cause) -> dict[str, str]:
    found = {name.replace(" ", "_"): value for name, value in cause.attributes.items()}
    return found | ({"component": cause.component} if cause.component else {})


@traced
def cause_facts(field: Field, baseline: Baseline, cells: Cells, cause: Cause) -> CauseFacts:
    engine, level, place, period = (
        field.inputs.engine,
        field.inputs.confidence,
        cause_slice(cause),
        window(field),
    )
    months, actual, expected = _by_month(field, baseline, cause)

    def stated(metric: str, value: Any, **parts: Any) -> Fact:
        return engine.stated(metric, period=period, dimensions=place, value=value, **parts)

    excess_share = cause.excess / cause.actual
    edges = (max(0.0, 1 - 1 / cause.low) if cause.low > 0 else 0.0, 1 - 1 / cause.high)
    method = "exact conditional (two Poisson rates)"
    return CauseFacts(
        cause=cause,
        name=cause_name(field, cause),
        ratio=stated(
            "cause_rate_ratio",
            cause.rate_ratio,
            interval=interval_of(cause.low, cause.high, level, method),
            n=int(cause.actual),
        ),
        shrunken=stated("cause_rate_ratio_shrunken", cause.shrunken),
        failures=stated("cause_failures", int(cause.actual)),
        expected=stated("cause_expected_failures", whole(cause.expected)),
        excess=stated(
            "cause_excess_failures",
            whole(cause.excess),
            interval=interval_of(cause.actual * edges[0], cause.actual * edges[1], level, method),
            n=int(cause.actual),
        ),
        cost=_excess_cost(field, cause, excess_share, edges),
        share=stated("cause_share_explained", cause.share),
        first_month=_first_beyond(months, actual, expected),
        actual_by_month=tuple(
            engine.stated("cause_failures", period=Period(field.first, m), dimensions=place, value=int(v))
            for m, v in zip(months, np.cumsum(actual), strict=True)
        ),
        expected_by_month=tuple(
            engine.stated(
                "cause_expected_failures",
                period=Period(field.first, m),
                dimensions=place,
                value=whole(float(v)),
            )
            for m, v in zip(months, np.cumsum(expected), strict=True)
        ),
        apart=_apart(field, cells, cause),
        evidence=money.evidence_of_cause(field, cause.attributes, cause.component),
    )


@traced
def _excess_cost(field: Field, cause: Cause, share: float, edges: tuple[float, float]) -> Fact:
    engine, place = field.inputs.engine, cause_slice(cause)
    from analysis.errors import MissingData

    try:
        engine.require("ledger.amount", "ledger.ticket_id")
    except MissingData as missing:
        needs = ", ".join(missing.needs)
        return engine.stated(
            "cause_excess_cost",
            period=window(field),
            dimensions=place,
            value=None,
            reason=Text(en=f"not computed: needs {needs}", zh=f"未计算：缺少 {needs}"),
        )
    amount, failures, _ = money.cost_of_cause(field, cause.attributes, cause.component)
    total = float(str(amount))
    return engine.stated(
        "cause_excess_cost",
        period=window(field),
        dimensions=place,
        value=cents(total * share),
        n=failures,
        interval=interval_of(
            total * edges[0],
            total * edges[1],
            field.inputs.confidence,
            "interval of the rate ratio; cost a failure held",
        ),
    )


@traced
def _by_month(field: Field, baseline: Baseline, cause: Cause) -> tuple[list[Month], np.ndarray, np.ndarray]:
    """Actual and expected failures of a cause by month, the expectation at the level of machines outside it."""
    where = views.condition(cause.attributes)
    rate = (
        f"a.r{baseline.components.index(cause.component)}"
        if cause.component
        else " + ".join(f"a.r{k}" for k in range(len(baseline.components)))
    )
    due = field.query(
        field.machines,
        field.exposure(where=where),
        baseline.tables(),
        select=f"SELECT month_no, {exact_sum(f'g.unit_months * ({rate}) * f.factor')} AS expected FROM grid g JOIN age_rates a USING (age_months) "
        "JOIN month_factors f USING (month_no) GROUP BY ALL ORDER BY ALL",
    ).set_index("month_no")["expected"]
    also = f" AND {views.condition({'component': cause.component})}" if cause.component else ""
    seen = field.query(
        field.failures,
        select=f"SELECT month_no, count(*) AS failures FROM failed WHERE {where}{also} GROUP BY ALL ORDER BY ALL",
    ).set_index("month_no")["failures"]
    number = [month_index(month) for month in field.months]
    expected = np.array([float(due.get(k, 0.0)) for k in number])
    scale = cause.expected / expected.sum() if expected.sum() > 0 else 1.0
    return field.months, np.array([float(seen.get(k, 0)) for k in number]), expected * scale


def _first_beyond(months: Sequence[Month], actual: np.ndarray, expected: np.ndarray) -> Month:
    """First month whose running count lies beyond the 99.9 % limit of the running expectation; else the month of the first failure."""
    from scipy.stats import poisson

    running, due = np.cumsum(actual), np.cumsum(expected)
    beyond = (running > poisson.ppf(0.999, np.maximum(due, 1e-9))) & (running >= 3)
    at = np.flatnonzero(beyond) if beyond.any() else np.flatnonzero(running > 0)
    return months[int(at[0])] if len(at) else months[0]


@traced
def _apart(field: Field, cells: Cells, cause: Cause) -> Apart | None:
    if set(cause.attributes) != {"batch"} or cells.unit_months["region"].nunique() < 2:
        return None
    held = (
        cells.unit_months[members(cells.unit_months, cause.attributes)].groupby("region")["unit_months"].sum()
    )
    if len(held) < 2:
        return None
    region = str(held.idxmax())
    frame = cells.frame[cells.frame["component"] == cause.component] if cause.component else cells.frame
    inside = members(frame, cause.attributes)
    rest = frame[~inside]
    level = float(rest["failures"].sum() / rest["expected"].sum())
    there = frame["region"] == region
    batch = {**cause_slice(cause), "region": "elsewhere", "main_region": region}
    other = {"region": region, "batch": "other", "component": cause.component or "all"}
    return Apart(
        region=region,
        batch_elsewhere=_ratio_fact(field, frame[inside & ~there], level, batch),
        region_without=_ratio_fact(field, frame[~inside & there], level, other),
    )


@traced
def _ratio_fact(field: Field, frame: pd.DataFrame, level: float, place: Mapping[str, str]) -> Fact:
    from analysis.stats import poisson_interval

    failed, due = float(frame["failures"].sum()), float(frame["expected"].sum()) * level
    engine = field.inputs.engine
    if due <= 0:
        return engine.stated(
            "failure_ratio",
            period=window(field),
            dimensions=place,
            value=None,
            reason=Text(en="not computed: no exposure", zh="未计算：无暴露量"),
        )
    found = poisson_interval(failed, due, level=field.inputs.confidence)
    return engine.stated(
        "failure_ratio",
        period=window(field),
        dimensions=place,
        value=float(found.value),
        numerator=failed,
        denominator=due,
        n=int(failed),
        interval=interval_of(found.low, found.high, field.inputs.confidence, found.method),
    )


RATED = ("supplier", "model", "plant", "region")


@traced
def ratios_by(field: Field, cells: Cells) -> dict[str, tuple[Labelled, ...]]:
    """Actual over expected failures along each attribute by itself, and the batches that stand out most."""
    found = {}
    for dimension in RATED:
        values = sorted(cells.frame[dimension].unique())
        if len(values) < 2:
            continue
        lines = [
            (
                label(field, dimension, v),
                _ratio_fact(field, cells.frame[cells.frame[dimension] == v], 1.0, {dimension: v}),
            )
            for v in values
        ]
        found[dimension] = tuple(sorted(lines, key=lambda line: (-float(line[1].value or 0), line[0].en)))
    batches = cells.frame.groupby("batch", sort=True)[["failures", "expected"]].sum()
    batches = batches[batches["expected"] >= 5]
    if len(batches) > 1:
        # ranked by the lower limit: a small batch with one failure too many does not lead
        from analysis.stats import poisson_interval

        low = np.asarray(poisson_interval(batches["failures"], batches["expected"], level=0.95).low)
        top = batches.index[np.lexsort((batches.index.to_numpy(dtype=str), -low))][:10]
        found["batch"] = tuple(
            (
                label(field, "batch", v),
                _ratio_fact(field, cells.frame[cells.frame["batch"] == v], 1.0, {"batch": v}),
            )
            for v in top
        )
    return found


@traced
def search_facts(field: Field, search: Search, familywise: float) -> tuple[Fact, Fact]:
    engine, period = field.inputs.engine, window(field)
    return (
        engine.stated("search_candidates", period=period, value=search.candidates),
        engine.stated("search_error", period=period, value=familywise),
    )


# -- Pareto ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class ParetoLine(Summarised):
    """One line of a ranking; ``settled`` is false where chance could give it another rank."""

    name: Text
    fact: Fact
    cumulative: Fact
    rank: Fact
    settled: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking(Summarised):
    """A Pareto ranking: its first lines, and how many values make up eighty percent (with the interval that chance leaves)."""

    dimension: str
    by: str
    lines: tuple[ParetoLine, ...]
    values: Fact
    vital: Fact


PARETO_LINES, RANKED_AT_MOST = 15, 3000
RANKING_DRAWS = 500


@traced
def pareto(
    field: Field,
    metric: str,
    dimension: str,
    values: Sequence[str],
    amounts: Sequence[Any],
    counts: Sequence[int],
    *,
    seed: int,
    spread: Sequence[float] | None = None,
    subtract: Sequence[float] | None = None,
    by: str = "count",
    over: Period | None = None,
) -> Ranking:
    """Ranked values. Ranks are simulated from Poisson counts; for costs the mean cost of each value is held and its own scatter added (``spread``).

    ``subtract`` are expected failures: values are then ranked by excess, of which only what is above zero makes the cumulative share.
    """
    engine, period, level = field.inputs.engine, over or year(field), field.inputs.confidence
    order = sorted(range(len(values)), key=lambda k: (-float(amounts[k]), values[k]))
    drawn = _drawn(order[:RANKED_AT_MOST], amounts, counts, spread=spread, subtract=subtract, seed=seed)
    ranks = 1 + np.argsort(np.argsort(-drawn, axis=1, kind="stable"), axis=1, kind="stable")
    low, high = np.quantile(ranks, (0.5 - level / 2, 0.5 + level / 2), axis=0, method="inverted_cdf")
    zero = Decimal(0) if isinstance(amounts[0], Decimal) else 0
    whole = sum((amounts[k] for k in order if amounts[k] > 0), zero)
    lines, running = [], zero
    for at, k in enumerate(order[:PARETO_LINES]):
        running = running + max(amounts[k], zero)
        place = {dimension: values[k]}
        lines.append(
            ParetoLine(
                name=label(field, dimension, values[k]),
                fact=engine.stated(
                    metric, period=period, dimensions=place, value=amounts[k], n=int(counts[k])
                ),
                cumulative=engine.stated(
                    "failure_share_cumulative",
                    period=period,
                    dimensions={**place, "of": metric},
                    value=float(running) / float(whole) if whole else 0.0,
                ),
                rank=engine.stated(
                    "failure_rank",
                    period=period,
                    dimensions={**place, "of": metric},
                    value=at + 1,
                    interval=interval_of(low[at], high[at], level, "simulated rankings"),
                    n=int(counts[k]),
                ),
                settled=bool(low[at] == high[at]),
            )
        )
    positive = np.array([max(float(amounts[k]), 0.0) for k in order])
    few = int(_makers(positive[None, :])[0])
    few_low, few_high = (
        int(v)
        for v in np.quantile(
            _makers(np.maximum(drawn, 0.0)), (0.5 - level / 2, 0.5 + level / 2), method="inverted_cdf"
        )
    )
    place = {"of": metric, "attribute": dimension}
    return Ranking(
        dimension=dimension,
        by=by,
        lines=tuple(lines),
        values=engine.stated("ranked_values", period=period, dimensions=place, value=len(values)),
        vital=engine.stated(
            "vital_few",
            period=period,
            dimensions=place,
            value=few,
            interval=interval_of(min(few, few_low), max(few, few_high), level, "simulated rankings")
            if len(order) <= RANKED_AT_MOST
            else None,
        ),
    )


@traced
def _drawn(
    order: Sequence[int],
    amounts: Sequence[Any],
    counts: Sequence[int],
    *,
    spread: Sequence[float] | None,
    subtract: Sequence[float] | None,
    seed: int,
) -> np.ndarray:
    generator = np.random.default_rng(seed)
    number = np.array([max(float(counts[k]), 0.0) for k in order])
    if subtract is not None:
        return np.asarray(
            generator.poisson(number, (RANKING_DRAWS, len(order))) - np.array([subtract[k] for k in order])
        )
    each = np.array([float(amounts[k]) / max(float(counts[k]), 1.0) for k in order])
    drawn: np.ndarray = generator.poisson(number, (RANKING_DRAWS, len(order))) * each
    if spread is not None:
        drawn = drawn + generator.standard_normal(drawn.shape) * np.array([spread[k] for k in order])
    return drawn


def _makers(amounts: np.ndarray) -> np.ndarray:
    """How many of the largest make eighty percent, by row."""
    ordered = np.sort(amounts, axis=1)[:, ::-1]
    reached = np.cumsum(ordered, axis=1) >= 0.8 * ordered.sum(axis=1, keepdims=True)
    return np.asarray(reached.argmax(axis=1) + 1)


# -- life ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class LifeFacts(Summarised):
    name: Text
    component: str
    shape: Fact
    b10: Fact
    failures: Fact
    direction: str  # falling | rising | unclear
    beyond_data: bool
    worst_gap: float
    models: tuple[ModelFacts, ...]
    plot: PlotFacts | None


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
    field: Field, lives: Sequence[ComponentLife], *, reading_level: float
) -> tuple[LifeFacts, ...]:
    """``reading_level`` is the coverage at which a shape is called falling or rising, so that all readings together hold."""
    engine, level, period = field.inputs.engine, field.inputs.confidence, window(field)
    oldest = float(field.by_age["age_months"].max())
    found: list[LifeFacts] = []
    for life in sorted(lives, key=lambda one: (-one.fit.shape, one.component)):
        place = {"component": life.component}
        shape, b10 = life.fit.shape_interval(level=level), life.fit.b_life(0.1, level=level)
        first = not found  # the steepest is drawn; the mixture is fitted there and where the Weibull departs
        found.append(
            LifeFacts(
                name=label(field, "component", life.component),
                component=life.component,
                shape=engine.stated(
                    "weibull_shape",
                    period=period,
                    dimensions=place,
                    value=shape.value,
                    interval=interval_of(shape.low, shape.high, level, "likelihood ratio"),
                    n=life.failures,
                ),
                b10=engine.stated(
                    "b10_life",
                    period=period,
                    dimensions=place,
                    value=b10.value,
                    interval=interval_of(b10.low, b10.high, level, "likelihood ratio"),
                    n=life.failures,
                ),
                failures=engine.stated("failure_count", period=period, dimensions=place, value=life.failures),
                direction=life.fit.hazard_direction(level=reading_level),
                beyond_data=b10.value > oldest,
                worst_gap=life.worst_gap,
                models=_model_facts(field, life, mixture=first or life.worst_gap > 0),
                plot=_plot_facts(field, life) if first else None,
            )
        )
    return tuple(found)


@traced
def _model_facts(field: Field, life: ComponentLife, *, mixture: bool) -> tuple[ModelFacts, ...]:
    engine, level, period = field.inputs.engine, field.inputs.confidence, window(field)
    found = []
    for one in compared(life.counts, level=level, mixture=mixture):
        place, n = {"component": life.component, "model": one.model}, life.failures
        reason = None if one.b10 else Text(en="not computed: its interval is open", zh="未计算：区间不封闭")
        found.append(
            ModelFacts(
                model=one.model,
                name=label(field, "life_model", one.model),
                used=one.used,
                log_likelihood=engine.stated(
                    "life_log_likelihood", period=period, dimensions=place, value=one.log_likelihood, n=n
                ),
                excess=engine.stated(
                    "life_criterion", period=period, dimensions=place, value=one.excess, n=n
                ),
                b10=engine.stated(
                    "b10_life",
                    period=period,
                    dimensions=place,
                    value=one.b10.value if one.b10 else None,
                    reason=reason,
                    n=n,
                    interval=interval_of(one.b10.low, one.b10.high, level, one.b10.method)
                    if one.b10
                    else None,
                ),
            )
        )
    return tuple(found)


@traced
def _plot_facts(field: Field, life: ComponentLife) -> PlotFacts:
    engine, level, period = field.inputs.engine, field.inputs.confidence, window(field)
    points = plot_points(life.counts, life.fit, level=level)

    def share(age: float, kind: str, value: float, interval: Interval | None) -> tuple[float, Fact]:
        place = {"component": life.component, "by_month": f"{age:.2f}", "line": kind}
        return age, engine.stated(
            "failed_share", period=period, dimensions=place, value=value, interval=interval, n=life.failures
        )

    return PlotFacts(
        counted=tuple(
            share(float(a), "counted", float(s), None) for a, s in zip(points.age, points.share, strict=True)
        ),
        fitted=tuple(
            share(float(a), "fitted", one.value, interval_of(one.low, one.high, level, one.method))
            for a, one in zip(points.fit_age, points.fitted, strict=True)
        ),
    )


Curve = tuple[tuple[float, Fact], ...]


@traced
def curve_facts(
    field: Field, metric: str, table: pd.DataFrame, age: str, value: str, *, place: Mapping[str, str], n: int
) -> Curve:
    """A step curve as facts at whole months."""
    engine, level = field.inputs.engine, field.inputs.confidence
    points = []
    row: Any
    for row in table.itertuples():
        number = getattr(row, value)
        if number != number:
            continue
        at = float(getattr(row, age))
        fact = engine.stated(
            metric,
            period=window(field),
            dimensions={**place, "by_month": f"{at:g}"},
            value=float(number),
            n=n,
            interval=interval_of(row.low, row.high, level, "pointwise"),
        )
        points.append((at, fact))
    return tuple(points)


# -- forecast --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class ForecastFacts(Summarised):
    """Failures and cost of the months ahead, what remaining warranty will cost, and how the last forecast did."""

    history: tuple[tuple[Month, Fact], ...]
    months: tuple[tuple[Month, Fact], ...]
    total: Fact
    under_warranty: Fact
    cost: Fact
    warranty_cost: Fact
    obligations: tuple[tuple[Text, Fact, Fact, Fact], ...]
    obligation: Fact
    provision: Fact
    cover: Fact
    error: Fact | None
    month_error: Fact | None
    with_plan: bool
    expected: pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class UnitCost(Summarised):
    """Mean direct cost per failure and its standard error."""

    mean: float
    error: float
    failures: int


@traced
def unit_cost(frame: pd.DataFrame) -> UnitCost:
    count = int(frame["failures"].sum())
    total = float(sum(float(amount) for amount in frame["amount"]))
    square = float(frame["square"].sum())
    mean = total / count if count else 0.0
    variance = max(square / count - mean**2, 0.0) if count else 0.0
    return UnitCost(mean=mean, error=float(np.sqrt(variance / max(count, 1))), failures=count)


@traced
def monthly(field: Field, made: Forecast) -> tuple[tuple[Month, Fact], ...]:
    engine, level = field.inputs.engine, field.inputs.confidence
    sums = made.frame.groupby("month", sort=True)["failures"].sum()
    found = []
    for month in made.months:
        expected = float(sums[str(month)])
        low, high = made.interval(expected, months=1, level=level)
        found.append(
            (
                month,
                engine.stated(
                    "failure_forecast",
                    period=month,
                    value=whole(expected),
                    interval=interval_of(
                        whole(low), whole(high), level, "prediction: counting noise, month scatter, level"
                    ),
                ),
            )
        )
    return tuple(found)


@traced
def forecast_total(
    field: Field, made: Forecast, *, warranty: bool | None = None
) -> tuple[float, float, float]:
    frame = made.frame if warranty is None else made.frame[made.frame["warranty"] == warranty]
    expected = float(frame["failures"].sum())
    return (expected, *made.interval(expected, months=len(made.months), level=field.inputs.confidence))


@traced
def ahead(made: Forecast) -> Period:
    return Period(made.months[0], made.months[-1])


@traced
def count_fact(field: Field, made: Forecast, *, warranty: bool | None, place: Mapping[str, str]) -> Fact:
    expected, low, high = forecast_total(field, made, warranty=warranty)
    return field.inputs.engine.stated(
        "failure_forecast",
        period=ahead(made),
        dimensions=place,
        value=whole(expected),
        interval=interval_of(
            whole(low),
            whole(high),
            field.inputs.confidence,
            "prediction: counting noise, month scatter, level",
        ),
    )


@traced
def cost_fact(
    field: Field,
    metric: str,
    made: Forecast,
    expected: float,
    cost: UnitCost,
    *,
    period: Period,
    place: Mapping[str, str],
) -> Fact:
    """Count and cost a failure both uncertain; their relative errors add in quadrature."""
    from scipy.stats import norm

    low, high = made.interval(expected, months=len(made.months), level=field.inputs.confidence)
    z = float(norm.ppf(0.5 + field.inputs.confidence / 2))
    value = expected * cost.mean
    below, above = 1 - low / expected if expected else 0.0, high / expected - 1 if expected else 0.0
    money_part = z * cost.error / cost.mean if cost.mean else 0.0
    interval = interval_of(
        value * (1 - float(np.hypot(below, money_part))),
        value * (1 + float(np.hypot(above, money_part))),
        field.inputs.confidence,
        "prediction of the count and standard error of the cost a failure",
    )
    return field.inputs.engine.stated(
        metric, period=period, dimensions=place, value=cents(value), n=cost.failures, interval=interval
    )


@traced
def error_facts(field: Field, tested: ForecastTest | None) -> tuple[Fact | None, Fact | None]:
    if tested is None:
        return None, None
    engine, period = field.inputs.engine, Period(tested.origin + 1, field.last)
    return (
        engine.stated("forecast_error", period=period, value=tested.error, dimensions={"of": "total"}),
        engine.stated(
            "forecast_error", period=period, value=tested.absolute_error, dimensions={"of": "month"}
        ),
    )
