"""The failure study: what fails, why, since when, and what it will cost. Aggregates in, facts, findings and checks out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from analysis.errors import FitError, MissingData
from analysis.failures import (
    checks,
    early_causes,
    findings,
    fixes_facts,
    forecasting,
    forecasting_facts,
    lives,
    lives_facts,
    localising,
    localising_facts,
    missed_services_facts,
    money,
    money_facts,
    monitoring,
    monitoring_facts,
    ranking,
    ranking_facts,
    reporting,
    reporting_facts,
    services_facts,
    simulated_facts,
    triangles,
    use_facts,
    use_lives,
    views,
    words_facts,
)
from analysis.failures import fault_tree_facts as trees
from analysis.failures.baseline import Baseline
from analysis.failures.error_rates import ErrorRates
from analysis.failures.field import Field
from analysis.failures.limits import those_made
from analysis.failures.result import FailureStudy, NotRated
from analysis.failures.scale import Scale
from analysis.failures.use import Meters, known, relative_use
from analysis.locale import Text
from analysis.metrics import NotDone, Parts, StudyInputs, traced
from analysis.metrics import study as study_of
from analysis.params.interventions import Intervention, load_interventions
from analysis.periods import Month
from analysis.results import Finding
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

SECTION = "failures"
T = TypeVar("T")
NO_FIX = Text.of("no fix is registered")
NO_TREE = Text.of("no fault tree is registered")


@study_of(section=SECTION)
def study(inputs: StudyInputs) -> FailureStudy | NotRated:
    """Failures of one company up to the report month.

    Parameters
    ----------
    inputs : StudyInputs
        One month of one company: ``run.inputs``.

    Returns
    -------
    FailureStudy
        ``NotRated`` without units shipped (or serial numbers on tickets): failures can then be counted, not rated. Everything else that is absent
        (ledger, claims, parts, plan, provision) switches its part off and is said in a check.

    Examples
    --------
    >>> from analysis import failures
    >>> type(failures.study(run.inputs)).__name__  # a company without units shipped
    'NotRated'
    """
    try:
        field = Field.of(inputs)
    except (MissingData, FitError) as refusal:
        reason = NotDone.because(refusal)
        return NotRated(month=inputs.month, reason=reason, findings=(findings.not_rated(reason),))
    return _rated(field)


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A search with the expectation that it rests on."""

    baseline: Baseline
    cells: localising.Cells
    search: localising.Search


def _searched(
    field: Field, baseline: Baseline, cells: localising.Cells, use: pd.DataFrame | None, *, error: float
) -> _Found:
    """The search and, where it names causes, a second one whose expectation allows for them: a cause raises what is expected of its own line and age."""
    search = partial(
        localising.searched,
        familywise=error,
        level=field.inputs.confidence,
        least_effect=field.assumed("failure_least_effect"),
    )
    first = search(cells)
    if not first.causes:
        return _Found(baseline=baseline, cells=cells, search=first)
    without = Baseline.of(field, first.causes)
    again = localising.cells_of(field, without, use=use, dispersion=cells.dispersion)
    return _Found(baseline=without, cells=again, search=search(again))


