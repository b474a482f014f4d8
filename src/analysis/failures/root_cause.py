"""The failure study: what fails, why, since when, and what it will cost. Aggregates in, facts, findings and checks out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import MissingData
from analysis.failures import (
    fixes,
    forecasting,
    lives,
    localising,
    money,
    monitoring,
    ranking,
    reporting,
    words,
)
from analysis.failures import publishing as publish
from analysis.failures.baseline import Baseline
from analysis.failures.field import Field
from analysis.failures.trees import TreeFacts, solved_trees
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.metrics.lineage import traced
from analysis.metrics.views import month_index, month_of_index
from analysis.params.interventions import load_interventions
from analysis.periods import Month
from analysis.results import Check, Fact, Finding, Sentence
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

# Error rates of the statistical findings; together they stay below five percent.
SEARCH_ERROR = 0.02
WATCH_ERROR = 0.01
FIX_ERROR = 0.01
LIFE_ERROR = 0.005
SEED = 20_260_101
MOST_CAUSES = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class WatchFacts(Summarised):
    cells: Fact
    false_alarms: Fact
    detected: tuple[Fact, ...]
    alerts: tuple[tuple[Text, Fact], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class FixFacts(Summarised):
    fix: Any
    name: Text
    ratio: Fact
    failures: Fact
    verdict: str


@dataclass(frozen=True, kw_only=True, eq=False)
class MoneyFacts(Summarised):
    """Direct cost by component with its parts, recovery by supplier, and money paid although nothing was owed."""

    total: Fact
    by_component: tuple[tuple[Text, Mapping[str, Fact]], ...]
    recovery: tuple[tuple[Text, Fact], ...]
    out_of_warranty: tuple[Fact, Fact] | None
    duplicates: tuple[Fact, Fact] | None
    leakage_rows: Mapping[str, pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class SimulatedFact(Summarised):
    """How often the study was right in simulated fields with a fault ``planted`` at a rate ``ratio`` (one: nothing planted, how often it alarmed)."""

    planted: str
    name: Text
    ratio: float
    share: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class FailureStudy(Summarised):
    """What the failure notebook shows. ``missing`` names, by part, what could not be computed and why."""

    month: Month
    window: Period
    rates: publish.Rates
    chart: publish.ChartFacts
    rules: tuple[publish.RuleFacts, ...]
    phases: tuple[publish.PhaseFacts, ...]
    words: words.Words | None
    causes: tuple[publish.CauseFacts, ...]
    candidates: Fact
    search_error: Fact
    ratios: Mapping[str, tuple[publish.Labelled, ...]]
    triangle: publish.Triangle
    paretos: Mapping[tuple[str, str], publish.Ranking]
    lives: tuple[publish.LifeFacts, ...]
    survival: publish.Curve
    repairs: publish.Curve
    repeats: tuple[Fact, ...]
    watch: WatchFacts | None
    fixes: tuple[FixFacts, ...]
    forecast: publish.ForecastFacts | None
    money: MoneyFacts | None
    parts: tuple[tuple[str, Fact, Fact], ...]
    trees: tuple[TreeFacts, ...]
    power: Mapping[tuple[float, float], Fact]
    simulated: tuple[SimulatedFact, ...]
    excluded: tuple[publish.Labelled, ...]
    missing: Mapping[str, MissingData]
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class NotRated(Summarised):
    """What is left to say where failures cannot be rated: which data are missing."""

    missing: MissingData
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...] = ()


@traced
def study_or_gap(inputs: StudyInputs) -> FailureStudy | NotRated:
    """The study, or the reason why there is none; a notebook shows either."""
    try:
        return study(inputs)
    except MissingData as gap:
        sentence = Sentence(
            "Failures can be counted, not rated: a rate needs {needs}.", {"needs": ", ".join(gap.needs)}
        )
        return NotRated(
            missing=gap,
            findings=(
                Finding(id="failures.not_rated", section="failures", severity="watch", statement=sentence),
            ),
        )


@traced
def study(inputs: StudyInputs) -> FailureStudy:
    """Failures of one company up to the report month.

    Raises
    ------
    MissingData
        Without units shipped (or serial numbers on tickets) failures can be counted, not rated. Everything else that is absent (ledger,
        claims, parts, plan, provision) is said where it is missed.
    """
    from analysis.failures.statements import checks, findings

    field = Field.of(inputs)
    missing: dict[str, MissingData] = {}
    baseline, delay = Baseline.of(field), reporting.delay_of(field.delays, field.horizon)
    fitted, thin = lives.component_lives(field)
    intensity = forecasting.intensity_of(field, baseline, delay, fitted)
    cells = localising.cells_of(field, baseline)
    search = localising.searched(cells, familywise=SEARCH_ERROR, level=inputs.confidence)
    candidates, error = publish.search_facts(field, search, SEARCH_ERROR)
    charts = monitoring.rate_charts(field, baseline, intensity, delay)
    costs = _part(missing, "cost", lambda: money.cost_by(field, "component"))
    parts = {
        "rates": publish.rates(field, baseline, delay, reporting.backtest(field)),
        "chart": publish.chart_facts(field, charts.main),
        "rules": publish.rule_facts(field, charts, seed=SEED),
        "phases": _phases(field, baseline),
        "words": _part(missing, "words", lambda: words.words_of(field)),
        "causes": tuple(
            publish.cause_facts(field, baseline, cells, cause) for cause in search.causes[:MOST_CAUSES]
        ),
        "ratios": publish.ratios_by(field, cells),
        "triangle": publish.triangle(field, delay),
        "paretos": _paretos(field, baseline, cells, costs is not None, missing),
        "lives": publish.life_facts(field, fitted, reading_level=1 - LIFE_ERROR / max(len(fitted), 1)),
        "survival": _survival(field),
        "repairs": _repairs(field),
        "repeats": _repeats(field),
        "watch": _watch(field, baseline),
        "fixes": _fixes(field, baseline),
        "money": None if costs is None else _money(field, costs, missing),
        "excluded": _excluded(field),
        "trees": solved_trees(field, seed=SEED),
        "power": _power(field, cells),
        "simulated": _simulated(field),
    }
    made = forecasting.forecast(field, intensity)
    parts["forecast"] = None if costs is None else _forecast(field, made, costs, delay, missing)
    parts["parts"] = _part(missing, "parts", lambda: _spare_parts(field, made)) or ()
    whole: dict[str, Any] = parts | {
        "month": inputs.month,
        "window": publish.window(field),
        "candidates": candidates,
        "search_error": error,
        "missing": missing,
    }
    return FailureStudy(
        **whole,
        findings=findings(field, whole),
        checks=checks(field, whole, dispersion=search.dispersion, thin=thin),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ClaimsForecast(Summarised):
    """Direct cost of failures under warranty to come, for a provision.

    rows : one row a ``product_line`` and ``month`` ahead: ``failures`` (expected), ``cost`` (yuan, expected, float), ``low`` and ``high``
    draws : the whole sum of the horizon under the model's uncertainty (counts, month scatter, level, cost a failure), one value a draw
    """

    rows: pd.DataFrame
    draws: np.ndarray
    level: float


@traced
def claims_forecast(
    inputs: StudyInputs, *, months: int = 12, draws: int = 2000, seed: int = SEED, with_plan: bool = True
) -> ClaimsForecast:
    """Expected claim cost of machines under warranty by product line and month; lighter than :func:`study`.

    ``with_plan=False`` leaves out shipments to come: what a provision at the end of the month has to cover. Intervals are predictions of the single cell.

    Raises
    ------
    MissingData
        No units, no serial numbers on tickets, or no ledger.
    """
    import pandas as pd

    field = Field.of(inputs)
    baseline, delay = Baseline.of(field), reporting.delay_of(field.delays, field.horizon)
    fitted, _ = lives.component_lives(field)
    intensity = forecasting.intensity_of(field, baseline, delay, fitted)
    nobody = pd.DataFrame({"product_line": [], "started_no": [], "warranty_no": [], "machines": []})
    made = forecasting.forecast(field, intensity, ahead=months, arrivals=None if with_plan else nobody)
    by_line = money.cost_by(field, "product_line")
    under = money.cost_by(field, "in_warranty").set_index("value")
    cost = publish.unit_cost(by_line)
    covered = publish.unit_cost(under.loc[["true"]]) if "true" in under.index else cost
    uplift = covered.mean / cost.mean if cost.mean else 1.0
    means = {
        str(row["value"]): publish.unit_cost(by_line.iloc[[k]]).mean * uplift
        for k, row in enumerate(by_line.to_dict("records"))
        if row["failures"]
    }
    rows = (
        made.frame[made.frame["warranty"]]
        .groupby(["product_line", "month"], as_index=False, sort=True)["failures"]
        .sum()
    )
    each = rows["product_line"].map(means).fillna(covered.mean)
    limits = [
        made.interval(float(n), months=1, level=inputs.confidence) if n > 0 else (0.0, 0.0)
        for n in rows["failures"]
    ]
    rows = rows.assign(
        cost=rows["failures"] * each, low=[a for a, _ in limits] * each, high=[b for _, b in limits] * each
    )
    random = np.random.default_rng(seed)
    level = np.exp(random.standard_normal(draws) * intensity.level_spread - intensity.level_spread**2 / 2)
    price = 1 + random.standard_normal(draws) * (covered.error / covered.mean if covered.mean else 0.0)
    total = np.zeros(draws)
    for _, part in rows.groupby("month", sort=True):
        month = np.exp(random.standard_normal(draws) * intensity.month_spread - intensity.month_spread**2 / 2)
        counts = random.poisson(np.outer(level * month, part["failures"].to_numpy()))
        total += counts @ each.loc[part.index].to_numpy(dtype=float) * price
    return ClaimsForecast(rows=rows, draws=total, level=inputs.confidence)


POWER_EXPECTED, POWER_RATIOS = (5.0, 10.0, 20.0, 50.0, 100.0), (1.5, 2.0, 3.0)


@traced
def _power(field: Field, cells: localising.Cells) -> dict[tuple[float, float], Fact]:
    found = localising.power(cells, familywise=SEARCH_ERROR, expected=POWER_EXPECTED, ratios=POWER_RATIOS)
    engine, period = field.inputs.engine, publish.window(field)
    return {
        (due, ratio): engine.stated(
            "search_power",
            period=period,
            dimensions={"expected": f"{due:g}", "ratio": f"{ratio:g}"},
            value=share,
        )
        for (due, ratio), share in found.items()
    }


@traced
def _simulated(field: Field) -> tuple[SimulatedFact, ...]:
    """Kept counts of simulated fields, the same every month; tests hold them to the search as it is."""
    from analysis.failures import simulated

    engine, found = field.inputs.engine, []
    for one in simulated.kept():
        fact = engine.stated(
            "simulated_right" if one.ratio > 1 else "simulated_alarms",
            period=publish.window(field),
            dimensions={"planted": one.name, "ratio": f"{one.ratio:g}"},
            value=one.hits / one.seeds,
            numerator=one.hits,
            denominator=one.seeds,
            n=one.seeds,
            interval=one.interval(),
        )
        found.append(
            SimulatedFact(
                planted=one.name, name=publish.label(field, "planted", one.name), ratio=one.ratio, share=fact
            )
        )
    return tuple(found)


@traced
def _part(missing: dict[str, MissingData], name: str, compute: Callable[[], Any]) -> Any:
    """A part that may lack its data; the gap is kept by name and shown where the part would stand."""
    try:
        return compute()
    except MissingData as gap:
        missing[name] = gap
        return None


RANKED = ("component", "fault_code", "model", "batch", "supplier", "plant", "region")


@traced
def _paretos(
    field: Field, baseline: Baseline, cells: localising.Cells, costed: bool, missing: dict[str, MissingData]
) -> dict[tuple[str, str], publish.Ranking]:
    """Each attribute by count, by cost (where there is a ledger) and by failures above those expected; empty where nothing failed."""
    found: dict[tuple[str, str], publish.Ranking] = {}
    for dimension in RANKED:
        rows = money.cost_by(field, dimension) if costed else money.failures_by(field, dimension)
        if not len(rows):
            continue
        values, number = [str(v) for v in rows["value"]], [int(v) for v in rows["failures"]]
        found[dimension, "count"] = publish.pareto(
            field, "failure_count", dimension, values, number, number, seed=SEED
        )
        if costed:
            amounts = [Decimal(str(v)) for v in rows["amount"]]
            spread = np.sqrt(
                np.maximum(
                    rows["square"].to_numpy(dtype=float)
                    - rows["amount"].astype(float) ** 2 / np.maximum(rows["failures"], 1),
                    0.0,
                )
            )
            found[dimension, "cost"] = publish.pareto(
                field,
                "failure_cost",
                dimension,
                values,
                amounts,
                number,
                seed=SEED,
                spread=list(spread),
                by="cost",
            )
        if dimension in ranking.OWN_PAST:
            past = _part(missing, "own_past", partial(ranking.above_own_past, field, baseline, dimension))
            if past is not None and len(past):
                over = [
                    round(float(a - e), 1) for a, e in zip(past["failures"], past["expected"], strict=True)
                ]
                found[dimension, "excess"] = publish.pareto(
                    field,
                    "excess_failures",
                    dimension,
                    [str(v) for v in past["value"]],
                    over,
                    [int(v) for v in past["failures"]],
                    seed=SEED,
                    subtract=[float(v) for v in past["expected"]],
                    by="excess",
                )
        elif dimension in cells.frame.columns and cells.frame[dimension].nunique() > 1:
            sums = cells.frame.groupby(dimension, sort=True)[["failures", "expected"]].sum()
            over = [round(float(a - e), 1) for a, e in zip(sums["failures"], sums["expected"], strict=True)]
            found[dimension, "excess"] = publish.pareto(
                field,
                "excess_failures",
                dimension,
                [str(v) for v in sums.index],
                over,
                [int(v) for v in sums["failures"]],
                seed=SEED,
                subtract=[float(v) for v in sums["expected"]],
                by="excess",
                over=publish.window(field),
            )
    return found


@traced
def _survival(field: Field) -> publish.Curve:
    curves = lives.first_failures(field)
    if not curves:
        return ()
    curve = curves["all"]
    ages = np.arange(0, int(curve.last_time) + 1, dtype=float)
    return publish.curve_facts(
        field, "failure_free_share", curve.at(ages), "time", "survival", place={}, n=int(curve.subjects)
    )


@traced
def _repairs(field: Field) -> publish.Curve:
    if not field.failure_counts["failures"].sum():
        return ()
    found = lives.repairs_per_machine(field, level=field.inputs.confidence)
    ages = np.arange(0, int(found.last_age) + 1, 3, dtype=float)
    return publish.curve_facts(
        field, "repairs_per_machine", found.at(ages), "age", "mcf", place={}, n=int(found.units)
    )


@traced
def _repeats(field: Field) -> tuple[Fact, ...]:
    """By month of resolution; the last month whose repairs all have their thirty days is the newest."""
    frame = money.repeats(field).set_index("month_no")
    complete = (
        month_index(Month(field.horizon.year, field.horizon.month)) - 2
        if field.horizon < field.last.end
        else month_index(field.last) - 1
    )
    engine, facts = field.inputs.engine, []
    for number, row in frame.iterrows():
        if month_index(field.first) <= int(str(number)) <= complete:
            facts.append(
                engine.ratio(
                    "repeat_repair_rate_30d",
                    int(row["repeated"]),
                    int(row["repairs"]),
                    period=month_of_index(int(str(number))),
                )
            )
    return tuple(facts)


@traced
def _watch(field: Field, baseline: Baseline) -> WatchFacts | None:
    if len(field.months) < 6:
        return None
    found = monitoring.emerging(
        field, baseline, familywise=WATCH_ERROR, level=field.inputs.confidence, seed=SEED
    )
    if found is None:
        return None
    engine, period = field.inputs.engine, Period(field.last - (monitoring.RECENT_MONTHS - 1), field.last)
    alerts = []
    row: Any
    for row in found.alerts.itertuples():
        place = {"component": str(row.component), str(row.dimension): str(row.value)}
        fact = engine.stated(
            "emerging_rate_ratio",
            period=period,
            dimensions=place,
            value=float(row.rate_ratio),
            n=int(row.failures),
            interval=publish.interval_of(
                row.low, row.high, field.inputs.confidence, "exact conditional (two Poisson rates)"
            ),
        )
        component, value = (
            publish.label(field, "component", str(row.component)),
            publish.label(field, str(row.dimension), str(row.value)),
        )
        words = engine.registry.dimension_name(str(row.dimension))
        alerts.append(
            (
                Text(
                    en=f"{component.en}, {words.en.lower()} {value.en}",
                    zh=f"{component.zh}，{words.zh} {value.zh}",
                ),
                fact,
            )
        )
    return WatchFacts(
        cells=engine.stated("watch_cells", period=period, value=len(found.cells)),
        false_alarms=engine.stated(
            "watch_false_alarms", period=period, value=found.false_alarms, n=found.simulations
        ),
        detected=tuple(
            engine.stated(
                "watch_detection",
                period=period,
                value=share,
                n=found.simulations,
                dimensions={"after_months": str(k)},
            )
            for k, share in enumerate(found.detected, 1)
        ),
        alerts=tuple(alerts),
    )


@traced
def _fixes(field: Field, baseline: Baseline) -> tuple[FixFacts, ...]:
    registered = [fix for fix in load_interventions(kind="fix") if fix.starts < field.last.end]
    found, engine = [], field.inputs.engine
    level = 1 - FIX_ERROR / max(len(registered), 1)
    for fix in registered:
        result = fixes.judged(field, baseline, fix, level=level)
        if result is None:
            continue
        place = {"fix": fix.id}
        ratio = engine.stated(
            "fix_rate_ratio",
            period=publish.window(field),
            dimensions=place,
            value=result.rate_ratio,
            n=result.failures,
            interval=publish.interval_of(
                result.low, result.high, level, "exact conditional (two Poisson rates)"
            ),
        )
        failures = engine.stated(
            "fix_failures", period=publish.window(field), dimensions=place, value=result.failures
        )
        found.append(FixFacts(fix=fix, name=fix.name, ratio=ratio, failures=failures, verdict=result.verdict))
    return tuple(found)


@traced
def _phases(field: Field, baseline: Baseline) -> tuple[publish.PhaseFacts, ...]:
    found = []
    for fix in load_interventions(kind="fix"):
        chart = monitoring.phase_chart(field, baseline, fix) if fix.starts < field.last.end else None
        if chart is not None and np.isfinite(chart.centre).all():
            found.append(
                publish.phase_facts(
                    field, fix.name, Month(fix.starts.year, fix.starts.month), {"fix": fix.id}, chart
                )
            )
    return tuple(found)


@traced
def _excluded(field: Field) -> tuple[publish.Labelled, ...]:
    engine, frame = field.inputs.engine, field.verdicts.set_index("verdict")["failures"]
    return tuple(
        (
            publish.label(field, "verdict", verdict),
            engine.stated(
                "excluded_failures",
                period=publish.window(field),
                dimensions={"verdict": verdict},
                value=int(frame.get(verdict, 0)),
            ),
        )
        for verdict in (
            "no_serial",
            "unknown_serial",
            "before_shipment",
            "before_service",
            "after_retirement",
            "same_event",
            "before_the_window",
            "after_the_month",
        )
    )


@traced
def _money(field: Field, costs: pd.DataFrame, missing: dict[str, MissingData]) -> MoneyFacts:
    engine, period = field.inputs.engine, publish.year(field)

    def stated(metric: str, value: Any, place: Mapping[str, str], **extra: Any) -> Fact:
        return engine.stated(metric, period=period, dimensions=place, value=value, **extra)

    lines = []
    row: Any
    for row in costs.itertuples():
        place = {"component": str(row.value)}
        total = Decimal(str(row.amount))
        named = {
            name: Decimal(str(getattr(row, name)))
            for name in ("parts", "logistics", "outsourcing", "compensation", "recovered")
        }
        named["other"] = total - sum(named.values(), Decimal(0))
        facts = {
            name: stated("failure_cost", amount, {**place, "of": name}) for name, amount in named.items()
        }
        unit = publish.cents(total / int(row.failures)) if row.failures else Decimal(0)
        facts |= {
            "total": stated("failure_cost", total, place, n=int(row.failures)),
            "unit": stated("failure_unit_cost", unit, place, n=int(row.failures)),
        }
        lines.append((publish.label(field, "component", str(row.value)), facts))
    whole = sum((Decimal(str(v)) for v in costs["amount"]), Decimal(0))
    leaks = _part(
        missing, "leakage", lambda: (money.out_of_warranty_approvals(field), money.duplicate_claims(field))
    )
    recovery = _part(missing, "recovery", lambda: money.recovery_by_supplier(field))
    return MoneyFacts(
        total=stated("failure_cost", whole, {}),
        by_component=tuple(lines),
        recovery=() if recovery is None else _recovery(field, recovery),
        out_of_warranty=None if leaks is None else _leak(field, "leakage_out_of_warranty", leaks[0]),
        duplicates=None if leaks is None else _leak(field, "leakage_duplicates", leaks[1]),
        leakage_rows={}
        if leaks is None
        else {"leakage_out_of_warranty": leaks[0], "leakage_duplicates": leaks[1]},
    )


@traced
def _recovery(field: Field, frame: pd.DataFrame) -> tuple[publish.Labelled, ...]:
    engine, found = field.inputs.engine, []
    row: Any
    for row in frame.itertuples():
        approved, recovered = Decimal(str(row.approved)), Decimal(str(row.recovered))
        if not approved:
            continue
        fact = engine.stated(
            "supplier_recovery_rate",
            period=publish.year(field),
            dimensions={"supplier": str(row.supplier)},
            value=recovered / approved,
            numerator=recovered,
            denominator=approved,
            n=int(row.claims),
        )
        found.append((publish.label(field, "supplier", str(row.supplier)), fact))
    return tuple(found)


@traced
def _leak(field: Field, metric: str, rows: pd.DataFrame) -> tuple[Fact, Fact]:
    engine, period = field.inputs.engine, publish.year(field)
    amount = sum((Decimal(str(v)) for v in rows["approved"]), Decimal(0))
    return (
        engine.stated(metric, period=period, value=amount),
        engine.stated("leakage_claims", period=period, value=len(rows), dimensions={"of": metric}),
    )


@traced
def _forecast(
    field: Field,
    made: forecasting.Forecast,
    costs: pd.DataFrame,
    delay: reporting.Delay,
    missing: dict[str, MissingData],
) -> publish.ForecastFacts | None:
    if not costs["failures"].sum():
        return None
    cost = publish.unit_cost(costs)
    by_line = money.cost_by(field, "product_line").set_index("value")
    under = money.cost_by(field, "in_warranty").set_index("value")
    covered = publish.unit_cost(under.loc[["true"]]) if "true" in under.index else cost
    obligations, obligation = _obligations(field, made, by_line, covered, cost, missing)
    tested = forecasting.backtest(field, delay)
    error, month_error = publish.error_facts(field, tested)
    total = publish.forecast_total(field, made)[0]
    inside = publish.forecast_total(field, made, warranty=True)[0]
    rates = {m: f for m, f in zip(field.months, _completed_counts(field, delay), strict=True)}
    provision = (
        sum((line[2].value for line in obligations if line[2].value is not None), Decimal(0))
        if obligations
        else None
    )
    engine, ahead = field.inputs.engine, publish.ahead(made)
    reason = Text(en="not computed: needs provision.closing", zh="未计算：缺少 provision.closing")
    known = bool(provision)
    return publish.ForecastFacts(
        history=tuple(rates.items()),
        months=publish.monthly(field, made),
        total=publish.count_fact(field, made, warranty=None, place={}),
        under_warranty=publish.count_fact(field, made, warranty=True, place={"warranty": "inside"}),
        cost=publish.cost_fact(field, "failure_cost_forecast", made, total, cost, period=ahead, place={}),
        warranty_cost=publish.cost_fact(
            field, "failure_cost_forecast", made, inside, covered, period=ahead, place={"warranty": "inside"}
        ),
        obligations=obligations,
        obligation=obligation,
        provision=engine.stated(
            "provision_balance",
            period=field.last,
            value=provision if known else None,
            reason=None if known else reason,
        ),
        cover=engine.stated(
            "provision_cover",
            period=field.last,
            value=float(provision) / float(obligation.value) if known and obligation.value else None,  # type: ignore[arg-type]
            reason=None if known and obligation.value else reason,
        ),
        error=error,
        month_error=month_error,
        with_plan=made.with_plan,
        expected=made.frame,
    )


@traced
def _completed_counts(field: Field, delay: reporting.Delay) -> list[Fact]:
    share = reporting.share_by_month(delay, field.months, field.horizon)
    counts = field.failure_counts.groupby("month_no")["failures"].sum()
    engine = field.inputs.engine
    return [
        engine.stated(
            "failure_forecast",
            period=month,
            value=publish.whole(float(counts.get(month_index(month), 0) / part)),
            dimensions={"basis": "completed"},
        )
        for month, part in zip(field.months, share, strict=True)
        if part > 0
    ]


@traced
def _obligations(
    field: Field,
    made: forecasting.Forecast,
    by_line: pd.DataFrame,
    covered: publish.UnitCost,
    cost: publish.UnitCost,
    missing: dict[str, MissingData],
) -> tuple[tuple[tuple[Text, Fact, Fact, Fact], ...], Fact]:
    """Remaining warranty by product line beside the provision: machines shipped so far, no new ones."""
    import pandas as pd

    nobody = pd.DataFrame({"product_line": [], "started_no": [], "warranty_no": [], "machines": []})
    run_off = forecasting.forecast(
        field, made.intensity, ahead=forecasting.LONGEST_WARRANTY_MONTHS, arrivals=nobody
    )
    inside = run_off.frame[run_off.frame["warranty"]]
    balance = _part(missing, "provision", lambda: money.provision_balance(field))
    closing = (
        {}
        if balance is None
        else {
            str(r.product_line): Decimal(str(r.closing))
            for r in balance.itertuples()
            if r.closing is not None and r.closing == r.closing
        }
    )
    engine, period, lines = field.inputs.engine, publish.ahead(run_off), []
    # warranty repairs cost what they cost on average; a product line's own mean carries the difference between lines
    uplift = covered.mean / cost.mean if cost.mean else 1.0
    whole, spread = 0.0, 0.0
    for line, part in inside.groupby("product_line", sort=True):
        own = publish.unit_cost(by_line.loc[[line]]) if line in by_line.index else cost
        own = publish.UnitCost(mean=own.mean * uplift, error=own.error * uplift, failures=own.failures)
        expected = float(part["failures"].sum())
        if expected <= 0:
            continue
        fact = publish.cost_fact(
            field,
            "warranty_obligation",
            run_off,
            expected,
            own,
            period=period,
            place={"product_line": str(line)},
        )
        whole, spread = whole + float(fact.value or 0), spread + expected
        held = closing.get(str(line))
        reason = Text(en="not computed: no provision of this line", zh="未计算：该产品线无准备金")
        provision = engine.stated(
            "provision_balance",
            period=field.last,
            dimensions={"product_line": str(line)},
            value=held,
            reason=None if held is not None else reason,
        )
        count = engine.stated(
            "failure_forecast",
            period=period,
            dimensions={"product_line": str(line), "warranty": "inside", "basis": "run_off"},
            value=publish.whole(expected),
        )
        lines.append((publish.label(field, "product_line", str(line)), fact, provision, count))
    mean = publish.UnitCost(
        mean=whole / spread if spread else 0.0, error=covered.error, failures=covered.failures
    )
    return tuple(lines), publish.cost_fact(
        field, "warranty_obligation", run_off, spread, mean, period=period, place={}
    )


@traced
def _spare_parts(field: Field, made: forecasting.Forecast) -> tuple[tuple[str, Fact, Fact], ...]:
    """Demand of the next three months by part, and the stock that covers it nineteen times in twenty."""
    used = money.parts_per_failure(field)
    near = {str(month) for month in made.months[:3]}
    due = made.frame[made.frame["month"].isin(near)].groupby("component")["failures"].sum()
    engine, period, found = field.inputs.engine, Period(made.months[0], made.months[2]), []
    from scipy.stats import nbinom

    for part, rows in used.groupby("part_no", sort=True):
        demand = float(
            sum(due.get(row.component, 0.0) * row.quantity / row.failures for row in rows.itertuples())
        )
        if demand <= 0:
            continue
        over = made.intensity.level_spread**2 + made.intensity.month_spread**2 / 3
        # counts whose mean is itself uncertain are negative binomial
        stock = int(nbinom.ppf(0.95, 1 / over, 1 / (1 + demand * over))) if over > 0 else int(demand)
        place = {"part_no": str(part)}
        low, high = made.interval(demand, months=3, level=field.inputs.confidence)
        found.append(
            (
                str(part),
                engine.stated(
                    "part_demand",
                    period=period,
                    dimensions=place,
                    value=publish.whole(demand),
                    interval=publish.interval_of(
                        publish.whole(low),
                        publish.whole(high),
                        field.inputs.confidence,
                        "prediction of the count",
                    ),
                ),
                engine.stated("part_stock", period=period, dimensions=place, value=stock),
            )
        )
    return tuple(sorted(found, key=lambda line: (-float(line[1].value or 0), line[0])))