@dataclass(frozen=True, kw_only=True)
class _Ground:
    """What most parts stand on, computed once."""

    errors: ErrorRates
    seed: int
    baseline: Baseline
    delay: reporting.Delay
    fitted: Sequence[lives.ComponentLife]
    without: Mapping[str, NotDone]
    intensity: forecasting.Intensity
    meters: Meters | NotDone
    use: pd.DataFrame | None
    cells: localising.Cells
    search: localising.Search
    charts: monitoring.RateCharts
    costs: pd.DataFrame | NotDone
    causes: tuple[localising_facts.CauseFacts, ...]

    @classmethod
    def of(cls, field: Field, made: Parts) -> _Ground:
        inputs = field.inputs
        errors = ErrorRates.of(inputs.assumptions, on=inputs.month.last_day)
        baseline, delay = Baseline.of(field), reporting.delay_of(field.delays, field.horizon)
        fitted, without = lives.component_lives(field)
        intensity = forecasting.intensity_of(field, baseline, delay, fitted)
        meters = _meters(field)
        use = None if isinstance(meters, NotDone) else relative_use(meters, views.ATTRIBUTES)
        cells = localising.cells_of(field, baseline, use=use)
        found = _searched(field, baseline, cells, use, error=errors.search)
        costs = made.do("cost", money.cost_by, field, "component")
        return cls(
            errors=errors,
            seed=int(field.assumed("failure_seed")),
            baseline=baseline,
            delay=delay,
            fitted=fitted,
            without=without,
            intensity=intensity,
            meters=meters,
            use=use,
            cells=cells,
            search=found.search,
            charts=monitoring.rate_charts(field, baseline, intensity, delay),
            costs=costs,
            causes=tuple(
                localising_facts.cause_facts(field, found.baseline, found.cells, cause, costs)
                for cause in found.search.causes[: int(field.assumed("failure_most_causes"))]
            ),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class TestedParts(Summarised):
    """The parts that are held against chance, without the rest of the study."""

    month: Month
    causes: tuple[localising_facts.CauseFacts, ...]
    watch: monitoring_facts.WatchFacts | NotDone
    chart: monitoring_facts.ChartFacts
    money: money_facts.MoneyFacts | NotDone
    lives: tuple[lives_facts.LifeFacts, ...] | NotDone
    fixes: tuple[fixes_facts.FixFacts, ...] | NotDone
    findings: tuple[Finding, ...] = ()


@traced
def tested(inputs: StudyInputs) -> TestedParts:
    """The study as far as it can find something by chance: what is run on companies in which nothing is planted."""
    field, made = Field.of(inputs), Parts(section=SECTION)
    ground = _Ground.of(field, made)
    parts = TestedParts(
        month=inputs.month,
        causes=ground.causes,
        watch=_watch(field, ground, made),
        chart=monitoring_facts.chart_facts(field, ground.charts.main),
        money=made.do("money", money_facts.money_facts, field, ground.costs),
        lives=_lives(field, ground, made, models=False),
        fixes=_fixes(field, ground.baseline, made, error=ground.errors.fix),
    )
    return replace(parts, findings=tuple(findings.tested_findings(parts, Scale.of(field))))


def _watch(field: Field, ground: _Ground, made: Parts) -> monitoring_facts.WatchFacts | NotDone:
    return made.do(
        "watch", monitoring_facts.watch_facts, field, ground.baseline, ground.errors, seed=ground.seed
    )


def _lives(
    field: Field, ground: _Ground, made: Parts, *, models: bool = True
) -> tuple[lives_facts.LifeFacts, ...] | NotDone:
    return made.do(
        "lives",
        lives_facts.life_facts,
        field,
        lives.lives_apart(field, ground.fitted, [one.cause for one in ground.causes]),
        ground.without,
        error=ground.errors.life,
        models=models,
    )


def _rated(field: Field) -> FailureStudy:
    inputs, made = field.inputs, Parts(section=SECTION)
    ground = _Ground.of(field, made)
    errors, seed, baseline, delay = ground.errors, ground.seed, ground.baseline, ground.delay
    intensity, cells, search, charts = ground.intensity, ground.cells, ground.search, ground.charts
    costs, causes, meters = ground.costs, ground.causes, ground.meters
    own_past = {
        name: made.do(f"own_past_{name}", ranking.above_own_past, field, name) for name in ranking.OWN_PAST
    }
    plan = made.do("shipment_plan", forecasting.planned, field)
    ahead = forecasting.forecast(field, intensity, arrivals=plan)
    made.do("provision", money.provisions, field)
    forecast = made.do("forecast", forecasting_facts.forecast_facts, field, ahead, delay)
    impossible = reporting_facts.excluded_facts(field)
    told = _lives(field, ground, made)
    result = FailureStudy(
        month=inputs.month,
        window=field.window,
        others=field.others(by_use=cells.by_use),
        rates=reporting_facts.rates(field, delay),
        reporting_test=made.do("reporting_test", _reporting_test, field),
        chart=monitoring_facts.chart_facts(field, charts.main),
        rules=monitoring_facts.rule_facts(field, charts, seed=seed),
        phases=_phases(field, baseline, made),
        words=made.do("words", words_facts.words_facts, field, familywise=errors.words),
        causes=causes,
        candidates=localising_facts.candidates_fact(field, search),
        search_error=field.state.assumed("search_error"),
        ratios=localising_facts.ratios_by(field, cells),
        triangle=triangles.triangle(field, delay),
        paretos=ranking_facts.rankings(field, cells, costs, own_past, seed=seed),
        lives=told,
        early=_early(field, ground, told),
        survival=made.do("survival", lives_facts.survival_curve, field),
        repairs=made.do("repairs", lives_facts.repairs_curve, field),
        repeats=made.do("repeats", lives_facts.repeat_facts, field),
        watch=_watch(field, ground, made),
        fixes=_fixes(field, baseline, made, error=errors.fix),
        forecast=forecast,
        forecast_test=made.do("forecast_test", _forecast_test, field, delay),
        money=made.do("money", money_facts.money_facts, field, costs),
        recovery=made.do("recovery", money_facts.recovery_facts, field),
        leaks=made.do("leaks", money_facts.leak_facts, field),
        due=made.do("due", money_facts.due_facts, field, causes),
        spare_parts=made.do("parts", forecasting_facts.part_facts, field, ahead),
        use=_metered(made, "use", use_facts.use_facts, field, meters),
        use_lives=_metered(made, "use_lives", use_lives.use_life_facts, field, meters, error=errors.life),
        services=_metered(made, "services", services_facts.services_facts, field, meters),
        missed=_missed(field, meters, costs),
        trees=_trees(field, made, [one.cause for one in causes], seed=seed),
        power=localising_facts.power_facts(field, cells, familywise=errors.search),
        simulated=simulated_facts.simulated_facts(field),
        excluded=impossible.lines,
        impossible=impossible.total,
        dispersion=localising_facts.dispersion_fact(field, search, cells),
    )
    return replace(
        result,
        findings=findings.findings(result, Scale.of(field)),
        checks=checks.checks(field, result, made, without=ground.without),
    )


def _meters(field: Field) -> Meters | NotDone:
    """The meters where they say enough. Most companies read none: that is no doubt about what is said, so no check."""
    try:
        return known(field)
    except MissingData as missing:
        return NotDone.because(missing)


def _metered(made: Parts, name: str, part: Callable[..., T], *args: Any, **options: Any) -> T | NotDone:
    """A part that stands on meters; without them it is none of this company's."""
    lacking = next((one for one in args if isinstance(one, NotDone)), None)
    return lacking if lacking is not None else made.do(name, part, *args, **options)


def _missed(
    field: Field, meters: Meters | NotDone, costs: pd.DataFrame | NotDone
) -> missed_services_facts.MissedServices | NotDone:
    """Overdue machines against those in order. Most companies have no planned services that come regularly: that is no doubt either, so no check."""
    try:
        return missed_services_facts.missed_services_facts(field, meters, costs)
    except MissingData as missing:
        return NotDone.because(missing)


def _early(
    field: Field, ground: _Ground, told: tuple[lives_facts.LifeFacts, ...] | NotDone
) -> tuple[early_causes.EarlyCause, ...]:
    """Whose machines fail early, where a component does."""
    known = [one.cause for one in ground.causes]
    return early_causes.early_causes(field, ground.baseline, ground.use, told, known, ground.errors)


def _reporting_test(field: Field) -> reporting_facts.ReportingTest | NotDone:
    tested = reporting.backtest(field)
    return tested if isinstance(tested, NotDone) else reporting_facts.reporting_test(field, tested)


def _forecast_test(field: Field, delay: reporting.Delay) -> forecasting_facts.ForecastTestFacts | NotDone:
    tested = forecasting.backtest(field, delay)
    return tested if isinstance(tested, NotDone) else forecasting_facts.forecast_test(field, tested)


def _registered(field: Field) -> list[Intervention]:
    """Fixes that began before the end of the report month."""
    return [fix for fix in load_interventions(kind="fix") if fix.starts < field.last.end]


def _fixes(
    field: Field, baseline: Baseline, made: Parts, *, error: float
) -> tuple[fixes_facts.FixFacts, ...] | NotDone:
    registered = _registered(field)
    level = 1 - error / max(len(registered), 1)
    found = [
        (fix.name, made.do(f"fix_{fix.id}", fixes_facts.fix_facts, field, baseline, fix, level=level))
        for fix in registered
    ]
    return those_made(found, none=NO_FIX)


def _phases(field: Field, baseline: Baseline, made: Parts) -> tuple[monitoring_facts.PhaseFacts, ...]:
    found = [
        made.do(f"phases_{fix.id}", monitoring_facts.phase_facts, field, baseline, fix)
        for fix in _registered(field)
    ]
    return tuple(one for one in found if not isinstance(one, NotDone))


def _trees(
    field: Field, made: Parts, causes: list[localising.Cause], *, seed: int
) -> tuple[trees.TreeFacts, ...] | NotDone:
    found = [
        (
            tree.title or Text.same(tree.name),
            made.do(f"tree_{path.stem}", trees.solved, field, tree, causes, file=path.name, seed=seed),
        )
        for path, tree in trees.trees().items()
    ]
    return those_made(found, none=NO_TREE)
